//! Sites that were extended as part of a shard, in a folder where the shards were joined before.
//!
//! The manifest of the whole batch lists the manifest that such a site had before. That of the shard lists the present one, so the site is
//! not damaged: the shards have only not been joined again.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use nandseq_input::folder::{DamageKind, FoundSites};
use nandseq_trace::files::Digest;
use nandseq_trace::manifest::{self, BatchManifest, SiteRecord};
use nandseq_trace::recorded::shown;

use crate::hint::Hint;
use crate::site_list::lists_in;

/// The manifest of a shard in `root` that lists the site in `folder` with this digest of its manifest.
fn by_shard(root: &Path, folder: &Path, digest: Digest) -> Option<PathBuf> {
    let lists = lists_in(root).unwrap_or_default().into_iter().filter(|(_, shard)| shard.is_some());
    let lists_it = |(path, _): &(PathBuf, _)| {
        let shard = manifest::bytes(path).ok().and_then(|text| manifest::parse::<BatchManifest>(&text).ok());
        shard.is_some_and(|shard| {
            shard.sites.iter().any(|site| site.manifest_sha256 == digest && site.folder.to_write_in(root) == folder)
        })
    };
    lists.into_iter().find(lists_it).map(|(path, _)| path)
}

/// Whether a site whose manifest has this digest is listed so by its batch, or by a shard, which is added to `shards`.
pub(crate) fn is_listed(root: &Path, record: &SiteRecord, digest: Digest, shards: &mut BTreeSet<PathBuf>) -> bool {
    if digest == record.manifest_sha256 {
        return true;
    }
    let shard = by_shard(root, &record.folder.to_write_in(root), digest);
    let is_listed = shard.is_some();
    shards.extend(shard);
    is_listed
}

/// The note about the sites in `root` that shards with these manifests have extended; `None` without such shards.
pub(crate) fn note(root: &Path, shards: &BTreeSet<PathBuf>) -> Option<String> {
    let names: Vec<String> = shards.iter().map(|path| format!("`{}`", shown(path))).collect();
    let (list, merge) = (if names.len() == 1 { "lists" } else { "list" }, Hint::new("merge").operand(root));
    (!names.is_empty()).then(|| {
        format!(
            "the sites that {} {list} were extended and are not merged yet: extend the other shards too, then `{merge}`",
            names.join(", ")
        )
    })
}

/// Notes which sites below `root` were extended, in place of the damage that their manifests have changed.
pub(crate) fn excuse(root: &Path, found: &mut FoundSites) {
    let mut shards = BTreeSet::new();
    for site in &mut found.sites {
        let own = site.folder.join(manifest::FILE_NAME);
        site.damage.retain(|damage| match damage.what {
            DamageKind::Changed { found, .. } if damage.file == own => {
                let shard = by_shard(root, &site.folder, found);
                shard.map(|path| shards.insert(path)).is_none()
            }
            DamageKind::Changed { .. }
            | DamageKind::Missing
            | DamageKind::NotRegular
            | DamageKind::Unreadable { .. }
            | DamageKind::Rows { .. }
            | DamageKind::TwoFiles { .. }
            | DamageKind::Manifest { .. } => true,
        });
    }
    found.notes.extend(note(root, &shards));
}
