//! A notation for sequences that people write: one operation per line, with the findings that it should cause.
//!
//! ```text
//! # time µs   operation       targets              what it breaks
//! 0           Erase_SLC       b0
//! 101         Program_SLC     b0 p0
//! 130         Program_Multi   d0 b0 g1 | b1 g1     ! program_order
//! 150         Status          d0 =ready
//! ```
//!
//! - A target gives `d` die, `p` plane, `b` block, `g` page and a cell type, in any order. The defaults are the die of the target
//!   before it (die 0 for the first), the plane of its block, page 0 and the cell type of the operation.
//! - Only fields of the operation's payload are used. `-field` leaves one out of the payload.
//! - `=busy`, `=extrdy`, `=ready` is the expected status; `=ready,no_erasus,pgmsus` one with more fields.
//! - `@A` is the data of an operation, if the payload has data: `A` stands for the operation that says it first, `@7` for the seventh.
//!   The default is the data of the target before it, and for the first one of an operation that brings data in, its own.
//! - After `!` come the codes of the findings, after `~` those of followers.
//! - `bad d0 b3` before the first operation makes a block bad; `run` ends a file; `#` starts a comment.
//!
//! The rulebook's examples and the tests of this crate use the notation. Other judges of the same rules can read it too.

use nandseq_input::Addressed;
use std::collections::HashMap;

use nandseq_profile::model::{Axis, ByAxis, DataTransfer, PayloadField};
use nandseq_profile::{Block, CellTypeId, Die, OpId, Profile, Ticks};
use nandseq_trace::{Status, suspension_words};

use crate::rule::RuleCode;

/// A line of a sequence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ScriptLine {
    /// An operation.
    Operation(ScriptStep),
    /// The end of a file.
    EndOfFile,
}

/// An operation and the findings that it should cause.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScriptStep {
    /// The line in the text, from 1.
    pub line: usize,
    /// When it starts.
    pub time: Ticks,
    /// The operation.
    pub op: OpId,
    /// Its targets.
    pub targets: Vec<Addressed>,
    /// The rules of its findings.
    pub breaks: Vec<RuleCode>,
    /// The rules it breaks as a follower of an earlier finding.
    pub follows: Vec<RuleCode>,
}

/// A sequence.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Script {
    /// Bad blocks.
    pub bad: Vec<(Die, Block)>,
    /// Operations and ends of files.
    pub lines: Vec<ScriptLine>,
}

/// Why a text cannot be read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct NotationError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub what: String,
}

impl Script {
    /// Reads a sequence.
    ///
    /// # Errors
    /// [`NotationError`] for the first line that cannot be read.
    pub fn parse(profile: &Profile, text: &str) -> Result<Self, NotationError> {
        let mut script = Self::default();
        let mut data = DataNames::default();
        for (at, line) in text.lines().enumerate() {
            let words = line.split('#').next().unwrap_or_default();
            let read = script.line(profile, at + 1, words, &mut data);
            read.map_err(|what| NotationError { line: at + 1, what })?;
        }
        Ok(script)
    }

    fn line(&mut self, profile: &Profile, line: usize, text: &str, data: &mut DataNames) -> Result<(), String> {
        let (text, follows) = expectation(text, '~')?;
        let (text, breaks) = expectation(text, '!')?;
        let mut words = text.split_whitespace();
        let Some(first) = words.next() else { return Ok(()) };
        let rest: Vec<&str> = words.collect();
        match first {
            "run" => self.lines.push(ScriptLine::EndOfFile),
            "bad" => {
                let parts = parts(profile, &rest, data)?;
                let die = u8::try_from(parts.target.die).map_err(|_| "no such die")?;
                let block = u32::try_from(parts.target.block).map_err(|_| "no such block")?;
                self.bad.push((Die(die), Block(block)));
            }
            time => {
                let time = Ticks::parse_us(time).map_err(|error| format!("'{time}' is {error}"))?;
                let name = rest.first().ok_or("a time without an operation")?;
                let known = profile.ops.iter_ids().find(|(_, op)| op.name == *name);
                let op = known.ok_or_else(|| format!("no operation '{name}'"))?.0;
                data.uid += 1;
                let targets = targets(profile, op, &rest[1..], data)?;
                self.lines.push(ScriptLine::Operation(ScriptStep { line, time, op, targets, breaks, follows }));
            }
        }
        Ok(())
    }
}

/// Splits a line into the text before `mark` and the codes after it.
fn expectation(text: &str, mark: char) -> Result<(&str, Vec<RuleCode>), String> {
    let Some((text, codes)) = text.split_once(mark) else { return Ok((text, Vec::new())) };
    let code = |name| RuleCode::from_name(name).ok_or_else(|| format!("no rule '{name}'"));
    Ok((text, codes.split_whitespace().map(code).collect::<Result<_, _>>()?))
}

/// The names of data.
#[derive(Default)]
struct DataNames {
    /// The `op_uid` of the present operation: operations are counted from 1, over all files.
    uid: i64,
    known: HashMap<String, i64>,
}

impl DataNames {
    /// The data of this name: a number, or that of the operation that says the name first.
    fn of(&mut self, name: &str) -> i64 {
        name.parse().unwrap_or_else(|_| *self.known.entry(name.to_owned()).or_insert(self.uid))
    }
}

/// One target, read from its words.
#[derive(Default)]
struct TargetWords {
    target: Addressed,
    plane: Option<i64>,
    data: Option<i64>,
    without: Vec<PayloadField>,
}

fn parts(profile: &Profile, words: &[&str], data: &mut DataNames) -> Result<TargetWords, String> {
    let mut parts = TargetWords::default();
    for word in words {
        let number = || word[1..].parse::<i64>().map_err(|_| format!("'{word}' means nothing"));
        let cell_type = profile.cell_types.iter_ids().find(|(_, cell_type)| cell_type.name == *word);
        if let Some((id, _)) = cell_type {
            parts.target.cell_type = Some(id);
            continue;
        }
        match word.chars().next() {
            Some('d') => parts.target.die = number()?,
            Some('p') => parts.plane = Some(number()?),
            Some('b') => parts.target.block = number()?,
            Some('g') => parts.target.page = number()?,
            Some('@') => parts.data = Some(data.of(&word[1..])),
            Some('=') => {
                for word in word[1..].split(',') {
                    status(word, &mut parts.target)?;
                }
            }
            Some('-') => {
                let field = PayloadField::ALL.into_iter().find(|field| field.name() == &word[1..]);
                parts.without.push(field.ok_or_else(|| format!("no payload field '{}'", &word[1..]))?);
            }
            _ => return Err(format!("'{word}' means nothing")),
        }
    }
    Ok(parts)
}

/// Puts a word of a status into a target.
fn status(word: &str, target: &mut Addressed) -> Result<(), String> {
    let all = [Status::Busy, Status::ExtReady, Status::Ready];
    if let Some(status) = all.into_iter().find(|status| status.name() == word) {
        target.status = Some(status);
        return Ok(());
    }
    let is_so = |axis: &Axis| suspension_words(*axis).iter().position(|known| *known == word);
    let axis = Axis::ALL.into_iter().find(|axis| is_so(axis).is_some()).ok_or_else(|| format!("no status '{word}'"))?;
    target.suspended[axis] = is_so(&axis).map(|place| place == 1);
    Ok(())
}

fn targets(profile: &Profile, op: OpId, words: &[&str], data: &mut DataNames) -> Result<Vec<Addressed>, String> {
    let base = &profile.bases[profile.ops[op].base];
    let own: CellTypeId = profile.ops[op].cell_type;
    let planes = i64::from(profile.topology.planes);
    let mut die = 0;
    let mut passed = (base.data_transfer() == Some(DataTransfer::In)).then_some(data.uid);
    let mut targets = Vec::new();
    for words in words.split(|word| *word == "|") {
        let mut parts = parts(profile, words, data)?;
        passed = parts.data.or(passed);
        if words.iter().any(|word| word.starts_with('d')) {
            die = parts.target.die;
        }
        let target = &mut parts.target;
        target.die = die;
        target.plane = parts.plane.unwrap_or(target.block.rem_euclid(planes));
        if base.payload_has(PayloadField::CellType) {
            target.cell_type = target.cell_type.or(Some(own));
        }
        target.data = passed.unwrap_or_default();
        let has_status = target.status.is_some() || target.suspended != ByAxis::default();
        let there = |field: &PayloadField| {
            let given = match field {
                PayloadField::ExpectedStatus => has_status,
                PayloadField::Data => passed.is_some(),
                PayloadField::Die
                | PayloadField::Plane
                | PayloadField::Block
                | PayloadField::Page
                | PayloadField::CellType => true,
            };
            given && !parts.without.contains(field)
        };
        target.fields = base.payload.iter().copied().filter(there).collect();
        targets.push(parts.target);
    }
    Ok(targets)
}
