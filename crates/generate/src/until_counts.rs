//! How much of the device is programmed and erased, kept up to date during a run whose phase ends at such a share.
//!
//! Without such a goal nothing is counted.

use nandseq_device::{BlockRecord, BlockStage, Device, Place, Tables};
use nandseq_plan::model::WHOLE;

/// The pages and blocks of the good blocks.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct UntilCounts {
    /// Good blocks.
    blocks: u64,
    /// Their programmed pages.
    programmed: u64,
    /// Those that are erased and not yet programmed.
    erased: u64,
}

impl UntilCounts {
    /// Counts all blocks.
    pub(crate) fn of(device: &Device) -> Self {
        device.book.records().iter().filter(|record| record.stage != BlockStage::Bad).map(Self::of_block).sum()
    }

    fn of_block(record: &BlockRecord) -> Self {
        let erased = u64::from(matches!(record.stage, BlockStage::Erased(_)));
        Self { blocks: 1, programmed: record.pages.into(), erased }
    }

    /// The counts of the blocks of a place alone.
    pub(crate) fn at(device: &Device, tables: &Tables, place: &Place) -> Self {
        // An operation that addresses no block may be on planes that have none.
        let blocks = place.planes.iter().map(|plane| place.block(&tables.size, plane));
        let records =
            blocks.filter(|block| block.0 < tables.size.blocks).map(|block| device.book.record(place.die, block));
        records.filter(|record| record.stage != BlockStage::Bad).map(Self::of_block).sum()
    }

    /// Replaces the counts of some blocks.
    pub(crate) const fn replace(&mut self, before: Self, after: Self) {
        self.blocks = self.blocks + after.blocks - before.blocks;
        self.programmed = self.programmed + after.programmed - before.programmed;
        self.erased = self.erased + after.erased - before.erased;
    }

    /// Whether so many millionths of the pages are programmed.
    pub(crate) fn has_programmed(&self, share: u32, pages_per_block: u16) -> bool {
        is_share(self.programmed, self.blocks * u64::from(pages_per_block), share)
    }

    /// Whether so many millionths of the blocks are erased and not yet programmed.
    pub(crate) fn has_erased(&self, share: u32) -> bool {
        is_share(self.erased, self.blocks, share)
    }
}

impl std::iter::Sum for UntilCounts {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, one| Self {
            blocks: sum.blocks + one.blocks,
            programmed: sum.programmed + one.programmed,
            erased: sum.erased + one.erased,
        })
    }
}

/// Whether a part is at least so many millionths of the whole.
pub(crate) fn is_share(part: u64, whole: u64, share: u32) -> bool {
    u128::from(part) * u128::from(WHOLE) >= u128::from(whole) * u128::from(share)
}
