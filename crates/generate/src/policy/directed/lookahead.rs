//! Look-ahead: scores plans by the uncovered bins that they lead to, and finds the best of several.

mod best_plan;
mod scorer;
mod uncovered;
mod way_values;

pub(super) use best_plan::Lookahead;
