//! `--pack`: what is finished stays while more runs go into its pack, however that ends.

use std::fs;
use std::process::Command;

use nandseq_trace::manifest::SiteManifest;

use crate::runner::{Folder, checked_manifest, forms};
use crate::running::Running;

/// More runs than anybody waits for.
const ENDLESS: &str = "9999999";

fn with<'a>(runs: &'a str, pack: &'a str, form: &'a str) -> Vec<&'a str> {
    vec!["--ops", "500", "--stamp", "261121", "--quiet", "--format", form, "--pack", pack, "-n", runs]
}

#[test]
fn an_interruption_leaves_the_runs_of_a_pack_that_is_to_have_more() {
    for form in forms() {
        let folder = Folder::new();
        folder.succeed(&with("30", "1000", &form));
        let before = folder.files();
        let mut running = Running::start(&folder, &[&with(ENDLESS, "1000", &form)[..], &["--resume", "out"]].concat());
        running.until_there_is(&folder.path().join("out/manifest.partial.jsonl"));
        running.interrupt();
        let manifest: SiteManifest = serde_json::from_slice(&folder.files()["out/manifest.json"]).unwrap();
        let runs = manifest.runs.len();
        assert!(runs >= 30, "{form}: {runs}");
        assert!(runs > 30 || folder.files().keys().eq(before.keys()), "{form}");
        folder.succeed(&["verify", "out"]);
        // Killed, the list has them too.
        let mut running = Running::start(&folder, &[&with(ENDLESS, "1000", &form)[..], &["--resume", "out"]].concat());
        running.until_there_is(&folder.path().join("out/manifest.partial.jsonl"));
        running.kill();
        let text = String::from_utf8(folder.run(&["verify", "out"]).stdout).unwrap();
        assert!(text.contains(&format!("{runs} runs")), "{form}: {text}");
        // And it is gone on with to what one execution makes.
        let more = (runs + 3).to_string();
        folder.succeed(&[&with(&more, "1000", &form)[..], &["--resume", "out"]].concat());
        let whole = Folder::new();
        whole.succeed(&with(&more, "1000", &form));
        assert!(folder.files() == whole.files(), "{form}");
    }
}

#[test]
fn a_pack_that_cannot_be_written_leaves_the_earlier_one_and_says_what_is_lost() {
    let folder = Folder::new();
    folder.succeed(&with("3", "40", "csv"));
    let before = folder.files();
    let largest = before.values().map(Vec::len).max().unwrap();
    // Files may be somewhat larger than the pack, which forty runs outgrow; the unit is 512 bytes.
    let limit = (largest * 4 / 512).to_string();
    let script = "trap '' XFSZ; ulimit -f $0; exec \"$@\"";
    let mut command = folder.ready(Command::new("sh"));
    command.args(["-c", script, &limit, env!("CARGO_BIN_EXE_nandseqgen")]);
    let output = command.args(with("40", "40", "csv")).args(["--resume", "out"]).output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{text}");
    assert!(text.contains(" are not kept: their pack could not be completed; a smaller --pack loses less"), "{text}");
    let now = folder.files();
    let of_packs = |name: &&String| name.ends_with(".zip");
    assert!(now.keys().filter(of_packs).eq(before.keys().filter(of_packs)), "{:?}", now.keys());
    assert!(before.iter().filter(|(name, _)| name.ends_with(".zip")).all(|(name, bytes)| now[name] == *bytes));
    assert_eq!(checked_manifest(&folder.path().join("out")).runs.len(), 3);
    folder.succeed(&["verify", "out"]);
}

#[test]
fn what_is_no_snapshot_in_a_pack_is_refused_with_what_to_name() {
    let folder = Folder::new();
    folder.succeed(&with("3", "5", "csv"));
    let resumed =
        |from: &str| folder.refuse(&[&with("9", "5", "csv")[..], &["--out-dir", "other", "--resume", from]].concat());
    let text = resumed("out/pack_261121_0000001.zip");
    assert!(text.contains("is an archive, and no snapshot") && text.contains("name a snapshot in it"), "{text}");
    let text = resumed("out/pack_261121_0000001.zip/snapshots/none.json");
    assert!(text.contains("`out/pack_261121_0000001.zip` has no `snapshots/none.json`"), "{text}");
}

#[test]
fn a_folder_whose_only_pack_began_elsewhere_asks_for_its_beginning() {
    let folder = Folder::new();
    folder.succeed(&[&with("3", "5", "csv")[..], &["--out-dir", "d0"]].concat());
    folder.succeed(&[&with("4", "5", "csv")[..], &["--out-dir", "d1", "--resume", "d0"]].concat());
    let before = folder.files();
    let go_on = |from: &'static str| [&with("12", "5", "csv")[..], &["--out-dir", "d1", "--resume", from]].concat();
    let text = folder.refuse(&go_on("d1"));
    assert!(text.contains("the only pack in `d1` begins with run 4") && text.contains("--resume PATH"), "{text}");
    assert!(folder.files() == before);
    folder.succeed(&go_on("d0"));
    let manifest = checked_manifest(&folder.path().join("d1"));
    assert_eq!((manifest.runs[0].run, manifest.runs.last().unwrap().run), (4, 12));
    folder.succeed(&["verify", "d0", "d1"]);
}

#[test]
fn no_pack_begins_with_run_0() {
    let folder = Folder::new();
    fs::create_dir_all(folder.path().join("out/pack=0000000")).unwrap();
    fs::write(folder.path().join("out/pack_261121_0000000.zip"), "x").unwrap();
    for more in [&[][..], &["--dry-run"], &["--clean"]] {
        folder.succeed(&[&with("3", "3", "csv")[..], more].concat());
    }
    assert!(folder.path().join("out/pack_261121_0000000.zip").exists());
}
