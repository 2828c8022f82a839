//! In the states of real runs, short searches and kept orders agree with a search of all orders.

use nandseq_profile::{Profile, builtin};
use nandseq_trace::Nowhere;

use super::*;
use crate::kernel::{Event, Hook};
use crate::probability::of_profile;
use crate::proposal::{Preference, Proposer, View};
use crate::random::{Stream, StreamKind};
use crate::setup::Setup;
use crate::site::Site;

/// Tries every state that the chains of a die can be led to; gives up if there are too many.
struct Exhaustive<'a> {
    search: CompletionSearch<'a>,
    seen: Vec<(Vec<usize>, DieLogic)>,
}

impl Exhaustive<'_> {
    const MOST: usize = 4_000;

    fn completes(&mut self, logic: &DieLogic) -> Option<bool> {
        let done: Vec<usize> = self.search.scratch.remaining.iter().map(|rest| rest.done).collect();
        let state = (done, *logic);
        if self.seen.contains(&state) {
            return Some(false);
        }
        if self.seen.len() == Self::MOST {
            return None;
        }
        self.seen.push(state);
        if self.search.scratch.remaining.iter().all(|rest| rest.done == rest.all) {
            return Some(self.search.suspended_complete(logic));
        }
        for at in 0..self.search.scratch.remaining.len() {
            let Some(step) = self.search.next_of(self.search.scratch.remaining[at]) else { continue };
            if !self.search.allows(logic, step) {
                continue;
            }
            let mut next = *logic;
            self.search.carry_out(&mut next, step);
            self.search.scratch.remaining[at].done += 1;
            let completes = self.completes(&next)?;
            self.search.scratch.remaining[at].done -= 1;
            if completes {
                return Some(true);
            }
        }
        Some(false)
    }
}

/// A plan drawn at a hook of a site, as a proposal would.
fn plan_of(site: &Site<'_>, hook: Hook, now: Ticks, stream: &mut Stream) -> Option<Vec<Step>> {
    let setup = site.setup;
    let view = View { die: hook.die, plane: hook.plane, chained: site.kernel.chains.any_on(hook.die), rested: false };
    let key = site.kernel.device.phase_key(hook.die, hook.plane, now);
    let distribution = setup.distribution(key);
    let mut proposer = Proposer::new(setup);
    proposer.look(&view, distribution, (&site.kernel, setup), now);
    let name = proposer.draw((&view, distribution, now), (&site.kernel, setup), None, stream)?;
    let verdict = proposer.make((setup, &site.kernel.device), (&view, now), name, Preference::NONE, stream);
    verdict.is_ok_and(|verdict| verdict.is_ok()).then_some(proposer.plan)
}

/// Compares both searches for plans at the hooks of a run, beside the chains of their die. Returns how many plans are refused,
/// and how many may start.
fn compare(profile: &Profile, seed: u64, hooks: u64) -> [u64; 2] {
    let setup = Setup::new(profile, &of_profile(profile, 1729), &[]).expect("something to propose");
    let mut site = Site::new(&setup, seed);
    site.proposing = true;
    site.reporter.begin_run(Ticks::ZERO, setup.tables.ops().count());
    let mut said = [0; 2];
    let (mut carried, mut at) = (Vec::new(), 0);
    while let Some(next) = site.kernel.queue.next().filter(|_| at < hooks) {
        let now = next.time;
        if let Some(&(_, Event::Hook(hook))) = site.kernel.queue.in_order().first()
            && site.kernel.chains.any_on(hook.die)
        {
            at += 1;
            let mut stream = Stream::new([seed, 77], StreamKind::Hook, at);
            let Some(plan) = plan_of(&site, hook, now, &mut stream) else {
                site.kernel.queue.pop();
                continue;
            };
            let info = setup.tables.base_of(plan[0].op);
            let resets = info.effects.resets();
            if resets || looks_everywhere(&setup.tables, &plan[1..]).next().is_some() {
                site.kernel.queue.pop();
                continue;
            }
            let may = site.kernel.find_order_with(&plan, now).is_ok();
            let (search_input, _) = site.kernel.search_input(hook.die, now);
            let mut scratch = SearchScratch::default();
            let mut logic = DieLogic::default();
            let all = CompletionSearch::after(&search_input, &mut scratch, &plan, None, &mut logic)
                .map_or(Some(false), |search| Exhaustive { search, seen: Vec::new() }.completes(&logic));
            // What changes nothing may always start, whatever the search would say of chains that wait for a RESUME.
            if let Some(all) = all.filter(|_| plan.len() > 1 || !info.is_inert()) {
                assert_eq!(may, all, "seed {seed}, hook {at}, {plan:?}");
                said[usize::from(may)] += 1;
            }
        }
        site.step(next, &mut Nowhere, &mut carried);
        assert!(dies(&setup).all(|die| kept_order_runs(&mut site, die, now)), "seed {seed}, hook {at}");
    }
    said
}

fn dies(setup: &Setup) -> impl Iterator<Item = Die> + use<> {
    (0..setup.tables.size.dies).map(Die)
}

/// Whether the chains of a die can be led to their end in the order kept for them, where one is kept for all of them.
fn kept_order_runs(site: &mut Site<'_>, die: Die, now: Ticks) -> bool {
    let (search_input, orders) = site.kernel.search_input(die, now);
    let order = &orders.of_dies[usize::from(die.0)];
    let left: usize = search_input.chains.live_on(die).map(|(_, chain)| chain.rest().len()).sum();
    if search_input.suspended_chains.values().any(Option::is_some) || order.len() != left {
        return true;
    }
    let mut scratch = SearchScratch::default();
    let search = CompletionSearch::new(&search_input, &[], search_input.suspended_chains, &mut scratch);
    let mut logic = settled_by_itself(search_input.device, search_input.tables, die);
    order.iter().enumerate().all(|(at, &next)| {
        let done = order[..at].iter().filter(|&&before| before == next).count();
        let Some(step) = next.and_then(|id| search_input.chains.get(id).rest().get(done)) else { return false };
        let allowed = search.allows(&logic, step);
        search.carry_out(&mut logic, step);
        allowed
    })
}

#[test]
fn a_start_is_refused_exactly_when_no_order_completes_all_chains() {
    let mut said = [0; 2];
    for seed in 1..=3 {
        let here = compare(&builtin::profile(), seed, 6_000);
        said = [said[0] + here[0], said[1] + here[1]];
    }
    assert!(said.iter().all(|&count| count > 300), "refused and let in: {said:?}");
}

/// Without exclusions data is put out while a cache read moves its page, which then counts as unread again.
#[test]
fn orders_hold_where_nothing_is_excluded() {
    let mut profile = builtin::profile();
    profile.exclusions.by_op_state.clear();
    profile.exclusions.by_state.clear();
    for seed in 1..=8 {
        compare(&profile, seed, 6_000);
    }
}
