//! Scenarios of a test plan that cannot happen: the step that is impossible, and the rule that forbids it.
//!
//! What counts as a match is what `docs/test-plans.md` says, so the arguments hold for every sequence that breaks no rule, whoever made
//! it; those about regions hold for runs of the plan. Each argument looks at one step, alone or with one earlier step: what its
//! operations need at all ([`places`]), a start in a phase of an earlier step ([`phases`]), what earlier steps left if nothing else
//! may start in between ([`facts`], [`contents`]), and the times of all steps ([`times`]). Operations that an argument rules out are left
//! out of those about later steps. A scenario without a finding may still be impossible.

mod contents;
mod facts;
mod phases;
mod places;
mod steps;
mod times;

use std::collections::HashMap;

use nandseq_device::Tables;
use nandseq_plan::TestPlan;
use nandseq_plan::model::{Scenario, StepTime, WHOLE};
use nandseq_profile::{OpId, Profile};

use self::places::Surroundings;
use self::steps::{Obstacle, OpKind, Steps};
use crate::model::Start;

/// A step of a scenario that can never start.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ImpossibleStep {
    /// The index of the scenario in the plan.
    pub scenario: usize,
    /// The index of the step.
    pub step: usize,
    /// The code of the rule that forbids it, or of the reason for which attempts are given up.
    pub rule: &'static str,
    /// Why the rule forbids it, in words.
    pub because: String,
    /// What the author of the plan can do.
    pub help: &'static str,
    /// Only before the very end of the phase in which it is to start: nothing is said of the end.
    pub but_at_end: bool,
}

impl ImpossibleStep {
    fn new((scenario, step): (usize, usize), obstacle: Obstacle, but_at_end: bool) -> Self {
        let Obstacle { rule, because, help } = obstacle;
        Self { scenario, step, rule, because, help, but_at_end }
    }
}

/// What was found about a scenario.
pub(crate) struct JudgedScenario {
    /// The step that makes it impossible.
    pub(crate) found: Option<ImpossibleStep>,
    /// For each step, up to one that is impossible, the operations that it may be.
    pub(crate) ops: Vec<Vec<OpId>>,
}

/// The steps that make scenarios of a plan impossible, at most one for each scenario. `start` is the device with which runs of the plan
/// begin.
#[must_use]
pub fn impossible_steps(profile: &Profile, plan: &TestPlan, start: Start<'_>) -> Vec<ImpossibleStep> {
    judged(profile, plan, start).into_iter().filter_map(|judged| judged.found).collect()
}

/// Judges each scenario of a plan.
pub(crate) fn judged(profile: &Profile, plan: &TestPlan, start: Start<'_>) -> Vec<JudgedScenario> {
    if plan.scenarios.is_empty() {
        return Vec::new();
    }
    let tables = Tables::new(profile);
    let device = Surroundings::new(profile, plan, start);
    let of = |(at, scenario): (usize, &Scenario)| {
        let mut steps = Steps::new(profile, &tables, scenario);
        let found = first_obstacle(&mut steps, (at, &device));
        let found = found.map(|(step, obstacle)| ImpossibleStep::new((at, step), obstacle, false));
        let found = found.or_else(|| {
            // The end of a phase belongs to a part that goes to the whole, and much can start there.
            (0..scenario.steps.len()).find_map(|step| {
                let without = without_end(scenario, step)?;
                let (of_step, obstacle) = first_obstacle(&mut Steps::new(profile, &tables, &without), (at, &device))?;
                (of_step == step).then(|| ImpossibleStep::new((at, step), obstacle, true))
            })
        });
        JudgedScenario { found, ops: steps.ops }
    };
    plan.scenarios.iter().enumerate().map(of).collect()
}

/// A scenario in which a step does not start at the end of the phase in which it is to start; `None` if it does not say so.
fn without_end(scenario: &Scenario, step: usize) -> Option<Scenario> {
    let mut without = scenario.clone();
    match &mut without.steps[step].when {
        StepTime::During { at: (from, to), .. } if *from < WHOLE - 1 && *to == WHOLE => *to = WHOLE - 1,
        StepTime::During { .. } | StepTime::After { .. } | StepTime::Next => return None,
    }
    Some(without)
}

/// The first step that is impossible.
fn first_obstacle(steps: &mut Steps<'_>, (scenario, device): (usize, &Surroundings<'_>)) -> Option<(usize, Obstacle)> {
    for step in 0..steps.ops.len() {
        let mut first = None;
        let mut left: Vec<OpId> = Vec::new();
        // Operations of one kind differ by themselves alone.
        let mut known: HashMap<OpKind, Option<Obstacle>> = HashMap::new();
        for &op in &steps.ops[step] {
            let of_kind = || {
                let found = phases::obstacle(steps, step, op).or_else(|| contents::obstacle(steps, step, op));
                found.or_else(|| facts::obstacle(steps, step, op))
            };
            let of_kind = known.entry(steps.kind(op)).or_insert_with(of_kind);
            match places::obstacle(steps, (scenario, device), step, op).or_else(|| of_kind.clone()) {
                None => left.push(op),
                Some(found) => first = first.or(Some(found)),
            }
        }
        steps.ops[step] = left;
        let found = if steps.ops[step].is_empty() { first } else { None };
        let found = found.or_else(|| facts::obstacle_to_repetition(steps, step));
        if let Some(found) = found.or_else(|| times::obstacle(steps, step)) {
            return Some((step, found));
        }
    }
    None
}
