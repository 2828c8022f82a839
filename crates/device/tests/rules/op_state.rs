//! What the op_state of a plane forbids, from the first to the last tick of a phase: `op_state`.

use nandseq_device::{Rule, SeenStatus};
use nandseq_profile::model::PhaseKind;
use nandseq_profile::{Die, Profile, Ticks};

use crate::bench::SLC;
use crate::bench::{BOTH, Bench, P0, P1, TICK, base_of, celled, die, forbid, spot, without_bus};

const READ_ID: &str = "Read_ID_JEDEC";
const ERASE: &str = "Block_Erase_SLC";
const READ: &str = "Read_SLC";
const PLANE_READ: &str = "Plane_Level_Page_Read_SLC";
const PLANE_CACHE_READ: &str = "Plane_Level_Cache_Read_SLC";
const CACHE_PROGRAM: &str = "Cache_Program_SLC";

/// Whether no op_state of die 0 forbids anything now.
fn forbids_nothing(bench: &Bench) -> bool {
    let mut bases = bench.tables.bases().map(|(base, _)| base);
    bases
        .all(|base| bench.device.forbidding(&bench.tables, (Die(0), bench.device.planes()), base, bench.now).is_empty())
}

#[test]
fn core_busy_forbids_from_its_first_tick_to_its_last() {
    let mut bench = Bench::of(|profile| without_bus(profile, "ERASE"));
    let times = bench.start(ERASE, spot(0, P0, 0, 0));
    bench.at(times.issue_end - TICK);
    bench.allowed(READ_ID, die(0));
    bench.at(times.issue_end);
    bench.refused(READ_ID, die(0), Rule::OpState);
    bench.only_from(times.busy_end, READ_ID, die(0), Rule::OpState);
}

#[test]
fn an_exclusion_group_spares_the_bases_it_does_not_list() {
    let mut bench = Bench::new();
    let times = bench.start(ERASE, spot(0, P0, 0, 0));
    bench.at(times.issue_end);
    bench.allowed("DCC_training", die(0));
    bench.allowed("ZQ_Calibration_Short", die(0));
    bench.refused("Get_Features", die(0), Rule::OpState);
}

#[test]
fn the_op_state_of_a_die_is_no_matter_of_another() {
    let mut bench = Bench::new();
    let times = bench.start(ERASE, spot(0, P0, 0, 0));
    bench.at(times.issue_end);
    bench.refused(READ_ID, die(0), Rule::OpState);
    bench.allowed(READ_ID, die(1));
}

#[test]
fn a_target_wide_command_looks_at_every_die() {
    let mut bench = Bench::new();
    bench.fill(spot(1, P1, 0, 0));
    let times = bench.start(READ, spot(1, P1, 0, 0));
    bench.at(times.busy_end);
    bench.only_from(times.end, "Write_Protect_Operation", die(0), Rule::OpState);
}

#[test]
fn a_data_out_window_forbids_until_it_closes() {
    let mut bench = Bench::new();
    bench.fill(spot(0, P0, 0, 1));
    let times = bench.start(READ, spot(0, P0, 0, 0));
    bench.at(times.busy_end);
    bench.refused(READ_ID, die(0), Rule::OpState);
    bench.allowed("Change_Read_Column_Random_Data_Output", celled(spot(0, P0, 0, 0), SLC));
    bench.only_from(times.end, READ_ID, die(0), Rule::OpState);
}

#[test]
fn a_window_on_one_plane_is_no_matter_of_an_operation_on_another() {
    let mut bench = Bench::new();
    bench.fill(spot(0, BOTH, 0, 1));
    let times = bench.start(READ, spot(0, P0, 0, 0));
    bench.at(times.busy_end);
    bench.refused(READ, spot(0, P0, 0, 1), Rule::OpState);
    bench.allowed(READ, spot(0, P1, 0, 1));
    bench.refused("Read_Multi_Plane_ONFI_SLC", spot(0, BOTH, 0, 1), Rule::OpState);
    bench.refused(ERASE, spot(0, P1, 1, 0), Rule::OpState);
}

#[test]
fn a_data_in_window_lets_the_next_cache_program_in_and_nothing_else() {
    let mut bench = Bench::new();
    bench.erase(spot(0, P0, 0, 0), "SLC");
    let times = bench.start(CACHE_PROGRAM, spot(0, P0, 0, 0));
    bench.at(times.busy_end);
    bench.refused("Page_Program_SLC", spot(0, P0, 0, 1), Rule::OpState);
    bench.allowed(CACHE_PROGRAM, spot(0, P0, 0, 1));
    bench.only_from(times.end, "Page_Program_SLC", spot(0, P0, 0, 1), Rule::OpState);
}

#[test]
fn a_state_affecting_operation_cuts_the_window_it_starts_in() {
    let mut bench = Bench::new();
    bench.fill(spot(0, P0, 0, 1));
    let read = bench.start(PLANE_READ, spot(0, P0, 0, 0));
    bench.at(read.busy_end + TICK);
    assert_eq!(bench.device.first_window_end(Die(0), bench.now), (read.end, read.end));
    let next = bench.start(PLANE_CACHE_READ, spot(0, P0, 0, 1));
    assert!(next.issue_end < read.end, "the window would still be open");
    assert_eq!(bench.device.first_window_end(Die(0), bench.now), (Ticks(u64::MAX), next.busy_end));
    assert_eq!((bench.status(0), bench.key(0, 0)), (SeenStatus::Ready, "PLANE_READ.END"));
    assert!(forbids_nothing(&bench));
    bench.at(next.issue_end);
    assert_eq!(bench.status(0), SeenStatus::Busy);
}

#[test]
fn a_cut_window_stays_shut_after_the_cut() {
    let vary = |profile: &mut Profile| {
        let base = base_of(profile, "CACHE_PROGRAM_SLC");
        for op in profile.ops.iter_mut().filter(|op| op.base == base) {
            *op.durations.last_mut().unwrap() = Ticks::from_us(100_000);
        }
    };
    let mut bench = Bench::of(vary);
    bench.erase(spot(0, P0, 0, 0), "SLC");
    let first = bench.start(CACHE_PROGRAM, spot(0, P0, 0, 0));
    bench.at(first.busy_end);
    let second = bench.start(CACHE_PROGRAM, spot(0, P0, 0, 1));
    bench.at(second.end);
    assert!(bench.now > first.end);
    assert_eq!(bench.key(0, 0), "CACHE_PROGRAM_SLC.END");
    bench.allowed("Page_Program_SLC", spot(0, P0, 0, 2));
}

#[test]
fn an_operation_that_affects_no_state_leaves_the_window_open() {
    let mut bench = Bench::new();
    bench.fill(spot(0, P0, 0, 1));
    bench.run(PLANE_READ, spot(0, P0, 0, 0));
    let read = bench.start(PLANE_CACHE_READ, spot(0, P0, 0, 1));
    bench.at(read.busy_end);
    let out = bench.run("Enhanced_Random_Data_Output_4K_Secondary", celled(spot(0, P0, 0, 0), SLC));
    assert!(out.end < read.end);
    assert_eq!((bench.status(0), bench.key(0, 0)), (SeenStatus::ExtReady, "PLANE_CACHE_READ.DATA_OUT"));
    bench.refused(PLANE_READ, spot(0, P0, 0, 1), Rule::OpState);
    bench.at(read.end);
    assert_eq!(bench.status(0), SeenStatus::Ready);
    assert!(forbids_nothing(&bench));
}

#[test]
fn what_is_forbidden_after_an_operation_shapes_proposals_and_is_no_rule() {
    let vary = |profile: &mut Profile| {
        let group = forbid(profile, &["READID"]);
        let end = profile.phase_key(base_of(profile, "ERASE"), None).unwrap();
        profile.exclusions.by_op_state.push((end, vec![group]));
    };
    let mut bench = Bench::of(vary);
    bench.run(ERASE, spot(0, P0, 0, 0));
    assert_eq!(bench.key(0, 0), "ERASE.END");
    bench.allowed(READ_ID, die(0));
}

#[test]
fn entries_of_one_op_state_add_up() {
    let vary = |profile: &mut Profile| {
        let base = base_of(profile, "ERASE");
        let busy = profile.phase_key(base, Some(PhaseKind::CoreBusy)).unwrap();
        let groups = vec![forbid(profile, &["TRAINING"]), forbid(profile, &["SR"])];
        profile.exclusions.by_op_state.push((busy, groups));
    };
    let mut bench = Bench::of(vary);
    let times = bench.start(ERASE, spot(0, P0, 0, 0));
    bench.at(times.issue_end);
    bench.refused("DCC_training", die(0), Rule::OpState);
    bench.refused("Read_Status_Enhanced_70h", die(0), Rule::OpState);
    bench.refused(READ_ID, die(0), Rule::OpState);
    bench.allowed("ZQ_Calibration_Short", die(0));
    bench.only_from(times.busy_end, "DCC_training", die(0), Rule::OpState);
}

#[test]
fn an_operation_is_not_judged_against_the_state_it_sets_itself() {
    let vary = |profile: &mut Profile| {
        let base = base_of(profile, "ERASE");
        let busy = profile.phase_key(base, Some(PhaseKind::CoreBusy)).unwrap();
        let group = forbid(profile, &["ERASE"]);
        profile.exclusions.by_op_state.push((busy, vec![group]));
    };
    let mut bench = Bench::of(vary);
    bench.run(ERASE, spot(0, P0, 0, 0));
    bench.run(ERASE, spot(0, P0, 0, 0));
}
