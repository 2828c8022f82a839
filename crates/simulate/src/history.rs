//! The operations of a run that earlier steps of a fault may be, and whether steps follow one another as a fault says.

use std::collections::VecDeque;

use nandseq_input::{Addressed, Row};
use nandseq_plan::model::{AddressPart, PlaceRelation, StepPlace};
use nandseq_profile::model::PayloadField;
use nandseq_profile::{OpId, Ticks};

use crate::fault::PlantedFault;

/// An operation that started.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct StartedOp {
    pub(crate) op: OpId,
    pub(crate) time: Ticks,
    pub(crate) targets: Vec<Addressed>,
    /// Its number among the operations of its die in the run.
    number_on_die: u64,
}

impl StartedOp {
    /// The first die that it addresses, as every payload of several targets has one die.
    fn die(&self) -> Option<i64> {
        self.targets.iter().find_map(|target| value(target, AddressPart::Die))
    }
}

/// A part of an address, if the target names it.
pub(crate) fn value(target: &Addressed, part: AddressPart) -> Option<i64> {
    let (field, value) = match part {
        AddressPart::Die => (PayloadField::Die, target.die),
        AddressPart::Plane => (PayloadField::Plane, target.plane),
        AddressPart::Block => (PayloadField::Block, target.block),
        AddressPart::Page => (PayloadField::Page, target.page),
    };
    target.fields.contains(field).then_some(value)
}

/// What was started in a run and may be an earlier step of the fault.
#[derive(Debug)]
pub(crate) struct History {
    /// The number of planes of a die: that of blocks from one to the next on the same plane.
    planes: i64,
    started: VecDeque<StartedOp>,
    /// By die, how many operations were started.
    on_die: Vec<u64>,
}

impl History {
    pub(crate) const fn new(planes: u32) -> Self {
        Self { planes: planes as i64, started: VecDeque::new(), on_die: Vec::new() }
    }

    /// Forgets everything: a run begins.
    pub(crate) fn begin_run(&mut self) {
        self.started.clear();
        self.on_die.clear();
    }

    /// Takes in an operation that starts, and says whether it ends the steps of the fault.
    pub(crate) fn start(&mut self, row: &Row<'_>, fault: &PlantedFault) -> bool {
        let mut new = StartedOp { op: row.op, time: row.time, targets: row.targets.to_vec(), number_on_die: 0 };
        if let Some(die) = new.die().and_then(|die| usize::try_from(die).ok()) {
            self.on_die.resize(self.on_die.len().max(die + 1), 0);
            self.on_die[die] += 1;
            new.number_on_die = self.on_die[die];
        }
        let longest: u64 = fault.steps.iter().skip(1).map(|step| step.within.1.0).fold(0, u64::saturating_add);
        let oldest = row.time.0.saturating_sub(longest);
        while self.started.front().is_some_and(|first| first.time.0 < oldest) {
            self.started.pop_front();
        }
        let last = fault.steps.len() - 1;
        let fits = fault.steps[last].ops.binary_search(&new.op).is_ok()
            && self.completes(fault, last, &new, self.started.len(), &mut Vec::new());
        if fault.steps[..last].iter().any(|step| step.ops.binary_search(&new.op).is_ok()) {
            self.started.push_back(new);
        }
        fits
    }

    /// Whether the steps before `step` can be found among the first `before` operations, if `is` is the step. `later` are the steps after it,
    /// the last one first.
    fn completes<'a>(
        &'a self,
        fault: &PlantedFault,
        step: usize,
        is: &'a StartedOp,
        before: usize,
        later: &mut Vec<&'a StartedOp>,
    ) -> bool {
        later.push(is);
        let found = if step == 0 {
            let steps: Vec<&StartedOp> = later.iter().rev().copied().collect();
            self.places_hold(fault, &steps)
        } else {
            let (least, most) = fault.steps[step].within;
            (0..before).rev().any(|at| {
                let one = &self.started[at];
                let gap = Ticks(is.time.0.saturating_sub(one.time.0));
                let is_next = fault.others_between || is.number_on_die == one.number_on_die + 1;
                (least..=most).contains(&gap)
                    && is_next
                    && fault.steps[step - 1].ops.binary_search(&one.op).is_ok()
                    && self.completes(fault, step - 1, one, at, later)
            })
        };
        later.pop();
        found
    }

    /// Whether the addresses of steps are as the fault says.
    fn places_hold(&self, fault: &PlantedFault, steps: &[&StartedOp]) -> bool {
        let mut each = fault.steps.iter().zip(steps);
        each.all(|(step, is)| step.places.iter().all(|place| self.holds(place, is, steps)))
    }

    fn holds(&self, place: &StepPlace, is: &StartedOp, steps: &[&StartedOp]) -> bool {
        let values =
            |of: &StartedOp| -> Vec<i64> { of.targets.iter().filter_map(|target| value(target, place.part)).collect() };
        let own = values(is);
        match &place.relation {
            PlaceRelation::In(ranges) => {
                own.iter().any(|&one| u32::try_from(one).is_ok_and(|one| ranges.contains(one)))
            }
            PlaceRelation::SameAs(step) => values(steps[*step]).iter().any(|one| own.contains(one)),
            PlaceRelation::OtherThan(step) => {
                let others = values(steps[*step]);
                !own.is_empty() && !others.is_empty() && !others.iter().any(|one| own.contains(one))
            }
            PlaceRelation::NextTo(step) => {
                let others = &steps[*step].targets;
                is.targets.iter().any(|one| others.iter().any(|other| self.are_next(one, other, place.part)))
            }
        }
    }

    /// Whether two addresses are those of neighbours: pages of one block, or blocks of one plane.
    fn are_next(&self, one: &Addressed, other: &Addressed, part: AddressPart) -> bool {
        let distance = |part| Some(value(one, part)?.abs_diff(value(other, part)?));
        match part {
            AddressPart::Page => distance(part) == Some(1) && distance(AddressPart::Block) == Some(0),
            AddressPart::Block => distance(part) == Some(self.planes.unsigned_abs()),
            AddressPart::Die | AddressPart::Plane => false,
        }
    }
}
