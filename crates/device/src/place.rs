//! The address of an operation: a compact form of its list of targets.
//!
//! A multi-plane operation addresses one page of one block group on several planes of one die, so die, planes, group and page are
//! enough. [`Place::from_targets`] converts a list of targets that comes from outside. It refuses a list that no place can
//! express, with the rule that the list breaks.

use nandseq_profile::{Block, CellTypeId, Die, Page, Plane, PlaneSet, Target};
use serde::{Deserialize, Serialize};

use crate::rule::Rule;
use crate::size::Size;

/// Die, planes, block group and page of an operation.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug, Serialize, Deserialize)]
pub struct Place {
    /// The die, `0..dies`.
    pub die: Die,
    /// The target planes; empty for an operation that addresses none.
    pub planes: PlaneSet,
    /// The block group, `0..groups`: block `group × planes + plane` on each plane. 0 without a block.
    pub group: u32,
    /// The page, `0..pages`; 0 without one.
    pub page: Page,
    /// The cell type of the payload, of all targets alike.
    pub cell_type: CellTypeId,
}

impl Place {
    /// A die, no plane.
    #[must_use]
    pub fn die(die: Die) -> Self {
        Self { die, ..Self::default() }
    }

    /// One plane of a die, no block.
    #[must_use]
    pub fn plane(die: Die, plane: Plane) -> Self {
        Self { die, planes: PlaneSet::one(plane), ..Self::default() }
    }

    /// The same place on one of its planes.
    #[must_use]
    pub const fn only(self, plane: Plane) -> Self {
        Self { planes: PlaneSet::one(plane), ..self }
    }

    /// The block on one plane.
    #[must_use]
    pub fn block(&self, size: &Size, plane: Plane) -> Block {
        Block(self.group * u32::from(size.planes) + u32::from(plane.0))
    }

    /// Whether both name the same planes, blocks and page.
    #[must_use]
    pub fn same_address(&self, other: &Self) -> bool {
        self.die == other.die && self.planes == other.planes && self.group == other.group && self.page == other.page
    }

    /// Writes the targets in ascending order of planes; a place without planes is one target.
    pub fn targets(&self, size: &Size, out: &mut Vec<Target>) {
        out.clear();
        if self.planes.is_empty() {
            out.push(Target { die: self.die, cell_type: self.cell_type, ..Target::default() });
        }
        out.extend(self.planes.iter().map(|plane| self.target(size, plane)));
    }

    /// The target on one plane.
    #[must_use]
    #[inline]
    pub fn target(&self, size: &Size, plane: Plane) -> Target {
        let block = self.block(size, plane);
        Target { die: self.die, plane, block, page: self.page, cell_type: self.cell_type }
    }

    /// The place of a list of targets of an operation that addresses blocks.
    ///
    /// # Errors
    /// [`Rule::Bounds`] when an address does not exist or lies on another plane, [`Rule::MultiPlaneGroup`] when the targets
    /// are not on one die, on ascending planes, of one block group, page and cell type, or there is none.
    pub fn from_targets(size: &Size, targets: &[Target]) -> Result<Self, Rule> {
        let Some(first) = targets.first() else { return Err(Rule::MultiPlaneGroup) };
        let planes = u32::from(size.planes);
        for target in targets {
            let exists = target.die.0 < size.dies
                && target.plane.0 < size.planes
                && target.block.0 < size.blocks
                && target.page.0 < size.pages;
            if !exists || target.block.0 % planes != u32::from(target.plane.0) {
                return Err(Rule::Bounds);
            }
        }
        let group = first.block.0 / planes;
        let alike = |target: &Target| {
            (target.die, target.page, target.cell_type) == (first.die, first.page, first.cell_type)
                && target.block.0 / planes == group
        };
        if !targets.iter().all(alike) || !targets.is_sorted_by(|a, b| a.plane < b.plane) {
            return Err(Rule::MultiPlaneGroup);
        }
        let mut set = PlaneSet::EMPTY;
        targets.iter().for_each(|target| set.insert(target.plane));
        Ok(Self { die: first.die, planes: set, group, page: first.page, cell_type: first.cell_type })
    }
}
