//! Estimates the share of the bus that instant operations demand.
//!
//! While the bus is held, a proposal of any other operation fails when its admission window is over, and another name is drawn.
//! Instant operations queue up instead. So on a bus that is always held, a refill adds an instant operation whenever one is drawn
//! before `Delay` within the tries of the refill. If the added operations take longer than the refill period, the bus never
//! becomes free again. The hooks of operations are left out: where nothing starts, they hardly come.

use nandseq_profile::{OpId, PhaseKey, Profile, Ticks};

use crate::model::{Model, Start, WeightTable};

/// The share of the bus that instant operations demand.
#[derive(Clone, PartialEq, Debug)]
pub struct BusDemand {
    /// Mean bus time of the instant operations that a refill adds, divided by the refill period. From 1 on the bus never becomes
    /// free.
    pub share: f64,
    /// The phase key under which refills demand most.
    pub key: PhaseKey,
    /// The instant operations with the part of `share` that each takes, the largest first.
    pub names: Vec<(OpId, f64)>,
}

impl BusDemand {
    /// A bus with this share or more counts as saturated.
    pub const SATURATED: f64 = 0.95;

    /// The demand of a profile; `table` is the probability table in force.
    #[must_use]
    pub fn of(profile: &Profile, table: &[(PhaseKey, Vec<(OpId, f64)>)]) -> Self {
        Self::in_model(&Model::new(profile, table, Start::default()), table)
    }

    pub(crate) fn in_model(model: &Model<'_>, table: &WeightTable) -> Self {
        let profile = model.profile;
        let ends = profile.policies.refill_uses_end_key;
        let refills = table
            .iter()
            .filter(|(key, _)| *key == PhaseKey::DEFAULT || (ends && profile.phase_keys[*key].phase.is_none()));
        let demands = refills.map(|(key, entries)| Self::under(model, *key, entries));
        let none = Self { share: 0.0, key: PhaseKey::DEFAULT, names: Vec::new() };
        demands.fold(none, |most, own| if own.share > most.share { own } else { most })
    }

    fn under(model: &Model<'_>, key: PhaseKey, entries: &[(OpId, f64)]) -> Self {
        let (tables, policies) = (&model.tables, &model.profile.policies);
        let entries: Vec<(OpId, f64)> =
            entries.iter().copied().filter(|&(op, mass)| mass > 0.0 && model.is_drawn(op)).collect();
        let info = |op: OpId| tables.base(tables.op(op).base);
        let waits = |op: OpId| info(op).instant && !info(op).effects.delay && tables.op(op).bus > Ticks::ZERO;
        let sum = |wanted: &dyn Fn(OpId) -> bool| -> f64 {
            entries.iter().filter(|(op, _)| wanted(*op)).map(|(_, mass)| mass).sum()
        };
        let total = sum(&|_| true);
        let instants = sum(&waits);
        if instants <= 0.0 || total <= 0.0 {
            return Self { share: 0.0, key, names: Vec::new() };
        }
        let others = sum(&|op| !waits(op) && !info(op).effects.delay) / total;
        // The expected number of tries: each try after the first needs a refused name before it.
        let tries: f64 = (0..policies.max_tries.min(i32::MAX as u32) as i32).map(|at| others.powi(at)).take(64).sum();
        let period = policies.queue_refill_period.0 as f64;
        let part = |op: OpId, mass: f64| mass / total * tries * tables.op(op).bus.0 as f64 / period;
        let mut names: Vec<(OpId, f64)> =
            entries.iter().filter(|(op, _)| waits(*op)).map(|&(op, mass)| (op, part(op, mass))).collect();
        names.sort_by(|one, other| other.1.total_cmp(&one.1).then(one.0.cmp(&other.0)));
        Self { share: names.iter().map(|(_, part)| part).sum(), key, names }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{device, op, table};

    #[test]
    fn what_the_device_lacks_demands_no_bus() {
        let profile = device("EraseA: 0.01, StatusLun3: 0.99", "");
        assert_eq!(BusDemand::of(&profile, table(&profile)).share, 0.0);
        // The other names are drawn as often as if the missing one had no weight.
        let with = device("EraseA: 0.1, Status: 0.1, StatusLun3: 0.8", "");
        let without = device("EraseA: 0.5, Status: 0.5", "");
        let (with, without) = (BusDemand::of(&with, table(&with)), BusDemand::of(&without, table(&without)));
        assert!((with.share - without.share).abs() < 1e-12 && with.share > 0.0, "{with:?} {without:?}");
        assert_eq!(with.names.len(), 1);
        assert_eq!(with.names[0].0, op(&profile, "Status"));
    }

    #[test]
    fn instants_that_take_longer_than_a_refill_period_saturate_the_bus() {
        let mut profile = device("EraseA: 0.01, StatusLun3: 0.99", "");
        profile.topology.dies = 4;
        let demand = BusDemand::of(&profile, table(&profile));
        assert!(demand.share > BusDemand::SATURATED, "{demand:?}");
        assert_eq!((demand.key, demand.names[0].0), (PhaseKey::DEFAULT, op(&profile, "StatusLun3")));
    }
}
