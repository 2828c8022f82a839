//! The words of the command line before the parser reads them.
//!
//! A flag of every subcommand may stand before its name, as in `nandseqgen -q verify out`; where the flags of `generate` may stand too,
//! the parser would take them for those. A value that begins with `-` and a digit is put to its flag.

use std::ffi::{OsStr, OsString};

use clap::{Command, ValueEnum};

use super::console::Color;

/// Moves the flags that every subcommand takes from before the name of the subcommand to behind it.
pub(super) fn in_order(words: Vec<OsString>, command: &Command) -> Vec<OsString> {
    let mut at = 1;
    while let Some(length) = words.get(at).and_then(|word| length(word)) {
        at += length;
    }
    let is_subcommand = |word: &OsString| command.get_subcommands().any(|one| word == one.get_name());
    let mut words = words;
    if at > 1 && words.get(at).is_some_and(is_subcommand) {
        words[1..=at].rotate_right(1);
    }
    words
}

/// Puts values that begin with `-` and a digit to the flags before them, as `--ops=-5`: the parser would take `-5` for a flag of its own.
pub(super) fn with_values(words: Vec<OsString>) -> Vec<OsString> {
    let mut whole: Vec<OsString> = Vec::with_capacity(words.len());
    let mut are_operands = false;
    for word in words {
        are_operands |= word == "--";
        let digits = word.to_str().and_then(|word| word.strip_prefix('-'));
        let is_value =
            digits.is_some_and(|digits| digits.trim_start_matches('.').starts_with(|c: char| c.is_ascii_digit()));
        match whole.last_mut() {
            Some(flag) if is_value && !are_operands && flag.to_str().is_some_and(may_take_value) => {
                flag.push("=");
                flag.push(word);
            }
            Some(_) | None => whole.push(word),
        }
    }
    whole
}

/// Whether a word is a flag that does not have its value yet.
fn may_take_value(word: &str) -> bool {
    match word.strip_prefix("--") {
        Some(name) => !name.is_empty() && !name.contains('='),
        None => matches!(word.as_bytes(), [b'-', letter] if letter.is_ascii_alphabetic() && !b"qvhV".contains(letter)),
    }
}

/// Words of a flag of every subcommand; `None` for any other word.
fn length(word: &OsStr) -> Option<usize> {
    let word = word.to_str()?;
    let is_short =
        word.strip_prefix('-').is_some_and(|flags| !flags.is_empty() && flags.chars().all(|c| "qv".contains(c)));
    match word {
        "--quiet" | "--verbose" => Some(1),
        "--color" => Some(2),
        _ if is_short || word.starts_with("--color=") => Some(1),
        _ => None,
    }
}

/// The value of the last `--color`. It is needed before the parser runs.
pub(super) fn color(words: &[OsString]) -> Option<Color> {
    let words = words.iter().map(|word| word.to_str().unwrap_or_default()).take_while(|&word| word != "--");
    let mut chosen = None;
    let mut is_value = false;
    for word in words {
        let value = if is_value { Some(word) } else { word.strip_prefix("--color=") };
        chosen = value.and_then(|value| Color::from_str(value, false).ok()).or(chosen);
        is_value = word == "--color";
    }
    chosen
}

/// Flags of which the last one counts, as the users of the predecessor expect.
const OPPOSITES: [[&str; 2]; 2] = [["--bootstrap", "--no-bootstrap"], ["--drain-op-end", "--no-drain-op-end"]];

/// The pairs of opposite flags of which both are given: the one that counts, because it comes last, and the other.
pub(crate) fn opposed(words: &[impl AsRef<OsStr>]) -> Vec<[&'static str; 2]> {
    let flags = || words.iter().map(AsRef::as_ref).take_while(|word| *word != "--");
    let last = |flag: &str| flags().enumerate().filter(|(_, word)| *word == flag).last().map(|(at, _)| at);
    let in_order =
        |[one, other]: [&'static str; 2]| Some(if last(one)? > last(other)? { [one, other] } else { [other, one] });
    OPPOSITES.into_iter().filter_map(in_order).collect()
}

/// Whether a flag is given in its short form alone.
pub(super) fn is_short_given(words: &[OsString], long: &str, short: char) -> bool {
    let flags = || words.iter().filter_map(|word| word.to_str()).take_while(|word| *word != "--");
    let is_long = |word: &str| {
        word.strip_prefix("--").is_some_and(|word| word.split('=').next().is_some_and(|name| name == long))
    };
    let is_short = |word: &str| word.strip_prefix('-').is_some_and(|word| word.starts_with(short));
    !flags().any(is_long) && flags().any(is_short)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]
    use super::*;

    fn ordered(line: &str) -> String {
        let command = Command::new("x").subcommand(Command::new("verify")).subcommand(Command::new("merge"));
        let words = in_order(line.split(' ').map(OsString::from).collect(), &command);
        words.iter().map(|word| word.to_str().unwrap()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn flags_of_every_subcommand_may_stand_before_its_name() {
        for (line, expected) in [
            ("x -q verify out", "x verify -q out"),
            ("x --color never -v merge a b", "x merge --color never -v a b"),
            ("x --color=never verify", "x verify --color=never"),
            ("x -q", "x -q"),
            ("x", "x"),
            ("x -q --seed 3", "x -q --seed 3"),
            ("x --seed 3 verify", "x --seed 3 verify"),
            ("x --color", "x --color"),
            ("x -q verif", "x -q verif"),
        ] {
            assert_eq!(ordered(line), expected);
        }
    }

    #[test]
    fn values_with_a_minus_belong_to_the_flag_before_them() {
        for (line, expected) in [
            ("x --ops -5 -n -1 --shard -1/2", "x --ops=-5 -n=-1 --shard=-1/2"),
            ("x report --to -.5 out", "x report --to=-.5 out"),
            ("x -q -5 --ops=3 -5 out -5 -o - -5", "x -q -5 --ops=3 -5 out -5 -o - -5"),
            ("x -- --ops -5", "x -- --ops -5"),
            ("x --sites --seed -3", "x --sites --seed=-3"),
        ] {
            let words = with_values(line.split(' ').map(OsString::from).collect());
            assert_eq!(words.iter().map(|word| word.to_str().unwrap()).collect::<Vec<_>>().join(" "), expected);
        }
    }

    #[test]
    fn the_choice_of_colours_is_found_wherever_it_stands() {
        let chosen = |line: &str| color(&line.split(' ').map(OsString::from).collect::<Vec<_>>());
        assert_eq!(chosen("x verify --color never out"), Some(Color::Never));
        assert_eq!(chosen("x --color=always"), Some(Color::Always));
        assert_eq!(chosen("x --color=always --color auto"), Some(Color::Auto));
        for line in ["x", "x --color", "x --color pink", "x -- --color=never"] {
            assert_eq!(chosen(line), None, "{line}");
        }
    }
}
