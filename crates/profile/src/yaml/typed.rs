//! Typed getters of nodes. They report a value of another type and return `None`.
//!
//! Each takes `what` for its message: the name of the value as the user knows it (`planes`, `topology`).

use std::borrow::Cow;
use std::ops::RangeInclusive;

use super::{Entry, Node, Value, examples};
use crate::diagnostic::{Diagnostic, Diagnostics, quoted};
use crate::limits::MAX_PROFILE_TIME_US;
use crate::units::{Ticks, TimeError};
use crate::whole::{self, NotWhole};

impl Node {
    fn wrong_type(&self, what: &str, expected: &str, diagnostics: &mut Diagnostics) {
        if !self.broken {
            diagnostics.push(self.of_another_type(what, expected));
        }
    }

    fn of_another_type(&self, what: &str, expected: &str) -> Diagnostic {
        let what = if what.starts_with("the ") { Cow::Borrowed(what) } else { Cow::Owned(quoted(what)) };
        let message = format!("{what} must be {expected}, not {}", self.describe());
        Diagnostic::error("wrong-type", message).at(self.span, "")
    }

    /// The entries of a mapping. A message about another value has an example.
    pub fn expect_mapping(&self, what: &str, diagnostics: &mut Diagnostics) -> Option<&[Entry]> {
        if self.as_mapping().is_none() && !self.broken {
            diagnostics.push(self.of_another_type(what, "a mapping").help(examples::of_mapping(what)));
        }
        self.as_mapping()
    }

    /// The items of a sequence. A message about another value has an example.
    pub fn expect_sequence(&self, what: &str, diagnostics: &mut Diagnostics) -> Option<&[Self]> {
        if self.as_sequence().is_none() && !self.broken {
            diagnostics.push(self.of_another_type(what, "a list").help(examples::of_list(what)));
        }
        self.as_sequence()
    }

    /// A text of at least one character.
    pub fn expect_str(&self, what: &str, diagnostics: &mut Diagnostics) -> Option<&str> {
        match &self.value {
            Value::Scalar(scalar) if !self.broken && !self.is_null() && !scalar.text.is_empty() => Some(&scalar.text),
            Value::Scalar(_) | Value::Sequence(_) | Value::Mapping(_) => {
                self.wrong_type(what, "a text", diagnostics);
                None
            }
        }
    }

    /// `true` or `false`.
    pub fn expect_bool(&self, what: &str, diagnostics: &mut Diagnostics) -> Option<bool> {
        match (&self.value, self.as_str()) {
            (Value::Scalar(scalar), Some("true" | "True" | "TRUE")) if scalar.plain => Some(true),
            (Value::Scalar(scalar), Some("false" | "False" | "FALSE")) if scalar.plain => Some(false),
            _ => {
                self.wrong_type(what, "true or false", diagnostics);
                None
            }
        }
    }

    /// A whole number within a range, in a form that all readers of YAML read as the same number (see [`whole`]).
    pub fn expect_u32(&self, what: &str, range: RangeInclusive<u32>, diagnostics: &mut Diagnostics) -> Option<u32> {
        let text = self.expect_number_text(what, "a whole number", diagnostics)?;
        match whole::whole(text) {
            Ok(value) => {
                let value = value.and_then(|value| u32::try_from(value).ok()).filter(|value| range.contains(value));
                if value.is_none() {
                    let (least, most) = range.into_inner();
                    let limits = if least == most { least.to_string() } else { format!("from {least} to {most}") };
                    let message = format!("{} must be {limits}, not {}", quoted(what), quoted(text));
                    diagnostics.push(Diagnostic::error("out-of-range", message).at(self.span, ""));
                }
                value
            }
            Err(NotWhole::NotANumber) => {
                self.wrong_type(what, "a whole number", diagnostics);
                None
            }
            Err(unclear) => {
                self.ambiguous_number(what, text, &unclear, diagnostics);
                None
            }
        }
    }

    /// Whether all readers of YAML that take the scalar for a number read the same number. If not, it is reported.
    pub fn reads_the_same(&self, what: &str, diagnostics: &mut Diagnostics) -> bool {
        let Some((text, unclear)) = self.as_str().and_then(|text| Some((text, whole::ambiguous(text.trim())?))) else {
            return true;
        };
        self.ambiguous_number(what, text, &unclear, diagnostics);
        false
    }

    /// Reports a number that readers of YAML read differently.
    fn ambiguous_number(&self, what: &str, text: &str, unclear: &NotWhole, diagnostics: &mut Diagnostics) {
        let (what, sign) = (quoted(what), if text.starts_with('-') { "-" } else { "" });
        let written = quoted(text);
        let (message, help) = match unclear {
            NotWhole::LeadingZeros { decimal, octal: Some(octal) } if octal == decimal => (
                format!(
                    "{what} has a leading zero: {written} is {sign}{decimal}, as a decimal number and as an octal one"
                ),
                format!("write `{sign}{decimal}`"),
            ),
            NotWhole::LeadingZeros { decimal, octal: Some(octal) } => (
                format!(
                    "{what} has a leading zero: {written} is {sign}{decimal} as a decimal number, but {sign}{octal} (octal) as YAML 1.1 reads it"
                ),
                format!("write `{sign}{decimal}` or `{sign}{octal}`, whichever is meant"),
            ),
            NotWhole::LeadingZeros { decimal, octal: None } => (
                format!(
                    "{what} has a leading zero: {written} is {sign}{decimal} as a decimal number, but a text as YAML 1.1 reads it (no octal number has such a digit)"
                ),
                format!("write `{sign}{decimal}`"),
            ),
            NotWhole::Sexagesimal { value } => (
                format!(
                    "{what} is {written}: {sign}{value} (in sixties) as YAML 1.1 reads it, and not a number in YAML 1.2"
                ),
                format!("write `{sign}{value}` if that is meant"),
            ),
            NotWhole::NotANumber => return,
        };
        diagnostics.push(Diagnostic::error("ambiguous-number", message).at(self.span, "").help(help));
    }

    /// A finite number within a range.
    pub fn expect_f64(&self, what: &str, range: RangeInclusive<f64>, diagnostics: &mut Diagnostics) -> Option<f64> {
        let text = self.expect_decimal_text(what, "a number", diagnostics)?;
        let text = &*text;
        // Rust's own grammar for floats also takes "inf" and "nan" in words.
        let numeric = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
        match text.parse::<f64>() {
            Ok(value) if numeric && range.contains(&value) && value.is_finite() => Some(value),
            Ok(_) if numeric => {
                let limits = match (range.start().is_finite(), range.end().is_finite()) {
                    (true, true) => format!("from {} to {}", range.start(), range.end()),
                    (true, false) => format!("finite and at least {}", range.start()),
                    (false, _) => "finite".to_owned(),
                };
                let message = format!("{} must be {limits}, not {}", quoted(what), quoted(text));
                diagnostics.push(Diagnostic::error("out-of-range", message).at(self.span, ""));
                None
            }
            _ => {
                self.wrong_type(what, "a number", diagnostics);
                None
            }
        }
    }

    /// A time in µs, converted exactly.
    pub fn expect_time(&self, what: &str, diagnostics: &mut Diagnostics) -> Option<Ticks> {
        let text = self.expect_decimal_text(what, "a time in µs", diagnostics)?;
        let text = &*text;
        let limited = |time: Ticks| {
            if time > Ticks::from_us(MAX_PROFILE_TIME_US) { Err(TimeError::TooLong) } else { Ok(time) }
        };
        match Ticks::parse_us(text).and_then(limited) {
            Ok(time) => Some(time),
            Err(wrong) => {
                let why = match wrong {
                    TimeError::TooLong => "longer than a day".to_owned(),
                    TimeError::NotANumber | TimeError::Negative | TimeError::TooFine => wrong.to_string(),
                };
                let message = format!("{} is not a time in µs: {why}", quoted(text));
                let help = match wrong {
                    TimeError::NotANumber => format!("write {} as a plain decimal number of µs", quoted(what)),
                    TimeError::Negative => "times count from 0".to_owned(),
                    TimeError::TooFine => "a µs has at most 6 decimals".to_owned(),
                    TimeError::TooLong => "check the unit: times are in µs".to_owned(),
                };
                diagnostics.push(Diagnostic::error("bad-time", message).at(self.span, "").help(help));
                None
            }
        }
    }

    /// The text of a scalar that should be a decimal number, without the `_` between its digits.
    fn expect_decimal_text(&self, what: &str, expected: &str, diagnostics: &mut Diagnostics) -> Option<Cow<'_, str>> {
        let text = self.expect_number_text(what, expected, diagnostics)?;
        if let Some(unclear) = whole::ambiguous(text) {
            self.ambiguous_number(what, text, &unclear, diagnostics);
            return None;
        }
        Some(whole::ungrouped(text).unwrap_or(Cow::Borrowed(text)))
    }

    /// The text of a scalar that should be a number, with or without quotes.
    fn expect_number_text(&self, what: &str, expected: &str, diagnostics: &mut Diagnostics) -> Option<&str> {
        match self.as_str() {
            Some(text) if !self.broken && !self.is_null() => Some(text.trim()),
            _ => {
                self.wrong_type(what, expected, diagnostics);
                None
            }
        }
    }
}
