//! The chains of a profile, compiled: the names that may be drawn for each step, and the chains that may follow a base.

use nandseq_device::{OpInfo, Tables};
use nandseq_profile::model::{Base, Chain, ChainStep, PayloadField, StatusOf, StepAddress};
use nandseq_profile::{BaseId, CellTypeId, Die, OpId, Profile};

use super::distribution::weight;
use crate::random::{RandomNumbers, Stream};

/// One step of a chain, compiled.
#[derive(Clone, Debug)]
pub(crate) struct StepInfo {
    pub(crate) base: BaseId,
    pub(crate) address: StepAddress,
    pub(crate) same_cell_type: bool,
    pub(crate) multi: bool,
    /// The names that may be drawn.
    pub(crate) names: Vec<StepName>,
    /// Those of them that fit, by die (only if some name fits one die only), plane count and cell type: see [`StepInfo::fitting`].
    fitting: Vec<WeightedNames>,
    /// Whether some name is multi-plane.
    pub(crate) has_multi: bool,
    /// Whether the payload names planes, so that a single-plane step after a multi-plane one becomes one step per plane.
    pub(crate) per_plane: bool,
}

impl StepInfo {
    /// The names for a die, several planes or not, and a cell type; `None`: it does not matter.
    #[inline]
    pub(crate) fn fitting(&self, die: Die, multi: Option<bool>, cell: Option<CellTypeId>) -> &WeightedNames {
        let at = fitting_index(die, multi, cell);
        &self.fitting[if self.fitting.len() == PER_DIE { at % PER_DIE } else { at }]
    }
}

/// How many sets of fitting names a die has.
const PER_DIE: usize = 3 * 9;

fn fitting_index(die: Die, multi: Option<bool>, cell: Option<CellTypeId>) -> usize {
    let multi = multi.map_or(2, usize::from);
    die.index() * PER_DIE + multi * 9 + cell.map_or(8, |cell| cell.index().min(7))
}

/// The sets of [`StepInfo::fitting`].
fn fitting_sets(names: &[StepName], dies: u8) -> Vec<WeightedNames> {
    let dies = if names.iter().any(|name| name.lun.is_some()) { dies } else { 1 };
    let cells = || (0..8).map(CellTypeId).map(Some).chain([None]);
    let kinds = (0..dies).map(Die).flat_map(|die| {
        [Some(false), Some(true), None].into_iter().flat_map(move |multi| cells().map(move |cell| (die, multi, cell)))
    });
    let fit = |(die, multi, cell): (Die, Option<bool>, Option<CellTypeId>)| {
        let fits = |name: &&StepName| {
            multi.is_none_or(|multi| name.multi == multi)
                && (name.cell.is_none() || cell.is_none() || name.cell == cell)
                && name.lun.is_none_or(|lun| lun == die)
        };
        WeightedNames::new(names.iter().filter(fits).map(|name| (name.op, name.weight)))
    };
    kinds.map(fit).collect()
}

/// Names with weights above 0.
#[derive(Clone, Debug)]
pub(crate) struct WeightedNames {
    names: Vec<(OpId, u64)>,
    total: u64,
}

impl WeightedNames {
    fn new(names: impl Iterator<Item = (OpId, u64)>) -> Self {
        let names: Vec<_> = names.collect();
        Self { total: names.iter().map(|&(_, weight)| weight).sum(), names }
    }

    /// Draws a name by weight; `None` if there is none. One name alone takes no random number.
    #[inline]
    pub(crate) fn draw(&self, stream: &mut Stream) -> Option<OpId> {
        let (last, before) = self.names.split_last()?;
        if before.is_empty() {
            return Some(last.0);
        }
        let mut at = stream.below(self.total);
        let is_here = |&&(_, weight): &&(OpId, u64)| {
            let is_here = at < weight;
            at = at.wrapping_sub(weight);
            is_here
        };
        Some(before.iter().find(is_here).unwrap_or(last).0)
    }
}

/// A name that may be drawn for a step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StepName {
    pub(crate) op: OpId,
    pub(crate) weight: u64,
    pub(crate) multi: bool,
    /// `None`: fits every address.
    pub(crate) cell: Option<CellTypeId>,
    /// The die whose status the name always reads: the name fits chains on this die only.
    pub(crate) lun: Option<Die>,
}

/// The chains that may follow an operation of a base.
#[derive(Clone, Debug)]
pub(crate) struct FollowUps {
    /// Weight and chain (`None`: stands alone).
    pub(crate) choices: Vec<(u64, Option<usize>)>,
}

/// Whether the device has the LUN and planes that a name addresses.
pub(super) fn exists(tables: &Tables, op: &OpInfo) -> bool {
    let lun = match op.status_of {
        Some(StatusOf::Lun(lun)) => lun < tables.size.dies,
        _ => true,
    };
    lun && (!op.multi || tables.size.planes > 1)
}

pub(super) fn follow_ups(base: &Base) -> FollowUps {
    if base.follow_ups.is_empty() {
        return FollowUps { choices: vec![(1, None)] };
    }
    let total: f64 = base.follow_ups.iter().map(|follow| follow.weight).sum();
    let choices = base.follow_ups.iter().map(|follow| (weight(follow.weight, total), follow.chain));
    FollowUps { choices: choices.filter(|&(weight, _)| weight > 0).collect() }
}

pub(super) fn compile_chain(profile: &Profile, tables: &Tables, chain: &Chain) -> Vec<StepInfo> {
    chain.steps.iter().map(|step| compile_step(profile, tables, chain, step)).collect()
}

fn compile_step(profile: &Profile, tables: &Tables, chain: &Chain, step: &ChainStep) -> StepInfo {
    let weights = chain.name_weights.iter().find(|(base, _)| *base == step.base).map(|(_, weights)| weights);
    let total: f64 = weights.map_or(1.0, |weights| weights.iter().map(|&(_, mass)| mass).sum());
    let weight_of = |op: OpId| match weights {
        Some(weights) => weights.iter().find(|(name, _)| *name == op).map_or(0, |&(_, mass)| weight(mass, total)),
        None => 1,
    };
    let names: Vec<StepName> = tables
        .ops()
        .filter(|(_, info)| info.base == step.base && exists(tables, info))
        .map(|(op, info)| StepName {
            op,
            weight: weight_of(op),
            multi: info.multi,
            cell: info.cell_type,
            lun: match info.status_of {
                Some(StatusOf::Lun(lun)) => Some(Die(lun)),
                Some(StatusOf::Die | StatusOf::Plane) | None => None,
            },
        })
        .filter(|name| name.weight > 0)
        .collect();
    StepInfo {
        base: step.base,
        address: step.address,
        same_cell_type: step.same_cell_type,
        multi: step.multi,
        has_multi: names.iter().any(|name| name.multi),
        fitting: fitting_sets(&names, tables.size.dies),
        names,
        per_plane: profile.bases[step.base].payload_has(PayloadField::Plane),
    }
}
