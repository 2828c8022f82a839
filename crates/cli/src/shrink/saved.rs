//! What is known of a search, on disk: all that is needed to go on after a kill.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use nandseq_output::new_file::NewFile;
use nandseq_shrink::{NextRound, RepeatRule, SequenceHistory, SequenceSize, ShrinkState, Shrinker, TryCounts};
use nandseq_trace::files::Digest;
use nandseq_trace::recorded::shown;
use serde::{Deserialize, Serialize};

use super::candidates::SequenceFiles;
use crate::arguments::shrink::ShrinkArgs;
use crate::failure::{Failure, Problem, note_text};
use crate::tell;

/// What is known of a search.
pub(super) const STATE: &str = "shrink-state.json";
/// The form of the state.
const SCHEMA: u32 = 4;
/// The smallest sequence so far.
const BEST: &str = "best.csv";

/// The first line of the state: what the rest is.
#[derive(Serialize, Deserialize)]
struct StateHeader {
    schema: u32,
    sha256: Digest,
}

/// The state as it is written.
#[derive(Serialize, Deserialize)]
struct SavedSearch {
    /// The answers to the present round so far.
    answers: Vec<TryCounts>,
    search: ShrinkState,
}

/// A search with its folder.
pub(super) struct OpenSearch<'h> {
    pub(super) search: Shrinker<'h>,
    /// The answers to the present round so far.
    pub(super) answers: Vec<TryCounts>,
    folder: PathBuf,
}

impl<'h> OpenSearch<'h> {
    /// Begins a search, or goes on with the one in the folder.
    pub(super) fn begin(arguments: &ShrinkArgs, history: &'h SequenceHistory<'h>) -> Result<Self, Failure> {
        let folder = arguments.batch.as_ref().unwrap_or(&arguments.into).clone();
        let path = folder.join(STATE);
        let text = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            read => Some(read.map_err(|reason| Problem::unreadable("the state of the search", &path, &reason))?),
        };
        let (search, answers) = match text {
            None => (new_search(arguments, history)?, Vec::new()),
            Some(text) => saved_search(arguments, history, (&path, &text))?,
        };
        Ok(Self { search, answers, folder })
    }

    /// The next round. The smallest sequence is written if it is a new one.
    pub(super) fn next_round(&mut self, files: &SequenceFiles<'_>) -> Result<NextRound, Failure> {
        let before = self.search.best().size;
        let next = self.search.next_round();
        self.write_best(before, files)?;
        Ok(next)
    }

    /// Writes the smallest sequence if it is a new one.
    fn write_best(&self, before: SequenceSize, files: &SequenceFiles<'_>) -> Result<(), Failure> {
        if self.search.best().size != before || !self.folder.join(BEST).exists() {
            let text = files.text(self.search.best()).and_then(|(text, _)| put(&self.folder, BEST, &text));
            text.map_err(|reason| self.unwritten(reason))?;
            let operations = self.search.best().size.operations;
            tell(&note_text(&format!("round {}: {operations} operations", self.search.rounds())));
        }
        Ok(())
    }

    /// Takes the answers to a round, and writes what is known.
    pub(super) fn answer(&mut self, files: &SequenceFiles<'_>, answers: &[TryCounts]) -> Result<(), Failure> {
        let before = self.search.best().size;
        self.search.answer(answers);
        self.answers.clear();
        self.write_best(before, files)?;
        self.save()
    }

    /// Removes what is known: an answer that cannot be right is not gone on from.
    pub(super) fn forget(&self) -> Result<(), Failure> {
        for name in [STATE, BEST] {
            match fs::remove_file(self.folder.join(name)) {
                Err(reason) if reason.kind() != io::ErrorKind::NotFound => return Err(self.unwritten(reason)),
                Ok(()) | Err(_) => {}
            }
        }
        Ok(())
    }

    /// Writes what is known. The file is replaced when the new one is complete.
    pub(super) fn save(&self) -> Result<(), Failure> {
        let saved = SavedSearch { answers: self.answers.clone(), search: self.search.state().clone() };
        let written = (|| {
            let state = serde_json::to_vec(&saved)?;
            let mut text = serde_json::to_vec(&StateHeader { schema: SCHEMA, sha256: Digest::of(&state) })?;
            text.push(b'\n');
            text.extend(state);
            put(&self.folder, STATE, &text)
        })();
        written.map_err(|reason| self.unwritten(reason))
    }

    fn unwritten(&self, reason: io::Error) -> Failure {
        Failure::cannot_write(&self.folder, reason)
    }
}

const fn rule_of(arguments: &ShrinkArgs) -> RepeatRule {
    RepeatRule { repeat: arguments.repeat, fails_at_least: arguments.fails_at_least }
}

fn new_search<'h>(arguments: &ShrinkArgs, history: &'h SequenceHistory<'h>) -> Result<Shrinker<'h>, Failure> {
    let unknown = |uid| {
        let problem = Problem::new(format!("the site has no operation {uid} up to this run"));
        problem.help("--op takes the op_uid of a row")
    };
    let failing = match arguments.op {
        Some(uid) => Some(history.position(uid).ok_or_else(|| unknown(uid))?),
        None => None,
    };
    Shrinker::new(history, failing, rule_of(arguments)).map_err(|wrong| {
        let past = &history.operations()[wrong.item as usize];
        let place = format!("run {}, row {}", past.run, past.row);
        Problem::new(format!("the operations of the site cannot be carried out in one run: {place}")).into()
    })
}

fn saved_search<'h>(
    arguments: &ShrinkArgs,
    history: &'h SequenceHistory<'h>,
    (path, text): (&Path, &[u8]),
) -> Result<(Shrinker<'h>, Vec<TryCounts>), Failure> {
    let unusable = |what: &str| {
        let problem = Problem::new(format!("`{}` cannot be gone on with: {what}", shown(path)));
        Failure::from(problem.help("choose another folder, or remove this one to begin anew"))
    };
    let (header, state) = text.split_at(text.iter().position(|byte| *byte == b'\n').map_or(text.len(), |end| end + 1));
    let header: StateHeader = serde_json::from_slice(header).map_err(|_| unusable("it is damaged"))?;
    if header.schema != SCHEMA {
        return Err(unusable("another version wrote it"));
    }
    let intact = (Digest::of(state) == header.sha256).then(|| serde_json::from_slice(state).ok()).flatten();
    let saved: SavedSearch = intact.ok_or_else(|| unusable("it is damaged"))?;
    let search =
        Shrinker::resume(history, saved.search, rule_of(arguments)).map_err(|error| unusable(&error.to_string()))?;
    Ok((search, saved.answers))
}

/// Writes a file. An older one is replaced when the new one is complete.
pub(super) fn put(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let mut file = NewFile::create(folder, name)?;
    file.write_all(bytes)?;
    file.commit().map(|_| ())
}
