//! Orders in which the chains of a die can complete, and how they change.

use super::chain::ChainId;

/// An order in which the steps of all chains of a die can be done: for each step, the chain that it belongs to.
pub(crate) type CompletionOrder = Vec<Option<ChainId>>;

/// Where the later steps of a plan join an order that is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Joining {
    First,
    Last,
}

/// What becomes of the order of a die when a plan that was admitted starts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum NewOrder {
    /// It stays as it is.
    AsItIs,
    /// The steps after the plan's first operation are all that is left to do.
    PlanAlone,
    /// They join the steps that the order has.
    Joined(Joining),
    /// The order in the scratch memory replaces it. `None` there stands for the new chain.
    Found,
}

/// Removes an element of a short list. The elements after it move one by one: there are few, and mostly none.
#[inline]
pub(super) fn remove_at<T>(list: &mut Vec<T>, at: usize) {
    for next in at + 1..list.len() {
        list.swap(next - 1, next);
    }
    list.pop();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_of_a_list_keeps_its_order() {
        for at in 0..5 {
            let (mut list, mut expected) = (vec![10, 11, 12, 13, 14], vec![10, 11, 12, 13, 14]);
            remove_at(&mut list, at);
            expected.remove(at);
            assert_eq!(list, expected);
        }
    }
}
