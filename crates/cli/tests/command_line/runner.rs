//! Runs the program in a folder of its own and looks at the files it leaves.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

use nandseq_input::archive;
use nandseq_trace::files::{Digest, FileKind};
use nandseq_trace::manifest::{self, SiteManifest};
use tempfile::TempDir;

/// A folder to run the program in.
pub(crate) struct Folder(TempDir);

/// Where Linux has folders in memory: nothing there waits for a disk.
const IN_MEMORY: &str = "/dev/shm";

/// Whether there is room in memory for the folders of all tests that run at the same time: 2 GB.
fn has_room_in_memory() -> bool {
    static HAS_ROOM: LazyLock<bool> = LazyLock::new(|| {
        let Ok(told) = Command::new("df").args(["-Pk", IN_MEMORY]).output() else { return false };
        let told = String::from_utf8_lossy(&told.stdout).into_owned();
        let free = told.lines().nth(1).and_then(|line| line.split_whitespace().nth(3)?.parse().ok());
        free.is_some_and(|kilobytes: u64| kilobytes > 2_000_000)
    });
    *HAS_ROOM
}

impl Folder {
    /// A folder in memory, or on the disk if memory has no room.
    pub(crate) fn new() -> Self {
        let in_memory = if has_room_in_memory() { TempDir::new_in(IN_MEMORY).ok() } else { None };
        Self(in_memory.unwrap_or_else(|| TempDir::new().unwrap()))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Puts a file into the folder, or into one below it, which is made if it is not there.
    pub(crate) fn with(self, name: &str, contents: impl AsRef<[u8]>) -> Self {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, contents).unwrap();
        self
    }

    /// Puts files of one text into the folder.
    pub(crate) fn with_all(self, names: &[&str], contents: &str) -> Self {
        names.iter().fold(self, |folder, name| folder.with(name, contents))
    }

    /// The program, ready to run in this folder.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.ready(Command::new(env!("CARGO_BIN_EXE_nandseqgen")));
        command.args(arguments);
        command
    }

    /// Sets folder and environment of a command.
    pub(crate) fn ready(&self, mut command: Command) -> Command {
        command.current_dir(self.path()).env("COLUMNS", "100");
        // Whoever runs the tests may have set what the program reads.
        let set = std::env::vars_os().map(|(name, _)| name);
        let ours = |name: &std::ffi::OsString| name.to_str().is_some_and(|name| name.starts_with("NANDSEQGEN_"));
        set.filter(ours).chain(["CLICOLOR_FORCE".into(), "NO_COLOR".into()]).for_each(|name| {
            command.env_remove(name);
        });
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs the program, which must succeed.
    pub(crate) fn succeed(&self, arguments: &[&str]) -> Output {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        output
    }

    /// Runs the program, which must write everything and say that what was asked for was not reached.
    pub(crate) fn fall_short(&self, arguments: &[&str]) -> Output {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(4), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        output
    }

    /// Runs the program, which must refuse and write nothing; returns exit code and message.
    pub(crate) fn refuse(&self, arguments: &[&str]) -> String {
        let before = self.files();
        let output = self.run(arguments);
        assert!(self.files() == before, "{arguments:?} changed files");
        assert!(output.stdout.is_empty(), "{arguments:?} wrote to stdout");
        let text = String::from_utf8(output.stderr).unwrap();
        let text = text.replace(self.path().to_str().unwrap(), "[FOLDER]");
        format!("exit code {}\n{text}", output.status.code().unwrap())
    }

    /// Every file below the folder, by its relative path.
    pub(crate) fn files(&self) -> BTreeMap<String, Vec<u8>> {
        files_below(self.path())
    }
}

/// The forms of tables that this build writes, as the message about a form that does not exist lists them.
pub(crate) fn forms() -> Vec<String> {
    let told = Folder::new().refuse(&["--format", "none"]);
    let (_, values) = told.split_once("[possible values: ").unwrap();
    let values = values.split_once(']').unwrap().0.split(", ").map(str::to_owned);
    values.filter(|form| cfg!(feature = "parquet") || form != "parquet").collect()
}

/// Every file below a folder, by its path relative to it, with `/` between parts.
pub(crate) fn files_below(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for path in fs::read_dir(&next).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().replace('\\', "/");
                found.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    found
}

/// The manifest of a site's folder, after every file it lists has been checked against it; the folder holds nothing else.
pub(crate) fn checked_manifest(folder: &Path) -> SiteManifest {
    let manifest: SiteManifest = serde_json::from_slice(&fs::read(folder.join(manifest::FILE_NAME)).unwrap()).unwrap();
    let mut listed = vec![manifest::FILE_NAME.to_owned()];
    // What goes on from a snapshot elsewhere does not begin with the first run.
    let first = manifest.runs.first().map_or(0, |run| run.run_index);
    for (at, run) in manifest.runs.iter().enumerate() {
        let at = first + at as u64;
        assert_eq!((run.run, run.run_index), (at + 1, at));
        let seed = if manifest.seed_formula == manifest::SEQUENTIAL { manifest.site_seed + at } else { run.seed };
        assert_eq!(run.seed, seed);
        for file in &run.files {
            let mut bytes = Vec::new();
            archive::open(&file.file.to_write_in(folder)).unwrap().read_to_end(&mut bytes).unwrap();
            assert_eq!(Digest::of(&bytes), file.sha256, "{}", file.file);
            // The log has a line for each row and a header, as tables have, but no quotes; a snapshot is one line.
            let rows = if file.kind == FileKind::Snapshot {
                1
            } else if file.kind == FileKind::ProposerLog {
                bytes.iter().filter(|&&byte| byte == b'\n').count() - 1
            } else if file.file.as_str().ends_with(".parquet") {
                // Readers of Parquet count them.
                file.rows as usize
            } else {
                csv::Reader::from_reader(bytes.as_slice()).records().map(Result::unwrap).count()
            };
            assert_eq!(rows as u64, file.rows, "{}", file.file);
            listed.push(file.file.on_disk().to_string());
        }
        for pack in &run.pack {
            let bytes = fs::read(pack.file.to_write_in(folder)).unwrap();
            assert_eq!((Digest::of(&bytes), bytes.len() as u64), (pack.sha256, pack.bytes), "{}", pack.file);
        }
    }
    listed.sort();
    listed.dedup();
    assert_eq!(files_below(folder).into_keys().collect::<Vec<_>>(), listed);
    manifest
}

/// A file of the predecessor; `None`, with a word about it, where those files are not at hand.
#[expect(clippy::print_stdout, reason = "the place for a test to say that it did nothing")]
pub(crate) fn legacy(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/legacy").join(name);
    if path.exists() {
        return Some(path);
    }
    println!("{name} is not here: the test is skipped");
    None
}
