//! Tests of the reader of sequences: exact times, faults as values, bounded memory.
#![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]

use nandseq_profile::model::{
    AddressSource, Base, Bootstrap, CellType, Effect, Exclusions, Export, Op, PayloadField, Phase, PhaseKind, Policies,
    Probabilities, Scope, StatusField, Topology,
};
use nandseq_profile::{BaseId, BaseSet, CellTypeId, IdVec, OpId, Ticks};
use nandseq_trace::Status;
use nandseq_trace::time_column::TimeColumn;
use proptest::prelude::*;

use super::*;
use crate::row::MAX_LINE;

/// Every payload field but data.
fn fields() -> impl Iterator<Item = PayloadField> {
    PayloadField::ALL.into_iter().filter(|field| *field != PayloadField::Data)
}

/// Two operations: `Touch` with every payload field but data, `Nudge` with none.
fn profile(scale: f64, round_decimals: u32, grid: u64) -> Profile {
    let mut bases = IdVec::new();
    let mut ops = IdVec::new();
    for (name, payload) in [("Touch", fields().collect()), ("Nudge", Vec::new())] {
        let base = bases.push(Base {
            name: name.to_uppercase(),
            scope: Scope::None,
            affects_state: false,
            instant: true,
            phases: vec![Phase { kind: PhaseKind::Issue, bus: true, default_duration: None }],
            address: AddressSource::Hook,
            effects: Vec::new(),
            payload,
            follow_ups: Vec::new(),
        });
        ops.push(Op {
            name: name.to_owned(),
            base,
            multi: false,
            cell_type: CellTypeId(0),
            durations: vec![Ticks(1)],
            status_of: None,
            opcode: 0,
            reads: None,
        });
    }
    Profile {
        name: "Reader".to_owned(),
        topology: Topology { dies: 1, planes: 1, blocks_per_die: 1, pages_per_block: 1 },
        cell_types: ["NONE", "SLC"].map(|name| CellType { name: name.to_owned(), programs: 0 }).into_iter().collect(),
        policies: Policies {
            admission_window: Ticks::ZERO,
            queue_refill_period: Ticks(1),
            max_planes: 1,
            max_tries: 1,
            sequence_gap: Ticks::ZERO,
            split_dout_per_plane: false,
            time_resolution: Ticks(grid),
            post_hook_window: Ticks::ZERO,
            refill_uses_end_key: false,
        },
        latencies: Vec::new(),
        phase_keys: Profile::derive_phase_keys(&bases),
        bases,
        ops,
        exclusions: Exclusions::default(),
        interleaved: BaseSet::EMPTY,
        offset_guard: 0,
        chains: Vec::new(),
        probabilities: Probabilities::default(),
        export: Export { time_scale: scale, round_decimals, ..Export::DEFAULT },
        bootstrap: Bootstrap {
            enabled: false,
            erase_blocks: 0,
            program_blocks: 0,
            read_blocks: 0,
            read_coverage: 0.0,
            cell_type_weights: Vec::new(),
        },
    }
}

const HEADER: &str = "seq,time,op_id,op_name,op_uid,payload\n";

fn plain() -> Profile {
    profile(1.0, 3, 10_000)
}

/// Every row of a file, as text.
fn read(text: &[u8]) -> Vec<String> {
    let profile = plain();
    let mut reader = SequenceReader::new(&profile, text).unwrap();
    let mut rows = Vec::new();
    while let Some(row) = reader.next_row().unwrap() {
        rows.push(match row {
            Ok(row) => {
                let fault = row.fault.map(|fault| format!(": {fault}")).unwrap_or_default();
                let op = &profile.ops[row.op].name;
                format!("{} {} {} {op} {} {}{fault}", row.row, row.seq, row.time.0, row.uid, row.targets.len())
            }
            Err(bad) => format!("{} {:?} {}", bad.row, bad.seq, bad.fault),
        });
    }
    rows
}

fn rows(text: &str) -> Vec<String> {
    read(format!("{HEADER}{text}").as_bytes())
}

fn nudge(time: &str) -> String {
    format!("1,{time},0,Nudge,1,[{{}}]")
}

fn touch(payload: &str) -> String {
    format!("1,0.0,0,Touch,1,\"{}\"", payload.replace('"', "\"\""))
}

const WHOLE: &str = r#"{"die":1,"plane":2,"block":30,"page":400,"celltype":"SLC","exp_val":"extrdy"}"#;

#[test]
fn a_row_reads_as_it_was_written() {
    let profile = plain();
    let text = format!("{HEADER}{}\n", touch(&format!("[{WHOLE}]")));
    let mut reader = SequenceReader::new(&profile, text.as_bytes()).unwrap();
    let row = reader.next_row().unwrap().unwrap().unwrap();
    let target = Addressed {
        fields: fields().collect(),
        die: 1,
        plane: 2,
        block: 30,
        page: 400,
        cell_type: Some(CellTypeId(1)),
        status: Some(Status::ExtReady),
        ..Addressed::default()
    };
    assert_eq!((row.targets, row.fault, row.opcode), ([target].as_slice(), None, 0));
    assert!(reader.next_row().unwrap().is_none());
    assert_eq!(reader.rows(), 1);
}

#[test]
fn data_and_a_status_of_several_fields_are_read_in_one_pass_and_in_general() {
    let mut profile = plain();
    profile.bases[BaseId(0)].payload = vec![PayloadField::Die, PayloadField::ExpectedStatus, PayloadField::Data];
    profile.export.status = vec![StatusField::ProgramSuspend, StatusField::Ready, StatusField::EraseSuspend];
    let row = |status: &str, data: &str| touch(&format!(r#"[{{"die":1,"exp_val":{status},"data":{data}}}]"#));
    let good = row(r#"["pgmsus","busy","no_erasus"]"#, "123456789012");
    let spaced = row(r#" [ "pgmsus" , "busy", "no_erasus" ]"#, "123456789012");
    let text = format!("{HEADER}{good}\n{spaced}\n");
    let mut reader = SequenceReader::new(&profile, text.as_bytes()).unwrap();
    let is_fast = |line: &str| {
        let fast_path = reader.fast_path.as_ref().unwrap();
        fast_path.row(&reader.names, format!("{line}\n1,0.0,0,Nudge").as_bytes(), &mut Vec::new()).is_some()
    };
    assert!(is_fast(&good) && !is_fast(&spaced));
    for _ in 0..2 {
        let row = reader.next_row().unwrap().unwrap().unwrap();
        let target = row.targets[0];
        assert_eq!((row.fault, target.status, target.data), (None, Some(Status::Busy), 123_456_789_012));
        assert_eq!(target.suspended.values().copied().collect::<Vec<_>>(), [Some(false), Some(true)]);
    }
    for (status, data, expected) in [
        (r#""busy""#, "1", "payload field 'exp_val' cannot be 'busy': it is a list with a word for each of FIELDS"),
        ("[]", "1", "payload field 'exp_val' cannot be []: it is a list with a word for each of FIELDS"),
        (
            r#"["pgmsus","busy"]"#,
            "1",
            "payload field 'exp_val' cannot be ['pgmsus', 'busy']: it is a list with a word for each of FIELDS",
        ),
        (
            r#"["pgmsus","busy","erased"]"#,
            "1",
            "payload field 'exp_val' says 'erased' for erase_suspend, which is one of no_erasus, erasus",
        ),
        (
            r#"["busy","pgmsus","erasus"]"#,
            "1",
            "payload field 'exp_val' says 'busy' for program_suspend, which is one of no_pgmsus, pgmsus",
        ),
        (r#"["pgmsus",1,"erasus"]"#, "1", "the payload is not a JSON array of flat objects"),
        (r#"["pgmsus","busy","erasus"]"#, "0123", "the payload is not JSON: the number 0123 begins with a zero"),
        (r#"["no_pgmsus","ready","erasus"]"#, "\"1\"", "payload field 'data' cannot be '1'"),
    ] {
        let text = format!("{HEADER}{}\n", row(status, data));
        let mut reader = SequenceReader::new(&profile, text.as_bytes()).unwrap();
        let fault = reader.next_row().unwrap().unwrap().unwrap().fault.unwrap().to_string();
        assert_eq!(fault, expected.replace("FIELDS", "program_suspend, ready, erase_suspend"));
    }
}

#[test]
fn only_data_that_is_put_out_may_be_left_out() {
    let mut profile = plain();
    profile.bases[BaseId(0)].payload = vec![PayloadField::Die, PayloadField::Data];
    for (effect, expected) in
        [(Effect::DataOut, None), (Effect::Program, Some("payload field 'data' is missing".to_owned()))]
    {
        profile.bases[BaseId(0)].effects = vec![effect];
        let text = format!("{HEADER}{}\n", touch(r#"[{"die":1}]"#));
        let mut reader = SequenceReader::new(&profile, text.as_bytes()).unwrap();
        let row = reader.next_row().unwrap().unwrap().unwrap();
        assert_eq!(row.fault.map(ToString::to_string), expected);
    }
}

#[test]
fn rows_in_the_written_form_are_read_in_one_pass() {
    let profile = plain();
    let reader = SequenceReader::new(&profile, HEADER.as_bytes()).unwrap();
    let fast_path = reader.fast_path.as_ref().unwrap();
    let reads = |line: &str| fast_path.row(&reader.names, line.as_bytes(), &mut Vec::new()).map(|head| head.len);
    for line in [touch(&format!("[{WHOLE},{WHOLE}]")), nudge("7500.085")] {
        assert_eq!(reads(&format!("{line}\n1,0.0,0,Nudge")), Some(line.len() + 1), "{line}");
        assert_eq!(reads(&format!("{line}\r\n1,0.0,0,Nudge")), None, "{line}");
        assert_eq!(reads(&line), None, "{line}");
    }
}

#[test]
fn several_objects_any_order_of_keys_and_white_space_are_fine() {
    let shuffled = r#"[ {"page" : 1, "die":0,"plane":0 ,"exp_val":"busy","celltype":"NONE","block":-7} , "#;
    assert_eq!(rows(&touch(&format!("{shuffled}{WHOLE} ]"))), ["1 1 0 Touch 1 2"]);
}

#[test]
fn line_ends_and_a_byte_order_mark_are_those_of_any_system() {
    let text = format!("\u{feff}{}{}\r\n{}", HEADER.trim_end().to_owned() + "\r\n", nudge("0.0"), nudge("0.01"));
    assert_eq!(read(text.as_bytes()), ["1 1 0 Nudge 1 1", "2 1 10000 Nudge 1 1"]);
}

#[test]
fn a_file_without_the_header_is_refused() {
    let profile = plain();
    for text in
        ["", "seq\n", "1,0.0,0,Nudge,1,[{}]\n", &"x".repeat(MAX_LINE * 3), "time,seq,op_id,op_name,op_uid,payload\n"]
    {
        let refused = SequenceReader::new(&profile, text.as_bytes());
        assert!(matches!(refused.err(), Some(ReadError::Header(_))), "{}", &text[..text.len().min(40)]);
    }
}

#[test]
fn times_are_exact() {
    for (text, ticks) in [
        ("0", 0_u64),
        ("0.0", 0),
        ("0.000000000000", 0),
        ("7500.085", 7_500_085_000),
        ("100", 100_000_000),
        ("100.0", 100_000_000),
        ("1e2", 100_000_000),
        ("1.5e-05", 15),
        ("0.000001", 1),
        (".5", 500_000),
        ("-0.0", 0),
        ("8640000000000", 8_640_000_000_000_000_000),
    ] {
        assert_eq!(rows(&nudge(text)), [format!("1 1 {ticks} Nudge 1 1")], "{text}");
    }
}

#[test]
fn what_is_no_time_is_a_fault() {
    for (text, why) in [
        ("", "not a number"),
        (".", "not a number"),
        ("nan", "not a number"),
        ("1.2.3", "not a number"),
        ("1e", "not a number"),
        ("1e99999999999", "not a number"),
        ("- 1", "not a number"),
        ("-1", "a time cannot be negative"),
        ("0.0000001", "finer than 1 ps, the resolution of time"),
        ("1e-60", "finer than 1 ps, the resolution of time"),
        ("8640000000000.1", "longer than 100 days"),
        ("1e60", "longer than 100 days"),
        ("99999999999999999999999999999999", "longer than 100 days"),
    ] {
        assert_eq!(rows(&nudge(text)), [format!("1 Some(1) column 'time': {why}")], "{text}");
    }
}

#[test]
fn rows_that_make_no_sense_are_faults_and_the_next_row_is_read() {
    for (text, why) in [
        ("", "None the row has 1 column instead of 6"),
        ("1,2,3", "None the row has 3 columns instead of 6"),
        ("1,0.0,0,Nudge,1,[{}],7", "None the row has 7 columns instead of 6"),
        ("x,0.0,0,Nudge,1,[{}]", "None column 'seq' is not a whole number"),
        ("-1,0.0,0,Nudge,1,[{}]", "None column 'seq' is not a whole number"),
        ("99999999999999999999,0.0,0,Nudge,1,[{}]", "None column 'seq' is not a whole number"),
        ("1,0.0,,Nudge,1,[{}]", "Some(1) column 'op_id' is not a whole number"),
        ("1,0.0,0,Nudge,1.5,[{}]", "Some(1) column 'op_uid' is not a whole number"),
        ("1,0.0,0,Banana,1,[{}]", "Some(1) the profile has no operation 'Banana'"),
        ("1,0.0,0,Nudge,1,\"[{}]", "None the quotes of the row do not match"),
        ("1,0.0,0,Nudge,1,\"[{}]\"x", "None the quotes of the row do not match"),
        ("1,0.0,0,Nu\"dge,1,[{}]", "None the quotes of the row do not match"),
    ] {
        let expected = [format!("1 {why}"), "2 1 0 Nudge 1 1".to_owned()];
        assert_eq!(rows(&format!("{text}\n{}\n", nudge("0.0"))), expected, "{text}");
    }
}

#[test]
fn a_quoted_field_is_the_same_as_a_plain_one() {
    assert_eq!(rows("\"1\",\"0.0\",\"0\",\"Nudge\",\"1\",\"[{}]\""), ["1 1 0 Nudge 1 1"]);
}

#[test]
fn payload_faults_leave_the_row_readable() {
    let not_json = "the payload is not a JSON array of flat objects";
    for (payload, targets, why) in [
        ("", 0, not_json),
        ("{}", 0, not_json),
        ("[", 1, not_json),
        ("[{]", 1, not_json),
        ("[{}", 1, not_json),
        ("[{}]]", 1, not_json),
        ("[{},]", 2, not_json),
        ("[[{}]]", 1, not_json),
        (r#"[{"die"}]"#, 1, not_json),
        (r#"[{"die":}]"#, 1, not_json),
        (r#"[{"die":[1]}]"#, 1, not_json),
        (r#"[{"die":0,}]"#, 1, not_json),
        (r#"[{"d\ie":0}]"#, 1, not_json),
        (r#"[{"die":abc}]"#, 1, not_json),
        ("[]", 0, "the payload has no object; an operation without fields is written as [{}]"),
        ("[{}]", 1, "payload field 'die' is missing"),
        (r#"[{"die":0,"die":1}]"#, 1, "payload field 'die' is given twice"),
        (r#"[{"fruit":0}]"#, 1, "payload field 'fruit' does not belong to this operation"),
        (r#"[{"die":1.0}]"#, 1, "payload field 'die' cannot be 1.0"),
        (r#"[{"die":null}]"#, 1, "payload field 'die' cannot be null"),
        (r#"[{"die":"0"}]"#, 1, "payload field 'die' cannot be '0'"),
        (r#"[{"die":1e400}]"#, 1, not_json),
        (r#"[{"die":01}]"#, 1, "the payload is not JSON: the number 01 begins with a zero"),
        (r#"[{"die":-00}]"#, 1, "the payload is not JSON: the number -00 begins with a zero"),
        (r#"[{"die":12345678901234567890}]"#, 1, "payload field 'die' cannot be 12345678901234567890"),
        (r#"[{"celltype":"QLC"}]"#, 1, "payload field 'celltype' cannot be 'QLC'"),
        (r#"[{"exp_val":7}]"#, 1, "payload field 'exp_val' cannot be 7"),
    ] {
        assert_eq!(rows(&touch(payload)), [format!("1 1 0 Touch 1 {targets}: {why}")], "{payload}");
    }
    assert_eq!(
        rows("1,0.0,0,Nudge,1,\"[{\"\"die\"\":0}]\""),
        ["1 1 0 Nudge 1 1: payload field 'die' does not belong to this operation"]
    );
}

#[test]
fn a_line_without_end_is_skipped_in_bounded_memory() {
    let profile = plain();
    let long = "x".repeat(MAX_LINE * 20);
    let text = format!("{HEADER}{long}\n{}\n{}", nudge("0.0"), long);
    let mut reader = SequenceReader::new(&profile, text.as_bytes()).unwrap();
    assert_eq!(reader.next_row().unwrap().unwrap().unwrap_err().fault, RowFault::TooLong);
    assert!(reader.next_row().unwrap().unwrap().is_ok());
    assert_eq!(reader.next_row().unwrap().unwrap().unwrap_err().fault, RowFault::TooLong);
    assert!(reader.next_row().unwrap().is_none());
    assert!(reader.line.capacity() <= 4 * MAX_LINE);
}

#[test]
fn the_longest_line_is_still_read() {
    let filler = " ".repeat(MAX_LINE - nudge("0.0").len());
    let line = format!("1,0.0,0,Nudge,1,[{{{filler}}}]");
    assert_eq!(line.len(), MAX_LINE);
    assert_eq!(rows(&line), ["1 1 0 Nudge 1 1"]);
    assert_eq!(rows(&format!("{line} ")), ["1 None the line is longer than 65536 bytes"]);
}

#[test]
fn times_are_exact_when_the_grid_fits_the_rounding() {
    let exact = |scale, decimals, grid| {
        let profile = profile(scale, decimals, grid);
        SequenceReader::new(&profile, HEADER.as_bytes()).unwrap().times_are_exact()
    };
    assert!(exact(1.0, 3, 10_000));
    assert!(exact(1.0, 6, 1));
    assert!(exact(1.0, 9, 1));
    assert!(exact(1.0, 0, 1_000_000));
    assert!(!exact(1.0, 3, 10));
    assert!(!exact(1000.0, 3, 10_000));
}

proptest! {
    /// A start on a grid that is not finer than the rounding is read back unchanged, whatever the scale.
    #[test]
    fn a_written_time_is_read_back(
        steps in 0_u64..100_000_000,
        (scale, decimals, grid) in prop_oneof![
            Just((1.0, 3, 10_000)),
            Just((1.0, 6, 7)),
            Just((1.0, 3, 1_250)),
            Just((1.0, 2, 10_001)),
            Just((1000.0, 3, 3)),
            Just((0.001, 9, 100)),
            Just((2.5, 4, 500)),
            Just((0.333, 6, 1000)),
            Just((1e-9, 9, 1_000_000_000)),
        ],
    ) {
        let profile = profile(scale, decimals, grid);
        let mut text = HEADER.as_bytes().to_vec();
        text.extend_from_slice(b"1,");
        TimeColumn::new(scale, decimals).unwrap().append(Ticks(steps * grid), &mut text);
        text.extend_from_slice(b",0,Nudge,1,[{}]\n");
        let mut reader = SequenceReader::new(&profile, text.as_slice()).unwrap();
        prop_assert_eq!(reader.next_row().unwrap().unwrap().unwrap().time, Ticks(steps * grid));
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let mut text = HEADER.as_bytes().to_vec();
        text.extend_from_slice(&bytes);
        read(&text);
    }

    #[test]
    fn no_damage_to_a_row_makes_it_panic(at in 0_usize..200, byte in any::<u8>()) {
        let mut text = format!("{HEADER}{}\n{}\n", touch(&format!("[{WHOLE},{WHOLE}]")), nudge("1e-3")).into_bytes();
        let place = HEADER.len() + at % (text.len() - HEADER.len());
        text[place] = byte;
        read(&text);
    }

    /// The fast path reads rows that end with `\n`, the general path those that end with `\r\n`.
    #[test]
    fn a_row_says_the_same_whichever_way_it_is_read(
        changes in proptest::collection::vec((0_usize..400, prop_oneof![any::<u8>(), Just(b'0'), Just(b','), Just(b'"')]), 0..3),
        (time, seq) in prop_oneof![
            Just(("0.0", "1")),
            Just(("7500.085", "123456789012345678")),
            Just(("999999999999.999999", "1")),
            Just(("1000000000000.1", "1234567890123456789")),
            Just(("00.100000", "01")),
        ],
    ) {
        let row = |payload: &str| touch(payload).replacen("1,0.0", &format!("{seq},{time}"), 1);
        let (one, two) = (format!("[{WHOLE}]"), format!("[{WHOLE},{WHOLE}]"));
        let mut lines = [row(&one), nudge(time), row(&two), nudge("0.0")].join("\n").into_bytes();
        for (at, byte) in changes {
            let place = at % lines.len();
            // A `\r` would be part of a line end before `\n` only, so it is not tried.
            lines[place] = if byte == b'\r' { b'x' } else { byte };
        }
        let text = |end: &[u8]| {
            let lines: Vec<&[u8]> = lines.split(|&byte| byte == b'\n').collect();
            [HEADER.as_bytes(), &lines.join(end), end].concat()
        };
        let profile = plain();
        let facts = |text: Vec<u8>| {
            let mut reader = SequenceReader::new(&profile, text.as_slice()).unwrap();
            let mut facts = Vec::new();
            while let Some(row) = reader.next_row().unwrap() {
                facts.push(format!("{row:?}"));
            }
            facts
        };
        prop_assert_eq!(facts(text(b"\n")), facts(text(b"\r\n")));
    }
}

/// `seq` and the cell type of a row with `payload`, read under a profile in which an operation and a cell type have these names.
fn read_named(op: &str, cell_type: &str, payload: &str) -> Result<(u64, Option<CellTypeId>), String> {
    let mut profile = plain();
    profile.ops[OpId(0)].name = op.to_owned();
    profile.cell_types[CellTypeId(1)].name = cell_type.to_owned();
    let op = nandseq_trace::csv_field(op);
    let text = format!("{HEADER}1,0.0,0,{op},1,\"{}\"\n", payload.replace('"', "\"\""));
    let mut reader = SequenceReader::new(&profile, text.as_bytes()).unwrap();
    let row = reader.next_row().unwrap().unwrap().map_err(|bad| bad.fault.to_string())?;
    match row.fault {
        Some(fault) => Err(fault.to_string()),
        None => Ok((row.seq, row.targets[0].cell_type)),
    }
}

#[test]
fn names_with_quotes_commas_and_backslashes_are_found() {
    for name in ["R\"d", "\"", "\"\"", "a,b", "a\\b", "\\\"", " x ", "é\u{1f600}", "\\u0041", "a'b"] {
        let json = serde_json::Value::from(name).to_string();
        let payload =
            format!("[{{\"die\":0,\"plane\":0,\"block\":0,\"page\":0,\"celltype\":{json},\"exp_val\":\"busy\"}}]");
        assert_eq!(read_named(name, name, &payload), Ok((1, Some(CellTypeId(1)))), "{name}");
        let other = format!("{name}x");
        assert!(read_named(name, &other, &payload).unwrap_err().contains("'celltype' cannot be"), "{name}");
    }
}

#[test]
fn every_escape_of_json_is_understood_and_every_broken_one_refused() {
    let payload = |text: &str| {
        format!("[{{\"die\":0,\"plane\":0,\"block\":0,\"page\":0,\"celltype\":\"{text}\",\"exp_val\":\"busy\"}}]")
    };
    for (name, text) in [
        ("Aé", "\\u0041\\u00e9"),
        ("\u{1f600}", "\\ud83d\\ude00"),
        ("a/b", "a\\/b"),
        ("\u{8}\u{c}", "\\b\\f"),
        ("\"", "\\u0022"),
    ] {
        assert_eq!(read_named("T", name, &payload(text)), Ok((1, Some(CellTypeId(1)))), "{text}");
    }
    for text in ["\\x", "\\u12", "\\u12g4", "\\ud83d", "\\ude00", "\\ud83d\\u0041", "\\"] {
        let fault = read_named("T", "S", &payload(text)).unwrap_err();
        assert_eq!(fault, "the payload is not a JSON array of flat objects", "{text}");
    }
}

#[test]
fn an_unknown_name_is_shown_as_it_is_meant() {
    assert_eq!(rows("1,0.0,0,\"R\"\"d\",1,[{}]\n"), ["1 Some(1) the profile has no operation 'R\"d'"]);
}

#[test]
fn what_has_no_line_break_is_not_read_to_its_end() {
    let endless = io::BufReader::new(io::repeat(0));
    assert!(matches!(SequenceReader::new(&nandseq_profile::builtin::profile(), endless), Err(ReadError::Header(_))));
}
