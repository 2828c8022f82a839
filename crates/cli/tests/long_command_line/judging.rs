//! `nandseqgen verify`: generated sequences pass, damaged ones do not.

use std::fs;
use std::process::Output;

use insta::assert_snapshot;

use crate::runner::{Folder, forms, legacy};

const SEQUENCE: &str = "out/operation_sequence_261121_0000001.csv";

const UNNAMED: &str = "note: no manifest names a profile: the built-in device is taken; --config names another\n";

fn text(output: &Output) -> String {
    // What is wrong with a profile that is named is said whenever it is used, and that none is named.
    let told = String::from_utf8_lossy(&output.stderr);
    let is_known = |line: &str| line.starts_with("warning: ") || line == UNNAMED.trim_end();
    assert!(told.lines().all(is_known), "{told}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn generated(arguments: &[&str]) -> Folder {
    let folder = Folder::new();
    folder.succeed(&[arguments, &["--stamp", "261121", "--quiet"]].concat());
    folder
}

/// Applies a change to the rows of the sequence, and verifies the folder; returns exit code and text.
fn damaged(change: impl FnOnce(&mut Vec<String>)) -> (Option<i32>, String) {
    let folder = generated(&["--ops", "500"]);
    let path = folder.path().join(SEQUENCE);
    let mut rows: Vec<String> = fs::read_to_string(&path).unwrap().lines().map(str::to_owned).collect();
    change(&mut rows);
    fs::write(&path, rows.join("\n") + "\n").unwrap();
    let output = folder.run(&["verify", "out"]);
    (output.status.code(), text(&output))
}

#[test]
fn what_was_generated_keeps_every_rule() {
    let folder = generated(&["-t", "20000", "-n", "2", "--site-count", "3"]);
    let shown = text(&folder.succeed(&["verify", "out"]));
    assert!(shown.contains(" operations in 6 files of 3 sites: no rule broken."), "{shown}");
    assert!(!shown.contains("Note"), "{shown}");
    assert_eq!(text(&folder.succeed(&["verify", "--jobs", "1", "out"])), shown);
    // The sequences alone are enough.
    for site in ["out", "out/site_01", "out/site_02", "out/site_03"] {
        fs::remove_file(folder.path().join(site).join("manifest.json")).unwrap();
    }
    assert_eq!(text(&folder.succeed(&["verify", "out"])), shown);
    let first = format!("out/site_01/{}", SEQUENCE.rsplit('/').next().unwrap());
    assert!(text(&folder.succeed(&["verify", &first])).contains(" in 1 file of 1 site: "));
}

/// A die that may be suspended at the very instant at which RESUME ends, and has no exclusions.
pub(crate) const NOTHING_BUT_SUSPENSIONS: &str = "
schema: 1
name: suspensions
topology: {dies: 1, planes: 1, blocks_per_die: 4, pages_per_block: 4}
cell_types: {NONE: [], SLC: []}
bases:
  ERASE: {scope: die, affects_state: true, phases: [ISSUE, CORE_BUSY], address: any_block,
    payload: [die, plane, block, page, celltype], effects: [erase]}
  SUSPEND: {scope: die, affects_state: true, phases: [ISSUE, CORE_BUSY], address: hook, payload: [die],
    effects: [{suspend: erase}], instant: true}
  RESUME: {scope: die, affects_state: true, phases: [ISSUE, CORE_BUSY], address: hook, payload: [die],
    effects: [{resume: erase}]}
  RESET: {scope: die, affects_state: true, phases: [ISSUE, CORE_BUSY], address: hook, payload: [die],
    effects: [reset_die], instant: true}
ops:
  Erase: {base: ERASE, celltype: SLC, ISSUE: 0.1, CORE_BUSY: 500}
  Suspend: {base: SUSPEND, ISSUE: 0.1, CORE_BUSY: 5}
  Resume: {base: RESUME, ISSUE: 0.1, CORE_BUSY: 0.5}
  Reset: {base: RESET, ISSUE: 0.1, CORE_BUSY: 2}
";

#[test]
fn what_is_suspended_as_it_goes_on_keeps_every_rule() {
    let folder = Folder::new().with("own.yaml", NOTHING_BUT_SUSPENSIONS);
    for seed in ["1", "2", "3"] {
        folder.succeed(&[
            "--config", "own.yaml", "--ops", "3000", "-n", "2", "--seed", seed, "--stamp", "261121", "-q", "--verify",
        ]);
    }
}

#[test]
fn sites_that_the_batch_no_longer_has_are_named_and_left_out() {
    let folder = generated(&["-t", "1000", "--site-count", "3"]);
    folder.succeed(&["-t", "1000", "--site-count", "2", "--stamp", "261121", "--quiet"]);
    fs::write(folder.path().join("out/site_03/operation_sequence_261121_0000001.csv"), "noise").unwrap();
    let shown = text(&folder.succeed(&["verify", "out"]));
    assert!(shown.contains(" operations in 2 files of 2 sites: no rule broken."), "{shown}");
    // The note concerns no site that was judged.
    let note = "`out/site_03` is not in the manifest of the batch and was left out: name this folder to read it";
    assert!(shown.contains(&format!("\nNote: {note}.\n")), "{shown}");
    let json: serde_json::Value =
        serde_json::from_str(&text(&folder.succeed(&["verify", "out", "--format", "json"]))).unwrap();
    assert_eq!(json["notes"], serde_json::json!([note]));
    assert!(json["sites"].as_array().unwrap().iter().all(|site| site["notes"] == serde_json::json!([])), "{json}");
    let told = String::from_utf8(folder.succeed(&["coverage", "report", "out"]).stderr).unwrap();
    assert!(told.contains(&format!("note: {note}\n")), "{told}");
    // By itself it is still judged.
    assert_ne!(folder.run(&["verify", "out/site_03"]).status.code(), Some(0));
}

#[test]
fn a_site_that_the_batch_lists_must_be_there_and_be_that_one() {
    let folder = generated(&["-t", "1000", "--site-count", "3"]);
    fs::remove_dir_all(folder.path().join("out/site_02")).unwrap();
    folder.succeed(&["-t", "1000", "--seed", "7", "--out-dir", "out/site_03", "--stamp", "261121", "--quiet"]);
    let output = folder.run(&["verify", "out"]);
    assert_eq!(output.status.code(), Some(1));
    let shown = text(&output);
    assert!(shown.contains("File: out/site_02/manifest.json: listed in the manifest, but not there"), "{shown}");
    assert!(shown.contains("File: out/site_03/manifest.json: changed since it was written"), "{shown}");
}

#[test]
fn a_site_whose_sequences_are_gone_is_not_one_that_was_made_without() {
    let folder = generated(&["-t", "1000", "--site-count", "2"]);
    let sequence = "out/site_02/operation_sequence_261121_0000001.csv";
    fs::remove_file(folder.path().join(sequence)).unwrap();
    let is_missed = || {
        let output = folder.run(&["verify", "out"]);
        assert_eq!(output.status.code(), Some(1));
        let shown = text(&output);
        assert!(shown.contains(&format!("File: {sequence}: listed in the manifest, but not there.")), "{shown}");
        let told = String::from_utf8(folder.succeed(&["coverage", "report", "out"]).stderr).unwrap();
        assert!(told.contains(&format!("warning: `{sequence}`: listed in the manifest, but not there")), "{told}");
    };
    is_missed();
    // Shards have no manifest of the whole batch before they are joined.
    fs::remove_file(folder.path().join("out/manifest.json")).unwrap();
    is_missed();
    let folder = generated(&["-t", "1000", "--site-count", "2"]);
    folder.succeed(&[
        "-t",
        "1000",
        "--site-count",
        "2",
        "--sites",
        "2",
        "--outputs",
        "snapshot",
        "--stamp",
        "261121",
        "-q",
        "--clean",
        "--out-dir",
        "without",
    ]);
    fs::rename(folder.path().join("without/site_02"), folder.path().join("out/site_03")).unwrap();
    assert!(text(&folder.succeed(&["verify", "out"])).contains(" of 2 sites: no rule broken."));
}

#[test]
fn what_others_left_below_does_not_fail_what_has_just_been_written() {
    let folder = Folder::new();
    let folder = folder.with("out/old/operation_sequence_260101_0000001.csv", "noise");
    let folder = folder.with("out/old/operation_sequence_260102_0000001.csv", "noise");
    let shown = folder.succeed(&["--ops", "50", "--stamp", "261121", "--verify"]);
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains(" in 1 file of 1 site: no rule broken."), "{shown}");
    // Who asks about the folder is told that they are left out; who asks about them, that it is not known which of the two counts.
    assert!(
        text(&folder.succeed(&["verify", "out"]))
            .contains("`out/old` is not in the manifest in `out` and was left out")
    );
    assert!(folder.refuse(&["report", "out/old"]).contains("two files of run 1"));
}

#[test]
fn what_has_just_been_written_can_be_judged_at_once() {
    let folder = Folder::new();
    // A file of an earlier execution in a folder below is none of this execution's.
    let other = folder.path().join("out/elsewhere");
    fs::create_dir_all(&other).unwrap();
    fs::write(other.join("operation_sequence_260101_0000001.csv"), "noise").unwrap();
    let shown = folder.succeed(&["--site-count", "2", "-t", "3000", "--stamp", "261121", "--verify"]);
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains(" operations in 2 files of 2 sites: no rule broken."), "{shown}");
    let quiet = folder.succeed(&["--site-count", "2", "-t", "3000", "--stamp", "261121", "--verify", "--quiet"]);
    assert_eq!(text(&quiet), "");
}

#[test]
fn the_verdict_can_be_had_as_json() {
    let folder = generated(&["-t", "20000"]);
    let report: serde_json::Value =
        serde_json::from_str(&text(&folder.succeed(&["verify", "--format", "json", "out"]))).unwrap();
    assert_eq!(report["clean"], true);
    assert!(report["operations"].as_u64().unwrap() > 50);
}

#[test]
fn a_changed_file_is_noticed_even_where_no_rule_is_broken() {
    let (code, shown) = damaged(|rows| drop(rows.pop()));
    assert_eq!(code, Some(1));
    assert!(shown.contains("changed since it was written: SHA-256 "), "{shown}");
    assert!(shown.contains(": rules are broken, and files are damaged.\n"), "{shown}");
}

#[test]
fn runs_whose_manifest_is_damaged_are_judged_only_by_a_profile_that_is_named() {
    let folder = generated(&["--ops", "50"]).with("device.yaml", nandseq_profile::builtin::text());
    let whole = fs::read(folder.path().join("out/manifest.json")).unwrap();
    let help = "  help: name the profile with --config; `nandseqgen profile show` prints that of the built-in device, for a file\n";
    for (text, place) in [
        (&b"{"[..], "no manifest of a site: 1:1: it ends in the middle"),
        (&whole[..700], "no manifest of a site: "),
        (b"{\n  x", "no manifest of a site: 2:3: it is not JSON"),
        (b"", "no manifest of a site: it is empty"),
        (b"{\"schema\": 1}", "no manifest of a site: "),
    ] {
        fs::write(folder.path().join("out/manifest.json"), text).unwrap();
        for reader in [
            &["verify", "out"][..],
            &["verify", SEQUENCE],
            &["report", "out"],
            &["export", "out", "--to", "vcd"],
            &["coverage", "report", "out"],
        ] {
            let told = folder.refuse(reader);
            let start = "exit code 2\nerror: the profile of these runs is not known, because their manifest is damaged: `out/manifest.json`";
            assert!(told.starts_with(start) && told.ends_with(help), "{reader:?}: {told}");
            // A file that is named alone is told of in the form of `--resume`.
            assert!(told.contains(place) || reader[1] == SEQUENCE, "{reader:?}: {told}");
            let output = folder.run(&[reader, &["--config", "device.yaml"]].concat());
            let told = String::from_utf8(output.stderr).unwrap();
            assert!(!told.contains("is not known"), "{reader:?}: {told}");
            let is_damage = reader == ["verify", "out"];
            assert_eq!(output.status.code(), Some(i32::from(is_damage)), "{reader:?}: {told}");
        }
    }
    let output = folder.run(&["verify", "out", "--config", "device.yaml"]);
    let shown = text(&output);
    assert!(shown.contains(" in 1 file of 1 site: no rule broken, but files are damaged.\n"), "{shown}");
    assert!(shown.contains("\nFile: out/manifest.json: no manifest of a site: "), "{shown}");
}

#[test]
fn each_command_ends_on_a_damaged_manifest_as_its_page_says() {
    let folder = generated(&["--ops", "50", "--site-count", "2"]);
    let whole = folder.files();
    for name in ["out/manifest.json", "out/site_01/manifest.json"] {
        let text = &whole[name];
        for damaged in [
            text[..400].to_vec(),
            String::from_utf8(text.clone()).unwrap().replacen(": 1,", ": 1, \"more\": 2,", 1).into(),
        ] {
            fs::write(folder.path().join(name), damaged).unwrap();
            for (reader, code) in [
                (&["verify", "out"][..], 1),
                (&["replay", "out"], 2),
                (&["merge", "out"], 2),
                (&["merge", "out", "--into", "joint"], 2),
                (&["report", "out", "-o", "/dev/null"], 0),
                (&["export", "out", "--to", "vcd", "-o", "/dev/null"], 0),
                (&["coverage", "report", "out"], 0),
                (&["--ops", "50", "--site-count", "2", "--stamp", "261121"], 2),
                (&["--ops", "50", "--site-count", "2", "--stamp", "261121", "--resume", "out"], 2),
            ] {
                let output = folder.run(reader);
                let told =
                    [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
                assert_eq!(output.status.code(), Some(code), "{reader:?}: {told}");
                assert!(told.contains(name), "{reader:?}: {told}");
                let help = if code == 2 { told.contains("\n  help: ") } else { !told.contains("help: ") };
                assert!(help && !told.contains("name a manifest.json"), "{reader:?}: {told}");
            }
        }
        fs::write(folder.path().join(name), text).unwrap();
    }
    assert!(folder.files() == whole);
    // What is no manifest by its name may be another file.
    let folder = folder.with("other.json", "{}");
    assert!(folder.refuse(&["replay", "other.json"]).contains("help: name a manifest.json"));
    let help = "help: put it back from a copy; without it `nandseqgen verify out` judges the files that are there\n";
    fs::write(folder.path().join("out/manifest.json"), &whole["out/manifest.json"][..400]).unwrap();
    assert!(folder.refuse(&["replay", "out"]).contains(help));
    // Nor is a damaged manifest in the target of a merge one of another campaign.
    fs::write(folder.path().join("out/manifest.json"), &whole["out/manifest.json"]).unwrap();
    let folder = folder.with("joint/manifest.json", &whole["out/manifest.json"][..400]);
    let told = folder.refuse(&["merge", "out", "--into", "joint"]);
    assert!(told.contains("`joint/manifest.json`:") && told.contains("move it away first"), "{told}");
}

#[test]
fn the_profile_of_a_site_with_a_damaged_manifest_is_that_of_the_other_sites() {
    let folder = Folder::new().with("device.yaml", include_str!("../../../profile/testdata/legacy/good.yaml"));
    folder.succeed(&["--config", "device.yaml", "-t", "1500", "--site-count", "2", "-q"]);
    let folder = folder.with("out/site_01/manifest.json", "{");
    let shown = String::from_utf8(folder.run(&["verify", "out"]).stdout).unwrap();
    assert!(shown.contains(": no rule broken, but files are damaged.\n"), "{shown}");
}

#[test]
fn a_broken_rule_is_shown_with_its_place_and_the_other_operation() {
    let (code, shown) = damaged(|rows| {
        // The second operation starts when the first does.
        let time = rows[1].split(',').nth(1).unwrap().to_owned();
        let mut fields: Vec<String> = rows[2].splitn(3, ',').map(str::to_owned).collect();
        fields[1] = time;
        rows[2] = fields.join(",");
    });
    assert_eq!(code, Some(1));
    assert!(shown.contains("\nbus: Phases that hold the IO bus never overlap"), "{shown}");
    assert!(shown.contains(&format!("  {SEQUENCE}:3  ")), "{shown}");
    assert!(shown.contains(&format!("      see {SEQUENCE}:2  ")), "{shown}");
}

#[test]
fn a_row_that_cannot_be_read_is_a_finding() {
    let (code, shown) = damaged(|rows| rows[5] = "what is this".to_owned());
    assert_eq!(code, Some(1));
    assert!(shown.contains("\nrow_format: "), "{shown}");
    assert!(shown.contains(&format!("  {SEQUENCE}:6\n")), "{shown}");
}

#[test]
fn only_so_many_findings_are_shown_and_all_are_counted() {
    let folder = generated(&["--ops", "500"]);
    let path = folder.path().join(SEQUENCE);
    let rows = fs::read_to_string(&path).unwrap().replace("\"\"ready\"\"", "\"\"busy\"\"");
    fs::write(&path, rows).unwrap();
    let output = folder.run(&["verify", "out", "--max-findings", "2"]);
    assert_eq!(output.status.code(), Some(1));
    let shown = text(&output);
    assert_eq!(shown.matches(&format!("  {SEQUENCE}:")).count(), 2, "{shown}");
    assert!(shown.contains("more finding"), "{shown}");
}

#[cfg(unix)]
#[test]
fn a_place_for_temporary_files_that_cannot_be_used_is_not_taken_for_a_faulty_sequence() {
    // More pages than are counted in memory.
    let row = |at: u64| {
        let (block, page) = (at / 2_500, at % 2_500);
        format!(
            "{},{}.0,0,Page_Program_SLC,{},\"[{{\"\"die\"\":0,\"\"plane\"\":{},\"\"block\"\":{block},\"\"page\"\":{page},\"\"celltype\"\":\"\"SLC\"\"}}]\"\n",
            at + 1,
            500 * at,
            at + 1,
            block % 4
        )
    };
    let sequence = "seq,time,op_id,op_name,op_uid,payload\n".to_owned() + &(0..140_000).map(row).collect::<String>();
    let folder = Folder::new().with(SEQUENCE, sequence);
    let folder = folder.with(
        &SEQUENCE.replace("operation_sequence", "address_touch_count"),
        "op_base,cell_type,die,block,page,count\n",
    );
    let output = folder.command(&["verify", "out"]).env("TMPDIR", "nowhere").output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("error: cannot write `nowhere`: no such file or directory\n"), "{text}");
    let text = String::from_utf8(folder.run(&["verify", "out"]).stdout).unwrap();
    assert!(text.contains("A row is missing here."), "{text}");
}

#[test]
fn bad_blocks_are_those_the_manifest_names() {
    let list = |block: u32| format!("die,block\n0,{block}\n");
    let folder = Folder::new().with("bad.csv", list(3));
    folder.succeed(&["-t", "5000", "--badlist", "bad.csv", "--quiet"]);
    folder.succeed(&["verify", "out"]);
    fs::write(folder.path().join("bad.csv"), list(4)).unwrap();
    assert_snapshot!(folder.refuse(&["verify", "out"]));
}

/// Two campaigns, the first of which has no blocks on die 0 but those before 8 and the second none but those from 8 on.
fn of_two_lists() -> Folder {
    let folder = Folder::new().with("late.csv", "die,block\n0,8-1019\n").with("early.csv", "die,block\n0,0-7\n");
    for name in ["late", "early"] {
        let list = format!("{name}.csv");
        let quick = ["--ops", "300", "--outputs", "operation_sequence", "--stamp", "261121", "--quiet"];
        folder.succeed(&[&quick[..], &["--badlist", &list, "--out-dir", name]].concat());
    }
    folder
}

#[test]
fn each_site_is_judged_by_the_bad_blocks_that_its_own_manifest_names() {
    let folder = of_two_lists();
    for paths in [["late", "early"], ["early", "late"]] {
        let shown = text(&folder.succeed(&["verify", paths[0], paths[1]]));
        assert!(shown.contains(" in 2 files of 2 sites: no rule broken."), "{shown}");
    }
    // A list that is named is that of every site.
    let output = folder.run(&["verify", "late", "early", "--badlist", "early.csv"]);
    assert_eq!(output.status.code(), Some(1));
    let shown = text(&output);
    assert!(shown.contains("bad_block") && shown.contains("  late/") && !shown.contains("  early/"), "{shown}");
}

#[test]
fn sequences_named_by_themselves_are_judged_by_the_bad_blocks_of_the_manifest_beside_them() {
    let folder = of_two_lists();
    let (sequence, other) = (SEQUENCE.replace("out", "early"), SEQUENCE.replace("out", "late"));
    let shown = text(&folder.succeed(&["verify", &sequence]));
    let note = format!("Note: {sequence}: the bad blocks are those of `early.csv`, as the manifest beside it says.");
    assert!(shown.contains(&note), "{shown}");
    // Blocks that the list calls bad are used by another sequence in its place; the manifest lists that name.
    fs::copy(folder.path().join(&other), folder.path().join(&sequence)).unwrap();
    assert_eq!(folder.run(&["verify", &sequence]).status.code(), Some(1));
    // A list that is named goes before, and what no manifest lists is judged without.
    let shown = text(&folder.succeed(&["verify", &sequence, "--badlist", "late.csv"]));
    assert!(!shown.contains("Note"), "{shown}");
    fs::rename(folder.path().join(&sequence), folder.path().join("early/mine.csv")).unwrap();
    assert!(!text(&folder.succeed(&["verify", "early/mine.csv"])).contains("Note"));
}

#[test]
fn a_sequence_of_another_profile_is_not_judged() {
    let folder = generated(&["-t", "1000"]);
    let other = nandseq_profile::builtin::text().replace("sequence_gap: 1 ", "sequence_gap: 2 ");
    assert!(other != nandseq_profile::builtin::text());
    let folder = folder.with("other.yaml", other);
    assert_snapshot!(folder.refuse(&["verify", "out", "--config", "other.yaml"]));
    folder.succeed(&["--config", "other.yaml", "-t", "1000", "--quiet"]);
    fs::rename(folder.path().join("other.yaml"), folder.path().join("moved.yaml")).unwrap();
    let text = folder.refuse(&["verify", "out"]);
    let (before, rest) = text.split_once("SHA-256 ").unwrap();
    let text = format!("{before}SHA-256 [DIGEST]{}", rest.split_at(64).1);
    assert_snapshot!("and_the_other_way_round", text);
}

#[cfg(unix)]
#[test]
fn a_link_to_a_site_beside_it_is_not_another_site() {
    use std::os::unix::fs::symlink;
    let folder = generated(&["-t", "1000", "--site-count", "2"]);
    symlink("site_01", folder.path().join("out/latest")).unwrap();
    symlink("..", folder.path().join("out/up")).unwrap();
    let shown = text(&folder.succeed(&["verify", "out"]));
    assert!(shown.contains(" in 2 files of 2 sites: no rule broken.") && !shown.contains("Note"), "{shown}");
    // One that is listed counts, although the folder that it leads to is found as well.
    fs::rename(folder.path().join("out/site_02"), folder.path().join("out/real")).unwrap();
    symlink("real", folder.path().join("out/site_02")).unwrap();
    let shown = text(&folder.succeed(&["verify", "out"]));
    assert!(shown.contains(" in 2 files of 2 sites: no rule broken."), "{shown}");
    assert!(shown.contains("`out/real` is not in the manifest of the batch"), "{shown}");
    fs::remove_file(folder.path().join("out/manifest.json")).unwrap();
    let shown = text(&folder.succeed(&["verify", "out"]));
    assert!(shown.contains(" in 2 files of 2 sites: no rule broken."), "{shown}");
}

#[test]
fn nothing_to_judge() {
    let folder = Folder::new().with("notes.txt", "seq");
    fs::create_dir(folder.path().join("empty")).unwrap();
    assert_snapshot!(
        [&["verify"][..], &["verify", "nowhere"], &["verify", "empty"], &["verify", "notes.txt"]]
            .map(|arguments| folder.refuse(arguments))
            .join("\n")
    );
}

#[test]
fn files_of_two_executions_are_not_taken_for_one() {
    let folder = generated(&["-t", "1000"]);
    folder.succeed(&["-t", "1000", "--stamp", "261122", "--quiet"]);
    folder.succeed(&["verify", "out"]);
    fs::remove_file(folder.path().join("out/manifest.json")).unwrap();
    assert_snapshot!(folder.refuse(&["report", "out"]));
}

#[test]
fn a_run_of_two_files_is_left_out_and_the_others_are_judged() {
    let folder = generated(&["-t", "1000", "-n", "3"]);
    fs::remove_file(folder.path().join("out/manifest.json")).unwrap();
    let name = |stamp: u64, run: u64| format!("out/operation_sequence_{stamp}_{run:07}.csv");
    for run in [1, 3] {
        fs::copy(folder.path().join(name(261_121, run)), folder.path().join(name(261_122, run))).unwrap();
    }
    let output = folder.run(&["verify", "out"]);
    let shown = text(&output);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(shown.contains(" in 1 file of 1 site: "), "{shown}");
    for run in [1, 3] {
        let [one, other] = [261_121, 261_122].map(|stamp| name(stamp, run));
        assert!(shown.contains(&format!("File: {one}: `{other}` is run {run} too, so neither was read ")), "{shown}");
    }
    // Files that are named one by one are told apart in the same way.
    let files = [name(261_121, 1), name(261_121, 2), format!("{}.gz", name(261_121, 1))];
    fs::copy(folder.path().join(&files[0]), folder.path().join(&files[2])).unwrap();
    let output = folder.run(&["verify", &files[0], &files[1], &files[2]]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(text(&output).contains(&format!("`{}` is run 1 too", files[2])), "{output:?}");
}

#[test]
fn the_predecessors_sample_breaks_rules() {
    let (Some(config), Some(sample)) = (legacy("config-2025-09.yaml"), legacy("sample/site_01")) else { return };
    let output = Folder::new().run(&["verify", "--config", config.to_str().unwrap(), sample.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    let shown = text(&output);
    assert!(shown.starts_with("228 operations "), "{shown}");
    assert!(shown.contains("\nbounds: "), "{shown}");
}

#[test]
fn that_no_manifest_names_a_profile_is_said() {
    let folder = generated(&["--ops", "20"]);
    let told = |arguments: &[&str]| {
        let output = folder.succeed(arguments);
        String::from_utf8(output.stderr).unwrap()
    };
    let readers: [&[&str]; 5] = [
        &["verify", "out"],
        &["verify", SEQUENCE],
        &["report", "out"],
        &["coverage", "report", "out"],
        &["export", "out", "--to", "vcd"],
    ];
    for reader in readers {
        assert_eq!(told(reader), "", "{reader:?}");
    }
    fs::remove_file(folder.path().join("out/manifest.json")).unwrap();
    fs::write(folder.path().join("device.yaml"), folder.succeed(&["profile", "show"]).stdout).unwrap();
    for reader in readers {
        assert_eq!(told(reader), UNNAMED, "{reader:?}");
        assert!(!told(&[reader, &["--config", "device.yaml"]].concat()).contains("note: "), "{reader:?}");
    }
    assert_eq!(told(&["verify", "out", "-q"]), "");
}

#[test]
fn a_summary_with_a_verdict_stays_short_beside_the_files_of_another_campaign() {
    let folder = Folder::new();
    let campaign = |stamp| ["-n", "2", "--site-count", "4", "-t", "500", "--stamp", stamp, "--verify"];
    folder.succeed(&campaign("261120"));
    let summary = String::from_utf8(folder.succeed(&campaign("261121")).stdout).unwrap();
    assert!(summary.lines().count() <= 15, "{summary}");
    assert!(summary.contains("Note: 8 notes: `nandseqgen verify out` shows them.\n"), "{summary}");
}

/// The number of operations that a verdict begins with.
fn operations(verdict: &str) -> u64 {
    verdict.split(' ').next().unwrap().replace(',', "").parse().unwrap()
}

#[test]
fn a_file_that_cannot_be_read_is_named_and_everything_else_is_judged() {
    for form in forms() {
        let folder = generated(&["--ops", "200", "-n", "2", "--site-count", "3", "--format", &form]);
        let files = folder.files();
        let all = operations(&text(&folder.succeed(&["verify", "out"])));
        // The last run of the second site: no later run depends on it.
        let is_of_it = |name: &&String| name.contains("02/") && name.contains("0000002");
        let of_it = |kind: &str| files.keys().filter(is_of_it).find(|name| name.contains(kind)).unwrap();
        for (kind, lost) in [("operation_sequence", 200), ("operation_timeline", 0), ("phase_proposal_counts", 0)] {
            let path = folder.path().join(of_it(kind));
            let bytes = &files[of_it(kind)];
            for damage in [&b"noise"[..], b"", &bytes[..5], &[b'\xff'; 5000]] {
                fs::write(&path, damage).unwrap();
                let output = folder.run(&["verify", "out"]);
                let shown = text(&output);
                assert_eq!(output.status.code(), Some(1), "{form} {kind}: {shown}");
                // Chains end after the last operation that was asked for.
                let lacks = all - operations(&shown);
                assert!((lost..=lost + lost / 10).contains(&lacks), "{form} {kind}: {shown}");
                assert!(shown.contains(" in 6 files of 3 sites"), "{form} {kind}: {shown}");
                let named = format!("{}: ", of_it(kind));
                assert!(
                    shown.contains(&format!("File: {named}changed since it was written")),
                    "{form} {kind}: {shown}"
                );
                let unreadable = shown.contains(&format!("File: {named}cannot be read: "));
                assert!(unreadable || shown.contains("The first line is not '"), "{form} {kind}: {shown}");
            }
            fs::remove_file(&path).unwrap();
            fs::create_dir(&path).unwrap();
            let output = folder.run(&["verify", "out"]);
            assert_eq!(output.status.code(), Some(1), "{form} {kind}");
            let shown = text(&output);
            assert!(shown.contains(&format!("File: {}: not a regular file", of_it(kind))), "{form} {kind}: {shown}");
            fs::remove_dir(&path).unwrap();
            fs::write(&path, bytes).unwrap();
        }
        folder.succeed(&["verify", "out"]);
    }
}

#[test]
fn a_manifest_that_cannot_be_opened_is_damage_of_its_site() {
    let folder = generated(&["--ops", "50", "--site-count", "3"]);
    let path = folder.path().join("out/site_02/manifest.json");
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    let output = folder.run(&["verify", "out"]);
    let shown = text(&output);
    assert_eq!(output.status.code(), Some(1), "{shown}");
    assert!(shown.contains("File: out/site_02/manifest.json: "), "{shown}");
    assert!(shown.contains(" in 3 files of 3 sites: no rule broken, but files are damaged."), "{shown}");
}
