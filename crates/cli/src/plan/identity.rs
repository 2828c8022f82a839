//! What a snapshot of a site belongs to: everything that decides the bytes of its runs.

use std::fmt::Write as _;

use nandseq_generate::probability::Distributions;
use nandseq_generate::{Identity, SeedPlan};
use nandseq_profile::{Block, Die};
use nandseq_trace::files::Digest;

use super::{Closure, Plan, SitePlan};

impl Plan {
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
        let mut text = String::new();
        for (key, names) in table {
            // Writing to memory cannot fail.
            let _ = write!(text, "\n{}", key.index());
            for (op, mass) in names {
                // The bits: what a table says must be the same, not only look alike.
                let _ = write!(text, " {} {:016x}", op.index(), mass.to_bits());
            }
        }
        let table = Digest::of(text.as_bytes()).to_string();
        let mut sorted: Vec<(u8, u32)> = bad_blocks.iter().map(|&(die, block)| (die.0, block.0)).collect();
        sorted.sort_unstable();
        sorted.dedup();
        let text: String = sorted.iter().map(|(die, block)| format!("{die},{block}\n")).collect();
        Self { profile, table, bad_blocks: Digest::of(text.as_bytes()).to_string() }
    }
}
