//! Sequences in memory, and as the rows of a file.

use std::io::{self, BufRead};

use nandseq_input::{Addressed, BadRow, ReadError, SequenceReader};
use nandseq_profile::model::{Axis, PayloadField, StatusField};
use nandseq_profile::{OpId, Profile, Ticks};
use nandseq_trace::suspension_words;

/// A row of a sequence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SequenceRow {
    /// When it starts.
    pub time: Ticks,
    /// The operation.
    pub op: OpId,
    /// Its `op_uid`.
    pub uid: u64,
    /// Its targets.
    pub targets: Vec<Addressed>,
}

/// A sequence.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Sequence {
    /// Its rows, in order.
    pub rows: Vec<SequenceRow>,
}

/// Why a sequence cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SequenceError {
    /// The file cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A row cannot be understood.
    #[error("row {}: {}", .0.row, .0.fault)]
    Row(BadRow),
}

impl From<io::Error> for SequenceError {
    fn from(error: io::Error) -> Self {
        Self::Read(ReadError::Io(error))
    }
}

impl Sequence {
    /// Reads at most `rows` rows of a file.
    ///
    /// # Errors
    /// [`SequenceError`] when it cannot be read or understood.
    pub fn read<R: BufRead>(profile: &Profile, input: R, rows: usize) -> Result<Self, SequenceError> {
        let mut reader = SequenceReader::new(profile, input)?;
        let mut sequence = Self::default();
        while sequence.rows.len() < rows
            && let Some(row) = reader.next_row()?
        {
            let row = row.map_err(SequenceError::Row)?;
            let targets = row.targets.to_vec();
            sequence.rows.push(SequenceRow { time: row.time, op: row.op, uid: row.uid, targets });
        }
        Ok(sequence)
    }
}

/// A row as it is written, with its exact time.
pub(crate) fn line(profile: &Profile, seq: u64, record: &SequenceRow) -> String {
    let op = &profile.ops[record.op];
    let objects: Vec<String> = record.targets.iter().map(|target| object(profile, record.op, target)).collect();
    let payload = format!("[{}]", objects.join(",")).replace('"', "\"\"");
    format!("{seq},{},{},{},{},\"{payload}\"", record.time.to_us_text(), op.opcode, op.name, record.uid)
}

/// An expected status: a word, or a list of the words of some fields.
fn expected(fields: &[StatusField], target: &Addressed) -> String {
    let status = format!("\"{}\"", target.status.map_or("", nandseq_trace::Status::name));
    let of_axis = |axis| {
        let word = target.suspended[axis].map_or("", |is_so| suspension_words(axis)[usize::from(is_so)]);
        format!("\"{word}\"")
    };
    let word = |field: &StatusField| match field {
        StatusField::Ready => status.clone(),
        StatusField::EraseSuspend => of_axis(Axis::Erase),
        StatusField::ProgramSuspend => of_axis(Axis::Program),
    };
    if fields.is_empty() { status } else { format!("[{}]", fields.iter().map(word).collect::<Vec<_>>().join(",")) }
}

fn object(profile: &Profile, op: OpId, target: &Addressed) -> String {
    let base = &profile.bases[profile.ops[op].base];
    let known = |field: PayloadField| base.payload_has(field);
    let given = PayloadField::ALL.into_iter().filter(|field| target.fields.contains(*field));
    // A field that the base does not have is written too: that is one of the damages.
    let (own, other): (Vec<_>, Vec<_>) = given.partition(|field| known(*field));
    let text = |field: PayloadField| {
        let value = match field {
            PayloadField::Die => target.die.to_string(),
            PayloadField::Plane => target.plane.to_string(),
            PayloadField::Block => target.block.to_string(),
            PayloadField::Page => target.page.to_string(),
            PayloadField::CellType => {
                let name = target.cell_type.map(|id| profile.cell_types[id].name.as_str());
                format!("\"{}\"", name.unwrap_or_default())
            }
            PayloadField::ExpectedStatus => expected(&profile.export.status, target),
            PayloadField::Data => target.data.to_string(),
        };
        format!("\"{}\":{value}", field.name())
    };
    let fields: Vec<String> = own.into_iter().chain(other).map(text).collect();
    format!("{{{}}}", fields.join(","))
}
