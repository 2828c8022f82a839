//! Sorting more rows than memory should hold.
//!
//! Promises: sorted output, memory within a [`Budget`] however many rows there are, and nothing left behind, not even by a
//! process that is killed: what does not fit goes to temporary files without a name. Leaves out what rows mean.
//!
//! Two users: [`ordered::Ordered`] lets rows pass as soon as nothing smaller can come; [`counter::Counter`] counts equal
//! keys and hands them out in order at the end.

pub(crate) mod counter;
mod groups;
mod key;
pub(crate) mod ordered;
mod record;
mod runs;
#[cfg(test)]
mod tests;

pub(crate) use key::CountKey;
pub use record::Budget;
pub(crate) use record::{ByteReader, Record};
