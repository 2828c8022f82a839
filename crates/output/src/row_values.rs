//! Rows as values: what each column of a table holds, in the order of `trace::table`.
//!
//! A format that takes values from here says only how a value of each type is written. Leaves out `operation_sequence`, whose rows
//! are the operations, and CSV: most campaigns write it, so it puts rows together from texts that are prepared for a profile.

use nandseq_profile::{BaseId, Die, IdVec, OpId, Plane, Profile, Ticks};
use nandseq_trace::Status;
use nandseq_trace::rows::{InputTimeRow, OpStateRow, ProposalRow, StateId, TableRow, TimelineRow, Touch, TouchRow};

use crate::model::TableModel;

/// A value, of the type that its column has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RowValue {
    /// A part of an address.
    Address(u32),
    /// A count or a running number.
    Count(u64),
    /// A time.
    Time(Ticks),
    /// A fraction, in hundredths.
    Fraction(u32),
    /// A name, by its number among those of its kind.
    Name(NameKind, usize),
    /// The absence of a name that may be absent.
    Nothing,
}

/// What a name is of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NameKind {
    /// An operation.
    Op,
    /// A base.
    Base,
    /// An op_state.
    State,
    /// A phase key.
    PhaseKey,
    /// A cell type.
    CellType,
    /// A plane of a die.
    DiePlane,
    /// Where a stretch after the first comes from.
    Source,
    /// What is done to a page.
    Touch,
    /// What a status operation expects: no column, but a field of payloads.
    Status,
}

impl NameKind {
    /// All kinds.
    pub const ALL: [Self; 9] = [
        Self::Op,
        Self::Base,
        Self::State,
        Self::PhaseKey,
        Self::CellType,
        Self::DiePlane,
        Self::Source,
        Self::Touch,
        Self::Status,
    ];

    fn names(self, profile: &Profile, model: &TableModel) -> Box<[String]> {
        let (dies, planes) = (profile.topology.dies, profile.topology.planes);
        match self {
            Self::Op => profile.ops.iter().map(|op| op.name.clone()).collect(),
            Self::Base => profile.bases.iter().map(|base| base.name.clone()).collect(),
            Self::State => model.states().map(|state| model.state_name(state).to_owned()).collect(),
            Self::PhaseKey => profile.phase_keys.iter().map(|key| key.name.clone()).collect(),
            Self::CellType => profile.cell_types.iter().map(|cell_type| cell_type.name.clone()).collect(),
            Self::DiePlane => {
                (0..dies).flat_map(|die| (0..planes).map(move |plane| format!("d{die}-p{plane}"))).collect()
            }
            Self::Source => ["RESUME_CHAIN".to_owned()].into(),
            Self::Touch => [Touch::Program, Touch::Read].map(|touch| touch.name().to_owned()).into(),
            Self::Status => {
                [Status::Busy, Status::ExtReady, Status::Ready].map(|status| status.name().to_owned()).into()
            }
        }
    }
}

/// The names that values refer to.
#[derive(Clone, Debug)]
pub struct ValueNames {
    names: [Box<[String]>; NameKind::ALL.len()],
    base_of_op: IdVec<OpId, BaseId>,
    planes: usize,
}

impl ValueNames {
    /// The names of a profile.
    #[must_use]
    pub fn new(profile: &Profile, model: &TableModel) -> Self {
        Self {
            names: NameKind::ALL.map(|kind| kind.names(profile, model)),
            base_of_op: profile.ops.iter().map(|op| op.base).collect(),
            planes: profile.topology.planes as usize,
        }
    }

    /// The names of a kind, by their numbers.
    #[must_use]
    pub fn of(&self, kind: NameKind) -> &[String] {
        &self.names[kind as usize]
    }

    fn die_plane(&self, die: Die, plane: Plane) -> RowValue {
        RowValue::Name(NameKind::DiePlane, die.index() * self.planes + plane.index())
    }
}

/// A row with a value for each column of its table.
pub trait ValueRow: TableRow + 'static {
    /// The values, in the order of the columns.
    fn values(&self, names: &ValueNames) -> impl Iterator<Item = RowValue>;
}

/// The base of an op_state; `DEFAULT`, which has none, has no rows where it is asked for.
fn base(state: StateId) -> RowValue {
    RowValue::Name(NameKind::Base, state.parts().map_or(0, |(base, _)| base.index()))
}

impl ValueRow for TimelineRow {
    fn values(&self, names: &ValueNames) -> impl Iterator<Item = RowValue> {
        [
            RowValue::Time(self.start),
            RowValue::Time(self.end),
            RowValue::Address(self.die.0.into()),
            RowValue::Address(self.plane.0.into()),
            RowValue::Address(self.block.0),
            RowValue::Address(self.page.0.into()),
            RowValue::Name(NameKind::Op, self.op.index()),
            RowValue::Name(NameKind::Base, names.base_of_op[self.op].index()),
            if self.resumed { RowValue::Name(NameKind::Source, 0) } else { RowValue::Nothing },
            RowValue::Count(self.uid),
            RowValue::Name(NameKind::State, self.state.index()),
            RowValue::Name(NameKind::PhaseKey, self.key_used.index()),
            RowValue::Name(NameKind::PhaseKey, self.key_virtual.index()),
        ]
        .into_iter()
    }
}

impl ValueRow for OpStateRow {
    fn values(&self, names: &ValueNames) -> impl Iterator<Item = RowValue> {
        [
            RowValue::Time(self.start),
            RowValue::Time(self.end),
            RowValue::Address(self.die.0.into()),
            RowValue::Address(self.plane.0.into()),
            RowValue::Name(NameKind::State, self.state.index()),
            names.die_plane(self.die, self.plane),
            base(self.state),
            RowValue::Time(self.end - self.start),
        ]
        .into_iter()
    }
}

impl ValueRow for TouchRow {
    fn values(&self, _: &ValueNames) -> impl Iterator<Item = RowValue> {
        [
            RowValue::Name(NameKind::Touch, self.touch as usize),
            RowValue::Name(NameKind::CellType, self.cell_type.index()),
            RowValue::Address(self.die.0.into()),
            RowValue::Address(self.block.0),
            RowValue::Address(self.page.0.into()),
            RowValue::Count(self.count),
        ]
        .into_iter()
    }
}

impl ValueRow for InputTimeRow {
    fn values(&self, _: &ValueNames) -> impl Iterator<Item = RowValue> {
        [
            RowValue::Name(NameKind::State, self.state.index()),
            RowValue::Name(NameKind::PhaseKey, self.key_used.index()),
            RowValue::Name(NameKind::PhaseKey, self.key_virtual.index()),
            RowValue::Name(NameKind::Op, self.op.index()),
            RowValue::Fraction(self.hundredths),
            RowValue::Count(self.count),
        ]
        .into_iter()
    }
}

impl ValueRow for ProposalRow {
    fn values(&self, _: &ValueNames) -> impl Iterator<Item = RowValue> {
        [
            RowValue::Name(NameKind::PhaseKey, self.key_used.index()),
            RowValue::Name(NameKind::PhaseKey, self.key_virtual.index()),
            RowValue::Address(self.die.0.into()),
            RowValue::Address(self.plane.0.into()),
            RowValue::Time(self.time),
            RowValue::Name(NameKind::Op, self.op.index()),
            RowValue::Count(self.count),
        ]
        .into_iter()
    }
}
