//! What a tester reported of written runs, for the page of the runs.

use std::path::Path;

use nandseq_report::load::SiteTables;
use nandseq_report::page::{PageFail, PageFails};
use nandseq_tester::{CampaignRuns, Fails, FailsError, FieldMap, OtherRuns, RunResult, site_numbers};

use crate::failure::{Failure, Problem};
use crate::written::WrittenRuns;

/// Reads the fails of written runs.
///
/// # Errors
/// If they cannot be read, or are about other runs.
pub(crate) fn read(path: &Path, map: Option<&FieldMap>, found: &WrittenRuns) -> Result<Fails, Failure> {
    let campaign = CampaignRuns::of_sites(&found.profile, &*found.source, &found.sites).map_err(unusable)?;
    let map = map.cloned().unwrap_or_default();
    Fails::read(path, &map, &campaign, OtherRuns::Unknown).map_err(unusable)
}

/// The fails of the runs that a page shows.
///
/// # Errors
/// If it is not known which site is which.
pub(crate) fn of_page(fails: &Fails, found: &WrittenRuns, sites: &[SiteTables]) -> Result<PageFails, Failure> {
    let mut of_page = PageFails::default();
    for (at, (number, tables)) in site_numbers(&found.sites).map_err(unusable)?.into_iter().zip(sites).enumerate() {
        for run in &tables.runs {
            // Numbers of runs have at most seven digits.
            for (part, result) in fails.of(number, run.run as u32) {
                of_page.runs += 1;
                let RunResult::Failed(failed) = result else { continue };
                of_page.failed += 1;
                let fail = |op_uid| PageFail { site: at, run: run.run, part, op_uid };
                match failed.first() {
                    Some(_) => of_page.list.extend(failed.ops().map(|uid| fail(Some(uid)))),
                    None => of_page.list.push(fail(None)),
                }
            }
        }
    }
    Ok(of_page)
}

/// The failure of fails, or of runs that fails are about, that cannot be used.
pub(crate) fn unusable(error: FailsError) -> Failure {
    let problem = Problem::new(error.to_string());
    match error.help {
        Some(help) => problem.help(help).into(),
        None => problem.into(),
    }
}
