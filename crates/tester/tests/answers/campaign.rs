//! Answers against the runs of a campaign.

use std::fs;

use nandseq_tester::{CampaignRuns, Fails, FieldMap, MOST_OPS, OtherRuns, RunResult};

/// Site 1 with runs 1 and 2 of 100 operations each, site 3 with run 1 without operations and run 7.
fn campaign() -> CampaignRuns {
    let mut runs = CampaignRuns::default();
    runs.insert(1, 1, Some((1, 100)));
    runs.insert(1, 2, Some((101, 200)));
    runs.insert(3, 1, None);
    runs.insert(3, 7, Some((1, 5)));
    runs
}

fn read(rows: &str, others: OtherRuns) -> Result<Vec<String>, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fails.csv");
    fs::write(&path, format!("site,run,op_uid,result,part\n{rows}")).unwrap();
    let fails = Fails::read(&path, &FieldMap::default(), &campaign(), others).map_err(|error| {
        assert!(error.path == path && error.help.is_some(), "{error:?}");
        format!("{}: {}", error.record.unwrap(), error.what)
    })?;
    let shown = |result: &RunResult| match result {
        RunResult::Passed => "passed".to_owned(),
        RunResult::Failed(at) => {
            format!("failed {} times, first {:?}, {:?}", at.fails, at.first(), at.ops().collect::<Vec<_>>())
        }
    };
    Ok(fails.iter().map(|(of, result)| format!("{} {} {}: {}", of.site, of.run, of.part, shown(result))).collect())
}

#[test]
fn fails_of_a_run_are_collected_in_order_each_operation_once() {
    let rows = "1,2,150,,1\n1,2,120,,1\n1,1,,,1\n1,2,120,,1\n3,1,,fail,1\n1,1,,,1\n";
    let expected = [
        "1 1 1: passed",
        "1 2 1: failed 3 times, first Some(120), [120, 150]",
        "3 1 1: failed 1 times, first None, []",
    ];
    assert_eq!(read(rows, OtherRuns::Unknown).unwrap(), expected);
}

#[test]
fn what_the_campaign_does_not_have_is_refused_with_its_line() {
    for (rows, why) in [
        ("1,1,,,1\n2,1,,,1\n", "line 3: there is no site 2"),
        ("1,3,,,1\n", "line 2: site 1 has no run 3"),
        ("1,1,101,,1\n", "line 2: run 1 of site 1 has no op_uid 101, only 1 to 100"),
        ("1,2,100,,1\n", "line 2: run 2 of site 1 has no op_uid 100, only 101 to 200"),
        ("3,1,1,,1\n", "line 2: run 1 of site 3 has no op_uid 1: it has no operations"),
        ("1,1,,,1\n1,1,7,,1\n", "line 3: run 1 of site 1 failed here and passed in line 2"),
        ("1,1,7,,2\n1,1,,,1\n1,1,,,2\n", "line 4: run 1 of site 1 of part 2 passed here and failed in line 2"),
    ] {
        assert_eq!(read(rows, OtherRuns::Unknown).unwrap_err(), why, "{rows}");
    }
    for good in ["1,1,1,,1\n", "1,1,100,,1\n", "1,2,101,,1\n", "1,2,200,,1\n"] {
        assert!(read(good, OtherRuns::Unknown).is_ok(), "{good}");
    }
}

#[test]
fn other_runs_pass_if_that_is_said_for_every_part_of_their_site() {
    let expected = [
        "1 1 1: passed",
        "1 1 2: failed 1 times, first Some(7), [7]",
        "1 2 1: passed",
        "1 2 2: passed",
        "3 1 1: passed",
        "3 7 1: passed",
    ];
    assert_eq!(read("1,1,7,,2\n1,1,,,1\n", OtherRuns::Passed).unwrap(), expected);
    assert_eq!(read("", OtherRuns::Passed).unwrap().len(), 4);
    assert_eq!(read("", OtherRuns::Unknown).unwrap(), <[&str; 0]>::default());
}

#[test]
fn of_very_many_fails_in_a_run_the_first_are_kept_and_all_counted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fails.csv");
    let rows: String = (1..=1_500).rev().map(|uid| format!("1,1,{uid}\n")).collect();
    fs::write(&path, format!("site,run,op_uid\n{rows}")).unwrap();
    let mut campaign = CampaignRuns::default();
    campaign.insert(1, 1, Some((1, 2_000)));
    let fails = Fails::read(&path, &FieldMap::default(), &campaign, OtherRuns::Unknown).unwrap();
    let Some((1, RunResult::Failed(at))) = fails.of(1, 1).next() else { panic!("{fails:?}") };
    assert_eq!((at.fails, at.first(), at.ops().last()), (1_500, Some(1), Some(MOST_OPS as u64)));
}
