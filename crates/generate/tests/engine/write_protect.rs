//! Write protect: nothing that it forbids starts while it is on, and everything goes on when it is off again.

use crate::vary::{protect, vary};
use nandseq_generate::probability::{DEFAULT_TABLE_SEED, of_profile};
use nandseq_generate::{RunLimits, Setup, Site};
use nandseq_profile::model::{ArrayWork, Effect, OverrideOf};
use nandseq_profile::{OpId, Profile, Ticks, builtin};
use nandseq_trace::{Operation, Sink};
use nandseq_verify::Verifier;

/// What starts, by name, in order; the verifier sees it too.
struct Seen<'p> {
    verifier: Verifier<'p>,
    ops: Vec<OpId>,
}

impl Sink for Seen<'_> {
    fn operation(&mut self, operation: &Operation<'_>) -> std::io::Result<()> {
        self.ops.push(operation.op);
        self.verifier.operation(operation);
        Ok(())
    }
}

/// The operations of two runs, which the verifier finds clean.
fn clean(profile: &Profile, seed: u64, operations: u64) -> Vec<OpId> {
    let setup = Setup::new(profile, &of_profile(profile, DEFAULT_TABLE_SEED), &[]).expect("something to propose");
    let mut site = Site::new(&setup, seed);
    let mut seen = Seen { verifier: Verifier::new(profile, &[]), ops: Vec::new() };
    for _ in 0..2 {
        let limits =
            RunLimits { run_until: Ticks::from_us(2_000_000), max_ops: Some(operations), ..RunLimits::default() };
        site.run(&limits, &mut seen).expect("the run ends by itself");
        seen.verifier.end_of_file();
    }
    assert!(seen.verifier.is_clean(), "{}, seed {seed}: {:?}", profile.name, seen.verifier.findings().first());
    seen.ops
}

/// One die of the built-in device, whose write protect is switched often.
fn protected() -> Profile {
    let mut profile = builtin::profile();
    protect(&mut profile);
    profile.topology.dies = 1;
    let bases = profile.bases.clone();
    let switches = |of: &OverrideOf| match *of {
        OverrideOf::Base(base) => bases[base].has(Effect::WriteProtectOn) || bases[base].has(Effect::WriteProtectOff),
        OverrideOf::Op(_) => false,
    };
    let probabilities = &mut profile.probabilities;
    let lists = probabilities.by_key.iter_mut().map(|(_, list)| list).chain([&mut probabilities.global]);
    lists.flatten().filter(|(of, _)| switches(of)).for_each(|(_, mass)| *mass *= 10.0);
    profile
}

fn has(profile: &Profile, op: OpId, effect: Effect) -> bool {
    profile.bases[profile.ops[op].base].has(effect)
}

fn changes_array(profile: &Profile, op: OpId) -> bool {
    let mut work =
        profile.bases[profile.ops[op].base].effects.iter().filter_map(|effect| effect.properties().array_work);
    work.any(|work| work != ArrayWork::Read)
}

#[test]
fn no_erase_or_program_starts_while_write_protect_is_on_and_they_go_on_after_it() {
    let profile = protected();
    let (mut on, mut switched, mut after) = (false, 0, 0);
    for op in clean(&profile, 3, 60_000) {
        if has(&profile, op, Effect::WriteProtectOn) {
            on = true;
            switched += 1;
        }
        let forbidden = changes_array(&profile, op);
        assert!(!(on && forbidden), "{} starts while write protect is on", profile.ops[op].name);
        after += u32::from(forbidden && switched > 0);
        on &= !has(&profile, op, Effect::WriteProtectOff);
    }
    assert!(switched > 10 && after > 1_000, "on {switched} times, {after} erases and programs after the first");
}

#[test]
fn a_state_says_of_write_protect_only_where_it_is_on() {
    let states = |profile: &Profile| -> Vec<String> {
        let setup = Setup::new(profile, &of_profile(profile, DEFAULT_TABLE_SEED), &[]).expect("something to propose");
        let mut site = Site::new(&setup, 3);
        let mut seen = Seen { verifier: Verifier::new(profile, &[]), ops: Vec::new() };
        let run = |_| {
            let limits = RunLimits { run_until: Ticks::from_us(20_000), ..RunLimits::default() };
            site.run(&limits, &mut seen).expect("the run ends by itself");
            serde_json::to_string(&site.state()).expect("a state is plain data")
        };
        (0..40).map(run).collect()
    };
    assert!(states(&builtin::profile()).iter().all(|state| !state.contains("write_protected")));
    let on = states(&protected()).iter().filter(|state| state.contains("\"write_protected\":true")).count();
    assert!(on > 0 && on < 40, "on in {on} of 40 states");
}

#[test]
fn varied_devices_with_write_protect_break_no_rule_and_end_their_runs() {
    let device = builtin::profile();
    let mut switched = 0;
    for number in (4..64).step_by(5) {
        let profile = vary(&device, number);
        let ops = clean(&profile, number, 2_000);
        switched += ops.into_iter().filter(|&op| has(&profile, op, Effect::WriteProtectOn)).count();
    }
    assert!(switched > 20, "{switched} times");
}
