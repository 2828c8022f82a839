//! Operations that have started, as later ones on their die look back at them.

use std::cell::Cell;

use nandseq_profile::model::PayloadField;
use nandseq_profile::{OpId, PlaneSet, Ticks};
use nandseq_report::plan::{DieSet, SiteHistory, WrittenOperation};
use nandseq_trace::rows::StateId;

use crate::feature::{Bins, MEASURES, Relation};

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
    pub(crate) blocks: Vec<NamedBlock>,
    /// The op_state of its plane when it started, and the bin of how far that was.
    pub(crate) state: (StateId, u8),
    /// When it no longer occupied its planes, once that is known.
    end: Cell<Option<Ticks>>,
}

impl PastOperation {
    pub(crate) fn new(operation: &WrittenOperation, start: Ticks, state: (StateId, u8)) -> Self {
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
            state,
            end: Cell::new(None),
        }
    }

    /// The dies of a device that it works on.
    pub(crate) fn dies(&self, of: u32) -> impl Iterator<Item = u8> + '_ {
        (0..of.min(64)).filter(|die| self.dies >> die & 1 == 1).map(|die| die as u8)
    }

    /// When it no longer occupied its planes, if that is not after `now`.
    fn ended(&self, history: &SiteHistory, now: Ticks) -> Option<Ticks> {
        if self.end.get().is_none() {
            self.end.set(history.end_of(self.row, now));
        }
        self.end.get()
    }

    /// How far it lies before an operation that starts now, in the bins of each measure. One that has not ended is at no distance
    /// from its end.
    pub(crate) fn bins(&self, history: &SiteHistory, now: Ticks, distance: u64) -> Bins {
        let since = |then: Ticks| now.0.saturating_sub(then.0);
        let values = [since(self.start), self.ended(history, now).map_or(0, since), distance];
        std::array::from_fn(|at| MEASURES[at].bin(values[at]))
    }

    /// The relations in which it is to a later operation, one bit each.
    pub(crate) fn relations_to(&self, later: &Self) -> u8 {
        let mut relations = 1 << Relation::Die as u8;
        if !self.planes.is_empty() && !later.planes.is_empty() {
            let meets = !self.planes.and(later.planes).is_empty();
            relations |= 1 << if meets { Relation::SamePlane } else { Relation::OtherPlane } as u8;
        }
        for own in &self.blocks {
            for other in later.blocks.iter().filter(|other| (other.die, other.block) == (own.die, own.block)) {
                relations |= 1 << Relation::SameBlock as u8;
                let (Some(page), Some(of)) = (own.page, other.page) else { continue };
                if page == of {
                    relations |= 1 << Relation::SamePage as u8;
                } else if page + 1 == of {
                    relations |= 1 << Relation::PageBefore as u8;
                } else if page == of + 1 {
                    relations |= 1 << Relation::PageAfter as u8;
                }
            }
        }
        relations
    }
}
