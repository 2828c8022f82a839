//! The search against what it stands for: every operation, carried out plainly from every node.

use nandseq_profile::{OpId, PhaseKey, Profile, builtin};

use super::*;
use crate::model::Start;

/// A table that gives every operation a weight under every key that does not exclude it.
fn everything(profile: &Profile) -> Vec<(PhaseKey, Vec<(OpId, f64)>)> {
    let allowed = |key, op: &OpId| !profile.exclusions.in_op_state(key).contains(profile.ops[*op].base);
    let of_key = |key| (key, profile.ops.ids().filter(|op| allowed(key, op)).map(|op| (op, 1.0)).collect());
    profile.phase_keys.ids().map(of_key).collect()
}

/// What may remain of the followed chain after an operation that works on the plane of a node, or on no plane.
fn chains_after(model: &Model<'_>, (die, plane): (Die, Plane), start: &GroupStart) -> Vec<OpenChain> {
    let class = start.class;
    let targeted = model.has_targets(class);
    let allowed = if targeted { model.plane_allows(&plane, class) } else { tables(model, &plane, class) };
    if allowed.is_err() {
        return Vec::new();
    }
    let of_proposal = || {
        let follow_ups = model.possible_follow_ups(SearchState { die, plane }, class, None);
        let tracked = follow_ups.map(|chain| chain.filter(|&chain| model.tracked[chain]));
        let free = tracked.filter(|chain| chain.is_none() || die.chain.is_none());
        free.map(|chain| chain.map_or(die.chain, |chain| Some((chain as u16, 0)))).collect()
    };
    start.next.map_or_else(of_proposal, |next| vec![next])
}

fn tables(model: &Model<'_>, plane: &Plane, class: NameClassId) -> Result<(), crate::reason::Reason> {
    if model.looks_at_die(class) { model.plane_tables(plane, class) } else { Ok(()) }
}

/// Checks that every operation from every node leads to nodes that the search has found after it. Returns how many were carried
/// out.
fn check(profile: &Profile) -> usize {
    let model = Model::new(profile, &everything(profile), Start::default());
    let graph = Graph::new(&model, MOST_TRIED);
    assert!(graph.is_complete());
    let mut tried = 0;
    for group in &graph.groups {
        let die = graph.dies.items[group.die as usize];
        let planes = || group.nodes.iter().map(|&node| (node, *graph.plane(graph.node(node))));
        for start in starts_in(&model, &die) {
            let class = start.class;
            let here: Vec<_> = planes().map(|(_, plane)| chains_after(&model, (die, plane), &start)).collect();
            let (targeted, multi) = (model.has_targets(class), model.class(class).multi);
            let elsewhere = targeted && model.planes > 1 && (!multi || model.planes > 2);
            for ((node, plane), own) in planes().zip(&here) {
                let others = here.iter().flatten().filter(|_| elsewhere && tables(&model, &plane, class).is_ok());
                let all = own.iter().map(|next| (next, targeted)).chain(others.map(|next| (next, false)));
                for (&next, on_plane) in all {
                    tried += 1;
                    let resets = model.base(class).effects.resets();
                    let before = Die { chain: if resets { None } else { next }, ..die };
                    let die = graph.dies.known.get(&model.die_after(&before, class));
                    for plane in model.planes_after(&plane, class, on_plane).into_iter().flatten() {
                        let plane = graph.planes.known.get(&plane);
                        let end = die.zip(plane).map(|(&die, &plane)| SearchNode { die, plane });
                        let end = end.and_then(|end| graph.nodes.known.get(&end));
                        let is_after = |end: &u32| *end == node || graph.after.of(node).contains(end);
                        assert!(end.is_some_and(is_after), "{class} from {node}: {end:?}");
                    }
                }
            }
        }
    }
    tried
}

#[test]
fn every_operation_from_every_node_leads_to_nodes_that_the_search_has_found() {
    for (planes, least) in [(1, 10_000), (2, 100_000), (4, 100_000)] {
        let mut profile = builtin::profile();
        profile.topology.planes = planes;
        assert!(check(&profile) > least, "{planes}");
    }
}
