//! Lists of names in findings: the first few names, and the number of the others.

use crate::diagnostic::quoted;
use crate::ids::OpId;
use crate::model::Profile;

/// The largest number of names that a finding lists.
const LISTED: usize = 6;

/// A list of names as text: "`a`, `b` and 3 more".
pub(super) fn listed<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    let shown: Vec<String> = names.iter().take(LISTED).map(|name| quoted(name)).collect();
    match names.len().checked_sub(LISTED) {
        None | Some(0) => shown.join(", "),
        Some(more) => format!("{} and {more} more", shown.join(", ")),
    }
}

/// The names of some operations as text.
pub(super) fn op_names(profile: &Profile, ops: &[OpId]) -> String {
    listed(ops.iter().map(|op| profile.ops[*op].name.as_str()))
}

/// The names of some operations, all of them.
pub(super) fn all_names(profile: &Profile, ops: &[OpId]) -> Vec<String> {
    ops.iter().map(|op| profile.ops[*op].name.clone()).collect()
}
