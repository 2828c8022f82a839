//! The batches that the manifests and ledgers in a folder tell of, and the sites that are theirs.
//!
//! A batch that is being made, or was killed, has no manifest. The ledgers of its sites have its arguments.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use nandseq_input::folder::DEPTH;
use nandseq_trace::manifest::{self, BatchManifest, Origin, SiteManifest};
use nandseq_trace::run_name::RunName;

use crate::arguments::flags_of_manifest;
use crate::campaign::Batch;
use crate::execute::batch;
use crate::ledger::{self, KnownRuns};
use crate::site_files::plain_folders;
use crate::site_folders::SiteFolders;
use crate::site_list::lists_in;

/// A batch, or a shard of one.
pub(crate) struct KnownBatch {
    /// Its origin, with its arguments.
    pub(crate) origin: Origin,
    /// The sites that its manifest lists or, without a manifest, those that have finished runs or a ledger.
    pub(crate) sites: BTreeSet<u64>,
}

impl KnownBatch {
    /// Those of a folder.
    pub(crate) fn all_in(root: &Path) -> Vec<Self> {
        let of_manifest = |manifest: BatchManifest| Self {
            sites: manifest.sites.iter().map(|site| site.site).collect(),
            origin: manifest.origin,
        };
        let mut known: Vec<Self> = manifests_in(root).into_iter().map(of_manifest).collect();
        known.extend(Self::begun_in(root, &known));
        known
    }

    /// The batches that only ledgers tell of.
    fn begun_in(root: &Path, listed: &[Self]) -> Vec<Self> {
        let mut ledgers = Vec::new();
        ledgers_below(root, DEPTH, &mut ledgers);
        let mut begun: BTreeMap<Vec<String>, Origin> = BTreeMap::new();
        for (folder, known) in ledgers {
            let is_here = above(&folder, &known.manifest).is_some_and(|above| above == root);
            let is_listed = |site: &SiteManifest| listed.iter().any(|one| one.has(site));
            if let Some(arguments) = known.batch.filter(|_| is_here && !is_listed(&known.manifest)) {
                begun.entry(arguments.clone()).or_insert(Origin { arguments, ..known.manifest.origin });
            }
        }
        begun.into_values().map(|origin| Self::begun(root, origin)).collect()
    }

    fn begun(root: &Path, origin: Origin) -> Self {
        let mut known = Self { origin, sites: BTreeSet::new() };
        let Ok(flags) = flags_of_manifest(&known.origin.arguments) else { return known };
        let Ok(folders) = SiteFolders::parse(flags.site_dir_pattern()) else { return known };
        let is_there = |site: &u64| {
            let there = ledger::read(&root.join(folders.folder(*site))).ok().flatten();
            there.is_some_and(|there| known.has(&there.manifest))
        };
        let sites = Batch::new(&flags.sites).map_or_else(Vec::new, |batch| batch.sites());
        known.sites = sites.into_iter().filter(is_there).collect();
        known
    }

    /// Whether a site is of this batch, whatever number of sites and runs the batch has.
    pub(crate) fn has(&self, site: &SiteManifest) -> bool {
        batch::has_site(&self.origin, site)
    }
}

/// The ledgers in the folders below a folder.
fn ledgers_below(folder: &Path, depth: usize, found: &mut Vec<(PathBuf, KnownRuns)>) {
    for below in plain_folders(folder).unwrap_or_default() {
        if below.file_name().and_then(|name| name.to_str()).is_none_or(RunName::is_folder) {
            continue;
        }
        if let Ok(Some(known)) = ledger::unfinished(&below) {
            found.push((below.clone(), known));
        }
        if depth > 1 {
            ledgers_below(&below, depth - 1, found);
        }
    }
}

/// The manifests of a batch, or of its shards, in a folder, as far as they can be used.
pub(crate) fn manifests_in(root: &Path) -> Vec<BatchManifest> {
    let lists = lists_in(root).unwrap_or_default();
    lists.iter().filter_map(|(path, _)| manifest::parse(&manifest::bytes(path).ok()?).ok()).collect()
}

/// The output folder of a site's batch, if the site lies where its flags put it.
pub(crate) fn above(folder: &Path, manifest: &SiteManifest) -> Option<PathBuf> {
    let flags = flags_of_manifest(&manifest.origin.arguments).ok()?;
    let own = PathBuf::from(SiteFolders::parse(flags.site_dir_pattern()).ok()?.folder(manifest.site?));
    let root = folder.ancestors().nth(own.components().count())?;
    let root = if root.as_os_str().is_empty() { Path::new(".") } else { root };
    folder.ends_with(&own).then(|| root.to_owned())
}
