//! Which folders hold sequences, and whether they still hold what was written.
//!
//! A folder with files `operation_sequence_<stamp>_<run>.csv` is a site, and so is one with `run=<run>/operation_sequence.<ending>`
//! for who can read such a [form](crate::form); folders below it are searched too, so that the root of a batch, whatever its folders are called, gives all
//! its sites. Where the root has the manifest of a batch, the sites are those that it lists: others are left over from a larger batch,
//! and named in a note. Where a site has a `manifest.json`, or the ledger of a site that is not finished, its files are compared with
//! what that says of them; where it has neither, the files alone are enough. Files that were packed since (`….csv.gz`) are what they
//! were. Comparing them is apart from finding them: it reads every byte, which sites can do at the same time.

mod files;
mod listed;
mod names;
mod search;
mod single;
mod site_files;

pub use files::find_all;
pub use listed::{compare, digest_of};
pub use search::{DEPTH, find, find_forms};
pub use site_files::{Damage, DamageKind, FindError, ListedFile, RunFile, SiteFiles, TableFile};
