//! Sections and fields of another form than they should have: each message shows the right one.

use std::fs;

use nandseq_profile::diagnostic::quoted;
use nandseq_profile::yaml::{self, Entry};
use nandseq_profile::{Diagnostics, ReadOptions, SourceFile, builtin, read, table};

/// What stands in place of a mapping or a list.
const OTHERS: [&str; 4] = ["3", "word", "[1]", "{a: 1}"];

fn entries(text: &str) -> Vec<Entry> {
    let root =
        yaml::parse(&SourceFile::new("profile.yaml", text), &mut Diagnostics::new()).expect("a text that is read");
    root.as_mapping().expect("a mapping").to_vec()
}

/// The help about a value of an entry that is replaced by another one; `None` if its form is not complained about.
fn help(text: &str, entry: &Entry, other: &str) -> Option<String> {
    let edited = format!("{}{other}\n{}", &text[..entry.value.span.start], &text[entry.value.end..]);
    let (_, diagnostics) = read(&SourceFile::new("profile.yaml", edited), ReadOptions::default());
    let begin = format!("{} must be a ", quoted(&entry.key));
    let found = diagnostics.iter().find(|one| one.code == "wrong-type" && one.message.starts_with(&begin));
    found.map(|found| found.help.clone().unwrap_or_default())
}

#[test]
fn a_section_of_another_form_is_answered_with_an_example_of_it() {
    let legacy = format!("{}/testdata/legacy/good.yaml", env!("CARGO_MANIFEST_DIR"));
    let mut sections = 0;
    for text in [builtin::text(), &fs::read_to_string(legacy).expect("a file of the tests")] {
        for entry in entries(text) {
            let (is_mapping, is_list) = (entry.value.as_mapping().is_some(), entry.value.as_sequence().is_some());
            for other in OTHERS
                .into_iter()
                .filter(|other| (is_mapping && !other.starts_with('{')) || (is_list && !other.starts_with('[')))
            {
                let help = help(text, &entry, other).unwrap_or_else(|| panic!("{}: {other}", entry.key));
                let begin = format!("for example `{}: {}", entry.key, if is_mapping { "{" } else { "[" });
                assert!(help.starts_with(&begin), "{}: {other}: {help}", entry.key);
                let general = ["{NAME: VALUE}", "[ITEM, ITEM]"].iter().any(|general| help.contains(general));
                assert!(!general, "{}: {help}", entry.key);
            }
            sections += usize::from(is_mapping || is_list);
        }
    }
    assert!(sections > 25, "{sections}");
}

#[test]
fn an_entry_of_a_section_is_answered_with_an_example_too() {
    let text = builtin::text();
    let mut asked = 0;
    for section in entries(text) {
        for entry in section.value.as_mapping().unwrap_or_default() {
            // A value that is neither a mapping nor a list is never what an entry with one may have.
            if entry.value.as_mapping().is_some() || entry.value.as_sequence().is_some() {
                let Some(help) = help(text, entry, "3") else { continue };
                assert!(help.starts_with("for example `"), "{}: {help}", entry.key);
                asked += 1;
            }
        }
    }
    assert!(asked > 25, "{asked}");
}

#[test]
fn a_table_of_another_form_is_answered_with_an_example() {
    let profile = builtin::profile();
    for (text, expected) in [
        ("phase_conditional: [1]\n", "for example `phase_conditional: {DEFAULT: {OPERATION: 1.0}}`"),
        ("phase_conditional: 3\n", "for example `phase_conditional: {DEFAULT: {OPERATION: 1.0}}`"),
        ("phase_conditional: {DEFAULT: [1]}\n", "for example `DEFAULT: {NAME: VALUE}`"),
        ("phase_conditional: {DEFAULT: word}\n", "for example `DEFAULT: {NAME: VALUE}`"),
    ] {
        let (_, diagnostics) = table::read(&SourceFile::new("table.yaml", text), &profile);
        let help = diagnostics.iter().find(|one| one.code == "wrong-type").and_then(|one| one.help.clone());
        assert_eq!(help.as_deref(), Some(expected), "{text}");
    }
}
