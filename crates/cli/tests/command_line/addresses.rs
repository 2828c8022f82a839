//! `--plan` with addresses: where operations work, how often, and what the summary says of it.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::in_phases::{phased, said, the_same_in_every_way};

/// A page that is read as often as its limit lets it, on a block that a first phase fills.
const DISTURB: &str = "schema: 1
phases:
  - {name: program, ops: 400, addresses: block, mix: {ERASE: 1 %, array_program: 40 %}}
  - {name: disturb, runs: 5, ops: 300, addresses: page, mix: {read: 40 %}}
addresses:
  block: {regions: [{dies: 0, blocks: 8-11}]}
  page:
    regions: [{dies: 0, blocks: 8-11, pages: 0}]
    limits: {reads_per_page: 20}
";

#[test]
fn runs_with_addresses_are_the_same_however_they_are_made_and_within_their_limits() {
    let folder = phased("plan.yaml", DISTURB);
    the_same_in_every_way(&folder, &["--verify"]);
    let mut reads: BTreeMap<Vec<String>, u64> = BTreeMap::new();
    let mut touched = 0;
    for run in 1..=6 {
        let path = folder.path().join(format!("out/address_touch_count_261121_000000{run}.csv"));
        let text = std::fs::read_to_string(path).unwrap();
        for row in text.lines().skip(1) {
            let fields: Vec<String> = row.split(',').map(str::to_owned).collect();
            let [op_base, _, die, block, page, count] = fields.as_slice() else { panic!("{row}") };
            let block_number: u32 = block.parse().unwrap();
            assert!(die == "0" && (8..12).contains(&block_number), "{row}");
            assert!(run == 1 || op_base != "READ" || page == "0", "{row}");
            touched += 1;
            if op_base == "READ" && run > 1 {
                *reads.entry(vec![block.clone(), page.clone()]).or_default() += count.parse::<u64>().unwrap();
            }
        }
    }
    assert!(touched > 0 && reads.values().all(|&count| count <= 20), "{reads:?}");
}

#[test]
fn the_summary_says_how_far_limits_were_used() {
    let folder = phased("plan.yaml", DISTURB);
    let base = ["--plan", "plan.yaml", "--seed", "7", "--stamp", "261121"];
    let output = folder.succeed(&[&base[..], &["--out-dir", "json", "--summary", "json"]].concat());
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    let limit = &summary["limits"][0];
    assert_eq!(
        (&limit["phase"], &limit["addresses"], &limit["limit"]),
        (&"disturb".into(), &"page".into(), &"reads_per_page".into())
    );
    let (greatest, reached) = (limit["greatest"].as_u64().unwrap(), limit["reached"].as_u64().unwrap());
    assert!(limit["most"] == 20 && greatest <= 20 && (greatest == 20) == (reached > 0), "{limit}");
    let text = said(&folder, &[&base[..], &["--out-dir", "text", "-v"]].concat());
    assert!(text.contains("Limits of addresses:\n  disturb: reads_per_page of `page`: "), "{text}");
    let text = said(&folder, &[&base[..], &["--out-dir", "text", "--dry-run"]].concat());
    assert!(text.contains("phase disturb: 5 runs of 300 operations; addresses page"), "{text}");
}

#[test]
fn operations_that_no_region_serves_are_named() {
    let plan = "schema: 1\naddresses:\n  one: {regions: [{dies: 1, blocks: 8}]}\n  high: {regions: [{blocks: 8, pages: 7}]}\n\
        phases:\n  - {name: a, ops: 9, addresses: one}\n  - {name: b, ops: 9, addresses: high}\n";
    let folder = phased("plan.yaml", plan);
    let text = said(&folder, &["plan", "check", "plan.yaml"]);
    assert!(text.contains("note[no-address]: in the phases `a`, `b` no region has an address for"), "{text}");
    let late = plan.replace("addresses: one", "addresses: high");
    let text = said(&phased("plan.yaml", &late), &["plan", "check", "plan.yaml"]);
    assert!(text.contains("a page is programmed after those before it"), "{text}");
}

#[test]
fn many_phases_with_many_regions_are_checked_at_once() {
    // Many phases, with 60 regions each, all 1,020 or more than may be in force.
    let region = |entry: usize, at: usize| format!("{{blocks: {}, pages: 8-15}}", (entry * 61 + at * 13) % 1000);
    let entry = |entry: usize| {
        let regions: Vec<String> = (0..60).map(|at| region(entry, at)).collect();
        format!("  a{entry}: {{regions: [{}]}}\n", regions.join(", "))
    };
    let planned = |count: usize, entries: usize, in_force: &str| {
        let entries: String = (0..entries).map(entry).collect();
        let phase =
            |at: usize| format!("  - {{name: p{at}, ops: 9{}}}\n", in_force.replace('@', &(at % 60).to_string()));
        let phases: String = (0..count).map(phase).collect();
        phased("plan.yaml", &format!("schema: 1\nphases:\n{phases}addresses:\n{entries}"))
    };
    let check = ["plan", "check", "plan.yaml"];
    let one_each = said(&planned(100, 60, ", addresses: a@"), &check);
    assert!(one_each.contains("in the phases `p0`, `p1`, `p2` and 97 more no region has an address for"), "{one_each}");
    let all = said(&planned(200, 17, ""), &check);
    assert!(all.contains("the phases have too many regions to see which operations have no address"), "{all}");
    let refused = planned(2, 60, "").refuse(&check);
    assert!(refused.contains("error[too-many]: the regions of the phase `p0` are 3600"), "{refused}");
}
