//! Scenarios that are easily counted wrongly, or missed.

use nandseq_generate::RunLimits;
use nandseq_profile::Ticks;

use super::tried::{Tried, tried, tried_with, until, until_done};

/// Tries a scenario with these fields and steps in a run.
fn try_one(fields: &str, steps: &[&str], limits: &RunLimits<'_>) -> Tried {
    tried(&format!("scenarios:\n  one: {{{fields}, steps: [{}]}}\n", steps.join(", ")), limits, 1)
}

/// All hits come, and in so many operations at most.
fn assert_comes(fields: &str, steps: &[&str], most: u64) {
    let tried = try_one(fields, steps, &until_done(4_000_000));
    tried.assert_done();
    assert!(tried.operations <= most, "{} operations", tried.operations);
}

#[test]
fn early_suspends_are_matches_of_their_values() {
    let steps = [
        "{p: {class: array_program, blocks: 0-31}}",
        "{s: {base: PROGRAM_SUSPEND, in: p.CORE_BUSY, at: 0-10 %}}",
        "{r: {class: plane_read, after: s.end, within: 5, plane: other than p}}",
        "{base: DOUT}",
        "{base: PROGRAM_RESUME, after: r.end, within: 10-200}",
        "{base: SR, in: p.CORE_BUSY, expect: busy}",
    ];
    try_one("each: [celltype, die], hits: 3", &steps, &until_done(4_000_000)).assert_done();
}

#[test]
fn nothing_is_in_a_window_after_a_reset_or_when_others_have_its_planes() {
    let read = "{r: {base: READ, multi: false}}";
    let (reset, status) =
        ("{base: RESET_LUN, after: r.CORE_BUSY, within: 0-3, die: same as r}", "{base: SR, in: r.DATA_OUT}");
    try_one("hits: 20", &[read, reset, status], &until(100_000));
    let other = "{class: page_read, after: r.CORE_BUSY, within: 0-5, plane: same as r}";
    try_one("hits: 20", &[read, "{base: DOUT}", other, status], &until(100_000));
    try_one("hits: 20", &[read, "{class: erase, after: r.CORE_BUSY, within: 0-3}", status], &until(100_000));
    // In the window before it is cut.
    assert_comes("hits: 5", &[read, status, reset], 2_000);
}

#[test]
fn the_end_of_what_a_reset_stops_is_that_reset() {
    let reset = "{base: RESET_LUN, in: e.CORE_BUSY, at: 10-50 %, die: same as e}";
    for after in ["e.end", "e.CORE_BUSY"] {
        let status = format!("{{base: SR, after: {after}, within: 40-200, die: same as e}}");
        assert_comes("hits: 10", &["{e: {class: erase}}", reset, &status], 2_000);
    }
    // What was suspended ends by it too.
    let suspend = "{base: ERASE_SUSPEND, in: e.CORE_BUSY}";
    let late = "{base: SR, after: e.end, within: 40-200, die: same as e}";
    assert_comes("hits: 5", &["{e: {class: erase}}", suspend, "{base: RESET_LUN}", late], 4_000);
}

#[test]
fn neighbours_are_on_one_die() {
    let second = |die: &str| format!("{{class: page_read, die: {die}, page: next to p}}");
    let tried = try_one("hits: 5", &["{p: {class: page_read}}", &second("other than p")], &until(100_000));
    assert_eq!(tried.all_hits(), 0);
    assert_comes("hits: 5", &["{p: {class: page_read}}", &second("0-1")], 4_000);
}

#[test]
fn an_operation_on_several_planes_counts_for_each() {
    assert_comes("each: plane, hits: 3, between: nothing", &["{e: {class: erase, multi: true}}"], 40);
    assert_comes("each: [plane, die], hits: 3, between: nothing", &["{r: {base: READ, multi: true}}"], 200);
}

#[test]
fn an_operation_of_the_first_step_has_one_cell_type() {
    let tried =
        try_one("each: [celltype, op of e], hits: 2", &["{e: {base: ERASE, multi: false}}"], &until_done(4_000_000));
    tried.assert_done();
    assert_eq!(tried.reached[0].values.len(), 3);
}

#[test]
fn what_lacks_is_of_the_cell_type() {
    for first in ["{p: {class: array_program, celltype: SLC}}", "{p: {base: ERASE}}"] {
        assert_comes("hits: 3, between: nothing", &[first, "{r: {class: page_read, celltype: TLC}}"], 200);
    }
    // Not every operation of the class erases.
    assert_comes("hits: 3, between: nothing", &["{p: {class: erase}}", "{base: PROGRAM_SLC}"], 200);
    assert_comes("hits: 3, between: nothing", &["{p: {class: erase}}", "{base: PROGRAM_SLC, block: same as p}"], 200);
}

#[test]
fn operations_that_overlap_do_not_add_up() {
    for between in ["anything", "nothing"] {
        let fields = format!("hits: 1, between: {between}");
        let steps = ["{e: {base: ERASE, die: 0}}", "{base: ERASE, die: 1, after: e.start, within: 1000}"];
        try_one(&fields, &steps, &until_done(13_000)).assert_done();
    }
}

#[test]
fn what_no_row_names_is_neither_the_same_nor_another() {
    let first = "{p: {op: [SR, NOP, Block_Erase_SLC], die: 0}}";
    assert_comes("hits: 5", &[first, "{q: {class: erase, plane: other than p}}"], 4_000);
    // Nor is it a value.
    let tried =
        try_one("each: plane, hits: 2", &["{p: {op: [SR, Block_Erase_SLC, Reset_LUN]}}"], &until_done(4_000_000));
    tried.assert_done();
    try_one("each: die, hits: 10", &["{p: {base: [ETC, SR]}}"], &until_done(4_000_000)).assert_done();
}

#[test]
fn the_end_of_a_phase_is_that_of_an_operation_that_has_it() {
    let first = "{p: {base: [SR, ERASE], die: 0}}";
    assert_comes("hits: 10", &[first, "{base: SR, after: p.CORE_BUSY, within: 0-50, die: 1}"], 4_000);
}

#[test]
fn an_operation_on_every_die_begins_one_match() {
    try_one("hits: 20", &["{base: [RESET, ETC]}", "{base: SR}"], &until(60_000));
    try_one("hits: 20, between: nothing", &["{base: SR}", "{base: RESET}", "{base: SR}"], &until(60_000));
}

#[test]
fn blocks_that_are_open_make_room_without_end_to_the_erases() {
    let text = "
addresses:
  few: {regions: [{blocks: 0-31}], limits: {open_blocks: 3}}
scenarios:
  life:
    hits: 10
    steps:
      - e: {base: ERASE, celltype: SLC, multi: false}
      - {base: PROGRAM_SLC, multi: false, block: same as e, repeat: 3}
";
    let tried = tried(text, &until_done(4_000_000), 1);
    tried.assert_done();
    assert!(tried.operations < 4_000, "{} operations", tried.operations);
}

#[test]
fn a_limit_in_the_way_is_the_reason_whatever_it_limits() {
    for (limit, steps) in [
        ("erases_per_block: 1", "{base: ERASE, die: 0, multi: false}"),
        ("reads_per_block: 2", "{base: READ, celltype: SLC, die: 0, multi: false, page: 0}"),
        ("reads_per_page: 2", "{base: READ, celltype: SLC, die: 0, multi: false, page: 0}"),
        // Its page comes by an erase alone.
        ("erases_per_block: 1", "{base: PROGRAM_SLC, die: 0, multi: false}"),
        (
            "open_blocks: 1",
            "{base: PROGRAM_SLC, die: 0, multi: false, block: 0}, {base: PROGRAM_SLC, die: 0, multi: false, block: 1}",
        ),
    ] {
        let text = format!(
            "addresses:\n  few: {{regions: [{{dies: 0, blocks: 0-1, pages: 0-1}}], limits: {{{limit}}}}}\n\
             scenarios:\n  one: {{hits: 50, between: nothing, steps: [{steps}]}}\n"
        );
        let tried = tried(&text, &until_done(20_000_000), 1);
        let given_up = &tried.reached[0].values[0].given_up;
        let reasons: Vec<&str> = given_up.keys().map(String::as_str).filter(|reason| *reason != "run_ended").collect();
        assert_eq!(reasons, ["limit"], "{limit}, {steps}: {given_up:?}");
    }
}

#[test]
fn a_step_that_is_refused_for_long_does_not_silence_the_device() {
    let tried = |text: &str| tried(text, &until(200_000), 1).operations;
    // Nothing is suspended that could be resumed.
    let held = tried(
        "scenarios:\n  one: {hits: 5, steps: [{p: {base: SR}}, {base: ERASE_RESUME, after: p.end, within: 0-1000000, die: same as p}]}\n",
    );
    let plain = tried("");
    assert!(held * 5 > plain * 4, "{held} operations, {plain} without the scenario");
}

#[test]
fn attempts_come_where_the_table_starts_nothing() {
    for rate in ["", "rate: 5, "] {
        let text = format!("scenarios:\n  one: {{hits: 1, {rate}steps: [{{base: ERASE}}]}}\n");
        let tried = tried_with(&text, Some("Read_SLC"), &RunLimits { max_ops: Some(300), ..until(20_000_000) }, 1);
        tried.assert_done();
        assert!(tried.first_start() < Ticks::from_us(1_000_000), "{:?}", tried.first_start());
    }
}
