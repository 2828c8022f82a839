//! Files that have no final name yet, and what it takes to make names durable.
//!
//! Promises that a `Pending` file is under a temporary name, `.<name>.nandseqgen-<six small letters or digits>` beside its final name,
//! until it is placed, and that it goes when it is dropped. A kill leaves the temporary name behind; whoever
//! writes into the folder next takes away what has that form ([`is_temporary`]). A name survives a loss of power once
//! [`sync_folder`] has returned, contents once its `sync` has. Leaves out whether anybody else writes there.

use std::collections::hash_map::RandomState;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::hash::BuildHasher;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// What tells our temporary names from those of editors and copying tools.
const MARK: &str = "nandseqgen-";
/// Letters and digits at the end of a temporary name.
const SUFFIX: usize = 6;
const LETTERS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
/// Names that are tried before giving up: 36⁶ are possible.
const TRIES: usize = 100;

/// A file under a temporary name.
#[derive(Debug)]
pub(crate) struct Pending {
    file: File,
    temporary: PathBuf,
    path: PathBuf,
    placed: bool,
}

impl Pending {
    /// Starts a file that will be called `path`, whose folder must exist.
    pub(crate) fn create(path: PathBuf) -> io::Result<Self> {
        let no_name = || io::Error::new(io::ErrorKind::InvalidInput, "not the name of a file");
        let name = path.file_name().ok_or_else(no_name)?.to_owned();
        for _ in 0..TRIES {
            let mut hidden = OsString::from(".");
            hidden.push(&name);
            hidden.push(format!(".{MARK}{}", suffix()));
            let temporary = path.with_file_name(hidden);
            match OpenOptions::new().write(true).create_new(true).open(&temporary) {
                Ok(file) => return Ok(Self { file, temporary, path, placed: false }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::new(io::ErrorKind::AlreadyExists, "every temporary name is taken"))
    }

    /// Returns when the contents would survive a loss of power.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.file.sync_all().map_err(|error| self.named(&error))
    }

    /// Gives the file its final name, in place of a file that has it; what is no file, as a pipe, stays.
    pub(crate) fn place(mut self) -> io::Result<()> {
        if self.path.symlink_metadata().is_ok_and(|about| !(about.is_file() || about.is_symlink() || about.is_dir())) {
            return Err(self.named(&io::Error::other("something that is no regular file has this name")));
        }
        fs::rename(&self.temporary, &self.path).map_err(|error| self.named(&error))?;
        self.placed = true;
        Ok(())
    }

    /// An error that says of which file it is: a run writes many.
    fn named(&self, error: &io::Error) -> io::Error {
        let name = self.path.file_name().unwrap_or_default();
        io::Error::new(error.kind(), format!("{}: {error}", name.display()))
    }

    /// The folder of the file.
    pub(crate) fn folder(&self) -> &Path {
        folder_of(&self.path)
    }
}

impl Write for Pending {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.file.write(buffer).map_err(|error| self.named(&error))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if !self.placed {
            // It is swept later if this fails.
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

/// The folder that holds a file; `.` where a path is a name only.
#[must_use]
pub fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Differs each time, between processes too; it is in no name that stays.
fn suffix() -> String {
    let mut rest = RandomState::new().hash_one(0u8);
    let mut letter = || {
        let letter = LETTERS[(rest % 36) as usize];
        rest /= 36;
        char::from(letter)
    };
    (0..SUFFIX).map(|_| letter()).collect()
}

/// Whether `name` is a temporary name of a file whose final name satisfies `is_ours`.
#[must_use]
pub fn is_temporary(name: &str, is_ours: impl FnOnce(&str) -> bool) -> bool {
    let Some((start, suffix)) = name.rsplit_once('.') else { return false };
    let is_suffix = suffix
        .strip_prefix(MARK)
        .is_some_and(|letters| letters.len() == SUFFIX && letters.bytes().all(|byte| LETTERS.contains(&byte)));
    is_suffix && start.strip_prefix('.').is_some_and(is_ours)
}

/// Returns when the names in a folder, those that are gone included, would survive a loss of power. Does nothing where the system
/// cannot open folders.
///
/// # Errors
/// When syncing fails.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// Calls `sync` for all of `files` at the same time: the system then writes its journal once for many of them.
pub(crate) fn together<T: Sync>(files: &[T], sync: impl Fn(&T) -> io::Result<()> + Sync) -> io::Result<()> {
    let Some((first, others)) = files.split_first() else { return Ok(()) };
    std::thread::scope(|scope| {
        let sync = &sync;
        let start = |file| std::thread::Builder::new().spawn_scoped(scope, move || sync(file)).map_err(|_| file);
        let started: Vec<_> = others.iter().map(start).collect();
        let mut done = sync(first);
        for thread in started {
            let result = match thread {
                // A panic of a thread goes on here.
                Ok(thread) => thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
                // There are no more threads to have: one after another.
                Err(file) => sync(file),
            };
            done = done.and(result);
        }
        done
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    #[test]
    fn a_file_has_a_temporary_name_until_it_is_placed() {
        let folder = tempfile::tempdir().unwrap();
        let names = || -> Vec<String> {
            let entries = fs::read_dir(folder.path()).unwrap();
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
        };
        let pending = Pending::create(folder.path().join("a.csv")).unwrap();
        assert_eq!(pending.folder(), folder.path());
        let during = names();
        assert!(during.len() == 1 && is_temporary(&during[0], |name| name == "a.csv"), "{during:?}");
        pending.sync().unwrap();
        pending.place().unwrap();
        assert_eq!(names(), ["a.csv"]);
        sync_folder(folder.path()).unwrap();
        drop(Pending::create(folder.path().join("b.csv")).unwrap());
        assert_eq!(names(), ["a.csv"]);
    }

    #[test]
    fn two_files_of_one_name_do_not_meet() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        let (mut one, mut other) = (Pending::create(path.clone()).unwrap(), Pending::create(path.clone()).unwrap());
        one.write_all(b"one").unwrap();
        other.write_all(b"other").unwrap();
        other.place().unwrap();
        one.place().unwrap();
        assert_eq!(fs::read(path).unwrap(), b"one");
    }

    #[test]
    fn only_temporary_forms_of_known_names_are_temporary() {
        let is_ours = |name: &str| name == "manifest.json" || name.starts_with("operation_sequence_");
        for (name, expected) in [
            (".manifest.json.nandseqgen-ab3xy9", true),
            (".operation_sequence_261121_0000001.csv.nandseqgen-abcdef", true),
            ("manifest.json", false),
            ("manifest.json.nandseqgen-abcdef", false),
            (".manifest.json.nandseqgen-abcde", false),
            (".manifest.json.nandseqgen-abc-ef", false),
            (".manifest.json.nandseqgen-aB3xY9", false),
            (".manifest.json.backup", false),
            (".manifest.json.Xa9Kq2", false),
            (".manifest.json.abcdef", false),
            (".notes.txt.nandseqgen-abcdef", false),
            (".bashrc", false),
            ("operation_sequence_261121_0000001.csv", false),
        ] {
            assert_eq!(is_temporary(name, is_ours), expected, "{name}");
        }
    }

    #[test]
    fn all_are_synced_and_any_error_counts() {
        for count in [0, 1, 2, 9] {
            let files: Vec<u64> = (0..count).collect();
            let called = AtomicU64::new(0);
            let call = |_: &u64| {
                called.fetch_add(1, Ordering::Relaxed);
                Ok(())
            };
            together(&files, call).unwrap();
            assert_eq!(called.into_inner(), count);
            for bad in 0..count {
                let fail = |&file: &u64| if file == bad { Err(io::Error::other("full")) } else { Ok(()) };
                assert!(together(&files, fail).is_err(), "{bad} of {count}");
            }
        }
    }
}
