//! The present state of one site's device, and the functions that judge, start and finish operations.
//!
//! [`Device::judge`] returns the rule that forbids an operation, and changes nothing. [`Device::start`] applies the start of an
//! operation, and asserts in debug builds that `judge` allows it. [`Device::finish`] applies its end. Only the present is kept;
//! nothing is reserved ahead. The caller owns the clock, and must have finished every operation that ends up to `now` before it
//! judges.

mod cut;
mod flights;
mod judge;
mod op_state;
mod quiescent;
mod start;
mod state;

pub use op_state::{PlanePhase, SeenStatus};
pub use quiescent::QuiescentDie;
pub use state::{Device, Flight, FlightId, SuspendedOperation};
