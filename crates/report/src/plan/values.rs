//! The values that a scenario is repeated for: cell types, dies, planes, operations.

use nandseq_plan::model::{AddressPart, PlaceRelation, Scenario, ScenarioAxis};
use nandseq_profile::{CellTypeId, OpId, Profile};

use super::history::WrittenOperation;

/// A value of an axis of a scenario.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum AxisValue {
    /// The cell type of the first step's operation.
    CellType(CellTypeId),
    /// The die of the first step's operation.
    Die(u32),
    /// A plane of the first step's operation.
    Plane(u32),
    /// The operation of a step.
    Op(OpId),
}

impl AxisValue {
    /// The value as plans and rows state it.
    #[must_use]
    pub fn text(self, profile: &Profile) -> String {
        match self {
            Self::CellType(of) => profile.cell_types[of].name.clone(),
            Self::Die(number) | Self::Plane(number) => number.to_string(),
            Self::Op(op) => profile.ops[op].name.clone(),
        }
    }
}

/// What an axis of a scenario is called.
#[must_use]
pub fn axis_name(scenario: &Scenario, axis: ScenarioAxis) -> String {
    match axis {
        ScenarioAxis::CellType => "celltype".to_owned(),
        ScenarioAxis::Die => "die".to_owned(),
        ScenarioAxis::Plane => "plane".to_owned(),
        ScenarioAxis::Op(step) => {
            let label = scenario.steps.get(step).and_then(|step| step.label.as_deref());
            format!("op of {}", label.map_or_else(|| (step + 1).to_string(), str::to_owned))
        }
    }
}

/// The values for which hits of a scenario are wanted: one of each axis. A scenario without axes has one, which is empty.
#[derive(Debug)]
pub struct WantedValues<'p> {
    profile: &'p Profile,
    scenario: &'p Scenario,
    /// The values of each axis, in order.
    axes: Vec<Vec<AxisValue>>,
}

impl<'p> WantedValues<'p> {
    /// The values that the steps of a scenario allow.
    #[must_use]
    pub fn new(scenario: &'p Scenario, profile: &'p Profile) -> Self {
        let axes = scenario.each.iter().map(|&axis| values_of(scenario, axis, profile)).collect();
        Self { profile, scenario, axes }
    }

    /// Their number; the greatest `u64` if there are more.
    #[must_use]
    pub fn count(&self) -> u64 {
        // An operation of the first step has one cell type, so its values say those of the cell type too.
        let has_first = self.scenario.each.contains(&ScenarioAxis::Op(0));
        let counts = self.scenario.each.iter().zip(&self.axes).filter(|(axis, _)| match axis {
            ScenarioAxis::CellType => !has_first,
            ScenarioAxis::Die | ScenarioAxis::Plane | ScenarioAxis::Op(_) => true,
        });
        counts.fold(1, |product, (_, values)| product.saturating_mul(values.len() as u64))
    }

    /// The values in order, as they are asked for.
    pub fn iter(&self) -> impl Iterator<Item = Vec<AxisValue>> + '_ {
        let mut next = if self.axes.iter().any(Vec::is_empty) { None } else { Some(vec![0; self.axes.len()]) };
        let all = std::iter::from_fn(move || {
            let at = next.take()?;
            next = self.after(&at);
            Some(at.iter().zip(&self.axes).map(|(at, values)| values[*at]).collect::<Vec<_>>())
        });
        all.filter(|values| self.has_one_cell_type(values))
    }

    /// The places of the values after some.
    fn after(&self, places: &[usize]) -> Option<Vec<usize>> {
        let mut places = places.to_vec();
        for (place, values) in places.iter_mut().zip(&self.axes).rev() {
            *place += 1;
            if *place < values.len() {
                return Some(places);
            }
            *place = 0;
        }
        None
    }

    fn has_one_cell_type(&self, values: &[AxisValue]) -> bool {
        let mut cell_types = self.scenario.each.iter().zip(values).filter_map(|(axis, value)| match value {
            AxisValue::CellType(of) => Some(*of),
            AxisValue::Op(op) => (*axis == ScenarioAxis::Op(0)).then(|| self.profile.ops[*op].cell_type),
            AxisValue::Die(_) | AxisValue::Plane(_) => None,
        });
        cell_types.next().is_none_or(|first| cell_types.all(|other| other == first))
    }
}

fn values_of(scenario: &Scenario, axis: ScenarioAxis, profile: &Profile) -> Vec<AxisValue> {
    let first = &scenario.steps[0];
    let numbers = |part: AddressPart, count: u32| {
        let allowed = move |number: &u32| {
            first.places.iter().filter(|place| place.part == part).all(|place| match &place.relation {
                PlaceRelation::In(numbers) => numbers.contains(*number),
                PlaceRelation::SameAs(_) | PlaceRelation::OtherThan(_) | PlaceRelation::NextTo(_) => true,
            })
        };
        (0..count).filter(allowed)
    };
    let mut values: Vec<AxisValue> = match axis {
        ScenarioAxis::CellType => first.ops.iter().map(|&op| AxisValue::CellType(profile.ops[op].cell_type)).collect(),
        ScenarioAxis::Die => numbers(AddressPart::Die, profile.topology.dies).map(AxisValue::Die).collect(),
        ScenarioAxis::Plane => numbers(AddressPart::Plane, profile.topology.planes).map(AxisValue::Plane).collect(),
        ScenarioAxis::Op(step) => scenario.steps[step].ops.iter().map(|&op| AxisValue::Op(op)).collect(),
    };
    values.sort_unstable();
    values.dedup();
    values
}

/// The values that an operation has as one of the first step, of the axes that the first step decides: several if it works on several
/// planes, none if its row does not name what an axis asks for.
pub(super) fn values_of_first(scenario: &Scenario, profile: &Profile, first: &WrittenOperation) -> Vec<Vec<AxisValue>> {
    let mut all: Vec<Vec<AxisValue>> = vec![Vec::new()];
    for &axis in &scenario.each {
        let of_axis: Vec<AxisValue> = match axis {
            ScenarioAxis::CellType => vec![AxisValue::CellType(profile.ops[first.op].cell_type)],
            ScenarioAxis::Die => {
                first.die().and_then(|die| u32::try_from(die).ok()).map(AxisValue::Die).into_iter().collect()
            }
            ScenarioAxis::Plane => first.planes().iter().map(|plane| AxisValue::Plane(plane.0.into())).collect(),
            ScenarioAxis::Op(0) => vec![AxisValue::Op(first.op)],
            ScenarioAxis::Op(_) => continue,
        };
        let longer = all.iter().flat_map(|before| {
            of_axis.iter().map(move |&value| before.iter().copied().chain([value]).collect::<Vec<_>>())
        });
        all = longer.collect();
    }
    all
}

/// The value of a match, from that of its first step. `row` gives the operation of a later step.
pub(super) fn value_of_match<'o>(
    scenario: &Scenario,
    first: &[AxisValue],
    row: impl Fn(usize) -> Option<&'o WrittenOperation>,
) -> Option<Vec<AxisValue>> {
    let mut of_first = first.iter().copied();
    let value = |axis: &ScenarioAxis| match *axis {
        ScenarioAxis::Op(step) if step > 0 => row(step).map(|operation| AxisValue::Op(operation.op)),
        ScenarioAxis::CellType | ScenarioAxis::Die | ScenarioAxis::Plane | ScenarioAxis::Op(_) => of_first.next(),
    };
    scenario.each.iter().map(value).collect()
}
