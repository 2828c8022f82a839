//! One test for each rule of the device and each of its edges, on the built-in device made small.
#![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]

mod addresses;
mod bench;
mod cache;
mod data;
mod followed_data;
mod footprint;
mod occupation;
mod op_state;
mod places;
mod registers;
mod states;
mod status;
