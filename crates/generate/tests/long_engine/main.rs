//! The engine over many varied devices, seeds and plans: one program, so that its tests share both cores and what they compile.

#[path = "../support/addresses.rs"]
mod address_watch;
mod addresses;
#[path = "../support/adversaries.rs"]
mod adversaries;
mod boundaries;
mod closure;
mod coverage;
#[path = "../support/coverage_model.rs"]
mod coverage_model;
#[path = "../support/coverage.rs"]
mod coverage_of_table;
mod expected;
#[path = "../support/legacy.rs"]
mod legacy;
mod liveness;
#[path = "../support/matcher.rs"]
mod matcher;
mod mix;
#[path = "../support/random_plans.rs"]
mod random_plans;
mod runs;
mod scenarios;
#[path = "../support/mix.rs"]
mod share_mix;
mod shares;
mod soak;
#[path = "../support/vary.rs"]
mod vary;
