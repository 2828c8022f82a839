//! Changes the lasting state of a die, as a step does at its start and at its end.

use nandseq_profile::PlaneSet;
use nandseq_profile::model::Axis;

use super::state::{CacheProgram, DieLogic, Loaded};
use crate::effects::StateChange;
use crate::place::Place;
use crate::tables::BaseInfo;

impl DieLogic {
    /// Applies what a step changes at its start.
    #[inline]
    pub fn start(&mut self, info: &BaseInfo, place: &Place) {
        info.effects.at_start.iter().for_each(|change| self.apply(*change, place));
    }

    /// Applies what a step changes at its end.
    #[inline]
    pub fn finish(&mut self, info: &BaseInfo, place: &Place) {
        info.effects.at_end.iter().for_each(|change| self.apply(*change, place));
    }

    fn apply(&mut self, change: StateChange, place: &Place) {
        match change {
            StateChange::EmptyResumed(axis) => {
                let planes = self.suspended(axis).map_or(PlaneSet::EMPTY, |resumed| resumed.place.planes);
                self.planes.empty(planes);
            }
            StateChange::EmptyRegisters => self.planes.empty(place.planes),
            StateChange::Fill { copyback } => self.planes.fill(place, copyback),
            StateChange::EnterCacheRead(kind) => self.planes.set_cache_read(place.planes, Some(kind)),
            StateChange::ReadOn => self.planes.move_on(place.planes, Some(place)),
            StateChange::EndCacheRead(_) => {
                self.planes.move_on(place.planes, None);
                self.planes.set_cache_read(place.planes, None);
            }
            StateChange::PutOut => self.planes.put_out(place),
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
