//! Sequences that were named one by one: which run of which site each of them is.

use std::path::{Path, PathBuf};

use super::names::{beside, log_of, name_of, origin_of, place_of};
use super::{FindError, Forms, RunFile, SiteFiles, TableFile, find_forms, missing_runs};
use crate::read::STANDARD_INPUT;

/// Whether a path is that of a sequence itself rather than of a folder.
pub(super) fn is_file(path: &Path) -> Result<bool, FindError> {
    if path == Path::new(STANDARD_INPUT) {
        return Ok(true);
    }
    path.metadata().map(|about| !about.is_dir()).map_err(|error| FindError::io(path, error))
}

/// A sequence and the tables beside it.
fn run(path: &Path) -> RunFile {
    let run = place_of(path).map_or(1, |(_, run)| run);
    let tables = beside(path).map(|(kind, path)| TableFile { kind, path, rows: None }).collect();
    RunFile { run, path: path.to_owned(), rows: None, tables, log: log_of(path, |_| true) }
}

/// A single sequence: a site of its own.
pub(super) fn alone(path: &Path) -> SiteFiles {
    let runs = vec![run(path)];
    let notes = missing_runs(&runs);
    SiteFiles { notes, runs, ..SiteFiles::empty(path) }
}

/// Finds the sites of several paths, in the order of the paths. Sequences that were named one by one, lie in one folder and have names of
/// one execution are runs of one site, in the order of their runs whatever order they were named in.
///
/// # Errors
/// As [`find_forms`]; [`FindError::TwoFiles`] when two of them are the same run, [`FindError::Twice`] when they are the same file.
pub fn find_all(paths: &[PathBuf], forms: Forms) -> Result<Vec<SiteFiles>, FindError> {
    let mut sites = Vec::new();
    // The site that a file belongs to, and where that site stands among all.
    let mut origins: Vec<((PathBuf, String), usize)> = Vec::new();
    for path in paths {
        if !is_file(path)? {
            sites.extend(find_forms(path, forms)?);
            continue;
        }
        let origin = origin_of(path);
        match origins.iter().find(|(known, _)| origin.as_ref() == Some(known)) {
            Some(&(_, at)) => {
                let site: &mut SiteFiles = &mut sites[at];
                site.runs.push(run(path));
            }
            None => {
                origins.extend(origin.map(|origin| (origin, sites.len())));
                sites.push(alone(path));
            }
        }
    }
    for ((folder, _), at) in origins {
        join(&folder, &mut sites[at])?;
    }
    Ok(sites)
}

/// Puts several files of a site in the order of their runs, and says which is which.
fn join(folder: &Path, site: &mut SiteFiles) -> Result<(), FindError> {
    if site.runs.len() < 2 {
        return Ok(());
    }
    let in_order = site.runs.is_sorted_by_key(|run| run.run);
    site.runs.sort_by_key(|run| run.run);
    if let Some(pair) = site.runs.windows(2).find(|pair| pair[0].run == pair[1].run) {
        if pair[0].path == pair[1].path {
            return Err(FindError::Twice(pair[0].path.clone()));
        }
        return Err(FindError::TwoFiles {
            run: pair[0].run,
            first: pair[0].path.clone(),
            second: pair[1].path.clone(),
        });
    }
    site.folder = if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder.to_owned() };
    let said = |run: &RunFile| format!("`{}` is run {}", name_of(&run.path).unwrap_or_default(), run.run);
    const SHOWN: usize = 4;
    let mut which: Vec<String> = site.runs.iter().take(SHOWN).map(said).collect();
    if let Some(last) = site.runs.last().filter(|_| site.runs.len() > SHOWN) {
        which.push(format!("and so on to {}", said(last)));
    }
    site.notes = vec![format!("the files are one site: {}", which.join(", "))];
    if !in_order {
        site.notes.push("they were named in another order: they are read in the order of their runs".to_owned());
    }
    site.notes.extend(missing_runs(&site.runs));
    Ok(())
}
