//! Unusable input files: each is refused with what is wrong, where, and what to do. Usable ones: what they change.

use std::fs;
use std::path::Path;

use insta::assert_snapshot;

use crate::runner::{Folder, checked_manifest, legacy};

fn refused(folder: &Folder, arguments: &[&str]) -> String {
    let text = folder.refuse(arguments);
    assert!(text.starts_with("exit code 2\n"), "{text}");
    text
}

#[test]
fn a_profile_that_is_not_there() {
    assert_snapshot!(refused(&Folder::new(), &["--config", "device.yaml"]));
}

#[test]
fn a_folder_instead_of_a_profile() {
    assert_snapshot!(refused(&Folder::new(), &["--config", "."]));
}

#[test]
fn an_empty_profile() {
    assert_snapshot!(refused(&Folder::new().with("device.yaml", ""), &["--config", "device.yaml"]));
}

#[test]
fn noise_instead_of_a_profile() {
    let noise: Vec<u8> = (0..4_000u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    assert_snapshot!(refused(&Folder::new().with("device.yaml", noise), &["--config", "device.yaml"]));
}

#[test]
fn a_badlist_that_is_not_there() {
    assert_snapshot!(refused(&Folder::new(), &["--badlist", "bad.csv"]));
}

#[test]
fn a_badlist_with_every_mistake() {
    let folder = Folder::new().with("bad.csv", "die,block\n0,5\n2,5\n0,1020\n-1,0\n0,five\n0\n1,2,3\n");
    assert_snapshot!(refused(&folder, &["--badlist", "bad.csv"]));
}

#[test]
fn a_badlist_without_its_header() {
    assert_snapshot!(refused(&Folder::new().with("bad.csv", "0,5\n"), &["--badlist", "bad.csv"]));
}

#[test]
fn a_badlist_that_is_empty() {
    assert_snapshot!(refused(&Folder::new().with("bad.csv", ""), &["--badlist", "bad.csv"]));
}

#[test]
fn a_badlist_that_is_found_by_itself_is_checked_too() {
    assert_snapshot!(refused(&Folder::new().with("badlist.csv", "die,block\n7,0\n"), &[]));
}

#[test]
fn a_badlist_that_is_found_by_itself_is_used_and_recorded() {
    // Only blocks 0 to 7 of die 0 are good.
    let bad: String = (0..1020).flat_map(|block| [format!("1,{block}\n"), format!("0,{block}\n")]).skip(16).collect();
    let first_of_die_1: String = (0..8).map(|block| format!("1,{block}\n")).collect();
    let folder = Folder::new().with("badlist.csv", format!("die,block\n{first_of_die_1}{bad}"));
    folder.succeed(&["--ops", "3000", "--stamp", "261121"]);
    let manifest = checked_manifest(&folder.path().join("out"));
    assert_eq!(manifest.origin.badlist.unwrap().source, "badlist.csv");
    let text = fs::read_to_string(folder.path().join("out/operation_sequence_261121_0000001.csv")).unwrap();
    let blocks: Vec<(u64, u64)> = text
        .split("{\"\"die\"\":")
        .skip(1)
        .filter_map(|object| {
            let (die, rest) = object.split_once(',')?;
            let (_, rest) = rest.split_once("\"\"block\"\":")?;
            let object_end = object.find('}')?;
            (object.len() - rest.len() < object_end).then(|| {
                let block = rest.split(',').next().unwrap();
                (die.parse().unwrap(), block.parse().unwrap())
            })
        })
        .collect();
    assert!(blocks.len() > 100, "only {} addresses", blocks.len());
    assert!(blocks.iter().all(|&(die, block)| die == 0 && block < 8), "a bad block was used");
}

#[test]
fn a_probability_table_with_mistakes() {
    let table = "phase_conditional:\n  DEFAULT:\n    No_Such_Operation: 0.5\n    Read_SLC: -1\n  NOWHERE.END: {}\n";
    assert_snapshot!(refused(&Folder::new().with("table.yaml", table), &["--op-state-probs", "table.yaml"]));
}

#[test]
fn an_empty_table_is_shown_what_a_table_looks_like_and_a_base_in_one_is_called_a_base() {
    let table = |text: &str| {
        let folder = Folder::new().with("table.yaml", text);
        refused(&folder, &["--op-state-probs", "table.yaml", "--ops", "5"])
    };
    for text in ["", " \n"] {
        let said = table(text);
        assert!(said.contains("phase_conditional:\n") && said.contains(": 0.75\n"), "{said}");
    }
    let said = table("phase_conditional: {DEFAULT: {ERASE: 1}}\n");
    assert!(said.contains("there is no operation name `ERASE`"), "{said}");
    assert!(said.contains("it is a base; a table lists operations, as `"), "{said}");
}

#[test]
fn a_list_of_bad_blocks_that_a_manifest_names_and_is_not_there_can_be_named() {
    let folder = Folder::new().with("bad.csv", "die,block\n0,3\n");
    folder.succeed(&["--badlist", "bad.csv", "--ops", "20", "-q"]);
    fs::rename(folder.path().join("bad.csv"), folder.path().join("moved.csv")).unwrap();
    let said = refused(&folder, &["verify", "out"]);
    assert!(said.contains("the list of bad blocks `bad.csv` that the manifest names is not there"), "{said}");
    assert!(said.contains("--badlist"), "{said}");
    folder.succeed(&["verify", "out", "--badlist", "moved.csv"]);
}

#[test]
fn a_probability_table_that_proposes_nothing() {
    let folder = Folder::new().with("table.yaml", "phase_conditional:\n  DEFAULT: {}\n");
    assert_snapshot!(refused(&folder, &["--op-state-probs", "table.yaml", "--validate-pc"]));
}

#[test]
fn a_written_table_gives_what_the_built_one_gives() {
    let built = Folder::new();
    built.succeed(&["-t", "20000", "--stamp", "261121"]);
    let read = Folder::new();
    read.succeed(&["-t", "1", "--refresh-op-state-probs", "--op-state-probs", "t.yaml", "--out-dir", "first"]);
    let checked = read.succeed(&["-t", "20000", "--stamp", "261121", "--op-state-probs", "t.yaml", "--validate-pc"]);
    let said = String::from_utf8(checked.stderr).unwrap();
    assert!(said.contains("note: --validate-pc: t.yaml has no fault, with "), "{said}");
    let name = "out/operation_sequence_261121_0000001.csv";
    assert!(built.files()[name] == read.files()[name]);
    let manifest = checked_manifest(&read.path().join("out"));
    assert_eq!(manifest.origin.probabilities.unwrap().source, "t.yaml");
    assert!(manifest.origin.arguments.windows(2).any(|pair| pair == ["--op-state-probs", "t.yaml"]));
}

#[test]
fn a_table_that_is_named_and_not_there() {
    assert_snapshot!(refused(&Folder::new(), &["-t", "1000", "--op-state-probs", "t.yaml"]));
    // It is a mistake where no file is looked at, too; only what writes it needs none.
    let folder = Folder::new();
    let text = refused(&folder, &["-t", "100", "--op-state-probs", "t.yaml", "--autofill-pc"]);
    assert!(text.contains("the probability table `t.yaml` is not there"), "{text}");
    folder.succeed(&["-t", "100", "--op-state-probs", "t.yaml", "--refresh-op-state-probs"]);
    assert!(folder.path().join("t.yaml").exists());
}

#[test]
fn a_table_is_edited_as_its_page_says() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/probability-tables.md");
    let page = fs::read_to_string(page).unwrap();
    // Writing a table makes a campaign, which is to replace nobody's first run.
    let writes: Vec<&str> = page.split('`').filter(|code| code.contains("--refresh-op-state-probs -t 1")).collect();
    assert!(!writes.is_empty() && writes.iter().all(|code| code.contains(" --out-dir ")), "{writes:?}");
    let folder = Folder::new();
    let own = String::from_utf8(folder.succeed(&["profile", "show"]).stdout).unwrap();
    let (before, rest) = own.split_once("\nprobabilities:\n").unwrap();
    let after = rest.lines().skip_while(|line| line.is_empty() || line.starts_with([' ', '#']));
    let without: String = before.lines().chain(after).flat_map(|line| [line, "\n"]).collect();
    fs::write(folder.path().join("own.yaml"), own).unwrap();
    let written = page
        .lines()
        .find_map(|line| line.split('`').find(|code| code.starts_with("nandseqgen --config own.yaml")))
        .unwrap();
    folder.succeed(&written.split(' ').skip(1).collect::<Vec<_>>());
    fs::write(folder.path().join("own.yaml"), without).unwrap();
    fs::write(folder.path().join("op_state_probs.yaml"), "phase_conditional:\n  DEFAULT: {Block_Erase_SLC: 1}\n")
        .unwrap();
    let output = folder.succeed(&["--config", "own.yaml", "--ops", "20", "--summary", "json"]);
    let summary: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let names: Vec<_> = summary["names"].as_array().unwrap().iter().map(|one| one["op_name"].clone()).collect();
    assert_eq!(names, ["Block_Erase_SLC"]);
}

/// The built-in device with another mass for its resets.
fn with_resets(mass: &str) -> String {
    let text = nandseq_profile::builtin::text();
    let line = text.lines().find(|line| line.starts_with("    RESET: ")).unwrap();
    text.replace(line, &format!("    RESET: {mass}"))
}

#[test]
fn files_that_are_in_force_are_named_first_though_nobody_named_them() {
    let folder = Folder::new().with("device.yaml", with_resets("0.01")).with("badlist.csv", "die,block\n0,5-9\n");
    let first_line = |arguments: &[&str]| {
        let text = String::from_utf8(folder.succeed(arguments).stdout).unwrap();
        text.lines().next().unwrap().to_owned()
    };
    let flags = ["--config", "device.yaml", "-t", "500"];
    assert!(first_line(&flags).ends_with("operations/s; bad blocks `badlist.csv`"));
    folder.succeed(&[&flags[..], &["--refresh-op-state-probs"]].concat());
    let line = first_line(&flags);
    assert!(line.ends_with("operations/s; table `op_state_probs.yaml`; bad blocks `badlist.csv`"), "{line}");
}

#[test]
fn masses_of_the_profile_are_final_over_a_table_that_is_loaded() {
    let folder = Folder::new().with("device.yaml", with_resets("0.2"));
    let flags = ["--config", "device.yaml", "-t", "20000", "--stamp", "261121"];
    let sequence = |more: &[&str]| {
        let output = folder.succeed(&[&flags[..], more].concat());
        let text = folder.files()["out/operation_sequence_261121_0000001.csv"].clone();
        (String::from_utf8(text).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    // A table that was written with the same masses changes nothing, and nothing is said.
    let (built, _) = sequence(&["--refresh-op-state-probs"]);
    let (loaded, said) = sequence(&[]);
    assert!(built.contains("Super_Reset") && loaded == built);
    assert!(!said.contains("final"), "{said}");
    fs::write(folder.path().join("device.yaml"), with_resets("0")).unwrap();
    let (without, said) = sequence(&[]);
    assert!(!without.contains("Super_Reset") && !without.contains("Synchronous_Reset"));
    assert!(said.contains("note: the profile's probabilities are final: they replace"), "{said}");
    assert!(said.contains("`op_state_probs.yaml`") && said.contains("more: --validate-pc shows all"), "{said}");
    assert!(!sequence(&["--quiet"]).1.contains("final"));
    let (_, said) = sequence(&["--validate-pc"]);
    assert!(said.contains("  DEFAULT: Super_Reset ") && said.contains(" -> 0 %"), "{said}");
    assert!(!said.contains("--validate-pc shows all"), "{said}");
}

#[test]
fn opcodes_in_hexadecimal_are_written_as_numbers() {
    let text = nandseq_profile::builtin::text();
    let line = text.lines().find(|line| line.trim_start().starts_with("Erase_Suspend_Reset:")).unwrap();
    for opcode in ["0x90", "\"0x90\"", "144"] {
        let profile = text.replace(line, &line.replacen('}', &format!(", opcode: {opcode}}}"), 1));
        let folder = Folder::new().with("device.yaml", profile);
        folder.succeed(&["--config", "device.yaml", "-t", "30000", "--stamp", "261121", "--verify"]);
        let sequence = String::from_utf8(folder.files()["out/operation_sequence_261121_0000001.csv"].clone()).unwrap();
        assert!(sequence.lines().any(|row| row.contains(",144,Erase_Suspend_Reset,")), "{opcode}");
    }
}

#[test]
fn leading_zeros_of_a_profile_are_refused_with_both_readings() {
    let text = nandseq_profile::builtin::text().replacen("blocks_per_die: 1020", "blocks_per_die: 01020", 1);
    let folder = Folder::new().with("device.yaml", text);
    let text = refused(&folder, &["--config", "device.yaml"]);
    assert!(text.contains("`01020` is 1020 as a decimal number, but 528 (octal) as YAML 1.1 reads it"), "{text}");
    let Some(path) = legacy("config-2025-09.yaml") else { return };
    let text = fs::read_to_string(path).unwrap();
    let line = text.lines().find(|line| line.trim_start().starts_with("blocks_per_die:")).unwrap();
    let (key, _) = line.split_once(':').unwrap();
    let folder = Folder::new().with("legacy.yaml", text.replacen(line, &format!("{key}: 010"), 1));
    let text = refused(&folder, &["--config", "legacy.yaml"]);
    assert!(text.contains("`010` is 10 as a decimal number, but 8 (octal) as YAML 1.1 reads it"), "{text}");
}

#[test]
fn another_table_seed_gives_another_mix() {
    // The built-in device states all its probabilities, so that nothing is left to chance.
    let text = nandseq_profile::builtin::text();
    let (before, rest) = text.split_once("\nprobabilities:\n").unwrap();
    let own_lines = rest.lines().take_while(|line| !line.starts_with(char::is_alphabetic)).count();
    let after: String = rest.lines().skip(own_lines).map(|line| format!("{line}\n")).collect();
    let profile = format!("{before}\n{after}");
    let sequence = |table_seed: &str| {
        let folder = Folder::new().with("device.yaml", &profile);
        folder.succeed(&["--config", "device.yaml", "-t", "5000", "--stamp", "261121", "--pc-seed", table_seed]);
        folder.files()["out/operation_sequence_261121_0000001.csv"].clone()
    };
    let first = sequence("7");
    assert!(first == sequence("7"));
    assert!(first != sequence("8"));
}

#[test]
fn the_predecessors_mistyped_duration_is_pointed_at() {
    let Some(path) = legacy("config-2025-10.yaml") else { return };
    let folder = Folder::new();
    let text = refused(&folder, &["--config", path.to_str().unwrap()]);
    assert!(text.contains("400.6036˝"), "{text}");
    assert!(text.contains("; or leave such operations out, with a warning for each, with --lenient\n"), "{text}");
    let line = fs::read_to_string(&path).unwrap().lines().position(|line| line.contains("400.6036˝")).unwrap() + 1;
    assert!(text.contains(&format!("config-2025-10.yaml:{line}:")), "{text}");
    folder.succeed(&["--config", path.to_str().unwrap(), "--lenient", "-t", "20000"]);
    let manifest = checked_manifest(&folder.path().join("out"));
    assert!(manifest.runs[0].files[0].rows > 10);
    assert!(manifest.origin.arguments.iter().any(|argument| argument == "--lenient"));
}
