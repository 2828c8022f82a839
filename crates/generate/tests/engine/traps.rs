//! States that a die might never leave: either none can be entered, or `reach` names the state and an operation that would leave
//! it.

use std::io;

use crate::vary::protect;
use nandseq_generate::probability::{DEFAULT_TABLE_SEED, build};
use nandseq_generate::{CanCover, RunLimits, Setup, Site};
use nandseq_profile::model::{Axis, Base, DeviceState, Effect, LatchKind, OverrideOf, Topology};
use nandseq_profile::{BaseId, Block, Die, Profile, Ticks, builtin};
use nandseq_reach::{Lasting, Reason, Universe, Verdict};
use nandseq_trace::{Operation, Sink};

fn bases(profile: &Profile, wanted: impl Fn(&Base) -> bool) -> Vec<BaseId> {
    profile.bases.iter_ids().filter(|(_, base)| wanted(base)).map(|(id, _)| id).collect()
}

fn with(profile: &Profile, wanted: impl Fn(&Effect) -> bool) -> Vec<BaseId> {
    bases(profile, |base| base.effects.iter().any(&wanted))
}

fn resets(profile: &Profile) -> Vec<BaseId> {
    with(profile, |effect| matches!(effect, Effect::ResetDie | Effect::ResetTarget))
}

/// The built-in device, which proposes none of these bases.
fn without(never: impl Fn(&Profile) -> Vec<BaseId>) -> Profile {
    let mut profile = builtin::profile();
    let never = never(&profile);
    let of = |profile: &Profile, what: OverrideOf| match what {
        OverrideOf::Base(base) => base,
        OverrideOf::Op(op) => profile.ops[op].base,
    };
    let mut probabilities = profile.probabilities.clone();
    let lists = probabilities.by_key.iter_mut().map(|(_, list)| list).chain([&mut probabilities.global]);
    for list in lists {
        list.iter_mut().filter(|(what, _)| never.contains(&of(&profile, *what))).for_each(|entry| entry.1 = 0.0);
    }
    profile.probabilities = probabilities;
    profile
}

/// How often operations of each base start in a run.
struct Starts(Vec<u64>);

impl Starts {
    fn of(&self, bases: &[BaseId]) -> u64 {
        bases.iter().map(|&base| self.0[usize::from(base.0)]).sum()
    }
}

struct Count<'p>(&'p Profile, Starts);

impl Sink for Count<'_> {
    fn operation(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        self.1.0[usize::from(self.0.ops[operation.op].base.0)] += 1;
        Ok(())
    }
}

/// The last of several runs.
fn last_run(profile: &Profile, bad: &[(Die, Block)]) -> Starts {
    let setup = Setup::new(profile, &build(profile, DEFAULT_TABLE_SEED), bad).expect("something to propose");
    let mut site = Site::new(&setup, 3);
    let mut count = Count(profile, Starts(vec![0; profile.bases.len()]));
    for _ in 0..4 {
        count.1 = Starts(vec![0; profile.bases.len()]);
        let limits = RunLimits { run_until: Ticks::from_us(500_000), ..RunLimits::default() };
        site.run(&limits, &mut count).expect("memory does not fail");
    }
    count.1
}

#[test]
fn what_cannot_be_resumed_is_never_suspended() {
    for axis in Axis::ALL {
        let profile = without(|profile| with(profile, |effect| *effect == Effect::Resume(axis)));
        let universe = Universe::new(&profile, &build(&profile, DEFAULT_TABLE_SEED));
        assert_eq!(universe.traps(), []);
        let suspends = with(&profile, |effect| *effect == Effect::Suspend(axis));
        let can_run = profile.ops.iter_ids().any(|(id, op)| suspends.contains(&op.base) && universe.can_run(id));
        assert!(!can_run, "{axis:?}");
        // Wherever the table still gives it a weight, the want of a resume is the reason.
        let weighed = universe.pairs().filter(|&(_, op, verdict)| {
            suspends.contains(&profile.ops[op].base)
                && !matches!(verdict, Verdict::Unreachable(Reason::Excluded | Reason::NoWeight | Reason::NoHook))
        });
        let verdicts: Vec<Verdict> = weighed.map(|(_, _, verdict)| verdict).collect();
        assert!(!verdicts.is_empty());
        assert_eq!(verdicts, vec![Verdict::Unreachable(Reason::NoResume(axis)); verdicts.len()]);
        assert_eq!(last_run(&profile, &[]).of(&suspends), 0, "{axis:?}");
    }
}

#[test]
fn termination_that_nothing_switches_on_again_is_a_trap_with_its_way_out() {
    let back = |profile: &Profile| with(profile, |effect| *effect == Effect::OdtEnable);
    let profile = without(|profile| [back(profile), resets(profile)].concat());
    let universe = on_one_plane(&profile);
    let [trap] = universe.traps() else { panic!("{:?}", universe.traps()) };
    assert_eq!(trap.state, Lasting::Of(DeviceState::OdtDisabled));
    assert_eq!(trap.freed_by, back(&profile));
}

#[test]
fn write_protect_that_nothing_switches_off_is_a_trap_whatever_is_reset() {
    let mut profile = builtin::profile();
    protect(&mut profile);
    let off = with(&profile, |effect| *effect == Effect::WriteProtectOff);
    assert_eq!(on_one_plane(&profile).traps(), []);
    for &base in &off {
        profile.bases[base].effects.clear();
    }
    let universe = on_one_plane(&profile);
    let [trap] = universe.traps() else { panic!("{:?}", universe.traps()) };
    assert_eq!(trap.state, Lasting::Of(DeviceState::WriteProtect));
}

/// What can happen on one plane, where the search for it is short.
fn on_one_plane(profile: &Profile) -> Universe {
    let mut profile = profile.clone();
    (profile.topology.dies, profile.topology.planes, profile.policies.max_planes) = (1, 1, 1);
    Universe::new(&profile, &build(&profile, DEFAULT_TABLE_SEED))
}

/// A device whose tables forbid some bases in a state of their own making: their chains can never end.
fn forbidding(state: DeviceState, never: impl Fn(&Profile) -> Vec<BaseId>) -> Profile {
    let mut profile = builtin::profile();
    let never = never(&profile);
    let of_state = profile.exclusions.by_state.iter().filter(|(known, _)| *known == state);
    let groups: Vec<_> = of_state.flat_map(|(_, groups)| groups.clone()).collect();
    for group in groups {
        never.iter().for_each(|&base| profile.exclusions.groups[group].forbids.insert(base));
    }
    profile
}

#[test]
fn a_cache_program_that_cannot_be_ended_never_begins() {
    let kind = nandseq_profile::model::CacheProgramKind::Slc;
    let ends = |profile: &Profile| with(profile, |effect| *effect == Effect::CacheProgramEnd(kind));
    let profile = forbidding(DeviceState::CacheProgram(kind), ends);
    let begins = with(&profile, |effect| *effect == Effect::CacheProgramStart(kind));
    assert_eq!(on_one_plane(&profile).traps(), []);
    assert_eq!(last_run(&profile, &[]).of(&begins), 0);
}

#[test]
fn a_latch_that_nothing_consumes_is_never_loaded() {
    let consumers = |profile: &Profile| {
        with(profile, |effect| matches!(effect, Effect::ConsumeLatch { latch: LatchKind::OneShot, .. }))
    };
    let latch = DeviceState::LatchOn(nandseq_profile::model::LatchLevel::Csb);
    let mut profile = forbidding(latch, consumers);
    let msb = DeviceState::LatchOn(nandseq_profile::model::LatchLevel::Msb);
    let groups: Vec<_> = profile.exclusions.by_state.iter().filter(|(known, _)| *known == msb).cloned().collect();
    for group in groups.into_iter().flat_map(|(_, groups)| groups) {
        consumers(&profile).iter().for_each(|&base| profile.exclusions.groups[group].forbids.insert(base));
    }
    assert_eq!(on_one_plane(&profile).traps(), []);
    let loads = with(&profile, |effect| matches!(effect, Effect::LoadLatch { latch: LatchKind::OneShot, .. }));
    assert_eq!(last_run(&profile, &[]).of(&loads), 0);
}

#[test]
fn a_device_whose_blocks_are_all_full_erases_and_programs_on() {
    let mut profile = builtin::profile();
    profile.topology = Topology { dies: 1, planes: 1, blocks_per_die: 2, pages_per_block: 1 };
    profile.policies.max_planes = 1;
    let starts = last_run(&profile, &[]);
    let erases = starts.of(&with(&profile, |effect| *effect == Effect::Erase));
    let programs = starts.of(&with(&profile, |effect| *effect == Effect::Program));
    assert!(erases > 5 && programs > 1, "{erases} erases, {programs} programs in the last run");
}

#[test]
fn a_device_with_one_good_block_uses_it_to_the_end() {
    let mut profile = builtin::profile();
    profile.topology = Topology { dies: 1, planes: 4, blocks_per_die: 16, pages_per_block: 4 };
    let bad: Vec<(Die, Block)> = (0..16).filter(|&block| block != 6).map(|block| (Die(0), Block(block))).collect();
    let starts = last_run(&profile, &bad);
    let erases = starts.of(&with(&profile, |effect| *effect == Effect::Erase));
    let programs = starts.of(&with(&profile, |effect| *effect == Effect::Program));
    assert!(erases > 5 && programs > 5, "{erases} erases, {programs} programs in the last run");
}

#[test]
fn a_run_ends_soon_after_its_coverage_is_out_of_reach_and_later_runs_at_once() {
    let profile = without(|profile| with(profile, |effect| *effect == Effect::OdtEnable));
    let setup = Setup::new(&profile, &build(&profile, DEFAULT_TABLE_SEED), &[]).expect("something to propose");
    let is_open = |site: &Site<'_>| !site.lasting_states().iter().all(|state| state.odt_disabled);
    let run = |site: &mut Site<'_>, most, can_cover: Option<CanCover<'_>>| {
        let run_until = Ticks::from_us(100_000_000);
        let limits = RunLimits { run_until, max_ops: Some(most), can_cover, ..RunLimits::default() };
        let mut count = Count(&profile, Starts(vec![0; profile.bases.len()]));
        site.run(&limits, &mut count).expect("memory does not fail").ops
    };
    // The operations until the device is trapped.
    let mut site = Site::new(&setup, 3);
    let trapped = (0..).find(|_| run(&mut site, 1, None) > 0 && !is_open(&site)).expect("the device has a trap");
    let mut site = Site::new(&setup, 3);
    let ended = run(&mut site, 200_000, Some(&is_open));
    assert!(!is_open(&site) && ended < 2_000 && trapped < 2_000, "{ended}, {trapped}");
    assert_eq!(run(&mut site, 200_000, Some(&is_open)), 0);
    assert_eq!(run(&mut Site::new(&setup, 3), 3_000, Some(&|_: &Site<'_>| true)), 3_000);
}
