//! Why operations can never start, also on a device with more states than can be searched.

use nandseq_profile::{OpId, PhaseKey, Profile};

use crate::causes::Causes;
use crate::explore::MOST_TRIED;
use crate::model::{Model, Start, Watched};
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
    let verdicts = |watched, most, ops: &[OpId]| -> Vec<Verdict> {
        let search = Search::within(model().watching(watched), most);
        let causes = Causes::new(&search, ops);
        ops.iter().map(|&op| causes.at_all(op)).collect()
    };
    let mut found = verdicts(Watched::All, most, ops);
    for part in [Watched::Dies, Watched::Planes] {
        let open: Vec<usize> = (0..ops.len()).filter(|&at| found[at] == Verdict::Undecided).collect();
        if open.is_empty() {
            break;
        }
        let asked: Vec<OpId> = open.iter().map(|&at| ops[at]).collect();
        for (at, verdict) in open.into_iter().zip(verdicts(part, MOST_TRIED, &asked)) {
            if let Verdict::Unreachable(_) = verdict {
                found[at] = verdict;
            }
        }
    }
    let reason = |verdict: Verdict| match verdict {
        Verdict::Reachable | Verdict::Coincidence | Verdict::Undecided => None,
        Verdict::Unreachable(reason) => Some(reason),
    };
    found.into_iter().map(reason).collect()
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
                assert!(matches!(whole[op(&profile, name).index()], Some(Reason::State(_))), "{whole:?}");
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
