//! Forms of values that several flags share: numbers (`1000000`, `1_000_000`, `1e6`), times, names of outputs.
//!
//! Every flag that counts reads numbers in the same way. The error for any other text names the numbers that the flag takes.

use std::ops::RangeInclusive;

use clap::ValueEnum;
use nandseq_profile::Ticks;
use nandseq_profile::units::TimeError;
use nandseq_profile::whole::{count, leading_zero_line, ungrouped};
use nandseq_trace::files::{FileKind, Outputs};

/// Reads whole numbers of a range.
pub(super) fn whole(range: RangeInclusive<u64>) -> impl Fn(&str) -> Result<u64, String> + Clone {
    move |text| {
        let number = count(text).filter(|number| range.contains(number));
        // Any number but one that is too large is compared exactly.
        let is_too_large = || ungrouped(text)?.parse().ok().filter(|number: &f64| *number >= u64::MAX as f64);
        let wrong = || match (range.start(), range.end()) {
            (_, &u64::MAX) if is_too_large().is_some() => format!("too large: the largest is {}", u64::MAX),
            (1, &u64::MAX) => "not a whole number from 1 on".to_owned(),
            (least, most) => format!("not a whole number from {least} to {most}"),
        };
        number.ok_or_else(|| leading_zero_line(text).unwrap_or_else(wrong))
    }
}

/// Reads a number of lines to show.
pub(super) fn lines(text: &str) -> Result<usize, String> {
    whole(0..=u64::from(u32::MAX))(text).map(|number| number as usize)
}

/// Reads a time in µs.
pub(super) fn time(text: &str) -> Result<Ticks, String> {
    let time = ungrouped(text).ok_or(TimeError::NotANumber).and_then(|text| Ticks::parse_us(&text));
    leading_zero_line(text).map_or_else(|| time.map_err(|wrong| wrong.to_string()), Err)
}

/// Reads names of outputs.
pub(super) fn outputs(text: &str) -> Result<Outputs, String> {
    let known = || FileKind::ALL.map(FileKind::name);
    text.split(',')
        .map(|name| {
            let unknown = || {
                let near = nandseq_profile::diagnostic::nearest(name.trim(), known());
                let hint = near.map_or_else(|| known().join(", "), |near| format!("did you mean `{near}`?"));
                format!("there is no output `{}`: {hint}", name.trim())
            };
            FileKind::named(name.trim()).ok_or_else(unknown)
        })
        .collect()
}

/// Forms of a report.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub(crate) enum ReportFormat {
    /// For people
    Text,
    /// For machines
    Json,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times_are_typed_in_any_form() {
        for text in ["1000000", "1_000_000", "1e6", "1.0e6"] {
            assert_eq!(whole(1..=2_000_000)(text), Ok(1_000_000), "{text}");
            assert_eq!(time(text), Ok(Ticks::from_us(1_000_000)), "{text}");
        }
        assert_eq!(time("1_000.5"), Ok(Ticks(1_000_500_000)));
        assert_eq!(time("1__0"), Err(TimeError::NotANumber.to_string()));
    }

    #[test]
    fn what_cannot_be_meant_is_answered_with_what_can() {
        assert_eq!(whole(1..=9)("1e1"), Err("not a whole number from 1 to 9".to_owned()));
        assert_eq!(whole(1..=u64::MAX)("0"), Err("not a whole number from 1 on".to_owned()));
        for text in ["1e30", "18446744073709551616", "18_446_744_073_709_551_616"] {
            assert_eq!(whole(1..=u64::MAX)(text), Err("too large: the largest is 18446744073709551615".to_owned()));
        }
        assert_eq!(whole(1..=u64::MAX)("18446744073709551615"), Ok(u64::MAX));
        assert_eq!(whole(0..=u64::MAX)("1.5"), Err("not a whole number from 0 to 18446744073709551615".to_owned()));
        let zero = "it has a leading zero: `010` is 10 as a decimal number, but 8 as an octal one; write `10` or `8`, whichever is meant";
        assert_eq!(whole(1..=9)("010"), Err(zero.to_owned()));
        assert_eq!(time("010"), Err(zero.to_owned()));
        assert_eq!(time("010.5"), Ok(Ticks(10_500_000)));
    }
}
