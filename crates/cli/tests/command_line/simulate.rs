//! `simulate`: written runs against a planted fault, and what cannot be played.

use std::fs;

use insta::assert_snapshot;

use crate::runner::Folder;

const FAULT: &str = "schema: 1\nname: reads soon after an erase\n\
                     when: {pair: {first: {class: erase}, second: {class: read, within: 0-200}}}\nprobability: 0.5\nnoise: 0.2\n";

/// A folder with a batch of two sites with three runs each, and a fault.
fn batch() -> Folder {
    let folder = Folder::new().with("fault.yaml", FAULT);
    folder.succeed(&["--ops", "300", "-n", "3", "--site-count", "2", "--out-dir", "lot", "-q"]);
    folder
}

#[test]
fn the_same_fails_are_written_whenever_and_in_both_forms() {
    let folder = batch();
    let told = folder.succeed(&["simulate", "lot", "--fault", "fault.yaml"]).stdout;
    let read = |name: &str| fs::read(folder.path().join(name)).unwrap();
    let csv = String::from_utf8(read("fails.csv")).unwrap();
    let rows: Vec<&str> = csv.lines().collect();
    assert_eq!(rows[0], "site,run,op_uid,result");
    let failed = rows.iter().filter(|row| row.ends_with(",fail")).count();
    let runs: std::collections::BTreeSet<&str> = rows[1..].iter().map(|row| &row[..3]).collect();
    assert!(failed > 0 && runs.len() == 6, "{csv}");
    let told = String::from_utf8(told).unwrap();
    assert!(
        told.starts_with("wrote `fails.csv`, CSV: ") && told.contains(" of 6 runs of 2 sites failed, at "),
        "{told}"
    );
    let again = folder.refuse(&["simulate", "lot", "--fault", "fault.yaml", "--seed", "2"]);
    assert!(again.contains("`fails.csv` is there") && again.contains("--output fails.csv"), "{again}");
    assert_eq!(read("fails.csv"), csv.as_bytes());
    let to_stdout = folder.succeed(&["simulate", "lot", "--fault", "fault.yaml", "-o", "-"]).stdout;
    assert_eq!(to_stdout, csv.as_bytes());
    for (name, more) in [("a.stdf", &[][..]), ("b.std", &[]), ("c", &["--format", "stdf"])] {
        folder.succeed(&[&["simulate", "lot", "--fault", "fault.yaml", "-q", "-o", name], more].concat());
        assert!(read(name).starts_with(&[2, 0, 0, 10, 2, 4]) && read(name) == read("a.stdf"));
    }
    folder.succeed(&["simulate", "lot", "--fault", "fault.yaml", "--seed", "2", "-o", "other.csv"]);
    assert_ne!(read("other.csv"), csv.as_bytes());
    // One site alone gives the rows that it has in the batch.
    folder.succeed(&["simulate", "lot/site_02", "--fault", "fault.yaml", "-o", "site.csv"]);
    let of_site: Vec<&str> = rows.iter().copied().filter(|row| !row.starts_with("1,")).collect();
    assert_eq!(String::from_utf8(read("site.csv")).unwrap().lines().collect::<Vec<_>>(), of_site);
}

#[test]
fn what_cannot_be_played_is_refused_with_what_to_do() {
    let folder = batch();
    folder.succeed(&["--ops", "20", "--seed", "7", "--site-count", "1", "--out-dir", "lot2", "-q"]);
    let mut told = String::new();
    for (text, arguments) in [
        (FAULT, &["simulate", "lot"][..]),
        (FAULT, &["simulate", "--fault", "fault.yaml"]),
        (FAULT, &["simulate", "lot", "--fault", "nowhere.yaml"]),
        (FAULT, &["simulate", "nowhere", "--fault", "fault.yaml"]),
        (FAULT, &["simulate", "lot", "--fault", "fault.yaml", "-o", "fault.yaml"]),
        (FAULT, &["simulate", "lot", "--fault", "fault.yaml", "-o", "lot"]),
        (FAULT, &["simulate", "lot", "lot2/site_01", "--fault", "fault.yaml"]),
        (FAULT, &["simulate", "lot", "--schema"]),
        ("schema: 1\nname: a\nwhen: {wear: {class: raed, erases: 2}}\n", &["simulate", "lot", "--fault", "fault.yaml"]),
    ] {
        fs::write(folder.path().join("fault.yaml"), text).unwrap();
        told += &format!("{}\n{}\n", arguments.join(" "), folder.refuse(arguments));
    }
    assert_snapshot!(told);
    let schema = folder.succeed(&["simulate", "--schema"]).stdout;
    assert_eq!(String::from_utf8(schema).unwrap(), nandseq_simulate::schema_json());
}

#[test]
fn a_fault_that_does_not_show_says_why_and_sites_that_are_not_there_are_named() {
    let folder = batch();
    let mut told = String::new();
    for (when, more) in [
        ("pair: {first: {class: erase}, second: {class: read, within: 0.001}}", ""),
        ("address: {op: Reset_LUN, die: 0}", "sites: 2-4"),
        ("address: {class: read, die: 0}", "sites: 7"),
        ("address: {class: read, die: 0}", "sites: 2"),
    ] {
        fs::write(folder.path().join("fault.yaml"), format!("schema: 1\nname: a\nwhen: {{{when}}}\n{more}\n")).unwrap();
        let output = folder.succeed(&["simulate", "lot", "--fault", "fault.yaml", "-o", "fails.csv"]);
        told += &format!("{when} {more}\n{}", String::from_utf8(output.stderr).unwrap());
    }
    assert_snapshot!(told);
}

#[test]
fn a_site_that_stdf_cannot_number_is_written_as_csv() {
    let folder = Folder::new().with("fault.yaml", FAULT);
    folder.succeed(&["--ops", "50", "--site-start", "256", "--site-count", "1", "--out-dir", "lot", "-q"]);
    let text = folder.refuse(&["simulate", "lot", "--fault", "fault.yaml", "-o", "fails.stdf"]);
    let expected = "exit code 2\nerror: STDF has sites up to 255, and there is a site 256\n  help: write the fails as CSV: --format csv\n";
    assert_eq!(text, expected);
    folder.succeed(&["simulate", "lot", "--fault", "fault.yaml"]);
}

#[test]
fn a_page_marks_the_fails_of_its_runs_and_refuses_those_of_others() {
    let folder = batch();
    folder.succeed(&["simulate", "lot", "--fault", "fault.yaml", "-o", "fails.stdf", "-q"]);
    folder.succeed(&["simulate", "lot", "--fault", "fault.yaml", "-q"]);
    let csv = fs::read_to_string(folder.path().join("fails.csv")).unwrap();
    let failed: Vec<&str> = csv.lines().filter(|row| row.ends_with(",fail")).collect();
    let page = |arguments: &[&str]| {
        folder.succeed(&[&["report", "lot", "-o", "page.html"], arguments].concat());
        fs::read_to_string(folder.path().join("page.html")).unwrap()
    };
    let marked = page(&["--fails", "fails.stdf"]);
    assert!(marked.contains("\"fails\":{\"runs\":6,\"failed\":") && marked == page(&["--fails", "fails.csv"]));
    assert_eq!(marked.matches("\"rule\":\"failed\"").count(), failed.len());
    // Of a part of the runs only its own are shown, and all are judged.
    let of_site = page(&["--fails", "fails.csv", "--site", "2"]);
    let wanted = failed.iter().filter(|row| row.starts_with("2,")).count();
    assert_eq!(of_site.matches("\"rule\":\"failed\"").count(), wanted);
    assert!(page(&[]).contains("\"fails\":null"));
    let mut told = String::new();
    for (rows, more) in [
        ("site,run,op_uid\n1,1,\n3,1,7\n", &[][..]),
        ("site,run,op_uid\n1,4,7\n", &[]),
        ("site,run,op_uid\n1,1,99999\n", &[]),
        ("site,run,op_uid\n2,2,\n2,2,1\n", &["--site", "1"]),
        ("place,run,op_uid\n1,1,7\n", &["--map", "site=place,run=runs"]),
        ("site,run,op_uid\n", &["--map", "sites=place"]),
    ] {
        fs::write(folder.path().join("fails.csv"), rows).unwrap();
        told += &folder.refuse(&[&["report", "lot", "-o", "other.html", "--fails", "fails.csv"], more].concat());
    }
    fs::write(folder.path().join("fails.csv"), &csv).unwrap();
    told += &folder.refuse(&["report", "lot", "-o", "fails.csv", "--fails", "fails.csv"]);
    told += &folder.refuse(&["report", "lot", "-o", "other.html", "--fails", "nowhere.csv"]);
    assert_snapshot!(told);
}
