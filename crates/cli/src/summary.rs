//! What was done, on one screen.

mod absent;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use nandseq_profile::BaseId;

use crate::absent::Absences;
use crate::execute::Totals;
use crate::hint::Hint;
use crate::plan::Plan;
use crate::progress::plural;

/// Lines of each list before the rest is summed up.
const SHOWN: usize = 10;
/// The same for what failed most often.
const SHOWN_REJECTIONS: usize = 4;

/// The summary of a finished plan, with a final newline.
pub(crate) fn text(plan: &Plan, totals: &Totals, elapsed: Duration, absences: &Absences<'_>) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write_summary(&mut text, plan, totals, elapsed, absences);
    text
}

fn write_summary(
    text: &mut String,
    plan: &Plan,
    totals: &Totals,
    elapsed: Duration,
    absences: &Absences<'_>,
) -> std::fmt::Result {
    let seconds = elapsed.as_secs_f64();
    let (sites, runs) = (plan.sites.len() as u64, plan.num_runs);
    write!(text, "{} operations in {runs} run{}", grouped(totals.ops), plural(runs))?;
    if plan.batch.is_some() {
        write!(text, " of each of {sites} site{}", plural(sites))?;
    }
    writeln!(text, ", {seconds:.2} s, {} operations/s", grouped((totals.ops as f64 / seconds.max(1e-3)) as u64))?;
    write_covered(text, plan, totals)?;
    write_families(text, plan, totals)?;
    write_rejections(text, plan, totals)?;
    absent::write(text, plan, totals, absences)?;
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

/// The command that judges what was written; the manifests name the bad blocks.
fn verify_command(plan: &Plan) -> Hint {
    Hint::new("verify").flags(&plan.flags.profile()).operand(&plan.out_dir)
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
pub(crate) fn grouped(number: u64) -> String {
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
