//! Finds the operations that can never run because no operation that can run meets one of their needs.
//!
//! It takes no states into account. So it finds fewer of them than the search does, but it is quick.

use std::collections::BTreeMap;

use nandseq_profile::{OpId, PhaseKey, Profile};

use crate::model::{Model, NameClassId, SearchedStates, Start, WeightTable};
use crate::reason::Reason;

/// For each operation, by [`OpId`], the reason why it can never start, as far as it follows from weights and needs; else `None`.
/// This is quick: states that forbid an operation are left to [`crate::Search`].
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
    let mut has_share = vec![false; profile.ops.len()];
    model.shares.iter().flatten().chain(start.scripted).for_each(|op| has_share[op.index()] = true);
    let (mut of_class, mut chains) = (BTreeMap::new(), BTreeMap::new());
    let reason = |(op, &class): (usize, &NameClassId)| {
        let of_class = *of_class.entry(class).or_insert_with(|| never(class));
        if has_share[op] {
            return of_class;
        }
        // Other names of the class may have a share: what they may do does not help a name that only chains draw.
        let chains: &Vec<(NameClassId, usize)> = chains.entry(class).or_insert_with(|| model.chains_of(class));
        let heads = chains.iter().filter(|(_, chain)| model.gives_weight(*chain, OpId::from(op)));
        let runs: Vec<bool> = heads.map(|&(head, _)| model.may_be_drawn(head)).collect();
        match of_class {
            _ if runs.is_empty() => Some(Reason::NoWeight),
            // That no chain begins goes before what the operation would lack in one.
            _ if !runs.contains(&true) => Some(Reason::NoHead),
            Some(Reason::NoHook) => Some(Reason::NoHead),
            of_class => of_class,
        }
    };
    model.of_op.iter().enumerate().map(reason).collect()
}

/// The operations with a weight that begin a chain which draws one of `ops` as a step.
#[must_use]
pub fn chain_heads(
    profile: &Profile,
    table: &[(PhaseKey, Vec<(OpId, f64)>)],
    start: Start<'_>,
    ops: &[OpId],
) -> Vec<OpId> {
    let model = Model::new(profile, table, start);
    let mut begins = vec![false; model.classes.len()];
    for (head, _) in ops.iter().flat_map(|&op| model.chains_with(op)) {
        begins[usize::from(head)] = true;
    }
    profile.ops.ids().filter(|op| begins[usize::from(model.of_op[op.index()])] && model.has_share(*op)).collect()
}

impl<'p> Model<'p> {
    /// Compiles a profile and its table, and finds the possible classes.
    pub(crate) fn new(profile: &'p Profile, table: &WeightTable, start: Start<'_>) -> Self {
        let mut model = Self::compiled(profile, table, start);
        model.possible = model.provided(&vec![true; model.classes.len()]);
        model.assume_all();
        model
    }

    /// The same model for a search that looks at some states only. It follows no chain: their steps may start at any time.
    pub(crate) fn searched_for(mut self, searched: SearchedStates) -> Self {
        if searched != SearchedStates::All {
            self.tracked.fill(false);
        }
        self.searched = searched;
        self.assume_all();
        self
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
    use crate::sample::{chained, device, op, table};

    fn never(profile: &Profile, name: &str) -> Option<Reason> {
        never_provided(profile, table(profile), Start::default())[op(profile, name).index()]
    }

    #[test]
    fn what_no_operation_brings_about_keeps_others_from_running() {
        let profile = device("EraseA: 0.5, Read: 0.4, StatusLun3: 0.1", "");
        let expected = [
            ("EraseA", None),
            ("EraseB", Some(Reason::NoWeight)), // although the other name of its class runs
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
    #[test]
    fn a_name_that_only_chains_draw_needs_what_begins_them() {
        let chains = "chains: {SEQ: {steps: [ERASE], name_weights: {ERASE: {EraseB: 1}}}}\n";
        let of = |weights: &str| {
            let profile = chained(weights, "NONE: 1, SEQ: 1", chains);
            let heads = chain_heads(&profile, table(&profile), Start::default(), &[op(&profile, "EraseB")]);
            (never(&profile, "EraseB"), heads.into_iter().map(|op| profile.ops[op].name.clone()).collect::<Vec<_>>())
        };
        assert_eq!(of("EraseA: 0.5, Status: 0.5"), (None, vec!["Status".to_owned()]));
        // The other name of its class runs, but no status read does.
        assert_eq!(of("EraseA: 1"), (Some(Reason::NoHead), Vec::new()));
    }
}
