//! Files that get their final name when they are complete.
//!
//! A [`NewFile`] is written under a temporary name in the same folder. It is synced and renamed when it is committed, and removed
//! when it is dropped. Its length and SHA-256 are computed while it is written. Leaves out the contents of the file.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read, Seek as _, Write};
use std::path::{Path, PathBuf};

use nandseq_trace::files::Digest;
use sha2::{Digest as _, Sha256};
use tempfile::{SpooledData, SpooledTempFile};

use crate::pending::{self, Pending, folder_of, sync_folder};

/// A file that appears under its name when it is complete.
#[derive(Debug)]
pub struct NewFile {
    place: Place,
    hash: Sha256,
    bytes: u64,
}

/// Where the bytes of a file go.
#[derive(Debug)]
enum Place {
    /// To a file with a temporary name.
    Disk(Pending),
    /// To a place that goes with the file: somebody takes the bytes from there.
    Spare(SpooledTempFile),
    /// Nowhere: they are only counted.
    Nowhere,
}

/// The bytes of a file that was kept for a pack.
#[derive(Debug)]
pub enum KeptBytes {
    /// In memory.
    Memory(Vec<u8>),
    /// In a file without a name, at its beginning.
    Disk(File),
}

impl KeptBytes {
    /// The bytes, one after another.
    pub fn bytes(&self) -> Box<dyn Read + '_> {
        match self {
            Self::Memory(bytes) => Box::new(&bytes[..]),
            Self::Disk(file) => Box::new(file),
        }
    }
}

/// The number of bytes of a file in a spare place that are kept in memory.
const IN_MEMORY: usize = 1 << 20;

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
        Ok(Self::of(Place::Disk(Pending::create(path.to_owned())?)))
    }

    fn of(place: Place) -> Self {
        Self { place, hash: Sha256::new(), bytes: 0 }
    }

    /// Starts a file whose bytes are kept until they are [taken](Self::take): in memory, or, if they are many, in a file without a name in
    /// `folder`.
    pub(crate) fn kept(folder: &Path) -> Self {
        Self::of(Place::Spare(SpooledTempFile::new_in(IN_MEMORY, folder)))
    }

    /// The bytes of a file that were [kept](Self::kept); none for another file.
    ///
    /// # Errors
    /// If they cannot be read again.
    pub(crate) fn take(self) -> io::Result<Option<KeptBytes>> {
        match self.place {
            Place::Spare(kept) => match kept.into_inner() {
                SpooledData::InMemory(bytes) => Ok(Some(KeptBytes::Memory(bytes.into_inner()))),
                SpooledData::OnDisk(mut file) => file.rewind().map(|()| Some(KeptBytes::Disk(file))),
            },
            Place::Disk(_) | Place::Nowhere => Ok(None),
        }
    }

    /// A file without a place on disk: its bytes are only counted and hashed.
    #[must_use]
    pub fn counting() -> Self {
        Self::of(Place::Nowhere)
    }

    fn pending(&self) -> Option<&Pending> {
        match &self.place {
            Place::Disk(file) => Some(file),
            Place::Spare(_) | Place::Nowhere => None,
        }
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
        self.pending().map_or(Ok(()), Pending::sync)
    }

    /// Renames a file that was [synced](Self::sync) to its final name. The name is durable once the folder has been synced too.
    pub(crate) fn place(self) -> io::Result<()> {
        match self.place {
            Place::Disk(file) => file.place(),
            Place::Spare(_) | Place::Nowhere => Ok(()),
        }
    }

    /// The digest of the bytes written so far.
    pub(crate) fn digest(&self) -> Digest {
        Digest(self.hash.clone().finalize().into())
    }

    /// The path of the temporary file, if it has one.
    #[must_use]
    pub fn temporary(&self) -> Option<&Path> {
        self.pending().map(Pending::temporary)
    }

    /// The folder of the file, if it will have a name in one.
    pub(crate) fn folder(&self) -> Option<&Path> {
        self.pending().map(Pending::folder)
    }

    /// The number of bytes written so far.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Write for NewFile {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = match &mut self.place {
            Place::Disk(file) => file.write(buffer)?,
            Place::Spare(kept) => kept.write(buffer)?,
            Place::Nowhere => buffer.len(),
        };
        self.hash.update(&buffer[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.place {
            Place::Disk(file) => file.flush(),
            Place::Spare(_) | Place::Nowhere => Ok(()),
        }
    }
}

/// Starts a file whose name may begin with that of a folder. The folder is made if it is missing, and then added to `new_folders`.
pub(crate) fn create_below(folder: &Path, name: &str, new_folders: &mut Vec<PathBuf>) -> io::Result<NewFile> {
    let path = folder.join(name);
    let below = folder_of(&path);
    if below != folder {
        match fs::create_dir(below) {
            Ok(()) => new_folders.push(below.to_owned()),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    NewFile::create(folder, name)
}

/// Syncs complete files, all at the same time if `together`, renames them to their final names, and syncs their folders and those above
/// `new_folders`.
pub(crate) fn place_all(files: Vec<NewFile>, together: bool, new_folders: &[PathBuf]) -> io::Result<()> {
    if together {
        pending::together(&files, NewFile::sync)?;
    } else {
        files.iter().try_for_each(NewFile::sync)?;
    }
    // The name of a new folder is durable once the folder above it is synced.
    let mut folders: BTreeSet<PathBuf> = new_folders.iter().map(|folder| folder_of(folder).to_owned()).collect();
    for file in files {
        folders.extend(file.folder().map(Path::to_owned));
        file.place()?;
    }
    folders.iter().try_for_each(|folder| sync_folder(folder))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]
    use super::*;

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
