//! `nandseqgen diagnose` on whatever a fault can say.

use serde_json::Value;

use crate::runner::Folder;

/// What a suspect says of things that only some faults have: another die, the data of the page before, half of the pages, a
/// plane of any die.
#[test]
fn whatever_can_be_planted_is_named() {
    let mut folder = Folder::new();
    folder.succeed(&[
        "--site-count",
        "8",
        "-n",
        "3",
        "-t",
        "40000",
        "-q",
        "--out-dir",
        "lot",
        "--outputs",
        "operation_sequence",
    ]);
    for (when, said) in [
        (
            "{pair: {first: {base: ERASE}, second: {base: ERASE, die: other than first, within: 0-1000}}}",
            "ERASE on another die",
        ),
        ("{data: {class: page_read, previous_page: 0-127}}", "page before with a pattern from 0 to 127"),
        ("{address: {class: page_read, pages: [1, 3, 5, 7, 9, 11, 13, 15]}}", "odd pages"),
        ("{address: {class: page_read, plane: 2}}", "plane 2 of any die"),
    ] {
        folder = folder.with("fault.yaml", format!("schema: 1\nname: one\nwhen: {when}\n"));
        folder.succeed(&["simulate", "lot", "--fault", "fault.yaml", "-o", "fails.csv", "-q"]);
        let output = folder.succeed(&["diagnose", "lot", "--fails", "fails.csv", "--format", "json"]);
        let diagnosis: Value = serde_json::from_slice(&output.stdout).unwrap();
        let what = diagnosis["suspects"][0]["what"].as_str().unwrap();
        assert!(what.contains(said), "{when}: {diagnosis:#}");
    }
}
