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
use super::state::{BURSTS, GIVEN_UP, GREATEST, LEAST, MixState, ShareState};
use crate::reporting::RunSummary;
use crate::setup::{Distribution, Mix, Setup};

/// The least average level of the other shares where one has the greatest and lacks: what starts instead of it gets rare, not
/// the rarest that it could be.
const LEAST_OF_OTHERS: i32 = -6 * DOUBLE;

/// The least and the greatest number of operations between two changes. In between it is an eighth of those that have started.
const BETWEEN: (u64, u64) = (128, 256);

/// The number of operations before which no share is given up.
const TRIED: u64 = 4_096;

/// A share with so many times (a fraction) what is wanted since the last change has a burst, if that is so many operations at least.
const BURST: (u128, u128) = (5, 2);
const LEAST_BURST: u64 = 16;
/// A share comes in bursts if bursts followed on a lack so many times ([`BURSTS`]), or if it lacks at this level: its operations come one after
/// another while the device is in a state for them, and not at all before. It has this level from then on, or a greater one if that lets too
/// few start. While it is ahead it pauses. While it is behind, what keeps dies busy yields, until it has what is wanted: the device gets into that state. If it does not come then, either, it is given up so
/// many times sooner; it is looked at after so many proposals even if nothing starts.
const BURSTING: i32 = 6 * DOUBLE;
const SOONER: u32 = 2;
const PATIENCE: u32 = 8_192;
/// Fewer operations that are wanted between two changes do not make a lack.
const LEAST_WANTED: u128 = 4;
/// How much rarer the operations of a share are that pauses or yields.
const RARER: i32 = 20 * DOUBLE;
/// A share that comes in bursts is behind from so many operations on, and one for so many that have started; it is looked at again after so many.
const BEHIND: (u64, u64) = (32, 256);
const LEAST_BETWEEN: u64 = 32;
/// Where no other share could take its place, a share with a burst gets rarer instead.
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
    /// How many proposals there were in the present run since the factors changed.
    asked: u32,
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
            asked: 0,
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
        self.asked = self.asked.saturating_add(1);
        if summary.ops >= self.next_in_run || self.state.yields && self.asked > PATIENCE {
            self.count(mix, summary, now);
        }
        let at = usize::from(setup.by_key[key.index()]);
        let own = &setup.distributions[at];
        let (shares, yields, changes) = (&self.state.shares, self.state.yields, self.changes);
        let (made_at, distribution) = self.made[at].get_or_insert_with(|| (u64::MAX, own.clone()));
        if *made_at != changes {
            *made_at = changes;
            distribution.reweigh(own, |op, weight| match mix.share_of(op) {
                Some(share) => multiplied(weight, level_in_force(&shares[share], yields && mix.holds_die(op))),
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
        if total >= self.state.next || self.asked > PATIENCE {
            let room = self.change(mix, total);
            self.state.next = total + room.min((total / 8).max(BETWEEN.0)).clamp(LEAST_BETWEEN, BETWEEN.1);
        }
        self.next_in_run = summary.ops + self.state.next - total;
        self.asked = 0;
    }

    /// Adds what has started in the present run since it was added last.
    fn take_counts(&mut self) {
        for ((share, before), &count) in self.state.shares.iter_mut().zip(&mut self.before).zip(&self.counts) {
            share.started += count - *before;
            *before = count;
        }
    }

    /// Looks at the shares that come in bursts. `total` operations have started. Returns after how many more such a share may have all it
    /// wants, or is wanted again.
    fn look_at_bursts(&mut self, mix: &Mix, total: u64) -> u64 {
        let lately: u64 = self.state.shares.iter().map(|share| share.started - share.seen).sum();
        let rest = self.state.shares.len() - 1;
        // Only what no share names takes the place of others meanwhile.
        let has_rest = is_steered(mix, rest, &self.state.shares[rest]);
        let (mut room, whole, yielded) = (u64::MAX, u128::from(WHOLE), self.state.yields);
        self.state.yields = false;
        for (at, share) in self.state.shares[..rest].iter_mut().enumerate() {
            let (wanted, started) = (u128::from(mix.wanted[at]), share.started - share.seen);
            // Of a share that is most of all, a burst is nearly everything.
            let burst = (BURST.0 * wanted / BURST.1).min((whole + 3 * wanted) / 4);
            let is_burst = started >= LEAST_BURST && u128::from(started) * whole > burst * u128::from(lately);
            share.bursts += u8::from(has_rest && is_burst && share.starved && share.bursts < BURSTS);
            let usual = wanted * u128::from(lately);
            share.starved = 8 * u128::from(started) * whole < usual && usual >= LEAST_WANTED * whole;
            let due = (wanted * u128::from(total) / whole) as u64;
            let (ahead, behind) = (share.started.saturating_sub(due), due.saturating_sub(share.started));
            share.pauses = false;
            if share.starved && is_levelled(mix, at, share) {
                share.level = (share.level + DOUBLE).min(GREATEST);
                share.bursts = if has_rest && share.level >= BURSTING { BURSTS } else { share.bursts };
            }
            let is_steered = is_steered(mix, at, share);
            if is_steered && has_rest && share.bursts == BURSTS {
                let more = if yielded && behind > 0 { DOUBLE } else { 0 };
                (share.level, share.pauses) = ((share.level + more).clamp(BURSTING, GREATEST), ahead > 0);
                self.state.yields |= behind > if yielded { 0 } else { BEHIND.0 + total / BEHIND.1 };
                share.in_vain = if yielded && started == 0 { (share.in_vain + SOONER).min(GIVEN_UP) } else { 0 };
                room = room.min(if ahead > 0 { (u128::from(ahead) * whole / wanted) as u64 } else { behind });
            } else if is_steered && is_burst {
                room = room.min(behind);
                share.level = if ahead > 0 { (share.level - SLOWER).max(LEAST) } else { share.level };
            }
        }
        room
    }

    /// Changes the factors. `total` operations have started. Returns the same as [`MixController::look_at_bursts`].
    fn change(&mut self, mix: &Mix, total: u64) -> u64 {
        self.changes += 1;
        let room = self.look_at_bursts(mix, total);
        for share in &mut self.state.shares {
            share.recent = share.recent / 2 + (share.started - share.seen) * RECENT;
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
        for (at, share) in self.state.shares.iter().enumerate().filter(|&(at, share)| is_levelled(mix, at, share)) {
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
            } else if is_levelled(mix, at, share) {
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
            if is_levelled(mix, at, share) {
                let half = u128::from(mix.wanted[at]) * u128::from(recent) / 2;
                let lacks = u128::from(share.recent) * u128::from(WHOLE) < half;
                share.in_vain = if lacks && may_give_up && share.level == GREATEST { share.in_vain + 1 } else { 0 };
            }
        }
        room
    }

    /// Moves all levels to the average 0, or further down where one is above the greatest.
    fn level_out(&mut self, mix: &Mix) {
        let shares = self.state.shares.iter().enumerate().filter(|&(at, share)| is_levelled(mix, at, share));
        let levels = shares.map(|(_, share)| i64::from(share.level));
        let (count, sum) = levels.clone().fold((0, 0), |(count, sum), level| (count + 1, sum + level));
        let Some(greatest) = levels.max() else { return };
        let others = if count > 1 { (sum - greatest) / (count - 1) } else { 0 };
        let least = i64::from(LEAST_OF_OTHERS);
        // Where the others are as low as they may be, the greatest goes on alone.
        let down = (sum / count).min(others - least).max(greatest - i64::from(GREATEST));
        let up = (least - (others - down)).max(0);
        for (at, share) in self.state.shares.iter_mut().enumerate() {
            if is_levelled(mix, at, share) {
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
        (self.next_in_run, self.asked) = (0, 0);
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

/// Whether that factor follows from what the share lacks.
fn is_levelled(mix: &Mix, at: usize, share: &ShareState) -> bool {
    is_steered(mix, at, share) && share.bursts < BURSTS
}

/// The level of a share's factor, lower while the share pauses, or yields to those that come in bursts.
fn level_in_force(share: &ShareState, yields: bool) -> i32 {
    let is_rarer = share.pauses || yields && share.bursts < BURSTS;
    if is_rarer { (share.level.min(0) - RARER).max(LEAST) } else { share.level }
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
