//! No die falls silent: whatever the mix, the next operation that shows on a die comes within a bound.

mod support;

use std::io;

use nandseq_generate::{RunLimits, Setup, Site, probability};
use nandseq_profile::{Die, OpId, Profile, Ticks, builtin};
use nandseq_reach::Supply;
use nandseq_trace::{Operation, Proposal, Sink};
use support::vary;

/// No die loses a greater share of its visits to the bus: held against every device here, and assumed of one whose own share cannot
/// be told.
const LOST: f64 = 0.99;
/// Fewer visits say nothing of a share.
const VISITS: u64 = 200;

/// The longest silence of each die, and what became of its visits.
struct Watch<'s> {
    supply: &'s Supply,
    last: Vec<Ticks>,
    longest: Vec<Ticks>,
    /// For each die how often an operation of the supply started as it was drawn, and how often it failed for want of the bus, once
    /// in a visit at most.
    started: Vec<u64>,
    lost: Vec<u64>,
    /// The visit whose loss was counted last.
    counted: Option<(Die, Ticks)>,
}

impl<'s> Watch<'s> {
    fn new(supply: &'s Supply, dies: u32) -> Self {
        let (none, times) = (vec![0; dies as usize], vec![Ticks::ZERO; dies as usize]);
        Self { supply, last: times.clone(), longest: times, started: none.clone(), lost: none, counted: None }
    }

    fn heard(&mut self, die: usize, now: Ticks) {
        self.longest[die] = self.longest[die].max(now - self.last[die]);
        self.last[die] = now;
    }

    /// The greatest share of its visits that a die lost to the bus; `None` when no die had enough.
    fn lost(&self) -> Option<f64> {
        let shares = self.started.iter().zip(&self.lost).filter(|&(started, lost)| started + lost >= VISITS);
        shares.map(|(&started, &lost)| lost as f64 / (started + lost) as f64).max_by(f64::total_cmp)
    }
}

impl Sink for Watch<'_> {
    fn operation(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        if let Some(lanes) = operation.lanes {
            let first = usize::from(lanes.die.0);
            (first..first + usize::from(lanes.dies)).for_each(|die| self.heard(die, operation.start));
        }
        if operation.is_first && self.supply.names.contains(&operation.op) {
            self.started[usize::from(operation.proposal.die.0)] += 1;
        }
        Ok(())
    }

    fn wants_refusals(&self) -> bool {
        true
    }

    fn refused(&mut self, proposal: &Proposal, op: OpId, reason: &'static str) -> io::Result<()> {
        let visit = Some((proposal.die, proposal.time));
        if reason == "bus_window" && self.supply.names.contains(&op) && self.counted != visit {
            self.counted = visit;
            self.lost[usize::from(proposal.die.0)] += 1;
        }
        Ok(())
    }
}

/// How long a die may be silent: its longest operation, then as many refills of the die as it takes until the odds that none
/// of them succeeds are one in 10⁹, when in each a share `least` of the proposals is always possible and a share `lost` of them fails
/// for want of the bus.
fn bound(profile: &Profile, least: f64, lost: f64) -> Ticks {
    let longest = profile.ops.iter().map(|op| op.durations.iter().map(|time| time.0).sum::<u64>()).max();
    let visits = (1e9f64.ln() / (least * (1.0 - lost))).ceil() as u64;
    let round = profile.policies.queue_refill_period.0 * u64::from(profile.topology.dies);
    Ticks(longest.unwrap_or(0).saturating_add(visits.saturating_mul(round)))
}

/// What was seen of many devices.
#[derive(Default)]
struct Seen {
    /// Devices with a bound; the others can starve, and check says so.
    bounded: u64,
    /// Those of them that ran for longer than their bound.
    proved: u64,
    /// Those of which a die had enough visits, and the greatest share that the bus took.
    measured: u64,
    lost: f64,
}

impl Seen {
    /// Runs a varied device for a while.
    fn watch(&mut self, number: u64, run_us: u64, most: u64) {
        let profile = vary(&builtin::profile(), number);
        let table = probability::of_profile(&profile, number);
        let Ok(setup) = Setup::new(&profile, &table, &[]) else { return };
        let supply = Supply::of(&profile, &table);
        if supply.least <= 0.0 {
            return;
        }
        let mut watch = Watch::new(&supply, profile.topology.dies);
        let limits = RunLimits { run_until: Ticks::from_us(run_us), max_ops: Some(most), ..RunLimits::default() };
        let summary = Site::new(&setup, number).run(&limits, &mut watch).expect("memory does not fail");
        // The time from the last operation to the end of proposals counts too.
        let until = if summary.ops >= most { watch.last.iter().copied().max() } else { Some(Ticks::from_us(run_us)) };
        let end = until.unwrap_or(Ticks::ZERO);
        (0..watch.last.len()).for_each(|die| watch.heard(die, end.max(watch.last[die])));
        let longest = watch.longest.iter().copied().max().unwrap_or(Ticks::ZERO);
        let lost = watch.lost();
        assert!(
            lost.is_none_or(|lost| lost <= LOST),
            "variation {number}: a die lost {lost:?} of its visits to the bus"
        );
        let bound = bound(&profile, supply.least, lost.unwrap_or(LOST));
        assert!(longest <= bound, "variation {number}: a die was silent for {longest}, more than {bound}");
        self.bounded += 1;
        self.proved += u64::from(end > bound);
        self.measured += u64::from(lost.is_some());
        self.lost = self.lost.max(lost.unwrap_or(0.0));
    }
}

#[test]
fn no_die_of_a_varied_device_is_silent_for_longer_than_its_bound() {
    let mut seen = Seen::default();
    (0..60).for_each(|number| seen.watch(number, 3_000_000, 10_000));
    let Seen { bounded, proved, measured, lost } = seen;
    assert!(
        bounded > 30 && proved > 5 && measured > 5,
        "{bounded} bounded, {proved} proved, {measured} measured, {lost} lost"
    );
}

#[test]
#[ignore = "long: cargo test --release -p nandseq-generate --test liveness -- --ignored --nocapture"]
fn no_die_of_ten_thousand_varied_devices_is_silent_for_longer_than_its_bound() {
    let mut seen = Seen::default();
    for number in 0..10_000 {
        seen.watch(number, 3_000_000, 10_000);
        if number % 500 == 499 {
            let Seen { bounded, proved, measured, lost } = seen;
            println!("{number}: {bounded} bounded, {proved} ran longer; of {measured} the bus took {lost:.3} at most");
        }
    }
    let Seen { bounded, proved, measured, .. } = seen;
    assert!(
        bounded > 5_000 && proved > 1_000 && measured > 1_000,
        "{bounded} bounded, {proved} proved, {measured} measured"
    );
}
