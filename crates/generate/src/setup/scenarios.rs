//! The scenarios in force, compiled: the operations that each step may be, and the values for which hits are wanted.
//!
//! An operation of a step is left out if its rows lack a part of the address that the step asks for, or if it forbids all that a later
//! step wants to start in one of its phases.

use nandseq_device::{BaseInfo, OpInfo, Reach, Tables};
use nandseq_plan::model::{AddressPart, PlaceRelation, Scenario, ScenarioAxis, ScenarioStep, StepTime};
use nandseq_profile::model::PhaseKind;
use nandseq_profile::{CellTypeId, Die, OpId, Plane, Ticks};

use super::classes::{Classes, places};
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
    /// The steps, with the operations that are left.
    pub(crate) steps: Vec<ScenarioStep>,
    /// The values for which the hits are wanted; one that wants nothing in particular if there are no axes.
    pub(crate) values: Vec<ScenarioValue>,
    /// How long the operations of the steps take at least.
    pub(crate) least: Ticks,
}

/// What hits are wanted for: a value of each axis.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct ScenarioValue {
    /// The cell type of the first step's operation.
    pub cell_type: Option<CellTypeId>,
    /// The die of the first step.
    pub die: Option<Die>,
    /// The plane, or the first plane, of the first step.
    pub plane: Option<Plane>,
    /// The operations of steps, given by their indices.
    pub ops: Vec<(usize, OpId)>,
}

impl ScenarioSet {
    /// Compiles scenarios. `usable` says whether the device has what a name addresses.
    pub(super) fn new(
        (tables, classes): (&Tables, &Classes),
        scenarios: &[Scenario],
        usable: impl Fn(OpId) -> bool,
    ) -> Result<Self, SetupError> {
        let proposes = |op: OpId| usable(op) && !tables.base(tables.op(op).base).effects.delay;
        let names: Vec<(OpId, f64)> =
            tables.ops().map(|(op, _)| op).filter(|&op| proposes(op)).map(|op| (op, 1.0)).collect();
        let longest =
            |of: fn(&OpInfo) -> Ticks| names.iter().map(|&(op, _)| of(tables.op(op))).max().unwrap_or_default();
        let all = scenarios.iter().map(|scenario| CompiledScenario::new(tables, scenario, proposes));
        Ok(Self {
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
            let fits = |op: &OpId| {
                let info = tables.op(*op);
                proposes(*op)
                    && places.iter().all(|place| names_part(tables.base(info.base), place.part))
                    && (!expects || info.status_of.is_some())
                    && later.iter().all(|step| lets_in(tables, (at, info), step))
            };
            this.ops.retain(fits);
        }
        let values = values(tables, scenario)
            .ok_or_else(|| SetupError::TooManyValues { scenario: scenario.name.clone(), most: MOST_VALUES })?;
        let shortest = |step: &ScenarioStep| {
            let op = step.ops.iter().map(|&op| tables.op(op).occupied).min().unwrap_or_default();
            let wait = match step.when {
                StepTime::After { within, .. } => within.0,
                StepTime::Next | StepTime::During { .. } => Ticks::ZERO,
            };
            op.0.saturating_add(wait.0).saturating_mul(step.repeat.into())
        };
        Ok(Self {
            hits: scenario.hits.into(),
            rate: scenario.rate,
            others_between: scenario.others_between,
            least: Ticks(steps.iter().map(shortest).fold(0, u64::saturating_add)),
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
            dies.push(Die(stream.pick(places(fitting).map(|die| (die as u8, 1)).collect::<Vec<_>>().into_iter())?));
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

/// Whether an operation as the step with an index lets a later step in where that step is to start in a phase of this one.
fn lets_in(tables: &Tables, (at, op): (usize, &OpInfo), later: &ScenarioStep) -> bool {
    let StepTime::During { step, phase, .. } = later.when else { return true };
    if step != at {
        return true;
    }
    let info = tables.base(op.base);
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
