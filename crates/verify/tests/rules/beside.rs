//! Tables beside a sequence, written by hand.

use std::fs;
use std::path::{Path, PathBuf};

use nandseq_input::{Addressed, COLUMNS, CsvFiles};
use nandseq_mutants::run_on_tables;
use nandseq_profile::model::PayloadField;
use nandseq_trace::Status;
use nandseq_trace::table::TableKind;
use nandseq_verify::notation::{Script, ScriptLine, ScriptStep};
use nandseq_verify::{Options, Report, RuleCode, run};

use crate::DEVICE;

fn object(target: &Addressed) -> String {
    let quoted = |text: &str| format!("\"\"{text}\"\"");
    let value = |field: PayloadField| match field {
        PayloadField::Die => target.die.to_string(),
        PayloadField::Plane => target.plane.to_string(),
        PayloadField::Block => target.block.to_string(),
        PayloadField::Page => target.page.to_string(),
        PayloadField::CellType => quoted(&DEVICE.cell_types[target.cell_type.unwrap()].name),
        PayloadField::ExpectedStatus => quoted(target.status.map_or("", Status::name)),
        PayloadField::Data => target.data.to_string(),
    };
    let fields = PayloadField::ALL.into_iter().filter(|field| target.fields.contains(*field));
    let fields: Vec<String> = fields.map(|field| format!("{}:{}", quoted(field.name()), value(field))).collect();
    format!("{{{}}}", fields.join(","))
}

fn row(step: &ScriptStep, seq: u64, uid: u64) -> String {
    let objects: Vec<String> = step.targets.iter().map(object).collect();
    let name = &DEVICE.ops[step.op].name;
    format!("{seq},{},0,{name},{uid},\"[{}]\"\n", step.time.to_us_text(), objects.join(","))
}

/// Writes the runs of a script as sequence files; their paths.
fn write_sequences(folder: &Path, script: &Script) -> Vec<PathBuf> {
    let header = COLUMNS.join(",") + "\n";
    let mut files = vec![header.clone()];
    let (mut seq, mut uid) = (0, 0);
    for line in &script.lines {
        match line {
            ScriptLine::Operation(step) => {
                seq += 1;
                uid += 1;
                *files.last_mut().unwrap() += &row(step, seq, uid);
            }
            ScriptLine::EndOfFile => {
                seq = 0;
                files.push(header.clone());
            }
        }
    }
    let path = |run: usize| folder.join(format!("operation_sequence_261121_{run:07}.csv"));
    files.iter().zip(1..).for_each(|(text, run)| fs::write(path(run), text).unwrap());
    (1..=files.len()).map(path).collect()
}

fn write_table(folder: &Path, run: usize, kind: TableKind, rows: &str) {
    let text =
        format!("{}\n{}", kind.columns().join(","), if rows.is_empty() { String::new() } else { format!("{rows}\n") });
    fs::write(folder.join(format!("{}_261121_{run:07}.csv", kind.name())), text).unwrap();
}

fn judge(path: &Path) -> Report {
    run(&DEVICE, &[path.to_owned()], &Options { bad_blocks: &[], source: &CsvFiles, max_findings: 100, stop: None })
        .unwrap()
}

/// The verdict on a sequence and tables of its first run.
pub(crate) fn judge_tables(script: &Script, tables: &[(TableKind, String)]) -> Report {
    let folder = tempfile::tempdir().unwrap();
    write_sequences(folder.path(), script);
    tables.iter().for_each(|(kind, rows)| write_table(folder.path(), 1, *kind, rows));
    judge(folder.path())
}

/// A site in a folder: a script, and rows of tables by run.
struct Site {
    folder: tempfile::TempDir,
    sequences: Vec<PathBuf>,
}

impl Site {
    fn new(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sequences = write_sequences(folder.path(), &Script::parse(&DEVICE, text).unwrap());
        Self { folder, sequences }
    }

    fn table(self, run: usize, kind: TableKind, rows: &[&str]) -> Self {
        write_table(self.folder.path(), run, kind, &rows.join("\n"));
        self
    }

    fn judge(&self) -> Report {
        judge(self.folder.path())
    }
}

#[track_caller]
fn assert_clean(report: &Report) {
    assert!(report.is_clean(), "{report}");
}

/// Rows of op_state_timeline on the first planes of a die.
fn segments(planes: u32, start: u32, end: u32, base: &str, phase: &str) -> Vec<String> {
    let row = |plane| format!("{start}.0,{end}.0,0,{plane},{base}.{phase},d0-p{plane},{base},{}.0", end - start);
    (0..planes).map(row).collect()
}

const READS: &str = "
    0    Erase_SLC_Multi    b0 | b1
    101  Program_SLC_Multi  b0 | b1
    122  Program_SLC_Multi  b0 g1 | b1 g1
    143  Read_SLC_Multi     b0 | b1
    154  Output             b0 SLC
    155  Output             b1 SLC
    156  Read_SLC           b1
";

#[test]
fn a_window_is_cut_on_the_planes_of_the_next_operation_only() {
    let rows = [
        "0.0,101.0,0,0,0,0,Erase_SLC_Multi,ERASE,,1,DEFAULT,DEFAULT,DEFAULT",
        "0.0,101.0,0,1,1,0,Erase_SLC_Multi,ERASE,,1,DEFAULT,DEFAULT,DEFAULT",
        "101.0,122.0,0,0,0,0,Program_SLC_Multi,PROGRAM,,2,ERASE.END,ERASE.END,ERASE.END",
        "101.0,122.0,0,1,1,0,Program_SLC_Multi,PROGRAM,,2,ERASE.END,ERASE.END,ERASE.END",
        "122.0,143.0,0,0,0,1,Program_SLC_Multi,PROGRAM,,3,PROGRAM.END,ERASE.END,ERASE.END",
        "122.0,143.0,0,1,1,1,Program_SLC_Multi,PROGRAM,,3,PROGRAM.END,ERASE.END,ERASE.END",
        "143.0,158.0,0,0,0,0,Read_SLC_Multi,READ,,4,PROGRAM.END,ERASE.END,ERASE.END",
        "143.0,156.0,0,1,1,0,Read_SLC_Multi,READ,,4,PROGRAM.END,ERASE.END,ERASE.END",
        "154.0,155.0,0,0,0,0,Output,OUTPUT,,5,READ.DATA_OUT,READ.END,READ.END",
        "155.0,156.0,0,1,1,0,Output,OUTPUT,,6,READ.DATA_OUT,READ.END,READ.END",
        "156.0,171.0,0,1,1,0,Read_SLC,READ,,7,READ.DATA_OUT,READ.END,READ.END",
    ];
    let mut states = Vec::new();
    for (at, base, end) in [(0, "ERASE", 101), (101, "PROGRAM", 122), (122, "PROGRAM", 143)] {
        states.extend(segments(4, at, at + 1, base, "ISSUE"));
        states.extend(segments(4, at + 1, end, base, "CORE_BUSY"));
    }
    states.extend(segments(2, 143, 144, "READ", "ISSUE"));
    states.extend(segments(2, 144, 154, "READ", "CORE_BUSY"));
    states.extend(segments(1, 154, 158, "READ", "DATA_OUT"));
    states.extend(segments(2, 154, 156, "READ", "DATA_OUT").pop());
    for (from, to, phase) in [(156, 157, "ISSUE"), (157, 167, "CORE_BUSY"), (167, 171, "DATA_OUT")] {
        states.extend(segments(2, from, to, "READ", phase).pop());
    }
    let states: Vec<&str> = states.iter().map(String::as_str).collect();
    let touches = [
        "PROGRAM,SLC,0,0,0,1",
        "PROGRAM,SLC,0,0,1,1",
        "PROGRAM,SLC,0,1,0,1",
        "PROGRAM,SLC,0,1,1,1",
        "READ,SLC,0,0,0,1",
        "READ,SLC,0,1,0,2",
    ];
    let site = Site::new(READS)
        .table(1, TableKind::OperationTimeline, &rows)
        .table(1, TableKind::OpStateTimeline, &states)
        .table(1, TableKind::AddressTouchCount, &touches);
    let report = site.judge();
    assert_clean(&report);
    let read: Vec<(TableKind, u64)> =
        report.sites[0].files[0].tables.iter().map(|table| (table.kind, table.rows)).collect();
    assert_eq!(
        read,
        [(TableKind::OperationTimeline, 11), (TableKind::OpStateTimeline, 33), (TableKind::AddressTouchCount, 6)]
    );
    let mut wrong = rows;
    wrong[7] = "143.0,158.0,0,1,1,0,Read_SLC_Multi,READ,,4,PROGRAM.END,ERASE.END,ERASE.END";
    let report = site.table(1, TableKind::OperationTimeline, &wrong).judge();
    let finding = &report.sites[0].findings[0];
    assert_eq!((finding.rule, finding.place.row), (RuleCode::TimelineRow, 8));
    assert_eq!(finding.message, "'end' is 158.0 instead of 156.0.");
    assert_eq!(finding.expected.as_deref(), Some("143.0,156.0,0,1,1,0,Read_SLC_Multi,READ,,4,PROGRAM.END,…,…"));
    assert_eq!(finding.other.as_ref().unwrap().place.row, 4);
}

const TWO_RUNS: &str = "
    0    Erase_SLC      b0
    101  Erase_TLC      b4
    150  Suspend_Erase
    run
    200  Resume_Erase
    300  Program_SLC    b0
";

/// The tables of both runs.
fn two_runs() -> Site {
    Site::new(TWO_RUNS)
        .table(
            1,
            TableKind::OperationTimeline,
            &[
                "0.0,101.0,0,0,0,0,Erase_SLC,ERASE,,1,DEFAULT,DEFAULT,DEFAULT",
                "101.0,150.0,0,0,4,0,Erase_TLC,ERASE,,2,ERASE.END,DEFAULT,DEFAULT",
                "150.0,154.0,0,0,0,0,Suspend_Erase,SUSPEND_ERASE,,3,ERASE.CORE_BUSY,DEFAULT,DEFAULT",
            ],
        )
        .table(
            2,
            TableKind::OperationTimeline,
            &[
                "204.0,256.0,0,0,4,0,Erase_TLC,ERASE,RESUME_CHAIN,2,ERASE.END,DEFAULT,DEFAULT",
                "200.0,204.0,0,0,0,0,Resume_Erase,RESUME_ERASE,,4,SUSPEND_ERASE.END,DEFAULT,DEFAULT",
                "300.0,321.0,0,0,0,0,Program_SLC,PROGRAM,,5,ERASE.END,DEFAULT,DEFAULT",
            ],
        )
        .table(1, TableKind::AddressTouchCount, &[])
        .table(2, TableKind::AddressTouchCount, &["PROGRAM,SLC,0,0,0,1"])
}

#[test]
fn what_is_suspended_at_the_end_of_a_run_goes_on_in_the_next_file() {
    assert_clean(&two_runs().judge());
}

#[test]
fn of_a_run_from_the_middle_what_cannot_be_known_is_passed_over() {
    let site = two_runs();
    let report = judge(&site.sequences[1]);
    let of_tables = report.sites[0].findings.iter().filter(|finding| finding.table.is_some());
    assert_eq!(of_tables.count(), 0, "{report}");
    assert!(report.sites[0].notes.iter().any(|note| note.contains("what the runs before run 2 left is unknown")));
    let rows = [
        "204.0,256.0,0,0,4,0,Erase_TLC,ERASE,RESUME_CHAIN,2,ERASE.END,DEFAULT,DEFAULT",
        "200.0,204.0,0,0,0,0,Resume_Erase,RESUME_ERASE,,4,SUSPEND_ERASE.END,DEFAULT,DEFAULT",
        "300.0,322.0,0,0,0,0,Program_SLC,PROGRAM,,5,ERASE.END,DEFAULT,DEFAULT",
    ];
    let report = judge(&site.table(2, TableKind::OperationTimeline, &rows).sequences[1]);
    assert_eq!(report.counts(RuleCode::TimelineRow).findings, 1, "{report}");
}

#[test]
fn a_table_without_its_header_is_a_finding() {
    let site = two_runs();
    fs::write(site.folder.path().join("op_state_timeline_261121_0000002.csv"), "start,end\n").unwrap();
    let report = site.judge();
    let finding = &report.sites[0].findings[0];
    assert_eq!((finding.rule, finding.place.file, finding.place.row), (RuleCode::RowFormat, 1, 0));
    assert!(report.to_string().contains("op_state_timeline_261121_0000002.csv:1\n"), "{report}");
}

#[test]
fn a_table_of_something_else_ends_in_findings_and_not_in_a_panic() {
    let many: Vec<String> = (0..500).map(|at| format!("{at}.0,{at}.5,0,0,ERASE.ISSUE,d0-p0,ERASE,0.5")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let report = two_runs().table(1, TableKind::OpStateTimeline, &many).judge();
    let counts = report.counts(RuleCode::OpStateSegment);
    assert!(counts.findings + counts.followers >= 500, "{report}");
}

/// A site with all its tables, small enough to be checked by hand.
fn whole() -> Site {
    let script = "
        0    Erase_SLC      b0
        50   Suspend_Erase
        60   Resume_Erase
        115  Program_SLC    b0
        136  Program_SLC    b0 g1
    ";
    let rows = [
        "0.0,50.0,0,0,0,0,Erase_SLC,ERASE,,1,DEFAULT,DEFAULT,DEFAULT",
        "64.0,115.0,0,0,0,0,Erase_SLC,ERASE,RESUME_CHAIN,1,DEFAULT,DEFAULT,DEFAULT",
        "50.0,54.0,0,0,0,0,Suspend_Erase,SUSPEND_ERASE,,2,ERASE.CORE_BUSY,ERASE.CORE_BUSY,ERASE.CORE_BUSY",
        "60.0,64.0,0,0,0,0,Resume_Erase,RESUME_ERASE,,3,SUSPEND_ERASE.END,DEFAULT,SUSPEND_ERASE.END",
        "115.0,136.0,0,0,0,0,Program_SLC,PROGRAM,,4,ERASE.END,ERASE.END,ERASE.END",
        "136.0,157.0,0,0,0,1,Program_SLC,PROGRAM,,5,PROGRAM.END,DEFAULT,PROGRAM.END",
    ];
    let mut states = Vec::new();
    for (from, to, base, phase) in [
        (0, 1, "ERASE", "ISSUE"),
        (1, 50, "ERASE", "CORE_BUSY"),
        (64, 115, "ERASE", "CORE_BUSY"),
        (50, 51, "SUSPEND_ERASE", "ISSUE"),
        (51, 54, "SUSPEND_ERASE", "CORE_BUSY"),
        (60, 61, "RESUME_ERASE", "ISSUE"),
        (61, 64, "RESUME_ERASE", "CORE_BUSY"),
        (115, 116, "PROGRAM", "ISSUE"),
        (116, 136, "PROGRAM", "CORE_BUSY"),
        (136, 137, "PROGRAM", "ISSUE"),
        (137, 157, "PROGRAM", "CORE_BUSY"),
    ] {
        states.extend(segments(4, from, to, base, phase));
    }
    let states: Vec<&str> = states.iter().map(String::as_str).collect();
    let input_times = [
        "DEFAULT,DEFAULT,DEFAULT,Erase_SLC,0.0,1",
        "ERASE.CORE_BUSY,ERASE.CORE_BUSY,ERASE.CORE_BUSY,Suspend_Erase,0.49,1",
        "ERASE.END,ERASE.END,ERASE.END,Program_SLC,0.0,1",
        "PROGRAM.END,DEFAULT,PROGRAM.END,Program_SLC,0.0,1",
        "SUSPEND_ERASE.END,DEFAULT,SUSPEND_ERASE.END,Resume_Erase,0.0,1",
    ];
    let proposals = [
        "DEFAULT,DEFAULT,0,0,0.0,Erase_SLC,1",
        "DEFAULT,PROGRAM.END,0,0,136.0,Program_SLC,1",
        "DEFAULT,SUSPEND_ERASE.END,0,0,60.0,Resume_Erase,1",
        "ERASE.CORE_BUSY,ERASE.CORE_BUSY,0,1,50.0,Suspend_Erase,1",
        "ERASE.END,ERASE.END,0,0,114.5,Program_SLC,1",
    ];
    Site::new(script)
        .table(1, TableKind::OperationTimeline, &rows)
        .table(1, TableKind::OpStateTimeline, &states)
        .table(1, TableKind::AddressTouchCount, &["PROGRAM,SLC,0,0,0,1", "PROGRAM,SLC,0,0,1,1"])
        .table(1, TableKind::InputTimeCount, &input_times)
        .table(1, TableKind::ProposalCounts, &proposals)
}

#[test]
fn every_damage_of_a_table_is_found_under_its_own_code() {
    let site = whole();
    assert_clean(&site.judge());
    let table = run_on_tables(&DEVICE, &[], site.folder.path(), 100).unwrap();
    assert!(table.is_right(), "{table}");
    for rule in RuleCode::TABLES.into_iter().chain([RuleCode::RowFormat]) {
        assert!(table.applied(rule) >= 3, "{}: {table}", rule.name());
    }
    let most = table.rows.iter().map(|row| row.most_findings).max();
    assert!(most <= Some(5), "{table}");
}
