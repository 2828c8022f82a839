//! One long run of a device, compared with the pairs that are called reachable.
//!
//! `cargo run --release -p nandseq-generate --example coverage -- --operations 10000000 --seed 1`
//!
//! Exits with 1 when a pair of phase key and op name that is called reachable was never proposed, or one that is called
//! unreachable was. `--list` prints every pair that was proposed fewer than 12 times;
//! `--profile PATH` takes another device than the built-in one.

#[path = "../tests/support/coverage.rs"]
mod coverage;

use std::process::ExitCode;

use coverage::Coverage;
use nandseq_generate::probability::DEFAULT_TABLE_SEED;
use nandseq_profile::diagnostic::Styling;
use nandseq_profile::{OpId, PhaseKey, Profile, ReadOptions, SourceFile, builtin};
use nandseq_reach::Verdict;

/// The arguments.
struct Plan {
    operations: u64,
    seed: u64,
    list: bool,
    profile: Option<String>,
}

impl Plan {
    fn of_arguments() -> Result<Self, String> {
        let mut plan = Self { operations: 10_000_000, seed: 1, list: false, profile: None };
        let mut arguments = std::env::args().skip(1);
        while let Some(flag) = arguments.next() {
            if flag == "--list" {
                plan.list = true;
                continue;
            }
            let value = arguments.next().ok_or_else(|| format!("{flag} needs a value"))?;
            let number = || value.parse().map_err(|_| format!("{flag} needs a whole number"));
            match flag.as_str() {
                "--operations" => plan.operations = number()?,
                "--seed" => plan.seed = number()?,
                "--profile" => plan.profile = Some(value),
                _ => return Err(format!("unknown flag {flag}")),
            }
        }
        Ok(plan)
    }
}

/// Reads a device profile.
fn read(path: &str) -> Result<Profile, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    let source = SourceFile::new(path, text);
    let (profile, diagnostics) = nandseq_profile::read(&source, ReadOptions { lenient: true });
    profile.ok_or_else(|| diagnostics.render(&source, Styling::Plain))
}

#[expect(clippy::print_stdout, reason = "an example that is run for what it prints")]
fn print(profile: &Profile, what: &str, pairs: &[(PhaseKey, OpId, u64)]) {
    for &(key, op, count) in pairs {
        println!("{what}: {} × {}: {count} proposals", profile.phase_keys[key].name, profile.ops[op].name);
    }
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
    let profile = match plan.profile.as_deref().map_or_else(|| Ok(builtin::profile()), read) {
        Ok(profile) => profile,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    let coverage = Coverage::of_run(&profile, DEFAULT_TABLE_SEED, plan.seed, plan.operations);
    let (missed, wrong) = (coverage.rare(1), coverage.wrong());
    print(&profile, "called reachable, never proposed", &missed);
    print(&profile, "called unreachable, proposed", &wrong);
    if plan.list {
        print(&profile, "rare", &coverage.rare(12));
    }
    println!(
        "{} operations, {} proposals: {} pairs reachable ({} proposed fewer than 12 times, {} never), {} by coincidence, {} \
         unreachable ({} proposed); {} states",
        coverage.hits.operations,
        coverage.hits.counts.values().sum::<u64>(),
        coverage.with(|verdict| verdict == Verdict::Reachable),
        coverage.rare(12).len(),
        missed.len(),
        coverage.with(|verdict| verdict == Verdict::Coincidence),
        coverage.with(|verdict| matches!(verdict, Verdict::Unreachable(_))),
        wrong.len(),
        coverage.universe.states(),
    );
    if missed.is_empty() && wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
