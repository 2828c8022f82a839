//! Carries out a campaign: folders, sites in parallel, manifests.
//!
//! The number of threads changes no result. A file under its final name is complete. An execution that stops early keeps its
//! finished runs, and a manifest lists them.

pub(crate) mod batch;
mod check;
pub(crate) mod claim;
mod difference;
pub(crate) mod folders;
pub(crate) mod in_memory;
pub(crate) mod leftovers;
mod one_run;
pub(crate) mod others;
pub(crate) mod own_names;
mod packs;
mod proposer_log;
mod resume;
mod scenario_totals;
mod setups;
mod shape;
mod site;
mod totals;
pub(crate) mod trial;

use std::io;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use nandseq_output::new_file::NewFile;
use nandseq_trace::manifest;
use rayon::prelude::*;

use crate::absent::Absences;
use crate::campaign::{Batch, BatchPart, Campaign};
use crate::execute::batch::Earlier;
use crate::execute::check::{places_to_begin, setups_and_format};
use crate::execute::claim::{Claims, With};
use crate::execute::folders::NewFolders;
use crate::execute::others::Others;
use crate::execute::site::{OnRun, SiteOutcome, Work};
use crate::failure::{Failure, Kept};
use crate::ledger;
use crate::progress::Progress;
use crate::site_list::is_of_batch;
use crate::tell;
use crate::thread_pool::threads;
use crate::written::NamedFile;

pub(crate) use check::check;
pub(crate) use scenario_totals::{ScenarioTotals, ValueTotals};
pub(crate) use shape::note_of_beginning;
pub(crate) use site::clean;
pub(crate) use totals::{LimitTotals, PhaseTotals, ShareTotals, Totals};

/// Why the work ended early, and what was done until then.
#[derive(Debug)]
pub(crate) struct Stopped {
    pub(crate) failure: Failure,
    /// `None` if the work had not begun.
    pub(crate) totals: Option<Box<Totals>>,
}

impl From<Failure> for Stopped {
    fn from(failure: Failure) -> Self {
        Self { failure, totals: None }
    }
}

/// If a file takes longer than this to sync, the files of a run are synced in parallel.
const SLOW_SYNC: Duration = Duration::from_millis(3);

/// The result of preparing the folders.
struct Prepared {
    /// The sites in the manifest of the batch that stay.
    earlier: Earlier,
    claims: Claims,
    syncs_slowly: bool,
    /// Files of other campaigns that stay, or that `--clean` has removed.
    others: Others,
}

/// Generates everything that the campaign asks for. Another thread may set `stop` at any time.
pub(crate) fn execute(
    campaign: &Campaign,
    progress: &Progress,
    stop: &AtomicBool,
    on_run: Option<OnRun<'_>>,
    absences: &Absences<'_>,
) -> Result<Totals, Stopped> {
    let (setups, format) = setups_and_format(campaign)?;
    let threads = threads(campaign.jobs)?;
    // No file is changed before every site is known to have a place to begin.
    places_to_begin(campaign, &setups, &threads)?.iter().for_each(|remark| progress.warn(remark));
    note_of_beginning(campaign).iter().for_each(|note| progress.note(note));
    let begun = campaign.table.output.as_ref().map(|table| NamedFile::begin(&table.path, "--op-state-probs"));
    let table = begun.transpose()?;
    let Prepared { earlier, claims, syncs_slowly, others } = prepare_folders(campaign)?;
    if let Some(folder) = claims.without_lock() {
        progress.note(&claim::remark(folder));
    }
    write_table(campaign, table)?;
    let other_files = say_others(campaign, &others);
    let totals = Mutex::new(Totals { other_files, ..Totals::new(campaign) });
    let tables_threaded = threads.current_num_threads() > campaign.sites.len();
    let work = Work {
        campaign,
        setups: &setups,
        format: &*format,
        progress,
        stop,
        on_run,
        syncs_slowly,
        tables_threaded,
        claims,
        absences,
        totals,
    };
    let outcomes: Vec<SiteOutcome> =
        threads.install(|| campaign.sites.par_iter().with_max_len(1).map(|site| work.site(site)).collect());
    conclude(work, outcomes, &earlier)
}

/// Tells the user of the files of other campaigns. Returns how many of these files are still there.
fn say_others(campaign: &Campaign, others: &Others) -> u64 {
    tell(&others.text(campaign, "removed"));
    if campaign.clean { 0 } else { others.count() }
}

/// Makes every folder, checks that files can be written into it, and claims it. Only then removes the leftovers of killed
/// executions and the manifests of runs that are about to be replaced.
fn prepare_folders(campaign: &Campaign) -> Result<Prepared, Failure> {
    let sites = || campaign.sites.iter().map(|site| campaign.folder_of(site));
    let unwritable = |(folder, reason): (PathBuf, io::Error)| Failure::cannot_write(&folder, reason);
    // The probe has the name of a manifest, so that the next execution removes what a kill leaves of the probe.
    let own_name = campaign.batch.as_ref().map_or_else(|| manifest::FILE_NAME.to_owned(), Batch::manifest_name);
    let mut made = NewFolders::default();
    let mut syncs_slowly = false;
    for folder in std::iter::once(campaign.out_dir.clone()).chain(sites()) {
        let unwritable = |reason| Failure::cannot_write(&folder, reason);
        let is_output = folder == campaign.out_dir;
        let done = if is_output { made.make_output(&folder) } else { made.make(&folder) };
        done.map_err(unwritable)?;
        let name = if is_output { &own_name } else { manifest::FILE_NAME };
        let probe = NewFile::create(&folder, name).map_err(unwritable)?;
        if is_output {
            syncs_slowly = is_slow(probe).map_err(unwritable)?;
        }
    }
    made.sync().map_err(unwritable)?;
    let of_batch = campaign.batch.as_ref().map(|batch| {
        let with = if matches!(batch.part, BatchPart::Shard(_)) { With::Shards } else { With::Nobody };
        (campaign.out_dir.clone(), with)
    });
    let claims = Claims::of(of_batch.into_iter().chain(sites().map(|folder| (folder, With::Nobody))));
    let mut claims = claims.map_err(unwritable)?;
    let out_dir = |reason| Failure::cannot_write(&campaign.out_dir, reason);
    if let Some(batch) = &campaign.batch {
        let is_shard = matches!(batch.part, BatchPart::Shard(_));
        // Other shards may be at work beside a shard, and wherever nothing can be locked.
        let is_alone = !is_shard && claims.without_lock().is_none();
        let is_ours = |found: &str| found == own_name || (is_alone && is_of_batch(found));
        leftovers::sweep(&campaign.out_dir, is_ours).map_err(out_dir)?;
        if is_shard {
            claims.show_shard(&campaign.out_dir, &own_name).map_err(out_dir)?;
            // Another shard may have begun since the first look.
            batch::check_shards(campaign)?;
        }
    }
    let mut others = Others::find(campaign).map_err(out_dir)?;
    let mut earlier = Earlier::default();
    if let Some(batch) = &campaign.batch {
        earlier = Earlier::read(campaign, batch);
        if earlier.is_empty() {
            let path = campaign.out_dir.join(own_name);
            ledger::remove(&path).map_err(|reason| Failure::cannot_write(&path, reason))?;
        } else {
            batch::write(&campaign.out_dir, batch, &earlier.manifest_with(campaign, batch, Vec::new()))?;
        }
    }
    for folder in sites() {
        let unwritable = |reason| Failure::cannot_write(&folder, reason);
        let _claim = claims.during(&folder).map_err(unwritable)?;
        clean(&folder, campaign.resume.is_none()).map_err(unwritable)?;
    }
    others.remove_replaced().map_err(out_dir)?;
    if campaign.clean {
        others = others.remove(campaign, &claims).map_err(out_dir)?;
    }
    Ok(Prepared { earlier, claims, syncs_slowly, others })
}

/// Whether syncing is slow where this file lies. Only the duration of the work depends on the answer.
fn is_slow(mut probe: NewFile) -> io::Result<bool> {
    io::Write::write_all(&mut probe, b"\n")?;
    let began = Instant::now();
    probe.sync()?;
    Ok(began.elapsed() > SLOW_SYNC)
}

/// Writes the probability table where the flags ask for it.
fn write_table(campaign: &Campaign, file: Option<NamedFile<'_>>) -> Result<(), Failure> {
    let (Some(table), Some(file)) = (&campaign.table.output, file) else { return Ok(()) };
    file.fill(|out| io::Write::write_all(out, table.text.as_bytes())).map(drop)
}

/// Writes the manifest of the batch. Returns how the execution ended.
fn conclude(work: Work<'_>, outcomes: Vec<SiteOutcome>, earlier: &Earlier) -> Result<Totals, Stopped> {
    let mut records = Vec::new();
    let mut worst: Option<Failure> = None;
    for outcome in outcomes {
        records.extend(outcome.record);
        // Another failure goes before an interruption: it is the reason why the other sites were interrupted.
        if let (None | Some(Failure::Interrupted { .. }), Err(failure)) = (&worst, outcome.end) {
            worst = Some(failure);
        }
    }
    let written = match &work.campaign.batch {
        Some(batch) => {
            batch::write(&work.campaign.out_dir, batch, &earlier.manifest_with(work.campaign, batch, records))
        }
        None => Ok(()),
    };
    let totals = work.totals.into_inner().unwrap_or_else(PoisonError::into_inner);
    let end = match worst {
        Some(Failure::Interrupted { .. }) => {
            Err(Failure::Interrupted { kept: Kept::Runs(totals.known_runs), go_on: Some(work.campaign.go_on()) })
        }
        Some(failure) => Err(failure),
        None => written,
    };
    match end {
        Ok(()) => Ok(totals),
        Err(failure) => Err(Stopped { failure, totals: Some(Box::new(totals)) }),
    }
}
