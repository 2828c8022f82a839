//! Classes of names: names of one base, cell type and plane count are eligible together.
//!
//! The classes of a device are numbered in the order of base, plane count and cell type, so that a set of classes is a set of
//! bits. A chunk is 128 classes, two words. A device has one or two chunks; their number is not limited.

use std::ops::{BitAnd, BitAndAssign, BitOr, BitOrAssign, Not};

use nandseq_device::{OpInfo, Tables};
use nandseq_profile::{BaseId, CellTypeId};

/// How many classes a chunk has. Unit tests have chunks that the built-in device, with 122 classes, needs two of.
pub(crate) const CHUNK: usize = if cfg!(test) { 96 } else { 128 };

/// A set of classes of a chunk, a bit each. What is done with both words at once is one instruction for most of the machines that
/// there are.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct ClassSet([u64; 2]);

impl ClassSet {
    /// No class.
    pub(crate) const NONE: Self = Self([0; 2]);
    /// Every class.
    pub(crate) const ALL: Self = Self([u64::MAX; 2]);

    /// The class at a place of the chunk.
    pub(crate) const fn one(place: usize) -> Self {
        let bit = 1 << (place % 64);
        if place % CHUNK < 64 { Self([bit, 0]) } else { Self([0, bit]) }
    }

    /// Whether a class is in the set of its chunk.
    #[inline]
    pub(crate) const fn contains(self, class: ClassId) -> bool {
        self.has(class.place())
    }

    /// Whether the class at a place is in.
    #[inline]
    pub(crate) const fn has(self, place: usize) -> bool {
        self.0[place / 64 % 2] >> (place % 64) & 1 == 1
    }

    #[inline]
    pub(crate) const fn is_empty(self) -> bool {
        self.0[0] | self.0[1] == 0
    }

    /// The set where a condition holds, and no class where it does not, without a branch.
    #[inline]
    pub(crate) const fn given(self, holds: bool) -> Self {
        let mask = (holds as u64).wrapping_neg();
        Self([self.0[0] & mask, self.0[1] & mask])
    }

    /// The place of its first class.
    #[inline]
    pub(crate) const fn first(self) -> Option<usize> {
        match self.0 {
            [0, 0] => None,
            [0, second] => Some(64 + second.trailing_zeros() as usize),
            [first, _] => Some(first.trailing_zeros() as usize),
        }
    }

    /// The places of its classes, ascending.
    pub(crate) fn places(self) -> impl Iterator<Item = usize> {
        places(self.0[0]).chain(places(self.0[1]).map(|place| 64 + place))
    }

    /// The bits of sixteen places; `sixteen` is the first divided by sixteen.
    #[inline]
    pub(super) const fn sixteen(self, sixteen: usize) -> usize {
        (self.0[sixteen / 4 % 2] >> (16 * (sixteen % 4))) as u16 as usize
    }

    /// By set: whether a class is in it, a bit each.
    #[inline]
    pub(crate) fn in_each(sets: &[Self; 8], class: ClassId) -> u8 {
        let (word, bit) = (class.place() / 64 % 2, class.place() % 64);
        sets.iter().rev().fold(0, |all, set| 2 * all + (set.0[word] >> bit & 1)) as u8
    }
}

impl BitAnd for ClassSet {
    type Output = Self;

    #[inline]
    fn bitand(self, other: Self) -> Self {
        Self([self.0[0] & other.0[0], self.0[1] & other.0[1]])
    }
}

impl BitOr for ClassSet {
    type Output = Self;

    #[inline]
    fn bitor(self, other: Self) -> Self {
        Self([self.0[0] | other.0[0], self.0[1] | other.0[1]])
    }
}

impl Not for ClassSet {
    type Output = Self;

    #[inline]
    fn not(self) -> Self {
        Self([!self.0[0], !self.0[1]])
    }
}

impl BitAndAssign for ClassSet {
    #[inline]
    fn bitand_assign(&mut self, other: Self) {
        *self = *self & other;
    }
}

impl BitOrAssign for ClassSet {
    #[inline]
    fn bitor_assign(&mut self, other: Self) {
        *self = *self | other;
    }
}

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

    /// The set of the class alone.
    pub(crate) const fn bit(self) -> ClassSet {
        ClassSet::one(self.place())
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
    pub(crate) fn bits(&self, chunk: usize, holds: impl Fn(Class) -> bool) -> ClassSet {
        let classes = self.0.iter().skip(chunk * CHUNK).take(CHUNK).enumerate();
        let classes = classes.filter(|(_, class)| holds(**class));
        classes.fold(ClassSet::NONE, |all, (place, _)| all | ClassSet::one(place))
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
        let at = left.trailing_zeros() as usize % 64;
        left &= left - 1;
        Some(at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_say_what_each_class_says_in_both_words() {
        let of = |places: &[usize]| places.iter().fold(ClassSet::NONE, |all, &place| all | ClassSet::one(place));
        let sets =
            [of(&[]), of(&[0, 63]), of(&[64]), of(&[1, 63, 64, 95]), of(&[95]), ClassSet::ALL, of(&[5]), of(&[63])];
        for set in sets {
            let places: Vec<usize> = set.places().collect();
            assert_eq!((0..128).filter(|&place| set.has(place)).collect::<Vec<_>>(), places);
            assert_eq!(set.is_empty(), places.is_empty());
            assert_eq!([set.given(true), set.given(false)], [set, ClassSet::NONE]);
            assert_eq!((set & !set, set | !set), (ClassSet::NONE, ClassSet::ALL));
            for sixteen in 0..8 {
                let bits = places.iter().filter(|&place| place / 16 == sixteen).map(|place| 1 << (place % 16));
                assert_eq!(set.sixteen(sixteen), bits.sum::<usize>());
            }
        }
        for class in [0, 63, 64, 95, 5].map(|place| ClassId::at(0, place)) {
            let each = (0..8).fold(0, |all, at| all | u8::from(sets[at].contains(class)) << at);
            assert_eq!(ClassSet::in_each(&sets, class), each);
        }
    }
}
