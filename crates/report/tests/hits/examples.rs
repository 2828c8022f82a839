//! The plans of `examples/plans`, with fewer hits and shorter repetitions.

use std::fs;
use std::path::Path;

use super::tried::{tried, until_done};

/// A plan without its schema, whose scenarios want two hits and repeat no step more than a hundred times.
fn shortened(text: &str) -> String {
    let text = text.replace("schema: 1\n", "").replace("repeat: 2564", "repeat: 40");
    let hits = |line: &str| {
        line.split_once("hits: ").map_or_else(|| line.to_owned(), |(before, _)| format!("{before}hits: 2"))
    };
    text.lines().map(hits).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_hit_of_the_example_plans_is_a_match_of_its_value() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/plans");
    let plans: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(plans.len(), 10);
    for path in plans {
        tried(&shortened(&fs::read_to_string(&path).unwrap()), &until_done(4_000_000), 1).assert_done();
    }
}
