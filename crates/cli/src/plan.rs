//! What to generate, checked: flags and files resolved into one value before any work begins.
//!
//! Promises that a plan can be carried out as far as arguments and inputs decide; nothing is written here. What is wrong
//! with the flags is said in one go.

mod closure;
mod identity;
mod sites;
pub(crate) mod table;

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::ValueEnum;
use nandseq_generate::SeedPlan;
use nandseq_profile::diagnostic::counted;
use nandseq_profile::{Block, Die, Profile, SourceFile, Ticks};
use nandseq_reach::Start;
use nandseq_trace::files::{FileKind, Outputs, Stamp};
use nandseq_trace::manifest::{self, Input, ProfileInput};
use nandseq_trace::recorded::recorded;

use crate::arguments::{DEFAULT_RUN_US, Format, GenerateArgs, ProposerLog, SeedFormula};
use crate::explain::Words;
use crate::failure::{Failure, Problem, both};
use crate::hint::{FlagsInForce, Hint};
use crate::in_force::InForce;
use crate::site_folders::SiteFolders;
use crate::{console, execute, failure, reach};

pub(crate) use closure::{Closure, Share};
use identity::Digests;
pub(crate) use sites::{Batch, Part, Shard, SiteList, SitePlan, ranges};
pub(crate) use table::Table;

/// The longest a site may be simulated over all its runs, µs: its clock counts picoseconds in 64 bits.
const MAX_SITE_US: u64 = nandseq_profile::units::MAX_US;

/// What to generate.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) profile: Profile,
    pub(crate) table: Table,
    pub(crate) bad_blocks: Vec<(Die, Block)>,
    /// Simulated time of each run, as far as the site's clock goes.
    pub(crate) run_until: Ticks,
    /// Operations after which a run stops.
    pub(crate) max_ops: Option<u64>,
    /// The operations of each run that --ops asks for.
    pub(crate) wanted_ops: Option<u64>,
    pub(crate) num_runs: u64,
    /// What each site is to cover, if anything.
    pub(crate) closure: Option<Closure>,
    /// Whether the first run of a site begins with the profile's bootstrap.
    pub(crate) bootstrap: bool,
    /// Whether the profile asks for a bootstrap that a single run does not have, and no flag says anything of it.
    pub(crate) bootstrap_left_out: bool,
    pub(crate) base_seed: u64,
    pub(crate) seed_formula: SeedFormula,
    /// In order of their numbers.
    pub(crate) sites: Vec<SitePlan>,
    /// What the sites are of, if each has a folder of its own.
    pub(crate) batch: Option<Batch>,
    pub(crate) out_dir: PathBuf,
    pub(crate) stamp: Stamp,
    /// The form of tables.
    pub(crate) format: Format,
    /// Which files each run writes.
    pub(crate) outputs: Outputs,
    /// What the proposer log says, if it is written.
    pub(crate) proposer_log: ProposerLog,
    /// The snapshot, or the folder of snapshots, to go on from.
    pub(crate) resume: Option<PathBuf>,
    /// Whether files of earlier campaigns are taken away first.
    pub(crate) clean: bool,
    /// Sites generated at the same time; `None`: as many as there are cores.
    pub(crate) jobs: Option<u64>,
    pub(crate) quiet: bool,
    /// Whether what was written is judged at once.
    pub(crate) verify: bool,
    /// The flags that a further command needs to mean the same device.
    pub(crate) flags: FlagsInForce,
    pub(crate) profile_input: ProfileInput,
    /// The text of the profile.
    source: SourceFile,
    /// The profile's own admission window, which a flag may override.
    own_window: Ticks,
    pub(crate) badlist_input: Option<Input>,
    /// The arguments that stay the same for every site.
    device_arguments: Vec<String>,
    site_dir_pattern: String,
    digests: Digests,
}

impl Plan {
    /// Resolves the flags and reads the files they name. Remarks that stop nothing are added to `remarks`.
    pub(crate) fn new(arguments: &GenerateArgs, remarks: &mut String) -> Result<Self, Failure> {
        let mut problems = Vec::new();
        let (folders, run_until) = check_flags(arguments, true, &mut problems);
        let (Some(folders), true) = (folders, problems.is_empty()) else {
            // What is only worth a remark can wait.
            let inputs = InForce::of_generate(arguments, &mut String::new());
            return Err(Failure::Unusable(problems).and(inputs));
        };
        let batch = Batch::new(&arguments.sites);
        let sites = sites::plans(&arguments.sites, batch.as_ref(), &folders);
        let in_force = InForce::of_generate(arguments, remarks);
        let (in_force, resume) = both(in_force, resume_from(arguments, &sites, remarks))?;
        let warning = reach::bus_warning(&in_force.profile, &in_force.table.distributions);
        remarks.extend(warning.map(|warning| failure::warning_text(&warning)));
        warn_of_no_effect(arguments, remarks);
        let closure = Closure::new(arguments, &in_force)?;
        let InForce {
            profile,
            source,
            own_window,
            profile_input,
            table,
            bad_blocks,
            badlist_input,
            bootstrap,
            flags,
            ..
        } = in_force;
        let said = arguments.start.bootstrap || arguments.start.no_bootstrap;
        let bootstrap_left_out = profile.bootstrap.enabled && !bootstrap && !said;
        let max_ops = max_ops(arguments, closure.as_ref());
        let device_arguments = device_arguments(arguments, (run_until, max_ops), badlist_input.as_ref(), &table);
        let earlier = resume.as_deref().and_then(|resume| execute::stamp_of_earlier(resume, &sites));
        let stamp = arguments.output.stamp.or(earlier).unwrap_or_else(now);
        let outputs = outputs(arguments);
        let plan = Self {
            seed_formula: arguments.sites.seed_formula,
            digests: Digests::new(profile.hash(), &table.distributions, &bad_blocks),
            sites,
            batch,
            profile,
            table,
            bad_blocks,
            run_until,
            max_ops,
            wanted_ops: arguments.extent.ops,
            closure,
            num_runs: arguments.extent.num_runs,
            bootstrap,
            bootstrap_left_out,
            base_seed: arguments.sites.seed,
            out_dir: arguments.output.out_dir.clone(),
            stamp,
            outputs,
            proposer_log: proposer_log(arguments, outputs),
            resume,
            jobs: arguments.sites.jobs,
            clean: arguments.output.clean,
            quiet: console::is_quiet(),
            verify: arguments.output.verify,
            flags,
            profile_input,
            source,
            own_window,
            badlist_input,
            device_arguments,
            site_dir_pattern: arguments.site_dir_pattern().to_owned(),
            format: arguments.output.format,
        };
        Ok(plan.going_on_with_its_name())
    }

    /// Why nothing can be covered, where nothing can ever start.
    pub(crate) fn nothing_starts(&self) -> Option<&str> {
        self.closure.as_ref().and_then(|closure| closure.nothing_starts.as_deref())
    }

    /// The pattern of the folders of sites.
    pub(crate) fn site_dir_pattern(&self) -> &str {
        &self.site_dir_pattern
    }

    /// Simulated time of a run that begins at this time of its site's clock: one without a limit of its own has what is left.
    pub(crate) fn run_until_from(&self, clock: Ticks) -> Ticks {
        let whole = Ticks::from_us(MAX_SITE_US);
        if self.run_until == whole { Ticks(whole.0.saturating_sub(clock.0)) } else { self.run_until }
    }

    /// Where the files of a site go.
    pub(crate) fn folder_of(&self, site: &SitePlan) -> PathBuf {
        if site.folder.is_empty() { self.out_dir.clone() } else { self.out_dir.join(&site.folder) }
    }

    /// The arguments that make one site alone as it is in its batch.
    pub(crate) fn arguments_of_site(&self, site: &SitePlan) -> Vec<String> {
        let seed = match site.seeds {
            SeedPlan::Sequential { site_seed } => site_seed,
            SeedPlan::Hashed { base, .. } => base,
        };
        let mut all = self.arguments(seed);
        push(&mut all, "--site-count", u64::from(site.site.is_some()));
        match (site.site, site.seeds) {
            (Some(number), _) => self.push_place(&mut all, number),
            (None, SeedPlan::Hashed { site, .. }) => push(&mut all, "--site-start", site),
            (None, SeedPlan::Sequential { .. }) => {}
        }
        all
    }

    /// The arguments that make a batch, or part of one.
    pub(crate) fn arguments_of_batch(&self, batch: &Batch) -> Vec<String> {
        let mut all = self.arguments(self.base_seed);
        push(&mut all, "--site-count", batch.count);
        self.push_place(&mut all, batch.start);
        match &batch.part {
            Part::Whole => {}
            Part::Sites(list) => push(&mut all, "--sites", list),
            Part::Shard(shard) => push(&mut all, "--shard", shard),
        }
        all
    }

    fn arguments(&self, seed: u64) -> Vec<String> {
        let mut all = vec!["generate".to_owned()];
        all.extend_from_slice(&self.device_arguments);
        push(&mut all, "--seed", seed);
        if self.seed_formula == SeedFormula::Hashed {
            push(&mut all, "--seed-formula", manifest::HASHED);
        }
        all
    }

    fn push_place(&self, all: &mut Vec<String>, start: u64) {
        push(all, "--site-start", start);
        push(all, "--site-dir-pattern", &self.site_dir_pattern);
    }

    /// The command that goes on after an interruption.
    pub(crate) fn go_on(&self) -> String {
        let all = match (&self.batch, self.sites.first()) {
            (Some(batch), _) => self.arguments_of_batch(batch),
            (None, site) => site.map_or_else(Vec::new, |site| self.arguments_of_site(site)),
        };
        Hint::of_arguments(&all).with("--out-dir", &self.out_dir).with("--resume", &self.out_dir).to_string()
    }

    /// How the manifest calls the seed formula.
    pub(crate) fn seed_formula_name(&self) -> &'static str {
        match self.seed_formula {
            SeedFormula::Sequential => manifest::SEQUENTIAL,
            SeedFormula::Hashed => manifest::HASHED,
        }
    }
}

fn push(arguments: &mut Vec<String>, flag: &str, value: impl std::fmt::Display) {
    arguments.push(flag.to_owned());
    arguments.push(value.to_string());
}

/// What is wrong with flags as far as they decide that by themselves; with that of the sites, if that is wanted.
pub(crate) fn check_flags(
    arguments: &GenerateArgs,
    with_sites: bool,
    problems: &mut Vec<Problem>,
) -> (Option<SiteFolders>, Ticks) {
    refuse_unavailable(arguments, problems);
    let folders = folders(arguments, problems);
    let run_until = run_until(arguments, problems);
    if with_sites {
        sites::check(&arguments.sites, arguments.extent.num_runs, problems);
    }
    (folders, run_until)
}

/// Flags whose machinery does not exist yet are refused, never ignored.
fn refuse_unavailable(arguments: &GenerateArgs, problems: &mut Vec<Problem>) {
    let output = &arguments.output;
    if output.format == Format::Parquet && cfg!(not(feature = "parquet")) {
        problems.push(Problem::new("this program was built without Parquet").help("use --format csv"));
    }
    if output.verify && !outputs(arguments).contains(FileKind::OperationSequence) {
        let message = "--verify judges operation_sequence, and none is written";
        problems.push(Problem::new(message).help("add operation_sequence to --outputs"));
    }
}

fn folders(arguments: &GenerateArgs, problems: &mut Vec<Problem>) -> Option<SiteFolders> {
    let pattern = arguments.site_dir_pattern();
    match SiteFolders::parse(pattern) {
        Ok(folders) => Some(folders),
        Err(wrong) => {
            let message = format!("the value `{pattern}` of --site-dir-pattern cannot be used: {}", wrong.message());
            problems.push(Problem::new(message).help(wrong.help()));
            None
        }
    }
}

/// Whether a run ends by what it did, not by its time.
fn has_no_time(arguments: &GenerateArgs) -> bool {
    let extent = &arguments.extent;
    extent.run_until.is_none() && (extent.ops.is_some() || extent.until_coverage.is_some())
}

/// The simulated time of each run; all runs of a site must fit its clock. Runs that end by what they did have all of it, however many
/// there are to be: further runs make nothing else of those before them.
fn run_until(arguments: &GenerateArgs, problems: &mut Vec<Problem>) -> Ticks {
    let extent = &arguments.extent;
    if has_no_time(arguments) {
        return Ticks::from_us(MAX_SITE_US);
    }
    let longest = Ticks::from_us(MAX_SITE_US / extent.num_runs);
    let wanted = extent.run_until.unwrap_or(Ticks::from_us(DEFAULT_RUN_US));
    if wanted == Ticks::ZERO {
        let problem = Problem::new("--run-until 0 leaves no time in which an operation could start");
        problems.push(problem.help("say how long each run is simulated, in µs: `--run-until 100000` is 0.1 s"));
    }
    if wanted > longest {
        let message = format!(
            "{} of {wanted} each: more than the 100 days a site may be simulated",
            counted(extent.num_runs, "run")
        );
        let help = format!("at most `--run-until {}` with this `--num-runs`", longest.to_us_text());
        problems.push(Problem::new(message).help(help));
    }
    wanted
}

/// The flags that decide what every site does, defaults and files found by themselves included.
fn device_arguments(
    arguments: &GenerateArgs,
    (run_until, max_ops): (Ticks, Option<u64>),
    badlist: Option<&Input>,
    table: &Table,
) -> Vec<String> {
    let mut all = Vec::new();
    if let Some(path) = &arguments.device.config {
        push(&mut all, "--config", recorded(path));
    }
    if arguments.device.lenient {
        all.push("--lenient".to_owned());
    }
    if !has_no_time(arguments) {
        push(&mut all, "--run-until", run_until.to_us_text());
    }
    if let Some(ops) = max_ops {
        push(&mut all, "--ops", ops);
    }
    if arguments.extent.closure {
        all.push("--closure".to_owned());
    }
    if let Some(share) = arguments.extent.until_coverage {
        push(&mut all, "--until-coverage", share);
    }
    push(&mut all, "--num-runs", arguments.extent.num_runs);
    if arguments.start.bootstrap {
        all.push("--bootstrap".to_owned());
    } else if arguments.start.no_bootstrap {
        all.push("--no-bootstrap".to_owned());
    }
    if let Some(window) = arguments.device.admission_window {
        push(&mut all, "--admission-window", window.to_us_text());
    }
    if let Some(badlist) = badlist {
        push(&mut all, "--badlist", &badlist.source);
    }
    all.extend(table.arguments());
    let outputs = outputs(arguments);
    let wanted = arguments.output.proposer_log;
    if outputs.with(FileKind::ProposerLog) != Outputs::ALL {
        let names: Vec<&str> = outputs.iter().map(FileKind::name).collect();
        push(&mut all, "--outputs", names.join(","));
    }
    if let (Format::Parquet, Some(value)) = (arguments.output.format, arguments.output.format.to_possible_value()) {
        push(&mut all, "--format", value.get_name());
    }
    if let (ProposerLog::Off | ProposerLog::Full, Some(value)) = (wanted, wanted.to_possible_value()) {
        push(&mut all, "--proposer-log", value.get_name());
    }
    all
}

/// Operations after which a run stops.
fn max_ops(arguments: &GenerateArgs, closure: Option<&Closure>) -> Option<u64> {
    match (arguments.extent.ops, arguments.extent.run_until) {
        (Some(ops), _) => Some(ops),
        (None, Some(_)) => None,
        (None, None) => closure.and_then(Closure::most_ops),
    }
}

impl Plan {
    /// What each device starts with.
    pub(crate) fn start(&self) -> Start<'_> {
        Start { bad_blocks: &self.bad_blocks, bootstrap: self.bootstrap }
    }

    /// What explains all this.
    pub(crate) fn words(&self) -> Words<'_> {
        Words::new(&self.profile, &self.source, &self.table, self.badlist_input.as_ref())
    }
}

/// Says which flags have no effect: draining is never left out, and no bootstrap comes where no run follows it.
fn warn_of_no_effect(arguments: &GenerateArgs, remarks: &mut String) {
    if arguments.extent.no_drain_op_end {
        remarks.push_str(&failure::warning_text(
            "without draining a run boundary is unsafe: --no-drain-op-end has no effect, runs are completed",
        ));
    }
    if arguments.start.bootstrap && arguments.extent.num_runs <= 1 {
        remarks.push_str(&failure::warning_text(
            "--bootstrap has no effect on a single run: it prepares the device for the runs that follow; ask for more with --num-runs",
        ));
    }
}

/// How much to log of proposals, if that is written at all.
fn proposer_log(arguments: &GenerateArgs, outputs: Outputs) -> ProposerLog {
    if outputs.contains(FileKind::ProposerLog) { arguments.output.proposer_log } else { ProposerLog::Off }
}

/// The choice of outputs; all if there is none. A log that is switched off is no output.
pub(crate) fn outputs(arguments: &GenerateArgs) -> Outputs {
    let chosen = arguments.output.outputs.unwrap_or(Outputs::ALL);
    if arguments.output.proposer_log == ProposerLog::Off { chosen.without(FileKind::ProposerLog) } else { chosen }
}

/// Where to go on from. Nothing to go on from in the output folder itself is no mistake: a campaign may be killed early.
fn resume_from(arguments: &GenerateArgs, sites: &[SitePlan], remarks: &mut String) -> Result<Option<PathBuf>, Failure> {
    let Some(resume) = &arguments.start.resume else { return Ok(None) };
    if resume.is_file() && sites.len() > 1 {
        let message = format!("the snapshot `{}` is of one site, and there are {}", resume.display(), sites.len());
        return Err(Problem::new(message).help("choose the site with --sites, or name the folder of the batch").into());
    }
    let is_here = *resume == arguments.output.out_dir;
    if execute::is_there(resume, sites) || (is_here && execute::have_files(resume, sites)) {
        return Ok(Some(resume.clone()));
    }
    if !is_here {
        let message = format!("there is nothing to go on from in `{}`", resume.display());
        return Err(Problem::new(message).help("name a snapshot, or the output folder of the same command").into());
    }
    remarks.push_str(&failure::note_text("nothing to go on from: starting from the beginning"));
    Ok(None)
}

/// The date and time, UTC.
fn now() -> Stamp {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let date = Stamp::from_days_since_1970(u32::try_from(seconds / 86_400).unwrap_or(0));
    date.at_second((seconds % 86_400) as u32)
}
