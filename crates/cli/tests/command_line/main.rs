//! The program as its users meet it: run as a process, judged by exit code, text and files.
#![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]

mod campaigns;
mod closing;
mod console;
mod cuts;
mod dry_runs;
mod extending;
mod help;
mod inputs;
mod judging;
mod killed;
mod lists;
mod outputs;
mod parquet;
mod profiles;
mod readme;
mod replaying;
mod reporting;
mod resuming;
mod runner;
#[cfg(unix)]
mod running;
mod shards;
mod signals;
mod stranger;
mod summaries;
mod usage;
mod writers;
