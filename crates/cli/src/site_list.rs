//! Selections of sites of a batch, as flags, manifests and file names have them: the list `1-4,9` or the shard `1/4`.
//!
//! A list has one form, and so has a shard. The shards of a batch are disjoint, and together they are the whole.

use std::fmt;
use std::io;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use nandseq_profile::whole::{count, leading_zero_line};
use nandseq_trace::manifest;

/// Greatest number of sites of a batch.
pub(crate) const MAX_SITES: u64 = 100_000;

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

    /// The words for these sites: `site 3`, `sites 1-4,9`.
    pub(crate) fn in_words(sites: &[u64]) -> String {
        format!("{} {}", if sites.len() == 1 { "site" } else { "sites" }, Self::of(sites))
    }

    /// The sites, in order.
    pub(crate) fn sites(&self) -> impl Iterator<Item = u64> + '_ {
        self.0.iter().cloned().flatten()
    }

    /// Whether a site is among them.
    pub(crate) fn contains(&self, site: u64) -> bool {
        self.0.iter().any(|range| range.contains(&site))
    }

    /// The smallest and the largest site.
    pub(crate) fn ends(&self) -> (u64, u64) {
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

/// Reads numbers and ranges with commas between them, of sites or of whatever `what` names. The result is in order and has no
/// number twice.
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
        let number = count(part).filter(|_| !part.starts_with('+'));
        number.ok_or_else(|| leading_zero_line(part).unwrap_or_else(wrong))
    };
    match text.split_once('-') {
        None => number(text).map(|site: u64| site..=site),
        Some((first, last)) => match (number(first)?, number(last)?) {
            (first, last) if first <= last => Ok(first..=last),
            (first, last) => Err(format!("{text} runs backwards: write {last}-{first}")),
        },
    }
}

/// The `number`-th (from 1) of `of` shares of a batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Shard {
    number: u64,
    of: u64,
}

impl Shard {
    /// The offsets of this shard's sites in a batch of `count` sites. They are neighbours. The sizes of shards differ by one at
    /// most.
    pub(crate) fn share(self, count: u64) -> std::ops::Range<u64> {
        let border = |number: u64| (u128::from(number) * u128::from(count) / u128::from(self.of)) as u64;
        border(self.number - 1)..border(self.number)
    }

    /// The file name of its manifest. Each shard has its own, because shards may share an output folder.
    pub(crate) fn manifest_name(self) -> String {
        format!("manifest.shard-{}-of-{}.json", self.number, self.of)
    }

    /// The shard whose manifest has this name.
    pub(crate) fn of_manifest(name: &str) -> Option<Self> {
        let (number, of) = name.strip_prefix("manifest.shard-")?.strip_suffix(".json")?.split_once("-of-")?;
        let shard: Self = format!("{number}/{of}").parse().ok()?;
        (shard.manifest_name() == name).then_some(shard)
    }

    /// All shards of a batch that is split into as many.
    pub(crate) fn all(self) -> impl Iterator<Item = Self> {
        (1..=self.of).map(move |number| Self { number, ..self })
    }

    /// Whether both split a batch into the same number of shards.
    pub(crate) fn is_of_same_number(self, other: Self) -> bool {
        self.of == other.of
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form = || "a shard is written K/N, for example 1/4: the first of four".to_owned();
        let (number, of) = text.split_once('/').ok_or_else(form)?;
        let whole = |part: &str| {
            let number = count(part).filter(|&number| !part.starts_with('+') && number <= MAX_SITES);
            number.ok_or_else(|| leading_zero_line(part).unwrap_or_else(form))
        };
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

/// Whether the manifest of a batch, or of a shard, has this name.
pub(crate) fn is_of_batch(name: &str) -> bool {
    name == manifest::FILE_NAME || Shard::of_manifest(name).is_some()
}

/// What has the name of a manifest of a batch or of a shard in a folder, in order of names; with the shard, if it is one.
pub(crate) fn lists_in(root: &Path) -> io::Result<Vec<(PathBuf, Option<Shard>)>> {
    let mut lists = Vec::new();
    for entry in root.read_dir()? {
        let entry = entry?;
        if let Some(name) = entry.file_name().to_str().filter(|name| is_of_batch(name)) {
            lists.push((entry.path(), Shard::of_manifest(name)));
        }
    }
    lists.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(lists)
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
