//! Tests that data and a status of several fields are the same in Parquet as in CSV.
#![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]

use std::fs;
use std::io::Read as _;
use std::path::Path;

use nandseq_input::{CsvFiles, Source};
use nandseq_output::csv_tables::CsvTables;
use nandseq_output::format::TableFormat;
use nandseq_output::run_files::RunFiles;
use nandseq_parquet::{PARQUET, ParquetTables};
use nandseq_profile::model::{ByAxis, Expectations, PayloadField, StatusField};
use nandseq_profile::{Block, Die, Page, Plane, Profile, Target, Ticks, builtin};
use nandseq_trace::files::{FileKind, Outputs, Stamp};
use nandseq_trace::{Operation, Sink as _, Status};

/// The text that a reader gives of the sequence that a format writes of some operations.
fn written(profile: &Profile, format: &dyn TableFormat, source: &dyn Source, folder: &Path) -> String {
    fs::create_dir_all(folder).unwrap();
    let stamp: Stamp = "261121".parse().unwrap();
    let outputs = Outputs::NONE.with(FileKind::OperationSequence);
    let mut files = RunFiles::create(folder, format, outputs, stamp, 1).unwrap();
    let op = |name: &str| profile.ops.iter_ids().find(|(_, op)| op.name == name).unwrap().0;
    let names = ["Enhanced_Random_Data_Output_Primary", "Page_Program_SLC", "Read_Status_Enhanced_70h", "Super_Reset"];
    let names = names.into_iter().chain(["Read_SLC", "Reset_LUN", "Read_Status_Enhanced_72h"]).map(op);
    let statuses = [Status::Busy, Status::ExtReady, Status::Ready];
    // More rows than are gathered at a time, and than a page has.
    for (at, name) in (0..40_000_u64).zip(names.cycle()) {
        let target = |plane: u8| Target {
            die: Die((at % 2) as u8),
            plane: Plane(plane),
            block: Block(at as u32 % 1020),
            page: Page(at as u16 % 2564),
            cell_type: profile.ops[name].cell_type,
        };
        let targets: Vec<Target> = (0..1 + at as u8 % 3).map(target).collect();
        let is_status = profile.ops[name].status_of.is_some();
        let data: Vec<Option<u64>> = (0..targets.len() as u64).map(|plane| at.checked_sub(plane * 5)).collect();
        let mut suspended = at;
        let operation = Operation {
            seq: at + 1,
            uid: at + 1,
            op: name,
            start: Ticks(at * 10_000),
            targets: if is_status { &targets[..1] } else { &targets },
            status: is_status.then(|| statuses[at as usize % 3]),
            suspended: ByAxis::new(|_| {
                suspended /= 3;
                suspended % 2 == 1
            }),
            data: &data,
            ..Operation::default()
        };
        files.operation(&operation).unwrap();
    }
    let finished = files.finish().unwrap();
    let mut text = String::new();
    let path = folder.join(finished.files[0].file.as_str());
    source.open(&path).unwrap().read_to_string(&mut text).unwrap();
    text
}

#[test]
fn parquet_says_of_data_and_of_suspension_what_csv_says() {
    let all = Expectations { data: true, full_status: true };
    let both = [StatusField::ProgramSuspend, StatusField::Ready];
    for (expectations, fields) in [(all, None), (Expectations::default(), Some(&both[..])), (all, Some(&both[..1]))] {
        let mut profile = builtin::profile();
        profile.expect(expectations);
        if let Some(fields) = fields {
            profile.export.status = fields.to_vec();
        }
        let folder = tempfile::tempdir().unwrap();
        let parquet = ParquetTables::new(&profile).unwrap();
        let source = PARQUET.source.unwrap()(&profile);
        let of_parquet = written(&profile, &parquet, &*source, &folder.path().join("parquet"));
        let csv = CsvTables::new(&profile).unwrap();
        let of_csv = written(&profile, &csv, &CsvFiles, &folder.path().join("csv"));
        let has_data = profile.bases.iter().any(|base| base.payload_has(PayloadField::Data));
        assert_eq!(of_csv.contains("\"\"data\"\":"), has_data);
        let different = of_parquet.lines().zip(of_csv.lines()).find(|(parquet, csv)| parquet != csv);
        assert_eq!(different, None);
        assert_eq!(of_parquet.lines().count(), of_csv.lines().count());
    }
}
