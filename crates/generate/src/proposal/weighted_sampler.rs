//! A weighted draw of names without replacement, among the eligible classes.

use nandseq_profile::OpId;

use super::target_constraints::TargetConstraints;
use crate::random::{RandomNumbers, Stream};
use crate::setup::{Begins, ClassId, ClassSet, Distribution, SIXTEENS, Setup};

/// A distribution restricted to the eligible classes. The site keeps it, so that drawing allocates nothing.
///
/// The masses of the eligible classes, one after the other, are a line on which a class is drawn. Names that were drawn before are gaps in
/// the line.
#[derive(Clone, Debug)]
pub(crate) struct WeightedSampler {
    /// The classes that are in, by chunk.
    inside: Vec<ClassSet>,
    /// By chunk: see [`Distribution::place_in_line`]. Valid once counted.
    begins: Vec<Begins>,
    /// The begin and the length of each gap, ascending. Valid once counted.
    gaps: Vec<(u64, u64)>,
    /// The length of the line without the gaps. Valid once counted.
    left: u64,
    is_counted: bool,
    /// How many classes were drawn at this hook that are not eligible, or names that were drawn before.
    pub(super) misses: u32,
    /// Names drawn before, with their classes.
    tried: Vec<(OpId, ClassId)>,
    /// What the dies forbid of the classes that look at every die.
    pub(super) target: TargetConstraints,
}

impl WeightedSampler {
    /// A sampler with nothing in it.
    pub(crate) fn new(setup: &Setup) -> Self {
        let chunks = setup.classes.chunks();
        Self {
            inside: vec![ClassSet::NONE; chunks],
            begins: vec![Begins::default(); chunks],
            gaps: Vec::new(),
            left: 0,
            is_counted: false,
            misses: 0,
            tried: Vec::new(),
            target: TargetConstraints::new(setup),
        }
    }

    /// Begins a new proposal: no name has been drawn.
    #[inline]
    pub(crate) fn clear(&mut self) {
        self.tried.clear();
        self.misses = 0;
        self.is_counted = false;
    }

    /// The classes that are in, by chunk, to be changed; all of them have names.
    #[inline]
    pub(crate) fn refill(&mut self) -> &mut [ClassSet] {
        self.is_counted = false;
        &mut self.inside
    }

    /// Whether a class is in.
    pub(super) fn has(&self, class: ClassId) -> bool {
        self.inside[class.chunk()].contains(class)
    }

    /// Finds where the classes that are in begin, and the gaps.
    fn count(&mut self, distribution: &Distribution) {
        self.is_counted = true;
        self.left = 0;
        for (chunk, (&inside, begins)) in self.inside.iter().zip(&mut self.begins).enumerate() {
            begins[0] = self.left;
            self.left = distribution.place_in_line(chunk, inside, begins);
        }
        self.gaps.clear();
        for at in 0..self.tried.len() {
            let (op, class) = self.tried[at];
            if self.has(class) {
                let mut begin = distribution.begin_of(class, self.inside[class.chunk()], &self.begins[class.chunk()]);
                for &(name, weight) in distribution.names_of(class) {
                    if name == op {
                        self.cut_out(begin, weight);
                    }
                    begin += weight;
                }
            }
        }
    }

    /// A name leaves a gap.
    fn cut_out(&mut self, begin: u64, weight: u64) {
        let at = self.gaps.partition_point(|&(other, _)| other < begin);
        self.gaps.insert(at, (begin, weight));
        self.left -= weight;
    }

    /// The classes that are in.
    pub(crate) fn eligible(&self) -> impl Iterator<Item = ClassId> {
        let chunks = self.inside.iter().enumerate();
        chunks.flat_map(|(chunk, &inside)| inside.places().map(move |place| ClassId::at(chunk, place)))
    }

    /// Draws a name of a class by weight; `None` if it was drawn before.
    pub(crate) fn draw_of(&mut self, distribution: &Distribution, class: ClassId, stream: &mut Stream) -> Option<OpId> {
        let op = match distribution.names_of(class) {
            &[(only, _)] => only,
            _ => distribution.name_at(class, stream.below(distribution.mass(class)))?.0.0,
        };
        if self.tried.iter().any(|&(tried, _)| tried == op) {
            return None;
        }
        self.tried.push((op, class));
        Some(op)
    }

    /// Draws a name by weight among those not drawn before.
    pub(crate) fn draw(&mut self, distribution: &Distribution, stream: &mut Stream) -> Option<(OpId, ClassId)> {
        if !self.is_counted {
            self.count(distribution);
        }
        if self.left == 0 {
            return None;
        }
        let mut at = stream.below(self.left);
        for &(begin, weight) in &self.gaps {
            at += if at >= begin { weight } else { 0 };
        }
        let chunk = self.begins.iter().position(|begins| at < begins[SIXTEENS])?;
        let (class, above) = distribution.class_at((chunk, self.inside[chunk]), &self.begins[chunk], at);
        let ((op, weight), begin) = distribution.name_at(class, above)?;
        self.cut_out(at - above + begin, weight);
        self.tried.push((op, class));
        Some((op, class))
    }
}
