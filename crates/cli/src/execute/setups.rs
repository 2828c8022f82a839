//! The setups of a campaign's phases, and the change from one to the next between two runs.

use nandseq_generate::probability::Distributions;
use nandseq_generate::{Setup, Site, SiteState, StateError};

use crate::campaign::{Campaign, CampaignSite, Phases};
use crate::failure::{Failure, Problem};

/// The setup of each phase.
pub(super) struct Setups {
    phases: Phases,
    of_phases: Vec<Setup>,
}

impl Setups {
    /// Compiles the setups. Phases with the same table share what follows from it, which is most of a setup.
    ///
    /// # Errors
    /// When a phase gives no weight to any operation that could be proposed.
    pub(super) fn new(campaign: &Campaign) -> Result<Self, Failure> {
        let phases = campaign.phases.clone();
        let mut of_tables: Vec<(&Distributions, Setup)> = Vec::new();
        let mut of_phases = Vec::new();
        for phase in 0..phases.all().len() {
            let table = campaign.plan.as_ref().and_then(|plan| plan.table(phase));
            let table = table.unwrap_or(&campaign.table.distributions);
            let known = of_tables.iter().find(|(known, _)| std::ptr::eq(*known, table));
            let setup = match known {
                Some((_, setup)) => setup.clone(),
                None => {
                    let setup = of_table(campaign, (phase, table))?;
                    of_tables.push((table, setup.clone()));
                    setup
                }
            };
            of_phases.push(of_phase(campaign, (phase, setup))?);
        }
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

/// What follows from the table of a phase and, for all phases alike, from the coverage model.
fn of_table(campaign: &Campaign, (phase, table): (usize, &Distributions)) -> Result<Setup, Failure> {
    let setup = Setup::new(&campaign.profile, table, &campaign.bad_blocks).map_err(|error| {
        let of_phase = campaign.phases.all()[phase].name.as_ref();
        let of_phase = of_phase.map_or_else(String::new, |name| format!("in the phase `{name}` of the plan "));
        Problem::new(format!("{of_phase}{error}")).help(campaign.words().how_to_propose(&campaign.flags))
    })?;
    Ok(match &campaign.closure {
        Some(closure) => setup.with_coverage_model(&campaign.profile, closure.model.clone()),
        None => setup,
    })
}

/// The setup of a phase, from that of its table.
fn of_phase(campaign: &Campaign, (phase, setup): (usize, Setup)) -> Result<Setup, Failure> {
    let setup = setup.among_phases(&campaign.table.distributions);
    let Some(plan) = &campaign.plan else { return Ok(setup) };
    let setup = setup.with_mix(plan.mix(phase)).with_addresses(&plan.plan.addresses, &plan.addresses(phase));
    setup.with_scenarios(&plan.scenarios(phase)).map_err(|error| {
        Problem::new(error.to_string()).help("take an axis out of `each`, or state fewer operations").into()
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]
    use super::*;
    use crate::arguments::flags_of_manifest;
    use crate::campaign::resolve;

    #[test]
    fn phases_share_what_follows_from_equal_tables() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let plan = "schema: 1\nmix: {READ: 10 %}\nphases:\n\
                    - {name: a, ops: 9, probabilities: {global: {READ: 0.5}}}\n\
                    - {name: b, ops: 9}\n\
                    - {name: c, ops: 9, mix: {}, probabilities: {global: {READ: 0.5}}}\n";
        std::fs::write(path("plan.yaml"), plan).unwrap();
        let arguments = ["generate", "--plan", &path("plan.yaml"), "--out-dir", &path("out")].map(str::to_owned);
        let campaign = resolve(&flags_of_manifest(&arguments).unwrap(), &mut String::new());
        let campaign = campaign.unwrap_or_else(|failure| panic!("{}", failure.plain_text()));
        let setups = Setups::new(&campaign).unwrap_or_else(|failure| panic!("{}", failure.plain_text()));
        let [a, b, c] = [0, 1, 2].map(|run| setups.of_run(run).tables());
        assert!(std::ptr::eq(a, c) && !std::ptr::eq(a, b));
    }
}
