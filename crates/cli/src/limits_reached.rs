//! The limits of addresses that a test plan states, and how far they were used, in words.

use nandseq_profile::diagnostic::{counted, grouped};
use serde::Serialize;

use crate::campaign::Campaign;
use crate::execute::{LimitTotals, Totals};

/// A limit that a phase has in force.
#[derive(Serialize, Debug)]
pub(crate) struct UsedLimit {
    /// The phase; `None` without phases.
    phase: Option<String>,
    /// The name of the entry of addresses.
    addresses: String,
    /// Its key in the plan.
    limit: &'static str,
    /// The limit, and the greatest count of a block or page at any site over its life; for open blocks, how many there are.
    most: u32,
    greatest: u32,
    /// How many blocks or pages have reached it, over all sites; for open blocks, how many sites have.
    pub(crate) reached: u64,
    /// Sites that made the last run of the phase.
    sites: u64,
}

impl UsedLimit {
    /// How far it was used: `stress: reads_per_page of page reached on 3 pages`.
    pub(crate) fn text(&self) -> String {
        let Self { phase, addresses, limit, most, greatest, reached, .. } = self;
        let phase = phase.as_ref().map_or_else(String::new, |phase| format!("{phase}: "));
        let unit = if *limit == "reads_per_page" { "page" } else { "block" };
        let how = match (*limit, reached) {
            ("open_blocks", _) => format!("{} of {} open at the end", greatest, counted(u64::from(*most), "block")),
            (_, 0) => format!("at most {} of {}", grouped((*greatest).into()), grouped((*most).into())),
            (_, reached) => format!("{} reached on {}", grouped((*most).into()), counted(*reached, unit)),
        };
        format!("{phase}{limit} of `{addresses}`: {how}")
    }

    /// Whether some block or page has reached it.
    pub(crate) fn is_reached(&self) -> bool {
        self.reached > 0 && self.limit != "open_blocks"
    }
}

/// All limits of phases whose last run was made at some site.
pub(crate) fn used(campaign: &Campaign, totals: &Totals) -> Vec<UsedLimit> {
    let Some(plan) = &campaign.plan else { return Vec::new() };
    let mut all = Vec::new();
    for (at, (phase, made)) in campaign.phases.all().iter().zip(&totals.by_phase).enumerate() {
        let in_force = plan.addresses(at);
        all.extend(made.limits.iter().filter_map(|LimitTotals { sites, limit }| {
            let entry = plan.plan.addresses.get(*in_force.get(limit.entry)?)?;
            Some(UsedLimit {
                phase: phase.name.clone(),
                addresses: entry.name.clone(),
                limit: limit.kind.key(),
                most: limit.limit,
                greatest: limit.greatest,
                reached: limit.reached,
                sites: *sites,
            })
        }));
    }
    all
}
