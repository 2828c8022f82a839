//! Wrong arguments: each is refused with a message of its own and exit code 2, and nothing is written.

use insta::assert_snapshot;

use crate::renaming::TINY;
use crate::runner::Folder;

/// One snapshot for each wrong command line.
macro_rules! refused {
    ($($name:ident: $($argument:expr),*;)*) => { $(
        #[test]
        fn $name() {
            let folder = Folder::new();
            let text = folder.refuse(&[$($argument),*]);
            assert!(text.starts_with("exit code 2\n"), "{text}");
            assert_snapshot!(stringify!($name), text);
        }
    )* };
}

refused! {
    an_unknown_flag: "--seeds", "3";
    an_unknown_subcommand: "generat";
    flags_before_a_word_that_is_no_subcommand: "-t", "500", "foo";
    a_flag_of_another_subcommand: "run-list", "list.yaml", "--jobs", "1";
    a_list_from_standard_input: "run-list", "-";
    a_profile_from_standard_input: "--config", "-";
    flags_before_a_subcommand: "--seed", "3", "generate";
    a_missing_value: "--config";
    a_time_that_is_no_number: "-t", "soon";
    a_negative_time: "-t", "-5";
    a_time_finer_than_a_picosecond: "--run-until", "0.0000001";
    a_time_of_years: "--run-until", "1e14";
    a_window_that_is_no_time: "--admission-window", "0,5";
    no_runs_at_all: "-n", "0";
    a_fraction_of_a_run: "-n", "1.5";
    no_operations_at_all: "--ops", "0";
    a_fraction_of_an_operation: "--ops", "1e-3";
    a_run_without_time: "-t", "0";
    a_first_site_without_a_batch: "--site-start", "5";
    a_negative_seed: "--seed", "-1";
    a_seed_of_more_than_64_bits: "--seed", "18446744073709551616";
    a_negative_number_of_sites: "--site-count", "-1";
    an_absurd_number_of_sites: "--site-count", "1000000000";
    no_jobs_at_all: "--jobs", "0";
    an_unknown_preset: "--pc-demo", "read-only";
    a_stamp_that_is_no_date: "--stamp", "today";
    a_stamp_on_a_day_that_does_not_exist: "--stamp", "2026-02-30";
    seeds_that_run_out: "--seed", "18446744073709551615", "--num-runs", "2";
    site_numbers_that_run_out: "--site-start", "18446744073709551615", "--site-count", "2";
    more_time_than_a_site_has: "-t", "8640000000000", "-n", "2";
    nothing_to_go_on_from: "--resume", "elsewhere";
    an_unknown_output: "--outputs", "operation_sequence,snapshots";
    judging_what_is_not_written: "--verify", "--outputs", "snapshot";
    a_pattern_without_the_site: "--site-count", "2", "--site-dir-pattern", "site";
    a_pattern_that_climbs_out: "--site-count", "2", "--site-dir-pattern", "../site_{site_id}";
    an_absolute_pattern: "--site-count", "2", "--site-dir-pattern", "/site_{site_id}";
    a_pattern_with_an_open_brace: "--site-dir-pattern", "site_{site_id";
    a_pattern_with_a_lone_closing_brace: "--site-dir-pattern", "site}_{site_id}";
    a_pattern_with_another_field: "--site-dir-pattern", "site_{run}";
    a_pattern_with_another_format: "--site-dir-pattern", "site_{site_id:>4}";
    a_pattern_with_too_long_a_name: "--site-dir-pattern", &format!("{}{{site_id}}", "x".repeat(300));
    several_mistakes_at_once: "--site-dir-pattern", "site", "--seed", "18446744073709551615", "-n", "3";
    an_empty_list_of_sites: "--site-count", "4", "--sites", "";
    a_list_of_sites_that_runs_backwards: "--site-count", "4", "--sites", "1,4-2";
    a_site_that_is_listed_twice: "--site-count", "4", "--sites", "1-3,2";
    a_site_that_is_not_of_the_batch: "--site-count", "4", "--site-start", "5", "--sites", "5,9";
    a_site_before_the_first: "--site-start", "5", "--sites", "4";
    a_shard_of_nothing: "--shard", "1/4";
    a_shard_that_is_not_there: "--site-count", "4", "--shard", "5/4";
    a_shard_of_some_sites: "--site-count", "4", "--sites", "1", "--shard", "1/4";
    an_unknown_seed_formula: "--seed-formula", "random";
    a_table_to_write_without_a_place: "--refresh-op-state-probs";
}

#[test]
fn flags_that_change_nothing_yet_are_accepted() {
    let folder = Folder::new();
    let accepted = ["--no-bootstrap", "--format", "csv", "--proposer-log", "off", "--drain-op-end", "-t", "100"];
    let output = folder.succeed(&accepted);
    assert!(!String::from_utf8(output.stderr).unwrap().contains("warning"));
    // The last of two opposite flags counts, as the predecessor's users expect; it is named.
    for (one, other) in [("--bootstrap", "--no-bootstrap"), ("--no-drain-op-end", "--drain-op-end")] {
        let output = folder.succeed(&[one, other, "-t", "100", "-q"]);
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.contains(&format!(" are both given: {other} counts, because it comes last\n")), "{text}");
    }
}

#[test]
fn counts_and_times_may_be_grouped_or_powers_of_ten() {
    let sequence = |arguments: &[&str]| {
        let folder = Folder::new();
        folder.succeed(&[&["--stamp", "261121", "--out-dir", "o"], arguments].concat());
        folder.files()["o/operation_sequence_261121_0000001.csv"].clone()
    };
    let plain = sequence(&["--ops", "2000", "--seed", "1000000", "-t", "1000000"]);
    assert!(sequence(&["--ops", "2e3", "--seed", "1e6", "-t", "1_000_000"]) == plain);
    assert!(sequence(&["--ops", "2_000", "--seed", "1_000_000", "-t", "1e6"]) == plain);
}

#[test]
fn a_shard_without_sites_says_that_and_nothing_else() {
    let folder = Folder::new();
    let output = folder.succeed(&["--site-count", "2", "--shard", "1/3", "-t", "100"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("Shard 1/3 holds none of the 2 sites: nothing was made"), "{text}");
    assert!(!text.contains("Never started"), "{text}");
    // Without the summary it is said too.
    let output = folder.succeed(&["--site-count", "2", "--shard", "1/3", "-t", "100", "-q"]);
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("warning: Shard 1/3 holds none of the 2 sites: nothing was made\n"), "{text}");
}

#[test]
fn one_of_a_kind_is_said_in_the_singular() {
    let output = Folder::new().succeed(&["--ops", "1", "--pc-demo", "erase-only"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("1 operation in 1 run,"), "{text}");
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(!text.contains(" 1 operations") && !text.contains(" 1 runs"), "{text}");
}

#[test]
fn bootstrap_of_a_single_run_is_refused_aloud() {
    let folder = Folder::new();
    let output = folder.succeed(&["--bootstrap", "-t", "100"]);
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("--bootstrap has no effect on a single run"), "{text}");
}

#[test]
fn leaving_operations_undrained_is_warned_about_and_not_done() {
    let (drained, undrained) = (Folder::new(), Folder::new());
    drained.succeed(&["-t", "5000", "--stamp", "261121"]);
    let output = undrained.succeed(&["-t", "5000", "--stamp", "261121", "--no-drain-op-end"]);
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("warning: without draining a run boundary is unsafe"), "{text}");
    assert!(undrained.files() == drained.files());
}

#[test]
fn help_and_version_are_printed_and_succeed() {
    let folder = Folder::new();
    let help = String::from_utf8(folder.succeed(&["--help"]).stdout).unwrap();
    for flag in [
        "--config",
        "--run-until",
        "--num-runs",
        "--seed",
        "--out-dir",
        "--site-count",
        "--site-start",
        "--site-dir-pattern",
        "--bootstrap",
        "--no-bootstrap",
        "--admission-window",
        "--badlist",
        "--pc-demo",
        "--op-state-probs",
        "--autofill-pc",
        "--refresh-op-state-probs",
        "--pc-seed",
        "--validate-pc",
        "--drain-op-end",
        "--no-drain-op-end",
        "--jobs",
        "--format",
        "--stamp",
        "--resume",
        "--quiet",
        "--proposer-log",
        "--ops",
    ] {
        assert!(help.contains(flag), "{flag} is not in the help");
    }
    let version = String::from_utf8(folder.succeed(&["--version"]).stdout).unwrap();
    assert_eq!(version, format!("nandseqgen {}\n", env!("CARGO_PKG_VERSION")));
    assert!(folder.files().is_empty());
}

#[test]
fn a_completion_script_knows_the_flags() {
    let output = Folder::new().succeed(&["completions", "bash"]);
    assert!(String::from_utf8(output.stdout).unwrap().contains("--site-dir-pattern"));
}

#[test]
fn quiet_and_verbose_exclude_one_another() {
    for words in [&["-q", "-v"][..], &["-qv", "verify", "out"], &["verify", "--verbose", "out", "--quiet"]] {
        let text = Folder::new().refuse(words);
        assert!(text.starts_with("exit code 2\n") && text.contains("cannot be used with"), "{text}");
    }
}

#[test]
fn a_negative_number_or_one_with_a_leading_zero_is_refused_with_its_flag_and_what_may_stand_there() {
    let folder = Folder::new();
    for (words, flag, why) in [
        ("--ops -5", "--ops <N>", "not a whole number from 1 on"),
        ("-n -1", "'-n <N>'", "not a whole number from 1 to 9999999"),
        ("--num-runs -1", "--num-runs <N>", "not a whole number from 1 to 9999999"),
        ("--seed -3", "--seed <N>", "not a whole number from 0 to 18446744073709551615"),
        ("--jobs -2", "--jobs <N>", "not a whole number from 1 to 1024"),
        ("--sites -1", "--sites <LIST>", "`-1` is neither a site nor a range such as 1-4"),
        ("--sites -1,3", "--sites <LIST>", "`-1` is neither a site"),
        ("--shard -1/2", "--shard <K/N>", "a shard is written K/N"),
        ("-t -.5", "'-t <US>'", "a time cannot be negative"),
        ("report out --to -5", "--to <US>", "a time cannot be negative"),
        ("report out --max-rows -1", "--max-rows <N>", "not a whole number from 0 to 4294967295"),
        ("export --to -5 out", "--to <US>", "nor a time: a time cannot be negative"),
        ("export out --run -1", "--run <LIST>", "`-1` is neither a run nor a range"),
        ("replay out --run -1", "--run <N>", "not a whole number from 1 to 9999999"),
        ("verify out --jobs -1", "--jobs <N>", "not a whole number from 1 to 1024"),
        ("explain Read_SLC -n -3", "'-n <N>'", "not a whole number from 1 on"),
        ("explain Read_SLC -n 0", "'-n <N>'", "not a whole number from 1 on"),
        ("explain Read_SLC --ops 0", "'--ops <N>'", "not a whole number from 1 on"),
        ("explain Read_SLC --pc-seed -3", "--pc-seed <N>", "not a whole number from 0 to"),
        ("profile check --pc-seed -3", "--pc-seed <N>", "not a whole number from 0 to"),
        ("coverage universe --pc-seed -1", "--pc-seed <N>", "not a whole number from 0 to"),
        ("coverage gate out --min -3", "--min <PERCENT>", "a percentage is 0 to 100"),
        ("merge a --jobs -3", "--jobs <N>", "not a whole number from 1 to 1024"),
        (
            "--ops 010",
            "--ops <N>",
            "it has a leading zero: `010` is 10 as a decimal number, but 8 as an octal one; write `10` or `8`",
        ),
        ("--seed 007", "--seed <N>", "`007` is 7 as a decimal number, and as an octal one; write `7`"),
        ("-t 010", "'-t <US>'", "`010` is 10 as a decimal number, but 8 as an octal one"),
        ("--sites 08-09", "--sites <LIST>", "`08` is 8 as a decimal number, and no octal number has such a digit"),
        ("--site-count 4 --shard 01/02", "--shard <K/N>", "`01` is 1 as a decimal number"),
        ("--until-coverage 090", "--until-coverage <PERCENT>", "`090` is 90 as a decimal number"),
        ("coverage gate out --min 090", "--min <PERCENT>", "`090` is 90 as a decimal number"),
        ("verify out --jobs 02", "--jobs <N>", "`02` is 2 as a decimal number"),
    ] {
        let said = folder.refuse(&words.split(' ').collect::<Vec<_>>());
        let value = words.split(' ').find(|word| word.starts_with('-') && word.contains(|c: char| c.is_ascii_digit()));
        let is_named = value.is_none_or(|value| said.contains(&format!("invalid value '{value}' for '")));
        assert!(said.starts_with("exit code 2\n") && is_named, "{words}: {said}");
        assert!(said.contains(flag) && said.contains(why), "{words}: {said}");
    }
}

#[cfg(unix)]
#[test]
fn a_value_that_is_no_text_is_named_with_its_flag() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let folder = Folder::new();
    let not_text = OsStr::from_bytes(b"s\xff{site_id}");
    // A path may be any bytes.
    let mut command = folder.command(&["--site-count", "1", "--out-dir"]);
    let output = command.arg(OsStr::from_bytes(b"\xff")).arg("--site-dir-pattern").arg(not_text).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("the value of '--site-dir-pattern' is not text (UTF-8): 's\\xFF{site_id}'"), "{text}");
}

#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_printed_is_an_error_whatever_it_is() {
    let folder = Folder::new().with("tiny.yaml", TINY);
    for words in [
        &["--help"][..],
        &["--version"],
        &["verify", "--help"],
        &["completions", "bash"],
        &["explain", "Read_SLC", "--config", "tiny.yaml"],
    ] {
        let mut command = folder.command(words);
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = command.stdout(full).output().unwrap();
        assert_eq!(output.status.code(), Some(3), "{words:?}");
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.contains("cannot write `standard output`") && !text.contains("--out-dir"), "{words:?}: {text}");
    }
}

#[test]
fn flags_without_effect_are_warned_of() {
    for (flags, said) in [
        (&["--proposer-log", "off", "--outputs", "proposer_log,snapshot"][..], "--proposer-log off leaves out"),
        (&["--proposer-log", "full", "--outputs", "operation_sequence"], "--proposer-log full has no effect"),
        (&["--site-dir-pattern", "s{site_id}"], "--site-dir-pattern has no effect without --site-count"),
    ] {
        let folder = Folder::new();
        let output = folder.succeed(&[&["-t", "200"], flags].concat());
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(text.matches(said).count(), 1, "{text}");
    }
    let output = Folder::new().succeed(&["-t", "200", "--proposer-log", "off", "--outputs", "operation_sequence"]);
    assert!(!String::from_utf8(output.stderr).unwrap().contains("warning: --"));
}
