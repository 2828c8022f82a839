//! The scenarios of a test plan that cannot happen, as warnings about its text; and those in which a step can start at most at the very end
//! of the phase that it names, which attempts do not wait for.

use nandseq_plan::TestPlan;
use nandseq_plan::model::StepTime;
use nandseq_plan::places::PlanPlaces;
use nandseq_profile::diagnostic::quoted;
use nandseq_profile::{Diagnostic, Diagnostics, Profile, SourceFile};
use nandseq_reach::{ImpossibleStep, Start, impossible_steps};

/// A warning for each scenario that cannot happen, at the step that is impossible.
pub(crate) fn warnings(plan: &TestPlan, source: &SourceFile, profile: &Profile, start: Start<'_>) -> Diagnostics {
    let places = PlanPlaces::new(source);
    let mut warnings = Diagnostics::new();
    for found in impossible_steps(profile, plan, start) {
        let code = if found.but_at_end { "only-at-phase-end" } else { "impossible-scenario" };
        let warning = Diagnostic::warning(code, message(plan, &found)).help(found.help);
        warnings.push(match places.step(&plan.scenarios[found.scenario].name, found.step) {
            Some(span) => warning.at(span, ""),
            None => warning,
        });
    }
    warnings
}

fn message(plan: &TestPlan, found: &ImpossibleStep) -> String {
    let scenario = &plan.scenarios[found.scenario];
    let (name, step) = (quoted(&scenario.name), found.step + 1);
    let ImpossibleStep { rule, because, .. } = found;
    match scenario.steps[found.step].when {
        StepTime::During { phase, .. } if found.but_at_end => format!(
            "step {step} of scenario {name} cannot start before the very end of {}, because `{rule}` forbids it: {because}",
            phase.name()
        ),
        StepTime::During { .. } | StepTime::After { .. } | StepTime::Next => {
            format!("scenario {name} cannot happen, because `{rule}` forbids step {step}: {because}")
        }
    }
}
