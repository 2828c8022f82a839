//! The story of a search: what was removed in which step, what remains, and why each operation that remains is needed.
//!
//! A [`ShrinkStory`] is data that prints as text and as JSON.

use std::fmt;

use nandseq_device::Rule;
use nandseq_profile::Profile;
use nandseq_profile::diagnostic::{counted, grouped};
use serde::Serialize;

use crate::evidence::TryCounts;
use crate::recipe::SequenceSize;
use crate::reduce::Reduction;
use crate::removal::ReducedPart;
use crate::shrinker::{KeptReason, Shrinker};

/// The story of a search.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct ShrinkStory {
    /// The form of the story as JSON.
    pub schema: u32,
    /// The name of the device.
    pub device: String,
    /// Rounds of candidates.
    pub rounds: u64,
    /// Candidates that were tried.
    pub tried: usize,
    /// Whether the search had as many rounds as it may have, so that more could go.
    pub is_cut_short: bool,
    /// The operations of the history.
    pub began_with: usize,
    /// What was removed, step by step.
    pub steps: Vec<ToldStep>,
    /// What remains.
    pub operations: Vec<ToldOperation>,
    /// How many dies and blocks remain.
    pub places: usize,
    /// How often the result was tried and failed, if each sequence was tried several times.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tries_of_result: Option<TryCounts>,
}

/// A step of the story: what was made smaller in rounds one after another.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct ToldStep {
    /// The last of these rounds.
    pub round: u64,
    /// What was done, in words.
    pub what: String,
    /// Operations before.
    pub before: usize,
    /// Operations after.
    pub after: usize,
}

/// An operation that remains.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct ToldOperation {
    /// Its number in the small sequence.
    pub seq: usize,
    /// Its start in µs.
    pub time: String,
    /// The op name.
    pub op_name: String,
    /// Its address, in words.
    pub address: String,
    /// The run that it was taken from.
    pub run: u64,
    /// Its row there.
    pub row: u64,
    /// Its number within the site there.
    pub op_uid: u64,
    /// The rule that another operation breaks without it; `None` if the failing needs it, or its chain.
    pub rule: Option<&'static str>,
    /// The number of that other operation in the small sequence, or of one that its chain lacks.
    pub needed_by: Option<usize>,
    /// Why it is needed, in words.
    pub why: String,
}

impl ShrinkStory {
    /// The story of a search so far.
    #[must_use]
    pub fn of(profile: &Profile, shrinker: &Shrinker<'_>) -> Self {
        let (best, history) = (shrinker.best(), shrinker.history());
        let number = |item: u32| best.operations.iter().position(|kept| kept.item == item).map(|at| at + 1);
        let operations = best.operations.iter().enumerate().map(|(at, kept)| {
            let past = &history.operations()[kept.item as usize];
            let (rule, needed_by, why) = match shrinker.need(kept.item) {
                KeptReason::Failing => (None, None, "the failing needs it".to_owned()),
                KeptReason::Rule { item, rule, is_of_failing } => {
                    let by = number(item);
                    let chain = if is_of_failing { "the failing needs its chain; " } else { "" };
                    let other = by.map_or_else(|| "another".to_owned(), |by| format!("operation {by}"));
                    let why = match rule {
                        Some(rule) => format!("{chain}without it {other} breaks `{}`", rule.code()),
                        None => format!("{chain}without it the chain is left half done"),
                    };
                    (rule.map(Rule::code), by, why)
                }
            };
            ToldOperation {
                seq: at + 1,
                time: kept.start.to_us_text(),
                op_name: profile.ops[kept.op].name.clone(),
                address: address(profile, shrinker, kept),
                run: past.run,
                row: past.row,
                op_uid: past.uid,
                rule,
                needed_by,
                why,
            }
        });
        Self {
            schema: 1,
            device: profile.name.clone(),
            rounds: shrinker.rounds(),
            tried: shrinker.tried(),
            is_cut_short: shrinker.is_cut_short(),
            began_with: history.operations().len(),
            steps: ToldStep::all_of(shrinker),
            operations: operations.collect(),
            places: best.size.places,
            tries_of_result: shrinker.rule().is_of_chance().then(|| shrinker.tries_of_best()),
        }
    }
}

impl ToldStep {
    /// The steps of a search so far.
    #[must_use]
    pub fn all_of(shrinker: &Shrinker<'_>) -> Vec<Self> {
        let of_a_kind = shrinker.steps().chunk_by(|one, next| one.reduction == next.reduction);
        let told = of_a_kind.filter_map(|steps| {
            let (first, last) = (steps.first()?, steps.last()?);
            Some(Self {
                round: last.round,
                what: what_was_done(last.reduction, &first.before, &last.after),
                before: first.before.operations,
                after: last.after.operations,
            })
        });
        told.collect()
    }
}

/// The address of an operation as words: what its payload names.
fn address(profile: &Profile, shrinker: &Shrinker<'_>, kept: &crate::repair::KeptOperation) -> String {
    use nandseq_profile::model::PayloadField;
    let size = &shrinker.history().tables().size;
    let base = &profile.bases[profile.ops[kept.op].base];
    let has = |field| base.payload_has(field);
    let planes: Vec<String> = kept.place.planes.iter().map(|plane| plane.0.to_string()).collect();
    let blocks: Vec<String> =
        kept.place.planes.iter().map(|plane| kept.place.block(size, plane).0.to_string()).collect();
    let parts = [
        has(PayloadField::Die).then(|| format!("die {}", kept.place.die.0)),
        (has(PayloadField::Plane) && !planes.is_empty()).then(|| format!("plane {}", planes.join("+"))),
        (has(PayloadField::Block) && !blocks.is_empty()).then(|| format!("block {}", blocks.join("+"))),
        has(PayloadField::Page).then(|| format!("page {}", kept.place.page.0)),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn what_was_done(reduction: Reduction, before: &SequenceSize, after: &SequenceSize) -> String {
    let gone = before.operations.saturating_sub(after.operations);
    let operations = counted(gone as u64, "operation");
    let places = before.places.saturating_sub(after.places);
    match reduction {
        Reduction::Tail => format!("{operations} after the failing one cut"),
        Reduction::Head => format!("{operations} of the history before cut"),
        Reduction::Ends => format!("{operations} after the failing one and of the history before cut"),
        Reduction::Part(ReducedPart::Units) => format!("{operations} of whole chains removed"),
        Reduction::Part(ReducedPart::Operations) => format!("{} removed", counted(gone as u64, "single operation")),
        Reduction::Part(ReducedPart::Dies) => format!("dies merged: {} fewer", counted(places as u64, "place")),
        Reduction::Part(ReducedPart::Blocks) => format!("blocks merged: {} fewer", counted(places as u64, "place")),
        Reduction::Part(ReducedPart::Pages) => format!("pages numbered anew, {operations} on pages before removed"),
        Reduction::Part(ReducedPart::Reads) => format!("reads of other pages instead: {operations} removed"),
        Reduction::Part(ReducedPart::Gaps) => {
            format!("gaps shortened: {} µs instead of {} µs", after.time.to_us_text(), before.time.to_us_text())
        }
    }
}

impl fmt::Display for ShrinkStory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, to) = (counted(self.began_with as u64, "operation"), self.operations.len());
        let rounds = counted(self.rounds, "round");
        writeln!(f, "{from} of {} shrunk to {to} in {rounds} with {} candidates", self.device, self.tried)?;
        for step in &self.steps {
            writeln!(f, "  round {:>3}: {:>7} → {:<7} {}", step.round, step.before, step.after, step.what)?;
        }
        if self.is_cut_short {
            writeln!(f, "a search has no more rounds than these: shrinking the result goes on from it")?;
        }
        if let Some(TryCounts { tries, fails }) = self.tries_of_result {
            writeln!(f, "what remains failed {} of {} times", grouped(fails), grouped(tries))?;
        }
        writeln!(f, "what remains, and why:")?;
        for kept in &self.operations {
            let ToldOperation { seq, time, op_name, address, run, row, why, .. } = kept;
            writeln!(f, "  {seq:>3}  {time:>12} µs  {op_name} ({address}), run {run} row {row}: {why}")?;
        }
        Ok(())
    }
}
