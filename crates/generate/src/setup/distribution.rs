//! Distributions over the names of operations, by class, with whole numbers as weights.
//!
//! Names of a class are eligible together: a proposal finds the eligible classes, draws one, and draws a name of it.

use nandseq_device::Tables;
use nandseq_profile::OpId;

use super::classes::{CHUNK, ClassId, ClassSet, Classes};
use crate::random::{RandomNumbers, Stream};

/// A distribution over names, by class.
#[derive(Clone, Debug)]
pub(crate) struct Distribution {
    /// The names with their weights, those of a class together.
    pub(crate) names: Vec<(OpId, u64)>,
    /// Where each name begins if the weights of all follow one another, and where the last ends; see [`padded`].
    begins: Vec<u64>,
    /// The classes that have names, by chunk.
    sets: Vec<ClassSet>,
    /// By chunk: for each four classes in turn, the sum of the weights of any of them, by their four bits.
    sums: Vec<[[u64; 16]; FOURS]>,
    /// For each class the first of its names and one past the last.
    spans: Vec<(u32, u32)>,
    /// The sum of the weights of all names; 1 if there are none.
    total: u64,
    /// A class that proposes nothing and is eligible at every hook, for all such classes, with their mass; the mass is 0 if there is none.
    idling: (ClassId, u64),
    /// That mass if `is_mostly_idle`, or 0.
    mostly_idling: u64,
    /// The other classes that have names.
    others: Vec<ClassId>,
    /// Where each of `others` ends if the masses of all follow on that of the idling ones; see [`padded`].
    ends_of_others: Vec<u64>,
    /// Whether so many draws propose nothing that classes are drawn and asked for one after the other.
    pub(crate) is_mostly_idle: bool,
}

/// From one in so many draws that propose nothing on, classes are drawn one by one.
const MOSTLY_IDLE: u64 = 4;

/// How many times four classes a chunk has.
const FOURS: usize = CHUNK / 4;

/// How many times sixteen classes a chunk has.
pub(crate) const SIXTEENS: usize = CHUNK / 16;

/// Where each sixteen classes of a chunk begin, and where the last end.
pub(crate) type Begins = [u64; SIXTEENS + 1];

/// Numbers in ascending order, and then some that are above all: [`rank`] looks at four at a time.
fn padded(numbers: impl Iterator<Item = u64>) -> Vec<u64> {
    numbers.chain([u64::MAX; 4]).collect()
}

/// How many of some ascending numbers are not above a number, if there is a greater one among the first `most` or after them. No branch
/// depends on the numbers.
#[inline]
fn rank(ascending: &[u64], most: usize, number: u64) -> usize {
    let fours = ascending.as_chunks::<4>().0.iter().take(most.div_ceil(4));
    fours.fold(0, |rank, four| rank + four.iter().map(|&one| usize::from(one <= number)).sum::<usize>())
}

/// Probabilities become integers in units of 2⁻⁴⁴: sums of some 16,000 names stay far below 2⁶³.
pub(crate) const UNITS: f64 = (1u64 << 44) as f64;

pub(super) fn weight(mass: f64, total: f64) -> u64 {
    if mass > 0.0 { ((mass / total * UNITS) as u64).max(1) } else { 0 }
}

impl Distribution {
    pub(crate) fn new(
        tables: &Tables,
        classes: &Classes,
        entries: &[(OpId, f64)],
        usable: impl Fn(OpId) -> bool,
    ) -> Self {
        let total: f64 = entries.iter().map(|&(_, mass)| mass).sum();
        // The class of a name is looked up once: a lookup at every comparison of the sort would be most of the cost of a start.
        let mut names: Vec<(ClassId, OpId, u64)> = entries
            .iter()
            .map(|&(op, mass)| (op, weight(mass, total)))
            .filter(|&(op, weight)| weight > 0 && usable(op))
            .map(|(op, weight)| (classes.of(tables.op(op)), op, weight))
            .collect();
        names.sort_by_key(|&(class, op, _)| (class, op));
        let mut all = Self {
            begins: Vec::new(),
            sets: vec![ClassSet::NONE; classes.chunks()],
            sums: vec![[[0; 16]; FOURS]; classes.chunks()],
            spans: vec![(0, 0); classes.count()],
            names: Vec::new(),
            total: 0,
            idling: (ClassId::at(0, 0), 0),
            mostly_idling: 0,
            others: Vec::new(),
            ends_of_others: Vec::new(),
            is_mostly_idle: false,
        };
        for (at, &(class, ..)) in names.iter().enumerate() {
            let (first, end) = &mut all.spans[class.index()];
            if !all.sets[class.chunk()].contains(class) {
                *first = at as u32;
            }
            *end = at as u32 + 1;
            all.sets[class.chunk()] |= class.bit();
        }
        all.names = names.into_iter().map(|(_, op, weight)| (op, weight)).collect();
        all.begins = padded(std::iter::repeat_n(0, all.names.len() + 1));
        all.add_up();
        all.note_idling(|_| ClassSet::NONE);
        all
    }

    /// Takes note of the classes, by chunk, that propose nothing and are eligible at every hook.
    pub(super) fn note_idling(&mut self, idling: impl Fn(usize) -> ClassSet) {
        let classes = |of: &dyn Fn(usize, ClassSet) -> ClassSet| -> Vec<ClassId> {
            let sets = self.sets.iter().enumerate().map(|(chunk, &set)| (chunk, of(chunk, set)));
            sets.flat_map(|(chunk, set)| set.places().map(move |place| ClassId::at(chunk, place))).collect()
        };
        let idle = classes(&|chunk, set| set & idling(chunk));
        let others = classes(&|chunk, set| set & !idling(chunk));
        self.idling =
            (idle.first().copied().unwrap_or(ClassId::at(0, 0)), idle.iter().map(|&class| self.mass(class)).sum());
        self.ends_of_others = padded(others.iter().map(|_| 0));
        self.others = others;
        self.add_up_others();
    }

    /// Takes the weights of a distribution of the same names, each changed by a function that gives at least 1 and leaves those of
    /// names that propose nothing.
    pub(crate) fn reweigh(&mut self, from: &Self, change: impl Fn(OpId, u64) -> u64) {
        for (name, &(op, weight)) in self.names.iter_mut().zip(&from.names) {
            name.1 = change(op, weight);
        }
        self.add_up();
        self.add_up_others();
    }

    /// Finds where each name begins, and the sums of classes.
    fn add_up(&mut self) {
        let mut end = 0;
        for (begin, &(_, weight)) in self.begins[1..].iter_mut().zip(&self.names) {
            end += weight;
            *begin = end;
        }
        for (chunk, (&set, sums)) in self.sets.iter().zip(&mut self.sums).enumerate() {
            for place in set.places() {
                let (first, end) = self.spans[ClassId::at(chunk, place).index()];
                let mass = self.begins[end as usize] - self.begins[first as usize];
                let (bit, sums) = (1 << (place % 4), &mut sums[place / 4]);
                // The classes before it of the four are in the sums already, in ascending order.
                (0..bit).for_each(|before| sums[before | bit] = sums[before] + mass);
            }
        }
    }

    /// Finds where each of `others` ends.
    fn add_up_others(&mut self) {
        let mut end = self.idling.1;
        for (slot, &class) in self.ends_of_others.iter_mut().zip(&self.others) {
            let place = class.place();
            end += self.sums[class.chunk()][place / 4][1 << (place % 4)];
            *slot = end;
        }
        self.total = end.max(1);
        self.is_mostly_idle = self.idling.1 >= (self.total / MOSTLY_IDLE).max(1);
        self.mostly_idling = if self.is_mostly_idle { self.idling.1 } else { 0 };
    }

    /// Draws a class by its mass, eligible or not; `None` when there are no names.
    #[inline]
    pub(crate) fn draw_any(&self, stream: &mut Stream) -> Option<ClassId> {
        let at = stream.below(self.total);
        if at < self.idling.1 { Some(self.idling.0) } else { self.other_at(at) }
    }

    /// Whether classes are drawn one by one, and [`Distribution::draw_any`] gives one that proposes nothing and is eligible at every hook, if
    /// the stream's next number is this. `false` may also mean that further numbers decide.
    #[inline]
    pub(crate) const fn idles_at(&self, number: u64) -> bool {
        let product = number as u128 * self.total as u128;
        (product as u64 >= self.total) & (self.mostly_idling > (product >> 64) as u64)
    }

    /// The class at a mass that is not below that of the idling ones.
    #[inline(never)]
    fn other_at(&self, mass: u64) -> Option<ClassId> {
        self.others.get(rank(&self.ends_of_others, self.others.len(), mass)).copied()
    }

    /// Whether [`Distribution::draw_any`] gives a class for those that propose nothing and are eligible at every hook.
    #[cfg(test)]
    pub(crate) fn is_idling(&self, class: ClassId) -> bool {
        class == self.idling.0 && self.idling.1 > 0
    }

    /// Whether it has no names.
    pub(crate) const fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The names with their weights.
    pub(crate) fn names(&self) -> &[(OpId, u64)] {
        &self.names
    }

    /// The classes of a chunk that have names.
    pub(crate) fn set(&self, chunk: usize) -> ClassSet {
        self.sets.get(chunk).copied().unwrap_or_default()
    }

    /// The classes that have names, by chunk.
    pub(crate) fn sets(&self) -> &[ClassSet] {
        &self.sets
    }

    /// The sum of the weights of a class.
    pub(crate) fn mass(&self, class: ClassId) -> u64 {
        self.sums[class.chunk()][class.place() / 4][1 << (class.place() % 4)]
    }

    /// Notes where each sixteen classes of a chunk begin and the last end, if the masses of those in a set follow one another from the
    /// first of `begins` on. Returns the last.
    #[inline]
    pub(crate) fn place_in_line(&self, chunk: usize, classes: ClassSet, begins: &mut Begins) -> u64 {
        let mut begin = begins[0];
        for (at, fours) in self.sums[chunk].as_chunks::<4>().0.iter().enumerate() {
            let bits = classes.sixteen(at);
            begin +=
                fours[0][bits % 16] + fours[1][bits >> 4 & 15] + fours[2][bits >> 8 & 15] + fours[3][bits >> 12 & 15];
            begins[at + 1] = begin;
        }
        begin
    }

    /// The class at a mass of the line, and how much of the mass is above its begin. `begins` are those of a chunk and some of its classes
    /// ([`Distribution::place_in_line`]). The mass is not below the first of them, and below the last.
    #[inline]
    pub(crate) fn class_at(&self, (chunk, classes): (usize, ClassSet), begins: &Begins, mass: u64) -> (ClassId, u64) {
        let sixteen: usize = begins[1..SIXTEENS].iter().map(|&begin| usize::from(begin <= mass)).sum();
        let (bits, mass) = (classes.sixteen(sixteen), mass - begins[sixteen]);
        let fours = &self.sums[chunk][4 * sixteen..4 * sixteen + 4];
        let first = fours[0][bits % 16];
        let second = first + fours[1][bits >> 4 & 15];
        let third = second + fours[2][bits >> 8 & 15];
        let four = usize::from(first <= mass) + usize::from(second <= mass) + usize::from(third <= mass);
        let (bits, sums, mass) = (bits >> (4 * four) & 15, &fours[four], mass - [0, first, second, third][four]);
        // Of the four, those before the one that is wanted are the most whose sum is not above the mass.
        let before = [bits & 1, bits & 3, bits & 7].map(|before| usize::from(sums[before] <= mass));
        let place = before.iter().sum::<usize>();
        (ClassId::at(chunk, 16 * sixteen + 4 * four + place), mass - sums[bits & ((1 << place) - 1)])
    }

    /// Where a class of a set begins in the line; `begins` as in [`Distribution::class_at`].
    pub(crate) fn begin_of(&self, class: ClassId, classes: ClassSet, begins: &Begins) -> u64 {
        let (sixteen, place) = (class.place() / 16, class.place() % 16);
        let before = classes.sixteen(sixteen) & ((1 << place) - 1);
        let fours = self.sums[class.chunk()][4 * sixteen..].iter().take(4).enumerate();
        begins[sixteen] + fours.map(|(four, sums)| sums[before >> (4 * four) & 15]).sum::<u64>()
    }

    /// The names of a class.
    pub(crate) fn names_of(&self, class: ClassId) -> &[(OpId, u64)] {
        let (first, end) = self.spans[class.index()];
        &self.names[first as usize..end as usize]
    }

    /// The name of a class at a weight below their sum, with its own weight and how much of the weight is below its begin.
    #[inline]
    pub(crate) fn name_at(&self, class: ClassId, weight: u64) -> Option<((OpId, u64), u64)> {
        let (first, end) = self.spans[class.index()];
        let (first, count) = (first as usize, (end - first) as usize);
        let begin = *self.begins.get(first)?;
        let at = first + rank(self.begins.get(first + 1..)?, count, begin + weight);
        Some((*self.names.get(at)?, self.begins[at] - begin))
    }
}

#[cfg(test)]
mod tests {
    use nandseq_profile::builtin;

    use super::*;
    use crate::probability;
    use crate::random::StreamKind;
    use crate::setup::Setup;

    /// Some classes of a distribution, by a number.
    fn some_of(distribution: &Distribution, number: u64) -> Vec<ClassSet> {
        let is_in = |class: usize| (class as u64 + 7).wrapping_mul(number.wrapping_mul(2) + 1) % 31 < 11 + number % 20;
        let chunks = distribution.sets.iter().enumerate();
        let some = |(chunk, set): (usize, &ClassSet)| {
            let places = set.places().filter(|place| is_in(chunk * CHUNK + place));
            places.fold(ClassSet::NONE, |all, place| all | ClassSet::one(place))
        };
        chunks.map(some).collect()
    }

    #[test]
    fn every_class_of_a_set_and_every_name_has_its_own_length_of_the_line() {
        let profile = builtin::profile();
        let setup = Setup::new(&profile, &probability::of_profile(&profile, 1), &[]).expect("it has names");
        let mut found = 0;
        for (distribution, number) in setup.distributions.iter().zip(0..) {
            let mut begin = 0;
            for (chunk, set) in some_of(distribution, number).into_iter().enumerate() {
                let mut begins = [begin; SIXTEENS + 1];
                let end = distribution.place_in_line(chunk, set, &mut begins);
                for class in set.places().map(|place| ClassId::at(chunk, place)) {
                    assert_eq!(distribution.begin_of(class, set, &begins), begin);
                    let mut above = 0;
                    for &(op, weight) in distribution.names_of(class) {
                        for at in [above, above + weight - 1] {
                            assert_eq!(distribution.class_at((chunk, set), &begins, begin + at), (class, at));
                            assert_eq!(distribution.name_at(class, at), Some(((op, weight), above)));
                        }
                        above += weight;
                        found += 1;
                    }
                    assert_eq!(distribution.mass(class), above);
                    begin += above;
                }
                assert_eq!(end, begin);
            }
        }
        assert!(found > 1_000, "only {found} names");
    }

    #[test]
    fn a_number_idles_as_the_class_that_it_draws() {
        let profile = builtin::profile();
        let setup = Setup::new(&profile, &probability::of_profile(&profile, 1), &[]).expect("it has names");
        let mut counts = [0; 2];
        for distribution in &setup.distributions {
            for number in 0..100 {
                let mut stream = Stream::new([7, 7], StreamKind::Hook, number).begun();
                let idles = distribution.idles_at(stream.first());
                let class = distribution.draw_any(&mut stream);
                let is_idling = class.is_some_and(|class| distribution.is_idling(class));
                assert_eq!(idles, distribution.is_mostly_idle && is_idling);
                counts[usize::from(idles)] += 1;
            }
            // Below the threshold of rejection, further numbers decide.
            assert!(!distribution.idles_at(0));
        }
        assert!(counts.into_iter().all(|count| count > 1_000), "{counts:?}");
    }

    #[test]
    fn classes_drawn_from_all_have_the_lengths_of_their_masses() {
        let profile = builtin::profile();
        let setup = Setup::new(&profile, &probability::of_profile(&profile, 1), &[]).expect("it has names");
        let mut idling = 0;
        for distribution in &setup.distributions {
            let mut begin = distribution.idling.1;
            idling += u32::from(begin > 0);
            for &class in &distribution.others {
                let end = begin + distribution.mass(class);
                assert_eq!([begin, end - 1].map(|mass| distribution.other_at(mass)), [Some(class); 2]);
                begin = end;
            }
            assert_eq!(begin.max(1), distribution.total);
            assert_eq!(distribution.other_at(begin), None);
        }
        assert!(idling > 10, "only {idling} distributions have a class that proposes nothing");
    }
}
