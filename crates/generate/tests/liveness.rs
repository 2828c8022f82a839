//! No die falls silent: whatever the mix, the next operation that shows on a die comes within a bound.

mod support;

use std::io;

use nandseq_generate::{RunLimits, Setup, Site, probability};
use nandseq_profile::{Profile, Ticks, builtin};
use nandseq_reach::Universe;
use nandseq_trace::{Operation, Sink};
use support::vary;

/// The longest silence of each die.
struct Silence {
    last: Vec<Ticks>,
    longest: Vec<Ticks>,
}

impl Silence {
    fn new(dies: u32) -> Self {
        let none = vec![Ticks::ZERO; dies as usize];
        Self { last: none.clone(), longest: none }
    }

    fn heard(&mut self, die: usize, now: Ticks) {
        self.longest[die] = self.longest[die].max(now - self.last[die]);
        self.last[die] = now;
    }
}

impl Sink for Silence {
    fn operation(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        if let Some(lanes) = operation.lanes {
            let first = usize::from(lanes.die.0);
            (first..first + usize::from(lanes.dies)).for_each(|die| self.heard(die, operation.start));
        }
        Ok(())
    }
}

/// How long a die may be silent: its longest operation, then as many refills of the die as it takes until the odds that none
/// of them succeeds are one in 10⁹, when in each a share `least` of the proposals is always possible and three in four fail
/// for want of the bus.
fn bound(profile: &Profile, least: f64) -> Ticks {
    let longest = profile.ops.iter().map(|op| op.durations.iter().map(|time| time.0).sum::<u64>()).max();
    let visits = (4.0 * 1e9f64.ln() / least).ceil() as u64;
    let round = profile.policies.queue_refill_period.0 * u64::from(profile.topology.dies);
    Ticks(longest.unwrap_or(0).saturating_add(visits.saturating_mul(round)))
}

/// Runs a profile for a while; the longest silence of a die and its bound, `None` where check warns of starvation.
fn silence(profile: &Profile, number: u64, run_us: u64, most: u64) -> Option<(Ticks, Ticks, Ticks)> {
    let table = probability::of_profile(profile, number);
    let setup = Setup::new(profile, &table, &[]).ok()?;
    let least = Universe::new(profile, &table).supply().least;
    if least <= 0.0 {
        return None;
    }
    let mut silence = Silence::new(profile.topology.dies);
    let limits = RunLimits { run_until: Ticks::from_us(run_us), max_ops: Some(most), ..RunLimits::default() };
    let summary = Site::new(&setup, number).run(&limits, &mut silence).expect("memory does not fail");
    // The time from the last operation to the end of proposals counts too.
    let end = if summary.ops >= most { silence.last.iter().copied().max()? } else { Ticks::from_us(run_us) };
    (0..silence.last.len()).for_each(|die| {
        let now = end.max(silence.last[die]);
        silence.heard(die, now);
    });
    Some((silence.longest.iter().copied().max()?, bound(profile, least), end))
}

/// Varied devices `0..count`, each for `run_us`; how many are bounded, and how many ran for longer than their bound.
fn watch(count: u64, run_us: u64, most: u64) -> (u64, u64) {
    let device = builtin::profile();
    let (mut bounded, mut proved) = (0, 0);
    for number in 0..count {
        let profile = vary(&device, number);
        let Some((longest, bound, end)) = silence(&profile, number, run_us, most) else { continue };
        assert!(longest <= bound, "variation {number}: a die was silent for {longest}, more than {bound}");
        bounded += 1;
        proved += u64::from(end > bound);
    }
    (bounded, proved)
}

#[test]
fn no_die_of_a_varied_device_is_silent_for_longer_than_its_bound() {
    let (bounded, proved) = watch(40, 3_000_000, 10_000);
    assert!(bounded > 20 && proved > 3, "{bounded} bounded, {proved} of them for longer than the bound");
}

#[test]
#[ignore = "long: cargo test --release -p nandseq-generate --test liveness -- --ignored"]
fn no_die_of_ten_thousand_varied_devices_is_silent_for_longer_than_its_bound() {
    let (bounded, proved) = watch(10_000, 3_000_000, 10_000);
    assert!(bounded > 5_000 && proved > 1_000, "{bounded} bounded, {proved} of them for longer than the bound");
}
