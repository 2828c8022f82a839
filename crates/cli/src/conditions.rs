//! The conditions of written runs, as their manifests state them: the probability table, the bad blocks, the bootstrap.
//!
//! They decide what can be covered. Each condition is taken from the first site that states it. If a later site states another
//! one, there is a warning.

use std::borrow::Cow;
use std::collections::BTreeSet;

use nandseq_profile::{Profile, SourceFile};
use nandseq_reach::Start;
use nandseq_report::coverage::{Conditions, TableInForce};
use nandseq_report::page::KeyDistribution;
use nandseq_trace::manifest::{Input, Origin};
use nandseq_trace::recorded::{path_of, shown};

use crate::arguments::flags_of_manifest;
use crate::bad_blocks::Lists;
use crate::campaign::table::{ResolvedTable, WantedTable, of_profile};
use crate::failure::{Failure, Problem, warning_text};
use crate::test_plan::PlanInForce;
use crate::written::WrittenRuns;
use crate::{origins, tell};

/// The conditions of some runs. Warns on stderr where the runs differ.
pub(crate) fn of_runs(found: &WrittenRuns) -> Result<Conditions, Failure> {
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
                table: table_of(&origin, (profile, &found.profile_text)).unwrap_or_else(|failure| {
                    let unknown = format!("the probability table of `{}` is not known", shown(&site.folder));
                    tell(&failure.as_warning(&unknown));
                    TableInForce::Unknown
                }),
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

/// The probability table that the arguments of a manifest select.
///
/// # Errors
/// When its file can no longer be read, or is no longer what the manifest says. Nothing of its text is shown then, because a
/// manifest may name any file.
fn table_of(origin: &Origin, (profile, text): (&Profile, &SourceFile)) -> Result<TableInForce, Failure> {
    let Ok(arguments) = flags_of_manifest(&origin.arguments) else { return Ok(TableInForce::Unknown) };
    let table = ResolvedTable::resolve(&WantedTable::of_generate(&arguments), profile, &mut String::new());
    let mut table = unchanged(table, origin.probabilities.as_ref(), |table| table.input.as_ref())?;
    // The phases of a plan may have tables of their own.
    if let Some(path) = &arguments.extent.plan {
        let plan = PlanInForce::read(path, (profile, text), &mut String::new());
        unchanged(plan, origin.plan.as_ref(), |plan| Some(&plan.input))?.take_table(profile, &mut table.distributions);
    }
    let distributions = table.distributions;
    let is_of_profile = distributions == of_profile(profile);
    Ok(if is_of_profile { TableInForce::OfProfile } else { TableInForce::Given(distributions) })
}

/// What was read from a file that a manifest names.
///
/// # Errors
/// As [`table_of`].
fn unchanged<T>(
    read: Result<T, Failure>,
    recorded: Option<&Input>,
    input: impl Fn(&T) -> Option<&Input>,
) -> Result<T, Failure> {
    let Some(recorded) = recorded else { return read };
    let path = path_of(&recorded.source);
    let wrong = match &read {
        Ok(found) if input(found).is_some_and(|input| input.sha256 == recorded.sha256) => None,
        Ok(_) | Err(Failure::Faulty(_)) => Some("is no longer what the manifest says it was"),
        Err(_) if !path.exists() => Some("that the manifest names is not there"),
        Err(_) => None,
    };
    let Some(wrong) = wrong else { return read };
    let help = "put the file of that time back in its place";
    Err(Problem::new(format!("`{}` {wrong}", shown(&path))).help(help).into())
}

/// Whether runs with the arguments of a manifest began with the bootstrap.
fn has_bootstrap(origin: &Origin, profile: &Profile) -> bool {
    let begins = |arguments| WantedTable::of_generate(&arguments).bootstrap(profile, origin.phase_runs);
    flags_of_manifest(&origin.arguments).is_ok_and(begins)
}

/// The bootstrap and the bad blocks that the devices started with. Bad blocks that are not known count as none.
pub(crate) fn start(conditions: &Conditions) -> Start<'_> {
    Start {
        bootstrap: conditions.bootstrap,
        bad_blocks: conditions.bad_blocks.as_deref().unwrap_or_default(),
        ..Start::default()
    }
}
