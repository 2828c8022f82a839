//! Sorting more rows than memory should hold.
//!
//! Memory stays within a [`Budget`], whatever the number of rows. Rows that do not fit are written to temporary files without a
//! name, so even a process that is killed leaves nothing behind. Leaves out the meaning of rows.
//!
//! [`ordered::Ordered`] gives out rows as soon as no smaller row can come. [`counter::Counter`] counts equal keys and gives them
//! out in order at the end.

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
