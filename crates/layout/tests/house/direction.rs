//! Every crate depends only on the crates that it may use, and has the lints of the workspace.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

use crate::none;
use crate::source::root;

/// The crates of the workspace that each crate may depend on. Data flows in one direction.
const MAY_DEPEND_ON: [(&str, &[&str]); 20] = [
    ("nandseq-profile", &[]),
    ("nandseq-plan", &["nandseq-profile"]),
    ("nandseq-trace", &["nandseq-profile"]),
    ("nandseq-output", &["nandseq-profile", "nandseq-trace"]),
    ("nandseq-input", &["nandseq-profile", "nandseq-trace"]),
    ("nandseq-parquet", &["nandseq-profile", "nandseq-trace", "nandseq-output", "nandseq-input"]),
    ("nandseq-arrow", &["nandseq-profile", "nandseq-trace", "nandseq-output", "nandseq-input"]),
    ("nandseq-device", &["nandseq-profile"]),
    ("nandseq-generate", &["nandseq-profile", "nandseq-plan", "nandseq-device", "nandseq-trace"]),
    ("nandseq-verify", &["nandseq-profile", "nandseq-trace", "nandseq-input"]),
    ("nandseq-mutants", &["nandseq-profile", "nandseq-trace", "nandseq-input", "nandseq-verify"]),
    ("nandseq-report", &["nandseq-profile", "nandseq-plan", "nandseq-trace", "nandseq-input"]),
    ("nandseq-diagnose", &["nandseq-profile", "nandseq-plan", "nandseq-trace", "nandseq-input", "nandseq-report"]),
    ("nandseq-tester", &["nandseq-profile", "nandseq-trace", "nandseq-input"]),
    ("nandseq-simulate", &["nandseq-profile", "nandseq-plan", "nandseq-trace", "nandseq-input"]),
    ("nandseq-reach", &["nandseq-profile", "nandseq-plan", "nandseq-device"]),
    ("nandseq-shrink", &["nandseq-profile", "nandseq-device", "nandseq-trace", "nandseq-input"]),
    (
        "nandseqgen",
        &[
            "nandseq-profile",
            "nandseq-plan",
            "nandseq-device",
            "nandseq-generate",
            "nandseq-trace",
            "nandseq-output",
            "nandseq-input",
            "nandseq-verify",
            "nandseq-reach",
            "nandseq-parquet",
            "nandseq-report",
            "nandseq-diagnose",
            "nandseq-tester",
            "nandseq-simulate",
            "nandseq-shrink",
        ],
    ),
    (
        "nandseq-python",
        &["nandseqgen", "nandseq-arrow", "nandseq-profile", "nandseq-trace", "nandseq-input", "nandseq-verify"],
    ),
    ("nandseq-layout", &[]),
];

/// The crates that the tests of a crate may use besides. The verifier's tests are as independent as the verifier: the crate that
/// damages sequences for them does not use the crates that generate them.
const TESTS_MAY_ALSO_USE: [(&str, &[&str]); 7] = [
    ("nandseq-verify", &["nandseq-mutants"]),
    ("nandseq-generate", &["nandseq-output", "nandseq-input", "nandseq-verify", "nandseq-reach"]),
    ("nandseq-arrow", &["nandseq-generate"]),
    ("nandseq-report", &["nandseq-generate", "nandseq-output", "nandseq-reach"]),
    ("nandseq-diagnose", &["nandseq-generate", "nandseq-output"]),
    ("nandseq-shrink", &["nandseq-generate", "nandseq-verify"]),
    ("nandseq-layout", &["nandseq-profile"]),
];

fn metadata() -> Value {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn crates_depend_in_one_direction() {
    let allowed = BTreeMap::from(MAY_DEPEND_ON);
    let in_tests = BTreeMap::from(TESTS_MAY_ALSO_USE);
    let metadata = metadata();
    let mut breaches = Vec::new();
    for package in metadata["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        let Some(may) = allowed.get(name) else {
            breaches.push(format!("{name} is not drawn in the map of crates"));
            continue;
        };
        let tests_may = in_tests.get(name).copied().unwrap_or_default();
        for dependency in package["dependencies"].as_array().unwrap() {
            let other = dependency["name"].as_str().unwrap();
            let for_tests = dependency["kind"] == "dev";
            let known = may.contains(&other) || (for_tests && tests_may.contains(&other));
            if allowed.contains_key(other) && !known {
                breaches.push(format!("{name} depends on {other}"));
            }
        }
    }
    none("dependencies that the map of crates does not draw:", &breaches);
}

#[test]
fn every_crate_takes_the_lints_of_the_workspace_which_forbid_unsafe_code() {
    let workspace = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(workspace.contains("unsafe_code = \"forbid\""));
    let mut breaches = Vec::new();
    for package in metadata()["packages"].as_array().unwrap() {
        let path = package["manifest_path"].as_str().unwrap();
        let manifest = std::fs::read_to_string(path).unwrap();
        if !manifest.contains("[lints]\nworkspace = true") {
            breaches.push(package["name"].to_string());
        }
    }
    none("crates without `[lints] workspace = true`:", &breaches);
}
