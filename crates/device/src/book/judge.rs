//! Judges the rules about blocks, by the records of the blocks.

use nandseq_profile::{Block, CellTypeId, Page, Plane};

use super::address_book::AddressBook;
use super::record::{BlockRecord, BlockStage};
use crate::place::Place;
use crate::rule::Rule;
use crate::tables::BaseInfo;

impl AddressBook {
    /// Judges the rules about blocks for an operation at `place`, by the records of the blocks.
    ///
    /// # Errors
    /// The rule that forbids it.
    pub fn judge(&self, info: &BaseInfo, place: &Place, cell: CellTypeId) -> Result<(), Rule> {
        self.judge_with(info, place, cell, |block| *self.record(place.die, block))
    }

    /// Judges as [`AddressBook::judge`] does, with other records: blocks as they will be.
    ///
    /// # Errors
    /// The rule that forbids it.
    pub fn judge_with(
        &self,
        info: &BaseInfo,
        place: &Place,
        cell: CellTypeId,
        record: impl Fn(Block) -> BlockRecord,
    ) -> Result<(), Rule> {
        if !info.has_block {
            return Ok(());
        }
        let is_inside = (place.group < self.size.groups)
            & place.planes.is_subset(self.planes_of(place.group))
            & (place.page.0 < self.size.pages)
            & (place.die.0 < self.size.dies);
        if !is_inside {
            return Err(Rule::Bounds);
        }
        if info.blocks.nothing {
            return Ok(()); // registers only: no array operation
        }
        let mut planes = place.planes.0;
        while planes != 0 {
            let record = record(place.block(&self.size, Plane(planes.trailing_zeros() as u8)));
            let may_be = self.uses.allow(info.blocks, &record, (place.page, cell));
            debug_assert_eq!(
                may_be,
                self.judge_block(info, &record, place.page, cell).is_ok(),
                "as the rules in their order say"
            );
            if !may_be {
                return self.judge_block(info, &record, place.page, cell);
            }
            planes &= planes - 1;
        }
        Ok(())
    }

    /// The rules about one block, in their order.
    #[cold]
    #[inline(never)]
    fn judge_block(&self, info: &BaseInfo, record: &BlockRecord, page: Page, cell: CellTypeId) -> Result<(), Rule> {
        use nandseq_profile::model::AddressSource as From;
        if record.stage == BlockStage::Bad {
            return Err(Rule::BadBlock);
        }
        if record.in_flight && info.address != From::SuspendedProgram {
            return Err(Rule::InFlight);
        }
        if info.effects.is_program() || info.address == From::NextPage {
            return self.judge_program(record, page, cell);
        }
        let reads = info.effects.reads_array() && info.address != From::SuspendedProgram;
        if reads { self.judge_read(record, page, cell) } else { Ok(()) }
    }

    fn judge_program(&self, record: &BlockRecord, page: Page, cell: CellTypeId) -> Result<(), Rule> {
        let fits = match record.stage {
            BlockStage::Bad | BlockStage::NotErased => return Err(Rule::ProgramBeforeErase),
            BlockStage::Erased(erased) => self.programs[erased.index()] >> cell.0 & 1 == 1,
            BlockStage::Programmed(programmed) => programmed == cell,
        };
        if page.0 != record.pages {
            return Err(Rule::ProgramOrder);
        }
        if fits { Ok(()) } else { Err(Rule::ProgramCellType) }
    }

    fn judge_read(&self, record: &BlockRecord, page: Page, cell: CellTypeId) -> Result<(), Rule> {
        let BlockStage::Programmed(programmed) = record.stage else { return Err(Rule::ReadBeforeProgram) };
        if u32::from(page.0).saturating_add(self.offset_guard) >= u32::from(record.pages) {
            return Err(Rule::ReadBeforeProgram);
        }
        if programmed == cell { Ok(()) } else { Err(Rule::ReadCellType) }
    }
}
