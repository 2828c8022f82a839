//! Everything the generator looks up, compiled once from a profile and a probability table.
//!
//! Names with the same base, cell type and plane count are eligible together, so distributions are kept by such classes: a
//! proposal decides per class, and draws a name inside the class it drew. Weights are integers from here on.

use std::ops::RangeInclusive;

use nandseq_device::{OpInfo, Tables};
use nandseq_profile::model::{Axis, ByAxis, Chain, ChainStep, PayloadField, StatusOf, StepAddress};
use nandseq_profile::{BaseId, Block, CellTypeId, Die, OpId, PhaseKey, Profile, Ticks};

use crate::bootstrap::BootstrapSetup;
use crate::classes::{CHUNK, ClassId, Classes, places};
use crate::closure::Goal;
use crate::dead::{changing_all, named_dies};
use crate::groups::Groups;

/// A distribution over names, by class.
#[derive(Clone, Default, Debug)]
pub(crate) struct Distribution {
    /// The names with their weights, those of a class together.
    pub(crate) names: Vec<(OpId, u64)>,
    /// The classes that have names, by chunk.
    sets: Vec<u64>,
    /// The sum of the weights of each class, by chunk.
    masses: Vec<[u64; CHUNK]>,
    /// For each class the first of its names and one past the last.
    spans: Vec<(u32, u32)>,
    /// The random numbers by which nothing is drawn whatever else is eligible; see [`Distribution::draws_nothing`].
    nothing: Option<RangeInclusive<u64>>,
}

/// Probabilities become integers in units of 2⁻⁴⁴: sums of some 16,000 names stay far below 2⁶³.
pub(crate) const UNITS: f64 = (1u64 << 44) as f64;

fn weight(mass: f64, total: f64) -> u64 {
    if mass > 0.0 { ((mass / total * UNITS) as u64).max(1) } else { 0 }
}

impl Distribution {
    pub(crate) fn new(
        tables: &Tables,
        classes: &Classes,
        entries: &[(OpId, f64)],
        usable: impl Fn(OpId) -> bool,
    ) -> Self {
        let total: f64 = entries.iter().map(|&(_, mass)| mass).sum();
        // The class of a name is looked for once: to ask anew at every step of sorting is most of what a start costs.
        let mut names: Vec<(ClassId, OpId, u64)> = entries
            .iter()
            .map(|&(op, mass)| (op, weight(mass, total)))
            .filter(|&(op, weight)| weight > 0 && usable(op))
            .map(|(op, weight)| (classes.of(tables.op(op)), op, weight))
            .collect();
        names.sort_by_key(|&(class, op, _)| (class, op));
        let mut all = Self {
            sets: vec![0; classes.chunks()],
            masses: vec![[0; CHUNK]; classes.chunks()],
            spans: vec![(0, 0); classes.count()],
            names: Vec::new(),
            nothing: None,
        };
        for (at, &(class, _, weight)) in names.iter().enumerate() {
            let (first, end) = &mut all.spans[class.index()];
            if all.sets[class.chunk()] & class.bit() == 0 {
                *first = at as u32;
            }
            *end = at as u32 + 1;
            all.sets[class.chunk()] |= class.bit();
            all.masses[class.chunk()][class.place()] += weight;
        }
        Self { names: names.into_iter().map(|(_, op, weight)| (op, weight)).collect(), ..all }
    }

    /// Finds out which draws come to nothing in every state.
    fn find_nothing(&mut self, groups: &Groups) {
        let idling = |&class: &ClassId| groups.chunks()[class.chunk()].idling & class.bit() != 0;
        let chunks = self.sets.iter().enumerate();
        let of_chunk = |(chunk, &set): (usize, &u64)| places(set).map(move |place| ClassId::at(chunk, place));
        let classes: Vec<ClassId> = chunks.flat_map(of_chunk).collect();
        let Some(at) = classes.iter().position(idling) else { return };
        let mass = |class: &ClassId| u128::from(self.masses[class.chunk()][class.place()]);
        let before = classes[..at].iter().map(mass).sum();
        let behind = classes[at + 1..].iter().map(mass).sum();
        self.nothing = numbers_within(before, mass(&classes[at]), behind);
    }

    /// Whether a hook whose random numbers begin with these draws nothing, whatever is eligible.
    ///
    /// A draw passes over a number with a probability of about 2⁻²⁰, for the sake of exact uniformity, and which numbers those
    /// are depends on what is eligible. So the next two are asked as well: that all three would be passed over happens once in
    /// 2⁶⁰ hooks.
    pub(crate) fn draws_nothing(&self, numbers: &[u64; 4]) -> bool {
        self.nothing.as_ref().is_some_and(|nothing| numbers[..3].iter().all(|number| nothing.contains(number)))
    }

    /// Whether it has no names.
    pub(crate) const fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The names with their weights.
    pub(crate) fn names(&self) -> &[(OpId, u64)] {
        &self.names
    }

    /// The classes of a chunk that have names.
    pub(crate) fn set(&self, chunk: usize) -> u64 {
        self.sets.get(chunk).copied().unwrap_or(0)
    }

    /// The sums of the weights of the classes of a chunk.
    pub(crate) fn masses(&self, chunk: usize) -> &[u64; CHUNK] {
        &self.masses[chunk]
    }

    /// The names of a class.
    pub(crate) fn names_of(&self, class: ClassId) -> &[(OpId, u64)] {
        let (first, end) = self.spans[class.index()];
        &self.names[first as usize..end as usize]
    }
}

/// The numbers of 64 bits that draw a class of mass `own` (above 0) whatever else is eligible of the classes before it, of mass
/// `before` together, and of those behind it.
///
/// Where those that are eligible have masses b and a, a number r draws at `r (b + own + a) / 2⁶⁴`, which is on the class when it is
/// neither below b nor as high as b + own. Both are hardest to meet when a = 0 and b = `before`, and when b = 0 and a = `behind`.
pub(crate) fn numbers_within(before: u128, own: u128, behind: u128) -> Option<RangeInclusive<u64>> {
    let first = (before << 64).div_ceil(before + own);
    let end = (own << 64).div_ceil(own + behind);
    let (Ok(first), Ok(last)) = (u64::try_from(first), u64::try_from(end - 1)) else { return None };
    (first <= last).then_some(first..=last)
}

/// One step of a chain, compiled.
#[derive(Clone, Debug)]
pub(crate) struct StepInfo {
    pub(crate) base: BaseId,
    pub(crate) address: StepAddress,
    pub(crate) same_cell_type: bool,
    pub(crate) multi: bool,
    /// The names that may be drawn.
    pub(crate) names: Vec<StepName>,
    /// Whether some name is multi-plane.
    pub(crate) has_multi: bool,
    /// Whether the payload names planes, so that a single-plane step after a multi-plane one becomes one step per plane.
    pub(crate) per_plane: bool,
}

/// A name that may be drawn for a step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StepName {
    pub(crate) op: OpId,
    pub(crate) weight: u64,
    pub(crate) multi: bool,
    /// `None`: fits every address.
    pub(crate) cell: Option<CellTypeId>,
    /// The die whose status it reads whatever die the chain works on, which must be that one.
    pub(crate) lun: Option<Die>,
}

/// How a base may go on.
#[derive(Clone, Debug)]
pub(crate) struct FollowUps {
    /// Weight and chain (`None`: stands alone).
    pub(crate) choices: Vec<(u64, Option<usize>)>,
}

/// A profile, its probability table and its bad blocks, ready to generate from.
#[derive(Clone, Debug)]
pub struct Setup {
    pub(crate) tables: Tables,
    pub(crate) classes: Classes,
    pub(crate) groups: Groups,
    /// Names of operations, for messages.
    names: Vec<String>,
    pub(crate) bad_blocks: Vec<(Die, Block)>,
    pub(crate) distributions: Vec<Distribution>,
    /// Which distribution each phase key uses.
    pub(crate) by_key: Vec<u16>,
    pub(crate) bootstrap: BootstrapSetup,
    pub(crate) follow_ups: Vec<FollowUps>,
    pub(crate) chains: Vec<Vec<StepInfo>>,
    pub(crate) admission_window: Ticks,
    pub(crate) refill_period: Ticks,
    pub(crate) max_planes: u32,
    pub(crate) max_tries: u32,
    pub(crate) gap: Ticks,
    pub(crate) split_dout: bool,
    pub(crate) post_hook_window: Ticks,
    pub(crate) refill_uses_end_key: bool,
    /// What is to be covered, if anybody asks.
    pub(crate) goal: Option<Goal>,
    /// A name that resumes each axis (erase, program) and that some phase key can propose.
    pub(crate) resume: ByAxis<Option<OpId>>,
    /// By chunk the classes that may start and that change every die: see [`crate::dead`].
    pub(crate) changing_all: Vec<u64>,
    /// The dies that a name with a weight addresses from any die, a bit each.
    pub(crate) named_dies: u64,
}

/// Why nothing can be generated.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SetupError {
    /// The table names no operation that can be generated.
    #[error("no phase key gives any operation a weight above 0 with which it could be proposed")]
    NothingToPropose,
}

impl Setup {
    /// Compiles a profile and its table. Operations of `bad_blocks` are never proposed.
    ///
    /// # Errors
    /// [`SetupError`] when no operation could ever be proposed.
    pub fn new(
        profile: &Profile,
        table: &[(PhaseKey, Vec<(OpId, f64)>)],
        bad_blocks: &[(Die, Block)],
    ) -> Result<Self, SetupError> {
        let tables = Tables::new(profile);
        let classes = Classes::new(&tables);
        let policies = &profile.policies;
        let resume = ByAxis::new(|axis| {
            let resumes = |op: &OpId| tables.base(tables.op(*op).base).effects.resume == Some(axis);
            table
                .iter()
                .flat_map(|(_, entries)| entries)
                .find(|(op, mass)| *mass > 0.0 && resumes(op))
                .map(|&(op, _)| op)
        });
        let resumable = |axis: Option<Axis>| axis.is_none_or(|axis| resume[axis].is_some());
        let usable = |op: OpId| {
            is_usable(&tables, policies.max_planes, op) && resumable(tables.base(tables.op(op).base).effects.suspend)
        };
        let mut distributions = Vec::new();
        let mut by_key = vec![u16::MAX; profile.phase_keys.len()];
        for (key, entries) in table {
            by_key[key.index()] = distributions.len() as u16;
            distributions.push(Distribution::new(&tables, &classes, entries, usable));
        }
        let default = match by_key[PhaseKey::DEFAULT.index()] {
            u16::MAX => {
                distributions.push(Distribution::new(&tables, &classes, &[], usable));
                distributions.len() as u16 - 1
            }
            known => known,
        };
        let groups = Groups::new(&tables, &classes, profile.phase_keys.len());
        distributions.iter_mut().for_each(|own| own.find_nothing(&groups));
        by_key.iter_mut().filter(|slot| **slot == u16::MAX).for_each(|slot| *slot = default);
        if distributions.iter().all(Distribution::is_empty) {
            return Err(SetupError::NothingToPropose);
        }
        let setup = Self {
            names: profile.ops.iter().map(|op| op.name.clone()).collect(),
            bad_blocks: bad_blocks.to_vec(),
            bootstrap: BootstrapSetup::new(profile, &tables, &classes, usable),
            distributions,
            by_key,
            follow_ups: profile.bases.iter().map(follow_ups).collect(),
            chains: profile.chains.iter().map(|chain| compile_chain(profile, &tables, chain)).collect(),
            admission_window: policies.admission_window,
            refill_period: policies.queue_refill_period,
            max_planes: policies.max_planes,
            max_tries: policies.max_tries,
            gap: policies.sequence_gap,
            split_dout: policies.split_dout_per_plane,
            post_hook_window: policies.post_hook_window,
            refill_uses_end_key: policies.refill_uses_end_key,
            resume,
            goal: None,
            changing_all: Vec::new(),
            named_dies: 0,
            groups,
            classes,
            tables,
        };
        Ok(Self { changing_all: changing_all(&setup, &setup.tables), named_dies: named_dies(&setup), ..setup })
    }

    /// The same, with a goal: sites count what they cover of it, and go for the rest if it is directed.
    #[must_use]
    pub fn with_goal(mut self, profile: &Profile, goal: Goal) -> Self {
        self.goal = Some(goal.compiled(profile, &self.tables, &self.classes));
        self
    }

    /// The name of an operation.
    pub(crate) fn name(&self, op: OpId) -> &str {
        &self.names[op.index()]
    }

    /// What may be drawn under a phase key, a bootstrap apart.
    pub(crate) fn distribution(&self, key: PhaseKey) -> &Distribution {
        &self.distributions[usize::from(self.by_key[key.index()])]
    }

    /// Whether a device of this size has what a name addresses, and proposals may address so many planes.
    pub(crate) fn is_usable(&self, op: OpId) -> bool {
        is_usable(&self.tables, self.max_planes, op)
    }

    /// A bit for each die.
    pub(crate) fn all_dies(&self) -> u64 {
        u64::MAX >> (64 - u32::from(self.tables.size.dies))
    }

    /// How many phase keys the profile has.
    pub(crate) fn phase_keys(&self) -> usize {
        self.by_key.len()
    }

    /// The device's compiled tables.
    #[must_use]
    pub const fn tables(&self) -> &Tables {
        &self.tables
    }
}

/// Whether a device of this size has what a name addresses, and proposals may address so many planes.
fn is_usable(tables: &Tables, max_planes: u32, op: OpId) -> bool {
    let info = tables.op(op);
    exists(tables, info) && (!info.multi || max_planes > 1)
}

/// Whether a device of this size has what the name addresses.
fn exists(tables: &Tables, op: &OpInfo) -> bool {
    let lun = match op.status_of {
        Some(StatusOf::Lun(lun)) => lun < tables.size.dies,
        _ => true,
    };
    lun && (!op.multi || tables.size.planes > 1)
}

fn follow_ups(base: &nandseq_profile::model::Base) -> FollowUps {
    if base.follow_ups.is_empty() {
        return FollowUps { choices: vec![(1, None)] };
    }
    let total: f64 = base.follow_ups.iter().map(|follow| follow.weight).sum();
    let choices = base.follow_ups.iter().map(|follow| (weight(follow.weight, total), follow.chain));
    FollowUps { choices: choices.filter(|&(weight, _)| weight > 0).collect() }
}

fn compile_chain(profile: &Profile, tables: &Tables, chain: &Chain) -> Vec<StepInfo> {
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
        names,
        per_plane: profile.bases[step.base].payload_has(PayloadField::Plane),
    }
}
