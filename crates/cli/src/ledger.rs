//! The finished runs of a site that is being made: what its manifest will say, on disk from the first run on.
//!
//! Promises that a run is in the ledger only after all its files are complete, that whatever instant the program is killed at, the
//! runs before are readable, and that memory does not grow with the number of runs. The ledger is a file of JSON lines, the first of
//! them the manifest without runs; it becomes the manifest, and goes, when the site ends or is given up.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use nandseq_trace::files::{Digest, NewFile};
use nandseq_trace::manifest::{self, RunRecord, SiteManifest};

/// The name of the file in a site's folder.
pub(crate) const FILE_NAME: &str = "manifest.partial.jsonl";

/// The ledger of a site that is being made.
#[derive(Debug)]
pub(crate) struct Ledger {
    folder: PathBuf,
    head: SiteManifest,
    file: File,
    runs: u64,
    operations: u64,
}

/// What a site's manifest says in sum.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Finished {
    /// Of the manifest.
    pub(crate) sha256: Digest,
    /// Runs it lists.
    pub(crate) runs: u64,
    /// Operations of all of them.
    pub(crate) operations: u64,
}

impl Ledger {
    /// Starts the ledger of a site with the runs that `manifest` lists already, in place of what its folder had.
    pub(crate) fn begin(folder: &Path, manifest: SiteManifest) -> io::Result<Self> {
        let runs = manifest.runs.len() as u64;
        let operations = manifest.runs.iter().map(|run| run.operations).sum();
        let head = SiteManifest { runs: Vec::new(), ..manifest };
        let mut file = io::BufWriter::new(NewFile::create(folder, FILE_NAME)?);
        file.write_all(&line(&head)?)?;
        for run in &manifest.runs {
            file.write_all(&line(run)?)?;
        }
        file.into_inner().map_err(io::IntoInnerError::into_error)?.commit()?;
        remove(&folder.join(manifest::FILE_NAME))?;
        let file = OpenOptions::new().append(true).open(folder.join(FILE_NAME))?;
        Ok(Self { folder: folder.to_owned(), head, file, runs, operations })
    }

    /// Runs it lists.
    pub(crate) fn runs(&self) -> u64 {
        self.runs
    }

    /// Adds a run, all of whose files are complete.
    pub(crate) fn add(&mut self, run: &RunRecord) -> io::Result<()> {
        self.file.write_all(&line(run)?)?;
        self.file.sync_data()?;
        self.runs += 1;
        self.operations += run.operations;
        Ok(())
    }

    /// Turns the ledger into the site's manifest.
    pub(crate) fn finish(self) -> io::Result<Finished> {
        let path = self.folder.join(FILE_NAME);
        let lines = BufReader::new(File::open(&path)?).lines();
        let sha256 = manifest::write_site(&self.folder, &self.head, lines.skip(1).take(self.runs as usize))?;
        remove(&path)?;
        Ok(Finished { sha256, runs: self.runs, operations: self.operations })
    }
}

fn line(value: &impl serde::Serialize) -> io::Result<Vec<u8>> {
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

/// What is known of the runs in a site's folder: by its manifest, or by the ledger of an execution that was killed.
///
/// Neither is an error; nor is a ledger whose end is torn: it counts up to there.
pub(crate) fn read(folder: &Path) -> io::Result<Option<SiteManifest>> {
    let finished = match fs::read(folder.join(manifest::FILE_NAME)) {
        Ok(bytes) => serde_json::from_slice::<SiteManifest>(&bytes).ok(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let partial = match File::open(folder.join(FILE_NAME)) {
        Ok(file) => read_lines(BufReader::new(file))?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    // Both are there when the program was killed between the two; the one that knows more counts.
    Ok(match (finished, partial) {
        (Some(finished), Some(partial)) if partial.runs.len() > finished.runs.len() => Some(partial),
        (Some(finished), _) => Some(finished),
        (None, partial) => partial,
    })
}

fn read_lines(mut file: impl BufRead) -> io::Result<Option<SiteManifest>> {
    let mut manifest: Option<SiteManifest> = None;
    let mut line = Vec::new();
    loop {
        line.clear();
        file.read_until(b'\n', &mut line)?;
        let Some(text) = line.strip_suffix(b"\n") else { return Ok(manifest) };
        match &mut manifest {
            None => match serde_json::from_slice(text) {
                Ok(head) => manifest = Some(head),
                Err(_) => return Ok(None),
            },
            Some(manifest) => match serde_json::from_slice::<RunRecord>(text) {
                // The first may be any: what was resumed elsewhere begins there.
                Ok(run) if manifest.runs.last().is_none_or(|last| run.run_index == last.run_index + 1) => {
                    manifest.runs.push(run);
                }
                Ok(_) | Err(_) => break,
            },
        }
    }
    Ok(manifest)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]
    use super::*;
    use nandseq_trace::manifest::{Origin, ProfileInput, SCHEMA, SEQUENTIAL, Tool};

    fn head() -> SiteManifest {
        let tool = Tool { name: "nandseqgen".into(), version: "1.2.3".into() };
        let sha256 = Digest::of(b"profile");
        let profile =
            ProfileInput { name: "A".into(), source: "a".into(), sha256, resolved_sha256: sha256.to_string() };
        SiteManifest {
            schema: SCHEMA,
            origin: Origin { tool, profile, probabilities: None, badlist: None, arguments: vec!["--seed".into()] },
            site: Some(3),
            seed_formula: SEQUENTIAL.into(),
            site_seed: 44,
            runs: Vec::new(),
        }
    }

    fn run(index: u64) -> RunRecord {
        RunRecord { run: index + 1, run_index: index, seed: 44 + index, operations: 10, files: Vec::new() }
    }

    #[test]
    fn a_ledger_becomes_the_manifest_and_goes() {
        let folder = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::begin(folder.path(), head()).unwrap();
        ledger.add(&run(0)).unwrap();
        ledger.add(&run(1)).unwrap();
        let finished = ledger.finish().unwrap();
        assert_eq!((finished.runs, finished.operations), (2, 20));
        let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, [manifest::FILE_NAME]);
        let expected = SiteManifest { runs: vec![run(0), run(1)], ..head() };
        assert_eq!(read(folder.path()).unwrap(), Some(expected));
    }

    #[test]
    fn cut_at_any_byte_it_keeps_the_runs_before() {
        let folder = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::begin(folder.path(), head()).unwrap();
        let path = folder.path().join(FILE_NAME);
        let mut lengths = vec![fs::metadata(&path).unwrap().len()];
        for index in 0..3 {
            ledger.add(&run(index)).unwrap();
            lengths.push(fs::metadata(&path).unwrap().len());
        }
        let bytes = fs::read(&path).unwrap();
        for length in 0..=bytes.len() {
            fs::write(&path, &bytes[..length]).unwrap();
            let whole = lengths.iter().filter(|&&end| end <= length as u64).count();
            let found = read(folder.path()).unwrap().map(|manifest| manifest.runs.len() + 1);
            assert_eq!(found.unwrap_or(0), whole, "cut after {length} bytes");
        }
        let mut noisy = bytes.clone();
        noisy[lengths[2] as usize - 3] = 0;
        fs::write(&path, noisy).unwrap();
        assert_eq!(read(folder.path()).unwrap().unwrap().runs.len(), 1);
    }

    #[test]
    fn it_goes_on_from_the_runs_of_a_manifest() {
        let folder = tempfile::tempdir().unwrap();
        let earlier = SiteManifest { runs: vec![run(0), run(1)], ..head() };
        let mut ledger = Ledger::begin(folder.path(), earlier).unwrap();
        assert_eq!(ledger.runs(), 2);
        ledger.add(&run(2)).unwrap();
        drop(ledger);
        assert_eq!(read(folder.path()).unwrap().unwrap().runs, [run(0), run(1), run(2)]);
    }
}
