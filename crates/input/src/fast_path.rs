//! The fast path of reading sequences: rows exactly as this program writes them, read in one pass.
//!
//! The fast path takes numbers of at most 18 digits and payloads with all fields, in their order, without white space. It gives
//! the same row as the general path ([`line::split`](crate::line::split), then [`PayloadForm`](crate::payload::PayloadForm)). For
//! any other row, and for any fault, it gives `None`, and the general path reads the row. The general path takes four times the
//! instructions of all the rest of reading.

mod short_names;

use std::collections::HashMap;

use nandseq_profile::model::{Axis, PayloadField, StatusField};
use nandseq_profile::units::TICKS_PER_US;
use nandseq_profile::{BaseId, CellTypeId, IdVec, OpId, Profile, Ticks};

use nandseq_trace::{Status, suspension_words};
use rustc_hash::FxBuildHasher;

use crate::row::{Addressed, FieldSet, MAX_LINE};
use short_names::ShortNames;

/// The most digits of a number; so many cannot overflow.
const DIGITS: usize = 18;
/// The most digits of whole µs; with six decimals so many fit 64 bits.
const WHOLE: usize = 12;
/// The most decimals of a time in µs.
const DECIMALS: usize = 6;
/// The ticks in a unit of the last decimal, by the number of decimals.
const UNITS: [u64; DECIMALS + 1] = [1_000_000, 100_000, 10_000, 1_000, 100, 10, 1];

/// The operations of a profile by name, with their bases.
pub(super) type SequenceNames = HashMap<Box<[u8]>, (OpId, BaseId), FxBuildHasher>;

/// The written forms of the rows of a profile.
pub(super) struct FastPath {
    short_names: ShortNames,
    /// The form of the payload of each base; `None` if its rows are left to the general path.
    payloads: IdVec<BaseId, Option<ObjectForm>>,
}

/// The written form of an object of a payload.
struct ObjectForm {
    fields: FieldSet,
    pieces: Box<[ObjectField]>,
}

/// A field of an object.
struct ObjectField {
    /// The text before its value: `,""page"":`.
    before: Literal,
    value: ValueForm,
}

/// The kind of a value, with the texts that it may have.
enum ValueForm {
    Number(PayloadField),
    CellType(Box<[(Literal, CellTypeId)]>),
    Status(StatusForm),
}

/// The form of an expected status: a word, or a list of words.
struct StatusForm {
    is_list: bool,
    /// The words of each field, each with the bracket or comma before it.
    fields: Box<[WordForms]>,
}

/// Words of an expected status in their written form.
type WordForms = Box<[(Literal, StatusWord)]>;

/// What a word of an expected status says.
#[derive(Clone, Copy)]
pub(super) enum StatusWord {
    Status(Status),
    Suspended(Axis, bool),
}

/// A text of at most 16 bytes, which are compared as one number.
#[derive(Clone, Copy)]
struct Literal {
    bits: u128,
    mask: u128,
    len: usize,
}

/// The values of a row without its targets.
pub(super) struct RowPrefix {
    pub(super) seq: u64,
    pub(super) time: Ticks,
    pub(super) opcode: u64,
    pub(super) op: OpId,
    pub(super) uid: u64,
    /// The bytes of the line with its line feed.
    pub(super) len: usize,
}

impl Literal {
    /// `None` for a longer text.
    fn new(text: &[u8]) -> Option<Self> {
        let mut bytes = [0; 16];
        bytes.get_mut(..text.len())?.copy_from_slice(text);
        let mask = if text.len() == 16 { u128::MAX } else { (1 << (8 * text.len())) - 1 };
        Some(Self { bits: u128::from_le_bytes(bytes), mask, len: text.len() })
    }
}

/// A JSON string as it is written in a quoted field. `None` if it is too long, or needs an escape.
fn quoted(name: &str) -> Option<Literal> {
    let plain = !name.bytes().any(|byte| matches!(byte, b'"' | b'\\' | b'\n' | b'\r'));
    Literal::new(format!("\"\"{name}\"\"").as_bytes()).filter(|_| plain)
}

impl ObjectForm {
    /// The form of a payload with these fields; `None` if its rows are left to the general path.
    fn new(profile: &Profile, payload: &[PayloadField]) -> Option<Self> {
        let mut fields = FieldSet::default();
        let mut pieces = Vec::new();
        for &field in payload {
            if fields.contains(field) {
                return None;
            }
            fields.insert(field);
            let open = if pieces.is_empty() { '{' } else { ',' };
            let before = Literal::new(format!("{open}\"\"{}\"\":", field.name()).as_bytes())?;
            pieces.push(ObjectField { before, value: ValueForm::new(profile, field)? });
        }
        Some(Self { fields, pieces: pieces.into() })
    }
}

impl ValueForm {
    fn new(profile: &Profile, field: PayloadField) -> Option<Self> {
        Some(match field {
            PayloadField::Die | PayloadField::Plane | PayloadField::Block | PayloadField::Page | PayloadField::Data => {
                Self::Number(field)
            }
            PayloadField::CellType => {
                let texts = profile.cell_types.iter_ids().map(|(id, one)| Some((quoted(&one.name)?, id)));
                Self::CellType(texts.collect::<Option<_>>()?)
            }
            PayloadField::ExpectedStatus => Self::Status(StatusForm::new(&profile.export.status)?),
        })
    }
}

impl StatusForm {
    fn new(fields: &[StatusField]) -> Option<Self> {
        let is_list = !fields.is_empty();
        let of_field = |(at, &field): (usize, &StatusField)| {
            let before = match (is_list, at) {
                (false, _) => "",
                (true, 0) => "[",
                (true, _) => ",",
            };
            let one = |(name, word)| Some((Literal::new(format!("{before}\"\"{name}\"\"").as_bytes())?, word));
            status_words(field).into_iter().map(one).collect::<Option<WordForms>>()
        };
        let fields = if is_list { fields } else { &[StatusField::Ready] };
        Some(Self { is_list, fields: fields.iter().enumerate().map(of_field).collect::<Option<_>>()? })
    }

    /// Takes a status.
    #[inline]
    fn take(&self, cursor: &mut LineCursor<'_>, target: &mut Addressed) -> Option<()> {
        for words in &self.fields {
            match cursor.one_of(words)? {
                StatusWord::Status(status) => target.status = Some(status),
                StatusWord::Suspended(axis, is_so) => target.suspended[axis] = Some(is_so),
            }
        }
        if self.is_list { cursor.byte(b']') } else { Some(()) }
    }
}

/// The words of a field of an expected status.
pub(super) fn status_words(field: StatusField) -> Vec<(&'static str, StatusWord)> {
    let of_axis = |axis| {
        let [not, is] = suspension_words(axis);
        vec![(not, StatusWord::Suspended(axis, false)), (is, StatusWord::Suspended(axis, true))]
    };
    match field {
        StatusField::Ready => {
            let all = [Status::Busy, Status::ExtReady, Status::Ready];
            all.map(|status| (status.name(), StatusWord::Status(status))).to_vec()
        }
        StatusField::EraseSuspend => of_axis(Axis::Erase),
        StatusField::ProgramSuspend => of_axis(Axis::Program),
    }
}

/// The number that eight bytes begin with, and its number of digits. For long numbers it takes fewer instructions than a loop.
#[inline]
const fn leading_digits(bytes: [u8; 8]) -> (u64, usize) {
    // Digits become 0 to 9.
    let values = u64::from_le_bytes(bytes) ^ 0x3030_3030_3030_3030;
    // The highest bit of the first byte that is no digit is set. What a byte carries over reaches only those behind it.
    let others = (values.wrapping_add(0x7676_7676_7676_7676) | values) & 0x8080_8080_8080_8080;
    let count = others.trailing_zeros() / 8;
    if count == 0 {
        return (0, 0);
    }
    // Zeros in front of the digits make eight of them; then two, four and eight are joined.
    let digits = values << (64 - 8 * count);
    let pairs = (digits & 0x0f0f_0f0f_0f0f_0f0f).wrapping_mul(10 << 8 | 1) >> 8;
    let fours = (pairs & 0x00ff_00ff_00ff_00ff).wrapping_mul(100 << 16 | 1) >> 16;
    let eight = (fours & 0x0000_ffff_0000_ffff).wrapping_mul(10_000 << 32 | 1) >> 32;
    (eight, count as usize)
}

/// The rest of a buffer or a line. What a function takes is removed from it.
pub(super) struct LineCursor<'a> {
    rest: &'a [u8],
}

impl<'a> LineCursor<'a> {
    pub(super) const fn new(rest: &'a [u8]) -> Self {
        Self { rest }
    }

    /// Takes a number of at most `most` digits, and gives it with its number of digits.
    #[inline]
    fn digits(&mut self, most: usize) -> Option<(u64, usize)> {
        let (mut value, mut count) = (0, 0);
        for &byte in self.rest {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                break;
            }
            if count == most {
                return None;
            }
            value = 10 * value + u64::from(digit);
            count += 1;
        }
        self.rest = &self.rest[count..];
        (count > 0).then_some((value, count))
    }

    /// Takes digits as [`Self::digits`] does, eight at a time.
    #[inline]
    fn long_digits(&mut self, most: usize) -> Option<(u64, usize)> {
        let Some((value, count)) = self.rest.first_chunk().map(|chunk| leading_digits(*chunk)) else {
            return self.digits(most);
        };
        if count < 8 {
            self.rest = &self.rest[count..];
            return (count > 0 && count <= most).then_some((value, count));
        }
        self.rest = &self.rest[8..];
        if !self.rest.first().is_some_and(u8::is_ascii_digit) {
            return (most >= 8).then_some((value, 8));
        }
        let (last, more) = self.digits(most.checked_sub(8)?)?;
        Some((value * 10_u64.pow(more as u32) + last, 8 + more))
    }

    #[inline]
    fn long_number(&mut self) -> Option<u64> {
        self.long_digits(DIGITS).map(|(value, _)| value)
    }

    #[inline]
    fn number(&mut self) -> Option<u64> {
        self.digits(DIGITS).map(|(value, _)| value)
    }

    /// Takes a number as JSON writes it, without leading zeros.
    #[inline]
    fn json_number(&mut self) -> Option<u64> {
        let begins_with_zero = self.rest.first() == Some(&b'0');
        self.digits(DIGITS).filter(|(_, count)| *count == 1 || !begins_with_zero).map(|(value, _)| value)
    }

    /// Takes a time in µs with at least one decimal.
    #[inline]
    fn time(&mut self) -> Option<Ticks> {
        let (whole, _) = self.long_digits(WHOLE)?;
        self.byte(b'.')?;
        let (fraction, digits) = self.digits(DECIMALS)?;
        Some(Ticks(whole * TICKS_PER_US + fraction * UNITS[digits]))
    }

    /// Takes a time without superfluous zeros, and the comma behind it.
    #[inline]
    pub(super) fn exact_time(&mut self) -> Option<Ticks> {
        let start = self.rest;
        let time = self.time()?;
        let text = &start[..start.len() - self.rest.len()];
        let padded =
            (text.starts_with(b"0") && !text.starts_with(b"0.")) || (text.ends_with(b"0") && !text.ends_with(b".0"));
        self.byte(b',').filter(|()| !padded).map(|()| time)
    }

    /// Takes a number without leading zeros that is the whole rest.
    #[inline]
    pub(super) fn last_number(&mut self) -> Option<u64> {
        let padded = self.rest.len() > 1 && self.rest.starts_with(b"0");
        self.number().filter(|_| self.rest.is_empty() && !padded)
    }

    /// Takes a byte if it comes next.
    #[inline]
    fn byte(&mut self, byte: u8) -> Option<()> {
        let (_, rest) = self.rest.split_first().filter(|(first, _)| **first == byte)?;
        self.rest = rest;
        Some(())
    }

    /// Takes a literal if it comes next. Gives `None` if fewer than 16 bytes are left.
    #[inline]
    fn literal(&mut self, literal: &Literal) -> Option<()> {
        let next = u128::from_le_bytes(*self.rest.first_chunk()?);
        let same = (next ^ literal.bits) & literal.mask == 0;
        if same {
            self.rest = &self.rest[literal.len..];
        }
        same.then_some(())
    }

    /// Takes one of `literals` and gives its value.
    #[inline]
    fn one_of<T: Copy>(&mut self, literals: &[(Literal, T)]) -> Option<T> {
        literals.iter().find(|(literal, _)| self.literal(literal).is_some()).map(|&(_, what)| what)
    }

    /// Takes an unquoted field that is not the last one.
    #[inline]
    pub(super) fn field(&mut self) -> Option<&'a [u8]> {
        let end = memchr::memchr3(b',', b'"', b'\n', self.rest)?;
        let (field, rest) = self.rest.split_at(end);
        self.rest = rest;
        self.byte(b',')?;
        Some(field)
    }
}

impl FastPath {
    /// The fast path for a profile; `None` if its times are scaled or rounded.
    pub(super) fn new(profile: &Profile, times_are_exact: bool) -> Option<Self> {
        let payloads = profile.bases.iter().map(|base| ObjectForm::new(profile, &base.payload)).collect();
        times_are_exact.then(|| Self { short_names: ShortNames::new(profile), payloads })
    }

    /// Reads the row at the beginning of `buffer` and adds its targets to `targets`. If the result is `None`, the targets that
    /// were added have no meaning.
    pub(super) fn row(&self, names: &SequenceNames, buffer: &[u8], targets: &mut Vec<Addressed>) -> Option<RowPrefix> {
        let mut cursor = LineCursor::new(buffer);
        let seq = cursor.long_number()?;
        cursor.byte(b',')?;
        let time = cursor.time()?;
        cursor.byte(b',')?;
        let opcode = cursor.number()?;
        cursor.byte(b',')?;
        let (op, base) = match self.short_names.find(cursor.rest) {
            Some((op, base, len)) => {
                cursor.rest = &cursor.rest[len..];
                cursor.byte(b',')?;
                (op, base)
            }
            None => *names.get(cursor.field()?)?,
        };
        let uid = cursor.long_number()?;
        cursor.byte(b',')?;
        let form = self.payloads[base].as_ref()?;
        if form.pieces.is_empty() {
            for byte in *b"[{}]" {
                cursor.byte(byte)?;
            }
            targets.push(Addressed::default());
        } else {
            cursor.byte(b'"')?;
            cursor.byte(b'[')?;
            targets.push(form.object(&mut cursor)?);
            while cursor.byte(b',').is_some() {
                targets.push(form.object(&mut cursor)?);
            }
            cursor.byte(b']')?;
            cursor.byte(b'"')?;
        }
        cursor.byte(b'\n')?;
        let len = buffer.len() - cursor.rest.len();
        (len <= MAX_LINE + 1).then_some(RowPrefix { seq, time, opcode, op, uid, len })
    }
}

impl ObjectForm {
    #[inline]
    fn object(&self, cursor: &mut LineCursor<'_>) -> Option<Addressed> {
        let mut target = Addressed { fields: self.fields, ..Addressed::default() };
        for piece in &self.pieces {
            cursor.literal(&piece.before)?;
            match &piece.value {
                ValueForm::Number(field) => {
                    // A number of at most 18 digits fits.
                    let number = cursor.json_number()?.cast_signed();
                    match field {
                        PayloadField::Die => target.die = number,
                        PayloadField::Plane => target.plane = number,
                        PayloadField::Block => target.block = number,
                        PayloadField::Page => target.page = number,
                        PayloadField::Data => target.data = number,
                        PayloadField::CellType | PayloadField::ExpectedStatus => return None,
                    }
                }
                ValueForm::CellType(texts) => target.cell_type = Some(cursor.one_of(texts)?),
                ValueForm::Status(form) => form.take(cursor, &mut target)?,
            }
        }
        cursor.byte(b'}')?;
        Some(target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_the_same_one_by_one_and_eight_at_a_time() {
        for len in 0..=20 {
            for behind in ["", ",", ",12345678", ".5,9:/;abc", "\u{b0}\u{ff}1234567", "/1234567", ":1234567"] {
                for first in ['0', '1', '9'] {
                    let number: String =
                        std::iter::once(first).chain("90817263544536271809".chars()).take(len).collect();
                    let text = format!("{number}{behind}");
                    for most in [DECIMALS, WHOLE, DIGITS] {
                        let (mut one, mut other) = (LineCursor::new(text.as_bytes()), LineCursor::new(text.as_bytes()));
                        let (digits, long) = (one.digits(most), other.long_digits(most));
                        assert_eq!(digits, long, "{text} {most}");
                        assert_eq!(digits.is_some(), (1..=most).contains(&len), "{text} {most}");
                        if let Some((value, count)) = digits {
                            assert_eq!((value, count), (number.parse().unwrap_or_default(), len), "{text}");
                            assert_eq!((one.rest, other.rest), (behind.as_bytes(), behind.as_bytes()));
                        }
                    }
                }
            }
        }
    }
}
