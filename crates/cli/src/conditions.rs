//! What written runs were made under, as their manifests say: the probability table, the bad blocks, the bootstrap.
//!
//! What can be covered is told by the first site that knows; of another one that says otherwise there is a warning.

use std::borrow::Cow;
use std::collections::BTreeSet;

use nandseq_profile::Profile;
use nandseq_reach::Start;
use nandseq_report::coverage::{Conditions, TableInForce};
use nandseq_report::page::Distribution;
use nandseq_trace::manifest::Origin;
use nandseq_trace::recorded::shown;

use crate::arguments::flags_of_manifest;
use crate::arguments::reports::ReadDeviceArgs;
use crate::bad_blocks::Lists;
use crate::failure::{Failure, warning_text};
use crate::plan::table::{Table, WantedTable, of_profile};
use crate::written::Written;
use crate::{origins, tell};

/// What some runs were made under; says on stderr where they differ.
pub(crate) fn of_runs(found: &Written, device: &ReadDeviceArgs) -> Result<Conditions, Failure> {
    let profile = &found.profile;
    let mut conditions = Conditions::UNKNOWN;
    let mut lists = Lists::new(None, profile)?;
    let mut seen = BTreeSet::new();
    for site in &found.sites {
        let Some(origin) = origins::of_site(site) else { continue };
        let list = origin.badlist.as_ref().map(|list| (list.source.clone(), list.sha256.to_string()));
        // The sites of a batch say the same.
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

/// Takes over what was not known before, and a bootstrap; warns of what is otherwise. `name` is where the later ones are from.
pub(crate) fn agree(first: &mut Conditions, later: Conditions, name: &str) {
    let differs = |what: &str| {
        tell(&warning_text(&format!(
            "the runs in `{name}` were made {what} than those before: what can be covered is told by the first"
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

/// The table in force; `None` where nobody knows it.
pub(crate) fn table<'c>(conditions: &'c Conditions, profile: &Profile) -> Option<Cow<'c, [Distribution]>> {
    match &conditions.table {
        TableInForce::Unknown => None,
        TableInForce::OfProfile => Some(Cow::Owned(of_profile(profile))),
        TableInForce::Given(table) => Some(Cow::Borrowed(table)),
    }
}

/// The table that the arguments of a manifest give, unless a file it was read from is gone.
fn table_of(origin: &Origin, device: &ReadDeviceArgs, profile: &Profile) -> TableInForce {
    let Ok(mut arguments) = flags_of_manifest(&origin.arguments) else { return TableInForce::Unknown };
    if device.config.is_some() {
        arguments.device.config.clone_from(&device.config);
    }
    match Table::resolve(&WantedTable::of_generate(&arguments), profile, &mut String::new()) {
        Err(_) => TableInForce::Unknown,
        Ok(table) if table.distributions == of_profile(profile) => TableInForce::OfProfile,
        Ok(table) => TableInForce::Given(table.distributions),
    }
}

/// Whether runs with the arguments of a manifest began with the bootstrap.
fn has_bootstrap(origin: &Origin, profile: &Profile) -> bool {
    flags_of_manifest(&origin.arguments).is_ok_and(|arguments| WantedTable::of_generate(&arguments).bootstrap(profile))
}

/// What the devices started with, as far as it is known.
pub(crate) fn start(conditions: &Conditions) -> Start<'_> {
    Start { bootstrap: conditions.bootstrap, bad_blocks: conditions.bad_blocks.as_deref().unwrap_or_default() }
}
