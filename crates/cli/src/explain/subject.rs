//! The meaning of a name: an operation, a base, a class or a rule. For an unknown name there is an error with the nearest names.

use nandseq_profile::diagnostic::quoted;
use nandseq_profile::places::Places;
use nandseq_profile::{OpId, PhaseKey, Profile};

use super::pages;
use crate::arguments::explain::NameOf;
use crate::failure::{Failure, Problem};
use crate::nearest::near;

/// A name and its meaning.
#[derive(Debug)]
pub(super) struct ExplainedName {
    /// The name as the profile or the rulebook spells it.
    pub(super) name: String,
    pub(super) kind: NameOf,
    /// The operations that are meant; none for a rule.
    pub(super) ops: Vec<OpId>,
}

/// All names of a profile and of the rulebook.
pub(super) struct KnownNames {
    all: Vec<ExplainedName>,
}

impl KnownNames {
    /// Lists the names. A name with several meanings means the first in this order: operation, base, rule, class.
    pub(super) fn new(profile: &Profile, places: &Places<'_>) -> Self {
        let of_base = |base| -> Vec<OpId> {
            profile.ops.iter_ids().filter(|(_, op)| op.base == base).map(|(id, _)| id).collect()
        };
        let mut all: Vec<ExplainedName> = Vec::new();
        let mut add = |name: &str, kind, ops| all.push(ExplainedName { name: name.to_owned(), kind, ops });
        for (id, op) in profile.ops.iter_ids() {
            add(&op.name, NameOf::Operation, vec![id]);
        }
        for (id, base) in profile.bases.iter_ids() {
            add(&base.name, NameOf::Base, of_base(id));
        }
        pages::codes().for_each(|code| add(code, NameOf::Rule, Vec::new()));
        for (name, bases) in places.classes() {
            add(&name, NameOf::Class, bases.into_iter().flat_map(of_base).collect());
        }
        Self { all }
    }

    /// The meaning of a name. An exact match goes before one that differs in the case of letters.
    ///
    /// # Errors
    /// The nearest names, if the name is unknown.
    pub(super) fn find(&self, name: &str, kind: Option<NameOf>) -> Result<&ExplainedName, Failure> {
        let wanted = || self.all.iter().filter(|subject| kind.is_none_or(|kind| subject.kind == kind));
        let exact = wanted().find(|subject| subject.name == name);
        let folded = || wanted().find(|subject| subject.name.eq_ignore_ascii_case(name));
        exact
            .or_else(folded)
            .ok_or_else(|| unknown(name, kind, &wanted().map(|subject| &*subject.name).collect::<Vec<_>>()))
    }

    /// The other meanings of the subject's name.
    pub(super) fn namesakes<'a>(&'a self, subject: &'a ExplainedName) -> impl Iterator<Item = &'a ExplainedName> + 'a {
        self.all.iter().filter(move |other| other.name == subject.name && other.kind != subject.kind)
    }
}

/// The error for an unknown name, with the nearest names.
fn unknown(name: &str, kind: Option<NameOf>, names: &[&str]) -> Failure {
    let what = kind.map_or("operation, base, class or rule", NameOf::word);
    let problem = Problem::new(format!("there is no {what} {}", quoted(name)));
    match near(name, names) {
        near if near.is_empty() => problem.help("`nandseqgen profile show`, with the path of a profile of your own, prints the profile with its bases and operations"),
        near => problem.help(format!("did you mean {}?", near.join(" or "))),
    }
    .into()
}

/// A phase key by name, whatever the case of its letters.
///
/// # Errors
/// The nearest names, if there is no such phase key.
pub(super) fn phase_key(profile: &Profile, name: &str) -> Result<PhaseKey, Failure> {
    let find = |fits: &dyn Fn(&str) -> bool| profile.phase_keys.iter_ids().find(|(_, info)| fits(&info.name));
    let found = find(&|known| known == name).or_else(|| find(&|known| known.eq_ignore_ascii_case(name)));
    if let Some((key, _)) = found {
        return Ok(key);
    }
    let problem = Problem::new(format!("there is no phase key {}", quoted(name)));
    let names: Vec<&str> = profile.phase_keys.iter().map(|info| &*info.name).collect();
    Err(match near(name, &names) {
        near if near.is_empty() => {
            problem.help("a phase key is `BASE.PHASE` of a phase that the base has, `BASE.END` or `DEFAULT`")
        }
        near => problem.help(format!("did you mean {}?", near.join(" or "))),
    }
    .into())
}
