//! The sites that commands read: those of the campaign in the folder that is named.
//!
//! A folder may hold sites of earlier campaigns too. A manifest of a batch is followed where sites are found. Here follow a single
//! device, which lists no sites, and a batch that is being made or was killed, which only manifests of shards and ledgers tell of. If
//! the ledgers tell of several batches, all of them count.

use std::path::{Path, PathBuf};

use nandseq_input::folder::{self, DamageKind, FindError, FoundSites, SiteFiles};
use nandseq_trace::manifest::{self, ManifestKind};
use nandseq_trace::recorded::shown;

use crate::failure::{Failure, Problem};
use crate::inputs::FORMS;
use crate::known_batches::KnownBatch;
use crate::{extended, ledger, origins, unfinished};

/// Finds the sites of several paths.
///
/// # Errors
/// When there is none.
pub(crate) fn find(paths: &[PathBuf]) -> Result<FoundSites, Failure> {
    let mut found = folder::find_all(paths, FORMS).map_err(|error| nothing(paths, error))?;
    for root in paths.iter().filter(|path| path.is_dir()) {
        keep_campaign(root, paths, &mut found);
        extended::excuse(root, &mut found);
    }
    Ok(found)
}

/// The failure of a search. A campaign that was killed in its first run has no sequence yet.
fn nothing(paths: &[PathBuf], error: FindError) -> Failure {
    let unfinished = if let FindError::Nothing { .. } = error { unfinished::campaigns(paths, &[]) } else { Vec::new() };
    match unfinished.as_slice() {
        [] => origins::nothing_to_judge(error),
        _ => Problem::new(error.to_string()).help(unfinished.join("\n")).into(),
    }
}

/// Leaves out the sites below a folder that are not of its campaign and not named by themselves.
fn keep_campaign(root: &Path, paths: &[PathBuf], found: &mut FoundSites) {
    let sites = &mut found.sites;
    let is_below = |site: &SiteFiles| site.folder.starts_with(root) && !paths.contains(&site.folder);
    if !sites.iter().any(is_below) {
        return;
    }
    let is_device = sites.iter().any(|site| site.folder == root && has_list(site));
    let batches = if is_device { Vec::new() } else { KnownBatch::all_in(root) };
    let list = if is_device {
        format!("the manifest in `{}`", shown(root))
    } else {
        let text = manifest::bytes(&root.join(manifest::FILE_NAME));
        // Where there is a manifest, it has been followed, or its fault is reported.
        if batches.is_empty() || text.is_ok_and(|text| ManifestKind::of(&text) == ManifestKind::Batch) {
            return;
        }
        format!("the batch that the lists in `{}` tell of", shown(root))
    };
    let is_kept = |site: &SiteFiles| match ledger::read(&site.folder).ok().flatten() {
        Some(known) => batches.iter().any(|batch| batch.has(&known.manifest)),
        // A fault of a manifest is reported.
        None => !is_device && site.damage.iter().any(|damage| !matches!(damage.what, DamageKind::TwoFiles { .. })),
    };
    let others = sites.extract_if(.., |site| is_below(site) && !is_kept(site));
    let others: Vec<PathBuf> = others.map(|site| site.folder).collect();
    found.leave_out(&others, &list);
}

/// Whether a manifest or a ledger lists the files of a site.
fn has_list(site: &SiteFiles) -> bool {
    site.is_unfinished || !site.listed.is_empty()
}
