//! Sites and runs: what a run boundary changes (nothing but a pause), and what seeds promise.

use std::collections::BTreeSet;
use std::io;

use crate::vary::vary;
use nandseq_generate::{RunLimits, Setup, Site, probability};
use nandseq_profile::model::OverrideOf;
use nandseq_profile::{BaseId, OpId, Profile, Target, Ticks, builtin};
use nandseq_trace::{Operation, Sink, Status};
use nandseq_verify::Verifier;

fn setup_of(profile: &Profile) -> Setup {
    Setup::new(profile, &probability::of_profile(profile, 1729), &[]).expect("something to propose")
}

fn us(run_until: u64) -> RunLimits<'static> {
    RunLimits { run_until: Ticks::from_us(run_until), ..RunLimits::default() }
}

/// One operation, kept.
#[derive(PartialEq, Eq, Debug)]
struct Kept {
    seq: u64,
    uid: u64,
    op: OpId,
    start: Ticks,
    targets: Vec<Target>,
    status: Option<Status>,
}

/// Everything a sequence says.
#[derive(Default, PartialEq, Eq, Debug)]
struct Record {
    operations: Vec<Kept>,
}

impl Sink for Record {
    fn operation(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        let Operation { seq, uid, op, start, targets, status, .. } = *operation;
        self.operations.push(Kept { seq, uid, op, start, targets: targets.to_vec(), status });
        Ok(())
    }
}

fn record(setup: &Setup, seed: u64, runs: u64, run_us: u64) -> Record {
    let mut record = Record::default();
    let mut site = Site::new(setup, seed);
    for _ in 0..runs {
        site.run(&us(run_us), &mut record).expect("memory does not fail");
    }
    record
}

/// Operations started by name over all runs but the first.
fn counts(setup: &Setup, seed: u64, runs: u64, run_us: u64) -> Vec<f64> {
    let mut site = Site::new(setup, seed);
    let mut total = vec![0.0; setup.tables().ops().count()];
    for _ in 0..runs {
        let summary = site.run(&us(run_us), &mut Record::default()).expect("memory does not fail");
        total.iter_mut().zip(&summary.by_op).for_each(|(sum, &count)| *sum += count as f64);
    }
    total
}

/// Mean and variance of the mean.
fn mean(samples: &[f64]) -> (f64, f64) {
    let count = samples.len() as f64;
    let mean = samples.iter().sum::<f64>() / count;
    let variance = samples.iter().map(|sample| (sample - mean).powi(2)).sum::<f64>() / (count - 1.0);
    (mean, variance / count)
}

/// By how much, as a share, the count of a name may differ because runs begin with an idle device. Over 24 seeds, a thousand runs of 0.1 s
/// start 2 % more operations than one run of 100 s, and between 4 % fewer and 6 % more of any one name.
const BEGINNINGS: f64 = 0.06;

/// Compares, name by name, `runs` runs of a site with one run as long as all of them, over `seeds` sites each.
fn assert_as_lively(runs: u64, run_us: u64, seeds: u64) {
    let profile = builtin::profile();
    let setup = setup_of(&profile);
    let split: Vec<Vec<f64>> = (0..seeds).map(|seed| counts(&setup, 10_000 * seed, runs, run_us)).collect();
    let long: Vec<Vec<f64>> = (0..seeds).map(|seed| counts(&setup, 10_000 * seed + 5_000, 1, runs * run_us)).collect();
    let mut compared = 0;
    for (op, info) in profile.ops.iter_ids() {
        let column = |samples: &[Vec<f64>]| mean(&samples.iter().map(|run| run[op.index()]).collect::<Vec<_>>());
        let (a, a_error) = column(&split);
        let (b, b_error) = column(&long);
        if a + b < 10.0 {
            continue;
        }
        // With few seeds the error itself is uncertain: never trust it to be below that of a Poisson count.
        let error = (a_error + b_error).max((a + b) / seeds as f64).sqrt();
        let most = 5.0 * error + BEGINNINGS * b + 1.0;
        assert!((a - b).abs() < most, "{}: {a} in {runs} runs, {b} in one, error {error}", info.name);
        compared += 1;
    }
    assert!(compared > 150, "only {compared} names were frequent enough");
}

#[test]
fn fifty_runs_are_as_lively_as_one_long_run() {
    assert_as_lively(50, 100_000, 12);
}

/// Runs of the default length. Each begins with an idle device, since the one before completed what was in flight: much shorter
/// runs, of a few erase times, favour what an idle device takes up first.
#[test]
fn a_thousand_short_runs_are_as_lively_as_one_long_run() {
    assert_as_lively(1_000, 100_000, 2);
}

/// Bases that appear as a step of a chain that can run.
fn step_bases(profile: &Profile) -> BTreeSet<BaseId> {
    profile
        .bases
        .iter()
        .flat_map(|base| base.follow_ups.iter().filter(|follow| follow.weight > 0.0).filter_map(|follow| follow.chain))
        .flat_map(|chain| profile.chains[chain].steps.iter().map(|step| step.base))
        .collect()
}

#[test]
fn a_run_that_ends_in_the_middle_of_any_chain_completes_it() {
    // Heads of chains get most of the mass, so that boundaries fall into chains of a few µs too.
    let mut profile = builtin::profile();
    let heads: Vec<BaseId> =
        profile.bases.iter_ids().filter(|(_, base)| !base.follow_ups.is_empty()).map(|(id, _)| id).collect();
    profile.probabilities.by_key.clear();
    let base_of = |what: OverrideOf| match what {
        OverrideOf::Base(base) => base,
        OverrideOf::Op(op) => profile.ops[op].base,
    };
    let rest = profile.probabilities.global.iter().filter(|(what, _)| !heads.contains(&base_of(*what))).copied();
    profile.probabilities.global = rest.collect();
    profile.probabilities.global.extend(heads.iter().map(|&head| (OverrideOf::Base(head), 1.0)));
    let setup = setup_of(&profile);
    let mut late = BTreeSet::new();
    for seed in 0..80 {
        if seed >= 10 && step_bases(&profile).is_subset(&late) {
            break;
        }
        let mut site = Site::new(&setup, seed * 1000);
        let mut verifier = Verifier::new(&profile, &[]);
        for run in 0..200 {
            let mut record = Record::default();
            let length = 300 + 37 * run % 1900;
            let summary = site.run(&us(length), &mut record).expect("memory does not fail");
            let boundary = summary.start + Ticks::from_us(length);
            for Kept { seq, uid, op, start, targets, status } in &record.operations {
                if *start >= boundary {
                    late.insert(profile.ops[*op].base);
                }
                let (seq, uid, op, start, status) = (*seq, *uid, *op, *start, *status);
                verifier.operation(&Operation { seq, uid, op, start, targets, status, ..Operation::default() });
            }
            assert!(summary.end >= boundary, "the next run starts when the last plane is free");
            verifier.end_of_file();
        }
        assert!(verifier.is_clean(), "{:?}", verifier.findings().first());
    }
    let missing: Vec<_> =
        step_bases(&profile).difference(&late).map(|&base| profile.bases[base].name.clone()).collect();
    assert!(missing.is_empty(), "no run ended before a step of {missing:?}");
}

#[test]
fn the_same_seed_gives_the_same_sequence_and_another_seed_another() {
    for number in 0..6 {
        let profile = vary(&builtin::profile(), number);
        let setup = setup_of(&profile);
        let first = record(&setup, 7, 3, 20_000);
        assert_eq!(first, record(&setup, 7, 3, 20_000));
        assert!(first.operations.is_empty() || first != record(&setup, 8, 3, 20_000), "variation {number}");
    }
}

#[test]
fn one_site_alone_repeats_that_site_of_a_batch() {
    // Site i of a batch with base seed s is the site with seed s + i; nothing else distinguishes sites.
    let setup = setup_of(&builtin::profile());
    let batch: Vec<Record> = (0..8).map(|site| record(&setup, 1000 + site, 2, 20_000)).collect();
    assert_eq!(batch[4], record(&setup, 1004, 2, 20_000));
    for (at, one) in batch.iter().enumerate() {
        assert!(batch[..at].iter().all(|other| other != one), "sites differ from each other");
    }
}

#[test]
fn proposals_stop_after_the_stated_number_of_operations() {
    let setup = setup_of(&builtin::profile());
    let mut site = Site::new(&setup, 1);
    let limits = RunLimits { max_ops: Some(500), ..us(10_000_000) };
    let first = site.run(&limits, &mut Record::default()).expect("memory does not fail");
    assert!((500..600).contains(&first.ops), "{} operations", first.ops);
    let second = site.run(&limits, &mut Record::default()).expect("memory does not fail");
    assert!(second.start >= first.end && second.ops >= 500);
}

#[test]
fn a_set_stop_flag_abandons_the_run() {
    let setup = setup_of(&builtin::profile());
    let stop = std::sync::atomic::AtomicBool::new(true);
    let limits = RunLimits { stop: Some(&stop), ..us(10_000_000) };
    let outcome = Site::new(&setup, 1).run(&limits, &mut Record::default());
    assert!(matches!(outcome, Err(nandseq_generate::RunError::Interrupted)));
}

#[test]
fn an_error_of_the_sink_ends_the_run() {
    struct Full;
    impl Sink for Full {
        fn operation(&mut self, _: &Operation<'_>) -> io::Result<()> {
            Err(io::Error::from(io::ErrorKind::StorageFull))
        }
    }
    let setup = setup_of(&builtin::profile());
    let outcome = Site::new(&setup, 1).run(&us(10_000), &mut Full);
    assert!(matches!(outcome, Err(nandseq_generate::RunError::Output(_))));
}
