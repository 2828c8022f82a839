//! Rows of the tables as plain records: integer ids and ticks, no names. Writers and readers have the same.
//!
//! Promises records that can be copied, sorted and spilled cheaply; every table writer turns them into its own form. The
//! columns and their meaning are those of `docs/outputs.md`. Leaves out `operation_sequence`, whose rows are the operations.

use nandseq_profile::model::PhaseKind;
use nandseq_profile::{BaseId, Block, CellTypeId, Die, OpId, Page, PhaseKey, Plane, Profile, Ticks};

use crate::table::TableKind;

/// Op_states of a base: its phases, then its end.
const STATES_OF_A_BASE: u16 = PhaseKind::ALL.len() as u16 + 1;

/// An op_state by its number: `DEFAULT`, then ISSUE, CORE_BUSY, DATA_IN, DATA_OUT and END of each base.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct StateId(pub u16);

impl StateId {
    /// Nothing ever ran on the plane.
    pub const DEFAULT: Self = Self(0);

    /// A phase of a base, or its end.
    #[must_use]
    pub const fn of(base: BaseId, phase: Option<PhaseKind>) -> Self {
        let place = match phase {
            Some(kind) => kind as u16,
            None => STATES_OF_A_BASE - 1,
        };
        Self(1 + base.0 * STATES_OF_A_BASE + place)
    }

    /// The base and its phase, `None` for its end; `None` for `DEFAULT`.
    #[must_use]
    pub fn parts(self) -> Option<(BaseId, Option<PhaseKind>)> {
        let at = self.0.checked_sub(1)?;
        let phase = PhaseKind::ALL.get(usize::from(at % STATES_OF_A_BASE)).copied();
        Some((BaseId(at / STATES_OF_A_BASE), phase))
    }

    /// As a position.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// `BASE.PHASE`, `BASE.END` or `DEFAULT`.
    #[must_use]
    pub fn text(self, profile: &Profile) -> String {
        match self.parts() {
            None => profile.phase_keys[PhaseKey::DEFAULT].name.clone(),
            Some((base, phase)) => format!("{}.{}", profile.bases[base].name, phase.map_or("END", PhaseKind::name)),
        }
    }

    /// As many as there are numbers, those of phases that a base does not have among them.
    pub fn numbers(profile: &Profile) -> impl Iterator<Item = Self> {
        (0..=profile.bases.len() as u16 * STATES_OF_A_BASE).map(Self)
    }

    /// Every op_state that planes of a profile's device can show.
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
    /// When it ends.
    pub end: Ticks,
    /// The block, 0 where the payload names none; so the other parts of the address.
    pub block: Block,
    /// The page.
    pub page: Page,
    /// The die.
    pub die: Die,
    /// The plane.
    pub plane: Plane,
    /// Which command.
    pub op: OpId,
    /// Whether it is a stretch after the first.
    pub resumed: bool,
    /// The op_state of the plane just before the operation.
    pub state: StateId,
    /// The phase key whose distribution proposed it.
    pub key_used: PhaseKey,
    /// The phase key of the plane it was proposed on.
    pub key_virtual: PhaseKey,
}

/// A row of `op_state_timeline`: a phase of an operation on a plane.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OpStateRow {
    /// The operation's number within the site: no column, but the order; 0 in a row that was read.
    pub uid: u64,
    /// When the phase starts, or goes on.
    pub start: Ticks,
    /// When it ends or is cut; after `start`.
    pub end: Ticks,
    /// `BASE.PHASE`
    pub state: StateId,
    /// The die.
    pub die: Die,
    /// The plane.
    pub plane: Plane,
}

/// What is done to a page.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Touch {
    /// It is programmed.
    Program,
    /// It is read.
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
    /// What was done.
    pub touch: Touch,
    /// The cell type of the payloads.
    pub cell_type: CellTypeId,
    /// The die.
    pub die: Die,
    /// The block.
    pub block: Block,
    /// The page.
    pub page: Page,
    /// How often.
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
    /// Which command.
    pub op: OpId,
    /// How far into the phase it started, in hundredths, 0..=100; more in a row that was read and is wrong.
    pub hundredths: u32,
    /// How often.
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
    /// Its plane.
    pub plane: Plane,
    /// Its time.
    pub time: Ticks,
    /// Which command.
    pub op: OpId,
    /// How often.
    pub count: u64,
}

/// A row of a table.
pub trait TableRow {
    /// Which table.
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
