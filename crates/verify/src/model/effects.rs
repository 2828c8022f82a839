//! The effects of an operation at the moment its array is done.

use nandseq_profile::model::{Axis, Effect, LatchKind};
use nandseq_profile::{Die, Target, Ticks};

use super::{BlockContent, DataModel, DeviceModel, Due, FilledRegister, Latch, PendingOperation};
use crate::compiled_profile::CompiledProfile;

impl DeviceModel {
    /// Applies the effects of every operation whose array is done at `now` or before.
    pub(crate) fn advance(&mut self, compiled: &CompiledProfile, now: Ticks) {
        while let Some(&Due { at, id }) = self.due.front() {
            if at > now {
                break;
            }
            self.due.pop_front();
            if let Some(position) = self.flights.iter().position(|flight| flight.id == id) {
                // Effects look at nothing else in flight. The list is set aside because a flight is large to move.
                let mut flights = std::mem::take(&mut self.flights);
                let flight = &flights[position];
                for &effect in &compiled.kinds[flight.op].effects {
                    self.array_done(compiled, effect, flight);
                }
                flights.swap_remove(position);
                self.flights = flights;
            }
        }
    }

    /// Ends everything in flight, whatever the time. Suspended operations stay suspended.
    pub(crate) fn finish(&mut self, compiled: &CompiledProfile) {
        self.advance(compiled, Ticks(u64::MAX));
        self.bus.clear();
        for die in &mut self.dies {
            die.occupations.clear();
            for plane in &mut die.planes {
                plane.segments.clear();
            }
        }
    }

    /// Notes when the array of a flight is done.
    pub(super) fn put_due(&mut self, at: Ticks, id: u64) {
        let position = self.due.partition_point(|due| due.at <= at);
        self.due.insert(position, Due { at, id });
    }

    fn array_done(&mut self, compiled: &CompiledProfile, effect: Effect, flight: &PendingOperation) {
        let by = flight.origin;
        match effect {
            Effect::Erase => {
                self.set_blocks(flight, |_| BlockContent::Erased(flight.cell_type));
                self.empty_blocks(&flight.targets);
            }
            Effect::Program => {
                self.set_blocks(flight, |at| BlockContent::Programmed(at.page, flight.cell_type));
                self.store(compiled, flight, DataModel::program);
            }
            Effect::CloseBlock => {
                let last = self.last_page();
                self.set_blocks(flight, |_| BlockContent::Programmed(last, flight.cell_type));
                self.store(compiled, flight, DataModel::close);
            }
            Effect::LoadLatch { latch, level, .. } => {
                self.set_latch(flight, latch, Some(Latch { level, targets: flight.targets, by }));
            }
            Effect::ConsumeLatch { latch, .. } => self.set_latch(flight, latch, None),
            Effect::FillRegisters { copyback } => self.fill(compiled, flight, copyback),
            Effect::CacheRead(_) => {
                for at in flight.targets.iter() {
                    let datum = self.read(compiled, flight, at);
                    let own = FilledRegister { at: *at, copyback: false, output: false, datum, by };
                    self.move_to_output(at, Some(own));
                }
            }
            Effect::CacheReadEnd(_) => {
                for at in flight.targets.iter() {
                    self.move_to_output(at, None);
                    self.plane_mut(at).cache_read = None;
                }
            }
            Effect::CacheProgramEnd(kind) => {
                for die in flight.dies.clone() {
                    let die = &mut self.dies[usize::from(die)];
                    if die.cache_program.is_some_and(|cache| cache.kind == kind) {
                        die.cache_program = None;
                    }
                }
            }
            Effect::DataOut => {
                for at in flight.targets.iter() {
                    if let Some(output) = &mut self.plane_mut(at).output
                        && super::same_page(&output.at, at)
                    {
                        output.output = true;
                    }
                }
            }
            Effect::Resume(axis) => self.axis_done(flight, axis, true),
            Effect::Suspend(axis) => self.axis_done(flight, axis, false),
            Effect::OdtEnable => self.odt_off = None,
            Effect::WriteProtectOff => self.write_protect = None,
            Effect::CacheProgramStart(_)
            | Effect::CopybackSource
            | Effect::ResetDie
            | Effect::ResetTarget
            | Effect::OdtDisable
            | Effect::WriteProtectOn
            | Effect::StatusRead
            | Effect::Delay => {}
        }
    }

    /// A read is done: it fills both registers of its planes.
    fn fill(&mut self, compiled: &CompiledProfile, flight: &PendingOperation, copyback: bool) {
        for at in flight.targets.iter() {
            let datum = self.read(compiled, flight, at);
            let register = Some(FilledRegister { at: *at, copyback, output: false, datum, by: flight.origin });
            let plane = self.plane_mut(at);
            plane.page = register;
            plane.output = register;
        }
    }

    /// A RESUME or a SUSPEND is done.
    fn axis_done(&mut self, flight: &PendingOperation, axis: Axis, resumes: bool) {
        for die in flight.dies.clone() {
            let die = &mut self.dies[usize::from(die)];
            if resumes {
                die.suspended[axis as usize] = None;
            }
            die.seen_suspended[axis] = die.suspended[axis as usize].is_some();
        }
    }

    fn set_blocks(&mut self, flight: &PendingOperation, content: impl Fn(&Target) -> BlockContent) {
        for at in flight.targets.iter() {
            self.blocks.set(at.die, at.block, content(at), flight.origin);
        }
    }

    fn set_latch(&mut self, flight: &PendingOperation, latch: LatchKind, holds: Option<Latch>) {
        for die in flight.dies.clone() {
            self.dies[usize::from(die)].latches[latch as usize] = holds;
            if let Some(data) = &mut self.data {
                data.load(Die(die), latch, holds.and(flight.brings.as_deref()));
            }
        }
    }

    /// Moves the page register to the output register, and puts `next` into the page register.
    fn move_to_output(&mut self, at: &Target, next: Option<FilledRegister>) {
        let plane = self.plane_mut(at);
        plane.output = plane.page.map(|page| FilledRegister { output: false, ..page });
        plane.page = next;
    }
}
