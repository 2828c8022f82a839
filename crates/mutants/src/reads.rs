//! Damages of reads and data output.

use nandseq_input::Addressed;
use nandseq_profile::model::Effect;

use crate::mutation::{Mutant, Mutation, breaks};
use crate::sequence::SequenceRow;
use crate::view::RowView;
use nandseq_verify::RuleCode::{DoutSource, ReadBeforeProgram, ReadCellType, UnreadData};

pub(crate) const MUTATIONS: &[Mutation] = &[
    breaks(ReadBeforeProgram, "the last page of a block that is not full", last_page),
    breaks(ReadBeforeProgram, "the first page that cannot be read yet", first_unreadable),
    breaks(ReadBeforeProgram, "a block never programmed", never_programmed),
    breaks(ReadCellType, "another cell type in the payload", payload_cell_type),
    breaks(ReadCellType, "a read of another cell type", other_cell_type),
    breaks(ReadCellType, "another cell type for the last target", last_cell_type),
    breaks(DoutSource, "the next page", output_next_page),
    breaks(DoutSource, "another block of the plane", output_other_block),
    breaks(DoutSource, "another cell type", output_cell_type),
    breaks(DoutSource, "the read before lost", output_read_lost),
    breaks(DoutSource, "one tick before the read is done", output_early),
    breaks(UnreadData, "the output lost", output_lost),
    breaks(UnreadData, "the read again when it is done", read_twice),
    breaks(UnreadData, "an erase of the block when the read is done", erase_unread),
];

/// The first target of a row that reads pages.
fn read(view: &RowView<'_>) -> Option<Addressed> {
    view.target().filter(|_| view.kind().reads)
}

fn puts_out(view: &RowView<'_>, row: &SequenceRow) -> bool {
    view.has(row, |effect| effect == Effect::DataOut)
}

fn fills(view: &RowView<'_>, row: &SequenceRow) -> bool {
    view.has(row, |effect| matches!(effect, Effect::FillRegisters { .. }))
}

/// The highest page of a block that was programmed since its last erase, -1 if none was; `None` if the rows before do not tell.
fn highest(view: &RowView<'_>, target: &Addressed) -> Option<i64> {
    let pages = i64::from(view.profile.topology.pages_per_block);
    let mut highest = -1;
    for (_, row) in view.before().filter(|(_, row)| view.names_block(row, target.die, target.block)) {
        if view.kind_of(row).erases {
            return Some(highest);
        }
        if view.has(row, |effect| effect == Effect::CloseBlock) {
            highest = pages - 1;
        }
        if view.kind_of(row).programs {
            highest = highest.max(row.targets.first()?.page);
        }
    }
    view.sees_the_start().then_some(highest)
}

fn last_page(view: &RowView<'_>) -> Option<Mutant> {
    let last = i64::from(view.profile.topology.pages_per_block) - 1;
    let fits = highest(view, &read(view)?)? < last;
    fits.then(|| Mutant::replace(view.at, view.all_changed(|target| target.page = last)))
}

fn first_unreadable(view: &RowView<'_>) -> Option<Mutant> {
    let page = highest(view, &read(view)?)? + 1 - i64::from(view.profile.offset_guard);
    let exists = page >= 0 && page < i64::from(view.profile.topology.pages_per_block);
    exists.then(|| Mutant::replace(view.at, view.all_changed(|target| target.page = page)))
}

fn never_programmed(view: &RowView<'_>) -> Option<Mutant> {
    let own = read(view).filter(|_| !view.kind().multi && view.sees_the_start())?;
    let topology = view.profile.topology;
    let mut blocks = (own.plane..i64::from(topology.blocks_per_die)).step_by(topology.planes as usize);
    let programmed =
        |block| view.before().any(|(_, row)| view.kind_of(row).programs && view.names_block(row, own.die, block));
    let block = blocks.by_ref().take(64).find(|&block| !programmed(block))?;
    Some(Mutant::replace(view.at, view.changed(|target| target.block = block)))
}

fn payload_cell_type(view: &RowView<'_>) -> Option<Mutant> {
    let own = view.kind().cell_type.filter(|_| view.kind().reads)?;
    let other = view.profile.cell_types.ids().find(|&id| id != own)?;
    Some(Mutant::replace(view.at, view.all_changed(|target| target.cell_type = Some(other))))
}

fn other_cell_type(view: &RowView<'_>) -> Option<Mutant> {
    read(view)?;
    Some(Mutant::replace(view.at, view.retyped(view.sibling(view.row().op, |_| true)?)))
}

fn last_cell_type(view: &RowView<'_>) -> Option<Mutant> {
    let own = view.kind().cell_type.filter(|_| view.kind().reads && view.kind().multi)?;
    let other = view.profile.cell_types.ids().find(|&id| id != own)?;
    let mut row = view.row().clone();
    row.targets.last_mut()?.cell_type = Some(other);
    Some(Mutant::replace(view.at, row))
}

fn output(view: &RowView<'_>, change: impl Fn(&mut Addressed)) -> Option<Mutant> {
    puts_out(view, view.row()).then(|| Mutant::replace(view.at, view.changed(change)))
}

fn output_next_page(view: &RowView<'_>) -> Option<Mutant> {
    let pages = i64::from(view.profile.topology.pages_per_block);
    output(view, |target| target.page = (target.page + 1) % pages).filter(|_| pages > 1)
}

fn output_other_block(view: &RowView<'_>) -> Option<Mutant> {
    let shift = view.to_other_group()?;
    output(view, |target| target.block += shift)
}

fn output_cell_type(view: &RowView<'_>) -> Option<Mutant> {
    let own = view.target()?.cell_type?;
    let other = view.profile.cell_types.ids().find(|&id| id != own)?;
    output(view, |target| target.cell_type = Some(other))
}

/// The nearest row before that changes the output register of a plane.
pub(crate) fn filled_before<'a>(view: &RowView<'a>, target: &Addressed) -> Option<(usize, &'a SequenceRow)> {
    let changes = |row: &SequenceRow| {
        let kind = view.kind_of(row);
        let cache = |effect| matches!(effect, Effect::CacheRead(_) | Effect::CacheReadEnd(_));
        let changes = kind.erases || kind.programs || kind.resumes.is_some();
        changes || fills(view, row) || view.has(row, cache) || view.is_reset(row)
    };
    view.last_on_plane(target.die, target.plane, changes)
}

/// The read whose data this output puts out, if the register did not hold the same page before the read.
fn source<'a>(view: &RowView<'a>) -> Option<(usize, &'a SequenceRow)> {
    let own = view.target().filter(|_| puts_out(view, view.row()))?;
    let (at, read) = filled_before(view, &own).filter(|(_, row)| fills(view, row))?;
    let earlier = RowView { at, ..*view };
    let same =
        |row: &SequenceRow| row.targets.iter().any(|target| (target.block, target.page) == (own.block, own.page));
    let mut before = earlier.before().take_while(|(_, row)| {
        let kind = view.kind_of(row);
        !((kind.erases || kind.programs) && view.is_on_plane(row, own.die, own.plane))
    });
    let again =
        before.any(|(_, row)| view.is_on_plane(row, own.die, own.plane) && view.kind_of(row).has_block && same(row));
    (!again).then_some((at, read))
}

fn output_read_lost(view: &RowView<'_>) -> Option<Mutant> {
    source(view).map(|(at, _)| Mutant::remove(at))
}

fn output_early(view: &RowView<'_>) -> Option<Mutant> {
    let (at, _) = source(view)?;
    let read = RowView { at, ..*view };
    read.core_start()?;
    let early = read.just_before_done()?;
    (early >= view.earliest()).then(|| Mutant::replace(view.at, view.moved(early)))
}

/// Whether a row overwrites the data of a plane for certain.
fn overwrites(view: &RowView<'_>, row: &SequenceRow, target: &Addressed) -> bool {
    let kind = view.kind_of(row);
    let targeted = row.targets.iter().any(|at| (at.die, at.plane) == (target.die, target.plane));
    let copyback = view.has(row, |effect| effect == Effect::CopybackSource);
    targeted && !copyback && (kind.erases || kind.programs || fills(view, row))
}

fn output_lost(view: &RowView<'_>) -> Option<Mutant> {
    let own = view.target()?;
    let (at, _) = source(view)?;
    let put_out_before =
        view.rows[at + 1..view.at].iter().any(|row| puts_out(view, row) && view.is_on_plane(row, own.die, own.plane));
    if put_out_before {
        return None;
    }
    for (_, row) in view.following().filter(|(_, row)| view.is_on_plane(row, own.die, own.plane)) {
        let cache = view.has(row, |effect| matches!(effect, Effect::CacheRead(_) | Effect::CacheReadEnd(_)));
        let copyback = view.has(row, |effect| effect == Effect::CopybackSource);
        if puts_out(view, row) || view.is_reset(row) || cache || copyback || view.kind_of(row).resumes.is_some() {
            return None;
        }
        if overwrites(view, row, &own) {
            return Some(Mutant::remove(view.at));
        }
    }
    None
}

fn read_twice(view: &RowView<'_>) -> Option<Mutant> {
    Mutant::follow(view, view.copy(view.array_done())).filter(|_| fills(view, view.row()))
}

fn erase_unread(view: &RowView<'_>) -> Option<Mutant> {
    let own = view.target().filter(|_| fills(view, view.row()))?;
    let op = view.op(|kind| kind.erases && !kind.multi)?;
    let target = Addressed { page: 0, cell_type: None, ..own };
    Mutant::follow(view, view.new_row(op, view.array_done(), target))
}
