//! What the operations of a site have left behind: erases of blocks, patterns of pages, and the op_state of each plane.
//!
//! It is followed from the sequence and the profile alone, and only as far as the fault asks for it.

use nandseq_input::{Addressed, Row};
use nandseq_plan::model::AddressPart;
use nandseq_profile::model::{Effect, PhaseKind, Scope};
use nandseq_profile::{BaseId, OpId, Profile, Ticks};
use rustc_hash::FxHashMap;

use crate::draws::{DrawFor, draw};
use crate::fault::{FaultCondition, WHOLE};
use crate::history::value;

/// A die and a block.
type BlockOf = (i64, i64);

/// What a condition of a fault asks for.
#[derive(Debug)]
pub(crate) struct Followed<'p> {
    profile: &'p Profile,
    site: u32,
    /// How often blocks were erased.
    erases: FxHashMap<BlockOf, u32>,
    /// By page, the pattern that it was programmed with since its block was erased.
    patterns: FxHashMap<BlockOf, FxHashMap<i64, u8>>,
    /// For each plane of each die, the operation that it last showed a phase of, and its start.
    on_planes: Vec<Option<(OpId, Ticks)>>,
}

impl<'p> Followed<'p> {
    pub(crate) fn new(profile: &'p Profile, site: u32) -> Self {
        let planes = profile.topology.dies as usize * profile.topology.planes as usize;
        let (erases, patterns) = (FxHashMap::default(), FxHashMap::default());
        Self { profile, site, erases, patterns, on_planes: vec![None; planes] }
    }

    /// Nothing is under way: a run begins.
    pub(crate) fn begin_run(&mut self) {
        self.on_planes.fill(None);
    }

    /// Whether the condition holds for an operation just before it starts.
    pub(crate) fn holds(&self, condition: &FaultCondition, row: &Row<'_>) -> bool {
        let mut blocks = row.targets.iter().filter_map(|target| Some((block_of(target)?, target)));
        match condition {
            FaultCondition::None => true,
            FaultCondition::Erases(least) => {
                blocks.any(|(block, _)| self.erases.get(&block).is_some_and(|erases| erases >= least))
            }
            FaultCondition::PreviousPage(patterns) => blocks.any(|(block, target)| {
                let before =
                    value(target, AddressPart::Page).and_then(|page| self.patterns.get(&block)?.get(&(page - 1)));
                before.is_some_and(|&pattern| patterns.contains(pattern.into()))
            }),
            FaultCondition::State { state, at } => {
                let mut positions =
                    self.planes_of(row, false).filter_map(|plane| self.position(plane, *state, row.time));
                positions.any(|position| (at.0..at.1).contains(&position))
            }
        }
    }

    /// Whether a plane that an operation addresses is in the op_state of the condition, in any part of it, and how often a block of its
    /// was erased.
    pub(crate) fn near(&self, condition: &FaultCondition, row: &Row<'_>) -> (bool, u32) {
        let erases = row.targets.iter().filter_map(block_of).filter_map(|block| self.erases.get(&block)).max();
        let in_state = match condition {
            FaultCondition::State { state, .. } => {
                self.planes_of(row, false).any(|plane| self.position(plane, *state, row.time).is_some())
            }
            FaultCondition::None | FaultCondition::Erases(_) | FaultCondition::PreviousPage(_) => false,
        };
        (in_state, erases.copied().unwrap_or_default())
    }

    /// The position in an op_state in which a plane is at an instant, in millionths of the whole phase.
    fn position(&self, plane: usize, (base, phase): (BaseId, PhaseKind), at: Ticks) -> Option<u32> {
        let (op, start) = self.on_planes[plane].filter(|(op, _)| self.profile.ops[*op].base == base)?;
        let mut begin = start.0;
        for (of, length) in self.profile.bases[base].phases.iter().zip(&self.profile.ops[op].durations) {
            let end = begin.saturating_add(length.0);
            if of.kind == phase && (begin..end).contains(&at.0) {
                let part = u128::from(at.0 - begin) * u128::from(WHOLE) / u128::from(length.0);
                return u32::try_from(part).ok();
            }
            begin = end;
        }
        None
    }

    /// The planes of an operation, as places in `on_planes`: those that it addresses or, if it is about what they show, those that it occupies.
    fn planes_of(&self, row: &Row<'_>, occupied: bool) -> std::vec::IntoIter<usize> {
        let (dies, planes) = (i64::from(self.profile.topology.dies), i64::from(self.profile.topology.planes));
        let scope = self.profile.bases[self.profile.ops[row.op].base].scope;
        let whole_die = occupied && scope != Scope::PlaneSet;
        let everywhere = occupied && scope == Scope::Target;
        let of = row.targets.iter().flat_map(move |target| {
            let die = value(target, AddressPart::Die).filter(|_| !everywhere);
            let plane = value(target, AddressPart::Plane).filter(|_| !whole_die);
            let dies = die.map_or(0..dies, |die| die..die + 1);
            dies.flat_map(move |die| {
                plane.map_or(0..planes, |plane| plane..plane + 1).map(move |plane| die * planes + plane)
            })
        });
        let count = self.on_planes.len();
        of.filter_map(move |at| usize::try_from(at).ok().filter(|at| *at < count)).collect::<Vec<_>>().into_iter()
    }

    /// Takes in an operation that starts.
    pub(crate) fn start(&mut self, condition: &FaultCondition, row: &Row<'_>) {
        let base = &self.profile.bases[self.profile.ops[row.op].base];
        let (erases, programs) = (base.has(Effect::Erase), base.has(Effect::Program));
        match condition {
            FaultCondition::None => {}
            FaultCondition::Erases(_) => {
                for block in row.targets.iter().filter(|_| erases).filter_map(block_of) {
                    *self.erases.entry(block).or_default() += 1;
                }
            }
            FaultCondition::PreviousPage(_) => {
                for target in row.targets {
                    let Some(block) = block_of(target) else { continue };
                    if erases {
                        self.patterns.remove(&block);
                    }
                    if let Some(page) = value(target, AddressPart::Page).filter(|_| programs) {
                        let pattern = draw(0, DrawFor::Pattern, self.site, 0, row.uid) as u8;
                        self.patterns.entry(block).or_default().insert(page, pattern);
                    }
                }
            }
            FaultCondition::State { .. } if base.affects_state => {
                for plane in self.planes_of(row, true) {
                    self.on_planes[plane] = Some((row.op, row.time));
                }
            }
            FaultCondition::State { .. } => {}
        }
    }
}

fn block_of(target: &Addressed) -> Option<BlockOf> {
    Some((value(target, AddressPart::Die)?, value(target, AddressPart::Block)?))
}
