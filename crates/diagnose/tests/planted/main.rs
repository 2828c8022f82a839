//! Faults planted in small campaigns, and what the diagnosis says of them.
#![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]

mod campaign;

use std::sync::LazyLock;

use campaign::{CampaignShape, PlantedCampaign, PlantedFault, PlantedRow, before};
use nandseq_diagnose::{Diagnosis, DiagnosisKind, Metric, RunOutcome, text};

static CAMPAIGN: LazyLock<PlantedCampaign> =
    LazyLock::new(|| PlantedCampaign::new(CampaignShape { sites: 16, runs: 4, us: 60_000, blocks: 4080 }));
/// The same device with few good blocks, which are erased again and again.
static WORN: LazyLock<PlantedCampaign> =
    LazyLock::new(|| PlantedCampaign::new(CampaignShape { sites: 16, runs: 4, us: 60_000, blocks: 16 }));

const US: u64 = 1_000_000;

fn diagnosed(campaign: &PlantedCampaign, is_hit: &dyn Fn(usize, &[PlantedRow], usize) -> bool, probability: u64) -> Diagnosis {
    let outcomes = campaign.play(&PlantedFault { is_hit, probability, noise: 10_000, seed: 5 });
    campaign.diagnose(&outcomes, Metric::Ochiai)
}

/// The first suspect. What was found is shown if the test fails.
fn first(diagnosis: &Diagnosis) -> &str {
    let failing = diagnosis.suspects.first().map_or("", |suspect| &suspect.what);
    eprintln!("{}", text(diagnosis));
    failing
}

#[test]
fn a_pair_within_a_gap_on_a_die_is_found() {
    let (read, status) = (CAMPAIGN.base("READ"), CAMPAIGN.base("SR"));
    let is_hit = |_: usize, rows: &[PlantedRow], at: usize| rows[at].base == status && before(rows, at, read, 60 * US).is_some();
    let diagnosis = diagnosed(&CAMPAIGN, &is_hit, 600_000);
    let what = first(&diagnosis);
    assert_eq!(diagnosis.kind, DiagnosisKind::Combination);
    assert!(what.starts_with("SR, after READ "), "{what}");
}

#[test]
fn a_bad_site_is_told_from_a_bad_combination() {
    let is_hit = |site: usize, rows: &[PlantedRow], at: usize| site == 4 && at == rows.len() / 2 + site;
    let diagnosis = diagnosed(&CAMPAIGN, &is_hit, 1_000_000);
    let what = first(&diagnosis);
    assert_eq!(diagnosis.kind, DiagnosisKind::Place);
    assert_eq!(what, "any operation, site 5");
}

#[test]
fn wear_is_found_by_the_erases_of_the_block() {
    let erase = WORN.base("ERASE");
    let is_hit = |_: usize, rows: &[PlantedRow], at: usize| rows[at].base == erase && rows[at].erases >= 4;
    let diagnosis = diagnosed(&WORN, &is_hit, 300_000);
    let what = first(&diagnosis);
    assert!(what.starts_with("ERASE, block erased "), "{what}");
}

#[test]
fn without_fails_there_is_no_suspect() {
    let outcomes = vec![vec![RunOutcome::Passed; 4]; 16];
    let diagnosis = CAMPAIGN.diagnose(&outcomes, Metric::Ochiai);
    assert_eq!((diagnosis.kind, diagnosis.suspects.len()), (DiagnosisKind::Nothing, 0));
}
