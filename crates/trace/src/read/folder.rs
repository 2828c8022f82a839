//! Which folders hold sequences, and whether they still hold what was written.
//!
//! A folder with files `operation_sequence_<stamp>_<run>.csv` is a site, and so is one with `run=<run>/operation_sequence.parquet`
//! for who can read that; folders below it are searched too, so that the root of a batch, whatever its folders are called, gives all
//! its sites. Where the root has the manifest of a batch, the sites are those that it lists: others are left over from a larger batch,
//! and named in a note. Where a site has a `manifest.json`, its files are compared with what that says of them; where it has none, the
//! files alone are enough. Comparing them is apart from finding them: it reads every byte, which sites can do at the same time.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::files::{Digest, FileKind};
use crate::json_fault;
use crate::manifest;
use crate::read::table::TableKind;

/// How far below the given folder sites are looked for.
const DEPTH: usize = 4;

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
    #[error("no manifest of a site: {0}")]
    Manifest(String),
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
}

impl FindError {
    fn io(path: &Path, error: io::Error) -> Self {
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
    let about = path.metadata().map_err(|error| FindError::io(path, error))?;
    if !about.is_dir() {
        let run = place_of(path).map_or(1, |(_, run)| run);
        let tables = beside(path).map(|(kind, path)| TableFile { kind, path, rows: None }).collect();
        let runs = vec![RunFile { run, path: path.to_owned(), rows: None, tables, log: log_of(path, |_| true) }];
        let notes = missing_runs(&runs);
        return Ok(vec![SiteFiles { folder: path.to_owned(), runs, listed: Vec::new(), damage: Vec::new(), notes }]);
    }
    let sequence = parquet_sequence(path);
    if forms == Forms::CsvAndParquet && run_folder(path).is_some() && sequence.is_file() {
        return find_forms(&sequence, forms);
    }
    let mut found = Vec::new();
    search(path, DEPTH, forms, &mut found)?;
    let sites = match batch(path)? {
        Some(batch) => sites_of(path, &batch, found)?,
        None => found.into_iter().map(|(folder, files)| site(&folder, files)).collect::<Result<_, _>>()?,
    };
    if sites.is_empty() {
        return Err(FindError::Nothing { folder: path.to_owned(), forms });
    }
    Ok(sites)
}

/// The sites that the manifest of a batch lists, among folders with sequences; the others are named in a note.
fn sites_of(root: &Path, batch: &Batch, found: Vec<Sequences>) -> Result<Vec<SiteFiles>, FindError> {
    let mut found: BTreeMap<PathBuf, Vec<(u64, PathBuf)>> = found.into_iter().collect();
    let mut sites = Vec::new();
    for listed in &batch.sites {
        let folder = root.join(&listed.folder);
        let manifest = folder.join(manifest::FILE_NAME);
        let damage = compare(&[ListedFile { path: manifest, sha256: listed.manifest_sha256 }])?.pop();
        let mut site = match (found.remove(&folder), &damage) {
            (Some(files), _) => site(&folder, files)?,
            (None, Some(_)) => {
                SiteFiles { folder, runs: Vec::new(), listed: Vec::new(), damage: Vec::new(), notes: Vec::new() }
            }
            // Its outputs were chosen without sequences.
            (None, None) => continue,
        };
        site.damage.extend(damage);
        sites.push(site);
    }
    if let Some(first) = sites.first_mut() {
        let note =
            |folder: &PathBuf| format!("`{}` is not in the manifest of the batch and was left out", folder.display());
        first.notes.splice(0..0, found.keys().map(note));
    }
    Ok(sites)
}

/// Whether a file is Parquet, by its name.
#[must_use]
pub fn is_parquet(path: &Path) -> bool {
    path.extension().is_some_and(|end| end == "parquet")
}

fn name_of(path: &Path) -> Option<&str> {
    path.file_name()?.to_str()
}

/// A number of decimal digits and nothing else.
fn digits(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

/// What the names of a run's CSV files share, and the run: `_<stamp>_<run>.csv`.
fn run_of(name: &str) -> Option<(&str, u64)> {
    let rest = name.strip_prefix(FileKind::OperationSequence.name())?;
    let (_, run) = rest.strip_prefix('_')?.strip_suffix(".csv")?.rsplit_once('_')?;
    digits(run).map(|run| (rest, run))
}

/// The run of a folder `run=<run>`.
fn run_folder(path: &Path) -> Option<u64> {
    digits(name_of(path)?.strip_prefix("run=")?)
}

/// The sequence in a run's folder of a dataset.
fn parquet_sequence(folder: &Path) -> PathBuf {
    folder.join(format!("{}.parquet", FileKind::OperationSequence.name()))
}

/// Of a sequence under a name that says so: what the names of the run's files share, and the run.
fn place_of(sequence: &Path) -> Option<(&str, u64)> {
    let name = name_of(sequence)?;
    if is_parquet(sequence) {
        let rest = name.strip_prefix(FileKind::OperationSequence.name())?;
        return Some((rest, run_folder(sequence.parent()?)?));
    }
    run_of(name)
}

/// The tables that lie beside a sequence and are of the same run.
fn beside(sequence: &Path) -> impl Iterator<Item = (TableKind, PathBuf)> {
    let rest = place_of(sequence).map(|(rest, _)| rest);
    let path = move |kind: TableKind| Some((kind, sequence.with_file_name(format!("{}{}", kind.name(), rest?))));
    TableKind::ALL.into_iter().filter_map(path).filter(|(_, path)| path.is_file())
}

/// The log of a run's proposals; of several that might be it, the last by name.
fn log_of(sequence: &Path, known: impl Fn(&Path) -> bool) -> Option<PathBuf> {
    const NAME: &str = "proposer_debug";
    let (rest, run) = place_of(sequence)?;
    let there = |path: &PathBuf| path.is_file() && known(path);
    if !is_parquet(sequence) {
        let name = format!("{NAME}{}.log", rest.strip_suffix(".csv")?);
        return Some(sequence.with_file_name(name)).filter(there);
    }
    let of_run = |name: &str| {
        let stamped = name.strip_prefix(NAME)?.strip_prefix('_')?.strip_suffix(".log")?;
        digits(stamped.rsplit_once('_')?.1).filter(|&of| of == run)
    };
    let entries = sequence.parent()?.parent()?.read_dir().ok()?;
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    paths.filter(|path| name_of(path).and_then(of_run).is_some()).filter(there).max()
}

/// A folder and the sequences in it, in the order of their runs.
type Sequences = (PathBuf, Vec<(u64, PathBuf)>);

fn search(folder: &Path, depth: usize, forms: Forms, found: &mut Vec<Sequences>) -> Result<(), FindError> {
    let failed = |error| FindError::io(folder, error);
    let mut below = Vec::new();
    let mut files = Vec::new();
    for entry in folder.read_dir().map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            let dataset = run_folder(&path).filter(|_| forms == Forms::CsvAndParquet);
            let sequence = parquet_sequence(&path);
            match dataset.filter(|_| sequence.is_file()) {
                Some(run) => files.push((run, sequence)),
                None => below.push(path),
            }
        } else if let Some((_, run)) = name_of(&path).and_then(run_of) {
            files.push((run, path));
        }
    }
    if !files.is_empty() {
        files.sort();
        found.push((folder.to_owned(), files));
    }
    below.sort();
    if depth > 0 {
        below.iter().try_for_each(|path| search(path, depth - 1, forms, found))?;
    }
    Ok(())
}

/// A site with files in the order of their runs.
fn site(folder: &Path, mut files: Vec<(u64, PathBuf)>) -> Result<SiteFiles, FindError> {
    let mut damage = Vec::new();
    let mut notes = Vec::new();
    let listed = listed(folder, &mut damage)?;
    let (mut rows, mut files_listed) = (BTreeMap::new(), Vec::new());
    if let Some(listed) = &listed {
        let known = |path: &Path| listed.iter().find(|file| folder.join(&file.file) == path);
        for (_, path) in &files {
            if known(path).is_none() {
                notes.push(format!("`{}` is not in the manifest and was left out", path.display()));
            }
        }
        files.retain(|(_, path)| known(path).is_some());
        for file in listed {
            let path = folder.join(&file.file);
            files_listed.push(ListedFile { path: path.clone(), sha256: file.sha256 });
            rows.insert(path, file.rows);
        }
    }
    if let Some(pair) = files.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        return Err(FindError::TwoFiles { run: pair[0].0, first: pair[0].1.clone(), second: pair[1].1.clone() });
    }
    let mut runs = Vec::new();
    for (run, path) in files {
        let mut tables = Vec::new();
        for (kind, path) in beside(&path) {
            let rows = rows.get(&path).copied();
            if listed.is_some() && rows.is_none() {
                notes.push(format!("`{}` is not in the manifest and was left out", path.display()));
            } else {
                tables.push(TableFile { kind, path, rows });
            }
        }
        let log = log_of(&path, |log| listed.is_none() || rows.contains_key(log));
        runs.push(RunFile { run, rows: rows.get(&path).copied(), path, tables, log });
    }
    notes.extend(missing_runs(&runs));
    Ok(SiteFiles { folder: folder.to_owned(), runs, listed: files_listed, damage, notes })
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

/// What of the manifest of a batch is needed.
#[derive(Deserialize)]
struct Batch {
    sites: Vec<BatchSite>,
}

#[derive(Deserialize)]
struct BatchSite {
    folder: String,
    manifest_sha256: Digest,
}

/// The manifest of a batch in a folder; `None` where there is none, or one of a site.
fn batch(folder: &Path) -> Result<Option<Batch>, FindError> {
    let path = folder.join(manifest::FILE_NAME);
    match std::fs::read(&path) {
        Ok(text) => Ok(serde_json::from_slice(&text).ok()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(FindError::io(&path, error)),
    }
}

/// What of a manifest is compared; other keys, and kinds of files yet unknown, are passed over.
#[derive(Deserialize)]
struct Manifest {
    runs: Vec<ManifestRun>,
}

#[derive(Deserialize)]
struct ManifestRun {
    files: Vec<ManifestFile>,
}

#[derive(Deserialize)]
struct ManifestFile {
    file: String,
    rows: u64,
    sha256: Digest,
}

/// The files that the manifest of a folder lists; `None` without a manifest.
fn listed(folder: &Path, damage: &mut Vec<Damage>) -> Result<Option<Vec<ManifestFile>>, FindError> {
    let path = folder.join(manifest::FILE_NAME);
    let text = match std::fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(FindError::io(&path, error)),
    };
    match serde_json::from_slice::<Manifest>(&text) {
        Ok(manifest) => Ok(Some(manifest.runs.into_iter().flat_map(|run| run.files).collect())),
        Err(error) => {
            damage.push(Damage { file: path, what: DamageKind::Manifest(json_fault::describe(&error)) });
            Ok(None)
        }
    }
}

/// Which files differ from what the manifest says of them, in their order; rows are counted when they are read.
///
/// # Errors
/// [`FindError::Io`] when a file cannot be read.
pub fn compare(listed: &[ListedFile]) -> Result<Vec<Damage>, FindError> {
    let mut damage = Vec::new();
    for file in listed {
        let what = difference(file).map_err(|error| FindError::io(&file.path, error))?;
        damage.extend(what.map(|what| Damage { file: file.path.clone(), what }));
    }
    Ok(damage)
}

/// How a file differs from what the manifest says.
fn difference(listed: &ListedFile) -> io::Result<Option<DamageKind>> {
    let mut file = match File::open(&listed.path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Some(DamageKind::Missing)),
        Err(error) => return Err(error),
    };
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        hash.update(&buffer[..read]);
    }
    let found = Digest(hash.finalize().into());
    Ok((found != listed.sha256).then_some(DamageKind::Changed { listed: listed.sha256, found }))
}
