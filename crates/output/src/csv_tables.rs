//! Writing the tables as CSV.
//!
//! The form is RFC 4180 with `\n`, quotes only where they are needed, and exact decimals. Every part of a row that depends on the
//! profile only is prepared once. Rows are put together in one buffer, without allocation.

use std::io;

use nandseq_profile::{CellTypeId, Die, IdVec, OpId, PhaseKey, Plane, Profile};

use crate::format::{SequenceTable, StartFile, Table, TableFormat, TableWriter, UnnamedFile, Writers};
use crate::line::{Head, LengthTexts, LineBuffer, NUMBER, Text, room_of};
use crate::model::TableModel;
use crate::new_file::NewFile;
use crate::sequence::{SequenceLayout, SequenceWriter};
use nandseq_trace::csv_field;
use nandseq_trace::file_form::FileForm;
use nandseq_trace::rows::{InputTimeRow, OpStateRow, ProposalRow, StateId, TableRow, TimelineRow, TouchRow};
use nandseq_trace::time_column::TimeColumnError;

/// The parts of the CSV tables that depend on the profile only. Build it once and share it between the runs of all sites.
#[derive(Clone, Debug)]
pub struct CsvTables {
    model: TableModel,
    sequence: SequenceLayout,
    /// `,op_name,op_base,` and the same followed by the source of later stretches.
    ops: IdVec<OpId, [Text; 2]>,
    /// `,op_name,`
    op_names: IdVec<OpId, Text>,
    /// `BASE.PHASE`, and the same after a comma.
    states: Box<[[Text; 2]]>,
    /// `BASE.PHASE`, and the same after a comma.
    keys: IdVec<PhaseKey, [Text; 2]>,
    /// `,BASE,`, the base of each op_state.
    state_bases: Box<[Text]>,
    /// `,0,2` and `,d0-p2`, by die, then by plane.
    die_planes: Box<[[Text<16>; 2]]>,
    planes: usize,
    /// `,TLC,`
    cell_types: IdVec<CellTypeId, Text>,
    /// The most bytes that a row of any table takes.
    room: usize,
}

impl CsvTables {
    /// Prepares the tables of a profile.
    ///
    /// # Errors
    /// If the profile's time scale or number of decimals is out of range, or too coarse for its start times.
    pub fn new(profile: &Profile) -> Result<Self, TimeColumnError> {
        let model = TableModel::new(profile);
        let base_of =
            |state: StateId| state.parts().map(|(base, _)| csv_field(&profile.bases[base].name)).unwrap_or_default();
        let ops = profile.ops.iter().map(|op| {
            let names = format!(",{},{},", csv_field(&op.name), csv_field(&profile.bases[op.base].name));
            [Text::from(format!("{names},")), Text::from(format!("{names}RESUME_CHAIN,"))]
        });
        let both = |name: &str| {
            let name = csv_field(name);
            [Text::new(name.as_bytes()), Text::from(format!(",{name}"))]
        };
        let between = |name: &str| Text::from(format!(",{},", csv_field(name)));
        let (dies, planes) = (profile.topology.dies, profile.topology.planes);
        let die_planes = (0..dies).flat_map(|die| {
            (0..planes)
                .map(move |plane| [Text::from(format!(",{die},{plane}")), Text::from(format!(",d{die}-p{plane}"))])
        });
        let mut tables = Self {
            sequence: SequenceLayout::new(profile)?,
            ops: ops.collect(),
            op_names: profile.ops.iter().map(|op| between(&op.name)).collect(),
            states: model.states().map(|state| both(model.state_name(state))).collect(),
            keys: profile.phase_keys.iter().map(|key| both(&key.name)).collect(),
            state_bases: model.states().map(|state| Text::from(format!(",{},", base_of(state)))).collect(),
            die_planes: die_planes.collect(),
            planes: planes as usize,
            cell_types: profile.cell_types.iter().map(|cell_type| between(&cell_type.name)).collect(),
            room: 0,
            model,
        };
        tables.room = tables.longest_row();
        Ok(tables)
    }

    /// A bound of the bytes that a row takes: the longest text of every part.
    fn longest_row(&self) -> usize {
        room_of(self.ops.iter().flatten())
            + room_of(self.op_names.iter())
            + room_of(self.states.iter().flatten())
            + 2 * room_of(self.keys.iter().flatten())
            + room_of(&self.state_bases)
            + 2 * room_of(self.die_planes.iter().flatten())
            + room_of(self.cell_types.iter())
            + 8 * NUMBER
    }

    fn state(&self, state: StateId) -> &[Text; 2] {
        &self.states[state.index()]
    }

    fn die_plane(&self, die: Die, plane: Plane) -> &[Text<16>; 2] {
        &self.die_planes[die.index() * self.planes + plane.index()]
    }

    fn table<R: CsvRow>(&self, start: &mut StartFile<'_>) -> io::Result<Option<Table<'_, R>>> {
        let Some(file) = start(R::TABLE.file())? else { return Ok(None) };
        let lines = LineBuffer::new(&R::TABLE.file().columns().header());
        Ok(Some(Box::new(CsvTable { tables: self, file, lines, rows: 0, before: R::Before::default() })))
    }
}

impl TableFormat for CsvTables {
    fn model(&self) -> &TableModel {
        &self.model
    }

    fn form(&self) -> FileForm {
        FileForm::CSV
    }

    fn operation_sequence(&self, file: NewFile) -> io::Result<Box<dyn SequenceTable + '_>> {
        Ok(Box::new(SequenceWriter::new(&self.sequence, file)))
    }

    fn tables(&self, start: &mut StartFile<'_>) -> io::Result<Writers<'_>> {
        Ok(Writers {
            timeline: self.table(start)?,
            op_states: self.table(start)?,
            touches: self.table(start)?,
            input_times: self.table(start)?,
            proposals: self.table(start)?,
        })
    }
}

impl SequenceTable for SequenceWriter<'_, NewFile> {
    fn finish(self: Box<Self>) -> io::Result<UnnamedFile> {
        let (file, rows) = SequenceWriter::finish(*self)?;
        Ok(UnnamedFile { file, rows })
    }
}

/// A table that is being written to a file.
struct CsvTable<'t, R: CsvRow> {
    tables: &'t CsvTables,
    file: NewFile,
    lines: LineBuffer,
    rows: u64,
    before: R::Before,
}

impl<R: CsvRow> TableWriter<R> for CsvTable<'_, R> {
    fn write(&mut self, rows: &[R]) -> io::Result<()> {
        for row in rows {
            row.append(self.tables, &mut self.before, &mut self.lines);
            if self.lines.hand_on_block(&mut self.file)? {
                R::handed_on(&mut self.before);
            }
        }
        self.rows += rows.len() as u64;
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> io::Result<UnnamedFile> {
        self.lines.hand_on(&mut self.file)?;
        Ok(UnnamedFile { file: self.file, rows: self.rows })
    }
}

/// A row that can be written as a line.
trait CsvRow: TableRow + 'static {
    /// Texts of the rows before that may come again.
    type Before: Default + Send;

    /// Appends the line of the row.
    fn append(&self, tables: &CsvTables, before: &mut Self::Before, lines: &mut LineBuffer);

    /// Called when the lines of the rows before have left the buffer.
    fn handed_on(before: &mut Self::Before) {
        let _ = before;
    }
}

impl CsvRow for TimelineRow {
    type Before = [Head; 2];

    fn append(&self, tables: &CsvTables, [start, end]: &mut [Head; 2], lines: &mut LineBuffer) {
        lines.row(tables.room, |row| {
            row.us(start, self.start);
            row.put(b",");
            row.us(end, self.end);
            row.text(&tables.die_plane(self.die, self.plane)[0]);
            row.next_integer(self.block.0.into());
            row.next_integer(self.page.0.into());
            row.text(&tables.ops[self.op][usize::from(self.resumed)]);
            row.integer(self.uid);
            row.text(&tables.state(self.state)[1]);
            row.text(&tables.keys[self.key_used][1]);
            row.text(&tables.keys[self.key_virtual][1]);
            row.put(b"\n");
        });
    }
}

/// The row before of `op_state_timeline`. Most rows differ from the row before in the plane only, which is one digit in two
/// places. To copy the line and change the digits costs a tenth of putting the line together.
#[derive(Default)]
struct SegmentBefore {
    start: Head,
    end: Head,
    durations: LengthTexts,
    /// The row before, if its line is still in the buffer and its plane has one digit.
    row: Option<OpStateRow>,
    /// The length of its line.
    len: usize,
    /// The positions of the plane in its line.
    plane_at: [usize; 2],
}

impl SegmentBefore {
    /// Whether a row differs from the row before in the plane only, and the plane has one digit.
    fn comes_again(&self, row: &OpStateRow) -> bool {
        let comes = |before: &OpStateRow| {
            (before.start, before.end, before.state, before.die) == (row.start, row.end, row.state, row.die)
        };
        self.row.as_ref().is_some_and(comes) && row.plane.0 < 10
    }
}

impl CsvRow for OpStateRow {
    type Before = SegmentBefore;

    fn append(&self, tables: &CsvTables, before: &mut SegmentBefore, lines: &mut LineBuffer) {
        if before.comes_again(self) {
            return lines.again(before.len, before.plane_at, b'0' + self.plane.0);
        }
        let [die_and_plane, lane] = tables.die_plane(self.die, self.plane);
        lines.row(tables.room, |row| {
            row.us(&mut before.start, self.start);
            row.put(b",");
            row.us(&mut before.end, self.end);
            row.text(die_and_plane);
            before.plane_at[0] = row.len() - 1;
            row.text(&tables.state(self.state)[1]);
            row.text(lane);
            before.plane_at[1] = row.len() - 1;
            row.text(&tables.state_bases[self.state.index()]);
            row.length(&mut before.durations, self.end - self.start);
            row.put(b"\n");
            before.len = row.len();
        });
        before.row = (self.plane.0 < 10).then_some(*self);
    }

    fn handed_on(before: &mut SegmentBefore) {
        before.row = None;
    }
}

impl CsvRow for TouchRow {
    type Before = ();

    fn append(&self, tables: &CsvTables, (): &mut (), lines: &mut LineBuffer) {
        lines.row(tables.room, |row| {
            row.slice(self.touch.name().as_bytes());
            row.text(&tables.cell_types[self.cell_type]);
            row.integer(self.die.0.into());
            row.next_integer(self.block.0.into());
            row.next_integer(self.page.0.into());
            row.next_integer(self.count);
            row.put(b"\n");
        });
    }
}

impl CsvRow for InputTimeRow {
    type Before = ();

    fn append(&self, tables: &CsvTables, (): &mut (), lines: &mut LineBuffer) {
        lines.row(tables.room, |row| {
            row.text(&tables.state(self.state)[0]);
            row.text(&tables.keys[self.key_used][1]);
            row.text(&tables.keys[self.key_virtual][1]);
            row.text(&tables.op_names[self.op]);
            row.hundredths(self.hundredths as u8);
            row.next_integer(self.count);
            row.put(b"\n");
        });
    }
}

impl CsvRow for ProposalRow {
    type Before = Head;

    fn append(&self, tables: &CsvTables, time: &mut Head, lines: &mut LineBuffer) {
        lines.row(tables.room, |row| {
            row.text(&tables.keys[self.key_used][0]);
            row.text(&tables.keys[self.key_virtual][1]);
            row.text(&tables.die_plane(self.die, self.plane)[0]);
            row.put(b",");
            row.us(time, self.time);
            row.text(&tables.op_names[self.op]);
            row.integer(self.count);
            row.put(b"\n");
        });
    }
}
