//! The command line, commands whose answers are wanted, and an oracle in Python.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use nandseqgen::embedded::{self, CommandAnswer};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::refusal::{Interrupted, in_thread, problems};

/// A code, what is printed, what is told, and the remarks in it, each as keyword arguments.
type Answer<'py> = (u8, String, String, Vec<Bound<'py, PyDict>>);

/// Carries out a command line as the program does. Returns the exit code. A signal, or a mistake in the command line, ends the process.
#[pyfunction]
pub(crate) fn command(py: Python<'_>, words: Vec<OsString>) -> u8 {
    py.detach(|| nandseqgen::command_line(words))
}

/// Carries out a command, and gives its exit code, what it prints and what it tells.
#[pyfunction]
pub(crate) fn answer(py: Python<'_>, words: Vec<OsString>) -> PyResult<Answer<'_>> {
    let answer = in_thread(py, Interrupted::Left, move |stop| embedded::answer(&words, stop))?;
    parts(py, answer)
}

/// Carries out `shrink` with a callable that is given the path of a sequence, and says whether it fails. The exception that ends the search
/// is the cause of the one that is raised.
#[pyfunction]
pub(crate) fn shrink(py: Python<'_>, words: Vec<OsString>, oracle: Py<PyAny>) -> PyResult<Answer<'_>> {
    let raised: Arc<Mutex<Option<PyErr>>> = Arc::default();
    let cause = Arc::clone(&raised);
    let answer = in_thread(py, Interrupted::Ended, move |stop| {
        let ask = |sequence: &Path| {
            Python::attach(|py| {
                let asked = oracle.call1(py, (PathBuf::from(sequence),)).and_then(|fails| fails.is_truthy(py));
                asked.map_err(|error| {
                    let text = error.to_string();
                    cause.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                    text
                })
            })
        };
        embedded::shrink(&words, &ask, stop)
    });
    let answer = answer.inspect_err(|error| {
        let cause = raised.lock().unwrap_or_else(PoisonError::into_inner).take();
        if cause.is_some() {
            error.set_cause(py, cause);
        }
    })?;
    parts(py, answer)
}

fn parts(py: Python<'_>, answer: CommandAnswer) -> PyResult<Answer<'_>> {
    Ok((answer.code, answer.printed, answer.told, problems(py, &answer.remarks)?))
}
