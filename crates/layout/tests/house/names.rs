//! No code knows a base or an operation of a device by its name: kinds of behaviour are data.

use std::collections::BTreeSet;

use nandseq_profile::builtin;

use crate::none;
use crate::source::{self, Piece, Source};

/// The one folder that knows names, because the predecessor's files leave behaviour to them.
const KNOWS_NAMES: &str = "crates/profile/src/legacy";

/// Words of file formats that are names of bases too: the file, the word, and its meaning there.
const OTHER_MEANINGS: [(&str, &str, &str); 4] = [
    ("crates/profile/src/phase_key.rs", "DOUT", "another spelling of the phase DATA_OUT"),
    ("crates/profile/src/phase_key.rs", "DOUT4K", "another spelling of the phase DATA_OUT"),
    ("crates/profile/src/phase_key.rs", "DATAIN", "another spelling of the phase DATA_IN"),
    ("crates/trace/src/rows.rs", "READ", "how address_touch_count calls a read of a page"),
];

#[test]
fn no_code_knows_a_base_or_an_operation_by_its_name() {
    let profile = builtin::profile();
    let bases = profile.bases.iter().map(|base| base.name.as_str());
    let names: BTreeSet<&str> = bases.chain(profile.ops.iter().map(|op| op.name.as_str())).collect();
    let mut breaches = Vec::new();
    for source in source::all().iter().filter(|source| source.is_shipped() && !source.path.starts_with(KNOWS_NAMES)) {
        breaches.extend(mentions(source, &names));
    }
    none("names of the built-in device in code:", &breaches);
}

/// The strings of a file that are a name, or that begin with one as phase keys and chains do (`BASE.PHASE`, `BASE.SEQ`).
fn mentions(source: &Source, names: &BTreeSet<&str>) -> Vec<String> {
    let mut found = Vec::new();
    for (line, piece) in &source.pieces {
        let Piece::Text(text) = piece else { continue };
        let name = text.split('.').next().unwrap_or_default();
        let other = OTHER_MEANINGS.iter().any(|(file, word, _)| *file == source.path && word == text);
        if names.contains(name) && !other && !source.is_test_line(*line) {
            found.push(format!("{}:{line}: \"{text}\"", source.path));
        }
    }
    found
}
