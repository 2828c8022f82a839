//! Faults planted in small campaigns, and what the diagnosis says of them.
#![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]

mod campaign;
mod random_faults;

use std::sync::LazyLock;

use campaign::{CampaignShape, PlantedCampaign, PlantedFault, PlantedRow, before};
use nandseq_diagnose::{
    ConfirmingPlan, DiagnoseOptions, Diagnosis, DiagnosisKind, Metric, RunOutcome, confirming_plan, diagnose, text,
};
use nandseq_profile::SourceFile;
use random_faults::RandomFaults;

static CAMPAIGN: LazyLock<PlantedCampaign> =
    LazyLock::new(|| PlantedCampaign::new(CampaignShape { sites: 12, runs: 3, us: 40_000, blocks: 4080 }));
/// The same device with few good blocks, which are erased again and again.
static WORN: LazyLock<PlantedCampaign> =
    LazyLock::new(|| PlantedCampaign::new(CampaignShape { sites: 12, runs: 3, us: 40_000, blocks: 16 }));

const US: u64 = 1_000_000;
/// The number of faults that are drawn.
const FAULTS: u64 = 50;

fn diagnosed(
    campaign: &PlantedCampaign,
    is_hit: &dyn Fn(usize, &[PlantedRow], usize) -> bool,
    probability: u64,
) -> Diagnosis {
    let outcomes = campaign.play(&PlantedFault { is_hit, probability, noise: 10_000, seed: 5 });
    campaign.diagnose(&outcomes, Metric::Ochiai)
}

/// The first suspect.
fn first(diagnosis: &Diagnosis) -> &str {
    diagnosis.suspects.first().map_or("", |suspect| &suspect.what)
}

#[test]
fn a_pair_within_a_gap_on_a_die_is_found() {
    let (read, status) = (CAMPAIGN.base("READ"), CAMPAIGN.base("SR"));
    let is_hit =
        |_: usize, rows: &[PlantedRow], at: usize| rows[at].base == status && before(rows, at, read, 60 * US).is_some();
    let diagnosis = diagnosed(&CAMPAIGN, &is_hit, 600_000);
    let what = first(&diagnosis);
    assert_eq!(diagnosis.kind, DiagnosisKind::Combination);
    assert!(what.starts_with("SR, after READ "), "{}", text(&diagnosis));
}

/// Data is put out so often that the last output before an operation is mostly nearer than the least distance.
#[test]
fn a_least_distance_is_named_and_equivalent_suspects_are_one_line() {
    let (output, status) = (CAMPAIGN.base("DOUT"), CAMPAIGN.base("SR"));
    let is_hit = |_: usize, rows: &[PlantedRow], at: usize| {
        let is_first = |one: &PlantedRow| {
            let gap = rows[at].time - one.time;
            one.base == output && one.die == rows[at].die && (200 * US..=500 * US).contains(&gap)
        };
        rows[at].base == status && rows[..at].iter().any(is_first)
    };
    let diagnosis = diagnosed(&CAMPAIGN, &is_hit, 600_000);
    let told = text(&diagnosis);
    assert_eq!(first(&diagnosis), "SR, after DOUT on the die, 200 µs to 500 µs after its start", "{told}");
    // From the end the distances are about the same: that is no suspect of its own.
    let equivalents = &diagnosis.suspects[0].also_explains;
    assert!(equivalents.iter().any(|one| one.ends_with("after its end")), "{told}");
    for (at, one) in diagnosis.suspects.iter().enumerate() {
        let others = diagnosis.suspects[..at].iter();
        assert!(others.clone().all(|other| other.operations != one.operations), "{told}");
        assert!(others.flat_map(|other| &other.also_explains).all(|other| *other != one.what), "{told}");
    }
}

#[test]
fn a_bad_site_is_told_from_a_bad_combination() {
    let is_hit = |site: usize, rows: &[PlantedRow], at: usize| site == 4 && at == rows.len() / 2 + site;
    let outcomes = CAMPAIGN.play(&PlantedFault { is_hit: &is_hit, probability: 1_000_000, noise: 0, seed: 5 });
    let diagnosis = CAMPAIGN.diagnose(&outcomes, Metric::Ochiai);
    let what = first(&diagnosis);
    assert_eq!(diagnosis.kind, DiagnosisKind::Place);
    assert_eq!(what, "any operation, site 5");
}

#[test]
fn a_bad_block_is_told_from_a_bad_combination() {
    let is_hit = |_: usize, rows: &[PlantedRow], at: usize| rows[at].die == 1 && rows[at].blocks.contains(&6);
    let diagnosis = diagnosed(&WORN, &is_hit, 300_000);
    let verdict = "a bad block, not a bad combination: die 1 block 6, whatever happens there";
    assert_eq!(diagnosis.verdict, verdict, "{}", text(&diagnosis));
    assert_eq!(diagnosis.kind, DiagnosisKind::Place);
}

#[test]
fn wear_is_found_by_the_erases_of_the_block() {
    let erase = WORN.base("ERASE");
    let is_hit = |_: usize, rows: &[PlantedRow], at: usize| rows[at].base == erase && rows[at].erases >= 2;
    let diagnosis = diagnosed(&WORN, &is_hit, 300_000);
    let what = first(&diagnosis);
    assert!(what.starts_with("ERASE, block erased "), "{}", text(&diagnosis));
}

#[test]
fn without_fails_there_is_no_suspect() {
    let outcomes = vec![vec![RunOutcome::Passed; 3]; 12];
    let diagnosis = CAMPAIGN.diagnose(&outcomes, Metric::Ochiai);
    assert_eq!((diagnosis.kind, diagnosis.suspects.len()), (DiagnosisKind::Nothing, 0));
}

#[test]
#[ignore = "some minutes in a release build: cargo test --release --workspace --locked --test planted -- --ignored"]
fn faults_drawn_at_random_rank_first() {
    let campaign = PlantedCampaign::new(CampaignShape { sites: 16, runs: 4, us: 60_000, blocks: 64 });
    let faults = RandomFaults::new(&campaign);
    let (mut ranks, mut told) = (Vec::new(), String::new());
    for number in 0..FAULTS {
        let fault = faults.draw(number);
        let is_hit = |_: usize, rows: &[PlantedRow], at: usize| fault.when.is_hit(rows, at);
        let outcomes = campaign.play(&PlantedFault {
            is_hit: &is_hit,
            probability: fault.probability,
            noise: 10_000,
            seed: number,
        });
        let diagnosis = campaign.diagnose(&outcomes, Metric::Ochiai);
        let rank = faults.rank(&fault, &diagnosis);
        told += &format!("== {number}, rank {rank:?}: {}\n{}", faults.text(&fault), text(&diagnosis));
        ranks.push(rank);
    }
    let at_most = |most: usize| ranks.iter().filter(|rank| rank.is_some_and(|rank| rank <= most)).count();
    let summary = format!("first {}, among three {}, of {}", at_most(1), at_most(3), ranks.len());
    assert!(at_most(1) * 10 >= ranks.len() * 9, "{summary}\n{told}");
}

#[test]
fn every_first_suspect_gets_a_plan_that_can_be_read() {
    let base = |name: &str| CAMPAIGN.base(name);
    let (read, dout, status, erase) = (base("READ"), base("DOUT"), base("SR"), base("ERASE"));
    let is_hit = |_: usize, rows: &[PlantedRow], at: usize| {
        let middle = before(rows, at, dout, 100 * US).filter(|_| rows[at].base == status);
        rows[at].base == erase && rows[at].blocks[0] < 500
            || middle.is_some_and(|middle| before(rows, middle, read, 100 * US).is_some())
    };
    let outcomes = CAMPAIGN.play(&PlantedFault { is_hit: &is_hit, probability: 700_000, noise: 0, seed: 3 });
    let diagnosis = CAMPAIGN.diagnose(&outcomes, Metric::Dstar);
    let outcome = |site: usize, run: u64| outcomes[site][run as usize - 1].clone();
    let runs = CAMPAIGN.tested(&outcome);
    let mut plans = 0;
    for suspect in &diagnosis.suspects {
        let ConfirmingPlan::Plan { text, .. } = confirming_plan(&runs, suspect) else { continue };
        let (plan, diagnostics) = nandseq_plan::read(&SourceFile::new("plan.yaml", &*text), &CAMPAIGN.profile, &[]);
        let told: Vec<String> = diagnostics.iter().map(|one| format!("{one:?}")).collect();
        let plan = plan.unwrap_or_else(|| panic!("{}\n{text}\n{}", suspect.what, told.join("\n")));
        assert_eq!(plan.phases.len(), 2, "{text}");
        plans += 1;
    }
    assert!(plans > 0, "{}", text(&diagnosis));
}

#[test]
fn the_same_runs_give_the_same_diagnosis() {
    let (erase, read) = (WORN.base("ERASE"), WORN.base("READ"));
    let is_hit = |_: usize, rows: &[PlantedRow], at: usize| {
        rows[at].base == read && before(rows, at, erase, 5_000 * US).is_some()
    };
    let outcomes = WORN.play(&PlantedFault { is_hit: &is_hit, probability: 400_000, noise: 10_000, seed: 1 });
    let [one, other] = [(); 2].map(|()| WORN.diagnose(&outcomes, Metric::Tarantula));
    assert_eq!(text(&one), text(&other));
    assert_eq!(one, other);
    for suspect in &one.suspects {
        let [low, high] = suspect.interval;
        assert!(low <= suspect.score && suspect.score <= high, "{suspect:?}");
        assert!(suspect.operations.fails <= one.compared.fails);
    }
}

#[test]
fn a_failing_operation_that_is_not_in_its_run_is_refused() {
    let mut outcomes = vec![vec![RunOutcome::Passed; 3]; 12];
    outcomes[2][1] = RunOutcome::Failed(vec![9_999_999]);
    let outcome = |site: usize, run: u64| outcomes[site][run as usize - 1].clone();
    let error = diagnose(&CAMPAIGN.tested(&outcome), DiagnoseOptions::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "run 2 of site 3 has no operation with the op_uid 9999999 at which it is said to fail"
    );
}
