//! Tests the verifier on tables: `cargo run --release -p nandseq-mutants --example table_mutants -- PROFILE SITE [EACH]`.
//!
//! Damages the tables of a site whose tables are right, each way at a few places (5), and prints what was found.
//! `PROFILE` is a file, or `built-in`. Exits with 1 if a verdict is wrong.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the place for it")]

use std::path::Path;
use std::process::ExitCode;

use nandseq_mutants::{MutationResults, run_on_tables};
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
    let [name, site, rest @ ..] = arguments else {
        return Err("usage: table_mutants PROFILE SITE [EACH]".to_owned());
    };
    let each = rest.first().map_or(Ok(5), |text| text.parse()).map_err(|_| "EACH is no number".to_owned())?;
    run_on_tables(&profile(name)?, &[], Path::new(site), each).map_err(|error| error.to_string())
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
