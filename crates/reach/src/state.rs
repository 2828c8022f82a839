//! The lasting state of a die and of one of its planes, without addresses.
//!
//! It is coarser than the state of the device: a latch has a level but no page, a register has a cell type but no page. Whatever
//! is possible on the device is possible here. The coverage test shows the converse.

use nandseq_device::{BaseInfo, Precondition, Reach, StateChange};
use nandseq_profile::CellTypeId;
use nandseq_profile::model::{
    AddressSource, Axis, CacheProgramKind, CacheReadKind, DeviceState, LatchKind, LatchLevel,
};

use crate::model::{Model, NameClassId, SearchedStates};
use crate::reason::Reason;

/// The lasting state of a die, without its planes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub(crate) struct Die {
    pub(crate) one_shot: Option<LatchLevel>,
    pub(crate) copyback: Option<LatchLevel>,
    pub(crate) cache: Option<CacheProgramKind>,
    /// An erase is suspended.
    pub(crate) erase: bool,
    /// The suspended program.
    pub(crate) program: Option<NameClassId>,
    pub(crate) odt_off: bool,
    pub(crate) write_protected: bool,
    /// The chain under way that the search follows, and its next step.
    pub(crate) chain: Option<(u16, u8)>,
}

/// The contents of a page register.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct HeldPage {
    pub(crate) cell: Option<CellTypeId>,
    pub(crate) copyback: bool,
}

/// The registers of a plane.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub(crate) struct Plane {
    pub(crate) page: Option<HeldPage>,
    /// The cell type in the output register, and whether it is the page of the page register.
    pub(crate) output: Option<(Option<CellTypeId>, bool)>,
    pub(crate) unread: bool,
    pub(crate) cache_read: Option<CacheReadKind>,
}

impl Die {
    pub(crate) const fn latch(&self, kind: LatchKind) -> Option<LatchLevel> {
        match kind {
            LatchKind::OneShot => self.one_shot,
            LatchKind::Copyback => self.copyback,
        }
    }

    const fn latch_mut(&mut self, kind: LatchKind) -> &mut Option<LatchLevel> {
        match kind {
            LatchKind::OneShot => &mut self.one_shot,
            LatchKind::Copyback => &mut self.copyback,
        }
    }

    pub(crate) const fn suspended(&self, axis: Axis) -> bool {
        match axis {
            Axis::Erase => self.erase,
            Axis::Program => self.program.is_some(),
        }
    }

    /// The states that exclusion tables look at. The pattern names every field, so that none is forgotten.
    pub(crate) fn states(&self) -> impl Iterator<Item = DeviceState> {
        let Self { one_shot, copyback: _, cache, erase, program, odt_off, write_protected, chain: _ } = *self;
        let axis = |axis, on| if on { DeviceState::Suspended(axis) } else { DeviceState::NotSuspended(axis) };
        [
            one_shot.map(DeviceState::LatchOn),
            Some(axis(Axis::Erase, erase)),
            Some(axis(Axis::Program, program.is_some())),
            cache.map(DeviceState::CacheProgram),
            odt_off.then_some(DeviceState::OdtDisabled),
            write_protected.then_some(DeviceState::WriteProtect),
        ]
        .into_iter()
        .flatten()
    }

    /// Applies what an operation changes of the die at its start.
    pub(crate) fn start(&mut self, info: &BaseInfo) {
        info.effects.at_start.iter().for_each(|change| self.apply(*change));
    }

    /// Applies what an operation changes of the die at its end.
    pub(crate) fn finish(&mut self, info: &BaseInfo) {
        info.effects.at_end.iter().for_each(|change| self.apply(*change));
    }

    fn apply(&mut self, change: StateChange) {
        match change {
            StateChange::Load(kind, level) => *self.latch_mut(kind) = Some(level),
            StateChange::Clear(kind) => *self.latch_mut(kind) = None,
            StateChange::EnterCacheProgram(kind) => self.cache = Some(kind),
            StateChange::EndCacheProgram(kind) => self.cache = self.cache.filter(|own| *own != kind),
            StateChange::EndSuspension(Axis::Erase) => self.erase = false,
            StateChange::EndSuspension(Axis::Program) => self.program = None,
            StateChange::Reset => {
                *self = Self {
                    one_shot: None,
                    copyback: None,
                    cache: None,
                    erase: false,
                    program: None,
                    odt_off: self.odt_off,
                    write_protected: self.write_protected,
                    chain: None,
                };
            }
            StateChange::SwitchOdt { off } => self.odt_off = off,
            StateChange::SwitchWriteProtect { on } => self.write_protected = on,
            StateChange::EmptyRegisters
            | StateChange::EmptyResumed(_)
            | StateChange::Fill { .. }
            | StateChange::EnterCacheRead(_)
            | StateChange::ReadOn
            | StateChange::EndCacheRead(_)
            | StateChange::PutOut => {}
        }
    }
}

impl Plane {
    /// The states that exclusion tables look at.
    pub(crate) fn states(&self) -> impl Iterator<Item = DeviceState> {
        let Self { page: _, output: _, unread, cache_read } = *self;
        [cache_read.map(DeviceState::CacheRead), unread.then_some(DeviceState::LatchOnRead)].into_iter().flatten()
    }

    /// The plane after an erase or program has emptied its registers.
    pub(crate) fn invalidated(self) -> Self {
        Self { cache_read: self.cache_read, ..Self::default() }
    }

    /// Applies what an operation on this plane changes at its start.
    pub(crate) fn start(&mut self, info: &BaseInfo) {
        info.effects.at_start.iter().for_each(|change| self.apply(*change, None, false));
    }

    /// Applies what an operation on this plane changes at its end. `same`: a cache read reads the page that the page register
    /// held.
    pub(crate) fn finish(&mut self, info: &BaseInfo, cell: Option<CellTypeId>, same: bool) {
        info.effects.at_end.iter().for_each(|change| self.apply(*change, cell, same));
    }

    fn apply(&mut self, change: StateChange, cell: Option<CellTypeId>, same: bool) {
        match change {
            StateChange::EmptyRegisters => *self = self.invalidated(),
            StateChange::Fill { copyback } => {
                self.page = Some(HeldPage { cell, copyback });
                self.output = Some((cell, true));
                self.unread = true;
            }
            StateChange::EnterCacheRead(kind) => self.cache_read = Some(kind),
            StateChange::ReadOn => {
                self.output = self.page.map(|page| (page.cell, same));
                self.page = Some(HeldPage { cell, copyback: false });
                self.unread = true;
            }
            StateChange::EndCacheRead(_) => {
                self.output = self.page.map(|page| (page.cell, false));
                self.unread = true;
                self.page = None;
                self.cache_read = None;
            }
            StateChange::PutOut => self.unread = false,
            // The search itself applies a RESUME or a reset to planes.
            StateChange::EmptyResumed(_) | StateChange::Reset => {}
            StateChange::Load(..)
            | StateChange::Clear(_)
            | StateChange::EnterCacheProgram(_)
            | StateChange::EndCacheProgram(_)
            | StateChange::EndSuspension(_)
            | StateChange::SwitchOdt { .. }
            | StateChange::SwitchWriteProtect { .. } => {}
        }
    }
}

/// Whether a die meets a precondition. Operations in flight are not part of this state: the search judges them.
fn die_meets(die: &Die, need: Precondition) -> Result<(), Reason> {
    match need {
        Precondition::Latch(kind, need) if !need.accepts(die.latch(kind)) => Err(Reason::Latch(kind)),
        Precondition::Suspended(axis) if !die.suspended(axis) => Err(Reason::NotSuspended(axis)),
        Precondition::Suspended(Axis::Erase) if die.program.is_some() => Err(Reason::ProgramFirst),
        // Pages are not part of this state, so nor is the next one of a cache program.
        Precondition::Latch(..)
        | Precondition::Suspended(_)
        | Precondition::NextOfCacheProgram
        | Precondition::InCoreBusy(_)
        | Precondition::NothingInFlight(_)
        | Precondition::CopybackPage
        | Precondition::NothingUnread
        | Precondition::PageToReadOn
        | Precondition::PageToPutOut
        | Precondition::Output => Ok(()),
    }
}

/// Whether a plane meets a precondition of an operation of this cell type.
fn plane_meets(plane: &Plane, need: Precondition, cell: Option<CellTypeId>) -> Result<(), Reason> {
    match need {
        Precondition::CopybackPage if !plane.page.is_some_and(|page| page.copyback) => Err(Reason::CopybackRegister),
        Precondition::NothingUnread if plane.unread => Err(Reason::UnreadData),
        Precondition::PageToReadOn | Precondition::PageToPutOut => {
            let fits = |page: HeldPage| need == Precondition::PageToPutOut || cell.is_none() || page.cell == cell;
            if !plane.page.is_some_and(fits) {
                return Err(Reason::PageRegister);
            }
            let loses = plane.unread && plane.output.is_some_and(|(_, same)| !same);
            if loses { Err(Reason::UnreadData) } else { Ok(()) }
        }
        // What the output register must hold follows from the address.
        Precondition::CopybackPage
        | Precondition::NothingUnread
        | Precondition::Output
        | Precondition::Latch(..)
        | Precondition::NextOfCacheProgram
        | Precondition::Suspended(_)
        | Precondition::InCoreBusy(_)
        | Precondition::NothingInFlight(_) => Ok(()),
    }
}

impl Model<'_> {
    fn table_reason(&self, states: impl Iterator<Item = DeviceState>, class: NameClassId) -> Result<(), Reason> {
        let base = self.class(class).base;
        for state in states {
            if self.tables.forbidden_by(state).contains(base) {
                return Err(Reason::State(state));
            }
        }
        Ok(())
    }

    /// What is kept of the state of a die.
    pub(crate) fn kept_die(&self, die: Die) -> Die {
        if self.searched == SearchedStates::Planes { Die::default() } else { die }
    }

    /// What is kept of the state of a plane.
    pub(crate) fn kept_plane(&self, plane: Plane) -> Plane {
        if self.searched == SearchedStates::Dies { Plane::default() } else { plane }
    }

    /// Whether the state of the die lets an operation start.
    pub(crate) fn die_allows(&self, die: &Die, class: NameClassId) -> Result<(), Reason> {
        if self.searched == SearchedStates::Planes {
            return Ok(());
        }
        self.table_reason(die.states(), class)?;
        let info = self.base(class);
        info.effects.of_die.iter().try_for_each(|need| die_meets(die, *need))?;
        if info.effects.resume.is_some_and(|axis| self.resumed(die, axis).is_empty()) {
            return Err(Reason::State(DeviceState::WriteProtect));
        }
        if info.address == AddressSource::SuspendedProgram {
            let own = self.class(class);
            let fits = die.program.is_some_and(|suspend_target| {
                let suspend_target = self.class(suspend_target);
                suspend_target.multi == own.multi && (own.cell.is_none() || suspend_target.cell == own.cell)
            });
            if !fits {
                return Err(Reason::SuspendedProgram);
            }
        }
        Ok(())
    }

    /// The classes of the operations that a RESUME of an axis may resume. While write protect is on, those that it forbids are
    /// left out.
    pub(crate) fn resumed(&self, die: &Die, axis: Axis) -> Vec<NameClassId> {
        let protected = self.tables.forbidden_by(DeviceState::WriteProtect);
        let is_protected = |class: NameClassId| die.write_protected && protected.contains(self.class(class).base);
        let erases = |class: NameClassId| self.started[usize::from(class)] && self.base(class).effects.erase;
        match axis {
            Axis::Program if self.searched == SearchedStates::Planes => {
                self.classes_that(|class| self.started[usize::from(class)] && self.base(class).effects.is_program())
            }
            Axis::Program => die.program.into_iter().filter(|&class| !is_protected(class)).collect(),
            Axis::Erase => self.classes_that(|class| erases(class) && !is_protected(class)),
        }
    }

    /// Whether the state of a plane lets an operation start that works on it.
    pub(crate) fn plane_allows(&self, plane: &Plane, class: NameClassId) -> Result<(), Reason> {
        if self.searched == SearchedStates::Dies {
            return Ok(());
        }
        self.plane_tables(plane, class)?;
        let info = self.base(class);
        let cell = self.class(class).cell;
        info.effects.of_planes.iter().try_for_each(|need| plane_meets(plane, *need, cell))?;
        if info.address == AddressSource::OutputRegister {
            match plane.output {
                Some((held, _)) if cell.is_none() || held == cell => {}
                Some(_) | None => return Err(Reason::OutputRegister),
            }
        }
        Ok(())
    }

    /// Whether the exclusion tables of a plane's state let an operation start.
    pub(crate) fn plane_tables(&self, plane: &Plane, class: NameClassId) -> Result<(), Reason> {
        if self.searched == SearchedStates::Dies { Ok(()) } else { self.table_reason(plane.states(), class) }
    }

    /// Whether an operation looks at every plane of its die.
    pub(crate) fn looks_at_die(&self, class: NameClassId) -> bool {
        match self.base(class).reach {
            Reach::Planes => false,
            Reach::Die | Reach::Target => true,
        }
    }

    /// Whether an operation has targets on planes.
    pub(crate) fn has_targets(&self, class: NameClassId) -> bool {
        let info = self.base(class);
        info.reach == Reach::Planes || info.has_block
    }

    /// Whether the device can have a block, or page, that operations of a class address.
    pub(crate) fn address_exists(&self, class: NameClassId) -> Result<(), Reason> {
        let (own, info) = (self.class(class), self.base(class));
        if own.unserved {
            return Err(Reason::NoRegion);
        }
        let set = match info.address {
            AddressSource::NextPage => self.programmable,
            AddressSource::ReadablePage => self.readable,
            AddressSource::AnyBlock if !self.good.any(own.multi) => return Err(Reason::BadBlocks),
            AddressSource::None
            | AddressSource::Hook
            | AddressSource::AnyBlock
            | AddressSource::OutputRegister
            | AddressSource::PageRegister
            | AddressSource::SuspendedProgram
            | AddressSource::OneShotLatch
            | AddressSource::CopybackLatch => return Ok(()),
        };
        if !self.good.any(own.multi) {
            return Err(Reason::BadBlocks);
        }
        let any = own.cell.is_none() || (info.address == AddressSource::NextPage && !info.effects.is_program());
        let fits = if any { set != 0 } else { own.cell.is_some_and(|cell| set >> cell.0 & 1 == 1) };
        if fits { Ok(()) } else { Err(Reason::CellType) }
    }
}
