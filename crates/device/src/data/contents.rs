//! The data of all registers, latches and pages of a device, and of what is being programmed.
//!
//! What a program commits is found at its start, and what a read finds in the array when the array is done: blocks do not change while
//! they are read. A program that a reset cuts leaves nothing, nor does an erase that has started.

use std::cmp::Ordering;
use std::num::NonZeroU64;

use nandseq_profile::model::{AddressSource, DataTransfer, LatchKind, LatchLevel};
use nandseq_profile::{Block, Die, OpId, Plane};

use super::blocks::{BlockData, Datum, LevelData};
use super::rules::{DataRules, Loads};
use crate::device::{Device, Flight};
use crate::effects::StateChange;
use crate::place::Place;
use crate::size::Size;
use crate::tables::Tables;

/// All levels, in the order of [`LevelData`].
const LEVELS: [LatchLevel; 3] = [LatchLevel::Lsb, LatchLevel::Csb, LatchLevel::Msb];

/// The data of the registers of a plane.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct PlaneData {
    /// That of the page register.
    pub page: Datum,
    /// That of the output register.
    pub output: Datum,
}

/// The data of each plane, by level.
pub type HeldData = [LevelData; 8];

/// What stands for the data of a level of a latch that is not loaded.
pub const NOT_LOADED: Datum = Some(NonZeroU64::MAX);

/// Data that is on its way into the array or into a latch.
#[derive(Clone, Copy, Debug)]
struct Pending {
    uid: u64,
    place: Place,
    data: HeldData,
}

/// The data of a die, but for its blocks.
#[derive(Clone, Default, Debug)]
struct DieData {
    planes: [PlaneData; 8],
    one_shot: HeldData,
    copyback: HeldData,
    /// Programs and loads that have started and not ended, suspended ones too.
    pending: Vec<Pending>,
}

impl DieData {
    const fn latch(&self, kind: LatchKind) -> &HeldData {
        match kind {
            LatchKind::OneShot => &self.one_shot,
            LatchKind::Copyback => &self.copyback,
        }
    }

    const fn latch_mut(&mut self, kind: LatchKind) -> &mut HeldData {
        match kind {
            LatchKind::OneShot => &mut self.one_shot,
            LatchKind::Copyback => &mut self.copyback,
        }
    }
}

/// The data of a device.
#[derive(Clone, Debug)]
pub struct DataContents {
    size: Size,
    dies: Vec<DieData>,
    /// By die and block; `None` where no page has data.
    blocks: Vec<Option<Box<BlockData>>>,
}

impl DataContents {
    /// The contents of a device in which nothing is programmed.
    #[must_use]
    pub fn new(size: &Size) -> Self {
        let blocks = usize::from(size.dies) * size.blocks as usize;
        Self { size: *size, dies: vec![DieData::default(); usize::from(size.dies)], blocks: vec![None; blocks] }
    }

    /// An operation starts, which the device will hear of next. Puts the data that its payload names into `passed`, target by target, and
    /// returns how many there are.
    pub fn start(
        &mut self,
        (rules, tables, device): (&DataRules, &Tables, &Device),
        (op, place): (OpId, &Place),
        uid: u64,
        passed: &mut [Option<u64>; 8],
    ) -> usize {
        let base = tables.op(op).base;
        let effects = &tables.base(base).effects;
        if effects.erase {
            self.forget(place);
        }
        let loads = rules.loads(base);
        let mut msb = [NonZeroU64::new(uid); 8];
        if effects.is_program() {
            let data = self.brought(device, place, (uid, effects.copyback_source), (loads, rules.consumes(base)));
            if loads.is_none() {
                msb = data.map(|[.., msb]| msb);
            }
            self.die(place).pending.push(Pending { uid, place: *place, data });
        }
        let Some(transfer) = rules.passes(base) else { return 0 };
        let registers = &self.dies[place.die.index()].planes;
        for (passed, plane) in passed.iter_mut().zip(place.planes.iter()) {
            let at = usize::from(plane.0);
            let datum = match transfer {
                DataTransfer::Out => registers[at].output,
                DataTransfer::In => msb[at],
            };
            *passed = datum.map(NonZeroU64::get);
        }
        place.planes.len() as usize
    }

    /// The data that a program commits, or that a latch holds after a load: what it brings itself, but what is loaded instead.
    fn brought(
        &self,
        device: &Device,
        place: &Place,
        (uid, copyback): (u64, bool),
        (loads, consumes): (Option<Loads>, Option<LatchKind>),
    ) -> HeldData {
        let die = &self.dies[place.die.index()];
        let is_found = |latch: &LatchKind| {
            device.logic(place.die).latch(*latch).is_some_and(|loaded| loaded.place.same_address(place))
        };
        let latch = loads.map_or(consumes, |loads| loads.keeps_below.then_some(loads.latch));
        let held = latch.filter(is_found).map(|latch| die.latch(latch));
        let mut data = [[NOT_LOADED; 3]; 8];
        for plane in place.planes.iter() {
            let at = usize::from(plane.0);
            let own = if copyback { die.planes[at].page } else { NonZeroU64::new(uid) };
            let held = held.map_or([NOT_LOADED; 3], |held| held[at]);
            data[at] = match loads {
                None => held.map(|datum| if datum == NOT_LOADED { own } else { datum }),
                Some(Loads { level: own_level, .. }) => LEVELS.map(|level| match level.cmp(&own_level) {
                    Ordering::Less => held[level as usize],
                    Ordering::Equal => own,
                    Ordering::Greater => NOT_LOADED,
                }),
            };
        }
        data
    }

    /// An operation is cut by a reset, for good.
    pub fn reset(&mut self, uid: u64) {
        let all = self.dies.iter_mut();
        let cut = all.map(|die| &mut die.pending).find_map(|pending| {
            let at = pending.iter().position(|pending| pending.uid == uid)?;
            Some(pending.swap_remove(at))
        });
        if let Some(Pending { place, .. }) = cut {
            self.forget(&place);
        }
    }

    /// An operation that was not cut ends. `suspended` is the uid of the program that is suspended on its die.
    pub fn end(
        &mut self,
        (rules, tables): (&DataRules, &Tables),
        flight: &Flight,
        (uid, suspended): (u64, Option<u64>),
    ) {
        let place = &flight.place;
        let info = tables.base_of(flight.op);
        let pending = if info.effects.is_program() { self.take_pending(place, uid) } else { HeldData::default() };
        for change in &info.effects.at_end {
            match *change {
                StateChange::Load(kind, _) => *self.die(place).latch_mut(kind) = pending,
                StateChange::Fill { .. } | StateChange::ReadOn => {
                    let recovered = suspended.filter(|_| info.address == AddressSource::SuspendedProgram);
                    self.read((rules, flight.op), place, recovered, *change == StateChange::ReadOn);
                }
                StateChange::EndCacheRead(_) => {
                    for plane in place.planes.iter() {
                        let held = &mut self.die(place).planes[usize::from(plane.0)];
                        (held.output, held.page) = (held.page, None);
                    }
                }
                StateChange::EmptyRegisters
                | StateChange::EmptyResumed(_)
                | StateChange::EnterCacheRead(_)
                | StateChange::PutOut
                | StateChange::Clear(_)
                | StateChange::EnterCacheProgram(_)
                | StateChange::EndCacheProgram(_)
                | StateChange::EndSuspension(_)
                | StateChange::Reset
                | StateChange::SwitchOdt { .. }
                | StateChange::SwitchWriteProtect { .. } => {}
            }
        }
        if info.effects.program || info.effects.close {
            for plane in place.planes.iter() {
                let data = pending[usize::from(plane.0)];
                let block = self.slot(place.die, place.block(&self.size, plane));
                let block = self.blocks[block].get_or_insert_default();
                if info.effects.close { block.close(place.page, data[0]) } else { block.program(place.page, data) }
            }
        }
    }

    /// Reads a page, from the array or from the latches of a suspended program.
    fn read(&mut self, (rules, op): (&DataRules, OpId), place: &Place, recovered: Option<u64>, reads_on: bool) {
        let level = rules.level(op, place.cell_type);
        for plane in place.planes.iter() {
            let datum = level.and_then(|level| self.found(place, plane, recovered, level));
            let held = &mut self.die(place).planes[usize::from(plane.0)];
            *held = PlaneData { page: datum, output: if reads_on { held.page } else { datum } };
        }
    }

    /// The data of a page on a plane, at a level.
    fn found(&self, place: &Place, plane: Plane, recovered: Option<u64>, level: LatchLevel) -> Datum {
        match recovered {
            Some(uid) => {
                let held = self.pending(place.die, uid)?[usize::from(plane.0)][level as usize];
                held.filter(|_| held != NOT_LOADED)
            }
            None => self.blocks[self.slot(place.die, place.block(&self.size, plane))].as_ref()?.read(place.page, level),
        }
    }

    fn die(&mut self, place: &Place) -> &mut DieData {
        &mut self.dies[place.die.index()]
    }

    fn slot(&self, die: Die, block: Block) -> usize {
        die.index() * self.size.blocks as usize + block.index()
    }

    fn take_pending(&mut self, place: &Place, uid: u64) -> HeldData {
        let pending = &mut self.die(place).pending;
        let at = pending.iter().position(|pending| pending.uid == uid);
        at.map_or_else(HeldData::default, |at| pending.swap_remove(at).data)
    }

    /// The pages of the blocks of a place have no data from now on.
    fn forget(&mut self, place: &Place) {
        for plane in place.planes.iter() {
            let block = self.slot(place.die, place.block(&self.size, plane));
            self.blocks[block] = None;
        }
    }
}

/// The contents as data, for a snapshot.
impl DataContents {
    /// The data of the registers of a plane.
    #[must_use]
    pub fn registers(&self, die: Die, plane: Plane) -> PlaneData {
        self.dies[die.index()].planes[plane.index()]
    }

    /// Gives the registers of a plane other data.
    pub fn set_registers(&mut self, die: Die, plane: Plane, data: PlaneData) {
        self.dies[die.index()].planes[plane.index()] = data;
    }

    /// The data of a latch.
    #[must_use]
    pub fn latch(&self, die: Die, kind: LatchKind) -> &HeldData {
        self.dies[die.index()].latch(kind)
    }

    /// Gives a latch other data.
    pub fn set_latch(&mut self, die: Die, kind: LatchKind, data: HeldData) {
        *self.dies[die.index()].latch_mut(kind) = data;
    }

    /// The data that a program or load commits, which has started and not ended.
    #[must_use]
    pub fn pending(&self, die: Die, uid: u64) -> Option<&HeldData> {
        self.dies[die.index()].pending.iter().find(|pending| pending.uid == uid).map(|pending| &pending.data)
    }

    /// The number of programs and loads on a die that have started and not ended.
    #[must_use]
    pub fn pending_count(&self, die: Die) -> usize {
        self.dies[die.index()].pending.len()
    }

    /// Adds a program or load that has started and not ended.
    pub fn add_pending(&mut self, place: &Place, uid: u64, data: HeldData) {
        self.die(place).pending.push(Pending { uid, place: *place, data });
    }

    /// The blocks of a die that have data.
    pub fn blocks(&self, die: Die) -> impl Iterator<Item = (Block, &BlockData)> {
        let blocks = self.size.blocks as usize;
        let of_die = &self.blocks[die.index() * blocks..][..blocks];
        (0..).map(Block).zip(of_die).filter_map(|(block, data)| Some((block, &**data.as_ref()?)))
    }

    /// Gives a block other data.
    pub fn set_block(&mut self, die: Die, block: Block, data: BlockData) {
        let slot = self.slot(die, block);
        self.blocks[slot] = Some(Box::new(data));
    }
}
