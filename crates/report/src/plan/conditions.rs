//! The conditions of a step, looked up in the rows of a run.

use nandseq_input::Addressed;
use nandseq_plan::model::{AddressPart, ExpectedWord, PlaceRelation, Scenario, ScenarioStep, StepTime};
use nandseq_profile::Ticks;
use nandseq_profile::model::PayloadField;
use nandseq_trace::Status;

use super::history::{SiteHistory, WrittenOperation};

/// The operations that a match has so far.
#[derive(Clone, Copy)]
pub(super) struct EarlierRows<'a> {
    pub(super) history: &'a SiteHistory,
    /// The row of its first operation; `None` before there is one.
    pub(super) first: Option<u64>,
    /// The row of each step, that of its last repetition.
    pub(super) rows: &'a [u64],
    /// The number of planes of a die.
    pub(super) planes: i64,
}

impl EarlierRows<'_> {
    fn of(&self, step: usize) -> Option<&WrittenOperation> {
        self.rows.get(step).and_then(|row| self.history.get(*row))
    }

    /// Whether an operation of the right name fits a step of a scenario at its start.
    pub(super) fn fit(&self, scenario: &Scenario, at: usize, operation: &WrittenOperation) -> bool {
        let step = &scenario.steps[at];
        self.is_in_time(step.when, operation.clock.start)
            && is_expected(step.expect, operation.status())
            && self.is_on_die(step, operation)
            && step.places.iter().all(|place| self.is_in_place(place.part, &place.relation, operation))
    }

    fn is_in_time(&self, when: StepTime, now: Ticks) -> bool {
        match when {
            StepTime::Next => true,
            StepTime::During { step, phase, at } => self
                .of(step)
                .is_some_and(|earlier| earlier.clock.is_in_part(&self.history.lengths[earlier.op], phase, at, now)),
            StepTime::After { step, moment, within: (least, most) } => self.of(step).is_some_and(|earlier| {
                let moment = earlier.clock.moment(&self.history.lengths[earlier.op], moment, now);
                moment.is_some_and(|moment| {
                    let distance = now - moment;
                    least <= distance && most.is_none_or(|most| distance <= most)
                })
            }),
        }
    }

    /// Whether no operation after `now` can be in time for a step.
    pub(super) fn is_too_late(&self, when: StepTime, now: Ticks) -> bool {
        match when {
            StepTime::Next => false,
            StepTime::During { step, phase, at: (_, to) } => self
                .of(step)
                .is_none_or(|earlier| earlier.clock.is_past_part(&self.history.lengths[earlier.op], phase, to, now)),
            StepTime::After { step, moment, within: (_, most) } => self.of(step).is_none_or(|earlier| {
                let moment = earlier.clock.moment(&self.history.lengths[earlier.op], moment, now);
                match (moment, most) {
                    (Some(moment), Some(most)) => now - moment > most,
                    (Some(_), None) => false,
                    // An operation that is over has had all its moments.
                    (None, _) => earlier.clock.is_over(&self.history.lengths[earlier.op], now),
                }
            }),
        }
    }

    /// A step that states no die works on that of the first step. What names no die works on all of them.
    fn is_on_die(&self, step: &ScenarioStep, operation: &WrittenOperation) -> bool {
        let states_die = step.places.iter().any(|place| place.part == AddressPart::Die);
        let first = self.first.and_then(|row| self.history.get(row)).and_then(WrittenOperation::die);
        states_die || first.zip(operation.die()).is_none_or(|(first, own)| first == own)
    }

    fn is_in_place(&self, part: AddressPart, relation: &PlaceRelation, operation: &WrittenOperation) -> bool {
        let earlier = |step: usize| self.of(step).map(|earlier| earlier.targets.as_slice()).unwrap_or_default();
        let all = |fits: &dyn Fn(&Addressed) -> bool| {
            !operation.targets.is_empty() && operation.targets.iter().all(|own| value(own, part).is_some() && fits(own))
        };
        let named = |step: usize| earlier(step).iter().any(|at| value(at, part).is_some());
        match relation {
            PlaceRelation::SameAs(step) => {
                all(&|own| earlier(*step).iter().any(|other| value(own, part) == value(other, part)))
            }
            PlaceRelation::OtherThan(step) => {
                named(*step) && all(&|own| earlier(*step).iter().all(|other| value(own, part) != value(other, part)))
            }
            PlaceRelation::NextTo(step) => {
                all(&|own| earlier(*step).iter().any(|other| self.is_next(part, own, other)))
            }
            PlaceRelation::In(numbers) => all(&|own| {
                value(own, part).and_then(|own| u32::try_from(own).ok()).is_some_and(|own| numbers.contains(own))
            }),
        }
    }

    /// Whether a page is the one before or after another in the same block, or a block the one before or after another on the same
    /// plane.
    fn is_next(&self, part: AddressPart, own: &Addressed, other: &Addressed) -> bool {
        let near = |distance: i64| {
            value(own, part).zip(value(other, part)).is_some_and(|(a, b)| a.abs_diff(b) == distance.unsigned_abs())
        };
        let same = |part: AddressPart| value(own, part) == value(other, part);
        match part {
            AddressPart::Page => same(AddressPart::Die) && same(AddressPart::Block) && near(1),
            AddressPart::Block => same(AddressPart::Die) && near(self.planes),
            // A die and a plane have no neighbours: a plan that says so is refused.
            AddressPart::Die | AddressPart::Plane => false,
        }
    }
}

/// A part of an address, if the row names it.
pub(super) fn value(at: &Addressed, part: AddressPart) -> Option<i64> {
    let (field, value) = match part {
        AddressPart::Die => (PayloadField::Die, at.die),
        AddressPart::Plane => (PayloadField::Plane, at.plane),
        AddressPart::Block => (PayloadField::Block, at.block),
        AddressPart::Page => (PayloadField::Page, at.page),
    };
    at.fields.contains(field).then_some(value)
}

fn is_expected(word: Option<ExpectedWord>, status: Option<Status>) -> bool {
    match word {
        None => true,
        Some(ExpectedWord::Busy) => status == Some(Status::Busy),
        Some(ExpectedWord::Ready) => status == Some(Status::Ready),
    }
}
