//! The conditions of written runs, as their manifests state them: the probability table, the bad blocks, the bootstrap.
//!
//! They decide what can be covered. Each condition is taken from the first site that states it. If a later site states another
//! one, there is a warning.

use std::borrow::Cow;
use std::collections::BTreeSet;

use nandseq_profile::Profile;
use nandseq_reach::Start;
use nandseq_report::coverage::{Conditions, TableInForce};
use nandseq_report::page::KeyDistribution;
use nandseq_trace::manifest::Origin;
use nandseq_trace::recorded::shown;

use crate::arguments::flags_of_manifest;
use crate::arguments::reports::ReadDeviceArgs;
use crate::bad_blocks::Lists;
use crate::campaign::table::{ResolvedTable, WantedTable, of_profile};
use crate::failure::{Failure, warning_text};
use crate::written::WrittenRuns;
use crate::{origins, tell};

/// The conditions of some runs. Warns on stderr where the runs differ.
pub(crate) fn of_runs(found: &WrittenRuns, device: &ReadDeviceArgs) -> Result<Conditions, Failure> {
    let profile = &found.profile;
    let mut conditions = Conditions::UNKNOWN;
    let mut lists = Lists::new(None, profile)?;
    let mut seen = BTreeSet::new();
    for site in &found.sites {
        let Some(origin) = origins::of_site(site) else { continue };
        let list = origin.badlist.as_ref().map(|list| (list.source.clone(), list.sha256.to_string()));
        // The sites of a batch state the same, so one of them is enough.
        if seen.insert((origin.arguments.clone(), list)) {
            let of_site = Conditions {
                table: table_of(&origin, device, profile),
                bad_blocks: match lists.of(origin.badlist.as_ref()) {
                    Ok(blocks) => Some(blocks.to_vec()),
                    Err(failure) => {
                        let unknown = format!("the bad blocks of `{}` are not known", shown(&site.folder));
                        tell(&failure.as_warning(&unknown));
                        None
                    }
                },
                bootstrap: has_bootstrap(&origin, profile),
            };
            agree(&mut conditions, of_site, &shown(&site.folder));
        }
    }
    Ok(conditions)
}

/// Adds to `first` the conditions of `later` that it lacks, and warns where the two differ. The bootstrap holds if either has it.
/// `name` is the folder or file of `later`.
pub(crate) fn agree(first: &mut Conditions, later: Conditions, name: &str) {
    let differs = |what: &str| {
        tell(&warning_text(&format!(
            "the runs in `{name}` were made {what} than those before: the first ones decide what can be covered"
        )));
    };
    first.bootstrap |= later.bootstrap;
    if first.table == TableInForce::Unknown {
        first.table = later.table;
    } else if later.table != TableInForce::Unknown && later.table != first.table {
        differs("under another probability table");
    }
    if first.bad_blocks.is_none() {
        first.bad_blocks = later.bad_blocks;
    } else if later.bad_blocks.is_some() && later.bad_blocks != first.bad_blocks {
        differs("with other bad blocks");
    }
}

/// The probability table in force; `None` if it is not known.
pub(crate) fn table<'c>(conditions: &'c Conditions, profile: &Profile) -> Option<Cow<'c, [KeyDistribution]>> {
    match &conditions.table {
        TableInForce::Unknown => None,
        TableInForce::OfProfile => Some(Cow::Owned(of_profile(profile))),
        TableInForce::Given(table) => Some(Cow::Borrowed(table)),
    }
}

/// The probability table that the arguments of a manifest select; unknown if one of its files can no longer be read.
fn table_of(origin: &Origin, device: &ReadDeviceArgs, profile: &Profile) -> TableInForce {
    let Ok(mut arguments) = flags_of_manifest(&origin.arguments) else { return TableInForce::Unknown };
    if device.config.is_some() {
        arguments.device.config.clone_from(&device.config);
    }
    match ResolvedTable::resolve(&WantedTable::of_generate(&arguments), profile, &mut String::new()) {
        Err(_) => TableInForce::Unknown,
        Ok(table) if table.distributions == of_profile(profile) => TableInForce::OfProfile,
        Ok(table) => TableInForce::Given(table.distributions),
    }
}

/// Whether runs with the arguments of a manifest began with the bootstrap.
fn has_bootstrap(origin: &Origin, profile: &Profile) -> bool {
    flags_of_manifest(&origin.arguments).is_ok_and(|arguments| WantedTable::of_generate(&arguments).bootstrap(profile))
}

/// The bootstrap and the bad blocks that the devices started with. Bad blocks that are not known count as none.
pub(crate) fn start(conditions: &Conditions) -> Start<'_> {
    Start { bootstrap: conditions.bootstrap, bad_blocks: conditions.bad_blocks.as_deref().unwrap_or_default() }
}
