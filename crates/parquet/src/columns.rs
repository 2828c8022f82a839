//! Arrow columns of the types that tables have.

use std::io;
use std::sync::Arc;

use arrow_array::types::Int16Type;
use arrow_array::{ArrayRef, Decimal64Array, DictionaryArray, Int16Array, Int64Array, StringArray};
use arrow_schema::{DataType, Field, FieldRef, Fields};
use nandseq_output::row_values::{NameKind, ValueNames};
use nandseq_trace::table::{ColumnType, Columns};

/// A type of decimal numbers of 64 bits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Decimals {
    /// The number of digits, at most 18.
    pub(crate) digits: u8,
    /// The number of digits behind the point.
    pub(crate) behind: i8,
}

impl Decimals {
    fn data_type(self) -> DataType {
        DataType::Decimal64(self.digits, self.behind)
    }
}

/// The type of times in µs, below 10^12 µs (11.5 days).
pub(crate) const US: Decimals = Decimals { digits: 18, behind: 6 };
/// The type of fractions of a phase.
pub(crate) const FRACTION: Decimals = Decimals { digits: 3, behind: 2 };

/// The dictionaries of names, which columns refer to by number.
#[derive(Clone, Debug)]
pub(crate) struct ColumnNames {
    pub(crate) values: ValueNames,
    dictionaries: [ArrayRef; NameKind::ALL.len()],
}

impl ColumnNames {
    pub(crate) fn new(values: ValueNames) -> Self {
        let strings = |kind| Arc::new(StringArray::from_iter_values(values.of(kind))) as ArrayRef;
        Self { dictionaries: NameKind::ALL.map(strings), values }
    }

    /// The names of a kind.
    pub(crate) fn of(&self, kind: NameKind) -> &ArrayRef {
        &self.dictionaries[kind as usize]
    }
}

/// An id as a number of a dictionary. Ids of every kind are below 16,384.
pub(crate) const fn number(id: usize) -> i16 {
    id as i16
}

/// A column of names by their numbers.
pub(crate) fn dictionary(numbers: Int16Array, names: &ArrayRef) -> io::Result<ArrayRef> {
    let array = DictionaryArray::<Int16Type>::try_new(numbers, Arc::clone(names)).map_err(io::Error::other)?;
    Ok(Arc::new(array))
}

/// A column of 64-bit numbers. A number beyond 63 bits is an error.
pub(crate) fn large(values: impl Iterator<Item = u64>) -> io::Result<ArrayRef> {
    let values = values.map(|value| i64::try_from(value).map_err(|_| too_large("a number beyond 63 bits")));
    Ok(Arc::new(Int64Array::from(values.collect::<io::Result<Vec<i64>>>()?)))
}

/// A column of decimals, given in units of their last digit. A number with too many digits is an error.
pub(crate) fn decimals(units: impl Iterator<Item = u128>, of: Decimals) -> io::Result<ArrayRef> {
    let limit = 10i64.pow(u32::from(of.digits));
    let units = units.map(|units| {
        let units = i64::try_from(units).ok().filter(|&units| units < limit);
        units.ok_or_else(|| too_large("a time of more than 18 digits (10^12 µs, 11.5 days)"))
    });
    let array = Decimal64Array::from(units.collect::<io::Result<Vec<i64>>>()?);
    Ok(Arc::new(array.with_precision_and_scale(of.digits, of.behind).map_err(io::Error::other)?))
}

fn too_large(what: &str) -> io::Error {
    let message = format!("{what} does not fit a Parquet column of these tables; write CSV, or fewer or shorter runs");
    io::Error::new(io::ErrorKind::InvalidData, message)
}

/// The Arrow fields of the columns of a table. `time` is the type of a scaled time.
pub(crate) fn fields(columns: Columns, time: Decimals) -> Vec<Field> {
    let field = |(&name, &of): (&&str, &ColumnType)| {
        let names = || DataType::Dictionary(Box::new(DataType::Int16), Box::new(DataType::Utf8));
        let (data_type, may_be_absent) = match of {
            ColumnType::Address => (DataType::Int32, false),
            ColumnType::Count => (DataType::Int64, false),
            ColumnType::Time => (US.data_type(), false),
            ColumnType::ScaledTime => (time.data_type(), false),
            ColumnType::Fraction => (FRACTION.data_type(), false),
            ColumnType::Name => (names(), false),
            ColumnType::OptionalName => (names(), true),
            ColumnType::Payload => (DataType::List(payload_element()), false),
        };
        Field::new(name, data_type, may_be_absent)
    };
    columns.names.iter().zip(columns.types).map(field).collect()
}

/// The element type of the payload column: a target.
pub(crate) fn payload_element() -> FieldRef {
    Arc::new(Field::new("element", DataType::Struct(payload_fields()), false))
}

/// The fields of a target. A field that an operation does not have is null.
pub(crate) fn payload_fields() -> Fields {
    let number = |name| Field::new(name, DataType::Int32, true);
    let text = |name| Field::new_dictionary(name, DataType::Int16, DataType::Utf8, true);
    ["die", "plane", "block", "page"].map(number).into_iter().chain(["celltype", "exp_val"].map(text)).collect()
}

/// Whether a column has integers or decimals.
pub(crate) fn is_number(column: &DataType) -> bool {
    column.is_integer() || column.is_decimal()
}

/// Whether a column has names.
pub(crate) fn is_name(column: &DataType) -> bool {
    matches!(column, DataType::Dictionary(..))
}

/// The path of every column whose type fits, also inside lists and structs.
pub(crate) fn paths(fields: &Fields, fits: fn(&DataType) -> bool) -> Vec<Vec<String>> {
    fields.iter().flat_map(|field| paths_of(field, fits)).collect()
}

fn paths_of(field: &FieldRef, fits: fn(&DataType) -> bool) -> Vec<Vec<String>> {
    let inner = if let DataType::List(element) = field.data_type() {
        let prefix = |mut path: Vec<String>| {
            path.insert(0, "list".to_owned());
            path
        };
        paths_of(element, fits).into_iter().map(prefix).collect()
    } else if let DataType::Struct(fields) = field.data_type() {
        paths(fields, fits)
    } else if fits(field.data_type()) {
        vec![Vec::new()]
    } else {
        Vec::new()
    };
    let own = |mut path: Vec<String>| {
        path.insert(0, field.name().clone());
        path
    };
    inner.into_iter().map(own).collect()
}
