//! A compiled profile: the facts about bases and operations that judging and starting look up.
//!
//! The tables follow from the profile alone, and never change during a run. They hold no names and no strings.

use nandseq_profile::model::{AddressSource, DeviceState, PayloadField, PhaseKind, Scope, StatusOf};
use nandseq_profile::{BaseId, BaseSet, CellTypeId, Grid, OpId, PhaseKey, PlaneSet, Profile, Ticks};

use crate::effects::Effects;
use crate::footprint::{BaseFootprint, Footprint};
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

/// A base, compiled.
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
    /// The states of the device that forbid it, as bits of [`state_bit`].
    pub(crate) forbidden_in: u16,
    /// Whether some op_state forbids it.
    pub(crate) forbidden_in_op_states: bool,
    /// The parts of the lasting state that it looks at and changes.
    footprint: BaseFootprint,
    /// See [`BaseInfo::is_inert`].
    inert: bool,
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
        self.affects_state && self.occupies
    }

    /// The planes that an operation at a place looks at on each of its dies; `all` are the planes of a die.
    pub(crate) const fn planes_of(&self, place: &Place, all: PlaneSet) -> PlaneSet {
        match self.reach {
            Reach::Planes => place.planes,
            Reach::Die | Reach::Target => all,
        }
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
}

/// A compiled profile.
#[derive(Clone, Debug)]
pub struct Tables {
    /// Size of the device.
    pub size: Size,
    bases: Vec<BaseInfo>,
    ops: Vec<OpInfo>,
    op_state: Vec<BaseSet>,
    /// For each base the op_states that forbid it, a bit each, in words of 64.
    against: Vec<u64>,
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
        Self {
            size,
            bases: profile.bases.ids().map(|id| base_info(profile, id)).collect(),
            ops: profile.ops.ids().map(|id| op_info(profile, id)).collect(),
            op_state: profile.phase_keys.ids().map(|key| device_rule(profile, key)).collect(),
            against: op_states_against(profile),
            states: DeviceState::ALL.map(|state| profile.exclusions.in_state(state)),
            programs: profile.cell_types.iter().map(|cell| cell.programs).collect(),
            offset_guard: profile.offset_guard,
            grid: Grid::new(profile.policies.time_resolution),
        }
    }

    /// A base.
    #[must_use]
    pub fn base(&self, id: BaseId) -> &BaseInfo {
        &self.bases[id.index()]
    }

    /// All bases in order.
    pub fn bases(&self) -> impl Iterator<Item = (BaseId, &BaseInfo)> {
        self.bases.iter().enumerate().map(|(at, base)| (BaseId::from(at), base))
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
        let words = self.against.len() / self.bases.len();
        OpStates(&self.against[base.index() * words..][..words])
    }

    /// The bases that a state of the device forbids.
    #[must_use]
    pub const fn forbidden_by(&self, state: DeviceState) -> BaseSet {
        self.states[state_index(state)]
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

fn op_states_against(profile: &Profile) -> Vec<u64> {
    let words = profile.phase_keys.len().div_ceil(64);
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
    BaseInfo {
        op_states: [none, busy_key.unwrap_or(none), window_key.unwrap_or(none), none],
        reach,
        occupies: (!base.instant && base.scope != Scope::None) || moves_time || effects.resets(),
        affects_state: base.affects_state,
        instant: base.instant,
        interleaved: profile.interleaved.contains(id),
        names_die: base.payload_has(PayloadField::Die),
        has_block: base.payload_has(PayloadField::Block),
        address: base.address,
        busy_key,
        window_key,
        window: window.map_or(PhaseKind::CoreBusy, |phase| phase.kind),
        end_key: profile.phase_key(id, None).expect("every base has an END key"),
        forbidden_in,
        footprint: BaseFootprint::new(&effects, base.address, forbidden_in),
        forbidden_in_op_states: profile.phase_keys.ids().any(|key| device_rule(profile, key).contains(id)),
        inert: effects.at_start.is_empty() && !effects.acts_at_end(),
        effects,
    }
}

fn op_info(profile: &Profile, id: OpId) -> OpInfo {
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
    }
}
