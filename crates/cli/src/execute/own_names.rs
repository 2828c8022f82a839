//! Files that have the name of a manifest or ledger that a campaign is about to write.
//!
//! A file that does not read as this program's is not replaced: it may be somebody else's, such as the manifest of a web
//! application. In a folder that is resumed, a damaged file counts as this program's. The code that resumes says what becomes of
//! it.

use nandseq_trace::plain_reason;
use nandseq_trace::recorded::shown;
use std::fs;
use std::path::Path;

use nandseq_trace::manifest::{self, BatchManifest, ManifestKind, SiteManifest};
use serde_json::Value;

use super::folders::is_same_place;
use crate::campaign::Campaign;
use crate::failure::{Failure, Problem};
use crate::ledger;

/// What to do about a file that is in the way.
const HELP: &str = "it would be replaced: move it away or remove it if it is not needed, or choose another folder";

/// Checks that every file that a campaign would replace as a manifest or ledger is one.
pub(super) fn check(campaign: &Campaign) -> Result<(), Failure> {
    let is_gone_on_with = campaign.resume.as_ref().is_some_and(|resume| is_same_place(resume, &campaign.out_dir));
    if let Some(batch) = &campaign.batch {
        manifest(&campaign.out_dir.join(batch.manifest_name()), is_gone_on_with)?;
    }
    for site in &campaign.sites {
        of_site(&campaign.folder_of(site), is_gone_on_with)?;
    }
    Ok(())
}

/// Checks that the manifest and the ledger in the folder of a site are this program's, as far as they are there.
pub(crate) fn of_site(folder: &Path, is_gone_on_with: bool) -> Result<(), Failure> {
    manifest(&folder.join(manifest::FILE_NAME), is_gone_on_with)?;
    let path = folder.join(ledger::FILE_NAME);
    let what = match ledger::unfinished(folder) {
        _ if is_gone_on_with || !path.is_file() => return Ok(()),
        Ok(Some(_)) => return Ok(()),
        Ok(None) => format!("`{}`:1 is not a list of finished runs of this program", shown(&path)),
        Err(reason) => format!("`{}`: {}", shown(&path), plain_reason(&reason)),
    };
    Err(Problem::new(what).help(HELP).into())
}

fn manifest(path: &Path, is_gone_on_with: bool) -> Result<(), Failure> {
    if !path.is_file() {
        return Ok(());
    }
    let text = fs::read(path).map_err(|reason| Problem::unreadable("the manifest", path, &reason))?;
    let kind = ManifestKind::of(&text);
    let fault = match kind {
        ManifestKind::Batch => manifest::parse::<BatchManifest>(&text).err(),
        ManifestKind::Site | ManifestKind::Unknown => manifest::parse::<SiteManifest>(&text).err(),
    };
    // Whole JSON without the field that every manifest begins with.
    let is_of_other_form = |value: Value| value.get("schema").is_none();
    let is_somebody_elses = kind == ManifestKind::Unknown && serde_json::from_slice(&text).is_ok_and(is_of_other_form);
    match fault {
        Some(fault) if !is_gone_on_with || is_somebody_elses => {
            Err(Problem::new(fault.sentence(path, kind)).help(HELP).into())
        }
        Some(_) | None => Ok(()),
    }
}
