//! The tables of a run as Arrow record batches in memory, for whoever passes them on without files.
//!
//! An [`ArrowRun`] is a sink that makes the tables of one run. Rows, order, column names and types are those of the Parquet files. An
//! [`ArrowTable`] keeps its rows in a compact form, and gives as many fresh readers of record batches as one asks for. [`MemorySource`] gives
//! tables in memory as the lines that the same tables have in CSV, so that whatever reads files reads them too. Memory grows with the length of
//! a run. Leaves out how batches reach another program.

mod chunk;
mod columns;
mod run;
mod sequence;
mod source;
mod table;
mod typed;

pub use run::{ArrowPlan, ArrowRun};
pub use source::{MemorySource, MemoryTable};
pub use table::{ArrowTable, TableBatches};
