//! Lines of text that are put together from prepared texts and numbers.
//!
//! Decimals are exact: they come from integer arithmetic and have at least one digit after the point and no trailing zeros beyond
//! it. Texts are copied in chunks of constant size, which costs a fraction of copying a few bytes of variable size. That matters:
//! a row has about twenty pieces, and there are millions of rows. Room is made once for a row, not for every piece.

use std::io::{self, Write};

use nandseq_profile::Ticks;
use nandseq_profile::units::TICKS_PER_US;

/// How many bytes are gathered before they are written.
const BLOCK: usize = 64 * 1024;
/// How many bytes of a long text are copied at once, beyond its head.
const CHUNK: usize = 32;

/// The first number of five digits.
const FOUR_DIGITS: u64 = 10_000;
/// The first number of nine digits.
const EIGHT_DIGITS: u64 = 100_000_000;
/// `00000000`
const ZEROS: u64 = u64::from_le_bytes([b'0'; 8]);

/// The room in bytes that an integer or a time needs in a [`Row`].
pub(crate) const NUMBER: usize = 40;

/// A text that is copied often. Always `HEAD` bytes are copied, which is cheaper than copying just the bytes of the text.
#[derive(Clone, Debug)]
pub(crate) struct Text<const HEAD: usize = 64> {
    /// The beginning of the text, filled up with zeros.
    head: [u8; HEAD],
    /// The rest of the text, filled up with zeros.
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

    /// The room in bytes that the text needs in a [`Row`].
    pub(crate) const fn room(&self) -> usize {
        HEAD + CHUNK * self.rest.len()
    }
}

impl<const HEAD: usize> From<String> for Text<HEAD> {
    fn from(text: String) -> Self {
        Self::new(text.as_bytes())
    }
}

/// The room that the longest of some texts needs.
pub(crate) fn room_of<'t, const HEAD: usize>(texts: impl IntoIterator<Item = &'t Text<HEAD>>) -> usize {
    texts.into_iter().map(Text::room).max().unwrap_or_default()
}

/// The number of lengths whose texts are kept.
const REMEMBERED: usize = 64;
/// The room for the text of a time, in bytes. The longest, `18446744073709.551615`, has 21; its first 10 are the head.
const TIME: usize = 32;
/// The largest length of the head.
const LONGEST_HEAD: usize = 10;

/// The whole µs of a time without their last four digits. The next time of a column usually has the same.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Head {
    value: u64,
    /// Its text; empty for 0.
    text: [u8; 16],
    len: usize,
}

impl Head {
    #[cold]
    fn change(&mut self, value: u64) {
        let mut row = RowBuilder { room: &mut self.text, at: 0 };
        row.integer(value);
        self.len = if value == 0 { 0 } else { row.at };
        self.value = value;
    }
}

/// The text of a length of time.
#[derive(Clone, Copy, Debug)]
struct LengthText {
    length: Ticks,
    /// The text from the first byte on. The last byte is its length.
    text: [u8; TIME],
}

/// A cache of the texts of lengths of time. Operations share the lengths of their phases, so most are among the last few.
#[derive(Clone, Debug)]
pub(crate) struct LengthTexts {
    known: [LengthText; REMEMBERED],
}

impl Default for LengthTexts {
    fn default() -> Self {
        let zero = LengthText { length: Ticks::ZERO, text: [0; TIME] };
        let mut lengths = Self { known: [zero; REMEMBERED] };
        (0..REMEMBERED).for_each(|place| lengths.remember(place, Ticks::ZERO));
        lengths
    }
}

impl LengthTexts {
    /// The position of a length in the cache. Multiplying by 2^64 divided by the golden ratio spreads lengths evenly.
    #[inline]
    const fn place(length: Ticks) -> usize {
        (length.0.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58) as usize % REMEMBERED
    }

    /// Puts the text of a length into the cache at `place`.
    #[cold]
    fn remember(&mut self, place: usize, length: Ticks) {
        let known = &mut self.known[place % REMEMBERED];
        known.length = length;
        let mut row = RowBuilder { room: &mut known.text, at: 0 };
        row.us(&mut Head::default(), length);
        known.text[TIME - 1] = row.at as u8;
    }
}

/// A buffer of lines that are to be written to a file.
#[derive(Clone, Debug)]
pub(crate) struct LineBuffer {
    /// The bytes of the lines; those behind `len` have no meaning.
    bytes: Vec<u8>,
    len: usize,
}

impl LineBuffer {
    /// A buffer that begins with a header.
    pub(crate) fn new(header: &str) -> Self {
        let mut lines = Self { bytes: vec![0; BLOCK + BLOCK / 8], len: 0 };
        lines.row(header.len(), |row| row.slice(header.as_bytes()));
        lines
    }

    /// Writes the lines to `output` if they fill a block. Gives whether they did.
    pub(crate) fn hand_on_block(&mut self, output: &mut impl Write) -> io::Result<bool> {
        if self.len < BLOCK {
            return Ok(false);
        }
        self.hand_on(output).map(|()| true)
    }

    /// Writes the lines to `output`.
    pub(crate) fn hand_on(&mut self, output: &mut impl Write) -> io::Result<()> {
        output.write_all(&self.bytes[..self.len])?;
        self.len = 0;
        Ok(())
    }

    /// Appends a line that `write` puts together in at most `room` bytes.
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

    /// Appends the last `len` bytes once more, with `byte` at the two positions `at` of the copy.
    #[inline]
    pub(crate) fn again(&mut self, len: usize, at: [usize; 2], byte: u8) {
        let (from, to) = (self.len - len, self.len);
        if self.bytes.len() < to + len {
            self.grow(len);
        }
        let (before, copy) = self.bytes.split_at_mut(to);
        let (before, copy) = (&before[from..], &mut copy[..len]);
        // Whole chunks, and then the last bytes, some of them once more.
        for (copy, before) in copy.chunks_exact_mut(CHUNK).zip(before.chunks_exact(CHUNK)) {
            copy.copy_from_slice(before);
        }
        match (copy.last_chunk_mut::<CHUNK>(), before.last_chunk::<CHUNK>()) {
            (Some(copy), Some(before)) => *copy = *before,
            (None, _) | (_, None) => copy.copy_from_slice(before),
        }
        for at in at {
            self.bytes[to + at] = byte;
        }
        self.len += len;
    }
}

/// A line that is being put together. Pieces are written in whole chunks, so a line needs more room than its length.
pub(crate) struct RowBuilder<'l> {
    room: &'l mut [u8],
    at: usize,
}

impl RowBuilder<'_> {
    /// The length of the line so far, in bytes.
    pub(crate) const fn len(&self) -> usize {
        self.at
    }

    /// The next `N` bytes, to be overwritten.
    #[inline]
    fn next<const N: usize>(&mut self) -> &mut [u8; N] {
        match self.room[self.at..].first_chunk_mut() {
            Some(next) => next,
            None => unreachable!("rows say beforehand how much room they need"),
        }
    }

    /// Appends bytes.
    pub(crate) fn slice(&mut self, bytes: &[u8]) {
        self.room[self.at..self.at + bytes.len()].copy_from_slice(bytes);
        self.at += bytes.len();
    }

    /// Appends a few bytes whose number the compiler knows.
    #[inline]
    pub(crate) fn put<const N: usize>(&mut self, bytes: &[u8; N]) {
        *self.next() = *bytes;
        self.at += N;
    }

    /// Takes back the last bytes.
    #[inline]
    pub(crate) const fn take_back(&mut self, bytes: usize) {
        self.at -= bytes;
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

    /// Copies the rest of a text behind its head. The position stays.
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
            // The last digit stays, also if it is 0.
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

    /// Appends a number, or nothing; the number is 0 then. Both cost the same, because a processor cannot foresee which one comes.
    #[inline]
    pub(crate) fn integer_if(&mut self, is_there: bool, value: u64) {
        if value < FOUR_DIGITS {
            let start = self.at;
            self.integer(value);
            self.at = start + (self.at - start) * usize::from(is_there);
        } else {
            self.long_integer(value);
        }
    }

    /// Appends a time in µs: `500.0`, `7500.085`. `head` is that of the time before.
    #[inline]
    pub(crate) fn us(&mut self, head: &mut Head, time: Ticks) {
        let (whole, fraction) = (time.0 / TICKS_PER_US, time.0 % TICKS_PER_US);
        let (high, tail) = (whole / FOUR_DIGITS, whole % FOUR_DIGITS);
        if high != head.value {
            head.change(high);
        }
        let (first, last) = (fraction / 100, fraction % 100);
        let digits = twice_four_digits(tail | first << 32);
        let (tail, fraction) = (digits as u32, digits >> 32 | u64::from(two_digits(last as u32)) << 32);
        let text: &mut [u8; TIME] = self.next();
        let at = if high == 0 {
            // A tail without a head has no leading zeros. Its last digit stays, also if it is 0.
            let zeros = (tail | 1 << 24).trailing_zeros() / 8;
            text[..4].copy_from_slice(&((tail + ZEROS as u32) >> (8 * zeros)).to_le_bytes());
            4 - zeros as usize
        } else {
            let at = head.len.min(LONGEST_HEAD);
            text[..16].copy_from_slice(&head.text);
            text[at..at + 4].copy_from_slice(&(tail + ZEROS as u32).to_le_bytes());
            at + 4
        };
        // The point and the digits behind it, the first one in the lowest byte.
        text[at..at + 8].copy_from_slice(&((fraction + ZEROS) << 8 | u64::from(b'.')).to_le_bytes());
        // The first digit of the fraction stays, also if it is 0.
        self.at += at + 9 - ((fraction | 1).leading_zeros() / 8) as usize;
    }

    /// Appends a length of time in µs.
    #[inline]
    pub(crate) fn length(&mut self, lengths: &mut LengthTexts, length: Ticks) {
        let place = LengthTexts::place(length);
        if lengths.known[place].length != length {
            lengths.remember(place, length);
        }
        let text = &lengths.known[place].text;
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
    // The last digit stays, also if it is 0.
    let zeros = (digits | 1 << 56).trailing_zeros() / 8;
    ((digits + ZEROS) >> (8 * zeros), 8 - zeros as usize)
}

/// The digits of a number below 100, one in each byte, the first one in the lowest byte.
#[inline]
const fn two_digits(value: u32) -> u32 {
    let tens = (value * 103) >> 10;
    tens | (value - tens * 10) << 8
}

/// The digits of a number below 10^4, one in each byte, the first one in the lowest byte.
#[inline]
const fn four_digits(value: u32) -> u32 {
    let hundreds = (value * 10_486) >> 20;
    let twos = hundreds | (value - hundreds * 100) << 16;
    let tens = ((twos * 103) >> 10) & 0x000f_000f;
    tens | (twos - tens * 10) << 8
}

/// The digits of a number below 10^8, one in each byte, the first one in the lowest byte.
#[inline]
const fn eight_digits(value: u32) -> u64 {
    twice_four_digits((value / 10_000) as u64 | ((value % 10_000) as u64) << 32)
}

/// The digits of two numbers below 10^4, one in each byte, the first one in the lowest byte. The first number is in the low half of
/// the word. All lanes of the word are computed at once, because a loop over the digits would take most of the time of writing a table.
#[inline]
const fn twice_four_digits(fours: u64) -> u64 {
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
        lines(|lines| lines.row(1 << 15, write))
    }

    fn us(ticks: u64) -> String {
        written(|row| row.us(&mut Head::default(), Ticks(ticks)))
    }

    #[test]
    fn microseconds_have_at_least_one_decimal_and_no_needless_zeros() {
        for (ticks, text) in [
            (0, "0.0"),
            (500_000_000, "500.0"),
            (7_500_085_000, "7500.085"),
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
                assert_eq!(written(|row| row.integer_if(true, value)), value.to_string());
            }
        }
        assert_eq!(written(|row| row.integer_if(false, 0)), "");
        assert_eq!(written(|row| row.next_integer(u64::MAX)), format!(",{}", u64::MAX));
    }

    #[test]
    fn every_number_of_four_digits_is_split_right_alone_and_in_both_lanes() {
        for value in 0..10_000 {
            assert_eq!((four_digits(value) + ZEROS as u32).to_le_bytes(), *format!("{value:04}").as_bytes());
            for number in [value, value * 10_000 + 9_999] {
                let digits = (eight_digits(number) + ZEROS).to_le_bytes();
                assert_eq!(String::from_utf8(digits.to_vec()).unwrap(), format!("{number:08}"));
            }
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
        for rest in ["", &"x".repeat(27), &"y".repeat(28), &"z".repeat(95)] {
            let text = lines(|lines| {
                lines.row(200, |row| row.slice(format!("a0b0{rest}\n").as_bytes()));
                lines.again(5 + rest.len(), [1, 3], b'1');
                lines.again(5 + rest.len(), [1, 3], b'2');
            });
            assert_eq!(text, format!("a0b0{rest}\na1b1{rest}\na2b2{rest}\n"));
        }
    }

    proptest! {
        #[test]
        fn integers_read_back(value in any::<u64>()) {
            prop_assert_eq!(written(|row| row.integer(value)), value.to_string());
        }

        #[test]
        fn times_are_written_whatever_was_before(times in prop::collection::vec(any::<u64>(), 0..100), shift in 0u32..50) {
            let times: Vec<u64> = times.iter().map(|&time| time >> shift).collect();
            let expected: Vec<String> = times.iter().map(|&time| us(time)).collect();
            let (mut head, mut lengths) = (Head::default(), LengthTexts::default());
            let all = written(|row| times.iter().for_each(|&time| {
                row.us(&mut head, Ticks(time));
                row.put(b" ");
                row.length(&mut lengths, Ticks(time));
                row.put(b" ");
            }));
            let found: Vec<&str> = all.split_whitespace().collect();
            prop_assert_eq!(found.iter().step_by(2).collect::<Vec<_>>(), expected.iter().collect::<Vec<_>>());
            prop_assert_eq!(found.iter().skip(1).step_by(2).collect::<Vec<_>>(), expected.iter().collect::<Vec<_>>());
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
