//! Sites that have the fails of a combination together.

use rustc_hash::FxHashMap;

use crate::feature::{Combination, Condition, Fact, Feature};
use crate::found::{FoundCombination, SURE};
use crate::statistics::UnitCount;

/// Each combination with the sites that together make its fails likeliest, if they are several: of the first 64 sites. `cost` is what it
/// costs to state one.
pub(crate) fn groups_of_sites(found: &[FoundCombination], whole: UnitCount, cost: f64) -> Vec<FoundCombination> {
    let mut of_parents: FxHashMap<Combination, Vec<(u32, UnitCount)>> = FxHashMap::default();
    for one in found {
        let mut rest = one.combination.clone();
        let is_site = |condition: &Condition| match condition.feature {
            Feature::Fact(Fact::Site(site)) if site < u64::BITS => Some(site),
            Feature::Fact(_) | Feature::Name(_) | Feature::Number(_) | Feature::After(..) | Feature::AfterThat(..) => {
                None
            }
        };
        let Some(site) = rest.0.iter().find_map(is_site) else { continue };
        rest.0.retain(|condition| is_site(condition).is_none());
        of_parents.entry(rest).or_default().push((site, one.counted));
    }
    let best_group = |(rest, mut sites): (Combination, Vec<(u32, UnitCount)>)| {
        let rate = |(_, counted): &(u32, UnitCount)| counted.fails as f64 / counted.all.max(1) as f64;
        sites.sort_by(|one, other| rate(other).total_cmp(&rate(one)).then(one.0.cmp(&other.0)));
        let mut best: Option<FoundCombination> = None;
        let (mut group, mut counted) = (0u64, UnitCount::default());
        for ((site, of_site), size) in sites.into_iter().zip(1u32..) {
            (group, counted) = (group | 1 << site, counted.with(of_site));
            let (gain, needed) = (whole.gain(counted), SURE + cost * f64::from(size));
            if size > 1 && best.as_ref().is_none_or(|best| gain - needed > best.gain - best.needed) {
                let combination = rest.with(Condition::whole(Feature::Fact(Fact::Sites(group))));
                best = Some(FoundCombination { combination, counted, gain, needed, is_sure: gain >= needed });
            }
        }
        best
    };
    of_parents.into_iter().filter_map(best_group).collect()
}
