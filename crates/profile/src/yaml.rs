//! The document layer: a YAML text as a tree of nodes that know their place.
//!
//! Promises: every duplicate key is reported with both places, not only the first; a syntax error has its line and
//! column; aliases and merge keys (`<<`) are resolved; no text, however hostile, costs unbounded memory, time or stack
//! ([`MAX_DEPTH`], [`MAX_NODES`]). Scalars keep their text, so that decimals stay exact.
//! Leaves out what keys mean: readers use [`Fields`] and the `expect_…` getters, which report what they do not like and
//! return `None`, so that reading goes on and all errors of a file come in one go.

mod build;
mod fields;
mod syntax;
mod typed;

use std::rc::Rc;

pub use build::parse;
pub use fields::Fields;

use crate::diagnostic::Span;

/// How deep mappings and sequences may nest, aliases resolved.
pub const MAX_DEPTH: usize = 64;
/// How many nodes a document may have, aliases resolved.
pub const MAX_NODES: usize = 2_000_000;

/// A value and where it stands.
#[derive(Clone, Debug)]
pub struct Node {
    /// What to point at: a scalar's text, the first line of a mapping or sequence, an alias where it is used.
    pub span: Span,
    /// The byte after its last one (of an alias: after the alias).
    pub end: usize,
    /// What it is.
    pub value: Value,
    /// An error about it has been reported already; getters return `None` without another one.
    broken: bool,
}

/// What a node is.
#[derive(Clone, Debug)]
pub enum Value {
    /// A single value.
    Scalar(Scalar),
    /// `- a`, `[a, b]`
    Sequence(Rc<[Node]>),
    /// `a: b`, `{a: b}`; keys are scalars and occur once.
    Mapping(Rc<[Entry]>),
}

/// A single value, as text.
#[derive(Clone, Debug)]
pub struct Scalar {
    /// The text, escapes resolved.
    pub text: Rc<str>,
    /// Whether it stands there without quotes, so that `null`, `true` and numbers mean what they say.
    pub plain: bool,
}

/// A key and its value.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The text of the key.
    pub key: Rc<str>,
    /// Where the key stands.
    pub key_span: Span,
    /// The value.
    pub value: Node,
}

impl Node {
    /// Whether there is no value: nothing at all, `~` or `null`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        match &self.value {
            Value::Scalar(scalar) => scalar.plain && matches!(&*scalar.text, "" | "~" | "null" | "Null" | "NULL"),
            Value::Sequence(_) | Value::Mapping(_) => false,
        }
    }

    /// Whether an error about this node has been reported already.
    #[must_use]
    pub const fn is_broken(&self) -> bool {
        self.broken
    }

    /// The text of a scalar, quoted or not.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(scalar) => Some(&scalar.text),
            Value::Sequence(_) | Value::Mapping(_) => None,
        }
    }

    /// The items of a sequence.
    #[must_use]
    pub fn as_sequence(&self) -> Option<&[Self]> {
        match &self.value {
            Value::Sequence(items) => Some(items),
            Value::Scalar(_) | Value::Mapping(_) => None,
        }
    }

    /// The entries of a mapping.
    #[must_use]
    pub fn as_mapping(&self) -> Option<&[Entry]> {
        match &self.value {
            Value::Mapping(entries) => Some(entries),
            Value::Scalar(_) | Value::Sequence(_) => None,
        }
    }

    /// The value of a key of a mapping.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.as_mapping()?.iter().find(|entry| &*entry.key == key).map(|entry| &entry.value)
    }

    /// What it is, for messages: "a mapping", "nothing", "`4.5`".
    #[must_use]
    pub fn describe(&self) -> String {
        match &self.value {
            Value::Scalar(_) if self.is_null() => "nothing".to_owned(),
            Value::Scalar(scalar) => crate::diagnostic::quoted(&scalar.text),
            Value::Sequence(_) => "a list".to_owned(),
            Value::Mapping(_) => "a mapping".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
