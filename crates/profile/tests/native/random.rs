//! Random profiles: any profile that a reader could return, whether it makes sense as a device or not.

use nandseq_profile::ids::*;
use nandseq_profile::model::*;
use nandseq_profile::native::structure;
use nandseq_profile::{Profile, Ticks};

/// The random generator SplitMix64.
struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, count: usize) -> usize {
        usize::try_from(self.next() % count as u64).expect("below a usize")
    }

    fn number(&mut self, least: u32, most: u32) -> u32 {
        least + u32::try_from(self.next() % u64::from(most - least + 1)).expect("below a u32")
    }

    fn flag(&mut self) -> bool {
        self.next() & 1 == 1
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    fn some<T: Copy>(&mut self, of: &[T]) -> Vec<T> {
        of.iter().copied().filter(|_| self.flag()).collect()
    }

    fn time(&mut self) -> Ticks {
        let digits = self.number(1, 15);
        Ticks(self.next() % 10u64.pow(digits))
    }

    fn weight(&mut self) -> f64 {
        match self.below(5) {
            0 => 0.0,
            1 => 1.0,
            2 => f64::from(self.number(0, 1_000_000)) / 1e4,
            3 => f64::from(self.number(1, 1_000_000)) * 1e-300,
            _ => self.next() as f64 / u64::MAX as f64,
        }
    }

    /// A name that differs from those of other numbers.
    fn name(&mut self, number: usize) -> String {
        let shape = self.below(8);
        match shape {
            0 => format!("{number} space: and, {{braces}} [x] # no comment"),
            1 => format!("\"quo'ted\" \\ {number}"),
            2 => format!("Größe\u{a0}\u{3000}\u{feff}{number}"),
            3 => format!("-{number}"),
            4 => format!("{number}e1"),
            5 => format!("*&!%@`|>{number}"),
            6 => format!("null.{number}"),
            _ => format!("NAME_{number}"),
        }
    }
}

const LEVELS: [Option<LatchLevel>; 4] = [None, Some(LatchLevel::Lsb), Some(LatchLevel::Csb), Some(LatchLevel::Msb)];

const ADDRESSES: [AddressSource; 10] = [
    AddressSource::None,
    AddressSource::Hook,
    AddressSource::AnyBlock,
    AddressSource::NextPage,
    AddressSource::ReadablePage,
    AddressSource::OutputRegister,
    AddressSource::PageRegister,
    AddressSource::SuspendedProgram,
    AddressSource::OneShotLatch,
    AddressSource::CopybackLatch,
];

fn base(rng: &mut Rng, number: usize) -> Base {
    let mut phases = vec![PhaseKind::Issue];
    if rng.flag() {
        phases.push(PhaseKind::CoreBusy);
        phases.extend([None, Some(PhaseKind::DataIn), Some(PhaseKind::DataOut)][rng.below(3)]);
    }
    let address = rng.one(&ADDRESSES);
    let mut payload = if structure::names_a_page(address) {
        vec![PayloadField::Page, PayloadField::Block, PayloadField::Plane, PayloadField::Die]
    } else if address == AddressSource::Hook {
        rng.some(&[PayloadField::Die, PayloadField::Plane])
    } else {
        rng.some(&[PayloadField::Die])
    };
    payload.extend(rng.some(&[PayloadField::CellType]));
    let effects = effects(rng, address, &mut payload);
    let mut scopes = vec![Scope::None, Scope::Target];
    scopes.extend(payload.contains(&PayloadField::Die).then_some(Scope::Die));
    scopes.extend(payload.contains(&PayloadField::Plane).then_some(Scope::PlaneSet));
    let phase = |kind, rng: &mut Rng| Phase { kind, bus: rng.flag(), default_duration: rng.flag().then(|| rng.time()) };
    let mut base = Base {
        name: rng.name(number),
        scope: rng.one(&scopes),
        affects_state: rng.flag(),
        instant: rng.flag(),
        phases: phases.into_iter().map(|kind| phase(kind, rng)).collect(),
        address,
        effects,
        payload,
        follow_ups: Vec::new(),
    };
    if base.data_transfer().is_some() && rng.flag() {
        base.payload.insert(rng.below(base.payload.len() + 1), PayloadField::Data);
    }
    for scope in [Scope::Target, Scope::Die] {
        if structure::problems(&base).iter().any(|problem| problem.part == structure::BasePart::Scope) {
            (base.scope, base.instant) = (scope, false);
        }
    }
    base
}

fn effects(rng: &mut Rng, address: AddressSource, payload: &mut Vec<PayloadField>) -> Vec<Effect> {
    let needs = LatchNeed { lsb: rng.flag(), csb: rng.flag(), msb: rng.flag() };
    let latch = rng.one(&[LatchKind::OneShot, LatchKind::Copyback]);
    let level = rng.one(&[LatchLevel::Lsb, LatchLevel::Csb, LatchLevel::Msb]);
    let axis = rng.one(&Axis::ALL);
    let read = rng.one(&[CacheReadKind::Cache, CacheReadKind::PlaneCache]);
    let program = rng.one(&[CacheProgramKind::Slc, CacheProgramKind::OneShot]);
    let mut possible = vec![Effect::ResetTarget, Effect::OdtDisable, Effect::OdtEnable, Effect::Delay];
    possible.extend([Effect::WriteProtectOn, Effect::WriteProtectOff]);
    if payload.contains(&PayloadField::Die) {
        possible.extend([
            Effect::CacheProgramStart(program),
            Effect::CacheProgramEnd(program),
            Effect::Suspend(axis),
            Effect::Resume(axis),
            Effect::ResetDie,
            Effect::StatusRead,
        ]);
    }
    if structure::names_a_page(address) {
        possible.extend([
            Effect::Erase,
            Effect::Program,
            Effect::CloseBlock,
            Effect::LoadLatch { latch, level, needs },
            Effect::ConsumeLatch { latch, needs },
            Effect::FillRegisters { copyback: rng.flag() },
            Effect::CacheRead(read),
            Effect::CacheReadEnd(read),
            Effect::DataOut,
            Effect::CopybackSource,
        ]);
    }
    let chosen = rng.some(&possible);
    if chosen.contains(&Effect::StatusRead) {
        payload.push(PayloadField::ExpectedStatus);
    }
    chosen
}

fn step(rng: &mut Rng, base: BaseId) -> ChainStep {
    let address = rng.one(&[
        StepAddress::Sampled,
        StepAddress::SamePage,
        StepAddress::IncPage,
        StepAddress::ProgramSamePage,
        StepAddress::SuspendedProgram,
        StepAddress::PreviousPage,
        StepAddress::SameRegister,
    ]);
    ChainStep { base, address, same_cell_type: rng.flag(), multi: rng.flag(), same_plane: rng.flag() }
}

/// At most `most` distinct indices below `count`.
fn distinct(rng: &mut Rng, count: usize, most: usize) -> Vec<usize> {
    let mut found: Vec<usize> = (0..rng.below(most + 1)).map(|_| rng.below(count)).collect();
    found.sort_unstable();
    found.dedup();
    found
}

fn name_weights(rng: &mut Rng, profile: &Profile, steps: &[ChainStep]) -> Vec<(BaseId, Vec<(OpId, f64)>)> {
    let mut bases: Vec<BaseId> = steps.iter().map(|step| step.base).filter(|_| rng.below(4) == 0).collect();
    bases.sort_unstable();
    bases.dedup();
    let of_base = |base: BaseId, rng: &mut Rng| {
        let ops = profile.ops.iter_ids().filter(|(_, op)| op.base == base);
        (base, ops.map(|(id, _)| (id, rng.weight())).collect())
    };
    bases.into_iter().map(|base| of_base(base, rng)).collect()
}

fn chains(rng: &mut Rng, profile: &mut Profile) {
    let bases = profile.bases.len();
    for number in 0..rng.below(6) {
        let mut steps = Vec::new();
        for _ in 0..=rng.below(5) {
            let base = BaseId::from(rng.below(bases));
            steps.push(step(rng, base));
        }
        let name_weights = name_weights(rng, profile, &steps);
        profile.chains.push(Chain { name: format!("{}.SEQ", rng.name(number)), steps, name_weights });
    }
    let named = profile.chains.len();
    for base in profile.bases.ids().collect::<Vec<_>>() {
        let mut follow_ups = Vec::new();
        if rng.flag() {
            follow_ups.push(FollowUp { weight: rng.weight(), chain: None });
        }
        if named > 0 {
            for chain in distinct(rng, named, 3) {
                follow_ups.push(FollowUp { weight: rng.weight(), chain: Some(chain) });
            }
        }
        for next in distinct(rng, bases, 2).into_iter().map(BaseId::from) {
            let steps = vec![step(rng, next)];
            let name_weights = name_weights(rng, profile, &steps);
            profile.chains.push(Chain { name: profile.bases[next].name.clone(), steps, name_weights });
            follow_ups.push(FollowUp { weight: rng.weight(), chain: Some(profile.chains.len() - 1) });
        }
        profile.bases[base].follow_ups = follow_ups;
    }
}

fn exclusions(rng: &mut Rng, profile: &Profile) -> Exclusions {
    let bases: Vec<BaseId> = profile.bases.ids().collect();
    let mut exclusions = Exclusions::default();
    for number in 0..rng.below(5) {
        let forbids = rng.some(&bases).into_iter().collect();
        exclusions.groups.push(ExclusionGroup { name: rng.name(number), forbids });
    }
    let groups: Vec<GroupId> = exclusions.groups.ids().collect();
    for key in distinct(rng, profile.phase_keys.len(), 6) {
        exclusions.by_op_state.push((PhaseKey::from(key), rng.some(&groups)));
    }
    for state in rng.some(&DeviceState::ALL) {
        exclusions.by_state.push((state, rng.some(&groups)));
    }
    exclusions
}

fn probabilities(rng: &mut Rng, profile: &Profile) -> Probabilities {
    let masses = |rng: &mut Rng| {
        let ops = profile.ops.ids().map(OverrideOf::Op);
        let all: Vec<OverrideOf> = profile.bases.ids().map(OverrideOf::Base).chain(ops).collect();
        rng.some(&all).into_iter().map(|of| (of, rng.weight())).collect::<Vec<_>>()
    };
    let ops: Vec<OpId> = profile.ops.ids().collect();
    let mut found = Probabilities { global: masses(rng), ..Probabilities::default() };
    for key in distinct(rng, profile.phase_keys.len(), 4) {
        found.by_key.push((PhaseKey::from(key), masses(rng)));
    }
    for key in distinct(rng, profile.phase_keys.len(), 3) {
        let weights = rng.some(&ops).into_iter().map(|op| (op, rng.weight())).collect();
        found.phase_conditional.push((PhaseKey::from(key), weights));
    }
    found
}

fn policies(rng: &mut Rng) -> Policies {
    let positive = |rng: &mut Rng| Ticks(rng.time().0.max(1));
    Policies {
        admission_window: rng.time(),
        queue_refill_period: positive(rng),
        max_planes: rng.number(1, 8),
        max_tries: rng.number(1, 50),
        sequence_gap: rng.time(),
        split_dout_per_plane: rng.flag(),
        time_resolution: positive(rng),
        post_hook_window: rng.time(),
        refill_uses_end_key: rng.flag(),
    }
}

/// A random profile.
pub(crate) fn profile(seed: u64) -> Profile {
    let rng = &mut Rng(seed);
    let planes = rng.number(1, 8);
    let topology = Topology {
        dies: rng.number(1, 16),
        planes,
        blocks_per_die: rng.number(planes, 4096),
        pages_per_block: rng.number(1, 65_535),
    };
    let cell_type_count = 1 + rng.below(8);
    let mask = u8::try_from((1u32 << cell_type_count) - 1).expect("at most 8 bits");
    let cell_type = |number, rng: &mut Rng| CellType {
        name: rng.name(number),
        programs: ((rng.next() & 255) as u8 & mask) | 1 << number,
    };
    let cell_types: IdVec<CellTypeId, CellType> = (0..cell_type_count).map(|number| cell_type(number, rng)).collect();
    let base_count = 1 + rng.below(20);
    let bases: IdVec<BaseId, Base> = (0..base_count).map(|number| base(rng, number)).collect();
    let mut ops = IdVec::new();
    for number in 0..1 + rng.below(40) {
        let id = BaseId::from(rng.below(base_count));
        let base = &bases[id];
        let planes = base.payload_has(PayloadField::Plane);
        let reads_pages = base.effects.iter().any(|of| of.properties().array_work == Some(ArrayWork::Read));
        let mut sources = vec![StatusOf::Die, StatusOf::Lun(rng.number(0, 255) as u8)];
        sources.extend(planes.then_some(StatusOf::Plane));
        ops.push(Op {
            name: format!("op {}", rng.name(number)),
            base: id,
            multi: planes && rng.flag(),
            cell_type: CellTypeId::from(rng.below(cell_type_count)),
            durations: base.phases.iter().map(|_| rng.time()).collect(),
            status_of: base.has(Effect::StatusRead).then(|| rng.one(&sources)),
            opcode: if rng.flag() { 0 } else { rng.number(0, u32::MAX - 1) },
            reads: if reads_pages { rng.one(&LEVELS) } else { None },
        });
    }
    let bootstrap = Bootstrap {
        enabled: rng.flag(),
        erase_blocks: rng.number(0, 9999),
        program_blocks: rng.number(0, 9999),
        read_blocks: rng.number(0, 9999),
        read_coverage: f64::from(rng.number(0, 1000)) / 1000.0,
        cell_type_weights: distinct(rng, cell_type_count, 8)
            .into_iter()
            .map(|at| (CellTypeId::from(at), 0.3))
            .collect(),
    };
    let mut profile = Profile {
        name: rng.name(0).replace(char::is_control, "?"),
        topology,
        cell_types,
        policies: policies(rng),
        latencies: (0..rng.below(9)).map(|number| (format!("t{}", rng.name(number)), rng.time())).collect(),
        phase_keys: Profile::derive_phase_keys(&bases),
        interleaved: bases.ids().filter(|_| rng.below(5) == 0).collect(),
        bases,
        ops,
        exclusions: Exclusions::default(),
        offset_guard: rng.number(0, 9),
        chains: Vec::new(),
        probabilities: Probabilities::default(),
        export: Export {
            time_scale: rng.weight().max(1e-9),
            round_decimals: rng.number(0, 9),
            skip_resume_chained_ops: rng.flag(),
            status: rng.some(&StatusField::ALL),
        },
        bootstrap,
    };
    chains(rng, &mut profile);
    profile.exclusions = exclusions(rng, &profile);
    profile.probabilities = probabilities(rng, &profile);
    profile
}
