//! What a snapshot of a site belongs to: everything that decides the bytes of its runs.

use nandseq_generate::probability::Distributions;
use nandseq_generate::{Identity, SeedPlan};
use nandseq_profile::{Block, Die};
use nandseq_trace::files::Digest;
use nandseq_trace::manifest::ProfileInput;

use super::{Closure, Plan, SitePlan};
use crate::execute;

impl Plan {
    /// Whether a manifest is of the same profile, however it is called there.
    pub(crate) fn is_of(&self, recorded: &ProfileInput) -> bool {
        recorded.resolved_sha256 == self.profile_input.resolved_sha256 || self.counts_names(recorded)
    }

    /// Whether a manifest is of the same profile, and was made when names were part of what identifies a profile.
    fn counts_names(&self, recorded: &ProfileInput) -> bool {
        let mut own = self.profile.clone();
        own.policies.admission_window = self.own_window;
        own.hash_as(&recorded.name) == recorded.resolved_sha256
    }

    /// Calls the profile, in what is written, as a manifest of the same profile calls it.
    pub(crate) fn call_profile_as(&mut self, recorded: &ProfileInput) {
        self.profile.name.clone_from(&recorded.name);
        if self.counts_names(recorded) {
            self.digests.profile = self.profile.hash_as(&recorded.name);
        }
    }

    /// Goes on calling the profile as the runs that are there do.
    pub(super) fn going_on_with_its_name(mut self) -> Self {
        let earlier = self.resume.as_deref().and_then(|resume| execute::profile_of_earlier(resume, &self.sites));
        if let Some(ProfileInput { name, resolved_sha256, .. }) = earlier.filter(|earlier| self.is_of(earlier)) {
            self.profile_input = ProfileInput { name, resolved_sha256, ..self.profile_input.clone() };
            self.call_profile_as(&self.profile_input.clone());
        }
        self
    }

    /// A snapshot's identity as this program would write it, if it is of the plan's profile.
    pub(crate) fn in_present_form(&self, identity: &mut Identity) {
        if self.profile.has_hash(&identity.profile_sha256, &identity.device) {
            identity.profile_sha256.clone_from(&self.digests.profile);
        }
    }

    /// What a snapshot of this site belongs to.
    pub(crate) fn identity(&self, site: &SitePlan) -> Identity {
        let topology = self.profile.topology;
        let (seed, number) = match site.seeds {
            SeedPlan::Sequential { site_seed } => (site_seed, site.site),
            SeedPlan::Hashed { base, site } => (base, Some(site)),
        };
        Identity {
            device: self.profile.name.clone(),
            topology: [topology.dies, topology.planes, topology.blocks_per_die, topology.pages_per_block],
            profile_sha256: self.digests.profile.clone(),
            table_sha256: self.digests.table.clone(),
            bad_blocks_sha256: self.digests.bad_blocks.clone(),
            seed_formula: self.seed_formula_name().to_owned(),
            seed,
            site: number,
            run_until: self.run_until.0,
            max_ops: self.max_ops,
            bootstrap: self.bootstrap,
            coverage: self.closure.as_ref().map(Closure::identity),
        }
    }
}

/// Digests of what every site of a plan shares.
#[derive(Debug)]
pub(super) struct Digests {
    /// Of the profile with what flags override.
    pub(super) profile: String,
    table: String,
    bad_blocks: String,
}

impl Digests {
    pub(super) fn new(profile: String, table: &Distributions, bad_blocks: &[(Die, Block)]) -> Self {
        let table = Digest::of(&text_of(table)).to_string();
        let mut sorted: Vec<(u8, u32)> = bad_blocks.iter().map(|&(die, block)| (die.0, block.0)).collect();
        sorted.sort_unstable();
        sorted.dedup();
        let text: String = sorted.iter().map(|(die, block)| format!("{die},{block}\n")).collect();
        Self { profile, table, bad_blocks: Digest::of(text.as_bytes()).to_string() }
    }
}

/// A table as its digest is taken of it: for each key its number, on a new line, and for each of its names ` NUMBER BITS`, the bits
/// of the mass in 16 hexadecimal digits: what a table says must be the same, not only look alike. Put together by hand since
/// formatting 16,000 entries is an eighth of a start.
fn text_of(table: &Distributions) -> Vec<u8> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = Vec::new();
    let mut number = itoa::Buffer::new();
    for (key, names) in table {
        text.push(b'\n');
        text.extend_from_slice(number.format(key.index()).as_bytes());
        for (op, mass) in names {
            text.push(b' ');
            text.extend_from_slice(number.format(op.index()).as_bytes());
            text.push(b' ');
            let bits = mass.to_bits();
            text.extend_from_slice(&std::array::from_fn::<u8, 16, _>(|at| {
                DIGITS[(bits >> (60 - 4 * at)) as usize & 15]
            }));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use nandseq_profile::{OpId, PhaseKey};

    #[test]
    fn the_text_of_a_table_has_every_number_and_every_bit() {
        let table = vec![(PhaseKey(0), vec![]), (PhaseKey(12), vec![(OpId(3), 0.1), (OpId(456), 1.0)])];
        let text = String::from_utf8(text_of(&table)).unwrap_or_default();
        assert_eq!(text, format!("\n0\n12 3 {:016x} 456 3ff0000000000000", 0.1_f64.to_bits()));
    }
}
