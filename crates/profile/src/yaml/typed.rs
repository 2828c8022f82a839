//! Getters that say what they expected.
//!
//! Each takes `what` for its message: the name of the value as the user knows it (`planes`, `topology`).

use std::ops::RangeInclusive;

use super::{Entry, Node, Value};
use crate::diagnostic::{Diagnostic, Diagnostics, quoted};
use crate::limits::MAX_PROFILE_TIME_US;
use crate::units::{Ticks, TimeError};

impl Node {
    fn wrong_type(&self, what: &str, expected: &str, diagnostics: &mut Diagnostics) {
        if !self.broken {
            let message = format!("{} must be {expected}, not {}", quoted(what), self.describe());
            diagnostics.push(Diagnostic::error("wrong-type", message).at(self.span, ""));
        }
    }

    /// The entries of a mapping.
    pub fn expect_mapping(&self, what: &str, diagnostics: &mut Diagnostics) -> Option<&[Entry]> {
        if self.as_mapping().is_none() {
            self.wrong_type(what, "a mapping", diagnostics);
        }
        self.as_mapping()
    }

    /// The items of a sequence.
    pub fn expect_sequence(&self, what: &str, diagnostics: &mut Diagnostics) -> Option<&[Self]> {
        if self.as_sequence().is_none() {
            self.wrong_type(what, "a list", diagnostics);
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

    /// A whole number within a range.
    pub fn expect_u32(&self, what: &str, range: RangeInclusive<u32>, diagnostics: &mut Diagnostics) -> Option<u32> {
        let text = self.expect_number_text(what, "a whole number", diagnostics)?;
        let digits = text.strip_prefix('+').unwrap_or(text);
        let unsigned = digits.strip_prefix('-').unwrap_or(digits);
        if unsigned.is_empty() || !unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
            self.wrong_type(what, "a whole number", diagnostics);
            return None;
        }
        // A number too long for u32 is out of every range.
        match digits.parse::<u32>() {
            Ok(value) if range.contains(&value) => Some(value),
            _ => {
                let message =
                    format!("{} must be from {} to {}, not {}", quoted(what), range.start(), range.end(), quoted(text));
                diagnostics.push(Diagnostic::error("out-of-range", message).at(self.span, ""));
                None
            }
        }
    }

    /// A finite number within a range.
    pub fn expect_f64(&self, what: &str, range: RangeInclusive<f64>, diagnostics: &mut Diagnostics) -> Option<f64> {
        let text = self.expect_number_text(what, "a number", diagnostics)?;
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
        let text = self.expect_number_text(what, "a time in µs", diagnostics)?;
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

    /// The text of a scalar that should be a number; quotes around numbers are tolerated.
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
