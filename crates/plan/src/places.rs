//! Finding the places in the text of a plan where its entries and steps stand.
//!
//! A resolved [`TestPlan`](crate::TestPlan) has no lines, so the text is parsed once more. The text must have been accepted before.

use nandseq_profile::yaml::{self, Node};
use nandseq_profile::{Diagnostics, SourceFile, Span};

/// A parsed plan in which places are looked up. Each function gives `None` if the text does not state the thing.
#[derive(Debug)]
pub struct PlanPlaces(Option<Node>);

impl PlanPlaces {
    /// The places of the text of a plan.
    #[must_use]
    pub fn new(source: &SourceFile) -> Self {
        Self(yaml::parse(source, &mut Diagnostics::new()))
    }

    /// The name of an entry of `addresses` or `scenarios`.
    #[must_use]
    pub fn entry(&self, section: &str, name: &str) -> Option<Span> {
        key_span(self.0.as_ref()?.get(section)?, name)
    }

    /// A section of the plan or, if the plan has none, of the first phase that has one.
    #[must_use]
    pub fn section(&self, section: &str) -> Option<Span> {
        let root = self.0.as_ref()?;
        let of = |node: &Node| key_span(node, section);
        of(root).or_else(|| root.get("phases")?.as_sequence()?.iter().find_map(of))
    }

    /// A step of a scenario, by its index.
    #[must_use]
    pub fn step(&self, scenario: &str, step: usize) -> Option<Span> {
        let steps = self.0.as_ref()?.get("scenarios")?.get(scenario)?.get("steps")?;
        steps.as_sequence()?.get(step).map(|node| node.span)
    }

    /// The shares in force in a phase, by its index, or without phases: those of the phase or, if it has none, of the plan.
    #[must_use]
    pub fn mix(&self, phase: Option<usize>) -> Option<Span> {
        self.mix_of(phase).map(|(span, _)| span)
    }

    /// A share of these, by its name.
    #[must_use]
    pub fn share(&self, phase: Option<usize>, name: &str) -> Option<Span> {
        let (_, shares) = self.mix_of(phase)?;
        key_span(shares, name)
    }

    /// A limit of an entry of `addresses`, by its key.
    #[must_use]
    pub fn limit(&self, entry: &str, key: &str) -> Option<Span> {
        key_span(self.0.as_ref()?.get("addresses")?.get(entry)?.get("limits")?, key)
    }

    fn mix_of(&self, phase: Option<usize>) -> Option<(Span, &Node)> {
        let root = self.0.as_ref()?;
        let of = |node| Some((key_span(node, "mix")?, node.get("mix")?));
        let own = phase.and_then(|phase| of(root.get("phases")?.as_sequence()?.get(phase)?));
        own.or_else(|| of(root))
    }

    /// A mass of a phase, by its index, under every phase key or under one that is named. Where the mass stands under another name, it is
    /// the masses of the phase.
    #[must_use]
    pub fn mass(&self, phase: usize, key: Option<&str>, name: &str) -> Option<(String, Span)> {
        let stated = self.0.as_ref()?.get("phases")?.as_sequence()?.get(phase)?;
        let masses = stated.get("probabilities")?;
        let (path, own) = match key {
            None => ("global".to_owned(), masses.get("global")),
            Some(key) => (format!("by_key.{key}"), masses.get("by_key").and_then(|keys| keys.get(key))),
        };
        let found = own.and_then(|masses| Some((format!("{path}.{name}"), key_span(masses, name)?)));
        let whole = || Some((String::new(), key_span(stated, "probabilities")?));
        let (path, span) = found.or_else(whole)?;
        let dot = if path.is_empty() { "" } else { "." };
        Some((format!("phases[{phase}].probabilities{dot}{path}"), span))
    }

    /// A phase, by its index.
    #[must_use]
    pub fn phase(&self, phase: usize) -> Option<Span> {
        self.0.as_ref()?.get("phases")?.as_sequence()?.get(phase).map(|node| node.span)
    }
}

/// The key of an entry of a mapping.
fn key_span(node: &Node, key: &str) -> Option<Span> {
    node.as_mapping()?.iter().find(|entry| &*entry.key == key).map(|entry| entry.key_span)
}
