//! What a suspect says, sorted by the parts of a scenario that say it.

use nandseq_profile::CellTypeId;
use nandseq_trace::rows::StateId;

use crate::feature::{Combination, Condition, Fact, Feature, Quantity, Relation};
use crate::names::OpName;

/// What a condition says of an earlier operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct EarlierStep {
    pub(crate) name: OpName,
    pub(crate) relation: Relation,
    /// Whether the relation must not hold.
    pub(crate) elsewhere: bool,
    pub(crate) measure: u8,
    /// The least and the greatest distance, in ticks or operations.
    pub(crate) range: (u64, Option<u64>),
}

impl EarlierStep {
    /// How far it may lie back, in ticks; an operation counts as long as most do.
    fn reach(&self) -> u64 {
        let ticks = if self.measure < 2 { 1 } else { nandseq_profile::Ticks::from_us(20).0 };
        self.range.1.map_or(u64::MAX, |most| most.saturating_mul(ticks))
    }
}

/// The place of an operation: a number, or all others.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct PlaceStep {
    pub(crate) die: Option<u32>,
    pub(crate) plane: Option<u32>,
    pub(crate) block: Option<(u32, u32)>,
    pub(crate) page: Option<(u32, u32)>,
    pub(crate) is_other: bool,
}

/// The conditions of a suspect by what they say.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(crate) struct PlanParts {
    pub(crate) name: Option<OpName>,
    /// The earliest first.
    pub(crate) earlier: Vec<EarlierStep>,
    pub(crate) state: Option<(StateId, (u64, u64))>,
    /// The same of the operation before.
    pub(crate) state_of_that: Option<(StateId, (u64, u64))>,
    pub(crate) facts: Vec<Fact>,
    /// The cell type, and whether it is not that one.
    pub(crate) cell_type: Option<(CellTypeId, bool)>,
    /// Whether the operation is on several planes.
    pub(crate) multi: Option<bool>,
    pub(crate) erases: u64,
    pub(crate) reads: u64,
    pub(crate) place: PlaceStep,
}

impl PlanParts {
    pub(crate) fn of(combination: &Combination) -> Self {
        let mut parts = Self::default();
        for condition in &combination.0 {
            parts.add(condition, condition.range());
        }
        // Of two operations before the same one, the one that may lie further back comes first.
        if !combination.0.iter().any(|one| matches!(one.feature, Feature::AfterThat(..))) {
            parts.earlier.sort_by_key(|step| std::cmp::Reverse(step.reach()));
        }
        parts
    }

    /// Adds a condition, which holds for some values.
    fn add(&mut self, condition: &Condition, range: (u64, Option<u64>)) {
        let numbers = || Some((range.0 as u32, range.1.unwrap_or(range.0) as u32));
        match condition.feature {
            Feature::Name(name) => self.name = Some(name),
            Feature::Fact(Fact::State(state)) => self.state = self.state.or(Some((state, (0, 100)))),
            Feature::Fact(fact) => self.add_fact(fact),
            Feature::Number(Quantity::Tenth(state)) => self.state = Some((state, condition.percent())),
            Feature::Number(Quantity::ThatTenth(state)) => self.state_of_that = Some((state, condition.percent())),
            Feature::Number(Quantity::Erases) => self.erases = range.0,
            Feature::Number(Quantity::Reads) => self.reads = range.0,
            Feature::Number(Quantity::Block) => self.place.block = numbers(),
            Feature::Number(Quantity::Page) => self.place.page = numbers(),
            Feature::Number(Quantity::PatternBefore) => {}
            Feature::After(name, relation) | Feature::AfterThat(name, relation) => {
                let step = EarlierStep { name, relation, elsewhere: false, measure: condition.measure, range };
                self.earlier.insert(0, step);
            }
        }
    }

    fn add_fact(&mut self, fact: Fact) {
        match fact {
            Fact::Site(_) | Fact::Sites(_) | Fact::EvenPage | Fact::OddPage => {}
            Fact::PlaneOfAny(plane) => self.place.plane = Some(plane.into()),
            Fact::Die(die) => self.place.die = Some(die.into()),
            Fact::Plane(die, plane) | Fact::SitePlane(_, die, plane) => {
                (self.place.die, self.place.plane) = (Some(die.into()), Some(plane.into()));
            }
            Fact::Block(die, block) | Fact::SiteBlock(_, die, block) => {
                (self.place.die, self.place.block) = (Some(die.into()), Some((block, block)));
            }
            Fact::Page(page) => self.place.page = Some((page, page)),
            Fact::CellType(of) => self.cell_type = Some((of, true)),
            Fact::Planes(count) => self.multi = Some(count > 1),
            Fact::State(_) => {}
            Fact::Suspended(_) | Fact::Cache | Fact::Latch => self.facts.push(fact),
        }
    }

    /// Whether a plan can say nothing of it.
    pub(crate) fn has_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// Everything but one condition; `None` if all that it says is the name of an operation.
    pub(crate) fn without(&self) -> Option<Self> {
        let mut without = self.clone();
        if let Some(last) = without.earlier.last_mut() {
            match (last.range, last.relation) {
                ((_, Some(most)), _) if last.measure < 2 && most > 0 => last.range = (most.saturating_mul(2), None),
                (_, Relation::Die) => {
                    without.earlier.pop();
                }
                (_, Relation::OtherPlane | Relation::SamePlane | Relation::SameBlock | Relation::BlockBeside)
                | (_, Relation::OtherDie | Relation::PageBefore | Relation::PageAfter)
                | (_, Relation::PageBeside | Relation::SamePage) => {
                    last.elsewhere = true;
                }
            }
            return Some(without);
        }
        if let Some((state, (from, to))) = without.state {
            without.state = match (from, to) {
                (0, 100) => None,
                (0, to) => Some((state, (to, 100))),
                (from, _) => Some((state, (0, from))),
            };
        } else if without.facts.pop().is_some() {
            return Some(without);
        } else if without.reads > 0 {
            without.reads = 0;
        } else if without.erases > 1 {
            without.erases = 1;
        } else if let Some((_, is_that)) = &mut without.cell_type {
            *is_that = false;
        } else if let Some(multi) = &mut without.multi {
            *multi = !*multi;
        } else if without.place != PlaceStep::default() {
            without.place.is_other = true;
        } else {
            return None;
        }
        Some(without)
    }
}
