//! The JSON Schema of descriptions of faults, for editors.
//!
//! The schema accepts every description that the reader accepts. It rejects unknown keys and wrong words everywhere. Leaves out what
//! needs the device: its names and addresses.

use serde_json::{Map, Value, json};

use crate::read::{LABELS, PLACES, SCHEMA_VERSION};

/// The schema as a JSON text, ending with a newline.
#[must_use]
pub fn json() -> String {
    // The alternate form of a JSON value is its indented text.
    format!("{:#}\n", schema())
}

fn object(properties: &Value, required: &[&str]) -> Value {
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

fn schema() -> Value {
    let whole = json!({"anyOf": [{"type": "number", "minimum": 0, "maximum": 1}, {"type": "string"}]});
    object(
        &json!({
            "schema": {"const": SCHEMA_VERSION, "description": "Version of the format."},
            "name": {"type": ["string", "number"], "description": "One line of text."},
            "when": when(),
            "probability": whole,
            "noise": whole,
            "sites": texts("`all`, numbers or ranges."),
            "detect": {"enum": ["operation", "output"], "description": "Where the tester sees the fault."},
        }),
        &["schema", "name", "when"],
    )
}

fn texts(description: &str) -> Value {
    let text = json!({"type": ["string", "number"]});
    json!({"anyOf": [text, {"type": "array", "items": text}], "description": description})
}

/// One of the kinds of faults.
fn when() -> Value {
    let count = json!({"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string"}]});
    let text = json!({"type": ["string", "number"]});
    let kinds = json!({
        "pair": steps(2),
        "triple": steps(3),
        "state_time": step(&json!({"state": text, "at": text}), &["state"]),
        "address": step(&json!({}), &[]),
        "wear": step(&json!({"erases": count}), &["erases"]),
        "data": step(&json!({"previous_page": texts("Patterns, 0 to 255.")}), &["previous_page"]),
    });
    let mut one = object(&kinds, &[]);
    if let Some(one) = one.as_object_mut() {
        one.insert("minProperties".to_owned(), json!(1));
        one.insert("maxProperties".to_owned(), json!(1));
    }
    one
}

fn steps(count: usize) -> Value {
    let within = json!({"within": {"type": ["string", "number"], "description": "µs from the start of the step before: `5`, `10-200`."}});
    let each = |at: usize| if at == 0 { step(&json!({}), &[]) } else { step(&within, &["within"]) };
    let mut properties: Map<String, Value> =
        LABELS[..count].iter().enumerate().map(|(at, label)| ((*label).to_owned(), each(at))).collect();
    properties.insert("between".to_owned(), json!({"enum": ["anything", "nothing"]}));
    object(&Value::Object(properties), &LABELS[..count])
}

fn step(more: &Value, required: &[&str]) -> Value {
    let mut properties = json!({"celltype": {"type": ["string", "number"]}, "multi": {"type": "boolean"}});
    let place = texts("Numbers, or `same as`, `other than` or `next to` an earlier step.");
    let keys = PLACES.map(|key| (key, place.clone()));
    let ops = ["op", "base", "class"].map(|key| (key, texts("Names or patterns of the device.")));
    let more = more.as_object().into_iter().flatten().map(|(key, value)| (key.as_str(), value.clone()));
    if let Some(properties) = properties.as_object_mut() {
        properties.extend(keys.into_iter().chain(ops).chain(more).map(|(key, value)| (key.to_owned(), value)));
    }
    object(&properties, required)
}
