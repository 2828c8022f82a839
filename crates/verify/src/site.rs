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
use nandseq_input::table::{TableError, TableReader};
use nandseq_input::{ReadError, SequenceReader, Source};
use nandseq_profile::{Block, Die, Profile};
use nandseq_trace::table::TableKind;
use rayon::prelude::*;

use crate::report::{FileReport, Report, SiteReport, TableReport};
use crate::rule::RuleCode;
use crate::tables::{ComparedTables, TableJudge};
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

/// Judges the sequences of `paths`, in CSV. Each path is a batch, a site or a single file. Sites are judged in parallel on rayon's
/// threads.
///
/// The report does not depend on the number of threads.
///
/// # Errors
/// [`Unusable`] when a path does not exist or holds no sequence. The contents of a sequence are never an error.
pub fn run(profile: &Profile, paths: &[PathBuf], options: &Options<'_>) -> Result<Report, Unusable> {
    let FoundSites { sites, notes } = find_all(paths, &[CSV])?;
    let judged = sites.into_par_iter().with_max_len(1).map(|site| judge_site(profile, site, options));
    let sites = judged.collect::<Vec<_>>().into_iter().collect::<Result<Vec<_>, _>>()?;
    Ok(Report { profile: profile.name.clone(), max_findings: options.max_findings, notes, sites })
}

/// Judges the runs of one site, in order. A file that cannot be read is damage, and the others are judged all the same. Meanwhile
/// an idle thread of rayon compares the site's files with its manifest. If there is one thread alone, it hashes the files while it
/// judges them, so that each is read once.
///
/// # Errors
/// [`Unusable`] when there is no room for temporary files, or the caller gave up.
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
    let mut report = judged?;
    // A file that cannot be read cannot be compared either.
    report.damage.retain(|damage| !changed.contains(damage));
    report.damage.splice(..0, changed);
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
    let (mut is_open, mut is_cut) = (false, false);
    for run in site.runs {
        let before = files.last().map_or(0, |file| file.run);
        if is_cut {
            notes.push(format!(
                "run {before} cannot be read to its end: run {} is judged as if nothing had happened in between, and findings there may \
                 come from what is missing",
                run.run
            ));
        }
        if let Some(tables) = tables.as_mut().filter(|_| is_cut || run.run != before + 1) {
            tables.gap();
            notes.push(format!(
                "what the runs before run {} left is unknown: rows of tables that depend on it, and {}, were not compared",
                run.run,
                TableKind::AddressTouchCount.name()
            ));
        }
        if let Some(tables) = &mut tables {
            damage.extend(open_tables(&mut verifier, tables, &open, &run, files.len()));
        }
        let judged = judge_file(profile, &mut verifier, tables.as_mut(), &run, (&open, options))?;
        if !is_open {
            notes.extend(judged.notes(&run));
        }
        is_open |= judged.is_open;
        is_cut = judged.damage.is_some();
        if let Some(tables) = tables.as_mut().filter(|_| is_cut) {
            tables.give_up_run();
        }
        if is_cut && !run.tables.is_empty() {
            notes.push(format!("run {} cannot be read to its end, so its tables were not compared to theirs", run.run));
        }
        let compared = tables.as_mut().map(|tables| verifier.end_tables(tables)).transpose().map_err(no_room)?;
        verifier.end_of_file();
        files.push(file_report(run, judged, &compared.unwrap_or_default(), &mut damage));
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

/// The failure to put on disk what does not fit into memory.
fn no_room(reason: io::Error) -> Unusable {
    Unusable::Temporary { folder: std::env::temp_dir(), reason }
}

/// The report of a run. Tables that cannot be read, and numbers of rows that differ from those of the manifest, are damage.
fn file_report(run: RunFile, judged: JudgedFile, compared: &ComparedTables, damage: &mut Vec<Damage>) -> FileReport {
    let wrong = |file: &Path, listed: Option<u64>, found: u64| {
        let listed = listed.filter(|listed| *listed != found)?;
        Some(Damage { file: file.to_owned(), what: DamageKind::Rows { listed, found } })
    };
    let mut tables = Vec::new();
    for table in run.tables {
        let is_it = |kind: TableKind| kind == table.kind;
        let found = compared.rows.iter().find(|(kind, _)| is_it(*kind)).map(|(_, rows)| *rows);
        damage.extend(found.and_then(|found| wrong(&table.path, table.rows, found)));
        let unreadable = compared.unreadable.iter().find(|(kind, _)| is_it(*kind));
        damage.extend(unreadable.map(|(_, error)| Damage::unreadable(&table.path, error)));
        tables.push(TableReport { kind: table.kind, path: table.path, rows: found.unwrap_or_default() });
    }
    damage.extend(judged.damage.or_else(|| wrong(&run.path, run.rows, judged.rows)));
    FileReport { run: run.run, path: run.path, rows: judged.rows, tables }
}

/// Opens a file as text.
type Open<'a> = dyn Fn(&Path) -> io::Result<Box<dyn BufRead>> + 'a;

/// Opens the tables of a run. A table without its header is a finding. Returns the tables that cannot be read.
fn open_tables(
    verifier: &mut Verifier<'_>,
    tables: &mut TableJudge<'_>,
    open: &Open<'_>,
    run: &RunFile,
    file: usize,
) -> Vec<Damage> {
    tables.begin_run(u32::try_from(file).unwrap_or(u32::MAX));
    let mut damage = Vec::new();
    for table in &run.tables {
        let opened = open(&table.path).map_err(TableError::from);
        match opened.and_then(|input| TableReader::new(table.kind, input)) {
            Ok(reader) => tables.add(reader),
            Err(TableError::Header(kind)) => verifier.no_table(tables, kind),
            Err(TableError::Io(error)) => damage.push(Damage::unreadable(&table.path, &error)),
        }
    }
    damage
}

/// Rows between two looks at [`Options::stop`].
const STRIDE: u64 = 1 << 12;

/// What judging a file found out besides findings.
#[derive(Default)]
struct JudgedFile {
    rows: u64,
    /// Whether the file could be opened as a sequence.
    is_open: bool,
    /// Whether the profile's `export` rounds times, so that each is taken as the nearest multiple of the time grid.
    times_are_rounded: bool,
    /// The `op_uid` of the first row that could be read.
    first_uid: Option<u64>,
    /// Why the file could not be read to its end, if it could not.
    damage: Option<Damage>,
}

impl JudgedFile {
    /// Notes about the first file of a site that could be opened.
    fn notes(&self, run: &RunFile) -> Vec<String> {
        let mut notes = Vec::new();
        // If the first run has another number than 1, the notes of the site say already that others were before it.
        if let Some(uid) = self.first_uid.filter(|&uid| uid > 1 && run.run == 1) {
            notes.push(format!(
                "the first op_uid is {uid}: this is not the first run of its site, and it is judged as if nothing had happened before"
            ));
        }
        if self.times_are_rounded {
            notes.push(
                "times are rounded as written; each is taken as the nearest multiple of the time grid".to_owned(),
            );
        }
        notes
    }
}

/// Judges one file, as far as it can be read.
///
/// # Errors
/// [`Unusable`] when there is no room for temporary files, or the caller gave up.
fn judge_file(
    profile: &Profile,
    verifier: &mut Verifier<'_>,
    mut tables: Option<&mut TableJudge<'_>>,
    run: &RunFile,
    (open, options): (&Open<'_>, &Options<'_>),
) -> Result<JudgedFile, Unusable> {
    let mut judged = JudgedFile::default();
    let mut reader =
        match open(&run.path).map_err(ReadError::from).and_then(|input| SequenceReader::new(profile, input)) {
            Ok(reader) => reader,
            Err(error) => {
                judged.damage = Some(no_sequence(&run.path, &error));
                return Ok(judged);
            }
        };
    judged.is_open = true;
    judged.times_are_rounded = !reader.times_are_exact();
    loop {
        if reader.rows() % STRIDE == 0 && options.is_stopped() {
            return Err(Unusable::Stopped);
        }
        match reader.next_row() {
            Ok(Some(Ok(row))) => {
                judged.first_uid = judged.first_uid.or(Some(row.uid));
                verifier.row_with(&row, tables.as_deref_mut());
            }
            Ok(Some(Err(row))) => verifier.bad_row(&row),
            Ok(None) => break,
            Err(error) => {
                judged.damage = Some(Damage::unreadable(&run.path, &error));
                break;
            }
        }
        if let Some(error) = tables.as_deref_mut().and_then(TableJudge::take_failure) {
            return Err(no_room(error));
        }
    }
    judged.rows = reader.rows();
    Ok(judged)
}

/// The damage of a file that cannot be read as a sequence.
fn no_sequence(path: &Path, error: &ReadError) -> Damage {
    match error {
        ReadError::Io(error) => Damage::unreadable(path, error),
        ReadError::Header(_) => {
            Damage { file: path.to_owned(), what: DamageKind::Unreadable { reason: error.to_string() } }
        }
    }
}
