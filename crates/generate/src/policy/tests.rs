//! What is eligible, and how often it is drawn, at the hooks of real runs.

use std::collections::BTreeSet;

use nandseq_device::{Place, Reach, Rule};
use nandseq_profile::model::{AddressSource, Effect, ExclusionGroup, OverrideOf, Scope};
use nandseq_profile::{BaseId, BaseSet, Die, OpId, Page, PhaseKey, Plane, PlaneSet, Profile, builtin};
use nandseq_trace::Nowhere;

use super::*;
use crate::adversaries;
use crate::kernel::{Event, Hook};
use crate::probability::{Distributions, of_profile};
use crate::proposal::{Proposer, View, WeightedSampler};
use crate::random::StreamKind;
use crate::setup::{CHUNK, ClassId};
use crate::site::Site;

/// The built-in device, with few enough addresses to try them all.
fn small(dies: u32, planes: u32, blocks_per_die: u32, pages_per_block: u32) -> Profile {
    let mut profile = builtin::profile();
    profile.topology.dies = dies;
    profile.topology.planes = planes;
    profile.topology.blocks_per_die = blocks_per_die;
    profile.topology.pages_per_block = pages_per_block;
    profile
}

fn setup_of(profile: &Profile) -> (Setup, Distributions) {
    let table = of_profile(profile, 1729);
    (Setup::new(profile, &table, &[]).expect("something to propose"), table)
}

/// Runs a site and shows it at each hook, before the proposal, until `look` has seen enough.
fn at_hooks(setup: &Setup, seed: u64, mut look: impl FnMut(&Site<'_>, (Die, Plane), PhaseKey, Ticks) -> bool) {
    let mut site = Site::new(setup, seed);
    site.proposing = true;
    site.reporter.begin_run(Ticks::ZERO, setup.tables.ops().count());
    let mut carried = Vec::new();
    while let Some(next) = site.kernel.queue.next() {
        let now = next.time;
        if let Some(&(_, Event::Hook(Hook { die, plane, .. }))) = site.kernel.queue.in_order().first() {
            let key = site.kernel.device.phase_key(die, plane, now);
            if !look(&site, (die, plane), key, now) {
                return;
            }
        }
        site.step(next, &mut Nowhere, &mut carried);
    }
}

fn view_of(site: &Site<'_>, (die, plane): (Die, Plane)) -> View {
    View { die, plane, chained: site.kernel.chains.any_on(die), rested: false }
}

/// A proposer that has found what is eligible of a distribution, with no knowledge of earlier hooks.
fn proposer_of(site: &Site<'_>, view: &View, distribution: &Distribution, now: Ticks) -> Proposer {
    let mut proposer = Proposer::new(site.setup);
    proposer.look(view, distribution, (&site.kernel, site.setup), now);
    proposer
}

#[test]
fn names_are_drawn_with_the_probabilities_of_the_table_masks_applied() {
    const DRAWS: u64 = 1_000_000;
    let profile = builtin::profile();
    let (setup, table) = setup_of(&profile);
    assert!(setup.classes.chunks() > 1, "what crosses chunks is looked at too");
    let mut seen = BTreeSet::new();
    let mut hooks = 0;
    at_hooks(&setup, 11, |site, die_plane, key, now| {
        hooks += 1;
        if !seen.contains(&key) {
            let view = view_of(site, die_plane);
            if check_draws(&setup, &table, site, (&view, now), key, DRAWS) {
                seen.insert(key);
            }
        }
        hooks < 40_000
    });
    assert!(seen.len() >= 40, "only {} keys had something to draw", seen.len());
}

/// Compares draws with the table; false when nothing is eligible in this state. Where classes are drawn one by one, each is compared with all
/// in debug builds, so that a tenth of the draws has to do.
fn check_draws(
    setup: &Setup,
    table: &Distributions,
    site: &Site<'_>,
    (view, now): (&View, Ticks),
    key: PhaseKey,
    draws: u64,
) -> bool {
    let distribution = setup.distribution(key);
    let mut counts = vec![0u64; setup.tables.ops().count()];
    let draws = if distribution.is_mostly_idle { draws / 10 } else { draws };
    let mut proposer = proposer_of(site, view, distribution, now);
    let eligible: BTreeSet<ClassId> = proposer.sampler.eligible().collect();
    let mut stream = Stream::new([5, 5], StreamKind::Hook, u64::from(key.0));
    for _ in 0..draws {
        proposer.sampler.clear();
        let hook = (view, distribution, now);
        let Some(((op, _), _)) = proposer.draw(hook, (&site.kernel, setup), None, &mut stream) else { return false };
        counts[op.index()] += 1;
    }
    // What the table says, restricted by the same classes but taken from the profile's own floats.
    let stated = table.iter().find(|(of, _)| *of == key).map(|(_, entries)| entries).expect("a key of the table");
    let allowed = |op: OpId| {
        let known = distribution.names.iter().any(|&(name, _)| name == op);
        known && eligible.contains(&setup.classes.of(setup.tables.op(op)))
    };
    let total: f64 = stated.iter().filter(|&&(op, _)| allowed(op)).map(|&(_, mass)| mass).sum();
    let (mut chi, mut cells, mut pooled) = (0.0, 0u32, (0.0, 0u64));
    for &(op, mass) in stated.iter().filter(|&&(op, _)| allowed(op)) {
        let expected = mass / total * draws as f64;
        if expected < 10.0 {
            pooled = (pooled.0 + expected, pooled.1 + counts[op.index()]);
            continue;
        }
        chi += (counts[op.index()] as f64 - expected).powi(2) / expected;
        cells += 1;
    }
    if pooled.0 >= 10.0 {
        chi += (pooled.1 as f64 - pooled.0).powi(2) / pooled.0;
        cells += 1;
    }
    let freedom = f64::from(cells.saturating_sub(1));
    let limit = freedom + 5.0 * (2.0 * freedom).sqrt() + 12.0;
    assert!(chi <= limit, "key {key:?}: chi-square {chi} over {cells} cells exceeds {limit}");
    true
}

#[test]
fn the_second_name_of_a_hook_has_its_share_of_what_the_first_leaves() {
    const DRAWS: u32 = 30_000;
    let profile = builtin::profile();
    let (setup, _) = setup_of(&profile);
    let mut seen = BTreeSet::new();
    at_hooks(&setup, 12, |site, die_plane, key, now| {
        let (view, distribution) = (view_of(site, die_plane), setup.distribution(key));
        let mut proposer = proposer_of(site, &view, distribution, now);
        let names: Vec<(OpId, u64)> =
            proposer.sampler.eligible().flat_map(|class| distribution.names_of(class)).copied().collect();
        if names.len() >= 3 && seen.insert((distribution.is_mostly_idle, key)) {
            let mut counts = vec![0u32; setup.tables.ops().count()];
            let mut stream = Stream::new([6, 6], StreamKind::Hook, u64::from(key.0));
            for _ in 0..DRAWS {
                proposer.sampler.clear();
                let mut draw = || {
                    let hook = (&view, distribution, now);
                    proposer.draw(hook, (&site.kernel, &setup), None, &mut stream).expect("three names").0.0
                };
                let first = draw();
                let second = draw();
                assert_ne!(first, second);
                counts[second.index()] += 1;
            }
            let total: f64 = names.iter().map(|&(_, weight)| weight as f64).sum();
            let after = |&(first, weight): &(OpId, u64), second: OpId, own: f64| {
                if first == second { 0.0 } else { weight as f64 / total * own / (total - weight as f64) }
            };
            let (mut chi, mut cells) = (0.0, 0);
            for &(op, weight) in &names {
                let expected: f64 =
                    names.iter().map(|first| after(first, op, weight as f64)).sum::<f64>() * f64::from(DRAWS);
                if expected >= 10.0 {
                    chi += (f64::from(counts[op.index()]) - expected).powi(2) / expected;
                    cells += 1;
                }
            }
            let freedom = f64::from(cells);
            let limit = freedom + 5.0 * (2.0 * freedom).sqrt() + 12.0;
            assert!(chi <= limit, "key {key:?}: chi-square {chi} over {cells} cells exceeds {limit}");
        }
        [true, false].iter().any(|idle| seen.iter().filter(|(mostly_idle, _)| mostly_idle == idle).count() < 4)
    });
    assert!(seen.iter().any(|(idle, _)| *idle) && seen.iter().any(|(idle, _)| !idle), "{seen:?}");
}

#[test]
fn a_failed_name_is_not_drawn_again_and_all_others_are() {
    let profile = builtin::profile();
    let (setup, _) = setup_of(&profile);
    let distribution = &setup.distributions[usize::from(setup.by_key[0])];
    let mut sampler = WeightedSampler::new(&setup);
    sampler.refill().copy_from_slice(distribution.sets());
    for number in 0..100 {
        let mut stream = Stream::new([1, 2], StreamKind::Hook, number);
        sampler.clear();
        sampler.refill();
        let first = distribution.draw_any(&mut stream).expect("it has names");
        let first = sampler.draw_of(distribution, first, &mut stream).expect("nothing was drawn");
        let mut seen = BTreeSet::from([first]);
        while let Some((op, _)) = sampler.draw(distribution, &mut stream) {
            assert!(seen.insert(op), "{op:?} twice");
        }
        assert_eq!(seen.len(), distribution.names.len());
    }
}

#[test]
fn a_class_is_eligible_exactly_when_a_legal_address_exists() {
    for (number, (dies, planes, blocks, pages)) in
        [(1, 2, 5, 2), (2, 3, 8, 3), (1, 1, 2, 2), (1, 4, 8, 4)].into_iter().enumerate()
    {
        let profile = small(dies, planes, blocks, pages);
        let (setup, _) = setup_of(&profile);
        let (mut states, mut found) = (0, 0);
        at_hooks(&setup, number as u64, |site, die_plane, _, now| {
            states += 1;
            if states % 7 == 0 {
                found += compare_with_every_address(&setup, site, die_plane, now);
            }
            states < 6_000
        });
        assert!(found > 3_000, "only {found} eligible classes were met");
    }
}

/// Returns how many classes are eligible.
fn compare_with_every_address(setup: &Setup, site: &Site<'_>, die_plane: (Die, Plane), now: Ticks) -> u32 {
    let mut found = 0;
    let view = view_of(site, die_plane);
    if site.kernel.chains.any_on(die_plane.0) {
        return 0; // chains under way narrow what may be proposed; see the safety tests
    }
    let names: BTreeSet<OpId> = setup.distributions.iter().flat_map(|own| &own.names).map(|&(op, _)| op).collect();
    let entries: Vec<(OpId, f64)> = names.iter().map(|&op| (op, 1.0)).collect();
    let everything = Distribution::new(&setup.tables, &setup.classes, &entries, |_| true);
    let mut proposer = proposer_of(site, &view, &everything, now);
    let open: BTreeSet<ClassId> = proposer.sampler.eligible().collect();
    let classes: BTreeSet<ClassId> = names.iter().map(|&op| setup.classes.of(setup.tables.op(op))).collect();
    for class in classes {
        let mut ops = setup.tables.ops().filter(|(_, op)| setup.classes.of(op) == class);
        let Some((op, _)) = ops.find(|(_, op)| op.status_of.is_none()) else { continue };
        let exists = every_place(setup, op, die_plane).any(|place| {
            let verdict = site.kernel.device.judge(&setup.tables, op, &place, now);
            matches!(verdict, Ok(()) | Err(Rule::Bus))
        });
        let eligible = open.contains(&class);
        assert_eq!(eligible, exists, "{:?} at {now}, plane {die_plane:?}", setup.classes.get(class));
        let alone = proposer.check((&view, &everything, now), (&site.kernel, setup), class);
        assert_eq!(alone.is_some(), exists, "{:?} at {now}, plane {die_plane:?}", setup.classes.get(class));
        found += u32::from(eligible);
    }
    found
}

/// Every place at which a proposal of `op` at this hook could be made.
fn every_place(setup: &Setup, op: OpId, (die, plane): (Die, Plane)) -> impl Iterator<Item = Place> {
    let info = *setup.tables.op(op);
    let base = setup.tables.base(info.base).clone();
    let size = setup.tables.size;
    let planes: Vec<PlaneSet> = match base.address {
        AddressSource::None => vec![PlaneSet::EMPTY],
        AddressSource::Hook if base.reach != Reach::Planes => vec![PlaneSet::EMPTY],
        AddressSource::Hook | AddressSource::OutputRegister | AddressSource::PageRegister => vec![PlaneSet::one(plane)],
        AddressSource::AnyBlock
        | AddressSource::NextPage
        | AddressSource::ReadablePage
        | AddressSource::SuspendedProgram
        | AddressSource::OneShotLatch
        | AddressSource::CopybackLatch => (1..1u8 << size.planes).map(PlaneSet).collect(),
    };
    let (groups, pages) = if base.has_block { (size.groups, size.pages) } else { (1, 1) };
    let cells: Vec<nandseq_profile::CellTypeId> = match info.cell_type {
        Some(cell) => vec![cell],
        None => (0..setup.tables.programs.len()).map(nandseq_profile::CellTypeId::from).collect(),
    };
    let at = move |planes: PlaneSet, group: u32, page: u16, cell| Place {
        die,
        planes,
        group,
        page: Page(page),
        cell_type: cell,
    };
    planes.into_iter().flat_map(move |planes| {
        let cells = cells.clone();
        (0..groups).flat_map(move |group| {
            let cells = cells.clone();
            (0..pages).flat_map(move |page| cells.clone().into_iter().map(move |cell| at(planes, group, page, cell)))
        })
    })
}

/// Asserts that hooks that end without a look at the state draw what every state lets them draw; returns how many there were, of how many.
fn count_idle_hooks(setup: &Setup, seed: u64, most: u64) -> (u64, u64) {
    let (mut idle, mut all) = (0, 0);
    at_hooks(setup, seed, |site, die_plane, key, now| {
        all += 1;
        let distribution = setup.distribution(key);
        let first = distribution.draw_any(&mut Stream::new(site.key(), StreamKind::Hook, site.hooks + 1));
        if let Some(class) = first.filter(|&class| distribution.is_idling(class)) {
            idle += 1;
            assert!(setup.tables.base(setup.classes.get(class).base).effects.delay);
            for rested in [false, true] {
                let view = View { rested, ..view_of(site, die_plane) };
                let proposer = proposer_of(site, &view, distribution, now);
                assert!(proposer.sampler.eligible().any(|other| other == class), "hook {} at {now}", site.hooks + 1);
            }
        }
        all < most
    });
    (idle, all)
}

/// The base that proposes nothing.
fn delay_of(profile: &Profile) -> BaseId {
    profile.bases.iter_ids().find(|(_, base)| base.effects.contains(&Effect::Delay)).expect("it idles").0
}

/// The built-in device with what proposes nothing not before all other bases but among them.
fn with_a_late_delay() -> Profile {
    let mut profile = builtin::profile();
    let first = delay_of(&profile);
    let names = |id| profile.ops.iter().filter(|op| op.base == id).count();
    let late =
        profile.bases.ids().skip(profile.bases.len() / 2).find(|&id| names(id) == 1).expect("a base of one name");
    let delay = profile.bases[first].clone();
    let base = &mut profile.bases[late];
    (base.effects, base.scope, base.instant) = (delay.effects, delay.scope, delay.instant);
    (base.affects_state, base.payload, base.follow_ups) = (delay.affects_state, delay.payload, delay.follow_ups);
    (base.address, base.phases) = (delay.address, delay.phases);
    profile.bases[first].effects.clear();
    for group in profile.exclusions.groups.iter_mut() {
        group.forbids.remove(late);
    }
    profile.probabilities.by_key.clear();
    profile.probabilities.phase_conditional.clear();
    profile.probabilities.global = vec![(OverrideOf::Base(late), 0.9)];
    profile
}

/// How many classes propose nothing whatever the state.
fn idling(setup: &Setup) -> usize {
    let classes = (0..setup.classes.count()).map(|at| ClassId::at(at / CHUNK, at % CHUNK));
    classes.filter(|&class| setup.groups.idling(class.chunk()).contains(class)).count()
}

#[test]
fn what_ends_a_hook_without_a_look_is_eligible_in_every_state() {
    let (setup, _) = setup_of(&builtin::profile());
    let (idle, all) = count_idle_hooks(&setup, 7, 20_000);
    assert!(idle * 3 > all, "only {idle} of {all} hooks are known to draw nothing beforehand");
    let hostile = (0..adversaries::COUNT).map(|number| adversaries::adversary(&builtin::profile(), number));
    let others = hostile.chain([small(1, 2, 5, 2), small(3, 3, 9, 4), with_a_late_delay()]);
    let found: u64 = others.map(|profile| count_idle_hooks(&setup_of(&profile).0, 8, 4_000).0).sum();
    assert!(found > 2_000, "only {found} hooks are known to draw nothing beforehand");
}

#[test]
fn where_a_state_forbids_what_proposes_nothing_every_hook_looks_at_the_state() {
    let profile = builtin::profile();
    let delay = delay_of(&profile);
    assert_eq!(idling(&setup_of(&profile).0), 1);
    let states = 0..profile.exclusions.by_state.len();
    let real = profile.phase_keys.iter_ids().filter(|(_, key)| key.phase.is_some()).map(|(id, _)| id);
    let keys: Vec<PhaseKey> = real.step_by(9).collect();
    assert!(states.len() > 5 && keys.len() > 5);
    let places = states.map(Ok).chain(keys.into_iter().map(Err));
    for place in places {
        let mut profile = profile.clone();
        let mut forbids = BaseSet::EMPTY;
        forbids.insert(delay);
        let group = profile.exclusions.groups.push(ExclusionGroup { name: "idle".to_owned(), forbids });
        match place {
            Ok(state) => profile.exclusions.by_state[state].1.push(group),
            Err(key) => profile.exclusions.by_op_state.push((key, vec![group])),
        }
        assert_eq!(idling(&setup_of(&profile).0), 0, "{place:?}");
    }
}

#[test]
fn what_occupies_is_never_known_to_propose_nothing() {
    for scope in [Scope::PlaneSet, Scope::Die, Scope::Target] {
        let mut profile = builtin::profile();
        let delay = delay_of(&profile);
        (profile.bases[delay].scope, profile.bases[delay].instant) = (scope, false);
        assert_eq!(idling(&setup_of(&profile).0), 0, "{scope:?}");
    }
}
