//! Bases by what a hook must know of them: one bit set for each question, so that a state of the device rules out all bases that
//! it concerns at once.

use nandseq_device::{BaseInfo, PlaneLogic, Reach, Tables};
use nandseq_profile::model::{AddressSource, Axis, CacheReadKind, DeviceState};
use nandseq_profile::{BaseId, BaseSet};

/// What the address book is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Source {
    /// A block that may be erased.
    AnyBlock,
    /// A next page of the name's cell type.
    NextPageOf,
    /// A next page of any cell type.
    AnyNextPage,
    /// A readable page.
    ReadablePage,
}

impl Source {
    pub(crate) const ALL: [Self; 4] = [Self::AnyBlock, Self::NextPageOf, Self::AnyNextPage, Self::ReadablePage];

    /// What a base asks for; `None` when its address follows from the state of the die.
    pub(crate) const fn of(info: &BaseInfo) -> Option<Self> {
        match info.address {
            AddressSource::AnyBlock => Some(Self::AnyBlock),
            AddressSource::NextPage if info.effects.is_program() => Some(Self::NextPageOf),
            AddressSource::NextPage => Some(Self::AnyNextPage),
            AddressSource::ReadablePage => Some(Self::ReadablePage),
            AddressSource::None
            | AddressSource::Hook
            | AddressSource::OutputRegister
            | AddressSource::PageRegister
            | AddressSource::SuspendedProgram
            | AddressSource::OneShotLatch
            | AddressSource::CopybackLatch => None,
        }
    }
}

/// What the registers of a plane forbid.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Gate {
    /// Forbidden by the tables of the device.
    pub(crate) forbidden: BaseSet,
    /// What cannot work on this plane: of the forbidden bases those that look at single planes, and what the registers are in
    /// the way of.
    pub(crate) closed: BaseSet,
}

/// The bases of which each statement is true.
#[derive(Clone, Default, Debug)]
pub(crate) struct BaseGroups {
    /// Occupies planes and is no reset: not while a due chain step waits for planes.
    pub(crate) occupying: BaseSet,
    /// Occupies planes of its own choice.
    pub(crate) occupying_planes: BaseSet,
    /// Looks at the planes it addresses.
    pub(crate) on_planes: BaseSet,
    /// Looks at every plane of its die.
    pub(crate) on_die: BaseSet,
    /// Looks at every plane of every die.
    pub(crate) on_target: BaseSet,
    /// Occupies every die, and cuts nothing there.
    pub(crate) occupying_target: BaseSet,
    /// Occupies, and cuts nothing: starts beside others only if they tolerate it.
    pub(crate) joining: BaseSet,
    /// May overlap others of its kind on one die.
    pub(crate) interleaved: BaseSet,
    /// Suspends, by axis.
    pub(crate) suspending: [BaseSet; 2],
    /// Resumes, by axis.
    pub(crate) resuming: [BaseSet; 2],
    /// Needs a page that a copyback read put into the page register.
    pub(crate) from_copyback: BaseSet,
    /// Loses what its planes' registers hold unread.
    pub(crate) overwriting: BaseSet,
    /// Goes on with the page in the page register.
    pub(crate) cache_reading: BaseSet,
    /// Addresses the plane of the hook.
    pub(crate) here: BaseSet,
    /// Addresses what the output register holds.
    pub(crate) from_output: BaseSet,
    /// Addresses what the page register holds.
    pub(crate) from_page: BaseSet,
    /// Needs no address beyond what the statements above say.
    pub(crate) plain: BaseSet,
    /// Goes on with the cell type in the page register, which only names of that type can.
    pub(crate) with_cell_type: BaseSet,
    /// Takes its address from the book.
    pub(crate) addressing: BaseSet,
    /// The same, and the planes alone decide, by [`Source`].
    pub(crate) asking: [BaseSet; 4],
    /// By [`gate_of`].
    gates: Vec<Gate>,
}

/// What matters of a plane's registers, one bit each.
const CACHE: usize = 1;
const PLANE_CACHE: usize = 2;
const UNREAD: usize = 4;
/// Page register and output register hold the same.
const SAME: usize = 8;
const NO_PAGE: usize = 16;
const COPYBACK: usize = 32;
const GATES: usize = 64;

fn gate_of(registers: &PlaneLogic) -> usize {
    let bit = |holds: bool, bit: usize| if holds { bit } else { 0 };
    let cache = match registers.cache_read {
        None => 0,
        Some(CacheReadKind::Cache) => CACHE,
        Some(CacheReadKind::PlaneCache) => PLANE_CACHE,
    };
    let page = match registers.page {
        None => NO_PAGE,
        Some(page) => bit(page.copyback, COPYBACK),
    };
    let unread = if registers.unread { UNREAD | bit(registers.page == registers.output, SAME) } else { 0 };
    cache | page | unread
}

impl BaseGroups {
    pub(crate) fn new(tables: &Tables) -> Self {
        let mut groups = Self::default();
        for (base, info) in tables.bases() {
            groups.add(base, info);
            let Some(source) = Source::of(info) else { continue };
            groups.addressing.insert(base);
            if !groups.with_cell_type.contains(base) {
                groups.asking[source as usize].insert(base);
            }
        }
        groups.gates = vec![Gate::default(); GATES];
        for facts in 0..GATES {
            groups.gates[facts] = groups.build_gate(tables, facts);
        }
        groups
    }

    /// What the registers of a plane forbid.
    pub(crate) fn gate(&self, registers: &PlaneLogic) -> &Gate {
        &self.gates[gate_of(registers)]
    }

    fn build_gate(&self, tables: &Tables, facts: usize) -> Gate {
        let mut gate = Gate::default();
        let mut forbid = |holds: bool, bases: BaseSet| {
            if holds {
                gate.forbidden = gate.forbidden.union(bases);
            }
        };
        let unread = facts & UNREAD != 0;
        forbid(facts & CACHE != 0, tables.forbidden_by(DeviceState::CacheRead(CacheReadKind::Cache)));
        forbid(facts & PLANE_CACHE != 0, tables.forbidden_by(DeviceState::CacheRead(CacheReadKind::PlaneCache)));
        forbid(unread, tables.forbidden_by(DeviceState::LatchOnRead));
        gate.closed = gate.forbidden.and(self.on_planes);
        let mut close = |holds: bool, bases: BaseSet| {
            if holds {
                gate.closed = gate.closed.union(bases);
            }
        };
        close(unread, self.overwriting);
        // Unread data that is not in the page register too: a cache read would lose it.
        close((unread && facts & SAME == 0) || facts & NO_PAGE != 0, self.cache_reading);
        close(facts & COPYBACK == 0, self.from_copyback);
        gate
    }

    fn add(&mut self, base: BaseId, info: &BaseInfo) {
        let effects = &info.effects;
        let resets = effects.reset_die || effects.reset_target;
        let cuts = resets || effects.suspend.is_some();
        let overwrites = effects.changes_block() || effects.fill.is_some();
        let cache_reads = effects.cache_read.is_some() || effects.cache_read_end.is_some();
        let from_output = info.address == AddressSource::OutputRegister;
        let from_page = info.address == AddressSource::PageRegister;
        let at_hook = info.address == AddressSource::Hook;
        let here = from_output || from_page || (at_hook && info.reach == Reach::Planes);
        let [suspending_erase, suspending_program] = &mut self.suspending;
        let [resuming_erase, resuming_program] = &mut self.resuming;
        let statements = [
            (&mut self.occupying, info.occupies && !resets),
            (&mut self.occupying_planes, info.occupies && info.reach == Reach::Planes),
            (&mut self.on_planes, info.reach == Reach::Planes),
            (&mut self.on_die, info.reach == Reach::Die),
            (&mut self.on_target, info.reach == Reach::Target),
            (&mut self.occupying_target, info.occupies && info.reach == Reach::Target && !effects.reset_target),
            (&mut self.joining, info.occupies && !cuts),
            (&mut self.interleaved, info.interleaved),
            (suspending_erase, effects.suspend == Some(Axis::Erase)),
            (suspending_program, effects.suspend == Some(Axis::Program)),
            (resuming_erase, effects.resume == Some(Axis::Erase)),
            (resuming_program, effects.resume == Some(Axis::Program)),
            (&mut self.from_copyback, effects.copyback_source),
            (&mut self.overwriting, overwrites && !effects.copyback_source),
            (&mut self.cache_reading, cache_reads && !overwrites && !effects.copyback_source),
            (&mut self.here, here),
            (&mut self.from_output, from_output),
            (&mut self.from_page, from_page),
            (&mut self.with_cell_type, effects.cache_read.is_some() && !overwrites && !effects.copyback_source),
            (&mut self.plain, here || at_hook || info.address == AddressSource::None),
        ];
        for (group, _) in statements.into_iter().filter(|(_, holds)| *holds) {
            group.insert(base);
        }
    }
}
