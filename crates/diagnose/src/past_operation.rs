//! Operations that have started, as later ones on their die look back at them.

use std::sync::atomic::{AtomicU64, Ordering};

use nandseq_profile::model::PayloadField;
use nandseq_profile::{OpId, PlaneSet, Ticks};
use nandseq_report::plan::{DieSet, SiteHistory, WrittenOperation};
use nandseq_trace::rows::StateId;

use crate::feature::{DistanceValues, Relation};

/// A part of the array that an operation names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct NamedBlock {
    pub(crate) die: u8,
    pub(crate) block: u32,
    pub(crate) page: Option<u32>,
}

/// An operation that has started.
#[derive(Debug)]
pub(crate) struct PastOperation {
    /// Its number within the site.
    pub(crate) row: u64,
    pub(crate) op: OpId,
    pub(crate) start: Ticks,
    pub(crate) dies: DieSet,
    pub(crate) planes: PlaneSet,
    pub(crate) blocks: Box<[NamedBlock]>,
    /// How far apart the numbers of two blocks are that lie side by side on a plane.
    block_step: u32,
    /// The op_state of its plane when it started, and how far that was, in millionths.
    pub(crate) state: (StateId, u32),
    /// When it no longer occupied its planes; [`u64::MAX`] as long as that is not known.
    end: AtomicU64,
}

impl PastOperation {
    /// An operation that starts, on a device with so many planes.
    pub(crate) fn new(operation: &WrittenOperation, start: Ticks, state: (StateId, u32), planes: u32) -> Self {
        let named = operation.targets.iter().filter(|at| at.fields.contains(PayloadField::Block));
        let blocks = named.filter_map(|at| {
            let page = at.fields.contains(PayloadField::Page).then(|| u32::try_from(at.page).ok());
            Some(NamedBlock {
                die: u8::try_from(at.die).ok()?,
                block: u32::try_from(at.block).ok()?,
                page: page.flatten(),
            })
        });
        Self {
            row: operation.row,
            op: operation.op,
            start,
            dies: operation.dies(),
            planes: operation.planes(),
            blocks: blocks.collect(),
            block_step: planes,
            state,
            end: AtomicU64::new(u64::MAX),
        }
    }

    /// The dies of a device that it works on.
    pub(crate) fn dies(&self, of: u32) -> impl Iterator<Item = u8> + '_ {
        (0..of.min(64)).filter(|die| self.dies >> die & 1 == 1).map(|die| die as u8)
    }

    /// Looks whether it has ended, before anything is asked of its end.
    pub(crate) fn settle(&self, history: &SiteHistory, now: Ticks) {
        if self.end.load(Ordering::Relaxed) == u64::MAX
            && let Some(end) = history.end_of(self.row, now)
        {
            self.end.store(end.0, Ordering::Relaxed);
        }
    }

    /// How far it lies before an operation that starts now, in each measure. One that has not ended is at no distance from its end.
    pub(crate) fn values(&self, now: Ticks, distance: u64) -> DistanceValues {
        let since = |then: u64| now.0.saturating_sub(then);
        [since(self.start.0), since(self.end.load(Ordering::Relaxed)), distance]
    }

    /// Whether it works on a die of a later operation.
    pub(crate) fn meets(&self, later: &Self) -> bool {
        self.dies & later.dies != 0
    }

    /// Whether it is in a relation to a later operation.
    pub(crate) fn is_in(&self, relation: Relation, later: &Self) -> bool {
        match relation {
            Relation::Die => self.meets(later),
            Relation::OtherDie => !self.meets(later),
            Relation::OtherPlane
            | Relation::SamePlane
            | Relation::SameBlock
            | Relation::BlockBeside
            | Relation::PageBefore
            | Relation::PageAfter
            | Relation::PageBeside
            | Relation::SamePage => self.relations_to(later) >> relation as u8 & 1 == 1,
        }
    }

    /// The relations in which it is to a later operation, one bit each.
    pub(crate) fn relations_to(&self, later: &Self) -> u16 {
        if !self.meets(later) {
            return 1 << Relation::OtherDie as u8;
        }
        let mut relations = 1u16 << Relation::Die as u8;
        if !self.planes.is_empty() && !later.planes.is_empty() {
            let meets = !self.planes.and(later.planes).is_empty();
            relations |= 1 << if meets { Relation::SamePlane } else { Relation::OtherPlane } as u8;
        }
        for own in &self.blocks {
            for other in later.blocks.iter().filter(|other| other.die == own.die) {
                if own.block.abs_diff(other.block) == self.block_step {
                    relations |= 1 << Relation::BlockBeside as u8;
                }
                if own.block != other.block {
                    continue;
                }
                relations |= 1 << Relation::SameBlock as u8;
                let (Some(page), Some(of)) = (own.page, other.page) else { continue };
                if page == of {
                    relations |= 1 << Relation::SamePage as u8;
                } else if page.abs_diff(of) == 1 {
                    let side = if page < of { Relation::PageBefore } else { Relation::PageAfter };
                    relations |= 1 << side as u8 | 1 << Relation::PageBeside as u8;
                }
            }
        }
        relations
    }
}
