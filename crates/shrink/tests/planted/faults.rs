//! Planted faults, and searches with them.

use nandseq_device::Tables;
use nandseq_profile::{Profile, Ticks};
use nandseq_shrink::{KeptOperation, LegalSequence, NextRound, SequenceHistory, Shrinker, TryCounts, record};
use nandseq_verify::Verifier;

/// Says of a sequence whether it fails.
pub(crate) type Fault = dyn Fn(&Tables, &[KeptOperation]) -> bool;

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

/// Operations of these kinds on one die, in this order, each within a gap after the one before it.
pub(crate) fn in_order(kinds: &'static [Kind], gap_us: u64) -> Box<Fault> {
    let triggers = triggers(kinds, gap_us);
    Box::new(move |tables, all| triggers(tables, all) > 0)
}

/// How many operations are the last of such a row.
pub(crate) fn triggers(kinds: &'static [Kind], gap_us: u64) -> impl Fn(&Tables, &[KeptOperation]) -> usize {
    move |tables, all| {
        let gap = Ticks::from_us(gap_us);
        let follows = |one: &KeptOperation, other: &KeptOperation| {
            one.place.die == other.place.die && other.start > one.start && other.start - one.start <= gap
        };
        let mut ends: Vec<&KeptOperation> = all.iter().filter(|kept| kind(tables, kept) == kinds[0]).collect();
        for wanted in &kinds[1..] {
            let next = all.iter().filter(|kept| kind(tables, kept) == *wanted);
            ends = next.filter(|kept| ends.iter().any(|end| follows(end, kept))).collect();
        }
        ends.len()
    }
}

/// A read of a block group of a die.
pub(crate) fn read_of_group(die: u8, group: u32) -> Box<Fault> {
    Box::new(move |tables, all| {
        let is_there = |kept: &KeptOperation| kept.place.die.0 == die && kept.place.group == group;
        all.iter().any(|kept| kind(tables, kept) == Kind::Read && is_there(kept))
    })
}

/// A program of a block that was erased this many times.
pub(crate) fn worn(erases: usize) -> Box<Fault> {
    Box::new(move |tables, all| {
        let block = |kept: &KeptOperation| {
            let planes = kept.place.planes.iter().map(|plane| plane.0).collect::<Vec<_>>();
            planes.into_iter().map(|plane| (kept.place.die.0, kept.place.group, plane)).collect::<Vec<_>>()
        };
        all.iter().enumerate().any(|(at, program)| {
            let is_worn = |of: &(u8, u32, u8)| {
                let before = all[..at].iter().filter(|kept| kind(tables, kept) == Kind::Erase);
                before.filter(|kept| block(kept).contains(of)).count() >= erases
            };
            kind(tables, program) == Kind::Program && block(program).iter().any(is_worn)
        })
    })
}

/// Whether the verifier finds nothing wrong with a sequence.
pub(crate) fn is_legal(profile: &Profile, history: &SequenceHistory<'_>, sequence: &LegalSequence) -> bool {
    let mut verifier = Verifier::new(profile, &[]);
    record(profile, history, &sequence.operations, &mut verifier).unwrap();
    if !verifier.is_clean() {
        let findings = verifier.findings().iter().take(2).map(|finding| format!("{finding:?}"));
        panic!("{}", findings.collect::<Vec<_>>().join("\n"));
    }
    true
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
