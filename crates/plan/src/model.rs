//! The resolved test plan: names are indices, times are [`Ticks`], shares are whole numbers.

use std::fmt;
use std::ops::RangeInclusive;

use nandseq_profile::model::{OverrideOf, PhaseKind};
use nandseq_profile::{OpId, PhaseKey, Ticks};

/// Shares and positions are counted in millionths.
pub const WHOLE: u32 = 1_000_000;

/// A share in millionths in words: `5.5 %`.
#[must_use]
pub fn percent_text(millionths: u64) -> String {
    let text = format!("{}.{:04}", millionths / 10_000, millionths % 10_000);
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

/// A test plan, resolved against a profile.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct TestPlan {
    /// The phases in order. Without any, the runs that the flags ask for are one phase, and everything below is in force.
    pub phases: Vec<PlanPhase>,
    /// The shares in a phase that states none, and without phases.
    pub mix: Vec<MixShare>,
    /// Where addresses are drawn, and how often: entries that phases name.
    pub addresses: Vec<AddressEntry>,
    /// What must happen: entries that phases name.
    pub scenarios: Vec<Scenario>,
}

impl TestPlan {
    /// Number of runs of all phases.
    #[must_use]
    pub fn runs(&self) -> u64 {
        self.phases.iter().map(|phase| phase.runs).sum()
    }

    /// By phase, with its name: the entries of [`TestPlan::addresses`] that are in force. Without phases all of them are.
    #[must_use]
    pub fn addresses_in_force(&self) -> Vec<(Option<&str>, Vec<usize>)> {
        if self.phases.is_empty() {
            return vec![(None, (0..self.addresses.len()).collect())];
        }
        self.phases.iter().map(|phase| (Some(&*phase.name), phase.addresses.clone())).collect()
    }
}

/// The most runs of a site.
pub const MAX_RUNS: u64 = 9_999_999;

/// Simulated time of each run of a phase that states `until` alone: what `generate` takes by default.
pub const DEFAULT_RUN: Ticks = Ticks::from_us(100_000);

/// A number of runs with settings of their own, on the state that the phase before left.
#[derive(Clone, PartialEq, Debug)]
pub struct PlanPhase {
    /// The name: one line of text, unique in the plan.
    pub name: String,
    /// How many runs, at least 1.
    pub runs: u64,
    /// Simulated time of a run in which operations are proposed; `None` for no limit.
    pub run_until: Option<Ticks>,
    /// Operations after which a run stops; `None` for no limit.
    pub ops: Option<u64>,
    /// What ends the phase, before the limits of its runs do. Later runs of the phase are empty then.
    pub until: Option<PhaseUntil>,
    /// Masses that replace those of the table under every phase key.
    pub global: Vec<(OverrideOf, f64)>,
    /// Masses that replace those of the table under one phase key.
    pub by_key: Vec<(PhaseKey, Vec<(OverrideOf, f64)>)>,
    /// Shares of what starts; empty where the table alone decides.
    pub mix: Vec<MixShare>,
    /// The entries of [`TestPlan::addresses`] that are in force, in ascending order.
    pub addresses: Vec<usize>,
    /// The entries of [`TestPlan::scenarios`] that are in force, in ascending order.
    pub scenarios: Vec<usize>,
}

impl PlanPhase {
    /// Simulated time of each run; `None` for no limit.
    #[must_use]
    pub fn time_limit(&self) -> Option<Ticks> {
        self.run_until.or_else(|| self.ops.is_none().then_some(DEFAULT_RUN))
    }
}

/// What ends a phase.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PhaseUntil {
    /// So many millionths of the good blocks' pages are programmed.
    Programmed(u32),
    /// So many millionths of the good blocks are erased and not yet programmed.
    Erased(u32),
    /// So many millionths of the coverage model's bins were hit.
    Covered(u32),
    /// All scenarios of the phase have reached their hits, or cannot.
    ScenariosDone,
}

/// The share of some operations in all operations that start in a phase. No operation is in two shares of a phase.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MixShare {
    /// The name or pattern as the plan states it.
    pub name: String,
    /// The operations, in ascending order.
    pub ops: Vec<OpId>,
    /// The wanted share in millionths, above 0. The shares of a phase sum to at most [`WHOLE`].
    pub share: u32,
}

/// Where addresses are drawn, and how often.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AddressEntry {
    /// The name, unique among the entries.
    pub name: String,
    /// The regions; without any, the whole device.
    pub regions: Vec<Region>,
    /// The limits, for the addresses of the regions.
    pub limits: AddressLimits,
}

/// A set of addresses that is drawn from by weight.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Region {
    /// The dies.
    pub dies: NumberRanges,
    /// The planes.
    pub planes: NumberRanges,
    /// The blocks, numbered as in payloads: over all planes of a die.
    pub blocks: NumberRanges,
    /// The pages. An erase fits whatever they are.
    pub pages: NumberRanges,
    /// The weight against the other regions that are in force, above 0.
    pub weight: u32,
}

impl Region {
    /// The number of blocks of a die that are in the region. `planes` is the number of planes of a die; block `b` is on plane
    /// `b mod planes`.
    #[must_use]
    pub fn blocks_of_die(&self, planes: u32) -> u32 {
        // The number of blocks below `end` on a plane.
        let below = |end: u32, plane: u32| (end + planes - 1).saturating_sub(plane) / planes;
        let on = |plane: u32| -> u32 {
            self.blocks.0.iter().map(|range| below(range.end() + 1, plane) - below(*range.start(), plane)).sum()
        };
        (0..planes).filter(|&plane| self.planes.contains(plane)).map(on).sum()
    }
}

/// Whole numbers, as ascending ranges that do not touch; never empty.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NumberRanges(pub Vec<RangeInclusive<u32>>);

impl NumberRanges {
    /// Whether a number is in one of the ranges.
    #[must_use]
    pub fn contains(&self, number: u32) -> bool {
        let at = self.0.partition_point(|range| *range.end() < number);
        self.0.get(at).is_some_and(|range| range.contains(&number))
    }
}

impl fmt::Display for NumberRanges {
    /// The ranges as a plan states them: `0,5-1019`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, range) in self.0.iter().enumerate() {
            let (comma, (from, to)) = (if at > 0 { "," } else { "" }, (range.start(), range.end()));
            if from == to { write!(out, "{comma}{from}")? } else { write!(out, "{comma}{from}-{to}")? }
        }
        Ok(())
    }
}

/// How often addresses may be used over the life of a site; `None` for no limit.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct AddressLimits {
    /// Erases of a block.
    pub erases_per_block: Option<u32>,
    /// Reads of pages of a block.
    pub reads_per_block: Option<u32>,
    /// Reads of a page.
    pub reads_per_page: Option<u32>,
    /// Blocks of a site that are partly programmed at the same time.
    pub open_blocks: Option<u32>,
}

/// What must happen, and how often.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Scenario {
    /// The name, unique among the scenarios.
    pub name: String,
    /// For each value of all these, the hits are wanted.
    pub each: Vec<ScenarioAxis>,
    /// The hits wanted, for each value of [`Scenario::each`]; at least 1.
    pub hits: u32,
    /// Attempts for each 1000 proposals; `None`: as often as needed, evenly over the phase.
    pub rate: Option<u32>,
    /// Whether other operations may start on the die between the steps.
    pub others_between: bool,
    /// The steps in order; never empty.
    pub steps: Vec<ScenarioStep>,
}

/// What a scenario is repeated for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ScenarioAxis {
    /// Each cell type of the first step.
    CellType,
    /// Each die of the first step.
    Die,
    /// Each plane of the first step.
    Plane,
    /// Each operation that a step allows; the index of the step.
    Op(usize),
}

/// A step of a scenario.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScenarioStep {
    /// The label, unique in the scenario; `None` if the plan states none.
    pub label: Option<String>,
    /// The operations that fit, in ascending order; never empty.
    pub ops: Vec<OpId>,
    /// When it starts.
    pub when: StepTime,
    /// Where it works.
    pub places: Vec<StepPlace>,
    /// How many times it follows itself, at least 1.
    pub repeat: u32,
    /// The expected status; `None` if any will do.
    pub expect: Option<ExpectedWord>,
}

/// When a step starts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StepTime {
    /// Any time after the start of the step before; the first step: any time.
    Next,
    /// In a phase of an earlier step's operation, in a part of the phase's whole length before any suspension.
    During {
        /// The index of the earlier step.
        step: usize,
        /// The phase.
        phase: PhaseKind,
        /// The least and the greatest position in the phase, in millionths of its length; a start exactly at the greatest does
        /// not count, unless it is the whole.
        at: (u32, u32),
    },
    /// After a moment of an earlier step's operation.
    After {
        /// The index of the earlier step.
        step: usize,
        /// The moment.
        moment: StepMoment,
        /// The least and the greatest distance from the moment, both included; no greatest: any time.
        within: (Ticks, Option<Ticks>),
    },
}

/// A moment of an operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StepMoment {
    /// Its start.
    Start,
    /// The end of its last phase other than DATA_IN and DATA_OUT: when it no longer occupies its planes.
    End,
    /// The end of one of its phases.
    PhaseEnd(PhaseKind),
}

/// A condition on the address of a step. All conditions of a step hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StepPlace {
    /// The part of the address.
    pub part: AddressPart,
    /// What it must be.
    pub relation: PlaceRelation,
}

/// A part of an address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AddressPart {
    /// The die.
    Die,
    /// The plane, or each plane of several.
    Plane,
    /// The block.
    Block,
    /// The page.
    Page,
}

/// What a part of an address must be. Indices are those of earlier steps.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PlaceRelation {
    /// That of an earlier step.
    SameAs(usize),
    /// Another than that of an earlier step.
    OtherThan(usize),
    /// Next to that of an earlier step: the page before or after it in the same block; a block before or after it on the same
    /// plane.
    NextTo(usize),
    /// One of some numbers.
    In(NumberRanges),
}

/// An expected status that a step may ask for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ExpectedWord {
    /// The die or plane is busy.
    Busy,
    /// The die or plane is ready.
    Ready,
}
