//! Looking up the names that a file defines, and suggesting a near name for an unknown one.

use std::collections::HashMap;

use super::words::Word;
use crate::diagnostic::{Diagnostic, Diagnostics, Span, nearest, quoted};
use crate::yaml::{Entry, Node};

/// The number of diagnostics after which no more suggestions are computed, so that a file of noise stays cheap.
const MAX_SUGGESTIONS: usize = 100;

/// The names of one kind, in the order of the file.
#[derive(Default, Debug)]
pub(super) struct NameIndex<'n> {
    kind: &'static str,
    list: Vec<&'n str>,
    index: HashMap<&'n str, usize>,
}

impl<'n> NameIndex<'n> {
    /// An index of the keys of a mapping. `kind` says in messages what the names are of: "base".
    pub(super) fn of_keys(kind: &'static str, entries: &'n [Entry]) -> Self {
        Self::of(kind, entries.iter().map(|entry| &*entry.key))
    }

    /// An index of some names. Of equal names the first counts.
    pub(super) fn of(kind: &'static str, names: impl IntoIterator<Item = &'n str>) -> Self {
        let mut found = Self { kind, ..Self::default() };
        for name in names {
            found.index.entry(name).or_insert(found.list.len());
            found.list.push(name);
        }
        found
    }

    /// The position of a name.
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.index.get(name).copied()
    }

    /// Every name.
    pub(super) fn iter(&self) -> impl Iterator<Item = &'n str> + use<'_, 'n> {
        self.list.iter().copied()
    }

    /// The number of names.
    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    /// The position of the name in a scalar. An unknown name is reported.
    pub(super) fn expect(&self, node: &Node, what: &str, diagnostics: &mut Diagnostics) -> Option<usize> {
        let name = node.expect_str(what, diagnostics)?;
        self.require(name, node.span, diagnostics)
    }

    /// The position of a name. An unknown name is reported.
    pub(super) fn require(&self, name: &str, span: Span, diagnostics: &mut Diagnostics) -> Option<usize> {
        let found = self.find(name);
        if found.is_none() {
            unknown(self.kind, name, span, &[self], diagnostics);
        }
        found
    }
}

/// Reports a name that is in none of the indexes.
pub(super) fn unknown(kind: &str, name: &str, span: Span, tables: &[&NameIndex<'_>], diagnostics: &mut Diagnostics) {
    let near = suggestion(name, tables.iter().flat_map(|table| table.iter()), diagnostics);
    let message = format!("there is no {kind} {}", quoted(name));
    let diagnostic = Diagnostic::error("unknown-name", message).at(span, "").suggest(near);
    diagnostics.push(diagnostic);
}

/// The nearest candidate; `None` after [`MAX_SUGGESTIONS`] diagnostics.
pub(super) fn suggestion<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
    diagnostics: &Diagnostics,
) -> Option<&'a str> {
    if diagnostics.len() < MAX_SUGGESTIONS { nearest(name, candidates) } else { None }
}

/// The value of the word in a scalar. An unknown word is reported.
pub(super) fn expect_word<W: Word>(node: &Node, what: &str, diagnostics: &mut Diagnostics) -> Option<W> {
    let word = node.expect_str(what, diagnostics)?;
    let found = W::of(word);
    if found.is_none() {
        let words: Vec<&str> = W::WORDS.iter().map(|(known, _)| *known).collect();
        unknown_word(W::KIND, word, node.span, &words, diagnostics);
    }
    found
}

/// Reports a word that is not one of `words`.
pub(super) fn unknown_word(kind: &str, word: &str, span: Span, words: &[&str], diagnostics: &mut Diagnostics) {
    let message = format!("there is no {kind} {}", quoted(word));
    let help = match suggestion(word, words.iter().copied(), diagnostics) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("there are: {}", words.join(", ")),
    };
    diagnostics.push(Diagnostic::error("unknown-name", message).at(span, "").help(help));
}
