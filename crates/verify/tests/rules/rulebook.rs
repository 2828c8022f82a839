//! Every page of the rulebook, executed.

use std::fs;

use nandseq_input::{COLUMNS, SequenceReader};
use nandseq_profile::Profile;
use nandseq_verify::notation::ScriptLine;
use nandseq_verify::rulebook::{
    Example, ExampleContent, NO_ROW, TableExample, examples, expected_examples, table_examples,
};
use nandseq_verify::{RuleCode, Verifier};

use crate::beside::judge_tables;
use crate::{DEVICE, EXPECTING, judge_script, rulebook_folder};

/// Every code that an example expects somewhere.
fn expected(example: &Example) -> Vec<RuleCode> {
    match &example.content {
        ExampleContent::Sequence(script) => {
            let of = |line: &ScriptLine| match line {
                ScriptLine::Operation(step) => [&*step.breaks, &*step.follows].concat(),
                ScriptLine::EndOfFile => Vec::new(),
            };
            script.lines.iter().flat_map(of).collect()
        }
        ExampleContent::Rows(rows) => rows.iter().flat_map(|(_, codes)| codes.clone()).collect(),
    }
}

fn judge_rows(rows: &[(String, Vec<RuleCode>)], place: &str) {
    let mut text = COLUMNS.join(",");
    for (row, _) in rows {
        text += &format!("\n{row}");
    }
    let mut verifier = Verifier::new(&DEVICE, &[]);
    let mut reader = SequenceReader::new(&DEVICE, text.as_bytes()).unwrap();
    for (row, codes) in rows {
        let before = verifier.findings().len();
        match reader.next_row().unwrap().unwrap() {
            Ok(row) => verifier.row(&row),
            Err(row) => verifier.bad_row(&row),
        }
        let found: Vec<RuleCode> = verifier.findings()[before..].iter().map(|finding| finding.rule).collect();
        assert_eq!(&found, codes, "{place}: {row}");
    }
    assert!(reader.next_row().unwrap().is_none());
}

/// Judges an example of tables.
fn judge_table_example(example: &TableExample, place: &str) {
    let (mut tables, mut expected) = (Vec::new(), Vec::new());
    for (kind, rows) in &example.tables {
        let written = rows.iter().map(|(row, _)| row.as_str()).filter(|row| *row != NO_ROW);
        tables.push((*kind, written.collect::<Vec<_>>().join("\n")));
        let codes =
            rows.iter().zip(1..).flat_map(|((_, codes), row)| codes.iter().map(move |code| (*kind, row, *code)));
        expected.extend(codes);
    }
    let report = judge_tables(&example.script, &tables);
    let findings = report.sites[0].findings.iter();
    let mut found: Vec<_> =
        findings.map(|finding| (finding.table.expect(place), finding.place.row, finding.rule)).collect();
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected, "{place}: {report}");
}

#[test]
fn every_page_of_tables_judges_as_it_says() {
    for rule in RuleCode::TABLES.into_iter().chain([RuleCode::RowFormat]) {
        let file = rulebook_folder().join(format!("{}.md", rule.name()));
        let page = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        assert!(page.starts_with(&format!("# `{}`\n", rule.name())), "{}", file.display());
        let examples = table_examples(&DEVICE, &page).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let keeps = rule == RuleCode::RowFormat || examples.iter().any(|example| example.keeps);
        assert!(keeps, "{} keeps nothing", file.display());
        assert!(examples.iter().any(|example| !example.keeps), "{} breaks nothing", file.display());
        for example in examples {
            let place = format!("{}:{}", file.display(), example.line);
            let codes: Vec<_> = example.tables.iter().flat_map(|(_, rows)| rows).flat_map(|(_, codes)| codes).collect();
            assert_eq!(example.keeps, codes.is_empty(), "{place}");
            assert!(example.keeps || codes.contains(&&rule), "{place} does not break {}", rule.name());
            judge_table_example(&example, &place);
        }
    }
}

#[test]
fn every_page_judges_as_it_says() {
    for rule in RuleCode::ALL.into_iter().filter(|rule| !RuleCode::TABLES.contains(rule)) {
        let file = rulebook_folder().join(format!("{}.md", rule.name()));
        let page = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        assert!(page.starts_with(&format!("# `{}`\n", rule.name())), "{}", file.display());
        let plain = examples(&DEVICE, &page).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let more = expected_examples(&EXPECTING, &page).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let all = plain.into_iter().map(|one| (one, &*DEVICE)).chain(more.into_iter().map(|one| (one, &*EXPECTING)));
        let all: Vec<(Example, &Profile)> = all.collect();
        assert!(all.iter().any(|(example, _)| example.keeps), "{} keeps nothing", file.display());
        assert!(all.iter().any(|(example, _)| !example.keeps), "{} breaks nothing", file.display());
        for (example, device) in all {
            let place = format!("{}:{}", file.display(), example.line);
            let expected = expected(&example);
            assert_eq!(example.keeps, expected.is_empty(), "{place}");
            assert!(example.keeps || expected.contains(&rule), "{place} does not break {}", rule.name());
            match &example.content {
                ExampleContent::Sequence(script) => {
                    let text: Vec<&str> = page.lines().skip(example.line).collect();
                    judge_script(device, script, &text.join("\n"));
                }
                ExampleContent::Rows(rows) => judge_rows(rows, &place),
            }
        }
    }
}

#[test]
fn the_rulebook_has_no_page_without_a_rule_and_lists_them_all() {
    let readme = fs::read_to_string(rulebook_folder().join("README.md")).unwrap();
    for entry in rulebook_folder().read_dir().unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if let Some(rule) = name.strip_suffix(".md").filter(|name| *name != "README") {
            assert!(RuleCode::from_name(rule).is_some(), "{name} is a page of no rule");
            assert!(readme.contains(&format!("]({name})")), "README.md does not list {name}");
        }
    }
}
