//! The rows of a sequence file, and their faults.

use nandseq_profile::model::{Axis, ByAxis, PayloadField, StatusField};
use nandseq_profile::units::TimeError;
use nandseq_profile::{CellTypeId, OpId, Profile, Ticks};
use nandseq_trace::table::OPERATION_SEQUENCE;
use nandseq_trace::{Operation, Status};

/// The columns of a sequence file, in order.
pub const COLUMNS: &[&str] = OPERATION_SEQUENCE.names;

/// The longest line that is read, in bytes. A multi-plane row of the widest device needs about 1,000.
pub const MAX_LINE: usize = 1 << 16;

/// A row of a sequence file.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// The number of the row within the file, from 1, without the header.
    pub row: u64,
    /// The value of the `seq` column.
    pub seq: u64,
    /// When the operation starts.
    pub time: Ticks,
    /// The value of the `op_id` column.
    pub opcode: u64,
    /// The op name.
    pub op: OpId,
    /// The value of the `op_uid` column.
    pub uid: u64,
    /// An entry for each object of the payload, as far as the payload could be read.
    pub targets: &'a [Addressed],
    /// The first fault of the payload, if it has any.
    pub fault: Option<&'a PayloadFault>,
}

/// An object of a payload. Its numbers are as written: the device need not have such an address.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Addressed {
    /// The fields that are present and readable.
    pub fields: FieldSet,
    /// `die`, 0 if absent.
    pub die: i64,
    /// `plane`, 0 if absent.
    pub plane: i64,
    /// `block`, 0 if absent.
    pub block: i64,
    /// `page`, 0 if absent.
    pub page: i64,
    /// `celltype`
    pub cell_type: Option<CellTypeId>,
    /// `exp_val`, or its field `ready`
    pub status: Option<Status>,
    /// The fields of `exp_val` for suspended axes; `None` where it has none.
    pub suspended: ByAxis<Option<bool>>,
    /// `data`, 0 if absent
    pub data: i64,
}

/// A set of payload fields, one bit each.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct FieldSet(u8);

impl FieldSet {
    /// Adds a field.
    pub const fn insert(&mut self, field: PayloadField) {
        self.0 |= 1 << field as u8;
    }

    /// Takes a field out.
    pub const fn remove(&mut self, field: PayloadField) {
        self.0 &= !(1 << field as u8);
    }

    /// Whether the field is in the set.
    #[must_use]
    pub const fn contains(self, field: PayloadField) -> bool {
        self.0 >> field as u8 & 1 == 1
    }

    /// Whether every field of this set is in `other`.
    #[must_use]
    pub const fn is_subset(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }
}

impl FromIterator<PayloadField> for FieldSet {
    fn from_iter<S: IntoIterator<Item = PayloadField>>(fields: S) -> Self {
        let mut set = Self::default();
        for field in fields {
            set.insert(field);
        }
        set
    }
}

impl Addressed {
    /// The target number `at` of an operation, as if it had been written and read back.
    #[must_use]
    pub fn of(profile: &Profile, operation: &Operation<'_>, at: usize) -> Self {
        let fields = &profile.bases[profile.ops[operation.op].base].payload;
        let target = &operation.targets[at];
        let has = |field| fields.contains(&field);
        let mut set: FieldSet = fields.iter().copied().collect();
        if operation.status.is_none() {
            set.remove(PayloadField::ExpectedStatus);
        }
        let data = operation.data.get(at).copied().flatten().filter(|_| has(PayloadField::Data));
        if data.is_none() {
            set.remove(PayloadField::Data);
        }
        let parts = &profile.export.status;
        let is_seen = |field| set.contains(PayloadField::ExpectedStatus) && parts.contains(&field);
        let suspended = |axis| {
            let seen = match axis {
                Axis::Erase => is_seen(StatusField::EraseSuspend),
                Axis::Program => is_seen(StatusField::ProgramSuspend),
            };
            seen.then_some(operation.suspended[axis])
        };
        let has_word = parts.is_empty() || parts.contains(&StatusField::Ready);
        Self {
            fields: set,
            die: i64::from(target.die.0),
            plane: i64::from(target.plane.0),
            block: i64::from(target.block.0),
            page: i64::from(target.page.0),
            cell_type: has(PayloadField::CellType).then_some(target.cell_type),
            status: operation.status.filter(|_| has_word && has(PayloadField::ExpectedStatus)),
            suspended: ByAxis::new(suspended),
            data: data.map_or(0, u64::cast_signed),
        }
    }
}

/// Why a row cannot be read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RowFault {
    /// The line is longer than [`MAX_LINE`].
    #[error("the line is longer than {MAX_LINE} bytes")]
    TooLong,
    /// The row does not have six columns.
    #[error("the row has {found} column{} instead of 6", if *found == 1 { "" } else { "s" })]
    Columns {
        /// The number of its columns.
        found: usize,
    },
    /// A quote that is not closed, not doubled, or in the middle of a field.
    #[error("the quotes of the row do not match")]
    Quotes,
    /// A column that should hold a whole number does not.
    #[error("column '{column}' is not a whole number")]
    NotANumber {
        /// The name of the column.
        column: &'static str,
    },
    /// The `time` column does not have a time.
    #[error("column 'time': {0}")]
    Time(TimeError),
    /// No operation of the profile has this name.
    #[error("the profile has no operation '{0}'")]
    UnknownOp(String),
}

/// The fault of a payload in a row that is readable otherwise.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PayloadFault {
    /// The payload is not a JSON array of flat objects.
    #[error("the payload is not a JSON array of flat objects")]
    NotJson,
    /// A number that begins with a zero too many, which JSON does not allow.
    #[error("the payload is not JSON: the number {0} begins with a zero")]
    LeadingZero(String),
    /// The array has no objects.
    #[error("the payload has no object; an operation without fields is written as [{{}}]")]
    Empty,
    /// A field of the base is absent.
    #[error("payload field '{0}' is missing")]
    Missing(&'static str),
    /// The base does not have this field.
    #[error("payload field '{0}' does not belong to this operation")]
    Superfluous(String),
    /// A field is given twice.
    #[error("payload field '{0}' is given twice")]
    Duplicate(&'static str),
    /// An expected status that is a list has other words than those of its fields.
    #[error("payload field 'exp_val' {0}")]
    Status(String),
    /// A value has the wrong type, or is an unknown name.
    #[error("payload field '{field}' cannot be {value}")]
    Value {
        /// The name of the field.
        field: &'static str,
        /// The value as written.
        value: String,
    },
}

/// A row that cannot be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BadRow {
    /// The number of the row within the file, from 1, without the header.
    pub row: u64,
    /// The value of the `seq` column, if it is readable.
    pub seq: Option<u64>,
    /// The fault.
    pub fault: RowFault,
}
