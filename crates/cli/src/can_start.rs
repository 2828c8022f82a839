//! Which operations of a campaign can start at all, and why the others never do.
//!
//! The quickest way that decides counts: needs that nothing meets, a start in a trial, a start in a trial that favours what is
//! left, and in the end a search of the device's states. Each takes place at first use, and what it finds does not depend on who
//! asks. On a device with too many states for the search, nothing may rule out an operation that no trial starts.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use nandseq_generate::dead::LastingState;
use nandseq_generate::probability::Distributions;
use nandseq_profile::diagnostic::counted;
use nandseq_profile::model::DeviceState;
use nandseq_profile::{BaseId, OpId, PhaseKey};
use nandseq_reach::{MOST_TRIED, Reason, Verdict, can_start, chain_heads, ending, kept, never_again, never_provided};

use crate::explain::Trial;
use crate::hint::Hint;
use crate::in_force::InForce;

/// Number of operations of the trial that shows which operations can start, and estimates how often. It takes some 5 ms.
const TRIAL_OPS: u64 = 5_000;
/// The seed of that trial: one that hardly any campaign has, so that it is no repetition of a run.
const TRIAL_SEED: u64 = 0x6e6f_745f_6472_776e;

/// How often the favoured operations are drawn, against all others together. With few others, the states that the favoured need hardly
/// come; on the built-in device one trial starts all of them.
const FAVOURED: f64 = 3.0;
/// Most operations of a trial that favours some.
const FAVOURING_OPS: u64 = 2_500;
/// Most trials in a row that favour some operations, each those that the one before left.
const MOST_FAVOURING: u64 = 8;

/// The most operations that a search of states carries out beside a run. The search of the built-in device takes 0.1 s, all searches of
/// a device with too many states some 0.4 s.
const QUICK_SEARCH: u64 = 1_000_000;

/// What is known of the operations of a campaign, whatever its runs are.
#[derive(Debug)]
pub(crate) struct CanStart<'p> {
    in_force: &'p InForce,
    /// The most operations that each search of states carries out.
    most: u64,
    never_provided: OnceLock<Vec<Option<Reason>>>,
    trial: OnceLock<Trial>,
    /// The operations that neither needs nor trials decide.
    left: OnceLock<Vec<OpId>>,
    /// What the search says of them.
    searched: OnceLock<Vec<(OpId, Verdict)>>,
    /// What was found about the states that runs ended in.
    traps: Mutex<Vec<(Kept, Arc<TrappedDies>)>>,
}

/// For some dies the lasting states that nothing ends, each list once.
type Kept = Vec<Vec<DeviceState>>;

/// A trap in which runs ended: every die is in a lasting state that no operation which can start ends.
#[derive(Debug)]
pub(crate) struct TrappedDies {
    /// The states, each once.
    pub(crate) states: Vec<DeviceState>,
    /// The operations that could start before and no longer can.
    pub(crate) lost: Vec<OpId>,
}

impl<'p> CanStart<'p> {
    /// Finds nothing yet. Searches are quick: they may leave more undecided than those of [`Self::thorough`].
    pub(crate) const fn new(in_force: &'p InForce) -> Self {
        Self::at_most(in_force, QUICK_SEARCH)
    }

    /// Finds nothing yet. Searches take some seconds on a device with many states.
    pub(crate) const fn thorough(in_force: &'p InForce) -> Self {
        Self::at_most(in_force, MOST_TRIED)
    }

    const fn at_most(in_force: &'p InForce, most: u64) -> Self {
        Self {
            in_force,
            most,
            never_provided: OnceLock::new(),
            trial: OnceLock::new(),
            left: OnceLock::new(),
            searched: OnceLock::new(),
            traps: Mutex::new(Vec::new()),
        }
    }

    /// Whether an operation can start, under some phase key or as a step of a chain. It is [`Verdict::Undecided`] if nothing rules
    /// that out, but no trial shows it, and the device has too many states for the search.
    pub(crate) fn verdict(&self, op: OpId) -> Verdict {
        if let Some(reason) = self.never_provided()[op.index()] {
            return Verdict::Unreachable(reason);
        }
        if self.trial().has_started(op) || !self.left().contains(&op) {
            return Verdict::Reachable;
        }
        self.searched().iter().find(|(known, _)| *known == op).map_or(Verdict::Undecided, |(_, verdict)| *verdict)
    }

    /// A trial of the profile and the table in force.
    pub(crate) fn trial(&self) -> &Trial {
        self.trial.get_or_init(|| {
            let InForce { profile, table, .. } = self.in_force;
            Trial::of_starts(profile, &table.distributions, self.in_force.start(), (TRIAL_OPS, TRIAL_SEED))
        })
    }

    /// The trap in which runs ended, whose dies ended in these states; `None` if some die is in no trap, or if no operation is lost.
    pub(crate) fn trap(&self, at_end: &[LastingState]) -> Option<Arc<TrappedDies>> {
        let InForce { profile, table, .. } = self.in_force;
        let mut of_dies: Kept = Vec::new();
        for die in at_end {
            let states = kept(profile, &die.device_states(), |op| !matches!(self.verdict(op), Verdict::Unreachable(_)));
            if states.is_empty() {
                return None;
            }
            if !of_dies.contains(&states) {
                of_dies.push(states);
            }
        }
        if of_dies.is_empty() {
            return None;
        }
        // The search takes longer than many a run, and runs that end in a trap end in the same one.
        let mut known = self.traps.lock().unwrap_or_else(PoisonError::into_inner);
        let found = known.iter().find(|(kept, _)| *kept == of_dies).map(|(_, trap)| Arc::clone(trap));
        let trap = found.unwrap_or_else(|| {
            let never = never_again(profile, &table.distributions, self.in_force.start(), &of_dies, self.most);
            // Without a search, what the exclusions of the states name is lost.
            let excluded =
                |op: OpId, state: &DeviceState| profile.exclusions.in_state(*state).contains(profile.ops[op].base);
            let is_lost = |op: &OpId| match &never {
                Some(never) => never[op.index()],
                None => of_dies.iter().all(|states| states.iter().any(|state| excluded(*op, state))),
            };
            let could_start = |op: &OpId| !matches!(self.verdict(*op), Verdict::Unreachable(_));
            let lost = profile.ops.ids().filter(|op| is_lost(op) && could_start(op)).collect();
            let mut states: Vec<DeviceState> = Vec::new();
            for &state in of_dies.iter().flatten() {
                if !states.contains(&state) {
                    states.push(state);
                }
            }
            let trap = Arc::new(TrappedDies { states, lost });
            known.push((of_dies, Arc::clone(&trap)));
            trap
        });
        (!trap.lost.is_empty()).then_some(trap)
    }

    /// For each operation the reason why it can never start, by weights and needs alone.
    fn never_provided(&self) -> &[Option<Reason>] {
        let InForce { profile, table, .. } = self.in_force;
        self.never_provided.get_or_init(|| never_provided(profile, &table.distributions, self.in_force.start()))
    }

    /// The operations that neither needs nor trials decide.
    ///
    /// A trial that favours operations changes no weight from 0 or to 0. So whatever it starts can start by the table in force.
    fn left(&self) -> &[OpId] {
        self.left.get_or_init(|| {
            let profile = &self.in_force.profile;
            let is_open = |op: &OpId| self.never_provided()[op.index()].is_none() && !self.trial().has_started(*op);
            let mut left: Vec<OpId> = profile.ops.ids().filter(is_open).collect();
            for seed in TRIAL_SEED + 1..=TRIAL_SEED + MOST_FAVOURING {
                if left.is_empty() {
                    break;
                }
                let favouring = favouring(self.in_force, &left);
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
    fn searched(&self) -> &[(OpId, Verdict)] {
        self.searched.get_or_init(|| {
            let InForce { profile, table, .. } = self.in_force;
            let verdicts = can_start(profile, &table.distributions, self.in_force.start(), self.left(), self.most);
            self.left().iter().copied().zip(verdicts).collect()
        })
    }
}

impl TrappedDies {
    /// The trap in words: what every die is in, and what would end it.
    pub(crate) fn described(&self, in_force: &InForce) -> String {
        let profile = &in_force.profile;
        let states: Vec<&str> = self.states.iter().map(|state| state.name()).collect();
        let lost = counted(self.lost.len() as u64, "operation");
        let mut ends: Vec<BaseId> = self.states.iter().flat_map(|&state| ending(profile, state)).collect();
        ends.sort_unstable();
        ends.dedup();
        let names: Vec<&str> = ends.iter().map(|&base| &*profile.bases[base].name).collect();
        let excludes =
            |state: &&DeviceState| ends.iter().any(|&base| profile.exclusions.in_state(**state).contains(base));
        let way_out = match (names.first(), self.states.iter().find(excludes)) {
            (None, _) => "no base has an effect that would end that".to_owned(),
            (_, Some(state)) => {
                format!("{} would end that: let the exclusions of {} spare it", names.join(" or "), state.name())
            }
            (Some(first), None) => {
                let why = Hint::new("explain").flags(&in_force.flags.all()).with("--as", "base").operand(first);
                format!("{} would end that, and never starts: `{why}` says why", names.join(" or "))
            }
        };
        format!("every die is trapped in {}, where {lost} can no longer start; {way_out}", states.join(" or "))
    }
}

/// A table in which some operations have three of four draws under every phase key that gives them a weight. An operation without a
/// weight under any key is favoured through the operations that begin its chains.
fn favouring(in_force: &InForce, ops: &[OpId]) -> Distributions {
    let InForce { profile, table, .. } = in_force;
    let (weighted, in_chains): (Vec<OpId>, Vec<OpId>) = ops.iter().partition(|op| table.gives_weight(**op));
    let mut favoured = vec![false; profile.ops.len()];
    weighted.iter().for_each(|op| favoured[op.index()] = true);
    if !in_chains.is_empty() {
        let heads = chain_heads(profile, &table.distributions, in_force.start(), &in_chains);
        heads.iter().for_each(|op| favoured[op.index()] = true);
    }
    let raised = |entries: &Vec<(OpId, f64)>| -> Vec<(OpId, f64)> {
        let is_raised = |&&(op, mass): &&(OpId, f64)| favoured[op.index()] && mass > 0.0;
        let raised = entries.iter().filter(is_raised).count();
        let others: f64 = entries.iter().filter(|entry| !is_raised(entry)).map(|(_, mass)| mass).sum();
        let each = FAVOURED * others / raised as f64;
        let mass = |entry| if is_raised(&entry) && others > 0.0 { each } else { entry.1 };
        entries.iter().map(|entry| (entry.0, mass(entry))).collect()
    };
    table
        .distributions
        .iter()
        .map(|(key, entries)| -> (PhaseKey, Vec<(OpId, f64)>) { (*key, raised(entries)) })
        .collect()
}
