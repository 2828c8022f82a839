//! Operations until shares of a universe are covered: plain against directed, and against drawing bins at random.
//!
//! `cargo run --release -p nandseq-generate --example closure -- --most 20 --seeds 3`
//!
//! Prints a table in Markdown: for each share the median over the seeds (1, 2, …), in operations and in multiples of N, the
//! number of bins. `--most M` gives up after M × N operations; `--profile PATH` takes another device than the built-in one;
//! `--directed` leaves plain generation out; `--holes` lists the uncovered bins of the last directed site.

#[path = "../tests/support/coverage_model.rs"]
mod coverage_model;

use std::io;
use std::process::ExitCode;

use coverage_model::coverage_model;
use nandseq_generate::closure::CoverageModel;
use nandseq_generate::probability::{self, DEFAULT_TABLE_SEED, Distributions};
use nandseq_generate::{RunLimits, Setup, Site};
use nandseq_profile::diagnostic::Styling;
use nandseq_profile::{Profile, ReadOptions, SourceFile, Ticks, builtin};
use nandseq_trace::{Operation, Sink};

/// The shares, in percent.
const SHARES: [u64; 6] = [50, 80, 90, 95, 99, 100];

/// The arguments.
struct Plan {
    profile: Option<String>,
    seeds: u64,
    most: u64,
    directed: bool,
    list: bool,
}

impl Plan {
    fn of_arguments() -> Result<Self, String> {
        let mut plan = Self { profile: None, seeds: 3, most: 20, directed: false, list: false };
        let mut arguments = std::env::args().skip(1);
        while let Some(flag) = arguments.next() {
            match flag.as_str() {
                "--uncovered" => plan.list = true,
                "--directed" => plan.directed = true,
                _ => plan.take(&flag, arguments.next())?,
            }
        }
        Ok(plan)
    }

    fn take(&mut self, flag: &str, value: Option<String>) -> Result<(), String> {
        let value = value.ok_or_else(|| format!("{flag} needs a value"))?;
        let number = || value.parse().map_err(|_| format!("{flag} needs a whole number"));
        match flag {
            "--profile" => self.profile = Some(value),
            "--seeds" => self.seeds = number()?,
            "--most" => self.most = number()?,
            _ => return Err(format!("unknown flag {flag}")),
        }
        Ok(())
    }

    /// The device and its probability table.
    fn device(&self) -> Result<(Profile, Distributions), String> {
        let profile = match &self.profile {
            None => builtin::profile(),
            Some(path) => {
                let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
                let source = SourceFile::new(path, text);
                let (profile, diagnostics) = nandseq_profile::read(&source, ReadOptions { lenient: true });
                profile.ok_or_else(|| diagnostics.render(&source, Styling::Plain))?
            }
        };
        let table = probability::of_profile(&profile, DEFAULT_TABLE_SEED);
        Ok((profile, table))
    }
}

struct Nothing;

impl Sink for Nothing {
    fn operation(&mut self, _: &Operation<'_>) -> io::Result<()> {
        Ok(())
    }
}

/// The operations of one site until each share is covered; `None` where the limit came first.
///
/// The runs of a site continue one another, so that one site gives all shares; each run completes what is in flight, which
/// adds a few operations.
fn operations(site: &mut Site<'_>, bins: u64, most: u64) -> Vec<Option<u64>> {
    let mut ops = 0;
    let mut reach = |percent: u64| {
        let until = (bins * percent).div_ceil(100);
        let max_ops = Some((most * bins).saturating_sub(ops));
        let run_until = Ticks::from_us(1_000_000_000_000);
        let limits = RunLimits { run_until, max_ops, until_covered: Some(until), ..RunLimits::default() };
        ops += site.run(&limits, &mut Nothing).expect("memory does not fail").ops;
        site.reached().filter(|reached| reached.hit >= until).map(|_| ops)
    };
    SHARES.into_iter().map(&mut reach).collect()
}

/// The median over some sites; a share that was not reached counts as more than any number.
fn median(mut all: Vec<Option<u64>>) -> Option<u64> {
    all.sort_by_key(|ops| ops.unwrap_or(u64::MAX));
    all[all.len() / 2]
}

fn table_cell(ops: Option<u64>, bins: u64, most: u64) -> String {
    match ops {
        Some(ops) => format!("{ops} = {:.2} N", ops as f64 / bins as f64),
        None => format!("> {most} N"),
    }
}

/// The expected number of draws of bins, each as likely as any other, until a share of them has come up.
fn collector(bins: u64, percent: u64) -> u64 {
    let missing = bins - (bins * percent).div_ceil(100);
    (missing + 1..=bins).map(|left| bins as f64 / left as f64).sum::<f64>() as u64
}

#[expect(clippy::print_stdout, reason = "an example that is run for what it prints")]
fn compare(plan: &Plan) -> Result<(), String> {
    let (profile, table) = plan.device()?;
    let setup = |directed| {
        let setup = Setup::new(&profile, &table, &[]).map_err(|error| error.to_string())?;
        let model: CoverageModel = coverage_model(&profile, &table, directed);
        let bins = model.bin_count();
        Ok::<_, String>((setup.with_coverage_model(&profile, model), bins))
    };
    let ((plain, bins), (directed, _)) = (setup(false)?, setup(true)?);
    let mut found = [Vec::new(), Vec::new()];
    let mut uncovered = Vec::new();
    for seed in 1..=plan.seeds {
        for (setup, all) in [&plain, &directed].into_iter().zip(&mut found).skip(usize::from(plan.directed)) {
            let mut site = Site::new(setup, seed);
            all.push(operations(&mut site, bins, plan.most));
            uncovered = site.uncovered();
        }
    }
    println!("N = {bins}, median of {} seeds\n", plan.seeds);
    println!("| covered | ideal | drawn at random | plain | directed |\n| --- | --- | --- | --- | --- |");
    for (at, percent) in SHARES.into_iter().enumerate() {
        let of = |all: &Vec<Vec<Option<u64>>>| match all.len() {
            0 => "–".to_owned(),
            _ => table_cell(median(all.iter().map(|site| site[at]).collect()), bins, plan.most),
        };
        let ideal = (bins * percent).div_ceil(100);
        let random = table_cell(Some(collector(bins, percent)), bins, plan.most);
        println!("| {percent} % | {ideal} | {random} | {} | {} |", of(&found[0]), of(&found[1]));
    }
    for bin in uncovered.into_iter().filter(|_| plan.list) {
        let (key, op) = (&profile.phase_keys[bin.key].name, &profile.ops[bin.op].name);
        println!("{key}\t{op}\t{}", bin.time_bin);
    }
    Ok(())
}

#[expect(clippy::print_stderr, reason = "an example that is run for what it prints")]
fn main() -> ExitCode {
    match Plan::of_arguments().and_then(|plan| compare(&plan)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}
