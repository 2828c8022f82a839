//! The stages of a bootstrap, compiled: the distribution of each, and how many blocks it is to reach.

use nandseq_device::{BaseInfo, Effects, Tables};
use nandseq_profile::model::AddressSource;
use nandseq_profile::{OpId, Profile};

use super::classes::Classes;
use super::distribution::Distribution;

/// The mass of all data outputs in the reading stage, for 1 of reads: some reads have no data output in their chain.
const OUTPUTS: f64 = 0.1;

/// A stage of a bootstrap.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stage {
    Erase,
    Program,
    Read,
}

impl Stage {
    /// Whether an operation does the work of the stage.
    pub(crate) const fn is_done_by(self, effects: &Effects) -> bool {
        match self {
            Self::Erase => effects.erase,
            Self::Program => effects.program,
            Self::Read => effects.fill.is_some(),
        }
    }

    /// The next stage; `None` after the last.
    pub(crate) const fn next(self) -> Option<Self> {
        match self {
            Self::Erase => Some(Self::Program),
            Self::Program => Some(Self::Read),
            Self::Read => None,
        }
    }
}

/// The stages of a profile's bootstrap.
#[derive(Clone, Debug)]
pub(crate) struct BootstrapStages {
    erases: Distribution,
    programs: Distribution,
    reads: Distribution,
    /// How many distinct blocks to erase, program and read.
    goals: [u32; 3],
}

impl BootstrapStages {
    /// Compiles the stages from the names that are `usable`.
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
            let fits = |op: &OpId| usable(*op) && does(tables.base_of(*op));
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

    /// The distribution of a stage.
    pub(crate) const fn distribution(&self, stage: Stage) -> &Distribution {
        match stage {
            Stage::Erase => &self.erases,
            Stage::Program => &self.programs,
            Stage::Read => &self.reads,
        }
    }

    /// How many distinct blocks a stage is to reach.
    pub(crate) const fn blocks(&self, stage: Stage) -> u32 {
        self.goals[stage as usize]
    }
}
