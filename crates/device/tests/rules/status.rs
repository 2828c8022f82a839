//! What a status read sees and which phase key a plane shows, at the bounds of every phase.

use nandseq_device::SeenStatus;
use nandseq_profile::{Die, Plane, Profile, Ticks};

use crate::bench::{BOTH, Bench, P0, P1, TICK, base_of, die, spot};

const ERASE: &str = "Block_Erase_SLC";
const READ: &str = "Read_SLC";
const PLANE_READ: &str = "Plane_Level_Page_Read_SLC";

fn statuses(bench: &mut Bench, times: &[Ticks]) -> Vec<SeenStatus> {
    let look = |&time: &Ticks| {
        bench.at(time);
        bench.status(0)
    };
    times.iter().map(look).collect()
}

#[test]
fn a_die_is_busy_in_core_busy_and_at_no_other_time() {
    use SeenStatus::{Busy, Ready};
    let mut bench = Bench::new();
    let erase = bench.start(ERASE, spot(0, P0, 0, 0));
    let times = [erase.start, erase.issue_end - TICK, erase.issue_end, erase.end - TICK, erase.end];
    assert_eq!(statuses(&mut bench, &times), [Ready, Ready, Busy, Busy, Ready]);
}

#[test]
fn a_die_is_externally_ready_in_a_window() {
    use SeenStatus::{Busy, ExtReady, Ready};
    let mut bench = Bench::new();
    bench.fill(spot(0, P0, 0, 0));
    bench.erase(spot(0, P0, 1, 0), "SLC");
    for (name, place) in [(READ, spot(0, P0, 0, 0)), ("Cache_Program_SLC", spot(0, P1, 1, 0))] {
        bench.erase(spot(0, P1, 1, 0), "SLC");
        let op = bench.start(name, place);
        let times = [op.issue_end, op.busy_end - TICK, op.busy_end, op.end - TICK, op.end];
        assert_eq!(statuses(&mut bench, &times), [Busy, Busy, ExtReady, ExtReady, Ready], "{name}");
    }
}

#[test]
fn one_busy_plane_makes_a_die_busy_whatever_the_others_do() {
    let mut bench = Bench::new();
    bench.fill(spot(0, BOTH, 0, 0));
    let first = bench.start(PLANE_READ, spot(0, P0, 0, 0));
    bench.at(first.busy_end - Ticks::from_us(1));
    let second = bench.start("Plane_Level_4KB_Page_Read_SLC", spot(0, P1, 0, 0));
    bench.at(first.busy_end);
    assert!(bench.now < first.end && bench.now < second.busy_end);
    assert_eq!(bench.status(0), SeenStatus::Busy);
    assert_eq!(bench.status(1), SeenStatus::Ready);
}

#[test]
fn a_window_on_any_plane_makes_a_ready_die_externally_ready() {
    for planes in [P0, P1] {
        let mut bench = Bench::new();
        bench.fill(spot(0, BOTH, 0, 0));
        let read = bench.start(READ, spot(0, planes, 0, 0));
        bench.at(read.busy_end);
        assert_eq!(bench.status(0), SeenStatus::ExtReady);
    }
}

#[test]
fn an_operation_that_affects_no_state_is_not_seen() {
    let mut bench = Bench::new();
    let times = bench.start("Temperature_Sensor_Fast_mode", die(0));
    bench.at(times.end - TICK);
    assert_eq!((bench.status(0), bench.key(0, 0)), (SeenStatus::Ready, "DEFAULT"));
    assert!(bench.device.is_idle(Die(0), Plane(0), bench.now));
}

#[test]
fn a_target_wide_operation_makes_every_die_busy() {
    let mut bench = Bench::new();
    let times = bench.start("Auto_Read_by_38h_Cmd_Target_Level", die(0));
    bench.at(times.issue_end);
    assert_eq!((bench.status(0), bench.status(1)), (SeenStatus::Busy, SeenStatus::Busy));
    bench.at(times.end);
    for at in [0, 1] {
        assert_eq!((bench.key(at, 0), bench.key(at, 1)), ("CAMREAD.END", "CAMREAD.END"));
    }
}

#[test]
fn a_status_read_expects_the_status_of_the_die_it_looks_at() {
    let mut bench = Bench::new();
    let erase = bench.start(ERASE, spot(1, P0, 0, 0));
    bench.at(erase.issue_end);
    let expected = |name: &str, at: u8| {
        let op = bench.tables.op(bench.op(name));
        bench.device.expected_status(op, &die(at), bench.now)
    };
    assert_eq!(expected("Read_Status_Enhanced_70h", 0), Some(SeenStatus::Ready));
    assert_eq!(expected("Read_Status_Enhanced_70h", 1), Some(SeenStatus::Busy));
    assert_eq!(expected("Read_Status_Enhanced_72h", 1), Some(SeenStatus::Busy));
    assert_eq!(expected("LUN_Status_Read_for_LUN0", 0), Some(SeenStatus::Ready));
    assert_eq!(expected("LUN_Status_Read_for_LUN1", 1), Some(SeenStatus::Busy));
    assert_eq!(expected("Read_ID_JEDEC", 1), None);
}

/// The phase keys of plane 0 of die 0 at several times.
fn keys(bench: &mut Bench, times: &[Ticks]) -> Vec<String> {
    let look = |&time: &Ticks| {
        bench.at(time);
        bench.key(0, 0).to_owned()
    };
    times.iter().map(look).collect()
}

#[test]
fn a_plane_on_which_nothing_ran_has_the_default_key() {
    let bench = Bench::new();
    assert_eq!(bench.key(0, 0), "DEFAULT");
    assert_eq!(bench.key(1, 1), "DEFAULT");
}

#[test]
fn a_first_operation_shows_default_until_its_issue_has_ended() {
    let mut bench = Bench::new();
    let erase = bench.start(ERASE, spot(0, P0, 0, 0));
    let times = [
        erase.start,
        erase.start + TICK,
        erase.issue_end - TICK,
        erase.issue_end,
        erase.issue_end + TICK,
        erase.busy_end - TICK,
        erase.busy_end,
        erase.busy_end + Ticks::from_us(1_000_000),
    ];
    let busy = "ERASE.CORE_BUSY";
    let expected = ["DEFAULT", "DEFAULT", "DEFAULT", "DEFAULT", busy, busy, "ERASE.END", "ERASE.END"];
    assert_eq!(keys(&mut bench, &times), expected);
}

#[test]
fn a_later_operation_shows_the_end_of_the_one_before_where_a_segment_starts() {
    let mut bench = Bench::new();
    bench.fill(spot(0, P0, 0, 0));
    let read = bench.start(READ, spot(0, P0, 0, 0));
    let times = [
        read.start,
        read.issue_end,
        read.issue_end + TICK,
        read.busy_end - TICK,
        read.busy_end,
        read.busy_end + TICK,
        read.end - TICK,
        read.end,
    ];
    let (before, busy, window) = ("PROGRAM_SLC.END", "READ.CORE_BUSY", "READ.DATA_OUT");
    let expected = [before, before, busy, busy, before, window, window, "READ.END"];
    assert_eq!(keys(&mut bench, &times), expected);
}

#[test]
fn an_operation_of_issue_alone_goes_from_the_key_before_to_its_end() {
    let vary = |profile: &mut Profile| {
        let base = base_of(profile, "TEMPSENSOR");
        profile.bases[base].affects_state = true;
        profile.bases[base].scope = nandseq_profile::model::Scope::Die;
    };
    let mut bench = Bench::of(vary);
    bench.run(ERASE, spot(0, P0, 0, 0));
    let times = bench.start("Temperature_Sensor_Fast_mode", die(0));
    let expected = ["ERASE.END", "ERASE.END", "TEMPSENSOR.END"];
    assert_eq!(keys(&mut bench, &[times.start, times.end - TICK, times.end]), expected);
}

#[test]
fn a_window_of_no_length_is_never_seen() {
    let vary = |profile: &mut Profile| {
        let base = base_of(profile, "READ");
        for op in profile.ops.iter_mut().filter(|op| op.base == base) {
            *op.durations.last_mut().unwrap() = Ticks::ZERO;
        }
    };
    let mut bench = Bench::of(vary);
    bench.fill(spot(0, P0, 0, 0));
    let read = bench.start(READ, spot(0, P0, 0, 0));
    bench.at(read.busy_end);
    assert_eq!((bench.status(0), bench.key(0, 0)), (SeenStatus::Ready, "READ.END"));
    assert_eq!(bench.device.first_window_end(Die(0), bench.now).0, Ticks(u64::MAX));
}

#[test]
fn a_core_busy_of_no_length_is_never_seen() {
    let vary = |profile: &mut Profile| {
        let base = base_of(profile, "READ");
        profile.ops.iter_mut().filter(|op| op.base == base).for_each(|op| op.durations[1] = Ticks::ZERO);
    };
    let mut bench = Bench::of(vary);
    bench.fill(spot(0, P0, 0, 0));
    let read = bench.start(READ, spot(0, P0, 0, 0));
    bench.at(read.issue_end);
    assert_eq!((bench.status(0), bench.key(0, 0)), (SeenStatus::ExtReady, "PROGRAM_SLC.END"));
    bench.at(read.issue_end + TICK);
    assert_eq!((bench.status(0), bench.key(0, 0)), (SeenStatus::ExtReady, "READ.DATA_OUT"));
}

#[test]
fn a_die_wide_operation_shows_on_every_plane_and_a_plane_read_on_its_own() {
    let mut bench = Bench::new();
    bench.fill(spot(0, P0, 0, 0));
    assert_eq!((bench.key(0, 0), bench.key(0, 1)), ("PROGRAM_SLC.END", "PROGRAM_SLC.END"));
    assert_eq!(bench.key(1, 0), "DEFAULT");
    bench.run(READ, spot(0, P0, 0, 0));
    assert_eq!((bench.key(0, 0), bench.key(0, 1)), ("READ.END", "PROGRAM_SLC.END"));
}

#[test]
fn a_reset_shows_on_every_plane_of_what_it_resets() {
    for name in ["Reset_LUN", "Super_Reset"] {
        let mut bench = Bench::new();
        let reset = bench.start(name, die(0));
        bench.at(reset.issue_end + TICK);
        assert_eq!(bench.key(0, 0), bench.key(0, 1));
        assert!(bench.key(0, 0).ends_with(".CORE_BUSY"));
        assert_eq!((bench.key(1, 0), bench.status(1)), ("DEFAULT", SeenStatus::Ready));
    }
}

#[test]
fn a_plane_is_idle_and_has_no_window_except_inside_its_phases() {
    let mut bench = Bench::new();
    bench.fill(spot(0, P0, 0, 0));
    let read = bench.start(READ, spot(0, P0, 0, 0));
    let look = |bench: &mut Bench, at: Ticks| {
        bench.at(at);
        (bench.device.is_idle(Die(0), Plane(0), at), bench.device.first_window_end(Die(0), at).0)
    };
    let never = Ticks(u64::MAX);
    assert_eq!(look(&mut bench, read.start), (false, never));
    assert_eq!(look(&mut bench, read.busy_end - TICK), (false, never));
    assert_eq!(look(&mut bench, read.busy_end), (false, read.end));
    assert_eq!(look(&mut bench, read.end - TICK), (false, read.end));
    assert_eq!(look(&mut bench, read.end), (true, never));
    assert!(bench.device.is_idle(Die(1), Plane(1), bench.now));
}
