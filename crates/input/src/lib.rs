//! Reading written files: the rows of sequences and tables, and the folders that they lie in.
//!
//! No input makes a reader panic, and every fault of a row is a value. Leaves out the judgement of the rows, and how files are
//! written.
//!
//! Each row of a sequence is an operation or a fault, and reading goes on after a fault:
//!
//! ```
//! use nandseq_input::{RowFault, SequenceReader};
//! use nandseq_profile::{Ticks, builtin};
//!
//! let text = "seq,time,op_id,op_name,op_uid,payload\n1,0.5,0,Data_Out_Termination,1,[{}]\n2,0.6,0,Nonsense,2,[{}]\n";
//! let mut reader = SequenceReader::new(&builtin::profile(), text.as_bytes())?;
//! assert_eq!(reader.next_row()?.expect("a row").expect("an operation").time, Ticks(500_000));
//! assert!(matches!(reader.next_row()?.expect("a row").unwrap_err().fault, RowFault::UnknownOp(_)));
//! assert!(reader.next_row()?.is_none());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod archive;
mod clock;
mod fast_path;
pub mod field_text;
pub mod folder;
pub mod form;
mod header;
mod line;
mod payload;
mod row;
mod sequence;
pub mod source;
pub mod table;
pub mod thrift;

pub use header::NoHeader;
pub use row::{Addressed, BadRow, COLUMNS, FieldSet, MAX_LINE, PayloadFault, Row, RowFault};
pub use sequence::{ReadError, SequenceReader};
pub use source::{CsvFiles, STANDARD_INPUT, Source};
