//! What the documents show is what the program prints.
//! `UPDATE_DOCS=1 cargo test --release --workspace --test long_shown` makes it anew.
//!
//! The commands of all `console` blocks of a page are carried out in order, in one folder. Each must print what is shown below
//! it, and succeed. These are the rules:
//!
//! - `console not run: REASON` is the language of a block that is only shown, `console on update: REASON` that of a block that is
//!   carried out only to make it anew, `console fails` that of a block whose last command fails. A block with a name after its
//!   language (`yaml device.yaml`) is a file of the folder.
//! - A line `…` stands for any lines. Those before and after it keep their number when they are made anew.
//! - Seconds and operations per second are measured. A line in which nothing else differs stays as it is shown; one that is made
//!   anew has the figures of the build under test, hence `--release`. Lines of progress are not shown.
//! - `examples` is the folder of the repository.
//! - `nandseqgen` and `cargo run --release --locked` are the program under test. `scripts/NAME` is the script of the repository.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]

mod page;
mod picture;
mod renew;
#[expect(dead_code, reason = "other tests use the rest")]
#[path = "../command_line/runner.rs"]
mod runner;

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use crate::page::Outcome;

/// What to do if something else is shown.
const HELP: &str = "what is shown is not what the program prints; UPDATE_DOCS=1 with --release makes it anew";

/// The folder of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The pages of the repository, by their path in it.
fn pages() -> Vec<String> {
    let mut pages = Vec::new();
    for folder in ["", "docs/", "rulebook/"] {
        let names = fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().file_name());
        let names = names.map(|name| name.into_string().unwrap()).filter(|name| name.ends_with(".md"));
        pages.extend(names.map(|name| format!("{folder}{name}")));
    }
    pages.sort();
    pages
}

/// Whether what is shown is to be made anew.
fn is_update() -> bool {
    std::env::var_os("UPDATE_DOCS").is_some()
}

/// Compares a file with what it is to hold. A file that differs is written if that is asked for, else it is wrong.
fn is_wrong(path: &str, wanted: &str) -> bool {
    let file = root().join(path);
    if fs::read_to_string(&file).is_ok_and(|text| text == wanted) {
        return false;
    }
    if is_update() {
        fs::write(file, wanted).unwrap();
    }
    !is_update()
}

#[test]
#[expect(clippy::print_stdout, reason = "what was not run is to be seen")]
fn the_pages_show_what_the_program_prints() {
    let pages = pages();
    let outcomes: Vec<Outcome> = thread::scope(|scope| {
        let threads: Vec<_> =
            pages.iter().map(|name| scope.spawn(|| page::carry_out(name, &root(), is_update()))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let (mut carried_out, mut left_out) = (0, 0);
    for (name, outcome) in pages.iter().zip(&outcomes).filter(|(_, outcome)| outcome.has_blocks()) {
        println!("{name}: {} blocks carried out", outcome.carried_out);
        outcome.left_out.iter().for_each(|reason| println!("  one is not: {reason}"));
        carried_out += outcome.carried_out;
        left_out += outcome.left_out.len();
    }
    let failed: Vec<&str> = outcomes.iter().flat_map(|outcome| &outcome.failed).map(String::as_str).collect();
    assert!(failed.is_empty(), "commands end otherwise than the pages say:\n{}", failed.join("\n"));
    let wrong = pages.iter().zip(&outcomes).filter(|(name, outcome)| is_wrong(name, &outcome.renewed));
    let wrong: Vec<&str> = wrong.flat_map(|(_, outcome)| &outcome.wrong).map(String::as_str).collect();
    assert!(wrong.is_empty(), "{HELP}\n{}", wrong.join("\n"));
    assert!(carried_out > 3 * left_out, "{left_out} blocks are only shown, {carried_out} carried out");
}

#[test]
fn commands_stand_in_blocks_that_are_carried_out() {
    let outside: Vec<String> = pages().iter().flat_map(|name| page::commands_outside(name, &root())).collect();
    assert!(outside.is_empty(), "commands outside blocks called console:\n{}", outside.join("\n"));
}

#[test]
fn the_korean_tutorial_has_the_commands_and_files_of_the_english_one() {
    let (korean, english) = (page::typed("docs/ko/tutorial.md", &root()), page::typed("docs/tutorial.md", &root()));
    assert!(korean == english, "docs/ko/tutorial.md has other commands or files than docs/tutorial.md");
    assert!(english.len() > 40);
}

#[test]
fn the_picture_shows_a_sequence_its_timeline_and_its_verdict() {
    assert!(!is_wrong("docs/pictures/way.svg", &picture::way()), "{HELP}");
}
