//! Reports on written runs: an HTML page, timelines for other viewers, coverage.
//!
//! It reads the profile and the files of runs, and nothing else. Its output depends on those alone (no clock, no host), and what
//! it writes needs no network. It does not judge whether runs are legal.
//!
//! [`load::site`] reads the files of a site; each kind of report is made of what it returns. This example exports a folder of
//! runs for a waveform viewer:
//!
//! ```no_run
//! use nandseq_input::{CsvFiles, folder};
//! use nandseq_report::load::{self, Wanted};
//! use nandseq_report::vcd;
//!
//! let profile = nandseq_profile::builtin::profile();
//! let mut sites = Vec::new();
//! for files in folder::find("out".as_ref())? {
//!     sites.push(load::site(&profile, &CsvFiles, &files, Wanted::ALL)?);
//! }
//! vcd::write(&profile, &sites, std::fs::File::create("out.vcd")?)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod chains;
pub mod coverage;
pub mod family;
mod leb128;
pub mod load;
pub mod page;
pub mod perfetto;
mod phases;
pub mod plan;
mod sums;
pub mod vcd;

pub use load::{LoadError, SiteTables, Wanted};
