//! Merging diagnostics that YAML aliases repeat.

use std::collections::HashMap;

use super::{Diagnostic, Diagnostics, SourceFile, Span};

impl Diagnostics {
    /// Merges equal diagnostics of a value with an anchor and of its aliases into one that has their number. The diagnostics must
    /// be sorted.
    pub fn merge_aliases(&mut self, source: &SourceFile) {
        let mut first_of = HashMap::new();
        let mut merged: Vec<(Diagnostic, usize)> = Vec::with_capacity(self.kept.len());
        for diagnostic in self.kept.drain(..) {
            let value =
                diagnostic.primary.as_ref().and_then(|label| Some((label.span, anchor_of(source, label.span)?)));
            let at = merged.len();
            let first = value.map_or(at, |(span, name)| {
                // An anchor of the same name that is set again is another anchor.
                let is_alias = source.text[span.start..].starts_with('*');
                let key = (diagnostic.severity, diagnostic.code, diagnostic.message.clone(), name);
                let first = first_of.entry(key).or_insert(at);
                if !is_alias {
                    *first = at;
                }
                *first
            });
            match merged.get_mut(first) {
                Some((_, times)) => *times += 1,
                None => merged.push((diagnostic, 1)),
            }
        }
        self.kept.extend(merged.into_iter().map(|(mut diagnostic, times)| {
            if times > 1 {
                diagnostic.message.push_str(&format!(" (in {times} places, by aliases of one anchor)"));
            }
            diagnostic
        }));
    }
}

/// The name of the anchor of a value, or of an alias; `None` for any other value.
fn anchor_of(source: &SourceFile, span: Span) -> Option<&str> {
    let (before, value) = source.text.split_at_checked(span.start)?;
    let end = |text: &str| text.find(|c: char| c.is_whitespace() || ",[]{}".contains(c)).unwrap_or(text.len());
    if let Some(alias) = value.strip_prefix('*') {
        return Some(&alias[..end(alias)]);
    }
    let (_, anchor) = before.trim_end().rsplit_once('&')?;
    (end(anchor) == anchor.len() && !anchor.is_empty()).then_some(anchor)
}
