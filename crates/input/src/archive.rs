//! Files, and members of archives as if they were files.
//!
//! A path into an archive ([`nandseq_trace::pack`]) names a member. Whatever opens, finds or compares files of runs does it through this
//! module, so that it makes no difference whether a file lies in an archive. Nothing is unpacked to the disk. A ZIP archive is read as it is
//! written here, or by other tools: members that are stored or deflated, of any order. What cannot be such an archive, or has a member
//! whose name leads out of the archive, is an error. A Parquet file with a table of several runs is read as it is written here.

mod table;

use std::cell::RefCell;
use std::fs::{File, Metadata};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flate2::Crc;
use flate2::bufread::DeflateDecoder;
use nandseq_trace::inside::unfit_part;
use nandseq_trace::{manifest, pack};
use rawzip::{
    CompressionMethod, FileReader, RangeReader, ReaderAt, ZipArchive, ZipArchiveEntryWayfinder, ZipFileHeaderRecord,
};
use rustc_hash::FxHashMap;

use table::TableMembers;
pub use table::{Pieces, ReadPieces};

/// How many bytes are read at once.
const BUFFER: usize = 1 << 14;

/// How many archives a thread remembers: those of a run are a ZIP archive and one for each table.
const REMEMBERED: usize = 8;

/// An archive.
#[derive(Clone)]
enum Archive {
    Zip(Arc<ZipMembers>),
    Table(Arc<TableMembers>),
}

/// The members of a ZIP archive.
struct ZipMembers {
    zip: ZipArchive<FileReader>,
    members: FxHashMap<String, Member>,
    /// The names of the members, in order.
    names: Vec<String>,
}

#[derive(Clone, Copy)]
struct Member {
    place: ZipArchiveEntryWayfinder,
    /// Whether it is deflated; otherwise it is stored as it is.
    is_packed: bool,
    crc: u32,
    bytes: u64,
}

/// What tells a file from another one under the same path: its length, and where the system tells more, its number and when it was changed.
type Version = (u64, [i64; 3]);

fn version(about: &Metadata) -> Version {
    #[cfg(unix)]
    let more = {
        use std::os::unix::fs::MetadataExt as _;
        [about.ino() as i64, about.mtime(), about.mtime_nsec()]
    };
    #[cfg(not(unix))]
    let more = [0; 3];
    (about.len(), more)
}

thread_local! {
    /// The archives that this thread read last, the newest first. Members are read one after another, and each needs the list of all.
    static LAST: RefCell<Vec<(PathBuf, Version, Archive)>> = const { RefCell::new(Vec::new()) };
}

/// Whether there is a regular file, or a member of an archive, under a path.
#[must_use]
pub fn is_file(path: &Path) -> bool {
    match pack::split(path) {
        Some((archive, member)) => open_archive(archive).is_ok_and(|archive| archive.has(&member)),
        None => path.is_file(),
    }
}

/// Opens a regular file, or a member of an archive.
///
/// # Errors
/// If it is not there, cannot be read, or is no regular file. What is read of a damaged member ends with an error.
pub fn open(path: &Path) -> io::Result<Box<dyn Read>> {
    match pack::split(path) {
        Some((archive, member)) => open_archive(archive)?.open(&member),
        None => Ok(Box::new(manifest::open(path)?)),
    }
}

/// Opens a file whose bytes are read at any place: a regular file, or a member of an archive of one table.
///
/// # Errors
/// If it is not there, cannot be read, or is no such file.
pub fn open_pieces(path: &Path) -> io::Result<Pieces> {
    match pack::split(path) {
        Some((archive, member)) => match open_archive(archive)? {
            Archive::Table(table) => table.open(&member).ok_or_else(missing),
            Archive::Zip(_) => {
                Err(io::Error::new(io::ErrorKind::Unsupported, "it cannot be read in a ZIP archive: unpack it"))
            }
        },
        None => Pieces::whole(manifest::open(path)?),
    }
}

/// The names of the members of an archive, in order.
///
/// # Errors
/// If the file cannot be read, or is no sound archive.
pub fn members(path: &Path) -> io::Result<Vec<String>> {
    open_archive(path).map(|archive| match archive {
        Archive::Zip(zip) => zip.names.clone(),
        Archive::Table(table) => table.names().to_vec(),
    })
}

/// What the comment of a ZIP archive says; nothing for another archive.
///
/// # Errors
/// As [`members`].
pub fn comment(path: &Path) -> io::Result<Vec<u8>> {
    let mut comment = Vec::new();
    match open_archive(path)? {
        Archive::Zip(zip) => zip.zip.comment().read_to_end(&mut comment).map(|_| comment),
        Archive::Table(_) => Ok(comment),
    }
}

fn open_archive(path: &Path) -> io::Result<Archive> {
    let file = manifest::open(path)?;
    let version = version(&file.metadata()?);
    LAST.with_borrow_mut(|last| {
        if let Some(at) = last.iter().position(|(known, of, _)| known == path && *of == version) {
            last[..=at].rotate_right(1);
        } else {
            let archive = Archive::read(file, path)?;
            last.insert(0, (path.to_owned(), version, archive));
            last.truncate(REMEMBERED);
        }
        Ok(last[0].2.clone())
    })
}

fn damaged(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// What an error of the library says in our words.
fn no_archive(error: rawzip::Error) -> io::Error {
    if let rawzip::ErrorKind::IO(error) = error.into_kind()
        && error.kind() != io::ErrorKind::UnexpectedEof
    {
        return error;
    }
    damaged("it is no ZIP archive, or it was cut or damaged")
}

impl Archive {
    fn read(file: File, path: &Path) -> io::Result<Self> {
        if pack::is_of_table(path) {
            return TableMembers::read(file, path).map(Arc::new).map(Self::Table);
        }
        ZipMembers::read(file).map(Arc::new).map(Self::Zip)
    }

    fn has(&self, member: &str) -> bool {
        match self {
            Self::Zip(zip) => zip.members.contains_key(member),
            Self::Table(table) => table.has(member),
        }
    }

    fn open(&self, member: &str) -> io::Result<Box<dyn Read>> {
        match self {
            Self::Zip(zip) => zip.open(member),
            Self::Table(table) => {
                let pieces = table.open(member).ok_or_else(missing)?;
                Ok(Box::new(BufReader::with_capacity(BUFFER, pieces.read_from(0))))
            }
        }
    }
}

/// The error for a member that is not there.
fn missing() -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, "the archive has no such member")
}

impl ZipMembers {
    fn read(file: File) -> io::Result<Self> {
        let mut buffer = vec![0; rawzip::RECOMMENDED_BUFFER_SIZE];
        let zip = ZipArchive::from_file(file, &mut buffer).map_err(no_archive)?;
        let (mut members, mut names) = (FxHashMap::default(), Vec::new());
        let mut entries = zip.entries(&mut buffer);
        let mut count = 0;
        while let Some(entry) = entries.next_entry().map_err(no_archive)? {
            count += 1;
            let name = String::from_utf8_lossy(entry.file_path().as_bytes()).into_owned();
            let inside = name.strip_suffix('/').unwrap_or(&name);
            if unfit_part(inside).is_some() {
                let what = "a member of the archive has a name that leads out of it, so nothing of it is read: ";
                return Err(damaged(&format!("{what}`{}`", name.escape_debug())));
            }
            if entry.is_dir() {
                continue;
            }
            if members.insert(name.clone(), Member::of(&entry)?).is_some() {
                return Err(damaged(&format!("the archive has two members that are called `{name}`")));
            }
            names.push(name);
        }
        if count != zip.entries_hint() {
            return Err(damaged("it is no ZIP archive, or it was cut or damaged"));
        }
        Ok(Self { zip, members, names })
    }

    fn open(self: &Arc<Self>, member: &str) -> io::Result<Box<dyn Read>> {
        let &Member { place, is_packed, crc, bytes } = self.members.get(member).ok_or_else(missing)?;
        let (start, end) = self.zip.get_entry(place).map_err(no_archive)?.compressed_data_range();
        let input = RangeReader::new(OfArchive(Arc::clone(self)), start..end);
        let checked = |input| Checked { input, crc: Crc::new(), expected: (crc, bytes), bytes: 0 };
        Ok(match is_packed {
            true => {
                let input = BufReader::with_capacity(BUFFER, input);
                Box::new(checked(Box::new(DeflateDecoder::new(input)) as Box<dyn Read>))
            }
            false => Box::new(checked(Box::new(input) as Box<dyn Read>)),
        })
    }
}

impl Member {
    fn of(entry: &ZipFileHeaderRecord<'_>) -> io::Result<Self> {
        let method = entry.compression_method();
        if method != CompressionMethod::DEFLATE && method != CompressionMethod::STORE {
            return Err(damaged(
                "a member of the archive is packed in a way that cannot be read here: pack it by deflate",
            ));
        }
        if entry.flags().is_encrypted() {
            return Err(damaged("a member of the archive is encrypted"));
        }
        Ok(Self {
            place: entry.wayfinder(),
            is_packed: method == CompressionMethod::DEFLATE,
            crc: entry.crc32(),
            bytes: entry.uncompressed_size_hint(),
        })
    }
}

/// The bytes of an archive, which may be read at several places at once.
struct OfArchive(Arc<ZipMembers>);

impl ReaderAt for OfArchive {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.zip.get_ref().read_at(buffer, offset)
    }
}

/// The contents of a member, compared with what the archive says of them.
struct Checked {
    input: Box<dyn Read>,
    crc: Crc,
    expected: (u32, u64),
    bytes: u64,
}

impl Read for Checked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer).map_err(|error| {
            use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
            let is_damage = matches!(error.kind(), InvalidInput | InvalidData | UnexpectedEof);
            if is_damage { damaged("it is damaged: what is in the archive cannot be unpacked") } else { error }
        })?;
        self.crc.update(&buffer[..read]);
        self.bytes += read as u64;
        let (crc, bytes) = self.expected;
        let is_end = read == 0 && !buffer.is_empty();
        if self.bytes > bytes || (is_end && (self.bytes < bytes || self.crc.sum() != crc)) {
            return Err(damaged("it is damaged: its contents are not those that were put into the archive"));
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]
    use std::fs;
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::DeflateEncoder;
    use rawzip::ZipArchiveWriter;

    use super::*;

    /// An archive of members, deflated or stored.
    fn zip(members: &[(&str, &[u8])], is_packed: bool) -> Vec<u8> {
        let mut archive = ZipArchiveWriter::new(Vec::new());
        for (name, bytes) in members {
            let method = if is_packed { CompressionMethod::DEFLATE } else { CompressionMethod::STORE };
            let (mut entry, config) = archive.new_file(name).compression_method(method).start().unwrap();
            let about = if is_packed {
                let mut data = config.wrap(DeflateEncoder::new(&mut entry, Compression::fast()));
                data.write_all(bytes).unwrap();
                let (encoder, about) = data.finish().unwrap();
                encoder.finish().unwrap();
                about
            } else {
                let mut data = config.wrap(&mut entry);
                data.write_all(bytes).unwrap();
                data.finish().unwrap().1
            };
            entry.finish(about).unwrap();
        }
        archive.finish().unwrap()
    }

    fn read(path: &Path) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        open(path)?.read_to_end(&mut bytes).map(|_| bytes)
    }

    #[test]
    fn members_are_files() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.zip");
        let long = b"seq,time\n".repeat(30_000);
        for is_packed in [true, false] {
            fs::write(&path, zip(&[("b.csv", &long), ("snapshots/s.json", b"{}"), ("empty", b"")], is_packed)).unwrap();
            assert_eq!(members(&path).unwrap(), ["b.csv", "snapshots/s.json", "empty"]);
            assert_eq!(read(&path.join("b.csv")).unwrap(), long);
            assert_eq!(read(&path.join("snapshots/s.json")).unwrap(), b"{}");
            assert_eq!(read(&path.join("empty")).unwrap(), b"");
            assert!(is_file(&path.join("b.csv")) && !is_file(&path.join("c.csv")) && !is_file(&path.join("snapshots")));
            assert_eq!(read(&path.join("c.csv")).unwrap_err().kind(), io::ErrorKind::NotFound);
        }
        assert_eq!(read(&folder.path().join("gone.zip/b.csv")).unwrap_err().kind(), io::ErrorKind::NotFound);
        assert!(is_file(&path) && read(&path).unwrap().starts_with(b"PK"));
    }

    #[test]
    fn an_archive_with_two_members_of_one_name_or_one_that_leads_out_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.zip");
        fs::write(&path, zip(&[("b.csv", b"1"), ("b.csv", b"2")], true)).unwrap();
        let said = |path: &Path| read(path).unwrap_err().to_string();
        assert_eq!(said(&path.join("b.csv")), "the archive has two members that are called `b.csv`");
        for name in ["../b.csv", "a/../b.c", "/b.csv12"] {
            // The library writes no such names.
            let mut bytes = zip(&[("b.csv", b"1"), ("QQQQQQQQ", b"2")], true);
            let places: Vec<usize> = (0..bytes.len()).filter(|&at| bytes[at..].starts_with(b"QQQQQQQQ")).collect();
            assert_eq!(places.len(), 2, "the name of the member, and that in the directory");
            places.iter().for_each(|&at| bytes[at..at + name.len()].copy_from_slice(name.as_bytes()));
            fs::write(&path, bytes).unwrap();
            let expected = format!("leads out of it, so nothing of it is read: `{name}`");
            assert!(said(&path.join("b.csv")).ends_with(&expected), "{}", said(&path.join("b.csv")));
        }
    }

    #[test]
    fn damaged_anywhere_it_is_an_error_or_what_it_was_and_no_panic() {
        let folder = tempfile::tempdir().unwrap();
        let text: String = (0..200).map(|row| format!("{row},{}\n", row * 7919 % 1000)).collect();
        for is_packed in [true, false] {
            let sound = zip(&[("b.csv", text.as_bytes())], is_packed);
            let read = |bytes: &[u8], number: usize| {
                let path = folder.path().join(format!("{number}-{is_packed}.zip"));
                fs::write(&path, bytes).unwrap();
                let read = read(&path.join("b.csv"));
                fs::remove_file(path).unwrap();
                read
            };
            for length in (0..sound.len()).step_by(7) {
                assert!(read(&sound[..length], length).is_err(), "cut after {length} bytes");
            }
            for at in 0..sound.len() {
                let mut damaged = sound.clone();
                damaged[at] ^= 0x41;
                if let Ok(bytes) = read(&damaged, sound.len() + at) {
                    assert!(bytes == text.as_bytes(), "byte {at}");
                }
            }
        }
    }
}
