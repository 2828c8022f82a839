//! Planted faults.

use nandseq_device::Tables;
use nandseq_profile::{Profile, Ticks};
use nandseq_shrink::{KeptOperation, LegalSequence, SequenceHistory, record};
use nandseq_verify::Verifier;

use crate::searches::{Kind, kind};

/// Says of a sequence whether it fails.
pub(crate) type Fault = dyn Fn(&Tables, &[KeptOperation]) -> bool;

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
