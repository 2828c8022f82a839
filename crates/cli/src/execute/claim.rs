//! Claims of folders: one program at a time writes into a folder.
//!
//! While a process holds the claim of a folder, no other process can claim it. The claim ends when it is dropped, or when the
//! process ends in whatever way. A claim is a lock of the folder itself and leaves no file. Where folders cannot be locked, every
//! claim succeeds; [`Claims::without_lock`] names the first such folder.

use nandseq_trace::recorded::shown;
use std::collections::BTreeMap;
use std::fs::{self, DirEntry, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use nandseq_output::new_file::NewFile;
use nandseq_output::pending::is_temporary;

use crate::site_list::Shard;

/// Number of claims that are held at the same time. Each is an open file, and some systems allow a process only 256 of these.
const HELD: usize = 64;

/// The right to write into a folder.
#[derive(Debug)]
pub(crate) struct Claim {
    /// The locked folder; `None` where folders cannot be locked.
    lock: Option<File>,
}

/// The sign of a shard that is being made. Shards share the output folder, so each of them sees the signs of the others there. A sign is
/// locked: what a kill leaves of it is no sign.
#[derive(Debug)]
struct ShardSign {
    /// It keeps its temporary name, and is removed when this is dropped.
    _file: NewFile,
    _lock: File,
}

/// The shards that are being made in a folder.
pub(crate) fn shards_at_work(folder: &Path) -> Vec<Shard> {
    let shard = |entry: io::Result<DirEntry>| {
        let entry = entry.ok()?;
        let mut shard = None;
        let is_of_shard = |name: &str| {
            shard = Shard::of_manifest(name);
            shard.is_some()
        };
        let is_sign = is_temporary(entry.file_name().to_str()?, is_of_shard)
            && matches!(File::open(entry.path()).ok()?.try_lock_shared(), Err(TryLockError::WouldBlock));
        shard.filter(|_| is_sign)
    };
    folder.read_dir().into_iter().flatten().filter_map(shard).collect()
}

/// Who else may write into a folder at the same time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum With {
    /// Nobody.
    Nobody,
    /// Other shards, which write files of other names.
    Shards,
}

/// Claims a folder, which must exist.
fn claim(folder: &Path, with: With) -> io::Result<Claim> {
    if !cfg!(unix) {
        // Other systems do not open folders.
        return Ok(Claim { lock: None });
    }
    let about = folder.metadata()?;
    if !about.is_dir() && !about.is_file() {
        // To open a pipe would block. Of a file others say what is wrong with it.
        return Err(io::Error::new(io::ErrorKind::NotADirectory, "it is not a folder"));
    }
    let file = File::open(folder)?;
    let locked = match with {
        With::Nobody => file.try_lock(),
        With::Shards => file.try_lock_shared(),
    };
    claimed(file, &locked)
}

fn claimed(file: File, locked: &Result<(), TryLockError>) -> io::Result<Claim> {
    match locked {
        Ok(()) => Ok(Claim { lock: Some(file) }),
        Err(TryLockError::Error(_)) => Ok(Claim { lock: None }),
        Err(TryLockError::WouldBlock) => {
            Err(io::Error::new(io::ErrorKind::ResourceBusy, "another nandseqgen is writing into it"))
        }
    }
}

/// The claims of several folders. All of the folders were free when they were claimed.
#[derive(Debug)]
pub(crate) struct Claims {
    /// By the canonical path, so that no folder is claimed twice under two names.
    held: BTreeMap<PathBuf, Claim>,
    without_lock: Option<PathBuf>,
    sign: Option<ShardSign>,
}

impl Claims {
    /// Claims all of these folders, or none. Folders that do not exist are skipped. The first [`HELD`] claims are held as long as
    /// the result lives. The other folders are released; [`Self::during`] claims each again while it is written.
    ///
    /// # Errors
    /// The folder that another program is writing into, or that cannot be opened.
    pub(crate) fn of(folders: impl IntoIterator<Item = (PathBuf, With)>) -> Result<Self, (PathBuf, io::Error)> {
        let mut claims = Self { held: BTreeMap::new(), without_lock: None, sign: None };
        for (folder, with) in folders {
            let Ok(real) = fs::canonicalize(&folder) else { continue };
            if claims.held.contains_key(&real) {
                continue;
            }
            let claim = claim(&real, with).map_err(|reason| (folder.clone(), reason))?;
            if claim.lock.is_none() {
                claims.without_lock.get_or_insert(folder);
            }
            if claims.held.len() < HELD {
                claims.held.insert(real, claim);
            }
        }
        Ok(claims)
    }

    /// Claims a folder while it is written; `None` if its claim is held already.
    ///
    /// # Errors
    /// When another program is writing into it, or it cannot be opened.
    pub(crate) fn during(&self, folder: &Path) -> io::Result<Option<Claim>> {
        let is_held = self.held.contains_key(&fs::canonicalize(folder)?);
        if is_held { Ok(None) } else { claim(folder, With::Nobody).map(Some) }
    }

    /// Shows that a shard is being made, as long as this lives; `name` is that of its manifest. Two shards that look at each other's
    /// signs after this cannot both overlook the other.
    ///
    /// # Errors
    /// When the sign cannot be written.
    pub(crate) fn show_shard(&mut self, folder: &Path, name: &str) -> io::Result<()> {
        let file = NewFile::create(folder, name)?;
        if let Some(path) = file.temporary() {
            let lock = File::open(path)?;
            // Where files cannot be locked, folders cannot either, and the user is told.
            let _ = lock.lock();
            self.sign = Some(ShardSign { _file: file, _lock: lock });
        }
        Ok(())
    }

    /// The first folder that could not be locked, because its file system or system locks no folders.
    pub(crate) fn without_lock(&self) -> Option<&Path> {
        self.without_lock.as_deref()
    }
}

/// The remark that a folder cannot be locked.
pub(crate) fn remark(folder: &Path) -> String {
    let folder = shown(folder);
    format!("folders cannot be locked where `{folder}` lies: nothing keeps a second nandseqgen from writing there too")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]
    use super::*;

    fn folders(count: usize) -> (tempfile::TempDir, Vec<PathBuf>) {
        let root = tempfile::tempdir().unwrap();
        let folders: Vec<PathBuf> = (0..count).map(|number| root.path().join(number.to_string())).collect();
        folders.iter().for_each(|folder| fs::create_dir(folder).unwrap());
        (root, folders)
    }

    fn all(folders: &[PathBuf]) -> Result<Claims, (PathBuf, io::Error)> {
        Claims::of(folders.iter().map(|folder| (folder.clone(), With::Nobody)))
    }

    #[test]
    fn what_another_holds_is_named_and_nothing_is_kept() {
        let (_root, folders) = folders(4);
        let other = File::open(&folders[2]).unwrap();
        other.lock().unwrap();
        let (folder, reason) = all(&folders).unwrap_err();
        assert_eq!((folder, reason.kind()), (folders[2].clone(), io::ErrorKind::ResourceBusy));
        for free in [0, 1, 3] {
            File::open(&folders[free]).unwrap().try_lock().unwrap();
        }
    }

    #[test]
    fn so_many_folders_are_held_and_each_other_one_while_somebody_works_there() {
        let (_root, folders) = folders(HELD + 2);
        let claims = all(&folders).unwrap();
        let is_free = |at: usize| File::open(&folders[at]).unwrap().try_lock().is_ok();
        assert!(!is_free(0) && !is_free(HELD - 1) && is_free(HELD) && is_free(HELD + 1));
        assert!(claims.during(&folders[0]).unwrap().is_none());
        let at_work = claims.during(&folders[HELD]).unwrap();
        assert!(at_work.is_some() && !is_free(HELD));
        drop(at_work);
        assert!(is_free(HELD));
        drop(claims);
        assert!(is_free(0));
    }

    #[test]
    fn a_folder_under_two_names_is_claimed_once_and_a_missing_one_not_at_all() {
        let (root, folders) = folders(1);
        let twice = [folders[0].clone(), folders[0].join("../0"), root.path().join("nowhere")];
        assert_eq!(all(&twice).unwrap().held.len(), 1);
    }

    #[test]
    fn a_file_system_without_locks_lets_everybody_in_and_is_named() {
        let (_root, folders) = folders(1);
        let unsupported = TryLockError::Error(io::ErrorKind::Unsupported.into());
        let claim = claimed(File::open(&folders[0]).unwrap(), &Err(unsupported)).unwrap();
        assert!(claim.lock.is_none());
        assert_eq!(all(&folders).unwrap().without_lock(), None);
        assert!(remark(Path::new("out")).starts_with("folders cannot be locked where `out` lies: "));
    }
}
