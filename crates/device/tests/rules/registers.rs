//! What page registers, output registers and latches hold: `dout_source`, `unread_data`, `oneshot_order`, `copyback_source`.

use nandseq_device::{Place, PlaneLogic, Rule};
use nandseq_profile::model::{DeviceState, LatchLevel};
use nandseq_profile::{Die, Plane};

use crate::bench::{A0SLC, BOTH, Bench, P0, P1, SLC, TICK, celled, die, spot};

const ERASE: &str = "Block_Erase_SLC";
const READ: &str = "Read_SLC";
const DATA_OUT: &str = "Enhanced_Random_Data_Output_Primary";
const PROGRAM: &str = "Page_Program_SLC";
const COPYBACK_READ: &str = "Copyback_Read_SLC";
const COPYBACK_PROGRAM: &str = "Copyback_Program_SLC";
const LSB: &str = "One_Shot_PGM_LSB";
const CSB: &str = "One_Shot_PGM_CSB";
const MSB: &str = "One_Shot_PGM_MSB";
const MSB_23H: &str = "One_Shot_PGM_MSB_23h";
const CACHE: &str = "Cache_Program_MSB";
const EXECUTE: &str = "One_Shot_PGM_Execution_MSB";

fn slc(place: Place) -> Place {
    celled(place, SLC)
}

/// Two groups of two pages each on both planes of die 0, one more group erased.
fn filled() -> Bench {
    let mut bench = Bench::new();
    bench.fill(spot(0, BOTH, 0, 1));
    bench.fill(spot(0, BOTH, 1, 1));
    bench.erase(spot(0, BOTH, 2, 0), "SLC");
    bench
}

#[test]
fn data_output_needs_a_valid_register_on_its_plane() {
    let mut bench = filled();
    bench.refused(DATA_OUT, slc(spot(0, P0, 0, 0)), Rule::DoutSource);
    bench.run(READ, spot(0, P0, 0, 0));
    bench.allowed(DATA_OUT, slc(spot(0, P0, 0, 0)));
    bench.refused(DATA_OUT, slc(spot(0, P1, 0, 0)), Rule::DoutSource);
    bench.refused(DATA_OUT, slc(spot(1, P0, 0, 0)), Rule::DoutSource);
}

#[test]
fn data_output_carries_exactly_what_the_register_holds() {
    let mut bench = filled();
    bench.run(READ, spot(0, P0, 1, 1));
    bench.allowed(DATA_OUT, slc(spot(0, P0, 1, 1)));
    for wrong in [slc(spot(0, P0, 1, 0)), slc(spot(0, P0, 0, 1)), celled(spot(0, P0, 1, 1), A0SLC)] {
        bench.refused(DATA_OUT, wrong, Rule::DoutSource);
    }
}

#[test]
fn the_register_is_filled_when_the_array_is_done() {
    let mut bench = filled();
    let read = bench.start(READ, spot(0, P0, 0, 0));
    bench.at(read.busy_end - TICK);
    assert_eq!(bench.device.logic(Die(0)).planes.plane(Plane(0)).output, None);
    bench.refused(DATA_OUT, slc(spot(0, P0, 0, 0)), Rule::OpState);
    bench.at(read.busy_end);
    bench.allowed(DATA_OUT, slc(spot(0, P0, 0, 0)));
}

#[test]
fn data_may_be_output_again_as_long_as_the_register_is_valid() {
    let mut bench = filled();
    bench.run(READ, spot(0, P0, 0, 0));
    for _ in 0..3 {
        bench.run(DATA_OUT, slc(spot(0, P0, 0, 0)));
    }
    bench.run("Read_ID_JEDEC", die(0));
    bench.allowed(DATA_OUT, slc(spot(0, P0, 0, 0)));
}

#[test]
fn a_multi_plane_read_fills_every_register_of_its_own_block() {
    let mut bench = filled();
    bench.run("Read_Multi_Plane_ONFI_SLC", spot(0, BOTH, 1, 0));
    for plane in [P0, P1] {
        bench.allowed(DATA_OUT, slc(spot(0, plane, 1, 0)));
    }
    bench.run(DATA_OUT, slc(spot(0, P0, 1, 0)));
    assert!(!bench.device.logic(Die(0)).planes.plane(Plane(0)).unread);
    assert!(bench.device.logic(Die(0)).planes.plane(Plane(1)).unread);
}

#[test]
fn an_erase_or_program_invalidates_the_registers_of_its_planes_from_its_start() {
    for (name, place) in
        [(ERASE, spot(0, P0, 3, 0)), (PROGRAM, spot(0, P0, 2, 0)), ("All_WL_Dummy_Program", spot(0, P0, 2, 0))]
    {
        let mut bench = filled();
        bench.run("Read_Multi_Plane_ONFI_SLC", spot(0, BOTH, 0, 0));
        for plane in [P0, P1] {
            bench.run(DATA_OUT, slc(spot(0, plane, 0, 0)));
        }
        let times = bench.start(name, place);
        let planes = bench.device.logic(Die(0)).planes;
        assert!(planes.page(Plane(0)).is_none() && planes.output(Plane(0)).is_none(), "{name}");
        bench.at(times.end);
        bench.refused(DATA_OUT, slc(spot(0, P0, 0, 0)), Rule::DoutSource);
        bench.allowed(DATA_OUT, slc(spot(0, P1, 0, 0)));
    }
}

#[test]
fn unread_data_is_not_overwritten_until_its_output_ends() {
    let writers = [
        (ERASE, spot(0, P0, 3, 0)),
        ("Block_Erase_Multi_Plane_ONFI_SLC", spot(0, BOTH, 3, 0)),
        (PROGRAM, spot(0, P0, 2, 0)),
        ("All_WL_Dummy_Program", spot(0, P0, 2, 0)),
        ("Cache_Program_SLC", spot(0, P0, 2, 0)),
        (READ, spot(0, P0, 0, 1)),
        (READ, spot(0, P0, 0, 0)),
        ("Read_Multi_Plane_ONFI_SLC", spot(0, BOTH, 0, 0)),
        (COPYBACK_READ, spot(0, P0, 0, 1)),
    ];
    for (name, place) in writers {
        let mut bench = filled();
        bench.run(READ, spot(0, P0, 0, 0));
        bench.refused(name, place, Rule::UnreadData);
        let out = bench.start(DATA_OUT, slc(spot(0, P0, 0, 0)));
        bench.only_from(out.end, name, place, Rule::UnreadData);
    }
}

#[test]
fn a_load_of_a_oneshot_program_overwrites_data_too() {
    let mut bench = filled();
    bench.erase(spot(0, P0, 3, 0), "TLC");
    bench.run(READ, spot(0, P0, 0, 0));
    bench.refused(LSB, spot(0, P0, 3, 0), Rule::UnreadData);
    bench.run(DATA_OUT, slc(spot(0, P0, 0, 0)));
    bench.allowed(LSB, spot(0, P0, 3, 0));
}

#[test]
fn unread_data_is_a_matter_of_its_own_plane() {
    let mut bench = filled();
    bench.run(READ, spot(0, P0, 0, 0));
    bench.allowed(READ, spot(0, P1, 0, 0));
    bench.allowed(ERASE, spot(0, P1, 3, 0));
    bench.allowed(PROGRAM, spot(0, P1, 2, 0));
    bench.allowed("DSL_Vth_Check", spot(0, P0, 3, 0));
}

/// The latch tables taken out, so that only the order speaks; two groups of both planes erased as TLC.
fn order_only() -> Bench {
    let levels = [LatchLevel::Lsb, LatchLevel::Csb, LatchLevel::Msb];
    let states = levels.map(DeviceState::LatchOn);
    let mut bench = Bench::of(|profile| profile.exclusions.by_state.retain(|(state, _)| !states.contains(state)));
    bench.erase(spot(0, BOTH, 0, 0), "TLC");
    bench.erase(spot(0, BOTH, 1, 0), "TLC");
    bench
}

#[track_caller]
fn assert_next(bench: &Bench, place: Place, next: &[&str]) {
    for name in [CSB, MSB, MSB_23H, CACHE, EXECUTE] {
        let expected = if next.contains(&name) { Ok(()) } else { Err(Rule::OneshotOrder) };
        assert_eq!(bench.judge(name, place), expected, "{name}");
    }
    bench.allowed(LSB, place);
}

#[test]
fn each_step_of_a_oneshot_program_needs_the_latch_before_it() {
    let mut bench = order_only();
    let page = spot(0, P0, 0, 0);
    assert_next(&bench, page, &[]);
    bench.run(LSB, page);
    assert_next(&bench, page, &[CSB]);
    bench.run(CSB, page);
    assert_next(&bench, page, &[MSB, MSB_23H, CACHE, EXECUTE]);
    bench.run(MSB, page);
    assert_next(&bench, page, &[EXECUTE]);
    bench.run(EXECUTE, page);
    assert_next(&bench, spot(0, P0, 0, 1), &[]);
}

#[test]
fn the_latch_counts_from_the_end_of_its_load() {
    let mut bench = order_only();
    let page = spot(0, P0, 0, 0);
    let load = bench.start(LSB, page);
    bench.at(load.end - TICK);
    let base = bench.base("ONESHOT_PROGRAM_CSB");
    let order = |bench: &Bench| bench.device.logic(Die(0)).judge(&bench.tables, base, &page, bench.device.planes());
    assert_eq!(order(&bench), Err(Rule::OneshotOrder));
    bench.at(load.end);
    assert_eq!(order(&bench), Ok(()));
}

#[test]
fn each_step_of_a_oneshot_program_has_the_address_of_the_one_before() {
    for (loads, step) in
        [(&[LSB][..], CSB), (&[LSB, CSB][..], MSB), (&[LSB, CSB][..], MSB_23H), (&[LSB, CSB, MSB][..], EXECUTE)]
    {
        let mut bench = order_only();
        for name in loads {
            bench.run(name, spot(0, P0, 0, 0));
        }
        bench.allowed(step, spot(0, P0, 0, 0));
        bench.refused(step, spot(0, P0, 1, 0), Rule::OneshotOrder);
        bench.refused(step, spot(0, P1, 0, 0), Rule::OneshotOrder);
        bench.refused(&step.replace("PGM_", "PGM_Multi_Plane_"), spot(0, BOTH, 0, 0), Rule::OneshotOrder);
    }
}

#[test]
fn a_latch_loaded_for_another_page_of_the_block_does_not_serve() {
    // On a device the address rules speak first; the die's own state says the same.
    let mut bench = order_only();
    bench.run(LSB, spot(0, P0, 0, 0));
    let judged = |page| {
        let place = spot(0, P0, 0, page);
        bench.device.logic(Die(0)).judge(
            &bench.tables,
            bench.base("ONESHOT_PROGRAM_CSB"),
            &place,
            bench.device.planes(),
        )
    };
    assert_eq!((judged(0), judged(1)), (Ok(()), Err(Rule::OneshotOrder)));
}

#[test]
fn each_die_has_its_own_latch() {
    let mut bench = order_only();
    bench.erase(spot(1, P0, 0, 0), "TLC");
    bench.run(LSB, spot(0, P0, 0, 0));
    bench.refused(CSB, spot(1, P0, 0, 0), Rule::OneshotOrder);
}

#[test]
fn a_copyback_program_needs_a_copyback_read_on_every_target_plane() {
    let mut bench = filled();
    bench.refused(COPYBACK_PROGRAM, spot(0, P0, 2, 0), Rule::CopybackSource);
    bench.run(READ, spot(0, P0, 0, 0));
    bench.run(DATA_OUT, slc(spot(0, P0, 0, 0)));
    bench.refused(COPYBACK_PROGRAM, spot(0, P0, 2, 0), Rule::CopybackSource);
    bench.run(COPYBACK_READ, spot(0, P0, 0, 0));
    bench.allowed(COPYBACK_PROGRAM, spot(0, P0, 2, 0));
    bench.refused(COPYBACK_PROGRAM, spot(0, P1, 2, 0), Rule::CopybackSource);
    bench.refused("Copyback_Program_Multi_Plane_SLC_ONFI", spot(0, BOTH, 2, 0), Rule::CopybackSource);
    bench.run(COPYBACK_READ, spot(0, P1, 1, 1));
    bench.allowed("Copyback_Program_Multi_Plane_SLC_ONFI", spot(0, BOTH, 2, 0));
}

#[test]
fn a_copyback_program_overwrites_its_source_read_or_unread() {
    for output in [false, true] {
        let mut bench = filled();
        bench.run(COPYBACK_READ, spot(0, P0, 0, 0));
        if output {
            bench.run(DATA_OUT, slc(spot(0, P0, 0, 0)));
        }
        let expected = if output { Ok(()) } else { Err(Rule::UnreadData) };
        assert_eq!(bench.judge(PROGRAM, spot(0, P0, 2, 0)), expected);
        bench.run(COPYBACK_PROGRAM, spot(0, P0, 2, 0));
        bench.refused(COPYBACK_PROGRAM, spot(0, P0, 2, 1), Rule::CopybackSource);
    }
}

#[test]
fn a_cache_read_takes_the_copyback_source_away() {
    let mut bench = filled();
    bench.run(COPYBACK_READ, spot(0, P0, 0, 0));
    bench.run("Plane_Level_Cache_Read_SLC", spot(0, P0, 0, 1));
    let base = bench.base("COPYBACK_PROGRAM_SLC");
    let mut logic = *bench.device.logic(Die(0));
    logic.planes.set_plane(Plane(0), PlaneLogic { cache_read: None, ..logic.planes.plane(Plane(0)) });
    let judged = logic.judge(&bench.tables, base, &slc(spot(0, P0, 2, 0)), bench.device.planes());
    assert_eq!(judged, Err(Rule::CopybackSource));
}

#[test]
fn every_step_of_a_oneshot_copyback_needs_its_own_source_and_the_copyback_latch() {
    let (lsb, csb, execute) =
        ("One_Shot_Copyback_Program_LSB", "One_Shot_Copyback_Program_CSB", "One_Shot_Copyback_Program_Execution_MSB");
    let mut bench = filled();
    let page = spot(0, P0, 3, 0);
    bench.erase(page, "TLC");
    bench.refused(lsb, page, Rule::CopybackSource);
    bench.run(COPYBACK_READ, spot(0, P0, 0, 0));
    bench.refused(csb, page, Rule::OneshotOrder);
    bench.refused(execute, page, Rule::OneshotOrder);
    bench.run(lsb, page);
    bench.refused(csb, page, Rule::CopybackSource);
    bench.refused(CSB, page, Rule::OneshotOrder);
    bench.run(COPYBACK_READ, spot(0, P0, 0, 1));
    bench.refused(execute, page, Rule::OneshotOrder);
    bench.run(csb, page);
    bench.run(COPYBACK_READ, spot(0, P0, 1, 0));
    let program = bench.start(execute, page);
    bench.at(program.end - TICK);
    assert!(bench.device.logic(Die(0)).copyback.is_some());
    bench.at(program.end);
    assert!(bench.device.logic(Die(0)).copyback.is_none());
    assert_eq!(bench.device.book.record(Die(0), nandseq_profile::Block(6)).pages, 1);
}
