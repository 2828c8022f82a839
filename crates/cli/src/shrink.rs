//! `nandseqgen shrink`: the smallest legal sequence that still fails.
//!
//! An oracle, or a tester, says which candidates fail. What is known is written after each round. The same command goes on from there,
//! after a kill too, and ends with the same result. The result is judged by the verifier: a finding is an error.

mod batch;
mod candidates;
mod oracle;
mod saved;
mod subject;

use std::fs;
use std::io;
use std::path::Path;

use nandseq_device::Tables;
use nandseq_shrink::{Candidate, NextRound, ShrinkStory, Shrinker, TryCounts};
use nandseq_trace::manifest;
use nandseq_trace::recorded::shown;
use rayon::prelude::*;

use crate::arguments::ReportFormat;
use crate::arguments::shrink::ShrinkArgs;
use crate::failure::{Failure, Problem};
use crate::interrupt::stop_on_signals;
use crate::thread_pool::threads;
use crate::{console, json, ledger, tell, terminal, verify};
use candidates::SequenceFiles;
pub(crate) use oracle::AskFunction;
use oracle::{Asked, Oracle};
use saved::{OpenSearch, put};
use subject::ShrinkSubject;

/// The folders of the candidates of a round.
const CANDIDATES: &str = "candidates";
/// The story as text and as JSON.
pub(crate) const STORIES: [&str; 2] = ["story.txt", "story.json"];

/// Runs `nandseqgen shrink`.
pub(crate) fn run(arguments: &ShrinkArgs) -> Result<(), Failure> {
    run_with(arguments, Asked::Command(arguments.oracle.as_deref().unwrap_or_default()))
}

/// Runs it with a function for an oracle.
pub(crate) fn run_asking(arguments: &ShrinkArgs, oracle: &AskFunction<'_>) -> Result<(), Failure> {
    run_with(arguments, Asked::Function(oracle))
}

fn run_with(arguments: &ShrinkArgs, asked: Asked<'_>) -> Result<(), Failure> {
    if arguments.fails_at_least > arguments.repeat {
        let problem = Problem::new("a sequence cannot fail more often than it is tried");
        return Err(problem.help("--fails-at-least is at most --repeat").into());
    }
    shrink(arguments, asked).map_err(|failure| failure.placed_by("--into"))
}

fn shrink(arguments: &ShrinkArgs, asked: Asked<'_>) -> Result<(), Failure> {
    let subject = ShrinkSubject::find(arguments)?;
    let tables = Tables::new(&subject.found.profile);
    let history = subject.history(&tables)?;
    is_free(&arguments.into, "--into")?;
    if let Some(batch) = &arguments.batch {
        is_free(batch, "--batch")?;
    }
    let files = SequenceFiles::new(&subject, &history)?;
    let mut open = OpenSearch::begin(arguments, &history)?;
    for folder in std::iter::once(&arguments.into).chain(&arguments.batch) {
        fs::create_dir_all(folder).map_err(|reason| Failure::cannot_write(folder, reason))?;
    }
    let is_over = match &arguments.batch {
        Some(batch) => batch::go_on(arguments, batch, (&subject, &files), &mut open)?,
        None => ask_oracle((arguments, asked), (&subject, &files), &mut open).map(|()| true)?,
    };
    if !is_over {
        return Ok(());
    }
    if open.search.best().operations.is_empty() {
        open.forget()?;
        return Err(judges_nothing(if arguments.batch.is_some() { "the tester says" } else { "the oracle says" }));
    }
    // The story comes first: a folder with a story is one to go on with.
    let folder = &arguments.into;
    let story = ShrinkStory::of(&subject.found.profile, &open.search);
    let written = write_story(folder, &story).and_then(|()| files.result(folder, open.search.best(), None));
    written.map_err(|reason| Failure::cannot_write(folder, reason))?;
    judge(&subject, folder)?;
    match arguments.format {
        ReportFormat::Text if console::is_quiet() => Ok(()),
        ReportFormat::Text => terminal::print(&story.to_string()),
        ReportFormat::Json => json::print(&json::Of::command("shrink", &story)),
    }
}

/// Checks that an output folder, which `flag` names, holds no campaign: nothing but what an earlier call has left.
fn is_free(folder: &Path, flag: &str) -> Result<(), Failure> {
    let is_ours = folder.join(saved::STATE).exists() || folder.join(STORIES[0]).exists();
    let is_there = |name: &str| folder.join(name).symlink_metadata().is_ok();
    if !is_ours && [manifest::FILE_NAME, ledger::FILE_NAME].into_iter().any(is_there) {
        let problem = Problem::new(format!("`{}` holds runs already", shown(folder)));
        return Err(problem.help(format!("choose another folder with {flag}")).into());
    }
    Ok(())
}

/// The failure of a search whose last sequence is empty.
fn judges_nothing(who: &str) -> Failure {
    let problem = Problem::new(format!("{who} that a sequence without any operation fails too: that tells nothing"));
    problem.help("a sequence that does nothing passes; mend what judges, and the same command begins anew").into()
}

/// Carries a search to its end with the oracle.
fn ask_oracle(
    (arguments, asked): (&ShrinkArgs, Asked<'_>),
    (subject, files): (&ShrinkSubject, &SequenceFiles<'_>),
    open: &mut OpenSearch<'_>,
) -> Result<(), Failure> {
    let stop = stop_on_signals()?;
    let oracle = Oracle { asked, repeat: arguments.repeat, stop: &stop };
    loop {
        let candidates = match open.next_round(files)? {
            NextRound::Done => return Ok(()),
            NextRound::NeverFails => {
                open.forget()?;
                return Err(subject.never_fails("the oracle lets it pass"));
            }
            NextRound::Try(candidates) => candidates,
        };
        let answers = try_all(&candidates, (&open.search, files, &oracle), arguments)?;
        open.answer(files, &answers)?;
    }
}

/// Tries each candidate of a round.
fn try_all(
    candidates: &[Candidate],
    (search, files, oracle): (&Shrinker<'_>, &SequenceFiles<'_>, &Oracle<'_>),
    arguments: &ShrinkArgs,
) -> Result<Vec<TryCounts>, Failure> {
    let root = arguments.into.join(CANDIDATES);
    let one = |(at, candidate): (usize, &Candidate)| {
        let folder = root.join(format!("{:02}", at + 1));
        let path = files
            .candidate(&folder, &search.carried_out(candidate))
            .map_err(|reason| Failure::cannot_write(&folder, reason))?;
        oracle.answer(&path)
    };
    let pool = threads(Some(arguments.jobs))?;
    let answers: Vec<Result<TryCounts, Failure>> =
        pool.install(|| candidates.par_iter().enumerate().with_max_len(1).map(one).collect());
    // What stays of it, because it cannot be removed, is replaced by the next round.
    let _ = fs::remove_dir_all(&root);
    answers.into_iter().collect()
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

/// Writes the story.
fn write_story(folder: &Path, story: &ShrinkStory) -> io::Result<()> {
    let machine = serde_json::to_vec_pretty(&json::Of::command("shrink", story)).map_err(io::Error::other)?;
    put(folder, STORIES[0], story.to_string().as_bytes())?;
    put(folder, STORIES[1], &machine)
}
