//! A short trial of a plan on one of its sites, for `--dry-run`: the same seeds and flags, but nothing on disk.
//!
//! Promises that nothing is written, made or locked, and that the operations are the first ones that the plan would write; just their
//! number is limited. Reads what is there with `--resume`, as going on would.

use std::time::{Duration, Instant};

use nandseq_generate::closure::Reached;
use nandseq_generate::{RunLimits, Setup, Site, Snapshot};
use nandseq_profile::Ticks;
use nandseq_trace::files::FileKind;
use nandseq_trace::format::TableFormat;
use nandseq_trace::run_files::RunFiles;
use rayon::prelude::*;

use super::proposer_log::{Log, Logged};
use super::site::{failed, head};
use super::{Totals, resume, setup_and_format};
use crate::absent::Absences;
use crate::failure::{Failure, Problem};
use crate::plan::{Closure, Plan, SitePlan};

/// Operations after which a trial ends; its last run is cut there.
const MOST_OPS: u64 = 20_000;
/// Runs of a trial at most.
const MOST_RUNS: u64 = 100;

/// What a trial has shown.
pub(crate) struct Trial {
    /// Runs of each site that are there already, in order of the sites.
    pub(crate) runs_there: Vec<u64>,
    /// What is worth saying of them.
    pub(crate) remarks: Vec<String>,
    /// Names of the files of the first run that would be made, below the folder of its site.
    pub(crate) files: Vec<String>,
    /// What was tried; `None` where no run is left.
    pub(crate) tried: Option<Tried>,
}

/// What one site did in a trial.
pub(crate) struct Tried {
    /// Which of the plan's sites.
    pub(crate) site: usize,
    pub(crate) totals: Totals,
    /// How long its runs were.
    pub(crate) simulated: Ticks,
    /// Whether its last run was cut short by the trial's own limit.
    pub(crate) is_cut: bool,
    /// Bytes of snapshots, which do not grow with the runs; part of the bytes of `totals`.
    pub(crate) snapshot_bytes: u64,
    /// Without the time to prepare the site.
    pub(crate) elapsed: Duration,
}

/// Tries a plan.
pub(crate) fn trial(plan: &Plan) -> Result<Trial, Failure> {
    let (setup, format) = setup_and_format(plan)?;
    let (mut runs_there, mut remarks) = (vec![0; plan.sites.len()], Vec::new());
    if plan.resume.is_some() {
        let start = |site: &SitePlan| resume::find(plan, site, head(plan, site), &setup);
        let starts = super::threads(plan.jobs)?.install(|| {
            plan.sites
                .par_iter()
                .map(|site| start(site).map(|start| (start.next_run, start.remarks)))
                .collect::<Result<Vec<_>, _>>()
        })?;
        for (there, (next_run, said)) in runs_there.iter_mut().zip(starts) {
            *there = next_run;
            remarks.extend(said);
        }
    }
    let first = runs_there.iter().position(|&there| there < plan.num_runs);
    let run = first.map_or(1, |site| runs_there[site] + 1);
    let files = plan.outputs.iter().map(|kind| format.file_name(kind, plan.stamp, run)).collect();
    let tried = first.map(|site| try_site(plan, site, &setup, &*format)).transpose()?;
    Ok(Trial { runs_there, remarks, files, tried })
}

fn try_site(plan: &Plan, at: usize, setup: &Setup, format: &dyn TableFormat) -> Result<Tried, Failure> {
    let site_plan = &plan.sites[at];
    let start = resume::find(plan, site_plan, head(plan, site_plan), setup)?;
    let mut site = match &start.state {
        None => Site::new(setup, site_plan.seeds),
        Some(state) => Site::from_state(setup, site_plan.seeds, state)
            .map_err(|error| Problem::new(format!("a snapshot changed while it was read: {error}")))?,
    };
    let until = plan.closure.as_ref().and_then(Closure::until);
    let mut tried = Tried {
        site: at,
        totals: Totals { by_op: vec![0; plan.profile.ops.len()], ..Totals::default() },
        simulated: Ticks::ZERO,
        is_cut: false,
        snapshot_bytes: 0,
        elapsed: Duration::ZERO,
    };
    let covered = |site: &Site<'_>| {
        site.reached().is_some_and(|reached: Reached| until.is_some_and(|least| reached.hit >= least))
    };
    let began = Instant::now();
    for run_index in start.next_run..plan.num_runs.min(start.next_run + MOST_RUNS) {
        if tried.totals.ops >= MOST_OPS || covered(&site) {
            break;
        }
        tried.run(plan, site_plan, &mut site, format, run_index)?;
    }
    tried.elapsed = began.elapsed();
    tried.totals.reached.extend(site.reached());
    Ok(tried)
}

impl Tried {
    /// One run, counted.
    fn run(
        &mut self,
        plan: &Plan,
        site_plan: &SitePlan,
        site: &mut Site<'_>,
        format: &dyn TableFormat,
        run_index: u64,
    ) -> Result<(), Failure> {
        let spare = std::env::temp_dir();
        let unwritten = |reason| Failure::cannot_write(&spare, reason);
        let left = MOST_OPS - self.totals.ops;
        let most = plan.max_ops.map_or(left, |most| most.min(left));
        let limits = RunLimits {
            run_until: plan.run_until,
            max_ops: Some(most),
            bootstrap: plan.bootstrap,
            until_covered: plan.closure.as_ref().and_then(Closure::until),
            stop: None,
            on_dead: None,
        };
        let mut inner =
            RunFiles::counting(&spare, format, plan.outputs, plan.stamp, run_index + 1).map_err(unwritten)?;
        let log = Log::create(&mut inner, plan.proposer_log, &plan.profile).map_err(unwritten)?;
        let mut sink = Logged { log, inner };
        let summary = site.run(&limits, &mut sink).map_err(|error| failed(error, plan, unwritten))?;
        let Logged { log, inner: mut files } = sink;
        let absences = Absences::new(plan);
        if let Some(log) = log {
            files.add_written(
                FileKind::ProposerLog,
                log.finish(&summary, &|started| absences.of(started)).map_err(unwritten)?,
            );
        }
        if plan.outputs.contains(FileKind::Snapshot) {
            let snapshot = Snapshot { identity: plan.identity(site_plan), state: site.state() }.to_bytes();
            self.snapshot_bytes += snapshot.len() as u64;
            files.add(FileKind::Snapshot, &snapshot, 1).map_err(unwritten)?;
        }
        let finished = files.finish().map_err(unwritten)?;
        self.simulated = Ticks(self.simulated.0 + (summary.end - summary.start).0);
        self.is_cut = summary.ops >= most && plan.max_ops.is_none_or(|wanted| wanted > most);
        self.totals.runs += 1;
        self.totals.note_dead(site_plan, (run_index + 1, summary.ops), summary.dead.clone());
        self.totals.add_run(summary, finished.files.len() as u64, finished.bytes);
        Ok(())
    }
}
