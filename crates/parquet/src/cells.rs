//! The values of the columns of a Parquet file, some rows at a time.

use parquet::basic::{ConvertedType, LogicalType, Repetition, Type as Physical};
use parquet::column::page::PageReader;
use parquet::column::reader::{ColumnReader, ColumnReaderImpl, get_column_reader};
use parquet::data_type::{ByteArrayType, DataType, FixedLenByteArrayType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::schema::types::{ColumnDescPtr, SchemaDescriptor, Type};

use crate::pages::{CheckedPages, fewer};

/// The most digits of a decimal that fit 128 bits.
const DIGITS: i32 = 38;

/// A column of a table.
pub(crate) enum TableColumn {
    Flat(Box<Cells>),
    /// The fields of the structs in a list, one after another.
    Payload(Vec<Cells>),
}

/// A value.
#[derive(Clone, Copy)]
pub(crate) enum Cell<'c> {
    Text(&'c str),
    Number(i64),
    /// The digits of a decimal as a whole number, and how many are behind the point.
    Decimal(i128, usize),
}

/// The next values of a column that is no list, or of a field in a list of structs.
pub(crate) struct Cells {
    column: ColumnDescPtr,
    /// The name of the column, or of the field.
    pub(crate) name: String,
    /// The position of the column among those that have values.
    pub(crate) leaf: usize,
    values: Values,
    /// For each place, what is there and whether it goes on a list; empty where that is no question.
    definition: Vec<i16>,
    repetition: Vec<i16>,
    /// The next place, and the next value: absent ones have a place only.
    place: usize,
    next: usize,
}

/// Values by their type, with the number of their decimals.
enum Values {
    Text(Leaf<ByteArrayType>),
    Small(Leaf<Int32Type>, Option<usize>),
    Large(Leaf<Int64Type>, Option<usize>),
    Fixed(Leaf<FixedLenByteArrayType>, usize),
    Bytes(Leaf<ByteArrayType>, usize),
}

/// The reader of a row group, and values that it read.
struct Leaf<T: DataType> {
    reader: Option<ColumnReaderImpl<T>>,
    values: Vec<T::T>,
}

impl<T: DataType> Default for Leaf<T> {
    fn default() -> Self {
        Self { reader: None, values: Vec::new() }
    }
}

impl TableColumn {
    /// A column of a file by its name. The error is the type that cannot be read.
    pub(crate) fn of(schema: &SchemaDescriptor, name: &str) -> Result<Self, String> {
        let leaves = (0..schema.num_columns()).filter(|&leaf| schema.get_column_root(leaf).name() == name);
        let cells = leaves.map(|leaf| Cells::new(schema.column(leaf), leaf)).collect::<Result<Vec<_>, _>>()?;
        let Some(root) = cells.first().map(|cells| schema.get_column_root(cells.leaf)) else {
            return Err("nothing".to_owned());
        };
        if root.is_group() {
            return if is_payload(root) { Ok(Self::Payload(cells)) } else { Err(named(root)) };
        }
        match <[Cells; 1]>::try_from(cells) {
            Ok([cells]) if cells.column.max_rep_level() == 0 => Ok(Self::Flat(Box::new(cells))),
            _ => Err(format!("list of {}", named(root))),
        }
    }

    pub(crate) fn cells(&self) -> &[Cells] {
        match self {
            Self::Flat(cells) => std::slice::from_ref(&**cells),
            Self::Payload(fields) => fields,
        }
    }

    pub(crate) fn cells_mut(&mut self) -> &mut [Cells] {
        match self {
            Self::Flat(cells) => std::slice::from_mut(&mut **cells),
            Self::Payload(fields) => fields,
        }
    }
}

/// Whether a column is a list of structs whose fields are no groups, or lists of such fields; at least one is no list.
fn is_payload(root: &Type) -> bool {
    let Some(list) = list_of(root) else { return false };
    let element = match list.get_fields() {
        [element] if element.is_group() => element,
        _ => list,
    };
    let repeats = |field: &Type| field.get_basic_info().repetition() == Repetition::REPEATED;
    let is_plain = |field: &Type| field.is_primitive() && !repeats(field);
    let is_plain_list =
        |field: &Type| list_of(field).is_some_and(|list| matches!(list.get_fields(), [item] if is_plain(item)));
    let fields = element.get_fields();
    (std::ptr::eq(element, list) || !repeats(element))
        && fields.iter().any(|field| is_plain(field))
        && fields.iter().all(|field| is_plain(field) || is_plain_list(field))
}

/// What a list repeats; `None` if the type is no list.
fn list_of(of: &Type) -> Option<&Type> {
    let info = of.get_basic_info();
    let is_list = info.converted_type() == ConvertedType::LIST || info.logical_type_ref() == Some(&LogicalType::List);
    match of.is_group().then(|| of.get_fields())? {
        [list] if is_list && list.is_group() && list.get_basic_info().repetition() == Repetition::REPEATED => {
            Some(list)
        }
        _ => None,
    }
}

/// A type in the words of the format.
fn named(of: &Type) -> String {
    let converted = of.get_basic_info().converted_type();
    if converted != ConvertedType::NONE {
        converted.to_string()
    } else if of.is_group() {
        "struct".to_owned()
    } else {
        of.get_basic_info().logical_type_ref().map_or(of.get_physical_type().to_string(), |of| format!("{of:?}"))
    }
}

impl Cells {
    fn new(column: ColumnDescPtr, leaf: usize) -> Result<Self, String> {
        let values = Values::of(&column).ok_or_else(|| named(column.self_type()))?;
        let path = column.path().parts();
        // A field that is a list of its own has two more names behind its own.
        let behind = if column.max_rep_level() > 1 { 3 } else { 1 };
        let name = path.len().checked_sub(behind).and_then(|at| path.get(at)).cloned().unwrap_or_default();
        let (definition, repetition) = (Vec::new(), Vec::new());
        Ok(Self { column, name, leaf, values, definition, repetition, place: 0, next: 0 })
    }

    /// Goes on with the column of a row group.
    pub(crate) fn open(&mut self, pages: Box<dyn PageReader>) -> Result<(), ParquetError> {
        let pages = Box::new(CheckedPages::new(pages, ColumnDescPtr::clone(&self.column)));
        match (&mut self.values, get_column_reader(ColumnDescPtr::clone(&self.column), pages)) {
            (Values::Text(leaf) | Values::Bytes(leaf, _), ColumnReader::ByteArrayColumnReader(reader)) => {
                leaf.reader = Some(reader);
            }
            (Values::Small(leaf, _), ColumnReader::Int32ColumnReader(reader)) => leaf.reader = Some(reader),
            (Values::Large(leaf, _), ColumnReader::Int64ColumnReader(reader)) => leaf.reader = Some(reader),
            (Values::Fixed(leaf, _), ColumnReader::FixedLenByteArrayColumnReader(reader)) => {
                leaf.reader = Some(reader);
            }
            (Values::Text(_) | Values::Small(..) | Values::Large(..) | Values::Fixed(..) | Values::Bytes(..), _) => {
                return Err(ParquetError::General("a row group has another type".to_owned()));
            }
        }
        Ok(())
    }

    /// Reads the values of the next rows, of which there must be as many.
    pub(crate) fn read(&mut self, rows: usize) -> Result<(), ParquetError> {
        let Self { definition, repetition, .. } = self;
        (self.place, self.next) = (0, 0);
        definition.clear();
        repetition.clear();
        match &mut self.values {
            Values::Text(leaf) | Values::Bytes(leaf, _) => leaf.read(rows, definition, repetition),
            Values::Small(leaf, _) => leaf.read(rows, definition, repetition),
            Values::Large(leaf, _) => leaf.read(rows, definition, repetition),
            Values::Fixed(leaf, _) => leaf.read(rows, definition, repetition),
        }
    }

    /// What there is of the innermost list at the next place: `None` for no list, `Some(false)` for one without items.
    pub(crate) fn list(&self) -> Option<bool> {
        let there = self.definition.get(self.place).copied().unwrap_or_default();
        let within = self.column.repeated_ancestor_def_level();
        (there >= within - 1).then_some(there >= within)
    }

    /// Whether each struct has a list of such values.
    pub(crate) fn is_nested(&self) -> bool {
        self.column.max_rep_level() > 1
    }

    /// Whether the list within a struct goes on at the next place.
    pub(crate) fn nested_goes_on(&self) -> bool {
        self.repetition.get(self.place).is_some_and(|&level| level > 1)
    }

    /// Whether the list goes on at the next place.
    pub(crate) fn goes_on(&self) -> bool {
        self.repetition.get(self.place).is_some_and(|&level| level > 0)
    }

    /// Whether there is a value at the next place, or a list within a struct.
    pub(crate) fn is_there(&self) -> bool {
        if self.is_nested() {
            return self.list().is_some();
        }
        self.definition.get(self.place).is_none_or(|&level| level == self.column.max_def_level())
    }

    /// The value at the next place; `None` if it is absent.
    pub(crate) fn next(&mut self) -> Result<Option<Cell<'_>>, ParquetError> {
        let deepest = self.column.max_def_level();
        if deepest > 0 {
            let level = self.definition.get(self.place).copied().ok_or_else(fewer)?;
            self.place += 1;
            if level < deepest {
                return Ok(None);
            }
        }
        self.next += 1;
        self.values.at(self.next - 1).map(Some)
    }
}

impl<T: DataType> Leaf<T> {
    fn read(&mut self, rows: usize, def: &mut Vec<i16>, rep: &mut Vec<i16>) -> Result<(), ParquetError> {
        self.values.clear();
        let mut left = rows;
        while left > 0 {
            let reader = self.reader.as_mut().ok_or_else(fewer)?;
            let (read, ..) = reader.read_records(left, Some(&mut *def), Some(&mut *rep), &mut self.values)?;
            if read == 0 {
                return Err(fewer());
            }
            left -= read;
        }
        Ok(())
    }
}

impl Values {
    /// Values of the type of a column; `None` if it cannot be read.
    fn of(column: &ColumnDescPtr) -> Option<Self> {
        let digits = || usize::try_from(column.type_scale()).ok().filter(|_| column.type_precision() <= DIGITS);
        let is_plain = column.logical_type_ref().is_none();
        match (column.physical_type(), column.converted_type()) {
            (Physical::BYTE_ARRAY, ConvertedType::UTF8 | ConvertedType::JSON) => Some(Self::Text(Leaf::default())),
            (Physical::INT32, ConvertedType::INT_32) => Some(Self::Small(Leaf::default(), None)),
            (Physical::INT64, ConvertedType::INT_64) => Some(Self::Large(Leaf::default(), None)),
            (Physical::INT32, ConvertedType::NONE) if is_plain => Some(Self::Small(Leaf::default(), None)),
            (Physical::INT64, ConvertedType::NONE) if is_plain => Some(Self::Large(Leaf::default(), None)),
            (Physical::INT32, ConvertedType::DECIMAL) => Some(Self::Small(Leaf::default(), Some(digits()?))),
            (Physical::INT64, ConvertedType::DECIMAL) => Some(Self::Large(Leaf::default(), Some(digits()?))),
            (Physical::FIXED_LEN_BYTE_ARRAY, ConvertedType::DECIMAL) => Some(Self::Fixed(Leaf::default(), digits()?)),
            (Physical::BYTE_ARRAY, ConvertedType::DECIMAL) => Some(Self::Bytes(Leaf::default(), digits()?)),
            _ => None,
        }
    }

    fn at(&self, at: usize) -> Result<Cell<'_>, ParquetError> {
        let whole = |number: i64, digits: Option<usize>| {
            digits.map_or(Cell::Number(number), |digits| Cell::Decimal(number.into(), digits))
        };
        Ok(match self {
            Self::Text(leaf) => Cell::Text(leaf.values.get(at).ok_or_else(fewer)?.as_utf8()?),
            Self::Small(leaf, digits) => whole((*leaf.values.get(at).ok_or_else(fewer)?).into(), *digits),
            Self::Large(leaf, digits) => whole(*leaf.values.get(at).ok_or_else(fewer)?, *digits),
            Self::Fixed(leaf, digits) => Cell::Decimal(number(leaf.values.get(at).ok_or_else(fewer)?.data())?, *digits),
            Self::Bytes(leaf, digits) => Cell::Decimal(number(leaf.values.get(at).ok_or_else(fewer)?.data())?, *digits),
        })
    }
}

/// The number that bytes in two's complement are, the highest one first.
fn number(bytes: &[u8]) -> Result<i128, ParquetError> {
    if bytes.len() > 16 {
        return Err(ParquetError::General("a decimal has more than 128 bits".to_owned()));
    }
    let sign = if bytes.first().is_some_and(|&first| first >= 0x80) { -1 } else { 0 };
    Ok(bytes.iter().fold(sign, |number, &byte| number << 8 | i128::from(byte)))
}
