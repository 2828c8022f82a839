//! The lasting state of a die: latches, cache states, suspension, registers.
//!
//! What does not depend on the clock: small, plain, and cheap to copy, so that "could this chain still complete?" is asked by
//! running its steps on a copy. [`DieLogic::judge`] says which rule forbids a step; [`DieLogic::start`] and
//! [`DieLogic::finish`] are what the step does at its start and at its end. Bus, occupation, op_states and blocks are
//! elsewhere.

use nandseq_profile::model::{
    AddressSource, Axis, CacheProgramKind, CacheReadKind, DeviceState, LatchKind, LatchLevel, LatchNeed,
};
use nandseq_profile::{BaseId, BaseSet, CellTypeId, Page, Plane, PlaneSet};
use serde::{Deserialize, Serialize};

use crate::place::Place;
use crate::rule::Rule;
use crate::tables::{BaseInfo, OF_PLANES, Reach, Tables, state_bit};

/// What a page register or an output register holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Register {
    /// The block group; the plane is that of the register.
    pub group: u32,
    /// The page.
    pub page: Page,
    /// The cell type it was read as.
    pub cell_type: CellTypeId,
    /// Whether a copyback read put it there.
    pub copyback: bool,
}

impl Register {
    /// Whether both hold the same page of the array, read as the same cell type.
    fn same_page(&self, other: &Self) -> bool {
        (self.group, self.page, self.cell_type) == (other.group, other.page, other.cell_type)
    }
}

/// The registers of a plane.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct PlaneLogic {
    /// The page register.
    pub page: Option<Register>,
    /// The output register.
    pub output: Option<Register>,
    /// Whether the output register has not been put out yet.
    pub unread: bool,
    /// The cache-read state.
    pub cache_read: Option<CacheReadKind>,
}

impl PlaneLogic {
    /// Whether the page register holds the page of a place.
    #[must_use]
    pub fn page_is(&self, place: &Place) -> bool {
        holds(self.page, place)
    }

    /// Whether both registers hold the same page, however it was read.
    #[must_use]
    pub fn hold_the_same_page(&self) -> bool {
        match (self.page, self.output) {
            (Some(page), Some(output)) => page.same_page(&output),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        }
    }
}

/// What a latch is loaded with.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Loaded {
    /// The last page loaded.
    pub level: LatchLevel,
    /// The address it is loaded for.
    pub place: Place,
}

/// A cache program that goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CacheProgram {
    /// Which kind.
    pub kind: CacheProgramKind,
    /// Its last page.
    pub place: Place,
}

/// A suspended operation, as far as the rules ask.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Suspended {
    /// Its address.
    pub place: Place,
    /// Its base.
    pub base: BaseId,
}

/// The lasting state of a die.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct DieLogic {
    /// The one-shot latch.
    pub one_shot: Option<Loaded>,
    /// The copyback latch.
    pub copyback: Option<Loaded>,
    /// The cache-program state.
    pub cache_program: Option<CacheProgram>,
    /// The suspended erase.
    pub erase: Option<Suspended>,
    /// The suspended program.
    pub program: Option<Suspended>,
    /// Whether on-die termination is off (the same on every die).
    pub odt_disabled: bool,
    /// The planes.
    pub planes: [PlaneLogic; 8],
}

impl DieLogic {
    /// The suspended operation of an axis.
    #[must_use]
    pub const fn suspended(&self, axis: Axis) -> Option<Suspended> {
        match axis {
            Axis::Erase => self.erase,
            Axis::Program => self.program,
        }
    }

    /// A latch.
    #[must_use]
    pub const fn latch(&self, kind: LatchKind) -> Option<Loaded> {
        match kind {
            LatchKind::OneShot => self.one_shot,
            LatchKind::Copyback => self.copyback,
        }
    }

    const fn latch_mut(&mut self, kind: LatchKind) -> &mut Option<Loaded> {
        match kind {
            LatchKind::OneShot => &mut self.one_shot,
            LatchKind::Copyback => &mut self.copyback,
        }
    }

    /// The bases that the one-shot latch forbids.
    #[must_use]
    pub fn forbidden_by_latch(&self, tables: &Tables) -> BaseSet {
        match self.one_shot {
            Some(loaded) => tables.forbidden_by(DeviceState::LatchOn(loaded.level)),
            None => BaseSet::EMPTY,
        }
    }

    /// The bases that the state of suspension forbids, both axes at once.
    #[must_use]
    pub fn forbidden_by_suspension(&self, tables: &Tables) -> BaseSet {
        let on = |axis, suspended: bool| {
            tables.forbidden_by(if suspended { DeviceState::Suspended(axis) } else { DeviceState::NotSuspended(axis) })
        };
        on(Axis::Erase, self.erase.is_some()).union(on(Axis::Program, self.program.is_some()))
    }

    /// The bases that the cache-program state forbids.
    #[must_use]
    pub fn forbidden_by_cache_program(&self, tables: &Tables) -> BaseSet {
        match self.cache_program {
            Some(state) => tables.forbidden_by(DeviceState::CacheProgram(state.kind)),
            None => BaseSet::EMPTY,
        }
    }

    /// The bases that a plane's cache-read state and unread data forbid: (cache, latch).
    #[must_use]
    pub fn forbidden_by_plane(&self, tables: &Tables, plane: Plane) -> (BaseSet, BaseSet) {
        let plane = &self.planes[plane.0 as usize];
        let cache = match plane.cache_read {
            Some(kind) => tables.forbidden_by(DeviceState::CacheRead(kind)),
            None => BaseSet::EMPTY,
        };
        let latch = if plane.unread { tables.forbidden_by(DeviceState::LatchOnRead) } else { BaseSet::EMPTY };
        (cache, latch)
    }

    /// The states that this die is in, as bits of [`state_bit`].
    fn states(&self) -> u16 {
        let mut bits = self.one_shot.map_or(0, |loaded| state_bit(DeviceState::LatchOn(loaded.level)))
            | self.cache_program.map_or(0, |state| state_bit(DeviceState::CacheProgram(state.kind)))
            | if self.odt_disabled { state_bit(DeviceState::OdtDisabled) } else { 0 };
        for (axis, suspended) in [(Axis::Erase, self.erase.is_some()), (Axis::Program, self.program.is_some())] {
            bits |= state_bit(if suspended { DeviceState::Suspended(axis) } else { DeviceState::NotSuspended(axis) });
        }
        bits
    }

    /// The states that some planes are in.
    fn plane_states(&self, planes: PlaneSet) -> u16 {
        planes.iter().fold(0, |bits, plane| {
            let registers = &self.planes[usize::from(plane.0)];
            bits | registers.cache_read.map_or(0, |kind| state_bit(DeviceState::CacheRead(kind)))
                | if registers.unread { state_bit(DeviceState::LatchOnRead) } else { 0 }
        })
    }

    /// Whether a base is forbidden by any state of the die, or of those of its planes that it looks at: a look at two sets of
    /// bits, where [`DieLogic::judge_tables`] asks state by state which it is.
    fn is_forbidden(&self, info: &BaseInfo, planes: PlaneSet) -> bool {
        info.forbidden_in != 0
            && (info.forbidden_in & self.states() != 0
                || (info.forbidden_in & OF_PLANES != 0 && info.forbidden_in & self.plane_states(planes) != 0))
    }

    /// The tables of latch, suspension and cache for a base that looks at `planes` of this die.
    fn judge_tables(&self, tables: &Tables, base: BaseId, planes: PlaneSet) -> Result<(), Rule> {
        if self.forbidden_by_latch(tables).contains(base) {
            return Err(Rule::Latch);
        }
        if self.forbidden_by_suspension(tables).contains(base) {
            return Err(Rule::Suspend);
        }
        if self.forbidden_by_cache_program(tables).contains(base) {
            return Err(Rule::Cache);
        }
        if self.odt_disabled && tables.forbidden_by(DeviceState::OdtDisabled).contains(base) {
            return Err(Rule::Odt);
        }
        for plane in planes.iter() {
            let (cache, latch) = self.forbidden_by_plane(tables, plane);
            if latch.contains(base) {
                return Err(Rule::Latch);
            }
            if cache.contains(base) {
                return Err(Rule::Cache);
            }
        }
        Ok(())
    }

    /// Which rule of this page forbids a step at `place` now; `all` are the planes of the die.
    ///
    /// # Errors
    /// The rule.
    pub fn judge(&self, tables: &Tables, base: BaseId, place: &Place, all: PlaneSet) -> Result<(), Rule> {
        let info = tables.base(base);
        let relevant = match info.reach {
            Reach::Planes => place.planes,
            Reach::Die | Reach::Target => all,
        };
        // Which rule it is is asked only where there is one.
        if self.is_forbidden(info, relevant) {
            self.judge_tables(tables, base, relevant)?;
        }
        if info.looks_at_registers {
            self.judge_registers(info, place)?;
        }
        if !info.looks_at_die {
            return Ok(());
        }
        self.judge_latches(info, place)?;
        self.judge_cache_program(info, place)?;
        self.judge_suspension(info, place)
    }

    fn judge_registers(&self, info: &BaseInfo, place: &Place) -> Result<(), Rule> {
        let effects = &info.effects;
        let overwrites = effects.changes_block() || effects.fill.is_some();
        for plane in place.planes.iter() {
            let regs = &self.planes[plane.0 as usize];
            let from_copyback = regs.page.is_some_and(|register| register.copyback);
            if effects.copyback_source && !from_copyback {
                return Err(Rule::CopybackSource);
            }
            if overwrites && regs.unread && !(effects.copyback_source && from_copyback) {
                return Err(Rule::UnreadData);
            }
            if effects.moves_page() {
                judge_cache_read(info, place, regs)?;
            }
            if effects.data_out && !holds(regs.output, place) {
                return Err(Rule::DoutSource);
            }
        }
        Ok(())
    }

    fn judge_latches(&self, info: &BaseInfo, place: &Place) -> Result<(), Rule> {
        let need = match (info.effects.load, info.effects.consume) {
            (Some((kind, _, need)), _) | (None, Some((kind, need))) => Some((kind, need)),
            (None, None) => None,
        };
        match need {
            Some((kind, need)) if need != LatchNeed::default() => {
                let fits = self.latch(kind).is_some_and(|loaded| {
                    let level = match loaded.level {
                        LatchLevel::Lsb => need.lsb,
                        LatchLevel::Csb => need.csb,
                        LatchLevel::Msb => need.msb,
                    };
                    level && loaded.place.same_address(place)
                });
                if fits { Ok(()) } else { Err(Rule::OneshotOrder) }
            }
            _ => Ok(()),
        }
    }

    /// "While cache-program is on, the next program has the same cell type and block and the next page."
    ///
    /// For the one-shot kind the next program is the next one-shot load or commit: its page is the next page until that
    /// page's commit.
    fn judge_cache_program(&self, info: &BaseInfo, place: &Place) -> Result<(), Rule> {
        let Some(state) = self.cache_program else { return Ok(()) };
        if !info.effects.is_program() {
            return Ok(());
        }
        let last = &state.place;
        let goes_on = place.planes == last.planes
            && place.group == last.group
            && place.cell_type == last.cell_type
            && u32::from(place.page.0) == u32::from(last.page.0) + 1;
        if goes_on { Ok(()) } else { Err(Rule::CacheSequence) }
    }

    fn judge_suspension(&self, info: &BaseInfo, place: &Place) -> Result<(), Rule> {
        if info.address == AddressSource::SuspendedProgram
            && !self.program.is_some_and(|suspended| {
                suspended.place.same_address(place) && suspended.place.cell_type == place.cell_type
            })
        {
            return Err(Rule::RecoveryTarget);
        }
        let Some(axis) = info.effects.resume else { return Ok(()) };
        let blocked = axis == Axis::Erase && self.program.is_some();
        match self.suspended(axis) {
            Some(suspend_target) if !blocked => {
                let unread = suspend_target.place.planes.iter().any(|plane| self.planes[plane.0 as usize].unread);
                if unread { Err(Rule::UnreadData) } else { Ok(()) }
            }
            _ => Err(Rule::ResumeTarget),
        }
    }

    /// What an erase or program leaves of the registers of its planes.
    fn invalidate(&mut self, planes: PlaneSet) {
        for plane in planes.iter() {
            let regs = &mut self.planes[plane.0 as usize];
            *regs = PlaneLogic { cache_read: regs.cache_read, ..PlaneLogic::default() };
        }
    }

    /// An operation of an axis is suspended from now on.
    pub const fn suspend(&mut self, axis: Axis, suspend_target: Suspended) {
        match axis {
            Axis::Erase => self.erase = Some(suspend_target),
            Axis::Program => self.program = Some(suspend_target),
        }
    }

    /// What a step does at its start.
    pub fn start(&mut self, info: &BaseInfo, place: &Place) {
        if !info.acts_at_start {
            return;
        }
        let effects = &info.effects;
        if effects.changes_block() {
            self.invalidate(place.planes);
        }
        if let Some(suspend_target) = effects.resume.and_then(|axis| self.suspended(axis)) {
            self.invalidate(suspend_target.place.planes);
        }
        if let Some(kind) = effects.cache_read {
            for plane in place.planes.iter() {
                self.planes[plane.0 as usize].cache_read = Some(kind);
            }
        }
        if let Some(kind) = effects.cache_program {
            self.cache_program = Some(CacheProgram { kind, place: *place });
        }
        if effects.resets() {
            *self = Self { odt_disabled: self.odt_disabled, ..Self::default() };
        }
        self.odt_disabled |= effects.odt_disable;
    }

    /// What a step does at its end.
    pub fn finish(&mut self, info: &BaseInfo, place: &Place) {
        if info.changes_registers {
            self.finish_registers(info, place);
        }
        if info.acts_at_end {
            self.finish_die(info, place);
        }
    }

    fn finish_registers(&mut self, info: &BaseInfo, place: &Place) {
        let effects = &info.effects;
        for plane in place.planes.iter() {
            let regs = &mut self.planes[plane.0 as usize];
            let own = Register { group: place.group, page: place.page, cell_type: place.cell_type, copyback: false };
            if let Some(copyback) = effects.fill {
                let register = Some(Register { copyback, ..own });
                *regs = PlaneLogic { page: register, output: register, unread: true, cache_read: regs.cache_read };
            }
            if effects.moves_page() {
                regs.output = regs.page;
                regs.unread = true;
            }
            if effects.cache_read.is_some() {
                regs.page = Some(own);
            }
            if effects.cache_read_end.is_some() {
                regs.page = None;
                regs.cache_read = None;
            }
            if effects.data_out && holds(regs.output, place) {
                regs.unread = false;
            }
        }
    }

    fn finish_die(&mut self, info: &BaseInfo, place: &Place) {
        let effects = &info.effects;
        if let Some((kind, level, _)) = effects.load {
            *self.latch_mut(kind) = Some(Loaded { level, place: *place });
        }
        if let Some((kind, _)) = effects.consume {
            *self.latch_mut(kind) = None;
        }
        if let Some(kind) = effects.cache_program_end
            && self.cache_program.is_some_and(|state| state.kind == kind)
        {
            self.cache_program = None;
        }
        if effects.odt_enable {
            self.odt_disabled = false;
        }
        match effects.resume {
            Some(Axis::Erase) => self.erase = None,
            Some(Axis::Program) => self.program = None,
            None => {}
        }
    }
}

/// Whether a register holds the page of `place` (on its plane).
fn holds(register: Option<Register>, place: &Place) -> bool {
    register
        .is_some_and(|held| held.group == place.group && held.page == place.page && held.cell_type == place.cell_type)
}

fn judge_cache_read(info: &BaseInfo, place: &Place, regs: &PlaneLogic) -> Result<(), Rule> {
    let Some(page) = regs.page else { return Err(Rule::CacheSequence) };
    if info.effects.cache_read.is_some() && page.cell_type != place.cell_type {
        return Err(Rule::CacheSequence);
    }
    if info.effects.cache_read_end.is_some() && !holds(Some(page), place) {
        return Err(Rule::CacheSequence);
    }
    // Only the page counts: a copyback read's page read again is still the same page.
    let same_page = regs.output.is_some_and(|output| output.same_page(&page));
    if regs.unread && !same_page { Err(Rule::UnreadData) } else { Ok(()) }
}
