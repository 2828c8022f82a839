//! What a campaign is to cover, and when that is enough.

use nandseq_generate::CoverageIdentity;
use nandseq_generate::closure::CoverageModel;

use crate::arguments::GenerateArgs;
use crate::explain::{Trial, Words};
use crate::failure::{Failure, Problem, warning_text};
use crate::in_force::InForce;
use crate::share::Share;
use crate::{dead_dies, tell, universe};

/// Operations of a run for each bin where --until-coverage alone limits it.
const OPS_OF_BIN: u64 = 100;
/// Operations of the trial that shows whether anything starts.
const TRIAL_OPS: u64 = 100;

/// What each site is to cover.
#[derive(Debug)]
pub(crate) struct Closure {
    pub(crate) model: CoverageModel,
    /// Whether proposals go for what is uncovered.
    pub(crate) directed: bool,
    /// The share at which a site ends.
    pub(crate) share: Option<Share>,
    /// Why nothing can be covered, with the state of every die, where nothing can ever start.
    pub(crate) nothing_starts: Option<String>,
}

impl Closure {
    /// What the flags ask for, if they do.
    ///
    /// # Errors
    /// When no bin counts, unless a share of them is to be reached and nothing can ever start: that is said when generating.
    pub(super) fn new(arguments: &GenerateArgs, in_force: &InForce) -> Result<Option<Self>, Failure> {
        let (directed, share) = (arguments.extent.closure, arguments.extent.until_coverage);
        if !directed && share.is_none() {
            return Ok(None);
        }
        let profile = &in_force.profile;
        let universe = universe::universe(profile, Some(&in_force.table.distributions), in_force.start());
        let model = CoverageModel::new(profile, universe.bins(), |key| universe.time_bin_count(key), directed);
        let flag = if directed { "--closure" } else { "--until-coverage" };
        let nothing_starts = if model.bin_count() == 0 { Some(nothing_to_cover(flag, share, in_force)?) } else { None };
        Ok(Some(Self { model, directed, share, nothing_starts }))
    }

    /// Covered bins that end a site.
    pub(crate) fn until(&self) -> Option<u64> {
        self.share.map(|share| share.of(self.model.bin_count()))
    }

    /// What limits a run where neither time nor operations are said.
    pub(super) fn most_ops(&self) -> Option<u64> {
        self.share.map(|_| self.model.bin_count().max(1).saturating_mul(OPS_OF_BIN))
    }

    /// What a snapshot belongs to.
    pub(super) fn identity(&self) -> CoverageIdentity {
        let model = &self.model;
        let (bins, bins_sha256) = (model.bin_count(), model.digest());
        CoverageIdentity { directed: self.directed, bins, bins_sha256, until: self.until() }
    }
}

/// Why no bin counts, and what to change. Where nothing can ever start, the state of every die is told.
///
/// # Errors
/// Unless a share is to be reached and nothing can ever start.
fn nothing_to_cover(flag: &str, share: Option<Share>, in_force: &InForce) -> Result<String, Failure> {
    let (words, start) = (Words::of(in_force), in_force.start());
    let trial = Trial::new(&in_force.profile, &in_force.table.distributions, start, TRIAL_OPS);
    if let Some(problem) = &trial.problem {
        return Err(Problem::new(problem).help(words.how_to_propose(&in_force.flags)).into());
    }
    let message = format!("{flag} has nothing to cover: no operation of the table can ever be proposed");
    let dead = dead_dies::of_trial(&words, &trial, start.bootstrap).filter(|_| trial.is_over);
    if let (Some(dead), Some(_)) = (&dead, share) {
        return Ok(format!("{message}: {dead}"));
    }
    dead.iter().for_each(|dead| tell(&warning_text(dead)));
    let says_why = format!("`{}` says why", in_force.flags.check().flag("--pairs"));
    // Where nothing ever starts, nothing is gained without the flag.
    let help = if dead.is_some() { says_why } else { format!("{says_why}, or generate without the flag") };
    Err(Problem::new(message).help(help).into())
}
