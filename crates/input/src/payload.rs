//! Reading the payload column: a JSON array of flat objects in a CSV field.
//!
//! The scanner reads JSON quotes in doubled form, as CSV writes them, so no copy of the field is needed. Keys may come in any
//! order. The only values that are lists are those of an expected status. Spaces and tabs may stand between tokens, and strings may have any escape of JSON.

use std::borrow::Cow;

use nandseq_profile::diagnostic::printable;
use nandseq_profile::model::{Axis, Base, DataTransfer, PayloadField, StatusField};
use nandseq_profile::{BaseId, CellTypeId, IdVec, Profile};
use nandseq_trace::{Status, suspension_words};

use crate::fast_path::status_words;
use crate::row::{Addressed, FieldSet, PayloadFault};

/// The fields and cell types that payloads of a profile may have.
pub(super) struct PayloadForm {
    wanted: IdVec<BaseId, Wanted>,
    cell_types: IdVec<CellTypeId, Box<[u8]>>,
    /// The fields of an expected status that is a list.
    status: Vec<StatusField>,
}

/// The fields of the payload of a base.
#[derive(Clone, Copy)]
struct Wanted {
    fields: FieldSet,
    /// Those that must be there. Of data that is put out, nobody may be able to tell whose it is.
    required: FieldSet,
}

impl Wanted {
    fn new(base: &Base) -> Self {
        let fields: FieldSet = base.payload.iter().copied().collect();
        let mut required = fields;
        if base.data_transfer() == Some(DataTransfer::Out) {
            required.remove(PayloadField::Data);
        }
        Self { fields, required }
    }
}

/// A JSON value of a flat object.
enum JsonValue<'a> {
    Integer(i64),
    Text(Cow<'a, [u8]>),
    /// A list of texts.
    Texts(Vec<Cow<'a, [u8]>>),
    Other(&'a [u8]),
}

impl PayloadForm {
    pub(super) fn new(profile: &Profile) -> Self {
        Self {
            wanted: profile.bases.iter().map(Wanted::new).collect(),
            cell_types: profile.cell_types.iter().map(|cell_type| cell_type.name.as_bytes().into()).collect(),
            status: profile.export.status.clone(),
        }
    }

    /// Reads the objects into `targets`. After a fault, the objects that were read so far stay there, including the faulty one.
    pub(super) fn parse(&self, base: BaseId, field: &[u8], targets: &mut Vec<Addressed>) -> Result<(), PayloadFault> {
        let mut scan = Scanner { rest: field };
        let mut fault = None;
        scan.expect(b'[')?;
        if scan.take(b']') {
            return scan.end().and(Err(PayloadFault::Empty));
        }
        loop {
            let mut target = Addressed::default();
            let read = self.object(&mut scan, &mut target, self.wanted[base], &mut fault);
            targets.push(target);
            read?;
            if scan.take(b']') {
                break;
            }
            scan.expect(b',')?;
        }
        scan.end()?;
        fault.map_or(Ok(()), Err)
    }

    /// Reads one object. Broken JSON is an error. The first fault of a field is stored in `fault`, and reading goes on.
    fn object(
        &self,
        scan: &mut Scanner<'_>,
        target: &mut Addressed,
        wanted: Wanted,
        fault: &mut Option<PayloadFault>,
    ) -> Result<(), PayloadFault> {
        scan.expect(b'{')?;
        let mut closed = scan.take(b'}');
        while !closed {
            let key = scan.text()?;
            scan.expect(b':')?;
            let value = scan.value()?;
            if let Err(found) = self.field(&key, &value, target, wanted) {
                fault.get_or_insert(found);
            }
            closed = scan.take(b'}');
            if !closed {
                scan.expect(b',')?;
            }
        }
        let Wanted { required, .. } = wanted;
        if !required.is_subset(target.fields) {
            let missing = PayloadField::ALL.into_iter().find(|&f| required.contains(f) && !target.fields.contains(f));
            if let Some(field) = missing {
                fault.get_or_insert(PayloadFault::Missing(field.name()));
            }
        }
        Ok(())
    }

    fn field(
        &self,
        key: &[u8],
        value: &JsonValue<'_>,
        target: &mut Addressed,
        wanted: Wanted,
    ) -> Result<(), PayloadFault> {
        let known = PayloadField::ALL.into_iter().find(|field| field.name().as_bytes() == key);
        let Some(field) = known.filter(|&field| wanted.fields.contains(field)) else {
            return Err(PayloadFault::Superfluous(shown(key)));
        };
        if target.fields.contains(field) {
            return Err(PayloadFault::Duplicate(field.name()));
        }
        let unfit = || PayloadFault::Value { field: field.name(), value: value.shown() };
        let integer = || if let JsonValue::Integer(number) = value { Ok(*number) } else { Err(unfit()) };
        let text = || if let JsonValue::Text(text) = value { Ok(&**text) } else { Err(unfit()) };
        match field {
            PayloadField::Die => target.die = integer()?,
            PayloadField::Plane => target.plane = integer()?,
            PayloadField::Block => target.block = integer()?,
            PayloadField::Page => target.page = integer()?,
            PayloadField::CellType => {
                let name = text()?;
                let found = self.cell_types.iter_ids().find(|(_, known)| known.as_ref() == name);
                target.cell_type = Some(found.ok_or_else(unfit)?.0);
            }
            PayloadField::ExpectedStatus if self.status.is_empty() => {
                put_status(StatusField::Ready, text()?, target).ok_or_else(unfit)?;
            }
            PayloadField::ExpectedStatus => {
                let JsonValue::Texts(words) = value else { return Err(self.no_list(value)) };
                if words.len() != self.status.len() {
                    return Err(self.no_list(value));
                }
                for (&part, word) in self.status.iter().zip(words) {
                    put_status(part, word, target).ok_or_else(|| no_word(part, word))?;
                }
            }
            PayloadField::Data => target.data = integer()?,
        }
        target.fields.insert(field);
        Ok(())
    }

    /// The fault of an expected status that does not have a word for each field.
    fn no_list(&self, value: &JsonValue<'_>) -> PayloadFault {
        let fields: Vec<&str> = self.status.iter().map(|field| field.name()).collect();
        PayloadFault::Status(format!(
            "cannot be {}: it is a list with a word for each of {}",
            value.shown(),
            fields.join(", ")
        ))
    }
}

/// The fault of a word that is none of a field of an expected status.
fn no_word(field: StatusField, word: &[u8]) -> PayloadFault {
    let known: Vec<&str> = status_words(field).into_iter().map(|(word, _)| word).collect();
    PayloadFault::Status(format!("says '{}' for {}, which is one of {}", shown(word), field.name(), known.join(", ")))
}

/// Puts the word of a field of an expected status into a target; `None` if the field has no such word.
fn put_status(field: StatusField, word: &[u8], target: &mut Addressed) -> Option<()> {
    let axis = match field {
        StatusField::Ready => {
            let all = [Status::Busy, Status::ExtReady, Status::Ready];
            target.status = Some(all.into_iter().find(|status| status.name().as_bytes() == word)?);
            return Some(());
        }
        StatusField::EraseSuspend => Axis::Erase,
        StatusField::ProgramSuspend => Axis::Program,
    };
    target.suspended[axis] = Some(suspension_words(axis).iter().position(|known| known.as_bytes() == word)? == 1);
    Some(())
}

/// At most 40 bytes of a text in the file, for messages.
fn shown(bytes: &[u8]) -> String {
    printable(&bytes[..bytes.len().min(40)])
}

impl JsonValue<'_> {
    fn shown(&self) -> String {
        match self {
            Self::Integer(number) => number.to_string(),
            Self::Text(text) => format!("'{}'", shown(text)),
            Self::Texts(texts) => {
                let texts: Vec<String> = texts.iter().map(|text| format!("'{}'", shown(text))).collect();
                format!("[{}]", texts.join(", "))
            }
            Self::Other(text) => shown(text),
        }
    }
}

struct Scanner<'a> {
    rest: &'a [u8],
}

impl<'a> Scanner<'a> {
    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t') = self.rest.first() {
            self.rest = &self.rest[1..];
        }
    }

    /// Consumes `byte` if it comes next.
    fn take(&mut self, byte: u8) -> bool {
        self.skip_space();
        let there = self.rest.first() == Some(&byte);
        if there {
            self.rest = &self.rest[1..];
        }
        there
    }

    fn expect(&mut self, byte: u8) -> Result<(), PayloadFault> {
        if self.take(byte) { Ok(()) } else { Err(PayloadFault::NotJson) }
    }

    fn end(&mut self) -> Result<(), PayloadFault> {
        self.skip_space();
        if self.rest.is_empty() { Ok(()) } else { Err(PayloadFault::NotJson) }
    }

    /// A string with its escapes resolved.
    fn text(&mut self) -> Result<Cow<'a, [u8]>, PayloadFault> {
        self.quote()?;
        let plain = self.up_to_quote_or_escape()?;
        if self.rest.first() == Some(&b'"') {
            self.quote()?;
            return Ok(Cow::Borrowed(plain));
        }
        let mut text = plain.to_vec();
        while self.rest.first() == Some(&b'\\') {
            self.rest = &self.rest[1..];
            let mut bytes = [0; 4];
            text.extend_from_slice(self.escaped()?.encode_utf8(&mut bytes).as_bytes());
            text.extend_from_slice(self.up_to_quote_or_escape()?);
        }
        self.quote()?;
        Ok(Cow::Owned(text))
    }

    fn up_to_quote_or_escape(&mut self) -> Result<&'a [u8], PayloadFault> {
        let end = memchr::memchr2(b'"', b'\\', self.rest).ok_or(PayloadFault::NotJson)?;
        let (text, rest) = self.rest.split_at(end);
        self.rest = rest;
        Ok(text)
    }

    /// The character of an escape; its backslash has been taken.
    fn escaped(&mut self) -> Result<char, PayloadFault> {
        let (&kind, rest) = self.rest.split_first().ok_or(PayloadFault::NotJson)?;
        self.rest = rest;
        Ok(match kind {
            // The quote is doubled because it is inside a CSV field.
            b'"' => {
                self.rest = self.rest.strip_prefix(b"\"").ok_or(PayloadFault::NotJson)?;
                '"'
            }
            b'\\' | b'/' => char::from(kind),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.code_point(),
            _ => return Err(PayloadFault::NotJson),
        })
    }

    /// The character of `\u`, whose four digits follow. A surrogate needs its other half behind it.
    fn code_point(&mut self) -> Result<char, PayloadFault> {
        let first = self.four_digits()?;
        let pair = (0xd800..0xdc00).contains(&first) && self.rest.starts_with(b"\\u");
        if !pair {
            return char::from_u32(first).ok_or(PayloadFault::NotJson);
        }
        self.rest = &self.rest[2..];
        let second = self.four_digits()?.checked_sub(0xdc00).filter(|half| *half < 0x400);
        let second = second.ok_or(PayloadFault::NotJson)?;
        char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + second).ok_or(PayloadFault::NotJson)
    }

    fn four_digits(&mut self) -> Result<u32, PayloadFault> {
        let (digits, rest) = self.rest.split_at_checked(4).ok_or(PayloadFault::NotJson)?;
        self.rest = rest;
        digits.iter().try_fold(0, |value, &digit| {
            char::from(digit).to_digit(16).map(|digit| value << 4 | digit).ok_or(PayloadFault::NotJson)
        })
    }

    /// Takes a JSON quote. It is doubled, because CSV quotes a field that contains one.
    fn quote(&mut self) -> Result<(), PayloadFault> {
        self.skip_space();
        match self.rest {
            [b'"', b'"', rest @ ..] => {
                self.rest = rest;
                Ok(())
            }
            _ => Err(PayloadFault::NotJson),
        }
    }

    /// The texts of a list; its bracket has been taken.
    fn texts(&mut self) -> Result<Vec<Cow<'a, [u8]>>, PayloadFault> {
        let mut texts = Vec::new();
        while !self.take(b']') {
            if !texts.is_empty() {
                self.expect(b',')?;
            }
            texts.push(self.text()?);
        }
        Ok(texts)
    }

    fn value(&mut self) -> Result<JsonValue<'a>, PayloadFault> {
        self.skip_space();
        if self.rest.first() == Some(&b'"') {
            return self.text().map(JsonValue::Text);
        }
        if self.take(b'[') {
            return self.texts().map(JsonValue::Texts);
        }
        let end = self.rest.iter().position(|byte| matches!(byte, b',' | b'}' | b']' | b' ' | b'\t'));
        let word = &self.rest[..end.ok_or(PayloadFault::NotJson)?];
        self.rest = &self.rest[word.len()..];
        match word {
            b"" => Err(PayloadFault::NotJson),
            b"true" | b"false" | b"null" => Ok(JsonValue::Other(word)),
            _ => number(word),
        }
    }
}

fn number(word: &[u8]) -> Result<JsonValue<'_>, PayloadFault> {
    let (negative, digits) = match word {
        [b'-', digits @ ..] => (true, digits),
        _ => (false, word),
    };
    if digits.len() > 1 && digits.starts_with(b"0") && digits.iter().all(u8::is_ascii_digit) {
        return Err(PayloadFault::LeadingZero(shown(word)));
    }
    if !digits.is_empty() && digits.len() <= 18 && digits.iter().all(u8::is_ascii_digit) {
        let value = digits.iter().fold(0_i64, |value, byte| value * 10 + i64::from(byte - b'0'));
        return Ok(JsonValue::Integer(if negative { -value } else { value }));
    }
    let float = std::str::from_utf8(word).is_ok_and(|text| text.parse::<f64>().is_ok_and(f64::is_finite));
    if float { Ok(JsonValue::Other(word)) } else { Err(PayloadFault::NotJson) }
}
