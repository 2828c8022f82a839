//! The scenarios in force, compiled: the operations that each step may be, and the values for which hits are wanted.
//!
//! An operation of a step is left out if its rows lack a part of the address that the step, a later step or an axis asks for, if it lacks
//! a phase that a later step refers to, or if it forbids all that a later step wants to start in one of its phases.

use nandseq_device::{BaseInfo, OpInfo, Reach, Tables};
use nandseq_plan::model::{
    AddressPart, PlaceRelation, Scenario, ScenarioAxis, ScenarioStep, StepMoment, StepPlace, StepTime, WHOLE,
};
use nandseq_profile::model::PhaseKind;
use nandseq_profile::{CellTypeId, Die, OpId, Plane, Ticks};

use super::chain_templates::{FollowUps, StepInfo};
use super::classes::{ClassId, Classes, places};
use super::distribution::Distribution;
use super::error::SetupError;
use crate::random::Stream;

/// The most values of `each` of a scenario: each has counts of its own.
const MOST_VALUES: usize = 1 << 16;

/// The scenarios of a phase.
#[derive(Clone, Debug)]
pub(crate) struct ScenarioSet {
    pub(crate) all: Vec<CompiledScenario>,
    /// Every name that may be proposed, each as likely as any other.
    pub(crate) distribution: Distribution,
    /// One name of each class that may be proposed.
    pub(crate) kinds: Vec<OpId>,
    /// By name: its class.
    pub(crate) class_of: Vec<ClassId>,
    /// By base: the names after which chains may have a step of it, ascending, and whether the step has the cell type of the name.
    pub(crate) leaders: Vec<Vec<(OpId, bool)>>,
    /// The longest time that a name holds the bus, and that a name occupies planes.
    pub(crate) longest: (Ticks, Ticks),
}

/// A scenario.
#[derive(Clone, Debug)]
pub(crate) struct CompiledScenario {
    /// The hits wanted for each value.
    pub(crate) hits: u64,
    pub(crate) rate: Option<u32>,
    pub(crate) others_between: bool,
    /// Whether nothing else may start on any die, since the rows of a step may name none.
    pub(crate) is_everywhere: bool,
    /// The steps, with the operations that are left.
    pub(crate) steps: Vec<ScenarioStep>,
    /// The values for which the hits are wanted; one that wants nothing in particular if there are no axes.
    pub(crate) values: Vec<ScenarioValue>,
    /// How long it takes at least from the start of the first step to that of the last.
    pub(crate) least: Ticks,
}

/// What hits are wanted for: a value of each axis.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct ScenarioValue {
    /// The cell type of the first step's operation.
    pub cell_type: Option<CellTypeId>,
    /// The die of the first step.
    pub die: Option<Die>,
    /// A plane of the first step.
    pub plane: Option<Plane>,
    /// The operations of steps, given by their indices.
    pub ops: Vec<(usize, OpId)>,
}

impl ScenarioSet {
    /// Compiles scenarios. `usable` says whether the device has what a name addresses.
    pub(super) fn new(
        (tables, classes): (&Tables, &Classes),
        (follow_ups, chains): (&[FollowUps], &[Vec<StepInfo>]),
        scenarios: &[Scenario],
        usable: impl Fn(OpId) -> bool,
    ) -> Result<Self, SetupError> {
        let proposes = |op: OpId| usable(op) && !tables.base_of(op).effects.delay;
        let names: Vec<(OpId, f64)> =
            tables.ops().map(|(op, _)| op).filter(|&op| proposes(op)).map(|op| (op, 1.0)).collect();
        let longest =
            |of: fn(&OpInfo) -> Ticks| names.iter().map(|&(op, _)| of(tables.op(op))).max().unwrap_or_default();
        let all = scenarios.iter().map(|scenario| CompiledScenario::new(tables, scenario, proposes));
        let class_of: Vec<ClassId> = tables.ops().map(|(_, op)| classes.of(op)).collect();
        let mut kinds: Vec<OpId> = names.iter().map(|&(op, _)| op).collect();
        kinds.sort_unstable_by_key(|op| (class_of[op.index()], *op));
        kinds.dedup_by_key(|op| class_of[op.index()]);
        let mut leaders = vec![Vec::new(); follow_ups.len()];
        for &(op, _) in &names {
            let follow_ups = &follow_ups[tables.op(op).base.index()];
            let of_chains = follow_ups.choices.iter().filter_map(|&(_, chain)| chain).flat_map(|chain| &chains[chain]);
            of_chains.for_each(|step| leaders[step.base.index()].push((op, step.same_cell_type)));
        }
        for of_base in &mut leaders {
            of_base.sort_unstable();
            of_base.dedup();
        }
        Ok(Self {
            kinds,
            class_of,
            leaders,
            longest: (longest(|op| op.bus), longest(|op| op.occupied)),
            distribution: Distribution::new(tables, classes, &names, |_| true),
            all: all.collect::<Result<_, _>>()?,
        })
    }
}

impl CompiledScenario {
    fn new(tables: &Tables, scenario: &Scenario, proposes: impl Fn(OpId) -> bool) -> Result<Self, SetupError> {
        let mut steps = scenario.steps.clone();
        for at in (0..steps.len()).rev() {
            let (this, later) = steps[at..].split_first_mut().expect("a step has an index");
            let places = &this.places;
            let expects = this.expect.is_some();
            let axes = if at == 0 { &scenario.each[..] } else { &[] };
            let fits = |op: &OpId| {
                let info = tables.op(*op);
                let base = tables.base(info.base);
                proposes(*op)
                    && places.iter().all(|place| names_part(base, place.part))
                    && axes.iter().all(|axis| names_axis(base, *axis))
                    && later.iter().flat_map(|step| &step.places).all(|place| names_what_is_asked(base, at, place))
                    && (!expects || info.status_of.is_some())
                    && later.iter().all(|step| lets_in(tables, (at, info), step))
            };
            this.ops.retain(fits);
        }
        let values = values(tables, scenario)
            .ok_or_else(|| SetupError::TooManyValues { scenario: scenario.name.clone(), most: MOST_VALUES })?;
        let is_on_all = |&op: &OpId| {
            let info = tables.base_of(op);
            !info.names_die || info.reach == Reach::Target
        };
        Ok(Self {
            is_everywhere: !scenario.others_between && steps.iter().flat_map(|step| &step.ops).any(is_on_all),
            hits: scenario.hits.into(),
            rate: scenario.rate,
            others_between: scenario.others_between,
            least: least_time(tables, &steps),
            steps,
            values,
        })
    }

    /// The operations that a step may be for a value.
    pub(crate) fn ops(&self, tables: &Tables, step: usize, value: usize) -> impl Iterator<Item = OpId> {
        let wanted = &self.values[value];
        let fits = move |op: &OpId| is_wanted(tables, wanted, step, *op);
        self.steps[step].ops.iter().copied().filter(fits)
    }

    /// Whether a step that may start at any time begins the window of a later one.
    pub(crate) fn opens_window(&self, step: usize) -> bool {
        let begins = |when: StepTime| match when {
            StepTime::Next | StepTime::After { within: (_, None), .. } => None,
            StepTime::During { step, .. } | StepTime::After { step, within: (_, Some(_)), .. } => Some(step),
        };
        let (this, later) = (self.steps.get(step), self.steps.iter().skip(step + 1));
        this.is_some_and(|this| begins(this.when).is_none())
            && later.into_iter().any(|later| begins(later.when) == Some(step))
    }

    /// Whether a step is to be on another plane than a step after the first.
    pub(crate) fn is_apart_from_later(&self, step: usize) -> bool {
        self.steps[step].places.iter().any(|place| match place.relation {
            PlaceRelation::OtherThan(other) => other > 0 && place.part == AddressPart::Plane,
            PlaceRelation::SameAs(_) | PlaceRelation::NextTo(_) | PlaceRelation::In(_) => false,
        })
    }

    /// Whether a step is on another plane, block or page than an earlier one, so that what the earlier one leaves is not there for it.
    pub(crate) fn is_apart(&self, step: usize, earlier: usize) -> bool {
        self.steps[step].places.iter().any(|place| match place.relation {
            PlaceRelation::OtherThan(other) | PlaceRelation::NextTo(other) => other == earlier,
            PlaceRelation::SameAs(_) | PlaceRelation::In(_) => false,
        })
    }

    /// Whether a step is at the block of an earlier one.
    pub(crate) fn is_at_block_of(&self, step: usize, earlier: usize) -> bool {
        self.steps[step].places.iter().any(|place| match place.relation {
            PlaceRelation::SameAs(other) => other == earlier && place.part == AddressPart::Block,
            PlaceRelation::OtherThan(_) | PlaceRelation::NextTo(_) | PlaceRelation::In(_) => false,
        })
    }

    /// Draws the die of each step among some dies, a bit each; `wanted` is that of the first. A step without a condition on its die is
    /// on that of the first. `None` if no die fits.
    pub(crate) fn draw_dies(&self, wanted: Option<Die>, among: u64, stream: &mut Stream) -> Option<Vec<Die>> {
        let bit = |die: Die| 1 << die.0;
        let mut dies: Vec<Die> = Vec::with_capacity(self.steps.len());
        for step in &self.steps {
            let own = dies.first().copied().or(wanted).map_or(among, |die| bit(die) & among);
            let mut conditions = step.places.iter().filter(|place| place.part == AddressPart::Die).peekable();
            let all = if conditions.peek().is_some() && !dies.is_empty() { among } else { own };
            let fitting = conditions.fold(all, |left, place| match &place.relation {
                PlaceRelation::SameAs(other) => left & bit(dies[*other]),
                PlaceRelation::OtherThan(other) => left & !bit(dies[*other]),
                PlaceRelation::NextTo(_) => left,
                PlaceRelation::In(ranges) => {
                    places(left).filter(|die| ranges.contains(*die as u32)).fold(0, |all, die| all | 1 << die)
                }
            });
            // Neighbours are on one die.
            let near = step.places.iter().fold(fitting, |left, place| match place.relation {
                PlaceRelation::NextTo(other) => left & bit(dies[other]),
                PlaceRelation::SameAs(_) | PlaceRelation::OtherThan(_) | PlaceRelation::In(_) => left,
            });
            dies.push(Die(stream.pick(places(near).map(|die| (die as u8, 1)).collect::<Vec<_>>().into_iter())?));
        }
        Some(dies)
    }
}

/// Whether an operation fits a value as that of a step.
pub(crate) fn is_wanted(tables: &Tables, wanted: &ScenarioValue, step: usize, op: OpId) -> bool {
    (step > 0 || wanted.cell_type.is_none_or(|cell| tables.op(op).stated_cell_type == cell))
        && wanted.ops.iter().all(|&(of, wanted)| of != step || wanted == op)
}

/// Whether the rows of operations of a base name a part of their address.
fn names_part(info: &BaseInfo, part: AddressPart) -> bool {
    match part {
        AddressPart::Die => info.names_die,
        AddressPart::Plane => info.has_block || info.reach == Reach::Planes,
        AddressPart::Block | AddressPart::Page => info.has_block,
    }
}

/// Whether the rows of operations of a base name what an axis asks for.
fn names_axis(info: &BaseInfo, axis: ScenarioAxis) -> bool {
    match axis {
        ScenarioAxis::Die => names_part(info, AddressPart::Die),
        ScenarioAxis::Plane => names_part(info, AddressPart::Plane),
        ScenarioAxis::CellType | ScenarioAxis::Op(_) => true,
    }
}

/// Whether the rows of operations of a base, as those of the step with an index, name what a place of a later step asks for.
fn names_what_is_asked(info: &BaseInfo, at: usize, place: &StepPlace) -> bool {
    match place.relation {
        PlaceRelation::SameAs(step) | PlaceRelation::OtherThan(step) | PlaceRelation::NextTo(step) => {
            step != at || names_part(info, place.part)
        }
        PlaceRelation::In(_) => true,
    }
}

/// How long it takes at least from the start of the first step to that of the last. A reset may end an operation at any time.
fn least_time(tables: &Tables, steps: &[ScenarioStep]) -> Ticks {
    let shortest = |step: usize, of: &dyn Fn(&OpInfo) -> u64| {
        let step: &ScenarioStep = &steps[step];
        step.ops.iter().map(|&op| of(tables.op(op))).min().unwrap_or_default()
    };
    let resets = steps.iter().flat_map(|step| &step.ops).any(|&op| tables.base_of(op).effects.resets());
    let mut starts: Vec<u64> = Vec::with_capacity(steps.len());
    for (at, step) in steps.iter().enumerate() {
        let bus = |step: usize| shortest(step, &|op| op.bus.0);
        let before = starts.last().map_or(0, |before| before.saturating_add(bus(at - 1)));
        let first = match step.when {
            StepTime::Next => before,
            StepTime::During { step, phase, at: (from, _) } => {
                let into = |(begin, end): (u64, u64)| {
                    begin + (u128::from(end.saturating_sub(begin)) * u128::from(from) / u128::from(WHOLE)) as u64
                };
                starts[step].saturating_add(shortest(step, &|op| into(phase_of(op, phase))))
            }
            StepTime::After { step, moment, within: (least, _) } => {
                let wait = shortest(step, &|op| match moment {
                    StepMoment::Start => 0,
                    StepMoment::End | StepMoment::PhaseEnd(_) if resets => 0,
                    StepMoment::End => op.occupied.0,
                    // A window may be cut as soon as it has begun.
                    StepMoment::PhaseEnd(phase) if phase.is_window() => op.occupied.0,
                    StepMoment::PhaseEnd(phase) => phase_of(op, phase).1,
                });
                starts[step].saturating_add(wait).saturating_add(least.0)
            }
        };
        starts.push(first.max(before).saturating_add(bus(at).saturating_mul(u64::from(step.repeat) - 1)));
    }
    Ticks(starts.last().copied().unwrap_or_default())
}

/// When a phase of an operation begins and ends, from its start.
fn phase_of(op: &OpInfo, phase: PhaseKind) -> (u64, u64) {
    match phase {
        PhaseKind::Issue => (0, op.issue.0),
        PhaseKind::CoreBusy => (op.issue.0, op.occupied.0),
        PhaseKind::DataIn | PhaseKind::DataOut => (op.occupied.0, op.total.0),
    }
}

/// Whether an operation as the step with an index has the phase that a later step refers to, and lets it in if it is to start there.
fn lets_in(tables: &Tables, (at, op): (usize, &OpInfo), later: &ScenarioStep) -> bool {
    let info = tables.base(op.base);
    let phase = match later.when {
        StepTime::During { step, phase, .. } if step == at => phase,
        StepTime::After { step, moment: StepMoment::PhaseEnd(phase), .. } if step == at => {
            return match phase {
                PhaseKind::Issue => op.issue > Ticks::ZERO,
                PhaseKind::CoreBusy => info.busy_key.is_some() || op.occupied > op.issue,
                PhaseKind::DataIn | PhaseKind::DataOut => info.window == phase,
            };
        }
        StepTime::Next | StepTime::During { .. } | StepTime::After { .. } => return true,
    };
    let (key, length) = match phase {
        PhaseKind::Issue => return op.issue > Ticks::ZERO,
        PhaseKind::CoreBusy => (info.busy_key, op.occupied.0.saturating_sub(op.issue.0)),
        PhaseKind::DataIn | PhaseKind::DataOut if info.window == phase => {
            (info.window_key, op.total.0.saturating_sub(op.occupied.0))
        }
        PhaseKind::DataIn | PhaseKind::DataOut => return false,
    };
    let is_elsewhere = |part: AddressPart| {
        later.places.iter().any(|place| place.part == part && place.relation != PlaceRelation::SameAs(at))
    };
    let (other_die, other_plane) = (is_elsewhere(AddressPart::Die), is_elsewhere(AddressPart::Plane));
    let is_open = |op: &OpId| {
        let base = tables.op(*op).base;
        let looks_elsewhere = other_die || other_plane && tables.base(base).reach == Reach::Planes;
        looks_elsewhere || key.is_none_or(|key| !tables.op_states_against(base).contains(key))
    };
    length > 0 && later.ops.iter().any(is_open)
}

/// The values of a scenario: each combination of its axes; `None` if there are too many.
fn values(tables: &Tables, scenario: &Scenario) -> Option<Vec<ScenarioValue>> {
    let mut values = vec![ScenarioValue::default()];
    let first = &scenario.steps[0];
    let numbers = |part: AddressPart, count: u8| -> Vec<u8> {
        let is_in = |number: &u8| {
            first.places.iter().filter(|place| place.part == part).all(|place| match &place.relation {
                PlaceRelation::In(ranges) => ranges.contains((*number).into()),
                PlaceRelation::SameAs(_) | PlaceRelation::OtherThan(_) | PlaceRelation::NextTo(_) => true,
            })
        };
        (0..count).filter(is_in).collect()
    };
    for axis in &scenario.each {
        let variants: Vec<ScenarioValue> = match axis {
            ScenarioAxis::CellType => {
                let mut cells: Vec<_> = first.ops.iter().map(|&op| tables.op(op).stated_cell_type).collect();
                cells.sort_unstable();
                cells.dedup();
                cells
                    .into_iter()
                    .map(|cell| ScenarioValue { cell_type: Some(cell), ..ScenarioValue::default() })
                    .collect()
            }
            ScenarioAxis::Die => numbers(AddressPart::Die, tables.size.dies)
                .into_iter()
                .map(|die| ScenarioValue { die: Some(Die(die)), ..ScenarioValue::default() })
                .collect(),
            ScenarioAxis::Plane => numbers(AddressPart::Plane, tables.size.planes)
                .into_iter()
                .map(|plane| ScenarioValue { plane: Some(Plane(plane)), ..ScenarioValue::default() })
                .collect(),
            ScenarioAxis::Op(step) => scenario.steps[*step]
                .ops
                .iter()
                .map(|&op| ScenarioValue { ops: vec![(*step, op)], ..ScenarioValue::default() })
                .collect(),
        };
        if values.len() * variants.len() > MOST_VALUES {
            return None;
        }
        values = values.iter().flat_map(|value| variants.iter().map(|variant| value.with(variant))).collect();
        // An operation of the first step has one cell type.
        let has = |op: OpId, cell: CellTypeId| tables.op(op).stated_cell_type == cell;
        values.retain(|value| {
            value.cell_type.is_none_or(|cell| value.ops.iter().all(|&(step, op)| step > 0 || has(op, cell)))
        });
    }
    Some(values)
}

impl ScenarioValue {
    /// The value that is also another one, of other axes.
    fn with(&self, other: &Self) -> Self {
        Self {
            cell_type: self.cell_type.or(other.cell_type),
            die: self.die.or(other.die),
            plane: self.plane.or(other.plane),
            ops: self.ops.iter().chain(&other.ops).copied().collect(),
        }
    }
}
