//! Judges a step by the lasting state of its die.

use nandseq_profile::model::{AddressSource, Axis, DeviceState, LatchKind, LatchNeed};
use nandseq_profile::{BaseId, PlaneSet};

use super::state::{DieLogic, Loaded};
use crate::effects::Precondition;
use crate::place::Place;
use crate::rule::Rule;
use crate::state_bits::{STATES_OF_PLANES, state_bit};
use crate::tables::{BaseInfo, Tables};

impl DieLogic {
    /// Whether write protect forbids the erase or program that is suspended on an axis, and so its RESUME.
    #[must_use]
    pub fn protects_suspended(&self, tables: &Tables, axis: Axis) -> bool {
        let protected = || tables.forbidden_by(DeviceState::WriteProtect);
        self.write_protected && self.suspended(axis).is_some_and(|suspended| protected().contains(suspended.base))
    }

    /// The planes that are in a state of planes; none for a state of dies.
    const fn planes_in(&self, state: DeviceState) -> PlaneSet {
        match state {
            DeviceState::LatchOnRead => self.planes.unread(),
            DeviceState::CacheRead(kind) => self.planes.in_cache_read(kind),
            DeviceState::LatchOn(_)
            | DeviceState::Suspended(_)
            | DeviceState::NotSuspended(_)
            | DeviceState::OdtDisabled
            | DeviceState::WriteProtect
            | DeviceState::CacheProgram(_) => PlaneSet::EMPTY,
        }
    }

    /// The planes in some of these states, as bits of [`state_bit`].
    #[inline]
    fn planes_in_some(&self, states: u16) -> PlaneSet {
        let [unread, cache, plane_cache] = STATES_OF_PLANES.map(|state| {
            let counts = if states & state_bit(state) != 0 { PlaneSet::EMPTY.complement() } else { PlaneSet::EMPTY };
            self.planes_in(state).and(counts)
        });
        unread.union(cache).union(plane_cache)
    }

    /// Whether some state excludes a base that looks at some planes.
    #[inline]
    #[must_use]
    pub fn excludes(&self, info: &BaseInfo, planes: PlaneSet) -> bool {
        let forbidden_in = info.forbidden_in;
        forbidden_in & self.states() != 0 || !self.planes_in_some(forbidden_in).and(planes).is_empty()
    }

    /// Judges the exclusion tables of the states of the die, then of each of the `planes` that the base looks at: the rule that is judged
    /// first on the first of these planes that forbids it.
    fn judge_tables(&self, info: &BaseInfo, planes: PlaneSet) -> Result<(), Rule> {
        judge_states(info.forbidden_in & self.states())?;
        let states_on =
            |plane| STATES_OF_PLANES.into_iter().filter(move |state| self.planes_in(*state).contains(plane));
        let bits_on = |plane| states_on(plane).fold(0, |bits, state| bits | state_bit(state));
        planes.iter().try_for_each(|plane| judge_states(info.forbidden_in & bits_on(plane)))
    }

    /// Judges a step at `place` by the lasting state; `all` are the planes of the die.
    ///
    /// # Errors
    /// The rule that forbids it.
    pub fn judge(&self, tables: &Tables, base: BaseId, place: &Place, all: PlaneSet) -> Result<(), Rule> {
        self.judge_by(tables, tables.base(base), place, all)
    }

    /// The same, of the base with this `info`.
    #[inline]
    pub(crate) fn judge_by(&self, tables: &Tables, info: &BaseInfo, place: &Place, all: PlaneSet) -> Result<(), Rule> {
        if self.allows(tables, info, place, all) { Ok(()) } else { self.judge_in_order(tables, info, place, all) }
    }

    /// Whether [`DieLogic::judge`] finds no rule that forbids a step. Most steps have one plane.
    #[must_use]
    pub fn allows(&self, tables: &Tables, info: &BaseInfo, place: &Place, all: PlaneSet) -> bool {
        if !place.planes.0.is_power_of_two() {
            return self.allows_on_many(tables, info, place, all);
        }
        self.allows_if(self.planes.meet(&info.registers, place, info.planes_of(place, all)), (tables, info), place, all)
    }

    /// The same for any number of planes.
    #[inline(never)]
    fn allows_on_many(&self, tables: &Tables, info: &BaseInfo, place: &Place, all: PlaneSet) -> bool {
        let meets = self.planes.meet_on_many(&info.registers, place, info.planes_of(place, all));
        self.allows_if(meets, (tables, info), place, all)
    }

    /// The same if it is known whether the registers are as the step needs them.
    #[inline]
    fn allows_if(&self, meets: bool, (tables, info): (&Tables, &BaseInfo), place: &Place, all: PlaneSet) -> bool {
        let states = self.states();
        let is_free = meets & (states & info.forbidden_in == 0);
        let allows = is_free && (states & info.asks_die_in == 0 || self.meets_die(tables, info, place));
        debug_assert_eq!(allows, self.judge_in_order(tables, info, place, all).is_ok(), "as the rules in order say");
        allows
    }

    /// Whether the preconditions of the die hold.
    #[inline(never)]
    fn meets_die(&self, tables: &Tables, info: &BaseInfo, place: &Place) -> bool {
        self.judge_die(tables, info, place).is_ok()
    }

    /// Judges every rule in its order.
    #[inline(never)]
    fn judge_in_order(&self, tables: &Tables, info: &BaseInfo, place: &Place, all: PlaneSet) -> Result<(), Rule> {
        self.judge_tables(info, info.planes_of(place, all))?;
        self.judge_registers(&info.effects.of_planes, place)?;
        self.judge_die(tables, info, place)
    }

    /// Judges the preconditions of the die.
    fn judge_die(&self, tables: &Tables, info: &BaseInfo, place: &Place) -> Result<(), Rule> {
        for &need in &info.effects.of_die {
            self.judge_need(tables, need, place)?;
        }
        if info.address == AddressSource::SuspendedProgram {
            self.judge_recovery(place)?;
        }
        Ok(())
    }

    /// Judges the preconditions of planes: the first plane that fails one decides, by the first that it fails.
    fn judge_registers(&self, needs: &[Precondition], place: &Place) -> Result<(), Rule> {
        let mut verdict = (u32::MAX, Ok(()));
        let mut judge = |failing: PlaneSet, rule: Rule| {
            let failing = failing.and(place.planes);
            let at = failing.0.trailing_zeros();
            if !failing.is_empty() && at < verdict.0 {
                verdict = (at, Err(rule));
            }
        };
        let registers = &self.planes;
        for need in needs {
            match need {
                Precondition::CopybackPage => judge(registers.with_copyback_page().complement(), Rule::CopybackSource),
                Precondition::NothingUnread => judge(registers.unread(), Rule::UnreadData),
                Precondition::PageToReadOn => {
                    judge(registers.without_page_of(place.planes, place.cell_type), Rule::CacheSequence);
                    judge(registers.losing_by_move(), Rule::UnreadData);
                }
                Precondition::PageToPutOut => {
                    judge(registers.without_page_at(place.planes, place), Rule::CacheSequence);
                    judge(registers.losing_by_move(), Rule::UnreadData);
                }
                Precondition::Output => judge(registers.without_output_at(place.planes, place), Rule::DoutSource),
                Precondition::Latch(..)
                | Precondition::NextOfCacheProgram
                | Precondition::Suspended(_)
                | Precondition::InCoreBusy(_)
                | Precondition::NothingInFlight(_) => {}
            }
        }
        verdict.1
    }

    /// Judges a precondition of the die. Operations in flight are no part of the lasting state: the device judges them.
    fn judge_need(&self, tables: &Tables, need: Precondition, place: &Place) -> Result<(), Rule> {
        match need {
            Precondition::Latch(kind, need) => self.judge_latch(kind, need, place),
            Precondition::NextOfCacheProgram => self.judge_cache_program(place),
            Precondition::Suspended(axis) => self.judge_resume(tables, axis),
            Precondition::InCoreBusy(_)
            | Precondition::NothingInFlight(_)
            | Precondition::CopybackPage
            | Precondition::NothingUnread
            | Precondition::PageToReadOn
            | Precondition::PageToPutOut
            | Precondition::Output => Ok(()),
        }
    }

    fn judge_latch(&self, kind: LatchKind, need: LatchNeed, place: &Place) -> Result<(), Rule> {
        let fits = |loaded: Loaded| need.accepts(Some(loaded.level)) && loaded.place.same_address(place);
        if need == LatchNeed::default() || self.latch(kind).is_some_and(fits) {
            Ok(())
        } else {
            Err(Rule::OneshotOrder)
        }
    }

    /// "While cache-program is on, the next program has the same cell type and block and the next page."
    ///
    /// For the one-shot kind the next program is the next one-shot load or commit: its page is the next page until that
    /// page's commit.
    fn judge_cache_program(&self, place: &Place) -> Result<(), Rule> {
        let Some(state) = self.cache_program else { return Ok(()) };
        let last = &state.place;
        let goes_on = place.planes == last.planes
            && place.group == last.group
            && place.cell_type == last.cell_type
            && u32::from(place.page.0) == u32::from(last.page.0) + 1;
        if goes_on { Ok(()) } else { Err(Rule::CacheSequence) }
    }

    /// "Only while a program is suspended on that die, on its address."
    fn judge_recovery(&self, place: &Place) -> Result<(), Rule> {
        let fits = |own: &Place| own.same_address(place) && own.cell_type == place.cell_type;
        if self.program.is_some_and(|suspended| fits(&suspended.place)) { Ok(()) } else { Err(Rule::RecoveryTarget) }
    }

    fn judge_resume(&self, tables: &Tables, axis: Axis) -> Result<(), Rule> {
        if self.protects_suspended(tables, axis) {
            return Err(Rule::WriteProtect);
        }
        let blocked = axis == Axis::Erase && self.program.is_some();
        match self.suspended(axis) {
            Some(suspended) if !blocked => {
                let unread = self.planes.unread().and(suspended.place.planes);
                if !unread.is_empty() { Err(Rule::UnreadData) } else { Ok(()) }
            }
            _ => Err(Rule::ResumeTarget),
        }
    }
}

/// Judges states that forbid an operation, as bits of [`state_bit`]: the rule that is judged first.
fn judge_states(forbidding: u16) -> Result<(), Rule> {
    if forbidding == 0 {
        return Ok(());
    }
    let states = DeviceState::ALL.into_iter().filter(|&state| forbidding & state_bit(state) != 0);
    let first = states.map(table_of).min_by_key(|&(rank, _)| rank);
    first.map_or(Ok(()), |(_, rule)| Err(rule))
}

/// The exclusion table of a state: its place in the order of judging, and its rule.
const fn table_of(state: DeviceState) -> (u8, Rule) {
    match state {
        DeviceState::LatchOnRead | DeviceState::LatchOn(_) => (0, Rule::Latch),
        DeviceState::Suspended(_) | DeviceState::NotSuspended(_) => (1, Rule::Suspend),
        DeviceState::CacheRead(_) | DeviceState::CacheProgram(_) => (2, Rule::Cache),
        DeviceState::OdtDisabled => (3, Rule::Odt),
        DeviceState::WriteProtect => (4, Rule::WriteProtect),
    }
}
