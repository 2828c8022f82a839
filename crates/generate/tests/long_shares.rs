//! Shares of what starts, over many mixes and devices: each is reached or the reason is told, within the rules.

#[path = "support/mix.rs"]
mod mix;
mod support;

use std::collections::BTreeMap;
use std::io;

use mix::{operations, setup, shares};
use nandseq_generate::{RandomNumbers, ShareReached, ShareShortfall, Site, TableStream};
use nandseq_plan::model::{MixShare, WHOLE};
use nandseq_profile::{BaseId, OpId, Profile, builtin};
use nandseq_trace::{Operation, Sink};
use nandseq_verify::Verifier;
use support::vary;

/// Hands what starts to the verifier.
struct Judged<'p>(Verifier<'p>);

impl Sink for Judged<'_> {
    fn operation(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        self.0.operation(operation);
        Ok(())
    }
}

/// The built-in device with another number of dies.
fn with_dies(dies: u32) -> Profile {
    let mut profile = builtin::profile();
    profile.topology.dies = dies;
    profile
}

/// What a site reaches in 20,000 operations, with the number of operations; the verifier finds nothing.
fn reached(profile: &Profile, mix: &[MixShare], seed: u64) -> (Vec<ShareReached>, u64) {
    let Some(setup) = setup(profile, mix) else { return (Vec::new(), 0) };
    let mut site = Site::new(&setup, seed);
    let mut judged = Judged(Verifier::new(profile, &[]));
    let summary = site.run(&operations(20_000), &mut judged).expect("memory does not fail");
    judged.0.end_of_file();
    assert!(judged.0.is_clean(), "{}: {mix:?}", profile.name);
    (site.shares(), summary.ops)
}

#[test]
fn shares_that_can_be_reached_are_within_a_point_after_20_000_operations() {
    let mut missed = Vec::new();
    for (wanted, dies) in [
        (&[("READ", 100_000), ("ERASE", 10_000)][..], &[1, 2, 16][..]),
        (&[("SR", 800_000)], &[1, 16]),
        (&[("SR", 10_000)], &[1, 2]),
        (&[("READ", 100_000), ("SR", 100_000), ("ERASE", 20_000)], &[2]),
    ] {
        for &dies in dies {
            let profile = with_dies(dies);
            let (reached, ops) = reached(&profile, &shares(&profile, wanted), 7);
            assert!(ops >= 20_000 && reached.len() == wanted.len());
            missed
                .extend(reached.into_iter().filter(|share| share.reason.is_some()).map(|share| (dies, wanted, share)));
        }
    }
    assert!(missed.is_empty(), "{missed:?}");
}

#[test]
fn shares_that_cannot_be_reached_have_the_right_reason() {
    let profile = builtin::profile();
    for (wanted, reasons) in [
        // Each read forces its data output.
        (&[("READ", 900_000)][..], &[Some(ShareShortfall::ForcedSteps)][..]),
        // NOP proposes nothing.
        (&[("NOP", 100_000), ("SR", 200_000)], &[Some(ShareShortfall::NoWeight), None]),
    ] {
        let (reached, _) = reached(&profile, &shares(&profile, wanted), 7);
        let told: Vec<_> = reached.iter().map(|share| share.reason.clone()).collect();
        assert_eq!(told, reasons, "{wanted:?}: {reached:?}");
    }
}

/// A mix of some bases, drawn by a number.
fn drawn(profile: &Profile, number: u64) -> Vec<MixShare> {
    let mut dice = TableStream::new([0x6d69_7865, 0], number);
    let mut left: Vec<BaseId> = profile.bases.ids().collect();
    let (mut mix, mut rest) = (Vec::new(), WHOLE);
    for _ in 0..=dice.below(4) {
        let base = left.swap_remove(dice.below(left.len() as u64) as usize);
        let share = [10_000, 50_000, 100_000, 250_000, 600_000][dice.below(5) as usize].min(rest);
        let ops: Vec<OpId> = profile.ops.ids().filter(|&op| profile.ops[op].base == base).collect();
        if share > 0 && !ops.is_empty() {
            mix.push(MixShare { name: profile.bases[base].name.clone(), ops, share });
            rest -= share;
        }
    }
    mix
}

/// How often each reason was told for the shares of some drawn mixes.
fn reasons(numbers: impl Iterator<Item = u64>) -> BTreeMap<Option<ShareShortfall>, u64> {
    let mut found = BTreeMap::new();
    for number in numbers {
        let profile =
            if number % 3 == 0 { with_dies(1 + number as u32 % 4) } else { vary(&builtin::profile(), number) };
        let (reached, ops) = reached(&profile, &drawn(&profile, number), number);
        for share in reached {
            let miss = share.wanted.abs_diff(share.reached);
            assert_eq!(share.reason.is_some(), miss > 10_000, "{number}: {share:?}");
            // What has settled is not told to be too short.
            assert!(ops < 20_000 || share.reason != Some(ShareShortfall::TooShort), "{number}: {share:?}");
            *found.entry(share.reason).or_default() += 1;
        }
    }
    found
}

#[test]
fn every_share_of_thirty_mixes_is_reached_or_the_reason_is_told() {
    let (mut found, odd) = std::thread::scope(|threads| {
        let odd = threads.spawn(|| reasons((1..30).step_by(2)));
        (reasons((0..30).step_by(2)), odd.join().expect("a thread that ends"))
    });
    for (reason, count) in odd {
        *found.entry(reason).or_default() += count;
    }
    assert!(found[&None] >= 20 && found.len() > 4, "{found:?}");
}
