//! A trial of a test plan: its phases in order, each with its table, shares, addresses and scenarios, on the state that the phase before
//! left.
//!
//! A phase goes on until it ends, or until it has had its part of the operations of the trial: what the phases before it left of them,
//! divided by the phases to come. A phase that is broken off is scaled to its own length, which follows from its operations or its time.
//! Where `until` was to end it, the length is not known, and what the trial had is not scaled.

use nandseq_generate::closure::CoverageModel;
use nandseq_generate::{LimitReached, RunLimits, RunSummary, ScenarioReached, ShareReached, Site};
use nandseq_plan::model::{AddressLimits, PhaseUntil};
use nandseq_profile::Ticks;
use nandseq_trace::Sink;
use serde::Serialize;

use super::trial_site::{Ended, LONGEST_US, SEED, TRIAL_OPS, bootstrap};
use crate::campaign::phases::CampaignPhase;
use crate::in_force::InForce;
use crate::phase_setups::phase_setups;
use crate::test_plan::PlanInForce;
use crate::universe;

/// The least part of the operations that a phase has.
const LEAST_PART: u64 = 500;
/// The most runs of a phase in a trial.
const MOST_RUNS: u64 = 500;

/// A phase of a plan in a trial.
#[derive(Debug)]
pub(crate) struct TrialPhase {
    /// The name; `None` for a plan without phases.
    pub(super) name: Option<String>,
    /// The operations of the trial before it.
    pub(super) from: u64,
    /// The operations that it had in the trial.
    pub(super) ops: u64,
    /// The operations that it should have.
    pub(super) of: u64,
    pub(super) end: PhaseEnd,
    /// What was reached of its shares, limits and scenarios, in the order of those in force.
    pub(super) shares: Vec<ShareReached>,
    pub(super) limits: Vec<LimitReached>,
    pub(super) scenarios: Vec<ScenarioReached>,
}

/// How a phase ended in a trial.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Debug)]
#[serde(rename_all = "snake_case")]
pub(super) enum PhaseEnd {
    /// As it does in the campaign.
    Whole,
    /// The trial broke it off.
    Cut,
    /// The trial broke it off before what is to end it was reached.
    CutBeforeUntil,
}

/// Carries out a plan, for as many operations as are wanted if it has no phases. Returns its phases, and how the last one ended; `None` if
/// the trial ended early. The error says why nothing can be generated.
pub(super) fn carry_out(
    (in_force, plan): (&InForce, &PlanInForce),
    wanted: u64,
    sink: &mut impl Sink,
) -> Result<(Vec<TrialPhase>, Option<Ended>), String> {
    let phases = phases(plan, wanted);
    let model = coverage(in_force, &phases);
    let setups = phase_setups(in_force, model.as_ref()).map_err(|faulty| {
        let of_phase = plan
            .phase_name(faulty.phase)
            .map_or_else(String::new, |name| format!("in the phase `{name}` of the plan "));
        format!("{of_phase}{}", faulty.error)
    })?;
    let mut site = Site::new(&setups[0], SEED);
    let Ok(bootstrap_ops) = bootstrap(&mut site, in_force.start()) else { return Ok((Vec::new(), None)) };
    let (mut tried, mut last, mut left): (Vec<TrialPhase>, _, _) = (Vec::new(), None, TRIAL_OPS);
    for (at, (phase, setup)) in phases.iter().zip(&setups).enumerate() {
        if at > 0 {
            site.enter(setup);
        }
        let part = (left / (phases.len() - at) as u64).max(LEAST_PART);
        let from = tried.last().map_or(0, |phase| phase.from + phase.ops);
        let mut of_phase = PhaseRuns { phase, part, ops: 0, time: 0, is_cut: false };
        let Some(summary) = of_phase.carry_out(&mut site, sink) else { return Ok((tried, None)) };
        left = left.saturating_sub(of_phase.ops);
        tried.push(of_phase.ended(from, &site));
        last = Some(Ended::with(summary, bootstrap_ops));
    }
    Ok((tried, last))
}

/// The phases of a plan. Without any, all operations that are wanted are one: as many as they are, the hits of scenarios are spread over
/// them, and limits are used up.
fn phases(plan: &PlanInForce, wanted: u64) -> Vec<CampaignPhase> {
    let of_plan = &plan.plan.phases;
    if of_plan.is_empty() {
        let run_until = Ticks::from_us(LONGEST_US);
        let is_steady = plan.scenarios(0).is_empty()
            && plan.plan.addresses.iter().all(|entry| entry.limits == AddressLimits::default());
        let max_ops = Some(if is_steady { TRIAL_OPS } else { wanted });
        return vec![CampaignPhase { name: None, runs: 1, run_until, max_ops, wanted_ops: None, until: None }];
    }
    of_plan.iter().map(CampaignPhase::of_plan).collect()
}

/// The coverage model, if a phase ends at some coverage.
fn coverage(in_force: &InForce, phases: &[CampaignPhase]) -> Option<CoverageModel> {
    let ends = |phase: &CampaignPhase| matches!(phase.until, Some(PhaseUntil::Covered(_)));
    phases.iter().any(ends).then(|| {
        let (profile, table) = (&in_force.profile, &in_force.table.distributions);
        let universe = universe::universe(profile, Some(table), in_force.start());
        CoverageModel::new(profile, universe.bins(), |key| universe.time_bin_count(key), false)
    })
}

/// The runs of a phase in a trial.
struct PhaseRuns<'p> {
    phase: &'p CampaignPhase,
    /// The operations after which it is broken off.
    part: u64,
    /// The operations that started.
    ops: u64,
    /// Simulated time, ps.
    time: u64,
    is_cut: bool,
}

impl PhaseRuns<'_> {
    /// Makes the runs, and returns the summary of the last one; `None` if the trial cannot go on.
    fn carry_out(&mut self, site: &mut Site<'_>, sink: &mut impl Sink) -> Option<RunSummary> {
        let (phase, longest) = (self.phase, Ticks::from_us(LONGEST_US).0);
        let mut last = None;
        for run in 0..phase.runs {
            if self.ops >= self.part || self.time >= longest || run >= MOST_RUNS {
                self.is_cut = true;
                break;
            }
            let time = phase.run_until.0.min(longest - self.time);
            let left = self.part - self.ops;
            let limits = RunLimits {
                run_until: Ticks(time),
                max_ops: phase.max_ops,
                cut_after: Some(left),
                until: phase.until,
                of_phase: (run, phase.runs),
                ..RunLimits::default()
            };
            let summary = site.run(&limits, sink).ok()?;
            self.ops += summary.ops;
            let took = summary.end.0 - summary.start.0;
            self.time += took;
            let is_at_limit = phase.max_ops.is_some_and(|most| summary.ops >= most);
            let is_short = summary.ops >= left || time < phase.run_until.0 && took >= time;
            self.is_cut |= is_short && !is_at_limit && !site.until_reached();
            last = Some(summary);
        }
        last
    }

    /// The phase as the trial had it.
    fn ended(&self, from: u64, site: &Site<'_>) -> TrialPhase {
        let Self { phase, ops, is_cut, .. } = *self;
        let end = match phase.until {
            _ if !is_cut || site.until_reached() => PhaseEnd::Whole,
            Some(_) => PhaseEnd::CutBeforeUntil,
            None => PhaseEnd::Cut,
        };
        TrialPhase {
            name: phase.name.clone(),
            from,
            ops,
            of: if end == PhaseEnd::Cut { self.length() } else { ops },
            end,
            shares: site.shares(),
            limits: site.limits(),
            scenarios: site.scenarios(),
        }
    }

    /// The operations that a phase which was broken off should have, by its operations and its time.
    fn length(&self) -> u64 {
        let phase = self.phase;
        let by_ops = phase.max_ops.map(|most| most.saturating_mul(phase.runs));
        let by_time = phase.time_limit().map(|time| {
            let whole = u128::from(time.0) * u128::from(phase.runs);
            u64::try_from(u128::from(self.ops) * whole / u128::from(self.time.max(1))).unwrap_or(u64::MAX)
        });
        by_ops.into_iter().chain(by_time).min().unwrap_or(self.ops).max(self.ops)
    }
}
