//! Errors of the library as errors of files.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use parquet::errors::ParquetError;

/// The error of the file system inside a Parquet error, if there is one, so that a full disk is recognized.
pub(crate) fn into_io(error: ParquetError) -> io::Error {
    let ParquetError::External(inner) = error else { return io::Error::other(error) };
    match inner.downcast::<io::Error>() {
        Ok(error) => *error,
        Err(inner) => io::Error::other(inner),
    }
}

/// What the library reads; its panic at a damaged file is an error.
pub(crate) fn guarded<T>(read: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, ParquetError> {
    let panicked = |_| Err(ParquetError::General("the library panicked".to_owned()));
    // What the panic left half done is not used: reading ends at the error.
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(panicked)
}
