//! The counts of each run, beside the sum of all. With them, a report on stored counts shows the same sites and runs as a report
//! on the folders.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use nandseq_profile::input_time::Bin;

/// The name of a part. Names are ordered with the numbers in them by value: `site_2` comes before `site_10`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct PartName {
    /// The path of the site's folder, or of the file of counts.
    pub site: String,
    /// The run; `None` for a file that does not tell runs apart.
    pub run: Option<u64>,
}

/// The counts of a part, as far as its figures need them.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct PartCounts {
    /// Operations in the sequences.
    pub operations: u64,
    /// Hits by bin.
    pub bins: BTreeMap<Bin, u64>,
    /// The name of the run's phase, if the runs are in phases.
    pub phase: Option<String>,
}

impl PartName {
    /// The text after the site in the name of a run: ` run 3`; empty if there is no run.
    #[must_use]
    pub fn run_text(&self) -> String {
        self.run.map_or_else(String::new, |run| format!(" run {run}"))
    }
}

impl Ord for PartName {
    fn cmp(&self, other: &Self) -> Ordering {
        let pieces = by_value(&self.site).cmp(by_value(&other.site));
        pieces.then_with(|| self.site.cmp(&other.site)).then(self.run.cmp(&other.run))
    }
}

impl PartialOrd for PartName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The pieces of a name as they are compared. Text is (0, text). Digits are (their number + 1, the digits), both without leading
/// zeros.
fn by_value(name: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut rest = name;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let is_digit = first.is_ascii_digit();
        let end = rest.find(|c: char| c.is_ascii_digit() != is_digit).unwrap_or(rest.len());
        let (piece, after) = rest.split_at(end);
        rest = after;
        let digits = piece.trim_start_matches('0');
        Some(if is_digit { (digits.len() + 1, digits) } else { (0, piece) })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_in_the_order_of_their_numbers() {
        let name = |site: &str, run| PartName { site: site.to_owned(), run };
        let ordered = [
            name("a/site_2", None),
            name("a/site_09", Some(2)),
            name("a/site_09", Some(10)),
            name("a/site_9", Some(1)),
            name("a/site_010", Some(1)),
            name("a/site_99", Some(1)),
            name("a/site_100", Some(1)),
            name("a/site_x", Some(1)),
            name("b", Some(1)),
        ];
        assert!(ordered.is_sorted(), "{ordered:?}");
        assert!(ordered.iter().zip(&ordered[1..]).all(|(one, next)| one < next));
    }
}
