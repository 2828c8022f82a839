//! The pages of a region, counted and found by number, without those that have reached a limit.

use std::ops::RangeInclusive;

/// A set of pages, as ascending ranges.
#[derive(Clone, Debug)]
pub(super) struct PageRanges {
    /// For each range its first page, the page after its last, and how many pages the ranges before it have.
    ranges: Vec<(u32, u32, u32)>,
    /// The same pages, one bit each.
    bits: Box<[u64]>,
}

/// Pages of some blocks that have reached a limit on one of them.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct UsedUp<'a> {
    of_blocks: [&'a [u64]; 8],
    count: usize,
}

impl<'a> UsedUp<'a> {
    /// The pages of one block; `None` if none has reached a limit.
    pub(super) fn of(pages: Option<&'a [u64]>) -> Self {
        let mut one = Self::default();
        one.add(pages);
        one
    }

    /// Adds the pages of a further block.
    pub(super) fn add(&mut self, pages: Option<&'a [u64]>) {
        if let Some(pages) = pages {
            self.of_blocks[self.count % 8] = pages;
            self.count += 1;
        }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.count == 0
    }

    fn word(&self, at: usize) -> u64 {
        self.of_blocks[..self.count.min(8)].iter().filter_map(|pages| pages.get(at)).fold(0, |all, word| all | word)
    }
}

impl PageRanges {
    /// The pages of some ranges, of blocks with `pages` pages.
    pub(super) fn new(ranges: &[RangeInclusive<u32>], pages: u16) -> Self {
        let mut bits = vec![0u64; usize::from(pages).div_ceil(64)].into_boxed_slice();
        let mut before = 0;
        let mut all = Vec::with_capacity(ranges.len());
        for range in ranges {
            let (first, end) = (*range.start(), (range.end() + 1).min(pages.into()));
            (first..end).for_each(|page| bits[page as usize / 64] |= 1 << (page % 64));
            if first < end {
                all.push((first, end, before));
                before += end - first;
            }
        }
        Self { ranges: all, bits }
    }

    /// The last range that begins at a page or before.
    fn range_at(&self, page: u32) -> Option<(u32, u32, u32)> {
        let at = self.ranges.partition_point(|&(first, ..)| first <= page);
        at.checked_sub(1).map(|at| self.ranges[at])
    }

    pub(super) fn contains(&self, page: u16) -> bool {
        self.bits.get(usize::from(page) / 64).is_some_and(|word| word >> (page % 64) & 1 == 1)
    }

    /// How many of the pages are below a page and have reached no limit.
    pub(super) fn count(&self, below: u16, used_up: &UsedUp<'_>) -> u16 {
        if used_up.is_empty() {
            let range = self.range_at(below.into());
            return range.map_or(0, |(first, end, before)| before + end.min(below.into()) - first) as u16;
        }
        let words = self.bits.iter().enumerate().take(usize::from(below).div_ceil(64)).map(|(at, word)| {
            let left = usize::from(below).saturating_sub(at * 64).min(64);
            let own = if left < 64 { (1 << left) - 1 } else { u64::MAX };
            (word & own & !used_up.word(at)).count_ones()
        });
        words.sum::<u32>() as u16
    }

    /// The page with so many of the pages below it that have reached no limit; it has reached none either. There is such a page.
    pub(super) fn nth(&self, index: u16, used_up: &UsedUp<'_>) -> u16 {
        if used_up.is_empty() {
            let at = self.ranges.partition_point(|&(.., before)| before <= index.into());
            let (first, _, before) = self.ranges.get(at.wrapping_sub(1)).copied().unwrap_or_default();
            return (first + u32::from(index) - before) as u16;
        }
        let mut left = u32::from(index);
        for (at, word) in self.bits.iter().enumerate() {
            let mut word = word & !used_up.word(at);
            if left >= word.count_ones() {
                left -= word.count_ones();
                continue;
            }
            for _ in 0..left {
                word &= word - 1;
            }
            return (at as u32 * 64 + word.trailing_zeros()) as u16;
        }
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_counted_and_found_without_those_that_have_reached_a_limit() {
        let all = [vec![0..=199], vec![3..=3], vec![0..=0, 63..=64, 100..=150, 199..=300]];
        for ranges in all {
            let pages = PageRanges::new(&ranges, 200);
            let has = |page: u16| ranges.iter().any(|range| range.contains(&page.into()));
            for step in [0u16, 1, 2, 7] {
                let mut words = [0u64; 4];
                let is_used_up = |page: u16| step > 0 && page.is_multiple_of(step);
                (0..200)
                    .filter(|&page| is_used_up(page))
                    .for_each(|page| words[usize::from(page) / 64] |= 1 << (page % 64));
                let used_up = UsedUp::of((step > 0).then_some(&words[..]));
                let expected: Vec<u16> = (0..200).filter(|&page| has(page) && !is_used_up(page)).collect();
                for below in 0..=200 {
                    assert_eq!(
                        usize::from(pages.count(below, &used_up)),
                        expected.iter().filter(|&&page| page < below).count()
                    );
                    assert_eq!(below < 200 && has(below), below < 200 && pages.contains(below));
                }
                for (index, page) in (0..).zip(&expected) {
                    assert_eq!(pages.nth(index, &used_up), *page);
                }
            }
        }
    }
}
