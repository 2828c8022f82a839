//! Weights at the hooks of real runs.

use std::collections::BTreeSet;
use std::io;

use nandseq_profile::{OpId, PhaseKey, Profile, builtin};
use nandseq_trace::{OpState, Operation, Sink};

use super::*;
use crate::policy::Policy;
use crate::probability::of_profile;
use crate::proposal::View;
use crate::random::StreamKind;
use crate::site::Site;
use crate::{RunLimits, probability};
use nandseq_profile::input_time::Bin;

struct Nothing;

impl Sink for Nothing {
    fn operation(&mut self, _: &Operation<'_>) -> io::Result<()> {
        Ok(())
    }
}

/// Every name under every key counts.
fn everything(profile: &Profile, directed: bool) -> CoverageModel {
    let keys = || profile.phase_keys.ids();
    let bins = keys().flat_map(|key| profile.ops.ids().map(move |op| Bin { key, op, time_bin: 0 }));
    CoverageModel::new(profile, bins, |_| 1, directed)
}

#[test]
fn at_a_hook_of_plain_generation_every_name_it_can_draw_keeps_a_weight() {
    let profile = builtin::profile();
    let table = of_profile(&profile, probability::DEFAULT_TABLE_SEED);
    let setup = Setup::new(&profile, &table, &[]).expect("something to propose");
    let setup = setup.with_coverage_model(&profile, everything(&profile, true));
    let mut site = Site::new(&setup, 3);
    let mut compared = 0;
    for _ in 0..40 {
        let limits = RunLimits { run_until: Ticks::from_us(2_000), ..RunLimits::default() };
        site.run(&limits, &mut Nothing).expect("memory does not fail");
        // The sampler still holds what was eligible at the last hook.
        let eligible: Vec<_> = site.proposer.sampler.eligible().collect();
        let Site { kernel, proposer, reporter, policy, counts, .. } = &mut site;
        let (Policy::Directed(directed), Some(counts)) = (policy, counts) else { panic!("a directed model") };
        for key in profile.phase_keys.ids() {
            let distribution = setup.distribution(key);
            let proposal = Proposal { time: kernel.quiet, key_used: key, ..Proposal::default() };
            for kind in [HookKind::Phase, HookKind::Refill] {
                let at = AtHook {
                    setup: &setup,
                    kernel,
                    proposer,
                    reporter,
                    sink: &mut Nothing,
                    view: &View { die: proposal.die, plane: proposal.plane, chained: false, rested: false },
                    kind,
                    proposal: &proposal,
                    distribution,
                    first: None,
                    held: 0,
                    stream: &mut Stream::new([1, 1], StreamKind::Trial, 0),
                };
                directed.weigh(&at, counts);
                let wanted: BTreeSet<OpId> =
                    eligible.iter().flat_map(|&class| distribution.names_of(class)).map(|&(op, _)| op).collect();
                let mut stream = Stream::new([1, 2], StreamKind::Trial, compared as u64);
                let mut drawn = BTreeSet::new();
                while let Some(choice) = directed.choices.draw(distribution, &mut stream) {
                    if let Proposed::Name(op, _) = choice.proposed {
                        assert!(drawn.insert(op), "{op:?} twice");
                    }
                }
                assert_eq!(drawn, wanted);
                compared += wanted.len();
            }
        }
    }
    assert!(compared > 10_000, "only {compared} weights");
}

#[test]
fn hits_read_back_from_their_text() {
    let profile = builtin::profile();
    let table = of_profile(&profile, probability::DEFAULT_TABLE_SEED);
    let setup = Setup::new(&profile, &table, &[]).expect("something to propose");
    let setup = setup.with_coverage_model(&profile, everything(&profile, false));
    let model = setup.coverage_model.as_ref().expect("it was given");
    let mut counts = CoverageCounts::new(model);
    for op in [3, 3, 9, 200] {
        counts.count(model, &Proposal::default(), OpId(op), Ticks::ZERO);
    }
    for key in profile.phase_keys.ids() {
        let by_time_bin: u32 = counts.uncovered_names(key).iter().sum();
        assert_eq!(counts.uncovered_under(key), u64::from(by_time_bin), "{key:?}");
    }
    let text = counts.to_text();
    assert!(text.starts_with("3*0 2 5*0 1 190*0 1 "), "{text}");
    let back = CoverageCounts::of_text(model, &text).expect("its own text");
    assert_eq!((back.hits(), back.reached()), (counts.hits(), counts.reached()));
    for wrong in ["", "1", "0 ", "x", "*", "4294967296", &format!("{text} 0"), "99999999999999999999*0"] {
        assert!(CoverageCounts::of_text(model, wrong).is_none(), "{wrong}");
    }
}

#[test]
fn models_of_as_many_other_bins_have_other_digests() {
    let profile = builtin::profile();
    let digest = |time_bin| {
        CoverageModel::new(&profile, [Bin { key: PhaseKey::DEFAULT, op: OpId(3), time_bin }], |_| 10, false).digest()
    };
    assert_eq!(digest(1), digest(1));
    assert_ne!(digest(1), digest(2));
}

#[test]
fn a_directed_site_with_nothing_to_go_for_starts_as_much_as_a_plain_one() {
    let profile = builtin::profile();
    let table = of_profile(&profile, probability::DEFAULT_TABLE_SEED);
    let operations = |directed| {
        let setup = Setup::new(&profile, &table, &[]).expect("something to propose");
        let setup = setup.with_coverage_model(&profile, everything(&profile, directed));
        let model = setup.coverage_model.as_ref().expect("it was given");
        let mut site = Site::new(&setup, 5);
        // Every bin has been hit far above the level.
        site.counts = CoverageCounts::of_text(model, &format!("{}*1000", model.bin_count()));
        let limits = RunLimits { run_until: Ticks::from_us(300_000), ..RunLimits::default() };
        site.run(&limits, &mut Nothing).expect("memory does not fail").ops
    };
    let (plain, directed) = (operations(false), operations(true));
    assert!(directed > plain / 2 && directed < plain * 2, "{directed} operations against {plain}");
}

/// A coverage model of every name under every key, compiled, without hits.
fn setup(profile: &Profile) -> Setup {
    let table = of_profile(profile, probability::DEFAULT_TABLE_SEED);
    let setup = Setup::new(profile, &table, &[]).expect("something to propose");
    setup.with_coverage_model(profile, everything(profile, true))
}

#[test]
fn what_leads_nowhere_loses_value_and_a_hit_halves_the_loss() {
    let profile = builtin::profile();
    let setup = setup(&profile);
    let model = setup.coverage_model.as_ref().expect("it was given");
    let mut discounts = Discounts::new(model);
    let (base, class) = (profile.ops[OpId(3)].base, model.class_of[3]);
    let losses = |discounts: &Discounts| [discounts.of_base(base), discounts.of_promise(class)];
    assert_eq!(losses(&discounts), [1, 1]);
    (0..16).for_each(|_| discounts.steer(base, Some(class)));
    assert_eq!(losses(&discounts), [17, 65]);
    discounts.hit(PhaseKey::DEFAULT);
    assert_eq!(losses(&discounts), [5, 17]);
    discounts.forget();
    assert_eq!(losses(&discounts), [1, 1]);
}

#[test]
fn a_key_is_worth_less_the_more_operations_came_there_in_vain_until_a_hit_there() {
    let profile = builtin::profile();
    let setup = setup(&profile);
    let mut discounts = Discounts::new(setup.coverage_model.as_ref().expect("it was given"));
    let key = PhaseKey::DEFAULT;
    assert_eq!(discounts.fresh(key, 100), 100);
    (0..40).for_each(|_| discounts.visit(key));
    assert!(discounts.fresh(key, 100) < 10);
    discounts.hit(key);
    assert_eq!(discounts.fresh(key, 100), 100);
}

#[test]
fn only_the_hit_that_covers_a_bin_is_one_that_the_policy_hears_of() {
    let profile = builtin::profile();
    let setup = setup(&profile);
    let model = setup.coverage_model.as_ref().expect("it was given");
    let mut counts = CoverageCounts::new(model);
    assert!(counts.count(model, &Proposal::default(), OpId(3), Ticks::ZERO));
    assert!(!counts.count(model, &Proposal::default(), OpId(3), Ticks::ZERO));
}

#[test]
fn at_least_rises_after_four_hits_for_each_bin() {
    let profile = builtin::profile();
    let setup = setup(&profile);
    let model = setup.coverage_model.as_ref().expect("it was given");
    let uncovered = |hits: u64| {
        let text = format!("{}*{hits} {}", model.bin_count() - 1, hits - 1);
        let counts = CoverageCounts::of_text(model, &text).expect("hits of every bin");
        profile.phase_keys.ids().map(|key| counts.uncovered_under(key)).sum::<u64>()
    };
    // One hit less than 4 per bin: the level is still 1.
    assert_eq!(uncovered(4), 0);
    let counts = CoverageCounts::of_text(model, &format!("{}*1 {}", model.bin_count() - 1, 3 * model.bin_count() + 1))
        .expect("hits");
    let is_uncovered = |op: OpId| counts.is_uncovered(model, PhaseKey::DEFAULT, op, 0);
    assert!(is_uncovered(OpId(3)), "a bin with one hit is uncovered again");
}

#[test]
fn what_is_about_to_end_where_hits_lack_is_rarely_cut() {
    let profile = builtin::profile();
    let setup = setup(&profile);
    let model = setup.coverage_model.as_ref().expect("it was given");
    let mut counts = CoverageCounts::new(model);
    let end = profile.phase_keys.ids().find(|key| profile.phase_keys[*key].base.is_some()).expect("bases have keys");
    let state = OpState { of: end, phase: Some(PhaseKind::CoreBusy), ..OpState::default() };
    let proposal = Proposal { state, ..Proposal::default() };
    assert!(spares(&counts, &proposal));
    assert!(!spares(&counts, &Proposal { state: OpState { phase: None, ..state }, ..proposal }));
    // Once all bins under the END are covered, there is nothing to spare it for.
    counts = CoverageCounts::of_text(model, &format!("{}*1", model.bin_count())).expect("hits of every bin");
    assert!(!spares(&counts, &proposal));
}
