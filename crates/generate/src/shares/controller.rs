//! The controller: changes the factors of shares now and then, and makes the distributions of a site with them.
//!
//! A change compares the shares of late with those that are wanted and, over some time to come, make up for earlier deviations. A
//! factor grows with the third root of what its share lacks. On the average of the shares factors stay 1, so that about as much is
//! proposed as the table says; where a share has the greatest factor and still lacks, the others get smaller ones. A share that stays
//! far below in spite of that is given up. What it leaves goes to what no share names or, if there is nothing, to the other shares. A distribution is made anew at its first use after a
//! change. Warm, this allocates nothing.

use nandseq_plan::model::WHOLE;
use nandseq_profile::{OpId, PhaseKey, Ticks};

use super::level::{DOUBLE, level_of, multiplied};
use super::state::{GIVEN_UP, GREATEST, LEAST, MixState, ShareState};
use crate::reporting::RunSummary;
use crate::setup::{Distribution, Mix, Setup};

/// The least average level of the other shares where one has the greatest and lacks: what starts instead of it gets rare, not
/// the rarest that it could be.
const LEAST_OF_OTHERS: i32 = -6 * DOUBLE;

/// The least and the greatest number of operations between two changes. In between it is an eighth of those that have started.
const BETWEEN: (u64, u64) = (128, 256);

/// The number of operations before which no share is given up.
const TRIED: u64 = 4_096;

/// A share with so many times (a fraction) what is wanted since the last change comes fast: some operations come one after another as long as the
/// device is in a state for them. It is looked at again when it may have what it wants in all, and slowed down if it has more.
const RUSH: (u128, u128) = (5, 2);
const SLOWER: i32 = 2 * DOUBLE;

/// How much an operation counts towards those of late, and how much is added to every count, so that chance weighs less.
const RECENT: u64 = 16;
const ADDED: u64 = 4 * RECENT;

/// Steers a site towards the shares of its setup.
#[derive(Debug)]
pub(crate) struct MixController {
    pub(crate) state: MixState,
    /// When the first proposal of the present run came, outside a bootstrap; `None` before that.
    since: Option<Ticks>,
    /// By share: operations of the present run, before that proposal and at present.
    before: Vec<u64>,
    counts: Vec<u64>,
    /// The number of operations of the present run at which the factors change next.
    next_in_run: u64,
    /// How many times the factors have changed.
    changes: u64,
    /// By distribution of the setup: its form with the factors after so many changes, if it has been used.
    made: Vec<Option<(u64, Distribution)>>,
}

impl MixController {
    /// The controller of a phase that begins; `None` if the setup states no shares.
    pub(crate) fn of(setup: &Setup) -> Option<Box<Self>> {
        let shares = setup.mix.as_ref()?.wanted.len();
        let state = MixState { next: BETWEEN.0, shares: vec![ShareState::default(); shares], ..MixState::default() };
        Some(Box::new(Self::from_state(setup, state)))
    }

    /// The controller in a state, which fits the setup.
    pub(crate) fn from_state(setup: &Setup, state: MixState) -> Self {
        let shares = state.shares.len();
        Self {
            state,
            since: None,
            before: vec![0; shares],
            counts: vec![0; shares],
            next_in_run: 0,
            changes: 0,
            made: vec![None; setup.distributions.len()],
        }
    }

    /// The distribution of a phase key with the factors, at a proposal outside a bootstrap. `summary` has the counts of the present run.
    pub(crate) fn distribution(
        &mut self,
        (setup, mix): (&Setup, &Mix),
        key: PhaseKey,
        (summary, now): (&RunSummary, Ticks),
    ) -> &Distribution {
        if summary.ops >= self.next_in_run {
            self.count(mix, summary, now);
        }
        let at = usize::from(setup.by_key[key.index()]);
        let own = &setup.distributions[at];
        let (shares, changes) = (&self.state.shares, self.changes);
        let (made_at, distribution) = self.made[at].get_or_insert_with(|| (u64::MAX, own.clone()));
        if *made_at != changes {
            *made_at = changes;
            distribution.reweigh(own, |op, weight| match mix.share_of(op) {
                Some(share) => multiplied(weight, shares[share].level),
                None => weight,
            });
        }
        distribution
    }

    /// Notes the start of a step of a chain.
    pub(crate) fn forced(&mut self, mix: &Mix, op: OpId) {
        if let (Some(_), Some(share)) = (self.since, mix.share_of(op)) {
            self.state.shares[share].forced += 1;
        }
    }

    /// Counts what has started, and changes the factors if it is time.
    #[inline(never)]
    fn count(&mut self, mix: &Mix, summary: &RunSummary, now: Ticks) {
        mix.add_up(&summary.by_op, &mut self.counts);
        if self.since.is_none() {
            self.since = Some(now);
            self.before.copy_from_slice(&self.counts);
        }
        self.take_counts();
        let total = self.state.total();
        if total >= self.state.next {
            let room = self.change(mix, total);
            self.state.next = total + room.min(total / 8).clamp(BETWEEN.0, BETWEEN.1);
        }
        self.next_in_run = summary.ops + self.state.next - total;
    }

    /// Adds what has started in the present run since it was added last.
    fn take_counts(&mut self) {
        for ((share, before), &count) in self.state.shares.iter_mut().zip(&mut self.before).zip(&self.counts) {
            share.started += count - *before;
            *before = count;
        }
    }

    /// Changes the factors. `total` operations have started. Returns after how many more a share that comes fast may have all it wants.
    fn change(&mut self, mix: &Mix, total: u64) -> u64 {
        self.changes += 1;
        let lately: u64 = self.state.shares.iter().map(|share| share.started - share.seen).sum();
        let mut room = u64::MAX;
        for (at, share) in self.state.shares.iter_mut().enumerate() {
            let (wanted, started) = (u128::from(mix.wanted[at]), share.started - share.seen);
            let rushes = RUSH.1 * u128::from(started) * u128::from(WHOLE) > RUSH.0 * wanted * u128::from(lately);
            if is_steered(mix, at, share) && rushes {
                let due = (wanted * u128::from(total) / u128::from(WHOLE)) as u64;
                room = room.min(due.saturating_sub(share.started));
                if share.started > due {
                    share.level -= SLOWER;
                }
            }
            share.recent = share.recent / 2 + started * RECENT;
            share.seen = share.started;
        }
        let recent: u64 = self.state.shares.iter().map(|share| share.recent).sum::<u64>().max(1);
        // What was given up and has its share nevertheless is steered again.
        for (share, &wanted) in
            self.state.shares.iter_mut().zip(&mix.wanted).filter(|(share, _)| share.in_vain >= GIVEN_UP)
        {
            if u128::from(share.recent) * u128::from(WHOLE) >= u128::from(wanted) * u128::from(recent) {
                share.in_vain = 0;
            }
        }
        // The shares that are not steered leave something to the others, or take it from them.
        let (mut steered, mut left) = (0, 0);
        for (at, share) in self.state.shares.iter().enumerate().filter(|&(at, share)| is_steered(mix, at, share)) {
            steered += u64::from(mix.wanted[at]);
            left += share.recent;
        }
        let left = (u128::from(left) * u128::from(WHOLE) / u128::from(recent)) as u64;
        // First what no share names has more or less because of that.
        let rest = self.state.shares.len() - 1;
        let wanted_of_rest = u64::from(mix.wanted[rest]);
        let rest_takes = is_steered(mix, rest, &self.state.shares[rest]) && wanted_of_rest + left > steered;
        let horizon = (total / 4).max(BETWEEN.1);
        // A phase that has just begun is far from what is wanted.
        for (at, share) in self.state.shares.iter_mut().enumerate() {
            if mix.wanted[at] == 0 {
                share.level = LEAST;
            } else if is_steered(mix, at, share) {
                let wanted = u64::from(mix.wanted[at]);
                let wanted = match rest_takes {
                    true if at == rest => wanted + left - steered,
                    true => wanted,
                    false => wanted * left / steered,
                };
                let usual = i128::from(wanted) * i128::from(horizon);
                let by_then = i128::from(wanted) * i128::from(total + horizon);
                let due = (by_then - i128::from(share.started) * i128::from(WHOLE)).clamp(usual / 4, usual * 4);
                let due = (due * i128::from(recent) / (i128::from(horizon) * i128::from(WHOLE))) as u64;
                let (lacks, has) = (due + ADDED, share.recent + ADDED);
                share.level += level_of(has + 2 * lacks) - level_of(2 * has + lacks);
            }
        }
        self.level_out(mix);
        let may_give_up = total >= TRIED;
        for (at, share) in self.state.shares.iter_mut().enumerate() {
            if is_steered(mix, at, share) {
                let half = u128::from(mix.wanted[at]) * u128::from(recent) / 2;
                let lacks = u128::from(share.recent) * u128::from(WHOLE) < half;
                share.in_vain = if lacks && may_give_up && share.level == GREATEST { share.in_vain + 1 } else { 0 };
            }
        }
        room
    }

    /// Moves all levels to the average 0, or further down where one is above the greatest.
    fn level_out(&mut self, mix: &Mix) {
        let shares = self.state.shares.iter().enumerate().filter(|&(at, share)| is_steered(mix, at, share));
        let levels = shares.map(|(_, share)| i64::from(share.level));
        let (count, sum) = levels.clone().fold((0, 0), |(count, sum), level| (count + 1, sum + level));
        let Some(greatest) = levels.max() else { return };
        let others = if count > 1 { (sum - greatest) / (count - 1) } else { 0 };
        let least = i64::from(LEAST_OF_OTHERS);
        // Where the others are as low as they may be, the greatest goes on alone.
        let down = (sum / count).min(others - least).max(greatest - i64::from(GREATEST));
        let up = (least - (others - down)).max(0);
        for (at, share) in self.state.shares.iter_mut().enumerate() {
            if is_steered(mix, at, share) {
                let level = i64::from(share.level);
                let level = level - down + if level == greatest { 0 } else { up };
                share.level = level.clamp(LEAST.into(), GREATEST.into()) as i32;
            }
        }
    }

    /// Ends a run.
    pub(crate) fn end_run(&mut self, setup: &Setup, mix: &Mix, summary: &RunSummary) {
        let Some(since) = self.since.take() else { return };
        mix.add_up(&summary.by_op, &mut self.counts);
        self.take_counts();
        self.before.fill(0);
        self.next_in_run = 0;
        let occupied = setup.tables.ops().zip(&summary.by_op);
        let occupied: u128 = occupied.map(|((_, op), &count)| u128::from(op.occupied.0) * u128::from(count)).sum();
        self.state.occupied += (occupied / 1_000_000) as u64;
        self.state.time += summary.end.0.saturating_sub(since.0) / 1_000_000;
        for (&(_, op, reason), count) in &summary.rejections {
            if let Some(share) = mix.share_of(op) {
                let refused = &mut self.state.shares[share].refused;
                *refused.entry(reason.code().to_owned()).or_default() += count;
            }
        }
    }
}

/// Whether a factor of its own steers a share.
fn is_steered(mix: &Mix, at: usize, share: &ShareState) -> bool {
    mix.wanted[at] > 0 && mix.has_weight[at] && share.in_vain < GIVEN_UP
}

#[cfg(test)]
mod tests {
    use nandseq_plan::model::MixShare;
    use nandseq_profile::builtin;
    use nandseq_trace::Nowhere;

    use super::*;
    use crate::probability;
    use crate::reporting::RefusalReason;
    use crate::run::RunLimits;
    use crate::site::Site;

    #[test]
    fn names_of_a_share_keep_their_proportion_and_what_proposes_nothing_its_weight() {
        let profile = builtin::profile();
        let table = probability::of_profile(&profile, 1);
        let share = |base: &str, share| {
            let is_of = |op: &OpId| profile.bases[profile.ops[*op].base].name == base;
            MixShare { name: base.to_owned(), ops: profile.ops.ids().filter(is_of).collect(), share }
        };
        let mix = [share("READ", 100_000), share("SR", 400_000)];
        let setup = Setup::new(&profile, &table, &[]).expect("it has names").with_mix(&mix);
        let mut site = Site::new(&setup, 7);
        let limits =
            RunLimits { run_until: Ticks::from_us(4_000_000_000), max_ops: Some(3_000), ..RunLimits::default() };
        site.run(&limits, &mut Nowhere).expect("memory does not fail");
        let controller = site.mix.as_ref().expect("the setup has a mix");
        let levels: Vec<i32> = controller.state.shares.iter().map(|share| share.level).collect();
        assert!(levels.len() == 3 && levels.iter().all(|&level| level != 0), "{levels:?}");
        let mix = setup.mix.as_ref().expect("it was stated");
        let (mut names, mut idle) = (0, 0);
        for (made, own) in controller.made.iter().zip(&setup.distributions) {
            let Some((_, made)) = made.as_ref().filter(|(changes, _)| *changes == controller.changes) else { continue };
            for (&(op, weight), &(of, before)) in made.names().iter().zip(own.names()) {
                let factor = mix.share_of(op).map_or(0, |share| levels[share]);
                assert_eq!((op, weight), (of, multiplied(before, factor)), "{}", setup.name(op));
                names += 1;
                idle += u32::from(mix.share_of(op).is_none());
            }
            assert_eq!(made.sets(), own.sets());
        }
        assert!(names > 500 && idle > 0, "only {names} names, {idle} that propose nothing");
    }

    #[test]
    fn a_state_that_no_site_has_does_not_fit() {
        let good = MixState { next: 128, shares: vec![ShareState::default(); 2], ..MixState::default() };
        assert!(good.fits(2) && !good.fits(3));
        let bad = |change: fn(&mut ShareState)| {
            let mut state = good.clone();
            change(&mut state.shares[1]);
            !state.fits(2)
        };
        assert!(bad(|share| share.level = GREATEST + 1) && bad(|share| share.level = LEAST - 1));
        assert!(bad(|share| share.seen = 1) && bad(|share| share.forced = 1) && bad(|share| share.recent = u64::MAX));
        assert!(bad(|share| share.in_vain = GIVEN_UP + 1));
        assert!(bad(|share| share.refused = [("No\n".to_owned(), 1)].into()));
        assert!(!bad(|share| share.refused = [(RefusalReason::NoAddress.code().to_owned(), 1)].into()));
    }
}
