//! Refusals as exceptions of the Python half, and waiting for work without the interpreter.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use nandseqgen::embedded::{PlacedProblem, Refusal};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

/// How often signals are looked at.
const LOOK: Duration = Duration::from_millis(50);

/// A problem as keyword arguments of the Python class.
pub(crate) fn problem<'py>(py: Python<'py>, of: &PlacedProblem) -> PyResult<Bound<'py, PyDict>> {
    let fields = PyDict::new(py);
    fields.set_item("severity", of.severity)?;
    fields.set_item("code", of.code)?;
    fields.set_item("message", &of.message)?;
    fields.set_item("help", of.help.as_deref())?;
    fields.set_item("file", of.file.as_deref())?;
    fields.set_item("line", of.line)?;
    fields.set_item("column", of.column)?;
    Ok(fields)
}

/// Problems as keyword arguments of the Python class.
pub(crate) fn problems<'py>(py: Python<'py>, all: &[PlacedProblem]) -> PyResult<Vec<Bound<'py, PyDict>>> {
    all.iter().map(|of| problem(py, of)).collect()
}

/// The exception for a refusal.
pub(crate) fn exception(py: Python<'_>, refusal: &Refusal) -> PyErr {
    let made = || {
        let problems = problems(py, &refusal.problems)?;
        let of = py.import("nandseqgen._errors")?.getattr("of_refusal")?;
        of.call1((refusal.code, &refusal.text, PyList::new(py, problems)?))
    };
    match made() {
        Ok(exception) => PyErr::from_value(exception),
        Err(error) => error,
    }
}

/// The exception for arguments that cannot be used.
pub(crate) fn refused(py: Python<'_>, message: impl Into<String>) -> PyErr {
    exception(py, &Refusal::new(message))
}

/// Waits for the next message without the interpreter, and looks at signals now and then. `None` if there will be none.
///
/// # Errors
/// What the handler of a signal raises.
pub(crate) fn wait<T: Send>(
    py: Python<'_>,
    next: impl Fn(Duration) -> Result<T, RecvTimeoutError> + Sync,
) -> PyResult<Option<T>> {
    loop {
        match py.detach(|| next(LOOK)) {
            Ok(message) => return Ok(Some(message)),
            Err(RecvTimeoutError::Timeout) => py.check_signals()?,
            Err(RecvTimeoutError::Disconnected) => return Ok(None),
        }
    }
}

/// What an interruption leaves of the work in another thread.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interrupted {
    /// It is told by its flag, and goes on until it looks at that. Nobody waits.
    Left,
    /// It is told by its flag, and has ended when the call returns, because it writes what a later call reads. Another interruption leaves it.
    Ended,
}

/// Does work in a thread of its own, so that a signal is heard meanwhile. Work that a signal interrupts is told so by its flag.
///
/// # Errors
/// The refusal as an exception, and what the handler of a signal raises.
pub(crate) fn in_thread<T: Send + 'static>(
    py: Python<'_>,
    interrupted: Interrupted,
    work: impl FnOnce(&Arc<AtomicBool>) -> Result<T, Refusal> + Send + 'static,
) -> PyResult<T> {
    let (sender, receiver) = sync_channel(1);
    let stop = Arc::new(AtomicBool::new(false));
    let stopping = Arc::clone(&stop);
    thread::Builder::new().spawn(move || {
        // Nobody waits after an interruption.
        let _ = sender.send(work(&stopping));
    })?;
    let receiver = Shared::new(receiver);
    let next = || wait(py, |time| receiver.receive(time));
    let done = next().or_else(|raised| {
        stop.store(true, Ordering::Relaxed);
        if interrupted == Interrupted::Ended {
            next()?;
        }
        Err(raised)
    });
    match done? {
        Some(Ok(done)) => Ok(done),
        Some(Err(refusal)) => Err(exception(py, &refusal)),
        None => Err(no_result()),
    }
}

/// The exception for a thread that ended before its work.
pub(crate) fn no_result() -> PyErr {
    PyRuntimeError::new_err("the work ended without a result: this is a fault of the program")
}

/// A receiver that threads share.
pub(crate) struct Shared<T>(std::sync::Mutex<Option<Receiver<T>>>);

impl<T> Shared<T> {
    pub(crate) const fn new(receiver: Receiver<T>) -> Self {
        Self(std::sync::Mutex::new(Some(receiver)))
    }

    /// The next message.
    ///
    /// # Errors
    /// When there is none yet, or will be none.
    pub(crate) fn receive(&self, time: Duration) -> Result<T, RecvTimeoutError> {
        let receiver = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        receiver.as_ref().map_or(Err(RecvTimeoutError::Disconnected), |receiver| receiver.recv_timeout(time))
    }

    /// Receives no further message.
    pub(crate) fn close(&self) {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = None;
    }
}
