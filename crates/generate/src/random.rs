//! The random numbers of generation: streams, and the seeds from which they follow.

mod philox;
mod seed;

pub use philox::{RandomNumbers, Stream, StreamKind, TableStream};
pub use seed::{SeedPlan, mix};
