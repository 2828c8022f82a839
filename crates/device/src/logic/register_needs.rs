//! What an operation needs of the registers of planes, made ready for every place: masks, so that all needs are judged as one.

use nandseq_profile::PlaneSet;
use nandseq_profile::model::DeviceState;

use super::registers::{CELL_TYPE, DieRegisters, FactSets, PAGE, PlaneFact, RegisterWord, for_every_fact, word_of};
use crate::effects::Precondition;
use crate::place::Place;
use crate::state_bits::{STATES_OF_PLANES, state_bit};

/// The needs of an operation, and the states of planes that forbid it.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct RegisterNeeds {
    /// The facts that must be true, and those that must be true or must be false, of the planes that it addresses.
    true_facts: FactSets,
    facts: FactSets,
    /// The facts that must be false of all planes that it looks at.
    forbidding: FactSets,
    /// The bits in which the registers must agree with the page of its place.
    page: RegisterWord,
    output: RegisterWord,
}

impl RegisterNeeds {
    /// The needs among some preconditions, for an operation that is forbidden in these states, as bits of [`state_bit`].
    pub(crate) fn new(needs: &[Precondition], forbidden_in: u16) -> Self {
        let mut all = Self::default();
        for state in STATES_OF_PLANES.into_iter().filter(|&state| forbidden_in & state_bit(state) != 0) {
            all.forbidding |= match state {
                DeviceState::LatchOnRead => PlaneFact::Unread.byte(),
                DeviceState::CacheRead(kind) => PlaneFact::of_cache_read(kind).byte(),
                DeviceState::LatchOn(_)
                | DeviceState::Suspended(_)
                | DeviceState::NotSuspended(_)
                | DeviceState::OdtDisabled
                | DeviceState::WriteProtect
                | DeviceState::CacheProgram(_) => 0,
            };
        }
        for need in needs {
            match need {
                Precondition::CopybackPage => all.true_facts |= PlaneFact::WithCopybackPage.byte(),
                Precondition::NothingUnread => all.facts |= PlaneFact::Unread.byte(),
                Precondition::PageToReadOn => {
                    all.page |= CELL_TYPE;
                    all.facts |= PlaneFact::LosingByMove.byte();
                }
                Precondition::PageToPutOut => {
                    all.page |= PAGE;
                    all.facts |= PlaneFact::LosingByMove.byte();
                }
                Precondition::Output => all.output |= PAGE,
                Precondition::Latch(..)
                | Precondition::NextOfCacheProgram
                | Precondition::Suspended(_)
                | Precondition::InCoreBusy(_)
                | Precondition::NothingInFlight(_) => {}
            }
        }
        all.facts |= all.true_facts;
        all
    }
}

impl DieRegisters {
    /// Whether they are as an operation at a place of one plane needs them that looks at the planes `seen`.
    #[inline]
    pub(super) const fn meet(&self, needs: &RegisterNeeds, place: &Place, seen: PlaneSet) -> bool {
        let differs = self.differ(needs, place, place.planes.0.trailing_zeros());
        self.wrong_facts(needs, place, seen) | differs == 0
    }

    /// The same for any number of planes.
    #[inline]
    pub(super) const fn meet_on_many(&self, needs: &RegisterNeeds, place: &Place, seen: PlaneSet) -> bool {
        let mut differs = 0;
        if needs.page | needs.output != 0 {
            let mut left = place.planes.0 as u32;
            while left != 0 {
                differs |= self.differ(needs, place, left.trailing_zeros());
                left &= left - 1;
            }
        }
        self.wrong_facts(needs, place, seen) | differs == 0
    }

    /// The facts that are not as needed, each with the planes of which they are not.
    #[inline]
    const fn wrong_facts(&self, needs: &RegisterNeeds, place: &Place, seen: PlaneSet) -> FactSets {
        (self.sets ^ needs.true_facts) & needs.facts & for_every_fact(place.planes)
            | self.sets & needs.forbidding & for_every_fact(seen)
    }

    /// The bits in which the registers of a plane differ from what is needed.
    #[inline]
    const fn differ(&self, needs: &RegisterNeeds, place: &Place, plane: u32) -> RegisterWord {
        let (own, at) = (word_of(place), plane as usize % 8);
        (self.page[at] ^ own) & needs.page | (self.output[at] ^ own) & needs.output
    }
}
