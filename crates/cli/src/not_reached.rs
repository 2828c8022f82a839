//! Warnings about operations or coverage that were not reached, and about dead dies and traps.
//!
//! The files of such a campaign are complete: this file only reports.

use std::fmt::Write as _;
use std::sync::Arc;

use nandseq_profile::diagnostic::{counted, grouped};
use nandseq_profile::model::DeviceState;

use crate::absent::Absences;
use crate::campaign::{Campaign, CampaignPhase, Closure};
use crate::can_start::TrappedDies;
use crate::dead_dies::{DeadSite, SHOWN_NAMES, state, what_to_do, write_site};
use crate::execute::Totals;
use crate::{scenarios_reached, shares_reached};

/// Number of sites that are described; the rest are only counted.
const SHOWN_SITES: usize = 2;

/// Whether the coverage that was asked for was not reached or, if none was asked for, the operations; or the hits of a plan.
pub(crate) fn is_short(campaign: &Campaign, totals: &Totals) -> bool {
    let lacks_hits = scenarios_reached::lack_hits(totals);
    let is_short = match campaign.closure.as_ref().and_then(Closure::until) {
        Some(until) => totals.reached.iter().any(|reached| reached.hit < until),
        None => totals.by_phase.iter().any(|phase| phase.short_runs > 0),
    };
    is_short || lacks_hits
}

/// All warnings about what was not reached, a text for each.
pub(crate) fn warnings(absences: &Absences<'_>, totals: &Totals) -> Vec<String> {
    in_trial(absences, totals, absences.campaign.sites.len(), true).0
}

/// The warnings that a trial on some sites gives, and whether it shows that something will not be reached. `is_whole`: all runs
/// of these sites were tried.
pub(crate) fn in_trial(absences: &Absences<'_>, totals: &Totals, sites: usize, is_whole: bool) -> (Vec<String>, bool) {
    let campaign = absences.campaign;
    let is_alive = !all_dead(campaign, totals, sites);
    let trap = is_alive.then(|| absences.trap(at_end(totals, sites))).flatten();
    let mut all: Vec<String> = dead_sites(campaign, totals).into_iter().collect();
    if totals.ops == 0 && totals.runs > 0 && all.is_empty() {
        all.push(NOTHING_STARTED.into());
    }
    // A phase that the trap has kept from its `until` says the same.
    let is_of_phase = |trap: &Arc<TrappedDies>| {
        totals
            .by_phase
            .iter()
            .filter(|phase| phase.missed > 0)
            .any(|phase| phase.trap.as_ref().is_some_and(|of| Arc::ptr_eq(of, trap)))
    };
    match &trap {
        Some(trap) if is_of_phase(trap) => {}
        Some(trap) => all.push(trap.described(&campaign.in_force)),
        None => all.extend(first_trapped(campaign, totals)),
    }
    all.extend(missed_untils(campaign, totals));
    all.extend(shares_reached::warnings(campaign, totals));
    all.extend(scenarios_reached::warnings(campaign, totals));
    // Runs that were not tried may cover more, unless a trap keeps a site from that.
    let is_known =
        is_whole || !totals.trapped.is_empty() || campaign.closure.as_ref().and_then(Closure::until).is_none();
    let short = shortfall(campaign, totals, sites, trap.is_some()).filter(|_| is_known);
    let is_missed = short.is_some() || (is_whole && scenarios_reached::lack_hits(totals));
    all.extend(short);
    (all, is_missed)
}

/// The trap of the first site that one keeps from the coverage at which it ends; `None` if there is no such site.
fn first_trapped(campaign: &Campaign, totals: &Totals) -> Option<String> {
    let (site, trap) = totals.trapped.iter().min_by_key(|(site, _)| *site)?;
    let site = site.map_or_else(String::new, |site| format!("site {site}: "));
    Some(site + &trap.described(&campaign.in_force))
}

/// Warnings about phases whose limits came before what was to end them.
fn missed_untils(campaign: &Campaign, totals: &Totals) -> Vec<String> {
    let mut all = Vec::new();
    for (phase, totals) in campaign.phases.all().iter().zip(&totals.by_phase) {
        let (Some(name), true) = (&phase.name, totals.missed > 0) else { continue };
        let at =
            if campaign.sites.len() > 1 { format!("at {}, ", counted(totals.missed, "site")) } else { String::new() };
        all.push(match &totals.trap {
            None => format!(
                "{at}the limits of the phase `{name}` came before what `until` asks for: raise its limits or `runs`"
            ),
            Some(trap) => {
                let trap = trap.described(&campaign.in_force);
                format!("{at}a trap kept the phase `{name}` from what `until` asks for: {trap}")
            }
        });
    }
    all
}

/// The warning if no operation started and no die is known to be dead.
const NOTHING_STARTED: &str = "no operation started: the probability table proposes nothing that is possible in the state of the device within the run";

/// The warning about coverage or operations that `sites` sites did not reach; `None` if they did.
fn shortfall(campaign: &Campaign, totals: &Totals, sites: usize, is_trapped: bool) -> Option<String> {
    if !is_short(campaign, totals) {
        return None;
    }
    let Some((closure, share)) = campaign.closure.as_ref().and_then(|closure| Some((closure, closure.share?))) else {
        return Some(few_operations(campaign, totals, sites));
    };
    let dead = all_dead(campaign, totals, sites);
    let until = closure.until().unwrap_or_default();
    let short = totals.reached.iter().filter(|reached| reached.hit < until).count() as u64;
    let (sites, bins) = (totals.reached.len() as u64, closure.model.bin_count());
    let lost = totals.trapped.len() as u64;
    let what = match lost {
        _ if dead => "all dies died",
        0 => "the limit of the runs came",
        lost if lost < short => "all dies were trapped, or the limit of the runs came,",
        _ => "all dies were trapped",
    };
    let who = match (short, sites) {
        (1, 1) => what.to_owned(),
        _ => format!("at {} of {} {what}", grouped(short), counted(sites, "site")),
    };
    let raise = if dead || is_trapped || lost == short { "" } else { ": raise -t, --ops or --num-runs" };
    let were = if bins == 1 { "was" } else { "were" };
    Some(format!("{who} before {share} % of {} {were} covered{raise}", counted(bins, "bin")))
}

/// Which runs have fewer operations than was asked for, in words.
fn few_operations(campaign: &Campaign, totals: &Totals, sites: usize) -> String {
    let phases = campaign.phases.all().iter().zip(&totals.by_phase).filter(|(_, made)| made.short_runs > 0);
    let described = phases.map(|(phase, made)| {
        let (short, wanted) = (made.short_runs, grouped(phase.wanted_ops.unwrap_or_default()));
        let raise = match phase.name {
            _ if all_dead_in(campaign, totals, sites, phase) => "",
            None => ": raise -t",
            // Without a limit of time the end of the site's clock came.
            Some(_) if phase.time_limit().is_none() => "",
            Some(_) => ": raise its `run_until` in the plan",
        };
        let of_phase = phase.name.as_ref().map_or_else(String::new, |name| format!("phase `{name}`: "));
        match (&phase.name, made.known_runs) {
            (None, 1) => {
                let was = if totals.known_ops == 1 { "was" } else { "were" };
                format!("{} of {wanted} operations {was} reached{raise}", grouped(totals.known_ops))
            }
            (_, runs) => {
                let has = if short == 1 { "has" } else { "have" };
                let of = counted(runs, "run");
                format!("{of_phase}{} of {of} {has} fewer than {wanted} operations{raise}", grouped(short))
            }
        }
    });
    described.collect::<Vec<_>>().join("; ")
}

/// The lasting states of each die of all `sites` sites after their last runs, each list once; none if they are not known of each
/// site.
pub(crate) fn at_end(totals: &Totals, sites: usize) -> &[Vec<DeviceState>] {
    if totals.ended_sites == sites { &totals.at_end } else { &[] }
}

/// Whether all dies of all `sites` sites are dead in the last phase.
pub(crate) fn all_dead(campaign: &Campaign, totals: &Totals, sites: usize) -> bool {
    campaign.phases.all().last().is_some_and(|last| all_dead_in(campaign, totals, sites, last))
}

/// Whether all dies of all `sites` sites are dead in a phase.
fn all_dead_in(campaign: &Campaign, totals: &Totals, sites: usize, phase: &CampaignPhase) -> bool {
    let is_whole = |dead: &&DeadSite| dead.dies.len() == campaign.profile.topology.dies as usize;
    let dead = totals.dead.iter().filter(|dead| dead.phase == phase.name).filter(is_whole).count();
    dead > 0 && dead == sites
}

/// When the last die of all `sites` sites died, and the state of the first die; `None` if some die is alive.
pub(crate) fn end(campaign: &Campaign, totals: &Totals, sites: usize) -> Option<String> {
    if !all_dead(campaign, totals, sites) {
        return None;
    }
    let phase = campaign.phases.all().last()?.name.as_ref();
    let dies = || totals.dead.iter().filter(|dead| dead.phase.as_ref() == phase).flat_map(|dead| &dead.dies);
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
    // A site may have dead dies in several phases.
    let shown = &sites[..sites.len().min(SHOWN_SITES)];
    let mut more: Vec<u64> = sites[shown.len()..].iter().filter_map(|dead| dead.site).collect();
    more.retain(|site| shown.iter().all(|dead| dead.site != Some(*site)));
    more.dedup();
    if !more.is_empty() {
        let numbers: Vec<String> = more.iter().take(2 * SHOWN_NAMES).map(u64::to_string).collect();
        let rest = if more.len() > numbers.len() { ", …" } else { "" };
        let sites = counted(more.len() as u64, "more site");
        let _ = writeln!(text, "  {sites} with such dies: {}{rest}", numbers.join(", "));
    }
    Some(text + &what_to_do(&words, sites[0], campaign.num_runs == 1))
}
