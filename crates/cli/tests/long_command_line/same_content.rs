//! What readers of written runs take for the same profile, and for a verdict on the same runs.

use std::fs;

use crate::runner::Folder;

const PROFILE: &str = include_str!("../../../profile/testdata/legacy/good.yaml");

/// Commands that read the runs in `out`.
const READERS: [&[&str]; 5] = [
    &["verify", "out"],
    &["report", "out"],
    &["export", "out", "--to", "vcd"],
    &["coverage", "report", "out"],
    &["replay", "out"],
];

fn with_runs() -> Folder {
    let folder = Folder::new().with("device.yaml", PROFILE);
    folder.succeed(&["--config", "device.yaml", "-t", "1500", "--stamp", "261121", "-q"]);
    folder
}

#[test]
fn a_comment_makes_no_other_profile() {
    let folder = with_runs();
    let folder = folder.with("device.yaml", format!("{PROFILE}\n# a comment\n"));
    for reader in READERS {
        folder.succeed(reader);
    }
    let changed = PROFILE.replace("blocks_per_die: ", "blocks_per_die: 1");
    assert_ne!(changed, PROFILE);
    let folder = folder.with("device.yaml", changed);
    assert!(folder.refuse(&["verify", "out"]).contains("is not found as it was then"));
}

#[test]
fn the_profile_of_a_manifest_goes_before_that_of_the_environment() {
    let other = PROFILE.replace("blocks_per_die: ", "blocks_per_die: 1");
    let folder = with_runs().with("other.yaml", other);
    folder.succeed(&["-t", "500", "--out-dir", "of_built_in", "-q"]);
    let run = |arguments: &[&str]| {
        let output = folder.command(arguments).env("NANDSEQGEN_CONFIG", "other.yaml").output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    for reader in READERS {
        let (code, text) = run(reader);
        assert_eq!(code, Some(0), "{reader:?}: {text}");
    }
    assert_eq!(run(&["verify", "of_built_in"]).0, Some(0));
    // A flag goes before the manifest, and the variable counts where no manifest names a profile.
    let (code, text) = run(&["verify", "out", "--config", "other.yaml"]);
    assert!(code == Some(2) && text.contains("was made for another profile"), "{text}");
    let sequence = fs::read(folder.path().join("out/operation_sequence_261121_0000001.csv")).unwrap();
    fs::write(folder.path().join("alone.csv"), sequence).unwrap();
    let (_, text) = run(&["verify", "alone.csv"]);
    assert!(!text.contains("built-in"), "{text}");
}

#[test]
fn a_verdict_on_other_runs_is_refused() {
    let folder = Folder::new();
    for out in ["one", "other"] {
        folder.succeed(&["-t", "500", "--site-count", "2", "--out-dir", out, "-q"]);
    }
    let verdict = folder.succeed(&["verify", "one", "--format", "json"]).stdout;
    let folder = folder.with("verdict.json", verdict);
    let told = folder.refuse(&["report", "other", "--violations", "verdict.json"]);
    assert!(told.starts_with("exit code 2\n"), "{told}");
    assert!(told.contains("error: `verdict.json` judges `one/site_01`, and none of these sites"), "{told}");
    assert!(told.contains("nandseqgen verify --format json other > verdict.json"), "{told}");
    let both = folder.succeed(&["report", "one/site_02", "other/site_01", "--violations", "verdict.json"]);
    let told = String::from_utf8(both.stderr).unwrap();
    assert_eq!(told.matches("does not judge").count(), 1, "{told}");
    folder.succeed(&["report", "./one", "--violations", "verdict.json"]);
    // A folder that was moved is known by its name.
    fs::rename(folder.path().join("one"), folder.path().join("moved")).unwrap();
    folder.succeed(&["report", "moved", "--violations", "verdict.json"]);
}

/// A legacy file with an operation that only `--lenient` leaves out, and its import.
fn lenient_and_imported() -> Folder {
    let text = include_str!("../../../profile/testdata/legacy/lenient--op-left-out--bad-time.yaml");
    let folder = Folder::new().with("legacy.yaml", text);
    folder.refuse(&["profile", "check", "legacy.yaml"]);
    let imported = folder.succeed(&["profile", "import", "legacy.yaml", "--lenient"]).stdout;
    folder.with("native.yaml", imported)
}

const AS_LEGACY: [&str; 3] = ["--config", "legacy.yaml", "--lenient"];
const AS_NATIVE: [&str; 2] = ["--config", "native.yaml"];

#[test]
fn a_campaign_goes_on_with_the_import_of_its_lenient_profile_and_back() {
    let folder = lenient_and_imported();
    let common = ["-t", "1500", "--stamp", "261121", "-q", "-n"];
    for sites in [&[][..], &["--site-count", "2"]] {
        let make = |profile: &[&str], runs: &'static str, more: &[&str]| {
            folder.succeed(&[profile, sites, &common, &[runs], more].concat());
        };
        make(&AS_LEGACY, "3", &["--clean", "--out-dir", "whole"]);
        let tables = |out: &str| {
            let mut files = crate::runner::files_below(&folder.path().join(out));
            files.retain(|name, _| name.ends_with(".csv"));
            files
        };
        for (first, then, out) in [(&AS_LEGACY[..], &AS_NATIVE[..], "one"), (&AS_NATIVE, &AS_LEGACY, "other")] {
            make(first, "2", &["--clean", "--out-dir", out]);
            make(then, "3", &["--out-dir", out, "--resume", out]);
            assert_eq!(tables(out), tables("whole"), "{sites:?} {out}");
            folder.succeed(&["verify", out]);
            for config in ["legacy.yaml", "native.yaml"] {
                folder.succeed(&["replay", out, "--config", config]);
            }
        }
    }
}

#[test]
fn shards_of_a_lenient_profile_and_of_its_import_are_joined() {
    let folder = lenient_and_imported();
    let common = ["-t", "1500", "--stamp", "261121", "-q", "--site-count", "2", "--shard"];
    folder.succeed(&[&AS_LEGACY[..], &common, &["1/2", "--out-dir", "one"]].concat());
    folder.succeed(&[&AS_NATIVE[..], &common, &["2/2", "--out-dir", "other"]].concat());
    folder.succeed(&["merge", "one", "other", "--into", "both"]);
    folder.succeed(&["verify", "both"]);
}

#[test]
fn another_profile_is_another_campaign_however_it_is_read() {
    let folder = lenient_and_imported();
    let native = fs::read_to_string(folder.path().join("native.yaml")).unwrap();
    let changed = native.replacen("pages_per_block: 1", "pages_per_block: 2", 1);
    assert_ne!(changed, native);
    let folder = folder.with("changed.yaml", changed);
    folder.succeed(&[&AS_LEGACY[..], &["-t", "1500", "-q", "-n", "2"]].concat());
    let told = folder.refuse(&["--config", "changed.yaml", "-t", "1500", "-q", "-n", "3", "--resume", "out"]);
    assert!(told.contains("`out` holds runs of another campaign: it is of another profile, `"), "{told}");
}
