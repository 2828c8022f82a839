//! Sorted runs of records in temporary files, and merging them. Such a run is not the run of a site.
//!
//! A record is read and written once for each level of files. The number of levels is the logarithm of the number of runs to the
//! base [`Budget::fan_in`]. Records with equal keys come out in the order in which they were added. Files have no name and vanish
//! with the process.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

use super::record::{Budget, Record};

/// The number of records that are given out at a time.
const BATCH: usize = 1024;

/// Sorted runs on disk.
#[derive(Debug)]
pub(crate) struct Runs<R> {
    folder: PathBuf,
    budget: Budget,
    /// Runs of the first level come from memory. Runs of each further level come from merging runs of the level before.
    levels: Vec<Level<R>>,
    bytes: Vec<u8>,
}

/// A temporary file with runs.
#[derive(Debug)]
struct Level<R> {
    file: File,
    length: u64,
    /// The number of runs since the file was empty, including those that are used up.
    added: usize,
    runs: Vec<RunCursor<R>>,
}

/// The rest of a run.
#[derive(Debug)]
struct RunCursor<R> {
    /// The position in the file from which to read next.
    offset: u64,
    /// The number of records in the file that have not been read.
    unread: u64,
    buffer: Vec<R>,
    at: usize,
    /// The next record.
    head: R,
    used_up: bool,
}

impl<R: Record> RunCursor<R> {
    /// A run that is in memory; `None` if it is empty.
    fn in_memory(records: Vec<R>) -> Option<Self> {
        let head = *records.first()?;
        Some(Self { offset: 0, unread: 0, buffer: records, at: 1, head, used_up: false })
    }

    /// Goes to the next record; returns `false` if there is none.
    fn advance(&mut self, file: Option<&mut File>, read: usize) -> io::Result<bool> {
        if let Some(&next) = self.buffer.get(self.at) {
            self.head = next;
            self.at += 1;
            return Ok(true);
        }
        let Some(file) = file.filter(|_| self.unread > 0) else { return Ok(false) };
        let wanted = (read / R::SIZE).max(1);
        let count = usize::try_from(self.unread).unwrap_or(usize::MAX).min(wanted);
        let mut bytes = vec![0; count * R::SIZE];
        file.seek(SeekFrom::Start(self.offset))?;
        file.read_exact(&mut bytes)?;
        self.offset += bytes.len() as u64;
        self.unread -= count as u64;
        self.buffer.clear();
        self.buffer.extend(bytes.chunks_exact(R::SIZE).map(R::decode));
        self.head = self.buffer[0];
        self.at = 1;
        Ok(true)
    }
}

impl<R: Record> Runs<R> {
    /// An empty set of runs. Files are made in `folder`.
    pub(crate) fn new(folder: PathBuf, budget: Budget) -> Self {
        Self { folder, budget, levels: Vec::new(), bytes: Vec::new() }
    }

    /// Whether no record is left.
    pub(crate) fn is_empty(&self) -> bool {
        self.levels.iter().all(|level| level.runs.is_empty())
    }

    /// Whether a record below `limit` is left.
    pub(crate) fn has_below(&self, limit: R::Key) -> bool {
        self.levels.iter().flat_map(|level| &level.runs).any(|run| run.head.key() < limit)
    }

    /// Adds a sorted run.
    pub(crate) fn add(&mut self, records: &[R]) -> io::Result<()> {
        let Some(&head) = records.first() else { return Ok(()) };
        self.bytes.clear();
        records.iter().for_each(|record| record.encode(&mut self.bytes));
        self.open_level(0)?;
        let level = &mut self.levels[0];
        level.file.seek(SeekFrom::Start(level.length))?;
        level.file.write_all(&self.bytes)?;
        level.register(head, records.len() as u64);
        self.condense()
    }

    /// Makes the file of a level if there is none.
    fn open_level(&mut self, at: usize) -> io::Result<()> {
        if at == self.levels.len() {
            let file = tempfile::tempfile_in(&self.folder)?;
            self.levels.push(Level { file, length: 0, added: 0, runs: Vec::new() });
        }
        Ok(())
    }

    /// Merges the runs of each level that has enough of them into one run of the next level.
    fn condense(&mut self) -> io::Result<()> {
        let mut at = 0;
        while at < self.levels.len() && self.levels[at].added >= self.budget.fan_in.max(2) {
            self.open_level(at + 1)?;
            let (below, above) = self.levels.split_at_mut(at + 1);
            let (from, to) = (&mut below[at], &mut above[0]);
            if !from.runs.is_empty() {
                let mut output = io::BufWriter::with_capacity(64 * 1024, &to.file);
                output.seek(SeekFrom::Start(to.length))?;
                let (mut head, mut count, mut bytes) = (None, 0, Vec::new());
                merge(std::slice::from_mut(from), None, None, self.budget.read, &mut |records: &[R]| {
                    head = head.or(records.first().copied());
                    count += records.len() as u64;
                    bytes.clear();
                    records.iter().for_each(|record| record.encode(&mut bytes));
                    output.write_all(&bytes)
                })?;
                output.flush()?;
                drop(output);
                if let Some(head) = head {
                    to.register(head, count);
                }
            }
            from.clear_if_used_up()?;
            at += 1;
        }
        Ok(())
    }

    /// Gives all records below `limit` to `emit` in order, or all records if there is no limit. The records of `memory`, which
    /// must be sorted and below the limit, are merged with them.
    pub(crate) fn drain(
        &mut self,
        limit: Option<R::Key>,
        memory: Vec<R>,
        emit: &mut impl FnMut(&[R]) -> io::Result<()>,
    ) -> io::Result<()> {
        merge(&mut self.levels, RunCursor::in_memory(memory), limit, self.budget.read, emit)?;
        self.levels.iter_mut().try_for_each(Level::clear_if_used_up)
    }
}

impl<R: Record> Level<R> {
    /// Adds a run of `count` records that was appended to the file. `head` is its first record.
    fn register(&mut self, head: R, count: u64) {
        let offset = self.length + R::SIZE as u64;
        self.length += count * R::SIZE as u64;
        self.added += 1;
        self.runs.push(RunCursor { offset, unread: count - 1, buffer: Vec::new(), at: 0, head, used_up: false });
    }

    /// Empties the file if all its runs are used up.
    fn clear_if_used_up(&mut self) -> io::Result<()> {
        if self.runs.is_empty() && self.length > 0 {
            self.file.set_len(0)?;
            self.length = 0;
            self.added = 0;
        }
        Ok(())
    }
}

/// Merges the runs of some levels and a run in memory up to `limit`, and removes the runs that are used up.
fn merge<R: Record>(
    levels: &mut [Level<R>],
    mut memory: Option<RunCursor<R>>,
    limit: Option<R::Key>,
    read: usize,
    emit: &mut impl FnMut(&[R]) -> io::Result<()>,
) -> io::Result<()> {
    let within = |key: R::Key| limit.is_none_or(|limit| key < limit);
    // Among equal keys the oldest run comes first. Runs of higher levels are older; the run in memory is the youngest.
    let mut heap = BinaryHeap::new();
    for (age, level) in levels.iter().rev().enumerate() {
        let heads = level.runs.iter().map(|run| run.head.key()).enumerate();
        heap.extend(heads.filter(|&(_, key)| within(key)).map(|(run, key)| Reverse((key, age, run))));
    }
    heap.extend(memory.iter().map(|memory| Reverse((memory.head.key(), levels.len(), 0))));
    let mut batch: Vec<R> = Vec::with_capacity(BATCH);
    while let Some(Reverse((_, age, at))) = heap.pop() {
        let (run, mut file) = match (levels.len().checked_sub(age + 1), &mut memory) {
            (Some(level), _) => {
                let level = &mut levels[level];
                (&mut level.runs[at], Some(&mut level.file))
            }
            (None, Some(memory)) => (memory, None),
            (None, None) => break,
        };
        // Runs overlap little, so many records of one run usually come before a smaller one of another run.
        let next = heap.peek().map(|&Reverse(next)| next);
        loop {
            if batch.last_mut().is_none_or(|last| !last.absorb(&run.head)) {
                if batch.len() == BATCH {
                    emit(&batch)?;
                    batch.clear();
                }
                batch.push(run.head);
            }
            if !run.advance(file.as_deref_mut(), read)? {
                run.used_up = true;
                break;
            }
            let key = run.head.key();
            if !within(key) {
                break;
            }
            if next.is_some_and(|next| next < (key, age, at)) {
                heap.push(Reverse((key, age, at)));
                break;
            }
        }
    }
    levels.iter_mut().for_each(|level| level.runs.retain(|run| !run.used_up));
    emit(&batch)
}
