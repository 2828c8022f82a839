//! Parts of a batch: chosen sites, shards, seed formulas.

use std::fs;

use nandseq_trace::manifest::BatchManifest;

use crate::runner::{Folder, checked_manifest, files_below};

const BATCH: [&str; 11] =
    ["-t", "1500", "-n", "2", "--seed", "1000", "--site-count", "6", "--site-start", "3", "--stamp=261121"];

fn with<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    [&BATCH[..], arguments].concat()
}

fn batch() -> Folder {
    let folder = Folder::new();
    folder.succeed(&BATCH);
    folder
}

#[test]
fn chosen_sites_are_those_of_the_whole_batch() {
    let whole = batch();
    let chosen = Folder::new();
    chosen.succeed(&with(&["--sites", "8,4-5"]));
    let names: Vec<String> = chosen.files().into_keys().collect();
    for (name, bytes) in chosen.files().into_iter().filter(|(name, _)| name != "out/manifest.json") {
        assert!(whole.files()[&name] == bytes, "{name}");
    }
    for site in 3..9 {
        let expected = [4, 5, 8].contains(&site);
        assert_eq!(names.iter().any(|name| name.starts_with(&format!("out/site_{site:02}/"))), expected, "{site}");
    }
    // Without a number of sites the batch has no end.
    let open = Folder::new();
    let flags = ["-t", "1500", "-n", "2", "--seed", "1000", "--site-start", "3", "--stamp", "261121"];
    let said = |more: &[&str]| String::from_utf8(open.succeed(&[&flags[..], more].concat()).stderr).unwrap();
    let note = "note: --sites without --site-count: as site 5 of any batch that begins with site 3 and --seed 1000; \
                no command will say that it lacks other sites\n";
    assert!(said(&["--sites", "5"]).starts_with(note));
    let site = |folder: &Folder| files_below(&folder.path().join("out/site_05"));
    assert!(site(&open) == site(&whole));
    let noted = said(&["--sites", "5,7", "--dry-run", "--site-dir-pattern", "s{site_id}"]);
    assert!(noted.starts_with("note: --sites without --site-count: as sites 5,7 of any batch"), "{noted}");
    assert!(!noted.contains("has no effect"), "the pattern names the folders: {noted}");
    assert!(!said(&["--sites", "5", "--site-count", "3", "--dry-run"]).contains("--sites without"));
}

#[test]
fn a_site_made_again_leaves_everything_as_it_was() {
    let whole = batch();
    let before = whole.files();
    fs::write(whole.path().join("out/site_05/operation_sequence_261121_0000001.csv"), "damaged").unwrap();
    whole.succeed(&with(&["--sites", "5"]));
    assert!(whole.files() == before);
}

#[test]
fn sites_made_one_after_another_end_as_the_batch() {
    let whole = batch();
    let parts = Folder::new();
    for list in ["4", "3,8", "5-7"] {
        parts.succeed(&with(&["--sites", list]));
    }
    assert!(parts.files() == whole.files());
    // Another campaign's manifest is not continued.
    parts.succeed(&with(&["--sites", "4", "--pc-seed", "7"]));
    let bytes = fs::read(parts.path().join("out/manifest.json")).unwrap();
    let manifest: BatchManifest = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(manifest.sites.iter().map(|site| site.site).collect::<Vec<_>>(), [4]);
}

#[test]
fn the_arguments_of_a_part_make_the_part_again() {
    let (part, again) = (Folder::new(), Folder::new());
    part.succeed(&with(&["--sites", "4,6-7", "--seed-formula", "hashed"]));
    let bytes = fs::read(part.path().join("out/manifest.json")).unwrap();
    let manifest: BatchManifest = serde_json::from_slice(&bytes).unwrap();
    let arguments: Vec<&str> = manifest.origin.arguments.iter().map(String::as_str).collect();
    again.succeed(&[&arguments[..], &["--stamp", "261121"]].concat());
    assert!(part.files() == again.files());
}

#[test]
fn hashed_seeds_make_other_sites_that_neighbouring_campaigns_do_not_share() {
    let sequences = |seed: &str, formula: &str| -> Vec<Vec<u8>> {
        let folder = Folder::new();
        let flags = ["-t", "800", "--site-count", "3", "--stamp", "261121", "--seed", seed, "--seed-formula", formula];
        folder.succeed(&flags);
        let files = folder.files().into_iter();
        files.filter(|(name, _)| name.contains("operation_sequence_")).map(|(_, bytes)| bytes).collect()
    };
    let shared = |one: &[Vec<u8>], other: &[Vec<u8>]| one.iter().filter(|bytes| other.contains(bytes)).count();
    let (first, next) = (sequences("1000", "sequential"), sequences("1001", "sequential"));
    assert_eq!(shared(&first, &next), 2, "site 2 of the one is site 1 of the other");
    let (hashed, next) = (sequences("1000", "hashed"), sequences("1001", "hashed"));
    assert_eq!(shared(&hashed, &next), 0);
    assert_eq!(shared(&hashed, &first), 0);
    assert!(hashed == sequences("1000", "hashed"));
}

#[test]
fn a_hashed_site_is_reproduced_alone_and_its_manifest_says_so() {
    let whole = Folder::new();
    whole.succeed(&with(&["--seed-formula", "hashed"]));
    let manifest = checked_manifest(&whole.path().join("out/site_07"));
    assert_eq!(manifest.seed_formula, "hashed");
    assert_eq!(manifest.site_seed, nandseq_generate::mix(1000, 7, 0));
    assert_eq!(manifest.runs[1].seed, nandseq_generate::mix(1000, 7, 1));
    let alone = Folder::new();
    let arguments: Vec<&str> = manifest.origin.arguments.iter().map(String::as_str).collect();
    alone.succeed(&[&arguments[..], &["--stamp", "261121"]].concat());
    assert!(files_below(&alone.path().join("out/site_07")) == files_below(&whole.path().join("out/site_07")));
}

#[test]
fn a_batch_may_reach_from_the_first_number_to_the_last() {
    let folder = Folder::new();
    let last = u64::MAX.to_string();
    folder.succeed(&["--site-start", "0", "--sites", &last, "--seed-formula", "hashed", "--ops", "3", "-q"]);
    checked_manifest(&folder.path().join(format!("out/site_{last}")));
}

#[test]
fn a_batch_with_sequential_seeds_warns_of_its_neighbours() {
    let warnings = |flags: &[&str]| {
        let folder = Folder::new();
        folder.succeed(&[&["-t", "100", "--seed", "2"], flags].concat());
        let bytes = fs::read(folder.path().join("out/manifest.json")).unwrap();
        serde_json::from_slice::<BatchManifest>(&bytes).unwrap().warnings
    };
    let warned = warnings(&["--site-count", "4"]);
    assert_eq!(warned.len(), 1);
    assert!(warned[0].contains("any other base seed from 0 to 5 repeats sites"), "{warned:?}");
    assert!(warnings(&["--site-count", "1"]).is_empty());
    assert!(warnings(&["--site-count", "4", "--seed-formula", "hashed"]).is_empty());
}
