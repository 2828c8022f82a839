//! One rule of the engine off at a time: the judge must see it, under the code of that rule.
//!
//! Rules are data: the engine generates from a profile that lacks a rule (its *belief*), and the verifier judges by the true
//! profile. Both have the same bases, operations and ids. Some rules are covered by others: the rule of a busy plane by that of
//! its op_state, for example. Then the true profile lacks the other rule too, and an engine that believes the true profile must
//! generate without findings.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a failed test is what is wanted, and the table is its result"
)]

mod change;
mod changes;
#[path = "../support/vary.rs"]
#[expect(dead_code, reason = "other tests vary devices")]
mod vary;

use std::fmt::Write as _;

use change::Change;
use nandseq_generate::{RunLimits, Setup, Site, probability};
use nandseq_profile::model::Topology;
use nandseq_profile::{Block, Die, Profile, Ticks, builtin};
use nandseq_verify::{RuleCode, Verifier};

/// Rules of the written form, which no operation can break.
const FORM: [RuleCode; 5] =
    [RuleCode::RowFormat, RuleCode::UnknownOp, RuleCode::TimeOrder, RuleCode::PayloadFields, RuleCode::SeqOrder];

const SEEDS: u64 = 3;
const OPS_PER_RUN: u64 = 6_000;
const RUNS: u64 = 2;
const BAD: [(Die, Block); 4] = [(Die(0), Block(3)), (Die(0), Block(8)), (Die(1), Block(9)), (Die(1), Block(30))];

/// The built-in device, small, so that every block is used again and again.
fn device() -> Profile {
    let mut profile = builtin::profile();
    profile.topology = Topology { dies: 2, planes: 4, blocks_per_die: 64, pages_per_block: 12 };
    profile
}

/// What the judge says.
struct Verdict {
    operations: u64,
    /// Findings and followers of each rule.
    counts: Vec<(RuleCode, u64, u64)>,
    first: Option<String>,
    /// Runs that ended early.
    ends: Vec<String>,
}

impl Verdict {
    fn of(&self, rule: RuleCode) -> (u64, u64) {
        let found = self.counts.iter().find(|(code, ..)| *code == rule);
        found.map_or((0, 0), |&(_, findings, followers)| (findings, followers))
    }
}

/// Generates from `belief` and judges by `truth`.
fn judge(truth: &Profile, belief: &Profile, told_of_bad: bool) -> Verdict {
    let told: &[(Die, Block)] = if told_of_bad { &BAD } else { &[] };
    let mut verdict = Verdict { operations: 0, counts: Vec::new(), first: None, ends: Vec::new() };
    for seed in 0..SEEDS {
        let table = probability::of_profile(belief, seed);
        let setup = Setup::new(belief, &table, told).unwrap();
        let mut site = Site::new(&setup, seed);
        let mut verifier = Verifier::new(truth, &BAD);
        for _ in 0..RUNS {
            let run_until = Ticks::from_us(10_000_000);
            let limits = RunLimits { run_until, max_ops: Some(OPS_PER_RUN), ..RunLimits::default() };
            if let Err(error) = site.run(&limits, &mut verifier) {
                // What the engine believes may contradict itself, but never what is true.
                assert!(truth != belief, "{error}");
                verdict.ends.push(format!("seed {seed}, after {} operations: {error}", verifier.operations()));
                break;
            }
            verifier.end_of_file();
        }
        verdict.operations += verifier.operations();
        for rule in RuleCode::ALL {
            let counts = verifier.counts(rule);
            if counts.findings + counts.followers > 0 {
                match verdict.counts.iter_mut().find(|(code, ..)| *code == rule) {
                    Some((_, findings, followers)) => {
                        *findings += counts.findings;
                        *followers += counts.followers;
                    }
                    None => verdict.counts.push((rule, counts.findings, counts.followers)),
                }
            }
        }
        if verdict.first.is_none() {
            verdict.first = verifier.findings().first().map(|finding| format!("seed {seed}: {finding:#?}"));
        }
    }
    verdict
}

/// The device as it is and as the engine believes it to be.
fn profiles(change: &Change) -> (Profile, Profile) {
    let mut truth = device();
    (change.truth)(&mut truth);
    let mut belief = truth.clone();
    (change.belief)(&mut belief);
    (truth, belief)
}

#[test]
fn every_rule_of_the_device_can_be_switched_off() {
    let changes = changes::all();
    let of_operations = |rule: &RuleCode| !FORM.contains(rule) && !RuleCode::TABLES.contains(rule);
    for rule in RuleCode::ALL.into_iter().filter(of_operations) {
        assert!(changes.iter().any(|change| change.rule == rule), "nothing switches {} off", rule.name());
    }
}

#[test]
fn the_engine_that_knows_the_truth_breaks_no_rule() {
    let mut judged = Vec::new();
    for change in changes::all() {
        let (truth, _) = profiles(&change);
        if judged.contains(&truth) {
            continue;
        }
        let verdict = judge(&truth, &truth, true);
        let first = verdict.first.unwrap_or_default();
        assert!(verdict.counts.is_empty(), "truth of \"{}\": {:?}\n{first}", change.what, verdict.counts);
        assert!(verdict.operations >= SEEDS * RUNS * OPS_PER_RUN, "truth of \"{}\": too few operations", change.what);
        judged.push(truth);
    }
}

#[test]
fn each_rule_that_the_engine_does_not_know_is_caught_under_its_own_code() {
    let mut table = format!(
        "{:<22} {:>10} {:>9} {:>9}  {}\n",
        "rule", "operations", "findings", "followers", "what the engine believes; findings of other rules"
    );
    let mut missed = Vec::new();
    for change in changes::all() {
        let (truth, belief) = profiles(&change);
        let verdict = judge(&truth, &belief, change.rule != RuleCode::BadBlock);
        let (findings, followers) = verdict.of(change.rule);
        let others = verdict.counts.iter().filter(|(rule, ..)| *rule != change.rule);
        let mut others: Vec<(u64, &str)> = others.map(|&(rule, found, _)| (found, rule.name())).collect();
        others.sort_by(|a, b| b.cmp(a));
        let others: Vec<String> = others.iter().map(|(found, name)| format!("{name} {found}")).collect();
        let others = if others.is_empty() { "-".to_owned() } else { others.join(", ") };
        let Change { rule, what, .. } = change;
        writeln!(
            table,
            "{:<22} {:>10} {findings:>9} {followers:>9}  {what}; {others}",
            rule.name(),
            verdict.operations
        )
        .unwrap();
        verdict.ends.iter().for_each(|end| writeln!(table, "{:22} {end}", "").unwrap());
        if findings == 0 {
            missed.push(what);
        }
    }
    println!("{table}");
    assert!(missed.is_empty(), "not caught under their own code: {missed:?}");
}
