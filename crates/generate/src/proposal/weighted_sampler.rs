//! A weighted draw of names without replacement, among the eligible classes.

use nandseq_profile::{Die, OpId};

use crate::random::Stream;
use crate::setup::{ClassId, Distribution, Setup, places};

/// A distribution restricted to the eligible classes. The site keeps it, so that drawing allocates nothing.
#[derive(Clone, Debug)]
pub(crate) struct WeightedSampler {
    /// The classes that are in, by chunk.
    inside: Vec<u64>,
    /// The sums of the weights of the classes that are in, by chunk.
    masses: Vec<u64>,
    total: u64,
    /// Names drawn before, with their weights and classes.
    tried: Vec<(OpId, u64, ClassId)>,
    /// The die that last forbade all classes that look at every die.
    pub(crate) strictest: Die,
}

impl WeightedSampler {
    /// A sampler with nothing in it.
    pub(crate) fn new(setup: &Setup) -> Self {
        let chunks = setup.classes.chunks();
        Self { inside: vec![0; chunks], masses: vec![0; chunks], total: 0, tried: Vec::new(), strictest: Die(0) }
    }

    /// Begins a new proposal; the caller then puts every chunk.
    #[inline]
    pub(crate) fn clear(&mut self) {
        self.tried.clear();
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

    /// Sums the weights of the classes that are in. To be called before the first draw.
    #[inline]
    pub(crate) fn count(&mut self, distribution: &Distribution) {
        self.total = 0;
        for (chunk, (&inside, mass)) in self.inside.iter().zip(&mut self.masses).enumerate() {
            let masses = distribution.masses(chunk);
            *mass = places(inside).map(|place| masses[place]).sum();
            self.total += *mass;
        }
    }

    /// The classes that are in.
    pub(crate) fn eligible(&self) -> impl Iterator<Item = ClassId> {
        let chunks = self.inside.iter().enumerate();
        chunks.flat_map(|(chunk, &inside)| places(inside).map(move |place| ClassId::at(chunk, place)))
    }

    /// Takes back every draw since `start` was made.
    #[cfg(test)]
    pub(crate) fn restart(&mut self, start: &Self) {
        self.masses.clone_from(&start.masses);
        self.total = start.total;
        self.tried.clear();
    }

    /// Draws a name by weight among those not drawn before.
    pub(crate) fn draw(&mut self, distribution: &Distribution, stream: &mut Stream) -> Option<(OpId, ClassId)> {
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
            let (class, name) = first_draw(distribution, chunk, self.inside[chunk], at)?;
            return Some((self.note(class, name), class));
        }
        let masses = distribution.masses(chunk);
        for place in places(self.inside[chunk]) {
            let class = ClassId::at(chunk, place);
            let mass = masses[place] - self.tried_of(class);
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

/// The name at the sum of weights `at` among the classes of a chunk that are in, when no name was drawn before: nearly every
/// draw.
fn first_draw(distribution: &Distribution, chunk: usize, inside: u64, mut at: u64) -> Option<(ClassId, (OpId, u64))> {
    let masses = distribution.masses(chunk);
    for place in places(inside) {
        if at >= masses[place] {
            at -= masses[place];
            continue;
        }
        let class = ClassId::at(chunk, place);
        for &(op, weight) in distribution.names_of(class) {
            if at < weight {
                return Some((class, (op, weight)));
            }
            at -= weight;
        }
    }
    None
}
