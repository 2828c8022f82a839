//! Damages of the tables beside a sequence.
//!
//! One row of one table is damaged in a copy of a site whose tables are right, and the copy is judged as any site is. Only the
//! text is damaged: the row itself shows that the damage breaks its rule.

use std::fs;
use std::io;
use std::path::Path;

use nandseq_input::CsvFiles;
use nandseq_input::folder::{SiteFiles, find};
use nandseq_profile::{Block, Die, Profile};
use nandseq_trace::table::TableKind;

use crate::harness::{MutationResult, MutationResults};
use nandseq_verify::{Options, RuleCode, SiteReport, judge_site};

/// Rows of a table, without its header.
type Rows<'a> = &'a [Vec<String>];

/// The rows of a damaged table.
type Damaged = Vec<Vec<String>>;

/// A way to damage a table.
struct TableDamage {
    rule: RuleCode,
    table: TableKind,
    name: &'static str,
    apply: fn(Rows<'_>, usize) -> Option<Damaged>,
}

const fn damage(
    rule: RuleCode,
    table: TableKind,
    name: &'static str,
    apply: fn(Rows<'_>, usize) -> Option<Damaged>,
) -> TableDamage {
    TableDamage { rule, table, name, apply }
}

use RuleCode::{InputTimeCount, OpStateSegment, ProposalCount, RowFormat, TimelineRow, TouchCount};
use TableKind::{
    AddressTouchCount, InputTimeCount as InputTimes, OpStateTimeline, OperationTimeline, ProposalCounts as Proposals,
};

const DAMAGES: &[TableDamage] = &[
    damage(TimelineRow, OperationTimeline, "a row lost", lost),
    damage(TimelineRow, OperationTimeline, "a row twice", twice),
    damage(TimelineRow, OperationTimeline, "the end one tick later", |rows, at| later(rows, at, 1)),
    damage(TimelineRow, OperationTimeline, "the start one tick later", |rows, at| later(rows, at, 0)),
    damage(TimelineRow, OperationTimeline, "another plane", |rows, at| more(rows, at, 3)),
    damage(TimelineRow, OperationTimeline, "another page", |rows, at| more(rows, at, 5)),
    damage(TimelineRow, OperationTimeline, "another op_state", other_state),
    damage(TimelineRow, OperationTimeline, "another operation's number", |rows, at| more(rows, at, 9)),
    damage(TimelineRow, OperationTimeline, "a stretch that is not the first", not_the_first),
    damage(TimelineRow, OperationTimeline, "two stretches joined", stretches_joined),
    damage(TimelineRow, OperationTimeline, "phase keys that change within an operation", keys_change),
    damage(TimelineRow, OperationTimeline, "rows exchanged", exchanged),
    damage(OpStateSegment, OpStateTimeline, "a row lost", lost),
    damage(OpStateSegment, OpStateTimeline, "a row twice", twice),
    damage(OpStateSegment, OpStateTimeline, "one tick into the next segment", overlapping),
    damage(OpStateSegment, OpStateTimeline, "another plane", |rows, at| more(rows, at, 3)),
    damage(OpStateSegment, OpStateTimeline, "another lane", other_lane),
    damage(OpStateSegment, OpStateTimeline, "a duration one tick longer", |rows, at| later(rows, at, 7)),
    damage(OpStateSegment, OpStateTimeline, "the op_state of the row before", state_before),
    damage(OpStateSegment, OpStateTimeline, "two segments joined", segments_joined),
    damage(TouchCount, AddressTouchCount, "a row lost", lost),
    damage(TouchCount, AddressTouchCount, "a row twice", twice),
    damage(TouchCount, AddressTouchCount, "one too many", |rows, at| more(rows, at, 5)),
    damage(TouchCount, AddressTouchCount, "another page", |rows, at| more(rows, at, 4)),
    damage(TouchCount, AddressTouchCount, "rows exchanged", exchanged),
    damage(InputTimeCount, InputTimes, "a row lost", lost),
    damage(InputTimeCount, InputTimes, "a row twice", twice),
    damage(InputTimeCount, InputTimes, "one too many", |rows, at| more(rows, at, 5)),
    damage(InputTimeCount, InputTimes, "none at all", |rows, at| set(rows, at, 5, "0")),
    damage(InputTimeCount, InputTimes, "beyond the end of the op_state", |rows, at| set(rows, at, 4, "1.01")),
    damage(InputTimeCount, InputTimes, "rows exchanged", exchanged),
    damage(ProposalCount, Proposals, "a row lost", lost),
    damage(ProposalCount, Proposals, "a row twice", twice),
    damage(ProposalCount, Proposals, "one too many", |rows, at| more(rows, at, 6)),
    damage(ProposalCount, Proposals, "none at all", |rows, at| set(rows, at, 6, "0")),
    damage(ProposalCount, Proposals, "a die that does not exist", |rows, at| set(rows, at, 2, "64")),
    damage(ProposalCount, Proposals, "after everything", |rows, at| set(rows, at, 4, "8000000000000.0")),
    damage(ProposalCount, Proposals, "rows exchanged", exchanged),
    damage(RowFormat, OperationTimeline, "a phase key that does not exist", |rows, at| set(rows, at, 11, "NOWHERE")),
    damage(RowFormat, OperationTimeline, "noise in a time", |rows, at| set(rows, at, 1, "7499.999999999998")),
    damage(RowFormat, OperationTimeline, "a column lost", column_lost),
    damage(RowFormat, OpStateTimeline, "a time without its point", |rows, at| set(rows, at, 0, "500")),
    damage(RowFormat, OpStateTimeline, "needless quotes", needless_quotes),
    damage(RowFormat, AddressTouchCount, "a cell type that does not exist", |rows, at| set(rows, at, 1, "XLC")),
    damage(RowFormat, InputTimes, "an operation that does not exist", |rows, at| set(rows, at, 3, "Nothing")),
    damage(RowFormat, Proposals, "a count that is none", |rows, at| set(rows, at, 6, "many")),
];

fn copy(rows: Rows<'_>) -> Damaged {
    rows.to_vec()
}

fn lost(rows: Rows<'_>, at: usize) -> Option<Damaged> {
    let mut rows = copy(rows);
    rows.remove(at);
    Some(rows)
}

fn twice(rows: Rows<'_>, at: usize) -> Option<Damaged> {
    let mut rows = copy(rows);
    rows.insert(at, rows[at].clone());
    Some(rows)
}

fn exchanged(rows: Rows<'_>, at: usize) -> Option<Damaged> {
    let mut rows = copy(rows);
    (at + 1 < rows.len()).then(|| rows.swap(at, at + 1))?;
    Some(rows)
}

fn set(rows: Rows<'_>, at: usize, column: usize, text: &str) -> Option<Damaged> {
    let mut rows = copy(rows);
    text.clone_into(&mut rows[at][column]);
    Some(rows)
}

/// Increases a whole number by one.
fn more(rows: Rows<'_>, at: usize, column: usize) -> Option<Damaged> {
    let number: u64 = rows[at][column].parse().ok()?;
    set(rows, at, column, &(number + 1).to_string())
}

/// The text of a time that is one tick later.
fn tick(text: &str) -> Option<String> {
    let (whole, fraction) = text.split_once('.')?;
    let ticks: u64 = format!("{whole}{fraction:0<6}").parse().ok()?;
    let text = format!("{:07}", ticks + 1);
    let (whole, fraction) = text.split_at(text.len() - 6);
    let fraction = fraction.trim_end_matches('0');
    Some(format!("{whole}.{}", if fraction.is_empty() { "0" } else { fraction }))
}

fn later(rows: Rows<'_>, at: usize, column: usize) -> Option<Damaged> {
    set(rows, at, column, &tick(&rows[at][column])?)
}

fn other_state(rows: Rows<'_>, at: usize) -> Option<Damaged> {
    let other = rows.iter().map(|row| &row[10]).find(|state| **state != rows[at][10])?;
    set(rows, at, 10, other)
}

fn not_the_first(rows: Rows<'_>, at: usize) -> Option<Damaged> {
    rows[at][8].is_empty().then(|| set(rows, at, 8, "RESUME_CHAIN"))?
}

/// Joins two rows of one operation on one plane, of which the second goes on after a suspension.
fn stretches_joined(rows: Rows<'_>, at: usize) -> Option<Damaged> {
    let next = rows.get(at + 1)?;
    let same = [2, 3, 9].iter().all(|&column| rows[at][column] == next[column]);
    let mut joined = (same && next[8] == "RESUME_CHAIN").then(|| copy(rows))?;
    joined[at][1].clone_from(&next[1]);
    joined.remove(at + 1);
    Some(joined)
}

fn keys_change(rows: Rows<'_>, at: usize) -> Option<Damaged> {
    let before = &rows[at.checked_sub(1)?];
    let other = rows.iter().map(|row| &row[11]).find(|key| **key != rows[at][11])?;
    (before[9] == rows[at][9]).then(|| set(rows, at, 11, other))?
}

/// A segment that ends one tick into the next one on its plane.
fn overlapping(rows: Rows<'_>, at: usize) -> Option<Damaged> {
    let row = &rows[at];
    rows.iter().find(|next| next[5] == row[5] && next[0] == row[1])?;
    let mut rows = copy(rows);
    for column in [1, 7] {
        rows[at][column] = tick(&rows[at][column])?;
    }
    Some(rows)
}

fn other_lane(rows: Rows<'_>, at: usize) -> Option<Damaged> {
    set(rows, at, 5, &format!("{}0", rows[at][5]))
}

fn state_before(rows: Rows<'_>, at: usize) -> Option<Damaged> {
    let before = &rows[at.checked_sub(1)?][4];
    (*before != rows[at][4]).then(|| set(rows, at, 4, before))?
}

fn segments_joined(rows: Rows<'_>, at: usize) -> Option<Damaged> {
    let next = rows.get(at + 1).filter(|next| next[5] == rows[at][5] && next[6] == rows[at][6])?;
    let mut joined = copy(rows);
    joined[at][1].clone_from(&next[1]);
    joined.remove(at + 1);
    Some(joined)
}

fn column_lost(rows: Rows<'_>, at: usize) -> Option<Damaged> {
    let mut rows = copy(rows);
    rows[at].pop();
    Some(rows)
}

fn needless_quotes(rows: Rows<'_>, at: usize) -> Option<Damaged> {
    set(rows, at, 4, &format!("\"{}\"", rows[at][4]))
}

/// Damages the tables of a site in every way, at up to `each` places of each run, evenly spread, and judges the damaged site.
///
/// `folder` is that of a site whose tables are right. No name in them may need quotes.
///
/// # Errors
/// When the site cannot be read, has findings before it is damaged, or cannot be copied.
pub fn run_on_tables(
    profile: &Profile,
    bad_blocks: &[(Die, Block)],
    folder: &Path,
    each: usize,
) -> io::Result<MutationResults> {
    let judge = |site: SiteFiles| -> io::Result<SiteReport> {
        let options = Options { bad_blocks, source: &CsvFiles, max_findings: 1000, stop: None };
        judge_site(profile, site, &options).map_err(io::Error::other)
    };
    let site = find(folder).map_err(io::Error::other)?.into_iter().next().ok_or(io::ErrorKind::NotFound)?;
    if let Some(finding) = judge(site.clone())?.findings.first() {
        return Err(io::Error::other(format!("there are findings before any damage: {finding:?}")));
    }
    let copies = tempfile::tempdir()?;
    let mut table = MutationResults { rows: Vec::new() };
    for damage in DAMAGES {
        let TableDamage { rule, name, .. } = *damage;
        let mut row = MutationResult::new(Some(rule), name);
        for run in 0..site.runs.len() {
            let Some(original) = site.runs[run].tables.iter().find(|table| table.kind == damage.table) else {
                continue;
            };
            let text = fs::read_to_string(&original.path)?;
            let rows: Damaged = text.lines().skip(1).map(|row| row.split(',').map(str::to_owned).collect()).collect();
            let copied = copies.path().join("table.csv");
            let mut damaged = site.clone();
            damaged.listed.clear();
            damaged.damage.clear();
            for table in damaged.runs[run].tables.iter_mut().filter(|table| table.kind == damage.table) {
                table.path.clone_from(&copied);
                table.rows = None;
            }
            let places: Vec<usize> = (0..rows.len()).filter(|&at| (damage.apply)(&rows, at).is_some()).collect();
            let step = places.len().div_ceil(each.max(1)).max(1);
            for &at in places.iter().step_by(step) {
                let Some(rows) = (damage.apply)(&rows, at) else { continue };
                let mut text = damage.table.columns().join(",") + "\n";
                rows.iter().for_each(|row| text += &(row.join(",") + "\n"));
                fs::write(&copied, text)?;
                let report = judge(damaged.clone())?;
                let findings = report.counts.iter().map(|counts| counts.findings + counts.followers).sum();
                let codes = report.findings.iter().map(|finding| finding.rule).collect();
                row.note(at, report.counts[rule as usize].findings > 0, findings, codes);
            }
        }
        table.rows.push(row);
    }
    Ok(table)
}
