//! Which operations of a campaign can start at all, and why the others never do.
//!
//! The quickest way that decides counts: needs that nothing meets, a start in a trial, a start in a trial that favours what is
//! left, and in the end a search of the device's states. Each takes place at first use, and what it finds does not depend on who
//! asks. On a device with too many states for the search, nothing may rule out an operation that no trial starts.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use nandseq_generate::probability::Distributions;
use nandseq_profile::diagnostic::counted;
use nandseq_profile::model::{Axis, DeviceState, Effect};
use nandseq_profile::{BaseId, OpId, PhaseKey, Profile};
use nandseq_reach::{
    MOST_TRIED, Reason, Search, Start, Verdict, can_start, can_start_after, chain_heads, ending, kept, never_again,
    never_provided,
};

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
    /// The search of all states, if it has been made.
    search: Option<&'p Search<'p>>,
    /// Whether the addresses and the scenarios of the plan count.
    of_plan: bool,
    never_provided: OnceLock<Vec<Option<Reason>>>,
    trial: OnceLock<Trial>,
    /// The operations that neither needs nor trials decide.
    left: OnceLock<Vec<OpId>>,
    /// What the search says of them.
    searched: OnceLock<Vec<(OpId, Verdict)>>,
    /// For each state that was looked at in a phase, whether nothing ends it there.
    lasting: Mutex<Vec<(Option<usize>, DeviceState, bool)>>,
    /// What was found about the states that runs ended in.
    traps: Mutex<Vec<Arc<TrappedDies>>>,
    /// The operations that the trial lost in a trap.
    lost_in_trial: OnceLock<Vec<OpId>>,
}

/// For some dies the lasting states that nothing ends, each list once.
type Kept = Vec<Vec<DeviceState>>;

/// A trap in which runs ended: every die is in a lasting state that no operation which can start ends.
#[derive(Debug)]
pub(crate) struct TrappedDies {
    /// The states.
    dies: Kept,
    /// The phase of the plan, if it has a table of its own.
    phase: Option<usize>,
    /// The operations that could start before and no longer can.
    pub(crate) lost: Vec<OpId>,
}

impl<'p> CanStart<'p> {
    /// Finds nothing yet. Searches are quick: they may leave more undecided than those of [`Self::after`].
    pub(crate) const fn new(in_force: &'p InForce) -> Self {
        Self::at_most(in_force, QUICK_SEARCH)
    }

    /// The same, where the addresses and the scenarios of the plan count.
    pub(crate) const fn of_plan(in_force: &'p InForce) -> Self {
        let mut can_start = Self::new(in_force);
        can_start.of_plan = true;
        can_start
    }

    /// Knows the search of all states, in which the plan counts. Those of their parts take some seconds on a device with many states.
    pub(crate) fn after(search: &'p Search<'p>, in_force: &'p InForce) -> Self {
        Self { search: Some(search), of_plan: true, ..Self::at_most(in_force, MOST_TRIED) }
    }

    const fn at_most(in_force: &'p InForce, most: u64) -> Self {
        Self {
            in_force,
            most,
            search: None,
            of_plan: false,
            never_provided: OnceLock::new(),
            trial: OnceLock::new(),
            left: OnceLock::new(),
            searched: OnceLock::new(),
            lasting: Mutex::new(Vec::new()),
            traps: Mutex::new(Vec::new()),
            lost_in_trial: OnceLock::new(),
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

    /// What the device begins with.
    fn start(&self) -> Start<'p> {
        if self.of_plan { self.in_force.start_of_plan() } else { self.in_force.start() }
    }

    /// A trial of the profile and the table in force.
    pub(crate) fn trial(&self) -> &Trial {
        self.trial.get_or_init(|| {
            let InForce { profile, table, .. } = self.in_force;
            Trial::of_starts(profile, &table.distributions, self.in_force.start(), (TRIAL_OPS, TRIAL_SEED))
        })
    }

    /// The table of a phase of the plan: its own, or that in force.
    fn table_in(&self, phase: Option<usize>) -> &'p Distributions {
        let own = phase.and_then(|phase| self.in_force.plan.as_ref()?.table(phase));
        own.unwrap_or(&self.in_force.table.distributions)
    }

    /// Whether an operation can start in a phase, if it can start at all: by a weight of its table, or as a step of a chain.
    fn starts_in(&self, phase: Option<usize>, op: OpId) -> bool {
        let gives =
            |(_, entries): &(PhaseKey, Vec<(OpId, f64)>)| entries.iter().any(|&(of, mass)| of == op && mass > 0.0);
        let has_chance = phase.is_none()
            || is_step(&self.in_force.profile, self.in_force.profile.ops[op].base)
            || self.table_in(phase).iter().any(gives);
        has_chance && !matches!(self.verdict(op), Verdict::Unreachable(_))
    }

    /// The trap in which runs of a phase ended, whose dies ended in these states; `None` if some die is in no trap, or if no operation is lost.
    pub(crate) fn trap(&self, at_end: &[Vec<DeviceState>], phase: Option<usize>) -> Option<Arc<TrappedDies>> {
        let InForce { profile, table, plan, .. } = self.in_force;
        let phase = phase.filter(|phase| plan.as_ref().is_some_and(|plan| plan.table(*phase).is_some()));
        let is_kept = |state: &DeviceState| self.is_kept(*state, phase);
        // Every die that is in no trap says that there is none.
        if !at_end.iter().all(|die| die.iter().any(is_kept)) {
            return None;
        }
        let of_die = |die: &Vec<DeviceState>| {
            DeviceState::ALL.into_iter().filter(|state| die.contains(state) && is_kept(state)).collect()
        };
        let mut of_dies: Kept = at_end.iter().map(of_die).collect();
        // Sites end in no order.
        of_dies.sort_unstable_by_key(|states| states.iter().map(|state| state.name()).collect::<Vec<_>>());
        of_dies.dedup();
        if of_dies.first().is_none_or(Vec::is_empty) {
            return None;
        }
        // The search takes longer than many a run, and runs that end in a trap end in the same one.
        let mut known = self.traps.lock().unwrap_or_else(PoisonError::into_inner);
        let found = known.iter().find(|trap| trap.dies == of_dies && trap.phase == phase).map(Arc::clone);
        let trap = found.unwrap_or_else(|| {
            let tables = (&*table.distributions, &**self.table_in(phase));
            let never = never_again(profile, tables, self.in_force.start(), &of_dies, self.most);
            // Without a search, what the exclusions of the states name is lost.
            let is_lost = |op: &OpId| match &never {
                Some(never) => never[op.index()],
                None => of_dies.iter().all(|states| states.iter().any(|state| excludes(profile, *state, *op))),
            };
            let lost = profile.ops.ids().filter(|op| is_lost(op) && self.starts_in(phase, *op)).collect();
            let trap = Arc::new(TrappedDies { dies: of_dies, phase, lost });
            known.push(Arc::clone(&trap));
            trap
        });
        (!trap.lost.is_empty()).then_some(trap)
    }

    /// Whether no operation that can start in a phase ends a state.
    fn is_kept(&self, state: DeviceState, phase: Option<usize>) -> bool {
        let mut known = self.lasting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((.., is_kept)) = known.iter().find(|(at, of, _)| (*at, *of) == (phase, state)) {
            return *is_kept;
        }
        let is_kept = !kept(&self.in_force.profile, &[state], |op| self.starts_in(phase, op)).is_empty();
        known.push((phase, state, is_kept));
        is_kept
    }

    /// The pairs of phase key and operation that may still come in a trap where planes show these phase keys.
    pub(crate) fn left_in<'t>(
        &'t self,
        trap: &'t TrappedDies,
        shown: &[PhaseKey],
    ) -> impl Fn(PhaseKey, OpId) -> bool + use<'t, 'p> {
        let (profile, table) = (&self.in_force.profile, self.table_in(trap.phase));
        let starts = |op: &OpId| !trap.lost.contains(op) && self.starts_in(trap.phase, *op);
        let mut comes_up = vec![false; profile.bases.len()];
        let shown = shown.iter().filter_map(|&key| profile.phase_keys[key].base);
        // Steps of chains and operations of a bootstrap need no phase key.
        let without_key = profile.ops.ids().filter(starts).map(|op| profile.ops[op].base);
        let without_key = without_key.filter(|&base| self.in_force.bootstrap || is_step(profile, base));
        shown.chain(without_key).for_each(|base| comes_up[base.index()] = true);
        loop {
            let before = comes_up.clone();
            let up = |key: PhaseKey| profile.phase_keys[key].base.is_none_or(|base| before[base.index()]);
            let drawn = table.iter().filter(|(key, _)| up(*key)).flat_map(|(_, entries)| entries);
            let drawn = drawn.filter(|(op, mass)| *mass > 0.0 && starts(op));
            drawn.for_each(|(op, _)| comes_up[profile.ops[*op].base.index()] = true);
            // What a RESUME resumes shows again.
            let resumes = |base: BaseId| Axis::ALL.iter().any(|axis| profile.bases[base].has(Effect::Resume(*axis)));
            if profile.bases.ids().any(|base| comes_up[base.index()] && resumes(base)) {
                comes_up.fill(true);
            }
            if comes_up == before {
                break;
            }
        }
        let is_drawn = move |key: PhaseKey, op: OpId| {
            let of = |wanted: PhaseKey| table.iter().find(|(known, _)| *known == wanted).map(|(_, entries)| entries);
            let entries = of(key).or_else(|| of(PhaseKey::DEFAULT));
            entries.is_some_and(|entries| entries.iter().any(|&(known, mass)| known == op && mass > 0.0))
        };
        move |key, op| {
            let comes_up = profile.phase_keys[key].base.is_none_or(|base| comes_up[base.index()]);
            comes_up && !trap.lost.contains(&op) && is_drawn(key, op)
        }
    }

    /// The operations that the trial lost in the trap in which it ended; none if it ended in no trap.
    pub(crate) fn lost_in_trial(&self) -> &[OpId] {
        self.lost_in_trial
            .get_or_init(|| self.trap(&self.trial().at_end, None).map_or_else(Vec::new, |trap| trap.lost.clone()))
    }

    /// For each operation the reason why it can never start, by weights and needs alone.
    fn never_provided(&self) -> &[Option<Reason>] {
        let InForce { profile, table, .. } = self.in_force;
        self.never_provided.get_or_init(|| never_provided(profile, &table.distributions, self.start()))
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
            let (table, start, left) = (&table.distributions, self.start(), self.left());
            let verdicts = match self.search {
                Some(search) => can_start_after(search, profile, table, start, left),
                None => can_start(profile, table, start, left, self.most),
            };
            self.left().iter().copied().zip(verdicts).collect()
        })
    }
}

/// Whether a chain has operations of a base as steps.
fn is_step(profile: &Profile, base: BaseId) -> bool {
    profile.chains.iter().flat_map(|chain| &chain.steps).any(|step| step.base == base)
}

/// Whether the exclusions of a state name the base of an operation.
fn excludes(profile: &Profile, state: DeviceState, op: OpId) -> bool {
    profile.exclusions.in_state(state).contains(profile.ops[op].base)
}

/// What dies are in, in words.
fn listed(dies: &[Vec<DeviceState>]) -> String {
    let all_of = |states: &Vec<DeviceState>| states.iter().map(|state| state.name()).collect::<Vec<_>>().join(" and ");
    let mut dies: Vec<String> = dies.iter().map(all_of).collect();
    dies.sort_unstable();
    dies.dedup();
    dies.join(" or ")
}

impl TrappedDies {
    /// The names of the states in which an operation cannot start: of each die those that exclude it, or all if none does.
    pub(crate) fn states_against(&self, profile: &Profile, op: OpId) -> String {
        let of_die = |states: &Vec<DeviceState>| {
            let excluding: Vec<DeviceState> =
                states.iter().copied().filter(|state| excludes(profile, *state, op)).collect();
            if excluding.is_empty() { states.clone() } else { excluding }
        };
        listed(&self.dies.iter().map(of_die).collect::<Vec<_>>())
    }

    /// One line about a site, by its number if it has one, that the trap was just found to keep from its `until`.
    pub(crate) fn in_a_line(&self, site: Option<u64>) -> String {
        let site = site.map_or_else(String::new, |site| format!("site {site}: "));
        format!("{site}every die is trapped in {}: the coverage that was asked for is out of reach", listed(&self.dies))
    }

    /// The trap in words: what every die is in, and what would end it.
    pub(crate) fn described(&self, in_force: &InForce) -> String {
        let profile = &in_force.profile;
        let states = || self.dies.iter().flatten().copied();
        let lost = counted(self.lost.len() as u64, "operation");
        let mut ends: Vec<BaseId> = states().flat_map(|state| ending(profile, state)).collect();
        ends.sort_unstable();
        ends.dedup();
        let names: Vec<&str> = ends.iter().map(|&base| &*profile.bases[base].name).collect();
        let excludes =
            |state: &DeviceState| ends.iter().any(|&base| profile.exclusions.in_state(*state).contains(base));
        let way_out = match (names.first(), states().find(excludes)) {
            (None, _) => "no base has an effect that would end that".to_owned(),
            (Some(_), None) if self.phase.is_some() => {
                let phase = in_force.plan.as_ref().zip(self.phase).map(|(plan, at)| &*plan.plan.phases[at].name);
                let (names, phase) = (names.join(" or "), phase.unwrap_or_default());
                format!("{names} would end that: give it a weight in the phase `{phase}`")
            }
            (_, Some(state)) => {
                format!("{} would end that: let the exclusions of {} spare it", names.join(" or "), state.name())
            }
            (Some(first), None) => {
                let why = Hint::new("explain").flags(&in_force.flags.all()).with("--as", "base").operand(first);
                format!("{} would end that, and never starts: `{why}` says why", names.join(" or "))
            }
        };
        format!("every die is trapped in {}, where {lost} can no longer start; {way_out}", listed(&self.dies))
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

#[cfg(test)]
mod tests {
    use nandseq_profile::builtin;
    use nandseq_profile::model::LatchLevel;

    use super::*;

    #[test]
    fn a_lost_operation_is_told_of_with_the_states_that_exclude_it() {
        let (odt, protected) = (DeviceState::OdtDisabled, DeviceState::WriteProtect);
        let profile = builtin::profile();
        let other = DeviceState::LatchOn(LatchLevel::Lsb);
        let only = |state, not: DeviceState| {
            let is_only = |op: &OpId| excludes(&profile, state, *op) && !excludes(&profile, not, *op);
            profile.ops.ids().find(is_only).expect("the device has such a name")
        };
        let (by_odt, by_latch) = (only(odt, other), only(other, odt));
        let by_neither = |op: &OpId| !excludes(&profile, odt, *op) && !excludes(&profile, other, *op);
        let by_neither = profile.ops.ids().find(by_neither).expect("the device has such a name");
        let in_words = |dies: &[&[DeviceState]], op| {
            let dies = dies.iter().map(|states| states.to_vec()).collect();
            TrappedDies { dies, phase: None, lost: vec![op] }.states_against(&profile, op)
        };
        assert_eq!(in_words(&[&[odt, other]], by_odt), "ODT_DISABLE");
        assert_eq!(in_words(&[&[odt, other]], by_latch), "LATCH_ON_LSB");
        assert_eq!(in_words(&[&[odt, other]], by_neither), "ODT_DISABLE and LATCH_ON_LSB");
        assert_eq!(in_words(&[&[odt, other], &[other]], by_latch), "LATCH_ON_LSB");
        assert_eq!(in_words(&[&[odt, other], &[other]], by_odt), "LATCH_ON_LSB or ODT_DISABLE");
        assert_eq!(
            in_words(&[&[protected, odt], &[other]], by_neither),
            "LATCH_ON_LSB or WRITE_PROTECT and ODT_DISABLE"
        );
    }
}
