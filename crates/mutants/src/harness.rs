//! Applies mutations, judges the mutants, and counts the verdicts.

use std::fmt;

use nandseq_input::{COLUMNS, SequenceReader};
use nandseq_profile::{Block, Die, Profile};

use crate::mutation::{Edit, Mutant, Mutation};
use crate::sequence::{Sequence, SequenceRow, line};
use crate::view::RowView;
use nandseq_verify::compiled_profile::CompiledProfile;
use nandseq_verify::{RuleCode, Verifier};

/// How many rows after the damage are judged.
const TAIL: usize = crate::view::AHEAD + 100;

/// The verdicts on the mutants of a mutation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MutationResult {
    /// The rule it breaks; `None` if it breaks none.
    pub rule: Option<RuleCode>,
    /// The name of the mutation.
    pub name: &'static str,
    /// How many damaged sequences were judged.
    pub mutants: usize,
    /// How many of them were found under the code of the rule; of a harmless mutation, how many were found at all.
    pub found: usize,
    /// The most findings that one of them gave; of a damaged table, followers included.
    pub most_findings: u64,
    /// For each wrong verdict, the first damaged row (from 0) and the codes that were found.
    pub wrong: Vec<(usize, Vec<RuleCode>)>,
}

/// The verdicts on the mutants of all mutations.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MutationResults {
    /// One row per mutation.
    pub rows: Vec<MutationResult>,
}

impl MutationResult {
    pub(crate) const fn new(rule: Option<RuleCode>, name: &'static str) -> Self {
        Self { rule, name, mutants: 0, found: 0, most_findings: 0, wrong: Vec::new() }
    }

    /// Counts the verdict on a mutant.
    pub(crate) fn note(&mut self, at: usize, found: bool, findings: u64, codes: Vec<RuleCode>) {
        self.mutants += 1;
        self.most_findings = self.most_findings.max(findings);
        self.found += usize::from(found);
        if found != self.rule.is_some() {
            self.wrong.push((at, codes));
        }
    }

    /// Whether every mutant was found or, for a harmless mutation, none.
    #[must_use]
    pub fn is_right(&self) -> bool {
        self.found == if self.rule.is_some() { self.mutants } else { 0 }
    }
}

impl MutationResults {
    /// Whether every verdict was right.
    #[must_use]
    pub fn is_right(&self) -> bool {
        self.rows.iter().all(MutationResult::is_right)
    }

    /// The number of mutations of a rule that could be applied somewhere.
    #[must_use]
    pub fn applied(&self, rule: RuleCode) -> usize {
        self.rows.iter().filter(|row| row.rule == Some(rule) && row.mutants > 0).count()
    }

    /// Adds the verdicts on the same mutations of another sequence.
    pub fn add(&mut self, other: &Self) {
        for (row, more) in self.rows.iter_mut().zip(&other.rows) {
            row.mutants += more.mutants;
            row.found += more.found;
            row.most_findings = row.most_findings.max(more.most_findings);
            row.wrong.extend(more.wrong.iter().cloned());
        }
    }
}

impl fmt::Display for MutationResults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<22} {:<52} {:>7} {:>6} {:>5}", "rule", "mutation", "mutants", "found", "most")?;
        for row in &self.rows {
            let rule = row.rule.map_or("(harmless)", RuleCode::name);
            let mark = if row.is_right() { "" } else { "  WRONG" };
            let MutationResult { name, mutants, found, most_findings, .. } = row;
            writeln!(f, "{rule:<22} {name:<52} {mutants:>7} {found:>6} {most_findings:>5}{mark}")?;
            for (at, codes) in row.wrong.iter().take(3) {
                let codes: Vec<&str> = codes.iter().map(|code| code.name()).collect();
                writeln!(f, "{:<22}   at row {at}: {}", "", codes.join(", "))?;
            }
        }
        Ok(())
    }
}

/// Applies each mutation at up to `each` places of a clean sequence, evenly spread, and judges the mutants.
///
/// The sequence begins with a new device that has these bad blocks.
#[must_use]
pub fn run(
    profile: &Profile,
    bad_blocks: &[(Die, Block)],
    sequence: &Sequence,
    mutations: &[Mutation],
    each: usize,
) -> MutationResults {
    let rows = &sequence.rows;
    let mut mutants = choose(profile, rows, mutations, each);
    mutants.sort_by_key(|(_, mutant)| mutant.first());
    let row = |mutation: &Mutation| MutationResult::new(mutation.rule, mutation.name);
    let mut table = MutationResults { rows: mutations.iter().map(row).collect() };
    let mut clean = Verifier::new(profile, bad_blocks);
    let mut judged = 0;
    for (of, mutant) in mutants {
        let first = mutant.first().min(rows.len());
        judge_rows(profile, &mut clean, rows, judged..first, &[]);
        judged = judged.max(first);
        let codes = judge_mutant(profile, &clean, rows, &mutant);
        let row = &mut table.rows[of];
        let found = row.rule.map_or(!codes.is_empty(), |rule| codes.contains(&rule));
        row.note(first, found, codes.len() as u64, codes);
    }
    table
}

/// The mutants to be judged, each with the index of its mutation.
fn choose(profile: &Profile, rows: &[SequenceRow], mutations: &[Mutation], each: usize) -> Vec<(usize, Mutant)> {
    let compiled = CompiledProfile::new(profile);
    let new_uid = rows.iter().map(|row| row.uid).max().unwrap_or_default().saturating_add(1);
    let view = |at| RowView { profile, compiled: &compiled, rows, at, new_uid };
    let mut chosen = Vec::new();
    for (of, mutation) in mutations.iter().enumerate() {
        let mut mutants: Vec<Mutant> = (0..rows.len()).filter_map(|at| (mutation.apply)(&view(at))).collect();
        let step = mutants.len().div_ceil(each.max(1)).max(1);
        chosen.extend(mutants.drain(..).step_by(step).map(|mutant| (of, mutant)));
    }
    chosen
}

/// The codes of the findings on a damaged sequence, one for each finding.
fn judge_mutant(profile: &Profile, clean: &Verifier<'_>, rows: &[SequenceRow], mutant: &Mutant) -> Vec<RuleCode> {
    let mut verifier = clean.clone();
    if let Some((die, block)) = mutant.condemned {
        verifier.condemn(die, block);
    }
    let first = mutant.first();
    judge_rows(profile, &mut verifier, rows, first..(first + TAIL).min(rows.len() + 1), &mutant.edits);
    let times = |rule: RuleCode| {
        let counts = verifier.counts(rule);
        std::iter::repeat_n(rule, usize::try_from(counts.findings).unwrap_or(usize::MAX).min(1000))
    };
    RuleCode::ALL.into_iter().flat_map(times).collect()
}

/// Writes rows as a file, with edits, and judges the rows that are read back. An edit after the last row has the index after it.
fn judge_rows(
    profile: &Profile,
    verifier: &mut Verifier<'_>,
    rows: &[SequenceRow],
    range: std::ops::Range<usize>,
    edits: &[Edit],
) {
    let mut text = COLUMNS.join(",");
    text.push('\n');
    let mut seq = verifier.next_seq();
    for at in range {
        let mut written = rows.get(at).cloned();
        let mut change: Option<fn(&str) -> String> = None;
        for edit in edits.iter().filter(|edit| edit.row() == at) {
            match edit {
                Edit::Replace(_, record) => written = Some(record.clone()),
                Edit::Remove(_) => written = None,
                Edit::Text(_, with) => change = Some(*with),
                Edit::Insert(_, record) => {
                    text += &line(profile, seq, record);
                    text.push('\n');
                    seq += 1;
                }
            }
        }
        if let Some(record) = written {
            let row = line(profile, seq, &record);
            text += &change.map_or(row.clone(), |change| change(&row));
            text.push('\n');
            seq += 1;
        }
    }
    // What is written in memory is always readable.
    let Ok(mut reader) = SequenceReader::new(profile, text.as_bytes()) else { return };
    while let Ok(Some(row)) = reader.next_row() {
        match row {
            Ok(row) => verifier.row(&row),
            Err(row) => verifier.bad_row(&row),
        }
    }
}
