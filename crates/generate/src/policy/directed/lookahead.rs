//! Look-ahead: scores plans by the uncovered bins that they lead to, and finds the best of several.

mod best_plan;
mod scorer;
mod uncovered;

pub(super) use best_plan::Lookahead;
