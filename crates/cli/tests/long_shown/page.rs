//! A page and the commands that its blocks of code show.

use std::fs;
use std::ops::Range;
use std::path::Path;
use std::process::Command;

use crate::renew::renewed;
use crate::runner::{Folder, legacy};

/// What stands before a command.
const PROMPT: &str = "$ ";

/// A file of the predecessor that commands name. It is not everywhere at hand.
const PREDECESSOR: &str = "config-2025-09.yaml";

/// A block of code: what follows its fence, and its lines.
struct Block {
    info: String,
    lines: Range<usize>,
}

/// What came of the blocks of a page.
#[derive(Default)]
pub(crate) struct Outcome {
    /// The page with what its commands print now.
    pub(crate) renewed: String,
    /// What is not shown as it is printed.
    pub(crate) wrong: Vec<String>,
    /// Commands that fail, or do not fail, as the page does not say.
    pub(crate) failed: Vec<String>,
    /// The number of blocks whose commands were carried out.
    pub(crate) carried_out: usize,
    /// Why the other blocks were not.
    pub(crate) left_out: Vec<String>,
}

impl Outcome {
    pub(crate) fn has_blocks(&self) -> bool {
        self.carried_out > 0 || !self.left_out.is_empty()
    }
}

fn lines(name: &str, root: &Path) -> Vec<String> {
    fs::read_to_string(root.join(name)).unwrap().lines().map(str::to_owned).collect()
}

/// The blocks of code of a page.
fn blocks(page: &[String]) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<(usize, &str)> = None;
    for (at, line) in page.iter().enumerate() {
        match (open, line.strip_prefix("```")) {
            (None, Some(info)) => open = Some((at + 1, info)),
            (Some((first, info)), Some("")) => {
                blocks.push(Block { info: info.to_owned(), lines: first..at });
                open = None;
            }
            (_, Some(_) | None) => {}
        }
    }
    assert!(open.is_none(), "a block of code does not end: {open:?}");
    blocks
}

/// The folder of the repository that commands may name.
const EXAMPLES: &str = "examples";

/// Carries out the commands of a page, in a folder of their own.
pub(crate) fn carry_out(name: &str, root: &Path, update: bool) -> Outcome {
    let page = lines(name, root);
    let folder = Folder::new();
    if page.iter().any(|line| line.starts_with(PROMPT) && line.contains(EXAMPLES)) {
        std::os::unix::fs::symlink(root.join(EXAMPLES), folder.path().join(EXAMPLES)).unwrap();
    }
    let (mut outcome, mut new, mut end) = (Outcome::default(), Vec::new(), 0);
    for block in blocks(&page) {
        new.extend_from_slice(&page[end..block.lines.start]);
        end = block.lines.start;
        let (language, rest) = block.info.split_once(' ').unwrap_or((&block.info, ""));
        match (language, rest.split_once(": ").unwrap_or((rest, ""))) {
            ("console", ("" | "fails", "")) => {}
            ("console", ("on update", reason)) if update && is_at_hand(&page[block.lines.clone()], &folder) => {
                assert!(!reason.is_empty());
            }
            ("console", ("on update" | "not run", reason)) if !reason.is_empty() => {
                outcome.left_out.push(format!("line {}: {reason}", block.lines.start));
                continue;
            }
            ("console", _) => panic!("{name}:{}: {} is no rule", block.lines.start, block.info),
            (_, ("", _)) => continue,
            (_, (file, _)) => {
                fs::write(folder.path().join(file), page[block.lines].join("\n") + "\n").unwrap();
                continue;
            }
        }
        new.extend(renew_block(name, &page, &block, &folder, &mut outcome));
        end = block.lines.end;
        outcome.carried_out += 1;
    }
    new.extend_from_slice(&page[end..]);
    outcome.renewed = new.join("\n") + "\n";
    outcome
}

/// What a reader of a page types: its commands, and the lines of the files that it shows.
pub(crate) fn typed(name: &str, root: &Path) -> Vec<String> {
    let page = lines(name, root);
    let typed = |block: Block| -> Vec<String> {
        let is_typed = |line: &&String| match block.info.split_once(' ') {
            _ if block.info.starts_with("console") => line.starts_with(PROMPT),
            Some((_, file)) => !file.is_empty(),
            None => false,
        };
        page[block.lines.clone()].iter().filter(is_typed).cloned().collect()
    };
    blocks(&page).into_iter().flat_map(typed).collect()
}

/// Whether the files that a block names are there; the predecessor's are put into the folder.
fn is_at_hand(block: &[String], folder: &Folder) -> bool {
    if !block.iter().any(|line| line.contains(PREDECESSOR)) {
        return true;
    }
    legacy(PREDECESSOR).is_some_and(|file| fs::copy(file, folder.path().join(PREDECESSOR)).is_ok())
}

/// The lines of a block with what its commands print now.
fn renew_block(name: &str, page: &[String], block: &Block, folder: &Folder, outcome: &mut Outcome) -> Vec<String> {
    let mut new = Vec::new();
    let starts: Vec<usize> = block.lines.clone().filter(|&at| page[at].starts_with(PROMPT)).collect();
    assert_eq!(starts.first(), Some(&block.lines.start), "{name}: a block begins with a command");
    let ends = starts[1..].iter().copied().chain([block.lines.end]);
    for (start, end) in starts.iter().copied().zip(ends) {
        let command = page[start].strip_prefix(PROMPT).unwrap();
        let fails = block.info.ends_with(" fails") && end == block.lines.end;
        // Empty lines before the next command are layout.
        let last = (start..end).rfind(|&at| !page[at].is_empty()).unwrap();
        let shown = &page[start + 1..=last];
        let (printed, as_said) = print(command, fails, folder);
        let lines = renewed(shown, &printed);
        let told = |lines: &[String]| format!("{name}:{}: {command}\n{}\n", start + 1, lines.join("\n"));
        if !as_said {
            outcome.failed.push(told(&printed));
        } else if lines != shown {
            outcome.wrong.push(told(&lines) + "instead of\n" + &shown.join("\n"));
        }
        new.push(page[start].clone());
        new.extend(lines);
        new.extend_from_slice(&page[last + 1..end]);
    }
    new
}

/// What a command prints, as a terminal shows both of its outputs, and whether it fails or succeeds as the page says.
fn print(command: &str, fails: bool, folder: &Folder) -> (Vec<String>, bool) {
    let scripts = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/");
    let command = command.replace("cargo run --release --locked", "nandseqgen").replace("scripts/", scripts);
    let program = Path::new(env!("CARGO_BIN_EXE_nandseqgen"));
    let path = std::env::var_os("PATH").unwrap();
    let folders = std::iter::once(program.parent().unwrap().to_path_buf()).chain(std::env::split_paths(&path));
    let mut shell = folder.ready(Command::new("sh"));
    shell.args(["-c", &format!("exec 2>&1\n{command}")]).env("PATH", std::env::join_paths(folders).unwrap());
    let output = shell.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let as_said = output.status.code().is_some_and(|code| (code != 0) == fails);
    (text.trim_end().lines().filter(|line| !is_progress(line)).map(str::to_owned).collect(), as_said)
}

/// Whether a line tells of progress. Such lines come only from commands that take more than five seconds, as any may on a busy machine.
fn is_progress(line: &str) -> bool {
    line.contains(" k/s; ") && line.ends_with(" left")
        || line.contains(" done (") && line.ends_with(" runs)")
        || line.contains("; no start for ")
}

/// Lines of a page that are commands and stand outside the blocks in which commands are looked for.
pub(crate) fn commands_outside(name: &str, root: &Path) -> Vec<String> {
    let page = lines(name, root);
    let blocks = blocks(&page);
    let block_of = |at: usize| blocks.iter().find(|block| block.lines.contains(&at));
    let is_command = |at: &usize| {
        let starts = |start: &str| page[*at].trim_start().starts_with(start);
        match block_of(*at) {
            Some(block) if block.info.starts_with("console") => false,
            Some(_) => starts(PROMPT) || starts("nandseqgen "),
            None => page[*at].starts_with("    ") && (starts("nandseqgen ") || starts("scripts/")),
        }
    };
    (0..page.len()).filter(is_command).map(|at| format!("{name}:{}: {}", at + 1, page[at])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_only_a_stall_brings_are_not_shown() {
        for line in [
            "8,192 operations, 2 k/s; 0 of 1 site and 0 of 3 runs done, about 12 seconds left",
            "site 4 run 1 done (1 of 3 runs)",
            "device run 2 done (2 of 5 runs)",
            "128 operations; no start for 3 s of simulated time on one of 2 sites",
        ] {
            assert!(is_progress(line), "{line}");
        }
        for line in [
            "site 4 done: 3 runs, 3,008 operations",
            "site 1 done: 1 run, 20 operations (1 of 3 sites)",
            "2 of 2 campaigns done",
        ] {
            assert!(!is_progress(line), "{line}");
        }
    }
}
