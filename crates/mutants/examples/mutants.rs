//! Tests the verifier: `cargo run --release -p nandseq-mutants --example mutants -- PROFILE SEQUENCE.csv [ROWS [EACH]]`.
//!
//! Damages the first rows (10,000) of a clean sequence, each way at a few places (10), and prints what was found.
//! `PROFILE` is a file, or `built-in`. Exits with 1 if a verdict is wrong.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the place for it")]

use std::fs::File;
use std::io::BufReader;
use std::process::ExitCode;

use nandseq_mutants::{MutationResults, Sequence, all, run};
use nandseq_profile::{Profile, ReadOptions, SourceFile, builtin, read};

fn profile(name: &str) -> Result<Profile, String> {
    if name == "built-in" {
        return Ok(builtin::profile());
    }
    let text = std::fs::read_to_string(name).map_err(|error| format!("cannot read `{name}`: {error}"))?;
    let (profile, diagnostics) = read(&SourceFile::new(name, &*text), ReadOptions::default());
    profile.ok_or_else(|| format!("{diagnostics:?}"))
}

fn table(arguments: &[String]) -> Result<MutationResults, String> {
    let [name, path, rest @ ..] = arguments else {
        return Err("usage: mutants PROFILE SEQUENCE.csv [ROWS [EACH]]".to_owned());
    };
    let number = |at: usize, default| rest.get(at).map_or(Ok(default), |text| text.parse::<usize>());
    let rows = number(0, 10_000).map_err(|error| error.to_string())?;
    let each = number(1, 10).map_err(|error| error.to_string())?;
    let profile = profile(name)?;
    let file = File::open(path).map_err(|error| format!("cannot read `{path}`: {error}"))?;
    let sequence = Sequence::read(&profile, BufReader::new(file), rows).map_err(|error| error.to_string())?;
    Ok(run(&profile, &[], &sequence, &all(), each))
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match table(&arguments) {
        Ok(table) => {
            print!("{table}");
            if table.is_right() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(message) => {
            eprintln!("{message}");
            ExitCode::from(2)
        }
    }
}
