//! The blocks of a die in one line of text.
//!
//! Words are separated by spaces. There is one for each sequence of neighbouring equal blocks, with their count before `*` where
//! there are several: `3*N E1 12*P2.37 B` is three blocks to be erased, one erased as cell type 1, twelve programmed as cell type
//! 2 with 37 pages, and a bad one. The text leaves out which blocks are in flight or held: that follows from suspended
//! operations.

use nandseq_device::{BlockRecord, BlockStage, Tables};
use nandseq_profile::CellTypeId;
use nandseq_profile::diagnostic::counted;

use super::error::StateError;

/// The records of a die as text.
pub(super) fn write(records: &[BlockRecord]) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    for stretch in records.chunk_by(|a, b| (a.stage, a.pages) == (b.stage, b.pages)) {
        if !text.is_empty() {
            text.push(' ');
        }
        // Writing to a string cannot fail.
        if stretch.len() > 1 {
            let _ = write!(text, "{}*", stretch.len());
        }
        let _ = match stretch[0].stage {
            BlockStage::Bad => write!(text, "B"),
            BlockStage::NotErased => write!(text, "N"),
            BlockStage::Erased(cell) => write!(text, "E{}", cell.0),
            BlockStage::Programmed(cell) => write!(text, "P{}.{}", cell.0, stretch[0].pages),
        };
    }
    text
}

/// The records of a text, exactly `blocks` of them.
pub(super) fn read(text: &str, blocks: usize, tables: &Tables) -> Result<Vec<BlockRecord>, StateError> {
    let mut records = Vec::with_capacity(blocks);
    for word in text.split(' ') {
        let wrong = || StateError::new(format!("`{}` says nothing of blocks", word.escape_default()));
        let (count, what) = match word.split_once('*') {
            Some((count, what)) => (count.parse::<usize>().map_err(|_| wrong())?, what),
            None => (1, word),
        };
        let record = record(what, tables).ok_or_else(wrong)?;
        if count > blocks - records.len() {
            return Err(StateError::new(format!("there are more than {} of a die", counted(blocks as u64, "block"))));
        }
        records.extend(std::iter::repeat_n(record, count));
    }
    if records.len() < blocks {
        return Err(StateError::new(format!(
            "there are {} instead of {} of a die",
            records.len(),
            counted(blocks as u64, "block")
        )));
    }
    Ok(records)
}

fn record(word: &str, tables: &Tables) -> Option<BlockRecord> {
    let cell = |text: &str| {
        let cell = text.parse().ok().map(CellTypeId)?;
        (cell.index() < tables.programs.len()).then_some(cell)
    };
    let (stage, pages) = match word.split_at_checked(1)? {
        ("B", "") => (BlockStage::Bad, 0),
        ("N", "") => (BlockStage::NotErased, 0),
        ("E", erased) => (BlockStage::Erased(cell(erased)?), 0),
        ("P", programmed) => {
            let (programmed, pages) = programmed.split_once('.')?;
            let pages = pages.parse().ok().filter(|&pages| 0 < pages && pages <= tables.size.pages)?;
            (BlockStage::Programmed(cell(programmed)?), pages)
        }
        _ => return None,
    };
    Some(BlockRecord { stage, pages, in_flight: false, held_to_change: 0, held_to_read: 0 })
}
