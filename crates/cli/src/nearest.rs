//! Names that are near to an unknown one.

use nandseq_profile::diagnostic::{nearest, quoted};

/// Number of near names that are shown.
const NEAR: usize = 3;

/// The nearest names, in backquotes: first by spelling, then those that contain `name`.
pub(crate) fn near(name: &str, names: &[&str]) -> Vec<String> {
    let mut left: Vec<&str> = names.to_vec();
    let mut found: Vec<&str> = Vec::new();
    while found.len() < NEAR {
        let Some(next) = nearest(name, left.iter().copied()) else { break };
        left.retain(|other| *other != next);
        found.push(next);
    }
    let folded = name.to_ascii_lowercase();
    if folded.len() >= NEAR {
        let contains = left.into_iter().filter(|other| other.to_ascii_lowercase().contains(&folded));
        found.extend(contains.take(NEAR.saturating_sub(found.len())));
    }
    found.into_iter().map(quoted).collect()
}
