//! `report`, `export`, `coverage`: what they write, and how they end.

use std::fs;

use crate::runner::Folder;

/// Two sites of two runs.
fn made() -> Folder {
    let folder = Folder::new();
    folder.succeed(&["-t", "20000", "-n", "2", "--site-count", "2", "--stamp", "261122", "--quiet"]);
    folder
}

fn text(output: std::process::Output) -> String {
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_page_holds_every_site_and_its_coverage() {
    let folder = made();
    let told = text(folder.succeed(&["report", "out", "-o", "pages/report.html"]));
    assert!(told.starts_with("wrote `pages/report.html`, "), "{told}");
    let page = fs::read_to_string(folder.path().join("pages/report.html")).unwrap();
    for part in ["\"name\":\"site_01\"", "\"name\":\"site_02\"", "\"Covered\"", "\"refusals\":[{"] {
        assert!(page.contains(part), "the page lacks {part}");
    }
    assert!(!page.contains("://"), "the page names an address");
}

#[test]
fn timelines_are_written_in_both_forms() {
    let folder = made();
    folder.succeed(&["export", "out", "--to", "perfetto"]);
    folder.succeed(&["export", "out", "--to", "vcd", "-o", "all.vcd"]);
    assert!(!fs::read(folder.path().join("timeline.pftrace")).unwrap().is_empty());
    let dump = fs::read_to_string(folder.path().join("all.vcd")).unwrap();
    assert!(dump.contains("$scope module site_02 $end") && dump.contains("d1_p3_state"), "{}", &dump[..500]);
}

#[test]
fn flows_of_data_are_for_traces_of_runs_that_name_data() {
    let folder = Folder::new();
    folder.succeed(&["--ops", "400", "-q"]);
    let text = folder.refuse(&["export", "out", "--to", "perfetto", "--flows", "data"]);
    assert!(text.contains("these runs do not say whose data passes on the bus"), "{text}");
    folder.succeed(&["--ops", "400", "-q", "--expect", "data", "--out-dir", "with"]);
    let text = folder.refuse(&["export", "with", "--to", "vcd", "--flows", "data"]);
    assert!(text.contains("a value change dump has no flows"), "{text}");
    let size = |flags: &[&str]| {
        folder.succeed(&[&["export", "with", "--to", "perfetto"], flags].concat());
        fs::read(folder.path().join("timeline.pftrace")).unwrap().len()
    };
    assert!(size(&["--flows", "data"]) > size(&[]));
}

#[test]
fn coverage_counted_apart_and_merged_is_coverage_counted_at_once() {
    let folder = made();
    folder.succeed(&["coverage", "merge", "out/site_01", "-o", "one.json"]);
    folder.succeed(&["coverage", "merge", "out/site_02", "-o", "two.json"]);
    folder.succeed(&["coverage", "merge", "two.json", "one.json", "-o", "both.json"]);
    folder.succeed(&["coverage", "merge", "out", "-o", "all.json"]);
    let read = |name: &str| fs::read(folder.path().join(name)).unwrap();
    assert!(read("both.json") == read("all.json"));
    let report = text(folder.succeed(&["coverage", "report", "out"]));
    assert!(report.contains("site_02 run 2") && report.contains("Uncovered bins, nearest first"), "{report}");
    let json = text(folder.succeed(&["coverage", "report", "both.json", "--format", "json"]));
    assert!(serde_json::from_str::<serde_json::Value>(&json).unwrap()["merged"]["hit"].as_u64() > Some(0));
    let diff = text(folder.succeed(&["coverage", "diff", "one.json", "two.json"]));
    assert!(diff.contains("bins only the first hit"), "{diff}");
}

#[test]
fn a_report_of_merged_counts_says_what_that_of_the_folders_says() {
    let folder = Folder::new();
    // More than nine sites: their names are not in the order of the alphabet. The table is not the profile's own.
    let flags = ["-t", "3000", "-n", "2", "--site-start", "98", "--site-count", "4", "--pc-demo", "mix", "--quiet"];
    folder.succeed(&flags);
    folder.succeed(&["coverage", "merge", "out", "-o", "all.json"]);
    for site in ["101", "98", "100", "99"] {
        let (path, counts) = (format!("out/site_{site}"), format!("{site}.json"));
        folder.succeed(&["coverage", "merge", &path, "-o", &counts]);
    }
    folder.succeed(&["coverage", "merge", "100.json", "98.json", "101.json", "99.json", "-o", "joined.json"]);
    for form in [&["--holes", "99999"][..], &["--format", "json"]] {
        let report = |path: &str| text(folder.succeed(&[&["coverage", "report", path], form].concat()));
        let of_folders = report("out");
        assert!(of_folders.contains("out/site_99 run 2"), "{of_folders}");
        assert!(report("all.json") == of_folders, "{}", report("all.json"));
        assert!(report("joined.json") == of_folders);
    }
    // Another table is said to be another.
    folder.succeed(&["-t", "3000", "--out-dir", "plain", "--quiet"]);
    folder.succeed(&["coverage", "merge", "plain", "-o", "plain.json"]);
    let output = folder.succeed(&["coverage", "merge", "all.json", "plain.json", "-o", "both.json"]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("the runs in `plain.json` were made under another probability table"), "{told}");
}

#[test]
fn a_gate_ends_with_1_when_too_little_was_covered() {
    let folder = made();
    folder.succeed(&["coverage", "gate", "out", "--min", "0"]);
    let output = folder.run(&["coverage", "gate", "out", "--min", "99.5"]);
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains("too little (99.5 % wanted)"), "{told}");
}

#[test]
fn counts_of_another_profile_say_which_one_it_was() {
    let own = crate::given_files::small_profile();
    let folder = Folder::new().with("my device.yaml", own);
    folder.succeed(&["--config", "my device.yaml", "--ops", "20", "--out-dir", "own", "-q"]);
    folder.succeed(&["--ops", "20", "--out-dir", "built-in", "-q"]);
    for site in ["own", "built-in"] {
        folder.succeed(&["coverage", "merge", site, "-o", &format!("{site}.json")]);
    }
    let report = |more: &[&str]| folder.refuse(&[&["coverage", "report"], more].concat());
    // The sites that were counted are there, and their manifests name the profile.
    folder.succeed(&["coverage", "report", "own.json"]);
    folder.succeed(&["coverage", "report", "own.json", "--config", "my device.yaml"]);
    let text = report(&["built-in.json", "--config", "my device.yaml"]);
    assert!(text.ends_with("help: it was the built-in device: leave --config out\n"), "{text}");
    // The counts may be far from what was counted.
    for site in ["own", "built-in"] {
        fs::remove_dir_all(folder.path().join(site)).unwrap();
    }
    let counts: serde_json::Value = serde_json::from_slice(&fs::read(folder.path().join("own.json")).unwrap()).unwrap();
    let resolved = counts["profile_sha256"].as_str().unwrap();
    let text = report(&["own.json"]);
    assert!(text.ends_with(&format!("with --config PATH: it resolves to SHA-256 {resolved}\n")), "{text}");
    let text = report(&["built-in.json", "--config", "my device.yaml"]);
    assert!(text.ends_with("help: it was the built-in device: leave --config out\n"), "{text}");
}

#[test]
fn what_cannot_be_read_is_said_and_nothing_is_written() {
    let folder = made().with("x.json", "{}").with("no.txt", "nothing");
    let refused = |arguments: &[&str]| folder.refuse(arguments);
    assert!(refused(&["report", "nowhere"]).starts_with("exit code 2\nerror: cannot read"));
    assert!(refused(&["coverage", "report", "x.json"]).contains("no coverage: the field `schema` is missing"));
    assert!(refused(&["report", "out", "--violations", "no.txt"]).contains("`no.txt` is not a verdict"));
    assert!(refused(&["coverage", "gate", "out", "--min", "101"]).contains("a percentage is 0 to 100"));
    let name = "out/site_01/op_state_name_input_time_count_261122_0000001.csv";
    fs::remove_file(folder.path().join(name)).unwrap();
    assert!(refused(&["coverage", "report", "out"]).contains("generate it too"));
}

#[test]
fn the_universe_is_the_same_in_both_forms() {
    let folder = Folder::new();
    let listed = text(folder.succeed(&["coverage", "universe"]));
    let json = text(folder.succeed(&["coverage", "universe", "--format", "json"]));
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let pairs = json["pairs"].as_array().unwrap();
    assert_eq!(pairs.len(), listed.lines().count() - 1);
    let mut bins = 0;
    for (line, pair) in listed.lines().skip(1).zip(pairs) {
        let column = |name: &str| pair[name].as_str().unwrap();
        let of_pair = pair["cells"].as_u64().unwrap();
        let [key, op, reason, tenths] = ["phase_key", "op_name", "reason", "tenths"].map(column);
        assert_eq!(line, format!("{key}\t{op}\t{of_pair}\t{reason}\t{tenths}"));
        assert_eq!(of_pair, tenths.len() as u64, "{line}");
        // What has not all of its bins says why.
        assert!(of_pair > 0 || !reason.is_empty(), "{line}");
        bins += of_pair;
    }
    assert_eq!(json["cells"], bins);
}

#[test]
fn no_run_counts_twice_without_a_word() {
    let folder = made();
    let told = folder.refuse(&["coverage", "report", "out", "./out/site_01"]);
    assert!(told.contains("`out/site_01` and `./out/site_01` are the same"), "{told}");
    folder.succeed(&["coverage", "merge", "out", "-o", "all.json"]);
    for spelled in ["out/site_01", "./out/site_01", "out/../out/site_01"] {
        let output = folder.succeed(&["coverage", "merge", spelled, "all.json"]);
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(told.contains("run 1 of `out/site_01` is counted more than once"), "{spelled}: {told}");
    }
}

#[test]
fn a_sequence_alone_makes_a_page_that_says_what_is_missing() {
    let folder = Folder::new();
    folder.succeed(&["-t", "2000", "--outputs", "operation_sequence", "--quiet"]);
    folder.succeed(&["report", "out", "-o", "page.html"]);
    let page = fs::read_to_string(folder.path().join("page.html")).unwrap();
    assert!(page.contains("\"missing\":[\"operation_timeline\""));
    let told = folder.refuse(&["export", "out", "--to", "vcd"]);
    assert!(told.contains("no operation_timeline lies beside") && told.contains("generate it too"), "{told}");
    let told = folder.refuse(&["coverage", "gate", "out", "--min", "1"]);
    assert!(told.contains("no op_state_name_input_time_count lies beside"), "{told}");
}

#[test]
fn coverage_of_another_device_is_refused() {
    let folder = made();
    folder.succeed(&["coverage", "merge", "out", "-o", "one.json"]);
    let shown = text(folder.succeed(&["profile", "show"]));
    let folder = folder.with("other.yaml", shown.replacen("offset_guard: ", "offset_guard: 1", 1));
    let told = folder.refuse(&["coverage", "merge", "one.json", "--config", "other.yaml"]);
    assert!(told.contains("`one.json`: counted for another profile"), "{told}");
    let told = folder.refuse(&["coverage", "report", "out", "--config", "other.yaml"]);
    assert!(told.starts_with("exit code 2\n") && told.contains("\nerror: "), "{told}");
}

#[test]
fn a_file_cut_anywhere_is_named_or_read_but_never_a_crash() {
    let folder = made();
    let site = folder.path().join("out/site_01");
    let names = fs::read_dir(&site).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    for path in names {
        let whole = fs::read(&path).unwrap();
        for share in [0, 40, 99] {
            fs::write(&path, &whole[..whole.len() * share / 100]).unwrap();
            for arguments in
                [&["coverage", "merge", "out", "-o", "all.json"][..], &["export", "out", "--to", "perfetto"]]
            {
                let output = folder.run(arguments);
                let told = String::from_utf8(output.stderr).unwrap();
                assert!(matches!(output.status.code(), Some(0 | 2)), "{}: {told}", path.display());
                assert!(!told.contains("panicked"), "{}: {told}", path.display());
            }
        }
        fs::write(&path, &whole).unwrap();
    }
}

/// The number of bins that a report counts.
fn bins(folder: &Folder, arguments: &[&str]) -> (u64, String) {
    let output = folder.succeed(&[&["coverage", "report", "--format", "json"], arguments].concat());
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    (report["merged"]["cells"].as_u64().unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn what_can_be_covered_depends_on_the_bad_blocks_of_the_runs() {
    let folder = Folder::new().with("bad.csv", "die,block\n0-1,0-1019\n");
    let generate = ["--ops", "50", "--stamp", "261121", "--quiet", "--badlist", "bad.csv", "--out-dir", "bad"];
    folder.succeed(&generate);
    folder.succeed(&["--ops", "50", "--stamp", "261121", "--quiet", "--out-dir", "good"]);
    let universe = folder.succeed(&["coverage", "universe", "--badlist", "bad.csv", "--format", "json"]).stdout;
    let universe: serde_json::Value = serde_json::from_slice(&universe).unwrap();
    let (of_bad, told) = bins(&folder, &["bad"]);
    assert_eq!((of_bad, told.as_str()), (universe["cells"].as_u64().unwrap(), ""));
    folder.succeed(&["coverage", "merge", "bad", "-o", "bad.json"]);
    folder.succeed(&["coverage", "merge", "good", "-o", "good.json"]);
    assert_eq!(bins(&folder, &["bad.json"]).0, of_bad);
    assert!(
        text(folder.succeed(&["coverage", "gate", "bad", "--min", "0"])).contains(&format!(" of {} ", grouped(of_bad)))
    );
    folder.succeed(&["report", "bad"]);
    let page = fs::read_to_string(folder.path().join("report.html")).unwrap();
    assert!(page.contains(&format!("of {} bins: phase key", grouped(of_bad))));
    // Told by the first, with a warning, whatever the runs are in.
    for [one, other] in [["bad", "good"], ["bad", "good.json"], ["bad.json", "good.json"]] {
        let (count, told) = bins(&folder, &[one, other]);
        let warning = format!("warning: the runs in `{other}` were made with other bad blocks than those before");
        assert!(count == of_bad && told.starts_with(&warning), "{one} {other} {count}: {told}");
    }
    fs::remove_file(folder.path().join("bad.csv")).unwrap();
    let (count, told) = bins(&folder, &["bad"]);
    assert!(
        count > of_bad
            && told.starts_with("warning: the bad blocks of `bad` are not known: ")
            && !told.contains("error"),
        "{told}"
    );
}

fn grouped(count: u64) -> String {
    if count < 1000 { count.to_string() } else { format!("{},{:03}", count / 1000, count % 1000) }
}

#[test]
fn runs_under_different_tables_are_warned_of_in_whatever_form_they_come() {
    let folder = Folder::new();
    for (name, more) in [("one", &[][..]), ("other", &["--pc-demo", "erase-only"])] {
        folder.succeed(&[&["-t", "500", "--stamp", "261121", "--quiet", "--out-dir", name], more].concat());
    }
    folder.succeed(&["coverage", "merge", "other", "-o", "other.json"]);
    for other in ["other", "other.json"] {
        let (_, told) = bins(&folder, &["one", other]);
        let warning =
            format!("warning: the runs in `{other}` were made under another probability table than those before");
        assert!(told.starts_with(&warning), "{told}");
    }
    let told = folder.succeed(&["report", "one", "other"]).stderr;
    assert!(String::from_utf8(told).unwrap().contains("`other` were made under another probability table"));
    assert!(folder.succeed(&["coverage", "report", "one"]).stderr.is_empty());
}

#[test]
fn a_table_that_changed_since_does_not_decide_what_can_be_covered() {
    let folder = Folder::new();
    let profile = folder.succeed(&["profile", "show"]).stdout;
    let folder = folder.with("device.yaml", profile);
    let refresh = ["--op-state-probs", "table.yaml", "--refresh-op-state-probs"];
    let generate = ["--config", "device.yaml", "--ops", "50", "--stamp", "261121", "--quiet"];
    folder.succeed(&[&generate[..], &refresh, &["--out-dir", "made"]].concat());
    let table = fs::read_to_string(folder.path().join("table.yaml")).unwrap();
    let folder = folder.with("table.yaml", "phase_conditional:\n  DEFAULT:\n    Block_Erase_SLC: 1\n");
    folder.succeed(&[&generate[..], &["--op-state-probs", "table.yaml", "--out-dir", "erased"]].concat());
    folder.succeed(&[&generate[..], &["--out-dir", "own"]].concat());
    let (of_erases, of_profile) = (bins(&folder, &["erased"]), bins(&folder, &["own"]));
    assert_ne!(of_erases.0, of_profile.0);
    // A table that is put beside the profile later is none of those runs.
    let folder = folder.with("op_state_probs.yaml", "phase_conditional:\n  DEFAULT:\n    Block_Erase_SLC: 1\n");
    assert_eq!(bins(&folder, &["own"]), of_profile);
    for changed in [&*table, "noise: ["] {
        fs::write(folder.path().join("table.yaml"), changed).unwrap();
        let (count, told) = bins(&folder, &["erased"]);
        let warning =
            "the probability table of `erased` is not known: `table.yaml` is no longer what the manifest says it was";
        assert!(count == of_profile.0 && told.contains(warning) && !told.contains("noise"), "{count} {told}");
    }
    fs::remove_file(folder.path().join("table.yaml")).unwrap();
    let (count, told) = bins(&folder, &["erased"]);
    let gone = "of `erased` is not known: `table.yaml` that the manifest names is not there";
    assert!(count == of_profile.0 && told.contains(gone), "{count} {told}");
}

/// What a bootstrap leaves can be covered: whether the runs are read, or counts that were stored.
#[test]
fn counts_keep_that_a_bootstrap_came_first() {
    let folder = Folder::new();
    let preset = ["--pc-demo", "pgm-read", "-t", "20000", "--stamp", "261121", "-q"];
    folder.succeed(&[&preset[..], &["-n", "2", "--bootstrap", "--out-dir", "with"]].concat());
    let out = folder.run(&[&preset[..], &["--out-dir", "without"]].concat());
    assert!(out.status.success());
    let universe = |paths: &[&str]| {
        let shown = folder.succeed(&[&["coverage", "report"], paths].concat());
        let text = String::from_utf8(shown.stdout).unwrap();
        text.lines().find(|line| line.contains("niverse")).unwrap_or_else(|| panic!("{text}")).to_owned()
    };
    let with = universe(&["with"]);
    folder.succeed(&["coverage", "merge", "with", "-o", "with.json", "-q"]);
    assert_eq!(universe(&["with.json"]), with);
    assert_ne!(universe(&["without"]), with);
    assert_eq!(universe(&["without", "with"]), with);
    assert_eq!(universe(&["with", "without"]), with);
}

#[test]
fn a_timeline_under_the_name_of_another_form_is_noted() {
    let folder = Folder::new();
    folder.succeed(&["-q", "-t", "500", "--stamp", "261121"]);
    let said = |form: &str, name: &str, more: &[&str]| {
        let output = folder.succeed(&[&["export", "out", "--format", form, "-o", name], more].concat());
        String::from_utf8(output.stderr).unwrap()
    };
    let note = "`x.json` will hold a trace in the binary form of Perfetto (protobuf), which its name does not say: `-o x.pftrace` does";
    let text = said("perfetto", "x.json", &[]);
    assert!(text.contains(note), "{text}");
    assert!(said("vcd", "y.pftrace", &[]).contains("a value change dump (VCD)"));
    for (form, name) in [("perfetto", "x.pftrace"), ("perfetto", "x"), ("vcd", "y.VCD"), ("perfetto", "x.trace")] {
        let text = said(form, name, &[]);
        assert!(!text.contains("its name does not say"), "{name}: {text}");
    }
    assert!(!said("perfetto", "x.json", &["-q"]).contains("its name"), "-q shows no notes");
}

#[test]
fn merged_counts_find_the_profile_of_their_runs() {
    let device = nandseq_profile::builtin::text().replace("sequence_gap: 1 ", "sequence_gap: 2 ");
    let folder = Folder::new().with("device.yaml", device);
    folder.succeed(&["--config", "device.yaml", "-t", "20000", "--stamp", "261122", "-q"]);
    folder.succeed(&["coverage", "merge", "out", "-o", "all.json"]);
    let output = folder.succeed(&["coverage", "report", "all.json"]);
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    assert!(said.contains("note: the profile is `device.yaml`, as the manifest of a counted site says\n"), "{said}");
    let named = folder.succeed(&["coverage", "report", "all.json", "--config", "device.yaml"]);
    assert_eq!(text(output), text(named));
    for more in [&["gate", "all.json", "--min", "0.1"][..], &["diff", "all.json", "out"]] {
        folder.succeed(&[&["coverage"], more].concat());
    }
    // Of the built-in device, whatever the environment says.
    folder.succeed(&["-t", "20000", "--stamp", "261122", "--out-dir", "plain", "-q"]);
    folder.succeed(&["coverage", "merge", "plain", "-o", "plain.json"]);
    let mut command = folder.command(&["coverage", "report", "plain.json"]);
    assert!(command.env("NANDSEQGEN_CONFIG", "device.yaml").output().unwrap().status.success());
    // Where the profile is not found, the message says what to give.
    fs::remove_file(folder.path().join("device.yaml")).unwrap();
    let said = folder.refuse(&["coverage", "report", "all.json"]);
    assert!(
        said.contains("device.yaml, as the manifest calls it, is not there: --config says where it is now"),
        "{said}"
    );
}
