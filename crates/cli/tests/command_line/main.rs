//! The program as its users meet it: run as a process, judged by exit code, text and files.
#![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]

mod any_bytes;
mod campaigns;
mod closing;
mod console;
mod continuing;
mod dead;
mod dry_runs;
mod explaining;
mod extending;
mod given_files;
mod inputs;
mod judging;
mod lists;
mod named_outputs;
mod names;
mod other_campaigns;
mod outputs;
mod packed;
mod parquet;
mod profiles;
mod readme;
mod renaming;
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
mod unfinished;
mod usage;
mod writers;
