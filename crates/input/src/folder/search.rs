//! Searching a folder and the folders below it for sites.

use nandseq_trace::recorded::shown;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use nandseq_profile::diagnostic::counted;
use nandseq_trace::manifest::{self, BatchManifest};
use nandseq_trace::pack;

use super::listed::{self, Known, Listing, compare};
use super::names::{
    archive_of_sequences, beside, log_of, name_of, no_files_beside, run_of, run_of_dataset, runs_in_archive,
};
use super::single::{self, missing_runs};
use super::site_files::{Damage, DamageKind, FindError, FoundSites, ListedFile, RunFile, SiteFiles, TableFile};
use crate::archive;
use crate::form::{CSV, Forms};

/// How many levels below the given folder are searched for sites.
pub const DEPTH: usize = 4;

/// Finds the sites of a path in CSV, in the order of their paths. The path is a batch, a site, or a single file.
///
/// # Errors
/// [`FindError`] if there is no sequence. That it is ambiguous which file of a run counts is [damage](DamageKind::TwoFiles).
pub fn find(path: &Path) -> Result<Vec<SiteFiles>, FindError> {
    find_forms(path, &[CSV])
}

/// Finds the sites of a path as [`find`] does, in any of `forms`.
///
/// # Errors
/// As [`find`].
pub fn find_forms(path: &Path, forms: Forms) -> Result<Vec<SiteFiles>, FindError> {
    found_in(path, forms).map(|found| found.sites)
}

/// The sites of a path, as [`find_forms`] finds them.
pub(super) fn found_in(path: &Path, forms: Forms) -> Result<FoundSites, FindError> {
    if single::is_file(path)? {
        return Ok(FoundSites { sites: vec![single::alone(path, forms)], notes: Vec::new() });
    }
    if let Some((_, sequence)) = run_of_dataset(path, forms).filter(|(_, sequence)| sequence.is_file()) {
        return found_in(&sequence, forms);
    }
    let found = search(path, DEPTH, forms)?;
    let each = |found: Vec<Sequences>| -> Result<Vec<SiteFiles>, FindError> {
        found.into_iter().map(|(folder, files)| site(&folder, files, forms)).collect()
    };
    let is_site = found.iter().any(|(folder, _)| folder == path);
    let mut left_out = Vec::new();
    let sites = match listed::batch(path, is_site)? {
        Known::Says(batch) => {
            let (sites, others) = sites_of(path, &batch, found, forms)?;
            left_out = others;
            sites
        }
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
    let mut found = FoundSites { sites, notes: Vec::new() };
    found.leave_out(&left_out, "the manifest of the batch");
    Ok(found)
}

/// The sites among `found` that the manifest of a batch lists, and the folders of the others.
fn sites_of(
    root: &Path,
    batch: &BatchManifest,
    found: Vec<Sequences>,
    forms: Forms,
) -> Result<(Vec<SiteFiles>, Vec<PathBuf>), FindError> {
    let mut found: BTreeMap<PathBuf, Vec<(u64, PathBuf)>> = found.into_iter().collect();
    let mut sites = Vec::new();
    for listed in &batch.sites {
        let folder = listed::inside(&listed.folder, root)?;
        let manifest = folder.join(manifest::FILE_NAME);
        let damage = compare(&[ListedFile { path: manifest, sha256: listed.manifest_sha256 }]).pop();
        if folder.is_symlink() {
            found.extend(search(&folder, 0, forms)?.into_iter().filter(|(place, _)| *place == folder));
        }
        let mut site = match (found.remove(&folder), &damage) {
            (Some(files), _) => site(&folder, files, forms)?,
            (None, Some(_)) => SiteFiles::empty(&folder),
            // The site was made without sequences.
            (None, None) => continue,
        };
        let is_known = damage.as_ref().is_some_and(|damage| site.damage.contains(damage));
        site.damage.extend(damage.filter(|_| !is_known));
        sites.push(site);
    }
    Ok((sites, found.into_keys().collect()))
}

/// A folder and the sequences in it, in the order of their runs.
type Sequences = (PathBuf, Vec<(u64, PathBuf)>);

/// The site in a folder, whatever the folders below it hold.
///
/// # Errors
/// As [`find`].
pub fn find_site(folder: &Path, forms: Forms) -> Result<SiteFiles, FindError> {
    match search(folder, 0, forms)?.pop() {
        Some((folder, files)) => site(&folder, files, forms),
        None => Err(FindError::Nothing { folder: folder.to_owned(), forms }),
    }
}

/// The folders with sequences, or whose manifests list some: the path itself and those up to `depth` levels below it.
fn search(root: &Path, depth: usize, forms: Forms) -> Result<Vec<Sequences>, FindError> {
    let mut found = Vec::new();
    let real = root.read_dir().and_then(|_| root.canonicalize()).map_err(|error| FindError::io(root, error))?;
    search_below(root, &real, depth, forms, &mut found)?;
    Ok(found)
}

/// Searches a folder. A link into `root` is skipped, because its target is found without the link. A link to a folder that
/// contains `root` is skipped too.
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
    let Ok(entries) = folder.read_dir() else {
        // [`site`] reports it.
        found.push((folder.to_owned(), Vec::new()));
        return Ok(());
    };
    let mut below = Vec::new();
    let mut files = Vec::new();
    let (mut is_finished, mut is_begun) = (false, false);
    for entry in entries {
        let path = entry.map_err(|error| FindError::io(folder, error))?.path();
        if path.is_dir() {
            match (run_of_dataset(&path, forms), archive_of_sequences(&path, forms)) {
                (Some(found), _) => files.push(found),
                // [`site`] reports an archive that cannot be read.
                (None, Some((first, path))) => {
                    files.extend(runs_in_archive(&path, forms).unwrap_or_else(|_| vec![(first, path)]));
                }
                (None, None) if is_found(&path) => {}
                (None, None) => below.push(path),
            }
        } else if let Some((_, run)) = name_of(&path).and_then(|name| run_of(name, forms)) {
            files.push((run, path));
        } else if let Some((_, first)) = name_of(&path).and_then(pack::parse_pack_name) {
            // [`site`] reports an archive that cannot be read.
            files.extend(runs_in_archive(&path, forms).unwrap_or_else(|_| vec![(first, path)]));
        } else {
            is_finished |= name_of(&path) == Some(manifest::FILE_NAME);
            is_begun |= name_of(&path) == Some(manifest::PARTIAL_NAME);
        }
    }
    // A site that was killed in its first run has no sequence yet; of a finished one, all may have been removed.
    if !files.is_empty() || if is_finished { listed::lists_sequences(folder) } else { is_begun } {
        files.sort();
        found.push((folder.to_owned(), files));
    }
    below.sort();
    if depth > 0 {
        below.iter().try_for_each(|path| search_below(path, root, depth - 1, forms, found))?;
    }
    Ok(())
}

/// Notes about files that a manifest does not list. Up to three are named one by one; of more, the first three are named and the
/// rest counted.
fn left_out<'p>(paths: impl ExactSizeIterator<Item = &'p PathBuf>, list: &str) -> Vec<String> {
    const SHOWN: usize = 3;
    let count = paths.len();
    let mut paths = paths.map(|path| format!("`{}`", shown(path)));
    if count <= SHOWN {
        return paths.map(|path| format!("{path} is not in {list} and was left out")).collect();
    }
    let first: Vec<String> = paths.by_ref().take(SHOWN).collect();
    vec![format!("{} and {} more are not in {list} and were left out", first.join(", "), count - SHOWN)]
}

/// A site with files in the order of their runs.
fn site(folder: &Path, mut files: Vec<(u64, PathBuf)>, forms: Forms) -> Result<SiteFiles, FindError> {
    let mut site = SiteFiles::empty(folder);
    if let Err(error) = folder.read_dir() {
        site.damage.push(Damage::unreadable(folder, &error));
    }
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
    if let Some(Listing { files: listed, unfinished, damage }) = listing {
        site.damage.extend(damage);
        if let Some(runs) = unfinished {
            site.is_unfinished = true;
            list = "the list of finished runs";
            let (runs, are) = (counted(runs, "run"), if runs == 1 { "is" } else { "are" });
            site.notes
                .push(format!("the site is not finished: {runs} {are} complete, as {} says", manifest::PARTIAL_NAME));
        }
        rows.extend(listed.iter().map(|listed| (listed.file.path.clone(), listed.rows)));
        site.listed.extend(listed.into_iter().map(|listed| listed.file));
        let unknown = files.extract_if(.., |(_, path)| !rows.contains_key(path) && !pack::is_archive(path));
        unlisted.extend(unknown.map(|(_, path)| path));
    }
    for (_, path) in files.extract_if(.., |(_, path)| pack::is_archive(path)) {
        let error = archive::members(&path).err().filter(|_| site.damage.iter().all(|damage| damage.file != path));
        site.damage.extend(error.map(|error| Damage::unreadable(&path, &error)));
    }
    // `compare` reports a listed file that is not a regular file.
    let unread = files.extract_if(.., |(_, path)| !archive::is_file(path)).filter(|(_, path)| !rows.contains_key(path));
    site.damage.extend(unread.map(|(_, file)| Damage { file, what: DamageKind::NotRegular }));
    let mut logs = None;
    for (run, path) in files {
        let mut tables = Vec::new();
        let unread = no_files_beside(&path, forms).filter(|path| !rows.contains_key(path));
        site.damage.extend(unread.map(|file| Damage { file, what: DamageKind::NotRegular }));
        for (kind, path) in beside(&path, forms) {
            let rows = rows.get(&path).copied();
            if has_list && rows.is_none() {
                unlisted.push(path);
            } else {
                tables.push(TableFile { kind, path, rows });
            }
        }
        let log = log_of(&path, forms, &mut logs, |log| !has_list || rows.contains_key(log));
        site.runs.push(RunFile { run, rows: rows.get(&path).copied(), path, tables, log });
    }
    site.notes.extend(left_out(unlisted.iter(), list));
    site.notes.extend(missing_runs(&site.runs));
    site.leave_out_ambiguous_runs();
    Ok(site)
}
