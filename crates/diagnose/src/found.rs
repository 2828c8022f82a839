//! A combination that a search found. Leaves out the search.

use crate::feature::Combination;
use crate::statistics::UnitCount;

/// A hundred to one, as a logarithm, for each of the families of features.
pub(crate) const SURE: f64 = 4.7 + 2.1;

/// A combination and what was counted of it.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct FoundCombination {
    pub(crate) combination: Combination,
    pub(crate) counted: UnitCount,
    /// How much likelier it makes all fails.
    pub(crate) gain: f64,
    /// How much likelier chance alone may make them.
    pub(crate) needed: f64,
    /// Whether chance hardly explains it.
    pub(crate) is_sure: bool,
}
