//! The summary of a campaign, as data. It is shown as text ([`text`]) or as JSON.
//!
//! Both forms have the same facts. Every list is complete and in one order. The field names and units are those of
//! `docs/command-line.md`. Only [`text`] decides how much of it a text shows.

mod absent;
pub(crate) mod text;

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use nandseq_profile::BaseId;
use nandseq_profile::diagnostic::counted;
use nandseq_trace::manifest::{Input, ProfileInput};
use nandseq_trace::recorded::{path_of, recorded, shown};
use serde::Serialize;
use serde_json::Value;

use crate::absent::Absences;
use crate::campaign::{Batch, BatchPart, Campaign, CampaignPhase};
use crate::execute::{PhaseTotals, Totals};
use crate::failure::Failure;
use crate::hint::Hint;
use crate::in_force::BOOTSTRAP_OF;
use crate::limits_reached::{self, UsedLimit};
use crate::scenarios_reached::{self, ReachedScenario};
use crate::shares_reached::{self, ReachedShare};
use absent::NeverStarted;

/// The version of the JSON form.
const SCHEMA: u32 = 1;

/// The result of a campaign.
#[derive(Serialize, Debug)]
pub(crate) struct Summary {
    schema: u32,
    command: &'static str,
    version: &'static str,
    /// Exit code of the program, if it does nothing else.
    exit_code: u8,
    /// Why the campaign failed; `null` if all was done that was asked for.
    problem: Option<String>,
    /// Warnings about what was not reached and about dead dies, in words.
    warnings: Vec<String>,
    /// The command that goes on after an interruption.
    go_on: Option<String>,
    inputs: Inputs,
    /// Whether the profile asks for a bootstrap that a single run does not have.
    bootstrap_left_out: bool,
    out_dir: String,
    /// Number of sites asked for.
    sites: u64,
    #[serde(skip)]
    is_batch: bool,
    /// The sentence about a shard without sites.
    #[serde(skip)]
    pub(crate) empty: Option<String>,
    /// Whether every run existed before.
    #[serde(skip)]
    was_there: bool,
    /// Runs of each site asked for.
    runs_per_site: u64,
    /// Runs made by this execution, over all sites.
    runs: u64,
    operations: u64,
    /// Duration of the execution.
    seconds: f64,
    operations_per_second: u64,
    files: u64,
    bytes: u64,
    /// Files of other campaigns in the same folders, which were left alone.
    other_files: u64,
    /// Whether the campaign was resumed, which excludes `--clean`.
    #[serde(skip)]
    is_resumed: bool,
    covered: Option<Covered>,
    /// The phases of the test plan; without any there is no such field.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    phases: Vec<PhaseCount>,
    /// The shares that the test plan states; without any there is no such field.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    shares: Vec<ReachedShare>,
    /// The limits of addresses that the test plan states; without any there is no such field.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    limits: Vec<UsedLimit>,
    /// The scenarios of the test plan; without any there is no such field.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    scenarios: Vec<ReachedScenario>,
    /// Operations by base, the most frequent first; bases without operations have no entry.
    bases: Vec<BaseCount>,
    /// Operations by name, the most frequent first.
    names: Vec<NameCount>,
    /// Refusals, the most frequent first.
    refused: Vec<Refused>,
    /// Names without an operation; those that were refused most often first.
    never_started: Vec<NeverStarted>,
    /// Number of names in the profile.
    names_known: u64,
    /// The command that judges the files.
    verify: String,
    /// The command that says why an operation did not start, without the name of the operation.
    explain: String,
    /// Whether the files are judged at once.
    #[serde(skip)]
    is_judged: bool,
    /// The answer of `verify --format json`, if `--verify` was given.
    verdict: Option<Value>,
}

/// The inputs that the operations were drawn with.
#[derive(Serialize, Debug)]
struct Inputs {
    profile: ProfileInput,
    /// `None` if the table is from no file.
    probabilities: Option<Input>,
    badlist: Option<Input>,
    /// The test plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<Input>,
    bad_blocks: u64,
    /// The file that the table is written to, if it is.
    table_file: Option<String>,
}

/// The covered bins of each site.
#[derive(Serialize, Debug)]
struct Covered {
    #[serde(rename = "cells")]
    bins: u64,
    /// Number of sites whose coverage was counted.
    sites: u64,
    /// Number of covered bins at the site with the fewest.
    least_hit: u64,
    most_hit: u64,
    /// Number of covered bins at which a site ends, if `--until-coverage` was given.
    wanted: Option<u64>,
}

/// A phase of the test plan.
#[derive(Serialize, Debug)]
struct PhaseCount {
    phase: String,
    /// Its runs of each site.
    runs_per_site: u64,
    /// Runs made by this execution, over all sites, and their operations.
    runs: u64,
    operations: u64,
    /// Sites at which its limits came before what was to end it; `null` if nothing was to.
    missed: Option<u64>,
}

#[derive(Serialize, Debug)]
struct BaseCount {
    base: String,
    count: u64,
}

#[derive(Serialize, Debug)]
struct NameCount {
    op_name: String,
    base: String,
    count: u64,
}

#[derive(Serialize, Debug)]
struct Refused {
    phase_key: String,
    op_name: String,
    /// The code of the rule or reason.
    reason: &'static str,
    count: u64,
}

impl Summary {
    /// The summary of a campaign that took `elapsed`. Without `absences` nothing is said about operations that did not start.
    pub(crate) fn new(
        campaign: &Campaign,
        totals: &Totals,
        elapsed: Duration,
        absences: Option<&Absences<'_>>,
    ) -> Self {
        let seconds = elapsed.as_secs_f64();
        let was_there = campaign.resume.is_some() && totals.runs == 0 && totals.known_runs > 0;
        Self {
            schema: SCHEMA,
            command: "generate",
            version: env!("CARGO_PKG_VERSION"),
            exit_code: 0,
            problem: None,
            warnings: Vec::new(),
            go_on: None,
            inputs: Inputs {
                profile: campaign.profile_input.clone(),
                probabilities: campaign.table.input.clone(),
                badlist: campaign.badlist_input.clone(),
                plan: campaign.plan.as_ref().map(|plan| plan.input.clone()),
                bad_blocks: campaign.bad_blocks.len() as u64,
                table_file: campaign.table.output.as_ref().map(|table| recorded(&table.path)),
            },
            bootstrap_left_out: campaign.bootstrap_left_out,
            out_dir: recorded(&campaign.out_dir),
            sites: campaign.sites.len() as u64,
            is_batch: campaign.batch.is_some(),
            empty: empty_part(campaign, "nothing was made"),
            was_there,
            runs_per_site: campaign.num_runs,
            runs: totals.runs,
            operations: totals.ops,
            seconds,
            operations_per_second: (totals.ops as f64 / seconds.max(1e-3)) as u64,
            files: totals.files,
            bytes: totals.bytes,
            other_files: totals.other_files,
            is_resumed: campaign.resume.is_some(),
            covered: covered(campaign, totals),
            phases: phases(campaign, totals),
            shares: shares_reached::reached(campaign, totals),
            limits: limits_reached::used(campaign, totals),
            scenarios: scenarios_reached::reached(campaign, totals),
            bases: bases(campaign, totals),
            names: names(campaign, totals),
            refused: refused(campaign, totals),
            // If nothing was made, nothing can be said about operations that did not start.
            never_started: match absences.filter(|_| !was_there) {
                Some(absences) => absent::never_started(campaign, totals, absences),
                None => Vec::new(),
            },
            explain: Hint::new("explain").flags(&campaign.flags.all()).to_string(),
            names_known: campaign
                .profile
                .ops
                .ids()
                .filter(|&op| absent::starts_something(&campaign.profile, op))
                .count() as u64,
            verify: verify_command(campaign),
            is_judged: campaign.verify,
            verdict: None,
        }
    }

    /// The test plan, the table file and the list of bad blocks that are in use, and a bootstrap that was left out, in words.
    pub(crate) fn in_force(&self) -> String {
        let Inputs { plan, probabilities, badlist, .. } = &self.inputs;
        let files = [("plan", plan), ("table", probabilities), ("bad blocks", badlist)];
        let named = |(what, file): (_, &Option<_>)| {
            file.as_ref().map(|file: &Input| format!("; {what} `{}`", shown(path_of(&file.source))))
        };
        let bootstrap = self.bootstrap_left_out.then(|| format!("; no bootstrap ({BOOTSTRAP_OF})"));
        files.into_iter().filter_map(named).chain(bootstrap).collect()
    }

    /// Operations of all runs.
    pub(crate) fn operations(&self) -> u64 {
        self.operations
    }

    /// Notes the failure that ended the campaign.
    pub(crate) fn ended(&mut self, failure: &Failure) {
        self.exit_code = failure.code();
        self.problem = match failure {
            // The failure of a campaign that falls short has no text. The last warning says by how much it falls short.
            Failure::NotReached => self.warnings.last().cloned(),
            Failure::NothingStarts(message) => {
                self.warnings.push(message.clone());
                Some(message.clone())
            }
            Failure::Unusable(_)
            | Failure::Faulty(_)
            | Failure::Several(_)
            | Failure::Found
            | Failure::Told(_)
            | Failure::CannotWrite { .. }
            | Failure::Interrupted { .. } => Some(failure.plain_text()).filter(|text| !text.is_empty()),
        };
        self.go_on = failure.go_on().map(str::to_owned);
    }

    /// Notes the warnings.
    pub(crate) fn warn(&mut self, warnings: Vec<String>) {
        self.warnings = warnings;
    }

    /// Notes the verdict of the verifier.
    pub(crate) fn judged(&mut self, verdict: impl Serialize) {
        self.verdict = serde_json::to_value(verdict).ok();
    }
}

/// The sentence about a shard without sites, and its consequence `so`; `None` for other parts.
pub(crate) fn empty_part(campaign: &Campaign, so: &str) -> Option<String> {
    let Some(Batch { count, part: BatchPart::Shard(shard), .. }) = &campaign.batch else { return None };
    let words = || format!("Shard {shard} holds none of the {}: {so}", counted(*count, "site"));
    campaign.sites.is_empty().then(words)
}

/// The command that judges the files. The manifests name the bad blocks.
fn verify_command(campaign: &Campaign) -> String {
    // Runs that go on from another folder are judged after the runs there.
    let place = |folder: &Path| fs::canonicalize(folder).ok();
    let elsewhere = |folder: &&Path| folder.is_dir() && place(folder) != place(&campaign.out_dir);
    let from = campaign.resume.as_deref().filter(elsewhere);
    let hint = from.into_iter().fold(Hint::new("verify").flags(&campaign.flags.profile()), Hint::operand);
    hint.operand(&campaign.out_dir).to_string()
}

fn covered(campaign: &Campaign, totals: &Totals) -> Option<Covered> {
    let closure = campaign.closure.as_ref()?;
    let hits = || totals.reached.iter().map(|reached| reached.hit);
    Some(Covered {
        bins: closure.model.bin_count(),
        sites: totals.reached.len() as u64,
        least_hit: hits().min()?,
        most_hit: hits().max()?,
        wanted: closure.until(),
    })
}

fn phases(campaign: &Campaign, totals: &Totals) -> Vec<PhaseCount> {
    let phases = campaign.phases.all().iter().zip(&totals.by_phase);
    let count = |(phase, made): (&CampaignPhase, &PhaseTotals)| {
        Some(PhaseCount {
            phase: phase.name.clone()?,
            runs_per_site: phase.runs,
            runs: made.runs,
            operations: made.ops,
            missed: phase.until.map(|_| made.missed),
        })
    };
    phases.filter_map(count).collect()
}

fn bases(campaign: &Campaign, totals: &Totals) -> Vec<BaseCount> {
    let mut by_base: BTreeMap<BaseId, u64> = BTreeMap::new();
    for ((_, op), count) in campaign.profile.ops.iter_ids().zip(&totals.by_op) {
        *by_base.entry(op.base).or_default() += count;
    }
    let counts = by_base.into_iter().filter(|&(_, count)| count > 0);
    let counts = counts.map(|(base, count)| BaseCount { base: campaign.profile.bases[base].name.clone(), count });
    sorted(counts, |one| (Reverse(one.count), one.base.clone()))
}

fn names(campaign: &Campaign, totals: &Totals) -> Vec<NameCount> {
    let counts = campaign.profile.ops.iter_ids().zip(&totals.by_op).filter(|(_, count)| **count > 0);
    let counts = counts.map(|((_, op), &count)| NameCount {
        op_name: op.name.clone(),
        base: campaign.profile.bases[op.base].name.clone(),
        count,
    });
    sorted(counts, |one| (Reverse(one.count), one.op_name.clone()))
}

fn refused(campaign: &Campaign, totals: &Totals) -> Vec<Refused> {
    let counts = totals.rejections.iter().filter(|(_, count)| **count > 0);
    let counts = counts.map(|(&(key, op, reason), &count)| Refused {
        phase_key: campaign.profile.phase_keys[key].name.clone(),
        op_name: campaign.profile.ops[op].name.clone(),
        reason: reason.code(),
        count,
    });
    sorted(counts, |one| (Reverse(one.count), one.phase_key.clone(), one.op_name.clone(), one.reason))
}

fn sorted<T, K: Ord>(items: impl Iterator<Item = T>, key: impl FnMut(&T) -> K) -> Vec<T> {
    let mut items: Vec<T> = items.collect();
    items.sort_by_cached_key(key);
    items
}
