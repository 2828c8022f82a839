//! Reads the files of a site, from which pictures and exports are made.
//!
//! Promises that every id and address in the result exists in the profile, and that rows are in the order of their files, by run.
//! A [`Source`] gives the rows of tables as lines of CSV, whatever form they are stored in. Reading stops at the first row that
//! makes no sense, with an error that says where: `verify` is the tool for damaged traces. Everything that is asked for is held
//! in memory: about 100 bytes for a row of a timeline.

mod refusals;
mod time_range;

use nandseq_trace::recorded::shown;
use std::io;
use std::path::{Path, PathBuf};

use nandseq_input::folder::{FindError, RunFile, SiteFiles};
use nandseq_input::table::{Line, TableError, TableFault, TableForm, TableReader};
use nandseq_input::{Addressed, CsvFiles, ReadError, Row, SequenceReader, Source};
use nandseq_profile::model::ByAxis;
use nandseq_profile::{Block, CellTypeId, Die, OpId, Page, Plane, Profile, Ticks};
use nandseq_trace::Status;
use nandseq_trace::file_form::FileForm;
use nandseq_trace::rows::{InputTimeRow, OpStateRow, ProposalRow, TimelineRow, TouchRow};
use nandseq_trace::table::TableKind;

pub use refusals::Outcome;
pub use time_range::TimeRange;

/// Why a site cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// There is nothing to read.
    #[error(transparent)]
    Find(#[from] FindError),
    /// The file system reports an error.
    #[error("cannot read `{}`: {error}", shown(path))]
    Io {
        /// The file.
        path: PathBuf,
        /// The error.
        error: io::Error,
    },
    /// A file is not what its name says.
    #[error("`{}`: {what}", shown(path))]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// A row makes no sense.
    #[error("`{}`{}: {what}", shown(path), FileForm::of(path).place(*row))]
    Row {
        /// The file.
        path: PathBuf,
        /// Its number within the file, from 1; 0 is the header.
        row: u64,
        /// What is wrong with it.
        what: String,
    },
}

/// Which tables are to be read. Others are left empty.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Wanted {
    /// operation_sequence
    pub operations: bool,
    /// operation_timeline
    pub stretches: bool,
    /// op_state_timeline
    pub segments: bool,
    /// address_touch_count, op_state_name_input_time_count, phase_proposal_counts
    pub counts: bool,
    /// The proposer log
    pub outcomes: bool,
    /// The most rows of both timelines together. Later ones are left out, and [`SiteTables::left_out`] counts them.
    pub most_rows: usize,
    /// The time in which rows are wanted. Runs without rows in it are left out.
    pub window: Option<TimeRange>,
}

impl Wanted {
    /// Everything.
    pub const ALL: Self = Self {
        operations: true,
        stretches: true,
        segments: true,
        counts: true,
        outcomes: true,
        most_rows: usize::MAX,
        window: None,
    };
    /// Nothing; a start for setting single fields.
    pub const NONE: Self = Self {
        operations: false,
        stretches: false,
        segments: false,
        counts: false,
        outcomes: false,
        most_rows: usize::MAX,
        window: None,
    };
}

/// A row of the sequence.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OperationRow {
    /// `op_uid`
    pub uid: u64,
    /// `seq`
    pub seq: u64,
    /// The start, scaled and rounded as the sequence is.
    pub time: Ticks,
    /// The operation.
    pub op: OpId,
    /// The cell type of its first target.
    pub cell_type: Option<CellTypeId>,
    /// For status reads: the status expected.
    pub status: Option<Status>,
    /// The fields of that status for suspended axes; `None` where it has none.
    pub suspended: ByAxis<Option<bool>>,
}

impl OperationRow {
    fn of(row: &Row<'_>) -> Self {
        let first = row.targets.first();
        Self {
            uid: row.uid,
            seq: row.seq,
            time: row.time,
            op: row.op,
            cell_type: first.and_then(|target| target.cell_type),
            status: first.and_then(|target| target.status),
            suspended: first.map(|target| target.suspended).unwrap_or_default(),
        }
    }
}

/// Data that an operation passes on the bus, on one plane.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PassedData {
    /// The operation.
    pub uid: u64,
    /// The plane.
    pub plane: Plane,
    /// The operation that brought the data into the device, which may be the same.
    pub from: u64,
}

impl PassedData {
    /// What a target of an operation says; `None` if it names no data.
    fn of(uid: u64, target: &Addressed) -> Option<Self> {
        let from = u64::try_from(target.data).ok().filter(|&from| from > 0)?;
        Some(Self { uid, plane: Plane(u8::try_from(target.plane).ok()?), from })
    }
}

/// A run of a site.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RunInfo {
    /// Its number.
    pub run: u64,
    /// The name of its phase, if the runs are in phases. No table has it: the caller sets it.
    pub phase: Option<String>,
    /// Operations, as far as the sequence was read.
    pub operations: u64,
    /// The uids of its first and last operation.
    pub uids: Option<(u64, u64)>,
    /// The path of its sequence.
    pub sequence: PathBuf,
    /// The tables that are not there.
    pub missing: Vec<TableKind>,
}

/// The rows of a site's files.
#[derive(Clone, Default, Debug)]
pub struct SiteTables {
    /// Its folder.
    pub folder: PathBuf,
    /// Its name: the last part of the folder.
    pub name: String,
    /// Its runs, in order.
    pub runs: Vec<RunInfo>,
    /// Rows of the sequences.
    pub operations: Vec<OperationRow>,
    /// The data that these operations pass on the bus, if their payloads name it.
    pub data: Vec<PassedData>,
    /// Rows of operation_timeline.
    pub stretches: Vec<TimelineRow>,
    /// Rows of op_state_timeline.
    pub segments: Vec<OpStateRow>,
    /// Rows of address_touch_count.
    pub touches: Vec<TouchRow>,
    /// Rows of op_state_name_input_time_count.
    pub input_times: Vec<InputTimeRow>,
    /// Rows of phase_proposal_counts.
    pub proposals: Vec<ProposalRow>,
    /// The outcomes of proposals, from the proposer logs that are there.
    pub outcomes: Vec<Outcome>,
    /// Rows of timelines that were left out because there were more than [`Wanted::most_rows`].
    pub left_out: u64,
    /// The first start and the last end of all rows of timelines that were read, those outside the window included.
    pub span: Option<(Ticks, Ticks)>,
}

/// Reads the rows of a table, one after another: `parse` reads a line, `take` gets the row. An error of either is reported with
/// its place.
///
/// # Errors
/// [`LoadError`] at the first row that makes no sense.
pub fn rows<T>(
    source: &dyn Source,
    kind: TableKind,
    path: &Path,
    parse: impl Fn(&[u8]) -> Result<T, TableFault>,
    mut take: impl FnMut(T) -> Result<(), String>,
) -> Result<(), LoadError> {
    let io = |error| LoadError::Io { path: path.to_owned(), error };
    let opened = TableReader::new(kind, source.open(path).map_err(io)?);
    let mut reader = opened.map_err(|error| match error {
        TableError::Io(error) => io(error),
        error @ TableError::Header(_) => LoadError::File { path: path.to_owned(), what: error.to_string() },
    })?;
    let mut line = Vec::new();
    loop {
        let read = match reader.next_line(&mut line).map_err(io)? {
            Line::End => return Ok(()),
            Line::TooLong => Err(TableFault::TooLong.to_string()),
            Line::Read => parse(&line).map_err(|fault| fault.to_string()),
        };
        let wrong = |what| LoadError::Row { path: path.to_owned(), row: reader.rows(), what };
        read.and_then(&mut take).map_err(wrong)?;
    }
}

/// Reads what is wanted of a site.
///
/// # Errors
/// [`LoadError`] at the first file that cannot be read, or row that makes no sense.
pub fn site(
    profile: &Profile,
    source: &dyn Source,
    files: &SiteFiles,
    wanted: Wanted,
) -> Result<SiteTables, LoadError> {
    let reading = TableReading { profile, source, form: TableForm::new(profile), wanted };
    let name = files.folder.file_name().map_or_else(String::new, shown);
    let mut tables = SiteTables { folder: files.folder.clone(), name, ..SiteTables::default() };
    for run in &files.runs {
        let mut info = RunInfo {
            phase: None,
            run: run.run,
            operations: 0,
            uids: None,
            sequence: run.path.clone(),
            missing: TableKind::ALL
                .into_iter()
                .filter(|&kind| !run.tables.iter().any(|one| one.kind == kind))
                .collect(),
        };
        let before = tables.timed_rows();
        if wanted.operations {
            tables.read_sequence(&reading, &mut info)?;
        }
        let (timelines, counts): (Vec<_>, Vec<_>) = run.tables.iter().partition(|file| is_timeline(file.kind));
        for file in timelines {
            tables.read_table(&reading, file.kind, &file.path)?;
        }
        // A run without a row in the window is left out.
        if wanted.window.is_some() && tables.timed_rows() == before {
            continue;
        }
        for file in counts {
            tables.read_table(&reading, file.kind, &file.path)?;
        }
        if wanted.outcomes {
            tables.outcomes.extend(outcomes(profile, run)?);
        }
        tables.runs.push(info);
    }
    Ok(tables)
}

/// Whether the rows of a table have a start and an end.
const fn is_timeline(kind: TableKind) -> bool {
    matches!(kind, TableKind::OperationTimeline | TableKind::OpStateTimeline)
}

/// How tables are read, and which of them.
struct TableReading<'a> {
    profile: &'a Profile,
    source: &'a dyn Source,
    form: TableForm,
    wanted: Wanted,
}

impl SiteTables {
    /// The number of rows with a time that were kept, or left out because there were too many.
    fn timed_rows(&self) -> u64 {
        (self.operations.len() + self.stretches.len() + self.segments.len()) as u64 + self.left_out
    }

    fn read_sequence(&mut self, reading: &TableReading<'_>, info: &mut RunInfo) -> Result<(), LoadError> {
        sequence_rows(reading.profile, reading.source, &info.sequence, |row| {
            if reading.wanted.window.is_some_and(|window| !window.holds(row.time, row.time)) {
                return;
            }
            self.operations.push(OperationRow::of(row));
            self.data.extend(row.targets.iter().filter_map(|target| PassedData::of(row.uid, target)));
            info.operations += 1;
            info.uids = Some((info.uids.map_or(row.uid, |(first, _)| first), row.uid));
        })
    }

    fn read_table(&mut self, reading: &TableReading<'_>, kind: TableKind, path: &Path) -> Result<(), LoadError> {
        let TableReading { profile, source, form, wanted, .. } = reading;
        let device = Addresses::of(profile);
        match kind {
            TableKind::OperationTimeline if wanted.stretches => {
                let take = |row: TimelineRow| {
                    device.holds(row.die, row.plane, row.block, row.page)?;
                    if self.keeps(wanted, row.start, row.end)? {
                        self.stretches.push(row);
                    }
                    Ok(())
                };
                rows(*source, kind, path, |line| form.stretch(line), take)
            }
            TableKind::OpStateTimeline if wanted.segments => {
                let take = |row: OpStateRow| {
                    device.holds(row.die, row.plane, Block(0), Page(0))?;
                    if self.keeps(wanted, row.start, row.end)? {
                        self.segments.push(row);
                    }
                    Ok(())
                };
                rows(*source, kind, path, |line| form.segment(line), take)
            }
            TableKind::AddressTouchCount if wanted.counts => {
                let take = |row: TouchRow| {
                    device.holds(row.die, Plane(0), row.block, row.page)?;
                    self.touches.push(row);
                    Ok(())
                };
                rows(*source, kind, path, |line| form.touch(line), take)
            }
            TableKind::InputTimeCount if wanted.counts => {
                let take = |row| {
                    self.input_times.push(row);
                    Ok(())
                };
                rows(*source, kind, path, |line| form.input_time(line), take)
            }
            TableKind::ProposalCounts if wanted.counts => {
                let take = |row: ProposalRow| {
                    device.holds(row.die, row.plane, Block(0), Page(0))?;
                    if wanted.window.is_none_or(|window| window.holds(row.time, row.time)) {
                        self.proposals.push(row);
                    }
                    Ok(())
                };
                rows(*source, kind, path, |line| form.proposal(line), take)
            }
            TableKind::OperationTimeline
            | TableKind::OpStateTimeline
            | TableKind::AddressTouchCount
            | TableKind::InputTimeCount
            | TableKind::ProposalCounts => Ok(()),
        }
    }

    /// Whether a row of a timeline is kept: it is in the window, and there are not too many rows. An error if it makes no sense.
    fn keeps(&mut self, wanted: &Wanted, start: Ticks, end: Ticks) -> Result<bool, String> {
        if end < start {
            return Err("it ends before it starts".to_owned());
        }
        self.span = Some(self.span.map_or((start, end), |(first, last)| (first.min(start), last.max(end))));
        if wanted.window.is_some_and(|window| !window.holds(start, end)) {
            return Ok(false);
        }
        let has_room = self.stretches.len() + self.segments.len() < wanted.most_rows;
        self.left_out += u64::from(!has_room);
        Ok(has_room)
    }
}

/// Reads the rows of a sequence, one after another, without their targets.
///
/// # Errors
/// [`LoadError`] at the first row that makes no sense.
pub fn operations(
    profile: &Profile,
    source: &dyn Source,
    path: &Path,
    mut take: impl FnMut(OperationRow),
) -> Result<(), LoadError> {
    sequence_rows(profile, source, path, |row| take(OperationRow::of(row)))
}

/// Reads the rows of a sequence, one after another.
///
/// # Errors
/// [`LoadError`] at the first row that makes no sense.
pub fn sequence_rows(
    profile: &Profile,
    source: &dyn Source,
    path: &Path,
    mut take: impl FnMut(&Row<'_>),
) -> Result<(), LoadError> {
    let io = |error| LoadError::Io { path: path.to_owned(), error };
    let opened = SequenceReader::new(profile, source.open(path).map_err(io)?);
    let mut reader = opened.map_err(|error| match error {
        ReadError::Io(error) => io(error),
        error @ ReadError::Header(_) => LoadError::File { path: path.to_owned(), what: error.to_string() },
    })?;
    let wrong = |row: u64, what| LoadError::Row { path: path.to_owned(), row, what };
    while let Some(row) = reader.next_row().map_err(io)? {
        let row = row.map_err(|bad| wrong(bad.row, bad.fault.to_string()))?;
        if let Some(fault) = row.fault {
            return Err(wrong(row.row, fault.to_string()));
        }
        take(&row);
    }
    Ok(())
}

/// The outcomes of a run's proposals; empty if there is no proposer log.
///
/// # Errors
/// [`LoadError`] when the log cannot be read.
pub fn outcomes(profile: &Profile, run: &RunFile) -> Result<Vec<Outcome>, LoadError> {
    let Some(path) = &run.log else { return Ok(Vec::new()) };
    let io = |error| LoadError::Io { path: path.clone(), error };
    // A log is text, packed or not, whatever form the tables have.
    refusals::read(profile, CsvFiles.open(path).map_err(io)?).map_err(io)
}

/// The numbers of dies, planes, blocks and pages of the device.
#[derive(Clone, Copy)]
struct Addresses {
    limits: [(u32, &'static str); 4],
}

impl Addresses {
    fn of(profile: &Profile) -> Self {
        let device = profile.topology;
        Self {
            limits: [
                (device.dies, "die"),
                (device.planes, "plane"),
                (device.blocks_per_die, "block"),
                (device.pages_per_block, "page"),
            ],
        }
    }

    /// Checks that the device has an address.
    fn holds(self, die: Die, plane: Plane, block: Block, page: Page) -> Result<(), String> {
        let address = [die.0.into(), plane.0.into(), block.0, page.0.into()];
        for (value, (limit, what)) in address.into_iter().zip(self.limits) {
            if value >= limit {
                return Err(format!("the device has no {what} {value}"));
            }
        }
        Ok(())
    }
}
