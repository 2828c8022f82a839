//! Estimates how long a device at rest waits for its next operation.
//!
//! Nothing but refills proposes on a device at rest, one in each refill period. A refill draws one of the names that are eligible,
//! or `Delay`, and then nothing starts. So where `Delay` has nearly all of the weight, the next operation is a long time away. The
//! estimate is a lower bound: it assumes that there is an address for every name, and that what is drawn starts.

use nandseq_profile::{OpId, PhaseKey, Profile, Ticks};

use crate::bus::BusDemand;
use crate::judge::{HookContext, PlaneRun};
use crate::model::{Model, Start, WeightTable};
use crate::state::{Die, Plane};

/// How long a device at rest waits for its next operation.
#[derive(Clone, PartialEq, Debug)]
pub struct IdleTime {
    /// Mean of the simulated time, µs.
    pub mean_us: f64,
    /// The phase key under which refills propose then.
    pub key: PhaseKey,
    /// The share of refills that draw an operation.
    pub share: f64,
    /// The name of `Delay` with the largest weight under the key.
    pub delay: Option<OpId>,
    /// The longest operation with a weight under some key, and its duration.
    pub longest: (OpId, Ticks),
}

impl IdleTime {
    /// A device that waits so many times the longest operation works less than 0.1 % of the time, whatever it does then.
    pub const LONGEST_OPERATIONS: f64 = 1000.0;

    /// The longest wait of a profile; `table` is the probability table in force. `None` if a device at rest draws nothing.
    #[must_use]
    pub fn of(profile: &Profile, table: &[(PhaseKey, Vec<(OpId, f64)>)]) -> Option<Self> {
        Self::in_model(&Model::new(profile, table, Start::default()), table)
    }

    fn in_model(model: &Model<'_>, table: &WeightTable) -> Option<Self> {
        let profile = model.profile;
        let weighted = table.iter().flat_map(|(_, entries)| entries).filter(|(_, mass)| *mass > 0.0);
        let lengths = weighted.map(|&(op, _)| (op, model.tables.op(op).total));
        let longest = lengths.max_by_key(|&(op, total)| (total, std::cmp::Reverse(op)))?;
        let ends = profile.policies.refill_uses_end_key;
        let refills = table
            .iter()
            .filter(|(key, _)| *key == PhaseKey::DEFAULT || (ends && profile.phase_keys[*key].phase.is_none()));
        let waits = refills.filter_map(|(key, entries)| Self::under(model, *key, entries, longest));
        waits.max_by(|one, other| one.mean_us.total_cmp(&other.mean_us))
    }

    /// Whether the wait is so long that it can hardly be meant.
    #[must_use]
    pub fn is_absurd(&self) -> bool {
        self.mean_us * 1e6 > Self::LONGEST_OPERATIONS * self.longest.1.0 as f64
    }

    fn under(model: &Model<'_>, key: PhaseKey, entries: &[(OpId, f64)], longest: (OpId, Ticks)) -> Option<Self> {
        let is_delay = |op: OpId| model.base(model.of_op[op.index()]).effects.delay;
        // Under DEFAULT a device at rest is in no lasting state. An END key may come with one, which is not known here.
        let is_drawn = |op: OpId| if key == PhaseKey::DEFAULT { model.starts_at_rest(op) } else { model.is_drawn(op) };
        let delays = || entries.iter().filter(|&&(op, mass)| mass > 0.0 && is_delay(op));
        let sum = |masses: &mut dyn Iterator<Item = &(OpId, f64)>| masses.map(|(_, mass)| mass).sum::<f64>();
        let operations = sum(&mut entries.iter().filter(|&&(op, mass)| mass > 0.0 && !is_delay(op) && is_drawn(op)));
        if operations <= 0.0 {
            return None;
        }
        let share = operations / (operations + sum(&mut delays()));
        let delay =
            delays().max_by(|one, other| one.1.total_cmp(&other.1).then(other.0.cmp(&one.0))).map(|&(op, _)| op);
        let mean_us = model.profile.policies.queue_refill_period.0 as f64 / share / 1e6;
        Some(Self { mean_us, key, share, delay, longest })
    }
}

/// [`BusDemand::of`] and [`IdleTime::of`] in one, for half the time.
#[must_use]
pub fn refills(profile: &Profile, table: &[(PhaseKey, Vec<(OpId, f64)>)]) -> (BusDemand, Option<IdleTime>) {
    let model = Model::new(profile, table, Start::default());
    (BusDemand::in_model(&model, table), IdleTime::in_model(&model, table))
}

impl Model<'_> {
    /// Whether a name may start on a die at rest that is in no lasting state, if there is an address for it.
    fn starts_at_rest(&self, op: OpId) -> bool {
        let class = self.of_op[op.index()];
        let context = HookContext::at((Die::default(), Plane::default()), PlaneRun::Idle);
        self.base(class).effects.suspend.is_none()
            && self.judge_die(&context, class).is_ok()
            && (!self.has_targets(class) || self.plane_allows(&context.plane, class).is_ok())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]
    use super::*;
    use crate::sample::{device, op, table};

    fn idle(weights: &str, sections: &str) -> IdleTime {
        let profile = device(weights, sections);
        IdleTime::of(&profile, table(&profile)).unwrap()
    }

    #[test]
    fn a_device_waits_for_as_many_refill_periods_as_draw_nothing() {
        let found = idle("EraseA: 0.001, Status: 0.001, Wait: 1.998", "");
        assert!((found.share - 1e-3).abs() < 1e-12 && (found.mean_us - 50e3).abs() < 1e-6, "{found:?}");
        let profile = device("EraseA: 1", "");
        assert_eq!((found.key, found.delay), (PhaseKey::DEFAULT, Some(op(&profile, "Wait"))));
        assert_eq!(found.longest, (op(&profile, "EraseA"), Ticks(100_100_000)));
        let without = idle("EraseA: 0.3", "");
        assert_eq!((without.share, without.mean_us, without.delay), (1.0, 50.0, None));
    }

    #[test]
    fn a_wait_is_absurd_beyond_a_thousand_times_the_longest_operation() {
        // The longest operation takes 100.1 µs; with a share of s the device waits 50 µs / s.
        for (share, expected) in [(0.5, false), (50.0 / 100_000.0, false), (50.0 / 100_200.0, true), (1e-12, true)] {
            let found = idle(&format!("EraseA: {share}, Wait: {}", 1.0 - share), "");
            assert_eq!(found.is_absurd(), expected, "{found:?}");
        }
    }

    #[test]
    fn what_cannot_start_at_rest_shortens_no_wait() {
        let no_erase = "exclusion_groups: {er: [ERASE]}\nexclusions: {state: {NOT_PROGRAM_SUSPENDED: [er]}}\n";
        let weights = "EraseA: 0.5, StatusLun3: 0.4, Status: 1e-9, Wait: 0.1";
        assert!(!idle(weights, "").is_absurd());
        let found = idle(weights, no_erase);
        assert!(found.is_absurd() && (found.share - 1e-8).abs() < 1e-12, "{found:?}");
        // Where nothing could ever start, there is no wait to speak of.
        let profile = device("EraseA: 0.5, Wait: 0.5", no_erase);
        assert_eq!(IdleTime::of(&profile, table(&profile)), None);
    }

    #[test]
    fn the_keys_after_operations_count_where_refills_use_them() {
        let profile = device("EraseA: 1", "");
        let (erase, wait) = (op(&profile, "EraseA"), op(&profile, "Wait"));
        let after = crate::sample::key(&profile, "ERASE.END");
        let table = [(PhaseKey::DEFAULT, vec![(erase, 1.0)]), (after, vec![(erase, 1e-6), (wait, 1.0)])];
        for uses in [false, true] {
            let mut profile = profile.clone();
            profile.policies.refill_uses_end_key = uses;
            let found = IdleTime::of(&profile, &table).unwrap();
            assert_eq!((found.is_absurd(), found.key == after), (uses, uses), "{found:?}");
        }
    }
}
