//! Runs of a site in memory and in files, and what the reader finds in them.

use std::io;

use nandseq_generate::{RunLimits, Setup, Site, probability};
use nandseq_input::CsvFiles;
use nandseq_input::folder;
use nandseq_output::csv_tables::CsvTables;
use nandseq_output::run_files::RunFiles;
use nandseq_plan::TestPlan;
use nandseq_profile::{OpId, Profile, Target, Ticks};
use nandseq_report::plan::PlanCounts;
use nandseq_trace::files::{Outputs, Stamp};
use nandseq_trace::{Cut, Operation, Sink, Status};
use tempfile::TempDir;

/// Operations of a run: enough for the states of a device to come, few enough for the reader to try each beginning.
const OPS: u64 = 250;
const RUNS: u64 = 3;

/// An operation that started.
#[derive(Clone, Debug)]
pub(crate) struct Started {
    pub(crate) op: OpId,
    pub(crate) start: Ticks,
    pub(crate) targets: Vec<Target>,
    pub(crate) status: Option<Status>,
    /// Whether a chain forced it.
    pub(crate) is_forced: bool,
}

/// The runs of a site.
pub(crate) struct Written {
    folder: TempDir,
    /// The operations of each run in order.
    pub(crate) runs: Vec<Vec<Started>>,
}

/// A sink that keeps the operations.
struct Kept<'r, S> {
    inner: S,
    run: &'r mut Vec<Started>,
}

impl<S: Sink> Sink for Kept<'_, S> {
    fn operation(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        let Operation { op, start, targets, status, is_first, .. } = *operation;
        self.run.push(Started { op, start, targets: targets.to_vec(), status, is_forced: !is_first });
        self.inner.operation(operation)
    }

    fn still_suspended(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        self.inner.still_suspended(operation)
    }

    fn cut(&mut self, uid: u64, at: Ticks, cut: Cut) -> io::Result<()> {
        self.inner.cut(uid, at, cut)
    }

    fn resumed(&mut self, uid: u64, from: Ticks, busy_end: Ticks, end: Ticks) -> io::Result<()> {
        self.inner.resumed(uid, from, busy_end, end)
    }
}

impl Written {
    /// Runs with the scenarios and addresses of a plan; `None` if nothing can be proposed on the device.
    pub(crate) fn new(profile: &Profile, seed: u64, plan: &TestPlan) -> Option<Self> {
        let table = probability::of_profile(profile, probability::DEFAULT_TABLE_SEED);
        let in_force: Vec<usize> = (0..plan.addresses.len()).collect();
        let setup = Setup::new(profile, &table, &[]).ok()?.with_addresses(&plan.addresses, &in_force);
        let setup = setup.with_scenarios(&plan.scenarios).unwrap();
        let format = CsvTables::new(profile).unwrap();
        let stamp: Stamp = "2026-11-22".parse().unwrap();
        let mut site = Site::new(&setup, seed);
        let mut written = Self { folder: TempDir::new().unwrap(), runs: Vec::new() };
        for run in 1..=RUNS {
            // The bootstrap draws addresses outside the regions.
            let bootstrap = plan.addresses.is_empty() && seed.is_multiple_of(2);
            let limits = RunLimits {
                run_until: Ticks::from_us(1_000_000),
                max_ops: Some(OPS),
                of_phase: (run - 1, RUNS),
                bootstrap,
                ..RunLimits::default()
            };
            let mut rows = Vec::new();
            let inner = RunFiles::create(written.folder.path(), &format, Outputs::ALL, stamp, run).unwrap();
            let mut sink = Kept { inner, run: &mut rows };
            site.run(&limits, &mut sink).unwrap();
            sink.inner.finish().unwrap();
            written.runs.push(rows);
        }
        Some(written)
    }

    /// The number of matches of each scenario of a plan.
    pub(crate) fn matches(&self, profile: &Profile, plan: &TestPlan) -> Vec<u64> {
        let sites = folder::find(self.folder.path()).unwrap();
        let mut counts = vec![0; plan.scenarios.len()];
        for site in &sites {
            let found = PlanCounts::of_site(profile, plan, &CsvFiles, site, |_| None, |_| {}).unwrap();
            for (at, scenario) in found.phases.values().flat_map(|phase| &phase.scenarios) {
                counts[*at] += scenario.matches;
            }
        }
        counts
    }
}
