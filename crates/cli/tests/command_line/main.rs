//! The program as its users meet it: run as a process, judged by exit code, text and files.
#![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]

mod addresses;
mod any_bytes;
mod beginnings;
mod diagnosing;
mod expected_judged;
mod expecting;
mod formats;
mod in_phases;
mod inputs;
mod names;
mod packs;
#[cfg(unix)]
mod packs_kept;
#[cfg(feature = "parquet")]
mod packs_of_tables;
mod pages;
mod phases;
mod plans;
mod profiles;
mod renaming;
mod replaying;
mod resuming;
#[expect(dead_code, reason = "the long tests use the rest")]
mod runner;
#[cfg(unix)]
mod running;
mod shards;
#[cfg(unix)]
mod shrink_answers;
#[cfg(unix)]
mod shrinking;
mod shrinking_often;
mod signals;
mod simulate;
mod stranger;
mod usage;
mod writers;
