//! Finding the places in the text of a profile or probability table where masses, weights, exclusions and stanzas are stated.
//!
//! A resolved [`Profile`] has no lines, so the text is parsed once more. The text must have been accepted before. Leaves out the
//! names that variants of a stanza make: they have no place.

use crate::diagnostic::{Diagnostics, SourceFile, Span};
use crate::ids::{BaseId, PhaseKey};
use crate::model::{DeviceState, Profile};
use crate::phase_key::PhaseKeyNames;
use crate::yaml::{self, Entry, Node};

/// A place in a text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StatedPlace {
    /// The keys on the way to the place, joined by dots: `probabilities.global.ERASE`.
    pub path: String,
    /// The span of the last key.
    pub span: Span,
}

/// A parsed text in which places are looked up. Each function gives `None` if the text does not state the thing.
#[derive(Debug)]
pub struct Places<'p> {
    profile: &'p Profile,
    root: Option<Node>,
}

impl<'p> Places<'p> {
    /// The places of the text of a profile, or of a probability table for it.
    #[must_use]
    pub fn new(source: &SourceFile, profile: &'p Profile) -> Self {
        Self { profile, root: yaml::parse(source, &mut Diagnostics::new()) }
    }

    /// The mass of a base or an operation under every phase key.
    #[must_use]
    pub fn global_mass(&self, name: &str) -> Option<StatedPlace> {
        ["probabilities", "phase_conditional_overrides"]
            .into_iter()
            .find_map(|section| self.find(&[section, "global", name]))
    }

    /// The mass of a base or an operation under one phase key, or under the phase key of its class.
    #[must_use]
    pub fn mass_under(&self, key: PhaseKey, name: &str) -> Option<StatedPlace> {
        let native = ["probabilities", "by_key"];
        self.under(&native, key, name).or_else(|| self.under(&["phase_conditional_overrides"], key, name))
    }

    /// The weight of an operation in an explicit distribution.
    #[must_use]
    pub fn weight_under(&self, key: PhaseKey, name: &str) -> Option<StatedPlace> {
        self.under(&["phase_conditional"], key, name)
    }

    /// The explicit distribution of a phase key.
    #[must_use]
    pub fn distribution(&self, key: PhaseKey) -> Option<StatedPlace> {
        let section = self.node(&["phase_conditional"])?;
        self.entry_of_key(section, key).map(|entry| place(&["phase_conditional"], entry))
    }

    /// The exclusions of a phase key, or of the phase key of its class.
    #[must_use]
    pub fn exclusions_of_key(&self, key: PhaseKey) -> Option<StatedPlace> {
        [&["exclusions", "op_state"][..], &["exclusions_by_op_state"]].into_iter().find_map(|path| {
            let section = self.node(path)?;
            self.entry_of_key(section, key).map(|entry| place(path, entry))
        })
    }

    /// The exclusions of a state.
    #[must_use]
    pub fn exclusions_of_state(&self, state: DeviceState) -> Option<StatedPlace> {
        let legacy = ["latch", "suspend", "odt", "cache"].map(|axis| format!("exclusions_by_{axis}_state"));
        let native = self.find(&["exclusions", "state", state.name()]);
        native.or_else(|| legacy.iter().find_map(|section| self.find(&[section, state.name()])))
    }

    /// The stanza of a base.
    #[must_use]
    pub fn base(&self, name: &str) -> Option<StatedPlace> {
        self.find(&["bases", name]).or_else(|| self.find(&["op_bases", name]))
    }

    /// The stanza of an operation.
    #[must_use]
    pub fn op(&self, name: &str) -> Option<StatedPlace> {
        self.find(&["ops", name]).or_else(|| self.find(&["op_names", name]))
    }

    /// The topology.
    #[must_use]
    pub fn topology(&self) -> Option<StatedPlace> {
        self.find(&["topology"])
    }

    /// The classes of a native profile with their bases, in the order of the text.
    #[must_use]
    pub fn classes(&self) -> Vec<(String, Vec<BaseId>)> {
        let named = |entry: &Entry| -> (String, Vec<BaseId>) {
            let of = |&(_, base): &(BaseId, &crate::model::Base)| self.class_of(&base.name) == Some(&*entry.key);
            (entry.key.to_string(), self.profile.bases.iter_ids().filter(of).map(|(id, _)| id).collect())
        };
        self.node(&["classes"])
            .and_then(Node::as_mapping)
            .map_or_else(Vec::new, |list| list.iter().map(named).collect())
    }

    fn class_of(&self, base: &str) -> Option<&str> {
        self.node(&["bases", base, "class"])?.as_str()
    }

    fn node(&self, path: &[&str]) -> Option<&Node> {
        path.iter().try_fold(self.root.as_ref()?, |node, key| node.get(key))
    }

    fn find(&self, path: &[&str]) -> Option<StatedPlace> {
        let (last, above) = path.split_last()?;
        let entries = self.node(above)?.as_mapping()?;
        entries.iter().find(|entry| &*entry.key == *last).map(|entry| place(above, entry))
    }

    /// The entry `name` of the table of a phase key.
    fn under(&self, path: &[&str], key: PhaseKey, name: &str) -> Option<StatedPlace> {
        let of_key = self.entry_of_key(self.node(path)?, key)?;
        let entry = of_key.value.as_mapping()?.iter().find(|entry| &*entry.key == name)?;
        let above: Vec<&str> = path.iter().copied().chain([&*of_key.key]).collect();
        Some(place(&above, entry))
    }

    /// The entry of a phase key, in any spelling. If there is none, the entry of the class of its base.
    fn entry_of_key<'n>(&self, section: &'n Node, key: PhaseKey) -> Option<&'n Entry> {
        let entries = section.as_mapping()?;
        let names = PhaseKeyNames::new(self.profile.phase_keys.iter_ids());
        let own = |entry: &&Entry| names.resolve(&entry.key, entry.key_span, &mut Diagnostics::new()) == Some(key);
        let info = &self.profile.phase_keys[key];
        let class = info.base.and_then(|base| self.class_of(&self.profile.bases[base].name));
        let phase = info.phase.map_or("END", |phase| phase.name());
        let of_class = class.map(|class| format!("{class}.{phase}"));
        entries.iter().find(own).or_else(|| entries.iter().find(|entry| of_class.as_deref() == Some(&*entry.key)))
    }
}

fn place(above: &[&str], entry: &Entry) -> StatedPlace {
    let path = above.iter().copied().chain([&*entry.key]).collect::<Vec<_>>().join(".");
    StatedPlace { path, span: entry.key_span }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]
    use super::*;
    use crate::builtin;

    /// The line of the built-in profile at a place.
    fn line(place: &StatedPlace) -> &'static str {
        builtin::text().lines().nth(place.span.line - 1).unwrap().trim()
    }

    #[test]
    fn masses_exclusions_and_stanzas_are_found_where_they_stand() {
        let profile = builtin::profile();
        let places = Places::new(&SourceFile::new(builtin::NAME, builtin::text()), &profile);
        let key = |name: &str| profile.phase_keys.iter_ids().find(|(_, info)| info.name == name).unwrap().0;
        let mass = places.global_mass("ERASE").unwrap();
        assert_eq!((mass.path.as_str(), line(&mass)), ("probabilities.global.ERASE", "ERASE: 0.028"));
        assert_eq!(line(&places.exclusions_of_key(key("ERASE.CORE_BUSY")).unwrap()), "ERASE.CORE_BUSY: [on_erase]");
        // The exclusions are stated for a class, not for the base.
        let of_class = places.exclusions_of_key(key("READ.CORE_BUSY")).unwrap();
        assert_eq!(of_class.path, "exclusions.op_state.page_read.CORE_BUSY");
        let state = places.exclusions_of_state(DeviceState::OdtDisabled).unwrap();
        assert_eq!(state.path, "exclusions.state.ODT_DISABLE");
        assert!(line(&places.find(&["exclusion_groups", "on_erase"]).unwrap()).starts_with("on_erase:"));
        assert!(line(&places.base("ERASE").unwrap()).starts_with("ERASE:"));
        assert_eq!(places.global_mass("No_Such_Name"), None);
    }

    #[test]
    fn a_class_has_its_bases() {
        let profile = builtin::profile();
        let places = Places::new(&SourceFile::new(builtin::NAME, builtin::text()), &profile);
        let classes = places.classes();
        let (_, bases) = classes.iter().find(|(name, _)| name == "status_read").unwrap();
        let names: Vec<&str> = bases.iter().map(|&base| profile.bases[base].name.as_str()).collect();
        assert_eq!(names, ["SR", "SR_ADD"]);
    }
}
