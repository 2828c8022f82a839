//! The reasons why the program stops before it has done what was asked, with their messages and exit codes.

use nandseq_trace::plain_reason;
use nandseq_trace::recorded::{recorded, shown};
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use nandseq_profile::diagnostic::Styling;
use nandseq_profile::{Diagnostic, Diagnostics, Severity, SourceFile};

use crate::captured::note_remark;
use crate::console;
use crate::placed_problem::{PlacedProblem, placed, word};

/// Why the program stops.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Arguments or inputs cannot be used: exit code 2.
    Unusable(Vec<Problem>),
    /// A file that was read cannot be used: exit code 2.
    Faulty(Box<(SourceFile, Diagnostics)>),
    /// Several things are wrong, each by itself: the exit code is that of the first.
    Several(Vec<Failure>),
    /// A check failed: rules are broken, a replay differs, or too little is covered. The result has been printed. Exit code 1.
    Found,
    /// Everything is written, but `--ops`, `ops` of a phase, hits of a plan, or `--until-coverage` was not reached. The user has been told. Exit code 4.
    NotReached,
    /// Nothing was made, because no operation can ever start: exit code 4.
    NothingStarts(String),
    /// The failure has been told already; this is its exit code.
    Told(u8),
    /// A result could not be written: exit code 3.
    CannotWrite {
        /// What was being written.
        path: PathBuf,
        /// The error of the system.
        reason: io::Error,
        /// The flag that chooses another place.
        place: &'static str,
    },
    /// The user, or the system, asked to stop: exit code 130.
    Interrupted {
        /// What is kept of the work.
        kept: Kept,
        /// The command that goes on, if there is one.
        go_on: Option<String>,
    },
}

/// What an interruption keeps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kept {
    /// Nothing, because the work leaves nothing behind before its end.
    Nothing,
    /// This number of finished runs.
    Runs(u64),
    /// Everything: only the judging of the files was interrupted.
    Everything,
}

/// Both results, or the failures of both.
pub(crate) fn both<A, B>(one: Result<A, Failure>, other: Result<B, Failure>) -> Result<(A, B), Failure> {
    match one {
        Ok(one) => other.map(|other| (one, other)),
        Err(failure) => Err(failure.and(other)),
    }
}

/// One thing that is wrong with the arguments.
#[derive(Debug)]
pub(crate) struct Problem {
    /// What is wrong.
    message: String,
    /// What to do.
    help: Option<String>,
    /// The profile, plan or table that it is about as a whole.
    file: Option<String>,
}

impl Problem {
    /// A problem with this message and without help.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None, file: None }
    }

    /// Says what file it is about, for callers that do not read text.
    pub(crate) fn about(mut self, path: &Path) -> Self {
        self.file = Some(recorded(path));
        self
    }

    /// Adds what to do.
    pub(crate) fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    /// A file that cannot be read.
    pub(crate) fn unreadable(what: &str, path: &Path, reason: &io::Error) -> Self {
        let problem = Self::new(format!("cannot read {what} `{}`: {}", shown(path), plain_reason(reason)));
        if reason.kind() == io::ErrorKind::NotFound {
            problem.help("check the path; it is taken relative to the current folder")
        } else if reason.kind() == io::ErrorKind::Unsupported {
            // It is a pipe, a device or the like, which is not read.
            problem.help("move it away")
        } else {
            problem
        }
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Unusable(vec![problem])
    }
}

impl Failure {
    /// The failure to write a result; `--out-dir` chooses another place.
    pub(crate) fn cannot_write(path: &Path, reason: io::Error) -> Self {
        Self::CannotWrite { path: path.to_path_buf(), reason, place: "--out-dir" }
    }

    /// The failure to print a result.
    pub(crate) fn cannot_print(reason: io::Error) -> Self {
        Self::CannotWrite { path: STANDARD_OUTPUT.into(), reason, place: STANDARD_OUTPUT }
    }

    /// Names the flag that chooses another place, if a file could not be written.
    pub(crate) fn placed_by(mut self, flag: &'static str) -> Self {
        if let Self::CannotWrite { place, .. } = &mut self
            && *place != STANDARD_OUTPUT
        {
            *place = flag;
        }
        self
    }

    /// Names a folder in place of what could not be written below it, which is gone.
    pub(crate) fn in_folder(mut self, folder: &Path) -> Self {
        if let Self::CannotWrite { path, place, .. } = &mut self
            && *place != STANDARD_OUTPUT
        {
            folder.clone_into(path);
        }
        self
    }

    /// This failure, together with that of the other result, if there is one.
    pub(crate) fn and<T>(self, other: Result<T, Self>) -> Self {
        match other {
            Ok(_) => self,
            Err(other) => Self::Several(vec![self, other]),
        }
    }

    /// An interruption. The caller that knows all runs adds how many are kept and how to go on.
    pub(crate) const INTERRUPTED: Self = Self::Interrupted { kept: Kept::Nothing, go_on: None };

    /// Takes out of an interruption how many runs are kept and how to go on.
    pub(crate) fn without_going_on(self) -> Self {
        if matches!(self, Self::Interrupted { .. }) { Self::INTERRUPTED } else { self }
    }

    /// Adds to an interruption the command that goes on.
    pub(crate) fn going_on_with(self, command: String) -> Self {
        if let Self::Interrupted { kept, .. } = self { Self::Interrupted { kept, go_on: Some(command) } } else { self }
    }

    /// Whether the command was carried out, and this is its verdict.
    pub(crate) const fn is_verdict(&self) -> bool {
        match self {
            Self::Found | Self::NotReached => true,
            // A list of campaigns ends with the code of one of them.
            Self::Told(code) => matches!(code, 1 | 4),
            Self::Unusable(_)
            | Self::Faulty(_)
            | Self::Several(_)
            | Self::NothingStarts(_)
            | Self::CannotWrite { .. }
            | Self::Interrupted { .. } => false,
        }
    }

    /// The exit code of the program.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Told(code) => *code,
            Self::Several(all) => all.first().map_or(2, Self::code),
            Self::Unusable(_) | Self::Faulty(_) => 2,
            Self::Found => 1,
            Self::CannotWrite { .. } => 3,
            Self::NotReached | Self::NothingStarts(_) => 4,
            // 128 + SIGINT.
            Self::Interrupted { .. } => 130,
        }
    }

    /// The command that goes on after an interruption, if there is one.
    pub(crate) fn go_on(&self) -> Option<&str> {
        if let Self::Interrupted { go_on, .. } = self { go_on.as_deref() } else { None }
    }

    /// The message for the user as a warning, where the program goes on `without` something because of this failure.
    pub(crate) fn as_warning(&self, without: &str) -> String {
        match self {
            Self::Unusable(problems) => {
                let each = problems.iter().map(|problem| {
                    remark(Severity::Warning, &format!("{without}: {}", problem.message), problem.help.as_deref())
                });
                each.collect()
            }
            Self::Faulty(_)
            | Self::Several(_)
            | Self::CannotWrite { .. }
            | Self::NothingStarts(_)
            | Self::Found
            | Self::NotReached
            | Self::Told(_)
            | Self::Interrupted { .. } => {
                format!("{}{}", warning_text(&format!("{without}, because of this:")), self.text())
            }
        }
    }

    /// The message for the user, without colours, for use inside another message.
    pub(crate) fn plain_text(&self) -> String {
        anstream::adapter::strip_str(&self.text()).to_string().trim_end().to_owned()
    }

    /// The message for the user, with a final newline. It has colours, which the output stream removes where needed.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Unusable(problems) => problems.iter().map(problem_text).collect(),
            Self::Faulty(faulty) => errors_text(&faulty.0, &faulty.1),
            Self::Several(all) => all.iter().map(Self::text).collect(),
            Self::CannotWrite { path, reason, place } => {
                let reason_text = plain_reason(reason);
                // The reason may name the file, of which the path is only the folder.
                let named = path.file_name().map(|name| format!("{}: ", shown(name)));
                let why = named.and_then(|named| reason_text.strip_prefix(&*named)).unwrap_or(&reason_text);
                let is_file = FOLDERS.contains(place) && path.is_file();
                let why = if is_file && reason.kind() == io::ErrorKind::AlreadyExists { IS_FILE } else { why };
                let message = format!("cannot write `{}`: {why}", shown(path));
                problem_text(&Problem::new(message).help(write_help(path, reason, place)))
            }
            Self::NothingStarts(message) => warning_text(message),
            Self::Found | Self::NotReached | Self::Told(_) => String::new(),
            Self::Interrupted { kept, go_on } => {
                let go_on = go_on.as_ref().map(|command| format!("to go on: {command}\n")).unwrap_or_default();
                match kept {
                    Kept::Runs(1) => format!("interrupted: 1 finished run is kept\n{go_on}"),
                    Kept::Runs(runs) => format!("interrupted: {runs} finished runs are kept\n{go_on}"),
                    Kept::Everything => format!("interrupted while judging: everything is written\n{go_on}"),
                    Kept::Nothing => format!("interrupted\n{go_on}"),
                }
            }
        }
    }
}

/// Why a call was not carried out, for programs that call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// The exit code that the command would have.
    pub code: u8,
    /// The message, without colours.
    pub text: String,
    /// What is wrong, one by one; empty if only the text says it.
    pub problems: Vec<PlacedProblem>,
}

impl Refusal {
    /// A refusal of arguments, with this message.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Failure::from(Problem::new(message)).into()
    }

    /// The refusal after what was told before it: its text and its problems, if it has none by itself.
    pub(crate) fn after(mut self, told: &str, remarks: Vec<PlacedProblem>) -> Self {
        if self.text.is_empty() {
            told.trim_end().clone_into(&mut self.text);
            self.problems = remarks.into_iter().filter(|one| one.severity == word(Severity::Error)).collect();
        }
        self
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        let mut problems = Vec::new();
        failure.add_problems(&mut problems);
        Self { code: failure.code(), text: failure.plain_text(), problems }
    }
}

impl Failure {
    fn add_problems(&self, all: &mut Vec<PlacedProblem>) {
        match self {
            Self::Unusable(problems) => all.extend(problems.iter().map(|problem| PlacedProblem {
                file: problem.file.clone(),
                ..PlacedProblem::without_place(Severity::Error, &problem.message, problem.help.as_deref())
            })),
            Self::Faulty(faulty) => {
                let mut errors = faulty.1.clone();
                errors.retain_at_least(Severity::Error);
                all.extend(placed(&faulty.0, &errors));
            }
            Self::Several(each) => each.iter().for_each(|failure| failure.add_problems(all)),
            Self::CannotWrite { .. }
            | Self::NothingStarts(_)
            | Self::Found
            | Self::NotReached
            | Self::Told(_)
            | Self::Interrupted { .. } => {}
        }
    }
}

/// The errors alone. Warnings and notes would bury them, and `profile check` shows those.
fn errors_text(source: &SourceFile, diagnostics: &Diagnostics) -> String {
    let mut errors = diagnostics.clone();
    errors.retain_at_least(Severity::Error);
    errors.render(source, Styling::Coloured)
}

fn problem_text(problem: &Problem) -> String {
    labelled(RED, "error", &problem.message, problem.help.as_deref())
}

fn labelled(color: &str, label: &str, message: &str, help: Option<&str>) -> String {
    let mut text = format!("{color}{label}{RESET}: {message}\n");
    if let Some(help) = help {
        let _ = writeln!(text, "  {GREEN}help{RESET}: {help}");
    }
    text
}

/// A warning that does not stop the program.
pub(crate) fn warning_text(message: &str) -> String {
    remark(Severity::Warning, message, None)
}

/// A warning about a place in a file that does not stop the program, in a line.
pub(crate) fn warning_about(source: &SourceFile, about: &Diagnostic, line: &str) -> String {
    note_remark(|| PlacedProblem::of(source, about));
    labelled(YELLOW, "warning", line, None)
}

/// Remarks about a file that do not stop the program.
pub(crate) fn remarks_text(source: &SourceFile, about: &Diagnostics) -> String {
    about.iter().for_each(|one| note_remark(|| PlacedProblem::of(source, one)));
    about.render(source, Styling::Coloured)
}

/// A remark about no place in a file.
fn remark(severity: Severity, message: &str, help: Option<&str>) -> String {
    note_remark(|| PlacedProblem::without_place(severity, message, help));
    labelled(if severity == Severity::Warning { YELLOW } else { GREEN }, word(severity), message, help)
}

/// A remark that does not stop the program; empty if the user asked for quiet.
pub(crate) fn note_text(message: &str) -> String {
    if console::is_quiet() { String::new() } else { remark_text(message) }
}

/// A remark that belongs to an error or a warning. It is shown even if the user asked for quiet.
pub(crate) fn remark_text(message: &str) -> String {
    remark(Severity::Note, message, None)
}

/// Splits a text of warnings and remarks into single ones.
pub(crate) fn each_remark(text: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let begins = |line: &str| [YELLOW, GREEN].iter().any(|color| line.starts_with(color));
    for line in text.split_inclusive('\n') {
        match all.last_mut() {
            Some(last) if !begins(line) => last.push_str(line),
            Some(_) | None => all.push(line.to_owned()),
        }
    }
    all
}

const RED: &str = "\u{1b}[1;91m";
const YELLOW: &str = "\u{1b}[1;93m";
const GREEN: &str = "\u{1b}[1;92m";
const RESET: &str = "\u{1b}[0m";

/// Stands for the flag that chooses another place, where only the shell can choose it.
const STANDARD_OUTPUT: &str = "standard output";

/// What is wrong with a file in the place of an output folder.
const IS_FILE: &str = "it is a file, not a folder";

/// The flags that choose a folder for runs; any other flag chooses a file.
const FOLDERS: [&str; 4] = ["--out-dir", "--into", "--work-dir", "TMPDIR"];

#[expect(clippy::wildcard_enum_match_arm, reason = "the system's kinds of error are many, and more are added")]
fn write_help(path: &Path, reason: &io::Error, place: &str) -> String {
    if place == STANDARD_OUTPUT {
        return "send standard output elsewhere; what was written into files is intact".to_owned();
    }
    let is_folder = FOLDERS.contains(&place);
    let what = if is_folder { "folder" } else { "file" };
    let intact = if place == "--out-dir" { "; finished runs are intact" } else { "" };
    let is_device = path.metadata().is_ok_and(|about| !about.is_file() && !about.is_dir());
    match reason.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            format!("choose a {what} you may write to with {place}")
        }
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
            format!("a file is where a folder is needed; choose another {what} with {place}")
        }
        io::ErrorKind::IsADirectory if !is_folder => format!("name a file, not a folder, with {place}"),
        _ if is_device => format!("it is no regular file: choose another {what} with {place}"),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            format!("make room, or choose another {what} with {place}{intact}")
        }
        io::ErrorKind::FileTooLarge => {
            let shorter = if place == "--out-dir" { ", or ask for shorter runs" } else { "" };
            format!("raise the limit on the size of files (`ulimit -f`){shorter}{intact}")
        }
        // Links that lead in a circle, or a place where no folder can be made.
        io::ErrorKind::InvalidInput | io::ErrorKind::NotFound => format!("choose another {what} with {place}"),
        io::ErrorKind::ResourceBusy => {
            format!("wait until the other program is done, or choose another {what} with {place}")
        }
        _ if place == "--out-dir" => "finished runs, if any, are intact".to_owned(),
        _ => format!("choose another {what} with {place}"),
    }
}
