//! Distributions over the names of operations, by class, with whole numbers as weights.
//!
//! Names of a class are eligible together: a proposal finds the eligible classes, draws one, and draws a name of it.

use nandseq_device::Tables;
use nandseq_profile::OpId;

use super::classes::{CHUNK, ClassId, Classes, places};
use crate::random::{RandomNumbers, Stream};

/// A distribution over names, by class.
#[derive(Clone, Default, Debug)]
pub(crate) struct Distribution {
    /// The names with their weights, those of a class together.
    pub(crate) names: Vec<(OpId, u64)>,
    /// The classes that have names, by chunk.
    sets: Vec<u64>,
    /// By chunk: for each four classes in turn, the sum of the weights of any of them, by their four bits.
    sums: Vec<[[u64; 16]; FOURS]>,
    /// For each class the first of its names and one past the last.
    spans: Vec<(u32, u32)>,
    /// The sum of the weights of all names.
    total: u64,
    /// A class that proposes nothing and is eligible at every hook, for all such classes, with their mass.
    idling: (Option<ClassId>, u64),
    /// By chunk: the other classes, and their mass.
    others: Vec<(u64, u64)>,
    /// Whether so many draws propose nothing that classes are drawn and asked for one after the other.
    pub(crate) is_mostly_idle: bool,
}

/// From one in so many draws that propose nothing on, classes are drawn one by one.
const MOSTLY_IDLE: u64 = 4;

/// How many times four classes a chunk has.
const FOURS: usize = CHUNK / 4;

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
            sets: vec![0; classes.chunks()],
            sums: vec![[[0; 16]; FOURS]; classes.chunks()],
            spans: vec![(0, 0); classes.count()],
            names: Vec::new(),
            total: 0,
            idling: (None, 0),
            others: Vec::new(),
            is_mostly_idle: false,
        };
        for (at, &(class, _, weight)) in names.iter().enumerate() {
            let (first, end) = &mut all.spans[class.index()];
            if all.sets[class.chunk()] & class.bit() == 0 {
                *first = at as u32;
            }
            *end = at as u32 + 1;
            all.sets[class.chunk()] |= class.bit();
            let place = class.place();
            let sums = all.sums[class.chunk()][place / 4].iter_mut().enumerate();
            sums.filter(|(bits, _)| bits >> (place % 4) & 1 == 1).for_each(|(_, sum)| *sum += weight);
        }
        all.names = names.into_iter().map(|(_, op, weight)| (op, weight)).collect();
        all.note_idling(|_| 0);
        all
    }

    /// Takes note of the classes, by chunk, that propose nothing and are eligible at every hook.
    pub(super) fn note_idling(&mut self, idling: impl Fn(usize) -> u64) {
        let parts = self.sets.iter().enumerate().map(|(chunk, set)| (chunk, set & idling(chunk), set & !idling(chunk)));
        let parts: Vec<(usize, u64, u64)> = parts.collect();
        let first = parts.iter().find_map(|&(chunk, idle, _)| Some(ClassId::at(chunk, places(idle).next()?)));
        self.idling = (first, parts.iter().map(|&(chunk, idle, _)| self.mass_of(chunk, idle)).sum());
        self.others = parts.iter().map(|&(chunk, _, others)| (others, self.mass_of(chunk, others))).collect();
        self.total = self.idling.1 + self.others.iter().map(|(_, mass)| mass).sum::<u64>();
        self.is_mostly_idle = self.idling.1 >= (self.total / MOSTLY_IDLE).max(1);
    }

    /// Draws a class by its mass, eligible or not; `None` when there are no names.
    #[inline]
    pub(crate) fn draw_any(&self, stream: &mut Stream) -> Option<ClassId> {
        if self.total == 0 {
            return None;
        }
        let at = stream.below(self.total);
        let Some(mut at) = at.checked_sub(self.idling.1) else { return self.idling.0 };
        for (chunk, &(classes, mass)) in self.others.iter().enumerate() {
            if at < mass {
                return Some(self.class_at(chunk, classes, at)?.0);
            }
            at -= mass;
        }
        None
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
    pub(crate) fn set(&self, chunk: usize) -> u64 {
        self.sets.get(chunk).copied().unwrap_or(0)
    }

    /// The sum of the weights of a class.
    pub(crate) fn mass(&self, class: ClassId) -> u64 {
        self.sums[class.chunk()][class.place() / 4][1 << (class.place() % 4)]
    }

    /// The sum of the weights of some classes of a chunk.
    #[inline]
    pub(crate) fn mass_of(&self, chunk: usize, classes: u64) -> u64 {
        let sums = self.sums[chunk].iter().enumerate();
        sums.map(|(at, sums)| sums[(classes >> (4 * at)) as usize % 16]).sum()
    }

    /// The class of some of a chunk at a mass below their sum, and how much of the mass is above its begin.
    #[inline]
    pub(crate) fn class_at(&self, chunk: usize, classes: u64, mut mass: u64) -> Option<(ClassId, u64)> {
        for (at, sums) in self.sums[chunk].iter().enumerate() {
            let bits = (classes >> (4 * at)) as usize % 16;
            if mass >= sums[bits] {
                mass -= sums[bits];
                continue;
            }
            // Of the four, those before the one that is wanted are the most whose sum is not above the mass.
            let before = [bits & 1, bits & 3, bits & 7].map(|before| usize::from(sums[before] <= mass));
            let place = before.iter().sum::<usize>();
            return Some((ClassId::at(chunk, 4 * at + place), mass - sums[bits & ((1 << place) - 1)]));
        }
        None
    }

    /// The names of a class.
    pub(crate) fn names_of(&self, class: ClassId) -> &[(OpId, u64)] {
        let (first, end) = self.spans[class.index()];
        &self.names[first as usize..end as usize]
    }
}
