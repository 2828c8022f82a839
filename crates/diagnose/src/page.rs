//! A diagnosis as a page: the page of runs, whose sites are excerpts of the time around the suspects' examples.

use std::io::Write;

use nandseq_input::folder::SiteFiles;
use nandseq_profile::Ticks;
use nandseq_report::load::{self, TimeRange, Wanted};
use nandseq_report::page::{self, PageOfSuspects, PageSubject, ShownCount, ShownSuspect, SuspectExcerpt, UnevenPlace};
use nandseq_report::{LoadError, SiteTables};

use crate::diagnosis::Diagnosis;
use crate::evidence::ExampleOperation;
use crate::statistics::UnitCount;
use crate::suspect::Suspect;
use crate::walk::TestedRuns;

/// The suspects that have excerpts.
const MOST_SHOWN: usize = 10;
/// The least time that is shown before and after an example.
const MARGIN: Ticks = Ticks::from_us(20);

/// The parts of a page, read and ready to be written.
#[derive(Debug)]
pub struct DiagnosisPage {
    suspects: PageOfSuspects,
    excerpts: Vec<SiteTables>,
}

impl DiagnosisPage {
    /// Reads the excerpts.
    ///
    /// # Errors
    /// [`LoadError`] at the first row that makes no sense.
    pub fn new(runs: &TestedRuns<'_>, diagnosis: &Diagnosis) -> Result<Self, LoadError> {
        let mut excerpts = Vec::new();
        let mut list = Vec::new();
        for suspect in &diagnosis.suspects {
            let mut shown = shown(suspect);
            for (word, example) in ["fails", "passes"].into_iter().zip(suspect.examples) {
                let Some(example) = example.filter(|_| suspect.rank <= MOST_SHOWN) else { continue };
                let text = excerpt_name(runs, example);
                let tables = excerpt(runs, example, format!("{}, {word}: {text}", suspect.rank))?;
                shown.excerpts.push(SuspectExcerpt { word, text, site: excerpts.len(), uid: example.place.uid });
                excerpts.push(tables);
            }
            list.push(shown);
        }
        let spread = diagnosis.spread.iter().map(|one| UnevenPlace {
            kind: one.kind,
            place: one.place.clone(),
            fails: one.fails,
            of: one.of,
            share: one.share,
            chance: one.chance,
        });
        let suspects = PageOfSuspects { verdict: diagnosis.verdict.clone(), spread: spread.collect(), list };
        Ok(Self { suspects, excerpts })
    }

    /// Writes the page. `tool` is the name and version of the program.
    ///
    /// # Errors
    /// The errors of `out`.
    pub fn write(&self, runs: &TestedRuns<'_>, tool: &str, out: impl Write) -> std::io::Result<()> {
        let subject = PageSubject {
            profile: runs.profile,
            sites: &self.excerpts,
            table: None,
            verdict: None,
            fails: None,
            tool,
            figures: &[],
            cut: "Each site of this page is an excerpt: the time around an operation.",
            plan: None,
            suspects: Some(&self.suspects),
        };
        page::write(&subject, out)
    }
}

fn shown(suspect: &Suspect) -> ShownSuspect {
    let count = |UnitCount { fails, all }: UnitCount| ShownCount { fails, all };
    ShownSuspect {
        rank: suspect.rank,
        what: suspect.what.clone(),
        score: suspect.score,
        interval: suspect.interval,
        operations: count(suspect.operations),
        runs: count(suspect.runs),
        also_explains: suspect.also_explains.clone(),
        excerpts: Vec::new(),
    }
}

fn excerpt_name(runs: &TestedRuns<'_>, example: ExampleOperation) -> String {
    let place = example.place;
    let run = runs.sites[place.site].runs[place.run].run;
    format!("{}, run {run}, op_uid {}", runs.site_names[place.site], place.uid)
}

/// The rows of the timelines around an example.
fn excerpt(runs: &TestedRuns<'_>, example: ExampleOperation, name: String) -> Result<SiteTables, LoadError> {
    let ExampleOperation { place, from } = example;
    let site = &runs.sites[place.site];
    let files = SiteFiles { runs: vec![site.runs[place.run].clone()], ..site.clone() };
    let margin = MARGIN.0.max(place.start.0.saturating_sub(from.0) / 5);
    let window =
        TimeRange { from: Ticks(from.0.saturating_sub(margin)), to: Ticks(place.start.0.saturating_add(margin)) };
    let wanted = Wanted { operations: true, stretches: true, segments: true, window: Some(window), ..Wanted::NONE };
    let tables = load::site(runs.profile, runs.source, &files, Wanted { most_rows: 20_000, ..wanted })?;
    Ok(SiteTables { name, ..tables })
}
