//! Tests that `docs/test-plans.md` describes what is read.

use std::fs;
use std::path::Path;

use nandseq_profile::diagnostic::Styling;
use nandseq_profile::{Severity, SourceFile};
use serde_json::Value;

use crate::read;

fn page() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/test-plans.md")).expect("the page")
}

#[test]
fn every_plan_of_the_page_is_good() {
    let page = page();
    let blocks: Vec<&str> = page.split("\n```yaml ").skip(1).filter_map(|rest| rest.split("\n```").next()).collect();
    assert!(blocks.len() >= 5, "the page has few examples");
    for block in blocks {
        let (name, text) = block.split_once('\n').expect("a name, then lines");
        let source = SourceFile::new(name, text);
        let (plan, mut diagnostics) = read(&source);
        // A note may say what an example leaves out.
        diagnostics.retain_at_least(Severity::Warning);
        assert!(plan.is_some() && diagnostics.is_empty(), "{}", diagnostics.render(&source, Styling::Plain));
    }
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
fn every_key_word_and_standard_class_is_documented() {
    let page = page();
    let schema: Value = serde_json::from_str(&nandseq_plan::schema::json()).expect("the schema is JSON");
    let mut known = Vec::new();
    words(&schema, &mut known);
    assert!(known.len() > 40);
    // A documented word is in backquotes, alone or with what belongs to it.
    let text: Vec<&str> = page.split("\n```").step_by(2).collect();
    let documented = |word: &String| {
        text.iter().any(|text| {
            let mut quoted = text.split('`').skip(1).step_by(2);
            quoted.any(|code| code.split([':', ',', '{', '}', '[', ']', ' ']).any(|part| part == word))
        })
    };
    let missing: Vec<&String> = known.iter().filter(|word| !documented(word)).collect();
    assert!(missing.is_empty(), "not in docs/test-plans.md: {missing:?}");
    for (class, what) in nandseq_plan::STANDARD_CLASSES {
        assert!(page.contains(&format!("| `{class}` | {what} |")), "{class}");
    }
}
