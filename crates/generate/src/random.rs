//! The only randomness: streams of numbers, and the seeds that name them.

mod philox;
mod seed;

pub use philox::{Stream, StreamKind};
pub use seed::{SeedPlan, mix};
