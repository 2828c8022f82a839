//! Rows of the tables as plain records: integer ids and ticks, no names.
//!
//! Promises records that can be copied, sorted and spilled cheaply; every table writer turns them into its own form. The
//! columns and their meaning are those of `docs/outputs.md`. Leaves out `operation_sequence`, whose rows are the operations.

use crate::table::TableKind;
use nandseq_profile::{Block, CellTypeId, Die, OpId, Page, PhaseKey, Plane, Ticks};

/// An op_state by its number: `DEFAULT`, then ISSUE, CORE_BUSY, DATA_IN, DATA_OUT and END of each base.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct StateId(pub u16);

impl StateId {
    /// Nothing ever ran on the plane.
    pub const DEFAULT: Self = Self(0);

    /// As a position.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
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
    /// The operation's number within the site: no column, but the order.
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
    /// How far into the phase it started, in hundredths, 0..=100.
    pub hundredths: u8,
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
