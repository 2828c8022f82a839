//! Files that have the name of a manifest or ledger that a campaign is about to write.
//!
//! A file that does not read as this program's is not replaced: it may be somebody else's, such as the manifest of a web
//! application, or a damaged manifest that a copy can stand in for. That holds in a folder that is resumed, too.

use nandseq_trace::plain_reason;
use nandseq_trace::recorded::shown;
use std::fs;
use std::path::Path;

use nandseq_trace::manifest::{self, BatchManifest, ManifestKind, SiteManifest};
use serde_json::Value;

use super::folders::is_same_place;
use crate::campaign::{BatchPart, Campaign};
use crate::failure::{Failure, Problem};
use crate::ledger;
use crate::origins::OTHER_VERSION;

/// What to do about a file that is in the way.
const HELP: &str = "it would be replaced: move it away or remove it if it is not needed, or choose another folder";
/// What to do about a damaged manifest of a batch that is resumed, after which sites are found without it.
const HELP_BATCH: &str =
    "put it back from a copy; or move it away: --resume then finds the sites that are there, and writes it anew";
/// The same where `--sites` asks for some sites, which alone would be found.
const HELP_SITES: &str = "put it back from a copy; or move it away: --resume without --sites then finds the sites that are there, and writes it \
                          anew";
/// What to do about the damaged manifest or ledger of a site that is resumed.
const HELP_SITE: &str = "put it back from a copy; or move it away, to have all runs of the site made again or to go on from a snapshot with \
                         --resume FILE";

/// Checks that every file that a campaign would replace as a manifest or ledger is one, and undamaged.
pub(super) fn check(campaign: &Campaign) -> Result<(), Failure> {
    let is_gone_on_with = campaign.resume.as_ref().is_some_and(|resume| is_same_place(resume, &campaign.out_dir));
    let help = |resumed: &'static str| if is_gone_on_with { resumed } else { HELP };
    if let Some(batch) = &campaign.batch {
        let resumed = if matches!(batch.part, BatchPart::Sites(_)) { HELP_SITES } else { HELP_BATCH };
        manifest(&campaign.out_dir.join(batch.manifest_name()), help(resumed))?;
    }
    campaign.sites.iter().try_for_each(|site| lists_of_site(&campaign.folder_of(site), help(HELP_SITE)))
}

/// Checks that the manifest and the ledger in the folder of a site are this program's, as far as they are there.
pub(crate) fn of_site(folder: &Path) -> Result<(), Failure> {
    lists_of_site(folder, HELP)
}

fn lists_of_site(folder: &Path, help: &'static str) -> Result<(), Failure> {
    manifest(&folder.join(manifest::FILE_NAME), help)?;
    let path = folder.join(ledger::FILE_NAME);
    let what = match ledger::unfinished(folder) {
        _ if !path.is_file() => return Ok(()),
        Ok(Some(_)) => return Ok(()),
        Ok(None) => format!("`{}`:1 is not a list of finished runs of this program", shown(&path)),
        Err(reason) => format!("`{}`: {}", shown(&path), plain_reason(&reason)),
    };
    Err(Problem::new(what).help(help).into())
}

fn manifest(path: &Path, help: &'static str) -> Result<(), Failure> {
    if !path.is_file() {
        return Ok(());
    }
    let text = fs::read(path).map_err(|reason| Problem::unreadable("the manifest", path, &reason))?;
    let kind = ManifestKind::of(&text);
    let fault = match kind {
        ManifestKind::Batch => manifest::parse::<BatchManifest>(&text).err(),
        ManifestKind::Site | ManifestKind::Unknown => manifest::parse::<SiteManifest>(&text).err(),
    };
    let Some(fault) = fault else { return Ok(()) };
    // Whole JSON without the field that every manifest begins with.
    let is_of_other_form = |value: Value| value.get("schema").is_none();
    let is_somebody_elses = kind == ManifestKind::Unknown && serde_json::from_slice(&text).is_ok_and(is_of_other_form);
    let help = match fault.is_of_another_schema() {
        true if help != HELP => OTHER_VERSION,
        _ if is_somebody_elses => HELP,
        _ => help,
    };
    Err(Problem::new(fault.sentence(path, kind)).help(help).into())
}
