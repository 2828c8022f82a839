//! The address book: the record of every block, and the addresses that operations may take.
//!
//! Promises updates and draws in constant time, whatever the size of the device: blocks are kept in disjoint sets by what may be
//! done with them, so a draw is a choice of a set and of a position in it. Rules about blocks are judged by the block's own
//! record, never by the sets. The book has no randomness of its own: callers give a function that draws below a bound.

mod address_book;
mod addresses;
mod counting;
mod die_index;
mod judge;
mod limits;
mod masks;
mod page_ranges;
mod plane_set_index;
mod record;
mod region;
mod sample;
mod sets;
mod usable_planes;
mod use_counts;
mod uses;

pub use address_book::AddressBook;
pub use addresses::DieAddresses;
pub use limits::{UseLimit, UseLimits};
pub use record::{BlockRecord, BlockStage};
pub use region::AddressRegion;
pub use use_counts::{CountedUses, UseCounts};
