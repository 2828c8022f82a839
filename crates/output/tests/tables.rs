//! Tests of the rules of `docs/outputs.md`: each has a few events and the rows that they become.
#![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]

mod story;

use nandseq_output::csv_tables::CsvTables;
use nandseq_profile::model::PhaseKind;
use nandseq_profile::{Die, PhaseKey, Plane, Profile, Ticks};
use nandseq_trace::Cut;
use nandseq_trace::files::{FileKind, Outputs};
use story::{Event, Op, cell_type, device, key, state, tables};

/// The rows of one table.
fn rows(profile: &Profile, kind: FileKind, events: &[Event]) -> Vec<String> {
    let format = CsvTables::new(profile).unwrap();
    tables(&format, events, Outputs::NONE.with(kind)).remove(0).1
}

/// The fields of rows in the `wanted` columns, counted from 0.
fn columns(rows: &[String], wanted: &[usize]) -> Vec<String> {
    let pick = |row: &String| {
        let fields: Vec<&str> = row.split(',').collect();
        wanted.iter().map(|&at| fields[at]).collect::<Vec<_>>().join(",")
    };
    rows.iter().map(pick).collect()
}

const fn us(us: u64) -> Ticks {
    Ticks(us * 1_000_000)
}

/// The columns `start`, `end` and `plane` of the timeline.
const SPAN: [usize; 3] = [0, 1, 3];

#[test]
fn an_operation_is_a_row_for_each_target_from_issue_to_the_end_of_its_last_phase() {
    let profile = device();
    let read = Op::new(&profile, 7, "Read_SLC_Multi", 0.5, &[(1, 1, 5, 3), (1, 3, 7, 3)]);
    assert_eq!(
        rows(&profile, FileKind::OperationTimeline, &[Event::Operation(read)]),
        [
            "0.5,15.5,1,1,5,3,Read_SLC_Multi,READ,,7,DEFAULT,DEFAULT,DEFAULT",
            "0.5,15.5,1,3,7,3,Read_SLC_Multi,READ,,7,DEFAULT,DEFAULT,DEFAULT",
        ]
    );
}

#[test]
fn what_the_payload_does_not_name_is_0() {
    let profile = device();
    let events = [
        Event::Operation(Op::new(&profile, 1, "Status", 0.0, &[(1, 2, 3, 4)])),
        Event::Operation(Op::new(&profile, 2, "Calibrate", 2.0, &[(1, 2, 3, 4)])),
        Event::Operation(Op::new(&profile, 3, "Status_Plane", 4.0, &[(1, 2, 3, 4)])),
    ];
    let rows = rows(&profile, FileKind::OperationTimeline, &events);
    assert_eq!(columns(&rows, &[2, 3, 4, 5]), ["1,0,0,0", "0,0,0,0", "1,2,0,0"]);
}

#[test]
fn a_window_ends_where_a_later_operation_cuts_it_on_this_plane_only() {
    let profile = device();
    let events = [
        Event::Operation(Op::new(&profile, 1, "Read_SLC_Multi", 0.0, &[(0, 0, 0, 0), (0, 1, 1, 0)])),
        Event::Operation(Op::new(&profile, 2, "Cache_Read_SLC", 12.25, &[(0, 1, 1, 1)])),
    ];
    let timeline = rows(&profile, FileKind::OperationTimeline, &events);
    assert_eq!(columns(&timeline, &SPAN), ["0.0,15.0,0", "0.0,12.25,1", "12.25,27.25,1"]);
    let states = rows(&profile, FileKind::OpStateTimeline, &events);
    assert_eq!(
        states,
        [
            "0.0,1.0,0,0,READ.ISSUE,d0-p0,READ,1.0",
            "0.0,1.0,0,1,READ.ISSUE,d0-p1,READ,1.0",
            "1.0,11.0,0,0,READ.CORE_BUSY,d0-p0,READ,10.0",
            "1.0,11.0,0,1,READ.CORE_BUSY,d0-p1,READ,10.0",
            "11.0,15.0,0,0,READ.DATA_OUT,d0-p0,READ,4.0",
            "11.0,12.25,0,1,READ.DATA_OUT,d0-p1,READ,1.25",
            "12.25,13.25,0,1,CACHE_READ.ISSUE,d0-p1,CACHE_READ,1.0",
            "13.25,23.25,0,1,CACHE_READ.CORE_BUSY,d0-p1,CACHE_READ,10.0",
            "23.25,27.25,0,1,CACHE_READ.DATA_OUT,d0-p1,CACHE_READ,4.0",
        ]
    );
}

#[test]
fn a_window_that_is_cut_as_it_opens_has_no_row_and_one_cut_as_it_closes_is_whole() {
    let profile = device();
    let windows = |second: f64| {
        let events = [
            Event::Operation(Op::new(&profile, 1, "Read_SLC", 0.0, &[(0, 2, 2, 0)])),
            Event::Operation(Op::new(&profile, 2, "Read_SLC", second, &[(0, 2, 2, 1)])),
        ];
        let rows = rows(&profile, FileKind::OpStateTimeline, &events);
        columns(&rows, &[0, 1, 4]).into_iter().filter(|row| row.ends_with("DATA_OUT")).collect::<Vec<_>>()
    };
    assert_eq!(windows(11.0), ["22.0,26.0,READ.DATA_OUT"]);
    assert_eq!(windows(11.01), ["11.0,11.01,READ.DATA_OUT", "22.01,26.01,READ.DATA_OUT"]);
    assert_eq!(windows(15.0), ["11.0,15.0,READ.DATA_OUT", "26.0,30.0,READ.DATA_OUT"]);
}

#[test]
fn what_affects_no_state_cuts_nothing_and_shows_nowhere() {
    let profile = device();
    let events = [
        Event::Operation(Op::new(&profile, 1, "Read_SLC", 0.0, &[(0, 0, 0, 0)])),
        Event::Operation(Op::new(&profile, 2, "Output", 12.0, &[(0, 0, 0, 0)])),
        Event::Operation(Op::new(&profile, 3, "Plane_Feature", 13.0, &[(0, 0, 0, 0)])),
    ];
    let timeline = rows(&profile, FileKind::OperationTimeline, &events);
    assert_eq!(columns(&timeline, &SPAN), ["0.0,15.0,0", "12.0,13.0,0", "13.0,14.0,0"]);
    assert_eq!(rows(&profile, FileKind::OpStateTimeline, &events).len(), 3);
}

#[test]
fn die_wide_and_target_wide_operations_show_on_every_plane_they_occupy() {
    let profile = device();
    let lanes = |name: &str, die| {
        let events = [Event::Operation(Op::new(&profile, 1, name, 0.0, &[(die, 0, 0, 0)]))];
        let rows = rows(&profile, FileKind::OpStateTimeline, &events);
        let issue = columns(&rows, &[4, 5]).into_iter().filter(|row| row.contains("ISSUE"));
        issue.map(|row| row.rsplit(',').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(lanes("Erase_SLC", 1), ["d1-p0", "d1-p1", "d1-p2", "d1-p3"]);
    let all = ["d0-p0", "d0-p1", "d0-p2", "d0-p3", "d1-p0", "d1-p1", "d1-p2", "d1-p3"];
    assert_eq!(lanes("Identify", 0), all);
    assert_eq!(lanes("Reset_All", 1), all);
    assert_eq!(lanes("Reset_Die", 1), all[4..]);
}

/// An erase of 100 µs that is suspended at 41 µs, resumed at 60 µs, suspended again at 70 µs and resumed at 90 µs.
fn erase_with_two_suspensions(profile: &Profile) -> Vec<Event> {
    let mut erase = Op::new(profile, 1, "Erase_SLC", 0.0, &[(0, 1, 1, 0)]);
    erase.states[0] = state(profile, "READ", None, (0.0, 0.0));
    erase.proposal.key_used = key(profile, "READ.END");
    vec![
        Event::Operation(erase),
        Event::Cut(1, us(41), Cut::Suspended),
        Event::Operation(Op::new(profile, 2, "Suspend_Erase", 41.0, &[(0, 0, 0, 0)])),
        Event::Operation(Op::new(profile, 3, "Resume_Erase", 56.0, &[(0, 0, 0, 0)])),
        Event::Resumed { uid: 1, from: us(60), busy_end: us(120), end: us(120) },
        Event::Cut(1, us(70), Cut::Suspended),
        Event::Operation(Op::new(profile, 4, "Suspend_Erase", 70.0, &[(0, 0, 0, 0)])),
        Event::Operation(Op::new(profile, 5, "Resume_Erase", 86.0, &[(0, 0, 0, 0)])),
        Event::Resumed { uid: 1, from: us(90), busy_end: us(140), end: us(140) },
    ]
}

#[test]
fn a_suspended_operation_has_a_row_for_each_stretch_it_ran() {
    let profile = device();
    let timeline = rows(&profile, FileKind::OperationTimeline, &erase_with_two_suspensions(&profile));
    assert_eq!(
        timeline[..3],
        [
            "0.0,41.0,0,1,1,0,Erase_SLC,ERASE,,1,READ.END,READ.END,DEFAULT",
            "60.0,70.0,0,1,1,0,Erase_SLC,ERASE,RESUME_CHAIN,1,READ.END,READ.END,DEFAULT",
            "90.0,140.0,0,1,1,0,Erase_SLC,ERASE,RESUME_CHAIN,1,READ.END,READ.END,DEFAULT",
        ]
    );
    assert_eq!(columns(&timeline, &[8, 9])[3..], [",2", ",3", ",4", ",5"]);
}

#[test]
fn what_is_cut_at_the_instant_at_which_it_goes_on_has_no_row_for_that() {
    let profile = device();
    let ran = erase_with_two_suspensions(&profile);
    let first = ran[..5].iter().cloned();
    for cut in [Cut::Suspended, Cut::Reset] {
        let timeline = rows(
            &profile,
            FileKind::OperationTimeline,
            &first.clone().chain([Event::Cut(1, us(60), cut)]).collect::<Vec<_>>(),
        );
        assert_eq!(columns(&timeline, &[0, 1, 8, 9]), ["0.0,41.0,,1", "41.0,45.0,,2", "56.0,60.0,,3"]);
    }
}

#[test]
fn what_is_resumed_goes_on_in_the_phase_in_which_it_was_cut() {
    let profile = device();
    let states = rows(&profile, FileKind::OpStateTimeline, &erase_with_two_suspensions(&profile));
    let on_plane_2: Vec<String> =
        columns(&states, &[0, 1, 3, 4]).into_iter().filter(|row| row.contains(",2,ERASE.")).collect();
    assert_eq!(
        on_plane_2,
        [
            "0.0,1.0,2,ERASE.ISSUE",
            "1.0,41.0,2,ERASE.CORE_BUSY",
            "60.0,70.0,2,ERASE.CORE_BUSY",
            "90.0,140.0,2,ERASE.CORE_BUSY",
        ]
    );
}

#[test]
fn what_is_resumed_keeps_its_window_and_cuts_that_of_others() {
    let profile = device();
    let events = [
        Event::Operation(Op::new(&profile, 1, "Cache_Program_SLC", 0.0, &[(0, 0, 0, 0)])),
        Event::Cut(1, us(11), Cut::Suspended),
        Event::Operation(Op::new(&profile, 2, "Suspend_Program", 11.0, &[(0, 0, 0, 0)])),
        Event::Operation(Op::new(&profile, 3, "Read_SLC", 16.0, &[(0, 3, 3, 0)])),
        Event::Operation(Op::new(&profile, 4, "Resume_Program", 27.0, &[(0, 0, 0, 0)])),
        Event::Resumed { uid: 1, from: us(31), busy_end: us(41), end: us(45) },
    ];
    let timeline = rows(&profile, FileKind::OperationTimeline, &events);
    assert_eq!(
        columns(&timeline, &[0, 1, 9]),
        ["0.0,11.0,1", "31.0,45.0,1", "11.0,15.0,2", "16.0,27.0,3", "27.0,31.0,4"]
    );
    let states = rows(&profile, FileKind::OpStateTimeline, &events);
    let resumed: Vec<_> = columns(&states, &[0, 1, 3, 4]).into_iter().filter(|row| row.contains(",3,CACHE")).collect();
    assert_eq!(
        resumed,
        [
            "0.0,1.0,3,CACHE_PROGRAM.ISSUE",
            "1.0,11.0,3,CACHE_PROGRAM.CORE_BUSY",
            "31.0,41.0,3,CACHE_PROGRAM.CORE_BUSY",
            "41.0,45.0,3,CACHE_PROGRAM.DATA_IN",
        ]
    );
}

#[test]
fn a_reset_ends_operations_and_what_it_cuts_is_not_counted() {
    let profile = device();
    let events = [
        Event::Operation(Op::new(&profile, 1, "Program_SLC", 0.0, &[(0, 0, 0, 0)])),
        Event::Cut(1, us(5), Cut::Reset),
        Event::Operation(Op::new(&profile, 2, "Reset_Die", 5.0, &[(0, 0, 0, 0)])),
        Event::Operation(Op::new(&profile, 3, "Read_SLC", 10.0, &[(0, 0, 0, 0)])),
        Event::Operation(Op::new(&profile, 4, "Reset_Die", 23.0, &[(0, 0, 0, 0)])),
    ];
    let timeline = rows(&profile, FileKind::OperationTimeline, &events);
    assert_eq!(columns(&timeline, &[0, 1, 9]), ["0.0,5.0,1", "5.0,8.0,2", "10.0,23.0,3", "23.0,26.0,4"]);
    assert_eq!(rows(&profile, FileKind::AddressTouchCount, &events), ["READ,SLC,0,0,0,1"]);
}

#[test]
fn a_reset_drops_what_is_suspended_without_a_row() {
    let profile = device();
    let events = [
        Event::Operation(Op::new(&profile, 1, "Program_SLC", 0.0, &[(0, 0, 0, 0)])),
        Event::Cut(1, us(5), Cut::Suspended),
        Event::Operation(Op::new(&profile, 2, "Suspend_Program", 5.0, &[(0, 0, 0, 0)])),
        Event::Cut(1, us(20), Cut::Reset),
        Event::Operation(Op::new(&profile, 3, "Reset_Die", 20.0, &[(0, 0, 0, 0)])),
    ];
    let timeline = rows(&profile, FileKind::OperationTimeline, &events);
    assert_eq!(columns(&timeline, &[0, 1, 9]), ["0.0,5.0,1", "5.0,9.0,2", "20.0,23.0,3"]);
    assert!(rows(&profile, FileKind::AddressTouchCount, &events).is_empty());
}

#[test]
fn a_stretch_is_in_the_file_of_its_run_and_counts_where_the_operation_ends() {
    let profile = device();
    let program = Op::new(&profile, 1, "Program_SLC", 0.0, &[(0, 0, 0, 6)]);
    let first = [
        Event::Operation(program.clone()),
        Event::Cut(1, us(5), Cut::Suspended),
        Event::Operation(Op::new(&profile, 2, "Suspend_Program", 5.0, &[(0, 0, 0, 0)])),
    ];
    let second = [
        Event::StillSuspended(program),
        Event::Operation(Op::new(&profile, 3, "Status", 100.0, &[(0, 0, 0, 0)])),
        Event::Operation(Op::new(&profile, 4, "Resume_Program", 102.0, &[(0, 0, 0, 0)])),
        Event::Resumed { uid: 1, from: us(106), busy_end: us(122), end: us(122) },
    ];
    let rows = |kind, events: &[Event]| rows(&profile, kind, events);
    let timeline = rows(FileKind::OperationTimeline, &first);
    assert_eq!(columns(&timeline, &[0, 1, 8, 9]), ["0.0,5.0,,1", "5.0,9.0,,2"]);
    assert!(rows(FileKind::AddressTouchCount, &first).is_empty());
    assert_eq!(rows(FileKind::PhaseProposalCounts, &first).len(), 2);
    let timeline = rows(FileKind::OperationTimeline, &second);
    assert_eq!(columns(&timeline, &[0, 1, 8, 9]), ["106.0,122.0,RESUME_CHAIN,1", "100.0,101.0,,3", "102.0,106.0,,4"]);
    assert_eq!(rows(FileKind::AddressTouchCount, &second), ["PROGRAM,SLC,0,0,6,1"]);
    assert_eq!(rows(FileKind::PhaseProposalCounts, &second).len(), 2);
    assert_eq!(rows(FileKind::OperationSequence, &second).len(), 2);
}

#[test]
fn a_row_says_the_op_state_of_its_own_plane_and_the_keys_of_the_proposal() {
    let profile = device();
    let mut read = Op::new(&profile, 3, "Read_SLC_Multi", 20.0, &[(0, 0, 0, 0), (0, 1, 1, 0)]);
    read.states[0] = state(&profile, "READ", Some(PhaseKind::DataOut), (18.0, 22.0));
    read.states[1] = state(&profile, "ERASE", Some(PhaseKind::Issue), (19.0, 21.0));
    read.proposal.key_used = PhaseKey::DEFAULT;
    read.proposal.key_virtual = key(&profile, "READ.DATA_OUT");
    let rows = rows(&profile, FileKind::OperationTimeline, &[Event::Operation(read)]);
    assert_eq!(
        columns(&rows, &[10, 11, 12]),
        ["READ.DATA_OUT,DEFAULT,READ.DATA_OUT", "ERASE.ISSUE,DEFAULT,READ.DATA_OUT"]
    );
}

#[test]
fn pages_count_when_the_array_is_done_for_each_kind_of_touch() {
    let profile = device();
    let tlc = cell_type(&profile, "TLC");
    let mut recover = Op::new(&profile, 9, "Recover_TLC", 900.0, &[(0, 0, 0, 3)]);
    recover.targets[0].cell_type = tlc;
    let names = [
        "Erase_SLC",
        "Program_TLC",
        "Close_SLC",
        "Load_LSB",
        "Program_MSB",
        "Read_TLC",
        "Cache_Read_SLC",
        "Copyback_Read_SLC",
        "Copyback_Program_SLC",
        "Cache_Read_End",
        "Output",
    ];
    let events = names
        .iter()
        .zip(10u64..)
        .map(|(name, at)| Event::Operation(Op::new(&profile, at, name, at as f64 * 1000.0, &[(1, 0, 4, at as u16)])));
    let events: Vec<Event> = std::iter::once(Event::Operation(recover)).chain(events).collect();
    assert_eq!(
        rows(&profile, FileKind::AddressTouchCount, &events),
        [
            "PROGRAM,SLC,1,4,12,1",
            "PROGRAM,SLC,1,4,18,1",
            "PROGRAM,TLC,1,4,11,1",
            "PROGRAM,TLC,1,4,14,1",
            "READ,SLC,1,4,16,1",
            "READ,SLC,1,4,17,1",
            "READ,TLC,1,4,15,1",
        ]
    );
}

#[test]
fn touches_add_up_and_sort_by_value_and_by_name() {
    let profile = device();
    let mut at = 0;
    let mut events = Vec::new();
    for (name, targets) in [
        ("Read_SLC", &[(1, 2, 10, 2)][..]),
        ("Read_SLC", &[(0, 2, 10, 12)]),
        ("Read_SLC_Multi", &[(0, 1, 9, 12), (0, 2, 10, 12)]),
        ("Read_SLC", &[(0, 2, 2, 7)]),
        ("Program_A0SLC", &[(0, 2, 2, 7)]),
    ] {
        at += 1;
        events.push(Event::Operation(Op::new(&profile, at, name, at as f64 * 100.0, targets)));
    }
    assert_eq!(
        rows(&profile, FileKind::AddressTouchCount, &events),
        ["PROGRAM,A0SLC,0,2,7,1", "READ,SLC,0,2,7,1", "READ,SLC,0,9,12,1", "READ,SLC,0,10,12,2", "READ,SLC,1,10,2,1"]
    );
}

#[test]
fn the_input_time_is_the_fraction_of_the_phase_rounded_half_up_and_at_most_1() {
    let profile = device();
    let fraction = |start: f64, bounds, phase| {
        let mut read = Op::new(&profile, 1, "Status", start, &[(0, 0, 0, 0)]);
        read.proposal.state = state(&profile, "ERASE", phase, bounds);
        let rows = rows(&profile, FileKind::OpStateNameInputTimeCount, &[Event::Operation(read)]);
        columns(&rows, &[0, 4]).remove(0)
    };
    let busy = Some(PhaseKind::CoreBusy);
    assert_eq!(fraction(1000.0, (1000.0, 1200.0), busy), "ERASE.CORE_BUSY,0.0");
    assert_eq!(fraction(1074.0, (1000.0, 1200.0), busy), "ERASE.CORE_BUSY,0.37");
    assert_eq!(fraction(1000.999, (1000.0, 1200.0), busy), "ERASE.CORE_BUSY,0.0");
    assert_eq!(fraction(1001.0, (1000.0, 1200.0), busy), "ERASE.CORE_BUSY,0.01");
    assert_eq!(fraction(1198.999, (1000.0, 1200.0), busy), "ERASE.CORE_BUSY,0.99");
    assert_eq!(fraction(1199.0, (1000.0, 1200.0), busy), "ERASE.CORE_BUSY,1.0");
    assert_eq!(fraction(1500.0, (1000.0, 1200.0), busy), "ERASE.CORE_BUSY,1.0");
    assert_eq!(fraction(1500.0, (1000.0, 1200.0), None), "ERASE.END,0.0");
    let day = 86_400_000_000.0;
    assert_eq!(fraction(0.37 * day, (0.0, day), busy), "ERASE.CORE_BUSY,0.37");
    let fresh = Op::new(&profile, 1, "Status", 5.0, &[(0, 0, 0, 0)]);
    assert_eq!(
        rows(&profile, FileKind::OpStateNameInputTimeCount, &[Event::Operation(fresh)]),
        ["DEFAULT,DEFAULT,DEFAULT,Status,0.0,1"]
    );
}

#[test]
fn input_times_add_up_and_sort_by_name_and_value() {
    let profile = device();
    let status = |uid, name, start: f64, base| {
        let mut op = Op::new(&profile, uid, name, start, &[(0, 0, 0, 0)]);
        op.proposal.state = state(&profile, base, Some(PhaseKind::CoreBusy), (0.0, 100.0));
        Event::Operation(op)
    };
    let events = [
        status(1, "Status", 9.0, "READ"),
        status(2, "Status", 50.0, "READ"),
        status(3, "Status", 50.1, "READ"),
        status(4, "Calibrate", 60.0, "READ"),
        status(5, "Status", 70.0, "ERASE"),
        status(6, "Status", 100.0, "READ"),
    ];
    assert_eq!(
        columns(&rows(&profile, FileKind::OpStateNameInputTimeCount, &events), &[0, 3, 4, 5]),
        [
            "ERASE.CORE_BUSY,Status,0.7,1",
            "READ.CORE_BUSY,Calibrate,0.6,1",
            "READ.CORE_BUSY,Status,0.09,1",
            "READ.CORE_BUSY,Status,0.5,2",
            "READ.CORE_BUSY,Status,1.0,1",
        ]
    );
}

#[test]
fn proposals_count_with_their_own_place_and_time_sorted_by_value() {
    let profile = device();
    let proposed = |uid, time: u64, die, plane, name| {
        let mut op = Op::new(&profile, uid, name, time as f64 + 3.5, &[(0, 0, 0, 0)]);
        op.proposal.time = us(time);
        op.proposal.die = Die(die);
        op.proposal.plane = Plane(plane);
        op.proposal.key_used = key(&profile, "READ.END");
        Event::Operation(op)
    };
    let events = [
        proposed(1, 9, 1, 0, "Status"),
        proposed(2, 9, 0, 3, "Status"),
        proposed(3, 10, 0, 3, "Status"),
        proposed(4, 10, 0, 3, "Calibrate"),
        proposed(5, 10, 0, 3, "Status"),
    ];
    assert_eq!(
        rows(&profile, FileKind::PhaseProposalCounts, &events),
        [
            "READ.END,DEFAULT,0,3,9.0,Status,1",
            "READ.END,DEFAULT,0,3,10.0,Calibrate,1",
            "READ.END,DEFAULT,0,3,10.0,Status,2",
            "READ.END,DEFAULT,1,0,9.0,Status,1",
        ]
    );
}

#[test]
fn later_steps_of_a_chain_are_proposed_nowhere() {
    let profile = device();
    let mut step = Op::new(&profile, 2, "Output", 20.0, &[(0, 0, 0, 0)]);
    step.is_first = false;
    let events = [Event::Operation(Op::new(&profile, 1, "Read_SLC", 0.0, &[(0, 0, 0, 0)])), Event::Operation(step)];
    for (kind, name) in [(FileKind::OpStateNameInputTimeCount, 3), (FileKind::PhaseProposalCounts, 5)] {
        assert_eq!(columns(&rows(&profile, kind, &events), &[name]), ["Read_SLC"]);
    }
    assert_eq!(rows(&profile, FileKind::OperationTimeline, &events).len(), 2);
}
