//! Commands that the program prints for its user to paste.
//!
//! A command that is pasted as it is, in the same folder, does what the text around it says. Every word is quoted for a shell,
//! and the flags in force are repeated. An input from a pipe cannot be read again: a placeholder stands for it. Inputs that hold
//! without a flag (a table beside the profile, a list of bad blocks in the current folder, defaults) are left out.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::FileType;
use std::path::Path;

use clap::ValueEnum;
use nandseq_trace::recorded::quoted;

use crate::arguments::in_force::{DeviceArgs, TableArgs};
use crate::arguments::words_of_manifest;

/// A command of this program.
#[derive(Clone, Debug)]
pub(crate) struct Hint {
    flags: Vec<OsString>,
    operands: Vec<OsString>,
}

impl Hint {
    /// A subcommand, `profile check` for example.
    pub(crate) fn new(subcommand: &str) -> Self {
        let flags = std::iter::once(env!("CARGO_PKG_NAME")).chain(subcommand.split(' ')).map(OsString::from).collect();
        Self { flags, operands: Vec::new() }
    }

    /// A subcommand and its flags, as manifests record them.
    pub(crate) fn of_arguments(arguments: &[String]) -> Self {
        let mut flags = vec![env!("CARGO_PKG_NAME").into()];
        for word in words_of_manifest(arguments) {
            let flag = flags.last().and_then(|flag: &OsString| flag.to_str()).unwrap_or_default();
            let name = placeholder(flag, &word);
            flags.push(name.map_or(word, OsString::from));
        }
        Self { flags, operands: Vec::new() }
    }

    /// A flag without a value.
    pub(crate) fn flag(mut self, flag: &str) -> Self {
        self.flags.push(flag.into());
        self
    }

    /// A flag with its value.
    pub(crate) fn with(mut self, flag: &str, value: impl AsRef<OsStr>) -> Self {
        push(&mut self.flags, flag, value.as_ref());
        self
    }

    /// Flags that are in force.
    pub(crate) fn flags(mut self, flags: &[OsString]) -> Self {
        self.flags.extend_from_slice(flags);
        self
    }

    /// A word that is not a flag; such words come last.
    pub(crate) fn operand(mut self, operand: impl AsRef<OsStr>) -> Self {
        self.operands.push(operand.as_ref().to_owned());
        self
    }
}

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let divides = self.operands.iter().any(|operand| operand.as_encoded_bytes().starts_with(b"-"));
        let divider = OsStr::new("--");
        let divider = divides.then_some(divider);
        let words = self.flags.iter().map(OsString::as_os_str);
        let words = words.chain(divider).chain(self.operands.iter().map(OsString::as_os_str));
        for (at, word) in words.enumerate() {
            let space = if at > 0 { " " } else { "" };
            write!(f, "{space}{}", quoted(word))?;
        }
        Ok(())
    }
}

/// The flags in force of a command that looks at a device, as another such command takes them.
#[derive(Clone, Default, Debug)]
pub(crate) struct FlagsInForce {
    config: Option<OsString>,
    lenient: bool,
    others: Vec<OsString>,
    plan: Option<OsString>,
}

impl FlagsInForce {
    /// The flags that were given and matter. `built_anew`: no table file was read.
    pub(crate) fn new(device: &DeviceArgs, table: &TableArgs, built_anew: bool) -> Self {
        let mut others = Vec::new();
        if let Some(window) = device.admission_window {
            push(&mut others, "--admission-window", window.to_us_text().as_ref());
        }
        if let Some(list) = &device.badlist {
            push(&mut others, "--badlist", list.as_os_str());
        }
        if let Some(value) = table.pc_demo.as_ref().and_then(ValueEnum::to_possible_value) {
            push(&mut others, "--pc-demo", value.get_name().as_ref());
        }
        if built_anew {
            others.push("--autofill-pc".into());
        } else if let Some(path) = &table.op_state_probs {
            push(&mut others, "--op-state-probs", path.as_os_str());
        }
        if table.pc_seed != nandseq_generate::probability::DEFAULT_TABLE_SEED {
            push(&mut others, "--pc-seed", table.pc_seed.to_string().as_ref());
        }
        Self { config: device.config.as_ref().map(Into::into), lenient: device.lenient, others, plan: None }
    }

    /// Adds whether the bootstrap comes first, if this has to be stated.
    pub(crate) fn bootstrap(mut self, bootstrap: Option<bool>) -> Self {
        self.others.extend(bootstrap.map(|first| if first { "--bootstrap".into() } else { "--no-bootstrap".into() }));
        self
    }

    /// Adds the test plan.
    pub(crate) fn plan(mut self, plan: Option<&Path>) -> Self {
        self.plan = plan.map(Into::into);
        self
    }

    /// The flags that select the profile.
    pub(crate) fn profile(&self) -> Vec<OsString> {
        profile_flags(self.config.as_deref().map(Path::new), self.lenient)
    }

    /// All flags, as `explain` takes them.
    pub(crate) fn all(&self) -> Vec<OsString> {
        let mut all = self.profile();
        all.extend_from_slice(&self.others);
        if let Some(plan) = &self.plan {
            push(&mut all, "--plan", plan);
        }
        all
    }

    /// The command that shows everything about the profile.
    pub(crate) fn check(&self) -> Hint {
        check(self.config.as_deref().map(Path::new), self.lenient).flags(&self.others)
    }
}

/// The command that shows everything about a profile.
pub(crate) fn check(config: Option<&Path>, lenient: bool) -> Hint {
    let hint = Hint::new("profile check");
    let hint = if lenient { hint.flag("--lenient") } else { hint };
    match config {
        Some(path) => hint.operand(placeholder("--config", path.as_os_str()).map_or(path.as_os_str(), OsStr::new)),
        None => hint,
    }
}

/// Whether a path leads to something that cannot be read again, as a pipe or `<(…)` of a shell.
pub(crate) fn is_pipe(path: &Path) -> bool {
    const OF_PROCESS: [&str; 3] = ["/dev/fd", "/proc/self/fd", "/dev/stdin"];
    OF_PROCESS.iter().any(|folder| path.starts_with(folder))
        || path.metadata().is_ok_and(|about| is_stream(about.file_type()))
}

#[cfg(unix)]
fn is_stream(kind: FileType) -> bool {
    use std::os::unix::fs::FileTypeExt as _;
    kind.is_fifo() || kind.is_socket()
}

#[cfg(not(unix))]
fn is_stream(kind: FileType) -> bool {
    !kind.is_file() && !kind.is_dir()
}

/// What stands in a command for the input of a flag that was read from a pipe.
fn placeholder(flag: &str, value: &OsStr) -> Option<&'static str> {
    let name = match flag {
        "--config" => PROFILE,
        "--badlist" => "BADLIST",
        "--op-state-probs" => "TABLE",
        "--plan" => "PLAN",
        _ => return None,
    };
    is_pipe(Path::new(value)).then_some(name)
}

/// What stands in commands for a profile that was read from a pipe.
pub(crate) const PROFILE: &str = "PROFILE";

/// The flags that select a profile.
pub(crate) fn profile_flags(config: Option<&Path>, lenient: bool) -> Vec<OsString> {
    let mut all = Vec::new();
    if let Some(path) = config {
        push(&mut all, "--config", path.as_os_str());
    }
    if lenient {
        all.push("--lenient".into());
    }
    all
}

/// Adds a flag with its value; a value that looks like a flag is joined to it.
fn push(words: &mut Vec<OsString>, flag: &str, value: &OsStr) {
    let value = placeholder(flag, value).map_or(value, OsStr::new);
    if value.as_encoded_bytes().starts_with(b"-") {
        let mut word = OsString::from(flag);
        word.push("=");
        word.push(value);
        words.push(word);
    } else {
        words.extend([flag.into(), value.to_owned()]);
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]
    use super::*;

    #[test]
    fn a_command_is_quoted_as_a_shell_takes_it() {
        let hint = Hint::new("verify").with("--config", "my device's.yaml").flag("--lenient").operand("out dir");
        assert_eq!(hint.to_string(), r"nandseqgen verify --config 'my device'\''s.yaml' --lenient 'out dir'");
        assert_eq!(Hint::new("verify").operand("").to_string(), "nandseqgen verify ''");
    }

    #[test]
    fn what_looks_like_a_flag_is_no_flag() {
        let hint = Hint::new("verify").with("--config", "-x.yaml").operand("-out").operand("b");
        assert_eq!(hint.to_string(), "nandseqgen verify --config=-x.yaml -- -out b");
        let recorded = ["generate", "--config", "--lenient", "--lenient", "--badlist", "-b.csv", "--ops", "5"];
        let hint = Hint::of_arguments(&recorded.map(str::to_owned));
        assert_eq!(hint.to_string(), "nandseqgen generate --config=--lenient --lenient --badlist=-b.csv --ops 5");
    }

    #[cfg(unix)]
    #[test]
    fn no_command_names_a_pipe() {
        let pipe = Path::new("/dev/fd/63");
        let hint = Hint::new("explain").flags(&profile_flags(Some(pipe), true)).with("--badlist", "/dev/fd/9");
        assert_eq!(hint.to_string(), "nandseqgen explain --config PROFILE --lenient --badlist BADLIST");
        let flags = FlagsInForce::default().plan(Some(pipe)).all();
        assert_eq!(Hint::new("explain").flags(&flags).to_string(), "nandseqgen explain --plan PLAN");
        assert_eq!(check(Some(pipe), false).to_string(), "nandseqgen profile check PROFILE");
        let recorded =
            ["generate", "--config", "/dev/fd/63", "--op-state-probs", "/dev/fd/9", "--out-dir", "/dev/fd/9"];
        let hint = Hint::of_arguments(&recorded.map(str::to_owned));
        let expected = "nandseqgen generate --config PROFILE --op-state-probs TABLE --out-dir /dev/fd/9";
        assert_eq!(hint.to_string(), expected);
    }

    #[cfg(unix)]
    #[test]
    fn only_a_stream_cannot_be_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let [fifo, socket] = ["fifo", "socket"].map(|name| folder.path().join(name));
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
        assert_eq!([&*fifo, &*socket, folder.path(), Path::new("/dev/null")].map(is_pipe), [true, true, false, false]);
        let hint = Hint::new("verify").with("--badlist", "/dev/null");
        assert_eq!(hint.to_string(), "nandseqgen verify --badlist /dev/null");
    }

    #[cfg(unix)]
    #[test]
    fn a_shell_gives_every_word_back() {
        use std::os::unix::ffi::OsStrExt;
        let words: [&[u8]; 7] =
            [b"a'b", b"a b\\", b"$HOME `x` \"y\"", b"tab\there", b"line\nbreak1", b"\xff\xfe0", "Größe µ".as_bytes()];
        let all: Vec<String> = words.iter().map(|word| quoted(OsStr::from_bytes(word))).collect();
        let script = format!("printf '%s\\0' {}", all.join(" "));
        let output = std::process::Command::new("bash").args(["-c", &script]).output().unwrap();
        let back: Vec<&[u8]> = output.stdout.strip_suffix(b"\0").unwrap().split(|&byte| byte == 0).collect();
        assert_eq!(back, words);
    }
}
