//! Checks whether a campaign can be carried out, before any file is changed.

use nandseq_generate::Setup;
use nandseq_output::csv_tables::CsvTables;
use nandseq_output::format::TableFormat;
use nandseq_trace::time_column::TimeColumnError;
use rayon::ThreadPool;
use rayon::prelude::*;

use super::{batch, folders, own_names, resume};
use crate::arguments::Format;
use crate::failure::{Failure, Problem, both};
use crate::plan::{Plan, SitePlan};
use crate::thread_pool::threads;

/// Checks that the inputs of a campaign fit together, that each site has a place to begin, and that its files can be written.
/// Nothing is left changed.
pub(crate) fn check(plan: &Plan) -> Result<(), Failure> {
    let places = setup_and_format(plan).and_then(|(setup, _)| places_to_begin(plan, &setup, &threads(plan.jobs)?));
    let sites = plan.sites.iter().map(|site| plan.folder_of(site));
    both(places, folders::check(std::iter::once(plan.out_dir.clone()).chain(sites))).map(drop)
}

/// Checks that each site has a place to begin. Returns remarks for the user.
pub(super) fn places_to_begin(plan: &Plan, setup: &Setup, threads: &ThreadPool) -> Result<Vec<String>, Failure> {
    let of_batch = check_places(plan)?;
    if plan.resume.is_none() {
        return Ok(of_batch);
    }
    let start = |site: &SitePlan| {
        let start = resume::find(plan, site, plan.head(site), setup)?.before_work()?;
        Ok::<_, Failure>(start.remarks)
    };
    let remarks: Vec<Vec<String>> =
        threads.install(|| plan.sites.par_iter().with_max_len(1).map(start).collect::<Result<_, _>>())?;
    Ok(of_batch.into_iter().chain(remarks.into_iter().flatten()).collect())
}

/// Checks that nothing in the folders of a campaign is in its way. Returns remarks about what it replaces.
pub(super) fn check_places(plan: &Plan) -> Result<Vec<String>, Failure> {
    folders::lists_are_files(plan)?;
    batch::check_shards(plan)?;
    let remarks = batch::check_earlier(plan)?;
    own_names::check(plan)?;
    folders::lead_nowhere_else(plan)?;
    Ok(remarks)
}

/// The setup and the format of the tables, which all sites of a campaign share.
pub(super) fn setup_and_format(plan: &Plan) -> Result<(Setup, Box<dyn TableFormat>), Failure> {
    let setup = Setup::new(&plan.profile, &plan.table.distributions, &plan.bad_blocks)
        .map_err(|error| Problem::new(error.to_string()).help(plan.words().how_to_propose(&plan.flags)))?;
    let setup = match &plan.closure {
        Some(closure) => setup.with_goal(&plan.profile, closure.goal.clone()),
        None => setup,
    };
    Ok((setup, format(plan)?))
}

/// The writer of the campaign's form of tables.
fn format(plan: &Plan) -> Result<Box<dyn TableFormat>, Failure> {
    let unfit = |error: TimeColumnError| {
        Problem::new(error.to_string()).help("look at the scale and decimals of `export`, and at `time_resolution`")
    };
    Ok(match plan.format {
        Format::Csv => Box::new(CsvTables::new(&plan.profile).map_err(unfit)?),
        #[cfg(feature = "parquet")]
        Format::Parquet => Box::new(nandseq_parquet::ParquetTables::new(&plan.profile).map_err(unfit)?),
        #[cfg(not(feature = "parquet"))]
        Format::Parquet => return Err(Problem::new("this program was built without Parquet").into()),
    })
}
