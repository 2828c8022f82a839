//! The rules of this workspace, as tests: `cargo test -p nandseq-layout`.
//!
//! The tests check which crate may depend on which, how long files and functions may be, and what no source file may contain. The
//! rules and their reasons are in CONTRIBUTING.md.
