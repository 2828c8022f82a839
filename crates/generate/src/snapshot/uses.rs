//! How often the blocks of a die were erased and read, as data.
//!
//! Counts are written as words separated by spaces: one for each sequence of neighbouring equal counts, with their number before `*` where
//! there are several: `3*0 7 2*1` is three blocks that were never erased, one that was seven times, two that were once.

use std::collections::BTreeMap;

use nandseq_device::{Size, UseCounts};
use nandseq_profile::Die;
use serde::{Deserialize, Serialize};

use super::error::StateError;

/// The uses of the blocks of a die.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UsesEntry {
    /// Erases of each block that have started.
    erases: String,
    /// Reads of pages of each block, if they are counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reads: Option<String>,
    /// By block: reads of each of its pages, if they are counted and one was read.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    page_reads: BTreeMap<u32, String>,
}

impl UsesEntry {
    /// What is counted of a die.
    pub(super) fn new(size: &Size, counts: &UseCounts, die: Die) -> Self {
        let blocks = size.blocks as usize;
        let of_die = |all: &[u32]| all.chunks(blocks).nth(usize::from(die.0)).map(write);
        let pages = counts.page_reads.chunks(blocks).nth(usize::from(die.0)).unwrap_or_default();
        let pages = (0..).zip(pages).filter_map(|(block, reads)| Some((block, write(reads.as_deref()?))));
        Self {
            erases: of_die(&counts.erases).unwrap_or_default(),
            reads: of_die(&counts.reads),
            page_reads: pages.collect(),
        }
    }

    /// Puts what is counted of a die into the counts.
    pub(super) fn put_into(&self, size: &Size, counts: &mut UseCounts, die: Die) -> Result<(), StateError> {
        let blocks = size.blocks as usize;
        let first = usize::from(die.0) * blocks;
        counts.erases[first..][..blocks].copy_from_slice(&read(&self.erases, blocks)?);
        match &self.reads {
            Some(reads) if !counts.reads.is_empty() => {
                counts.reads[first..][..blocks].copy_from_slice(&read(reads, blocks)?);
            }
            None if counts.reads.is_empty() => {}
            Some(_) | None => return Err(StateError::new("counts of other uses than those that the plan limits")),
        }
        for (&block, reads) in &self.page_reads {
            let reads = read(reads, size.pages.into())?;
            if block >= size.blocks || !counts.put_page_reads(size, first + block as usize, reads) {
                return Err(StateError::new("reads of pages that are not counted"));
            }
        }
        Ok(())
    }
}

/// Counts as text.
fn write(counts: &[u32]) -> String {
    let word = |equal: &[u32]| match equal {
        [one] => one.to_string(),
        several => format!("{}*{}", several.len(), several.first().unwrap_or(&0)),
    };
    counts.chunk_by(|a, b| a == b).map(word).collect::<Vec<_>>().join(" ")
}

/// The counts of a text, exactly so many of them.
fn read(text: &str, count: usize) -> Result<Vec<u32>, StateError> {
    let mut counts = Vec::with_capacity(count);
    for word in text.split(' ') {
        let wrong = || StateError::new(format!("`{}` is no count of uses", word.escape_default()));
        let (number, uses) = word.split_once('*').unwrap_or(("1", word));
        let number: usize = number.parse().map_err(|_| wrong())?;
        let uses: u32 = uses.parse().map_err(|_| wrong())?;
        if number > count - counts.len() {
            return Err(StateError::new("more counts of uses than there are blocks or pages"));
        }
        counts.extend(std::iter::repeat_n(uses, number));
    }
    if counts.len() == count { Ok(counts) } else { Err(StateError::new("fewer counts of uses than blocks or pages")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_written_short_and_read_back() {
        let counts = [0, 0, 0, 7, 1, 1, u32::MAX];
        assert_eq!(write(&counts), "3*0 7 2*1 4294967295");
        assert_eq!(read(&write(&counts), 7), Ok(counts.to_vec()));
        for text in ["", "1", "8*0", "7*x", "-1", "7*4294967296", "99999999999999999999*1", "3*0  4*1", "6*0"] {
            assert!(read(text, 7).is_err(), "`{text}`");
        }
    }
}
