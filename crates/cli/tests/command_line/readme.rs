//! README.md shows what the program prints. The sequence in it changes with every change of the bytes that the built-in device
//! gives.

use std::fs;
use std::path::Path;

use crate::runner::Folder;

fn readme() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md")).unwrap()
}

#[test]
fn the_sequence_in_the_readme_is_the_one_that_is_written() {
    let folder = Folder::new();
    folder.succeed(&["--stamp", "261121"]);
    let text = fs::read_to_string(folder.path().join("out/operation_sequence_261121_0000001.csv")).unwrap();
    let head: String = text.lines().take(4).map(|line| format!("{line}\n")).collect();
    assert!(readme().contains(&head), "README.md should show\n{head}");
}

#[test]
fn the_summary_and_the_verdict_in_the_readme_are_the_ones_that_are_printed() {
    let folder = Folder::new();
    let summary = String::from_utf8(folder.succeed(&[]).stdout).unwrap();
    let verdict = String::from_utf8(folder.succeed(&["verify", "out"]).stdout).unwrap();
    let readme = readme();
    let shown = |line: &str| assert!(readme.contains(&format!("{line}\n")), "README.md should show\n{line}\n{summary}");
    // The first line goes on with times, which differ.
    let (count, _) = summary.split_once(" operations in 1 run, ").unwrap();
    assert!(readme.contains(&format!("\n{count} operations in 1 run, ")), "README.md should show\n{summary}");
    summary.lines().skip(1).for_each(shown);
    verdict.lines().for_each(shown);
}

/// A file of the repository.
fn file(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)).unwrap()
}

#[test]
fn the_picture_in_the_readme_shows_a_sequence_and_a_verdict_of_the_program() {
    let folder = Folder::new();
    folder.succeed(&["--ops", "6000", "--stamp", "261121", "--quiet"]);
    let sequence = fs::read_to_string(folder.path().join("out/operation_sequence_261121_0000001.csv")).unwrap();
    let verdict = String::from_utf8(folder.succeed(&["verify", "out"]).stdout).unwrap();
    let picture = file("docs/pictures/way.svg").replace("&quot;", "\"");
    let texts: Vec<&str> = picture.split('>').filter_map(|piece| piece.strip_suffix("</text")).collect();
    let rows = || texts.iter().filter(|text| text.ends_with("]\""));
    assert_eq!(rows().count(), 6);
    rows().for_each(|row| assert!(sequence.contains(&format!("\n{row}\n")), "way.svg shows {row}"));
    verdict.lines().for_each(|line| assert!(texts.contains(&line), "way.svg should show {line}"));
}

#[test]
fn the_page_on_clusters_shows_the_scripts_that_are_run() {
    let page = file("docs/clusters.md");
    for path in ["scripts/cluster/array.sbatch", "scripts/cluster/indexed-job.yaml"] {
        assert!(page.contains(&file(path)), "docs/clusters.md should show {path} as it is");
    }
}

#[test]
fn the_page_on_campaigns_names_a_mixed_seed_and_a_list_that_can_be_read() {
    let page = file("docs/campaigns.md");
    assert!(page.contains(&format!("`mix(42, 1, 0)` is {}.", nandseq_generate::mix(42, 1, 0))));
    let (_, list) = page.split_once("```yaml\n").unwrap();
    let (list, _) = list.split_once("```").unwrap();
    let folder = Folder::new().with("lots.yaml", list);
    let profile = folder.succeed(&["profile", "show"]).stdout;
    fs::write(folder.path().join("device.yaml"), profile).unwrap();
    fs::write(folder.path().join("reads.yaml"), "phase_conditional:\n  DEFAULT: {Read_SLC: 1}\n").unwrap();
    let text = String::from_utf8(folder.succeed(&["run-list", "lots.yaml"]).stdout).unwrap();
    assert!(text.ends_with("2 of 2 campaigns done\n"), "{text}");
}
