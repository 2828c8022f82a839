//! The profile in the terms of the rules, compiled once: what each operation is, and what each state excludes.

use nandseq_profile::model::{
    AddressSource, Axis, CacheProgramKind, CacheReadKind, DeviceState, Effect, LatchKind, LatchLevel, LatchNeed,
    PayloadField, Phase, PhaseKind, Scope, StatusOf,
};
use nandseq_profile::{BaseId, BaseSet, CellTypeId, IdVec, OpId, Profile, Ticks};

use crate::time::{Interval, after};

/// The extent of a reset.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reset {
    /// Its die.
    Die,
    /// Every die.
    Target,
}

/// What an operation does with a latch.
#[derive(Clone, Copy, Debug)]
pub struct LatchUse {
    /// The latch.
    pub latch: LatchKind,
    /// The levels at which it may start.
    pub needs: LatchNeed,
    /// The level that it loads; `None`: it consumes what is loaded.
    pub loads: Option<LatchLevel>,
}

/// A phase of an operation, relative to its start.
#[derive(Clone, Copy, Debug)]
pub struct PhaseSpan {
    /// The kind of the phase.
    pub kind: PhaseKind,
    /// The phase holds the bus.
    pub bus: bool,
    /// From the start of the operation to the start of the phase, ps.
    pub offset: Ticks,
    /// How long the phase takes, ps.
    pub duration: Ticks,
}

impl PhaseSpan {
    /// The time of the phase in an operation that starts at `start`.
    pub const fn time(&self, start: Ticks) -> Interval {
        Interval::new(after(start, self.offset), self.duration)
    }
}

/// An operation in the terms of the rules.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a question of its own that a rule asks")]
pub struct OperationKind {
    /// The base of the operation.
    pub base: BaseId,
    /// The scope of its base.
    pub scope: Scope,
    /// It shows as the op_state of the planes that it occupies.
    pub affects_state: bool,
    /// It occupies the planes of its scope. An instant operation does not, unless it suspends, resumes or resets.
    pub occupies: bool,
    /// It works on several planes.
    pub multi: bool,
    /// Two of these may overlap on one die (`single_single_allowed_bases`).
    pub interleaved: bool,
    /// The cell type of the operation. `None`: it fits every address.
    pub cell_type: Option<CellTypeId>,
    /// The cell type of the operation in the profile, also one that fits every address.
    pub named_cell_type: CellTypeId,
    /// The `op_id` of its rows.
    pub opcode: u32,
    /// Its phases, in order.
    pub spans: Vec<PhaseSpan>,
    /// From the start to the end of the last phase that is no window.
    pub occupied: Ticks,
    /// From the start to the moment its effects happen.
    pub array_done: Ticks,
    /// The effects of its base.
    pub effects: Vec<Effect>,
    /// Its payload names the die.
    pub has_die: bool,
    /// Its payload names the plane.
    pub has_plane: bool,
    /// Its payload names the block.
    pub has_block: bool,
    /// Its payload names the page.
    pub has_page: bool,
    /// Its payload names the cell type.
    pub has_cell_type: bool,
    /// Its payload names data.
    pub has_data: bool,
    /// The level of a page that it reads, if the profile says it.
    pub level: Option<LatchLevel>,
    /// What it does with latches.
    pub latches: Vec<LatchUse>,
    /// It erases its blocks.
    pub erases: bool,
    /// It programs, closes, or loads a page to be programmed.
    pub programs: bool,
    /// It reads programmed pages.
    pub reads: bool,
    /// It reads the latches of a suspended program.
    pub recovers: bool,
    /// It addresses a block without reading a page (threshold check).
    pub checks: bool,
    /// It addresses the next page of a block without programming it.
    pub aims: bool,
    /// The axis that it suspends.
    pub suspends: Option<Axis>,
    /// The axis that it resumes.
    pub resumes: Option<Axis>,
    /// The extent of its reset, if it is one.
    pub resets: Option<Reset>,
    /// The status that it reads; `None` if it reads none.
    pub status_of: Option<StatusOf>,
    /// It has an effect when its array is done.
    pub lasting: bool,
    /// It programs a page, or closes a block.
    pub commits: bool,
    /// It puts data out.
    pub outputs: bool,
    /// It programs what a copyback read put into the page registers.
    pub from_copyback: bool,
    /// It is a cache read.
    pub reads_on: bool,
    /// It ends a cache read.
    pub ends_cache_read: bool,
    /// It switches write protect on.
    pub protects: bool,
    /// The states that exclude its base.
    pub excluded_in: StateSet,
}

impl OperationKind {
    fn new(profile: &Profile, id: OpId) -> Self {
        let op = &profile.ops[id];
        let base = &profile.bases[op.base];
        let has = |field| base.payload_has(field);
        let read = EffectReading::of(&base.effects);
        let EffectReading { erases, programs, suspends, resumes, resets, lasting, .. } = read;
        let recovers = base.address == AddressSource::SuspendedProgram;
        let overrides = suspends.is_some() || resumes.is_some() || resets.is_some();
        let (spans, occupied, array_done) = spans(&base.phases, &op.durations);
        Self {
            base: op.base,
            scope: base.scope,
            affects_state: base.affects_state,
            occupies: !base.instant || overrides,
            multi: op.multi,
            interleaved: profile.interleaved.contains(op.base),
            cell_type: Some(op.cell_type).filter(|_| profile.any_cell_type() != Some(op.cell_type)),
            named_cell_type: op.cell_type,
            opcode: op.opcode,
            spans,
            occupied,
            array_done,
            effects: base.effects.clone(),
            has_die: has(PayloadField::Die),
            has_plane: has(PayloadField::Plane),
            has_block: has(PayloadField::Block),
            has_page: has(PayloadField::Page),
            has_cell_type: has(PayloadField::CellType),
            has_data: has(PayloadField::Data),
            level: op.reads,
            latches: read.latches,
            erases,
            programs,
            reads: (read.fills || base.address == AddressSource::ReadablePage) && !recovers,
            recovers,
            checks: base.address == AddressSource::AnyBlock && !erases,
            aims: base.address == AddressSource::NextPage && !programs,
            suspends,
            resumes,
            resets,
            status_of: read.status.then(|| op.status_of.unwrap_or(StatusOf::Die)),
            lasting,
            commits: read.commits,
            outputs: read.outputs,
            from_copyback: read.from_copyback,
            reads_on: read.reads_on,
            ends_cache_read: read.ends_cache_read,
            protects: read.protects,
            excluded_in: StateSet(
                DeviceState::ALL
                    .into_iter()
                    .filter(|state| profile.exclusions.in_state(*state).contains(op.base))
                    .fold(0, |set, state| set | StateSet::of(&[state]).0),
            ),
        }
    }

    /// The axis on which it can be suspended.
    pub fn axis(&self) -> Option<Axis> {
        if self.erases { Some(Axis::Erase) } else { self.programs.then_some(Axis::Program) }
    }

    /// Whether it is an array operation (rulebook, question 19), recovery reads left out.
    pub fn touches(&self) -> bool {
        self.erases || self.programs || self.reads || self.checks || self.aims
    }

    /// Its phase of a kind, if it has one.
    pub fn span(&self, kind: PhaseKind) -> Option<&PhaseSpan> {
        self.spans.iter().find(|span| span.kind == kind)
    }
}

/// The verifier's own reading of a list of effects.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a question of its own that a rule asks")]
struct EffectReading {
    erases: bool,
    programs: bool,
    commits: bool,
    fills: bool,
    outputs: bool,
    from_copyback: bool,
    reads_on: bool,
    ends_cache_read: bool,
    suspends: Option<Axis>,
    resumes: Option<Axis>,
    resets: Option<Reset>,
    protects: bool,
    status: bool,
    lasting: bool,
    latches: Vec<LatchUse>,
}

impl EffectReading {
    fn of(effects: &[Effect]) -> Self {
        let mut all = Self::default();
        effects.iter().for_each(|effect| all.add(*effect));
        all
    }

    fn add(&mut self, effect: Effect) {
        match effect {
            Effect::Erase => self.erases = true,
            Effect::Program | Effect::CloseBlock => (self.programs, self.commits) = (true, true),
            Effect::LoadLatch { latch, level, needs } => {
                self.programs = true;
                self.latches.push(LatchUse { latch, needs, loads: Some(level) });
            }
            Effect::ConsumeLatch { latch, needs } => self.latches.push(LatchUse { latch, needs, loads: None }),
            Effect::FillRegisters { .. } => self.fills = true,
            Effect::CacheRead(_) => (self.fills, self.reads_on) = (true, true),
            Effect::CacheReadEnd(_) => self.ends_cache_read = true,
            Effect::DataOut => self.outputs = true,
            Effect::Resume(axis) => self.resumes = Some(axis),
            Effect::CacheProgramEnd(_) | Effect::OdtEnable | Effect::WriteProtectOff => {}
            // These do nothing when the array is done.
            Effect::CopybackSource => return self.from_copyback = true,
            Effect::Suspend(axis) => return self.suspends = Some(axis),
            Effect::ResetDie => return self.resets = self.resets.or(Some(Reset::Die)),
            Effect::ResetTarget => return self.resets = Some(Reset::Target),
            Effect::WriteProtectOn => return self.protects = true,
            Effect::StatusRead => return self.status = true,
            Effect::CacheProgramStart(_) | Effect::OdtDisable | Effect::Delay => return,
        }
        self.lasting = true;
    }
}

/// The phases with their offsets, the time of occupation, and the time until the array is done.
fn spans(phases: &[Phase], durations: &[Ticks]) -> (Vec<PhaseSpan>, Ticks, Ticks) {
    let mut offset = Ticks::ZERO;
    let mut occupied = Ticks::ZERO;
    let mut core_end = None;
    let mut spans = Vec::new();
    for (at, phase) in phases.iter().enumerate() {
        let duration = durations.get(at).copied().or(phase.default_duration).unwrap_or(Ticks::ZERO);
        spans.push(PhaseSpan { kind: phase.kind, bus: phase.bus, offset, duration });
        offset = after(offset, duration);
        if !phase.kind.is_window() {
            occupied = offset;
        }
        if phase.kind == PhaseKind::CoreBusy {
            core_end = Some(offset);
        }
    }
    (spans, occupied, core_end.unwrap_or(offset))
}

/// A compiled profile.
#[derive(Clone, Debug)]
pub struct CompiledProfile {
    /// The operations of the profile, in the terms of the rules.
    pub kinds: IdVec<OpId, OperationKind>,
    by_op_state: IdVec<BaseId, [BaseSet; 4]>,
    by_state: [BaseSet; DeviceState::ALL.len()],
    /// For each cell type, whether its pages have three levels: a load of it exists.
    pub has_levels: IdVec<CellTypeId, bool>,
}

impl CompiledProfile {
    /// Compiles a profile.
    pub fn new(profile: &Profile) -> Self {
        let exclusions = &profile.exclusions;
        let forbidden = |base, kind: PhaseKind| match kind {
            PhaseKind::Issue => BaseSet::EMPTY,
            PhaseKind::CoreBusy | PhaseKind::DataIn | PhaseKind::DataOut => {
                profile.phase_key(base, Some(kind)).map_or(BaseSet::EMPTY, |key| exclusions.in_op_state(key))
            }
        };
        let kinds: IdVec<OpId, OperationKind> = profile.ops.ids().map(|op| OperationKind::new(profile, op)).collect();
        let loads = |kind: &OperationKind| kind.latches.iter().any(|of| of.loads.is_some());
        let has_levels = |of| kinds.iter().any(|kind| kind.named_cell_type == of && loads(kind));
        Self {
            has_levels: profile.cell_types.ids().map(has_levels).collect(),
            by_op_state: profile.bases.ids().map(|base| PhaseKind::ALL.map(|kind| forbidden(base, kind))).collect(),
            by_state: DeviceState::ALL.map(|state| exclusions.in_state(state)),
            kinds,
        }
    }

    /// Whether the payload of an operation names data, so that data is judged.
    pub fn follows_data(&self) -> bool {
        self.kinds.iter().any(|kind| kind.has_data)
    }

    /// The bases that the op_state of `base` in phase `kind` excludes; none for ISSUE.
    pub fn in_op_state(&self, base: BaseId, kind: PhaseKind) -> BaseSet {
        self.by_op_state[base][kind as usize]
    }

    /// The bases that a state of the device excludes.
    pub fn in_state(&self, state: DeviceState) -> BaseSet {
        self.by_state[place_of(state)]
    }
}

/// The place of a state in the order of the profile.
const fn place_of(state: DeviceState) -> usize {
    match state {
        DeviceState::LatchOnRead => 0,
        DeviceState::LatchOn(LatchLevel::Lsb) => 1,
        DeviceState::LatchOn(LatchLevel::Csb) => 2,
        DeviceState::LatchOn(LatchLevel::Msb) => 3,
        DeviceState::Suspended(Axis::Erase) => 4,
        DeviceState::NotSuspended(Axis::Erase) => 5,
        DeviceState::Suspended(Axis::Program) => 6,
        DeviceState::NotSuspended(Axis::Program) => 7,
        DeviceState::OdtDisabled => 8,
        DeviceState::WriteProtect => 9,
        DeviceState::CacheRead(CacheReadKind::Cache) => 10,
        DeviceState::CacheRead(CacheReadKind::PlaneCache) => 11,
        DeviceState::CacheProgram(CacheProgramKind::Slc) => 12,
        DeviceState::CacheProgram(CacheProgramKind::OneShot) => 13,
    }
}

/// A set of states of the device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StateSet(u16);

impl StateSet {
    /// What a latch that is loaded can be in.
    pub const LATCHES: Self = Self::of(&[
        DeviceState::LatchOn(LatchLevel::Lsb),
        DeviceState::LatchOn(LatchLevel::Csb),
        DeviceState::LatchOn(LatchLevel::Msb),
    ]);
    /// What the axes of a die can be in.
    pub const AXES: Self = Self::of(&[
        DeviceState::Suspended(Axis::Erase),
        DeviceState::NotSuspended(Axis::Erase),
        DeviceState::Suspended(Axis::Program),
        DeviceState::NotSuspended(Axis::Program),
    ]);
    /// What a cache program can be in.
    pub const CACHE_PROGRAMS: Self = Self::of(&[
        DeviceState::CacheProgram(CacheProgramKind::Slc),
        DeviceState::CacheProgram(CacheProgramKind::OneShot),
    ]);
    /// What a cache read can be in.
    pub const CACHE_READS: Self =
        Self::of(&[DeviceState::CacheRead(CacheReadKind::Cache), DeviceState::CacheRead(CacheReadKind::PlaneCache)]);

    const fn of(states: &[DeviceState]) -> Self {
        let (mut set, mut at) = (0, 0);
        while at < states.len() {
            set |= 1 << place_of(states[at]);
            at += 1;
        }
        Self(set)
    }

    /// Whether the state is in the set.
    pub const fn contains(self, state: DeviceState) -> bool {
        self.0 >> place_of(state) & 1 == 1
    }

    /// Whether some state is in both.
    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_state_has_its_own_place_in_the_order_of_the_profile() {
        let mut compiled = CompiledProfile {
            kinds: IdVec::new(),
            by_op_state: IdVec::new(),
            by_state: [BaseSet::EMPTY; DeviceState::ALL.len()],
            has_levels: IdVec::new(),
        };
        for (at, state) in DeviceState::ALL.into_iter().enumerate() {
            compiled.by_state[at].insert(BaseId(at as u16));
            assert!(StateSet::of(&[state]).contains(state));
            assert_eq!(StateSet::of(&[state]).0, 1 << at, "{}", state.name());
            assert!(compiled.in_state(state).contains(BaseId(at as u16)), "{}", state.name());
        }
    }

    #[test]
    fn an_operation_is_excluded_in_the_states_that_exclude_its_base() {
        let profile = nandseq_profile::builtin::profile();
        let compiled = CompiledProfile::new(&profile);
        let mut excluded = 0;
        for kind in compiled.kinds.iter() {
            for state in DeviceState::ALL {
                assert_eq!(kind.excluded_in.contains(state), compiled.in_state(state).contains(kind.base));
                excluded += usize::from(kind.excluded_in.contains(state));
            }
            let some = |states: &[DeviceState]| states.iter().any(|state| kind.excluded_in.contains(*state));
            let axes = Axis::ALL.map(|axis| [DeviceState::Suspended(axis), DeviceState::NotSuspended(axis)]);
            assert_eq!(kind.excluded_in.meets(StateSet::AXES), some(axes.as_flattened()));
        }
        assert!(excluded > 0 && excluded < compiled.kinds.iter().len() * DeviceState::ALL.len());
    }
}
