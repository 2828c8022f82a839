//! Drawing names: a distribution restricted to what is eligible now.

use nandseq_profile::{BaseId, BaseSet, OpId};

use crate::philox::Stream;
use crate::setup::{Class, Distribution, Kinds};

/// What is left of a base's names.
#[derive(Clone, Copy, Debug)]
struct Ticket {
    base: BaseId,
    /// Which kinds of names are in.
    kinds: Kinds,
    mass: u64,
}

/// A distribution restricted to what is eligible now. Kept by the site, so that drawing allocates nothing.
#[derive(Clone, Default, Debug)]
pub(crate) struct Lottery {
    tickets: Vec<Ticket>,
    total: u64,
    /// Names drawn before, with their weights and classes.
    tried: Vec<(OpId, u64, Class)>,
}

impl Lottery {
    /// Takes in the names of `bases`: all of them, but of those in `partly` only the kinds that `eligible` says.
    pub(crate) fn restrict(
        &mut self,
        distribution: &Distribution,
        bases: BaseSet,
        partly: BaseSet,
        mut eligible: impl FnMut(BaseId) -> Kinds,
    ) {
        self.tickets.clear();
        self.tried.clear();
        self.total = 0;
        for base in bases.and(distribution.set).iter() {
            let share = &distribution.bases[base.index()];
            let (mut kinds, mut mass) = (share.kinds, share.mass);
            if partly.contains(base) {
                kinds &= eligible(base);
                if kinds == 0 {
                    continue;
                }
                if kinds != share.kinds {
                    mass = distribution.shares_of(base, kinds).map(|share| share.mass).sum();
                }
            }
            self.total += mass;
            self.tickets.push(Ticket { base, kinds, mass });
        }
    }

    /// Takes back every draw since `start` was made.
    #[cfg(test)]
    pub(crate) fn restart(&mut self, start: &Self) {
        self.tickets.clone_from(&start.tickets);
        self.total = start.total;
        self.tried.clear();
    }

    /// Draws a name by weight among those not drawn before.
    pub(crate) fn draw(&mut self, distribution: &Distribution, stream: &mut Stream) -> Option<(OpId, Class)> {
        if self.total == 0 {
            return None;
        }
        let mut at = stream.below(self.total);
        for ticket in &mut self.tickets {
            if at >= ticket.mass {
                at -= ticket.mass;
                continue;
            }
            for share in distribution.shares_of(ticket.base, ticket.kinds) {
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
                        ticket.mass -= weight;
                        self.total -= weight;
                        self.tried.push((op, weight, share.class));
                        return Some((op, share.class));
                    }
                    at -= weight;
                }
            }
        }
        None
    }
}
