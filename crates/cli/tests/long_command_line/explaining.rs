//! `nandseqgen explain`, and the messages about operations that do not start.

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

/// The device with a status read, these tables under `probabilities` or at the top, and no other masses.
fn with_table(sections: &str) -> String {
    let text = device("");
    let (before, _) = text.split_once("probabilities:").unwrap();
    let status = "  STATUS: {scope: none, instant: true, phases: [ISSUE], effects: [status_read], payload: [die, exp_val]}\nops:\n  Status: {base: STATUS, ISSUE: 0.1}\n";
    before.replace("ops:\n", status) + sections
}

/// What follows a place `line:column` of a text.
fn at<'t>(text: &'t str, place: &str) -> &'t str {
    let mut parts = place.rsplit(':').map(|part| part.parse::<usize>().unwrap());
    let (column, line) = (parts.next().unwrap(), parts.next().unwrap());
    let start: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
    &text[start + column - 1..]
}

/// The text of a profile after one change that `explain` asks for.
fn follow(text: &str, advice: &str) -> String {
    let quoted: Vec<&str> = advice.split('`').skip(1).step_by(2).collect();
    let place = advice.rsplit_once('(').unwrap().1.split_once(')').unwrap().0;
    let place = place.strip_prefix("device.yaml:").unwrap();
    let rest = at(text, place);
    let changed = if advice.starts_with("give `") {
        rest.replacen(": 0", ": 0.2", 1)
    } else if advice.starts_with("list `") {
        rest.replacen('{', &format!("{{{}: 0.2, ", quoted[0]), 1)
    } else {
        assert!(advice.starts_with("let the exclusions in `"), "{advice}");
        let (list, after) = rest.split_once(']').unwrap();
        format!("{}[{after}", list.split_once('[').unwrap().0).replacen('[', "[]", 1)
    };
    text[..text.len() - rest.len()].to_owned() + &changed
}

#[test]
fn whoever_follows_the_advice_to_the_letter_sees_the_operation() {
    let status = "phase_conditional: {DEFAULT: {Status: 1, Erase_SLC: 1, Read_SLC: 1}, STATUS.END: {Program_SLC: 1, Read_SLC: 1}}\n";
    let first_excluded = device("    Dout: 0.2\n").replace("  op_state:\n", "  op_state:\n    DEFAULT: [er]\n");
    let first_excluded = first_excluded.replace("exclusion_groups:\n", "exclusion_groups:\n  er: [ERASE]\n");
    let by_state = first_excluded
        .replace("    DEFAULT: [er]\n", "")
        .replace("exclusions:\n", "exclusions:\n  state: {NOT_ERASE_SUSPENDED: [er]}\n");
    let cases = [
        (device(NO_SLC), &["Read_SLC"][..]),
        (with_table("probabilities: {by_key: {DEFAULT: {ERASE: 0}}}\n"), &["Erase_TLC", "Read_SLC"]),
        (with_table("probabilities: {global: {Erase_SLC: 0, READ: 0}}\n"), &["Dout", "Read_SLC"]),
        (with_table(status), &["Program_SLC", "Read_SLC", "Dout", "Read_TLC"]),
        (
            with_table("phase_conditional: {DEFAULT: {Status: 1}, ERASE.END: {Erase_SLC: 1, Program_SLC: 1}}\n"),
            &["Erase_SLC", "Program_SLC"],
        ),
        (first_excluded, &["Erase_SLC", "Program_TLC"]),
        (by_state, &["Erase_SLC", "Read_TLC"]),
    ];
    for (before, names) in cases {
        for name in names {
            let folder = Folder::new().with("device.yaml", &before);
            let text = explain(&folder, &[name]);
            assert!(text.contains("\nIt never appears.\n"), "{name}: {text}\n{before}");
            let (_, advice) =
                text.split_once("\nTo change that: ").unwrap_or_else(|| panic!("{name}: {text}\n{before}"));
            let advice = advice.lines().next().unwrap();
            // From the end, so that places before stay where they are.
            let mut all: Vec<&str> = advice.split(", and ").collect();
            all.sort_by_key(|one| {
                let numbers = one
                    .rsplit(|letter: char| !letter.is_ascii_digit())
                    .filter_map(|number| number.parse::<usize>().ok());
                let mut numbers = numbers.take(2);
                let (column, line) = (numbers.next(), numbers.next());
                std::cmp::Reverse((line, column))
            });
            let after = all.iter().fold(before.clone(), |text, one| follow(&text, one));
            let folder = Folder::new().with("device.yaml", &after);
            let text = explain(&folder, &[name]);
            assert!(text.contains("\nIt appears: about "), "{name}, {advice}: {text}\n{after}");
        }
    }
}

#[test]
fn what_needs_an_operation_that_never_appears_never_appears_either() {
    let table = "phase_conditional: {DEFAULT: {Status: 1, Erase_SLC: 1, Read_SLC: 1}, STATUS.END: {Program_SLC: 1, Read_SLC: 1}}\n";
    let folder = Folder::new().with("device.yaml", with_table(table));
    assert_snapshot!(explain(&folder, &["Read_SLC"]));
    for name in ["Program_SLC", "Read_SLC", "Dout"] {
        assert!(explain(&folder, &[name]).contains("\nIt never appears.\n"), "{name}");
    }
}

#[test]
fn what_only_itself_would_bring_up_never_appears_whoever_is_asked() {
    let table = "probabilities: {by_key: {DEFAULT: {ERASE: 0}}}\n";
    let folder = Folder::new().with("device.yaml", with_table(table));
    assert!(explain(&folder, &["Erase_SLC"]).contains("\nIt never appears.\n"));
    let said = |arguments: &[&str]| String::from_utf8(folder.succeed(arguments).stdout).unwrap();
    let pairs = said(&["profile", "check", "device.yaml", "--pairs", "--op", "Erase_SLC"]);
    assert!(pairs.contains("ERASE.END: no hook ever falls on this phase key: Erase_SLC\n"), "{pairs}");
    assert!(!pairs.contains("coincidence only"), "{pairs}");
    let universe = said(&["coverage", "universe", "--config", "device.yaml"]);
    let mut of_erase = universe.lines().filter(|row| row.contains("\tErase_SLC\t"));
    assert!(of_erase.all(|row| row.contains("\tErase_SLC\t0\t")), "{universe}");
    folder.succeed(&["--config", "device.yaml", "--ops", "300", "--stamp", "261121", "--until-coverage", "100"]);
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
    assert!(check.contains("DEFAULT: no page of its cell type is ever programmed: Read_SLC\n"), "{check}");
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
    assert!(log.contains("\tnever_drawn\t0\n"), "{log}");
}

#[test]
fn the_warnings_of_a_profile_are_shown_where_it_is_used() {
    let text = device(NO_SLC);
    let (before, rest) = text.split_once("exclusion_groups:").unwrap();
    let (_, after) = rest.split_once("probabilities:").unwrap();
    let folder = Folder::new().with("device.yaml", format!("{before}probabilities:{after}"));
    let said = |arguments: &[&str]| String::from_utf8(folder.succeed(arguments).stderr).unwrap();
    let warning = "warning: device.yaml: no exclusions are stated: in every state any operation may start whose planes and bus are free\n";
    assert!(said(&["--config", "device.yaml", "--ops", "3"]).contains(warning));
    assert!(said(&["explain", "--config", "device.yaml", "Read_SLC"]).contains(warning));
    assert!(said(&["verify", "--config", "device.yaml", "out"]).contains(warning));
}

/// A device of which nothing runs, or only for a while; what DEFAULT proposes, exclusions and bootstrap follow.
fn tiny(sections: &str) -> Folder {
    let text = crate::dead::TINY.replace("phase_conditional:\n", sections);
    let follow_up = "address: readable_page, follow_ups: {DOUT: {weight: 1, inherit: [prev_page, same_celltype]}}";
    Folder::new().with("device.yaml", text.replace("address: readable_page", follow_up))
}

#[test]
fn a_preset_that_nothing_begins_with_is_the_root() {
    let said =
        String::from_utf8(Folder::new().succeed(&["explain", "--pc-demo", "pgm-read", "Page_Program_SLC"]).stdout);
    let said = said.unwrap();
    assert!(said.contains("\nIt never appears.\n"), "{said}");
    assert!(said.contains("have no weight under `DEFAULT`, the phase key of a blank device: the preset"), "{said}");
    let base = String::from_utf8(Folder::new().succeed(&["explain", "--pc-demo", "pgm-read", "PROGRAM_SLC"]).stdout);
    assert!(base.unwrap().starts_with("PROGRAM_SLC: base of 12 operations, 12 of which never appear\n"));
}

#[test]
fn a_preset_that_leaves_an_operation_out_is_its_own_root() {
    let said = Folder::new().succeed(&["explain", "--pc-demo", "pgm-read", "Block_Erase_SLC"]).stdout;
    let said = String::from_utf8(said).unwrap();
    let why = "Why:\n  1. `Block_Erase_SLC` has no weight under `DEFAULT`, the phase key of a blank device: the preset for DEFAULT leaves it out\nTo change that: leave --pc-demo out, or take another preset\n";
    assert!(said.contains(why) && !said.contains("Also:") && !said.contains("longer chain"), "{said}");
}

#[test]
fn whoever_follows_the_advice_needs_no_further_one() {
    // What is asked about, and all that is missing; what is listed as advised follows.
    let cases = [
        ("{PROG.END: {Pg: 1, Rd: 1}}", "Pg", "{DEFAULT: {Pg: 1, Er: 1}, PROG.END: {Pg: 1, Rd: 1}}"),
        ("{PROG.END: {Pg: 1, Rd: 1}}", "Rd", "{DEFAULT: {Pg: 1, Er: 1}, PROG.END: {Pg: 1, Rd: 1}}"),
        (
            "{READ.END: {Pg: 1}, PROG.END: {Rd: 1}}",
            "Pg",
            "{DEFAULT: {Pg: 1, Er: 1}, READ.END: {Pg: 1}, PROG.END: {Rd: 1}}",
        ),
        ("{DEFAULT: {Rd: 1}}", "Rd", "{DEFAULT: {Rd: 1, Pg: 1, Er: 1}}"),
        ("{ERASE.END: {Er: 1, Pg: 1}}", "Pg", "{DEFAULT: {Er: 1}, ERASE.END: {Er: 1, Pg: 1}}"),
    ];
    for (table, name, mended) in cases {
        let of = |table: &str| {
            let policies = "policies: {queue_refill_period: 50, refill_uses_end_key: true}";
            let text = crate::dead::TINY.replace("policies: {queue_refill_period: 50}", policies);
            let folder = Folder::new()
                .with("device.yaml", text.replace("phase_conditional:\n", &format!("phase_conditional: {table}\n")));
            explain(&folder, &[name])
        };
        let said = of(table);
        let missing: Vec<&str> =
            ["Er", "Pg"].into_iter().filter(|name| mended.split('}').next().unwrap().contains(name)).collect();
        let change = said.lines().find(|line| line.starts_with("To change that: ")).unwrap_or_else(|| panic!("{said}"));
        for missing in missing {
            assert!(
                change.contains(&format!("list `{missing}` with a weight under `phase_conditional.DEFAULT`")),
                "{table}: {said}"
            );
        }
        assert!(!of(mended).contains("Why:"), "{table}: {}", of(mended));
    }
    assert_snapshot!(
        "every_link_to_the_root",
        explain(&tiny("phase_conditional: {PROG.END: {Pg: 1, Rd: 1}}\n"), &["Rd"])
    );
}

/// The built-in device, whose profile states no probabilities: those of a table are in force.
pub(crate) fn without_masses() -> String {
    let (before, rest) = nandseq_profile::builtin::text().split_once("\nprobabilities:\n").unwrap();
    let (_, rest) = rest.split_once("\nexport:").unwrap();
    format!("{before}\nexport:{rest}")
}

#[test]
fn the_advice_for_each_name_of_a_base_lets_that_name_appear() {
    let folder = Folder::new().with("device.yaml", without_masses());
    let explained = |first: &str, name: &str| -> Vec<Value> {
        let table = format!(
            "phase_conditional:\n  DEFAULT: {{Block_Erase_SLC: 1, Read_Status_Enhanced_71h: 1{first}}}\n  ERASE.CORE_BUSY: {{}}\n"
        );
        std::fs::write(folder.path().join("table.yaml"), table).unwrap();
        let flags = ["--op-state-probs", "table.yaml", "--no-bootstrap", "--format", "json", name];
        let said: Value = serde_json::from_str(&explain(&folder, &flags)).unwrap();
        said["operations"].as_array().unwrap().clone()
    };
    let all = explained("", "CACHE_READ");
    let several = |op: &&Value| op["multi_plane"] == true;
    let asked = [all.iter().find(several), all.iter().rfind(several), all.iter().find(|op| !several(op))];
    for op in asked.into_iter().flatten() {
        let (name, advice) = (op["op_name"].as_str().unwrap(), op["change"][0].as_str().unwrap());
        let listed = advice.split("list `").skip(1).filter_map(|one| one.split_once('`'));
        let first: String = listed.map(|(name, _)| format!(", {name}: 1")).collect();
        let appears = &explained(&first, name)[0]["appears"];
        assert!(op["appears"] == "never" && appears != "never", "{name}: {advice}");
    }
}

#[test]
fn advice_takes_no_way_round() {
    let table =
        "phase_conditional:\n  DEFAULT: {Block_Erase_SLC: 1, Read_Status_Enhanced_71h: 1}\n  ERASE.CORE_BUSY: {}\n";
    let folder = Folder::new().with("device.yaml", without_masses()).with("table.yaml", table);
    let flags = ["--op-state-probs", "table.yaml", "--no-bootstrap", "--format", "json", "CACHE_READ_END"];
    let said: Value = serde_json::from_str(&explain(&folder, &flags)).unwrap();
    let of_op = |op: &Value| op["change"][0].as_str().unwrap().matches("list `").count();
    let counts: Vec<usize> = said["operations"].as_array().unwrap().iter().map(of_op).collect();
    // A page is programmed and read; the operation itself is a step of the chain of the read.
    assert_eq!(counts[0], 2, "{said}");
    assert!(counts.iter().all(|count| *count <= 3), "{said}");
    assert_eq!(said["change_is_cut"], false);
}

#[test]
fn an_operation_that_only_a_run_boundary_lets_start_is_there_by_coincidence() {
    // After every erase a status read is under way, and with a chain under way termination stays on.
    let excluded = "exclusion_groups: {odt: [ODT]}\nexclusions: {op_state: {ERASE.CORE_BUSY: [odt]}}\n";
    let text = crate::dead::TINY
        .replace("effects: [erase]}", "effects: [erase], follow_ups: {STATUS: {weight: 1}}}")
        .replace("\nops:\n", "\n  STATUS: {scope: none, instant: true, phases: [ISSUE], payload: [die, exp_val], effects: [status_read]}\n  ODT: {scope: target, instant: true, phases: [ISSUE], effects: [odt_disable]}\nops:\n  Status: {base: STATUS, ISSUE: 20, status_of: die}\n  Odt: {base: ODT, ISSUE: 30}\n")
        .replace("queue_refill_period: 50", "queue_refill_period: 50, sequence_gap: 5");
    let folder =
        Folder::new().with("device.yaml", format!("{text}  DEFAULT: {{Er: 1}}\n  ERASE.END: {{Odt: 1}}\n{excluded}"));
    let said = explain(&folder, &["Odt"]);
    assert!(said.contains(", at a run boundary"), "{said}");
    let made = folder
        .succeed(&["--config", "device.yaml", "-t", "40", "-n", "50", "--outputs", "operation_sequence", "-v"])
        .stdout;
    let made = String::from_utf8(made).unwrap();
    assert!(made.contains("\n  Odt  "), "{made}");
}

#[test]
fn subject_and_verb_agree_and_no_entry_is_named_twice() {
    let pair = "  Er2: {base: ERASE, celltype: SLC, ISSUE: 0.1, CORE_BUSY: 100}\n  Pg: {";
    let of = |table: &str| {
        let text = crate::dead::TINY.replace("  Pg: {", pair).replace("phase_conditional:\n", table);
        explain(&Folder::new().with("device.yaml", text), &["Pg"])
    };
    let said = of("phase_conditional: {DEFAULT: {Pg: 1}}\n");
    assert!(said.contains("every `ERASE` has no weight") && !said.contains("have"), "{said}");
    assert_eq!(said.matches("`phase_conditional.DEFAULT` ").count(), 2, "entry and advice: {said}");
    let said = explain(&tiny("phase_conditional: {DEFAULT: {Rd: 1}, PROG.END: {Do: 1}}\n"), &["Rd"]);
    assert!(said.contains("`Pg` has no weight") && !said.contains("`Pg` have"), "{said}");
}

#[test]
fn what_is_only_waited_for_leads_to_the_missing_default() {
    let said = explain(&tiny("phase_conditional: {PROG.END: {Pg: 1}}\n"), &["Pg"]);
    assert!(said.contains("1. `Pg` has no weight under `DEFAULT`, the phase key of a blank device"), "{said}");
    let all = "exclusion_groups: {all: [ERASE, PROG, READ, DOUT, NOP]}\nexclusions:\n  ";
    let said = explain(&tiny(&format!("{all}op_state: {{DEFAULT: [all]}}\n")), &["Er"]);
    assert!(said.contains("It never appears.") && said.contains("`exclusions.op_state.DEFAULT`"), "{said}");
    let said = explain(&tiny(&format!("{all}state: {{NOT_ERASE_SUSPENDED: [all]}}\n")), &["Pg"]);
    assert!(said.contains("`exclusions.state.NOT_ERASE_SUSPENDED` (device.yaml:"), "{said}");
    let spare = |base| {
        format!("let the exclusions in `exclusions.state.NOT_ERASE_SUSPENDED` (device.yaml:20:11) spare `{base}`")
    };
    let changes = format!("\nTo change that: {}, and {}\n", spare("ERASE"), spare("PROG"));
    assert!(said.contains(&changes), "{said}");
}

#[test]
fn a_step_that_no_chain_leads_to_says_what_would_begin_one() {
    let folder = tiny("phase_conditional: {DEFAULT: {Pg: 1, Rd: 1}}\n");
    let said = explain(&folder, &["Do"]);
    assert!(said.contains("1. `Do` needs an operation that begins a chain with it"), "{said}");
    assert!(said.contains("To change that: list `Er`") && !said.contains("list `Do`"), "{said}");
    folder.run(&["--config", "device.yaml", "--ops", "5", "--stamp", "261121"]);
    let log = String::from_utf8(folder.files()["out/proposer_debug_261121_0000001.log"].clone()).unwrap();
    assert!(log.contains("-\tDo\tno_weight\t0\n"), "{log}");
}

#[test]
fn a_trial_that_dies_is_no_estimate() {
    let folder = tiny(
        "policies: {queue_refill_period: 50, refill_uses_end_key: true}\nphase_conditional: {DEFAULT: {Er: 1}, ERASE.END: {Rd: 1}}\n",
    );
    let text = String::from_utf8(folder.files()["device.yaml"].clone()).unwrap();
    let folder = Folder::new().with("device.yaml", text.replacen("policies: {queue_refill_period: 50}\n", "", 1));
    let said = explain(&folder, &["Er"]);
    assert!(said.contains(" of a trial from a blank device, after which nothing could ever start again.\n"), "{said}");
    assert!(said.contains("At the end of the trial nothing can ever start again on any die\n  die 0: "), "{said}");
    assert!(!said.contains("10,000"), "{said}");
}

#[test]
fn what_a_trial_lacks_did_not_appear() {
    // A reset cuts every erase.
    let resets = device("    Reset: 0.6\n").replace("cell_types:", "policies: {queue_refill_period: 5}\ncell_types:").replace(
        "bases:\n",
        "bases:\n  RESET: {scope: die, affects_state: true, instant: true, phases: [ISSUE, CORE_BUSY], address: hook, effects: [reset_die], payload: [die, plane]}\n",
    );
    let resets = resets.replace("ops:\n", "ops:\n  Reset: {base: RESET, ISSUE: 1, CORE_BUSY: 1}\n");
    let resets = resets.replace("[busy]", "[]").replace("CORE_BUSY: 100", "CORE_BUSY: 100000");
    let folder = Folder::new().with("device.yaml", resets);
    let said = explain(&folder, &["Program_TLC"]);
    assert!(said.contains("\nIt could appear, but did not: at most "), "{said}");
    let base = explain(&folder, &["PROGRAM"]);
    assert!(base.contains(" and 2 did not in a trial of 20,000 operations\n"), "{base}");
    let summary = folder.succeed(&["--config", "device.yaml", "--ops", "20000", "-v"]);
    let summary = String::from_utf8(summary.stdout).unwrap();
    assert!(summary.contains("not drawn by chance: at most 3.7 expected"), "{summary}");
}

#[test]
fn what_the_bootstrap_leaves_is_looked_at_where_it_comes_first() {
    let bootstrap = "bootstrap: {enabled: true, erase_blocks: 2, program_blocks: 1, read_blocks: 1}\n";
    let folder = tiny(&format!("{bootstrap}phase_conditional: {{DEFAULT: {{Pg: 1, Rd: 1}}}}\n"));
    let said = explain(&folder, &["Pg"]);
    assert!(said.contains("It appears: ") && said.contains("The bootstrap comes first"), "{said}");
    assert!(explain(&folder, &["Pg", "--no-bootstrap"]).contains("It never appears."));
    let check = |flag: &[&str]| {
        let output = folder.succeed(&[&["profile", "check", "device.yaml"], flag].concat());
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(check(&["--no-bootstrap"]).contains(" 0 are reachable"), "{}", check(&["--no-bootstrap"]));
    assert!(!check(&[]).contains(" 0 are reachable"), "{}", check(&[]));
    let universe = |flag: &str| folder.succeed(&["coverage", "universe", "--config", "device.yaml", flag]).stdout;
    let counts = |flag| String::from_utf8(universe(flag)).unwrap().contains("DEFAULT\tPg\t1\t");
    assert!(counts("--bootstrap") && !counts("--no-bootstrap"));
    // Without a run that follows it there is no bootstrap, and hints and the first line of the summary say so, in the same words.
    let of_runs = "(only with two or more runs)";
    assert!(explain(&folder, &["Pg"]).contains(&format!("The bootstrap comes first {of_runs}")));
    let first = |flags: &[&str]| {
        let said = folder.run(&[&["--config", "device.yaml", "-t", "5000"], flags].concat()).stdout;
        let said = String::from_utf8(said).unwrap();
        said.lines().take(2).filter(|line| line.contains(&format!("; no bootstrap {of_runs}"))).count()
    };
    assert_eq!([first(&[]), first(&["--dry-run"])], [1, 1]);
    assert_eq!([first(&["-n", "2"]), first(&["--no-bootstrap"]), first(&["--bootstrap"])], [0, 0, 0]);
    let said = String::from_utf8(folder.run(&["--config", "device.yaml", "--ops", "5"]).stdout).unwrap();
    assert!(said.contains("explain --config device.yaml --no-bootstrap "), "{said}");
}

#[test]
fn what_was_found_beside_is_named_and_a_link_to_nothing_too() {
    let table = "phase_conditional:\n  DEFAULT:\n    Erase_SLC: 0.5\n";
    let folder = Folder::new()
        .with("device.yaml", device("    ERASE: 0.5\n"))
        .with("op_state_probs.yaml", table)
        .with("badlist.csv", "die,block\n0,1\n");
    let check = String::from_utf8(folder.succeed(&["profile", "check", "device.yaml"]).stdout).unwrap();
    let universe = folder.succeed(&["coverage", "universe", "--config", "device.yaml"]);
    for said in [explain(&folder, &["Erase_SLC"]), check, String::from_utf8(universe.stderr).unwrap()] {
        assert!(said.contains("Table: `op_state_probs.yaml`.\nBad blocks: 1 of `badlist.csv`."), "{said}");
    }
    #[cfg(unix)]
    for (to, what) in [("nowhere", "a link to nothing"), ("/dev/zero", "no regular file")] {
        for name in ["op_state_probs.yaml", "badlist.csv"] {
            let folder = Folder::new().with("device.yaml", device("    ERASE: 0.5\n"));
            std::os::unix::fs::symlink(to, folder.path().join(name)).unwrap();
            let said = folder.succeed(&["explain", "--config", "device.yaml", "Erase_SLC"]);
            let said = String::from_utf8(said.stderr).unwrap();
            assert!(said.contains(&format!("warning: `{name}` is {what}: it counts as absent")), "{said}");
        }
    }
}

#[test]
fn an_operation_of_which_no_pair_is_listed_is_named_all_the_same() {
    let folder = Folder::new().with("device.yaml", device(NO_SLC));
    let said = folder.succeed(&["profile", "check", "device.yaml", "--pairs", "--op", "Erase_SLC"]);
    let said = String::from_utf8(said.stdout).unwrap();
    assert!(said.contains("\nErase_SLC: none of 8 phase keys gives it a weight\n"), "{said}");
}

#[test]
fn a_table_that_proposes_nothing_names_the_entry() {
    let folder = tiny("phase_conditional: {DEFAULT: {}}\n");
    let said = folder.refuse(&["--config", "device.yaml", "--ops", "5"]);
    assert!(said.contains("list `Er` with a weight under `phase_conditional.DEFAULT` (device.yaml:18:21)"), "{said}");
    assert!(said.contains("`nandseqgen explain --config device.yaml Er` says why"), "{said}");
}

#[test]
fn a_name_that_looks_like_a_flag_is_none_in_a_hint() {
    let folder = Folder::new().with("device.yaml", device(NO_SLC).replace("Program_SLC", "--Pg"));
    let summary = folder.succeed(&["--config", "device.yaml", "--ops", "3", "--pc-seed", "7"]);
    let summary = String::from_utf8(summary.stdout).unwrap();
    assert!(summary.contains("\n  nandseqgen explain --config device.yaml --pc-seed 7 -- --Pg\n"), "{summary}");
    assert!(explain(&folder, &["--", "--Pg"]).starts_with("--Pg: base PROGRAM"));
}

/// A SUSPEND starts where some name with a weight would resume, though that may never come.
#[test]
fn what_is_suspended_for_good_is_suspended_all_the_same() {
    let never_resumed = "exclusion_groups: {r: [RESUME]}\nexclusions: {state: {ERASE_SUSPENDED: [r]}}\n";
    let profile = crate::judging::NOTHING_BUT_SUSPENSIONS.to_owned() + never_resumed;
    let folder = Folder::new().with("own.yaml", profile);
    let said = String::from_utf8(folder.succeed(&["explain", "--config", "own.yaml", "Suspend"]).stdout).unwrap();
    assert!(said.contains("It appears") && !said.contains("Why"), "{said}");
    folder.succeed(&["--config", "own.yaml", "--ops", "500", "--stamp", "261121", "-q"]);
    let report = folder.succeed(&["coverage", "report", "--config", "own.yaml", "out"]);
    let report = String::from_utf8(report.stdout).unwrap();
    assert!(!report.contains("outside the universe"), "{report}");
}

#[test]
fn an_operation_that_waits_for_itself_under_a_key_leads_to_the_root() {
    let device = device("    ERASE: 0\n");
    let line = device.lines().position(|line| line.contains("ERASE: 0")).unwrap() + 1;
    let folder = Folder::new().with("device.yaml", device);
    let text = explain(&folder, &["Read_SLC", "--under", "READ.END"]);
    assert!(text.contains("needs an operation of `READ` to be under way"), "{text}");
    assert!(text.contains("`Program_SLC` needs a block that is erased or open for SLC"), "{text}");
    assert!(text.contains(&format!("(device.yaml:{line}:5)")), "{text}");
}

/// A small device that suspends erases and never resumes one.
const WITHOUT_RESUME: &str = r#"schema: 1
name: Small SLC device
topology: {dies: 1, planes: 2, blocks_per_die: 16, pages_per_block: 8}
cell_types: {NONE: [], SLC: []}
latencies: {tR: 25, tPROG: 200, tBERS: 2000}
bases:
  ERASE: {scope: die, affects_state: true, phases: [ISSUE, CORE_BUSY], address: any_block, payload: [die, plane, block, page, celltype], effects: [erase]}
  PROGRAM: {scope: die, affects_state: true, phases: [ISSUE, CORE_BUSY], address: next_page, payload: [die, plane, block, page, celltype], effects: [program]}
  READ:
    scope: die
    affects_state: true
    phases: [ISSUE, CORE_BUSY, DATA_OUT]
    address: readable_page
    payload: [die, plane, block, page, celltype]
    effects: [fill_registers]
    follow_ups: {DATA_OUT: {weight: 1, inherit: [prev_page, same_celltype]}}
  DATA_OUT: {scope: none, phases: [ISSUE], address: output_register, payload: [die, plane, block, page, celltype], effects: [data_out]}
  STATUS: {scope: none, instant: true, phases: [ISSUE], payload: [die, exp_val], effects: [status_read]}
  ESUS: {scope: die, affects_state: true, phases: [ISSUE, CORE_BUSY], payload: [die], effects: [{suspend: erase}]}
  RESET: {scope: die, affects_state: true, phases: [ISSUE, CORE_BUSY], payload: [die], effects: [reset_die]}
exclusion_groups:
  most: {all_except: [STATUS, RESET, ESUS]}
exclusions:
  op_state:
    ERASE.CORE_BUSY: [most]
    PROGRAM.CORE_BUSY: [most]
    READ.CORE_BUSY: [most]
    RESET.CORE_BUSY: [most]
ops:
  Block_Erase: {base: ERASE, celltype: SLC, ISSUE: 0.3, CORE_BUSY: tBERS}
  Page_Program: {base: PROGRAM, celltype: SLC, ISSUE: 12, CORE_BUSY: tPROG}
  Page_Read: {base: READ, celltype: SLC, ISSUE: 0.3, CORE_BUSY: tR, DATA_OUT: 12}
  Data_Output: {base: DATA_OUT, ISSUE: 0.2}
  Read_Status: {base: STATUS, ISSUE: 0.2}
  Esus: {base: ESUS, ISSUE: 0.1, CORE_BUSY: 5}
  Reset: {base: RESET, ISSUE: 0.2, CORE_BUSY: 5}
probabilities:
  global: {ERASE: 0.1, PROGRAM: 0.4, READ: 0.4, STATUS: 0.05, ESUS: 0.3, RESET: 0}
"#;

#[test]
fn a_few_operations_of_a_small_device_tell_apart_what_never_comes() {
    let folder = Folder::new().with("device.yaml", WITHOUT_RESUME);
    let said = folder.succeed(&["--config", "device.yaml", "--ops", "5000", "-v"]).stdout;
    let said = String::from_utf8(said).unwrap();
    assert!(said.contains("Esus") && !said.contains("Esus not drawn"), "{said}");
    assert!(explain(&folder, &["Esus"]).contains("It never appears"));
}

#[test]
fn the_advice_names_the_own_weight_where_no_chain_can_draw_the_name() {
    let masses = "    Erase_TLC: 0\n    Erase_SLC: 0.2\n    Program_TLC: 0\n    Program_SLC: 0.2\n";
    let text = device(masses).replace("effects: [program]}", "effects: [program], follow_ups: {NONE: 1, SEQ: 1}}");
    let text = format!("{text}chains: {{SEQ: {{steps: [PROGRAM: [inc_page, same_celltype]]}}}}\n");
    let said = explain(&Folder::new().with("device.yaml", text), &["Program_TLC"]);
    // The chain that an SLC program begins goes on with SLC programs alone.
    assert!(!said.contains("is a step of the chain"), "{said}");
    let changes = "\nTo change that: give `probabilities.global.Erase_TLC` a value above 0 (device.yaml:27:5), and give `probabilities.global.Program_TLC` a value above 0 (device.yaml:29:5)\n";
    assert!(said.contains(changes), "{said}");
}
