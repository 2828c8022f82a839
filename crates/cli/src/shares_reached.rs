//! The shares of what started that a test plan states, and what was reached of them, in words.

use nandseq_generate::ShareShortfall;
use nandseq_plan::model::{MixShare, percent_text};
use nandseq_profile::diagnostic::counted;
use serde::Serialize;

use crate::campaign::Campaign;
use crate::execute::{ShareTotals, Totals};
use crate::shortfall::code;

/// A share that a phase states.
#[derive(Serialize, Debug)]
pub(crate) struct ReachedShare {
    /// The phase; `None` without phases.
    phase: Option<String>,
    /// The name or pattern as the plan states it.
    name: String,
    /// What is wanted and what was reached, in percent; the average of sites.
    wanted: f64,
    reached: f64,
    /// Sites that made the last run of the phase, and those that missed the share by more than a percentage point.
    sites: u64,
    pub(crate) missed: u64,
    /// The code of the reason of the most sites that missed the share.
    reason: Option<String>,
}

impl ReachedShare {
    fn new(phase: Option<&String>, share: &MixShare, totals: &ShareTotals) -> Self {
        let reason = totals.reason();
        Self {
            phase: phase.cloned(),
            name: share.name.clone(),
            wanted: percent(share.share.into()),
            reached: percent(totals.average()),
            sites: totals.sites,
            missed: reason.map_or(0, |(_, sites)| sites),
            reason: reason.map(|(reason, _)| code(reason).to_owned()),
        }
    }

    /// What was reached: `stress READ 29.9 % of 30 %`.
    pub(crate) fn text(&self) -> String {
        let phase = self.phase.as_ref().map_or_else(String::new, |phase| format!("{phase} "));
        format!("{phase}{} {:.1} % of {} %", self.name, self.reached, self.wanted)
    }
}

/// Shares of so many millionths in percent.
fn percent(millionths: u64) -> f64 {
    millionths as f64 / 1e4
}

/// All shares of phases whose last run was made at some site.
fn all<'a>(
    campaign: &'a Campaign,
    totals: &'a Totals,
) -> impl Iterator<Item = (Option<&'a String>, &'a MixShare, &'a ShareTotals)> {
    let phases = campaign.phases.all().iter().zip(&totals.by_phase).enumerate();
    phases.flat_map(|(at, (phase, totals))| {
        let stated = campaign.plan.as_ref().map_or(&[][..], |plan| plan.mix(at));
        stated.iter().zip(&totals.shares).map(|(share, totals)| (phase.name.as_ref(), share, totals))
    })
}

/// The shares that were to be reached.
pub(crate) fn reached(campaign: &Campaign, totals: &Totals) -> Vec<ReachedShare> {
    all(campaign, totals).map(|(phase, share, totals)| ReachedShare::new(phase, share, totals)).collect()
}

/// A warning about each share that some site missed by more than a percentage point.
pub(crate) fn warnings(campaign: &Campaign, totals: &Totals) -> Vec<String> {
    let warning = |(phase, share, totals): (Option<&String>, &MixShare, &ShareTotals)| {
        let (reason, missed) = totals.reason()?;
        let at = if totals.sites > 1 { format!("at {}, ", counted(missed, "site")) } else { String::new() };
        let phase = phase.map_or_else(String::new, |phase| format!(" in the phase `{phase}`"));
        let average = if totals.sites > 1 { " on average" } else { "" };
        Some(format!(
            "{at}the share of `{}`{phase} was missed: {:.1} % instead of {}{average}; {}",
            share.name,
            percent(totals.average()),
            percent_text(share.share.into()),
            why(reason)
        ))
    };
    all(campaign, totals).filter_map(warning).collect()
}

/// A reason in words.
fn why(reason: &ShareShortfall) -> String {
    match reason {
        ShareShortfall::NoWeight => "no phase key gives its operations a weight",
        ShareShortfall::ForcedSteps => "chains force too many of the operations that start",
        ShareShortfall::Refused(code) if code == "limit" => "limits of the plan leave no address for its operations",
        ShareShortfall::Refused(code) => return format!("its operations were refused, most often for `{code}`"),
        ShareShortfall::DieTime => "its operations can rarely start, and the dies have no time left",
        ShareShortfall::NotEligible => "its operations can rarely start in the states that come",
        ShareShortfall::OthersShort => "it takes what other shares do not reach",
        ShareShortfall::RestShort => "it takes what the operations that no share names do not reach",
        ShareShortfall::TooShort => "too few operations started for the weights to settle",
    }
    .to_owned()
}
