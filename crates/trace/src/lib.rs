//! The stream of what happened on a site, and the forms that its writers and readers share.
//!
//! The engine pushes each committed operation into a [`Sink`]; sinks write files. Here are the events, the rows of the tables, the
//! names of files and the records of manifests. Nothing here knows rules or chance, writes a file, or reads a table.

mod csv_field;
pub mod events;
pub mod files;
pub mod inside;
pub mod json_fault;
pub mod manifest;
pub mod recorded;
pub mod rows;
pub mod run_name;
mod sink;
pub mod table;
pub mod time_column;

pub use csv_field::csv_field;
pub use events::{Cut, Lanes, OpState, Operation, Proposal, Status};
pub use sink::Sink;
