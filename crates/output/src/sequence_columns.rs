//! `operation_sequence` as columns: operations in order of start, with the payload as a list of structs.
//!
//! A format gathers some rows in [`SequenceRows`] and writes their columns. A field that the payload of an operation does not have is null. An
//! operation without fields has one struct of nulls.

use nandseq_profile::model::{Axis, ByAxis, PayloadField, StatusField};
use nandseq_profile::{IdVec, OpId, Profile, Target};
use nandseq_trace::time_column::{TimeColumn, TimeColumnError};
use nandseq_trace::{Operation, Status};

use crate::row_values::NameKind;
use crate::stored_types::{DecimalType, PayloadColumns};

/// The parts of rows that depend on the profile only.
#[derive(Clone, Debug)]
pub struct SequencePlan {
    time: TimeColumn,
    /// Units of the last decimal of the stored column in one unit of the last decimal of `time`. The stored column has at least
    /// six decimals.
    factor: u128,
    /// The type of the start time.
    pub decimals: DecimalType,
    /// The fields of the payload.
    pub payload: PayloadColumns,
    /// The fields of an expected status that is a list; empty for one that is a word.
    pub status: Vec<StatusField>,
    ops: IdVec<OpId, OpColumns>,
}

/// What the columns of an op name hold.
#[derive(Clone, Copy, Debug)]
struct OpColumns {
    opcode: u64,
    /// The fields of its payload, as a bit for each.
    fields: u8,
}

const fn bit(field: PayloadField) -> u8 {
    1 << field as u8
}

impl SequencePlan {
    /// Prepares the sequences of a profile.
    ///
    /// # Errors
    /// If the profile's time scale or number of decimals is out of range, or too coarse for its start times.
    pub fn new(profile: &Profile) -> Result<Self, TimeColumnError> {
        let time = TimeColumn::of(profile)?;
        // `time` has at most nine decimals.
        let behind = (time.decimals() as u8).max(DecimalType::US.behind);
        let factor = 10u128.pow(u32::from(behind) - time.decimals());
        let ops = profile.ops.iter().map(|op| {
            let payload = &profile.bases[op.base].payload;
            OpColumns { opcode: op.opcode.into(), fields: payload.iter().fold(0, |all, &field| all | bit(field)) }
        });
        Ok(Self {
            ops: ops.collect(),
            time,
            factor,
            decimals: DecimalType { behind, ..DecimalType::US },
            payload: PayloadColumns::of(profile),
            status: profile.export.status.clone(),
        })
    }

    /// The number that the profile gives an operation.
    #[must_use]
    pub fn opcode(&self, op: OpId) -> u64 {
        self.ops[op].opcode
    }
}

/// Rows of a sequence that are gathered to become columns.
#[derive(Default, Debug)]
pub struct SequenceRows {
    /// The operations.
    pub rows: Vec<GatheredOperation>,
    /// Their targets, one after another.
    pub structs: Vec<PayloadStruct>,
}

/// An operation without its targets.
#[derive(Clone, Copy, Debug)]
pub struct GatheredOperation {
    /// The number of the row.
    pub seq: u64,
    /// The start in units of the last decimal of the column.
    pub time: u64,
    /// The op name.
    pub op: OpId,
    /// The operation's number within the site.
    pub uid: u64,
}

/// A struct of a payload, or the place of a list without any.
#[derive(Clone, Copy, Debug)]
pub struct PayloadStruct {
    target: Target,
    status: Option<Status>,
    suspended: ByAxis<bool>,
    data: Option<u64>,
    /// The fields of the payload.
    fields: u8,
    /// Whether the list has no struct.
    pub is_none: bool,
    /// Whether the list began before.
    pub goes_on: bool,
}

impl PayloadStruct {
    /// The number of a field, or the number of its name; `None` if the field is null, or a list of words.
    #[must_use]
    pub fn value(&self, field: PayloadField) -> Option<u64> {
        let value = match field {
            PayloadField::Die => Some(self.target.die.0.into()),
            PayloadField::Plane => Some(self.target.plane.0.into()),
            PayloadField::Block => Some(self.target.block.0.into()),
            PayloadField::Page => Some(self.target.page.0.into()),
            PayloadField::CellType => Some(self.target.cell_type.index() as u64),
            PayloadField::ExpectedStatus => self.status.map(|status| status as u64),
            PayloadField::Data => self.data,
        };
        value.filter(|_| self.fields & bit(field) != 0)
    }

    /// The words of an expected status that is a list, by their numbers among [`NameKind::Status`]; none without a status.
    pub fn words<'f>(&self, fields: &'f [StatusField]) -> impl Iterator<Item = u64> + use<'f> {
        let suspended = self.suspended;
        let status = self.status.filter(|_| self.fields & bit(PayloadField::ExpectedStatus) != 0);
        let of_axis = move |axis: Axis| 3 + 2 * axis as u64 + u64::from(suspended[axis]);
        let word = move |field: &StatusField| match field {
            StatusField::Ready => status.map_or(0, |status| status as u64),
            StatusField::EraseSuspend => of_axis(Axis::Erase),
            StatusField::ProgramSuspend => of_axis(Axis::Program),
        };
        fields.iter().take(if status.is_some() { fields.len() } else { 0 }).map(word)
    }
}

/// What the names of a field of a payload are of; `None` for a field of numbers.
#[must_use]
pub const fn names_of_field(field: PayloadField) -> Option<NameKind> {
    match field {
        PayloadField::CellType => Some(NameKind::CellType),
        PayloadField::ExpectedStatus => Some(NameKind::Status),
        PayloadField::Die | PayloadField::Plane | PayloadField::Block | PayloadField::Page | PayloadField::Data => None,
    }
}

impl SequenceRows {
    /// Adds an operation.
    pub fn push(&mut self, plan: &SequencePlan, operation: &Operation<'_>) {
        let OpColumns { fields, .. } = plan.ops[operation.op];
        // A time that does not fit 64 bits does not fit the column either.
        let time = u64::try_from(plan.time.units(operation.start) * plan.factor).unwrap_or(u64::MAX);
        self.rows.push(GatheredOperation { seq: operation.seq, time, op: operation.op, uid: operation.uid });
        let first = PayloadStruct {
            target: Target::default(),
            status: operation.status,
            suspended: operation.suspended,
            data: None,
            fields,
            is_none: false,
            goes_on: false,
        };
        match operation.targets {
            targets if !targets.is_empty() && fields != 0 => {
                let data = |at| operation.data.get(at).copied().flatten();
                let with = |(at, &target)| PayloadStruct { target, data: data(at), goes_on: at > 0, ..first };
                self.structs.extend(targets.iter().enumerate().map(with));
            }
            _ => self.structs.push(PayloadStruct { is_none: fields != 0, ..first }),
        }
    }
}
