//! What a test plan says of an operation: its share, its limits, the scenarios that start it, and how often it starts in each phase.

use std::fmt::{self, Write as _};

use nandseq_generate::LimitKind;
use nandseq_plan::model::{AddressEntry, MixShare, Scenario, ScenarioAxis, WHOLE, percent_text};
use nandseq_plan::places::PlanPlaces;
use nandseq_profile::diagnostic::{counted, grouped};
use nandseq_profile::model::{AddressSource, Effect};
use nandseq_profile::places::StatedPlace;
use nandseq_profile::{OpId, Profile, Span};
use serde::Serialize;

use super::plan_trial::TrialPhase;
use super::trial::StartBound;
use super::weights::FoundEntry;
use super::words::{Link, StatedEntry};
use crate::in_force::InForce;
use crate::shortfall::code;
use crate::test_plan::{PlanInForce, PlanReach};

/// What a plan says of an operation.
#[derive(Serialize, Default, Debug)]
pub(super) struct SaidByPlan {
    /// Its share in each phase that states shares.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) shares: Vec<SharePlanned>,
    /// The phases whose regions have no address for it, if others have one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) without_address: Vec<String>,
    /// The limits that it counts towards.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) limits: Vec<LimitPlanned>,
    /// The scenarios of which it can be a step.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) scenarios: Vec<StepPlanned>,
    /// The scenarios for a step of which it may bring something about.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) helps: Vec<String>,
}

/// The share of an operation in a phase.
#[derive(Serialize, Debug)]
pub(super) struct SharePlanned {
    /// The phase; `None` without phases.
    phase: Option<String>,
    /// The name of the share; `None` if none names the operation.
    share: Option<String>,
    /// What is wanted, in percent: of the share or, if none names the operation, of what no share names.
    percent: f64,
    /// How many operations have it together.
    operations: usize,
    stated: Option<StatedEntry>,
    /// What the trial reached, in percent, if the share has a name and the trial came to its phase.
    reached: Option<f64>,
    /// The code of the reason if the trial missed the share.
    missed: Option<String>,
}

/// A limit that an operation counts towards.
#[derive(Serialize, Debug)]
pub(super) struct LimitPlanned {
    /// The entry of `addresses`.
    addresses: String,
    limit: &'static str,
    value: u32,
    /// How many blocks or pages the entry has at a site; `None` if it is not of each of them.
    of: Option<u64>,
    /// The most that this allows at a site.
    most: Option<u64>,
    /// The phases in which it is in force; none without phases.
    phases: Vec<String>,
    stated: Option<StatedEntry>,
    /// On how many blocks or pages the trial reached it.
    reached: u64,
}

/// A step of a scenario that an operation can be.
#[derive(Serialize, Debug)]
pub(super) struct StepPlanned {
    scenario: String,
    /// Its number, from 1, and its label.
    step: usize,
    label: Option<String>,
    /// The hits wanted for each value, and of what the values are.
    hits: u32,
    each: Vec<String>,
    /// The phases in which the scenario is in force; none without phases.
    phases: Vec<String>,
    stated: Option<StatedEntry>,
    /// Whether the operation can be the step.
    pub(super) starts: bool,
    /// Why the scenario cannot happen.
    impossible: Option<String>,
    /// Hits in the trial, and those that were wanted there.
    trial_hits: u64,
    trial_wanted: u64,
}

/// The sources of what a plan says.
pub(super) struct PlanWords<'p> {
    profile: &'p Profile,
    plan: &'p PlanInForce,
    reach: &'p PlanReach,
    places: PlanPlaces,
    /// The phases of the trial, as far as it went.
    tried: &'p [TrialPhase],
}

impl<'p> PlanWords<'p> {
    /// For the plan in force; `None` without one.
    pub(super) fn new(in_force: &'p InForce, tried: &'p [TrialPhase]) -> Option<Self> {
        let plan = in_force.plan.as_ref()?;
        let reach = plan.reach(&in_force.profile, in_force.start());
        Some(Self { profile: &in_force.profile, plan, reach, places: PlanPlaces::new(&plan.source), tried })
    }

    /// What the plan says of an operation.
    pub(super) fn of(&self, op: OpId) -> SaidByPlan {
        let name = |&at: &usize| self.plan.plan.scenarios[at].name.clone();
        SaidByPlan {
            shares: self.plan.phases().filter_map(|phase| self.share(phase, op)).collect(),
            without_address: self.without_address(op),
            limits: self.limits(op),
            scenarios: self.steps(op),
            helps: self.reach.starts.helps(op).iter().map(name).collect(),
        }
    }

    /// Whether attempts at scenarios may start an operation: as a step, and to bring about what a step lacks.
    pub(super) fn starts(&self, op: OpId) -> (bool, bool) {
        let starts = &self.reach.starts;
        (!starts.steps(op).is_empty(), !starts.helps(op).is_empty())
    }

    /// The cause that shares which are 100 % together do not name an operation, in every phase that gives it a weight.
    pub(super) fn crowded_out(&self, op: OpId) -> Option<Link> {
        let (with_weight, without) = self.plan.phases_of(op);
        let has_weight = |phase: usize| {
            let name = self.plan.phase_name(phase).unwrap_or_default();
            with_weight.contains(&name) || !without.contains(&name)
        };
        let phases: Vec<usize> = self.plan.phases().filter(|&phase| has_weight(phase)).collect();
        let is_crowded = |&phase: &usize| {
            let mix = self.plan.mix(phase);
            rest(mix) == 0 && mix.iter().all(|share| !share.ops.contains(&op))
        };
        if phases.is_empty() || !phases.iter().all(is_crowded) || self.proposes_nothing(op) {
            return None;
        }
        let mut stated: Vec<StatedEntry> = phases.iter().filter_map(|&phase| self.mix_entry(phase)).collect();
        stated.dedup_by(|one, other| one.text == other.text);
        let name = &self.profile.ops[op].name;
        let advice = format!("name `{name}` in `mix`, or state shares of less than 100 % together");
        let advice = stated.first().map_or(advice.clone(), |entry| format!("{advice} ({})", entry.at()));
        let text = format!("`{name}` is in no share, and the shares are 100 % together: its weight falls to almost 0");
        Some(Link { operations: vec![name.clone()], kind: "share", text, stated, advice: Some(advice) })
    }

    fn proposes_nothing(&self, op: OpId) -> bool {
        self.profile.bases[self.profile.ops[op].base].has(Effect::Delay)
    }

    fn phase(&self, phase: usize) -> Option<usize> {
        self.plan.phase_name(phase).map(|_| phase)
    }

    fn entry(&self, path: String, span: Option<Span>) -> Option<StatedEntry> {
        let place = StatedPlace { path, span: span? };
        Some(StatedEntry::new(&FoundEntry { file: self.plan.source.name.clone(), place }, ""))
    }

    fn mix_entry(&self, phase: usize) -> Option<StatedEntry> {
        self.entry("mix".to_owned(), self.places.mix(self.phase(phase)))
    }

    fn share(&self, phase: usize, op: OpId) -> Option<SharePlanned> {
        let mix = self.plan.mix(phase);
        if mix.is_empty() || self.proposes_nothing(op) {
            return None;
        }
        let name = self.plan.phase_name(phase).map(str::to_owned);
        let percent = |millionths: u32| f64::from(millionths) / 1e4;
        let Some(at) = mix.iter().position(|share| share.ops.contains(&op)) else {
            let named: usize = mix.iter().map(|share| share.ops.len()).sum();
            let (operations, stated) = (self.profile.ops.len() - named, self.mix_entry(phase));
            return Some(SharePlanned {
                phase: name,
                share: None,
                percent: percent(rest(mix)),
                operations,
                stated,
                reached: None,
                missed: None,
            });
        };
        let MixShare { name: share, ops, share: wanted } = &mix[at];
        let tried = self.tried.get(phase).and_then(|tried| tried.shares.get(at));
        let missed = tried.and_then(|share| share.reason.as_ref()).map(|reason| code(reason).to_owned());
        let reached = tried.map(|share| percent(share.reached));
        let stated = self.entry(format!("mix.{share}"), self.places.share(self.phase(phase), share));
        let (share, percent) = (Some(share.clone()), percent(*wanted));
        Some(SharePlanned { phase: name, share, percent, operations: ops.len(), stated, reached, missed })
    }

    fn without_address(&self, op: OpId) -> Vec<String> {
        let by_phase = self.reach.unserved_by_phase.iter().enumerate();
        let phases: Vec<usize> =
            by_phase.filter(|(_, unserved)| unserved.binary_search(&op).is_ok()).map(|(phase, _)| phase).collect();
        if self.reach.unserved.binary_search(&op).is_ok() { Vec::new() } else { self.names(&phases) }
    }

    fn limits(&self, op: OpId) -> Vec<LimitPlanned> {
        let kinds = self.limit_kinds(op);
        let entries = self.plan.plan.addresses.iter().enumerate();
        entries.flat_map(|(at, entry)| kinds.iter().filter_map(move |&kind| self.limit((at, entry), kind))).collect()
    }

    /// The limits that an operation counts towards.
    fn limit_kinds(&self, op: OpId) -> &'static [LimitKind] {
        let base = &self.profile.bases[self.profile.ops[op].base];
        match base.address {
            AddressSource::AnyBlock if base.has(Effect::Erase) => &[LimitKind::ErasesPerBlock],
            AddressSource::NextPage => &[LimitKind::OpenBlocks],
            AddressSource::ReadablePage => &[LimitKind::ReadsPerBlock, LimitKind::ReadsPerPage],
            AddressSource::AnyBlock
            | AddressSource::None
            | AddressSource::Hook
            | AddressSource::OutputRegister
            | AddressSource::PageRegister
            | AddressSource::SuspendedProgram
            | AddressSource::OneShotLatch
            | AddressSource::CopybackLatch => &[],
        }
    }

    /// How many starts of an operation limits over the life of a site let through in a phase; `None` if an address in force is without one.
    pub(super) fn start_bound(&self, op: OpId, phase: usize) -> Option<StartBound> {
        let lasting = |kind: &&LimitKind| **kind != LimitKind::OpenBlocks;
        let kinds: Vec<LimitKind> = self.limit_kinds(op).iter().filter(lasting).copied().collect();
        let of_phase = self.tried.get(phase).into_iter().flat_map(|tried| &tried.limits);
        let of_entry = |(place, entry): (usize, &AddressEntry)| {
            let limits = of_phase.clone().filter(|limit| limit.entry == place && kinds.contains(&limit.kind));
            let bounds = limits.map(|limit| {
                let of = self.size(entry, limit.kind == LimitKind::ReadsPerPage);
                let most = of.saturating_mul(limit.limit.into());
                StartBound { most, is_near: limit.reached.saturating_mul(2) >= of }
            });
            bounds.reduce(StartBound::both)
        };
        let in_force = self.plan.addresses(phase).into_iter().map(|at| &self.plan.plan.addresses[at]).enumerate();
        let (whole, regions): (Vec<_>, Vec<_>) = in_force.partition(|(_, entry)| entry.regions.is_empty());
        let of_whole = whole.into_iter().filter_map(of_entry).reduce(StartBound::both);
        let of_regions: Option<Vec<StartBound>> = regions.into_iter().map(of_entry).collect();
        let of_regions = of_regions.and_then(|bounds| bounds.into_iter().reduce(StartBound::sum));
        of_whole.into_iter().chain(of_regions).reduce(StartBound::both)
    }

    fn limit(&self, (at, entry): (usize, &AddressEntry), kind: LimitKind) -> Option<LimitPlanned> {
        let limits = &entry.limits;
        let value = match kind {
            LimitKind::ErasesPerBlock => limits.erases_per_block,
            LimitKind::ReadsPerBlock => limits.reads_per_block,
            LimitKind::ReadsPerPage => limits.reads_per_page,
            LimitKind::OpenBlocks => limits.open_blocks,
        }?;
        let in_force: Vec<usize> =
            self.plan.phases().filter(|&phase| self.plan.addresses(phase).contains(&at)).collect();
        if in_force.is_empty() {
            return None;
        }
        let of = match kind {
            LimitKind::ErasesPerBlock | LimitKind::ReadsPerBlock => Some(self.size(entry, false)),
            LimitKind::ReadsPerPage => Some(self.size(entry, true)),
            LimitKind::OpenBlocks => None,
        };
        let reached = |&phase: &usize| {
            let place = self.plan.addresses(phase).iter().position(|&other| other == at);
            let of_phase = self.tried.get(phase).into_iter().flat_map(|tried| &tried.limits);
            of_phase.filter(|limit| Some(limit.entry) == place && limit.kind == kind).map(|limit| limit.reached).max()
        };
        Some(LimitPlanned {
            addresses: entry.name.clone(),
            limit: kind.key(),
            value,
            of,
            most: of.map(|of| of.saturating_mul(value.into())),
            phases: self.names(&in_force),
            stated: self.entry(
                format!("addresses.{}.limits.{}", entry.name, kind.key()),
                self.places.limit(&entry.name, kind.key()),
            ),
            reached: in_force.iter().filter_map(reached).max().unwrap_or_default(),
        })
    }

    /// How many blocks, or pages, an entry has at a site, those that are bad too; what is in two of its regions counts twice.
    fn size(&self, entry: &AddressEntry, of_pages: bool) -> u64 {
        let topology = self.profile.topology;
        let length = |ranges: &nandseq_plan::model::NumberRanges| -> u64 {
            ranges.0.iter().map(|range| u64::from(range.end() - range.start()) + 1).sum()
        };
        if entry.regions.is_empty() {
            let pages = if of_pages { topology.pages_per_block.into() } else { 1 };
            return u64::from(topology.dies) * u64::from(topology.blocks_per_die) * pages;
        }
        let of_region = |region: &nandseq_plan::model::Region| {
            let pages = if of_pages { length(&region.pages) } else { 1 };
            length(&region.dies) * u64::from(region.blocks_of_die(topology.planes)) * pages
        };
        entry.regions.iter().map(of_region).sum()
    }

    fn names(&self, phases: &[usize]) -> Vec<String> {
        phases.iter().filter_map(|&phase| self.plan.phase_name(phase)).map(str::to_owned).collect()
    }

    /// The steps that an operation is, whether it can start or not.
    fn steps(&self, op: OpId) -> Vec<StepPlanned> {
        let in_force = |at: &usize| -> Vec<usize> {
            let phases = &self.plan.plan.phases;
            self.plan
                .phases()
                .filter(|&phase| phases.get(phase).is_none_or(|phase| phase.scenarios.contains(at)))
                .collect()
        };
        let all = self.plan.plan.scenarios.iter().enumerate().map(|(at, scenario)| (at, scenario, in_force(&at)));
        all.filter(|(.., phases)| !phases.is_empty())
            .flat_map(|(at, scenario, phases)| {
                let steps = (0..scenario.steps.len()).filter(|&step| scenario.steps[step].ops.contains(&op));
                steps.map(move |step| self.step((at, scenario), step, op, &phases)).collect::<Vec<_>>()
            })
            .collect()
    }

    fn step(&self, (at, scenario): (usize, &Scenario), step: usize, op: OpId, phases: &[usize]) -> StepPlanned {
        let starts = &self.reach.starts;
        let impossible = starts.impossible(at).map(|found| {
            format!("cannot happen, because `{}` forbids step {}: {}", found.rule, found.step + 1, found.because)
        });
        let reached = |&phase: &usize| {
            let place = match self.plan.plan.phases.get(phase) {
                Some(phase) => phase.scenarios.iter().position(|&other| other == at)?,
                None => at,
            };
            self.tried.get(phase)?.scenarios.get(place)
        };
        let reached: Vec<_> = phases.iter().filter_map(reached).collect();
        let label = |of: usize| scenario.steps[of].label.clone().unwrap_or_else(|| format!("step {}", of + 1));
        let each = |axis: &ScenarioAxis| match axis {
            ScenarioAxis::CellType => "celltype".to_owned(),
            ScenarioAxis::Die => "die".to_owned(),
            ScenarioAxis::Plane => "plane".to_owned(),
            ScenarioAxis::Op(step) => format!("op of {}", label(*step)),
        };
        StepPlanned {
            scenario: scenario.name.clone(),
            step: step + 1,
            label: scenario.steps[step].label.clone(),
            hits: scenario.hits,
            each: scenario.each.iter().map(each).collect(),
            phases: self.names(phases),
            stated: self
                .entry(format!("scenarios.{}.steps[{step}]", scenario.name), self.places.step(&scenario.name, step)),
            starts: starts.steps(op).contains(&(at, step)),
            impossible,
            trial_hits: reached.iter().flat_map(|reached| &reached.values).map(|value| value.hits).sum(),
            trial_wanted: reached.iter().map(|reached| reached.wanted * reached.values.len() as u64).sum(),
        }
    }
}

/// What no share names, in millionths.
fn rest(mix: &[MixShare]) -> u32 {
    WHOLE.saturating_sub(mix.iter().map(|share| share.share).sum())
}

/// " in the phases a, b"; empty without phases.
fn in_phases(phases: &[String]) -> String {
    match phases {
        [] => String::new(),
        [one] => format!(" in the phase {one}"),
        several => format!(" in the phases {}", several.join(", ")),
    }
}

fn placed(stated: Option<&StatedEntry>) -> String {
    stated.map_or_else(String::new, |entry| format!(" ({})", entry.at()))
}

impl SaidByPlan {
    /// Writes a line for each thing. What the operation may bring about is worth one only if nothing else starts it (`helps_only`).
    pub(super) fn write(&self, text: &mut String, helps_only: bool) -> fmt::Result {
        self.scenarios.iter().try_for_each(|step| step.write(text))?;
        if helps_only {
            let names = self.helps.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            let noun = if self.helps.len() == 1 { "scenario" } else { "scenarios" };
            writeln!(text, "Attempts at the {noun} {names} may start it to bring about what a step lacks.")?;
        }
        if !self.without_address.is_empty() {
            let (noun, names) = match self.without_address.as_slice() {
                [one] => ("phase", one.clone()),
                several => ("phases", several.join(", ")),
            };
            writeln!(text, "No region of the {noun} {names} has an address for it.")?;
        }
        self.shares.iter().try_for_each(|share| share.write(text))?;
        self.limits.iter().try_for_each(|limit| limit.write(text))
    }
}

impl SharePlanned {
    fn write(&self, text: &mut String) -> fmt::Result {
        let phase = self.phase.as_ref().map_or_else(String::new, |phase| format!(" in the phase {phase}"));
        let percent = percent_text((self.percent * 1e4).round() as u64);
        let others = match self.operations.saturating_sub(1) {
            0 => String::new(),
            others => format!(", with {}", counted(others as u64, "other operation")),
        };
        let place = placed(self.stated.as_ref());
        match &self.share {
            Some(name) => {
                let missed = self.missed.as_ref().map_or_else(String::new, |code| format!(" (`{code}`)"));
                let reached =
                    self.reached.map_or_else(String::new, |reached| format!("; {reached:.1} % in the trial{missed}"));
                writeln!(text, "Its share{phase}: {percent} as `{name}`{others}{place}{reached}.")
            }
            None => writeln!(text, "Its share{phase}: {percent} is left to what `mix` does not name{others}{place}."),
        }
    }
}

impl LimitPlanned {
    fn write(&self, text: &mut String) -> fmt::Result {
        let Self { addresses, limit, value, of, most, phases, stated, reached } = self;
        let (value, of_pages) = (grouped((*value).into()), *limit == LimitKind::ReadsPerPage.key());
        let noun = if of_pages { "page" } else { "block" };
        let sum = match (of, most) {
            (Some(of), Some(most)) => format!(" on {}, {} at a site", counted(*of, noun), grouped(*most)),
            (None, _) | (_, None) => " at a site".to_owned(),
        };
        let reached = match (reached, of) {
            (0, _) => String::new(),
            (_, None) => "; reached in the trial".to_owned(),
            (some, Some(_)) => format!("; reached on {} in the trial", counted(*some, noun)),
        };
        let place = placed(stated.as_ref());
        writeln!(text, "Its limit{}: {limit} {value} of `{addresses}`{sum}{place}{reached}.", in_phases(phases))
    }
}

impl StepPlanned {
    fn write(&self, text: &mut String) -> fmt::Result {
        let Self { scenario, step, label, hits, each, phases, stated, starts, impossible, trial_hits, trial_wanted } =
            self;
        let label = label.as_ref().map_or_else(String::new, |label| format!(" (`{label}`)"));
        let place = placed(stated.as_ref());
        write!(text, "It is step {step}{label} of the scenario `{scenario}`{}{place}", in_phases(phases))?;
        if let Some(impossible) = impossible {
            let begins = if *starts { "; attempts at it begin all the same, and are given up" } else { "" };
            return writeln!(text, ", which {impossible}{begins}.");
        }
        if !starts {
            return writeln!(text, ", which another operation of the step has to be: the rules leave this one out.");
        }
        let each = if each.is_empty() { String::new() } else { format!(" for each {}", each.join(" and ")) };
        let trial = match trial_wanted {
            0 => String::new(),
            wanted => format!("; {} of {} in the trial", grouped(*trial_hits), grouped(*wanted)),
        };
        writeln!(text, ", with {} wanted{each}{trial}.", counted((*hits).into(), "hit"))
    }
}
