//! Directed generation covers in fewer operations, obeys the same rules, and repeats its bytes.
#![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]

use std::fmt::Write as _;
use std::io;
use std::sync::LazyLock;

use crate::coverage_model::coverage_model;
use crate::legacy::legacy;
use crate::vary::vary;
use nandseq_device::Tables;
use nandseq_generate::probability::{self, Distributions};
use nandseq_generate::{RunLimits, Setup, Site, SiteState};
use nandseq_profile::input_time::Bin;
use nandseq_profile::model::{Effect, PhaseKind};
use nandseq_profile::{Profile, Ticks, builtin};
use nandseq_trace::{Operation, Sink};
use nandseq_verify::Verifier;

/// What a site says, as text and to a judge.
struct Witness<'p> {
    text: String,
    judge: Verifier<'p>,
}

impl<'p> Witness<'p> {
    fn new(profile: &'p Profile) -> Self {
        Self { text: String::new(), judge: Verifier::new(profile, &[]) }
    }
}

impl Sink for Witness<'_> {
    fn operation(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        self.judge.operation(operation);
        writeln!(self.text, "{} {:?} {:?}", operation.start, operation.op, operation.targets).map_err(io::Error::other)
    }
}

fn setup_of(profile: &Profile, table: &Distributions, directed: bool) -> Option<Setup> {
    let setup = Setup::new(profile, table, &[]).ok()?;
    Some(setup.with_coverage_model(profile, coverage_model(profile, table, directed)))
}

fn limits(ops: u64, until_covered: Option<u64>) -> RunLimits<'static> {
    let run_until = Ticks::from_us(100_000_000);
    RunLimits { run_until, max_ops: Some(ops), until_covered, ..RunLimits::default() }
}

struct Nothing;

impl Sink for Nothing {
    fn operation(&mut self, _: &Operation<'_>) -> io::Result<()> {
        Ok(())
    }
}

/// The longest time in which nothing started.
#[derive(Default)]
struct Silence {
    last: Ticks,
    longest: Ticks,
}

impl Sink for Silence {
    fn operation(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        self.longest = self.longest.max(operation.start - self.last);
        self.last = operation.start;
        Ok(())
    }
}

#[test]
fn neither_a_directed_site_nor_a_plain_one_is_silent_for_longer_than_the_longest_erase() {
    let profile = builtin::profile();
    let table = probability::of_profile(&profile, 1729);
    let tables = Tables::new(&profile);
    let erases = tables.ops().filter(|(_, op)| tables.base(op.base).effects.erase);
    let erase = erases.map(|(_, op)| op.occupied).max().unwrap();
    for directed in [false, true] {
        let setup = setup_of(&profile, &table, directed).unwrap();
        for seed in [2, 42] {
            let mut silence = Silence::default();
            Site::new(&setup, seed).run(&limits(15_000, None), &mut silence).unwrap();
            let longest = silence.longest;
            assert!(longest <= erase, "directed: {directed}, seed {seed}: {longest}, an erase takes {erase}");
        }
    }
}

#[test]
fn a_directed_site_covers_twice_as_much_with_as_many_operations() {
    let profile = builtin::profile();
    let table = probability::of_profile(&profile, 1729);
    let hit = |directed| {
        let setup = setup_of(&profile, &table, directed).unwrap();
        let mut site = Site::new(&setup, 1);
        site.run(&limits(5_000, None), &mut Nothing).unwrap();
        site.reached().unwrap().hit
    };
    let (plain, directed) = (hit(false), hit(true));
    assert!(directed > 2 * plain, "{directed} bins against {plain}");
}

#[test]
fn a_directed_site_breaks_no_rule_and_says_the_same_again() {
    let builtin = builtin::profile();
    let profiles = std::iter::once(builtin.clone())
        .chain(legacy("config-2025-09.yaml"))
        .chain((0..6).map(|number| vary(&builtin, number)));
    let mut operations = 0;
    for (seed, profile) in profiles.enumerate() {
        let table = probability::of_profile(&profile, 1729);
        let Some(setup) = setup_of(&profile, &table, true) else { continue };
        let run = || {
            let mut witness = Witness::new(&profile);
            let mut site = Site::new(&setup, seed as u64);
            for _ in 0..2 {
                let limits = RunLimits { run_until: Ticks::from_us(2_000_000), ..limits(2_000, None) };
                site.run(&limits, &mut witness).expect("it goes on");
                witness.judge.end_of_file();
            }
            witness
        };
        let (first, again) = (run(), run());
        let findings: Vec<_> = first.judge.findings().iter().take(3).collect();
        assert!(first.judge.is_clean(), "{}: {findings:#?}", profile.name);
        assert!(first.text == again.text, "{}: other operations the second time", profile.name);
        operations += first.judge.operations();
    }
    assert!(operations > 5_000, "only {operations} operations");
}

#[test]
fn a_directed_site_split_at_every_run_boundary_says_the_same() {
    let builtin = builtin::profile();
    let profiles = std::iter::once(builtin.clone()).chain((0..8).map(|number| vary(&builtin, number)));
    for (seed, profile) in profiles.enumerate() {
        let seed = seed as u64;
        let table = probability::of_profile(&profile, 1729);
        let Some(setup) = setup_of(&profile, &table, true) else { continue };
        let (mut whole, mut split) = (Site::new(&setup, seed), Site::new(&setup, seed));
        for run in 0..15 {
            let next = |site: &mut Site<'_>| {
                let mut witness = Witness::new(&profile);
                let limits = RunLimits { run_until: Ticks::from_us(3_000), ..limits(1_500, None) };
                site.run(&limits, &mut witness).expect("it goes on");
                witness.text
            };
            assert!(next(&mut whole) == next(&mut split), "{}: run {run}", profile.name);
            let text = serde_json::to_string(&split.state()).unwrap();
            let state = serde_json::from_str(&text).unwrap();
            assert_eq!(state, whole.state(), "{}: state after run {run}", profile.name);
            split = Site::from_state(&setup, seed, &state).unwrap();
            assert_eq!(split.hits(), whole.hits());
        }
    }
}

#[test]
fn counting_changes_nothing_of_a_plain_site() {
    let profile = builtin::profile();
    let table = probability::of_profile(&profile, 1729);
    let run = |setup: &Setup| {
        let mut witness = Witness::new(&profile);
        let mut site = Site::new(setup, 4);
        site.run(&limits(3_000, None), &mut witness).unwrap();
        (witness.text, site.reached())
    };
    let (plain, none) = run(&Setup::new(&profile, &table, &[]).unwrap());
    let (counted, some) = run(&setup_of(&profile, &table, false).unwrap());
    assert!(plain == counted);
    assert!(none.is_none() && some.is_some_and(|reached| reached.hit > 100));
}

#[test]
fn proposals_stop_when_enough_is_covered() {
    let profile = builtin::profile();
    let table = probability::of_profile(&profile, 1729);
    for directed in [false, true] {
        let setup = setup_of(&profile, &table, directed).unwrap();
        let mut site = Site::new(&setup, 1);
        site.run(&limits(100_000, Some(500)), &mut Nothing).unwrap();
        let reached = site.reached().unwrap();
        assert_eq!(reached.hit, 500, "directed: {directed}");
        assert_eq!(site.hits().iter().filter(|hits| **hits > 0).count(), 500);
        let after = site.run(&limits(100_000, Some(500)), &mut Nothing).unwrap();
        assert_eq!(after.ops, 0, "nothing is proposed any more");
    }
}

/// Why a site does not go on from a state.
fn refusal(setup: &Setup, state: &SiteState) -> Option<String> {
    Site::from_state(setup, 1, state).err().map(|error| error.to_string())
}

#[test]
fn a_state_without_the_hits_it_needs_is_refused() {
    let profile = builtin::profile();
    let table = probability::of_profile(&profile, 1729);
    let plain = Setup::new(&profile, &table, &[]).unwrap();
    let counting = setup_of(&profile, &table, true).unwrap();
    let mut site = Site::new(&counting, 1);
    site.run(&limits(200, None), &mut Nothing).unwrap();
    assert_eq!(refusal(&plain, &site.state()).as_deref(), Some("hits of bins, and none count"));
    assert_eq!(refusal(&counting, &Site::new(&plain, 1).state()).as_deref(), Some("no hits of the bins that count"));
    let text = serde_json::to_string(&site.state()).unwrap();
    for (from, to) in [("\"hits\":\"", "\"hits\":\"0 "), ("\"hits\":\"", "\"hits\":\"99999999*0 "), ("*0", "*x")] {
        let state = serde_json::from_str(&text.replacen(from, to, 1)).unwrap();
        let refused = refusal(&counting, &state);
        assert_eq!(refused.as_deref(), Some("hits of other bins than those that count"), "{to}");
    }
}

/// Where all cells but some have been hit, how many of these are hit with at most so many operations for each, how many there
/// are, and the operations.
fn pursue(seed: u64, most: u64, lacks: impl Fn(&Profile, &Bin) -> bool) -> (u64, u64, u64) {
    // The universe takes longest.
    static DEVICE: LazyLock<(Profile, Setup)> = LazyLock::new(|| {
        let profile = builtin::profile();
        let setup = setup_of(&profile, &probability::of_profile(&profile, 1729), true);
        (profile, setup.unwrap())
    });
    let (profile, setup) = &*DEVICE;
    let fresh = Site::new(setup, seed);
    let hits: Vec<&str> = fresh.uncovered().iter().map(|bin| if lacks(profile, bin) { "0" } else { "1" }).collect();
    let lacking = hits.iter().filter(|hits| **hits == "0").count() as u64;
    let mut state = serde_json::to_value(fresh.state()).unwrap();
    state["hits"] = hits.join(" ").into();
    let mut site = Site::from_state(setup, seed, &serde_json::from_value(state).unwrap()).unwrap();
    let ops = site.run(&limits(most * lacking, Some(hits.len() as u64)), &mut Nothing).unwrap().ops;
    (lacking - site.uncovered().len() as u64, lacking, ops)
}

fn has_effect(profile: &Profile, bin: &Bin, wanted: impl Fn(&Effect) -> bool) -> bool {
    profile.bases[profile.ops[bin.op].base].effects.iter().any(wanted)
}

fn is_end(profile: &Profile, bin: &Bin) -> bool {
    profile.phase_keys[bin.key].phase.is_none() && profile.phase_keys[bin.key].base.is_some()
}

#[test]
fn what_a_name_lacks_is_prepared_before_going_to_its_key() {
    // A copyback program of several planes needs pages that a copyback read of several left, and they must last until the END.
    for seed in 1..3 {
        let (hit, bins, ops) = pursue(seed, 20, |profile, bin| {
            let copies = has_effect(profile, bin, |effect| matches!(effect, Effect::CopybackSource));
            copies && is_end(profile, bin) && profile.ops[bin.op].multi
        });
        assert!(hit * 4 > bins * 3, "{hit} of {bins} with {ops} operations");
    }
}

#[test]
fn page_reads_at_ends_are_covered_within_three_operations_for_each_bin() {
    let (hit, bins, ops) = pursue(1, 3, |profile, bin| {
        let reads = has_effect(profile, bin, |effect| matches!(effect, Effect::FillRegisters { copyback: false }));
        reads && is_end(profile, bin) && !profile.ops[bin.op].multi
    });
    // Every read is two operations, its data output included.
    assert!(hit * 10 > bins * 8, "{hit} of {bins} with {ops} operations");
}

#[test]
fn what_may_wait_for_the_bus_reaches_the_last_tenth_of_a_window() {
    for seed in 1..3 {
        let (hit, bins, ops) = pursue(seed, 8, |profile, bin| {
            let window = profile.phase_keys[bin.key].phase == Some(PhaseKind::DataOut);
            window && bin.time_bin == 9 && profile.bases[profile.ops[bin.op].base].instant
        });
        assert!(hit * 10 > bins * 8, "{hit} of {bins} with {ops} operations");
    }
}

#[test]
fn what_stands_alone_leaves_its_window_to_the_next_cache_read() {
    for seed in 1..3 {
        let (hit, bins, ops) = pursue(seed, 3, |profile, bin| {
            let window = profile.phase_keys[bin.key].phase == Some(PhaseKind::DataOut);
            window && has_effect(profile, bin, |effect| matches!(effect, Effect::CacheRead(_)))
        });
        assert!(hit * 10 > bins * 8, "{hit} of {bins} with {ops} operations");
    }
}

#[test]
fn three_operations_for_each_bin_cover_99_percent() {
    for profile in std::iter::once(builtin::profile()).chain(legacy("config-2025-09.yaml")) {
        let table = probability::of_profile(&profile, 1729);
        let setup = setup_of(&profile, &table, true).unwrap();
        let mut site = Site::new(&setup, 1);
        let bins = site.reached().unwrap().bins;
        site.run(&limits(3 * bins, Some((bins * 99).div_ceil(100))), &mut Nothing).unwrap();
        let hit = site.reached().unwrap().hit;
        assert!(hit * 100 >= bins * 99, "{}: {hit} of {bins}", profile.name);
    }
}
