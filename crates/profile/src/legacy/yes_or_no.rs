//! Truth values in the predecessor's files.

use crate::diagnostic::Diagnostics;
use crate::yaml::{Node, Value};

/// A truth value as the predecessor's YAML reader read it: `yes` and `on` are true, `no` and `off` false.
pub(super) fn yes_or_no(node: &Node, what: &str, diagnostics: &mut Diagnostics) -> Option<bool> {
    if let Value::Scalar(scalar) = &node.value
        && scalar.plain
    {
        match scalar.text.to_ascii_lowercase().as_str() {
            "yes" | "on" => return Some(true),
            "no" | "off" => return Some(false),
            _ => {}
        }
    }
    node.expect_bool(what, diagnostics)
}
