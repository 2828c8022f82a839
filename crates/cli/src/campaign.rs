//! A campaign: flags and files, resolved into one checked value before any work begins.
//!
//! A campaign can be carried out, as far as arguments and inputs decide. Nothing is written here.

mod closure;
mod digests;
mod identity;
pub(crate) mod phases;
mod resolve;
mod sites;
pub(crate) mod table;

use std::ops::Deref;
use std::path::PathBuf;

use nandseq_generate::SeedPlan;
use nandseq_profile::Ticks;
use nandseq_trace::files::{Outputs, Stamp};
use nandseq_trace::manifest::{self, Origin, SiteManifest, Tool};
use nandseq_trace::run_name::RunName;

use crate::arguments::{Format, ProposerLog, SeedFormula};
use crate::explain::Words;
use crate::hint::Hint;
use crate::in_force::InForce;
use crate::site_folders::SiteFolders;
use crate::test_plan::PlanInForce;

pub(crate) use closure::Closure;
use digests::Digests;
use phases::MAX_SITE_US;
pub(crate) use phases::{CampaignPhase, Phases};
pub(crate) use resolve::{check_flags, outputs, resolve, resolve_for};
pub(crate) use sites::{Batch, BatchPart, CampaignSite};
use table::push;

/// A campaign: what to generate.
#[derive(Debug)]
pub(crate) struct Campaign {
    /// The inputs in force. The profile may have got the name that earlier runs give it.
    pub(crate) in_force: InForce,
    /// The limits of runs.
    pub(crate) phases: Phases,
    pub(crate) num_runs: u64,
    /// The coverage that each site aims at, if any.
    pub(crate) closure: Option<Closure>,
    /// Whether the profile asks for a bootstrap that a single run does not have, and no flag decides about it.
    pub(crate) bootstrap_left_out: bool,
    pub(crate) base_seed: u64,
    pub(crate) seed_formula: SeedFormula,
    /// The sites that are made, in order of their numbers.
    pub(crate) sites: Vec<CampaignSite>,
    /// The batch that the sites are of; `None` for a single device without a number.
    pub(crate) batch: Option<Batch>,
    pub(crate) out_dir: PathBuf,
    pub(crate) stamp: Stamp,
    /// The form of tables.
    pub(crate) format: Format,
    /// Which files each run writes.
    pub(crate) outputs: Outputs,
    /// The number of runs of a site whose files go into one archive, if they do.
    pub(crate) pack: Option<u64>,
    /// How much the proposer log says.
    pub(crate) proposer_log: ProposerLog,
    /// The snapshot, or the folder of snapshots, that is resumed.
    pub(crate) resume: Option<PathBuf>,
    /// What `--resume` names, also if there is nothing to resume.
    pub(crate) asked_to_resume: Option<PathBuf>,
    /// Whether files of earlier campaigns are removed first.
    pub(crate) clean: bool,
    /// Number of sites generated at the same time; `None` for one on each core.
    pub(crate) jobs: Option<u64>,
    pub(crate) quiet: bool,
    /// Whether the files are judged after they are written.
    pub(crate) verify: bool,
    /// The arguments that are the same for every site.
    device_arguments: Vec<String>,
    site_dir_pattern: String,
    digests: Digests,
}

impl Deref for Campaign {
    type Target = InForce;

    fn deref(&self) -> &InForce {
        &self.in_force
    }
}

impl Campaign {
    /// Why nothing can be covered, if no operation can ever start.
    pub(crate) fn nothing_starts(&self) -> Option<&str> {
        self.closure.as_ref().and_then(|closure| closure.nothing_starts.as_deref())
    }

    /// The pattern of the folders of sites.
    pub(crate) fn site_dir_pattern(&self) -> &str {
        &self.site_dir_pattern
    }

    /// Simulated time of a run that begins at `clock` of its site. A run without a limit gets what is left of the clock.
    pub(crate) fn run_until_from(&self, run_index: u64, clock: Ticks) -> Ticks {
        let (whole, wanted) = (Ticks::from_us(MAX_SITE_US), self.phases.limits(run_index).run_until);
        if wanted == whole { Ticks(whole.0.saturating_sub(clock.0)) } else { wanted }
    }

    /// The folder of a site.
    pub(crate) fn folder_of(&self, site: &CampaignSite) -> PathBuf {
        if site.folder.is_empty() { self.out_dir.clone() } else { self.out_dir.join(&site.folder) }
    }

    /// The name that this campaign gives to a file like this; `None` if it writes no such file.
    pub(crate) fn file_name(&self, name: &RunName) -> Option<String> {
        let form = self.format.form();
        let is_wanted = name.kind.is_none_or(|kind| self.outputs.contains(kind));
        match self.pack.filter(|_| name.is_pack) {
            Some(size) => {
                let is_first = (name.run - 1).is_multiple_of(size) || self.resume.is_some();
                let mut names = self.outputs.iter().map(|kind| form.pack_name(kind, self.stamp, name.run));
                let is_like = |own: &String| RunName::parse(own).is_some_and(|own| own.kind == name.kind);
                names.find(is_like).filter(|_| is_first && is_wanted)
            }
            None if self.pack.is_some() || name.is_pack || !is_wanted => None,
            None => Some(form.file_name(name.kind?, self.stamp, name.run)),
        }
    }

    /// The arguments that make one site alone, with the same bytes as in its batch.
    pub(crate) fn arguments_of_site(&self, site: &CampaignSite) -> Vec<String> {
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
            BatchPart::Whole => {}
            BatchPart::Sites(list) => push(&mut all, "--sites", list),
            BatchPart::Shard(shard) => push(&mut all, "--shard", shard),
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

    /// The command that resumes the campaign after an interruption.
    pub(crate) fn go_on(&self) -> String {
        let all = match (&self.batch, self.sites.first()) {
            (Some(batch), _) => self.arguments_of_batch(batch),
            (None, site) => site.map_or_else(Vec::new, |site| self.arguments_of_site(site)),
        };
        Hint::of_arguments(&all).with("--out-dir", &self.out_dir).with("--resume", &self.out_dir).to_string()
    }

    /// The name of the seed formula in manifests.
    pub(crate) fn seed_formula_name(&self) -> &'static str {
        match self.seed_formula {
            SeedFormula::Sequential => manifest::SEQUENTIAL,
            SeedFormula::Hashed => manifest::HASHED,
        }
    }

    /// The origin of this campaign's files, with the arguments that make them.
    pub(crate) fn origin(&self, arguments: Vec<String>) -> Origin {
        let tool = Tool { name: env!("CARGO_PKG_NAME").to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() };
        Origin {
            tool,
            profile: self.profile_input.clone(),
            probabilities: self.table.input.clone(),
            badlist: self.badlist_input.clone(),
            plan: self.plan.as_ref().map(|plan| plan.input.clone()),
            phase_runs: self.plan.as_ref().and_then(PlanInForce::runs),
            arguments,
        }
    }

    /// The manifest of a site without runs.
    pub(crate) fn head(&self, site: &CampaignSite) -> SiteManifest {
        SiteManifest {
            schema: manifest::SCHEMA,
            origin: self.origin(self.arguments_of_site(site)),
            site: site.site,
            seed_formula: self.seed_formula_name().to_owned(),
            site_seed: site.seeds.seed(0),
            runs: Vec::new(),
        }
    }

    /// A site of the batch with this number, whether it is asked for or not; `None` where there is no batch.
    pub(crate) fn site_of_batch(&self, number: u64) -> Option<CampaignSite> {
        let offset = number.checked_sub(self.batch.as_ref()?.start)?;
        let folder = SiteFolders::parse(self.site_dir_pattern()).ok()?.folder(number);
        let seeds = match self.seed_formula {
            SeedFormula::Sequential => SeedPlan::from(self.base_seed.checked_add(offset)?),
            SeedFormula::Hashed => SeedPlan::Hashed { base: self.base_seed, site: number },
        };
        Some(CampaignSite::new(Some(number), folder, seeds))
    }

    /// The words that explain causes in this campaign.
    pub(crate) fn words(&self) -> Words<'_> {
        Words::of(&self.in_force)
    }
}
