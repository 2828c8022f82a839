//! Warnings about operations or coverage that were not reached, and about dead dies.
//!
//! The files of such a campaign are complete: this file only reports.

use std::fmt::Write as _;

use nandseq_profile::diagnostic::{counted, grouped};

use crate::campaign::{Campaign, Closure};
use crate::dead_dies::{DeadSite, SHOWN_NAMES, state, what_to_do, write_site};
use crate::execute::Totals;
use crate::shares_reached;

/// Number of sites that are described; the rest are only counted.
const SHOWN_SITES: usize = 2;

/// Whether the coverage that was asked for was not reached or, if none was asked for, the operations.
pub(crate) fn is_short(campaign: &Campaign, totals: &Totals) -> bool {
    match campaign.closure.as_ref().and_then(Closure::until) {
        Some(until) => totals.reached.iter().any(|reached| reached.hit < until),
        None => totals.short_runs > 0,
    }
}

/// All warnings about what was not reached, a text for each.
pub(crate) fn warnings(campaign: &Campaign, totals: &Totals) -> Vec<String> {
    in_trial(campaign, totals, campaign.sites.len(), true).0
}

/// The warnings that a trial on some sites gives, and whether it shows that something will not be reached. `is_whole`: all runs
/// of these sites were tried.
pub(crate) fn in_trial(campaign: &Campaign, totals: &Totals, sites: usize, is_whole: bool) -> (Vec<String>, bool) {
    let mut all: Vec<String> = dead_sites(campaign, totals).into_iter().collect();
    if totals.ops == 0 && totals.runs > 0 && all.is_empty() {
        all.push(NOTHING_STARTED.into());
    }
    all.extend(missed_goals(campaign, totals));
    all.extend(shares_reached::warnings(campaign, totals));
    // Runs that were not tried may cover more.
    let is_known = is_whole || campaign.closure.as_ref().and_then(Closure::until).is_none();
    let short = shortfall(campaign, totals, sites).filter(|_| is_known);
    let is_missed = short.is_some();
    all.extend(short);
    (all, is_missed)
}

/// Warnings about phases whose limits came before what was to end them.
fn missed_goals(campaign: &Campaign, totals: &Totals) -> Vec<String> {
    let mut all = Vec::new();
    for (phase, totals) in campaign.phases.all().iter().zip(&totals.by_phase) {
        let (Some(name), true) = (&phase.name, totals.missed > 0) else { continue };
        let at =
            if campaign.sites.len() > 1 { format!("at {}, ", counted(totals.missed, "site")) } else { String::new() };
        all.push(format!(
            "{at}the limits of the phase `{name}` came before what `until` asks for: raise its limits or `runs`"
        ));
    }
    all
}

/// The warning if no operation started and no die is known to be dead.
const NOTHING_STARTED: &str = "no operation started: the probability table proposes nothing that is possible in the state of the device within the run";

/// The warning about coverage or operations that `sites` sites did not reach; `None` if they did.
fn shortfall(campaign: &Campaign, totals: &Totals, sites: usize) -> Option<String> {
    if !is_short(campaign, totals) {
        return None;
    }
    let dead = all_dead(campaign, totals, sites);
    let Some((closure, share)) = campaign.closure.as_ref().and_then(|closure| Some((closure, closure.share?))) else {
        let (short, wanted) = (totals.short_runs, grouped(campaign.wanted_ops.unwrap_or_default()));
        let why = if dead { "" } else { ": raise -t" };
        return Some(match totals.known_runs {
            1 => {
                let was = if totals.known_ops == 1 { "was" } else { "were" };
                format!("{} of {wanted} operations {was} reached{why}", grouped(totals.known_ops))
            }
            runs => {
                let has = if short == 1 { "has" } else { "have" };
                format!("{} of {} {has} fewer than {wanted} operations{why}", grouped(short), counted(runs, "run"))
            }
        });
    };
    let until = closure.until().unwrap_or_default();
    let short = totals.reached.iter().filter(|reached| reached.hit < until).count() as u64;
    let (sites, bins) = (totals.reached.len() as u64, closure.model.bin_count());
    let what = if dead { "all dies died" } else { "the limit of the runs came" };
    let who = match (short, sites) {
        (1, 1) => what.to_owned(),
        _ => format!("at {} of {} {what}", grouped(short), counted(sites, "site")),
    };
    let raise = if dead { "" } else { ": raise -t, --ops or --num-runs" };
    let were = if bins == 1 { "was" } else { "were" };
    Some(format!("{who} before {share} % of {} {were} covered{raise}", counted(bins, "bin")))
}

/// Whether all dies of all `sites` sites are dead.
pub(crate) fn all_dead(campaign: &Campaign, totals: &Totals, sites: usize) -> bool {
    let dies = campaign.profile.topology.dies as usize;
    !totals.dead.is_empty() && totals.dead.len() == sites && totals.dead.iter().all(|dead| dead.dies.len() == dies)
}

/// When the last die of all `sites` sites died, and the state of the first die; `None` if some die is alive.
pub(crate) fn end(campaign: &Campaign, totals: &Totals, sites: usize) -> Option<String> {
    if !all_dead(campaign, totals, sites) {
        return None;
    }
    let dies = || totals.dead.iter().flat_map(|dead| &dead.dies);
    let last = dies().map(|die| die.since).max().flatten();
    let after = last.map_or_else(String::new, |last| format!("after {last} "));
    let first = dies().next()?;
    Some(format!(
        "{after}nothing can ever start again on any die; die {} stays so: {}",
        first.die.0,
        state(&campaign.profile, &first.state)
    ))
}

/// The dead dies of all sites, in words.
pub(crate) fn dead_sites(campaign: &Campaign, totals: &Totals) -> Option<String> {
    let mut sites: Vec<&DeadSite> = totals.dead.iter().collect();
    sites.sort_by_key(|dead| dead.site);
    if sites.is_empty() {
        return None;
    }
    let words = campaign.words();
    let mut text = String::new();
    // Writing to a string cannot fail.
    for (at, dead) in sites.iter().take(SHOWN_SITES).enumerate() {
        let _ = write_site(&mut text, &words, dead, at == 0);
    }
    if let Some(more) = sites.len().checked_sub(SHOWN_SITES).filter(|more| *more > 0) {
        let numbers: Vec<String> =
            sites[SHOWN_SITES..].iter().take(2 * SHOWN_NAMES).filter_map(|dead| Some(dead.site?.to_string())).collect();
        let rest = if more > numbers.len() { ", …" } else { "" };
        let sites = counted(more as u64, "more site");
        let _ = writeln!(text, "{sites} with such dies: {}{rest}", numbers.join(", "));
    }
    Some(text + &what_to_do(&words, sites[0], campaign.num_runs == 1))
}
