//! Runs, made in threads of their own and handed over one by one.

use std::ffi::OsString;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::thread;

use nandseq_arrow::{ArrowPlan, ArrowRun, ArrowTable};
use nandseq_profile::units::TICKS_PER_US;
use nandseqgen::embedded::{Generation, Refusal, RunFacts};
use pyo3::prelude::*;

use crate::profile::NativeProfile;
use crate::refusal::{Shared, exception, in_thread, refused, wait};
use crate::table::NativeTable;

/// A run that is complete, or why there is none.
type Message = Result<(RunFacts, Vec<ArrowTable>), Refusal>;

/// The runs of a campaign, one after another.
#[pyclass(frozen, name = "Runs", module = "nandseqgen._nandseqgen")]
pub(crate) struct NativeRuns {
    generation: Arc<Generation>,
    messages: Shared<Message>,
    stop: Arc<AtomicBool>,
}

#[pymethods]
impl NativeRuns {
    /// Begins to make the runs that the flags of `generate` ask for.
    #[new]
    fn new(py: Python<'_>, profile: &NativeProfile, flags: Vec<OsString>) -> PyResult<Self> {
        let device = Arc::clone(&profile.device);
        let generation = in_thread(py, move || Generation::new(&flags, &device))?;
        let plan = ArrowPlan::new(generation.profile()).map_err(|error| refused(py, error.to_string()))?;
        let (generation, stop) = (Arc::new(generation), Arc::new(AtomicBool::new(false)));
        // One run waits here, and others with those who make them.
        let (sender, receiver) = sync_channel::<Message>(1);
        let (making, stopping) = (Arc::clone(&generation), Arc::clone(&stop));
        thread::Builder::new().spawn(move || {
            let (outputs, spare) = (making.outputs(), std::env::temp_dir());
            let begin = || ArrowRun::new(&plan, outputs, &spare);
            let mut take = |facts: RunFacts, tables: Vec<ArrowTable>| sender.send(Ok((facts, tables))).is_ok();
            if let Err(refusal) = making.carry_out(&stopping, (&begin, &ArrowRun::finish), &mut take) {
                // Nobody waits for it after an interruption.
                let _ = sender.send(Err(refusal));
            }
        })?;
        Ok(Self { generation, messages: Shared::new(receiver), stop })
    }

    /// Notes and warnings about the flags and the inputs.
    #[getter]
    fn told(&self) -> &str {
        self.generation.told()
    }

    /// Number of runs of all sites, unless they end early.
    #[getter]
    fn most(&self) -> u64 {
        self.generation.runs()
    }

    /// The next run; `None` after the last.
    fn next(&self, py: Python<'_>) -> PyResult<Option<NativeRun>> {
        match wait(py, |time| self.messages.receive(time)) {
            Ok(Some(Ok((facts, tables)))) => {
                Ok(Some(NativeRun { facts, tables, generation: Arc::clone(&self.generation) }))
            }
            Ok(Some(Err(refusal))) => {
                self.close(py);
                Err(exception(py, &refusal))
            }
            Ok(None) => Ok(None),
            Err(raised) => {
                self.close(py);
                Err(raised)
            }
        }
    }

    /// Ends the work: there are no further runs.
    fn close(&self, py: Python<'_>) {
        self.stop.store(true, Ordering::Relaxed);
        // Another thread may wait for a message for a moment.
        py.detach(|| self.messages.close());
    }
}

impl Drop for NativeRuns {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// A run.
#[pyclass(frozen, name = "Run", module = "nandseqgen._nandseqgen")]
pub(crate) struct NativeRun {
    facts: RunFacts,
    pub(crate) tables: Vec<ArrowTable>,
    pub(crate) generation: Arc<Generation>,
}

#[pymethods]
impl NativeRun {
    #[getter]
    pub(crate) fn site(&self) -> Option<u64> {
        self.facts.site
    }

    #[getter]
    pub(crate) fn run(&self) -> u64 {
        self.facts.run
    }

    #[getter]
    fn seed(&self) -> u64 {
        self.facts.seed
    }

    #[getter]
    fn phase(&self) -> Option<&str> {
        self.facts.phase.as_deref()
    }

    #[getter]
    fn operations(&self) -> u64 {
        self.facts.operations
    }

    /// When the last operation has ended, in µs.
    #[getter]
    fn end(&self) -> f64 {
        self.facts.end.0 as f64 / TICKS_PER_US as f64
    }

    #[getter]
    fn dead_dies(&self) -> Vec<u32> {
        self.facts.dead_dies.iter().copied().map(u32::from).collect()
    }

    /// The tables that were wanted.
    fn tables(&self) -> Vec<NativeTable> {
        self.tables.iter().map(|table| NativeTable { table: table.clone() }).collect()
    }

    /// A table by its name.
    fn table(&self, py: Python<'_>, name: &str) -> PyResult<NativeTable> {
        let found = self.tables.iter().find(|table| table.kind().name() == name);
        let absent = || refused(py, format!("the table {name} was not asked for: see `tables` of generate"));
        found.map(|table| NativeTable { table: table.clone() }).ok_or_else(absent)
    }
}
