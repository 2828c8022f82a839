//! What a plan leads to, and the best of some plans by that.

mod best_plan;
mod scorer;
mod uncovered;

pub(super) use best_plan::Lookahead;
