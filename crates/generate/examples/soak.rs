//! Many operations of random devices, judged as they are generated.
//!
//! `cargo run --release -p nandseq-generate --example soak -- --operations 50000000 --profiles 200 --seed 1`
//!
//! Every profile is a variation of the built-in device (every second one of the predecessor's configuration, where that is
//! there), generates the same share of the operations over several runs, and is judged in memory. Exits with 1 when a rule is
//! broken or the engine gives up; each line names the profile and its seed. To repeat it alone: `--first N --profiles 1`, the
//! same `--seed`, and as many `--operations` as there were for each profile.
//! `--adversaries` takes mixes that hurt instead: suspend storms, reset rain, devices of two blocks, and more.
//! `--plans` carries out a random test plan on each: two phases with shares, scenarios and, in the first, addresses.

#[path = "../tests/support/adversaries.rs"]
mod adversaries;
#[path = "../tests/support/legacy.rs"]
mod legacy;
#[path = "../tests/support/random_plans.rs"]
mod random_plans;
#[path = "../tests/support/vary.rs"]
mod vary;

use std::process::ExitCode;

use adversaries::adversary;
use legacy::legacy;
use nandseq_generate::{RunLimits, Setup, Site, probability};
use nandseq_profile::{Block, Die, Profile, Ticks, builtin};
use nandseq_verify::{RuleCode, Verifier};
use random_plans::random_phases;
use vary::vary;

/// The arguments.
struct Plan {
    operations: u64,
    profiles: u64,
    seed: u64,
    /// The number of the first profile.
    first: u64,
    /// Whether the profiles are adversaries instead of variations.
    adversaries: bool,
    /// Whether each carries out a random test plan.
    plans: bool,
}

impl Plan {
    fn of_arguments() -> Result<Self, String> {
        let mut plan =
            Self { operations: 1_000_000, profiles: 200, seed: 1, first: 0, adversaries: false, plans: false };
        let mut arguments = std::env::args().skip(1);
        while let Some(flag) = arguments.next() {
            let switch = match flag.as_str() {
                "--adversaries" => Some(&mut plan.adversaries),
                "--plans" => Some(&mut plan.plans),
                _ => None,
            };
            if let Some(switch) = switch {
                *switch = true;
                continue;
            }
            let value = arguments.next().and_then(|text| text.parse().ok());
            let value = value.ok_or_else(|| format!("{flag} needs a whole number"))?;
            match flag.as_str() {
                "--operations" => plan.operations = value,
                "--profiles" => plan.profiles = value,
                "--seed" => plan.seed = value,
                "--first" => plan.first = value,
                _ => return Err(format!("unknown flag {flag}")),
            }
        }
        if plan.profiles == 0 { Err("--profiles needs at least 1".to_owned()) } else { Ok(plan) }
    }
}

/// The number of runs of a site.
const RUNS: u64 = 4;
/// Simulated time of a run: enough for all its operations on all but the idlest devices.
const RUN_US: u64 = 1_000_000_000;

/// The result of one profile.
struct Outcome {
    operations: u64,
    /// Broken rules and the first finding, or the error that ended a run.
    broken: Option<String>,
}

fn soak(profile: &Profile, number: u64, plan: &Plan) -> Outcome {
    let blocks = profile.topology.blocks_per_die;
    let bad: Vec<(Die, Block)> = (0..(number as u32 % 3).min(blocks - 1)).map(|at| (Die(0), Block(at))).collect();
    let seed = plan.seed.wrapping_mul(1_000_003).wrapping_add(number);
    let table = probability::of_profile(profile, seed);
    let mut verifier = Verifier::new(profile, &bad);
    let Ok(setup) = Setup::new(profile, &table, &bad) else { return Outcome { operations: 0, broken: None } };
    let phases = if plan.plans { random_phases(&setup, profile, number) } else { [setup.clone(), setup] };
    let mut site = Site::new(&phases[0], seed);
    let max_ops = Some(plan.operations.div_ceil(plan.profiles * RUNS));
    for run in 0..RUNS {
        if plan.plans && run == RUNS / 2 {
            site.enter(&phases[1]);
        }
        let limits = RunLimits { run_until: Ticks::from_us(RUN_US), max_ops, ..RunLimits::default() };
        if let Err(error) = site.run(&limits, &mut verifier) {
            let broken = format!("seed {seed}, after {} operations: {error}", verifier.operations());
            return Outcome { operations: verifier.operations(), broken: Some(broken) };
        }
        verifier.end_of_file();
    }
    let counts = RuleCode::ALL.map(|rule| (rule.name(), verifier.counts(rule).findings));
    let broken: Vec<_> = counts.into_iter().filter(|(_, findings)| *findings > 0).collect();
    let first = verifier.findings().iter().min_by_key(|finding| finding.place);
    let broken = (!verifier.is_clean()).then(|| format!("seed {seed} breaks {broken:?}; first: {first:#?}"));
    Outcome { operations: verifier.operations(), broken }
}

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "an example that is run for what it prints")]
fn main() -> ExitCode {
    let plan = match Plan::of_arguments() {
        Ok(plan) => plan,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    let mut devices = vec![builtin::profile()];
    devices.extend(legacy("config-2025-09.yaml"));
    let (mut operations, mut idle, mut broken) = (0, 0, 0);
    for number in plan.first..plan.first + plan.profiles {
        let device = &devices[number as usize % devices.len()];
        let profile = if plan.adversaries { adversary(device, number / 2) } else { vary(device, number) };
        let outcome = soak(&profile, number, &plan);
        operations += outcome.operations;
        idle += u64::from(outcome.operations == 0);
        if let Some(what) = outcome.broken {
            broken += 1;
            println!("profile {number}: {what}");
        }
        if (number - plan.first) % 20 == 19 {
            println!("{} profiles, {operations} operations", number - plan.first + 1);
        }
    }
    println!(
        "{operations} operations of {} profiles ({idle} propose nothing): {broken} profiles break a rule or end in an error",
        plan.profiles
    );
    if broken == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
