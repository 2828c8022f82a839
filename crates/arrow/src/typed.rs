//! Arrays of the types that other tools give these tables, and their values as fields of lines.

use std::io;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Decimal32Type, Decimal64Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{
    Array, ArrayRef, Float64Array, Int64Array, LargeStringArray, PrimitiveArray, StringArray, StringViewArray,
};
use arrow_buffer::NullBuffer;
use arrow_schema::DataType;
use nandseq_input::field_text::{put_decimal, put_json, put_text};

/// The types that columns may have, in words that users of such tables know.
pub(crate) const ACCEPTED: &str = "string, integer, decimal, floating point, or list of structs of these";

/// The most digits behind the point that a decimal of 128 bits has.
const MOST_DIGITS: usize = 38;

/// An array with its type known.
pub(crate) enum TypedArray {
    Text(StringArray),
    LargeText(LargeStringArray),
    TextView(StringViewArray),
    Number(Int64Array),
    Decimal(Vec<i128>, usize, Option<NullBuffer>),
    Float(Float64Array),
    /// Values by their numbers among others, as a dictionary has them.
    Among(Vec<usize>, Option<NullBuffer>, Box<TypedArray>),
    List(Vec<(usize, usize)>, Option<NullBuffer>, Box<TypedArray>),
    Struct(Vec<(String, TypedArray)>, Option<NullBuffer>),
    /// Nothing in any row.
    Null,
}

/// A type that cannot be read.
#[derive(Debug)]
pub(crate) struct UnknownType(pub(crate) String);

impl TypedArray {
    /// An array as its type says.
    ///
    /// # Errors
    /// The type, if such tables cannot have it.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the library's types are many, and most are no type of these tables"
    )]
    pub(crate) fn of(array: &ArrayRef) -> Result<Self, UnknownType> {
        let nulls = || array.nulls().cloned();
        Ok(match array.data_type() {
            DataType::Null => Self::Null,
            DataType::Utf8 => Self::Text(array.as_string().clone()),
            DataType::LargeUtf8 => Self::LargeText(array.as_string().clone()),
            DataType::Utf8View => Self::TextView(array.as_string_view().clone()),
            DataType::Int8 => Self::number(array.as_primitive::<Int8Type>()),
            DataType::Int16 => Self::number(array.as_primitive::<Int16Type>()),
            DataType::Int32 => Self::number(array.as_primitive::<Int32Type>()),
            DataType::Int64 => Self::Number(array.as_primitive::<Int64Type>().clone()),
            DataType::UInt8 => Self::number(array.as_primitive::<UInt8Type>()),
            DataType::UInt16 => Self::number(array.as_primitive::<UInt16Type>()),
            DataType::UInt32 => Self::number(array.as_primitive::<UInt32Type>()),
            DataType::UInt64 => {
                // A number that no column holds stays too large for it.
                let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
                Self::Number(array.as_primitive::<UInt64Type>().unary(number))
            }
            DataType::Float32 => Self::Float(array.as_primitive::<Float32Type>().unary(f64::from)),
            DataType::Float64 => Self::Float(array.as_primitive::<Float64Type>().clone()),
            &DataType::Decimal32(_, behind) => {
                let values = array.as_primitive::<Decimal32Type>().values();
                decimal(values.iter().copied().map(i128::from).collect(), behind, array)?
            }
            &DataType::Decimal64(_, behind) => {
                let values = array.as_primitive::<Decimal64Type>().values();
                decimal(values.iter().copied().map(i128::from).collect(), behind, array)?
            }
            &DataType::Decimal128(_, behind) => {
                decimal(array.as_primitive::<Decimal128Type>().values().to_vec(), behind, array)?
            }
            DataType::Dictionary(..) => {
                let dictionary = array.as_any_dictionary();
                if dictionary.values().is_empty() {
                    return Ok(Self::Null);
                }
                Self::Among(dictionary.normalized_keys(), nulls(), Box::new(Self::of(dictionary.values())?))
            }
            DataType::List(_) => {
                let list = array.as_list::<i32>();
                let ends = list.offsets().windows(2).map(|ends| (ends[0] as usize, ends[1] as usize));
                Self::List(ends.collect(), nulls(), Box::new(Self::of(list.values())?))
            }
            DataType::LargeList(_) => {
                let list = array.as_list::<i64>();
                let ends = list.offsets().windows(2).map(|ends| (ends[0] as usize, ends[1] as usize));
                Self::List(ends.collect(), nulls(), Box::new(Self::of(list.values())?))
            }
            DataType::Struct(fields) => {
                let columns = fields.iter().zip(array.as_struct().columns());
                let columns = columns.map(|(field, column)| Ok((field.name().clone(), Self::of(column)?)));
                Self::Struct(columns.collect::<Result<_, UnknownType>>()?, nulls())
            }
            other => return Err(UnknownType(other.to_string())),
        })
    }

    fn number<T>(array: &PrimitiveArray<T>) -> Self
    where
        T: arrow_array::ArrowPrimitiveType,
        i64: From<T::Native>,
    {
        Self::Number(array.unary(i64::from))
    }

    /// Whether there is a value.
    fn is_there(&self, at: usize) -> bool {
        let without = |nulls: &Option<NullBuffer>| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(at));
        match self {
            Self::Text(array) => array.is_valid(at),
            Self::LargeText(array) => array.is_valid(at),
            Self::TextView(array) => array.is_valid(at),
            Self::Number(array) => array.is_valid(at),
            Self::Float(array) => array.is_valid(at),
            Self::Among(keys, nulls, values) => without(nulls) && values.is_there(keys[at]),
            Self::Decimal(_, _, nulls) | Self::List(_, nulls, _) | Self::Struct(_, nulls) => without(nulls),
            Self::Null => false,
        }
    }

    /// The text of a value, if it is one.
    pub(crate) fn text(&self, at: usize) -> Option<&str> {
        if !self.is_there(at) {
            return None;
        }
        match self {
            Self::Text(array) => Some(array.value(at)),
            Self::LargeText(array) => Some(array.value(at)),
            Self::TextView(array) => Some(array.value(at)),
            Self::Among(keys, _, values) => values.text(keys[at]),
            Self::Number(_) | Self::Decimal(..) | Self::Float(_) | Self::List(..) | Self::Struct(..) | Self::Null => {
                None
            }
        }
    }

    /// Appends a value as a field of a line; nothing if it is absent. `is_whole`: the column has whole numbers. `expected` is the field of
    /// objects whose null is said.
    ///
    /// # Errors
    /// For a text with a line break.
    pub(crate) fn put(
        &self,
        at: usize,
        (is_whole, expected): (bool, Option<&str>),
        line: &mut Vec<u8>,
    ) -> io::Result<()> {
        if !self.is_there(at) {
            return Ok(());
        }
        match self {
            Self::Text(_) | Self::LargeText(_) | Self::TextView(_) => put_text(self.text(at).unwrap_or_default(), line),
            Self::Among(keys, _, values) => values.put(keys[at], (is_whole, expected), line),
            Self::List(..) | Self::Struct(..) => {
                line.push(b'"');
                self.put_value(at, expected, line)?;
                line.push(b'"');
                Ok(())
            }
            // The shortest decimal that is this number, without an exponent: the one that was read, if it had at most 15 digits.
            Self::Float(array) => {
                let number = array.value(at);
                let point = if is_whole || number.fract() != 0.0 { "" } else { ".0" };
                line.extend_from_slice(format!("{number}{point}").as_bytes());
                Ok(())
            }
            Self::Number(_) | Self::Decimal(..) | Self::Null => self.put_value(at, expected, line),
        }
    }

    /// Appends a value as JSON in a quoted field.
    fn put_value(&self, at: usize, expected: Option<&str>, line: &mut Vec<u8>) -> io::Result<()> {
        if !self.is_there(at) {
            line.extend_from_slice(b"null");
            return Ok(());
        }
        match self {
            Self::Text(_) | Self::LargeText(_) | Self::TextView(_) => {
                put_json(self.text(at).unwrap_or_default(), line)?;
            }
            Self::Number(array) => line.extend_from_slice(itoa::Buffer::new().format(array.value(at)).as_bytes()),
            Self::Decimal(values, behind, _) => put_decimal(values[at], *behind, line),
            Self::Float(array) => put_float(array.value(at), line),
            Self::Among(keys, _, values) => values.put_value(keys[at], expected, line)?,
            Self::List(ends, _, items) => {
                line.push(b'[');
                let (start, end) = ends[at];
                for item in start..end {
                    if item > start {
                        line.push(b',');
                    }
                    items.put_value(item, expected, line)?;
                }
                line.push(b']');
            }
            Self::Struct(fields, _) => put_object(fields, at, expected, line)?,
            Self::Null => {}
        }
        Ok(())
    }
}

/// Appends a struct as an object. Nulls are left out, but for that of the field `expected`.
fn put_object(
    fields: &[(String, TypedArray)],
    at: usize,
    expected: Option<&str>,
    line: &mut Vec<u8>,
) -> io::Result<()> {
    line.push(b'{');
    let mut first = true;
    for (name, values) in fields {
        if values.is_there(at) || expected == Some(name) {
            if !first {
                line.push(b',');
            }
            first = false;
            put_json(name, line)?;
            line.push(b':');
            values.put_value(at, expected, line)?;
        }
    }
    line.push(b'}');
    Ok(())
}

/// Appends a number of a payload, in which nothing has a fraction: some tools make floating point of integers that may be absent.
fn put_float(number: f64, line: &mut Vec<u8>) {
    const EXACT: f64 = (1u64 << 53) as f64;
    if number.fract() == 0.0 && number.abs() < EXACT {
        line.extend_from_slice(itoa::Buffer::new().format(number as i64).as_bytes());
    } else {
        line.extend_from_slice(format!("{number:?}").as_bytes());
    }
}

fn decimal(values: Vec<i128>, behind: i8, array: &ArrayRef) -> Result<TypedArray, UnknownType> {
    // A schema from elsewhere may say anything.
    let digits = usize::try_from(behind).ok().filter(|digits| *digits <= MOST_DIGITS);
    let digits = digits.ok_or_else(|| UnknownType(array.data_type().to_string()))?;
    Ok(TypedArray::Decimal(values, digits, array.nulls().cloned()))
}
