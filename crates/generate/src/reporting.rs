//! What is told of a run: to the sink, operation by operation; to the caller, in sum. Decides nothing.

mod reason;
mod reporter;
mod summary;

pub use reason::{RefusalReason, Rejections};
pub(crate) use reporter::Reporter;
pub use summary::RunSummary;
