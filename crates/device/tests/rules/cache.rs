//! Cache reads and cache programs: the tables of their states (`cache`) and the order they demand (`cache_sequence`).

use nandseq_device::{CacheProgram, Place, Rule};
use nandseq_profile::model::{CacheProgramKind, CacheReadKind};
use nandseq_profile::{Die, Page, Plane, PlaneSet};

use crate::bench::{A0SLC, BOTH, Bench, P0, P1, SLC, TICK, TLC, celled, die, spot};

const READ_ID: &str = "Read_ID_JEDEC";
const ERASE: &str = "Block_Erase_SLC";
const READ: &str = "Read_SLC";
const DATA_OUT: &str = "Enhanced_Random_Data_Output_Primary";
const CACHE_READ: &str = "Read_Cache_Random_SLC";
const CACHE_READ_END: &str = "Read_Cache_End";
const PLANE_READ: &str = "Plane_Level_Page_Read_SLC";
const PLANE_CACHE_READ: &str = "Plane_Level_Cache_Read_SLC";
const PLANE_CACHE_READ_END: &str = "Plane_Level_Cache_Read_End";
const CACHE_PROGRAM: &str = "Cache_Program_SLC";
const PROGRAM: &str = "Page_Program_SLC";

fn slc(place: Place) -> Place {
    celled(place, SLC)
}

/// A bench whose plane 0 has read page 0 of group 0 (four pages programmed on both planes), its data put out.
fn after_read() -> Bench {
    let mut bench = Bench::new();
    bench.fill(spot(0, BOTH, 0, 3));
    bench.run(READ, spot(0, P0, 0, 0));
    bench.run(DATA_OUT, slc(spot(0, P0, 0, 0)));
    bench
}

#[test]
fn a_cache_read_is_on_from_its_start_to_the_end_of_its_end() {
    let mut bench = after_read();
    bench.allowed(READ_ID, die(0));
    let read = bench.start(CACHE_READ, spot(0, P0, 0, 1));
    assert_eq!(bench.device.logic(Die(0)).planes.plane(Plane(0)).cache_read, Some(CacheReadKind::Cache));
    bench.refused(READ_ID, die(0), Rule::Cache);
    bench.at(read.end);
    bench.refused(READ_ID, die(0), Rule::Cache);
    bench.run(DATA_OUT, slc(spot(0, P0, 0, 0)));
    let end = bench.start(CACHE_READ_END, slc(spot(0, P0, 0, 1)));
    bench.at(end.end - TICK);
    assert_eq!(bench.device.logic(Die(0)).planes.plane(Plane(0)).cache_read, Some(CacheReadKind::Cache));
    bench.at(end.end);
    assert_eq!(bench.device.logic(Die(0)).planes.plane(Plane(0)).cache_read, None);
    bench.allowed(READ_ID, die(0));
}

#[test]
fn the_cache_read_state_is_that_of_its_planes() {
    let mut bench = after_read();
    bench.run(CACHE_READ, spot(0, P0, 0, 1));
    bench.refused(READ, spot(0, P0, 0, 1), Rule::Cache);
    bench.allowed(READ, spot(0, P1, 0, 1));
    bench.refused(ERASE, spot(0, P1, 1, 0), Rule::Cache);
    bench.allowed(ERASE, spot(1, P1, 1, 0));
}

#[test]
fn both_kinds_of_cache_read_have_their_own_table() {
    let mut bench = after_read();
    bench.run(CACHE_READ, spot(0, P0, 0, 1));
    bench.run(DATA_OUT, slc(spot(0, P0, 0, 0)));
    bench.allowed(CACHE_READ_END, slc(spot(0, P0, 0, 1)));
    bench.refused(PLANE_CACHE_READ_END, slc(spot(0, P0, 0, 1)), Rule::Cache);
    bench.refused(PLANE_CACHE_READ, spot(0, P0, 0, 2), Rule::Cache);
    let mut bench = after_read();
    bench.run(PLANE_CACHE_READ, spot(0, P0, 0, 1));
    assert_eq!(bench.device.logic(Die(0)).planes.plane(Plane(0)).cache_read, Some(CacheReadKind::PlaneCache));
    bench.run(DATA_OUT, slc(spot(0, P0, 0, 0)));
    bench.allowed(PLANE_CACHE_READ_END, slc(spot(0, P0, 0, 1)));
    bench.refused(CACHE_READ_END, slc(spot(0, P0, 0, 1)), Rule::Cache);
    bench.refused(CACHE_READ, spot(0, P0, 0, 2), Rule::Cache);
}

#[test]
fn a_cache_read_needs_a_page_register_on_every_target_plane() {
    let mut bench = after_read();
    bench.refused(CACHE_READ, spot(0, P1, 0, 1), Rule::CacheSequence);
    bench.refused("Read_Cache_Random_Multi_Plane_ONFI_SLC", spot(0, BOTH, 0, 1), Rule::CacheSequence);
    bench.run(READ, spot(0, P1, 0, 3));
    bench.allowed("Read_Cache_Random_Multi_Plane_ONFI_SLC", spot(0, BOTH, 0, 1));
}

#[test]
fn a_cache_read_needs_a_page_register_of_its_own_cell_type() {
    let mut bench = after_read();
    bench.erase(spot(0, P1, 1, 0), "TLC");
    for name in ["One_Shot_PGM_LSB", "One_Shot_PGM_CSB", "One_Shot_PGM_MSB_23h"] {
        bench.run(name, spot(0, P1, 1, 0));
    }
    bench.run("Read_LSB", spot(0, P1, 1, 0));
    bench.run(DATA_OUT, celled(spot(0, P1, 1, 0), TLC));
    bench.refused(CACHE_READ, spot(0, P1, 0, 0), Rule::CacheSequence);
    bench.allowed("Read_Cache_Random_LSB", spot(0, P1, 1, 0));
}

#[test]
fn the_end_of_a_cache_read_carries_what_the_page_register_holds() {
    let mut bench = after_read();
    bench.run(CACHE_READ, spot(0, P0, 0, 1));
    bench.run(DATA_OUT, slc(spot(0, P0, 0, 0)));
    let right = slc(spot(0, P0, 0, 1));
    bench.allowed(CACHE_READ_END, right);
    for wrong in [slc(spot(0, P0, 0, 0)), slc(spot(0, P0, 1, 1)), slc(spot(0, P1, 0, 1)), celled(right, A0SLC)] {
        bench.refused(CACHE_READ_END, wrong, Rule::CacheSequence);
    }
}

#[test]
fn the_registers_move_when_the_array_is_done() {
    let mut bench = after_read();
    let pages = |bench: &Bench| {
        let plane = bench.device.logic(Die(0)).planes.plane(Plane(0));
        (plane.page.map(|held| held.page.0), plane.output.map(|held| held.page.0), plane.unread)
    };
    let read = bench.start(CACHE_READ, spot(0, P0, 0, 1));
    bench.at(read.busy_end - TICK);
    assert_eq!(pages(&bench), (Some(0), Some(0), false));
    bench.at(read.busy_end);
    assert_eq!(pages(&bench), (Some(1), Some(0), true));
    bench.at(read.end);
    bench.run(DATA_OUT, slc(spot(0, P0, 0, 0)));
    let end = bench.start(CACHE_READ_END, slc(spot(0, P0, 0, 1)));
    bench.at(end.busy_end - TICK);
    assert_eq!(pages(&bench), (Some(1), Some(0), false));
    bench.at(end.busy_end);
    assert_eq!(pages(&bench), (None, Some(1), true));
}

#[test]
fn a_cache_read_overwrites_unread_data_only_of_the_page_that_is_also_in_the_page_register() {
    let mut bench = Bench::new();
    bench.fill(spot(0, BOTH, 0, 3));
    bench.run(READ, spot(0, P0, 0, 0));
    bench.run(CACHE_READ, spot(0, P0, 0, 1));
    bench.refused(CACHE_READ, spot(0, P0, 0, 2), Rule::UnreadData);
    bench.refused(CACHE_READ_END, slc(spot(0, P0, 0, 1)), Rule::UnreadData);
    let out = bench.start(DATA_OUT, slc(spot(0, P0, 0, 0)));
    bench.only_from(out.end, CACHE_READ, spot(0, P0, 0, 2), Rule::UnreadData);
}

#[test]
fn a_page_read_twice_may_be_overwritten_unread() {
    for read in [READ, "Copyback_Read_SLC"] {
        let mut bench = Bench::new();
        bench.fill(spot(0, BOTH, 0, 3));
        bench.run(read, spot(0, P0, 0, 0));
        bench.run(CACHE_READ, spot(0, P0, 0, 0));
        bench.allowed(CACHE_READ, spot(0, P0, 0, 1));
    }
}

#[test]
fn a_plane_cache_read_may_start_in_the_window_of_a_plane_read() {
    let mut bench = Bench::new();
    bench.fill(spot(0, P0, 0, 1));
    let read = bench.start(PLANE_READ, spot(0, P0, 0, 0));
    bench.only_from(read.busy_end, PLANE_CACHE_READ, spot(0, P0, 0, 1), Rule::PlaneBusy);
}

/// A bench with two erased groups on both planes of die 0 and a cache program of page 0 of group 0 on plane 0 done.
fn after_cache_program() -> Bench {
    let mut bench = Bench::new();
    for group in [0, 1] {
        bench.erase(spot(0, BOTH, group, 0), "SLC");
    }
    bench.run(CACHE_PROGRAM, spot(0, P0, 0, 0));
    bench
}

#[test]
fn a_cache_program_is_on_from_its_start_to_the_end_of_the_last_program() {
    let mut bench = Bench::new();
    bench.erase(spot(0, P0, 0, 0), "SLC");
    bench.allowed(READ_ID, die(0));
    let cache = bench.start(CACHE_PROGRAM, spot(0, P0, 0, 0));
    bench.refused(READ_ID, die(0), Rule::Cache);
    bench.refused(READ_ID, die(1), Rule::Bus);
    bench.at(cache.end);
    bench.refused(READ_ID, die(0), Rule::Cache);
    let last = bench.start(PROGRAM, spot(0, P0, 0, 1));
    bench.at(last.end - TICK);
    assert!(bench.device.logic(Die(0)).cache_program.is_some());
    bench.at(last.end);
    assert!(bench.device.logic(Die(0)).cache_program.is_none());
    bench.allowed(READ_ID, die(0));
}

#[test]
fn a_cache_program_goes_on_in_its_own_block() {
    let bench = after_cache_program();
    for name in [CACHE_PROGRAM, PROGRAM, "All_WL_Dummy_Program"] {
        bench.allowed(name, spot(0, P0, 0, 1));
        bench.refused(name, spot(0, P0, 1, 0), Rule::CacheSequence);
        bench.refused(name, spot(0, P1, 0, 0), Rule::CacheSequence);
    }
    bench.refused(ERASE, spot(0, P0, 2, 0), Rule::Cache);
}

#[test]
fn a_cache_program_goes_on_on_the_same_planes() {
    let mut bench = after_cache_program();
    bench.run(PROGRAM, spot(0, P0, 0, 1));
    bench.run(PROGRAM, spot(0, P1, 0, 0));
    bench.run(PROGRAM, spot(0, P1, 0, 1));
    bench.run(CACHE_PROGRAM, spot(0, P0, 0, 2));
    bench.run(PROGRAM, spot(0, P0, 0, 3));
    let multi = "Cache_Program_Multi_Plane_ONFI_SLC";
    bench.run(multi, spot(0, BOTH, 1, 0));
    bench.refused(CACHE_PROGRAM, spot(0, P0, 1, 1), Rule::CacheSequence);
    bench.allowed(multi, spot(0, BOTH, 1, 1));
}

#[test]
fn a_single_plane_cache_program_does_not_go_on_as_a_multi_plane_one() {
    let mut bench = Bench::new();
    bench.erase(spot(0, BOTH, 0, 0), "SLC");
    bench.run(PROGRAM, spot(0, P1, 0, 0));
    bench.run(CACHE_PROGRAM, spot(0, P0, 0, 0));
    bench.refused("Page_Program_Multi_Plane_ONFI_SLC", spot(0, BOTH, 0, 1), Rule::CacheSequence);
    bench.allowed(PROGRAM, spot(0, P0, 0, 1));
}

#[test]
fn a_cache_program_goes_on_with_the_next_page_and_its_cell_type() {
    // On a device the address rules speak first; the die's own state says the same.
    let bench = after_cache_program();
    let logic = *bench.device.logic(Die(0));
    let judged = |place: Place| logic.judge(&bench.tables, bench.base("PROGRAM_SLC"), &place, bench.device.planes());
    let next = slc(spot(0, P0, 0, 1));
    assert_eq!(judged(next), Ok(()));
    for wrong in [
        Place { page: Page(0), ..next },
        Place { page: Page(2), ..next },
        Place { group: 1, ..next },
        Place { planes: PlaneSet(P1), ..next },
        Place { planes: PlaneSet(BOTH), ..next },
        celled(next, A0SLC),
    ] {
        assert_eq!(judged(wrong), Err(Rule::CacheSequence), "{wrong:?}");
    }
}

#[test]
fn the_page_after_the_last_possible_one_does_not_wrap() {
    let bench = Bench::new();
    let place = slc(spot(0, P0, 0, u16::MAX));
    let mut logic = *bench.device.logic(Die(0));
    logic.cache_program = Some(CacheProgram { kind: CacheProgramKind::Slc, place });
    logic.note_states();
    let judged = logic.judge(&bench.tables, bench.base("PROGRAM_SLC"), &slc(spot(0, P0, 0, 0)), bench.device.planes());
    assert_eq!(judged, Err(Rule::CacheSequence));
}

#[test]
fn a_cache_program_of_one_die_is_no_matter_of_another() {
    let mut bench = after_cache_program();
    bench.allowed(READ_ID, die(1));
    bench.erase(spot(1, P0, 0, 0), "SLC");
    bench.allowed(PROGRAM, spot(1, P0, 0, 0));
}

/// A bench with a one-shot cache program of page 0 of group 0 on plane 0 done, and group 1 erased.
fn after_oneshot_cache_program() -> Bench {
    let mut bench = Bench::new();
    for group in [0, 1] {
        bench.erase(spot(0, P0, group, 0), "TLC");
    }
    for name in ["One_Shot_PGM_LSB", "One_Shot_PGM_CSB", "Cache_Program_MSB"] {
        bench.run(name, spot(0, P0, 0, 0));
    }
    bench
}

#[test]
fn a_oneshot_cache_program_goes_on_with_the_loads_of_the_next_page() {
    let mut bench = after_oneshot_cache_program();
    bench.refused(READ_ID, die(0), Rule::Cache);
    bench.refused("One_Shot_PGM_LSB", spot(0, P0, 1, 0), Rule::CacheSequence);
    bench.run("One_Shot_PGM_LSB", spot(0, P0, 0, 1));
    bench.run("One_Shot_PGM_CSB", spot(0, P0, 0, 1));
    let last = bench.start("One_Shot_PGM_MSB_23h", spot(0, P0, 0, 1));
    bench.at(last.end - TICK);
    assert!(bench.device.logic(Die(0)).cache_program.is_some());
    bench.at(last.end);
    assert!(bench.device.logic(Die(0)).cache_program.is_none());
    bench.allowed(READ_ID, die(0));
}

#[test]
fn the_two_kinds_of_cache_program_have_their_own_tables_and_ends() {
    let bench = after_oneshot_cache_program();
    bench.refused(CACHE_PROGRAM, spot(0, P0, 1, 0), Rule::ProgramCellType);
    assert_eq!(bench.device.logic(Die(0)).cache_program.map(|on| on.kind), Some(CacheProgramKind::OneShot));
    let mut logic = *bench.device.logic(Die(0));
    let slc_end = bench.tables.base(bench.base("PROGRAM_SLC"));
    logic.finish(slc_end, &slc(spot(0, P0, 0, 1)));
    assert!(logic.cache_program.is_some(), "another kind's end");
    let judged = logic.judge(&bench.tables, bench.base("PROGRAM_SLC"), &slc(spot(0, P0, 0, 1)), bench.device.planes());
    assert_eq!(judged, Err(Rule::Cache));
    logic.finish(bench.tables.base(bench.base("ONESHOT_PROGRAM_EXEC_MSB")), &celled(spot(0, P0, 0, 1), TLC));
    assert!(logic.cache_program.is_none());
}
