//! The phases of a campaign: runs with limits and a table of their own, as a test plan states them. Without such a plan all runs are one
//! phase, with the limits of the flags.

use nandseq_plan::model::{PhaseGoal, PlanPhase, TestPlan};
use nandseq_profile::Ticks;
use nandseq_profile::diagnostic::counted;
use nandseq_trace::manifest::MAX_RUN;

use crate::arguments::{DEFAULT_RUN_US, GenerateArgs};
use crate::failure::Problem;
use crate::in_force::InForce;
use crate::test_plan::PlanInForce;

/// Greatest simulated time of a site over all its runs, µs: its clock counts picoseconds in 64 bits.
pub(super) const MAX_SITE_US: u64 = nandseq_profile::units::MAX_US;

/// Runs with the same limits and the same table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct CampaignPhase {
    /// The name; `None` without phases.
    pub(crate) name: Option<String>,
    /// How many runs.
    pub(crate) runs: u64,
    /// Simulated time of each run. The whole range of the site's clock stands for no limit.
    pub(crate) run_until: Ticks,
    /// Operations after which a run stops; `None` for no limit.
    pub(crate) max_ops: Option<u64>,
    /// What ends the phase.
    pub(crate) goal: Option<PhaseGoal>,
}

impl CampaignPhase {
    /// Simulated time of each run; `None` for no limit.
    pub(crate) fn time_limit(&self) -> Option<Ticks> {
        (self.run_until != Ticks::from_us(MAX_SITE_US)).then_some(self.run_until)
    }

    /// A phase of a plan.
    fn of_plan(phase: &PlanPhase) -> Self {
        // Without limits, the goal ends the phase, and the usual limit is the backstop.
        let run_until = phase.run_until.unwrap_or(match phase.ops {
            Some(_) => Ticks::from_us(MAX_SITE_US),
            None => Ticks::from_us(DEFAULT_RUN_US),
        });
        Self { name: Some(phase.name.clone()), runs: phase.runs, run_until, max_ops: phase.ops, goal: phase.until }
    }
}

/// The phases of a plan; none for a plan without phases. Adds to `problems` what they and flags both say, and what no site has
/// time or numbers for.
pub(super) fn of_plan(arguments: &GenerateArgs, in_force: &InForce, problems: &mut Vec<Problem>) -> Vec<CampaignPhase> {
    let Some(PlanInForce { plan, input, .. }) = &in_force.plan else { return Vec::new() };
    not_carried_out(plan, &input.source, problems);
    let phases: Vec<CampaignPhase> = plan.phases.iter().map(CampaignPhase::of_plan).collect();
    if phases.is_empty() {
        return phases;
    }
    let extent = &arguments.extent;
    for (flag, is_given, what) in [
        ("--num-runs (-n)", extent.num_runs.is_some(), "how many runs there are"),
        ("--run-until (-t)", extent.run_until.is_some(), "how long runs are"),
        ("--ops", extent.ops.is_some(), "how many operations runs have"),
    ] {
        if is_given {
            let message = format!("the phases of `{}` say {what}, and {flag} does too", input.source);
            problems.push(Problem::new(message).help("leave the flag out, or take `phases` out of the plan"));
        }
    }
    let runs = phases.iter().map(|phase| phase.runs).fold(0, u64::saturating_add);
    if runs > MAX_RUN {
        let message = format!("the phases of `{}` have {} together", input.source, counted(runs, "run"));
        problems.push(Problem::new(message).help(format!("a site has {MAX_RUN} runs at most")));
    }
    // A run without a limit of time takes what is left of the clock.
    let time = |phase: &CampaignPhase| phase.time_limit().map(|time| u128::from(time.0) * u128::from(phase.runs));
    let time: u128 = phases.iter().filter_map(time).sum();
    if time > u128::from(Ticks::from_us(MAX_SITE_US).0) {
        let message = format!(
            "the runs of the phases of `{}` are longer together than the 100 days a site may be simulated",
            input.source
        );
        problems.push(Problem::new(message).help("lower `run_until` or `runs` of the longest phases"));
    }
    phases
}

/// Refuses what a plan wants and no site does.
fn not_carried_out(plan: &TestPlan, source: &str, problems: &mut Vec<Problem>) {
    let sections = [("addresses", !plan.addresses.is_empty()), ("scenarios", !plan.scenarios.is_empty())];
    for (section, _) in sections.into_iter().filter(|(_, is_there)| *is_there) {
        let message = format!("`{source}` has the section `{section}`, which is not carried out yet");
        problems.push(Problem::new(message).help(format!("take `{section}` out of the plan")));
    }
}

/// The phases of a campaign.
#[derive(Clone, Debug)]
pub(crate) struct Phases {
    /// At least one.
    all: Vec<CampaignPhase>,
}

impl Phases {
    /// Those of a plan or, if it has none, all runs as one.
    pub(super) fn new(of_plan: Vec<CampaignPhase>, otherwise: CampaignPhase) -> Self {
        Self { all: if of_plan.is_empty() { vec![otherwise] } else { of_plan } }
    }

    /// All of them, in order.
    pub(crate) fn all(&self) -> &[CampaignPhase] {
        &self.all
    }

    /// The phase of a run, as an index. Runs after the last phase count to it.
    pub(crate) fn of_run(&self, run_index: u64) -> usize {
        let mut end = 0u64;
        let mut is_over = |phase: &&CampaignPhase| {
            end = end.saturating_add(phase.runs);
            run_index >= end
        };
        self.all[1..].iter().zip(&self.all).map(|(_, phase)| phase).take_while(|phase| is_over(phase)).count()
    }

    /// The limits of a run.
    pub(crate) fn limits(&self, run_index: u64) -> &CampaignPhase {
        &self.all[self.of_run(run_index)]
    }

    /// Number of runs of all phases.
    pub(super) fn runs(&self) -> u64 {
        self.all.iter().map(|phase| phase.runs).fold(0, u64::saturating_add)
    }

    /// Whether a run is the last of its phase.
    pub(crate) fn ends_with(&self, run_index: u64) -> bool {
        self.of_run(run_index) != self.of_run(run_index + 1) || run_index + 1 == self.runs()
    }

    /// Whether runs are in phases that have names.
    pub(crate) fn are_named(&self) -> bool {
        self.all[0].name.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_run_is_of_its_phase() {
        let phase = |name: &str, runs| CampaignPhase {
            name: Some(name.to_owned()),
            runs,
            run_until: Ticks(1),
            max_ops: None,
            goal: None,
        };
        let phases = Phases::new(vec![phase("a", 2), phase("b", 1), phase("c", 3)], phase("", 9));
        assert_eq!((0..8).map(|run| phases.of_run(run)).collect::<Vec<_>>(), [0, 0, 1, 2, 2, 2, 2, 2]);
        let last: Vec<u64> = (0..6).filter(|run| phases.ends_with(*run)).collect();
        assert_eq!((last, phases.runs()), (vec![1, 2, 5], 6));
        let alone = Phases::new(Vec::new(), phase("", 9));
        assert_eq!((alone.of_run(8), alone.runs(), alone.ends_with(7), alone.ends_with(8)), (0, 9, false, true));
    }
}
