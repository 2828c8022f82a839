//! The fast path of reading sequences: rows exactly as this program writes them, read in one pass.
//!
//! The fast path takes numbers of at most 18 digits and payloads with all fields, in their order, without white space. It gives
//! the same row as the general path ([`line::split`](crate::line::split), then [`PayloadForm`](crate::payload::PayloadForm)). For
//! any other row, and for any fault, it gives `None`, and the general path reads the row. The general path takes four times the
//! instructions of all the rest of reading.

use std::collections::HashMap;

use nandseq_profile::model::PayloadField;
use nandseq_profile::units::TICKS_PER_US;
use nandseq_profile::{BaseId, CellTypeId, IdVec, OpId, Profile, Ticks};

use nandseq_trace::Status;
use rustc_hash::FxBuildHasher;

use crate::row::{Addressed, FieldSet, MAX_LINE};

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
    Status([(Literal, Status); 3]),
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
            PayloadField::Die | PayloadField::Plane | PayloadField::Block | PayloadField::Page => Self::Number(field),
            PayloadField::CellType => {
                let texts = profile.cell_types.iter_ids().map(|(id, one)| Some((quoted(&one.name)?, id)));
                Self::CellType(texts.collect::<Option<_>>()?)
            }
            PayloadField::ExpectedStatus => {
                let text = |status: Status| Some((quoted(status.name())?, status));
                Self::Status([text(Status::Busy)?, text(Status::ExtReady)?, text(Status::Ready)?])
            }
        })
    }
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

    #[inline]
    fn number(&mut self) -> Option<u64> {
        self.digits(DIGITS).map(|(value, _)| value)
    }

    /// Takes a time in µs with at least one decimal.
    #[inline]
    fn time(&mut self) -> Option<Ticks> {
        let (whole, _) = self.digits(WHOLE)?;
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
        times_are_exact.then_some(Self { payloads })
    }

    /// Reads the row at the beginning of `buffer` and adds its targets to `targets`. If the result is `None`, the targets that
    /// were added have no meaning.
    pub(super) fn row(&self, names: &SequenceNames, buffer: &[u8], targets: &mut Vec<Addressed>) -> Option<RowPrefix> {
        let mut cursor = LineCursor::new(buffer);
        let seq = cursor.number()?;
        cursor.byte(b',')?;
        let time = cursor.time()?;
        cursor.byte(b',')?;
        let opcode = cursor.number()?;
        cursor.byte(b',')?;
        let &(op, base) = names.get(cursor.field()?)?;
        let uid = cursor.number()?;
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
                    let number = cursor.number()?.cast_signed();
                    match field {
                        PayloadField::Die => target.die = number,
                        PayloadField::Plane => target.plane = number,
                        PayloadField::Block => target.block = number,
                        PayloadField::Page => target.page = number,
                        PayloadField::CellType | PayloadField::ExpectedStatus => return None,
                    }
                }
                ValueForm::CellType(texts) => target.cell_type = Some(cursor.one_of(texts)?),
                ValueForm::Status(texts) => target.status = Some(cursor.one_of(texts)?),
            }
        }
        cursor.byte(b'}')?;
        Some(target)
    }
}
