//! `recovery_target`, `suspend_target`, `resume_target`, exact remaining time, reset, `status_value`.

use crate::judge;
use crate::occupation::PREPARED;

#[test]
fn a_suspend_needs_its_target_in_core_busy() {
    judge("0 Erase_SLC b0\n 0.5 Suspend_Erase ! bus suspend_target plane_busy");
    judge("0 Erase_SLC b0\n 1 Suspend_Erase");
    judge("0 Erase_SLC b0\n 100.999999 Suspend_Erase");
    judge("0 Erase_SLC b0\n 101 Suspend_Erase ! suspend_target");
    judge("0 Erase_SLC b0\n 50 Suspend_Program ! suspend_target op_state plane_busy");
    judge("0 Erase_SLC d1 b0\n 50 Suspend_Erase d0 ! suspend_target");
}

#[test]
fn a_resume_needs_its_axis_suspended() {
    judge("0 Resume_Erase ! suspend resume_target");
    judge("0 Erase_SLC b0\n 50 Suspend_Erase\n 54 Resume_Erase d1 ! suspend resume_target");
    judge("0 Erase_SLC b0\n 50 Suspend_Erase\n 54 Resume_Erase");
}

#[test]
fn suspend_and_resume_occupy_the_die() {
    judge("0 Erase_SLC b0\n 50 Suspend_Erase\n 53.999999 Program_SLC b4 g0 ! plane_busy op_state program_before_erase");
    judge("0 Erase_SLC b0\n 50 Suspend_Erase\n 54 Program_SLC b4 g0 ! program_before_erase");
    judge("0 Erase_SLC b0\n 50 Suspend_Erase\n 60 Resume_Erase\n 63.5 Feature ! op_state");
}

#[test]
fn the_suspend_target_goes_on_for_exactly_what_remained() {
    // Suspended 51 µs before its end, resumed until 64: the array is done at 115.
    let text = "0 Erase_SLC b0\n 50 Suspend_Erase\n 60 Resume_Erase\n";
    judge(&format!("{text} 114.999999 Erase_SLC b4 ! plane_busy op_state"));
    judge(&format!("{text} 115 Program_SLC b0 g0"));
    judge(&format!("{text} 114.999999 Status =busy"));
    judge(&format!("{text} 115 Status =ready"));
}

#[test]
fn an_operation_may_be_suspended_again_and_again() {
    // 51 remain, then 51 - 16 = 35, then 35 - 5 = 30.
    let text = "
        0   Erase_SLC b0
        50  Suspend_Erase
        60  Resume_Erase
        80  Suspend_Erase
        90  Resume_Erase
        99  Suspend_Erase
        110 Resume_Erase
    ";
    judge(&format!("{text} 143.999999 Program_SLC b0 g0 ! plane_busy op_state in_flight program_before_erase"));
    judge(&format!("{text} 144 Program_SLC b0 g0"));
}

#[test]
fn a_suspension_of_one_picosecond_remains_exact() {
    let text = "0 Erase_SLC b0\n 100.999999 Suspend_Erase\n 105 Resume_Erase\n";
    judge(&format!("{text} 109 Suspend_Erase\n 120 Resume_Erase\n 124 Status =busy\n 125.000001 Program_SLC b0 g0"));
    judge(&format!("{text} 109.000001 Suspend_Erase ! suspend_target"));
}

#[test]
fn an_operation_that_has_not_gone_on_yet_cannot_be_suspended() {
    let text = "0 Erase_SLC b0\n 50 Suspend_Erase\n 60 Resume_Erase\n";
    judge(&format!("{text} 63.999999 Suspend_Erase ! suspend suspend_target plane_busy op_state"));
    judge(&format!("{text} 64 Suspend_Erase"));
}

#[test]
fn a_program_may_be_suspended_inside_a_suspended_erase() {
    let text = "
        0   Erase_SLC b0
        101 Erase_SLC b4
        150 Suspend_Erase
        154 Cache_Program_SLC b0 g0
        160 Suspend_Program
    ";
    judge(&format!("{text} 164 Resume_Erase ! suspend resume_target"));
    judge(&format!("{text} 164 Resume_Program\n 190 Resume_Erase\n 250 Program_SLC b4 g0 ! cache_sequence"));
    // 15 remain of the program, 52 of the erase.
    let both = "164 Resume_Program\n 183 Program_SLC b0 g1\n 204 Resume_Erase\n";
    judge(&format!("{text} {both} 259.999999 Program_SLC b4 g0 ! plane_busy op_state in_flight program_before_erase"));
    judge(&format!("{text} {both} 260 Program_SLC b4 g0"));
}

#[test]
fn a_window_follows_the_rest_of_core_busy_in_full() {
    let text = "0 Erase_SLC b0\n 101 Cache_Program_SLC b0 g0\n 110 Suspend_Program\n 120 Resume_Program\n";
    judge(&format!("{text} 135.999999 Status =busy\n 137 Status =extrdy\n 139.999999 Status =extrdy"));
    judge(&format!("{text} 140 Status =ready"));
    judge(&format!("{text} 136 Program_SLC b0 g1"));
}

#[test]
fn a_suspended_operation_has_had_no_effect_yet() {
    let text = "0 Erase_TLC b0\n 101 Program_TLC b0 g0\n 110 Suspend_Program\n";
    judge(&format!("{text} 200 Aim b0 g1 ! in_flight program_order"));
    judge(&format!("{text} 200 Resume_Program\n 216 Program_TLC b0 g1"));
}

#[test]
fn the_registers_are_taken_back_when_the_operation_is_resumed() {
    let text = "0 Erase_TLC b0\n 101 Program_TLC b0 g0\n 110 Suspend_Program\n 114 Recover_TLC b0 g0\n";
    judge(&format!("{text} 125 Output b0 g0 TLC\n 129 Resume_Program"));
    judge(&format!("{text} 129 Resume_Program ! unread_data"));
    judge(&format!("{text} 125 Output b0 g0 TLC\n 129 Resume_Program\n 145 Output b0 g0 TLC ! dout_source"));
}

#[test]
fn unread_data_of_other_planes_does_not_hinder_a_resume() {
    let erase = "206 Erase_SLC b5\n 250 Suspend_Erase\n 254 Plane_Read_SLC b0 g0\n 270 Resume_Erase";
    judge(&format!("{PREPARED}{erase}"));
    let erase = "206 Erase_SLC b4\n 250 Suspend_Erase\n 254 Plane_Read_SLC b0 g0\n 270 Resume_Erase ! unread_data";
    judge(&format!("{PREPARED}{erase}"));
}

#[test]
fn a_recovery_read_takes_the_suspended_program() {
    let text = "0 Erase_TLC b0\n 101 Program_TLC b0 g0\n";
    judge(&format!("{text} 122 Recover_TLC b0 g0 ! recovery_target"));
    let text = format!("{text} 110 Suspend_Program\n");
    judge(&format!("{text} 114 Recover_TLC b0 g0"));
    judge(&format!("{text} 114 Recover_TLC b0 g1 ! recovery_target"));
    judge(&format!("{text} 114 Recover_TLC b4 g0 ! recovery_target"));
    judge(&format!("{text} 114 Recover_TLC d1 b0 g0 ! recovery_target"));
    judge(&format!("{text} 114 Recover_SLC b0 g0 ! read_celltype"));
    judge(&format!("{text} 114 Resume_Program\n 134 Recover_TLC b0 g0 ! recovery_target"));
}

#[test]
fn a_suspended_erase_is_nothing_to_recover() {
    judge("0 Erase_SLC b0\n 50 Suspend_Erase\n 54 Recover_SLC b0 g0 ! recovery_target");
}

#[test]
fn a_reset_ends_what_is_in_flight() {
    judge("0 Erase_SLC b0\n 50 Reset_Die\n 52.999999 Erase_SLC b0 ! plane_busy");
    judge("0 Erase_SLC b0\n 50 Reset_Die\n 53 Erase_SLC b0");
    judge("0 Erase_SLC b0\n 50 Reset_Die\n 53 Program_SLC b0 g0 ! program_before_erase");
    judge("0 Erase_SLC b0\n 101 Reset_Die\n 104 Program_SLC b0 g0");
}

#[test]
fn a_reset_ends_what_is_suspended() {
    let text = "0 Erase_SLC b0\n 50 Suspend_Erase\n 54 Reset_Die\n";
    judge(&format!("{text} 57 Resume_Erase ! suspend resume_target"));
    judge(&format!("{text} 57 Erase_SLC b0\n 158 Program_SLC b0 g0"));
    judge(&format!("{text} 57 Program_SLC b0 g0 ! program_before_erase"));
}

#[test]
fn a_reset_of_one_die_leaves_the_other_alone() {
    judge("0 Erase_SLC d1 b0\n 50 Reset_Die d0\n 100.999999 Feature d1 ! op_state");
    judge("0 Erase_SLC d1 b0\n 50 Reset_All d0\n 53 Feature d1");
    judge("0 Erase_SLC d1 b0\n 50 Reset_Die d0\n 101 Program_SLC d1 b0 g0");
}

#[test]
fn a_reset_shows_its_op_state_on_what_it_resets() {
    judge("0 Reset_Die d0\n 1 Status d0 =busy\n 2 Status d1 =ready\n 3 Status d0 =ready");
    judge("0 Reset_All d0\n 1 Status d1 =busy");
}

#[test]
fn a_reset_spoils_a_program_and_clears_the_cache_state() {
    let text = "0 Erase_SLC b0\n 101 Cache_Program_SLC b0 g0\n 110 Reset_Die\n";
    judge(&format!("{text} 113 Feature"));
    judge(&format!("{text} 113 Aim b0 g1 ! program_before_erase"));
}

#[test]
fn a_reset_leaves_termination_off() {
    judge("0 Odt_Off\n 1 Reset_Die\n 4 Feature ! odt");
}

#[test]
fn a_reset_leaves_write_protect_on() {
    judge("0 Protect\n 1 Reset_Die\n 4 Erase_SLC b0 ! write_protect");
    judge("0 Erase_SLC b0\n 50 Reset_Die\n 53 Protect d1");
}

#[test]
fn a_status_read_expects_what_is() {
    judge("0 Status =ready\n 1 Erase_SLC b0\n 2 Status =busy\n 101.999999 Status_Plane p3 =busy\n 103 Status =ready");
    judge("0 Status =busy ! status_value");
    judge("0 Erase_SLC b0\n 1 Status =ready ! status_value");
    judge("0 Erase_SLC b0\n 1 Status d1 =ready");
    judge("0 Erase_SLC b0\n 101 Status =busy ! status_value");
}

#[test]
fn issue_is_not_busy() {
    judge("0 Erase_SLC b0\n 0.5 Status =ready ! bus");
}

#[test]
fn a_window_is_extended_ready_unless_another_plane_is_busy() {
    let read = format!("{PREPARED}300 Plane_Read_SLC b0 g0\n 302 Plane_Read_SLC b1 g0\n");
    judge(&format!("{read} 311 Status =busy"));
    judge(&format!("{read} 311 Status =extrdy ! status_value"));
    judge(&format!("{read} 313 Status =extrdy"));
    judge(&format!("{read} 316.5 Status_Plane p0 =extrdy"));
    judge(&format!("{read} 317 Status =ready"));
}

#[test]
fn a_status_read_of_a_lun_says_its_die() {
    judge("0 Erase_SLC d1 b0\n 1 Status_Lun1 d1 =busy");
    judge("0 Erase_SLC d1 b0\n 1 Status_Lun1 d0 =busy ! status_value");
    judge("0 Erase_SLC d1 b0\n 1 Status_Lun1 d1 =ready ! status_value");
}

#[test]
fn a_suspend_makes_the_die_busy_and_then_ready() {
    let text = "0 Erase_SLC b0\n 50 Suspend_Erase\n";
    judge(&format!("{text} 51 Status =busy\n 54 Status =ready"));
    judge(&format!("{text} 54 Resume_Erase\n 55 Status =busy\n 108.999999 Status =busy\n 110 Status =ready"));
}
