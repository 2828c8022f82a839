//! `bus`, `plane_busy`, `multi_plane_exclusive`.

use crate::judge;

/// Blocks 0 to 3 of die 0 are erased and programmed up to page 4, from 0 to 210.
pub(crate) const PREPARED: &str = "
    0   Erase_SLC_Multi    b0 | b1 | b2 | b3
    101 Program_SLC_Multi  b0 g0 | b1 g0 | b2 g0 | b3 g0
    122 Program_SLC_Multi  b0 g1 | b1 g1 | b2 g1 | b3 g1
    143 Program_SLC_Multi  b0 g2 | b1 g2 | b2 g2 | b3 g2
    164 Program_SLC_Multi  b0 g3 | b1 g3 | b2 g3 | b3 g3
    185 Program_SLC_Multi  b0 g4 | b1 g4 | b2 g4 | b3 g4
";

#[track_caller]
fn after_preparation(text: &str) {
    judge(&format!("{PREPARED}{text}"));
}

#[test]
fn two_dies_share_the_bus() {
    judge("0 Erase_SLC d0 b0\n 0.999999 Erase_SLC d1 b0 ! bus");
    judge("0 Erase_SLC d0 b0\n 1 Erase_SLC d1 b0");
}

#[test]
fn an_instant_holds_the_bus_too() {
    judge("0 Status d0 =ready\n 0.5 Status d1 =ready ! bus");
}

#[test]
fn a_window_that_holds_the_bus_keeps_others_off_it_until_it_ends_or_is_cut() {
    after_preparation("300 Read_Bus_SLC b0 g0\n 314.999999 Status =extrdy ! bus");
    after_preparation("300 Read_Bus_SLC b0 g0\n 315 Status =ready");
    after_preparation(
        "300 Read_Bus_SLC b0 g0\n 312 Read_SLC b4 g0 ! unread_data read_before_program\n 313 Status d1 =ready",
    );
}

#[test]
fn a_plane_is_busy_until_core_busy_ends() {
    judge("0 Erase_SLC b0\n 100.999999 Erase_SLC b4 ! plane_busy op_state");
    judge("0 Erase_SLC b0\n 101 Erase_SLC b4");
}

#[test]
fn a_die_wide_operation_occupies_planes_it_does_not_target() {
    judge("0 Erase_SLC b0\n 50 Plane_Feature p3 ! plane_busy op_state");
}

#[test]
fn another_die_is_free() {
    judge("0 Erase_SLC d0 b0\n 50 Erase_SLC d1 b0");
}

#[test]
fn a_target_wide_operation_needs_every_die() {
    judge("0 Erase_SLC d1 b0\n 100.999999 Identify ! plane_busy op_state");
    judge("0 Erase_SLC d1 b0\n 101 Identify");
    judge("0 Identify\n 10.999999 Erase_SLC d1 b0 ! plane_busy op_state");
    judge("0 Identify\n 11 Erase_SLC d1 b0");
}

#[test]
fn windows_do_not_occupy() {
    after_preparation("300 Read_SLC b0 g0\n 311 Output b0 g0 SLC\n 312 Read_SLC b4 g0 ! read_before_program");
}

#[test]
fn an_operation_that_occupies_without_op_state_is_in_the_way_too() {
    after_preparation("300 Plane_Feature p0\n 300.5 Plane_Feature p0 ! bus plane_busy");
    after_preparation("300 Plane_Feature p0\n 301 Plane_Feature p0");
}

#[test]
fn an_instant_runs_while_its_planes_are_busy() {
    judge("0 Erase_SLC b0\n 50 Calibrate");
}

#[test]
fn interleaved_reads_overlap_on_different_planes() {
    after_preparation("300 Plane_Read_SLC b0 g0\n 302 Plane_Read_SLC b1 g0");
}

#[test]
fn interleaved_reads_do_not_overlap_on_one_plane() {
    after_preparation("300 Plane_Read_SLC b0 g0\n 310.999999 Plane_Read_SLC b0 g1 ! plane_busy op_state");
    after_preparation("300 Plane_Read_SLC b0 g0\n 311 Plane_Read_SLC b0 g1 ! unread_data");
}

#[test]
fn other_reads_do_not_overlap_on_different_planes() {
    after_preparation("300 Read_SLC b0 g0\n 310.999999 Read_SLC b1 g0 ! multi_plane_exclusive");
    after_preparation("300 Read_SLC b0 g0\n 311 Read_SLC b1 g0");
}

#[test]
fn an_interleaved_read_does_not_overlap_one_that_is_not() {
    after_preparation("300 Read_SLC b0 g0\n 302 Plane_Read_SLC b1 g0 ! multi_plane_exclusive");
    after_preparation("300 Plane_Read_SLC b0 g0\n 302 Read_SLC b1 g0 ! multi_plane_exclusive");
}

#[test]
fn a_multi_plane_interleaved_read_overlaps_no_other() {
    after_preparation(
        "300 Plane_Read_SLC_Multi b0 g0 | b1 g0\n 310.999999 Plane_Read_SLC b2 g0 ! multi_plane_exclusive",
    );
    after_preparation("300 Plane_Read_SLC_Multi b0 g0 | b1 g0\n 311 Plane_Read_SLC b2 g0");
    after_preparation("300 Plane_Read_SLC b2 g0\n 302 Plane_Read_SLC_Multi b0 g0 | b1 g0 ! multi_plane_exclusive");
}

#[test]
fn multi_plane_operations_of_different_dies_overlap() {
    judge("0 Erase_SLC_Multi d0 b0 | b1\n 1 Erase_SLC_Multi d1 b0 | b1");
}

#[test]
fn the_finding_names_the_operation_in_the_way() {
    let findings = judge("0 Erase_SLC b0\n 50 Erase_SLC b4 ! plane_busy op_state");
    let other = findings[0].other.as_ref().unwrap();
    assert_eq!((other.op.as_str(), other.uid, other.place.row), ("Erase_SLC", 1, 1));
    assert_eq!(findings[0].message, "Erase_SLC occupies plane 0 of die 0 until 101 µs.");
}
