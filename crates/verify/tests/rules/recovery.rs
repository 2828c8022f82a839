//! One damaged operation gives one finding of a rule, whatever follows from it. A row that holds no operation gives one finding.

use nandseq_input::{Addressed, Row, SequenceReader};
use nandseq_profile::{OpId, Profile, Ticks};
use nandseq_verify::{RuleCode, Verifier};
use proptest::prelude::*;

use crate::occupation::PREPARED;
use crate::{DEVICE, judge};

#[test]
fn a_lost_erase_is_one_finding() {
    judge(
        "101 Program_SLC b0 g0 ! program_before_erase\n 122 Program_SLC b0 g1\n 143 Program_SLC b0 g2\n 164 Read_SLC b0 g1",
    );
}

#[test]
fn a_lost_program_is_one_finding() {
    judge(
        "0 Erase_SLC b0\n 101 Program_SLC b0 g0\n 143 Program_SLC b0 g2 ! program_order
         164 Program_SLC b0 g3\n 185 Read_SLC b0 g1",
    );
}

#[test]
fn a_lost_read_is_one_finding_however_often_its_data_is_output() {
    judge(&format!("{PREPARED}300 Output b0 g0 SLC ! dout_source\n 301 Output b0 g0 SLC\n 302 Erase_SLC b0"));
}

#[test]
fn a_lost_consumer_of_a_latch_is_one_finding_and_followers() {
    judge(
        "0 Erase_TLC b0\n 101 Load_LSB b0 g0\n 107 Load_CSB b0 g0
         140 Feature ! latch\n 141 Feature ~ latch\n 142 Feature ~ latch",
    );
}

#[test]
fn a_lost_resume_is_one_finding_of_each_rule_and_followers() {
    judge(
        "0 Erase_SLC b0\n 50 Suspend_Erase
         54 Check_SLC b1 ! suspend\n 155 Check_SLC b0 ! in_flight ~ suspend\n 256 Check_SLC b0 ~ in_flight suspend",
    );
}

#[test]
fn a_lost_suspend_is_found_at_its_resume() {
    judge("0 Erase_SLC b0\n 60 Resume_Erase ! suspend resume_target op_state plane_busy\n 102 Erase_SLC b4");
}

#[test]
fn a_suspend_that_comes_too_late_is_believed() {
    judge("0 Erase_SLC b0\n 101 Suspend_Erase ! suspend_target\n 105 Resume_Erase\n 109 Program_SLC b0 g0");
}

#[test]
fn a_suspend_given_twice_keeps_its_target() {
    judge(
        "0 Erase_SLC b0\n 50 Suspend_Erase\n 54 Suspend_Erase ! suspend suspend_target\n 58 Resume_Erase
         112.999999 Status =busy\n 114 Status =ready",
    );
}

#[test]
fn the_same_wrong_status_is_one_finding_until_something_changes() {
    judge(
        "0 Status =busy ! status_value\n 1 Status =busy ~ status_value\n 2 Status =extrdy ! status_value
         3 Status =ready\n 4 Status =busy ! status_value\n 5 Erase_SLC b0\n 106 Status =busy ! status_value",
    );
}

#[test]
fn an_operation_inserted_into_a_busy_time_is_one_finding_of_each_rule() {
    judge(
        "0 Erase_SLC b0\n 50 Erase_SLC b4 ! plane_busy op_state
         110 Read_SLC b1 g0 ! plane_busy op_state read_before_program
         130 Plane_Feature p2 ~ plane_busy op_state\n 151 Program_SLC b4 g0",
    );
}

#[test]
fn a_row_that_goes_back_in_time_is_one_finding_and_is_not_judged_further() {
    judge("0 Erase_SLC b0\n 200 Status =ready\n 150 Status =busy ! time_order\n 210 Status =ready");
}

#[test]
fn time_goes_on_in_the_next_file() {
    judge("0 Erase_SLC b0\n run\n 50 Feature ! op_state");
    judge("0 Erase_SLC b0\n run\n 101 Program_SLC b0 g0");
}

#[test]
fn a_file_that_starts_the_clock_anew_is_one_finding() {
    judge("0 Erase_SLC b0\n 500 Feature\n run\n 0 Program_SLC b0 g0 ! time_order\n 21 Program_SLC b0 g1");
}

/// Findings as `row code`, in order.
#[track_caller]
fn findings(profile: &Profile, text: &str) -> Vec<String> {
    let mut verifier = Verifier::new(profile, &[]);
    let mut reader = SequenceReader::new(profile, text.as_bytes()).unwrap();
    while let Some(row) = reader.next_row().unwrap() {
        match row {
            Ok(row) => verifier.row(&row),
            Err(row) => verifier.bad_row(&row),
        }
    }
    verifier.findings().iter().map(|finding| format!("{} {}", finding.place.row, finding.rule.name())).collect()
}

const HEADER: &str = "seq,time,op_id,op_name,op_uid,payload\n";

#[track_caller]
fn rows(text: &str) -> Vec<String> {
    findings(&DEVICE, &format!("{HEADER}{text}"))
}

#[test]
fn rows_that_cannot_be_read_are_findings_and_the_rest_is_judged() {
    let found = rows(
        "1,0.0,0,Feature,1,\"[{\"\"die\"\":0}]\"\n\
         2,zero,0,Feature,2,\"[{\"\"die\"\":0}]\"\n\
         3,2.0,0,Feature,3\n\
         4,3.0,0,Banana,4,\"[{\"\"die\"\":0}]\"\n\
         5,4.0,0,Feature,5,\"[{\"\"die\"\":0}]\n\
         6,5.0,0,Feature,6,\"[{\"\"die\"\":7}]\"\n\
         7,6.0,0,Feature,7,\"[{\"\"die\"\":0}\"\n\
         8,7.0,1,Feature,8,\"[{\"\"die\"\":0}]\"\n",
    );
    let expected =
        ["2 row_format", "3 row_format", "4 unknown_op", "5 row_format", "6 bounds", "7 row_format", "8 row_format"];
    assert_eq!(found, expected);
}

#[test]
fn payload_fields_are_those_of_the_base() {
    let found = rows(
        "1,0.0,0,Feature,1,\"[{}]\"\n\
         2,1.0,0,Feature,2,\"[{\"\"die\"\":0,\"\"plane\"\":0}]\"\n\
         3,2.0,0,Feature,3,\"[{\"\"die\"\":0,\"\"die\"\":0}]\"\n\
         4,3.0,0,Feature,4,\"[{\"\"die\"\":\"\"0\"\"}]\"\n\
         5,4.0,0,Feature,5,[]\n\
         6,5.0,0,Status,6,\"[{\"\"die\"\":0,\"\"exp_val\"\":\"\"happy\"\"}]\"\n\
         7,6.0,0,Identify,7,[{}]\n\
         8,17.0,0,Status,8,\"[{\"\"exp_val\"\":\"\"ready\"\",\"\"die\"\":0}]\"\n",
    );
    let expected = [1, 2, 3, 4, 5, 6].map(|row| format!("{row} payload_fields"));
    assert_eq!(found, expected);
}

#[test]
fn rows_are_numbered_and_uids_are_unique() {
    let row = |seq: u64, time: u64, uid: u64| format!("{seq},{time}.0,0,Calibrate,{uid},[{{}}]\n");
    let found = |rows_of: &[(u64, u64)]| {
        let text: String = rows_of.iter().zip(0..).map(|(&(seq, uid), time)| row(seq, time, uid)).collect();
        rows(&text)
    };
    assert_eq!(found(&[(1, 1), (2, 2), (3, 3)]), [""; 0]);
    assert_eq!(found(&[(1, 1), (3, 3), (4, 4)]), ["2 seq_order"]);
    assert_eq!(found(&[(2, 2)]), ["1 seq_order"]);
    assert_eq!(found(&[(1, 1), (2, 1)]), ["2 seq_order"]);
    assert_eq!(found(&[(1, 7), (2, 3), (3, 5), (4, 3)]), ["4 seq_order"]);
    assert_eq!(found(&[(1, 1), (2, 1_000_000), (3, 1), (4, 1_000_000)]), ["4 seq_order"]);
}

#[test]
fn only_the_first_findings_are_kept_and_all_are_counted() {
    let profile = &*DEVICE;
    let mut verifier = Verifier::new(profile, &[]).keeping(2);
    let text: String = (0..10).map(|at| format!("{},{at}.0,0,Banana,{at},[{{}}]\n", at + 1)).collect();
    let text = format!("{HEADER}{text}");
    let mut reader = SequenceReader::new(profile, text.as_bytes()).unwrap();
    while let Some(row) = reader.next_row().unwrap() {
        verifier.bad_row(&row.unwrap_err());
    }
    assert_eq!((verifier.findings().len(), verifier.counts(RuleCode::UnknownOp).findings), (2, 10));
    assert!(!verifier.is_clean());
}

#[test]
fn a_sequence_that_starts_far_too_much_is_judged_in_bounded_memory_and_time() {
    let erase = OpId::from(DEVICE.ops.iter().position(|op| op.name == "Erase_SLC").unwrap());
    let mut verifier = Verifier::new(&DEVICE, &[]);
    for seq in 1_u64..20_000 {
        let block = (seq % 16).cast_signed();
        let fields = DEVICE.bases[DEVICE.ops[erase].base].payload.iter().copied().collect();
        let target = Addressed { fields, plane: block % 4, block, ..Addressed::default() };
        let time = Ticks(if seq % 3 == 0 { 8_000_000_000_000_000_000 } else { seq });
        let row = Row { row: seq, seq, time, opcode: 0, op: erase, uid: seq, targets: &[target], fault: None };
        verifier.row(&row);
    }
    assert!(verifier.counts(RuleCode::PlaneBusy).findings + verifier.counts(RuleCode::TimeOrder).findings > 10_000);
}

/// Any operation at any time with any numbers.
fn any_row() -> impl Strategy<Value = (usize, u64, [i64; 4], u8, usize)> {
    let numbers = [-1_i64..3, -1_i64..6, -1_i64..18, -1_i64..10];
    (0_usize..1000, 0_u64..40_000_000, numbers, any::<u8>(), 0_usize..4)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn no_sequence_makes_it_panic(steps in proptest::collection::vec(any_row(), 1..400)) {
        let mut verifier = Verifier::new(&DEVICE, &[]);
        let mut now = 1_000_000_u64;
        for ((op, delta, [die, plane, block, page], bits, count), seq) in steps.into_iter().zip(1..) {
            let op = OpId::from(op % DEVICE.ops.len());
            // Mostly forwards, sometimes back, sometimes to the end of time.
            now = match bits {
                0..4 => now.saturating_sub(delta),
                4 => u64::MAX,
                _ => now.saturating_add(delta),
            };
            let all = &DEVICE.bases[DEVICE.ops[op].base].payload;
            let fields = all.iter().copied().filter(|field| bits & 0x70 != 0x70 || bits >> (*field as u8) & 1 == 1).collect();
            let target = Addressed { fields, die, plane, block, page, ..Addressed::default() };
            let targets: Vec<Addressed> =
                (0..count).map(|at| Addressed { plane: plane + at as i64, block: block + at as i64, ..target }).collect();
            let row =
                Row { row: seq, seq, time: Ticks(now), opcode: 0, op, uid: seq, targets: &targets, fault: None };
            verifier.row(&row);
            if bits == 255 {
                verifier.end_of_file();
            }
        }
    }
}
