//! The names and parts of a file that its sections refer to, and reading a section.

use super::names::NameIndex;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::ids::{BaseId, CellTypeId};
use crate::model::{Base, CellType};
use crate::units::Ticks;
use crate::yaml::{Entry, Node};

/// The names and parts of a file that its sections refer to.
pub(super) struct Context<'n> {
    pub(super) latencies: Vec<(String, Ticks)>,
    pub(super) latency_names: NameIndex<'n>,
    pub(super) cell_types: NameIndex<'n>,
    pub(super) classes: NameIndex<'n>,
    pub(super) bases: NameIndex<'n>,
    /// The class of each base, if it has one.
    pub(super) class_of: Vec<Option<usize>>,
    /// The bases; `None` for a base that could not be read.
    pub(super) read_bases: Vec<Option<Base>>,
    pub(super) chains: NameIndex<'n>,
    pub(super) groups: NameIndex<'n>,
}

impl Context<'_> {
    /// A base, if it could be read.
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
        self.cell_types.find(CellType::ANY).map(CellTypeId::from)
    }
}

/// The entries of a section that is a mapping of names. There are none if the section is missing or not a mapping.
pub(super) fn entries<'n>(node: Option<&'n Node>, what: &str, diagnostics: &mut Diagnostics) -> &'n [Entry] {
    node.and_then(|node| node.expect_mapping(what, diagnostics)).unwrap_or_default()
}

/// Whether a section keeps a limit on its entries. If not, it is reported.
pub(super) fn keeps_limit(entries: &[Entry], limit: usize, what: &str, diagnostics: &mut Diagnostics) -> bool {
    if let Some(first_too_many) = entries.get(limit) {
        let message = format!("a profile has at most {limit} {what}, this one has {}", entries.len());
        diagnostics.push(Diagnostic::error("too-many", message).at(first_too_many.key_span, "the first one too many"));
    }
    entries.len() <= limit
}
