//! Whose data pages, latches and registers hold: what a tester should see when data is put out.
//!
//! A datum is named by the uid of the operation that brought it into the device. [`DataContents`] hears of the starts, cuts and ends of
//! the operations that a [`Device`](crate::Device) carries out, and changes nothing of it. Whether a register, a latch or a page holds
//! anything, the device knows; what is said here of one that holds nothing has no meaning. Nobody makes such contents unless data is
//! asked for.

mod blocks;
mod contents;
mod rules;

pub use blocks::{BlockData, Datum, LevelData};
pub use contents::{DataContents, HeldData, NOT_LOADED, PlaneData};
pub use rules::DataRules;
