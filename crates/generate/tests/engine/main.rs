//! The engine, by what it generates: one program, so that what is generic over the sink is compiled once.

#[path = "../support/addresses.rs"]
mod address_watch;
mod addresses;
mod bootstrap;
#[path = "../support/coverage_model.rs"]
mod coverage_model;
#[path = "../support/matcher.rs"]
mod matcher;
mod phenomena;
mod scenarios;
#[path = "../support/mix.rs"]
mod share_mix;
mod shares;
mod snapshots;
mod suspension;
mod traps;
#[path = "../support/vary.rs"]
mod vary;
mod write_protect;
