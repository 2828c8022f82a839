//! Tests of the rows of `operation_sequence`: their text, and that CSV and JSON readers get back the values that were written.
#![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]

mod device;

use std::io::{self, Write};

use nandseq_output::sequence::{SequenceLayout, SequenceWriter};
use nandseq_profile::model::PayloadField;
use nandseq_profile::{Block, CellTypeId, Die, OpId, Page, Plane, Target, Ticks};
use nandseq_trace::{Operation, Sink, Status};
use proptest::prelude::*;

fn target(die: u8, plane: u8, block: u32, page: u16, cell_type: u8) -> Target {
    Target {
        die: Die(die),
        plane: Plane(plane),
        block: Block(block),
        page: Page(page),
        cell_type: CellTypeId(cell_type),
    }
}

fn written(operations: &[Operation<'_>]) -> String {
    let layout = SequenceLayout::new(&device::profile(1.0, 3)).unwrap();
    let mut writer = SequenceWriter::new(&layout, Vec::new());
    for operation in operations {
        writer.operation(operation).unwrap();
    }
    let (bytes, rows) = writer.finish().unwrap();
    assert_eq!(rows, operations.len() as u64);
    String::from_utf8(bytes).unwrap()
}

#[test]
fn rows_have_the_form_downstream_converters_read() {
    let planes = [target(0, 1, 5, 17, 1), target(0, 3, 7, 17, 1)];
    let text = written(&[
        Operation {
            seq: 1,
            uid: 1,
            op: OpId(2),
            start: Ticks::ZERO,
            targets: &[Target::default()],
            status: None,
            ..Operation::default()
        },
        Operation {
            seq: 2,
            uid: 9,
            op: OpId(0),
            start: Ticks(100_000_000),
            targets: &planes,
            status: None,
            ..Operation::default()
        },
        Operation {
            seq: 3,
            uid: 10,
            op: OpId(1),
            start: Ticks(9_741_140_000),
            targets: &[target(1, 2, 0, 0, 0)],
            status: Some(Status::ExtReady),
            ..Operation::default()
        },
    ]);
    let expected = concat!(
        "seq,time,op_id,op_name,op_uid,payload\n",
        "1,0.0,14,Delay,1,[{}]\n",
        "2,100.0,0,Page_Read_TLC,9,\"[",
        "{\"\"die\"\":0,\"\"plane\"\":1,\"\"block\"\":5,\"\"page\"\":17,\"\"celltype\"\":\"\"TLC\"\"},",
        "{\"\"die\"\":0,\"\"plane\"\":3,\"\"block\"\":7,\"\"page\"\":17,\"\"celltype\"\":\"\"TLC\"\"}]\"\n",
        "3,9741.14,7,Read_Status,10,\"[{\"\"die\"\":1,\"\"plane\"\":2,\"\"exp_val\"\":\"\"extrdy\"\"}]\"\n",
    );
    assert_eq!(text, expected);
}

#[test]
fn an_operation_without_payload_fields_prints_one_empty_object_whatever_its_targets() {
    let two = [Target::default(); 2];
    for targets in [&[][..], &two] {
        let text = written(&[Operation {
            seq: 1,
            uid: 1,
            op: OpId(2),
            start: Ticks::ZERO,
            targets,
            status: None,
            ..Operation::default()
        }]);
        assert!(text.ends_with("\n1,0.0,14,Delay,1,[{}]\n"), "{text}");
    }
}

#[test]
fn a_full_disk_is_reported_and_not_swallowed() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let layout = SequenceLayout::new(&device::profile(1.0, 3)).unwrap();
    let operation = Operation {
        seq: 1,
        uid: 1,
        op: OpId(2),
        start: Ticks::ZERO,
        targets: &[],
        status: None,
        ..Operation::default()
    };
    let mut writer = SequenceWriter::new(&layout, Full);
    let failed = (0..100_000).map(|_| writer.operation(&operation)).find_map(Result::err);
    assert_eq!(failed.unwrap().kind(), io::ErrorKind::StorageFull);
    assert!(SequenceWriter::new(&layout, Full).finish().is_err());
}

fn any_target() -> impl Strategy<Value = Target> {
    (any::<u8>(), any::<u8>(), any::<u32>(), any::<u16>(), 0u8..3)
        .prop_map(|(die, plane, block, page, cell)| target(die, plane, block, page, cell))
}

fn any_status() -> impl Strategy<Value = Option<Status>> {
    prop::sample::select(vec![None, Some(Status::Busy), Some(Status::ExtReady), Some(Status::Ready)])
}

/// The object that a JSON reader should find for a target.
fn expected_object(op: usize, target: &Target, status: Option<Status>) -> serde_json::Value {
    let value = |field: PayloadField| -> serde_json::Value {
        match field {
            PayloadField::Die => target.die.0.into(),
            PayloadField::Plane => target.plane.0.into(),
            PayloadField::Block => target.block.0.into(),
            PayloadField::Page => target.page.0.into(),
            PayloadField::CellType => device::CELL_TYPES[target.cell_type.index()].into(),
            PayloadField::ExpectedStatus => status.map(Status::name).into(),
            PayloadField::Data => unreachable!("the device has none"),
        }
    };
    device::OPS[op].1.iter().map(|&field| (field.name().to_owned(), value(field))).collect()
}

proptest! {
    #[test]
    fn readers_get_back_what_was_written(
        rows in prop::collection::vec(
            (0usize..4, any::<u64>(), 0..8_640_000_000_000_000_000u64, prop::collection::vec(any_target(), 1..5), any_status()),
            0..20,
        )
    ) {
        let operations: Vec<Operation<'_>> = rows
            .iter()
            .map(|(op, uid, start, targets, status)| Operation {
                seq: *uid / 2, uid: *uid, op: OpId(*op as u16), start: Ticks(*start), targets, status: *status,
                ..Operation::default()
            })
            .collect();
        let text = written(&operations);
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        prop_assert_eq!(reader.headers().unwrap(), vec!["seq", "time", "op_id", "op_name", "op_uid", "payload"]);
        let records: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().unwrap();
        prop_assert_eq!(records.len(), rows.len());
        for (record, (op, uid, start, targets, status)) in records.iter().zip(&rows) {
            prop_assert_eq!(&record[0], (uid / 2).to_string());
            let time = Ticks::parse_us(&record[1]).unwrap();
            prop_assert!(time.0.abs_diff(*start) <= 500, "{} for {} ps", &record[1], start);
            prop_assert_eq!(&record[2], (7 * op).to_string());
            prop_assert_eq!(&record[3], device::OPS[*op].0);
            prop_assert_eq!(&record[4], uid.to_string());
            let payload: Vec<serde_json::Value> = serde_json::from_str(&record[5]).unwrap();
            let shown = if device::OPS[*op].1.is_empty() { &targets[..1] } else { &targets[..] };
            let expected: Vec<_> = shown.iter().map(|target| expected_object(*op, target, *status)).collect();
            prop_assert_eq!(payload, expected);
        }
    }

    #[test]
    fn fields_are_quoted_exactly_where_a_minimal_csv_writer_quotes_them(op in 0usize..4, targets in prop::collection::vec(any_target(), 1..3)) {
        let operation = Operation {
            seq: 1, uid: 1, op: OpId(op as u16), start: Ticks::ZERO, targets: &targets, status: Some(Status::Ready),
            ..Operation::default()
        };
        let text = written(&[operation]);
        let mut again = csv::WriterBuilder::new().from_writer(Vec::new());
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
        for record in reader.records() {
            again.write_record(&record.unwrap()).unwrap();
        }
        prop_assert_eq!(String::from_utf8(again.into_inner().unwrap()).unwrap(), text);
    }
}
