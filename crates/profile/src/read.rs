//! Reading a profile in the native form or in the predecessor's.

use crate::diagnostic::{Diagnostic, Diagnostics, SourceFile};
use crate::model::Profile;
use crate::yaml::{self, Node};
use crate::{legacy, native};

/// Options of reading.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct ReadOptions {
    /// Whether an operation of a legacy file whose stanza has an error is left out, with everything that refers to it. Its errors
    /// become warnings. All other errors stay errors.
    pub lenient: bool,
}

/// Reads a profile. It is native if it has a top-level key `schema`, otherwise in the predecessor's form.
///
/// Reports all mistakes of the text together, in the order of the text. The profile is `Some` exactly if no diagnostic is an
/// error.
#[must_use]
pub fn read(source: &SourceFile, options: ReadOptions) -> (Option<Profile>, Diagnostics) {
    let mut diagnostics = Diagnostics::new();
    let profile =
        yaml::parse(source, &mut diagnostics).and_then(|root| dispatch(&root, source, options, &mut diagnostics));
    diagnostics.sort();
    diagnostics.merge_aliases(source);
    let profile = if diagnostics.has_errors() { None } else { profile };
    (profile, diagnostics)
}

fn dispatch(root: &Node, source: &SourceFile, options: ReadOptions, diagnostics: &mut Diagnostics) -> Option<Profile> {
    let has = |key: &str| root.get(key).is_some();
    if root.as_mapping().is_none() {
        let message = format!("a device profile is a mapping, not {}", root.describe());
        diagnostics.push(Diagnostic::error("not-a-profile", message).at(root.span, ""));
        return None;
    }
    if has("schema") {
        return native::read_native(root, diagnostics);
    }
    if has("op_bases") || has("op_names") || !(has("bases") || has("ops") || has("classes")) {
        return legacy::import(root, source, options.lenient, diagnostics);
    }
    let diagnostic = Diagnostic::error("missing-schema", "a native profile states its format version")
        .at(root.span, "")
        .help("add `schema: 1` as its first line");
    diagnostics.push(diagnostic);
    None
}
