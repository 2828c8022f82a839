//! Compares a table with its expected rows, one by one.
//!
//! Rows that agree cost a comparison of bytes. Where rows disagree, the next rows of both sides are searched for the nearest pair
//! that agrees. The rows before that pair are reported as missing, unexpected or changed, so that one damaged row is one finding.

use std::collections::{HashSet, VecDeque};
use std::io::{self, BufRead};

use nandseq_input::MAX_LINE;
use nandseq_input::table::{Line, LineFields, TableFault, TableReader};
use nandseq_profile::diagnostic::printable;
use nandseq_trace::table::TableKind;
use rustc_hash::FxBuildHasher;

use super::table_report::{RowContext, TableReporter};
use crate::finding::{RowPlace, StartedOperation, sentence};
use crate::rule::RuleCode;

/// How many rows of each side are searched for a pair that agrees.
const AHEAD: usize = 24;
/// How many rows of both sides are searched for a pair with the same key.
const NEAR: usize = 8;
/// The most rows of missing runs that may come at the beginning.
const UNKNOWN: usize = 4096;
/// The most pairs of phase keys that are remembered.
const PAIRS: usize = 1 << 12;

/// A row that the table should have.
#[derive(Debug)]
struct ExpectedRow {
    origin: Option<StartedOperation>,
    /// The row as written, without its last `free` columns, which are not known.
    text: Vec<u8>,
    free: usize,
}

/// A row that the table has.
#[derive(Debug)]
struct FoundRow {
    row: u64,
    text: Vec<u8>,
    too_long: bool,
}

/// A table that is compared with expected rows, which come one by one.
pub(super) struct TableComparison {
    reader: TableReader<Box<dyn BufRead>>,
    /// Number of the run's sequence within the site.
    file: u32,
    expected: VecDeque<ExpectedRow>,
    found: VecDeque<FoundRow>,
    /// Rows before the first expected one may come from missing runs.
    skips: bool,
    line: Vec<u8>,
    /// The `op_uid` of the last operation whose phase keys were seen, and the keys as written.
    keys: (u64, Vec<u8>),
    known: HashSet<Box<[u8]>, FxBuildHasher>,
}

/// Whether a line is the expected text, followed by `free` columns.
fn agrees(text: &[u8], free: usize, line: &[u8]) -> bool {
    if free == 0 {
        return text == line;
    }
    let Some(rest) = line.strip_prefix(text) else { return false };
    rest.contains(&b'"') || rest.iter().filter(|&&byte| byte == b',').count() + 1 == free
}

/// The last two fields of a row, with the comma between them.
fn last_two(line: &[u8]) -> Option<&[u8]> {
    let comma = |end: usize| line[..end].iter().rposition(|&byte| byte == b',');
    if !line.contains(&b'"') {
        return comma(line.len()).and_then(comma).map(|at| &line[at + 1..]);
    }
    // A comma within quotes ends no field; doubled quotes open and close again.
    let (mut commas, mut quoted) = ([None; 2], false);
    for (at, byte) in line.iter().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b',' if !quoted => commas = [commas[1], Some(at)],
            _ => {}
        }
    }
    commas[0].map(|at| &line[at + 1..])
}

/// Whether two rows have the same key, whatever is in their other columns.
fn same_key(table: TableKind, expected: &ExpectedRow, found: &FoundRow) -> bool {
    let key: &[&str] = match table {
        TableKind::OperationTimeline => &["die", "plane", "source", "op_uid"],
        TableKind::OpStateTimeline => &["start", "die", "plane"],
        TableKind::AddressTouchCount => &["op_base", "cell_type", "die", "block", "page"],
        TableKind::InputTimeCount | TableKind::ProposalCounts => &[],
    };
    let mut text = expected.text.clone();
    text.extend(std::iter::repeat_n(b',', expected.free.saturating_sub(1)));
    let (Ok(right), Ok(wrong)) = (LineFields::of(table, &text), LineFields::of(table, &found.text)) else {
        return false;
    };
    right.iter().zip(wrong.iter()).all(|((column, right), (_, wrong))| right == wrong || !key.contains(&column))
}

impl TableComparison {
    /// `skips`: earlier runs are missing, so rows before the first expected one may be right.
    pub(super) fn new(reader: TableReader<Box<dyn BufRead>>, file: u32, skips: bool) -> Self {
        Self {
            reader,
            file,
            expected: VecDeque::new(),
            found: VecDeque::new(),
            skips,
            line: Vec::new(),
            keys: (0, Vec::new()),
            known: HashSet::default(),
        }
    }

    pub(super) fn rows(&self) -> u64 {
        self.reader.rows()
    }

    pub(super) fn kind(&self) -> TableKind {
        self.reader.kind()
    }

    /// Expects a row next: `text`, then `free` columns that are not known.
    pub(super) fn expect(
        &mut self,
        report: &mut TableReporter<'_>,
        origin: Option<StartedOperation>,
        text: &[u8],
        free: usize,
    ) -> io::Result<()> {
        if self.skips {
            self.skip(text, free)?;
        }
        if self.is_next(origin, free, |ahead| ahead.starts_with(text).then_some(text.len()))? {
            return Ok(());
        }
        if self.expected.is_empty() {
            let row = if let Some(front) = self.found.pop_front() {
                if front.too_long {
                    self.found.push_front(front);
                    self.expected.push_back(ExpectedRow { origin, text: text.to_vec(), free });
                    return Ok(());
                }
                self.line = front.text;
                front.row
            } else {
                let read = self.reader.next_line(&mut self.line)?;
                if read != Line::Read {
                    let too_long = read == Line::TooLong;
                    if too_long {
                        let row = self.reader.rows();
                        self.found.push_back(FoundRow { row, text: Vec::new(), too_long });
                    }
                    self.expected.push_back(ExpectedRow { origin, text: text.to_vec(), free });
                    return Ok(());
                }
                self.reader.rows()
            };
            if agrees(text, free, &self.line) {
                if free > 0 {
                    let line = std::mem::take(&mut self.line);
                    self.check_keys(report, origin, row, &line);
                    self.line = line;
                }
                return Ok(());
            }
            self.found.push_front(FoundRow { row, text: std::mem::take(&mut self.line), too_long: false });
        }
        self.expected.push_back(ExpectedRow { origin, text: text.to_vec(), free });
        if self.expected.len() >= AHEAD { self.settle(report, false) } else { Ok(()) }
    }

    /// The fast path: takes the next row if it is the expected one and has known phase keys. `begins` gives the length of the
    /// expected text if the bytes ahead begin with it. `false` means only that the row has to be compared in full.
    #[inline]
    pub(super) fn is_next(
        &mut self,
        origin: Option<StartedOperation>,
        free: usize,
        begins: impl FnOnce(&[u8]) -> Option<usize>,
    ) -> io::Result<bool> {
        if self.skips || !self.expected.is_empty() || !self.found.is_empty() {
            return Ok(false);
        }
        let ahead = self.reader.ahead()?;
        let Some(len) = begins(ahead) else { return Ok(false) };
        let rest = ahead.get(len..).unwrap_or_default();
        if free == 0 {
            let agrees = rest.first() == Some(&b'\n') && len <= MAX_LINE;
            if agrees {
                self.reader.pass(len + 1);
            }
            return Ok(agrees);
        }
        let Some(end) = memchr::memchr(b'\n', rest).filter(|end| free == 2 && len + end <= MAX_LINE) else {
            return Ok(false);
        };
        let (keys, uid) = (&rest[..end], origin.map_or(0, |origin| origin.uid));
        if uid == self.keys.0 {
            if keys != self.keys.1 {
                return Ok(false);
            }
        } else if self.known.contains(keys) {
            // Known keys are two fields with one comma between them.
            self.keys.0 = uid;
            self.keys.1.clear();
            self.keys.1.extend_from_slice(keys);
        } else {
            return Ok(false);
        }
        self.reader.pass(len + end + 1);
        Ok(true)
    }

    /// Expects the end of the table.
    pub(super) fn finish(&mut self, report: &mut TableReporter<'_>) -> io::Result<()> {
        self.settle(report, true)?;
        loop {
            self.look_ahead(1)?;
            let Some(found) = self.found.pop_front() else { return Ok(()) };
            self.unexpected(report, &found);
        }
    }

    /// Passes over the rows before the first one that agrees, if there is one.
    fn skip(&mut self, text: &[u8], free: usize) -> io::Result<()> {
        self.skips = false;
        self.look_ahead(UNKNOWN)?;
        if let Some(at) = self.found.iter().position(|found| agrees(text, free, &found.text)) {
            self.found.drain(..at);
        }
        Ok(())
    }

    /// Reads rows until `count` of them wait or the table ends.
    fn look_ahead(&mut self, count: usize) -> io::Result<()> {
        while self.found.len() < count {
            let mut text = Vec::new();
            match self.reader.next_line(&mut text)? {
                Line::End => return Ok(()),
                read @ (Line::Read | Line::TooLong) => {
                    let row = self.reader.rows();
                    self.found.push_back(FoundRow { row, text, too_long: read == Line::TooLong });
                }
            }
        }
        Ok(())
    }

    /// Reports how both sides differ, as long as enough expected rows are known. `all`: no more rows are expected.
    fn settle(&mut self, report: &mut TableReporter<'_>, all: bool) -> io::Result<()> {
        loop {
            self.look_ahead(AHEAD)?;
            while let (Some(expected), Some(found)) = (self.expected.front(), self.found.front()) {
                if !agrees(&expected.text, expected.free, &found.text) {
                    break;
                }
                let (Some(expected), Some(found)) = (self.expected.pop_front(), self.found.pop_front()) else { break };
                if expected.free > 0 {
                    self.check_keys(report, expected.origin, found.row, &found.text);
                }
                self.look_ahead(1)?;
            }
            if self.expected.is_empty() || (!all && self.expected.len() < AHEAD) {
                return Ok(());
            }
            self.look_ahead(AHEAD)?;
            let (missing, unexpected) = self.way_back();
            self.report(report, missing, unexpected);
        }
    }

    /// How many expected and how many found rows come before the nearest pair that agrees.
    fn way_back(&self) -> (usize, usize) {
        for sum in 1..2 * AHEAD {
            for at in 0..=sum {
                let (Some(expected), Some(found)) = (self.expected.get(at), self.found.get(sum - at)) else { continue };
                if agrees(&expected.text, expected.free, &found.text) {
                    return (at, sum - at);
                }
            }
        }
        // No pair agrees: take the rows before the nearest pair with the same key, else one row of each side that has one.
        let about = (0..NEAR).flat_map(|sum| (0..=sum).map(move |at| (at, sum - at))).find(|&(at, other)| {
            let (Some(expected), Some(found)) = (self.expected.get(at), self.found.get(other)) else { return false };
            same_key(self.kind(), expected, found)
        });
        match about {
            Some((0, 0)) | None => (1.min(self.expected.len()), 1.min(self.found.len())),
            Some(way) => way,
        }
    }

    /// Reports the first rows of each side, and drops them.
    fn report(&mut self, report: &mut TableReporter<'_>, missing: usize, unexpected: usize) {
        let expected: Vec<ExpectedRow> = self.expected.drain(..missing).collect();
        let found: Vec<FoundRow> = self.found.drain(..unexpected).collect();
        let after = self.found.front().map_or(self.reader.rows() + 1, |found| found.row);
        for at in 0..missing.max(unexpected) {
            match (expected.get(at), found.get(at)) {
                (Some(expected), Some(found)) => self.changed(report, expected, found),
                (Some(expected), None) => self.missing(report, expected, after),
                (None, Some(found)) => self.unexpected(report, found),
                (None, None) => {}
            }
        }
    }

    fn row_context<'a>(
        &self,
        row: u64,
        origin: Option<StartedOperation>,
        expected: Option<&'a ExpectedRow>,
    ) -> RowContext<'a> {
        let place = RowPlace { file: self.file, row };
        let expected = expected.map(|expected| (expected.text.as_slice(), expected.free));
        RowContext { table: self.kind(), place, origin, expected }
    }

    fn changed(&self, report: &mut TableReporter<'_>, expected: &ExpectedRow, found: &FoundRow) {
        let row_context = self.row_context(found.row, expected.origin, Some(expected));
        if let Some(fault) = self.fault(report, found) {
            report.report(RuleCode::RowFormat, &row_context, || sentence(&fault.to_string()));
            return;
        }
        let differing = self.differing(expected, found);
        if differing.is_empty() {
            report.report(RuleCode::RowFormat, &row_context, || {
                "The row is not written in the documented form.".to_owned()
            });
        } else {
            report.report(RuleCode::of_table(self.kind()), &row_context, || sentence(&differing.join(", ")));
        }
    }

    fn missing(&self, report: &mut TableReporter<'_>, expected: &ExpectedRow, row: u64) {
        let row_context = self.row_context(row, expected.origin, Some(expected));
        report.report(RuleCode::of_table(self.kind()), &row_context, || "A row is missing here.".to_owned());
    }

    fn unexpected(&self, report: &mut TableReporter<'_>, found: &FoundRow) {
        let row_context = self.row_context(found.row, None, None);
        match self.fault(report, found) {
            Some(fault) => report.report(RuleCode::RowFormat, &row_context, || sentence(&fault.to_string())),
            None => report.report(RuleCode::of_table(self.kind()), &row_context, || {
                "Nothing in the sequence accounts for this row here.".to_owned()
            }),
        }
    }

    /// Why a row cannot be understood, if it cannot.
    fn fault(&self, report: &TableReporter<'_>, found: &FoundRow) -> Option<TableFault> {
        if found.too_long { Some(TableFault::TooLong) } else { report.fault(self.kind(), &found.text) }
    }

    /// The columns in which two rows differ, as text.
    fn differing(&self, expected: &ExpectedRow, found: &FoundRow) -> Vec<String> {
        let mut text = expected.text.clone();
        text.extend(std::iter::repeat_n(b',', expected.free.saturating_sub(1)));
        let kind = self.kind();
        let (Ok(right), Ok(wrong)) = (LineFields::of(kind, &text), LineFields::of(kind, &found.text)) else {
            return Vec::new();
        };
        let known = kind.columns().len() - expected.free;
        // Quotes in a field are still doubled.
        let shown = |text: &[u8]| match printable(text).replace("\"\"", "\"") {
            empty if empty.is_empty() => "empty".to_owned(),
            text => text,
        };
        right
            .iter()
            .zip(wrong.iter())
            .take(known)
            .filter(|((_, right), (_, wrong))| right != wrong)
            .map(|((column, right), (_, wrong))| format!("'{column}' is {} instead of {}", shown(wrong), shown(right)))
            .collect()
    }

    /// Checks that the phase keys of a row exist, and are those of its operation's other rows.
    fn check_keys(&mut self, report: &mut TableReporter<'_>, origin: Option<StartedOperation>, row: u64, line: &[u8]) {
        let Some(keys) = last_two(line) else { return };
        let uid = origin.map_or(0, |origin| origin.uid);
        let row_context = self.row_context(row, origin, None);
        if uid == self.keys.0 && keys == self.keys.1 {
            return;
        }
        if !self.known.contains(keys) {
            if let Some(fault) = report.fault(self.kind(), line) {
                report.report(RuleCode::RowFormat, &row_context, || sentence(&fault.to_string()));
                return;
            }
            if self.known.len() < PAIRS {
                self.known.insert(keys.into());
            }
        }
        if uid == self.keys.0 {
            let before = printable(&self.keys.1).replace(',', " and ");
            report.report(RuleCode::of_table(self.kind()), &row_context, || {
                let now = printable(keys).replace(',', " and ");
                format!("The phase keys are {now}; in the operation's row before they are {before}.")
            });
            return;
        }
        self.keys.0 = uid;
        self.keys.1.clear();
        self.keys.1.extend_from_slice(keys);
    }
}
