//! Errors of the library as errors of files.

use std::io;

use parquet::errors::ParquetError;

/// The error of the file system inside a Parquet error, if there is one, so that a full disk is recognized.
pub(crate) fn into_io(error: ParquetError) -> io::Error {
    let ParquetError::External(inner) = error else { return io::Error::other(error) };
    match inner.downcast::<io::Error>() {
        Ok(error) => *error,
        Err(inner) => io::Error::other(inner),
    }
}
