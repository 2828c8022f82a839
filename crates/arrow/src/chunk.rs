//! Some rows of a table as columns: names as numbers, decimals in 64 bits. They become Arrow arrays when somebody reads them.

use std::io;
use std::sync::Arc;

use arrow_array::{ArrayRef, Decimal128Array, Int32Array, Int64Array, ListArray, StringArray, StructArray};
use arrow_buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, DataType};
use nandseq_output::row_values::{NameKind, ValueNames};
use nandseq_output::stored_types::{DecimalType, PayloadColumns, StoredType};

use crate::columns::{element, fields};

/// The number of rows of a record batch.
pub(crate) const BATCH: usize = 64 * 1024;
/// The first number that does not fit a signed integer of 64 bits.
const LIMIT: u64 = 1 << 63;

/// A column that takes values.
#[derive(Clone, Debug)]
pub(crate) struct HeldColumn {
    values: Values,
    /// For each row, whether it has a value; empty in columns in which nothing may be absent.
    present: Vec<bool>,
    /// Whether a number did not fit the column.
    is_beyond: bool,
}

#[derive(Clone, Debug)]
enum Values {
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    Decimal(DecimalType, Vec<i64>),
    /// Numbers of names, and what the names are of, once the first have come.
    Names(Option<NameKind>, Vec<u16>),
}

impl HeldColumn {
    pub(crate) const fn new(of: StoredType) -> Self {
        let values = match of {
            StoredType::Int32 => Values::Int32(Vec::new()),
            StoredType::Int64 => Values::Int64(Vec::new()),
            StoredType::Decimal(of) => Values::Decimal(of, Vec::new()),
            StoredType::Text | StoredType::OptionalText => Values::Names(None, Vec::new()),
        };
        Self { values, present: Vec::new(), is_beyond: false }
    }

    /// Says what the names of the column are of.
    pub(crate) const fn of(&mut self, of: NameKind) -> &mut Self {
        if let Values::Names(kind, _) = &mut self.values {
            *kind = Some(of);
        }
        self
    }

    /// Adds values: numbers, or the numbers of names.
    pub(crate) fn extend(&mut self, added: impl Iterator<Item = u64>) {
        let is_beyond = &mut self.is_beyond;
        let mut below = |value: u64, limit: u64| {
            *is_beyond |= value >= limit;
            value as i64
        };
        match &mut self.values {
            Values::Int32(values) => values.extend(added.map(|value| below(value, 1 << 31) as i32)),
            Values::Int64(values) => values.extend(added.map(|value| below(value, LIMIT))),
            Values::Decimal(of, values) => {
                let limit = 10u64.pow(of.digits.into());
                values.extend(added.map(|value| below(value, limit)));
            }
            // Ids of every kind are below 16,384.
            Values::Names(_, values) => values.extend(added.map(|value| value as u16)),
        }
    }

    /// Adds values that may be absent.
    pub(crate) fn extend_optional(&mut self, added: impl Iterator<Item = Option<u64>>) {
        let mut present = std::mem::take(&mut self.present);
        self.extend(added.map(|value| {
            present.push(value.is_some());
            value.unwrap_or(0)
        }));
        self.present = present;
    }

    /// Checks that all values fit.
    ///
    /// # Errors
    /// For the first number that does not.
    pub(crate) fn check(&self) -> io::Result<()> {
        if !self.is_beyond {
            return Ok(());
        }
        let what = match self.values {
            Values::Decimal(..) => "a time of more than 18 digits (10^12 µs, 11.5 days)",
            Values::Int32(_) | Values::Int64(_) | Values::Names(..) => "a number beyond 63 bits",
        };
        let message =
            format!("{what} does not fit an Arrow column of these tables; write CSV, or fewer or shorter runs");
        Err(io::Error::new(io::ErrorKind::InvalidData, message))
    }

    fn array(&self, names: &ValueNames) -> Result<ArrayRef, ArrowError> {
        let nulls = (!self.present.is_empty()).then(|| NullBuffer::from(self.present.clone()));
        Ok(match &self.values {
            Values::Int32(values) => Arc::new(Int32Array::try_new(values.clone().into(), nulls)?),
            Values::Int64(values) => Arc::new(Int64Array::try_new(values.clone().into(), nulls)?),
            Values::Decimal(of, values) => {
                let wide: ScalarBuffer<i128> = values.iter().copied().map(i128::from).collect();
                let array = Decimal128Array::try_new(wide, nulls)?;
                Arc::new(array.with_precision_and_scale(of.digits, of.behind as i8)?)
            }
            Values::Names(kind, numbers) => {
                let of = kind.map_or(&[][..], |kind| names.of(kind));
                let name = |(at, &number): (usize, &u16)| {
                    self.present.get(at).is_none_or(|is_there| *is_there).then(|| of[usize::from(number)].as_str())
                };
                let texts = numbers.iter().enumerate().map(name);
                if self.present.is_empty() {
                    Arc::new(StringArray::from_iter_values(texts.flatten()))
                } else {
                    Arc::new(texts.collect::<StringArray>())
                }
            }
        })
    }
}

/// A column of the payloads of a sequence.
#[derive(Clone, Debug)]
pub(crate) struct HeldPayloads {
    columns: PayloadColumns,
    /// Where the structs of each row end.
    pub(crate) ends: Vec<i32>,
    /// A column for each field.
    pub(crate) fields: Vec<HeldField>,
}

/// A field of a payload.
#[derive(Clone, Debug)]
pub(crate) enum HeldField {
    /// One value in each struct.
    One(HeldColumn),
    /// A list of texts in each struct.
    List {
        /// Where the texts of each struct end.
        ends: Vec<i32>,
        /// Whether the struct has a list.
        present: Vec<bool>,
        texts: HeldColumn,
    },
}

impl HeldPayloads {
    pub(crate) const fn new(columns: PayloadColumns, fields: Vec<HeldField>) -> Self {
        Self { columns, ends: Vec::new(), fields }
    }

    fn array(&self, names: &ValueNames) -> Result<ArrayRef, ArrowError> {
        let of = |field: &HeldField| match field {
            HeldField::One(column) => column.array(names),
            HeldField::List { ends, present, texts } => {
                let nulls = Some(NullBuffer::from(present.clone()));
                let list = ListArray::try_new(element(DataType::Utf8), offsets(ends), texts.array(names)?, nulls)?;
                Ok(Arc::new(list) as ArrayRef)
            }
        };
        let arrays = self.fields.iter().map(of).collect::<Result<Vec<_>, _>>()?;
        let fields = fields(self.columns);
        let structs = StructArray::try_new(fields.clone(), arrays, None)?;
        let item = element(DataType::Struct(fields));
        Ok(Arc::new(ListArray::try_new(item, offsets(&self.ends), Arc::new(structs), None)?))
    }
}

/// The offsets of lists that end there.
fn offsets(ends: &[i32]) -> OffsetBuffer<i32> {
    OffsetBuffer::new(std::iter::once(0).chain(ends.iter().copied()).collect())
}

/// Some rows of a table.
#[derive(Clone, Debug)]
pub(crate) struct TableChunk {
    pub(crate) columns: Vec<HeldColumn>,
    /// The payloads, which are the last column of a sequence.
    pub(crate) payloads: Option<HeldPayloads>,
    pub(crate) rows: usize,
}

impl TableChunk {
    /// The columns as Arrow arrays.
    pub(crate) fn arrays(&self, names: &ValueNames) -> Result<Vec<ArrayRef>, ArrowError> {
        let flat = self.columns.iter().map(|column| column.array(names));
        flat.chain(self.payloads.iter().map(|payloads| payloads.array(names))).collect()
    }

    /// Checks that all values fit their columns.
    ///
    /// # Errors
    /// For the first that does not.
    pub(crate) fn check(&self) -> io::Result<()> {
        self.columns.iter().try_for_each(HeldColumn::check)
    }
}
