//! The steps of a scenario, and what must be the same of two of them.

use std::collections::HashSet;
use std::fmt::Display;

use nandseq_device::{BaseInfo, OpInfo, Reach, Rule, Tables};
use nandseq_plan::model::{AddressPart, NumberRanges, PlaceRelation, Scenario, ScenarioStep};
use nandseq_profile::model::PhaseKind;
use nandseq_profile::{BaseId, BaseSet, CellTypeId, OpId, Profile};

/// What forbids an operation.
#[derive(Clone, Debug)]
pub(crate) struct Obstacle {
    pub(crate) rule: &'static str,
    pub(crate) because: String,
    pub(crate) help: &'static str,
}

impl Obstacle {
    pub(crate) fn new(rule: &'static str, because: impl Into<String>, help: &'static str) -> Self {
        Self { rule, because: because.into(), help }
    }

    pub(crate) fn by(rule: Rule, because: impl Into<String>, help: &'static str) -> Self {
        Self::new(rule.code(), because, help)
    }
}

/// A scenario with what is known of its steps.
pub(crate) struct Steps<'a> {
    pub(crate) profile: &'a Profile,
    pub(crate) tables: &'a Tables,
    pub(crate) scenario: &'a Scenario,
    /// For each step the operations that it may be.
    pub(crate) ops: Vec<Vec<OpId>>,
    /// The bases of all steps of chains: such operations may start between the steps of any scenario.
    pub(crate) forced: BaseSet,
    /// An operation of each kind.
    kinds: Vec<OpId>,
}

/// What most arguments ask of an operation: base, plane count, cell type, and whether its phases have a length.
pub(crate) type OpKind = (BaseId, bool, Option<CellTypeId>, [bool; 3]);

/// What is known of the die that a step works on. Equal dies are the same one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum StepDie {
    /// That of the operation that begins the match.
    First,
    /// The die with this number.
    Number(u32),
}

impl<'a> Steps<'a> {
    pub(crate) fn new(profile: &'a Profile, tables: &'a Tables, scenario: &'a Scenario) -> Self {
        let forced = profile.chains.iter().flat_map(|chain| &chain.steps).map(|step| step.base).collect();
        let ops = scenario.steps.iter().map(|step| step.ops.clone()).collect();
        let mut steps = Self { profile, tables, scenario, ops, forced, kinds: Vec::new() };
        let mut known: HashSet<OpKind> = HashSet::new();
        steps.kinds = tables.ops().map(|(op, _)| op).filter(|&op| known.insert(steps.kind(op))).collect();
        steps
    }

    pub(crate) fn step(&self, at: usize) -> &ScenarioStep {
        &self.scenario.steps[at]
    }

    pub(crate) fn op(&self, op: OpId) -> (&'a OpInfo, &'a BaseInfo) {
        let info = self.tables.op(op);
        (info, self.tables.base(info.base))
    }

    pub(crate) fn kind(&self, op: OpId) -> OpKind {
        let (op, _) = self.op(op);
        let lengths = [op.issue.0 > 0, op.array_done == op.occupied, op.ends_after() <= op.issue];
        (op.base, op.multi, op.cell_type, lengths)
    }

    /// All kinds of operations of the device.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = (&'a OpInfo, &'a BaseInfo)> {
        self.kinds.iter().map(|&op| self.op(op))
    }

    /// The kinds of operations that a step may be.
    pub(crate) fn kinds_of(&self, step: usize) -> impl Iterator<Item = (&'a OpInfo, &'a BaseInfo)> {
        let mut known: HashSet<OpKind> = HashSet::new();
        self.ops[step].iter().filter(move |&&op| known.insert(self.kind(op))).map(|&op| self.op(op))
    }

    /// The operations that a step may be.
    pub(crate) fn of(&self, step: usize) -> impl Iterator<Item = (&'a OpInfo, &'a BaseInfo)> {
        self.ops[step].iter().map(|&op| self.op(op))
    }

    /// How messages call a step.
    pub(crate) fn name(&self, step: usize) -> String {
        self.step(step).label.as_ref().map_or_else(|| format!("step {}", step + 1), |label| format!("`{label}`"))
    }

    /// The numbers that a step states for a part of its address, each list on its own.
    fn numbers(&self, step: usize, part: AddressPart) -> impl Iterator<Item = &NumberRanges> {
        self.step(step).places.iter().filter(move |place| place.part == part).filter_map(|place| {
            match &place.relation {
                PlaceRelation::In(numbers) => Some(numbers),
                PlaceRelation::SameAs(_) | PlaceRelation::OtherThan(_) | PlaceRelation::NextTo(_) => None,
            }
        })
    }

    /// Whether the numbers that a step states leave a number of a part of its address.
    pub(crate) fn allows(&self, step: usize, part: AddressPart, number: u32) -> bool {
        self.numbers(step, part).all(|numbers| numbers.contains(number))
    }

    /// The only number that a step leaves for a part of its address.
    pub(crate) fn number(&self, step: usize, part: AddressPart) -> Option<u32> {
        let only = self.numbers(step, part).find_map(|numbers| match numbers.0.as_slice() {
            [range] if range.start() == range.end() => Some(*range.start()),
            _ => None,
        });
        let planes = self.profile.topology.planes;
        let by_block = || (part == AddressPart::Plane).then(|| self.number(step, AddressPart::Block))?;
        only.or_else(|| by_block().map(|block| block % planes))
    }

    /// The die of a step, if it is known and all its operations name one. Of a repeated step it is that of every repetition.
    pub(crate) fn die(&self, step: usize) -> Option<StepDie> {
        if self.of(step).any(|(_, info)| !info.names_die) {
            return None;
        }
        if self.profile.topology.dies == 1 {
            return Some(StepDie::Number(0));
        }
        if let Some(number) = self.number(step, AddressPart::Die) {
            return Some(StepDie::Number(number));
        }
        let mut conditions = self.step(step).places.iter().filter(|place| place.part == AddressPart::Die).peekable();
        if step == 0 {
            let is_one = conditions.peek().is_none() || self.step(0).repeat == 1;
            return is_one.then_some(StepDie::First);
        }
        if conditions.peek().is_none() {
            let names_die = self.of(0).all(|(_, info)| info.names_die);
            let number = self.number(0, AddressPart::Die);
            return names_die.then(|| number.map_or(StepDie::First, StepDie::Number));
        }
        conditions.find_map(|place| match place.relation {
            PlaceRelation::SameAs(of) => self.die(of),
            PlaceRelation::OtherThan(_) | PlaceRelation::NextTo(_) | PlaceRelation::In(_) => None,
        })
    }

    /// Whether an operation of one step works on a die on which that of another does.
    pub(crate) fn share_die(&self, (own, info): (usize, &BaseInfo), (other, of_other): (usize, &BaseInfo)) -> bool {
        let is_everywhere = info.reach == Reach::Target || of_other.reach == Reach::Target;
        is_everywhere || self.die(own).is_some_and(|die| self.die(other) == Some(die))
    }

    /// Whether each plane, block or page of a step is one of those of another step, which is the last repetition of each.
    pub(crate) fn is_within(&self, part: AddressPart, own: usize, other: usize) -> bool {
        if own == other || part == AddressPart::Plane && self.profile.topology.planes == 1 {
            return true;
        }
        if let Some(number) = self.number(own, part)
            && self.number(other, part) == Some(number)
        {
            return true;
        }
        // What is in the same block, or in the next one, is on the same plane; what is on the next page is in the same block.
        self.step(own).places.iter().any(|place| {
            let of = match (&place.relation, part) {
                (PlaceRelation::SameAs(of), _) if place.part == part => *of,
                (PlaceRelation::SameAs(of), AddressPart::Plane) if place.part == AddressPart::Block => *of,
                (PlaceRelation::NextTo(of), AddressPart::Plane) => *of,
                (PlaceRelation::NextTo(of), AddressPart::Block) if place.part == AddressPart::Page => *of,
                (PlaceRelation::SameAs(_) | PlaceRelation::NextTo(_), _)
                | (PlaceRelation::OtherThan(_) | PlaceRelation::In(_), _) => return false,
            };
            self.is_within(part, of, other) || self.is_single(of) && self.is_within(part, other, of)
        })
    }

    /// Whether a plane of one step is certainly one of another.
    pub(crate) fn share_plane(&self, one: usize, other: usize) -> bool {
        self.is_within(AddressPart::Plane, one, other) || self.is_within(AddressPart::Plane, other, one)
    }

    /// Whether no operation of a step is multi-plane.
    pub(crate) fn is_single(&self, step: usize) -> bool {
        self.of(step).all(|(op, _)| !op.multi)
    }

    /// Whether an operation that starts on a die is never one that may come between the steps of a match without counting as another
    /// operation: no chain forces it, and it does not work on other dies than the one that it names.
    pub(crate) fn may_come_between(&self, (op, info): (&OpInfo, &BaseInfo), of_target: bool) -> bool {
        let comes_from_elsewhere =
            self.profile.topology.dies > 1 && info.names_die && (of_target || info.reach == Reach::Target);
        self.scenario.others_between || self.forced.contains(op.base) || comes_from_elsewhere
    }

    /// Whether an operation that satisfies `wanted` may start after one step and before another, or as a step between them.
    pub(crate) fn any_between(
        &self,
        (from, to): (usize, usize),
        of_target: bool,
        wanted: impl Fn((&OpInfo, &BaseInfo)) -> bool,
    ) -> bool {
        // Repetitions of the later step come before its last one.
        let end = to + usize::from(self.step(to).repeat > 1);
        (from + 1..end).any(|step| self.of(step).any(&wanted))
            || self.kinds().any(|op| self.may_come_between(op, of_target) && wanted(op))
    }

    /// Where a phase of an operation begins and ends after its start, in ticks; `None` if it does not have the phase.
    pub(crate) fn phase(&self, op: OpId, kind: PhaseKind) -> Option<(u64, u64)> {
        let op = &self.profile.ops[op];
        let mut begin = 0u64;
        for (phase, length) in self.profile.bases[op.base].phases.iter().zip(&op.durations) {
            let end = begin.saturating_add(length.0);
            if phase.kind == kind {
                return Some((begin, end));
            }
            begin = end;
        }
        None
    }

    /// Whether an operation holds the bus during its whole ISSUE, for some time.
    pub(crate) fn issues_on_bus(&self, op: &OpInfo) -> bool {
        let first = self.profile.bases[op.base].phases.first();
        op.issue.0 > 0 && first.is_some_and(|phase| phase.kind == PhaseKind::Issue && phase.bus)
    }
}

/// Whether two operations that occupy planes of a die never do so at the same time, on whichever planes.
pub(crate) fn exclude_one_another((one, of_one): (&OpInfo, &BaseInfo), (two, of_two): (&OpInfo, &BaseInfo)) -> bool {
    let joins = |op: &OpInfo, info: &BaseInfo| info.interleaved && !op.multi;
    of_one.occupies && of_two.occupies && !(joins(one, of_one) && joins(two, of_two))
}

/// Whether an operation waits until those that exclude it have ended: a SUSPEND and a reset cut what is in flight.
pub(crate) const fn waits(info: &BaseInfo) -> bool {
    info.occupies && !info.effects.cuts()
}

/// `what` in backquotes.
pub(crate) fn code(what: impl Display) -> String {
    format!("`{what}`")
}
