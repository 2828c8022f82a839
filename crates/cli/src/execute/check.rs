//! Checks whether a campaign can be carried out, before any file is changed.

use nandseq_output::csv_tables::CsvTables;
use nandseq_output::format::TableFormat;
use nandseq_output::named::NamedOutput;
use nandseq_output::pending::folder_of;
use nandseq_trace::time_column::TimeColumnError;
use rayon::ThreadPool;
use rayon::prelude::*;

use super::resume::{self, SiteStart};
use super::setups::Setups;
use super::{batch, folders, own_names, shape};
use crate::arguments::Format;
use crate::campaign::{Campaign, CampaignSite};
use crate::failure::{Failure, Problem, both};
#[cfg(not(feature = "parquet"))]
use crate::inputs::NOT_BUILT;
use crate::thread_pool::threads;

/// Makes sure, without touching anything, that a campaign can be carried out as far as that can be known before it is begun: its inputs fit
/// together, each site has a place to begin, and files can be put where they belong.
pub(crate) fn check(campaign: &Campaign) -> Result<(), Failure> {
    let places = setups_and_format(campaign)
        .and_then(|(setups, _)| places_to_begin(campaign, &setups, &threads(campaign.jobs)?));
    let sites = campaign.sites.iter().map(|site| campaign.folder_of(site));
    let places = both(places, folders::check(std::iter::once(campaign.out_dir.clone()).chain(sites))).map(drop);
    let table = campaign.table.output.as_ref().map_or(Ok(()), |table| {
        let unwritable = |reason| Failure::cannot_write(&table.path, reason);
        let file = NamedOutput::file_of(&table.path).map_err(unwritable)?;
        folders::check(file.map(|file| folder_of(&file).to_owned()))
    });
    both(places, table.map_err(|failure| failure.placed_by("--op-state-probs"))).map(drop)
}

/// Makes sure that each site has a place to begin; says what is worth knowing about it.
pub(super) fn places_to_begin(
    campaign: &Campaign,
    setups: &Setups,
    threads: &ThreadPool,
) -> Result<Vec<String>, Failure> {
    let of_batch = check_places(campaign)?;
    let start = |site: &CampaignSite| Ok::<_, Failure>(place_to_begin(campaign, site, setups)?.remarks);
    let remarks: Vec<Vec<String>> =
        threads.install(|| campaign.sites.par_iter().with_max_len(1).map(start).collect::<Result<_, _>>())?;
    Ok(of_batch.into_iter().chain(remarks.into_iter().flatten()).collect())
}

/// Where a site begins, if nothing is in its way there.
pub(super) fn place_to_begin(campaign: &Campaign, site: &CampaignSite, setups: &Setups) -> Result<SiteStart, Failure> {
    let start = resume::find(campaign, site, campaign.head(site), setups)?.before_work()?;
    folders::names_are_free(campaign, site, |name| start.writes(campaign, name))?;
    Ok(start)
}

/// Checks that nothing in the folders of a campaign is in its way. Returns a remark about a damaged manifest that it does without.
pub(super) fn check_places(campaign: &Campaign) -> Result<Option<String>, Failure> {
    folders::lists_are_files(campaign)?;
    batch::check_shards(campaign)?;
    let remark = batch::check_earlier(campaign)?;
    batch::check_length(campaign)?;
    shape::check(campaign)?;
    own_names::check(campaign)?;
    folders::lead_nowhere_else(campaign)?;
    Ok(remark)
}

/// The setups and the format of the tables, which all sites of a campaign share.
pub(super) fn setups_and_format(campaign: &Campaign) -> Result<(Setups, Box<dyn TableFormat>), Failure> {
    Ok((Setups::new(campaign)?, format(campaign)?))
}

/// The writer of the campaign's form of tables.
fn format(campaign: &Campaign) -> Result<Box<dyn TableFormat>, Failure> {
    let unfit = |error: TimeColumnError| {
        Problem::new(error.to_string()).help("look at the scale and decimals of `export`, and at `time_resolution`")
    };
    Ok(match campaign.format {
        Format::Csv => Box::new(CsvTables::new(&campaign.profile).map_err(unfit)?),
        #[cfg(feature = "parquet")]
        Format::Parquet => Box::new(nandseq_parquet::ParquetTables::new(&campaign.profile).map_err(unfit)?),
        #[cfg(not(feature = "parquet"))]
        Format::Parquet => return Err(Problem::new(NOT_BUILT).into()),
    })
}
