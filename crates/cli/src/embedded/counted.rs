//! Coverage of runs in memory.

use nandseq_input::Source;
use nandseq_input::folder::RunFile;
use nandseq_report::coverage::{Coverage, CoverageParts, CoverageUniverse};

use super::generation::Generation;
use crate::captured::capture;
use crate::failure::{Failure, Problem, Refusal};
use crate::json::{Of, text};
use crate::placed_problem::PlacedProblem;
use crate::universe::universe;

/// The coverage of the runs of a campaign, counted run by run.
#[derive(Debug)]
pub struct CountedCoverage {
    universe: CoverageUniverse,
    parts: CoverageParts,
}

impl CountedCoverage {
    /// Nothing is counted yet. Also gives warnings about what can be covered.
    #[must_use]
    pub fn new(generation: &Generation) -> (Self, Vec<PlacedProblem>) {
        let campaign = generation.campaign();
        let table = Some(&*campaign.table.distributions);
        let (universe, captured) = capture(|| universe(&campaign.profile, table, campaign.start()));
        (Self { universe, parts: CoverageParts::default() }, captured.remarks)
    }

    /// Counts a run, whose tables `source` has, in its phase.
    ///
    /// # Errors
    /// When a row makes no sense.
    pub fn add(
        &mut self,
        generation: &Generation,
        source: &dyn Source,
        site: &str,
        (run, phase): (&RunFile, Option<&String>),
    ) -> Result<(), Refusal> {
        let coverage = Coverage::of_run(generation.profile(), source, site, run);
        let coverage = coverage.map_err(|error| Failure::from(Problem::new(error.to_string())))?;
        let coverage = coverage.in_phase(phase);
        self.parts.add(&self.universe, site, &format!(" run {}", run.run), &coverage);
        Ok(())
    }

    /// What `coverage report` says as JSON.
    #[must_use]
    pub fn report(&self, generation: &Generation) -> String {
        let campaign = generation.campaign();
        let report = self.parts.clone().report(&campaign.profile, &self.universe, Some(&campaign.table.distributions));
        text(&Of::command("coverage report", &report))
    }
}
