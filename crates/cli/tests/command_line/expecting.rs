//! `--expect data` and `--status full`: what the files of such a campaign say, and what belongs to it.

use std::fs;

use nandseq_trace::manifest::SiteManifest;

use crate::runner::{Folder, forms};

const FLAGS: [&str; 4] = ["--expect", "data", "--status", "full"];

fn campaign<'a>(form: &'a str, runs: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["--ops", "1500", "--seed", "8", "--stamp", "261121", "-q", "--format", form, "-n", runs], more].concat()
}

fn made(form: &str, runs: &str, more: &[&str]) -> Folder {
    let folder = Folder::new();
    folder.succeed(&campaign(form, runs, more));
    folder
}

/// The rows of the first run: name, uid and payload.
fn rows(folder: &Folder) -> Vec<(String, u64, Vec<serde_json::Value>)> {
    let text = fs::read(folder.path().join("out/operation_sequence_261121_0000001.csv")).unwrap();
    let mut reader = csv::Reader::from_reader(text.as_slice());
    let row =
        |row: csv::StringRecord| (row[3].to_owned(), row[4].parse().unwrap(), serde_json::from_str(&row[5]).unwrap());
    reader.records().map(|record| row(record.unwrap())).collect()
}

#[test]
fn outputs_name_the_operation_whose_data_they_return_and_status_reads_say_what_is_suspended() {
    let folder = made("csv", "1", &FLAGS);
    let rows = rows(&folder);
    let brings = |name: &str| name.starts_with("Page_Program_") || name.starts_with("One_Shot_PGM_LSB");
    let mut known = 0;
    for (name, uid, payload) in &rows {
        for target in payload {
            let data = target.get("data").map(|data| data.as_u64().unwrap());
            if brings(name) {
                assert_eq!(data, Some(*uid), "{name}");
            } else if name.contains("Random_Data_Output") {
                let source = data.and_then(|data| rows.iter().find(|(_, uid, _)| *uid == data)).unwrap();
                assert!(source.1 < *uid && source.2[0]["die"] == target["die"], "{name} {uid}: {source:?}");
                known += 1;
            } else if name.starts_with("Read_Status") {
                assert_eq!(target["exp_val"].as_array().unwrap().len(), 3, "{name}");
            } else if name.starts_with("Block_Erase") || name.starts_with("Copyback_") {
                assert_eq!(data, None, "{name}");
            }
        }
    }
    assert!(known > 20, "only {known} outputs");
}

#[test]
fn without_the_fields_the_rows_are_those_without_the_flags() {
    let mut with = rows(&made("csv", "1", &FLAGS));
    for target in with.iter_mut().flat_map(|(.., payload)| payload) {
        let fields = target.as_object_mut().unwrap();
        fields.remove("data");
        if let Some(status) = fields.get_mut("exp_val") {
            *status = status[0].take();
        }
    }
    assert_eq!(with, rows(&made("csv", "1", &[])));
}

#[test]
fn a_campaign_with_expectations_is_gone_on_with_and_made_again_but_not_with_others() {
    for form in &forms() {
        let folder = made(form, "1", &FLAGS);
        let manifest: SiteManifest =
            serde_json::from_slice(&fs::read(folder.path().join("out/manifest.json")).unwrap()).unwrap();
        let expected = manifest.origin.expectations();
        assert!(expected.data && expected.full_status);
        for other in [&FLAGS[..2], &FLAGS[2..], &[]] {
            let told = folder.refuse(&campaign(form, "2", &[other, &["--resume", "out"]].concat()));
            assert!(told.contains("holds runs of another campaign"), "{form} {other:?}: {told}");
        }
        folder.succeed(&campaign(form, "3", &[&FLAGS[..], &["--resume", "out"]].concat()));
        assert!(folder.files() == made(form, "3", &FLAGS).files(), "{form}");
        folder.succeed(&["replay", "out"]);
        folder.succeed(&["export", "out", "--to", "vcd", "--output", "run.vcd"]);
    }
}

#[test]
fn lists_shards_and_dry_runs_take_the_flags() {
    let folder = made("csv", "1", &[&FLAGS[..], &["--site-count", "2"]].concat());
    let sharded = Folder::new();
    for shard in ["1/2", "2/2"] {
        sharded.succeed(&campaign("csv", "1", &[&FLAGS[..], &["--site-count", "2", "--shard", shard]].concat()));
    }
    sharded.succeed(&["merge", "out"]);
    assert!(sharded.files() == folder.files());
    let list =
        "campaigns: [{out_dir: out, ops: 1500, seed: 8, stamp: 261121, site_count: 2, expect: data, status: full}]";
    let listed = Folder::new().with("list.yaml", list);
    listed.succeed(&["run-list", "list.yaml", "-q"]);
    let sequences = |folder: &Folder| {
        let files = folder.files().into_iter().filter(|(name, _)| name.contains("operation_sequence"));
        files.collect::<Vec<_>>()
    };
    assert!(sequences(&listed) == sequences(&folder) && sequences(&folder).len() == 2);
    let bytes = |more: &[&str]| {
        let flags = [&["--ops", "1500", "--dry-run", "--summary", "json"], more].concat();
        let told: serde_json::Value = serde_json::from_slice(&listed.succeed(&flags).stdout).unwrap();
        told["estimate"]["bytes"].as_u64().unwrap()
    };
    assert!(bytes(&FLAGS) > bytes(&[]));
}

#[test]
fn a_profile_may_state_the_fields_itself() {
    let folder = Folder::new();
    let profile = String::from_utf8(folder.succeed(&["profile", "show"]).stdout).unwrap();
    let stated = profile.replace("\nexport: {", "\nexport: {status: {fields: [program_suspend, ready]}, ").replace(
        "  data_output:\n    {scope: none, phases: [ISSUE], address: output_register, effects: [data_out], payload: *full}",
        "  data_output:\n    {scope: none, phases: [ISSUE], address: output_register, effects: [data_out], payload: [data, die, plane, block, page]}",
    );
    assert!(stated.contains("payload: [data,") && stated.contains("export:"));
    let folder = folder.with("device.yaml", stated);
    folder.succeed(&campaign("csv", "1", &["--config", "device.yaml"]));
    let text = fs::read_to_string(folder.path().join("out/operation_sequence_261121_0000001.csv")).unwrap();
    assert!(text.contains("[{\"\"data\"\":"), "data comes first");
    assert!(text.contains("\"\"exp_val\"\":[\"\"no_pgmsus\"\",\"\"ready\"\"]"));
    assert!(!text.lines().any(|line| line.contains("Page_Program") && line.contains("data")));
    let wrong = fs::read_to_string(folder.path().join("device.yaml")).unwrap();
    let wrong = wrong.replace(
        "  ERASE:         {class: erase, ",
        "  ERASE:         {class: erase, payload: [die, plane, block, page, data], ",
    );
    let told = folder.with("device.yaml", wrong).refuse(&["profile", "check", "device.yaml"]);
    assert!(told.contains("its payload names data, but its operations pass none on the bus"), "{told}");
}

/// A device that says which level its reads read, and the same without.
fn devices() -> Folder {
    let folder = Folder::new();
    // It is not the built-in device, which would be found without its file.
    let stated = String::from_utf8(folder.succeed(&["profile", "show"]).stdout).unwrap();
    let stated = stated.replace("pages_per_block: 2564", "pages_per_block: 2560");
    let mut without = stated.clone();
    for level in ["lsb", "csb", "msb"] {
        without = without.replace(&format!(", reads: {level}"), "");
    }
    assert!(stated != without && !without.contains(", reads:"));
    folder.with("a.yaml", stated).with("b.yaml", without)
}

#[test]
fn devices_that_differ_in_the_levels_of_reads_are_others_if_data_is_expected() {
    let folder = devices();
    let of = |config: &'static str, runs: &'static str, more: &[&'static str]| {
        campaign("csv", runs, &[&["--config", config, "--outputs", "operation_sequence"], more].concat())
    };
    // Without data nothing depends on the levels.
    folder.succeed(&of("a.yaml", "1", &["--out-dir", "plain"]));
    folder.succeed(&["verify", "plain", "--config", "b.yaml"]);
    folder.succeed(&of("b.yaml", "2", &["--out-dir", "plain", "--resume", "plain"]));
    folder.succeed(&of("a.yaml", "1", &FLAGS));
    folder.succeed(&["verify", "out"]);
    folder.succeed(&["replay", "out"]);
    let told = folder.refuse(&["verify", "out", "--config", "b.yaml"]);
    assert!(told.contains("was made for another profile"), "{told}");
    let told = folder.refuse(&of("b.yaml", "2", &[&FLAGS[..], &["--resume", "out"]].concat()));
    assert!(told.contains("it is of another profile"), "{told}");
    for (at, config) in ["a.yaml", "b.yaml"].into_iter().enumerate() {
        let shard = ["--site-count", "2", "--out-dir", "shards", "--shard", ["1/2", "2/2"][at]];
        folder.succeed(&of(config, "1", &[&FLAGS[..], &shard].concat()));
    }
    let told = folder.refuse(&["merge", "shards"]);
    assert!(told.contains("are of different batches"), "{told}");
    let folder = folder.with("a.yaml", fs::read(devices().path().join("b.yaml")).unwrap());
    let told = folder.refuse(&["verify", "out"]);
    assert!(told.contains("is not found as it was then"), "{told}");
    let told = folder.refuse(&["replay", "out"]);
    assert!(told.contains("is not what it was when the manifest was written"), "{told}");
}

#[test]
fn reads_that_name_no_level_are_warned_of_if_data_is_expected() {
    let folder = devices();
    const ABOUT: &str = "nobody can tell which level of a page these read: ";
    let told = |arguments: &[&str]| String::from_utf8(folder.succeed(arguments).stderr).unwrap();
    let of = |more: &[&str]| campaign("csv", "1", &[&["--config", "b.yaml"], more].concat()).join(" ");
    let run = |more: &[&str]| told(&of(more).split(' ').collect::<Vec<_>>());
    assert!(!run(&[]).contains(ABOUT));
    let warned = run(&[&FLAGS[..], &["--clean"]].concat());
    let checked = String::from_utf8(folder.succeed(&["profile", "check", "b.yaml"]).stdout).unwrap();
    let line = |text: &str| text.split_once(ABOUT).unwrap().1.lines().next().unwrap().to_owned();
    assert_eq!(line(&warned), line(&checked));
    // A short list names the first few.
    let (_, more) = line(&checked).split_once(" and ").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let all = 6 + more.strip_suffix(" more").unwrap().parse::<usize>().unwrap();
    let json: serde_json::Value =
        serde_json::from_slice(&folder.succeed(&["profile", "check", "b.yaml", "--format", "json"]).stdout).unwrap();
    let remarks = json["remarks"].as_array().unwrap();
    let remark = remarks.iter().find(|remark| remark["code"] == "unknown-level").unwrap();
    let names: Vec<&str> = remark["names"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    assert_eq!(names.len(), all);
    let in_full = String::from_utf8(folder.succeed(&["profile", "check", "b.yaml", "-v"]).stdout).unwrap();
    assert!(in_full.contains(&format!("all of them: {}", names.join(", "))), "{in_full}");
}

#[test]
fn a_snapshot_of_other_flags_is_refused_with_the_flags() {
    let folder = made("csv", "1", &FLAGS);
    let snapshot = folder.files().into_keys().find(|name| name.contains("snapshots/")).unwrap();
    let told = folder.refuse(&campaign("csv", "2", &["--out-dir", "on", "--resume", &snapshot]));
    let why = "it was made with --expect data --status full, and this command makes runs without --expect and --status";
    assert!(told.contains(why), "{told}");
    let told = folder.refuse(&campaign("csv", "2", &["--out-dir", "on", "--resume", &snapshot, "--status", "full"]));
    assert!(told.contains("and this command makes runs with --status full"), "{told}");
    folder.succeed(&campaign("csv", "2", &[&FLAGS[..], &["--out-dir", "on", "--resume", &snapshot]].concat()));
}
