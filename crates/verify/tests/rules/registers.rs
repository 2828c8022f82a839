//! `dout_source`, `unread_data`, `oneshot_order`, `cache_sequence`, `copyback_source`.

use crate::judge;
use crate::occupation::PREPARED;

#[track_caller]
fn after_preparation(text: &str) {
    judge(&format!("{PREPARED}{text}"));
}

#[test]
fn an_output_needs_a_read_that_is_done() {
    judge("0 Output b0 g0 ! dout_source");
    after_preparation("300 Plane_Read_SLC b0 g0\n 310.999999 Output b0 g0 SLC ! op_state dout_source");
    after_preparation("300 Plane_Read_SLC b0 g0\n 311 Output b0 g0 SLC");
}

#[test]
fn an_output_carries_what_the_register_holds() {
    let read = "300 Plane_Read_SLC b0 g1\n";
    after_preparation(&format!("{read} 311 Output b0 g1 SLC"));
    after_preparation(&format!("{read} 311 Output b0 g0 SLC ! dout_source"));
    after_preparation(&format!("{read} 311 Output b4 g1 SLC ! dout_source"));
    after_preparation(&format!("{read} 311 Output b1 g1 SLC ! dout_source"));
    after_preparation(&format!("{read} 311 Output b0 g1 TLC ! dout_source"));
    after_preparation(&format!("{read} 311 Output b0 g1 NONE ! dout_source"));
}

#[test]
fn an_output_may_be_repeated() {
    after_preparation("300 Plane_Read_SLC b0 g0\n 311 Output b0 g0 SLC\n 400 Output b0 g0 SLC");
}

#[test]
fn an_erase_or_program_on_the_plane_empties_the_registers_from_its_start() {
    let read = "300 Plane_Read_SLC b0 g0\n 311 Output b0 g0 SLC\n";
    after_preparation(&format!("{read} 312 Erase_SLC b4\n 413 Output b0 g0 SLC ! dout_source"));
    after_preparation(&format!("{read} 312 Program_SLC b0 g5\n 333 Output b0 g0 SLC ! dout_source"));
    after_preparation(&format!("{read} 312 Erase_SLC b5\n 413 Output b0 g0 SLC"));
}

#[test]
fn a_reset_empties_the_registers_of_its_die() {
    let read = "300 Plane_Read_SLC b0 g0\n 311 Output b0 g0 SLC\n";
    after_preparation(&format!("{read} 312 Reset_Die\n 315 Output b0 g0 SLC ! dout_source"));
    after_preparation(&format!("{read} 312 Reset_Die d1\n 315 Output b0 g0 SLC"));
    after_preparation(&format!("{read} 312 Reset_All d1\n 315 Output b0 g0 SLC ! dout_source"));
}

#[test]
fn unread_data_is_not_overwritten() {
    let read = "300 Plane_Read_SLC b0 g0\n";
    after_preparation(&format!("{read} 315 Erase_SLC b4 ! unread_data"));
    after_preparation(&format!("{read} 315 Program_SLC b0 g5 ! unread_data"));
    after_preparation(&format!("{read} 315 Plane_Read_SLC b0 g1 ! unread_data"));
    after_preparation(&format!("{read} 315 Plane_Read_SLC b1 g1"));
    after_preparation(&format!("{read} 315 Erase_SLC b5"));
    after_preparation(&format!("{read} 315 Check_SLC b4"));
}

#[test]
fn data_is_read_at_the_end_of_its_output() {
    after_preparation("300 Plane_Read_SLC b0 g0\n 311 Output b0 g0 SLC\n 311.999999 Erase_SLC b4 ! bus unread_data");
    after_preparation("300 Plane_Read_SLC b0 g0\n 311 Output b0 g0 SLC\n 312 Erase_SLC b4");
}

#[test]
fn a_reset_may_drop_unread_data() {
    after_preparation("300 Plane_Read_SLC b0 g0\n 315 Reset_Die\n 318 Erase_SLC b4");
}

#[test]
fn each_plane_of_a_multi_plane_read_is_read_by_itself() {
    let read = "300 Read_SLC_Multi b0 g0 | b1 g0\n 315 Output b0 g0 SLC\n";
    after_preparation(&format!("{read} 320 Erase_SLC b4"));
    after_preparation(&format!("{read} 320 Erase_SLC b5 ! unread_data"));
    after_preparation(&format!("{read} 316 Output b1 g0 SLC\n 320 Erase_SLC b5"));
}

fn tlc(text: &str) -> String {
    format!("0 Erase_TLC b0\n 101 Load_LSB b0 g0\n {text}")
}

#[test]
fn the_loads_of_a_one_shot_program_come_in_order() {
    judge("0 Erase_TLC b0\n 101 Load_CSB b0 g0 ! oneshot_order");
    judge("0 Erase_TLC b0\n 101 Program_MSB b0 g0 ! oneshot_order");
    judge(&tlc("107 Load_CSB b0 g0\n 113 Program_MSB b0 g0"));
    judge(&tlc("107 Load_CSB b0 g0\n 113 Execute_MSB b0 g0"));
    judge(&tlc("107 Load_CSB b0 g0\n 113 Load_MSB b0 g0\n 119 Execute_MSB b0 g0"));
    judge(&tlc("107 Execute_MSB b0 g0 ! latch oneshot_order"));
}

#[test]
fn the_latch_is_loaded_for_one_address() {
    judge(&tlc("107 Load_CSB b0 g1 ! oneshot_order program_order"));
    judge("0 Erase_TLC b0\n 101 Erase_TLC b4\n 202 Load_LSB b0 g0\n 208 Load_CSB b4 g0 ! oneshot_order");
}

#[test]
fn a_one_shot_program_consumes_its_latch() {
    judge(&tlc("107 Load_CSB b0 g0\n 113 Program_MSB b0 g0\n 134 Program_MSB b0 g1 ! oneshot_order"));
}

#[test]
fn a_reset_clears_the_latch() {
    judge(&tlc("107 Reset_Die\n 110 Load_CSB b0 g0 ! oneshot_order"));
    judge(&tlc("107 Reset_Die\n 110 Load_LSB b0 g0"));
}

#[test]
fn loads_change_no_block() {
    judge(&tlc("107 Load_CSB b0 g0\n 113 Program_MSB b0 g0\n 134 Load_LSB b0 g1"));
}

#[test]
fn a_cache_program_goes_on_with_the_next_page_of_its_block() {
    let text = "0 Erase_SLC b0\n 101 Erase_SLC b4\n 202 Cache_Program_SLC b0 g0\n";
    judge(&format!("{text} 223 Cache_Program_SLC b0 g1\n 244 Program_SLC b0 g2\n 265 Program_SLC b4 g0"));
    judge(&format!("{text} 230 Program_SLC b4 g0 ! cache_sequence"));
    judge(&format!("{text} 230 Program_SLC b0 g2 ! cache_sequence program_order"));
    judge(&format!("{text} 230 Program_A0SLC b0 g1 ! cache_sequence program_celltype"));
    judge(&format!("{text} 230 Program_SLC d1 b0 g0 ! program_before_erase"));
}

#[test]
fn a_multi_plane_cache_program_goes_on_on_the_same_planes() {
    let text = "0 Erase_SLC_Multi b0 | b1 | b2\n 101 Cache_Program_SLC_Multi b0 g0 | b1 g0\n";
    judge(&format!("{text} 130 Program_SLC_Multi b0 g1 | b1 g1"));
    judge(&format!("{text} 130 Program_SLC b0 g1 ! cache_sequence"));
}

#[test]
fn a_one_shot_cache_program_goes_on_with_the_next_page() {
    let text =
        "0 Erase_TLC b0\n 101 Erase_TLC b4\n 202 Load_LSB b0 g0\n 208 Load_CSB b0 g0\n 214 Cache_Program_MSB b0 g0\n";
    judge(&format!("{text} 236 Load_LSB b0 g1\n 242 Load_CSB b0 g1\n 248 Program_MSB b0 g1\n 269 Load_LSB b4 g0"));
    judge(&format!("{text} 239 Load_LSB b4 g0 ! cache_sequence"));
}

const CACHE_READ: &str = "300 Read_SLC b0 g0\n 312 Cache_Read_SLC b0 g1\n";

#[test]
fn a_cache_read_pushes_the_page_before_it_to_the_output() {
    after_preparation(&format!("{CACHE_READ} 323 Output b0 g0 SLC"));
    after_preparation(&format!("{CACHE_READ} 323 Output b0 g1 SLC ! dout_source"));
    let end = "325 Cache_Read_End b0 g1 SLC\n";
    after_preparation(&format!("{CACHE_READ} 323 Output b0 g0 SLC\n {end} 336 Output b0 g1 SLC"));
}

#[test]
fn a_cache_read_needs_a_page_register() {
    after_preparation("300 Cache_Read_SLC b0 g1 ! cache_sequence");
    after_preparation("300 Plane_Read_SLC b1 g0\n 315 Cache_Read_SLC b0 g1 ! cache_sequence");
    after_preparation("300 Read_SLC_Multi b0 g0 | b1 g0\n 315 Cache_Read_SLC_Multi b0 g1 | b1 g1");
    after_preparation("300 Read_SLC b0 g0\n 315 Cache_Read_SLC_Multi b0 g1 | b1 g1 ! cache_sequence");
}

#[test]
fn a_cache_read_keeps_the_cell_type_of_the_page_register() {
    after_preparation(
        "206 Erase_TLC b4\n 307 Program_TLC b4 g0\n 328 Program_TLC b4 g1
         350 Read_SLC b0 g0
         362 Cache_Read_TLC b4 g0 ! cache_sequence",
    );
}

#[test]
fn the_end_of_a_cache_read_carries_the_page_register() {
    let text = format!("{CACHE_READ} 323 Output b0 g0 SLC\n");
    after_preparation(&format!("{text} 330 Cache_Read_End b0 g1 SLC"));
    after_preparation(&format!("{text} 330 Cache_Read_End b0 g2 SLC ! cache_sequence"));
    after_preparation(&format!("{text} 330 Cache_Read_End b1 g1 SLC ! cache_sequence"));
    after_preparation(&format!("{text} 330 Cache_Read_End b0 g1 TLC ! cache_sequence"));
}

#[test]
fn a_cache_read_does_not_overwrite_unread_output() {
    after_preparation(&format!("{CACHE_READ} 323 Cache_Read_SLC b0 g2 ! unread_data"));
    after_preparation(&format!("{CACHE_READ} 323 Output b0 g0 SLC\n 324 Cache_Read_SLC b0 g2"));
    after_preparation(&format!("{CACHE_READ} 330 Cache_Read_End b0 g1 SLC ! unread_data"));
}

#[test]
fn the_first_cache_read_after_a_read_may_leave_the_output_unread() {
    after_preparation("300 Read_SLC b0 g0\n 312 Cache_Read_SLC b0 g1");
}

#[test]
fn nothing_is_left_in_the_page_register_after_the_end_of_a_cache_read() {
    let text = format!("{CACHE_READ} 323 Output b0 g0 SLC\n 330 Cache_Read_End b0 g1 SLC\n 341 Output b0 g1 SLC\n");
    after_preparation(&format!("{text} 342 Cache_Read_SLC b0 g2 ! cache_sequence"));
}

#[test]
fn a_copyback_program_needs_a_copyback_read_on_its_planes() {
    let erase = "206 Erase_SLC_Multi b4 | b5\n";
    after_preparation(&format!("{erase} 310 Copyback_Read_SLC b0 g0\n 325 Copyback_Program_SLC b4 g0"));
    after_preparation(&format!("{erase} 325 Copyback_Program_SLC b4 g0 ! copyback_source"));
    let read = "310 Plane_Read_SLC b0 g0\n 321 Output b0 g0 SLC\n";
    after_preparation(&format!("{erase} {read} 325 Copyback_Program_SLC b4 g0 ! copyback_source"));
    after_preparation(&format!(
        "{erase} 310 Copyback_Read_SLC b0 g0\n 325 Copyback_Program_SLC b5 g0 ! copyback_source"
    ));
    let multi = "325 Copyback_Program_SLC_Multi b4 g0 | b5 g0";
    after_preparation(&format!("{erase} 310 Copyback_Read_SLC_Multi b0 g0 | b1 g0\n {multi}"));
    after_preparation(&format!("{erase} 310 Copyback_Read_SLC b0 g0\n {multi} ! copyback_source"));
}

#[test]
fn a_copyback_program_may_leave_the_data_unread_or_follow_its_output() {
    let text = "206 Erase_SLC b4\n 310 Copyback_Read_SLC b0 g0\n 325 Output b0 g0 SLC\n";
    after_preparation(&format!("{text} 326 Copyback_Program_SLC b4 g0"));
    after_preparation("206 Erase_SLC b4\n 310 Copyback_Read_SLC b0 g0\n 325 Program_SLC b4 g0 ! unread_data");
    after_preparation(
        "206 Erase_SLC b4\n 310 Read_SLC b0 g0\n 325 Copyback_Program_SLC b4 g0 ! unread_data copyback_source",
    );
}

#[test]
fn each_copyback_load_needs_a_copyback_read_of_its_own() {
    let text = "206 Erase_TLC b4\n 310 Copyback_Read_SLC b0 g0\n 325 Copyback_LSB b4 g0\n";
    let rest = "331 Copyback_Read_SLC b0 g1\n 346 Copyback_CSB b4 g0\n 352 Copyback_Read_SLC b0 g2\n";
    after_preparation(&format!("{text} {rest} 367 Copyback_Execute b4 g0"));
    after_preparation(&format!("{text} 331 Copyback_CSB b4 g0 ! copyback_source"));
    after_preparation(&format!("{text} 331 Copyback_Read_SLC b0 g1\n 346 Copyback_Execute b4 g0 ! oneshot_order"));
    after_preparation(&format!(
        "{text} 331 Copyback_Read_SLC b0 g1\n 346 Copyback_CSB b0 g5 TLC ! oneshot_order program_celltype"
    ));
}
