//! Tests of test plans through the public interface of the crate.
#![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]
#![expect(clippy::print_stderr, reason = "a skipped test says so")]

#[path = "plans/documents.rs"]
mod documents;
#[path = "plans/meaning.rs"]
mod meaning;
#[path = "plans/mistakes.rs"]
mod mistakes;
#[path = "plans/noise.rs"]
mod noise;
#[path = "plans/schema.rs"]
mod schema;

use nandseq_plan::TestPlan;
use nandseq_profile::places::Places;
use nandseq_profile::{Diagnostics, SourceFile, builtin};

/// Reads a plan for the built-in device.
fn read(source: &SourceFile) -> (Option<TestPlan>, Diagnostics) {
    let device = builtin::profile();
    let classes = Places::new(&SourceFile::new(builtin::NAME, builtin::text()), &device).classes();
    nandseq_plan::read(source, &device, &classes)
}

/// Reads a text that must be a good plan.
#[track_caller]
fn good(text: &str) -> TestPlan {
    let source = SourceFile::new("plan.yaml", text);
    let (plan, diagnostics) = read(&source);
    plan.unwrap_or_else(|| panic!("{}", diagnostics.render(&source, nandseq_profile::diagnostic::Styling::Plain)))
}
