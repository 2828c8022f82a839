//! The program as its users meet it, where that takes long: whole campaigns, reports, damaged manifests, kills at any instant.
#![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]

mod absences;
mod campaigns;
mod closing;
mod console;
mod continuing;
mod cuts;
mod dead;
mod dry_runs;
mod elsewhere;
mod explaining;
mod explaining_plans;
mod extending;
mod given_files;
mod help;
#[path = "../command_line/in_phases.rs"]
mod in_phases;
mod inside;
mod judging;
mod killed;
mod lists;
mod merging;
mod named_outputs;
mod naming;
mod one_campaign;
mod other_campaigns;
mod outputs;
mod packed;
mod parquet;
mod phases;
mod plan_counting;
mod reporting;
#[path = "../command_line/runner.rs"]
mod runner;
#[cfg(unix)]
#[path = "../command_line/running.rs"]
mod running;
mod same_content;
mod scenarios;
mod shrink_cut_short;
mod summaries;
mod unfinished;
