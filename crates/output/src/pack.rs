//! The archives of a pack: the files of consecutive runs of a site in one ZIP file, or, where the form of the tables has
//! [packs of its own](TablePack), each table in one of these and the rest in a ZIP file.
//!
//! Archives have their final names when all runs are in them and they are durable; nothing is left of those that are dropped before. Equal
//! runs give equal bytes: all members of a ZIP file have one date, and are in the order of runs and kinds. Leaves out how the files of a
//! run come about, which are the same without a pack, and the list of runs.

use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use flate2::{Compress, Compression, Crc, FlushCompress, Status};
use nandseq_trace::inside::InsideName;
use nandseq_trace::manifest::PackRecord;
use nandseq_trace::pack::is_of_table;
use rawzip::time::UtcDateTime;
use rawzip::{CompressionMethod, DataDescriptorOutput, ZipArchiveWriter};

use crate::format::{TableFormat, TablePack};
use crate::new_file::{self, NewFile};
use crate::pending;
use crate::run_files::Complete;

/// What the comment of an archive says: who wrote it.
pub const WRITTEN_BY: &str = "nandseqgen";
/// The number of bytes that are packed at once.
const BLOCK: usize = 1 << 16;

/// The archives of a pack that is being made.
pub struct PackFiles<'f> {
    folder: PathBuf,
    format: &'f dyn TableFormat,
    /// In the order in which the files of a run come, by their names in the folder of the site.
    archives: Vec<(InsideName, Archive<'f>)>,
    /// Folders that were made for this pack.
    new_folders: Vec<PathBuf>,
}

/// An archive that is being made.
enum Archive<'f> {
    Zip(Box<ZipFile>),
    Table(Box<dyn TablePack + 'f>),
}

/// Which archives of a pack are made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ArchivesMade {
    /// All.
    All,
    /// Those that are not there; the others stay as they are.
    Missing,
}

impl<'f> PackFiles<'f> {
    /// Starts a pack in the folder of a site. The tables of its runs are written in `format`.
    #[must_use]
    pub fn new(folder: &Path, format: &'f dyn TableFormat) -> Self {
        Self { folder: folder.to_owned(), format, archives: Vec::new(), new_folders: Vec::new() }
    }

    /// Adds the files of a run.
    ///
    /// # Errors
    /// Errors of the files.
    pub fn add(&mut self, run: Complete<'_>) -> io::Result<()> {
        let number = run.run();
        for (name, file) in run.into_members() {
            if let Some(kept) = file.take()? {
                match self.archive(&name.on_disk())? {
                    Archive::Zip(zip) => zip.member(name.member(), kept.bytes())?,
                    Archive::Table(pack) => pack.add(number, kept)?,
                }
            }
        }
        Ok(())
    }

    /// The archive of a name, which is started if it is a new one.
    fn archive(&mut self, name: &InsideName) -> io::Result<&mut Archive<'f>> {
        let at = match self.archives.iter().position(|(known, _)| known == name) {
            Some(at) => at,
            None => {
                let file = new_file::create_below(&self.folder, name.as_str(), &mut self.new_folders)?;
                let is_of_table = is_of_table(Path::new(name.as_str()));
                let archive = if is_of_table {
                    Archive::Table(self.format.pack(file)?)
                } else {
                    Archive::Zip(Box::new(ZipFile::new(file)))
                };
                self.archives.push((name.clone(), archive));
                self.archives.len() - 1
            }
        };
        Ok(&mut self.archives[at].1)
    }

    /// Ends the pack: completes and syncs the archives, gives those that are `made` their final names, and syncs the folders. When this
    /// returns, the runs survive a loss of power. `together` as in [`RunFiles::syncing`](crate::run_files::RunFiles::syncing).
    ///
    /// # Errors
    /// Errors of the files. Those without their final name are then removed.
    pub fn finish(mut self, together: bool, made: ArchivesMade) -> io::Result<Vec<PackRecord>> {
        let (mut files, mut records) = (Vec::new(), Vec::new());
        for (name, archive) in std::mem::take(&mut self.archives) {
            let file = match archive {
                Archive::Zip(zip) => zip.finish()?,
                Archive::Table(pack) => pack.finish()?,
            };
            let path = name.to_write_in(&self.folder);
            records.push(PackRecord { file: name, bytes: file.bytes(), sha256: file.digest() });
            if made == ArchivesMade::All || !path.metadata().is_ok_and(|there| there.is_file() && there.len() > 0) {
                files.push(file);
            }
        }
        new_file::place_all(files, together, &self.new_folders)?;
        Ok(records)
    }
}

impl Drop for PackFiles<'_> {
    /// Removes the archives without their final names, and the folders that were made for them.
    fn drop(&mut self) {
        self.archives.clear();
        pending::remove_empty(&self.new_folders);
    }
}

/// A ZIP archive that is being made.
struct ZipFile {
    archive: ZipArchiveWriter<BufWriter<NewFile>>,
    packer: Packer,
}

/// Packs one member after another.
struct Packer {
    packer: Compress,
    input: Vec<u8>,
    output: Vec<u8>,
}

impl ZipFile {
    fn new(file: NewFile) -> Self {
        let mut archive = ZipArchiveWriter::new(BufWriter::with_capacity(BLOCK, file));
        archive.set_comment(WRITTEN_BY);
        Self { archive, packer: Packer::new() }
    }

    fn member(&mut self, name: &str, mut bytes: impl Read) -> io::Result<()> {
        let member = self.archive.new_file(name).compression_method(CompressionMethod::DEFLATE).last_modified(date());
        let (mut entry, _) = member.start().map_err(into_io)?;
        let about = self.packer.pack(&mut bytes, &mut entry)?;
        entry.finish(about).map_err(into_io).map(drop)
    }

    /// Ends the archive.
    fn finish(self) -> io::Result<NewFile> {
        let file = self.archive.finish().map_err(into_io)?;
        file.into_inner().map_err(io::IntoInnerError::into_error)
    }
}

impl Packer {
    fn new() -> Self {
        let packer = Compress::new(Compression::fast(), false);
        Self { packer, input: vec![0; BLOCK], output: vec![0; BLOCK] }
    }

    /// Packs all bytes. Returns what the archive says about them.
    fn pack(&mut self, bytes: &mut impl Read, to: &mut impl Write) -> io::Result<DataDescriptorOutput> {
        self.packer.reset();
        let mut crc = Crc::new();
        loop {
            let read = bytes.read(&mut self.input)?;
            crc.update(&self.input[..read]);
            self.block(read, to)?;
            if read == 0 {
                return Ok(DataDescriptorOutput::new(crc.sum(), self.packer.total_in()));
            }
        }
    }

    /// Packs the next bytes of the input; without any, the rest of what was taken.
    fn block(&mut self, read: usize, to: &mut impl Write) -> io::Result<()> {
        let is_end = read == 0;
        let flush = if is_end { FlushCompress::Finish } else { FlushCompress::None };
        let mut taken = 0;
        loop {
            let (before, made_before) = (self.packer.total_in(), self.packer.total_out());
            let rest = &self.input[taken..read];
            let status = self.packer.compress(rest, &mut self.output, flush).map_err(io::Error::other)?;
            taken += (self.packer.total_in() - before) as usize;
            let made = (self.packer.total_out() - made_before) as usize;
            to.write_all(&self.output[..made])?;
            let is_done = if is_end { status == Status::StreamEnd } else { taken == read && made < self.output.len() };
            if is_done {
                return Ok(());
            }
        }
    }
}

/// The date of every member, the first that archives can have: 1980-01-01.
fn date() -> UtcDateTime {
    UtcDateTime::from_unix(315_532_800)
}

/// The error of the file system inside an error of the library, so that a full disk is recognized.
fn into_io(error: rawzip::Error) -> io::Error {
    let said = error.to_string();
    if let rawzip::ErrorKind::IO(error) = error.into_kind() { error } else { io::Error::other(said) }
}
