//! The state of a device in which nothing is in flight.
//!
//! Between runs, [`Device::settle`] brings a device into a form that follows from its lasting state alone. A device made anew
//! from that state ([`Device::from_quiescent`]) goes on exactly as the first would have.

use nandseq_profile::model::ByAxis;
use nandseq_profile::{BaseId, PhaseKey, PlaneSet, Ticks};
use serde::{Deserialize, Serialize};

use super::state::{Device, DieState, Segment, SuspendedOperation};
use crate::book::{AddressBook, BlockRecord};
use crate::logic::DieLogic;
use crate::tables::Tables;

/// The lasting state of a die, without its blocks.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct QuiescentDie {
    /// Latches, registers, cache states, suspension.
    pub logic: DieLogic,
    /// For each plane the operation last there, by the base of its END key; `None` when nothing ever ran.
    pub last: [Option<BaseId>; 8],
    /// The suspended erase and program.
    #[serde(rename = "parked")]
    pub suspended: ByAxis<Option<SuspendedOperation>>,
}

impl Device {
    /// Drops everything that is not lasting state. Nothing may be in flight, and every window must have closed.
    ///
    /// # Panics
    /// When something is in flight: a fault of the caller.
    pub fn settle(&mut self) {
        assert!(self.flights().next().is_none(), "nothing is in flight between runs");
        self.flights.clear();
        self.free.clear();
        self.book.settle();
    }

    /// The lasting state of every die; the blocks are in the book.
    #[must_use]
    pub fn quiescent(&self, tables: &Tables) -> Vec<QuiescentDie> {
        let base_of = |key: PhaseKey| tables.bases().find(|(_, info)| info.end_key == key).map(|(id, _)| id);
        let last = |die: &DieState| die.segments.map(|segment| base_of(segment.keys[3]));
        self.dies
            .iter()
            .map(|die| QuiescentDie { logic: die.logic, last: last(die), suspended: die.suspended })
            .collect()
    }

    /// A device with this lasting state, at `now`. Every id in the state must be one of the tables.
    ///
    /// # Panics
    /// When there is not one state for each die, or one record for each block of each die in order.
    #[must_use]
    pub fn from_quiescent(tables: &Tables, dies: &[QuiescentDie], blocks: Vec<BlockRecord>, now: Ticks) -> Self {
        assert_eq!(dies.len(), usize::from(tables.size.dies), "one state for each die");
        let segment = |base: BaseId| {
            let info = tables.base(base);
            Segment {
                start: now,
                issue_end: now,
                busy_end: now,
                end: now,
                op_states: info.op_states,
                forbidden: info.forbidden,
                window: info.window,
                keys: [info.end_key; 4],
            }
        };
        let stamps = vec![1; dies.len()];
        let dies = dies.iter().map(|die| DieState {
            logic: die.logic,
            segments: die.last.map(|base| base.map_or_else(Segment::default, segment)),
            suspended: die.suspended,
            occupied: PlaneSet::EMPTY,
            occupants: 0,
            tolerant: true,
        });
        Self {
            book: AddressBook::with_records(tables, blocks),
            dies: dies.collect(),
            stamps,
            flights: Vec::new(),
            free: Vec::new(),
            on: vec![Vec::new(); usize::from(tables.size.dies)],
            bus_free: now,
            all: PlaneSet::first(u32::from(tables.size.planes)),
        }
    }
}
