//! No die falls silent: whatever the mix, the next operation that shows on a die comes within a bound.

use std::io;

use crate::vary::vary;
use nandseq_device::Tables;
use nandseq_generate::{RunLimits, Setup, Site, probability};
use nandseq_profile::{Die, OpId, Profile, Ticks, builtin};
use nandseq_reach::{BusDemand, Supply};
use nandseq_trace::{Operation, Proposal, Sink};

/// The bus is free for a visit of a die once in so many spans, each the longest hold of the bus and a round of refills: the premise
/// of the bound, held against every device here.
const SPANS: f64 = 4.0;
/// From this share of the time on instants, which wait for the bus however long, keep it from everything else.
const SATURATED: f64 = 0.99;
/// Visits in fewer spans say nothing of how often the bus is free.
const ENOUGH: f64 = 100.0;

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

    /// How many spans it took a die to find the bus free, of the die that took most; `None` when no die had enough visits. `part` is
    /// what part of a span a round of refills is.
    fn spans(&self, part: f64) -> Option<f64> {
        let visits =
            self.started.iter().zip(&self.lost).map(|(&started, &lost)| (started as f64, (started + lost) as f64));
        let enough = visits.filter(|(_, all)| all * part >= ENOUGH);
        enough.map(|(started, all)| part * all / started).max_by(f64::total_cmp)
    }
}

impl Sink for Watch<'_> {
    fn operation(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        if let Some(die_planes) = operation.die_planes {
            let first = usize::from(die_planes.die.0);
            (first..first + usize::from(die_planes.dies)).for_each(|die| self.heard(die, operation.start));
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

/// The longest hold of the bus and a round of refills, in ticks.
fn span(profile: &Profile, tables: &Tables) -> (f64, f64) {
    let hold = tables.ops().map(|(_, op)| op.bus.0).max().unwrap_or(0);
    let round = profile.policies.queue_refill_period.0 * u64::from(profile.topology.dies);
    (hold as f64, round as f64)
}

/// How long a die may be silent: its longest operation, then as many visits that find the bus free as it takes until the odds that
/// none of them succeeds are one in 10⁹, when a share `least` of the proposals is always possible.
fn bound(profile: &Profile, tables: &Tables, least: f64) -> Ticks {
    let longest = tables.ops().map(|(_, op)| op.total.0).max().unwrap_or(0);
    let (hold, round) = span(profile, tables);
    let visits = (1e9f64.ln() / least).ceil();
    Ticks(longest.saturating_add((visits * SPANS * (hold + round)) as u64))
}

/// What was seen of many devices.
#[derive(Default)]
struct Seen {
    /// Devices with a bound; the others have a state in which only data outputs and the like are sure, or can starve.
    bounded: u64,
    /// Those of them that ran for longer than their bound.
    proved: u64,
    /// Those whose bus is never free: neither bound nor premise holds there.
    saturated: u64,
    /// Those of which a die had enough visits, and the most spans that one took to find the bus free.
    measured: u64,
    spans: f64,
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
        let tables = Tables::new(&profile);
        let held: u64 = summary.by_op.iter().enumerate().map(|(at, &n)| n * tables.op(OpId::from(at)).bus.0).sum();
        if held as f64 >= SATURATED * summary.end.0 as f64 {
            let demand = BusDemand::of(&profile, &table).share;
            assert!(demand >= BusDemand::SATURATED, "variation {number} saturates its bus with a demand of {demand}");
            self.saturated += 1;
            return;
        }
        let bound = bound(&profile, &tables, supply.least);
        assert!(longest <= bound, "variation {number}: a die was silent for {longest}, more than {bound}");
        self.bounded += 1;
        self.proved += u64::from(end > bound);
        let (hold, round) = span(&profile, &tables);
        if let Some(spans) = watch.spans(round / (hold + round)) {
            assert!(spans <= SPANS, "variation {number}: a die finds the bus free once in {spans} spans");
            self.measured += 1;
            self.spans = self.spans.max(spans);
        }
    }
}

#[test]
fn no_die_of_a_varied_device_is_silent_for_longer_than_its_bound() {
    let mut seen = Seen::default();
    (0..60).for_each(|number| seen.watch(number, 3_000_000, 30_000));
    let Seen { bounded, proved, saturated, measured, spans } = seen;
    assert!(
        bounded > 30 && proved > 3 && saturated == 0 && measured > 20,
        "{bounded} bounded, {proved} proved, {saturated} saturated, {measured} measured, {spans} spans"
    );
}

/// The built-in device with refills so close that calibrations of this share of DEFAULT take all of the bus, or not.
fn with_calibrations(share: f64) -> (Profile, probability::Distributions) {
    let mut profile = builtin::profile();
    profile.policies.queue_refill_period = Ticks::from_us(2);
    let tables = Tables::new(&profile);
    let slowest = |(_, one): &(OpId, &nandseq_device::OpInfo)| one.bus;
    let instants = tables.ops().filter(|(_, op)| tables.base(op.base).instant && !tables.base(op.base).effects.delay);
    let (slowest, info) = instants.max_by_key(slowest).expect("an instant");
    assert!(info.bus > profile.policies.queue_refill_period, "its bus time alone is longer than a period");
    let mut table = probability::of_profile(&profile, 1);
    for (_, entries) in &mut table {
        entries.iter_mut().for_each(|(_, mass)| *mass *= 1.0 - share);
        entries.push((slowest, share));
    }
    (profile, table)
}

#[test]
fn a_mix_whose_instants_take_all_of_the_bus_is_told_from_one_whose_instants_do_not() {
    for (share, saturates) in [(0.999, true), (0.2, false)] {
        let (profile, table) = with_calibrations(share);
        let demand = BusDemand::of(&profile, &table);
        assert_eq!(demand.share >= BusDemand::SATURATED, saturates, "{share}: {}", demand.share);
        let tables = Tables::new(&profile);
        let supply = Supply { least: 0.0, names: Vec::new(), starved: None };
        let setup = Setup::new(&profile, &table, &[]).expect("something to propose");
        let limits = RunLimits { run_until: Ticks::from_us(20_000), ..RunLimits::default() };
        let summary = Site::new(&setup, 5).run(&limits, &mut Watch::new(&supply, 2)).expect("memory does not fail");
        let held: u64 = summary.by_op.iter().enumerate().map(|(at, &n)| n * tables.op(OpId::from(at)).bus.0).sum();
        let is_kept = held as f64 >= SATURATED * summary.end.0 as f64;
        assert_eq!(is_kept, saturates, "{share}: {held} of {}", summary.end.0);
    }
    let profile = builtin::profile();
    let demand = BusDemand::of(&profile, &probability::of_profile(&profile, probability::DEFAULT_TABLE_SEED));
    assert!(demand.share < 0.1 && demand.share > 0.0, "the built-in device: {}", demand.share);
}

#[test]
#[ignore = "long: cargo test --release -p nandseq-generate --test long_engine -- --ignored liveness:: --nocapture"]
#[expect(clippy::print_stdout, reason = "it takes most of an hour: whoever waits wants to see how far it is")]
fn no_die_of_ten_thousand_varied_devices_is_silent_for_longer_than_its_bound() {
    let mut seen = Seen::default();
    for number in 0..10_000 {
        seen.watch(number, 3_000_000, 30_000);
        if number % 500 == 499 {
            let Seen { bounded, proved, saturated, measured, spans } = seen;
            println!(
                "{number}: {bounded} bounded, {proved} ran longer; {saturated} saturated; {spans:.3} spans at most for {measured}"
            );
        }
    }
    let Seen { bounded, proved, saturated, measured, .. } = seen;
    assert!(
        bounded > 5_000 && proved > 1_000 && measured > 1_000 && saturated < 10,
        "{bounded} bounded, {proved} proved, {saturated} saturated, {measured} measured"
    );
}
