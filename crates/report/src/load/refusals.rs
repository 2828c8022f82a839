//! Reads the proposer log: the outcomes of proposals.
//!
//! The log has two forms, which its header tells apart. A log of another form (another tool's) counts as no log. A log may be far
//! larger than the tables, so it is summed up while it is read.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, BufRead};

use nandseq_input::MAX_LINE;
use nandseq_input::table::{Line, next_line};
use nandseq_profile::{OpId, PhaseKey, Profile};

/// The word for the outcome of a proposal that started.
const ACCEPTED: &str = "accepted";

/// How often proposals of an operation under a phase key had one outcome.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// The phase key whose distribution was used.
    pub key: PhaseKey,
    /// The operation.
    pub op: OpId,
    /// Why it was refused; `None` if it was accepted.
    pub reason: Option<String>,
    /// How often.
    pub count: u64,
}

/// Reads a log. Lines that cannot be understood are left out.
pub(super) fn read(profile: &Profile, mut log: impl BufRead) -> io::Result<Vec<Outcome>> {
    let keys: HashMap<&str, PhaseKey> = profile.phase_keys.iter_ids().map(|(id, key)| (&*key.name, id)).collect();
    let ops: HashMap<&str, OpId> = profile.ops.iter_ids().map(|(id, op)| (&*op.name, id)).collect();
    let mut sums: BTreeMap<(PhaseKey, OpId, String), u64> = BTreeMap::new();
    let mut columns: Option<[Option<usize>; 4]> = None;
    let mut bytes = Vec::new();
    loop {
        match next_line(&mut log, &mut bytes, MAX_LINE)? {
            Line::Read => {}
            Line::TooLong if columns.is_some() => continue,
            Line::TooLong | Line::End => break,
        }
        let Ok(line) = str::from_utf8(&bytes) else { continue };
        let fields: Vec<&str> = line.split('\t').collect();
        let Some([key, op, outcome, count]) = columns else {
            let column = |names: &[&str]| fields.iter().position(|field| names.contains(field));
            let found = [
                column(&["phase_key", "phase_key_used"]),
                column(&["op_name"]),
                column(&["outcome"]),
                column(&["count"]),
            ];
            if found[..3].contains(&None) {
                break;
            }
            columns = Some(found);
            continue;
        };
        let field = |at: Option<usize>| at.and_then(|at| fields.get(at).copied());
        let count = count.map_or(Some(1), |at| fields.get(at).and_then(|text| text.parse().ok()));
        let ids = (field(key).and_then(|name| keys.get(name)), field(op).and_then(|name| ops.get(name)));
        if let ((Some(&key), Some(&op)), Some(outcome), Some(count)) = (ids, field(outcome), count) {
            let sum = sums.entry((key, op, outcome.to_owned())).or_default();
            *sum = sum.saturating_add(count);
        }
    }
    let outcome = |((key, op, outcome), count): ((PhaseKey, OpId, String), u64)| Outcome {
        key,
        op,
        reason: Some(outcome).filter(|outcome| outcome != ACCEPTED),
        count,
    };
    Ok(sums.into_iter().map(outcome).collect())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]
    use super::*;
    use nandseq_profile::builtin;

    fn of(text: &str) -> Vec<(String, u64)> {
        let profile = builtin::profile();
        let outcomes = read(&profile, text.as_bytes()).unwrap();
        outcomes.into_iter().map(|one| (one.reason.unwrap_or_default(), one.count)).collect()
    }

    #[test]
    fn both_forms_of_the_log_are_summed_up() {
        let summary = "phase_key\top_name\toutcome\tcount\nDEFAULT\tBlock_Erase_SLC\taccepted\t3\n\
                       DEFAULT\tBlock_Erase_SLC\tno_address\t4\nNOWHERE\tBlock_Erase_SLC\tno_address\t4\n";
        assert_eq!(of(summary), [(String::new(), 3), ("no_address".to_owned(), 4)]);
        let full = "propose_time\tdie\tplane\tphase_key_used\tphase_key_virtual\top_name\toutcome\top_uid\tstart\n\
                    0\t0\t0\tDEFAULT\tDEFAULT\tBlock_Erase_SLC\tbus_window\t\t\n\
                    1\t0\t0\tDEFAULT\tDEFAULT\tBlock_Erase_SLC\tbus_window\t\t\n";
        assert_eq!(of(full), [("bus_window".to_owned(), 2)]);
    }

    #[test]
    fn a_line_that_is_endless_or_no_text_is_left_out() {
        let profile = builtin::profile();
        let (header, row) = ("phase_key\top_name\toutcome\tcount\n", "DEFAULT\tBlock_Erase_SLC\tno_address\t4\n");
        let endless = vec![b'x'; 3 * MAX_LINE];
        let text = [header.as_bytes(), b"\xff\n", &endless, b"\n", row.as_bytes()].concat();
        assert_eq!(read(&profile, &*text).unwrap().len(), 1);
        assert_eq!(read(&profile, &*[&*endless, b"\n", header.as_bytes(), row.as_bytes()].concat()).unwrap(), []);
    }

    #[test]
    fn a_log_of_another_form_is_no_log() {
        assert_eq!(of("# proposer debug log\n[proposer] phase_key: now=0.000\n"), []);
        assert_eq!(of(""), []);
    }
}
