//! Unfinished campaigns: every command that reads runs of one says so, with the command that resumes it.
//!
//! That command makes everything that was asked for. For a batch these are all its sites, so that its manifest becomes complete.
//! The command is on a line of its own, to be pasted. The manifest of the batch states what was asked for, or the ledger of a
//! site that was killed.

use nandseq_trace::recorded::shown;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use nandseq_input::folder::{self, SiteFiles};
use nandseq_profile::diagnostic::counted;
use nandseq_trace::files::FileKind;
use nandseq_trace::manifest::BatchManifest;

use crate::arguments::{GenerateArgs, flags_of_manifest, flags_of_origin};
use crate::campaign::{Batch, outputs};
use crate::execute::batch::{count_of, number_of};
use crate::failure::warning_text;
use crate::hint::Hint;
use crate::inputs::FORMS;
use crate::known_batches::{above, manifests_in};
use crate::ledger::{self, KnownRuns};
use crate::site_folders::SiteFolders;
use crate::site_list::{Shard, SiteList, lists_in};
use crate::tell;

/// The texts about the unfinished campaigns of these sites. `paths` are those that the user named.
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
        // If no manifest or ledger tells of a batch, the site was asked for alone.
        let alone = single(site, &known, &root);
        let parts = batches.entry(root).or_default();
        parts.named.insert(number);
        parts.arguments.extend(known.batch);
        parts.phase_runs = parts.phase_runs.or(known.manifest.origin.phase_runs);
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
            .filter_map(|arguments| of_batch((&root, parts.phase_runs), arguments, None, named))
            .collect();
        let of_manifest =
            |one: &BatchManifest| of_batch((&root, one.origin.phase_runs), &one.origin.arguments, Some(one), named);
        said.extend(manifests.iter().filter_map(of_manifest));
        if named.is_none() {
            said.extend(absent_shards(&root, &manifests, &parts.arguments));
        }
        found.extend(if recorded.is_empty() && parts.arguments.is_empty() { parts.alone } else { said });
    }
    found
}

/// The text about the unfinished campaigns in the folder of a batch or a site; `None` if there are none.
pub(crate) fn in_folder(folder: &Path) -> Option<String> {
    let sites = folder::find_forms(folder, FORMS).unwrap_or_default();
    let said = campaigns(&[folder.to_owned()], &sites);
    (!said.is_empty()).then(|| said.join("\n"))
}

/// Warns of these campaigns on stderr.
pub(crate) fn warn(paths: &[PathBuf], sites: &[SiteFiles]) {
    campaigns(paths, sites).iter().for_each(|campaign| tell(&warning_text(campaign)));
}

/// What the sites of a batch tell about it.
#[derive(Default)]
struct KnownParts {
    /// The sites that are looked at.
    named: BTreeSet<u64>,
    /// The arguments of the batch in the ledgers of its sites.
    arguments: BTreeSet<Vec<String>>,
    /// The runs of each site, if the phases of a plan state them.
    phase_runs: Option<u64>,
    /// The texts about each site alone, used if nothing tells of a batch.
    alone: Vec<String>,
}

/// The text about an unfinished single device, or an unfinished site by itself.
fn single(site: &SiteFiles, known: &KnownRuns, root: &Path) -> Option<String> {
    let flags = flags_of_origin(&known.manifest.origin).ok()?;
    let (done, wanted) = (known.manifest.runs.last().map_or(0, |run| run.run), flags.extent.runs());
    // A site that has covered enough has no further runs.
    let lacks = site.is_unfinished || (done < wanted && flags.extent.until_coverage.is_none());
    let runs = if done == wanted {
        "its manifest is not there".to_owned()
    } else {
        format!("{done} of {} {} there", counted(wanted, "run"), if wanted == 1 { "is" } else { "are" })
    };
    lacks.then(|| sentence(&site.folder, &runs, root, &known.manifest.origin.arguments, &flags))
}

/// The text about an unfinished batch, or part of one. `named` are the sites that count, if not all do.
fn of_batch(
    (root, phase_runs): (&Path, Option<u64>),
    arguments: &[String],
    manifest: Option<&BatchManifest>,
    named: Option<&BTreeSet<u64>>,
) -> Option<String> {
    let flags = flags_of_manifest(arguments).ok()?;
    let wanted = phase_runs.unwrap_or(flags.extent.runs());
    let folders = SiteFolders::parse(flags.site_dir_pattern()).ok()?;
    let ends_early = flags.extent.until_coverage.is_some();
    let records: BTreeMap<u64, (u64, bool)> =
        manifest.into_iter().flat_map(|one| &one.sites).map(|site| (site.site, (site.runs, site.covered))).collect();
    let last_run = |site: u64| {
        let known = ledger::read(&root.join(folders.folder(site))).ok().flatten();
        known.and_then(|known| known.manifest.runs.last().map(|run| run.run))
    };
    let known = |site: u64| match manifest {
        // A manifest of runs that go on from those in another folder lists fewer than the site has.
        Some(_) => records.get(&site).map(|&(runs, covered)| match runs < wanted && !covered {
            true => (last_run(site).unwrap_or(runs), covered),
            false => (runs, covered),
        }),
        None => {
            let folder = root.join(folders.folder(site));
            let is_finished = ledger::finished(&folder).is_ok_and(|manifest| manifest.is_some());
            let known = ledger::read(&folder).ok().flatten()?;
            let runs = known.manifest.runs.last().map_or(0, |run| run.run);
            Some(if is_finished { (runs, ends_early) } else { (runs.min(wanted.saturating_sub(1)), false) })
        }
    };
    let (mut short, mut begun, mut absent) = (Vec::new(), Vec::new(), Vec::new());
    for site in Batch::new(&flags.sites)?.sites().into_iter().filter(|site| named.is_none_or(|all| all.contains(site)))
    {
        match known(site) {
            // All folders are made before the first run.
            None if root.join(folders.folder(site)).is_dir() => begun.push(site),
            None => absent.push(site),
            Some((runs, covered)) if runs < wanted && !covered => short.push(site),
            Some(_) => {}
        }
    }
    let said = |sites: &[u64], one: &str, more: &str| match sites {
        [] => None,
        [site] => Some(format!("site {site} {one}")),
        _ => Some(format!("sites {} {more}", SiteList::of(sites))),
    };
    let lacks = [
        said(&short, "lacks runs", "lack runs"),
        said(&begun, "has no finished run", "have no finished run"),
        said(&absent, "is not there", "are not there"),
    ];
    let lacks: Vec<String> = lacks.into_iter().flatten().collect();
    (!lacks.is_empty()).then(|| sentence(root, &lacks.join(", "), root, arguments, &flags))
}

/// Number of absent shards that are told of.
const SHOWN: usize = 4;

/// The texts about shards of a batch that are not in a folder that holds several others. One alone may lie in a folder of its own. Of a
/// shard that has begun, its ledgers tell.
fn absent_shards(root: &Path, manifests: &[BatchManifest], begun: &BTreeSet<Vec<String>>) -> Vec<String> {
    let lists = lists_in(root).unwrap_or_default();
    let there: Option<Vec<Shard>> = lists.into_iter().map(|(_, shard)| shard).collect();
    // A whole batch has a manifest of another name.
    let (Some(there), Some(one)) = (there.filter(|there| there.len() > 1), manifests.first()) else {
        return Vec::new();
    };
    let arguments = &one.origin.arguments;
    let (start, count) = (number_of(arguments, "--site-start"), count_of(&one.origin));
    let has_begun = |shard: &Shard| begun.iter().any(|arguments| arguments.contains(&shard.to_string()));
    let absent = there[0].all().filter(|shard| !there.contains(shard) && !has_begun(shard));
    let text = |shard: Shard| {
        let sites: Vec<u64> = shard.share(count).map(|offset| start.saturating_add(offset)).collect();
        let mut arguments = arguments.clone();
        let value = arguments.iter_mut().skip_while(|argument| *argument != "--shard").nth(1)?;
        *value = shard.to_string();
        let stamp = ledger::stamp_of_batch(root, one);
        let command = Hint::of_arguments(&arguments).with("--out-dir", root);
        let command = stamp.into_iter().fold(command, |command, stamp| command.with("--stamp", stamp));
        let sites = (!sites.is_empty()).then(|| SiteList::in_words(&sites))?;
        Some(format!("`{}` lacks shard {shard} ({sites}), and holds others; to make it:\n  {command}", shown(root)))
    };
    absent.filter_map(text).take(SHOWN).collect()
}

fn sentence(what: &Path, lacks: &str, root: &Path, arguments: &[String], flags: &GenerateArgs) -> String {
    let what = format!("`{}` is not finished: {lacks}", shown(what));
    let has_snapshots = outputs(flags).contains(FileKind::Snapshot);
    let from = if has_snapshots { "" } else { ", for want of snapshots from the first run of what is not finished" };
    let command = Hint::of_arguments(arguments).with("--out-dir", root).with("--resume", root);
    format!("{what}; to go on{from}, unless it is being made now:\n  {command}")
}
