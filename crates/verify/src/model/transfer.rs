//! How operations move data between pages, latches and registers.

use nandseq_profile::Target;
use nandseq_profile::model::{Axis, LatchLevel};

use super::data::{DataModel, HeldDatum, LEVELS, Levels, LevelsByPlane, MSB, PLANES};
use super::{DeviceModel, PendingOperation, Targets, same_page};
use crate::compiled_profile::{CompiledProfile, OperationKind};
use crate::judge::JudgedOperation;

impl DeviceModel {
    /// What an operation that starts brings to its planes, level by level; of a recovery read, what it finds there. `None` if it does
    /// neither, or if data is not judged.
    pub(super) fn brought(
        &self,
        compiled: &CompiledProfile,
        operation: &JudgedOperation<'_>,
    ) -> Option<Box<LevelsByPlane>> {
        let kind = operation.kind;
        let data = self.data.as_deref().filter(|_| kind.programs || kind.recovers)?;
        let mut planes = Box::new([[HeldDatum::NOTHING; LEVELS]; PLANES]);
        for at in operation.targets.iter() {
            planes[at.plane.index()] = if kind.recovers {
                [self.recovered(compiled, kind, at); LEVELS]
            } else {
                self.levels(data, operation, at)
            };
        }
        Some(planes)
    }

    /// The data that an operation without a copyback source brings in over the bus, for a target: its own, or that of the load that
    /// it finds in place of its own.
    pub(crate) fn brought_in(&self, operation: &JudgedOperation<'_>, at: &Target) -> HeldDatum {
        let loads = operation.kind.latches.iter().any(|of| of.loads.is_some());
        let data = self.data.as_deref().filter(|_| !loads);
        data.map_or_else(|| self.own(operation, at), |data| self.levels(data, operation, at)[MSB])
    }

    /// What an operation brings to a plane, level by level.
    fn levels(&self, data: &DataModel, operation: &JudgedOperation<'_>, at: &Target) -> Levels {
        let own = self.own(operation, at);
        data.levels(operation.kind, at, own, |latch| {
            let held = self.die(at.die).latch(latch);
            held.is_some_and(|held| held.targets.same_pages(&operation.targets))
        })
    }

    /// What an operation brings in itself, or copies from the page register.
    fn own(&self, operation: &JudgedOperation<'_>, at: &Target) -> HeldDatum {
        if operation.kind.from_copyback {
            self.plane(at.die, at.plane).page.map_or(HeldDatum::UNKNOWN, |page| page.datum)
        } else {
            HeldDatum::of(operation.origin.uid)
        }
    }

    /// What a recovery read finds: of the suspended program, the level that the read names.
    fn recovered(&self, compiled: &CompiledProfile, kind: &OperationKind, at: &Target) -> HeldDatum {
        let program = self.suspended_flight(at.die, Axis::Program);
        let program = program.filter(|program| program.targets.iter().any(|target| same_page(target, at)));
        let Some((program, brings)) = program.and_then(|program| Some((program, program.brings.as_ref()?))) else {
            return HeldDatum::UNKNOWN;
        };
        let level = if compiled.has_levels[program.cell_type] { kind.level } else { Some(LatchLevel::Msb) };
        let held = level.map(|level| brings[at.plane.index()][level as usize]);
        held.filter(|held| *held != HeldDatum::NOTHING).unwrap_or(HeldDatum::UNTOLD)
    }

    /// What a read that is done puts into a register for a target.
    pub(super) fn read(&self, compiled: &CompiledProfile, flight: &PendingOperation, at: &Target) -> HeldDatum {
        let kind = &compiled.kinds[flight.op];
        match (&flight.brings, &self.data) {
            (Some(recovered), _) if kind.recovers => recovered[at.plane.index()][MSB],
            (_, Some(data)) => data.page(at, kind.level),
            (_, None) => HeldDatum::UNKNOWN,
        }
    }

    /// Stores what a program that is done has brought.
    pub(super) fn store(
        &mut self,
        compiled: &CompiledProfile,
        program: &PendingOperation,
        how: fn(&mut DataModel, &Target, bool, Levels),
    ) {
        if let (Some(data), Some(brings)) = (&mut self.data, &program.brings) {
            for at in program.targets.iter() {
                how(data, at, compiled.has_levels[program.cell_type], brings[at.plane.index()]);
            }
        }
    }

    /// The blocks of these targets hold nothing any more.
    pub(super) fn empty_blocks(&mut self, targets: &Targets) {
        if let Some(data) = &mut self.data {
            targets.iter().for_each(|at| data.empty(at));
        }
    }
}
