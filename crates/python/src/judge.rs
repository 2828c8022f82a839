//! Verdicts on tables in memory, and their coverage.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use nandseq_arrow::{MemorySource, MemoryTable};
use nandseq_input::folder::{RunFile, SiteFiles, TableFile};
use nandseq_profile::model::Expectations;
use nandseq_profile::{Block, Die, Profile};
use nandseq_trace::files::FileKind;
use nandseq_trace::table::TableKind;
use nandseq_verify::{Options, Report, SiteReport, judge_site};
use nandseqgen::embedded::{CountedCoverage, Generation, PlacedProblem, Refusal};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::profile::NativeProfile;
use crate::refusal::{Interrupted, exception, in_thread, problems, refused};
use crate::runs::NativeRun;
use crate::table::any_table;

/// The tables of a run in memory, under names that stand for files.
fn run_file(number: u64, tables: Vec<(FileKind, MemoryTable)>, source: &mut MemorySource) -> Option<RunFile> {
    let path = |kind: FileKind| PathBuf::from(format!("run {number}/{}.arrow", kind.name()));
    let mut run =
        RunFile { run: number, path: path(FileKind::OperationSequence), rows: None, tables: Vec::new(), log: None };
    let mut has_sequence = false;
    for (kind, table) in tables {
        source.add(path(kind), table);
        has_sequence |= kind == FileKind::OperationSequence;
        let other = TableKind::ALL.into_iter().find(|other| other.file() == kind);
        run.tables.extend(other.map(|other| TableFile { kind: other, path: path(kind), rows: None }));
    }
    has_sequence.then_some(run)
}

/// A site in memory.
fn site(runs: Vec<RunFile>) -> SiteFiles {
    SiteFiles {
        folder: PathBuf::from("in memory"),
        runs,
        listed: Vec::new(),
        damage: Vec::new(),
        notes: Vec::new(),
        is_unfinished: false,
    }
}

/// A run to judge: a run of `generate`, or tables with their names.
#[derive(FromPyObject)]
pub(crate) enum JudgedRun<'py> {
    Own(Py<NativeRun>),
    Tables(Vec<(String, Bound<'py, PyAny>)>),
}

/// What is judged by.
struct JudgedBy {
    profile: Profile,
    bad_blocks: Vec<(Die, Block)>,
}

/// The campaign of runs of a site; `None` for tables from elsewhere.
///
/// # Errors
/// When the runs are not the first of one site of one campaign, each once and in order.
fn campaign(py: Python<'_>, runs: &[JudgedRun<'_>]) -> PyResult<Option<Arc<Generation>>> {
    let own = runs.iter().filter_map(|run| match run {
        JudgedRun::Own(run) => Some(run.get()),
        JudgedRun::Tables(_) => None,
    });
    let own: Vec<&NativeRun> = own.collect();
    let Some(first) = own.first() else { return Ok(None) };
    if own.len() < runs.len() {
        return Err(refused(py, "runs of `generate` and tables from elsewhere are judged each by themselves"));
    }
    if own.iter().any(|run| !Arc::ptr_eq(&run.generation, &first.generation)) {
        return Err(refused(py, "these runs are of several campaigns: judge the runs of each by themselves"));
    }
    for (run, wanted) in own.iter().zip(1..) {
        if run.run() != wanted {
            let of_site = run.site().map_or_else(String::new, |site| format!(" of site {site}"));
            let what =
                format!("run {wanted}{of_site} is missing: run {} is judged after all runs before it", run.run());
            let twice = format!("run {}{of_site} is given twice", run.run());
            return Err(refused(py, if run.run() < wanted { twice } else { what }));
        }
    }
    Ok(Some(Arc::clone(&first.generation)))
}

/// Judges the runs of a site, in order. Runs of `generate` are judged by what they were made with, and `profile` must be the same. Returns whether no rule is broken, the verdict as JSON, and as text.
#[pyfunction]
#[pyo3(signature = (profile, runs, max_findings, data, full_status))]
pub(crate) fn judge(
    py: Python<'_>,
    profile: Option<&NativeProfile>,
    runs: Vec<JudgedRun<'_>>,
    max_findings: usize,
    data: bool,
    full_status: bool,
) -> PyResult<(bool, String, String)> {
    let by = match campaign(py, &runs)? {
        Some(generation) => {
            if profile.is_some_and(|profile| !generation.is_of(&profile.device)) {
                let other = "these runs are of another profile: leave `profile` out, or judge their tables";
                return Err(refused(py, other));
            }
            JudgedBy { profile: generation.profile().clone(), bad_blocks: generation.bad_blocks().to_vec() }
        }
        None => {
            let Some(profile) = profile else { return Err(refused(py, "tables are judged by a profile")) };
            JudgedBy { profile: profile.device.expecting(Expectations { data, full_status }), bad_blocks: Vec::new() }
        }
    };
    let mut source = MemorySource::new(&by.profile);
    let mut files = Vec::new();
    for (at, run) in runs.into_iter().enumerate() {
        let (number, tables) = match run {
            JudgedRun::Own(run) => (run.get().run(), of_run(run.get())),
            JudgedRun::Tables(tables) => (at as u64 + 1, of_tables(py, &tables)?),
        };
        let lacking = || refused(py, "a run without its operation_sequence cannot be judged");
        files.push(run_file(number, tables, &mut source).ok_or_else(lacking)?);
    }
    in_thread(py, Interrupted::Left, move |stop| Ok(verdict(&by, site(files), (&source, stop), max_findings)))?
        .map_err(|reason| refused(py, reason))
}

/// The verdict on a site: whether it is clean, as JSON, as text; or why there is none.
fn verdict(
    by: &JudgedBy,
    site: SiteFiles,
    (source, stop): (&MemorySource, &AtomicBool),
    max_findings: usize,
) -> Result<(bool, String, String), String> {
    let options = Options { bad_blocks: &by.bad_blocks, source, max_findings, stop: Some(stop) };
    let judged: SiteReport = judge_site(&by.profile, site, &options).map_err(|error| error.to_string())?;
    let report = Report { profile: by.profile.name.clone(), max_findings, notes: Vec::new(), sites: vec![judged] };
    let json = serde_json::to_string(&report.json()).map_err(|error| error.to_string())?;
    Ok((report.is_clean(), json, report.to_string()))
}

fn of_run(run: &NativeRun) -> Vec<(FileKind, MemoryTable)> {
    run.tables.iter().map(|table| (table.kind(), MemoryTable::Run(table.clone()))).collect()
}

fn of_tables(py: Python<'_>, tables: &[(String, Bound<'_, PyAny>)]) -> PyResult<Vec<(FileKind, MemoryTable)>> {
    let one = |(name, table): &(String, Bound<'_, PyAny>)| {
        let kind = FileKind::named(name).filter(|kind| kind.is_table());
        let kind = kind.ok_or_else(|| refused(py, format!("{name} is no table of a run")))?;
        let table = any_table(table)?;
        let columns = kind.columns().names;
        table.check_columns(columns).map_err(|missing| {
            refused(py, format!("the table has no column {missing}; those of {name} are {}", columns.join(", ")))
        })?;
        Ok((kind, table))
    };
    tables.iter().map(one).collect()
}

/// The coverage of the runs of a campaign, counted run by run.
#[pyclass(frozen, name = "Coverage", module = "nandseqgen._nandseqgen")]
pub(crate) struct NativeCoverage {
    generation: Arc<Generation>,
    counted: Mutex<CountedCoverage>,
    /// The site and the number of each run that was counted.
    runs: Mutex<BTreeSet<(Option<u64>, u64)>>,
    remarks: Vec<PlacedProblem>,
}

#[pymethods]
impl NativeCoverage {
    /// Counts a first run.
    #[new]
    fn new(py: Python<'_>, first: &NativeRun) -> PyResult<Self> {
        let generation = Arc::clone(&first.generation);
        let of = Arc::clone(&generation);
        let (counted, remarks) = in_thread(py, Interrupted::Left, move |_| Ok(CountedCoverage::new(&of)))?;
        let (counted, runs) = (Mutex::new(counted), Mutex::default());
        let this = Self { generation, counted, runs, remarks };
        this.add(py, first)?;
        Ok(this)
    }

    /// Counts a run of the same campaign.
    fn add(&self, py: Python<'_>, run: &NativeRun) -> PyResult<()> {
        if !Arc::ptr_eq(&run.generation, &self.generation) {
            return Err(refused(py, "these runs are of several campaigns: count the runs of each by themselves"));
        }
        let is_new = self.runs.lock().unwrap_or_else(PoisonError::into_inner).insert((run.site(), run.run()));
        if !is_new {
            let site = run.site().map_or_else(String::new, |site| format!("site {site}, "));
            return Err(refused(py, format!("{site}run {} is given twice: it counts once", run.run())));
        }
        let counted = py.detach(|| self.count(run));
        counted.map_err(|refusal| exception(py, &refusal))
    }

    /// Warnings about what can be covered, each as keyword arguments.
    #[getter]
    fn remarks<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        problems(py, &self.remarks)
    }

    /// Whether the runs were made with a test plan.
    #[getter]
    fn has_plan(&self) -> bool {
        self.generation.has_plan()
    }

    /// What `coverage report` says as JSON.
    fn report(&self, py: Python<'_>) -> String {
        py.detach(|| self.counted.lock().unwrap_or_else(PoisonError::into_inner).report(&self.generation))
    }
}

impl NativeCoverage {
    fn count(&self, run: &NativeRun) -> Result<(), Refusal> {
        let mut source = MemorySource::new(self.generation.profile());
        let hits = FileKind::OpStateNameInputTimeCount;
        let has_hits = run.tables.iter().any(|table| table.kind() == hits);
        let file = run_file(run.run(), of_run(run), &mut source).filter(|_| has_hits);
        let file = file
            .ok_or_else(|| Refusal::new(format!("coverage is counted from operation_sequence and {}", hits.name())))?;
        let site = run.site().map_or_else(|| "site".to_owned(), |site| format!("site {site}"));
        self.counted.lock().unwrap_or_else(PoisonError::into_inner).add(
            &self.generation,
            &source,
            &site,
            (&file, run.facts.phase.as_ref()),
        )
    }
}
