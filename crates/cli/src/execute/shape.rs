//! Whether the folder that `--resume` names holds a campaign of the same shape: a single device or a batch, in these folders, of at
//! least these sites.
//!
//! Otherwise the sites that are there would not be gone on with, and the new manifest would lose them.

use nandseq_trace::manifest::Origin;
use nandseq_trace::recorded::{quoted, shown};
use std::path::Path;

use super::folders::is_same_place;
use super::{batch, difference};
use crate::arguments::DEFAULT_OUT_DIR;
use crate::campaign::{Batch, BatchPart, Campaign};
use crate::failure::{Failure, Problem};
use crate::known_batches::KnownBatch;
use crate::ledger;
use crate::site_files;
use crate::site_list::SiteList;

/// The note about where `--resume` looks, and what it finds there; `None` where the user must have meant it.
pub(crate) fn note_of_beginning(campaign: &Campaign) -> Option<String> {
    let (asked, out_dir) = (campaign.asked_to_resume.as_deref()?, &campaign.out_dir);
    if campaign.resume.is_none() {
        let found = site_files::nothing_in(asked);
        return Some(format!("nothing to go on from in `{}`: {found}; starting from the beginning", shown(asked)));
    }
    let is_forgotten = asked.is_dir() && out_dir == Path::new(DEFAULT_OUT_DIR) && !is_same_place(asked, out_dir);
    is_forgotten.then(|| {
        let together = quoted(asked.as_os_str());
        let (asked, out_dir) = (shown(asked), shown(out_dir));
        format!("going on from the runs in `{asked}`; those that follow go into `{out_dir}` (--out-dir {together} keeps them together)")
    })
}

/// Checks the folder that the campaign was to go on from.
///
/// # Errors
/// When it holds another campaign and nothing to go on from, or sites that the campaign does not have.
pub(super) fn check(campaign: &Campaign) -> Result<(), Failure> {
    let Some(folder) = campaign.asked_to_resume.as_deref().filter(|folder| folder.is_dir()) else { return Ok(()) };
    let known = KnownBatch::all_in(folder);
    if campaign.resume.is_none() {
        is_of_this_shape(campaign, folder, &known)?;
    }
    // With `--sites` the manifest keeps the sites that it lists.
    match &campaign.batch {
        Some(batch) if !matches!(batch.part, BatchPart::Sites(_)) => known
            .iter()
            .filter(|one| campaign.sites.iter().any(|site| one.has(&campaign.head(site))))
            .try_for_each(|one| has_all_of(one, batch, folder)),
        Some(_) | None => Ok(()),
    }
}

/// Checks that a folder without anything to go on from holds no campaign that has other folders.
fn is_of_this_shape(campaign: &Campaign, folder: &Path, known: &[KnownBatch]) -> Result<(), Failure> {
    let arguments = match (&campaign.batch, campaign.sites.first()) {
        (Some(batch), _) => campaign.arguments_of_batch(batch),
        (None, site) => site.map_or_else(Vec::new, |site| campaign.arguments_of_site(site)),
    };
    let here = campaign.origin(arguments);
    let device = ledger::read(folder).ok().flatten().map(|known| known.manifest.origin);
    for there in known.iter().map(|one| &one.origin).chain(&device) {
        // The part that is asked for tells batches from single devices only.
        let are_alike = batch::is_batch(there) == campaign.batch.is_some();
        let of_any_part = |origin: &Origin| {
            if are_alike || !batch::is_batch(origin) { batch::without_part(origin) } else { origin.clone() }
        };
        if let Some(difference) = difference::between_origins(campaign, &of_any_part(there), &of_any_part(&here)) {
            return Err(difference.failure(folder).into());
        }
    }
    Ok(())
}

/// Checks that a batch has every site that is there.
fn has_all_of(known: &KnownBatch, batch: &Batch, folder: &Path) -> Result<(), Failure> {
    let is_beyond = |site: &u64| *site < batch.start || *site - batch.start >= batch.count;
    let beyond: Vec<u64> = known.sites.iter().copied().filter(is_beyond).collect();
    if beyond.is_empty() {
        return Ok(());
    }
    let sites = SiteList::in_words(&beyond);
    let asked: Vec<u64> = (batch.start..batch.start + batch.count).collect();
    let message = format!(
        "`{}` has {sites} of this campaign already, and the batch asked for is {}",
        shown(folder),
        SiteList::of(&asked)
    );
    let help = "ask for all of them with --site-count; --sites chooses some of them";
    Err(Problem::new(message).help(help).into())
}
