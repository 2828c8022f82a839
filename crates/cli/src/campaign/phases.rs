//! The phases of a campaign: runs with limits and a table of their own, as a test plan states them. Without such a plan all runs are one
//! phase, with the limits of the flags.

use nandseq_plan::model::{DEFAULT_RUN, MAX_RUNS, PhaseUntil, PlanPhase};
use nandseq_profile::Ticks;
use nandseq_trace::manifest::MAX_RUN;

use crate::arguments::{DEFAULT_RUN_US, GenerateArgs};
use crate::failure::Problem;
use crate::in_force::InForce;
use crate::test_plan::PlanInForce;

/// Greatest simulated time of a site over all its runs, µs: its clock counts picoseconds in 64 bits.
pub(super) const MAX_SITE_US: u64 = nandseq_profile::units::MAX_US;

// What a plan may ask for is what a site has.
const _: () = assert!(MAX_RUNS == MAX_RUN && DEFAULT_RUN.0 == Ticks::from_us(DEFAULT_RUN_US).0);

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
    /// Operations that each run is to have; a run with fewer falls short.
    pub(crate) wanted_ops: Option<u64>,
    /// What ends the phase.
    pub(crate) until: Option<PhaseUntil>,
}

impl CampaignPhase {
    /// Simulated time of each run; `None` for no limit.
    pub(crate) fn time_limit(&self) -> Option<Ticks> {
        (self.run_until != Ticks::from_us(MAX_SITE_US)).then_some(self.run_until)
    }

    /// A phase of a plan.
    pub(crate) fn of_plan(phase: &PlanPhase) -> Self {
        let run_until = phase.time_limit().unwrap_or(Ticks::from_us(MAX_SITE_US));
        Self {
            name: Some(phase.name.clone()),
            runs: phase.runs,
            run_until,
            max_ops: phase.ops,
            // Beside `until` the operations are a backstop.
            wanted_ops: phase.ops.filter(|_| phase.until.is_none()),
            until: phase.until,
        }
    }
}

/// The phases of a plan; none for a plan without phases. Adds to `problems` what they and flags both say.
pub(super) fn of_plan(arguments: &GenerateArgs, in_force: &InForce, problems: &mut Vec<Problem>) -> Vec<CampaignPhase> {
    let Some(PlanInForce { plan, input, .. }) = &in_force.plan else { return Vec::new() };
    let phases: Vec<CampaignPhase> = plan.phases.iter().map(CampaignPhase::of_plan).collect();
    if phases.is_empty() {
        return phases;
    }
    let extent = &arguments.extent;
    let other_end = "end a phase with `until: {covered: …}`, or take `phases` out of the plan";
    let other_flags = "leave the flag out, or take `phases` out of the plan";
    for (flag, is_given, what, help) in [
        ("--num-runs (-n)", extent.num_runs.is_some(), "how many runs there are", other_flags),
        ("--run-until (-t)", extent.run_until.is_some(), "how long runs are", other_flags),
        ("--ops", extent.ops.is_some(), "how many operations runs have", other_flags),
        ("--until-coverage", extent.until_coverage.is_some(), "what ends them", other_end),
    ] {
        if is_given {
            let message = format!("the phases of `{}` say {what}, and {flag} does too", input.source);
            problems.push(Problem::new(message).help(help));
        }
    }
    phases
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

    /// The number of a run in its phase, from 0, and how many runs the phase has.
    pub(crate) fn place_of(&self, run_index: u64) -> (u64, u64) {
        let of = self.of_run(run_index);
        let before = self.all[..of].iter().map(|phase| phase.runs).fold(0, u64::saturating_add);
        (run_index.saturating_sub(before), self.all[of].runs)
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
            wanted_ops: None,
            until: None,
        };
        let phases = Phases::new(vec![phase("a", 2), phase("b", 1), phase("c", 3)], phase("", 9));
        assert_eq!((0..8).map(|run| phases.of_run(run)).collect::<Vec<_>>(), [0, 0, 1, 2, 2, 2, 2, 2]);
        let last: Vec<u64> = (0..6).filter(|run| phases.ends_with(*run)).collect();
        assert_eq!((last, phases.runs()), (vec![1, 2, 5], 6));
        let alone = Phases::new(Vec::new(), phase("", 9));
        assert_eq!((alone.of_run(8), alone.runs(), alone.ends_with(7), alone.ends_with(8)), (0, 9, false, true));
    }
}
