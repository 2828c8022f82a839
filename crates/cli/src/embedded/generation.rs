//! Runs in memory.

use std::ffi::OsString;
use std::io;
use std::sync::atomic::AtomicBool;

use nandseq_profile::{Block, Die, Profile, Ticks};
use nandseq_trace::Sink;
use nandseq_trace::files::Outputs;

use super::command::parse;
use super::device::DeviceProfile;
use crate::arguments::environment::given;
use crate::arguments::{Command, GenerateArgs};
use crate::campaign::{Campaign, resolve_for};
use crate::captured::capture;
use crate::execute::in_memory::{MadeRun, Making, carry_out};
use crate::failure::{Failure, Problem, Refusal};
use crate::placed_problem::PlacedProblem;

/// The flags that say which profile is read, by their identifiers in the parser.
const OF_PROFILE: [&str; 2] = ["config", "lenient"];
/// The flags about files that are written, or about the summary of them.
const OF_FILES: [&str; 12] = [
    "resume",
    "out_dir",
    "format",
    "stamp",
    "site_dir_pattern",
    "proposer_log",
    "clean",
    "dry_run",
    "pack",
    "summary",
    "verify",
    "refresh_op_state_probs",
];

/// A campaign whose runs go into sinks and not into files. They are those that the command writes with the same flags.
#[derive(Debug)]
pub struct Generation {
    campaign: Campaign,
    remarks: Vec<PlacedProblem>,
    /// The digest of the resolved profile that was given.
    profile_sha256: String,
}

/// What is known of a run beside its tables.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RunFacts {
    /// The number of its site; `None` for a single device.
    pub site: Option<u64>,
    /// Its number in the site, from 1.
    pub run: u64,
    /// Its seed.
    pub seed: u64,
    /// The phase of the plan that it is of.
    pub phase: Option<String>,
    /// Number of operations that started in it.
    pub operations: u64,
    /// When the last operation has ended.
    pub end: Ticks,
    /// The dies on which nothing can ever start again.
    pub dead_dies: Vec<u8>,
}

impl Generation {
    /// Resolves the flags of `generate`, given by their words, for a profile that was read before.
    ///
    /// # Errors
    /// When the flags, or files that they name, cannot be used.
    pub fn new(flags: &[OsString], device: &DeviceProfile) -> Result<Self, Refusal> {
        let arguments = Self::arguments(flags, device)?;
        let mut remarks = String::new();
        let (campaign, captured) = capture(|| resolve_for(&arguments, Some(&device.read), &mut remarks));
        let profile_sha256 = device.resolved_sha256().to_owned();
        match campaign {
            Ok(campaign) => Ok(Self { campaign, remarks: captured.remarks, profile_sha256 }),
            Err(failure) => {
                let told = anstream::adapter::strip_str(&(remarks + &captured.told)).to_string();
                Err(Refusal::from(failure).after(&told, captured.remarks))
            }
        }
    }

    fn arguments(flags: &[OsString], device: &DeviceProfile) -> Result<Box<GenerateArgs>, Refusal> {
        let mut words = vec![OsString::from("generate")];
        words.extend_from_slice(flags);
        let whole: Vec<OsString> = std::iter::once(OsString::new()).chain(words.iter().cloned()).collect();
        if let Some(flag) = given(&whole, "generate", &OF_PROFILE) {
            return Err(Refusal::new(format!("{flag} is about the profile, which is given as an object")));
        }
        if let Some(flag) = given(&whole, "generate", &OF_FILES) {
            return Err(Refusal::new(format!("{flag} is about files, and these runs are made in memory")));
        }
        let Some(Command::Generate(mut arguments)) = parse(&words)?.command else {
            return Err(Failure::from(Problem::new("the words are not those of `generate`")).into());
        };
        arguments.device.config.clone_from(&device.path);
        arguments.device.lenient = device.lenient;
        Ok(arguments)
    }

    /// Notes and warnings about the flags and the inputs.
    #[must_use]
    pub fn remarks(&self) -> &[PlacedProblem] {
        &self.remarks
    }

    /// Whether the campaign is of a device.
    #[must_use]
    pub fn is_of(&self, device: &DeviceProfile) -> bool {
        self.profile_sha256 == device.resolved_sha256()
    }

    /// Whether a test plan is in force.
    #[must_use]
    pub fn has_plan(&self) -> bool {
        self.campaign.plan.is_some()
    }

    /// The profile with what the flags add to its payloads.
    #[must_use]
    pub fn profile(&self) -> &Profile {
        &self.campaign.profile
    }

    /// The bad blocks of every site.
    #[must_use]
    pub fn bad_blocks(&self) -> &[(Die, Block)] {
        &self.campaign.bad_blocks
    }

    /// The tables that are wanted.
    #[must_use]
    pub fn outputs(&self) -> Outputs {
        self.campaign.outputs
    }

    /// Number of runs of all sites, unless they end early.
    #[must_use]
    pub fn runs(&self) -> u64 {
        (self.campaign.sites.len() as u64).saturating_mul(self.campaign.num_runs)
    }

    pub(super) fn campaign(&self) -> &Campaign {
        &self.campaign
    }

    /// Makes the runs: the first of every site, then the second of every site, and so on. `begin` begins the sink of a run, `finish` ends it;
    /// both are called in several threads. `take` gets each run in order, and says whether more are wanted. `stop` abandons the work; it is
    /// set at the end. Returns warnings about what was not reached.
    ///
    /// # Errors
    /// When a run cannot be made, or the work was abandoned.
    pub fn carry_out<S: Sink + Send, T: Send>(
        &self,
        stop: &AtomicBool,
        (begin, finish): (&(dyn Fn() -> S + Sync), &(dyn Fn(S) -> io::Result<T> + Sync)),
        take: &mut dyn FnMut(RunFacts, T) -> bool,
    ) -> Result<Vec<PlacedProblem>, Refusal> {
        let facts = |made: &MadeRun<T>| {
            let (site, run_index) = (&self.campaign.sites[made.at.0], made.at.1);
            RunFacts {
                site: site.site,
                run: run_index + 1,
                seed: site.seeds.seed(run_index),
                phase: self.campaign.phases.limits(run_index).name.clone(),
                operations: made.ops,
                end: made.end,
                dead_dies: made.dead.clone(),
            }
        };
        let mut hand_on = |made: MadeRun<T>| take(facts(&made), made.made);
        let warnings = carry_out(&self.campaign, stop, &Making { begin, finish }, &mut hand_on)?;
        Ok(warnings.iter().map(|warning| PlacedProblem::warning(warning)).collect())
    }
}
