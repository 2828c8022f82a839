//! Which combinations get a further condition, and what it may be.

use rustc_hash::FxHashMap;

use crate::feature::{Combination, Feature};
use crate::found::FoundCombination;
use crate::names::OpName;

/// How many combinations are changed in one condition at the end.
const CHANGED: usize = 30;
/// How many of those that get a further condition may be about the same operations.
const ALIKE: usize = 6;

/// The best combinations of three conditions and more without one of them, so that another may take its place. What was looked at is
/// left out.
pub(crate) fn with_one_less(found: &[FoundCombination], known: &[Combination]) -> Vec<Combination> {
    let long: Vec<FoundCombination> =
        found.iter().filter(|one| one.is_sure && one.combination.0.len() > 2).cloned().collect();
    let mut parents: Vec<Combination> = Vec::new();
    for combination in seeds_of(&long, CHANGED) {
        for (_, less) in combination.with_one_less() {
            if !less.0.is_empty() && !known.contains(&less) && !parents.contains(&less) {
                parents.push(less);
            }
        }
    }
    parents
}

/// The combinations that get a further condition: those that make the fails likeliest, one of each that count the same, and not many
/// about the same operations.
pub(crate) fn seeds_of(found: &[FoundCombination], most: usize) -> Vec<Combination> {
    let mut order: Vec<&FoundCombination> = found.iter().filter(|one| one.gain > 0.0).collect();
    order.sort_by(|one, other| other.gain.total_cmp(&one.gain).then_with(|| one.combination.cmp(&other.combination)));
    let mut seen = FxHashMap::default();
    let mut alike: FxHashMap<_, usize> = FxHashMap::default();
    order.retain(|one| {
        let shape = Shape::of(&one.combination);
        let about = alike.entry((shape.name, shape.after)).or_default();
        let is_new = seen.insert((one.counted.fails, one.counted.all), ()).is_none() && *about < ALIKE;
        *about += usize::from(is_new);
        is_new
    });
    order.into_iter().take(most).map(|one| one.combination.clone()).collect()
}

/// Combinations and others besides, each once.
pub(crate) fn with_others(mut combinations: Vec<Combination>, others: &[Combination]) -> Vec<Combination> {
    for other in others {
        if !combinations.contains(other) {
            combinations.push(other.clone());
        }
    }
    combinations
}

/// What a further condition of a combination may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) name: Option<OpName>,
    /// It is a name and nothing else: addresses are left to the combination without conditions, names to other names.
    pub(crate) is_name: bool,
    pub(crate) afters: usize,
    pub(crate) after_thats: usize,
    /// The name of the operation before, the first if there are two.
    pub(crate) after: Option<OpName>,
}

impl Shape {
    pub(crate) fn of(combination: &Combination) -> Self {
        let count = |wanted: fn(&Feature) -> bool| combination.0.iter().filter(|one| wanted(&one.feature)).count();
        let name = combination.name();
        Self {
            name,
            is_name: name.is_some() && combination.0.len() == 1,
            afters: count(|feature| matches!(feature, Feature::After(..))),
            after_thats: count(|feature| matches!(feature, Feature::AfterThat(..))),
            after: combination.after().and_then(|condition| match condition.feature {
                Feature::After(name, _) => Some(name),
                Feature::Name(_) | Feature::Fact(_) | Feature::Number(_) | Feature::AfterThat(..) => None,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feature::Condition;

    #[test]
    fn others_are_added_once() {
        let [one, other] = [1, 2].map(|name| Combination(vec![Condition::whole(Feature::Name(OpName(name)))]));
        let all = with_others(vec![one.clone()], &[other.clone(), one.clone()]);
        assert_eq!(all, [one, other]);
    }
}
