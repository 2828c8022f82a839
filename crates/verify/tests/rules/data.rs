//! `data_value`, and `status_value` with all its fields.

use nandseq_profile::Profile;
use nandseq_profile::model::StatusField;

use crate::{EXPECTING, judge_on};

#[track_caller]
fn judge(text: &str) -> Vec<String> {
    judge_on(&EXPECTING, text).into_iter().map(|finding| finding.message).collect()
}

/// Three pages with data A, B and C; the first two can be read.
const PAGES: &str = "0 Erase_SLC b0\n 101 Program_SLC b0 g0 @A\n 122 Program_SLC b0 g1 @B\n 143 Program_SLC b0 g2 @C\n";

/// A page of three levels that can be read.
const LEVELS: &str = "0 Erase_TLC b0\n 101 Load_LSB b0 g0 @L\n 107 Load_CSB b0 g0 @K\n 113 Program_MSB b0 g0 @M\n 134 Program_TLC b0 g1\n";

#[test]
fn a_read_returns_what_its_page_holds() {
    judge(&format!("{PAGES} 200 Read_SLC b0 g0\n 211 Output b0 g0 SLC @A\n 215 Output b0 g0 SLC @A"));
    let found = judge(&format!("{PAGES} 200 Read_SLC b0 g0\n 211 Output b0 g0 SLC @B ! data_value"));
    assert_eq!(
        found,
        [
            "The output register of plane 0 of die 0 holds page 0 of block 0 (die 0, plane 0) with the data of 2, not of 3."
        ]
    );
}

#[test]
fn the_same_wrong_data_again_is_no_finding_of_its_own() {
    judge(&format!(
        "{PAGES} 200 Read_SLC b0 g0\n 211 Output b0 g0 SLC @B ! data_value\n 215 Output b0 g0 SLC @B ~ data_value\n 219 Output b0 g0 SLC @A"
    ));
}

#[test]
fn an_operation_brings_in_data_of_its_own() {
    let found = judge("0 Erase_SLC b0\n 101 Program_SLC b0 g0 @9 ! data_value");
    assert_eq!(found, ["It brings in data of its own, 2, not of 9."]);
    judge("0 Erase_SLC b0\n 101 Cache_Program_SLC b0 g0 @1 ! data_value");
    judge("0 Erase_SLC b0\n 101 Close_SLC b0 g0 @1 ! data_value");
    judge("0 Erase_TLC b0\n 101 Load_LSB b0 g0 @1 ! data_value");
    judge("0 Erase_TLC b0\n 101 Load_LSB b0 g0 @A\n 107 Load_CSB b0 g0 @A ! data_value");
    judge("0 Erase_TLC b0\n 101 Load_LSB b0 g0\n 107 Load_CSB b0 g0 @A\n 113 Program_MSB b0 g0 @A ! data_value");
}

#[test]
fn a_program_of_several_planes_brings_one_datum() {
    judge("0 Erase_SLC_Multi b0 | b1\n 101 Program_SLC_Multi b0 g0 @2 | b1 g0 @2");
    judge("0 Erase_SLC_Multi b0 | b1\n 101 Program_SLC_Multi b0 g0 @2 | b1 g0 @3 ! data_value");
}

#[test]
fn a_program_that_finds_the_msb_loaded_carries_the_load() {
    let text = "0 Erase_TLC b0\n 101 Load_LSB b0 g0\n 107 Load_CSB b0 g0\n";
    judge(&format!("{text} 113 Execute_MSB b0 g0 @4"));
    judge(&format!("{text} 113 Load_MSB b0 g0\n 119 Execute_MSB b0 g0 @4"));
    let found = judge(&format!("{text} 113 Load_MSB b0 g0\n 119 Execute_MSB b0 g0 @5 ! data_value"));
    assert_eq!(found, ["The MSB was loaded with the data of 4, not of 5."]);
    // After a reset nothing is loaded any more.
    judge(&format!(
        "{text} 113 Load_MSB b0 g0\n 119 Reset_Die\n 122 Erase_TLC b0\n 223 Execute_MSB b0 g0 @7 ! oneshot_order"
    ));
}

#[test]
fn a_load_starts_anew_with_the_first_level() {
    let text = format!(
        "{LEVELS} 155 Load_LSB b0 g2 @X\n 161 Load_CSB b0 g2 @Y\n 167 Cache_Program_MSB b0 g2 @Z\n \
         188 Load_LSB b0 g3\n 194 Load_CSB b0 g3\n 200 Program_MSB b0 g3\n"
    );
    judge(&format!(
        "{text} 221 Read_LSB b0 g2\n 232 Output b0 g2 TLC @X\n 236 Read_MSB b0 g2\n 247 Output b0 g2 TLC @Z"
    ));
}

#[test]
fn each_level_holds_data_of_its_own() {
    judge(&format!("{LEVELS} 200 Read_LSB b0 g0\n 211 Output b0 g0 TLC @L"));
    judge(&format!("{LEVELS} 200 Read_CSB b0 g0\n 211 Output b0 g0 TLC @K"));
    judge(&format!("{LEVELS} 200 Read_MSB b0 g0\n 211 Output b0 g0 TLC @M"));
    judge(&format!("{LEVELS} 200 Read_MSB b0 g0\n 211 Output b0 g0 TLC @K ! data_value"));
}

#[test]
fn a_level_that_nobody_can_tell_has_no_data() {
    judge(&format!("{LEVELS} 200 Read_TLC b0 g0\n 211 Output b0 g0 TLC"));
    judge(&format!("{LEVELS} 200 Read_TLC b0 g0\n 211 Output b0 g0 TLC @M ! payload_fields"));
    judge(&format!("{LEVELS} 200 Read_MSB b0 g0\n 211 Output b0 g0 TLC ! payload_fields"));
    judge(&format!("{PAGES} 200 Read_SLC b0 g0\n 211 Output b0 g0 SLC ! payload_fields"));
}

#[test]
fn a_cache_read_moves_the_page_before_it() {
    let text = format!("{PAGES} 200 Read_SLC b0 g0\n 211 Cache_Read_SLC b0 g1\n");
    judge(&format!("{text} 222 Output b0 g0 SLC @A\n 223 Cache_Read_End b0 g1 SLC\n 234 Output b0 g1 SLC @B"));
    judge(&format!("{text} 222 Output b0 g0 SLC @B ! data_value"));
    // Until the array of the cache read is done, the output register holds what it held.
    judge(&format!("{text} 221.999999 Output b0 g0 SLC @A ! op_state"));
    judge(&format!(
        "{text} 222 Output b0 g0 SLC @A\n 223 Cache_Read_End b0 g1 SLC\n 234 Output b0 g1 SLC @A ! data_value"
    ));
}

#[test]
fn a_cache_read_takes_the_level_that_it_names() {
    let text = format!("{LEVELS} 200 Read_MSB b0 g0\n 211 Cache_Read_LSB b0 g0\n");
    judge(&format!("{text} 222 Output b0 g0 TLC @M\n 223 Cache_Read_End b0 g0 TLC\n 234 Output b0 g0 TLC @L"));
}

#[test]
fn an_erase_takes_the_data() {
    let text =
        format!("{PAGES} 164 Erase_SLC b0\n 265 Program_SLC b0 g0 @D\n 286 Program_SLC b0 g1\n 307 Read_SLC b0 g0\n");
    judge(&format!("{text} 318 Output b0 g0 SLC @D"));
    judge(&format!("{text} 318 Output b0 g0 SLC @A ! data_value"));
}

#[test]
fn a_copyback_keeps_the_data() {
    let text = format!(
        "{PAGES} 164 Erase_SLC b4\n 265 Copyback_Read_SLC b0 g1\n 276 Copyback_Program_SLC b4 g0\n 297 Program_SLC b4 g1\n 318 Read_SLC b4 g0\n"
    );
    judge(&format!("{text} 329 Output b4 g0 SLC @B"));
    judge(&format!("{text} 329 Output b4 g0 SLC @7 ! data_value"));
    let twice = format!(
        "{text} 329 Output b4 g0 SLC @B\n 333 Copyback_Read_SLC b4 g0\n 344 Copyback_Program_SLC b4 g2\n 365 Program_SLC b4 g3\n"
    );
    judge(&format!("{twice} 386 Read_SLC b4 g2\n 397 Output b4 g2 SLC @B"));
}

#[test]
fn each_plane_is_copied_by_itself() {
    let text = "
        0    Erase_SLC_Multi             b0 | b1
        101  Program_SLC                 b0 g0 @A
        122  Program_SLC                 b1 g0 @B
        143  Program_SLC_Multi           b0 g1 | b1 g1
        164  Erase_SLC_Multi             b4 | b5
        265  Copyback_Read_SLC_Multi     b0 g0 | b1 g0
        276  Copyback_Program_SLC_Multi  b4 g0 | b5 g0
        297  Program_SLC_Multi           b4 g1 | b5 g1
        318  Read_SLC_Multi              b4 g0 | b5 g0
    ";
    judge(&format!("{text} 329 Output b5 g0 SLC @B\n 330 Output b4 g0 SLC @A"));
    judge(&format!("{text} 329 Output b5 g0 SLC @A ! data_value"));
}

#[test]
fn loads_of_a_copyback_take_the_register_level_by_level() {
    let text = format!(
        "{PAGES} 164 Erase_TLC b4\n 265 Copyback_Read_SLC b0 g0\n 276 Copyback_LSB b4 g0\n 282 Copyback_Read_SLC b0 g1\n \
         293 Copyback_CSB b4 g0\n 299 Copyback_Read_SLC b0 g0\n 310 Copyback_Execute b4 g0\n 331 Program_TLC b4 g1\n"
    );
    judge(&format!(
        "{text} 352 Read_CSB b4 g0\n 363 Output b4 g0 TLC @B\n 367 Read_MSB b4 g0\n 378 Output b4 g0 TLC @A"
    ));
    judge(&format!("{text} 352 Read_LSB b4 g0\n 363 Output b4 g0 TLC @B ! data_value"));
}

#[test]
fn a_copyback_of_what_nobody_can_tell_is_nothing_that_anybody_can_tell() {
    let mut profile = EXPECTING.clone();
    let op = profile.ops.iter_mut().find(|op| op.name == "Copyback_Read_SLC").unwrap();
    op.cell_type = profile.cell_types.iter_ids().find(|(_, one)| one.name == "TLC").unwrap().0;
    let text = format!(
        "{LEVELS} 155 Erase_SLC b4\n 256 Copyback_Read_SLC b0 g0\n 267 Copyback_Program_SLC b4 g0\n 288 Program_SLC b4 g1\n 309 Read_SLC b4 g0\n"
    );
    judge_on(&profile, &format!("{text} 320 Output b4 g0 SLC"));
    judge_on(&profile, &format!("{text} 320 Output b4 g0 SLC @M ! payload_fields"));
}

#[test]
fn a_recovery_read_finds_the_suspended_program() {
    let text = "0 Erase_TLC b0\n 101 Load_LSB b0 g0 @L\n 107 Load_CSB b0 g0\n 113 Program_MSB b0 g0 @M\n 120 Suspend_Program\n";
    judge(&format!("{text} 124 Recover_LSB b0 g0\n 135 Output b0 g0 TLC @L"));
    judge(&format!("{text} 124 Recover_MSB b0 g0\n 135 Output b0 g0 TLC @M"));
    judge(&format!("{text} 124 Recover_MSB b0 g0\n 135 Output b0 g0 TLC @L ! data_value"));
    judge(&format!("{text} 124 Recover_TLC b0 g0\n 135 Output b0 g0 TLC"));
    judge(&format!("{text} 124 Recover_TLC b0 g0\n 135 Output b0 g0 TLC @M ! payload_fields"));
    let slc = "0 Erase_SLC b0\n 101 Program_SLC b0 g0 @A\n 110 Suspend_Program\n 114 Recover_SLC b0 g0\n";
    judge(&format!("{slc} 125 Output b0 g0 SLC @A"));
}

#[test]
fn a_suspended_load_has_the_levels_up_to_its_own() {
    let text =
        "0 Erase_TLC b0\n 101 Load_LSB b0 g0 @L\n 107 Load_CSB b0 g0\n 113 Load_MSB b0 g0 @M\n 115 Suspend_Program\n";
    judge(&format!(
        "{text} 119 Recover_MSB b0 g0\n 130 Output b0 g0 TLC @M\n 134 Recover_LSB b0 g0\n 145 Output b0 g0 TLC @L"
    ));
    let first =
        "0 Erase_TLC b0\n 101 Copyback_LSB b0 g0 ! copyback_source\n 103 Suspend_Program\n 107 Recover_MSB b0 g0\n";
    judge(&format!("{first} 118 Output b0 g0 TLC"));
}

#[test]
fn a_program_brings_the_same_after_a_suspension() {
    let text = "0 Erase_TLC b0\n 101 Load_LSB b0 g0 @L\n 107 Load_CSB b0 g0\n 113 Program_MSB b0 g0 @M\n 120 Suspend_Program\n 124 Resume_Program\n";
    let text = format!("{text} 150 Program_TLC b0 g1\n 171 Read_LSB b0 g0\n");
    judge(&format!("{text} 182 Output b0 g0 TLC @L"));
    judge(&format!("{text} 182 Output b0 g0 TLC @M ! data_value"));
}

#[test]
fn a_closed_block_holds_the_data_of_what_closed_it() {
    let text = "0 Erase_SLC b0\n 101 Program_SLC b0 g0 @A\n 122 Close_SLC b0 g1 @Z\n 143 Read_SLC b0 g6\n 154 Output b0 g6 SLC";
    judge(&format!("{text} @Z\n 158 Read_SLC b0 g0\n 169 Output b0 g0 SLC @A"));
    judge(&format!("{text} @A ! data_value"));
}

#[test]
fn data_goes_on_from_run_to_run() {
    judge(&format!("{PAGES} run\n 200 Read_SLC b0 g0\n 211 Output b0 g0 SLC @A"));
    judge(&format!("{PAGES} run\n 200 Read_SLC b0 g0\n 211 Output b0 g0 SLC @B ! data_value"));
}

#[test]
fn what_another_finding_left_open_is_not_judged() {
    // The page is believed, and what it holds is known; of the pages before it nothing is.
    let text = "0 Erase_SLC b0\n 101 Program_SLC b0 g3 @A ! program_order\n 122 Program_SLC b0 g4\n";
    judge(&format!(
        "{text} 143 Read_SLC b0 g3\n 154 Output b0 g3 SLC @A\n 158 Read_SLC b0 g0\n 169 Output b0 g0 SLC @77"
    ));
    judge("0 Output b0 g0 SLC @77 ! dout_source\n 1 Output b0 g0 SLC @78");
}

/// The status with some fields, in another order.
fn with_fields(fields: &[StatusField]) -> Profile {
    let mut profile = EXPECTING.clone();
    profile.export.status = fields.to_vec();
    profile
}

#[test]
fn an_axis_is_suspended_from_the_end_of_the_suspend_to_the_start_of_the_resume() {
    let text = "0 Erase_SLC b0\n 50 Suspend_Erase\n";
    judge(&format!("{text} 53.999999 Status =busy,no_erasus,no_pgmsus"));
    judge(&format!("{text} 54 Status =ready,erasus,no_pgmsus"));
    judge(&format!("{text} 53.999999 Status =busy,erasus,no_pgmsus ! status_value"));
    let found = judge(&format!("{text} 54 Status =ready,no_erasus,no_pgmsus ! status_value"));
    assert_eq!(found, ["Die 0 is ready, erasus, no_pgmsus, not ready, no_erasus, no_pgmsus."]);
    judge(&format!("{text} 59.999999 Status =ready,erasus,no_pgmsus\n 60 Resume_Erase ! bus"));
    judge(&format!("{text} 60 Status =ready,erasus,no_pgmsus\n 60 Resume_Erase ! bus"));
    judge(&format!("{text} 60 Resume_Erase\n 60 Status =ready,no_erasus,no_pgmsus ! bus"));
    judge(&format!("{text} 60 Resume_Erase\n 60.000001 Status =ready,erasus,no_pgmsus ! bus status_value"));
    judge(&format!("{text} 60 Resume_Erase\n 64 Status =busy,no_erasus,no_pgmsus"));
}

#[test]
fn both_axes_may_be_suspended() {
    let text = "0 Erase_TLC b0\n 101 Erase_SLC b4\n 150 Suspend_Erase\n 154 Program_TLC b0 g0\n 160 Suspend_Program\n";
    judge(&format!("{text} 163.999999 Status =busy,erasus,no_pgmsus"));
    judge(&format!("{text} 164 Status =ready,erasus,pgmsus\n 165 Resume_Program\n 166 Status =busy,erasus,no_pgmsus"));
    judge(&format!("{text} 165 Resume_Program\n 166 Status =busy,erasus,pgmsus ! status_value"));
    judge(&format!("{text} 165 Resume_Program\n 166 Status =busy,no_erasus,no_pgmsus ! status_value"));
    judge(&format!("{text} 165 Reset_Die\n 166 Status =busy,no_erasus,no_pgmsus"));
    judge(&format!("{text} 165 Reset_Die\n 165 Status =ready,no_erasus,no_pgmsus ! bus"));
    judge(&format!("{text} 165 Reset_Die\n 166 Status =busy,no_erasus,pgmsus ! status_value"));
}

#[test]
fn a_reset_while_a_suspend_is_under_way_leaves_nothing_suspended() {
    judge("0 Erase_SLC b0\n 50 Suspend_Erase\n 52 Reset_Die\n 56 Status =ready,no_erasus,no_pgmsus");
}

#[test]
fn a_status_read_sees_the_axes_of_its_die() {
    let text = "0 Erase_SLC d1 b0\n 50 Suspend_Erase d1\n";
    judge(&format!("{text} 54 Status_Lun1 d1 =ready,erasus,no_pgmsus\n 55 Status d0 =ready,no_erasus,no_pgmsus"));
    judge(&format!("{text} 54 Status_Plane d1 p2 =ready,erasus,no_pgmsus"));
    judge(&format!("{text} 54 Status_Lun1 d1 =ready,no_erasus,no_pgmsus ! status_value"));
    judge(&format!("{text} 54 Status d0 =ready,erasus,no_pgmsus ! status_value"));
    judge(&format!("{text} 60 Reset_Die d0\n 63 Status d1 =ready,erasus,no_pgmsus"));
    judge(&format!("{text} 60 Reset_All d0\n 63 Status d1 =ready,no_erasus,no_pgmsus"));
}

#[test]
fn the_same_wrong_status_again_is_no_finding_of_its_own() {
    judge(
        "0 Status =ready,erasus,no_pgmsus ! status_value\n 1 Status =ready,erasus,no_pgmsus ~ status_value\n 2 Status =busy,erasus,no_pgmsus ! status_value",
    );
}

#[test]
fn only_the_fields_of_the_profile_are_judged() {
    let profile = with_fields(&[StatusField::ProgramSuspend, StatusField::Ready]);
    let text = "0 Erase_SLC b0\n 50 Suspend_Erase\n";
    judge_on(&profile, &format!("{text} 54 Status =no_pgmsus,ready"));
    let found = judge_on(&profile, &format!("{text} 54 Status =pgmsus,ready ! status_value"));
    assert_eq!(found[0].message, "Die 0 is no_pgmsus, ready, not pgmsus, ready.");
    judge_on(&with_fields(&[StatusField::EraseSuspend]), &format!("{text} 54 Status =erasus"));
}
