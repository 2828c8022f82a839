//! The archive of a pack: the files of consecutive runs of a site in one ZIP file.
//!
//! The archive has its final name when all its runs are in it and it is durable; nothing is left of one that is dropped before. Equal
//! runs give equal bytes: all members have one date, and are in the order of runs and kinds. Leaves out how the files of a
//! run come about, which are the same without a pack, and the list of runs.

use std::io::{self, BufWriter, Read, Write};
use std::path::Path;

use flate2::{Compress, Compression, Crc, FlushCompress, Status};
use nandseq_trace::inside::InsideName;
use nandseq_trace::manifest::PackRecord;
use rawzip::time::UtcDateTime;
use rawzip::{CompressionMethod, DataDescriptorOutput, ZipArchiveWriter};

use crate::new_file::NewFile;
use crate::run_files::Complete;

/// What the comment of an archive says: who wrote it.
pub const WRITTEN_BY: &str = "nandseqgen";
/// The number of bytes that are packed at once.
const BLOCK: usize = 1 << 16;

/// An archive that is being made.
pub struct PackFile {
    archive: ZipArchiveWriter<BufWriter<NewFile>>,
    name: InsideName,
    packer: Packer,
    runs: u64,
}

/// Packs one member after another.
struct Packer {
    packer: Compress,
    input: Vec<u8>,
    output: Vec<u8>,
}

impl PackFile {
    /// Starts the archive that will be called `name` in the folder of a site.
    ///
    /// # Errors
    /// If the file cannot be created.
    pub fn create(folder: &Path, name: &str) -> io::Result<Self> {
        let file = NewFile::create(folder, name)?;
        let name = InsideName::try_from(name.to_owned()).map_err(io::Error::other)?;
        let mut archive = ZipArchiveWriter::new(BufWriter::with_capacity(BLOCK, file));
        archive.set_comment(WRITTEN_BY);
        Ok(Self { archive, name, packer: Packer::new(), runs: 0 })
    }

    /// The number of its runs.
    #[must_use]
    pub const fn runs(&self) -> u64 {
        self.runs
    }

    /// Adds the files of a run.
    ///
    /// # Errors
    /// Errors of the files.
    pub fn add(&mut self, run: Complete<'_>) -> io::Result<()> {
        for (name, file) in run.into_members() {
            if let Some(kept) = file.take()? {
                self.member(&name, kept)?;
            }
        }
        self.runs += 1;
        Ok(())
    }

    fn member(&mut self, name: &str, mut bytes: impl Read) -> io::Result<()> {
        let member = self.archive.new_file(name).compression_method(CompressionMethod::DEFLATE).last_modified(date());
        let (mut entry, _) = member.start().map_err(into_io)?;
        let about = self.packer.pack(&mut bytes, &mut entry)?;
        entry.finish(about).map_err(into_io).map(drop)
    }

    /// Ends the archive: completes and syncs it, gives it its final name, and syncs the folder. When this returns, its runs survive a
    /// loss of power.
    ///
    /// # Errors
    /// Errors of the file, which is then removed.
    pub fn finish(self) -> io::Result<PackRecord> {
        let file = self.archive.finish().map_err(into_io)?;
        let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        let bytes = file.bytes();
        Ok(PackRecord { file: self.name, bytes, sha256: file.commit()? })
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
