//! A `shrink` that is ended at each write: whatever files an end leaves, the same command goes on to the same ones.
//!
//! The files of a call are put back one after another in the order in which the program writes them, the next one half written under a
//! temporary name, and the call is made again.

use std::collections::BTreeMap;
use std::fs;

use crate::runner::{Folder, files_below};

type Files = BTreeMap<String, Vec<u8>>;

const SHRINK: [&str; 8] = ["shrink", "lot", "--batch", "rounds", "-o", "small", "--repeat", "2"];

/// A read after an erase fails, in two of three tries.
fn fails(sequence: &str, attempt: u64) -> bool {
    let is_there = sequence.split_once("Block_Erase").is_some_and(|(_, after)| after.contains("Page_Read"));
    is_there && !(sequence.len() as u64 + attempt).is_multiple_of(3)
}

/// Where a file comes among those that a call writes: sites one after another, each with its manifest at its end, and that of a round last.
fn order(name: &str) -> (usize, &str, bool) {
    let (folder, file) = name.rsplit_once('/').unwrap();
    let rank = match file {
        "best.csv" => 0,
        "shrink-state.json" => 1,
        "story.txt" => 2,
        "story.json" => 3,
        "manifest.json" if folder.matches('/').count() == 1 => 5,
        _ => 4,
    };
    (rank, folder, file == "manifest.json")
}

fn put(folder: &Folder, files: &Files) {
    for (name, bytes) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

/// The files without those under a temporary name.
fn finished(folder: &Folder) -> Files {
    let is_finished = |name: &str| !name.rsplit('/').next().unwrap().starts_with('.');
    files_below(folder.path()).into_iter().filter(|(name, _)| is_finished(name)).collect()
}

/// Makes the call in a folder with what an end after each `step`th write would have left, and once after the last one. Returns how many ends there were.
fn goes_on_from_each_write(arguments: &[&str], (before, after): (&Files, &Files), step: usize) -> usize {
    let mut written: Vec<&String> = after.keys().filter(|name| before.get(*name) != after.get(*name)).collect();
    written.sort_by(|one, other| order(one).cmp(&order(other)));
    let ends = (0..written.len()).step_by(step).chain([written.len()]);
    ends.map(|end| {
        let folder = Folder::new();
        put(&folder, before);
        put(&folder, &written[..end].iter().map(|name| ((*name).clone(), after[*name].clone())).collect());
        if let Some(next) = written.get(end) {
            let (parent, file) = next.rsplit_once('/').unwrap();
            let half = after[*next][..after[*next].len() / 2].to_vec();
            put(&folder, &Files::from([(format!("{parent}/.{file}.nandseqgen-partial"), half)]));
        }
        folder.succeed(arguments);
        let left = finished(&folder);
        let differs = left.iter().find(|(name, bytes)| after.get(*name) != Some(bytes)).map(|(name, _)| name);
        assert!(left.len() == after.len() && differs.is_none(), "after {end} files: {differs:?}");
    })
    .count()
}

#[test]
fn whatever_files_an_end_leaves_the_same_call_goes_on_to_the_same_ones() {
    let folder = Folder::new();
    folder.succeed(&["-t", "12000", "--seed", "7", "--stamp", "261121", "-q", "--out-dir", "lot", "--no-bootstrap"]);
    let (mut round, mut ends) = (0, 0);
    let mut arguments: Vec<String> = SHRINK.map(str::to_owned).to_vec();
    loop {
        let before = finished(&folder);
        let call: Vec<&str> = arguments.iter().map(String::as_str).collect();
        folder.succeed(&call);
        let after = finished(&folder);
        let is_over = after.contains_key("small/manifest.json");
        ends += goes_on_from_each_write(&call, (&before, &after), if is_over { 1 } else { 11 });
        if is_over {
            break;
        }
        round += 1;
        assert!(round < 60);
        let mut answers = ["site,run,op_uid\n".to_owned(), "site,run,op_uid\n".to_owned()];
        let sequences = after.iter().filter(|(name, _)| {
            name.starts_with(&format!("rounds/round_{round:04}/")) && name.contains("/operation_sequence_")
        });
        for (site, (_, sequence)) in (1..).zip(sequences) {
            for (attempt, answers) in (0..).zip(&mut answers) {
                let failed = fails(std::str::from_utf8(sequence).unwrap(), attempt);
                *answers += &format!("{site},1,{}\n", if failed { "1" } else { "" });
            }
        }
        fs::write(folder.path().join("first.csv"), &answers[0]).unwrap();
        fs::write(folder.path().join("second.csv"), &answers[1]).unwrap();
        arguments = SHRINK.map(str::to_owned).to_vec();
        for more in ["--round", &round.to_string(), "--fails", "first.csv", "--fails", "second.csv"] {
            arguments.push(more.to_owned());
        }
    }
    assert!(ends > 100, "{ends}");
}
