//! Sources of the text of tables.
//!
//! The readers of this crate know one form, lines of CSV. Tables that are stored otherwise are read through a [`Source`], which
//! gives them in that form: whatever looks at rows sees the same ones, and there is one place that says what a row means. Text that is
//! packed by gzip, in one piece or several, is unpacked, whatever the file is called; what is cut or damaged, or followed by anything else, is
//! an error.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use flate2::bufread::GzDecoder;
use nandseq_trace::files::Digest;
use nandseq_trace::pack;
use nandseq_trace::table::TableKind;
use rustc_hash::FxHashMap;
use sha2::{Digest as _, Sha256};

use crate::archive;
use crate::row::COLUMNS;

/// The path that stands for standard input.
pub const STANDARD_INPUT: &str = "-";
/// The first byte of every gzip stream. No text begins with it.
const GZIP: u8 = 0x1f;
/// How many bytes are read at once.
const BUFFER: usize = 1 << 16;

/// A source of the tables of runs as text.
pub trait Source: Sync {
    /// The text of a table as CSV, its header first.
    ///
    /// # Errors
    /// If the file cannot be read, or is not in the form that the end of its name tells.
    fn open(&self, path: &Path) -> io::Result<Box<dyn BufRead>>;

    /// The same text. If the file itself is this text, `digests` gets its digest when the text has been read to its end, so that
    /// nobody has to read the file once more.
    ///
    /// # Errors
    /// As those of [`Source::open`].
    fn open_hashed(&self, path: &Path, digests: &FileDigests) -> io::Result<Box<dyn BufRead>> {
        let _ = digests;
        self.open(path)
    }
}

/// The digests of files that were read to their ends.
#[derive(Clone, Default, Debug)]
pub struct FileDigests(Arc<Mutex<FxHashMap<PathBuf, Digest>>>);

impl FileDigests {
    fn put(&self, path: PathBuf, digest: Digest) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(path, digest);
    }

    /// The digest of a file, if it is known.
    pub(crate) fn of(&self, path: &Path) -> Option<Digest> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(path).copied()
    }
}

/// An input that is hashed while it is read.
struct Hashed {
    input: Box<dyn Read>,
    hash: Sha256,
    /// Where the digest goes at the end of the input, and its path. `None` after that, and for a file of another form.
    wanted: Option<(FileDigests, PathBuf)>,
}

impl Read for Hashed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        if read > 0 {
            if self.wanted.is_some() {
                self.hash.update(&buffer[..read]);
            }
        } else if !buffer.is_empty()
            && let Some((digests, path)) = self.wanted.take()
        {
            digests.put(path, Digest(self.hash.finalize_reset().into()));
        }
        Ok(read)
    }
}

/// The source for CSV files, plain, packed by gzip or in an archive; `-` is standard input.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct CsvFiles;

impl Source for CsvFiles {
    fn open(&self, path: &Path) -> io::Result<Box<dyn BufRead>> {
        if path == Path::new(STANDARD_INPUT) { unpacked(io::stdin()) } else { unpacked(input(path)?.0) }
    }

    fn open_hashed(&self, path: &Path, digests: &FileDigests) -> io::Result<Box<dyn BufRead>> {
        if path == Path::new(STANDARD_INPUT) {
            return self.open(path);
        }
        let (input, is_regular) = input(path)?;
        let wanted = is_regular.then(|| (digests.clone(), path.to_owned()));
        let mut input = BufReader::with_capacity(BUFFER, Hashed { input, hash: Sha256::new(), wanted });
        if is_packed(&mut input)? {
            input.get_mut().wanted = None;
            return Ok(Box::new(BufReader::with_capacity(BUFFER, unpack(input))));
        }
        Ok(Box::new(input))
    }
}

/// A file, which may be a pipe that the user named, or the member of an archive; and whether it can be read again.
fn input(path: &Path) -> io::Result<(Box<dyn Read>, bool)> {
    if pack::split(path).is_some() {
        return Ok((archive::open(path)?, true));
    }
    let file = File::open(path)?;
    let is_regular = file.metadata()?.is_file();
    Ok((Box::new(file), is_regular))
}

/// The columns of the table that the name of a file tells; those of a sequence for any other name.
#[must_use]
pub fn columns_of(path: &Path) -> &'static [&'static str] {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let is = |kind: &TableKind| name.strip_prefix(kind.name()).is_some_and(|rest| rest.starts_with(['_', '.']));
    TableKind::ALL.into_iter().find(is).map_or(COLUMNS, TableKind::columns)
}

/// The text of a table whose lines are made as they are read: its header, then what `advance` appends to an empty buffer, until it
/// appends nothing.
pub fn lines(columns: &[&str], advance: impl FnMut(&mut Vec<u8>) -> io::Result<()> + 'static) -> Box<dyn BufRead> {
    Box::new(Lines { text: (columns.join(",") + "\n").into_bytes(), taken: 0, advance })
}

/// Lines that are made as they are read.
struct Lines<F> {
    text: Vec<u8>,
    /// How much of the text was taken.
    taken: usize,
    advance: F,
}

impl<F: FnMut(&mut Vec<u8>) -> io::Result<()>> Read for Lines<F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

impl<F: FnMut(&mut Vec<u8>) -> io::Result<()>> BufRead for Lines<F> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.taken == self.text.len() {
            self.text.clear();
            self.taken = 0;
            (self.advance)(&mut self.text)?;
        }
        Ok(&self.text[self.taken..])
    }

    fn consume(&mut self, amount: usize) {
        self.taken = (self.taken + amount).min(self.text.len());
    }
}

/// The text of an input, unpacked if it is a gzip stream.
fn unpacked(input: impl Read + 'static) -> io::Result<Box<dyn BufRead>> {
    let mut input = BufReader::with_capacity(BUFFER, input);
    let packed = is_packed(&mut input)?;
    Ok(if packed { Box::new(BufReader::with_capacity(BUFFER, unpack(input))) } else { Box::new(input) })
}

/// Whether an input that has not been read yet is a gzip stream.
fn is_packed(input: &mut impl BufRead) -> io::Result<bool> {
    Ok(input.fill_buf()?.first() == Some(&GZIP))
}

/// What gzip streams hold that follow one another.
pub(super) fn unpack(input: impl BufRead) -> impl Read {
    Unpacked(Some(GzDecoder::new(input)))
}

/// A gzip stream, and those behind it, whose errors say that it is one. `None` after the last.
struct Unpacked<R>(Option<GzDecoder<R>>);

impl<R: BufRead> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(stream) = &mut self.0 {
            let read = stream.read(buffer).map_err(|error| damage(&error).unwrap_or(error))?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            self.0 = self.0.take().map_or(Ok(None), |stream| next(stream.into_inner()))?;
        }
        Ok(0)
    }
}

/// The stream behind the end of one, if there is any. Zeros, with which tapes and block devices fill up, are nothing.
fn next<R: BufRead>(mut input: R) -> io::Result<Option<GzDecoder<R>>> {
    loop {
        let bytes = input.fill_buf()?;
        let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
        match bytes.get(zeros) {
            Some(&GZIP) if zeros == 0 => return Ok(Some(GzDecoder::new(input))),
            Some(_) if bytes[zeros] != GZIP => {
                let what = "it is packed by gzip, and bytes that are not follow its end";
                return Err(io::Error::new(io::ErrorKind::InvalidData, what));
            }
            None if zeros == 0 => return Ok(None),
            Some(_) | None => input.consume(zeros),
        }
    }
}

/// What an error of unpacking says in our words: the library's are of the format. `None` for an error of reading.
fn damage(error: &io::Error) -> Option<io::Error> {
    let kind = error.kind();
    let what = if kind == io::ErrorKind::UnexpectedEof {
        "its end is missing"
    } else if !matches!(kind, io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData) {
        return None;
    } else if error.to_string().contains("header") {
        "damaged: one of its parts does not begin as it should"
    } else if error.to_string().contains("checksum") {
        "damaged: its contents are not those that were packed"
    } else {
        "damaged: its contents cannot be unpacked"
    };
    Some(io::Error::new(kind, format!("it is packed by gzip, and {what}")))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write;

    fn packed(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn read(bytes: Vec<u8>) -> io::Result<String> {
        let mut text = String::new();
        unpacked(io::Cursor::new(bytes))?.read_to_string(&mut text).map(|_| text)
    }

    #[test]
    fn lines_are_made_one_after_another_under_a_header_until_there_are_none() {
        let mut rows = 0..3;
        let mut made = lines(&["a", "b"], move |text| {
            text.extend(rows.next().map(|row| format!("{row},x\n")).unwrap_or_default().bytes());
            Ok(())
        });
        let mut text = String::new();
        made.read_to_string(&mut text).unwrap();
        assert_eq!(text, "a,b\n0,x\n1,x\n2,x\n");
        assert!(made.fill_buf().unwrap().is_empty());
    }

    #[test]
    fn the_name_of_a_file_says_its_columns() {
        for kind in TableKind::ALL {
            for name in [format!("{}.parquet", kind.name()), format!("{}_261121_0000001.csv", kind.name())] {
                assert_eq!(columns_of(Path::new(&name)), kind.columns(), "{name}");
            }
        }
        for name in ["operation_sequence.parquet", "operation_timelines.csv", "mine.csv", "-"] {
            assert_eq!(columns_of(Path::new(name)), COLUMNS, "{name}");
        }
    }

    #[test]
    fn text_is_the_same_packed_in_one_piece_or_several() {
        let (one, other) = ("seq,time\n".repeat(40_000), "1,2.0\n".repeat(7));
        let whole = format!("{one}{other}");
        assert_eq!(read(whole.clone().into_bytes()).unwrap(), whole);
        assert_eq!(read(packed(whole.as_bytes())).unwrap(), whole);
        let pieces = [packed(one.as_bytes()), packed(b""), packed(other.as_bytes())].concat();
        assert_eq!(read(pieces).unwrap(), whole);
        assert_eq!(read(Vec::new()).unwrap(), "");
    }

    #[test]
    fn a_file_that_is_read_to_its_end_is_hashed_unless_it_is_packed() {
        let folder = tempfile::tempdir().unwrap();
        let whole = "seq,time\n".repeat(20_000);
        for (name, bytes, is_hashed) in [
            ("plain", whole.clone().into_bytes(), true),
            ("empty", Vec::new(), true),
            ("packed", packed(b"1\n"), false),
        ] {
            let path = folder.path().join(name);
            std::fs::write(&path, &bytes).unwrap();
            let digests = FileDigests::default();
            let mut input = CsvFiles.open_hashed(&path, &digests).unwrap();
            assert_eq!(digests.of(&path).is_some(), name == "empty", "{name} before its end");
            let mut text = Vec::new();
            input.read_to_end(&mut text).unwrap();
            assert_eq!(text, if is_hashed { bytes.clone() } else { b"1\n".to_vec() }, "{name}");
            assert_eq!(digests.of(&path), is_hashed.then(|| Digest::of(&bytes)), "{name}");
        }
    }

    #[test]
    fn cut_or_damaged_anywhere_it_is_an_error_that_says_so() {
        let text: String = (0..500).map(|row| format!("{row},{}\n", row * 7919 % 1000)).collect();
        let bytes = packed(text.as_bytes());
        for length in 1..bytes.len() {
            let error = read(bytes[..length].to_vec()).unwrap_err();
            assert_eq!(error.to_string(), "it is packed by gzip, and its end is missing", "{length} bytes");
        }
        let mut damaged = bytes.clone();
        let at = damaged.len() - 6;
        damaged[at] ^= 1;
        assert!(read(damaged).unwrap_err().to_string().starts_with("it is packed by gzip, and damaged: "));
        let mut damaged = bytes;
        damaged[14] ^= 0x55;
        assert_eq!(read(damaged).unwrap_err().to_string().split(": ").count(), 2);
    }

    #[test]
    fn what_follows_the_end_is_a_further_part_or_zeros_or_named() {
        let (one, other) = (packed(b"1\n"), packed(b"2\n"));
        for zeros in [0, 1, 9, 512, 2 * BUFFER] {
            let padding = vec![0; zeros];
            assert_eq!(read([&one[..], &padding].concat()).unwrap(), "1\n", "{zeros}");
            assert_eq!(read([&one[..], &padding, &other].concat()).unwrap(), "1\n2\n", "{zeros}");
            for behind in [&b"n"[..], b"noise", b"noise that is longer than the header of a part\n"] {
                let error = read([&one[..], &padding, behind].concat()).unwrap_err().to_string();
                assert_eq!(error, "it is packed by gzip, and bytes that are not follow its end", "{zeros}");
            }
        }
    }
}
