//! The test plan in force: its file, and the probability tables of its phases.
//!
//! The table of a phase is the table in force with the masses of the phase, which are final. Whatever looks at all phases together (the bins
//! that can be covered, the operations that can never start) looks at the average of their tables: a name has a weight there
//! exactly if some phase gives it one.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::OnceLock;

use nandseq_generate::probability::{self, Distributions};
use nandseq_plan::model::{MixShare, PlanPhase, Scenario};
use nandseq_plan::{TestPlan, never_served, unserved_by_phase};
use nandseq_profile::{OpId, PhaseKey, Profile, Severity, SourceFile};
use nandseq_reach::{ScenarioStarts, Start};
use nandseq_trace::manifest::Input;

use crate::console;
use crate::failure::{Failure, remarks_text};
use crate::inputs::{self, ReadPlan};

/// A test plan that was read for a profile.
#[derive(Debug)]
pub(crate) struct PlanInForce {
    pub(crate) plan: TestPlan,
    /// Its file.
    pub(crate) input: Input,
    /// Its text.
    pub(crate) source: SourceFile,
    /// The tables of the phases, each once; none if no phase has masses of its own.
    tables: Vec<Distributions>,
    /// By phase: its table, as an index.
    table_of: Vec<usize>,
    /// What the plan lets start and keeps from starting, if it was asked for.
    reach: OnceLock<PlanReach>,
}

/// What a plan lets start beside the weights, and what it keeps from starting.
#[derive(Debug)]
pub(crate) struct PlanReach {
    /// What attempts at its scenarios may start.
    pub(crate) starts: ScenarioStarts,
    /// All operations of these.
    pub(crate) scripted: Vec<OpId>,
    /// For each phase the operations that draw an address and that its regions do not serve; none if there are too many regions.
    pub(crate) unserved_by_phase: Vec<Vec<OpId>>,
    /// The operations that no region ever serves.
    pub(crate) unserved: Vec<OpId>,
}

impl PlanInForce {
    /// Reads a plan for a profile with its text. Notes and warnings are added to `remarks`.
    ///
    /// # Errors
    /// When the file cannot be read or is faulty.
    pub(crate) fn read(
        path: &Path,
        (profile, profile_text): (&Profile, &SourceFile),
        remarks: &mut String,
    ) -> Result<Self, Failure> {
        let ReadPlan { plan, source, input, remarks: mut about } = inputs::plan(path, profile, profile_text)?;
        if console::is_quiet() {
            about.retain_at_least(Severity::Warning);
        }
        remarks.push_str(&remarks_text(&source, &about));
        Ok(Self { plan, input, source, tables: Vec::new(), table_of: Vec::new(), reach: OnceLock::new() })
    }

    /// Number of runs of all phases; `None` for a plan without phases.
    pub(crate) fn runs(&self) -> Option<u64> {
        (!self.plan.phases.is_empty()).then(|| self.plan.runs())
    }

    /// The table of a phase, if it is another than that of the campaign.
    pub(crate) fn table(&self, phase: usize) -> Option<&Distributions> {
        self.table_of.get(phase).map(|&at| &self.tables[at])
    }

    /// The shares of what starts in a phase.
    pub(crate) fn mix(&self, phase: usize) -> &[MixShare] {
        self.plan.phases.get(phase).map_or(&self.plan.mix, |phase| &phase.mix)
    }

    /// The entries of addresses that are in force in a phase, by their place among all.
    pub(crate) fn addresses(&self, phase: usize) -> Vec<usize> {
        match self.plan.phases.get(phase) {
            Some(phase) => phase.addresses.clone(),
            None => (0..self.plan.addresses.len()).collect(),
        }
    }

    /// The scenarios in force in a phase.
    pub(crate) fn scenarios(&self, phase: usize) -> Vec<Scenario> {
        let all = &self.plan.scenarios;
        self.plan
            .phases
            .get(phase)
            .map_or_else(|| all.clone(), |phase| phase.scenarios.iter().map(|&at| all[at].clone()).collect())
    }

    /// Whether tables alone say what it draws: no phase has shares, addresses or scenarios.
    pub(crate) fn is_of_tables(&self) -> bool {
        let is_plain =
            |phase| self.mix(phase).is_empty() && self.addresses(phase).is_empty() && self.scenarios(phase).is_empty();
        self.phases().all(is_plain)
    }

    /// Its phases by index; without phases the one that all runs are.
    pub(crate) fn phases(&self) -> std::ops::Range<usize> {
        0..self.plan.phases.len().max(1)
    }

    /// The name of a phase; `None` without phases.
    pub(crate) fn phase_name(&self, phase: usize) -> Option<&str> {
        self.plan.phases.get(phase).map(|phase| &*phase.name)
    }

    /// What it lets start beside the weights, and what it keeps from starting, on the device in force, which begins with `start`: found
    /// at the first call.
    pub(crate) fn reach(&self, profile: &Profile, start: Start<'_>) -> &PlanReach {
        self.reach.get_or_init(|| {
            let starts = ScenarioStarts::new(profile, &self.plan, start);
            let scripted = starts.ops();
            let unserved_by_phase = unserved_by_phase(&self.plan, profile, start.bootstrap).unwrap_or_default();
            let unserved = never_served(&unserved_by_phase);
            PlanReach { starts, scripted, unserved_by_phase, unserved }
        })
    }

    /// The names of the phases that give an operation a weight, and of those that do not. Both are empty if no phase has masses of
    /// its own.
    pub(crate) fn phases_of(&self, op: OpId) -> (Vec<&str>, Vec<&str>) {
        let gives = |at: usize| {
            self.tables[at].iter().any(|(_, entries)| entries.iter().any(|&(own, mass)| own == op && mass > 0.0))
        };
        let named = |wanted: bool| {
            let phases = self.plan.phases.iter().zip(&self.table_of);
            phases.filter(|&(_, &table)| gives(table) == wanted).map(|(phase, _)| &*phase.name).collect()
        };
        (named(true), named(false))
    }

    /// Makes the tables of the phases from the table in force, which becomes their average.
    pub(crate) fn take_table(&mut self, profile: &Profile, table: &mut Distributions) {
        let phases = &self.plan.phases;
        if phases.iter().all(|phase| phase.global.is_empty() && phase.by_key.is_empty()) {
            return;
        }
        let mut first: Vec<&PlanPhase> = Vec::new();
        for phase in phases {
            let has_same = |other: &&PlanPhase| (&other.global, &other.by_key) == (&phase.global, &phase.by_key);
            let at = first.iter().position(has_same).unwrap_or(first.len());
            if at == first.len() {
                first.push(phase);
                self.tables.push(table_of(phase, profile, table));
            }
            self.table_of.push(at);
        }
        let of_phases: Vec<&Distributions> = self.table_of.iter().map(|&at| &self.tables[at]).collect();
        *table = average(&of_phases);
    }
}

/// The table of a phase: the one in force, with the masses of the phase.
fn table_of(phase: &PlanPhase, profile: &Profile, table: &Distributions) -> Distributions {
    let mut of_phase = profile.clone();
    of_phase.probabilities.global.clone_from(&phase.global);
    of_phase.probabilities.by_key.clone_from(&phase.by_key);
    let mut table = table.clone();
    probability::override_loaded(&of_phase, &mut table);
    table
}

/// The average share of each name under each phase key. A table without a phase key has the names of `DEFAULT` there.
fn average(tables: &[&Distributions]) -> Distributions {
    let of = |table: &Distributions, wanted: PhaseKey| table.iter().position(|(key, _)| *key == wanted);
    let mut keys: Vec<PhaseKey> = Vec::new();
    for (key, _) in tables.iter().copied().flatten() {
        if !keys.contains(key) {
            keys.push(*key);
        }
    }
    let shares = |key: PhaseKey| {
        let mut shares: BTreeMap<OpId, f64> = BTreeMap::new();
        for table in tables {
            let Some(at) = of(table, key).or_else(|| of(table, PhaseKey::DEFAULT)) else { continue };
            let entries = &table[at].1;
            let total: f64 = entries.iter().map(|(_, mass)| mass).sum();
            for &(op, mass) in entries.iter().filter(|(_, mass)| *mass > 0.0) {
                *shares.entry(op).or_default() += mass / total / tables.len() as f64;
            }
        }
        shares.into_iter().collect()
    };
    keys.iter().map(|&key| (key, shares(key))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_average_has_a_name_exactly_where_some_table_has_it() {
        let (one, other) = (PhaseKey::DEFAULT, PhaseKey(1));
        let tables = [
            vec![(one, vec![(OpId(0), 1.0), (OpId(1), 3.0)]), (other, vec![(OpId(2), 5.0)])],
            vec![(one, vec![(OpId(3), 0.5), (OpId(1), 0.0)])],
        ];
        let expected = vec![
            (one, vec![(OpId(0), 0.125), (OpId(1), 0.375), (OpId(3), 0.5)]),
            (other, vec![(OpId(2), 0.5), (OpId(3), 0.5)]),
        ];
        assert_eq!(average(&tables.each_ref()), expected);
    }
}
