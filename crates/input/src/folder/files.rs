//! Sequences that the user names one by one: which run of which site each of them is.

use std::path::{Path, PathBuf};

use nandseq_profile::builtin;
use nandseq_trace::pack;
use nandseq_trace::recorded::shown;

use super::names::{archive_of_sequences, name_of, origin_of, runs_in_archive};
use super::search::found_in;
use super::single::{alone, is_file, missing_runs, run};
use super::site_files::{FindError, FoundSites, RunFile, SiteFiles};
use crate::archive;
use crate::form::{AnyForm, Forms};
use crate::line::{Line, is_header, next_line, number, split};
use crate::row::{COLUMNS, MAX_LINE};
use crate::source::Source;

/// Finds the sites of several paths, in the order of the paths.
///
/// Sequences in the folder of one site whose names have the same stamp are its runs. They are put in the order of their runs.
/// Sequences whose names do not tell their run are runs of one site if the `op_uid`s of one follow those of exactly one other.
///
/// # Errors
/// As [`find_forms`](super::find_forms); [`FindError::Twice`] if a file is named twice.
pub fn find_all(paths: &[PathBuf], forms: Forms) -> Result<FoundSites, FindError> {
    let FoundSites { mut sites, mut notes } = FoundSites::default();
    let mut renamed = Vec::new();
    // The folder and stamp of each named site, with its index in `sites`.
    let mut origins: Vec<((PathBuf, String), usize)> = Vec::new();
    for path in &with_members(paths, forms)? {
        if !is_file(path)? {
            let found = found_in(path, forms)?;
            sites.extend(found.sites);
            notes.extend(found.notes);
            continue;
        }
        let origin = origin_of(path, forms);
        match origins.iter().find(|(known, _)| origin.as_ref() == Some(known)) {
            Some(&(_, at)) => {
                let site: &mut SiteFiles = &mut sites[at];
                site.runs.push(run(path, forms));
            }
            None => {
                if origin.is_none() {
                    renamed.push(sites.len());
                }
                origins.extend(origin.map(|origin| (origin, sites.len())));
                sites.push(alone(path, forms));
            }
        }
    }
    for ((folder, _), at) in origins {
        join(&folder, &mut sites[at])?;
    }
    if paths.len() > 1 {
        for &at in &renamed {
            if !archive::is_file(&sites[at].folder) {
                let note = "it is judged as a site of its own, as it cannot be read twice: to judge the runs of one site \
                            together, name files";
                sites[at].notes.push(note.to_owned());
            }
        }
    }
    join_renamed(&renamed, &mut sites, forms);
    Ok(FoundSites { sites, notes })
}

/// The paths, with the sequences in an archive in place of it.
fn with_members(paths: &[PathBuf], forms: Forms) -> Result<Vec<PathBuf>, FindError> {
    let mut all = Vec::new();
    for named in paths {
        // Of the folder of a pack, the sequences are named.
        let archive = archive_of_sequences(named, forms).map(|(_, archive)| archive);
        let path = archive.as_ref().unwrap_or(named);
        if !(pack::is_archive(path) && path.is_file()) {
            all.push(path.clone());
            continue;
        }
        let runs = runs_in_archive(path, forms).map_err(|error| FindError::io(path, error))?;
        if runs.is_empty() {
            return Err(FindError::Nothing { folder: path.clone(), forms });
        }
        all.extend(runs.into_iter().map(|(_, sequence)| sequence));
    }
    Ok(all)
}

/// The first and the last `op_uid` of a sequence. `None` for a path that cannot be opened again, such as a pipe.
fn uids(path: &Path, source: &dyn Source) -> Option<(u64, u64)> {
    let mut input = archive::is_file(path).then(|| source.open(path).ok())??;
    let mut line = Vec::new();
    let mut found = None;
    let is_sequence = next_line(&mut input, &mut line, MAX_LINE).ok()? == Line::Read && is_header(&line, COLUMNS);
    while is_sequence && next_line(&mut input, &mut line, MAX_LINE).ok()? != Line::End {
        let uid = split(&line).ok().and_then(|fields| number(fields[4]));
        found = uid.map(|uid| (found.map_or(uid, |(first, _)| first), uid)).or(found);
    }
    found.filter(|(first, last)| first <= last)
}

/// Joins sites of one renamed file each, if the `op_uid`s of one file follow those of exactly one other.
fn join_renamed(renamed: &[usize], sites: &mut Vec<SiteFiles>, forms: Forms) {
    if renamed.len() < 2 {
        return;
    }
    let path = |at: usize| sites[at].runs.first().map(|run| &run.path);
    // The numbers are the same whatever the profile is, which is not known yet.
    let source = AnyForm::new(forms, &builtin::profile());
    let span = |at: usize| Some((at, uids(path(at)?, &source)?));
    let spans: Vec<(usize, (u64, u64))> = renamed.iter().filter_map(|&at| span(at)).collect();
    let only = |mut found: Box<dyn Iterator<Item = usize> + '_>| found.next().filter(|_| found.next().is_none());
    let from = |uid: u64| only(Box::new(spans.iter().filter(move |(_, span)| span.0 == uid).map(|(at, _)| *at)));
    let until = |uid: u64| only(Box::new(spans.iter().filter(move |(_, span)| span.1 == uid).map(|(at, _)| *at)));
    let next = |of: usize| {
        let (_, (_, last)) = spans.iter().find(|(at, _)| *at == of)?;
        from(last.checked_add(1)?).filter(|_| until(*last).is_some())
    };
    let chains: Vec<Vec<usize>> = spans
        .iter()
        .filter(|(at, _)| !spans.iter().any(|(other, _)| next(*other) == Some(*at)))
        .map(|(at, _)| std::iter::successors(Some(*at), |at| next(*at)).collect())
        .collect();
    let mut gone = Vec::new();
    for chain in chains.iter().filter(|chain| chain.len() > 1) {
        let runs = chain.iter().zip(1..).map(|(&at, run)| RunFile { run, ..sites[at].runs[0].clone() });
        let runs: Vec<RunFile> = runs.collect();
        let which = which_is_which(&runs);
        let site = &mut sites[chain[0]];
        (site.runs, site.notes) =
            (runs, vec![format!("the files are one site, because their op_uids continue one another: {which}")]);
        gone.extend_from_slice(&chain[1..]);
    }
    let mut at = 0;
    sites.retain(|_| (!gone.contains(&at), at += 1).0);
}

/// A text that tells which file is which run.
fn which_is_which(runs: &[RunFile]) -> String {
    const SHOWN: usize = 4;
    let said = |run: &RunFile| format!("`{}` is run {}", name_of(&run.path).unwrap_or_default(), run.run);
    let mut which: Vec<String> = runs.iter().take(SHOWN).map(said).collect();
    if let Some(last) = runs.last().filter(|_| runs.len() > SHOWN) {
        which.push(format!("and so on to {}", said(last)));
    }
    which.join(", ")
}

/// A site whose runs go on from those of another folder, together with those. `earlier` has all runs before its first one. The
/// files of `earlier` are not compared with their manifest.
#[must_use]
pub fn after(earlier: &SiteFiles, site: SiteFiles) -> SiteFiles {
    let gaps = missing_runs(&site.runs);
    let first = site.runs.first().map_or(1, |run| run.run);
    let before = earlier.runs.iter().filter(|run| run.run < first).cloned();
    let runs: Vec<RunFile> = before.chain(site.runs).collect();
    let mut notes = site.notes;
    notes.retain(|note| !gaps.contains(note));
    let before = if first == 2 { "run 1".to_owned() } else { format!("runs 1 to {}", first - 1) };
    notes.push(format!("it goes on after {before} in `{}`, which was judged too", shown(&earlier.folder)));
    notes.extend(missing_runs(&runs));
    SiteFiles { runs, notes, ..site }
}

/// Puts several files of a site in the order of their runs, and adds a note that tells which file is which run.
fn join(folder: &Path, site: &mut SiteFiles) -> Result<(), FindError> {
    if site.runs.len() < 2 {
        return Ok(());
    }
    let in_order = site.runs.is_sorted_by_key(|run| run.run);
    site.runs.sort_by(|one, other| (one.run, &one.path).cmp(&(other.run, &other.path)));
    if let Some(pair) = site.runs.windows(2).find(|pair| pair[0].path == pair[1].path) {
        return Err(FindError::Twice(pair[0].path.clone()));
    }
    site.folder = if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder.to_owned() };
    site.notes = vec![format!("the files are one site: {}", which_is_which(&site.runs))];
    if !in_order {
        site.notes.push("the files were named in another order; they are read in the order of their runs".to_owned());
    }
    site.notes.extend(missing_runs(&site.runs));
    site.leave_out_ambiguous_runs();
    Ok(())
}
