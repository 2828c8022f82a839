//! The summary as text: at most 15 lines, or everything.
//!
//! Each fact has a function of its own, which adds no, one or a few lines. The short form cuts the lists; what is cut says how to
//! see all of it.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use nandseq_profile::diagnostic::{counted, grouped};
use nandseq_trace::recorded::shell_word;

use super::{Covered, PhaseCount, Summary, absent};
use crate::console;
use crate::limits_reached::UsedLimit;
use crate::scenarios_reached::ReachedScenario;

/// Number of bases that a short summary names.
const BASES: usize = 4;
/// Number of phases that a short summary names.
const PHASES: usize = 4;
/// Number of refusal reasons that a short summary names.
const NAMED: usize = 3;

/// How much the text says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Detail {
    /// At most 15 lines, so that a screen has room for other things.
    Short,
    /// Every list whole.
    Full,
}

impl Detail {
    /// The detail that the flags ask for.
    pub(crate) fn wanted() -> Self {
        if console::is_verbose() { Self::Full } else { Self::Short }
    }
}

/// The summary, with a final newline.
pub(crate) fn text(summary: &Summary, detail: Detail) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write_all(&mut text, summary, detail);
    text
}

fn write_all(text: &mut String, summary: &Summary, detail: Detail) -> fmt::Result {
    if let Some(empty) = &summary.empty {
        return writeln!(text, "{empty}");
    }
    if summary.was_there {
        writeln!(text, "Every run is there already: nothing to do")?;
        return write_end(text, summary);
    }
    write_extent(text, summary)?;
    write_phases(text, summary, detail)?;
    write_shares(text, summary, detail)?;
    write_limits(text, summary, detail)?;
    write_scenarios(text, summary, detail)?;
    write_covered(text, summary)?;
    write_mix(text, summary, detail)?;
    let (files, folder) = (counted(summary.files, "file"), shell_word(&summary.out_dir));
    writeln!(text, "Written: {files}, {} in {folder}", size(summary.bytes))?;
    write_end(text, summary)
}

/// Writes which operations started and which did not, and the refusals.
pub(crate) fn write_mix(text: &mut String, summary: &Summary, detail: Detail) -> fmt::Result {
    write_bases(text, summary, detail)?;
    match detail {
        Detail::Short => {
            write_refused_shortly(text, summary)?;
            absent::write_shortly(text, &summary.never_started, summary.names_known, &summary.explain)?;
        }
        Detail::Full => {
            write_names(text, summary)?;
            write_refused(text, summary)?;
            absent::write(text, &summary.never_started, summary.names_known, &summary.explain)?;
        }
    }
    Ok(())
}

/// Writes what was made, in a line.
fn write_extent(text: &mut String, summary: &Summary) -> fmt::Result {
    let Summary { sites, runs_per_site, runs, seconds, .. } = *summary;
    write!(text, "{} in ", counted(summary.operations, "operation"))?;
    let (made, each, of) = (counted(runs, "run"), counted(runs_per_site, "run"), counted(sites, "site"));
    match summary.is_batch {
        // Sites that were resumed, or covered enough, have made fewer runs, and not all the same number.
        true if runs != sites * runs_per_site => write!(text, "{made} of {of}")?,
        true if sites == 1 => write!(text, "{each} of {of}")?,
        true => write!(text, "{each} of each of {of}")?,
        false => write!(text, "{made}")?,
    }
    let speed = grouped(summary.operations_per_second);
    let table = summary.inputs.table_file.as_ref().map(|file| format!("; table written to `{file}`"));
    writeln!(text, ", {seconds:.2} s, {speed} operations/s{}{}", summary.in_force(), table.unwrap_or_default())
}

/// Writes the runs and operations of each phase, in a line if they are few.
fn write_phases(text: &mut String, summary: &Summary, detail: Detail) -> fmt::Result {
    let phase = |one: &PhaseCount| {
        let missed = if one.missed.is_some_and(|sites| sites > 0) { ", `until` not reached" } else { "" };
        format!("{} {} in {}{missed}", one.phase, counted(one.operations, "operation"), counted(one.runs, "run"))
    };
    let mut all: Vec<String> = summary.phases.iter().map(phase).collect();
    if all.is_empty() {
        return Ok(());
    }
    if detail == Detail::Full {
        writeln!(text, "By phase:")?;
        return all.iter().try_for_each(|phase| writeln!(text, "  {phase}"));
    }
    let more = all.len().saturating_sub(PHASES);
    all.truncate(PHASES);
    if more > 0 {
        all.push(format!("{more} more (-v shows all)"));
    }
    writeln!(text, "By phase: {}", all.join("; "))
}

/// Writes what was reached of scenarios, in a line if they are few.
fn write_scenarios(text: &mut String, summary: &Summary, detail: Detail) -> fmt::Result {
    let all = &summary.scenarios;
    if detail == Detail::Full && !all.is_empty() {
        writeln!(text, "Scenarios:")?;
        return all.iter().flat_map(ReachedScenario::details).try_for_each(|line| writeln!(text, "  {line}"));
    }
    let missed = all.iter().filter(|scenario| scenario.missed > 0).count();
    match all.len() {
        0 => Ok(()),
        1..=PHASES => {
            let lines: Vec<String> = all.iter().map(ReachedScenario::text).collect();
            writeln!(text, "Scenarios: {}", lines.join("; "))
        }
        of => writeln!(text, "Scenarios: {} of {of} have all their hits; `-v` shows each", of - missed),
    }
}

/// Writes how many shares of what started were reached, in a line, or what was reached of each.
fn write_shares(text: &mut String, summary: &Summary, detail: Detail) -> fmt::Result {
    let all = &summary.shares;
    if all.is_empty() {
        return Ok(());
    }
    if detail == Detail::Full {
        writeln!(text, "Shares of what started:")?;
        return all.iter().try_for_each(|share| writeln!(text, "  {}", share.text()));
    }
    let reached = all.iter().filter(|share| share.missed == 0).count();
    writeln!(text, "Shares: {reached} of {} within a percentage point (-v shows all)", all.len())
}

/// Writes the limits of addresses that were reached, in a line, or how far each was used.
fn write_limits(text: &mut String, summary: &Summary, detail: Detail) -> fmt::Result {
    let all = &summary.limits;
    if all.is_empty() {
        return Ok(());
    }
    if detail == Detail::Full {
        writeln!(text, "Limits of addresses:")?;
        return all.iter().try_for_each(|limit| writeln!(text, "  {}", limit.text()));
    }
    let reached: Vec<String> = all.iter().filter(|limit| limit.is_reached()).map(UsedLimit::text).collect();
    match reached.as_slice() {
        [] => writeln!(text, "Limits of addresses: none of {} reached (-v shows all)", all.len()),
        [one] => writeln!(text, "Limits of addresses: {one}"),
        [first, ..] => {
            let (reached, all) = (reached.len(), all.len());
            writeln!(text, "Limits of addresses: {reached} of {all} reached (-v shows all); {first}")
        }
    }
}

/// Writes how many bins each site has covered.
fn write_covered(text: &mut String, summary: &Summary) -> fmt::Result {
    let Some(Covered { bins, sites, least_hit, most_hit, .. }) = summary.covered else { return Ok(()) };
    let percent = |hit: u64| 100.0 * hit as f64 / bins.max(1) as f64;
    if sites == 1 {
        let (hit, all) = (grouped(most_hit), counted(bins, "bin"));
        writeln!(text, "Covered: {hit} of {all}, {:.2} %", percent(most_hit))
    } else {
        let (least, most) = (percent(least_hit), percent(most_hit));
        let all = counted(bins, "bin");
        writeln!(text, "Covered: {least:.2} to {most:.2} % of {all}, each site for itself")
    }
}

fn write_bases(text: &mut String, summary: &Summary, detail: Detail) -> fmt::Result {
    let counts = summary.bases.iter().map(|one| (one.base.clone(), one.count)).collect();
    let shown = match detail {
        Detail::Short => BASES,
        Detail::Full => usize::MAX,
    };
    write_counts(text, "By base:", counts, shown)
}

fn write_names(text: &mut String, summary: &Summary) -> fmt::Result {
    let counts = summary.names.iter().map(|one| (one.op_name.clone(), one.count)).collect();
    write_counts(text, "By name:", counts, usize::MAX)
}

/// Refusals by reason, the most frequent first.
fn by_reason(summary: &Summary) -> Vec<(String, u64)> {
    let mut by_reason: BTreeMap<&str, u64> = BTreeMap::new();
    for one in &summary.refused {
        *by_reason.entry(one.reason).or_default() += one.count;
    }
    let mut counts: Vec<(String, u64)> = by_reason.into_iter().map(|(code, count)| (code.to_owned(), count)).collect();
    counts.sort_by(|(a_name, a), (b_name, b)| b.cmp(a).then_with(|| a_name.cmp(b_name)));
    counts
}

fn write_refused_shortly(text: &mut String, summary: &Summary) -> fmt::Result {
    let counts = by_reason(summary);
    let total: u64 = counts.iter().map(|(_, count)| count).sum();
    if total == 0 {
        return Ok(());
    }
    let share = |count: u64| 100.0 * count as f64 / total as f64;
    let named: Vec<String> =
        counts.iter().take(NAMED).map(|(code, count)| format!("{code} {:.1} %", share(*count))).collect();
    let more = counts.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(", {more} more") } else { String::new() };
    writeln!(text, "Proposals that failed: {}: {}{more}", grouped(total), named.join(", "))
}

fn write_refused(text: &mut String, summary: &Summary) -> fmt::Result {
    write_counts(text, "Proposals that failed, by reason:", by_reason(summary), usize::MAX)?;
    let name = |one: &super::Refused| format!("{} {} {}", one.phase_key, one.op_name, one.reason);
    let counts = summary.refused.iter().map(|one| (name(one), one.count)).collect();
    write_counts(text, "By phase key and operation:", counts, usize::MAX)
}

/// Writes how many files of other campaigns there are, and how to replay and judge the files.
fn write_end(text: &mut String, summary: &Summary) -> fmt::Result {
    if summary.other_files > 0 {
        let files = counted(summary.other_files, "file");
        let clean = if summary.is_resumed { "" } else { "; --clean removes first what a manifest lists" };
        writeln!(text, "Left alone there: {files} of other campaigns{clean}")?;
    }
    if summary.is_judged {
        return writeln!(text, "manifest.json in each folder says how to make its files again");
    }
    writeln!(text, "manifest.json in each folder says how to make its files again; to judge them by every rule:")?;
    writeln!(text, "  {}", summary.verify)
}

/// Writes a list of counts in their order: the first `shown`, and the sum of the others. Writes nothing if there are none.
fn write_counts(text: &mut String, title: &str, mut counts: Vec<(String, u64)>, shown: usize) -> fmt::Result {
    if counts.is_empty() {
        return Ok(());
    }
    let total: u64 = counts.iter().map(|(_, count)| count).sum();
    let rest = counts.split_off(counts.len().min(shown));
    if !rest.is_empty() {
        counts.push((format!("{} more (-v shows all)", rest.len()), rest.iter().map(|(_, count)| count).sum()));
    }
    let width = counts.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    writeln!(text, "{title}")?;
    for (name, count) in counts {
        let share = 100.0 * count as f64 / total as f64;
        writeln!(text, "  {name:width$}  {:>14}  {share:>5.1} %", grouped(count))?;
    }
    Ok(())
}

/// A number of bytes, in a fitting unit.
pub(crate) fn size(bytes: u64) -> String {
    match bytes {
        0..10_000 => counted(bytes, "byte"),
        10_000..10_000_000 => format!("{} kB", grouped(bytes / 1_000)),
        _ => format!("{} MB", grouped(bytes / 1_000_000)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_of_a_list_is_summed_up() {
        let counts: Vec<(String, u64)> = (0..13).rev().map(|at| (format!("B{at:02}"), at)).collect();
        let mut text = String::new();
        write_counts(&mut text, "Title:", counts.clone(), 10).expect("strings take everything");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 12, "{text}");
        assert_eq!(lines[0], "Title:");
        assert!(lines[1].starts_with("  B12  "), "{text}");
        assert!(lines[11].starts_with("  3 more (-v shows all)") && lines[11].contains("  3  "), "{text}");
        let mut text = String::new();
        write_counts(&mut text, "Title:", counts, usize::MAX).expect("strings take everything");
        assert_eq!(text.lines().count(), 14, "{text}");
    }

    #[test]
    fn a_number_of_bytes_has_a_fitting_unit() {
        for (bytes, expected) in [
            (0, "0 bytes"),
            (1, "1 byte"),
            (9_999, "9,999 bytes"),
            (10_000, "10 kB"),
            (9_999_999, "9,999 kB"),
            (10_000_000, "10 MB"),
            (1_234_567_890, "1,234 MB"),
        ] {
            assert_eq!(size(bytes), expected);
        }
    }

    #[test]
    fn nothing_counted_is_not_shown() {
        let mut text = String::new();
        write_counts(&mut text, "Title:", Vec::new(), BASES).expect("strings take everything");
        assert_eq!(text, "");
    }
}
