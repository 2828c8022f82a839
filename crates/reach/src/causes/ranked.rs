//! The blockers of a name class, and their distances from a root.
//!
//! A root is a blocker that no other operation would remove. A distance is a number of links. Distances only rank chains, so that
//! the shortest comes first.

use nandseq_profile::{OpId, PhaseKey};

use super::cause::{Blocker, Cause};
use crate::model::NameClassId;
use crate::needs::Need;
use crate::reason::Reason;

/// The distance of operations that only wait for one another: longer than any chain.
pub(super) const ENDLESS: usize = usize::MAX;

/// A blocker of a name class, and the classes that would remove it.
pub(super) struct RankedBlocker {
    pub(super) blocker: Blocker,
    /// A blocker that remains when the first is removed.
    pub(super) then: Option<Blocker>,
    /// The classes that would remove the last of these blockers.
    pub(super) providers: Vec<NameClassId>,
    pub(super) specificity: u8,
    pub(super) keys: usize,
}

/// The distances of classes from a root.
pub(super) struct Distances {
    /// For each class, the number of links from it to a root; `None` if it runs.
    pub(super) of: Vec<Option<usize>>,
    /// For each class, whether only a circle of operations that wait for one another blocks it.
    pub(super) is_circular: Vec<bool>,
}

impl RankedBlocker {
    pub(super) fn alone(blocker: Blocker) -> Self {
        let keys = if let Blocker::NoWeight { excluded, weightless } = &blocker {
            excluded.len() + weightless.len()
        } else {
            0
        };
        Self { blocker, then: None, providers: Vec::new(), specificity: 0, keys }
    }

    /// Adds the links of this blocker of some operations to a chain. Returns the classes that would remove the last of them.
    pub(super) fn add_to(self, chain: &mut Vec<Cause>, ops: Vec<OpId>) -> Vec<NameClassId> {
        chain.push(Cause { ops: ops.clone(), blocker: self.blocker });
        chain.extend(self.then.map(|blocker| Cause { ops, blocker }));
        self.providers
    }
}

/// Whether the blocker is only that a phase key never comes up.
pub(super) fn waits(blocker: &RankedBlocker) -> bool {
    blocker.specificity == Reason::NoHook.specificity()
}

/// Shortens distances until none can be shorter.
pub(super) fn shorten(distances: &mut [Option<usize>], blockers: &[Vec<RankedBlocker>]) {
    let mut shorter = true;
    while shorter {
        shorter = false;
        for (class, blockers) in blockers.iter().enumerate() {
            let found = blockers.iter().map(|blocker| length(blocker, distances)).min().unwrap_or(ENDLESS);
            if distances[class].is_some_and(|known| found < known) {
                distances[class] = Some(found);
                shorter = true;
            }
        }
    }
}

/// The links from a blocker to its nearest root.
pub(super) fn length(blocker: &RankedBlocker, distances: &[Option<usize>]) -> usize {
    let besides = nearest(&blocker.providers, distances).map_or(ENDLESS, |(length, _)| length);
    match (&blocker.blocker, blocker.providers.is_empty()) {
        // A phase key that no operation could bring up is no root.
        (Blocker::Unmet { need: Need::PhaseOf(_), .. }, true) => ENDLESS,
        (Blocker::NoWeight { .. }, _) if blocker.then.is_none() => 1,
        // The weight is a root by itself.
        (Blocker::NoWeight { .. }, _) if besides == ENDLESS => 2,
        (Blocker::NoWeight { .. }, _) => besides + 2,
        (Blocker::Rule { .. }, _) | (Blocker::Unmet { .. }, true) => 1,
        (Blocker::Unmet { .. }, false) => besides.saturating_add(1),
    }
}

/// The provider that is nearest to a root.
pub(super) fn nearest(providers: &[NameClassId], distances: &[Option<usize>]) -> Option<(usize, NameClassId)> {
    providers.iter().filter_map(|&class| Some((distances[usize::from(class)]?, class))).min()
}

pub(super) const fn no_weight(excluded: Vec<PhaseKey>, weightless: Vec<PhaseKey>) -> Blocker {
    Blocker::NoWeight { excluded, weightless }
}
