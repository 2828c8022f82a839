//! The runs that fails may be about: which sites and runs there are, and the operations of each.

use std::collections::BTreeMap;

use nandseq_input::folder::{RunFile, SiteFiles, number_of};
use nandseq_input::{ReadError, SequenceReader, Source};
use nandseq_profile::Profile;

use crate::answer::FailsError;

/// The sites and runs of a campaign, each with the `op_uid`s of its operations.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct CampaignRuns {
    /// By site and run the first and last `op_uid`; `None` for a run without operations.
    runs: BTreeMap<(u32, u32), Option<(u64, u64)>>,
}

impl CampaignRuns {
    /// The runs of some sites. A site without a number is site 1, if it is alone. Of a run whose manifest lists its sequence, only the first row is read.
    ///
    /// # Errors
    /// If a sequence cannot be read, or it is not known which site is which.
    pub fn of_sites(profile: &Profile, source: &dyn Source, sites: &[SiteFiles]) -> Result<Self, FailsError> {
        let mut campaign = Self::default();
        for files in sites {
            let unknown = |what: String| FailsError::of_file(what).in_file(&files.folder);
            let number = number_of(files).or_else(|| (sites.len() == 1).then_some(1));
            let number = number.ok_or_else(|| unknown("it is not known which site this is".to_owned()))?;
            let site = u32::try_from(number).map_err(|_| unknown(format!("no tester has a site {number}")))?;
            for file in &files.runs {
                let run = u32::try_from(file.run).map_err(|_| unknown(format!("no tester has a run {}", file.run)))?;
                let uids = uids(profile, source, file)?;
                if campaign.runs.insert((site, run), uids).is_some() {
                    let what = format!("run {run} of site {site} is there twice");
                    return Err(unknown(what).with_help("name the folder of one campaign"));
                }
            }
        }
        Ok(campaign)
    }

    /// Adds a run with its first and last `op_uid`.
    pub fn insert(&mut self, site: u32, run: u32, uids: Option<(u64, u64)>) {
        self.runs.insert((site, run), uids);
    }

    /// The sites and runs, in order.
    pub fn iter(&self) -> impl Iterator<Item = (u32, u32)> {
        self.runs.keys().copied()
    }

    /// Whether there is a site.
    pub(crate) fn has_site(&self, site: u32) -> bool {
        self.runs.range((site, 0)..=(site, u32::MAX)).next().is_some()
    }

    /// The first and last `op_uid` of a run; `None` if there is no such run.
    #[must_use]
    pub fn uids(&self, site: u32, run: u32) -> Option<Option<(u64, u64)>> {
        self.runs.get(&(site, run)).copied()
    }
}

/// The first and the last `op_uid` of a run.
fn uids(profile: &Profile, source: &dyn Source, file: &RunFile) -> Result<Option<(u64, u64)>, FailsError> {
    let wrong = |what: String| FailsError::of_file(what).in_file(&file.path);
    let io = |error| FailsError::unreadable(&error).in_file(&file.path);
    let mut reader = match SequenceReader::new(profile, source.open(&file.path).map_err(io)?) {
        Ok(reader) => reader,
        Err(ReadError::Io(error)) => return Err(io(error)),
        Err(error @ ReadError::Header(_)) => return Err(wrong(error.to_string())),
    };
    let mut found: Option<(u64, u64)> = None;
    while let Some(row) = reader.next_row().map_err(io)? {
        let row = row.map_err(|bad| wrong(format!("row {}: {}", bad.row, bad.fault)))?;
        // Operations of a run have numbers that follow one another.
        if let Some(rows @ 1..) = file.rows {
            return Ok(Some((row.uid, row.uid.saturating_add(rows - 1))));
        }
        found = Some((found.map_or(row.uid, |(first, _)| first), row.uid));
    }
    Ok(found)
}
