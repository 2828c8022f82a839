//! The conditions on the address of a step, with the addresses of the steps before put in.

use nandseq_device::{AddressRegion, Place, Size};
use nandseq_plan::model::{AddressPart, NumberRanges, PlaceRelation, ScenarioStep};
use nandseq_profile::{Die, Plane, PlaneSet};

/// What a place must be. All of it holds.
#[derive(Clone, Debug)]
pub(super) struct PlaceConditions {
    pub(super) die: Die,
    /// The planes that it may have.
    pub(super) planes: PlaneSet,
    /// A plane that it must have.
    pub(super) has_plane: Option<Plane>,
    pub(super) blocks: Vec<BlockCondition>,
    /// The pages that it may have: ascending ranges, both ends included.
    pub(super) pages: Vec<(u32, u32)>,
}

/// What each of its blocks must be.
#[derive(Clone, Debug)]
pub(super) enum BlockCondition {
    In(NumberRanges),
    SameAs(Place),
    OtherThan(Place),
    NextTo(Place),
}

impl BlockCondition {
    /// Whether the block of a group on a plane fits.
    fn fits(&self, size: &Size, group: u32, plane: Plane) -> bool {
        match self {
            Self::In(ranges) => ranges.contains(Place { group, ..Place::default() }.block(size, plane).0),
            Self::SameAs(other) => other.group == group && other.planes.contains(plane),
            Self::OtherThan(other) => !(other.group == group && other.planes.contains(plane)),
            Self::NextTo(other) => other.group.abs_diff(group) == 1 && other.planes.contains(plane),
        }
    }
}

impl PlaceConditions {
    /// No conditions but the die.
    pub(super) fn anywhere(size: &Size, die: Die) -> Self {
        let planes = PlaneSet::first(size.planes.into());
        Self { die, planes, has_plane: None, blocks: Vec::new(), pages: vec![(0, size.pages.into())] }
    }

    /// Whether they say no more than the die.
    pub(super) fn is_anywhere(&self, size: &Size) -> bool {
        let whole = PlaneSet::first(size.planes.into());
        self.planes == whole && self.has_plane.is_none() && self.has_all_blocks(size)
    }

    /// Whether they let in every block and page of their planes.
    pub(super) fn has_all_blocks(&self, size: &Size) -> bool {
        let has_all_pages = matches!(self.pages[..], [(0, last)] if last.saturating_add(1) >= size.pages.into());
        self.blocks.is_empty() && has_all_pages
    }

    /// The conditions of a step on a die. `done` gives the place of an earlier step, if its operation has started; what is relative to
    /// another step is left out.
    pub(super) fn of(size: &Size, die: Die, step: &ScenarioStep, done: impl Fn(usize) -> Option<Place>) -> Self {
        let mut all = Self::anywhere(size, die);
        for condition in &step.places {
            let other = match condition.relation {
                PlaceRelation::SameAs(step) | PlaceRelation::OtherThan(step) | PlaceRelation::NextTo(step) => {
                    done(step)
                }
                PlaceRelation::In(_) => None,
            };
            // Neighbours are on one die.
            let is_near = matches!(condition.relation, PlaceRelation::NextTo(_));
            if is_near && other.is_some_and(|other| other.die != die) {
                all.planes = PlaneSet::EMPTY;
            }
            match condition.part {
                AddressPart::Die => {} // It was chosen when the attempt began.
                AddressPart::Plane => all.add_plane(size, &condition.relation, other),
                AddressPart::Block => all.blocks.extend(block_condition(&condition.relation, other)),
                AddressPart::Page => all.add_page(&condition.relation, other),
            }
        }
        all
    }

    fn add_plane(&mut self, size: &Size, relation: &PlaceRelation, other: Option<Place>) {
        let planes = match (relation, other) {
            (PlaceRelation::In(ranges), _) => {
                let inside = (0..size.planes).map(Plane).filter(|plane| ranges.contains(plane.0.into()));
                inside.fold(PlaneSet::EMPTY, |all, plane| all.union(PlaneSet::one(plane)))
            }
            (PlaceRelation::SameAs(_), Some(other)) => other.planes,
            (PlaceRelation::OtherThan(_), Some(other)) => self.planes.minus(other.planes),
            (PlaceRelation::SameAs(_) | PlaceRelation::OtherThan(_), None) | (PlaceRelation::NextTo(_), _) => {
                self.planes
            }
        };
        self.planes = self.planes.and(planes);
    }

    fn add_page(&mut self, relation: &PlaceRelation, other: Option<Place>) {
        let page = other.map(|other| u32::from(other.page.0));
        let wanted: Vec<(u32, u32)> = match (relation, page) {
            (PlaceRelation::In(ranges), _) => ranges.0.iter().map(|range| (*range.start(), *range.end())).collect(),
            (PlaceRelation::SameAs(_), Some(page)) => vec![(page, page)],
            (PlaceRelation::OtherThan(_), Some(page)) => {
                page.checked_sub(1).map(|before| (0, before)).into_iter().chain([(page + 1, u32::MAX)]).collect()
            }
            (PlaceRelation::NextTo(_), Some(page)) => {
                page.checked_sub(1).into_iter().chain([page + 1]).map(|page| (page, page)).collect()
            }
            (PlaceRelation::SameAs(_) | PlaceRelation::OtherThan(_) | PlaceRelation::NextTo(_), None) => return,
        };
        if let (PlaceRelation::NextTo(_), Some(other)) = (relation, other) {
            self.blocks.push(BlockCondition::SameAs(other));
        }
        self.keep_pages(&wanted);
    }

    /// Takes away the pages that are in none of some ranges.
    fn keep_pages(&mut self, wanted: &[(u32, u32)]) {
        let both = |&(from, to): &(u32, u32)| {
            let inside = wanted.iter().map(move |&(least, most)| (from.max(least), to.min(most)));
            inside.filter(|(from, to)| from <= to).collect::<Vec<_>>()
        };
        self.pages = self.pages.iter().flat_map(both).collect();
    }

    /// The same inside a region; `None` if the region is not on the die. An erase fits whatever the pages of the region.
    pub(super) fn inside(&self, region: &AddressRegion, erases: bool) -> Option<Self> {
        let mut all = self.clone();
        all.planes = all.planes.and(region.planes);
        all.blocks.push(BlockCondition::In(NumberRanges(region.blocks.clone())));
        if !erases {
            all.keep_pages(&region.pages.iter().map(|range| (*range.start(), *range.end())).collect::<Vec<_>>());
        }
        region.has_die(self.die).then_some(all)
    }

    /// The same without what pages must be.
    pub(super) fn of_block(&self) -> Self {
        Self { pages: vec![(0, u32::MAX)], ..self.clone() }
    }

    /// Whether the block of a group on a plane fits.
    pub(super) fn fits_block(&self, size: &Size, group: u32, plane: Plane) -> bool {
        self.blocks.iter().all(|condition| condition.fits(size, group, plane))
    }

    /// The groups among which all are that fit, ascending: the first, and one after the last.
    pub(super) fn groups(&self, size: &Size) -> (u32, u32) {
        let planes = u32::from(size.planes);
        let span = |condition: &BlockCondition| match condition {
            BlockCondition::In(ranges) => {
                let ends = ranges.0.first().zip(ranges.0.last());
                ends.map_or((0, 0), |(first, last)| (first.start() / planes, last.end() / planes + 1))
            }
            BlockCondition::SameAs(other) => (other.group, other.group + 1),
            BlockCondition::NextTo(other) => (other.group.saturating_sub(1), other.group + 2),
            BlockCondition::OtherThan(_) => (0, size.groups),
        };
        self.blocks.iter().map(span).fold((0, size.groups), |(from, to), (least, most)| (from.max(least), to.min(most)))
    }

    /// How many of the pages before `pages` fit.
    pub(super) fn count_pages(&self, pages: u32) -> u32 {
        self.pages.iter().map(|&(from, to)| (to.saturating_add(1)).min(pages).saturating_sub(from)).sum()
    }

    /// The page with an index among those that fit.
    pub(super) fn page(&self, mut index: u32) -> Option<u32> {
        self.pages.iter().find_map(|&(from, to)| {
            let page = from + index;
            index = index.saturating_sub((to - from).saturating_add(1));
            (page <= to).then_some(page)
        })
    }

    /// Whether a place fits. `has_planes`, `has_block`: whether its operation names planes, a block and a page.
    pub(super) fn fits(&self, size: &Size, place: &Place, (has_planes, has_block): (bool, bool)) -> bool {
        place.die == self.die
            && (!has_planes
                || place.planes.is_subset(self.planes)
                    && self.has_plane.is_none_or(|plane| place.planes.contains(plane)))
            && (!has_block
                || place.planes.iter().all(|plane| self.fits_block(size, place.group, plane))
                    && self.pages.iter().any(|&(from, to)| (from..=to).contains(&place.page.0.into())))
    }
}

fn block_condition(relation: &PlaceRelation, other: Option<Place>) -> Option<BlockCondition> {
    Some(match relation {
        PlaceRelation::In(ranges) => BlockCondition::In(ranges.clone()),
        PlaceRelation::SameAs(_) => BlockCondition::SameAs(other?),
        PlaceRelation::OtherThan(_) => BlockCondition::OtherThan(other?),
        PlaceRelation::NextTo(_) => BlockCondition::NextTo(other?),
    })
}

#[cfg(test)]
mod tests {
    use nandseq_plan::model::{StepPlace, StepTime};
    use nandseq_profile::Page;

    use super::*;

    const SIZE: Size = Size { dies: 2, planes: 4, blocks: 22, groups: 6, pages: 5 };

    fn conditions(part: AddressPart, relation: PlaceRelation) -> PlaceConditions {
        let other = Place { planes: PlaneSet(0b0110), group: 2, page: Page(3), ..Place::default() };
        let places = vec![StepPlace { part, relation }];
        let step = ScenarioStep { label: None, ops: Vec::new(), when: StepTime::Next, places, repeat: 1, expect: None };
        PlaceConditions::of(&SIZE, Die(0), &step, |_| Some(other))
    }

    #[test]
    fn places_are_those_that_each_relation_names() {
        use AddressPart::{Block, Page as OfPage, Plane as OfPlane};
        use PlaceRelation::{In, NextTo, OtherThan, SameAs};
        let numbers = || NumberRanges(vec![1..=1, 9..=10]);
        for (part, relation, fits) in [
            (OfPlane, SameAs(0), (|block, _| [1, 2].contains(&(block % 4))) as fn(u32, u16) -> bool),
            (OfPlane, OtherThan(0), |block, _| [0, 3].contains(&(block % 4))),
            (OfPlane, In(numbers()), |block, _| block % 4 == 1),
            (Block, SameAs(0), |block, _| [9, 10].contains(&block)),
            (Block, OtherThan(0), |block, _| ![9, 10].contains(&block)),
            (Block, NextTo(0), |block, _| [5, 6, 13, 14].contains(&block)),
            (Block, In(numbers()), |block, _| [1, 9, 10].contains(&block)),
            (OfPage, SameAs(0), |_, page| page == 3),
            (OfPage, OtherThan(0), |_, page| page != 3),
            (OfPage, NextTo(0), |block, page| [9, 10].contains(&block) && [2, 4].contains(&page)),
            (OfPage, In(numbers()), |_, page| page == 1),
        ] {
            let all = conditions(part, relation.clone());
            for block in 0..SIZE.blocks {
                let (group, planes) = (block / 4, PlaneSet::one(Plane((block % 4) as u8)));
                for page in 0..SIZE.pages {
                    let place = Place { group, planes, page: Page(page), ..Place::default() };
                    assert_eq!(
                        all.fits(&SIZE, &place, (true, true)),
                        fits(block, page),
                        "{part:?} {relation:?}: {place:?}"
                    );
                    let is_other_die = Place { die: Die(1), ..place };
                    assert!(!all.fits(&SIZE, &is_other_die, (true, true)));
                }
                let (from, to) = all.groups(&SIZE);
                assert!((from..to).contains(&group) || (0..SIZE.pages).all(|page| !fits(block, page)), "{relation:?}");
            }
        }
    }

    #[test]
    fn pages_that_fit_are_counted_and_found() {
        let all = conditions(AddressPart::Page, PlaceRelation::OtherThan(0));
        assert_eq!((0..=5).map(|pages| all.count_pages(pages)).collect::<Vec<_>>(), [0, 1, 2, 3, 3, 4]);
        assert_eq!((0..4).map(|index| all.page(index)).collect::<Vec<_>>(), [Some(0), Some(1), Some(2), Some(4)]);
        assert_eq!(all.of_block().count_pages(5), 5);
    }
}
