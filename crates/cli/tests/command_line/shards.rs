//! Shards: they are made apart, and joined they are what one execution makes.

use std::fs;
#[cfg(unix)]
use std::path::Path;

use insta::assert_snapshot;

use crate::runner::{Folder, files_below};

fn batch<'a>(out: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    batch_of("2", out, more)
}

fn batch_of<'a>(runs: &'a str, out: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let flags = ["-t", "700", "-n", runs, "--seed", "77", "--site-count", "6", "--stamp", "261121", "--out-dir", out];
    [&flags[..], more].concat()
}

fn whole() -> Folder {
    let folder = Folder::new();
    folder.succeed(&batch("out", &[]));
    folder
}

const SHARDS: [&str; 4] = ["1/4", "2/4", "3/4", "4/4"];

#[test]
fn four_shards_in_four_folders_join_to_the_batch() {
    let whole = whole();
    let parts = Folder::new();
    let folders: Vec<String> = (1..=4).map(|number| format!("part{number}")).collect();
    for (folder, shard) in folders.iter().zip(SHARDS) {
        parts.succeed(&batch(folder, &["--shard", shard]));
    }
    let before = parts.files();
    let names: Vec<&str> = folders.iter().map(String::as_str).collect();
    let output = parts.succeed(&[&["merge"], &names[..], &["--into", "joint"]].concat());
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "6 sites, 12 runs: complete in joint\n");
    assert!(files_below(&parts.path().join("joint")) == files_below(&whole.path().join("out")));
    // What was joined is still there, and joining again changes nothing.
    assert!(before.iter().all(|(name, bytes)| parts.files().get(name) == Some(bytes)));
    parts.succeed(&[&["merge"], &names[..], &["--into", "joint"]].concat());
    assert!(files_below(&parts.path().join("joint")) == files_below(&whole.path().join("out")));
    // Into one of them.
    parts.succeed(&[&["merge"], &names[..], &["--into", "part2"]].concat());
    assert!(files_below(&parts.path().join("part2")) == files_below(&whole.path().join("out")));
}

#[test]
fn shards_that_share_a_folder_join_in_it() {
    let whole = whole();
    let parts = Folder::new();
    for shard in SHARDS {
        parts.succeed(&batch("out", &["--shard", shard]));
    }
    assert!(parts.path().join("out/manifest.shard-2-of-4.json").exists());
    assert!(!parts.path().join("out/manifest.json").exists());
    parts.succeed(&["merge", "out"]);
    assert!(parts.files() == whole.files());
    parts.succeed(&["merge", "out"]);
    assert!(parts.files() == whole.files());
}

#[test]
fn a_shard_that_is_absent_among_others_is_said_with_the_command_that_makes_it() {
    let parts = Folder::new();
    for shard in ["1/4", "3/4", "4/4"] {
        parts.succeed(&batch("out", &["--shard", shard, "-q"]));
    }
    let told = String::from_utf8(parts.succeed(&["verify", "out"]).stderr).unwrap();
    assert!(
        told.contains("warning: `out` lacks shard 2/4 (sites 2-3), and holds others; to make it:\n  nandseqgen "),
        "{told}"
    );
    let refused = parts.refuse(&["merge", "out"]);
    let command = refused.lines().find_map(|line| line.trim().strip_prefix("nandseqgen ")).unwrap();
    let words: Vec<&str> = command.split(' ').map(|word| word.trim_matches('\'')).collect();
    parts.succeed(&[&words[..], &["-q"]].concat());
    let told = String::from_utf8(parts.succeed(&["verify", "out"]).stderr).unwrap();
    assert!(!told.contains("lacks"), "{told}");
    parts.succeed(&["merge", "out"]);
    assert!(files_below(&parts.path().join("out")) == files_below(&whole().path().join("out")));
}

#[test]
fn chosen_sites_join_like_shards() {
    let whole = whole();
    let parts = Folder::new();
    parts.succeed(&batch("a", &["--sites", "1-2,5"]));
    parts.succeed(&batch("b", &["--sites", "3-4,6"]));
    parts.succeed(&["merge", "a", "b", "--into", "joint"]);
    assert!(files_below(&parts.path().join("joint")) == files_below(&whole.path().join("out")));
}

#[test]
fn what_is_missing_or_there_twice_is_named() {
    let parts = Folder::new();
    parts.succeed(&batch("a", &["--shard", "1/2"]));
    parts.succeed(&batch("b", &["--sites", "3,5"]));
    assert_snapshot!(parts.refuse(&["merge", "a", "b", "--into", "joint"]));
    assert_snapshot!(parts.refuse(&["merge", "a", "b"]));
    assert_snapshot!(parts.refuse(&["merge", "a/site_01"]));
    assert_snapshot!(parts.refuse(&["merge", "nowhere"]));
}

#[test]
fn parts_of_different_batches_are_not_joined() {
    let parts = Folder::new();
    parts.succeed(&batch("a", &["--shard", "1/2"]));
    parts.succeed(&batch("b", &["--shard", "2/2", "--pc-demo", "mix"]));
    assert_snapshot!(parts.refuse(&["merge", "a", "b", "--into", "joint"]));
}

#[test]
fn damage_is_found_and_named() {
    let parts = Folder::new();
    parts.succeed(&batch("out", &["--shard", "1/1"]));
    let site = parts.path().join("out/site_02");
    fs::remove_file(site.join("operation_timeline_261121_0000001.csv")).unwrap();
    fs::write(site.join("operation_sequence_261121_0000002.csv"), "").unwrap();
    fs::write(parts.path().join("out/site_04/manifest.json"), "{}").unwrap();
    let refused = parts.refuse(&["merge", "out"]);
    assert_snapshot!(refused);
    // The command that it prints makes them again.
    let command = refused.lines().find_map(|line| line.trim().strip_prefix("nandseqgen ")).unwrap();
    let words: Vec<&str> = command.split(' ').map(|word| word.trim_matches('\'')).collect();
    fs::remove_file(site.join("operation_sequence_261121_0000002.csv")).unwrap();
    fs::remove_file(site.with_file_name("site_04").join("manifest.json")).unwrap();
    parts.succeed(&[&words[..], &["-q"]].concat());
    parts.succeed(&["merge", "out"]);
    assert!(files_below(&parts.path().join("out")) == files_below(&whole().path().join("out")));
}

#[test]
fn a_manifest_with_absurd_numbers_is_refused() {
    let parts = Folder::new();
    parts.succeed(&batch("a", &["--shard", "1/2"]));
    let path = parts.path().join("a/manifest.shard-1-of-2.json");
    let good = fs::read_to_string(&path).unwrap();
    let value = |flag: &str, from: &str, to: &str| {
        let places: Vec<&str> = good.split(&format!("\"{flag}\",")).collect();
        let [before, after] = places[..] else { panic!("{good}") };
        format!("{before}\"{flag}\",{}", after.replacen(&format!("\"{from}\""), &format!("\"{to}\""), 1))
    };
    for (text, part) in [
        (value("--site-count", "6", "99999999999"), "--site-count 99999999999 is more than 100000"),
        (value("--site-start", "1", "9"), "site 1 is not of the batch"),
        (value("--site-start", "1", "18446744073709551615"), "site 1 is not of the batch"),
        (value("--site-count", "6", "2"), "site 3 is not of the batch"),
    ] {
        fs::write(&path, text).unwrap();
        let text = parts.refuse(&["merge", "a", "--into", "joint"]);
        assert!(text.starts_with("exit code 2\n") && text.contains(part), "{text}");
    }
}

#[test]
fn what_is_merged_does_not_come_over_another_batch() {
    let parts = Folder::new();
    for (out, shard) in [("a", "1/2"), ("b", "2/2")] {
        parts.succeed(&batch(out, &["--shard", shard]));
    }
    parts.succeed(&batch("whole", &["--pc-demo", "mix"]));
    parts.succeed(&batch("shards", &["--pc-demo", "mix", "--shard", "1/2"]));
    parts.succeed(&["-t", "300", "--stamp", "261121", "--out-dir", "single"]);
    parts.succeed(&["-t", "300", "--stamp", "261121", "--out-dir", "site/site_04"]);
    for (place, named) in [
        ("whole", "whole/manifest.json"),
        ("shards", "shards/manifest.shard-1-of-2.json"),
        ("single", "single/manifest.json"),
        ("site", "site/site_04"),
    ] {
        let text = parts.refuse(&["merge", "a", "b", "--into", place]);
        let expected = format!("`{named}` is of another campaign, and merging would replace it");
        assert!(text.starts_with("exit code 2\n") && text.contains(&expected), "{text}");
    }
    // An earlier merge of fewer runs is of the same batch.
    parts.succeed(&["merge", "a", "b", "--into", "joint"]);
    for (out, shard) in [("a", "1/2"), ("b", "2/2")] {
        parts.succeed(&batch_of("3", out, &["--shard", shard, "--resume", out]));
    }
    let output = parts.succeed(&["merge", "a", "b", "--into", "joint"]);
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "6 sites, 18 runs: complete in joint\n");
}

#[test]
fn an_unfinished_part_is_not_joined() {
    let parts = Folder::new();
    parts.succeed(&batch("a", &["--shard", "1/2"]));
    let text = fs::read_to_string(parts.path().join("a/manifest.shard-1-of-2.json")).unwrap();
    let unfinished = text.replacen("\"runs\": 2", "\"runs\": 1", 1);
    fs::write(parts.path().join("a/manifest.shard-1-of-2.json"), unfinished).unwrap();
    parts.succeed(&batch("b", &["--shard", "2/2"]));
    let text = parts.refuse(&["merge", "a", "b", "--into", "joint"]);
    assert!(text.contains("site 1 has 1 of 2 runs in `a`"), "{text}");
}

#[test]
fn more_shards_than_sites_are_no_mistake() {
    let parts = Folder::new();
    let flags = ["-t", "300", "--site-count", "2", "--stamp", "261121"];
    for shard in ["1/3", "2/3", "3/3"] {
        parts.succeed(&[&flags[..], &["--shard", shard]].concat());
    }
    parts.succeed(&["merge", "out"]);
    let whole = Folder::new();
    whole.succeed(&flags);
    assert!(parts.files() == whole.files());
}

#[test]
fn shards_of_another_number_do_not_come_into_a_folder() {
    let parts = Folder::new();
    parts.succeed(&batch("out", &["--shard", "1/4"]));
    for shard in ["2/2", "1/3"] {
        let text = parts.refuse(&batch("out", &["--shard", shard, "--resume", "out"]));
        let expected = format!("`out` holds shard 1/4 of a batch, and shard {shard} is not of the same number");
        assert!(text.starts_with("exit code 2\n") && text.contains(&expected), "{text}");
    }
    parts.succeed(&batch("out", &["--shard", "4/4"]));
}

/// Runs the script of an array job as its task with this number, of an array with so many tasks.
#[cfg(unix)]
fn task(folder: &Folder, (task, tasks): (&str, &str), more: &[(&str, &str)]) -> (i32, String) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/cluster/array.sbatch");
    let mut command = std::process::Command::new("bash");
    command.arg(script).current_dir(folder.path()).env_remove("SHARDS").env_remove("OUT");
    command.envs([("NANDSEQGEN", env!("CARGO_BIN_EXE_nandseqgen")), ("SLURM_CPUS_PER_TASK", "1")]);
    command.envs([("SLURM_ARRAY_TASK_ID", task), ("SLURM_ARRAY_TASK_COUNT", tasks)]);
    command.envs([("SITES", "8"), ("RUNS", "2"), ("RUN_UNTIL", "500")]).envs(more.iter().copied());
    let output = command.output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[cfg(unix)]
#[test]
fn part_of_an_array_that_is_submitted_again_makes_the_shards_of_the_campaign() {
    let (once, again) = (Folder::new(), Folder::new());
    for number in ["1", "2", "3", "4"] {
        assert_eq!(task(&once, (number, "4"), &[]).0, 0);
    }
    // Shards 2 and 4 failed at first.
    for (number, tasks) in [("1", "4"), ("3", "4"), ("2", "2"), ("4", "2")] {
        assert_eq!(task(&again, (number, tasks), &[]).0, 0);
    }
    assert!(again.files() == once.files());
    again.succeed(&["merge", "out"]);
    let batch = ["--site-count", "8", "-n", "2", "--seed", "1000", "-t", "500", "--stamp", "261121"];
    let whole = Folder::new();
    whole.succeed(&batch);
    assert!(files_below(&again.path().join("out")) == files_below(&whole.path().join("out")));
}

#[cfg(unix)]
#[test]
fn the_number_of_shards_is_kept_with_the_campaign() {
    let folder = Folder::new();
    let eight = [("SHARDS", "8"), ("OUT", "lot/out/")];
    assert_eq!(task(&folder, ("8", "8"), &eight).0, 0);
    assert!(folder.path().join("lot/out/manifest.shard-8-of-8.json").exists());
    let before = folder.files();
    for (number, shards, part) in
        [("1", "4", "lot/out.shards says 8 shards, SHARDS says 4"), ("9", "8", "there is no shard 9 of 8")]
    {
        let (code, text) = task(&folder, (number, "1"), &[("SHARDS", shards), ("OUT", "lot/out")]);
        assert!(code == 2 && text.contains(part), "{code}: {text}");
    }
    assert!(folder.files() == before);
    // It need not be said again.
    assert_eq!(task(&folder, ("3", "1"), &[("OUT", "lot/out")]).0, 0);
    assert!(folder.path().join("lot/out/manifest.shard-3-of-8.json").exists());
}

#[cfg(unix)]
#[test]
fn what_is_no_number_of_shards_is_not_kept() {
    let folder = Folder::new();
    for shards in ["abc", "0", "-1", "4x", "04"] {
        let (code, text) = task(&folder, ("1", "4"), &[("SHARDS", shards)]);
        assert!(code == 2 && text.contains(&format!("SHARDS says {shards}, which is no number of shards")), "{text}");
    }
    assert!(folder.files().is_empty());
    assert_eq!(task(&folder, ("1", "4"), &[("SHARDS", "4")]).0, 0);
}

#[cfg(unix)]
#[test]
fn the_pods_of_an_indexed_job_make_the_shards_of_the_campaign() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/cluster/indexed-job.yaml");
    let job = fs::read_to_string(path).unwrap();
    let (_, script) = job.split_once("            - >-\n").unwrap();
    let (script, rest) = script.split_once("          env:\n").unwrap();
    let (_, shards) = rest.split_once("name: SHARDS, value: \"").unwrap();
    let (shards, _) = shards.split_once('"').unwrap();
    assert!(job.contains(&format!("completions: {shards}\n")), "as many pods as shards");
    let folder = Folder::new();
    let place = folder.path().join("batch").display().to_string();
    let script =
        script.replace("/out/batch", &place).replace("20000", "300").replace("--site-count 32", "--site-count 8");
    // The lines of a folded scalar are one.
    let script = script.split_whitespace().collect::<Vec<_>>().join(" ");
    let program = Path::new(env!("CARGO_BIN_EXE_nandseqgen")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let pod = |index: &str| {
        let mut command = std::process::Command::new("sh");
        command.args(["-c", &script]).env("PATH", &path).env("SHARDS", shards).env("JOB_COMPLETION_INDEX", index);
        command.output().unwrap().status.code()
    };
    for index in ["3", "1", "0", "2", "2"] {
        assert_eq!(pod(index), Some(0));
    }
    assert_eq!(pod("4"), Some(2));
    folder.succeed(&["merge", &place]);
}

#[test]
fn shards_that_begin_together_are_of_one_number_and_do_not_disturb_each_other() {
    use crate::running::Running;
    let start = |folder: &Folder, shard: &str| Running::start(folder, &batch("out", &["--shard", shard, "-q"]));
    for _ in 0..5 {
        // These two have no site in common.
        let folder = Folder::new();
        let running = ["1/2", "3/3"].map(|shard| start(&folder, shard));
        let ended = running.map(Running::output);
        let done = ended.iter().filter(|output| output.status.success()).count();
        assert!(done < 2, "both were made");
        let refused = ended.iter().filter(|output| output.status.code() == Some(2)).count();
        assert_eq!(done + refused, 2);
    }
    let whole = whole();
    for _ in 0..2 {
        let folder = Folder::new();
        for running in ["1/4", "2/4", "3/4", "4/4"].map(|shard| start(&folder, shard)) {
            let output = running.output();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        folder.succeed(&["merge", "out", "-q"]);
        assert!(files_below(&folder.path().join("out")) == files_below(&whole.path().join("out")));
    }
}

#[test]
fn sites_of_another_length_do_not_replace_the_manifest_of_the_batch() {
    let folder = whole();
    let before = folder.files();
    for (runs, further) in [("3", "; --resume makes further runs of the sites asked for"), ("1", "")] {
        let text = folder.refuse(&batch_of(runs, "out", &["--sites", "2"]));
        assert!(text.contains(&format!("--num-runs {runs} would replace its manifest, which lists sites ")), "{text}");
        assert!(text.contains(&format!(" keeps the other sites{further}; or choose another folder")), "{text}");
    }
    folder.succeed(&batch_of("2", "out", &["--sites", "2"]));
    assert!(folder.files() == before);
}
