//! The JSON Schema of the native format, for editors.
//!
//! The schema accepts every file that the reader accepts. It rejects unknown keys and wrong words everywhere. Leaves out the
//! checks that a schema cannot express: names that a file defines elsewhere, and limits on several values together.

use serde_json::{Map, Value, json};

use super::SCHEMA_VERSION;
use super::words::{self, EFFECTS_WITH_PARAMETER, Word};
use crate::limits;
use crate::model::{
    AddressSource, Axis, CacheProgramKind, CacheReadKind, DeviceState, Effect, LatchKind, LatchLevel, PayloadField,
    PhaseKind, Scope, StatusField, StepAddress,
};

/// The schema as a JSON text, ending with a newline.
#[must_use]
pub fn json() -> String {
    // The alternate form of a JSON value is its indented text.
    format!("{:#}\n", schema())
}

fn schema() -> Value {
    let properties = json!({
        "schema": {"const": SCHEMA_VERSION, "description": "Version of the format."},
        "name": described(text(), "The name of the device, one line."),
        "topology": topology(),
        "policies": policies(),
        "offset_guard": described(whole(0, limits::MAX_PAGES_PER_BLOCK), "Pages between a read and the last programmed page."),
        "cell_types": described(
            map_of(&list_of(&text())),
            "Cell types, each with the others that may be programmed on a block erased as it.",
        ),
        "latencies": described(map_of(&time()), "Times in µs that durations may name."),
        "classes": described(map_of(&base(false)), "Templates of behaviour; also names for their bases."),
        "bases": described(map_of(&base(true)), "Classes of behaviour."),
        "interleaved": described(
            list_of(&text()),
            "Bases and classes whose single-plane operations may overlap one another on one die.",
        ),
        "exclusion_groups": described(map_of(&group()), "Named lists of forbidden bases, classes and groups."),
        "exclusions": exclusions(),
        "chains": described(map_of(&chain()), "Operations that follow a first one and must all run."),
        "ops": described(map_of(&op()), "Operations, and families of operations."),
        "phase_conditional": described(map_of(&map_of(&weight())), "Explicit distributions: phase key, name, weight."),
        "probabilities": object(&json!({
            "global": map_of(&weight()),
            "by_key": map_of(&map_of(&weight())),
        }), &[]),
        "export": object(&json!({
            "time_scale": {"anyOf": [{"type": "number", "exclusiveMinimum": 0}, number_text()]},
            "round_decimals": whole(0, 9),
            "skip_resume_chained_ops": {"type": "boolean"},
            "status": object(&json!({
                "fields": {"type": "array", "minItems": 1, "uniqueItems": true, "items": word::<StatusField>()},
            }), &["fields"]),
        }), &[]),
        "bootstrap": bootstrap(),
    });
    let mut schema = object(&properties, &["schema", "topology", "cell_types", "bases", "ops"]);
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("$schema".to_owned(), json!("http://json-schema.org/draft-07/schema#"));
        schema.insert("title".to_owned(), json!("nandseqgen device profile"));
    }
    schema
}

/// A mapping with known keys.
fn object(properties: &Value, required: &[&str]) -> Value {
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

/// A mapping of names.
fn map_of(value: &Value) -> Value {
    json!({"type": "object", "additionalProperties": value})
}

fn list_of(items: &Value) -> Value {
    json!({"type": "array", "items": items})
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

/// A number in quotes.
fn number_text() -> Value {
    json!({"type": "string", "pattern": "^[-+0-9._eE]+$"})
}

/// A whole number. Editors take numbers in forms of YAML 1.1 (`1_000`, `0b1`) and in quotes for texts.
fn whole(least: u32, most: u64) -> Value {
    let forms = "^[+-]?(0|[1-9](_?[0-9])*|0[xX][0-9a-fA-F](_?[0-9a-fA-F])*|0[oO][0-7](_?[0-7])*|0[bB][01](_?[01])*)$";
    json!({"anyOf": [{"type": "integer", "minimum": least, "maximum": most}, {"type": "string", "pattern": forms}]})
}

fn time() -> Value {
    json!({"anyOf": [{"type": "number", "minimum": 0}, number_text()], "description": "µs"})
}

fn positive_time() -> Value {
    json!({"anyOf": [{"type": "number", "exclusiveMinimum": 0}, number_text()], "description": "µs"})
}

/// A time, or the name of a latency.
fn duration() -> Value {
    json!({
        "anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "minLength": 1}],
        "description": "µs, or the name of a latency",
    })
}

fn weight() -> Value {
    json!({"anyOf": [{"type": "number", "minimum": 0, "maximum": limits::MAX_WEIGHT}, number_text()]})
}

/// One of the words of an enumeration.
fn word<W: Word>() -> Value {
    let words: Vec<&str> = W::WORDS.iter().map(|(word, _)| *word).collect();
    json!({"enum": words})
}

fn topology() -> Value {
    object(
        &json!({
            "dies": whole(1, limits::MAX_DIES),
            "planes": whole(1, limits::MAX_PLANES),
            "blocks_per_die": whole(1, limits::MAX_BLOCKS_PER_DIE),
            "pages_per_block": whole(1, limits::MAX_PAGES_PER_BLOCK),
        }),
        &["dies", "planes", "blocks_per_die", "pages_per_block"],
    )
}

fn policies() -> Value {
    object(
        &json!({
            "admission_window": described(time(), "How long a proposal may wait for the bus, µs."),
            "queue_refill_period": described(positive_time(), "Period of the refill hooks, µs."),
            "max_planes": whole(1, limits::MAX_PLANES),
            "max_tries": whole(1, limits::MAX_OPS as u64),
            "sequence_gap": described(time(), "From the end of a chain step to the due time of the next, µs."),
            "split_dout_per_plane": {"type": "boolean"},
            "time_resolution": described(positive_time(), "Operations start on multiples of this, µs."),
            "post_hook_window": described(time(), "Longest time from the end of a phase to a hook after it, µs."),
            "refill_uses_end_key": {"type": "boolean"},
        }),
        &[],
    )
}

fn base(with_class: bool) -> Value {
    let mut properties = json!({
        "scope": word::<Scope>(),
        "affects_state": {"type": "boolean"},
        "instant": {"type": "boolean"},
        "phases": list_of(&phase()),
        "address": word::<AddressSource>(),
        "effects": list_of(&effect()),
        "payload": list_of(&word::<PayloadField>()),
        "follow_ups": map_of(&follow_up()),
    });
    if let (true, Some(properties)) = (with_class, properties.as_object_mut()) {
        properties.insert("class".to_owned(), text());
    }
    object(&properties, &[])
}

fn phase() -> Value {
    let unusual = object(&json!({"bus": {"type": "boolean"}, "duration": duration()}), &[]);
    let named = PhaseKind::WORDS.iter().map(|(word, _)| ((*word).to_owned(), unusual.clone()));
    let mut named = object(&Value::Object(named.collect()), &[]);
    single(&mut named);
    json!({"anyOf": [word::<PhaseKind>(), named]})
}

/// Restricts a mapping to exactly one key.
fn single(object: &mut Value) {
    if let Some(object) = object.as_object_mut() {
        object.insert("minProperties".to_owned(), json!(1));
        object.insert("maxProperties".to_owned(), json!(1));
    }
}

fn effect() -> Value {
    let needs = list_of(&word::<LatchLevel>());
    let mut parameters = Map::new();
    for name in EFFECTS_WITH_PARAMETER {
        let parameter = match name {
            "load_latch" => object(
                &json!({"latch": word::<LatchKind>(), "level": word::<LatchLevel>(), "needs": needs}),
                &["latch", "level"],
            ),
            "consume_latch" => object(&json!({"latch": word::<LatchKind>(), "needs": needs}), &["latch"]),
            "fill_registers" => json!({"enum": ["copyback"]}),
            "cache_read" | "cache_read_end" => word::<CacheReadKind>(),
            "cache_program_start" | "cache_program_end" => word::<CacheProgramKind>(),
            // suspend, resume
            _ => word::<Axis>(),
        };
        parameters.insert(name.to_owned(), parameter);
    }
    let mut with_parameter = object(&Value::Object(parameters), &[]);
    single(&mut with_parameter);
    json!({"anyOf": [word::<Effect>(), with_parameter]})
}

fn inheritance() -> Value {
    let addresses = StepAddress::WORDS.iter().map(|(word, _)| *word);
    let all: Vec<&str> = addresses.chain([words::SAME_CELL_TYPE, words::MULTI, words::SAME_PLANE]).collect();
    list_of(&json!({"enum": all}))
}

fn name_weights() -> Value {
    map_of(&map_of(&weight()))
}

fn follow_up() -> Value {
    let further =
        object(&json!({"weight": weight(), "inherit": inheritance(), "name_weights": name_weights()}), &["weight"]);
    json!({"anyOf": [weight(), further]})
}

fn chain() -> Value {
    let mut step = map_of(&inheritance());
    single(&mut step);
    let steps = json!({
        "type": "array", "minItems": 1, "maxItems": limits::MAX_CHAIN_STEPS, "items": {"anyOf": [text(), step]},
    });
    object(&json!({"steps": steps, "name_weights": name_weights()}), &["steps"])
}

fn group() -> Value {
    json!({"anyOf": [list_of(&text()), object(&json!({"all_except": list_of(&text())}), &["all_except"])]})
}

fn exclusions() -> Value {
    let states = DeviceState::ALL.iter().map(|state| (state.name().to_owned(), list_of(&text())));
    object(
        &json!({
            "op_state": map_of(&list_of(&text())),
            "state": object(&Value::Object(states.collect()), &[]),
        }),
        &[],
    )
}

fn op() -> Value {
    let mut stated = json!({
        "base": text(),
        "celltype": text(),
        "multi": {"type": "boolean"},
        "status_of": {"type": "string", "pattern": "^(die|plane|lun *[0-9]+)$"},
        "opcode": whole(0, u64::from(u32::MAX)),
        "reads": word::<LatchLevel>(),
    });
    if let Some(stated) = stated.as_object_mut() {
        stated.extend(PhaseKind::WORDS.iter().map(|(word, _)| ((*word).to_owned(), duration())));
    }
    let variant = json!({"anyOf": [object(&stated, &[]), {"type": "null"}]});
    if let Some(stated) = stated.as_object_mut() {
        stated.insert("variants".to_owned(), map_of(&map_of(&variant)));
        stated.insert("except".to_owned(), list_of(&text()));
    }
    object(&stated, &[])
}

fn bootstrap() -> Value {
    let count = || whole(0, u64::from(u32::MAX));
    object(
        &json!({
            "enabled": {"type": "boolean"},
            "erase_blocks": count(),
            "program_blocks": count(),
            "read_blocks": count(),
            "read_coverage": {"anyOf": [{"type": "number", "minimum": 0, "maximum": 1}, number_text()]},
            "cell_type_weights": map_of(&weight()),
        }),
        &[],
    )
}
