//! The coverage of runs: which operations started in which bins, at which addresses, and after which other operations.
//!
//! A [`Coverage`] is a sum of counts. Adding is commutative and associative, so that sites may be counted anywhere and in any
//! order. Compared with a [`CoverageUniverse`] of the bins that can be hit, it gives [`Figures`] and the uncovered bins ([`UncoveredBins`]).

mod figures;
mod file;
mod parts;
mod report;
mod uncovered;
mod universe;

use std::collections::{BTreeMap, BTreeSet};

use nandseq_input::Source;
use nandseq_input::folder::RunFile;
use nandseq_input::table::TableForm;
use nandseq_profile::input_time::time_bin;
use nandseq_profile::{CellTypeId, IdVec, OpId, PhaseKey, Profile};
use nandseq_trace::rows::{InputTimeRow, StateId, Touch, TouchRow};
use nandseq_trace::table::TableKind;

pub use figures::{AddressFigures, Figures, PairFigures, TouchedPlaces};
pub use file::{Conditions, FileError, TableInForce, counted_for, read, write};
pub use nandseq_profile::input_time::{Bin, TIME_BINS};
pub use parts::{PartCounts, PartName};
pub use report::{CoverageComparison, CoveragePart, CoverageParts, CoverageReport};
pub use uncovered::{UncoveredBins, uncovered_bins};
pub use universe::{CoverageUniverse, Standing};

use crate::load::{self, LoadError};
use crate::sums::{add_count, add_counts};

/// An operation follows another within a gap if it is one of the next `GAP` rows. The next row is adjacent.
pub const GAP: usize = 8;

/// A page of a device and how it was touched, as in address_touch_count.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Touched {
    /// Whether it was programmed rather than read.
    pub program: bool,
    /// The cell type that it was programmed or read with.
    pub cell_type: CellTypeId,
    /// The die.
    pub die: u64,
    /// The die-local block.
    pub block: u64,
    /// The page.
    pub page: u64,
}

/// How often an operation followed another one.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Following {
    /// As the next row of the sequence.
    pub adjacent: u64,
    /// As one of the next [`GAP`] rows, the next one included.
    pub within: u64,
}

/// Counts of operations, hits, touches, pairs and refusals.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Coverage {
    /// Operations in the sequences.
    pub operations: u64,
    /// The runs counted, as site and number of the run. They show whether a run is counted twice.
    pub runs: BTreeSet<(String, u64)>,
    /// Hits by bin.
    pub bins: BTreeMap<Bin, u64>,
    /// Touches of pages.
    pub touches: BTreeMap<Touched, u64>,
    /// Ordered pairs of operations within a run.
    pub pairs: BTreeMap<(OpId, OpId), Following>,
    /// Proposals refused, by key, operation and reason, as far as the proposer kept a log.
    pub refusals: BTreeMap<(PhaseKey, OpId, String), u64>,
    /// The counts of each run in `operations` and `cells`, which add up to these.
    pub parts: BTreeMap<PartName, PartCounts>,
}

impl Coverage {
    /// Counts a run of a site. Tables that are not there count nothing; the sequence is always there.
    ///
    /// # Errors
    /// [`LoadError`] at the first row that makes no sense.
    pub fn of_run(profile: &Profile, source: &dyn Source, site: &str, run: &RunFile) -> Result<Self, LoadError> {
        let mut coverage = Self { runs: BTreeSet::from([(site.to_owned(), run.run)]), ..Self::default() };
        coverage.count_sequence(profile, source, run)?;
        let form = TableForm::new(profile);
        let lengths = universe::lengths(profile);
        for file in &run.tables {
            match file.kind {
                TableKind::InputTimeCount => {
                    let take = |row: InputTimeRow| {
                        add_count(&mut coverage.bins, bin(profile, &lengths, &row), row.count);
                        Ok(())
                    };
                    load::rows(source, file.kind, &file.path, |line| form.input_time(line), take)?;
                }
                TableKind::AddressTouchCount => {
                    let take = |row: TouchRow| {
                        let touched = Touched {
                            program: row.touch == Touch::Program,
                            cell_type: row.cell_type,
                            die: row.die.0.into(),
                            block: row.block.0.into(),
                            page: row.page.0.into(),
                        };
                        add_count(&mut coverage.touches, touched, row.count);
                        Ok(())
                    };
                    load::rows(source, file.kind, &file.path, |line| form.touch(line), take)?;
                }
                TableKind::OperationTimeline | TableKind::OpStateTimeline | TableKind::ProposalCounts => {}
            }
        }
        for outcome in load::outcomes(profile, run)? {
            if let Some(reason) = outcome.reason {
                add_count(&mut coverage.refusals, (outcome.key, outcome.op, reason), outcome.count);
            }
        }
        let name = PartName { site: site.to_owned(), run: Some(run.run) };
        let counts = PartCounts { operations: coverage.operations, bins: coverage.bins.clone(), phase: None };
        coverage.parts.insert(name, counts);
        Ok(coverage)
    }

    /// The same counts, as those of runs in a phase.
    #[must_use]
    pub fn in_phase(mut self, phase: Option<&String>) -> Self {
        self.parts.values_mut().for_each(|part| part.phase = phase.cloned());
        self
    }

    fn count_sequence(&mut self, profile: &Profile, source: &dyn Source, run: &RunFile) -> Result<(), LoadError> {
        let ops = profile.ops.len();
        let mut following = vec![Following::default(); ops * ops];
        let mut before: [Option<OpId>; GAP] = [None; GAP];
        let operations = &mut self.operations;
        load::operations(profile, source, &run.path, |row| {
            *operations += 1;
            for (gap, earlier) in before.iter().enumerate() {
                let Some(earlier) = earlier else { break };
                let pair = &mut following[earlier.index() * ops + row.op.index()];
                pair.within += 1;
                pair.adjacent += u64::from(gap == 0);
            }
            before.rotate_right(1);
            before[0] = Some(row.op);
        })?;
        let counted = following.into_iter().enumerate().filter(|(_, pair)| pair.within > 0);
        self.pairs = counted.map(|(at, pair)| ((OpId::from(at / ops), OpId::from(at % ops)), pair)).collect();
        Ok(())
    }

    /// Adds the counts of another coverage, in any order.
    pub fn add(&mut self, other: &Self) {
        self.add_sums(other);
        for (name, counts) in &other.parts {
            let sum = self.parts.entry(name.clone()).or_default();
            sum.operations = sum.operations.saturating_add(counts.operations);
            add_counts(&mut sum.bins, &counts.bins);
            sum.phase = sum.phase.take().or_else(|| counts.phase.clone());
        }
    }

    /// Adds the counts of another coverage, without its parts.
    pub(crate) fn add_sums(&mut self, other: &Self) {
        self.operations = self.operations.saturating_add(other.operations);
        self.runs.extend(other.runs.iter().cloned());
        add_counts(&mut self.bins, &other.bins);
        add_counts(&mut self.touches, &other.touches);
        add_counts(&mut self.refusals, &other.refusals);
        for (pair, more) in &other.pairs {
            let sum = self.pairs.entry(*pair).or_default();
            sum.adjacent = sum.adjacent.saturating_add(more.adjacent);
            sum.within = sum.within.saturating_add(more.within);
        }
    }
}

/// The bin that a row of op_state_name_input_time_count counts for.
///
/// A row whose op_state is not that of its key counts for the last tenth of the key's phase, which is just over. This happens for
/// a hook in the ISSUE of the next operation, or on the tick at which a phase begins: it still has the key before.
fn bin(profile: &Profile, lengths: &IdVec<PhaseKey, bool>, row: &InputTimeRow) -> Bin {
    let info = &profile.phase_keys[row.key_used];
    let time_bin = match (info.base, info.phase) {
        (Some(base), Some(phase)) if lengths[row.key_used] => {
            let is_of_key = row.state == StateId::of(base, Some(phase));
            time_bin(is_of_key.then(|| row.hundredths.min(100) as u8))
        }
        (Some(_) | None, Some(_) | None) => 0,
    };
    Bin { key: row.key_used, op: row.op, time_bin }
}
