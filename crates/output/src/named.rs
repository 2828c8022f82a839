//! Writing a file that the user named.
//!
//! Only a regular file is ever replaced. It appears, or is replaced, when it is complete. A device, a FIFO, `/dev/stdout` or a
//! process substitution is written to and stays what it is. A link is followed and stays. `-` is standard output. Leaves out the
//! files of runs, whose names this program chooses: see [`nandseq_trace::files`].

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::new_file::NewFile;
use crate::pending::folder_of;

/// The path that stands for standard output.
pub const STANDARD_OUTPUT: &str = "-";
/// The most links that are followed from one to the next, as in Linux.
const MOST_LINKS: usize = 40;

/// A file that the user named and that is being written.
#[derive(Debug)]
pub struct NamedOutput {
    target: WriteTarget,
    bytes: u64,
}

/// The receiver of the bytes.
#[derive(Debug)]
enum WriteTarget {
    /// A regular file, which appears when it is complete.
    New(NewFile),
    /// A file that exists and is not replaced: it is not a regular file, or it is open elsewhere too.
    Open(File),
    Stdout(io::Stdout),
    Stderr(io::Stderr),
}

/// What a path leads to.
enum Destination {
    /// A regular file, or nothing yet.
    File(PathBuf),
    /// A file that is not regular, such as a device.
    Existing(PathBuf),
    /// An open file.
    Descriptor(PathBuf, Descriptor),
}

/// An open file that a path stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Descriptor {
    /// A file that this process has open, by its number.
    Own(u32),
    /// A file that another process has open.
    Other,
}

impl NamedOutput {
    /// Starts a file. Missing folders above a new file are made.
    ///
    /// # Errors
    /// If the file cannot be created or opened.
    pub fn create(path: &Path) -> io::Result<Self> {
        let target = if path == Path::new(STANDARD_OUTPUT) {
            WriteTarget::Stdout(io::stdout())
        } else {
            match place(path)? {
                Destination::Descriptor(_, Descriptor::Own(1)) => WriteTarget::Stdout(io::stdout()),
                Destination::Descriptor(_, Descriptor::Own(2)) => WriteTarget::Stderr(io::stderr()),
                // The process that opened the file may have written to it already, so bytes are appended.
                Destination::Descriptor(path, _) => WriteTarget::Open(OpenOptions::new().append(true).open(path)?),
                Destination::Existing(path) => WriteTarget::Open(OpenOptions::new().write(true).open(path)?),
                Destination::File(path) => {
                    let folder = folder_of(&path);
                    fs::create_dir_all(folder)?;
                    WriteTarget::New(NewFile::at(&path)?)
                }
            }
        };
        Ok(Self { target, bytes: 0 })
    }

    /// The regular file that [`Self::create`] would start; `None` if it would write to something else. Nothing is opened.
    ///
    /// # Errors
    /// If the path leads to a folder, or cannot be followed.
    pub fn file_of(path: &Path) -> io::Result<Option<PathBuf>> {
        if path == Path::new(STANDARD_OUTPUT) {
            return Ok(None);
        }
        Ok(match place(path)? {
            Destination::File(file) => Some(file),
            Destination::Existing(_) | Destination::Descriptor(..) => None,
        })
    }

    /// Where the bytes of a regular file are until it is complete; `None` for anything else. The place is gone then.
    #[must_use]
    pub fn temporary(&self) -> Option<&Path> {
        if let WriteTarget::New(file) = &self.target { file.temporary() } else { None }
    }

    /// Whether it goes to standard output. If so, nothing else should be printed there.
    #[must_use]
    pub fn is_stdout(&self) -> bool {
        matches!(self.target, WriteTarget::Stdout(_))
    }

    /// Completes the file; returns the number of its bytes.
    ///
    /// # Errors
    /// If the file cannot be completed. A regular file is then as it was before.
    pub fn commit(mut self) -> io::Result<u64> {
        self.flush()?;
        if let WriteTarget::New(file) = self.target {
            file.commit()?;
        }
        Ok(self.bytes)
    }

    fn put(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = match &mut self.target {
            WriteTarget::New(file) => return file.write(buffer),
            WriteTarget::Open(file) => file.write(buffer),
            WriteTarget::Stdout(stream) => stream.write(buffer),
            WriteTarget::Stderr(stream) => stream.write(buffer),
        };
        seen_enough(written, buffer.len())
    }
}

/// Turns the error of a broken pipe into the success `all`: a reader may close its end when it has seen enough.
fn seen_enough<T>(done: io::Result<T>, all: T) -> io::Result<T> {
    match done {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(all),
        done => done,
    }
}

impl Write for NamedOutput {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = self.put(buffer)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.target {
            WriteTarget::New(file) => file.flush(),
            WriteTarget::Open(file) => seen_enough(file.flush(), ()),
            WriteTarget::Stdout(stream) => seen_enough(stream.flush(), ()),
            WriteTarget::Stderr(stream) => seen_enough(stream.flush(), ()),
        }
    }
}

/// Follows links one by one to the place that is to be written.
fn place(path: &Path) -> io::Result<Destination> {
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        if let Some(descriptor) = descriptor(&path) {
            return Ok(Destination::Descriptor(path, descriptor));
        }
        let link = match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Destination::File(path)),
            about => about?,
        };
        if link.is_symlink() {
            let target = fs::read_link(&path)?;
            path = folder_of(&path).join(target);
        } else if link.is_file() {
            return Ok(Destination::File(path));
        } else if link.is_dir() {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "a folder is there"));
        } else {
            return Ok(Destination::Existing(path));
        }
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "too many links"))
}

/// The open file that a path such as `/dev/fd/3`, `/proc/self/fd/1` or `/dev/stdout` stands for. It may be a regular file that
/// other processes have open as well.
fn descriptor(path: &Path) -> Option<Descriptor> {
    let name = path.file_name()?.to_str()?;
    let folder = fs::canonicalize(folder_of(path)).ok()?;
    let is_of_processes = folder.starts_with("/proc") && folder.ends_with("fd");
    if is_of_processes || folder == Path::new("/dev/fd") {
        let number = name.parse().ok()?;
        let is_own = !is_of_processes || fs::canonicalize("/proc/self").is_ok_and(|own| folder.starts_with(own));
        return Some(if is_own { Descriptor::Own(number) } else { Descriptor::Other });
    }
    // On some systems these two are devices, not links.
    match (folder == Path::new("/dev"), name) {
        (true, "stdout") => Some(Descriptor::Own(1)),
        (true, "stderr") => Some(Descriptor::Own(2)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]
    use super::*;

    fn put(path: &Path, text: &str) -> io::Result<u64> {
        let mut output = NamedOutput::create(path)?;
        output.write_all(text.as_bytes())?;
        output.commit()
    }

    #[test]
    fn a_file_appears_with_its_folders_when_it_is_complete() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("a/b/c.html");
        let mut output = NamedOutput::create(&path).unwrap();
        output.write_all(b"text").unwrap();
        assert!(!path.exists() && !output.is_stdout());
        assert_eq!(output.commit().unwrap(), 4);
        assert_eq!(fs::read(&path).unwrap(), b"text");
        drop(NamedOutput::create(&path).unwrap());
        assert_eq!(fs::read(&path).unwrap(), b"text");
        let refused = put(&root.path().join("a"), "text").unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::IsADirectory);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_and_stay() {
        use std::os::unix::fs::symlink;
        let root = tempfile::tempdir().unwrap();
        let path = |name: &str| root.path().join(name);
        fs::create_dir(path("elsewhere")).unwrap();
        fs::write(path("elsewhere/old.txt"), "old").unwrap();
        symlink("elsewhere/old.txt", path("one")).unwrap();
        symlink("one", path("two")).unwrap();
        symlink(path("elsewhere/new.txt"), path("dangling")).unwrap();
        symlink("loop", path("loop")).unwrap();
        put(&path("two"), "new").unwrap();
        put(&path("dangling"), "made").unwrap();
        assert_eq!(fs::read(path("elsewhere/old.txt")).unwrap(), b"new");
        assert_eq!(fs::read(path("elsewhere/new.txt")).unwrap(), b"made");
        for link in ["one", "two", "dangling"] {
            assert!(fs::symlink_metadata(path(link)).unwrap().is_symlink(), "{link}");
        }
        assert!(put(&path("loop"), "").is_err());
        let names: Vec<_> = fs::read_dir(path("elsewhere")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names.len(), 2, "{names:?}");
    }

    #[cfg(unix)]
    #[test]
    fn devices_and_descriptors_are_known_by_any_of_their_names() {
        assert!(matches!(place(Path::new("/dev/null")).unwrap(), Destination::Existing(_)));
        for (path, number) in [("/dev/stdout", 1), ("/dev/fd/1", 1), ("/dev/stderr", 2), ("/dev/fd/17", 17)] {
            let place = place(Path::new(path)).unwrap();
            assert!(matches!(place, Destination::Descriptor(_, found) if found == Descriptor::Own(number)), "{path}");
        }
        assert!(NamedOutput::create(Path::new("-")).unwrap().is_stdout());
        put(Path::new("/dev/null"), "gone").unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
    }

    #[cfg(unix)]
    #[test]
    fn a_name_may_be_of_any_bytes() {
        use std::os::unix::ffi::OsStrExt;
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join(std::ffi::OsStr::from_bytes(b"caf\xe9.html"));
        put(&path, "text").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"text");
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
    }
}
