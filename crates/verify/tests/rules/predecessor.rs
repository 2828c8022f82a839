//! The predecessor's sample output, judged by its own configuration: a golden verdict, each finding confirmed by hand.
//!
//! Its one-shot chains start 4.4 ns too early (a start rounded down to 10 ns before the load is done at …824.4 ns): CSB and
//! MSB of six chains each break four rules, and MSB the latch table besides. Its status reads for LUN 1 to 3 address dies
//! that a topology of one die does not have.

use std::path::Path;

use nandseq_profile::{ReadOptions, SourceFile};
use nandseq_verify::{Options, RuleCode, run};

#[test]
#[expect(clippy::print_stdout, reason = "the place for a test to say that it did nothing")]
fn the_sample_of_the_predecessor_breaks_what_is_known() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/legacy"));
    let Ok(text) = std::fs::read_to_string(folder.join("config-2025-09.yaml")) else {
        println!("no sample of the predecessor here: skipped");
        return;
    };
    let (profile, diagnostics) = nandseq_profile::read(&SourceFile::new("config", &*text), ReadOptions::default());
    let profile = profile.unwrap_or_else(|| panic!("{diagnostics:?}"));
    let options = Options { bad_blocks: &[], max_findings: 1000, progress: None };
    let report = run(&profile, &[folder.join("sample/site_01")], &options).unwrap();
    let counts: Vec<(&str, u64, u64)> = RuleCode::ALL
        .into_iter()
        .map(|rule| (rule.name(), report.counts(rule).findings, report.counts(rule).followers))
        .filter(|(_, findings, followers)| findings + followers > 0)
        .collect();
    let expected = [
        ("plane_busy", 12, 0),
        ("op_state", 12, 0),
        ("latch", 6, 0),
        ("bounds", 23, 0),
        ("in_flight", 12, 0),
        ("oneshot_order", 12, 0),
    ];
    assert_eq!(counts, expected);
    assert_eq!(report.operations(), 228);
    let findings = &report.sites[0].findings;
    let rows = |rule: RuleCode| -> Vec<u64> {
        findings.iter().filter(|finding| finding.rule == rule).map(|finding| finding.place.row).collect()
    };
    // The same rows break occupation, exclusion, flight and order.
    assert_eq!(rows(RuleCode::PlaneBusy), rows(RuleCode::OpState));
    assert_eq!(rows(RuleCode::PlaneBusy), rows(RuleCode::InFlight));
    assert_eq!(rows(RuleCode::PlaneBusy), rows(RuleCode::OneShotOrder));
    for finding in findings.iter().filter(|finding| finding.rule == RuleCode::Bounds) {
        assert!(finding.message.starts_with("The operation addresses LUN "), "{}", finding.message);
    }
    for finding in findings.iter().filter(|finding| finding.rule == RuleCode::PlaneBusy) {
        let load = finding.other.as_ref().unwrap();
        let early = load.time.0 + 29_824_400 - finding.time.unwrap().0;
        assert_eq!(early, 4_400, "row {}", finding.place.row);
    }
}
