//! Which folders hold sequences, and whether they still hold what was written.
//!
//! A folder with files `operation_sequence_<stamp>_<run>.csv` is a site, and so is one with `run=<run>/operation_sequence.parquet`
//! for who can read that; folders below it are searched too, so that the root of a batch, whatever its folders are called, gives all
//! its sites. Where the root has the manifest of a batch, the sites are those that it lists: others are left over from a larger batch,
//! and named in a note. Where a site has a `manifest.json`, or the ledger of a site that is not finished, its files are compared with
//! what that says of them; where it has neither, the files alone are enough. Files that were packed since (`….csv.gz`) are what they
//! were. Comparing them is apart from finding them: it reads every byte, which sites can do at the same time.

mod files;
mod listed;
mod names;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use nandseq_profile::diagnostic::counted;

use crate::files::Digest;
use crate::manifest::{self, BatchManifest, Fault, ManifestKind};
use crate::read::table::TableKind;

pub use files::find_all;
use listed::{Known, Listing};
pub use listed::{compare, digest_of};
pub(crate) use names::PACKED;
pub use names::is_parquet;
use names::{beside, log_of, name_of, parquet_sequence, run_folder, run_of};

/// How far below the given folder sites are looked for.
pub const DEPTH: usize = 4;

/// The sequences of a site.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SiteFiles {
    /// Its folder; of a single file, that file.
    pub folder: PathBuf,
    /// Its runs, in order.
    pub runs: Vec<RunFile>,
    /// The files that its manifest lists, which nobody has looked into yet: see [`compare`].
    pub listed: Vec<ListedFile>,
    /// What else is not as the manifest says.
    pub damage: Vec<Damage>,
    /// What a reader of a verdict should know: runs that are not there, files left out.
    pub notes: Vec<String>,
    /// Whether it has a ledger in place of a manifest: it is being made, or was killed.
    pub is_unfinished: bool,
}

impl SiteFiles {
    /// A site of which nothing is known yet.
    fn empty(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            runs: Vec::new(),
            listed: Vec::new(),
            damage: Vec::new(),
            notes: Vec::new(),
            is_unfinished: false,
        }
    }
}

/// A file that a manifest lists.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ListedFile {
    /// Where it should be.
    pub path: PathBuf,
    /// What the manifest says of its contents.
    pub sha256: Digest,
}

/// The sequence of a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RunFile {
    /// Its number, from the file name; 1 for a single file of another name.
    pub run: u64,
    /// Where it is.
    pub path: PathBuf,
    /// How many rows the manifest says it has.
    pub rows: Option<u64>,
    /// The tables of the run that are there.
    pub tables: Vec<TableFile>,
    /// The log of its proposals, if it is there.
    pub log: Option<PathBuf>,
}

/// A table of a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TableFile {
    /// Which one.
    pub kind: TableKind,
    /// Where it is.
    pub path: PathBuf,
    /// How many rows the manifest says it has.
    pub rows: Option<u64>,
}

/// A file that is not what the manifest says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Damage {
    /// Which file.
    pub file: PathBuf,
    /// What is wrong with it.
    pub what: DamageKind,
}

/// How a file can differ from what the manifest says.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DamageKind {
    /// It is not there.
    #[error("listed in the manifest, but not there")]
    Missing,
    /// It is a pipe, a device or the like, or a link to nothing: nobody reads it.
    #[error("no regular file, so it was not read: move it away")]
    NotRegular,
    /// Its contents are others.
    #[error("changed since it was written: SHA-256 {found} instead of {listed}")]
    Changed {
        /// According to the manifest.
        listed: Digest,
        /// Of the file.
        found: Digest,
    },
    /// It has another number of rows.
    #[error("its number of rows is {found} instead of {listed}")]
    Rows {
        /// According to the manifest.
        listed: u64,
        /// In the file.
        found: u64,
    },
    /// The manifest itself cannot be read.
    #[error("no {}: {fault}", kind.text())]
    Manifest {
        /// What it is of.
        kind: ManifestKind,
        /// What is wrong with it.
        fault: Fault,
    },
}

/// Why there is nothing to read.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// The file system says no.
    #[error("cannot read `{}`: {error}", path.display())]
    Io {
        /// What was to be read.
        path: PathBuf,
        /// Why it could not be.
        error: io::Error,
    },
    /// No sequence in the folder or below it.
    #[error("no {} in `{}` or the folders below it", forms.sought(), folder.display())]
    Nothing {
        /// The folder.
        folder: PathBuf,
        /// What was looked for.
        forms: Forms,
    },
    /// Two files of one run, and no manifest to say which one counts.
    #[error("two files of run {run}, `{}` and `{}`: remove one of them", first.display(), second.display())]
    TwoFiles {
        /// The run.
        run: u64,
        /// One file.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
    /// A file was named more than once.
    #[error("`{}` is given twice", .0.display())]
    Twice(PathBuf),
    /// A manifest names a file or folder that does not lie in its own, or is of another form: nothing of that is read.
    #[error("{what}")]
    Refused {
        /// Which manifest, and what is wrong with it.
        what: String,
        /// Whether another version wrote it.
        other_version: bool,
    },
}

impl FindError {
    pub(crate) fn io(path: &Path, error: io::Error) -> Self {
        Self::Io { path: path.to_owned(), error }
    }
}

/// The forms of tables that somebody can read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Forms {
    /// CSV alone.
    Csv,
    /// CSV, and Parquet as a dataset with a folder for each run.
    CsvAndParquet,
}

impl Forms {
    const fn sought(self) -> &'static str {
        match self {
            Self::Csv => "operation_sequence_*.csv",
            Self::CsvAndParquet => "operation_sequence_*.csv or run=*/operation_sequence.parquet",
        }
    }
}

/// Finds the sites of a path in CSV: of a batch, a site, or a single file, in the order of their paths.
///
/// # Errors
/// [`FindError`] when there is nothing to read, or no telling what.
pub fn find(path: &Path) -> Result<Vec<SiteFiles>, FindError> {
    find_forms(path, Forms::Csv)
}

/// Finds the sites of a path as [`find`] does, in any of some forms.
///
/// # Errors
/// As there.
pub fn find_forms(path: &Path, forms: Forms) -> Result<Vec<SiteFiles>, FindError> {
    if files::is_file(path)? {
        return Ok(vec![files::alone(path)]);
    }
    let sequence = parquet_sequence(path);
    if forms == Forms::CsvAndParquet && run_folder(path).is_some() && sequence.is_file() {
        return find_forms(&sequence, forms);
    }
    let found = search(path, forms)?;
    let each = |found: Vec<Sequences>| -> Result<Vec<SiteFiles>, FindError> {
        found.into_iter().map(|(folder, files)| site(&folder, files)).collect()
    };
    let is_site = found.iter().any(|(folder, _)| folder == path);
    let sites = match listed::batch(path, is_site)? {
        Known::Says(batch) => sites_of(path, &batch, found, forms)?,
        Known::Nothing => each(found)?,
        Known::Faulty(damage) => {
            let mut sites = each(found.into_iter().filter(|(folder, _)| folder != path).collect())?;
            if let Some(first) = sites.first_mut() {
                first.damage.push(damage);
            }
            sites
        }
    };
    if sites.is_empty() {
        return Err(FindError::Nothing { folder: path.to_owned(), forms });
    }
    Ok(sites)
}

/// The sites that the manifest of a batch lists, among folders with sequences; the others are named in a note.
fn sites_of(
    root: &Path,
    batch: &BatchManifest,
    found: Vec<Sequences>,
    forms: Forms,
) -> Result<Vec<SiteFiles>, FindError> {
    let mut found: BTreeMap<PathBuf, Vec<(u64, PathBuf)>> = found.into_iter().collect();
    let mut sites = Vec::new();
    for listed in &batch.sites {
        let folder = listed::inside(&listed.folder, root)?;
        let manifest = folder.join(manifest::FILE_NAME);
        let damage = compare(&[ListedFile { path: manifest, sha256: listed.manifest_sha256 }])?.pop();
        if folder.is_symlink() {
            found.extend(search(&folder, forms)?.into_iter().filter(|(place, _)| *place == folder));
        }
        let mut site = match (found.remove(&folder), &damage) {
            (Some(files), _) => site(&folder, files)?,
            (None, Some(_)) => SiteFiles::empty(&folder),
            // Its outputs were chosen without sequences.
            (None, None) => continue,
        };
        site.damage.extend(damage);
        sites.push(site);
    }
    if let Some(first) = sites.first_mut() {
        first.notes.splice(0..0, left_out(found.keys(), "the manifest of the batch"));
    }
    Ok(sites)
}

/// A folder and the sequences in it, in the order of their runs.
type Sequences = (PathBuf, Vec<(u64, PathBuf)>);

/// The folders with sequences at a path and below it.
fn search(root: &Path, forms: Forms) -> Result<Vec<Sequences>, FindError> {
    let mut found = Vec::new();
    let real = root.canonicalize().map_err(|error| FindError::io(root, error))?;
    search_below(root, &real, DEPTH, forms, &mut found)?;
    Ok(found)
}

/// Searches a folder. A link to what lies below `root` is passed over, as that is found without it; so is one to what `root` lies in.
fn search_below(
    folder: &Path,
    root: &Path,
    depth: usize,
    forms: Forms,
    found: &mut Vec<Sequences>,
) -> Result<(), FindError> {
    let is_found = |path: &Path| {
        path.is_symlink() && path.canonicalize().is_ok_and(|real| real.starts_with(root) || root.starts_with(real))
    };
    let failed = |error| FindError::io(folder, error);
    let mut below = Vec::new();
    let mut files = Vec::new();
    let (mut is_finished, mut is_begun) = (false, false);
    for entry in folder.read_dir().map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            let dataset = run_folder(&path).filter(|_| forms == Forms::CsvAndParquet);
            let sequence = parquet_sequence(&path);
            match dataset.filter(|_| sequence.is_file()) {
                Some(run) => files.push((run, sequence)),
                None if is_found(&path) => {}
                None => below.push(path),
            }
        } else if let Some((_, run)) = name_of(&path).and_then(run_of) {
            files.push((run, path));
        } else {
            is_finished |= name_of(&path) == Some(manifest::FILE_NAME);
            is_begun |= name_of(&path) == Some(manifest::PARTIAL_NAME);
        }
    }
    // A site that was killed in its first run has no sequence yet.
    if !files.is_empty() || (is_begun && !is_finished) {
        files.sort();
        found.push((folder.to_owned(), files));
    }
    below.sort();
    if depth > 0 {
        below.iter().try_for_each(|path| search_below(path, root, depth - 1, forms, found))?;
    }
    Ok(())
}

/// Files that a manifest does not list: each by name if they are few, else the first of them and how many there are.
fn left_out<'p>(paths: impl ExactSizeIterator<Item = &'p PathBuf>, list: &str) -> Vec<String> {
    const SHOWN: usize = 3;
    let count = paths.len();
    let mut paths = paths.map(|path| format!("`{}`", path.display()));
    if count <= SHOWN {
        return paths.map(|path| format!("{path} is not in {list} and was left out")).collect();
    }
    let first: Vec<String> = paths.by_ref().take(SHOWN).collect();
    vec![format!("{} and {} more are not in {list} and were left out", first.join(", "), count - SHOWN)]
}

/// A site with files in the order of their runs.
fn site(folder: &Path, mut files: Vec<(u64, PathBuf)>) -> Result<SiteFiles, FindError> {
    let mut site = SiteFiles::empty(folder);
    let listing = match listed::site(folder)? {
        Known::Nothing => None,
        Known::Says(listing) => Some(listing),
        Known::Faulty(damage) => {
            site.damage.push(damage);
            None
        }
    };
    let mut rows = BTreeMap::new();
    let (mut unlisted, mut list) = (Vec::new(), "the manifest");
    let has_list = listing.is_some();
    if let Some(Listing { files: listed, unfinished }) = listing {
        if let Some(runs) = unfinished {
            site.is_unfinished = true;
            list = "the list of finished runs";
            let (runs, are) = (counted(runs, "run"), if runs == 1 { "is" } else { "are" });
            site.notes
                .push(format!("the site is not finished: {runs} {are} complete, as {} says", manifest::PARTIAL_NAME));
        }
        rows.extend(listed.iter().map(|listed| (listed.file.path.clone(), listed.rows)));
        site.listed.extend(listed.into_iter().map(|listed| listed.file));
        let unknown = files.extract_if(.., |(_, path)| !rows.contains_key(path));
        unlisted.extend(unknown.map(|(_, path)| path));
    }
    // One that is listed is told of where it is compared with what the manifest says.
    let unread = files.extract_if(.., |(_, path)| !path.is_file()).filter(|(_, path)| !rows.contains_key(path));
    site.damage.extend(unread.map(|(_, file)| Damage { file, what: DamageKind::NotRegular }));
    if let Some(pair) = files.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        return Err(FindError::TwoFiles { run: pair[0].0, first: pair[0].1.clone(), second: pair[1].1.clone() });
    }
    for (run, path) in files {
        let mut tables = Vec::new();
        for (kind, path) in beside(&path) {
            let rows = rows.get(&path).copied();
            if has_list && rows.is_none() {
                unlisted.push(path);
            } else {
                tables.push(TableFile { kind, path, rows });
            }
        }
        let log = log_of(&path, |log| !has_list || rows.contains_key(log));
        site.runs.push(RunFile { run, rows: rows.get(&path).copied(), path, tables, log });
    }
    site.notes.extend(left_out(unlisted.iter(), list));
    site.notes.extend(missing_runs(&site.runs));
    Ok(site)
}

fn missing_runs(runs: &[RunFile]) -> Vec<String> {
    let mut expected = 1;
    let mut notes = Vec::new();
    for file in runs {
        if file.run > expected {
            let last = file.run - 1;
            let which =
                if last == expected { format!("run {last} is") } else { format!("runs {expected} to {last} are") };
            notes.push(format!("{which} not there: run {} is judged as if nothing had happened in between", file.run));
        }
        expected = file.run.saturating_add(1);
    }
    notes
}
