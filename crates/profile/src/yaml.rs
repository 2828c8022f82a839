//! YAML documents as trees of nodes with their places in the text.
//!
//! Every duplicate key is reported with both places. A syntax error has its line and column. Aliases and merge keys (`<<`) are
//! resolved. Memory, time and stack are bounded for any text ([`MAX_DEPTH`], [`MAX_NODES`]). Scalars keep their text, so decimals
//! stay exact.
//!
//! Leaves out the meaning of keys. Readers use [`Fields`] and the `expect_…` functions, which report a mistake and return `None`,
//! so that reading goes on and all errors of a file are reported together.

mod build;
mod examples;
mod fields;
mod quote;
mod syntax;
mod typed;

use std::rc::Rc;

pub use build::parse;
pub use fields::Fields;
pub(crate) use quote::scalar;

use crate::diagnostic::Span;

/// The largest depth of nested mappings and sequences, with aliases resolved.
pub const MAX_DEPTH: usize = 64;
/// The largest number of nodes of a document, with aliases resolved.
pub const MAX_NODES: usize = 2_000_000;

/// A value with its place in the text.
#[derive(Clone, Debug)]
pub struct Node {
    /// The place for messages: the text of a scalar, the first line of a mapping or sequence, or the alias.
    pub span: Span,
    /// The byte after the value, or after the alias.
    pub end: usize,
    /// The value.
    pub value: Value,
    /// Whether an error about the node has been reported. Getters then return `None` without another report.
    broken: bool,
}

/// The value of a node.
#[derive(Clone, Debug)]
pub enum Value {
    /// A single value.
    Scalar(Scalar),
    /// A list: `- a`, `[a, b]`.
    Sequence(Rc<[Node]>),
    /// A mapping: `a: b`, `{a: b}`. Keys are scalars and occur once.
    Mapping(Rc<[Entry]>),
}

/// A single value, as text.
#[derive(Clone, Debug)]
pub struct Scalar {
    /// The text, with escapes resolved.
    pub text: Rc<str>,
    /// Whether it has no quotes, so that `null`, `true` and numbers are not texts.
    pub plain: bool,
}

/// A key and its value.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The text of the key.
    pub key: Rc<str>,
    /// The place of the key.
    pub key_span: Span,
    /// The value.
    pub value: Node,
}

impl Node {
    /// Whether the value is missing, `~` or `null`.
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

    /// The value in a message: "a mapping", "nothing", "`4.5`".
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
