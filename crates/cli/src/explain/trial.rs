//! How often operations start: a short trial of one site, from a blank device or after the bootstrap, with the profile, table and
//! bad blocks in force.
//!
//! The counts are the same every time. Each figure is an estimate with bounds: the mean of such trials lies between them with
//! odds of 19 to 1.

use std::collections::BTreeMap;
use std::io;

use nandseq_generate::dead::DeadDie;
use nandseq_generate::probability::Distributions;
use nandseq_generate::{RunLimits, Setup, Site};
use nandseq_profile::model::DeviceState;
use nandseq_profile::{OpId, PhaseKey, Profile, Ticks};
use nandseq_reach::Start;
use nandseq_trace::{Cut, Operation, Sink};
use serde::Serialize;

use super::plan_trial::{self, TrialPhase};
use super::trial_site::{Ended, LONGEST_US, SEED, bootstrap};
use crate::in_force::InForce;

pub(crate) use super::trial_site::TRIAL_OPS;

/// Operations of a stretch of a trial. In how many stretches an operation starts shows whether it comes in bursts.
const STRETCH: u64 = 250;

/// The counts of a trial.
#[derive(Debug)]
pub(crate) struct Trial {
    /// Operations started.
    pub(crate) ops: u64,
    /// The starts of each operation, by [`OpId`]: their places among the operations of the trial, from 0.
    by_op: Vec<Vec<u64>>,
    /// The stretches in which each operation started, a bit each.
    stretches: Vec<u128>,
    /// Operations of the bootstrap before the trial, which do not count as operations of the trial.
    pub(crate) bootstrap_ops: u64,
    /// The lasting states of each die at the end.
    pub(crate) at_end: Vec<Vec<DeviceState>>,
    /// Of the operations started, those that a reset ended.
    reset: Vec<u64>,
    /// The operations by their uid.
    names: BTreeMap<u64, OpId>,
    /// Accepted proposals by phase key and operation: their places among the operations of the trial.
    under: BTreeMap<(PhaseKey, OpId), Vec<u64>>,
    /// Whether only starts are counted: `reset`, `names` and `under` stay empty.
    only_starts: bool,
    /// The dies that were dead at the end.
    pub(crate) dead: Vec<DeadDie>,
    /// Whether all dies were dead, so that a longer trial would have no more operations.
    pub(crate) is_over: bool,
    /// Why nothing can be generated.
    pub(crate) problem: Option<String>,
    /// The phases of the plan that the trial is of, as far as it went; none without a plan.
    pub(crate) phases: Vec<TrialPhase>,
}

/// An estimate of how many operations of a kind start.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub(crate) struct Expected {
    /// The number of operations that the estimate is for.
    pub(crate) of: u64,
    /// The estimate.
    pub(crate) mean: f64,
    /// Lower bound of the mean; `mean` itself, as is `most`, if there are no bounds.
    pub(crate) least: f64,
    /// Upper bound of the mean.
    pub(crate) most: f64,
    /// The number in the trial.
    pub(crate) counted: u64,
    /// Operations of the trial.
    pub(crate) trial: u64,
    /// The number of whole stretches of the trial; 0 for an estimate under one phase key.
    pub(crate) stretches: u64,
    /// Of these, the stretches in which none started.
    pub(crate) without: u64,
    /// The number of operations of the trial after which none started that the trap at its end rules out; no such field if the trial
    /// ended in no trap.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) trapped_after: Option<u64>,
    /// Whether a limit that the operation counts towards was reached in the trial on at least half of its blocks or pages. Then `mean` and
    /// `least` are what came, not scaled, and `most` is what the limit lets through. No such field if not.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) limited: bool,
}

/// What limits over the life of a site let through of an operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct StartBound {
    /// The most starts of it.
    pub(crate) most: u64,
    /// Whether the limit was reached in the trial on at least half of the blocks or pages that it is for.
    pub(crate) is_near: bool,
}

impl StartBound {
    /// That of two limits which both count.
    pub(crate) fn both(self, other: Self) -> Self {
        Self { most: self.most.min(other.most), is_near: self.is_near || other.is_near }
    }

    /// That of two parts of the device.
    pub(crate) fn sum(self, other: Self) -> Self {
        Self { most: self.most.saturating_add(other.most), is_near: self.is_near || other.is_near }
    }
}

impl Expected {
    /// What was counted in a trial, for `of` operations and without bounds.
    const fn counted(of: u64, counted: u64, trial: u64) -> Self {
        let mean = counted as f64;
        Self {
            of,
            mean,
            least: mean,
            most: mean,
            counted,
            trial,
            stretches: 0,
            without: 0,
            trapped_after: None,
            limited: false,
        }
    }

    /// The estimate within what limits let through. If they were about to let nothing through at the end of the trial, what came is left of it.
    pub(super) fn within(self, bound: StartBound) -> Self {
        let most = bound.most as f64;
        if bound.is_near {
            let mean = self.counted as f64;
            return Self { mean, least: mean, most: most.max(mean), limited: true, ..self };
        }
        Self { mean: self.mean.min(most), least: self.least.min(most), most: self.most.min(most), ..self }
    }

    /// The sum over the phases of a plan; `None` without phases. What is known of one says nothing about another.
    pub(super) fn sum(of_phases: &[Self]) -> Option<Self> {
        let (first, others) = of_phases.split_first()?;
        let apart = |all: f64, more: f64| all.hypot(more);
        let sum = others.iter().fold(*first, |all, phase| {
            let mean = all.mean + phase.mean;
            Self {
                mean,
                least: mean - apart(all.mean - all.least, phase.mean - phase.least),
                most: mean + apart(all.most - all.mean, phase.most - phase.mean),
                limited: all.limited || phase.limited,
                ..Self::counted(all.of + phase.of, all.counted + phase.counted, all.trial + phase.trial)
            }
        });
        // Nothing bounds a sum whose part is not scaled.
        Some(if sum.limited { Self { least: sum.mean, ..sum } } else { sum })
    }

    /// Whether the trial bounds the mean: not if the operation comes before a trap alone, or if nothing could start after the trial.
    pub(crate) fn has_bounds(&self) -> bool {
        self.most > self.least
    }

    /// Whether the starts of the trial cluster: more stretches have none than if the starts came one by one. Then the number of
    /// these stretches would be greater in one of some forty trials only.
    pub(crate) fn comes_in_bursts(&self) -> bool {
        let stretches = self.stretches as f64;
        // The share of trials in which all starts spare one stretch, and two of them.
        let spare = |parts: f64| (1.0 - parts / stretches).powf(self.counted as f64);
        let mean = stretches * spare(1.0);
        let variance = stretches * (stretches - 1.0) * spare(2.0) + mean - mean * mean;
        self.stretches > 2 && self.without as f64 > mean + 2.0 * variance.max(0.0).sqrt()
    }
}

impl Trial {
    /// Makes a trial without writing files. If nothing can be generated, all counts are 0.
    pub(crate) fn new(profile: &Profile, table: &Distributions, start: Start<'_>, ops: u64) -> Self {
        Self::empty(profile, false).of(profile, table, start, (ops, SEED))
    }

    /// Makes a trial with another seed that counts starts only.
    pub(crate) fn of_starts(profile: &Profile, table: &Distributions, start: Start<'_>, limits: (u64, u64)) -> Self {
        Self::empty(profile, true).of(profile, table, start, limits)
    }

    fn empty(profile: &Profile, only_starts: bool) -> Self {
        Self {
            ops: 0,
            by_op: vec![Vec::new(); profile.ops.len()],
            stretches: vec![0; profile.ops.len()],
            bootstrap_ops: 0,
            at_end: Vec::new(),
            reset: vec![0; profile.ops.len()],
            names: BTreeMap::new(),
            under: BTreeMap::new(),
            only_starts,
            dead: Vec::new(),
            is_over: false,
            problem: None,
            phases: Vec::new(),
        }
    }

    /// Makes the trial of what is in force: of the plan, for as many operations as are wanted if it has no phases, or of the table.
    pub(crate) fn of_inputs(in_force: &InForce, wanted: u64) -> Self {
        let InForce { profile, table, plan, .. } = in_force;
        let Some(plan) = plan else {
            return Self::new(profile, &table.distributions, in_force.start(), TRIAL_OPS);
        };
        let mut trial = Self::empty(profile, false);
        match plan_trial::carry_out((in_force, plan), wanted, &mut trial) {
            Err(problem) => trial.problem = Some(problem),
            Ok((phases, ended)) => {
                trial.phases = phases;
                trial.end(profile, ended);
            }
        }
        trial
    }

    /// Counts a trial of some operations and a seed.
    fn of(self, profile: &Profile, table: &Distributions, start: Start<'_>, (ops, seed): (u64, u64)) -> Self {
        let mut trial = self;
        match simulate(profile, table, start, (ops, seed), &mut trial) {
            Err(problem) => trial.problem = Some(problem),
            Ok(ended) => trial.end(profile, ended),
        }
        trial
    }

    /// Notes how it ended; `None` if it ended early.
    fn end(&mut self, profile: &Profile, ended: Option<Ended>) {
        if let Some(Ended { dead, at_end, bootstrap_ops }) = ended {
            self.is_over = dead.len() == profile.topology.dies as usize;
            (self.dead, self.at_end, self.bootstrap_ops) = (dead, at_end, bootstrap_ops);
        }
    }

    /// The operations of `wanted` that do not start in a trial. It ends as soon as all have started.
    pub(crate) fn without_start(
        profile: &Profile,
        table: &Distributions,
        start: Start<'_>,
        limits: (u64, u64),
        wanted: Vec<OpId>,
    ) -> Vec<OpId> {
        let mut awaited = Awaited(wanted);
        // Starts before an early end count too.
        let _ = simulate(profile, table, start, limits, &mut awaited);
        awaited.0
    }

    /// How many of these operations started, and how many of them a reset ended.
    pub(super) fn started_and_reset(&self, ops: &[OpId]) -> (u64, u64) {
        let started = ops.iter().map(|op| self.by_op[op.index()].len() as u64).sum();
        (started, ops.iter().map(|op| self.reset[op.index()]).sum())
    }

    /// The estimate of how often an operation starts in `of` operations of some sites (`of`, `sites`); `None` if the trial is empty.
    /// `lost` are the operations that can no longer start in the trap in which the trial ended; none without a trap.
    pub(crate) fn expected(&self, op: OpId, of: (u64, u64), lost: &[OpId]) -> Option<Expected> {
        let stretches = self.whole_stretches();
        let came = (0..stretches).filter(|at| self.stretches[op.index()] >> at & 1 == 1).count() as u64;
        let estimate = self.scaled((op, &self.by_op[op.index()]), of, lost)?;
        Some(Expected { stretches, without: stretches - came, ..estimate })
    }

    /// Whether the trial makes it next to impossible that none of an operation starts in `of` operations of `sites` sites. What
    /// counts is in how many stretches of the trial it started, and not how often, because operations come in bursts.
    ///
    /// The first stretch of each site does not count: a device that has just begun is unlike one that has run for a while. Of the two
    /// halves of the trial, the one in which the operation came less counts.
    pub(crate) fn is_unlike(&self, op: OpId, of: u64, sites: u64) -> bool {
        /// `e` to the power of this is the least number of such runs of which one has none.
        const NO_CHANCE: f64 = 10.0;
        let half = self.whole_stretches() / 2;
        let came = |from: u64, count: u64| {
            (from..from + count).filter(|at| self.stretches[op.index()] >> at & 1 == 1).count() as u64
        };
        if half == 0 {
            return false;
        }
        let missed = half - came(0, half).min(came(half, half));
        // The upper bound of a share with odds of 39 to 1, by Agresti and Coull.
        let of_half = half as f64 + 4.0;
        let share = (missed as f64 + 2.0) / of_half;
        let most = share + 1.96 * (share * (1.0 - share) / of_half).sqrt();
        let stretches = (of / STRETCH).saturating_sub(sites) as f64;
        most < 1.0 && -stretches * most.ln() >= NO_CHANCE
    }

    fn whole_stretches(&self) -> u64 {
        (self.ops / STRETCH).min(u64::from(u128::BITS))
    }

    /// Whether the trial says how many operations of a kind start in `of` operations of `sites` sites: not if all of them belong
    /// to the first stretch of a site.
    pub(crate) const fn is_like(of: u64, sites: u64) -> bool {
        of > STRETCH.saturating_mul(sites)
    }

    /// The estimate of how often a proposal of an operation starts under a phase key in `of` operations of one site; `None` if the
    /// trial is empty.
    pub(crate) fn expected_under(&self, key: PhaseKey, op: OpId, of: u64, lost: &[OpId]) -> Option<Expected> {
        self.scaled((op, self.starts_under(key, op)), (of, 1), lost)
    }

    /// The same in each phase of the plan, under a phase key or at all, for the length of the phase.
    pub(super) fn expected_by_phase(&self, op: OpId, key: Option<PhaseKey>, lost: &[OpId]) -> Vec<Expected> {
        let starts = key.map_or(&*self.by_op[op.index()], |key| self.starts_under(key, op));
        let of_phase = |(at, phase): (usize, &TrialPhase)| {
            let before = |place: u64| starts.partition_point(|&start| start < place) as u64;
            let counted = before(phase.from + phase.ops) - before(phase.from);
            let (least, most) = bounds(counted);
            let scale = phase.of as f64 / phase.ops.max(1) as f64;
            let [mean, least, most] = [counted as f64, least, most].map(|counted| counted * scale);
            // What a trap ends is not scaled. Of a phase without operations in the trial nothing is known.
            let is_lost = at + 1 == self.phases.len() && lost.contains(&op);
            let is_counted = self.is_over || is_lost || phase.ops == 0;
            let (mean, least, most) = if is_counted { [counted as f64; 3].into() } else { (mean, least, most) };
            Expected { mean, least, most, ..Expected::counted(phase.of, counted, phase.ops) }
        };
        self.phases.iter().enumerate().map(of_phase).collect()
    }

    /// How often a proposal of an operation started under a phase key.
    pub(crate) fn started_under(&self, key: PhaseKey, op: OpId) -> u64 {
        self.starts_under(key, op).len() as u64
    }

    fn starts_under(&self, key: PhaseKey, op: OpId) -> &[u64] {
        self.under.get(&(key, op)).map_or(&[], Vec::as_slice)
    }

    /// Whether an operation started.
    pub(crate) fn has_started(&self, op: OpId) -> bool {
        !self.by_op[op.index()].is_empty()
    }

    /// The estimate from some starts of an operation.
    ///
    /// Operations before a trap and in it come in other numbers, so both parts of the trial are scaled by themselves. The part before
    /// it comes once on each site, and has no bounds: how long it is differs from site to site. What a trap rules out does not come in it.
    fn scaled(&self, (op, starts): (OpId, &[u64]), (of, sites): (u64, u64), lost: &[OpId]) -> Option<Expected> {
        if self.ops == 0 {
            return None;
        }
        let counted = starts.len() as u64;
        let unscaled = Expected::counted(of, counted, self.ops);
        // A trial that ended with all dies dead says nothing about further operations, so its counts are not scaled.
        if self.is_over {
            return Some(Expected { of: self.ops, ..unscaled });
        }
        let last = lost.iter().filter_map(|op| self.by_op[op.index()].last()).max();
        let trapped_after = (!lost.is_empty()).then(|| last.map_or(0, |last| last + 1));
        let before = trapped_after.unwrap_or(self.ops);
        let counted_before = starts.partition_point(|&at| at < before) as u64;
        let of_sites = before.saturating_mul(sites);
        let (within, rest) = (of.min(of_sites), of.saturating_sub(of_sites));
        let scaled =
            |counted: f64, of: u64, trial: u64| if of == 0 { 0.0 } else { counted * of as f64 / trial.max(1) as f64 };
        let (first, counted, rest, trial) = match trapped_after {
            None => (0.0, counted, of, self.ops),
            Some(_) => {
                (scaled(counted_before as f64, within, before), counted - counted_before, rest, self.ops - before)
            }
        };
        // What is lost does not come in the trap, and does so with certainty.
        let rest = if lost.contains(&op) { 0 } else { rest };
        let (least, most) = bounds(counted);
        let [mean, least, most] = [counted as f64, least, most].map(|counted| first + scaled(counted, rest, trial));
        Some(Expected { mean, least, most, trapped_after, ..unscaled })
    }
}

/// Makes a trial without writing files. Returns how it ended; `None` if it ended early, because a chain could not go on or the
/// sink had enough. The error says why nothing can be generated.
fn simulate(
    profile: &Profile,
    table: &Distributions,
    start: Start<'_>,
    (ops, seed): (u64, u64),
    sink: &mut impl Sink,
) -> Result<Option<Ended>, String> {
    let setup = Setup::new(profile, table, start.bad_blocks).map_err(|error| error.to_string())?;
    let mut site = Site::new(&setup, seed);
    let Ok(bootstrap_ops) = bootstrap(&mut site, start) else { return Ok(None) };
    let limits = RunLimits { run_until: Ticks::from_us(LONGEST_US), max_ops: Some(ops), ..RunLimits::default() };
    let summary = site.run(&limits, sink).ok();
    Ok(summary.map(|summary| Ended::with(summary, bootstrap_ops)))
}

/// Upper bound of the mean of operations that did not start in a trial.
pub(crate) fn most_of_none() -> f64 {
    bounds(0).1
}

/// Bounds of the mean of a Poisson distribution, with odds of 19 to 1, if this number was counted: a close approximation by
/// Wilson and Hilferty.
fn bounds(counted: u64) -> (f64, f64) {
    const Z: f64 = 1.96;
    let cube = |at: f64, sign: f64| {
        let ninth = 1.0 / (9.0 * at);
        at * (1.0 - ninth + sign * Z * ninth.sqrt()).powi(3)
    };
    let least = if counted == 0 { 0.0 } else { cube(counted as f64, -1.0) };
    (least.max(0.0), cube(counted as f64 + 1.0, 1.0))
}

/// A sink that waits until each of some operations has started.
struct Awaited(Vec<OpId>);

impl Sink for Awaited {
    fn operation(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        self.0.retain(|op| *op != operation.op);
        if self.0.is_empty() { Err(io::ErrorKind::Interrupted.into()) } else { Ok(()) }
    }
}

impl Sink for Trial {
    fn operation(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        let stretch = self.ops / STRETCH;
        if stretch < u64::from(u128::BITS) {
            self.stretches[operation.op.index()] |= 1 << stretch;
        }
        let place = self.ops;
        self.ops += 1;
        self.by_op[operation.op.index()].push(place);
        if self.only_starts {
            return Ok(());
        }
        self.names.insert(operation.uid, operation.op);
        if operation.is_first {
            self.under.entry((operation.proposal.key_used, operation.op)).or_default().push(place);
        }
        Ok(())
    }

    fn cut(&mut self, uid: u64, _: Ticks, cut: Cut) -> io::Result<()> {
        // What was only suspended may still be reset.
        if matches!(cut, Cut::Reset)
            && let Some(op) = self.names.remove(&uid)
        {
            self.reset[op.index()] += 1;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bounds_are_those_of_the_exact_interval() {
        // Garwood's exact bounds.
        for (counted, least, most) in [(0, 0.0, 3.69), (1, 0.0253, 5.57), (10, 4.795, 18.39), (100, 81.36, 121.63)] {
            let (found_least, found_most) = bounds(counted);
            assert!((found_least - least).abs() < 0.05, "{counted}: {found_least}");
            assert!((found_most - most).abs() < 0.12, "{counted}: {found_most}");
        }
    }

    #[test]
    fn what_a_trap_rules_out_is_not_expected_in_it_and_the_rest_as_often_as_there() {
        let profile = nandseq_profile::builtin::profile();
        let mut trial = Trial::empty(&profile, true);
        let [lost, kept] = [OpId(0), OpId(1)];
        trial.ops = 20_000;
        trial.by_op[0] = vec![3, 7, 22];
        trial.by_op[1] = vec![1, 2, 30, 1_000, 19_000];
        let expected = |op, of| {
            let Expected { mean, least, most, trapped_after, .. } =
                trial.expected(op, of, &[lost]).expect("the trial is not empty");
            assert!(least <= mean && mean <= most && trapped_after == Some(23), "{op:?}: {least} {mean} {most}");
            // How many come before a trap differs from site to site, and nothing bounds it.
            assert_eq!(least < most, op == kept && of.0 > 23 * of.1, "{op:?}: {least} {most}");
            mean
        };
        // Three before the trap on each site, however many operations follow.
        assert_eq!([23, 20_000, 1_000_000].map(|of| expected(lost, (of, 1))), [3.0; 3]);
        assert_eq!([46, 20_000].map(|of| expected(lost, (of, 2))), [6.0; 2]);
        assert_eq!(expected(kept, (20_000, 1)), 5.0);
        assert_eq!([(23, 1), (46, 2), (23, 2)].map(|of| expected(kept, of)), [2.0, 4.0, 2.0]);
        // In the trap, three of 19,977.
        let many = expected(kept, (1_000_000, 1));
        assert!((many - (2.0 + 3.0 * 999_977.0 / 19_977.0)).abs() < 1e-6, "{many}");
        // Without a trap everything is scaled.
        assert_eq!(trial.expected(lost, (200_000, 1), &[]).map(|expected| expected.mean), Some(30.0));
    }

    #[test]
    fn an_operation_comes_in_bursts_if_more_stretches_have_none_than_by_chance() {
        let profile = nandseq_profile::builtin::profile();
        let comes = |counted: u64, came: u32| {
            let mut trial = Trial::empty(&profile, true);
            (trial.ops, trial.stretches[0]) = (20 * STRETCH + 1, (1 << came) - 1);
            trial.by_op[0] = (0..counted).collect();
            let expected = trial.expected(OpId(0), (5_000, 1), &[]).expect("the trial is long enough");
            assert_eq!((expected.stretches, expected.without), (20, 20 - u64::from(came)));
            expected.comes_in_bursts()
        };
        // One by one, 60 leave one stretch of 20 without any on average, 10 leave twelve, and 3 leave seventeen.
        for (counted, came) in [(60, 20), (60, 19), (60, 18), (10, 9), (10, 7), (3, 3), (1, 1), (0, 0)] {
            assert!(!comes(counted, came), "{counted} in {came}");
        }
        for (counted, came) in [(60, 15), (10, 5), (40, 5), (3, 1), (1_000, 19)] {
            assert!(comes(counted, came), "{counted} in {came}");
        }
        // A trial of few stretches shows nothing.
        let mut trial = Trial::empty(&profile, true);
        (trial.ops, trial.by_op[0], trial.stretches[0]) = (2 * STRETCH, (0..9).collect(), 1);
        assert!(!trial.expected(OpId(0), (5_000, 1), &[]).expect("the trial is long enough").comes_in_bursts());
    }

    #[test]
    fn only_an_operation_that_comes_in_all_stretches_is_missed_in_a_run() {
        let profile = nandseq_profile::builtin::profile();
        let op = OpId(0);
        let of = |stretches: u128, ops: u64, sites: u64| {
            let mut trial = Trial::empty(&profile, true);
            (trial.ops, trial.stretches[0]) = (20 * STRETCH, stretches);
            trial.is_unlike(op, ops, sites)
        };
        let (all, first_half, one_of_ten) = ((1 << 20) - 1, (1 << 10) - 1, 1 | 1 << 15);
        assert!(of(all, 5_000, 1) && !of(all, 1_000, 1));
        // However many come in one stretch, in ten stretches there may be none.
        assert!(!of(one_of_ten, 1_000_000, 1));
        // What comes in the beginning alone says nothing about what follows.
        assert!(!of(first_half, 1_000_000, 1));
        // Short sites have only a beginning.
        assert!(!of(all, 5_000, 20) && !of(all, 100_000, 400));
        assert!(!of(0, 1_000_000, 1));
    }
}
