//! The blocks as a list of operations leaves them, and which earlier operations of the history an operation needs for its block.
//!
//! A program needs its block erased and, if pages keep their numbers, every page before its own programmed. A read needs the program of
//! its page. [`BlocksSoFar::place_of`] gives an operation its address, or says what its blocks lack; [`lacking`] finds that in the history. It
//! looks at the order of operations alone: their times are none of its business.

use nandseq_device::{BlockStage, Place, Rule};
use nandseq_profile::model::AddressSource;
use nandseq_profile::{Die, Page, Plane};
use rustc_hash::FxHashMap;

use crate::history::SequenceHistory;
use crate::recipe::Recipe;

/// What a block lacks for an operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum BlockLack {
    /// Its last erase.
    Erase,
    /// Everything since its last erase.
    Content,
    /// The program of a page.
    Page(Page),
    /// One more program: another plane of the operation has more pages.
    Program,
}

/// An operation whose block is not as it must be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NotReady {
    pub(crate) plane: Plane,
    pub(crate) lack: BlockLack,
    pub(crate) rule: Rule,
}

#[derive(Clone, Copy, Debug)]
struct BlockNow {
    stage: BlockStage,
    /// Programmed pages.
    pages: u16,
    /// Erases so far: pages that were programmed before the last are gone.
    erases: u32,
}

/// A page of the history: die, block group, plane, page.
type PastPage = (Die, u32, Plane, Page);

/// The blocks as the operations so far leave them.
#[derive(Debug)]
pub(crate) struct BlocksSoFar<'a> {
    history: &'a SequenceHistory<'a>,
    recipe: &'a Recipe,
    now: FxHashMap<(Die, u32, Plane), BlockNow>,
    /// The page that holds what a page of the history held, with the erases of its block at that time.
    pages: FxHashMap<PastPage, (u32, Page)>,
}

impl<'a> BlocksSoFar<'a> {
    /// Those of a fresh device.
    pub(crate) fn new(history: &'a SequenceHistory<'a>, recipe: &'a Recipe) -> Self {
        Self { history, recipe, now: FxHashMap::default(), pages: FxHashMap::default() }
    }

    fn block(&self, place: &Place, plane: Plane) -> BlockNow {
        let fresh = BlockNow { stage: BlockStage::NotErased, pages: 0, erases: 0 };
        self.now.get(&(place.die, place.group, plane)).copied().unwrap_or(fresh)
    }

    fn set(&mut self, place: &Place, plane: Plane, block: BlockNow) {
        self.now.insert((place.die, place.group, plane), block);
    }

    /// The address of the next operation, which then counts as carried out.
    ///
    /// # Errors
    /// What a block lacks.
    pub(crate) fn place_of(&mut self, item: u32) -> Result<Place, NotReady> {
        let (history, past) = (self.history, &self.history.past[self.recipe.model(item) as usize]);
        let place = self.recipe.place(history.tables, past.op, &past.place);
        let info = history.tables.base(history.tables.op(past.op).base);
        if let Some(aborted) = history.aborted.get(&item) {
            aborted.iter().filter(|item| self.recipe.keeps(**item)).for_each(|item| self.abort(*item));
        }
        if !info.has_block {
            return Ok(place);
        }
        if info.effects.erase {
            for plane in place.planes.iter() {
                let erases = self.block(&place, plane).erases + 1;
                let stage = BlockStage::Erased(place.cell_type);
                self.set(&place, plane, BlockNow { stage, pages: 0, erases });
            }
            return Ok(place);
        }
        if info.effects.is_program() || info.address == AddressSource::NextPage {
            let page = self.next_page(&place)?;
            let place = Place { page, ..place };
            if info.effects.program || info.effects.close {
                self.program(&past.place, &place, info.effects.close);
            }
            return Ok(place);
        }
        if info.reads_page { self.read(&past.place, place) } else { Ok(place) }
    }

    /// The page that a program gets.
    fn next_page(&self, place: &Place) -> Result<Page, NotReady> {
        let not_ready = |plane, lack, rule| Err(NotReady { plane, lack, rule });
        let most = place.planes.iter().map(|plane| self.block(place, plane).pages).max().unwrap_or_default();
        let page = if self.recipe.exact { place.page.0 } else { most };
        for plane in place.planes.iter() {
            let block = self.block(place, plane);
            let fits = match block.stage {
                BlockStage::Bad | BlockStage::NotErased => {
                    return not_ready(plane, BlockLack::Erase, Rule::ProgramBeforeErase);
                }
                BlockStage::Erased(cell) => self.history.tables.programs[cell.index()] >> place.cell_type.0 & 1 == 1,
                BlockStage::Programmed(cell) => cell == place.cell_type,
            };
            if !fits {
                return not_ready(plane, BlockLack::Erase, Rule::ProgramCellType);
            }
            if page >= self.history.tables.size.pages || block.pages > page {
                return not_ready(plane, BlockLack::Erase, Rule::ProgramOrder);
            }
            if block.pages < page {
                let lack = if self.recipe.exact { BlockLack::Content } else { BlockLack::Program };
                return not_ready(plane, lack, Rule::ProgramOrder);
            }
        }
        Ok(Page(page))
    }

    fn program(&mut self, past: &Place, place: &Place, closes: bool) {
        for plane in place.planes.iter() {
            let block = self.block(place, plane);
            let pages = if closes { self.history.tables.size.pages } else { place.page.0 + 1 };
            self.set(place, plane, BlockNow { stage: BlockStage::Programmed(place.cell_type), pages, ..block });
            self.pages.insert((past.die, past.group, plane, past.page), (block.erases, place.page));
        }
    }

    /// The address of a read.
    fn read(&self, past: &Place, place: Place) -> Result<Place, NotReady> {
        let mut found: Option<Page> = None;
        for plane in place.planes.iter() {
            let block = self.block(&place, plane);
            let not_ready = |lack| Err(NotReady { plane, lack, rule: Rule::ReadBeforeProgram });
            let is_closed = block.pages == self.history.tables.size.pages;
            let of_past = self.pages.get(&(past.die, past.group, plane, past.page));
            let page = match of_past.filter(|(erases, _)| *erases == block.erases) {
                _ if self.recipe.exact => past.page,
                Some((_, page)) => *page,
                None if is_closed => past.page,
                None => return not_ready(BlockLack::Page(past.page)),
            };
            if u32::from(page.0) + self.history.tables.offset_guard >= u32::from(block.pages) {
                return not_ready(if self.recipe.exact { BlockLack::Content } else { BlockLack::Program });
            }
            match block.stage {
                BlockStage::Programmed(cell) if cell == place.cell_type => {}
                BlockStage::Programmed(_) | BlockStage::Bad | BlockStage::NotErased | BlockStage::Erased(_) => {
                    return not_ready(BlockLack::Content);
                }
            }
            if found.is_some_and(|other| other != page) {
                return Err(NotReady { plane, lack: BlockLack::Content, rule: Rule::MultiPlaneGroup });
            }
            found = Some(page);
        }
        Ok(Place { page: found.unwrap_or(place.page), ..place })
    }

    /// A reset has cut the erase or program of an operation.
    fn abort(&mut self, item: u32) {
        let past = &self.history.past[item as usize];
        let info = self.history.tables.base(self.history.tables.op(past.op).base);
        if info.changes_block {
            let place = self.recipe.place(self.history.tables, past.op, &past.place);
            for plane in place.planes.iter() {
                let block = self.block(&place, plane);
                self.set(&place, plane, BlockNow { stage: BlockStage::NotErased, pages: 0, ..block });
            }
        }
    }
}

/// The operations of the history before an operation that give a block what it lacks for it, and that are not kept; empty if there are
/// none. Its address is that of `model`.
pub(crate) fn lacking(
    history: &SequenceHistory<'_>,
    (item, model): (u32, u32),
    not_ready: NotReady,
    is_kept: impl Fn(u32) -> bool,
) -> Vec<u32> {
    let past = &history.past[model as usize];
    let block = past.place.block(&history.tables.size, not_ready.plane);
    let Some(all) = history.of_block.get(&(past.place.die, block)) else { return Vec::new() };
    let mut found = Vec::new();
    for &earlier in all[..all.partition_point(|other| *other < item)].iter().rev() {
        let (operation, is_lacking) = (&history.past[earlier as usize], !is_kept(earlier));
        let effects = &history.tables.base(history.tables.op(operation.op).base).effects;
        let is_wanted = match not_ready.lack {
            BlockLack::Erase => effects.erase,
            BlockLack::Content => true,
            BlockLack::Page(page) => !effects.erase && (effects.close || operation.place.page == page),
            BlockLack::Program => !effects.erase && is_lacking,
        };
        if is_wanted && is_lacking {
            found.push(earlier);
        }
        let is_one = is_wanted && not_ready.lack != BlockLack::Content;
        if effects.erase || is_one {
            break;
        }
    }
    found
}
