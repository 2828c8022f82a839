//! Campaigns in phases, where they take long.

use serde_json::Value;

use crate::in_phases::{PLAN, phased, said, the_same_in_every_way, with};
use crate::runner::{checked_manifest, legacy};

#[test]
fn runs_in_phases_of_a_legacy_device_are_the_same_too() {
    let Some(config) = legacy("config-2025-09.yaml") else { return };
    let folder = phased("plan.yaml", &PLAN.replace("0.2 %", "0.05 %"));
    the_same_in_every_way(&folder, &["--config", config.to_str().unwrap(), "--bootstrap"]);
}

#[test]
fn phases_go_with_closure() {
    let plan = PLAN.replace("{erased: 0.2 %}", "{covered: 0.1 %}");
    let folder = phased("plan.yaml", &plan);
    the_same_in_every_way(&folder, &["--closure"]);
    let manifest = checked_manifest(&folder.path().join("out"));
    assert_eq!(manifest.runs[1].operations, 0, "the first run has covered enough");
    // Coverage is counted for a phase that asks for it, without any flag.
    let folder = phased("plan.yaml", &plan);
    let summary: Value = serde_json::from_str(&said(&folder, &with(&["--summary", "json"]))).unwrap();
    assert_eq!(summary["phases"][0]["missed"], 0);
    assert!(summary["covered"]["most_hit"].as_u64().unwrap() > 0);
}
