//! The chains of a profile, compiled: the names that may be drawn for each step, and the chains that may follow a base.

use nandseq_device::{BaseInfo, OpInfo, Precondition, Reach, StateChange, Tables};
use nandseq_profile::model::{AddressSource, Base, Chain, ChainStep, PayloadField, StatusOf, StepAddress};
use nandseq_profile::{BaseId, CellTypeId, Die, OpId, Profile};

use super::distribution::weight;
use crate::random::{RandomNumbers, Stream};

/// Where the address of a step comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum StepSource {
    /// The die alone.
    Die,
    /// The planes of the chain, no block.
    Planes,
    /// The output register, or the page register, of the first plane of the chain.
    OutputRegister,
    PageRegister,
    /// The step before, on the planes of the chain: its page, or the page after.
    SamePage,
    NextPage,
    /// The last program of the chain, on the planes of the chain.
    LastProgram,
    /// The program that is suspended.
    SuspendedProgram,
    /// It is drawn.
    Sampled,
}

impl StepSource {
    fn new(info: &BaseInfo, address: StepAddress) -> Self {
        match info.address {
            AddressSource::OutputRegister => Self::OutputRegister,
            AddressSource::PageRegister => Self::PageRegister,
            AddressSource::None | AddressSource::Hook if info.reach == Reach::Planes => Self::Planes,
            AddressSource::None | AddressSource::Hook => Self::Die,
            AddressSource::SuspendedProgram => Self::SuspendedProgram,
            AddressSource::AnyBlock
            | AddressSource::NextPage
            | AddressSource::ReadablePage
            | AddressSource::OneShotLatch
            | AddressSource::CopybackLatch => match address {
                StepAddress::SamePage => Self::SamePage,
                StepAddress::IncPage => Self::NextPage,
                StepAddress::ProgramSamePage => Self::LastProgram,
                StepAddress::SuspendedProgram => Self::SuspendedProgram,
                StepAddress::PreviousPage => Self::OutputRegister,
                StepAddress::SameRegister => Self::Die,
                StepAddress::Sampled => Self::Sampled,
            },
        }
    }
}

/// One step of a chain, compiled.
#[derive(Clone, Debug)]
pub(crate) struct StepInfo {
    pub(crate) base: BaseId,
    pub(crate) source: StepSource,
    /// Whether an address is drawn where its source has none.
    pub(crate) may_sample: bool,
    pub(crate) same_cell_type: bool,
    pub(crate) multi: bool,
    /// Whether it only puts out what the output registers of its planes hold.
    pub(crate) only_puts_out: bool,
    /// Whether it comes for the first of several planes only, where it does not work on several at once.
    pub(crate) first_plane_only: bool,
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
    /// Each name with the sum of the weights up to its own.
    names: Vec<(OpId, u64)>,
    /// Whether every weight is 1.
    even: bool,
}

impl WeightedNames {
    fn new(names: impl Iterator<Item = (OpId, u64)>) -> Self {
        let mut total = 0;
        let mut until = |(op, weight)| {
            total += weight;
            (op, total)
        };
        let names: Vec<(OpId, u64)> = names.map(&mut until).collect();
        Self { even: total == names.len() as u64, names }
    }

    /// Draws a name by weight; `None` if there is none. One name alone takes no random number.
    #[inline]
    pub(crate) fn draw(&self, stream: &mut Stream) -> Option<OpId> {
        let &(last, total) = self.names.last()?;
        if self.names.len() == 1 {
            return Some(last);
        }
        let at = stream.below(total);
        let index = if self.even { at as usize } else { self.names.iter().filter(|(_, until)| *until <= at).count() };
        Some(self.names[index].0)
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
    /// For each choice the sum of the weights up to its own.
    until: Vec<u64>,
}

impl FollowUps {
    pub(crate) fn new(choices: Vec<(u64, Option<usize>)>) -> Self {
        let sum = |total: &mut u64, &(weight, _): &(u64, Option<usize>)| {
            *total += weight;
            Some(*total)
        };
        Self { until: choices.iter().scan(0, sum).collect(), choices }
    }

    /// Whether an operation of the base always stands alone.
    pub(crate) fn always_alone(&self) -> bool {
        matches!(self.choices[..], [(_, None)])
    }

    /// Draws a choice that was not tried; `None` if there is none. `alone` is the factor on the weight of standing alone.
    #[inline]
    pub(crate) fn draw(&self, tried: &[usize], alone: u64, stream: &mut Stream) -> Option<usize> {
        if tried.is_empty() && alone == 1 {
            let at = stream.below(*self.until.last()?);
            return Some(self.until.iter().filter(|until| **until <= at).count());
        }
        let weight = |&(weight, chain): &(u64, Option<usize>)| if chain.is_none() { weight * alone } else { weight };
        let left = self.choices.iter().enumerate().filter(|(at, _)| !tried.contains(at));
        stream.pick(left.map(|(at, choice)| (at, weight(choice))))
    }
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
        return FollowUps::new(vec![(1, None)]);
    }
    let total: f64 = base.follow_ups.iter().map(|follow| follow.weight).sum();
    let choices = base.follow_ups.iter().map(|follow| (weight(follow.weight, total), follow.chain));
    FollowUps::new(choices.filter(|&(weight, _)| weight > 0).collect())
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
    let info = tables.base(step.base);
    let source = StepSource::new(info, step.address);
    let is_sampled = matches!(step.address, StepAddress::Sampled | StepAddress::ProgramSamePage);
    let effects = &info.effects;
    StepInfo {
        base: step.base,
        source,
        may_sample: is_sampled && info.has_block,
        same_cell_type: step.same_cell_type,
        multi: step.multi,
        only_puts_out: info.address == AddressSource::OutputRegister
            && info.reach == Reach::Planes
            && effects.at_start.is_empty()
            && effects.at_end == [StateChange::PutOut]
            && effects.needs().eq([Precondition::Output]),
        first_plane_only: info.address == AddressSource::OutputRegister && !profile.policies.split_dout_per_plane,
        has_multi: names.iter().any(|name| name.multi),
        fitting: fitting_sets(&names, tables.size.dies),
        names,
        per_plane: profile.bases[step.base].payload_has(PayloadField::Plane),
    }
}
