//! The operations of one simulated second of a device, over many seeds: how often each name comes, which names are missing, and
//! the share of each base.
//!
//! `cargo run --release -p nandseq-generate --example mix -- --seeds 200`
//!
//! Prints every base with its share and the names that are rarest, then every name that a second lacks although the rules
//! can reach it; exits with 1 when there is one. `--profile PATH` takes another device, `--us N` another time, `--table` prints
//! the mean count of every name.

use std::collections::BTreeMap;
use std::io;
use std::process::ExitCode;

use nandseq_generate::probability::{DEFAULT_TABLE_SEED, of_profile};
use nandseq_generate::{RunLimits, Setup, Site};
use nandseq_profile::diagnostic::Styling;
use nandseq_profile::{OpId, Profile, ReadOptions, SourceFile, Ticks, builtin};
use nandseq_reach::Universe;
use nandseq_trace::{Operation, Sink};

/// The arguments.
struct Plan {
    seeds: u64,
    first: u64,
    us: u64,
    table: bool,
    profile: Option<String>,
}

impl Plan {
    fn of_arguments() -> Result<Self, String> {
        let mut plan = Self { seeds: 20, first: 0, us: 1_000_000, table: false, profile: None };
        let mut arguments = std::env::args().skip(1);
        while let Some(flag) = arguments.next() {
            if flag == "--table" {
                plan.table = true;
                continue;
            }
            let value = arguments.next().ok_or_else(|| format!("{flag} needs a value"))?;
            let number = || value.parse().map_err(|_| format!("{flag} needs a whole number"));
            match flag.as_str() {
                "--seeds" => plan.seeds = number()?,
                "--first" => plan.first = number()?,
                "--us" => plan.us = number()?,
                "--profile" => plan.profile = Some(value),
                _ => return Err(format!("unknown flag {flag}")),
            }
        }
        if plan.seeds == 0 { Err("--seeds needs at least 1".to_owned()) } else { Ok(plan) }
    }
}

/// Reads a device profile.
fn read(path: &str) -> Result<Profile, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    let source = SourceFile::new(path, text);
    let (profile, diagnostics) = nandseq_profile::read(&source, ReadOptions { lenient: true });
    profile.ok_or_else(|| diagnostics.render(&source, Styling::Plain))
}

/// How often each name occurred.
struct Names(Vec<u64>);

impl Sink for Names {
    fn operation(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        self.0[usize::from(operation.op.0)] += 1;
        Ok(())
    }
}

/// One second of each seed.
fn seconds(profile: &Profile, plan: &Plan) -> Result<(Vec<OpId>, Vec<Names>), String> {
    let table = of_profile(profile, DEFAULT_TABLE_SEED);
    let universe = Universe::new(profile, &table);
    let can_run = profile.ops.ids().filter(|&op| universe.can_run(op)).collect();
    let setup = Setup::new(profile, &table, &[]).map_err(|error| error.to_string())?;
    let limits = RunLimits { run_until: Ticks::from_us(plan.us), ..RunLimits::default() };
    let run = |seed| {
        let mut names = Names(vec![0; profile.ops.len()]);
        Site::new(&setup, seed).run(&limits, &mut names).map_err(|error| error.to_string())?;
        Ok(names)
    };
    let all: Result<_, String> = (plan.first..plan.first + plan.seeds).map(run).collect();
    Ok((can_run, all?))
}

#[expect(clippy::print_stdout, reason = "an example that is run for what it prints")]
fn print(profile: &Profile, plan: &Plan, can_run: &[OpId], seconds: &[Names]) -> bool {
    let count = |op: OpId| seconds.iter().map(|names| names.0[usize::from(op.0)]).sum::<u64>();
    let mean = |count: u64| count as f64 / seconds.len() as f64;
    let all: u64 = profile.ops.ids().map(count).sum();
    let mut bases: BTreeMap<&str, (u64, u64, &str)> = BTreeMap::new();
    for &op in can_run {
        let (name, count) = (profile.ops[op].name.as_str(), count(op));
        let base = bases.entry(&profile.bases[profile.ops[op].base].name).or_insert((0, u64::MAX, ""));
        base.0 += count;
        if count < base.1 {
            (base.1, base.2) = (count, name);
        }
        if plan.table {
            println!("name {name} {:.2}", mean(count));
        }
    }
    for (base, (count, rarest, name)) in bases {
        let share = 100.0 * count as f64 / all as f64;
        println!("{base}: {share:.2} %, {:.1} a second; rarest {name}, {:.1}", mean(count), mean(rarest));
    }
    let mut missing = 0;
    for (seed, names) in (plan.first..).zip(seconds) {
        for &op in can_run.iter().filter(|op| names.0[usize::from(op.0)] == 0) {
            println!("seed {seed} lacks {}", profile.ops[op].name);
            missing += 1;
        }
    }
    println!(
        "{} seconds of {:.0} operations, {} names that can run: {missing} missing",
        seconds.len(),
        mean(all),
        can_run.len()
    );
    missing == 0
}

#[expect(clippy::print_stderr, reason = "an example that is run for what it prints")]
fn main() -> ExitCode {
    let result = Plan::of_arguments().and_then(|plan| {
        let profile = plan.profile.as_deref().map_or_else(|| Ok(builtin::profile()), read)?;
        let (can_run, seconds) = seconds(&profile, &plan)?;
        Ok(print(&profile, &plan, &can_run, &seconds))
    });
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}
