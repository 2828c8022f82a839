//! Sequences in other forms: packed by gzip, from standard input, with quoted headers, named one by one.

use std::fs;
use std::io::Write;
use std::process::{Command, Output, Stdio};

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::runner::{Folder, files_below};

const FIRST: &str = "out/operation_sequence_261121_0000001.csv";
const SECOND: &str = "out/operation_sequence_261121_0000002.csv";
const THIRD: &str = "out/operation_sequence_261121_0000003.csv";

fn generated(arguments: &[&str]) -> Folder {
    let folder = Folder::new();
    folder.succeed(&[&["-t", "3000", "--stamp", "261121", "--quiet"], arguments].concat());
    folder
}

fn packed(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

/// What it said, without the note that no manifest names a profile.
fn text(output: &Output) -> String {
    let text = String::from_utf8([&output.stdout[..], &output.stderr[..]].concat()).unwrap();
    text.replace("note: no manifest names a profile: the built-in device is taken; --config names another\n", "")
}

/// Gives the program an input.
fn fed(folder: &Folder, arguments: &[&str], input: &[u8]) -> Output {
    let mut command = folder.command(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // It may refuse before it has read everything.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

/// A table with every field quoted, as pandas with `QUOTE_ALL` writes it, or its header alone.
fn quoted(table: &[u8], rows_too: bool, end: &str) -> Vec<u8> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(table);
    let mut out = Vec::new();
    for (at, record) in reader.records().enumerate() {
        let record = record.unwrap();
        let fields = record.iter().map(|field| {
            let quote = rows_too || at == 0 || field.contains(['"', ',']);
            if quote { format!("\"{}\"", field.replace('"', "\"\"")) } else { field.to_owned() }
        });
        out.extend_from_slice(fields.collect::<Vec<_>>().join(",").as_bytes());
        out.extend_from_slice(end.as_bytes());
    }
    out
}

#[test]
fn a_quoted_header_is_a_header_and_a_quoted_row_a_row() {
    for (rows_too, end, mark) in
        [(true, "\n", ""), (true, "\r\n", ""), (false, "\n", "\u{feff}"), (true, "\r\n", "\u{feff}")]
    {
        let folder = generated(&[]);
        let expected = text(&folder.succeed(&["verify", "out"]));
        for (name, bytes) in folder.files().iter().filter(|(name, _)| name.ends_with(".csv")) {
            let changed = [mark.as_bytes(), &quoted(bytes, rows_too, end)].concat();
            fs::write(folder.path().join(name), changed).unwrap();
        }
        fs::remove_file(folder.path().join("out/manifest.json")).unwrap();
        assert_eq!(text(&folder.succeed(&["verify", "out"])), expected, "{rows_too} {end:?} {mark:?}");
        folder.succeed(&["report", "out"]);
        folder.succeed(&["coverage", "report", "out"]);
        assert!(text(&folder.succeed(&["verify", FIRST])).contains(" in 1 file of 1 site: no rule broken."));
    }
}

#[test]
fn a_header_of_other_columns_is_none() {
    for header in
        ["\"seq\",\"time\"", "\"\",\"seq\",\"time\",\"op_id\",\"op_name\",\"op_uid\",\"payload\"", "\"seq", ""]
    {
        let folder = Folder::new().with("rows.csv", format!("{header}\n"));
        assert!(folder.refuse(&["verify", "rows.csv"]).contains("the first line is not 'seq,time,"), "{header}");
    }
}

#[test]
fn packed_files_are_what_they_were() {
    let folder = generated(&["-n", "2", "--site-count", "2"]);
    let told = |arguments: &[&str]| text(&folder.succeed(arguments));
    let (verdict, coverage) = (told(&["verify", "out"]), told(&["coverage", "report", "out"]));
    folder.succeed(&["report", "out", "-o", "before.html"]);
    folder.succeed(&["export", "out", "--to", "vcd", "-o", "before.vcd"]);
    for (name, bytes) in folder.files().iter().filter(|(name, _)| !name.ends_with("manifest.json")) {
        if name.starts_with("out/") {
            // In two pieces, as tools that append write them.
            let (one, other) = bytes.split_at(bytes.len() / 2);
            fs::write(folder.path().join(format!("{name}.gz")), [packed(one), packed(other)].concat()).unwrap();
            fs::remove_file(folder.path().join(name)).unwrap();
        }
    }
    assert_eq!(told(&["verify", "out"]), verdict);
    assert_eq!(told(&["coverage", "report", "out"]), coverage);
    assert!(told(&["replay", "out"]).contains("32 files of 4 runs made again: all as the manifest says\n"));
    folder.succeed(&["report", "out", "-o", "after.html"]);
    folder.succeed(&["export", "out", "--to", "vcd", "-o", "after.vcd"]);
    let files = folder.files();
    assert!(files["after.vcd"] == files["before.vcd"]);
    assert_eq!(files["after.html"].len(), files["before.html"].len());
    // What it holds is compared, not how it is packed.
    let path = folder.path().join("out/site_01/operation_sequence_261121_0000002.csv.gz");
    fs::write(&path, packed(b"seq,time,op_id,op_name,op_uid,payload\n")).unwrap();
    let output = folder.run(&["verify", "out"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("0000002.csv.gz: changed since it was written"), "{}", text(&output));
    let output = folder.run(&["replay", "out"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output).contains("0000002.csv.gz` was changed: row 1 is missing, made again it is `"),
        "{}",
        text(&output)
    );
}

#[test]
fn packed_files_need_no_manifest_and_no_name() {
    let folder = generated(&["--outputs", "operation_sequence"]);
    let bytes = fs::read(folder.path().join(FIRST)).unwrap();
    let expected = text(&folder.succeed(&["verify", FIRST]));
    for name in ["operation_sequence_261121_0000001.csv.gz", "rows.csv.gz", "rows"] {
        fs::write(folder.path().join(name), packed(&bytes)).unwrap();
        assert_eq!(text(&folder.succeed(&["verify", name])), expected);
    }
    // Both forms of one file are not two runs.
    fs::remove_file(folder.path().join("out/manifest.json")).unwrap();
    fs::write(folder.path().join(format!("{FIRST}.gz")), packed(&bytes)).unwrap();
    assert!(folder.refuse(&["report", "out"]).contains("two files of run 1"));
}

#[test]
fn a_packed_file_that_is_cut_or_damaged_is_judged_as_far_as_it_can_be_read() {
    let folder = generated(&["--outputs", "operation_sequence"]);
    let bytes = packed(&fs::read(folder.path().join(FIRST)).unwrap());
    let mut damaged = bytes.clone();
    let end = damaged.len() - 5;
    damaged[end] ^= 0xff;
    let folder = folder.with("cut.csv.gz", &bytes[..bytes.len() - 20]).with("damaged.csv.gz", damaged);
    for (name, what) in [("cut.csv.gz", "its end is missing."), ("damaged.csv.gz", "damaged: ")] {
        let output = folder.run(&["verify", name]);
        let shown = text(&output);
        assert_eq!(output.status.code(), Some(1), "{shown}");
        assert!(shown.contains(&format!("File: {name}: cannot be read: it is packed by gzip, and {what}")), "{shown}");
    }
    // Nothing of it can be read.
    let folder = folder.with("short.csv.gz", &bytes[..8]);
    let shown = folder.refuse(&["verify", "short.csv.gz"]);
    assert!(
        shown.ends_with("error: cannot read `short.csv.gz`: it is packed by gzip, and its end is missing\n"),
        "{shown}"
    );
    // Tables that are cut are no reason to leave out the others.
    let folder = generated(&["--site-count", "2"]);
    let name = "out/site_01/operation_timeline_261121_0000001.csv";
    let whole = packed(&fs::read(folder.path().join(name)).unwrap());
    fs::remove_file(folder.path().join(name)).unwrap();
    fs::write(folder.path().join(format!("{name}.gz")), &whole[..whole.len() - 20]).unwrap();
    let shown = text(&folder.run(&["verify", "out"]));
    assert!(
        shown.contains(&format!("File: {name}.gz: cannot be read: it is packed by gzip, and its end is missing.\n")),
        "{shown}"
    );
    assert!(shown.contains(" in 2 files of 2 sites: no rule broken, but files are damaged."), "{shown}");
}

#[test]
fn a_dash_is_standard_input() {
    let folder = generated(&["--outputs", "operation_sequence"]);
    let bytes = fs::read(folder.path().join(FIRST)).unwrap();
    let expected = text(&folder.succeed(&["verify", FIRST]));
    for input in [bytes.clone(), packed(&bytes), quoted(&bytes, true, "\r\n")] {
        let output = fed(&folder, &["verify", "-"], &input);
        assert_eq!((output.status.code(), text(&output)), (Some(0), expected.clone()));
    }
    // What cannot be read twice is joined with nothing.
    fs::write(folder.path().join("two.csv"), &bytes).unwrap();
    let output = fed(&folder, &["verify", "-", "two.csv"], &bytes);
    assert!(
        text(&output).contains("it is judged as a site of its own, as it cannot be read twice"),
        "{}",
        text(&output)
    );
    let cut = &bytes[..bytes.len() - 30];
    let output = fed(&folder, &["verify", "-"], cut);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("\n  -:"), "{}", text(&output));
    assert_eq!(fed(&folder, &["verify", "-"], b"").status.code(), Some(2));
    for reader in [&["report", "-"][..], &["export", "-", "--to", "vcd"], &["coverage", "report", "-"]] {
        assert!(folder.refuse(reader).contains("has no tables beside it"));
    }
    assert!(folder.refuse(&["verify", "-", "-"]).contains("`-` is given twice"));
}

#[test]
fn files_named_one_by_one_are_runs_of_one_site() {
    let folder = generated(&["-n", "3", "--outputs", "operation_sequence"]);
    let shown = |arguments: &[&str]| text(&folder.succeed(&[&["verify"], arguments].concat()));
    let note = "Note: out: the files are one site: `operation_sequence_261121_0000001.csv` is run 1, \
                `operation_sequence_261121_0000002.csv` is run 2, `operation_sequence_261121_0000003.csv` is run 3.";
    let in_order = shown(&[FIRST, SECOND, THIRD]);
    assert!(in_order.contains(" in 3 files of 1 site: no rule broken.") && in_order.contains(note), "{in_order}");
    assert!(!in_order.contains("order"), "{in_order}");
    let mixed = shown(&[THIRD, FIRST, SECOND]);
    assert!(mixed.contains(" in 3 files of 1 site: no rule broken.") && mixed.contains(note), "{mixed}");
    assert!(
        mixed.contains("Note: out: the files were named in another order; they are read in the order of their runs.")
    );
    // Run 3 begins where run 2 ended: with a run missing in between, rules may seem broken, and the verdict says why.
    let output = folder.run(&["verify", FIRST, THIRD]);
    let shown = text(&output);
    assert!(shown.contains("run 2 is not there: run 3 is judged as if nothing had happened in between"), "{shown}");
    assert!(folder.refuse(&["verify", FIRST, FIRST]).contains("is given twice"));
}

#[test]
fn files_of_other_folders_or_executions_are_other_sites() {
    let folder = generated(&["--site-count", "2", "--outputs", "operation_sequence"]);
    folder.succeed(&[
        "-t",
        "900",
        "--stamp",
        "261122",
        "--site-count",
        "1",
        "--quiet",
        "--outputs",
        "operation_sequence",
    ]);
    let name = |site: u64, stamp: u64| format!("out/site_0{site}/operation_sequence_{stamp}_0000001.csv");
    let files = [name(1, 261_121), name(2, 261_121), name(1, 261_122)];
    let arguments: Vec<&str> = ["verify"].into_iter().chain(files.iter().map(String::as_str)).collect();
    let shown = text(&folder.succeed(&arguments));
    assert!(shown.contains(" in 3 files of 3 sites: no rule broken."), "{shown}");
}

/// A site that was killed: what its folder has then.
fn killed(folder: &Folder, site: &str, runs: usize) {
    let path = folder.path().join(site);
    let manifest: serde_json::Value = serde_json::from_slice(&fs::read(path.join("manifest.json")).unwrap()).unwrap();
    let mut head = manifest.clone();
    head["runs"] = serde_json::json!([]);
    let mut ledger = format!("{}\n", serde_json::json!({ "stamp": "20261121_000000", "manifest": head }));
    for run in &manifest["runs"].as_array().unwrap()[..runs] {
        ledger += &format!("{run}\n");
    }
    fs::write(path.join("manifest.partial.jsonl"), ledger).unwrap();
    fs::remove_file(path.join("manifest.json")).unwrap();
}

#[test]
fn a_site_that_was_killed_is_said_to_be_unfinished_with_the_command_that_goes_on() {
    let campaign = ["-n", "3", "--site-count", "2", "--seed", "9", "--out-dir", "some lot/out"];
    let whole = generated(&campaign);
    let folder = generated(&campaign);
    killed(&folder, "some lot/out/site_02", 1);
    fs::remove_file(folder.path().join("some lot/out/manifest.json")).unwrap();
    // A run that is complete and not counted yet.
    let shown = text(&folder.succeed(&["verify", "some lot/out"]));
    assert!(
        shown.contains(
            "Note: some lot/out/site_02: the site is not finished: 1 run is complete, as manifest.partial.jsonl says."
        ),
        "{shown}"
    );
    assert!(shown.contains(" in 4 files of 2 sites: no rule broken."), "{shown}");
    assert!(shown.contains("0000003.csv` is not in the list of finished runs and was left out"), "{shown}");
    let command = |said: Vec<u8>| {
        let said = String::from_utf8(said).unwrap();
        said.lines().find_map(|line| Some(line.strip_prefix("  nandseqgen ")?.to_owned())).unwrap()
    };
    let command_of_site = command(folder.succeed(&["verify", "some lot/out"]).stderr);
    let mut shell = Command::new("sh");
    shell
        .args(["-c", &format!("{} {command_of_site} --quiet", env!("CARGO_BIN_EXE_nandseqgen"))])
        .current_dir(folder.path());
    assert!(shell.status().unwrap().success());
    let site = |folder: &Folder| files_below(&folder.path().join("some lot/out/site_02"));
    assert!(site(&folder) == site(&whole));
    // By itself, and as a single device, likewise.
    let single = generated(&["-n", "2"]);
    killed(&single, "out", 2);
    let shown = text(&single.succeed(&["verify", "out"]));
    assert!(
        shown.contains("Note: out: the site is not finished: 2 runs are complete, as manifest.partial.jsonl says.")
    );
    assert!(command(single.succeed(&["verify", "out"]).stderr).ends_with("--out-dir out --resume out"));
    single.succeed(&["report", "out"]);
    // Another profile is still another profile.
    let other = nandseq_profile::builtin::text().replace("sequence_gap: 1 ", "sequence_gap: 2 ");
    let single = single.with("other.yaml", other);
    assert!(single.refuse(&["verify", "out", "--config", "other.yaml"]).contains("was made for another profile"));
}

#[test]
fn a_site_that_was_killed_in_its_first_run_is_there_too() {
    let folder = generated(&["--outputs", "snapshot"]);
    killed(&folder, "out", 0);
    let shown = text(&folder.succeed(&["verify", "out"]));
    assert!(shown.contains("the site is not finished: 0 runs are complete"), "{shown}");
}
