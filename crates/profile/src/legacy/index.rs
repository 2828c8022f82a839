//! Looking names up, and suggesting a near name for an unknown one.

use std::collections::HashMap;

use crate::diagnostic::{Diagnostic, Diagnostics, Span, nearest, quoted};
use crate::yaml::Node;

/// The names of one kind, with the items that have them.
pub(super) struct Index<'n, T> {
    kind: &'static str,
    code: &'static str,
    by_name: HashMap<&'n str, T>,
    /// The names in the order of the file, so that suggestions do not depend on hashing.
    order: Vec<&'n str>,
    /// Whether unknown names are not reported.
    quiet: bool,
}

impl<'n, T: Copy> Index<'n, T> {
    /// An index of `items`. `kind` and `code` are for the message about an unknown name.
    pub(super) fn new(kind: &'static str, code: &'static str, items: impl IntoIterator<Item = (&'n str, T)>) -> Self {
        let mut index = Self { kind, code, by_name: HashMap::new(), order: Vec::new(), quiet: false };
        for (name, item) in items {
            index.by_name.insert(name, item);
            index.order.push(name);
        }
        index
    }

    /// Does not report unknown names if there are no names, because then their section is missing and has been reported.
    pub(super) fn quiet_if_empty(mut self) -> Self {
        self.quiet = self.order.is_empty();
        self
    }

    /// Whether unknown names are not reported.
    pub(super) const fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// The item with a name, if there is one.
    pub(super) fn get(&self, name: &str) -> Option<T> {
        self.by_name.get(name).copied()
    }

    /// The names, in the order of the file.
    pub(super) fn names(&self) -> impl Iterator<Item = &'n str> {
        self.order.iter().copied()
    }

    /// The item with a name. An unknown name is reported.
    pub(super) fn resolve(&self, name: &str, at: Span, diagnostics: &mut Diagnostics) -> Option<T> {
        let found = self.get(name);
        if found.is_none() && !self.quiet {
            let near = if diagnostics.is_full() { None } else { nearest(name, self.names()) };
            let message = format!("there is no {} {}", self.kind, quoted(name));
            diagnostics.push(Diagnostic::error(self.code, message).at(at, "").suggest(near));
        }
        found
    }

    /// The item that a scalar names. An unknown name is reported.
    pub(super) fn resolve_node(&self, node: &Node, diagnostics: &mut Diagnostics) -> Option<T> {
        let name = node.expect_str(self.kind, diagnostics)?;
        self.resolve(name, node.span, diagnostics)
    }
}
