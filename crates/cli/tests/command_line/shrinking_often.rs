//! A run is shrunk whose fault does not show in every try.

use std::fs;

use crate::runner::Folder;

/// A read after an erase fails in each second try, which the oracle counts.
const FAULT: &str = r#"echo >> tries
awk '/Block_Erase/ {e = 1} /Page_Read/ {if (e) f = 1} END {exit !f}' "$1" || exit 0
exit $(($(wc -l < tries) % 2))"#;

#[test]
fn a_fault_of_each_second_try_is_shrunk_and_the_story_says_how_often_the_result_failed() {
    let folder = Folder::new().with("oracle.sh", FAULT);
    folder.succeed(&["-t", "12000", "--seed", "7", "--stamp", "261121", "-q", "--out-dir", "lot", "--no-bootstrap"]);
    let shrink = ["shrink", "lot", "--oracle", "sh oracle.sh", "--repeat", "5", "-o", "small"];
    let story = String::from_utf8(folder.succeed(&shrink).stdout).unwrap();
    let line = story.lines().find(|line| line.starts_with("what remains failed ")).unwrap();
    let numbers: Vec<u64> = line.split(' ').filter_map(|word| word.parse().ok()).collect();
    // An odd number of tries differs by one from half of them, and each time that it was asked about had five.
    assert!(numbers[1] >= 20 && (2 * numbers[0]).abs_diff(numbers[1]) <= numbers[1] / 5, "{line}");
    let json: serde_json::Value =
        serde_json::from_slice(&fs::read(folder.path().join("small/story.json")).unwrap()).unwrap();
    assert!(json["tries_of_result"]["fails"] == numbers[0] && json["tries_of_result"]["tries"] == numbers[1]);
    assert!(json["operations"].as_array().unwrap().len() <= 8, "{story}");
    let refused = folder.refuse(&[&shrink[..], &["--fails-at-least", "2"]].concat());
    assert!(refused.contains("it was begun with another --repeat or --fails-at-least"), "{refused}");
}
