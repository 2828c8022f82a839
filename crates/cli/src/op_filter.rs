//! The operations that `--op` selects, by names and patterns.

use nandseq_profile::diagnostic::quoted;
use nandseq_profile::{OpId, Profile};

use crate::failure::{Failure, Problem};
use crate::nearest::near;

/// The selected operations.
#[derive(Debug)]
pub(crate) struct OpFilter(Vec<bool>);

impl OpFilter {
    /// Selects operations by their name or by that of their base. A name may be a pattern with `*` and `?`. The case of letters
    /// does not matter. Without patterns all operations are selected.
    ///
    /// # Errors
    /// Each pattern that fits nothing, with the nearest names.
    pub(crate) fn new(profile: &Profile, patterns: &[String]) -> Result<Self, Failure> {
        let mut wanted = vec![patterns.is_empty(); profile.ops.len()];
        let mut problems = Vec::new();
        for pattern in patterns {
            let folded: Vec<char> = pattern.to_lowercase().chars().collect();
            let fits = |name: &str| fits(&folded, &name.to_lowercase().chars().collect::<Vec<_>>());
            let mut found = false;
            for (id, op) in profile.ops.iter_ids() {
                if fits(&op.name) || fits(&profile.bases[op.base].name) {
                    wanted[id.index()] = true;
                    found = true;
                }
            }
            if !found {
                problems.push(unknown(profile, pattern));
            }
        }
        if problems.is_empty() { Ok(Self(wanted)) } else { Err(Failure::Unusable(problems)) }
    }

    /// Whether an operation is selected.
    pub(crate) fn wants(&self, op: OpId) -> bool {
        self.0[op.index()]
    }
}

fn unknown(profile: &Profile, pattern: &str) -> Problem {
    let ops = profile.ops.iter().map(|op| &*op.name);
    let names: Vec<&str> = ops.chain(profile.bases.iter().map(|base| &*base.name)).collect();
    let problem = Problem::new(format!("--op {}: no operation or base has this name", quoted(pattern)));
    match near(pattern, &names) {
        near if near.is_empty() => problem.help("a pattern may have `*` and `?`: --op 'Read*'"),
        near => problem.help(format!("did you mean {}?", near.join(" or "))),
    }
}

/// Whether a pattern fits a name: `*` stands for any characters, `?` for one.
fn fits(pattern: &[char], name: &[char]) -> bool {
    // The place of the last star in the pattern, and the place in the name up to which the star reaches so far.
    let (mut at, mut in_name) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while in_name < name.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, in_name));
                at += 1;
            }
            Some(&c) if c == '?' || c == name[in_name] => {
                at += 1;
                in_name += 1;
            }
            Some(_) | None => {
                let Some((star_at, taken)) = star else { return false };
                star = Some((star_at, taken + 1));
                (at, in_name) = (star_at + 1, taken + 1);
            }
        }
    }
    pattern[at.min(pattern.len())..].iter().all(|&c| c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_as_those_of_a_shell() {
        let fits =
            |pattern: &str, name: &str| fits(&pattern.chars().collect::<Vec<_>>(), &name.chars().collect::<Vec<_>>());
        for (pattern, name, expected) in [
            ("read", "read", true),
            ("read", "reads", false),
            ("read*", "read", true),
            ("*slc*", "page_read_slc_4k", true),
            ("*_slc", "page_slc_tlc", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-b-b-d", false),
            ("r??d", "read", true),
            ("r??d", "rd", false),
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
    }
}
