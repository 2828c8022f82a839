//! Descriptions of faults: what they mean, their mistakes, and their schema.

use std::fmt::Write as _;

use nandseq_profile::yaml::{self, Node, Value as Yaml};
use nandseq_profile::{Diagnostics, SourceFile};
use nandseq_simulate::schema_json;
use serde_json::{Map, Value};

use crate::play::read_text;

const GOOD: [&str; 6] = [
    "schema: 1\nname: a\nwhen: {pair: {first: {base: ERASE}, second: {op: Read_SLC, block: same as first, within: 0-50}, between: nothing}}\n\
     probability: 0.6\nnoise: 0.01\nsites: [1, 3-5]\ndetect: output\n",
    "schema: 1\nname: b\nwhen: {triple: {first: {class: read}, second: {class: read, within: 5}, third: {class: erase, within: 1-2}}}\nsites: all\n",
    "schema: 1\nname: c\nwhen: {state_time: {class: suspend, state: ERASE.CORE_BUSY, at: 0-10 %}}\n",
    "schema: 1\nname: d\nwhen: {address: {die: 0, blocks: [0-15, 20], page: 3}}\n",
    "schema: 1\nname: e\nwhen: {wear: {class: array_program, celltype: SLC, erases: 3}}\n",
    "schema: 1\nname: f\nwhen: {data: {class: read, multi: false, previous_page: 0-31}}\n",
];

const BAD: [&str; 20] = [
    "",
    "schema: 2\nname: a\nwhen: {wear: {erases: 1}}\n",
    "schema: 1\nwhen: {wear: {erases: 1}}\n",
    "schema: 1\nname: a\n",
    "schema: 1\nname: a\nwhen: {}\n",
    "schema: 1\nname: a\nwhen: {wear: {erases: 1}, address: {die: 0}}\n",
    "schema: 1\nname: a\nwhen: {pear: {first: {class: read}}}\n",
    "schema: 1\nname: a\nwhen: {pair: {first: {class: read}, second: {class: reed, within: 5}}}\n",
    "schema: 1\nname: a\nwhen: {pair: {first: {class: read}, second: {class: read}}}\n",
    "schema: 1\nname: a\nwhen: {pair: {first: {class: read}, second: {class: read, within: 5-}}}\n",
    "schema: 1\nname: a\nwhen: {pair: {first: {class: read, block: same as second}, second: {class: read, within: 5}}}\n",
    "schema: 1\nname: a\nwhen: {address: {class: read}}\nprobability: 1.5\n",
    "schema: 1\nname: a\nwhen: {state_time: {class: read, state: READ.END}}\ndetect: never\n",
    "schema: 1\nname: a\nwhen: {wear: {class: read, erases: 0, block: 99999}}\n",
    "schema: 1\nname: a\nwhen: {data: {class: read, previous_page: 256}}\nsites: none\n",
    "schema: 1\nname: a\nwhen: {wear: {class: read, erases: 1}}\nodds: 0.5\n",
    "schema: 1\nname: a\nwhen: {address: {class: read, block: 99999}}\n",
    "schema: 1\nname: a\nwhen: {state_time: {class: read, state: ERASE.CORE_BUSY, at: 0-10}}\n",
    "schema: 1\nname: a\nwhen: {state_time: {class: read, state: ERASE.BUSY}}\n",
    "schema: 1\nname: a\nwhen: {state_time: {class: read, state: idle}}\n",
];

#[test]
fn good_descriptions_are_read() {
    for text in GOOD {
        let (fault, diagnostics) = read_text(text);
        assert!(fault.is_some() && diagnostics.is_empty(), "{text}: {diagnostics:?}");
    }
    let fault = read_text(GOOD[0]).0.unwrap();
    assert_eq!((fault.probability, fault.noise, fault.others_between), (600_000, 10_000, false));
}

#[test]
fn every_mistake_is_named_with_its_place() {
    let mut told = String::new();
    for text in BAD {
        let (fault, diagnostics) = read_text(text);
        assert!(fault.is_none(), "{text}");
        let source = SourceFile::new("fault.yaml", text);
        let _ = writeln!(told, "{}", diagnostics.render(&source, nandseq_profile::diagnostic::Styling::Plain));
    }
    insta::assert_snapshot!(told);
}

/// A YAML node as an editor's schema checker sees it.
fn as_json(node: &Node) -> Value {
    match &node.value {
        Yaml::Mapping(entries) => {
            let entries = entries.iter().map(|entry| (entry.key.to_string(), as_json(&entry.value)));
            Value::Object(entries.collect::<Map<_, _>>())
        }
        Yaml::Sequence(items) => Value::Array(items.iter().map(as_json).collect()),
        Yaml::Scalar(scalar) if scalar.plain => {
            serde_json::from_str(&scalar.text).unwrap_or_else(|_| Value::String(scalar.text.to_string()))
        }
        Yaml::Scalar(scalar) => Value::String(scalar.text.to_string()),
    }
}

#[test]
fn the_schema_accepts_what_the_reader_accepts_and_refuses_unknown_keys() {
    let schema: Value = serde_json::from_str(&schema_json()).unwrap();
    let validator = jsonschema::draft7::new(&schema).unwrap();
    let document =
        |text: &str| as_json(&yaml::parse(&SourceFile::new("fault.yaml", text), &mut Diagnostics::new()).unwrap());
    for text in GOOD {
        let errors: Vec<String> = validator.iter_errors(&document(text)).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{text}: {errors:?}");
    }
    for at in [1, 2, 3, 4, 5, 6, 8, 11, 12, 15] {
        assert!(!validator.is_valid(&document(BAD[at])), "{}", BAD[at]);
    }
}
