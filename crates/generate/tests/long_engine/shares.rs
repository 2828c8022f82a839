//! Shares of what starts, over many mixes and devices: each is reached or the reason is told, within the rules.

use std::collections::BTreeMap;
use std::io;

use crate::random_plans::random_mix;
use crate::share_mix::{operations, setup, shares};
use crate::vary::vary;
use nandseq_generate::{ShareReached, ShareShortfall, Site};
use nandseq_plan::model::MixShare;
use nandseq_profile::{Profile, builtin};
use nandseq_trace::{Operation, Sink};
use nandseq_verify::Verifier;

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
        // These start only while every die is idle.
        (&[("ETC", 300_000)], &[1, 2, 4]),
        (&[("CAMREAD", 100_000)], &[2]),
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

/// How often each reason was told for the shares of some drawn mixes.
fn reasons(numbers: impl Iterator<Item = u64>) -> BTreeMap<Option<ShareShortfall>, u64> {
    let mut found = BTreeMap::new();
    for number in numbers {
        let profile =
            if number % 3 == 0 { with_dies(1 + number as u32 % 4) } else { vary(&builtin::profile(), number) };
        let (reached, ops) = reached(&profile, &random_mix(&profile, number), number);
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
