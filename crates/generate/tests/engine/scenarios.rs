//! Scenarios are brought about: times, places, repetition, values, and what becomes of attempts. Hits are counted by a matcher of the tests.

use crate::coverage_model::coverage_model;
use crate::matcher::{Match, Matcher, Row, plan, rows, setup, until_done};
use nandseq_generate::{RunLimits, ScenarioReached, Site, SiteState, probability};
use nandseq_plan::TestPlan;
use nandseq_profile::{Profile, Ticks, builtin};
use nandseq_trace::Nowhere;

const EARLY_SUSPEND: &str = "
scenarios:
  early_suspend:
    each: celltype
    hits: 3
    steps:
      - p: {class: array_program, blocks: 0-31}
      - s: {base: PROGRAM_SUSPEND, in: p.CORE_BUSY, at: 0-10 %}
      - r: {class: plane_read, after: s.end, within: 5, plane: other than p}
      - {base: DOUT}
      - {base: PROGRAM_RESUME, after: r.end, within: 10-200}
      - {base: SR, in: p.CORE_BUSY, expect: busy}
";

fn hits(reached: &ScenarioReached) -> u64 {
    reached.values.iter().map(|value| value.hits).sum()
}

fn matches(profile: &Profile, plan: &TestPlan, scenario: usize, rows: &[Row]) -> Vec<Match> {
    Matcher { profile, scenario: &plan.scenarios[scenario], rows }.matches()
}

/// Brings the scenarios of a plan about on the built-in device, and returns the rows, with the matches of each scenario.
fn bring_about(text: &str, us: u64) -> (Vec<Row>, Vec<ScenarioReached>, Vec<Vec<Match>>) {
    let profile = builtin::profile();
    let plan = plan(text);
    let setup = setup(&profile, &plan);
    let mut site = Site::new(&setup, 5);
    let rows = rows(&profile, &mut site, &until_done(us), 1);
    let matches = (0..plan.scenarios.len()).map(|at| matches(&profile, &plan, at, &rows)).collect();
    (rows, site.scenarios(), matches)
}

/// Whether all hits that are wanted were reached; the same hits are in the rows.
fn assert_reached(reached: &[ScenarioReached], matches: &[Vec<Match>]) {
    for (scenario, matches) in reached.iter().zip(matches) {
        for value in &scenario.values {
            assert_eq!(value.hits, scenario.wanted, "{value:?}");
        }
        assert!(matches.len() as u64 >= hits(scenario), "{} matches, {} hits", matches.len(), hits(scenario));
    }
}

#[test]
fn early_suspends_come_for_each_cell_type() {
    let (_, reached, matches) = bring_about(EARLY_SUSPEND, 4_000_000);
    assert_reached(&reached, &matches);
    assert_eq!(reached[0].values.len(), 5);
}

#[test]
fn a_directed_site_reaches_the_hits_and_covers_more_with_each_operation_than_a_plain_one() {
    let profile = builtin::profile();
    let plan = plan(EARLY_SUSPEND);
    let table = probability::of_profile(&profile, probability::DEFAULT_TABLE_SEED);
    let [plain, directed] = [false, true].map(|is_directed| {
        let model = coverage_model(&profile, &table, is_directed);
        let setup = setup(&profile, &plan).with_coverage_model(&profile, model);
        let mut site = Site::new(&setup, 5);
        let rows = rows(&profile, &mut site, &until_done(4_000_000), 1);
        assert_reached(&site.scenarios(), &[matches(&profile, &plan, 0, &rows)]);
        site.reached().expect("it counts").hit as f64 / rows.len() as f64
    });
    assert!(directed > plain, "{directed} bins an operation, and {plain} without direction");
}

/// A scenario of two steps, the second with a condition.
fn pair(first: &str, second: &str) -> String {
    format!(
        "
scenarios:
  pair:
    hits: 6
    between: nothing
    steps:
      - a: {first}
      - {second}
"
    )
}

#[test]
fn steps_are_where_they_are_to_be() {
    let read = "{base: READ, multi: false}";
    for condition in [
        "die: same as a",
        "die: other than a",
        "plane: same as a",
        "plane: other than a",
        "block: same as a",
        "block: other than a",
        "block: next to a",
        "page: same as a",
        "page: other than a",
        "page: next to a",
        "blocks: 4-7",
        "pages: 2",
        "planes: 3",
        "dies: 1",
    ] {
        let (_, reached, matches) =
            bring_about(&pair(read, &format!("{{base: READ, multi: false, {condition}}}")), 4_000_000);
        assert_reached(&reached, &matches);
    }
}

#[test]
fn nothing_else_starts_between_the_steps_and_three_operations_of_four_are_steps_or_chains() {
    let text = EARLY_SUSPEND
        .replace("each: celltype", "each: [celltype, die]\n    between: nothing")
        .replace("hits: 3", "hits: 20");
    let (rows, reached, matches) = bring_about(&text, 40_000_000);
    assert_reached(&reached, &matches);
    let steps = hits(&reached[0]) * 6;
    assert!(rows.len() as u64 <= 3 * steps, "{} operations for {steps} of the scenario", rows.len());
}

#[test]
fn what_a_later_step_reads_is_prepared_on_its_own_die_and_plane() {
    // Nothing else starts, so that no attempt gets its pages by chance, and none may be given up for lack of one.
    for text in [
        "
scenarios:
  beside:
    each: die
    hits: 6
    between: nothing
    steps:
      - p: {base: PROGRAM_SLC}
      - a: {base: PLANE_READ, multi: false, in: p.CORE_BUSY, at: 0-60 %, die: other than p}
      - {base: PLANE_READ, multi: false, in: a.CORE_BUSY, die: same as a, plane: other than a}
",
        "
scenarios:
  planes:
    each: [die, plane]
    hits: 20
    between: nothing
    steps:
      - a: {base: PLANE_READ, multi: false}
      - {base: PLANE_READ, multi: false, plane: other than a}
",
    ] {
        let (_, reached, matches) = bring_about(text, 20_000_000);
        assert_reached(&reached, &matches);
        let without_address: u64 = reached[0].values.iter().filter_map(|value| value.given_up.get("no_address")).sum();
        assert_eq!(without_address, 0, "{:?}", reached[0]);
    }
}

#[test]
fn a_step_repeats_within_its_phase() {
    let text = "
scenarios:
  storm:
    each: die
    hits: 4
    between: nothing
    steps:
      - p: {base: PROGRAM_SLC}
      - {base: SR, in: p.CORE_BUSY, expect: busy, repeat: 20}
      - {base: SR, after: p.end, within: 20, expect: ready}
";
    let (_, reached, matches) = bring_about(text, 1_000_000);
    assert_reached(&reached, &matches);
    assert!(matches[0].iter().all(|rows| rows.len() == 22));
}

#[test]
fn two_scenarios_come_at_once_beside_plain_operations() {
    let profile = builtin::profile();
    let text = format!(
        "{EARLY_SUSPEND}  reset:
    each: [die, op of e]
    hits: 2
    between: nothing
    steps:
      - e: {{base: ERASE, celltype: TLC}}
      - {{base: RESET_LUN, in: e.CORE_BUSY, at: 40-60 %, die: same as e}}
"
    );
    let plan = plan(&text);
    let setup = setup(&profile, &plan);
    let mut site = Site::new(&setup, 8);
    let limits = RunLimits { run_until: Ticks::from_us(1_500_000), ..RunLimits::default() };
    let rows = rows(&profile, &mut site, &limits, 2);
    let found: Vec<Vec<Match>> = (0..2).map(|at| matches(&profile, &plan, at, &rows)).collect();
    assert_reached(&site.scenarios(), &found);
}

#[test]
fn hits_come_evenly_over_a_phase_of_several_runs() {
    let profile = builtin::profile();
    let text = "
scenarios:
  suspend:
    hits: 200
    steps:
      - p: {base: PROGRAM_SLC}
      - s: {base: PROGRAM_SUSPEND, in: p.CORE_BUSY, at: 20-80 %}
      - {base: PROGRAM_RESUME, after: s.end, within: 20}
";
    let plan = plan(text);
    let setup = setup(&profile, &plan);
    let mut site = Site::new(&setup, 3);
    let limits = RunLimits { run_until: Ticks::from_us(500_000), ..RunLimits::default() };
    let rows = rows(&profile, &mut site, &limits, 4);
    let reached = site.scenarios();
    assert_eq!(reached[0].values[0].hits, 200, "{:?}", reached[0].values[0]);
    let end = site.clock().0;
    let mut tenths = [0u64; 10];
    let matches = matches(&profile, &plan, 0, &rows);
    for found in &matches {
        tenths[(u128::from(rows[found[0]].start.0) * 10 / u128::from(end)) as usize] += 1;
    }
    let expected = matches.len() as f64 / 10.0;
    let chi: f64 = tenths.iter().map(|&count| (count as f64 - expected).powi(2) / expected).sum();
    assert!(chi < 27.9, "{tenths:?}: chi-square {chi} with 9 degrees of freedom; 27.9 is the 0.1 % point");
}

#[test]
fn hits_that_fit_come_beside_shares_and_addresses() {
    let profile = builtin::profile();
    let plan = plan(
        "
mix: {page_read: 20 %}
addresses:
  low:
    regions: [{blocks: 0-511, weight: 3}, {blocks: 512-1019}]
    limits: {open_blocks: 400}
scenarios:
  early:
    hits: 150
    steps:
      - p: {base: PROGRAM_SLC}
      - {base: PROGRAM_SUSPEND, in: p.CORE_BUSY, at: 0-50 %}
",
    );
    let setup = setup(&profile, &plan).with_mix(&plan.mix).with_addresses(&plan.addresses, &[0]);
    let mut site = Site::new(&setup, 6);
    let limits = RunLimits { run_until: Ticks::from_us(100_000_000), max_ops: Some(15_000), ..RunLimits::default() };
    let rows = rows(&profile, &mut site, &limits, 1);
    let value = &site.scenarios()[0].values[0];
    // The end may come upon the last.
    assert!(value.hits >= 149 && value.attempts < 200, "{value:?}");
    assert!(matches(&profile, &plan, 0, &rows).len() as u64 >= value.hits);
    let reads = rows.iter().filter(|row| plan.mix[0].ops.contains(&row.op)).count();
    assert!((2_850..=3_150).contains(&reads), "{reads} reads of {} operations", rows.len());
}

#[test]
fn a_site_taken_up_between_runs_says_the_same() {
    let profile = builtin::profile();
    let plan = plan(&EARLY_SUSPEND.replace("hits: 3", "hits: 20"));
    let setup = setup(&profile, &plan);
    let (mut whole, mut split) = (Site::new(&setup, 5), Site::new(&setup, 5));
    for run in 0..12 {
        let limits = RunLimits { run_until: Ticks::from_us(20_000), of_phase: (run, 12), ..RunLimits::default() };
        let [one, other] = [&mut whole, &mut split].map(|site| {
            let mut sink = crate::matcher::Rows::new(&profile);
            site.run(&limits, &mut sink).expect("memory does not fail");
            format!("{:?}", sink.rows)
        });
        assert!(one == other, "run {run}");
        let text = serde_json::to_string(&split.state()).expect("a state is plain data");
        assert_eq!(split.state(), whole.state(), "state after run {run}");
        let state: SiteState = serde_json::from_str(&text).expect("what was written reads back");
        split = Site::from_state(&setup, 5, &state).expect("its own state");
        assert_eq!(split.scenarios(), whole.scenarios());
    }
    assert!(hits(&whole.scenarios()[0]) > 10, "{:?}", whole.scenarios());
    // A state of other scenarios is refused.
    let other = crate::matcher::setup(&profile, &crate::matcher::plan(&pair("{base: READ}", "{base: SR}")));
    assert!(Site::from_state(&other, 5, &whole.state()).is_err());
    assert!(Site::from_state(&setup, 5, &Site::new(&other, 5).state()).is_err());
}

#[test]
fn what_cannot_happen_is_given_up_with_its_reasons() {
    for (text, reason) in [
        // No erase can be suspended as a program.
        ("{base: ERASE}", "{base: PROGRAM_SUSPEND, in: a.CORE_BUSY}", "no_operation"),
        // The plane is busy with the first read.
        (
            "{base: READ, multi: false}",
            "{base: READ, multi: false, plane: same as a, after: a.start, within: 0.5}",
            "plane_busy",
        ),
        // An erase looks at all planes of its die, and a read forbids it.
        ("{base: READ, multi: false}", "{base: ERASE, in: a.CORE_BUSY, plane: other than a}", "no_operation"),
    ]
    .map(|(first, second, reason)| (pair(first, second), reason))
    {
        let (rows, reached, matches) = bring_about(&text, 100_000_000);
        let value = &reached[0].values[0];
        // The device is not filled with attempts in vain.
        assert!(rows.len() < 2_000, "{} rows", rows.len());
        assert_eq!((value.hits, matches[0].len()), (0, 0), "{value:?}");
        assert!(value.attempts > 0 && value.given_up.contains_key(reason), "{text}: {value:?}");
    }
}

#[test]
fn an_attempt_does_not_outlast_a_run() {
    let profile = builtin::profile();
    let plan = plan(&EARLY_SUSPEND.replace("hits: 3", "hits: 50"));
    let setup = setup(&profile, &plan);
    let mut site = Site::new(&setup, 4);
    for run in 0..10 {
        let limits = RunLimits { run_until: Ticks::from_us(7_000), of_phase: (run, 10), ..RunLimits::default() };
        site.run(&limits, &mut Nowhere).expect("memory does not fail");
        for value in &site.scenarios()[0].values {
            let ended = value.hits + value.given_up.values().sum::<u64>();
            assert_eq!(ended, value.attempts, "run {run}: {value:?}");
        }
    }
}
