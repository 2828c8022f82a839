//! Run boundaries: a boundary at, just before or just after any event only pauses proposals.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use crate::vary::vary;
use nandseq_generate::{RunLimits, Setup, Site, probability};
use nandseq_profile::{Die, OpId, Profile, Target, Ticks, builtin};
use nandseq_trace::{Cut, Operation, Proposal, Sink};
use nandseq_verify::Verifier;

/// Kinds of event; boundaries are put beside some of each.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Kind {
    /// An operation ends.
    End,
    /// A phase of an operation ends, and another begins.
    PhaseChange,
    /// A step of a chain starts.
    ChainStep,
    /// A proposal is accepted and starts at once.
    Start,
    /// A hook, whatever became of it.
    Hook,
    /// A refill, whatever became of it.
    Refill,
    /// What waited for the bus starts.
    BusWaiter,
    /// An operation is suspended.
    Suspended,
    /// What was suspended goes on.
    Resumed,
    /// What went on ends.
    ResumedEnd,
    /// A reset ends an operation.
    Reset,
}

const KINDS: [Kind; 11] = [
    Kind::End,
    Kind::PhaseChange,
    Kind::ChainStep,
    Kind::Start,
    Kind::Hook,
    Kind::Refill,
    Kind::BusWaiter,
    Kind::Suspended,
    Kind::Resumed,
    Kind::ResumedEnd,
    Kind::Reset,
];

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
    times: BTreeMap<Kind, BTreeSet<Ticks>>,
}

impl<'p> Witness<'p> {
    fn new(profile: &'p Profile) -> Self {
        Self { profile, verifier: Verifier::new(profile, &[]), operations: Vec::new(), times: BTreeMap::new() }
    }

    fn note(&mut self, kind: Kind, time: Ticks) {
        self.times.entry(kind).or_default().insert(time);
    }

    /// In a first run refills come at multiples of their period.
    fn note_proposal(&mut self, proposal: &Proposal) {
        let period = self.profile.policies.queue_refill_period.0;
        let is_refill = period > 0 && proposal.time.0.is_multiple_of(period);
        self.note(if is_refill { Kind::Refill } else { Kind::Hook }, proposal.time);
    }
}

impl Sink for Witness<'_> {
    fn operation(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        let Operation { uid, op, start, targets, is_first, .. } = *operation;
        self.operations.push(Kept { uid, op, start, targets: targets.to_vec(), is_first });
        self.verifier.operation(operation);
        let starts = match (is_first, start > operation.proposal.time) {
            (false, _) => Kind::ChainStep,
            (true, true) => Kind::BusWaiter,
            (true, false) => Kind::Start,
        };
        self.note(starts, start);
        self.note_proposal(operation.proposal);
        let mut at = start;
        let durations = &self.profile.ops[op].durations;
        for (phase, &duration) in durations.iter().enumerate() {
            at += duration;
            self.note(if phase + 1 == durations.len() { Kind::End } else { Kind::PhaseChange }, at);
        }
        Ok(())
    }

    fn cut(&mut self, _: u64, at: Ticks, cut: Cut) -> io::Result<()> {
        self.note(if cut == Cut::Suspended { Kind::Suspended } else { Kind::Reset }, at);
        Ok(())
    }

    fn resumed(&mut self, _: u64, from: Ticks, busy_end: Ticks, end: Ticks) -> io::Result<()> {
        self.note(Kind::Resumed, from);
        self.note(Kind::PhaseChange, busy_end);
        self.note(Kind::ResumedEnd, end);
        Ok(())
    }

    fn wants_refusals(&self) -> bool {
        true
    }

    fn refused(&mut self, proposal: &Proposal, _: OpId, _: &'static str) -> io::Result<()> {
        self.note_proposal(proposal);
        Ok(())
    }
}

fn setup_of(profile: &Profile) -> Setup {
    Setup::new(profile, &probability::of_profile(profile, 1729), &[]).expect("something to propose")
}

fn until(run_until: Ticks) -> RunLimits<'static> {
    RunLimits { run_until, ..RunLimits::default() }
}

/// The dies that operations address.
fn dies(operations: &[Kept]) -> BTreeSet<Die> {
    operations.iter().flat_map(|kept| kept.targets.iter().map(|target| target.die)).collect()
}

/// Ends runs at, one tick before and one tick after up to `most` events of each kind of a run of `run_us`; adds how many events
/// that were to `tried`.
fn boundaries_leave_no_trace(
    profile: &Profile,
    seed: u64,
    run_us: u64,
    most: usize,
    tried: &mut BTreeMap<Kind, usize>,
) {
    let setup = setup_of(profile);
    let mut whole = Witness::new(profile);
    let length = Ticks::from_us(run_us);
    Site::new(&setup, seed).run(&until(length), &mut whole).expect("memory does not fail");
    let mut boundaries = BTreeSet::new();
    for (&kind, times) in &whole.times {
        let times: Vec<Ticks> = times.iter().copied().filter(|&time| Ticks(1) < time && time < length).collect();
        let chosen = times.iter().step_by(times.len().div_ceil(most).max(1));
        for &Ticks(time) in chosen {
            boundaries.extend([time - 1, time, time + 1].map(Ticks));
            *tried.entry(kind).or_default() += 1;
        }
    }
    for boundary in boundaries {
        let at = format!("{} at {boundary}", profile.name);
        let mut split = Witness::new(profile);
        let mut site = Site::new(&setup, seed);
        let first = site.run(&until(boundary), &mut split).expect("memory does not fail");
        let before = whole.operations.iter().take_while(|kept| kept.start < boundary).count();
        let here = &split.operations[..];
        assert!(here.len() >= before, "{at}: fewer operations");
        assert_eq!(here[..before], whole.operations[..before], "{at}: nothing else before it");
        assert!(here[before..].iter().all(|kept| !kept.is_first), "{at}: only chains go on");
        let drained = here.len();
        split.verifier.end_of_file();
        let second = site.run(&until(length), &mut split).expect("memory does not fail");
        assert!(second.start >= first.end && second.start >= boundary);
        assert!(split.verifier.is_clean(), "{at}: {:?}", split.verifier.findings().first());
        // Nothing got stuck: what worked before works after.
        let (works, worked) = (dies(&split.operations[drained..]), dies(&whole.operations));
        assert!(
            whole.operations.len() < 20 || works == worked,
            "{at}: of {worked:?} only {works:?} work in the next run"
        );
    }
}

#[test]
fn a_run_may_end_at_or_beside_any_event_of_the_built_in_device() {
    let profile = builtin::profile();
    let mut tried = BTreeMap::new();
    // Resets are rare.
    for seed in 0..14 {
        boundaries_leave_no_trace(&profile, seed, 25_000, 12, &mut tried);
    }
    for kind in KINDS {
        let count = tried.get(&kind).copied().unwrap_or(0);
        assert!(count >= 4, "only {count} events of {kind:?}: {tried:?}");
    }
}

#[test]
fn a_run_may_end_at_or_beside_any_event_of_varied_devices() {
    let profile = builtin::profile();
    let mut tried = BTreeMap::new();
    let varied = (0..30)
        .map(|number| vary(&profile, number))
        .filter(|varied| Setup::new(varied, &probability::of_profile(varied, 1729), &[]).is_ok());
    varied.for_each(|varied| boundaries_leave_no_trace(&varied, 3, 8_000, 3, &mut tried));
    assert!(tried.values().sum::<usize>() > 250, "{tried:?}");
}
