//! `report`, `export`, `coverage`: what they write, and how they end.

use std::fs;

use crate::runner::Folder;

/// Two sites of two runs.
fn made() -> Folder {
    let folder = Folder::new();
    folder.succeed(&["-t", "20000", "-n", "2", "--site-count", "2", "--stamp", "261122", "--quiet"]);
    folder
}

fn text(output: std::process::Output) -> String {
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_page_holds_every_site_and_its_coverage() {
    let folder = made();
    let told = text(folder.succeed(&["report", "out", "-o", "pages/report.html"]));
    assert!(told.starts_with("wrote `pages/report.html`, "), "{told}");
    let page = fs::read_to_string(folder.path().join("pages/report.html")).unwrap();
    for part in ["\"name\":\"site_01\"", "\"name\":\"site_02\"", "\"Covered\"", "\"refusals\":[{"] {
        assert!(page.contains(part), "the page lacks {part}");
    }
    assert!(!page.contains("://"), "the page names an address");
}

#[test]
fn timelines_are_written_in_both_forms() {
    let folder = made();
    folder.succeed(&["export", "out", "--to", "perfetto"]);
    folder.succeed(&["export", "out", "--to", "vcd", "-o", "all.vcd"]);
    assert!(!fs::read(folder.path().join("timeline.pftrace")).unwrap().is_empty());
    let dump = fs::read_to_string(folder.path().join("all.vcd")).unwrap();
    assert!(dump.contains("$scope module site_02 $end") && dump.contains("d1_p3_state"), "{}", &dump[..500]);
}

#[test]
fn coverage_counted_apart_and_merged_is_coverage_counted_at_once() {
    let folder = made();
    folder.succeed(&["coverage", "merge", "out/site_01", "-o", "one.json"]);
    folder.succeed(&["coverage", "merge", "out/site_02", "-o", "two.json"]);
    folder.succeed(&["coverage", "merge", "two.json", "one.json", "-o", "both.json"]);
    folder.succeed(&["coverage", "merge", "out", "-o", "all.json"]);
    let read = |name: &str| fs::read(folder.path().join(name)).unwrap();
    assert!(read("both.json") == read("all.json"));
    let report = text(folder.succeed(&["coverage", "report", "out"]));
    assert!(report.contains("site_02 run 2") && report.contains("Holes, nearest first"), "{report}");
    let json = text(folder.succeed(&["coverage", "report", "both.json", "--format", "json"]));
    assert!(serde_json::from_str::<serde_json::Value>(&json).unwrap()["merged"]["hit"].as_u64() > Some(0));
    let diff = text(folder.succeed(&["coverage", "diff", "one.json", "two.json"]));
    assert!(diff.contains("cells only the first hit"), "{diff}");
}

#[test]
fn a_gate_ends_with_1_when_too_little_was_covered() {
    let folder = made();
    folder.succeed(&["coverage", "gate", "out", "--min", "0"]);
    let output = folder.run(&["coverage", "gate", "out", "--min", "99.5"]);
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains("too little (99.5 % wanted)"), "{told}");
}

#[test]
fn what_cannot_be_read_is_said_and_nothing_is_written() {
    let folder = made().with("x.json", "{}").with("no.txt", "nothing");
    let refused = |arguments: &[&str]| folder.refuse(arguments);
    assert!(refused(&["report", "nowhere"]).starts_with("exit code 2\nerror: cannot read"));
    assert!(refused(&["coverage", "report", "x.json"]).contains("no coverage: missing field `schema`"));
    assert!(refused(&["report", "out", "--violations", "no.txt"]).contains("`no.txt` is no verdict"));
    assert!(refused(&["coverage", "gate", "out", "--min", "101"]).contains("a percentage is 0 to 100"));
    let name = "out/site_01/op_state_name_input_time_count_261122_0000001.csv";
    fs::remove_file(folder.path().join(name)).unwrap();
    assert!(refused(&["coverage", "report", "out"]).contains("generate it too"));
}
