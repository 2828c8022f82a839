//! A test plan as it is resolved: for people, and as JSON.

use std::fmt::Write as _;

use nandseq_plan::model::{
    AddressEntry, AddressLimits, AddressPart, ExpectedWord, MixShare, PhaseUntil, PlaceRelation, PlanPhase, Scenario,
    ScenarioAxis, ScenarioStep, StepMoment, StepTime, percent_text,
};
use nandseq_profile::diagnostic::{counted, grouped};
use nandseq_profile::{OpId, Profile};
use nandseq_trace::manifest::Input;
use serde::Serialize;

use crate::inputs::ReadPlan;

/// A resolved plan.
#[derive(Serialize)]
pub(super) struct ShownPlan<'p> {
    schema: u32,
    plan: &'p Input,
    device: &'p str,
    phases: Vec<ShownPhase<'p>>,
    /// The shares without phases, and in phases that state none.
    mix: Vec<ShownShare<'p>>,
    addresses: Vec<ShownAddresses<'p>>,
    scenarios: Vec<ShownScenario<'p>>,
}

#[derive(Serialize)]
struct ShownPhase<'p> {
    name: &'p str,
    /// The number of its first run, from 1.
    first_run: u64,
    runs: u64,
    run_until_us: Option<f64>,
    ops: Option<u64>,
    /// What ends the phase, in words.
    until: Option<String>,
    /// The number of masses that it states.
    masses: usize,
    mix: Vec<ShownShare<'p>>,
    addresses: Vec<&'p str>,
    scenarios: Vec<&'p str>,
}

#[derive(Serialize)]
struct ShownShare<'p> {
    name: &'p str,
    percent: f64,
    op_names: Vec<&'p str>,
}

#[derive(Serialize)]
struct ShownAddresses<'p> {
    name: &'p str,
    regions: Vec<ShownRegion>,
    erases_per_block: Option<u32>,
    reads_per_block: Option<u32>,
    reads_per_page: Option<u32>,
    open_blocks: Option<u32>,
}

#[derive(Serialize)]
struct ShownRegion {
    dies: String,
    planes: String,
    blocks: String,
    pages: String,
    weight: u32,
    /// The number of blocks of each die.
    blocks_of_die: u32,
}

#[derive(Serialize)]
struct ShownScenario<'p> {
    name: &'p str,
    hits: u32,
    each: Vec<String>,
    rate: Option<u32>,
    between: &'static str,
    steps: Vec<ShownStep<'p>>,
}

#[derive(Serialize)]
struct ShownStep<'p> {
    label: Option<&'p str>,
    op_names: Vec<&'p str>,
    when: Option<String>,
    #[serde(rename = "where")]
    places: Vec<String>,
    repeat: u32,
    expect: Option<&'static str>,
}

impl<'p> ShownPlan<'p> {
    pub(super) fn new(read: &'p ReadPlan, profile: &'p Profile) -> Self {
        let plan = &read.plan;
        let mut first_run = 1;
        let has_regions = |phase: &PlanPhase| phase.addresses.iter().any(|&at| !plan.addresses[at].regions.is_empty());
        let phase = |phase: &'p PlanPhase| {
            let runs = (first_run, phase.runs);
            first_run += phase.runs;
            ShownPhase {
                name: &phase.name,
                first_run: runs.0,
                runs: runs.1,
                run_until_us: phase.run_until.map(|time| time.0 as f64 / 1e6),
                ops: phase.ops,
                until: phase.until.map(|ends| until(ends, has_regions(phase))),
                masses: phase.global.len() + phase.by_key.iter().map(|(_, masses)| masses.len()).sum::<usize>(),
                mix: shares(&phase.mix, profile),
                addresses: phase.addresses.iter().map(|&at| &*plan.addresses[at].name).collect(),
                scenarios: phase.scenarios.iter().map(|&at| &*plan.scenarios[at].name).collect(),
            }
        };
        Self {
            schema: 1,
            plan: &read.input,
            device: &profile.name,
            phases: plan.phases.iter().map(phase).collect(),
            mix: shares(&plan.mix, profile),
            addresses: plan.addresses.iter().map(|entry| addresses(entry, profile)).collect(),
            scenarios: plan.scenarios.iter().map(|one| scenario(one, profile)).collect(),
        }
    }

    /// The plan for people.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = self.write(&mut text);
        if text.is_empty() { "the plan states nothing\n".to_owned() } else { text }
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        if !self.phases.is_empty() {
            writeln!(out, "Phases")?;
            self.phases.iter().try_for_each(|phase| phase.write(out))?;
        } else if !self.mix.is_empty() {
            writeln!(out, "Shares: {}", listed(self.mix.iter().map(ShownShare::text)))?;
        }
        if !self.addresses.is_empty() {
            writeln!(out, "Addresses")?;
            self.addresses.iter().try_for_each(|entry| entry.write(out))?;
        }
        if !self.scenarios.is_empty() {
            writeln!(out, "Scenarios")?;
            self.scenarios.iter().try_for_each(|scenario| scenario.write(out))?;
        }
        Ok(())
    }
}

impl ShownPhase<'_> {
    fn write(&self, out: &mut String) -> std::fmt::Result {
        let runs = match self.runs {
            1 => format!("run {}", grouped(self.first_run)),
            runs => format!("runs {} to {}", grouped(self.first_run), grouped(self.first_run + runs - 1)),
        };
        let each = if self.runs == 1 { "" } else { " each" };
        let time = self.run_until_us.map(|time| format!("{time} µs{each}"));
        let ops = self.ops.map(|ops| format!("{}{each}", counted(ops, "operation")));
        let until = self.until.as_ref().map(|until| format!("until {until}"));
        writeln!(out, "  {}: {}", self.name, listed([Some(runs), time, ops, until].into_iter().flatten()))?;
        if self.masses > 0 {
            writeln!(out, "    masses of its own: {}", grouped(self.masses as u64))?;
        }
        for (what, list) in [
            ("shares", listed(self.mix.iter().map(ShownShare::text))),
            ("addresses", self.addresses.join(", ")),
            ("scenarios", self.scenarios.join(", ")),
        ] {
            if !list.is_empty() {
                writeln!(out, "    {what}: {list}")?;
            }
        }
        Ok(())
    }
}

impl ShownShare<'_> {
    fn text(&self) -> String {
        format!("{} {} % ({})", self.name, self.percent, counted(self.op_names.len() as u64, "operation"))
    }
}

impl ShownAddresses<'_> {
    fn write(&self, out: &mut String) -> std::fmt::Result {
        writeln!(out, "  {}", self.name)?;
        for ShownRegion { dies, planes, blocks, pages, weight, blocks_of_die } in &self.regions {
            let count = counted(u64::from(*blocks_of_die), "block");
            writeln!(
                out,
                "    weight {weight}: dies {dies}, planes {planes}, blocks {blocks} ({count} of each die), pages {pages}"
            )?;
        }
        let limits = [
            (self.erases_per_block, "erases per block"),
            (self.reads_per_block, "reads per block"),
            (self.reads_per_page, "reads per page"),
            (self.open_blocks, "open blocks"),
        ];
        let limits =
            limits.iter().filter_map(|(limit, what)| limit.map(|limit| format!("{} {what}", grouped(limit.into()))));
        let limits = listed(limits);
        if limits.is_empty() { Ok(()) } else { writeln!(out, "    at most {limits}") }
    }
}

impl ShownScenario<'_> {
    fn write(&self, out: &mut String) -> std::fmt::Result {
        let each = if self.each.is_empty() { String::new() } else { format!(" for each {}", self.each.join(" and ")) };
        let rate = self.rate.map(|rate| format!(", {rate} attempts per 1000 proposals")).unwrap_or_default();
        let hits = counted(self.hits.into(), "hit");
        writeln!(out, "  {}: {hits}{each}{rate}, {} between the steps", self.name, self.between)?;
        for (number, step) in (1..).zip(&self.steps) {
            let label = step.label.map(|label| format!(" {label}")).unwrap_or_default();
            let ops = match step.op_names.as_slice() {
                [one] => (*one).to_owned(),
                all => counted(all.len() as u64, "operation"),
            };
            let repeat = (step.repeat > 1).then(|| format!("{} times", grouped(step.repeat.into())));
            let expect = step.expect.map(|word| format!("expected {word}"));
            let parts = [Some(ops), step.when.clone()].into_iter().flatten().chain(step.places.iter().cloned());
            writeln!(out, "    {number}{label}: {}", listed(parts.chain(repeat).chain(expect)))?;
        }
        Ok(())
    }
}

fn listed(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}

fn op_names<'p>(ops: &[OpId], profile: &'p Profile) -> Vec<&'p str> {
    ops.iter().map(|&op| &*profile.ops[op].name).collect()
}

fn shares<'p>(shares: &'p [MixShare], profile: &'p Profile) -> Vec<ShownShare<'p>> {
    let share = |MixShare { name, ops, share }: &'p MixShare| ShownShare {
        name,
        percent: f64::from(*share) / 10_000.0,
        op_names: op_names(ops, profile),
    };
    shares.iter().map(share).collect()
}

fn until(until: PhaseUntil, has_regions: bool) -> String {
    let in_regions = if has_regions { "of its addresses " } else { "" };
    let share = |share: u32| percent_text(share.into());
    match until {
        PhaseUntil::Programmed(part) => format!("{} of the pages {in_regions}are programmed", share(part)),
        PhaseUntil::Erased(part) => format!("{} of the blocks {in_regions}are erased", share(part)),
        PhaseUntil::Covered(part) => format!("{} of the bins are covered", share(part)),
        PhaseUntil::ScenariosDone => "the scenarios are done".to_owned(),
    }
}

fn addresses<'p>(entry: &'p AddressEntry, profile: &Profile) -> ShownAddresses<'p> {
    let AddressLimits { erases_per_block, reads_per_block, reads_per_page, open_blocks } = entry.limits;
    let region = |region: &nandseq_plan::model::Region| ShownRegion {
        dies: region.dies.to_string(),
        planes: region.planes.to_string(),
        blocks: region.blocks.to_string(),
        pages: region.pages.to_string(),
        weight: region.weight,
        blocks_of_die: region.blocks_of_die(profile.topology.planes),
    };
    let regions = entry.regions.iter().map(region).collect();
    ShownAddresses { name: &entry.name, regions, erases_per_block, reads_per_block, reads_per_page, open_blocks }
}

fn scenario<'p>(scenario: &'p Scenario, profile: &'p Profile) -> ShownScenario<'p> {
    let steps = &scenario.steps;
    let axis = |axis: &ScenarioAxis| match axis {
        ScenarioAxis::CellType => "celltype".to_owned(),
        ScenarioAxis::Die => "die".to_owned(),
        ScenarioAxis::Plane => "plane".to_owned(),
        ScenarioAxis::Op(step) => format!("op of {}", called(steps, *step)),
    };
    ShownScenario {
        name: &scenario.name,
        hits: scenario.hits,
        each: scenario.each.iter().map(axis).collect(),
        rate: scenario.rate,
        between: if scenario.others_between { "anything" } else { "nothing" },
        steps: steps.iter().map(|one| step(one, steps, profile)).collect(),
    }
}

/// The label of a step, or its number.
fn called(steps: &[ScenarioStep], at: usize) -> String {
    steps[at].label.clone().unwrap_or_else(|| format!("step {}", at + 1))
}

fn step<'p>(step: &'p ScenarioStep, steps: &[ScenarioStep], profile: &'p Profile) -> ShownStep<'p> {
    let when = match step.when {
        StepTime::Next => None,
        StepTime::During { step, phase, at: (from, to) } => {
            let (from, to) = (percent_text(from.into()), percent_text(to.into()));
            Some(format!("in {}.{} from {from} to {to}", called(steps, step), phase.name()))
        }
        StepTime::After { step, moment, within: (from, to) } => {
            let moment = match moment {
                StepMoment::Start => "start",
                StepMoment::End => "end",
                StepMoment::PhaseEnd(phase) => phase.name(),
            };
            let to = to.map(|to| format!(" to {}", to.to_us_text())).unwrap_or_else(|| " or more".to_owned());
            Some(format!("{}{to} µs after {}.{moment}", from.to_us_text(), called(steps, step)))
        }
    };
    let place = |place: &nandseq_plan::model::StepPlace| {
        let part = match place.part {
            AddressPart::Die => "die",
            AddressPart::Plane => "plane",
            AddressPart::Block => "block",
            AddressPart::Page => "page",
        };
        match &place.relation {
            PlaceRelation::SameAs(step) => format!("{part} same as {}", called(steps, *step)),
            PlaceRelation::OtherThan(step) => format!("{part} other than {}", called(steps, *step)),
            PlaceRelation::NextTo(step) => format!("{part} next to {}", called(steps, *step)),
            PlaceRelation::In(numbers) => format!("{part} {numbers}"),
        }
    };
    ShownStep {
        label: step.label.as_deref(),
        op_names: op_names(&step.ops, profile),
        when,
        places: step.places.iter().map(place).collect(),
        repeat: step.repeat,
        expect: step.expect.map(|word| match word {
            ExpectedWord::Busy => "busy",
            ExpectedWord::Ready => "ready",
        }),
    }
}
