//! The verdict: for people as text, for machines as JSON.

use std::fmt;
use std::path::{Path, PathBuf};

use nandseq_input::Addressed;
use nandseq_input::folder::Damage;
use nandseq_profile::diagnostic::{counted, grouped};
use nandseq_profile::model::PayloadField;
use nandseq_trace::file_form::FileForm;
use nandseq_trace::recorded::{recorded, shown};
use nandseq_trace::suspension_words;
use nandseq_trace::table::TableKind;
use serde::Serialize;

use crate::finding::{Finding, FindingCounts, OperationRef, RowPlace};
use crate::rule::RuleCode;

/// The verdict on all sites.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    /// The name of the profile.
    pub profile: String,
    /// How many findings of each rule are shown.
    pub max_findings: usize,
    /// Remarks that concern no site alone.
    pub notes: Vec<String>,
    /// The sites, in the order of their paths.
    pub sites: Vec<SiteReport>,
}

/// The verdict on a site.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SiteReport {
    /// Its folder, or its only file.
    pub folder: PathBuf,
    /// Its files, in order; [`RowPlace::file`] is an index into them.
    pub files: Vec<FileReport>,
    /// The number of operations judged.
    pub operations: u64,
    /// How often each rule was broken, in the order of [`RuleCode::ALL`].
    pub counts: [FindingCounts; RuleCode::COUNT],
    /// The first findings of each rule, in the order of the rows.
    pub findings: Vec<Finding>,
    /// The files that are not as the manifest says.
    pub damage: Vec<Damage>,
    /// Remarks for the reader of the verdict.
    pub notes: Vec<String>,
}

/// A file that was judged.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileReport {
    /// The number of the run.
    pub run: u64,
    /// Where it is.
    pub path: PathBuf,
    /// Its rows, the header not counted.
    pub rows: u64,
    /// The tables of the run that were compared with it.
    pub tables: Vec<TableReport>,
}

/// A table that was compared with its sequence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TableReport {
    /// The kind of the table.
    pub kind: TableKind,
    /// Where it is.
    pub path: PathBuf,
    /// Its rows, the header not counted.
    pub rows: u64,
}

impl Report {
    /// Whether no rule was broken and every file is as its manifest says.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.keeps_rules() && !self.has_damage()
    }

    /// Whether no rule was broken.
    fn keeps_rules(&self) -> bool {
        let counts = self.sites.iter().flat_map(|site| &site.counts);
        counts.into_iter().all(|counts| counts.findings + counts.followers == 0)
    }

    /// Whether some file, or a manifest itself, is not as it should be.
    fn has_damage(&self) -> bool {
        self.sites.iter().any(|site| !site.damage.is_empty())
    }

    /// Operations judged.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.sites.iter().map(|site| site.operations).sum()
    }

    /// How often a rule was broken, in all sites.
    #[must_use]
    pub fn counts(&self, rule: RuleCode) -> FindingCounts {
        let of_sites = self.sites.iter().map(|site| site.counts[rule as usize]);
        of_sites.fold(FindingCounts::default(), |sum, counts| FindingCounts {
            findings: sum.findings + counts.findings,
            followers: sum.followers + counts.followers,
        })
    }

    /// The first findings of a rule, with their sites.
    fn first(&self, rule: RuleCode) -> impl Iterator<Item = (&SiteReport, &Finding)> {
        let all = self.sites.iter().flat_map(|site| site.findings.iter().map(move |finding| (site, finding)));
        all.filter(move |(_, finding)| finding.rule == rule).take(self.max_findings)
    }

    /// The verdict as JSON: one object, with times in ps. Row 0 of a file is its header; a file without lines has no `line`.
    #[must_use]
    pub fn json(&self) -> impl Serialize + use<'_> {
        let broken = RuleCode::ALL.into_iter().filter(|&rule| self.counts(rule) != FindingCounts::default());
        JsonReport {
            schema: 1,
            clean: self.is_clean(),
            profile: &self.profile,
            operations: self.operations(),
            notes: &self.notes,
            sites: self.sites.iter().map(JsonSite::new).collect(),
            rules: broken.map(|rule| JsonRule::new(self, rule)).collect(),
        }
    }
}

impl SiteReport {
    /// The file of a row.
    fn path(&self, table: Option<TableKind>, place: RowPlace) -> &Path {
        let Some(file) = self.files.get(place.file as usize) else { return &self.folder };
        let table = table.and_then(|kind| file.tables.iter().find(|table| table.kind == kind));
        table.map_or(&file.path, |table| &table.path)
    }

    /// The file of a row, and its line or number there.
    fn place(&self, table: Option<TableKind>, place: RowPlace) -> String {
        let path = self.path(table, place);
        format!("{}{}", shown(path), FileForm::of(path).place(place.row))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files: u64 = self.sites.iter().map(|site| site.files.len() as u64).sum();
        let tables: u64 = self.sites.iter().flat_map(|site| &site.files).map(|file| file.tables.len() as u64).sum();
        let sites = self.sites.len() as u64;
        let operations = counted(self.operations(), "operation");
        let verdict = match (self.keeps_rules(), self.has_damage()) {
            (true, false) => "no rule broken",
            (true, true) => "no rule broken, but files are damaged",
            (false, false) => "rules are broken",
            (false, true) => "rules are broken, and files are damaged",
        };
        writeln!(f, "{operations} in {} of {}: {verdict}.", counted(files, "file"), counted(sites, "site"))?;
        writeln!(f, "Judged by the profile \"{}\".", self.profile)?;
        if tables > 0 {
            writeln!(f, "Compared with {}.", counted(tables, "table"))?;
        }
        for note in &self.notes {
            writeln!(f, "Note: {note}.")?;
        }
        for site in &self.sites {
            for note in &site.notes {
                writeln!(f, "Note: {}: {note}.", shown(&site.folder))?;
            }
        }
        for damage in self.sites.iter().flat_map(|site| &site.damage) {
            writeln!(f, "File: {}: {}.", shown(&damage.file), damage.what)?;
        }
        let broken: Vec<RuleCode> =
            RuleCode::ALL.into_iter().filter(|&rule| self.counts(rule) != FindingCounts::default()).collect();
        if broken.is_empty() {
            return Ok(());
        }
        writeln!(f, "\n{:<22} {:>10} {:>10}", "rule", "findings", "followers")?;
        for &rule in &broken {
            let counts = self.counts(rule);
            writeln!(f, "{:<22} {:>10} {:>10}", rule.name(), grouped(counts.findings), grouped(counts.followers))?;
        }
        for rule in broken {
            self.fmt_rule(f, rule)?;
        }
        Ok(())
    }
}

impl Report {
    fn fmt_rule(&self, f: &mut fmt::Formatter<'_>, rule: RuleCode) -> fmt::Result {
        writeln!(f, "\n{}: {}", rule.name(), rule.sentence())?;
        let mut listed = 0;
        for (site, finding) in self.first(rule) {
            listed += 1;
            write!(f, "  {}", site.place(finding.table, finding.place))?;
            if let Some(time) = finding.time {
                write!(f, "  {time}")?;
            }
            if let Some(op) = &finding.op {
                write!(f, "  {op}")?;
            }
            if let Some(uid) = finding.uid {
                write!(f, " (op_uid {uid})")?;
            }
            writeln!(f)?;
            let targets: Vec<String> =
                finding.targets.iter().map(target_text).filter(|text| !text.is_empty()).collect();
            if !targets.is_empty() {
                writeln!(f, "      at {}", targets.join("; "))?;
            }
            writeln!(f, "      {}", finding.message)?;
            if let Some(expected) = &finding.expected {
                writeln!(f, "      expected {expected}")?;
            }
            if let Some(other) = &finding.other {
                let OperationRef { uid, op, time, place } = other;
                writeln!(f, "      see {}  {time}  {op} (op_uid {uid})", site.place(None, *place))?;
            }
        }
        let hidden = self.counts(rule).findings - listed;
        if hidden > 0 {
            writeln!(f, "  … and {}", counted(hidden, "more finding"))?;
        }
        Ok(())
    }
}

/// `die 0, plane 1, block 5, page 3`: the fields that the payload has.
fn target_text(target: &Addressed) -> String {
    let numbers = [
        (PayloadField::Die, target.die),
        (PayloadField::Plane, target.plane),
        (PayloadField::Block, target.block),
        (PayloadField::Page, target.page),
    ];
    let given = numbers.into_iter().filter(|(field, _)| target.fields.contains(*field));
    let mut parts: Vec<String> = given.map(|(field, number)| format!("{} {number}", field.name())).collect();
    parts.extend((!status_words(target).is_empty()).then(|| format!("expecting {}", status_words(target).join(", "))));
    parts.extend(target.fields.contains(PayloadField::Data).then(|| format!("data {}", target.data)));
    parts.join(", ")
}

/// The words of the status that a target expects, as far as its payload has them.
fn status_words(target: &Addressed) -> Vec<&'static str> {
    let axes = target.suspended.iter().filter_map(|(axis, is_so)| Some(suspension_words(axis)[usize::from((*is_so)?)]));
    target.status.map(nandseq_trace::Status::name).into_iter().chain(axes).collect()
}

#[derive(Serialize)]
struct JsonReport<'a> {
    schema: u32,
    clean: bool,
    profile: &'a str,
    operations: u64,
    notes: &'a [String],
    sites: Vec<JsonSite<'a>>,
    rules: Vec<JsonRule<'a>>,
}

#[derive(Serialize)]
struct JsonSite<'a> {
    folder: String,
    operations: u64,
    files: Vec<JsonFile>,
    damage: Vec<JsonDamage>,
    notes: &'a [String],
}

#[derive(Serialize)]
struct JsonFile {
    run: u64,
    file: String,
    rows: u64,
    tables: Vec<JsonTable>,
}

#[derive(Serialize)]
struct JsonTable {
    kind: &'static str,
    file: String,
    rows: u64,
}

#[derive(Serialize)]
struct JsonDamage {
    file: String,
    message: String,
}

#[derive(Serialize)]
struct JsonRule<'a> {
    rule: &'static str,
    sentence: &'static str,
    findings: u64,
    followers: u64,
    first: Vec<JsonFinding<'a>>,
}

#[derive(Serialize)]
struct JsonFinding<'a> {
    file: String,
    row: u64,
    line: Option<u64>,
    time_ps: Option<u64>,
    op_uid: Option<u64>,
    op_name: Option<&'a str>,
    targets: Vec<JsonTarget>,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<&'a str>,
    other: Option<JsonOther<'a>>,
}

#[derive(Serialize)]
struct JsonTarget {
    #[serde(skip_serializing_if = "Option::is_none")]
    die: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    plane: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    block: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exp_val: Option<JsonStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<i64>,
}

/// A word, or several of them.
#[derive(Serialize)]
#[serde(untagged)]
enum JsonStatus {
    Word(&'static str),
    Words(Vec<&'static str>),
}

#[derive(Serialize)]
struct JsonOther<'a> {
    file: String,
    row: u64,
    line: Option<u64>,
    time_ps: u64,
    op_uid: u64,
    op_name: &'a str,
}

impl<'a> JsonSite<'a> {
    fn new(site: &'a SiteReport) -> Self {
        let table =
            |table: &TableReport| JsonTable { kind: table.kind.name(), file: recorded(&table.path), rows: table.rows };
        let file = |file: &FileReport| JsonFile {
            run: file.run,
            file: recorded(&file.path),
            rows: file.rows,
            tables: file.tables.iter().map(table).collect(),
        };
        let damage = |one: &Damage| JsonDamage { file: recorded(&one.file), message: one.what.to_string() };
        Self {
            folder: recorded(&site.folder),
            operations: site.operations,
            files: site.files.iter().map(file).collect(),
            damage: site.damage.iter().map(damage).collect(),
            notes: &site.notes,
        }
    }
}

impl<'a> JsonRule<'a> {
    fn new(report: &'a Report, rule: RuleCode) -> Self {
        let FindingCounts { findings, followers } = report.counts(rule);
        let first = report.first(rule).map(|(site, finding)| JsonFinding::new(site, finding)).collect();
        Self { rule: rule.name(), sentence: rule.sentence(), findings, followers, first }
    }
}

impl<'a> JsonFinding<'a> {
    fn new(site: &SiteReport, finding: &'a Finding) -> Self {
        let path = site.path(finding.table, finding.place);
        Self {
            file: recorded(path),
            row: finding.place.row,
            line: FileForm::of(path).line(finding.place.row),
            time_ps: finding.time.map(|time| time.0),
            op_uid: finding.uid,
            op_name: finding.op.as_deref(),
            targets: finding.targets.iter().map(JsonTarget::new).collect(),
            message: &finding.message,
            expected: finding.expected.as_deref(),
            other: finding.other.as_ref().map(|other| JsonOther::new(site.path(None, other.place), other)),
        }
    }
}

impl<'a> JsonOther<'a> {
    fn new(path: &Path, other: &'a OperationRef) -> Self {
        let OperationRef { place, uid, op, time } = other;
        let line = FileForm::of(path).line(place.row);
        Self { file: recorded(path), row: place.row, line, time_ps: time.0, op_uid: *uid, op_name: op }
    }
}

impl JsonTarget {
    fn new(target: &Addressed) -> Self {
        let given = |field, number| target.fields.contains(field).then_some(number);
        Self {
            die: given(PayloadField::Die, target.die),
            plane: given(PayloadField::Plane, target.plane),
            block: given(PayloadField::Block, target.block),
            page: given(PayloadField::Page, target.page),
            exp_val: match (target.status, status_words(target)) {
                (None, words) if words.is_empty() => None,
                (Some(status), words) if words.len() == 1 => Some(JsonStatus::Word(status.name())),
                (_, words) => Some(JsonStatus::Words(words)),
            },
            data: given(PayloadField::Data, target.data),
        }
    }
}
