//! Judges sequences from the command line: `cargo run --release -p nandseq-verify --example judge -- PROFILE PATH…`.
//!
//! `PROFILE` is a file, or `built-in`. Prints the verdict and the rate; exits with 1 if a rule is broken.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the place for it")]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use nandseq_input::CsvFiles;
use nandseq_profile::{Profile, ReadOptions, SourceFile, builtin, read};
use nandseq_verify::{Options, run};

fn profile(name: &str) -> Result<Profile, String> {
    if name == "built-in" {
        return Ok(builtin::profile());
    }
    let text = std::fs::read_to_string(name).map_err(|error| format!("cannot read `{name}`: {error}"))?;
    let (profile, diagnostics) = read(&SourceFile::new(name, &*text), ReadOptions::default());
    profile.ok_or_else(|| format!("{diagnostics:?}"))
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let Some(name) = arguments.next() else {
        eprintln!("usage: judge PROFILE PATH…");
        return ExitCode::from(2);
    };
    let paths: Vec<PathBuf> = arguments.map(PathBuf::from).collect();
    let start = Instant::now();
    let report = profile(&name).and_then(|profile| {
        let options = Options { bad_blocks: &[], source: &CsvFiles, max_findings: 3, stop: None };
        run(&profile, &paths, &options).map_err(|error| error.to_string())
    });
    match report {
        Ok(report) => {
            let seconds = start.elapsed().as_secs_f64();
            print!("{report}");
            println!("{:.2} s, {:.0} operations/s", seconds, report.operations() as f64 / seconds);
            if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(message) => {
            eprintln!("{message}");
            ExitCode::from(2)
        }
    }
}
