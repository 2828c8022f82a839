//! Reading whole numbers as people write them: `1019`, `1_000`, `0x90`, `0o17`, `0b1`.
//!
//! A text is accepted only if all readers of YAML that take it for a number read the same number. Leading zeros (octal in YAML
//! 1.1) and sexagesimal numbers (`1:30`, 90 in YAML 1.1) are refused, with the values that different readers read. On a command
//! line [`count`] accepts powers of ten, too.

use std::borrow::Cow;

/// Why a text is refused as a whole number.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NotWhole {
    /// No reader takes the text for a whole number.
    NotANumber,
    /// The number has leading zeros.
    LeadingZeros {
        /// The value as a decimal number.
        decimal: String,
        /// The value as an octal number, as YAML 1.1 reads it. `None` if a digit is 8 or 9: YAML 1.1 then reads a text.
        octal: Option<String>,
    },
    /// The text is a sexagesimal number in YAML 1.1: digits in groups of 60.
    Sexagesimal {
        /// The value that YAML 1.1 reads.
        value: String,
    },
}

/// Reads a whole number of a file. `Ok(None)` stands for a number below 0 or above `u64::MAX`.
///
/// # Errors
/// [`NotWhole`] if the text is not a whole number, or if readers of YAML read it differently.
pub fn whole(text: &str) -> Result<Option<u64>, NotWhole> {
    if let Some(unclear) = ambiguous(text) {
        return Err(unclear);
    }
    let (negative, unsigned) = sign(text);
    let (radix, digits) = match unsigned.get(..2) {
        Some("0x" | "0X") => (16, &unsigned[2..]),
        Some("0o" | "0O") => (8, &unsigned[2..]),
        Some("0b" | "0B") => (2, &unsigned[2..]),
        _ => (10, unsigned),
    };
    let digits = ungrouped_in(radix, digits).ok_or(NotWhole::NotANumber)?;
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return Err(NotWhole::NotANumber);
    }
    Ok(u64::from_str_radix(&digits, radix).ok().filter(|&value| !negative || value == 0))
}

/// Reads a count of a command line: a whole number, also with `_` between its digits or with an exponent (`1_000`, `1e6`,
/// `2.5e3`). `None` if the text is not such a number, has a leading zero (see [`leading_zero`]), or is above `u64::MAX`.
#[must_use]
pub fn count(text: &str) -> Option<u64> {
    if ambiguous(text).is_some() {
        return None;
    }
    let digits = ungrouped(text.strip_prefix('+').unwrap_or(text))?;
    let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<u32>().ok().filter(|&exponent| exponent <= 40)?),
        None => (&*digits, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = [whole, fraction].concat();
    if whole.is_empty() || mantissa.ends_with('.') || !all.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    // Trailing zeros of the fraction do not count. The exponent must be at least the number of the other decimals.
    let decimals = fraction.trim_end_matches('0').len();
    let zeros = (exponent as usize).checked_sub(decimals)?;
    let significant = &all[..whole.len() + decimals];
    let value: u64 = significant.parse().ok()?;
    u32::try_from(zeros)
        .ok()
        .and_then(|zeros| if value == 0 { Some(0) } else { value.checked_mul(10_u64.checked_pow(zeros)?) })
}

/// What is wrong with a number that begins with a zero before other digits, with both readings, and how to write what is meant.
#[must_use]
pub fn leading_zero(text: &str) -> Option<(String, String)> {
    let Some(NotWhole::LeadingZeros { decimal, octal }) = ambiguous(text) else { return None };
    let (other, write) = match octal {
        Some(octal) if octal == decimal => ("and as an octal one".to_owned(), format!("write `{decimal}`")),
        Some(octal) => {
            (format!("but {octal} as an octal one"), format!("write `{decimal}` or `{octal}`, whichever is meant"))
        }
        None => ("and no octal number has such a digit".to_owned(), format!("write `{decimal}`")),
    };
    Some((format!("has a leading zero: `{text}` is {decimal} as a decimal number, {other}"), write))
}

/// The same on one line.
#[must_use]
pub fn leading_zero_line(text: &str) -> Option<String> {
    leading_zero(text).map(|(what, write)| format!("it {what}; {write}"))
}

/// What readers of YAML disagree about in a text that should be a number, if they do. A number with a fraction or an exponent is
/// decimal to all of them, whatever zeros it begins with.
pub(crate) fn ambiguous(text: &str) -> Option<NotWhole> {
    let (_, unsigned) = sign(text);
    if unsigned.contains(':') {
        return sexagesimal(unsigned).map(|value| NotWhole::Sexagesimal { value });
    }
    let digits = ungrouped(unsigned)?;
    if digits.len() < 2 || !digits.starts_with('0') || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let stripped = digits.trim_start_matches('0');
    let decimal = if stripped.is_empty() { "0" } else { stripped };
    let octal = u128::from_str_radix(decimal, 8).ok().map(|value| value.to_string());
    Some(NotWhole::LeadingZeros { decimal: decimal.to_owned(), octal })
}

/// The value of digits in groups of 60, as YAML 1.1 reads them: `1:30`, `1:30:15.5`.
fn sexagesimal(text: &str) -> Option<String> {
    let (whole, fraction) = text.split_once('.').map_or((text, ""), |(whole, _)| (whole, &text[whole.len()..]));
    let mut groups = whole.split(':');
    let is_number =
        |group: &str| !group.is_empty() && group.len() < 10 && group.bytes().all(|digit| digit.is_ascii_digit());
    let first: u64 = groups.next().filter(|group| is_number(group))?.parse().ok()?;
    let value = groups.try_fold(first, |value, group| {
        let group: u64 = group.parse().ok().filter(|&number| is_number(group) && number < 60)?;
        value.checked_mul(60)?.checked_add(group)
    })?;
    let digits = fraction.bytes().skip(1).all(|digit| digit.is_ascii_digit());
    digits.then(|| format!("{value}{fraction}"))
}

fn sign(text: &str) -> (bool, &str) {
    match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    }
}

/// The text of a decimal number without the `_` between its digits. `None` if a `_` is not between two digits.
#[must_use]
pub fn ungrouped(text: &str) -> Option<Cow<'_, str>> {
    ungrouped_in(10, text)
}

fn ungrouped_in(radix: u32, text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('_') {
        return Some(Cow::Borrowed(text));
    }
    let parts = || text.split('_');
    let digit = |c: Option<char>| c.is_some_and(|c| c.is_digit(radix));
    let between =
        parts().zip(parts().skip(1)).all(|(left, right)| digit(left.chars().last()) && digit(right.chars().next()));
    between.then(|| Cow::Owned(text.replace('_', "")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_read_in_every_form_that_all_readers_agree_on() {
        for (text, value) in [
            ("0", 0),
            ("7", 7),
            ("+7", 7),
            ("-0", 0),
            ("1019", 1019),
            ("1_000", 1_000),
            ("1_0_0", 100),
            ("0x90", 0x90),
            ("0X9f", 0x9f),
            ("0xFF_00", 0xff00),
            ("0o17", 15),
            ("0b101", 5),
            ("18446744073709551615", u64::MAX),
        ] {
            assert_eq!(whole(text), Ok(Some(value)), "{text}");
        }
        for text in ["-1", "-0x1", "18446744073709551616", "0x1_0000_0000_0000_0000"] {
            assert_eq!(whole(text), Ok(None), "{text}");
        }
        for text in [
            "", "+", "-", "0x", "0xg", "0o8", "0b2", "_1", "1_", "1__0", "0x_1", "0_x1", "0b1_2", "a_b", "1.0", "1e3",
            "x", "½", "١", "--1",
        ] {
            assert_eq!(whole(text), Err(NotWhole::NotANumber), "{text}");
        }
    }

    #[test]
    fn an_underscore_stands_between_two_digits() {
        for (text, digits) in [("1_000", "1000"), ("1_0.2_5e1_0", "10.25e10"), ("1e3", "1e3")] {
            assert_eq!(ungrouped(text).as_deref(), Some(digits), "{text}");
        }
        for text in ["1_e3", "1e_3", "1_e-1", "a_b", "f_f", "1_.5", "1._5", "_1", "1_"] {
            assert_eq!(ungrouped(text), None, "{text}");
        }
    }

    #[test]
    fn what_readers_disagree_about_is_told_in_both_readings() {
        let zeros = |decimal: &str, octal: Option<&str>| {
            Err(NotWhole::LeadingZeros { decimal: decimal.to_owned(), octal: octal.map(str::to_owned) })
        };
        assert_eq!(whole("010"), zeros("10", Some("8")));
        assert_eq!(whole("+010"), zeros("10", Some("8")));
        assert_eq!(whole("01_000"), zeros("1000", Some("512")));
        assert_eq!(whole("007"), zeros("7", Some("7")));
        assert_eq!(whole("00"), zeros("0", Some("0")));
        assert_eq!(whole("019"), zeros("19", None));
        let sixties = |value: &str| Err(NotWhole::Sexagesimal { value: value.to_owned() });
        assert_eq!(whole("1:30"), sixties("90"));
        assert_eq!(whole("1:02:03"), sixties("3723"));
        assert_eq!(ambiguous("1:30.5"), Some(NotWhole::Sexagesimal { value: "90.5".to_owned() }));
        for text in ["1:60", ":30", "1:", "a:b", "1:30.x"] {
            assert_eq!(whole(text), Err(NotWhole::NotANumber), "{text}");
        }
        for text in ["010.5", "0.10", "010e1", "0", "0x010"] {
            assert_eq!(ambiguous(text), None, "{text}");
        }
    }

    #[test]
    fn counts_of_a_command_line_may_be_grouped_or_powers_of_ten() {
        for (text, value) in [
            ("0", 0),
            ("1000000", 1_000_000),
            ("1e6", 1_000_000),
            ("1E6", 1_000_000),
            ("1_000_000", 1_000_000),
            ("2.5e3", 2_500),
            ("1.50e1", 15),
            ("1.0", 1),
            ("0e40", 0),
            ("+5", 5),
            ("18446744073709551615", u64::MAX),
        ] {
            assert_eq!(count(text), Some(value), "{text}");
        }
        for text in [
            "", "e6", "1e", "1e-3", "1e41", "2.5", "2.55e1", "1e20", "-1", "1.", ".5e1", "1_", "_1", "1__0", "1e6e6",
            "x", "1 000", "010", "00", "+01", "01_000", "1_e3", "1e_3", "1_.5e3", "1._5e3",
        ] {
            assert_eq!(count(text), None, "{text}");
        }
    }
}
