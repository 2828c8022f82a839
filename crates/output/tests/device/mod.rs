//! A small device for tests and benches of this crate: one op name for each form of payload.

use nandseq_profile::model::{
    AddressSource, Base, Bootstrap, CellType, Exclusions, Export, Op, PayloadField, Phase, PhaseKind, Policies,
    Probabilities, Scope, Topology,
};
use nandseq_profile::{BaseId, BaseSet, CellTypeId, IdVec, Profile, Ticks};

/// Op names by id, with the fields of their payload.
pub(crate) const OPS: [(&str, &[PayloadField]); 4] = [
    (
        "Page_Read_TLC",
        &[PayloadField::Die, PayloadField::Plane, PayloadField::Block, PayloadField::Page, PayloadField::CellType],
    ),
    ("Read_Status", &[PayloadField::Die, PayloadField::Plane, PayloadField::ExpectedStatus]),
    ("Delay", &[]),
    ("Odd, \"name\"", &[PayloadField::ExpectedStatus, PayloadField::CellType]),
];

/// The names of the cell types by id.
pub(crate) const CELL_TYPES: [&str; 3] = ["NONE", "TLC", "S\"L\\C"];

/// The device.
pub(crate) fn profile(time_scale: f64, round_decimals: u32) -> Profile {
    let bases: IdVec<BaseId, Base> = OPS.iter().map(|(name, payload)| base(name, payload)).collect();
    let ops = OPS.iter().enumerate().map(|(at, (name, _))| op(name, at)).collect();
    Profile {
        name: "small".into(),
        topology: Topology { dies: 2, planes: 4, blocks_per_die: 1020, pages_per_block: 2564 },
        cell_types: CELL_TYPES.iter().map(|&name| CellType { name: name.into(), programs: 0b111 }).collect(),
        policies: policies(),
        latencies: Vec::new(),
        phase_keys: Profile::derive_phase_keys(&bases),
        bases,
        ops,
        exclusions: Exclusions::default(),
        interleaved: BaseSet::EMPTY,
        offset_guard: 0,
        chains: Vec::new(),
        probabilities: Probabilities::default(),
        export: Export { time_scale, round_decimals, ..Export::DEFAULT },
        bootstrap: Bootstrap {
            enabled: false,
            erase_blocks: 0,
            program_blocks: 0,
            read_blocks: 0,
            read_coverage: 0.0,
            cell_type_weights: Vec::new(),
        },
    }
}

fn base(name: &str, payload: &[PayloadField]) -> Base {
    Base {
        name: name.to_uppercase(),
        scope: Scope::None,
        affects_state: false,
        instant: true,
        phases: vec![Phase { kind: PhaseKind::Issue, bus: true, default_duration: None }],
        address: AddressSource::Hook,
        effects: Vec::new(),
        payload: payload.to_vec(),
        follow_ups: Vec::new(),
    }
}

fn op(name: &str, at: usize) -> Op {
    Op {
        name: name.into(),
        base: BaseId::from(at),
        multi: false,
        cell_type: CellTypeId(0),
        durations: vec![Ticks(100_000)],
        status_of: None,
        opcode: 7 * at as u32,
        reads: None,
    }
}

fn policies() -> Policies {
    Policies { admission_window: Ticks::ZERO, ..Policies::DEFAULT }
}
