//! Reports a run: each operation to the sink, and the sums to the caller.

mod reason;
mod reporter;
mod summary;

pub use reason::{RefusalReason, Rejections};
pub(crate) use reporter::Reporter;
pub use summary::RunSummary;
