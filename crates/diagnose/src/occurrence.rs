//! An operation at its start, with everything that suspects may say of it.

use std::sync::Arc;

use nandseq_profile::Ticks;

use crate::bins::Scales;
use crate::feature::{Bins, Combination, Condition, DistanceValues, Fact, Feature, MEASURES, Quantity, Relation};
use crate::names::{NameTable, OpName};
use crate::past_operation::PastOperation;

/// The weight of an operation that stands for itself alone.
pub(crate) const ONE: u64 = 256;

/// An earlier operation under one of its names and in one of its relations.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EarlierOperation {
    pub(crate) name: OpName,
    pub(crate) relation: Relation,
    pub(crate) bins: Bins,
}

/// The earlier operations of an operation: for each name and relation the last one.
#[derive(Clone, Debug)]
pub(crate) struct EarlierList {
    pub(crate) list: Vec<EarlierOperation>,
    /// For each name and relation the round in which it was added.
    rounds: Vec<u32>,
    round: u32,
}

impl EarlierList {
    pub(crate) fn new(names: &NameTable) -> Self {
        Self { list: Vec::new(), rounds: vec![0; names.len() * Relation::ALL.len()], round: 0 }
    }

    fn clear(&mut self) {
        self.list.clear();
        if self.round == u32::MAX {
            self.rounds.fill(0);
            self.round = 0;
        }
        self.round += 1;
    }

    /// Adds an operation under each of its names, in relations in which no later one of the name was added.
    fn add(&mut self, names: &[OpName], relations: u8, bins: Bins) {
        for &name in names {
            for relation in Relation::ALL.into_iter().filter(|&relation| relations >> relation as u8 & 1 == 1) {
                let round = &mut self.rounds[name.index() * Relation::ALL.len() + relation as usize];
                if *round != self.round {
                    *round = self.round;
                    self.list.push(EarlierOperation { name, relation, bins });
                }
            }
        }
    }
}

/// The bins of the distance of an earlier operation.
fn bins(scales: &Scales, values: DistanceValues) -> Bins {
    std::array::from_fn(|at| scales.bin(MEASURES[at], values[at]))
}

/// The place of an operation in the files.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct OperationPlace {
    /// The number of the site in the list of sites.
    pub(crate) site: usize,
    /// The number of the run in the list of the site's runs.
    pub(crate) run: usize,
    /// The number of the row in its file, from 1.
    pub(crate) row: u64,
    pub(crate) uid: u64,
    pub(crate) start: Ticks,
}

/// An operation at its start.
#[derive(Clone, Copy)]
pub(crate) struct Occurrence<'a> {
    pub(crate) names: &'a NameTable,
    pub(crate) place: OperationPlace,
    pub(crate) operation: &'a Arc<PastOperation>,
    /// Whether the tester says that it fails.
    pub(crate) fails: bool,
    /// Whether its run fails.
    pub(crate) run_fails: bool,
    /// How many operations it stands for, in parts of [`ONE`].
    pub(crate) weight: u64,
    pub(crate) facts: &'a [Fact],
    pub(crate) numbers: &'a [(Quantity, u64)],
    /// The operations before it on its die, the last first.
    pub(crate) before: &'a [Arc<PastOperation>],
    /// Older ones on its blocks, the last first.
    pub(crate) older: &'a [Arc<PastOperation>],
}

impl<'a> Occurrence<'a> {
    /// The names of the operation.
    pub(crate) fn own_names(&self) -> &'a [OpName] {
        self.names.of(self.operation.op)
    }

    /// The earlier operations, the last first, with their distances in operations.
    fn past(&self) -> impl Iterator<Item = (&'a Arc<PastOperation>, u64)> {
        self.before.iter().zip(1..).chain(self.older.iter().map(|one| (one, u64::MAX)))
    }

    /// The operations of its die before an earlier one.
    fn past_of(&self, that: &PastOperation) -> impl Iterator<Item = (&'a Arc<PastOperation>, u64)> {
        let row = that.row;
        self.before.iter().filter(move |one| one.row < row).zip(1..)
    }

    /// Puts all earlier operations into a list.
    pub(crate) fn list_earlier(&self, scales: &Scales, list: &mut EarlierList) {
        list.clear();
        for (one, distance) in self.past() {
            let bins = bins(scales, one.values(self.operation.start, distance));
            list.add(self.names.of(one.op), one.relations_to(self.operation), bins);
        }
    }

    /// Puts the operations before an earlier one into a list.
    pub(crate) fn list_before(&self, that: &PastOperation, scales: &Scales, list: &mut EarlierList) {
        list.clear();
        for (one, distance) in self.past_of(that) {
            let bins = bins(scales, one.values(that.start, distance));
            list.add(self.names.of(one.op), one.relations_to(that), bins);
        }
    }

    /// The last of some earlier operations with a name and in a relation, if it is as the condition says.
    fn last(
        &self,
        mut past: impl Iterator<Item = (&'a Arc<PastOperation>, u64)>,
        to: &PastOperation,
        condition: &Condition,
    ) -> Option<&'a Arc<PastOperation>> {
        let (Feature::After(name, relation) | Feature::AfterThat(name, relation)) = condition.feature else {
            return None;
        };
        let (one, distance) = past.find(|(one, _)| self.names.has(one.op, name) && one.is_in(relation, to))?;
        condition.takes(one.values(to.start, distance)[usize::from(condition.measure)]).then_some(one)
    }

    /// The earlier operation that a combination names.
    pub(crate) fn earlier(&self, combination: &Combination) -> Option<&'a Arc<PastOperation>> {
        self.last(self.past(), self.operation, combination.after()?)
    }

    /// The operation before the earlier one, if the combination names one.
    pub(crate) fn before_that(&self, combination: &Combination) -> Option<&'a Arc<PastOperation>> {
        let that = self.earlier(combination)?;
        self.last(self.past_of(that), that, combination.after_that()?)
    }

    /// Whether all conditions hold.
    pub(crate) fn fits(&self, combination: &Combination) -> bool {
        combination.0.iter().all(|condition| match condition.feature {
            Feature::Name(name) => self.names.has(self.operation.op, name),
            Feature::Fact(fact) => self.facts.contains(&fact),
            Feature::Number(Quantity::ThatTenth(state)) => self
                .earlier(combination)
                .is_some_and(|that| that.state.0 == state && condition.takes(that.state.1.into())),
            Feature::Number(quantity) => {
                self.numbers.iter().any(|&(of, value)| of == quantity && condition.takes(value))
            }
            Feature::After(..) => self.last(self.past(), self.operation, condition).is_some(),
            Feature::AfterThat(..) => self.before_that(combination).is_some(),
        })
    }
}
