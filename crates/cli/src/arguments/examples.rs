//! Examples of every subcommand. Its `--help` and its manual page end with them.
//!
//! Tests parse every command of this file. In one folder they run all of them but those that need a legacy file or an
//! administrator.

use clap::Command;

/// What a command line does, and the command line.
type HelpExample = (&'static str, &'static str);

/// Examples by the path of the subcommand. The path of the program itself is empty.
const EXAMPLES: &[(&str, &[HelpExample])] = &[
    (
        "",
        &[
            ("One run of 100 ms for the built-in device, into out", "nandseqgen"),
            (
                "Two runs for each of 32 sites of a device of your own",
                "nandseqgen --config device.yaml --site-count 32 -n 2 -t 20000 --out-dir lot",
            ),
            ("Judge what was written", "nandseqgen verify out"),
            ("What else a subcommand can do", "nandseqgen coverage report --help"),
        ],
    ),
    (
        "generate",
        &[
            (
                "10,000 operations, and just the sequence of them",
                "nandseqgen generate --ops 10000 --outputs operation_sequence --out-dir sequence",
            ),
            (
                "What would be written, how large it would be and how long it would take",
                "nandseqgen generate --site-count 4 --num-runs 2 --out-dir batch --dry-run",
            ),
            (
                "Four sites with two runs each, judged at once",
                "nandseqgen generate --site-count 4 --num-runs 2 --out-dir batch --verify",
            ),
            (
                "Go on with them to four runs each",
                "nandseqgen generate --site-count 4 --num-runs 4 --out-dir batch --resume batch",
            ),
            (
                "Until 90 % of what can happen has happened; the summary as JSON",
                "nandseqgen generate --closure --until-coverage 90 --out-dir covered --summary json",
            ),
        ],
    ),
    (
        "verify",
        &[
            ("Every site and run in a folder", "nandseqgen verify out"),
            ("Several folders; the findings for a program", "nandseqgen verify out batch --format json"),
            ("Sequences for a device of your own", "nandseqgen verify lot --config device.yaml"),
        ],
    ),
    (
        "run-list",
        &[
            ("Make every campaign of a list", "nandseqgen run-list lots.yaml"),
            (
                "Go on after an interruption; one JSON object for all of them",
                "nandseqgen run-list lots.yaml --resume --summary json",
            ),
        ],
    ),
    (
        "replay",
        &[
            ("Make a batch again and compare it with what is there", "nandseqgen replay batch"),
            ("Just run 2 of two sites", "nandseqgen replay batch --sites 1,3 --run 2"),
        ],
    ),
    (
        "merge",
        &[
            ("Join what two machines made", "nandseqgen merge part1 part2 --into whole"),
            (
                "Check that shards in one folder are complete, and join them; the result as JSON",
                "nandseqgen merge batch --format json",
            ),
        ],
    ),
    (
        "report",
        &[
            ("A page about every site and run in a folder", "nandseqgen report out -o report.html"),
            (
                "The same with what the verifier found marked",
                "nandseqgen report out --violations verdict.json -o report.html",
            ),
        ],
    ),
    (
        "export",
        &[
            ("For the Perfetto viewer", "nandseqgen export out --format perfetto -o timeline.pftrace"),
            ("For waveform viewers such as GTKWave", "nandseqgen export out --format vcd --from 15000 --to 15150"),
        ],
    ),
    (
        "diagnose",
        &[
            (
                "What goes with failing, with a page",
                "nandseqgen diagnose lot --fails fails.csv --others passed -o suspects.html",
            ),
            (
                "With test plans for the first three suspects",
                "nandseqgen diagnose lot --fails fails.csv --others passed --confirm 3 --plans next-lot",
            ),
        ],
    ),
    (
        "shrink",
        &[
            (
                "The smallest sequence that a program of your own lets fail",
                "nandseqgen shrink lot --site 2 --run 1 --oracle ./fails.sh -o small",
            ),
            (
                "Candidates for a tester with 32 sites; the same with --fails goes on",
                "nandseqgen shrink lot --site 2 --run 1 --batch rounds",
            ),
        ],
    ),
    (
        "coverage",
        &[
            ("What of all that can happen has happened", "nandseqgen coverage report out"),
            ("Exit with 1 unless a thousandth of it has", "nandseqgen coverage gate out --min 0.1"),
        ],
    ),
    (
        "coverage universe",
        &[
            ("What can be covered of the built-in device, as a table", "nandseqgen coverage universe"),
            (
                "The same of a device of your own, for a program",
                "nandseqgen coverage universe --config device.yaml --format json",
            ),
        ],
    ),
    (
        "coverage report",
        &[
            ("How much is covered, and the first 20 bins that are not", "nandseqgen coverage report out"),
            ("Two folders together, everything, for a program", "nandseqgen coverage report out batch --format json"),
        ],
    ),
    ("coverage merge", &[("Add up what two folders have covered", "nandseqgen coverage merge out batch -o sum.json")]),
    (
        "coverage diff",
        &[
            ("What only one of two folders has covered", "nandseqgen coverage diff out batch"),
            ("The same of a sum and a folder, for a program", "nandseqgen coverage diff sum.json out --format json"),
        ],
    ),
    (
        "coverage gate",
        &[("Exit with 1 unless a thousandth is covered", "nandseqgen coverage gate out batch --min 0.1")],
    ),
    (
        "simulate",
        &[
            ("What a tester would report, as CSV", "nandseqgen simulate batch --fault fault.yaml -o fails.csv"),
            (
                "The same as STDF V4, by other chances",
                "nandseqgen simulate batch --fault fault.yaml -o fails.stdf --seed 2",
            ),
        ],
    ),
    (
        "explain",
        &[
            ("Why an operation never appears, or how often it does", "nandseqgen explain Read_SLC"),
            (
                "The same under one phase key of a device of your own",
                "nandseqgen explain Read_SLC --under READ.END --config device.yaml",
            ),
            ("What a rule says", "nandseqgen explain bad_block"),
        ],
    ),
    (
        "profile",
        &[
            ("A short profile to begin with", "nandseqgen profile new > device.yaml"),
            ("Everything that is wrong with it", "nandseqgen profile check device.yaml"),
        ],
    ),
    (
        "profile check",
        &[
            ("Everything that is wrong or suspicious", "nandseqgen profile check device.yaml"),
            (
                "And which operation can never be proposed where, with the reason",
                "nandseqgen profile check device.yaml --pairs",
            ),
        ],
    ),
    ("profile import", &[("A legacy file in the native form", "nandseqgen profile import legacy.yaml > device.yaml")]),
    (
        "profile show",
        &[
            ("The built-in device, comments and all", "nandseqgen profile show"),
            ("A profile with all of its defaults written out", "nandseqgen profile show device.yaml"),
        ],
    ),
    ("profile new", &[("A device to begin with", "nandseqgen profile new > device.yaml")]),
    ("profile list", &[("The built-in device and one more, a line each", "nandseqgen profile list device.yaml")]),
    (
        "profile schema",
        &[("For an editor that checks while you type", "nandseqgen profile schema > profile.schema.json")],
    ),
    (
        "plan",
        &[
            ("A plan to begin with, with comments", "nandseqgen plan new > plan.yaml"),
            ("Everything that is wrong with it", "nandseqgen plan check plan.yaml"),
        ],
    ),
    (
        "plan check",
        &[
            ("Everything that is wrong or suspicious", "nandseqgen plan check plan.yaml"),
            ("The same for a device of your own", "nandseqgen plan check plan.yaml --config device.yaml"),
        ],
    ),
    (
        "plan show",
        &[
            ("Which runs, operations and blocks it means", "nandseqgen plan show plan.yaml"),
            (
                "The same with the names of all operations, for a program",
                "nandseqgen plan show plan.yaml --format json",
            ),
        ],
    ),
    ("plan new", &[("A plan to begin with, with comments", "nandseqgen plan new > plan.yaml")]),
    ("plan schema", &[("For an editor that checks while you type", "nandseqgen plan schema > plan.schema.json")]),
    (
        "completions",
        &[
            (
                "For bash, until the shell ends",
                "nandseqgen completions bash > nandseqgen.bash && source nandseqgen.bash",
            ),
            ("For all shells, with the manual pages", "nandseqgen shell-files ~/.local/share"),
        ],
    ),
    (
        "shell-files",
        &[
            ("For yourself", "nandseqgen shell-files ~/.local/share"),
            ("For everybody", "sudo nandseqgen shell-files /usr/local/share"),
        ],
    ),
];

/// The command with examples after its help and after the help of each subcommand.
pub(super) fn with_examples(command: Command) -> Command {
    at(command, "")
}

fn at(command: Command, path: &str) -> Command {
    let after = command.get_after_help().map(|text| format!("{text}\n\n")).unwrap_or_default();
    let examples = EXAMPLES.iter().find(|(of, _)| *of == path).map_or(&[][..], |(_, examples)| examples);
    let command = if examples.is_empty() {
        command
    } else {
        let list: String = examples.iter().map(|(word, line)| format!("\n  {word}:\n      {line}\n")).collect();
        command.after_help(format!("{after}\u{1b}[1m\u{1b}[4mExamples:\u{1b}[0m{list}"))
    };
    command.mut_subcommands(|inner| {
        let name = inner.get_name().to_owned();
        let path = if path.is_empty() { name } else { format!("{path} {name}") };
        at(inner, &path)
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]
    use super::*;
    use crate::arguments::CommandLine;
    use crate::arguments::environment::documented;
    use clap::Parser;

    fn each(command: &Command, path: &str, look: &mut impl FnMut(&str, &Command)) {
        look(path, command);
        for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
            let name = inner.get_name();
            each(inner, &if path.is_empty() { name.to_owned() } else { format!("{path} {name}") }, look);
        }
    }

    #[test]
    fn every_subcommand_has_examples_and_no_examples_are_of_nothing() {
        let mut paths = Vec::new();
        each(&documented(), "", &mut |path, command| {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("Examples:"), "`{path}` has no examples");
            paths.push(path.to_owned());
        });
        for (path, examples) in EXAMPLES {
            assert!(paths.iter().any(|known| known == path), "there is no `{path}`");
            assert!(!examples.is_empty(), "{path}");
        }
    }

    #[test]
    fn every_example_is_of_its_subcommand_and_can_be_read() {
        for (path, examples) in EXAMPLES {
            for (_, line) in *examples {
                let line = line.strip_prefix("sudo ").unwrap_or(line);
                let words = line.split(' ').take_while(|&word| word != ">" && word != "&&");
                let error = CommandLine::try_parse_from(words).err().filter(clap::Error::use_stderr);
                assert!(error.is_none(), "{line}: {}", error.unwrap());
                let own = line.starts_with(format!("nandseqgen {path}").trim_end());
                assert!(own || *path == "completions", "`{line}` is no example of `{path}`");
            }
        }
    }
}
