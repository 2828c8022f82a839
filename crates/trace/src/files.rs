//! The files of a run: their kinds, the date in their names, the digest of their contents.
//!
//! Leaves out the contents of the files, how they are written, and their names, which depend on the form: see `file_form`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The end of the name of a file that gzip packed.
pub const PACKED: &str = ".gz";

/// A SHA-256 digest. It is printed and stored as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The digest of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}

impl TryFrom<String> for Digest {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        const WRONG: &str = "a SHA-256 digest is 64 hexadecimal digits";
        let digits = text.as_bytes();
        if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(WRONG);
        }
        let mut bytes = [0; 32];
        for (byte, at) in bytes.iter_mut().zip((0..64).step_by(2)) {
            *byte = u8::from_str_radix(&text[at..at + 2], 16).map_err(|_| WRONG)?;
        }
        Ok(Self(bytes))
    }
}

/// The date in file names, and the time of day in the names of snapshots. The contents of tables, snapshots and logs do not
/// depend on it, so equal inputs give equal contents.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Stamp {
    year: u16,
    month: u8,
    day: u8,
    /// `hhmmss` as one number.
    time: u32,
}

/// Why a text is not a date.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum StampError {
    /// The text has none of the three accepted forms.
    #[error("a date is written 2026-11-21, 20261121 or 261121")]
    Form,
    /// The day does not exist, or is before 1970.
    #[error("there is no such day")]
    NoSuchDay,
}

impl Stamp {
    /// The date this many days after 1970-01-01, up to the year 9999.
    #[must_use]
    pub fn from_days_since_1970(days: u32) -> Self {
        let (mut year, mut rest) = (1970u16, days);
        while rest >= days_of_year(year) {
            rest -= days_of_year(year);
            year += 1;
        }
        let mut month = 1;
        while rest >= u32::from(days_of_month(year, month)) {
            rest -= u32::from(days_of_month(year, month));
            month += 1;
        }
        Self { year, month, day: rest as u8 + 1, time: 0 }
    }

    /// The same date at this second of the day (below 86,400). A stamp that is made from a date alone is at midnight.
    #[must_use]
    pub const fn at_second(mut self, second: u32) -> Self {
        self.time = second / 3600 * 10_000 + second / 60 % 60 * 100 + second % 60;
        self
    }

    /// Reads a date with the time of day, `20261121_235959`.
    #[must_use]
    pub fn with_time(text: &str) -> Option<Self> {
        let (date, time) = text.split_once('_')?;
        let digits = time.len() == 6 && time.bytes().all(|byte| byte.is_ascii_digit());
        let time: u32 = time.parse().ok().filter(|_| digits)?;
        let (hours, minutes, seconds) = (time / 10_000, time / 100 % 100, time % 100);
        let is_time = hours < 24 && minutes < 60 && seconds < 60;
        let date: Self = date.parse().ok().filter(|_| is_time)?;
        Some(date.at_second(hours * 3600 + minutes * 60 + seconds))
    }

    /// The date and the time of day as [`Stamp::with_time`] reads them.
    #[must_use]
    pub fn date_and_time(self) -> String {
        format!("{}_{:06}", self.yyyymmdd(), self.time)
    }

    /// The date as `20261121`.
    #[must_use]
    pub fn yyyymmdd(self) -> String {
        format!("{:04}{:02}{:02}", self.year, self.month, self.day)
    }
}

fn is_leap(year: u16) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_of_year(year: u16) -> u32 {
    if is_leap(year) { 366 } else { 365 }
}

fn days_of_month(year: u16, month: u8) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

impl FromStr for Stamp {
    type Err = StampError;

    /// Reads `2026-11-21`, `20261121` or `261121` (the years 2000 to 2099).
    fn from_str(text: &str) -> Result<Self, StampError> {
        let bytes = text.as_bytes();
        let dashes = bytes.len() == 10 && bytes[4] == b'-' && bytes[7] == b'-';
        let digits: String = if dashes { text.replace('-', "") } else { text.to_owned() };
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(StampError::Form);
        }
        let full = match digits.len() {
            6 if !dashes => format!("20{digits}"),
            8 => digits,
            _ => return Err(StampError::Form),
        };
        let number = |part: &str| part.parse::<u16>().map_err(|_| StampError::Form);
        let (year, month, day) = (number(&full[..4])?, number(&full[4..6])?, number(&full[6..])?);
        let (month, day) = (month as u8, day as u8);
        if year < 1970 || !(1..=12).contains(&month) || day == 0 || day > days_of_month(year, month) {
            return Err(StampError::NoSuchDay);
        }
        Ok(Self { year, month, day, time: 0 })
    }
}

impl fmt::Display for Stamp {
    /// `yymmdd`, as in file names.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}{:02}{:02}", self.year % 100, self.month, self.day)
    }
}

nandseq_profile::named! {
    /// The kinds of file that a run writes.
    #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum FileKind {
        /// The operations in order of start, as a tester runs them.
        OperationSequence = "operation_sequence",
        /// The stretches of each operation, by target.
        OperationTimeline = "operation_timeline",
        /// The phases of each plane, with their times.
        OpStateTimeline = "op_state_timeline",
        /// The numbers of programs and reads of each page.
        AddressTouchCount = "address_touch_count",
        /// The number of accepted proposals of each operation, by op_state, phase keys and the part of the phase that had passed.
        OpStateNameInputTimeCount = "op_state_name_input_time_count",
        /// The number of accepted proposals of each operation, by phase keys, plane and time.
        PhaseProposalCounts = "phase_proposal_counts",
        /// The complete state of a site after a run.
        Snapshot = "snapshot",
        /// The outcomes of proposals, with the reasons of refusals.
        ProposerLog = "proposer_log",
    }
    /// All kinds, tables first.
    pub const ALL;
    /// The name in flags and manifests. The file name of a table begins with it.
    pub const fn name;
}

impl FileKind {
    /// The kind with this [`name`](Self::name).
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A set of kinds of file.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct Outputs(u8);

impl Outputs {
    /// No file.
    pub const NONE: Self = Self(0);
    /// Every kind of file.
    pub const ALL: Self = Self(u8::MAX);

    /// Whether the set contains `kind`.
    #[must_use]
    pub const fn contains(self, kind: FileKind) -> bool {
        self.0 & kind.bit() != 0
    }

    /// The set with `kind` added.
    #[must_use]
    pub const fn with(self, kind: FileKind) -> Self {
        Self(self.0 | kind.bit())
    }

    /// The set without `kind`.
    #[must_use]
    pub const fn without(self, kind: FileKind) -> Self {
        Self(self.0 & !kind.bit())
    }

    /// The kinds of the set, in the order of [`FileKind::ALL`].
    pub fn iter(self) -> impl Iterator<Item = FileKind> {
        FileKind::ALL.into_iter().filter(move |&kind| self.contains(kind))
    }
}

impl FromIterator<FileKind> for Outputs {
    fn from_iter<S: IntoIterator<Item = FileKind>>(kinds: S) -> Self {
        kinds.into_iter().fold(Self::NONE, Self::with)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]
    use super::*;

    #[test]
    fn a_digest_prints_as_others_print_it_and_reads_back() {
        let digest = Digest::of(b"abc");
        let text = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(digest.to_string(), text);
        assert_eq!(Digest::try_from(text.to_owned()), Ok(digest));
        assert!(Digest::try_from(text[1..].to_owned()).is_err());
        assert!(Digest::try_from(text.replace('b', "x")).is_err());
        assert!(Digest::try_from("é".repeat(32)).is_err());
    }

    #[test]
    fn a_stamp_reads_three_forms_and_prints_one() {
        for text in ["2026-11-21", "20261121", "261121"] {
            assert_eq!(text.parse::<Stamp>().unwrap().to_string(), "261121", "{text}");
        }
        for text in ["", "2026-11-2", "26-11-21", "2026/11/21", "26112é", "2611211"] {
            assert_eq!(text.parse::<Stamp>(), Err(StampError::Form), "{text}");
        }
        for text in ["2026-02-29", "261301", "260100", "260001", "19691231", "260431"] {
            assert_eq!(text.parse::<Stamp>(), Err(StampError::NoSuchDay), "{text}");
        }
        assert!("2028-02-29".parse::<Stamp>().is_ok());
    }

    #[test]
    fn days_since_1970_are_dates() {
        for (days, text) in [(0, "700101"), (58, "700228"), (59, "700301"), (11_016, "000229"), (20_778, "261121")] {
            assert_eq!(Stamp::from_days_since_1970(days).to_string(), text);
        }
    }

    #[test]
    fn outputs_are_chosen_by_name() {
        for kind in FileKind::ALL {
            assert_eq!(FileKind::named(kind.name()), Some(kind));
            assert!(Outputs::ALL.contains(kind) && !Outputs::NONE.contains(kind));
            assert_eq!(serde_json::to_string(&kind).unwrap(), format!("\"{}\"", kind.name()));
        }
        assert_eq!(FileKind::named("operation_sequences"), None);
        let two = [FileKind::ProposerLog, FileKind::OperationTimeline];
        let chosen: Outputs = two.into_iter().collect();
        assert_eq!(chosen.iter().collect::<Vec<_>>(), [two[1], two[0]]);
        assert_eq!(chosen.without(two[0]), Outputs::NONE.with(two[1]));
    }

    #[test]
    fn a_date_with_its_time_is_read_as_it_is_written() {
        let date: Stamp = "261121".parse().unwrap();
        for second in [0, 36_061, 86_399] {
            let stamp = date.at_second(second);
            assert_eq!(Stamp::with_time(&stamp.date_and_time()), Some(stamp));
        }
        for text in [
            "20261121",
            "20261121_2320531",
            "20261121_",
            "20261121_250000",
            "20261121_006000",
            "20261121_000060",
            "x_000000",
        ] {
            assert_eq!(Stamp::with_time(text), None, "{text}");
        }
        assert_eq!(Stamp::with_time("20261121_0é000"), None);
        assert_eq!(Stamp::with_time("20261121_+00000"), None);
    }
}
