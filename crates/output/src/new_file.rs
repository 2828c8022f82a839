//! A file under its final name is complete.
//!
//! Promises that a [`NewFile`] appears under its name only when it is committed: it is written under a temporary name in
//! the same folder, synced and renamed, and disappears when dropped. Its length and SHA-256 are kept while writing.
//! Leaves out what is in the file.

use std::io::{self, Write};
use std::path::Path;

use nandseq_trace::files::Digest;
use sha2::{Digest as _, Sha256};

use crate::pending::{Pending, sync_folder};

/// A file that becomes visible when it is complete.
#[derive(Debug)]
pub struct NewFile {
    /// `None`: what is written is counted and forgotten.
    file: Option<Pending>,
    hash: Sha256,
    bytes: u64,
}

impl NewFile {
    /// Starts a file that will be called `name` in `folder`, which must exist.
    ///
    /// # Errors
    /// When the temporary file cannot be created.
    pub fn create(folder: &Path, name: &str) -> io::Result<Self> {
        Self::at(&folder.join(name))
    }

    /// Starts a file that will be at `path`, whose folder must exist; its name may be of any bytes.
    ///
    /// # Errors
    /// When the temporary file cannot be created.
    pub(crate) fn at(path: &Path) -> io::Result<Self> {
        let file = Pending::create(path.to_owned())?;
        Ok(Self { file: Some(file), hash: Sha256::new(), bytes: 0 })
    }

    /// A file that is on no disk: what is written to it is counted, and that is all.
    #[must_use]
    pub fn counting() -> Self {
        Self { file: None, hash: Sha256::new(), bytes: 0 }
    }

    /// Syncs the file, gives it its final name, replacing an older one, and makes the name durable; returns the SHA-256 of its
    /// contents.
    ///
    /// # Errors
    /// When syncing or renaming fails; then nothing is under the final name but what was there before.
    pub fn commit(self) -> io::Result<Digest> {
        self.sync()?;
        let folder = self.folder().map(Path::to_owned);
        let digest = self.digest();
        self.place()?;
        folder.map_or(Ok(()), |folder| sync_folder(&folder))?;
        Ok(digest)
    }

    /// Returns when what was written would survive a loss of power.
    ///
    /// # Errors
    /// When syncing fails.
    pub fn sync(&self) -> io::Result<()> {
        self.file.as_ref().map_or(Ok(()), Pending::sync)
    }

    /// Gives a file that was [synced](Self::sync) its final name, which is durable when its folder has been synced too.
    pub(crate) fn place(self) -> io::Result<()> {
        self.file.map_or(Ok(()), Pending::place)
    }

    /// Of what was written so far.
    pub(crate) fn digest(&self) -> Digest {
        Digest(self.hash.clone().finalize().into())
    }

    /// The folder of the file, if it is in one.
    pub(crate) fn folder(&self) -> Option<&Path> {
        self.file.as_ref().map(Pending::folder)
    }

    /// Bytes written so far.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Write for NewFile {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = self.file.as_mut().map_or(Ok(buffer.len()), |file| file.write(buffer))?;
        self.hash.update(&buffer[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), Write::flush)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]
    use super::*;
    use std::fs;

    fn names_in(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_committed_file_is_complete_and_its_digest_is_that_of_its_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = NewFile::create(folder.path(), "a.csv").unwrap();
        file.write_all(b"seq,").unwrap();
        file.write_all(b"time\n").unwrap();
        assert!(!folder.path().join("a.csv").exists());
        assert_eq!(file.bytes(), 9);
        let digest = file.commit().unwrap();
        assert_eq!(names_in(folder.path()), ["a.csv"]);
        let bytes = fs::read(folder.path().join("a.csv")).unwrap();
        assert_eq!(bytes, b"seq,time\n");
        assert_eq!(digest, Digest::of(&bytes));
    }

    #[test]
    fn a_dropped_file_leaves_nothing_and_keeps_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.csv"), "old").unwrap();
        let mut file = NewFile::create(folder.path(), "a.csv").unwrap();
        file.write_all(b"new").unwrap();
        drop(file);
        assert_eq!(names_in(folder.path()), ["a.csv"]);
        assert_eq!(fs::read_to_string(folder.path().join("a.csv")).unwrap(), "old");
    }
}
