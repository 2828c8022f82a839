//! The random numbers of generation: streams, and the seeds from which they follow.

mod philox;
mod seed;

pub use philox::{Stream, StreamKind};
pub use seed::{SeedPlan, mix};
