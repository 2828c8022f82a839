//! The judge is judged: clean sequences, damaged on purpose.
//!
//! A [`Mutation`] damages a clean sequence in one place so that it breaks one rule for certain; [`run`] applies all of them
//! wherever they can be applied, judges each damaged sequence, written as rows of a file and read back, and says how many
//! were found under the code of their rule. Mutations that break nothing (a further status read, say) must not be found.
//!
//! Takes any clean sequence and its profile. What makes a damage certain is worked out from the rows before it and from
//! durations and effects, which are read off the judge's compiled profile; none of its rules is asked. Leaves out damages that might break a rule and might not.

mod addresses;
mod form;
mod harness;
mod occupation;
mod programs;
mod reads;
mod records;
mod sequence;
mod suspension;
mod tables;
mod view;

pub use harness::{Row, Table, run};
pub use records::run_on_tables;
pub use sequence::{Record, Sequence, SequenceError};

use nandseq_profile::{Block, Die};

use nandseq_verify::RuleCode;
use view::View;

/// A way to damage a sequence.
#[derive(Clone, Copy)]
pub struct Mutation {
    /// The rule it breaks; `None` if it breaks none.
    pub rule: Option<RuleCode>,
    /// What is done, in a few words.
    pub name: &'static str,
    /// The damage at a row, where it is possible.
    apply: fn(&View<'_>) -> Option<Mutant>,
}

/// A damaged sequence, as changes to the clean one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mutant {
    edits: Vec<Edit>,
    /// Made bad before the first change.
    condemned: Option<(Die, Block)>,
}

/// A change of one row.
#[derive(Clone, Debug)]
enum Edit {
    Replace(usize, Record),
    Remove(usize),
    /// Before the row of this index.
    Insert(usize, Record),
    /// Of the row as it is written.
    Text(usize, fn(&str) -> String),
}

impl Edit {
    const fn row(&self) -> usize {
        match self {
            Self::Replace(row, _) | Self::Remove(row) | Self::Insert(row, _) | Self::Text(row, _) => *row,
        }
    }
}

impl Mutant {
    fn replace(row: usize, record: Record) -> Self {
        Self { edits: vec![Edit::Replace(row, record)], condemned: None }
    }

    fn remove(row: usize) -> Self {
        Self { edits: vec![Edit::Remove(row)], condemned: None }
    }

    fn insert(before: usize, record: Record) -> Self {
        Self { edits: vec![Edit::Insert(before, record)], condemned: None }
    }

    fn text(row: usize, change: fn(&str) -> String) -> Self {
        Self { edits: vec![Edit::Text(row, change)], condemned: None }
    }

    /// The first row that is changed.
    fn first(&self) -> usize {
        self.edits.iter().map(Edit::row).min().unwrap_or_default()
    }
}

/// All mutations.
#[must_use]
pub fn all() -> Vec<Mutation> {
    [
        occupation::MUTATIONS,
        tables::MUTATIONS,
        addresses::MUTATIONS,
        programs::MUTATIONS,
        reads::MUTATIONS,
        suspension::MUTATIONS,
        form::MUTATIONS,
        form::HARMLESS,
    ]
    .concat()
}

/// A mutation that breaks a rule.
const fn breaks(rule: RuleCode, name: &'static str, apply: fn(&View<'_>) -> Option<Mutant>) -> Mutation {
    Mutation { rule: Some(rule), name, apply }
}

/// A mutation that breaks none.
const fn harmless(name: &'static str, apply: fn(&View<'_>) -> Option<Mutant>) -> Mutation {
    Mutation { rule: None, name, apply }
}
