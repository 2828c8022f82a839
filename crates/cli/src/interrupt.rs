//! What Ctrl-C, and a request to end, do.
//!
//! Promises that the first one asks whoever works to stop, that a second one ends the program at once, and that not even then a folder
//! of temporary work is left behind ([`WorkFolder`]). Leaves out what cannot be caught: a kill leaves such a folder where it is.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::sleep;
use std::time::Duration;

use crate::failure::{Failure, Problem};
use crate::tell;

/// How often, and after which pauses, a folder is tried to be removed that others are putting files into.
const TRIES: u32 = 50;
const PAUSE: Duration = Duration::from_millis(10);

/// Whether an interruption may end the program at once.
static NOTHING_TO_LOSE: AtomicBool = AtomicBool::new(false);
/// The folder that goes with the program.
static WORK: Mutex<Option<PathBuf>> = Mutex::new(None);

/// A flag that the first interruption sets; the second ends the program at once.
pub(crate) fn stop_on_signals() -> Result<Arc<AtomicBool>, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    let handler = move || {
        let at_once = NOTHING_TO_LOSE.load(Ordering::Relaxed);
        if at_once {
            tell("interrupted while judging: everything is written\n");
        }
        if flag.swap(true, Ordering::Relaxed) || at_once {
            remove_work();
            std::process::exit(Failure::INTERRUPTED.code().into());
        }
    };
    ctrlc::set_handler(handler)
        .map_err(|_| Problem::new("the system does not let the program listen for interruptions"))?;
    Ok(stop)
}

/// Lets what reaches a limit on the size of files be an error of writing, as a full disk is, instead of the end of the program.
pub(crate) fn survive_size_limits() {
    #[cfg(unix)]
    {
        // Nobody asks whether it came: the write that reached the limit says so. Where it cannot be caught it ends the program, as before.
        let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::new(AtomicBool::new(false)));
    }
}

/// Does what may be ended at once: everything is written.
pub(crate) fn with_nothing_to_lose<T>(work: impl FnOnce() -> T) -> T {
    NOTHING_TO_LOSE.store(true, Ordering::Relaxed);
    let done = work();
    NOTHING_TO_LOSE.store(false, Ordering::Relaxed);
    done
}

/// A folder of temporary work; it goes when this is dropped, or when a second interruption ends the program.
#[derive(Debug)]
pub(crate) struct WorkFolder {
    path: PathBuf,
}

impl WorkFolder {
    /// Makes a folder with a name of its own in `place`, which is made if it is not there, and stays. There is one at a time.
    pub(crate) fn new(place: &Path) -> io::Result<Self> {
        // While it is made no interruption ends the program between making and knowing it.
        let mut work = WORK.lock().unwrap_or_else(PoisonError::into_inner);
        fs::create_dir_all(place)?;
        let folder = tempfile::Builder::new().prefix("nandseqgen-replay-").tempdir_in(place)?;
        let path = folder.keep();
        *work = Some(path.clone());
        Ok(Self { path })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for WorkFolder {
    fn drop(&mut self) {
        // If an interruption is removing it, this waits until the program has ended.
        let mut work = WORK.lock().unwrap_or_else(PoisonError::into_inner);
        // Nobody puts files there any more; what cannot be removed now cannot be removed later.
        let _ = fs::remove_dir_all(&self.path);
        *work = None;
    }
}

/// Removes the folder of temporary work, if there is one, against those who go on to put files there.
fn remove_work() {
    // It stays locked: what has been removed is not made again.
    let work = WORK.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(folder) = &*work else { return };
    for _ in 0..TRIES {
        match fs::remove_dir_all(folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => sleep(PAUSE),
            Ok(()) | Err(_) => return,
        }
    }
}
