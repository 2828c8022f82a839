//! Finding the folders of sites and their files, and comparing the files with manifests.
//!
//! A folder with files `operation_sequence_<stamp>_<run>.csv` is a site. So is a folder with
//! `run=<run>/operation_sequence.<ending>`, if the caller can read such a [form](crate::form). Folders below are searched too, so
//! the root of a batch gives all its sites, whatever their folders are called. If the root has the manifest of a batch, only the
//! sites that it lists count; a note names the others, which are left over from a larger batch.
//!
//! If a site has a `manifest.json` or a ledger, its files are compared with it. A site without either is read as it is. A file
//! that was packed since it was written (`….csv.gz`) counts as the same file. [`compare`] reads every byte of the listed files,
//! so it is a step of its own that threads can do for several sites at once.

mod files;
mod listed;
mod names;
mod search;
mod single;
mod site_files;

pub use files::{after, find_all};
pub use listed::{compare, compare_known, digest_of, number_of};
pub use search::{DEPTH, find, find_forms, find_site};
pub use site_files::{Damage, DamageKind, FindError, FoundSites, ListedFile, RunFile, SiteFiles, TableFile};
