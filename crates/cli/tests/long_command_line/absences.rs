//! Why operations did not start: the three kinds are told apart in every run, and what is said is true.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::dead::TINY;
use crate::explaining::{device, without_masses};
use crate::runner::Folder;

/// The arguments of a run of a few operations.
fn run<'a>(more: &[&'a str], ops: &'a str) -> Vec<&'a str> {
    [&["--config", "device.yaml", "--stamp", "261121", "--clean", "--ops", ops], more].concat()
}

/// What the proposer log says of each operation that did not start.
fn absent(folder: &Folder) -> BTreeMap<String, String> {
    let log = folder.files().remove("out/proposer_debug_261121_0000001.log").unwrap();
    let log = String::from_utf8(log).unwrap();
    let rows = log.lines().filter_map(|line| line.strip_prefix("-\t")?.split_once('\t'));
    rows.map(|(name, rest)| (name.to_owned(), rest.split('\t').next().unwrap_or_default().to_owned())).collect()
}

/// The operations that started.
fn started(folder: &Folder) -> BTreeSet<String> {
    let sequence = folder.files().remove("out/operation_sequence_261121_0000001.csv").unwrap();
    csv::Reader::from_reader(&sequence[..]).records().map(|row| row.unwrap()[3].to_owned()).collect()
}

/// A device of many names. No state allows a program, although everything that it needs is there.
fn many_names(masses: &str) -> String {
    let more = |at| format!("  Erase_{at}: {{base: ERASE, celltype: TLC, ISSUE: 1, CORE_BUSY: 100}}\n");
    let more: String = (0..40).map(more).collect();
    let text = device(masses).replace("  Dout: {base", &format!("{more}  Dout: {{base"));
    let text = text.replace("exclusion_groups:\n", "exclusion_groups:\n  pg: [PROGRAM]\n");
    text.replace("exclusions:\n", "exclusions:\n  state: {NOT_PROGRAM_SUSPENDED: [pg]}\n")
}

#[test]
fn a_run_of_four_operations_tells_what_has_no_weight_what_is_never_eligible_and_what_was_unlucky() {
    let masses = "    ERASE: 0.3\n    Program_SLC: 0.4\n    Program_TLC: 0.001\n    READ: 0.1\n    Dout: 0.1\n    Erase_0: 0\n    Erase_1: 0.0000001\n    Erase_2: 0.0999999\n";
    let folder = Folder::new().with("device.yaml", many_names(masses));
    let summary = String::from_utf8(folder.succeed(&run(&["-v"], "4")).stdout).unwrap();
    let absent = absent(&folder);
    let line = |name: &str| {
        let words = |line: &str| line.trim_start().strip_prefix(name)?.strip_prefix("  ").map(str::to_owned);
        summary.lines().find_map(words).unwrap_or_else(|| panic!("{name}: {summary}")).trim_start().to_owned()
    };
    // Erase_1 comes once in ten million draws: no trial of the table as it is shows it.
    let expected = [
        ("Erase_0", "no_weight", "weight 0 under every phase key, and no chain that draws it ever begins"),
        ("Program_SLC", "never_eligible:state", "never eligible: NOT_PROGRAM_SUSPENDED forbids it (group pg)"),
        ("Program_TLC", "never_eligible:state", "never eligible: NOT_PROGRAM_SUSPENDED forbids it (group pg)"),
        // Four operations are only the beginning of a site: no number is predicted.
        ("Erase_1", "never_drawn", "not drawn by chance"),
    ];
    for (name, code, words) in expected {
        assert_eq!((&*absent[name], &*line(name)), (code, words), "{name}");
    }
    folder.succeed(&run(&[], "400"));
    let absent = self::absent(&folder);
    assert!(absent["Erase_1"].starts_with("never_drawn:<"), "{absent:?}");
}

/// The built-in device without its exclusions, which has more states than can be searched. No state allows one of its bases. `Seldom`
/// is drawn by a chain only, which hardly ever begins.
fn too_many_states() -> String {
    let text = nandseq_profile::builtin::text();
    let (before, rest) = text.split_once("\nexclusions:").unwrap();
    let lines = rest.match_indices('\n').map(|(at, _)| at);
    let end = lines.into_iter().find(|&at| rest[at + 1..].starts_with(|c: char| c.is_ascii_alphabetic())).unwrap();
    let groups = "\nexclusion_groups:\n";
    assert!(before.contains(groups), "the device has groups");
    let before = before.replace(groups, &format!("{groups}  none_of_it: [SR_ADD]\n"));
    let never = "{NOT_PROGRAM_SUSPENDED: [none_of_it], PROGRAM_SUSPENDED: [none_of_it]}";
    let text = format!("{before}\nexclusions:\n  state: {never}\n{}", &rest[end..]);
    let seldom = [
        (
            "\n  ETC: {scope: target, phases: [ISSUE]}",
            "\n  ETC: {scope: target, phases: [ISSUE], follow_ups: {NONE: 1, SELDOM.SEQ: 1.0e-9}}",
        ),
        ("\nchains:\n", "\nchains:\n  SELDOM.SEQ: {steps: [ERASE: [none]], name_weights: {ERASE: {Seldom: 1}}}\n"),
        ("\nops:\n", "\nops:\n  Seldom: {base: ERASE, celltype: SLC, ISSUE: 1, CORE_BUSY: 1}\n"),
        ("\n  global:\n", "\n  global:\n    Seldom: 0\n"),
    ];
    seldom.into_iter().fold(text, |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    })
}

/// Profiles with operations that never start for different reasons, and what their runs are given.
fn profiles() -> Vec<(String, &'static [&'static str], &'static str)> {
    let alike = TINY.replace("  Pg: {", "  Er2: {base: ERASE, celltype: SLC, ISSUE: 0.1, CORE_BUSY: 100}\n  Pg: {");
    let masses = "    ERASE: 0.3\n    Program_SLC: 0.4\n    Program_TLC: 0.001\n    READ: 0.1\n    Dout: 0.2\n";
    vec![
        (many_names(masses), &[], "3000"),
        // A name that has a weight only where no hook falls, although its like runs.
        (format!("{alike}  DEFAULT: {{Er: 1}}\n  PROG.END: {{Er2: 1}}\n"), &[], "400"),
        (format!("{TINY}  DEFAULT: {{Er: 1, Pg: 1, Rd: 1e-9, Do: 1e-9}}\n"), &[], "3000"),
        (nandseq_profile::builtin::text().to_owned(), &["--pc-demo", "mix"], "3000"),
        (nandseq_profile::builtin::text().to_owned(), &["--seed", "9"], "6000"),
        (too_many_states(), &[], "4000"),
    ]
}

#[test]
fn what_is_said_of_a_short_run_holds_in_a_long_one() {
    let mut unlucky_ones = 0;
    for (at, (text, more, ops)) in profiles().into_iter().enumerate() {
        let text_is_small = text.len() < nandseq_profile::builtin::text().len() / 2;
        let folder = Folder::new().with("device.yaml", text);
        folder.succeed(&run(more, "7"));
        let (short, started_soon) = (absent(&folder), started(&folder));
        let never = |code: &String| code == "no_weight" || code.starts_with("never_eligible:");
        assert!(short.values().any(never), "{at}: {short:?}");
        unlucky_ones += short.values().filter(|code| code.starts_with("never_drawn")).count();
        folder.succeed(&run(more, ops));
        let (long, started) = (absent(&folder), started(&folder));
        // The log tells of every name that did not start.
        let names = |absent: &BTreeMap<String, String>, started: &BTreeSet<String>| -> BTreeSet<String> {
            absent.keys().chain(started).cloned().collect()
        };
        assert_eq!(names(&short, &started_soon), names(&long, &started), "{at}");
        assert!(short.keys().all(|name| !started_soon.contains(name)), "{at}");
        for (name, code) in short.iter().filter(|(_, code)| never(code)) {
            assert!(!started.contains(name), "{at}: {name} started, though {code}");
            assert_eq!(long.get(name), Some(code), "{at}: {name}");
        }
        // `explain` says the same. Its search takes a while on large devices.
        let most = if text_is_small { 2 } else { 1 };
        let some_never = short.iter().filter(|(_, code)| code.starts_with("never_eligible:")).take(most);
        let unlucky = short.iter().filter(|(name, code)| code.starts_with("never_drawn") && long.contains_key(*name));
        for (name, code) in some_never.chain(unlucky.take(most)) {
            let demo = if more.contains(&"--pc-demo") { more } else { &[] };
            let asked =
                [&["explain", "--config", "device.yaml", "--format", "json"], demo, &["--as", "operation"]].concat();
            let said = folder.succeed(&[&asked[..], &["--", name]].concat()).stdout;
            let said: Value = serde_json::from_slice(&said).unwrap();
            let appears = said["operations"][0]["appears"].as_str().unwrap();
            assert_eq!(never(code), appears == "never", "{at}: {name} {code}: {appears}");
            let causes = said["operations"][0]["causes"].as_array().unwrap();
            assert_eq!(causes.is_empty(), appears != "never", "{at}: {name}: {causes:?}");
        }
    }
    assert!(unlucky_ones > 100, "{unlucky_ones}");
}

/// A device with two data outputs, one of which a chain draws, in one read of a million.
fn drawn_by_chains(masses: &str, chain: &str) -> String {
    let text =
        TINY.replace("effects: [fill_registers]}", "effects: [fill_registers], follow_ups: {NONE: 1, SEQ: 0.000001}}");
    let more = "  Do2: {base: DOUT, celltype: SLC, ISSUE: 1}\n  Wait: {";
    let text = text.replace("  Wait: {", more);
    format!("{text}  DEFAULT: {masses}\nchains: {{SEQ: {chain}}}\n")
}

#[test]
fn a_name_that_only_chains_draw_is_told_apart_too() {
    let draws = |steps: &str| format!("{{steps: [{steps}], name_weights: {{DOUT: {{Do: 1}}}}}}");
    let (all, reads) = ("{Er: 1, Pg: 1, Rd: 1}", "DOUT: [prev_page]");
    let no_read = "exclusion_groups: {rd: [READ]}\nexclusions: {state: {NOT_PROGRAM_SUSPENDED: [rd]}}\n";
    let cases = [
        // The trials hardly ever draw the chain: the search shows that it can run.
        (drawn_by_chains(all, &draws(reads)), "never_drawn"),
        // Where no chain that draws it begins, its weight of 0 is the reason.
        (format!("{}{no_read}", drawn_by_chains(all, &draws(reads))), "no_weight"),
        (drawn_by_chains("{Er: 1, Pg: 1}", &draws(reads)), "no_weight"),
    ];
    for (at, (text, code)) in cases.into_iter().enumerate() {
        let folder = Folder::new().with("device.yaml", text);
        folder.succeed(&run(&[], "7"));
        let absent = absent(&folder);
        assert_eq!(absent["Do"], code, "{at}: {absent:?}");
        assert_eq!(absent["Do2"], "no_weight", "{at}: {absent:?}");
    }
}

#[test]
fn what_too_many_states_leave_open_is_said_in_words() {
    let folder = Folder::new().with("device.yaml", too_many_states());
    let summary = String::from_utf8(folder.succeed(&run(&["-v"], "7")).stdout).unwrap();
    assert_eq!(absent(&folder)["Seldom"], "undecided");
    let line = summary.lines().find(|line| line.trim_start().starts_with("Seldom ")).unwrap();
    assert!(line.contains("  not drawn; nothing rules it out, but the device has too many states"), "{line}");
    assert_eq!(summary.matches("  not drawn; nothing rules it out, but the device has").count(), 12, "{summary}");
    let json = folder.succeed(&run(&["--summary", "json"], "7")).stdout;
    let json: Value = serde_json::from_slice(&json).unwrap();
    let seldom = json["never_started"].as_array().unwrap().iter().find(|one| one["op_name"] == "Seldom");
    assert_eq!(seldom.unwrap()["why"], "undecided");
    let others = summary.lines().filter(|line| line.contains("  not drawn by chance")).count();
    assert!(others > 100, "{summary}");
    // One search of the states for all operations of the base: it takes seconds.
    let asked = ["explain", "--config", "device.yaml", "--format", "json", "ERASE", "--as", "base"];
    let said: Value = serde_json::from_slice(&folder.succeed(&asked).stdout).unwrap();
    let of = |name: &str| said["operations"].as_array().unwrap().iter().find(|one| one["op_name"] == name).unwrap();
    assert_eq!(of("Seldom")["appears"], "undecided");
    pairs_are_marked_unless_the_trial_decides_them(&folder, &of("Block_Erase_SLC")["phase_keys"]);
    // Only the searches of parts of the states find this.
    let device = nandseq_profile::builtin::profile();
    let is_forbidden =
        |name: &str| device.ops.iter().any(|op| op.name == name && device.bases[op.base].name == "SR_ADD");
    let (forbidden, _) =
        absent(&folder).into_iter().find(|(name, code)| code == "undecided" && is_forbidden(name)).unwrap();
    let said = folder.succeed(&["explain", "--config", "device.yaml", "--format", "json", "--", &forbidden]).stdout;
    let said: Value = serde_json::from_slice(&said).unwrap();
    let said = &said["operations"][0];
    assert_eq!(said["appears"], "never", "{said}");
    assert_eq!(said["causes"][0][0]["kind"], "rule", "{said}");
    assert!(said["phase_keys"].as_array().unwrap().iter().all(|row| row["verdict"] == "never"), "{said}");
}

/// Looks at the pairs of an operation that the search left undecided: `rows` are what `explain` says of `Block_Erase_SLC`.
fn pairs_are_marked_unless_the_trial_decides_them(folder: &Folder, rows: &Value) {
    let undecided = "undecided: the device has more states than can be searched";
    let rows = rows.as_array().unwrap();
    let started = |row: &Value| row["started"].as_u64().unwrap() > 0;
    assert!(rows.iter().any(started) && rows.iter().any(|row| row["verdict"] == "undecided"), "{rows:?}");
    assert!(rows.iter().filter(|row| started(row)).all(|row| row["verdict"] == "reachable"), "{rows:?}");
    let rows = folder.succeed(&["coverage", "universe", "--config", "device.yaml"]).stdout;
    let rows = String::from_utf8(rows).unwrap();
    let row = rows.lines().find(|row| row.starts_with("DEFAULT\tBlock_Erase_SLC\t")).unwrap();
    assert_eq!(row, format!("DEFAULT\tBlock_Erase_SLC\t1\t{undecided}\t0"));
    let pairs = folder.succeed(&["profile", "check", "device.yaml", "--pairs", "--op", "Block_Erase_SLC"]).stdout;
    let pairs = String::from_utf8(pairs).unwrap();
    assert!(pairs.contains(&format!("DEFAULT: {undecided}: Block_Erase_SLC\n")), "{pairs}");
}

/// The built-in device on which nothing turns on-die termination on again.
fn trapping() -> String {
    let text = nandseq_profile::builtin::text();
    let weight = "\n    ODTENABLE: 0.03\n";
    assert!(text.contains(weight));
    text.replace(weight, "\n    ODTENABLE: 0\n")
}

#[test]
fn what_a_trapped_device_can_no_longer_start_is_told_apart_from_chance() {
    let folder = Folder::new().with("device.yaml", trapping());
    let output = folder.succeed(&run(&["-n", "2", "-v", "--summary", "json"], "600"));
    let told = String::from_utf8(output.stderr).unwrap();
    let warning = "warning: every die is trapped in ODT_DISABLE, where ";
    assert!(told.contains(warning) && told.contains("; ODTENABLE would end that, and never starts: "), "{told}");
    let lost: BTreeSet<String> =
        absent(&folder).into_iter().filter(|(_, code)| code == "trapped:ODT_DISABLE").map(|(name, _)| name).collect();
    assert!(lost.len() > 200, "{lost:?}");
    // The dies were trapped in the first run: none of these names starts in the second.
    let second = folder.files().remove("out/operation_sequence_261121_0000002.csv").unwrap();
    let started: BTreeSet<String> =
        csv::Reader::from_reader(&second[..]).records().map(|row| row.unwrap()[3].to_owned()).collect();
    assert!(started.len() > 5 && started.is_disjoint(&lost), "{started:?}");
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    let rows = json["never_started"].as_array().unwrap();
    let of = |why: &str| rows.iter().filter(|row| row["why"] == why).count();
    assert_eq!(of("trapped"), lost.len());
    assert!(rows.iter().filter(|row| row["why"] == "trapped").all(|row| row["never"] == "ODT_DISABLE"));
    let said = folder.succeed(&["explain", "--config", "device.yaml", "Page_Program_SLC"]).stdout;
    let said = String::from_utf8(said).unwrap();
    assert!(said.contains("\nAt the end of the trial every die is trapped in ODT_DISABLE, where "), "{said}");
    // To go on longer would be no help.
    let to_cover = run(&["--closure", "--until-coverage", "95", "-t", "20000"], "5000");
    let told = String::from_utf8(folder.run(&to_cover).stderr).unwrap();
    assert!(told.contains(warning) && told.contains("covered\n") && !told.contains("raise"), "{told}");
    assert!(told.contains("all dies were trapped before 95 % of"), "{told}");
    // The device as it is leaves the state.
    let folder = Folder::new().with("device.yaml", nandseq_profile::builtin::text());
    let told = String::from_utf8(folder.succeed(&run(&[], "600")).stderr).unwrap();
    assert!(!told.contains("trapped") && absent(&folder).values().all(|code| !code.starts_with("trapped")), "{told}");
}

#[test]
fn a_run_whose_coverage_is_out_of_reach_in_a_trap_ends_at_once_and_one_in_reach_goes_on() {
    let folder = Folder::new().with("device.yaml", trapping());
    let to = |percent, more: &[&'static str]| {
        let flags = [
            "--config",
            "device.yaml",
            "--stamp",
            "261121",
            "-n",
            "2",
            "--seed",
            "3",
            "--summary",
            "json",
            "--until-coverage",
            percent,
        ];
        [&flags[..], more].concat()
    };
    let output = folder.fall_short(&to("90", &[]));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("warning: every die is trapped in ODT_DISABLE, where "), "{told}");
    assert!(told.contains("warning: all dies were trapped before 90 % of ") && !told.contains("raise"), "{told}");
    let made: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(made["operations"].as_u64().unwrap() < 20_000, "{made}");
    assert_eq!(made["runs"], 2);
    let trial = folder.fall_short(&to("90", &["--dry-run"]));
    let trial: Value = serde_json::from_slice(&trial.stdout).unwrap();
    assert_eq!(
        (&trial["missed"], &trial["trial"]["summary"]["operations"]),
        (&true.into(), &made["operations"]),
        "{trial}"
    );
    // What is left in the trap is enough for this.
    folder.succeed(&to("1", &["--clean"]));
}

#[test]
fn a_trap_goes_by_the_table_of_the_phase() {
    let plan = |first: &str, second: &str| {
        format!(
            "schema: 1\nphases:\n  - {{name: one, runs: 1, ops: 300{first}}}\n  - {{name: two, runs: 2, ops: 150000{second}}}\n"
        )
    };
    let (off, until) = (", probabilities: {global: {ODTENABLE: 0}}", ", until: {covered: 99 %}");
    let made = |plan: &str| {
        let folder = Folder::new().with("plan.yaml", plan);
        let output = folder.succeed(&["--plan", "plan.yaml", "--stamp", "261121", "--summary", "json", "--seed", "3"]);
        let json: Value = serde_json::from_slice(&output.stdout).unwrap();
        (String::from_utf8(output.stderr).unwrap(), json["phases"][1]["operations"].as_u64().unwrap())
    };
    let (told, operations) = made(&plan("", &format!("{until}{off}")));
    let trap =
        "warning: a trap kept the phase `two` from what `until` asks for: every die is trapped in ODT_DISABLE, where ";
    assert!(told.contains(trap), "{told}");
    assert!(
        told.contains(" can no longer start; ODTENABLE would end that: give it a weight in the phase `two`"),
        "{told}"
    );
    assert!(operations < 40_000, "{operations}");
    // What only an earlier phase lacks is no trap.
    let second = ", until: {covered: 2 %}";
    let (told, _) = made(&plan(off, second));
    assert!(!told.contains("trapped"), "{told}");
}

#[test]
fn what_planes_still_show_in_a_trap_is_not_out_of_reach() {
    // Nothing erases while on-die termination is off, and refills still draw under ERASE.END.
    let text = without_masses().replace("refill_uses_end_key: false", "refill_uses_end_key: true");
    let table = "phase_conditional:\n  DEFAULT: {Block_Erase_SLC: 1, Read_Status_Enhanced_71h: 1}\n  ERASE.CORE_BUSY: {}\n  \
                 ERASE.END: {Read_Status_Enhanced_70h: 1, Read_Status_Enhanced_72h: 0.001, ODT_Disable: 0.05, Block_Erase_SLC: 1}\n";
    let folder = Folder::new().with("device.yaml", text).with("table.yaml", table);
    let flags = ["--op-state-probs", "table.yaml", "--until-coverage", "100"];
    folder.run(&run(&flags, "20000"));
    let started = started(&folder);
    assert!(started.contains("Read_Status_Enhanced_72h"), "{started:?}, {:?}", absent(&folder));
}

#[test]
fn what_came_before_a_trap_is_not_scaled() {
    let folder = Folder::new().with("device.yaml", trapping());
    let expected = |of: &str| {
        let said =
            folder.succeed(&["explain", "--config", "device.yaml", "--format", "json", "-n", of, "ERASE"]).stdout;
        let said: Value = serde_json::from_slice(&said).unwrap();
        let of_op =
            |op: &Value| (op["expected"]["counted"].as_f64().unwrap(), op["expected"]["mean"].as_f64().unwrap());
        assert!(said["operations"][0]["expected"]["trapped_after"].as_u64().unwrap() < 2_000, "{said}");
        said["operations"].as_array().unwrap().iter().map(of_op).collect::<Vec<_>>()
    };
    let found = expected("1000000");
    assert!(found.iter().any(|(counted, _)| *counted > 0.0), "{found:?}");
    assert!(found.iter().all(|(counted, mean)| counted == mean), "{found:?}");
    let said = folder.succeed(&["explain", "--config", "device.yaml", "-n", "1000000", "ERASE"]).stdout;
    let said = String::from_utf8(said).unwrap();
    assert!(said.contains("by a trial of 20,000 from a blank device, in a trap after "), "{said}");
}

#[test]
fn a_state_that_forbids_what_would_end_it_is_a_trap_of_which_every_use_warns() {
    let never = "exclusion_groups: {r: [RESUME, RESET, ERASE, SUSPEND]}\nexclusions: {state: {ERASE_SUSPENDED: [r]}}\n";
    let status = "  STATUS: {scope: none, instant: true, phases: [ISSUE], payload: [die, exp_val], effects: [status_read]}\nops:\n  Status: {base: STATUS, ISSUE: 0.1}\n";
    let text = crate::judging::NOTHING_BUT_SUSPENSIONS.replace("ops:\n", status) + never;
    let folder = Folder::new().with("device.yaml", text);
    let told = String::from_utf8(folder.succeed(&run(&[], "300")).stderr).unwrap();
    assert!(told.contains("warning: trap: once in ERASE_SUSPENDED a die stays there: "), "{told}");
    let spare = "trapped in ERASE_SUSPENDED, where 3 operations can no longer start; RESUME or RESET would end that: let the exclusions of ERASE_SUSPENDED spare it\n";
    assert!(told.contains(spare), "{told}");
    assert_eq!(absent(&folder)["Resume"], "never_eligible:not_suspended");
}

#[test]
fn operations_of_a_bootstrap_are_no_draws_of_the_table() {
    let folder = Folder::new();
    let flags = ["--bootstrap", "-n", "2", "--stamp", "261121", "--ops", "1300"];
    folder.succeed(&flags);
    // The bootstrap takes more than a thousand of them, and the rest is only a beginning.
    let predicted = |code: &&String| code.starts_with("never_drawn:") || code.starts_with("unlike_trial");
    let absent = absent(&folder);
    assert!(absent.values().any(|code| code == "never_drawn"), "{absent:?}");
    assert_eq!(absent.values().find(predicted), None);
    let said = folder.succeed(&["explain", "--bootstrap", "-n", "2000", "--format", "json", "Super_Reset"]).stdout;
    let said: Value = serde_json::from_slice(&said).unwrap();
    let bootstrap = said["trial"]["bootstrap_operations"].as_u64().unwrap();
    assert!(bootstrap > 1_000, "{said}");
    assert_eq!(said["operations"][0]["expected"]["of"].as_u64().unwrap(), 2_000 - bootstrap);
}

#[test]
fn no_run_of_the_built_in_device_is_called_unlike_a_trial() {
    let folder = Folder::new();
    for (seed, ops) in [("1", "1500"), ("2", "1500"), ("3", "3000")] {
        folder.succeed(&["--stamp", "261121", "--clean", "--seed", seed, "--ops", ops]);
        let absent = absent(&folder);
        assert_eq!(absent.values().find(|code| code.starts_with("unlike_trial")), None, "{seed}");
    }
}

#[test]
fn of_runs_that_are_made_again_nothing_is_predicted_either_if_they_are_short() {
    let folder = Folder::new();
    let flags = ["--stamp", "261121", "--ops", "200", "-v", "--summary", "json"];
    folder.succeed(&flags);
    std::fs::remove_file(folder.path().join("out/operation_sequence_261121_0000001.csv")).unwrap();
    let output = folder.succeed(&[&flags[..], &["--resume", "out"]].concat());
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    let made = json["operations"].as_u64().unwrap();
    assert!((1..250).contains(&made), "the run is made again: {made}");
    let not_drawn: Vec<&Value> =
        json["never_started"].as_array().unwrap().iter().filter(|row| row["why"] == "not_drawn").collect();
    assert!(not_drawn.len() > 50 && not_drawn.iter().all(|row| row["expected"].is_null()), "{json}");
}
