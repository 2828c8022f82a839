//! A short trial of a campaign on some of its sites, for `--dry-run`: with the same seeds and flags, but without files.
//!
//! Nothing is written, made or locked. The operations are the first ones that the campaign would write on the first site and on
//! others spread over the rest; only their number is limited. With `--resume` the trial reads the existing runs as the execution
//! would.

use std::time::{Duration, Instant};

use nandseq_generate::{CanCover, RunLimits, Site};
use nandseq_output::format::TableFormat;
use nandseq_output::run_files::RunFiles;
use nandseq_trace::files::FileKind;
use rayon::prelude::*;

use super::check::{check_places, place_to_begin, setups_and_format};
use super::others::Others;
use super::proposer_log::{Log, Logged};
use super::resume;
use super::setups::Setups;
use super::site::{add_snapshot, failed, is_covered, site_in};
use super::totals::Totals;
use crate::absent::Absences;
use crate::arguments::ProposerLog;
use crate::campaign::{Campaign, CampaignSite, Closure};
use crate::failure::{Failure, Problem};
use crate::thread_pool::threads;

/// Operations after which the trial of the first site ends. Its last run is cut there.
const MOST_OPS: u64 = 20_000;
/// The same for the other sites, which only show how much sites differ.
const MOST_OPS_OF_OTHERS: u64 = 5_000;
/// The trial ends after as many operations as this number of such sites has.
const LONG_OTHERS: usize = 3;
/// Greatest number of sites of a trial, if the sites are short.
const MOST_SITES: usize = 16;
/// Greatest number of runs of a site in a trial.
const MOST_RUNS: u64 = 500;

/// The result of a trial.
#[derive(Default)]
pub(crate) struct CampaignTrial {
    /// Number of existing runs of each site, in order of the sites.
    pub(crate) runs_there: Vec<u64>,
    /// Number of existing runs that lack files and would be made again.
    pub(crate) runs_again: u64,
    /// Remarks about existing runs and files.
    pub(crate) remarks: Vec<String>,
    /// Files of other campaigns where this campaign would write.
    pub(crate) others: Others,
    /// Names of the files of the first run that would be made, below the folder of its site.
    pub(crate) files: Vec<String>,
    /// The runs that were tried; `None` if no run is left.
    pub(crate) tried: Option<Tried>,
}

/// The runs of a trial.
pub(crate) struct Tried {
    /// The tried sites, as indices into those of the campaign, in order.
    pub(crate) sites: Vec<usize>,
    pub(crate) totals: Totals,
    /// Simulated time of all these runs, ps. Each site has a clock of 64 bits, and together they take longer.
    pub(crate) simulated: u128,
    /// Whether a run was cut short by the trial's own limit.
    pub(crate) is_cut: bool,
    /// Average number of operations of a run, for each tried site. A run that was cut counts with what its time or its limit
    /// would give; a run that was not tried counts as much as the average of the later half of the tried ones.
    pub(crate) of_sites: Vec<f64>,
    /// Operations of the first site that covered enough. Sites after it may end there too.
    enough: Option<f64>,
    /// Operations of each run in the later half of the first site's runs.
    pub(crate) of_runs: Vec<f64>,
    /// Whether the trial made all runs that are left of these sites, none of them cut.
    pub(crate) is_whole: bool,
    /// Sizes of all these runs.
    pub(crate) all: Sizes,
    /// Sizes of the runs of the first site, which is tried for longer.
    pub(crate) first: Sizes,
    /// Time that the runs took, without the preparation of the sites.
    pub(crate) elapsed: Duration,
}

/// The number of some runs, their operations and their bytes.
#[derive(Clone, Copy, Default)]
pub(crate) struct Sizes {
    pub(crate) runs: u64,
    pub(crate) ops: u64,
    /// Bytes that grow with the operations.
    pub(crate) bytes: u64,
    /// Bytes that each run has: of its snapshot, of a log that counts, of a run without operations all.
    pub(crate) bytes_of_runs: u64,
}

/// Tries a campaign.
pub(crate) fn trial(campaign: &Campaign) -> Result<CampaignTrial, Failure> {
    let (setups, format) = setups_and_format(campaign)?;
    let mut remarks: Vec<String> = check_places(campaign)?.into_iter().collect();
    let (mut runs_there, mut runs_again) = (Vec::new(), 0);
    let start = |site: &CampaignSite| place_to_begin(campaign, site, &setups);
    let starts =
        threads(campaign.jobs)?.install(|| campaign.sites.par_iter().map(start).collect::<Result<Vec<_>, _>>())?;
    for start in starts {
        let again = start.again.iter().flat_map(|again| &again.runs);
        runs_again += again.filter(|(run_index, _)| *run_index < start.next_run).count() as u64;
        runs_there.push(start.next_run);
        remarks.extend(start.remarks);
    }
    let others = Others::find(campaign);
    let others = others.map_err(|reason| Problem::unreadable("the folder", &campaign.out_dir, &reason))?;
    let left: Vec<usize> = (0..runs_there.len()).filter(|&site| runs_there[site] < campaign.num_runs).collect();
    let first = left.first().copied();
    let run = first.map_or(1, |site| runs_there[site] + 1);
    let files = campaign.outputs.iter().map(|kind| format.form().file_name(kind, campaign.stamp, run)).collect();
    let tried = if left.is_empty() { None } else { Some(try_sites(campaign, &left, &setups, &*format)?) };
    Ok(CampaignTrial { runs_there, runs_again, remarks, others, files, tried })
}

/// At most [`MOST_SITES`] of these sites, in an order in which the first few are spread over all of them.
fn spread(left: &[usize]) -> Vec<usize> {
    let count = left.len().min(MOST_SITES);
    let divides = |by: usize| (2..=by).any(|factor| by.is_multiple_of(factor) && count.is_multiple_of(factor));
    let step = (count.div_ceil(LONG_OTHERS).max(1)..).find(|&step| !divides(step)).unwrap_or(1);
    let place = |at: usize| (at * step % count) * (left.len() - 1) / (count - 1).max(1);
    (0..count).map(|at| left[place(at)]).collect()
}

fn try_sites(campaign: &Campaign, left: &[usize], setups: &Setups, format: &dyn TableFormat) -> Result<Tried, Failure> {
    let mut tried = Tried {
        sites: Vec::new(),
        totals: Totals::new(campaign),
        simulated: 0,
        is_cut: false,
        of_sites: Vec::new(),
        enough: None,
        of_runs: Vec::new(),
        is_whole: true,
        all: Sizes::default(),
        first: Sizes::default(),
        elapsed: Duration::ZERO,
    };
    let absences = Absences::new(campaign);
    for site in spread(left) {
        let most = if tried.sites.is_empty() { MOST_OPS } else { MOST_OPS_OF_OTHERS };
        if tried.totals.ops.saturating_sub(tried.first.ops) >= MOST_OPS_OF_OTHERS * LONG_OTHERS as u64 {
            break;
        }
        tried.site(&absences, site, (setups, format), most)?;
    }
    tried.sites.sort_unstable();
    Ok(tried)
}

impl Tried {
    /// Average number of operations of a run.
    pub(crate) fn of_a_run(&self) -> f64 {
        self.of_sites.iter().sum::<f64>() / self.of_sites.len().max(1) as f64
    }

    /// Whether a tried site has covered enough.
    pub(crate) const fn has_covered(&self) -> bool {
        self.enough.is_some()
    }

    /// Tries a site, with at most `most` operations.
    fn site(
        &mut self,
        absences: &Absences<'_>,
        at: usize,
        (setups, format): (&Setups, &dyn TableFormat),
        most: u64,
    ) -> Result<(), Failure> {
        let campaign = absences.campaign;
        let campaign_site = &campaign.sites[at];
        let start = resume::find(campaign, campaign_site, campaign.head(campaign_site), setups)?;
        let mut site = site_in(setups, campaign_site, start.state.as_ref())?;
        // What is dead is noted of each site by itself.
        let all = std::mem::replace(&mut self.totals, Totals::new(campaign));
        let (began, mut runs, simulated) = (Instant::now(), Vec::new(), self.simulated);
        let mut run_index = start.next_run;
        while run_index < campaign.num_runs && !is_covered(campaign, &site) {
            if self.totals.ops >= most || runs.len() as u64 == MOST_RUNS {
                self.is_whole = false;
                break;
            }
            let left = most - self.totals.ops;
            setups.enter(&mut site, run_index);
            runs.push(self.run(absences, campaign_site, &mut site, (format, left), run_index)?);
            run_index += 1;
        }
        self.elapsed += began.elapsed();
        self.totals.note_coverage(campaign_site, &site, absences);
        let of_site = std::mem::replace(&mut self.totals, all);
        // Operations for each tick.
        let rate = of_site.ops as f64 / (self.simulated - simulated).max(1) as f64;
        self.totals.add(of_site);
        let later = &runs[runs.len() / 2..];
        let rest = match is_covered(campaign, &site) {
            true => 0.0,
            false if campaign.phases.are_named() => expected(campaign, (&runs, rate), start.next_run),
            false => (campaign.num_runs - run_index) as f64 * mean(later),
        };
        let of_site = runs.iter().sum::<f64>() + rest;
        let of_site = match is_covered(campaign, &site) {
            true => {
                self.enough.get_or_insert(of_site);
                of_site
            }
            false => self.enough.map_or(of_site, |enough| of_site.min(enough)),
        };
        self.of_sites.push(of_site / (campaign.num_runs - start.next_run).max(1) as f64);
        if self.sites.is_empty() {
            self.of_runs = later.to_vec();
            self.first = self.all;
        }
        self.sites.push(at);
        Ok(())
    }

    /// Makes one run without files. Returns the operations that it would have if it were not cut.
    fn run(
        &mut self,
        absences: &Absences<'_>,
        campaign_site: &CampaignSite,
        site: &mut Site<'_>,
        (format, left): (&dyn TableFormat, u64),
        run_index: u64,
    ) -> Result<f64, Failure> {
        let campaign = absences.campaign;
        let spare = std::env::temp_dir();
        let unwritten = |reason| Failure::cannot_write(&spare, reason);
        let (phase, at) = (campaign.phases.limits(run_index), campaign.phases.of_run(run_index));
        let most = phase.max_ops.map_or(left, |most| most.min(left));
        let until_covered = campaign.closure.as_ref().and_then(Closure::until);
        let can_cover = |site: &Site<'_>| absences.trap_before_until(site, at).is_none();
        let limits = RunLimits {
            run_until: campaign.run_until_from(run_index, site.clock()),
            max_ops: phase.max_ops,
            // What is spread over the phase is spread over the whole of it, as in the campaign.
            cut_after: Some(left),
            bootstrap: campaign.bootstrap,
            until_covered,
            until: phase.until,
            can_cover: absences.has_until(at).then_some(&can_cover as CanCover<'_>),
            of_phase: campaign.phases.place_of(run_index),
            stop: None,
            on_dead: None,
        };
        let mut inner =
            RunFiles::counting(&spare, format, campaign.outputs, campaign.stamp, run_index + 1).map_err(unwritten)?;
        let log = Log::create(&mut inner, campaign.proposer_log, &campaign.profile).map_err(unwritten)?;
        let mut sink = Logged { log, inner };
        let summary = site.run(&limits, &mut sink).map_err(|error| failed(error, campaign, unwritten))?;
        let Logged { log, inner: mut files } = sink;
        let mut bytes_of_run = 0;
        if let Some(log) = log {
            let log = log.finish(&summary, (absences, at)).map_err(unwritten)?;
            bytes_of_run += if campaign.proposer_log == ProposerLog::Summary { log.file.bytes() } else { 0 };
            files.add_written(FileKind::ProposerLog, log);
        }
        bytes_of_run += add_snapshot(campaign, campaign_site, site, &mut files).map_err(unwritten)?;
        let finished = files.finish().map_err(unwritten)?;
        let bytes_of_run = if summary.ops == 0 { finished.bytes } else { bytes_of_run };
        let length = summary.end - summary.start;
        self.simulated += u128::from(length.0);
        let is_cut = summary.ops >= most && phase.max_ops.is_none_or(|wanted| wanted > most);
        self.is_cut |= is_cut;
        self.is_whole &= !is_cut;
        let mut ops = summary.ops as f64;
        if is_cut {
            ops *= phase.run_until.0 as f64 / length.0.max(1) as f64;
            ops = phase.max_ops.map_or(ops, |most| ops.min(most as f64));
        } else {
            self.totals.note_operations(campaign, run_index, summary.ops);
        }
        self.all.runs += 1;
        self.all.ops += summary.ops;
        self.all.bytes += finished.bytes - bytes_of_run;
        self.all.bytes_of_runs += bytes_of_run;
        self.totals.runs += 1;
        self.totals.note_run(campaign, run_index, (summary.ops, is_cut), site);
        self.totals.note_dead((campaign_site, phase), (run_index + 1, summary.ops), summary.dead.clone());
        self.totals.add_run(summary, finished.files.len() as u64, finished.bytes);
        Ok(ops)
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// The operations of the runs that were not tried, from those that were tried, the first of which is `first`: a run of a phase that was
/// tried counts as much as the later half of its runs, another as much as its limits allow at `rate` operations for each tick.
fn expected(campaign: &Campaign, (runs, rate): (&[f64], f64), first: u64) -> f64 {
    let phases = campaign.phases.all();
    let next = first + runs.len() as u64;
    let tried = |phase: usize| -> Vec<f64> {
        let of_phase = (first..).zip(runs).filter(|(run, _)| campaign.phases.of_run(*run) == phase);
        of_phase.map(|(_, ops)| *ops).collect()
    };
    let (mut sum, mut end) = (0.0, 0u64);
    for (at, phase) in phases.iter().enumerate() {
        let begin = end.max(next);
        end += phase.runs;
        let not_tried = end.min(campaign.num_runs).saturating_sub(begin);
        let of_phase = tried(at);
        let by_limits = phase.max_ops.map_or(f64::INFINITY, |most| most as f64).min(rate * phase.run_until.0 as f64);
        let each = if of_phase.is_empty() { by_limits } else { mean(&of_phase[of_phase.len() / 2..]) };
        sum += not_tried as f64 * each;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_sites_of_a_trial_are_spread_over_all() {
        for count in 1..100 {
            let left: Vec<usize> = (0..count).map(|site| 3 * site + 1).collect();
            let mut sites = spread(&left);
            assert_eq!((sites[0], sites.len()), (1, count.min(MOST_SITES)), "{count}");
            let widest = sites.iter().take(LONG_OTHERS + 1).max().copied().unwrap_or_default();
            assert!(2 * widest >= left[count - 1], "{count}: {sites:?}");
            sites.sort_unstable();
            sites.dedup();
            assert!(sites.len() == count.min(MOST_SITES) && sites.iter().all(|site| left.contains(site)), "{sites:?}");
        }
    }
}
