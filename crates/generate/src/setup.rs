//! Everything the generator looks up, compiled once from a profile and a probability table.
//!
//! Names with the same base, cell type and plane count are eligible together, so distributions are kept by such classes: a
//! proposal decides per class, and draws a name inside the class it drew. Weights are integers from here on.

use nandseq_device::{OpInfo, Tables};
use nandseq_profile::model::{Axis, Chain, ChainStep, PayloadField, StepAddress};
use nandseq_profile::{BaseId, BaseSet, Block, CellTypeId, Die, OpId, PhaseKey, Profile, Ticks};

use crate::closure::Goal;
use crate::groups::BaseGroups;

use crate::bootstrap::BootstrapSetup;

/// What makes names eligible together.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Class {
    pub(crate) base: BaseId,
    pub(crate) multi: bool,
    pub(crate) cell: CellTypeId,
}

impl Class {
    /// Its bit in [`Kinds`].
    pub(crate) const fn kind(&self) -> Kinds {
        kind(self.multi, self.cell)
    }
}

/// The share of a class under a phase key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Share {
    pub(crate) class: Class,
    pub(crate) kind: Kinds,
    /// Sum of the weights of its names.
    pub(crate) mass: u64,
    /// Its names: `first .. first + count` of the distribution's.
    first: u32,
    count: u32,
}

/// Kinds of names of a base, one bit for each cell type: single-plane ones in the lower byte, multi-plane ones in the upper.
pub(crate) type Kinds = u16;

/// The bit of a class in [`Kinds`].
pub(crate) const fn kind(multi: bool, cell: CellTypeId) -> Kinds {
    1 << (cell.0 + if multi { 8 } else { 0 })
}

/// A distribution over names, by class.
#[derive(Clone, Default, Debug)]
pub(crate) struct Distribution {
    pub(crate) shares: Vec<Share>,
    pub(crate) names: Vec<(OpId, u64)>,
    /// The bases that have names.
    pub(crate) set: BaseSet,
    /// By [`BaseId`]: which kinds of names it has and the sum of their weights.
    pub(crate) kinds: Vec<Kinds>,
    pub(crate) masses: Vec<u64>,
    /// By [`BaseId`]: first and one past the last of its classes in `shares`.
    classes: Vec<(u16, u16)>,
}

/// Probabilities become integers in units of 2⁻⁴⁴: sums of some 16,000 names stay far below 2⁶³.
const UNITS: f64 = (1u64 << 44) as f64;

fn weight(mass: f64, total: f64) -> u64 {
    if mass > 0.0 { ((mass / total * UNITS) as u64).max(1) } else { 0 }
}

impl Distribution {
    pub(crate) fn new(tables: &Tables, entries: &[(OpId, f64)], usable: impl Fn(OpId) -> bool) -> Self {
        let total: f64 = entries.iter().map(|&(_, mass)| mass).sum();
        let class = |op: OpId| {
            let info = tables.op(op);
            Class { base: info.base, multi: info.multi, cell: info.stated_cell_type }
        };
        let mut names: Vec<(OpId, u64)> = entries
            .iter()
            .map(|&(op, mass)| (op, weight(mass, total)))
            .filter(|&(op, weight)| weight > 0 && usable(op))
            .collect();
        names.sort_by_key(|&(op, _)| (class(op), op));
        let mut shares: Vec<Share> = Vec::new();
        for (at, &(op, weight)) in names.iter().enumerate() {
            match shares.last_mut() {
                Some(share) if share.class == class(op) => {
                    share.mass += weight;
                    share.count += 1;
                }
                _ => shares.push(Share {
                    class: class(op),
                    kind: class(op).kind(),
                    mass: weight,
                    first: at as u32,
                    count: 1,
                }),
            }
        }
        let bases = tables.bases().count();
        let mut all = Self {
            names,
            set: BaseSet::EMPTY,
            kinds: vec![0; bases],
            masses: vec![0; bases],
            classes: vec![(0, 0); bases],
            shares: Vec::new(),
        };
        for (at, share) in shares.iter().enumerate() {
            let base = share.class.base;
            if !all.set.contains(base) {
                all.set.insert(base);
                all.classes[base.index()].0 = at as u16;
            }
            all.classes[base.index()].1 = at as u16 + 1;
            all.kinds[base.index()] |= share.kind;
            all.masses[base.index()] += share.mass;
        }
        Self { shares, ..all }
    }

    /// The classes of a base that are of some kinds.
    pub(crate) fn shares_of(&self, base: BaseId, kinds: Kinds) -> impl Iterator<Item = &Share> {
        let (first, end) = self.classes[base.index()];
        let shares = &self.shares[usize::from(first)..usize::from(end)];
        shares.iter().filter(move |share| kinds & share.kind != 0)
    }

    /// The names of a class.
    pub(crate) fn names_of(&self, share: &Share) -> &[(OpId, u64)] {
        &self.names[share.first as usize..(share.first + share.count) as usize]
    }
}

/// One step of a chain, compiled.
#[derive(Clone, Debug)]
pub(crate) struct StepInfo {
    pub(crate) base: BaseId,
    pub(crate) address: StepAddress,
    pub(crate) same_cell_type: bool,
    pub(crate) multi: bool,
    /// The names that may be drawn, with weights.
    pub(crate) names: Vec<(OpId, u64)>,
    /// Whether some name is multi-plane.
    pub(crate) has_multi: bool,
    /// Whether the payload names planes, so that a single-plane step after a multi-plane one becomes one step per plane.
    pub(crate) per_plane: bool,
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
    pub(crate) groups: BaseGroups,
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
    pub(crate) resume: [Option<OpId>; 2],
}

/// Why nothing can be generated.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SetupError {
    /// The table names no operation that can be generated.
    #[error("no phase key gives any operation name a probability above zero that this version can generate")]
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
        let policies = &profile.policies;
        let usable = |op: OpId| {
            let info = tables.op(op);
            exists(&tables, info) && (!info.multi || policies.max_planes > 1)
        };
        let resume = [Axis::Erase, Axis::Program].map(|axis| {
            let resumes = |op: &OpId| tables.base(tables.op(*op).base).effects.resume == Some(axis);
            table
                .iter()
                .flat_map(|(_, entries)| entries)
                .find(|(op, mass)| *mass > 0.0 && resumes(op))
                .map(|&(op, _)| op)
        });
        let resumable = |axis: Option<Axis>| match axis {
            Some(Axis::Erase) => resume[0].is_some(),
            Some(Axis::Program) => resume[1].is_some(),
            None => true,
        };
        let usable = |op: OpId| usable(op) && resumable(tables.base(tables.op(op).base).effects.suspend);
        let mut distributions = Vec::new();
        let mut by_key = vec![u16::MAX; profile.phase_keys.len()];
        for (key, entries) in table {
            by_key[key.index()] = distributions.len() as u16;
            distributions.push(Distribution::new(&tables, entries, usable));
        }
        let default = match by_key[PhaseKey::DEFAULT.index()] {
            u16::MAX => {
                distributions.push(Distribution::default());
                distributions.len() as u16 - 1
            }
            known => known,
        };
        by_key.iter_mut().filter(|slot| **slot == u16::MAX).for_each(|slot| *slot = default);
        if distributions.iter().all(|distribution| distribution.shares.is_empty()) {
            return Err(SetupError::NothingToPropose);
        }
        Ok(Self {
            names: profile.ops.iter().map(|op| op.name.clone()).collect(),
            bad_blocks: bad_blocks.to_vec(),
            bootstrap: BootstrapSetup::new(profile, &tables, usable),
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
            groups: BaseGroups::new(&tables),
            tables,
        })
    }

    /// The same, with a goal: sites count what they cover of it, and go for the rest if it is directed.
    #[must_use]
    pub fn with_goal(mut self, profile: &Profile, goal: Goal) -> Self {
        self.goal = Some(goal.compiled(profile, &self.tables));
        if self.goal.as_ref().is_some_and(Goal::is_directed) {
            // What stands alone leaves its window open, and costs nothing more.
            let alone = |(weight, chain): &mut (u64, Option<usize>)| *weight *= if chain.is_none() { crate::closure::knob(5) } else { 1 };
            self.follow_ups.iter_mut().filter(|all| all.choices.len() > 1).flat_map(|all| &mut all.choices).for_each(alone);
        }
        self
    }

    /// The name of an operation.
    pub(crate) fn name(&self, op: OpId) -> &str {
        &self.names[op.index()]
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

/// Whether a device of this size has what the name addresses.
fn exists(tables: &Tables, op: &OpInfo) -> bool {
    let lun = match op.status_of {
        Some(nandseq_profile::model::StatusOf::Lun(lun)) => lun < tables.size.dies,
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
    let names: Vec<(OpId, u64)> = tables
        .ops()
        .filter(|(_, info)| info.base == step.base && exists(tables, info))
        .map(|(op, _)| (op, weight_of(op)))
        .filter(|&(_, weight)| weight > 0)
        .collect();
    StepInfo {
        base: step.base,
        address: step.address,
        same_cell_type: step.same_cell_type,
        multi: step.multi,
        has_multi: names.iter().any(|&(op, _)| tables.op(op).multi),
        names,
        per_plane: profile.bases[step.base].payload_has(PayloadField::Plane),
    }
}
