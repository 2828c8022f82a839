//! Changes of the registers of planes, made ready for every place: masks, so that one is applied without a decision about its kind.

use nandseq_profile::PlaneSet;
use nandseq_profile::model::CacheReadKind;

use super::registers::{
    COPYBACK, DieRegisters, FactSets, PAGE, PlaneFact, PlaneLogic, RegisterWord, for_every_fact, with_losing, word_of,
};
use crate::place::Place;

/// The planes whose registers hold the same page.
const SAME: FactSets = PlaneFact::WithTheSamePage.byte();

/// The place of the planes whose data has been read, in the byte of a fact that is found anew afterwards.
const READ: u32 = PlaneFact::LosingByMove.shift();

/// All bits of a word, or none.
const fn all_if(is_so: bool) -> RegisterWord {
    if is_so { !0 } else { 0 }
}

/// What happens to the registers of some planes of a die.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct RegisterChange {
    /// The facts that become false on the planes, and those that become true. Whether both registers hold the same page is found anew
    /// each time.
    cleared: FactSets,
    set: FactSets,
    /// What the page register holds afterwards: all bits of one of these, which are what it held and the page of the place.
    page_stays: RegisterWord,
    page_is_own: RegisterWord,
    /// The same for the output register, which can also take what the page register held.
    output_stays: RegisterWord,
    output_is_own: RegisterWord,
    output_is_page: RegisterWord,
    /// The page of the place is one that a copyback read puts into registers.
    copyback: RegisterWord,
    /// The planes that hold something in the page register do so in the output register afterwards.
    moved: FactSets,
    /// 0 if data of the page of the place is no longer unread.
    stays_unread: RegisterWord,
}

impl RegisterChange {
    /// Nothing changes.
    pub(crate) const NOTHING: Self = Self {
        cleared: SAME,
        set: 0,
        page_stays: !0,
        page_is_own: 0,
        output_stays: !0,
        output_is_own: 0,
        output_is_page: 0,
        copyback: 0,
        moved: 0,
        stays_unread: !0,
    };

    /// Both registers are emptied, as an erase or program does.
    pub(crate) const EMPTY: Self = Self {
        cleared: SAME
            | PlaneFact::Unread.byte()
            | PlaneFact::WithPage.byte()
            | PlaneFact::WithOutput.byte()
            | PlaneFact::WithCopybackPage.byte(),
        page_stays: 0,
        output_stays: 0,
        ..Self::NOTHING
    };

    /// The data of the page of the place has been read, where the output register holds it.
    pub(crate) const PUT_OUT: Self = Self { stays_unread: 0, ..Self::NOTHING };

    /// Both registers hold the page of the place, unread.
    pub(crate) const fn fill(copyback: bool) -> Self {
        let filled = PlaneFact::Unread.byte() | PlaneFact::WithPage.byte() | PlaneFact::WithOutput.byte();
        let by_copyback = PlaneFact::WithCopybackPage.byte();
        Self {
            cleared: SAME | by_copyback,
            set: filled | by_copyback & all_if(copyback),
            page_stays: 0,
            page_is_own: !0,
            output_stays: 0,
            output_is_own: !0,
            copyback: COPYBACK & all_if(copyback),
            ..Self::NOTHING
        }
    }

    /// The page register moves to the output register, unread; the page of the place comes into the page register.
    pub(crate) const READ_ON: Self =
        Self { page_is_own: !0, set: Self::MOVE.set | PlaneFact::WithPage.byte(), ..Self::MOVE };

    /// The page register moves to the output register, unread, and is empty; every cache-read state ends.
    pub(crate) const END_CACHE_READ: Self =
        Self { cleared: Self::MOVE.cleared | PlaneFact::Cache.byte() | PlaneFact::PlaneCache.byte(), ..Self::MOVE };

    /// What the two that move a page have in common.
    const MOVE: Self = Self {
        cleared: SAME | PlaneFact::WithPage.byte() | PlaneFact::WithOutput.byte() | PlaneFact::WithCopybackPage.byte(),
        set: PlaneFact::Unread.byte(),
        moved: PlaneFact::WithOutput.byte(),
        page_stays: 0,
        output_stays: 0,
        output_is_page: !0,
        ..Self::NOTHING
    };

    /// The planes enter a cache-read state.
    pub(crate) const fn enter_cache_read(kind: CacheReadKind) -> Self {
        Self {
            cleared: SAME | PlaneFact::Cache.byte() | PlaneFact::PlaneCache.byte(),
            set: PlaneFact::of_cache_read(kind).byte(),
            ..Self::NOTHING
        }
    }

    /// The facts that it may change, but for those that follow from the registers. A change of registers is always one of
    /// [`PlaneFact::Unread`].
    const fn facts(&self) -> FactSets {
        let put_out = if self.stays_unread == 0 { PlaneFact::Unread.byte() } else { 0 };
        (self.cleared | self.set | put_out) & !SAME
    }

    /// This change and another together; `None` if their order matters.
    pub(crate) const fn and(self, other: Self) -> Option<Self> {
        if self.facts() & other.facts() != 0 {
            return None;
        }
        Some(Self {
            cleared: self.cleared | other.cleared,
            set: self.set | other.set,
            page_stays: self.page_stays & other.page_stays,
            page_is_own: self.page_is_own | other.page_is_own,
            output_stays: self.output_stays & other.output_stays,
            output_is_own: self.output_is_own | other.output_is_own,
            output_is_page: self.output_is_page | other.output_is_page,
            copyback: self.copyback | other.copyback,
            moved: self.moved | other.moved,
            stays_unread: self.stays_unread & other.stays_unread,
        })
    }
}

impl DieRegisters {
    /// Changes the registers of the planes of a place. Most places have one.
    pub(super) fn change(&mut self, change: &RegisterChange, place: &Place) {
        if !place.planes.0.is_power_of_two() {
            return self.change_planes(change, place);
        }
        let follows = self.change_plane(change, place, u32::from(place.planes.0).trailing_zeros());
        self.change_sets(change, place.planes, follows);
    }

    /// The same for any number of planes.
    #[inline(never)]
    fn change_planes(&mut self, change: &RegisterChange, place: &Place) {
        let (mut follows, mut left) = (0, u32::from(place.planes.0));
        while left != 0 {
            follows |= self.change_plane(change, place, left.trailing_zeros());
            left &= left - 1;
        }
        self.change_sets(change, place.planes, follows);
    }

    /// Changes the sets of planes; `follows` is from [`DieRegisters::change_plane`] for each plane.
    #[inline]
    fn change_sets(&mut self, change: &RegisterChange, planes: PlaneSet, follows: FactSets) {
        // The planes whose page register holds something, as those whose output register will.
        let moved = self.sets << (PlaneFact::WithOutput.shift() - PlaneFact::WithPage.shift()) & change.moved;
        let planes = for_every_fact(planes);
        let sets = self.sets & !(planes & change.cleared) | planes & (change.set | moved) | follows;
        // What is read is no longer unread.
        self.sets = with_losing(sets & !(follows >> READ << PlaneFact::Unread.shift()));
        debug_assert_eq!(*self, Self::from(<[PlaneLogic; 8]>::from(*self)), "the sets say what the registers hold");
    }

    /// Changes the registers of a plane. Returns, in the sets of these facts, whether both hold the same page afterwards, and from the bit
    /// [`READ`] on whether the data has been read.
    #[inline]
    fn change_plane(&mut self, change: &RegisterChange, place: &Place, plane: u32) -> FactSets {
        let own = word_of(place) | change.copyback;
        let at = plane as usize % 8;
        let (page, output) = (self.page[at], self.output[at]);
        let new_page = page & change.page_stays | own & change.page_is_own;
        let new_output = output & change.output_stays | own & change.output_is_own | page & change.output_is_page;
        (self.page[at], self.output[at]) = (new_page, new_output);
        let is_same = FactSets::from((new_page ^ new_output) & PAGE == 0);
        let is_read = FactSets::from((output ^ own) & PAGE | change.stays_unread == 0);
        (is_same << PlaneFact::WithTheSamePage.shift() | is_read << READ) << plane
    }
}

#[cfg(test)]
mod tests {
    use nandseq_profile::{CellTypeId, Page, Plane};

    use super::*;
    use crate::effects::StateChange;
    use crate::logic::Register;

    const CHANGES: [StateChange; 8] = [
        StateChange::EmptyRegisters,
        StateChange::Fill { copyback: false },
        StateChange::Fill { copyback: true },
        StateChange::EnterCacheRead(CacheReadKind::Cache),
        StateChange::EnterCacheRead(CacheReadKind::PlaneCache),
        StateChange::ReadOn,
        StateChange::EndCacheRead(CacheReadKind::Cache),
        StateChange::PutOut,
    ];

    /// What a change does to one plane, plainly.
    fn plainly(held: PlaneLogic, change: StateChange, place: &Place) -> PlaneLogic {
        let own =
            |copyback| Some(Register { group: place.group, page: place.page, cell_type: place.cell_type, copyback });
        let same_page = |held: Register| Some(Register { copyback: false, ..held }) == own(false);
        match change {
            StateChange::EmptyRegisters => PlaneLogic { page: None, output: None, unread: false, ..held },
            StateChange::Fill { copyback } => {
                PlaneLogic { page: own(copyback), output: own(copyback), unread: true, ..held }
            }
            StateChange::EnterCacheRead(kind) => PlaneLogic { cache_read: Some(kind), ..held },
            StateChange::ReadOn => PlaneLogic { page: own(false), output: held.page, unread: true, ..held },
            StateChange::EndCacheRead(_) => {
                PlaneLogic { page: None, output: held.page, unread: true, cache_read: None }
            }
            StateChange::PutOut => PlaneLogic { unread: held.unread && !held.output.is_some_and(same_page), ..held },
            StateChange::EmptyResumed(_)
            | StateChange::Load(..)
            | StateChange::Clear(_)
            | StateChange::EnterCacheProgram(_)
            | StateChange::EndCacheProgram(_)
            | StateChange::EndSuspension(_)
            | StateChange::Reset
            | StateChange::SwitchOdt { .. }
            | StateChange::SwitchWriteProtect { .. } => panic!("{change:?} is no change of registers"),
        }
    }

    /// Registers of a die and a place, all of few values, so that pages are often the same.
    fn any(number: u32) -> (DieRegisters, Place) {
        let mut left = u64::from(number).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut below = |bound: u64| {
            left = left.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (left >> 33) % bound
        };
        let register = |below: &mut dyn FnMut(u64) -> u64| {
            (below(4) > 0).then(|| Register {
                group: below(2) as u32,
                page: Page(below(2) as u16),
                cell_type: CellTypeId(below(2) as u8),
                copyback: below(2) == 0,
            })
        };
        let kinds = [None, Some(CacheReadKind::Cache), Some(CacheReadKind::PlaneCache)];
        let planes: [PlaneLogic; 8] = std::array::from_fn(|_| PlaneLogic {
            page: register(&mut below),
            output: register(&mut below),
            unread: below(2) == 0,
            cache_read: kinds[below(3) as usize],
        });
        let (group, page, cell_type) = (below(2) as u32, Page(below(2) as u16), CellTypeId(below(2) as u8));
        let planes_of_place =
            if below(2) == 0 { PlaneSet::one(Plane(below(8) as u8)) } else { PlaneSet(below(256) as u8) };
        (planes.into(), Place { planes: planes_of_place, group, page, cell_type, ..Place::default() })
    }

    #[test]
    fn a_change_of_many_planes_is_that_of_each_plane() {
        for number in 0..2_000 {
            let (before, place) = any(number);
            for (at, change) in CHANGES.into_iter().enumerate() {
                let own = RegisterChange::of(change).expect("a change of registers");
                let mut after = before;
                after.change(&own, &place);
                let mut expected = before;
                for plane in place.planes.iter() {
                    expected.set_plane(plane, plainly(before.plane(plane), change, &place));
                }
                assert_eq!(after, expected, "{change:?} at {place:?}");
                for second in CHANGES.into_iter().skip(at) {
                    let other = RegisterChange::of(second).expect("a change of registers");
                    let Some(both) = own.and(other) else { continue };
                    let (mut at_once, mut one_by_one) = (before, after);
                    at_once.change(&both, &place);
                    one_by_one.change(&other, &place);
                    assert_eq!(at_once, one_by_one, "{change:?} and {second:?} at {place:?}");
                }
            }
        }
    }

    #[test]
    fn only_changes_whose_order_does_not_matter_become_one() {
        let of = |change| RegisterChange::of(change).expect("a change of registers");
        let enter = of(StateChange::EnterCacheRead(CacheReadKind::Cache));
        assert!(enter.and(of(StateChange::ReadOn)).is_some());
        assert!(enter.and(of(StateChange::EndCacheRead(CacheReadKind::Cache))).is_none());
        assert!(of(StateChange::Fill { copyback: false }).and(of(StateChange::PutOut)).is_none());
        assert!(of(StateChange::EmptyRegisters).and(of(StateChange::ReadOn)).is_none());
    }
}
