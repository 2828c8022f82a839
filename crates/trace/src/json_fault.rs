//! Messages about faults of JSON files.
//!
//! A message is a part of a sentence that fits behind "…: ". It says that the file is cut or not JSON, or which field is missing,
//! unknown or of the wrong kind. The parser's own messages name types of the program, which mean nothing to a user.

use serde_json::error::{Category, Error};

/// The message, with line and column if they are known.
#[must_use]
pub fn describe(error: &Error) -> String {
    let place =
        if error.column() > 0 { format!(" (line {}, column {})", error.line(), error.column()) } else { String::new() };
    what(error) + &place
}

/// The message, without line and column.
#[must_use]
pub fn what(error: &Error) -> String {
    match error.classify() {
        Category::Eof if error.line() == 1 && error.column() == 0 => "it is empty".to_owned(),
        Category::Eof => "it ends in the middle".to_owned(),
        Category::Syntax => "it is not JSON".to_owned(),
        Category::Io => "it cannot be read".to_owned(),
        Category::Data => data(&error.to_string()),
    }
}

/// The message for a file that is JSON with unexpected contents. `message` is the parser's.
fn data(message: &str) -> String {
    let message = message.rsplit_once(" at line ").map_or(message, |(message, _)| message);
    if let Some(field) = message.strip_prefix("missing field ") {
        return format!("the field {field} is missing");
    }
    if let Some(field) = message.strip_prefix("duplicate field ") {
        return format!("the field {field} is there twice");
    }
    if let Some(rest) = message.strip_prefix("unknown field ").or_else(|| message.strip_prefix("unknown variant ")) {
        let (name, expected) = rest.split_once(", expected ").unwrap_or((rest, ""));
        let expected = expected.strip_prefix("one of ").unwrap_or(expected);
        return if expected.is_empty() {
            format!("{name} is not known")
        } else {
            format!("{name} is not known; there is {expected}")
        };
    }
    if let Some((found, _)) = message.strip_prefix("invalid length ").and_then(|rest| rest.split_once(", expected ")) {
        return format!("a list of {found} stands where an object or a longer list belongs");
    }
    let wrong = ["invalid type: ", "invalid value: "].iter().find_map(|start| message.strip_prefix(start));
    if let Some((found, expected)) = wrong.and_then(|rest| rest.rsplit_once(", expected ")) {
        return format!("{} stands where {} belongs", kind(found), kind(expected));
    }
    message.to_owned()
}

/// The user's word for a kind of value, from the parser's word.
fn kind(name: &str) -> String {
    let name = name.trim();
    match name {
        "u8" | "u16" | "u32" | "u64" | "usize" | "i32" | "i64" | "a nonzero u64" => "a whole number".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        "bool" | "a boolean" => "true or false".to_owned(),
        "null" | "unit" => "nothing".to_owned(),
        "map" | "a map" => "an object".to_owned(),
        "sequence" | "a sequence" | "a borrowed array" => "a list".to_owned(),
        "a string" | "a borrowed string" | "a character" => "a text".to_owned(),
        _ if name.starts_with("struct ") || name.starts_with("enum ") => "an object".to_owned(),
        _ if name.starts_with("tuple ") || name.starts_with("a tuple ") => "a list".to_owned(),
        _ => match name.split_once(" `") {
            Some(("integer", value)) => format!("the number {}", value.trim_end_matches('`')),
            Some(("floating point", value)) => format!("the number {}", value.trim_end_matches('`')),
            Some(("boolean", value)) => value.trim_end_matches('`').to_owned(),
            _ => name.strip_prefix("string ").map_or_else(|| name.to_owned(), |text| format!("the text {text}")),
        },
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize, Debug)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Inner {
        count: u64,
        names: Vec<String>,
        #[serde(default)]
        pair: Option<(u8, bool)>,
    }

    fn said(text: &str) -> String {
        describe(&serde_json::from_str::<Inner>(text).unwrap_err())
    }

    #[test]
    fn what_is_wrong_is_said_without_the_types_of_the_program() {
        for (text, expected) in [
            ("{\"count\": 1, \"na", "it ends in the middle (line 1, column 16)"),
            ("", "it is empty"),
            ("count = 1", "it is not JSON (line 1, column 1)"),
            ("{\"count\": 1}", "the field `names` is missing (line 1, column 12)"),
            ("{\"count\": 1, \"count\": 2}", "the field `count` is there twice (line 1, column 20)"),
            ("{\n\"seed\": 1}", "`seed` is not known; there is `count`, `names`, `pair` (line 2, column 6)"),
            ("{\"count\": \"one\"}", "the text \"one\" stands where a whole number belongs (line 1, column 15)"),
            ("{\"count\": -1}", "the number -1 stands where a whole number belongs (line 1, column 12)"),
            ("{\"count\": 1.5}", "the number 1.5 stands where a whole number belongs (line 1, column 13)"),
            ("{\"count\": null}", "nothing stands where a whole number belongs (line 1, column 14)"),
            ("{\"count\": [1]}", "a list stands where a whole number belongs (line 1, column 10)"),
            ("{\"names\": {}}", "an object stands where a list belongs (line 1, column 10)"),
            ("{\"pair\": [1, 2]}", "the number 2 stands where true or false belongs (line 1, column 14)"),
            ("[]", "a list of 0 stands where an object or a longer list belongs"),
            ("7", "the number 7 stands where an object belongs"),
        ] {
            let said = said(text);
            assert!(said.starts_with(expected), "{text}: {said}");
        }
    }
}
