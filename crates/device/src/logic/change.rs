//! Changes the lasting state of a die, as a step does at its start and at its end.

use nandseq_profile::model::Axis;

use super::changes::Changes;
use super::register_change::RegisterChange;
use super::state::{CacheProgram, DieLogic, Loaded};
use crate::effects::StateChange;
use crate::place::Place;
use crate::tables::BaseInfo;

impl DieLogic {
    /// Applies what a step changes at its start.
    #[inline]
    pub fn start(&mut self, info: &BaseInfo, place: &Place) {
        self.make(&info.at_start, place);
    }

    /// Applies what a step changes at its end.
    #[inline]
    pub fn finish(&mut self, info: &BaseInfo, place: &Place) {
        self.make(&info.at_end, place);
    }

    /// Applies what a step changes at its start, then what it changes at its end.
    #[inline]
    pub fn carry_out(&mut self, info: &BaseInfo, place: &Place) {
        self.make(&info.from_start_to_end, place);
    }

    #[inline]
    fn make(&mut self, changes: &Changes, place: &Place) {
        if changes.has_registers {
            self.planes.change(&changes.registers, place);
        }
        if !changes.others.is_empty() {
            self.make_others(changes, place);
        }
    }

    #[inline(never)]
    fn make_others(&mut self, changes: &Changes, place: &Place) {
        changes.others.iter().for_each(|change| self.apply(*change, place));
        self.note_states();
    }

    fn apply(&mut self, change: StateChange, place: &Place) {
        match change {
            StateChange::EmptyResumed(axis) => {
                if let Some(resumed) = self.suspended(axis) {
                    self.planes.change(&RegisterChange::EMPTY, &resumed.place);
                }
            }
            StateChange::Load(kind, level) => *self.latch_mut(kind) = Some(Loaded { level, place: *place }),
            StateChange::Clear(kind) => *self.latch_mut(kind) = None,
            StateChange::EnterCacheProgram(kind) => self.cache_program = Some(CacheProgram { kind, place: *place }),
            StateChange::EndCacheProgram(kind) => {
                self.cache_program = self.cache_program.filter(|state| state.kind != kind);
            }
            StateChange::EndSuspension(Axis::Erase) => self.erase = None,
            StateChange::EndSuspension(Axis::Program) => self.program = None,
            StateChange::Reset => {
                let mut fresh = Self::default();
                fresh.share_target(self);
                *self = fresh;
            }
            StateChange::SwitchOdt { off } => self.odt_disabled = off,
            StateChange::SwitchWriteProtect { on } => self.write_protected = on,
            StateChange::EmptyRegisters
            | StateChange::Fill { .. }
            | StateChange::EnterCacheRead(_)
            | StateChange::ReadOn
            | StateChange::EndCacheRead(_)
            | StateChange::PutOut => {
                let registers = RegisterChange::of(change).unwrap_or(RegisterChange::NOTHING);
                self.planes.change(&registers, place);
            }
        }
    }
}
