//! Tests of snapshot files.

#![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]
use nandseq_profile::{Ticks, builtin};
use nandseq_trace::Nowhere;

use super::*;
use crate::{RunLimits, Setup, Site, probability};

fn example() -> Snapshot {
    let profile = builtin::profile();
    let setup = Setup::new(&profile, &probability::of_profile(&profile, 1729), &[]).unwrap();
    let mut site = Site::new(&setup, 9);
    let limits = RunLimits { run_until: Ticks::from_us(60_000), ..RunLimits::default() };
    site.run(&limits, &mut Nowhere).unwrap();
    let identity = Identity {
        device: "A device".into(),
        topology: [1, 4, 16, 8],
        profile_sha256: "ab".repeat(32),
        table_sha256: "cd".repeat(32),
        bad_blocks_sha256: "ef".repeat(32),
        plan_sha256: None,
        seed_formula: "sequential".into(),
        seed: 9,
        site: Some(3),
        run_until: 1,
        max_ops: None,
        bootstrap: false,
        coverage: None,
    };
    Snapshot { identity, state: site.state() }
}

#[test]
fn a_snapshot_reads_back_as_it_was() {
    let snapshot = example();
    assert_eq!(Snapshot::from_bytes(&snapshot.to_bytes()), Ok(snapshot.clone()));
    assert_eq!(snapshot.check(&snapshot.identity), Ok(()));
}

#[test]
fn a_snapshot_that_is_cut_anywhere_is_refused() {
    let bytes = example().to_bytes();
    for length in (0..bytes.len() - 2).step_by(97).chain([bytes.len() - 2]) {
        assert!(matches!(Snapshot::from_bytes(&bytes[..length]), Err(SnapshotError::Cut(_))), "{length}");
    }
}

#[test]
fn a_snapshot_with_any_digit_changed_is_refused() {
    let bytes = example().to_bytes();
    let digits = bytes.iter().enumerate().filter(|(_, byte)| byte.is_ascii_digit()).map(|(at, _)| at);
    let mut tried = 0;
    for at in digits.step_by(3) {
        let mut changed = bytes.clone();
        changed[at] = if changed[at] == b'7' { b'6' } else { b'7' };
        assert!(Snapshot::from_bytes(&changed).is_err(), "byte {at}");
        tried += 1;
    }
    assert!(tried > 50, "only {tried} changes");
}

#[test]
fn a_snapshot_says_why_it_is_refused() {
    let snapshot = example();
    let text = String::from_utf8(snapshot.to_bytes()).unwrap();
    let refusal = |text: &str| Snapshot::from_bytes(text.as_bytes()).unwrap_err().to_string();
    let newer = refusal(&text.replacen("\"version\":1", "\"version\":6", 1));
    assert_eq!(newer, "its form is version 6, this program knows version 5: a newer program wrote it");
    let other = refusal(&text.replacen("\"version\":1", "\"version\":2", 1));
    assert_eq!(other, "it was altered: its version is not that of its contents");
    assert_eq!(refusal("{\"format\": \"another\"}"), "it is not a snapshot of nandseqgen");
    let altered = refusal(&text.replacen("\"seed\":9", "\"seed\":8", 1));
    assert_eq!(altered, "it was altered: its checksum is wrong");
    assert!(refusal(&text[..text.len() / 2]).starts_with("it is cut or damaged: "));
}

#[test]
fn a_snapshot_of_anything_else_says_of_what() {
    let snapshot = example();
    let own = &snapshot.identity;
    let others = [
        (IdentityPart::Topology, Identity { topology: [2, 4, 16, 8], ..own.clone() }),
        (IdentityPart::Profile, Identity { profile_sha256: String::new(), ..own.clone() }),
        (IdentityPart::Table, Identity { table_sha256: String::new(), ..own.clone() }),
        (IdentityPart::BadBlocks, Identity { bad_blocks_sha256: String::new(), ..own.clone() }),
        (IdentityPart::Plan, Identity { plan_sha256: Some(Digest::of(b"plan")), ..own.clone() }),
        (IdentityPart::SeedFormula, Identity { seed_formula: "hashed".into(), ..own.clone() }),
        (IdentityPart::Seed, Identity { seed: 10, ..own.clone() }),
        (IdentityPart::Site, Identity { site: None, ..own.clone() }),
        (IdentityPart::RunLength, Identity { run_until: 2, ..own.clone() }),
        (IdentityPart::MaxOps, Identity { max_ops: Some(1), ..own.clone() }),
        (IdentityPart::Bootstrap, Identity { bootstrap: true, ..own.clone() }),
    ];
    for (expected, other) in others {
        match snapshot.check(&other) {
            Err(error @ SnapshotError::Other { what, .. }) => {
                assert_eq!(what, expected);
                assert_eq!(error.is_of_limits(), [IdentityPart::RunLength, IdentityPart::MaxOps].contains(&what));
            }
            wrong => panic!("{expected:?}: {wrong:?}"),
        }
    }
    assert_eq!(snapshot.check(&Identity { device: "Renamed".into(), ..own.clone() }), Ok(()));
}

#[test]
fn a_snapshot_that_counts_other_bins_as_many_is_refused_by_name() {
    let counting = |bins: &str| {
        let bins_sha256 = Digest::of(bins.as_bytes());
        let coverage = Some(CoverageIdentity { directed: true, bins: 2, bins_sha256, until: None });
        let snapshot = example();
        Snapshot { identity: Identity { coverage, ..snapshot.identity }, ..snapshot }
    };
    let (snapshot, other) = (counting("a b"), counting("a c"));
    assert_eq!(snapshot.check(&snapshot.identity), Ok(()));
    let refused = snapshot.check(&other.identity).unwrap_err().to_string();
    assert!(refused.starts_with("it belongs to another choice of bins that count: "), "{refused}");
}
