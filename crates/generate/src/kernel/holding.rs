//! The blocks that steps to come count on. They are held, so that no other operation that would change them is drawn.

use nandseq_device::{Device, Tables};
use nandseq_profile::model::AddressSource;

use super::chain::Step;

/// How a waiting step counts on its blocks: `true` to change them (or on their next page), `false` to read them, `None` not at
/// all.
pub(crate) fn counts_on_blocks(tables: &Tables, step: &Step) -> Option<bool> {
    let info = tables.base(tables.op(step.op).base);
    match info.address {
        AddressSource::AnyBlock | AddressSource::NextPage => Some(true),
        _ if info.effects.changes_block() => Some(true),
        AddressSource::ReadablePage => Some(false),
        AddressSource::None
        | AddressSource::Hook
        | AddressSource::OutputRegister
        | AddressSource::PageRegister
        | AddressSource::SuspendedProgram
        | AddressSource::OneShotLatch
        | AddressSource::CopybackLatch => None,
    }
}

/// Holds the blocks of a step to come.
pub(super) fn hold(device: &mut Device, tables: &Tables, step: &Step) {
    if let Some(to_change) = counts_on_blocks(tables, step) {
        device.book.hold(&step.place, to_change);
    }
}

/// Lets go of the blocks of a step that starts now, or never will.
pub(super) fn release(device: &mut Device, tables: &Tables, step: &Step) {
    if let Some(to_change) = counts_on_blocks(tables, step) {
        device.book.release(&step.place, to_change);
    }
}
