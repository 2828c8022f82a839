//! Which blocks and pages an operation may take: `bounds` to `read_celltype`, `in_flight`, `multi_plane_group`.

use nandseq_device::{BlockStage, Place, Rule};
use nandseq_profile::{Block, Die, PlaneSet};

use crate::bench::{A0SLC, ACSLC, AESLC, BOTH, Bench, P0, P1, SLC, TICK, TLC, celled, die, spot};

const ERASE: &str = "Block_Erase_SLC";
const ERASE_BOTH: &str = "Block_Erase_Multi_Plane_ONFI_SLC";
const PROGRAM: &str = "Page_Program_SLC";
const PROGRAM_BOTH: &str = "Page_Program_Multi_Plane_ONFI_SLC";
const READ: &str = "Read_SLC";
const READ_BOTH: &str = "Read_Multi_Plane_ONFI_SLC";
const CLOSE: &str = "All_WL_Dummy_Program";
const CHECK: &str = "DSL_Vth_Check";
const ROW: &str = "Change_Row_Address";

#[test]
fn die_plane_block_and_page_exist() {
    let mut bench = Bench::new();
    bench.fill(spot(0, P0, 3, 3));
    bench.allowed(READ, spot(0, P0, 3, 3));
    bench.refused(READ, spot(2, P0, 3, 3), Rule::Bounds);
    bench.refused(READ, spot(0, 0b100, 3, 3), Rule::Bounds);
    bench.refused(READ, spot(0, P0, 4, 3), Rule::Bounds);
    bench.refused(READ, spot(0, P0, 3, 4), Rule::Bounds);
    bench.refused("Read_ID_JEDEC", die(2), Rule::Bounds);
    bench.refused(ERASE, spot(0, P0, u32::MAX / 2, 0), Rule::Bounds);
}

#[test]
fn the_last_block_group_may_lack_blocks() {
    let mut bench = Bench::of(|profile| profile.topology.blocks_per_die = 7);
    bench.allowed(ERASE, spot(0, P0, 3, 0));
    bench.refused(ERASE, spot(0, P1, 3, 0), Rule::Bounds);
    bench.refused(ERASE_BOTH, spot(0, BOTH, 3, 0), Rule::Bounds);
    bench.run(ERASE_BOTH, spot(1, BOTH, 2, 0));
}

#[test]
fn a_name_that_addresses_a_die_goes_there_and_nowhere_else() {
    let bench = Bench::new();
    bench.allowed("LUN_Status_Read_for_LUN1", die(1));
    bench.refused("LUN_Status_Read_for_LUN1", die(0), Rule::StatusValue);
    for at in [0, 1, 2] {
        bench.refused("LUN_Status_Read_for_LUN2", die(at), Rule::Bounds);
    }
}

#[test]
fn no_array_operation_touches_a_bad_block() {
    let bench = Bench::with_bad(|_| (), &[(Die(0), Block(2))]);
    let bad = spot(0, P0, 1, 0);
    for name in [ERASE, PROGRAM, READ, CLOSE, CHECK, "One_Shot_PGM_LSB", "Copyback_Read_SLC"] {
        bench.refused(name, bad, Rule::BadBlock);
    }
    bench.refused(ERASE_BOTH, spot(0, BOTH, 1, 0), Rule::BadBlock);
    bench.allowed(ERASE, spot(0, P1, 1, 0));
    bench.allowed(ERASE, spot(1, P0, 1, 0));
}

#[test]
fn a_block_is_erased_before_it_is_programmed() {
    let mut bench = Bench::new();
    for name in [PROGRAM, CLOSE, "One_Shot_PGM_LSB", "Cache_Program_SLC"] {
        bench.refused(name, spot(0, P0, 0, 0), Rule::ProgramBeforeErase);
    }
    bench.refused(ROW, celled(spot(0, P0, 0, 0), SLC), Rule::ProgramBeforeErase);
    bench.erase(spot(0, P0, 0, 0), "SLC");
    bench.allowed(PROGRAM, spot(0, P0, 0, 0));
    bench.refused(PROGRAM, spot(0, P1, 0, 0), Rule::ProgramBeforeErase);
    bench.refused(PROGRAM_BOTH, spot(0, BOTH, 0, 0), Rule::ProgramBeforeErase);
}

#[test]
fn pages_are_programmed_in_order_and_once_per_erase() {
    let mut bench = Bench::new();
    bench.erase(spot(0, P0, 0, 0), "SLC");
    for next in 0..4 {
        for page in (0..4).filter(|&page| page != next) {
            bench.refused(PROGRAM, spot(0, P0, 0, page), Rule::ProgramOrder);
        }
        bench.run(PROGRAM, spot(0, P0, 0, next));
    }
    for page in 0..4 {
        bench.refused(PROGRAM, spot(0, P0, 0, page), Rule::ProgramOrder);
    }
    bench.refused(PROGRAM, spot(0, P0, 0, 4), Rule::Bounds);
    bench.erase(spot(0, P0, 0, 0), "SLC");
    bench.allowed(PROGRAM, spot(0, P0, 0, 0));
}

#[test]
fn blocks_of_a_multi_plane_program_stand_at_the_same_page() {
    let mut bench = Bench::new();
    bench.erase(spot(0, BOTH, 0, 0), "SLC");
    bench.run(PROGRAM, spot(0, P1, 0, 0));
    bench.refused(PROGRAM_BOTH, spot(0, BOTH, 0, 0), Rule::ProgramOrder);
    bench.refused(PROGRAM_BOTH, spot(0, BOTH, 0, 1), Rule::ProgramOrder);
    bench.run(PROGRAM, spot(0, P0, 0, 0));
    bench.allowed(PROGRAM_BOTH, spot(0, BOTH, 0, 1));
}

#[test]
fn an_erased_block_takes_what_its_erase_allows() {
    for (erased, name, fits) in [
        ("SLC", "Page_Program_SLC", true),
        ("SLC", "Page_Program_A0SLC", true),
        ("SLC", "Page_Program_ACSLC", true),
        ("SLC", "Page_Program_AESLC", false),
        ("SLC", "One_Shot_PGM_LSB", false),
        ("AESLC", "Page_Program_AESLC", true),
        ("AESLC", "Page_Program_SLC", false),
        ("AESLC", "Page_Program_A0SLC", false),
        ("TLC", "One_Shot_PGM_LSB", true),
        ("TLC", "Page_Program_SLC", false),
        ("TLC", CLOSE, false),
        ("SLC", CLOSE, true),
    ] {
        let mut bench = Bench::new();
        bench.erase(spot(0, P0, 0, 0), erased);
        let expected = if fits { Ok(()) } else { Err(Rule::ProgramCellType) };
        assert_eq!(bench.judge(name, spot(0, P0, 0, 0)), expected, "{name} after {erased}");
    }
}

#[test]
fn an_open_block_keeps_the_cell_type_of_its_first_program() {
    let all = ["SLC", "A0SLC", "ACSLC"];
    for first in all {
        let mut bench = Bench::new();
        bench.erase(spot(0, P0, 0, 0), "SLC");
        bench.program(spot(0, P0, 0, 0), first);
        for next in all {
            let expected = if next == first { Ok(()) } else { Err(Rule::ProgramCellType) };
            let judged = bench.judge(&format!("Page_Program_{next}"), spot(0, P0, 0, 1));
            assert_eq!(judged, expected, "{next} after {first}");
        }
        bench.erase(spot(0, P0, 0, 0), "SLC");
        bench.allowed("Page_Program_SLC", spot(0, P0, 0, 0));
    }
}

#[test]
fn closing_a_block_leaves_all_its_pages_readable_and_none_free() {
    let mut bench = Bench::new();
    bench.fill(spot(0, P0, 0, 0));
    bench.refused(CLOSE, spot(0, P0, 0, 0), Rule::ProgramOrder);
    bench.refused(CLOSE, spot(0, P0, 0, 2), Rule::ProgramOrder);
    bench.run(CLOSE, spot(0, P0, 0, 1));
    assert_eq!(bench.device.book.record(Die(0), Block(0)).pages, 4);
    bench.allowed(READ, spot(0, P0, 0, 3));
    for page in 0..4 {
        bench.refused(PROGRAM, spot(0, P0, 0, page), Rule::ProgramOrder);
    }
    bench.erase(spot(0, P1, 0, 0), "SLC");
    bench.run(CLOSE, spot(0, P1, 0, 0));
    bench.allowed(READ, spot(0, P1, 0, 3));
}

#[test]
fn loads_of_a_oneshot_program_change_no_block_and_its_commit_does() {
    let mut bench = Bench::new();
    let page = spot(0, P0, 0, 0);
    bench.erase(page, "TLC");
    for name in ["One_Shot_PGM_LSB", "One_Shot_PGM_CSB", "One_Shot_PGM_MSB"] {
        bench.run(name, page);
        let record = bench.device.book.record(Die(0), Block(0));
        assert_eq!((record.stage, record.pages, record.in_flight), (BlockStage::Erased(TLC), 0, false));
    }
    bench.run("One_Shot_PGM_Execution_MSB", page);
    let record = bench.device.book.record(Die(0), Block(0));
    assert_eq!((record.stage, record.pages), (BlockStage::Programmed(TLC), 1));
}

#[test]
fn a_row_change_takes_the_next_page_of_a_programmable_block_and_changes_nothing() {
    let mut bench = Bench::new();
    bench.fill(spot(0, P0, 0, 0));
    let next = celled(spot(0, P0, 0, 1), SLC);
    bench.refused(ROW, celled(spot(0, P0, 0, 0), SLC), Rule::ProgramOrder);
    bench.refused(ROW, celled(spot(0, P0, 0, 2), SLC), Rule::ProgramOrder);
    let before = *bench.device.book.record(Die(0), Block(0));
    bench.run(ROW, next);
    assert_eq!(*bench.device.book.record(Die(0), Block(0)), before);
    bench.allowed(ROW, next);
    bench.allowed(PROGRAM, spot(0, P0, 0, 1));
}

#[test]
fn a_threshold_check_takes_any_good_block() {
    let mut bench = Bench::new();
    bench.allowed(CHECK, spot(0, P0, 0, 0));
    bench.fill(spot(0, P0, 0, 0));
    bench.run(CHECK, spot(0, P0, 0, 0));
    assert_eq!(bench.device.book.record(Die(0), Block(0)).pages, 1);
}

#[test]
fn a_page_is_read_once_its_program_is_done() {
    let mut bench = Bench::new();
    bench.refused(READ, spot(0, P0, 0, 0), Rule::ReadBeforeProgram);
    bench.erase(spot(0, P0, 0, 0), "SLC");
    bench.refused(READ, spot(0, P0, 0, 0), Rule::ReadBeforeProgram);
    let program = bench.start(PROGRAM, spot(0, P0, 0, 0));
    bench.only_from(program.end, READ, spot(0, P0, 0, 0), Rule::InFlight);
    bench.refused(READ, spot(0, P0, 0, 1), Rule::ReadBeforeProgram);
    bench.erase(spot(0, P0, 0, 0), "SLC");
    bench.refused(READ, spot(0, P0, 0, 0), Rule::ReadBeforeProgram);
}

#[test]
fn an_offset_guard_keeps_reads_away_from_the_last_programmed_page() {
    for guard in [0u32, 1, 2, 3, 4, u32::MAX] {
        let mut bench = Bench::of(|profile| profile.offset_guard = guard);
        bench.erase(spot(0, P0, 0, 0), "SLC");
        for last in 0..4u16 {
            bench.run(PROGRAM, spot(0, P0, 0, last));
            for page in 0..4u16 {
                let expected = i64::from(page) <= i64::from(last) - i64::from(guard);
                let judged = bench.judge(READ, spot(0, P0, 0, page));
                let expected = if expected { Ok(()) } else { Err(Rule::ReadBeforeProgram) };
                assert_eq!(judged, expected, "page {page} of 0..={last}, guard {guard}");
            }
        }
    }
}

#[test]
fn both_blocks_of_a_multi_plane_read_hold_the_page() {
    let mut bench = Bench::new();
    bench.fill(spot(0, P0, 0, 1));
    bench.fill(spot(0, P1, 0, 0));
    bench.allowed(READ_BOTH, spot(0, BOTH, 0, 0));
    bench.refused(READ_BOTH, spot(0, BOTH, 0, 1), Rule::ReadBeforeProgram);
}

#[test]
fn a_page_is_read_as_the_cell_type_it_is_programmed_as() {
    let mut bench = Bench::new();
    bench.erase(spot(0, BOTH, 0, 0), "SLC");
    bench.program(spot(0, P0, 0, 0), "SLC");
    bench.program(spot(0, P1, 0, 0), "A0SLC");
    bench.allowed(READ, spot(0, P0, 0, 0));
    bench.refused("Read_AESLC", spot(0, P0, 0, 0), Rule::ReadCellType);
    bench.refused("Read_LSB", spot(0, P0, 0, 0), Rule::ReadCellType);
    bench.refused(READ, spot(0, P1, 0, 0), Rule::ReadCellType);
    bench.refused(READ_BOTH, spot(0, BOTH, 0, 0), Rule::ReadCellType);
}

#[test]
fn the_payload_says_the_cell_type_of_the_operation() {
    let mut bench = Bench::new();
    bench.fill(spot(0, P0, 0, 0));
    bench.program_next_as_a0slc();
    bench.refused(READ, celled(spot(0, P0, 1, 0), A0SLC), Rule::ReadCellType);
    bench.refused(PROGRAM, celled(spot(0, P0, 1, 1), A0SLC), Rule::ProgramCellType);
    bench.refused(ERASE, celled(spot(0, P0, 1, 0), TLC), Rule::ProgramCellType);
    bench.refused(CHECK, celled(spot(0, P0, 1, 0), SLC), Rule::ProgramCellType);
    bench.refused("Read_write_conflict_Fire_N_Forget_LSB", celled(spot(0, P0, 1, 0), SLC), Rule::ReadCellType);
    for cell in [SLC, AESLC, ACSLC, TLC] {
        bench.refused("Page_Program_A0SLC", celled(spot(0, P0, 1, 1), cell), Rule::ProgramCellType);
    }
    bench.allowed("Page_Program_A0SLC", celled(spot(0, P0, 1, 1), A0SLC));
}

impl Bench {
    /// Group 1 of plane 0 of die 0, erased as SLC, gets its first page as A0SLC.
    fn program_next_as_a0slc(&mut self) {
        self.erase(spot(0, P0, 1, 0), "SLC");
        self.program(spot(0, P0, 1, 0), "A0SLC");
    }
}

#[test]
fn a_block_is_left_alone_while_it_is_erased_or_programmed() {
    let mut bench = Bench::new();
    bench.fill(spot(0, P0, 0, 0));
    let erase = bench.start(ERASE, spot(0, P0, 0, 0));
    for name in [ERASE, READ, CHECK] {
        bench.refused(name, spot(0, P0, 0, 0), Rule::InFlight);
    }
    bench.refused(PROGRAM, spot(0, P0, 0, 1), Rule::InFlight);
    bench.refused(ROW, celled(spot(0, P0, 0, 1), SLC), Rule::InFlight);
    bench.refused(ERASE, spot(0, P0, 1, 0), Rule::PlaneBusy);
    bench.only_from(erase.end, PROGRAM, spot(0, P0, 0, 0), Rule::InFlight);
    let program = bench.start(PROGRAM, spot(0, P0, 0, 0));
    bench.refused(READ, spot(0, P0, 0, 0), Rule::InFlight);
    bench.only_from(program.end, READ, spot(0, P0, 0, 0), Rule::InFlight);
}

#[test]
fn a_load_has_its_block_in_flight_until_the_array_is_done() {
    let mut bench = Bench::new();
    let page = spot(0, P0, 0, 0);
    bench.erase(page, "TLC");
    let load = bench.start("One_Shot_PGM_LSB", page);
    bench.only_from(load.end, "One_Shot_PGM_CSB", page, Rule::InFlight);
}

#[test]
fn a_cache_program_is_done_with_its_block_when_its_window_opens() {
    let mut bench = Bench::new();
    bench.erase(spot(0, P0, 0, 0), "SLC");
    let times = bench.start("Cache_Program_SLC", spot(0, P0, 0, 0));
    assert!(times.busy_end < times.end);
    bench.only_from(times.busy_end, "Cache_Program_SLC", spot(0, P0, 0, 1), Rule::InFlight);
}

#[test]
fn every_block_of_a_multi_plane_operation_is_in_flight() {
    let mut bench = Bench::new();
    let erase = bench.start(ERASE_BOTH, spot(0, BOTH, 0, 0));
    bench.at(erase.end - TICK);
    for planes in [P0, P1] {
        bench.refused(ERASE, spot(0, planes, 0, 0), Rule::InFlight);
    }
    bench.allowed(ERASE, spot(1, P0, 0, 0));
    bench.at(erase.end);
    assert_eq!(bench.device.book.record(Die(0), Block(1)).stage, BlockStage::Erased(SLC));
}

#[test]
fn what_reads_registers_only_does_not_mind_what_its_block_is() {
    let mut bench = Bench::with_bad(|_| (), &[(Die(0), Block(2))]);
    bench.start(ERASE, spot(0, P0, 0, 0));
    let judged = |base: &str, place: Place| {
        bench.device.book.judge(bench.tables.base(bench.base(base)), &celled(place, SLC), SLC)
    };
    for base in ["DOUT", "CACHE_READ_END"] {
        assert_eq!(judged(base, spot(0, P0, 0, 0)), Ok(()));
        assert_eq!(judged(base, spot(0, P0, 1, 0)), Ok(()));
        assert_eq!(judged(base, spot(0, P0, 4, 0)), Err(Rule::Bounds));
    }
    assert_eq!(judged("READ", spot(0, P0, 0, 0)), Err(Rule::InFlight));
    assert_eq!(judged("RECOVERY_RD", spot(0, P0, 0, 0)), Ok(()));
}

#[test]
fn a_multi_plane_name_has_two_planes_or_more_and_a_single_plane_name_one() {
    let mut bench = Bench::new();
    bench.refused(ERASE, spot(0, BOTH, 0, 0), Rule::MultiPlaneGroup);
    bench.refused(ERASE, spot(0, 0, 0, 0), Rule::MultiPlaneGroup);
    for planes in [0, P0, P1] {
        bench.refused(ERASE_BOTH, spot(0, planes, 0, 0), Rule::MultiPlaneGroup);
    }
    let register = |planes| Place { planes: PlaneSet(planes), ..die(0) };
    bench.allowed("Plane_Level_Set_Parameter", register(P1));
    for planes in [0, BOTH] {
        bench.refused("Plane_Level_Set_Parameter", register(planes), Rule::MultiPlaneGroup);
        bench.refused("Read_Status_Enhanced_71h", register(planes), Rule::MultiPlaneGroup);
    }
    bench.run(ERASE_BOTH, spot(0, BOTH, 0, 0));
}
