//! The exclusion tables: `op_state`, `latch`, `suspend`, `odt`, `write_protect`, `cache`.

use nandseq_profile::Die;
use nandseq_profile::model::{Axis, DeviceState, LatchKind};

use super::breaches::{Judge, axis_text, plane_text};
use crate::compiled_profile::StateSet;
use crate::finding::sentence;
use crate::rule::RuleCode;

impl Judge<'_> {
    fn forbidden_in(&self, state: DeviceState) -> bool {
        self.operation.kind.excluded_in.contains(state)
    }

    /// `op_state`
    pub(super) fn op_state(&mut self) {
        let operation = self.operation;
        for (die, plane) in operation.touched.iter() {
            let shown = self.device.plane(die, plane).segments.iter().rev().copied().find(|segment| {
                segment.time.contains(operation.origin.start)
                    && self.compiled.in_op_state(segment.base, segment.kind).contains(operation.kind.base)
            });
            if let Some(segment) = shown {
                self.breaks(RuleCode::OpState, Some(segment.by), |names| {
                    let state = format!("{}.{}", names.base(&segment.by), segment.kind.name());
                    let place = plane_text(die, plane);
                    sentence(&format!("{place} is in {state}, which excludes {}", names.base(&operation.origin)))
                });
                return;
            }
        }
    }

    /// `latch`
    pub(super) fn latch(&mut self) {
        let operation = self.operation;
        let excluded_in = operation.kind.excluded_in;
        let latches = excluded_in.meets(StateSet::LATCHES);
        for die in operation.touched.dies.clone().filter(|_| latches).map(Die) {
            let Some(latch) = self.device.die(die).latch(LatchKind::OneShot).copied() else { continue };
            let state = DeviceState::LatchOn(latch.level);
            if self.forbidden_in(state) {
                self.breaks(RuleCode::Latch, Some(latch.by), |names| {
                    format!("Die {} is in {}, which excludes {}.", die.0, state.name(), names.base(&operation.origin))
                });
            }
        }
        if !self.forbidden_in(DeviceState::LatchOnRead) {
            return;
        }
        for (die, plane) in operation.touched.iter() {
            let unread = self.device.plane(die, plane).output.filter(|output| !output.output);
            if let Some(unread) = unread {
                self.breaks(RuleCode::Latch, Some(unread.by), |names| {
                    let place = plane_text(die, plane);
                    format!("The data on {place} is unread, which excludes {}.", names.base(&operation.origin))
                });
            }
        }
    }

    /// `suspend`
    pub(super) fn suspend(&mut self) {
        let operation = self.operation;
        if !operation.kind.excluded_in.meets(StateSet::AXES) {
            return;
        }
        for die in operation.touched.dies.clone().map(Die) {
            for axis in Axis::ALL {
                let suspension = self.device.die(die).suspension(axis).copied();
                let (state, word) = match suspension {
                    Some(_) => (DeviceState::Suspended(axis), "suspended"),
                    None => (DeviceState::NotSuspended(axis), "not suspended"),
                };
                if self.forbidden_in(state) {
                    self.breaks(RuleCode::Suspend, suspension.map(|suspension| suspension.by), |names| {
                        let axis = axis_text(axis);
                        let base = names.base(&operation.origin);
                        format!("The {axis} axis of die {} is {word}, which excludes {base}.", die.0)
                    });
                }
            }
        }
    }

    /// `odt`
    pub(super) fn odt(&mut self) {
        let Some(off) = self.device.odt_off else { return };
        if self.forbidden_in(DeviceState::OdtDisabled) {
            let origin = self.operation.origin;
            self.breaks(RuleCode::Odt, Some(off), |names| {
                format!("On-die termination is off, which excludes {}.", names.base(&origin))
            });
        }
    }

    /// `write_protect`
    pub(super) fn write_protect(&mut self) {
        let operation = self.operation;
        if let Some(by) = self.device.anything_in_flight(operation.origin.start).filter(|_| operation.kind.protects) {
            self.breaks(RuleCode::WriteProtect, Some(by), |names| {
                format!("{} is in flight; write protect is switched on only while nothing is.", names.op(&by))
            });
        }
        let Some(on) = self.device.write_protect else { return };
        if self.forbidden_in(DeviceState::WriteProtect) {
            self.breaks(RuleCode::WriteProtect, Some(on), |names| {
                format!("Write protect is on, which excludes {}.", names.base(&operation.origin))
            });
        }
        let Some(axis) = operation.kind.resumes else { return };
        for die in operation.touched.dies.clone().map(Die) {
            let Some(resumed) = self.device.suspended_flight(die, axis).map(|flight| flight.origin) else { continue };
            let base = self.profile.ops[resumed.op].base;
            if self.compiled.in_state(DeviceState::WriteProtect).contains(base) {
                self.breaks(RuleCode::WriteProtect, Some(on), |names| {
                    format!("Write protect is on, which excludes {}: it is not resumed.", names.base(&resumed))
                });
            }
        }
    }

    /// `cache`
    pub(super) fn cache(&mut self) {
        let operation = self.operation;
        let excluded_in = operation.kind.excluded_in;
        let programs = excluded_in.meets(StateSet::CACHE_PROGRAMS);
        for die in operation.touched.dies.clone().filter(|_| programs).map(Die) {
            let Some(cache) = self.device.die(die).cache_program else { continue };
            let state = DeviceState::CacheProgram(cache.kind);
            if self.forbidden_in(state) {
                self.breaks(RuleCode::Cache, Some(cache.by), |names| {
                    format!("Die {} is in {}, which excludes {}.", die.0, state.name(), names.base(&operation.origin))
                });
            }
        }
        if !excluded_in.meets(StateSet::CACHE_READS) {
            return;
        }
        for (die, plane) in operation.touched.iter() {
            let Some((kind, by)) = self.device.plane(die, plane).cache_read else { continue };
            let state = DeviceState::CacheRead(kind);
            if self.forbidden_in(state) {
                self.breaks(RuleCode::Cache, Some(by), |names| {
                    let (place, base) = (plane_text(die, plane), names.base(&operation.origin));
                    sentence(&format!("{place} is in {}, which excludes {base}", state.name()))
                });
            }
        }
    }
}
