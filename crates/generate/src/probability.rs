//! Probability tables: how likely each op name is under each phase key.
//!
//! Builds the table of a profile that states none. It depends on the table seed and never on a site's seed, so that one site can
//! be rerun. Applies the profile's overrides to a loaded table. The profile crate reads and writes table files.

mod loaded;

use nandseq_profile::model::{AddressSource, ArrayWork, Base, Effect, OverrideOf};
use nandseq_profile::{BaseId, IdVec, OpId, PhaseKey, Profile};

use crate::random::{RandomNumbers, TableStream};
pub use loaded::{Change, override_loaded};

/// Weights of op names by phase key; they need not sum to 1.
pub type Distributions = Vec<(PhaseKey, Vec<(OpId, f64)>)>;

/// The seed of a built table when none is given.
pub const DEFAULT_TABLE_SEED: u64 = 1729;

/// Builds the table of a profile. Each phase key has the names that it does not forbid. Overrides fix the masses of some; the
/// rest of 1 goes to the others by random weights.
#[must_use]
pub fn build(profile: &Profile, table_seed: u64) -> Distributions {
    profile.phase_keys.ids().map(|key| (key, build_key(profile, key, table_seed))).collect()
}

fn build_key(profile: &Profile, key: PhaseKey, table_seed: u64) -> Vec<(OpId, f64)> {
    let forbidden = profile.exclusions.in_op_state(key);
    let candidates: Vec<OpId> =
        profile.ops.iter_ids().filter(|(_, op)| !forbidden.contains(op.base)).map(|(id, _)| id).collect();
    let Fixed { masses: fixed, rest } = Fixed::new(profile, &Masses::new(profile, key), &candidates);
    let mut stream = TableStream::new([table_seed, 0], key.0.into());
    // Every candidate draws, so that an override of one does not shift the weights of the others.
    let weights: Vec<f64> = candidates.iter().map(|_| stream.unit()).collect();
    let free: f64 = weights.iter().zip(&fixed).filter(|(_, fixed)| fixed.is_none()).map(|(weight, _)| weight).sum();
    let mass = |at: usize| match fixed[at] {
        Some(mass) => mass,
        None if free > 0.0 => rest * weights[at] / free,
        None => 0.0,
    };
    candidates.iter().enumerate().map(|(at, &op)| (op, mass(at))).filter(|&(_, mass)| mass > 0.0).collect()
}

/// The masses that the overrides in force under a key fix for its candidates.
struct Fixed {
    /// By position: the mass of each candidate that an override fixes.
    masses: Vec<Option<f64>>,
    /// The rest of 1, for the other candidates.
    rest: f64,
}

impl Fixed {
    fn new(profile: &Profile, masses: &Masses, candidates: &[OpId]) -> Self {
        let own: Vec<Option<f64>> = candidates.iter().map(|&op| masses.ops[op]).collect();
        // The mass of a base is shared by those of its names that have none of their own.
        let mut sharers: IdVec<BaseId, usize> = profile.bases.iter().map(|_| 0).collect();
        for (&op, _) in candidates.iter().zip(&own).filter(|(_, own)| own.is_none()) {
            sharers[profile.ops[op].base] += 1;
        }
        let shared: IdVec<BaseId, Option<f64>> =
            sharers.iter_ids().map(|(base, &sharers)| masses.bases[base].map(|mass| mass / sharers as f64)).collect();
        let fixed: Vec<Option<f64>> =
            candidates.iter().zip(&own).map(|(&op, own)| own.or(shared[profile.ops[op].base])).collect();
        let total: f64 = fixed.iter().flatten().sum();
        let scale = if total >= 1.0 { 1.0 / total } else { 1.0 };
        Self {
            masses: fixed.into_iter().map(|mass| mass.map(|mass| mass * scale)).collect(),
            rest: (1.0 - total).max(0.0),
        }
    }
}

/// The overrides in force under a key: the global ones, replaced by the key's own.
struct Masses {
    bases: IdVec<BaseId, Option<f64>>,
    ops: IdVec<OpId, Option<f64>>,
}

impl Masses {
    fn new(profile: &Profile, key: PhaseKey) -> Self {
        let mut all = Self {
            bases: profile.bases.iter().map(|_| None).collect(),
            ops: profile.ops.iter().map(|_| None).collect(),
        };
        for &(what, mass) in &profile.probabilities.global {
            all.of(what).get_or_insert(mass);
        }
        let own = profile.probabilities.by_key.iter().filter(|(of, _)| *of == key).flat_map(|(_, list)| list);
        for &(what, mass) in own {
            *all.of(what) = Some(mass);
        }
        all
    }

    /// Whether nothing is overridden.
    fn is_empty(&self) -> bool {
        self.bases.iter().chain(self.ops.iter()).all(Option::is_none)
    }

    fn of(&mut self, what: OverrideOf) -> &mut Option<f64> {
        match what {
            OverrideOf::Base(base) => &mut self.bases[base],
            OverrideOf::Op(op) => &mut self.ops[op],
        }
    }
}

/// The table in force: the profile's own distributions if it states any, else a built one.
#[must_use]
pub fn of_profile(profile: &Profile, table_seed: u64) -> Distributions {
    if profile.probabilities.phase_conditional.is_empty() {
        build(profile, table_seed)
    } else {
        profile.probabilities.phase_conditional.clone()
    }
}

/// A ready-made distribution for the key DEFAULT.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Demo {
    /// Erases only.
    EraseOnly,
    /// Erases, programs and reads, a third each.
    Mix,
    /// Programs and reads, half each.
    ProgramRead,
}

impl Demo {
    /// Replaces the distribution of DEFAULT by that of the preset. Adds a small weight for names that end lasting states which
    /// operations of other keys begin. Removes from the other keys the names that begin a lasting state which no name of the
    /// distribution ends.
    pub fn apply(self, profile: &Profile, table: &mut Distributions) {
        let families: &[fn(&Profile, OpId) -> bool] = match self {
            Self::EraseOnly => &[is_erase],
            Self::Mix => &[is_erase, is_program, is_read],
            Self::ProgramRead => &[is_program, is_read],
        };
        let mut entries = Vec::new();
        for family in families {
            let names: Vec<OpId> = profile.ops.ids().filter(|&op| family(profile, op)).collect();
            entries.extend(names.iter().map(|&op| (op, 1.0 / (families.len() * names.len()) as f64)));
        }
        let ways_out: Vec<OpId> =
            profile.ops.ids().filter(|&op| leads_out(&profile.bases[profile.ops[op].base])).collect();
        entries.extend(ways_out.iter().map(|&op| (op, WAYS_OUT / ways_out.len() as f64)));
        table.retain(|(key, _)| *key != PhaseKey::DEFAULT);
        for (_, others) in &mut *table {
            others.retain(|&(op, _)| !is_stuck_after(profile, &profile.bases[profile.ops[op].base], &entries));
        }
        table.insert(0, (PhaseKey::DEFAULT, entries));
    }
}

/// The mass that a preset gives, beside 1 for its own names, to names that end states which operations of other keys begin.
const WAYS_OUT: f64 = 0.1;

/// Whether a base ends a lasting state and is possible in that state only: elsewhere it is never eligible.
fn leads_out(base: &Base) -> bool {
    let from_latch = matches!(base.address, AddressSource::OneShotLatch | AddressSource::CopybackLatch);
    from_latch || base.effects.iter().any(|effect| effect.properties().needs_what_it_ends)
}

/// Whether a base brings about a lasting state that no name of `entries` ends.
fn is_stuck_after(profile: &Profile, base: &Base, entries: &[(OpId, f64)]) -> bool {
    let has = |end: Effect| entries.iter().any(|&(op, _)| profile.bases[profile.ops[op].base].has(end));
    base.effects.iter().filter_map(|effect| effect.properties().ended_by).any(|end| !has(end))
}

fn is_erase(profile: &Profile, op: OpId) -> bool {
    profile.bases[profile.ops[op].base].has(Effect::Erase)
}

/// A program that starts by itself: a committing one or the first load of a one-shot program.
fn is_program(profile: &Profile, op: OpId) -> bool {
    let base = &profile.bases[profile.ops[op].base];
    let loads = base.effects.iter().any(|effect| effect.properties().array_work == Some(ArrayWork::Load));
    let starts = base.has(Effect::Program) || loads;
    starts && base.address == AddressSource::NextPage && !base.has(Effect::CopybackSource)
}

fn is_read(profile: &Profile, op: OpId) -> bool {
    profile.bases[profile.ops[op].base].has(Effect::FillRegisters { copyback: false })
}
