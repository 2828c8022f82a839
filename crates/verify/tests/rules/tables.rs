//! The exclusion tables: `op_state`, `latch`, `suspend`, `odt`, `write_protect`, `cache`.

use crate::judge;
use crate::occupation::PREPARED;

#[track_caller]
fn after_preparation(text: &str) {
    judge(&format!("{PREPARED}{text}"));
}

#[test]
fn core_busy_excludes_from_its_start_to_its_end() {
    judge("0 Erase_SLC b0\n 1 Feature ! op_state");
    judge("0 Erase_SLC b0\n 100.999999 Feature ! op_state");
    judge("0 Erase_SLC b0\n 101 Feature");
}

#[test]
fn issue_excludes_nothing() {
    judge("0 Erase_SLC b0\n 0.5 Feature ! bus");
}

#[test]
fn the_entry_of_an_end_is_no_rule_of_the_device() {
    judge("0 Erase_SLC b0\n 101 Feature\n 102 Erase_SLC b0");
}

#[test]
fn a_die_wide_operation_shows_its_op_state_on_every_plane_of_its_die_only() {
    judge("0 Erase_SLC b0\n 50 Aim b5 g0 ! op_state program_before_erase");
    judge("0 Erase_SLC d0 b0\n 50 Feature d1");
}

#[test]
fn a_read_shows_its_op_state_on_its_own_planes_only() {
    after_preparation("300 Read_SLC b0 g0\n 305 Output b1 g0 ! dout_source");
    after_preparation("300 Read_SLC b0 g0\n 305 Output b0 g0 ! op_state dout_source");
}

#[test]
fn a_command_that_names_only_a_die_looks_at_every_plane_of_it() {
    after_preparation("300 Plane_Read_SLC b3 g0\n 310.999999 Feature ! op_state");
    after_preparation("300 Plane_Read_SLC b3 g0\n 311 Feature d1");
}

#[test]
fn an_operation_that_names_no_die_looks_at_every_plane_of_every_die() {
    judge("0 Erase_SLC d1 b0\n 50 Identify ! plane_busy op_state");
}

#[test]
fn a_window_excludes_until_it_ends_or_is_cut() {
    after_preparation("300 Read_SLC b0 g0\n 311 Output b0 g0 SLC\n 314.999999 Plane_Feature p0 ! op_state");
    after_preparation("300 Read_SLC b0 g0\n 311 Output b0 g0 SLC\n 315 Plane_Feature p0");
    after_preparation(
        "300 Read_SLC b0 g0\n 311 Output b0 g0 SLC\n 312 Read_SLC b0 g1\n 312 Plane_Feature p1 ! bus multi_plane_exclusive",
    );
}

#[test]
fn an_operation_without_op_state_leaves_a_window_open() {
    after_preparation("300 Read_SLC b0 g0\n 311 Output b0 g0 SLC\n 312 Status =extrdy");
}

#[test]
fn a_multi_plane_window_is_cut_on_one_plane_and_goes_on_on_the_other() {
    after_preparation(
        "300 Read_SLC_Multi b0 g0 | b1 g0
         311 Output b0 g0 SLC
         312 Output b1 g0 SLC
         313 Read_SLC b0 g1
         314.5 Plane_Feature p1 ! op_state multi_plane_exclusive
         316 Plane_Feature p2 ~ multi_plane_exclusive",
    );
}

const LOADED: &str = "0 Erase_TLC b0\n 101 Load_LSB b0 g0\n";

#[test]
fn a_loaded_latch_excludes_from_the_end_of_the_load_to_the_end_of_what_consumes_it() {
    judge("0 Erase_TLC b0\n 101 Load_LSB b0 g0\n 106.999999 Feature ! op_state");
    judge(&format!("{LOADED} 107 Feature ! latch"));
    judge(&format!("{LOADED} 107 Feature d1"));
    judge(&format!("{LOADED} 107 Load_CSB b0 g0\n 113 Program_MSB b0 g0\n 133.999999 Feature ! op_state latch"));
    judge(&format!("{LOADED} 107 Load_CSB b0 g0\n 113 Program_MSB b0 g0\n 134 Feature"));
}

#[test]
fn each_latch_has_its_own_table() {
    judge(&format!("{LOADED} 107 Program_MSB b0 g0 ! latch oneshot_order"));
    judge(&format!("{LOADED} 107 Load_CSB b0 g0\n 113 Load_CSB b0 g0 ! latch oneshot_order"));
    judge(&format!("{LOADED} 107 Load_CSB b0 g0\n 113 Load_MSB b0 g0\n 119 Program_MSB b0 g0 ! latch oneshot_order"));
}

#[test]
fn the_copyback_latch_is_in_no_table() {
    after_preparation(
        "260 Erase_TLC b4
         361 Copyback_Read_SLC b0 g0
         376 Copyback_LSB b4 g0
         382 Feature",
    );
}

#[test]
fn unread_data_excludes_until_the_output_ends() {
    after_preparation("300 Plane_Read_SLC b0 g0\n 311 Feature ! latch");
    after_preparation("300 Plane_Read_SLC b0 g0\n 311 Output b0 g0 SLC\n 311.999999 Feature ! bus latch");
    after_preparation("300 Plane_Read_SLC b0 g0\n 311 Output b0 g0 SLC\n 312 Feature");
}

const SUSPENDED: &str = "0 Erase_SLC b0\n 50 Suspend_Erase\n";

#[test]
fn suspension_lasts_from_the_start_of_suspend_to_the_end_of_resume() {
    judge(&format!("{SUSPENDED} 54 Check_SLC b1 ! suspend"));
    judge(&format!("{SUSPENDED} 60 Resume_Erase\n 63.999999 Check_SLC b1 ! op_state plane_busy suspend"));
    judge(&format!("{SUSPENDED} 60 Resume_Erase\n 115 Check_SLC b1"));
}

#[test]
fn the_other_axis_counts_as_not_suspended() {
    judge(&format!("{SUSPENDED} 54 Resume_Program ! suspend resume_target"));
}

#[test]
fn suspension_is_of_one_die() {
    judge(&format!("{SUSPENDED} 54 Erase_SLC d1 b1"));
}

#[test]
fn termination_is_off_from_the_start_of_off_to_the_end_of_on() {
    judge("0 Odt_Off\n 0.5 Feature d1 ! bus odt");
    judge("0 Odt_Off\n 1 Feature d1 ! odt");
    judge("0 Odt_Off\n 1 Odt_On\n 1.999999 Feature d1 ! bus odt");
    judge("0 Odt_Off\n 1 Odt_On\n 2 Feature d1");
}

#[test]
fn write_protect_is_on_from_the_start_of_on_to_the_end_of_off() {
    judge("0 Protect\n 0.5 Erase_SLC d1 b0 ! bus write_protect");
    judge("0 Protect\n 1 Erase_SLC d1 b0 ! write_protect");
    judge("0 Protect\n 1 Unprotect d1\n 1.999999 Erase_SLC b0 ! bus write_protect");
    judge("0 Protect\n 1 Unprotect d1\n 2 Erase_SLC b0");
}

#[test]
fn write_protect_is_switched_on_only_while_nothing_is_in_flight() {
    judge("0 Erase_SLC b0\n 100.999999 Protect d1 ! write_protect");
    judge("0 Erase_SLC b0\n 101 Protect d1");
    // A data output occupies nothing, and marks its data as read at its end.
    let read = "0 Erase_SLC b0\n 101 Program_SLC b0 g0\n 122 Program_SLC b0 g1\n 143 Read_SLC b0 g0\n";
    judge(&format!("{read} 153.999999 Protect d1 ! write_protect"));
    judge(&format!("{read} 154 Protect d1"));
    judge(&format!("{read} 154 Output b0 g0 SLC\n 154.5 Protect d1 ! bus write_protect"));
    judge(&format!("{read} 154 Output b0 g0 SLC\n 155 Protect d1"));
    // A command that only holds the bus is not in flight.
    judge("0 Feature d1\n 0.5 Protect ! bus");
}

#[test]
fn what_write_protect_excludes_is_not_resumed_and_the_rest_is() {
    judge(&format!("{SUSPENDED} 54 Protect d1\n 55 Resume_Erase ! write_protect"));
    judge(&format!("{SUSPENDED} 54 Protect d1\n 55 Unprotect\n 56 Resume_Erase\n 60 Protect d1 ! write_protect"));
}

#[test]
fn an_operation_is_not_excluded_by_the_state_it_sets_itself() {
    judge("0 Odt_Off\n 1 Odt_On d1");
    judge(&format!("{SUSPENDED} 60 Resume_Erase"));
}

#[test]
fn a_cache_program_excludes_until_the_program_that_ends_it_is_done() {
    let text = "0 Erase_SLC b0\n 101 Cache_Program_SLC b0 g0\n";
    judge(&format!("{text} 130 Feature ! cache"));
    judge(&format!("{text} 130 Feature d1"));
    judge(&format!("{text} 122 Program_SLC b0 g1\n 142.999999 Feature ! op_state cache"));
    judge(&format!("{text} 122 Program_SLC b0 g1\n 143 Feature"));
}

#[test]
fn a_one_shot_cache_program_excludes_until_its_own_end() {
    let text = "0 Erase_TLC b0\n 101 Load_LSB b0 g0\n 107 Load_CSB b0 g0\n 113 Cache_Program_MSB b0 g0\n";
    let next = "140 Load_LSB b0 g1\n 146 Load_CSB b0 g1\n 152 Program_MSB b0 g1\n";
    judge(&format!("{text} 140 Feature ! cache"));
    judge(&format!("{text} {next} 173 Feature"));
}

#[test]
fn a_cache_read_excludes_on_its_planes_until_its_end_is_done() {
    let text = "300 Read_SLC b0 g0\n 312 Cache_Read_SLC b0 g1\n 323 Output b0 g0 SLC\n";
    after_preparation(&format!("{text} 330 Plane_Feature p0 ! cache"));
    after_preparation(&format!("{text} 330 Plane_Feature p1"));
    let end = "330 Cache_Read_End b0 g1 SLC\n";
    after_preparation(&format!("{text} {end} 340.999999 Plane_Feature p0 ! cache plane_busy"));
    after_preparation(&format!("{text} {end} 341 Plane_Feature p0"));
}
