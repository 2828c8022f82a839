//! Parts of a sequence are removed: what a part is, and which parts are tried next.
//!
//! Whole units go first, then single operations; then dies, blocks and pages are merged, and gaps shortened. Parts are tried in chunks.
//! When all were tried, the chunks become smaller, down to one part; then comes the next kind of parts. [`Pass`] gives the chunks one
//! after another, over chunk sizes and kinds, so that a round is full as long as anything is left to try. Chunks that can go by themselves
//! are kept as hits; the next round removes them together.
//!
//! The number of rounds is bounded: where many chunks are tried and little goes, the rest of the chunks of this size is left out, and
//! parts are begun again only for a sequence that is short or has become shorter.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::history::SequenceHistory;
use crate::reads::{ReadAs, reads_as_others};
use crate::recipe::Recipe;
use crate::repair::LegalSequence;

/// The most candidates of a round.
pub const MOST_CANDIDATES: usize = 32;
/// The chunks of a round in which hits are tried too.
const CHUNKS_WITH_HITS: usize = 25;
/// How many chunks are tried in vain before the rest of their size is left out: those of two rounds.
const MOST_IN_VAIN: usize = 2 * MOST_CANDIDATES;
/// A chunk that goes makes up for others in vain: one part of this many makes up for all.
const WORTH_IT: usize = 32;
/// Parts of sequences up to this long are always begun again after something went.
const SHORT: usize = 128;
/// Those of longer ones are begun again if this part of the operations has gone.
const MUCH: usize = 16;
/// Pairs of operations are tried in sequences up to this long.
const MOST_IN_PAIRS: usize = 64;

/// What is removed, merged or shortened.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReducedPart {
    /// Whole chains, and what else belongs together.
    Units,
    /// Single operations.
    Operations,
    /// Dies are merged.
    Dies,
    /// Blocks are merged.
    Blocks,
    /// Pages are numbered anew.
    Pages,
    /// Reads become others.
    Reads,
    /// Gaps are shortened.
    Gaps,
}

impl ReducedPart {
    const fn next(self) -> Option<Self> {
        match self {
            Self::Units => Some(Self::Operations),
            Self::Operations => Some(Self::Dies),
            Self::Dies => Some(Self::Blocks),
            Self::Blocks => Some(Self::Pages),
            Self::Pages => Some(Self::Reads),
            Self::Reads => Some(Self::Gaps),
            Self::Gaps => None,
        }
    }

    /// Whether operations are removed: a candidate with as many operations is none.
    pub(crate) const fn removes(self) -> bool {
        match self {
            Self::Units | Self::Operations | Self::Reads => true,
            Self::Dies | Self::Blocks | Self::Pages | Self::Gaps => false,
        }
    }
}

/// A part that may go.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Element {
    /// These operations.
    Items(Vec<u32>),
    /// A die becomes another one.
    Die { from: u8, to: u8 },
    /// A block group becomes another one of its die.
    Group { die: u8, from: u32, to: u32 },
    /// Pages are numbered anew.
    Pages,
    /// A read becomes another one, and what set up its page goes.
    Read { item: u32, like: u32, set_up: Vec<u32> },
    /// An operation starts as soon as it may.
    Gap(u32),
}

/// The place of an element among those of its part. It stays when others go.
type ElementKey = (u32, u32);

impl Element {
    /// Whether a recipe still has it.
    fn is_in(&self, recipe: &Recipe) -> bool {
        match self {
            Self::Items(items) => items.iter().any(|item| recipe.keeps(*item)),
            Self::Die { from, .. } => !recipe.dies.contains_key(from),
            Self::Group { die, from, .. } => !recipe.groups.contains_key(&(*die, *from)),
            Self::Pages => recipe.exact,
            Self::Read { item, like, .. } => recipe.keeps(*item) && recipe.model(*item) != *like,
            Self::Gap(item) => recipe.keeps(*item) && !recipe.tight.contains(item),
        }
    }
}

/// Parts that go together.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct ElementChunk {
    pub(crate) part: ReducedPart,
    pub(crate) elements: Vec<Element>,
}

/// A chunk that was tried.
pub(crate) struct TriedChunk {
    pub(crate) chunk: ElementChunk,
    /// The size of chunks in the pass that it is of.
    size: usize,
}

/// How far the removal of parts has come.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Removal {
    part: ReducedPart,
    /// The most parts in a chunk; 0 stands for as many as make one round.
    chunk: usize,
    /// The last part that was tried in chunks of this size.
    tried: Option<ElementKey>,
    /// Chunks of this size that were tried in vain.
    in_vain: usize,
    /// Chunks that can go by themselves.
    pub(crate) hits: Vec<ElementChunk>,
    /// Whether some of the hits could not go together: then chunks are tried without them.
    pub(crate) is_careful: bool,
    /// Whether something became smaller since all parts were begun.
    progress: bool,
    /// The operations then.
    begun_with: usize,
    /// Whether all parts were tried without progress before: then what passed is asked about again.
    pub(crate) is_again: bool,
    /// Whether somebody was asked since all parts were begun.
    has_asked: bool,
}

/// What a round of a removal has found out.
#[derive(Clone, Copy)]
pub(crate) struct RemovalOutcome<'a> {
    /// The smallest sequence after the round.
    pub(crate) best: &'a LegalSequence,
    /// Whether it is much smaller than the one before.
    pub(crate) has_progress: bool,
    /// Whether sequences that passed in the round may be asked about again.
    pub(crate) leaves_open: bool,
}

impl Removal {
    /// Nothing of a sequence with so many operations has been tried.
    pub(crate) fn begin(begun_with: usize) -> Self {
        Self {
            part: ReducedPart::Units,
            chunk: 0,
            tried: None,
            in_vain: 0,
            hits: Vec::new(),
            is_careful: false,
            progress: false,
            begun_with,
            is_again: false,
            has_asked: false,
        }
    }

    /// The hits together, then halves and quarters of them; smaller groups too if not all of them could go together.
    pub(crate) fn unions(&self) -> Vec<&[ElementChunk]> {
        let groups: &[usize] = if self.is_careful { &[1, 2, 4, 8, 16] } else { &[1, 2, 4] };
        let count = self.hits.len();
        let groups = groups.iter().filter(|groups| **groups <= count);
        groups.flat_map(|groups| self.hits.chunks(count.div_ceil(*groups))).collect()
    }

    /// What comes after a round that ended here. `tried` says of each chunk whether it can go by itself. `None` if nothing more can go.
    pub(crate) fn after(
        mut self,
        (elements, is_over): (usize, bool),
        tried: Vec<(TriedChunk, bool)>,
        outcome: RemovalOutcome<'_>,
    ) -> Option<Self> {
        let best = outcome.best;
        self.progress |= outcome.has_progress;
        self.has_asked |= outcome.leaves_open;
        let of_this_size = tried.iter().filter(|(one, _)| one.chunk.part == self.part && one.size == self.chunk);
        let (mut vain, mut gone) = (0, 0);
        of_this_size.for_each(|(one, goes)| if *goes { gone += one.chunk.elements.len() } else { vain += 1 });
        self.in_vain = (self.in_vain + vain).saturating_sub(gone * WORTH_IT * MOST_IN_VAIN / elements.max(1));
        let is_there = |chunk: &ElementChunk| chunk.elements.iter().any(|element| element.is_in(&best.recipe));
        // Hits that could not go together are tried in smaller groups once more, then given up.
        let old = std::mem::take(&mut self.hits).into_iter().filter(|_| !self.is_careful);
        self.hits = old.filter(is_there).collect();
        self.is_careful = !self.hits.is_empty();
        let new = tried.into_iter().filter(|(_, goes)| *goes).map(|(one, _)| one.chunk);
        self.hits.extend(new.filter(is_there));
        let now = best.size.operations;
        let is_begun_again = self.progress && (now <= SHORT || now * MUCH < self.begun_with * (MUCH - 1));
        if is_over && (is_begun_again || self.has_asked) {
            let is_again = self.is_again || !is_begun_again;
            let Self { hits, is_careful, .. } = self;
            return Some(Self { hits, is_careful, is_again, ..Self::begin(now) });
        }
        (!is_over || !self.hits.is_empty()).then_some(self)
    }
}

/// The chunks in their order, from where a removal has come to.
pub(crate) struct Pass<'a> {
    history: &'a SequenceHistory<'a>,
    /// The sequence that they are taken from.
    base: &'a LegalSequence,
    pub(crate) removal: Removal,
    /// The elements of the present part.
    elements: Vec<(ElementKey, Element)>,
    /// The next of them.
    next: usize,
    is_over: bool,
}

impl<'a> Pass<'a> {
    pub(crate) fn new(history: &'a SequenceHistory<'a>, base: &'a LegalSequence, removal: Removal) -> Self {
        let mut pass = Self { history, base, removal, elements: Vec::new(), next: 0, is_over: false };
        pass.enter();
        pass
    }

    /// Finds the elements of the present part.
    fn enter(&mut self) {
        self.elements = elements(self.history, self.base, self.removal.part);
        let chunks = if self.removal.hits.is_empty() { MOST_CANDIDATES } else { CHUNKS_WITH_HITS };
        if self.removal.chunk == 0 {
            self.removal.chunk = self.elements.len().div_ceil(chunks).max(1);
        }
        let tried = self.removal.tried;
        self.next = self.elements.partition_point(|(key, _)| Some(*key) <= tried);
    }

    /// The next chunk; `None` if all have been tried, down to single parts.
    pub(crate) fn next_chunk(&mut self) -> Option<TriedChunk> {
        while !self.is_over {
            let size = self.removal.chunk;
            let left = &self.elements[self.next..];
            let is_in_vain = self.removal.in_vain >= MOST_IN_VAIN && left.len() > size * MOST_IN_VAIN;
            let chosen = &left[..left.len().min(size)];
            if let Some((last, _)) = chosen.last()
                && !is_in_vain
            {
                let elements = chosen.iter().map(|(_, element)| element.clone()).collect();
                (self.removal.tried, self.next) = (Some(*last), self.next + chosen.len());
                return Some(TriedChunk { chunk: ElementChunk { part: self.removal.part, elements }, size });
            }
            self.go_on();
        }
        None
    }

    /// Goes to smaller chunks, or to the next part.
    fn go_on(&mut self) {
        let (size, count) = (self.removal.chunk, self.elements.len());
        let (part, chunk) = if size > 1 {
            (Some(self.removal.part), (size / 4).min(count.div_ceil(CHUNKS_WITH_HITS)).max(1))
        } else {
            (self.removal.part.next(), 0)
        };
        let Some(part) = part else {
            self.is_over = true;
            return;
        };
        (self.removal.part, self.removal.chunk, self.removal.tried, self.removal.in_vain) = (part, chunk, None, 0);
        self.enter();
    }

    /// The last chunk gives no candidate that could be tried.
    pub(crate) const fn was_in_vain(&mut self) {
        self.removal.in_vain += 1;
    }

    /// Whether all chunks have been tried.
    pub(crate) const fn is_over(&self) -> bool {
        self.is_over
    }

    /// Pairs of operations, near ones first, of a short sequence of which all chunks have been tried.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = TriedChunk> {
        let part = ReducedPart::Operations;
        let all = if self.is_over { elements(self.history, self.base, part) } else { Vec::new() };
        let count = if all.len() <= MOST_IN_PAIRS { all.len() } else { 0 };
        let places = (1..count).flat_map(move |apart| (apart..count).map(move |second| (second - apart, second)));
        places.map(move |(first, second)| {
            let elements = [first, second].map(|at| all[at].1.clone()).to_vec();
            TriedChunk { chunk: ElementChunk { part, elements }, size: 2 }
        })
    }

    /// Where it has come to, the number of elements of the present part, and whether all chunks have been tried.
    pub(crate) fn end(self) -> (Removal, (usize, bool)) {
        (self.removal, (self.elements.len(), self.is_over))
    }
}

/// The parts of a kind that may go, by their places.
fn elements(history: &SequenceHistory<'_>, of: &LegalSequence, part: ReducedPart) -> Vec<(ElementKey, Element)> {
    let recipe = &of.recipe;
    match part {
        ReducedPart::Units => {
            let mut units: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
            recipe.keep.iter().for_each(|item| units.entry(history.unit[*item as usize]).or_default().push(*item));
            units.into_iter().map(|(unit, items)| ((unit, 0), Element::Items(items))).collect()
        }
        ReducedPart::Operations => recipe.keep.iter().map(|item| ((*item, 0), Element::Items(vec![*item]))).collect(),
        ReducedPart::Dies => {
            let dies: BTreeSet<u8> = of.operations.iter().map(|kept| kept.place.die.0).collect();
            let to = dies.first().copied().unwrap_or_default();
            dies.into_iter().skip(1).map(|from| ((from.into(), 0), Element::Die { from, to })).collect()
        }
        ReducedPart::Blocks => {
            let tables = history.tables;
            let mut groups: BTreeMap<u8, BTreeSet<u32>> = BTreeMap::new();
            for kept in of.operations.iter().filter(|kept| tables.base(tables.op(kept.op).base).has_block) {
                groups.entry(kept.place.die.0).or_default().insert(kept.place.group);
            }
            let others = |(die, groups): (u8, BTreeSet<u32>)| {
                let to = groups.first().copied().unwrap_or_default();
                groups.into_iter().skip(1).map(move |from| ((die.into(), from), Element::Group { die, from, to }))
            };
            groups.into_iter().flat_map(others).collect()
        }
        ReducedPart::Pages => {
            let renumbered = recipe.exact.then_some(((0, 0), Element::Pages));
            renumbered.into_iter().chain(pages_before(history, of)).collect()
        }
        ReducedPart::Reads => {
            let all = reads_as_others(history, of).into_iter();
            all.map(|ReadAs { item, like, set_up }| ((item, like), Element::Read { item, like, set_up })).collect()
        }
        ReducedPart::Gaps => {
            let later = recipe.keep.iter().skip(1).filter(|item| !recipe.tight.contains(item));
            later.map(|item| ((*item, 0), Element::Gap(*item))).collect()
        }
    }
}

/// For each program the programs of its blocks that come before it, with their chains: without them it takes the first page.
fn pages_before(history: &SequenceHistory<'_>, of: &LegalSequence) -> Vec<(ElementKey, Element)> {
    let (tables, recipe) = (history.tables, &of.recipe);
    let mut of_block: BTreeMap<(u8, u32), Vec<u32>> = BTreeMap::new();
    let mut found = Vec::new();
    for kept in &of.operations {
        let effects = &tables.base(tables.op(kept.op).base).effects;
        let blocks = kept.place.planes.iter().map(|plane| (kept.place.die.0, kept.place.block(&tables.size, plane).0));
        let mut before: BTreeSet<u32> = BTreeSet::new();
        for block in blocks {
            let programs = of_block.entry(block).or_default();
            if effects.erase {
                programs.clear();
            } else if effects.program {
                before.extend(programs.iter().flat_map(|program| history.unit_of(*program)));
                programs.push(kept.item);
            }
        }
        let own = history.unit[kept.item as usize];
        let is_other = |item: &u32| recipe.keeps(*item) && history.unit[*item as usize] != own;
        let items: Vec<u32> = before.into_iter().filter(is_other).collect();
        if !items.is_empty() {
            found.push(((kept.item + 1, 0), Element::Items(items)));
        }
    }
    found
}

/// A recipe without some parts. Where addresses are merged, pages are numbered anew: programs of one block follow one another only so.
pub(crate) fn reduced<'c>(recipe: &Recipe, chunks: impl IntoIterator<Item = &'c ElementChunk>) -> Recipe {
    let mut recipe = recipe.clone();
    let mut left_out = BTreeSet::new();
    for (kind, part) in chunks.into_iter().flat_map(|chunk| chunk.elements.iter().map(|part| (chunk.part, part))) {
        recipe.exact &= kind != ReducedPart::Pages;
        match part {
            Element::Items(items) => left_out.extend(items.iter().copied()),
            Element::Die { from, to } => {
                recipe.dies.values_mut().filter(|die| *die == from).for_each(|die| *die = *to);
                recipe.dies.insert(*from, *to);
                recipe.exact = false;
            }
            Element::Group { die, from, to } => {
                let of_die = recipe.groups.iter_mut().filter(|((of, _), group)| of == die && *group == from);
                of_die.for_each(|(_, group)| *group = *to);
                recipe.groups.insert((*die, *from), *to);
                recipe.exact = false;
            }
            Element::Pages => recipe.exact = false,
            Element::Read { item, like, set_up } => {
                recipe.reads.insert(*item, *like);
                left_out.extend(set_up.iter().copied());
            }
            Element::Gap(item) => {
                recipe.tight.insert(*item);
            }
        }
    }
    if left_out.is_empty() { recipe } else { recipe.without(&left_out) }
}
