//! The schema of the tables: the Arrow type of each column, from the one definition of their types.

use std::sync::Arc;

use arrow_schema::{DataType, Field, Fields, Schema, SchemaRef};
use nandseq_output::stored_types::{DecimalType, PayloadColumns, PayloadType, StoredType};
use nandseq_trace::table::{ColumnType, Columns};

/// The name of what a list holds, as in Parquet files.
const ELEMENT: &str = "element";

/// The schema of a table. `time` is the type of a scaled time.
pub(crate) fn schema(columns: Columns, time: DecimalType, structs: PayloadColumns) -> SchemaRef {
    let field = |(&name, &of): (&&str, &ColumnType)| match StoredType::of(of, time) {
        Some(StoredType::Int32) => Field::new(name, DataType::Int32, false),
        Some(StoredType::Int64) => Field::new(name, DataType::Int64, false),
        Some(StoredType::Decimal(of)) => Field::new(name, decimal(of), false),
        Some(StoredType::Text) => Field::new(name, DataType::Utf8, false),
        Some(StoredType::OptionalText) => Field::new(name, DataType::Utf8, true),
        None => Field::new(name, DataType::List(element(DataType::Struct(fields(structs)))), false),
    };
    Arc::new(Schema::new(columns.names.iter().zip(columns.types).map(field).collect::<Vec<_>>()))
}

/// The type of decimals that every reader knows.
pub(crate) const fn decimal(of: DecimalType) -> DataType {
    DataType::Decimal128(of.digits, of.behind as i8)
}

/// The fields of a payload. A field that an operation does not have is null.
pub(crate) fn fields(structs: PayloadColumns) -> Fields {
    let of = |of: PayloadType| match of {
        PayloadType::Int32 => DataType::Int32,
        PayloadType::Int64 => DataType::Int64,
        PayloadType::Text => DataType::Utf8,
        PayloadType::TextList => DataType::List(element(DataType::Utf8)),
    };
    structs.fields().map(|(field, kind)| Field::new(field.name(), of(kind), true)).collect()
}

/// What a list holds.
pub(crate) fn element(of: DataType) -> Arc<Field> {
    Arc::new(Field::new(ELEMENT, of, false))
}
