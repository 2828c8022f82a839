//! The types of the columns of a table in formats whose columns have types: one definition for Parquet files and for Arrow in memory.
//!
//! Names are strings, times are exact decimals in µs, counts and addresses are signed integers, which every reader knows, and the payload is
//! a list of structs. Leaves out how a format encodes them.

use nandseq_profile::Profile;
use nandseq_profile::model::PayloadField;
use nandseq_trace::table::ColumnType;

/// A type of decimal numbers of at most 64 bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DecimalType {
    /// The number of digits, at most 18.
    pub digits: u8,
    /// The number of digits behind the point.
    pub behind: u8,
}

impl DecimalType {
    /// The type of times in µs, below 10^12 µs (11.5 days).
    pub const US: Self = Self { digits: 18, behind: 6 };
    /// The type of fractions of a phase.
    const FRACTION: Self = Self { digits: 3, behind: 2 };
}

/// The type of the values of a column that is no payload.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StoredType {
    /// A signed integer of 32 bits.
    Int32,
    /// A signed integer of 64 bits.
    Int64,
    /// A decimal.
    Decimal(DecimalType),
    /// A text.
    Text,
    /// A text that may be absent.
    OptionalText,
}

impl StoredType {
    /// The type of a column; `None` for a payload, whose fields [`PayloadColumns`] lists. `time` is the type of a scaled time.
    #[must_use]
    pub const fn of(column: ColumnType, time: DecimalType) -> Option<Self> {
        Some(match column {
            ColumnType::Address => Self::Int32,
            ColumnType::Count => Self::Int64,
            ColumnType::Time => Self::Decimal(DecimalType::US),
            ColumnType::ScaledTime => Self::Decimal(time),
            ColumnType::Fraction => Self::Decimal(DecimalType::FRACTION),
            ColumnType::Name => Self::Text,
            ColumnType::OptionalName => Self::OptionalText,
            ColumnType::Payload => return None,
        })
    }
}

/// The type of a field of a payload, which an operation may lack.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PayloadType {
    /// A signed integer of 32 bits.
    Int32,
    /// A signed integer of 64 bits.
    Int64,
    /// A text.
    Text,
    /// A list of texts.
    TextList,
}

/// What the structs of a payload have beside the fields of every profile.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct PayloadColumns {
    /// Whether they have data.
    data: bool,
    /// Whether an expected status is a list of words.
    status_is_list: bool,
}

impl PayloadColumns {
    /// The payloads of a profile.
    #[must_use]
    pub fn of(profile: &Profile) -> Self {
        Self { data: profile.expects_data(), status_is_list: !profile.export.status.is_empty() }
    }

    /// The fields, in order, with their types.
    pub fn fields(self) -> impl Iterator<Item = (PayloadField, PayloadType)> {
        let is_there = move |field: &PayloadField| self.data || *field != PayloadField::Data;
        PayloadField::ALL.into_iter().filter(is_there).map(move |field| (field, self.of_field(field)))
    }

    const fn of_field(self, field: PayloadField) -> PayloadType {
        match field {
            PayloadField::Die | PayloadField::Plane | PayloadField::Block | PayloadField::Page => PayloadType::Int32,
            PayloadField::ExpectedStatus if self.status_is_list => PayloadType::TextList,
            PayloadField::CellType | PayloadField::ExpectedStatus => PayloadType::Text,
            PayloadField::Data => PayloadType::Int64,
        }
    }
}
