//! Control of the program while it runs: waiting, interrupting, killing. Every wait has an end, however busy the machine is, and
//! no program outlives its test.

use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::runner::Folder;

/// Longer than anything that is waited for takes on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(300);
const PAUSE: Duration = Duration::from_millis(2);

/// Waits until `what` is there.
pub(crate) fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(started.elapsed() < PATIENCE, "waited too long for {what}");
        sleep(PAUSE);
    }
}

/// A program that was started. What it says on stderr is kept.
pub(crate) struct Running(Option<Child>);

impl Running {
    /// Starts the program in a folder.
    pub(crate) fn start(folder: &Folder, arguments: &[&str]) -> Self {
        Self::writing_to(Stdio::null(), folder, arguments)
    }

    /// Starts the program in a folder; its results go to `output`.
    pub(crate) fn writing_to(output: impl Into<Stdio>, folder: &Folder, arguments: &[&str]) -> Self {
        let mut command = folder.command(arguments);
        Self(Some(command.stdout(output).stderr(Stdio::piped()).spawn().unwrap()))
    }

    fn child(&mut self) -> &mut Child {
        self.0.as_mut().unwrap()
    }

    /// Waits until there is something under a path; the program must not end before.
    pub(crate) fn until_there_is(&mut self, path: &Path) {
        wait_for(&path.display().to_string(), || {
            let ended = self.child().try_wait().unwrap();
            assert!(ended.is_none() || path.exists(), "it ended before {} was there", path.display());
            path.exists().then_some(())
        });
    }

    /// Sends a signal, which the program may have ended before.
    pub(crate) fn signal(&mut self, name: &str) {
        let number = self.child().id().to_string();
        assert!(Command::new("kill").args(["-s", name, &number]).status().unwrap().success());
    }

    /// Waits for the end.
    pub(crate) fn output(mut self) -> Output {
        wait_for("the end of the program", || self.child().try_wait().unwrap());
        self.0.take().unwrap().wait_with_output().unwrap()
    }

    /// Interrupts it, which must end it, and returns what it said.
    pub(crate) fn interrupt(mut self) -> Output {
        self.signal("INT");
        let output = self.output();
        assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
        output
    }

    /// Kills it; how it ended, which may have been before.
    pub(crate) fn kill(mut self) -> ExitStatus {
        let mut child = self.0.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            // It may have ended.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
