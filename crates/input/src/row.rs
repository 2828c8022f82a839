//! A row of a sequence file as it is read, and what can be wrong with it.

use nandseq_profile::model::PayloadField;
use nandseq_profile::units::TimeError;
use nandseq_profile::{CellTypeId, OpId, Profile, Ticks};
use nandseq_trace::table::OPERATION_SEQUENCE;
use nandseq_trace::{Operation, Status};

/// The columns of a sequence file, in order.
pub const COLUMNS: &[&str] = OPERATION_SEQUENCE.names;

/// The longest line that is read, bytes; a multi-plane row of the widest device needs about 1,000.
pub const MAX_LINE: usize = 1 << 16;

/// A row of a sequence file.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// Number of the row within the file, from 1, the header not counted.
    pub row: u64,
    /// What the `seq` column says.
    pub seq: u64,
    /// When the operation starts.
    pub time: Ticks,
    /// What the `op_id` column says.
    pub opcode: u64,
    /// Which command.
    pub op: OpId,
    /// What the `op_uid` column says.
    pub uid: u64,
    /// One entry per payload object, as far as the payload could be read.
    pub targets: &'a [Addressed],
    /// What is wrong with the payload, if anything; the first fault only.
    pub fault: Option<&'a PayloadFault>,
}

/// What one payload object says. Numbers are as written: nothing says yet that the device has such a die.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Addressed {
    /// The fields that are there, each readable.
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
    /// `exp_val`
    pub status: Option<Status>,
}

/// A set of payload fields, one bit each.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct FieldSet(u8);

impl FieldSet {
    /// Adds a field.
    pub const fn insert(&mut self, field: PayloadField) {
        self.0 |= 1 << field as u8;
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
    /// What a sink is told of the `at`-th target of an operation, as if it had been written and read back.
    #[must_use]
    pub fn of(profile: &Profile, operation: &Operation<'_>, at: usize) -> Self {
        let fields = &profile.bases[profile.ops[operation.op].base].payload;
        let target = &operation.targets[at];
        let has = |field| fields.contains(&field);
        let mut set: FieldSet = fields.iter().copied().collect();
        if operation.status.is_none() {
            set.0 &= !(1 << PayloadField::ExpectedStatus as u8);
        }
        Self {
            fields: set,
            die: i64::from(target.die.0),
            plane: i64::from(target.plane.0),
            block: i64::from(target.block.0),
            page: i64::from(target.page.0),
            cell_type: has(PayloadField::CellType).then_some(target.cell_type),
            status: operation.status.filter(|_| has(PayloadField::ExpectedStatus)),
        }
    }
}

/// Why a row cannot be understood at all.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RowFault {
    /// Longer than [`MAX_LINE`].
    #[error("the line is longer than {MAX_LINE} bytes")]
    TooLong,
    /// Not six columns.
    #[error("the row has {found} column{} instead of 6", if *found == 1 { "" } else { "s" })]
    Columns {
        /// How many there are.
        found: usize,
    },
    /// A quote that is not closed, not doubled, or in the middle of a field.
    #[error("the quotes of the row do not match")]
    Quotes,
    /// A column that should hold a whole number does not.
    #[error("column '{column}' holds no whole number")]
    NotANumber {
        /// Which column.
        column: &'static str,
    },
    /// The time is no time.
    #[error("column 'time': {0}")]
    Time(TimeError),
    /// No operation of the profile has this name.
    #[error("the profile has no operation '{0}'")]
    UnknownOp(String),
}

/// What is wrong with the payload of a row that can be understood otherwise.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PayloadFault {
    /// Not a JSON array of flat objects.
    #[error("the payload is no JSON array of flat objects")]
    NotJson,
    /// An array without objects.
    #[error("the payload has no object; an operation without fields is written as [{{}}]")]
    Empty,
    /// A field of the base is absent.
    #[error("payload field '{0}' is missing")]
    Missing(&'static str),
    /// A field the base does not have, or that no base has.
    #[error("payload field '{0}' does not belong to this operation")]
    Superfluous(String),
    /// A field that is there twice.
    #[error("payload field '{0}' is given twice")]
    Duplicate(&'static str),
    /// A value of the wrong type, or a name that means nothing.
    #[error("payload field '{field}' cannot be {value}")]
    Value {
        /// Which field.
        field: &'static str,
        /// The value as written.
        value: String,
    },
}

/// A row that could not be understood.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BadRow {
    /// Number of the row within the file, from 1, the header not counted.
    pub row: u64,
    /// What the `seq` column says, if that much is readable.
    pub seq: Option<u64>,
    /// Why.
    pub fault: RowFault,
}
