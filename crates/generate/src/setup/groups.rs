//! Groups of name classes: one word for each statement and chunk, so that a state of the device rules out all classes that it
//! concerns at once.

use nandseq_device::{BaseInfo, DieRegisters, Place, PlaneFact, Precondition, Reach, Tables};
use nandseq_profile::model::{AddressSource, Axis, ByAxis, CacheProgramKind, CacheReadKind, DeviceState, LatchLevel};
use nandseq_profile::{BaseSet, PhaseKey, PlaneSet};

use super::classes::{ClassId, ClassSet, Classes};

/// The kinds of address that the address book has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum AddressKind {
    /// A block that may be erased.
    AnyBlock,
    /// A page to be programmed next, with the name's cell type.
    NextPageOf,
    /// A page to be programmed next, with any cell type.
    AnyNextPage,
    /// A readable page.
    ReadablePage,
}

impl AddressKind {
    const ALL: [Self; 4] = [Self::AnyBlock, Self::NextPageOf, Self::AnyNextPage, Self::ReadablePage];

    /// The kind of address that a base takes from the book; `None` when its address comes from the hook or the state of the die,
    /// or when it needs none.
    const fn of(info: &BaseInfo) -> Option<Self> {
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

/// The classes that the registers of a plane forbid.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct RegisterMask {
    /// Forbidden by the tables of the device.
    pub(crate) forbidden: ClassSet,
    /// Classes that cannot work on this plane: the forbidden ones that look only at the planes they address, and those whose
    /// preconditions the registers do not meet.
    pub(crate) closed: ClassSet,
    /// Classes that a hook on this plane cannot propose.
    pub(crate) not_at: ClassSet,
}

/// For each statement that hooks need, the classes of a chunk of which it is true. Each statement is a field, which is why there
/// are more than 15.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    /// Addresses several planes.
    pub(crate) multi: ClassSet,
    /// By cell type; the last stands for none.
    pub(crate) cells: [ClassSet; 9],
    /// Occupies planes and is no reset: not proposed while a due chain step waits for planes.
    pub(crate) occupying: ClassSet,
    /// Occupies the planes that it addresses.
    pub(crate) occupying_planes: ClassSet,
    /// Looks only at the planes it addresses.
    pub(crate) on_planes: ClassSet,
    /// Looks at every plane of its die, or of every die.
    pub(crate) beyond_planes: ClassSet,
    /// Looks at every plane of every die.
    pub(crate) on_target: ClassSet,
    /// Occupies every die, and cuts nothing there.
    pub(crate) occupying_target: ClassSet,
    /// Occupies, and cuts nothing: starts beside others only if it and they may interleave.
    pub(crate) joining: ClassSet,
    /// May not interleave with others on one die, or addresses several planes.
    pub(crate) by_itself: ClassSet,
    /// Suspends, by axis.
    pub(crate) suspending: ByAxis<ClassSet>,
    /// Resumes, by axis.
    pub(crate) resuming: ByAxis<ClassSet>,
    /// Addresses the plane of the hook, or what its registers hold.
    pub(crate) here: ClassSet,
    /// Has its address from the hook or its plane's registers, or needs none.
    pub(crate) plain: ClassSet,
    /// Goes on with the page in the page register: only names with the cell type of that page can.
    pub(crate) with_cell_type: ClassSet,
    /// By the cell type of the page in the page register (8 for none): those of `with_cell_type` that have another.
    pub(crate) of_another_cell: [ClassSet; 16],
    /// Takes its address from the book, by [`AddressKind`].
    pub(crate) asking: [ClassSet; 4],
    /// Proposes nothing, and is eligible at every hook whatever the state of the device.
    idling: ClassSet,
    /// Addresses the suspended program.
    pub(crate) from_suspended: ClassSet,
    /// Addresses what the one-shot latch holds.
    pub(crate) from_one_shot: ClassSet,
    /// Addresses what the copyback latch holds.
    pub(crate) from_copyback_latch: ClassSet,
    /// Forbidden by each level of the one-shot latch (LSB, CSB, MSB).
    latch: [ClassSet; 3],
    /// Forbidden by suspension: bit 0, an erase is suspended; bit 1, a program is.
    pub(crate) suspension: [ClassSet; 4],
    /// Forbidden by each kind of cache program (SLC, one-shot).
    cache_program: [ClassSet; 2],
    /// Starts only while nothing is in flight on any die.
    pub(crate) alone: ClassSet,
    /// Forbidden by the target: bit 0, termination is off; bit 1, write protect is on.
    pub(crate) target: [ClassSet; 4],
    /// Forbidden by the op_state of a plane, by phase key; the last stands for none.
    op_state: Vec<ClassSet>,
    closing: Closing,
    /// By the facts about the registers of a plane.
    register_masks: [RegisterMask; REGISTER_MASKS],
}

/// All groups, by chunk.
#[derive(Clone, Debug)]
pub(crate) struct Groups(Vec<Group>);

/// How many sets of facts about the registers of a plane there are: see [`PlaneFact::bit`]. The last fact follows from the others.
const REGISTER_MASKS: usize = PlaneFact::LosingByMove.bit() as usize;

impl Groups {
    pub(crate) fn new(tables: &Tables, classes: &Classes, keys: usize) -> Self {
        Self((0..classes.chunks()).map(|chunk| Group::new(tables, classes, keys, chunk)).collect())
    }

    /// The classes of a chunk that propose nothing, and are eligible at every hook.
    pub(crate) fn idling(&self, chunk: usize) -> ClassSet {
        self.0[chunk].idling
    }

    /// The groups by chunk.
    pub(crate) fn chunks(&self) -> &[Group] {
        &self.0
    }
}

impl Group {
    fn new(tables: &Tables, classes: &Classes, keys: usize, chunk: usize) -> Self {
        let with = |holds: &dyn Fn(&BaseInfo) -> bool| classes.bits(chunk, |class| holds(tables.base(class.base)));
        let from = |source| with(&|base| base.address == source);
        let from_output = from(AddressSource::OutputRegister);
        let from_page = from(AddressSource::PageRegister);
        let at_hook = from(AddressSource::Hook);
        let here = from_output | from_page | at_hook & with(&|base| base.reach == Reach::Planes);
        let plain = here | at_hook | from(AddressSource::None);
        let needing = |mask| with(&|base| base.effects.needs().any(|need| mask_of(need) == mask));
        let (overwriting, from_copyback) = (needing(NeedMask::Overwriting), needing(NeedMask::FromCopyback));
        let in_set = |set: BaseSet| classes.bits(chunk, |class| set.contains(class.base));
        let states = StateMasks::new(|state| in_set(tables.forbidden_by(state)));
        let suspended = |axis, on: bool| if on { states.suspended[axis] } else { states.not_suspended[axis] };
        let mut group = Self {
            multi: classes.bits(chunk, |class| class.multi),
            cells: std::array::from_fn(|cell| classes.bits(chunk, |class| class.cell.index() == cell)),
            occupying: with(&|base| base.occupies && !base.effects.resets()),
            occupying_planes: with(&|base| base.occupies && base.reach == Reach::Planes),
            on_planes: with(&|base| base.reach == Reach::Planes),
            beyond_planes: with(&|base| base.reach != Reach::Planes),
            on_target: with(&|base| base.reach == Reach::Target),
            occupying_target: with(&|base| base.occupies && base.reach == Reach::Target && !base.effects.reset_target),
            joining: with(&|base| base.occupies && !base.effects.cuts()),
            by_itself: classes.bits(chunk, |class| class.multi || !tables.base(class.base).interleaved),
            suspending: ByAxis::new(|axis| needing(NeedMask::Suspending(axis))),
            resuming: ByAxis::new(|axis| needing(NeedMask::Resuming(axis))),
            here,
            plain,
            with_cell_type: with(&|base| base.effects.cache_read) & !overwriting & !from_copyback & !plain,
            of_another_cell: [ClassSet::NONE; 16],
            asking: AddressKind::ALL.map(|source| with(&|base| AddressKind::of(base) == Some(source))),
            idling: ClassSet::NONE,
            from_suspended: from(AddressSource::SuspendedProgram),
            from_one_shot: from(AddressSource::OneShotLatch),
            from_copyback_latch: from(AddressSource::CopybackLatch),
            latch: states.latch,
            suspension: std::array::from_fn(|axes| {
                suspended(Axis::Erase, axes & 1 != 0) | suspended(Axis::Program, axes & 2 != 0)
            }),
            cache_program: states.cache_program,
            alone: needing(NeedMask::Alone),
            target: [ClassSet::NONE, states.odt, states.write_protect, states.odt | states.write_protect],
            op_state: (0..keys)
                .map(|key| in_set(tables.forbidden_in(PhaseKey::from(key))))
                .chain([ClassSet::NONE])
                .collect(),
            closing: Closing {
                overwriting,
                cache_reading: needing(NeedMask::CacheReading) & !overwriting & !from_copyback,
                from_copyback,
                by_cache: states.cache_read,
                by_unread: states.unread,
                from_output,
                from_page,
            },
            register_masks: [RegisterMask::default(); REGISTER_MASKS],
        };
        group.of_another_cell =
            std::array::from_fn(|cell| group.with_cell_type & !group.cells.get(cell).copied().unwrap_or_default());
        group.register_masks = std::array::from_fn(|facts| group.closing.register_mask(&group, facts));
        group.idling = with(&|base| base.effects.delay) & group.plain & !group.ever_out();
        group
    }

    /// The classes that some state of the device rules out.
    fn ever_out(&self) -> ClassSet {
        let register_masks = self.register_masks.iter().fold(ClassSet::NONE, |all, register_mask| {
            all | register_mask.forbidden | register_mask.closed | register_mask.not_at
        });
        let states = [&self.latch[..], &self.suspension, &self.cache_program, &self.op_state, &self.target];
        let states = states.into_iter().flatten().fold(self.alone, |all, classes| all | *classes);
        let cutting =
            self.suspending.values().chain(self.resuming.values()).fold(ClassSet::NONE, |all, classes| all | *classes);
        register_masks
            | states
            | cutting
            | self.joining
            | self.occupying
            | self.occupying_planes
            | self.occupying_target
    }

    /// The classes that the registers of a plane forbid; `facts` are theirs ([`DieRegisters::facts`]).
    #[inline]
    pub(crate) const fn register_mask(&self, facts: u8) -> &RegisterMask {
        &self.register_masks[facts as usize % REGISTER_MASKS]
    }

    /// The planes whose registers forbid a class, those where it may not work for that reason, and those where a hook cannot propose it.
    #[inline]
    pub(crate) fn planes_by_registers(&self, class: ClassId, registers: &DieRegisters) -> [PlaneSet; 3] {
        let of = |classes: ClassSet, planes: PlaneSet| if classes.contains(class) { planes } else { PlaneSet::EMPTY };
        let Closing { overwriting, cache_reading, from_copyback, by_cache, by_unread, from_output, from_page } =
            self.closing;
        let unread = registers.unread();
        let forbidden = of(by_cache[0], registers.in_cache_read(CacheReadKind::Cache))
            .union(of(by_cache[1], registers.in_cache_read(CacheReadKind::PlaneCache)))
            .union(of(by_unread, unread));
        let mut closed = of(self.on_planes, forbidden).union(of(overwriting, unread));
        let mut not_here = PlaneSet::EMPTY;
        if (cache_reading | from_copyback | self.here).contains(class) {
            let loses = || registers.with_page().complement().union(registers.losing_by_move());
            closed = closed
                .union(if cache_reading.contains(class) { loses() } else { PlaneSet::EMPTY })
                .union(of(from_copyback, registers.with_copyback_page().complement()));
            not_here = of(from_output, registers.with_output().complement())
                .union(of(from_page, registers.with_page().complement()));
        }
        [forbidden, closed, of(self.here, closed).union(not_here)]
    }

    /// The classes that the op_state of a plane forbids; `state` is its [`Group::state_of`].
    pub(crate) fn in_state(&self, state: u16) -> ClassSet {
        self.op_state[usize::from(state)]
    }

    /// The index of an op_state, or of none ([`Tables::NO_OP_STATE`]).
    pub(crate) fn state_of(&self, key: PhaseKey) -> u16 {
        key.0.min(self.op_state.len() as u16 - 1)
    }

    /// The classes that the one-shot latch forbids at a level.
    pub(crate) const fn by_latch(&self, level: LatchLevel) -> ClassSet {
        match level {
            LatchLevel::Lsb => self.latch[0],
            LatchLevel::Csb => self.latch[1],
            LatchLevel::Msb => self.latch[2],
        }
    }

    /// The classes that a cache program forbids.
    pub(crate) const fn by_cache_program(&self, kind: CacheProgramKind) -> ClassSet {
        match kind {
            CacheProgramKind::Slc => self.cache_program[0],
            CacheProgramKind::OneShot => self.cache_program[1],
        }
    }

    /// The classes of the plane count and cell type of a place.
    pub(crate) fn alike(&self, place: &Place) -> ClassSet {
        self.cells[place.cell_type.index()] & if place.planes.len() > 1 { self.multi } else { !self.multi }
    }
}

/// The mask of classes to which a precondition belongs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum NeedMask {
    FromCopyback,
    Overwriting,
    CacheReading,
    Suspending(Axis),
    Resuming(Axis),
    Alone,
    /// No mask: the class has an address only where the precondition is met.
    Address,
}

const fn mask_of(need: Precondition) -> NeedMask {
    match need {
        Precondition::CopybackPage => NeedMask::FromCopyback,
        Precondition::NothingUnread => NeedMask::Overwriting,
        Precondition::PageToReadOn | Precondition::PageToPutOut => NeedMask::CacheReading,
        Precondition::InCoreBusy(axis) => NeedMask::Suspending(axis),
        Precondition::Suspended(axis) => NeedMask::Resuming(axis),
        Precondition::NothingInFlight(_) => NeedMask::Alone,
        Precondition::Output | Precondition::Latch(..) | Precondition::NextOfCacheProgram => NeedMask::Address,
    }
}

/// The classes that each lasting state of the exclusion tables forbids.
#[derive(Default)]
struct StateMasks {
    unread: ClassSet,
    /// LSB, CSB, MSB.
    latch: [ClassSet; 3],
    suspended: ByAxis<ClassSet>,
    not_suspended: ByAxis<ClassSet>,
    odt: ClassSet,
    write_protect: ClassSet,
    /// Cache read, plane cache read.
    cache_read: [ClassSet; 2],
    /// SLC, one-shot.
    cache_program: [ClassSet; 2],
}

impl StateMasks {
    fn new(forbidden_by: impl Fn(DeviceState) -> ClassSet) -> Self {
        let mut all = Self::default();
        DeviceState::ALL.into_iter().for_each(|state| *all.of(state) = forbidden_by(state));
        all
    }

    fn of(&mut self, state: DeviceState) -> &mut ClassSet {
        match state {
            DeviceState::LatchOnRead => &mut self.unread,
            DeviceState::LatchOn(level) => &mut self.latch[level as usize],
            DeviceState::Suspended(axis) => &mut self.suspended[axis],
            DeviceState::NotSuspended(axis) => &mut self.not_suspended[axis],
            DeviceState::OdtDisabled => &mut self.odt,
            DeviceState::WriteProtect => &mut self.write_protect,
            DeviceState::CacheRead(kind) => &mut self.cache_read[kind as usize],
            DeviceState::CacheProgram(kind) => &mut self.cache_program[kind as usize],
        }
    }
}

/// The classes of which register masks are made.
#[derive(Clone, Copy, Debug)]
struct Closing {
    /// Loses unread data in the registers of its planes.
    overwriting: ClassSet,
    /// Goes on with the page in the page register.
    cache_reading: ClassSet,
    /// Needs a page that a copyback read put into the page register.
    from_copyback: ClassSet,
    /// Forbidden by the cache-read states.
    by_cache: [ClassSet; 2],
    /// Forbidden by unread data.
    by_unread: ClassSet,
    /// Addresses what the output register holds.
    from_output: ClassSet,
    /// Addresses what the page register holds.
    from_page: ClassSet,
}

impl Closing {
    fn register_mask(&self, group: &Group, facts: usize) -> RegisterMask {
        let given = |holds: bool, classes: ClassSet| classes.given(holds);
        let is = |fact: PlaneFact| facts & usize::from(fact.bit()) != 0;
        let unread = is(PlaneFact::Unread);
        let forbidden = given(is(PlaneFact::Cache), self.by_cache[0])
            | given(is(PlaneFact::PlaneCache), self.by_cache[1])
            | given(unread, self.by_unread);
        // A cache read loses unread data that the page register does not hold too. Without a page it cannot go on.
        let loses = (unread && !is(PlaneFact::WithTheSamePage)) || !is(PlaneFact::WithPage);
        let closed = forbidden & group.on_planes
            | given(unread, self.overwriting)
            | given(loses, self.cache_reading)
            | given(!is(PlaneFact::WithCopybackPage), self.from_copyback);
        let not_at = closed & group.here
            | given(!is(PlaneFact::WithOutput), self.from_output)
            | given(!is(PlaneFact::WithPage), self.from_page);
        RegisterMask { forbidden, closed, not_at }
    }
}
