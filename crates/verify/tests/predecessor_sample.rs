//! The verdict on the predecessor's sample is the committed one, if the sample is there.
//!
//! The sample itself is no part of the repository; `docs/predecessor-sample.md` confirms each kind of finding by hand.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a failed test is what is wanted; a skipped one says so")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use nandseq_input::CsvFiles;
use nandseq_profile::{ReadOptions, SourceFile};
use nandseq_trace::table::TableKind;
use nandseq_verify::{Options, RuleCode, SiteReport, run};

const GOLDEN: &str = include_str!("golden/predecessor-sample.txt");

fn legacy(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/legacy").join(path)
}

/// How many findings of each table are shown: its rows differ in a few ways only, and in most rows.
const OF_EACH_TABLE: usize = 5;

/// Counts of all rules, then every finding in the sequence, then the first ones in each table.
fn verdict(site: &SiteReport) -> String {
    let mut text = format!("{} operations\n", site.operations);
    for rule in RuleCode::ALL {
        let counts = site.counts[rule as usize];
        if counts.findings + counts.followers > 0 {
            writeln!(text, "{}: {} findings, {} followers", rule.name(), counts.findings, counts.followers).unwrap();
        }
    }
    text.push('\n');
    for finding in site.findings.iter().filter(|finding| finding.table.is_none()) {
        let (op, time) = (finding.op.as_deref().unwrap_or("-"), finding.time.unwrap_or_default());
        write!(text, "row {} at {time}, {op}: {}: {}", finding.place.row, finding.rule.name(), finding.message)
            .unwrap();
        if let Some(other) = &finding.other {
            write!(text, " See row {}, {}.", other.place.row, other.op).unwrap();
        }
        text.push('\n');
    }
    text.push('\n');
    for table in TableKind::ALL {
        let findings = site.findings.iter().filter(|finding| finding.table == Some(table));
        for finding in findings.take(OF_EACH_TABLE) {
            let (row, rule) = (finding.place.row, finding.rule.name());
            writeln!(text, "{} row {row}: {rule}: {}", table.name(), finding.message).unwrap();
        }
    }
    text
}

#[test]
fn the_predecessors_sample_gets_the_golden_verdict() {
    let (config, sample) = ("config-2025-09.yaml", legacy("sample/site_01"));
    let text = std::fs::read_to_string(legacy(config));
    let (Ok(text), true) = (text, sample.is_dir()) else {
        println!("skipped: the predecessor's sample or its configuration is not there");
        return;
    };
    let (profile, diagnostics) = nandseq_profile::read(&SourceFile::new(config, &text), ReadOptions { lenient: false });
    assert!(!diagnostics.has_errors());
    let options = Options { bad_blocks: &[], source: &CsvFiles, max_findings: usize::MAX, stop: None };
    let report = run(&profile.unwrap(), &[sample], &options).unwrap();
    assert_eq!(report.sites.len(), 1);
    assert!(report.sites[0].damage.is_empty(), "{:?}", report.sites[0].damage);
    let verdict = verdict(&report.sites[0]);
    assert!(verdict == GOLDEN, "the verdict is another one:\n{verdict}");
}
