//! Bootstrap: before free generation, blocks are erased, some of them programmed, some of those read, and nothing else.
//!
//! There are three stages. Each has a distribution of its own over the names that do its work, with the weights of cell types
//! that the profile states. Hooks, eligibility, chains and rules are those of any proposal. A stage ends when it has reached as
//! many distinct blocks as the profile asks for (at most as many as the stage before has reached), or when it can do nothing
//! more, or nothing but what it has done: the blocks of a cell type that no name reads, say, stay unread.

use nandseq_device::{BlockStage, Device, Flight, Place, Tables};
use nandseq_profile::Die;

use crate::setup::{BootstrapStages, Setup, Stage};

/// Refills in a row, for each plane of the device, at which an idle device accepts no proposal of a stage before the stage is
/// given up.
const PATIENCE: u32 = 16;
/// Operations in a row, for each plane of the device, that do the work of a stage on blocks that it has reached before the stage is given
/// up. Blocks that it has not reached are drawn first, so that this many come only where none of those can be.
const REPEATS: u32 = 200;

/// A bootstrap that has begun.
#[derive(Clone, Debug)]
pub(crate) struct BootstrapProgress {
    stage: Stage,
    /// By block of the device: whether this stage has reached it.
    reached: Vec<bool>,
    /// How many blocks this stage has reached, and how many it is to reach.
    count: u32,
    goal: u32,
    /// Refills since the device last accepted a proposal or ended an operation.
    idle: u32,
    /// Operations that did the work of this stage since one did on a block that it had not reached.
    repeats: u32,
}

impl BootstrapProgress {
    /// Begins a bootstrap; `None` when there is nothing to do.
    pub(crate) fn begin(setup: &BootstrapStages, device: &Device) -> Option<Self> {
        let good = device.book.records().iter().filter(|record| record.stage != BlockStage::Bad).count() as u32;
        let blocks = device.book.records().len();
        let mut first = Self {
            stage: Stage::Erase,
            reached: vec![false; blocks],
            count: 0,
            goal: setup.blocks(Stage::Erase).min(good),
            idle: 0,
            repeats: 0,
        };
        first.go_on(setup).then_some(first)
    }

    /// The stage that is under way.
    pub(crate) const fn stage(&self) -> Stage {
        self.stage
    }

    /// Whether this stage has reached the blocks of a place, on every plane.
    pub(crate) fn has_reached(&self, tables: &Tables, place: &Place) -> bool {
        place.planes.iter().all(|plane| self.reached[index(tables, place.die, place.block(&tables.size, plane).0)])
    }

    /// A proposal was accepted: the stage can still do something.
    pub(crate) const fn accepted(&mut self) {
        self.idle = 0;
    }

    /// An operation has ended. Returns whether the bootstrap goes on.
    pub(crate) fn ended(&mut self, setup: &Setup, device: &Device, flight: &Flight) -> bool {
        self.idle = 0;
        let (tables, place) = (&setup.tables, &flight.place);
        let does = self.stage.is_done_by(&tables.base_of(flight.op).effects);
        if does {
            self.repeats = if self.has_reached(tables, place) { self.repeats + 1 } else { 0 };
        }
        for plane in place.planes.iter().filter(|_| does) {
            let block = place.block(&tables.size, plane);
            let record = device.book.record(place.die, block);
            // A block counts as programmed when one of its pages can be read.
            let done = self.stage != Stage::Program || u32::from(record.pages) > tables.offset_guard;
            let reached = &mut self.reached[index(tables, place.die, block.0)];
            if done && !*reached {
                *reached = true;
                self.count += 1;
            }
        }
        if self.repeats > u32::from(tables.size.dies) * u32::from(tables.size.planes) * REPEATS {
            self.goal = self.count;
        }
        self.go_on(&setup.bootstrap)
    }

    /// A refill started nothing on an idle device with this many planes on all dies. Returns whether the bootstrap goes on.
    pub(crate) fn waited(&mut self, setup: &BootstrapStages, planes: u32) -> bool {
        self.idle += 1;
        if self.idle > planes * PATIENCE {
            self.goal = self.count;
        }
        self.go_on(setup)
    }

    /// Moves to the next stage when this one has reached its number of blocks. Returns whether there is more to do.
    fn go_on(&mut self, setup: &BootstrapStages) -> bool {
        loop {
            let possible = !setup.distribution(self.stage).is_empty();
            if possible && self.count < self.goal {
                return true;
            }
            let Some(next) = self.stage.next() else { return false };
            self.goal = setup.blocks(next).min(self.count);
            self.stage = next;
            self.count = 0;
            (self.idle, self.repeats) = (0, 0);
            self.reached.fill(false);
        }
    }
}

const fn index(tables: &Tables, die: Die, block: u32) -> usize {
    die.0 as usize * tables.size.blocks as usize + block as usize
}
