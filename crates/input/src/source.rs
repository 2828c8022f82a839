//! Sources of the text of tables.
//!
//! The readers of this crate read lines of CSV. A [`Source`] gives a table that is stored in another form as lines of CSV, so the
//! meaning of a row is defined in one place. A file that is packed by gzip, in one piece or several, is unpacked, whatever its
//! name. A packed file that is cut or damaged is an error.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

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
}

/// The source for CSV files, plain or packed by gzip; `-` is standard input.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct CsvFiles;

impl Source for CsvFiles {
    fn open(&self, path: &Path) -> io::Result<Box<dyn BufRead>> {
        if path == Path::new(STANDARD_INPUT) { unpacked(io::stdin()) } else { unpacked(File::open(path)?) }
    }
}

/// The text of an input, unpacked if it is a gzip stream.
fn unpacked(input: impl Read + 'static) -> io::Result<Box<dyn BufRead>> {
    let mut input = BufReader::with_capacity(BUFFER, input);
    let packed = input.fill_buf()?.first() == Some(&GZIP);
    Ok(if packed { Box::new(BufReader::with_capacity(BUFFER, unpack(input))) } else { Box::new(input) })
}

/// The contents of a gzip stream.
pub(super) fn unpack(input: impl BufRead) -> impl Read {
    Unpacked(MultiGzDecoder::new(input))
}

/// A gzip stream whose errors tell that the input is packed.
struct Unpacked<R>(MultiGzDecoder<R>);

impl<R: BufRead> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let is_ours = |kind| matches!(kind, io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData);
        self.0.read(buffer).map_err(|error| {
            let kind = error.kind();
            if kind == io::ErrorKind::UnexpectedEof {
                io::Error::new(kind, "it is packed by gzip, and its end is missing")
            } else if is_ours(kind) {
                // The library's message about headers is about the format of gzip, which users need not know.
                let what = if error.to_string().contains("header") {
                    "one of its parts does not begin as it should".to_owned()
                } else {
                    error.to_string()
                };
                io::Error::new(kind, format!("it is packed by gzip, and damaged: {what}"))
            } else {
                error
            }
        })
    }
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
        let followed = [bytes, b"noise".to_vec()].concat();
        assert!(read(followed).is_err());
    }
}
