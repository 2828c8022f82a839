//! One site: its runs, one after another, and their files.

use nandseq_trace::recorded::shown;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use nandseq_generate::{RunError, RunSummary, Site, SiteState, Snapshot};
use nandseq_output::format::TableFormat;
use nandseq_output::pack::ArchivesMade;
use nandseq_output::run_files::{Complete, PackPlace, RunFiles};
use nandseq_output::threaded_sink::ThreadedSink;
use nandseq_trace::files::{FileKind, Outputs, Stamp};
use nandseq_trace::manifest::{self, RunRecord, SiteRecord};
use nandseq_trace::run_name::RunName;

use super::claim::Claims;
use super::difference::is_same_campaign;
use super::one_run::OneRun;
use super::packs::{Packs, SiteRuns, lost, pack_of};
use super::proposer_log::{Log, Logged};
use super::setups::Setups;
use super::totals::Totals;
use super::{leftovers, resume};
use crate::absent::Absences;
use crate::campaign::{Campaign, CampaignSite, Closure};
use crate::dead_dies;
use crate::failure::{Failure, Problem};
use crate::ledger::{self, FinishedSite, Ledger};
use crate::progress::{Progress, Watched};
use crate::site_files;

/// How one site ended.
pub(super) struct SiteOutcome {
    pub(super) record: Option<SiteRecord>,
    pub(super) end: Result<(), Failure>,
}

/// Is called with a run and the folder of its site, as soon as the run's files are complete.
pub(crate) type OnRun<'w> = &'w (dyn Fn(&CampaignSite, &Path, &RunRecord) -> Result<(), Failure> + Sync);

/// What the sites of an execution share.
pub(super) struct Work<'p> {
    pub(super) campaign: &'p Campaign,
    pub(super) setups: &'p Setups,
    pub(super) format: &'p dyn TableFormat,
    pub(super) progress: &'p Progress,
    pub(super) stop: &'p AtomicBool,
    pub(super) on_run: Option<OnRun<'p>>,
    pub(super) syncs_slowly: bool,
    /// Whether the tables of a run are made in a thread of their own, as with more threads than sites. This changes no file.
    pub(super) tables_threaded: bool,
    pub(super) claims: Claims,
    pub(super) absences: &'p Absences<'p>,
    /// Sums over the finished sites.
    pub(super) totals: Mutex<Totals>,
}

/// Removes the leftovers of killed executions from a site's folder. With `anew` also removes its manifest and its ledger.
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

fn altered(what: &str, folder: &Path) -> Failure {
    let message = format!("{what} in `{}` is not what its manifest lists", shown(folder));
    Problem::new(message).help("the manifest was altered: make the campaign again without --resume").into()
}

impl<'p> Work<'p> {
    /// Makes one site.
    pub(super) fn site(&self, campaign_site: &CampaignSite) -> SiteOutcome {
        let folder = self.campaign.folder_of(campaign_site);
        let mut totals = Totals::new(self.campaign);
        let (finished, end) = match self.claims.during(&folder) {
            Ok(_claim) => match self.begin(campaign_site, &folder, &mut totals) {
                Ok(begun) => self.go_on(campaign_site, &folder, begun, &mut totals),
                Err(failure) => (self.kept(campaign_site, &folder, &mut totals), Err(failure)),
            },
            Err(reason) => (None, Err(Failure::cannot_write(&folder, reason))),
        };
        if matches!(end, Err(Failure::CannotWrite { .. })) {
            self.stop.store(true, Ordering::Relaxed);
        }
        if let (Ok(()), Some(finished)) = (&end, finished) {
            self.progress.site_done(campaign_site, finished.runs, finished.operations);
        }
        let record = finished.and_then(|finished| record(campaign_site, finished));
        // Sums do not depend on the order; a lock can only be poisoned by a panic, which ends the program anyway.
        self.totals.lock().unwrap_or_else(PoisonError::into_inner).add(totals);
        SiteOutcome { record, end }
    }

    /// A site before the first run that is left, the index of that run, and where its files go.
    fn begin(
        &self,
        campaign_site: &CampaignSite,
        folder: &Path,
        totals: &mut Totals,
    ) -> Result<(SiteRuns<'_>, Site<'p>, u64), Failure> {
        let mut start = resume::find(self.campaign, campaign_site, self.campaign.head(campaign_site), self.setups)?;
        if let Some(again) = &start.again {
            self.make_again(campaign_site, folder, again, totals)?;
            start = resume::find(self.campaign, campaign_site, self.campaign.head(campaign_site), self.setups)?;
        }
        let runs = &start.manifest.runs;
        let is_done = start.state.is_none() && start.next_run > 0;
        let last = if is_done { resume::last_state(self.campaign, campaign_site, runs, self.setups) } else { None };
        let mut site = site_in(self.setups, campaign_site, start.state.as_ref().or(last.as_ref()))?;
        if last.is_some() {
            totals.note_coverage(campaign_site, &site, self.absences);
            let (run, ops) = runs.last().map_or((0, 0), |run| (run.run, run.operations));
            let phase = self.campaign.phases.limits(run.saturating_sub(1));
            totals.note_dead((campaign_site, phase), (run, ops), site.dead_dies());
        }
        if runs.is_empty() && start.next_run > 0 && is_covered(self.campaign, &site) {
            let there = shown(self.campaign.resume.as_deref().unwrap_or(folder));
            return Err(resume::nothing_left(self.campaign, campaign_site, &format!("`{there}`"), start.next_run));
        }
        runs.iter().for_each(|run| totals.note_operations(self.campaign, run.run_index, run.operations));
        self.progress.skip(start.next_run);
        let batch = self.campaign.batch.as_ref().map(|batch| self.campaign.arguments_of_batch(batch));
        let (mut manifest, replaced) = (start.manifest, start.replaced);
        manifest.runs.extend_from_slice(&replaced);
        let ledger = Ledger::begin(folder, self.campaign.stamp, manifest, batch)
            .map_err(|reason| Failure::cannot_write(&folder.join(ledger::FILE_NAME), reason))?;
        Ok((SiteRuns::new(ledger, self.packs(folder), replaced), site, start.next_run))
    }

    /// The sums of the manifest of a site that could not be begun; the manifest stays. Runs that lack files do not count in
    /// `totals`.
    fn kept(&self, campaign_site: &CampaignSite, folder: &Path, totals: &mut Totals) -> Option<FinishedSite> {
        let (manifest, sha256) = ledger::finished(folder).ok().flatten()?;
        if !is_same_campaign(self.campaign, &manifest, &self.campaign.head(campaign_site)) {
            return None;
        }
        let lacks_files = resume::lacking_files(folder, &manifest.runs);
        let whole = manifest.runs.iter().filter(|run| !lacks_files.contains(&run.run_index));
        whole.for_each(|run| totals.note_operations(self.campaign, run.run_index, run.operations));
        let operations = manifest.runs.iter().fold(0, |sum: u64, run| sum.saturating_add(run.operations));
        let last = resume::last_state(self.campaign, campaign_site, &manifest.runs, self.setups);
        let covered = last.and_then(|last| site_in(self.setups, campaign_site, Some(&last)).ok());
        let covered = covered.is_some_and(|site| is_covered(self.campaign, &site));
        Some(FinishedSite { sha256, runs: manifest.runs.len() as u64, operations, covered })
    }

    /// Makes runs again that lack files. Each begins from the newest good snapshot before it, or goes on from the run that was
    /// made last. The runs between are simulated and not written. The manifest stays, because it lists the same runs. No existing
    /// file is replaced. What was made counts even if a later run fails.
    fn make_again(
        &self,
        campaign_site: &CampaignSite,
        folder: &Path,
        missing: &resume::Again,
        totals: &mut Totals,
    ) -> Result<(), Failure> {
        let mut made = Totals::new(self.campaign);
        let end = self.make_each_again(campaign_site, folder, missing, &mut made);
        // Only these sums are added: coverage, dead dies and short runs are counted later, for all listed runs together, and what the
        // last run of the site ends in is known from that run.
        let Totals { runs, made_sites, ops, bootstrap_ops, by_op, rejections, files, bytes, by_phase, .. } = made;
        let sums =
            Totals { runs, made_sites, ops, bootstrap_ops, by_op, rejections, files, bytes, ..Totals::default() };
        totals.add(Totals { by_phase, ..sums });
        end
    }

    fn make_each_again(
        &self,
        campaign_site: &CampaignSite,
        folder: &Path,
        missing: &resume::Again,
        made: &mut Totals,
    ) -> Result<(), Failure> {
        let mut at: Option<(Site<'p>, u64)> = None;
        let mut packs = self.packs(folder);
        for &(wanted, gone) in &missing.runs {
            let state = resume::before(self.campaign, campaign_site, self.setups, &missing.listed, wanted)?;
            let from = state.as_ref().map_or(0, |state| state.run);
            let (mut site, next) = match at.take() {
                Some((site, next)) if next >= from => (site, next),
                Some(_) | None => (site_in(self.setups, campaign_site, state.as_ref())?, from),
            };
            for run_index in next..=wanted {
                if self.stop.load(Ordering::Relaxed) {
                    return Err(Failure::INTERRUPTED);
                }
                let listed = missing.record(run_index);
                let stamp = listed.and_then(ledger::stamp_of_run).unwrap_or(self.campaign.stamp);
                let pack = listed.and_then(pack_of);
                let files = self.files(folder, (stamp, pack), run_index + 1, run_index == wanted)?;
                let (record, summary, complete) =
                    self.simulate(campaign_site, (folder, files), &mut site, run_index)?;
                let packed = listed.map_or(&[][..], |listed| &listed.pack);
                if listed.map(|listed| RunRecord { pack: Vec::new(), ..listed.clone() }).as_ref() != Some(&record) {
                    return Err(altered(&format!("run {}", record.run), folder));
                }
                if run_index == wanted {
                    made.note_run(self.campaign, run_index, (summary.ops, false), &site);
                    made.runs += 1;
                    let unwritten = |reason| Failure::cannot_write(folder, reason);
                    let Some(packs) = &mut packs else {
                        let placed = complete.place(gone).map_err(unwritten)?;
                        made.add_run(summary, placed.files.len() as u64, placed.bytes);
                        continue;
                    };
                    made.add_run(summary, 0, 0);
                    packs.add(record, complete).map_err(unwritten)?;
                    if let Some(first) = packed.first() {
                        let records = packs.close(ArchivesMade::Missing).map_err(unwritten)?;
                        if records.last().is_none_or(|last| last.pack != packed) {
                            return Err(altered(&format!("`{}`", first.file), folder));
                        }
                        made.add_pack(packed);
                    }
                }
            }
            at = Some((site, wanted + 1));
        }
        Ok(())
    }

    /// Makes the runs that are left, and then the manifest.
    fn go_on(
        &self,
        campaign_site: &CampaignSite,
        folder: &Path,
        begun: (SiteRuns<'_>, Site<'p>, u64),
        totals: &mut Totals,
    ) -> (Option<FinishedSite>, Result<(), Failure>) {
        let (mut files, mut site, next_run) = begun;
        let (mut end, mut covered, mut reached) = (Ok(()), false, next_run);
        for run_index in next_run..self.campaign.num_runs {
            // A site that has covered enough has no further runs.
            if is_covered(self.campaign, &site) {
                covered = true;
                break;
            }
            end = self.next(campaign_site, folder, (&mut files, &mut site), run_index, totals);
            if end.is_err() {
                break;
            }
            reached = run_index + 1;
        }
        // What is finished stays, however the work has ended.
        let closed = self.close_pack(campaign_site, folder, &mut files, totals);
        let end = end.and(closed);
        let kept = files.kept_from(reached);
        kept.for_each(|run| totals.note_operations(self.campaign, run.run_index, run.operations));
        let ledger = files.ledger;
        if next_run < self.campaign.num_runs {
            totals.note_coverage(campaign_site, &site, self.absences);
        }
        if covered {
            let after = site_files::after(folder, ledger.runs());
            totals.other_files += after.unwrap_or(0);
        }
        if end.is_err() && ledger.runs() == 0 {
            // The ledger stays, because it keeps the stamp for whoever resumes the site. A manifest without runs would not.
            return (None, end);
        }
        let unwritten = |reason| Failure::cannot_write(&folder.join(manifest::FILE_NAME), reason);
        match (ledger.finish(covered).map_err(unwritten), end) {
            (Ok(finished), end) => (Some(finished), end),
            (Err(_), Err(end)) | (Err(end), Ok(())) => (None, Err(end)),
        }
    }

    /// Makes the next run of a site, and adds it to the ledger when its files are complete. Where there are packs, they are complete
    /// with their pack.
    fn next(
        &self,
        campaign_site: &CampaignSite,
        folder: &Path,
        (files, site): (&mut SiteRuns<'_>, &mut Site<'p>),
        run_index: u64,
        totals: &mut Totals,
    ) -> Result<(), Failure> {
        // A run looks at the stop flag only now and then, so short runs would never see it.
        if self.stop.load(Ordering::Relaxed) {
            return Err(Failure::INTERRUPTED);
        }
        let unwritten = |reason| Failure::cannot_write(folder, reason);
        let stamp = self.campaign.stamp;
        let pack = files.packs.as_ref().map(|packs| packs.first(run_index));
        let made = self.files(folder, (stamp, pack), run_index + 1, true)?;
        let (record, summary, complete) = self.simulate(campaign_site, (folder, made), site, run_index)?;
        self.note(campaign_site, site, (&summary, run_index), totals);
        let Some(packs) = &mut files.packs else {
            let placed = complete.place(Outputs::ALL).map_err(unwritten)?;
            totals.add_run(summary, placed.files.len() as u64, placed.bytes);
            return self.finished(campaign_site, folder, files, &[record], totals);
        };
        let begun = packs.runs();
        packs.add(record, complete).map_err(|reason| lost(begun, unwritten(reason)))?;
        totals.add_run(summary, 0, 0);
        let is_full = packs.end_with(run_index);
        if is_full { self.close_pack(campaign_site, folder, files, totals) } else { Ok(()) }
    }

    /// Completes the pack that is being made, if there is one.
    fn close_pack(
        &self,
        campaign_site: &CampaignSite,
        folder: &Path,
        files: &mut SiteRuns<'_>,
        totals: &mut Totals,
    ) -> Result<(), Failure> {
        let begun = files.packs.as_ref().and_then(Packs::runs);
        let records = files.close_pack().map_err(|reason| lost(begun, Failure::cannot_write(folder, reason)))?;
        let Some(last) = records.last() else { return Ok(()) };
        totals.add_pack(&last.pack);
        self.finished(campaign_site, folder, files, &records, totals)
    }

    /// Takes note of runs whose files are complete.
    fn finished(
        &self,
        campaign_site: &CampaignSite,
        folder: &Path,
        files: &mut SiteRuns<'_>,
        records: &[RunRecord],
        totals: &mut Totals,
    ) -> Result<(), Failure> {
        if let Some(on_run) = self.on_run {
            records.iter().try_for_each(|record| on_run(campaign_site, folder, record))?;
        }
        files.list(records).map_err(|reason| Failure::cannot_write(&folder.join(ledger::FILE_NAME), reason))?;
        totals.runs += records.len() as u64;
        records.iter().for_each(|record| self.progress.run_done(campaign_site, record.run));
        Ok(())
    }

    /// Adds a run to the sums.
    fn note(
        &self,
        campaign_site: &CampaignSite,
        site: &Site<'p>,
        (summary, run_index): (&RunSummary, u64),
        totals: &mut Totals,
    ) {
        totals.note_operations(self.campaign, run_index, summary.ops);
        totals.note_run(self.campaign, run_index, (summary.ops, false), site);
        totals.note_trap(site, self.campaign.phases.of_run(run_index), self.absences);
        let phase = self.campaign.phases.limits(run_index);
        totals.note_dead((campaign_site, phase), (run_index + 1, summary.ops), summary.dead.clone());
    }

    /// The packs of a site; `None` if each run has files of its own.
    fn packs(&self, folder: &Path) -> Option<Packs<'_>> {
        self.campaign.pack.map(|size| Packs::new(folder, size, self.format, self.syncs_slowly))
    }

    /// The files of a run: on the disk, or only counted.
    fn files(
        &self,
        folder: &Path,
        (stamp, pack): (Stamp, Option<u64>),
        run: u64,
        on_disk: bool,
    ) -> Result<RunFiles<'_>, Failure> {
        let (format, outputs) = (self.format, self.campaign.outputs);
        let files = match (pack, on_disk) {
            (Some(first), is_kept) => {
                RunFiles::for_pack(folder, PackPlace { first, is_kept }, (format, outputs), stamp, run)
            }
            (None, true) => RunFiles::create(folder, format, outputs, stamp, run),
            (None, false) => RunFiles::counting(folder, format, outputs, stamp, run),
        };
        Ok(files.map_err(|reason| Failure::cannot_write(folder, reason))?.syncing(self.syncs_slowly))
    }

    /// Simulates one run. Its files are complete then, but do not have their final names yet.
    fn simulate<'f>(
        &self,
        campaign_site: &CampaignSite,
        (folder, mut inner): (&Path, RunFiles<'f>),
        site: &mut Site<'p>,
        run_index: u64,
    ) -> Result<(RunRecord, RunSummary, Complete<'f>), Failure> {
        let unwritten = |reason| Failure::cannot_write(folder, reason);
        let (phase, at) = (self.campaign.phases.limits(run_index), self.campaign.phases.of_run(run_index));
        let one = OneRun {
            absences: self.absences,
            setups: self.setups,
            stop: self.stop,
            run_index,
            on_dead: &|dead| self.progress.at_once(&dead_dies::in_a_line(campaign_site, dead)),
            on_trap: &|trap| self.progress.at_once(&trap.in_a_line(campaign_site.site)),
        };
        let log = Log::create(&mut inner, self.campaign.proposer_log, &self.campaign.profile).map_err(unwritten)?;
        let (summary, log, mut files) = thread::scope(|scope| {
            let inner = ThreadedSink::new(self.tables_threaded.then_some(scope), inner);
            let mut sink = Watched::new(Logged { log, inner }, self.progress, phase);
            let summary = one.make(site, &mut sink).map_err(|error| failed(error, self.campaign, unwritten))?;
            let Logged { log, inner } = sink.finish();
            Ok::<_, Failure>((summary, log, inner.finish().map_err(unwritten)?))
        })?;
        if let Some(log) = log {
            files.add_written(FileKind::ProposerLog, log.finish(&summary, (self.absences, at)).map_err(unwritten)?);
        }
        add_snapshot(self.campaign, campaign_site, site, &mut files).map_err(unwritten)?;
        let complete = files.complete().map_err(unwritten)?;
        let (seed, files) = (campaign_site.seeds.seed(run_index), complete.files().to_vec());
        let (run, phase, operations) = (run_index + 1, phase.name.clone(), summary.ops);
        let record = RunRecord { run, run_index, seed, phase, operations, files, pack: Vec::new() };
        Ok((record, summary, complete))
    }
}

/// Whether a site has covered enough, so that it has no further runs.
pub(super) fn is_covered(campaign: &Campaign, site: &Site<'_>) -> bool {
    campaign.closure.as_ref().and_then(Closure::until).is_some_and(|least| site.has_covered(least))
}

/// The site in a state, or fresh.
pub(super) fn site_in<'s>(
    setups: &'s Setups,
    campaign_site: &CampaignSite,
    state: Option<&SiteState>,
) -> Result<Site<'s>, Failure> {
    // The state was checked before the work began, so this is no mistake of the user.
    let changed = |error| Problem::new(format!("a snapshot changed while it was read: {error}")).into();
    setups.site(campaign_site, state).map_err(changed)
}

/// Adds the snapshot of a site to the files of its run, if the campaign has snapshots. Returns the number of its bytes.
pub(super) fn add_snapshot(
    campaign: &Campaign,
    campaign_site: &CampaignSite,
    site: &Site<'_>,
    files: &mut RunFiles<'_>,
) -> io::Result<u64> {
    if !campaign.outputs.contains(FileKind::Snapshot) {
        return Ok(0);
    }
    let snapshot = Snapshot { identity: campaign.identity(campaign_site), state: site.state() }.to_bytes();
    files.add(FileKind::Snapshot, &snapshot, 1)?;
    Ok(snapshot.len() as u64)
}

/// The failure for a run that ended early.
pub(super) fn failed(error: RunError, campaign: &Campaign, unwritten: impl FnOnce(io::Error) -> Failure) -> Failure {
    match error {
        RunError::Output(reason) => unwritten(reason),
        RunError::Interrupted => Failure::INTERRUPTED,
        error @ RunError::ChainStuck { .. } => {
            let check = campaign.flags.check();
            Problem::new(error.to_string())
                .help(format!("the profile's chains contradict its rules; `{check}` may say where"))
                .into()
        }
        error @ RunError::ClockEnd => {
            Problem::new(error.to_string()).help("ask for fewer or shorter runs, or shorter latencies").into()
        }
    }
}

/// The record of a site in the manifest of its batch; `None` for a single device.
fn record(campaign_site: &CampaignSite, finished: FinishedSite) -> Option<SiteRecord> {
    campaign_site.site.map(|site| SiteRecord {
        site,
        folder: campaign_site
            .folder
            .clone()
            .try_into()
            .expect("a checked pattern gives names inside the output folder"),
        runs: finished.runs,
        operations: finished.operations,
        manifest_sha256: finished.sha256,
        covered: finished.covered,
    })
}
