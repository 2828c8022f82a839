//! Drawing names: a distribution restricted to what is eligible now.

use nandseq_profile::{BaseId, BaseSet, OpId};

use crate::philox::Stream;
use crate::setup::{Class, Distribution, Kinds};

/// A distribution restricted to what is eligible now. Kept by the site, so that drawing allocates nothing.
#[derive(Clone, Debug)]
pub(crate) struct Lottery {
    /// The bases that are in. What follows means something for these alone.
    inside: BaseSet,
    /// Which kinds of names of each base are in.
    kinds: [Kinds; 128],
    /// What is left of each base's mass.
    masses: [u64; 128],
    total: u64,
    /// Names drawn before, with their weights and classes.
    tried: Vec<(OpId, u64, Class)>,
}

impl Lottery {
    /// A lottery with nothing in it.
    pub(crate) const fn new() -> Self {
        Self { inside: BaseSet::EMPTY, kinds: [0; 128], masses: [0; 128], total: 0, tried: Vec::new() }
    }

    /// Starts again with all names of some bases.
    pub(crate) fn start(&mut self, distribution: &Distribution, bases: BaseSet) {
        self.tried.clear();
        self.inside = bases.and(distribution.set);
        self.total = 0;
        let bases = distribution.masses.len();
        self.kinds[..bases].copy_from_slice(&distribution.kinds);
        self.masses[..bases].copy_from_slice(&distribution.masses);
        for base in self.inside.iter() {
            self.total += self.masses[base.index()];
        }
    }

    /// Leaves a base that is in only some kinds of its names; to be called before the first draw.
    pub(crate) fn limit(&mut self, distribution: &Distribution, base: BaseId, kinds: Kinds) {
        let before = self.kinds[base.index()];
        let left = before & kinds;
        if left == before {
            return;
        }
        self.total -= self.masses[base.index()];
        if left == 0 {
            self.inside.remove(base);
            return;
        }
        let mass = distribution.shares_of(base, left).map(|share| share.mass).sum();
        self.total += mass;
        self.masses[base.index()] = mass;
        self.kinds[base.index()] = left;
    }

    /// The bases that are in, with the kinds of their names that are.
    pub(crate) fn eligible(&self) -> impl Iterator<Item = (BaseId, Kinds)> {
        self.inside.iter().map(|base| (base, self.kinds[base.index()]))
    }

    /// Takes back every draw since `start` was made.
    #[cfg(test)]
    pub(crate) fn restart(&mut self, start: &Self) {
        self.masses = start.masses;
        self.total = start.total;
        self.tried.clear();
    }

    /// Draws a name by weight among those not drawn before.
    pub(crate) fn draw(&mut self, distribution: &Distribution, stream: &mut Stream) -> Option<(OpId, Class)> {
        if self.total == 0 {
            return None;
        }
        let mut at = stream.below(self.total);
        let base = self.inside.iter().find(|base| {
            let mass = self.masses[base.index()];
            let here = at < mass;
            if !here {
                at -= mass;
            }
            here
        })?;
        for share in distribution.shares_of(base, self.kinds[base.index()]) {
            let of_share = self.tried.iter().filter(|(_, _, class)| *class == share.class);
            let mass = share.mass - of_share.map(|(_, weight, _)| weight).sum::<u64>();
            if at >= mass {
                at -= mass;
                continue;
            }
            for &(op, weight) in distribution.names_of(share) {
                if self.tried.iter().any(|&(tried, ..)| tried == op) {
                    continue;
                }
                if at < weight {
                    self.masses[base.index()] -= weight;
                    self.total -= weight;
                    self.tried.push((op, weight, share.class));
                    return Some((op, share.class));
                }
                at -= weight;
            }
        }
        None
    }
}
