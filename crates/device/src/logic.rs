//! The lasting state of a die: registers, latches, cache states, suspension, termination, write protect.
//!
//! It does not depend on the clock, and it is small and cheap to copy: whether a chain can still complete is found by running its
//! steps on a copy. [`DieLogic::judge`] returns the rule that forbids a step. [`DieLogic::start`] and [`DieLogic::finish`] apply
//! what the step changes at its start and at its end. Bus, occupation, op_states and blocks are elsewhere.

mod change;
mod changes;
mod judge;
mod register_change;
mod register_needs;
mod registers;
mod state;

pub(crate) use changes::Changes;
pub(crate) use register_needs::RegisterNeeds;
pub use registers::{DieRegisters, PlaneFact, PlaneLogic, Register};
pub use state::{CacheProgram, DieLogic, Loaded, Suspended};
