//! An operation to be judged: its targets, the planes that it occupies, and the planes that its rules look at.

use nandseq_input::Addressed;
use nandseq_profile::model::{PayloadField, Scope, StatusOf, Topology};
use nandseq_profile::{Block, CellTypeId, Die, Page, Plane, PlaneSet, Target, Ticks};

use crate::compiled_profile::{OperationKind, Reset};
use crate::finding::StartedOperation;
use crate::model::{DiePlaneSet, Targets};
use crate::time::after;

/// An operation that is about to start.
#[derive(Clone, Debug)]
pub(crate) struct JudgedOperation<'a> {
    pub(crate) kind: &'a OperationKind,
    pub(crate) origin: StartedOperation,
    /// The targets that exist.
    pub(crate) targets: Targets,
    /// The cell type of the operation, or that of its payload if the operation has none.
    pub(crate) cell_type: CellTypeId,
    /// The payload as written.
    pub(crate) written: &'a [Addressed],
    /// The planes that exclusion tables look at, and the dies that it works on.
    pub(crate) touched: DiePlaneSet,
    /// The planes it occupies.
    pub(crate) occupied: DiePlaneSet,
    /// What is wrong with the address of the first target that does not exist.
    pub(crate) out_of_bounds: Option<OutOfBounds>,
}

/// Why a target does not exist.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum OutOfBounds {
    Die(i64),
    Plane(i64),
    Block(i64),
    Page(i64),
    NotOnPlane { block: i64, plane: i64 },
    Lun(u8),
}

impl<'a> JudgedOperation<'a> {
    pub(crate) fn new(
        topology: Topology,
        kind: &'a OperationKind,
        origin: StartedOperation,
        written: &'a [Addressed],
    ) -> Self {
        let own = kind.named_cell_type;
        let mut targets = Targets::default();
        let mut die = None;
        let mut out_of_bounds = None;
        for target in written {
            match exists(topology, kind, target) {
                Ok(()) if complete(kind, target) => {
                    let target = resolved(target, own);
                    die = die.or(Some(target.die));
                    targets.push(target);
                }
                Ok(()) => {}
                Err(why) => {
                    out_of_bounds.get_or_insert(why);
                }
            }
        }
        if let Some(StatusOf::Lun(lun)) = kind.status_of
            && u32::from(lun) >= topology.dies
        {
            out_of_bounds.get_or_insert(OutOfBounds::Lun(lun));
        }
        let named = if kind.has_cell_type { written.iter().find_map(|target| target.cell_type) } else { None };
        let touched = touched(topology, kind, die, &targets);
        let occupied = if kind.occupies && !occupies_nothing(kind) { touched.clone() } else { DiePlaneSet::NOTHING };
        Self {
            kind,
            origin,
            targets,
            cell_type: kind.cell_type.or(named).unwrap_or(own),
            written,
            touched,
            occupied,
            out_of_bounds,
        }
    }

    /// When its array is done.
    pub(crate) const fn array_done(&self) -> Ticks {
        after(self.origin.start, self.kind.array_done)
    }
}

fn occupies_nothing(kind: &OperationKind) -> bool {
    kind.scope == Scope::None && kind.suspends.is_none() && kind.resumes.is_none() && kind.resets.is_none()
}

/// Whether the target has every part of an address that the operation needs.
fn complete(kind: &OperationKind, target: &Addressed) -> bool {
    let has = |needs: bool, field| !needs || target.fields.contains(field);
    has(kind.has_die, PayloadField::Die)
        && has(kind.has_plane, PayloadField::Plane)
        && has(kind.has_block, PayloadField::Block)
        && has(kind.has_page, PayloadField::Page)
}

fn exists(topology: Topology, kind: &OperationKind, target: &Addressed) -> Result<(), OutOfBounds> {
    let outside = |number: i64, count: u32| number < 0 || number >= i64::from(count);
    if outside(target.die, topology.dies) {
        return Err(OutOfBounds::Die(target.die));
    }
    if outside(target.plane, topology.planes) {
        return Err(OutOfBounds::Plane(target.plane));
    }
    if outside(target.block, topology.blocks_per_die) {
        return Err(OutOfBounds::Block(target.block));
    }
    if outside(target.page, topology.pages_per_block) {
        return Err(OutOfBounds::Page(target.page));
    }
    let placed = kind.has_plane && kind.has_block && complete(kind, target);
    if placed && target.block % i64::from(topology.planes) != target.plane {
        return Err(OutOfBounds::NotOnPlane { block: target.block, plane: target.plane });
    }
    Ok(())
}

/// Converts a target whose numbers are known to exist.
fn resolved(target: &Addressed, own: CellTypeId) -> Target {
    Target {
        die: Die(u8::try_from(target.die).unwrap_or_default()),
        plane: Plane(u8::try_from(target.plane).unwrap_or_default()),
        block: Block(u32::try_from(target.block).unwrap_or_default()),
        page: Page(u16::try_from(target.page).unwrap_or_default()),
        cell_type: target.cell_type.unwrap_or(own),
    }
}

fn touched(topology: Topology, kind: &OperationKind, die: Option<Die>, targets: &Targets) -> DiePlaneSet {
    let named = || {
        let Some(die) = die else { return DiePlaneSet::NOTHING };
        let mut planes = PlaneSet::EMPTY;
        for target in targets.iter().filter(|target| target.die == die) {
            planes.insert(target.plane);
        }
        DiePlaneSet::planes(die, planes)
    };
    let whole_die = || match die {
        _ if !kind.has_die => DiePlaneSet::everything(topology),
        Some(die) => DiePlaneSet::die(topology, die),
        None => DiePlaneSet::NOTHING,
    };
    match kind.resets {
        Some(Reset::Target) => return DiePlaneSet::everything(topology),
        Some(Reset::Die) => return whole_die(),
        None => {}
    }
    if kind.scope == Scope::Target {
        return DiePlaneSet::everything(topology);
    }
    if kind.scope == Scope::Die || kind.suspends.is_some() || kind.resumes.is_some() {
        return whole_die();
    }
    // A set of planes, or nothing: the planes that the payload names.
    if kind.has_plane { named() } else { whole_die() }
}
