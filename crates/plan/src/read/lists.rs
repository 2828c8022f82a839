//! Reading sections and lists of a plan, and refusing those that are too long or that come later.

use nandseq_profile::diagnostic::quoted;
use nandseq_profile::yaml::{Entry, Fields, Node};
use nandseq_profile::{Diagnostic, Diagnostics, Span};

use super::names;

/// The most phases of a plan.
pub(super) const MAX_PHASES: usize = 1_000;
/// The most entries of `addresses` and of `scenarios`, and the most regions of an entry and steps of a scenario.
pub(super) const MAX_ENTRIES: usize = 64;

/// Refuses the sections that the format has and the program does not have yet. An empty list in a phase is allowed.
pub(super) fn refuse_later_sections(fields: &mut Fields<'_>, diagnostics: &mut Diagnostics) {
    for section in ["goals", "illegal"] {
        let Some(entry) = fields.take_entry(section) else { continue };
        if entry.value.as_sequence().is_none_or(|items| !items.is_empty()) {
            let message = format!("{} is not supported yet", quoted(section));
            let help = "take it out; this program knows phases, mix, addresses and scenarios";
            diagnostics.push(Diagnostic::error("not-supported", message).at(entry.key_span, "").help(help));
        }
    }
}

/// The entries of a section that is a mapping of names, if there are not too many.
pub(super) fn entries<'n>(node: Option<&'n Node>, what: &str, diagnostics: &mut Diagnostics) -> &'n [Entry] {
    let found = node.and_then(|node| node.expect_mapping(what, diagnostics)).unwrap_or_default();
    if let Some(entry) = found.get(MAX_ENTRIES) {
        report_too_many(
            (found.len(), MAX_ENTRIES),
            &format!("entries in {}", quoted(what)),
            entry.key_span,
            diagnostics,
        );
    }
    let found = &found[..found.len().min(MAX_ENTRIES)];
    for entry in found {
        names::check_defined(&format!("entry of {}", quoted(what)), &entry.key, entry.key_span, diagnostics);
    }
    found
}

/// The items of a list that must not be empty, if there are not too many.
pub(super) fn items<'n>(node: &'n Node, what: &str, most: usize, diagnostics: &mut Diagnostics) -> &'n [Node] {
    let Some(found) = node.expect_sequence(what, diagnostics) else { return &[] };
    if found.is_empty() {
        let message = format!("{} lists nothing", quoted(what));
        diagnostics.push(Diagnostic::error("empty-list", message).at(node.span, ""));
    }
    if let Some(item) = found.get(most) {
        report_too_many((found.len(), most), &format!("items in {}", quoted(what)), item.span, diagnostics);
    }
    &found[..found.len().min(most)]
}

/// Reports the unknown keys of a mapping that has ranges. A range after a comma within `{…}` reads as a key without a value.
pub fn finish_with_ranges(fields: Fields<'_>, node: &Node, diagnostics: &mut Diagnostics) {
    let is_range = |entry: &&Entry| entry.value.is_null() && entry.key.starts_with(|c: char| c.is_ascii_digit());
    let Some(entry) = node.as_mapping().and_then(|entries| entries.iter().find(is_range)) else {
        fields.finish(diagnostics);
        return;
    };
    let message = format!("a comma within `{{…}}` ends a value, so that {} is a key", quoted(&entry.key));
    let help = "several ranges are a list, `[0, 5-1019]`, or a text in quotes, `\"0,5-1019\"`";
    diagnostics.push(Diagnostic::error("bad-range", message).at(entry.key_span, "").help(help));
}

fn report_too_many((found, most): (usize, usize), what: &str, at: Span, diagnostics: &mut Diagnostics) {
    let message = format!("a plan has at most {most} {what}, this one has {found}");
    diagnostics.push(Diagnostic::error("too-many", message).at(at, "the first one too many"));
}
