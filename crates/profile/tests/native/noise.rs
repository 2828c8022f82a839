//! Tests that no text makes reading, checking or writing panic.

use nandseq_profile::diagnostic::Styling;
use nandseq_profile::{ReadOptions, SourceFile, builtin, check, native, read};
use proptest::prelude::*;

use crate::random;

/// Reads a text, renders its diagnostics, and checks and writes its profile.
fn exercise(text: String) {
    let source = SourceFile::new("noise.yaml", text);
    let (profile, diagnostics) = read(&source, ReadOptions::default());
    assert_eq!(profile.is_some(), !diagnostics.has_errors());
    let _ = diagnostics.render(&source, Styling::Plain);
    if let Some(profile) = profile {
        let _ = check::check(&profile);
        let _ = native::write(&profile);
    }
}

/// The character boundary at or before a byte.
fn boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// Words that have a meaning somewhere in a profile; they replace parts of the text.
const WORDS: [&str; 24] = [
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
    "DOUT",
    "page_read",
    "all_except",
    "steps",
    "CORE_BUSY",
    "{READ: []}",
    "[[[[",
    "*slc_modes",
    "\"",
    ": ",
    "tR_SLC",
    "reset.CORE_BUSY",
    "multi",
    "0.0000001",
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(150) })]

    #[test]
    fn damaged_built_in_files_never_panic(
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0usize..40, prop::sample::select(WORDS.to_vec())), 1..6),
        end: prop::sample::Index,
    ) {
        let mut text = builtin::text().to_owned();
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

    #[test]
    fn devices_without_any_sense_are_checked_without_panic(seed: u64) {
        let profile = random::profile(seed);
        let findings = check::check(&profile);
        prop_assert!(!findings.has_errors());
        for (id, base) in profile.bases.iter_ids() {
            for chain in base.follow_ups.iter().filter_map(|follow_up| follow_up.chain) {
                let _ = check::chain_can_complete(&profile, id, chain);
            }
        }
    }
}
