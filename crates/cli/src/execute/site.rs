//! One site: its runs, one after another, and their files.

use std::io;
use std::path::Path;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use nandseq_generate::{RunError, RunLimits, Site};
use nandseq_trace::files::{FileKind, NewFile};
use nandseq_trace::manifest::{self, FileRecord, RunRecord, SiteManifest, SiteRecord};
use nandseq_trace::sequence::SequenceWriter;

use super::{SiteOutcome, Totals, Work, leftovers, origin};
use crate::failure::{Failure, Problem};
use crate::ledger::{self, Finished, Ledger};
use crate::plan::SitePlan;
use crate::progress::Watched;

/// What the names of a site's files begin with.
const NAMES: [&str; 3] = [manifest::FILE_NAME, ledger::FILE_NAME, "operation_sequence_"];

/// Takes away what killed executions left in a site's folder, and what says which runs are there: they will be made anew.
pub(super) fn clean(folder: &Path) -> io::Result<()> {
    leftovers::sweep(folder, &NAMES)?;
    ledger::remove(&folder.join(ledger::FILE_NAME))?;
    ledger::remove(&folder.join(manifest::FILE_NAME))
}

impl Work<'_> {
    /// Generates one site.
    pub(super) fn site(&self, plan: &SitePlan) -> SiteOutcome {
        let folder = self.plan.out_dir.join(&plan.folder);
        let mut totals = Totals { by_op: vec![0; self.plan.profile.ops.len()], ..Totals::default() };
        let (finished, end) = match self.begin(plan, &folder) {
            Ok(mut ledger) => {
                let end = self.runs(plan, &folder, &mut ledger, &mut totals);
                let unwritten = |reason| Failure::cannot_write(&folder.join(manifest::FILE_NAME), reason);
                match (ledger.finish().map_err(unwritten), end) {
                    (Ok(finished), end) => (Some(finished), end),
                    (Err(_), Err(end)) | (Err(end), Ok(())) => (None, Err(end)),
                }
            }
            Err(failure) => (None, Err(failure)),
        };
        if matches!(end, Err(Failure::CannotWrite { .. })) {
            self.stop.store(true, Ordering::Relaxed);
        }
        if let (Ok(()), Some(finished)) = (&end, finished) {
            self.progress.site_done(plan, finished.runs, finished.operations);
        }
        let record = finished.and_then(|finished| record(plan, finished));
        // Sums do not depend on the order; a lock can only be poisoned by a panic, which ends the program anyway.
        self.totals.lock().unwrap_or_else(PoisonError::into_inner).add(totals);
        SiteOutcome { record, end }
    }

    /// The ledger of a site, before its first run.
    fn begin(&self, plan: &SitePlan, folder: &Path) -> Result<Ledger, Failure> {
        let head = SiteManifest {
            schema: manifest::SCHEMA,
            origin: origin(self.plan, self.plan.arguments_of_site(plan)),
            site: plan.site,
            seed_formula: self.plan.seed_formula_name().to_owned(),
            site_seed: plan.seeds.seed(0),
            runs: Vec::new(),
        };
        Ledger::begin(folder, head).map_err(|reason| Failure::cannot_write(&folder.join(ledger::FILE_NAME), reason))
    }

    /// The runs of a site, one after another.
    fn runs(&self, plan: &SitePlan, folder: &Path, ledger: &mut Ledger, totals: &mut Totals) -> Result<(), Failure> {
        let mut site = Site::new(self.setup, plan.seeds);
        for run_index in ledger.runs()..self.plan.num_runs {
            // The stop flag is looked at by a run only now and then; short runs would otherwise never see it.
            if self.stop.load(Ordering::Relaxed) {
                return Err(Failure::Interrupted { finished_runs: 0 });
            }
            let record = self.run(plan, folder, &mut site, run_index, totals)?;
            if let Some(on_run) = self.on_run {
                on_run(plan, folder, &record)?;
            }
            ledger.add(&record).map_err(|reason| Failure::cannot_write(&folder.join(ledger::FILE_NAME), reason))?;
            totals.runs += 1;
            self.progress.run_done(plan, record.run);
        }
        Ok(())
    }

    /// One run and its files.
    fn run(
        &self,
        plan: &SitePlan,
        folder: &Path,
        site: &mut Site<'_>,
        run_index: u64,
        totals: &mut Totals,
    ) -> Result<RunRecord, Failure> {
        let run = run_index + 1;
        let limits = RunLimits { run_until: self.plan.run_until, max_ops: self.plan.max_ops, stop: Some(self.stop) };
        let name = FileKind::OperationSequence.file_name(self.plan.stamp, run);
        let path = folder.join(&name);
        let unwritten = |reason| Failure::CannotWrite { path: path.clone(), reason };
        let file = NewFile::create(folder, &name).map_err(unwritten)?;
        let writer = SequenceWriter::new(self.layout, file);
        let mut sink = Watched::new(writer, self.progress);
        let summary = site.run(&limits, &mut sink).map_err(|error| failed(error, unwritten))?;
        let (file, rows) = sink.finish().finish().map_err(unwritten)?;
        totals.bytes += file.bytes();
        totals.files += 1;
        let sha256 = file.commit().map_err(unwritten)?;
        let files = vec![FileRecord { kind: FileKind::OperationSequence, file: name, rows, sha256 }];
        totals.ops += summary.ops;
        for (total, count) in totals.by_op.iter_mut().zip(&summary.by_op) {
            *total += count;
        }
        for (what, count) in summary.rejections {
            *totals.rejections.entry(what).or_default() += count;
        }
        Ok(RunRecord { run, run_index, seed: plan.seeds.seed(run_index), operations: summary.ops, files })
    }
}

/// Why a run ended before its time.
fn failed(error: RunError, unwritten: impl FnOnce(io::Error) -> Failure) -> Failure {
    match error {
        RunError::Output(reason) => unwritten(reason),
        RunError::Interrupted => Failure::Interrupted { finished_runs: 0 },
        error @ RunError::ChainStuck { .. } => Problem::new(error.to_string())
            .help("the profile's chains contradict its rules; `nandseqgen profile check` may say where")
            .into(),
        error @ RunError::ClockEnd => {
            Problem::new(error.to_string()).help("ask for fewer or shorter runs, or shorter latencies").into()
        }
    }
}

/// What the batch's manifest says of a site.
fn record(plan: &SitePlan, finished: Finished) -> Option<SiteRecord> {
    plan.site.map(|site| SiteRecord {
        site,
        folder: plan.folder.clone(),
        runs: finished.runs,
        operations: finished.operations,
        manifest_sha256: finished.sha256,
    })
}
