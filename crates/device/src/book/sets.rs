//! Disjoint sets of small integers, with move, count and n-th element in constant time.
//!
//! An entry is in at most one set. Order inside a set depends only on the sequence of moves, so a run that repeats the moves
//! repeats the order.

/// A family of disjoint sets over entries `0..entries`. Most sets of a small region never have an entry: only those that have had one have a
/// list.
#[derive(Clone, Debug)]
pub(crate) struct Sets {
    /// By set: its list; 0 for one that has had no entry.
    list_of: Vec<u32>,
    /// The first stays empty.
    lists: Vec<Vec<u32>>,
    /// By list: its set.
    set_of: Vec<u32>,
    /// For each entry: its list (0: none) and its position there.
    home: Vec<(u32, u32)>,
}

/// The sets that have lost their last entry or got their first when an entry was moved.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Moved {
    pub(crate) emptied: Option<usize>,
    pub(crate) filled: Option<usize>,
}

impl Moved {
    /// Each of the sets, and whether it has an entry now.
    pub(crate) fn each(self) -> impl Iterator<Item = (usize, bool)> {
        let emptied = self.emptied.map(|set| (set, false));
        emptied.into_iter().chain(self.filled.map(|set| (set, true)))
    }
}

impl Sets {
    /// `sets` empty sets.
    pub(crate) fn new(sets: usize, entries: usize) -> Self {
        Self { list_of: vec![0; sets], lists: vec![Vec::new()], set_of: vec![0], home: vec![(0, 0); entries] }
    }

    /// The entries of a set.
    pub(crate) fn get(&self, set: usize) -> &[u32] {
        &self.lists[self.list_of[set] as usize]
    }

    /// The list of a set.
    fn list(&mut self, set: usize) -> u32 {
        if self.list_of[set] == 0 {
            self.list_of[set] = self.lists.len() as u32;
            self.lists.push(Vec::new());
            self.set_of.push(set as u32);
        }
        self.list_of[set]
    }

    /// Puts the entries of every set in ascending order.
    pub(crate) fn settle(&mut self) {
        let unsorted = self.lists.iter().filter(|list| !list.is_sorted()).map(Vec::len).sum::<usize>();
        if unsorted == 0 {
            return;
        }
        if unsorted * 8 < self.home.len() {
            self.sort();
        } else {
            self.file_anew();
        }
    }

    /// Sorts the sets that are not in order.
    fn sort(&mut self) {
        for list in self.lists.iter_mut().filter(|list| !list.is_sorted()) {
            list.sort_unstable();
            for (position, &entry) in list.iter().enumerate() {
                self.home[entry as usize].1 = position as u32;
            }
        }
    }

    /// Files every entry again, in ascending order: faster than sorting if much is out of order.
    fn file_anew(&mut self) {
        self.lists.iter_mut().for_each(Vec::clear);
        for (entry, (list, position)) in self.home.iter_mut().enumerate().filter(|(_, (list, _))| *list != 0) {
            let list = &mut self.lists[*list as usize];
            *position = list.len() as u32;
            list.push(entry as u32);
        }
    }

    /// Moves an entry to a set, or out of all. Returns the sets that have lost their last entry or got their first by that.
    pub(crate) fn assign(&mut self, entry: u32, set: Option<usize>) -> Moved {
        let (old, position) = self.home[entry as usize];
        let new = set.map_or(0, |set| self.list(set));
        let mut moved = Moved::default();
        if old == new {
            return moved;
        }
        if old != 0 {
            let list = &mut self.lists[old as usize];
            list.swap_remove(position as usize);
            match list.get(position as usize) {
                Some(&last) => self.home[last as usize].1 = position,
                None if list.is_empty() => moved.emptied = Some(self.set_of[old as usize] as usize),
                None => {}
            }
        }
        let mut position = 0;
        if new != 0 {
            let list = &mut self.lists[new as usize];
            position = list.len() as u32;
            list.push(entry);
            if position == 0 {
                moved.filled = set;
            }
        }
        self.home[entry as usize] = (new, position);
        moved
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
        assert_eq!([0, 1, 2].map(|set| sets.get(set).len()), [4, 3, 3]);
        assert_eq!(sets.assign(0, Some(1)), Moved::default());
        assert_eq!(sets.assign(9, None), Moved::default());
        assert_eq!(sets.assign(9, None), Moved::default());
        let mut one = sets.get(1).to_vec();
        one.sort_unstable();
        assert_eq!(one, [0, 1, 4, 7]);
        let mut zero = sets.get(0).to_vec();
        zero.sort_unstable();
        assert_eq!(zero, [3, 6]);
    }

    #[test]
    fn sets_without_an_entry_have_no_list() {
        let mut sets = Sets::new(1000, 5);
        sets.assign(4, Some(999));
        sets.assign(3, Some(999));
        sets.assign(4, Some(2));
        assert_eq!((sets.lists.len(), sets.get(999), sets.get(2), sets.get(3)), (3, &[3][..], &[4][..], &[][..]));
    }

    #[test]
    fn a_move_tells_which_set_it_empties_and_which_it_fills() {
        let mut sets = Sets::new(2, 3);
        assert_eq!(sets.assign(2, Some(1)), Moved { emptied: None, filled: Some(1) });
        assert_eq!(sets.assign(2, Some(0)), Moved { emptied: Some(1), filled: Some(0) });
        assert_eq!(sets.assign(1, Some(0)), Moved::default());
        assert_eq!(sets.assign(2, None), Moved::default());
        assert_eq!(sets.assign(1, None), Moved { emptied: Some(0), filled: None });
    }

    #[test]
    fn sets_come_into_order_whether_they_are_sorted_or_filed_anew() {
        for moved in [1, 40] {
            let mut sets = Sets::new(2, 64);
            for entry in 0..64 {
                sets.assign(entry, Some(0));
            }
            for entry in 0..moved {
                sets.assign(entry, Some(1));
            }
            for entry in (0..moved).rev() {
                sets.assign(entry, (entry % 2 == 0).then_some(1));
            }
            let mut both = [sets.clone(), sets.clone()];
            both[0].sort();
            both[1].file_anew();
            sets.settle();
            for settled in &both {
                assert!(settled.lists.iter().all(|list| list.is_sorted()));
                assert_eq!((&settled.lists, &settled.home), (&sets.lists, &sets.home));
            }
        }
    }
}
