//! What happens on a site into files.
//!
//! A [`Recorder`](recorder::Recorder) makes rows of what a sink is told; a [format](format::TableFormat) puts them into files;
//! [`RunFiles`](run_files::RunFiles) names the files of a run when all are complete. Leaves out reading them back.

pub mod csv_tables;
pub mod format;
mod line;
pub mod manifest;
pub mod model;
pub mod named;
pub mod new_file;
pub mod pending;
pub mod recorder;
pub mod run_files;
pub mod sequence;
mod sort;
pub mod threaded_sink;

pub use sort::Budget;
