//! The text of expected rows, in the form of `docs/outputs.md`.
//!
//! It shares no code with what writes tables. Rows are compared as bytes, so making their text is most of the cost of comparing a
//! table. Two things save time: the texts of times are kept, since most come again in the next rows; and a segment that differs
//! from the last one in its plane alone is made from that one.

use nandseq_profile::units::TICKS_PER_US;
use nandseq_profile::{BaseId, Ticks};

use super::expected::{SegmentRow, StateCode, Stretch, TouchedPage, WrittenNames, behind_short};
use crate::finding::{RowPlace, StartedOperation};

/// How many texts of times are kept, as a power of two. Those of instants come again in the next rows, those of durations for ever.
const INSTANTS: u32 = 6;
const DURATIONS: u32 = 8;
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

/// The eight digits of a number below 10^8, the first one in the lowest byte.
#[inline]
const fn eight_digits(value: u32) -> u64 {
    // Split into numbers of four digits, of two, and of one, all parts at once. The factors give exact quotients of such numbers.
    let fours = (value / 10_000) as u64 | ((value % 10_000) as u64) << 32;
    let hundreds = ((fours * 10_486) >> 20) & 0x0000_007f_0000_007f;
    let twos = hundreds | (fours - 100 * hundreds) << 16;
    let tens = ((twos * 103) >> 10) & 0x000f_000f_000f_000f;
    tens | (twos - 10 * tens) << 8
}

/// The text of a number below 10^8, filled up with zeros, and its length.
#[inline]
const fn short_digits(value: u32) -> ([u8; 8], usize) {
    let digits = eight_digits(value);
    let zeros = if value == 0 { 7 } else { digits.trailing_zeros() / 8 };
    (((digits | 0x3030_3030_3030_3030) >> (8 * zeros)).to_le_bytes(), 8 - zeros as usize)
}

/// The text of a time in µs: exact, with at least one digit after the point, filled up with zeros. The last byte is its length.
fn time(value: Ticks) -> [u8; TIME] {
    let mut text = [0; TIME];
    let whole = value.0 / TICKS_PER_US;
    let point = match u32::try_from(whole) {
        Ok(short @ 0..100_000_000) => {
            let (digits, len) = short_digits(short);
            text[..8].copy_from_slice(&digits);
            len
        }
        _ => digits_into(&mut text, whole),
    };
    text[point] = b'.';
    let fraction = eight_digits(100 * (value.0 % TICKS_PER_US) as u32);
    let decimals = (8 - fraction.leading_zeros() as usize / 8).max(1);
    let shown = (fraction | 0x3030_3030_3030_3030) & (u64::MAX >> (64 - 8 * decimals));
    text[point + 1..point + 9].copy_from_slice(&shown.to_le_bytes());
    text[TIME - 1] = (point + 1 + decimals) as u8;
    text
}

/// Puts the text of another time into a place of a cache. Most times are known, so this is kept out of the way.
#[cold]
#[inline(never)]
fn renew(known: &mut (Ticks, [u8; TIME]), value: Ticks) {
    *known = (value, time(value));
}

/// A cache of the texts of times.
#[derive(Debug)]
struct RecentTimes {
    texts: Vec<(Ticks, [u8; TIME])>,
    /// How far a hash of 64 bits is shifted to give a place.
    shift: u32,
}

impl RecentTimes {
    /// A cache of `2^bits` texts.
    fn new(bits: u32) -> Self {
        Self { texts: vec![(Ticks::ZERO, time(Ticks::ZERO)); 1 << bits], shift: 64 - bits }
    }

    #[inline]
    fn text(&mut self, value: Ticks) -> &[u8; TIME] {
        let known = &mut self.texts[(value.0.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> self.shift) as usize];
        if known.0 != value {
            renew(known, value);
        }
        &known.1
    }

    /// Appends the text of a time.
    #[inline]
    fn put(&mut self, value: Ticks, out: &mut Vec<u8>) {
        let text = self.text(value);
        out.extend_from_slice(&text[..usize::from(text[TIME - 1])]);
    }

    /// What follows the text of a time at the beginning of `line`, if it is there.
    #[inline]
    fn behind<'a>(&mut self, value: Ticks, line: &'a [u8]) -> Option<&'a [u8]> {
        let text = self.text(value);
        let len = usize::from(text[TIME - 1]);
        behind_short(text.first_chunk()?, len, line).unwrap_or_else(|| line.strip_prefix(text.get(..len)?))
    }
}

/// What follows the digits of a number at the beginning of `line`, if they are there.
#[inline]
fn behind_number(value: u64, line: &[u8]) -> Option<&[u8]> {
    let Ok(short @ 0..100_000_000) = u32::try_from(value) else {
        let mut text = [0; 20];
        let len = digits_into(&mut text, value);
        return line.strip_prefix(&text[..len]);
    };
    let (digits, len) = short_digits(short);
    let differ = u64::from_le_bytes(*line.first_chunk()?) ^ u64::from_le_bytes(digits);
    if differ << (8 * (8 - len)) == 0 { line.get(len..) } else { None }
}

/// What follows a byte at the beginning of `line`, if it is there.
#[inline]
fn behind_byte(byte: u8, line: &[u8]) -> Option<&[u8]> {
    line.split_first().filter(|(first, _)| **first == byte).map(|(_, rest)| rest)
}

/// Writes rows, one at a time, or finds that they are there already.
///
/// To find a row costs less than to write it and to compare the texts. What cannot be found in this way is written and compared:
/// `None` says only that.
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
            times: RecentTimes::new(INSTANTS),
            durations: RecentTimes::new(DURATIONS),
            text: Vec::new(),
            of: None,
            op: Vec::new(),
            last: None,
            segment: Vec::new(),
            plane_at: [0; 2],
        }
    }

    /// The length of what [`Self::stretch`] writes for a row with two unknown columns, if `line` begins with it.
    pub(super) fn begins_stretch(&mut self, line: &[u8], origin: &StartedOperation, row: &Stretch) -> Option<usize> {
        if row.state == StateCode::UNKNOWN {
            return None;
        }
        let rest = self.times.behind(row.start, line)?;
        let rest = self.times.behind(row.end, behind_byte(b',', rest)?)?;
        let [die, plane, block, page] = row.place;
        let [die_plane, _] = self.words.die_plane(usize::try_from(die).ok()?, usize::try_from(plane).ok()?)?;
        let rest = behind_number(u64::try_from(block).ok()?, die_plane.behind(rest)?)?;
        let rest = behind_number(u64::try_from(page).ok()?, behind_byte(b',', rest)?)?;
        let rest = self.words.op(origin.op).behind(rest)?;
        let rest = if row.resumed { rest.strip_prefix(b"RESUME_CHAIN")? } else { rest };
        let rest = behind_number(origin.uid, behind_byte(b',', rest)?)?;
        let rest = self.words.state(row.state).behind(behind_byte(b',', rest)?)?;
        Some(line.len() - rest.len())
    }

    /// The length of what [`Self::segment`] writes, if `line` begins with it.
    pub(super) fn begins_segment(&mut self, line: &[u8], base: BaseId, row: &SegmentRow) -> Option<usize> {
        let rest = self.times.behind(row.start, line)?;
        let rest = self.times.behind(row.end, behind_byte(b',', rest)?)?;
        let [place, lane] = self.words.die_plane(row.die.index(), row.plane.index())?;
        let rest = self.words.state(StateCode::phase(base, row.kind)).behind(place.behind(rest)?)?;
        let rest = self.words.base(base).behind(lane.behind(rest)?)?;
        let rest = self.durations.behind(Ticks(row.end.0.saturating_sub(row.start.0)), rest)?;
        Some(line.len() - rest.len())
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
        let mut times = RecentTimes::new(INSTANTS);
        for _ in 0..2 {
            for (ps, expected) in [
                (0, "0.0"),
                (500_000_000, "500.0"),
                (7_500_085_000, "7500.085"),
                (10_000_000_000, "10000.0"),
                (100_000, "0.1"),
                (1, "0.000001"),
                (99_999_999_999_999, "99999999.999999"),
                (100_000_000_000_000, "100000000.0"),
                (12_345_678_901_230, "12345678.90123"),
                (u64::MAX, "18446744073709.551615"),
            ] {
                assert_eq!(text(|out| times.put(Ticks(ps), out)), expected);
            }
        }
    }

    #[test]
    fn rows_are_found_where_their_text_is_and_nowhere_else() {
        let profile = nandseq_profile::builtin::profile();
        let mut formatter = RowFormatter::new(WrittenNames::new(&profile));
        let (times, places) = ([0, 85, 7_500_085_000, 99_999_999_999_999, 123_456_789_012_345_678], [0, 7, 10, 1019]);
        for (at, op) in profile.ops.ids().enumerate() {
            let base = profile.ops[op].base;
            let [start, end, uid] = [at, at / 5, at / 7].map(|at| Ticks(times[at % times.len()]));
            let [block, page] = [at, at / 4].map(|at| places[at % places.len()]);
            let place = [at as i32 % 2, at as i32 % 4, block, page];
            let state = StateCode::end(base);
            let stretch = Stretch { start, end, place, state, resumed: at % 3 == 0 };
            let origin = StartedOperation { place: RowPlace { file: 0, row: at as u64 }, uid: uid.0, op, start };
            let kind = nandseq_profile::model::PhaseKind::ALL[at % 4];
            let (die, plane) = (nandseq_profile::Die(at as u8 % 2), nandseq_profile::Plane(at as u8 % 4));
            let segment = SegmentRow { start, end: start.max(end), die, plane, kind };
            let one = formatter.stretch(&origin, &stretch).0.to_vec();
            let other = formatter.segment(base, &segment).to_vec();
            let mut found = |line: &[u8]| {
                [formatter.begins_stretch(line, &origin, &stretch), formatter.begins_segment(line, base, &segment)]
            };
            let line = |text: &[u8]| [text, b"DEFAULT,DEFAULT\n0.0,0.0,"].concat();
            assert_eq!(found(&line(&one)), [Some(one.len()), None]);
            assert_eq!(found(&line(&other)), [None, Some(other.len())]);
            for text in [&one, &other] {
                for damaged in 0..text.len() {
                    let mut line = line(text);
                    line[damaged] ^= 1;
                    assert_eq!(found(&line), [None; 2], "{}", String::from_utf8_lossy(&line));
                }
                for cut in 0..text.len() {
                    assert_eq!(found(&text[..cut]), [None; 2], "{}", String::from_utf8_lossy(&text[..cut]));
                }
            }
        }
        let unknown =
            Stretch { start: Ticks::ZERO, end: Ticks::ZERO, place: [0; 4], state: StateCode::UNKNOWN, resumed: false };
        let origin =
            StartedOperation { place: RowPlace::default(), uid: 1, op: nandseq_profile::OpId(0), start: Ticks(0) };
        let text = formatter.stretch(&origin, &unknown).0.to_vec();
        assert_eq!(formatter.begins_stretch(&text, &origin, &unknown), None);
        for place in [[-1, 0, 0, 0], [0, 4, 0, 0], [0, 0, -1, 0], [0, 0, 0, i32::MIN]] {
            let nowhere = Stretch { place, state: StateCode::DEFAULT, ..unknown };
            let text = formatter.stretch(&origin, &nowhere).0.to_vec();
            assert_eq!(formatter.begins_stretch(&text, &origin, &nowhere), None);
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
