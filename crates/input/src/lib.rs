//! Written files back into rows: sequences, tables, and the folders they lie in.
//!
//! Promises that no input makes a reader panic, and that everything wrong with a row is a value. Leaves out any judgement of what the
//! rows say, and how files are written.

mod clock;
mod fast_path;
pub mod folder;
pub mod form;
mod header;
mod line;
mod payload;
mod row;
mod sequence;
mod source;
pub mod table;

pub use header::NoHeader;
pub use row::{Addressed, BadRow, COLUMNS, FieldSet, MAX_LINE, PayloadFault, Row, RowFault};
pub use sequence::{ReadError, SequenceReader, open};
pub use source::{CsvFiles, STANDARD_INPUT, Source};
