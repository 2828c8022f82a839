//! The command line, commands whose answers are wanted, and an oracle in Python.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use nandseqgen::embedded::{self, CommandAnswer};
use pyo3::prelude::*;

use crate::refusal::in_thread;

/// Carries out a command line as the program does. Returns the exit code. A signal, or a mistake in the command line, ends the process.
#[pyfunction]
pub(crate) fn command(py: Python<'_>, words: Vec<OsString>) -> u8 {
    py.detach(|| nandseqgen::command_line(words))
}

/// Carries out a command, and gives its exit code, what it prints and what it tells.
#[pyfunction]
pub(crate) fn answer(py: Python<'_>, words: Vec<OsString>) -> PyResult<(u8, String, String)> {
    in_thread(py, move || embedded::answer(&words)).map(parts)
}

/// Carries out `shrink` with a callable that is given the path of a sequence, and says whether it fails.
#[pyfunction]
pub(crate) fn shrink(py: Python<'_>, words: Vec<OsString>, oracle: Py<PyAny>) -> PyResult<(u8, String, String)> {
    let ask = move |sequence: &Path| {
        Python::attach(|py| {
            let asked = oracle.call1(py, (PathBuf::from(sequence),)).and_then(|fails| fails.is_truthy(py));
            asked.map_err(|error| error.to_string())
        })
    };
    in_thread(py, move || embedded::shrink(&words, &ask)).map(parts)
}

fn parts(answer: CommandAnswer) -> (u8, String, String) {
    (answer.code, answer.printed, answer.told)
}
