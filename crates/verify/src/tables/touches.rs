//! Counts how often pages were touched in a run.
//!
//! Counts are kept in memory up to a limit. Beyond it they are sorted and put on disk, and merged at the end.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::io;

use rustc_hash::FxBuildHasher;

use super::disk_queue::DiskQueue;
use super::expected::{TouchedPage, take};

/// How many touches are counted at once. The counts of a large run do not fit the nearest caches: counted one right after the other,
/// touches wait for memory together, not one by one.
const TOGETHER: usize = 256;
/// The most pages that are counted in memory.
const PAGES: usize = 1 << 17;
/// The number of sorted lists on disk at which they are merged into one.
const LISTS: usize = 16;
/// Bytes of a count on disk.
const ENTRY: usize = 16;

/// The counts of touched pages.
#[derive(Debug, Default)]
pub(super) struct Touches {
    /// Touches that are not in `counts` yet.
    waiting: Vec<TouchedPage>,
    counts: HashMap<TouchedPage, u64, FxBuildHasher>,
    sorted: Vec<(DiskQueue, u64)>,
}

impl Touches {
    pub(super) fn count(&mut self, touch: TouchedPage) -> io::Result<()> {
        self.waiting.push(touch);
        if self.waiting.len() < TOGETHER { Ok(()) } else { self.count_waiting() }
    }

    fn count_waiting(&mut self) -> io::Result<()> {
        for touch in self.waiting.drain(..) {
            *self.counts.entry(touch).or_default() += 1;
        }
        if self.counts.len() > PAGES { self.spill() } else { Ok(()) }
    }

    fn spill(&mut self) -> io::Result<()> {
        let mut entries: Vec<(TouchedPage, u64)> = self.counts.drain().collect();
        entries.sort_unstable();
        let mut queue = DiskQueue::default();
        for &(touch, count) in &entries {
            put(&mut queue, touch, count)?;
        }
        queue.flush_all()?;
        self.sorted.push((queue, entries.len() as u64));
        if self.sorted.len() < LISTS {
            return Ok(());
        }
        let (mut merged, mut length) = (DiskQueue::default(), 0);
        merge(std::mem::take(&mut self.sorted), |touch, count| {
            length += 1;
            put(&mut merged, touch, count)
        })?;
        merged.flush_all()?;
        self.sorted.push((merged, length));
        Ok(())
    }

    /// Hands on all counts in the order of their keys, and starts anew.
    pub(super) fn finish(&mut self, mut hand_on: impl FnMut(TouchedPage, u64) -> io::Result<()>) -> io::Result<()> {
        self.count_waiting()?;
        if self.sorted.is_empty() {
            let mut entries: Vec<(TouchedPage, u64)> = self.counts.drain().collect();
            entries.sort_unstable();
            return entries.into_iter().try_for_each(|(touch, count)| hand_on(touch, count));
        }
        self.spill()?;
        merge(std::mem::take(&mut self.sorted), hand_on)
    }
}

/// Hands on the entries of sorted lists in order, with one sum for each key.
fn merge(
    mut sorted: Vec<(DiskQueue, u64)>,
    mut hand_on: impl FnMut(TouchedPage, u64) -> io::Result<()>,
) -> io::Result<()> {
    let mut next = BinaryHeap::new();
    for (at, (queue, left)) in sorted.iter_mut().enumerate() {
        if let Some((touch, count)) = pop(queue, left)? {
            next.push(Reverse((touch, at, count)));
        }
    }
    let mut present: Option<(TouchedPage, u64)> = None;
    while let Some(Reverse((touch, at, count))) = next.pop() {
        let (queue, left) = &mut sorted[at];
        if let Some((touch, count)) = pop(queue, left)? {
            next.push(Reverse((touch, at, count)));
        }
        match &mut present {
            Some((same, sum)) if *same == touch => *sum += count,
            _ => {
                if let Some((touch, sum)) = present.replace((touch, count)) {
                    hand_on(touch, sum)?;
                }
            }
        }
    }
    present.map_or(Ok(()), |(touch, sum)| hand_on(touch, sum))
}

/// Appends an entry to a sorted list.
fn put(queue: &mut DiskQueue, touch: TouchedPage, count: u64) -> io::Result<()> {
    queue.out().extend_from_slice(&touch.0.to_le_bytes());
    queue.out().extend_from_slice(&count.to_le_bytes());
    queue.flush()
}

/// The next entry of a sorted list.
fn pop(queue: &mut DiskQueue, left: &mut u64) -> io::Result<Option<(TouchedPage, u64)>> {
    if *left == 0 {
        return Ok(None);
    }
    *left -= 1;
    let mut entry = queue.take(ENTRY)?;
    Ok(Some((TouchedPage(u64::from_le_bytes(take(&mut entry))), u64::from_le_bytes(take(&mut entry)))))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]
    use super::*;

    #[test]
    fn counts_on_disk_are_merged_with_those_in_memory() {
        let mut touches = Touches::default();
        let pages = PAGES as u64 * 2 + 1_000;
        for at in (0..pages).rev().chain((0..pages).step_by(2)) {
            touches.count(TouchedPage(at)).unwrap();
        }
        assert!(touches.sorted.len() >= 2);
        let mut next = 0;
        touches
            .finish(|touch, count| {
                assert_eq!((touch.0, count), (next, 2 - next % 2));
                next += 1;
                Ok(())
            })
            .unwrap();
        assert_eq!(next, pages);
        touches.finish(|_, _| panic!("it starts anew")).unwrap();
    }
}
