//! Distributions over the names of operations, by class, with whole numbers as weights.
//!
//! Names of a class are eligible together: a proposal finds the eligible classes, draws one, and draws a name of it.

use std::ops::RangeInclusive;

use nandseq_device::Tables;
use nandseq_profile::OpId;

use super::classes::{CHUNK, ClassId, Classes, places};
use super::groups::Groups;

/// A distribution over names, by class.
#[derive(Clone, Default, Debug)]
pub(crate) struct Distribution {
    /// The names with their weights, those of a class together.
    pub(crate) names: Vec<(OpId, u64)>,
    /// The classes that have names, by chunk.
    sets: Vec<u64>,
    /// The sum of the weights of each class, by chunk.
    masses: Vec<[u64; CHUNK]>,
    /// For each class the first of its names and one past the last.
    spans: Vec<(u32, u32)>,
    /// The random numbers that draw the proposal of nothing whatever else is eligible; see [`Distribution::draws_nothing`].
    nothing: Option<RangeInclusive<u64>>,
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
            sets: vec![0; classes.chunks()],
            masses: vec![[0; CHUNK]; classes.chunks()],
            spans: vec![(0, 0); classes.count()],
            names: Vec::new(),
            nothing: None,
        };
        for (at, &(class, _, weight)) in names.iter().enumerate() {
            let (first, end) = &mut all.spans[class.index()];
            if all.sets[class.chunk()] & class.bit() == 0 {
                *first = at as u32;
            }
            *end = at as u32 + 1;
            all.sets[class.chunk()] |= class.bit();
            all.masses[class.chunk()][class.place()] += weight;
        }
        Self { names: names.into_iter().map(|(_, op, weight)| (op, weight)).collect(), ..all }
    }

    /// Finds the random numbers that draw nothing in every state.
    pub(super) fn find_nothing(&mut self, groups: &Groups) {
        let idling = |&class: &ClassId| groups.chunks()[class.chunk()].idling & class.bit() != 0;
        let chunks = self.sets.iter().enumerate();
        let of_chunk = |(chunk, &set): (usize, &u64)| places(set).map(move |place| ClassId::at(chunk, place));
        let classes: Vec<ClassId> = chunks.flat_map(of_chunk).collect();
        let Some(at) = classes.iter().position(idling) else { return };
        let mass = |class: &ClassId| u128::from(self.masses[class.chunk()][class.place()]);
        let before = classes[..at].iter().map(mass).sum();
        let behind = classes[at + 1..].iter().map(mass).sum();
        self.nothing = numbers_within(before, mass(&classes[at]), behind);
    }

    /// Whether a hook whose random numbers begin with these draws nothing, whatever is eligible.
    ///
    /// A draw rejects a number with a probability of about 2⁻²⁰, for exact uniformity, and then takes the next. Which numbers it
    /// rejects depends on what is eligible. So the next two numbers must draw nothing too: a draw rejects all three once in 2⁶⁰
    /// hooks.
    pub(crate) fn draws_nothing(&self, numbers: &[u64; 4]) -> bool {
        self.nothing.as_ref().is_some_and(|nothing| numbers[..3].iter().all(|number| nothing.contains(number)))
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

    /// The sums of the weights of the classes of a chunk.
    pub(crate) fn masses(&self, chunk: usize) -> &[u64; CHUNK] {
        &self.masses[chunk]
    }

    /// The names of a class.
    pub(crate) fn names_of(&self, class: ClassId) -> &[(OpId, u64)] {
        let (first, end) = self.spans[class.index()];
        &self.names[first as usize..end as usize]
    }
}

/// The 64-bit numbers that draw a class of mass `own` (above 0), whichever other classes are eligible. The classes before it have
/// the mass `before` together, those behind it the mass `behind`.
///
/// If the eligible classes before and behind have the masses b and a, a number r draws at `r (b + own + a) / 2⁶⁴`. That is the
/// class when it is at least b and below b + own. The first bound is hardest to meet when a = 0 and b = `before`, the second when
/// b = 0 and a = `behind`.
pub(crate) fn numbers_within(before: u128, own: u128, behind: u128) -> Option<RangeInclusive<u64>> {
    let first = (before << 64).div_ceil(before + own);
    let end = (own << 64).div_ceil(own + behind);
    let (Ok(first), Ok(last)) = (u64::try_from(first), u64::try_from(end - 1)) else { return None };
    (first <= last).then_some(first..=last)
}
