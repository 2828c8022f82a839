//! The identity of a snapshot: everything that decides the bytes of a site's runs.

use nandseq_generate::{Identity, SeedPlan};
use nandseq_profile::model::Expectations;
use nandseq_trace::manifest::{Origin, ProfileInput};

use super::{Campaign, CampaignSite, Closure};
use crate::{origins, site_files};

impl Campaign {
    /// Whether a manifest is of the same profile, whatever name it gives the profile.
    pub(crate) fn is_of(&self, recorded: &Origin) -> bool {
        // Most are, and a hash takes time.
        recorded.profile.resolved_sha256 == self.profile_input.resolved_sha256 || origins::is_of(recorded, &self.stated)
    }

    /// Whether a manifest is of the same profile, and of a version that counted names as part of a profile.
    fn counts_names(&self, recorded: &ProfileInput) -> bool {
        self.stated.hash_as(&recorded.name) == recorded.resolved_sha256
    }

    /// Gives the profile the name that a manifest of the same profile uses, for everything that is written.
    pub(crate) fn call_profile_as(&mut self, recorded: &ProfileInput) {
        self.in_force.profile.name.clone_from(&recorded.name);
        if self.counts_names(recorded) {
            self.digests.profile = self.profile.hash_as(&recorded.name);
        }
    }

    /// Gives the profile the name that the existing runs use.
    pub(super) fn going_on_with_its_name(mut self) -> Self {
        let earlier = self.resume.as_deref().and_then(|resume| site_files::origin(resume, &self.sites));
        let profile = earlier.filter(|earlier| self.is_of(earlier)).map(|earlier| earlier.profile);
        if let Some(ProfileInput { name, resolved_sha256, .. }) = profile {
            self.in_force.profile_input = ProfileInput { name, resolved_sha256, ..self.profile_input.clone() };
            self.call_profile_as(&self.profile_input.clone());
        }
        self
    }

    /// Puts the identity of a snapshot into the present form, if it is of the campaign's profile.
    pub(crate) fn in_present_form(&self, identity: &mut Identity) {
        if self.profile.has_hash(&identity.profile_sha256, &identity.device, Expectations::default()) {
            identity.profile_sha256.clone_from(&self.digests.profile);
        }
    }

    /// What the flags of a snapshot add to the payloads of the campaign's profile, if it is of this profile.
    pub(crate) fn expectations_of(&self, identity: &Identity) -> Option<Expectations> {
        let every = |data| [false, true].map(|full_status| Expectations { data, full_status });
        [false, true].into_iter().flat_map(every).find(|expectations| {
            let mut profile = self.stated.clone();
            profile.policies.admission_window = self.profile.policies.admission_window;
            profile.expect(*expectations);
            profile.has_hash(&identity.profile_sha256, &identity.device, Expectations::default())
        })
    }

    /// The identity of the snapshots of a site.
    pub(crate) fn identity(&self, site: &CampaignSite) -> Identity {
        let topology = self.profile.topology;
        let limits = Some(&self.phases.all()[0]).filter(|_| !self.phases.are_named());
        let (seed, number) = match site.seeds {
            SeedPlan::Sequential { site_seed } => (site_seed, site.site),
            SeedPlan::Hashed { base, site } => (base, Some(site)),
        };
        Identity {
            device: site.profile_name.as_ref().unwrap_or(&self.profile.name).clone(),
            topology: [topology.dies, topology.planes, topology.blocks_per_die, topology.pages_per_block],
            profile_sha256: self.digests.profile.clone(),
            table_sha256: self.digests.table.clone(),
            bad_blocks_sha256: self.digests.bad_blocks.clone(),
            seed_formula: self.seed_formula_name().to_owned(),
            seed,
            site: number,
            plan_sha256: self.plan.as_ref().map(|plan| plan.input.sha256),
            run_until: limits.map_or(0, |limits| limits.run_until.0),
            max_ops: limits.and_then(|limits| limits.max_ops),
            bootstrap: self.bootstrap,
            coverage: self.closure.as_ref().map(Closure::identity),
        }
    }
}
