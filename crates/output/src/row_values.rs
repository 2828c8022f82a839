//! Rows as columns: what each column of a table holds, in the order of `trace::table`.
//!
//! A format that takes columns from here says only how values of each type are written. Leaves out `operation_sequence`, whose rows
//! are the operations, and CSV: most campaigns write it, so it puts rows together from texts that are prepared for a profile.

use nandseq_profile::model::Axis;
use nandseq_profile::{BaseId, Die, IdVec, OpId, Plane, Profile, Ticks};
use nandseq_trace::rows::{InputTimeRow, OpStateRow, ProposalRow, StateId, TableRow, TimelineRow, Touch, TouchRow};
use nandseq_trace::{Status, suspension_words};

use crate::model::TableModel;

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
    /// What a status operation expects: no column, but a field of payloads. The statuses come first, then for each axis the word for one
    /// that is not suspended, and the word for one that is.
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
                let words = [Status::Busy, Status::ExtReady, Status::Ready].map(Status::name);
                let suspended = Axis::ALL.into_iter().flat_map(suspension_words);
                words.into_iter().chain(suspended).map(str::to_owned).collect()
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

    fn die_plane(&self, die: Die, plane: Plane) -> usize {
        die.index() * self.planes + plane.index()
    }
}

/// What takes the columns of some rows, one after another. Each call is a column, whose value in a row is what the closure gives.
pub trait ColumnSink<R> {
    /// Parts of addresses, below 2^31.
    fn addresses(&mut self, value: impl Fn(&R) -> u32);
    /// Counts or running numbers.
    fn counts(&mut self, value: impl Fn(&R) -> u64);
    /// Times.
    fn times(&mut self, value: impl Fn(&R) -> Ticks);
    /// Fractions, in hundredths.
    fn fractions(&mut self, value: impl Fn(&R) -> u32);
    /// Names, by their numbers among those of their kind.
    fn names(&mut self, kind: NameKind, number: impl Fn(&R) -> usize);
    /// Names that may be absent.
    fn optional_names(&mut self, kind: NameKind, number: impl Fn(&R) -> Option<usize>);
}

/// A row with a value for each column of its table.
pub trait ValueRow: TableRow + Sized + 'static {
    /// Gives the columns, in the order of the table.
    fn columns(names: &ValueNames, to: &mut impl ColumnSink<Self>);
}

/// The base of an op_state; `DEFAULT`, which has none, has no rows where it is asked for.
fn base(state: StateId) -> usize {
    state.parts().map_or(0, |(base, _)| base.index())
}

impl ValueRow for TimelineRow {
    fn columns(names: &ValueNames, to: &mut impl ColumnSink<Self>) {
        to.times(|row| row.start);
        to.times(|row| row.end);
        to.addresses(|row| row.die.0.into());
        to.addresses(|row| row.plane.0.into());
        to.addresses(|row| row.block.0);
        to.addresses(|row| row.page.0.into());
        to.names(NameKind::Op, |row| row.op.index());
        to.names(NameKind::Base, |row| names.base_of_op[row.op].index());
        to.optional_names(NameKind::Source, |row| row.resumed.then_some(0));
        to.counts(|row| row.uid);
        to.names(NameKind::State, |row| row.state.index());
        to.names(NameKind::PhaseKey, |row| row.key_used.index());
        to.names(NameKind::PhaseKey, |row| row.key_virtual.index());
    }
}

impl ValueRow for OpStateRow {
    fn columns(names: &ValueNames, to: &mut impl ColumnSink<Self>) {
        to.times(|row| row.start);
        to.times(|row| row.end);
        to.addresses(|row| row.die.0.into());
        to.addresses(|row| row.plane.0.into());
        to.names(NameKind::State, |row| row.state.index());
        to.names(NameKind::DiePlane, |row| names.die_plane(row.die, row.plane));
        to.names(NameKind::Base, |row| base(row.state));
        to.times(|row| row.end - row.start);
    }
}

impl ValueRow for TouchRow {
    fn columns(_: &ValueNames, to: &mut impl ColumnSink<Self>) {
        to.names(NameKind::Touch, |row| row.touch as usize);
        to.names(NameKind::CellType, |row| row.cell_type.index());
        to.addresses(|row| row.die.0.into());
        to.addresses(|row| row.block.0);
        to.addresses(|row| row.page.0.into());
        to.counts(|row| row.count);
    }
}

impl ValueRow for InputTimeRow {
    fn columns(_: &ValueNames, to: &mut impl ColumnSink<Self>) {
        to.names(NameKind::State, |row| row.state.index());
        to.names(NameKind::PhaseKey, |row| row.key_used.index());
        to.names(NameKind::PhaseKey, |row| row.key_virtual.index());
        to.names(NameKind::Op, |row| row.op.index());
        to.fractions(|row| row.hundredths);
        to.counts(|row| row.count);
    }
}

impl ValueRow for ProposalRow {
    fn columns(_: &ValueNames, to: &mut impl ColumnSink<Self>) {
        to.names(NameKind::PhaseKey, |row| row.key_used.index());
        to.names(NameKind::PhaseKey, |row| row.key_virtual.index());
        to.addresses(|row| row.die.0.into());
        to.addresses(|row| row.plane.0.into());
        to.times(|row| row.time);
        to.names(NameKind::Op, |row| row.op.index());
        to.counts(|row| row.count);
    }
}
