//! The names of operations, bases and classes in a plan, and patterns of them.

use nandseq_profile::diagnostic::{nearest, quoted};
use nandseq_profile::yaml::Node;
use nandseq_profile::{BaseId, Diagnostic, Diagnostics, OpId, Profile, Span};

use crate::classes::{self, STANDARD_CLASSES};

/// The number of diagnostics after which no more suggestions are computed, so that a file of noise stays cheap.
const MAX_SUGGESTIONS: usize = 100;

/// The device that a plan is for, with the names that the plan may use.
pub struct PlanNames<'p> {
    pub(super) profile: &'p Profile,
    /// The classes of the profile, then the standard classes whose names it does not use.
    pub(super) classes: Vec<(&'p str, Vec<BaseId>)>,
}

/// What a name is the name of, the most specific first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum PlanNameKind {
    Op,
    Base,
    Class,
    Pattern,
}

impl PlanNameKind {
    pub(super) const fn called(self) -> &'static str {
        match self {
            Self::Op => "operation",
            Self::Base => "base",
            Self::Class => "class",
            Self::Pattern => "pattern",
        }
    }
}

/// The names that may stand in a place, beside patterns of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum AllowedNames {
    Any,
    Bases,
    Classes,
}

impl<'p> PlanNames<'p> {
    /// The names of a device. `of_profile` are the classes that the text of the profile defines, with their bases.
    #[must_use]
    pub fn new(profile: &'p Profile, of_profile: &'p [(String, Vec<BaseId>)]) -> Self {
        let mut classes: Vec<(&str, Vec<BaseId>)> =
            of_profile.iter().map(|(name, bases)| (name.as_str(), bases.clone())).collect();
        for (name, _) in STANDARD_CLASSES {
            if let Some(bases) = classes::bases_of(name, profile).filter(|_| classes.iter().all(|one| one.0 != name)) {
                classes.push((name, bases));
            }
        }
        Self { profile, classes }
    }

    /// The operations of a name or pattern, ascending and never empty. One that selects nothing is reported.
    pub(super) fn ops(
        &self,
        (name, at): (&str, Span),
        allowed: AllowedNames,
        diagnostics: &mut Diagnostics,
    ) -> Option<(PlanNameKind, Vec<OpId>)> {
        let Some((kind, ops)) = self.find(name, allowed) else {
            let kind = match allowed {
                AllowedNames::Any => "operation, base or class",
                AllowedNames::Bases => "base",
                AllowedNames::Classes => "class",
            };
            report_unknown(kind, name, at, self.known(allowed), diagnostics);
            return None;
        };
        if ops.is_empty() {
            let message = match kind {
                PlanNameKind::Pattern => format!("the pattern {} matches no operation of the device", quoted(name)),
                PlanNameKind::Op | PlanNameKind::Base | PlanNameKind::Class => {
                    format!("the device has no operation of the {} {}", kind.called(), quoted(name))
                }
            };
            let letters = name.replace('*', "");
            let near = if diagnostics.len() < MAX_SUGGESTIONS { nearest(&letters, self.known(allowed)) } else { None };
            let diagnostic = Diagnostic::error("matches-nothing", message).at(at, "");
            diagnostics.push(match near {
                Some(near) => diagnostic.help(format!("the nearest name is `{near}`")),
                None => diagnostic,
            });
            return None;
        }
        Some((kind, ops))
    }

    fn find(&self, name: &str, allowed: AllowedNames) -> Option<(PlanNameKind, Vec<OpId>)> {
        let profile = self.profile;
        let of_bases = |bases: &dyn Fn(BaseId) -> bool| -> Vec<OpId> {
            profile.ops.iter_ids().filter(|(_, op)| bases(op.base)).map(|(id, _)| id).collect()
        };
        if name.contains('*') {
            let matches = |known: &str| matches(name.as_bytes(), known.as_bytes());
            let bases = |base: BaseId| match allowed {
                AllowedNames::Any | AllowedNames::Bases => matches(&profile.bases[base].name),
                AllowedNames::Classes => self.classes.iter().any(|(class, of)| matches(class) && of.contains(&base)),
            };
            let by_name = |id: OpId| allowed == AllowedNames::Any && matches(&profile.ops[id].name);
            let ops = profile.ops.iter_ids().filter(|(id, op)| by_name(*id) || bases(op.base));
            return Some((PlanNameKind::Pattern, ops.map(|(id, _)| id).collect()));
        }
        if allowed == AllowedNames::Any
            && let Some((id, _)) = profile.ops.iter_ids().find(|(_, op)| op.name == name)
        {
            return Some((PlanNameKind::Op, vec![id]));
        }
        if allowed != AllowedNames::Classes
            && let Some((id, _)) = profile.bases.iter_ids().find(|(_, base)| base.name == name)
        {
            return Some((PlanNameKind::Base, of_bases(&|base| base == id)));
        }
        let class = self.classes.iter().find(|(class, _)| allowed != AllowedNames::Bases && *class == name);
        class.map(|(_, bases)| (PlanNameKind::Class, of_bases(&|base| bases.contains(&base))))
    }

    /// The names that may stand in a place.
    fn known(&self, allowed: AllowedNames) -> impl Iterator<Item = &'p str> + Clone {
        let profile = self.profile;
        let ops = profile.ops.iter().map(|op| &*op.name).filter(move |_| allowed == AllowedNames::Any);
        let bases = profile.bases.iter().map(|base| &*base.name).filter(move |_| allowed != AllowedNames::Classes);
        let classes = self.classes.iter().map(|class| class.0).filter(move |_| allowed != AllowedNames::Bases);
        ops.chain(bases).chain(classes)
    }
}

/// Reports a name that is none of the known ones.
pub fn report_unknown<'a>(
    kind: &str,
    name: &str,
    at: Span,
    known: impl Iterator<Item = &'a str> + Clone,
    diagnostics: &mut Diagnostics,
) {
    let message = format!("there is no {kind} {}", quoted(name));
    let diagnostic = Diagnostic::error("unknown-name", message).at(at, "");
    let near = if diagnostics.len() < MAX_SUGGESTIONS { nearest(name, known.clone()) } else { None };
    let few: Vec<&str> = known.take(21).collect();
    diagnostics.push(match near {
        Some(_) => diagnostic.suggest(near),
        None if few.is_empty() => diagnostic.help("the plan defines none"),
        None if few.len() <= 20 => diagnostic.help(format!("there are: {}", few.join(", "))),
        None => diagnostic,
    });
}

/// Whether a pattern matches a name: `*` stands for any characters.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    // The place of the last star in the pattern, and the place in the name up to which the star reaches so far.
    let (mut at, mut in_name, mut star) = (0, 0, None);
    while in_name < name.len() {
        match (pattern.get(at), star) {
            (Some(b'*'), _) => {
                star = Some((at, in_name));
                at += 1;
            }
            (Some(&c), _) if c == name[in_name] => (at, in_name) = (at + 1, in_name + 1),
            (Some(_) | None, Some((star_at, taken))) => {
                star = Some((star_at, taken + 1));
                (at, in_name) = (star_at + 1, taken + 1);
            }
            (Some(_) | None, None) => return false,
        }
    }
    pattern[at..].iter().all(|&c| c == b'*')
}

/// The texts of a scalar, or of a list of scalars that must not be empty, with their places.
pub(super) fn some_texts<'n>(
    node: &'n Node,
    what: &str,
    diagnostics: &mut Diagnostics,
) -> Option<Vec<(&'n str, Span)>> {
    let found = texts(node, what, diagnostics)?;
    if found.is_empty() {
        let message = format!("{} lists nothing", quoted(what));
        diagnostics.push(Diagnostic::error("empty-list", message).at(node.span, ""));
    }
    (!found.is_empty()).then_some(found)
}

/// The texts of a scalar, or of a list of scalars, with their places.
pub(super) fn texts<'n>(node: &'n Node, what: &str, diagnostics: &mut Diagnostics) -> Option<Vec<(&'n str, Span)>> {
    let Some(items) = node.as_sequence() else {
        return Some(vec![(node.expect_str(what, diagnostics)?, node.span)]);
    };
    let read = |item: &'n Node| Some((item.expect_str(what, diagnostics)?, item.span));
    let found: Vec<Option<(&str, Span)>> = items.iter().map(read).collect();
    found.into_iter().collect()
}

/// Reports a name that a plan or another such file defines and that is not a line of text.
pub fn check_defined(kind: &str, name: &str, at: Span, diagnostics: &mut Diagnostics) {
    let unusual = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    if name.trim().is_empty() || name.len() > 200 || name.contains(unusual) {
        let message = format!("{} cannot be the name of this {kind}", quoted(name));
        let help = "a name is one line of text of 1 to 200 bytes, without control characters";
        diagnostics.push(Diagnostic::error("bad-name", message).at(at, "").help(help));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_characters() {
        for (pattern, name, expected) in [
            ("READ*", "READ", true),
            ("READ*", "READ4K", true),
            ("READ*", "PLANE_READ", false),
            ("*READ", "PLANE_READ", true),
            ("*READ*", "CACHE_READ_END", true),
            ("*_SLC", "PAGE_SLC_TLC", false),
            ("A*B*C", "A-B-B-C", true),
            ("A*B*C", "A-B-B-D", false),
            ("read*", "READ", false),
            ("*", "", true),
        ] {
            assert_eq!(matches(pattern.as_bytes(), name.as_bytes()), expected, "{pattern} {name}");
        }
    }
}
