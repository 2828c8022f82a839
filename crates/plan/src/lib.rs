//! Test plans: what to try on a device.
//!
//! A profile says what a device is, a [`TestPlan`] says what to try on it: phases, shares of what starts, regions of addresses, and
//! scenarios. This crate reads a plan against a profile and reports all its mistakes at once. It knows nothing of simulation.

pub mod model;

pub use model::TestPlan;
