//! Files that get their final name when they are complete.
//!
//! A [`NewFile`] is written under a temporary name in the same folder. It is synced and renamed when it is committed, and removed
//! when it is dropped. Its length and SHA-256 are computed while it is written. Leaves out the contents of the file.

use std::io::{self, Write};
use std::path::Path;

use nandseq_trace::files::Digest;
use sha2::{Digest as _, Sha256};

use crate::pending::{Pending, sync_folder};

/// A file that appears under its name when it is complete.
#[derive(Debug)]
pub struct NewFile {
    /// The file; `None` if the bytes are only counted.
    file: Option<Pending>,
    hash: Sha256,
    bytes: u64,
}

impl NewFile {
    /// Starts a file that will be called `name` in `folder`, which must exist.
    ///
    /// # Errors
    /// If the temporary file cannot be created.
    pub fn create(folder: &Path, name: &str) -> io::Result<Self> {
        Self::at(&folder.join(name))
    }

    /// Starts a file that will be at `path`, whose folder must exist. The name need not be UTF-8.
    ///
    /// # Errors
    /// If the temporary file cannot be created.
    pub(crate) fn at(path: &Path) -> io::Result<Self> {
        let file = Pending::create(path.to_owned())?;
        Ok(Self { file: Some(file), hash: Sha256::new(), bytes: 0 })
    }

    /// A file without a place on disk: its bytes are only counted and hashed.
    #[must_use]
    pub fn counting() -> Self {
        Self { file: None, hash: Sha256::new(), bytes: 0 }
    }

    /// Syncs the file, renames it to its final name, and syncs the folder. An older file of that name is replaced. Returns the
    /// SHA-256 of the contents.
    ///
    /// # Errors
    /// If syncing or renaming fails. If the file could not be synced or renamed, an older file is still there unchanged.
    pub fn commit(self) -> io::Result<Digest> {
        self.sync()?;
        let folder = self.folder().map(Path::to_owned);
        let digest = self.digest();
        self.place()?;
        folder.map_or(Ok(()), |folder| sync_folder(&folder))?;
        Ok(digest)
    }

    /// Syncs the contents. When this returns, they survive a loss of power.
    ///
    /// # Errors
    /// If syncing fails.
    pub fn sync(&self) -> io::Result<()> {
        self.file.as_ref().map_or(Ok(()), Pending::sync)
    }

    /// Renames a file that was [synced](Self::sync) to its final name. The name is durable once the folder has been synced too.
    pub(crate) fn place(self) -> io::Result<()> {
        self.file.map_or(Ok(()), Pending::place)
    }

    /// The digest of the bytes written so far.
    pub(crate) fn digest(&self) -> Digest {
        Digest(self.hash.clone().finalize().into())
    }

    /// The path of the temporary file; `None` if the bytes are only counted.
    #[must_use]
    pub fn temporary(&self) -> Option<&Path> {
        self.file.as_ref().map(Pending::temporary)
    }

    /// The folder of the file; `None` if its bytes are only counted.
    pub(crate) fn folder(&self) -> Option<&Path> {
        self.file.as_ref().map(Pending::folder)
    }

    /// The number of bytes written so far.
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
