//! Sets of plane sets, as bits. They tell which plane sets have a block group, without a look at the groups.

use nandseq_profile::PlaneSet;

/// A set of plane sets of a die: one bit for each of the at most 256.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct MaskSet([u64; 4]);

impl MaskSet {
    /// Puts a plane set in or takes it out.
    pub(super) const fn put(&mut self, mask: usize, inside: bool) {
        let bit = 1 << (mask % 64);
        let word = &mut self.0[mask / 64];
        *word = if inside { *word | bit } else { *word & !bit };
    }

    /// The members of either.
    pub(super) const fn or(&self, other: &Self) -> Self {
        let (a, b) = (&self.0, &other.0);
        Self([a[0] | b[0], a[1] | b[1], a[2] | b[2], a[3] | b[3]])
    }

    /// The members of exactly one of both.
    pub(super) const fn xor(&self, other: &Self) -> Self {
        let (a, b) = (&self.0, &other.0);
        Self([a[0] ^ b[0], a[1] ^ b[1], a[2] ^ b[2], a[3] ^ b[3]])
    }

    /// Whether both have a member in common.
    pub(super) const fn meets(&self, other: &Self) -> bool {
        let (a, b) = (&self.0, &other.0);
        // With up to six planes only the first word is used.
        a[0] & b[0] != 0 || (a[1] & b[1]) | (a[2] & b[2]) | (a[3] & b[3]) != 0
    }

    /// The members of both.
    pub(super) const fn and(&self, other: &Self) -> Self {
        let (a, b) = (&self.0, &other.0);
        Self([a[0] & b[0], a[1] & b[1], a[2] & b[2], a[3] & b[3]])
    }

    /// The members in ascending order of their bits.
    pub(super) fn iter(self) -> impl Iterator<Item = PlaneSet> {
        let (mut word, mut left) = (0, self.0[0]);
        std::iter::from_fn(move || {
            while left == 0 {
                word += 1;
                left = *self.0.get(word)?;
            }
            let at = left.trailing_zeros() as usize;
            left &= left - 1;
            Some(PlaneSet((word * 64 + at) as u8))
        })
    }
}

/// Relations between the plane sets of a die, looked up by plane set.
#[derive(Clone, Debug)]
pub(super) struct Masks {
    /// The plane sets that share at least two planes with the one asked about.
    sharing_two: Vec<MaskSet>,
    /// The plane sets of at least two planes that contain the one asked about.
    supersets: Vec<MaskSet>,
    /// The plane sets of at least two planes inside the one asked about.
    subsets: Vec<MaskSet>,
}

impl Masks {
    pub(super) fn new(planes: u8) -> Self {
        let all = 1usize << planes;
        let table = |related: &dyn Fn(PlaneSet, PlaneSet) -> bool| {
            let row = |one: usize| {
                let mut row = MaskSet::default();
                for other in (0..all).filter(|&other| related(PlaneSet(one as u8), PlaneSet(other as u8))) {
                    row.put(other, true);
                }
                row
            };
            (0..all).map(row).collect()
        };
        Self {
            sharing_two: table(&|one, other| one.and(other).len() >= 2),
            supersets: table(&|one, other| one.is_subset(other) && other.len() >= 2),
            subsets: table(&|one, other| other.is_subset(one) && other.len() >= 2),
        }
    }

    /// The plane sets that share at least two planes with `planes`.
    pub(super) fn sharing_two(&self, planes: PlaneSet) -> &MaskSet {
        &self.sharing_two[usize::from(planes.0)]
    }

    /// The plane sets of at least two planes that contain `planes`.
    pub(super) fn supersets(&self, planes: PlaneSet) -> &MaskSet {
        &self.supersets[usize::from(planes.0)]
    }

    /// The plane sets of at least two planes inside `planes`.
    pub(super) fn subsets(&self, planes: PlaneSet) -> &MaskSet {
        &self.subsets[usize::from(planes.0)]
    }
}

/// The plane sets on which some group can work, and those of which some two planes can work together on some group.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct KnownPlaneSets {
    pub(super) masks: MaskSet,
    pub(super) together: MaskSet,
}

impl KnownPlaneSets {
    /// Puts a plane set in or takes it out. Returns the plane sets for which it changes whether some two of their planes can work
    /// together.
    pub(super) fn put(&mut self, relations: &Masks, mask: PlaneSet, inside: bool) -> MaskSet {
        let before = self.together;
        self.masks.put(usize::from(mask.0), inside);
        self.together = if inside {
            before.or(relations.sharing_two(mask))
        } else {
            self.masks.iter().fold(MaskSet::default(), |all, known| all.or(relations.sharing_two(known)))
        };
        before.xor(&self.together)
    }
}

/// The positions of the bits of a number.
pub(super) fn bits(number: u32) -> impl Iterator<Item = usize> {
    let mut left = number;
    std::iter::from_fn(move || {
        let at = left.trailing_zeros() as usize;
        left &= left.wrapping_sub(1);
        (at < 32).then_some(at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plane_sets_are_found_in_order_whatever_their_word() {
        let masks = Masks::new(8);
        let naive = |planes: u8| (0..=255u8).filter(move |other| planes & !other == 0 && other.count_ones() >= 2);
        for planes in [0, 1, 0b11, 0b1000_0001, 0b1111_0000, 255] {
            let found: Vec<u8> = masks.supersets(PlaneSet(planes)).iter().map(|mask| mask.0).collect();
            assert_eq!(found, naive(planes).collect::<Vec<_>>());
        }
        let mut some = MaskSet::default();
        some.put(0b1100_0000, true);
        assert!(some.meets(masks.sharing_two(PlaneSet(0b1100_0001))));
        assert!(!some.meets(masks.sharing_two(PlaneSet(0b0100_0001))));
        some.put(0b1100_0000, false);
        assert_eq!(some, MaskSet::default());
    }
}
