//! What a merge would replace in its target: only parts of the same batch, and earlier merges with as many runs or fewer.
//!
//! Nothing is written here. Files that no manifest lists are left by a merge that was killed only if they are what is brought.

use std::collections::BTreeSet;
use std::path::Path;

use nandseq_input::folder::digest_of;
use nandseq_profile::diagnostic::counted;
use nandseq_trace::inside::InsideName;
use nandseq_trace::manifest::{self, BatchManifest, ManifestKind, RunRecord, SiteManifest};
use nandseq_trace::recorded::shown;

use crate::execute::folders::{is_same_place, site_leads_nowhere_else};
use crate::execute::{batch, own_names};
use crate::failure::{Failure, Problem};
use crate::ledger;
use crate::site_list::lists_in;

/// Checks that the manifests of batches in the target are of the batch that is merged.
pub(super) fn check(target: &Path, merged: &BatchManifest) -> Result<(), Failure> {
    for (path, _) in lists_in(target).unwrap_or_default() {
        let text = manifest::bytes(&path).map_err(|reason| Problem::unreadable("the manifest", &path, &reason))?;
        let kind = ManifestKind::of(&text);
        let is_ours = match manifest::parse::<BatchManifest>(&text) {
            Ok(found) => {
                found.base_seed == merged.base_seed && batch::is_same_batch_of_any_length(&found.origin, &merged.origin)
            }
            Err(_) if kind == ManifestKind::Site => false,
            Err(fault) => {
                let help = "merging would replace it: choose another folder with --into, or move it away first";
                return Err(Problem::new(fault.sentence(&path, kind)).help(help).into());
            }
        };
        if !is_ours {
            return Err(occupied(&path));
        }
    }
    Ok(())
}

/// Checks the folder of a site in the target, where it is called `name`. The files that replace those in it are in `from`.
pub(super) fn check_site(target: &Path, name: &InsideName, from: &Path) -> Result<(), Failure> {
    site_leads_nowhere_else(target, name.as_str())?;
    let to = name.to_write_in(target);
    if !to.is_dir() || is_same_place(from, &to) {
        return Ok(());
    }
    own_names::of_site(&to)?;
    let known = |folder: &Path| {
        let known = ledger::read(folder).map(|known| known.map(|known| known.manifest));
        known.map_err(|reason| Problem::unreadable("the list of runs in", folder, &reason))
    };
    let (Some(here), there) = (known(from)?, known(&to)?) else { return Ok(()) };
    if let Some(there) = &there {
        if !batch::is_same_batch_of_any_length(&there.origin, &here.origin) {
            return Err(occupied(&to));
        }
        let last = |manifest: &SiteManifest| manifest.runs.last().map_or(0, |run| run.run);
        if last(there) > last(&here) {
            let (there, here) = (counted(last(there), "run"), counted(last(&here), "run"));
            let message = format!("`{}` has {there}, and merging would replace it by {here}", shown(&to));
            return Err(Problem::new(message)
                .help("choose another folder with --into, or extend the parts first")
                .into());
        }
    }
    let files = |manifest: &SiteManifest| manifest.runs.iter().flat_map(RunRecord::on_disk).collect::<Vec<_>>();
    let listed: BTreeSet<InsideName> = there.iter().flat_map(files).map(|(file, _)| file).collect();
    for (file, sha256) in files(&here).iter().filter(|(file, _)| !listed.contains(file)) {
        let (path, Some(sha256)) = (file.to_write_in(&to), sha256) else { continue };
        if path.symlink_metadata().is_ok() && !digest_of(&path).is_ok_and(|found| found == *sha256) {
            let message = format!("`{}` is in no manifest of this batch, and merging would replace it", shown(&path));
            return Err(Problem::new(message).help("choose another folder with --into, or move it away first").into());
        }
    }
    Ok(())
}

fn occupied(path: &Path) -> Failure {
    let message = format!("`{}` is of another campaign, and merging would replace it", shown(path));
    Problem::new(message).help("choose another folder with --into, or remove it first").into()
}
