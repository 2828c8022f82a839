//! Values of a plan: shares and positions in percent, ranges of numbers, ranges of times.

use nandseq_profile::diagnostic::quoted;
use nandseq_profile::units::TimeError;
use nandseq_profile::whole;
use nandseq_profile::yaml::Node;
use nandseq_profile::{Diagnostic, Diagnostics, Ticks};

use super::names::texts;
use crate::model::{NumberRanges, WHOLE};

/// A share in percent: `50 %`, `0.5%`. The result is in millionths.
pub(super) fn percent(node: &Node, what: &str, diagnostics: &mut Diagnostics) -> Option<u32> {
    let text = node.expect_str(what, diagnostics)?;
    let share = text.trim().strip_suffix('%').and_then(|number| millionths(number.trim()));
    let Some(share) = share else {
        let message = format!("{} must be a share in percent, not {}", quoted(what), quoted(text));
        let help = match millionths(text.trim()) {
            Some(_) => format!("write `{what}: {} %`", text.trim()),
            None => "a share is from `0 %` to `100 %`, with at most 4 decimals".to_owned(),
        };
        diagnostics.push(Diagnostic::error("bad-percent", message).at(node.span, "").help(help));
        return None;
    };
    Some(share)
}

/// A share in percent above 0.
pub(super) fn percent_above_0(node: &Node, what: &str, diagnostics: &mut Diagnostics) -> Option<u32> {
    let share = percent(node, what, diagnostics)?;
    if share == 0 {
        let message = format!("{} must be above 0 %", quoted(what));
        diagnostics.push(Diagnostic::error("out-of-range", message).at(node.span, ""));
        return None;
    }
    Some(share)
}

/// Two shares, the first below the second: `0-10 %`. The results are in millionths.
pub fn percent_range(node: &Node, what: &str, diagnostics: &mut Diagnostics) -> Option<(u32, u32)> {
    let text = node.expect_str(what, diagnostics)?;
    let parts = text.trim().strip_suffix('%').and_then(|text| text.split_once('-'));
    let parts = parts.and_then(|(from, to)| {
        let from = from.trim();
        Some((millionths(from.strip_suffix('%').unwrap_or(from).trim())?, millionths(to.trim())?))
    });
    let found = parts.filter(|(from, to)| from < to);
    if found.is_none() {
        let message = format!("{} must be a part of a phase such as `0-10 %`, not {}", quoted(what), quoted(text));
        let help = "write the lower number first; both are from 0 to 100, with at most 4 decimals";
        diagnostics.push(Diagnostic::error("bad-percent", message).at(node.span, "").help(help));
    }
    found
}

/// A number of percent in millionths of the whole. `None` if it is no plain decimal number, above 100 or too fine.
fn millionths(text: &str) -> Option<u32> {
    let (whole, decimals) = text.split_once('.').map_or((text, ""), |(whole, decimals)| (whole, decimals));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let leading_zero = whole.len() > 1 && whole.starts_with('0');
    if !(1..=3).contains(&whole.len()) || leading_zero || decimals.len() > 4 || text.ends_with('.') {
        return None;
    }
    let number = [whole, decimals, &"0000"[decimals.len()..]].concat();
    number.parse().ok().filter(|&share| digits(&number) && share <= WHOLE)
}

/// Numbers below `count`, as ranges: `3`, `0-15`, `0,5-1019`, or a list of such texts. `noun` says what is numbered: "block".
pub fn ranges(
    node: &Node,
    (what, noun): (&str, &str),
    count: u32,
    diagnostics: &mut Diagnostics,
) -> Option<NumberRanges> {
    let mark = diagnostics.mark();
    let mut found: Vec<(u32, u32)> = Vec::new();
    for (text, at) in texts(node, what, diagnostics)? {
        for part in text.split(',') {
            let number = |text: &str| whole::whole(text.trim()).ok().flatten();
            let (from, to) =
                part.split_once('-').map_or((number(part), number(part)), |(from, to)| (number(from), number(to)));
            let Some((from, to)) = from.zip(to) else {
                let message =
                    format!("{} must be numbers or ranges such as `0-15`, not {}", quoted(what), quoted(part.trim()));
                let help = "several ranges are `\"0,5-1019\"` in quotes, or a list: `[0, 5-1019]`";
                diagnostics.push(Diagnostic::error("bad-range", message).at(at, "").help(help));
                continue;
            };
            let last = count.saturating_sub(1);
            if from > to {
                let message = format!("the range {} ends before it begins", quoted(part.trim()));
                let help = format!("write `{to}-{from}`");
                diagnostics.push(Diagnostic::error("bad-range", message).at(at, "").help(help));
            } else if let Some((from, to)) =
                u32::try_from(from).ok().zip(u32::try_from(to).ok()).filter(|of| of.1 <= last)
            {
                found.push((from, to));
            } else {
                let message = format!("there is no {noun} {to}: the device has the {noun}s 0 to {last}");
                diagnostics.push(Diagnostic::error("out-of-range", message).at(at, ""));
            }
        }
    }
    if found.is_empty() && !diagnostics.errors_since(mark) {
        let message = format!("{} lists no number", quoted(what));
        diagnostics.push(Diagnostic::error("bad-range", message).at(node.span, ""));
    }
    if diagnostics.errors_since(mark) { None } else { Some(merged(found)) }
}

/// Ranges in ascending order, with those that touch or overlap made one.
fn merged(mut ranges: Vec<(u32, u32)>) -> NumberRanges {
    ranges.sort_unstable();
    let mut merged: Vec<(u32, u32)> = Vec::with_capacity(ranges.len());
    for (from, to) in ranges {
        match merged.last_mut() {
            Some(last) if from <= last.1.saturating_add(1) => last.1 = last.1.max(to),
            Some(_) | None => merged.push((from, to)),
        }
    }
    NumberRanges(merged.into_iter().map(|(from, to)| from..=to).collect())
}

/// A range of times in µs: `5` (0 to 5), `10-200`, `10-` (10 or more).
pub fn times(node: &Node, what: &str, diagnostics: &mut Diagnostics) -> Option<(Ticks, Option<Ticks>)> {
    let text = node.expect_str(what, diagnostics)?;
    let (from, to) = text.split_once('-').map_or(("0", text), |(from, to)| (from, to));
    let to = if to.trim().is_empty() { Ok(None) } else { time(to).map(Some) };
    let (message, help) = match (time(from), to) {
        (Ok(from), Ok(Some(to))) if from > to => {
            (format!("the range {} ends before it begins", quoted(text)), "write the shorter time first")
        }
        (Ok(from), Ok(to)) => return Some((from, to)),
        (Err(wrong), _) | (_, Err(wrong)) => (
            format!("{} must be a time or a range of times in µs, not {}: {wrong}", quoted(what), quoted(text)),
            "write `5` for 0 to 5 µs, `10-200` for 10 to 200 µs, `10-` for 10 µs or more",
        ),
    };
    diagnostics.push(Diagnostic::error("bad-time", message).at(node.span, "").help(help));
    None
}

fn time(text: &str) -> Result<Ticks, TimeError> {
    let text = text.trim();
    let leading_zero = text.len() > 1 && text.starts_with('0') && !text.starts_with("0.");
    if leading_zero { Err(TimeError::NotANumber) } else { Ticks::parse_us(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_is_exact_to_four_decimals() {
        for (text, expected) in [
            ("0", Some(0)),
            ("100", Some(WHOLE)),
            ("0.0001", Some(1)),
            ("33.3", Some(333_000)),
            ("100.0001", None),
            ("0.00001", None),
            ("1000", None),
            ("010", None),
            ("5.", None),
            (".5", None),
            ("", None),
            ("-1", None),
            ("1e1", None),
            ("é", None),
        ] {
            assert_eq!(millionths(text), expected, "{text}");
        }
    }

    #[test]
    fn ranges_are_merged_where_they_touch() {
        assert_eq!(merged(vec![(7, 9), (0, 2), (3, 3), (8, 12)]), NumberRanges(vec![0..=3, 7..=12]));
        assert_eq!(merged(vec![(0, u32::MAX), (5, 6)]), NumberRanges(vec![0..=u32::MAX]));
    }
}
