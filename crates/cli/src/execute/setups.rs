//! The setups of a campaign's phases, and the change from one to the next between two runs.

use nandseq_generate::{Setup, SetupError, Site, SiteState, StateError};

use crate::campaign::{Campaign, CampaignSite, Phases};
use crate::failure::{Failure, Problem};
use crate::phase_setups::{FaultyPhase, phase_setups};

/// The setup of each phase.
pub(super) struct Setups {
    phases: Phases,
    of_phases: Vec<Setup>,
}

impl Setups {
    /// Compiles the setups.
    ///
    /// # Errors
    /// When a phase gives no weight to any operation that could be proposed, or a scenario wants hits for too many values.
    pub(super) fn new(campaign: &Campaign) -> Result<Self, Failure> {
        let model = campaign.closure.as_ref().map(|closure| &closure.model);
        let of_phases = phase_setups(campaign, model).map_err(|faulty| failed(campaign, &faulty))?;
        Ok(Self { phases: campaign.phases.clone(), of_phases })
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

/// What is wrong with a phase, and what to change.
fn failed(campaign: &Campaign, FaultyPhase { phase, error }: &FaultyPhase) -> Failure {
    match error {
        SetupError::NothingToPropose => {
            let of_phase = campaign.phases.all()[*phase].name.as_ref();
            let of_phase = of_phase.map_or_else(String::new, |name| format!("in the phase `{name}` of the plan "));
            Problem::new(format!("{of_phase}{error}")).help(campaign.words().how_to_propose(&campaign.flags)).into()
        }
        SetupError::TooManyValues { .. } => {
            Problem::new(error.to_string()).help("take an axis out of `each`, or state fewer operations").into()
        }
    }
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
