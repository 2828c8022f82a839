//! Which operations of a campaign can start at all, and why the others never do.
//!
//! The quickest way that decides counts: needs that nothing meets, a start in a trial, a start in a trial that favours what is
//! left, and in the end a search of the device's states. Each takes place at first use, and what it finds does not depend on who
//! asks.

use std::sync::OnceLock;

use nandseq_generate::probability::Distributions;
use nandseq_profile::{OpId, PhaseKey, Profile};
use nandseq_reach::{Reason, never_provided, why_never};

use crate::explain::Trial;
use crate::in_force::InForce;

/// Number of operations of the trial that shows which operations can start, and estimates how often. It takes some 5 ms.
const TRIAL_OPS: u64 = 5_000;
/// The seed of that trial: one that hardly any campaign has, so that it is no repetition of a run.
const TRIAL_SEED: u64 = 0x6e6f_745f_6472_776e;

/// Most operations of a trial that favours some.
const FAVOURING_OPS: u64 = 2_500;
/// Most trials in a row that favour some operations, each those that the one before left.
const MOST_FAVOURING: u64 = 8;

/// What is known of the operations of a campaign, whatever its runs are.
#[derive(Debug)]
pub(crate) struct CanStart<'p> {
    in_force: &'p InForce,
    never_provided: OnceLock<Vec<Option<Reason>>>,
    trial: OnceLock<Trial>,
    /// The operations that neither needs nor trials decide.
    left: OnceLock<Vec<OpId>>,
    /// The reasons of those of them that can never start.
    searched: OnceLock<Vec<(OpId, Option<Reason>)>>,
}

impl<'p> CanStart<'p> {
    /// Finds nothing yet.
    pub(crate) const fn new(in_force: &'p InForce) -> Self {
        Self {
            in_force,
            never_provided: OnceLock::new(),
            trial: OnceLock::new(),
            left: OnceLock::new(),
            searched: OnceLock::new(),
        }
    }

    /// Why an operation can never start; `None` if it can.
    pub(crate) fn why_never(&self, op: OpId) -> Option<Reason> {
        if !self.has_weight(op) {
            return Some(Reason::NoWeight);
        }
        if let Some(reason) = self.never_provided()[op.index()] {
            return Some(reason);
        }
        if self.trial().has_started(op) || !self.left().contains(&op) {
            return None;
        }
        self.searched().iter().find(|(known, _)| *known == op).and_then(|(_, reason)| *reason)
    }

    /// A trial of the profile and the table in force.
    pub(crate) fn trial(&self) -> &Trial {
        self.trial.get_or_init(|| {
            let InForce { profile, table, .. } = self.in_force;
            Trial::with_seed(profile, &table.distributions, self.in_force.start(), (TRIAL_OPS, TRIAL_SEED))
        })
    }

    /// Whether an operation has a weight under some phase key or in a chain.
    fn has_weight(&self, op: OpId) -> bool {
        self.in_force.table.gives_weight(op) || !heads_of(&self.in_force.profile, op).is_empty()
    }

    /// For each operation the reason why it can never start, by what operations need alone.
    fn never_provided(&self) -> &[Option<Reason>] {
        let InForce { profile, table, .. } = self.in_force;
        self.never_provided.get_or_init(|| never_provided(profile, &table.distributions, self.in_force.start()))
    }

    /// The operations that neither needs nor trials decide.
    ///
    /// A trial that favours operations changes no weight from 0 or to 0. So whatever it starts can start by the table in force.
    fn left(&self) -> &[OpId] {
        self.left.get_or_init(|| {
            let InForce { profile, table, .. } = self.in_force;
            let is_open = |op: &OpId| {
                self.never_provided()[op.index()].is_none() && !self.trial().has_started(*op) && self.has_weight(*op)
            };
            let mut left: Vec<OpId> = profile.ops.ids().filter(is_open).collect();
            for seed in TRIAL_SEED + 1..=TRIAL_SEED + MOST_FAVOURING {
                if left.is_empty() {
                    break;
                }
                let favouring = favouring(profile, &table.distributions, &left);
                let before = left.len();
                let limits = (FAVOURING_OPS, seed);
                left = Trial::without_start(profile, &favouring, self.in_force.start(), limits, left);
                if left.len() == before {
                    break;
                }
            }
            left
        })
    }

    /// What the search of the device's states says of the operations that are left.
    fn searched(&self) -> &[(OpId, Option<Reason>)] {
        self.searched.get_or_init(|| {
            let InForce { profile, table, .. } = self.in_force;
            let reasons = why_never(profile, &table.distributions, self.in_force.start(), self.left());
            self.left().iter().copied().zip(reasons).collect()
        })
    }
}

/// The operations that begin a chain in which an operation may be drawn as a step.
fn heads_of(profile: &Profile, op: OpId) -> Vec<OpId> {
    let base = profile.ops[op].base;
    let draws = |chain: usize| {
        let chain = &profile.chains[chain];
        let weights = chain.name_weights.iter().find(|(of, _)| *of == base);
        chain.steps.iter().any(|step| step.base == base)
            && weights.is_none_or(|(_, list)| list.iter().any(|&(name, weight)| name == op && weight > 0.0))
    };
    let begins = |head: &OpId| {
        let follow_ups = &profile.bases[profile.ops[*head].base].follow_ups;
        follow_ups.iter().any(|follow| follow.weight > 0.0 && follow.chain.is_some_and(draws))
    };
    profile.ops.ids().filter(begins).collect()
}

/// A table in which some operations have half of the draws under every phase key that gives them a weight. One that none does
/// comes with those that begin its chains.
fn favouring(profile: &Profile, table: &Distributions, ops: &[OpId]) -> Distributions {
    let mut favoured = vec![false; profile.ops.len()];
    for &op in ops {
        favoured[op.index()] = true;
        if !table.iter().any(|(_, entries)| entries.iter().any(|&(name, mass)| name == op && mass > 0.0)) {
            heads_of(profile, op).iter().for_each(|head| favoured[head.index()] = true);
        }
    }
    let raised = |entries: &Vec<(OpId, f64)>| -> Vec<(OpId, f64)> {
        let is_raised = |&&(op, mass): &&(OpId, f64)| favoured[op.index()] && mass > 0.0;
        let raised = entries.iter().filter(is_raised).count();
        let others: f64 = entries.iter().filter(|entry| !is_raised(entry)).map(|(_, mass)| mass).sum();
        let each = others / raised as f64;
        let mass = |entry| if is_raised(&entry) && others > 0.0 { each } else { entry.1 };
        entries.iter().map(|entry| (entry.0, mass(entry))).collect()
    };
    table.iter().map(|(key, entries)| -> (PhaseKey, Vec<(OpId, f64)>) { (*key, raised(entries)) }).collect()
}
