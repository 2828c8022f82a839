//! `nandseqgen explain`, and what is said of operations that do not start.

use insta::assert_snapshot;
use serde_json::Value;

use crate::runner::Folder;

/// A device of one die and two planes: what is erased and programmed is read. `masses` are those of `probabilities.global`.
pub(crate) fn device(masses: &str) -> String {
    format!(
        "schema: 1
name: Small
topology: {{dies: 1, planes: 2, blocks_per_die: 8, pages_per_block: 4}}
cell_types: {{NONE: [], SLC: [], TLC: []}}
classes:
  array: {{scope: plane_set, affects_state: true, phases: [ISSUE, CORE_BUSY], payload: [die, plane, block, page, celltype]}}
bases:
  ERASE: {{class: array, address: any_block, effects: [erase]}}
  PROGRAM: {{class: array, address: next_page, effects: [program]}}
  READ: {{class: array, address: readable_page, effects: [fill_registers]}}
  DOUT: {{scope: none, instant: true, phases: [ISSUE], address: output_register, effects: [data_out], payload: [die, plane, block, page]}}
ops:
  Erase_SLC: {{base: ERASE, celltype: SLC, ISSUE: 1, CORE_BUSY: 100}}
  Erase_TLC: {{base: ERASE, celltype: TLC, ISSUE: 1, CORE_BUSY: 100}}
  Program_SLC: {{base: PROGRAM, celltype: SLC, ISSUE: 1, CORE_BUSY: 50}}
  Program_TLC: {{base: PROGRAM, celltype: TLC, ISSUE: 1, CORE_BUSY: 50}}
  Read_SLC: {{base: READ, celltype: SLC, ISSUE: 1, CORE_BUSY: 20}}
  Read_TLC: {{base: READ, celltype: TLC, ISSUE: 1, CORE_BUSY: 20}}
  Dout: {{base: DOUT, ISSUE: 1}}
exclusion_groups:
  busy: {{all_except: []}}
exclusions:
  op_state:
    array.CORE_BUSY: [busy]
probabilities:
  global:
{masses}"
    )
}

/// No block is ever erased for SLC.
const NO_SLC: &str = "    Erase_SLC: 0\n    Erase_TLC: 0.2\n    Dout: 0.2\n";

fn explain(folder: &Folder, arguments: &[&str]) -> String {
    let all = [&["explain", "--config", "device.yaml"], arguments].concat();
    String::from_utf8(folder.succeed(&all).stdout).unwrap()
}

#[test]
fn a_chain_of_causes_leads_to_the_mass_that_is_0() {
    let folder = Folder::new().with("device.yaml", device(NO_SLC));
    let text = explain(&folder, &["Read_SLC"]);
    let line = device(NO_SLC).lines().position(|line| line.contains("Erase_SLC: 0")).unwrap() + 1;
    assert!(text.contains(&format!("(device.yaml:{line}:5)")), "{text}");
    assert_snapshot!(text);
    // With a mass it comes.
    let folder = Folder::new().with("device.yaml", device(&NO_SLC.replace("Erase_SLC: 0", "Erase_SLC: 0.2")));
    assert!(explain(&folder, &["Read_SLC"]).contains("\nIt appears: about "));
}

#[test]
fn a_base_lists_what_comes_and_what_never_does() {
    let folder = Folder::new().with("device.yaml", device(NO_SLC));
    let text = explain(&folder, &["READ", "-n", "1000"]);
    assert!(text.starts_with("READ: base of 2 operations, 1 of which never appears\n"), "{text}");
    assert!(text.contains("\n  Read_TLC  "), "{text}");
    assert!(text.contains("\nNever: Read_SLC\n"), "{text}");
    let class = explain(&folder, &["array"]);
    assert!(class.starts_with("array: class of 6 operations, 3 of which never appear\n"), "{class}");
    let folder = Folder::new().with("device.yaml", device(&NO_SLC.replace("Erase_SLC: 0", "Erase_SLC: 0.2")));
    let text = explain(&folder, &["READ", "-n", "1000"]);
    assert!(text.starts_with("READ: base of 2 operations, all of which appear\n"), "{text}");
}

#[test]
fn an_operation_that_comes_says_under_which_keys() {
    let folder = Folder::new().with("device.yaml", device(NO_SLC));
    assert_snapshot!(explain(&folder, &["Program_TLC"]));
    assert_snapshot!("under_a_key", explain(&folder, &["Program_TLC", "--under", "READ.CORE_BUSY"]));
}

#[test]
fn bad_blocks_are_a_cause() {
    let bad: String = (0..8).map(|block| format!("0,{block}\n")).collect();
    let folder =
        Folder::new().with("device.yaml", device("    ERASE: 0.5\n")).with("badlist.csv", format!("die,block\n{bad}"));
    let text = explain(&folder, &["Erase_SLC"]);
    assert!(text.contains("every block of the device is bad"), "{text}");
    assert!(text.contains("`badlist.csv`"), "{text}");
}

#[test]
fn a_table_beside_the_profile_is_in_force_as_it_is_when_generating() {
    let table = "phase_conditional:\n  DEFAULT:\n    Erase_SLC: 0.5\n    Read_SLC: 0.5\n";
    let folder = Folder::new().with("device.yaml", device("    ERASE: 0.5\n")).with("op_state_probs.yaml", table);
    let text = explain(&folder, &["Read_SLC"]);
    assert!(text.contains("`phase_conditional.DEFAULT`"), "{text}");
    assert!(text.contains("(op_state_probs.yaml:2:3)"), "{text}");
    assert!(explain(&folder, &["Read_SLC", "--autofill-pc"]).contains("It appears"));
    let check = folder.succeed(&["profile", "check", "device.yaml", "--op", "Read_SLC"]);
    let check = String::from_utf8(check.stdout).unwrap();
    assert!(check.contains("DEFAULT: no page of its cell type can be programmed: Read_SLC\n"), "{check}");
    let listed = folder.succeed(&["coverage", "universe", "--config", "device.yaml"]);
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(listed.contains("DEFAULT\tProgram_TLC\t0\tits weight is 0"), "{listed}");
}

#[test]
fn the_answer_as_json_has_the_same_causes() {
    let folder = Folder::new().with("device.yaml", device(NO_SLC));
    let answer: Value = serde_json::from_str(&explain(&folder, &["Read_SLC", "--format", "json"])).unwrap();
    let operation = &answer["operations"][0];
    assert_eq!(operation["appears"], "never");
    let chain = operation["causes"][0].as_array().unwrap();
    assert_eq!(chain.len(), 3);
    assert_eq!(chain[2]["stated"][0]["path"], "probabilities.global.Erase_SLC");
    assert_eq!(chain[2]["stated"][0]["file"], "device.yaml");
}

#[test]
fn a_rule_is_explained_by_its_page() {
    let folder = Folder::new();
    let page = include_str!("../../../../rulebook/bad_block.md");
    assert_eq!(String::from_utf8(folder.succeed(&["explain", "bad_block"]).stdout).unwrap(), page);
    assert!(
        String::from_utf8(folder.succeed(&["explain", "no_address"]).stdout).unwrap().starts_with("# `no_address`")
    );
}

#[test]
fn a_name_of_two_things_says_both() {
    let output = Folder::new().succeed(&["explain", "suspend"]);
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("and also a class: `nandseqgen explain --as class suspend`"), "{text}");
}

#[test]
fn what_nothing_is_called_is_refused_with_what_is_near() {
    let folder = Folder::new().with("device.yaml", device(NO_SLC));
    let refuse = |arguments: &[&str]| {
        let text = folder.refuse(&[&["explain", "--config", "device.yaml"], arguments].concat());
        assert!(text.starts_with("exit code 2\n"), "{text}");
        text
    };
    assert_snapshot!("no_such_name", refuse(&["Raed_SLC"]));
    assert_snapshot!("no_such_key", refuse(&["Read_SLC", "--under", "READ.CORE_BUZY"]));
    // The case of letters is no mistake.
    assert!(explain(&folder, &["read_slc"]).starts_with("Read_SLC: "));
    let text = folder.refuse(&["profile", "check", "device.yaml", "--op", "Erase_SCL"]);
    assert!(text.contains("did you mean `Erase_SLC`"), "{text}");
}

#[test]
fn summary_and_log_say_why_an_operation_did_not_start() {
    let folder = Folder::new().with("my device.yaml", device(NO_SLC));
    let arguments = ["--config", "my device.yaml", "--ops", "3", "--stamp", "261121", "--pc-seed", "7"];
    let summary = String::from_utf8(folder.succeed(&arguments).stdout).unwrap();
    assert!(summary.contains(" never eligible"), "{summary}");
    assert!(summary.contains("1 without weight"), "{summary}");
    assert!(
        summary.contains("\n  nandseqgen explain --config 'my device.yaml' --pc-seed 7 Program_SLC\n"),
        "{summary}"
    );
    let log = String::from_utf8(folder.files()["out/proposer_debug_261121_0000001.log"].clone()).unwrap();
    assert!(log.contains("-\tErase_SLC\tno_weight\t0\n"), "{log}");
    assert!(log.contains("-\tProgram_SLC\tnever_eligible:cell_type\t0\n"), "{log}");
    assert!(log.contains("\tnever_drawn:"), "{log}");
}

#[test]
fn the_warnings_of_a_profile_are_shown_where_it_is_used() {
    let text = device(NO_SLC);
    let (before, rest) = text.split_once("exclusion_groups:").unwrap();
    let (_, after) = rest.split_once("probabilities:").unwrap();
    let folder = Folder::new().with("device.yaml", format!("{before}probabilities:{after}"));
    let said = |arguments: &[&str]| String::from_utf8(folder.succeed(arguments).stderr).unwrap();
    let warning = "warning: device.yaml: no exclusions are stated: in every state whatever planes and bus leave room for may start\n";
    assert!(said(&["--config", "device.yaml", "--ops", "3"]).contains(warning));
    assert!(said(&["explain", "--config", "device.yaml", "Read_SLC"]).contains(warning));
    assert!(said(&["verify", "--config", "device.yaml", "out"]).contains(warning));
}
