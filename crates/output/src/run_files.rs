//! The files of one run.
//!
//! No file has its final name before all are complete and durable. All names are durable when [`RunFiles::finish`] returns.
//! Nothing is left of a run that is dropped before it is finished. [`RunFiles::complete`] gives the list of files before any file
//! has its final name. Leaves out the list of runs, which is in the manifest.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use nandseq_profile::Ticks;

use crate::format::{SequenceTable, TableFormat, UnnamedFile};
use crate::new_file::{self, NewFile};
use crate::pending;
use crate::recorder::Recorder;
use crate::sort::Budget;
use nandseq_trace::files::{FileKind, Outputs, Stamp};
use nandseq_trace::inside::InsideName;
use nandseq_trace::manifest::FileRecord;
use nandseq_trace::{Cut, Operation, Sink};

/// The files of a run while they are written.
pub struct RunFiles<'f> {
    folder: PathBuf,
    format: &'f dyn TableFormat,
    stamp: Stamp,
    run: u64,
    sequence: Option<Box<dyn SequenceTable + 'f>>,
    recorder: Option<Recorder<'f>>,
    /// Files that were added complete: snapshot and log.
    whole: Vec<(FileKind, UnnamedFile)>,
    /// Whether files are synced at the same time.
    syncs_together: bool,
    /// Folders that were made for this run.
    new_folders: Vec<PathBuf>,
    place: FilesIn,
}

/// The pack that the files of a run are for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PackPlace {
    /// The number of its first run.
    pub first: u64,
    /// Whether the files are kept for it; otherwise the bytes are only counted and hashed.
    pub is_kept: bool,
}

/// Where the files of a run are.
enum FilesIn {
    /// In the folder of the site.
    Folder,
    /// In a pack, which takes them when they are complete.
    Pack(PackPlace),
    /// Nowhere: the bytes are only counted and hashed.
    Nowhere,
}

/// The files of a run that are complete.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finished {
    /// Their records for the manifest, in the order of their kinds.
    pub files: Vec<FileRecord>,
    /// The number of their bytes in total.
    pub bytes: u64,
}

impl<'f> RunFiles<'f> {
    /// Starts the tables among `outputs` in the folder of a site, which must exist. `run` is counted from 1.
    ///
    /// # Errors
    /// If a file cannot be created.
    pub fn create(
        folder: &Path,
        format: &'f dyn TableFormat,
        outputs: Outputs,
        stamp: Stamp,
        run: u64,
    ) -> io::Result<Self> {
        Self::new((folder, FilesIn::Folder), format, outputs, stamp, run)
    }

    /// Starts the same tables for a pack, which takes the files when they are complete ([`PackFiles::add`](crate::pack::PackFiles::add)).
    /// Large runs need temporary files without names, which are made in `folder`.
    ///
    /// # Errors
    /// If a file cannot be created.
    pub fn for_pack(
        folder: &Path,
        pack: PackPlace,
        (format, outputs): (&'f dyn TableFormat, Outputs),
        stamp: Stamp,
        run: u64,
    ) -> io::Result<Self> {
        Self::new((folder, FilesIn::Pack(pack)), format, outputs, stamp, run)
    }

    /// Starts the same tables without files on disk. Rows are formatted as usual, and the bytes are counted and hashed. Large
    /// runs need temporary files without names, which are made in `spare`.
    ///
    /// # Errors
    /// Errors of the format.
    pub fn counting(
        spare: &Path,
        format: &'f dyn TableFormat,
        outputs: Outputs,
        stamp: Stamp,
        run: u64,
    ) -> io::Result<Self> {
        Self::new((spare, FilesIn::Nowhere), format, outputs, stamp, run)
    }

    fn new(
        (folder, place): (&Path, FilesIn),
        format: &'f dyn TableFormat,
        outputs: Outputs,
        stamp: Stamp,
        run: u64,
    ) -> io::Result<Self> {
        let mut files = Self {
            folder: folder.to_owned(),
            format,
            stamp,
            run,
            sequence: None,
            recorder: None,
            whole: Vec::new(),
            syncs_together: false,
            new_folders: Vec::new(),
            place,
        };
        let mut start = |kind| outputs.contains(kind).then(|| files.start(kind)).transpose();
        let sequence = start(FileKind::OperationSequence)?.map(|file| format.operation_sequence(file)).transpose()?;
        let writers = format.tables(&mut start)?;
        files.sequence = sequence;
        if !writers.are_none() {
            files.recorder = Some(Recorder::new(format.model(), writers, folder, Budget::default()));
        }
        Ok(files)
    }

    /// Chooses how files are synced at the end: all at the same time, in threads, if `together`; otherwise one after another. A
    /// slow disk writes its journal once for many files. On a fast disk the threads cost more than they save.
    #[must_use]
    pub fn syncing(mut self, together: bool) -> Self {
        self.syncs_together = together;
        self
    }

    /// Starts a file. Makes its folder inside that of the site if it is missing.
    ///
    /// # Errors
    /// If the file cannot be created, for example because the folder of the site is gone.
    pub fn start(&mut self, kind: FileKind) -> io::Result<NewFile> {
        match self.place {
            FilesIn::Nowhere => return Ok(NewFile::counting()),
            FilesIn::Pack(PackPlace { is_kept: false, .. }) => return Ok(NewFile::counting()),
            FilesIn::Pack(PackPlace { is_kept: true, .. }) => return Ok(NewFile::kept(&self.folder)),
            FilesIn::Folder => {}
        }
        let name = self.format.form().file_name(kind, self.stamp, self.run);
        new_file::create_below(&self.folder, &name, &mut self.new_folders)
    }

    /// Adds a file that is not a table (a snapshot, a log). It gets its final name with the others. `rows` is for the manifest.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn add(&mut self, kind: FileKind, bytes: &[u8], rows: u64) -> io::Result<()> {
        let mut file = self.start(kind)?;
        file.write_all(bytes)?;
        self.add_written(kind, UnnamedFile { file, rows });
        Ok(())
    }

    /// Adds a file that is complete, and that was started with the name of its kind in this run. It gets its final name with the
    /// others.
    pub fn add_written(&mut self, kind: FileKind, written: UnnamedFile) {
        self.whole.push((kind, written));
    }

    /// Ends the run: completes and syncs all files, gives them their final names, and syncs the folders. When this returns, the
    /// run survives a loss of power.
    ///
    /// # Errors
    /// Errors of the files. Files without their final name are then removed.
    pub fn finish(self) -> io::Result<Finished> {
        self.complete()?.place(Outputs::ALL)
    }

    /// Ends the run: completes all files, but does not give them their final names.
    ///
    /// # Errors
    /// Errors of the files, which are then removed.
    pub fn complete(mut self) -> io::Result<Complete<'f>> {
        let mut written = Vec::new();
        if let Some(sequence) = self.sequence.take() {
            written.push((FileKind::OperationSequence, sequence.finish()?));
        }
        if let Some(recorder) = self.recorder.take() {
            written.extend(recorder.finish()?);
        }
        written.append(&mut self.whole);
        written.sort_by_key(|&(kind, _)| kind);
        let mut files = Vec::with_capacity(written.len());
        for (kind, UnnamedFile { file, rows }) in &written {
            let name = self.format.form().file_name(*kind, self.stamp, self.run);
            let name = match &self.place {
                FilesIn::Pack(pack) => {
                    format!("{}/{name}", self.format.form().pack_name(*kind, self.stamp, pack.first))
                }
                FilesIn::Folder | FilesIn::Nowhere => name,
            };
            let name = InsideName::try_from(name).map_err(io::Error::other)?;
            files.push(FileRecord { kind: *kind, file: name, rows: *rows, sha256: file.digest() });
        }
        Ok(Complete { written, files, run: self })
    }
}

/// The files of a run that are complete but do not have their final names. They are removed when this is dropped.
pub struct Complete<'f> {
    written: Vec<(FileKind, UnnamedFile)>,
    files: Vec<FileRecord>,
    run: RunFiles<'f>,
}

impl Complete<'_> {
    /// The records of the files for the manifest, in the order of their kinds.
    #[must_use]
    pub fn files(&self) -> &[FileRecord] {
        &self.files
    }

    /// The number of the run, from 1.
    #[must_use]
    pub const fn run(&self) -> u64 {
        self.run.run
    }

    /// The name of each file in the manifest, with the file.
    pub(crate) fn into_members(mut self) -> impl Iterator<Item = (InsideName, NewFile)> {
        let names: Vec<InsideName> = self.files.iter().map(|file| file.file.clone()).collect();
        names.into_iter().zip(std::mem::take(&mut self.written).into_iter().map(|(_, written)| written.file))
    }

    /// Syncs the files of these kinds, gives them their final names, and syncs the folders. The other files are removed. Returns
    /// the files that have their names now.
    ///
    /// # Errors
    /// Errors of the files. Files without their final name are then removed.
    pub fn place(self, kinds: Outputs) -> io::Result<Finished> {
        let Self { run, mut written, mut files } = self;
        written.retain(|&(kind, _)| kinds.contains(kind));
        files.retain(|file| kinds.contains(file.kind));
        let bytes = written.iter().map(|(_, written)| written.file.bytes()).sum();
        let unnamed = written.into_iter().map(|(_, written)| written.file).collect();
        new_file::place_all(unnamed, run.syncs_together, &run.new_folders)?;
        Ok(Finished { files, bytes })
    }
}

impl Drop for RunFiles<'_> {
    /// Removes files without their final name, and the folders that were made for them.
    fn drop(&mut self) {
        self.sequence = None;
        self.recorder = None;
        self.whole.clear();
        // The folder of a finished run is not empty and stays.
        pending::remove_empty(&self.new_folders);
    }
}

impl Sink for RunFiles<'_> {
    fn operation(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        if let Some(sequence) = &mut self.sequence {
            sequence.operation(operation)?;
        }
        self.recorder.as_mut().map_or(Ok(()), |recorder| recorder.operation(operation))
    }

    fn still_suspended(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        self.recorder.as_mut().map_or(Ok(()), |recorder| recorder.still_suspended(operation))
    }

    fn cut(&mut self, uid: u64, at: Ticks, cut: Cut) -> io::Result<()> {
        self.recorder.as_mut().map_or(Ok(()), |recorder| recorder.cut(uid, at, cut))
    }

    fn resumed(&mut self, uid: u64, from: Ticks, busy_end: Ticks, end: Ticks) -> io::Result<()> {
        self.recorder.as_mut().map_or(Ok(()), |recorder| recorder.resumed(uid, from, busy_end, end))
    }
}
