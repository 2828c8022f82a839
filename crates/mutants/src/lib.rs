//! The judge is judged: clean sequences, damaged on purpose.
//!
//! A [`Mutation`] damages a clean sequence in one place so that it breaks one rule for certain; [`run`] applies all of them
//! wherever they can be applied, judges each damaged sequence, written as rows of a file and read back, and says how many
//! were found under the code of their rule. Mutations that break nothing (a further status read, say) must not be found.
//!
//! Takes any clean sequence and its profile. What makes a damage certain is worked out from the rows before it and from
//! durations and effects, which are read off the judge's compiled profile; none of its rules is asked. Leaves out damages that might break a rule and might not.

mod addresses;
mod form;
mod harness;
mod mutation;
mod occupation;
mod programs;
mod reads;
mod records;
mod sequence;
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
        form::MUTATIONS,
        form::HARMLESS,
    ]
    .concat()
}
