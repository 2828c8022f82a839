//! The profile compiled for the tables: durations of operations, page accesses that are counted, the order of names.
//!
//! Once the model is built, no writer looks at names or effects. Build it once and share it between runs and sites.

use nandseq_profile::model::{AddressSource, ArrayWork, Base, PayloadField, PhaseKind, Scope};
use nandseq_profile::{BaseId, Block, CellTypeId, Die, IdVec, OpId, Page, PhaseKey, Plane, Profile, Target, Ticks};

use nandseq_trace::OpState;
use nandseq_trace::rows::{StateId, Touch};

/// A profile compiled for the tables.
#[derive(Clone, Debug)]
pub struct TableModel {
    pub(crate) ops: IdVec<OpId, OpModel>,
    /// The base of each phase key; `None` for `DEFAULT`.
    key_bases: IdVec<PhaseKey, Option<BaseId>>,
    states: Box<[String]>,
    pub(crate) dies: usize,
    pub(crate) planes: usize,
    pub(crate) state_order: NameOrder,
    pub(crate) key_order: NameOrder,
    pub(crate) op_order: NameOrder,
    pub(crate) cell_type_order: NameOrder,
}

/// The facts about one op name that its rows need.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OpModel {
    pub(crate) base: BaseId,
    /// From the start to the end of ISSUE.
    pub(crate) issue: Ticks,
    /// From the start to the end of CORE_BUSY; to the end of ISSUE if there is no CORE_BUSY.
    pub(crate) busy: Ticks,
    /// From the start to the end of the last phase.
    pub(crate) total: Ticks,
    /// Whether it has a CORE_BUSY. If so, the array is done at the end of CORE_BUSY, otherwise at the end of the operation.
    pub(crate) has_busy: bool,
    /// The window after CORE_BUSY.
    pub(crate) window: Option<PhaseKind>,
    /// Whether it occupies planes, so that it can be cut.
    pub(crate) occupies: bool,
    pub(crate) touch: Option<Touch>,
    fields: NamedParts,
}

/// The parts of an address that a payload names.
#[derive(Clone, Copy, Debug)]
struct NamedParts {
    die: bool,
    plane: bool,
    block: bool,
    page: bool,
}

/// The order of names by their bytes.
#[derive(Clone, Debug)]
pub(crate) struct NameOrder {
    ranks: Box<[u16]>,
    by_rank: Box<[u16]>,
}

impl NameOrder {
    fn of<'n>(names: impl Iterator<Item = &'n str>) -> Self {
        let names: Vec<&str> = names.collect();
        // Ids of every kind fit 16 bits.
        let mut by_rank: Box<[u16]> = (0..names.len()).map(|at| at as u16).collect();
        by_rank.sort_by_key(|&at| names[usize::from(at)].as_bytes());
        let mut ranks = vec![0; names.len()].into_boxed_slice();
        for (rank, &at) in by_rank.iter().enumerate() {
            ranks[usize::from(at)] = rank as u16;
        }
        Self { ranks, by_rank }
    }

    /// The position of an id if all ids are sorted by name.
    pub(crate) fn rank(&self, id: u16) -> u16 {
        self.ranks[usize::from(id)]
    }

    /// The id at a position.
    pub(crate) fn id(&self, rank: u16) -> u16 {
        self.by_rank[usize::from(rank)]
    }
}

impl TableModel {
    /// Compiles a profile.
    #[must_use]
    pub fn new(profile: &Profile) -> Self {
        let ops = profile.ops.ids().map(|op| op_model(profile, op)).collect();
        let states: Box<[String]> = StateId::numbers(profile).map(|state| state.text(profile)).collect();
        Self {
            ops,
            key_bases: profile.phase_keys.iter().map(|key| key.base).collect(),
            dies: profile.topology.dies as usize,
            planes: profile.topology.planes as usize,
            state_order: NameOrder::of(states.iter().map(String::as_str)),
            key_order: NameOrder::of(profile.phase_keys.iter().map(|key| key.name.as_str())),
            op_order: NameOrder::of(profile.ops.iter().map(|op| op.name.as_str())),
            cell_type_order: NameOrder::of(profile.cell_types.iter().map(|cell_type| cell_type.name.as_str())),
            states,
        }
    }

    /// The name of an op_state: `BASE.PHASE`, `BASE.END` or `DEFAULT`.
    #[must_use]
    pub fn state_name(&self, state: StateId) -> &str {
        &self.states[usize::from(state.0)]
    }

    /// The number of every op_state, in order.
    pub fn states(&self) -> impl Iterator<Item = StateId> {
        (0..self.states.len()).map(|at| StateId(at as u16))
    }

    /// The number of an op_state.
    #[must_use]
    pub fn state(&self, state: &OpState) -> StateId {
        self.key_bases[state.of].map_or(StateId::DEFAULT, |base| StateId::of(base, state.phase))
    }
}

fn op_model(profile: &Profile, id: OpId) -> OpModel {
    let op = &profile.ops[id];
    let base = &profile.bases[op.base];
    let (mut issue, mut busy, mut total) = (Ticks::ZERO, None, Ticks::ZERO);
    let mut window = None;
    for (phase, &duration) in base.phases.iter().zip(&op.durations) {
        total += duration;
        match phase.kind {
            PhaseKind::Issue => issue = total,
            PhaseKind::CoreBusy => busy = Some(total),
            PhaseKind::DataIn | PhaseKind::DataOut => window = Some(phase.kind),
        }
    }
    OpModel {
        base: op.base,
        issue,
        busy: busy.unwrap_or(issue),
        total,
        has_busy: busy.is_some(),
        window,
        occupies: occupies(base),
        touch: touch(base),
        fields: NamedParts {
            die: base.payload_has(PayloadField::Die),
            plane: base.payload_has(PayloadField::Plane),
            block: base.payload_has(PayloadField::Block),
            page: base.payload_has(PayloadField::Page),
        },
    }
}

/// Whether operations of a base occupy planes.
fn occupies(base: &Base) -> bool {
    let always = base.effects.iter().any(|effect| effect.properties().always_occupies);
    always || (!base.instant && base.scope != Scope::None)
}

/// The page access of operations of a base; `None` if they access no page.
fn touch(base: &Base) -> Option<Touch> {
    let has = |work: ArrayWork| base.effects.iter().any(|effect| effect.properties().array_work == Some(work));
    if has(ArrayWork::Commit) {
        Some(Touch::Program)
    } else if has(ArrayWork::Read) {
        // A recovery read fills the registers from latches, not from a page.
        (base.address != AddressSource::SuspendedProgram).then_some(Touch::Read)
    } else {
        None
    }
}

impl OpModel {
    /// A placeholder in a free slot.
    pub(crate) const NONE: Self = Self {
        base: BaseId(0),
        issue: Ticks::ZERO,
        busy: Ticks::ZERO,
        total: Ticks::ZERO,
        has_busy: false,
        window: None,
        occupies: false,
        touch: None,
        fields: NamedParts { die: false, plane: false, block: false, page: false },
    };

    /// The target with 0 for every part of the address that the payload does not name.
    pub(crate) fn named(&self, target: &Target) -> Target {
        let fields = self.fields;
        let mut named = *target;
        if !fields.die {
            named.die = Die(0);
        }
        if !fields.plane {
            named.plane = Plane(0);
        }
        if !fields.block {
            named.block = Block(0);
        }
        if !fields.page {
            named.page = Page(0);
        }
        named
    }
}

impl TableModel {
    /// The position of a cell type if all are sorted by name.
    pub(crate) fn cell_type_rank(&self, cell_type: CellTypeId) -> u16 {
        self.cell_type_order.rank(u16::from(cell_type.0))
    }
}
