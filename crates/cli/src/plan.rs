//! What to generate, checked: flags and files resolved into one value before any work begins.
//!
//! Promises that a plan can be carried out as far as arguments and inputs decide; nothing is written here. What is wrong
//! with the flags is said in one go.

mod table;

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use nandseq_profile::{Block, Die, Profile, Ticks};
use nandseq_trace::files::Stamp;
use nandseq_trace::manifest::{Input, ProfileInput};

use crate::arguments::{DEFAULT_RUN_US, Format, GenerateArgs, ProposerLog};
use crate::failure::{Failure, Problem};
use crate::inputs::{self, ReadProfile};
use crate::site_folders::SiteFolders;
use crate::{badlist, failure};

pub(crate) use table::Table;

/// The longest a site may be simulated over all its runs, µs: its clock counts picoseconds in 64 bits.
const MAX_SITE_US: u64 = nandseq_profile::units::MAX_US;
/// The list of bad blocks that is read when none is named.
const DEFAULT_BADLIST: &str = "badlist.csv";

/// What to generate.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) profile: Profile,
    pub(crate) table: Table,
    pub(crate) bad_blocks: Vec<(Die, Block)>,
    /// Simulated time of each run.
    pub(crate) run_until: Ticks,
    /// Operations after which a run stops.
    pub(crate) max_ops: Option<u64>,
    pub(crate) num_runs: u64,
    /// Whether the first run of a site begins with the profile's bootstrap.
    pub(crate) bootstrap: bool,
    pub(crate) base_seed: u64,
    /// In order of their numbers.
    pub(crate) sites: Vec<SitePlan>,
    /// Whether each site has a folder of its own.
    pub(crate) is_batch: bool,
    pub(crate) out_dir: PathBuf,
    pub(crate) stamp: Stamp,
    /// Sites generated at the same time; `None`: as many as there are cores.
    pub(crate) jobs: Option<u64>,
    pub(crate) quiet: bool,
    /// Whether what was written is judged at once.
    pub(crate) verify: bool,
    /// The profile as named; `None` for the built-in device.
    pub(crate) config: Option<PathBuf>,
    pub(crate) lenient: bool,
    pub(crate) profile_input: ProfileInput,
    pub(crate) badlist_input: Option<Input>,
    /// The arguments that stay the same for every site.
    device_arguments: Vec<String>,
    site_dir_pattern: String,
}

/// One site.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct SitePlan {
    /// Its number, if sites are numbered.
    pub(crate) site: Option<u64>,
    /// Its folder, relative to the output folder, with `/` between parts; empty for the output folder itself.
    pub(crate) folder: String,
    /// The seed of its first run.
    pub(crate) seed: u64,
}

impl Plan {
    /// Resolves the flags and reads the files they name. Remarks that stop nothing are added to `remarks`.
    pub(crate) fn new(arguments: &GenerateArgs, remarks: &mut String) -> Result<Self, Failure> {
        let mut problems = Vec::new();
        refuse_unavailable(arguments, &mut problems);
        let folders = folders(arguments, &mut problems);
        let run_until = run_until(arguments, &mut problems);
        check_seeds(arguments, &mut problems);
        let (Some(folders), true) = (folders, problems.is_empty()) else { return Err(Failure::Unusable(problems)) };
        if arguments.extent.no_drain_op_end {
            remarks.push_str(&failure::warning_text(
                "without draining a run boundary is unsafe: --no-drain-op-end has no effect, runs are completed",
            ));
        }

        let ReadProfile { mut profile, source, input, remarks: about_profile } =
            inputs::profile(arguments.device.config.as_deref(), arguments.device.lenient)?;
        remarks.push_str(&remarks_on_profile(arguments, &about_profile, &source));
        let badlist = read_badlist(arguments, &profile)?;
        if let Some(window) = arguments.device.admission_window {
            profile.policies.admission_window = window;
        }
        let table = Table::resolve(arguments, &profile, remarks)?;
        let bootstrap = bootstrap(arguments, &profile, remarks);
        let device_arguments = device_arguments(arguments, run_until, badlist.as_ref().map(|(_, input)| input), &table);
        let (bad_blocks, badlist_input) = badlist.map_or((Vec::new(), None), |(blocks, input)| (blocks, Some(input)));
        Ok(Self {
            profile,
            table,
            bad_blocks,
            run_until,
            max_ops: arguments.extent.ops,
            num_runs: arguments.extent.num_runs,
            bootstrap,
            base_seed: arguments.sites.seed,
            sites: sites(arguments, &folders),
            is_batch: arguments.sites.site_count > 0,
            out_dir: arguments.output.out_dir.clone(),
            stamp: arguments.output.stamp.unwrap_or_else(today),
            jobs: arguments.sites.jobs,
            quiet: arguments.output.quiet,
            verify: arguments.output.verify,
            config: arguments.device.config.clone(),
            lenient: arguments.device.lenient,
            profile_input: input,
            badlist_input,
            device_arguments,
            site_dir_pattern: arguments.sites.site_dir_pattern.clone(),
        })
    }

    /// The arguments that make one site alone as it is in its batch.
    pub(crate) fn arguments_of_site(&self, site: &SitePlan) -> Vec<String> {
        let (count, start) = if site.site.is_some() { (1, site.site) } else { (0, None) };
        self.arguments(site.seed, count, start)
    }

    /// The arguments that make the whole batch.
    pub(crate) fn arguments_of_batch(&self) -> Vec<String> {
        self.arguments(self.base_seed, self.sites.len(), self.sites.first().and_then(|site| site.site))
    }

    fn arguments(&self, seed: u64, count: usize, start: Option<u64>) -> Vec<String> {
        let mut all = vec!["generate".to_owned()];
        all.extend_from_slice(&self.device_arguments);
        push(&mut all, "--seed", seed);
        push(&mut all, "--site-count", count);
        if let Some(start) = start {
            push(&mut all, "--site-start", start);
            push(&mut all, "--site-dir-pattern", &self.site_dir_pattern);
        }
        all
    }
}

fn push(arguments: &mut Vec<String>, flag: &str, value: impl std::fmt::Display) {
    arguments.push(flag.to_owned());
    arguments.push(value.to_string());
}

/// Flags whose machinery does not exist yet are refused, never ignored.
fn refuse_unavailable(arguments: &GenerateArgs, problems: &mut Vec<Problem>) {
    let (device, output) = (&arguments.device, &arguments.output);
    if device.resume.is_some() {
        problems.push(Problem::not_available("--resume", "leave it out and generate from the start"));
    }
    if output.format == Format::Parquet {
        problems.push(Problem::not_available("--format parquet", "use --format csv"));
    }
    if output.proposer_log != ProposerLog::Off {
        problems.push(Problem::not_available("--proposer-log", "use --proposer-log off"));
    }
}

fn folders(arguments: &GenerateArgs, problems: &mut Vec<Problem>) -> Option<SiteFolders> {
    let pattern = &arguments.sites.site_dir_pattern;
    match SiteFolders::parse(pattern) {
        Ok(folders) => Some(folders),
        Err(wrong) => {
            let message = format!("the value `{pattern}` of --site-dir-pattern cannot be used: {}", wrong.message());
            problems.push(Problem::new(message).help(wrong.help()));
            None
        }
    }
}

/// The simulated time of each run; all runs of a site must fit its clock.
fn run_until(arguments: &GenerateArgs, problems: &mut Vec<Problem>) -> Ticks {
    let extent = &arguments.extent;
    let longest = Ticks::from_us(MAX_SITE_US / extent.num_runs);
    let wanted = match (extent.run_until, extent.ops) {
        (Some(time), _) => time,
        (None, Some(_)) => longest,
        (None, None) => Ticks::from_us(DEFAULT_RUN_US),
    };
    if wanted > longest {
        let message =
            format!("{} runs of {wanted} are more than the 100 days a site may be simulated", extent.num_runs);
        let help = format!("at most `--run-until {}` with this `--num-runs`", longest.to_us_text());
        problems.push(Problem::new(message).help(help));
    }
    wanted
}

/// Every site number and seed must fit 64 bits.
fn check_seeds(arguments: &GenerateArgs, problems: &mut Vec<Problem>) {
    let sites = &arguments.sites;
    let further_sites = sites.site_count.max(1) - 1;
    if sites.site_start.checked_add(further_sites).is_none() {
        let message = format!("--site-start {} leaves no numbers for {} sites", sites.site_start, sites.site_count);
        problems.push(Problem::new(message).help("choose a smaller first number"));
    }
    let further_seeds = further_sites.saturating_add(arguments.extent.num_runs - 1);
    if sites.seed.checked_add(further_seeds).is_none() {
        let message = format!("--seed {} leaves no seeds for all sites and runs", sites.seed);
        let help = format!("at most `--seed {}` here", u64::MAX - further_seeds);
        problems.push(Problem::new(message).help(help));
    }
}

fn sites(arguments: &GenerateArgs, folders: &SiteFolders) -> Vec<SitePlan> {
    let flags = &arguments.sites;
    if flags.site_count == 0 {
        return vec![SitePlan { site: None, folder: String::new(), seed: flags.seed }];
    }
    (0..flags.site_count)
        .map(|offset| {
            let site = flags.site_start + offset;
            SitePlan { site: Some(site), folder: folders.folder(site), seed: flags.seed + offset }
        })
        .collect()
}

/// A profile that can be used may still deserve remarks; how many, and where to read them.
fn remarks_on_profile(
    arguments: &GenerateArgs,
    remarks: &nandseq_profile::Diagnostics,
    source: &nandseq_profile::SourceFile,
) -> String {
    let warnings = remarks.count(nandseq_profile::Severity::Warning);
    let Some(path) = arguments.device.config.as_deref().filter(|_| warnings > 0) else { return String::new() };
    let lenient = if arguments.device.lenient { " --lenient" } else { "" };
    let plural = if warnings == 1 { "" } else { "s" };
    failure::warning_text(&format!(
        "{warnings} warning{plural} about {}; `nandseqgen profile check{lenient} {}` shows them",
        source.name,
        path.display()
    ))
}

/// Bad blocks and the file they are from.
type BadBlocks = (Vec<(Die, Block)>, Input);

/// The bad blocks, if there is a list of them.
fn read_badlist(arguments: &GenerateArgs, profile: &Profile) -> Result<Option<BadBlocks>, Failure> {
    let named = arguments.device.badlist.as_deref();
    let path = named.unwrap_or_else(|| Path::new(DEFAULT_BADLIST));
    if named.is_none() && !path.exists() {
        return Ok(None);
    }
    let (source, sha256) = inputs::text("the list of bad blocks", path)?;
    let input = Input { source: path.display().to_string(), sha256 };
    match badlist::read(&source, profile.topology) {
        Ok(blocks) => Ok(Some((blocks, input))),
        Err(wrong) => Err(Failure::Faulty(Box::new((source, wrong)))),
    }
}

/// The flags that decide what every site does, defaults and files found by themselves included.
fn device_arguments(arguments: &GenerateArgs, run_until: Ticks, badlist: Option<&Input>, table: &Table) -> Vec<String> {
    let mut all = Vec::new();
    if let Some(path) = &arguments.device.config {
        push(&mut all, "--config", path.display());
    }
    if arguments.device.lenient {
        all.push("--lenient".to_owned());
    }
    push(&mut all, "--run-until", run_until.to_us_text());
    if let Some(ops) = arguments.extent.ops {
        push(&mut all, "--ops", ops);
    }
    push(&mut all, "--num-runs", arguments.extent.num_runs);
    if arguments.device.bootstrap {
        all.push("--bootstrap".to_owned());
    } else if arguments.device.no_bootstrap {
        all.push("--no-bootstrap".to_owned());
    }
    if let Some(window) = arguments.device.admission_window {
        push(&mut all, "--admission-window", window.to_us_text());
    }
    if let Some(badlist) = badlist {
        push(&mut all, "--badlist", &badlist.source);
    }
    all.extend(table.arguments());
    all
}

/// Whether to bring the device to a useful state first: as the flags say, else as the profile says; only where more runs follow.
fn bootstrap(arguments: &GenerateArgs, profile: &Profile, remarks: &mut String) -> bool {
    let wanted = arguments.device.bootstrap || (profile.bootstrap.enabled && !arguments.device.no_bootstrap);
    let followed = arguments.extent.num_runs > 1;
    if arguments.device.bootstrap && !followed {
        remarks.push_str(&failure::warning_text(
            "--bootstrap has no effect on a single run: it prepares the device for the runs that follow; ask for more with --num-runs",
        ));
    }
    wanted && followed
}

fn today() -> Stamp {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    Stamp::from_days_since_1970(u32::try_from(seconds / 86_400).unwrap_or(0))
}
