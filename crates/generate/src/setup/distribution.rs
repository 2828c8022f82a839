//! Distributions over the names of operations, by class, with whole numbers as weights.
//!
//! Names of a class are eligible together: a proposal finds the eligible classes, draws one, and draws a name of it.

use nandseq_device::Tables;
use nandseq_profile::OpId;

use super::alias::AliasTable;
use super::classes::{CHUNK, ClassId, Classes, places};
use crate::random::Stream;

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
    /// Draws a class by its mass, whatever is eligible.
    alias: AliasTable<ClassId>,
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
            alias: AliasTable::default(),
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
        let classes = all.sets.iter().enumerate().flat_map(|(chunk, &set)| {
            let masses = &all.masses[chunk];
            places(set).map(move |place| (ClassId::at(chunk, place), masses[place]))
        });
        let alias = AliasTable::new(&classes.collect::<Vec<_>>());
        Self { names: names.into_iter().map(|(_, op, weight)| (op, weight)).collect(), alias, ..all }
    }

    /// Draws a class by its mass, eligible or not; `None` when there are no names.
    #[inline]
    pub(crate) fn draw_any(&self, stream: &mut Stream) -> Option<ClassId> {
        self.alias.draw(stream)
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
