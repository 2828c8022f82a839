//! Carries a plan out: folders, sites in parallel, manifests.
//!
//! Promises that nothing depends on how many threads there are, that a file under its final name is complete, and that
//! stopping early keeps the runs that were finished, with a manifest that lists them.

pub(crate) mod batch;
pub(crate) mod claim;
pub(crate) mod folders;
pub(crate) mod leftovers;
pub(crate) mod others;
mod own_names;
mod proposer_log;
mod resume;
mod site;
pub(crate) mod trial;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use nandseq_generate::closure::Reached;
use nandseq_generate::dead::DeadDie;
use nandseq_generate::{Rejections, RunSummary, Setup};
use nandseq_output::csv_tables::CsvTables;
use nandseq_output::format::TableFormat;
use nandseq_output::new_file::NewFile;
use nandseq_trace::manifest::{self, Origin, RunRecord, SiteRecord, Tool};
use nandseq_trace::time_column::TimeColumnError;
use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::absent::WhyAbsent;
use crate::arguments::Format;
use crate::execute::batch::Earlier;
use crate::execute::claim::{Claims, With};
use crate::execute::folders::NewFolders;
use crate::execute::others::Others;
use crate::failure::{Failure, Problem, both};
use crate::ledger;
use crate::plan::{Part, Plan, SitePlan};
use crate::progress::Progress;
use crate::{tell, written};

pub(crate) use site::clean;

pub(crate) use resume::{have_files, is_there, profile as profile_of_earlier, stamp as stamp_of_earlier};

/// What all sites together did.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    /// Operations.
    pub(crate) ops: u64,
    /// Operations by op name.
    pub(crate) by_op: Vec<u64>,
    /// Proposals that failed.
    pub(crate) rejections: Rejections,
    /// Runs.
    pub(crate) runs: u64,
    /// Files of runs.
    pub(crate) files: u64,
    /// Their bytes.
    pub(crate) bytes: u64,
    /// Files of other campaigns in the same folders.
    pub(crate) other_files: u64,
    /// How much each site has covered, if that is counted, in no order.
    pub(crate) reached: Vec<Reached>,
    /// Sites with dies on which nothing can ever start again, in no order.
    pub(crate) dead: Vec<DeadSite>,
    /// Runs of the plan that are there, whoever made them; those that ended before the operations that --ops asks for; the operations
    /// of all.
    pub(crate) known_runs: u64,
    pub(crate) short_runs: u64,
    pub(crate) known_ops: u64,
}

/// A site with dies on which nothing can ever start again.
#[derive(Debug)]
pub(crate) struct DeadSite {
    /// Its number; a single device has none.
    pub(crate) site: Option<u64>,
    /// The run in which the last of these dies was found.
    pub(crate) run: u64,
    /// Operations of that run.
    pub(crate) ops: u64,
    pub(crate) dies: Vec<DeadDie>,
}

/// Why the work ended early, and what was done until then.
#[derive(Debug)]
pub(crate) struct Stopped {
    pub(crate) failure: Failure,
    /// `None`: it had not begun.
    pub(crate) totals: Option<Box<Totals>>,
}

impl From<Failure> for Stopped {
    fn from(failure: Failure) -> Self {
        Self { failure, totals: None }
    }
}

/// How one site ended.
struct SiteOutcome {
    record: Option<SiteRecord>,
    end: Result<(), Failure>,
}

/// Looks at a run as soon as its files are complete, in its site's folder.
pub(crate) type OnRun<'w> = &'w (dyn Fn(&SitePlan, &Path, &RunRecord) -> Result<(), Failure> + Sync);

/// A file that takes longer to sync is one that others are synced beside.
const SLOW_SYNC: Duration = Duration::from_millis(3);

/// What is known when all folders are there.
struct Prepared {
    /// What stays.
    earlier: Earlier,
    claims: Claims,
    syncs_slowly: bool,
    /// Files of other campaigns that stay, or that went if the flags say so.
    others: Others,
}

/// What every site needs.
struct Work<'p> {
    plan: &'p Plan,
    setup: &'p Setup,
    format: &'p dyn TableFormat,
    progress: &'p Progress,
    stop: &'p AtomicBool,
    on_run: Option<OnRun<'p>>,
    syncs_slowly: bool,
    /// Whether the tables of a run are made in a thread beside it: where there are more threads than sites. Whether they are makes
    /// no difference to any file.
    tables_threaded: bool,
    claims: Claims,
    why_absent: WhyAbsent<'p>,
    /// What finished sites did.
    totals: Mutex<Totals>,
}

/// Generates everything the plan asks for. `stop` may be set from outside at any time.
pub(crate) fn execute(
    plan: &Plan,
    progress: &Progress,
    stop: &AtomicBool,
    on_run: Option<OnRun<'_>>,
    why_absent: WhyAbsent<'_>,
) -> Result<Totals, Stopped> {
    let (setup, format) = setup_and_format(plan)?;
    let threads = threads(plan.jobs)?;
    // Nothing is touched before every site is known to go on.
    places_to_begin(plan, &setup, &threads)?.iter().for_each(|remark| progress.warn(remark));
    let Prepared { earlier, claims, syncs_slowly, others } = prepare_folders(plan, &*format)?;
    if let Some(folder) = claims.without_lock() {
        progress.note(&claim::remark(folder));
    }
    write_table(plan)?;
    let other_files = say_others(plan, &others);
    let totals = Mutex::new(Totals { by_op: vec![0; plan.profile.ops.len()], other_files, ..Totals::default() });
    let tables_threaded = threads.current_num_threads() > plan.sites.len();
    let work = Work {
        plan,
        setup: &setup,
        format: &*format,
        progress,
        stop,
        on_run,
        syncs_slowly,
        tables_threaded,
        claims,
        why_absent,
        totals,
    };
    let outcomes: Vec<SiteOutcome> =
        threads.install(|| plan.sites.par_iter().with_max_len(1).map(|site| work.site(site)).collect());
    work.conclude(outcomes, &earlier)
}

/// Makes sure, without touching anything, that a plan can be carried out as far as that can be known before it is begun: its inputs fit
/// together, each site has a place to begin, and files can be put where they belong.
pub(crate) fn check(plan: &Plan) -> Result<(), Failure> {
    let places = setup_and_format(plan).and_then(|(setup, _)| places_to_begin(plan, &setup, &threads(plan.jobs)?));
    let sites = plan.sites.iter().map(|site| plan.folder_of(site));
    both(places, folders::check(std::iter::once(plan.out_dir.clone()).chain(sites))).map(drop)
}

/// Makes sure that each site has a place to begin; says what is worth knowing about it.
fn places_to_begin(plan: &Plan, setup: &Setup, threads: &ThreadPool) -> Result<Vec<String>, Failure> {
    let of_batch = check_places(plan)?;
    if plan.resume.is_none() {
        return Ok(of_batch);
    }
    let start = |site: &SitePlan| {
        let start = resume::find(plan, site, site::head(plan, site), setup)?.before_work()?;
        Ok::<_, Failure>(start.remarks)
    };
    let remarks: Vec<Vec<String>> =
        threads.install(|| plan.sites.par_iter().with_max_len(1).map(start).collect::<Result<_, _>>())?;
    Ok(of_batch.into_iter().chain(remarks.into_iter().flatten()).collect())
}

/// Makes sure that nothing in the folders of a plan is in its way; says what is worth knowing about what it replaces.
fn check_places(plan: &Plan) -> Result<Vec<String>, Failure> {
    folders::lists_are_files(plan)?;
    batch::check_shards(plan)?;
    let remarks = batch::check_earlier(plan)?;
    own_names::check(plan)?;
    folders::lead_nowhere_else(plan)?;
    Ok(remarks)
}

/// Says what there was of other campaigns; how many of their files are there still.
fn say_others(plan: &Plan, others: &Others) -> u64 {
    tell(&others.text(plan, "removed"));
    if plan.clean { 0 } else { others.count() }
}

/// What every site of a plan shares.
fn setup_and_format(plan: &Plan) -> Result<(Setup, Box<dyn TableFormat>), Failure> {
    let setup = Setup::new(&plan.profile, &plan.table.distributions, &plan.bad_blocks)
        .map_err(|error| Problem::new(error.to_string()).help(plan.words().how_to_propose(&plan.flags)))?;
    let setup = match &plan.closure {
        Some(closure) => setup.with_goal(&plan.profile, closure.goal.clone()),
        None => setup,
    };
    Ok((setup, format(plan)?))
}

/// What puts rows into files.
fn format(plan: &Plan) -> Result<Box<dyn TableFormat>, Failure> {
    let unfit = |error: TimeColumnError| {
        Problem::new(error.to_string()).help("look at the scale and decimals of `export`, and at `time_resolution`")
    };
    Ok(match plan.format {
        Format::Csv => Box::new(CsvTables::new(&plan.profile).map_err(unfit)?),
        #[cfg(feature = "parquet")]
        Format::Parquet => Box::new(nandseq_parquet::ParquetTables::new(&plan.profile).map_err(unfit)?),
        #[cfg(not(feature = "parquet"))]
        Format::Parquet => return Err(Problem::new("this program was built without Parquet").into()),
    })
}

/// Threads for so many sites at a time; without a number as many as there are cores.
pub(crate) fn threads(jobs: Option<u64>) -> Result<ThreadPool, Failure> {
    let mut builder = ThreadPoolBuilder::new();
    if let Some(jobs) = jobs.and_then(|jobs| usize::try_from(jobs).ok()) {
        builder = builder.num_threads(jobs);
    }
    let refused = |error| Problem::new(format!("cannot start threads: {error}")).help("try a smaller --jobs").into();
    builder.build().map_err(refused)
}

/// Makes every folder, proves that files can be put there and that nobody else does, and only then takes away what killed executions
/// left and manifests of what is about to be replaced.
fn prepare_folders(plan: &Plan, format: &dyn TableFormat) -> Result<Prepared, Failure> {
    let sites = || plan.sites.iter().map(|site| plan.folder_of(site));
    let unwritable = |(folder, reason): (PathBuf, io::Error)| Failure::cannot_write(&folder, reason);
    // The probe has the name of a file of ours, so that what a kill leaves of it is found again.
    let own_name = plan.batch.as_ref().map_or_else(|| manifest::FILE_NAME.to_owned(), batch::file_name);
    let mut made = NewFolders::default();
    let mut syncs_slowly = false;
    for folder in std::iter::once(plan.out_dir.clone()).chain(sites()) {
        let unwritable = |reason| Failure::cannot_write(&folder, reason);
        made.make(&folder).map_err(unwritable)?;
        let name = if folder == plan.out_dir { &own_name } else { manifest::FILE_NAME };
        let probe = NewFile::create(&folder, name).map_err(unwritable)?;
        if folder == plan.out_dir {
            syncs_slowly = is_slow(probe).map_err(unwritable)?;
        }
    }
    made.sync().map_err(unwritable)?;
    let of_batch = plan.batch.as_ref().map(|batch| {
        let with = if matches!(batch.part, Part::Shard(_)) { With::Shards } else { With::Nobody };
        (plan.out_dir.clone(), with)
    });
    let claims = Claims::of(of_batch.into_iter().chain(sites().map(|folder| (folder, With::Nobody))));
    let claims = claims.map_err(unwritable)?;
    let out_dir = |reason| Failure::cannot_write(&plan.out_dir, reason);
    let mut others = Others::find(plan, format).map_err(out_dir)?;
    let mut earlier = Earlier::default();
    if let Some(batch) = &plan.batch {
        earlier = Earlier::read(plan, batch);
        let name = own_name;
        leftovers::sweep(&plan.out_dir, |found| found == name)
            .map_err(|reason| Failure::cannot_write(&plan.out_dir, reason))?;
        if earlier.is_empty() {
            let path = plan.out_dir.join(name);
            ledger::remove(&path).map_err(|reason| Failure::cannot_write(&path, reason))?;
        } else {
            batch::write(&plan.out_dir, batch, &earlier.manifest_with(plan, batch, Vec::new()))?;
        }
    }
    for folder in sites() {
        let unwritable = |reason| Failure::cannot_write(&folder, reason);
        let _claim = claims.during(&folder).map_err(unwritable)?;
        clean(&folder, plan.resume.is_none()).map_err(unwritable)?;
    }
    others.remove_replaced().map_err(out_dir)?;
    if plan.clean {
        others = others.remove(plan, &claims).map_err(out_dir)?;
    }
    Ok(Prepared { earlier, claims, syncs_slowly, others })
}

/// Whether syncing takes its time where this file lies. Nothing but the time that the work takes depends on the answer.
fn is_slow(mut probe: NewFile) -> io::Result<bool> {
    io::Write::write_all(&mut probe, b"\n")?;
    let began = Instant::now();
    probe.sync()?;
    Ok(began.elapsed() > SLOW_SYNC)
}

/// Writes the probability table where the flags ask for it.
fn write_table(plan: &Plan) -> Result<(), Failure> {
    let Some(table) = &plan.table.output else { return Ok(()) };
    written::write(&table.path, "--op-state-probs", |out| io::Write::write_all(out, table.text.as_bytes())).map(drop)
}

/// Where what a plan makes comes from.
pub(crate) fn origin(plan: &Plan, arguments: Vec<String>) -> Origin {
    let tool = Tool { name: env!("CARGO_PKG_NAME").to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() };
    Origin {
        tool,
        profile: plan.profile_input.clone(),
        probabilities: plan.table.input.clone(),
        badlist: plan.badlist_input.clone(),
        arguments,
    }
}

impl Work<'_> {
    /// Writes the manifest of the batch, and says how it all ended.
    fn conclude(self, outcomes: Vec<SiteOutcome>, earlier: &Earlier) -> Result<Totals, Stopped> {
        let mut records = Vec::new();
        let mut worst: Option<Failure> = None;
        for outcome in outcomes {
            records.extend(outcome.record);
            // What could not be written explains why other sites were interrupted.
            if let (None | Some(Failure::Interrupted { .. }), Err(failure)) = (&worst, outcome.end) {
                worst = Some(failure);
            }
        }
        let written = match &self.plan.batch {
            Some(batch) => batch::write(&self.plan.out_dir, batch, &earlier.manifest_with(self.plan, batch, records)),
            None => Ok(()),
        };
        let totals = self.totals.into_inner().unwrap_or_else(PoisonError::into_inner);
        let end = match worst {
            Some(Failure::Interrupted { .. }) => {
                Err(Failure::Interrupted { finished_runs: Some(totals.known_runs), go_on: Some(self.plan.go_on()) })
            }
            Some(failure) => Err(failure),
            None => written,
        };
        match end {
            Ok(()) => Ok(totals),
            Err(failure) => Err(Stopped { failure, totals: Some(Box::new(totals)) }),
        }
    }
}

impl Totals {
    /// Adds a run with so many files and bytes.
    fn add_run(&mut self, run: RunSummary, files: u64, bytes: u64) {
        let RunSummary { ops, by_op, rejections, .. } = run;
        self.add(Self { ops, by_op, rejections, files, bytes, ..Self::default() });
    }

    /// Adds what another part of the work did.
    fn add(&mut self, other: Self) {
        for (total, count) in self.by_op.iter_mut().zip(&other.by_op) {
            *total += count;
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
        self.dead.extend(other.dead);
        self.known_runs += other.known_runs;
        self.short_runs += other.short_runs;
        self.known_ops += other.known_ops;
    }
}
