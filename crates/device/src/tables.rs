//! A compiled profile: the facts about bases and operations that judging and starting look up.
//!
//! The tables follow from the profile alone, and never change during a run. They hold no names and no strings.

use nandseq_profile::limits::{MAX_BASES, MAX_OPS};
use nandseq_profile::model::{
    AddressSource, Axis, CacheProgramKind, DeviceState, LatchNeed, PayloadField, PhaseKind, Scope, StatusOf,
};
use nandseq_profile::{BaseId, BaseSet, CellTypeId, Grid, OpId, PhaseKey, PlaneSet, Profile, Ticks};

use crate::block_needs::BlockNeeds;
use crate::effects::{Effects, Precondition};
use crate::footprint::{BaseFootprint, Footprint};
use crate::logic::{Changes, RegisterNeeds};
use crate::place::Place;
use crate::size::Size;
use crate::state_bits::{state_bit, state_index};

/// The planes that a base looks at, and may occupy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reach {
    /// The planes its payload names.
    Planes,
    /// Every plane of its die.
    Die,
    /// Every plane of every die.
    Target,
}

/// The cell type that fits every address (rulebook, question 9).
const ANY_CELL_TYPE: &str = "NONE";

/// A base, compiled. It has many fields because whatever is asked of a base at every hook or start is found once, when tables are made.
#[derive(Clone, Debug)]
pub struct BaseInfo {
    /// Its effects.
    pub effects: Effects,
    /// The planes that it looks at.
    pub reach: Reach,
    /// Whether it occupies planes.
    pub occupies: bool,
    /// Whether its phases are op_states.
    pub affects_state: bool,
    /// Whether it needs only the bus.
    pub instant: bool,
    /// Whether it may overlap others of its kind on one die.
    pub interleaved: bool,
    /// Whether its payload names a die.
    pub names_die: bool,
    /// Whether its array work concerns a block address of its own.
    pub has_block: bool,
    /// Where a proposal's address comes from.
    pub address: AddressSource,
    /// The key of CORE_BUSY, if it has that phase.
    pub busy_key: Option<PhaseKey>,
    /// The key of its window, if it has one.
    pub window_key: Option<PhaseKey>,
    /// The kind of its window; CORE_BUSY if it has none.
    pub window: PhaseKind,
    /// The key of a plane that is idle after it.
    pub end_key: PhaseKey,
    /// The op_states of its ISSUE, CORE_BUSY and window, and after them; [`Tables::NO_OP_STATE`] where it has none.
    pub(crate) op_states: [PhaseKey; 4],
    /// The bases that its op_states forbid.
    pub(crate) forbidden: ForbiddenBases,
    /// The states of the device that forbid it, as bits of [`state_bit`].
    pub(crate) forbidden_in: u16,
    /// The planes of its die that it looks at even if it does not address them.
    beyond: PlaneSet,
    /// Whether it must address as many planes as its operation says.
    pub(crate) counts_planes: bool,
    /// Whether its start looks at one die and changes one, cuts nothing, and may come beside whatever is in flight on other dies.
    pub(crate) is_ordinary: bool,
    /// What it needs of registers.
    pub(crate) registers: RegisterNeeds,
    /// The states of the device in which it has preconditions of the die to meet, as bits of [`state_bit`].
    pub(crate) asks_die_in: u16,
    /// What it changes at its start, at its end, and both one after the other.
    pub(crate) at_start: Changes,
    pub(crate) at_end: Changes,
    pub(crate) from_start_to_end: Changes,
    /// The parts of the lasting state that it looks at and changes.
    footprint: BaseFootprint,
    /// See [`BaseInfo::is_inert`].
    inert: bool,
    /// Whether the end of its operations has to be applied.
    pub(crate) ends: bool,
    /// Whether its blocks are in flight while it runs.
    pub changes_block: bool,
    /// Whether it reads a page of the array: a recovery read takes its data from latches.
    pub reads_page: bool,
    /// What it needs of the records of its blocks.
    pub(crate) blocks: BlockNeeds,
    /// How it counts on its blocks while it waits: `true` to change them (or on their next page), `false` to read them, `None` not at
    /// all.
    pub counts_on_blocks: Option<bool>,
}

impl BaseInfo {
    /// Whether it leaves the lasting state of the device as it is.
    #[must_use]
    pub const fn is_inert(&self) -> bool {
        self.inert
    }

    /// Whether its operations become the op_state of planes.
    #[must_use]
    pub const fn becomes_op_state(&self) -> bool {
        self.affects_state & self.occupies
    }

    /// The planes that an operation at a place looks at on each of its dies; `all` are the planes of a die.
    pub(crate) const fn planes_of(&self, place: &Place, all: PlaneSet) -> PlaneSet {
        place.planes.minus(self.beyond).union(all.and(self.beyond))
    }

    /// The footprint of an operation at a place; `all` are the planes of a die.
    #[must_use]
    pub fn footprint(&self, place: &Place, all: PlaneSet) -> Footprint {
        self.footprint.on(place.planes, self.planes_of(place, all))
    }
}

/// An operation name, compiled. Offsets are from its start.
#[derive(Clone, Copy, Debug)]
pub struct OpInfo {
    /// Its base.
    pub base: BaseId,
    /// Whether it addresses several planes.
    pub multi: bool,
    /// Its cell type, `None` for the one that fits every address.
    pub cell_type: Option<CellTypeId>,
    /// Its cell type as the profile states it.
    pub stated_cell_type: CellTypeId,
    /// The end of ISSUE.
    pub issue: Ticks,
    /// The end of CORE_BUSY (of ISSUE, without that phase): occupation ends.
    pub occupied: Ticks,
    /// When the array is done: the end of CORE_BUSY, of the operation without that phase.
    pub array_done: Ticks,
    /// The end of its last phase.
    pub total: Ticks,
    /// How long it holds the bus from its start.
    pub bus: Ticks,
    /// The status that it reads; `None` if it reads none.
    pub status_of: Option<StatusOf>,
    /// Whether it may join others on a die that may be joined.
    pub(crate) may_join: bool,
    /// Whether its base is ordinary, and it names no die of its own: what forbids it is all on the die of its place.
    pub(crate) is_ordinary: bool,
}

impl OpInfo {
    /// When its end is to be applied, if nothing cuts it: see [`crate::Flight::end`].
    #[must_use]
    pub fn ends_after(&self) -> Ticks {
        self.array_done.max(self.occupied)
    }
}

/// A compiled profile.
#[derive(Clone, Debug)]
pub struct Tables {
    /// Size of the device.
    pub size: Size,
    /// As many as a profile may have, so that none is looked up in vain: those that it does not have are as the last one.
    bases: Box<[BaseInfo; MAX_BASES]>,
    base_count: usize,
    ops: Vec<OpInfo>,
    /// The base of each operation name, for as many as a profile may have: most who ask for a base know a name.
    base_of: Box<[u8; MAX_OPS]>,
    op_state: Vec<BaseSet>,
    /// For each base the op_states that forbid it, a bit each, in words of 64; and how many words.
    against: Vec<u64>,
    words: usize,
    states: [BaseSet; DeviceState::ALL.len()],
    /// For each cell type, those that may be programmed on a block erased as it: one bit each.
    pub programs: Vec<u8>,
    /// A page is readable when page ≤ last programmed page − this.
    pub offset_guard: u32,
    /// Operations start on multiples of this, > 0. The generator keeps to it; the device judges any time.
    pub grid: Grid,
}

impl Tables {
    /// Stands for no op_state where a phase key is asked for: it forbids nothing.
    pub const NO_OP_STATE: PhaseKey = PhaseKey(u16::MAX);

    /// Compiles a profile (valid, as the profile crate hands it out).
    ///
    /// # Panics
    /// When the topology is beyond the limits of profiles.
    #[must_use]
    pub fn new(profile: &Profile) -> Self {
        let topology = profile.topology;
        let size = Size {
            dies: u8::try_from(topology.dies).expect("dies within limits"),
            planes: u8::try_from(topology.planes).expect("planes within limits"),
            blocks: topology.blocks_per_die,
            groups: topology.blocks_per_die.div_ceil(topology.planes),
            pages: u16::try_from(topology.pages_per_block).expect("pages within limits"),
        };
        let base_count = profile.bases.len();
        let base = |at: usize| base_info(profile, BaseId::from(at.min(base_count - 1)));
        let bases = Box::new(std::array::from_fn(base));
        let mut base_of = Box::new([0; MAX_OPS]);
        for (own, id) in base_of.iter_mut().zip(profile.ops.ids()) {
            *own = profile.ops[id].base.index() as u8;
        }
        Self {
            size,
            base_of,
            ops: profile.ops.ids().map(|id| op_info(profile, &bases[..base_count], id)).collect(),
            bases,
            base_count,
            op_state: profile.phase_keys.ids().map(|key| device_rule(profile, key)).collect(),
            against: op_states_against(profile),
            words: words_of_op_states(profile),
            states: DeviceState::ALL.map(|state| profile.exclusions.in_state(state)),
            programs: profile.cell_types.iter().map(|cell| cell.programs).collect(),
            offset_guard: profile.offset_guard,
            grid: Grid::new(profile.policies.time_resolution),
        }
    }

    /// A base.
    #[must_use]
    pub fn base(&self, id: BaseId) -> &BaseInfo {
        debug_assert!(id.index() < self.base_count, "a base of the profile");
        &self.bases[id.index() % MAX_BASES]
    }

    /// The base of an operation name.
    #[inline]
    #[must_use]
    pub fn base_of(&self, id: OpId) -> &BaseInfo {
        debug_assert!(id.index() < self.ops.len(), "a name of the profile");
        &self.bases[usize::from(self.base_of[id.index() % MAX_OPS]) % MAX_BASES]
    }

    /// All bases in order.
    pub fn bases(&self) -> impl Iterator<Item = (BaseId, &BaseInfo)> {
        self.bases[..self.base_count].iter().enumerate().map(|(at, base)| (BaseId::from(at), base))
    }

    /// An operation name.
    #[must_use]
    pub fn op(&self, id: OpId) -> &OpInfo {
        &self.ops[id.index()]
    }

    /// All operation names in order.
    pub fn ops(&self) -> impl Iterator<Item = (OpId, &OpInfo)> {
        self.ops.iter().enumerate().map(|(at, op)| (OpId::from(at), op))
    }

    /// The bases that an op_state forbids; none for END keys, which are no device rules.
    #[must_use]
    pub fn forbidden_in(&self, key: PhaseKey) -> BaseSet {
        self.op_state[key.index()]
    }

    /// The op_states that forbid a base.
    #[inline]
    #[must_use]
    pub fn op_states_against(&self, base: BaseId) -> OpStates<'_> {
        OpStates(&self.against[base.index() * self.words..][..self.words])
    }

    /// The bases that a state of the device forbids.
    #[must_use]
    pub const fn forbidden_by(&self, state: DeviceState) -> BaseSet {
        self.states[state_index(state)]
    }
}

/// The bases that an operation on a plane forbids there while it is in CORE_BUSY, and those in its window: a bit for each base, in two
/// words each.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct ForbiddenBases([u64; 4]);

impl ForbiddenBases {
    fn new(in_core_busy: BaseSet, in_window: BaseSet) -> Self {
        let [busy, window] = [in_core_busy.0, in_window.0];
        Self([busy as u64, (busy >> 64) as u64, window as u64, (window >> 64) as u64])
    }

    /// Whether a base is forbidden in CORE_BUSY, or in the window.
    #[inline]
    pub(crate) fn contain(&self, base: BaseId, is_window: bool) -> bool {
        self.0[usize::from(is_window) * 2 + usize::from(base.0) / 64 % 2] >> (base.0 % 64) & 1 == 1
    }
}

/// A set of op_states.
#[derive(Clone, Copy, Debug)]
pub struct OpStates<'a>(&'a [u64]);

impl OpStates<'_> {
    /// Whether an op_state is in the set. [`Tables::NO_OP_STATE`] is in none.
    #[inline]
    #[must_use]
    pub fn contains(self, key: PhaseKey) -> bool {
        self.0.get(key.index() / 64).is_some_and(|word| word >> (key.0 % 64) & 1 == 1)
    }
}

fn words_of_op_states(profile: &Profile) -> usize {
    profile.phase_keys.len().div_ceil(64)
}

fn op_states_against(profile: &Profile) -> Vec<u64> {
    let words = words_of_op_states(profile);
    let mut against = vec![0; profile.bases.len() * words];
    for key in profile.phase_keys.ids() {
        for base in device_rule(profile, key).iter() {
            against[base.index() * words + key.index() / 64] |= 1 << (key.0 % 64);
        }
    }
    against
}

fn device_rule(profile: &Profile, key: PhaseKey) -> BaseSet {
    match profile.phase_keys[key].phase {
        Some(_) => profile.exclusions.in_op_state(key),
        None => BaseSet::EMPTY,
    }
}

fn base_info(profile: &Profile, id: BaseId) -> BaseInfo {
    let base = &profile.bases[id];
    let effects = Effects::new(&base.effects);
    let moves_time = effects.suspend.is_some() || effects.resume.is_some();
    let reach = match base.scope {
        _ if effects.reset_target => Reach::Target,
        _ if effects.reset_die || moves_time => Reach::Die,
        Scope::PlaneSet => Reach::Planes,
        Scope::Die => Reach::Die,
        Scope::Target => Reach::Target,
        Scope::None if base.payload_has(PayloadField::Plane) => Reach::Planes,
        Scope::None if base.payload_has(PayloadField::Die) => Reach::Die,
        Scope::None => Reach::Target,
    };
    let window = base.phases.iter().find(|phase| phase.kind.is_window());
    let forbidden_in = DeviceState::ALL
        .into_iter()
        .filter(|&state| profile.exclusions.in_state(state).contains(id))
        .fold(0, |bits, state| bits | state_bit(state));
    let busy_key = profile.phase_key(id, Some(PhaseKind::CoreBusy));
    let window_key = window.and_then(|phase| profile.phase_key(id, Some(phase.kind)));
    let none = Tables::NO_OP_STATE;
    let forbidden_by = |key: Option<PhaseKey>| key.map_or(BaseSet::EMPTY, |key| device_rule(profile, key));
    let occupies = (!base.instant && base.scope != Scope::None) || moves_time || effects.resets();
    let has_block = base.payload_has(PayloadField::Block);
    BaseInfo {
        beyond: if reach == Reach::Planes { PlaneSet::EMPTY } else { PlaneSet::EMPTY.complement() },
        counts_planes: reach == Reach::Planes || has_block,
        is_ordinary: reach != Reach::Target
            && !effects.cuts()
            && !effects.holds_target
            && effects.needs_nothing_in_flight.is_none(),
        op_states: [none, busy_key.unwrap_or(none), window_key.unwrap_or(none), none],
        reach,
        occupies,
        affects_state: base.affects_state,
        instant: base.instant,
        interleaved: profile.interleaved.contains(id),
        names_die: base.payload_has(PayloadField::Die),
        has_block,
        address: base.address,
        busy_key,
        window_key,
        window: window.map_or(PhaseKind::CoreBusy, |phase| phase.kind),
        end_key: profile.phase_key(id, None).expect("every base has an END key"),
        forbidden: ForbiddenBases::new(forbidden_by(busy_key), forbidden_by(window_key)),
        forbidden_in,
        registers: RegisterNeeds::new(&effects.of_planes, forbidden_in),
        asks_die_in: effects
            .of_die
            .iter()
            .fold(if base.address == AddressSource::SuspendedProgram { ANY_STATE } else { 0 }, |states, need| {
                states | asks_die_in(need)
            }),
        at_start: Changes::new(effects.at_start.iter().copied()),
        at_end: Changes::new(effects.at_end.iter().copied()),
        from_start_to_end: Changes::new(effects.changes()),
        footprint: BaseFootprint::new(&effects, base.address, forbidden_in),
        inert: effects.at_start.is_empty() && !effects.acts_at_end(),
        ends: occupies || effects.acts_at_end(),
        changes_block: effects.changes_block(),
        reads_page: has_block && effects.reads_array() && base.address != AddressSource::SuspendedProgram,
        blocks: BlockNeeds::new(&effects, has_block, base.address),
        counts_on_blocks: counts_on_blocks(&effects, base.address),
        effects,
    }
}

fn counts_on_blocks(effects: &Effects, address: AddressSource) -> Option<bool> {
    match address {
        AddressSource::AnyBlock | AddressSource::NextPage => Some(true),
        _ if effects.changes_block() => Some(true),
        AddressSource::ReadablePage => Some(false),
        AddressSource::None
        | AddressSource::Hook
        | AddressSource::OutputRegister
        | AddressSource::PageRegister
        | AddressSource::SuspendedProgram
        | AddressSource::OneShotLatch
        | AddressSource::CopybackLatch => None,
    }
}

/// States of which a die is always in one, as bits of [`state_bit`].
const ANY_STATE: u16 =
    state_bit(DeviceState::Suspended(Axis::Erase)) | state_bit(DeviceState::NotSuspended(Axis::Erase));

/// The states of a die in which a precondition may fail by its lasting state, as bits of [`state_bit`].
fn asks_die_in(need: &Precondition) -> u16 {
    match need {
        Precondition::Latch(_, need) => {
            if *need == LatchNeed::default() {
                0
            } else {
                ANY_STATE
            }
        }
        Precondition::Suspended(_) => ANY_STATE,
        Precondition::NextOfCacheProgram => [CacheProgramKind::Slc, CacheProgramKind::OneShot]
            .into_iter()
            .fold(0, |states, kind| states | state_bit(DeviceState::CacheProgram(kind))),
        Precondition::InCoreBusy(_)
        | Precondition::NothingInFlight(_)
        | Precondition::CopybackPage
        | Precondition::NothingUnread
        | Precondition::PageToReadOn
        | Precondition::PageToPutOut
        | Precondition::Output => 0,
    }
}

fn op_info(profile: &Profile, bases: &[BaseInfo], id: OpId) -> OpInfo {
    let op = &profile.ops[id];
    let base = &profile.bases[op.base];
    let mut at = Ticks::ZERO;
    let (mut issue, mut occupied, mut bus) = (Ticks::ZERO, Ticks::ZERO, Ticks::ZERO);
    let mut array_done = None;
    for (phase, &duration) in base.phases.iter().zip(&op.durations) {
        at += duration;
        match phase.kind {
            PhaseKind::Issue => issue = at,
            PhaseKind::CoreBusy => array_done = Some(at),
            PhaseKind::DataIn | PhaseKind::DataOut => {}
        }
        if !phase.kind.is_window() {
            occupied = at;
        }
        if phase.bus {
            bus = at;
        }
    }
    let any_cell = profile.cell_types[op.cell_type].name == ANY_CELL_TYPE;
    OpInfo {
        base: op.base,
        multi: op.multi,
        cell_type: if any_cell { None } else { Some(op.cell_type) },
        stated_cell_type: op.cell_type,
        issue,
        occupied,
        array_done: array_done.unwrap_or(at),
        total: at,
        bus,
        status_of: op.status_of,
        may_join: bases[op.base.index()].interleaved && !op.multi,
        is_ordinary: bases[op.base.index()].is_ordinary && !matches!(op.status_of, Some(StatusOf::Lun(_))),
    }
}
