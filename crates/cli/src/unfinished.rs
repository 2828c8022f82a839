//! Campaigns that are not finished: whoever reads what is there of one is told, with the command that goes on.
//!
//! Promises that the command makes what was asked for, all sites of a batch together, so that their joint manifest comes about; it is on a
//! line of its own, to be pasted. What was asked for is what the manifest of the batch says, or the ledger of a site that was killed.

use nandseq_trace::recorded::shown;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use nandseq_input::folder::{self, SiteFiles};
use nandseq_profile::diagnostic::counted;
use nandseq_trace::files::FileKind;
use nandseq_trace::manifest::{self, BatchManifest, SiteManifest};

use crate::arguments::{GenerateArgs, flags_of_manifest};
use crate::failure::warning_text;
use crate::hint::Hint;
use crate::inputs::FORMS;
use crate::ledger::{self, KnownRuns};
use crate::plan::{Batch, outputs};
use crate::site_folders::SiteFolders;
use crate::site_list::{SiteList, is_of_batch};
use crate::tell;

/// What there is to say of the campaigns that some sites are of; `paths` are those that the user named.
pub(crate) fn campaigns(paths: &[PathBuf], sites: &[SiteFiles]) -> Vec<String> {
    let mut found = Vec::new();
    let mut batches: BTreeMap<PathBuf, KnownParts> = BTreeMap::new();
    for path in paths.iter().filter(|path| path.is_dir()) {
        batches.entry(path.clone()).or_default();
    }
    for site in sites.iter().filter(|site| site.is_unfinished || !site.listed.is_empty()) {
        let Some(known) = ledger::read(&site.folder).ok().flatten() else { continue };
        let Some((number, root)) = known.manifest.site.zip(above(&site.folder, &known.manifest)) else {
            if known.manifest.site.is_none() {
                found.extend(single(site, &known, &site.folder));
            }
            continue;
        };
        // Where nobody knows of a batch, the site is what was asked for.
        let alone = single(site, &known, &root);
        let parts = batches.entry(root).or_default();
        parts.named.insert(number);
        parts.arguments.extend(known.batch);
        parts.alone.extend(alone);
    }
    for (root, parts) in batches {
        let named = (!paths.contains(&root)).then_some(&parts.named);
        let manifests = manifests_in(&root);
        let recorded: BTreeSet<Vec<String>> = manifests.iter().map(|one| one.origin.arguments.clone()).collect();
        let mut said: Vec<String> = parts
            .arguments
            .iter()
            .filter(|arguments| !recorded.contains(*arguments))
            .filter_map(|arguments| of_batch(&root, arguments, None, named))
            .collect();
        said.extend(manifests.iter().filter_map(|one| of_batch(&root, &one.origin.arguments, Some(one), named)));
        found.extend(if recorded.is_empty() && parts.arguments.is_empty() { parts.alone } else { said });
    }
    found
}

/// What there is to say of the campaigns that a folder, of a batch or a site, holds parts of; nothing where none is to be gone on with.
pub(crate) fn in_folder(folder: &Path) -> Option<String> {
    let sites = folder::find_forms(folder, FORMS).unwrap_or_default();
    let said = campaigns(&[folder.to_owned()], &sites);
    (!said.is_empty()).then(|| said.join("\n"))
}

/// Says it on stderr.
pub(crate) fn warn(paths: &[PathBuf], sites: &[SiteFiles]) {
    campaigns(paths, sites).iter().for_each(|campaign| tell(&warning_text(campaign)));
}

/// What is known of a batch by its sites.
#[derive(Default)]
struct KnownParts {
    /// Sites that are looked at.
    named: BTreeSet<u64>,
    /// What ledgers say was asked for.
    arguments: BTreeSet<Vec<String>>,
    /// What is said where nobody knows of a batch.
    alone: Vec<String>,
}

/// The manifests of a batch, or of its parts, in a folder.
fn manifests_in(root: &Path) -> Vec<BatchManifest> {
    let names = root.read_dir().into_iter().flatten().filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut names: Vec<String> = names.filter(|name| is_of_batch(name)).collect();
    names.sort();
    names.iter().filter_map(|name| manifest::parse(&manifest::bytes(&root.join(name)).ok()?).ok()).collect()
}

/// The output folder of the batch that a site is of, if the site lies where its flags put it.
fn above(folder: &Path, manifest: &SiteManifest) -> Option<PathBuf> {
    let flags = flags_of_manifest(&manifest.origin.arguments).ok()?;
    let own = PathBuf::from(SiteFolders::parse(flags.site_dir_pattern()).ok()?.folder(manifest.site?));
    let root = folder.ancestors().nth(own.components().count())?;
    let root = if root.as_os_str().is_empty() { Path::new(".") } else { root };
    folder.ends_with(&own).then(|| root.to_owned())
}

/// A single device, or a site by itself.
fn single(site: &SiteFiles, known: &KnownRuns, root: &Path) -> Option<String> {
    let flags = flags_of_manifest(&known.manifest.origin.arguments).ok()?;
    let (done, wanted) = (known.manifest.runs.last().map_or(0, |run| run.run), flags.extent.num_runs);
    // One that has covered enough has no further runs.
    let lacks = site.is_unfinished || (done < wanted && flags.extent.until_coverage.is_none());
    let runs = if done == wanted {
        "its manifest is not there".to_owned()
    } else {
        format!("{done} of {} {} there", counted(wanted, "run"), if wanted == 1 { "is" } else { "are" })
    };
    lacks.then(|| sentence(&site.folder, &runs, root, &known.manifest.origin.arguments, &flags))
}

/// A batch, or a part of one; `named` are the sites that count, if not all do.
fn of_batch(
    root: &Path,
    arguments: &[String],
    manifest: Option<&BatchManifest>,
    named: Option<&BTreeSet<u64>>,
) -> Option<String> {
    let flags = flags_of_manifest(arguments).ok()?;
    let folders = SiteFolders::parse(flags.site_dir_pattern()).ok()?;
    let ends_early = flags.extent.until_coverage.is_some();
    let records: BTreeMap<u64, (u64, bool)> =
        manifest.into_iter().flat_map(|one| &one.sites).map(|site| (site.site, (site.runs, site.covered))).collect();
    let known = |site: u64| match manifest {
        Some(_) => records.get(&site).copied(),
        None => {
            let folder = root.join(folders.folder(site));
            let is_finished = ledger::finished(&folder).is_ok_and(|manifest| manifest.is_some());
            let known = ledger::read(&folder).ok().flatten()?;
            let runs = known.manifest.runs.last().map_or(0, |run| run.run);
            Some(if is_finished { (runs, ends_early) } else { (runs.min(flags.extent.num_runs - 1), false) })
        }
    };
    let (mut short, mut absent) = (Vec::new(), Vec::new());
    for site in Batch::new(&flags.sites)?.sites().into_iter().filter(|site| named.is_none_or(|all| all.contains(site)))
    {
        match known(site) {
            None => absent.push(site),
            Some((runs, covered)) if runs < flags.extent.num_runs && !covered => short.push(site),
            Some(_) => {}
        }
    }
    let said = |sites: &[u64], one: &str, more: &str| match sites {
        [] => None,
        [site] => Some(format!("site {site} {one}")),
        _ => Some(format!("sites {} {more}", SiteList::of(sites))),
    };
    let lacks = [said(&short, "lacks runs", "lack runs"), said(&absent, "is not there", "are not there")];
    let lacks: Vec<String> = lacks.into_iter().flatten().collect();
    (!lacks.is_empty()).then(|| sentence(root, &lacks.join(", "), root, arguments, &flags))
}

fn sentence(what: &Path, lacks: &str, root: &Path, arguments: &[String], flags: &GenerateArgs) -> String {
    let what = format!("`{}` is not finished: {lacks}", shown(what));
    let has_snapshots = outputs(flags).contains(FileKind::Snapshot);
    let from = if has_snapshots { "" } else { ", for want of snapshots from the first run of what is not finished" };
    let command = Hint::of_arguments(arguments).with("--out-dir", root).with("--resume", root);
    format!("{what}; to go on{from}, unless it is being made now:\n  {command}")
}
