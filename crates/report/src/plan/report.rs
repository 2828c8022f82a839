//! What runs did of a plan as a report: for people as text, for machines as JSON.

use std::collections::BTreeSet;
use std::fmt::{self, Write as _};

use nandseq_plan::TestPlan;
use nandseq_plan::model::{AddressEntry, AddressLimits, MixShare, Region, Scenario};
use nandseq_profile::Profile;
use nandseq_profile::diagnostic::{counted, grouped};
use serde::{Deserialize, Serialize};

use super::addresses::{EntryCounts, LimitUse};
use super::counts::{PlanCounts, ScenarioCounts};
use super::matcher::MOST_OPEN;
use super::values::{AxisValue, WantedValues, axis_name};
use crate::sums::total;

/// The most values of a scenario that are listed whether they have a match or not.
pub const MOST_VALUES: u64 = 10_000;

/// A report on what runs did of a plan.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct PlanReport {
    /// The path of the plan.
    pub plan: String,
    /// The number of sites, at each of which the hits are wanted.
    pub sites: u64,
    /// The phases that have runs, in order.
    pub phases: Vec<PlanPhaseReport>,
    /// The scenarios, in the order of the plan.
    pub scenarios: Vec<ScenarioReport>,
    /// The entries of `addresses`, in the order of the plan.
    pub addresses: Vec<AddressReport>,
}

/// The runs of a phase.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct PlanPhaseReport {
    /// The name; `None` for runs that belong to no phase of the plan.
    pub name: Option<String>,
    /// The number of runs.
    pub runs: u64,
    /// The number of operations.
    pub operations: u64,
    /// Its shares of what starts.
    pub shares: Vec<ShareReport>,
}

/// A share of what starts.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ShareReport {
    /// The name or pattern.
    pub name: String,
    /// The wanted share, in percent.
    pub wanted: f64,
    /// The share of its operations in all rows of the phase, in percent, to four decimals. Those of a bootstrap are among them.
    pub reached: f64,
    /// Its operations.
    pub operations: u64,
}

/// How the addresses of an entry were used.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct AddressReport {
    /// The name.
    pub name: String,
    /// The regions, in order.
    pub regions: Vec<RegionReport>,
    /// Operations that draw an address and work outside the regions.
    pub outside: u64,
    /// What is limited.
    pub limits: Vec<LimitReport>,
}

/// The operations of a region.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct RegionReport {
    /// Its addresses, as a plan states them.
    pub region: String,
    /// Its weight.
    pub weight: u32,
    /// Operations that draw an address and work in the region.
    pub operations: u64,
    /// Their part of those inside and outside of all regions, in percent, to four decimals.
    pub percent: f64,
}

/// What was used of a limit.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct LimitReport {
    /// The name of the limit.
    pub name: String,
    /// The limit.
    pub limit: u64,
    /// The most that an address of a site has used.
    pub used: u64,
    /// The uses that exceeded the limit while it was in force.
    pub beyond: u64,
}

/// The matches of a scenario.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ScenarioReport {
    /// The name.
    pub name: String,
    /// What the hits are wanted for: the names of the axes.
    pub each: Vec<String>,
    /// The hits wanted for each value at each site.
    pub hits: u64,
    /// The hits wanted for each value at all sites.
    pub wanted: u64,
    /// Operations that begin a match.
    pub matches: u64,
    /// The sum of what the values lack at the sites.
    pub missing: u64,
    /// The matches in each phase in which it is in force and that has runs.
    pub phases: Vec<MatchesInPhase>,
    /// The number of values.
    pub value_count: u64,
    /// The values, in order: all of them, or those with a match if there are more than [`MOST_VALUES`].
    pub values: Vec<ValueReport>,
    /// Beginnings of matches that were given up because too many were open. If there are any, matches may be missing.
    pub given_up: u64,
}

/// The matches in a phase.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MatchesInPhase {
    /// The name of the phase; `None` for runs that belong to none.
    pub phase: Option<String>,
    /// Operations that begin a match.
    pub matches: u64,
}

/// The matches of a value.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ValueReport {
    /// The value, one text for each axis.
    pub value: Vec<String>,
    /// Operations that begin a match of it.
    pub matches: u64,
    /// The hits that it lacks, as a sum over the sites: more at one site are none at another.
    pub missing: u64,
    /// Its matches by phase.
    pub phases: Vec<MatchesInPhase>,
}

impl PlanReport {
    /// The report on what was counted at each site. `path` is that of the plan.
    #[must_use]
    pub fn new(profile: &Profile, plan: &TestPlan, path: &str, sites: &[PlanCounts]) -> Self {
        let mut counts = PlanCounts::default();
        sites.iter().for_each(|site| counts.add(site));
        let phases = counts.phases.iter().map(|(phase, of)| PlanPhaseReport {
            name: phase_name(plan, *phase),
            runs: of.runs,
            operations: total(of.operations.iter().copied()),
            shares: shares(plan, *phase, &of.operations),
        });
        let scenarios = plan.scenarios.iter().enumerate();
        Self {
            plan: path.to_owned(),
            sites: sites.len() as u64,
            phases: phases.collect(),
            scenarios: scenarios
                .map(|(at, scenario)| scenario_report(profile, plan, (at, scenario), (&counts, sites)))
                .collect(),
            addresses: plan
                .addresses
                .iter()
                .zip(&counts.addresses)
                .map(|(entry, of)| address_report(entry, of))
                .collect(),
        }
    }

    /// The hits that all scenarios lack.
    #[must_use]
    pub fn missing(&self) -> u64 {
        total(self.scenarios.iter().map(|scenario| scenario.missing))
    }

    /// The report as text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = format!("Plan `{}`\n", self.plan);
        // Writing to a String cannot fail.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, out: &mut String) -> fmt::Result {
        for PlanPhaseReport { name, runs, operations, shares } in &self.phases {
            let (runs, operations) = (counted(*runs, "run"), counted(*operations, "operation"));
            match name {
                Some(name) => writeln!(out, "  phase {name}: {runs}, {operations}")?,
                None if self.phases.len() > 1 => writeln!(out, "  no phase: {runs}, {operations}")?,
                None => writeln!(out, "  {runs}, {operations}")?,
            }
            for ShareReport { name, wanted, reached, .. } in shares {
                writeln!(out, "    share {name:<34} {wanted:>8.2} % wanted {reached:>8.2} % reached")?;
            }
        }
        self.addresses.iter().try_for_each(|entry| entry.write(out))?;
        self.scenarios.iter().try_for_each(|scenario| scenario.write(self.sites, out))
    }
}

impl AddressReport {
    fn write(&self, out: &mut String) -> fmt::Result {
        writeln!(out, "  addresses {}", self.name)?;
        for RegionReport { region, weight, operations, percent } in &self.regions {
            writeln!(out, "    weight {weight}: {percent:.2} % ({}) on {region}", counted(*operations, "operation"))?;
        }
        if self.outside > 0 && !self.regions.is_empty() {
            writeln!(out, "    {} outside", counted(self.outside, "operation"))?;
        }
        for LimitReport { name, limit, used, beyond } in &self.limits {
            let uses = if *beyond == 1 { "use was" } else { "uses were" };
            let beyond = if *beyond > 0 { format!("; {} {uses} too many", grouped(*beyond)) } else { String::new() };
            writeln!(out, "    {name}: {} of {}{beyond}", grouped(*used), grouped(*limit))?;
        }
        Ok(())
    }
}

impl ScenarioReport {
    fn write(&self, sites: u64, out: &mut String) -> fmt::Result {
        const SHOWN: usize = 40;
        let each = if self.each.is_empty() { String::new() } else { format!(" for each {}", self.each.join(", ")) };
        let (hits, matches) = (counted(self.hits, "hit"), self.matches);
        let at_sites = if sites > 1 { format!(" at each of {} sites", grouped(sites)) } else { String::new() };
        let es = if matches == 1 { "" } else { "es" };
        writeln!(out, "\nScenario {}: {} match{es}, {hits} wanted{each}{at_sites}", self.name, grouped(matches))?;
        if self.given_up > 0 {
            writeln!(
                out,
                "  More than {} beginnings were open at once: {} were given up, and matches may be missing.",
                grouped(MOST_OPEN as u64),
                grouped(self.given_up)
            )?;
        }
        writeln!(out, "  {:<40} {:>9} {:>9} {:>9}", self.each.join(", "), "wanted", "matches", "missing")?;
        let mut values: Vec<&ValueReport> = self.values.iter().collect();
        if values.len() > SHOWN {
            values.sort_by_key(|value| value.missing == 0);
        }
        for ValueReport { value, matches, missing, phases } in values.iter().take(SHOWN) {
            let value = if value.is_empty() { "all".to_owned() } else { value.join(", ") };
            let named = |one: &MatchesInPhase| Some(format!("{} {}", one.phase.as_ref()?, grouped(one.matches)));
            let phases: Vec<String> = phases.iter().filter_map(named).collect();
            let line = format!(
                "  {value:<40} {:>9} {:>9} {:>9}  {}",
                grouped(self.wanted),
                grouped(*matches),
                grouped(*missing),
                phases.join(", ")
            );
            writeln!(out, "{}", line.trim_end())?;
        }
        if values.len() > SHOWN {
            writeln!(out, "  … and {} more; all are in the JSON.", grouped((values.len() - SHOWN) as u64))?;
        }
        let others = self.value_count.saturating_sub(values.len() as u64);
        if others > 0 {
            writeln!(out, "  … and {} more values without a match", grouped(others))?;
        }
        Ok(())
    }
}

fn phase_name(plan: &TestPlan, phase: Option<usize>) -> Option<String> {
    phase.and_then(|at| plan.phases.get(at)).map(|phase| phase.name.clone())
}

/// A part in percent, to four decimals.
fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { (part as f64 / whole as f64 * 1e6).round() / 1e4 }
}

/// The shares of a phase, or those of a plan without phases.
fn shares(plan: &TestPlan, phase: Option<usize>, operations: &[u64]) -> Vec<ShareReport> {
    let mix = match phase.and_then(|at| plan.phases.get(at)) {
        Some(phase) => phase.mix.as_slice(),
        None if plan.phases.is_empty() => plan.mix.as_slice(),
        None => &[],
    };
    let all = total(operations.iter().copied());
    let share = |share: &MixShare| {
        let of_share = total(share.ops.iter().filter_map(|op| operations.get(op.index())).copied());
        let wanted = f64::from(share.share) / 1e4;
        ShareReport { name: share.name.clone(), wanted, reached: percent(of_share, all), operations: of_share }
    };
    mix.iter().map(share).collect()
}

fn address_report(entry: &AddressEntry, counts: &EntryCounts) -> AddressReport {
    // A row may be in several regions, so the parts need not add up to the whole.
    let all = total(counts.regions.iter().copied()).saturating_add(counts.outside);
    let region = |(region, operations): (&Region, &u64)| RegionReport {
        region: format!(
            "dies {}, planes {}, blocks {}, pages {}",
            region.dies, region.planes, region.blocks, region.pages
        ),
        weight: region.weight,
        operations: *operations,
        percent: percent(*operations, all),
    };
    let AddressLimits { erases_per_block, reads_per_block, reads_per_page, open_blocks } = entry.limits;
    let limits = [
        ("erases_per_block", erases_per_block, counts.erases_per_block),
        ("reads_per_block", reads_per_block, counts.reads_per_block),
        ("reads_per_page", reads_per_page, counts.reads_per_page),
        ("open_blocks", open_blocks, counts.open_blocks),
    ];
    let limit = |(name, limit, LimitUse { most, beyond }): (&str, Option<u32>, LimitUse)| {
        Some(LimitReport { name: name.to_owned(), limit: limit?.into(), used: most, beyond })
    };
    AddressReport {
        name: entry.name.clone(),
        regions: entry.regions.iter().zip(&counts.regions).map(region).collect(),
        outside: counts.outside,
        limits: limits.into_iter().filter_map(limit).collect(),
    }
}

fn scenario_report(
    profile: &Profile,
    plan: &TestPlan,
    (at, scenario): (usize, &Scenario),
    (counts, sites): (&PlanCounts, &[PlanCounts]),
) -> ScenarioReport {
    let in_phases: Vec<(Option<String>, &ScenarioCounts)> = counts
        .phases
        .iter()
        .filter_map(|(phase, of)| Some((phase_name(plan, *phase), of.scenarios.get(&at)?)))
        .collect();
    let by_phase = |of: &dyn Fn(&ScenarioCounts) -> u64| -> Vec<MatchesInPhase> {
        in_phases.iter().map(|(phase, counts)| MatchesInPhase { phase: phase.clone(), matches: of(counts) }).collect()
    };
    let sum = |phases: &[MatchesInPhase]| total(phases.iter().map(|one| one.matches));
    let (hits, wanted) = (u64::from(scenario.hits), u64::from(scenario.hits).saturating_mul(sites.len() as u64));
    let value = |values: Vec<AxisValue>| {
        let of = |counts: &ScenarioCounts| counts.by_value.get(&values).copied().unwrap_or_default();
        let (phases, at_site) = (by_phase(&of), |site: &PlanCounts| {
            total(site.phases.values().filter_map(|phase| phase.scenarios.get(&at)).map(of))
        });
        let missing = total(sites.iter().map(|site| hits.saturating_sub(at_site(site))));
        let value = values.iter().map(|value| value.text(profile)).collect();
        ValueReport { value, matches: sum(&phases), missing, phases }
    };
    let all = WantedValues::new(scenario, profile);
    let values: Vec<ValueReport> = if all.count() <= MOST_VALUES {
        all.iter().map(value).collect()
    } else {
        let found: BTreeSet<_> = in_phases.iter().flat_map(|(_, counts)| counts.by_value.keys().cloned()).collect();
        found.into_iter().map(value).collect()
    };
    let without_match = all.count().saturating_sub(values.len() as u64);
    let phases = by_phase(&|counts| counts.matches);
    ScenarioReport {
        name: scenario.name.clone(),
        each: scenario.each.iter().map(|axis| axis_name(scenario, *axis)).collect(),
        hits,
        wanted,
        matches: sum(&phases),
        missing: total(values.iter().map(|value| value.missing)).saturating_add(without_match.saturating_mul(wanted)),
        phases,
        value_count: all.count(),
        values,
        given_up: total(in_phases.iter().map(|(_, counts)| counts.given_up)),
    }
}
