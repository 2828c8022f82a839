//! Bootstrap: before free generation, blocks are erased, some of them programmed, some of those read, and nothing else.
//!
//! Three stages, each with a distribution of its own over the names that do its work, by the weights of cell types that the profile
//! states; hooks, eligibility, chains and rules are those of any proposal. A stage ends when it has reached as many distinct
//! blocks as the profile asks for (at most those that the stage before left it), or when it can do nothing more. Leaves out
//! what comes after.

use nandseq_device::{BaseInfo, BlockStage, Device, Place, Tables};
use nandseq_profile::model::AddressSource;
use nandseq_profile::{Die, OpId, Profile};

use crate::classes::Classes;
use crate::setup::{Distribution, Setup};
use crate::site::Site;

/// Refills in a row, for each plane of the device, at which an idle device accepts no proposal of a stage before the stage is
/// given up.
const PATIENCE: u32 = 16;
/// The share of data outputs in the reading stage, for reads whose chains have none.
const OUTPUTS: f64 = 0.1;

/// What is done at a time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stage {
    Erase,
    Program,
    Read,
}

/// The bootstrap of a profile.
#[derive(Clone, Default, Debug)]
pub(crate) struct BootstrapSetup {
    erases: Distribution,
    programs: Distribution,
    reads: Distribution,
    /// Distinct blocks to erase, program and read.
    goals: [u32; 3],
}

impl BootstrapSetup {
    /// Of the names that are `usable`.
    pub(crate) fn new(profile: &Profile, tables: &Tables, classes: &Classes, usable: impl Fn(OpId) -> bool) -> Self {
        let asked = &profile.bootstrap;
        let weights = &asked.cell_type_weights;
        let weight_of = |op: OpId| {
            let cell = tables.op(op).stated_cell_type;
            if weights.is_empty() {
                1.0
            } else {
                weights.iter().find(|(own, _)| *own == cell).map_or(0.0, |&(_, mass)| mass)
            }
        };
        let named = |does: &dyn Fn(&BaseInfo) -> bool| -> Vec<(OpId, f64)> {
            let fits = |op: &OpId| usable(*op) && does(tables.base(tables.op(*op).base));
            let ops: Vec<OpId> = tables.ops().map(|(op, _)| op).filter(fits).collect();
            // The mass of a cell type is shared among its names.
            let cell = |op: OpId| tables.op(op).stated_cell_type;
            let share = |op: OpId| ops.iter().filter(|&&other| cell(other) == cell(op)).count() as f64;
            ops.iter().map(|&op| (op, weight_of(op) / share(op))).collect()
        };
        let erases = named(&|base| base.effects.erase);
        let starts = |base: &BaseInfo| base.address == AddressSource::NextPage && base.effects.is_program();
        let programs = named(&|base| starts(base) && !base.effects.close);
        let mut reads = named(&|base| base.effects.fill.is_some() && base.address == AddressSource::ReadablePage);
        let outputs: Vec<OpId> =
            tables.ops().filter(|(_, op)| tables.base(op.base).effects.data_out).map(|(op, _)| op).collect();
        let total: f64 = reads.iter().map(|&(_, mass)| mass).sum();
        let usable_outputs = outputs.iter().filter(|&&op| usable(op));
        reads.extend(usable_outputs.map(|&op| (op, total * OUTPUTS / outputs.len() as f64)));
        let all = f64::from(tables.size.blocks) * f64::from(tables.size.dies);
        let covered = (asked.read_coverage * all).ceil() as u32;
        let distribution = |entries: &[(OpId, f64)]| Distribution::new(tables, classes, entries, |_| true);
        Self {
            erases: distribution(&erases),
            programs: distribution(&programs),
            reads: distribution(&reads),
            goals: [asked.erase_blocks, asked.program_blocks, asked.read_blocks.max(covered)],
        }
    }

    /// What may be drawn in a stage.
    pub(crate) const fn distribution(&self, stage: Stage) -> &Distribution {
        match stage {
            Stage::Erase => &self.erases,
            Stage::Program => &self.programs,
            Stage::Read => &self.reads,
        }
    }
}

/// A bootstrap under way.
#[derive(Clone, Debug)]
pub(crate) struct Bootstrap {
    stage: Stage,
    /// Blocks that this stage has reached, and how many those are.
    reached: Vec<bool>,
    count: u32,
    goal: u32,
    /// Refills since the device last accepted a proposal or ended an operation.
    idle: u32,
}

impl Bootstrap {
    /// The beginning of a bootstrap; `None` when there is nothing to do.
    pub(crate) fn begin(setup: &BootstrapSetup, device: &Device) -> Option<Self> {
        let good = device.book.records().iter().filter(|record| record.stage != BlockStage::Bad).count() as u32;
        let blocks = device.book.records().len();
        let mut first = Self {
            stage: Stage::Erase,
            reached: vec![false; blocks],
            count: 0,
            goal: setup.goals[0].min(good),
            idle: 0,
        };
        first.go_on(setup).then_some(first)
    }

    /// What is done now.
    pub(crate) const fn stage(&self) -> Stage {
        self.stage
    }

    /// Whether the block of a place has been reached in this stage, on every plane.
    pub(crate) fn has_reached(&self, tables: &Tables, place: &Place) -> bool {
        place.planes.iter().all(|plane| self.reached[index(tables, place.die, place.block(&tables.size, plane).0)])
    }

    /// Something was accepted: the stage is not at its end.
    pub(crate) const fn accepted(&mut self) {
        self.idle = 0;
    }

    /// An operation has ended. Returns whether the bootstrap goes on.
    pub(crate) fn ended(
        &mut self,
        setup: &BootstrapSetup,
        tables: &Tables,
        device: &Device,
        info: &BaseInfo,
        place: &Place,
    ) -> bool {
        self.idle = 0;
        let does = match self.stage {
            Stage::Erase => info.effects.erase,
            Stage::Program => info.effects.program,
            Stage::Read => info.effects.fill.is_some(),
        };
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
        self.go_on(setup)
    }

    /// A refill found nothing to propose on an idle device. Returns whether the bootstrap goes on.
    pub(crate) fn waited(&mut self, setup: &BootstrapSetup, lanes: u32) -> bool {
        self.idle += 1;
        if self.idle > lanes * PATIENCE {
            self.goal = self.count;
        }
        self.go_on(setup)
    }

    /// Moves to the next stage where this one has reached its goal. Returns whether there is more to do.
    fn go_on(&mut self, setup: &BootstrapSetup) -> bool {
        loop {
            let possible = !setup.distribution(self.stage).is_empty();
            if possible && self.count < self.goal {
                return true;
            }
            let (next, goal) = match self.stage {
                Stage::Erase => (Stage::Program, setup.goals[1]),
                Stage::Program => (Stage::Read, setup.goals[2]),
                Stage::Read => return false,
            };
            self.goal = goal.min(self.count);
            self.stage = next;
            self.count = 0;
            self.idle = 0;
            self.reached.fill(false);
        }
    }
}

impl Site<'_> {
    /// Lets the bootstrap look at what happened; `step` says whether it goes on. What waits for the bus was proposed for a stage,
    /// and goes with it.
    pub(crate) fn bootstrap_after(&mut self, step: impl FnOnce(&mut Bootstrap, &Setup, &Device) -> bool) {
        let Some(bootstrap) = &mut self.bootstrap else { return };
        let stage = bootstrap.stage;
        let goes_on = step(bootstrap, self.setup, &self.device);
        if !goes_on || bootstrap.stage != stage {
            self.wait_queue.drop_waiters();
        }
        if !goes_on {
            self.bootstrap = None;
        }
    }
}

const fn index(tables: &Tables, die: Die, block: u32) -> usize {
    die.0 as usize * tables.size.blocks as usize + block as usize
}
