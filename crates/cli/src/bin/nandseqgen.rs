//! The command `nandseqgen`.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(nandseqgen::command_line(std::env::args_os().collect()))
}
