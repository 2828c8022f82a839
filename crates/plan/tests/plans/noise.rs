//! Tests that no text makes reading a plan panic.

use nandseq_profile::SourceFile;
use nandseq_profile::diagnostic::Styling;
use proptest::prelude::*;

use crate::read;

const GOOD: &str = include_str!("../../testdata/good.yaml");

/// Reads a text and renders its diagnostics.
fn exercise(text: String) {
    let source = SourceFile::new("noise.yaml", text);
    let (plan, diagnostics) = read(&source);
    assert_eq!(plan.is_some(), !diagnostics.has_errors());
    let _ = diagnostics.render(&source, Styling::Plain);
}

/// The character boundary at or before a byte.
fn boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// Words that have a meaning somewhere in a plan; they replace parts of the text.
const WORDS: [&str; 28] = [
    "NONE",
    "{}",
    "[]",
    "-1",
    "0",
    "1e9",
    "4294967296",
    "~",
    "true",
    "READ",
    "*",
    "\"*\"",
    "same as p",
    "next to ",
    ".end",
    "p.start",
    "-",
    "%",
    "0-",
    "é %",
    "99999999999999999999-1",
    "- ",
    "\n",
    "{p: {class: erase}}",
    "op of ",
    "[[[[",
    ": ",
    "0.00001 %",
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(150) })]

    #[test]
    fn damaged_plans_never_panic(
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0usize..20, prop::sample::select(WORDS.to_vec())), 1..6),
        end: prop::sample::Index,
    ) {
        let mut text = GOOD.to_owned();
        for (at, length, word) in cuts {
            let start = boundary(&text, at.index(text.len()));
            let end = boundary(&text, start + length);
            text.replace_range(start..end, word);
        }
        exercise(text.clone());
        let end = boundary(&text, end.index(text.len()));
        text.truncate(end);
        exercise(text);
    }
}
