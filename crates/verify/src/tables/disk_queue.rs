//! A queue of bytes on disk, first in, first out.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};

/// How many bytes are written or read at once.
const CHUNK: usize = 1 << 18;

/// A queue of bytes in a temporary file that nobody else sees; the file is made when it is first needed.
#[derive(Debug, Default)]
pub(super) struct DiskQueue {
    file: Option<File>,
    written: u64,
    read: u64,
    /// Bytes that are still to be written to the file.
    out: Vec<u8>,
    /// Bytes read from the file; those from `at` on have not been taken.
    input: Vec<u8>,
    at: usize,
}

impl DiskQueue {
    pub(super) fn is_empty(&self) -> bool {
        self.at == self.input.len() && self.read == self.written && self.out.is_empty()
    }

    /// The buffer to which bytes are appended; call [`DiskQueue::flush`] afterwards.
    pub(super) fn out(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    /// Writes the buffer to the file if it has grown to [`CHUNK`] bytes.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        if self.out.len() < CHUNK { Ok(()) } else { self.flush_all() }
    }

    /// Writes the buffer to the file.
    ///
    /// # Errors
    /// An error of the temporary file.
    pub(super) fn flush_all(&mut self) -> io::Result<()> {
        if self.out.is_empty() { Ok(()) } else { self.write_out() }
    }

    fn write_out(&mut self) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(tempfile::tempfile()?),
        };
        file.seek(SeekFrom::Start(self.written))?;
        file.write_all(&self.out)?;
        self.written += self.out.len() as u64;
        self.out.clear();
        Ok(())
    }

    /// Takes the next `count` bytes.
    ///
    /// # Errors
    /// An error of the temporary file, or `UnexpectedEof` if the queue has fewer bytes.
    pub(super) fn take(&mut self, count: usize) -> io::Result<&[u8]> {
        while self.input.len() - self.at < count {
            self.input.drain(..self.at);
            self.at = 0;
            let on_disk = (self.written - self.read).min(CHUNK as u64);
            match &mut self.file {
                Some(file) if on_disk > 0 => {
                    let sought = file.seek(SeekFrom::Start(self.read));
                    let got = sought.and_then(|_| (&*file).take(on_disk).read_to_end(&mut self.input));
                    let got = got?;
                    if got == 0 {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                    self.read += got as u64;
                }
                _ if self.out.is_empty() => return Err(io::ErrorKind::UnexpectedEof.into()),
                _ => self.input.append(&mut self.out),
            }
            if self.read == self.written {
                // All of it is in memory: the file can be used from its start again.
                (self.read, self.written) = (0, 0);
            }
        }
        let taken = self.at..self.at + count;
        self.at += count;
        Ok(&self.input[taken])
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]
    use super::*;

    #[test]
    fn bytes_come_out_in_the_order_they_went_in() {
        let mut queue = DiskQueue::default();
        let (mut put, mut got) = (0_u32, 0_u32);
        for round in 0..6 {
            for _ in 0..200_000 {
                queue.out().extend_from_slice(&put.to_le_bytes());
                queue.flush().unwrap();
                put += 1;
            }
            let wanted = if round % 2 == 0 { put - got } else { 1_000 };
            for _ in 0..wanted {
                assert_eq!(queue.take(4).unwrap(), got.to_le_bytes());
                got += 1;
            }
            assert_eq!(queue.is_empty(), round % 2 == 0);
        }
        assert_eq!((queue.take(4).unwrap_or_default().len(), got), (4, put - 199_000));
        while !queue.is_empty() {
            queue.take(4).unwrap();
        }
        assert!(queue.take(1).is_err());
    }
}
