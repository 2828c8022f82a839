//! What each run counted, beside the sum of all: a report of stored counts shows the same sites and runs as one of the folders.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use nandseq_profile::input_time::Bin;

/// What a part is called. Names are ordered as people count: numbers in them by value, so that the order does not depend on that in
/// which parts were added.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct PartName {
    /// The path of the site's folder, or of the file of counts.
    pub site: String,
    /// The run; `None` where a file did not tell runs apart.
    pub run: Option<u64>,
}

/// What a part counted, as far as its figures need it.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct PartCounts {
    /// Operations in the sequences.
    pub operations: u64,
    /// Proposals started, by bin.
    pub bins: BTreeMap<Bin, u64>,
}

impl PartName {
    /// What follows the site in the name of a run.
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

/// The pieces of a name: text, and runs of digits as their length without leading zeros, then the digits.
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
