//! Every mutation that breaks a rule is found under the code of the rule. No harmless mutation is found.
#![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]
#![expect(clippy::print_stdout, reason = "the table is what one wants to see")]

mod simulation;

use std::fs;
use std::path::Path;

use nandseq_mutants::{MutationResults, Sequence, SequenceRow};
use nandseq_profile::model::Expectations;
use nandseq_profile::{Profile, ReadOptions, SourceFile, builtin};
use nandseq_verify::RuleCode;
use nandseq_verify::notation::{Script, ScriptLine};

use simulation::simulate;

fn rulebook_device() -> Profile {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().join("rulebook/device.yaml");
    let text = fs::read_to_string(path).unwrap();
    let (profile, diagnostics) = nandseq_profile::read(&SourceFile::new("device.yaml", &*text), ReadOptions::default());
    profile.unwrap_or_else(|| panic!("{diagnostics:?}"))
}

/// The same device with expected data and full status.
fn expecting_device() -> Profile {
    let mut profile = rulebook_device();
    profile.expect(Expectations { data: true, full_status: true });
    profile
}

/// What chance seldom reaches, on the rulebook's device.
fn tour(profile: &Profile) -> Sequence {
    let script = Script::parse(profile, include_str!("tour.txt")).unwrap();
    let record = |(line, uid): (&ScriptLine, u64)| match line {
        ScriptLine::Operation(step) => SequenceRow { time: step.time, op: step.op, uid, targets: step.targets.clone() },
        ScriptLine::EndOfFile => panic!("the tour is one file"),
    };
    Sequence { rows: script.lines.iter().zip(1..).map(record).collect() }
}

/// The table of several simulated sequences of a device.
fn table(profile: &Profile, seeds: u64, rows: usize, each: usize) -> MutationResults {
    let mutations = nandseq_mutants::all();
    let run = |seed| {
        let sequence = simulate(profile, seed, rows);
        assert!(sequence.rows.len() > rows / 2, "seed {seed}: only {} rows", sequence.rows.len());
        nandseq_mutants::run(profile, &[], &sequence, &mutations, each)
    };
    let mut table = run(0);
    for seed in 1..seeds {
        table.add(&run(seed));
    }
    table
}

/// Every rule, and at least three mutations of it that could be applied.
fn assert_complete(table: &MutationResults) {
    println!("{table}");
    assert!(table.is_right(), "{table}");
    let of_sequences = RuleCode::ALL.into_iter().filter(|rule| !RuleCode::TABLES.contains(rule));
    let few: Vec<&str> = of_sequences.filter(|&rule| table.applied(rule) < 3).map(RuleCode::name).collect();
    assert!(few.is_empty(), "fewer than three mutations applied: {few:?}\n{table}");
}

#[test]
fn every_damage_is_found_under_its_own_code() {
    let profile = expecting_device();
    let mut table = table(&profile, 4, 4000, 6);
    table.add(&nandseq_mutants::run(&profile, &[], &tour(&profile), &nandseq_mutants::all(), 10));
    assert_complete(&table);
    let of_expectations = [RuleCode::DataValue, RuleCode::StatusValue, RuleCode::PayloadFields].map(Some);
    let unused = table.rows.iter().filter(|row| row.mutants == 0 && of_expectations.contains(&row.rule));
    let unused: Vec<&str> = unused.map(|row| row.name).collect();
    assert!(unused.is_empty(), "these could not be applied: {unused:?}");
}

#[test]
fn the_tour_is_clean() {
    let profile = expecting_device();
    let untouched: Vec<_> =
        nandseq_mutants::all().into_iter().filter(|mutation| mutation.name == "the last row lost").collect();
    let table = nandseq_mutants::run(&profile, &[], &tour(&profile), &untouched, 1);
    assert_eq!((table.rows[0].mutants, table.rows[0].found), (1, 0), "{table}");
}

#[test]
fn without_data_and_full_status_nothing_of_them_is_damaged() {
    let table = table(&rulebook_device(), 1, 2000, 4);
    assert!(table.is_right(), "{table}");
    assert_eq!(table.applied(RuleCode::DataValue), 0, "{table}");
    assert_eq!(table.applied(RuleCode::StatusValue), 5, "{table}");
}

#[test]
fn one_damage_gives_few_findings() {
    let table = table(&expecting_device(), 1, 3000, 10);
    // Every operation on a bad block is a finding of its own.
    let rows = table.rows.iter().filter(|row| row.rule != Some(RuleCode::BadBlock));
    let most = rows.max_by_key(|row| row.most_findings).unwrap();
    assert!(most.most_findings <= 30, "{}: {}", most.name, most.most_findings);
}

#[test]
fn the_damaged_sequences_hold_every_operation_of_the_rulebook_device() {
    let profile = rulebook_device();
    let mut sequences: Vec<Sequence> = (0..6).map(|seed| simulate(&profile, seed, 4000)).collect();
    sequences.push(tour(&profile));
    let unused: Vec<&str> = profile
        .ops
        .iter_ids()
        .filter(|(id, _)| sequences.iter().all(|sequence| sequence.rows.iter().all(|row| row.op != *id)))
        .map(|(_, op)| op.name.as_str())
        .filter(|name| *name != "Status_Lun2")
        .collect();
    assert!(unused.is_empty(), "{unused:?}");
}

#[test]
fn the_reference_device_is_judged_as_well() {
    let mut profile = builtin::profile();
    profile.topology.blocks_per_die = 32;
    profile.topology.pages_per_block = 12;
    let table = table(&profile, 2, 3000, 4);
    println!("{table}");
    assert!(table.is_right(), "{table}");
}
