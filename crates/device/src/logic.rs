//! The lasting state of a die: registers, latches, cache states, suspension, termination, write protect.
//!
//! It does not depend on the clock, and it is small and cheap to copy: whether a chain can still complete is found by running its
//! steps on a copy. [`DieLogic::judge`] returns the rule that forbids a step. [`DieLogic::start`] and [`DieLogic::finish`] apply
//! what the step changes at its start and at its end. Bus, occupation, op_states and blocks are elsewhere.

use nandseq_profile::model::{
    AddressSource, Axis, CacheProgramKind, CacheReadKind, DeviceState, LatchKind, LatchLevel, LatchNeed,
};
use nandseq_profile::{BaseId, BaseSet, CellTypeId, Page, Plane, PlaneSet};
use serde::{Deserialize, Serialize};

use crate::effects::{Precondition, StateChange};
use crate::place::Place;
use crate::rule::Rule;
use crate::tables::{BaseInfo, OF_PLANES, Reach, Tables, state_bit};

/// The contents of a page register or an output register.
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

    /// Whether both registers hold the same page, read as the same cell type, or both are empty.
    #[must_use]
    pub fn hold_the_same_page(&self) -> bool {
        match (self.page, self.output) {
            (Some(page), Some(output)) => page.same_page(&output),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        }
    }

    /// Whether no unread data is lost when the page register moves to the output register. Only the page counts: it is the same
    /// page whether a copyback read or another read put it there.
    fn moves_safely(&self) -> bool {
        let same = |(page, output): (Register, Register)| page.same_page(&output);
        !self.unread || self.page.zip(self.output).is_some_and(same)
    }

    /// Empties both registers, as an erase or program does.
    fn empty(&mut self) {
        *self = Self { cache_read: self.cache_read, ..Self::default() };
    }

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

/// The contents of a latch.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Loaded {
    /// The level of the last load.
    pub level: LatchLevel,
    /// The address it is loaded for.
    pub place: Place,
}

/// A cache program under way.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CacheProgram {
    /// Its kind.
    pub kind: CacheProgramKind,
    /// Its last page.
    pub place: Place,
}

/// A suspended operation, as far as rules need it. [`crate::SuspendedOperation`] has its remainder.
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
    /// Whether write protect is on (the same on every die). A snapshot leaves it out if it is off.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub write_protected: bool,
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

    /// Whether write protect forbids the erase or program that is suspended on an axis, and so its RESUME.
    #[must_use]
    pub fn protects_suspended(&self, tables: &Tables, axis: Axis) -> bool {
        let protected = || tables.forbidden_by(DeviceState::WriteProtect);
        self.write_protected && self.suspended(axis).is_some_and(|suspended| protected().contains(suspended.base))
    }

    /// The states that this die is in, as bits of [`state_bit`].
    fn states(&self) -> u16 {
        let mut bits = self.one_shot.map_or(0, |loaded| state_bit(DeviceState::LatchOn(loaded.level)))
            | self.cache_program.map_or(0, |state| state_bit(DeviceState::CacheProgram(state.kind)))
            | if self.odt_disabled { state_bit(DeviceState::OdtDisabled) } else { 0 }
            | if self.write_protected { state_bit(DeviceState::WriteProtect) } else { 0 };
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

    /// Whether some state of the die, or of `planes`, forbids a base. This compares sets of bits; [`DieLogic::judge_tables`]
    /// finds the rule.
    fn is_forbidden(&self, info: &BaseInfo, planes: PlaneSet) -> bool {
        info.forbidden_in != 0
            && (info.forbidden_in & self.states() != 0
                || (info.forbidden_in & OF_PLANES != 0 && info.forbidden_in & self.plane_states(planes) != 0))
    }

    /// Judges the exclusion tables of the die's states for a base that looks at `planes`.
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
        if self.write_protected && tables.forbidden_by(DeviceState::WriteProtect).contains(base) {
            return Err(Rule::WriteProtect);
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

    /// Judges a step at `place` by the lasting state; `all` are the planes of the die.
    ///
    /// # Errors
    /// The rule that forbids it.
    pub fn judge(&self, tables: &Tables, base: BaseId, place: &Place, all: PlaneSet) -> Result<(), Rule> {
        let info = tables.base(base);
        let relevant = match info.reach {
            Reach::Planes => place.planes,
            Reach::Die | Reach::Target => all,
        };
        // The rule is looked for only if there is one.
        if self.is_forbidden(info, relevant) {
            self.judge_tables(tables, base, relevant)?;
        }
        if !info.effects.of_planes.is_empty() {
            for plane in place.planes.iter() {
                let registers = &self.planes[plane.0 as usize];
                info.effects.of_planes.iter().try_for_each(|need| judge_registers(*need, place, registers))?;
            }
        }
        for &need in &info.effects.of_die {
            self.judge_need(tables, need, place)?;
        }
        if info.address == AddressSource::SuspendedProgram {
            self.judge_recovery(place)?;
        }
        Ok(())
    }

    /// Judges a precondition of the die. Operations in flight are no part of the lasting state: the device judges them.
    fn judge_need(&self, tables: &Tables, need: Precondition, place: &Place) -> Result<(), Rule> {
        match need {
            Precondition::Latch(kind, need) => self.judge_latch(kind, need, place),
            Precondition::NextOfCacheProgram => self.judge_cache_program(place),
            Precondition::Suspended(axis) => self.judge_resume(tables, axis),
            Precondition::InCoreBusy(_)
            | Precondition::NothingInFlight
            | Precondition::CopybackPage
            | Precondition::NothingUnread
            | Precondition::PageToReadOn
            | Precondition::PageToPutOut
            | Precondition::Output => Ok(()),
        }
    }

    fn judge_latch(&self, kind: LatchKind, need: LatchNeed, place: &Place) -> Result<(), Rule> {
        let fits = |loaded: Loaded| need.accepts(Some(loaded.level)) && loaded.place.same_address(place);
        if need == LatchNeed::default() || self.latch(kind).is_some_and(fits) {
            Ok(())
        } else {
            Err(Rule::OneshotOrder)
        }
    }

    /// "While cache-program is on, the next program has the same cell type and block and the next page."
    ///
    /// For the one-shot kind the next program is the next one-shot load or commit: its page is the next page until that
    /// page's commit.
    fn judge_cache_program(&self, place: &Place) -> Result<(), Rule> {
        let Some(state) = self.cache_program else { return Ok(()) };
        let last = &state.place;
        let goes_on = place.planes == last.planes
            && place.group == last.group
            && place.cell_type == last.cell_type
            && u32::from(place.page.0) == u32::from(last.page.0) + 1;
        if goes_on { Ok(()) } else { Err(Rule::CacheSequence) }
    }

    /// "Only while a program is suspended on that die, on its address."
    fn judge_recovery(&self, place: &Place) -> Result<(), Rule> {
        let fits = |own: &Place| own.same_address(place) && own.cell_type == place.cell_type;
        if self.program.is_some_and(|suspended| fits(&suspended.place)) { Ok(()) } else { Err(Rule::RecoveryTarget) }
    }

    fn judge_resume(&self, tables: &Tables, axis: Axis) -> Result<(), Rule> {
        if self.protects_suspended(tables, axis) {
            return Err(Rule::WriteProtect);
        }
        let blocked = axis == Axis::Erase && self.program.is_some();
        match self.suspended(axis) {
            Some(suspended) if !blocked => {
                let unread = suspended.place.planes.iter().any(|plane| self.planes[plane.0 as usize].unread);
                if unread { Err(Rule::UnreadData) } else { Ok(()) }
            }
            _ => Err(Rule::ResumeTarget),
        }
    }

    /// An operation of an axis is suspended from now on.
    pub const fn suspend(&mut self, axis: Axis, suspended: Suspended) {
        match axis {
            Axis::Erase => self.erase = Some(suspended),
            Axis::Program => self.program = Some(suspended),
        }
    }

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

    /// Takes over the state of the target, which all dies have in common. A reset leaves it as it is.
    pub(crate) const fn share_target(&mut self, other: &Self) {
        #[rustfmt::skip]
        let Self { odt_disabled, write_protected, one_shot: _, copyback: _, cache_program: _, erase: _, program: _, planes: _ } = *other;
        (self.odt_disabled, self.write_protected) = (odt_disabled, write_protected);
    }
}

/// Whether a register holds the page of `place` (on its plane), read as its cell type.
fn holds(register: Option<Register>, place: &Place) -> bool {
    register
        .is_some_and(|held| held.group == place.group && held.page == place.page && held.cell_type == place.cell_type)
}

/// Judges a precondition of the registers of a plane.
fn judge_registers(need: Precondition, place: &Place, regs: &PlaneLogic) -> Result<(), Rule> {
    let allowed = |holds: bool, rule: Rule| if holds { Ok(()) } else { Err(rule) };
    match need {
        Precondition::CopybackPage => {
            allowed(regs.page.is_some_and(|register| register.copyback), Rule::CopybackSource)
        }
        Precondition::NothingUnread => allowed(!regs.unread, Rule::UnreadData),
        Precondition::PageToReadOn => {
            let fits = regs.page.is_some_and(|page| page.cell_type == place.cell_type);
            allowed(fits, Rule::CacheSequence)?;
            allowed(regs.moves_safely(), Rule::UnreadData)
        }
        Precondition::PageToPutOut => {
            allowed(holds(regs.page, place), Rule::CacheSequence)?;
            allowed(regs.moves_safely(), Rule::UnreadData)
        }
        Precondition::Output => allowed(holds(regs.output, place), Rule::DoutSource),
        Precondition::Latch(..)
        | Precondition::NextOfCacheProgram
        | Precondition::Suspended(_)
        | Precondition::InCoreBusy(_)
        | Precondition::NothingInFlight => Ok(()),
    }
}
