//! Disjoint sets of small integers, with move, count and n-th element in constant time.
//!
//! An entry is in at most one set. Order inside a set depends only on the sequence of moves, so a run that repeats the moves
//! repeats the order.

/// A family of disjoint sets over entries `0..entries`.
#[derive(Clone, Debug)]
pub(crate) struct Sets {
    lists: Vec<Vec<u32>>,
    /// For each entry: its set + 1 (0: none) and its position there.
    home: Vec<(u32, u32)>,
}

impl Sets {
    /// `sets` empty sets.
    pub(crate) fn new(sets: usize, entries: usize) -> Self {
        Self { lists: vec![Vec::new(); sets], home: vec![(0, 0); entries] }
    }

    /// The entries of a set.
    pub(crate) fn get(&self, set: usize) -> &[u32] {
        &self.lists[set]
    }

    /// How many entries a set has.
    pub(crate) fn len(&self, set: usize) -> u32 {
        self.lists[set].len() as u32
    }

    /// The set an entry is in.
    pub(crate) fn home(&self, entry: u32) -> Option<usize> {
        (self.home[entry as usize].0 as usize).checked_sub(1)
    }

    /// Puts the entries of every set in ascending order.
    pub(crate) fn settle(&mut self) {
        for list in self.lists.iter_mut().filter(|list| !list.is_sorted()) {
            list.sort_unstable();
            for (position, &entry) in list.iter().enumerate() {
                self.home[entry as usize].1 = position as u32;
            }
        }
    }

    /// Moves an entry to a set, or out of all.
    pub(crate) fn assign(&mut self, entry: u32, set: Option<usize>) {
        let (old, position) = self.home[entry as usize];
        let new = set.map_or(0, |set| set as u32 + 1);
        if old == new {
            return;
        }
        if old != 0 {
            let list = &mut self.lists[old as usize - 1];
            list.swap_remove(position as usize);
            if let Some(&moved) = list.get(position as usize) {
                self.home[moved as usize].1 = position;
            }
        }
        self.home[entry as usize] = match set {
            Some(set) => {
                let list = &mut self.lists[set];
                list.push(entry);
                (new, list.len() as u32 - 1)
            }
            None => (0, 0),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_move_between_sets_without_loss() {
        let mut sets = Sets::new(3, 10);
        for entry in 0..10 {
            sets.assign(entry, Some(entry as usize % 3));
        }
        assert_eq!((sets.len(0), sets.len(1), sets.len(2)), (4, 3, 3));
        sets.assign(0, Some(1));
        sets.assign(9, None);
        sets.assign(9, None);
        let mut one = sets.get(1).to_vec();
        one.sort_unstable();
        assert_eq!(one, [0, 1, 4, 7]);
        let mut zero = sets.get(0).to_vec();
        zero.sort_unstable();
        assert_eq!(zero, [3, 6]);
    }
}
