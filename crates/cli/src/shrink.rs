//! `nandseqgen shrink`: the smallest legal sequence that still fails.
//!
//! What is known is written into the output folder after each round. The same command goes on from there, after a kill too, and ends
//! with the same result. The result is judged by the verifier: a finding is an error.

mod candidates;
mod oracle;
mod subject;

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use nandseq_device::Tables;
use nandseq_output::new_file::NewFile;
use nandseq_shrink::{History, LegalSequence, NextRound, ShrinkState, ShrinkStory, Shrinker};
use nandseq_trace::recorded::shown;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::arguments::ReportFormat;
use crate::arguments::shrink::ShrinkArgs;
use crate::failure::{Failure, Problem, note_text};
use crate::interrupt::stop_on_signals;
use crate::thread_pool::threads;
use crate::{console, json, ledger, tell, terminal, verify};
use candidates::SequenceFiles;
use oracle::Oracle;
use subject::ShrinkSubject;

/// What is known of a search, in the output folder.
const STATE: &str = "shrink-state.json";
/// The smallest sequence so far.
const BEST: &str = "best.csv";
/// The folders of the candidates of a round.
const CANDIDATES: &str = "candidates";
/// The story as text and as JSON.
const STORIES: [&str; 2] = ["story.txt", "story.json"];

/// What is known of a search.
#[derive(Serialize, Deserialize)]
struct SavedSearch {
    /// Times that each sequence is tried, and how many of them must fail.
    repeat: u64,
    fails_at_least: u64,
    search: ShrinkState,
}

/// Runs `nandseqgen shrink`.
pub(crate) fn run(arguments: &ShrinkArgs) -> Result<(), Failure> {
    if arguments.fails_at_least > arguments.repeat {
        let problem = Problem::new("a sequence cannot fail more often than it is tried");
        return Err(problem.help("--fails-at-least is at most --repeat").into());
    }
    shrink(arguments).map_err(|failure| failure.placed_by("--output"))
}

fn shrink(arguments: &ShrinkArgs) -> Result<(), Failure> {
    let subject = ShrinkSubject::find(arguments)?;
    let tables = Tables::new(&subject.found.profile);
    let history = subject.history(&tables)?;
    let stop = stop_on_signals()?;
    let folder = &arguments.output;
    let unwritten = |reason| Failure::cannot_write(folder, reason);
    is_free(folder)?;
    fs::create_dir_all(folder).map_err(unwritten)?;
    let mut search = begin(arguments, &history)?;
    let files = SequenceFiles::new(&subject, &history)?;
    let oracle = Oracle {
        command: &arguments.oracle,
        repeat: arguments.repeat,
        fails_at_least: arguments.fails_at_least,
        stop: &stop,
    };
    loop {
        let sequences = match search.next_round() {
            NextRound::Done => break,
            NextRound::NeverFails => {
                let message = format!("{} does not fail: the oracle lets it pass", subject.name());
                let help = "check the command with the file `best.csv`; an intermittent fault needs --repeat";
                return Err(Problem::new(message).help(help).into());
            }
            NextRound::Try(sequences) => sequences,
        };
        let failed = try_all(&sequences, (&files, &oracle), arguments)?;
        let before = search.best().size;
        search.answer(&failed);
        save(arguments, &files, &search).map_err(unwritten)?;
        if search.best().size != before || search.rounds() % 10 == 0 {
            tell_progress(&search);
        }
    }
    save(arguments, &files, &search).map_err(unwritten)?;
    files.result(folder, search.best()).map_err(unwritten)?;
    judge(&subject, folder)?;
    conclude(arguments, &subject, &search)
}

/// Begins a search, or goes on with the one in the output folder.
fn begin<'h>(arguments: &ShrinkArgs, history: &'h History<'h>) -> Result<Shrinker<'h>, Failure> {
    let path = arguments.output.join(STATE);
    let text = match fs::read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        read => Some(read.map_err(|reason| Problem::unreadable("the state of the search", &path, &reason))?),
    };
    let Some(text) = text else {
        let failing = match arguments.op {
            None => None,
            Some(uid) => Some(history.position(uid).ok_or_else(|| {
                Problem::new(format!("the site has no operation {uid} up to this run"))
                    .help("--op takes the op_uid of a row")
            })?),
        };
        return Shrinker::new(history, failing).map_err(|wrong| {
            let past = &history.operations()[wrong.item as usize];
            Problem::new(format!("the operations cannot be carried out in one run: run {}, row {}", past.run, past.row))
                .into()
        });
    };
    let unusable = |what: &str| {
        let problem = Problem::new(format!("`{}` cannot be gone on with: {what}", shown(&path)));
        Failure::from(problem.help("choose another folder with --output, or remove this one to begin anew"))
    };
    let saved: SavedSearch = serde_json::from_slice(&text).map_err(|_| unusable("it is damaged"))?;
    if (saved.repeat, saved.fails_at_least) != (arguments.repeat, arguments.fails_at_least) {
        return Err(unusable("it was begun with another --repeat or --fails-at-least"));
    }
    let search = Shrinker::resume(history, saved.search).map_err(|error| unusable(&error.to_string()))?;
    tell(&note_text(&format!("goes on after {} rounds", search.rounds())));
    Ok(search)
}

/// Checks that an output folder holds nothing that is not of a search.
fn is_free(folder: &Path) -> Result<(), Failure> {
    let is_other = ledger::read(folder).is_ok_and(|known| known.is_some()) && !folder.join(STATE).exists();
    if is_other {
        let problem = Problem::new(format!("`{}` holds runs already", shown(folder)));
        return Err(problem.help("choose another folder with --output").into());
    }
    Ok(())
}

/// Tries each sequence of a round.
fn try_all(
    sequences: &[LegalSequence],
    (files, oracle): (&SequenceFiles<'_>, &Oracle<'_>),
    arguments: &ShrinkArgs,
) -> Result<Vec<bool>, Failure> {
    let root = arguments.output.join(CANDIDATES);
    let one = |(at, sequence): (usize, &LegalSequence)| {
        let folder = root.join(format!("{:02}", at + 1));
        let path = files.candidate(&folder, sequence).map_err(|reason| Failure::cannot_write(&folder, reason))?;
        oracle.fails(&path)
    };
    let pool = threads(Some(arguments.jobs))?;
    let failed: Vec<Result<bool, Failure>> =
        pool.install(|| sequences.par_iter().enumerate().with_max_len(1).map(one).collect());
    let failed = failed.into_iter().collect();
    // What is left of a round that was interrupted is replaced by the next.
    let _ = fs::remove_dir_all(&root);
    failed
}

/// Writes what is known, and the smallest sequence so far. Each file is replaced when the new one is complete.
fn save(arguments: &ShrinkArgs, files: &SequenceFiles<'_>, search: &Shrinker<'_>) -> io::Result<()> {
    let (repeat, fails_at_least) = (arguments.repeat, arguments.fails_at_least);
    let saved = SavedSearch { repeat, fails_at_least, search: search.state().clone() };
    put(&arguments.output, BEST, &files.text(search.best())?.0)?;
    put(&arguments.output, STATE, &serde_json::to_vec(&saved).map_err(io::Error::other)?)
}

fn put(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let mut file = NewFile::create(folder, name)?;
    file.write_all(bytes)?;
    file.commit().map(|_| ())
}

fn tell_progress(search: &Shrinker<'_>) {
    let operations = search.best().size.operations;
    tell(&note_text(&format!("round {}: {operations} operations", search.rounds())));
}

/// Lets the verifier judge the result.
fn judge(subject: &ShrinkSubject, folder: &Path) -> Result<(), Failure> {
    let report = verify::judge_folder(&subject.found.profile, folder, subject.bad_blocks.clone())?;
    if report.is_clean() {
        return Ok(());
    }
    tell(&report.to_string());
    Err(Problem::new("the verifier finds that the result is not legal: this is a fault of the program").into())
}

/// Writes and prints the story.
fn conclude(arguments: &ShrinkArgs, subject: &ShrinkSubject, search: &Shrinker<'_>) -> Result<(), Failure> {
    let story = ShrinkStory::of(&subject.found.profile, search);
    let text = story.to_string();
    let object = json::Of::command("shrink", &story);
    let machine = serde_json::to_vec_pretty(&object).unwrap_or_default();
    let put_all = || {
        put(&arguments.output, STORIES[0], text.as_bytes())?;
        put(&arguments.output, STORIES[1], &machine)
    };
    put_all().map_err(|reason| Failure::cannot_write(&arguments.output, reason))?;
    match arguments.format {
        ReportFormat::Text if console::is_quiet() => Ok(()),
        ReportFormat::Text => terminal::print(&text),
        ReportFormat::Json => json::print(&object),
    }
}
