//! Answers that tell nothing, and folders that are not the search's own: nothing is made of them, and nothing is lost.

use std::fs;

use crate::runner::{Folder, files_below};

/// A batch with two sites.
fn batch() -> Folder {
    let folder = Folder::new();
    let run = ["--ops", "200", "--seed", "7", "--stamp", "261121", "--site-count", "2", "--out-dir", "lot", "-q"];
    folder.succeed(&run);
    folder
}

const SHRINK: [&str; 4] = ["shrink", "lot", "--site", "1"];

/// A sequence fails if it erases.
const FAULT: &str = "! grep -q Block_Erase";

#[test]
fn a_campaign_is_not_shrunk_into() {
    let folder = batch();
    let before = files_below(folder.path());
    for (flags, flag) in [
        (&["--oracle", FAULT, "-o", "lot"][..], "--into"),
        (&["--oracle", FAULT, "-o", "lot/site_02"], "--into"),
        (&["--batch", "lot"], "--batch"),
        (&["--batch", "lot/site_02", "-o", "small"], "--batch"),
    ] {
        let text = folder.refuse(&[&SHRINK[..], flags].concat());
        assert!(text.contains("holds runs already") && text.contains(&format!("another folder with {flag}")), "{text}");
    }
    assert_eq!(files_below(folder.path()), before);
}

#[test]
fn an_oracle_that_lets_everything_fail_is_refused_and_a_mended_one_is_asked_anew() {
    let folder = batch();
    let shrink = |oracle: &'static str| [&SHRINK[..], &["--oracle", oracle, "-o", "small"]].concat();
    let text = folder.refuse(&shrink("false"));
    assert!(text.contains("the oracle says that a sequence without any operation fails too"), "{text}");
    assert!(text.contains("mend what judges"), "{text}");
    let text = folder.refuse(&shrink("true"));
    assert!(
        text.contains("does not fail: the oracle lets it pass") && text.contains("the same command asks again"),
        "{text}"
    );
    let mended = folder.succeed(&shrink(FAULT));
    assert!(String::from_utf8(mended.stdout).unwrap().contains("shrunk to 1 in "));
}

#[test]
fn a_tester_that_lets_the_run_pass_by_mistake_can_be_corrected() {
    let folder = batch();
    let rounds = [&SHRINK[..], &["--batch", "rounds", "-o", "small"]].concat();
    folder.succeed(&rounds);
    let with = |text: &str| {
        fs::write(folder.path().join("fails.csv"), text).unwrap();
        folder.run(&[&rounds[..], &["--round", "1", "--fails", "fails.csv", "--others", "passed"]].concat())
    };
    let passed = with("site,run,op_uid,result\n1,1,,pass\n");
    assert_eq!(passed.status.code(), Some(2));
    let text = String::from_utf8(passed.stderr).unwrap();
    assert!(text.contains("does not fail: the tester says that it passed"), "{text}");
    let failed = with("site,run,op_uid,result\n1,1,,fail\n");
    assert!(failed.status.success(), "{}", String::from_utf8_lossy(&failed.stderr));
    assert!(String::from_utf8(failed.stdout).unwrap().starts_with("round 2: "));
}

#[test]
fn the_hint_for_a_broken_sequence_names_the_profile() {
    let folder = batch();
    fs::write(folder.path().join("device.yaml"), folder.succeed(&["profile", "show"]).stdout).unwrap();
    let path = folder.path().join("lot/site_01/operation_sequence_261121_0000001.csv");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen("Block_Erase", "Block_Irase", 1)).unwrap();
    let text = folder.refuse(&[&SHRINK[..], &["--config", "device.yaml", "--oracle", FAULT, "-o", "small"]].concat());
    assert!(text.contains("`nandseqgen verify --config device.yaml lot/site_01` says everything"), "{text}");
}
