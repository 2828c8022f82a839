//! The verifier's own model of a device: its present state, and the ends that are still to come.
//!
//! Lists of time intervals say which operation holds the bus, which operations occupy which planes, and which op_state a plane is
//! in. A list sorted by time says when the array of each operation is done. Entries that are over are dropped. The model judges
//! nothing.

mod addresses;
mod data;
mod effects;
mod start;
mod transfer;

use std::collections::VecDeque;
use std::ops::Range;

use nandseq_profile::model::{
    Axis, ByAxis, CacheProgramKind, CacheReadKind, LatchKind, LatchLevel, PhaseKind, Topology,
};
use nandseq_profile::{BaseId, Block, CellTypeId, Die, OpId, Page, Plane, PlaneSet, Target, Ticks};

pub(crate) use addresses::{BlockContent, BlockState, Blocks};
pub(crate) use data::HeldDatum;

use crate::compiled_profile::CompiledProfile;
use crate::finding::StartedOperation;
use crate::time::Interval;
use data::{DataModel, LevelsByPlane};

/// A range of dies, and the same set of planes on each of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct DiePlaneSet {
    pub(crate) dies: Range<u8>,
    pub(crate) planes: PlaneSet,
}

impl DiePlaneSet {
    pub(crate) const NOTHING: Self = Self { dies: 0..0, planes: PlaneSet::EMPTY };

    pub(crate) fn everything(topology: Topology) -> Self {
        Self { dies: 0..u8::try_from(topology.dies).unwrap_or(u8::MAX), planes: PlaneSet::first(topology.planes) }
    }

    pub(crate) fn die(topology: Topology, die: Die) -> Self {
        Self { dies: die.0..die.0 + 1, planes: PlaneSet::first(topology.planes) }
    }

    pub(crate) fn planes(die: Die, planes: PlaneSet) -> Self {
        Self { dies: die.0..die.0 + 1, planes }
    }

    pub(crate) fn contains(&self, die: usize, plane: usize) -> bool {
        self.dies.clone().map(usize::from).any(|own| own == die) && self.planes.iter().any(|own| own.index() == plane)
    }

    /// Every plane, by die.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Die, Plane)> + use<> {
        let planes = self.planes;
        self.dies.clone().flat_map(move |die| planes.iter().map(move |plane| (Die(die), plane)))
    }
}

/// Up to eight targets; further ones are dropped. A device has at most eight planes per die, and more targets than planes break a
/// rule anyway.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Targets {
    items: [Target; 8],
    len: u8,
}

impl Targets {
    pub(crate) fn push(&mut self, target: Target) {
        if let Some(slot) = self.items.get_mut(usize::from(self.len)) {
            *slot = target;
            self.len += 1;
        }
    }

    pub(crate) fn iter(&self) -> std::slice::Iter<'_, Target> {
        self.items[..usize::from(self.len)].iter()
    }

    /// Whether both address the same pages, whatever the cell type.
    pub(crate) fn same_pages(&self, other: &Self) -> bool {
        self.len == other.len && self.iter().zip(other.iter()).all(|(a, b)| same_page(a, b))
    }
}

/// Whether two targets are the same page, whatever the cell type.
pub(crate) fn same_page(a: &Target, b: &Target) -> bool {
    (a.die, a.plane, a.block, a.page) == (b.die, b.plane, b.block, b.page)
}

/// An operation holds the bus.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BusHold {
    pub(crate) time: Interval,
    pub(crate) by: StartedOperation,
    /// The phase is a window: a later operation on its planes cuts it.
    window: bool,
    id: u64,
    die: Option<u8>,
}

/// An operation occupies planes of a die.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Occupation {
    pub(crate) time: Interval,
    pub(crate) planes: PlaneSet,
    pub(crate) multi: bool,
    pub(crate) interleaved: bool,
    pub(crate) by: StartedOperation,
    id: u64,
}

/// A plane in an op_state other than ISSUE.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OpStateInterval {
    pub(crate) time: Interval,
    pub(crate) base: BaseId,
    pub(crate) kind: PhaseKind,
    pub(crate) by: StartedOperation,
    id: u64,
}

/// The contents of a page register or output register of a plane.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FilledRegister {
    pub(crate) at: Target,
    /// A copyback read has filled it.
    pub(crate) copyback: bool,
    /// Its data has been output.
    pub(crate) output: bool,
    /// What it holds, if data is judged.
    pub(crate) datum: HeldDatum,
    pub(crate) by: StartedOperation,
}

/// The contents of a latch of a die.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Latch {
    pub(crate) level: LatchLevel,
    pub(crate) targets: Targets,
    pub(crate) by: StartedOperation,
}

/// A cache program under way on a die.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OpenCacheProgram {
    pub(crate) kind: CacheProgramKind,
    pub(crate) cell_type: CellTypeId,
    pub(crate) targets: Targets,
    pub(crate) by: StartedOperation,
}

/// The suspension of an axis of a die.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Suspension {
    pub(crate) by: StartedOperation,
    /// The id of the suspended flight; `None` if the SUSPEND found nothing to suspend.
    flight: Option<u64>,
}

/// A status, as far as the payload of a status read has its fields.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct DieStatus {
    pub(crate) ready: Option<nandseq_trace::Status>,
    pub(crate) suspended: ByAxis<Option<bool>>,
}

/// A wrong status read, kept to recognise the same error in the next one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct WrongStatus {
    pub(crate) said: DieStatus,
    pub(crate) is: DieStatus,
    /// How often operations had shown their op_state on a plane of the die.
    pub(crate) changes: u64,
}

/// A plane.
#[derive(Clone, Default, Debug)]
pub(crate) struct PlaneState {
    pub(crate) segments: Vec<OpStateInterval>,
    pub(crate) page: Option<FilledRegister>,
    pub(crate) output: Option<FilledRegister>,
    pub(crate) cache_read: Option<(CacheReadKind, StartedOperation)>,
}

/// A die.
#[derive(Clone, Debug)]
pub(crate) struct DieModel {
    pub(crate) planes: Vec<PlaneState>,
    pub(crate) occupations: Vec<Occupation>,
    pub(crate) suspended: [Option<Suspension>; 2],
    /// The axes that a status read sees suspended: from the end of the SUSPEND's CORE_BUSY to the start of the RESUME.
    pub(crate) seen_suspended: ByAxis<bool>,
    pub(crate) latches: [Option<Latch>; 2],
    pub(crate) cache_program: Option<OpenCacheProgram>,
    pub(crate) wrong_status: Option<WrongStatus>,
    pub(crate) changes: u64,
}

impl DieModel {
    pub(crate) fn suspension(&self, axis: Axis) -> Option<&Suspension> {
        self.suspended[axis as usize].as_ref()
    }

    pub(crate) fn latch(&self, latch: LatchKind) -> Option<&Latch> {
        self.latches[latch as usize].as_ref()
    }
}

/// An operation that has started and whose array is not done; it may be suspended.
#[derive(Clone, Debug)]
pub(crate) struct PendingOperation {
    id: u64,
    pub(crate) origin: StartedOperation,
    pub(crate) op: OpId,
    pub(crate) targets: Targets,
    pub(crate) cell_type: CellTypeId,
    dies: Range<u8>,
    occupied: DiePlaneSet,
    /// When it is in CORE_BUSY.
    core: Interval,
    /// What it brings to its planes, if data is judged.
    brings: Option<Box<LevelsByPlane>>,
    /// The rest of CORE_BUSY while it is suspended: from the SUSPEND to the start of the RESUME.
    remains: Option<Ticks>,
    axis: Option<Axis>,
}

/// The moment the array of a flight is done.
#[derive(Clone, Copy, Debug)]
struct Due {
    at: Ticks,
    id: u64,
}

/// A device.
#[derive(Clone, Debug)]
pub(crate) struct DeviceModel {
    pub(crate) topology: Topology,
    pub(crate) dies: Vec<DieModel>,
    pub(crate) blocks: Blocks,
    pub(crate) bus: Vec<BusHold>,
    pub(crate) odt_off: Option<StartedOperation>,
    pub(crate) write_protect: Option<StartedOperation>,
    /// `None` if data is not judged.
    data: Option<Box<DataModel>>,
    flights: Vec<PendingOperation>,
    due: VecDeque<Due>,
    serial: u64,
}

impl DeviceModel {
    pub(crate) fn new(compiled: &CompiledProfile, topology: Topology, bad: &[(Die, Block)]) -> Self {
        let planes = vec![PlaneState::default(); topology.planes as usize];
        let die = DieModel {
            planes,
            occupations: Vec::new(),
            suspended: [None; 2],
            seen_suspended: ByAxis::default(),
            latches: [None; 2],
            cache_program: None,
            wrong_status: None,
            changes: 0,
        };
        Self {
            topology,
            dies: vec![die; topology.dies as usize],
            blocks: Blocks::new(topology, bad),
            bus: Vec::new(),
            odt_off: None,
            write_protect: None,
            data: compiled.follows_data().then(Box::default),
            flights: Vec::new(),
            due: VecDeque::new(),
            serial: 0,
        }
    }

    pub(crate) fn die(&self, die: Die) -> &DieModel {
        &self.dies[die.index()]
    }

    pub(crate) fn plane(&self, die: Die, plane: Plane) -> &PlaneState {
        &self.dies[die.index()].planes[plane.index()]
    }

    fn plane_mut(&mut self, at: &Target) -> &mut PlaneState {
        &mut self.dies[at.die.index()].planes[at.plane.index()]
    }

    /// The erase or program that has this block in flight, the latest one if there are several.
    pub(crate) fn in_flight(&self, die: Die, block: Block) -> Option<&PendingOperation> {
        let touches = |flight: &&PendingOperation| {
            flight.axis.is_some() && flight.targets.iter().any(|target| (target.die, target.block) == (die, block))
        };
        self.flights.iter().filter(touches).max_by_key(|flight| flight.id)
    }

    /// An operation in flight at `at`: it occupies planes, or its array is not done. A suspended operation does not count.
    pub(crate) fn anything_in_flight(&self, at: Ticks) -> Option<StartedOperation> {
        let flight = self.flights.iter().find(|flight| flight.remains.is_none()).map(|flight| flight.origin);
        let occupations = self.dies.iter().flat_map(|die| &die.occupations);
        flight.or_else(|| occupations.filter(|held| held.time.contains(at)).map(|held| held.by).next())
    }

    /// The operation that is suspended on an axis of a die.
    pub(crate) fn suspended_flight(&self, die: Die, axis: Axis) -> Option<&PendingOperation> {
        let suspend_target = self.die(die).suspension(axis)?.flight?;
        self.flights.iter().find(|flight| flight.id == suspend_target)
    }

    /// The operation of an axis that is in CORE_BUSY on a die.
    pub(crate) fn in_core_busy(&self, die: Die, axis: Axis, at: Ticks) -> Option<&PendingOperation> {
        self.flights.iter().find(|flight| {
            flight.axis == Some(axis)
                && flight.remains.is_none()
                && flight.dies.contains(&die.0)
                && flight.core.contains(at)
        })
    }

    /// The last page of every block.
    pub(crate) fn last_page(&self) -> Page {
        Page(u16::try_from(self.topology.pages_per_block.saturating_sub(1)).unwrap_or(u16::MAX))
    }
}
