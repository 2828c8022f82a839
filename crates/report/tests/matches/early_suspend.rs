//! A program of the built-in device that is suspended early, read beside, and resumed: at every edge of what the scenario says.

use std::collections::BTreeMap;

use nandseq_plan::TestPlan;
use nandseq_profile::model::PhaseKind;

use crate::rows::{BUILT_IN, count_of, plan_of};

const SCENARIO: &str = "scenarios:
  early_suspend:
    each: [celltype]
    hits: 2
    steps:
      - p: {class: array_program, blocks: 0-31}
      - s: {base: PROGRAM_SUSPEND, in: p.CORE_BUSY, at: 0-10 %}
      - r: {class: plane_read, after: s.end, within: 5, plane: other than p}
      - {base: DOUT}
      - {base: PROGRAM_RESUME, after: r.end, within: 10-200}
      - {base: SR, in: p.CORE_BUSY, expect: busy}
";

/// The lengths of ISSUE and CORE_BUSY, in ticks.
fn lengths(name: &str) -> (u64, u64) {
    let profile = &BUILT_IN.0;
    let op = profile.ops.iter().find(|op| op.name == name).unwrap();
    let of = |kind| {
        let phases = profile.bases[op.base].phases.iter().zip(&op.durations);
        phases.filter(|(phase, _)| phase.kind == kind).map(|(_, length)| length.0).sum()
    };
    (of(PhaseKind::Issue), of(PhaseKind::CoreBusy))
}

/// When the steps happen, in ticks: each counts from what the scenario says.
#[derive(Clone, Copy)]
struct Times {
    /// From the beginning of the program's CORE_BUSY.
    suspend: u64,
    /// From the end of the SUSPEND.
    read: u64,
    /// From the end of the read.
    resume: u64,
    /// From the end of the RESUME, and what it expects.
    status: (i64, &'static str),
    /// Of the read.
    plane: u64,
    /// Of all but the program.
    die: u64,
    block: u64,
}

const TENTH: u64 = 1_000_000;

/// The rows of one attempt, which begins at a time in ticks.
fn rows(start: u64, program: &str, times: Times) -> Vec<String> {
    let Times { die, plane, block, .. } = times;
    let (issue, _) = lengths(program);
    let suspend = start + issue + times.suspend;
    let (s_issue, s_busy) = lengths("Program_Suspend_Reset");
    let read = suspend + s_issue + s_busy + times.read;
    let (r_issue, r_busy) = lengths("Plane_Level_Page_Read_SLC");
    let r_end = read + r_issue + r_busy;
    let resume = r_end + times.resume;
    let (u_issue, u_busy) = lengths("Program_Resume");
    let status = (resume + u_issue + u_busy).checked_add_signed(times.status.0).unwrap();
    let us = |ticks: u64| format!("{}.{:06}", ticks / 1_000_000, ticks % 1_000_000);
    vec![
        format!("{} {program} 0 {} {block} 0", us(start), block % 4),
        format!("{} Program_Suspend_Reset {die}", us(suspend)),
        format!("{} Plane_Level_Page_Read_SLC {die} {plane} {plane} 0", us(read)),
        format!("{} Enhanced_Random_Data_Output_Primary {die} {plane} {plane} 0", us(r_end)),
        format!("{} Program_Resume {die}", us(resume)),
        format!("{} Read_Status_Enhanced_70h {die} {}", us(status), times.status.1),
    ]
}

fn matches(plan: &TestPlan, program: &str, times: Times) -> u64 {
    let (counts, _) = count_of(&BUILT_IN.0, plan, &[rows(0, program, times)], &BTreeMap::new());
    counts.phases[&None].scenarios[&0].matches
}

#[test]
fn every_edge_of_the_scenario_is_kept() {
    let plan = plan_of(&BUILT_IN, SCENARIO);
    let program = "Page_Program_SLC";
    let tenth = lengths(program).1 / 10;
    let good = Times {
        suspend: tenth / 2,
        read: 2 * TENTH,
        resume: 50 * TENTH,
        status: (5_000_000, "busy"),
        plane: 1,
        die: 0,
        block: 4,
    };
    let all = |change: &dyn Fn(&mut Times)| {
        let mut times = good;
        change(&mut times);
        matches(&plan, program, times)
    };
    assert_eq!(all(&|_| {}), 1);
    let grid = 10_000;
    for (suspend, is_match) in [(0, 1), (tenth - grid, 1), (tenth, 0)] {
        assert_eq!(all(&|times| times.suspend = suspend), is_match, "suspend at {suspend}");
    }
    for (read, is_match) in [(0, 1), (5_000_000, 1), (5_000_000 + grid, 0)] {
        assert_eq!(all(&|times| times.read = read), is_match, "read at {read}");
    }
    for (resume, is_match) in [(10_000_000 - grid, 0), (10_000_000, 1), (200_000_000, 1), (200_000_000 + grid, 0)] {
        assert_eq!(all(&|times| times.resume = resume), is_match, "resume at {resume}");
    }
    // The program goes on at the end of the RESUME, and has nineteen twentieths left.
    let rest = (lengths(program).1 - tenth / 2).cast_signed();
    for (status, is_match) in [(-1, 0), (0, 1), (rest, 1), (rest + 10_000, 0)] {
        assert_eq!(all(&|times| times.status.0 = status), is_match, "status at {status}");
    }
    assert_eq!(all(&|times| times.status.1 = "ready"), 0);
    assert_eq!(all(&|times| times.plane = 0), 0, "the plane of the program");
    assert_eq!(all(&|times| times.block = 32), 0, "a block that the scenario does not want");
    assert_eq!(all(&|times| times.die = 1), 0, "another die");
}

#[test]
fn attempts_are_counted_for_each_cell_type() {
    let plan = plan_of(&BUILT_IN, SCENARIO);
    let times = Times {
        suspend: TENTH,
        read: TENTH,
        resume: 20 * TENTH,
        status: (1_000_000, "busy"),
        plane: 3,
        die: 0,
        block: 4,
    };
    let second = 10_000_000_000;
    let attempts = ["Page_Program_SLC", "Page_Program_A0SLC", "Page_Program_SLC"];
    let rows = (0..).zip(attempts).flat_map(|(at, program)| rows(at * second, program, times)).collect();
    let (counts, found) = count_of(&BUILT_IN.0, &plan, &[rows], &BTreeMap::new());
    let counts = &counts.phases[&None].scenarios[&0];
    let by_value: Vec<(String, u64)> =
        counts.by_value.iter().map(|(value, count)| (value[0].text(&BUILT_IN.0), *count)).collect();
    assert_eq!(by_value, [("SLC".to_owned(), 2), ("A0SLC".to_owned(), 1)]);
    let uids: Vec<Vec<u64>> = found.iter().map(|one| one.steps.iter().map(|step| step.uid).collect()).collect();
    assert_eq!(uids, [[1, 2, 3, 4, 5, 6], [7, 8, 9, 10, 11, 12], [13, 14, 15, 16, 17, 18]]);
}
