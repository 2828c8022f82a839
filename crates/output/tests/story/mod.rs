//! Streams of events as data, for tests and benches of the tables.
#![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]
#![expect(dead_code, reason = "each test and bench uses its own part")]

use std::fs;
use std::io;
use std::path::Path;

use nandseq_output::format::TableFormat;
use nandseq_output::run_files::RunFiles;
use nandseq_profile::diagnostic::SourceFile;
use nandseq_profile::model::{ByAxis, Effect, PhaseKind, Scope};
use nandseq_profile::{
    Block, CellTypeId, Die, OpId, Page, PhaseKey, Plane, PlaneSet, Profile, ReadOptions, Target, Ticks,
};
use nandseq_trace::files::{FileKind, Outputs, Stamp};
use nandseq_trace::{Cut, DiePlanes, OpState, Operation, Proposal, Sink};

/// The device of the rulebook: 2 dies of 4 planes, every ISSUE takes 1 µs.
pub(crate) fn device() -> Profile {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../rulebook/device.yaml");
    let source = SourceFile::new("device.yaml", fs::read_to_string(path).unwrap());
    nandseq_profile::read(&source, ReadOptions::default()).0.unwrap()
}

/// A date for file names.
pub(crate) fn stamp() -> Stamp {
    "261121".parse().unwrap()
}

/// An operation that owns its parts.
#[derive(Clone, Debug)]
pub(crate) struct Op {
    pub(crate) uid: u64,
    pub(crate) op: OpId,
    pub(crate) start: Ticks,
    pub(crate) targets: Vec<Target>,
    pub(crate) proposal: Proposal,
    pub(crate) is_first: bool,
    pub(crate) states: Vec<OpState>,
    pub(crate) die_planes: Option<DiePlanes>,
}

/// An event for a sink.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    Operation(Op),
    StillSuspended(Op),
    Cut(u64, Ticks, Cut),
    Resumed { uid: u64, from: Ticks, busy_end: Ticks, end: Ticks },
}

impl Event {
    pub(crate) fn tell(&self, sink: &mut dyn Sink) -> io::Result<()> {
        match self {
            Self::Operation(op) => op.with(|operation| sink.operation(operation)),
            Self::StillSuspended(op) => op.with(|operation| sink.still_suspended(operation)),
            Self::Cut(uid, at, cut) => sink.cut(*uid, *at, *cut),
            &Self::Resumed { uid, from, busy_end, end } => sink.resumed(uid, from, busy_end, end),
        }
    }
}

impl Op {
    /// The operation `uid` of an op name, which starts at `us` on targets `(die, plane, block, page)`. It is the first operation
    /// of a proposal at the same time under `DEFAULT` on die 0, plane 0, where nothing ever ran.
    pub(crate) fn new(profile: &Profile, uid: u64, name: &str, us: f64, targets: &[(u8, u8, u32, u16)]) -> Self {
        let (op, info) = profile.ops.iter_ids().find(|(_, info)| info.name == name).unwrap();
        let start = Ticks((us * 1e6).round() as u64);
        let target = |&(die, plane, block, page): &(u8, u8, u32, u16)| Target {
            die: Die(die),
            plane: Plane(plane),
            block: Block(block),
            page: Page(page),
            cell_type: info.cell_type,
        };
        let targets: Vec<Target> = targets.iter().map(target).collect();
        let proposal = Proposal { time: start, ..Proposal::default() };
        let states = vec![OpState::default(); targets.len()];
        let die_planes = die_planes(profile, op, &targets);
        Self { uid, op, start, targets, proposal, is_first: true, states, die_planes }
    }

    pub(crate) fn with<R>(&self, tell: impl FnOnce(&Operation<'_>) -> R) -> R {
        tell(&Operation {
            seq: self.uid,
            uid: self.uid,
            op: self.op,
            start: self.start,
            targets: &self.targets,
            status: None,
            suspended: ByAxis::default(),
            data: &[],
            proposal: &self.proposal,
            is_first: self.is_first,
            states: &self.states,
            die_planes: self.die_planes,
        })
    }
}

/// The planes that show the op_state of an operation.
fn die_planes(profile: &Profile, op: OpId, targets: &[Target]) -> Option<DiePlanes> {
    let base = &profile.bases[profile.ops[op].base];
    let all = PlaneSet::first(profile.topology.planes);
    let die = targets.first().map_or(Die(0), |target| target.die);
    let whole_die = DiePlanes { die, dies: 1, planes: all };
    let whole_target = DiePlanes { die: Die(0), dies: profile.topology.dies as u8, planes: all };
    if !base.affects_state {
        None
    } else if base.has(Effect::ResetTarget) {
        Some(whole_target)
    } else if base.has(Effect::ResetDie) {
        Some(whole_die)
    } else {
        match base.scope {
            Scope::None => None,
            Scope::PlaneSet => {
                let mut planes = PlaneSet::EMPTY;
                targets.iter().for_each(|target| planes.insert(target.plane));
                Some(DiePlanes { die, dies: 1, planes })
            }
            Scope::Die => Some(whole_die),
            Scope::Target => Some(whole_target),
        }
    }
}

/// The op_state `BASE.PHASE` (`BASE.END` without a phase) with its start and end in µs.
pub(crate) fn state(profile: &Profile, base: &str, phase: Option<PhaseKind>, bounds: (f64, f64)) -> OpState {
    let ticks = |us: f64| Ticks((us * 1e6).round() as u64);
    OpState { of: key(profile, &format!("{base}.END")), phase, start: ticks(bounds.0), end: ticks(bounds.1) }
}

/// The phase key with a name.
pub(crate) fn key(profile: &Profile, name: &str) -> PhaseKey {
    profile.phase_keys.iter_ids().find(|(_, info)| info.name == name).unwrap().0
}

/// The ends of ISSUE, of CORE_BUSY and of the last phase, in ticks from the start.
pub(crate) fn durations(profile: &Profile, op: OpId) -> (u64, u64, u64) {
    let info = &profile.ops[op];
    let (mut issue, mut busy, mut total) = (0, 0, 0);
    for (phase, duration) in profile.bases[info.base].phases.iter().zip(&info.durations) {
        total += duration.0;
        match phase.kind {
            PhaseKind::Issue => (issue, busy) = (total, total),
            PhaseKind::CoreBusy => busy = total,
            PhaseKind::DataIn | PhaseKind::DataOut => {}
        }
    }
    (issue, busy, total)
}

/// A cell type by name.
pub(crate) fn cell_type(profile: &Profile, name: &str) -> CellTypeId {
    profile.cell_types.iter_ids().find(|(_, cell_type)| cell_type.name == name).unwrap().0
}

/// Writes all events to the files of a run, and reads the lines of each table behind its header.
pub(crate) fn tables(format: &dyn TableFormat, events: &[Event], outputs: Outputs) -> Vec<(FileKind, Vec<String>)> {
    let folder = tempfile::tempdir().unwrap();
    let mut files = RunFiles::create(folder.path(), format, outputs, stamp(), 1).unwrap();
    events.iter().for_each(|event| event.tell(&mut files).unwrap());
    let finished = files.finish().unwrap();
    finished.files.iter().map(|record| (record.kind, lines(&record.file.to_write_in(folder.path())))).collect()
}

/// The lines of a file behind its header.
pub(crate) fn lines(path: &Path) -> Vec<String> {
    fs::read_to_string(path).unwrap().lines().skip(1).map(str::to_owned).collect()
}
