//! The sites of a batch and their seeds: `--seed`, `--seed-formula`, `--site-count`, `--site-start`, `--sites`, `--shard`.
//!
//! A site is the same whichever part of its batch is asked for.

use nandseq_generate::SeedPlan;
use nandseq_profile::diagnostic::counted;
use nandseq_trace::manifest;

use crate::arguments::{SeedFormula, SiteArgs};
use crate::failure::Problem;
use crate::site_folders::SiteFolders;
use crate::site_list::{Shard, SiteList};

/// One site.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct CampaignSite {
    /// The number of the site, if sites are numbered.
    pub(crate) site: Option<u64>,
    /// Its folder, relative to the output folder, with `/` between parts; empty for the output folder itself.
    pub(crate) folder: String,
    /// The seeds of its runs.
    pub(crate) seeds: SeedPlan,
    /// The name that its snapshots give the profile, if it is another than that of the campaign.
    pub(crate) profile_name: Option<String>,
}

impl CampaignSite {
    /// A site that uses the campaign's name of the profile.
    pub(crate) const fn new(site: Option<u64>, folder: String, seeds: SeedPlan) -> Self {
        Self { site, folder, seeds, profile_name: None }
    }
}

/// A batch, and the part of it that one command asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Batch {
    /// The number of the batch's first site.
    pub(crate) start: u64,
    /// Number of sites of the whole batch; 0 if its end is open.
    pub(crate) count: u64,
    /// The part that is asked for.
    pub(crate) part: BatchPart,
}

/// A part of a batch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum BatchPart {
    /// All of them.
    Whole,
    /// The listed sites.
    Sites(SiteList),
    /// One of several equal shares.
    Shard(Shard),
}

impl Batch {
    /// The batch that the flags describe; `None` for a single device without a number.
    pub(crate) fn new(flags: &SiteArgs) -> Option<Self> {
        let part = match (&flags.sites, flags.shard) {
            (Some(list), _) => BatchPart::Sites(list.clone()),
            (None, Some(shard)) => BatchPart::Shard(shard),
            (None, None) => BatchPart::Whole,
        };
        let is_batch = flags.site_count > 0 || part != BatchPart::Whole;
        is_batch.then_some(Self { start: flags.first_site(), count: flags.site_count, part })
    }

    /// The file name of its manifest. That of a shard has a name of its own, because shards may share a folder.
    pub(crate) fn manifest_name(&self) -> String {
        match &self.part {
            BatchPart::Shard(shard) => shard.manifest_name(),
            BatchPart::Whole | BatchPart::Sites(_) => manifest::FILE_NAME.to_owned(),
        }
    }

    /// The numbers of the sites asked for, in order.
    pub(crate) fn sites(&self) -> Vec<u64> {
        match &self.part {
            BatchPart::Whole => (0..self.count).map(|offset| self.start + offset).collect(),
            BatchPart::Sites(list) => list.sites().collect(),
            BatchPart::Shard(shard) => shard.share(self.count).map(|offset| self.start + offset).collect(),
        }
    }

    /// The same batch, of which just these sites (in order) are asked for.
    pub(crate) fn with_sites(&self, sites: &[u64]) -> Self {
        let whole = self.count > 0 && sites.len() as u64 == self.count;
        let part = if whole { BatchPart::Whole } else { BatchPart::Sites(SiteList::of(sites)) };
        Self { part, ..self.clone() }
    }
}

/// The sites that the flags ask for. Their numbers and seeds have been checked.
pub(super) fn campaigns(flags: &SiteArgs, batch: Option<&Batch>, folders: &SiteFolders) -> Vec<CampaignSite> {
    let seeds = |site: u64, offset: u64| match flags.seed_formula {
        SeedFormula::Sequential => SeedPlan::from(flags.seed + offset),
        SeedFormula::Hashed => SeedPlan::Hashed { base: flags.seed, site },
    };
    let Some(batch) = batch else {
        return vec![CampaignSite::new(None, String::new(), seeds(flags.first_site(), 0))];
    };
    let campaign = |site| CampaignSite::new(Some(site), folders.folder(site), seeds(site, site - batch.start));
    batch.sites().into_iter().map(campaign).collect()
}

/// What is assumed of a batch of which sites are listed and the number of sites is not stated.
pub(super) fn assumed(flags: &SiteArgs) -> Option<String> {
    let list = flags.sites.as_ref().filter(|_| flags.site_count == 0)?;
    let sites = SiteList::in_words(&list.sites().collect::<Vec<_>>());
    let (first, seed) = (flags.first_site(), flags.seed);
    Some(format!(
        "--sites without --site-count: as {sites} of any batch that begins with site {first} and --seed {seed}; \
         no command will say that it lacks other sites"
    ))
}

/// Checks that every site is of the batch, and that every site number and sequential seed fits 64 bits.
pub(super) fn check(flags: &SiteArgs, num_runs: u64, problems: &mut Vec<Problem>) {
    let further_sites = flags.site_count.max(1) - 1;
    let Some(last) = flags.first_site().checked_add(further_sites) else {
        let message =
            format!("--site-start {} leaves no numbers for {}", flags.first_site(), counted(flags.site_count, "site"));
        problems.push(Problem::new(message).help("choose a smaller first number"));
        return;
    };
    if let (Some(site), 0, None, None, SeedFormula::Sequential) =
        (flags.site_start, flags.site_count, &flags.sites, flags.shard, flags.seed_formula)
    {
        let message =
            format!("--site-start {site} numbers the sites of a batch, and without --site-count there is none");
        let help = format!(
            "for site {site} alone: `--site-count 1 --site-start {site}`; for one site without a number leave --site-start out"
        );
        problems.push(Problem::new(message).help(help));
    }
    if flags.shard.is_some() && flags.site_count == 0 {
        let message = "--shard splits a batch, but there is no batch";
        problems.push(Problem::new(message).help("say how many sites the whole batch has with --site-count"));
    }
    let listed = flags.sites.as_ref().map(SiteList::ends);
    if let Some((first, end)) = listed
        && (first < flags.first_site() || (flags.site_count > 0 && end > last))
    {
        let stranger = if first < flags.first_site() { first } else { end };
        let message = format!("site {stranger} of --sites is not of the batch");
        let help = match flags.site_count {
            0 => format!("its first site is {}: see --site-start", flags.first_site()),
            _ => format!("its sites are {} to {last}: see --site-start and --site-count", flags.first_site()),
        };
        problems.push(Problem::new(message).help(help));
        return;
    }
    if flags.seed_formula == SeedFormula::Hashed {
        return;
    }
    let further_sites = listed.map_or(further_sites, |(_, end)| further_sites.max(end - flags.first_site()));
    let further_seeds = further_sites.saturating_add(num_runs - 1);
    if flags.seed.checked_add(further_seeds).is_none() {
        let message = format!("--seed {} leaves no seeds for all sites and runs", flags.seed);
        let help = format!("at most `--seed {}` here, or any with `--seed-formula hashed`", u64::MAX - further_seeds);
        problems.push(Problem::new(message).help(help));
    }
}
