//! Dead dies in words: why nothing can start, the state of the die, and what to do.
//!
//! This file only describes: `nandseq_generate::dead` decides which dies are dead.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use nandseq_device::Rule;
use nandseq_generate::RefusalReason;
use nandseq_generate::dead::{BlockCounts, Blocked, DeadDie, LastingState};
use nandseq_profile::diagnostic::{counted, grouped};
use nandseq_profile::model::{Axis, DeviceState, Effect};
use nandseq_profile::{CellTypeId, OpId, PhaseKey, PlaneSet, Profile};

use crate::campaign::CampaignSite;
use crate::explain::{Trial, Words};

/// Number of dies of a site that are described; the rest are only counted.
const SHOWN_DIES: usize = 4;
/// Number of names of a list that are shown.
pub(crate) const SHOWN_NAMES: usize = 4;

/// A site with dead dies.
#[derive(Debug)]
pub(crate) struct DeadSite {
    /// The number of the site; `None` for a single device.
    pub(crate) site: Option<u64>,
    /// The phase of the plan in which they are dead; `None` without phases.
    pub(crate) phase: Option<String>,
    /// The run in which the last of these dies was found dead.
    pub(crate) run: u64,
    /// Operations of that run.
    pub(crate) ops: u64,
    pub(crate) dies: Vec<DeadDie>,
}

/// One line about a die that was just found to be dead.
pub(crate) fn in_a_line(site: &CampaignSite, dead: &DeadDie) -> String {
    let site = site.site.map_or_else(String::new, |site| format!("site {site}: "));
    let since = dead.since.map_or_else(String::new, |since| format!(" (at rest since {since})"));
    format!("{site}nothing can ever start again on die {}{since}", dead.die.0)
}

/// The text about dies that were dead at the end of a trial, with what to do; `None` without dead dies.
pub(crate) fn of_trial(words: &Words<'_>, trial: &Trial, bootstrap: bool) -> Option<String> {
    if trial.dead.is_empty() {
        return None;
    }
    let dead = DeadSite { site: None, phase: None, run: 1, ops: trial.ops, dies: trial.dead.clone() };
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(text, "nothing can ever start again on {}", which_dies(words.profile, &dead));
    let _ = write_dies(&mut text, words, &dead);
    Some(text + &what_to_do(words, &dead, !bootstrap))
}

fn which_dies(profile: &Profile, dead: &DeadSite) -> String {
    let dies = profile.topology.dies as usize;
    match dead.dies.len() {
        found if found == dies => "any die".to_owned(),
        1 => format!("die {}", dead.dies[0].die.0),
        found => format!("{found} of {dies} dies"),
    }
}

pub(crate) fn write_site(text: &mut String, words: &Words<'_>, dead: &DeadSite, is_first: bool) -> std::fmt::Result {
    if !is_first {
        write!(text, "  ")?;
    }
    if let Some(site) = dead.site {
        write!(text, "site {site}: ")?;
    }
    if let Some(phase) = &dead.phase {
        write!(text, "phase `{phase}`: ")?;
    }
    let (which, run, operations) = (which_dies(words.profile, dead), dead.run, counted(dead.ops, "operation"));
    if dead.dies.iter().all(|die| die.last.is_none() && die.since.is_some()) {
        writeln!(text, "nothing can ever start again on {which}; nothing ever did")?;
    } else {
        writeln!(text, "nothing can ever start again on {which}, since run {run} with its {operations}")?;
    }
    write_dies(text, words, dead)
}

fn write_dies(text: &mut String, words: &Words<'_>, dead: &DeadSite) -> std::fmt::Result {
    for die in dead.dies.iter().take(SHOWN_DIES) {
        write_die(text, words, die)?;
    }
    let more = dead.dies.len().saturating_sub(SHOWN_DIES);
    if more > 0 {
        writeln!(text, "  {more} more such dies")?;
    }
    Ok(())
}

fn write_die(text: &mut String, words: &Words<'_>, dead: &DeadDie) -> std::fmt::Result {
    let profile = words.profile;
    let name = |op: OpId| &*profile.ops[op].name;
    write!(text, "  die {}: ", dead.die.0)?;
    match (dead.last, dead.since) {
        (Some(last), Some(since)) => {
            writeln!(text, "last operation {} at {}, at rest since {since}", name(last.op), last.at)?;
        }
        (_, None) => writeln!(text, "nothing started there since the snapshot that this execution went on from")?,
        (None, Some(since)) => writeln!(text, "nothing ever started there, at rest since {since}")?,
    }
    writeln!(text, "    state: {}", state(profile, &dead.state))?;
    for &key in &dead.keys {
        write_blocked(text, words, dead, key)?;
    }
    let keys: Vec<&str> = dead.keys.iter().map(|&key| &*profile.phase_keys[key].name).collect();
    let freed_by = list(dead.freed_by.iter().map(|&op| name(op)));
    let under = list(keys.into_iter());
    match (dead.freed_by.is_empty(), dead.in_vain) {
        (false, _) => writeln!(text, "    would free it, but has weight 0 under {under}: {freed_by}"),
        (true, false) => writeln!(text, "    no operation that could start now would make one with a weight possible"),
        (true, true) => writeln!(text, "    these names were tried a thousand times each and never accepted"),
    }
}

/// Writes the names with a weight under a phase key, grouped by the reason why they cannot start.
fn write_blocked(text: &mut String, words: &Words<'_>, dead: &DeadDie, key: PhaseKey) -> std::fmt::Result {
    let (profile, entry) = (words.profile, words.weights_of(key));
    let mut by_reason: BTreeMap<&str, Vec<&Blocked>> = BTreeMap::new();
    for blocked in dead.blocked.iter().filter(|blocked| blocked.key == key) {
        by_reason.entry(blocked.reason.code()).or_default().push(blocked);
    }
    let key = &profile.phase_keys[key].name;
    if by_reason.is_empty() {
        let entry = entry.map_or_else(String::new, |entry| format!(": {entry}"));
        return writeln!(text, "    under {key} no name that would start anything has a weight{entry}");
    }
    let mut groups: Vec<(&str, Vec<&Blocked>)> = by_reason.into_iter().collect();
    let share = |group: &[&Blocked]| group.iter().map(|blocked| blocked.share).sum::<f64>();
    groups.sort_by(|one, other| share(&other.1).total_cmp(&share(&one.1)));
    for (code, group) in &groups {
        let names = list(group.iter().map(|blocked| &*profile.ops[blocked.op].name));
        let percent = 100.0 * share(group);
        writeln!(text, "    {percent:.3} % of {key}, not possible now ({}): {names}", why(code))?;
    }
    Ok(())
}

/// A reason in words, where its code alone says little.
fn why(code: &str) -> String {
    if code == RefusalReason::NoAddress.code() {
        "no_address: no block or page is in the state that it needs".to_owned()
    } else if code == Rule::ResumeTarget.code() {
        format!("{code}: nothing to resume, or another operation has to come first")
    } else if code == Rule::SuspendTarget.code() {
        format!("{code}: nothing to suspend")
    } else {
        code.to_owned()
    }
}

/// The lasting state of a die, in words. The pattern names every field, so that none is forgotten.
pub(crate) fn state(profile: &Profile, state: &LastingState) -> String {
    let LastingState { suspended, latches, cache_program, odt_disabled, write_protected, unread, cache_reads, blocks } =
        state;
    let name = |op: OpId| profile.ops[op].name.clone();
    let mut parts = Vec::new();
    for (axis, word) in [(Axis::Erase, "an erase"), (Axis::Program, "a program")] {
        parts.extend(suspended[axis].map(|op| format!("{word} is suspended ({})", name(op))));
    }
    for (latch, level) in ["one-shot", "copyback"].into_iter().zip(latches) {
        parts.extend(level.map(|level| format!("the {latch} latch is loaded ({level:?})")));
    }
    parts.extend(cache_program.map(|kind| format!("a cache program goes on ({kind:?})")));
    if *odt_disabled {
        parts.push("on-die termination is off".to_owned());
    }
    if *write_protected {
        parts.push("write protect is on".to_owned());
    }
    if !unread.is_empty() {
        parts.push(format!("unread data on {}", planes(*unread)));
    }
    parts.extend(cache_reads.iter().map(|(kind, on)| format!("a cache read goes on ({kind:?}) on {}", planes(*on))));
    if parts.is_empty() {
        parts.push("nothing is suspended, no latch is loaded, no data is unread".to_owned());
    }
    parts.push(format!("blocks: {}", blocks_by_stage(profile, blocks)));
    parts.join("; ")
}

fn planes(set: PlaneSet) -> String {
    let numbers: Vec<String> = set.iter().map(|plane| plane.0.to_string()).collect();
    format!("{} {}", if numbers.len() == 1 { "plane" } else { "planes" }, numbers.join(", "))
}

fn blocks_by_stage(profile: &Profile, counts: &BlockCounts) -> String {
    let mut parts = Vec::new();
    let mut add = |count: u32, what: String| {
        if count > 0 {
            parts.push(format!("{} {what}", grouped(count.into())));
        }
    };
    add(counts.not_erased, "not erased".to_owned());
    let cells: [(&[(CellTypeId, u32)], &str); 3] =
        [(&counts.erased, "erased"), (&counts.open, "programmed with pages left"), (&counts.full, "full")];
    for (list, what) in cells {
        list.iter().for_each(|&(cell, count)| add(count, format!("{what} ({})", profile.cell_types[cell].name)));
    }
    add(counts.in_flight, "suspended".to_owned());
    add(counts.bad, "bad".to_owned());
    if parts.is_empty() { "none".to_owned() } else { parts.join(", ") }
}

/// What the user can do about the dead dies of a site.
pub(crate) fn what_to_do(words: &Words<'_>, dead: &DeadSite, may_prepare: bool) -> String {
    let Some(die) = dead.dies.first() else { return String::new() };
    let blocks = &die.state.blocks;
    let no_good_block = *blocks == BlockCounts { bad: blocks.bad, ..BlockCounts::default() };
    if no_good_block && let Some(list) = words.badlist {
        return format!("  to change that: leave some blocks out of the list of bad blocks `{list}`");
    }
    let name = |op: OpId| &*words.profile.ops[op].name;
    let key = die.keys.first().copied().unwrap_or(PhaseKey::DEFAULT);
    let under = |op: OpId| format!("under {} ({})", words.profile.phase_keys[key].name, words.weightless(key, op));
    let text = match (die.freed_by.as_slice(), die.possible.as_slice()) {
        ([], []) => format!(
            "no name is possible in this state{}",
            spare(words, die).map_or_else(String::new, |spare| format!(": {spare}"))
        ),
        ([], possible) => {
            let names = list(possible.iter().map(|&op| name(op)));
            let weight = if words.profile.exclusions.in_op_state(key).is_empty() {
                format!("give names that are possible in this state a weight {}: {names}", under(possible[0]))
            } else {
                let entry = words.exclusions_of_key(key);
                format!(
                    "let the exclusions in {entry} spare names that are possible in this state, and give them a weight: {names}"
                )
            };
            weight + &spare(words, die).map_or_else(String::new, |spare| format!("; or {spare}"))
        }
        ([one], _) => format!("give {} a weight {}", name(*one), under(*one)),
        ([one, ..], _) => format!("give {}, or another of these names, a weight {}", name(*one), under(*one)),
    };
    let needs_blocks = blocks.erased.is_empty() && blocks.not_erased > 0;
    let prepares = !die.freed_by.is_empty() && needs_blocks && dead.ops == 0 && may_prepare;
    let prepare = if prepares { ", or prepare the blocks with --bootstrap and -n 2" } else { "" };
    format!("  to change that: {text}{prepare}")
}

/// The advice about exclusions by lasting state that forbid names with a weight on a dead die; `None` without such exclusions.
fn spare(words: &Words<'_>, die: &DeadDie) -> Option<String> {
    let profile = words.profile;
    // An exclusion that forbids a RESUME while nothing is suspended is right as it is.
    let resumes = |op: OpId, axis| profile.bases[profile.ops[op].base].has(Effect::Resume(axis));
    let forbids = |state: DeviceState, op: OpId| {
        let is_idle = matches!(state, DeviceState::NotSuspended(axis) if resumes(op, axis));
        !is_idle && profile.exclusions.in_state(state).contains(profile.ops[op].base)
    };
    let states: Vec<DeviceState> = die.state.device_states();
    let forbidden = die.blocked.iter().map(|blocked| blocked.op).filter(|&op| states.iter().any(|&on| forbids(on, op)));
    let mut forbidden: Vec<OpId> = forbidden.collect();
    forbidden.sort_unstable();
    forbidden.dedup();
    let entries = states.into_iter().filter(|&state| forbidden.iter().any(|&op| forbids(state, op)));
    let entries: Vec<String> = entries.map(|state| words.exclusions_of_state(state)).collect();
    let names = list(forbidden.iter().map(|&op| &*profile.ops[op].name));
    (!entries.is_empty()).then(|| format!("let {} spare names that have a weight: {names}", entries.join(" and ")))
}

/// The first names of a list, and the number of the others.
fn list<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let names: Vec<&str> = names.collect();
    let shown = names.iter().take(SHOWN_NAMES).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN_NAMES) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
