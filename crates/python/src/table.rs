//! Tables of runs as Arrow streams, and tables of others as record batches.
//!
//! Capsules are made of safe values: the library that owns the C structures releases them if nobody takes them over.

use arrow_array::RecordBatchReader as _;
use arrow_array::ffi_stream::{FFI_ArrowArrayStream, RecordBatchStreamReader};
use arrow_pyarrow::FromPyArrow as _;
use arrow_schema::ffi::FFI_ArrowSchema;
use nandseq_arrow::{ArrowTable, MemoryTable};
use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

use crate::refusal::refused;

/// A table of a run.
#[pyclass(frozen, name = "Table", module = "nandseqgen._nandseqgen")]
pub(crate) struct NativeTable {
    pub(crate) table: ArrowTable,
}

#[pymethods]
impl NativeTable {
    /// The name of the table, as file names begin.
    #[getter]
    fn name(&self) -> &'static str {
        self.table.kind().name()
    }

    /// The names of its columns, in order.
    #[getter]
    fn columns(&self) -> Vec<String> {
        self.table.schema().fields().iter().map(|field| field.name().clone()).collect()
    }

    fn __len__(&self) -> usize {
        usize::try_from(self.table.rows()).unwrap_or(usize::MAX)
    }

    fn __repr__(&self) -> String {
        format!("<nandseqgen.Table {}: {} rows>", self.table.kind().name(), self.table.rows())
    }

    /// A fresh stream of record batches, from the first row. `requested_schema` is a wish that is not followed.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        drop(requested_schema);
        let stream = FFI_ArrowArrayStream::new(Box::new(self.table.batches()));
        PyCapsule::new_with_value(py, stream, c"arrow_array_stream")
    }

    /// The columns with their types.
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        let schema = FFI_ArrowSchema::try_from(&*self.table.schema());
        let schema = schema.map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
        PyCapsule::new_with_value(py, schema, c"arrow_schema")
    }
}

/// A table of any kind: one of a run, or whatever gives an Arrow stream.
///
/// # Errors
/// For an object that is no table, and one whose stream fails.
pub(crate) fn any_table(object: &Bound<'_, PyAny>) -> PyResult<MemoryTable> {
    if let Ok(own) = object.cast::<NativeTable>() {
        return Ok(MemoryTable::Run(own.get().table.clone()));
    }
    if !object.hasattr("__arrow_c_stream__")? {
        let kind = object.get_type().name()?;
        let message = format!("{kind} is no table: it gives no Arrow stream (__arrow_c_stream__)");
        return Err(PyTypeError::new_err(message));
    }
    let reader = RecordBatchStreamReader::from_pyarrow_bound(object)?;
    let schema = reader.schema();
    let batches = reader.collect::<Result<Vec<_>, _>>();
    let batches = batches.map_err(|error| refused(object.py(), error.to_string()))?;
    Ok(MemoryTable::Batches(schema, batches.into()))
}
