//! The context that every rule is judged in, and how a breach is reported.

use nandseq_profile::model::{Axis, StatusField};
use nandseq_profile::{Block, CellTypeId, Die, Page, Plane, Profile, Target};

use super::judged_operation::JudgedOperation;
use crate::compiled_profile::CompiledProfile;
use crate::finding::{FindingSubject, StartedOperation, Tally};
use crate::model::DeviceModel;
use crate::rule::RuleCode;

/// An operation that is being judged, with the device and the findings.
pub(crate) struct Judge<'a> {
    pub(crate) profile: &'a Profile,
    pub(crate) compiled: &'a CompiledProfile,
    pub(crate) device: &'a mut DeviceModel,
    pub(crate) operation: &'a JudgedOperation<'a>,
    pub(crate) tally: &'a mut Tally,
}

impl Judge<'_> {
    /// Reports a breach of a rule; `other` is the other operation involved.
    pub(super) fn breaks(
        &mut self,
        rule: RuleCode,
        other: Option<StartedOperation>,
        message: impl FnOnce(&FindingWords<'_>) -> String,
    ) {
        let names = FindingWords { profile: self.profile };
        let subject = FindingSubject::of(&self.operation.origin, self.operation.written);
        self.tally.report(self.profile, rule, &subject, other, || message(&names));
    }
}

/// Names and phrases for the messages of findings.
pub(crate) struct FindingWords<'a> {
    profile: &'a Profile,
}

impl FindingWords<'_> {
    pub(super) fn op(&self, origin: &StartedOperation) -> &str {
        &self.profile.ops[origin.op].name
    }

    pub(super) fn base(&self, origin: &StartedOperation) -> &str {
        &self.profile.bases[self.profile.ops[origin.op].base].name
    }

    pub(super) fn cell_type(&self, id: CellTypeId) -> &str {
        &self.profile.cell_types[id].name
    }

    /// The fields of a status.
    pub(super) fn status_fields(&self) -> &[StatusField] {
        let fields = &self.profile.export.status;
        if fields.is_empty() { &[StatusField::Ready] } else { fields }
    }
}

pub(super) fn plane_text(die: Die, plane: Plane) -> String {
    format!("plane {} of die {}", plane.0, die.0)
}

pub(super) fn block_text(die: Die, block: Block) -> String {
    format!("block {} of die {}", block.0, die.0)
}

pub(super) fn page_text(at: &Target) -> String {
    format!("page {} of block {} (die {}, plane {})", at.page.0, at.block.0, at.die.0, at.plane.0)
}

pub(super) fn next_page(page: Page) -> u32 {
    u32::from(page.0) + 1
}

pub(super) const fn axis_text(axis: Axis) -> &'static str {
    match axis {
        Axis::Erase => "erase",
        Axis::Program => "program",
    }
}
