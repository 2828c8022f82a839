//! `generate --dry-run`: it says what would be generated, and writes nothing.

use std::fs;

use serde_json::Value;

use crate::runner::{Folder, files_below, forms};

fn dry(folder: &Folder, arguments: &[&str]) -> Value {
    let before = folder.files();
    let output = folder.succeed(&[arguments, &["--dry-run", "--summary", "json"]].concat());
    assert!(folder.files() == before, "{arguments:?} wrote something");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is no number"))
}

/// Whether an estimate is within so many percent.
fn is_near(estimate: u64, real: u64, percent: u64) -> bool {
    estimate.abs_diff(real) * 100 <= real * percent
}

#[test]
fn a_trial_of_everything_until_enough_is_covered_gives_the_figures_of_the_campaign() {
    let folder = Folder::new();
    let flags = ["--until-coverage", "1", "--site-count", "2", "--stamp", "261121"];
    let told = dry(&folder, &flags);
    let made = folder.succeed(&[&flags[..], &["--summary", "json"]].concat());
    let made: Value = serde_json::from_slice(&made.stdout).unwrap();
    let estimate = &told["estimate"];
    assert_eq!((&estimate["within"], &estimate["at_most"]), (&0.0.into(), &false.into()), "{told}");
    assert_eq!((&estimate["operations"], &estimate["bytes"]), (&made["operations"], &made["bytes"]), "{told}");
}

#[test]
fn nothing_is_written_and_no_folder_made() {
    let folder = Folder::new();
    let profile = folder.succeed(&["profile", "show"]).stdout;
    fs::write(folder.path().join("device.yaml"), profile).unwrap();
    for more in [
        &[][..],
        &["--site-count", "3", "-n", "2", "--format", forms().last().unwrap()],
        &["--site-count", "4", "--shard", "2/2", "--verify"],
        &["--config", "device.yaml", "--refresh-op-state-probs"],
        &["--closure", "--until-coverage", "5"],
        &["--resume", "out"],
        &["--ops", "20", "--proposer-log", "full"],
        &["--refresh-op-state-probs", "--op-state-probs", "table.yaml", "-n", "2"],
    ] {
        let before = folder.files();
        let arguments = [&["--out-dir", "deep/out", "-t", "20000", "--dry-run"][..], more].concat();
        let arguments: Vec<&str> =
            arguments.iter().map(|&word| if word == "out" { "deep/out" } else { word }).collect();
        let output = folder.succeed(&arguments);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(folder.files() == before && !folder.path().join("deep").exists(), "{arguments:?}");
        assert!(text.contains("Would be written into deep/out") && text.contains("Estimate: "), "{text}");
        assert!(text.lines().count() <= 15, "{text}");
    }
}

#[test]
fn a_trial_of_the_whole_campaign_is_said_to_be_one() {
    let folder = Folder::new();
    let text = String::from_utf8(folder.succeed(&["--ops", "100", "--dry-run"]).stdout).unwrap();
    assert!(text.contains("\n  from a trial of the whole: operations and size are those of the campaign; "), "{text}");
    let text = String::from_utf8(folder.succeed(&["-t", "20000000", "--dry-run"]).stdout).unwrap();
    assert!(text.contains(" % of it: "), "{text}");
}

#[test]
fn a_shard_without_sites_says_so() {
    let folder = Folder::new();
    let text = folder.succeed(&["--site-count", "5", "--shard", "6/8", "--dry-run", "-q"]).stdout;
    assert_eq!(String::from_utf8(text).unwrap(), "Shard 6/8 holds none of the 5 sites: nothing would be made\n");
}

#[test]
fn what_the_trial_shows_to_be_missed_ends_as_the_campaign_would() {
    let said = |arguments: &[&str]| {
        let folder = Folder::new();
        let output = folder.fall_short(&[arguments, &["--dry-run"]].concat());
        assert_eq!(folder.fall_short(arguments).status.code(), Some(4));
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (out, err) = said(&["--pc-demo", "pgm-read", "--ops", "1000"]);
    assert!(err.contains("warning: in the trial: nothing can ever start again on any die"), "{err}");
    assert!(err.contains("warning: in the trial: 0 of 1,000 operations were reached\n"), "{err}");
    assert!(
        out.contains("Trial: 0 operations\n")
            && out.contains("from a trial of the whole: operations and size are those of the campaign;"),
        "{out}"
    );
    let (_, err) = said(&["--ops", "1e6", "-t", "1000", "--site-count", "2"]);
    assert!(err.contains("in the trial: 2 of 2 runs have fewer than 1,000,000 operations: raise -t"), "{err}");
    let (_, err) = said(&["--closure", "--until-coverage", "100", "--ops", "3000"]);
    let (_, bins) = err.split_once("in the trial: the limit of the runs came before 100 % of ").unwrap();
    assert!(bins.split_once(" bins were covered").unwrap().0.contains(','), "{err}");
    // What a longer campaign covers is not known from its beginning; nor are the operations of a run that is cut.
    for open in [&["--closure", "--until-coverage", "100", "--ops", "3000", "-n", "200"][..], &["--ops", "1e6"]] {
        let output = Folder::new().succeed(&[open, &["--dry-run"]].concat());
        assert!(!String::from_utf8(output.stderr).unwrap().contains("in the trial"), "{open:?}");
    }
}

#[test]
fn a_campaign_that_dies_says_when_and_in_which_state_it_ends() {
    let stuck = crate::dead::TINY.to_owned() + "  DEFAULT: {Er: 1, Pg: 1, Rd: 1}\n";
    let folder = Folder::new().with("tiny.yaml", stuck);
    let arguments = ["--config", "tiny.yaml", "--ops", "1000"];
    let said = folder.fall_short(&[&arguments[..], &["--dry-run"]].concat());
    let said = String::from_utf8(said.stdout).unwrap();
    let (trial, rest) = said.split_once("Trial: ").unwrap().1.split_once('\n').unwrap();
    assert!(trial.ends_with(" operations"), "no time of days: {said}");
    let (time, state) = rest
        .split_once("Ends early: after ")
        .unwrap()
        .1
        .split_once(" nothing can ever start again on any die; ")
        .unwrap();
    assert!(
        state.starts_with("die 0 stays so: ") && state.lines().next().unwrap().contains("unread data on"),
        "{said}"
    );
    // The campaign says the same.
    let made = String::from_utf8(folder.fall_short(&arguments).stderr).unwrap();
    assert!(made.contains(&format!("at rest since {time}")), "{time}: {made}");
}

#[test]
fn dead_sites_take_longer_together_than_one_clock_counts() {
    let stuck = crate::dead::TINY.to_owned() + "  DEFAULT: {Er: 1, Pg: 1, Rd: 1}\n";
    let folder = Folder::new().with("tiny.yaml", stuck);
    let arguments = ["--config", "tiny.yaml", "--ops", "1000", "--site-count", "3", "--dry-run", "--summary", "json"];
    let told: Value = serde_json::from_slice(&folder.fall_short(&arguments).stdout).unwrap();
    // 100 days each.
    assert_eq!(told["trial"]["simulated_us"], "25920000000000", "{told}");
}

/// The estimate of a campaign, the share that it may be off, and what it comes to.
fn estimate(arguments: &[&str]) -> (f64, f64, f64) {
    let folder = Folder::new();
    let told = dry(&folder, arguments);
    let output = folder.succeed(&[arguments, &["--summary", "json", "-q"]].concat());
    let made: Value = serde_json::from_slice(&output.stdout).unwrap();
    let float = |value: &Value| value.as_f64().unwrap_or_else(|| panic!("{value} is no number: {told}"));
    (float(&told["estimate"]["operations"]), float(&told["estimate"]["within"]), float(&made["operations"]))
}

#[test]
fn an_estimate_says_how_far_it_may_be_off() {
    let outputs = ["--outputs", "operation_sequence"];
    // All sites are tried: nothing is left to be estimated.
    for seed in ["1", "2", "3"] {
        let (told, within, made) =
            estimate(&[&["--site-count", "8", "-t", "5000", "--seed", seed][..], &outputs].concat());
        assert_eq!((told, within), (made, 0.0), "seed {seed}");
    }
    let mut inside = 0;
    for seed in ["100", "200", "300", "400", "500"] {
        let (told, within, made) =
            estimate(&[&["--site-count", "60", "-t", "5000", "--seed", seed][..], &outputs].concat());
        assert!(within > 0.0 && within < 1.0, "{within}");
        inside += u64::from((told - made).abs() <= within * told);
    }
    assert!(inside >= 4, "{inside} of 5");
}

#[test]
fn files_that_were_found_are_named() {
    let folder = Folder::new().with("small.yaml", crate::given_files::small_profile());
    folder.succeed(&["--config", "small.yaml", "--refresh-op-state-probs", "--ops", "1", "-q"]);
    let folder = folder.with("badlist.csv", "die,block\n0,3\n");
    let shown = folder.succeed(&["--config", "small.yaml", "--ops", "10", "--dry-run"]).stdout;
    let shown = String::from_utf8(shown).unwrap();
    assert!(shown.contains("; table `op_state_probs.yaml`; bad blocks `badlist.csv`"), "{shown}");
}

#[test]
fn what_one_site_needs_to_cover_enough_is_the_estimate_of_others() {
    let folder = Folder::new().with("small.yaml", crate::given_files::small_profile());
    let flags = ["--config", "small.yaml", "--until-coverage", "50"];
    let made = folder.succeed(&[&flags[..], &["--summary", "json"]].concat()).stdout;
    let made: Value = serde_json::from_slice(&made).unwrap();
    let estimate = dry(&folder, &[&flags[..], &["--site-count", "30"]].concat());
    let (of_one, of_all) = (number(&made["operations"]), number(&estimate["estimate"]["operations"]));
    // One site is not like another.
    assert!((15 * of_one..60 * of_one).contains(&of_all), "{of_all} of 30 sites, {of_one} of one");
}

#[test]
fn an_existing_folder_stays_as_it_is() {
    let folder = Folder::new();
    folder.succeed(&["-t", "2000", "--site-count", "2", "--stamp", "261121"]);
    let before = folder.files();
    dry(&folder, &["-t", "2000", "--site-count", "2", "--stamp", "261121", "--seed", "3"]);
    assert!(folder.files() == before);
}

#[test]
fn whole_runs_are_what_is_written_then() {
    let folder = Folder::new();
    let arguments = ["-t", "20000", "-n", "2", "--site-count", "1", "--stamp", "261121"];
    let told = dry(&folder, &arguments);
    folder.succeed(&arguments);
    let manifest: Value =
        serde_json::from_slice(&fs::read(folder.path().join("out/site_01/manifest.json")).unwrap()).unwrap();
    let runs = manifest["runs"].as_array().unwrap();
    let operations: u64 = runs.iter().map(|run| number(&run["operations"])).sum();
    assert_eq!(number(&told["trial"]["summary"]["operations"]), operations);
    assert_eq!(number(&told["estimate"]["operations"]), operations);
    let files: Vec<&Value> = runs[0]["files"].as_array().unwrap().iter().map(|file| &file["file"]).collect();
    assert_eq!(told["files_of_a_run"].as_array().unwrap().iter().collect::<Vec<_>>(), files);
    let written = files_below(&folder.path().join("out"));
    assert_eq!(number(&told["files"]) + number(&told["manifests"]), written.len() as u64);
    let bytes: usize =
        written.iter().filter(|(name, _)| !name.ends_with("manifest.json")).map(|(_, bytes)| bytes.len()).sum();
    assert_eq!(number(&told["trial"]["summary"]["bytes"]), bytes as u64);
    assert!(is_near(number(&told["estimate"]["bytes"]), bytes as u64, 1), "{told} {bytes}");
}

#[test]
fn what_is_longer_than_a_trial_is_estimated() {
    for format in &forms() {
        let folder = Folder::new();
        let arguments = ["--ops", "60000", "--site-count", "2", "--format", format, "--stamp", "261121"];
        let told = dry(&folder, &arguments);
        assert_eq!((&told["trial"]["is_cut"], number(&told["estimate"]["operations"])), (&true.into(), 120_000));
        folder.succeed(&arguments);
        let written = files_below(&folder.path().join("out"));
        let bytes: usize = written.values().map(Vec::len).sum();
        let estimate = number(&told["estimate"]["bytes"]);
        assert!(is_near(estimate, bytes as u64, 20), "{format}: {estimate} {bytes}");
        let folders: Vec<String> = written.keys().filter(|name| !name.ends_with("json")).cloned().collect();
        for name in told["files_of_a_run"].as_array().unwrap() {
            let name = name.as_str().unwrap();
            assert!(folders.iter().any(|path| path.ends_with(name)) || name.ends_with("json"), "{name}: {folders:?}");
        }
    }
}

#[test]
fn going_on_counts_just_what_is_left() {
    let folder = Folder::new();
    let arguments = ["-t", "5000", "--site-count", "3", "--stamp", "261121"];
    folder.succeed(&[&arguments[..], &["-n", "2"]].concat());
    let told = dry(&folder, &[&arguments[..], &["-n", "5", "--resume", "out"]].concat());
    assert_eq!((number(&told["runs"]), number(&told["files"])), (9, 72));
    let [sites] = &told["sites"].as_array().unwrap()[..] else { panic!("{told}") };
    assert_eq!((&sites["sites"], number(&sites["runs_there"]), number(&sites["runs_to_make"])), (&"1-3".into(), 2, 3));
    assert!(told["files_of_a_run"][0].as_str().unwrap().ends_with("_0000003.csv"), "{told}");
    let told = dry(&folder, &[&arguments[..], &["-n", "2", "--resume", "out"]].concat());
    assert_eq!((number(&told["runs"]), &told["trial"], &told["estimate"]), (0, &Value::Null, &Value::Null));
}

#[test]
fn runs_that_would_be_made_again_are_counted() {
    let folder = Folder::new();
    let arguments = ["-t", "5000", "--site-count", "2", "--stamp", "261121", "-n", "3"];
    folder.succeed(&arguments);
    fs::remove_file(folder.path().join("out/site_02/operation_timeline_261121_0000002.csv")).unwrap();
    let again = [&arguments[..], &["--resume", "out"]].concat();
    let told = dry(&folder, &again);
    assert_eq!((number(&told["runs"]), number(&told["runs_again"])), (0, 1));
    let output = folder.succeed(&[&again[..], &["--dry-run"]].concat());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("  1 run would be made again, for files that are gone\n"), "{text}");
    assert!(text.contains("Every run is there already: nothing else would be made\n"), "{text}");
    // A run whose snapshot the next one needs is among those that are left.
    fs::remove_file(folder.path().join("out/site_01/snapshots/state_snapshot_20261121_000000_0000003.json")).unwrap();
    let told = dry(&folder, &["-t", "5000", "--site-count", "2", "--stamp", "261121", "-n", "4", "--resume", "out"]);
    assert_eq!((number(&told["runs"]), number(&told["runs_again"])), (3, 1));
}

#[test]
fn files_of_other_campaigns_are_named_and_so_is_what_would_be_removed() {
    let folder = Folder::new();
    folder.succeed(&["-t", "500", "--stamp", "261120"]);
    let arguments = ["-t", "500", "--stamp", "261121"];
    let said = |more: &[&str]| {
        let output = folder.succeed(&[&arguments[..], &["--dry-run"], more].concat());
        String::from_utf8(output.stderr).unwrap()
    };
    let before = folder.files();
    let text = said(&[]);
    assert!(text.contains("warning: `out` holds 8 files of other campaigns, which stay: "), "{text}");
    let text = said(&["--clean"]);
    assert!(text.contains("note: would remove 8 files of earlier campaigns from `out`: "), "{text}");
    assert!(folder.files() == before);
    assert_eq!(number(&dry(&folder, &arguments)["other_files"]), 8);
}

#[test]
fn what_could_not_be_generated_cannot_be_tried() {
    let folder = Folder::new();
    let text = folder.refuse(&["--dry-run", "--config", "nowhere"]);
    assert!(text.starts_with("exit code 2\nerror: cannot read profile `nowhere`"), "{text}");
    let list = "campaigns:\n  - {run_until: 500, out_dir: lots, dry_run: true}\n";
    let text = Folder::new().with("lots.yaml", list).refuse(&["run-list", "lots.yaml"]);
    assert!(text.contains("a campaign has no field `dry_run`"), "{text}");
}

#[test]
fn a_campaign_that_dies_early_is_as_large_as_its_logs_and_snapshots() {
    // With more sites than a trial has.
    let size = ["--ops", "1000", "--site-count", "20", "--outputs", "operation_sequence,proposer_log,snapshot"];
    for (table, runs, percent) in [("{Pg: 1}", "1", 1), ("{Er: 1, Pg: 1, Rd: 1}", "3", 10)] {
        let folder = Folder::new().with("tiny.yaml", crate::dead::TINY.to_owned() + &format!("  DEFAULT: {table}\n"));
        let flags = [&["--config", "tiny.yaml", "-n", runs, "--summary", "json", "-q"][..], &size].concat();
        let bytes = |more: &[&str], place: &str| {
            let told = folder.fall_short(&[&flags[..], more].concat()).stdout;
            let told: Value = serde_json::from_slice(&told).unwrap();
            number(told.pointer(place).unwrap())
        };
        let (estimate, made) = (bytes(&["--dry-run"], "/estimate/bytes"), bytes(&[], "/bytes"));
        assert!(is_near(estimate, made, percent), "{table}: {estimate} {made}");
    }
}

#[test]
fn a_trial_that_is_cut_has_as_many_operations_of_scenarios_as_the_campaign_has_until_then() {
    let plan =
        "schema: 1\nphases: [{name: a, ops: 40000}]\nscenarios: {reset: {hits: 100, steps: [{base: RESET_LUN}]}}\n";
    let folder = Folder::new().with("plan.yaml", plan);
    let flags = ["--plan", "plan.yaml", "--seed", "7", "--stamp", "261121", "--outputs", "operation_sequence"];
    let told = dry(&folder, &flags);
    let summary = &told["trial"]["summary"];
    let bases = summary["bases"].as_array().unwrap();
    let resets = bases.iter().find(|base| base["base"] == "RESET_LUN").map_or(0, |base| number(&base["count"]));
    folder.succeed(&[&flags[..], &["--out-dir", "out"]].concat());
    let rows = fs::read_to_string(folder.path().join("out/operation_sequence_261121_0000001.csv")).unwrap();
    let operations = number(&summary["operations"]) as usize;
    let made = rows.lines().skip(1).take(operations).filter(|row| row.contains(",Reset_LUN,")).count() as u64;
    assert!(told["trial"]["is_cut"] == true && operations < 21_000, "{summary}");
    // Where it is cut, chains go on alone.
    assert!(made > 30 && made.abs_diff(resets) <= 1, "{resets} of {made}");
}
