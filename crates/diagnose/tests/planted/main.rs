//! Faults planted in small campaigns, and what the diagnosis says of them.
#![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]

mod campaign;

use std::sync::LazyLock;

use campaign::{CampaignShape, PlantedCampaign, PlantedFault, PlantedRow, before};
use nandseq_diagnose::{
    ConfirmingPlan, DiagnoseOptions, Diagnosis, DiagnosisKind, Metric, RunOutcome, confirming_plan, diagnose, text,
};
use nandseq_profile::SourceFile;

static CAMPAIGN: LazyLock<PlantedCampaign> =
    LazyLock::new(|| PlantedCampaign::new(CampaignShape { sites: 12, runs: 3, us: 40_000, blocks: 4080 }));
/// The same device with few good blocks, which are erased again and again.
static WORN: LazyLock<PlantedCampaign> =
    LazyLock::new(|| PlantedCampaign::new(CampaignShape { sites: 12, runs: 3, us: 40_000, blocks: 16 }));

const US: u64 = 1_000_000;

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
#[ignore = "a minute in a release build: cargo test --release --workspace --locked --test planted -- --ignored"]
fn the_planted_fault_ranks_first_in_nine_of_ten() {
    let campaign = PlantedCampaign::new(CampaignShape { sites: 24, runs: 4, us: 80_000, blocks: 64 });
    let base = |name: &str| campaign.base(name);
    let (read, dout, status, erase) = (base("READ"), base("DOUT"), base("SR"), base("ERASE"));
    let (program, suspend) = (base("PROGRAM_SLC"), base("PROGRAM_SUSPEND"));
    let (plane_read, feature) = (base("READ4K"), base("SETFEATURE"));
    let pair = |first, second, gap: u64| {
        move |_: usize, rows: &[PlantedRow], at: usize| {
            rows[at].base == second && before(rows, at, first, gap * US).is_some()
        }
    };
    let on_plane = |first, second, gap: u64| {
        move |_: usize, rows: &[PlantedRow], at: usize| {
            let earlier = before(rows, at, first, gap * US);
            rows[at].base == second && earlier.is_some_and(|earlier| rows[earlier].plane == rows[at].plane)
        }
    };
    let triple = |first, second, third, gap: u64| {
        move |_: usize, rows: &[PlantedRow], at: usize| {
            let middle = before(rows, at, second, gap * US).filter(|_| rows[at].base == third);
            middle.is_some_and(|middle| before(rows, middle, first, gap * US).is_some())
        }
    };
    let low_blocks =
        |of, most: i64| move |_: usize, rows: &[PlantedRow], at: usize| rows[at].base == of && rows[at].block < most;
    let worn = |of, least: usize| {
        move |_: usize, rows: &[PlantedRow], at: usize| rows[at].base == of && rows[at].erases >= least
    };
    type Hits<'a> = Box<dyn Fn(usize, &[PlantedRow], usize) -> bool + 'a>;
    let faults: Vec<(&str, Hits<'_>, u64, &[&str])> = vec![
        ("status soon after a read", Box::new(pair(read, status, 40)), 600_000, &["SR, after READ "]),
        ("read after a suspend", Box::new(pair(suspend, read, 300)), 600_000, &["READ, after PROGRAM_SUSPEND "]),
        ("output after a feature", Box::new(pair(feature, dout, 500)), 600_000, &["after Set_Features on the die"]),
        (
            "read after an erase of the plane",
            Box::new(on_plane(erase, read, 3_000)),
            300_000,
            &["READ, after ERASE on the same plane"],
        ),
        (
            "program after a read of the plane",
            Box::new(on_plane(read, program, 2_000)),
            500_000,
            &["PROGRAM_SLC, after READ on the same plane"],
        ),
        (
            "read, output, status",
            Box::new(triple(read, dout, status, 60)),
            600_000,
            &["SR, after ", "that after READ on the die"],
        ),
        (
            "program, suspend, read",
            Box::new(triple(program, suspend, plane_read, 400)),
            500_000,
            &["READ4K, ", "PROGRAM_SLC", "PROGRAM_SUSPEND "],
        ),
        ("low blocks", Box::new(low_blocks(program, 8)), 300_000, &["PROGRAM_SLC, ", "block"]),
        ("worn when erased", Box::new(worn(erase, 3)), 300_000, &["ERASE, block erased "]),
        ("worn when programmed", Box::new(worn(program, 3)), 600_000, &["PROGRAM_SLC, block erased "]),
    ];
    let (mut first_of, mut ranks) = (0, String::new());
    for (name, is_hit, probability, parts) in &faults {
        let outcomes = campaign.play(&PlantedFault { is_hit, probability: *probability, noise: 10_000, seed: 9 });
        let diagnosis = campaign.diagnose(&outcomes, Metric::Ochiai);
        // A class that holds the planted operation counts, and so does the state in which the planted operations put a plane.
        let is_true = |what: &str| parts.iter().all(|part| what.contains(part));
        let rank = diagnosis.suspects.iter().position(|suspect| is_true(&suspect.what)).map(|at| at + 1);
        ranks += &format!("== {name}: rank {rank:?}\n{}", text(&diagnosis));
        first_of += usize::from(rank == Some(1));
    }
    assert!(first_of >= 9, "{first_of} of {}\n{ranks}", faults.len());
}

#[test]
fn every_first_suspect_gets_a_plan_that_can_be_read() {
    let base = |name: &str| CAMPAIGN.base(name);
    let (read, dout, status, erase) = (base("READ"), base("DOUT"), base("SR"), base("ERASE"));
    let is_hit = |_: usize, rows: &[PlantedRow], at: usize| {
        let middle = before(rows, at, dout, 100 * US).filter(|_| rows[at].base == status);
        rows[at].base == erase && rows[at].block < 500
            || middle.is_some_and(|middle| before(rows, middle, read, 100 * US).is_some())
    };
    let outcomes = CAMPAIGN.play(&PlantedFault { is_hit: &is_hit, probability: 700_000, noise: 0, seed: 3 });
    let diagnosis = CAMPAIGN.diagnose(&outcomes, Metric::Dstar);
    let outcome = |site: usize, run: u64| outcomes[site][run as usize - 1];
    let runs = CAMPAIGN.tested(&outcome);
    let mut plans = 0;
    for suspect in &diagnosis.suspects {
        let ConfirmingPlan::Plan(text) = confirming_plan(&runs, suspect) else { continue };
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
    outcomes[2][1] = RunOutcome::Failed(Some(9_999_999));
    let outcome = |site: usize, run: u64| outcomes[site][run as usize - 1];
    let error = diagnose(&CAMPAIGN.tested(&outcome), DiagnoseOptions::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "run 2 of site 3 has no operation with the op_uid 9999999 at which it is said to fail"
    );
}
