//! Mutations, and the mutants that they make.

use nandseq_profile::{Block, Die};
use nandseq_verify::RuleCode;

use crate::sequence::SequenceRow;
use crate::view::RowView;

/// A way to damage a sequence.
#[derive(Clone, Copy)]
pub struct Mutation {
    /// The rule it breaks; `None` if it breaks none.
    pub rule: Option<RuleCode>,
    /// The damage, in a few words.
    pub name: &'static str,
    /// Damages the sequence at a row; `None` if it cannot.
    pub(crate) apply: fn(&RowView<'_>) -> Option<Mutant>,
}

/// A damaged sequence, as changes to the clean one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mutant {
    pub(crate) edits: Vec<Edit>,
    /// A block that is made bad before the first edit.
    pub(crate) condemned: Option<(Die, Block)>,
}

/// An edit of one row, by its index in the clean sequence.
#[derive(Clone, Debug)]
pub(crate) enum Edit {
    Replace(usize, SequenceRow),
    Remove(usize),
    /// Inserts a row before the row of this index.
    Insert(usize, SequenceRow),
    /// Changes the text of the row.
    Text(usize, fn(&str) -> String),
}

impl Edit {
    pub(crate) const fn row(&self) -> usize {
        match self {
            Self::Replace(row, _) | Self::Remove(row) | Self::Insert(row, _) | Self::Text(row, _) => *row,
        }
    }
}

impl Mutant {
    pub(crate) fn replace(row: usize, record: SequenceRow) -> Self {
        Self { edits: vec![Edit::Replace(row, record)], condemned: None }
    }

    pub(crate) fn remove(row: usize) -> Self {
        Self { edits: vec![Edit::Remove(row)], condemned: None }
    }

    pub(crate) fn insert(before: usize, record: SequenceRow) -> Self {
        Self { edits: vec![Edit::Insert(before, record)], condemned: None }
    }

    /// Inserts a row after that of the view, if it does not start before that or after the next.
    pub(crate) fn follow(view: &RowView<'_>, record: SequenceRow) -> Option<Self> {
        let usable = record.time >= view.row().time && record.time <= view.next_time();
        usable.then(|| Self::insert(view.at + 1, record))
    }

    pub(crate) fn text(row: usize, change: fn(&str) -> String) -> Self {
        Self { edits: vec![Edit::Text(row, change)], condemned: None }
    }

    /// The index of the first row that is edited.
    pub(crate) fn first(&self) -> usize {
        self.edits.iter().map(Edit::row).min().unwrap_or_default()
    }
}

/// A mutation that breaks a rule.
pub(crate) const fn breaks(rule: RuleCode, name: &'static str, apply: fn(&RowView<'_>) -> Option<Mutant>) -> Mutation {
    Mutation { rule: Some(rule), name, apply }
}

/// A mutation that breaks none.
pub(crate) const fn harmless(name: &'static str, apply: fn(&RowView<'_>) -> Option<Mutant>) -> Mutation {
    Mutation { rule: None, name, apply }
}
