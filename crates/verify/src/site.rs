//! Judges files on disk: a batch, a site or a single file.

use nandseq_trace::recorded::shown;
use std::io::{self, BufRead};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use nandseq_input::folder::{
    Damage, DamageKind, FindError, FoundSites, RunFile, SiteFiles, compare, compare_known, find_all,
};
use nandseq_input::form::CSV;
use nandseq_input::source::FileDigests;
use nandseq_input::table::{InTable, TableError, TableReader};
use nandseq_input::{ReadError, SequenceReader, Source};
use nandseq_profile::{Block, Die, Profile};
use nandseq_trace::table::TableKind;
use rayon::prelude::*;

use crate::report::{FileReport, Report, SiteReport, TableReport};
use crate::rule::RuleCode;
use crate::tables::{TableJudge, TemporaryFileError};
use crate::verifier::Verifier;

/// How to judge.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// Bad blocks of every site.
    pub bad_blocks: &'a [(Die, Block)],
    /// Opens sequences and tables, in the form that they have.
    pub source: &'a dyn Source,
    /// How many findings of each rule are kept in full, per site and in the report.
    pub max_findings: usize,
    /// Set by another thread to give up. The result is then [`Unusable::Stopped`].
    pub stop: Option<&'a AtomicBool>,
}

impl Options<'_> {
    fn is_stopped(&self) -> bool {
        self.stop.is_some_and(|stop| stop.load(Ordering::Relaxed))
    }
}

/// Why a path cannot be judged.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// No sequence was found, or it is not clear which files are to be read.
    #[error(transparent)]
    Find(#[from] FindError),
    /// A sequence cannot be read.
    #[error("cannot read `{}`: {error}", shown(path))]
    Read {
        /// The file that cannot be read.
        path: PathBuf,
        /// The reason.
        error: ReadError,
    },
    /// What does not fit into memory cannot be put on disk.
    #[error("cannot use temporary files in `{}`: {reason}", shown(folder))]
    Temporary {
        /// The folder of temporary files.
        folder: PathBuf,
        /// The error of the system.
        reason: io::Error,
    },
    /// [`Options::stop`] was set.
    #[error("stopped")]
    Stopped,
}

/// Judges the sequences of `paths`, in CSV. Each path is a batch, a site or a single file. Sites are judged in parallel on
/// rayon's threads.
///
/// The report does not depend on the number of threads.
///
/// # Errors
/// [`Unusable`] when a path holds no sequence or cannot be read. The contents of a sequence are never an error.
pub fn run(profile: &Profile, paths: &[PathBuf], options: &Options<'_>) -> Result<Report, Unusable> {
    let FoundSites { sites, notes } = find_all(paths, &[CSV])?;
    let judged = sites.into_par_iter().with_max_len(1).map(|site| judge_site(profile, site, options));
    let sites = judged.collect::<Vec<_>>().into_iter().collect::<Result<Vec<_>, _>>()?;
    Ok(Report { profile: profile.name.clone(), max_findings: options.max_findings, notes, sites })
}

/// Judges the runs of one site, in order. Meanwhile an idle thread of rayon compares the site's files with its manifest. If there is
/// one thread alone, it hashes the files while it judges them, so that each is read once.
///
/// # Errors
/// [`Unusable`] when a file cannot be read.
pub fn judge_site(profile: &Profile, mut site: SiteFiles, options: &Options<'_>) -> Result<SiteReport, Unusable> {
    let listed = std::mem::take(&mut site.listed);
    let listed = listed.iter().take_while(|_| !options.is_stopped());
    let (judged, changed) = if rayon::current_num_threads() > 1 {
        rayon::join(|| judge_runs(profile, site, options, None), || compare(listed))
    } else {
        let digests = FileDigests::default();
        let judged = judge_runs(profile, site, options, Some(&digests));
        (judged, compare_known(listed, &digests))
    };
    let (mut damage, mut report) = (changed?, judged?);
    damage.append(&mut report.damage);
    report.damage = damage;
    Ok(report)
}

/// Judges the runs of a site. `digests` gets those of the files that were read.
fn judge_runs(
    profile: &Profile,
    site: SiteFiles,
    options: &Options<'_>,
    digests: Option<&FileDigests>,
) -> Result<SiteReport, Unusable> {
    let open = |path: &Path| match digests {
        Some(digests) => options.source.open_hashed(path, digests),
        None => options.source.open(path),
    };
    let mut verifier = Verifier::new(profile, options.bad_blocks).keeping(options.max_findings);
    let mut tables = site.runs.iter().any(|run| !run.tables.is_empty()).then(|| TableJudge::new(profile));
    let mut damage = site.damage;
    let mut notes = site.notes;
    let mut files: Vec<FileReport> = Vec::new();
    for run in site.runs {
        let before = files.last().map_or(0, |file| file.run);
        if let Some(tables) = tables.as_mut().filter(|_| run.run != before + 1) {
            tables.gap();
            notes.push(format!(
                "what the runs before run {} left is unknown: rows of tables that depend on it, and {}, were not compared",
                run.run,
                TableKind::AddressTouchCount.name()
            ));
        }
        if let Some(tables) = &mut tables {
            open_tables(&mut verifier, tables, &open, &run, files.len())?;
        }
        let JudgedFile { rows, times_are_exact, first_uid } =
            judge_file(profile, &mut verifier, tables.as_mut(), &run, (&open, options))?;
        // If the first run has another number than 1, `site.notes` says already that others were before it.
        if let Some(uid) = first_uid.filter(|&uid| uid > 1 && files.is_empty() && run.run == 1) {
            notes.push(format!(
                "the first op_uid is {uid}: this is not the first run of its site, and it is judged as if nothing had happened before"
            ));
        }
        if !times_are_exact && files.is_empty() {
            notes.push(
                "times are rounded as written; each is taken as the nearest multiple of the time grid".to_owned(),
            );
        }
        let compared = match &mut tables {
            Some(tables) => verifier.end_tables(tables).map_err(|error| unusable(&run, error.into()))?,
            None => Vec::new(),
        };
        verifier.end_of_file();
        files.push(file_report(run, rows, &compared, &mut damage));
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

/// The error of a run, with the file that it comes from.
fn unusable(run: &RunFile, error: ReadError) -> Unusable {
    let (kind, error) = match error {
        ReadError::Io(reason) => match reason.downcast() {
            Ok(TemporaryFileError(reason)) => return Unusable::Temporary { folder: std::env::temp_dir(), reason },
            Err(reason) => (InTable::kind_of(&reason), reason.into()),
        },
        ReadError::Header(_) => (None, error),
    };
    let table = run.tables.iter().find(|table| Some(table.kind) == kind);
    Unusable::Read { path: table.map_or(&run.path, |table| &table.path).clone(), error }
}

/// The report of a run. Numbers of rows that differ from those of the manifest are damage.
fn file_report(run: RunFile, rows: u64, compared: &[(TableKind, u64)], damage: &mut Vec<Damage>) -> FileReport {
    let mut check = |file: &Path, listed: Option<u64>, found: u64| {
        if let Some(listed) = listed.filter(|listed| *listed != found) {
            damage.push(Damage { file: file.to_owned(), what: DamageKind::Rows { listed, found } });
        }
    };
    let mut tables = Vec::new();
    for table in run.tables {
        let found = compared.iter().find(|(kind, _)| *kind == table.kind).map(|(_, rows)| *rows);
        if let Some(found) = found {
            check(&table.path, table.rows, found);
        }
        tables.push(TableReport { kind: table.kind, path: table.path, rows: found.unwrap_or_default() });
    }
    check(&run.path, run.rows, rows);
    FileReport { run: run.run, path: run.path, rows, tables }
}

/// Opens a file as text.
type Open<'a> = dyn Fn(&Path) -> io::Result<Box<dyn BufRead>> + 'a;

/// Opens the tables of a run. A table without its header is a finding.
fn open_tables(
    verifier: &mut Verifier<'_>,
    tables: &mut TableJudge<'_>,
    open: &Open<'_>,
    run: &RunFile,
    file: usize,
) -> Result<(), Unusable> {
    tables.begin_run(u32::try_from(file).unwrap_or(u32::MAX));
    for table in &run.tables {
        let opened = open(&table.path).map_err(TableError::from);
        match opened.and_then(|input| TableReader::new(table.kind, input)) {
            Ok(reader) => tables.add(reader),
            Err(TableError::Header(kind)) => verifier.no_table(tables, kind),
            Err(TableError::Io(error)) => {
                return Err(Unusable::Read { path: table.path.clone(), error: error.into() });
            }
        }
    }
    Ok(())
}

/// Rows between two looks at [`Options::stop`].
const STRIDE: u64 = 1 << 12;

/// What judging a file found out besides findings.
struct JudgedFile {
    rows: u64,
    times_are_exact: bool,
    /// The `op_uid` of the first row that could be read.
    first_uid: Option<u64>,
}

/// Judges one file.
fn judge_file(
    profile: &Profile,
    verifier: &mut Verifier<'_>,
    mut tables: Option<&mut TableJudge<'_>>,
    run: &RunFile,
    (open, options): (&Open<'_>, &Options<'_>),
) -> Result<JudgedFile, Unusable> {
    let failed = |error: ReadError| unusable(run, error);
    let input = open(&run.path).map_err(|error| failed(error.into()))?;
    let mut reader = SequenceReader::new(profile, input).map_err(failed)?;
    let mut first_uid = None;
    loop {
        if reader.rows() % STRIDE == 0 && options.is_stopped() {
            return Err(Unusable::Stopped);
        }
        match reader.next_row().map_err(|error| failed(error.into()))? {
            Some(Ok(row)) => {
                first_uid = first_uid.or(Some(row.uid));
                verifier.row_with(&row, tables.as_deref_mut());
            }
            Some(Err(row)) => verifier.bad_row(&row),
            None => break,
        }
        if let Some(error) = tables.as_deref_mut().and_then(TableJudge::take_failure) {
            return Err(failed(error.into()));
        }
    }
    Ok(JudgedFile { rows: reader.rows(), times_are_exact: reader.times_are_exact(), first_uid })
}
