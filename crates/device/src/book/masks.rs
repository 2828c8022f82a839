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

    /// Whether a plane set is in it.
    #[inline]
    pub(super) const fn contains(&self, mask: PlaneSet) -> bool {
        self.0[mask.0 as usize / 64] >> (mask.0 % 64) & 1 == 1
    }

    /// Whether it has no member.
    #[inline]
    pub(super) const fn is_empty(&self) -> bool {
        self.0[0] | self.0[1] | self.0[2] | self.0[3] == 0
    }

    /// How many members it has.
    #[inline]
    pub(super) fn len(&self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
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
    /// The plane sets by how many planes they have.
    of_size: [MaskSet; 9],
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
            of_size: std::array::from_fn(|size| {
                let mut of_size = MaskSet::default();
                let sets = (0..all).filter(|&one| PlaneSet(one as u8).len() as usize == size);
                sets.for_each(|one| of_size.put(one, true));
                of_size
            }),
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

    /// The plane sets of so many planes.
    pub(super) const fn of_size(&self, size: u32) -> &MaskSet {
        &self.of_size[size as usize]
    }
}

/// The plane sets that groups have, those that are inside one of these, and those of which some two planes are.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct KnownPlaneSets {
    pub(super) masks: MaskSet,
    pub(super) inside: MaskSet,
    pub(super) together: MaskSet,
}

impl KnownPlaneSets {
    /// Puts a plane set in or takes it out. Returns the plane sets for which it changes whether some two of their planes can work
    /// together.
    pub(super) fn put(&mut self, relations: &Masks, mask: PlaneSet, inside: bool) -> MaskSet {
        let before = self.together;
        self.masks.put(usize::from(mask.0), inside);
        let with = |(within, together): (MaskSet, MaskSet), known: PlaneSet| {
            (within.or(relations.subsets(known)), together.or(relations.sharing_two(known)))
        };
        (self.inside, self.together) = if inside {
            with((self.inside, before), mask)
        } else {
            self.masks.iter().fold(<(MaskSet, MaskSet)>::default(), with)
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
        assert_eq!(some.len(), 1);
        assert!(some.contains(PlaneSet(0b1100_0000)) && !some.contains(PlaneSet(0b0100_0000)));
        for size in 0..=8 {
            let sized = (0..=255u8).filter(|mask| mask.count_ones() == size);
            assert!(sized.eq(masks.of_size(size).iter().map(|mask| mask.0)));
        }
        some.put(0b1100_0000, false);
        assert_eq!(some, MaskSet::default());
    }

    #[test]
    fn what_is_inside_the_plane_sets_of_groups_follows_from_them() {
        let masks = Masks::new(4);
        let mut known = KnownPlaneSets::default();
        for number in 0..200u32 {
            let mask = PlaneSet((number * 7 % 16) as u8);
            if mask.len() >= 2 {
                known.put(&masks, mask, number % 3 > 0);
            }
            for one in (0..16).map(PlaneSet).filter(|one| one.len() >= 2) {
                assert_eq!(known.inside.contains(one), known.masks.iter().any(|other| one.is_subset(other)));
                assert_eq!(known.together.contains(one), known.masks.iter().any(|other| one.and(other).len() >= 2));
            }
        }
    }
}
