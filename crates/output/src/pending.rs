//! Files under temporary names, and syncing of folders.
//!
//! A `Pending` file has a temporary name, `.<name>.nandseqgen-<six letters or digits>`, in the folder of its final name. It is
//! renamed when it is placed, and removed when it is dropped. A kill leaves the temporary file behind; the next execution that
//! writes into the folder removes it ([`is_temporary`]). Contents survive a loss of power once the file's `sync` has returned, a
//! name once [`sync_folder`] has. Leaves out whether other processes write into the folder.

use nandseq_trace::recorded::shown;
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// The part that tells our temporary names from those of editors and copying tools.
const MARK: &str = "nandseqgen-";
/// The number of random letters and digits at the end of a temporary name.
const SUFFIX: usize = 6;

/// A file under a temporary name.
#[derive(Debug)]
pub(crate) struct Pending {
    /// Removed when it is dropped.
    file: NamedTempFile,
    path: PathBuf,
}

impl Pending {
    /// Starts a file that will be called `path`, whose folder must exist.
    pub(crate) fn create(path: PathBuf) -> io::Result<Self> {
        let no_name = || io::Error::new(io::ErrorKind::InvalidInput, "not the name of a file");
        let mut hidden = OsString::from(".");
        hidden.push(path.file_name().ok_or_else(no_name)?);
        hidden.push(format!(".{MARK}"));
        // The file is opened as any new file is, so that it has the usual mode.
        let open = |temporary: &Path| OpenOptions::new().write(true).create_new(true).open(temporary);
        let file = tempfile::Builder::new().prefix(&hidden).rand_bytes(SUFFIX).make_in(folder_of(&path), open)?;
        Ok(Self { file, path })
    }

    /// Syncs the contents. When this returns, they survive a loss of power.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.file.as_file().sync_all().map_err(|error| named(&self.path, &error))
    }

    /// Renames the file to its final name. A regular file or link of that name is replaced; anything else, such as a pipe, is an
    /// error.
    pub(crate) fn place(self) -> io::Result<()> {
        if self.path.symlink_metadata().is_ok_and(|about| !(about.is_file() || about.is_symlink() || about.is_dir())) {
            return Err(named(&self.path, &io::Error::other("a pipe, device or the like has this name")));
        }
        let Self { file, path } = self;
        file.into_temp_path().persist(&path).map_err(|error| named(&path, &error.error))
    }

    /// The path that the file has now.
    pub(crate) fn temporary(&self) -> &Path {
        self.file.path()
    }

    /// The folder of the file.
    pub(crate) fn folder(&self) -> &Path {
        folder_of(&self.path)
    }
}

/// An error with the name of its file, because a run writes many files.
fn named(path: &Path, error: &io::Error) -> io::Error {
    let name = path.file_name().unwrap_or_default();
    io::Error::new(error.kind(), format!("{}: {error}", shown(name)))
}

impl Write for Pending {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.file.as_file_mut().write(buffer).map_err(|error| named(&self.path, &error))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_file_mut().flush()
    }
}

/// The folder of a file; `.` if the path is only a name.
#[must_use]
pub fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Removes those of some folders that are empty.
pub(crate) fn remove_empty(folders: &[PathBuf]) {
    for folder in folders {
        let _ = std::fs::remove_dir(folder);
    }
}

/// Whether `name` is a temporary name of a file whose final name satisfies `is_ours`.
#[must_use]
pub fn is_temporary(name: &str, is_ours: impl FnOnce(&str) -> bool) -> bool {
    let Some((start, suffix)) = name.rsplit_once('.') else { return false };
    let is_suffix = suffix
        .strip_prefix(MARK)
        .is_some_and(|letters| letters.len() == SUFFIX && letters.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    is_suffix && start.strip_prefix('.').is_some_and(is_ours)
}

/// Syncs a folder. When this returns, new and removed names in the folder survive a loss of power. Does nothing on systems that
/// cannot open folders.
///
/// # Errors
/// If syncing fails.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// Calls `sync` for all of `files` at the same time, each in a thread. The system then writes its journal once for many of them.
pub(crate) fn together<T: Sync>(files: &[T], sync: impl Fn(&T) -> io::Result<()> + Sync) -> io::Result<()> {
    let Some((first, others)) = files.split_first() else { return Ok(()) };
    std::thread::scope(|scope| {
        let sync = &sync;
        let start = |file| std::thread::Builder::new().spawn_scoped(scope, move || sync(file)).map_err(|_| file);
        let started: Vec<_> = others.iter().map(start).collect();
        let mut done = sync(first);
        for thread in started {
            let result = match thread {
                // A panic of the thread continues here.
                Ok(thread) => thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
                // No further thread could be started, so this file is synced here.
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
    use std::fs;
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

    #[cfg(unix)]
    #[test]
    fn a_file_has_the_mode_of_any_new_file() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let mode = |name| folder.path().join(name).metadata().unwrap().permissions().mode();
        File::create(folder.path().join("plain")).unwrap();
        Pending::create(folder.path().join("a.csv")).unwrap().place().unwrap();
        assert_eq!(mode("a.csv"), mode("plain"));
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
            (".manifest.json.nandseqgen-aB3xY9", true),
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
