//! Files of earlier executions in the folders of sites: files of runs by their names, snapshots, the stamp and origin of a
//! manifest or ledger.
//!
//! No link is followed in the search for files of runs. A name alone proves nothing about who wrote a file.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use nandseq_input::archive;
use nandseq_trace::files::{FileKind, Stamp};
use nandseq_trace::manifest::Origin;
use nandseq_trace::run_name::RunName;

use crate::campaign::CampaignSite;
use crate::failure::{Failure, Problem};
use crate::ledger;

/// The files of runs in the folder of a site, and what their names say.
pub(crate) fn files_of_runs(folder: &Path) -> io::Result<Vec<(PathBuf, RunName)>> {
    named_like_runs(folder, fs::FileType::is_file)
}

/// What has the name of a file of a run in the folder of a site, and is neither a file nor a link.
pub(crate) fn others_named_like_runs(folder: &Path) -> io::Result<Vec<(PathBuf, RunName)>> {
    named_like_runs(folder, |entry| !entry.is_file() && !entry.is_symlink())
}

fn named_like_runs(folder: &Path, is_wanted: fn(&fs::FileType) -> bool) -> io::Result<Vec<(PathBuf, RunName)>> {
    let mut paths = entries(folder, is_wanted)?;
    for below in plain_folders(folder)? {
        if below.file_name().and_then(|name| name.to_str()).is_some_and(RunName::is_folder) {
            paths.extend(entries(&below, is_wanted)?);
        }
    }
    let named = |path: PathBuf| Some((RunName::parse(&relative(folder, &path)?)?, path));
    Ok(paths.into_iter().filter_map(named).map(|(name, path)| (path, name)).collect())
}

/// Number of files in a site's folder that are of runs after run `runs`.
pub(crate) fn after(folder: &Path, runs: u64) -> io::Result<u64> {
    Ok(files_of_runs(folder)?.iter().filter(|(_, name)| name.run > runs).count() as u64)
}

pub(crate) fn plain_folders(folder: &Path) -> io::Result<Vec<PathBuf>> {
    entries(folder, fs::FileType::is_dir)
}

/// The entries of a folder that are of a type themselves: a link is neither a file nor a folder. A folder that does not exist, or
/// may not be read, has none.
fn entries(folder: &Path, is_wanted: impl Fn(&fs::FileType) -> bool) -> io::Result<Vec<PathBuf>> {
    let entries = match folder.read_dir() {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied) => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        if is_wanted(&entry.file_type()?) {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

/// A path in a folder, with `/` between its parts.
pub(crate) fn relative(folder: &Path, path: &Path) -> Option<String> {
    let parts = path.strip_prefix(folder).ok()?.components().map(|part| part.as_os_str().to_str());
    Some(parts.collect::<Option<Vec<_>>>()?.join("/"))
}

/// The snapshots in a site's folder and in the packs there, in order of their runs. A pack that cannot be read has none.
///
/// # Errors
/// When the folder of snapshots is there and cannot be read.
pub(crate) fn snapshots(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut found: Vec<(u64, PathBuf)> = Vec::new();
    let files = files_of_runs(folder).unwrap_or_default();
    for (path, _) in files.into_iter().filter(|(_, name)| name.kind.is_none()) {
        let members = archive::members(&path).unwrap_or_default();
        let snapshot = |name: &String| Some((RunName::parse(name)?, path.join(name)));
        let all = members.iter().filter_map(snapshot).filter(|(name, _)| name.kind == Some(FileKind::Snapshot));
        found.extend(all.map(|(name, path)| (name.run, path)));
    }
    found.extend(loose_snapshots(folder)?);
    found.sort();
    Ok(found.into_iter().map(|(_, path)| path).collect())
}

fn loose_snapshots(folder: &Path) -> Result<Vec<(u64, PathBuf)>, Failure> {
    let folder = folder.join("snapshots");
    let unreadable = |reason| Problem::unreadable("the folder", &folder, &reason);
    let entries = match folder.read_dir() {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(error).into()),
    };
    let paths =
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>().map_err(unreadable)?;
    Ok(paths.into_iter().filter_map(|path| Some((RunName::of_snapshot(&path)?.run, path))).collect())
}

/// Whether files of runs lie in a site's folder.
pub(crate) fn has_files(folder: &Path) -> Result<bool, Failure> {
    let tables = || after(folder, 0).map_err(|reason| Problem::unreadable("the folder", folder, &reason));
    Ok(!snapshots(folder)?.is_empty() || tables()? > 0)
}

/// Whether any of these sites can be resumed from something. With `is_here` the files of runs that nothing lists count too,
/// because they are made again.
pub(crate) fn is_there(resume: &Path, sites: &[CampaignSite], is_here: bool) -> Result<bool, Failure> {
    if archive::is_file(resume) {
        return Ok(true);
    }
    for site in sites {
        let folder = resume.join(&site.folder);
        let has_files = || if is_here { has_files(&folder) } else { Ok(!snapshots(&folder)?.is_empty()) };
        if !matches!(ledger::read(&folder), Ok(None)) || has_files()? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What is in a folder without a run of the sites asked for.
pub(crate) fn nothing_in(folder: &Path) -> &'static str {
    match folder.read_dir().map(|mut entries| entries.next().is_none()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => "there is no such folder",
        Ok(true) => "it is empty",
        Ok(false) | Err(_) => "it has no run, snapshot or manifest of the sites asked for",
    }
}

/// The stamp of the existing files, which a resumed execution uses too.
pub(crate) fn stamp(resume: &Path, sites: &[CampaignSite]) -> Option<Stamp> {
    let in_name = |path: &Path| RunName::of_snapshot(path)?.stamp;
    if archive::is_file(resume) {
        return in_name(resume);
    }
    sites.iter().find_map(|site| {
        let folder = resume.join(&site.folder);
        let known = ledger::read(&folder).ok().flatten().and_then(|known| known.stamp);
        known.or_else(|| snapshots(&folder).ok()?.last().and_then(|path| in_name(path)))
    })
}

/// The files that the manifests or ledgers of these sites list.
pub(crate) fn listed(resume: &Path, sites: &[CampaignSite]) -> impl Iterator<Item = PathBuf> {
    sites.iter().map(|site| resume.join(&site.folder)).flat_map(|folder| {
        let runs = ledger::read(&folder).ok().flatten().map_or_else(Vec::new, |known| known.manifest.runs);
        let files = runs.into_iter().flat_map(|run| run.files);
        files.map(move |file| file.file.on_disk().to_write_in(&folder))
    })
}

/// The origin of the existing runs. A resumed execution uses its name of the profile.
pub(crate) fn origin(resume: &Path, sites: &[CampaignSite]) -> Option<Origin> {
    let known = |site: &CampaignSite| ledger::read(&resume.join(&site.folder)).ok().flatten();
    sites.iter().find_map(known).map(|known| known.manifest.origin)
}
