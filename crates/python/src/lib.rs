//! The native half of the Python module `nandseqgen`: profiles, runs, tables and verdicts.
//!
//! The other half is in Python, under `python/nandseqgen`: it has the names, the documentation and the types that users see. It makes words of
//! a command line of its arguments, so that the module and the command do the same. The interpreter is left to others while work is done, and
//! asked for signals. Leaves out everything that the command does by itself.

mod command;
mod judge;
mod profile;
mod refusal;
mod runs;
mod table;

use pyo3::prelude::*;

#[pymodule]
mod _nandseqgen {
    #[pymodule_export]
    use crate::command::{answer, command, shrink};
    #[pymodule_export]
    use crate::judge::{NativeCoverage, judge};
    #[pymodule_export]
    use crate::profile::NativeProfile;
    #[pymodule_export]
    use crate::runs::{NativeRun, NativeRuns};
    #[pymodule_export]
    use crate::table::NativeTable;
}
