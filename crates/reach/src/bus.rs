//! How much of the bus instants demand: operations that need nothing else, and wait for it however long.
//!
//! Whatever else is drawn while the bus is held fails once the admission window is over, and names are drawn again; instants queue up.
//! So on a bus that is kept, a refill brings an instant as often as one is drawn before `Delay` within its tries. If what refills
//! bring takes longer than the time between them, the bus never becomes free again. Leaves out the hooks of operations, which hardly
//! come where nothing starts.

use nandseq_device::Tables;
use nandseq_profile::{OpId, PhaseKey, Profile, Ticks};

/// The share of the bus that instants demand.
#[derive(Clone, PartialEq, Debug)]
pub struct BusDemand {
    /// Time on the bus of the instants that a refill brings, by the time between refills; from 1 on they keep the bus for ever.
    pub share: f64,
    /// The key of the refills that bring most.
    pub key: PhaseKey,
    /// Their names with the part of `share` that each takes, the largest first.
    pub names: Vec<(OpId, f64)>,
}

impl BusDemand {
    /// From this share on a device is as good as saturated.
    pub const SATURATED: f64 = 0.95;

    /// Of a profile with its probability table.
    #[must_use]
    pub fn of(profile: &Profile, table: &[(PhaseKey, Vec<(OpId, f64)>)]) -> Self {
        let tables = Tables::new(profile);
        let ends = profile.policies.refill_uses_end_key;
        let refills = table
            .iter()
            .filter(|(key, _)| *key == PhaseKey::DEFAULT || (ends && profile.phase_keys[*key].phase.is_none()));
        let demands = refills.map(|(key, entries)| Self::under(profile, &tables, *key, entries));
        let none = Self { share: 0.0, key: PhaseKey::DEFAULT, names: Vec::new() };
        demands.fold(none, |most, own| if own.share > most.share { own } else { most })
    }

    fn under(profile: &Profile, tables: &Tables, key: PhaseKey, entries: &[(OpId, f64)]) -> Self {
        let info = |op: OpId| tables.base(tables.op(op).base);
        let waits = |op: OpId| info(op).instant && !info(op).effects.delay && tables.op(op).bus > Ticks::ZERO;
        let sum = |wanted: &dyn Fn(OpId) -> bool| -> f64 {
            entries.iter().filter(|(op, mass)| *mass > 0.0 && wanted(*op)).map(|(_, mass)| mass).sum()
        };
        let total = sum(&|_| true);
        let instants = sum(&waits);
        if instants <= 0.0 || total <= 0.0 {
            return Self { share: 0.0, key, names: Vec::new() };
        }
        let others = sum(&|op| !waits(op) && !info(op).effects.delay) / total;
        // Drawn at the first try, or after others that failed.
        let tries: f64 =
            (0..profile.policies.max_tries.min(i32::MAX as u32) as i32).map(|at| others.powi(at)).take(64).sum();
        let period = profile.policies.queue_refill_period.0 as f64;
        let part = |op: OpId, mass: f64| mass / total * tries * tables.op(op).bus.0 as f64 / period;
        let mut names: Vec<(OpId, f64)> = entries
            .iter()
            .filter(|(op, mass)| *mass > 0.0 && waits(*op))
            .map(|&(op, mass)| (op, part(op, mass)))
            .collect();
        names.sort_by(|one, other| other.1.total_cmp(&one.1).then(one.0.cmp(&other.0)));
        Self { share: names.iter().map(|(_, part)| part).sum(), key, names }
    }
}
