//! Interruptions: Ctrl-C, and a request to end.
//!
//! The first interruption asks the work to stop, a second one ends the program at once. Neither leaves a folder of temporary work
//! behind ([`WorkFolder`]). A kill cannot be caught, and leaves such a folder where it is.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::sleep;
use std::time::Duration;

use crate::failure::{Failure, Problem};

/// How often the program tries to remove a folder into which other threads put files.
const TRIES: u32 = 50;
/// The pause between two tries.
const PAUSE: Duration = Duration::from_millis(10);

/// The folder of temporary work, which is removed when the program ends.
static WORK: Mutex<Option<PathBuf>> = Mutex::new(None);

/// Returns a flag that the first interruption sets. The second interruption ends the program at once.
///
/// # Errors
/// When the system does not let the program listen for interruptions.
pub(crate) fn stop_on_signals() -> Result<Arc<AtomicBool>, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    let handler = move || {
        if flag.swap(true, Ordering::Relaxed) {
            remove_work();
            std::process::exit(Failure::INTERRUPTED.code().into());
        }
    };
    ctrlc::set_handler(handler)
        .map_err(|_| Problem::new("the system does not let the program listen for interruptions"))?;
    Ok(stop)
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
    /// Makes a folder with a name of its own in `place`. `place` is made if it is missing, and stays. There is one such folder at
    /// a time.
    pub(crate) fn new(place: &Path) -> io::Result<Self> {
        // The lock keeps an interruption from ending the program between the making of the folder and the note of its path.
        let mut work = WORK.lock().unwrap_or_else(PoisonError::into_inner);
        fs::create_dir_all(place)?;
        let folder = tempfile::Builder::new().prefix("nandseqgen-replay-").tempdir_in(place)?;
        let path = folder.keep();
        *work = Some(path.clone());
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
        let mut work = WORK.lock().unwrap_or_else(PoisonError::into_inner);
        // No thread puts files there any more, so that another try would not help.
        let _ = fs::remove_dir_all(&self.path);
        *work = None;
    }
}

/// Removes the folder of temporary work, if there is one. Other threads may still put files there, so it tries several times.
fn remove_work() {
    // The lock keeps the folder from being made again.
    let work = WORK.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(folder) = &*work else { return };
    for _ in 0..TRIES {
        match fs::remove_dir_all(folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => sleep(PAUSE),
            Ok(()) | Err(_) => return,
        }
    }
}
