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
        let entries = self.0.as_ref()?.get(section)?.as_mapping()?;
        entries.iter().find(|entry| &*entry.key == name).map(|entry| entry.key_span)
    }

    /// A section of the plan or, if the plan has none, of the first phase that has one.
    #[must_use]
    pub fn section(&self, section: &str) -> Option<Span> {
        let root = self.0.as_ref()?;
        let of = |node: &Node| {
            let entry = node.as_mapping()?.iter().find(|entry| &*entry.key == section)?;
            Some(entry.key_span)
        };
        of(root).or_else(|| root.get("phases")?.as_sequence()?.iter().find_map(of))
    }

    /// A step of a scenario, by its index.
    #[must_use]
    pub fn step(&self, scenario: &str, step: usize) -> Option<Span> {
        let steps = self.0.as_ref()?.get("scenarios")?.get(scenario)?.get("steps")?;
        steps.as_sequence()?.get(step).map(|node| node.span)
    }

    /// A phase, by its index.
    #[must_use]
    pub fn phase(&self, phase: usize) -> Option<Span> {
        self.0.as_ref()?.get("phases")?.as_sequence()?.get(phase).map(|node| node.span)
    }
}
