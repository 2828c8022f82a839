//! `bounds`, `bad_block`, program and read rules, `in_flight`, `multi_plane_group`.

use crate::occupation::PREPARED;
use crate::{DEVICE, judge, judge_on};

#[track_caller]
fn after_preparation(text: &str) {
    judge(&format!("{PREPARED}{text}"));
}

#[test]
fn what_is_addressed_exists() {
    judge("0 Erase_SLC d1 b15");
    judge("0 Erase_SLC d2 b0 ! bounds");
    judge("0 Erase_SLC d-1 b0 ! bounds");
    judge("0 Erase_SLC b16 ! bounds");
    judge("0 Erase_SLC b-1 ! bounds");
    judge("0 Plane_Feature p4 ! bounds");
    judge("0 Erase_SLC b0\n 101 Program_SLC b0 g8 ! bounds");
    judge("0 Status d2 =ready ! bounds");
}

#[test]
fn a_block_lies_on_its_plane() {
    judge("0 Erase_SLC b5 p1");
    judge("0 Erase_SLC b5 p2 ! bounds");
}

#[test]
fn a_name_that_addresses_an_absent_lun_is_never_issued() {
    judge("0 Status_Lun1 d1 =ready");
    judge("0 Status_Lun2 d0 =ready ! bounds");
}

#[test]
fn what_does_not_exist_changes_nothing() {
    judge("0 Erase_SLC b16 ! bounds\n 50 Erase_SLC b0");
}

#[test]
fn no_array_operation_touches_a_bad_block() {
    judge("bad d0 b4\n 0 Erase_SLC b4 ! bad_block");
    judge("bad d0 b4\n 0 Erase_SLC d1 b4");
    judge("bad d0 b4\n 0 Check_SLC b4 ! bad_block");
    judge("bad d0 b4\n 0 Program_SLC b4 g0 ! bad_block program_before_erase");
    judge("bad d0 b4\n 0 Read_SLC b4 g0 ! bad_block read_before_program");
    judge("bad d0 b5\n 0 Erase_SLC_Multi b4 | b5 ! bad_block");
}

#[test]
fn a_program_needs_an_erased_or_open_block() {
    judge("0 Program_SLC b0 g0 ! program_before_erase");
    judge("0 Erase_SLC b0\n 101 Program_SLC b0 g0\n 122 Program_SLC b0 g1");
    judge("0 Load_LSB b0 g0 ! program_before_erase");
    judge("0 Close_SLC b0 g0 ! program_before_erase");
    judge("0 Aim b0 g0 ! program_before_erase");
}

#[test]
fn an_erase_has_happened_when_the_array_is_done() {
    judge("0 Erase_SLC b0\n 100.999999 Aim b0 g0 ! op_state in_flight program_before_erase");
    judge("0 Erase_SLC b0\n 101 Aim b0 g0");
}

#[test]
fn pages_are_programmed_in_order() {
    judge("0 Erase_SLC b0\n 101 Program_SLC b0 g1 ! program_order");
    judge("0 Erase_SLC b0\n 101 Program_SLC b0 g0\n 122 Program_SLC b0 g0 ! program_order");
    judge("0 Erase_SLC b0\n 101 Program_SLC b0 g0\n 122 Program_SLC b0 g2 ! program_order");
    judge("0 Erase_SLC b0\n 101 Program_SLC b0 g0\n 122 Aim b0 g0 ! program_order\n 123 Aim b0 g1");
}

#[test]
fn an_erase_starts_anew() {
    judge("0 Erase_SLC b0\n 101 Program_SLC b0 g0\n 122 Erase_TLC b0\n 223 Program_TLC b0 g0");
}

#[test]
fn a_closed_block_takes_no_page() {
    judge("0 Erase_SLC b0\n 101 Close_SLC b0 g0\n 122 Program_SLC b0 g1 ! program_order");
    judge("0 Erase_SLC b0\n 101 Close_SLC b0 g0\n 122 Read_SLC b0 g6");
}

#[test]
fn a_program_of_the_last_page_fills_the_block() {
    let mut text = "0 Erase_SLC b0\n".to_owned();
    for page in 0..8 {
        text += &format!("{} Program_SLC b0 g{page}\n", 101 + 21 * page);
    }
    judge(&format!("{text} 300 Program_SLC b0 g7 ! program_order"));
}

#[test]
fn a_program_suits_the_erase() {
    judge("0 Erase_SLC b0\n 101 Program_SLC b0 g0");
    judge("0 Erase_SLC b0\n 101 Program_A0SLC b0 g0");
    judge("0 Erase_SLC b0\n 101 Program_TLC b0 g0 ! program_celltype");
    judge("0 Erase_TLC b0\n 101 Program_SLC b0 g0 ! program_celltype");
}

#[test]
fn a_program_suits_the_earlier_pages() {
    judge("0 Erase_SLC b0\n 101 Program_A0SLC b0 g0\n 122 Program_SLC b0 g1 ! program_celltype");
    judge("0 Erase_SLC b0\n 101 Program_SLC b0 g0\n 122 Program_A0SLC b0 g1 ! program_celltype");
}

#[test]
fn the_payload_says_the_cell_type_of_the_operation() {
    judge("0 Erase_SLC b0\n 101 Program_SLC b0 g0 TLC ! program_celltype");
    after_preparation("300 Read_SLC b0 g0 TLC ! read_celltype");
    judge("0 Erase_SLC b0 TLC ! payload_fields");
}

#[test]
fn a_read_keeps_its_distance_from_the_last_page() {
    after_preparation("300 Read_SLC b0 g3");
    after_preparation("300 Read_SLC b0 g4 ! read_before_program");
    judge("0 Erase_SLC b0\n 101 Read_SLC b0 g0 ! read_before_program");
    judge("0 Read_SLC b0 g0 ! read_before_program");
}

#[test]
fn without_a_guard_the_last_page_can_be_read() {
    let mut profile = DEVICE.clone();
    profile.offset_guard = 0;
    judge_on(&profile, &format!("{PREPARED}300 Read_SLC b0 g4"));
    judge_on(&profile, &format!("{PREPARED}300 Read_SLC b0 g5 ! read_before_program"));
}

#[test]
fn a_program_can_be_read_when_the_array_is_done() {
    let text = "0 Erase_SLC d1 b0\n 101 Program_SLC d1 b0 g0\n";
    judge(&format!("{text} 122 Program_SLC d1 b0 g1\n 143 Read_SLC d1 b0 g0"));
}

#[test]
fn a_read_takes_the_cell_type_of_the_program() {
    after_preparation("300 Read_TLC b0 g0 ! read_celltype");
}

#[test]
fn a_suspended_block_is_in_flight() {
    let text = "0 Erase_TLC b0\n 101 Program_TLC b0 g0\n 110 Suspend_Program\n";
    judge(&format!("{text} 114 Load_LSB b0 g1 ! in_flight program_order"));
    judge(&format!("{text} 114 Read_TLC b0 g0 ! in_flight read_before_program"));
    judge(&format!("{text} 114 Check_SLC b0 ! in_flight"));
    judge(&format!("{text} 114 Aim b0 g0 ! in_flight"));
    judge(&format!("{text} 114 Check_SLC b4"));
    judge(&format!("{text} 114 Recover_TLC b0 g0"));
}

#[test]
fn a_resumed_block_is_in_flight_until_the_array_is_done() {
    let text = "0 Erase_SLC b0\n 50 Suspend_Erase\n 54 Resume_Erase\n";
    judge(&format!("{text} 108.999999 Aim b0 g0 ! op_state in_flight program_before_erase"));
    judge(&format!("{text} 109 Aim b0 g0"));
}

#[test]
fn a_multi_plane_operation_has_a_group() {
    judge("0 Erase_SLC_Multi b4 | b5 | b7");
    judge("0 Erase_SLC_Multi b4 ! multi_plane_group");
    judge("0 Erase_SLC_Multi b5 | b4 ! multi_plane_group");
    judge("0 Erase_SLC_Multi b4 | b4 ! multi_plane_group");
    judge("0 Erase_SLC_Multi b4 | b9 ! multi_plane_group");
    judge("0 Erase_SLC_Multi d0 b4 | d1 b5 ! multi_plane_group");
    let text = "0 Erase_SLC_Multi b0 | b1\n 101 Program_SLC b0 g0\n";
    judge(&format!("{text} 122 Program_SLC_Multi b0 g1 | b1 g0 ! multi_plane_group"));
}

#[test]
fn a_single_plane_operation_has_one_target() {
    judge("0 Erase_SLC b4 | b5 ! multi_plane_group");
    judge("0 Identify | ! multi_plane_group");
}
