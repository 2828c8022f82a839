//! Every rule of the workspace that a program can check.
#![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]

mod circles;
mod direction;
mod imports;
mod names;
mod repository;
mod sizes;
mod source;
mod types;
mod words;

/// Fails with one line for each breach.
fn none(rule: &str, breaches: &[String]) {
    assert!(breaches.is_empty(), "{rule}\n  {}", breaches.join("\n  "));
}
