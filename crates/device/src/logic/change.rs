//! Changes the lasting state of a die, as a step does at its start and at its end.

use nandseq_profile::PlaneSet;
use nandseq_profile::model::Axis;

use super::state::{CacheProgram, DieLogic, Loaded, PlaneLogic, Register, holds};
use crate::effects::StateChange;
use crate::place::Place;
use crate::tables::BaseInfo;

impl DieLogic {
    /// Applies what a step changes at its start.
    pub fn start(&mut self, info: &BaseInfo, place: &Place) {
        info.effects.at_start.iter().for_each(|change| self.apply(*change, place));
    }

    /// Applies what a step changes at its end.
    pub fn finish(&mut self, info: &BaseInfo, place: &Place) {
        info.effects.at_end.iter().for_each(|change| self.apply(*change, place));
    }

    fn apply(&mut self, change: StateChange, place: &Place) {
        match change {
            StateChange::EmptyResumed(axis) => {
                let planes = self.suspended(axis).map_or(PlaneSet::EMPTY, |resumed| resumed.place.planes);
                planes.iter().for_each(|plane| self.planes[plane.0 as usize].empty());
            }
            StateChange::EmptyRegisters
            | StateChange::Fill { .. }
            | StateChange::EnterCacheRead(_)
            | StateChange::ReadOn
            | StateChange::EndCacheRead(_)
            | StateChange::PutOut => {
                for plane in place.planes.iter() {
                    self.planes[plane.0 as usize].apply(change, place);
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
        }
    }
}

impl PlaneLogic {
    fn apply(&mut self, change: StateChange, place: &Place) {
        let own = Register { group: place.group, page: place.page, cell_type: place.cell_type, copyback: false };
        match change {
            StateChange::Fill { copyback } => {
                let register = Some(Register { copyback, ..own });
                *self = Self { page: register, output: register, unread: true, cache_read: self.cache_read };
            }
            StateChange::EnterCacheRead(kind) => self.cache_read = Some(kind),
            StateChange::ReadOn => *self = Self { page: Some(own), output: self.page, unread: true, ..*self },
            StateChange::EndCacheRead(_) => {
                *self = Self { page: None, output: self.page, unread: true, cache_read: None }
            }
            StateChange::PutOut => self.unread &= !holds(self.output, place),
            StateChange::EmptyRegisters => self.empty(),
            StateChange::EmptyResumed(_)
            | StateChange::Load(..)
            | StateChange::Clear(_)
            | StateChange::EnterCacheProgram(_)
            | StateChange::EndCacheProgram(_)
            | StateChange::EndSuspension(_)
            | StateChange::Reset
            | StateChange::SwitchOdt { .. }
            | StateChange::SwitchWriteProtect { .. } => {}
        }
    }
}
