//! `generate --dry-run`: what would be written where, how much of it, of which operations, and how long it would take.
//!
//! Nothing is written and no folder is made. The mix and the figures are those of a short trial on some sites, with the
//! operations that would be written there first. The rest is estimated from the trial. The bound of the estimate follows from how
//! much sites or runs differ. Dead dies and shortfalls of the trial are reported as the campaign would report them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};

use nandseq_profile::Ticks;
use nandseq_profile::diagnostic::{counted, grouped};
use nandseq_profile::units::TICKS_PER_US;
use nandseq_trace::recorded::{quoted, recorded, shell_word};
use serde::Serialize;

use crate::absent::Absences;
use crate::arguments::ReportFormat;
use crate::campaign::{Campaign, CampaignPhase};
use crate::execute::note_of_beginning;
use crate::execute::trial::{CampaignTrial, Sizes, Tried, trial};
use crate::failure::{Failure, note_text, warning_text};
use crate::site_list::SiteList;
use crate::summary::text::{Detail, size, write_mix};
use crate::summary::{Summary, empty_part};
use crate::{json, not_reached, tell, terminal};

/// The version of the JSON form.
const SCHEMA: u32 = 1;

/// The result of a dry run.
#[derive(Serialize)]
pub(crate) struct DryRun {
    schema: u32,
    command: &'static str,
    version: &'static str,
    dry_run: bool,
    out_dir: String,
    out_dir_exists: bool,
    /// The file that the probability table would be written to.
    table_file: Option<String>,
    /// Sites by the number of their existing runs. Without `--resume` no run counts as existing.
    sites: Vec<Sites>,
    /// The sentence about a shard without sites.
    #[serde(skip)]
    empty: Option<String>,
    #[serde(skip)]
    folders: (String, String),
    #[serde(skip)]
    tried_sites: u64,
    runs_per_site: u64,
    /// The phases of the test plan; without any there is no such field.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    phases: Vec<PlannedPhase>,
    /// Number of runs that would be made.
    runs: u64,
    /// Existing runs that lack files. They would be made again for these files alone.
    runs_again: u64,
    /// Files of other campaigns in the same folders; `--clean` would remove them.
    other_files: u64,
    /// Names of the files of the first run that would be made, below the folder of its site.
    files_of_a_run: Vec<String>,
    /// Number of files of all runs, without manifests; in packs each archive is one.
    files: u64,
    /// Whether the files of a run are in packs. `false` is not written.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    is_packed: bool,
    /// The number of archives of a pack.
    #[serde(skip)]
    archives: u64,
    manifests: u64,
    /// The result of the trial; `null` if no run is left.
    trial: Option<TrialResult>,
    estimate: Option<Estimate>,
    /// When all dies of the tried sites were dead, and the state of the first die; `null` if a die was alive.
    ends_early: Option<String>,
    /// Warnings about dead dies and about what would not be reached, in words.
    warnings: Vec<String>,
    /// Whether the trial shows that the operations or the coverage asked for would not be reached.
    missed: bool,
}

/// A phase of the test plan.
#[derive(Serialize)]
struct PlannedPhase {
    phase: String,
    /// Its runs of each site.
    runs: u64,
    /// Simulated time of each run, µs; `null` for no limit.
    run_until_us: Option<String>,
    /// Operations after which a run stops; `null` for no limit.
    ops: Option<u64>,
    /// Whether something else may end the phase before.
    has_until: bool,
    /// The entries of addresses that are in force; without any there is no such field.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    addresses: Vec<String>,
    /// The scenarios that are in force; without any there is no such field.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    scenarios: Vec<String>,
}

/// Sites with the same number of existing runs.
#[derive(Serialize)]
struct Sites {
    count: u64,
    /// Their numbers, `1-4,9`; `null` for a single device without a number.
    sites: Option<String>,
    runs_there: u64,
    runs_to_make: u64,
}

/// The result of a trial on some sites.
#[derive(Serialize)]
struct TrialResult {
    /// Their numbers, `1-4,9`; `null` for a single device without a number.
    sites: Option<String>,
    runs: u64,
    /// Whether one of these runs was cut short by the trial's own limit.
    is_cut: bool,
    /// Simulated time of all these runs, µs.
    simulated_us: String,
    /// Operations, their mix and refusals, as in the summary of a campaign.
    summary: Summary,
}

/// The estimate for all sites.
#[derive(Serialize)]
struct Estimate {
    operations: u64,
    bytes: u64,
    seconds: f64,
    /// Number of sites made at the same time.
    at_once: u64,
    /// Whether sites may end earlier, because they end when enough is covered.
    at_most: bool,
    /// The share by which operations and bytes may be off, from how much the sites or runs of the trial differ; 0 if the trial
    /// made everything, `null` if the share is not known.
    within: Option<f64>,
}

/// Makes the dry run of a campaign.
pub(crate) fn look(campaign: &Campaign) -> Result<DryRun, Failure> {
    let nothing_starts = campaign.nothing_starts();
    let found = if nothing_starts.is_some() { CampaignTrial::default() } else { trial(campaign)? };
    tell(&note_of_beginning(campaign).map_or_else(String::new, |note| note_text(&note)));
    for remark in &found.remarks {
        tell(&warning_text(remark));
    }
    let other_files = found.others.count();
    tell(&found.others.text(campaign, "would remove"));
    let left: u64 = found.runs_there.iter().map(|there| campaign.num_runs - there).sum();
    let folder = |at: Option<usize>| at.and_then(|at| campaign.sites.get(at)).map(|site| campaign.folder_of(site));
    let shown = |at| folder(at).map_or_else(String::new, |folder| quoted(folder.as_os_str()));
    let estimate = found.tried.as_ref().map(|tried| Estimate::new(campaign, tried, left, &found.runs_there));
    let absences = Absences::new(campaign);
    let tried = found.tried.as_ref();
    let (warnings, missed) = match (nothing_starts, tried) {
        (Some(message), _) => (vec![message.to_owned()], true),
        (None, Some(tried)) => not_reached::in_trial(&absences, &tried.totals, tried.sites.len(), tried.is_whole),
        (None, None) => (Vec::new(), false),
    };
    let of_trial = if nothing_starts.is_some() { "" } else { "in the trial: " };
    let ends_early = tried.and_then(|tried| not_reached::end(campaign, &tried.totals, tried.sites.len()));
    warnings.iter().for_each(|warning| tell(&warning_text(&format!("{of_trial}{warning}"))));
    let archives = archives_of_a_pack(campaign);
    Ok(DryRun {
        schema: SCHEMA,
        command: "generate",
        version: env!("CARGO_PKG_VERSION"),
        dry_run: true,
        out_dir: recorded(&campaign.out_dir),
        out_dir_exists: campaign.out_dir.exists(),
        table_file: campaign.table.output.as_ref().map(|table| recorded(&table.path)),
        sites: by_runs(campaign, &found.runs_there),
        empty: empty_part(campaign, "nothing would be made")
            .or(nothing_starts.map(|_| "Nothing would be made".to_owned())),
        folders: (shown(Some(0)), shown(campaign.sites.len().checked_sub(1))),
        tried_sites: found.tried.as_ref().map_or(0, |tried| tried.sites.len() as u64),
        runs_per_site: campaign.num_runs,
        phases: campaign
            .phases
            .all()
            .iter()
            .enumerate()
            .filter_map(|phase| PlannedPhase::new(campaign, phase))
            .collect(),
        runs: left,
        runs_again: found.runs_again,
        other_files,
        files: match campaign.pack {
            Some(size) => found.runs_there.iter().map(|&there| archives * packs(there, campaign.num_runs, size)).sum(),
            None => left * found.files.len() as u64,
        },
        is_packed: campaign.pack.is_some(),
        archives,
        files_of_a_run: found.files,
        manifests: campaign.sites.len() as u64 + u64::from(campaign.batch.is_some()),
        trial: found.tried.map(|tried| TrialResult {
            sites: numbers(tried.sites.iter().map(|&site| campaign.sites[site].site)),
            runs: tried.totals.runs,
            is_cut: tried.is_cut,
            simulated_us: us_text(tried.simulated),
            summary: Summary::new(campaign, &tried.totals, tried.elapsed, Some(&absences)),
        }),
        estimate,
        ends_early,
        warnings,
        missed,
    })
}

/// Prints a dry run. The result is a failure if the campaign would miss what was asked for.
pub(crate) fn print(dry_run: &DryRun, form: ReportFormat, detail: Detail) -> Result<(), Failure> {
    match form {
        ReportFormat::Json => json::print(dry_run)?,
        ReportFormat::Text => {
            terminal::print(&dry_run.text(detail))?;
            tell(&note_text("nothing was written: this was a dry run"));
        }
    }
    if dry_run.missed { Err(Failure::NotReached) } else { Ok(()) }
}

/// The number of archives of a pack of a campaign.
fn archives_of_a_pack(campaign: &Campaign) -> u64 {
    let name = |kind| campaign.format.form().pack_name(kind, campaign.stamp, 1);
    campaign.outputs.iter().map(name).collect::<BTreeSet<_>>().len().max(1) as u64
}

/// How many packs of so many runs a site makes that has some runs already.
const fn packs(there: u64, runs: u64, size: u64) -> u64 {
    if there >= runs { 0 } else { runs.div_ceil(size) - there / size }
}

/// A list of sites, if they have numbers.
fn numbers(sites: impl Iterator<Item = Option<u64>>) -> Option<String> {
    sites.collect::<Option<Vec<u64>>>().map(|numbers| SiteList::of(&numbers).to_string())
}

fn by_runs(campaign: &Campaign, runs_there: &[u64]) -> Vec<Sites> {
    let mut groups: BTreeMap<u64, Vec<Option<u64>>> = BTreeMap::new();
    for (site, &there) in campaign.sites.iter().zip(runs_there) {
        groups.entry(there).or_default().push(site.site);
    }
    let group = |(runs_there, sites): (u64, Vec<Option<u64>>)| Sites {
        count: sites.len() as u64,
        sites: numbers(sites.iter().copied()),
        runs_there,
        runs_to_make: campaign.num_runs - runs_there,
    };
    groups.into_iter().map(group).collect()
}

impl PlannedPhase {
    fn new(campaign: &Campaign, (at, phase): (usize, &CampaignPhase)) -> Option<Self> {
        let plan = campaign.plan.as_ref()?;
        let addresses = plan.addresses(at).into_iter().map(|entry| plan.plan.addresses[entry].name.clone());
        Some(Self {
            phase: phase.name.clone()?,
            runs: phase.runs,
            run_until_us: phase.time_limit().map(Ticks::to_us_text),
            ops: phase.max_ops,
            has_until: phase.until.is_some(),
            addresses: addresses.collect(),
            scenarios: plan.scenarios(at).into_iter().map(|scenario| scenario.name).collect(),
        })
    }

    /// Its runs and limits, in words.
    fn text(&self) -> String {
        let runs = counted(self.runs, "run");
        let time = self.run_until_us.as_ref().map(|time| format!("{time} µs"));
        let limits: Vec<String> = time.into_iter().chain(self.ops.map(|ops| counted(ops, "operation"))).collect();
        let at_most = if self.has_until { "at most " } else { "" };
        let in_force = |what: &str, names: &[String]| {
            if names.is_empty() { String::new() } else { format!("; {what} {}", names.join(", ")) }
        };
        let (addresses, scenarios) = (in_force("addresses", &self.addresses), in_force("scenarios", &self.scenarios));
        format!("phase {}: {runs} of {at_most}{}{addresses}{scenarios}", self.phase, limits.join(" or "))
    }
}

impl Estimate {
    fn new(campaign: &Campaign, tried: &Tried, runs: u64, runs_there: &[u64]) -> Self {
        let sites = runs_there.iter().filter(|&&there| there < campaign.num_runs).count() as u64;
        // A trial of everything is the campaign.
        let is_all = tried.is_whole && tried.sites.len() as u64 == sites;
        let operations = if is_all { tried.all.ops as f64 } else { tried.of_a_run() * runs as f64 };
        // Bytes that every file has weigh less in longer runs, so a cut trial counts the first site, which is tried for longest.
        let Sizes { runs: of_runs, ops, bytes, bytes_of_runs } = if tried.is_cut { tried.first } else { tried.all };
        let each_run = bytes_of_runs as f64 / of_runs.max(1) as f64;
        let bytes = match is_all {
            true => (tried.all.bytes + tried.all.bytes_of_runs) as f64,
            false => bytes as f64 / ops.max(1) as f64 * operations + each_run * runs as f64,
        };
        let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
        let at_once = campaign.jobs.unwrap_or(cores).min(sites).max(1);
        let seconds = tried.elapsed.as_secs_f64() / tried.all.ops.max(1) as f64 * operations / at_once as f64;
        let until = campaign.closure.as_ref().and_then(crate::campaign::Closure::until);
        // Where a site of the trial has covered enough, the estimate counts on that.
        let at_most = until.is_some() && !is_all && !tried.has_covered();
        let within = if is_all { Some(0.0) } else { within(tried) };
        Self { operations: operations as u64, bytes: bytes as u64, seconds, at_once, at_most, within }
    }

    /// The bound of the estimate, in words.
    fn bound(&self, sites: u64) -> String {
        let by = if sites == 1 { "by one site".to_owned() } else { format!("by {sites} sites") };
        match self.within {
            Some(0.0) => "operations and size are those of the campaign".to_owned(),
            Some(within) if within < 1.0 => {
                let percent = rounded((100.0 * within).ceil() as u64);
                format!("operations and size within about {percent} %, {by}")
            }
            Some(_) => format!("only the order of magnitude of operations and size is known, {by}"),
            None => format!("how far operations and size may be off is not known, {by}"),
        }
    }
}

/// Least bound of an estimate from the beginning of a run, or of the runs of a site: the beginning is not like the rest.
const PART: f64 = 0.2;

/// The share by which an estimate may be off with odds of 19 to 1, from how much the tried sites differ, or the runs of a single
/// one; `None` if it is not known.
fn within(tried: &Tried) -> Option<f64> {
    let least = if tried.is_whole { 0.0 } else { PART };
    let values = if tried.of_sites.len() > 1 { &tried.of_sites } else { &tried.of_runs };
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    if values.len() < 2 || mean <= 0.0 {
        // A single run that was cut is scaled by its simulated time, so that only the least bound is known.
        return (tried.is_cut && tried.of_sites.len() == 1).then_some(least);
    }
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
    // Student's t, two-sided, 5 %, rounded up between the entries.
    let t = match values.len() {
        2 => 12.7,
        3 => 4.31,
        4 => 3.19,
        5 => 2.78,
        6..=8 => 2.58,
        9..=15 => 2.31,
        _ => 2.14,
    };
    Some((t * (variance / count).sqrt() / mean).max(least).max(0.01))
}

impl DryRun {
    fn text(&self, detail: Detail) -> String {
        if let Some(empty) = &self.empty {
            return format!("{empty}\n");
        }
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = self.write_place(&mut text, detail).and_then(|()| self.write_expected(&mut text, detail));
        text
    }

    /// Writes what would be written where.
    fn write_place(&self, text: &mut String, detail: Detail) -> fmt::Result {
        let (first, last) = &self.folders;
        let to = if first == last { first.clone() } else { format!("{first} to {last}") };
        let sites: u64 = self.sites.iter().map(|group| group.count).sum();
        let state = if self.out_dir_exists { "is there already" } else { "would be made" };
        writeln!(text, "Would be written into {to}; {} {state}", shell_word(&self.out_dir))?;
        let each =
            if sites == 1 { String::new() } else { format!(" with {} each", counted(self.runs_per_site, "run")) };
        let (runs, sites) = (counted(self.runs, "run"), counted(sites, "site"));
        let in_force = self.trial.as_ref().map_or_else(String::new, |trial| trial.summary.in_force());
        writeln!(text, "{runs}: {sites}{each}{in_force}")?;
        self.phases.iter().try_for_each(|phase| writeln!(text, "  {}", phase.text()))?;
        for group in self.sites.iter().filter(|group| group.runs_there > 0) {
            let of = group.sites.as_ref().map_or_else(String::new, |sites| {
                let s = if sites.parse::<u64>().is_ok() { "" } else { "s" };
                format!(" of site{s} {sites}")
            });
            let are = if group.runs_there == 1 { "is" } else { "are" };
            let (runs, to_make) = (counted(group.runs_there, "run"), grouped(group.runs_to_make));
            writeln!(text, "  {runs}{of} {are} there already, {to_make} to make")?;
        }
        if self.runs_again > 0 {
            writeln!(text, "  {} would be made again, for files that are gone", counted(self.runs_again, "run"))?;
        }
        let (count, files) = (self.files_of_a_run.len() as u64, grouped(self.files));
        let named = match (detail, self.files_of_a_run.as_slice()) {
            (Detail::Short, [first, _, ..]) => format!(" ({first} and {} more: -v shows all)", count - 1),
            (Detail::Short | Detail::Full, _) => String::new(),
        };
        let (of_each, manifests) = (counted(count, "file"), counted(self.manifests, "manifest"));
        let table = self.table_file.as_ref().map_or_else(String::new, |path| {
            format!("; the table of probabilities would be written to {}", shell_word(path))
        });
        let in_all = match self.archives {
            _ if !self.is_packed => format!("{files} in all"),
            1 => format!("in {}", counted(self.files, "pack")),
            count => format!("in {} of {count} files each", counted(self.files / count, "pack")),
        };
        writeln!(text, "{of_each} of each run{named}, {in_all}, and {manifests}{table}")?;
        if detail == Detail::Full {
            self.files_of_a_run.iter().try_for_each(|name| writeln!(text, "  {name}"))?;
        }
        Ok(())
    }

    /// Writes the trial and the estimate.
    fn write_expected(&self, text: &mut String, detail: Detail) -> fmt::Result {
        let (Some(trial), Some(estimate)) = (&self.trial, &self.estimate) else {
            let nothing = if self.runs_again > 0 { "nothing else" } else { "nothing" };
            return writeln!(text, "Every run is there already: {nothing} would be made");
        };
        let count = self.tried_sites;
        let of = trial.sites.as_ref().map_or_else(String::new, |sites| {
            format!(" of site{} {}", if count == 1 { "" } else { "s" }, sites.replace(',', ", "))
        });
        let operations = trial.summary.operations();
        // On dead dies the simulated time is that of the limit and says nothing.
        let time = if self.ends_early.is_none() {
            format!(", {} µs", with_separators(&trial.simulated_us))
        } else {
            String::new()
        };
        writeln!(text, "Trial: {}{time}{of}", counted(operations, "operation"))?;
        if let Some(ends_early) = &self.ends_early {
            writeln!(text, "Ends early: {ends_early}")?;
        }
        write_mix(text, &trial.summary, detail)?;
        let at_most = if estimate.at_most { "at most " } else { "" };
        let unpacked = if self.is_packed { " before it is packed" } else { "" };
        writeln!(
            text,
            "Estimate: {at_most}about {}, {}{unpacked}, {} with {} at a time",
            counted(rounded(estimate.operations), "operation"),
            size(rounded(estimate.bytes)),
            duration(estimate.seconds),
            counted(estimate.at_once, "site")
        )?;
        let share = if estimate.operations > 0 {
            operations as f64 / estimate.operations as f64
        } else {
            trial.runs as f64 / self.runs.max(1) as f64
        };
        let part = if estimate.within == Some(0.0) {
            "the whole".to_owned()
        } else {
            format!("{:.2} % of it", (100.0 * share).min(99.99))
        };
        let bound = estimate.bound(count);
        writeln!(text, "  from a trial of {part}: {bound}; the time leaves the disk out, and may be twice that")
    }
}

/// A time in picoseconds as µs, like [`Ticks::to_us_text`].
fn us_text(simulated: u128) -> String {
    let parts = u128::from(TICKS_PER_US);
    let fraction = Ticks((simulated % parts) as u64).to_us_text();
    format!("{}{}", simulated / parts, fraction.trim_start_matches('0'))
}

/// A time in µs with its thousands separated.
fn with_separators(us: &str) -> String {
    let whole = us.split('.').next().unwrap_or_default();
    whole.parse().map_or_else(|_| us.to_owned(), |number: u64| grouped(number) + &us[whole.len()..])
}

/// A number rounded to two digits, as many as an estimate can be trusted for.
fn rounded(number: u64) -> u64 {
    let mut step = 1;
    while number / step >= 100 {
        step *= 10;
    }
    number.saturating_add(step / 2) / step * step
}

/// An estimated time, in a fitting unit.
fn duration(seconds: f64) -> String {
    match seconds {
        seconds if seconds < 10.0 => format!("{seconds:.1} s"),
        seconds if seconds < 600.0 => format!("{} s", rounded(seconds as u64)),
        seconds if seconds < 36_000.0 => format!("{} min", rounded((seconds / 60.0) as u64)),
        seconds => format!("{} h", grouped(rounded((seconds / 3600.0) as u64))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn estimates_have_two_digits() {
        for (number, expected) in [(0, 0), (7, 7), (99, 99), (104, 100), (105, 110), (4_472, 4_500), (99_900, 100_000)]
        {
            assert_eq!(rounded(number), expected);
        }
        assert_eq!(rounded(u64::MAX), 18_000_000_000_000_000_000);
    }

    #[test]
    fn packs_begin_at_multiples_of_their_size() {
        let of = |there, runs| packs(there, runs, 10);
        assert_eq!([of(0, 1), of(0, 10), of(0, 11), of(10, 30), of(7, 30), of(30, 30)], [1, 1, 2, 2, 3, 0]);
    }

    #[test]
    fn thousands_of_microseconds_are_separated() {
        for (us, expected) in [("1241421.44", "1,241,421.44"), ("20.5", "20.5"), ("1000", "1,000"), ("0.25", "0.25")] {
            assert_eq!(with_separators(us), expected);
        }
    }

    #[test]
    fn times_are_said_in_fitting_units() {
        for (seconds, expected) in
            [(0.04, "0.0 s"), (9.94, "9.9 s"), (59.0, "59 s"), (1200.0, "20 min"), (360_000.0, "100 h")]
        {
            assert_eq!(duration(seconds), expected);
        }
    }
}
