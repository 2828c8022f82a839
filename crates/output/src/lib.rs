//! Writing the events of a site into files.
//!
//! A [`Recorder`](recorder::Recorder) makes rows of the events. A [format](format::TableFormat) writes the rows to files.
//! [`RunFiles`](run_files::RunFiles) gives the files of a run their names when all are complete. Leaves out reading the files.
//!
//! The writer of a sequence is a sink by itself. This one writes one row:
//!
//! ```
//! use nandseq_output::sequence::{SequenceLayout, SequenceWriter};
//! use nandseq_profile::{Target, builtin};
//! use nandseq_trace::{Operation, Sink};
//!
//! let profile = builtin::profile();
//! let layout = SequenceLayout::new(&profile)?;
//! let mut writer = SequenceWriter::new(&layout, Vec::new());
//! writer.operation(&Operation { targets: &[Target::default()], ..Operation::default() })?;
//! let (text, rows) = writer.finish()?;
//! assert_eq!(rows, 1);
//! assert!(text.starts_with(b"seq,time,op_id,op_name,op_uid,payload\n1,0.0,"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod csv_tables;
pub mod format;
mod line;
pub mod manifest;
pub mod model;
pub mod named;
pub mod new_file;
pub mod pack;
pub mod pending;
pub mod recorder;
pub mod row_values;
pub mod run_files;
pub mod sequence;
pub mod sequence_columns;
mod sort;
pub mod stored_types;
pub mod threaded_sink;

pub use sort::Budget;
