//! A suspended operation keeps its remainder to the picosecond: its stretches sum up to its duration.

use std::collections::BTreeMap;
use std::io;

use nandseq_generate::probability::{DEFAULT_TABLE_SEED, build};
use nandseq_generate::{RunLimits, Setup, Site};
use nandseq_profile::model::{Base, Chain, ChainStep, Effect, FollowUp, OverrideOf, PhaseKind, StepAddress};
use nandseq_profile::{OpId, Profile, Ticks, builtin};
use nandseq_trace::{Cut, Operation, Sink};

/// An operation that may be suspended, as the sink has heard of it.
#[derive(Clone, Copy, Default, Debug)]
struct Life {
    op: OpId,
    /// When the current stretch began; `None` while it is suspended.
    from: Option<Ticks>,
    /// When CORE_BUSY will be over and when the window, if nothing happens.
    ends: (Ticks, Ticks),
    /// The stretches that are over.
    ran: Ticks,
    suspensions: u32,
}

/// Follows every operation that occupies planes.
struct Stretches<'p> {
    profile: &'p Profile,
    lives: BTreeMap<u64, Life>,
    /// Of those that ended in their time after a suspension: suspensions, stretches, window, and what both should be.
    ended: Vec<(u32, Ticks, Ticks, OpId)>,
}

/// ISSUE and CORE_BUSY together, and the window.
fn nominal(profile: &Profile, op: OpId) -> (Ticks, Ticks) {
    let op = &profile.ops[op];
    let (mut occupied, mut window) = (Ticks::ZERO, Ticks::ZERO);
    for (phase, &duration) in profile.bases[op.base].phases.iter().zip(&op.durations) {
        match phase.kind {
            PhaseKind::Issue | PhaseKind::CoreBusy => occupied += duration,
            PhaseKind::DataIn | PhaseKind::DataOut => window += duration,
        }
    }
    (occupied, window)
}

impl Stretches<'_> {
    /// Takes the lives that are over by `now`.
    fn settle(&mut self, now: Ticks) {
        let over = |life: &Life| life.from.is_some() && life.ends.0 <= now;
        let uids: Vec<u64> = self.lives.iter().filter(|(_, life)| over(life)).map(|(&uid, _)| uid).collect();
        for uid in uids {
            let Some(life) = self.lives.remove(&uid) else { continue };
            let last = life.ends.0 - life.from.unwrap_or_default();
            if life.suspensions > 0 {
                self.ended.push((life.suspensions, life.ran + last, life.ends.1 - life.ends.0, life.op));
            }
        }
    }
}

impl Sink for Stretches<'_> {
    fn operation(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        self.settle(operation.start);
        let (occupied, window) = nominal(self.profile, operation.op);
        let busy_end = operation.start + occupied;
        let ends = (busy_end, busy_end + window);
        let life = Life { op: operation.op, from: Some(operation.start), ends, ..Life::default() };
        self.lives.insert(operation.uid, life);
        Ok(())
    }

    fn cut(&mut self, uid: u64, at: Ticks, cut: Cut) -> io::Result<()> {
        match cut {
            Cut::Reset => {
                self.lives.remove(&uid);
            }
            Cut::Suspended => {
                let life = self.lives.get_mut(&uid).expect("what is suspended has begun");
                life.ran += at - life.from.take().expect("what is suspended was running");
                life.suspensions += 1;
            }
        }
        Ok(())
    }

    fn resumed(&mut self, uid: u64, from: Ticks, busy_end: Ticks, end: Ticks) -> io::Result<()> {
        let life = self.lives.get_mut(&uid).expect("what is resumed was suspended");
        assert_eq!(life.from, None, "it was not running");
        life.from = Some(from);
        life.ends = (busy_end, end);
        Ok(())
    }
}

/// The built-in device with a mix in which nearly every hook suspends or resumes.
fn storm() -> Profile {
    let mut profile = builtin::profile();
    let mass = |base: &Base| {
        let has = |wanted: fn(&Effect) -> bool| base.effects.iter().any(wanted);
        if has(|effect| matches!(effect, Effect::ResetDie | Effect::ResetTarget)) {
            0.0 // else nothing would live to its end
        } else if has(|effect| matches!(effect, Effect::Suspend(_) | Effect::Resume(_))) {
            1.0
        } else if has(|effect| matches!(effect, Effect::Program | Effect::LoadLatch { .. })) {
            0.3
        } else if has(|effect| matches!(effect, Effect::Erase)) {
            0.03
        } else {
            0.001
        }
    };
    profile.probabilities.global =
        profile.bases.iter_ids().map(|(id, base)| (OverrideOf::Base(id), mass(base))).collect();
    profile.probabilities.by_key.clear();
    profile
}

#[test]
fn the_stretches_of_a_suspended_operation_sum_up_to_its_duration() {
    let profile = storm();
    let table = build(&profile, DEFAULT_TABLE_SEED);
    let setup = Setup::new(&profile, &table, &[]).expect("something to propose");
    let mut site = Site::new(&setup, 11);
    let mut stretches = Stretches { profile: &profile, lives: BTreeMap::new(), ended: Vec::new() };
    // Several runs: what is suspended at a boundary is resumed after it.
    for _ in 0..6 {
        let limits = RunLimits { run_until: Ticks::from_us(4_000_000), ..RunLimits::default() };
        site.run(&limits, &mut stretches).expect("memory does not fail");
    }
    let mut most = 0;
    for &(suspensions, ran, window, op) in &stretches.ended {
        let (occupied, whole_window) = nominal(&profile, op);
        assert_eq!(ran, occupied, "{} after {suspensions} suspensions", profile.ops[op].name);
        assert_eq!(window, whole_window, "{} after {suspensions} suspensions", profile.ops[op].name);
        most = most.max(suspensions);
    }
    assert!(stretches.ended.len() > 300, "only {} operations were suspended", stretches.ended.len());
    assert!(most >= 50, "no operation was suspended more than {most} times");
    let programs = stretches.ended.iter().filter(|(.., op)| profile.bases[profile.ops[*op].base].has(Effect::Program));
    let programs = programs.filter(|(suspensions, ..)| *suspensions >= 3).count();
    assert!(programs > 10, "only {programs} programs were suspended three times");
}

/// Hears nothing.
struct Nowhere;

impl Sink for Nowhere {
    fn operation(&mut self, _: &Operation<'_>) -> io::Result<()> {
        Ok(())
    }
}

/// The storm on a device on which a status read follows every erase, with other operations in between that change no block.
fn storm_of_chains() -> Profile {
    let mut profile = storm();
    let id_of = |name: &str| profile.bases.iter_ids().find(|(_, base)| base.name == name).expect("a base").0;
    let (erase, status) = (id_of("ERASE"), id_of("SR"));
    let step = ChainStep {
        base: status,
        address: StepAddress::Sampled,
        same_cell_type: false,
        multi: false,
        same_plane: false,
    };
    profile.bases[erase].follow_ups = vec![FollowUp { weight: 1.0, chain: Some(profile.chains.len()) }];
    profile.chains.push(Chain { name: "ERASE.SEQ".to_owned(), steps: vec![step], name_weights: Vec::new() });
    profile
}

#[test]
fn what_stays_suspended_in_a_phase_without_resumes_forbids_nothing_else() {
    let stress = storm_of_chains();
    let mut calm = stress.clone();
    let is_left_out = |effect: &Effect| {
        matches!(effect, Effect::Suspend(_) | Effect::Resume(_) | Effect::ResetDie | Effect::ResetTarget)
    };
    let mass = |base: &Base| if base.effects.iter().any(is_left_out) { 0.0 } else { 1.0 };
    calm.probabilities.global = calm.bases.iter_ids().map(|(id, base)| (OverrideOf::Base(id), mass(base))).collect();
    let tables = [build(&stress, DEFAULT_TABLE_SEED), build(&calm, DEFAULT_TABLE_SEED)];
    let all = tables.concat();
    let [stressed, alone] = tables.map(|table| Setup::new(&stress, &table, &[]).expect("something to propose"));
    let calmed = alone.clone().among_phases(&all);
    let limits = RunLimits { run_until: Ticks::from_us(100_000), ..RunLimits::default() };
    // Refusals because a chain is under way, over all sites.
    let refusals = |setup: &Setup| -> u64 {
        let of_site = |seed: u64| -> u64 {
            let mut site = Site::new(&stressed, seed);
            site.run(&limits, &mut Nowhere).expect("memory does not fail");
            site.enter(setup);
            let summary = site.run(&limits, &mut Nowhere).expect("memory does not fail");
            let of_chains = summary.rejections.iter().filter(|((_, _, why), _)| why.code() == "chain_under_way");
            of_chains.map(|(_, count)| count).sum()
        };
        (0..16).map(of_site).sum()
    };
    let (among, by_itself) = (refusals(&calmed), refusals(&alone));
    assert!(4 * among < 3 * by_itself, "{among} refusals, {by_itself} without a name that resumes");
}
