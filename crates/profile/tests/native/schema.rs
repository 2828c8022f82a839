//! Tests that the JSON Schema accepts and rejects the same files as the reader, as far as a schema can.

use std::fs;
use std::path::Path;

use jsonschema::Validator;
use nandseq_profile::yaml::{self, Node, Value as Yaml};
use nandseq_profile::{Diagnostics, SourceFile, builtin, native};
use proptest::prelude::*;
use serde_json::{Map, Value};

use crate::random;

/// A YAML node as an editor's schema checker sees it.
fn as_json(node: &Node) -> Value {
    match &node.value {
        Yaml::Mapping(entries) => {
            let entries = entries.iter().map(|entry| (entry.key.to_string(), as_json(&entry.value)));
            Value::Object(entries.collect::<Map<_, _>>())
        }
        Yaml::Sequence(items) => Value::Array(items.iter().map(as_json).collect()),
        Yaml::Scalar(_) if node.is_null() => Value::Null,
        Yaml::Scalar(scalar) if scalar.plain => match &*scalar.text {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            // A number of JSON is a number of YAML too. `4KB_Page` and `.5` stay texts.
            text => serde_json::from_str::<serde_json::Number>(text).map_or_else(|_| text.into(), Value::Number),
        },
        Yaml::Scalar(scalar) => Value::String(scalar.text.to_string()),
    }
}

fn document(text: &str) -> Value {
    let mut diagnostics = Diagnostics::new();
    let root = yaml::parse(&SourceFile::new("document.yaml", text), &mut diagnostics);
    as_json(&root.unwrap_or_else(|| panic!("{diagnostics:?}")))
}

fn validator() -> Validator {
    let schema: Value = serde_json::from_str(&native::schema::json()).expect("the schema is JSON");
    jsonschema::draft7::meta::validate(&schema).expect("the schema is a schema");
    jsonschema::draft7::new(&schema).expect("the schema compiles")
}

#[track_caller]
fn assert_valid(validator: &Validator, text: &str) {
    let errors: Vec<String> = validator
        .iter_errors(&document(text))
        .map(|error| format!("{}: {error}", error.instance_path()))
        .take(5)
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

#[test]
fn the_schema_accepts_the_built_in_profile_in_both_spellings() {
    let validator = validator();
    assert_valid(&validator, builtin::text());
    assert_valid(&validator, &native::write(&builtin::profile()));
}

#[test]
fn the_schema_rejects_what_the_reader_calls_unknown_or_wrong() {
    let validator = validator();
    let text = builtin::text();
    for (from, to) in [
        ("schema: 1\n", "schema: 2\n"),
        ("schema: 1\n", ""),
        ("topology: {dies: 2", "topology: {dise: 2"),
        ("topology: {dies: 2", "topology: {dies: 0"),
        ("max_tries: 4", "max_trys: 4"),
        ("\noffset_guard: 0", "\noffset_gard: 0"),
        (
            "{scope: die, affects_state: true, phases: [ISSUE, CORE_BUSY], address: any_block",
            "{scope: dye, affects_state: true, phases: [ISSUE, CORE_BUSY], address: any_block",
        ),
        ("effects: [erase]", "effects: [erasse]"),
        ("effects: [erase]", "effects: [suspend]"),
        ("load_latch: {latch: one_shot, level: lsb}", "load_latch: {latch: one_shot}"),
        ("cache_read: plane_cache", "cache_read: plain_cache"),
        ("payload: [die, exp_val]", "payload: [die, expval]"),
        ("DOUT: {weight: 7, inherit: [prev_page, same_celltype, multi]}", "DOUT: {wait: 7}"),
        ("- RECOVERY_RD: [same_page_from_program_suspend]", "- RECOVERY_RD: [same_page_from_suspend]"),
        ("on_camread: {all_except: [NOP]}", "on_camread: {all_but: [NOP]}"),
        ("    ON_PLANE_CACHE_READ: [", "    ON_PLANE_CASH_READ: ["),
        ("Erase_Resume:          {base", "Erase_Resume:          {bass"),
        ("DATA_OUT: tDOUT_4K}", "DATA_OT: tDOUT_4K}"),
        ("status_of: lun 0", "status_of: lan 0"),
        ("Delay: {base: NOP, ISSUE: 0.02}", "Delay: {base: NOP, ISSUE: 0.02, multi: 3}"),
        ("    RECOVERY_RD: 0.7", "    RECOVERY_RD: -0.7"),
        ("round_decimals: 3", "round_decimals: 10"),
        ("read_coverage: 0.1", "read_coverage: 1.1"),
    ] {
        let damaged = text.replacen(from, to, 1);
        assert_ne!(damaged, text, "{from:?} stands in the built-in profile");
        assert!(!validator.is_valid(&document(&damaged)), "{from:?} -> {to:?} is accepted");
        let (profile, _) = nandseq_profile::read(&SourceFile::new("damaged", damaged), Default::default());
        assert!(profile.is_none(), "the reader accepts {from:?} -> {to:?}");
    }
}

#[test]
fn the_committed_schema_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../profiles/nandseqgen.schema.json");
    let current = native::schema::json();
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        fs::write(&path, &current).expect("the schema can be written");
    }
    let committed = fs::read_to_string(&path).expect("the committed schema");
    assert!(
        committed == current,
        "run the test with UPDATE_SCHEMA=1 to bring profiles/nandseqgen.schema.json up to date"
    );
}

/// Adds every key and word of the schema to `found`.
fn words(schema: &Value, found: &mut Vec<String>) {
    match schema {
        Value::Object(map) => {
            if let Some(Value::Object(properties)) = map.get("properties") {
                found.extend(properties.keys().cloned());
            }
            if let Some(Value::Array(words)) = map.get("enum") {
                found.extend(words.iter().filter_map(Value::as_str).map(str::to_owned));
            }
            map.values().for_each(|value| words(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| words(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn every_key_and_word_of_the_schema_is_documented() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/profile-format.md");
    let text = fs::read_to_string(path).expect("the description of the format");
    let schema: Value = serde_json::from_str(&native::schema::json()).expect("the schema is JSON");
    let mut known = Vec::new();
    words(&schema, &mut known);
    assert!(known.len() > 100);
    // A documented word is in backquotes, alone or with a parameter.
    let documented = |word: &String| {
        text.split('`')
            .skip(1)
            .step_by(2)
            .any(|code| code.split([':', ',', '{', '}', '[', ']', ' ', '.']).any(|part| part == word))
    };
    let missing: Vec<&String> = known.iter().filter(|word| !documented(word)).collect();
    assert!(missing.is_empty(), "not in docs/profile-format.md: {missing:?}");
}

#[test]
fn the_built_in_profile_names_its_schema() {
    assert!(builtin::text().starts_with("# yaml-language-server: $schema=nandseqgen.schema.json\n"));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(50) })]

    #[test]
    fn the_schema_accepts_every_profile_that_is_written(seed: u64) {
        let text = native::write(&random::profile(seed));
        let errors: Vec<String> = validator().iter_errors(&document(&text)).map(|error| error.to_string()).collect();
        prop_assert!(errors.is_empty(), "{:?}\n{}", errors, text);
    }
}
