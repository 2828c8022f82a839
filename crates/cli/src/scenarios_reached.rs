//! The scenarios of a test plan, and what was reached of them, in words.

use std::collections::BTreeMap;

use nandseq_generate::ScenarioValue;
use nandseq_plan::model::Scenario;
use nandseq_profile::Profile;
use nandseq_profile::diagnostic::{counted, grouped};
use serde::Serialize;

use crate::campaign::{Campaign, CampaignPhase};
use crate::execute::{ScenarioTotals, Totals, ValueTotals};

/// Number of reasons, and of values, that a warning names.
const NAMED: usize = 3;

/// A scenario that is in force in a phase.
#[derive(Serialize, Debug)]
pub(crate) struct ReachedScenario {
    /// The phase; `None` without phases.
    phase: Option<String>,
    /// The name.
    name: String,
    /// Sites that made the last run of the phase, and those that lack hits of some value.
    sites: u64,
    pub(crate) missed: u64,
    /// What was reached for each value of `each`, over these sites; one value without axes.
    values: Vec<ReachedValue>,
    /// Why there may be values without attempts.
    #[serde(skip)]
    without_attempts: String,
}

/// A value for which hits are wanted.
#[derive(Serialize, Debug)]
struct ReachedValue {
    #[serde(skip_serializing_if = "Option::is_none")]
    celltype: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    die: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    plane: Option<u8>,
    /// Names of operations, by the label of the step.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    ops: BTreeMap<String, String>,
    wanted: u64,
    hits: u64,
    attempts: u64,
    /// Attempts that were given up, by the code of the reason.
    given_up: BTreeMap<String, u64>,
}

impl ReachedScenario {
    fn new(phase: &CampaignPhase, scenario: &Scenario, totals: &ScenarioTotals, profile: &Profile) -> Self {
        let value = |totals: &ValueTotals| {
            let ScenarioValue { cell_type, die, plane, ops } = &totals.value;
            let label = |step: usize| scenario.steps[step].label.clone().unwrap_or_default();
            ReachedValue {
                celltype: cell_type.map(|cell| profile.cell_types[cell].name.clone()),
                die: die.map(|die| die.0),
                plane: plane.map(|plane| plane.0),
                ops: ops.iter().map(|&(step, op)| (label(step), profile.ops[op].name.clone())).collect(),
                wanted: totals.wanted,
                hits: totals.hits,
                attempts: totals.attempts,
                given_up: totals.given_up.clone(),
            }
        };
        Self {
            phase: phase.name.clone(),
            name: scenario.name.clone(),
            sites: totals.sites,
            missed: totals.missed,
            values: totals.values.iter().map(value).collect(),
            without_attempts: without_attempts(phase, scenario, totals),
        }
    }

    /// The hits reached and wanted, and the attempts, over all values.
    fn sums(&self) -> (u64, u64, u64) {
        let sum = |of: fn(&ReachedValue) -> u64| self.values.iter().map(of).sum();
        (sum(|value| value.hits), sum(|value| value.wanted), sum(|value| value.attempts))
    }

    /// Attempts that were given up, by the code of the reason, over some values.
    fn given_up<'v>(values: impl Iterator<Item = &'v ReachedValue>) -> Vec<(&'v str, u64)> {
        let mut all: BTreeMap<&str, u64> = BTreeMap::new();
        values.flat_map(|value| &value.given_up).for_each(|(reason, count)| *all.entry(reason).or_default() += count);
        let mut all: Vec<_> = all.into_iter().collect();
        all.sort_by_key(|&(reason, count)| (std::cmp::Reverse(count), reason));
        all
    }

    /// What was reached, in a line: `stress early_suspend 600 of 600 hits in 612 attempts`.
    pub(crate) fn text(&self) -> String {
        let phase = self.phase.as_ref().map_or_else(String::new, |phase| format!("{phase} "));
        let (hits, wanted, attempts) = self.sums();
        let of = format!("{} of {}", grouped(hits), counted(wanted, "hit"));
        format!("{phase}{} {of} in {}", self.name, counted(attempts, "attempt"))
    }

    /// What was reached for each value, if there are several, and why attempts were given up.
    pub(crate) fn details(&self) -> Vec<String> {
        let reasons = |values: &[ReachedValue]| {
            let given_up = Self::given_up(values.iter());
            let all: Vec<String> =
                given_up.iter().map(|(reason, count)| format!("{reason} {}", grouped(*count))).collect();
            if all.is_empty() { String::new() } else { format!("; given up: {}", all.join(", ")) }
        };
        let line = |value: &ReachedValue| {
            let hits = format!("{} of {}", grouped(value.hits), counted(value.wanted, "hit"));
            let attempts = counted(value.attempts, "attempt");
            format!("{}: {hits} in {attempts}{}", value.text(), reasons(std::slice::from_ref(value)))
        };
        match &self.values[..] {
            [_] => vec![format!("{}{}", self.text(), reasons(&self.values))],
            values => {
                std::iter::once(self.text()).chain(values.iter().map(|value| format!("  {}", line(value)))).collect()
            }
        }
    }
}

impl ReachedValue {
    /// The value: `SLC, die 1`.
    fn text(&self) -> String {
        let parts = self.celltype.iter().cloned();
        let parts = parts
            .chain(self.die.map(|die| format!("die {die}")))
            .chain(self.plane.map(|plane| format!("plane {plane}")));
        parts.chain(self.ops.values().cloned()).collect::<Vec<_>>().join(", ")
    }
}

/// Why no attempt at a scenario, or at some of its values, began.
fn without_attempts(phase: &CampaignPhase, scenario: &Scenario, totals: &ScenarioTotals) -> String {
    if totals.least > phase.run_until {
        return format!(
            "no attempt began, because its last step comes {} after its first at the earliest, and a run has {}",
            totals.least, phase.run_until
        );
    }
    let due = match scenario.rate {
        Some(rate) => {
            let after = counted(1000_u64.div_ceil(rate.into()), "accepted proposal");
            format!("with `rate: {rate}`, the first is due after {after}")
        }
        None => "none was due before the phase ended".to_owned(),
    };
    format!("no attempt began: {due}, or there was no time left, or no die without another attempt")
}

/// The scenarios of phases whose last run was made at some site.
pub(crate) fn reached(campaign: &Campaign, totals: &Totals) -> Vec<ReachedScenario> {
    let phases = campaign.phases.all().iter().zip(&totals.by_phase).enumerate();
    let of_phase = phases.flat_map(|(at, (phase, totals))| {
        let stated = campaign.plan.as_ref().map_or_else(Vec::new, |plan| plan.scenarios(at));
        let reached = stated.into_iter().zip(&totals.scenarios);
        reached.map(|(scenario, totals)| ReachedScenario::new(phase, &scenario, totals, &campaign.profile))
    });
    of_phase.collect()
}

/// Whether a scenario of a phase that has ended lacks hits at some site.
pub(crate) fn lack_hits(totals: &Totals) -> bool {
    totals.by_phase.iter().flat_map(|phase| &phase.scenarios).any(|scenario| scenario.missed > 0)
}

/// A warning about each scenario that lacks hits at some site.
pub(crate) fn warnings(campaign: &Campaign, totals: &Totals) -> Vec<String> {
    let warning = |scenario: ReachedScenario| {
        let missing: Vec<&ReachedValue> = scenario.values.iter().filter(|value| value.hits < value.wanted).collect();
        if missing.is_empty() {
            return None;
        }
        let at = if scenario.sites > 1 { format!("at {}, ", counted(scenario.missed, "site")) } else { String::new() };
        let phase = scenario.phase.as_ref().map_or_else(String::new, |phase| format!(" in the phase `{phase}`"));
        let (hits, wanted, _) = scenario.sums();
        let of_values = if scenario.values.len() > 1 {
            let named: Vec<String> = missing.iter().take(NAMED).map(|value| value.text()).collect();
            let more = if missing.len() > NAMED { ", …" } else { "" };
            format!(" (missing: {}{more})", named.join("; "))
        } else {
            String::new()
        };
        let attempts: u64 = missing.iter().map(|value| value.attempts).sum();
        let given_up = ReachedScenario::given_up(missing.iter().copied());
        let reasons: Vec<String> =
            given_up.iter().take(NAMED).map(|(reason, count)| format!("{} for `{reason}`", grouped(*count))).collect();
        let made = counted(attempts, "attempt");
        let why = match (attempts, reasons.is_empty()) {
            (0, _) => scenario.without_attempts,
            (_, true) => format!("{made}, and no time for more"),
            (_, false) => format!("{made}; given up: {}", reasons.join(", ")),
        };
        Some(format!(
            "{at}the scenario `{}`{phase} has {} of {}{of_values}: {why}",
            scenario.name,
            grouped(hits),
            counted(wanted, "hit")
        ))
    };
    reached(campaign, totals).into_iter().filter_map(warning).collect()
}
