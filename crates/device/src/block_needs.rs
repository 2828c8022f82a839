//! What an operation needs of the records of its blocks.

use nandseq_profile::model::AddressSource;

use crate::effects::Effects;

/// What an operation of a base needs of the record of each of its blocks: each byte 1 or 0, to be combined without a branch.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct BlockNeeds {
    /// Whether it needs nothing: it works on registers alone, or has no block.
    pub(crate) nothing: bool,
    /// Nothing may be in flight on the block.
    pub(crate) unless_in_flight: u8,
    /// Its page must be the next one to be programmed with its cell type.
    pub(crate) program: u8,
    /// Its page must be readable as its cell type.
    pub(crate) read: u8,
}

impl BlockNeeds {
    pub(crate) fn new(effects: &Effects, has_block: bool, address: AddressSource) -> Self {
        let is_of_suspended = address == AddressSource::SuspendedProgram;
        let programs = effects.is_program() || address == AddressSource::NextPage;
        Self {
            nothing: !has_block || effects.data_out || effects.cache_read_end,
            unless_in_flight: u8::from(!is_of_suspended),
            program: u8::from(programs),
            read: u8::from(effects.reads_array() && !is_of_suspended && !programs),
        }
    }
}
