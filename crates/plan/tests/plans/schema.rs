//! Tests that the JSON Schema accepts and rejects the same plans as the reader, as far as a schema can.

use std::fs;
use std::path::Path;

use jsonschema::Validator;
use nandseq_plan::schema;
use nandseq_profile::yaml::{self, Node, Value as Yaml};
use nandseq_profile::{Diagnostics, SourceFile};
use serde_json::{Map, Value};

use crate::read;

const GOOD: &str = include_str!("../../testdata/good.yaml");

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
    let schema: Value = serde_json::from_str(&schema::json()).expect("the schema is JSON");
    jsonschema::draft7::meta::validate(&schema).expect("the schema is a schema");
    jsonschema::draft7::new(&schema).expect("the schema compiles")
}

#[test]
fn the_schema_accepts_good_plans() {
    let validator = validator();
    for text in [GOOD, nandseq_plan::EXAMPLE, "schema: 1\n"] {
        let errors: Vec<String> = validator
            .iter_errors(&document(text))
            .map(|error| format!("{}: {error}", error.instance_path()))
            .take(5)
            .collect();
        assert!(errors.is_empty(), "{errors:#?}");
    }
}

#[test]
fn the_schema_rejects_what_the_reader_calls_unknown_or_wrong() {
    let validator = validator();
    for (from, to) in [
        ("schema: 1\n", "schema: 2\n"),
        ("schema: 1\n", ""),
        ("schema: 1\n", "schema: 1\ngoals: {}\n"),
        ("schema: 1\n", "schema: 1\ngoals: [1]\n"),
        ("{programmed: 50 %}", "{programmed: }"),
        ("name: stress", "name: "),
        ("{erases_per_block: 3000, reads_per_block: 100000, reads_per_page: 1000, open_blocks: 4}", "{open_blocks: }"),
        ("runs: 1,", "run: 1,"),
        ("runs: 20", "runs: 0"),
        ("runs: 20", "runs: many"),
        ("name: stress", "nam: stress"),
        ("{programmed: 50 %}", "{programed: 50 %}"),
        ("{programmed: 50 %}", "{programmed: 50}"),
        ("{programmed: 50 %}", "{programmed: 50 %, erased: 1 %}"),
        ("{scenarios: done}", "{scenarios: over}"),
        ("goals: []", "goals: [pairs]"),
        ("run_until: 100000", "run_until: soon"),
        ("mix: {READ: 40 %", "mix: {READ: much"),
        ("global: {READ: 0.9", "globel: {READ: 0.9"),
        ("global: {READ: 0.9", "global: {READ: -0.9"),
        ("{dies: 0, blocks: 8", "{die: 0, blocks: 8"),
        ("weight: 8", "weight: 0"),
        ("erases_per_block: 3000", "erase_per_block: 3000"),
        ("each: [celltype]", "each: [cell]"),
        ("rate: 5", "rate: 5000"),
        ("between: anything", "between: something"),
        ("{base: DOUT}", "{bass: DOUT}"),
        ("expect: busy", "expect: bussy"),
        ("repeat: 3", "repeat: 0"),
        ("multi: false", "multi: 3"),
    ] {
        let damaged = GOOD.replacen(from, to, 1);
        assert_ne!(damaged, GOOD, "{from:?} stands in the good plan");
        assert!(!validator.is_valid(&document(&damaged)), "{from:?} -> {to:?} is accepted");
        let (plan, _) = read(&SourceFile::new("damaged", damaged));
        assert!(plan.is_none(), "the reader accepts {from:?} -> {to:?}");
    }
}

#[test]
fn the_schema_accepts_keys_without_a_value_where_the_reader_does() {
    let (validator, mut accepted) = (validator(), 0);
    let mut spans = Vec::new();
    let mut diagnostics = Diagnostics::new();
    let root = yaml::parse(&SourceFile::new("good.yaml", GOOD), &mut diagnostics).expect("it is good");
    collect(&root, &mut spans);
    // Sections that are not there, and several ends of which one has a value.
    let damaged = spans.iter().map(|&(start, end)| format!("{}null{}", &GOOD[..start], &GOOD[end..]));
    let damaged = damaged.chain([
        GOOD.replacen("schema: 1\n", "schema: 1\ngoals:\nillegal: []\n", 1),
        GOOD.replacen("{programmed: 50 %}", "{programmed: , erased: 50 %}", 1),
    ]);
    for text in damaged {
        let (plan, _) = read(&SourceFile::new("damaged", text.clone()));
        accepted += usize::from(plan.is_some());
        assert!(plan.is_none() || validator.is_valid(&document(&text)), "the schema rejects\n{text}");
    }
    assert!(accepted > 25, "{accepted}");
}

/// The places of all values of mappings and lists.
fn collect(node: &Node, spans: &mut Vec<(usize, usize)>) {
    let inner: Vec<&Node> = match &node.value {
        Yaml::Mapping(entries) => entries.iter().map(|entry| &entry.value).collect(),
        Yaml::Sequence(items) => items.iter().collect(),
        Yaml::Scalar(_) => Vec::new(),
    };
    for one in inner {
        spans.push((one.span.start, one.span.end));
        collect(one, spans);
    }
}

#[test]
fn the_committed_schema_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../profiles/nandseqgen-plan.schema.json");
    let current = schema::json();
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        fs::write(&path, &current).expect("the schema can be written");
    }
    let committed = fs::read_to_string(&path).expect("the committed schema");
    assert!(
        committed == current,
        "run the test with UPDATE_SCHEMA=1 to bring profiles/nandseqgen-plan.schema.json up to date"
    );
}
