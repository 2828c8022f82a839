//! Lines of text, put together from prepared pieces and numbers.
//!
//! Promises exact decimals: integer arithmetic only, at least one digit after the point, no trailing zeros beyond it. Every
//! piece is copied in chunks of constant size, which costs a fraction of what copies of a few bytes of any size cost: rows
//! are made of twenty such pieces, and there are millions of rows.

use std::io::{self, Write};

use nandseq_profile::Ticks;
use nandseq_profile::units::TICKS_PER_US;

/// Bytes that are gathered before they are handed on.
const BLOCK: usize = 64 * 1024;
/// Bytes of a text that are copied at once.
const CHUNK: usize = 32;

/// The first number of nine digits.
const EIGHT_DIGITS: u64 = 100_000_000;
/// `00000000`
const ZEROS: u64 = u64::from_le_bytes([b'0'; 8]);

/// A text that is copied often.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    /// Filled up with zeros.
    chunks: Box<[[u8; CHUNK]]>,
    len: usize,
}

impl Text {
    pub(crate) fn new(text: &[u8]) -> Self {
        let chunks = text.chunks(CHUNK).map(|part| {
            let mut chunk = [0; CHUNK];
            chunk[..part.len()].copy_from_slice(part);
            chunk
        });
        Self { chunks: chunks.collect(), len: text.len() }
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::new(text.as_bytes())
    }
}

/// Times whose text is remembered. Planes share the times of an operation, operations the lengths of their phases: most
/// times are among the last few.
const REMEMBERED: usize = 64;

/// The text of a time.
#[derive(Clone, Copy, Debug)]
struct TimeText {
    time: Ticks,
    text: [u8; CHUNK],
    len: u8,
}

/// Lines on their way to a file.
#[derive(Clone, Debug)]
pub(crate) struct Lines {
    times: [TimeText; REMEMBERED],
    /// What is written behind `len` means nothing.
    bytes: Vec<u8>,
    len: usize,
}

impl Lines {
    /// Begins with a header.
    pub(crate) fn new(header: &str) -> Self {
        let mut zero = [0; CHUNK];
        zero[..3].copy_from_slice(b"0.0");
        let zero = TimeText { time: Ticks::ZERO, text: zero, len: 3 };
        let mut lines = Self { times: [zero; REMEMBERED], bytes: vec![0; BLOCK + BLOCK / 8], len: 0 };
        lines.slice(header.as_bytes());
        lines
    }

    /// Hands everything on if it is enough for a block.
    pub(crate) fn hand_on_block(&mut self, output: &mut impl Write) -> io::Result<()> {
        if self.len >= BLOCK { self.hand_on(output) } else { Ok(()) }
    }

    /// Hands everything on.
    pub(crate) fn hand_on(&mut self, output: &mut impl Write) -> io::Result<()> {
        output.write_all(&self.bytes[..self.len])?;
        self.len = 0;
        Ok(())
    }

    /// The next `N` bytes, to be written over.
    fn room<const N: usize>(&mut self) -> &mut [u8; N] {
        if self.bytes.len() < self.len + N {
            self.grow(N);
        }
        match self.bytes[self.len..].first_chunk_mut() {
            Some(room) => room,
            None => unreachable!("there are at least N bytes"),
        }
    }

    #[cold]
    fn grow(&mut self, extra: usize) {
        self.bytes.resize(2 * (self.len + extra), 0);
    }

    /// Appends bytes of any number.
    pub(crate) fn slice(&mut self, bytes: &[u8]) {
        if self.bytes.len() < self.len + bytes.len() {
            self.grow(bytes.len());
        }
        self.bytes[self.len..self.len + bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
    }

    /// Appends a few bytes of a number that the compiler knows.
    pub(crate) fn put<const N: usize>(&mut self, bytes: &[u8; N]) {
        *self.room() = *bytes;
        self.len += N;
    }

    /// Appends a prepared text.
    pub(crate) fn text(&mut self, text: &Text) {
        let end = self.len + text.len;
        for chunk in &text.chunks {
            *self.room() = *chunk;
            self.len += CHUNK;
        }
        self.len = end;
    }

    /// Appends an integer in decimal.
    pub(crate) fn integer(&mut self, value: u64) {
        if value < EIGHT_DIGITS {
            let digits = eight_digits(value as u32);
            // The last digit stays, also of 0.
            let zeros = (digits | 1 << 56).trailing_zeros() / 8;
            *self.room() = ((digits + ZEROS) >> (8 * zeros)).to_le_bytes();
            self.len += 8 - zeros as usize;
        } else {
            self.integer(value / EIGHT_DIGITS);
            self.put(&(eight_digits((value % EIGHT_DIGITS) as u32) + ZEROS).to_le_bytes());
        }
    }

    /// Appends `,` and an integer.
    pub(crate) fn next_integer(&mut self, value: u64) {
        self.put(b",");
        self.integer(value);
    }

    /// Appends a time in µs: `500.0`, `7500.085`.
    pub(crate) fn us(&mut self, time: Ticks) {
        // Any spread will do; that of a multiplication by 2^64 divided by the golden ratio is even.
        let place = (time.0.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58) as usize % REMEMBERED;
        let known = &self.times[place];
        if known.time == time {
            let (text, len) = (known.text, known.len);
            *self.room() = text;
            self.len += usize::from(len);
        } else {
            self.new_us(time, place);
        }
    }

    /// Appends a time in µs and remembers its text.
    fn new_us(&mut self, time: Ticks, place: usize) {
        let start = self.len;
        self.integer(time.0 / TICKS_PER_US);
        self.put(b".");
        let digits = eight_digits((time.0 % TICKS_PER_US) as u32 * 100);
        // The first digit stays, also of 0.
        let zeros = (digits | 1).leading_zeros() / 8;
        *self.room() = (digits + ZEROS).to_le_bytes();
        self.len += 8 - zeros as usize;
        // At most 21 bytes; what follows them means nothing.
        let len = self.len - start;
        self.len = start;
        let text = *self.room();
        self.times[place] = TimeText { time, text, len: len as u8 };
        self.len = start + len;
    }

    /// Appends a number of hundredths up to 100: `0.0`, `0.37`, `1.0`.
    pub(crate) fn hundredths(&mut self, hundredths: u8) {
        let (tens, ones) = (b'0' + hundredths / 10 % 10, b'0' + hundredths % 10);
        *self.room() = [b'0' + hundredths / 100, b'.', tens, ones];
        self.len += if ones == b'0' { 3 } else { 4 };
    }
}

/// The digits of a number below 10^8, the first one in the lowest byte; by arithmetic in the lanes of one word, since loops
/// over digits are what a table's time would otherwise go into.
const fn eight_digits(value: u32) -> u64 {
    // Two lanes of four digits: high ones first.
    let fours = (value / 10_000) as u64 | ((value % 10_000) as u64) << 32;
    // Four lanes of two digits: n / 100 = n × 10,486 / 2^20 for n < 10^4.
    let hundreds = ((fours * 10_486) >> 20) & 0x7f_0000_007f;
    let twos = hundreds | (fours - hundreds * 100) << 16;
    // Eight lanes of one digit: n / 10 = n × 103 / 2^10 for n < 100.
    let tens = ((twos * 103) >> 10) & 0x000f_000f_000f_000f;
    tens | (twos - tens * 10) << 8
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]
    use super::*;
    use proptest::prelude::*;

    fn written(write: impl FnOnce(&mut Lines)) -> String {
        let (mut lines, mut output) = (Lines::new(""), Vec::new());
        write(&mut lines);
        lines.hand_on(&mut output).unwrap();
        String::from_utf8(output).unwrap()
    }

    fn us(ticks: u64) -> String {
        written(|lines| lines.us(Ticks(ticks)))
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
            assert_eq!(written(|lines| lines.hundredths(hundredths)), text);
        }
    }

    #[test]
    fn integers_of_every_length_are_written() {
        for power in 0..=19 {
            let power = 10u64.pow(power);
            for value in [power - 1, power, power + 1, power.saturating_mul(9)] {
                assert_eq!(written(|lines| lines.integer(value)), value.to_string());
            }
        }
        assert_eq!(written(|lines| lines.next_integer(u64::MAX)), format!(",{}", u64::MAX));
    }

    #[test]
    fn every_number_of_four_digits_is_split_right_in_both_lanes() {
        for value in 0..10_000 {
            for number in [value, value * 10_000 + 9_999] {
                let digits = (eight_digits(number) + ZEROS).to_le_bytes();
                assert_eq!(String::from_utf8(digits.to_vec()).unwrap(), format!("{number:08}"));
            }
        }
    }

    #[test]
    fn lines_hold_texts_of_any_length() {
        let long = "0123456789".repeat(20_000);
        let (mut lines, mut output) = (Lines::new("head\n"), Vec::new());
        for len in [0, 1, 31, 32, 33, 64, 100, 200_000] {
            lines.text(&Text::new(&long.as_bytes()[..len]));
            lines.put(b",");
            lines.slice(&long.as_bytes()[..len]);
            lines.put(b"\n");
        }
        lines.hand_on_block(&mut output).unwrap();
        let text = String::from_utf8(output).unwrap();
        let mut rows = text.lines();
        assert_eq!(rows.next(), Some("head"));
        for (row, len) in rows.zip([0, 1, 31, 32, 33, 64, 100, 200_000]) {
            assert_eq!(row, format!("{0},{0}", &long[..len]));
        }
        assert_eq!(text.lines().count(), 9);
    }

    proptest! {
        #[test]
        fn integers_read_back(value in any::<u64>()) {
            prop_assert_eq!(written(|lines| lines.integer(value)), value.to_string());
        }

        #[test]
        fn times_that_come_again_are_written_again(times in prop::collection::vec(0u64..200, 0..1000)) {
            let expected: Vec<String> = times.iter().map(|&time| us(time * 1_234_567)).collect();
            let all = written(|lines| times.iter().for_each(|&time| {
                lines.us(Ticks(time * 1_234_567));
                lines.put(b" ");
            }));
            prop_assert_eq!(all.split_whitespace().collect::<Vec<_>>(), expected);
        }

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
