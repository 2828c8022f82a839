//! The blocks that steps to come count on. They are held, so that no other operation that would change them is drawn.

use nandseq_device::{Device, Tables};

use super::chain::Step;

/// How a waiting step counts on its blocks: see [`BaseInfo::counts_on_blocks`](nandseq_device::BaseInfo).
pub(crate) fn counts_on_blocks(tables: &Tables, step: &Step) -> Option<bool> {
    tables.base_of(step.op).counts_on_blocks
}

/// Holds the blocks of a step to come.
pub(super) fn hold(device: &mut Device, tables: &Tables, step: &Step) {
    if let Some(to_change) = counts_on_blocks(tables, step) {
        device.book.hold(&step.place, to_change);
    }
    count(device, tables, step);
}

/// Counts the uses of a step to come: limits leave room for it.
pub(super) fn count(device: &mut Device, tables: &Tables, step: &Step) {
    if device.book.counts_uses() {
        device.book.count_use(tables.base_of(step.op), &step.place);
    }
}

/// Lets go of the blocks of a step that starts now, or never will.
pub(super) fn release(device: &mut Device, tables: &Tables, step: &Step) {
    if let Some(to_change) = counts_on_blocks(tables, step) {
        device.book.release(&step.place, to_change);
    }
    if device.book.counts_uses() {
        device.book.uncount_use(tables.base_of(step.op), &step.place);
    }
}
