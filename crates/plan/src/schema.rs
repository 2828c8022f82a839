//! The JSON Schema of test plans, for editors.
//!
//! The schema accepts every plan that the reader accepts, also keys without a value, which count as absent. It rejects unknown keys and wrong words everywhere. Leaves out the checks
//! that a schema cannot express: names of the device and of the plan itself, and limits on several values together.

use nandseq_profile::limits::MAX_WEIGHT;
use serde_json::{Map, Value, json};

use crate::read::SCHEMA_VERSION;

/// The schema as a JSON text, ending with a newline.
#[must_use]
pub fn json() -> String {
    // The alternate form of a JSON value is its indented text.
    format!("{:#}\n", schema())
}

fn schema() -> Value {
    let mut schema = object(
        &json!({
            "schema": {"const": SCHEMA_VERSION, "description": "Version of the format."},
            "phases": described(list_of(&phase()), "Runs in order, each phase on the state that the phase before left."),
            "mix": mix(),
            "addresses": described(map_of(&address_entry()), "Where addresses are drawn, and how often."),
            "scenarios": described(map_of(&scenario()), "What must happen, and how often."),
            "goals": nothing(),
            "illegal": nothing(),
        }),
        &["schema"],
    );
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("$schema".to_owned(), json!("http://json-schema.org/draft-07/schema#"));
        schema.insert("title".to_owned(), json!("nandseqgen test plan"));
    }
    schema
}

/// A mapping. Keys that are not required may be without a value.
fn object(properties: &Value, required: &[&str]) -> Value {
    let properties = properties.as_object().cloned().unwrap_or_default();
    let properties: Map<String, Value> = properties
        .into_iter()
        .map(|(key, value)| if required.contains(&&*key) { (key, value) } else { (key, or_null(value)) })
        .collect();
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

/// A mapping that states some of its keys: `how` is `anyOf` for one or several, `oneOf` for exactly one.
fn stating(how: &str, properties: &Value) -> Value {
    let keys = properties.as_object().into_iter().flat_map(Map::keys);
    let stated: Vec<Value> =
        keys.map(|key| json!({"required": [key], "properties": {key: {"not": {"type": "null"}}}})).collect();
    let mut object = object(properties, &[]);
    if let Some(object) = object.as_object_mut() {
        object.insert(how.to_owned(), stated.into());
    }
    object
}

/// A value, or none.
fn or_null(mut value: Value) -> Value {
    let description = value.as_object_mut().and_then(|map| map.remove("description"));
    let none = json!({"type": "null"});
    let mut either = json!({"anyOf": [value, none]});
    if let (Some(either), Some(description)) = (either.as_object_mut(), description) {
        either.insert("description".to_owned(), description);
    }
    either
}

/// An empty list: of what is not supported yet.
fn nothing() -> Value {
    json!({"type": "array", "maxItems": 0})
}

fn map_of(value: &Value) -> Value {
    json!({"type": "object", "additionalProperties": value})
}

fn list_of(items: &Value) -> Value {
    json!({"type": "array", "minItems": 1, "items": items})
}

fn described(mut value: Value, description: &str) -> Value {
    if let Some(map) = value.as_object_mut() {
        map.insert("description".to_owned(), json!(description));
    }
    value
}

fn text() -> Value {
    // YAML reads a name such as `71` as a number.
    json!({"type": ["string", "number"]})
}

/// One text or a list of them.
fn texts() -> Value {
    json!({"anyOf": [text(), {"type": "array", "items": text()}]})
}

/// A whole number from 1 on. Editors take numbers in quotes, and with `_` between digits, for texts.
fn count(most: u32) -> Value {
    json!({"anyOf": [
        {"type": "integer", "minimum": 1, "maximum": most},
        {"type": "string", "pattern": "^ *[+]?[0-9][0-9a-fA-FxXoO_]* *$"},
    ]})
}

fn number() -> Value {
    json!({"anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": "^ *[-+0-9._eE]+ *$"}]})
}

fn percent() -> Value {
    json!({"type": "string", "pattern": "^ *[0-9]+(\\.[0-9]+)? *% *$", "description": "A share in percent: `50 %`."})
}

fn ranges() -> Value {
    described(texts(), "Numbers and ranges: `3`, `0-15`, `[0, 5-1019]`.")
}

fn mix() -> Value {
    described(map_of(&percent()), "Shares of the operations that start, by operation, base, class or pattern.")
}

fn phase() -> Value {
    let weight = json!({"anyOf": [{"type": "number", "minimum": 0, "maximum": MAX_WEIGHT}, {"type": "string"}]});
    let masses = map_of(&weight);
    let until = json!({
        "programmed": percent(), "erased": percent(), "covered": percent(), "scenarios": {"const": "done"},
    });
    let until = stating("oneOf", &until);
    object(
        &json!({
            "name": text(),
            "runs": described(count(u32::MAX), "The number of runs; 1 if absent."),
            "run_until": described(number(), "Simulated time of a run, µs."),
            "ops": described(count(u32::MAX), "Operations of a run."),
            "until": described(until, "What ends the phase: one of these."),
            "probabilities": object(&json!({"global": masses, "by_key": map_of(&masses)}), &[]),
            "mix": mix(),
            "addresses": described(texts(), "Names of entries of `addresses`; all of them if absent."),
            "scenarios": described(texts(), "Names of entries of `scenarios`; all of them if absent."),
            "goals": nothing(),
            "illegal": nothing(),
        }),
        &["name"],
    )
}

fn address_entry() -> Value {
    let region = object(
        &json!({
            "dies": ranges(), "planes": ranges(), "blocks": ranges(), "pages": ranges(),
            "weight": described(count(1_000_000), "The weight against the other regions; 1 if absent."),
        }),
        &[],
    );
    let limits = json!({
        "erases_per_block": count(u32::MAX), "reads_per_block": count(u32::MAX), "reads_per_page": count(u32::MAX),
        "open_blocks": count(u32::MAX),
    });
    let limits = described(stating("anyOf", &limits), "How often addresses may be used over the life of a site.");
    stating("anyOf", &json!({"regions": list_of(&region), "limits": limits}))
}

fn scenario() -> Value {
    let each = json!({"type": "string", "pattern": "^(celltype|die|plane|op of .+)$"});
    let labelled = json!({
        "type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": step(),
    });
    object(
        &json!({
            "each": described(json!({"anyOf": [each, {"type": "array", "items": each}]}), "For each value of these the hits are wanted."),
            "hits": described(count(u32::MAX), "The hits wanted; 1 if absent."),
            "rate": described(count(1_000), "Attempts for each 1000 proposals; as often as needed if absent."),
            "between": {"enum": ["anything", "nothing"], "description": "Whether other operations may start on the die between the steps."},
            "steps": list_of(&json!({"anyOf": [step(), labelled]})),
        }),
        &["steps"],
    )
}

fn step() -> Value {
    let place = described(texts(), "Numbers, or `same as L`, `other than L`, `next to L` of an earlier step L.");
    object(
        &json!({
            "op": texts(),
            "base": texts(),
            "class": texts(),
            "celltype": text(),
            "multi": {"type": "boolean"},
            "in": described(text(), "A phase of an earlier step: `LABEL.CORE_BUSY`."),
            "at": described(text(), "A part of the phase: `0-10 %`."),
            "after": described(text(), "A moment of an earlier step: `LABEL.start`, `LABEL.end`, `LABEL.CORE_BUSY`."),
            "within": described(text(), "The distance from that moment in µs: `5`, `10-200`, `10-`."),
            "die": place, "dies": place, "plane": place, "planes": place,
            "block": place, "blocks": place, "page": place, "pages": place,
            "repeat": count(1_000_000),
            "expect": {"enum": ["busy", "ready"]},
        }),
        &[],
    )
}
