//! An operation at its start, with everything that suspects may say of it.

use std::sync::Arc;

use nandseq_profile::{OpId, Ticks};
use nandseq_trace::rows::StateId;

use crate::bins::Scales;
use crate::feature::{Bins, Combination, Condition, DistanceValues, Fact, Feature, MEASURES, Quantity, Relation};
use crate::names::{NameTable, OpName};
use crate::past_operation::PastOperation;

/// The weight of an operation that stands for itself alone.
pub(crate) const ONE: u64 = 16;

/// How many earlier operations are looked at that may be the one that a combination names: the last ones.
const MOST_OF_THAT: usize = 12;

/// How many operations before each of them but the last are looked at.
const MOST_BEFORE_THAT: usize = 12;

/// An earlier operation under one of its names and in one of its relations.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EarlierOperation {
    pub(crate) name: OpName,
    pub(crate) relation: Relation,
    pub(crate) bins: Bins,
}

/// An operation that started before another one.
#[derive(Clone, Debug)]
pub(crate) struct EarlierStart {
    /// Its number and what it is, so that most need not be looked at further.
    pub(crate) row: u64,
    pub(crate) op: OpId,
    pub(crate) of: Arc<PastOperation>,
}

impl EarlierStart {
    pub(crate) fn new(of: &Arc<PastOperation>) -> Self {
        Self { row: of.row, op: of.op, of: Arc::clone(of) }
    }
}

/// The earlier operations of an operation: for each name and relation the last one.
#[derive(Clone, Debug)]
pub(crate) struct EarlierList {
    pub(crate) list: Vec<EarlierOperation>,
    /// For each name and relation the round in which it was added, and where it is in the list.
    rounds: Vec<(u32, u32)>,
    round: u32,
}

impl EarlierList {
    pub(crate) fn new(names: &NameTable) -> Self {
        Self { list: Vec::new(), rounds: vec![(0, 0); names.len() * Relation::ALL.len()], round: 0 }
    }

    fn clear(&mut self) {
        self.list.clear();
        if self.round == u32::MAX {
            self.rounds.fill((0, 0));
            self.round = 0;
        }
        self.round += 1;
    }

    /// Adds an operation under each of its names and in each of its relations. If there is one already, the least distance counts in each
    /// measure.
    fn add(&mut self, names: &[OpName], relations: u16, bins: Bins) {
        for &name in names {
            for relation in Relation::ALL.into_iter().filter(|&relation| relations >> relation as u8 & 1 == 1) {
                let (round, at) = &mut self.rounds[name.index() * Relation::ALL.len() + relation as usize];
                if *round != self.round {
                    (*round, *at) = (self.round, self.list.len() as u32);
                    self.list.push(EarlierOperation { name, relation, bins });
                } else {
                    let known = &mut self.list[*at as usize].bins;
                    *known = std::array::from_fn(|measure| known[measure].min(bins[measure]));
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
    /// What started before it, the last first: the last operations of each die, and older ones.
    pub(crate) before: &'a [EarlierStart],
    /// The row of the first operation from which on all those of its die are known.
    pub(crate) known_from: u64,
}

impl<'a> Occurrence<'a> {
    /// The names of the operation.
    pub(crate) fn own_names(&self) -> &'a [OpName] {
        self.names.of(self.operation.op)
    }

    /// What started before an operation, the last first.
    fn past_of(&self, later: &PastOperation) -> &'a [EarlierStart] {
        let (all, row) = (self.before, later.row);
        let first = if self.operation.row == row { 0 } else { all.partition_point(|one| one.row >= row) };
        &all[first..]
    }

    /// Puts what started before it into a list.
    pub(crate) fn list_before(&self, scales: &Scales, list: &mut EarlierList) {
        list.clear();
        self.add_before(self.operation, usize::MAX, scales, list);
    }

    /// Puts what started before the operation that a combination names into a list, and the op_states in which that started. If several
    /// may be that operation, what is nearest to any of them counts.
    pub(crate) fn list_before_that(
        &self,
        combination: &Combination,
        scales: &Scales,
        list: &mut EarlierList,
        states: &mut Vec<(StateId, u32)>,
    ) {
        list.clear();
        states.clear();
        let Some(after) = combination.after() else { return };
        for (at, that) in self.matches(self.operation, after).take(MOST_OF_THAT).enumerate() {
            if states.iter().all(|(state, _)| *state != that.state.0) {
                states.push(that.state);
            }
            self.add_before(that, if at == 0 { usize::MAX } else { MOST_BEFORE_THAT }, scales, list);
        }
    }

    /// Adds at most so many operations that started before one, the last first.
    fn add_before(&self, later: &PastOperation, most: usize, scales: &Scales, list: &mut EarlierList) {
        let mut counted = 0;
        for one in self.past_of(later).iter().take(most) {
            let is_counted = one.row >= self.known_from && one.of.meets(later);
            counted += u64::from(is_counted);
            let distance = if is_counted { counted } else { u64::MAX };
            let bins = bins(scales, one.of.values(later.start, distance));
            list.add(self.names.of(one.op), one.of.relations_to(later), bins);
        }
    }

    /// How many operations of its die an operation lies after an earlier one.
    fn distance(&self, later: &PastOperation, earlier: &PastOperation) -> u64 {
        if earlier.row < self.known_from || !earlier.meets(later) {
            return u64::MAX;
        }
        let between = self.past_of(later).iter().take_while(|one| one.row >= earlier.row);
        between.filter(|one| one.of.meets(later)).count() as u64
    }

    /// The earlier operations that are as a condition says, the last first.
    fn matches<'b>(
        &'b self,
        later: &'b PastOperation,
        condition: &'b Condition,
    ) -> impl Iterator<Item = &'a Arc<PastOperation>> + use<'a, 'b> {
        let wanted = match condition.feature {
            Feature::After(name, relation) | Feature::AfterThat(name, relation) => Some((name, relation)),
            Feature::Name(_) | Feature::Fact(_) | Feature::Number(_) => None,
        };
        let past = if wanted.is_some() { self.past_of(later) } else { &[] };
        let is_wanted = move |one: &&EarlierStart| {
            wanted.is_some_and(|(name, relation)| self.names.has(one.op, name) && one.of.is_in(relation, later))
        };
        let value = move |one: &'a EarlierStart| {
            let distance = if condition.measure == 2 { self.distance(later, &one.of) } else { 0 };
            (&one.of, one.of.values(later.start, distance)[usize::from(condition.measure)])
        };
        // Earlier ones lie further back; only their ends may come in another order.
        past.iter()
            .filter(is_wanted)
            .map(value)
            .take_while(|(_, value)| condition.measure == 1 || *value <= condition.most)
            .filter(|(_, value)| condition.takes(*value))
            .map(|(one, _)| one)
    }

    /// The bins, one bit each, in which the earlier operations lie that may be what a condition of a combination says, whatever its
    /// bounds. All conditions that depend on it hold of them.
    pub(crate) fn gap_bins(&self, combination: &Combination, condition: &Condition, scales: &Scales) -> u64 {
        let any = Condition { least: 0, most: u64::MAX, ..*condition };
        let (measure, mut bins) = (usize::from(condition.measure), 0);
        let mut add = |later: &PastOperation, earlier: &PastOperation| {
            let value = earlier.values(later.start, 0)[measure];
            bins |= 1u64 << scales.bin(MEASURES[measure], value);
        };
        let is_in_state = |that: &PastOperation| state_of_that_holds(combination, that);
        match condition.feature {
            Feature::AfterThat(..) => {
                let Some(after) = combination.after() else { return 0 };
                for that in self.matches(self.operation, after).filter(|that| is_in_state(that)) {
                    self.matches(that, &any).for_each(|first| add(that, first));
                }
            }
            Feature::After(..) => {
                let first = combination.after_that();
                let has_first =
                    |that: &PastOperation| first.is_none_or(|first| self.matches(that, first).next().is_some());
                let those = self.matches(self.operation, &any);
                those.filter(|that| is_in_state(that) && has_first(that)).for_each(|that| add(self.operation, that));
            }
            Feature::Name(_) | Feature::Fact(_) | Feature::Number(_) => {}
        }
        bins
    }

    /// The earlier operation that a combination names, and the one before it if it names one.
    fn steps(&self, combination: &Combination) -> Option<(&'a Arc<PastOperation>, Option<&'a Arc<PastOperation>>)> {
        let is_in_state = |that: &&Arc<PastOperation>| state_of_that_holds(combination, that);
        let mut those = self.matches(self.operation, combination.after()?).filter(is_in_state);
        match combination.after_that() {
            None => those.next().map(|that| (that, None)),
            Some(first) => those.find_map(|that| Some((that, Some(self.matches(that, first).next()?)))),
        }
    }

    /// The earlier operation that a combination names, the last one if several may be it.
    pub(crate) fn earlier(&self, combination: &Combination) -> Option<&'a Arc<PastOperation>> {
        self.steps(combination).map(|(that, _)| that)
    }

    /// The operation before the earlier one, if the combination names one.
    pub(crate) fn before_that(&self, combination: &Combination) -> Option<&'a Arc<PastOperation>> {
        self.steps(combination).and_then(|(_, first)| first)
    }

    /// Whether all conditions hold.
    pub(crate) fn fits(&self, combination: &Combination) -> bool {
        let mut has_steps = false;
        let holds = |condition: &Condition| match condition.feature {
            Feature::Name(name) => self.names.has(self.operation.op, name),
            Feature::Fact(Fact::Sites(sites)) => {
                u32::try_from(self.place.site).is_ok_and(|site| sites.checked_shr(site).is_some_and(|bit| bit & 1 == 1))
            }
            Feature::Fact(fact) => self.facts.contains(&fact),
            Feature::Number(Quantity::ThatTenth(_)) | Feature::AfterThat(..) => {
                has_steps = true;
                true
            }
            Feature::Number(quantity) => {
                self.numbers.iter().any(|&(of, value)| of == quantity && condition.takes(value))
            }
            Feature::After(..) => self.matches(self.operation, condition).next().is_some(),
        };
        combination.0.iter().all(holds) && (!has_steps || self.steps(combination).is_some())
    }
}

/// Whether an earlier operation started in the op_state that a combination says of it.
fn state_of_that_holds(combination: &Combination, that: &PastOperation) -> bool {
    combination.0.iter().all(|condition| match condition.feature {
        Feature::Number(Quantity::ThatTenth(state)) => that.state.0 == state && condition.takes(that.state.1.into()),
        Feature::Number(_) | Feature::Name(_) | Feature::Fact(_) | Feature::After(..) | Feature::AfterThat(..) => true,
    })
}

#[cfg(test)]
mod tests {
    use nandseq_profile::builtin;

    use super::*;

    #[test]
    fn of_several_earlier_operations_the_least_distance_counts_in_each_measure() {
        let names = NameTable::new(&builtin::profile(), &[]);
        let (name, relations) = ([OpName(3)], 1 << Relation::Die as u16);
        let mut list = EarlierList::new(&names);
        list.clear();
        list.add(&name, relations, [4, 3, 2]);
        list.add(&name, relations | 1 << Relation::SamePlane as u16, [5, 0, 9]);
        let found: Vec<_> = list.list.iter().map(|one| (one.relation, one.bins)).collect();
        assert_eq!(found, [(Relation::Die, [4, 0, 2]), (Relation::SamePlane, [5, 0, 9])]);
        list.clear();
        list.add(&name, relations, [7, 7, 7]);
        assert_eq!(list.list[0].bins, [7, 7, 7]);
    }
}
