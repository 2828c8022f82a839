//! What the sites of a campaign did, added up.

use nandseq_generate::closure::Reached;
use nandseq_generate::dead::DeadDie;
use nandseq_generate::{Rejections, RunSummary};

use crate::campaign::{Campaign, CampaignSite};
use crate::dead_dies::DeadSite;

/// What all sites together did.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    /// Operations.
    pub(crate) ops: u64,
    /// Operations by op name.
    pub(crate) by_op: Vec<u64>,
    /// Proposals that failed.
    pub(crate) rejections: Rejections,
    /// Runs.
    pub(crate) runs: u64,
    /// Files of runs.
    pub(crate) files: u64,
    /// Their bytes.
    pub(crate) bytes: u64,
    /// Files of other campaigns in the same folders.
    pub(crate) other_files: u64,
    /// How much each site has covered, if that is counted, in no order.
    pub(crate) reached: Vec<Reached>,
    /// Sites with dies on which nothing can ever start again, in no order.
    pub(crate) dead: Vec<DeadSite>,
    /// Runs of the campaign that are there, whoever made them; those that ended before the operations that --ops asks for; the operations
    /// of all.
    pub(crate) known_runs: u64,
    pub(crate) short_runs: u64,
    pub(crate) known_ops: u64,
}

impl Totals {
    /// Adds a run with so many files and bytes.
    pub(super) fn add_run(&mut self, run: RunSummary, files: u64, bytes: u64) {
        let RunSummary { ops, by_op, rejections, .. } = run;
        self.add(Self { ops, by_op, rejections, files, bytes, ..Self::default() });
    }

    /// Adds what another part of the work did.
    pub(super) fn add(&mut self, other: Self) {
        for (total, count) in self.by_op.iter_mut().zip(&other.by_op) {
            *total += count;
        }
        for (what, count) in other.rejections {
            *self.rejections.entry(what).or_default() += count;
        }
        self.ops += other.ops;
        self.runs += other.runs;
        self.files += other.files;
        self.bytes += other.bytes;
        self.other_files += other.other_files;
        self.reached.extend(other.reached);
        self.dead.extend(other.dead);
        self.known_runs += other.known_runs;
        self.short_runs += other.short_runs;
        self.known_ops += other.known_ops;
    }

    /// Notes the operations of a run that is there.
    pub(super) fn note_operations(&mut self, campaign: &Campaign, ops: u64) {
        self.known_runs += 1;
        self.short_runs += u64::from(campaign.wanted_ops.is_some_and(|wanted| ops < wanted));
        self.known_ops += ops;
    }

    /// Notes the dead dies of a site after a run with so many operations.
    pub(super) fn note_dead(&mut self, site: &CampaignSite, (run, ops): (u64, u64), dies: Vec<DeadDie>) {
        let known = self.dead.first().map_or(0, |dead| dead.dies.len());
        // A die on which names were tried without success may live in a later run.
        if dies.len() > known || (dies.len() < known && ops > 0) {
            self.dead = vec![DeadSite { site: site.site, run, ops, dies }];
        }
    }
}
