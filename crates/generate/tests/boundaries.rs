//! Run boundaries: at, just before and just after any event they change nothing but that proposals pause.

mod support;

use std::collections::BTreeSet;
use std::io;

use nandseq_generate::{RunLimits, Setup, Site, probability};
use nandseq_profile::{OpId, Profile, Target, Ticks, builtin};
use nandseq_trace::{Cut, Operation, Sink};
use nandseq_verify::Verifier;
use support::vary;

/// One operation, kept.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Kept {
    uid: u64,
    op: OpId,
    start: Ticks,
    targets: Vec<Target>,
    is_first: bool,
}

/// What a site does, judged, with the times of everything that happens.
struct Witness<'p> {
    profile: &'p Profile,
    verifier: Verifier<'p>,
    operations: Vec<Kept>,
    times: BTreeSet<Ticks>,
}

impl<'p> Witness<'p> {
    fn new(profile: &'p Profile) -> Self {
        Self { profile, verifier: Verifier::new(profile, &[]), operations: Vec::new(), times: BTreeSet::new() }
    }
}

impl Sink for Witness<'_> {
    fn operation(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        let Operation { uid, op, start, targets, is_first, .. } = *operation;
        self.operations.push(Kept { uid, op, start, targets: targets.to_vec(), is_first });
        self.verifier.operation(operation);
        let mut at = start;
        self.times.insert(at);
        self.times.insert(operation.proposal.time);
        for &duration in &self.profile.ops[op].durations {
            at += duration;
            self.times.insert(at);
        }
        Ok(())
    }

    fn cut(&mut self, _: u64, at: Ticks, _: Cut) -> io::Result<()> {
        self.times.insert(at);
        Ok(())
    }

    fn resumed(&mut self, _: u64, from: Ticks, busy_end: Ticks, end: Ticks) -> io::Result<()> {
        self.times.extend([from, busy_end, end]);
        Ok(())
    }
}

fn setup_of(profile: &Profile) -> Setup {
    Setup::new(profile, &probability::of_profile(profile, 1729), &[]).expect("something to propose")
}

fn until(run_until: Ticks) -> RunLimits<'static> {
    RunLimits { run_until, ..RunLimits::default() }
}

/// Ends runs at, one tick before and one tick after up to `most` events of a run of `run_us`; returns how many boundaries that
/// were.
fn boundaries_leave_no_trace(profile: &Profile, seed: u64, run_us: u64, most: usize) -> usize {
    let setup = setup_of(profile);
    let mut whole = Witness::new(profile);
    Site::new(&setup, seed).run(&until(Ticks::from_us(run_us)), &mut whole).expect("memory does not fail");
    let length = Ticks::from_us(run_us);
    let times: Vec<Ticks> = whole.times.iter().copied().filter(|&time| Ticks(1) < time && time < length).collect();
    let step = times.len().div_ceil(most).max(1);
    let boundaries = times.iter().step_by(step).flat_map(|&Ticks(time)| [time - 1, time, time + 1].map(Ticks));
    let mut tried = 0;
    for boundary in boundaries {
        let mut split = Witness::new(profile);
        let mut site = Site::new(&setup, seed);
        let first = site.run(&until(boundary), &mut split).expect("memory does not fail");
        let before = whole.operations.iter().take_while(|kept| kept.start < boundary).count();
        let here = &split.operations[..];
        assert!(here.len() >= before, "{} at {boundary}: fewer operations", profile.name);
        assert_eq!(
            here[..before],
            whole.operations[..before],
            "{} at {boundary}: nothing else before it",
            profile.name
        );
        assert!(here[before..].iter().all(|kept| !kept.is_first), "{} at {boundary}: only chains go on", profile.name);
        split.verifier.end_of_file();
        let second = site.run(&until(length), &mut split).expect("memory does not fail");
        assert!(second.start >= first.end && second.start >= boundary);
        assert!(split.verifier.is_clean(), "{} at {boundary}: {:?}", profile.name, split.verifier.findings().first());
        assert!(
            second.ops > 0 || whole.operations.len() < 20,
            "{} at {boundary}: nothing in the next run",
            profile.name
        );
        tried += 1;
    }
    tried
}

#[test]
fn a_run_may_end_at_or_beside_any_event_of_the_built_in_device() {
    let profile = builtin::profile();
    let tried: usize = (0..4).map(|seed| boundaries_leave_no_trace(&profile, seed, 25_000, 70)).sum();
    assert!(tried > 700, "only {tried} boundaries");
}

#[test]
fn a_run_may_end_at_or_beside_any_event_of_varied_devices() {
    let profile = builtin::profile();
    let varied = (0..30)
        .map(|number| vary(&profile, number))
        .filter(|varied| Setup::new(varied, &probability::of_profile(varied, 1729), &[]).is_ok());
    let tried: usize = varied.map(|varied| boundaries_leave_no_trace(&varied, 3, 8_000, 12)).sum();
    assert!(tried > 700, "only {tried} boundaries");
}
