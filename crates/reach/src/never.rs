//! Whether operations can start at all, also on a device with more states than can be searched.

use std::collections::BTreeMap;

use nandseq_profile::model::DeviceState;
use nandseq_profile::{OpId, PhaseKey, Profile};

use crate::causes::Causes;
use crate::explore::{Graph, MOST_TRIED};
use crate::judge::{HookContext, PlaneRun};
use crate::model::{Model, NameClassId, SearchedStates, Start, WeightTable};
use crate::reason::Reason;
use crate::search::Search;
use crate::state::{Die, Plane};
use crate::verdict::Verdict;

/// For each of some operations whether it can start, under some phase key or as a step of a chain.
///
/// If the device has too many states for a search of all of them, those of its die and those of a plane are searched by
/// themselves. Each of the two allows more than both together: what one of them does not reach never starts. A search carries out
/// at most `most` operations, one of a part a quarter of them if that is less than [`MOST_TRIED`]. What nothing rules out stays [`Verdict::Undecided`].
#[must_use]
pub fn can_start(
    profile: &Profile,
    table: &[(PhaseKey, Vec<(OpId, f64)>)],
    start: Start<'_>,
    ops: &[OpId],
    most: u64,
) -> Vec<Verdict> {
    can_start_counted(profile, table, start, ops, most).0
}

/// As [`can_start`] with the limit of a [`Search`], which has been made of all states.
#[must_use]
pub fn can_start_after(
    search: &Search<'_>,
    profile: &Profile,
    table: &[(PhaseKey, Vec<(OpId, f64)>)],
    start: Start<'_>,
    ops: &[OpId],
) -> Vec<Verdict> {
    counted_after(search, || Model::new(profile, table, start), ops, MOST_TRIED).0
}

/// As [`can_start`], with the number of operations that all searches together have carried out.
#[must_use]
pub fn can_start_counted(
    profile: &Profile,
    table: &[(PhaseKey, Vec<(OpId, f64)>)],
    start: Start<'_>,
    ops: &[OpId],
    most: u64,
) -> (Vec<Verdict>, u64) {
    let of_part = if most < MOST_TRIED { most / 4 } else { most };
    counted_within(|| Model::new(profile, table, start), ops, (most, of_part))
}

/// For each operation whether it can no longer start on a device whose dies all stay in lasting states: each of `kept` is what one
/// or more dies stay in. The first table was in force before, the second one is now; it gives no name a weight that the first does not.
/// `None` if the device has too many states for searches that carry out `most` operations each.
///
/// It is a proof, also during a run: the search begins with every state that the device can enter and that a die may be in then,
/// chains may be under way, and whatever the device could start before may still show on its planes or be in flight.
#[must_use]
pub fn never_again(
    profile: &Profile,
    (table, now): (&WeightTable, &WeightTable),
    start: Start<'_>,
    kept: &[Vec<DeviceState>],
    most: u64,
) -> Option<Vec<bool>> {
    let Search { mut model, graph, tried } = Search::within(Model::new(profile, table, start), most);
    let may_be_kept = |(die, _): &(Die, Plane)| {
        let all_hold = |states: &Vec<DeviceState>| states.iter().all(|state| die.states().any(|own| own == *state));
        kept.iter().any(all_hold)
    };
    let first: Vec<(Die, Plane)> = graph.states().filter(may_be_kept).collect();
    if !graph.is_complete() || first.is_empty() {
        return None;
    }
    let ran = graph.runs;
    if now != table {
        model.draw_by(now);
    }
    let graph = Graph::from(&model, most, &first);
    let search = Search { model, graph, tried };
    // What it suspends may be in flight, although no other can start.
    let may_suspend = |op: OpId| {
        let class = search.model.of_op[op.index()];
        let suspends = search.model.base(class).effects.suspend.is_some() && ran[usize::from(class)];
        suspends && first.iter().any(|(die, _)| search.model.die_allows(die, class).is_ok())
    };
    let is_lost = |op| !(may_suspend(op) || search.can_run(op) && is_drawn(&search.model, &ran, op));
    search.graph.is_complete().then(|| profile.ops.ids().map(is_lost).collect())
}

/// Whether an operation may be drawn, under a phase key that comes up if only the classes in `runs` run, or as a step of a chain.
fn is_drawn(model: &Model<'_>, runs: &[bool], op: OpId) -> bool {
    let mut keys = model.profile.phase_keys.ids().zip(&model.shares).filter(|(_, names)| names.contains(&op));
    let begins = |&(head, _): &(NameClassId, usize)| model.is_proposed(head) && runs[usize::from(head)];
    keys.any(|(key, _)| model.key_comes_up(key, runs))
        || model.class(model.of_op[op.index()]).in_bootstrap
        || model.is_scripted(op)
        || model.chains_with(op).iter().any(begins)
}

/// As [`can_start_counted`], with limits of operations for the search of all states, and for those of its parts.
fn counted_within<'p>(
    model: impl Fn() -> Model<'p>,
    ops: &[OpId],
    (most, most_of_part): (u64, u64),
) -> (Vec<Verdict>, u64) {
    counted_after(&Search::within(model(), most), model, ops, most_of_part)
}

/// The same after the search of all states.
fn counted_after<'p>(
    search: &Search<'_>,
    model: impl Fn() -> Model<'p>,
    ops: &[OpId],
    most_of_part: u64,
) -> (Vec<Verdict>, u64) {
    let mut tried = search.tried;
    let causes = Causes::new(search, ops);
    let mut found: Vec<Verdict> = ops.iter().map(|&op| causes.at_all(op)).collect();
    for part in [SearchedStates::Dies, SearchedStates::Planes] {
        let is_open = |verdict: &Verdict| *verdict == Verdict::Undecided;
        if !found.iter().any(is_open) {
            break;
        }
        let search = Search::within(model().searched_for(part), most_of_part);
        tried += search.tried;
        let mut of_classes = BTreeMap::new();
        for (verdict, &op) in found.iter_mut().zip(ops).filter(|(verdict, _)| is_open(verdict)) {
            *verdict = in_part(&search, op, &mut of_classes).map_or(Verdict::Undecided, Verdict::Unreachable);
        }
    }
    (found, tried)
}

/// Why an operation never starts, by a search of some states only; `None` if that does not say. `of_classes` are the reasons of
/// the classes that never run, as far as they are found.
fn in_part(search: &Search<'_>, op: OpId, of_classes: &mut BTreeMap<NameClassId, Option<Reason>>) -> Option<Reason> {
    let (model, class) = (&search.model, search.model.of_op[op.index()]);
    let has_share = model.has_share(op);
    if search.can_run(op) {
        return (!is_drawn(model, &search.graph.runs, op)).then_some(if has_share {
            Reason::NoHook
        } else {
            Reason::NoHead
        });
    }
    if !has_share {
        return Some(Reason::NoHead);
    }
    *of_classes.entry(class).or_insert_with(|| of_class(search, class))
}

/// Why a class never runs.
fn of_class(search: &Search<'_>, class: NameClassId) -> Option<Reason> {
    let model = &search.model;
    // Without states, it lacks the operations that would meet its needs. Else some state forbids it wherever it could start.
    let lacking = (!model.possible[usize::from(class)]).then(|| model.reason_against(class, &model.possible)).flatten();
    lacking.or_else(|| {
        let suspends = model.base(class).effects.suspend;
        let targets = model.classes_that(|target| {
            suspends.is_some_and(|axis| model.base(target).effects.is_of(axis)) && model.class(target).busy
        });
        let busy = targets.into_iter().map(PlaneRun::Busy);
        let shown: Vec<PlaneRun> = std::iter::once(PlaneRun::Idle).chain(busy).collect();
        let judged = |state| {
            let reasons = shown.iter().map(move |&run| HookContext::at(state, run));
            reasons.filter_map(|context| model.judge(&search.graph, &context, class).err())
        };
        search.graph.states().flat_map(judged).max_by_key(|reason| reason.specificity())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::never_provided;
    use crate::sample::{chained, device, key, op, table};

    fn within<'p>(model: impl Fn() -> Model<'p>, ops: &[OpId], most: (u64, u64)) -> Vec<Verdict> {
        counted_within(model, ops, most).0
    }

    const NOTHING_PROGRAMS: &str =
        "exclusion_groups: {pg: [PROG]}\nexclusions: {state: {NOT_PROGRAM_SUSPENDED: [pg]}}\n";

    fn found(profile: &Profile, most: u64) -> Vec<Verdict> {
        let ops: Vec<OpId> = profile.ops.ids().collect();
        within(|| Model::new(profile, table(profile), Start::default()), &ops, (most, MOST_TRIED))
    }

    const fn never(reason: Reason) -> Verdict {
        Verdict::Unreachable(reason)
    }

    #[test]
    fn an_operation_without_a_weight_of_its_own_never_starts_although_its_like_does() {
        let profile = device("EraseA: 0.5, Read: 0.4", "");
        let found = found(&profile, MOST_TRIED);
        assert_eq!(found[op(&profile, "EraseA").index()], Verdict::Reachable);
        assert_eq!(found[op(&profile, "EraseB").index()], never(Reason::NoWeight));
        assert_eq!(found[op(&profile, "Read").index()], never(Reason::CellType));
    }

    #[test]
    fn a_device_with_too_many_states_is_searched_in_parts() {
        let nothing_puts_out = "exclusion_groups: {out: [OUT]}\nexclusions: {state: {LATCH_ON_READ: [out]}}\n";
        for (sections, name) in [("", None), (NOTHING_PROGRAMS, Some("Program")), (nothing_puts_out, Some("Out"))] {
            let profile = device("EraseA: 0.4, Program: 0.2, Read: 0.2, Out: 0.1, Status: 0.1", sections);
            let whole = found(&profile, MOST_TRIED);
            let open = |verdict: &Verdict| if *verdict == Verdict::Reachable { Verdict::Undecided } else { *verdict };
            assert_eq!(found(&profile, 1), whole.iter().map(open).collect::<Vec<_>>(), "{sections}");
            if let Some(name) = name {
                assert!(matches!(whole[op(&profile, name).index()], Verdict::Unreachable(_)), "{name}: {whole:?}");
            }
            assert_eq!(whole[op(&profile, "EraseA").index()], Verdict::Reachable);
        }
    }

    #[test]
    fn what_a_part_of_the_states_rules_out_all_of_them_do() {
        let profile = nandseq_profile::builtin::profile();
        let ops: Vec<OpId> = profile.ops.ids().collect();
        // A third of the names under every key, so that much never starts.
        let under_default: Vec<(OpId, f64)> = ops.iter().step_by(3).map(|&op| (op, 1.0)).collect();
        let table = [(PhaseKey::DEFAULT, under_default)];
        let found = |most| within(|| Model::new(&profile, &table, Start::default()), &ops, (most, MOST_TRIED));
        let (whole, parts) = (found(MOST_TRIED), found(1));
        let provided = never_provided(&profile, &table, Start::default());
        let is_never = |verdict: &Verdict| matches!(verdict, Verdict::Unreachable(_));
        // Names with a weight that only the searches of parts rule out.
        let by_states = (0..ops.len()).step_by(3).filter(|&at| provided[at].is_none() && is_never(&parts[at]));
        assert!(by_states.count() > 0 && !whole.iter().all(is_never));
        for (at, op) in profile.ops.iter().enumerate() {
            assert!(!is_never(&parts[at]) || is_never(&whole[at]), "{}: {:?}", op.name, parts[at]);
        }
    }

    #[test]
    fn a_step_without_a_weight_of_its_own_starts_only_where_its_chain_can_run() {
        let of = |weights: &str, chain: &str, exclusions: &str| {
            let chains = format!("chains: {{SEQ: {chain}}}\n{exclusions}");
            let profile = chained(weights, "NONE: 1, SEQ: 1", &chains);
            [MOST_TRIED, 1].map(|most| found(&profile, most)[op(&profile, "EraseB").index()])
        };
        let (both, no_head) = ("EraseA: 0.5, Status: 0.5", never(Reason::NoHead));
        let draws_b = "{steps: [ERASE], name_weights: {ERASE: {EraseB: 1}}}";
        assert_eq!(of(both, draws_b, ""), [Verdict::Reachable, Verdict::Undecided]);
        // Nothing is ever read, so nothing can be put out: each status read stands alone.
        let never_runs = "{steps: [ERASE, OUT], name_weights: {ERASE: {EraseB: 1}}}";
        assert_eq!(of(both, never_runs, ""), [no_head, Verdict::Undecided]);
        // A state rules out what begins the chain.
        let no_status = "exclusion_groups: {st: [STATUS]}\nexclusions: {state: {NOT_PROGRAM_SUSPENDED: [st]}}\n";
        assert_eq!(of(both, draws_b, no_status), [no_head; 2]);
        // Its weight is 0.
        assert_eq!(of("EraseA: 1", draws_b, ""), [no_head; 2]);
        let draws_a = "{steps: [ERASE], name_weights: {ERASE: {EraseA: 1}}}";
        assert_eq!(of(both, draws_a, ""), [never(Reason::NoWeight); 2]);
        // The class of the step never runs.
        let no_erase = "exclusion_groups: {er: [ERASE]}\nexclusions: {state: {NOT_PROGRAM_SUSPENDED: [er]}}\n";
        assert_eq!(of(both, draws_b, no_erase), [no_head; 2]);
    }

    #[test]
    fn a_chain_whose_step_has_no_erased_block_does_not_begin() {
        let chains = "chains: {SEQ: {steps: [PROG]}}\n";
        let profile = chained("EraseA: 0.5, Status: 0.5", "NONE: 1, SEQ: 1", chains);
        assert_eq!(found(&profile, MOST_TRIED)[op(&profile, "Program").index()], Verdict::Reachable);
        // No block is erased.
        let profile = chained("Status: 0.5", "NONE: 1, SEQ: 1", chains);
        assert!(matches!(found(&profile, MOST_TRIED)[op(&profile, "Program").index()], Verdict::Unreachable(_)));
    }

    #[test]
    fn a_weight_under_a_key_that_states_keep_from_coming_up_lets_nothing_start() {
        let profile = device("EraseA: 0.5, Program: 0.5", NOTHING_PROGRAMS);
        let (erase, like) = (op(&profile, "EraseA"), op(&profile, "EraseB"));
        let default = vec![(erase, 0.5), (op(&profile, "Program"), 0.5)];
        let table = [(PhaseKey::DEFAULT, default), (key(&profile, "PROG.END"), vec![(like, 1.0)])];
        assert_eq!(never_provided(&profile, &table, Start::default())[like.index()], None);
        for most in [MOST_TRIED, 1] {
            let found = within(|| Model::new(&profile, &table, Start::default()), &[like], (most, MOST_TRIED));
            assert_eq!(found, [never(Reason::NoHook)], "{most}");
        }
    }

    #[test]
    fn a_chain_whose_head_no_hook_proposes_does_not_begin() {
        let more = "bootstrap: {erase_blocks: 2, program_blocks: 1, read_blocks: 1}\n\
                    chains: {SEQ: {steps: [ERASE], name_weights: {ERASE: {EraseB: 1}}}}\n";
        let profile = chained("Program: 1", "NONE: 1, SEQ: 1", more);
        let (program, status, erase) = (op(&profile, "Program"), op(&profile, "Status"), op(&profile, "EraseB"));
        // The last erase of the bootstrap is busy when the table is in force. What starts there begins chains, which erase again.
        let cases = [
            ("OUT.END", never(Reason::NoHead)),
            ("ERASE.CORE_BUSY", Verdict::Reachable),
            ("PROG.END", Verdict::Reachable),
        ];
        for (under, expected) in cases {
            let default = (PhaseKey::DEFAULT, vec![(program, 1.0)]);
            let table = [default, (key(&profile, under), vec![(status, 1.0)])];
            let start = Start { bootstrap: true, ..Start::default() };
            assert_eq!(
                within(|| Model::new(&profile, &table, start), &[erase], (MOST_TRIED, MOST_TRIED)),
                [expected],
                "{under}"
            );
        }
    }
}
