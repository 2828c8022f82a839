//! Why operations can never start, also on a device with more states than can be searched.

use nandseq_profile::{BaseId, OpId, PhaseKey, Profile};

use crate::causes::Causes;
use crate::explore::MOST_TRIED;
use crate::judge::{HookContext, PlaneRun};
use crate::model::{Model, SearchedStates, Start};
use crate::reason::Reason;
use crate::search::Search;
use crate::verdict::Verdict;

/// For each of some operations the reason why it can never start; `None` if it can.
///
/// If the device has too many states for a search of all of them, those of its die and those of a plane are searched by
/// themselves. Each of the two allows more than both together: what one of them does not reach never starts. Such a search keeps to
/// the same limit; what it leaves open counts as able to start.
#[must_use]
pub fn why_never(
    profile: &Profile,
    table: &[(PhaseKey, Vec<(OpId, f64)>)],
    start: Start<'_>,
    ops: &[OpId],
) -> Vec<Option<Reason>> {
    within(|| Model::new(profile, table, start), ops, MOST_TRIED)
}

/// As [`why_never`], with this limit of operations for the search of all states.
fn within<'p>(model: impl Fn() -> Model<'p>, ops: &[OpId], most: u64) -> Vec<Option<Reason>> {
    let mut found = {
        let search = Search::within(model(), most);
        let causes = Causes::new(&search, ops);
        ops.iter().map(|&op| causes.at_all(op)).collect::<Vec<_>>()
    };
    for part in [SearchedStates::Dies, SearchedStates::Planes] {
        let is_open = |verdict: &Verdict| *verdict == Verdict::Undecided;
        if !found.iter().any(is_open) {
            break;
        }
        let search = Search::within(model().watching(part), MOST_TRIED);
        for (verdict, &op) in found.iter_mut().zip(ops).filter(|(verdict, _)| is_open(verdict)) {
            *verdict = in_part(&search, op).map_or(Verdict::Undecided, Verdict::Unreachable);
        }
    }
    let reason = |verdict: Verdict| match verdict {
        Verdict::Reachable | Verdict::Coincidence | Verdict::Undecided => None,
        Verdict::Unreachable(reason) => Some(reason),
    };
    found.into_iter().map(reason).collect()
}

/// Why an operation never starts, by a search of some states only; `None` if that does not say.
fn in_part(search: &Search<'_>, op: OpId) -> Option<Reason> {
    let (model, class) = (&search.model, search.model.of_op[op.index()]);
    if search.can_run(op) {
        let runs = |base: BaseId| model.of_base[base.index()].iter().any(|&of| search.graph.runs[usize::from(of)]);
        let keys = model.profile.phase_keys.iter().zip(&model.shares).filter(|(_, names)| names.contains(&op));
        let comes_up = keys.into_iter().any(|(key, _)| key.base.is_none_or(runs));
        let is_drawn = comes_up || model.class(class).in_bootstrap || !Causes::new(search, &[]).steps_of(op).is_empty();
        return (!is_drawn).then_some(Reason::NoHook);
    }
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
    use crate::sample::{device, op, table};

    fn never(profile: &Profile, most: u64) -> Vec<Option<Reason>> {
        let ops: Vec<OpId> = profile.ops.ids().collect();
        within(|| Model::new(profile, table(profile), Start::default()), &ops, most)
    }

    #[test]
    fn an_operation_without_a_weight_of_its_own_never_starts_although_its_like_does() {
        let profile = device("EraseA: 0.5, Read: 0.4", "");
        let never = never(&profile, MOST_TRIED);
        assert_eq!(never[op(&profile, "EraseA").index()], None);
        assert_eq!(never[op(&profile, "EraseB").index()], Some(Reason::NoWeight));
        assert_eq!(never[op(&profile, "Read").index()], Some(Reason::CellType));
    }

    #[test]
    fn a_device_with_too_many_states_is_searched_in_parts() {
        let nothing_programs = "exclusion_groups: {pg: [PROG]}\nexclusions: {state: {NOT_PROGRAM_SUSPENDED: [pg]}}\n";
        let nothing_puts_out = "exclusion_groups: {out: [OUT]}\nexclusions: {state: {LATCH_ON_READ: [out]}}\n";
        for (sections, name) in [("", None), (nothing_programs, Some("Program")), (nothing_puts_out, Some("Out"))] {
            let profile = device("EraseA: 0.4, Program: 0.2, Read: 0.2, Out: 0.1, Status: 0.1", sections);
            let whole = never(&profile, MOST_TRIED);
            assert_eq!(never(&profile, 1), whole, "{sections}");
            if let Some(name) = name {
                assert!(whole[op(&profile, name).index()].is_some(), "{name}: {whole:?}");
            }
            assert_eq!(whole[op(&profile, "EraseA").index()], None);
        }
    }

    #[test]
    fn what_a_part_of_the_states_rules_out_all_of_them_do() {
        let profile = nandseq_profile::builtin::profile();
        let ops: Vec<OpId> = profile.ops.ids().collect();
        // A third of the names under every key, so that much never starts.
        let under_default: Vec<(OpId, f64)> = ops.iter().step_by(3).map(|&op| (op, 1.0)).collect();
        let table = [(PhaseKey::DEFAULT, under_default)];
        let never = |most| within(|| Model::new(&profile, &table, Start::default()), &ops, most);
        let (whole, parts) = (never(MOST_TRIED), never(1));
        assert!(parts.iter().any(Option::is_some) && whole.iter().any(Option::is_none));
        for (at, op) in profile.ops.iter().enumerate() {
            assert!(parts[at].is_none() || whole[at].is_some(), "{}: {:?}", op.name, parts[at]);
        }
    }
}
