//! Lines of text, put together from prepared pieces and numbers.
//!
//! Promises exact decimals: integer arithmetic only, at least one digit after the point, no trailing zeros beyond it. Every
//! piece is copied in chunks of constant size, which costs a fraction of what copies of a few bytes of any size cost: rows
//! are made of twenty such pieces, and there are millions of rows. Room is made once for a row, not for every piece.

use std::io::{self, Write};

use nandseq_profile::Ticks;
use nandseq_profile::units::TICKS_PER_US;

/// Bytes that are gathered before they are handed on.
const BLOCK: usize = 64 * 1024;
/// Bytes of a long text that are copied at once, beyond its head.
const CHUNK: usize = 32;

/// The first number of five digits.
const FOUR_DIGITS: u64 = 10_000;
/// The first number of nine digits.
const EIGHT_DIGITS: u64 = 100_000_000;
/// `00000000`
const ZEROS: u64 = u64::from_le_bytes([b'0'; 8]);

/// The most bytes that an integer, or a time, takes in a [`RowBuilder`].
pub(crate) const NUMBER: usize = 40;

/// A text that is copied often; `HEAD` bytes are copied at once, which is cheaper than asking how many there are.
#[derive(Clone, Debug)]
pub(crate) struct Text<const HEAD: usize = 64> {
    /// Filled up with zeros.
    head: [u8; HEAD],
    /// What does not fit the head, filled up with zeros.
    rest: Box<[[u8; CHUNK]]>,
    len: usize,
}

impl<const HEAD: usize> Text<HEAD> {
    pub(crate) fn new(text: &[u8]) -> Self {
        let (first, rest) = text.split_at(text.len().min(HEAD));
        let mut head = [0; HEAD];
        head[..first.len()].copy_from_slice(first);
        let chunks = rest.chunks(CHUNK).map(|part| {
            let mut chunk = [0; CHUNK];
            chunk[..part.len()].copy_from_slice(part);
            chunk
        });
        Self { head, rest: chunks.collect(), len: text.len() }
    }

    /// The bytes of a [`RowBuilder`] that it takes.
    pub(crate) const fn room(&self) -> usize {
        HEAD + CHUNK * self.rest.len()
    }
}

impl<const HEAD: usize> From<String> for Text<HEAD> {
    fn from(text: String) -> Self {
        Self::new(text.as_bytes())
    }
}

/// The most room that one of some texts takes.
pub(crate) fn room_of<'t, const HEAD: usize>(texts: impl IntoIterator<Item = &'t Text<HEAD>>) -> usize {
    texts.into_iter().map(Text::room).max().unwrap_or_default()
}

/// Times whose text is remembered. Planes share the times of an operation, operations the lengths of their phases: most
/// times are among the last few.
const REMEMBERED: usize = 64;
/// Bytes of the text of a time: `18446744073709.551615`, the longest, has 21, of which 10 are the head.
const TIME: usize = 32;
/// The most bytes of the head.
const LONGEST_HEAD: usize = 10;

/// The text of a time.
#[derive(Clone, Copy, Debug)]
struct TimeText {
    time: Ticks,
    /// Its length is the last byte.
    text: [u8; TIME],
}

/// The texts of some times.
#[derive(Clone, Debug)]
pub(crate) struct TimeTexts {
    known: [TimeText; REMEMBERED],
    /// The whole µs of the last new time without their last four digits: mostly those of the next one too.
    head: u64,
    /// Its text; empty for 0.
    head_text: [u8; 16],
    head_len: usize,
}

impl Default for TimeTexts {
    fn default() -> Self {
        let zero = TimeText { time: Ticks::ZERO, text: [0; TIME] };
        let mut times = Self { known: [zero; REMEMBERED], head: 0, head_text: [0; 16], head_len: 0 };
        (0..REMEMBERED).for_each(|place| times.remember(place, Ticks::ZERO));
        times
    }
}

impl TimeTexts {
    /// Where the text of a time is if it is known. Any spread will do; that of a multiplication by 2^64 divided by the golden
    /// ratio is even.
    #[inline]
    const fn place(time: Ticks) -> usize {
        (time.0.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58) as usize % REMEMBERED
    }

    /// Makes the text of a time.
    #[inline(never)]
    fn remember(&mut self, place: usize, time: Ticks) {
        let (whole, fraction) = (time.0 / TICKS_PER_US, time.0 % TICKS_PER_US);
        let (head, tail) = (whole / FOUR_DIGITS, four_digits((whole % FOUR_DIGITS) as u32));
        if head != self.head {
            let mut row = RowBuilder { room: &mut self.head_text, at: 0 };
            row.integer(head);
            self.head_len = if head == 0 { 0 } else { row.at };
            self.head = head;
        }
        // Without a head there are no zeros before the tail; its last digit stays, also of 0.
        let zeros = if head == 0 { (tail | 1 << 24).trailing_zeros() / 8 } else { 0 };
        let known = &mut self.known[place % REMEMBERED];
        known.time = time;
        let (text, at) = (&mut known.text, self.head_len.min(LONGEST_HEAD));
        text[..16].copy_from_slice(&self.head_text);
        text[at..at + 4].copy_from_slice(&((tail + ZEROS as u32) >> (8 * zeros)).to_le_bytes());
        let point = at + 4 - (zeros as usize).min(3);
        text[point] = b'.';
        let digits = eight_digits(fraction as u32 * 100);
        text[point + 1..point + 9].copy_from_slice(&(digits + ZEROS).to_le_bytes());
        // The first digit stays, also of 0.
        text[TIME - 1] = (point + 9) as u8 - ((digits | 1).leading_zeros() / 8) as u8;
    }
}

/// A number that is mostly that of the row before, or the one after it.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Running {
    value: u64,
    /// The text of a number of at most eight digits, the first one in the lowest byte.
    digits: u64,
    /// How many digits; 0 when the text is not known.
    len: usize,
}

/// Lines on their way to a file.
#[derive(Clone, Debug)]
pub(crate) struct LineBuffer {
    /// What is written behind `len` means nothing.
    bytes: Vec<u8>,
    len: usize,
}

impl LineBuffer {
    /// Begins with a header.
    pub(crate) fn new(header: &str) -> Self {
        let mut lines = Self { bytes: vec![0; BLOCK + BLOCK / 8], len: 0 };
        lines.row(header.len(), |row| row.slice(header.as_bytes()));
        lines
    }

    /// Hands everything on if it is enough for a block; `true` if it was.
    pub(crate) fn hand_on_block(&mut self, output: &mut impl Write) -> io::Result<bool> {
        if self.len < BLOCK {
            return Ok(false);
        }
        self.hand_on(output).map(|()| true)
    }

    /// Hands everything on.
    pub(crate) fn hand_on(&mut self, output: &mut impl Write) -> io::Result<()> {
        output.write_all(&self.bytes[..self.len])?;
        self.len = 0;
        Ok(())
    }

    /// Appends what `write` writes, which takes at most `room` bytes.
    #[inline]
    pub(crate) fn row(&mut self, room: usize, write: impl FnOnce(&mut RowBuilder<'_>)) {
        if self.bytes.len() - self.len < room {
            self.grow(room);
        }
        let mut row = RowBuilder { room: &mut self.bytes[self.len..], at: 0 };
        write(&mut row);
        self.len += row.at;
    }

    #[cold]
    fn grow(&mut self, extra: usize) {
        self.bytes.resize(2 * (self.len + extra), 0);
    }

    /// Appends the last `len` bytes once more, with `byte` at the places `at` of them.
    #[inline]
    pub(crate) fn again(&mut self, len: usize, at: [usize; 2], byte: u8) {
        let (from, to) = (self.len - len, self.len);
        if self.bytes.len() < to + len {
            self.grow(len);
        }
        self.bytes.copy_within(from..to, to);
        for at in at {
            self.bytes[to + at] = byte;
        }
        self.len += len;
    }
}

/// A line that is put together.
pub(crate) struct RowBuilder<'l> {
    room: &'l mut [u8],
    at: usize,
}

impl RowBuilder<'_> {
    /// Its bytes so far.
    pub(crate) const fn len(&self) -> usize {
        self.at
    }

    /// The next `N` bytes, to be written over.
    #[inline]
    fn next<const N: usize>(&mut self) -> &mut [u8; N] {
        match self.room[self.at..].first_chunk_mut() {
            Some(next) => next,
            None => unreachable!("rows say beforehand how much room they need"),
        }
    }

    /// Appends bytes of any number.
    pub(crate) fn slice(&mut self, bytes: &[u8]) {
        self.room[self.at..self.at + bytes.len()].copy_from_slice(bytes);
        self.at += bytes.len();
    }

    /// Appends a few bytes of a number that the compiler knows.
    #[inline]
    pub(crate) fn put<const N: usize>(&mut self, bytes: &[u8; N]) {
        *self.next() = *bytes;
        self.at += N;
    }

    /// Appends a prepared text.
    #[inline]
    pub(crate) fn text<const HEAD: usize>(&mut self, text: &Text<HEAD>) {
        *self.next() = text.head;
        if text.len > HEAD {
            self.rest(text);
        }
        self.at += text.len;
    }

    /// Writes what does not fit the head of a text.
    #[cold]
    fn rest<const HEAD: usize>(&mut self, text: &Text<HEAD>) {
        let start = self.at;
        self.at += HEAD;
        for chunk in &text.rest {
            *self.next() = *chunk;
            self.at += CHUNK;
        }
        self.at = start;
    }

    /// Appends an integer in decimal.
    #[inline]
    pub(crate) fn integer(&mut self, value: u64) {
        if value < FOUR_DIGITS {
            let digits = four_digits(value as u32);
            // The last digit stays, also of 0.
            let zeros = (digits | 1 << 24).trailing_zeros() / 8;
            *self.next() = ((digits + ZEROS as u32) >> (8 * zeros)).to_le_bytes();
            self.at += 4 - zeros as usize;
        } else {
            self.long_integer(value);
        }
    }

    /// Appends an integer of more than four digits.
    fn long_integer(&mut self, value: u64) {
        if value < EIGHT_DIGITS {
            let (digits, len) = digits(value as u32);
            *self.next() = digits.to_le_bytes();
            self.at += len;
        } else {
            self.integer(value / EIGHT_DIGITS);
            self.put(&(eight_digits((value % EIGHT_DIGITS) as u32) + ZEROS).to_le_bytes());
        }
    }

    /// Appends `,` and an integer.
    #[inline]
    pub(crate) fn next_integer(&mut self, value: u64) {
        self.put(b",");
        self.integer(value);
    }

    /// Appends an integer that is near the one before.
    #[inline]
    pub(crate) fn running(&mut self, before: &mut Running, value: u64) {
        if value != before.value || before.len == 0 {
            let last = 8 * (before.len.max(1) - 1);
            let is_next = value == before.value.wrapping_add(1) && before.len > 0;
            if is_next && (before.digits >> last) as u8 != b'9' {
                before.value = value;
                before.digits += 1 << last;
            } else if value < EIGHT_DIGITS {
                let (digits, len) = digits(value as u32);
                *before = Running { value, digits, len };
            } else {
                return self.long_integer(value);
            }
        }
        *self.next() = before.digits.to_le_bytes();
        self.at += before.len;
    }

    /// Appends a time in µs: `500.0`, `7500.085`.
    #[inline]
    pub(crate) fn us(&mut self, times: &mut TimeTexts, time: Ticks) {
        let place = TimeTexts::place(time);
        if times.known[place].time != time {
            times.remember(place, time);
        }
        let text = &times.known[place].text;
        *self.next() = *text;
        self.at += usize::from(text[TIME - 1]);
    }

    /// Appends a number of hundredths up to 100: `0.0`, `0.37`, `1.0`.
    pub(crate) fn hundredths(&mut self, hundredths: u8) {
        let (tens, ones) = (b'0' + hundredths / 10 % 10, b'0' + hundredths % 10);
        *self.next() = [b'0' + hundredths / 100, b'.', tens, ones];
        self.at += if ones == b'0' { 3 } else { 4 };
    }
}

/// The text of a number below 10^8, the first digit in the lowest byte, and its length.
#[inline]
const fn digits(value: u32) -> (u64, usize) {
    let digits = eight_digits(value);
    // The last digit stays, also of 0.
    let zeros = (digits | 1 << 56).trailing_zeros() / 8;
    ((digits + ZEROS) >> (8 * zeros), 8 - zeros as usize)
}

/// The digits of a number below 10^4, as those of [`eight_digits`].
#[inline]
const fn four_digits(value: u32) -> u32 {
    let hundreds = (value * 10_486) >> 20;
    let twos = hundreds | (value - hundreds * 100) << 16;
    let tens = ((twos * 103) >> 10) & 0x000f_000f;
    tens | (twos - tens * 10) << 8
}

/// The digits of a number below 10^8, the first one in the lowest byte; by arithmetic in the lanes of one word, since loops
/// over digits are what a table's time would otherwise go into.
#[inline]
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

    fn lines(write: impl FnOnce(&mut LineBuffer)) -> String {
        let (mut lines, mut output) = (LineBuffer::new(""), Vec::new());
        write(&mut lines);
        lines.hand_on(&mut output).unwrap();
        String::from_utf8(output).unwrap()
    }

    fn written(write: impl FnOnce(&mut RowBuilder<'_>)) -> String {
        lines(|lines| lines.row(1 << 20, write))
    }

    fn us(ticks: u64) -> String {
        written(|row| row.us(&mut TimeTexts::default(), Ticks(ticks)))
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
            assert_eq!(written(|row| row.hundredths(hundredths)), text);
        }
    }

    #[test]
    fn integers_of_every_length_are_written() {
        for power in 0..=19 {
            let power = 10u64.pow(power);
            for value in [power - 1, power, power + 1, power.saturating_mul(9)] {
                assert_eq!(written(|row| row.integer(value)), value.to_string());
            }
        }
        assert_eq!(written(|row| row.next_integer(u64::MAX)), format!(",{}", u64::MAX));
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
    fn numbers_of_four_digits_are_split_right() {
        for value in 0..10_000 {
            let digits = (four_digits(value) + ZEROS as u32).to_le_bytes();
            assert_eq!(String::from_utf8(digits.to_vec()).unwrap(), format!("{value:04}"));
        }
    }

    #[test]
    fn lines_hold_texts_of_any_length() {
        let long = "0123456789".repeat(20_000);
        let (mut lines, mut output) = (LineBuffer::new("head\n"), Vec::new());
        for len in [0, 1, 31, 32, 33, 64, 65, 96, 97, 100, 200_000] {
            let bytes = &long.as_bytes()[..len];
            let (text, short) = (Text::<64>::new(bytes), Text::<16>::new(bytes));
            lines.row(room_of([&text]) + room_of([&short]) + len + 3, |row| {
                row.text(&text);
                row.put(b",");
                row.text(&short);
                row.put(b",");
                row.slice(bytes);
                row.put(b"\n");
            });
        }
        assert!(lines.hand_on_block(&mut output).unwrap());
        let text = String::from_utf8(output).unwrap();
        let mut rows = text.lines();
        assert_eq!(rows.next(), Some("head"));
        for (row, len) in rows.zip([0, 1, 31, 32, 33, 64, 65, 96, 97, 100, 200_000]) {
            assert_eq!(row, format!("{0},{0},{0}", &long[..len]));
        }
        assert_eq!(text.lines().count(), 12);
    }

    #[test]
    fn a_line_comes_again_with_two_bytes_changed() {
        let text = lines(|lines| {
            lines.row(8, |row| row.put(b"a0b0\n"));
            lines.again(5, [1, 3], b'1');
            lines.again(5, [1, 3], b'2');
        });
        assert_eq!(text, "a0b0\na1b1\na2b2\n");
    }

    #[test]
    fn numbers_that_run_on_are_written_whatever_comes_between() {
        for start in [0, 8, 97, 99_999_990, 123_456_789_012] {
            let values = (start..start + 25).chain([start + 24, start + 24, start, start + 7, u64::MAX, 0, 1]);
            let mut running = Running::default();
            for value in values {
                assert_eq!(written(|row| row.running(&mut running, value)), value.to_string());
            }
        }
    }

    proptest! {
        #[test]
        fn integers_read_back(value in any::<u64>()) {
            prop_assert_eq!(written(|row| row.integer(value)), value.to_string());
        }

        #[test]
        fn times_that_come_again_are_written_again(times in prop::collection::vec(0u64..200, 0..1000)) {
            let expected: Vec<String> = times.iter().map(|&time| us(time * 1_234_567)).collect();
            let mut known = TimeTexts::default();
            let all = written(|row| times.iter().for_each(|&time| {
                row.us(&mut known, Ticks(time * 1_234_567));
                row.put(b" ");
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
