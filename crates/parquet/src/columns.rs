//! The schema of the tables: the type of each column.

use std::sync::Arc;

use nandseq_output::row_values::{NameKind, ValueNames};
use nandseq_output::stored_types::{DecimalType, PayloadColumns, PayloadType, StoredType};
use nandseq_profile::model::PayloadField;
use nandseq_trace::table::{ColumnType, Columns};
use parquet::basic::{LogicalType, Repetition, Type as Physical};
use parquet::errors::ParquetError;
use parquet::schema::types::{Type, TypePtr};

/// The most digits that 32 bits hold.
const SMALL: u8 = 9;
/// The name of the column with the number of the run, as in the names of folders of a dataset.
const RUN: &str = "run";

/// The schema of a table. `time` is the type of a scaled time.
pub(crate) fn schema(columns: Columns, time: DecimalType, structs: PayloadColumns) -> Result<TypePtr, ParquetError> {
    let column = |(&name, &of): (&&str, &ColumnType)| match StoredType::of(of, time) {
        Some(StoredType::Int32) => number(name, Physical::INT32, Repetition::REQUIRED),
        Some(StoredType::Int64) => number(name, Physical::INT64, Repetition::REQUIRED),
        Some(StoredType::Decimal(of)) => decimal(name, of),
        Some(StoredType::Text) => text(name, Repetition::REQUIRED),
        Some(StoredType::OptionalText) => text(name, Repetition::OPTIONAL),
        None => payload(name, structs),
    };
    let fields = columns.names.iter().zip(columns.types).map(column).collect::<Result<_, _>>()?;
    Ok(Arc::new(Type::group_type_builder("schema").with_fields(fields).build()?))
}

/// The schema of a table of several runs: that of the table, and the number of the run.
pub(crate) fn with_run(columns: &Type) -> Result<TypePtr, ParquetError> {
    let run = number(RUN, Physical::INT64, Repetition::REQUIRED)?;
    let fields = columns.get_fields().iter().map(Arc::clone).chain([run]).collect();
    Ok(Arc::new(Type::group_type_builder(columns.name()).with_fields(fields).build()?))
}

fn number(name: &str, of: Physical, repetition: Repetition) -> Result<TypePtr, ParquetError> {
    Ok(Arc::new(Type::primitive_type_builder(name, of).with_repetition(repetition).build()?))
}

fn decimal(name: &str, DecimalType { digits, behind }: DecimalType) -> Result<TypePtr, ParquetError> {
    let of = if digits <= SMALL { Physical::INT32 } else { Physical::INT64 };
    let (digits, behind) = (digits.into(), behind.into());
    let column = Type::primitive_type_builder(name, of).with_repetition(Repetition::REQUIRED);
    let column = column.with_logical_type(Some(LogicalType::decimal(behind, digits)));
    Ok(Arc::new(column.with_precision(digits).with_scale(behind).build()?))
}

fn text(name: &str, repetition: Repetition) -> Result<TypePtr, ParquetError> {
    let column = Type::primitive_type_builder(name, Physical::BYTE_ARRAY).with_repetition(repetition);
    Ok(Arc::new(column.with_logical_type(Some(LogicalType::String)).build()?))
}

/// A list of targets. A field that an operation does not have is null.
fn payload(name: &str, structs: PayloadColumns) -> Result<TypePtr, ParquetError> {
    let field = |(field, of): (PayloadField, PayloadType)| match of {
        PayloadType::Int32 => number(field.name(), Physical::INT32, Repetition::OPTIONAL),
        PayloadType::Int64 => number(field.name(), Physical::INT64, Repetition::OPTIONAL),
        PayloadType::Text => text(field.name(), Repetition::OPTIONAL),
        PayloadType::TextList => list(field.name(), Repetition::OPTIONAL, text(ELEMENT, Repetition::REQUIRED)?),
    };
    let fields = structs.fields().map(field).collect::<Result<_, _>>()?;
    list(name, Repetition::REQUIRED, group(ELEMENT, Repetition::REQUIRED, fields, None)?)
}

/// The name of what a list holds.
const ELEMENT: &str = "element";

fn list(name: &str, repetition: Repetition, element: TypePtr) -> Result<TypePtr, ParquetError> {
    let list = group("list", Repetition::REPEATED, vec![element], None)?;
    group(name, repetition, vec![list], Some(LogicalType::List))
}

fn group(
    name: &str,
    repetition: Repetition,
    fields: Vec<TypePtr>,
    of: Option<LogicalType>,
) -> Result<TypePtr, ParquetError> {
    let group = Type::group_type_builder(name).with_repetition(repetition).with_fields(fields);
    Ok(Arc::new(group.with_logical_type(of).build()?))
}

/// The names of a kind as a dictionary page has them: those with these numbers, each with its length.
pub(crate) fn dictionary(names: &ValueNames, kind: NameKind, numbers: &[u16], bytes: &mut Vec<u8>) {
    for &number in numbers {
        let name = names.of(kind)[usize::from(number)].as_bytes();
        bytes.extend_from_slice(&(name.len() as u32).to_le_bytes());
        bytes.extend_from_slice(name);
    }
}
