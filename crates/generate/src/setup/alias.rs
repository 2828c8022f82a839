//! Alias tables: drawing by weight with one random number, whatever the number of items.
//!
//! Source: A. J. Walker's method as M. D. Vose builds it (1991), here in whole numbers, so that it is exact: every item's weight times the
//! number of items is spread over columns that all hold the sum of the weights, at most two items in each.

use crate::random::{RandomNumbers, Stream};

/// A column: the first item up to a height, the second above it.
#[derive(Clone, Copy, Debug)]
struct AliasColumn<T> {
    height: u64,
    items: [T; 2],
}

/// Items with weights, ready to be drawn.
#[derive(Clone, Debug)]
pub(crate) struct AliasTable<T> {
    columns: Vec<AliasColumn<T>>,
    /// The height of every column: the sum of the weights.
    total: u64,
}

impl<T> Default for AliasTable<T> {
    fn default() -> Self {
        Self { columns: Vec::new(), total: 0 }
    }
}

impl<T: Copy> AliasTable<T> {
    /// The table of items whose weights are above 0, and have a sum that times their number is below 2⁶⁴.
    pub(crate) fn new(items: &[(T, u64)]) -> Self {
        let total: u64 = items.iter().map(|&(_, weight)| weight).sum();
        let count = items.len() as u64;
        let scaled = items.iter().map(|&(item, weight)| (item, weight * count));
        let (mut small, mut large): (Vec<_>, Vec<_>) = scaled.partition(|&(_, weight)| weight < total);
        let mut columns = Vec::with_capacity(items.len());
        while let Some((item, height)) = small.pop() {
            // What is left is always as much as the columns that are left hold: something large fills this one.
            let (filler, weight) = large.pop().expect("weights fill all columns");
            columns.push(AliasColumn { height, items: [item, filler] });
            let left = weight - (total - height);
            if left < total { small.push((filler, left)) } else { large.push((filler, left)) }
        }
        columns.extend(large.into_iter().map(|(item, _)| AliasColumn { height: total, items: [item; 2] }));
        Self { columns, total }
    }

    /// Draws an item; `None` when there is none.
    #[inline]
    pub(crate) fn draw(&self, stream: &mut Stream) -> Option<T> {
        if self.total == 0 {
            return None;
        }
        let at = stream.below(self.total * self.columns.len() as u64);
        let column = self.columns.get((at / self.total) as usize)?;
        Some(column.items[usize::from(at % self.total >= column.height)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::StreamKind;

    #[test]
    fn columns_hold_exactly_the_weights_of_the_items() {
        for number in 0..2_000 {
            let mut stream = Stream::new([1, 2], StreamKind::Trial, number);
            let count = 1 + stream.below(80);
            let heaviest = 1 << stream.below(50);
            let weights: Vec<u64> = (0..count).map(|_| 1 + stream.below(heaviest)).collect();
            let items: Vec<(usize, u64)> = weights.iter().copied().enumerate().collect();
            let table = AliasTable::new(&items);
            let mut held = vec![0; weights.len()];
            for column in &table.columns {
                held[column.items[0]] += column.height;
                held[column.items[1]] += table.total - column.height;
            }
            assert_eq!(held, weights.iter().map(|weight| weight * count).collect::<Vec<_>>());
        }
    }

    #[test]
    fn nothing_is_drawn_from_nothing() {
        let table: AliasTable<u8> = AliasTable::new(&[]);
        assert_eq!(table.draw(&mut Stream::new([1, 1], StreamKind::Trial, 0)), None);
    }
}
