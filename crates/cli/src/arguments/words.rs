//! The words of the command line before the parser reads them.
//!
//! A flag that every subcommand takes may stand before the name of the subcommand, as in `nandseqgen -q verify out`. The flags of
//! `generate` may stand there too, so the parser would take such a flag for one of those.

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

/// The number of words that a flag of every subcommand takes, its value included; `None` for any other word.
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
