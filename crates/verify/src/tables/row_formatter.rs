//! The text of expected rows, in the form of `docs/outputs.md`.
//!
//! It shares no code with what writes tables. Rows are compared as bytes, so making their text is most of the cost of comparing a
//! table. Two things save time: the texts of times are kept, since most come again in the next rows; and a segment that differs
//! from the last one in its plane alone is made from that one.

use nandseq_profile::units::TICKS_PER_US;
use nandseq_profile::{BaseId, Ticks};

use super::expected::{SegmentRow, StateCode, Stretch, TouchedPage, WrittenNames};
use crate::finding::{RowPlace, StartedOperation};

/// How many texts of times are kept, a power of two.
const REMEMBERED: usize = 64;
/// Bytes for the text of a time: at most 21, and its length in the last byte.
const TIME: usize = 24;

/// The numbers 0 to 99 as two digits each.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
    let mut at = 0;
    while at < 100 {
        pairs[at] = [b'0' + at as u8 / 10, b'0' + at as u8 % 10];
        at += 1;
    }
    pairs
};

/// Writes the digits of a number to the beginning of `text`, which must have room for them. Returns their number.
#[inline]
fn digits_into(text: &mut [u8], mut value: u64) -> usize {
    let len = value.checked_ilog10().unwrap_or(0) as usize + 1;
    let mut at = len;
    while at >= 2 {
        at -= 2;
        text[at..at + 2].copy_from_slice(&PAIRS[(value % 100) as usize]);
        value /= 100;
    }
    if at == 1 {
        text[0] = b'0' + value as u8;
    }
    len
}

/// Appends the digits of a number.
fn digits(value: u64, out: &mut Vec<u8>) {
    if value < 10_000 {
        // All four digits, shifted so that the leading zeros drop out.
        let ([a, b], [c, d]) = (PAIRS[(value / 100) as usize], PAIRS[(value % 100) as usize]);
        let zeros = usize::from(value < 1000) + usize::from(value < 100) + usize::from(value < 10);
        let end = out.len() + 4 - zeros;
        out.extend_from_slice(&(u32::from_le_bytes([a, b, c, d]) >> (8 * zeros)).to_le_bytes());
        return out.truncate(end);
    }
    let mut text = [0; 20];
    let len = digits_into(&mut text, value);
    out.extend_from_slice(&text[..len]);
}

/// Appends a number of an address, which may be negative.
fn number(value: i32, out: &mut Vec<u8>) {
    if value < 0 {
        out.push(b'-');
    }
    digits(u64::from(value.unsigned_abs()), out);
}

/// The text of a time in µs: exact, with at least one digit after the point. The last byte is its length.
fn time(value: Ticks) -> [u8; TIME] {
    let mut text = [0; TIME];
    let point = digits_into(&mut text, value.0 / TICKS_PER_US);
    let fraction = (value.0 % TICKS_PER_US) as usize;
    let [a, b] = PAIRS[fraction / 10_000];
    let [c, d] = PAIRS[fraction / 100 % 100];
    let [e, f] = PAIRS[fraction % 100];
    text[point..point + 7].copy_from_slice(&[b'.', a, b, c, d, e, f]);
    let zeros = [f, e, d, c, b].iter().take_while(|&&digit| digit == b'0').count();
    text[TIME - 1] = (point + 7 - zeros) as u8;
    text
}

/// A cache of the texts of times.
#[derive(Debug)]
struct RecentTimes(Vec<(Ticks, [u8; TIME])>);

impl Default for RecentTimes {
    fn default() -> Self {
        Self(vec![(Ticks::ZERO, time(Ticks::ZERO)); REMEMBERED])
    }
}

impl RecentTimes {
    /// Appends the text of a time.
    #[inline]
    fn put(&mut self, value: Ticks, out: &mut Vec<u8>) {
        let place = (value.0.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58) as usize % REMEMBERED;
        let known = &mut self.0[place];
        if known.0 != value {
            *known = (value, time(value));
        }
        // A copy of constant size and a cut are cheaper than a copy of the exact length.
        let len = out.len() + usize::from(known.1[TIME - 1]);
        out.extend_from_slice(&known.1);
        out.truncate(len);
    }
}

/// Writes rows, one at a time.
#[derive(Debug)]
pub(super) struct RowFormatter {
    pub(super) words: WrittenNames,
    times: RecentTimes,
    durations: RecentTimes,
    /// The row that was written last, unless it was a segment.
    text: Vec<u8>,
    /// The operation of the stretch that was written last, and whether it was resumed.
    of: Option<(RowPlace, bool)>,
    /// The columns that its rows have in common: `,op_name,op_base,source,op_uid,`
    op: Vec<u8>,
    /// The segment that was written last.
    last: Option<(BaseId, SegmentRow)>,
    segment: Vec<u8>,
    /// The two places of its plane in `segment`.
    plane_at: [usize; 2],
}

impl RowFormatter {
    pub(super) fn new(words: WrittenNames) -> Self {
        Self {
            words,
            times: RecentTimes::default(),
            durations: RecentTimes::default(),
            text: Vec::new(),
            of: None,
            op: Vec::new(),
            last: None,
            segment: Vec::new(),
            plane_at: [0; 2],
        }
    }

    /// A row of operation_timeline without its last columns, which are not known, and the number of these columns.
    pub(super) fn stretch(&mut self, origin: &StartedOperation, row: &Stretch) -> (&[u8], usize) {
        let of = Some((origin.place, row.resumed));
        if self.of != of {
            self.of = of;
            self.op.clear();
            self.words.op(origin.op).put(&mut self.op);
            self.op.extend_from_slice(if row.resumed { b"RESUME_CHAIN," } else { b"," });
            digits(origin.uid, &mut self.op);
            self.op.push(b',');
        }
        let text = &mut self.text;
        text.clear();
        self.times.put(row.start, text);
        text.push(b',');
        self.times.put(row.end, text);
        let [die, plane, block, page] = row.place;
        let known = usize::try_from(die).ok().zip(usize::try_from(plane).ok());
        if let Some([die_plane, _]) = known.and_then(|(die, plane)| self.words.die_plane(die, plane)) {
            die_plane.put(text);
        } else {
            text.push(b',');
            number(die, text);
            text.push(b',');
            number(plane, text);
            text.push(b',');
        }
        number(block, text);
        text.push(b',');
        number(page, text);
        text.extend_from_slice(&self.op);
        if row.state == StateCode::UNKNOWN {
            return (text, 3);
        }
        self.words.state(row.state).put(text);
        (text, 2)
    }

    /// A row of op_state_timeline. The device must have its plane.
    pub(super) fn segment(&mut self, base: BaseId, row: &SegmentRow) -> &[u8] {
        let again = |(last_base, last): (BaseId, SegmentRow)| {
            last_base == base
                && SegmentRow { plane: row.plane, ..last } == *row
                && last.plane.0 < 10
                && row.plane.0 < 10
        };
        if self.last.is_some_and(again) {
            for at in self.plane_at {
                self.segment[at] = b'0' + row.plane.0;
            }
            return &self.segment;
        }
        self.last = Some((base, *row));
        let text = &mut self.segment;
        text.clear();
        self.times.put(row.start, text);
        text.push(b',');
        self.times.put(row.end, text);
        let die_plane = self.words.die_plane(row.die.index(), row.plane.index());
        if let Some([place, _]) = die_plane {
            place.put(text);
        }
        self.plane_at[0] = text.len() - 2;
        self.words.state(StateCode::phase(base, row.kind)).put(text);
        // The name of the plane begins with a comma of its own.
        text.pop();
        if let Some([_, lane]) = die_plane {
            lane.put(text);
        }
        self.plane_at[1] = text.len() - 1;
        self.words.base(base).put(text);
        self.durations.put(Ticks(row.end.0.saturating_sub(row.start.0)), text);
        text
    }

    /// A row of address_touch_count.
    pub(super) fn touched(&mut self, touch: TouchedPage, count: u64) -> &[u8] {
        let text = &mut self.text;
        text.clear();
        text.extend_from_slice(if touch.is_program() { b"PROGRAM," } else { b"READ," });
        if let Some(name) = self.words.cell_type(touch) {
            name.put(text);
        }
        for part in touch.place().into_iter().chain([count]) {
            text.push(b',');
            digits(part, text);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::super::expected::PaddedText;
    use super::*;

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap_or_default()
    }

    #[test]
    fn times_are_exact_decimals_when_they_are_new_and_when_they_come_again() {
        let mut times = RecentTimes::default();
        for _ in 0..2 {
            for (ps, expected) in [
                (0, "0.0"),
                (500_000_000, "500.0"),
                (7_500_085_000, "7500.085"),
                (10_000_000_000, "10000.0"),
                (100_000, "0.1"),
                (1, "0.000001"),
                (u64::MAX, "18446744073709.551615"),
            ] {
                assert_eq!(text(|out| times.put(Ticks(ps), out)), expected);
            }
        }
    }

    #[test]
    fn words_of_any_length_are_written_whole() {
        let long = "0123456789".repeat(20);
        for len in [0, 1, 63, 64, 65, 200] {
            assert_eq!(text(|out| PaddedText::new(&long.as_bytes()[..len]).put(out)), long[..len]);
        }
    }

    #[test]
    fn numbers_of_every_length_are_written_digit_by_digit() {
        for power in 0..=19 {
            let power = 10_u64.pow(power);
            for value in [power - 1, power, power + 1, power.saturating_mul(9)] {
                assert_eq!(text(|out| digits(value, out)), value.to_string());
            }
        }
        for value in [0, 7, -1, i32::MIN, i32::MAX] {
            assert_eq!(text(|out| number(value, out)), value.to_string());
        }
    }
}
