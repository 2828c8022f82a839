//! The coverage that a campaign aims at, and when it is enough.

use nandseq_generate::CoverageIdentity;
use nandseq_generate::closure::CoverageModel;
use nandseq_plan::model::PhaseUntil;

use crate::arguments::GenerateArgs;
use crate::explain::{Trial, Words};
use crate::failure::{Failure, Problem};
use crate::in_force::InForce;
use crate::share::Share;
use crate::{dead_dies, universe};

/// Operations of a run for each bin, if only `--until-coverage` limits the run.
const OPS_OF_BIN: u64 = 100;
/// Operations of the trial that shows whether anything starts.
const TRIAL_OPS: u64 = 100;

/// The coverage that each site aims at.
#[derive(Debug)]
pub(crate) struct Closure {
    pub(crate) model: CoverageModel,
    /// Whether generation is directed.
    pub(crate) directed: bool,
    /// The share of the bins at which a site ends.
    pub(crate) share: Option<Share>,
    /// Why nothing can be covered, with the state of dead dies, if no operation can ever start.
    pub(crate) nothing_starts: Option<String>,
}

impl Closure {
    /// The coverage that the flags ask for, or a phase that ends at some coverage; `None` if nothing asks for it.
    ///
    /// # Errors
    /// When no bin can be covered. If all dies are dead, this is no error here but told when generating.
    pub(super) fn new(arguments: &GenerateArgs, in_force: &InForce) -> Result<Option<Self>, Failure> {
        let (directed, share) = (arguments.extent.closure, arguments.extent.until_coverage);
        let phases = in_force.plan.iter().flat_map(|plan| &plan.plan.phases);
        let ends_phase = phases.into_iter().any(|phase| matches!(phase.until, Some(PhaseUntil::Covered(_))));
        if !directed && share.is_none() && !ends_phase {
            return Ok(None);
        }
        let profile = &in_force.profile;
        let universe = universe::universe(profile, Some(&in_force.table.distributions), in_force.start());
        let model = CoverageModel::new(profile, universe.bins(), |key| universe.time_bin_count(key), directed);
        let flag = match (directed, share) {
            (true, _) => "--closure",
            (false, Some(_)) => "--until-coverage",
            (false, None) => "`until: {covered: …}` of a phase",
        };
        let nothing_starts = if model.bin_count() == 0 { Some(nothing_to_cover(flag, in_force)?) } else { None };
        Ok(Some(Self { model, directed, share, nothing_starts }))
    }

    /// Number of covered bins at which a site ends.
    pub(crate) fn until(&self) -> Option<u64> {
        self.share.map(|share| share.of(self.model.bin_count()))
    }

    /// Operations after which a run stops, if the flags give neither time nor operations.
    pub(super) fn most_ops(&self) -> Option<u64> {
        self.share.map(|_| self.model.bin_count().max(1).saturating_mul(OPS_OF_BIN))
    }

    /// The coverage as part of a snapshot's identity.
    pub(super) fn identity(&self) -> CoverageIdentity {
        let model = &self.model;
        let (bins, bins_sha256) = (model.bin_count(), model.digest());
        CoverageIdentity { directed: self.directed, bins, bins_sha256, until: self.until() }
    }
}

/// The message that no bin can be covered, with the state of the dead dies, if all dies are dead.
///
/// # Errors
/// The same with what to change, in all other cases.
fn nothing_to_cover(flag: &str, in_force: &InForce) -> Result<String, Failure> {
    let (words, start) = (Words::of(in_force), in_force.start());
    let trial = Trial::new(&in_force.profile, &in_force.table.distributions, start, TRIAL_OPS);
    if let Some(problem) = &trial.problem {
        return Err(Problem::new(problem).help(words.how_to_propose(&in_force.flags)).into());
    }
    let message = format!("{flag} has nothing to cover: no operation of the table can ever be proposed");
    if let Some(dead) = dead_dies::of_trial(&words, &trial, start.bootstrap).filter(|_| trial.is_over) {
        return Ok(format!("{message}: {dead}"));
    }
    let help = format!("`{}` says why, or generate without the flag", in_force.flags.check().flag("--pairs"));
    Err(Problem::new(message).help(help).into())
}
