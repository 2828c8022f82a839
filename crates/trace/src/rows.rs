//! The rows of the tables as plain records of integer ids and ticks, without names. Writers and readers share them.
//!
//! The records are cheap to copy, sort and write to disk; every table writer turns them into its own form. `docs/outputs.md`
//! describes the columns. Leaves out `operation_sequence`, whose rows are the operations.

use nandseq_profile::model::PhaseKind;
use nandseq_profile::{BaseId, Block, CellTypeId, Die, OpId, Page, PhaseKey, Plane, Profile, Ticks};

use crate::table::TableKind;

/// The number of op_states of a base: its phases, then its end.
const STATES_OF_A_BASE: u16 = PhaseKind::ALL.len() as u16 + 1;

/// The number of an op_state: first `DEFAULT`, then ISSUE, CORE_BUSY, DATA_IN, DATA_OUT and END of each base.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct StateId(pub u16);

impl StateId {
    /// The op_state of a plane on which nothing ever ran.
    pub const DEFAULT: Self = Self(0);

    /// The op_state of a phase of a base, or of its end if `phase` is `None`.
    #[must_use]
    pub const fn of(base: BaseId, phase: Option<PhaseKind>) -> Self {
        let place = match phase {
            Some(kind) => kind as u16,
            None => STATES_OF_A_BASE - 1,
        };
        Self(1 + base.0 * STATES_OF_A_BASE + place)
    }

    /// The base and its phase; the phase is `None` for the end of the base. `None` for `DEFAULT`.
    #[must_use]
    pub fn parts(self) -> Option<(BaseId, Option<PhaseKind>)> {
        let at = self.0.checked_sub(1)?;
        let phase = PhaseKind::ALL.get(usize::from(at % STATES_OF_A_BASE)).copied();
        Some((BaseId(at / STATES_OF_A_BASE), phase))
    }

    /// The number as a position in a list.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// The name: `BASE.PHASE`, `BASE.END` or `DEFAULT`.
    #[must_use]
    pub fn text(self, profile: &Profile) -> String {
        match self.parts() {
            None => profile.phase_keys[PhaseKey::DEFAULT].name.clone(),
            Some((base, phase)) => format!("{}.{}", profile.bases[base].name, phase.map_or("END", PhaseKind::name)),
        }
    }

    /// Every number, including the numbers of phases that a base does not have.
    pub fn numbers(profile: &Profile) -> impl Iterator<Item = Self> {
        (0..=profile.bases.len() as u16 * STATES_OF_A_BASE).map(Self)
    }

    /// Every op_state that a plane of the profile's device can show.
    pub fn all(profile: &Profile) -> impl Iterator<Item = Self> {
        let has = |state: &Self| match state.parts() {
            Some((base, Some(kind))) => profile.bases[base].phases.iter().any(|phase| phase.kind == kind),
            Some((_, None)) | None => true,
        };
        Self::numbers(profile).filter(has)
    }
}

/// A row of `operation_timeline`: an operation on one target, or one stretch of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TimelineRow {
    /// The operation's number within the site.
    pub uid: u64,
    /// When the stretch starts.
    pub start: Ticks,
    /// When the stretch ends.
    pub end: Ticks,
    /// The block. Each part of the address is 0 if the payload does not name it.
    pub block: Block,
    /// The page.
    pub page: Page,
    /// The die.
    pub die: Die,
    /// The plane.
    pub plane: Plane,
    /// The op name.
    pub op: OpId,
    /// Whether it is a stretch after the first.
    pub resumed: bool,
    /// The op_state of the plane just before the operation.
    pub state: StateId,
    /// The phase key whose distribution was used for the proposal.
    pub key_used: PhaseKey,
    /// The phase key of the plane of the proposal.
    pub key_virtual: PhaseKey,
}

/// A row of `op_state_timeline`: a phase of an operation on a plane.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OpStateRow {
    /// The operation's number within the site. Rows are sorted by it, but it is not a column: 0 in a row that was read.
    pub uid: u64,
    /// When the phase starts, or goes on after a RESUME.
    pub start: Ticks,
    /// When the phase ends or is cut; after `start`.
    pub end: Ticks,
    /// The op_state, `BASE.PHASE`.
    pub state: StateId,
    /// The die.
    pub die: Die,
    /// The plane.
    pub plane: Plane,
}

/// A page access.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Touch {
    /// The page is programmed.
    Program,
    /// The page is read.
    Read,
}

impl Touch {
    /// The `op_base` column of `address_touch_count`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Program => "PROGRAM",
            Self::Read => "READ",
        }
    }
}

/// A row of `address_touch_count`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TouchRow {
    /// The kind of access.
    pub touch: Touch,
    /// The cell type of the payloads.
    pub cell_type: CellTypeId,
    /// The die.
    pub die: Die,
    /// The block.
    pub block: Block,
    /// The page.
    pub page: Page,
    /// The number of accesses.
    pub count: u64,
}

/// A row of `op_state_name_input_time_count`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InputTimeRow {
    /// The op_state of the proposal's plane.
    pub state: StateId,
    /// The phase key whose distribution was used.
    pub key_used: PhaseKey,
    /// The phase key of the plane.
    pub key_virtual: PhaseKey,
    /// The op name.
    pub op: OpId,
    /// The part of the phase that had passed at the start, in hundredths: 0..=100. A row that was read may be wrong and have
    /// more.
    pub hundredths: u32,
    /// The number of accepted proposals.
    pub count: u64,
}

/// A row of `phase_proposal_counts`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ProposalRow {
    /// The phase key whose distribution was used.
    pub key_used: PhaseKey,
    /// The phase key of the plane.
    pub key_virtual: PhaseKey,
    /// The die of the proposal.
    pub die: Die,
    /// The plane of the proposal.
    pub plane: Plane,
    /// The time of the proposal.
    pub time: Ticks,
    /// The op name.
    pub op: OpId,
    /// The number of accepted proposals.
    pub count: u64,
}

/// A row of a table.
pub trait TableRow {
    /// The table that such rows belong to.
    const TABLE: TableKind;
}

impl TableRow for TimelineRow {
    const TABLE: TableKind = TableKind::OperationTimeline;
}

impl TableRow for OpStateRow {
    const TABLE: TableKind = TableKind::OpStateTimeline;
}

impl TableRow for TouchRow {
    const TABLE: TableKind = TableKind::AddressTouchCount;
}

impl TableRow for InputTimeRow {
    const TABLE: TableKind = TableKind::InputTimeCount;
}

impl TableRow for ProposalRow {
    const TABLE: TableKind = TableKind::ProposalCounts;
}

#[cfg(test)]
mod tests {
    use super::*;
    use nandseq_profile::builtin;

    #[test]
    fn the_number_of_an_op_state_gives_its_parts_and_its_name() {
        let profile = builtin::profile();
        assert_eq!((StateId::DEFAULT.parts(), StateId::DEFAULT.text(&profile)), (None, "DEFAULT".to_owned()));
        for (base, phase) in profile
            .bases
            .ids()
            .flat_map(|base| PhaseKind::ALL.map(Some).into_iter().chain([None]).map(move |phase| (base, phase)))
        {
            let state = StateId::of(base, phase);
            assert_eq!(state.parts(), Some((base, phase)));
            let name = phase.map_or("END", PhaseKind::name);
            assert_eq!(state.text(&profile), format!("{}.{name}", profile.bases[base].name));
        }
        assert_eq!(StateId::numbers(&profile).count(), 1 + 5 * profile.bases.len());
        assert!(StateId::numbers(&profile).enumerate().all(|(at, state)| state.index() == at));
    }
}
