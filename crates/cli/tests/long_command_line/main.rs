//! The program as its users meet it, where that takes long: all of its help, parts of runs, damaged manifests, kills at any instant.
#![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]

mod cuts;
mod help;
mod inside;
mod killed;
#[path = "../command_line/runner.rs"]
#[expect(dead_code, reason = "the quick tests use the rest")]
mod runner;
#[cfg(unix)]
#[path = "../command_line/running.rs"]
#[expect(dead_code, reason = "the quick tests use the rest")]
mod running;
