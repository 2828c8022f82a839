//! What the sections of a file need of one another, and how a section is read.

use super::names::NameIndex;
use super::words;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::ids::{BaseId, CellTypeId};
use crate::model::Base;
use crate::units::Ticks;
use crate::yaml::{Entry, Node};

/// What the sections of a file refer to in one another.
pub(super) struct Context<'n> {
    pub(super) latencies: Vec<(String, Ticks)>,
    pub(super) latency_names: NameIndex<'n>,
    pub(super) cell_types: NameIndex<'n>,
    pub(super) classes: NameIndex<'n>,
    pub(super) bases: NameIndex<'n>,
    /// The class of each base.
    pub(super) class_of: Vec<Option<usize>>,
    /// The bases as far as they could be read.
    pub(super) read_bases: Vec<Option<Base>>,
    pub(super) chains: NameIndex<'n>,
    pub(super) groups: NameIndex<'n>,
}

impl Context<'_> {
    /// A base, if its stanza could be read.
    pub(super) fn base(&self, id: BaseId) -> Option<&Base> {
        self.read_bases.get(id.index())?.as_ref()
    }

    /// The bases of a class.
    pub(super) fn members(&self, class: usize) -> impl Iterator<Item = BaseId> + '_ {
        let of = self.class_of.iter().enumerate();
        of.filter(move |(_, of)| **of == Some(class)).map(|(base, _)| BaseId::from(base))
    }

    /// The cell type of operations that state none.
    pub(super) fn no_cell_type(&self) -> Option<CellTypeId> {
        self.cell_types.find(words::NO_CELL_TYPE).map(CellTypeId::from)
    }
}

/// The entries of a section that is a mapping of names; none if it is missing or wrong.
pub(super) fn entries<'n>(node: Option<&'n Node>, what: &str, diagnostics: &mut Diagnostics) -> &'n [Entry] {
    node.and_then(|node| node.expect_mapping(what, diagnostics)).unwrap_or_default()
}

/// Reports that a table has more entries than a profile may have; says whether it keeps the limit.
pub(super) fn keeps_limit(entries: &[Entry], limit: usize, what: &str, diagnostics: &mut Diagnostics) -> bool {
    if let Some(first_too_many) = entries.get(limit) {
        let message = format!("a profile has at most {limit} {what}, this one has {}", entries.len());
        diagnostics.push(Diagnostic::error("too-many", message).at(first_too_many.key_span, "the first one too many"));
    }
    entries.len() <= limit
}
