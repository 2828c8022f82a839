//! Files that have the name of a manifest or ledger that a plan is about to write.
//!
//! Promises that none is replaced that does not read as this program's: it may be somebody else's, such as that of a web application. In a
//! folder that is gone on from, one that is damaged is no such thing; what becomes of it is said where going on begins.

use nandseq_trace::recorded::shown;
use std::fs;
use std::path::Path;

use nandseq_trace::manifest::{self, BatchManifest, ManifestKind, SiteManifest};
use serde_json::Value;

use super::folders::is_same_place;
use crate::failure::{Failure, Problem};
use crate::ledger;
use crate::plan::Plan;

/// What to do about a file that is in the way.
const HELP: &str = "it would be replaced: move it away or remove it if it is not needed, or choose another folder";

/// Whether all files that a plan would replace as manifests and ledgers are some.
pub(super) fn check(plan: &Plan) -> Result<(), Failure> {
    let is_gone_on_with = plan.resume.as_ref().is_some_and(|resume| is_same_place(resume, &plan.out_dir));
    if let Some(batch) = &plan.batch {
        manifest(&plan.out_dir.join(batch.manifest_name()), is_gone_on_with)?;
    }
    for site in &plan.sites {
        let folder = plan.folder_of(site);
        manifest(&folder.join(manifest::FILE_NAME), is_gone_on_with)?;
        let path = folder.join(ledger::FILE_NAME);
        if !is_gone_on_with && path.is_file() && ledger::unfinished(&folder).is_ok_and(|known| known.is_none()) {
            let what = format!("`{}`:1 is no list of finished runs of this program", shown(&path));
            return Err(Problem::new(what).help(HELP).into());
        }
    }
    Ok(())
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
    // Whole, and with no field of a manifest.
    let is_of_other_form = |value: Value| value.get("schema").is_none();
    let is_somebody_elses = kind == ManifestKind::Unknown && serde_json::from_slice(&text).is_ok_and(is_of_other_form);
    match fault {
        Some(fault) if !is_gone_on_with || is_somebody_elses => {
            Err(Problem::new(fault.sentence(path, kind)).help(HELP).into())
        }
        Some(_) | None => Ok(()),
    }
}
