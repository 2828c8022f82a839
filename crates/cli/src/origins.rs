//! The origin that written runs state, and the messages about another origin, or about none that can be read.

use std::collections::BTreeMap;

use nandseq_input::folder::{self, FindError, SiteFiles};
use nandseq_profile::Profile;
use nandseq_trace::manifest::{Input, Origin, ProfileInput};
use nandseq_trace::recorded::{path_of, shell_word, shown};

use crate::failure::{Failure, Problem};
use crate::{inputs, ledger};

/// The help if something is given twice.
pub(crate) const ONCE: &str = "name each file or folder once; folders below one that is named are found";

/// Said of an input that is now a folder, pipe or device. It is not opened: to open a pipe that nobody writes to would block for
/// ever.
pub(crate) const NOT_A_FILE: &str = "that the manifest names is not a regular file";

/// The help for a manifest of another schema.
pub(crate) const OTHER_VERSION: &str = "use the version that wrote it";

pub(crate) fn nothing_to_judge(error: FindError) -> Failure {
    match error {
        FindError::Io { path, error } => Problem::unreadable("the sequences in", &path, &error),
        error @ FindError::Nothing { .. } => {
            Problem::new(error.to_string()).help("name a sequence file, the folder of a site, or that of a batch")
        }
        error @ FindError::Refused { other_version: true, .. } => Problem::new(error.to_string()).help(OTHER_VERSION),
        error @ FindError::Refused { .. } => Problem::new(error.to_string())
            .help("this manifest was changed, or a link was put in a place that it names, so nothing of it was read"),
        error @ FindError::Twice(_) => Problem::new(error.to_string()).help(ONCE),
    }
    .into()
}

/// The origin of a site, as its manifest states it, or the ledger of an unfinished site. `None` if it cannot be read, which is
/// part of the verdict, and for sequences that were named one by one.
pub(crate) fn of_site(site: &SiteFiles) -> Option<Origin> {
    if site.listed.is_empty() && !site.is_unfinished {
        return None;
    }
    ledger::read(&site.folder).ok().flatten().map(|known| known.manifest.origin)
}

/// The names of the phases of a site's runs, by run, as its manifest or ledger states them.
pub(crate) fn phases_of_runs(site: &SiteFiles) -> BTreeMap<u64, String> {
    if site.listed.is_empty() && !site.is_unfinished {
        return BTreeMap::new();
    }
    let runs = ledger::read(&site.folder).ok().flatten().map(|known| known.manifest.runs).unwrap_or_default();
    runs.into_iter().filter_map(|run| Some((run.run, run.phase?))).collect()
}

/// An input that has other contents than before.
pub(crate) struct OtherInput<'o> {
    /// What it is, in words.
    pub(crate) what: &'static str,
    /// The file that was read before.
    pub(crate) then: Option<&'o Input>,
    /// The file that is read now.
    pub(crate) now: Option<&'o Input>,
}

/// The files of an origin beside the profile: the probability table, the list of bad blocks, the test plan.
pub(crate) const fn inputs_of(origin: &Origin) -> [&Option<Input>; 3] {
    [&origin.probabilities, &origin.badlist, &origin.plan]
}

/// The first of these [inputs](inputs_of) that has other contents than before. Its path may differ.
pub(crate) fn other_input<'o>(then: [&'o Option<Input>; 3], now: [&'o Option<Input>; 3]) -> Option<OtherInput<'o>> {
    let digest = |input: Option<&Input>| input.map(|input| input.sha256);
    let all = ["probability table", "list of bad blocks", "test plan"].into_iter().zip(then).zip(now);
    all.map(|((what, then), now)| OtherInput { what, then: then.as_ref(), now: now.as_ref() })
        .find(|input| digest(input.then) != digest(input.now))
}

/// Whether an origin is of this profile, as its file states it.
pub(crate) fn is_of(origin: &Origin, stated: &Profile) -> bool {
    stated.has_hash(&origin.profile.resolved_sha256, &origin.profile.name, origin.expectations())
}

/// Checks that a sequence was made for this profile: it can be judged by no other.
pub(crate) fn same_profile(site: &SiteFiles, origin: &Origin, stated: &Profile) -> Result<(), Failure> {
    if is_of(origin, stated) {
        return Ok(());
    }
    let (folder, name) = (shown(&site.folder), &origin.profile.name);
    let message = format!("the manifest of `{folder}` says that this was made for another profile, `{name}`");
    let help = which_profile(&origin.profile);
    Err(Problem::new(message).help(format!("{help}; or name only runs of one device")).into())
}

/// Checks that the built-in device, which is used for want of another, is the profile that a sequence was made for.
pub(crate) fn profile_is_found(origin: &Origin, built_in: &Profile) -> Result<(), Failure> {
    if origin.profile.source == inputs::BUILT_IN || is_of(origin, built_in) {
        return Ok(());
    }
    let message = format!("the profile that this was made for, `{}`, is not found as it was then", origin.profile.name);
    Err(Problem::new(message).help(which_profile(&origin.profile)).into())
}

/// The help if the profile was the built-in device.
pub(crate) const LEAVE_CONFIG_OUT: &str = "it was the built-in device: leave --config out";

/// The help about how to name the profile that a manifest names.
pub(crate) fn which_profile(profile: &ProfileInput) -> String {
    if profile.source == inputs::BUILT_IN {
        return LEAVE_CONFIG_OUT.to_owned();
    }
    let (sha256, path, named) = (profile.sha256, path_of(&profile.source), shell_word(&profile.source));
    if path.exists() && !path.is_file() {
        format!("{named} {NOT_A_FILE}: --config says where the profile is now (SHA-256 {sha256})")
    } else if !path.is_file() {
        format!("{named}, as the manifest calls it, is not there: --config says where it is now (SHA-256 {sha256})")
    } else if folder::digest_of(&path).is_ok_and(|digest| digest != sha256) {
        format!("{named} has changed since: --config names it as it was then (SHA-256 {sha256})")
    } else {
        format!("name that profile, as it was then (SHA-256 {sha256}): --config {named}")
    }
}
