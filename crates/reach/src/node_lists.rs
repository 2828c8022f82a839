//! A list for each node, all of them in one piece of memory: a search has ten thousands of lists, most of them short.

/// A list for each node. Items are added in any order; [`Self::group`] makes the lists.
#[derive(Debug)]
pub(crate) struct NodeLists<T> {
    /// The items that were added, each with the number of its node.
    pub(crate) added: Vec<(u32, T)>,
    /// For each node the end of its list in `items`.
    ends: Vec<u32>,
    items: Vec<T>,
}

impl<T> Default for NodeLists<T> {
    fn default() -> Self {
        Self { added: Vec::new(), ends: Vec::new(), items: Vec::new() }
    }
}

impl<T: Copy> NodeLists<T> {
    /// Makes the lists of this many nodes. A list has its items in the order in which they were added.
    pub(crate) fn group(&mut self, nodes: usize) {
        let added = std::mem::take(&mut self.added);
        // First the number of items of each node, then where its list begins, and at last where it ends.
        self.ends = vec![0; nodes];
        added.iter().for_each(|&(node, _)| self.ends[node as usize] += 1);
        let mut begin = 0;
        for end in &mut self.ends {
            begin += std::mem::replace(end, begin);
        }
        let Some(&(_, first)) = added.first() else { return };
        self.items = vec![first; added.len()];
        for (node, item) in added {
            let end = &mut self.ends[node as usize];
            self.items[*end as usize] = item;
            *end += 1;
        }
    }

    /// Sorts each list, and drops what comes again.
    pub(crate) fn make_sets(&mut self)
    where
        T: Ord,
    {
        let (mut begin, mut kept) = (0, 0);
        for end in &mut self.ends {
            self.items[begin..*end as usize].sort_unstable();
            let first = kept;
            for at in begin..*end as usize {
                if kept == first || self.items[kept - 1] != self.items[at] {
                    self.items[kept] = self.items[at];
                    kept += 1;
                }
            }
            begin = *end as usize;
            *end = kept as u32;
        }
        self.items.truncate(kept);
    }

    /// The list of a node.
    pub(crate) fn of(&self, node: u32) -> &[T] {
        let node = node as usize;
        let begin = node.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.items[begin as usize..self.ends[node] as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_node_has_its_items_in_the_order_in_which_they_were_added() {
        let added = vec![(2, 'a'), (0, 'b'), (2, 'c'), (0, 'd'), (2, 'a')];
        let mut lists = NodeLists { added, ..NodeLists::default() };
        lists.group(4);
        let all: Vec<String> = (0..4).map(|node| lists.of(node).iter().collect()).collect();
        assert_eq!(all, ["bd", "", "aca", ""]);
        lists.make_sets();
        let all: Vec<String> = (0..4).map(|node| lists.of(node).iter().collect()).collect();
        assert_eq!(all, ["bd", "", "ac", ""]);
        let mut none = NodeLists::<u32>::default();
        none.group(2);
        assert!(none.of(1).is_empty());
    }
}
