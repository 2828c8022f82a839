//! An operation at its start, with everything that suspects may say of it.

use std::rc::Rc;

use nandseq_profile::{Profile, Ticks};
use nandseq_report::plan::SiteHistory;

use crate::bins::Scale;
use crate::feature::{Bins, Combination, Condition, Fact, Feature, Quantity, Relation};
use crate::names::{NameTable, OpName};
use crate::past_operation::PastOperation;

/// An earlier operation under one of its names and in one of its relations.
#[derive(Clone, Debug)]
pub(crate) struct EarlierOperation {
    pub(crate) name: OpName,
    pub(crate) relation: Relation,
    pub(crate) bins: Bins,
    pub(crate) operation: Rc<PastOperation>,
}

/// The earlier operations of an operation: for each name and relation the last one. Finds one in constant time.
#[derive(Debug)]
pub(crate) struct EarlierList {
    list: Vec<EarlierOperation>,
    /// For each name and relation the round in which it was set, and its place in the list.
    places: Vec<(u32, u32)>,
    round: u32,
}

impl EarlierList {
    pub(crate) fn new(names: &NameTable) -> Self {
        Self { list: Vec::new(), places: vec![(0, 0); names.len() * Relation::ALL.len()], round: 0 }
    }

    /// A list that nothing is added to.
    pub(crate) const fn empty() -> Self {
        Self { list: Vec::new(), places: Vec::new(), round: 0 }
    }

    pub(crate) fn clear(&mut self) {
        self.list.clear();
        if self.round == u32::MAX {
            self.places.fill((0, 0));
            self.round = 0;
        }
        self.round += 1;
    }

    /// Adds an operation under each of its names, in relations in which no later one of the name was added.
    pub(crate) fn add(&mut self, operation: &Rc<PastOperation>, names: &[OpName], relations: u8, bins: Bins) {
        for &name in names {
            for relation in Relation::ALL.into_iter().filter(|&relation| relations >> relation as u8 & 1 == 1) {
                let place = &mut self.places[name.index() * Relation::ALL.len() + relation as usize];
                if place.0 != self.round {
                    *place = (self.round, self.list.len() as u32);
                    self.list.push(EarlierOperation { name, relation, bins, operation: Rc::clone(operation) });
                }
            }
        }
    }

    pub(crate) fn iter(&self) -> std::slice::Iter<'_, EarlierOperation> {
        self.list.iter()
    }

    pub(crate) fn get(&self, name: OpName, relation: Relation) -> Option<&EarlierOperation> {
        let (round, at) = self.places[name.index() * Relation::ALL.len() + relation as usize];
        if round == self.round { self.list.get(at as usize) } else { None }
    }
}

/// The place of an operation in the files.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
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
    pub(crate) history: &'a SiteHistory,
    pub(crate) place: OperationPlace,
    pub(crate) operation: &'a PastOperation,
    /// Whether the tester says that it fails.
    pub(crate) fails: bool,
    /// Whether its run fails.
    pub(crate) run_fails: bool,
    pub(crate) facts: &'a [Fact],
    pub(crate) numbers: &'a [(Quantity, u8)],
    pub(crate) earlier: &'a EarlierList,
    /// The operations before it on its die, the last first.
    pub(crate) before: &'a [Rc<PastOperation>],
}

impl Occurrence<'_> {
    /// The names of the operation.
    pub(crate) fn own_names(&self) -> &[OpName] {
        self.names.of(self.operation.op)
    }

    /// The earlier operation that a condition names, if there is one in its bins.
    pub(crate) fn earlier(&self, condition: &Condition) -> Option<&EarlierOperation> {
        let Feature::After(name, relation) = condition.feature else { return None };
        self.earlier.get(name, relation).filter(|earlier| is_in(condition, earlier.bins))
    }

    /// Puts the operations before an earlier one into a list.
    pub(crate) fn before_that(&self, operation: &PastOperation, list: &mut EarlierList) {
        list.clear();
        let older = self.before.iter().filter(|one| one.row < operation.row);
        for (one, distance) in older.zip(1..) {
            let bins = one.bins(self.history, operation.start, distance);
            list.add(one, self.names.of(one.op), one.relations_to(operation), bins);
        }
    }

    /// Whether all conditions hold. `list` is scratch.
    pub(crate) fn fits(&self, combination: &Combination, list: &mut EarlierList) -> bool {
        let holds = |condition: &Condition| match condition.feature {
            Feature::Name(name) => self.own_names().contains(&name),
            Feature::Fact(fact) => self.facts.contains(&fact),
            Feature::Number(Quantity::ThatTenth(state)) => {
                let that = combination.after().and_then(|after| self.earlier(after)).map(|that| that.operation.state);
                that.is_some_and(|(of, bin)| of == state && (condition.from..=condition.to).contains(&bin))
            }
            Feature::Number(quantity) => {
                self.numbers.iter().any(|&(of, bin)| of == quantity && (condition.from..=condition.to).contains(&bin))
            }
            Feature::After(..) => self.earlier(condition).is_some(),
            Feature::AfterThat(..) => true,
        };
        if !combination.0.iter().all(holds) {
            return false;
        }
        let that = |condition: &Condition| match condition.feature {
            Feature::AfterThat(name, relation) => Some((*condition, name, relation)),
            Feature::Name(_) | Feature::Fact(_) | Feature::Number(_) | Feature::After(..) => None,
        };
        let Some((condition, name, relation)) = combination.0.iter().find_map(that) else { return true };
        let Some(first) = combination.after().and_then(|after| self.earlier(after)) else { return false };
        self.before_that(&first.operation, list);
        list.get(name, relation).is_some_and(|one| is_in(&condition, one.bins))
    }
}

/// Whether bins are among those of a condition.
fn is_in(condition: &Condition, bins: Bins) -> bool {
    (condition.from..=condition.to).contains(&bins[usize::from(condition.measure)])
}

/// The bin of a share of a phase, a number of erases or the like.
pub(crate) fn number(quantity: Quantity, value: u64, profile: &Profile) -> (Quantity, u8) {
    let scale = Feature::Number(quantity).scales(profile.topology)[0].unwrap_or(Scale::Whole);
    (quantity, scale.bin(value))
}
