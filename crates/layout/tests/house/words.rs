//! The words that no Rust file may contain, and the header that each must have.

use crate::none;
use crate::source::{self, Piece, Source};

/// Names that do not tell what a module holds.
const EMPTY_NAMES: [&str; 8] = ["util", "utils", "helper", "helpers", "common", "misc", "shared", "stuff"];

/// Crates in which nothing may read a clock: their results depend on their inputs alone.
const WITHOUT_CLOCK: [&str; 12] = [
    "profile", "device", "generate", "trace", "output", "input", "verify", "report", "shrink", "tester", "simulate",
    "diagnose",
];

fn word(piece: Option<&(usize, Piece)>) -> &str {
    match piece {
        Some((_, Piece::Word(word))) => word,
        _ => "",
    }
}

fn is_mark(piece: Option<&(usize, Piece)>, wanted: char) -> bool {
    piece.is_some_and(|(_, piece)| *piece == Piece::Mark(wanted))
}

/// The places of a file, as `path:line`, at whose pieces `found` holds.
fn places(source: &Source, found: impl Fn(&[(usize, Piece)]) -> bool) -> Vec<String> {
    let pieces = &source.pieces;
    let hits = (0..pieces.len()).filter(|&at| found(&pieces[at..]));
    hits.map(|at| format!("{}:{}", source.path, pieces[at].0)).collect()
}

#[test]
fn every_module_says_at_its_top_what_it_is_for() {
    let silent = source::all().iter().filter(|source| !source.text.starts_with("//! "));
    none("files that do not open with `//!`:", &silent.map(|source| source.path.clone()).collect::<Vec<_>>());
}

#[test]
fn no_module_has_a_name_that_says_nothing() {
    let mut breaches = Vec::new();
    for source in source::all() {
        let stem = source.path.strip_suffix(".rs").unwrap();
        if stem.split('/').any(|part| EMPTY_NAMES.contains(&part)) {
            breaches.push(source.path.clone());
        }
        let inline =
            |pieces: &[(usize, Piece)]| word(pieces.first()) == "mod" && EMPTY_NAMES.contains(&word(pieces.get(1)));
        breaches.extend(places(source, inline));
    }
    none("modules named for nothing in particular:", &breaches);
}

#[test]
fn lints_are_expected_with_a_reason_and_never_allowed() {
    let switched_off = |pieces: &[(usize, Piece)]| {
        let inner = usize::from(is_mark(pieces.get(1), '!'));
        is_mark(pieces.first(), '#') && is_mark(pieces.get(1 + inner), '[') && word(pieces.get(2 + inner)) == "allow"
    };
    let breaches: Vec<String> = source::all().iter().flat_map(|source| places(source, switched_off)).collect();
    none("lints switched off without noticing when that is no longer needed:", &breaches);
}

#[test]
fn nothing_is_left_to_do() {
    let unfinished = |pieces: &[(usize, Piece)]| {
        ["todo", "unimplemented"].contains(&word(pieces.first())) && is_mark(pieces.get(1), '!')
    };
    let breaches: Vec<String> = source::all().iter().flat_map(|source| places(source, unfinished)).collect();
    none("unfinished code:", &breaches);
}

#[test]
fn only_the_command_line_reads_a_clock() {
    let clock = |pieces: &[(usize, Piece)]| ["SystemTime", "Instant"].contains(&word(pieces.first()));
    let files = source::all().iter().filter(|source| WITHOUT_CLOCK.contains(&source.crate_name()));
    let breaches: Vec<String> =
        files.filter(|source| source.is_shipped()).flat_map(|source| places(source, clock)).collect();
    none("clocks where results must depend on inputs alone:", &breaches);
}

/// Code that reads effects matches all of them, so that the compiler finds every reader that a new effect concerns. The crate
/// `mutants` is left out: each of its damages is about one effect.
#[test]
fn no_effect_is_picked_out_of_the_others() {
    let names_effect = |pieces: &[(usize, Piece)]| {
        (0..pieces.len()).any(|at| word(pieces.get(at)) == "Effect" && is_mark(pieces.get(at + 1), ':'))
    };
    let picked = |pieces: &[(usize, Piece)]| match word(pieces.first()) {
        "let" => {
            let end = (1..pieces.len()).find(|&at| is_mark(pieces.get(at), '=') || is_mark(pieces.get(at), ';'));
            names_effect(&pieces[..end.unwrap_or(pieces.len())])
        }
        "matches" => {
            let mut depth = 0;
            let closes = |at: &usize| {
                depth += i32::from(is_mark(pieces.get(*at), '(')) - i32::from(is_mark(pieces.get(*at), ')'));
                depth == 0
            };
            let end = (2..pieces.len()).find(closes).unwrap_or(pieces.len());
            is_mark(pieces.get(1), '!') && names_effect(&pieces[..end])
        }
        _ => false,
    };
    let shipped = source::all().iter().filter(|source| source.is_shipped() && source.crate_name() != "mutants");
    none("effects read without the others:", &shipped.flat_map(|source| places(source, picked)).collect::<Vec<_>>());
}
