//! The reductions in their order, and what is tried in each round.
//!
//! First the tail after the failing operation is cut, then the history before; then whole units are removed, then single operations; then
//! dies, blocks and pages are merged, and gaps shortened. Parts are removed in chunks, each by itself; then those are removed together
//! that could go by themselves; then the chunks become smaller. Which reductions a [`ReductionStage`] tries follows from it and from the smallest
//! sequence so far alone, so that a process that was killed goes on where it was.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::history::SequenceHistory;
use crate::recipe::Recipe;
use crate::repair::LegalSequence;

/// The most candidates of a round.
pub const MOST_CANDIDATES: usize = 32;
/// The most chunks of a round.
const CHUNKS: usize = 31;
/// Cuts are not placed more exactly than to this number of operations: what is left is removed later.
const NEAR_ENOUGH: usize = 8;

/// What is removed, merged or shortened.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
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
            Self::Pages => Some(Self::Gaps),
            Self::Gaps => None,
        }
    }
}

/// What made a sequence smaller.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reduction {
    /// Operations after the failing one were cut.
    Tail,
    /// Operations before were cut.
    Head,
    /// Parts were removed, merged or shortened.
    Part(ReducedPart),
}

/// How far the reductions have come.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ReductionStage {
    /// Does the run fail at all?
    Begin,
    /// Operations from a position on are cut. With all up to `pass` it passes, with all up to `fail` it fails.
    Tail { pass: u32, fail: u32 },
    /// Operations before a position are cut. From `pass` on it passes, from `fail` on it fails. `begun`: not for the first time.
    Head { pass: u32, fail: u32, begun: bool },
    /// Parts are removed.
    Remove(Removal),
    /// Nothing more can be removed.
    Done,
}

/// The removal of parts.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Removal {
    pub(crate) part: ReducedPart,
    /// The most parts in a chunk; fewer if that makes one round of all. 0 stands for as many as make one round.
    chunk: usize,
    /// The first part that was not tried yet.
    next: usize,
    /// The chunks that can go by themselves: first part and the one after the last.
    hits: Vec<(usize, usize)>,
    /// Whether the hits are tried together.
    together: bool,
    /// Whether something became smaller since the last time that all parts were begun.
    progress: bool,
}

impl Removal {
    fn of(part: ReducedPart, chunk: usize, progress: bool) -> ReductionStage {
        ReductionStage::Remove(Self { part, chunk, next: 0, hits: Vec::new(), together: false, progress })
    }
}

/// A reduction to try.
pub(crate) struct ReductionTrial {
    pub(crate) recipe: Recipe,
    /// Where putting back makes it no smaller, whether what is forbidden is left out instead.
    pub(crate) may_leave_out: bool,
}

impl ReductionTrial {
    const fn new(recipe: Recipe) -> Self {
        Self { recipe, may_leave_out: false }
    }
}

/// What a part is.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Element {
    Items(Vec<u32>),
    Die { from: u8, to: u8 },
    Group { die: u8, from: u32, to: u32 },
    Pages,
    Gap(u32),
}

impl ReductionStage {
    pub(crate) fn removal() -> Self {
        Removal::of(ReducedPart::Units, 0, false)
    }

    /// Whether the smallest sequence that fails becomes the best at once. Chunks that can go by themselves are tried together first.
    pub(crate) const fn replaces(&self) -> bool {
        match self {
            Self::Begin | Self::Tail { .. } | Self::Head { .. } => true,
            Self::Remove(removal) => removal.together,
            Self::Done => false,
        }
    }

    /// What makes a sequence smaller in this stage.
    pub(crate) const fn reduction(&self) -> Option<Reduction> {
        match self {
            Self::Begin | Self::Tail { .. } => Some(Reduction::Tail),
            Self::Head { .. } => Some(Reduction::Head),
            Self::Remove(removal) => Some(Reduction::Part(removal.part)),
            Self::Done => None,
        }
    }

    /// What is tried in the next round.
    pub(crate) fn trials(
        &self,
        history: &SequenceHistory<'_>,
        best: &LegalSequence,
        failing: Option<u32>,
    ) -> Vec<ReductionTrial> {
        let recipe = &best.recipe;
        match self {
            Self::Begin => {
                let cut = failing.map(|item| ReductionTrial::new(before(history, recipe, item + 1)));
                cut.into_iter().chain([ReductionTrial::new(recipe.clone())]).collect()
            }
            Self::Tail { .. } => {
                self.cuts(recipe).into_iter().map(|at| ReductionTrial::new(before(history, recipe, at))).collect()
            }
            Self::Head { .. } => {
                let both = |at| {
                    let exact = from(history, recipe, at);
                    [Recipe { exact: false, ..exact.clone() }, Recipe { exact: true, ..exact }]
                };
                self.cuts(recipe).into_iter().flat_map(both).map(ReductionTrial::new).collect()
            }
            Self::Remove(removal) => removal.trials(history, best),
            Self::Done => Vec::new(),
        }
    }

    /// The positions at which a cut is tried.
    fn cuts(&self, recipe: &Recipe) -> Vec<u32> {
        let index = |position: u32| recipe.keep.partition_point(|item| *item < position);
        let evenly = |first: usize, last: usize, most: usize| -> Vec<u32> {
            let count = last.saturating_sub(first + 1).min(most);
            let at = |step: usize| first + (last - first) * step / (count + 1);
            let mut cuts: Vec<usize> = (1..=count).map(at).filter(|at| (first + 1..last).contains(at)).collect();
            cuts.dedup();
            cuts.into_iter().map(|at| recipe.keep[at]).collect()
        };
        match *self {
            Self::Tail { pass, fail } => evenly(index(pass), index(fail), CHUNKS),
            Self::Head { begun: false, .. } => {
                let lengths = (0..).map(|power| 1usize << power).take_while(|length| *length < recipe.keep.len());
                lengths.take(CHUNKS / 2).map(|length| recipe.keep[recipe.keep.len() - length]).collect()
            }
            Self::Head { pass, fail, begun: true } => evenly(index(fail), index(pass), CHUNKS / 2),
            Self::Begin | Self::Remove(_) | Self::Done => Vec::new(),
        }
    }

    /// The stage after a round in which the trials failed that are `true`. `best` is the smallest sequence before it, `is_smaller` says
    /// whether one of the trials replaces it.
    pub(crate) fn after(
        &self,
        history: &SequenceHistory<'_>,
        best: &LegalSequence,
        failed: &[bool],
        is_smaller: bool,
    ) -> Self {
        let recipe = &best.recipe;
        let last = recipe.keep.last().map_or(0, |item| item + 1);
        match self {
            Self::Begin if failed.len() == 2 && failed[0] => Self::Head { pass: last, fail: 0, begun: false },
            Self::Begin => Self::Tail { pass: 0, fail: last },
            Self::Tail { pass, fail } => {
                let cuts = self.cuts(recipe);
                let first = cuts.iter().zip(failed).find(|(_, failed)| **failed).map_or(*fail, |(cut, _)| *cut);
                let pass = cuts.iter().copied().filter(|cut| *cut < first).max().unwrap_or(*pass);
                if cuts.is_empty() || is_near(recipe, pass, first) {
                    Self::Head { pass: first, fail: 0, begun: false }
                } else {
                    Self::Tail { pass, fail: first }
                }
            }
            Self::Head { pass, fail, .. } => {
                let cuts = self.cuts(recipe);
                let failing = cuts.iter().zip(failed.chunks(2)).filter(|(_, failed)| failed.contains(&true));
                let last = failing.map(|(cut, _)| *cut).max().unwrap_or(*fail);
                let pass = cuts.iter().copied().filter(|cut| *cut > last).min().unwrap_or(*pass);
                if cuts.is_empty() || is_near(recipe, last, pass) {
                    Self::removal()
                } else {
                    Self::Head { pass, fail: last, begun: true }
                }
            }
            Self::Remove(removal) => removal.after(history, best, failed, is_smaller),
            Self::Done => Self::Done,
        }
    }
}

/// Whether few operations are kept between two positions, or few for what is kept on either side.
fn is_near(recipe: &Recipe, first: u32, last: u32) -> bool {
    let between = recipe.keep.iter().filter(|item| (first..last).contains(*item)).count();
    between <= NEAR_ENOUGH.max(recipe.keep.len() / 64)
}

/// What a recipe keeps before a position, and the rest of the units that are begun there.
fn before(history: &SequenceHistory<'_>, recipe: &Recipe, position: u32) -> Recipe {
    // A unit is begun before a position if its first operation is.
    let is_begun = |item: &u32| *item < position || history.unit[*item as usize] < position;
    recipe.keeping(recipe.keep.iter().copied().filter(is_begun).collect())
}

/// What a recipe keeps from a position on, and the operations before of units that go on there.
fn from(history: &SequenceHistory<'_>, recipe: &Recipe, position: u32) -> Recipe {
    let tail = recipe.keep.iter().filter(|item| **item >= position);
    let units: BTreeSet<u32> = tail.map(|item| history.unit[*item as usize]).collect();
    let goes_on = |item: &u32| *item >= position || units.contains(&history.unit[*item as usize]);
    recipe.keeping(recipe.keep.iter().copied().filter(goes_on).collect())
}

impl Removal {
    /// The parts that may go.
    fn elements(&self, history: &SequenceHistory<'_>, best: &LegalSequence) -> Vec<Element> {
        let recipe = &best.recipe;
        match self.part {
            ReducedPart::Units => {
                let mut units: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
                recipe.keep.iter().for_each(|item| units.entry(history.unit[*item as usize]).or_default().push(*item));
                units.into_values().map(Element::Items).collect()
            }
            ReducedPart::Operations => recipe.keep.iter().map(|item| Element::Items(vec![*item])).collect(),
            ReducedPart::Dies => {
                let dies: BTreeSet<u8> = best.operations.iter().map(|kept| kept.place.die.0).collect();
                let first = dies.first().copied().unwrap_or_default();
                dies.into_iter().skip(1).map(|from| Element::Die { from, to: first }).collect()
            }
            ReducedPart::Blocks => {
                let tables = history.tables;
                let mut groups: BTreeMap<u8, BTreeSet<u32>> = BTreeMap::new();
                for kept in best.operations.iter().filter(|kept| tables.base(tables.op(kept.op).base).has_block) {
                    groups.entry(kept.place.die.0).or_default().insert(kept.place.group);
                }
                let others = |(die, groups): (u8, BTreeSet<u32>)| {
                    let to = groups.first().copied().unwrap_or_default();
                    groups.into_iter().skip(1).map(move |from| Element::Group { die, from, to })
                };
                groups.into_iter().flat_map(others).collect()
            }
            ReducedPart::Pages => recipe.exact.then_some(Element::Pages).into_iter().collect(),
            ReducedPart::Gaps => {
                let later = recipe.keep.iter().skip(1).filter(|item| !recipe.tight.contains(item));
                later.map(|item| Element::Gap(*item)).collect()
            }
        }
    }

    fn chunk_of(&self, count: usize) -> usize {
        let of_one_round = count.div_ceil(CHUNKS).max(1);
        if self.chunk == 0 { of_one_round } else { self.chunk.min(of_one_round) }
    }

    fn trials(&self, history: &SequenceHistory<'_>, best: &LegalSequence) -> Vec<ReductionTrial> {
        let elements = self.elements(history, best);
        let ranges = self.ranges(elements.len()).into_iter();
        let reduced = ranges.map(|ranges| {
            let chosen = ranges.into_iter().flat_map(|(first, end)| &elements[first..end]);
            let may_leave_out = self.part == ReducedPart::Operations;
            ReductionTrial { recipe: reduced(&best.recipe, chosen), may_leave_out }
        });
        reduced.collect()
    }

    /// For each trial the parts that it removes.
    fn ranges(&self, count: usize) -> Vec<Vec<(usize, usize)>> {
        if !self.together {
            let chunk = self.chunk_of(count);
            let firsts = (self.next..count).step_by(chunk).take(CHUNKS);
            return firsts.map(|first| vec![(first, (first + chunk).min(count))]).collect();
        }
        let groups = [1, 2, 4, 8, 16].into_iter().take_while(|groups| *groups < self.hits.len());
        let unions = groups.flat_map(|groups| self.hits.chunks(self.hits.len().div_ceil(groups)));
        let singles = self.hits.chunks(1);
        unions.chain(singles).map(<[_]>::to_vec).collect()
    }

    fn after(
        &self,
        history: &SequenceHistory<'_>,
        best: &LegalSequence,
        failed: &[bool],
        is_smaller: bool,
    ) -> ReductionStage {
        let count = self.elements(history, best).len();
        let chunk = self.chunk_of(count);
        if self.together {
            return Self::of(self.part, (chunk / 2).max(1), self.progress | is_smaller);
        }
        let ranges = self.ranges(count).into_iter().flatten();
        let hits = ranges.zip(failed).filter(|(_, failed)| **failed).map(|(range, _)| range);
        let hits: Vec<(usize, usize)> = self.hits.iter().copied().chain(hits).collect();
        let next = self.next + chunk * CHUNKS;
        if next < count {
            return ReductionStage::Remove(Self { chunk, next, hits, ..self.clone() });
        }
        if !hits.is_empty() {
            return ReductionStage::Remove(Self { chunk, next: 0, hits, together: true, ..self.clone() });
        }
        match (chunk, self.part.next()) {
            (2.., _) => Self::of(self.part, (chunk / 4).max(1), self.progress),
            (_, Some(part)) => Self::of(part, 0, self.progress),
            (_, None) if self.progress => ReductionStage::removal(),
            (_, None) => ReductionStage::Done,
        }
    }
}

/// A recipe without some parts. Where addresses are merged, pages are numbered anew: programs of one block follow one another only so.
fn reduced<'e>(recipe: &Recipe, parts: impl Iterator<Item = &'e Element>) -> Recipe {
    let mut recipe = recipe.clone();
    let mut left_out = BTreeSet::new();
    for part in parts {
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
            Element::Gap(item) => {
                recipe.tight.insert(*item);
            }
        }
    }
    if left_out.is_empty() { recipe } else { recipe.without(&left_out) }
}
