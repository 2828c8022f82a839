//! Reading and writing probability tables in files of their own (`op_state_probs.yaml`), which may be edited by hand.
//!
//! A written table reads back to the same numbers, bit for bit. Leaves out how a table is built, which is in the generator.

use std::collections::HashMap;
use std::fmt::Write as _;

use crate::diagnostic::{Diagnostic, Diagnostics, SourceFile, Span, nearest, quoted};
use crate::ids::{OpId, PhaseKey};
use crate::limits::MAX_WEIGHT;
use crate::model::Profile;
use crate::phase_key::PhaseKeyNames;
use crate::yaml::{self, Entry, Fields, Node};

/// A probability table: the masses of operations by phase key, in the order of the file.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct ProbabilityTable {
    /// The masses of operations under each phase key. Masses are finite, at least 0, and need not sum to 1. Under a phase key
    /// with an empty list nothing is proposed.
    pub entries: Vec<(PhaseKey, Vec<(OpId, f64)>)>,
}

/// Reads a table for a profile.
///
/// Reports as errors unknown keys and names, and masses that are negative or not finite; as warnings masses of 0, keys of phases
/// that the base does not have, and a missing `DEFAULT`; as notes keys without names. They come together, in the order of the
/// text. The table is `Some` exactly if no diagnostic is an error.
#[must_use]
pub fn read(source: &SourceFile, profile: &Profile) -> (Option<ProbabilityTable>, Diagnostics) {
    let mut diagnostics = Diagnostics::new();
    let root = yaml::parse(source, &mut diagnostics);
    if source.text.trim().is_empty() {
        diagnostics.help_last_error(&form(profile));
    }
    let table = root.and_then(|root| {
        let entries = keys_of(&root, profile, &mut diagnostics)?;
        let phase_keys = PhaseKeyNames::new(profile.phase_keys.iter_ids());
        let ops: HashMap<&str, OpId> = profile.ops.iter_ids().map(|(id, op)| (op.name.as_str(), id)).collect();
        let resolve = |name: &str, at: Span, diagnostics: &mut Diagnostics| {
            let found = ops.get(name).copied();
            if found.is_none() {
                let names = profile.ops.iter().map(|op| op.name.as_str());
                let message = format!("there is no operation name {}", quoted(name));
                let diagnostic = Diagnostic::error("unknown-op", message).at(at, "");
                diagnostics.push(match of_base(profile, name) {
                    Some(op) => diagnostic.help(format!("it is a base; a table lists operations, as {}", quoted(op))),
                    None if diagnostics.is_full() => diagnostic,
                    None => diagnostic.suggest(nearest(name, names)),
                });
            }
            found
        };
        let table = ProbabilityTable { entries: distributions(entries, &phase_keys, resolve, &mut diagnostics) };
        warn_of_no_default(&table.entries, root.span, &mut diagnostics);
        Some(table)
    });
    diagnostics.sort();
    let table = if diagnostics.has_errors() { None } else { table };
    (table, diagnostics)
}

/// Whether a text has the form of a table, whatever profile the table is for.
#[must_use]
pub fn is_table(source: &SourceFile) -> bool {
    yaml::parse(source, &mut Diagnostics::new()).is_some_and(|root| root.get(SECTION).is_some())
}

/// Warns of a table without the key of an idle device.
pub(crate) fn warn_of_no_default(entries: &[(PhaseKey, Vec<(OpId, f64)>)], at: Span, diagnostics: &mut Diagnostics) {
    if entries.iter().all(|(key, _)| *key != PhaseKey::DEFAULT) {
        let message = "the table has no key `DEFAULT`: nothing will be proposed on an idle device";
        let help = "keys that are not listed, and devices on which nothing ever ran, use `DEFAULT`";
        diagnostics.push(Diagnostic::warning("no-default", message).at(at, "").help(help));
    }
}

/// Warns of masses that have no effect because the profile also states explicit distributions.
pub(crate) fn warn_of_unused(overrides: Span, section: &str, diagnostics: &mut Diagnostics) {
    let message = format!("{} has no effect beside `{SECTION}`, which states every weight", quoted(section));
    let help = "take one of the two out; overrides act on a table that is built (--autofill-pc) or loaded from a file";
    diagnostics.push(Diagnostic::warning("overrides-unused", message).at(overrides, "").help(help));
}

/// The only top-level key of a table's file.
const SECTION: &str = "phase_conditional";

/// An operation of the base with this name; `None` if it is not the name of a base.
fn of_base<'p>(profile: &'p Profile, name: &str) -> Option<&'p str> {
    profile.ops.iter().find(|op| profile.bases[op.base].name == name).map(|op| &*op.name)
}

/// A help text with an example of a table.
fn form(profile: &Profile) -> String {
    let names = profile.ops.iter().take(2).zip(["0.75", "0.25"]);
    let names: String = names.map(|(op, mass)| format!("\n    {}: {mass}", yaml::scalar(&op.name))).collect();
    format!("a table gives names their masses, by phase key:\n{SECTION}:\n  DEFAULT:{names}")
}

/// The entries of a table by phase key. For a file that is not a table, the help shows an example.
fn keys_of<'n>(root: &'n Node, profile: &Profile, diagnostics: &mut Diagnostics) -> Option<&'n [Entry]> {
    let form = || form(profile);
    let Some(top) = root.as_mapping() else {
        let message = format!("a table is a mapping with the key `{SECTION}`, not {}", root.describe());
        diagnostics.push(Diagnostic::error("wrong-type", message).at(root.span, "").help(form()));
        return None;
    };
    if let Some(section) = root.get(SECTION) {
        if section.is_null() && !section.is_broken() {
            let at = top.iter().find(|entry| &*entry.key == SECTION).map_or(root.span, |entry| entry.key_span);
            let message = format!("`{SECTION}` of the table lists no phase key");
            diagnostics.push(Diagnostic::error("missing-field", message).at(at, "").help(form()));
            return None;
        }
        let mut fields = Fields::new(root, "table", diagnostics)?;
        fields.take(SECTION);
        fields.finish(diagnostics);
        return section.expect_mapping(SECTION, diagnostics);
    }
    let message = format!("the table lacks the key `{SECTION}`");
    let misspelt = top.iter().find(|entry| nearest(&entry.key, [SECTION]).is_some());
    let is_key = |entry: &&Entry| profile.phase_keys.iter().any(|key| key.name == *entry.key);
    diagnostics.push(match (misspelt, top.iter().find(is_key)) {
        (Some(entry), _) => {
            let diagnostic = Diagnostic::error("missing-field", message).at(entry.key_span, "");
            diagnostic.help(format!("did you mean `{SECTION}`?"))
        }
        (None, Some(entry)) => {
            let help =
                format!("put `{SECTION}:` on a line before its phase keys, and indent what follows by two spaces");
            Diagnostic::error("missing-field", message).at(entry.key_span, "a phase key").help(help)
        }
        (None, None) => Diagnostic::error("missing-field", message).at(root.span, "").help(form()),
    });
    None
}

/// Reads entries `key: {name: mass}`. `op` resolves a name, and reports an unknown one.
pub(crate) fn distributions(
    entries: &[Entry],
    keys: &PhaseKeyNames<'_>,
    op: impl Fn(&str, Span, &mut Diagnostics) -> Option<OpId>,
    diagnostics: &mut Diagnostics,
) -> Vec<(PhaseKey, Vec<(OpId, f64)>)> {
    let mut read: Vec<(PhaseKey, Vec<(OpId, f64)>)> = Vec::new();
    for entry in entries {
        let key = keys.resolve(&entry.key, entry.key_span, diagnostics);
        let empty = entry.value.is_null() && !entry.value.is_broken();
        let items = if empty { None } else { entry.value.expect_mapping(&entry.key, diagnostics) };
        let items = items.unwrap_or_default();
        if empty || (items.is_empty() && entry.value.as_mapping().is_some()) {
            let message = format!("{} lists no name: nothing is proposed under it", quoted(&entry.key));
            diagnostics.push(Diagnostic::note("empty-key", message).at(entry.key_span, ""));
        }
        let mut masses = Vec::with_capacity(items.len());
        for item in items {
            let mass = item.value.expect_f64(&item.key, 0.0..=MAX_WEIGHT, diagnostics);
            if mass == Some(0.0) {
                let message = format!("{} has a mass of 0: it will never be proposed there", quoted(&item.key));
                diagnostics.push(Diagnostic::warning("zero-mass", message).at(item.value.span, ""));
            }
            if let (Some(op), Some(mass)) = (op(&item.key, item.key_span, diagnostics), mass) {
                masses.push((op, mass));
            }
        }
        let Some(key) = key else { continue };
        if read.iter().any(|(known, _)| *known == key) {
            let message = format!("{} is the key of an earlier entry in another spelling", quoted(&entry.key));
            diagnostics.push(Diagnostic::error("duplicate-key", message).at(entry.key_span, "again here"));
            continue;
        }
        read.push((key, masses));
    }
    read
}

/// A table as YAML text. [`read`] gives the same table back.
///
/// Keys and operations that the profile does not have are left out.
#[must_use]
pub fn write(table: &ProbabilityTable, profile: &Profile) -> String {
    let mut text = String::new();
    for (key, masses) in &table.entries {
        let Some(key) = profile.phase_keys.iter().nth(key.index()) else { continue };
        let mut names = String::new();
        for (op, mass) in masses {
            if let Some(op) = profile.ops.iter().nth(op.index()) {
                // Display of f64 is the shortest decimal that reads back to the same bits. Writing to a String cannot fail.
                let _ = writeln!(names, "    {}: {mass}", yaml::scalar(&op.name));
            }
        }
        let _ = match names.as_str() {
            "" => writeln!(text, "  {}: {{}}", yaml::scalar(&key.name)),
            names => write!(text, "  {}:\n{names}", yaml::scalar(&key.name)),
        };
    }
    if text.is_empty() { "phase_conditional: {}\n".to_owned() } else { format!("phase_conditional:\n{text}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builtin;

    #[test]
    fn names_that_a_reader_of_yaml_takes_for_other_values_are_quoted() {
        let mut profile = builtin::profile();
        for (op, name) in ["null", "true", "1e5"].into_iter().enumerate() {
            name.clone_into(&mut profile.ops[OpId::from(op)].name);
        }
        let masses = (0..3).map(|op| (OpId::from(op), 1.0)).collect();
        let text = write(&ProbabilityTable { entries: vec![(PhaseKey::DEFAULT, masses)] }, &profile);
        let expected = "phase_conditional:\n  DEFAULT:\n    \"null\": 1\n    \"true\": 1\n    \"1e5\": 1\n";
        assert_eq!(text, expected);
    }
}
