//! `detect: output`: which output of data shows that an operation failed.

use nandseq_input::{Addressed, Row};
use nandseq_plan::model::AddressPart;
use nandseq_profile::Profile;
use nandseq_profile::model::Effect;

use crate::history::value;

/// The operations of a run that failed and that no output has shown yet.
#[derive(Debug, Default)]
pub(crate) struct Unseen(Vec<FailedOperation>);

#[derive(Debug)]
struct FailedOperation {
    targets: Vec<Addressed>,
    /// Whether it concerns whole blocks.
    is_erase: bool,
}

impl Unseen {
    /// Forgets everything: a run begins.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Adds an operation that failed.
    pub(crate) fn add(&mut self, row: &Row<'_>, profile: &Profile) {
        let is_erase = profile.bases[profile.ops[row.op].base].has(Effect::Erase);
        self.0.push(FailedOperation { targets: row.targets.to_vec(), is_erase });
    }

    /// Whether an operation puts out data that show one of them. What is shown is no longer unseen.
    pub(crate) fn shows(&mut self, row: &Row<'_>, profile: &Profile) -> bool {
        if !profile.bases[profile.ops[row.op].base].has(Effect::DataOut) {
            return false;
        }
        let before = self.0.len();
        self.0.retain(|failed| !failed.is_shown_by(row.targets));
        self.0.len() < before
    }
}

impl FailedOperation {
    /// Whether a target of an output has the same address as one of its own, as far as both name it.
    fn is_shown_by(&self, output: &[Addressed]) -> bool {
        let agree = |one: &Addressed, other: &Addressed, part| match (value(one, part), value(other, part)) {
            (Some(one), Some(other)) => one == other,
            (None, _) | (_, None) => true,
        };
        let parts = [AddressPart::Die, AddressPart::Plane, AddressPart::Block, AddressPart::Page];
        let compared = if self.is_erase { &parts[..3] } else { &parts[..] };
        let mut own = self.targets.iter();
        own.any(|one| output.iter().any(|other| compared.iter().all(|&part| agree(one, other, part))))
    }
}
