//! The fields that flags added to the payloads of written runs.
//!
//! The manifest says which flags. If no manifest is there, or it is damaged, the rows show it. Leaves out standard input and pipes, which can
//! be read only once: their flags have to be said.

use nandseq_input::folder::SiteFiles;
use nandseq_input::form::AnyForm;
use nandseq_input::{SequenceReader, Source as _, archive};
use nandseq_profile::Profile;
use nandseq_profile::model::{DataTransfer, Expectations, PayloadField};
use nandseq_trace::manifest::Origin;
use nandseq_trace::recorded::shown;

use crate::failure::{Failure, Problem, note_text};
use crate::inputs::{FORMS, ReadProfile};
use crate::{bad_blocks, origins, tell};

/// Number of rows that are looked at. Every device programs and reads status long before.
const LOOKED_AT: usize = 10_000;

/// The origin of a site, as far as a manifest states it.
pub(crate) fn known_origin(site: &SiteFiles) -> Option<Origin> {
    origins::of_site(site).or_else(|| bad_blocks::beside(site))
}

/// Adds to the payloads of a profile what the runs of some sites have: as their manifests say, otherwise as their rows show. Tells the
/// user of the latter.
///
/// # Errors
/// When manifests say different things.
pub(crate) fn add(read: &mut ReadProfile, sites: &[SiteFiles]) -> Result<(), Failure> {
    let mut stated = sites.iter().filter_map(|site| Some((known_origin(site)?.expectations(), site)));
    let Some((first, of)) = stated.next() else {
        let seen = seen(&read.profile, sites);
        if seen != Expectations::default() {
            let flags = Origin::arguments_of(seen).collect::<Vec<_>>().join(" ");
            tell(&note_text(&format!(
                "no manifest says with which flags the runs were made: their rows are those of {flags}"
            )));
        }
        read.expect(seen);
        return Ok(());
    };
    match stated.find(|(other, _)| *other != first) {
        None => {
            read.expect(first);
            Ok(())
        }
        Some((_, other)) => {
            let (one, other) = (shown(&of.folder), shown(&other.folder));
            let message = format!("the runs of `{one}` and `{other}` were made with other flags --expect or --status");
            Err(Problem::new(message).help("their payloads have other fields: name one of them at a time").into())
        }
    }
}

/// Adds what flags say that the payloads have. A manifest that says otherwise knows better.
pub(crate) fn add_wanted(read: &mut ReadProfile, wanted: Expectations, sites: &[SiteFiles]) -> Result<(), Failure> {
    for site in sites {
        let Some(has) = known_origin(site).map(|origin| origin.expectations()) else { continue };
        for (flag, is_wrong) in
            [("--expect", wanted.data && !has.data), ("--status", wanted.full_status && !has.full_status)]
        {
            if is_wrong {
                let message =
                    format!("the runs of `{}` were made without {flag}, as their manifest says", shown(&site.folder));
                return Err(Problem::new(message).help(format!("judge them without {flag}")).into());
            }
        }
    }
    read.expect(wanted);
    Ok(())
}

/// Whether nothing tells which fields the payloads have: no manifest, and no file that can be read twice.
pub(crate) fn are_unknown(sites: &[SiteFiles]) -> bool {
    sites.iter().all(|site| known_origin(site).is_none() && site.runs.iter().all(|run| !archive::is_file(&run.path)))
}

/// The fields that most rows of the first file have, where the profile does not state them.
fn seen(profile: &Profile, sites: &[SiteFiles]) -> Expectations {
    let mut expecting = profile.clone();
    expecting.expect(Expectations { data: true, full_status: true });
    let mut runs = sites.iter().flat_map(|site| &site.runs);
    let file = runs
        .find(|run| archive::is_file(&run.path))
        .and_then(|run| AnyForm::new(FORMS, &expecting).open(&run.path).ok());
    let Some(mut rows) = file.and_then(|file| SequenceReader::new(&expecting, file).ok()) else {
        return Expectations::default();
    };
    let (mut data, mut full_status) = (0_i64, 0_i64);
    let vote = |has: bool| if has { 1 } else { -1 };
    for _ in 0..LOOKED_AT {
        let Ok(Some(row)) = rows.next_row() else { break };
        let Ok(row) = row else { continue };
        let of = profile.ops[row.op].base;
        let brings_data = expecting.bases[of].data_transfer() == Some(DataTransfer::In);
        for target in row.targets {
            if brings_data && !profile.bases[of].payload_has(PayloadField::Data) {
                data += vote(target.fields.contains(PayloadField::Data));
            }
            if profile.bases[of].payload_has(PayloadField::ExpectedStatus) && profile.export != expecting.export {
                full_status += vote(target.fields.contains(PayloadField::ExpectedStatus));
            }
        }
    }
    Expectations { data: data > 0, full_status: full_status > 0 }
}
