//! Searches, and the kinds of operation that faults tell apart.

use nandseq_device::Tables;
use nandseq_shrink::{KeptOperation, LegalSequence, NextRound, Shrinker, TryCounts};

/// The kinds of operation that planted faults tell apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Erase,
    Program,
    Read,
    Other,
}

pub(crate) fn kind(tables: &Tables, kept: &KeptOperation) -> Kind {
    let effects = &tables.base(tables.op(kept.op).base).effects;
    if effects.erase {
        Kind::Erase
    } else if effects.program && !effects.copyback_source {
        Kind::Program
    } else if effects.fill == Some(false) {
        Kind::Read
    } else {
        Kind::Other
    }
}

/// Carries a search to its end; `None` if the run does not fail.
pub(crate) fn finish(search: &mut Shrinker<'_>, fails: &mut dyn FnMut(&LegalSequence) -> bool) -> Option<()> {
    let repeat = search.rule().repeat;
    loop {
        match search.next_round() {
            NextRound::Done => return Some(()),
            NextRound::NeverFails => return None,
            NextRound::Try(sequences) => {
                assert!((1..=nandseq_shrink::MOST_CANDIDATES).contains(&sequences.len()));
                let answer = |one| {
                    let sequence = search.carried_out(one);
                    let fails = (0..repeat).map(|_| u64::from(fails(&sequence))).sum();
                    TryCounts { tries: repeat, fails }
                };
                let answers: Vec<TryCounts> = sequences.iter().map(answer).collect();
                search.answer(&answers);
            }
        }
    }
}
