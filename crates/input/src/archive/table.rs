//! A Parquet file with a table of several runs, as an archive of the runs' own files.
//!
//! A member is put together from its first bytes, which all such files have, its values, which are a part of the archive, and its end, which the archive
//! keeps deflated ([`TableIndex`]). No value is decoded. Leaves out what the bytes of a member mean, and whether they are those that were written: that its
//! digest tells, or who reads it as a table.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use flate2::bufread::DeflateDecoder;
use nandseq_trace::file_form::RUN_FOLDER;
use nandseq_trace::pack::{INDEX_KEY, TableIndex, TableOfRun};
use rawzip::{FileReader, ReaderAt};
use rustc_hash::FxHashMap;

use crate::thrift::{BINARY, DEPTH, LIST, STRUCT, binary, fields, list, skip};

/// The first and the last bytes of every Parquet file.
const MAGIC: &[u8; 4] = b"PAR1";
/// The number of bytes behind the footer: its length, and [`MAGIC`].
const BEHIND: u64 = 8;
/// The field of the footer that has the key-value metadata, and those of an entry.
const METADATA: i64 = 5;
const KEY: i64 = 1;
const VALUE: i64 = 2;

/// The members of an archive of one table.
pub(super) struct TableMembers {
    file: Arc<FileReader>,
    /// The ends of all members, one after another.
    ends: Arc<[u8]>,
    members: FxHashMap<String, Member>,
    names: Vec<String>,
}

/// Where the pieces of a member are.
struct Member {
    values: Vec<(u64, u64)>,
    /// Its end among the ends of all.
    end: (usize, usize),
}

/// A file, or several pieces of one, which can be read at any place.
#[derive(Clone)]
pub struct Pieces {
    file: Arc<FileReader>,
    ends: Arc<[u8]>,
    pieces: Arc<[Piece]>,
    bytes: u64,
}

struct Piece {
    /// Where it begins among all pieces, and its number of bytes.
    at: u64,
    bytes: u64,
    from: Place,
}

/// Where the bytes of a piece are.
enum Place {
    First,
    /// In the file.
    File(u64),
    /// Among the ends of all members.
    End(usize),
}

fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "it is no pack of Parquet tables, or it was cut or damaged")
}

impl TableMembers {
    pub(super) fn read(file: File, path: &Path) -> io::Result<Self> {
        let (length, file) = (file.metadata()?.len(), FileReader::from(file));
        let TableIndex { ends: (at, bytes), runs } = index(&file, length)?;
        let deflated = part(&file, (at, bytes), length)?;
        let total = runs.iter().try_fold(0_u64, |sum, run| sum.checked_add(run.end)).ok_or_else(damaged)?;
        let mut ends = Vec::new();
        DeflateDecoder::new(&deflated[..]).take(total).read_to_end(&mut ends).map_err(|_| damaged())?;
        if ends.len() as u64 != total {
            return Err(damaged());
        }
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let (mut members, mut names, mut next) = (FxHashMap::default(), Vec::with_capacity(runs.len()), 0);
        for TableOfRun { run, values, end } in runs {
            let is_inside = |&(at, bytes): &(u64, u64)| at.checked_add(bytes).is_some_and(|end| end <= length);
            let member = Member { end: (next, end as usize), values };
            next += end as usize;
            let name = format!("{RUN_FOLDER}{run:07}/{name}");
            if !member.values.iter().all(is_inside) || members.insert(name.clone(), member).is_some() {
                return Err(damaged());
            }
            names.push(name);
        }
        Ok(Self { file: Arc::new(file), ends: ends.into(), members, names })
    }

    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    pub(super) fn has(&self, member: &str) -> bool {
        self.members.contains_key(member)
    }

    /// A member; `None` if there is none of this name.
    pub(super) fn open(&self, member: &str) -> Option<Pieces> {
        let Member { values, end: (end, bytes) } = self.members.get(member)?;
        let first = (Place::First, MAGIC.len() as u64);
        let values = values.iter().map(|&(at, bytes)| (Place::File(at), bytes));
        let all = [first].into_iter().chain(values).chain([(Place::End(*end), *bytes as u64)]);
        Some(Pieces::new(Arc::clone(&self.file), Arc::clone(&self.ends), all))
    }
}

impl Pieces {
    fn new(file: Arc<FileReader>, ends: Arc<[u8]>, pieces: impl Iterator<Item = (Place, u64)>) -> Self {
        let mut next = 0_u64;
        let piece = |(from, bytes)| {
            let at = next;
            next = next.saturating_add(bytes);
            Piece { at, bytes, from }
        };
        let pieces = pieces.map(piece).collect();
        Self { file, ends, pieces, bytes: next }
    }

    /// A whole file.
    pub(super) fn whole(file: File) -> io::Result<Self> {
        let bytes = file.metadata()?.len();
        Ok(Self::new(Arc::new(file.into()), Arc::new([]), [(Place::File(0), bytes)].into_iter()))
    }

    /// The number of bytes.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The bytes from a place on.
    #[must_use]
    pub fn read_from(&self, at: u64) -> ReadPieces {
        ReadPieces { pieces: self.clone(), at }
    }

    /// Reads bytes at a place; none behind the last piece.
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        let piece = self.pieces.partition_point(|piece| piece.at + piece.bytes <= at);
        let Some(piece) = self.pieces.get(piece) else { return Ok(0) };
        let inside = at - piece.at;
        let room = usize::try_from(piece.bytes - inside).unwrap_or(usize::MAX).min(buffer.len());
        let buffer = &mut buffer[..room];
        let mut copied =
            |from: &[u8], start: usize| from.get(start..start + room).map(|bytes| buffer.copy_from_slice(bytes));
        match piece.from {
            Place::File(start) => return self.file.read_at(buffer, start + inside),
            Place::First => copied(MAGIC, inside as usize),
            Place::End(start) => copied(&self.ends, start + inside as usize),
        }
        .map(|()| room)
        .ok_or_else(damaged)
    }
}

/// The bytes of pieces, one after another.
pub struct ReadPieces {
    pieces: Pieces,
    at: u64,
}

impl Read for ReadPieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.pieces.read_at(buffer, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

/// A part of a file, which must be inside it.
fn part(file: &FileReader, (at, bytes): (u64, u64), length: u64) -> io::Result<Vec<u8>> {
    if at.checked_add(bytes).is_none_or(|end| end > length) {
        return Err(damaged());
    }
    let mut part = vec![0; usize::try_from(bytes).map_err(|_| damaged())?];
    file.read_exact_at(&mut part, at)?;
    Ok(part)
}

/// What the metadata of a Parquet file say of the runs in it.
fn index(file: &FileReader, length: u64) -> io::Result<TableIndex> {
    let before = length.checked_sub(BEHIND).ok_or_else(damaged)?;
    let behind = part(file, (before, BEHIND), length)?;
    let (bytes, magic) = behind.split_first_chunk().ok_or_else(damaged)?;
    let bytes = u64::from(u32::from_le_bytes(*bytes));
    let at = before.checked_sub(bytes).filter(|_| magic == MAGIC).ok_or_else(damaged)?;
    let footer = part(file, (at, bytes), length)?;
    let text = value(&footer).ok_or_else(damaged)?;
    let text = text.ok_or_else(|| {
        let what = "it has no list of runs, so another program has written it: move it away, or name its rows one run at a time";
        io::Error::new(io::ErrorKind::InvalidData, what)
    })?;
    serde_json::from_slice(text).map_err(|_| damaged())
}

/// The value of [`INDEX_KEY`] in a footer; `None` within for a sound footer without it.
fn value(mut footer: &[u8]) -> Option<Option<&[u8]>> {
    let mut found = None;
    fields(&mut footer, |bytes, id, kind| {
        if (id, kind) != (METADATA, LIST) {
            return skip(bytes, kind, DEPTH);
        }
        let (count, kind) = list(bytes)?;
        if kind != STRUCT {
            return (count == 0).then_some(());
        }
        (0..count).try_for_each(|_| {
            let (mut key, mut value) = (None, None);
            fields(bytes, |bytes, id, kind| {
                match (id, kind) {
                    (KEY, BINARY) => key = Some(binary(bytes)?),
                    (VALUE, BINARY) => value = Some(binary(bytes)?),
                    _ => skip(bytes, kind, DEPTH)?,
                }
                Some(())
            })?;
            if key == Some(INDEX_KEY.as_bytes()) {
                found = value;
            }
            Some(())
        })
    })?;
    Some(found)
}
