//! Judging what is on disk: a batch, a site, a single file.

use std::path::{Path, PathBuf};

use nandseq_profile::{Block, Die, Profile};
use nandseq_trace::read::folder::{Damage, DamageKind, FindError, SiteFiles, find};
use nandseq_trace::read::{ReadError, open};
use rayon::prelude::*;

use crate::report::{FileReport, Report, SiteReport};
use crate::rule::RuleCode;
use crate::verifier::Verifier;

/// How to judge.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// Bad blocks of every site.
    pub bad_blocks: &'a [(Die, Block)],
    /// How many findings of each rule are kept in full, per site and in the report.
    pub max_findings: usize,
    /// Called now and then with the number of operations judged since the last call, from any thread.
    pub progress: Option<&'a (dyn Fn(u64) + Sync)>,
}

/// Why a path cannot be judged.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// There is nothing to read, or no telling what.
    #[error(transparent)]
    Find(#[from] FindError),
    /// A sequence cannot be read.
    #[error("cannot read `{}`: {error}", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        error: ReadError,
    },
}

/// Judges the sequences of `paths`, each a batch, a site or a single file; sites in parallel on rayon's threads.
///
/// The report does not depend on the number of threads.
///
/// # Errors
/// [`Unusable`] when a path holds no sequence or cannot be read; what a sequence says is never an error.
pub fn run(profile: &Profile, paths: &[PathBuf], options: &Options<'_>) -> Result<Report, Unusable> {
    let mut sites = Vec::new();
    for path in paths {
        sites.extend(find(path)?);
    }
    let judged = sites.into_par_iter().with_max_len(1).map(|site| judge_site(profile, site, options));
    let sites = judged.collect::<Vec<_>>().into_iter().collect::<Result<Vec<_>, _>>()?;
    Ok(Report { profile: profile.name.clone(), max_findings: options.max_findings, sites })
}

/// Judges the runs of one site, in order.
///
/// # Errors
/// [`Unusable`] when a file cannot be read.
pub fn judge_site(profile: &Profile, site: SiteFiles, options: &Options<'_>) -> Result<SiteReport, Unusable> {
    let mut verifier = Verifier::new(profile, options.bad_blocks).keeping(options.max_findings);
    let mut damage = site.damage;
    let mut notes = site.notes;
    let mut files = Vec::new();
    for run in site.runs {
        let unusable = |error| Unusable::Read { path: run.path.clone(), error };
        let (rows, exact) = judge_file(profile, &mut verifier, &run.path, options).map_err(unusable)?;
        if !exact && files.is_empty() {
            notes.push(
                "times are rounded as written; each is taken as the nearest multiple of the time grid".to_owned(),
            );
        }
        if let Some(listed) = run.rows.filter(|listed| *listed != rows) {
            damage.push(Damage { file: run.path.clone(), what: DamageKind::Rows { listed, found: rows } });
        }
        files.push(FileReport { run: run.run, path: run.path, rows });
    }
    Ok(SiteReport {
        folder: site.folder,
        files,
        operations: verifier.operations(),
        counts: RuleCode::ALL.map(|rule| verifier.counts(rule)),
        findings: verifier.findings().to_vec(),
        damage,
        notes,
    })
}

/// Rows between two reports of progress.
const STRIDE: u64 = 1 << 14;

/// Judges one file; how many rows it has, and whether its times are exact.
fn judge_file(
    profile: &Profile,
    verifier: &mut Verifier<'_>,
    path: &Path,
    options: &Options<'_>,
) -> Result<(u64, bool), ReadError> {
    let mut reader = open(profile, path)?;
    let mut reported = 0;
    while let Some(row) = reader.next_row()? {
        match row {
            Ok(row) => verifier.row(&row),
            Err(row) => verifier.bad_row(&row),
        }
        if let Some(progress) = options.progress.filter(|_| reader.rows() - reported >= STRIDE) {
            progress(reader.rows() - reported);
            reported = reader.rows();
        }
    }
    if let Some(progress) = options.progress {
        progress(reader.rows() - reported);
    }
    verifier.end_of_file();
    Ok((reader.rows(), reader.times_are_exact()))
}
