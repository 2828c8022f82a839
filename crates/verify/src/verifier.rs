//! Replays a sequence, row by row.

use std::io;
use std::sync::Arc;

use nandseq_input::{Addressed, BadRow, PayloadFault, Row, RowFault};
use nandseq_profile::{Block, Die, Profile, Ticks};
use nandseq_trace::table::TableKind;
use nandseq_trace::{Operation, Sink};

use crate::compiled_profile::CompiledProfile;
use crate::finding::{Finding, FindingCounts, FindingSubject, RowPlace, StartedOperation, Tally, sentence};
use crate::judge::{Judge, JudgedOperation};
use crate::model::DeviceModel;
use crate::numbers::Numbers;
use crate::rule::RuleCode;
use crate::tables::{ComparedTables, TableJudge};

/// How many findings of each rule are kept in full unless [`Verifier::keeping`] says otherwise.
const KEPT: usize = 10;

/// Judges the sequence of one site, all runs in order.
///
/// Feed it rows of files ([`Verifier::row`], [`Verifier::bad_row`], [`Verifier::end_of_file`]) or, as a [`Sink`], operations as
/// they happen. A broken rule does not stop it: the operation happens in the model all the same. Where they disagree, the model
/// believes the sequence: after a program of the wrong page, that page is the last one programmed.
#[derive(Clone, Debug)]
pub struct Verifier<'p> {
    profile: &'p Profile,
    compiled: Arc<CompiledProfile>,
    device: DeviceModel,
    tally: Tally,
    numbers: Numbers,
    now: Ticks,
    file: u32,
    operations: u64,
    written: Vec<Addressed>,
}

/// The columns of a row besides its targets.
#[derive(Clone, Copy)]
struct RowHead {
    origin: StartedOperation,
    seq: u64,
}

impl<'p> Verifier<'p> {
    /// A verifier for a device that has never been used, with these bad blocks. Blocks that the device does not have are ignored.
    #[must_use]
    pub fn new(profile: &'p Profile, bad_blocks: &[(Die, Block)]) -> Self {
        let compiled = CompiledProfile::new(profile);
        Self {
            profile,
            device: DeviceModel::new(&compiled, profile.topology, bad_blocks),
            compiled: Arc::new(compiled),
            tally: Tally::new(KEPT),
            numbers: Numbers::new(),
            now: Ticks::ZERO,
            file: 0,
            operations: 0,
            written: Vec::new(),
        }
    }

    /// Keeps the first `findings` findings of each rule in full instead of the first 10; all are counted. Call it before the
    /// first row: it starts the counts anew.
    #[must_use]
    pub fn keeping(mut self, findings: usize) -> Self {
        self.tally = Tally::new(findings);
        self
    }

    /// Judges a row of the present file, and lets its operation happen in the model.
    pub fn row(&mut self, row: &Row<'_>) {
        self.row_with(row, None);
    }

    /// Judges a row, and compares the tables of the run with the rows that follow from it.
    pub(crate) fn row_with(&mut self, row: &Row<'_>, tables: Option<&mut TableJudge<'_>>) {
        self.tally.begin_row();
        let origin = StartedOperation { place: self.place(row.row), uid: row.uid, op: row.op, start: row.time };
        let subject = FindingSubject::of(&origin, row.targets);
        let expected = self.compiled.kinds[row.op].opcode;
        if row.opcode != u64::from(expected) {
            self.tally.report(self.profile, RuleCode::RowFormat, &subject, None, || {
                format!("The op_id of this operation is {expected}, not {}.", row.opcode)
            });
        }
        if let Some(fault) = row.fault {
            let rule = match fault {
                PayloadFault::NotJson | PayloadFault::LeadingZero(_) => RuleCode::RowFormat,
                PayloadFault::Empty
                | PayloadFault::Missing(_)
                | PayloadFault::Superfluous(_)
                | PayloadFault::Duplicate(_)
                | PayloadFault::Status(_)
                | PayloadFault::Value { .. } => RuleCode::PayloadFields,
            };
            self.tally.report(self.profile, rule, &subject, None, || sentence(&fault.to_string()));
        }
        self.happen(RowHead { origin, seq: row.seq }, row.targets, tables);
    }

    /// Notes a row of the present file that could not be understood.
    pub fn bad_row(&mut self, row: &BadRow) {
        self.tally.begin_row();
        let rule = match row.fault {
            RowFault::UnknownOp(_) => RuleCode::UnknownOp,
            RowFault::TooLong
            | RowFault::Columns { .. }
            | RowFault::Quotes
            | RowFault::NotANumber { .. }
            | RowFault::Time(_) => RuleCode::RowFormat,
        };
        let subject = FindingSubject { place: self.place(row.row), time: None, uid: None, op: None, targets: &[] };
        self.tally.report(self.profile, rule, &subject, None, || sentence(&row.fault.to_string()));
        self.numbers.passed(row.seq);
    }

    /// Judges an operation as it happens; its row is its number within the run.
    pub fn operation(&mut self, operation: &Operation<'_>) {
        self.tally.begin_row();
        let mut written = std::mem::take(&mut self.written);
        written.clear();
        written.extend((0..operation.targets.len()).map(|at| Addressed::of(self.profile, operation, at)));
        let place = self.place(operation.seq);
        let origin = StartedOperation { place, uid: operation.uid, op: operation.op, start: operation.start };
        self.happen(RowHead { origin, seq: operation.seq }, &written, None);
        self.written = written;
    }

    /// The file ends: the next row is the first of the next run. Time and `op_uid` go on, `seq` starts at 1 again.
    pub fn end_of_file(&mut self) {
        self.file += 1;
        self.numbers.end_of_file();
    }

    /// Notes a table that does not start with its header.
    pub(crate) fn no_table(&mut self, tables: &mut TableJudge<'_>, kind: TableKind) {
        tables.no_table(&mut self.tally, kind);
    }

    /// The run ends: compares the rest of its tables.
    pub(crate) fn end_tables(&mut self, tables: &mut TableJudge<'_>) -> io::Result<ComparedTables> {
        tables.end_run(&self.compiled, &mut self.tally)
    }

    /// Makes a block bad from now on.
    pub fn condemn(&mut self, die: Die, block: Block) {
        self.device.blocks.condemn(die, block);
    }

    /// The number that the next row should have.
    #[must_use]
    pub fn next_seq(&self) -> u64 {
        self.numbers.next_seq()
    }

    /// How many operations were judged.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.operations
    }

    /// Whether no rule was broken.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        RuleCode::ALL.into_iter().all(|rule| self.counts(rule) == FindingCounts::default())
    }

    /// How often a rule was broken.
    #[must_use]
    pub fn counts(&self, rule: RuleCode) -> FindingCounts {
        self.tally.counts(rule)
    }

    /// The first findings of each rule, in the order of the rows.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        self.tally.kept()
    }

    fn place(&self, row: u64) -> RowPlace {
        RowPlace { file: self.file, row }
    }

    fn happen(&mut self, head: RowHead, written: &[Addressed], tables: Option<&mut TableJudge<'_>>) {
        self.operations += 1;
        let origin = head.origin;
        self.number(&head, written);
        if origin.start < self.now {
            self.go_back(&origin, written);
        }
        self.now = origin.start;
        self.device.advance(&self.compiled, self.now);
        let operation = JudgedOperation::new(self.profile.topology, &self.compiled.kinds[origin.op], origin, written);
        let mut judge = Judge {
            profile: self.profile,
            compiled: &self.compiled,
            device: &mut self.device,
            operation: &operation,
            tally: &mut self.tally,
        };
        judge.judge();
        if let Some(tables) = tables {
            tables.start(&self.compiled, &self.device, &operation, &mut self.tally);
        }
        self.device.start(&self.compiled, &operation);
    }

    /// `seq_order`
    fn number(&mut self, head: &RowHead, written: &[Addressed]) {
        let subject = FindingSubject::of(&head.origin, written);
        let expected = self.numbers.next_seq();
        if head.seq != expected {
            self.tally.report(self.profile, RuleCode::SeqOrder, &subject, None, || {
                format!("The number of this row is {expected}, not {}.", head.seq)
            });
        }
        self.numbers.passed(Some(head.seq));
        if !self.numbers.is_new_uid(head.origin.uid) {
            self.tally.report(self.profile, RuleCode::SeqOrder, &subject, None, || {
                format!("The op_uid {} has occurred before.", head.origin.uid)
            });
        }
    }

    /// `time_order`. No other rule is judged for a row that goes back in time; its operation still happens in the model.
    fn go_back(&mut self, origin: &StartedOperation, written: &[Addressed]) {
        let now = self.now;
        self.tally.report(self.profile, RuleCode::TimeOrder, &FindingSubject::of(origin, written), None, || {
            format!("The row before starts at {now}, after this one.")
        });
        self.tally.mute_row();
        if self.numbers.at_first_row() {
            self.device.finish(&self.compiled);
        }
    }
}

impl Sink for Verifier<'_> {
    fn operation(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        Verifier::operation(self, operation);
        Ok(())
    }
}
