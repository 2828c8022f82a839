//! What may be done with a block, as the sets of the address book file it.

/// What may be done with a block.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Uses {
    /// Whether it may be erased.
    pub(super) free: bool,
    /// The cell types with which its next page may be programmed, one bit each, and its class in the book's sets of next pages, which
    /// means something if there is one.
    pub(super) next_as: u8,
    pub(super) next_class: u8,
    pub(super) next_page: u16,
    /// The cell type as which it may be read, one bit, and how many pages from 0.
    pub(super) read_as: u8,
    pub(super) read_pages: u16,
}

/// Bit lengths of a page count 1..=65535 are 1..=16.
pub(super) const LENGTHS: usize = 17;
