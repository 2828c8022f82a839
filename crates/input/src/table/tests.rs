//! Tests of the reader of tables: the rows of its lines, and their faults.

#![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]

use std::sync::LazyLock;

use nandseq_profile::{Block, Die, Page, PhaseKey, Plane, Ticks, builtin};
use nandseq_trace::rows::Touch;
use proptest::prelude::*;

use super::*;
use crate::row::MAX_LINE;

static FORM: LazyLock<TableForm> = LazyLock::new(|| TableForm::new(&builtin::profile()));

fn form() -> &'static TableForm {
    &FORM
}

fn lines(kind: TableKind, text: &str) -> Vec<Vec<u8>> {
    let mut reader = TableReader::new(kind, text.as_bytes()).unwrap();
    let mut lines = Vec::new();
    let mut line = Vec::new();
    while reader.next_line(&mut line).unwrap() != Line::End {
        lines.push(line.clone());
    }
    assert_eq!(reader.rows(), lines.len() as u64);
    lines
}

#[test]
fn a_table_starts_with_its_header() {
    for kind in TableKind::ALL {
        let header = kind.columns().join(",");
        assert_eq!(lines(kind, &format!("{header}\r\na\nb")), [b"a", b"b"]);
        let error = TableReader::new(kind, &header.as_bytes()[1..]).unwrap_err().to_string();
        assert_eq!(error, format!("the first line is not '{header}'"));
        assert!(TableReader::new(kind, &b""[..]).is_err());
    }
}

#[test]
fn a_line_that_is_too_long_costs_one_row() {
    let text = format!("{}\n{}\nnext\n", TableKind::AddressTouchCount.columns().join(","), "x".repeat(MAX_LINE + 5));
    let mut reader = TableReader::new(TableKind::AddressTouchCount, text.as_bytes()).unwrap();
    let mut line = Vec::new();
    assert_eq!(reader.next_line(&mut line).unwrap(), Line::TooLong);
    assert_eq!(reader.next_line(&mut line).unwrap(), Line::Read);
    assert_eq!((line.as_slice(), reader.rows()), (&b"next"[..], 2));
    assert_eq!(reader.next_line(&mut line).unwrap(), Line::End);
    assert_eq!(reader.next_line(&mut line).unwrap(), Line::End);
}

#[test]
fn rows_say_what_they_mean() {
    let (form, profile) = (form(), builtin::profile());
    let row = form
        .stretch(b"500.0,7500.085,0,2,6,0,Block_Erase_SLC,ERASE,RESUME_CHAIN,7,READ.DATA_OUT,READ.END,DEFAULT")
        .unwrap();
    assert_eq!((row.start, row.end), (Ticks::from_us(500), Ticks(7_500_085_000)));
    assert_eq!((row.die, row.plane, row.block, row.page), (Die(0), Plane(2), Block(6), Page(0)));
    assert_eq!((row.uid, row.resumed), (7, true));
    assert_eq!(profile.ops[row.op].name, "Block_Erase_SLC");
    assert_eq!(row.state.text(&profile), "READ.DATA_OUT");
    assert_eq!(profile.phase_keys[row.key_used].name, "READ.END");
    assert_eq!(row.key_virtual, PhaseKey::DEFAULT);
    let row = form.segment(b"0.0,0.5,1,3,ERASE.ISSUE,d1-p3,ERASE,0.5").unwrap();
    assert_eq!((row.die, row.plane, row.start, row.end), (Die(1), Plane(3), Ticks::ZERO, Ticks(500_000)));
    let row = form.touch(b"READ,SLC,0,1,2,3").unwrap();
    assert_eq!((row.touch, row.die, row.block, row.page, row.count), (Touch::Read, Die(0), Block(1), Page(2), 3));
    let row = form.input_time(b"ERASE.CORE_BUSY,DEFAULT,ERASE.CORE_BUSY,Block_Erase_SLC,0.37,2").unwrap();
    assert_eq!((row.hundredths, row.count), (37, 2));
    let row = form.proposal(b"DEFAULT,DEFAULT,1,2,0.25,Block_Erase_SLC,4").unwrap();
    assert_eq!((row.die, row.plane, row.time, row.count), (Die(1), Plane(2), Ticks(250_000), 4));
}

#[test]
fn what_is_wrong_names_its_column() {
    let form = form();
    let wrong = |line: &str| form.proposal(line.as_bytes()).unwrap_err().to_string();
    assert_eq!(wrong("DEFAULT,DEFAULT,1,2,0.25"), "the row has 5 columns instead of 7");
    assert_eq!(wrong("DEFAULT,\"DEFAULT,1,2,0.25,x,1"), "the quotes of the row do not match");
    assert_eq!(
        wrong("NOWHERE,DEFAULT,1,2,0.25,x,1"),
        "column 1, 'phase_key_used': the profile has no phase key 'NOWHERE'"
    );
    assert_eq!(wrong("DEFAULT,DEFAULT,-1,2,0.25,x,1"), "column 3, 'die': no whole number");
    assert_eq!(wrong("DEFAULT,DEFAULT,01,2,0.25,x,1"), "column 3, 'die': no whole number");
    assert_eq!(wrong("DEFAULT,DEFAULT,256,2,0.25,x,1"), "column 3, 'die': no device has such an address");
    assert_eq!(wrong("DEFAULT,DEFAULT,1,2,0.25,x,1"), "column 6, 'op_name': the profile has no operation 'x'");
    let time = |time: &str| wrong(&format!("DEFAULT,DEFAULT,1,2,{time},Block_Erase_SLC,1"));
    assert_eq!(time("0.0000001"), "column 5, 'propose_time': finer than 1 ps, the resolution of time");
    assert_eq!(time("1e3"), "column 5, 'propose_time': not a number");
    assert_eq!(time("-1.0"), "column 5, 'propose_time': a time cannot be negative");
    assert_eq!(time("99999999999999.0"), "column 5, 'propose_time': longer than 100 days");
    let form_of = "a decimal is written exactly and with at least one digit behind the point, as";
    for (text, right) in [("5", "5.0"), ("5.", "5.0"), ("5.00", "5.0"), ("5.10", "5.1"), ("05.1", "5.1")] {
        assert_eq!(time(text), format!("column 5, 'propose_time': {form_of} {right}"), "{text}");
    }
    let wrong = form.touch(b"ERASE,SLC,0,1,2,3").unwrap_err().to_string();
    assert_eq!(wrong, "column 1, 'op_base': 'ERASE' instead of PROGRAM or READ");
}

#[test]
fn what_has_no_header_is_not_read_to_its_end() {
    let mut endless = io::BufReader::new(io::Read::take(io::repeat(b'x'), 1 << 30));
    let refused = TableReader::new(TableKind::AddressTouchCount, &mut endless).map(|_| ());
    assert!(matches!(refused, Err(TableError::Header(TableKind::AddressTouchCount))));
    assert!(endless.get_ref().limit() > (1 << 30) - 4 * MAX_LINE as u64);
}

#[test]
fn names_sort_by_their_bytes_and_numbers_by_value() {
    let form = form();
    let row = |text: &str| form.proposal(text.as_bytes()).unwrap();
    let sorted = [
        "DEFAULT,ERASE.END,0,0,0.0,Block_Erase_SLC,1",
        "DEFAULT,READ.CORE_BUSY,0,0,0.0,Block_Erase_SLC,1",
        "DEFAULT,READ.END,0,9,0.0,Block_Erase_SLC,1",
        "DEFAULT,READ.END,0,10,2.0,Block_Erase_SLC,1",
        "DEFAULT,READ.END,0,10,10.0,Block_Erase_SLC,1",
        "DEFAULT,READ.END,0,10,10.0,Block_Erase_TLC,1",
    ];
    for pair in sorted.windows(2) {
        assert_eq!(form.compare_proposals(&row(pair[0]), &row(pair[1])), std::cmp::Ordering::Less, "{pair:?}");
    }
}

proptest! {
    #[test]
    fn no_input_makes_it_panic(text in "[0-9a-zA-Z.,\"\\-\n_]{0,200}") {
        let form = form();
        for kind in TableKind::ALL {
            let file = format!("{}\n{text}", kind.columns().join(","));
            for line in lines(kind, &file) {
                match kind {
                    TableKind::OperationTimeline => drop(form.stretch(&line)),
                    TableKind::OpStateTimeline => drop(form.segment(&line)),
                    TableKind::AddressTouchCount => drop(form.touch(&line)),
                    TableKind::InputTimeCount => drop(form.input_time(&line)),
                    TableKind::ProposalCounts => drop(form.proposal(&line)),
                }
            }
        }
    }
}

proptest! {
    /// A fast path reads the rows that begin like the row before.
    #[test]
    fn rows_of_proposals_one_after_another_mean_what_each_means_alone(
        rows in proptest::collection::vec((0_usize..3, 0_usize..6, 0_usize..5, 0_usize..6), 1..20),
        damage in proptest::option::of((0_usize..2000, prop_oneof![any::<u8>(), Just(b','), Just(b'0'), Just(b'"')])),
    ) {
        let begin = ["DEFAULT,READ.END,0,2", "READ.END,READ.END,0,2", "READ.END,READ.END,00,2"];
        let times = ["500.0", "7500.085", "7500.0850", "007.5", "0.0", "x"];
        let names = ["Block_Erase_SLC", "Data_Out_Termination", "Banana", "", "\"Block_Erase_SLC\""];
        let counts = ["1", "12", "012", "0", "", "9999999999999999999999"];
        let mut lines: Vec<Vec<u8>> = rows
            .iter()
            .map(|&(a, b, c, d)| format!("{},{},{},{}", begin[a], times[b], names[c], counts[d]).into_bytes())
            .collect();
        if let Some((at, byte)) = damage {
            let line = at % lines.len();
            let place = at % lines[line].len();
            lines[line][place] = byte;
        }
        let mut proposals = Proposals::default();
        for line in lines {
            prop_assert_eq!(proposals.row(form(), &line), form().proposal(&line));
        }
    }
}
