//! Classes of names: names of one base, cell type and plane count are eligible together.
//!
//! The classes of a device are numbered in the order of base, plane count and cell type, so that a set of classes is a set of
//! bits. A chunk is 64 classes, one word. A device has two or three chunks; their number is not limited.

use nandseq_device::{OpInfo, Tables};
use nandseq_profile::{BaseId, CellTypeId};

/// How many classes a chunk has.
pub(crate) const CHUNK: usize = 64;

/// A class of names: what they have in common.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Class {
    pub(crate) base: BaseId,
    pub(crate) multi: bool,
    pub(crate) cell: CellTypeId,
}

/// A class by its number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct ClassId(u16);

impl ClassId {
    /// The class at a place of a chunk.
    pub(crate) const fn at(chunk: usize, place: usize) -> Self {
        Self((chunk * CHUNK + place) as u16)
    }

    pub(crate) const fn index(self) -> usize {
        self.0 as usize
    }

    pub(crate) const fn chunk(self) -> usize {
        self.0 as usize / CHUNK
    }

    /// Its place in the chunk.
    pub(crate) const fn place(self) -> usize {
        self.0 as usize % CHUNK
    }

    /// Its bit in the chunk's words.
    pub(crate) const fn bit(self) -> u64 {
        1 << self.place()
    }
}

/// All classes of a device.
#[derive(Clone, Debug)]
pub(crate) struct Classes(Vec<Class>);

impl Classes {
    pub(crate) fn new(tables: &Tables) -> Self {
        let mut all: Vec<Class> = tables.ops().map(|(_, op)| class_of(op)).collect();
        all.sort_unstable();
        all.dedup();
        Self(all)
    }

    pub(crate) const fn count(&self) -> usize {
        self.0.len()
    }

    pub(crate) const fn chunks(&self) -> usize {
        self.0.len().div_ceil(CHUNK)
    }

    pub(crate) fn get(&self, id: ClassId) -> Class {
        self.0[id.index()]
    }

    /// The class of a name of the device.
    pub(crate) fn of(&self, op: &OpInfo) -> ClassId {
        let at = self.0.binary_search(&class_of(op)).expect("every name has a class");
        ClassId(at as u16)
    }

    /// The classes of a chunk of which a statement is true.
    pub(crate) fn bits(&self, chunk: usize, holds: impl Fn(Class) -> bool) -> u64 {
        let classes = self.0.iter().skip(chunk * CHUNK).take(CHUNK).enumerate();
        classes.filter(|(_, class)| holds(**class)).fold(0, |bits, (place, _)| bits | 1 << place)
    }
}

const fn class_of(op: &OpInfo) -> Class {
    Class { base: op.base, multi: op.multi, cell: op.stated_cell_type }
}

/// The places of the bits of a word, ascending.
pub(crate) fn places(word: u64) -> impl Iterator<Item = usize> {
    let mut left = word;
    std::iter::from_fn(move || {
        if left == 0 {
            return None;
        }
        let at = left.trailing_zeros() as usize % CHUNK;
        left &= left - 1;
        Some(at)
    })
}
