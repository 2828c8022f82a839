//! One site: its runs, one after another, and their files.

use nandseq_trace::recorded::shown;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use nandseq_generate::dead::DeadDie;
use nandseq_generate::{RunError, RunLimits, RunSummary, Setup, Site, SiteState, Snapshot};
use nandseq_output::format::TableFormat;
use nandseq_output::run_files::{Complete, RunFiles};
use nandseq_output::threaded_sink::ThreadedSink;
use nandseq_trace::files::{FileKind, Outputs, Stamp};
use nandseq_trace::manifest::{self, RunRecord, SiteRecord};
use nandseq_trace::run_name::RunName;

use super::claim::Claims;
use super::difference::is_same_campaign;
use super::proposer_log::{Log, Logged};
use super::totals::Totals;
use super::{leftovers, resume};
use crate::absent::WhyAbsent;
use crate::dead_dies;
use crate::failure::{Failure, Problem};
use crate::ledger::{self, FinishedSite, Ledger};
use crate::plan::{Closure, Plan, SitePlan};
use crate::progress::{Progress, Watched};
use crate::site_files;

/// How one site ended.
pub(super) struct SiteOutcome {
    pub(super) record: Option<SiteRecord>,
    pub(super) end: Result<(), Failure>,
}

/// Looks at a run as soon as its files are complete, in its site's folder.
pub(crate) type OnRun<'w> = &'w (dyn Fn(&SitePlan, &Path, &RunRecord) -> Result<(), Failure> + Sync);

/// What every site needs.
pub(super) struct Work<'p> {
    pub(super) plan: &'p Plan,
    pub(super) setup: &'p Setup,
    pub(super) format: &'p dyn TableFormat,
    pub(super) progress: &'p Progress,
    pub(super) stop: &'p AtomicBool,
    pub(super) on_run: Option<OnRun<'p>>,
    pub(super) syncs_slowly: bool,
    /// Whether the tables of a run are made in a thread beside it: where there are more threads than sites. Whether they are makes
    /// no difference to any file.
    pub(super) tables_threaded: bool,
    pub(super) claims: Claims,
    pub(super) why_absent: WhyAbsent<'p>,
    /// What finished sites did.
    pub(super) totals: Mutex<Totals>,
}

/// Takes away what killed executions left in a site's folder, and, if its runs are to be made anew, what says that they are there.
pub(crate) fn clean(folder: &Path, anew: bool) -> io::Result<()> {
    let lists = [manifest::FILE_NAME, ledger::FILE_NAME];
    leftovers::sweep(folder, |name| lists.contains(&name) || RunName::parse(name).is_some())?;
    for entry in folder.read_dir()? {
        let entry = entry?;
        let below = entry.file_name();
        if let Some(below) = below.to_str().filter(|name| RunName::is_folder(name))
            && entry.file_type()?.is_dir()
        {
            leftovers::sweep(&entry.path(), |name| RunName::parse(&format!("{below}/{name}")).is_some())?;
        }
    }
    if anew {
        ledger::remove(&folder.join(ledger::FILE_NAME))?;
        ledger::remove(&folder.join(manifest::FILE_NAME))?;
    }
    Ok(())
}

impl Work<'_> {
    /// Generates one site.
    pub(super) fn site(&self, plan: &SitePlan) -> SiteOutcome {
        let folder = self.plan.folder_of(plan);
        let mut totals = Totals { by_op: vec![0; self.plan.profile.ops.len()], ..Totals::default() };
        let (finished, end) = match self.claims.during(&folder) {
            Ok(_claim) => match self.begin(plan, &folder, &mut totals) {
                Ok(begun) => self.go_on(plan, &folder, begun, &mut totals),
                Err(failure) => (self.kept(plan, &folder, &mut totals), Err(failure)),
            },
            Err(reason) => (None, Err(Failure::cannot_write(&folder, reason))),
        };
        if matches!(end, Err(Failure::CannotWrite { .. })) {
            self.stop.store(true, Ordering::Relaxed);
        }
        if let (Ok(()), Some(finished)) = (&end, finished) {
            self.progress.site_done(plan, finished.runs, finished.operations);
        }
        let record = finished.and_then(|finished| record(plan, finished));
        // Sums do not depend on the order; a lock can only be poisoned by a panic, which ends the program anyway.
        self.totals.lock().unwrap_or_else(PoisonError::into_inner).add(totals);
        SiteOutcome { record, end }
    }

    /// A site before the first run that is left, the index of that run, and the ledger.
    fn begin(&self, plan: &SitePlan, folder: &Path, totals: &mut Totals) -> Result<(Ledger, Site<'_>, u64), Failure> {
        let mut start = resume::find(self.plan, plan, self.plan.head(plan), self.setup)?;
        if let Some(again) = &start.again {
            self.make_again(plan, folder, again, totals)?;
            start = resume::find(self.plan, plan, self.plan.head(plan), self.setup)?;
        }
        let runs = &start.manifest.runs;
        let is_done = start.state.is_none() && start.next_run > 0;
        let last = if is_done { resume::last_state(self.plan, plan, runs, self.setup) } else { None };
        let mut site = self.site_in(plan, start.state.as_ref().or(last.as_ref()))?;
        if last.is_some() {
            totals.reached.extend(site.reached());
            let (run, ops) = runs.last().map_or((0, 0), |run| (run.run, run.operations));
            totals.note_dead(plan, (run, ops), site.dead_dies());
        }
        if runs.is_empty() && start.next_run > 0 && self.is_covered(&site) {
            let there = shown(self.plan.resume.as_deref().unwrap_or(folder));
            return Err(resume::nothing_left(self.plan, plan, &format!("`{there}`"), start.next_run));
        }
        runs.iter().for_each(|run| totals.note_operations(self.plan, run.operations));
        self.progress.skip(start.next_run);
        let batch = self.plan.batch.as_ref().map(|batch| self.plan.arguments_of_batch(batch));
        let ledger = Ledger::begin(folder, self.plan.stamp, start.manifest, batch)
            .map_err(|reason| Failure::cannot_write(&folder.join(ledger::FILE_NAME), reason))?;
        Ok((ledger, site, start.next_run))
    }

    /// What a site has that could not be begun: the runs of its manifest, which stays. Those that still lack files are not finished.
    fn kept(&self, plan: &SitePlan, folder: &Path, totals: &mut Totals) -> Option<FinishedSite> {
        let (manifest, sha256) = ledger::finished(folder).ok().flatten()?;
        if !is_same_campaign(self.plan, &manifest, &self.plan.head(plan)) {
            return None;
        }
        let lacks_files = resume::lacking_files(folder, &manifest.runs);
        let whole = manifest.runs.iter().filter(|run| !lacks_files.contains(&run.run_index));
        whole.for_each(|run| totals.note_operations(self.plan, run.operations));
        let operations = manifest.runs.iter().fold(0, |sum: u64, run| sum.saturating_add(run.operations));
        let last = resume::last_state(self.plan, plan, &manifest.runs, self.setup);
        let covered = last.and_then(|last| self.site_in(plan, Some(&last)).ok());
        let covered = covered.is_some_and(|site| self.is_covered(&site));
        Some(FinishedSite { sha256, runs: manifest.runs.len() as u64, operations, covered })
    }

    /// Whether a site has covered what it is to cover, so that it has no further runs.
    fn is_covered(&self, site: &Site<'_>) -> bool {
        let until = self.plan.closure.as_ref().and_then(Closure::until);
        until.is_some_and(|least| site.reached().is_some_and(|reached| reached.hit >= least))
    }

    /// The site in a state, or fresh.
    fn site_in(&self, plan: &SitePlan, state: Option<&SiteState>) -> Result<Site<'_>, Failure> {
        let Some(state) = state else { return Ok(Site::new(self.setup, plan.seeds)) };
        // It was looked at before anything began, so this cannot be a user's mistake any more.
        let site = Site::from_state(self.setup, plan.seeds, state)
            .map_err(|error| Problem::new(format!("a snapshot changed while it was read: {error}")))?;
        Ok(site)
    }

    /// Makes runs again that lack files, each from the newest good snapshot before it, or on from the one made before. Runs between are
    /// simulated and not written. The manifest stays: what it lists is what is made, and no file that is there is replaced.
    fn make_again(
        &self,
        plan: &SitePlan,
        folder: &Path,
        missing: &resume::Again,
        totals: &mut Totals,
    ) -> Result<(), Failure> {
        // What is not reached, or dead, is told of all listed runs together.
        let mut made = Totals { by_op: vec![0; self.plan.profile.ops.len()], ..Totals::default() };
        let mut at: Option<(Site<'_>, u64)> = None;
        for &(wanted, gone) in &missing.runs {
            let state = resume::before(self.plan, plan, self.setup, &missing.listed, wanted)?;
            let from = state.as_ref().map_or(0, |state| state.run);
            let (mut site, next) = match at.take() {
                Some((site, next)) if next >= from => (site, next),
                Some(_) | None => (self.site_in(plan, state.as_ref())?, from),
            };
            for run_index in next..=wanted {
                if self.stop.load(Ordering::Relaxed) {
                    return Err(Failure::INTERRUPTED);
                }
                let listed = missing.record(run_index);
                let stamp = listed.and_then(ledger::stamp_of_run).unwrap_or(self.plan.stamp);
                let files = self.files(folder, stamp, run_index + 1, run_index == wanted)?;
                let (record, summary, complete) = self.simulate(plan, (folder, files), &mut site, run_index)?;
                if listed != Some(&record) {
                    let message = format!("run {} in `{}` is not what its manifest lists", record.run, shown(folder));
                    let help = "the manifest was altered: make the campaign again without --resume";
                    return Err(Problem::new(message).help(help).into());
                }
                if run_index == wanted {
                    let placed = complete.place(gone).map_err(|reason| Failure::cannot_write(folder, reason))?;
                    made.add_run(summary, placed.files.len() as u64, placed.bytes);
                    totals.runs += 1;
                }
            }
            at = Some((site, wanted + 1));
        }
        let Totals { ops, by_op, rejections, files, bytes, .. } = made;
        totals.add(Totals { ops, by_op, rejections, files, bytes, ..Totals::default() });
        Ok(())
    }

    /// The runs that are left, and the manifest.
    fn go_on(
        &self,
        plan: &SitePlan,
        folder: &Path,
        begun: (Ledger, Site<'_>, u64),
        totals: &mut Totals,
    ) -> (Option<FinishedSite>, Result<(), Failure>) {
        let (mut ledger, mut site, next_run) = begun;
        let (mut end, mut covered) = (Ok(()), false);
        for run_index in next_run..self.plan.num_runs {
            // A site that has covered enough has no further runs.
            if self.is_covered(&site) {
                covered = true;
                break;
            }
            end = self.next(plan, folder, (&mut ledger, &mut site), run_index, totals);
            if end.is_err() {
                break;
            }
        }
        if next_run < self.plan.num_runs {
            totals.reached.extend(site.reached());
        }
        if covered {
            let after = site_files::after(folder, ledger.runs());
            totals.other_files += after.unwrap_or(0);
        }
        let unwritten = |reason| Failure::cannot_write(&folder.join(manifest::FILE_NAME), reason);
        match (ledger.finish(covered).map_err(unwritten), end) {
            (Ok(finished), end) => (Some(finished), end),
            (Err(_), Err(end)) | (Err(end), Ok(())) => (None, Err(end)),
        }
    }

    /// The next run of a site, into the ledger when it is complete.
    fn next(
        &self,
        plan: &SitePlan,
        folder: &Path,
        (ledger, site): (&mut Ledger, &mut Site<'_>),
        run_index: u64,
        totals: &mut Totals,
    ) -> Result<(), Failure> {
        // The stop flag is looked at by a run only now and then; short runs would otherwise never see it.
        if self.stop.load(Ordering::Relaxed) {
            return Err(Failure::INTERRUPTED);
        }
        let record = self.run(plan, folder, site, run_index, totals)?;
        if let Some(on_run) = self.on_run {
            on_run(plan, folder, &record)?;
        }
        ledger.add(&record).map_err(|reason| Failure::cannot_write(&folder.join(ledger::FILE_NAME), reason))?;
        totals.runs += 1;
        self.progress.run_done(plan, record.run);
        Ok(())
    }

    /// One run and its files.
    fn run(
        &self,
        plan: &SitePlan,
        folder: &Path,
        site: &mut Site<'_>,
        run_index: u64,
        totals: &mut Totals,
    ) -> Result<RunRecord, Failure> {
        let files = self.files(folder, self.plan.stamp, run_index + 1, true)?;
        let (record, summary, complete) = self.simulate(plan, (folder, files), site, run_index)?;
        let placed = complete.place(Outputs::ALL).map_err(|reason| Failure::cannot_write(folder, reason))?;
        totals.note_operations(self.plan, summary.ops);
        totals.note_dead(plan, (record.run, summary.ops), summary.dead.clone());
        totals.add_run(summary, placed.files.len() as u64, placed.bytes);
        Ok(record)
    }

    /// The files of a run, on the disk or just to know what they would be.
    fn files(&self, folder: &Path, stamp: Stamp, run: u64, on_disk: bool) -> Result<RunFiles<'_>, Failure> {
        let start = if on_disk { RunFiles::create } else { RunFiles::counting };
        let files = start(folder, self.format, self.plan.outputs, stamp, run);
        Ok(files.map_err(|reason| Failure::cannot_write(folder, reason))?.syncing(self.syncs_slowly))
    }

    /// One run as far as its files are complete, but for their names.
    fn simulate<'f>(
        &self,
        plan: &SitePlan,
        (folder, mut inner): (&Path, RunFiles<'f>),
        site: &mut Site<'_>,
        run_index: u64,
    ) -> Result<(RunRecord, RunSummary, Complete<'f>), Failure> {
        let unwritten = |reason| Failure::cannot_write(folder, reason);
        let on_dead = |dead: &DeadDie| self.progress.at_once(&dead_dies::in_a_line(plan, dead));
        let limits = RunLimits {
            run_until: self.plan.run_until_from(site.clock()),
            max_ops: self.plan.max_ops,
            bootstrap: self.plan.bootstrap,
            until_covered: self.plan.closure.as_ref().and_then(Closure::until),
            stop: Some(self.stop),
            on_dead: Some(&on_dead),
        };
        let log = Log::create(&mut inner, self.plan.proposer_log, &self.plan.profile).map_err(unwritten)?;
        let (summary, log, mut files) = thread::scope(|scope| {
            let inner = ThreadedSink::new(self.tables_threaded.then_some(scope), inner);
            let mut sink = Watched::new(Logged { log, inner }, self.progress);
            let summary = site.run(&limits, &mut sink).map_err(|error| failed(error, self.plan, unwritten))?;
            let Logged { log, inner } = sink.finish();
            Ok::<_, Failure>((summary, log, inner.finish().map_err(unwritten)?))
        })?;
        if let Some(log) = log {
            files.add_written(FileKind::ProposerLog, log.finish(&summary, self.why_absent).map_err(unwritten)?);
        }
        if self.plan.outputs.contains(FileKind::Snapshot) {
            let snapshot = Snapshot { identity: self.plan.identity(plan), state: site.state() };
            files.add(FileKind::Snapshot, &snapshot.to_bytes(), 1).map_err(unwritten)?;
        }
        let complete = files.complete().map_err(unwritten)?;
        let (seed, files) = (plan.seeds.seed(run_index), complete.files().to_vec());
        let record = RunRecord { run: run_index + 1, run_index, seed, operations: summary.ops, files };
        Ok((record, summary, complete))
    }
}

/// Why a run ended before its time.
pub(super) fn failed(error: RunError, plan: &Plan, unwritten: impl FnOnce(io::Error) -> Failure) -> Failure {
    match error {
        RunError::Output(reason) => unwritten(reason),
        RunError::Interrupted => Failure::INTERRUPTED,
        error @ RunError::ChainStuck { .. } => {
            let check = plan.flags.check();
            Problem::new(error.to_string())
                .help(format!("the profile's chains contradict its rules; `{check}` may say where"))
                .into()
        }
        error @ RunError::ClockEnd => {
            Problem::new(error.to_string()).help("ask for fewer or shorter runs, or shorter latencies").into()
        }
    }
}

/// What the batch's manifest says of a site.
fn record(plan: &SitePlan, finished: FinishedSite) -> Option<SiteRecord> {
    plan.site.map(|site| SiteRecord {
        site,
        folder: plan.folder.clone().try_into().expect("a checked pattern gives names inside the output folder"),
        runs: finished.runs,
        operations: finished.operations,
        manifest_sha256: finished.sha256,
        covered: finished.covered,
    })
}
