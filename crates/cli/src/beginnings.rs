//! The beginnings of sites whose runs go on from a state elsewhere.
//!
//! Runs are judged from the first run of their site on, because the rules depend on what happened before. If the earlier runs
//! are in the folder of a file that was named, or in another folder that is known, they are judged too. Otherwise nothing is
//! judged: rules that seem broken may be kept.

use std::path::Path;

use nandseq_input::archive;
use nandseq_input::folder::{self, Damage, DamageKind, SiteFiles};
use nandseq_trace::file_form::FileForm;
use nandseq_trace::manifest::SiteManifest;
use nandseq_trace::recorded::shown;

use crate::failure::{Failure, Problem};
use crate::hint::Hint;
use crate::{inputs, ledger};

/// The sites from their first runs on. Runs that lack are looked for beside the files that were named, and in `elsewhere`.
///
/// # Errors
/// When the earlier runs of a site are not found.
pub(crate) fn found(sites: Vec<SiteFiles>, elsewhere: &[SiteFiles]) -> Result<Vec<SiteFiles>, Failure> {
    let whole = |site: SiteFiles| {
        let Some(first) = first_without_beginning(&site) else { return Ok(site) };
        let beside = beside(&site, first);
        match beside.as_ref().or_else(|| elsewhere.iter().find(|other| is_beginning(other, &site, first))) {
            Some(earlier) => Ok(folder::after(earlier, site)),
            None => Err(Failure::from(absent(&site, first))),
        }
    };
    sites.into_iter().map(whole).collect()
}

/// The same sites without those all of whose runs are the beginning of another: it takes over what their manifests list and what was found
/// about them, so that each run is judged once.
pub(crate) fn once<T>(mut sites: Vec<(SiteFiles, T)>) -> Vec<(SiteFiles, T)> {
    let is_beginning = |part: &SiteFiles, whole: &SiteFiles| {
        let mut runs = part.runs.iter().zip(&whole.runs);
        (1..whole.runs.len()).contains(&part.runs.len()) && runs.all(|(one, other)| one.path == other.path)
    };
    let mut at = 0;
    while let Some((part, _)) = sites.get(at) {
        let Some(whole) = sites.iter().position(|(whole, _)| is_beginning(part, whole)) else {
            at += 1;
            continue;
        };
        let (part, _) = sites.remove(at);
        let whole = &mut sites[whole - usize::from(whole > at)].0;
        whole.listed.splice(0..0, part.listed);
        whole.damage.splice(0..0, part.damage);
        whole.notes.splice(0..0, part.notes);
    }
    sites
}

/// The sites of what a campaign is resumed from: a folder, or a snapshot in the folder of a site. None if they cannot be read.
pub(crate) fn of_resumed(resumed: &Path) -> Vec<SiteFiles> {
    let folder = if archive::is_file(resumed) {
        resumed.ancestors().skip(1).take(3).find(|folder| known(folder).is_some())
    } else {
        Some(resumed)
    };
    folder.and_then(|folder| folder::find_forms(folder, inputs::FORMS).ok()).unwrap_or_default()
}

/// The number of the first run, if the runs before it are not missing by mistake: no manifest lists them either, and there are not
/// several files of one of them.
fn first_without_beginning(site: &SiteFiles) -> Option<u64> {
    let first = site.runs.first().map(|run| run.run).filter(|&run| run > 1)?;
    let listed = if site.listed.is_empty() { None } else { known(&site.folder) };
    let is_listed = listed.is_some_and(|manifest| manifest.runs.first().is_some_and(|run| run.run < first));
    let is_before = |damage: &Damage| matches!(damage.what, DamageKind::TwoFiles { run, .. } if run < first);
    (!is_listed && !site.damage.iter().any(is_before)).then_some(first)
}

fn known(folder: &Path) -> Option<SiteManifest> {
    ledger::read(folder).ok().flatten().map(|known| known.manifest)
}

/// The site in whose folder a file lies that was named by itself.
fn beside(site: &SiteFiles, first: u64) -> Option<SiteFiles> {
    let file = &site.runs.first().filter(|_| site.listed.is_empty())?.path;
    let folder = FileForm::of(file).site_folder(file)?;
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let mut all = folder::find_forms(folder, inputs::FORMS).ok()?;
    all.retain(|other| other.folder == folder && has_all_before(other, first));
    let is_same =
        |other: &SiteFiles| other.runs.iter().any(|run| run.run == first && run.path.file_name() == file.file_name());
    all.into_iter().find(is_same)
}

/// Whether a site has all runs before a run.
fn has_all_before(site: &SiteFiles, first: u64) -> bool {
    site.runs.iter().map(|run| run.run).take_while(|&run| run < first).eq(1..first)
}

/// Whether another folder has the earlier runs of the same site of the same campaign.
fn is_beginning(other: &SiteFiles, site: &SiteFiles, first: u64) -> bool {
    let is_same = |there: SiteManifest, here: SiteManifest| {
        let badlist = |manifest: &SiteManifest| manifest.origin.badlist.as_ref().map(|list| list.sha256);
        there.origin.profile.resolved_sha256 == here.origin.profile.resolved_sha256
            && badlist(&there) == badlist(&here)
            && (there.site, there.site_seed, there.seed_formula) == (here.site, here.site_seed, here.seed_formula)
    };
    has_all_before(other, first) && known(&other.folder).zip(known(&site.folder)).is_some_and(|(a, b)| is_same(a, b))
}

fn absent(site: &SiteFiles, first: u64) -> Problem {
    let (before, are) =
        if first == 2 { ("run 1".to_owned(), "is") } else { (format!("runs 1 to {}", first - 1), "are") };
    let folder = shown(&site.folder);
    let message =
        format!("run {first} in `{folder}` goes on from a state that is not there: it cannot be judged by itself");
    let verify = Hint::new("verify").operand("FOLDER").operand(&site.folder);
    Problem::new(message).help(format!("name the folder in which {before} of the same campaign {are} too: {verify}"))
}
