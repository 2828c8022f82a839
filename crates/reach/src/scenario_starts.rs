//! What attempts at the scenarios of a plan may start, whatever the weights: operations of their steps, and operations that bring about
//! what a step lacks.
//!
//! The steps of a scenario before one that is impossible count: attempts begin and are given up. What helps follows the needs of the steps,
//! what begins a chain with a step, and what may end a state that is in the way. It is more than the generator starts, never less:
//! addresses, times and the order of attempts are left out.

use nandseq_device::{BaseInfo, StateChange};
use nandseq_plan::TestPlan;
use nandseq_profile::model::AddressSource;
use nandseq_profile::{OpId, Profile};

use crate::model::{Model, NameClassId, Start};
use crate::scenario::{ImpossibleStep, JudgedScenario, judged};

/// What attempts at the scenarios of a plan may start.
#[derive(Debug)]
pub struct ScenarioStarts {
    /// For each operation the steps that it may be: the indices of scenario and step.
    steps: Vec<Vec<(usize, usize)>>,
    /// For each operation the scenarios for a step of which it may bring something about.
    helps: Vec<Vec<usize>>,
    /// The steps that can never start.
    impossible: Vec<ImpossibleStep>,
}

impl ScenarioStarts {
    /// Looks at the scenarios that are in force in some phase.
    #[must_use]
    pub fn new(profile: &Profile, plan: &TestPlan, start: Start<'_>) -> Self {
        let mut steps: Vec<Vec<(usize, usize)>> = vec![Vec::new(); profile.ops.len()];
        let mut helps: Vec<Vec<usize>> = vec![Vec::new(); profile.ops.len()];
        let mut impossible = Vec::new();
        let model = Model::compiled(profile, &[], start);
        let is_in_force =
            |at: &usize| plan.phases.is_empty() || plan.phases.iter().any(|phase| phase.scenarios.contains(at));
        let all = judged(profile, plan, start).into_iter().enumerate();
        for (at, JudgedScenario { found, ops }) in all.filter(|(at, _)| is_in_force(at)) {
            let of_plan = &plan.scenarios[at].steps;
            let end = found.as_ref().filter(|found| !found.but_at_end).map_or(of_plan.len(), |found| found.step);
            for (step, ops) in ops.iter().enumerate().take(end) {
                ops.iter().for_each(|op| steps[op.index()].push((at, step)));
            }
            // What an impossible step, or one after it, lacks is brought about all the same.
            let tried = of_plan.iter().flat_map(|step| &step.ops);
            let classes: Vec<NameClassId> = tried.map(|op| model.of_op[op.index()]).collect();
            let helping = helping(&model, &classes);
            profile
                .ops
                .ids()
                .filter(|op| helping[usize::from(model.of_op[op.index()])])
                .for_each(|op| helps[op.index()].push(at));
            impossible.extend(found.filter(|found| !found.but_at_end));
        }
        Self { steps, helps, impossible }
    }

    /// The steps that an operation may be in an attempt: the indices of scenario and step.
    #[must_use]
    pub fn steps(&self, op: OpId) -> &[(usize, usize)] {
        &self.steps[op.index()]
    }

    /// The scenarios for a step of which an operation may bring something about.
    #[must_use]
    pub fn helps(&self, op: OpId) -> &[usize] {
        &self.helps[op.index()]
    }

    /// The step that makes a scenario impossible.
    #[must_use]
    pub fn impossible(&self, scenario: usize) -> Option<&ImpossibleStep> {
        self.impossible.iter().find(|step| step.scenario == scenario)
    }

    /// All operations that attempts may start.
    #[must_use]
    pub fn ops(&self) -> Vec<OpId> {
        let starts = |op: &usize| !(self.steps[*op].is_empty() && self.helps[*op].is_empty());
        (0..self.steps.len()).filter(starts).map(OpId::from).collect()
    }
}

/// For each class whether its operations may bring about what steps of some classes lack.
fn helping(model: &Model<'_>, steps: &[NameClassId]) -> Vec<bool> {
    let mut helps = vec![false; model.classes.len()];
    let mut known = vec![false; model.classes.len()];
    let mut left = steps.to_vec();
    while let Some(class) = left.pop() {
        if std::mem::replace(&mut known[usize::from(class)], true) {
            continue;
        }
        let reasons = model.constant_needs(class).into_iter();
        let providers = reasons.flat_map(|reason| model.needs(class, reason, &[])).flat_map(|(_, providers)| providers);
        let heads = model.heads_of(class, |_| true);
        // If no further block may be open, an open one is erased.
        let opens = model.base(class).address == AddressSource::NextPage;
        let erases = model.classes_that(|other| opens && model.base(other).effects.erase);
        for class in providers.chain(heads).chain(erases) {
            helps[usize::from(class)] = true;
            left.push(class);
        }
    }
    let takes_register = |class: NameClassId| {
        matches!(model.base(class).address, AddressSource::OutputRegister | AddressSource::PageRegister)
    };
    let reads_help = (0..known.len() as NameClassId).any(|class| known[usize::from(class)] && takes_register(class));
    for class in model.classes_that(|class| clears_way(model, class, reads_help)) {
        helps[usize::from(class)] = true;
    }
    for class in model.classes_that(|class| model.base(class).effects.delay) {
        helps[usize::from(class)] = false;
    }
    helps
}

/// Whether an operation of a class, or a chain that it begins, may end a state of a die that is in the way.
fn clears_way(model: &Model<'_>, class: NameClassId, reads_help: bool) -> bool {
    let info = model.base(class);
    let effects = &info.effects;
    let fills = effects.at_end.iter().any(|change| matches!(change, StateChange::Fill { .. }));
    let is_left_out = effects.changes_block()
        || fills && !reads_help
        || effects.resets()
        || effects.suspend.is_some()
        || effects.holds_target
        || info.is_inert();
    let changes = |info: &BaseInfo| info.effects.changes().next().is_some() || info.effects.resume.is_some();
    let chains = || model.follow_ups(model.class(class).base).flatten();
    let changes_later = || {
        let mut steps = chains().flat_map(|chain| &model.profile.chains[chain].steps);
        steps.any(|step| changes(model.tables.base(step.base)))
    };
    !is_left_out && (changes(info) || changes_later())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use nandseq_plan::model::{Scenario, ScenarioStep, StepTime};

    use super::*;
    use crate::sample::{device, op};

    fn step(profile: &Profile, name: &str) -> ScenarioStep {
        ScenarioStep {
            label: None,
            ops: vec![op(profile, name)],
            when: StepTime::Next,
            places: Vec::new(),
            repeat: 1,
            expect: None,
        }
    }

    fn starts(profile: &Profile, steps: &[&str]) -> ScenarioStarts {
        let steps = steps.iter().map(|name| step(profile, name)).collect();
        let scenario =
            Scenario { name: "s".to_owned(), each: Vec::new(), hits: 1, rate: None, others_between: true, steps };
        let plan = TestPlan { scenarios: vec![scenario], ..TestPlan::default() };
        ScenarioStarts::new(profile, &plan, Start::default())
    }

    #[test]
    fn a_step_and_what_brings_about_what_it_lacks_may_start() {
        let profile = device("Status: 1", "");
        let found = starts(&profile, &["Read"]);
        assert_eq!(found.steps(op(&profile, "Read")), [(0, 0)]);
        let helps: BTreeSet<&str> =
            profile.ops.iter_ids().filter(|(op, _)| !found.helps(*op).is_empty()).map(|(_, op)| &*op.name).collect();
        // A read needs a page, a page needs a program, a program needs an erase; and unread data may be in the way.
        for name in ["EraseA", "EraseB", "Program", "Out"] {
            assert!(helps.contains(name), "{name}: {helps:?}");
        }
        // A status read changes nothing.
        assert!(!helps.contains("Status") && !found.ops().contains(&op(&profile, "Status")), "{helps:?}");
    }
}
