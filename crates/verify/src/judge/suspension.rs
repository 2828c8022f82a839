//! The rules of suspension and status: `recovery_target`, `suspend_target`, `resume_target`, `status_value`.
//!
//! `model::start` has the times of suspended operations.

use nandseq_input::Addressed;
use nandseq_profile::Die;
use nandseq_profile::model::{Axis, ByAxis, PayloadField, PhaseKind, StatusField, StatusOf};
use nandseq_trace::{Status, suspension_words};

use super::breaches::{FindingWords, Judge, axis_text, page_text};
use crate::finding::StartedOperation;
use crate::model::{DieStatus, WrongStatus, same_page};
use crate::rule::RuleCode;

impl Judge<'_> {
    /// `recovery_target`, and `read_celltype` against the suspended program.
    pub(super) fn recovery(&mut self) {
        let operation = self.operation;
        if !operation.kind.recovers {
            return;
        }
        for at in operation.targets.iter() {
            let program = self.device.suspended_flight(at.die, Axis::Program);
            let Some(program) = program.map(|flight| (flight.targets, flight.cell_type, flight.origin)) else {
                let by = self.device.die(at.die).suspension(Axis::Program).map(|suspension| suspension.by);
                self.breaks(RuleCode::RecoveryTarget, by, |_| format!("No program is suspended on die {}.", at.die.0));
                continue;
            };
            let (targets, cell_type, by) = program;
            if !targets.iter().any(|target| same_page(target, at)) {
                self.breaks(RuleCode::RecoveryTarget, Some(by), |_| {
                    let first = targets.iter().next().map(page_text).unwrap_or_default();
                    format!("The suspended program is that of {first}.")
                });
            } else if operation.kind.cell_type.unwrap_or(at.cell_type) != cell_type {
                self.breaks(RuleCode::ReadCellType, Some(by), |names| {
                    format!("The suspended program is one of {}.", names.cell_type(cell_type))
                });
            }
        }
    }

    /// `suspend_target`
    pub(super) fn suspend_target(&mut self) {
        let Some(axis) = self.operation.kind.suspends else { return };
        for die in self.operation.touched.dies.clone().map(Die) {
            if self.device.in_core_busy(die, axis, self.operation.origin.start).is_none() {
                self.breaks(RuleCode::SuspendTarget, None, |_| {
                    format!("No {} is in CORE_BUSY on die {}.", axis_text(axis), die.0)
                });
            }
        }
    }

    /// `resume_target`
    pub(super) fn resume_target(&mut self) {
        let Some(axis) = self.operation.kind.resumes else { return };
        for die in self.operation.touched.dies.clone().map(Die) {
            if self.device.die(die).suspension(axis).is_none() {
                self.breaks(RuleCode::ResumeTarget, None, |_| {
                    format!("The {} axis of die {} is not suspended.", axis_text(axis), die.0)
                });
            }
            let program = self.device.die(die).suspension(Axis::Program).copied();
            if let Some(program) = program.filter(|_| axis == Axis::Erase) {
                self.breaks(RuleCode::ResumeTarget, Some(program.by), |_| {
                    format!("The program suspended on die {} is resumed before the erase.", die.0)
                });
            }
        }
    }

    /// `status_value`
    pub(super) fn status(&mut self) {
        let Some(of) = self.operation.kind.status_of else { return };
        let Some(named) = self.operation.targets.iter().next().map(|at| at.die) else { return };
        if let StatusOf::Lun(lun) = of
            && lun != named.0
        {
            if self.operation.out_of_bounds.is_none() {
                self.breaks(RuleCode::StatusValue, None, |_| {
                    format!("The operation looks at LUN {lun}, its payload says die {}.", named.0)
                });
            }
            return;
        }
        let has_status = |target: &&Addressed| target.fields.contains(PayloadField::ExpectedStatus);
        let Some(said) = self.operation.written.iter().find(has_status) else { return };
        let said = DieStatus { ready: said.status, suspended: said.suspended };
        let (is, by) = self.status_of(named, &said);
        let wrong = WrongStatus { said, is, changes: self.device.die(named).changes };
        let before = &mut self.device.dies[named.index()].wrong_status;
        if said == is {
            *before = None;
        } else if before.replace(wrong) == Some(wrong) {
            self.tally.follow(RuleCode::StatusValue);
        } else {
            self.breaks(RuleCode::StatusValue, by, |names| {
                format!("Die {} is {}, not {}.", named.0, status_text(names, &is), status_text(names, &said))
            });
        }
    }

    /// The status of a die at the start of the operation in the fields that `said` has, and an operation that makes it so.
    fn status_of(&self, die: Die, said: &DieStatus) -> (DieStatus, Option<StartedOperation>) {
        let (ready, mut by) = self.word_of(die);
        let state = self.device.die(die);
        let suspended = ByAxis::new(|axis| said.suspended[axis].map(|_| state.seen_suspended[axis]));
        let is = DieStatus { ready: said.ready.map(|_| ready), suspended };
        if said.ready == is.ready {
            let wrong = Axis::ALL.into_iter().find(|axis| said.suspended[*axis] != suspended[*axis]);
            by = wrong.and_then(|axis| state.suspension(axis)).map(|suspension| suspension.by);
        }
        (is, by)
    }

    /// The word for the planes of a die at the start of the operation, and the operation that makes it so.
    ///
    /// A status read that looks at its own plane first has the same result: a plane in CORE_BUSY makes its die busy.
    fn word_of(&self, die: Die) -> (Status, Option<StartedOperation>) {
        let at = self.operation.origin.start;
        let mut window = None;
        for segment in self.device.die(die).planes.iter().flat_map(|plane| &plane.segments) {
            if !segment.time.contains(at) {
                continue;
            }
            match segment.kind {
                PhaseKind::CoreBusy => return (Status::Busy, Some(segment.by)),
                PhaseKind::DataIn | PhaseKind::DataOut => window = Some(segment.by),
                PhaseKind::Issue => {}
            }
        }
        if window.is_some() { (Status::ExtReady, window) } else { (Status::Ready, None) }
    }
}

/// A status in the words of the payload.
fn status_text(names: &FindingWords<'_>, status: &DieStatus) -> String {
    let axis = |axis| status.suspended[axis].map(|is_so| suspension_words(axis)[usize::from(is_so)]);
    let word = |field: &StatusField| match field {
        StatusField::Ready => status.ready.map(Status::name),
        StatusField::EraseSuspend => axis(Axis::Erase),
        StatusField::ProgramSuspend => axis(Axis::Program),
    };
    let fields = names.status_fields();
    fields.iter().filter_map(word).collect::<Vec<_>>().join(", ")
}
