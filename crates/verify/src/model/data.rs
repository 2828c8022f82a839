//! The data that pages, latches and operations under way hold.
//!
//! A [`Datum`] is named by the `op_uid` of the operation that brought it in. Registers hold theirs themselves
//! ([`FilledRegister`](super::FilledRegister)), and so do programs that are not finished. A [`DataModel`] exists only if the payload of
//! some operation has `data`. Its memory is that of the pages that hold data: 8 bytes for each of their levels.

use nandseq_profile::model::{Axis, LatchKind, LatchLevel, LatchNeed};
use nandseq_profile::{Block, Die, Target};
use rustc_hash::FxHashMap;

use super::{DeviceModel, PendingOperation, Targets, same_page};
use crate::compiled_profile::{CompiledProfile, OperationKind};
use crate::judge::JudgedOperation;

/// The levels of a page: LSB, CSB, MSB.
const LEVELS: usize = 3;
/// The place of the last level.
const MSB: usize = LatchLevel::Msb as usize;
/// The most planes of a die.
const PLANES: usize = 8;

/// What a register, or a level of a page or latch, holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Datum(u64);

impl Datum {
    /// Not known, because the sequence breaks another rule.
    pub(crate) const UNKNOWN: Self = Self(u64::MAX);
    /// What nobody can tell: it comes from a level that the read does not name.
    pub(crate) const UNTOLD: Self = Self(u64::MAX - 1);
    /// Nothing: the level is not loaded.
    const NOTHING: Self = Self(u64::MAX - 2);

    /// What the operation of this `op_uid` brings in.
    const fn of(uid: u64) -> Self {
        Self(uid)
    }

    /// The `op_uid` of the operation that brought it in, if that is known.
    pub(crate) fn uid(self) -> Option<u64> {
        (self.0 < Self::NOTHING.0).then_some(self.0)
    }
}

/// A datum for each level of a page. A page of one level has the last one.
type Levels = [Datum; LEVELS];

/// The data of the planes of a die.
pub(super) type PlaneData = [Levels; PLANES];

/// The data of the programmed pages of a block.
#[derive(Clone, Debug)]
struct BlockData {
    /// The number of levels of a page: 1 or 3.
    levels: usize,
    /// The first page whose data is known: 0 unless the sequence breaks a rule.
    first: usize,
    /// The data of this page and those after it, level by level.
    pages: Vec<Datum>,
    /// The data of all pages after those, if the block was closed.
    rest: Option<Datum>,
}

impl BlockData {
    const fn new(levels: usize, first: usize) -> Self {
        Self { levels, first, pages: Vec::new(), rest: None }
    }

    /// Where the data of a page begins, if it is a known page or the one after them.
    fn place(&self, page: usize) -> Option<usize> {
        page.checked_sub(self.first).map(|page| page * self.levels).filter(|place| *place <= self.pages.len())
    }

    /// The data of a page at a level.
    fn at(&self, page: usize, level: Option<LatchLevel>) -> Datum {
        let within = match level {
            _ if self.levels == 1 => 0,
            Some(level) => level as usize,
            None => return Datum::UNTOLD,
        };
        let known = page.checked_sub(self.first).and_then(|page| self.pages.get(page * self.levels + within));
        known.copied().or(self.rest.filter(|_| page >= self.first)).unwrap_or(Datum::UNKNOWN)
    }
}

/// The data of a device.
#[derive(Clone, Default, Debug)]
pub(super) struct DataModel {
    blocks: FxHashMap<(Die, Block), BlockData>,
    /// What the latches that are loaded hold.
    latches: FxHashMap<(Die, LatchKind), PlaneData>,
}

impl DataModel {
    /// A page is programmed; the model believes it whatever the page.
    pub(super) fn program(&mut self, at: &Target, has_levels: bool, data: Levels) {
        let (levels, page) = (if has_levels { LEVELS } else { 1 }, at.page.index());
        let block = self.blocks.entry((at.die, at.block)).or_insert(BlockData::new(levels, page));
        let place = block.place(page).filter(|_| block.levels == levels);
        if let Some(place) = place {
            block.pages.truncate(place);
            block.rest = None;
        } else {
            *block = BlockData::new(levels, page);
        }
        block.pages.extend_from_slice(&data[LEVELS - levels..]);
    }

    /// A block is closed: its pages from this one on hold the same.
    pub(super) fn close(&mut self, at: &Target, has_levels: bool, data: Levels) {
        self.program(at, has_levels, data);
        if let Some(block) = self.blocks.get_mut(&(at.die, at.block)) {
            block.rest = Some(data[MSB]);
        }
    }

    /// A latch holds this from now on.
    pub(super) fn load(&mut self, die: Die, latch: LatchKind, data: Option<&PlaneData>) {
        match data {
            Some(data) => self.latches.insert((die, latch), *data),
            None => self.latches.remove(&(die, latch)),
        };
    }

    /// What an operation brings to a plane if `own` is what it brings in or copies: that for all levels, but what is loaded instead.
    fn levels(&self, kind: &OperationKind, at: &Target, own: Datum) -> Levels {
        let mut levels = [own; LEVELS];
        for of in &kind.latches {
            let loaded = self.latches.get(&(at.die, of.latch)).map(|planes| planes[at.plane.index()]);
            let loaded = loaded.unwrap_or([Datum::NOTHING; LEVELS]);
            let is_first = of.needs == LatchNeed::default();
            if let Some(level) = of.loads {
                let below = if is_first { 0 } else { level as usize };
                levels = [Datum::NOTHING; LEVELS];
                levels[..below].copy_from_slice(&loaded[..below]);
                levels[level as usize] = own;
            } else {
                let taken = if is_first || of.needs.msb { LEVELS } else { MSB };
                let held = levels.iter_mut().zip(loaded).take(taken).filter(|(_, loaded)| *loaded != Datum::NOTHING);
                held.for_each(|(level, loaded)| *level = loaded);
            }
        }
        levels
    }
}

impl DeviceModel {
    /// What an operation that starts brings to its planes, level by level; of a recovery read, what it finds there. `None` if it does
    /// neither, or if data is not judged.
    pub(super) fn brought(
        &self,
        compiled: &CompiledProfile,
        operation: &JudgedOperation<'_>,
    ) -> Option<Box<PlaneData>> {
        let kind = operation.kind;
        let data = self.data.as_deref().filter(|_| kind.programs || kind.recovers)?;
        let mut planes = Box::new([[Datum::NOTHING; LEVELS]; PLANES]);
        for at in operation.targets.iter() {
            planes[at.plane.index()] = if kind.recovers {
                [self.recovered(compiled, kind, at); LEVELS]
            } else {
                data.levels(kind, at, self.own(operation, at))
            };
        }
        Some(planes)
    }

    /// The data that an operation without a copyback source brings in over the bus, for a target: its own, or that of the load that
    /// it finds in place of its own.
    pub(crate) fn brought_in(&self, operation: &JudgedOperation<'_>, at: &Target) -> Datum {
        let (kind, own) = (operation.kind, self.own(operation, at));
        let loads = kind.latches.iter().any(|of| of.loads.is_some());
        self.data.as_deref().filter(|_| !loads).map_or(own, |data| data.levels(kind, at, own)[MSB])
    }

    /// What an operation brings in itself, or copies from the page register.
    fn own(&self, operation: &JudgedOperation<'_>, at: &Target) -> Datum {
        if operation.kind.from_copyback {
            self.plane(at.die, at.plane).page.map_or(Datum::UNKNOWN, |page| page.datum)
        } else {
            Datum::of(operation.origin.uid)
        }
    }

    /// What a recovery read finds: of the suspended program, the level that the read names.
    fn recovered(&self, compiled: &CompiledProfile, kind: &OperationKind, at: &Target) -> Datum {
        let program = self.suspended_flight(at.die, Axis::Program);
        let program = program.filter(|program| program.targets.iter().any(|target| same_page(target, at)));
        let Some((program, brings)) = program.and_then(|program| Some((program, program.brings.as_ref()?))) else {
            return Datum::UNKNOWN;
        };
        let level = if compiled.has_levels[program.cell_type] { kind.level } else { Some(LatchLevel::Msb) };
        let held = level.map(|level| brings[at.plane.index()][level as usize]);
        held.filter(|held| *held != Datum::NOTHING).unwrap_or(Datum::UNTOLD)
    }

    /// What a read that is done puts into a register for a target.
    pub(super) fn read(&self, compiled: &CompiledProfile, flight: &PendingOperation, at: &Target) -> Datum {
        let kind = &compiled.kinds[flight.op];
        match (&flight.brings, &self.data) {
            (Some(recovered), _) if kind.recovers => recovered[at.plane.index()][MSB],
            (_, Some(data)) => {
                let block = data.blocks.get(&(at.die, at.block));
                block.map_or(Datum::UNKNOWN, |block| block.at(at.page.index(), kind.level))
            }
            (_, None) => Datum::UNKNOWN,
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
            for at in targets.iter() {
                data.blocks.remove(&(at.die, at.block));
            }
        }
    }
}
