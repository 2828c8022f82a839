//! The setups of a campaign's phases, and the change from one to the next between two runs.

use nandseq_generate::{Setup, Site, SiteState, StateError};

use crate::campaign::{Campaign, CampaignSite, Phases};
use crate::failure::{Failure, Problem};

/// The setup of each phase.
pub(super) struct Setups {
    phases: Phases,
    of_phases: Vec<Setup>,
}

impl Setups {
    /// Compiles the setups.
    ///
    /// # Errors
    /// When a phase gives no weight to any operation that could be proposed.
    pub(super) fn new(campaign: &Campaign) -> Result<Self, Failure> {
        let phases = campaign.phases.clone();
        let of_phases = (0..phases.all().len()).map(|phase| setup(campaign, phase)).collect::<Result<_, _>>()?;
        Ok(Self { phases, of_phases })
    }

    /// The setup of a run.
    fn of_run(&self, run_index: u64) -> &Setup {
        &self.of_phases[self.phases.of_run(run_index)]
    }

    /// The site in a state, or fresh.
    ///
    /// # Errors
    /// When the state cannot be that of this site.
    pub(super) fn site(&self, campaign_site: &CampaignSite, state: Option<&SiteState>) -> Result<Site<'_>, StateError> {
        let Some(state) = state else { return Ok(Site::new(self.of_run(0), campaign_site.seeds)) };
        Site::from_state(self.of_run(state.run.saturating_sub(1)), campaign_site.seeds, state)
    }

    /// Lets a site go on with the setup of a run that comes next, if this begins a phase.
    pub(super) fn enter<'s>(&'s self, site: &mut Site<'s>, run_index: u64) {
        if run_index > 0 && self.phases.of_run(run_index) != self.phases.of_run(run_index - 1) {
            site.enter(self.of_run(run_index));
        }
    }
}

fn setup(campaign: &Campaign, phase: usize) -> Result<Setup, Failure> {
    let table = campaign.plan.as_ref().and_then(|plan| plan.table(phase)).unwrap_or(&campaign.table.distributions);
    let setup = Setup::new(&campaign.profile, table, &campaign.bad_blocks).map_err(|error| {
        let of_phase = campaign.phases.all()[phase].name.as_ref();
        let of_phase = of_phase.map_or_else(String::new, |name| format!("in the phase `{name}` of the plan "));
        Problem::new(format!("{of_phase}{error}")).help(campaign.words().how_to_propose(&campaign.flags))
    })?;
    let setup = setup
        .among_phases(&campaign.table.distributions)
        .with_mix(campaign.plan.as_ref().map_or(&[], |plan| plan.mix(phase)));
    let setup = match &campaign.plan {
        Some(plan) => setup.with_addresses(&plan.plan.addresses, &plan.addresses(phase)),
        None => setup,
    };
    let scenarios = campaign.plan.as_ref().map_or_else(Vec::new, |plan| plan.scenarios(phase));
    let setup = setup.with_scenarios(&scenarios).map_err(|error| {
        Problem::new(error.to_string()).help("take an axis out of `each`, or state fewer operations")
    })?;
    Ok(match &campaign.closure {
        Some(closure) => setup.with_coverage_model(&campaign.profile, closure.model.clone()),
        None => setup,
    })
}
