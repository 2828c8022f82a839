//! Interruptions: finished runs stay, and no file under a final name is incomplete. An interrupted campaign never ends by itself,
//! so that it is at work when the signal comes.
#![cfg(unix)]

use std::fs;
use std::process::Output;
use std::thread::sleep;
use std::time::Duration;

use crate::runner::{Folder, checked_manifest, forms};
use crate::running::{Running, wait_for};

/// More runs than anybody waits for.
const ENDLESS: &str = "9999999";

fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The command that an interrupted program says goes on, without its own name, with an end after so many runs.
fn said_to_go_on(output: &Output, runs: usize) -> Vec<String> {
    let text = said(output);
    let command = text.split_once("to go on: ").unwrap().1.trim_end();
    // What a shell would take quotes off has no spaces here.
    let words = command.split(' ').skip(1).map(|word| word.trim_matches('\'').to_owned());
    words.map(|word| if word == ENDLESS { runs.to_string() } else { word }).collect()
}

fn goes_on(folder: &Folder, output: &Output, runs: usize) {
    let command = said_to_go_on(output, runs);
    folder.succeed(&command.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn an_interrupted_program_keeps_finished_runs_and_nothing_else() {
    let arguments = |runs| ["-t", "2000", "--stamp", "261121", "-n", runs];
    let folder = Folder::new();
    let mut running = Running::start(&folder, &arguments(ENDLESS));
    running.until_there_is(&folder.path().join("out/operation_sequence_261121_0000003.csv"));
    let output = running.interrupt();
    let manifest = checked_manifest(&folder.path().join("out"));
    assert!(manifest.runs.len() >= 3);
    let text = said(&output);
    let kept = format!("interrupted: {} finished runs are kept\nto go on: ", manifest.runs.len());
    assert!(text.contains(&kept), "{text}");
    // The command that was named goes on, to what an uninterrupted execution writes.
    let runs = manifest.runs.len() + 2;
    goes_on(&folder, &output, runs);
    let whole = Folder::new();
    whole.succeed(&arguments(&runs.to_string()));
    assert!(folder.files() == whole.files());
}

#[test]
fn runs_that_lack_files_do_not_count_as_finished_when_making_them_again_is_interrupted() {
    let made = |time| ["-t", time, "-n", "3", "--stamp", "261121", "--outputs", "operation_sequence", "-q"];
    let folder = Folder::new();
    folder.succeed(&made("1000"));
    let out = folder.path().join("out");
    let manifest = fs::read_to_string(out.join("manifest.json")).unwrap();
    fs::write(out.join("manifest.json"), manifest.replacen("\"1000\"", "\"1000000000000\"", 1)).unwrap();
    fs::remove_file(out.join("operation_sequence_261121_0000001.csv")).unwrap();
    let count = || fs::read_dir(&out).unwrap().count();
    let left = count();
    let running = Running::start(&folder, &[&made("1000000000000")[..], &["--resume", "out"]].concat());
    wait_for("what is made again", || (count() > left).then_some(()));
    let text = said(&running.interrupt());
    assert!(text.contains("interrupted: 2 finished runs are kept\nto go on: "), "{text}");
}

#[test]
fn a_single_long_run_is_given_up_at_once() {
    let folder = Folder::new();
    let mut running = Running::start(&folder, &["-t", "1e12", "--quiet"]);
    running.until_there_is(&folder.path().join("out/manifest.partial.jsonl"));
    sleep(Duration::from_millis(200));
    running.signal("TERM");
    assert_eq!(running.output().status.code(), Some(130));
    // Its ledger stays, and no other file.
    let files = folder.files();
    assert_eq!(files.keys().collect::<Vec<_>>(), ["out/manifest.partial.jsonl"]);
    assert_eq!(files["out/manifest.partial.jsonl"].iter().filter(|&&byte| byte == b'\n').count(), 1);
}

#[test]
fn interrupted_in_its_first_run_it_goes_on_with_the_same_stamp() {
    for more in [&[][..], &["--site-count", "2"], &["--site-count", "4", "--shard", "2/2"]] {
        let arguments = |time| [&["-t", time, "--stamp", "201121", "-q"][..], more].concat();
        let folder = Folder::new();
        let mut running = Running::start(&folder, &arguments("1e12"));
        let number = if more.len() > 2 { "out/site_04" } else { "out/site_01" };
        let site = if more.is_empty() { "out" } else { number };
        running.until_there_is(&folder.path().join(site).join("manifest.partial.jsonl"));
        let output = running.interrupt();
        let command = said_to_go_on(&output, 1);
        let command: Vec<&str> =
            command.iter().map(|word| if word == "1000000000000" { "900" } else { word.as_str() }).collect();
        // The ledger says for how long; nobody waits for that.
        for (name, bytes) in folder.files().into_iter().filter(|(name, _)| name.ends_with("jsonl")) {
            let ledger = String::from_utf8(bytes).unwrap().replace("\"1000000000000\"", "\"900\"");
            fs::write(folder.path().join(name), ledger).unwrap();
        }
        let _ = fs::remove_file(folder.path().join("out/manifest.json"));
        let _ = fs::remove_file(folder.path().join("out/manifest.shard-2-of-2.json"));
        folder.succeed(&command);
        let whole = Folder::new();
        whole.succeed(&arguments("900"));
        assert_eq!(folder.files().into_keys().collect::<Vec<_>>(), whole.files().into_keys().collect::<Vec<_>>());
        assert!(folder.files() == whole.files(), "{more:?}");
    }
}

#[test]
fn sites_in_parallel_stop_together_and_go_on_with_the_command_that_is_named() {
    let arguments = |runs| ["-t", "1500", "--site-count", "3", "--jobs", "3", "--stamp", "261121", "--num-runs", runs];
    let folder = Folder::new();
    let mut running = Running::start(&folder, &arguments(ENDLESS));
    running.until_there_is(&folder.path().join("out/site_02/operation_sequence_261121_0000002.csv"));
    let output = running.interrupt();
    let finished =
        [1, 2, 3].map(|site| checked_manifest(&folder.path().join(format!("out/site_{site:02}"))).runs.len());
    let (sum, text) = (finished.iter().sum::<usize>(), said(&output));
    assert!(text.contains(&format!("interrupted: {sum} finished runs are kept\n")), "{sum}: {text}");
    let runs = finished.into_iter().max().unwrap() + 1;
    goes_on(&folder, &output, runs);
    let whole = Folder::new();
    whole.succeed(&arguments(&runs.to_string()));
    assert!(folder.files() == whole.files());
}

#[test]
fn a_bootstrap_can_be_interrupted_and_begun_again() {
    let arguments = ["-n", "2", "-t", "1e12", "--bootstrap", "--quiet", "--stamp", "261121"];
    let folder = Folder::new();
    let ledger = folder.path().join("out/manifest.partial.jsonl");
    let mut running = Running::start(&folder, &arguments);
    running.until_there_is(&ledger);
    let output = running.interrupt();
    assert_eq!(folder.files().into_keys().collect::<Vec<_>>(), ["out/manifest.partial.jsonl"]);
    let command = said_to_go_on(&output, 2);
    assert!(command.contains(&"--bootstrap".to_owned()));
    let running = Running::start(&folder, &command.iter().map(String::as_str).collect::<Vec<_>>());
    wait_for("its first files", || (folder.files().len() > 1).then_some(()));
    running.interrupt();
    assert_eq!(folder.files().into_keys().collect::<Vec<_>>(), ["out/manifest.partial.jsonl"]);
}

/// A batch that was made, and its manifest made to say that its runs have no end; files are compared with `work` as the place.
fn endless_replay() -> (Folder, Vec<&'static str>) {
    let folder = Folder::new();
    folder.succeed(&["-t", "1000", "--outputs", "operation_sequence", "--stamp", "261121", "--quiet"]);
    let path = folder.path().join("out/manifest.json");
    let text = fs::read_to_string(&path).unwrap();
    let endless = text.replacen("\"1000\"", "\"1000000000000\"", 1);
    assert!(endless != text);
    fs::write(&path, endless).unwrap();
    fs::create_dir(folder.path().join("work")).unwrap();
    (folder, vec!["replay", "out", "--work-dir", "work", "--quiet"])
}

#[test]
fn an_interrupted_replay_leaves_nothing_and_names_no_command() {
    let (folder, replay) = endless_replay();
    let before = folder.files();
    let work = folder.path().join("work");
    let running = Running::start(&folder, &replay);
    wait_for("work", || fs::read_dir(&work).unwrap().next().map(drop));
    assert_eq!(said(&running.interrupt()), "interrupted\n");
    assert_eq!(fs::read_dir(&work).unwrap().count(), 0);
    assert!(folder.files() == before);
}

#[test]
fn a_second_interruption_ends_a_replay_that_does_not_stop_and_leaves_nothing() {
    let folder = Folder::new();
    folder.succeed(&["-t", "1000", "--outputs", "operation_sequence", "--stamp", "261121", "--quiet"]);
    // Whoever reads this is at work for hours; it takes no room on the disk.
    let table = folder.path().join("out/operation_sequence_261121_0000001.csv");
    fs::File::create(&table).unwrap().set_len(1 << 40).unwrap();
    let work = folder.path().join("work");
    fs::create_dir(&work).unwrap();
    let mut running = Running::start(&folder, &["replay", "out", "--work-dir", "work", "--quiet"]);
    let made = |folder: fs::DirEntry| {
        let names = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        names.into_iter().any(|name| name.to_str().unwrap().starts_with("operation_sequence_"))
    };
    wait_for("the run that was made again", || {
        let folder = fs::read_dir(&work).unwrap().next()?;
        made(folder.unwrap()).then_some(())
    });
    running.signal("INT");
    sleep(Duration::from_millis(200));
    assert_eq!(fs::read_dir(&work).unwrap().count(), 1, "the first interruption waits for whoever is at work");
    // Another signal: two of one kind may arrive as one.
    running.signal("TERM");
    assert_eq!(running.output().status.code(), Some(130));
    assert_eq!(fs::read_dir(&work).unwrap().count(), 0);
}

#[test]
fn an_interrupted_list_goes_on_with_the_command_that_is_named() {
    let list = |runs: &str| {
        format!(
            "campaigns:
  - {{name: first, seed: 1, runs: 2, run_until: 700, out_dir: lot/a, stamp: 261121}}
  - {{name: second, seed: 2, runs: {runs}, run_until: 1500, out_dir: lot/b, stamp: 261121}}
  - {{name: third, seed: 3, runs: 2, run_until: 700, out_dir: lot/c, stamp: 261121}}
"
        )
    };
    let folder = Folder::new().with("a list.yaml", list(ENDLESS));
    let mut running = Running::start(&folder, &["run-list", "a list.yaml", "--quiet"]);
    running.until_there_is(&folder.path().join("lot/b/operation_sequence_261121_0000002.csv"));
    let output = running.interrupt();
    let text = said(&output);
    assert!(text.ends_with("to go on: nandseqgen run-list --resume 'a list.yaml'\n"), "{text}");
    assert!(!folder.path().join("lot/c").exists());
    let runs = (checked_manifest(&folder.path().join("lot/b")).runs.len() + 1).to_string();
    let folder = folder.with("a list.yaml", list(&runs));
    folder.succeed(&["run-list", "a list.yaml", "--resume", "--quiet"]);
    let whole = Folder::new().with("a list.yaml", list(&runs));
    whole.succeed(&["run-list", "a list.yaml", "--quiet"]);
    assert!(folder.files() == whole.files());
}

#[test]
fn a_list_that_is_interrupted_while_it_judges_says_what_was_not_made() {
    let list = "campaigns:
  - {name: short, ops: 1000, pc_demo: pgm-read, out_dir: lot/d, stamp: 261121}
  - {name: first, ops: 100000, out_dir: lot/a, stamp: 261121, outputs: operation_sequence, verify: true}
  - {name: second, ops: 5, out_dir: lot/b, stamp: 261121}
  - {name: third, ops: 5, out_dir: lot/c, stamp: 261121}
";
    let folder = Folder::new().with("list.yaml", list);
    let told = folder.path().join("told.json");
    let arguments = ["run-list", "list.yaml", "--quiet", "--summary", "json"];
    let mut running = Running::writing_to(fs::File::create(&told).unwrap(), &folder, &arguments);
    running.until_there_is(&folder.path().join("lot/a/manifest.json"));
    let text = said(&running.interrupt());
    let end = "note: campaigns 3 to 4 of 4 were not made\ncampaign `first`:\ninterrupted while judging: everything is written\n\
               to go on: nandseqgen run-list --resume list.yaml\n";
    assert!(text.ends_with(end), "{text}");
    let told: serde_json::Value = serde_json::from_slice(&fs::read(told).unwrap()).unwrap();
    assert_eq!((&told["asked"], &told["campaigns"][1]["exit_code"]), (&4.into(), &130.into()), "{told}");
    assert_eq!(told["campaigns"][1]["summary"]["operations"].as_u64().unwrap() / 100_000, 1, "{told}");
    assert!(!folder.path().join("lot/b").exists());
    // The command that was named judges what was not judged and makes the others.
    let output = folder.fall_short(&["run-list", "--resume", "list.yaml"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("no rule broken") && text.ends_with("3 of 4 campaigns done\n"), "{text}");
}

#[test]
fn an_interrupted_pack_keeps_the_runs_that_are_finished() {
    for (form, place) in forms().iter().zip(["out", "out/pack=0000001"]) {
        let arguments =
            |runs| ["--ops", "20", "--stamp", "261121", "--pack", "9999998", "--format", form.as_str(), "-n", runs];
        let folder = Folder::new();
        let running = Running::start(&folder, &arguments(ENDLESS));
        // A pack has a temporary name when its first run is finished.
        wait_for("a pack", || {
            let names = fs::read_dir(folder.path().join(place)).into_iter().flatten().flatten();
            names.map(|entry| entry.file_name()).find(|name| {
                let name = name.to_string_lossy();
                name.starts_with(".pack_") || name.starts_with(".operation_sequence.parquet")
            })
        });
        let output = running.interrupt();
        let runs = checked_manifest(&folder.path().join("out")).runs.len();
        assert!(runs > 0);
        assert!(said(&output).contains("finished run"), "{}", said(&output));
        goes_on(&folder, &output, runs + 2);
        let whole = Folder::new();
        whole.succeed(&arguments(&(runs + 2).to_string()));
        assert!(folder.files() == whole.files(), "{form}");
    }
}
