//! Carries a plan out: folders, sites in parallel, runs, files, manifests.
//!
//! Promises that nothing depends on how many threads there are, that a file under its final name is complete, and that
//! stopping early keeps the runs that were finished, with a manifest that lists them.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use nandseq_generate::{Rejections, RunError, RunLimits, Setup, Site};
use nandseq_trace::files::{FileKind, NewFile};
use nandseq_trace::manifest::{self, BatchManifest, FileRecord, Origin, RunRecord, SiteManifest, SiteRecord, Tool};
use nandseq_trace::sequence::{SequenceLayout, SequenceWriter};
use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::failure::{Failure, Problem};
use crate::plan::{Plan, SitePlan};
use crate::progress::{Progress, Watched};

/// What all sites together did.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    /// Operations.
    pub(crate) ops: u64,
    /// Operations by op name.
    pub(crate) by_op: Vec<u64>,
    /// Proposals that failed.
    pub(crate) rejections: Rejections,
    /// Files of runs.
    pub(crate) files: u64,
    /// Their bytes.
    pub(crate) bytes: u64,
}

/// How one site ended.
struct SiteOutcome {
    record: Option<SiteRecord>,
    end: Result<(), Failure>,
}

/// What every site needs.
struct Work<'p> {
    plan: &'p Plan,
    setup: &'p Setup,
    layout: &'p SequenceLayout,
    progress: &'p Progress,
    stop: &'p AtomicBool,
    /// What finished sites did.
    totals: Mutex<Totals>,
}

/// Generates everything the plan asks for. `stop` may be set from outside at any time.
pub(crate) fn execute(plan: &Plan, progress: &Progress, stop: &AtomicBool) -> Result<Totals, Failure> {
    let setup = Setup::new(&plan.profile, &plan.table.distributions, &plan.bad_blocks)
        .map_err(|error| Problem::new(error.to_string()).help("look at the probability table and the profile"))?;
    let layout = SequenceLayout::new(&plan.profile).map_err(|error| {
        Problem::new(error.to_string()).help("look at the scale and decimals of `export`, and at `time_resolution`")
    })?;
    let threads = threads(plan.jobs)?;
    prepare_folders(plan)?;
    write_table(plan)?;
    let totals = Mutex::new(Totals { by_op: vec![0; plan.profile.ops.len()], ..Totals::default() });
    let work = Work { plan, setup: &setup, layout: &layout, progress, stop, totals };
    let outcomes: Vec<SiteOutcome> =
        threads.install(|| plan.sites.par_iter().with_max_len(1).map(|site| work.site(site)).collect());
    work.conclude(outcomes)
}

/// Threads for so many sites at a time; without a number as many as there are cores.
pub(crate) fn threads(jobs: Option<u64>) -> Result<ThreadPool, Failure> {
    let mut builder = ThreadPoolBuilder::new();
    if let Some(jobs) = jobs.and_then(|jobs| usize::try_from(jobs).ok()) {
        builder = builder.num_threads(jobs);
    }
    let refused = |error| Problem::new(format!("cannot start threads: {error}")).help("try a smaller --jobs").into();
    builder.build().map_err(refused)
}

/// Makes every folder, proves that files can be put there, and takes away manifests of what is about to be replaced.
fn prepare_folders(plan: &Plan) -> Result<(), Failure> {
    let folders = || {
        let sites = plan.sites.iter().map(|site| plan.out_dir.join(&site.folder));
        std::iter::once(plan.out_dir.clone()).chain(sites)
    };
    // All of them before anything of an earlier execution is touched.
    for folder in folders() {
        fs::create_dir_all(&folder).map_err(|reason| Failure::cannot_write(&folder, reason))?;
        let probe = NewFile::create(&folder, manifest::FILE_NAME);
        probe.map(drop).map_err(|reason| Failure::cannot_write(&folder, reason))?;
    }
    for folder in folders() {
        let manifest = folder.join(manifest::FILE_NAME);
        match fs::remove_file(&manifest) {
            Err(reason) if reason.kind() != io::ErrorKind::NotFound => {
                return Err(Failure::cannot_write(&manifest, reason));
            }
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

/// Writes the probability table where the flags ask for it.
fn write_table(plan: &Plan) -> Result<(), Failure> {
    let Some(table) = &plan.table.output else { return Ok(()) };
    write_whole(&table.path, table.text.as_bytes())
}

/// Writes a file in one go; it appears when complete.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let written = || {
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "not the name of a file"))?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut file = NewFile::create(folder, name)?;
        io::Write::write_all(&mut file, bytes)?;
        file.commit()
    };
    written().map(drop).map_err(|reason| Failure::cannot_write(path, reason))
}

impl Work<'_> {
    /// Generates one site.
    fn site(&self, plan: &SitePlan) -> SiteOutcome {
        let folder = self.plan.out_dir.join(&plan.folder);
        let mut totals = Totals { by_op: vec![0; self.plan.profile.ops.len()], ..Totals::default() };
        let mut runs = Vec::new();
        let mut end = self.runs(plan, &folder, &mut totals, &mut runs);
        if matches!(end, Err(Failure::CannotWrite { .. })) {
            self.stop.store(true, Ordering::Relaxed);
        }
        let finished = runs.len() as u64;
        let record = match self.write_manifest(plan, &folder, runs) {
            Ok(sha256) => plan.site.map(|site| SiteRecord {
                site,
                folder: plan.folder.clone(),
                runs: finished,
                operations: totals.ops,
                manifest_sha256: sha256,
            }),
            Err(failure) => {
                end = end.and(Err(failure));
                None
            }
        };
        if end.is_ok() {
            self.progress.site_done(plan, finished, totals.ops);
        }
        // Sums do not depend on the order; a lock can only be poisoned by a panic, which ends the program anyway.
        self.totals.lock().unwrap_or_else(PoisonError::into_inner).add(totals);
        SiteOutcome { record, end }
    }

    /// The runs of a site, one after another.
    fn runs(
        &self,
        plan: &SitePlan,
        folder: &Path,
        totals: &mut Totals,
        records: &mut Vec<RunRecord>,
    ) -> Result<(), Failure> {
        let mut site = Site::new(self.setup, plan.seed);
        let limits = RunLimits {
            run_until: self.plan.run_until,
            max_ops: self.plan.max_ops,
            bootstrap: self.plan.bootstrap,
            stop: Some(self.stop),
        };
        for run_index in 0..self.plan.num_runs {
            // The stop flag is looked at by a run only now and then; short runs would otherwise never see it.
            if self.stop.load(Ordering::Relaxed) {
                return Err(Failure::Interrupted { finished_runs: 0 });
            }
            let run = run_index + 1;
            let name = FileKind::OperationSequence.file_name(self.plan.stamp, run);
            let path = folder.join(&name);
            let unwritten = |reason| Failure::CannotWrite { path: path.clone(), reason };
            let file = NewFile::create(folder, &name).map_err(unwritten)?;
            let writer = SequenceWriter::new(self.layout, file);
            let mut sink = Watched::new(writer, self.progress);
            let summary = site.run(&limits, &mut sink).map_err(|error| match error {
                RunError::Output(reason) => unwritten(reason),
                RunError::Interrupted => Failure::Interrupted { finished_runs: 0 },
                error @ RunError::ChainStuck { .. } => Problem::new(error.to_string())
                    .help("the profile's chains contradict its rules; `nandseqgen profile check` may say where")
                    .into(),
                error @ RunError::ClockEnd => {
                    Problem::new(error.to_string()).help("ask for fewer or shorter runs, or shorter latencies").into()
                }
            })?;
            let (file, rows) = sink.finish().finish().map_err(unwritten)?;
            let bytes = file.bytes();
            let sha256 = file.commit().map_err(unwritten)?;
            let files = vec![FileRecord { kind: FileKind::OperationSequence, file: name, rows, sha256 }];
            records.push(RunRecord { run, run_index, seed: plan.seed + run_index, files });
            totals.add_run(&summary.by_op, summary.rejections, bytes);
            self.progress.run_done(plan, run);
        }
        Ok(())
    }

    fn write_manifest(
        &self,
        plan: &SitePlan,
        folder: &Path,
        runs: Vec<RunRecord>,
    ) -> Result<nandseq_trace::files::Digest, Failure> {
        let manifest = SiteManifest {
            schema: manifest::SCHEMA,
            origin: self.origin(self.plan.arguments_of_site(plan)),
            site: plan.site,
            seed_formula: manifest::SEQUENTIAL.to_owned(),
            site_seed: plan.seed,
            runs,
        };
        self.put_manifest(folder, &manifest)
    }

    fn put_manifest(
        &self,
        folder: &Path,
        manifest: &impl serde::Serialize,
    ) -> Result<nandseq_trace::files::Digest, Failure> {
        manifest::write(folder, manifest)
            .map_err(|reason| Failure::cannot_write(&folder.join(manifest::FILE_NAME), reason))
    }

    fn origin(&self, arguments: Vec<String>) -> Origin {
        let tool = Tool { name: env!("CARGO_PKG_NAME").to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() };
        Origin {
            tool,
            profile: self.plan.profile_input.clone(),
            probabilities: self.plan.table.input.clone(),
            badlist: self.plan.badlist_input.clone(),
            arguments,
        }
    }

    /// Writes the manifest of the batch, and says how it all ended.
    fn conclude(self, outcomes: Vec<SiteOutcome>) -> Result<Totals, Failure> {
        let mut records = Vec::new();
        let mut worst: Option<Failure> = None;
        for outcome in outcomes {
            records.extend(outcome.record);
            // What could not be written explains why other sites were interrupted.
            if let (None | Some(Failure::Interrupted { .. }), Err(failure)) = (&worst, outcome.end) {
                worst = Some(failure);
            }
        }
        let batch = if self.plan.is_batch { self.write_batch_manifest(records) } else { Ok(()) };
        let totals = self.totals.into_inner().unwrap_or_else(PoisonError::into_inner);
        let finished_runs = totals.files;
        match worst {
            Some(Failure::Interrupted { .. }) => Err(Failure::Interrupted { finished_runs }),
            Some(failure) => Err(failure),
            None => batch.map(|()| totals),
        }
    }

    fn write_batch_manifest(&self, sites: Vec<SiteRecord>) -> Result<(), Failure> {
        let manifest = BatchManifest {
            schema: manifest::SCHEMA,
            origin: self.origin(self.plan.arguments_of_batch()),
            seed_formula: manifest::SEQUENTIAL.to_owned(),
            base_seed: self.plan.base_seed,
            sites,
        };
        self.put_manifest(&self.plan.out_dir, &manifest).map(drop)
    }
}

impl Totals {
    fn add_run(&mut self, by_op: &[u64], rejections: Rejections, bytes: u64) {
        for (total, count) in self.by_op.iter_mut().zip(by_op) {
            *total += count;
            self.ops += count;
        }
        for (what, count) in rejections {
            *self.rejections.entry(what).or_default() += count;
        }
        self.files += 1;
        self.bytes += bytes;
    }

    fn add(&mut self, other: Self) {
        for (total, count) in self.by_op.iter_mut().zip(&other.by_op) {
            *total += count;
        }
        for (what, count) in other.rejections {
            *self.rejections.entry(what).or_default() += count;
        }
        self.ops += other.ops;
        self.files += other.files;
        self.bytes += other.bytes;
    }
}
