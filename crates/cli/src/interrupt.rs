//! Interruptions: Ctrl-C, and a request to end.
//!
//! Where work can be stopped, the first interruption asks it to stop, and a second one ends the program at once. Elsewhere the first
//! one ends it. None leaves temporary work behind: a [`WorkFolder`], or a file that the user named and that is not complete yet
//! ([`begin_file`]). A kill cannot be caught, and leaves such work where it is.

use std::cell::RefCell;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::sleep;
use std::time::Duration;

use nandseq_output::named::NamedOutput;

use crate::failure::{Failure, Problem};
use crate::terminal::tell;

/// How often the program tries to remove a folder into which other threads put files.
const TRIES: u32 = 50;
/// The pause between two tries.
const PAUSE: Duration = Duration::from_millis(10);

/// The temporary folders and files that are removed when the program ends.
static WORK: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());
/// The flag that the first interruption sets, if there is work that looks at it.
static STOP: OnceLock<Arc<AtomicBool>> = OnceLock::new();
thread_local! {
    /// The flag of a caller of this thread.
    static OF_CALLER: RefCell<Option<Arc<AtomicBool>>> = const { RefCell::new(None) };
}
/// Whether the system lets the program listen for interruptions.
static IS_LISTENING: OnceLock<bool> = OnceLock::new();

/// Does work for a caller, who may set `stop` at any time.
pub(crate) fn for_caller<T>(stop: &Arc<AtomicBool>, work: impl FnOnce() -> T) -> T {
    let outer = OF_CALLER.replace(Some(Arc::clone(stop)));
    let done = work();
    OF_CALLER.set(outer);
    done
}

/// The flag of a caller of this thread; `None` in a command, whose work ends with its process.
pub(crate) fn flag_of_caller() -> Option<Arc<AtomicBool>> {
    OF_CALLER.with_borrow(Clone::clone)
}

/// Returns a flag that the first interruption sets, or a caller. The second interruption ends the program at once.
///
/// # Errors
/// When the system does not let the program listen for interruptions.
pub(crate) fn stop_on_signals() -> Result<Arc<AtomicBool>, Failure> {
    if let Some(stop) = flag_of_caller() {
        return Ok(stop);
    }
    let stop = Arc::clone(STOP.get_or_init(Arc::default));
    if is_listening() {
        return Ok(stop);
    }
    Err(Problem::new("the system does not let the program listen for interruptions").into())
}

/// Leaves signals to a program that calls this one: no handler is installed.
pub(crate) fn leave_signals_to_the_caller() {
    // If a command has installed one already, this process is a command.
    let _ = IS_LISTENING.set(true);
}

fn is_listening() -> bool {
    *IS_LISTENING.get_or_init(|| ctrlc::set_handler(interrupted).is_ok())
}

/// Asks the work to stop, or ends the program.
fn interrupted() {
    match STOP.get().map(|stop| stop.swap(true, Ordering::Relaxed)) {
        Some(false) => return,
        Some(true) => {}
        None => tell(&Failure::INTERRUPTED.text()),
    }
    remove_work();
    std::process::exit(Failure::INTERRUPTED.code().into());
}

/// The temporary work. While the result lives, an interruption does not end the program: so none comes between the making of such
/// work and the note of its path.
fn work() -> MutexGuard<'static, Vec<PathBuf>> {
    WORK.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts a file that the user named. An interruption removes it, as long as it is not complete.
pub(crate) fn begin_file(path: &Path) -> io::Result<NamedOutput> {
    // Without the system's leave to listen, an interruption ends the program as it ends any other.
    is_listening();
    let mut work = work();
    let output = NamedOutput::create(path)?;
    work.extend(output.temporary().map(Path::to_owned));
    Ok(output)
}

/// Makes a write beyond the limit on the size of files fail, like a write to a full disk. Otherwise the system would end the
/// program.
pub(crate) fn survive_size_limits() {
    #[cfg(unix)]
    {
        // The flag is not read: the write beyond the limit fails by itself. If the signal cannot be caught, it ends the program.
        let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::new(AtomicBool::new(false)));
    }
}

/// A folder of temporary work. It is removed when this is dropped, or when a second interruption ends the program.
#[derive(Debug)]
pub(crate) struct WorkFolder {
    path: PathBuf,
}

impl WorkFolder {
    /// Makes a folder with a name of its own in `place`. `place` is made if it is missing, and stays.
    pub(crate) fn new(place: &Path) -> io::Result<Self> {
        let mut work = work();
        fs::create_dir_all(place)?;
        let folder = tempfile::Builder::new().prefix("nandseqgen-replay-").tempdir_in(place)?;
        let path = folder.keep();
        work.push(path.clone());
        Ok(Self { path })
    }

    /// The path of the folder.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for WorkFolder {
    fn drop(&mut self) {
        // If an interruption is removing the folder, this waits until the program has ended.
        let mut work = work();
        // No thread puts files there any more, so that another try would not help.
        let _ = fs::remove_dir_all(&self.path);
        work.retain(|path| *path != self.path);
    }
}

/// Removes all temporary work. Other threads may still put files into a folder, so it tries several times.
fn remove_work() {
    // The lock keeps such work from being made again. It is never released, because the program ends.
    for path in work().iter() {
        // A file has gone if it is complete: then it has its final name.
        if fs::remove_file(path).is_ok() {
            continue;
        }
        for _ in 0..TRIES {
            match fs::remove_dir_all(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => sleep(PAUSE),
                Ok(()) | Err(_) => break,
            }
        }
    }
}
