//! A weighted draw of names without replacement, among the eligible classes.

use nandseq_profile::{Die, OpId};

use crate::random::{RandomNumbers, Stream};
use crate::setup::{ClassId, Distribution, Setup, places};

/// A distribution restricted to the eligible classes. The site keeps it, so that drawing allocates nothing.
#[derive(Clone, Debug)]
pub(crate) struct WeightedSampler {
    /// The classes that are in, by chunk.
    inside: Vec<u64>,
    /// The sums of the weights of the names that are in and were not drawn before, by chunk, and the sum of these. Valid once counted.
    masses: Vec<u64>,
    total: u64,
    is_counted: bool,
    /// How many classes were drawn at this hook that are not eligible, or names that were drawn before.
    pub(super) misses: u32,
    /// Names drawn before, with their weights and classes.
    tried: Vec<(OpId, u64, ClassId)>,
    /// The die that last forbade all classes that look at every die.
    pub(crate) strictest: Die,
}

/// The name at a weight below the sum of all.
#[inline]
fn name_at(names: &[(OpId, u64)], mut at: u64) -> Option<&(OpId, u64)> {
    names.iter().find(|&&(_, weight)| {
        let is_here = at < weight;
        at = at.wrapping_sub(weight);
        is_here
    })
}

impl WeightedSampler {
    /// A sampler with nothing in it.
    pub(crate) fn new(setup: &Setup) -> Self {
        let chunks = setup.classes.chunks();
        Self {
            inside: vec![0; chunks],
            masses: vec![0; chunks],
            total: 0,
            is_counted: false,
            misses: 0,
            tried: Vec::new(),
            strictest: Die(0),
        }
    }

    /// Begins a new proposal: no name has been drawn.
    #[inline]
    pub(crate) fn clear(&mut self) {
        self.tried.clear();
        self.misses = 0;
        self.is_counted = false;
    }

    /// Begins to take classes in; the caller then puts every chunk.
    #[inline]
    pub(crate) fn refill(&mut self) {
        self.is_counted = false;
    }

    /// Whether a class is in.
    pub(super) fn has(&self, class: ClassId) -> bool {
        self.inside[class.chunk()] & class.bit() != 0
    }

    /// Sets the classes of a chunk that are in; all of them have names.
    #[inline]
    pub(crate) fn put(&mut self, chunk: usize, classes: u64) {
        self.inside[chunk] = classes;
    }

    /// Takes classes of a chunk out; returns those that are left.
    #[inline]
    pub(crate) fn take_out(&mut self, chunk: usize, classes: u64) -> u64 {
        self.inside[chunk] &= !classes;
        self.inside[chunk]
    }

    /// Sums the weights of the names that are in and were not drawn before.
    fn count(&mut self, distribution: &Distribution) {
        self.is_counted = true;
        self.total = 0;
        for (chunk, (&inside, mass)) in self.inside.iter().zip(&mut self.masses).enumerate() {
            *mass = distribution.mass_of(chunk, inside);
            self.total += *mass;
        }
        for &(_, weight, class) in &self.tried {
            self.masses[class.chunk()] -= weight;
            self.total -= weight;
        }
    }

    /// The classes that are in.
    pub(crate) fn eligible(&self) -> impl Iterator<Item = ClassId> {
        let chunks = self.inside.iter().enumerate();
        chunks.flat_map(|(chunk, &inside)| places(inside).map(move |place| ClassId::at(chunk, place)))
    }

    /// Draws a name of a class by weight; `None` if it was drawn before.
    pub(crate) fn draw_of(&mut self, distribution: &Distribution, class: ClassId, stream: &mut Stream) -> Option<OpId> {
        let names = distribution.names_of(class);
        let &(op, weight) = match names {
            [only] => only,
            _ => name_at(names, stream.below(distribution.mass(class)))?,
        };
        if self.tried.iter().any(|&(tried, ..)| tried == op) {
            return None;
        }
        self.tried.push((op, weight, class));
        Some(op)
    }

    /// Draws a name by weight among those not drawn before.
    pub(crate) fn draw(&mut self, distribution: &Distribution, stream: &mut Stream) -> Option<(OpId, ClassId)> {
        if !self.is_counted {
            self.count(distribution);
        }
        if self.total == 0 {
            return None;
        }
        let mut at = stream.below(self.total);
        let chunk = self.masses.iter().position(|&mass| {
            let here = at < mass;
            if !here {
                at -= mass;
            }
            here
        })?;
        if self.tried.is_empty() {
            let (class, at) = distribution.class_at(chunk, self.inside[chunk], at)?;
            let &(op, weight) = name_at(distribution.names_of(class), at)?;
            return Some((self.note(class, (op, weight)), class));
        }
        for place in places(self.inside[chunk]) {
            let class = ClassId::at(chunk, place);
            let mass = distribution.mass(class) - self.tried_of(class);
            if at >= mass {
                at -= mass;
                continue;
            }
            for &(op, weight) in distribution.names_of(class) {
                if self.tried.iter().any(|&(tried, ..)| tried == op) {
                    continue;
                }
                if at < weight {
                    return Some((self.note(class, (op, weight)), class));
                }
                at -= weight;
            }
        }
        None
    }

    /// Notes that a name has been drawn.
    fn note(&mut self, class: ClassId, (op, weight): (OpId, u64)) -> OpId {
        self.masses[class.chunk()] -= weight;
        self.total -= weight;
        self.tried.push((op, weight, class));
        op
    }

    /// The weight of the names of a class that were drawn before.
    fn tried_of(&self, class: ClassId) -> u64 {
        self.tried.iter().filter(|(.., of)| *of == class).map(|&(_, weight, _)| weight).sum()
    }
}
