//! Folders, manifests and reports.

use std::fs;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use nandseq_input::folder::{Damage, DamageKind, find};
use nandseq_input::{COLUMNS, CsvFiles, Source};
use nandseq_profile::{Block, Die};
use nandseq_trace::files::Digest;
use nandseq_trace::table::TableKind;
use nandseq_verify::{Options, Report, RuleCode, Unusable, run};

use crate::DEVICE;

const NAME: &str = "operation_sequence_261121_000000";

fn sequence(rows: &[&str]) -> String {
    format!("{}\n{}\n", COLUMNS.join(","), rows.join("\n"))
}

fn erase(seq: u64, time: u64, uid: u64, block: u64) -> String {
    let plane = block % 4;
    format!(
        "{seq},{time}.0,0,Erase_SLC,{uid},\
         \"[{{\"\"die\"\":0,\"\"plane\"\":{plane},\"\"block\"\":{block},\"\"page\"\":0,\"\"celltype\"\":\"\"SLC\"\"}}]\""
    )
}

/// Writes a run of erases: (time, op_uid, block).
fn write_run(folder: &Path, run: u64, erases: &[(u64, u64, u64)]) -> PathBuf {
    fs::create_dir_all(folder).unwrap();
    let rows: Vec<String> =
        erases.iter().zip(1..).map(|(&(time, uid, block), seq)| erase(seq, time, uid, block)).collect();
    let path = folder.join(format!("{NAME}{run}.csv"));
    fs::write(&path, sequence(&rows.iter().map(String::as_str).collect::<Vec<_>>())).unwrap();
    path
}

fn options() -> Options<'static> {
    Options { bad_blocks: &[], source: &CsvFiles, max_findings: 5, stop: None }
}

fn judge(paths: &[&Path]) -> Report {
    let paths: Vec<PathBuf> = paths.iter().map(|path| path.to_path_buf()).collect();
    run(&DEVICE, &paths, &options()).unwrap()
}

#[test]
fn the_runs_of_a_site_are_judged_in_order_as_one_sequence() {
    let folder = tempfile::tempdir().unwrap();
    write_run(folder.path(), 2, &[(150, 2, 4)]);
    write_run(folder.path(), 1, &[(100, 1, 0)]);
    let report = judge(&[folder.path()]);
    assert_eq!((report.operations(), report.sites.len()), (2, 1));
    assert_eq!(report.counts(RuleCode::PlaneBusy).findings, 1);
    let finding = &report.sites[0].findings[0];
    let other = finding.other.as_ref().unwrap();
    assert_eq!((finding.place.file, finding.place.row, other.place.file, other.place.row), (1, 1, 0, 1));
}

#[test]
fn the_sites_of_a_batch_are_judged_by_themselves() {
    let folder = tempfile::tempdir().unwrap();
    for site in ["site_02", "deep/er/site_01"] {
        write_run(&folder.path().join(site), 1, &[(0, 1, 0), (101, 2, 4)]);
    }
    let report = judge(&[folder.path()]);
    assert!(report.is_clean(), "{report}");
    let folders: Vec<&Path> =
        report.sites.iter().map(|site| site.folder.strip_prefix(folder.path()).unwrap()).collect();
    assert_eq!(folders, [Path::new("deep/er/site_01"), Path::new("site_02")]);
}

#[test]
fn a_single_file_is_enough() {
    let folder = tempfile::tempdir().unwrap();
    let path = write_run(folder.path(), 3, &[(0, 1, 0)]);
    let report = judge(&[&path]);
    assert!(report.is_clean());
    assert_eq!(
        report.sites[0].notes,
        ["runs 1 to 2 are not there: run 3 is judged as if nothing had happened in between"]
    );
}

#[test]
fn bad_blocks_are_those_of_every_site() {
    let folder = tempfile::tempdir().unwrap();
    write_run(&folder.path().join("a"), 1, &[(0, 1, 4)]);
    write_run(&folder.path().join("b"), 1, &[(0, 1, 4)]);
    let bad = [(Die(0), Block(4)), (Die(9), Block(4)), (Die(0), Block(99))];
    let report = run(&DEVICE, &[folder.path().to_owned()], &Options { bad_blocks: &bad, ..options() }).unwrap();
    assert_eq!(report.counts(RuleCode::BadBlock).findings, 2);
}

#[test]
fn what_cannot_be_judged_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let error = |path: &Path| run(&DEVICE, &[path.to_owned()], &options()).unwrap_err().to_string();
    assert!(error(folder.path()).starts_with("no operation_sequence_*.csv in"));
    assert!(error(&folder.path().join("absent")).starts_with("cannot read"));
}

#[test]
fn a_file_that_cannot_be_read_is_damage_and_the_others_are_judged() {
    let folder = tempfile::tempdir().unwrap();
    let site = |name: &str| folder.path().join(name);
    write_run(&site("a"), 1, &[(0, 1, 0)]);
    let path = write_run(&site("a"), 2, &[(200, 2, 0)]);
    write_run(&site("a"), 3, &[(400, 3, 0)]);
    write_run(&site("b"), 1, &[(0, 1, 0), (50, 2, 4)]);
    for text in ["", "seq,time\n", "noise"] {
        fs::write(&path, text).unwrap();
        let report = run(&DEVICE, &[folder.path().to_owned()], &options()).unwrap();
        assert_eq!((report.sites[0].operations, report.sites[1].operations), (2, 2), "{text:?}");
        assert!(!report.is_clean() && report.counts(RuleCode::PlaneBusy).findings == 1, "{text:?}");
        let damage = &report.sites[0].damage;
        assert_eq!((damage.len(), &damage[0].file), (1, &path), "{text:?}");
        assert!(damage[0].what.to_string().starts_with("cannot be read: the f"), "{}", damage[0].what);
        let note = "run 2 cannot be read to its end: run 3 is judged as if nothing had happened in between, \
                    and findings there may come from what is missing";
        assert_eq!(report.sites[0].notes, [note], "{text:?}");
    }
}

/// CSV files, each of which fails where its text ends.
struct CutFiles;

impl Source for CutFiles {
    fn open(&self, path: &Path) -> io::Result<Box<dyn BufRead>> {
        let text = io::Cursor::new(fs::read(path)?);
        Ok(Box::new(BufReader::new(text.chain(Failing))))
    }
}

struct Failing;

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other("cut"))
    }
}

#[test]
fn of_a_run_that_is_cut_the_damage_of_its_tables_is_told_too() {
    let folder = tempfile::tempdir().unwrap();
    let sequence = write_run(folder.path(), 1, &[(0, 1, 0), (200, 2, 4), (400, 3, 8), (600, 4, 12)]);
    let kind = TableKind::OpStateTimeline;
    let table = folder.path().join(format!("{}_261121_0000001.csv", kind.name()));
    fs::write(&table, format!("{}\n", kind.columns().join(","))).unwrap();
    let report = run(&DEVICE, &[folder.path().to_owned()], &Options { source: &CutFiles, ..options() }).unwrap();
    let damage: Vec<&Path> = report.sites[0].damage.iter().map(|damage| &*damage.file).collect();
    assert_eq!(damage, [table, sequence]);
    assert_eq!(report.sites[0].notes, ["run 1 cannot be read to its end, so its tables were not compared to theirs"]);
}

#[test]
fn that_times_are_rounded_is_told_where_the_first_file_cannot_be_opened() {
    let folder = tempfile::tempdir().unwrap();
    let mut profile = DEVICE.clone();
    profile.export.round_decimals = 0;
    fs::write(write_run(folder.path(), 1, &[(0, 1, 0)]), "noise").unwrap();
    write_run(folder.path(), 2, &[(200, 2, 0)]);
    write_run(folder.path(), 3, &[(400, 3, 0)]);
    let report = run(&profile, &[folder.path().to_owned()], &options()).unwrap();
    let notes = report.sites[0].notes.iter().filter(|note| note.starts_with("times are rounded as written"));
    assert_eq!(notes.count(), 1, "{:?}", report.sites[0].notes);
}

#[test]
fn two_files_of_one_run_need_a_manifest() {
    let folder = tempfile::tempdir().unwrap();
    let path = write_run(folder.path(), 1, &[(0, 1, 0)]);
    let second = write_run(folder.path(), 2, &[(200, 2, 0), (250, 3, 4)]);
    let other = folder.path().join("operation_sequence_261122_0000001.csv");
    fs::copy(&path, &other).unwrap();
    let report = judge(&[folder.path()]);
    assert_eq!((report.operations(), report.counts(RuleCode::PlaneBusy).findings), (2, 1));
    let damage = Damage { file: path.clone(), what: DamageKind::TwoFiles { run: 1, other } };
    assert_eq!((&report.sites[0].damage, report.is_clean()), (&vec![damage], false));
    fs::remove_file(second).unwrap();
    write_manifest(folder.path(), &[(&path, 1)]);
    let sites = find(folder.path()).unwrap();
    assert_eq!((sites[0].runs.len(), sites[0].notes.len(), sites[0].damage.len()), (1, 1, 0));
}

/// A manifest of these files with these numbers of rows, each a run, as they are now.
fn write_manifest(folder: &Path, files: &[(&Path, u64)]) {
    let file = |(at, (path, rows)): (usize, &(&Path, u64))| {
        let digest = Digest::of(&fs::read(path).unwrap());
        let name = path.file_name().unwrap().to_str().unwrap();
        let run = at + 1;
        format!(
            r#"{{"run":{run},"run_index":{at},"seed":1,"operations":1,"files":[{{"kind":"operation_sequence","file":"{name}","rows":{rows},"sha256":"{digest}"}}]}}"#
        )
    };
    let runs: Vec<String> = files.iter().enumerate().map(file).collect();
    let digest = Digest::of(b"");
    let origin = format!(
        r#"{{"tool":{{"name":"","version":""}},"profile":{{"name":"","source":"","sha256":"{digest}","resolved_sha256":""}},"probabilities":null,"badlist":null,"arguments":[]}}"#
    );
    let runs = runs.join(",");
    let text = format!(
        r#"{{"schema":1,"origin":{origin},"site":null,"seed_formula":"sequential","site_seed":1,"runs":[{runs}]}}"#
    );
    fs::write(folder.join("manifest.json"), text).unwrap();
}

#[test]
fn files_are_what_the_manifest_says() {
    let folder = tempfile::tempdir().unwrap();
    // One thread hashes the files while it judges them; of two, one reads them once more.
    let judge = |path: &Path| {
        let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let [one, two] = [1, 2].map(|threads| pool(threads).install(|| judge(&[path])));
        assert_eq!(one, two);
        one
    };
    let first = write_run(folder.path(), 1, &[(0, 1, 0)]);
    let second = write_run(folder.path(), 2, &[(200, 2, 0)]);
    write_manifest(folder.path(), &[(&first, 1), (&second, 1)]);
    assert!(judge(folder.path()).is_clean());
    write_manifest(folder.path(), &[(&first, 2), (&second, 1)]);
    let damage =
        |report: Report| report.sites[0].damage.iter().map(|damage| damage.what.to_string()).collect::<Vec<_>>();
    assert_eq!(damage(judge(folder.path())), ["its number of rows is 1 instead of 2"]);
    write_manifest(folder.path(), &[(&first, 1), (&second, 1)]);
    write_run(folder.path(), 2, &[(300, 2, 0)]);
    let report = judge(folder.path());
    assert!(!report.is_clean());
    assert!(damage(report)[0].starts_with("changed since it was written: SHA-256 "));
    fs::remove_file(&second).unwrap();
    assert_eq!(damage(judge(folder.path())), ["listed in the manifest, but not there"]);
    fs::write(folder.path().join("manifest.json"), "{").unwrap();
    assert!(damage(judge(folder.path()))[0].starts_with("no manifest of a site"));
}

#[test]
fn the_report_shows_the_first_findings_and_counts_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let erases: Vec<(u64, u64, u64)> = (0..8).map(|at| (at * 50, at + 1, 4)).collect();
    let path = write_run(folder.path(), 1, &erases);
    let report = run(&DEVICE, &[path], &Options { max_findings: 1, ..options() }).unwrap();
    let text = report.to_string().replace(&folder.path().display().to_string(), "DIR");
    assert_eq!(
        text,
        "8 operations in 1 file of 1 site: rules are broken.
Judged by the profile \"Rulebook device\".

rule                     findings  followers
plane_busy                      7          0
op_state                        7          0
in_flight                       7          0

plane_busy: Operations that occupy a plane never overlap on it.
  DIR/operation_sequence_261121_0000001.csv:3  50 µs  Erase_SLC (op_uid 2)
      at die 0, plane 0, block 4, page 0
      Erase_SLC occupies plane 0 of die 0 until 101 µs.
      see DIR/operation_sequence_261121_0000001.csv:2  0 µs  Erase_SLC (op_uid 1)
  … and 6 more findings

op_state: An operation does not start while the op_state of one of its planes excludes it.
  DIR/operation_sequence_261121_0000001.csv:3  50 µs  Erase_SLC (op_uid 2)
      at die 0, plane 0, block 4, page 0
      Plane 0 of die 0 is in ERASE.CORE_BUSY, which excludes ERASE.
      see DIR/operation_sequence_261121_0000001.csv:2  0 µs  Erase_SLC (op_uid 1)
  … and 6 more findings

in_flight: No array operation touches a block whose erase or program is not finished.
  DIR/operation_sequence_261121_0000001.csv:3  50 µs  Erase_SLC (op_uid 2)
      at die 0, plane 0, block 4, page 0
      Erase_SLC is not finished with block 4 of die 0.
      see DIR/operation_sequence_261121_0000001.csv:2  0 µs  Erase_SLC (op_uid 1)
  … and 6 more findings
"
    );
}

#[test]
fn the_report_for_machines_says_the_same() {
    let folder = tempfile::tempdir().unwrap();
    write_run(folder.path(), 1, &[(0, 1, 0), (50, 2, 4)]);
    let report = serde_json::to_value(judge(&[folder.path()]).json()).unwrap();
    assert_eq!((&report["clean"], &report["operations"]), (&false.into(), &2.into()));
    assert_eq!(report["sites"][0]["files"][0]["rows"], 2);
    let rules: Vec<&str> =
        report["rules"].as_array().unwrap().iter().map(|rule| rule["rule"].as_str().unwrap()).collect();
    assert_eq!(rules, ["plane_busy", "op_state"]);
    let first = &report["rules"][0]["first"][0];
    assert_eq!((&first["row"], &first["line"], &first["time_ps"]), (&2.into(), &3.into(), &50_000_000.into()));
    assert_eq!((&first["targets"][0]["block"], &first["other"]["op_name"]), (&4.into(), &"Erase_SLC".into()));
}

#[test]
fn the_report_does_not_depend_on_the_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    for site in 0..6 {
        write_run(&folder.path().join(format!("site_{site}")), 1, &[(0, 1, 0), (50 + site, 2, 4)]);
    }
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        serde_json::to_string(&pool.install(|| judge(&[folder.path()])).json()).unwrap()
    };
    assert_eq!(with(1), with(4));
}

#[test]
fn judging_gives_up_when_it_is_told_to() {
    let folder = tempfile::tempdir().unwrap();
    write_run(folder.path(), 1, &[(0, 1, 0)]);
    let stop = std::sync::atomic::AtomicBool::new(true);
    let given_up = run(&DEVICE, &[folder.path().to_owned()], &Options { stop: Some(&stop), ..options() });
    assert!(matches!(given_up, Err(Unusable::Stopped)));
}
