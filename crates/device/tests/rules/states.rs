//! What latches, suspension, termination and write protect forbid: `latch`, `suspend`, `odt`, `write_protect`; and `recovery_target`, `resume_target`.

use nandseq_device::{DieLogic, Place, Rule, Suspended};
use nandseq_profile::model::{Axis, DeviceState, Effect};
use nandseq_profile::{Die, Plane, Profile};

use crate::bench::{BOTH, Bench, P0, P1, SLC, TICK, TLC, celled, die, forbid, spot};

const READ_ID: &str = "Read_ID_JEDEC";
const ERASE: &str = "Block_Erase_SLC";
const READ: &str = "Read_SLC";
const PLANE_READ: &str = "Plane_Level_Page_Read_SLC";
const DATA_OUT: &str = "Enhanced_Random_Data_Output_Primary";
const LSB: &str = "One_Shot_PGM_LSB";
const CSB: &str = "One_Shot_PGM_CSB";
const MSB: &str = "One_Shot_PGM_MSB";
const MSB_23H: &str = "One_Shot_PGM_MSB_23h";
const EXECUTE: &str = "One_Shot_PGM_Execution_MSB";
const RECOVERY: &str = "Read_write_conflict_Fire_N_Forget_LSB";

fn transfer(page: &str) -> String {
    format!("Data_transfer_to_cache_for_{page}_Page_TLC")
}

#[test]
fn a_latch_forbids_from_the_end_of_its_load_to_the_end_of_what_consumes_it() {
    let mut bench = Bench::new();
    let page = spot(0, P0, 0, 0);
    bench.erase(page, "TLC");
    let load = bench.start(LSB, page);
    bench.at(load.end - TICK);
    assert!(bench.device.logic(Die(0)).one_shot.is_none());
    bench.refused(READ_ID, die(0), Rule::OpState);
    bench.at(load.end);
    bench.refused(READ_ID, die(0), Rule::Latch);
    bench.run(CSB, page);
    let program = bench.start(MSB_23H, page);
    bench.refused(READ_ID, die(0), Rule::Latch);
    bench.at(program.end - TICK);
    assert!(bench.device.logic(Die(0)).one_shot.is_some());
    bench.at(program.end);
    assert!(bench.device.logic(Die(0)).one_shot.is_none());
    bench.allowed(READ_ID, die(0));
}

#[test]
fn each_level_of_the_latch_has_its_own_table() {
    let mut bench = Bench::new();
    let page = spot(0, P0, 0, 0);
    bench.erase(page, "TLC");
    let order = [(LSB, "1st"), (CSB, "2nd"), (MSB, "3rd")];
    for (load, own) in order {
        bench.run(load, page);
        for (_, page) in order {
            match page == own {
                true => bench.allowed(&transfer(page), die(0)),
                false => bench.refused(&transfer(page), die(0), Rule::Latch),
            }
        }
    }
    bench.refused(MSB_23H, page, Rule::Latch);
    bench.allowed(EXECUTE, page);
}

#[test]
fn what_may_follow_each_load_is_what_its_table_leaves() {
    let mut bench = Bench::new();
    let page = spot(0, P0, 0, 0);
    bench.erase(page, "TLC");
    bench.run(LSB, page);
    for name in [LSB, MSB, MSB_23H, EXECUTE] {
        bench.refused(name, page, Rule::Latch);
    }
    bench.run(CSB, page);
    for name in [LSB, CSB] {
        bench.refused(name, page, Rule::Latch);
    }
    for name in [MSB, MSB_23H, EXECUTE, "Cache_Program_MSB"] {
        bench.allowed(name, page);
    }
}

#[test]
fn the_latch_of_a_die_is_no_matter_of_another() {
    let mut bench = Bench::new();
    bench.erase(spot(0, P0, 0, 0), "TLC");
    bench.run(LSB, spot(0, P0, 0, 0));
    bench.refused(ERASE, spot(0, P1, 0, 0), Rule::Latch);
    bench.allowed(ERASE, spot(1, P0, 0, 0));
    bench.refused("Write_Protect_Operation", die(1), Rule::Latch);
}

#[test]
fn no_table_looks_at_the_copyback_latch() {
    let mut bench = Bench::new();
    bench.fill(spot(0, P0, 0, 0));
    bench.erase(spot(0, P0, 1, 0), "TLC");
    bench.run("Copyback_Read_SLC", spot(0, P0, 0, 0));
    bench.run("One_Shot_Copyback_Program_LSB", spot(0, P0, 1, 0));
    assert!(bench.device.logic(Die(0)).copyback.is_some());
    bench.allowed(READ_ID, die(0));
    bench.allowed(ERASE, spot(0, P1, 0, 0));
}

/// Unread data forbids READID, ERASE and PLANE_READ.
fn latch_on_read(profile: &mut Profile) {
    let group = forbid(profile, &["READID", "ERASE", "PLANE_READ"]);
    profile.exclusions.by_state.push((DeviceState::LatchOnRead, vec![group]));
}

#[test]
fn unread_data_forbids_what_latch_on_read_lists_until_the_data_is_out() {
    let mut bench = Bench::of(latch_on_read);
    bench.fill(spot(0, BOTH, 0, 0));
    bench.run(READ, spot(0, P0, 0, 0));
    bench.refused(READ_ID, die(0), Rule::Latch);
    bench.refused(PLANE_READ, spot(0, P0, 0, 0), Rule::Latch);
    let out = bench.start(DATA_OUT, celled(spot(0, P0, 0, 0), SLC));
    bench.at(out.end - TICK);
    bench.refused(READ_ID, die(0), Rule::Latch);
    bench.at(out.end);
    bench.allowed(READ_ID, die(0));
    bench.allowed(PLANE_READ, spot(0, P0, 0, 0));
}

#[test]
fn data_is_unread_from_the_moment_the_array_is_done() {
    let mut bench = Bench::of(latch_on_read);
    bench.fill(spot(0, P0, 0, 0));
    let read = bench.start(READ, spot(0, P0, 0, 0));
    bench.at(read.busy_end - TICK);
    assert!(!bench.device.logic(Die(0)).planes.plane(Plane(0)).unread);
    bench.at(read.busy_end);
    assert!(bench.device.logic(Die(0)).planes.plane(Plane(0)).unread);
    assert!(!bench.device.logic(Die(0)).planes.plane(Plane(1)).unread);
}

#[test]
fn latch_on_read_looks_at_the_relevant_planes_of_an_operation() {
    let mut bench = Bench::of(latch_on_read);
    bench.fill(spot(0, BOTH, 0, 0));
    bench.run(READ, spot(0, P1, 0, 0));
    bench.allowed(PLANE_READ, spot(0, P0, 0, 0));
    bench.refused(ERASE, spot(0, P0, 1, 0), Rule::Latch);
    bench.allowed(READ_ID, die(1));
    bench.allowed(ERASE, spot(1, P0, 0, 0));
}

/// The lasting state of die 0 with these operations suspended.
fn suspended(bench: &Bench, erase: Option<Place>, program: Option<Place>) -> DieLogic {
    let held = |place: Option<Place>, base| place.map(|place| Suspended { place, base: bench.base(base) });
    let mut logic = *bench.device.logic(Die(0));
    (logic.erase, logic.program) = (held(erase, "ERASE"), held(program, "PROGRAM_SLC"));
    logic.note_states();
    logic
}

fn judged(bench: &Bench, logic: &DieLogic, name: &str, place: Place) -> Result<(), Rule> {
    let op = bench.op(name);
    logic.judge(&bench.tables, bench.tables.op(op).base, &bench.filled(op, place), bench.device.planes())
}

/// Takes the table of a state out.
fn without(profile: &mut Profile, states: &[DeviceState]) {
    profile.exclusions.by_state.retain(|(state, _)| !states.contains(state));
}

#[test]
fn nothing_suspended_forbids_every_resume() {
    let bench = Bench::new();
    bench.refused("Erase_Resume", die(0), Rule::Suspend);
    bench.refused("Program_Resume", die(0), Rule::Suspend);
}

#[test]
fn a_resume_with_nothing_suspended_is_refused_without_a_table_too() {
    let states = [DeviceState::NotSuspended(Axis::Erase), DeviceState::NotSuspended(Axis::Program)];
    let bench = Bench::of(|profile| without(profile, &states));
    bench.refused("Erase_Resume", die(0), Rule::ResumeTarget);
    bench.refused("Program_Resume", die(0), Rule::ResumeTarget);
}

#[test]
fn both_axes_of_suspension_count_at_once() {
    let bench = Bench::new();
    let erase = suspended(&bench, Some(spot(0, P0, 0, 0)), None);
    let elsewhere = spot(0, P1, 1, 0);
    assert_eq!(judged(&bench, &erase, ERASE, elsewhere), Err(Rule::Suspend));
    assert_eq!(judged(&bench, &erase, "Page_Program_SLC", elsewhere), Ok(()));
    assert_eq!(judged(&bench, &erase, "Erase_Resume", die(0)), Ok(()));
    assert_eq!(judged(&bench, &erase, "Program_Resume", die(0)), Err(Rule::Suspend));
    let program = suspended(&bench, None, Some(spot(0, P0, 0, 0)));
    assert_eq!(judged(&bench, &program, "Page_Program_SLC", elsewhere), Err(Rule::Suspend));
    assert_eq!(judged(&bench, &program, READ, elsewhere), Ok(()));
    assert_eq!(judged(&bench, &program, "Program_Resume", die(0)), Ok(()));
    assert_eq!(judged(&bench, &program, "Erase_Resume", die(0)), Err(Rule::Suspend));
    let both = suspended(&bench, Some(spot(0, P0, 0, 0)), Some(spot(0, P1, 0, 0)));
    assert_eq!(judged(&bench, &both, ERASE, elsewhere), Err(Rule::Suspend));
    assert_eq!(judged(&bench, &both, "Page_Program_SLC", elsewhere), Err(Rule::Suspend));
    assert_eq!(judged(&bench, &both, READ, elsewhere), Ok(()));
}

#[test]
fn a_suspended_program_is_resumed_before_a_suspended_erase() {
    let bench = Bench::of(|profile| without(profile, &[DeviceState::Suspended(Axis::Program)]));
    let both = suspended(&bench, Some(spot(0, P0, 0, 0)), Some(spot(0, P1, 0, 0)));
    assert_eq!(judged(&bench, &both, "Erase_Resume", die(0)), Err(Rule::ResumeTarget));
    assert_eq!(judged(&bench, &both, "Program_Resume", die(0)), Ok(()));
}

#[test]
fn a_resume_waits_for_unread_data_on_the_planes_of_what_it_resumes() {
    let mut bench = Bench::new();
    bench.fill(spot(0, BOTH, 0, 0));
    bench.run(READ, spot(0, P0, 0, 0));
    for (name, erase, program) in
        [("Erase_Resume", Some(spot(0, P0, 1, 0)), None), ("Program_Resume", None, Some(spot(0, BOTH, 1, 0)))]
    {
        let logic = suspended(&bench, erase, program);
        assert_eq!(judged(&bench, &logic, name, die(0)), Err(Rule::UnreadData));
    }
    let other = suspended(&bench, Some(spot(0, P1, 1, 0)), None);
    assert_eq!(judged(&bench, &other, "Erase_Resume", die(0)), Ok(()));
}

#[test]
fn a_resume_invalidates_the_registers_at_its_start_and_ends_the_suspension_at_its_end() {
    let mut bench = Bench::new();
    bench.fill(spot(0, BOTH, 0, 0));
    for plane in [P0, P1] {
        bench.run(READ, spot(0, plane, 0, 0));
        bench.run(DATA_OUT, celled(spot(0, plane, 0, 0), SLC));
    }
    let mut logic = suspended(&bench, Some(spot(0, P0, 1, 0)), None);
    let info = bench.tables.base(bench.base("ERASE_RESUME"));
    logic.start(info, &die(0));
    assert!(logic.planes.plane(Plane(0)).page.is_none() && logic.planes.plane(Plane(0)).output.is_none());
    assert!(logic.planes.plane(Plane(1)).page.is_some() && logic.planes.plane(Plane(1)).output.is_some());
    assert!(logic.erase.is_some());
    logic.finish(info, &die(0));
    assert!(logic.erase.is_none());
}

#[test]
fn a_recovery_read_needs_a_suspended_program_at_its_address() {
    let mut bench = Bench::new();
    bench.fill(spot(0, BOTH, 0, 0));
    bench.refused(RECOVERY, celled(spot(0, P0, 0, 0), TLC), Rule::RecoveryTarget);
    let address = celled(spot(0, P0, 1, 2), TLC);
    let logic = suspended(&bench, None, Some(address));
    assert_eq!(judged(&bench, &logic, RECOVERY, address), Ok(()));
    for other in [
        Place { group: 0, ..address },
        Place { planes: nandseq_profile::PlaneSet(P1), ..address },
        Place { planes: nandseq_profile::PlaneSet(BOTH), ..address },
        Place { page: nandseq_profile::Page(1), ..address },
        Place { die: Die(1), ..address },
    ] {
        assert_eq!(judged(&bench, &logic, RECOVERY, other), Err(Rule::RecoveryTarget), "{other:?}");
    }
    let erase = suspended(&bench, Some(address), None);
    assert_eq!(judged(&bench, &erase, RECOVERY, address), Err(Rule::RecoveryTarget));
}

#[test]
fn termination_is_off_from_the_start_of_its_command_on_every_die() {
    let mut bench = Bench::new();
    bench.allowed(ERASE, spot(1, P0, 0, 0));
    bench.start("ODT_Disable", die(0));
    bench.refused(ERASE, spot(0, P0, 0, 0), Rule::Odt);
    bench.refused(ERASE, spot(1, P0, 0, 0), Rule::Odt);
    bench.refused("ODT_Disable", die(0), Rule::Odt);
}

#[test]
fn termination_is_on_again_from_the_end_of_its_command_on_every_die() {
    let mut bench = Bench::new();
    bench.run("ODT_Disable", die(0));
    bench.allowed(READ_ID, die(1));
    let on = bench.start("ODT_Reenable", die(1));
    bench.at(on.end - TICK);
    bench.refused(ERASE, spot(0, P0, 0, 0), Rule::Odt);
    bench.refused(ERASE, spot(1, P0, 0, 0), Rule::Odt);
    bench.at(on.end);
    bench.allowed(ERASE, spot(0, P0, 0, 0));
    bench.allowed(ERASE, spot(1, P0, 0, 0));
}

/// The commands of termination are those of write protect, which forbids erases.
fn protected() -> Bench {
    Bench::of(|profile| {
        let group = forbid(profile, &["ERASE"]);
        profile.exclusions.by_state.push((DeviceState::WriteProtect, vec![group]));
        for base in profile.bases.iter_mut() {
            if base.has(Effect::OdtDisable) {
                base.effects = vec![Effect::WriteProtectOn];
            } else if base.has(Effect::OdtEnable) {
                base.effects = vec![Effect::WriteProtectOff];
            }
        }
    })
}

const PROTECT: &str = "ODT_Disable";
const UNPROTECT: &str = "ODT_Reenable";

#[test]
fn write_protect_is_on_for_every_die_until_its_command_has_ended_and_whatever_is_reset() {
    let mut bench = protected();
    bench.run(PROTECT, die(0));
    bench.run("Reset_LUN", die(1));
    for at in [0, 1] {
        bench.refused(ERASE, spot(at, P0, 0, 0), Rule::WriteProtect);
    }
    bench.allowed(READ_ID, die(0));
    let off = bench.start(UNPROTECT, die(1));
    bench.at(off.end - TICK);
    bench.refused(ERASE, spot(0, P0, 0, 0), Rule::WriteProtect);
    bench.at(off.end);
    for at in [0, 1] {
        bench.allowed(ERASE, spot(at, P0, 0, 0));
    }
}

#[test]
fn write_protect_waits_for_what_is_in_flight_on_any_die() {
    let mut bench = protected();
    let erase = bench.start(ERASE, spot(0, P0, 0, 0));
    bench.at(erase.busy_end - TICK);
    bench.refused(PROTECT, die(1), Rule::WriteProtect);
    bench.at(erase.busy_end);
    bench.allowed(PROTECT, die(1));
}

#[test]
fn a_suspended_erase_is_not_resumed_under_write_protect() {
    let bench = protected();
    let mut logic = suspended(&bench, Some(spot(0, P0, 0, 0)), None);
    assert_eq!(judged(&bench, &logic, "Erase_Resume", die(0)), Ok(()));
    logic.write_protected = true;
    logic.note_states();
    assert_eq!(judged(&bench, &logic, "Erase_Resume", die(0)), Err(Rule::WriteProtect));
}

#[test]
fn a_reset_clears_the_lasting_state_of_its_die_at_its_start() {
    for name in ["Reset_LUN", "Super_Reset"] {
        let mut bench = Bench::new();
        for at in [0, 1] {
            bench.erase(spot(at, P0, 0, 0), "TLC");
            bench.run(LSB, spot(at, P0, 0, 0));
        }
        bench.start(name, die(0));
        assert_eq!(*bench.device.logic(Die(0)), DieLogic::default());
        assert!(bench.device.logic(Die(1)).one_shot.is_some());
    }
}
