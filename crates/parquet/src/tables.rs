//! Turning the rows of the five other tables into columns.

use std::io;
use std::sync::Arc;

use arrow_array::{ArrayRef, Int16Array, Int32Array};
use nandseq_output::row_values::{NameKind, RowValue, ValueRow};
use nandseq_trace::table::ColumnType;

use crate::columns::{ColumnNames, FRACTION, US, decimals, dictionary, large, number};

/// Some rows as columns.
pub(crate) fn columns<R: ValueRow>(names: &ColumnNames, rows: &[R]) -> io::Result<Vec<ArrayRef>> {
    let types = R::TABLE.file().columns().types;
    let mut columns: Vec<Column> = types.iter().map(|_| Column::default()).collect();
    for row in rows {
        for (column, value) in columns.iter_mut().zip(row.values(&names.values)) {
            column.push(value);
        }
    }
    columns.into_iter().zip(types).map(|(column, of)| column.array(*of, names)).collect()
}

/// The values of a column, which are all of one type.
#[derive(Default)]
struct Column {
    small: Vec<i32>,
    /// Counts, and decimals in units of their last digit.
    large: Vec<u64>,
    names: Vec<Option<i16>>,
    of: Option<NameKind>,
}

impl Column {
    fn push(&mut self, value: RowValue) {
        match value {
            // Addresses are below 2^31.
            RowValue::Address(number) => self.small.push(number as i32),
            RowValue::Count(number) => self.large.push(number),
            RowValue::Time(time) => self.large.push(time.0),
            RowValue::Fraction(hundredths) => self.large.push(hundredths.into()),
            RowValue::Name(of, name) => {
                self.of = Some(of);
                self.names.push(Some(number(name)));
            }
            RowValue::Nothing => self.names.push(None),
        }
    }

    fn array(self, of: ColumnType, names: &ColumnNames) -> io::Result<ArrayRef> {
        let units = self.large.iter().map(|&units| units.into());
        match of {
            ColumnType::Address => Ok(Arc::new(Int32Array::from(self.small))),
            ColumnType::Count => large(self.large.into_iter()),
            ColumnType::Time | ColumnType::ScaledTime => decimals(units, US),
            ColumnType::Fraction => decimals(units, FRACTION),
            // A column without a name has no rows, or the names that may be absent.
            ColumnType::Name | ColumnType::OptionalName | ColumnType::Payload => {
                dictionary(Int16Array::from(self.names), names.of(self.of.unwrap_or(NameKind::Source)))
            }
        }
    }
}
