//! Numbers as text, appended to a line.
//!
//! Promises exact decimals: integer arithmetic only, at least one digit after the point, no trailing zeros beyond it.

use nandseq_profile::Ticks;
use nandseq_profile::units::TICKS_PER_US;

/// The two digits of each number below 100.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
    let mut at = 0;
    while at < 100 {
        pairs[at] = [b'0' + (at / 10) as u8, b'0' + (at % 10) as u8];
        at += 1;
    }
    pairs
};

/// Appends an integer in decimal.
pub(crate) fn append_integer(value: u64, line: &mut Vec<u8>) {
    if value < 10 {
        line.push(b'0' + value as u8);
    } else {
        line.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
    }
}

/// Appends a time in µs: `500.0`, `7500.085`.
pub(crate) fn append_us(time: Ticks, line: &mut Vec<u8>) {
    append_integer(time.0 / TICKS_PER_US, line);
    let fraction = (time.0 % TICKS_PER_US) as usize;
    let [a, b] = PAIRS[fraction / 10_000];
    let [c, d] = PAIRS[fraction / 100 % 100];
    let [e, f] = PAIRS[fraction % 100];
    let digits = [b'.', a, b, c, d, e, f];
    let zeros = digits[2..].iter().rev().take_while(|&&digit| digit == b'0').count();
    line.extend_from_slice(&digits[..digits.len() - zeros]);
}

/// Appends a number of hundredths up to 100: `0.0`, `0.37`, `1.0`.
pub(crate) fn append_hundredths(hundredths: u8, line: &mut Vec<u8>) {
    let [tens, ones] = PAIRS[usize::from(hundredths % 100)];
    line.extend_from_slice(&[b'0' + hundredths / 100, b'.', tens]);
    if ones != b'0' {
        line.push(ones);
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]
    use super::*;
    use proptest::prelude::*;

    fn us(ticks: u64) -> String {
        let mut line = Vec::new();
        append_us(Ticks(ticks), &mut line);
        String::from_utf8(line).unwrap()
    }

    #[test]
    fn microseconds_have_at_least_one_decimal_and_no_needless_zeros() {
        for (ticks, text) in [
            (0, "0.0"),
            (500_000_000, "500.0"),
            (7_500_085_000, "7500.085"),
            (9_824_400, "9.8244"),
            (100_000, "0.1"),
            (10, "0.00001"),
            (1, "0.000001"),
            (u64::MAX, "18446744073709.551615"),
        ] {
            assert_eq!(us(ticks), text);
        }
    }

    #[test]
    fn hundredths_print_as_fractions() {
        for (hundredths, text) in [(0, "0.0"), (1, "0.01"), (10, "0.1"), (37, "0.37"), (99, "0.99"), (100, "1.0")] {
            let mut line = Vec::new();
            append_hundredths(hundredths, &mut line);
            assert_eq!(String::from_utf8(line).unwrap(), text);
        }
    }

    proptest! {
        #[test]
        fn microseconds_read_back_exactly(ticks in any::<u64>()) {
            let text = us(ticks);
            let (whole, fraction) = text.split_once('.').unwrap();
            let padded = format!("{fraction:0<6}");
            prop_assert_eq!(whole.parse::<u64>().unwrap() * 1_000_000 + padded.parse::<u64>().unwrap(), ticks);
            prop_assert!(fraction == "0" || !fraction.ends_with('0'));
        }
    }
}
