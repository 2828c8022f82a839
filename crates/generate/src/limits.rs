//! How far the limits of a test plan were used.

use nandseq_device::{BlockRecord, BlockStage, DieAddresses, OpInfo, UseCounts, UseLimit};
use nandseq_profile::model::AddressSource;
use nandseq_profile::{Block, CellTypeId, Die, PlaneSet};

use crate::site::Site;

/// What a limit is of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LimitKind {
    /// Erases of a block.
    ErasesPerBlock,
    /// Reads of pages of a block.
    ReadsPerBlock,
    /// Reads of a page.
    ReadsPerPage,
    /// Blocks that are partly programmed at the same time.
    OpenBlocks,
}

impl LimitKind {
    /// Its key in a test plan.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::ErasesPerBlock => "erases_per_block",
            Self::ReadsPerBlock => "reads_per_block",
            Self::ReadsPerPage => "reads_per_page",
            Self::OpenBlocks => "open_blocks",
        }
    }
}

/// A limit in force, and how far it was used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LimitReached {
    /// The place of its entry among those in force.
    pub entry: usize,
    /// What it is of.
    pub kind: LimitKind,
    /// The limit.
    pub limit: u32,
    /// The greatest count of one block or page, over the life of the site; for open blocks, how many there are.
    pub greatest: u32,
    /// How many blocks or pages have reached the limit; for open blocks 1 if as many are open as may be.
    pub reached: u64,
}

impl Site<'_> {
    /// The limits in force and how far they were used over the life of the site, between runs; empty without limits.
    #[must_use]
    pub fn limits(&self) -> Vec<LimitReached> {
        let addresses = &self.setup.addresses;
        let Some(counts) = self.started_uses() else { return Vec::new() };
        let open = self.kernel.device.book.records().iter().filter(|record| self.is_partly_programmed(record)).count();
        let mut all = Vec::new();
        for (entry, limits) in addresses.stated.iter().enumerate() {
            let mut add = |kind, limit: Option<u32>, (greatest, reached): (u32, u64)| {
                all.extend(limit.map(|limit| LimitReached { entry, kind, limit, greatest, reached }));
            };
            let of_blocks = |limit: Option<u32>, of: &[u32]| self.used(entry, limit, |at| of.get(at).copied());
            add(LimitKind::ErasesPerBlock, limits.erases_per_block, of_blocks(limits.erases_per_block, &counts.erases));
            add(LimitKind::ReadsPerBlock, limits.reads_per_block, of_blocks(limits.reads_per_block, &counts.reads));
            add(LimitKind::ReadsPerPage, limits.reads_per_page, self.used_pages(entry, limits.reads_per_page, &counts));
            let is_reached = limits.open_blocks.is_some_and(|limit| open as u32 >= limit);
            add(LimitKind::OpenBlocks, limits.open_blocks, (open as u32, is_reached.into()));
        }
        all
    }

    /// The kinds of limits that some block or page has reached, between runs.
    pub(crate) fn used_up_kinds(&self) -> Vec<LimitKind> {
        self.limits().into_iter().filter(|limit| limit.reached > 0).map(|limit| limit.kind).collect()
    }

    /// Whether an operation finds no address on any die and limits of these kinds were reached; `None` if it draws none from the blocks.
    pub(crate) fn is_used_up(&self, op: &OpInfo, kinds: &[LimitKind]) -> Option<bool> {
        type Planes = fn(&DieAddresses<'_>, CellTypeId, PlaneSet) -> PlaneSet;
        let tables = &self.setup.tables;
        let (of, with_address): (&[LimitKind], Planes) = match tables.base(op.base).address {
            AddressSource::AnyBlock => (&[LimitKind::ErasesPerBlock], |on, _, planes| on.any_planes(planes)),
            AddressSource::NextPage => {
                (&[LimitKind::ErasesPerBlock, LimitKind::OpenBlocks], |on, cell, planes| on.next_planes(cell, planes))
            }
            AddressSource::ReadablePage => {
                (&[LimitKind::ReadsPerBlock, LimitKind::ReadsPerPage], |on, cell, planes| on.read_planes(cell, planes))
            }
            AddressSource::None
            | AddressSource::Hook
            | AddressSource::OutputRegister
            | AddressSource::PageRegister
            | AddressSource::SuspendedProgram
            | AddressSource::OneShotLatch
            | AddressSource::CopybackLatch => return None,
        };
        let device = &self.kernel.device;
        let has = |die| !with_address(&device.book.on(die), op.stated_cell_type, device.planes()).is_empty();
        Some(of.iter().any(|kind| kinds.contains(kind)) && !(0..tables.size.dies).map(Die).any(has))
    }

    fn is_partly_programmed(&self, record: &BlockRecord) -> bool {
        matches!(record.stage, BlockStage::Programmed(_)) && record.pages < self.setup.tables.size.pages
    }

    /// The greatest count of the blocks of an entry, and how many have reached a limit.
    fn used(&self, entry: usize, limit: Option<u32>, count: impl Fn(usize) -> Option<u32>) -> (u32, u64) {
        let (Some(limit), Some(of_entry)) = (limit, self.setup.addresses.limit_of(entry)) else { return (0, 0) };
        let counts = self.blocks_of(of_entry).filter_map(count);
        counts.fold((0, 0), |(most, reached), count| (most.max(count), reached + u64::from(count >= limit)))
    }

    /// The same for the pages of an entry.
    fn used_pages(&self, entry: usize, limit: Option<u32>, counts: &UseCounts) -> (u32, u64) {
        let (Some(limit), Some(of_entry)) = (limit, self.setup.addresses.limit_of(entry)) else { return (0, 0) };
        let size = &self.setup.tables.size;
        let mut used = (0, 0);
        for at in self.blocks_of(of_entry).filter(|&at| counts.page_reads.get(at).is_some_and(Option::is_some)) {
            let address = self.address(at);
            for page in (0..size.pages).filter(|&page| of_entry.has_page(size, address, page)) {
                let count = counts.reads_of_page(at, page);
                used = (used.0.max(count), used.1 + u64::from(count >= limit));
            }
        }
        used
    }

    /// The blocks of an entry by their number on the device.
    fn blocks_of(&self, entry: &UseLimit) -> impl Iterator<Item = usize> {
        let size = &self.setup.tables.size;
        (0..self.kernel.device.book.records().len()).filter(|&at| entry.has_block(size, self.address(at)))
    }

    fn address(&self, at: usize) -> (Die, Block) {
        let blocks = self.setup.tables.size.blocks as usize;
        (Die((at / blocks) as u8), Block((at % blocks) as u32))
    }
}
