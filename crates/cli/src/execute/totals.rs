//! Sums over the sites of a campaign.

use std::collections::BTreeMap;
use std::sync::Arc;

use nandseq_generate::closure::Reached;
use nandseq_generate::dead::{DeadDie, LastingState};
use nandseq_generate::{LimitReached, Rejections, RunSummary, ShareReached, ShareShortfall, Site};
use nandseq_profile::model::DeviceState;

use super::scenario_totals::ScenarioTotals;
use crate::absent::{Absences, last_phase};
use crate::campaign::{Campaign, CampaignPhase, CampaignSite, Closure};
use crate::can_start::TrappedDies;
use crate::dead_dies::DeadSite;
use nandseq_trace::manifest::PackRecord;

/// Sums over some sites, or over the part of a site that is made.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    /// Operations started.
    pub(crate) ops: u64,
    /// Operations started, by [`nandseq_profile::OpId`].
    pub(crate) by_op: Vec<u64>,
    /// Of these, the operations of bootstraps.
    pub(crate) bootstrap_ops: u64,
    /// Refused proposals.
    pub(crate) rejections: Rejections,
    /// Runs made.
    pub(crate) runs: u64,
    /// Files of runs.
    pub(crate) files: u64,
    /// Bytes of these files.
    pub(crate) bytes: u64,
    /// Files of other campaigns in the same folders.
    pub(crate) other_files: u64,
    /// The coverage that each site reached, if coverage is counted; in no order.
    pub(crate) reached: Vec<Reached>,
    /// The sites that a trap keeps from the coverage at which they end, by number; `None` for a single device. In no order.
    pub(crate) trapped: Vec<(Option<u64>, Arc<TrappedDies>)>,
    /// Sites with dead dies, in no order.
    pub(crate) dead: Vec<DeadSite>,
    /// The sites that made runs.
    pub(crate) made_sites: usize,
    /// The lasting states that each die is in after the last run of its site, each list once.
    pub(crate) at_end: Vec<Vec<DeviceState>>,
    /// The number of sites whose dies these are.
    pub(crate) ended_sites: usize,
    /// Existing runs of the campaign, made now or earlier.
    pub(crate) known_runs: u64,
    /// Operations of all existing runs.
    pub(crate) known_ops: u64,
    /// The runs by phase.
    pub(crate) by_phase: Vec<PhaseTotals>,
}

/// Sums over the runs of a phase.
#[derive(Clone, Default, Debug)]
pub(crate) struct PhaseTotals {
    /// Existing runs, made now or earlier.
    pub(crate) known_runs: u64,
    /// Of these, the runs with fewer operations than was asked for.
    pub(crate) short_runs: u64,
    /// Runs made, and their operations.
    pub(crate) runs: u64,
    pub(crate) ops: u64,
    /// Sites whose last run of the phase did not reach the phase's `until`.
    pub(crate) missed: u64,
    /// A trap that keeps one of them from it.
    pub(crate) trap: Option<Arc<TrappedDies>>,
    /// The shares of the phase's mix at the sites that have ended it; empty if none has.
    pub(crate) shares: Vec<ShareTotals>,
    /// The limits in force in the phase at these sites.
    pub(crate) limits: Vec<LimitTotals>,
    /// The scenarios of the phase at the sites that have ended it; empty if none has.
    pub(crate) scenarios: Vec<ScenarioTotals>,
}

/// A limit of addresses at some sites: the greatest count of all, and the sum of what has reached the limit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LimitTotals {
    pub(crate) sites: u64,
    pub(crate) limit: LimitReached,
}

/// Adds the limits of other sites.
fn add_limits(all: &mut Vec<LimitTotals>, others: Vec<LimitTotals>) {
    if all.is_empty() {
        *all = others;
        return;
    }
    for (total, other) in all.iter_mut().zip(others) {
        total.sites += other.sites;
        total.limit.greatest = total.limit.greatest.max(other.limit.greatest);
        total.limit.reached += other.limit.reached;
    }
}

/// A share of a mix at some sites.
#[derive(Clone, Default, Debug)]
pub(crate) struct ShareTotals {
    /// How many sites.
    pub(crate) sites: u64,
    /// The sum of the shares that they reached, in millionths.
    reached: u64,
    /// How many sites missed the share, by the reason.
    pub(crate) missed: BTreeMap<ShareShortfall, u64>,
}

impl ShareTotals {
    /// The average of the shares that the sites reached, in millionths.
    pub(crate) fn average(&self) -> u64 {
        self.reached / self.sites.max(1)
    }

    /// The reason of the most sites that missed the share, and how many sites missed it; `None` if none did.
    pub(crate) fn reason(&self) -> Option<(&ShareShortfall, u64)> {
        let (reason, _) = self.missed.iter().rev().max_by_key(|&(_, sites)| sites)?;
        Some((reason, self.missed.values().sum()))
    }
}

impl From<ShareReached> for ShareTotals {
    fn from(share: ShareReached) -> Self {
        let missed = share.reason.map(|reason| (reason, 1)).into_iter().collect();
        Self { sites: 1, reached: share.reached.into(), missed }
    }
}

/// Adds the shares of other sites.
fn add_shares(all: &mut Vec<ShareTotals>, others: Vec<ShareTotals>) {
    all.resize_with(all.len().max(others.len()), ShareTotals::default);
    for (share, other) in all.iter_mut().zip(others) {
        share.sites += other.sites;
        share.reached += other.reached;
        for (reason, sites) in other.missed {
            *share.missed.entry(reason).or_default() += sites;
        }
    }
}

impl Totals {
    /// No runs of a campaign.
    pub(crate) fn new(campaign: &Campaign) -> Self {
        let by_phase = vec![PhaseTotals::default(); campaign.phases.all().len()];
        Self { by_op: vec![0; campaign.profile.ops.len()], by_phase, ..Self::default() }
    }

    /// Adds the operations, refusals, files and bytes of a run of a site. These sums must be of this site alone. The number of runs is
    /// counted apart.
    pub(super) fn add_run(&mut self, run: RunSummary, files: u64, bytes: u64) {
        let RunSummary { ops, bootstrap_ops, by_op, rejections, at_end, .. } = run;
        self.add(Self { ops, bootstrap_ops, by_op, rejections, files, bytes, ..Self::default() });
        // Until a site is added to others, its last run counts.
        self.at_end = at_end.iter().map(LastingState::device_states).collect();
        (self.made_sites, self.ended_sites) = (1, 1);
    }

    /// Adds the files of a pack.
    pub(super) fn add_pack(&mut self, files: &[PackRecord]) {
        self.files += files.len() as u64;
        self.bytes += files.iter().map(|file| file.bytes).sum::<u64>();
    }

    /// Adds the sums of another part of the work.
    pub(super) fn add(&mut self, other: Self) {
        for (total, count) in self.by_op.iter_mut().zip(&other.by_op) {
            *total += count;
        }
        for (total, other) in self.by_phase.iter_mut().zip(other.by_phase) {
            total.known_runs += other.known_runs;
            total.short_runs += other.short_runs;
            total.runs += other.runs;
            total.ops += other.ops;
            total.missed += other.missed;
            total.trap = total.trap.take().or(other.trap);
            add_shares(&mut total.shares, other.shares);
            add_limits(&mut total.limits, other.limits);
            ScenarioTotals::add_all(&mut total.scenarios, other.scenarios);
        }
        for (what, count) in other.rejections {
            *self.rejections.entry(what).or_default() += count;
        }
        self.ops += other.ops;
        self.runs += other.runs;
        self.files += other.files;
        self.bytes += other.bytes;
        self.other_files += other.other_files;
        self.reached.extend(other.reached);
        self.trapped.extend(other.trapped);
        self.dead.extend(other.dead);
        for states in other.at_end {
            if !self.at_end.contains(&states) {
                self.at_end.push(states);
            }
        }
        self.made_sites += other.made_sites;
        self.ended_sites += other.ended_sites;
        self.bootstrap_ops += other.bootstrap_ops;
        self.known_runs += other.known_runs;
        self.known_ops = self.known_ops.saturating_add(other.known_ops);
    }

    /// Notes what a site has covered, and whether a trap keeps it from the coverage at which it ends.
    pub(super) fn note_coverage(&mut self, campaign_site: &CampaignSite, site: &Site<'_>, absences: &Absences<'_>) {
        self.reached.extend(site.reached());
        if absences.campaign.closure.as_ref().and_then(Closure::until).is_some() {
            let trap = absences.trap_before_until(site, last_phase(absences.campaign));
            self.trapped.extend(trap.map(|trap| (campaign_site.site, trap)));
        }
    }

    /// Notes the trap that keeps a site from the coverage at which a phase ends.
    pub(super) fn note_trap(&mut self, site: &Site<'_>, phase: usize, absences: &Absences<'_>) {
        if absences.campaign.phases.are_named() && !site.until_reached() {
            let trap = absences.trap_before_until(site, phase);
            self.by_phase[phase].trap = trap.or_else(|| self.by_phase[phase].trap.take());
        }
    }

    /// Notes the operations of an existing run.
    pub(super) fn note_operations(&mut self, campaign: &Campaign, run_index: u64, ops: u64) {
        self.known_runs += 1;
        let phase = campaign.phases.of_run(run_index);
        let is_short = campaign.phases.all()[phase].wanted_ops.is_some_and(|wanted| ops < wanted);
        self.by_phase[phase].known_runs += 1;
        self.by_phase[phase].short_runs += u64::from(is_short);
        // Manifests may say anything.
        self.known_ops = self.known_ops.saturating_add(ops);
    }

    /// Notes a run that was made in its phase, with its operations. `is_cut`: it is shorter than the phase wants.
    pub(super) fn note_run(
        &mut self,
        campaign: &Campaign,
        run_index: u64,
        (ops, is_cut): (u64, bool),
        site: &Site<'_>,
    ) {
        let ends = campaign.phases.ends_with(run_index) && !is_cut;
        let totals = &mut self.by_phase[campaign.phases.of_run(run_index)];
        totals.runs += 1;
        totals.ops += ops;
        if ends {
            let has_until = campaign.phases.limits(run_index).until.is_some();
            totals.missed += u64::from(has_until && !site.until_reached());
            add_shares(&mut totals.shares, site.shares().into_iter().map(ShareTotals::from).collect());
            let limits = site.limits().into_iter().map(|limit| LimitTotals { sites: 1, limit });
            add_limits(&mut totals.limits, limits.collect());
            let scenarios = site.scenarios().into_iter().map(ScenarioTotals::from).collect();
            ScenarioTotals::add_all(&mut totals.scenarios, scenarios);
        }
    }

    /// Notes the dead dies of a site after a run of a phase, which has `ops` operations. These sums must be of this site alone.
    pub(super) fn note_dead(
        &mut self,
        (site, phase): (&CampaignSite, &CampaignPhase),
        (run, ops): (u64, u64),
        dies: Vec<DeadDie>,
    ) {
        let known = self.dead.iter().find(|dead| dead.phase == phase.name).map_or(0, |dead| dead.dies.len());
        // Fewer dies may be dead after a later run: a die on which names were only tried in vain may live again. In another phase
        // other names have weight, so that what was dead before it is another matter.
        if dies.len() > known || (dies.len() < known && ops > 0) {
            self.dead.retain(|dead| dead.phase != phase.name);
            if !dies.is_empty() {
                self.dead.push(DeadSite { site: site.site, phase: phase.name.clone(), run, ops, dies });
            }
        }
    }
}
