//! Reading a test plan and resolving it against a profile.
//!
//! One reading reports all mistakes of a file, each with its place and, for an unknown name, the nearest valid name. Leaves out
//! whether what a plan wants can happen on the device: that is the work of reachability.

mod addresses;
pub(crate) mod lists;
mod masses;
mod mix;
pub(crate) mod names;
mod phases;
mod scenarios;
pub(crate) mod steps;
mod unserved;
pub(crate) mod values;

use nandseq_profile::diagnostic::quoted;
use nandseq_profile::whole::whole;
use nandseq_profile::yaml::{self, Entry, Fields, Node};
use nandseq_profile::{BaseId, Diagnostic, Diagnostics, Profile, SourceFile};

use self::lists::{entries, refuse_later_sections};
use self::names::PlanNames;
use crate::model::{PlanPhase, TestPlan};

/// The version of the format that this crate reads.
pub const SCHEMA_VERSION: u32 = 1;

/// Reads a test plan for a profile. `classes` are the classes that the text of the profile defines, with their bases.
///
/// Reports all mistakes of the text together, in the order of the text. The plan is `Some` exactly if no diagnostic is an error.
#[must_use]
pub fn read(
    source: &SourceFile,
    profile: &Profile,
    classes: &[(String, Vec<BaseId>)],
) -> (Option<TestPlan>, Diagnostics) {
    let mut diagnostics = Diagnostics::new();
    let names = PlanNames::new(profile, classes);
    let root = yaml::parse(source, &mut diagnostics);
    if source.text.trim().is_empty() {
        diagnostics.help_last_error("begin a plan with `schema: 1`; `nandseqgen plan new` prints an example");
    }
    let plan = root.and_then(|root| sections(&root, &names, &mut diagnostics));
    diagnostics.sort();
    diagnostics.merge_aliases(source);
    let plan = if diagnostics.has_errors() { None } else { plan };
    (plan, diagnostics)
}

fn sections(root: &Node, names: &PlanNames<'_>, diagnostics: &mut Diagnostics) -> Option<TestPlan> {
    let mut fields = Fields::new(root, "the plan", diagnostics)?;
    check_version(fields.require("schema", diagnostics)?, diagnostics)?;
    let mix = mix::read(fields.take("mix"), names, diagnostics);
    let address_entries = entries(fields.take("addresses"), "addresses", diagnostics);
    let addresses =
        address_entries.iter().filter_map(|entry| addresses::read(entry, names.profile, diagnostics)).collect();
    let scenario_entries = entries(fields.take("scenarios"), "scenarios", diagnostics);
    let scenarios = scenario_entries.iter().filter_map(|entry| scenarios::read(entry, names, diagnostics)).collect();
    let common = phases::CommonSettings { mix: &mix, addresses: address_entries, scenarios: scenario_entries };
    let phases = fields.take("phases").map(|node| phases::read(node, &common, names, diagnostics)).unwrap_or_default();
    refuse_later_sections(&mut fields, diagnostics);
    fields.finish(diagnostics);
    if !phases.is_empty() {
        warn_of_unused(address_entries, "addresses", &phases, |phase| &phase.addresses, diagnostics);
        warn_of_unused(scenario_entries, "scenarios", &phases, |phase| &phase.scenarios, diagnostics);
    }
    let plan = TestPlan { phases, mix, addresses, scenarios };
    if !diagnostics.has_errors() {
        addresses::check_size(&plan, address_entries, names.profile.topology, diagnostics);
    }
    if !diagnostics.has_errors() {
        unserved::note(&plan, address_entries, names.profile, diagnostics);
    }
    Some(plan)
}

/// Reports a plan of another version of the format, which this program cannot judge.
fn check_version(version: &Node, diagnostics: &mut Diagnostics) -> Option<()> {
    let text = version.as_str().unwrap_or_default().trim();
    let Ok(found) = whole(text) else {
        version.expect_u32("schema", 0..=u32::MAX, diagnostics)?;
        return None;
    };
    if found == Some(SCHEMA_VERSION.into()) {
        return Some(());
    }
    let message =
        format!("this program reads plans of `schema: {SCHEMA_VERSION}`, and this one is of `schema: {text}`");
    let help = if found == Some(0) || text.starts_with('-') {
        format!("the first version of the format is {SCHEMA_VERSION}: write `schema: {SCHEMA_VERSION}`")
    } else {
        "a newer version of the program may read it".to_owned()
    };
    diagnostics.push(Diagnostic::error("out-of-range", message).at(version.span, "").help(help));
    None
}

/// Warns of entries that are in force in no phase.
fn warn_of_unused(
    entries: &[Entry],
    section: &str,
    phases: &[PlanPhase],
    of: impl Fn(&PlanPhase) -> &Vec<usize>,
    diagnostics: &mut Diagnostics,
) {
    for (at, entry) in entries.iter().enumerate() {
        if phases.iter().all(|phase| !of(phase).contains(&at)) {
            let message = format!("no phase uses {} of {}", quoted(&entry.key), quoted(section));
            let help = format!("name it under {} of a phase, or take it out", quoted(section));
            diagnostics.push(Diagnostic::warning("unused-entry", message).at(entry.key_span, "").help(help));
        }
    }
}
