//! Dead devices: the messages, when the program ends, and its exit code.

use std::io::{BufRead as _, BufReader};
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use nandseq_trace::files::Digest;

use crate::runner::{Folder, checked_manifest, legacy};

/// A device of one die that can do next to nothing: what DEFAULT proposes follows.
pub(crate) const TINY: &str = "schema: 1
name: tiny
topology: {dies: 1, planes: 2, blocks_per_die: 8, pages_per_block: 4}
cell_types: {NONE: [], SLC: []}
policies: {queue_refill_period: 50}
bases:
  ERASE: {scope: die, affects_state: true, phases: [ISSUE, CORE_BUSY], address: any_block, payload: [die, plane, block, page, celltype], effects: [erase]}
  PROG: {scope: die, affects_state: true, phases: [ISSUE, CORE_BUSY], address: next_page, payload: [die, plane, block, page, celltype], effects: [program]}
  READ: {scope: plane_set, affects_state: true, phases: [ISSUE, CORE_BUSY, DATA_OUT], address: readable_page, payload: [die, plane, block, page, celltype], effects: [fill_registers]}
  DOUT: {scope: none, phases: [ISSUE], address: output_register, payload: [die, plane, block, page, celltype], effects: [data_out]}
  NOP: {scope: target, instant: true, phases: [ISSUE], effects: [delay]}
ops:
  Er: {base: ERASE, celltype: SLC, ISSUE: 0.1, CORE_BUSY: 100}
  Pg: {base: PROG, celltype: SLC, ISSUE: 1, CORE_BUSY: 30}
  Rd: {base: READ, celltype: SLC, ISSUE: 0.1, CORE_BUSY: 5, DATA_OUT: 2}
  Do: {base: DOUT, celltype: SLC, ISSUE: 1}
  Wait: {base: NOP, ISSUE: 0}
phase_conditional:
";

fn tiny(distribution: &str) -> Folder {
    Folder::new().with("tiny.yaml", format!("{TINY}  {distribution}\n"))
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Runs the program, which must end with this exit code, though it is asked for what it cannot reach; returns what it says.
fn ends_with(folder: &Folder, code: i32, arguments: &[&str]) -> String {
    let output = folder.run(arguments);
    let said = text(&output);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
    said
}

#[test]
fn a_preset_that_finds_nothing_to_work_on_ends_at_once_and_names_the_state_of_every_die() {
    let folder = Folder::new();
    let said = ends_with(&folder, 4, &["--pc-demo", "pgm-read", "--ops", "1000", "--stamp", "261121"]);
    insta::assert_snapshot!("a_preset_on_a_fresh_device", said);
    // What was made is whole.
    assert_eq!(checked_manifest(&folder.path().join("out")).runs.len(), 1);
    ends_with(&folder, 0, &["verify", "out"]);
    ends_with(&folder, 0, &["replay", "out"]);
    // With time alone it is the same message, and no failure.
    let by_time = ends_with(&Folder::new(), 0, &["--pc-demo", "pgm-read", "-t", "20000000"]);
    assert!(said.starts_with(&by_time), "{by_time}");
}

#[test]
fn each_way_to_have_nothing_to_start_is_told() {
    let cases = [
        ("nothing_erased", "DEFAULT: {Pg: 1, Rd: 1}"),
        ("nothing_but_waiting", "DEFAULT: {Wait: 1}"),
        ("read_once_and_stuck_unread", "DEFAULT: {Er: 1, Pg: 1, Rd: 1}"),
    ];
    for (name, distribution) in cases {
        let said = ends_with(&tiny(distribution), 4, &["--config", "tiny.yaml", "--ops", "1000", "--quiet"]);
        insta::assert_snapshot!(name, said);
    }
    let bad = "die,block\n0,0\n0,1\n0,2\n0,3\n0,4\n0,5\n0,6\n0,7\n";
    let folder = tiny("DEFAULT: {Er: 1}").with("bad.csv", bad);
    let said = ends_with(&folder, 4, &["--config", "tiny.yaml", "--badlist", "bad.csv", "--ops", "10", "--quiet"]);
    insta::assert_snapshot!("all_bad", said);
}

/// A device that programs every page and then tries in vain to read one: the page that the chain programs next is never free.
fn vain() -> Folder {
    let tiny = TINY.replace("queue_refill_period: 50", "queue_refill_period: 50, refill_uses_end_key: true").replace(
        "phases: [ISSUE, CORE_BUSY, DATA_OUT], address: readable_page",
        "phases: [ISSUE, CORE_BUSY], follow_ups: {PROG: {weight: 1, inherit: [same_page, same_celltype]}}, address: readable_page",
    );
    let keys =
        "DEFAULT: {Er: 1}\n  ERASE.CORE_BUSY: {}\n  PROG.CORE_BUSY: {}\n  ERASE.END: {Pg: 1}\n  PROG.END: {Rd: 1}\n";
    let tiny = tiny.replace(", DATA_OUT: 2", "").replace("planes: 2", "planes: 1");
    Folder::new().with("tiny.yaml", format!("{tiny}  {keys}"))
}

#[test]
fn names_that_are_never_accepted_end_every_run_alike_whether_it_follows_another_or_a_snapshot() {
    let flags = ["--config", "tiny.yaml", "--ops", "100", "-t", "1000000", "--stamp", "261129"];
    let flags = [&flags[..], &["--proposer-log", "full"]].concat();
    let (at_once, resumed) = (vain(), vain());
    let said = ends_with(&at_once, 4, &[&flags[..], &["-n", "2"]].concat());
    insta::assert_snapshot!("tried_in_vain", said);
    ends_with(&resumed, 4, &[&flags[..], &["-n", "1"]].concat());
    ends_with(&resumed, 4, &[&flags[..], &["-n", "2", "--resume", "out"]].concat());
    assert!(at_once.files() == resumed.files());
}

#[test]
fn what_frees_a_die_is_judged_under_the_key_that_it_leaves() {
    let said = |keys: &str| {
        let tiny = TINY.replace("queue_refill_period: 50", "queue_refill_period: 50, refill_uses_end_key: true");
        let keys = format!("DEFAULT: {{Er: 1}}\n  ERASE.CORE_BUSY: {{}}\n  PROG.CORE_BUSY: {{}}\n  {keys}\n");
        let folder = Folder::new().with("tiny.yaml", format!("{tiny}  {keys}"));
        ends_with(&folder, 4, &["--config", "tiny.yaml", "--ops", "1000", "--quiet"])
    };
    // A program changes nothing for `Do`, but an erase may follow it.
    let freed = said("ERASE.END: {Do: 1}\n  PROG.END: {Er: 1}");
    assert!(freed.contains("would free it, but has weight 0 under ERASE.END: Pg\n"), "{freed}");
    // What a program writes could be read, but nothing is proposed after a program.
    let stuck = said("ERASE.END: {Rd: 1}\n  PROG.END: {}");
    assert!(stuck.contains("no operation that could start now would make one with a weight possible"), "{stuck}");
}

#[test]
fn a_die_rests_when_its_last_operation_has_ended_whether_that_shows_or_not() {
    let tiny = TINY
        .replace("queue_refill_period: 50", "queue_refill_period: 50, refill_uses_end_key: true")
        .replace("\nbases:\n", "\nbases:\n  CAL: {scope: none, phases: [ISSUE], instant: true, payload: [die]}\n")
        .replace("\nops:\n", "\nops:\n  Cal: {base: CAL, ISSUE: 40}\n");
    let keys = "DEFAULT: {Er: 1}\n  ERASE.CORE_BUSY: {}\n  ERASE.END: {Pg: 1}\n  PROG.CORE_BUSY: {Cal: 1}\n  PROG.END: {Do: 1}\n";
    let folder = Folder::new().with("tiny.yaml", format!("{tiny}  {keys}"));
    let flags = ["--config", "tiny.yaml", "--ops", "1000", "--quiet", "--stamp", "261121"];
    let said = ends_with(&folder, 4, &flags);
    let time = |after: &str| -> f64 {
        let rest = said.split_once(after).unwrap_or_else(|| panic!("{after}: {said}")).1;
        rest.split(' ').next().unwrap().parse().unwrap()
    };
    let (start, end) = (time("last operation Cal at "), time("at rest since "));
    assert!((end - start - 40.0).abs() < 0.01, "{said}");
    // The snapshot says what came before it, and the bytes are those of one execution.
    let resumed = ends_with(&folder, 4, &[&flags[..], &["-n", "3", "--resume", "out"]].concat());
    let state = |said: &str| said.lines().find(|line| line.contains("die 0: ")).map(str::to_owned);
    assert_eq!(state(&resumed), state(&said));
    let at_once = Folder::new().with("tiny.yaml", format!("{tiny}  {keys}"));
    ends_with(&at_once, 4, &[&flags[..], &["-n", "3"]].concat());
    assert!(at_once.files() == folder.files());
    // Of what came before a snapshot that does not say it, as earlier versions wrote them, nothing is known.
    let files = at_once.files();
    let (name, text) = files.iter().find(|(name, _)| name.contains("state_snapshot_")).unwrap();
    let text = String::from_utf8(text.clone()).unwrap();
    let (before, after) = text.split_once(",\"dead\":{").unwrap();
    let (_, after) = after.split_once("}}").unwrap();
    let (_, contents) = before.split_once("\"snapshot\":").unwrap();
    let contents = format!("{contents}{}", after.trim_end().strip_suffix('}').unwrap());
    let sha256 = Digest::of(contents.as_bytes());
    let old = format!(
        "{{\"format\":\"nandseqgen state snapshot\",\"version\":1,\"sha256\":\"{sha256}\",\"snapshot\":{contents}}}\n"
    );
    std::fs::write(at_once.path().join("old.json"), old).unwrap();
    let said = ends_with(&at_once, 4, &[&flags[..], &["-n", "4", "--resume", "old.json", "--out-dir", "new"]].concat());
    assert!(
        said.contains("die 0: nothing started there since the snapshot") && !said.contains("at rest since"),
        "{name}: {said}"
    );
}

#[test]
fn a_campaign_that_goes_on_where_nothing_can_start_says_so_however_short_its_runs_are() {
    let folder = Folder::new();
    let flags = ["--pc-demo", "pgm-read", "--ops", "1000", "--quiet"];
    ends_with(&folder, 4, &[&flags[..], &["-n", "1"]].concat());
    let said = ends_with(&folder, 4, &[&flags[..], &["-n", "2", "--resume", "out"]].concat());
    assert!(said.contains("nothing can ever start again on any die") && !said.contains("raise -t"), "{said}");
}

#[test]
fn sites_and_runs_that_died_are_counted_and_all_their_runs_are_there() {
    let folder = tiny("DEFAULT: {Pg: 1, Rd: 1}");
    let flags = ["--config", "tiny.yaml", "--ops", "7", "-n", "3", "--site-count", "4", "--quiet"];
    let said = ends_with(&folder, 4, &flags);
    insta::assert_snapshot!("four_sites", said);
    for site in 1..=4 {
        let manifest = checked_manifest(&folder.path().join(format!("out/site_{site:02}")));
        assert_eq!(manifest.runs.iter().map(|run| run.operations).collect::<Vec<_>>(), [0, 0, 0]);
    }
    ends_with(&folder, 0, &["replay", "out"]);
    // Going on finds nothing left to do, and ends as it did.
    let files = folder.files();
    ends_with(&folder, 4, &[&flags[..], &["--resume", "out"]].concat());
    assert!(folder.files() == files);
}

#[test]
fn a_run_list_with_a_campaign_that_died_ends_as_that_campaign_did() {
    let list =
        "campaigns:\n  - {name: dead, config: tiny.yaml, ops: 5, out_dir: a}\n  - {name: alive, ops: 5, out_dir: b}\n";
    let folder = tiny("DEFAULT: {Pg: 1}").with("list.yaml", list);
    let said = ends_with(&folder, 4, &["run-list", "list.yaml", "--quiet"]);
    assert!(said.contains("nothing can ever start again"), "{said}");
    assert!(folder.path().join("b/manifest.json").exists());
    // What nothing of can be covered is known before, and keeps no other from being made.
    let list = list.replace("ops: 5, out_dir: a", "until_coverage: 50, out_dir: c").replace("out_dir: b", "out_dir: d");
    let folder = folder.with("cover.yaml", list);
    let said = ends_with(&folder, 4, &["run-list", "cover.yaml", "--quiet"]);
    assert!(said.contains("campaign `dead`:\nwarning: --until-coverage has nothing to cover"), "{said}");
    assert!(folder.path().join("d/manifest.json").exists());
    let output = folder.run(&["run-list", "cover.yaml", "--summary", "json", "--quiet"]);
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["campaigns"][0]["exit_code"], 4, "{answer}");
    assert!(answer["campaigns"][0]["problem"].as_str().unwrap().contains("nothing to cover"), "{answer}");
}

#[test]
fn operations_that_the_time_did_not_allow_are_missed() {
    let folder = Folder::new();
    let said = ends_with(&folder, 4, &["-t", "500", "--ops", "100000", "--quiet"]);
    assert!(said.contains("of 100,000 operations were reached: raise -t"), "{said}");
    ends_with(&folder, 0, &["-t", "500", "--quiet"]);
    ends_with(&folder, 0, &["--ops", "5", "--quiet"]);
}

#[test]
fn coverage_that_is_never_reached_ends_too() {
    // Nothing of it can ever be covered, and that is known before.
    let folder = tiny("DEFAULT: {Pg: 1, Rd: 1}").with("all-bad.csv", "die,block\n0,0-7\n");
    for flags in [["--config", "tiny.yaml"], ["--pc-demo", "pgm-read"]] {
        let said = ends_with(&folder, 4, &[&flags[..], &["--until-coverage", "50"]].concat());
        assert!(
            said.contains("nothing to cover") && said.contains("nothing can ever start again on any die"),
            "{said}"
        );
        assert!(said.contains("    state: nothing is suspended") && said.contains("to change that: give "), "{said}");
        let output = folder.run(&[&flags[..], &["--until-coverage", "50", "--summary", "json"]].concat());
        let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((&answer["command"], &answer["exit_code"]), (&"generate".into(), &4.into()), "{answer}");
        assert_eq!((&answer["schema"], &answer["warnings"][0]), (&1.into(), &answer["problem"]), "{answer}");
        assert!(answer["problem"].as_str().unwrap().contains("nothing can ever start again"), "{answer}");
        // It has all fields of a summary, and a dry run those of a dry run.
        let fields = |answer: &serde_json::Value| answer.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        let whole = |more: &[&str]| -> serde_json::Value {
            let output = folder.run(&[&["--ops", "1", "--out-dir", "other", "--summary", "json"], more].concat());
            serde_json::from_slice(&output.stdout).unwrap()
        };
        assert_eq!(fields(&answer), fields(&whole(&[])));
        ends_with(&folder, 4, &[&flags[..], &["--until-coverage", "50", "--dry-run"]].concat());
        let dry = [&flags[..], &["--until-coverage", "50", "--dry-run", "--summary", "json"]].concat();
        let answer: serde_json::Value = serde_json::from_slice(&folder.run(&dry).stdout).unwrap();
        assert_eq!((&answer["dry_run"], &answer["missed"], &answer["runs"]), (&true.into(), &true.into(), &0.into()));
        assert_eq!(fields(&answer), fields(&whole(&["--dry-run"])));
    }
    let folder = tiny("DEFAULT: {Er: 1}").with("all-bad.csv", "die,block\n0,0-7\n");
    let said = ends_with(&folder, 4, &["--config", "tiny.yaml", "--badlist", "all-bad.csv", "--ops", "10"]);
    assert!(said.contains("8 bad") && said.contains("leave some blocks out of the list of bad blocks"), "{said}");
}

#[test]
fn exclusions_that_forbid_everything_are_what_to_change() {
    let all = "exclusion_groups: {all: [ERASE, PROG, READ, DOUT, NOP]}\nexclusions: {op_state: {DEFAULT: [all]}}\n";
    let folder = Folder::new().with("tiny.yaml", TINY.replace("phase_conditional:\n", all));
    let output = folder.run(&["--config", "tiny.yaml", "--ops", "100"]);
    assert_eq!(output.status.code(), Some(4));
    let (said, summary) = (text(&output), String::from_utf8(output.stdout.clone()).unwrap());
    let entry = "let the exclusions in `exclusions.op_state.DEFAULT` (tiny.yaml:19:25) spare names";
    assert!(said.contains(entry), "{said}");
    assert!(summary.contains("5 never eligible") || summary.contains("4 never eligible"), "{summary}");
}

#[test]
fn exclusions_by_lasting_state_that_forbid_everything_are_named_with_their_line() {
    let all = "exclusion_groups: {all: [ERASE, PROG, READ, DOUT, NOP]}\nexclusions:\n  state:\n    ";
    for (entry, line) in [("NOT_ERASE_SUSPENDED: [all]", "21:5"), ("NOT_PROGRAM_SUSPENDED: [all]", "21:5")] {
        let text = TINY.replace("phase_conditional:\n", &format!("{all}{entry}\n"));
        let said = ends_with(&Folder::new().with("tiny.yaml", text), 4, &["--config", "tiny.yaml", "--ops", "5", "-q"]);
        let state = entry.split(':').next().unwrap();
        let advice =
            format!("let `exclusions.state.{state}` (tiny.yaml:{line}) spare names that have a weight: Er, Pg, Rd");
        assert!(said.contains(&advice), "{said}");
    }
    // Names that forbid nothing where they are possible are not what is in the way.
    let said = ends_with(&Folder::new(), 4, &["--pc-demo", "pgm-read", "--ops", "5", "-q"]);
    assert!(!said.contains("exclusions.state"), "{said}");
}

#[test]
fn a_table_that_leaves_no_weight_names_the_entry_whatever_was_asked_for() {
    let limits = [&["--ops", "5"][..], &["--until-coverage", "50"], &["--closure"], &["-t", "5000"]];
    let tables = ["DEFAULT: {}", "DEFAULT: {}\n  PROG.END: {}"];
    for (limit, table) in limits.iter().flat_map(|limit| tables.map(|table| (limit, table))) {
        let folder = Folder::new()
            .with("tiny.yaml", TINY.replace("phase_conditional:\n", ""))
            .with("table.yaml", format!("phase_conditional:\n  {table}\n"));
        let flags = ["--config", "tiny.yaml", "--op-state-probs", "table.yaml"];
        let said = ends_with(&folder, 2, &[&flags[..], limit].concat());
        let advice = "list `Er` with a weight under `phase_conditional.DEFAULT` (table.yaml:2:3)";
        assert!(said.contains(advice) && !said.contains("without the flag"), "{limit:?}: {said}");
        let check = folder.succeed(&["profile", "check", "--op-state-probs", "table.yaml", "tiny.yaml"]).stdout;
        let check = String::from_utf8(check).unwrap();
        assert!(
            check.contains("warning[dead]: no phase key gives a weight above 0 to any operation")
                && check.contains(advice),
            "{check}"
        );
    }
    let of_profile = ends_with(&tiny("DEFAULT: {}"), 2, &["--config", "tiny.yaml", "--until-coverage", "9"]);
    assert!(of_profile.contains("under `phase_conditional.DEFAULT` (tiny.yaml:19:3)"), "{of_profile}");
}

#[test]
fn what_would_free_a_die_names_the_entry_that_gives_it_no_weight() {
    for limit in [["--ops", "5"], ["--until-coverage", "50"]] {
        let said = |folder: &Folder| ends_with(folder, 4, &[&["--config", "tiny.yaml", "-q"][..], &limit].concat());
        let listed = said(&tiny("DEFAULT: {Pg: 1}"));
        assert!(
            listed.contains(
                "give Er a weight under DEFAULT (`phase_conditional.DEFAULT` at tiny.yaml:19:3 does not list it)"
            ),
            "{listed}"
        );
        let without = said(&tiny("PROG.END: {Pg: 1}"));
        assert!(
            without
                .contains("a weight under DEFAULT (the table has no weights for the phase key, nor for DEFAULT): Er"),
            "{without}"
        );
        let masses = "probabilities: {global: {ERASE: 0, PROG: 0, READ: 0, DOUT: 0, NOP: 1}}\n";
        let zero = said(&Folder::new().with("tiny.yaml", TINY.replace("phase_conditional:\n", masses)));
        assert!(zero.contains("(`probabilities.global.ERASE` at tiny.yaml:18:26 is 0): Er"), "{zero}");
    }
}

#[test]
fn a_profile_on_which_nothing_can_start_is_warned_of_when_it_is_checked() {
    let folder = tiny("DEFAULT: {Pg: 1, Rd: 1}");
    let check = |flags: &[&str]| {
        let said = folder.succeed(&[&["profile", "check", "tiny.yaml"], flags].concat()).stdout;
        String::from_utf8(said).unwrap()
    };
    let said = check(&[]);
    let warning = "warning[dead]: after 0 operations of a trial nothing can ever start again on any die\n";
    assert!(
        said.contains(warning) && said.contains("die 0: nothing ever started there, at rest since 0 µs\n"),
        "{said}"
    );
    assert!(said.contains("to change that: give Er a weight under DEFAULT"), "{said}");
    let json: serde_json::Value = serde_json::from_str(&check(&["--format", "json"])).unwrap();
    assert!(json["pairs"]["dead"].as_str().unwrap().contains("nothing can ever start again on any die"), "{json}");
    let alive = tiny("DEFAULT: {Er: 1, Pg: 1}").succeed(&["profile", "check", "tiny.yaml"]).stdout;
    assert!(!String::from_utf8(alive).unwrap().contains("can ever start again"));
}

/// The built-in device and the predecessor's files, as flags.
fn devices() -> Vec<Vec<String>> {
    let mut devices: Vec<Vec<String>> = vec![Vec::new()];
    for (name, lenient) in [("config-2025-09.yaml", false), ("config-2025-10.yaml", true)] {
        let Some(path) = legacy(name) else { continue };
        let mut flags = vec!["--config".to_owned(), path.to_str().unwrap().to_owned()];
        flags.extend(lenient.then(|| "--lenient".to_owned()));
        devices.push(flags);
    }
    devices
}

/// A device whose refills draw an erase with this weight, and otherwise nothing.
fn mostly_delay(erase: &str) -> String {
    format!(
        "schema: 1
name: slow
topology: {{dies: 1, planes: 2, blocks_per_die: 8, pages_per_block: 4}}
cell_types: {{NONE: [], SLC: []}}
policies: {{queue_refill_period: 50}}
bases:
  ERASE: {{scope: die, affects_state: true, phases: [ISSUE, CORE_BUSY], address: any_block,
    payload: [die, plane, block, page, celltype], effects: [erase]}}
  NOP: {{scope: target, instant: true, phases: [ISSUE], effects: [delay]}}
ops:
  Block_Erase_SLC: {{base: ERASE, celltype: SLC, ISSUE: 0.1, CORE_BUSY: 100}}
  Delay: {{base: NOP, ISSUE: 0.02}}
phase_conditional: {{DEFAULT: {{Block_Erase_SLC: {erase}, Delay: 1}}}}
"
    )
}

#[test]
fn a_mix_that_starts_hardly_anything_is_warned_of_with_the_figure() {
    for (weight, figure) in [
        (
            "1e-9",
            "14 h of simulated time for its next operation: refills under DEFAULT come every 50 µs, and one in 1,000,000,001 of",
        ),
        (
            "1e-24",
            "more than 100 days of simulated time for its next operation: refills under DEFAULT come every 50 µs, and fewer than",
        ),
    ] {
        let folder = Folder::new().with("slow.yaml", mostly_delay(weight));
        let said = format!("on average a device at rest waits {figure}");
        let advice =
            "Block_Erase_SLC, takes 100.1 µs (lower the weight of Delay under DEFAULT, or shorten queue_refill_period)";
        let device = ["--config", "slow.yaml", "--stamp", "261121"];
        for command in [&[&device[..], &["-t", "1000"]].concat()[..], &["profile", "check", "slow.yaml"]] {
            let output = folder.succeed(command);
            let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
            assert_eq!((text.matches(&said).count(), text.matches(advice).count()), (1, 1), "{command:?}: {text}");
        }
    }
    // The longest operation takes a tenth of a millisecond, so a wait of a tenth of a second may be meant.
    let folder = Folder::new().with("slow.yaml", mostly_delay("0.001"));
    let output = folder.succeed(&["--config", "slow.yaml", "-t", "1000"]);
    assert!(!text(&output).contains("at rest waits"), "{}", text(&output));
}

#[test]
fn progress_goes_on_while_nothing_starts() {
    let folder = Folder::new().with("slow.yaml", mostly_delay("1e-24"));
    let mut command = folder.command(&["--config", "slow.yaml", "--ops", "10"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let is_said =
        lines.any(|line| line.starts_with("0 operations; no start for ") && line.ends_with("of simulated time"));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(is_said);
}

/// Runs every preset on every device for so long, µs; operations must start until the end.
fn presets_live(us: u64, seeds: std::ops::Range<u64>) {
    for device in &devices() {
        for preset in ["erase-only", "mix", "pgm-read"] {
            for seed in seeds.clone() {
                let (seed, time) = (seed.to_string(), us.to_string());
                let flags = ["--pc-demo", preset, "-t", &time, "-n", "2", "--bootstrap", "--seed", &seed, "--quiet"];
                let flags = [&flags[..], &["--outputs", "operation_sequence", "--stamp", "261121"]].concat();
                let device: Vec<&str> = device.iter().map(String::as_str).collect();
                let folder = Folder::new();
                let said = text(&folder.succeed(&[&device[..], &flags].concat()));
                assert!(!said.contains("can ever start"), "{device:?} {preset} {seed}: {said}");
                let rows = std::fs::read_to_string(folder.path().join("out/operation_sequence_261121_0000002.csv"));
                let last = rows.unwrap().lines().last().and_then(|row| row.split(',').nth(1)?.parse::<f64>().ok());
                // The second run ends after as much time again as the first.
                assert!(last.unwrap() > 1.9 * us as f64, "{device:?} {preset} {seed}: the last operation at {last:?}");
            }
        }
    }
}

#[test]
fn presets_stay_alive() {
    presets_live(200_000, 1..3);
}

#[test]
#[ignore = "long: cargo test --release -p nandseqgen --test long_command_line -- --ignored presets_stay_alive_for"]
fn presets_stay_alive_for_twenty_seconds() {
    presets_live(20_000_000, 1..6);
}

#[test]
fn operations_of_a_day_take_no_time_and_are_warned_of() {
    let day = crate::explaining::device("    ERASE: 0.5\n").replace("CORE_BUSY: 100", "CORE_BUSY: 86400000000");
    let folder = Folder::new().with("device.yaml", day);
    let began = Instant::now();
    let output = folder.succeed(&["--config", "device.yaml", "--ops", "20", "--verify"]);
    assert!(began.elapsed() < Duration::from_secs(30));
    let text = String::from_utf8(output.stderr).unwrap();
    let refills = "warning: Erase_SLC takes 24 h, which is 864,000,000 refills, one every 100 µs";
    assert!(text.contains(refills), "{text}");
    let check = String::from_utf8(folder.succeed(&["profile", "check", "device.yaml"]).stdout).unwrap();
    assert!(check.contains("warning[refills]: Erase_SLC takes "), "{check}");
}
