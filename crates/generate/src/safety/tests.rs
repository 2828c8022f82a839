//! Short searches and kept orders say what a search of everything says, in the states of real runs.

use std::io;

use nandseq_profile::{Profile, builtin};
use nandseq_trace::{Operation, Sink};

use super::*;
use crate::die_constraints::DieConstraints;
use crate::eligible::View;
use crate::philox::{Stream, StreamKind};
use crate::plan::{draw_place, expand};
use crate::probability::of_profile;
use crate::queue::{Event, Hook};
use crate::site::Site;
use crate::weighted_sampler::WeightedSampler;

struct Nowhere;

impl Sink for Nowhere {
    fn operation(&mut self, _: &Operation<'_>) -> io::Result<()> {
        Ok(())
    }
}

/// Every state that the chains of a die can be led to, tried one after another; `None` when there are too many.
struct Exhaustive<'a> {
    search: Search<'a>,
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
fn plan_of(site: &mut Site<'_>, hook: Hook, now: Ticks, stream: &mut Stream) -> Option<Vec<Step>> {
    let setup = site.setup;
    let view = View { die: hook.die, plane: hook.plane, chained: site.chains.any_on(hook.die), rested: false };
    let key = site.device.phase_key(hook.die, hook.plane, now);
    let distribution = &setup.distributions[usize::from(setup.by_key[key.index()])];
    let mut constraints = vec![DieConstraints::new(setup); site.constraints.len()];
    let mut sampler = WeightedSampler::new(setup);
    view.fill(&mut sampler, distribution, &mut constraints, (&site.device, setup), now, || false);
    let name = sampler.draw(distribution, stream)?;
    let place = draw_place(setup, (&site.device, &constraints), &view, name, stream).ok()?;
    site.device.judge(&setup.tables, name.0, &place, now).ok()?;
    let mut plan = vec![Step { op: name.0, place }];
    expand(setup, &site.device, (&mut plan, &mut site.draft), (now, 1), stream).ok()?;
    Some(plan)
}

/// Compares, at the hooks of a run, what is said of plans beside the chains of their die; how many may start, and how many not.
fn compare(profile: &Profile, seed: u64, hooks: u64) -> [u64; 2] {
    let setup = Setup::new(profile, &of_profile(profile, 1729), &[]).expect("something to propose");
    let mut site = Site::new(&setup, seed);
    site.proposing = true;
    site.summary.by_op = vec![0; setup.tables.ops().count()];
    let mut said = [0; 2];
    let (mut carried, mut at) = (Vec::new(), 0);
    while let Some((now, event)) = site.queue.pop().filter(|_| at < hooks) {
        if let Event::Hook(hook) = event
            && site.chains.any_on(hook.die)
        {
            at += 1;
            let mut stream = Stream::new([seed, 77], StreamKind::Hook, at);
            let Some(plan) = plan_of(&mut site, hook, now, &mut stream) else { continue };
            let info = setup.tables.base(setup.tables.op(plan[0].op).base);
            let resets = info.effects.reset_die || info.effects.reset_target;
            if resets || looks_everywhere(&setup.tables, &plan[1..]).next().is_some() {
                continue;
            }
            let mut scratch = SearchScratch::default();
            let may = site.keeps_chains_safe(&mut scratch, &plan, now).is_ok();
            let search_input = site.search_input(hook.die, now);
            let mut scratch = SearchScratch::default();
            let all = Search::after(&search_input, &mut scratch, &plan, None)
                .map_or(Some(false), |(search, logic)| Exhaustive { search, seen: Vec::new() }.completes(&logic));
            // What changes nothing may always start, whatever the search would say of chains that wait for a RESUME.
            if let Some(all) = all.filter(|_| plan.len() > 1 || !info.is_inert()) {
                assert_eq!(may, all, "seed {seed}, hook {at}, {plan:?}");
                said[usize::from(may)] += 1;
            }
        }
        site.handle(event, now, &mut Nowhere, &mut carried);
        assert!(dies(&setup).all(|die| kept_order_runs(&site, die, now)), "seed {seed}, hook {at}");
    }
    said
}

fn dies(setup: &Setup) -> impl Iterator<Item = Die> + use<> {
    (0..setup.tables.size.dies).map(Die)
}

/// Whether the chains of a die can be led to their end in the order kept for them, where one is kept for all of them.
fn kept_order_runs(site: &Site<'_>, die: Die, now: Ticks) -> bool {
    let search_input = site.search_input(die, now);
    let order = &site.orders[usize::from(die.0)];
    let left: usize = site.chains.live_on(die).map(|(_, chain)| chain.rest().len()).sum();
    if search_input.suspended_chains.values().any(Option::is_some) || order.len() != left {
        return true;
    }
    let mut scratch = SearchScratch::default();
    let search = Search::new(&search_input, &[], search_input.suspended_chains, &mut scratch);
    let mut logic = settled_by_itself(search_input.device, &search_input.setup.tables, die);
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
