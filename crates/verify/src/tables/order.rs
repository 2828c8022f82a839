//! Expected rows in the order of their operations.
//!
//! Rows become known in the order in which stretches end. Tables have them in the order of the operations. So every operation
//! that starts takes a place in a queue, and the queue moves on as soon as its first operation is over. If a suspended operation
//! holds up the queue for long, the operations behind it wait on disk, so that memory is bounded.

use std::collections::{HashMap, VecDeque};
use std::io;

use super::disk_queue::DiskQueue;
use super::expected::{SEGMENT, STRETCH, SegmentRow, Stretch, take};
use crate::finding::{RowPlace, StartedOperation};
use nandseq_profile::{OpId, Ticks};

/// The most operations that wait in memory.
const OPERATIONS: usize = 1 << 14;
/// The most rows that wait in memory.
const ROWS: usize = 1 << 16;
/// The most slots whose lists are kept to be used again. When an operation that was suspended ends, many slots become free at
/// once.
const SPARE: usize = 1 << 10;
/// Bytes of the head of an entry on disk.
const HEAD: usize = 38;

/// An operation and its rows, as far as they are known.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    pub(super) origin: StartedOperation,
    pub(super) stretches: Vec<Stretch>,
    pub(super) segments: Vec<SegmentRow>,
    /// More rows may come.
    open: bool,
}

/// The place of an operation in the queue.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Ticket(u64);

/// The queue of operations.
#[derive(Debug, Default)]
pub(super) struct RowOrder {
    /// The ticket of the first slot in memory.
    first: u64,
    slots: VecDeque<Slot>,
    rows: usize,
    /// The part of the queue on disk, before `slots`: operations that are over, and the places of those in `late`.
    queue: DiskQueue,
    /// Operations that were still open when their place went to disk.
    late: HashMap<Ticket, Slot>,
    /// A place that has been read from disk and waits for its operation in `late`.
    held_up: Option<Ticket>,
    spare: Vec<Slot>,
}

impl RowOrder {
    /// An operation starts.
    pub(super) fn open(&mut self, origin: StartedOperation) -> Ticket {
        let ticket = Ticket(self.first + self.slots.len() as u64);
        let fresh = || Slot { origin, stretches: Vec::new(), segments: Vec::new(), open: true };
        let mut slot = self.spare.pop().unwrap_or_else(fresh);
        slot.origin = origin;
        slot.open = true;
        self.slots.push_back(slot);
        ticket
    }

    fn slot(&mut self, ticket: Ticket) -> Option<&mut Slot> {
        match ticket.0.checked_sub(self.first) {
            Some(at) => self.slots.get_mut(usize::try_from(at).ok()?),
            None => self.late.get_mut(&ticket),
        }
    }

    /// Rows of an operation become known.
    pub(super) fn add(&mut self, ticket: Ticket, fill: impl FnOnce(&mut Vec<Stretch>, &mut Vec<SegmentRow>)) {
        let Some(slot) = self.slot(ticket) else { return };
        let before = slot.stretches.len() + slot.segments.len();
        fill(&mut slot.stretches, &mut slot.segments);
        self.rows += slot.stretches.len() + slot.segments.len() - before;
    }

    /// No more rows of an operation will come.
    pub(super) fn close(&mut self, ticket: Ticket) {
        if let Some(slot) = self.slot(ticket) {
            slot.open = false;
        }
    }

    /// Hands on the operations that are over, up to the first open one.
    pub(super) fn advance(&mut self, mut hand_on: impl FnMut(&Slot) -> io::Result<()>) -> io::Result<()> {
        self.drain(false, &mut hand_on)?;
        if self.slots.len() > OPERATIONS || self.rows > ROWS {
            self.spill()?;
        }
        Ok(())
    }

    /// Hands on all operations, open ones too.
    pub(super) fn finish(&mut self, mut hand_on: impl FnMut(&Slot) -> io::Result<()>) -> io::Result<()> {
        self.drain(true, &mut hand_on)
    }

    fn drain(&mut self, all: bool, hand_on: &mut impl FnMut(&Slot) -> io::Result<()>) -> io::Result<()> {
        loop {
            if let Some(ticket) = self.held_up {
                if !all && self.late.get(&ticket).is_some_and(|slot| slot.open) {
                    return Ok(());
                }
                self.held_up = None;
                if let Some(slot) = self.late.remove(&ticket) {
                    self.rows = self.rows.saturating_sub(slot.stretches.len() + slot.segments.len());
                    hand_on(&slot)?;
                }
            } else if !self.queue.is_empty() {
                match read(&mut self.queue)? {
                    DiskEntry::Over(slot) => hand_on(&slot)?,
                    DiskEntry::Late(ticket) => self.held_up = Some(ticket),
                }
            } else {
                if self.slots.front().is_none_or(|slot| slot.open && !all) {
                    return Ok(());
                }
                let Some(mut slot) = self.slots.pop_front() else { return Ok(()) };
                self.first += 1;
                self.rows = self.rows.saturating_sub(slot.stretches.len() + slot.segments.len());
                hand_on(&slot)?;
                if self.spare.len() < SPARE {
                    slot.stretches.clear();
                    slot.segments.clear();
                    self.spare.push(slot);
                }
            }
        }
    }

    /// Moves all slots to disk. Of an open operation only the place goes there.
    fn spill(&mut self) -> io::Result<()> {
        while let Some(slot) = self.slots.pop_front() {
            let ticket = Ticket(self.first);
            self.first += 1;
            if slot.open {
                write_late(ticket, self.queue.out());
                self.late.insert(ticket, slot);
            } else {
                self.rows = self.rows.saturating_sub(slot.stretches.len() + slot.segments.len());
                write_over(&slot, self.queue.out());
            }
            self.queue.flush()?;
        }
        Ok(())
    }
}

/// An entry on disk.
enum DiskEntry {
    Over(Slot),
    Late(Ticket),
}

fn write_late(ticket: Ticket, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(&u32::MAX.to_le_bytes());
    out.extend_from_slice(&ticket.0.to_le_bytes());
    out.resize(start + HEAD, 0);
}

fn write_over(slot: &Slot, out: &mut Vec<u8>) {
    let StartedOperation { place, uid, op, start } = slot.origin;
    out.extend_from_slice(&(slot.stretches.len() as u32).to_le_bytes());
    out.extend_from_slice(&(slot.segments.len() as u32).to_le_bytes());
    out.extend_from_slice(&place.file.to_le_bytes());
    out.extend_from_slice(&place.row.to_le_bytes());
    out.extend_from_slice(&uid.to_le_bytes());
    out.extend_from_slice(&start.0.to_le_bytes());
    out.extend_from_slice(&op.0.to_le_bytes());
    slot.stretches.iter().for_each(|row| row.encode(out));
    slot.segments.iter().for_each(|row| row.encode(out));
}

fn read(queue: &mut DiskQueue) -> io::Result<DiskEntry> {
    let mut head = queue.take(HEAD)?;
    let stretches = u32::from_le_bytes(take(&mut head));
    if stretches == u32::MAX {
        return Ok(DiskEntry::Late(Ticket(u64::from_le_bytes(take(&mut head)))));
    }
    let segments = u32::from_le_bytes(take(&mut head));
    let place = RowPlace { file: u32::from_le_bytes(take(&mut head)), row: u64::from_le_bytes(take(&mut head)) };
    let uid = u64::from_le_bytes(take(&mut head));
    let start = Ticks(u64::from_le_bytes(take(&mut head)));
    let op = OpId(u16::from_le_bytes(take(&mut head)));
    let (stretches, segments) = (stretches as usize, segments as usize);
    let mut rows = queue.take(stretches * STRETCH + segments * SEGMENT)?;
    let stretches = (0..stretches).map(|_| Stretch::decode(&mut rows)).collect();
    let segments = (0..segments).map(|_| SegmentRow::decode(&mut rows)).collect();
    Ok(DiskEntry::Over(Slot { origin: StartedOperation { place, uid, op, start }, stretches, segments, open: false }))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]
    use super::*;
    use crate::tables::expected::StateCode;

    fn row(start: u64) -> Stretch {
        Stretch { start: Ticks(start), end: Ticks(start), place: [0; 4], state: StateCode::DEFAULT, resumed: false }
    }

    /// Runs `count` operations through a queue; one in `every` stays open for `long` operations. Returns what comes out, and the
    /// most operations in memory.
    fn run(count: u64, every: u64, long: u64) -> (Vec<u64>, usize) {
        let mut order = RowOrder::default();
        let mut open = VecDeque::new();
        let (mut out, mut most) = (Vec::new(), 0);
        let mut hand_on = |slot: &Slot| {
            assert!(slot.stretches.iter().all(|row| row.start.0 == slot.origin.uid));
            out.extend(slot.stretches.iter().map(|row| row.start.0));
            Ok(())
        };
        for uid in 0..count {
            let origin = StartedOperation { place: RowPlace::default(), uid, op: OpId(0), start: Ticks(uid) };
            let ticket = order.open(origin);
            order.add(ticket, |stretches, _| stretches.push(row(uid)));
            if uid % every == 0 {
                open.push_back((uid, ticket));
            } else {
                order.close(ticket);
            }
            if let Some((first, ticket)) = open.front().copied().filter(|(first, _)| uid - first >= long) {
                open.pop_front();
                order.add(ticket, |stretches, _| stretches.push(row(first)));
                order.close(ticket);
            }
            order.advance(&mut hand_on).unwrap();
            most = most.max(order.slots.len() + order.late.len());
        }
        order.finish(&mut hand_on).unwrap();
        (out, most)
    }

    #[test]
    fn rows_come_in_the_order_of_their_operations_however_long_one_waits() {
        for (every, long) in [(1_000_000, 10), (1_000_000, 90_000), (7_000, 50_000), (100, 99), (50_000, 200_000)] {
            let (out, most) = run(120_000, every, long);
            assert!(out.is_sorted(), "{every} {long}");
            assert!(out.len() > 120_000 || long > 120_000, "{every} {long}");
            assert!(most <= OPERATIONS + 1200, "{every} {long}: {most}");
        }
    }
}
