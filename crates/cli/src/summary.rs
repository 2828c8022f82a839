//! What was done, on one screen.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use nandseq_profile::diagnostic::counted;
use nandseq_profile::{BaseId, OpId};

use crate::execute::Totals;
use crate::plan::{Batch, Part, Plan};
use crate::progress::plural;

/// Lines of each list before the rest is summed up.
const SHOWN: usize = 10;
/// The same for what failed most often.
const SHOWN_REJECTIONS: usize = 4;

/// The summary of a finished plan, with a final newline.
pub(crate) fn text(plan: &Plan, totals: &Totals, elapsed: Duration) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write_summary(&mut text, plan, totals, elapsed);
    text
}

fn write_summary(text: &mut String, plan: &Plan, totals: &Totals, elapsed: Duration) -> std::fmt::Result {
    let seconds = elapsed.as_secs_f64();
    let (sites, runs) = (plan.sites.len() as u64, plan.num_runs);
    if let (true, Some(Batch { count, part: Part::Shard(shard), .. })) = (plan.sites.is_empty(), &plan.batch) {
        return writeln!(text, "Shard {shard} holds none of the {}: nothing was made", counted(*count, "site"));
    }
    let s = plural(totals.ops);
    write!(text, "{} operation{s} in {runs} run{}", grouped(totals.ops), plural(runs))?;
    if plan.batch.is_some() {
        write!(text, " of each of {sites} site{}", plural(sites))?;
    }
    let rate = grouped((totals.ops as f64 / seconds.max(1e-3)) as u64);
    writeln!(text, ", {seconds:.2} s, {rate} operations/s{}", plan.loaded_files())?;
    write_covered(text, plan, totals)?;
    write_families(text, plan, totals)?;
    write_rejections(text, plan, totals)?;
    write_absent(text, plan, totals)?;
    let files = totals.files;
    writeln!(
        text,
        "Written: {} file{}, {} in {}",
        grouped(files),
        plural(files),
        size(totals.bytes),
        plan.out_dir.display()
    )?;
    writeln!(text, "manifest.json in each folder says how to make its files again; to judge them by every rule:")?;
    writeln!(text, "  {}", verify_command(plan))
}

/// The command that judges what was written.
fn verify_command(plan: &Plan) -> String {
    let config = plan.config.as_ref().map_or_else(String::new, |path| format!("--config {} ", path.display()));
    let lenient = if plan.lenient { "--lenient " } else { "" };
    format!("nandseqgen verify {config}{lenient}{}", plan.out_dir.display())
}

/// How much of what can be covered each site has.
fn write_covered(text: &mut String, plan: &Plan, totals: &Totals) -> std::fmt::Result {
    let (Some(closure), Some(least), Some(most)) = (&plan.closure, extreme(totals, false), extreme(totals, true))
    else {
        return Ok(());
    };
    let cells = closure.goal.cells();
    let percent = |hit: u64| 100.0 * hit as f64 / cells.max(1) as f64;
    if totals.reached.len() == 1 {
        writeln!(text, "Covered: {} of {} cells, {:.2} %", grouped(most), grouped(cells), percent(most))
    } else {
        let (least, most) = (percent(least), percent(most));
        writeln!(text, "Covered: {least:.2} to {most:.2} % of {} cells, each site for itself", grouped(cells))
    }
}

/// The most, or the fewest, cells that a site has covered.
fn extreme(totals: &Totals, most: bool) -> Option<u64> {
    let hits = totals.reached.iter().map(|reached| reached.hit);
    if most { hits.max() } else { hits.min() }
}

/// What is to be said when a limit came before the coverage that was asked for.
pub(crate) fn shortfall(plan: &Plan, totals: &Totals) -> Option<String> {
    let closure = plan.closure.as_ref()?;
    let (share, until) = (closure.share?, closure.until()?);
    let short = totals.reached.iter().filter(|reached| reached.hit < until).count() as u64;
    let (sites, cells) = (totals.reached.len(), closure.goal.cells());
    let who = match (short, sites) {
        (0, _) => return None,
        (1, 1) => "the limit of the runs came".to_owned(),
        _ => format!("at {short} of {sites} sites the limit of the runs came"),
    };
    Some(format!("{who} before {share} % of {cells} cells were covered: raise -t, --ops or --num-runs"))
}

fn write_families(text: &mut String, plan: &Plan, totals: &Totals) -> std::fmt::Result {
    let mut by_base: BTreeMap<BaseId, u64> = BTreeMap::new();
    for ((_, op), count) in plan.profile.ops.iter_ids().zip(&totals.by_op) {
        *by_base.entry(op.base).or_default() += count;
    }
    let counts = by_base.into_iter().map(|(base, count)| (plan.profile.bases[base].name.clone(), count)).collect();
    write_counts(text, "By base:", counts, SHOWN)
}

fn write_rejections(text: &mut String, plan: &Plan, totals: &Totals) -> std::fmt::Result {
    let mut by_reason: BTreeMap<&str, u64> = BTreeMap::new();
    for ((_, _, reason), count) in &totals.rejections {
        *by_reason.entry(reason.code()).or_default() += count;
    }
    let counts = by_reason.into_iter().map(|(reason, count)| (reason.to_owned(), count)).collect();
    write_counts(text, "Proposals that failed, by reason:", counts, SHOWN)?;
    let name =
        |key, op, reason: &str| format!("{} {} {reason}", plan.profile.phase_keys[key].name, plan.profile.ops[op].name);
    let counts = totals.rejections.iter().map(|(&(key, op, reason), &count)| (name(key, op, reason.code()), count));
    write_counts(text, "The most frequent, by phase key and operation:", counts.collect(), SHOWN_REJECTIONS)
}

/// Which operations never started, and what was in the way of each most often; those that were refused first.
fn write_absent(text: &mut String, plan: &Plan, totals: &Totals) -> std::fmt::Result {
    let mut refused: BTreeMap<OpId, BTreeMap<&str, u64>> = BTreeMap::new();
    for (&(_, op, reason), count) in &totals.rejections {
        *refused.entry(op).or_default().entry(reason.code()).or_default() += count;
    }
    let names = plan.profile.ops.iter_ids().zip(&totals.by_op);
    let mut absent: Vec<(u64, &str, Option<&str>)> = names
        .filter(|(_, count)| **count == 0)
        .map(|((id, op), _)| {
            let reasons = refused.get(&id);
            let times = reasons.map_or(0, |reasons| reasons.values().sum());
            let most = reasons.and_then(|reasons| reasons.iter().max_by_key(|&(code, count)| (count, Reverse(code))));
            (times, &*op.name, most.map(|(&code, _)| code))
        })
        .collect();
    if absent.is_empty() {
        return Ok(());
    }
    absent.sort_by_key(|&(times, name, _)| (Reverse(times), name));
    writeln!(text, "Never started: {} of {} operations", absent.len(), plan.profile.ops.len())?;
    let shown = &absent[..absent.len().min(SHOWN_REJECTIONS)];
    let width = shown.iter().map(|(_, name, _)| name.chars().count()).max().unwrap_or(0);
    for (times, name, reason) in shown {
        match reason {
            Some(code) => {
                writeln!(text, "  {name:width$}  refused {} time{}, mostly {code}", grouped(*times), plural(*times))?;
            }
            None => writeln!(text, "  {name:width$}  never drawn")?,
        }
    }
    let more = absent.len() - shown.len();
    if more > 0 {
        writeln!(
            text,
            "  {more} more: the proposer logs name all; `nandseqgen profile check --pairs` says what can never start, and why"
        )?;
    }
    Ok(())
}

/// A list of counts, the largest first; nothing when all are zero.
fn write_counts(text: &mut String, title: &str, mut counts: Vec<(String, u64)>, shown: usize) -> std::fmt::Result {
    counts.retain(|&(_, count)| count > 0);
    if counts.is_empty() {
        return Ok(());
    }
    let total: u64 = counts.iter().map(|(_, count)| count).sum();
    counts.sort_by(|(a_name, a), (b_name, b)| b.cmp(a).then_with(|| a_name.cmp(b_name)));
    let rest = counts.split_off(counts.len().min(shown));
    if !rest.is_empty() {
        counts.push((format!("{} more", rest.len()), rest.iter().map(|(_, count)| count).sum()));
    }
    let width = counts.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    writeln!(text, "{title}")?;
    for (name, count) in counts {
        let share = 100.0 * count as f64 / total as f64;
        writeln!(text, "  {name:width$}  {:>14}  {share:>5.1} %", grouped(count))?;
    }
    Ok(())
}

/// A number with its digits in groups of three.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn size(bytes: u64) -> String {
    match bytes {
        0..10_000 => format!("{} bytes", grouped(bytes)),
        10_000..10_000_000 => format!("{} kB", grouped(bytes / 1_000)),
        _ => format!("{} MB", grouped(bytes / 1_000_000)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_in_threes() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (12_345_678, "12,345,678")] {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn the_largest_counts_come_first_and_the_rest_is_summed_up() {
        let counts = (0..13).map(|at| (format!("B{at:02}"), at)).collect();
        let mut text = String::new();
        write_counts(&mut text, "Title:", counts, SHOWN).expect("strings take everything");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 12, "{text}");
        assert_eq!(lines[0], "Title:");
        assert!(lines[1].starts_with("  B12  "), "{text}");
        assert!(lines[11].starts_with("  2 more") && lines[11].contains("  3  "), "{text}");
    }

    #[test]
    fn nothing_counted_is_not_shown() {
        let mut text = String::new();
        write_counts(&mut text, "Title:", vec![("A".into(), 0)], SHOWN).expect("strings take everything");
        assert_eq!(text, "");
    }
}
