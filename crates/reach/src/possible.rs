//! Finds the operations that can never run because no operation that can run meets one of their needs.
//!
//! It takes no states into account. So it finds fewer of them than the search does, but it is quick.

use nandseq_profile::{OpId, PhaseKey, Profile};

use crate::model::{Model, NameClassId, SearchedStates, Start, WeightTable};
use crate::reason::Reason;

/// For each operation, by [`OpId`], the reason why it can never run, as far as it follows from needs; else `None`. This is quick:
/// states that forbid an operation are left to [`crate::Search`].
#[must_use]
pub fn never_provided(
    profile: &Profile,
    table: &[(PhaseKey, Vec<(OpId, f64)>)],
    start: Start<'_>,
) -> Vec<Option<Reason>> {
    let model = Model::new(profile, table, start);
    let never = |class: NameClassId| {
        model.reason_against(class, &model.possible).filter(|_| !model.possible[usize::from(class)])
    };
    model.of_op.iter().map(|&class| never(class)).collect()
}

impl<'p> Model<'p> {
    /// Compiles a profile and its table, and finds the possible classes.
    pub(crate) fn new(profile: &'p Profile, table: &WeightTable, start: Start<'_>) -> Self {
        let mut model = Self::compiled(profile, table, start);
        model.narrow(&vec![true; model.classes.len()]);
        model
    }

    /// The same model for a search that looks at some states only. It follows no chain: their steps may start at any time.
    pub(crate) fn watching(mut self, watched: SearchedStates) -> Self {
        if watched != SearchedStates::All {
            self.tracked.fill(false);
        }
        self.watched = watched;
        let possible = std::mem::take(&mut self.possible);
        self.narrow(&possible);
        self
    }

    /// Removes classes that never run, and those whose needs only such classes meet. Returns whether that may change what a
    /// search finds.
    pub(crate) fn only_running(&mut self, runs: &[bool]) -> bool {
        let before = (self.programmable, self.readable);
        self.narrow(runs);
        self.possible != runs || (self.programmable, self.readable) != before
    }

    /// Finds the possible classes if only the classes in `runs` run.
    fn narrow(&mut self, runs: &[bool]) {
        self.possible = self.provided(runs);
        let suspends = |&class: &NameClassId| {
            let axis = self.base(class).effects.suspend;
            self.may_be_drawn(class) && axis.is_some_and(|axis| self.can_resume(axis))
        };
        self.suspends = (0..self.classes.len() as NameClassId).filter(suspends).collect();
        self.untracked_steps = self.steps_of(false);
        self.tracked_steps = self.steps_of(true);
        // The possible classes were found with the larger sets: the sets can only shrink.
        let (programmable, readable) = self.cell_types();
        self.programmable &= programmable;
        self.readable &= readable;
    }

    /// The `allowed` classes whose needs are all met among themselves.
    pub(crate) fn provided(&self, allowed: &[bool]) -> Vec<bool> {
        let mut runs = vec![false; self.classes.len()];
        let is_new = |class: NameClassId, runs: &[bool]| allowed[usize::from(class)] && !runs[usize::from(class)];
        loop {
            let more = self.classes_that(|class| is_new(class, &runs) && self.reason_against(class, &runs).is_none());
            if more.is_empty() {
                return runs;
            }
            more.into_iter().for_each(|class| runs[usize::from(class)] = true);
        }
    }
}

#[cfg(test)]
mod tests {
    use nandseq_profile::{Block, Die};

    use super::*;
    use crate::sample::{device, op, table};

    fn never(profile: &Profile, name: &str) -> Option<Reason> {
        never_provided(profile, table(profile), Start::default())[op(profile, name).index()]
    }

    #[test]
    fn what_no_operation_brings_about_keeps_others_from_running() {
        let profile = device("EraseA: 0.5, Read: 0.4, StatusLun3: 0.1", "");
        let expected = [
            ("EraseA", None),
            ("EraseB", None), // alike with a name that runs
            ("Program", Some(Reason::NoWeight)),
            ("Read", Some(Reason::CellType)),
            ("StatusLun3", Some(Reason::Missing)),
        ];
        for (name, reason) in expected {
            assert_eq!(never(&profile, name), reason, "{name}");
        }
        // With a program reads have pages.
        let profile = device("EraseA: 0.5, Program: 0.1, Read: 0.4", "");
        assert_eq!(never(&profile, "Read"), None);
        let every_block: Vec<(Die, Block)> = (0..8).map(|block| (Die(0), Block(block))).collect();
        let never = never_provided(&profile, table(&profile), Start::from(&every_block[..]));
        assert_eq!(never[op(&profile, "Read").index()], Some(Reason::BadBlocks));
    }
}
