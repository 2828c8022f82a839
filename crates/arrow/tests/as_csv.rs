//! Tables in memory say the same as the CSV files of the same run.
#![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]

use std::io::{self, Read as _};
use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::{Array, Decimal128Array, Float64Array, RecordBatch, StringArray};
use nandseq_arrow::{ArrowPlan, ArrowRun, MemorySource, MemoryTable};
use nandseq_generate::{RunLimits, Setup, Site, probability};
use nandseq_input::Source as _;
use nandseq_output::csv_tables::CsvTables;
use nandseq_output::run_files::RunFiles;
use nandseq_profile::model::Expectations;
use nandseq_profile::{Profile, Ticks, builtin};
use nandseq_trace::files::{FileKind, Outputs, Stamp};
use nandseq_trace::{Cut, Operation, Sink};

/// Two sinks that are told the same.
struct Both<'a>(ArrowRun<'a>, RunFiles<'a>);

impl Sink for Both<'_> {
    fn operation(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        self.0.operation(operation)?;
        self.1.operation(operation)
    }

    fn still_suspended(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        self.0.still_suspended(operation)?;
        self.1.still_suspended(operation)
    }

    fn cut(&mut self, uid: u64, at: Ticks, cut: Cut) -> io::Result<()> {
        self.0.cut(uid, at, cut)?;
        self.1.cut(uid, at, cut)
    }

    fn resumed(&mut self, uid: u64, from: Ticks, busy_end: Ticks, end: Ticks) -> io::Result<()> {
        self.0.resumed(uid, from, busy_end, end)?;
        self.1.resumed(uid, from, busy_end, end)
    }
}

/// Compares all tables of two runs of a profile. Returns the number of rows.
fn compare(profile: &Profile) -> u64 {
    let folder = tempfile::tempdir().unwrap();
    let table = probability::of_profile(profile, probability::DEFAULT_TABLE_SEED);
    let setup = Setup::new(profile, &table, &[]).unwrap();
    let (plan, csv) = (ArrowPlan::new(profile).unwrap(), CsvTables::new(profile).unwrap());
    let limits = RunLimits { run_until: Ticks::from_us(60_000), ..RunLimits::default() };
    let mut site = Site::new(&setup, 7);
    let mut rows = 0;
    for run in 1..=2 {
        let files = RunFiles::create(folder.path(), &csv, Outputs::ALL, Stamp::from_days_since_1970(0), run).unwrap();
        let mut sinks = Both(ArrowRun::new(&plan, Outputs::ALL, folder.path()), files);
        site.run(&limits, &mut sinks).unwrap();
        let (tables, files) = (sinks.0.finish().unwrap(), sinks.1.finish().unwrap().files);
        assert_eq!(tables.len(), 6);
        for (table, file) in tables.iter().zip(&files) {
            assert_eq!((table.kind(), table.rows()), (file.kind, file.rows));
            let path = PathBuf::from(format!("{}.arrow", file.kind.name()));
            let held = table.batches().collect::<Result<Vec<_>, _>>().unwrap();
            for table in [MemoryTable::Run(table.clone()), MemoryTable::Batches(table.schema(), held.into())] {
                let mut source = MemorySource::new(profile);
                source.add(path.clone(), table);
                let mut text = String::new();
                source.open(&path).unwrap().read_to_string(&mut text).unwrap();
                // The file quotes a payload only where it must.
                let text = text.replace("\"[{}]\"", "[{}]");
                let expected = std::fs::read_to_string(folder.path().join(file.file.to_string())).unwrap();
                let differing = text.lines().zip(expected.lines()).find(|(text, expected)| text != expected);
                assert_eq!(differing, None);
                assert!(text == expected, "{} has other rows at its end", file.kind.name());
            }
            rows += table.rows();
        }
    }
    rows
}

#[test]
fn every_table_has_the_lines_of_its_csv_file() {
    assert!(compare(&builtin::profile()) > 2_000);
}

#[test]
fn expected_data_and_a_full_status_have_the_lines_of_their_csv_files() {
    for (data, full_status) in [(true, false), (false, true), (true, true)] {
        let mut profile = builtin::profile();
        profile.expect(Expectations { data, full_status });
        assert!(compare(&profile) > 2_000);
    }
}

#[test]
fn only_the_wanted_tables_are_made() {
    let profile = builtin::profile();
    let plan = ArrowPlan::new(&profile).unwrap();
    let wanted = Outputs::NONE.with(FileKind::AddressTouchCount).with(FileKind::Snapshot);
    let tables = ArrowRun::new(&plan, wanted, &std::env::temp_dir()).finish().unwrap();
    assert_eq!(tables.iter().map(nandseq_arrow::ArrowTable::kind).collect::<Vec<_>>(), [FileKind::AddressTouchCount]);
    assert_eq!((tables[0].rows(), tables[0].batches().count()), (0, 0));
    assert_eq!(tables[0].schema().fields().len(), 6);
}

#[test]
fn a_table_that_lacks_a_column_is_refused_by_its_name() {
    let profile = builtin::profile();
    let plan = ArrowPlan::new(&profile).unwrap();
    let tables = ArrowRun::new(&plan, Outputs::ALL, &std::env::temp_dir()).finish().unwrap();
    let mut source = MemorySource::new(&profile);
    source.add("operation_sequence".into(), MemoryTable::Run(tables[1].clone()));
    let error = source.open("operation_sequence".as_ref()).err().unwrap().to_string();
    assert_eq!(error, "it has no column 'seq'; the table's are seq,time,op_id,op_name,op_uid,payload");
}

/// The lines of a sequence whose `seq` and `time` are floating point, as some tools make numbers of columns with gaps.
fn lines_of(seq: f64, time: Arc<dyn Array>) -> io::Result<String> {
    let profile = builtin::profile();
    let names: Arc<dyn Array> = Arc::new(StringArray::from(vec!["READ"]));
    let payload: Arc<dyn Array> = Arc::new(StringArray::from(vec!["[]"]));
    let numbers: Arc<dyn Array> = Arc::new(Float64Array::from(vec![seq]));
    let columns = [
        ("seq", Arc::clone(&numbers)),
        ("time", time),
        ("op_id", Arc::clone(&numbers)),
        ("op_name", names),
        ("op_uid", numbers),
        ("payload", payload),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut source = MemorySource::new(&profile);
    source.add("operation_sequence".into(), MemoryTable::Batches(batch.schema(), vec![batch].into()));
    let mut text = String::new();
    source.open("operation_sequence".as_ref())?.read_to_string(&mut text)?;
    Ok(text.lines().nth(1).unwrap_or_default().to_owned())
}

#[test]
fn floating_point_is_written_without_an_exponent_and_whole_where_the_column_is() {
    let line = |time: f64| lines_of(3.0, Arc::new(Float64Array::from(vec![time]))).unwrap();
    assert_eq!(line(5e-5), "3,0.00005,3,READ,3,[]");
    assert_eq!(line(500.0), "3,500.0,3,READ,3,[]");
    assert_eq!(line(7_500.085), "3,7500.085,3,READ,3,[]");
    assert_eq!(line(1e22), "3,10000000000000000000000.0,3,READ,3,[]");
}

#[test]
fn a_decimal_with_a_negative_scale_is_refused_with_its_type() {
    let time = Decimal128Array::from(vec![5]).with_precision_and_scale(10, -2).unwrap();
    let error = lines_of(1.0, Arc::new(time)).unwrap_err().to_string();
    assert!(error.starts_with("column 'time' is of type Decimal128(10, -2); types that can be read are"), "{error}");
}
