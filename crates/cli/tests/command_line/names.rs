//! Names of any characters that a line can hold: they are written, judged and read back unchanged. Other names are refused.

use std::collections::BTreeSet;
use std::path::Path;

use crate::runner::{Folder, files_below};

/// A small device whose names are the given ones: of two cell types, four bases and five operations.
fn device(names: &[String; 10]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| serde_json::Value::from(name.as_str()).to_string()).collect();
    let [slc, erase, program, read, output, er, pg, rd, out, status] = quoted.try_into().unwrap();
    format!(
        "schema: 1
topology: {{dies: 1, planes: 2, blocks_per_die: 8, pages_per_block: 4}}
cell_types: {{NONE: [], {slc}: []}}
policies: {{queue_refill_period: 50}}
bases:
  {erase}: {{scope: die, affects_state: true, phases: [ISSUE, CORE_BUSY], address: any_block, payload: [die, plane, block, page, celltype], effects: [erase]}}
  {program}: {{scope: die, affects_state: true, phases: [ISSUE, CORE_BUSY], address: next_page, payload: [die, plane, block, page, celltype], effects: [program]}}
  {read}: {{scope: plane_set, affects_state: true, phases: [ISSUE, CORE_BUSY, DATA_OUT], address: readable_page, payload: [die, plane, block, page, celltype], effects: [fill_registers], follow_ups: {{{output}: {{weight: 1, inherit: [prev_page, same_celltype]}}}}}}
  {output}: {{scope: none, phases: [ISSUE], address: output_register, payload: [die, plane, block, page, celltype], effects: [data_out]}}
  SR: {{scope: none, instant: true, phases: [ISSUE], payload: [die, exp_val], effects: [status_read]}}
ops:
  {er}: {{base: {erase}, celltype: {slc}, ISSUE: 0.1, CORE_BUSY: 100}}
  {pg}: {{base: {program}, celltype: {slc}, ISSUE: 1, CORE_BUSY: 30}}
  {rd}: {{base: {read}, celltype: {slc}, ISSUE: 0.1, CORE_BUSY: 5, DATA_OUT: 2}}
  {out}: {{base: {output}, celltype: {slc}, ISSUE: 1}}
  {status}: {{base: SR, ISSUE: 0.1, status_of: die}}
"
    )
}

/// Names of printable characters, those that CSV, JSON and shells care about among them; a few numbers that no clock decides.
fn names(seed: u64) -> [String; 10] {
    const PARTS: [&str; 24] = [
        "\"",
        "\"\"",
        "\\",
        ",",
        " ",
        "'",
        "\\n",
        "\\u0041",
        "{x}",
        "$end",
        "é",
        "漢",
        "\u{1f600}",
        "<b>",
        "&amp;",
        "%s",
        "#",
        ";",
        "=",
        "-",
        ".",
        "/",
        "|",
        "a",
    ];
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    std::array::from_fn(|at| {
        let parts: String = (0..1 + next(6)).map(|_| PARTS[next(PARTS.len())]).collect();
        // Each is another one; where the number stands, so that names begin and end with anything.
        let place = parts.char_indices().map(|(place, _)| place).nth(next(3)).unwrap_or(0);
        format!("{}{at}{}", &parts[..place], &parts[place..])
    })
}

/// Every field of a column of every CSV file whose name begins so.
fn column(folder: &Path, table: &str, column: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (_, bytes) in files_below(folder).iter().filter(|(name, _)| name.starts_with(table)) {
        let mut reader = csv::Reader::from_reader(bytes.as_slice());
        let at = reader.headers().unwrap().iter().position(|name| name == column).unwrap();
        found.extend(reader.records().map(|row| row.unwrap().get(at).unwrap().to_owned()));
    }
    found
}

#[test]
fn any_printable_names_are_written_judged_and_read_back_as_they_are() {
    for seed in 0..5 {
        let names = names(seed);
        let folder = Folder::new().with("device.yaml", device(&names));
        let generate = ["--config", "device.yaml", "-t", "4000", "-n", "2", "--proposer-log", "full", "--verify"];
        let output = folder.succeed(&generate);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(text.contains("no rule broken"), "{names:?}: {text}");
        let out = folder.path().join("out");
        let [slc, erase, program, read, _, ops @ ..] = &names;
        assert_eq!(column(&out, "operation_sequence", "op_name"), ops.iter().cloned().collect(), "{names:?}");
        assert_eq!(column(&out, "address_touch_count", "cell_type"), BTreeSet::from([slc.clone()]));
        let states: BTreeSet<String> = [erase, program, read].into_iter().cloned().collect();
        assert_eq!(column(&out, "op_state_timeline", "op_name"), states, "{names:?}");
        let payloads = column(&out, "operation_sequence", "payload");
        let cell_types: BTreeSet<String> = payloads
            .iter()
            .flat_map(|payload| serde_json::from_str::<Vec<serde_json::Value>>(payload).unwrap())
            .filter_map(|target| Some(target.get("celltype")?.as_str().unwrap().to_owned()))
            .collect();
        assert_eq!(cell_types, BTreeSet::from([slc.clone()]), "{names:?}");
        // Everything else that reads what was written.
        let config = ["--config", "device.yaml"];
        folder.succeed(&[&["report", "out", "-o", "page.html"], &config[..]].concat());
        folder.succeed(&[&["export", "out", "--to", "vcd", "-o", "a.vcd"], &config[..]].concat());
        folder.succeed(&[&["export", "out", "--to", "perfetto", "-o", "a.pftrace"], &config[..]].concat());
        folder.succeed(&[&["coverage", "report", "out"], &config[..]].concat());
        folder.succeed(&["replay", "out"]);
        // A table of these names is written and read again; a snapshot goes on.
        folder.succeed(&[
            "--config",
            "device.yaml",
            "-t",
            "10",
            "--refresh-op-state-probs",
            "--out-dir",
            "b",
            "--quiet",
        ]);
        folder.succeed(&[&generate[..], &["--out-dir", "c"]].concat());
        let sequences =
            |folder: &Path| files_below(folder).into_iter().find(|(name, _)| name.starts_with("operation_s"));
        assert!(sequences(&out).unwrap().1 == sequences(&folder.path().join("c")).unwrap().1, "{names:?}");
    }
}

#[test]
#[cfg(feature = "parquet")]
fn names_come_back_from_parquet_too() {
    for seed in 100..104 {
        let names = names(seed);
        let folder = Folder::new().with("device.yaml", device(&names));
        let output = folder.succeed(&[
            "--config",
            "device.yaml",
            "-t",
            "4000",
            "--format",
            "parquet",
            "--verify",
            "--stamp",
            "261121",
        ]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(text.contains("no rule broken"), "{names:?}: {text}");
        folder.succeed(&["coverage", "report", "out", "--config", "device.yaml"]);
    }
}

#[test]
fn what_no_line_can_hold_is_refused_when_the_profile_is_loaded() {
    for (at, wrong, what) in [
        (8, "Data\nOut", "a line break"),
        (5, "Er\r", "a line break"),
        (1, "ERASE\u{2028}", "a line break"),
        (0, "S\tLC", "a tab"),
        (2, "PROG\u{7}", "the control character U+0007"),
        (7, "", "has no name"),
    ] {
        let mut all: [String; 10] = std::array::from_fn(|at| format!("name{at}"));
        all[at] = wrong.to_owned();
        let folder = Folder::new().with("device.yaml", device(&all));
        for arguments in [&["--config", "device.yaml"][..], &["profile", "check", "device.yaml"]] {
            let text = folder.refuse(arguments);
            assert!(text.starts_with("exit code 2\n") && text.contains(what), "{wrong:?}: {text}");
            assert!(text.contains("device.yaml:"), "{wrong:?}: no place in {text}");
        }
    }
}

#[test]
fn names_that_common_readers_of_csv_change_are_warned_of() {
    let wrong = [
        ("NA", "a missing value"),
        ("null", "a missing value"),
        ("nan", "a missing value"),
        ("1e5", "a number"),
        ("0x10", "a number"),
        ("=SUM(A1)", "a formula"),
        ("+a", "a formula"),
        ("-a", "a formula"),
        ("@a", "a formula"),
    ];
    // Names of a cell type, a base and an operation, by turns.
    for ((wrong, what), at) in wrong.into_iter().zip([0, 1, 5].into_iter().cycle()) {
        let mut all: [String; 10] = std::array::from_fn(|at| format!("name{at}"));
        all[at] = wrong.to_owned();
        let folder = Folder::new().with("device.yaml", device(&all));
        let text = String::from_utf8(folder.succeed(&["profile", "check", "device.yaml"]).stdout).unwrap();
        assert!(text.contains("common CSV readers change") && text.contains(what), "{wrong}: {text}");
        folder.succeed(&["--config", "device.yaml", "-t", "500", "--verify"]);
    }
}
