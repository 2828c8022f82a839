//! The house rules of this workspace, as tests: `cargo test -p nandseq-layout`.
//!
//! Which crate may depend on which, how long files and functions may be, what no source file may contain. The rules and
//! their reasons are in CONTRIBUTING.md; this crate only has the tests that keep them.
