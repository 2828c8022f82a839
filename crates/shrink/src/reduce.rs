//! The reductions in their order, and what is tried in each round.
//!
//! First the tail after the failing operation is cut, then the history before; then parts go, as [`Removal`] says. Which reductions a
//! [`ReductionStage`] tries follows from it and from the smallest sequence so far alone, so that a process that was killed goes on where
//! it was.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::history::SequenceHistory;
use crate::recipe::Recipe;
use crate::removal::{MOST_CANDIDATES, ReducedPart, Removal};

/// The most positions of a round at which a tail is cut. One candidate is the whole.
const CUTS: usize = MOST_CANDIDATES - 1;
/// The first cuts if the failing operation is known: after it, and none. Those that follow cut the head too.
pub(crate) const WITHOUT_HEAD: usize = 2;
/// Cuts are not placed more exactly than to this number of operations: what is left is removed later.
const NEAR_ENOUGH: usize = 8;

/// What made a sequence smaller.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reduction {
    /// Operations after the failing one were cut.
    Tail,
    /// Operations before were cut.
    Head,
    /// Operations after it and before were cut in one round.
    Ends,
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

impl ReductionStage {
    /// What a cut of this stage makes smaller; nothing of the other stages.
    pub(crate) const fn cuts_what(&self) -> Option<Reduction> {
        match self {
            Self::Begin | Self::Tail { .. } => Some(Reduction::Tail),
            Self::Head { .. } => Some(Reduction::Head),
            Self::Remove(_) | Self::Done => None,
        }
    }

    /// The cuts that are tried in the next round; none in the other stages.
    pub(crate) fn cuts(&self, history: &SequenceHistory<'_>, recipe: &Recipe, failing: Option<u32>) -> Vec<Recipe> {
        match self {
            Self::Begin => match failing {
                // Where to cut the head is asked in the same round.
                Some(item) => {
                    let cut = before(history, recipe, item + 1);
                    let heads = Self::head(&cut).cuts(history, &cut, None);
                    [cut, recipe.clone()].into_iter().chain(heads).take(MOST_CANDIDATES).collect()
                }
                None => std::iter::once(recipe.clone()).chain(Self::tail(recipe).cuts(history, recipe, None)).collect(),
            },
            Self::Tail { .. } => {
                self.positions(recipe).into_iter().map(|position| before(history, recipe, position)).collect()
            }
            Self::Head { .. } => {
                let both = |position| {
                    let exact = from(history, recipe, position);
                    [Recipe { exact: false, ..exact.clone() }, Recipe { exact: true, ..exact }]
                };
                self.positions(recipe).into_iter().flat_map(both).collect()
            }
            Self::Remove(_) | Self::Done => Vec::new(),
        }
    }

    /// The tail of a sequence of which nothing is known.
    fn tail(recipe: &Recipe) -> Self {
        Self::Tail { pass: 0, fail: end_of(recipe) }
    }

    /// The head of a sequence of which nothing is known.
    fn head(recipe: &Recipe) -> Self {
        Self::Head { pass: end_of(recipe), fail: 0, begun: false }
    }

    /// The positions at which a cut is tried.
    fn positions(&self, recipe: &Recipe) -> Vec<u32> {
        let index = |position: u32| recipe.keep.partition_point(|item| *item < position);
        let evenly = |first: usize, last: usize, most: usize| -> Vec<u32> {
            let count = last.saturating_sub(first + 1).min(most);
            let at = |step: usize| first + (last - first) * step / (count + 1);
            let mut cuts: Vec<usize> = (1..=count).map(at).filter(|at| (first + 1..last).contains(at)).collect();
            cuts.dedup();
            cuts.into_iter().map(|at| recipe.keep[at]).collect()
        };
        match *self {
            Self::Tail { pass, fail } => evenly(index(pass), index(fail), CUTS),
            Self::Head { begun: false, .. } => {
                let lengths = (0..).map(|power| 1usize << power).take_while(|length| *length < recipe.keep.len());
                lengths.take(CUTS / 2).map(|length| recipe.keep[recipe.keep.len() - length]).collect()
            }
            Self::Head { pass, fail, begun: true } => evenly(index(fail), index(pass), MOST_CANDIDATES / 2),
            Self::Begin | Self::Remove(_) | Self::Done => Vec::new(),
        }
    }

    /// The stage after a round in which those cuts of a recipe failed that are `true`.
    pub(crate) fn after_cuts(&self, recipe: &Recipe, failing: Option<u32>, failed: &[bool]) -> Self {
        match self {
            Self::Begin => match (failing, failed) {
                (Some(_), [true, ..]) => Self::head(recipe),
                (Some(_), _) => Self::tail(recipe),
                (None, [_, failed @ ..]) => Self::tail(recipe).after_cuts(recipe, None, failed),
                (None, []) => Self::tail(recipe),
            },
            Self::Tail { pass, fail } => {
                let cuts = self.positions(recipe);
                let first = cuts.iter().zip(failed).find(|(_, failed)| **failed).map_or(*fail, |(cut, _)| *cut);
                let pass = cuts.iter().copied().filter(|cut| *cut < first).max().unwrap_or(*pass);
                if cuts.is_empty() || is_near(recipe, pass, first) {
                    Self::Head { pass: first, fail: 0, begun: false }
                } else {
                    Self::Tail { pass, fail: first }
                }
            }
            Self::Head { pass, fail, .. } => {
                let cuts = self.positions(recipe);
                let failing = cuts.iter().zip(failed.chunks(2)).filter(|(_, failed)| failed.contains(&true));
                let last = failing.map(|(cut, _)| *cut).max().unwrap_or(*fail);
                let pass = cuts.iter().copied().filter(|cut| *cut > last).min().unwrap_or(*pass);
                if cuts.is_empty() || is_near(recipe, last, pass) {
                    Self::Remove(Removal::begin(recipe.keep.len()))
                } else {
                    Self::Head { pass, fail: last, begun: true }
                }
            }
            Self::Remove(_) | Self::Done => self.clone(),
        }
    }
}

/// The position after the last operation that a recipe keeps.
fn end_of(recipe: &Recipe) -> u32 {
    recipe.keep.last().map_or(0, |item| item + 1)
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
