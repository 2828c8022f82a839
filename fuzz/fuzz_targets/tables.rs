//! Any bytes as each table of a run, without a panic and with every row counted.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use nandseq_input::table::{TableForm, Line, TableReader};
use nandseq_profile::{Profile, builtin};
use nandseq_trace::table::TableKind;

static DEVICE: LazyLock<Profile> = LazyLock::new(builtin::profile);
static FORM: LazyLock<TableForm> = LazyLock::new(|| TableForm::new(&DEVICE));

/// The rows of a table with its header; the last two rows that are right are compared.
fn read(kind: TableKind, rows: &[u8]) {
    let mut bytes = kind.columns().join(",").into_bytes();
    bytes.push(b'\n');
    bytes.extend_from_slice(rows);
    let mut reader = TableReader::new(kind, &bytes[..]).expect("it has its header");
    let mut line = Vec::new();
    let mut count = 0;
    let (mut input_time, mut proposal) = (None, None);
    while !matches!(reader.next_line(&mut line), Ok(Line::End) | Err(_)) {
        count += 1;
        match kind {
            TableKind::OperationTimeline => drop(FORM.stretch(&line)),
            TableKind::OpStateTimeline => drop(FORM.segment(&line)),
            TableKind::AddressTouchCount => drop(FORM.touch(&line)),
            TableKind::InputTimeCount => {
                if let Ok(row) = FORM.input_time(&line) {
                    if let Some(before) = &input_time {
                        let order = FORM.compare_input_times(before, &row);
                        assert_eq!(order.reverse(), FORM.compare_input_times(&row, before));
                    }
                    input_time = Some(row);
                }
            }
            TableKind::ProposalCounts => {
                if let Ok(row) = FORM.proposal(&line) {
                    if let Some(before) = &proposal {
                        let order = FORM.compare_proposals(before, &row);
                        assert_eq!(order.reverse(), FORM.compare_proposals(&row, before));
                    }
                    proposal = Some(row);
                }
            }
        }
    }
    assert_eq!(reader.rows(), count);
}

fuzz_target!(|data: &[u8]| {
    for kind in TableKind::ALL {
        let _ = TableReader::new(kind, data);
        read(kind, data);
    }
});
