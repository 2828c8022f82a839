//! What is in the way of a class of names, and how far that is from a root.
//!
//! A root is what no other operation would mend. Distances are numbers of links; they only rank, so that the shortest chain comes first.

use nandseq_profile::{OpId, PhaseKey};

use super::cause::{Blocker, Cause};
use crate::model::NameClassId;
use crate::needs::Need;
use crate::reason::Reason;

/// Longer than any chain: where operations only wait for one another.
pub(super) const ENDLESS: usize = usize::MAX;

/// What is in the way of one class of names, and what would meet it.
pub(super) struct RankedBlocker {
    pub(super) blocker: Blocker,
    /// What is in its way besides, once that is mended.
    pub(super) then: Option<Blocker>,
    /// The classes that would meet the last of these.
    pub(super) providers: Vec<NameClassId>,
    pub(super) specificity: u8,
    pub(super) keys: usize,
}

/// How far classes are from what would have to change.
pub(super) struct Distances {
    /// For each class the number of links from it to a root; `None` where it runs.
    pub(super) of: Vec<Option<usize>>,
    /// Whether nothing but operations that wait for one another is in its way, and none of them is the first.
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

    /// Adds the links of this blocker of some operations; returns the classes that would meet the last of them.
    pub(super) fn add_to(self, chain: &mut Vec<Cause>, ops: Vec<OpId>) -> Vec<NameClassId> {
        chain.push(Cause { ops: ops.clone(), blocker: self.blocker });
        chain.extend(self.then.map(|blocker| Cause { ops, blocker }));
        self.providers
    }
}

/// Whether a phase key that never comes up is all that is in the way.
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
        // Such a phase key is not what is missing.
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
