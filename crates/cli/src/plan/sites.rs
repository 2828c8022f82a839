//! Which sites of which batch, and their seeds: `--seed`, `--seed-formula`, `--site-count`, `--site-start`, `--sites`, `--shard`.
//!
//! Promises that a site is the same whichever part of its batch is asked for.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use nandseq_generate::SeedPlan;
use nandseq_profile::diagnostic::counted;
use nandseq_profile::whole::count;

use crate::arguments::{MAX_SITES, SeedFormula, SiteArgs};
use crate::failure::Problem;
use crate::plan::Plan;
use crate::site_folders::SiteFolders;

/// One site.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct SitePlan {
    /// Its number, if sites are numbered.
    pub(crate) site: Option<u64>,
    /// Its folder, relative to the output folder, with `/` between parts; empty for the output folder itself.
    pub(crate) folder: String,
    /// The seeds of its runs.
    pub(crate) seeds: SeedPlan,
}

/// The sites that one command asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Batch {
    /// The number of the batch's first site.
    pub(crate) start: u64,
    /// Sites of the whole batch; 0 when its end is open.
    pub(crate) count: u64,
    /// Which of them are asked for.
    pub(crate) part: Part,
}

/// Which sites of a batch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Part {
    /// All of them.
    Whole,
    /// Those listed.
    Sites(SiteList),
    /// One of several equal shares.
    Shard(Shard),
}

impl Batch {
    /// The batch that the flags describe; `None` for a single device without a number.
    pub(crate) fn new(flags: &SiteArgs) -> Option<Self> {
        let part = match (&flags.sites, flags.shard) {
            (Some(list), _) => Part::Sites(list.clone()),
            (None, Some(shard)) => Part::Shard(shard),
            (None, None) => Part::Whole,
        };
        let is_batch = flags.site_count > 0 || part != Part::Whole;
        is_batch.then_some(Self { start: flags.first_site(), count: flags.site_count, part })
    }

    /// The numbers of the sites asked for, in order.
    pub(crate) fn sites(&self) -> Vec<u64> {
        match &self.part {
            Part::Whole => (0..self.count).map(|offset| self.start + offset).collect(),
            Part::Sites(list) => list.sites().collect(),
            Part::Shard(shard) => shard.share(self.count).map(|offset| self.start + offset).collect(),
        }
    }

    /// The same batch, of which just these sites (in order) are asked for.
    pub(crate) fn with_sites(&self, sites: &[u64]) -> Self {
        let whole = self.count > 0 && sites.len() as u64 == self.count;
        let part = if whole { Part::Whole } else { Part::Sites(SiteList::of(sites)) };
        Self { part, ..self.clone() }
    }
}

impl Plan {
    /// A site of the batch with this number, whether it is asked for or not; `None` where there is no batch.
    pub(crate) fn site_of_batch(&self, number: u64) -> Option<SitePlan> {
        let offset = number.checked_sub(self.batch.as_ref()?.start)?;
        let folder = SiteFolders::parse(self.site_dir_pattern()).ok()?.folder(number);
        let seeds = match self.seed_formula {
            SeedFormula::Sequential => SeedPlan::from(self.base_seed.checked_add(offset)?),
            SeedFormula::Hashed => SeedPlan::Hashed { base: self.base_seed, site: number },
        };
        Some(SitePlan { site: Some(number), folder, seeds })
    }
}

/// The sites of the flags; their numbers and seeds have been checked.
pub(super) fn plans(flags: &SiteArgs, batch: Option<&Batch>, folders: &SiteFolders) -> Vec<SitePlan> {
    let seeds = |site: u64, offset: u64| match flags.seed_formula {
        SeedFormula::Sequential => SeedPlan::from(flags.seed + offset),
        SeedFormula::Hashed => SeedPlan::Hashed { base: flags.seed, site },
    };
    let Some(batch) = batch else {
        return vec![SitePlan { site: None, folder: String::new(), seeds: seeds(flags.first_site(), 0) }];
    };
    let plan =
        |site| SitePlan { site: Some(site), folder: folders.folder(site), seeds: seeds(site, site - batch.start) };
    batch.sites().into_iter().map(plan).collect()
}

/// Every site must be of the batch; every site number and sequential seed must fit 64 bits.
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
        let message = "--shard shares out the sites of a batch, and there is none";
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

/// A list of sites, `1-4,9,12-32`: never empty, each site once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct SiteList(Vec<RangeInclusive<u64>>);

impl SiteList {
    /// The list of these sites, which are in order.
    pub(crate) fn of(sites: &[u64]) -> Self {
        let mut ranges: Vec<RangeInclusive<u64>> = Vec::new();
        for &site in sites {
            match ranges.last_mut() {
                Some(last) if last.end().checked_add(1) == Some(site) => *last = *last.start()..=site,
                _ => ranges.push(site..=site),
            }
        }
        Self(ranges)
    }

    /// The sites, in order.
    fn sites(&self) -> impl Iterator<Item = u64> + '_ {
        self.0.iter().cloned().flatten()
    }

    /// Whether a site is among them.
    pub(crate) fn contains(&self, site: u64) -> bool {
        self.0.iter().any(|range| range.contains(&site))
    }

    /// The smallest and the largest.
    fn ends(&self) -> (u64, u64) {
        let first = self.0.first().map_or(0, |range| *range.start());
        let last = self.0.last().map_or(0, |range| *range.end());
        (first, last)
    }
}

impl FromStr for SiteList {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let ranges = ranges(text, "site")?;
        let count = ranges.iter().map(|range| (range.end() - range.start()).saturating_add(1));
        if count.fold(0, u64::saturating_add) > MAX_SITES {
            return Err(format!("more than {MAX_SITES} sites"));
        }
        // Neighbours become one range, so that a list has one form.
        let sites: Vec<u64> = ranges.into_iter().flatten().collect();
        Ok(Self::of(&sites))
    }
}

/// Numbers and ranges with commas between, of sites or whatever else is numbered; in order, and none twice.
pub(crate) fn ranges(text: &str, what: &str) -> Result<Vec<RangeInclusive<u64>>, String> {
    if text.trim().is_empty() {
        return Err(format!("no {what} is listed; write for example 1-4,9"));
    }
    let mut ranges = text.split(',').map(|part| range(part, what)).collect::<Result<Vec<_>, _>>()?;
    ranges.sort_by_key(|range| *range.start());
    match ranges.windows(2).find(|pair| pair[0].end() >= pair[1].start()) {
        Some(pair) => Err(format!("{what} {} is listed twice", pair[1].start())),
        None => Ok(ranges),
    }
}

fn range(text: &str, what: &str) -> Result<RangeInclusive<u64>, String> {
    let text = text.trim();
    let number = |part: &str| {
        let wrong = || match text {
            "" => "an entry is empty; write for example 1-4,9".to_owned(),
            _ => format!("`{text}` is neither a {what} nor a range such as 1-4"),
        };
        let part = part.trim();
        count(part).filter(|_| !part.starts_with('+')).ok_or_else(wrong)
    };
    match text.split_once('-') {
        None => number(text).map(|site: u64| site..=site),
        Some((first, last)) => match (number(first)?, number(last)?) {
            (first, last) if first <= last => Ok(first..=last),
            (first, last) => Err(format!("{text} runs backwards: write {last}-{first}")),
        },
    }
}

impl fmt::Display for SiteList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, range) in self.0.iter().enumerate() {
            let comma = if at > 0 { "," } else { "" };
            match (range.start(), range.end()) {
                (first, last) if first == last => write!(f, "{comma}{first}")?,
                (first, last) => write!(f, "{comma}{first}-{last}")?,
            }
        }
        Ok(())
    }
}

/// The `number`-th (from 1) of `of` shares of a batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Shard {
    number: u64,
    of: u64,
}

impl Shard {
    /// The share of so many sites: runs of neighbours whose sizes differ by one at most; all shards together are the whole.
    fn share(self, count: u64) -> std::ops::Range<u64> {
        let border = |number: u64| (u128::from(number) * u128::from(count) / u128::from(self.of)) as u64;
        border(self.number - 1)..border(self.number)
    }

    /// What its manifest is called: shards may share an output folder.
    pub(crate) fn manifest_name(self) -> String {
        format!("manifest.shard-{}-of-{}.json", self.number, self.of)
    }

    /// The shard whose manifest is called so.
    pub(crate) fn of_manifest(name: &str) -> Option<Self> {
        let (number, of) = name.strip_prefix("manifest.shard-")?.strip_suffix(".json")?.split_once("-of-")?;
        let shard: Self = format!("{number}/{of}").parse().ok()?;
        (shard.manifest_name() == name).then_some(shard)
    }

    /// Whether both are of as many shards.
    pub(crate) fn is_of_same_number(self, other: Self) -> bool {
        self.of == other.of
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form = || "a shard is written K/N, for example 1/4: the first of four".to_owned();
        let (number, of) = text.split_once('/').ok_or_else(form)?;
        let whole =
            |part: &str| count(part).filter(|&number| !part.starts_with('+') && number <= MAX_SITES).ok_or_else(form);
        let (number, of) = (whole(number)?, whole(of)?);
        match number {
            0 => Err("shards are counted from 1".to_owned()),
            number if number > of => Err(format!("there is no shard {number} of {of}")),
            number => Ok(Self { number, of }),
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]
    use super::*;

    #[test]
    fn a_list_of_sites_has_one_form() {
        for (text, form) in [
            ("1-4,9,12-32", "1-4,9,12-32"),
            ("9, 12-32 ,1-4", "1-4,9,12-32"),
            ("1,2,3", "1-3"),
            ("1-2,3-4,5", "1-5"),
            ("0", "0"),
            ("1e3-1_001", "1000-1001"),
            ("18446744073709551614-18446744073709551615", "18446744073709551614-18446744073709551615"),
        ] {
            let list: SiteList = text.parse().unwrap();
            assert_eq!(list.to_string(), form, "{text}");
            assert_eq!(SiteList::of(&list.sites().collect::<Vec<_>>()), list);
        }
    }

    #[test]
    fn a_bad_list_says_what_is_bad() {
        for (text, part) in [
            ("", "no site"),
            (" ", "no site"),
            ("1,,2", "an entry is empty"),
            ("1,", "an entry is empty"),
            ("4-1", "4-1 runs backwards: write 1-4"),
            ("1-4,3", "site 3 is listed twice"),
            ("5,5", "site 5 is listed twice"),
            ("a", "`a` is neither"),
            ("1-", "`1-` is neither"),
            ("-1", "`-1` is neither"),
            ("1-2-3", "`1-2-3` is neither"),
            ("+1", "`+1` is neither"),
            ("99999999999999999999", "is neither"),
            ("0-18446744073709551615", "more than 100000 sites"),
        ] {
            let message = text.parse::<SiteList>().unwrap_err();
            assert!(message.contains(part), "{text}: {message}");
        }
    }

    #[test]
    fn shards_are_disjoint_and_complete_and_alike_in_size() {
        for count in [0, 1, 3, 4, 32, 100_000] {
            for of in [1, 2, 3, 4, 7, 40] {
                let shares: Vec<_> = (1..=of).map(|number| Shard { number, of }.share(count)).collect();
                let together: Vec<u64> = shares.iter().cloned().flatten().collect();
                assert_eq!(together, (0..count).collect::<Vec<_>>());
                let sizes = shares.iter().map(|share| share.end - share.start);
                assert!(sizes.clone().max().unwrap() - sizes.min().unwrap() <= 1);
            }
        }
    }

    #[test]
    fn a_bad_shard_says_what_is_bad() {
        for (text, part) in [
            ("", "K/N"),
            ("1", "K/N"),
            ("0/4", "from 1"),
            ("5/4", "no shard 5 of 4"),
            ("1/0", "no shard 1 of 0"),
            ("/", "K/N"),
            ("a/4", "K/N"),
        ] {
            assert!(text.parse::<Shard>().unwrap_err().contains(part), "{text}");
        }
    }
}
