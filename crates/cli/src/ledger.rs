//! The ledger: the finished runs of a site that is being made, on disk from the first run on.
//!
//! A run is in the ledger only after all its files are complete. Whenever the program is killed, the runs in the ledger stay
//! readable. Memory does not grow with the number of runs. The ledger is a file of JSON lines: the first is the manifest without
//! runs, each other one is a run. It becomes the manifest, and is removed, when the work on the site ends.

use nandseq_trace::recorded::shown;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use nandseq_output::manifest::write_site_manifest;
use nandseq_output::new_file::NewFile;
use nandseq_trace::files::{Digest, FileKind, Stamp};
use nandseq_trace::manifest::{self, BatchManifest, ManifestKind, RunRecord, SiteManifest, SiteRecord};
use nandseq_trace::run_name::RunName;
use serde::{Deserialize, Serialize};

/// The name of the file in a site's folder.
pub(crate) const FILE_NAME: &str = manifest::PARTIAL_NAME;

/// The ledger of a site that is being made.
#[derive(Debug)]
pub(crate) struct Ledger {
    folder: PathBuf,
    head: SiteManifest,
    file: File,
    runs: u64,
    operations: u64,
}

/// The first line of a ledger.
#[derive(Serialize, Deserialize)]
struct FirstLine {
    /// The date and time in file names, `20261121_235959`. A resumed execution uses them again.
    stamp: String,
    manifest: SiteManifest,
    /// The arguments of the batch, or of the part of it, that is being made. The manifest of the site does not have them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    batch: Option<Vec<String>>,
}

/// The runs that the manifest or the ledger in a site's folder lists.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct KnownRuns {
    /// The date and time in the names of files, as far as the names have them.
    pub(crate) stamp: Option<Stamp>,
    /// The finished runs and their origin.
    pub(crate) manifest: SiteManifest,
    /// The arguments of the batch that is being made, if a ledger states them.
    pub(crate) batch: Option<Vec<String>>,
}

/// The sums of a site's manifest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct FinishedSite {
    /// The digest of the manifest.
    pub(crate) sha256: Digest,
    /// Number of runs that the manifest lists.
    pub(crate) runs: u64,
    /// Operations of all these runs.
    pub(crate) operations: u64,
    /// Whether the site has no further runs because it has covered enough.
    pub(crate) covered: bool,
}

impl Ledger {
    /// Starts the ledger of a site with the runs that `manifest` lists already. It replaces the ledger and the manifest of the
    /// folder. `batch` are the arguments of the batch.
    pub(crate) fn begin(
        folder: &Path,
        stamp: Stamp,
        manifest: SiteManifest,
        batch: Option<Vec<String>>,
    ) -> io::Result<Self> {
        let runs = manifest.runs.len() as u64;
        let operations = manifest.runs.iter().fold(0, |sum: u64, run| sum.saturating_add(run.operations));
        let head = SiteManifest { runs: Vec::new(), ..manifest };
        let mut file = io::BufWriter::new(NewFile::create(folder, FILE_NAME)?);
        let first = FirstLine { stamp: stamp.date_and_time(), manifest: head, batch };
        file.write_all(&line(&first)?)?;
        let head = first.manifest;
        for run in &manifest.runs {
            file.write_all(&line(run)?)?;
        }
        file.into_inner().map_err(io::IntoInnerError::into_error)?.commit()?;
        remove(&folder.join(manifest::FILE_NAME))?;
        let file = OpenOptions::new().append(true).open(folder.join(FILE_NAME))?;
        Ok(Self { folder: folder.to_owned(), head, file, runs, operations })
    }

    /// Number of runs that the ledger lists.
    pub(crate) fn runs(&self) -> u64 {
        self.runs
    }

    /// Adds runs whose files are all complete.
    pub(crate) fn add(&mut self, runs: &[RunRecord]) -> io::Result<()> {
        let lines = runs.iter().map(line).collect::<io::Result<Vec<_>>>()?;
        self.file.write_all(&lines.concat())?;
        self.file.sync_data()?;
        self.runs += runs.len() as u64;
        self.operations = runs.iter().fold(self.operations, |sum, run| sum.saturating_add(run.operations));
        Ok(())
    }

    /// Lists runs whose files are all complete in the place of the last ones.
    pub(crate) fn replace_last(&mut self, last: &[RunRecord], runs: &[RunRecord]) -> io::Result<()> {
        let path = self.folder.join(FILE_NAME);
        let (kept, ops) = (self.runs - last.len() as u64, last.iter().map(|run| run.operations).sum());
        let mut file = io::BufWriter::new(NewFile::create(&self.folder, FILE_NAME)?);
        for line in BufReader::new(File::open(&path)?).lines().take(1 + kept as usize) {
            writeln!(file, "{}", line?)?;
        }
        file.into_inner().map_err(io::IntoInnerError::into_error)?.commit()?;
        self.file = OpenOptions::new().append(true).open(&path)?;
        (self.runs, self.operations) = (kept, self.operations.saturating_sub(ops));
        self.add(runs)
    }

    /// Turns the ledger into the manifest of the site.
    pub(crate) fn finish(self, covered: bool) -> io::Result<FinishedSite> {
        let path = self.folder.join(FILE_NAME);
        let lines = BufReader::new(File::open(&path)?).lines();
        let sha256 = write_site_manifest(&self.folder, &self.head, lines.skip(1).take(self.runs as usize))?;
        remove(&path)?;
        Ok(FinishedSite { sha256, runs: self.runs, operations: self.operations, covered })
    }
}

fn line(value: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(value).map_err(io::Error::other)?;
    line.push(b'\n');
    Ok(line)
}

/// Removes a file, if it is there.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// The runs of a site's folder, by its manifest or by the ledger of a killed execution; `None` if it has neither.
///
/// A ledger whose end is torn counts up to there.
///
/// # Errors
/// When manifest or ledger cannot be read, is of another schema, or names a file outside the folder.
pub(crate) fn read(folder: &Path) -> io::Result<Option<KnownRuns>> {
    let finished =
        finished(folder)?.map(|(manifest, _)| KnownRuns { stamp: stamp_of(&manifest), manifest, batch: None });
    let partial = unfinished(folder)?;
    // Both exist if the program was killed between writing one and removing the other. The one with more runs counts.
    Ok(match (finished, partial) {
        (Some(finished), Some(partial)) if partial.manifest.runs.len() > finished.manifest.runs.len() => Some(partial),
        (Some(finished), _) => Some(finished),
        (None, partial) => partial,
    })
}

/// The date in the names of a batch's files, for `--stamp`; `None` if its sites name none.
pub(crate) fn stamp_of_batch(folder: &Path, batch: &BatchManifest) -> Option<String> {
    let of_site = |site: &SiteRecord| read(&site.folder.under(folder).ok()?).ok().flatten()?.stamp;
    batch.sites.iter().find_map(of_site).map(Stamp::yyyymmdd)
}

/// The manifest of a site in a folder, and its digest; `None` if there is none or it is faulty.
///
/// # Errors
/// When it cannot be read, is of another schema, or names a file outside the folder.
pub(crate) fn finished(folder: &Path) -> io::Result<Option<(SiteManifest, Digest)>> {
    let bytes = match manifest::bytes(&folder.join(manifest::FILE_NAME)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    match manifest::parse(&bytes) {
        Err(fault) if fault.is_refusal() => Err(io::Error::new(io::ErrorKind::InvalidData, fault)),
        parsed => Ok(parsed.ok().map(|manifest| (manifest, Digest::of(&bytes)))),
    }
}

/// The runs that the ledger in a folder lists; `None` if there is none or it cannot be read as one.
///
/// # Errors
/// When it cannot be read, is of another schema, or names a file outside the folder.
pub(crate) fn unfinished(folder: &Path) -> io::Result<Option<KnownRuns>> {
    let path = folder.join(FILE_NAME);
    let file = match manifest::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let read = manifest::read_partial::<FirstLine, RunRecord>(BufReader::new(file))?;
    Ok(read.map(|(head, runs)| KnownRuns {
        stamp: Stamp::with_time(&head.stamp),
        manifest: SiteManifest { runs, ..head.manifest },
        batch: head.batch,
    }))
}

/// The fault of a site's manifest, or of its ledger if there is no manifest, in words.
pub(crate) fn fault(folder: &Path) -> Option<String> {
    let path = folder.join(manifest::FILE_NAME);
    if let Ok(text) = manifest::bytes(&path) {
        return manifest::parse::<SiteManifest>(&text).err().map(|fault| fault.sentence(&path, ManifestKind::Site));
    }
    let path = folder.join(FILE_NAME);
    let text = manifest::bytes(&path).ok()?;
    let fault = manifest::parse::<FirstLine>(text.split(|&byte| byte == b'\n').next()?).err()?;
    Some(format!("`{}`: {fault}", shown(&path)))
}

/// The remark that the ledger of a site without a manifest has a damaged line before others, so that the runs from there on are lost.
/// A kill tears only the last line, which nothing is said of.
pub(crate) fn cut(folder: &Path, known: &SiteManifest) -> Option<String> {
    let path = folder.join(FILE_NAME);
    let text = if folder.join(manifest::FILE_NAME).exists() { None } else { manifest::bytes(&path).ok() };
    let whole = text?.split(|&byte| byte == b'\n').count() - 1;
    let line = known.runs.len() + 2;
    (whole >= line).then(|| {
        let next = known.runs.last().map_or(1, |run| run.run + 1);
        format!("`{}`:{line} cannot be read: the runs from run {next} on are made again", shown(&path))
    })
}

/// The stamp in the file names of a manifest's last run.
fn stamp_of(manifest: &SiteManifest) -> Option<Stamp> {
    stamp_of_run(manifest.runs.last()?)
}

/// The stamp in the names of a run's files. That of a snapshot goes first, because it has the time of day too.
pub(crate) fn stamp_of_run(run: &RunRecord) -> Option<Stamp> {
    let snapshot = run.files.iter().filter(|file| file.kind == FileKind::Snapshot);
    snapshot.chain(&run.files).find_map(|file| RunName::parse(file.file.member())?.stamp)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]
    use super::*;
    use nandseq_trace::manifest::{FileRecord, Origin, ProfileInput, SCHEMA, SEQUENTIAL, Tool};

    fn head() -> SiteManifest {
        let tool = Tool { name: "nandseqgen".into(), version: "1.2.3".into() };
        let sha256 = Digest::of(b"profile");
        let profile =
            ProfileInput { name: "A".into(), source: "a".into(), sha256, resolved_sha256: sha256.to_string() };
        SiteManifest {
            schema: SCHEMA,
            origin: Origin {
                tool,
                profile,
                probabilities: None,
                badlist: None,
                plan: None,
                phase_runs: None,
                arguments: vec!["--seed".into()],
            },
            site: Some(3),
            seed_formula: SEQUENTIAL.into(),
            site_seed: 44,
            runs: Vec::new(),
        }
    }

    fn stamp_now() -> Stamp {
        let date: Stamp = "20261121".parse().unwrap();
        date.at_second(23 * 3600 + 20 * 60 + 53)
    }

    fn run(index: u64) -> RunRecord {
        let (run, seed) = (index + 1, 44 + index);
        RunRecord { run, run_index: index, seed, phase: None, operations: 10, files: Vec::new(), pack: Vec::new() }
    }

    #[test]
    fn a_ledger_becomes_the_manifest_and_goes() {
        let folder = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::begin(folder.path(), stamp_now(), head(), None).unwrap();
        ledger.add(&[run(0)]).unwrap();
        ledger.add(&[run(1)]).unwrap();
        let finished = ledger.finish(false).unwrap();
        assert_eq!((finished.runs, finished.operations), (2, 20));
        let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, [manifest::FILE_NAME]);
        let expected = SiteManifest { runs: vec![run(0), run(1)], ..head() };
        assert_eq!(read(folder.path()).unwrap().unwrap().manifest, expected);
    }

    #[test]
    fn cut_at_any_byte_it_keeps_the_runs_before() {
        let folder = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::begin(folder.path(), stamp_now(), head(), None).unwrap();
        let path = folder.path().join(FILE_NAME);
        let mut lengths = vec![fs::metadata(&path).unwrap().len()];
        for index in 0..3 {
            ledger.add(&[run(index)]).unwrap();
            lengths.push(fs::metadata(&path).unwrap().len());
        }
        let bytes = fs::read(&path).unwrap();
        for length in 0..=bytes.len() {
            fs::write(&path, &bytes[..length]).unwrap();
            let whole = lengths.iter().filter(|&&end| end <= length as u64).count();
            let found = read(folder.path()).unwrap().map(|known| known.manifest.runs.len() + 1);
            assert_eq!(found.unwrap_or(0), whole, "cut after {length} bytes");
        }
        let mut noisy = bytes.clone();
        noisy[lengths[2] as usize - 3] = 0;
        fs::write(&path, noisy).unwrap();
        assert_eq!(read(folder.path()).unwrap().unwrap().manifest.runs.len(), 1);
    }

    #[test]
    fn it_goes_on_from_the_runs_of_a_manifest() {
        let folder = tempfile::tempdir().unwrap();
        let earlier = SiteManifest { runs: vec![run(0), run(1)], ..head() };
        let batch = vec!["generate".to_owned()];
        let mut ledger = Ledger::begin(folder.path(), stamp_now(), earlier, Some(batch.clone())).unwrap();
        assert_eq!(ledger.runs, 2);
        ledger.add(&[run(2)]).unwrap();
        drop(ledger);
        let known = read(folder.path()).unwrap().unwrap();
        assert_eq!(known.manifest.runs, [run(0), run(1), run(2)]);
        assert_eq!((known.stamp, known.batch), (Some(stamp_now()), Some(batch)));
    }

    #[test]
    fn the_stamp_is_found_in_the_names_of_files() {
        let file = |kind, file: &str| FileRecord {
            kind,
            file: file.to_owned().try_into().unwrap(),
            rows: 0,
            sha256: Digest::of(b""),
        };
        let table = file(FileKind::OperationSequence, "operation_sequence_261121_0000001.csv");
        let snapshot = file(FileKind::Snapshot, "snapshots/state_snapshot_20261121_232053_0000001.json");
        let of = |files| stamp_of(&SiteManifest { runs: vec![RunRecord { files, ..run(0) }], ..head() });
        assert_eq!(of(vec![table.clone()]), Some("261121".parse().unwrap()));
        assert_eq!(of(vec![table, snapshot]), Some(stamp_now()));
        assert_eq!(of(Vec::new()), None);
    }
}
