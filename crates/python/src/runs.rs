//! Runs, made in threads of their own and handed over one by one.

use std::ffi::OsString;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use nandseq_arrow::{ArrowPlan, ArrowRun, ArrowTable};
use nandseq_profile::units::TICKS_PER_US;
use nandseqgen::embedded::{Generation, PlacedProblem, Refusal, RunFacts};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::profile::NativeProfile;
use crate::refusal::{Interrupted, Shared, exception, in_thread, no_result, problems, refused, wait};
use crate::table::NativeTable;

/// What the threads that make runs say.
enum Message {
    /// A run that is complete.
    Run(RunFacts, Vec<ArrowTable>),
    /// There are no further runs; what was not reached.
    End(Vec<PlacedProblem>),
    /// Why there are no further runs.
    Refused(Refusal),
}

/// The runs of a campaign, one after another.
#[pyclass(frozen, name = "Runs", module = "nandseqgen._nandseqgen")]
pub(crate) struct NativeRuns {
    generation: Arc<Generation>,
    messages: Shared<Message>,
    stop: Arc<AtomicBool>,
    /// Whether nothing comes any more: the end has come, or nobody wants it.
    is_over: AtomicBool,
    /// What was not reached; empty before the end.
    not_reached: Mutex<Vec<PlacedProblem>>,
}

#[pymethods]
impl NativeRuns {
    /// Begins to make the runs that the flags of `generate` ask for.
    #[new]
    fn new(py: Python<'_>, profile: &NativeProfile, flags: Vec<OsString>) -> PyResult<Self> {
        let device = Arc::clone(&profile.device);
        let generation = in_thread(py, Interrupted::Left, move |_| Generation::new(&flags, &device))?;
        let plan = ArrowPlan::new(generation.profile()).map_err(|error| refused(py, error.to_string()))?;
        let (generation, stop) = (Arc::new(generation), Arc::new(AtomicBool::new(false)));
        // One run waits here, and others with those who make them.
        let (sender, receiver) = sync_channel::<Message>(1);
        let (making, stopping) = (Arc::clone(&generation), Arc::clone(&stop));
        thread::Builder::new().spawn(move || {
            let (outputs, spare) = (making.outputs(), std::env::temp_dir());
            let begin = || ArrowRun::new(&plan, outputs, &spare);
            let mut take = |facts: RunFacts, tables: Vec<ArrowTable>| sender.send(Message::Run(facts, tables)).is_ok();
            let end = making.carry_out(&stopping, (&begin, &ArrowRun::finish), &mut take);
            // Nobody waits for it after an interruption.
            let _ = sender.send(end.map_or_else(Message::Refused, Message::End));
        })?;
        let (is_over, not_reached) = (AtomicBool::new(false), Mutex::default());
        Ok(Self { generation, messages: Shared::new(receiver), stop, is_over, not_reached })
    }

    /// Notes and warnings about the flags and the inputs, each as keyword arguments.
    #[getter]
    fn remarks<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        problems(py, self.generation.remarks())
    }

    /// Warnings about what all runs together did not reach, each as keyword arguments; none before the end.
    #[getter]
    fn not_reached<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        problems(py, &self.not_reached.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Number of runs of all sites, unless they end early.
    #[getter]
    fn most(&self) -> u64 {
        self.generation.runs()
    }

    /// The next run; `None` after the last.
    fn next(&self, py: Python<'_>) -> PyResult<Option<NativeRun>> {
        match wait(py, |time| self.messages.receive(time)) {
            Ok(Some(Message::Run(facts, tables))) => {
                Ok(Some(NativeRun { facts, tables, generation: Arc::clone(&self.generation) }))
            }
            Ok(Some(Message::End(warnings))) => {
                *self.not_reached.lock().unwrap_or_else(PoisonError::into_inner) = warnings;
                self.is_over.store(true, Ordering::Release);
                Ok(None)
            }
            // Another thread has closed it.
            Ok(Some(Message::Refused(_))) if self.is_over.load(Ordering::Acquire) => Ok(None),
            Ok(Some(Message::Refused(refusal))) => {
                self.close(py);
                Err(exception(py, &refusal))
            }
            Ok(None) if self.is_over.load(Ordering::Acquire) => Ok(None),
            Ok(None) => Err(no_result()),
            Err(raised) => {
                self.close(py);
                Err(raised)
            }
        }
    }

    /// Ends the work: there are no further runs.
    fn close(&self, py: Python<'_>) {
        self.is_over.store(true, Ordering::Release);
        self.stop.store(true, Ordering::Release);
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
    pub(crate) facts: RunFacts,
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
