//! Sequences with expected data and full status, judged by the verifier, which follows data and suspensions by itself.

use std::collections::{HashMap, HashSet};
use std::io;
use std::ops::Range;

use crate::adversaries::{COUNT, adversary};
use crate::coverage_model::coverage_model;
use crate::legacy::legacy;
use crate::vary::vary;
use nandseq_generate::{RunLimits, Setup, Site, probability};
use nandseq_profile::model::{
    AddressSource, Axis, Base, DataTransfer, DeviceState, Effect, Expectations, LatchLevel, OverrideOf,
};
use nandseq_profile::{Die, PhaseKey, Profile, Ticks, builtin};
use nandseq_trace::{Cut, Operation, Sink};
use nandseq_verify::{RuleCode, Verifier};

/// What was judged.
#[derive(Default, Debug)]
struct Judged {
    operations: u64,
    /// Outputs with data, and those of which nobody can tell whose it is.
    known: u64,
    unknown: u64,
    /// Programs that found the MSB loaded.
    loaded_before: u64,
    /// Status reads that saw an axis suspended.
    suspended: u64,
    /// Recovery reads while a load was suspended on their die.
    recovered_loads: u64,
}

struct Judge<'p> {
    profile: &'p Profile,
    verifier: Verifier<'p>,
    judged: Judged,
    /// The dies of loads, by uid; those on which one is suspended.
    loads: HashMap<u64, Die>,
    suspended: HashSet<Die>,
}

/// Whether the operations of a base load a level of a page.
fn is_load(base: &Base) -> bool {
    base.effects.iter().any(|effect| effect.properties().loads_level)
}

impl Sink for Judge<'_> {
    fn operation(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        self.verifier.operation(operation);
        let judged = &mut self.judged;
        judged.operations += 1;
        judged.suspended += u64::from(operation.status.is_some() && operation.suspended.values().any(|is_so| *is_so));
        let base = &self.profile.bases[self.profile.ops[operation.op].base];
        let die = operation.targets[0].die;
        self.loads.extend(is_load(base).then_some((operation.uid, die)));
        let is_recovery = base.address == AddressSource::SuspendedProgram;
        judged.recovered_loads += u64::from(is_recovery && self.suspended.contains(&die));
        for data in operation.data {
            match base.data_transfer() {
                Some(DataTransfer::Out) if data.is_some() => judged.known += 1,
                Some(DataTransfer::Out) => judged.unknown += 1,
                Some(DataTransfer::In) | None => judged.loaded_before += u64::from(*data != Some(operation.uid)),
            }
        }
        Ok(())
    }

    fn cut(&mut self, uid: u64, _: Ticks, cut: Cut) -> io::Result<()> {
        let die = self.loads.get(&uid).copied();
        match cut {
            Cut::Suspended => self.suspended.extend(die),
            Cut::Reset => self.suspended.retain(|suspended| Some(*suspended) != die),
        }
        Ok(())
    }

    fn resumed(&mut self, uid: u64, _: Ticks, _: Ticks, _: Ticks) -> io::Result<()> {
        self.cut(uid, Ticks::ZERO, Cut::Reset)
    }
}

/// A varied device. On every third one no read names a level, and on every second one nothing is excluded while a page is loaded, so
/// that loads are suspended, and read by recovery reads.
fn varied(base: &Profile, number: u64) -> Profile {
    let mut profile = vary(base, number);
    if number % 3 == 1 {
        profile.ops.iter_mut().for_each(|op| op.reads = None);
    }
    if number % 2 == 1 {
        let of_loads = |key: &PhaseKey| profile.phase_keys[*key].base.is_some_and(|base| is_load(&profile.bases[base]));
        let latches = [LatchLevel::Lsb, LatchLevel::Csb, LatchLevel::Msb].map(DeviceState::LatchOn);
        profile.exclusions.by_op_state.retain(|(key, _)| !of_loads(key));
        profile.exclusions.by_state.retain(|(state, _)| !latches.contains(state));
        profile.probabilities.by_key.clear();
        let is_wanted = |base: &Base| {
            base.address == AddressSource::SuspendedProgram || base.has(Effect::Suspend(Axis::Program)) || is_load(base)
        };
        for (of, mass) in &mut profile.probabilities.global {
            if let OverrideOf::Base(base) = of
                && is_wanted(&profile.bases[*base])
            {
                *mass = 0.5;
            }
        }
    }
    profile
}

/// Judges `runs` runs of at most `ops` operations each, and adds them to `judged`. A device on which nothing can be proposed has none.
fn judge(stated: &Profile, seed: u64, is_directed: bool, (runs, ops): (u64, u64), judged: &mut Judged) {
    let mut profile = stated.clone();
    profile.expect(Expectations { data: true, full_status: true });
    let table = probability::of_profile(&profile, seed);
    let Ok(mut setup) = Setup::new(&profile, &table, &[]) else { return };
    if is_directed {
        setup = setup.with_coverage_model(&profile, coverage_model(&profile, &table, true));
    }
    let mut site = Site::new(&setup, seed);
    let verifier = Verifier::new(&profile, &[]);
    let mut judge = Judge {
        profile: &profile,
        verifier,
        judged: std::mem::take(judged),
        loads: HashMap::new(),
        suspended: HashSet::new(),
    };
    for _ in 0..runs {
        let limits = RunLimits { run_until: Ticks::from_us(20_000_000), max_ops: Some(ops), ..RunLimits::default() };
        if let Err(error) = site.run(&limits, &mut judge) {
            panic!("{} with seed {seed}: {error}", profile.name);
        }
        judge.verifier.end_of_file();
    }
    let broken: Vec<&str> = RuleCode::ALL
        .into_iter()
        .filter(|rule| judge.verifier.counts(*rule).findings > 0)
        .map(RuleCode::name)
        .collect();
    let first: Vec<_> = judge.verifier.findings().iter().take(3).collect();
    assert!(broken.is_empty(), "{}, seed {seed}, directed: {is_directed}: {broken:?}\n{first:#?}", profile.name);
    *judged = judge.judged;
}

/// Varied devices, adversaries and the devices that they are made of, each plain or directed in turn: what can be covered takes longer to find than a few
/// thousand operations.
fn judge_all(devices: Range<u64>, runs: u64, ops: u64) -> Judged {
    let mut bases = vec![builtin::profile()];
    bases.extend(legacy("config-2025-09.yaml"));
    bases.extend(legacy("config-2025-10.yaml"));
    let mut judged = Judged::default();
    for number in devices {
        let base = &bases[number as usize % bases.len()];
        let all = [varied(base, number), adversary(base, number % COUNT), base.clone()];
        for (at, device) in (0..).zip(all) {
            judge(&device, number, (number / 2 + at) % 2 == 0, (runs, ops), &mut judged);
        }
    }
    judged
}

#[test]
fn data_and_status_are_as_the_verifier_follows_them() {
    let judged = judge_all(0..14, 2, 3_000);
    assert!(judged.operations > 200_000 && judged.known > 15_000, "{judged:?}");
    assert!(judged.loaded_before > 100 && judged.suspended > 500, "{judged:?}");
    assert!(judged.recovered_loads > 10 && judged.unknown > 20, "{judged:?}");
}

/// The devices of the long test. `NANDSEQGEN_DEVICES=FROM..TO` chooses some of them, so that it can be carried out in parts.
const DEVICES: Range<u64> = 0..84;

#[test]
#[ignore = "long: cargo test --release -p nandseq-generate --test long_engine -- --ignored expected::"]
fn ten_million_operations_expect_what_the_verifier_follows() {
    let part = std::env::var("NANDSEQGEN_DEVICES").ok();
    let part = part.map(|part| part.split_once("..").and_then(|(from, to)| Some(from.parse().ok()?..to.parse().ok()?)));
    let devices = part.map_or(DEVICES, |part| part.expect("NANDSEQGEN_DEVICES is FROM..TO"));
    let share = devices.end - devices.start;
    let judged = judge_all(devices, 4, 12_000);
    assert!(judged.operations * DEVICES.end > 10_000_000 * share, "{judged:?}");
    assert!(judged.known * DEVICES.end > 500_000 * share, "{judged:?}");
}

#[test]
fn a_device_whose_reads_name_no_level_expects_nothing_of_them() {
    let mut profile = builtin::profile();
    profile.ops.iter_mut().for_each(|op| op.reads = None);
    let mut judged = Judged::default();
    judge(&profile, 1, false, (2, 20_000), &mut judged);
    assert!(judged.unknown > 100 && judged.known > 100, "{judged:?}");
}
