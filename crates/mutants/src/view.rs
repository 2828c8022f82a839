//! Facts about a row and its neighbours that need no judge.

use nandseq_input::Addressed;
use nandseq_profile::model::{Axis, ByAxis, DeviceState, Effect, PhaseKind, Scope, StatusField, StatusOf};
use nandseq_profile::{CellTypeId, OpId, Profile, Ticks};
use nandseq_trace::Status;

use crate::sequence::SequenceRow;
use nandseq_verify::compiled_profile::{CompiledProfile, OperationKind};
use nandseq_verify::time::after;

/// How many rows before the present one are looked at.
const BACK: usize = 3000;
/// How many rows after the present one are looked at. Mutants are judged for 100 rows more.
pub(crate) const AHEAD: usize = 400;

/// A row of a clean sequence, with the rows around it.
pub(crate) struct RowView<'a> {
    pub(crate) profile: &'a Profile,
    pub(crate) compiled: &'a CompiledProfile,
    pub(crate) rows: &'a [SequenceRow],
    /// The index of the row.
    pub(crate) at: usize,
    /// An `op_uid` that no row of the sequence has.
    pub(crate) new_uid: u64,
}

impl<'a> RowView<'a> {
    pub(crate) fn row(&self) -> &'a SequenceRow {
        &self.rows[self.at]
    }

    /// The first target of the row.
    pub(crate) fn target(&self) -> Option<Addressed> {
        self.row().targets.first().copied()
    }

    pub(crate) fn kind(&self) -> &'a OperationKind {
        &self.compiled.kinds[self.row().op]
    }

    pub(crate) fn kind_of(&self, record: &SequenceRow) -> &'a OperationKind {
        &self.compiled.kinds[record.op]
    }

    /// The rows before, the nearest first, with their indices.
    pub(crate) fn before(&self) -> impl Iterator<Item = (usize, &'a SequenceRow)> {
        let first = self.at.saturating_sub(BACK);
        self.rows[first..self.at].iter().enumerate().rev().map(move |(at, row)| (first + at, row))
    }

    /// Whether [`RowView::before`] goes back to the first row.
    pub(crate) fn sees_the_start(&self) -> bool {
        self.at <= BACK
    }

    /// The rows after, with their indices.
    pub(crate) fn following(&self) -> impl Iterator<Item = (usize, &'a SequenceRow)> {
        let last = (self.at + 1 + AHEAD).min(self.rows.len());
        self.rows[self.at + 1..last].iter().enumerate().map(|(at, row)| (self.at + 1 + at, row))
    }

    /// When the row before starts.
    pub(crate) fn earliest(&self) -> Ticks {
        self.at.checked_sub(1).map_or(Ticks::ZERO, |before| self.rows[before].time)
    }

    /// When the next row starts.
    pub(crate) fn next_time(&self) -> Ticks {
        self.rows.get(self.at + 1).map_or(Ticks(u64::MAX), |row| row.time)
    }

    /// When the array of the row is done, if it is not suspended or reset.
    pub(crate) fn array_done(&self) -> Ticks {
        after(self.row().time, self.kind().array_done)
    }

    /// One tick before the array of the row is done.
    pub(crate) fn just_before_done(&self) -> Option<Ticks> {
        self.array_done().0.checked_sub(1).map(Ticks)
    }

    /// When the row's CORE_BUSY starts, if it lasts at all.
    pub(crate) fn core_start(&self) -> Option<Ticks> {
        let span = self.kind().span(PhaseKind::CoreBusy).filter(|span| span.duration > Ticks::ZERO)?;
        Some(after(self.row().time, span.offset))
    }

    /// The duration of a row's ISSUE, if it holds the bus for more than one tick.
    pub(crate) fn issue(&self, record: &SequenceRow) -> Option<Ticks> {
        let span = self.kind_of(record).spans.first()?;
        (span.bus && span.duration > Ticks(1)).then_some(span.duration)
    }

    /// What has to be added to the blocks of the row to come to another block group.
    pub(crate) fn to_other_group(&self) -> Option<i64> {
        let topology = self.profile.topology;
        let (planes, blocks) = (i64::from(topology.planes), i64::from(topology.blocks_per_die));
        let own = self.target()?.block;
        [planes, -planes].into_iter().find(|shift| (0..blocks).contains(&(own + shift)))
    }

    /// The row at another time.
    pub(crate) fn moved(&self, time: Ticks) -> SequenceRow {
        SequenceRow { time, ..self.row().clone() }
    }

    /// The row with its first target changed.
    pub(crate) fn changed(&self, change: impl Fn(&mut Addressed)) -> SequenceRow {
        let mut record = self.row().clone();
        if let Some(first) = record.targets.first_mut() {
            change(first);
        }
        record
    }

    /// The row with every target changed.
    pub(crate) fn all_changed(&self, change: impl Fn(&mut Addressed)) -> SequenceRow {
        let mut record = self.row().clone();
        record.targets.iter_mut().for_each(change);
        record
    }

    /// A new row like this one, at another time.
    pub(crate) fn copy(&self, time: Ticks) -> SequenceRow {
        SequenceRow { time, uid: self.new_uid, ..self.row().clone() }
    }

    /// A new row with one target. The payload has the fields of the base.
    pub(crate) fn new_row(&self, op: OpId, time: Ticks, target: Addressed) -> SequenceRow {
        let base = &self.profile.bases[self.profile.ops[op].base];
        let fields = base.payload.iter().copied().collect();
        let cell_type = target.cell_type.or(Some(self.profile.ops[op].cell_type));
        let target = Addressed { fields, cell_type, ..target };
        SequenceRow { time, op, uid: self.new_uid, targets: vec![target] }
    }

    /// The die of a row that has one.
    pub(crate) fn die(&self) -> Option<i64> {
        self.target().filter(|_| self.kind().has_die).map(|target| target.die)
    }

    /// Whether a row works on a die.
    pub(crate) fn is_on(&self, record: &SequenceRow, die: i64) -> bool {
        let kind = self.kind_of(record);
        !kind.has_die || self.is_reset(record) || record.targets.iter().any(|target| target.die == die)
    }

    /// Whether a row works on a plane, as far as its payload tells.
    pub(crate) fn is_on_plane(&self, record: &SequenceRow, die: i64, plane: i64) -> bool {
        let kind = self.kind_of(record);
        self.is_on(record, die)
            && (!kind.has_plane || record.targets.iter().any(|target| (target.die, target.plane) == (die, plane)))
    }

    /// Whether a row addresses a block.
    pub(crate) fn names_block(&self, record: &SequenceRow, die: i64, block: i64) -> bool {
        self.kind_of(record).has_block && record.targets.iter().any(|target| (target.die, target.block) == (die, block))
    }

    pub(crate) fn is_reset(&self, record: &SequenceRow) -> bool {
        self.kind_of(record).resets.is_some()
    }

    /// Whether a row suspends, resumes or resets.
    pub(crate) fn interferes(&self, record: &SequenceRow) -> bool {
        let kind = self.kind_of(record);
        kind.suspends.is_some() || kind.resumes.is_some() || kind.resets.is_some()
    }

    pub(crate) fn has(&self, record: &SequenceRow, test: fn(Effect) -> bool) -> bool {
        self.kind_of(record).effects.iter().copied().any(test)
    }

    /// An operation of another cell type that is otherwise like this one.
    pub(crate) fn sibling(&self, op: OpId, wanted: impl Fn(CellTypeId) -> bool) -> Option<OpId> {
        let own = &self.profile.ops[op];
        let like = |id: OpId| {
            let other = &self.profile.ops[id];
            other.base == own.base && other.multi == own.multi && other.cell_type != own.cell_type
        };
        let typed = |id: OpId| self.compiled.kinds[id].cell_type.is_some_and(&wanted);
        self.profile.ops.ids().find(|&id| like(id) && typed(id))
    }

    /// The row as an operation of another cell type.
    pub(crate) fn retyped(&self, op: OpId) -> SequenceRow {
        let cell_type = Some(self.profile.ops[op].cell_type);
        SequenceRow { op, ..self.all_changed(|target| target.cell_type = cell_type) }
    }

    /// The first operation whose kind is `wanted`.
    pub(crate) fn op(&self, wanted: impl Fn(&OperationKind) -> bool) -> Option<OpId> {
        self.profile.ops.ids().find(|&id| wanted(&self.compiled.kinds[id]))
    }

    /// An operation that names only a die, occupies nothing and changes nothing, for which `forbidden` holds.
    pub(crate) fn command(&self, forbidden: impl Fn(&OperationKind) -> bool) -> Option<OpId> {
        self.op(|kind| {
            let plain = kind.scope == Scope::None && !kind.affects_state && kind.status_of.is_none();
            plain && kind.has_die && !kind.has_plane && kind.effects.is_empty() && forbidden(kind)
        })
    }

    /// Such a command that a state of the device forbids.
    pub(crate) fn command_forbidden_in(&self, state: DeviceState) -> Option<OpId> {
        self.command(|kind| self.compiled.in_state(state).contains(kind.base))
    }

    /// A new status read of a die whose payload names no plane, after this row. Axes are as they are.
    pub(crate) fn status_read(&self, time: Ticks, die: i64, status: Status) -> Option<SequenceRow> {
        let op = self.op(|kind| kind.status_of == Some(StatusOf::Die) && !kind.has_plane)?;
        let fields = &self.profile.export.status;
        let has_field = |axis| match axis {
            Axis::Erase => fields.contains(&StatusField::EraseSuspend),
            Axis::Program => fields.contains(&StatusField::ProgramSuspend),
        };
        let suspended = ByAxis::new(|axis| has_field(axis).then(|| self.is_suspended(time, die, axis)));
        Some(self.new_row(op, time, Addressed { die, status: Some(status), suspended, ..Addressed::default() }))
    }

    /// Whether a status read after this row sees an axis of a die suspended.
    fn is_suspended(&self, time: Ticks, die: i64, axis: Axis) -> bool {
        let rows = std::iter::once((self.at, self.row())).chain(self.before());
        let mut changes = rows.filter(|(_, row)| self.is_on(row, die)).map(|(_, row)| (row, self.kind_of(row)));
        let last = changes
            .find(|(_, kind)| kind.suspends == Some(axis) || kind.resumes == Some(axis) || kind.resets.is_some());
        last.is_some_and(|(row, kind)| kind.suspends.is_some() && after(row.time, kind.array_done) <= time)
    }

    /// The nearest row before on a plane that satisfies `wanted`.
    pub(crate) fn last_on_plane(
        &self,
        die: i64,
        plane: i64,
        wanted: impl Fn(&SequenceRow) -> bool,
    ) -> Option<(usize, &'a SequenceRow)> {
        self.before().find(|(_, row)| self.is_on_plane(row, die, plane) && wanted(row))
    }
}
