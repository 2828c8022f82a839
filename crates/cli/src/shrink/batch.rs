//! Rounds on a tester: the candidates of a round are the sites of a campaign, and the tester's fails answer them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use nandseq_output::manifest::write_manifest;
use nandseq_profile::diagnostic::counted;
use nandseq_shrink::{Candidate, NextRound, Shrinker, ToldStep, TryCounts};
use nandseq_tester::{CampaignRuns, Fails, OtherRuns, RunResult};
use nandseq_trace::inside::InsideName;
use nandseq_trace::manifest::{self, BatchManifest, SCHEMA, SiteRecord};
use nandseq_trace::recorded::{quoted, recorded, shown};
use serde::Serialize;

use super::candidates::SequenceFiles;
use super::saved::OpenSearch;
use super::subject::ShrinkSubject;
use crate::arguments::ReportFormat;
use crate::arguments::shrink::{ShrinkArgs, UnnamedSequences};
use crate::failure::{Failure, Problem, note_text};
use crate::interrupt::stop_on_signals;
use crate::{console, json, tell, terminal};

/// Answers the present round with the tester's fails, if there are any, and writes the next one. Returns whether the search is over.
pub(super) fn go_on(
    arguments: &ShrinkArgs,
    batch: &Path,
    (subject, files): (&ShrinkSubject, &SequenceFiles<'_>),
    open: &mut OpenSearch<'_>,
) -> Result<bool, Failure> {
    let stop = stop_on_signals()?;
    let mut is_answered = arguments.fails.is_empty();
    loop {
        let candidates = match open.next_round(files)? {
            NextRound::Done => return Ok(true),
            NextRound::NeverFails => {
                open.forget()?;
                return Err(subject.never_fails("the tester says that it passed"));
            }
            NextRound::Try(candidates) => candidates,
        };
        let round = open.search.rounds() + 1;
        if !is_answered {
            is_answered = true;
            if take_answers(arguments, round, &candidates, open)? {
                let answers = std::mem::take(&mut open.answers);
                open.answer(files, &answers)?;
                continue;
            }
        }
        open.save()?;
        let folder = batch.join(format!("round_{round:04}"));
        write(&folder, subject, files, (&open.search, &candidates, &stop))?;
        say_what_to_do(arguments, round, (&folder, &candidates), open)?;
        return Ok(false);
    }
}

/// Adds the answers of the tester. Returns whether each sequence has been tried often enough.
fn take_answers(
    arguments: &ShrinkArgs,
    round: u64,
    candidates: &[Candidate],
    open: &mut OpenSearch<'_>,
) -> Result<bool, Failure> {
    match arguments.round {
        Some(other) if other < round => {
            tell(&note_text(&format!("round {other} was answered before: its fails are not counted again")));
            return Ok(false);
        }
        Some(other) if other > round => {
            let problem = Problem::new(format!("there is no round {other} yet: the present one is {round}"));
            return Err(problem.help("name the round that was tested with --round").into());
        }
        Some(_) | None => {}
    }
    let mut campaign = CampaignRuns::default();
    for (site, candidate) in (1..).zip(candidates) {
        campaign.insert(site, 1, Some((1, candidate.size.operations as u64)));
    }
    let others = match arguments.others {
        Some(UnnamedSequences::Passed) => OtherRuns::Passed,
        None => OtherRuns::Unknown,
    };
    let mut answers = open.answers.clone();
    answers.resize(candidates.len(), TryCounts::default());
    for path in &arguments.fails {
        let fails = Fails::read(path, &arguments.map.clone().unwrap_or_default(), &campaign, others);
        let fails = fails.map_err(|error| {
            let problem = Problem::new(error.to_string());
            if let Some(help) = error.help { problem.help(help) } else { problem }
        })?;
        for (site, tried) in (1..).zip(&mut answers) {
            let before = tried.tries;
            for (_, result) in fails.of(site, 1) {
                tried.tries += 1;
                tried.fails += match result {
                    RunResult::Passed => 0,
                    RunResult::Failed(_) => 1,
                };
            }
            if tried.tries == before {
                let problem = Problem::new(format!("`{}` says nothing of site {site}", shown(path)));
                return Err(problem.help("with --others passed it counts as passed").into());
            }
        }
    }
    let is_complete = answers.iter().all(|tried| tried.tries >= arguments.repeat);
    open.answers = answers;
    Ok(is_complete)
}

/// Writes the campaign of a round, unless it is complete. What a kill has left of it is made anew.
fn write(
    folder: &Path,
    subject: &ShrinkSubject,
    files: &SequenceFiles<'_>,
    of_round: (&Shrinker<'_>, &[Candidate], &AtomicBool),
) -> Result<(), Failure> {
    if folder.join(manifest::FILE_NAME).exists() {
        return Ok(());
    }
    let cannot_write = |reason| Failure::cannot_write(folder, reason);
    match fs::remove_dir_all(folder) {
        Err(reason) if reason.kind() != io::ErrorKind::NotFound => return Err(cannot_write(reason)),
        Ok(()) | Err(_) => {}
    }
    let is_complete = write_sites(folder, subject, files, of_round).map_err(cannot_write)?;
    if is_complete { Ok(()) } else { Err(Failure::INTERRUPTED) }
}

/// Writes the sites of a round, and its manifest. Returns whether nothing stopped it.
fn write_sites(
    folder: &Path,
    subject: &ShrinkSubject,
    files: &SequenceFiles<'_>,
    (search, candidates, stop): (&Shrinker<'_>, &[Candidate], &AtomicBool),
) -> io::Result<bool> {
    let mut sites = Vec::new();
    for (site, candidate) in (1..).zip(candidates) {
        if stop.load(Ordering::Relaxed) {
            return Ok(false);
        }
        let name = format!("site_{site:02}");
        let of_site = folder.join(&name);
        fs::create_dir_all(&of_site)?;
        sites.push(SiteRecord {
            site,
            folder: InsideName::try_from(name).map_err(io::Error::other)?,
            runs: 1,
            operations: candidate.size.operations as u64,
            manifest_sha256: files.result(&of_site, &search.carried_out(candidate), Some(site))?,
            covered: false,
        });
    }
    let site = subject.manifest(None);
    let (base_seed, warnings) = (site.site_seed, Vec::new());
    let batch = BatchManifest {
        schema: SCHEMA,
        origin: site.origin,
        seed_formula: site.seed_formula,
        base_seed,
        warnings,
        sites,
    };
    write_manifest(folder, manifest::FILE_NAME, &batch).map(|_| true)
}

/// A search that waits for the tester, as `--format json` tells of it.
#[derive(Serialize)]
struct WaitingSearch {
    schema: u32,
    waiting: bool,
    round: u64,
    folder: String,
    /// Sequences of the round.
    sequences: usize,
    /// Times that they are still to be tried.
    times: u64,
    /// Operations of the largest of them, and of the smallest sequence so far that fails.
    operations: Option<usize>,
    best: usize,
    began_with: usize,
    /// Sequences that were tried before.
    tried: usize,
    steps: Vec<ToldStep>,
}

/// Says what the user does next.
fn say_what_to_do(
    arguments: &ShrinkArgs,
    round: u64,
    (folder, candidates): (&PathBuf, &[Candidate]),
    open: &OpenSearch<'_>,
) -> Result<(), Failure> {
    let done = open.answers.iter().map(|tried| tried.tries).min().unwrap_or_default();
    let times = arguments.repeat.saturating_sub(done);
    match arguments.format {
        ReportFormat::Json => {
            let waiting = WaitingSearch {
                schema: 1,
                waiting: true,
                round,
                folder: recorded(folder),
                sequences: candidates.len(),
                times,
                operations: candidates.iter().map(|candidate| candidate.size.operations).max(),
                best: open.search.best().size.operations,
                began_with: open.search.history().operations().len(),
                tried: open.search.tried(),
                steps: ToldStep::all_of(&open.search),
            };
            return json::print(&json::Of::command("shrink", &waiting));
        }
        ReportFormat::Text if console::is_quiet() => return Ok(()),
        ReportFormat::Text => {}
    }
    let times = if times == 1 { String::new() } else { format!(", {times} times") };
    let best = open.search.best().size.operations;
    terminal::print(&format!(
        "round {round}: {} of at most {} in `{}`, as sites\ntest them{times}, then: the same command with --round {round} --fails FILE\n",
        counted(candidates.len() as u64, "sequence"),
        counted(best as u64, "operation"),
        quoted(folder.as_os_str()),
    ))
}
