//! Writes sequences: candidates for an oracle, the best so far, and the result with all its tables.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use nandseq_output::csv_tables::CsvTables;
use nandseq_output::format::TableFormat as _;
use nandseq_output::manifest::write_site_manifest;
use nandseq_output::run_files::RunFiles;
use nandseq_output::sequence::{SequenceLayout, SequenceWriter};
use nandseq_shrink::{LegalSequence, SequenceHistory, record};
use nandseq_trace::files::{Digest, FileKind, Outputs, Stamp};
use nandseq_trace::manifest::{self, FileRecord, RunRecord, SiteManifest};

use super::subject::ShrinkSubject;
use crate::failure::{Failure, Problem};

/// What is needed to write sequences of a history.
pub(super) struct SequenceFiles<'s> {
    subject: &'s ShrinkSubject,
    history: &'s SequenceHistory<'s>,
    format: CsvTables,
    layout: SequenceLayout,
    stamp: Stamp,
}

impl<'s> SequenceFiles<'s> {
    pub(super) fn new(subject: &'s ShrinkSubject, history: &'s SequenceHistory<'s>) -> Result<Self, Failure> {
        let profile = &subject.found.profile;
        let coarse =
            |error| Failure::from(Problem::new(format!("sequences of this profile cannot be written: {error}")));
        let format = CsvTables::new(profile).map_err(coarse)?;
        let layout = SequenceLayout::new(profile).map_err(coarse)?;
        Ok(Self { subject, history, format, layout, stamp: subject.stamp() })
    }

    /// The text of a sequence, and the number of its rows.
    pub(super) fn text(&self, sequence: &LegalSequence) -> io::Result<(Vec<u8>, u64)> {
        let mut writer = SequenceWriter::new(&self.layout, Vec::new());
        record(&self.subject.found.profile, self.history, &sequence.operations, &mut writer)?;
        writer.finish()
    }

    /// Writes the sequence of a candidate and a manifest into a new folder. Returns the path of the sequence. Nothing is synced: after a
    /// loss of power the round is tried again.
    pub(super) fn candidate(&self, folder: &Path, sequence: &LegalSequence) -> io::Result<PathBuf> {
        let (text, rows) = self.text(sequence)?;
        let name = self.format.form().file_name(FileKind::OperationSequence, self.stamp, 1);
        fs::create_dir_all(folder)?;
        let path = folder.join(&name);
        fs::write(&path, &text)?;
        let file = name.try_into().map_err(io::Error::other)?;
        let file = FileRecord { kind: FileKind::OperationSequence, file, rows, sha256: Digest::of(&text) };
        let manifest = SiteManifest { runs: vec![self.run(rows, vec![file])], ..self.subject.manifest(None) };
        fs::write(folder.join(manifest::FILE_NAME), serde_json::to_vec_pretty(&manifest).map_err(io::Error::other)?)?;
        Ok(path)
    }

    /// Writes a sequence with all tables and a manifest into a folder, which must exist. `site` is its number in a batch. Returns the
    /// digest of the manifest.
    pub(super) fn result(&self, folder: &Path, sequence: &LegalSequence, site: Option<u64>) -> io::Result<Digest> {
        let mut files = RunFiles::create(folder, &self.format, Outputs::ALL, self.stamp, 1)?;
        record(&self.subject.found.profile, self.history, &sequence.operations, &mut files)?;
        let run = self.run(sequence.operations.len() as u64, files.finish()?.files);
        let line = serde_json::to_string(&run).map_err(io::Error::other);
        write_site_manifest(folder, &self.subject.manifest(site), std::iter::once(line))
    }

    fn run(&self, operations: u64, files: Vec<FileRecord>) -> RunRecord {
        let seed = self.subject.manifest(None).site_seed;
        RunRecord { run: 1, run_index: 0, seed, phase: None, operations, files, pack: Vec::new() }
    }
}
