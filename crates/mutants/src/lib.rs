//! Tests the verifier with sequences and tables that are damaged on purpose: mutants.
//!
//! A [`Mutation`] damages a clean sequence in one place, so that it breaks one rule for certain. [`run`] applies mutations at
//! places where they can be applied, writes each mutant as rows of a file, and judges the rows that are read back. It counts how
//! many mutants were found under the code of their rule. A harmless mutation (a further status read, say) breaks no rule and must
//! not be found. [`run_on_tables`] does the same with the tables of a site.
//!
//! Any clean sequence will do. That a damage breaks its rule follows from the rows before it, and from durations and effects in
//! the verifier's compiled profile; no rule of the verifier is used. Damages that might break a rule or not are left out.

mod addresses;
mod data;
mod form;
mod harness;
mod mutation;
mod occupation;
mod programs;
mod reads;
mod records;
mod sequence;
mod status;
mod suspension;
mod tables;
mod view;

pub use harness::{MutationResult, MutationResults, run};
pub use mutation::Mutation;
pub use records::run_on_tables;
pub use sequence::{Sequence, SequenceError, SequenceRow};

/// All mutations.
#[must_use]
pub fn all() -> Vec<Mutation> {
    [
        occupation::MUTATIONS,
        tables::MUTATIONS,
        addresses::MUTATIONS,
        programs::MUTATIONS,
        reads::MUTATIONS,
        suspension::MUTATIONS,
        status::MUTATIONS,
        data::MUTATIONS,
        form::MUTATIONS,
        form::HARMLESS,
    ]
    .concat()
}
