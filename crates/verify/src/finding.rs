//! Findings: all are counted by rule, and the first ones of each rule are kept in full.

use std::collections::{HashSet, VecDeque};

use nandseq_input::Addressed;
use nandseq_profile::{OpId, Profile, Ticks};
use nandseq_trace::table::TableKind;

use crate::rule::RuleCode;

/// The place of a row within a site.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct RowPlace {
    /// Number of the file within the site, from 0.
    pub file: u32,
    /// Number of the row within the file, from 1, the header not counted.
    pub row: u64,
}

/// An operation as findings remember it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct StartedOperation {
    pub(crate) place: RowPlace,
    pub(crate) uid: u64,
    pub(crate) op: OpId,
    pub(crate) start: Ticks,
}

/// Another operation that a finding involves.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OperationRef {
    /// The place of its row.
    pub place: RowPlace,
    /// Its `op_uid`.
    pub uid: u64,
    /// Its name.
    pub op: String,
    /// When it started.
    pub time: Ticks,
}

impl OperationRef {
    pub(crate) fn of(profile: &Profile, origin: &StartedOperation) -> Self {
        Self { place: origin.place, uid: origin.uid, op: profile.ops[origin.op].name.clone(), time: origin.start }
    }
}

/// A broken rule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// The rule that is broken.
    pub rule: RuleCode,
    /// The table in which the row stands; `None`: the sequence.
    pub table: Option<TableKind>,
    /// The row that breaks it; row 0 is the header.
    pub place: RowPlace,
    /// When the operation starts, if the row says so.
    pub time: Option<Ticks>,
    /// Its `op_uid`, if the row says so.
    pub uid: Option<u64>,
    /// Its name, if it has one.
    pub op: Option<String>,
    /// What it addresses, as written.
    pub targets: Vec<Addressed>,
    /// What is wrong, in one sentence.
    pub message: String,
    /// The row that a table should have at this place, if it has another one or none. `…` stands for a column that cannot be
    /// computed from the sequence.
    pub expected: Option<String>,
    /// The other operation involved, if there is one. For a row of a table: the operation that the row belongs to.
    pub other: Option<OperationRef>,
}

/// How often a rule was broken.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct FindingCounts {
    /// The number of findings.
    pub findings: u64,
    /// Operations that break the rule against the same other operation as an earlier finding did. A lost RESUME makes
    /// everything up to the next one illegal: that is one finding and many followers.
    pub followers: u64,
}

/// The row of a sequence that a finding is about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FindingSubject<'a> {
    pub(crate) place: RowPlace,
    pub(crate) time: Option<Ticks>,
    pub(crate) uid: Option<u64>,
    pub(crate) op: Option<OpId>,
    pub(crate) targets: &'a [Addressed],
}

impl<'a> FindingSubject<'a> {
    pub(crate) const fn of(origin: &StartedOperation, targets: &'a [Addressed]) -> Self {
        let &StartedOperation { place, uid, op, start } = origin;
        Self { place, time: Some(start), uid: Some(uid), op: Some(op), targets }
    }
}

/// Counts findings and keeps the first ones.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    counts: [FindingCounts; RuleCode::COUNT],
    kept: Vec<Finding>,
    /// How many findings of each rule are kept.
    keep: usize,
    /// The rules already reported for the present row, one bit each.
    row: u64,
    muted: bool,
    known: HashSet<(RuleCode, RowPlace)>,
    oldest: VecDeque<(RuleCode, RowPlace)>,
}

/// How many pairs of rule and other operation are remembered to recognise followers.
const REMEMBERED: usize = 4096;

impl Tally {
    pub(crate) fn new(keep: usize) -> Self {
        Self {
            counts: [FindingCounts::default(); RuleCode::COUNT],
            kept: Vec::new(),
            keep,
            row: 0,
            muted: false,
            known: HashSet::new(),
            oldest: VecDeque::new(),
        }
    }

    /// A new row starts. Each rule is reported at most once for it.
    pub(crate) fn begin_row(&mut self) {
        self.row = 0;
        self.muted = false;
    }

    pub(crate) fn mute_row(&mut self) {
        self.muted = true;
    }

    pub(crate) fn counts(&self, rule: RuleCode) -> FindingCounts {
        self.counts[rule as usize]
    }

    pub(crate) fn kept(&self) -> &[Finding] {
        &self.kept
    }

    /// Notes a finding, or a follower if the rule was broken against `other` before. `message` is called only if the finding is
    /// kept.
    pub(crate) fn report(
        &mut self,
        profile: &Profile,
        rule: RuleCode,
        subject: &FindingSubject<'_>,
        other: Option<StartedOperation>,
        message: impl FnOnce() -> String,
    ) {
        let bit = 1_u64 << rule as u32;
        if self.muted || self.row & bit != 0 {
            return;
        }
        self.row |= bit;
        self.note(rule, other, || Finding {
            rule,
            table: None,
            place: subject.place,
            time: subject.time,
            uid: subject.uid,
            op: subject.op.map(|op| profile.ops[op].name.clone()),
            targets: subject.targets.to_vec(),
            message: message(),
            expected: None,
            other: other.map(|origin| OperationRef::of(profile, &origin)),
        });
    }

    /// Counts a finding, or a follower if the rule was broken against `other` before. `finding` is called only if the finding is
    /// kept.
    pub(crate) fn note(&mut self, rule: RuleCode, other: Option<StartedOperation>, finding: impl FnOnce() -> Finding) {
        let news = other.is_none_or(|other| self.is_news(rule, other.place));
        let counts = &mut self.counts[rule as usize];
        if !news {
            counts.followers += 1;
            return;
        }
        counts.findings += 1;
        if counts.findings <= self.keep as u64 {
            self.kept.push(finding());
        }
    }

    /// Notes a row that repeats an earlier finding.
    pub(crate) fn follow(&mut self, rule: RuleCode) {
        if !self.muted {
            self.counts[rule as usize].followers += 1;
        }
    }

    fn is_news(&mut self, rule: RuleCode, other: RowPlace) -> bool {
        if !self.known.insert((rule, other)) {
            return false;
        }
        self.oldest.push_back((rule, other));
        if self.oldest.len() > REMEMBERED
            && let Some(oldest) = self.oldest.pop_front()
        {
            self.known.remove(&oldest);
        }
        true
    }
}

/// The message as a sentence: with a capital first letter and a full stop.
pub(crate) fn sentence(message: &str) -> String {
    let mut characters = message.chars();
    let first: String = characters.next().map(|first| first.to_uppercase().collect()).unwrap_or_default();
    format!("{first}{}.", characters.as_str())
}
