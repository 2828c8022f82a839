//! Addresses of a test plan: draws stay in the regions, limits are never exceeded, and a site taken up from its state goes on the same.

use std::fmt::Write as _;
use std::io;

use crate::address_watch::{Watch, plan, setup};
use nandseq_generate::{LimitKind, LimitReached, RunLimits, ScenarioReached, Setup, ShareShortfall, Site, SiteState};
use nandseq_plan::TestPlan;
use nandseq_plan::model::{AddressEntry, PhaseUntil};
use nandseq_profile::{Profile, Ticks, builtin};
use nandseq_trace::{Nowhere, Operation, Sink};

fn operations(count: u64) -> RunLimits<'static> {
    RunLimits { run_until: Ticks::from_us(4_000_000_000), max_ops: Some(count), ..RunLimits::default() }
}

fn setup_of(profile: &Profile, plan: &TestPlan) -> Setup {
    let all: Vec<usize> = (0..plan.addresses.len()).collect();
    setup(profile, plan, &all).expect("it has names")
}

/// Runs of a site under a plan, watched; every address is in a region.
fn watched<'p>(profile: &'p Profile, plan: &TestPlan, count: u64, seed: u64) -> Watch<'p> {
    let setup = setup_of(profile, plan);
    let mut watch = Watch::new(profile);
    watch.regions = plan.addresses.iter().flat_map(|entry| entry.regions.clone()).collect();
    Site::new(&setup, seed).run(&operations(count), &mut watch).expect("memory does not fail");
    watch.end_run();
    assert_eq!(watch.outside, [], "{:?}", plan.addresses);
    watch
}

#[test]
fn what_is_erased_programmed_and_read_is_in_a_region() {
    let profile = builtin::profile();
    for regions in [
        "{blocks: 0-31}",
        "{dies: 1, blocks: 8-15}",
        "{planes: 2, blocks: 0-63}",
        "{planes: [0, 3], blocks: [0-3, 40-47]}",
        "{blocks: 0-15, pages: 0-2}",
        "{blocks: 0-15, pages: 0-15}, {blocks: 8-9, pages: 3-20, weight: 5}",
        "{dies: 0, blocks: 0-7}, {dies: 1, blocks: 100-110, weight: 3}, {blocks: 4-5}",
    ] {
        let plan = plan(&profile, &format!("addresses: {{only: {{regions: [{regions}]}}}}"));
        let watch = watched(&profile, &plan, 4_000, 3);
        let reads: u32 = watch.reads.values().sum();
        let erases: u32 = watch.erases.values().sum();
        assert!(watch.operations >= 4_000 && erases > 0 && watch.programs > 0 && reads > 0, "{regions}");
    }
}

#[test]
fn regions_are_drawn_by_their_weights() {
    let profile = builtin::profile();
    let plan = plan(&profile, "addresses: {two: {regions: [{blocks: 0-199, weight: 3}, {blocks: 200-399}]}}");
    let watch = watched(&profile, &plan, 30_000, 9);
    let of = |from: u32, to: u32| -> f64 {
        watch
            .erases
            .iter()
            .filter(|((_, block), _)| (from..to).contains(block))
            .map(|(_, count)| f64::from(*count))
            .sum()
    };
    let (heavy, light) = (of(0, 200), of(200, 400));
    let expected = 0.75 * (heavy + light);
    // Four standard deviations, of draws of up to four blocks at once.
    assert!((heavy - expected).abs() < 4.0 * 2.0 * (expected / 4.0).sqrt(), "{heavy} and {light}");
}

/// Plans with each limit, and with all of them.
const LIMITED: &[&str] = &[
    "a: {regions: [{blocks: 0-15}], limits: {erases_per_block: 3}}",
    "a: {regions: [{blocks: 0-31}], limits: {reads_per_block: 17}}",
    "a: {regions: [{blocks: 0-15}], limits: {reads_per_page: 2}}",
    "a: {regions: [{blocks: 0-63}], limits: {open_blocks: 3}}",
    "a: {limits: {open_blocks: 1}}",
    "a: {regions: [{blocks: 0-15, pages: 0-7}, {blocks: 16-23, weight: 4}], limits: {erases_per_block: 40, reads_per_block: 60, reads_per_page: 3, open_blocks: 5}}",
    "a: {regions: [{blocks: 0-15}], limits: {reads_per_page: 4}}, b: {regions: [{blocks: 8-23}], limits: {reads_per_page: 2, erases_per_block: 9}}",
    "a: {limits: {reads_per_page: 1, erases_per_block: 2}}, b: {regions: [{blocks: 8-23}]}",
];

fn limits_of(entry: &AddressEntry) -> [u32; 3] {
    let limits = entry.limits;
    [limits.erases_per_block, limits.reads_per_block, limits.reads_per_page].map(|limit| limit.unwrap_or(u32::MAX))
}

/// Checks what was counted independently against the limits, and against what the site counts.
fn assert_within(plan: &TestPlan, watch: &Watch<'_>, site: &Site<'_>) {
    for (at, entry) in plan.addresses.iter().enumerate() {
        let greatest = watch.greatest(entry);
        for (count, limit) in greatest.into_iter().zip(limits_of(entry)) {
            assert!(count <= limit, "{count} exceeds {limit}: {entry:?}");
        }
        for reached in site.limits().into_iter().filter(|reached| reached.entry == at) {
            let counted = match reached.kind {
                LimitKind::ErasesPerBlock => greatest[0],
                LimitKind::ReadsPerBlock => greatest[1],
                LimitKind::ReadsPerPage => greatest[2],
                LimitKind::OpenBlocks => {
                    let most = watch.most_open as u32;
                    assert!(reached.greatest <= most && most <= reached.limit, "{most} of {}", reached.limit);
                    continue;
                }
            };
            assert_eq!(reached.greatest, counted, "{:?} of {entry:?}", reached.kind);
        }
    }
}

#[test]
fn limits_are_never_exceeded_and_are_used_up() {
    let profile = builtin::profile();
    for text in LIMITED {
        let plan = plan(&profile, &format!("addresses: {{{text}}}"));
        let setup = setup_of(&profile, &plan);
        let (mut watch, mut site) = (Watch::new(&profile), Site::new(&setup, 5));
        for _ in 0..6 {
            site.run(&operations(2_000), &mut watch).expect("memory does not fail");
            watch.end_run();
            assert_within(&plan, &watch, &site);
        }
        let is_open_limit = |limit: &LimitReached| limit.kind == LimitKind::OpenBlocks;
        let limits = site.limits();
        let used_up = limits.iter().any(|limit| limit.reached > 0 && !is_open_limit(limit));
        let all_open = limits.iter().any(|limit| is_open_limit(limit) && watch.most_open as u32 == limit.limit);
        assert!(used_up || all_open, "{text}: {:?}", site.limits());
    }
}

/// What has started, as text.
#[derive(Default)]
struct Started(String);

impl Sink for Started {
    fn operation(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        writeln!(self.0, "{operation:?}").map_err(io::Error::other)
    }
}

fn through_text(state: &SiteState) -> SiteState {
    let text = serde_json::to_string(state).expect("a state is plain data");
    serde_json::from_str(&text).expect("what was written reads back")
}

#[test]
fn a_site_taken_up_at_every_boundary_says_the_same() {
    let profile = builtin::profile();
    for text in LIMITED.iter().chain(&["a: {regions: [{blocks: 0-7, pages: 0-9}, {dies: 1, weight: 9}]}"]) {
        let plan = plan(&profile, &format!("addresses: {{{text}}}"));
        let all: Vec<usize> = (0..plan.addresses.len()).collect();
        let setups = [&all[..], &all[..1], &[]].map(|entries| setup(&profile, &plan, entries).expect("it has names"));
        let (mut whole, mut split) = (Site::new(&setups[0], 5), Site::new(&setups[0], 5));
        for run in 0..9 {
            if run % 3 == 0 && run > 0 {
                whole.enter(&setups[run / 3]);
                split.enter(&setups[run / 3]);
            }
            let [one, other] = [&mut whole, &mut split].map(|site| {
                let mut started = Started::default();
                let limits = RunLimits { run_until: Ticks::from_us(8_000), ..operations(700) };
                site.run(&limits, &mut started).expect("memory does not fail");
                started.0
            });
            assert!(one == other, "{text}: run {run}");
            assert!(split.state() == whole.state(), "{text}: state after run {run}");
            split = Site::from_state(&setups[run / 3], 5, &through_text(&split.state())).expect("its own state");
            assert_eq!(split.limits(), whole.limits());
        }
    }
}

#[test]
fn a_state_of_other_counts_is_refused() {
    let profile = builtin::profile();
    let of = |text: &str| {
        let plan = plan(&profile, text);
        setup_of(&profile, &plan)
    };
    let [none, plain, limited, by_page] = [
        "mix: {READ: 5 %}",
        "addresses: {a: {regions: [{blocks: 0-7}]}}",
        "addresses: {a: {limits: {reads_per_block: 9}}}",
        "addresses: {a: {regions: [{blocks: 0-7}], limits: {reads_per_page: 9}}}",
    ]
    .map(of);
    let state = |setup: &Setup| {
        let mut site = Site::new(setup, 5);
        site.run(&operations(2_000), &mut Nowhere).expect("memory does not fail");
        site.state()
    };
    let states = [&none, &plain, &limited, &by_page].map(state);
    assert!(!serde_json::to_string(&states[0]).expect("plain data").contains("uses"));
    assert!(serde_json::to_string(&states[1]).expect("plain data").contains("\"erases\""));
    for (at, setup) in [&none, &plain, &limited, &by_page].into_iter().enumerate() {
        for (other, state) in states.iter().enumerate() {
            // Without a limit of pages there is nothing that the state of one lacks, but not the other way round.
            let fits = at == other || (at, other) == (3, 1);
            assert_eq!(Site::from_state(setup, 5, state).is_ok(), fits, "{at} takes up {other}");
        }
    }
}

#[test]
fn a_phase_without_regions_draws_from_the_whole_device_and_counts_on() {
    let profile = builtin::profile();
    let plan = plan(&profile, "addresses: {a: {regions: [{blocks: 0-7}], limits: {erases_per_block: 4}}}");
    let (narrow, wide) = (setup_of(&profile, &plan), setup(&profile, &plan, &[]).expect("it has names"));
    let mut site = Site::new(&narrow, 2);
    let mut watch = Watch::new(&profile);
    site.run(&operations(3_000), &mut watch).expect("memory does not fail");
    watch.end_run();
    assert!(watch.erases.keys().all(|(_, block)| *block < 8));
    site.enter(&wide);
    site.run(&operations(5_000), &mut watch).expect("memory does not fail");
    watch.end_run();
    assert!(watch.erases.keys().any(|(_, block)| *block >= 8) && site.limits().is_empty());
    let before = watch.erases.clone();
    site.enter(&narrow);
    site.run(&operations(3_000), &mut watch).expect("memory does not fail");
    watch.end_run();
    for (block, count) in &watch.erases {
        let was = before.get(block).copied().unwrap_or(0);
        assert!(*count == was || block.1 < 8 && *count <= 4, "{block:?}: {was} and then {count}");
    }
}

/// Runs of a site under a plan with addresses and scenarios, until the scenarios are done; watched.
fn with_scenarios<'p>(profile: &'p Profile, plan: &TestPlan, us: u64) -> (Watch<'p>, Vec<ScenarioReached>) {
    let setup = setup_of(profile, plan).with_scenarios(&plan.scenarios).expect("few values");
    let mut watch = Watch::new(profile);
    watch.regions = plan.addresses.iter().flat_map(|entry| entry.regions.clone()).collect();
    let mut site = Site::new(&setup, 6);
    let limits =
        RunLimits { run_until: Ticks::from_us(us), until: Some(PhaseUntil::ScenariosDone), ..RunLimits::default() };
    site.run(&limits, &mut watch).expect("memory does not fail");
    watch.end_run();
    assert_within(plan, &watch, &site);
    assert_eq!(watch.outside, [], "{:?}", plan.addresses);
    let reached = site.scenarios();
    (watch, reached)
}

#[test]
fn a_phase_ends_at_a_share_of_its_regions() {
    let profile = builtin::profile();
    let plan = plan(
        &profile,
        "addresses: {a: {regions: [{dies: 0, blocks: 0-7, pages: 0-3}, {dies: 0, blocks: 6-7, pages: 2-7}]}}",
    );
    let setup = setup_of(&profile, &plan);
    let ops_until = |until: PhaseUntil| {
        let mut site = Site::new(&setup, 6);
        let limits = RunLimits { run_until: Ticks::from_us(5_000_000), until: Some(until), ..RunLimits::default() };
        let ops = site.run(&limits, &mut Nowhere).expect("nothing fails").ops;
        assert!(site.until_reached(), "{until:?}");
        ops
    };
    // Six blocks with four pages and two with eight.
    assert!(ops_until(PhaseUntil::Programmed(25_000)) < ops_until(PhaseUntil::Programmed(400_000)));
    assert!(ops_until(PhaseUntil::Erased(125_000)) < ops_until(PhaseUntil::Erased(500_000)));
}

#[test]
fn steps_of_scenarios_are_in_the_regions_and_within_the_limits() {
    let profile = builtin::profile();
    for between in ["nothing", "anything"] {
        for addresses in [
            "a: {regions: [{blocks: 0-15}]}",
            "a: {regions: [{dies: 1, blocks: 8-15, pages: 0-7}, {dies: 1, planes: 2, blocks: 40-63, weight: 3}]}",
            "a: {regions: [{blocks: 0-31}], limits: {erases_per_block: 6, reads_per_page: 4, open_blocks: 12}}",
        ] {
            let plan = plan(
                &profile,
                &format!(
                    "addresses: {{{addresses}}}
scenarios:
  life:
    hits: 5
    between: {between}
    steps:
      - e: {{base: ERASE, celltype: SLC, multi: false}}
      - {{base: PROGRAM_SLC, block: same as e, repeat: 2}}
      - {{base: READ, multi: false, block: same as e, repeat: 2}}
  reads:
    hits: 5
    between: {between}
    steps:
      - r: {{base: READ, multi: false}}
      - {{base: READ, multi: false, block: other than r}}
"
                ),
            );
            let (watch, reached) = with_scenarios(&profile, &plan, 4_000_000);
            let hits: Vec<u64> = reached.iter().map(|scenario| scenario.values[0].hits).collect();
            assert_eq!(hits, [5, 5], "{addresses}: {reached:?}");
            assert!(watch.programs >= 10, "{addresses}");
        }
    }
}

#[test]
fn a_step_that_the_regions_or_limits_have_no_place_for_is_given_up_with_a_reason() {
    let profile = builtin::profile();
    for (addresses, first, second) in [
        // The step is on another die than the region, in blocks outside, and on a page that is never programmed.
        ("a: {regions: [{dies: 0, blocks: 0-15}]}", "{base: READ, dies: 1}", "{base: SR}"),
        ("a: {regions: [{blocks: 0-15}]}", "{base: ERASE, blocks: 16-31}", "{base: SR}"),
        (
            "a: {regions: [{blocks: 0-15, pages: 0-3}]}",
            "{base: ERASE}",
            "{base: PROGRAM_SLC, pages: 9, block: same as a}",
        ),
        // The second erase of a block, and the second read of a page, are one too many.
        (
            "a: {regions: [{blocks: 0-7}], limits: {erases_per_block: 1}}",
            "{base: ERASE, multi: false}",
            "{base: ERASE, multi: false, block: same as a}",
        ),
        (
            "a: {regions: [{blocks: 0-7}], limits: {reads_per_page: 1}}",
            "{base: READ, multi: false}",
            "{base: READ, multi: false, block: same as a, page: same as a}",
        ),
    ] {
        let text = format!(
            "addresses: {{{addresses}}}
scenarios: {{never: {{between: nothing, steps: [{{a: {first}}}, {second}]}}}}
"
        );
        let plan = plan(&profile, &text);
        let (watch, reached) = with_scenarios(&profile, &plan, 2_000_000);
        let value = &reached[0].values[0];
        assert!(value.attempts > 0 && value.hits == 0, "{text}: {value:?}");
        assert_eq!(value.given_up.values().sum::<u64>(), value.attempts, "{text}: {value:?}");
        assert!(watch.operations < 20_000, "{text}: {} operations", watch.operations);
    }
}

#[test]
fn a_share_of_operations_without_an_address_below_its_limit_was_missed_for_the_limit() {
    let profile = builtin::profile();
    let text = "mix: {ERASE: 5 %}\naddresses: {few: {regions: [{blocks: 0-7}], limits: {erases_per_block: 2}}}";
    let plan = plan(&profile, text);
    let setup = setup_of(&profile, &plan).with_mix(&plan.mix);
    let mut site = Site::new(&setup, 4);
    site.run(&operations(2_000), &mut Nowhere).expect("memory does not fail");
    assert_eq!(site.shares()[0].reason, Some(ShareShortfall::Refused("limit".to_owned())), "{:?}", site.shares());
}

#[test]
fn a_scenario_under_a_limit_reads_each_page_once() {
    let profile = builtin::profile();
    let text = "
addresses: {once: {regions: [{dies: 0, blocks: 8, pages: 0-15}], limits: {reads_per_page: 1}}}
scenarios:
  fill:
    between: nothing
    steps:
      - e: {op: Block_Erase_SLC, die: 0, block: 8}
      - {op: Page_Program_SLC, block: same as e, repeat: 16}
  read_page: {hits: 16, between: nothing, steps: [{base: READ, multi: false}]}
";
    let plan = plan(&profile, text);
    let fill = setup(&profile, &plan, &[]).expect("names").with_scenarios(&plan.scenarios[..1]).expect("few values");
    let read = setup(&profile, &plan, &[0]).expect("names").with_scenarios(&plan.scenarios[1..]).expect("few values");
    let limits = RunLimits {
        until: Some(PhaseUntil::ScenariosDone),
        ..RunLimits { run_until: Ticks::from_us(1_000_000), ..RunLimits::default() }
    };
    let (mut watch, mut site) = (Watch::new(&profile), Site::new(&fill, 6));
    for phase in [&fill, &read] {
        site.enter(phase);
        site.run(&limits, &mut watch).expect("memory does not fail");
        watch.end_run();
    }
    let expected: Vec<_> = (0..16).map(|page| ((0, 8, page), 1)).collect();
    assert_eq!(watch.page_reads.into_iter().collect::<Vec<_>>(), expected);
}
