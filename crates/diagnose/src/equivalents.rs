//! Which of the combinations that are one suspect are listed, if there are too many: those that say something of their own.

use crate::feature::{Combination, Fact, Feature, Quantity};
use crate::names::OpName;

/// The most equivalents that a suspect lists.
const MOST_EQUIVALENT: usize = 8;

/// What a condition is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum SaidOf {
    Name,
    Site,
    Die,
    Block,
    Page,
    CellType,
    Planes,
    OpState,
    OpStateOfThat,
    DieState,
    Erases,
    Reads,
    Pattern,
    Before,
    BeforeThat,
}

impl SaidOf {
    const fn of(feature: Feature) -> Self {
        match feature {
            Feature::Name(_) => Self::Name,
            Feature::Fact(fact) => match fact {
                Fact::Site(_) | Fact::Sites(_) => Self::Site,
                Fact::Die(_) | Fact::Plane(..) | Fact::PlaneOfAny(_) | Fact::SitePlane(..) => Self::Die,
                Fact::Block(..) | Fact::SiteBlock(..) => Self::Block,
                Fact::Page(_) | Fact::EvenPage | Fact::OddPage => Self::Page,
                Fact::CellType(_) => Self::CellType,
                Fact::Planes(_) => Self::Planes,
                Fact::State(_) => Self::OpState,
                Fact::Suspended(_) | Fact::Cache | Fact::Latch => Self::DieState,
            },
            Feature::Number(quantity) => match quantity {
                Quantity::Tenth(_) => Self::OpState,
                Quantity::ThatTenth(_) => Self::OpStateOfThat,
                Quantity::Erases => Self::Erases,
                Quantity::Reads => Self::Reads,
                Quantity::Block => Self::Block,
                Quantity::Page => Self::Page,
                Quantity::PatternBefore => Self::Pattern,
            },
            Feature::After(..) => Self::Before,
            Feature::AfterThat(..) => Self::BeforeThat,
        }
    }
}

/// What a combination says something of.
pub(crate) fn said(combination: &Combination) -> Vec<SaidOf> {
    let mut said: Vec<SaidOf> = combination.0.iter().map(|condition| SaidOf::of(condition.feature)).collect();
    said.sort_unstable();
    said
}

/// The earlier operation that a condition names.
const fn earlier_name(feature: Feature) -> Option<OpName> {
    match feature {
        Feature::After(name, _) | Feature::AfterThat(name, _) => Some(name),
        Feature::Name(_) | Feature::Fact(_) | Feature::Number(_) => None,
    }
}

/// Of combinations that are one suspect, the best first, those that are listed with the first, in their order. If there are too many,
/// those go first that say something of which none before them says anything, then those that name another earlier operation.
pub(crate) fn listed(group: &[&Combination]) -> Vec<usize> {
    let features = |at: usize| group[at].0.iter().map(|condition| condition.feature);
    let first = if group.is_empty() { Vec::new() } else { features(0).collect() };
    let mut said: Vec<SaidOf> = first.iter().copied().map(SaidOf::of).collect();
    let mut named: Vec<OpName> = first.iter().copied().filter_map(earlier_name).collect();
    let mut chosen: Vec<usize> = Vec::new();
    let mut rest: Vec<usize> = (1..group.len()).collect();
    for (kinds, names) in [(true, false), (false, true), (false, false)] {
        rest.retain(|&at| {
            let is_new = kinds && features(at).any(|feature| !said.contains(&SaidOf::of(feature)))
                || names && features(at).filter_map(earlier_name).any(|name| !named.contains(&name))
                || !kinds && !names;
            let takes = is_new && chosen.len() < MOST_EQUIVALENT;
            if takes {
                chosen.push(at);
                said.extend(features(at).map(SaidOf::of));
                named.extend(features(at).filter_map(earlier_name));
            }
            !takes
        });
    }
    chosen.sort_unstable();
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feature::{Condition, Relation};

    fn combination(features: &[Feature]) -> Combination {
        Combination(features.iter().copied().map(Condition::whole).collect())
    }

    #[test]
    fn few_equivalents_are_all_listed_in_their_order() {
        let all: Vec<Combination> =
            (0..4).map(|name| combination(&[Feature::After(OpName(name), Relation::Die)])).collect();
        assert_eq!(listed(&all.iter().collect::<Vec<_>>()), [1, 2, 3]);
        assert!(listed(&[]).is_empty());
        assert!(listed(&[&all[0]]).is_empty());
    }

    #[test]
    fn wordings_say_something_of_the_same_whatever_the_names_and_their_order() {
        let features = |name: u16| [Feature::After(OpName(name), Relation::Die), Feature::Name(OpName(name))];
        let mut other_way = features(7);
        other_way.reverse();
        assert_eq!(said(&combination(&features(1))), said(&combination(&other_way)));
        assert_ne!(said(&combination(&features(1))), said(&combination(&features(1)[..1])));
    }

    /// Twelve say the same of the operation before in other relations, the last but one names another, the last a page.
    #[test]
    fn of_many_equivalents_those_that_say_something_else_are_listed() {
        let first = combination(&[Feature::Name(OpName(3)), Feature::After(OpName(1), Relation::Die)]);
        let alike = combination(&[Feature::Name(OpName(3)), Feature::After(OpName(1), Relation::SamePlane)]);
        let other = combination(&[Feature::Name(OpName(3)), Feature::After(OpName(2), Relation::Die)]);
        let place = combination(&[Feature::Name(OpName(3)), Feature::Number(Quantity::Page)]);
        let mut group = vec![&first];
        group.extend([&alike; 12]);
        group.extend([&other, &place]);
        assert_eq!(listed(&group), [1, 2, 3, 4, 5, 6, 13, 14]);
    }
}
