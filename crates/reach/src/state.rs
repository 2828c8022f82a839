//! The lasting state of a die and of one of its planes, without addresses.
//!
//! A coarser picture of the device's own: a latch knows its level and not its page, a register its cell type. What is possible
//! on the device is possible here. The other way round is shown by the coverage test.

use nandseq_device::{BaseInfo, Reach};
use nandseq_profile::CellTypeId;
use nandseq_profile::model::{
    AddressSource, Axis, CacheProgramKind, CacheReadKind, DeviceState, LatchKind, LatchLevel, LatchNeed,
};

use crate::model::{ClassId, Model};
use crate::reason::Reason;

/// The lasting state of a die, but for its planes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub(crate) struct Die {
    pub(crate) one_shot: Option<LatchLevel>,
    pub(crate) copyback: Option<LatchLevel>,
    pub(crate) cache: Option<CacheProgramKind>,
    /// An erase is suspended.
    pub(crate) erase: bool,
    /// The suspended program.
    pub(crate) program: Option<ClassId>,
    pub(crate) odt_off: bool,
    /// The chain under way that the search follows, and its next step.
    pub(crate) chain: Option<(u16, u8)>,
}

/// What a page register holds.
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

    /// The states that exclusion tables look at.
    pub(crate) fn states(&self) -> impl Iterator<Item = DeviceState> {
        let axis = |axis| {
            if self.suspended(axis) { DeviceState::Suspended(axis) } else { DeviceState::NotSuspended(axis) }
        };
        [
            self.one_shot.map(DeviceState::LatchOn),
            Some(axis(Axis::Erase)),
            Some(axis(Axis::Program)),
            self.cache.map(DeviceState::CacheProgram),
            self.odt_off.then_some(DeviceState::OdtDisabled),
        ]
        .into_iter()
        .flatten()
    }

    /// What an operation does to the die at its start.
    pub(crate) fn start(&mut self, info: &BaseInfo) {
        let effects = &info.effects;
        if let Some(kind) = effects.cache_program {
            self.cache = Some(kind);
        }
        if effects.reset_die || effects.reset_target {
            *self = Self { odt_off: self.odt_off, ..Self::default() };
        }
        self.odt_off |= effects.odt_disable;
    }

    /// What it does at its end.
    pub(crate) fn finish(&mut self, info: &BaseInfo) {
        let effects = &info.effects;
        if let Some((kind, level, _)) = effects.load {
            *self.latch_mut(kind) = Some(level);
        }
        if let Some((kind, _)) = effects.consume {
            *self.latch_mut(kind) = None;
        }
        if effects.cache_program_end.is_some() && effects.cache_program_end == self.cache {
            self.cache = None;
        }
        self.odt_off &= !effects.odt_enable;
        match effects.resume {
            Some(Axis::Erase) => self.erase = false,
            Some(Axis::Program) => self.program = None,
            None => {}
        }
    }
}

impl Plane {
    /// The states that exclusion tables look at.
    pub(crate) fn states(&self) -> impl Iterator<Item = DeviceState> {
        let cache = self.cache_read.map(DeviceState::CacheRead);
        [cache, self.unread.then_some(DeviceState::LatchOnRead)].into_iter().flatten()
    }

    /// What an erase or program leaves of the registers.
    pub(crate) fn invalidated(self) -> Self {
        Self { cache_read: self.cache_read, ..Self::default() }
    }

    /// What an operation on this plane does at its start.
    pub(crate) fn start(&mut self, info: &BaseInfo) {
        if info.effects.changes_block() {
            *self = self.invalidated();
        }
        self.cache_read = info.effects.cache_read.or(self.cache_read);
    }

    /// What it does at its end; whether a cache read reads the page that was in the page register is left to `same`.
    pub(crate) fn finish(&mut self, info: &BaseInfo, cell: Option<CellTypeId>, same: bool) {
        let effects = &info.effects;
        if let Some(copyback) = effects.fill {
            self.page = Some(HeldPage { cell, copyback });
            self.output = Some((cell, true));
            self.unread = true;
        }
        if effects.cache_read.is_some() || effects.cache_read_end.is_some() {
            self.output = self.page.map(|page| (page.cell, same && effects.cache_read.is_some()));
            self.unread = true;
        }
        if effects.cache_read.is_some() {
            self.page = Some(HeldPage { cell, copyback: false });
        }
        if effects.cache_read_end.is_some() {
            self.page = None;
            self.cache_read = None;
        }
        self.unread &= !effects.data_out;
    }
}

fn meets(need: LatchNeed, level: Option<LatchLevel>) -> bool {
    need == LatchNeed::default()
        || level.is_some_and(|level| match level {
            LatchLevel::Lsb => need.lsb,
            LatchLevel::Csb => need.csb,
            LatchLevel::Msb => need.msb,
        })
}

impl Model<'_> {
    fn table_reason(&self, states: impl Iterator<Item = DeviceState>, class: ClassId) -> Result<(), Reason> {
        let base = self.class(class).base;
        for state in states {
            if self.tables.forbidden_by(state).contains(base) {
                return Err(Reason::State(state));
            }
        }
        Ok(())
    }

    /// Whether the state of the die lets an operation start.
    pub(crate) fn die_allows(&self, die: &Die, class: ClassId) -> Result<(), Reason> {
        self.table_reason(die.states(), class)?;
        let info = self.base(class);
        let need = match (info.effects.load, info.effects.consume) {
            (Some((kind, _, need)), _) | (None, Some((kind, need))) => Some((kind, need)),
            (None, None) => None,
        };
        if let Some((kind, need)) = need
            && !meets(need, die.latch(kind))
        {
            return Err(Reason::Latch(kind));
        }
        if info.address == AddressSource::SuspendedProgram {
            let own = self.class(class);
            let fits = die.program.is_some_and(|victim| {
                let victim = self.class(victim);
                victim.multi == own.multi && (own.cell.is_none() || victim.cell == own.cell)
            });
            if !fits {
                return Err(Reason::SuspendedProgram);
            }
        }
        match info.effects.resume {
            Some(axis) if !die.suspended(axis) => Err(Reason::NotSuspended(axis)),
            Some(Axis::Erase) if die.program.is_some() => Err(Reason::ProgramFirst),
            Some(_) | None => Ok(()),
        }
    }

    /// Whether the state of a plane lets an operation start there that works on it.
    pub(crate) fn plane_allows(&self, plane: &Plane, class: ClassId) -> Result<(), Reason> {
        self.plane_tables(plane, class)?;
        let info = self.base(class);
        let effects = &info.effects;
        let copyback = plane.page.is_some_and(|page| page.copyback);
        if effects.copyback_source && !copyback {
            return Err(Reason::CopybackRegister);
        }
        if (effects.changes_block() || effects.fill.is_some()) && plane.unread && !effects.copyback_source {
            return Err(Reason::UnreadData);
        }
        let cell = self.class(class).cell;
        if effects.cache_read.is_some() || effects.cache_read_end.is_some() {
            let Some(page) = plane.page else { return Err(Reason::PageRegister) };
            if effects.cache_read.is_some() && cell.is_some() && page.cell != cell {
                return Err(Reason::PageRegister);
            }
            if plane.unread && plane.output.is_some_and(|(_, same)| !same) {
                return Err(Reason::UnreadData);
            }
        }
        if info.address == AddressSource::OutputRegister {
            match plane.output {
                Some((held, _)) if cell.is_none() || held == cell => {}
                Some(_) | None => return Err(Reason::OutputRegister),
            }
        }
        Ok(())
    }

    /// Whether the tables of a plane's state let an operation start that looks at it.
    pub(crate) fn plane_tables(&self, plane: &Plane, class: ClassId) -> Result<(), Reason> {
        self.table_reason(plane.states(), class)
    }

    /// Whether an operation looks at every plane of its die.
    pub(crate) fn looks_at_die(&self, class: ClassId) -> bool {
        match self.base(class).reach {
            Reach::Planes => false,
            Reach::Die | Reach::Target => true,
        }
    }

    /// Whether an operation has targets on planes.
    pub(crate) fn has_targets(&self, class: ClassId) -> bool {
        let info = self.base(class);
        info.reach == Reach::Planes || info.has_block
    }

    /// Whether some block, or page, of the device could be what an operation samples.
    pub(crate) fn address_exists(&self, class: ClassId) -> Result<(), Reason> {
        let (own, info) = (self.class(class), self.base(class));
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
