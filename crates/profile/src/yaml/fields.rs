//! Reading a mapping with known keys, and reporting keys that are unknown or missing.

use super::{Entry, Node};
use crate::diagnostic::{Diagnostic, Diagnostics, Severity, Span, nearest, quoted};

/// The fields of a mapping.
///
/// The keys that the reader takes are valid; [`Fields::finish`] reports all others.
#[derive(Debug)]
pub struct Fields<'n> {
    /// The name of the mapping in messages.
    what: String,
    /// The place where missing fields are reported: the mapping, or its key after [`Fields::of`].
    span: Span,
    entries: &'n [Entry],
    used: Vec<bool>,
    known: Vec<&'static str>,
}

impl<'n> Fields<'n> {
    /// The fields of a node that should be a mapping. `what` is its name in messages.
    pub fn new(node: &'n Node, what: &str, diagnostics: &mut Diagnostics) -> Option<Self> {
        let entries = node.expect_mapping(what, diagnostics)?;
        Some(Self {
            what: what.to_owned(),
            span: node.span,
            entries,
            used: vec![false; entries.len()],
            known: Vec::new(),
        })
    }

    /// The fields of an entry that should be a mapping. Its key is the name in messages, and missing fields are reported at the
    /// key.
    pub fn of(entry: &'n Entry, diagnostics: &mut Diagnostics) -> Option<Self> {
        let fields = Self::new(&entry.value, &entry.key, diagnostics)?;
        Some(Self { span: entry.key_span, ..fields })
    }

    /// The name in a sentence. It is quoted unless it begins with `the ` (`the profile`, `the base SR`): then it is not a key.
    fn called(&self) -> String {
        if self.what.starts_with("the ") { self.what.clone() } else { quoted(&self.what) }
    }

    /// The value of a field, if the mapping has it. A field without a value counts as absent.
    pub fn take(&mut self, name: &'static str) -> Option<&'n Node> {
        self.take_entry(name).map(|entry| &entry.value).filter(|value| value.is_broken() || !value.is_null())
    }

    /// A field with its key, also if it has no value.
    pub fn take_entry(&mut self, name: &'static str) -> Option<&'n Entry> {
        self.known.push(name);
        let at = self.entries.iter().position(|entry| &*entry.key == name)?;
        self.used[at] = true;
        Some(&self.entries[at])
    }

    /// The value of a required field. A missing field is reported.
    pub fn require(&mut self, name: &'static str, diagnostics: &mut Diagnostics) -> Option<&'n Node> {
        let value = self.take(name);
        if value.is_none() {
            let message = format!("{} lacks {}", self.called(), quoted(name));
            let at = self.entries.iter().find(|entry| &*entry.key == name).map_or(self.span, |entry| entry.key_span);
            diagnostics.push(Diagnostic::error("missing-field", message).at(at, ""));
        }
        value
    }

    /// The entries that have not been taken. They count as taken from now on.
    pub fn rest(&mut self) -> Vec<&'n Entry> {
        let rest = self.entries.iter().zip(&self.used).filter(|(_, used)| !**used).map(|(entry, _)| entry).collect();
        self.used.fill(true);
        rest
    }

    /// Reports every key that was not taken as an error.
    pub fn finish(self, diagnostics: &mut Diagnostics) {
        self.finish_as(Severity::Error, diagnostics);
    }

    /// Reports every key that was not taken, with a severity.
    pub fn finish_as(self, severity: Severity, diagnostics: &mut Diagnostics) {
        for (entry, _) in self.entries.iter().zip(&self.used).filter(|(_, used)| !**used) {
            let message = format!("{} has no field {}", self.called(), quoted(&entry.key));
            let near = if diagnostics.is_full() { None } else { nearest(&entry.key, self.known.iter().copied()) };
            let help = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None if self.known.len() <= 20 => format!("it has: {}", self.known.join(", ")),
                None => "take it out".to_owned(),
            };
            let mut diagnostic = Diagnostic::error("unknown-key", message).at(entry.key_span, "").help(help);
            diagnostic.severity = severity;
            diagnostics.push(diagnostic);
        }
    }
}
