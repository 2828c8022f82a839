//! Every rule and edge, on sequences in the notation of `nandseq_verify::notation`.
#![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]

mod addresses;
mod beside;
mod data;
mod files;
mod occupation;
mod recovery;
mod registers;
mod rulebook;
mod suspension;
mod tables;

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use nandseq_input::Row;
use nandseq_profile::model::Expectations;
use nandseq_profile::{Profile, ReadOptions, SourceFile};
use nandseq_verify::notation::{Script, ScriptLine, ScriptStep};
use nandseq_verify::{Finding, RuleCode, Verifier};

/// The folder of the rulebook.
pub(crate) fn rulebook_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().join("rulebook")
}

/// The device of the rulebook's examples.
pub(crate) static DEVICE: LazyLock<Profile> = LazyLock::new(|| {
    let text = std::fs::read_to_string(rulebook_folder().join("device.yaml")).unwrap();
    let (profile, diagnostics) = nandseq_profile::read(&SourceFile::new("device.yaml", &*text), ReadOptions::default());
    profile.unwrap_or_else(|| panic!("{diagnostics:?}"))
});

/// The same device with expected data and full status.
pub(crate) static EXPECTING: LazyLock<Profile> = LazyLock::new(|| {
    let mut profile = DEVICE.clone();
    profile.expect(Expectations { data: true, full_status: true });
    profile
});

/// Judges a sequence and expects exactly the findings written behind its lines.
#[track_caller]
pub(crate) fn judge(text: &str) -> Vec<Finding> {
    judge_on(&DEVICE, text)
}

#[track_caller]
pub(crate) fn judge_on(profile: &Profile, text: &str) -> Vec<Finding> {
    judge_script(profile, &Script::parse(profile, text).unwrap(), text)
}

/// Judges a sequence that has been read from `text`.
#[track_caller]
pub(crate) fn judge_script(profile: &Profile, script: &Script, text: &str) -> Vec<Finding> {
    let mut verifier = Verifier::new(profile, &script.bad).keeping(10_000);
    let mut row = 0;
    let mut uid = 0;
    for line in &script.lines {
        match line {
            ScriptLine::EndOfFile => {
                verifier.end_of_file();
                row = 0;
            }
            ScriptLine::Operation(step) => {
                row += 1;
                uid += 1;
                judge_step(&mut verifier, step, row, uid, text);
            }
        }
    }
    verifier.findings().to_vec()
}

#[track_caller]
fn judge_step(verifier: &mut Verifier<'_>, step: &ScriptStep, row: u64, uid: u64, text: &str) {
    let counts = RuleCode::ALL.map(|rule| verifier.counts(rule));
    let kept = verifier.findings().len();
    let row = Row { row, seq: row, time: step.time, opcode: 0, op: step.op, uid, targets: &step.targets, fault: None };
    verifier.row(&row);
    let rules = |grown: fn(nandseq_verify::FindingCounts) -> u64| -> Vec<RuleCode> {
        RuleCode::ALL.into_iter().filter(|&rule| grown(verifier.counts(rule)) > grown(counts[rule as usize])).collect()
    };
    let sorted = |rules: &[RuleCode]| {
        let mut rules = rules.to_vec();
        rules.sort_unstable();
        rules
    };
    let line = text.lines().nth(step.line - 1).unwrap_or_default().trim();
    let found = &verifier.findings()[kept..];
    assert_eq!(rules(|counts| counts.findings), sorted(&step.breaks), "findings of `{line}`: {found:#?}");
    assert_eq!(rules(|counts| counts.followers), sorted(&step.follows), "followers of `{line}`");
}
