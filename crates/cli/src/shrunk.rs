//! A sequence that was shrunk, for the other commands: its story on its page, and what can be done with it.

use std::fs;

use nandseq_profile::diagnostic::counted;
use serde::Deserialize;

use crate::arguments::OF_SHRINK;
use crate::hint::Hint;
use crate::ledger;
use crate::shrink::STORIES;
use crate::written::WrittenRuns;

/// The story as its file has it, as far as a page shows it.
#[derive(Deserialize)]
struct StoryOnPage {
    rounds: u64,
    tried: u64,
    began_with: u64,
    steps: Vec<StepOnPage>,
    operations: Vec<OperationOnPage>,
}

#[derive(Deserialize)]
struct StepOnPage {
    round: u64,
    what: String,
    before: u64,
    after: u64,
}

#[derive(Deserialize)]
struct OperationOnPage {
    seq: u64,
    op_name: String,
    run: u64,
    row: u64,
    why: String,
}

/// Lines for the summary of a page, if the runs are one sequence that was shrunk and its story lies beside it: name, value and meaning.
pub(crate) fn figures(found: &WrittenRuns) -> Vec<(String, String, String)> {
    let [site] = &found.sites[..] else { return Vec::new() };
    let known = ledger::read(&site.folder).ok().flatten().map(|known| known.manifest);
    let is_shrunk = known.is_some_and(|known| known.origin.arguments.first().is_some_and(|first| first == OF_SHRINK));
    let text = if is_shrunk { fs::read(site.folder.join(STORIES[1])).ok() } else { None };
    let Some(story) = text.and_then(|text| serde_json::from_slice::<StoryOnPage>(&text).ok()) else {
        return Vec::new();
    };
    let (rounds, tried) = (counted(story.rounds, "round"), counted(story.tried, "candidate"));
    let from = counted(story.began_with, "operation");
    let first = ("Shrunk from".to_owned(), from, format!("in {rounds} with {tried}"));
    let steps = story.steps.into_iter().map(|StepOnPage { round, what, before, after }| {
        (format!("Round {round}"), format!("{before} → {after}"), what)
    });
    let operations = story.operations.into_iter().map(|OperationOnPage { seq, op_name, run, row, why }| {
        (format!("Operation {seq}"), op_name, format!("{why}; from run {run} row {row}"))
    });
    std::iter::once(first).chain(steps).chain(operations).collect()
}

/// What can be done with a sequence that was shrunk, instead of making it again.
pub(crate) fn instead_of_replay(folder: &std::path::Path) -> String {
    let of = |command| Hint::new(command).operand(folder);
    format!(
        "`{}` judges it, `{}` shows it with its story; the `shrink` that made it makes it again",
        of("verify"),
        of("report")
    )
}
