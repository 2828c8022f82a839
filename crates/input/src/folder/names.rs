//! Reading the names of files in a site's folder: the run of a file, and the other files of the run.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use nandseq_trace::file_form::{FileForm, Layout, RUN_FOLDER};
use nandseq_trace::files::{FileKind, PACKED, Stamp};
use nandseq_trace::pack;
use nandseq_trace::table::TableKind;

use crate::archive;
use crate::form::{Form, Forms};

/// The beginning of the name of a proposer log.
const LOG: &str = "proposer_debug";

pub(super) fn name_of(path: &Path) -> Option<&str> {
    path.file_name()?.to_str()
}

/// The number, if the text has only decimal digits.
fn digits(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

/// The path of a file: the file itself or, if only that exists, the file with [`PACKED`] after its name.
pub(super) fn plain_or_packed(path: PathBuf) -> PathBuf {
    if path.exists() || archive::is_file(&path) {
        return path;
    }
    let packed = packed(&path);
    if archive::is_file(&packed) { packed } else { path }
}

fn packed(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(PACKED);
    name.into()
}

/// The run of a sequence in a site's folder, with the end of its name, `_<stamp>_<run>.<ending>`, which the files of a run share.
pub(super) fn run_of(name: &str, forms: Forms) -> Option<(&str, u64)> {
    let form = Some(Form::of(Path::new(name), forms)?.table).filter(|form| form.layout == Layout::Site)?;
    let name = name.strip_suffix(PACKED).unwrap_or(name);
    let rest = name.strip_prefix(FileKind::OperationSequence.name())?;
    let (_, run) = rest.strip_prefix('_')?.strip_suffix(form.ending)?.strip_suffix('.')?.rsplit_once('_')?;
    digits(run).map(|run| (rest, run))
}

/// The runs of the sequences in an archive, with their paths.
///
/// # Errors
/// If the archive cannot be read.
pub(super) fn runs_in_archive(archive: &Path, forms: Forms) -> io::Result<Vec<(u64, PathBuf)>> {
    let members = archive::members(archive)?;
    let run = |name: &String| {
        let path = archive.join(name);
        let (_, run) = place_of(&path, forms)?;
        Some((run, path))
    };
    let mut runs: Vec<_> = members.iter().filter_map(run).collect();
    runs.sort();
    Ok(runs)
}

/// The archive with the sequences of a pack in the folder of its archives, and the first run of the pack. `None` for another folder.
pub(super) fn archive_of_sequences(folder: &Path, forms: Forms) -> Option<(u64, PathBuf)> {
    let first = pack::parse_pack_folder(name_of(folder)?)?;
    let datasets = forms.iter().filter(|form| form.table.layout == Layout::Dataset);
    let is_there = |archive: &PathBuf| archive.symlink_metadata().is_ok_and(|about| !about.is_dir());
    datasets.map(|form| form.sequence_in(folder)).find(is_there).map(|archive| (first, archive))
}

/// The number in the name of a folder `run=<run>`.
pub(super) fn run_folder(path: &Path) -> Option<u64> {
    digits(name_of(path)?.strip_prefix(RUN_FOLDER)?)
}

/// The run of a dataset's folder `run=<run>`, with the path of its sequence. `None` if it has no sequence.
pub(super) fn run_of_dataset(folder: &Path, forms: Forms) -> Option<(u64, PathBuf)> {
    let run = run_folder(folder)?;
    let datasets = forms.iter().filter(|form| form.table.layout == Layout::Dataset);
    let is_there = |sequence: &PathBuf| sequence.symlink_metadata().is_ok_and(|about| !about.is_dir());
    datasets.map(|form| form.sequence_in(folder)).find(is_there).map(|sequence| (run, sequence))
}

/// Whether the end of a sequence's name is that of a form with a folder for each run.
fn is_of_dataset(sequence: &Path, forms: Forms) -> bool {
    Form::of(sequence, forms).is_some_and(|form| form.table.layout == Layout::Dataset)
}

/// The run of a sequence, with the end of its name that the files of the run share. `None` if the name does not tell the run.
pub(super) fn place_of(sequence: &Path, forms: Forms) -> Option<(&str, u64)> {
    let name = name_of(sequence)?;
    if is_of_dataset(sequence, forms) {
        let rest = name.strip_prefix(FileKind::OperationSequence.name())?;
        return Some((rest, run_folder(sequence.parent()?)?));
    }
    run_of(name, forms)
}

/// The site and the execution of a sequence: the site's folder, and the stamp in the name of the sequence. The stamp is empty for
/// a dataset.
pub(super) fn origin_of(sequence: &Path, forms: Forms) -> Option<(PathBuf, String)> {
    let (rest, _) = place_of(sequence, forms)?;
    let folder = Form::of(sequence, forms)?.table.site_folder(sequence)?.to_owned();
    if is_of_dataset(sequence, forms) {
        return Some((folder, String::new()));
    }
    rest.rsplit_once('_').map(|(stamp, _)| (folder, stamp.to_owned()))
}

/// The tables of the same run that lie beside a sequence.
pub(super) fn beside(sequence: &Path, forms: Forms) -> impl Iterator<Item = (TableKind, PathBuf)> {
    named_beside(sequence, forms).filter(|(_, path)| archive::is_file(path))
}

/// What lies in the place of such a table and is no file.
pub(super) fn no_files_beside(sequence: &Path, forms: Forms) -> impl Iterator<Item = PathBuf> {
    let is_other = |path: &PathBuf| path.symlink_metadata().is_ok() && !path.is_file();
    named_beside(sequence, forms).map(|(_, path)| path).filter(is_other)
}

fn named_beside(sequence: &Path, forms: Forms) -> impl Iterator<Item = (TableKind, PathBuf)> {
    let rest = place_of(sequence, forms).map(|(rest, _)| rest);
    let path = move |kind: TableKind| {
        Some((kind, plain_or_packed(pack::beside(sequence, &format!("{}{}", kind.name(), rest?)))))
    };
    TableKind::ALL.into_iter().filter_map(path)
}

/// What of a dataset's site may be, or hold, the logs of its runs. A large site is listed once for all its runs.
pub(super) struct Logs {
    /// The paths of logs, by their runs.
    files: BTreeMap<u64, Vec<PathBuf>>,
    /// The archives of packs with their stamps, by their first runs.
    archives: BTreeMap<u64, Vec<(Stamp, PathBuf)>>,
}

impl Logs {
    fn in_folder(site: &Path) -> io::Result<Self> {
        let of_run = |name: &str| {
            let stamped = name.strip_suffix(PACKED).unwrap_or(name);
            let stamped = stamped.strip_prefix(LOG)?.strip_prefix('_')?.strip_suffix(".log")?;
            digits(stamped.rsplit_once('_')?.1)
        };
        let mut logs = Self { files: BTreeMap::new(), archives: BTreeMap::new() };
        for path in site.read_dir()?.filter_map(|entry| Some(entry.ok()?.path())) {
            let Some(name) = name_of(&path) else { continue };
            if let Some((stamp, first)) = pack::parse_pack_name(name) {
                logs.archives.entry(first).or_default().push((stamp, path));
            } else if let Some(run) = of_run(name) {
                logs.files.entry(run).or_default().push(path);
            }
        }
        Ok(logs)
    }

    /// The paths that may be the log of a run, which is in the pack with this first run or in none.
    fn of(&self, run: u64, first: Option<u64>) -> Vec<PathBuf> {
        let in_archive = |(stamp, path): &(Stamp, PathBuf)| {
            path.join(FileForm::PARQUET.file_name(FileKind::ProposerLog, *stamp, run))
        };
        match first {
            Some(first) => self.archives.get(&first).into_iter().flatten().map(in_archive).collect(),
            None => self.files.get(&run).cloned().unwrap_or_default(),
        }
    }
}

/// The proposer log of a sequence's run. If there are several, it is the last by name. Only paths for which `known` holds count.
/// `logs` are those of the site, once a dataset has needed them.
pub(super) fn log_of(
    sequence: &Path,
    forms: Forms,
    logs: &mut Option<Logs>,
    known: impl Fn(&Path) -> bool,
) -> Option<PathBuf> {
    let (rest, run) = place_of(sequence, forms)?;
    let there = |path: &PathBuf| archive::is_file(path) && known(path);
    if !is_of_dataset(sequence, forms) {
        let name = format!("{LOG}{}.log", rest.rsplit_once('.')?.0);
        return Some(plain_or_packed(sequence.with_file_name(name))).filter(there);
    }
    let logs = match logs {
        Some(logs) => logs,
        None => logs.insert(Logs::in_folder(Form::of(sequence, forms)?.table.site_folder(sequence)?).ok()?),
    };
    let first = pack::split(sequence).and_then(|(archive, _)| pack::first_in_folder(archive));
    logs.of(run, first).into_iter().filter(there).max()
}
