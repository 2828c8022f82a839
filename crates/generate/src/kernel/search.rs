//! Chain safety: whatever starts, every chain under way can still run to its end.
//!
//! A state is safe if some order of the remaining steps completes all chains of the die, as in the banker's algorithm. The search
//! for an order works on a copy of the die's lasting state in which everything in flight has ended. The order found is kept: as
//! long as nothing else starts, it can be followed, so no chain is ever stuck. If the search finds no order within its bound, the
//! operation waits or is refused. That costs a few starts, and never legality. Bus, occupation and op_states pass with time and
//! are left out.
//!
//! A step that looks at every die must be possible in the state in which each other die comes to rest after its own chains. An
//! operation that starts there later must keep it possible.
//!
//! A chain whose last step is suspended waits for a RESUME that may never come. So the other chains must complete without it.
//! After that, resuming the program, then the erase, must still let its chain complete.

use nandseq_device::{BaseInfo, Device, DieLogic, Footprint, Place, Tables};
use nandseq_profile::model::{Axis, ByAxis};
use nandseq_profile::{Die, OpId, PlaneSet, Ticks};

use super::chain::{ChainId, Chains, Step, StepFootprints, is_target_scoped, note_footprints};
use super::flight::Started;
use super::lasting::{carry_out, outputs_what_moves, settle, settled_by_itself};
use super::order::{CompletionOrder, Joining, remove_at};

/// How many distinct states one search visits before it gives up.
const MOST_STATES: usize = 256;

/// The chains, except its own, that an operation ends when it starts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Drops {
    None,
    /// The chains of its die.
    Die,
    /// The chains of every die.
    All,
}

impl Drops {
    pub(crate) fn of(device: &Device, info: &BaseInfo, place: &Place) -> Self {
        if info.effects.reset_target {
            Self::All
        } else if !info.effects.reset_die {
            Self::None
        } else if device.occupied_by(info, place).0 > 1 {
            Self::All
        } else {
            Self::Die
        }
    }
}

/// The input of a search: a die and its chains.
pub(crate) struct SearchInput<'a> {
    pub(crate) tables: &'a Tables,
    /// A name that resumes, by axis, if there is one.
    pub(crate) resuming: ByAxis<Option<OpId>>,
    pub(crate) device: &'a Device,
    pub(crate) chains: &'a Chains,
    /// The chains that wait for a RESUME.
    pub(crate) suspended_chains: ByAxis<Option<ChainId>>,
    /// The origin and chain of each flight, by slot.
    pub(crate) flights: &'a [Started],
    pub(crate) die: Die,
    pub(crate) now: Ticks,
}

/// The remaining steps of one chain, as far as a search has come.
#[derive(Clone, Copy, Debug)]
struct Remaining {
    /// `None`: the chain that would begin now.
    chain: Option<ChainId>,
    /// How many of its steps have been done, of how many.
    done: usize,
    all: usize,
    /// The number that each of its steps adds to the search's key.
    weight: u64,
    /// Where its steps begin in [`SearchScratch::footprints`].
    at: usize,
}

/// The memory of searches. It is kept, so that searches allocate nothing.
#[derive(Clone, Default, Debug)]
pub(crate) struct SearchScratch {
    /// The order found.
    pub(crate) order: CompletionOrder,
    remaining: Vec<Remaining>,
    /// For each step of each chain.
    footprints: Vec<StepFootprints>,
    /// States from which no order was found. The states on the present path are not in it: fewer steps are left in all states
    /// that follow. So a search that succeeds at once keeps nothing.
    failed: Vec<DieLogic>,
    /// For each failed state, the search's key, and how many steps of each chain were done.
    failed_keys: Vec<u64>,
    failed_at: Vec<usize>,
    /// Steps of chains of other dies that look at this one too.
    target_scoped: Vec<Step>,
}

impl SearchScratch {
    fn wipe(&mut self) {
        self.order.clear();
        self.remaining.clear();
        self.footprints.clear();
        self.failed.clear();
        self.failed_keys.clear();
        self.failed_at.clear();
        self.target_scoped.clear();
    }
}

/// Searches for an order that completes all chains of a die after `plan` begins, and leaves it in the scratch memory. `advanced`
/// is the chain whose next step `plan` is, if the plan is not a new one. Returns whether an order was found.
pub(crate) fn find_order(
    search_input: &SearchInput<'_>,
    scratch: &mut SearchScratch,
    plan: &[Step],
    advanced: Option<ChainId>,
) -> bool {
    let mut logic = DieLogic::default();
    let Some(mut search) = CompletionSearch::after(search_input, scratch, plan, advanced, &mut logic) else {
        return false;
    };
    if search.is_doomed(&logic) {
        return false;
    }
    search.note_footprints();
    search.complete(&mut logic, true)
}

/// Whether the state in which another die comes to rest after its chains lets every step of a plan start that looks at all dies.
pub(crate) fn lets_in(search_input: &SearchInput<'_>, scratch: &mut SearchScratch, plan: &[Step]) -> bool {
    scratch.wipe();
    let tables = search_input.tables;
    scratch.target_scoped.extend(looks_everywhere(tables, plan));
    if scratch.target_scoped.is_empty() {
        return true;
    }
    let mut suspended_chains = search_input.suspended_chains;
    search_input.go_on_by_themselves(&mut suspended_chains);
    search_input.note_remaining(scratch, &suspended_chains, None);
    let mut logic = settled_by_itself(search_input.device, tables, search_input.die);
    let mut search = CompletionSearch::new(search_input, &[], suspended_chains, scratch);
    search.note_footprints();
    search.complete(&mut logic, true)
}

impl SearchInput<'_> {
    /// Where the later steps of a plan may join the order kept for the die, if its first step starts now; `None` if that is not
    /// certain. The plan has been judged step by step.
    ///
    /// They may come last if the first step hinders no step of the order, and the order hinders no later step of the plan. They may
    /// come first if the whole plan, at its end, hinders no step of the order: a read whose data is put out again, say. Both hold only
    /// if no chain waits for a RESUME, and no step of another die looks at this die.
    pub(super) fn joins_order(&self, order: &CompletionOrder, plan: &[Step]) -> Option<Joining> {
        let (head, rest) = plan.split_first()?;
        let first = head.footprint(self.tables);
        let suspended_chains = self.suspended_chains.values().any(Option::is_some);
        if first.is_sweeping() || suspended_chains || self.chains.has_target_scoped(self.die) {
            return None;
        }
        let (mut old, mut left) = (Footprint::default(), 0);
        for (_, chain) in self.chains.live_on(self.die) {
            left += chain.rest().len();
            old = old.and(chain.footprints()[0].in_turn);
        }
        if order.len() != left {
            return None;
        }
        let rest = rest.iter().rev().map(|step| step.footprint(self.tables));
        let rest = rest.fold(Footprint::default(), |after, own| own.then(after));
        // What a data output puts out may count as unread again: see `outputs_what_moves`.
        let puts_out = self.tables.base_of(head.op).effects.data_out;
        if old.looks & first.hinders == 0 && rest.looks & old.hinders == 0 {
            Some(Joining::Last)
        } else if old.looks & first.then(rest).hinders == 0 && !puts_out {
            Some(Joining::First)
        } else {
            None
        }
    }

    /// Takes the next step of a chain, which may start now, out of an order, if it is in the order and may come before all steps that
    /// it follows there.
    pub(crate) fn brings_forward(&self, order: &mut CompletionOrder, id: ChainId) -> bool {
        let Some(at) = order.iter().position(|&next| next == Some(id)) else { return false };
        let own = self.chains.get(id).footprints()[0].own;
        let may_come_before = |(place, chain): (usize, &Option<ChainId>)| {
            let done = order[..place].iter().filter(|other| *other == chain).count();
            chain.is_some_and(|chain| own.may_come_before(self.chains.get(chain).footprints()[done].own))
        };
        let is_first = order[..at].iter().enumerate().all(may_come_before);
        if is_first {
            remove_at(order, at);
        }
        is_first
    }

    /// Removes the chains that a RESUME in flight resumes from those that wait for one.
    fn go_on_by_themselves(&self, suspended_chains: &mut ByAxis<Option<ChainId>>) {
        if suspended_chains.values().all(Option::is_none) {
            return;
        }
        let tables = self.tables;
        let flying = self.device.flights_on(self.die);
        for axis in flying.filter_map(|(_, flight)| tables.base_of(flight.op).effects.resume) {
            suspended_chains[axis] = None;
        }
    }

    /// Notes the remaining steps of each chain of the die that does not wait for a RESUME; `advanced` has done one step more.
    fn note_remaining(
        &self,
        scratch: &mut SearchScratch,
        suspended_chains: &ByAxis<Option<ChainId>>,
        advanced: Option<ChainId>,
    ) {
        let is_suspended = |id| suspended_chains.values().any(|chain| *chain == Some(id));
        let live = self.chains.live_on(self.die).filter(|&(id, _)| !is_suspended(id));
        scratch.remaining.extend(live.map(|(id, chain)| Remaining {
            chain: Some(id),
            done: usize::from(advanced == Some(id)),
            all: chain.rest().len(),
            weight: 0,
            at: 0,
        }));
    }
}

/// The steps of a plan that look at every die.
pub(crate) fn looks_everywhere<'a>(tables: &'a Tables, plan: &'a [Step]) -> impl Iterator<Item = Step> + 'a {
    plan.iter().copied().filter(|step| is_target_scoped(tables, step))
}

struct CompletionSearch<'a> {
    search_input: &'a SearchInput<'a>,
    /// The steps of the chain that would begin now.
    plan: &'a [Step],
    suspended_chains: ByAxis<Option<ChainId>>,
    /// How many distinct states have been visited.
    visited: usize,
    /// Stands for the steps that are done: equal for the same steps, and hardly ever for others.
    key: u64,
    scratch: &'a mut SearchScratch,
}

impl<'a> CompletionSearch<'a> {
    /// A search after the first step of `plan`; `None` if the plan cannot begin. The state in which it begins is put into `logic`. See
    /// [`find_order`].
    fn after(
        search_input: &'a SearchInput<'a>,
        scratch: &'a mut SearchScratch,
        plan: &'a [Step],
        advanced: Option<ChainId>,
        logic: &mut DieLogic,
    ) -> Option<Self> {
        scratch.wipe();
        let (first, rest) = plan.split_first()?;
        let tables = search_input.tables;
        let info = tables.base_of(first.op);
        let effects = &info.effects;
        let drops = Drops::of(search_input.device, info, &first.place);
        let mut suspended_chains = if drops == Drops::None { search_input.suspended_chains } else { ByAxis::default() };
        if let Some(axis) = effects.suspend {
            let suspend_target =
                search_input.device.suspend_target(tables, search_input.die, axis, search_input.now)?;
            suspended_chains[axis] = search_input.flights[suspend_target.slot as usize].chain;
        }
        search_input.go_on_by_themselves(&mut suspended_chains);
        if let Some(axis) = effects.resume {
            suspended_chains[axis] = None;
        }
        if drops != Drops::All && search_input.chains.has_target_scoped(search_input.die) {
            let elsewhere = search_input.chains.live().filter(|(_, chain)| chain.die != search_input.die);
            scratch.target_scoped.extend(elsewhere.flat_map(|(_, chain)| looks_everywhere(tables, chain.rest())));
        }
        search_input.note_remaining(scratch, &suspended_chains, advanced);
        if drops != Drops::None {
            scratch.remaining.retain(|rest| rest.chain == advanced);
        }
        scratch.remaining.push(Remaining { chain: None, done: 0, all: rest.len(), weight: 0, at: 0 });
        let search = Self::new(search_input, rest, suspended_chains, scratch);
        settle(logic, (search_input.device, tables), search_input.die, first, search_input.now);
        if !outputs_what_moves(search_input.device, tables, first) {
            search.carry_out(logic, first);
        }
        Some(search)
    }

    fn new(
        search_input: &'a SearchInput<'a>,
        plan: &'a [Step],
        suspended_chains: ByAxis<Option<ChainId>>,
        scratch: &'a mut SearchScratch,
    ) -> Self {
        Self { search_input, plan, suspended_chains, visited: 0, key: 0, scratch }
    }

    /// Notes the footprints of all steps, and what each adds to the search's key.
    fn note_footprints(&mut self) {
        let SearchScratch { remaining, footprints, .. } = &mut *self.scratch;
        let mut weight = 1u64;
        for rest in remaining {
            rest.weight = weight;
            weight = weight.wrapping_mul(rest.all as u64 + 1);
            rest.at = footprints.len();
            match rest.chain {
                Some(id) => footprints.extend_from_slice(self.search_input.chains.get(id).footprints()),
                None => note_footprints(footprints, self.search_input.tables, self.plan),
            }
        }
    }

    const fn tables(&self) -> &'a Tables {
        self.search_input.tables
    }

    fn carry_out(&self, logic: &mut DieLogic, step: &Step) {
        carry_out(logic, self.tables(), self.tables().op(step.op).base, &step.place);
    }

    fn allows(&self, logic: &DieLogic, step: &Step) -> bool {
        let info = self.tables().base_of(step.op);
        logic.allows(self.tables(), info, &step.place, self.search_input.device.planes())
    }

    /// All steps of a chain in the search, those done included.
    fn steps_of(&self, rest: Remaining) -> &'a [Step] {
        let search_input = self.search_input;
        rest.chain.map_or(self.plan, |id| search_input.chains.get(id).rest())
    }

    /// The next step of a chain.
    fn next_of(&self, rest: Remaining) -> Option<&'a Step> {
        self.steps_of(rest).get(rest.done)
    }

    /// Whether the remaining steps can be seen not to complete in any order. If no step fills a page register any more, only one
    /// end of a cache read can take its page from there, and only if the register holds that page now. Most refused starts are of
    /// this kind.
    fn is_doomed(&self, logic: &DieLogic) -> bool {
        let effects = |step: &Step| &self.tables().base_of(step.op).effects;
        let remaining = || self.scratch.remaining.iter();
        let left = remaining().flat_map(|rest| self.steps_of(*rest).iter().skip(rest.done));
        let filled = left.clone().filter(|step| effects(step).reads_array());
        let filled = filled.fold(PlaneSet::EMPTY, |all, step| all.union(step.place.planes));
        let mut taken = PlaneSet::EMPTY;
        left.filter(|step| effects(step).cache_read_end).any(|step| {
            let planes = step.place.planes.minus(filled);
            let fails = !planes.and(taken).is_empty() || !logic.planes.without_page_at(planes, &step.place).is_empty();
            taken = taken.union(planes);
            fails
        })
    }

    /// Whether everything can complete from a state. `is_only_way`: no other way is left to try if this one fails; the state need not be
    /// kept then.
    fn complete(&mut self, logic: &mut DieLogic, is_only_way: bool) -> bool {
        loop {
            let mut allowed = 0u64;
            let mut is_done = true;
            let mut first = None;
            for at in 0..self.scratch.remaining.len() {
                let Some(step) = self.next_of(self.scratch.remaining[at]) else { continue };
                is_done = false;
                let (own, others) = self.touched(at);
                if own.looks & others.changes != 0 {
                    continue; // a later step may let it start
                }
                if !self.allows(logic, step) {
                    return false;
                }
                if own.is_apart_from(others) {
                    first = Some((at, step)); // it may as well come first
                    break;
                }
                allowed |= 1 << (at % 64);
            }
            if is_done {
                return self.suspended_complete(logic);
            }
            match first {
                Some((at, step)) if is_only_way => {
                    self.do_next(at);
                    self.carry_out(logic, step);
                    if !self.is_new(logic) {
                        return false;
                    }
                }
                Some((at, step)) => return self.goes_on_with(at, step, logic),
                None => return self.completes_some_way(allowed, logic),
            }
        }
    }

    /// Whether everything can complete with some step next. `allowed` are the chains whose next step is known to be allowed, one bit
    /// each.
    fn completes_some_way(&mut self, allowed: u64, logic: &DieLogic) -> bool {
        let count = self.scratch.remaining.len();
        (0..count).any(|at| {
            let Some(step) = self.next_of(self.scratch.remaining[at]) else { return false };
            let is_known = count <= 64 && allowed >> (at % 64) & 1 == 1;
            (is_known || self.allows(logic, step)) && self.goes_on_with(at, step, logic)
        })
    }

    /// The footprint of the next step of a chain, and that of all remaining steps of the others together.
    fn touched(&self, at: usize) -> (Footprint, Footprint) {
        let SearchScratch { remaining, footprints, .. } = &*self.scratch;
        let own = footprints[remaining[at].at + remaining[at].done].own;
        let others = remaining.iter().enumerate().filter(|&(other, rest)| other != at && rest.done < rest.all);
        let others =
            others.fold(Footprint::default(), |all, (_, rest)| all.and(footprints[rest.at + rest.done].together));
        (own, others)
    }

    /// The next step of a chain is done.
    fn do_next(&mut self, at: usize) {
        let rest = &mut self.scratch.remaining[at];
        rest.done += 1;
        self.key = self.key.wrapping_add(rest.weight);
        self.scratch.order.push(rest.chain);
    }

    /// Whether everything can complete if the next step of a chain, which may start, comes first.
    fn goes_on_with(&mut self, at: usize, step: &Step, logic: &DieLogic) -> bool {
        let mut next = *logic;
        self.carry_out(&mut next, step);
        self.do_next(at);
        if self.is_new(&next) {
            if self.complete(&mut next, false) {
                return true;
            }
            let SearchScratch { failed, failed_keys, failed_at, remaining, .. } = &mut *self.scratch;
            failed.push(next);
            failed_keys.push(self.key);
            failed_at.extend(remaining.iter().map(|rest| rest.done));
        }
        self.scratch.order.pop();
        let rest = &mut self.scratch.remaining[at];
        self.key = self.key.wrapping_sub(rest.weight);
        rest.done -= 1;
        false
    }

    /// Whether chains that wait for a RESUME, and steps of other dies that look at this one, can go on after everything else.
    fn suspended_complete(&self, logic: &DieLogic) -> bool {
        if !self.scratch.target_scoped.iter().all(|step| self.allows(logic, step)) {
            return false;
        }
        if self.suspended_chains.values().all(Option::is_none) {
            return true;
        }
        let mut logic = *logic;
        for axis in [Axis::Program, Axis::Erase] {
            let Some(chain) = self.suspended_chains[axis] else { continue };
            let Some(resume) = self.search_input.resuming[axis] else { return false };
            let resume = Step { op: resume, place: Place::die(self.search_input.die) };
            let steps = self.search_input.chains.get(chain).rest();
            for step in std::iter::once(&resume).chain(steps) {
                if !self.allows(&logic, step) {
                    return false;
                }
                self.carry_out(&mut logic, step);
            }
        }
        true
    }

    /// Counts a state. Returns `false` if it has been tried before or the search has reached its bound.
    fn is_new(&mut self, logic: &DieLogic) -> bool {
        let SearchScratch { failed, failed_keys, failed_at, remaining, .. } = &*self.scratch;
        let is_same = |at: usize| {
            let done = &failed_at[at * remaining.len()..][..remaining.len()];
            done.iter().copied().eq(remaining.iter().map(|rest| rest.done)) && failed[at] == *logic
        };
        let known = |(at, &key): (usize, &u64)| key == self.key && is_same(at);
        if self.visited >= MOST_STATES || failed_keys.iter().enumerate().any(known) {
            return false;
        }
        self.visited += 1;
        true
    }
}

#[cfg(test)]
mod tests;
