//! Damages of programs: erase before program, order, cell type, latches, cache programs, copyback.

use nandseq_input::Addressed;
use nandseq_profile::model::{Axis, Effect, LatchKind};

use crate::mutation::{Edit, Mutant, Mutation, breaks};
use crate::sequence::SequenceRow;
use crate::view::RowView;
use nandseq_verify::RuleCode::{
    CacheSequence, CopybackSource, OneShotOrder, ProgramBeforeErase, ProgramCellType, ProgramOrder,
};
use nandseq_verify::time::after;

pub(crate) const MUTATIONS: &[Mutation] = &[
    breaks(ProgramBeforeErase, "the first erase of a block lost", first_erase_lost),
    breaks(ProgramBeforeErase, "a reset in the erase before", reset_in_erase),
    breaks(ProgramBeforeErase, "a program moved to a block never erased", never_erased),
    breaks(ProgramOrder, "the next page", page_after),
    breaks(ProgramOrder, "the page before, again", page_before),
    breaks(ProgramOrder, "a program lost", program_lost),
    breaks(ProgramOrder, "the program again when it is done", program_twice),
    breaks(ProgramCellType, "another cell type in the payload", payload_cell_type),
    breaks(ProgramCellType, "a program of another cell type on an open block", open_cell_type),
    breaks(ProgramCellType, "an erase of another cell type before", erase_cell_type),
    breaks(OneShotOrder, "the first load lost", first_load_lost),
    breaks(OneShotOrder, "the load before lost", load_lost),
    breaks(OneShotOrder, "another page than the load before", other_page),
    breaks(OneShotOrder, "another block than the load before", other_block),
    breaks(OneShotOrder, "the program of the latch again", consumed_twice),
    breaks(CacheSequence, "a page left out in a cache program", cache_page),
    breaks(CacheSequence, "another block in a cache program", cache_block),
    breaks(CacheSequence, "another cell type in a cache program", cache_cell_type),
    breaks(CacheSequence, "another page at the end of a cache read", cache_read_end_page),
    breaks(CacheSequence, "a cache read of another cell type", cache_read_cell_type),
    breaks(CopybackSource, "the copyback read lost", copyback_lost),
    breaks(CopybackSource, "an ordinary read instead of a copyback read", copyback_ordinary),
    breaks(CopybackSource, "the copyback program again", copyback_twice),
];

/// Whether a row programs its page, or closes its block, when its array is done.
fn commits(view: &RowView<'_>, row: &SequenceRow) -> bool {
    view.has(row, |effect| matches!(effect, Effect::Program | Effect::CloseBlock))
}

/// Whether a row loads a page into a latch.
fn loads(view: &RowView<'_>, row: &SequenceRow) -> bool {
    view.has(row, |effect| matches!(effect, Effect::LoadLatch { .. }))
}

/// The next row that erases or programs a block, or resets.
fn block_after<'a>(view: &RowView<'a>, target: &Addressed) -> Option<(usize, &'a SequenceRow)> {
    let changes = |row: &SequenceRow| {
        let kind = view.kind_of(row);
        (kind.erases || kind.programs) && view.names_block(row, target.die, target.block)
    };
    view.following().find(|(_, row)| changes(row) || (view.is_reset(row) && view.is_on(row, target.die)))
}

fn first_erase_lost(view: &RowView<'_>) -> Option<Mutant> {
    let own = view.target().filter(|_| view.kind().erases && view.sees_the_start())?;
    let touched = view.before().any(|(_, row)| view.names_block(row, own.die, own.block));
    let (_, next) = block_after(view, &own)?;
    (!touched && view.kind_of(next).programs).then(|| Mutant::remove(view.at))
}

fn reset_in_erase(view: &RowView<'_>) -> Option<Mutant> {
    let own = view.target().filter(|_| view.kind().erases)?;
    let reset = view.op(|kind| kind.resets.is_some())?;
    let start = view.core_start()?;
    let (_, next) = block_after(view, &own)?;
    let row = view.new_row(reset, start, Addressed { die: own.die, ..Addressed::default() });
    Mutant::follow(view, row).filter(|_| view.kind_of(next).programs)
}

fn never_erased(view: &RowView<'_>) -> Option<Mutant> {
    let own = view.target().filter(|_| view.kind().programs && !view.kind().multi && view.sees_the_start())?;
    let topology = view.profile.topology;
    let planes = i64::from(topology.planes);
    let mut blocks = (own.plane..i64::from(topology.blocks_per_die)).step_by(usize::try_from(planes).ok()?);
    let touched = |block| view.before().any(|(_, row)| view.names_block(row, own.die, block));
    let block = blocks.by_ref().take(64).find(|&block| block != own.block && !touched(block))?;
    Some(Mutant::replace(view.at, view.changed(|target| target.block = block)))
}

fn page_after(view: &RowView<'_>) -> Option<Mutant> {
    let own = view.target().filter(|_| view.kind().programs)?;
    let fits = own.page + 1 < i64::from(view.profile.topology.pages_per_block);
    fits.then(|| Mutant::replace(view.at, view.all_changed(|target| target.page += 1)))
}

fn page_before(view: &RowView<'_>) -> Option<Mutant> {
    let own = view.target().filter(|_| view.kind().programs)?;
    (own.page > 0).then(|| Mutant::replace(view.at, view.all_changed(|target| target.page -= 1)))
}

fn program_lost(view: &RowView<'_>) -> Option<Mutant> {
    let own = view.target().filter(|_| commits(view, view.row()))?;
    let (_, next) = block_after(view, &own)?;
    let suspended = view
        .following()
        .take_while(|(_, row)| !std::ptr::eq(*row, next))
        .any(|(_, row)| view.kind_of(row).suspends.is_some() && view.is_on(row, own.die));
    (view.kind_of(next).programs && !suspended).then(|| Mutant::remove(view.at))
}

fn program_twice(view: &RowView<'_>) -> Option<Mutant> {
    Mutant::follow(view, view.copy(view.array_done())).filter(|_| commits(view, view.row()))
}

fn payload_cell_type(view: &RowView<'_>) -> Option<Mutant> {
    let own = view.kind().cell_type.filter(|_| view.kind().programs)?;
    let other = view.profile.cell_types.ids().find(|&id| id != own)?;
    Some(Mutant::replace(view.at, view.changed(|target| target.cell_type = Some(other))))
}

fn open_cell_type(view: &RowView<'_>) -> Option<Mutant> {
    view.target().filter(|own| view.kind().programs && own.page > 0)?;
    let op = view.sibling(view.row().op, |_| true)?;
    Some(Mutant::replace(view.at, view.retyped(op)))
}

fn erase_cell_type(view: &RowView<'_>) -> Option<Mutant> {
    let own = view.target().filter(|_| view.kind().erases)?;
    let (_, next) = block_after(view, &own).filter(|(_, row)| view.kind_of(row).programs)?;
    let wanted = view.kind_of(next).cell_type?;
    let op = view.sibling(view.row().op, |id| view.profile.cell_types[id].programs >> wanted.0 & 1 == 0)?;
    Some(Mutant::replace(view.at, view.retyped(op)))
}

/// The latch whose content a row needs.
fn needed_latch(view: &RowView<'_>, row: &SequenceRow) -> Option<LatchKind> {
    view.kind_of(row).effects.iter().find_map(|effect| {
        if let Effect::LoadLatch { latch, needs, .. } | Effect::ConsumeLatch { latch, needs } = effect {
            (needs.lsb || needs.csb || needs.msb).then_some(*latch)
        } else {
            None
        }
    })
}

/// The nearest row before on the die that changes the latch this row needs.
fn latch_before<'a>(view: &RowView<'a>) -> Option<(usize, &'a SequenceRow)> {
    let latch = needed_latch(view, view.row())?;
    let die = view.die()?;
    let changes = |row: &SequenceRow| {
        view.kind_of(row).effects.iter().any(|effect| {
            matches!(effect, Effect::LoadLatch { latch: of, .. } | Effect::ConsumeLatch { latch: of, .. } if *of == latch)
        })
    };
    view.before().find(|(_, row)| view.is_on(row, die) && (changes(row) || view.is_reset(row)))
}

fn first_load_lost(view: &RowView<'_>) -> Option<Mutant> {
    let (at, load) = latch_before(view)?;
    (loads(view, load) && needed_latch(view, load).is_none()).then(|| {
        // Before this load the latch is empty: an earlier content was consumed or reset.
        Mutant::remove(at)
    })
}

fn load_lost(view: &RowView<'_>) -> Option<Mutant> {
    let (at, load) = latch_before(view)?;
    needed_latch(view, load).filter(|_| loads(view, load))?;
    let needs_only = |wanted: fn(&Effect) -> bool| view.kind().effects.iter().any(wanted);
    // Without the load, the latch holds the level before it. A row that takes more than one level might take that one.
    let single = needs_only(|effect| {
        matches!(effect, Effect::LoadLatch { needs, .. } | Effect::ConsumeLatch { needs, .. }
            if u8::from(needs.lsb) + u8::from(needs.csb) + u8::from(needs.msb) == 1)
    });
    single.then(|| Mutant::remove(at))
}

fn other_page(view: &RowView<'_>) -> Option<Mutant> {
    needed_latch(view, view.row())?;
    let pages = i64::from(view.profile.topology.pages_per_block);
    let moved = view.all_changed(|target| target.page = (target.page + 1) % pages);
    (pages > 1).then(|| Mutant::replace(view.at, moved))
}

fn other_block(view: &RowView<'_>) -> Option<Mutant> {
    needed_latch(view, view.row())?;
    let shift = view.to_other_group()?;
    Some(Mutant::replace(view.at, view.all_changed(|target| target.block += shift)))
}

fn consumed_twice(view: &RowView<'_>) -> Option<Mutant> {
    needed_latch(view, view.row())?;
    let consumes = view.has(view.row(), |effect| matches!(effect, Effect::ConsumeLatch { .. }));
    Mutant::follow(view, view.copy(view.array_done())).filter(|_| consumes)
}

/// The first target of this row, if it is a program and a cache program is under way on its die.
fn in_cache_program(view: &RowView<'_>) -> Option<Addressed> {
    let own = view.target().filter(|_| view.kind().programs)?;
    let relevant = |row: &SequenceRow| {
        let cache = |effect| matches!(effect, Effect::CacheProgramStart(_) | Effect::CacheProgramEnd(_));
        // A program that is resumed may end a cache program that began after it.
        let resumes = view.kind_of(row).resumes == Some(Axis::Program);
        view.is_on(row, own.die) && (view.has(row, cache) || view.is_reset(row) || resumes)
    };
    let (_, before) = view.before().find(|(_, row)| relevant(row))?;
    view.has(before, |effect| matches!(effect, Effect::CacheProgramStart(_))).then_some(own)
}

fn cache_page(view: &RowView<'_>) -> Option<Mutant> {
    let own = in_cache_program(view)?;
    let fits = own.page + 1 < i64::from(view.profile.topology.pages_per_block);
    fits.then(|| Mutant::replace(view.at, view.all_changed(|target| target.page += 1)))
}

fn cache_block(view: &RowView<'_>) -> Option<Mutant> {
    in_cache_program(view)?;
    let shift = view.to_other_group()?;
    Some(Mutant::replace(view.at, view.all_changed(|target| target.block += shift)))
}

fn cache_cell_type(view: &RowView<'_>) -> Option<Mutant> {
    in_cache_program(view)?;
    Some(Mutant::replace(view.at, view.retyped(view.sibling(view.row().op, |_| true)?)))
}

fn cache_read_end_page(view: &RowView<'_>) -> Option<Mutant> {
    let ends = view.has(view.row(), |effect| matches!(effect, Effect::CacheReadEnd(_)));
    let pages = i64::from(view.profile.topology.pages_per_block);
    let moved = view.changed(|target| target.page = (target.page + 1) % pages);
    (ends && pages > 1).then(|| Mutant::replace(view.at, moved))
}

fn cache_read_cell_type(view: &RowView<'_>) -> Option<Mutant> {
    let goes_on = view.has(view.row(), |effect| matches!(effect, Effect::CacheRead(_)));
    let op = view.sibling(view.row().op, |_| goes_on)?;
    Some(Mutant::replace(view.at, view.retyped(op)))
}

/// The nearest row before that changes the page register of the first target's plane, if it is a copyback read.
fn copyback_before<'a>(view: &RowView<'a>) -> Option<(usize, &'a SequenceRow)> {
    let own = view.target().filter(|_| view.has(view.row(), |effect| effect == Effect::CopybackSource))?;
    let changes = |row: &SequenceRow| {
        let kind = view.kind_of(row);
        let reads =
            |effect| matches!(effect, Effect::FillRegisters { .. } | Effect::CacheRead(_) | Effect::CacheReadEnd(_));
        kind.erases || kind.programs || view.has(row, reads) || kind.resumes.is_some() || view.is_reset(row)
    };
    let (at, row) = view.last_on_plane(own.die, own.plane, changes)?;
    view.has(row, |effect| effect == Effect::FillRegisters { copyback: true }).then_some((at, row))
}

/// Without the copyback read, the register is as the row before it left it: empty after an erase or program.
fn copyback_lost(view: &RowView<'_>) -> Option<Mutant> {
    let own = view.target()?;
    let (at, _) = copyback_before(view)?;
    let earlier = RowView { at, ..*view };
    let fills = |effect| matches!(effect, Effect::FillRegisters { copyback: true });
    let changes = |row: &SequenceRow| {
        let kind = view.kind_of(row);
        kind.erases || kind.programs || view.has(row, fills) || view.is_reset(row)
    };
    let before = earlier.last_on_plane(own.die, own.plane, changes);
    let empty = before.map_or(view.sees_the_start(), |(_, row)| {
        let kind = view.kind_of(row);
        let targeted = row.targets.iter().any(|target| (target.die, target.plane) == (own.die, own.plane));
        (kind.erases || kind.programs) && targeted
    });
    empty.then(|| Mutant::remove(at))
}

fn copyback_ordinary(view: &RowView<'_>) -> Option<Mutant> {
    let (at, read) = copyback_before(view)?;
    let own = &view.profile.ops[read.op];
    let op = view.profile.ops.ids().find(|&id| {
        let other = &view.profile.ops[id];
        let kind = &view.compiled.kinds[id];
        let fills = kind.effects.contains(&Effect::FillRegisters { copyback: false });
        fills && !kind.recovers && other.multi == own.multi && other.cell_type == own.cell_type
    })?;
    let row = SequenceRow { op, ..read.clone() };
    // The other read may take longer. The copyback program must still find it done.
    let done = after(row.time, view.compiled.kinds[op].array_done);
    (done <= view.row().time).then(|| Mutant { edits: vec![Edit::Replace(at, row)], condemned: None })
}

fn copyback_twice(view: &RowView<'_>) -> Option<Mutant> {
    copyback_before(view)?;
    let fits = view.target()?.page + 1 < i64::from(view.profile.topology.pages_per_block);
    let time = after(view.row().time, view.kind().occupied).max(view.array_done());
    let mut copy = view.copy(time);
    copy.targets.iter_mut().for_each(|target| target.page += 1);
    Mutant::follow(view, copy).filter(|_| fits && commits(view, view.row()))
}
