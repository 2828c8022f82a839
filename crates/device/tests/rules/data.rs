//! Whose data registers, latches and pages hold, and what a status read sees of suspensions.

use nandseq_device::Place;
use nandseq_profile::model::{Axis, DeviceState, Expectations};
use nandseq_profile::{Page, Ticks};

use crate::bench::{BOTH, Bench, P0, P1, SLC, TICK, TLC, celled, die, spot};

fn slc(place: Place) -> Place {
    celled(place, SLC)
}

fn tlc(place: Place) -> Place {
    celled(place, TLC)
}

/// Loads a page of a place level by level. Returns the uids of the loads of LSB, CSB and, if asked for, MSB.
fn load(bench: &mut Bench, place: Place, with_msb: bool) -> [u64; 3] {
    let lsb = bench.uid("One_Shot_PGM_LSB", place);
    let csb = bench.uid("One_Shot_PGM_CSB", place);
    [lsb, csb, if with_msb { bench.uid("One_Shot_PGM_MSB", place) } else { 0 }]
}

/// What reads of the three levels of a page put out.
fn levels(bench: &mut Bench, place: Place) -> [Option<u64>; 3] {
    ["LSB", "CSB", "MSB"].map(|level| {
        bench.run(&format!("Read_{level}"), place);
        bench.put_out(tlc(place))[0]
    })
}

#[test]
fn a_program_brings_data_of_its_own_which_every_later_read_puts_out() {
    let mut bench = Bench::with_data();
    bench.erase(spot(0, P0, 0, 0), "SLC");
    let first = bench.uid("Page_Program_SLC", spot(0, P0, 0, 0));
    assert_eq!(bench.passed(), [Some(first)]);
    let second = bench.uid("Page_Program_SLC", spot(0, P0, 0, 1));
    for (page, uid) in [(1, second), (0, first)] {
        bench.run("Read_SLC", spot(0, P0, 0, page));
        assert_eq!(bench.passed(), [], "a read passes no data on the bus");
        assert_eq!(bench.put_out(slc(spot(0, P0, 0, page))), [Some(uid)]);
        assert_eq!(bench.put_out(slc(spot(0, P0, 0, page))), [Some(uid)], "output again");
    }
}

#[test]
fn an_erase_and_a_new_program_give_a_page_other_data() {
    let mut bench = Bench::with_data();
    for _ in 0..2 {
        bench.erase(spot(0, P0, 0, 0), "SLC");
        let uid = bench.uid("Page_Program_SLC", spot(0, P0, 0, 0));
        bench.run("Read_SLC", spot(0, P0, 0, 0));
        assert_eq!(bench.put_out(slc(spot(0, P0, 0, 0))), [Some(uid)]);
    }
}

#[test]
fn a_multi_plane_operation_has_one_uid_for_all_its_targets() {
    let mut bench = Bench::with_data();
    bench.erase(spot(0, BOTH, 0, 0), "SLC");
    let uid = bench.uid("Page_Program_Multi_Plane_ONFI_SLC", spot(0, BOTH, 0, 0));
    assert_eq!(bench.passed(), [Some(uid); 2]);
    let alone = bench.uid("Page_Program_SLC", spot(0, P1, 0, 1));
    bench.run("Read_Multi_Plane_ONFI_SLC", spot(0, BOTH, 0, 0));
    assert_eq!(bench.put_out(slc(spot(0, P0, 0, 0))), [Some(uid)]);
    assert_eq!(bench.put_out(slc(spot(0, P1, 0, 0))), [Some(uid)]);
    bench.run("Read_SLC", spot(0, P1, 0, 1));
    assert_eq!(bench.put_out(slc(spot(0, P1, 0, 1))), [Some(alone)]);
}

#[test]
fn a_page_of_three_levels_holds_the_data_of_its_loads_and_of_its_program() {
    let mut bench = Bench::with_data();
    bench.erase(spot(0, P0, 0, 0), "TLC");
    let [lsb, csb, _] = load(&mut bench, spot(0, P0, 0, 0), false);
    let program = bench.uid("One_Shot_PGM_MSB_23h", spot(0, P0, 0, 0));
    assert_eq!(bench.passed(), [Some(program)]);
    assert_eq!(levels(&mut bench, spot(0, P0, 0, 0)), [lsb, csb, program].map(Some));
}

#[test]
fn an_execution_carries_the_load_of_the_msb_page_and_its_own_data_without_one() {
    let mut bench = Bench::with_data();
    bench.erase(spot(0, P0, 0, 0), "TLC");
    let loads = load(&mut bench, spot(0, P0, 0, 0), true);
    bench.run("One_Shot_PGM_Execution_MSB", spot(0, P0, 0, 0));
    assert_eq!(bench.passed(), [Some(loads[2])]);
    assert_eq!(levels(&mut bench, spot(0, P0, 0, 0)), loads.map(Some));
    let [lsb, csb, _] = load(&mut bench, spot(0, P0, 0, 1), false);
    let program = bench.uid("One_Shot_PGM_Execution_MSB", spot(0, P0, 0, 1));
    assert_eq!(bench.passed(), [Some(program)]);
    assert_eq!(levels(&mut bench, spot(0, P0, 0, 1)), [lsb, csb, program].map(Some));
}

#[test]
fn a_cache_read_and_its_end_put_out_the_page_before() {
    let mut bench = Bench::with_data();
    bench.erase(spot(0, P0, 0, 0), "SLC");
    let uids: Vec<u64> = (0..3).map(|page| bench.uid("Page_Program_SLC", spot(0, P0, 0, page))).collect();
    bench.run("Read_SLC", spot(0, P0, 0, 2));
    let read = bench.start("Read_Cache_Random_SLC", spot(0, P0, 0, 0));
    bench.at(read.busy_end);
    assert_eq!(bench.put_out(slc(spot(0, P0, 0, 2))), [Some(uids[2])]);
    bench.at(read.end.max(bench.now));
    bench.run("Read_Cache_Random_SLC", spot(0, P0, 0, 1));
    assert_eq!(bench.put_out(slc(spot(0, P0, 0, 0))), [Some(uids[0])]);
    bench.run("Read_Cache_End", slc(spot(0, P0, 0, 1)));
    assert_eq!(bench.put_out(slc(spot(0, P0, 0, 1))), [Some(uids[1])]);
}

#[test]
fn a_copyback_program_takes_the_data_of_the_register_along_and_carries_none() {
    let mut bench = Bench::with_data();
    bench.erase(spot(0, P0, 0, 0), "SLC");
    bench.erase(spot(0, P0, 1, 0), "SLC");
    let uid = bench.uid("Page_Program_SLC", spot(0, P0, 0, 0));
    bench.run("Copyback_Read_SLC", spot(0, P0, 0, 0));
    bench.run("Copyback_Program_SLC", spot(0, P0, 1, 0));
    assert_eq!(bench.passed(), []);
    bench.run("Read_SLC", spot(0, P0, 1, 0));
    assert_eq!(bench.put_out(slc(spot(0, P0, 1, 0))), [Some(uid)]);
}

#[test]
fn copyback_loads_take_the_register_level_by_level() {
    let mut bench = Bench::with_data();
    bench.erase(spot(0, P0, 0, 0), "SLC");
    bench.erase(spot(0, P0, 1, 0), "TLC");
    let uids: Vec<u64> = (0..3).map(|page| bench.uid("Page_Program_SLC", spot(0, P0, 0, page))).collect();
    for (page, name) in (0..).zip(["LSB", "CSB", "Execution_MSB"]) {
        bench.run("Copyback_Read_SLC", spot(0, P0, 0, page));
        bench.run(&format!("One_Shot_Copyback_Program_{name}"), spot(0, P0, 1, 0));
        assert_eq!(bench.passed(), []);
    }
    let found = levels(&mut bench, spot(0, P0, 1, 0));
    assert_eq!(found.to_vec(), uids.into_iter().map(Some).collect::<Vec<_>>());
}

#[test]
fn the_program_that_closes_a_block_fills_the_pages_that_it_closes() {
    let mut bench = Bench::with_data();
    bench.erase(spot(0, P0, 0, 0), "SLC");
    let first = bench.uid("Page_Program_SLC", spot(0, P0, 0, 0));
    let close = bench.uid("All_WL_Dummy_Program", spot(0, P0, 0, 1));
    assert_eq!(bench.passed(), [Some(close)]);
    for (page, uid) in [(0, first), (1, close), (3, close)] {
        bench.run("Read_SLC", spot(0, P0, 0, page));
        assert_eq!(bench.put_out(slc(spot(0, P0, 0, page))), [Some(uid)]);
    }
}

#[test]
fn a_recovery_read_gives_the_data_of_the_suspended_program_at_its_level() {
    // The built-in device suspends no program while its latch is loaded.
    let mut bench = Bench::of(|profile| {
        profile.expect(Expectations { data: true, full_status: false });
        profile.exclusions.by_state.retain(|(state, _)| !matches!(state, DeviceState::LatchOn(_)));
    });
    bench.erase(spot(0, P0, 0, 0), "TLC");
    let [lsb, csb, _] = load(&mut bench, spot(0, P0, 0, 0), false);
    let program = bench.start("One_Shot_PGM_MSB_23h", spot(0, P0, 0, 0));
    let uid = bench.last();
    bench.at(program.issue_end + Ticks::from_us(100));
    bench.run("Program_Suspend_Reset", die(0));
    for (level, expected) in [("LSB", lsb), ("CSB", csb), ("MSB", uid)] {
        bench.run(&format!("Read_write_conflict_Fire_N_Forget_{level}"), tlc(spot(0, P0, 0, 0)));
        assert_eq!(bench.put_out(tlc(spot(0, P0, 0, 0))), [Some(expected)], "{level}");
    }
    let resume = bench.run("Program_Resume", die(0));
    bench.at(resume.end + Ticks::from_us(2_000));
    assert_eq!(levels(&mut bench, spot(0, P0, 0, 0)), [lsb, csb, uid].map(Some));
}

#[test]
fn data_that_a_program_commits_is_found_at_its_start() {
    let mut bench = Bench::with_data();
    bench.erase(spot(0, P0, 0, 0), "SLC");
    bench.erase(spot(0, P0, 1, 0), "SLC");
    let uids: Vec<u64> = (0..2).map(|page| bench.uid("Page_Program_SLC", spot(0, P0, 0, page))).collect();
    bench.run("Copyback_Read_SLC", spot(0, P0, 0, 0));
    let program = bench.start("Copyback_Program_SLC", spot(0, P0, 1, 0));
    bench.at(program.issue_end + Ticks::from_us(100));
    bench.run("Program_Suspend_Reset", die(0));
    // The register holds another page when the program goes on.
    bench.run("Read_SLC", spot(0, P0, 0, 1));
    assert_eq!(bench.put_out(slc(spot(0, P0, 0, 1))), [Some(uids[1])]);
    let resume = bench.run("Program_Resume", die(0));
    bench.at(resume.end + Ticks::from_us(300));
    bench.run("Read_SLC", spot(0, P0, 1, 0));
    assert_eq!(bench.put_out(slc(spot(0, P0, 1, 0))), [Some(uids[0])]);
}

#[test]
fn a_program_that_a_reset_cuts_leaves_nothing() {
    let mut bench = Bench::with_data();
    bench.erase(spot(0, P0, 0, 0), "SLC");
    let cut = bench.start("Page_Program_SLC", spot(0, P0, 0, 0));
    bench.at(cut.issue_end + TICK);
    bench.run("Super_Reset", die(0));
    bench.erase(spot(0, P0, 0, 0), "SLC");
    let uid = bench.uid("Page_Program_SLC", spot(0, P0, 0, 0));
    bench.run("Read_SLC", spot(0, P0, 0, 0));
    assert_eq!(bench.put_out(slc(spot(0, P0, 0, 0))), [Some(uid)]);
}

#[test]
fn nobody_can_tell_the_data_of_a_read_without_a_level() {
    let mut bench = Bench::of(|profile| {
        profile.expect(Expectations { data: true, full_status: false });
        for op in profile.ops.iter_mut() {
            op.reads = None;
        }
    });
    bench.erase(spot(0, BOTH, 0, 0), "TLC");
    bench.erase(spot(0, P0, 1, 0), "SLC");
    load(&mut bench, spot(0, P0, 0, 0), false);
    bench.run("One_Shot_PGM_MSB_23h", spot(0, P0, 0, 0));
    bench.run("Read_MSB", spot(0, P0, 0, 0));
    assert_eq!(bench.put_out(tlc(spot(0, P0, 0, 0))), [None]);
    // A copyback moves what nobody can tell.
    bench.run("Copyback_Read_LSB", spot(0, P0, 0, 0));
    bench.run("Copyback_Program_SLC", spot(0, P0, 1, 0));
    bench.run("Read_SLC", spot(0, P0, 1, 0));
    assert_eq!(bench.put_out(slc(spot(0, P0, 1, 0))), [None]);
    let uid = bench.uid("Page_Program_SLC", Place { page: Page(1), ..spot(0, P0, 1, 0) });
    bench.run("Read_SLC", spot(0, P0, 1, 1));
    assert_eq!(bench.put_out(slc(spot(0, P0, 1, 1))), [Some(uid)], "a page with one level needs none");
}

/// Whether a status read of a die sees an erase and a program suspended.
fn seen(bench: &Bench, name: &str, of: u8) -> [bool; 2] {
    let op = bench.tables.op(bench.op(name));
    let seen = bench.device.expected_suspension(&bench.tables, op, &die(of));
    Axis::ALL.map(|axis| seen[axis])
}

#[test]
fn an_axis_is_suspended_from_the_end_of_suspend_to_the_start_of_resume() {
    let mut bench = Bench::with_data();
    let read = "Read_Status_Enhanced_70h";
    let erase = bench.start("Block_Erase_SLC", spot(0, P0, 0, 0));
    bench.at(erase.issue_end + TICK);
    let suspend = bench.start("Erase_Suspend_Reset", die(0));
    bench.at(suspend.busy_end - TICK);
    assert_eq!(seen(&bench, read, 0), [false, false]);
    bench.at(suspend.busy_end);
    assert_eq!(seen(&bench, read, 0), [true, false]);
    // Nested: the program of another block.
    bench.erase(spot(1, P0, 0, 0), "SLC");
    assert_eq!(seen(&bench, read, 1), [false, false]);
    assert_eq!(seen(&bench, "LUN_Status_Read_for_LUN0", 1), [true, false], "a numbered die");
    assert_eq!(seen(&bench, "LUN_Status_Read_for_LUN1", 0), [false, false]);
    let resume = bench.start("Erase_Resume", die(0));
    assert_eq!(seen(&bench, read, 0), [false, false]);
    bench.at(resume.busy_end);
    assert_eq!(seen(&bench, read, 0), [false, false]);
}

#[test]
fn both_axes_are_suspended_when_nested_and_a_reset_ends_both_at_its_start() {
    let mut bench = Bench::with_data();
    let read = "Read_Status_Enhanced_70h";
    bench.erase(spot(0, P1, 1, 0), "SLC");
    let erase = bench.start("Block_Erase_SLC", spot(0, P0, 0, 0));
    bench.at(erase.issue_end + TICK);
    bench.run("Erase_Suspend_Reset", die(0));
    let program = bench.start("Page_Program_SLC", spot(0, P1, 1, 0));
    bench.at(program.issue_end + TICK);
    let suspend = bench.start("Program_Suspend_Reset", die(0));
    assert_eq!(seen(&bench, read, 0), [true, false]);
    bench.at(suspend.busy_end);
    assert_eq!(seen(&bench, read, 0), [true, true]);
    bench.start("Super_Reset", die(0));
    assert_eq!(seen(&bench, read, 0), [false, false]);
}
