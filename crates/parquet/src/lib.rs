//! The tables of a run as Parquet.
