//! The state of every block.

use nandseq_profile::model::Topology;
use nandseq_profile::{Block, CellTypeId, Die, Page};

use crate::finding::StartedOperation;

/// The content of a block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum BlockContent {
    /// Never erased, or an erase or program of it was cut.
    NotErased,
    /// Erased as this cell type, nothing programmed.
    Erased(CellTypeId),
    /// Programmed up to this page with this cell type.
    Programmed(Page, CellTypeId),
}

/// A block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BlockState {
    pub(crate) bad: bool,
    pub(crate) content: BlockContent,
    /// The operation that changed it last.
    pub(crate) by: Option<StartedOperation>,
}

/// All blocks of a device.
#[derive(Clone, Debug)]
pub(crate) struct Blocks {
    per_die: usize,
    blocks: Vec<BlockState>,
}

impl Blocks {
    /// Bad blocks that the device does not have are ignored.
    pub(crate) fn new(topology: Topology, bad: &[(Die, Block)]) -> Self {
        let per_die = topology.blocks_per_die as usize;
        let fresh = BlockState { bad: false, content: BlockContent::NotErased, by: None };
        let mut all = Self { per_die, blocks: vec![fresh; per_die * topology.dies as usize] };
        for &(die, block) in bad {
            all.condemn(die, block);
        }
        all
    }

    /// Makes a block bad, if the device has it.
    pub(crate) fn condemn(&mut self, die: Die, block: Block) {
        if block.index() < self.per_die
            && let Some(state) = self.blocks.get_mut(die.index() * self.per_die + block.index())
        {
            state.bad = true;
        }
    }

    pub(crate) fn get(&self, die: Die, block: Block) -> &BlockState {
        &self.blocks[die.index() * self.per_die + block.index()]
    }

    pub(crate) fn set(&mut self, die: Die, block: Block, content: BlockContent, by: StartedOperation) {
        let state = &mut self.blocks[die.index() * self.per_die + block.index()];
        state.content = content;
        state.by = Some(by);
    }
}
