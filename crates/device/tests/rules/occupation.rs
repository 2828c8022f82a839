//! The bus, occupied planes, and what may overlap on one die: `bus`, `plane_busy`, `multi_plane_exclusive`.

use nandseq_device::{Rule, Tables};
use nandseq_profile::model::Topology;
use nandseq_profile::{Die, PlaneSet, Profile, Ticks};

use crate::bench::{BOTH, Bench, P0, P1, TICK, base_of, die, spot, without_bus};

const READ_ID: &str = "Read_ID_JEDEC";
const STATUS: &str = "Read_Status_Enhanced_70h";
const ERASE: &str = "Block_Erase_SLC";
const READ: &str = "Read_SLC";
const PLANE_READ: &str = "Plane_Level_Page_Read_SLC";
const PLANE_READ4K: &str = "Plane_Level_4KB_Page_Read_SLC";
const TARGET_WIDE: &str = "Auto_Read_by_38h_Cmd_Target_Level";

/// A device of four planes, so that two groups of two have room beside one another.
fn four_planes(profile: &mut Profile) {
    profile.topology = Topology { dies: 2, planes: 4, blocks_per_die: 16, pages_per_block: 4 };
}

#[test]
fn the_bus_is_held_until_the_end_of_issue_and_no_longer() {
    let mut bench = Bench::new();
    let times = bench.start(READ_ID, die(0));
    assert_eq!(bench.device.bus_free(), times.issue_end);
    bench.refused(STATUS, die(0), Rule::Bus);
    bench.only_from(times.issue_end, STATUS, die(0), Rule::Bus);
}

#[test]
fn all_dies_share_the_bus() {
    let mut bench = Bench::new();
    let times = bench.start(ERASE, spot(0, P0, 0, 0));
    bench.only_from(times.issue_end, ERASE, spot(1, P0, 0, 0), Rule::Bus);
}

#[test]
fn an_instant_holds_the_bus_like_any_other() {
    let mut bench = Bench::new();
    let times = bench.start(STATUS, die(0));
    bench.only_from(times.issue_end, READ_ID, die(1), Rule::Bus);
}

#[test]
fn the_bus_is_free_during_core_busy_and_windows() {
    let mut bench = Bench::new();
    bench.fill(spot(0, P0, 0, 0));
    let times = bench.start(READ, spot(0, P0, 0, 0));
    for when in [times.issue_end, times.busy_end - TICK, times.busy_end, times.end - TICK] {
        bench.at(when);
        bench.allowed(STATUS, die(0));
    }
}

#[test]
fn an_operation_without_a_bus_phase_does_not_wait_for_the_bus_and_leaves_it_free() {
    let mut bench = Bench::of(|profile| without_bus(profile, "TEMPSENSOR"));
    let times = bench.start(READ_ID, die(1));
    bench.allowed("Temperature_Sensor_Fast_mode", die(0));
    bench.start("Temperature_Sensor_Fast_mode", die(0));
    assert_eq!(bench.device.bus_free(), times.issue_end);
    bench.only_from(times.issue_end, STATUS, die(0), Rule::Bus);
}

#[test]
fn the_bus_is_named_only_when_nothing_else_is_in_the_way() {
    let mut bench = Bench::new();
    bench.start(ERASE, spot(0, P0, 0, 0));
    bench.refused(READ, spot(0, P1, 0, 0), Rule::ReadBeforeProgram);
    bench.refused(ERASE, spot(0, P0, 1, 0), Rule::PlaneBusy);
    bench.refused(ERASE, spot(1, P0, 0, 0), Rule::Bus);
}

#[test]
fn an_erase_occupies_every_plane_of_its_die_until_the_end_of_core_busy() {
    let mut bench = Bench::new();
    let times = bench.start(ERASE, spot(0, P0, 0, 0));
    assert_eq!(bench.device.occupied(Die(0)), PlaneSet(BOTH));
    assert_eq!(bench.device.occupied(Die(1)), PlaneSet::EMPTY);
    bench.at(times.issue_end);
    bench.allowed(ERASE, spot(1, P0, 0, 0));
    bench.only_from(times.busy_end, ERASE, spot(0, P1, 0, 0), Rule::PlaneBusy);
    assert_eq!(bench.device.occupied(Die(0)), PlaneSet::EMPTY);
}

#[test]
fn a_die_wide_operation_waits_for_every_plane_of_its_die() {
    let mut bench = Bench::new();
    bench.fill(spot(0, P1, 0, 0));
    let times = bench.start(PLANE_READ, spot(0, P1, 0, 0));
    bench.at(times.busy_end - TICK);
    bench.refused(ERASE, spot(0, P0, 0, 0), Rule::PlaneBusy);
    bench.at(times.busy_end);
    bench.refused(ERASE, spot(0, P0, 0, 0), Rule::OpState);
}

#[test]
fn a_target_wide_operation_occupies_all_dies_and_waits_for_all() {
    let mut bench = Bench::new();
    let times = bench.start(ERASE, spot(1, P0, 0, 0));
    bench.only_from(times.busy_end, TARGET_WIDE, die(0), Rule::PlaneBusy);
    let times = bench.start(TARGET_WIDE, die(0));
    assert_eq!(bench.device.occupied(Die(1)), PlaneSet(BOTH));
    bench.only_from(times.busy_end, ERASE, spot(1, P0, 0, 0), Rule::PlaneBusy);
}

#[test]
fn a_read_no_longer_occupies_its_plane_during_its_window() {
    let mut bench = Bench::new();
    bench.fill(spot(0, BOTH, 0, 1));
    let times = bench.start(READ, spot(0, P0, 0, 0));
    bench.at(times.busy_end - TICK);
    bench.refused(READ, spot(0, P0, 0, 1), Rule::PlaneBusy);
    bench.at(times.busy_end);
    assert_eq!(bench.device.occupied(Die(0)), PlaneSet::EMPTY);
    bench.refused(READ, spot(0, P0, 0, 1), Rule::OpState);
    bench.allowed(READ, spot(0, P1, 0, 1));
}

#[test]
fn instants_do_not_mind_occupied_planes() {
    let mut bench = Bench::new();
    let times = bench.start(ERASE, spot(0, P0, 0, 0));
    bench.at(times.issue_end);
    bench.allowed(STATUS, die(0));
    bench.allowed("Reset_LUN", die(0));
}

#[test]
fn plane_reads_overlap_on_different_planes() {
    let mut bench = Bench::new();
    bench.fill(spot(0, BOTH, 0, 0));
    let first = bench.start(PLANE_READ, spot(0, P0, 0, 0));
    bench.at(first.busy_end - TICK);
    bench.refused(PLANE_READ, spot(0, P0, 0, 0), Rule::PlaneBusy);
    let second = bench.start(PLANE_READ4K, spot(0, P1, 0, 0));
    assert_eq!(bench.device.occupied(Die(0)), PlaneSet(BOTH));
    bench.at(first.busy_end);
    assert_eq!(bench.device.occupied(Die(0)), PlaneSet(P1));
    bench.at(second.busy_end);
    assert_eq!(bench.device.occupied(Die(0)), PlaneSet::EMPTY);
}

#[test]
fn another_read_does_not_overlap_a_plane_read_in_either_order() {
    for (running, wanted) in [(PLANE_READ, READ), (READ, PLANE_READ), (READ, READ)] {
        let mut bench = Bench::new();
        bench.fill(spot(0, BOTH, 0, 0));
        let times = bench.start(running, spot(0, P0, 0, 0));
        bench.at(times.issue_end);
        bench.only_from(times.busy_end, wanted, spot(0, P1, 0, 0), Rule::MultiPlaneExclusive);
    }
}

#[test]
fn a_plane_command_that_is_no_interleaved_read_does_not_overlap_one() {
    let mut bench = Bench::new();
    bench.fill(spot(0, P0, 0, 0));
    let times = bench.start(PLANE_READ, spot(0, P0, 0, 0));
    bench.only_from(times.busy_end, "Plane_Level_Set_Parameter", spot(0, P1, 0, 0), Rule::MultiPlaneExclusive);
}

#[test]
fn a_multi_plane_read_tolerates_no_other_beside_it() {
    for wanted in [PLANE_READ, READ] {
        let mut bench = Bench::of(four_planes);
        bench.fill(spot(0, 0b1111, 0, 0));
        let times = bench.start("Read_Multi_Plane_ONFI_SLC", spot(0, 0b0011, 0, 0));
        bench.only_from(times.busy_end, wanted, spot(0, 0b0100, 0, 0), Rule::MultiPlaneExclusive);
    }
}

#[test]
fn a_multi_plane_read_does_not_start_beside_a_plane_read() {
    let mut bench = Bench::of(four_planes);
    bench.fill(spot(0, 0b1111, 0, 0));
    let times = bench.start(PLANE_READ, spot(0, 0b0001, 0, 0));
    bench.only_from(times.busy_end, "Read_Multi_Plane_ONFI_SLC", spot(0, 0b1100, 0, 0), Rule::MultiPlaneExclusive);
}

#[test]
fn multi_plane_names_of_an_interleaved_base_are_exclusive_all_the_same() {
    let vary = |profile: &mut Profile| {
        four_planes(profile);
        let base = base_of(profile, "READ");
        profile.interleaved.insert(base);
    };
    let mut bench = Bench::of(vary);
    bench.fill(spot(0, 0b1111, 0, 0));
    let single = bench.start(READ, spot(0, 0b0001, 0, 0));
    bench.at(single.issue_end);
    bench.allowed(READ, spot(0, 0b0010, 0, 0));
    let multi = "Read_Multi_Plane_ONFI_SLC";
    bench.only_from(single.busy_end, multi, spot(0, 0b1100, 0, 0), Rule::MultiPlaneExclusive);
    let times = bench.start(multi, spot(0, 0b1100, 0, 0));
    bench.only_from(times.busy_end, READ, spot(0, 0b0010, 0, 0), Rule::MultiPlaneExclusive);
}

#[test]
fn a_plane_read_may_join_as_long_as_only_plane_reads_run() {
    let mut bench = Bench::of(four_planes);
    bench.fill(spot(0, 0b1111, 0, 0));
    let first = bench.start(PLANE_READ, spot(0, 0b0001, 0, 0));
    bench.at(first.busy_end - Ticks::from_us(1));
    let second = bench.start(PLANE_READ, spot(0, 0b0010, 0, 0));
    bench.at(first.busy_end);
    bench.refused(READ, spot(0, 0b0100, 0, 0), Rule::MultiPlaneExclusive);
    bench.allowed(PLANE_READ, spot(0, 0b0100, 0, 0));
    bench.at(second.busy_end);
    bench.allowed(READ, spot(0, 0b0100, 0, 0));
    let last = bench.start(READ, spot(0, 0b0100, 0, 0));
    bench.at(last.issue_end);
    bench.refused(PLANE_READ, spot(0, 0b1000, 0, 0), Rule::MultiPlaneExclusive);
}

#[test]
fn overlap_on_one_die_is_no_matter_of_another() {
    let mut bench = Bench::new();
    bench.fill(spot(0, P0, 0, 0));
    bench.fill(spot(1, P0, 0, 0));
    let times = bench.start(READ, spot(0, P0, 0, 0));
    bench.at(times.issue_end);
    bench.allowed(READ, spot(1, P0, 0, 0));
}

#[test]
fn what_an_operation_occupies_follows_from_its_scope() {
    let bench = Bench::new();
    let place = spot(1, P1, 0, 0);
    let of = |name: &str| {
        let tables: &Tables = &bench.tables;
        bench.device.occupied_by(tables.base(tables.op(bench.op(name)).base), &place)
    };
    assert_eq!(of(READ), (1, PlaneSet(P1)));
    assert_eq!(of(ERASE), (1, PlaneSet(BOTH)));
    assert_eq!(of("Reset_LUN"), (1, PlaneSet(BOTH)));
    assert_eq!(of(TARGET_WIDE), (2, PlaneSet(BOTH)));
}

#[test]
fn a_reset_of_one_die_waits_for_what_occupies_every_die() {
    // In the reference device the op_state forbids it first.
    let mut bench = Bench::of(|profile| profile.exclusions.by_op_state.clear());
    let times = bench.start(TARGET_WIDE, die(0));
    bench.only_from(times.busy_end, "Reset_LUN", die(1), Rule::PlaneBusy);
}
