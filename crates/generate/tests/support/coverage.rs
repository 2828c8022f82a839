//! Which pairs of phase key and op name a run has proposed, against what is called reachable.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use nandseq_generate::probability::Distributions;
use nandseq_generate::{RunLimits, Setup, Site, probability};
use nandseq_profile::{OpId, PhaseKey, Profile, Ticks};
use nandseq_reach::{Start, Universe, Verdict};
use nandseq_trace::{Operation, Sink};

/// Accepted proposals by phase key and name.
#[derive(Default)]
pub(crate) struct Hits {
    pub(crate) counts: BTreeMap<(PhaseKey, OpId), u64>,
    /// The operations that started, as proposals or as steps of chains.
    pub(crate) started: BTreeSet<OpId>,
    pub(crate) operations: u64,
    /// The number of operations that do not count, those of the bootstrap.
    skipped: u64,
}

impl Sink for Hits {
    fn operation(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        if self.skipped > 0 {
            self.skipped -= 1;
            return Ok(());
        }
        self.operations += 1;
        self.started.insert(operation.op);
        if operation.is_first {
            *self.counts.entry((operation.proposal.key_used, operation.op)).or_insert(0) += 1;
        }
        Ok(())
    }
}

/// A universe and what a run made of it.
pub(crate) struct Coverage {
    pub(crate) universe: Universe,
    pub(crate) hits: Hits,
}

impl Coverage {
    /// One run of one site.
    pub(crate) fn of_run(profile: &Profile, table_seed: u64, seed: u64, operations: u64) -> Self {
        Self::of_table(profile, &probability::of_profile(profile, table_seed), seed, operations)
    }

    /// One run of one site with a table.
    pub(crate) fn of_table(profile: &Profile, table: &Distributions, seed: u64, operations: u64) -> Self {
        Self::of_start(profile, table, (seed, false), operations)
    }

    /// One run of one site with a table, after the bootstrap or without one (`seed`, `bootstrap`). What the bootstrap itself proposes
    /// does not count.
    pub(crate) fn of_start(
        profile: &Profile,
        table: &Distributions,
        (seed, bootstrap): (u64, bool),
        operations: u64,
    ) -> Self {
        let universe = Universe::with_start(profile, table, Start { bootstrap, ..Start::default() });
        let mut hits = Hits::default();
        if let Ok(setup) = Setup::new(profile, table, &[]) {
            let run_until = Ticks::from_us(10_000_000_000);
            let run = |run_until, max_ops, hits: &mut Hits| {
                let limits = RunLimits { run_until, max_ops: Some(max_ops), bootstrap, ..RunLimits::default() };
                Site::new(&setup, seed).run(&limits, hits).expect("memory does not fail")
            };
            if bootstrap {
                hits.skipped = run(Ticks::ZERO, 0, &mut Hits::default()).bootstrap_ops;
            }
            run(run_until, operations + hits.skipped, &mut hits);
        }
        Self { universe, hits }
    }

    /// How often a pair was proposed.
    fn count(&self, key: PhaseKey, op: OpId) -> u64 {
        self.hits.counts.get(&(key, op)).copied().unwrap_or(0)
    }

    fn select(&self, wanted: impl Fn(Verdict, u64) -> bool) -> Vec<(PhaseKey, OpId, u64)> {
        let counted = self.universe.pairs().map(|(key, op, verdict)| (key, op, verdict, self.count(key, op)));
        counted
            .filter(|&(_, _, verdict, count)| wanted(verdict, count))
            .map(|(key, op, _, count)| (key, op, count))
            .collect()
    }

    /// Pairs called reachable that were proposed fewer than `least` times.
    pub(crate) fn rare(&self, least: u64) -> Vec<(PhaseKey, OpId, u64)> {
        self.select(|verdict, count| verdict == Verdict::Reachable && count < least)
    }

    /// Pairs called unreachable that were proposed all the same.
    pub(crate) fn wrong(&self) -> Vec<(PhaseKey, OpId, u64)> {
        self.select(|verdict, count| matches!(verdict, Verdict::Unreachable(_)) && count > 0)
    }

    /// Pairs with a verdict of a kind.
    pub(crate) fn with(&self, wanted: impl Fn(Verdict) -> bool) -> usize {
        self.select(|verdict, _| wanted(verdict)).len()
    }
}
