//! Help, manual pages, completion scripts: what the program says of itself.

use std::fs;

use insta::assert_snapshot;

use crate::runner::{Folder, files_below};

fn help(arguments: &[&str]) -> String {
    String::from_utf8(Folder::new().succeed(arguments).stdout).unwrap()
}

/// The paths of all subcommands, by the lists that their helps begin with.
fn subcommands(path: &[&str], found: &mut Vec<Vec<String>>) {
    found.push(path.iter().map(|&word| word.to_owned()).collect());
    let text = help(&[path, &["--help"]].concat());
    let Some((_, list)) = text.split_once("\nCommands:\n") else { return };
    for line in list.lines().take_while(|line| !line.is_empty()) {
        let is_name = line.starts_with("  ") && !line.starts_with("   ");
        let Some(name) = line.split_whitespace().next().filter(|&name| is_name && name != "help") else { continue };
        subcommands(&[path, &[name]].concat(), found);
    }
}

/// The examples in a help text.
fn examples(text: &str) -> Vec<String> {
    let (_, list) = text.split_once("\nExamples:\n").unwrap_or_else(|| panic!("no examples in\n{text}"));
    let lines = list.lines().filter(|line| line.starts_with("      "));
    lines.map(|line| line.trim().to_owned()).collect()
}

#[test]
fn the_help_of_every_subcommand_ends_with_examples_and_those_that_can_be_run_work() {
    let mut paths = Vec::new();
    subcommands(&[], &mut paths);
    assert!(paths.len() > 18, "{paths:?}");
    let lots = "campaigns:\n  - {run_until: 500, out_dir: lots/a}\n  - {run_until: 500, seed: 7, out_dir: lots/b}\n";
    let fault = "schema: 1\nname: weak reads\nwhen: {address: {class: read, planes: 0}}\nprobability: 0.1\n";
    let folder = Folder::new().with("lots.yaml", lots).with("fault.yaml", fault);
    let profile = folder.succeed(&["profile", "show"]).stdout;
    fs::write(folder.path().join("device.yaml"), &profile).unwrap();
    fs::write(folder.path().join("plan.yaml"), folder.succeed(&["plan", "new"]).stdout).unwrap();
    // A sequence fails if it has an erase.
    let oracle = folder.path().join("fails.sh");
    fs::write(&oracle, "#!/bin/sh\n! grep -q Erase \"$1\"\n").unwrap();
    #[cfg(unix)]
    fs::set_permissions(&oracle, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    folder.succeed(&["-t", "20000"]);
    let batch = ["--site-count", "4", "-n", "2", "-t", "20000", "--out-dir"];
    folder.succeed(&[&batch[..], &["lot", "--config", "device.yaml"]].concat());
    for (shard, out) in [("1/2", "part1"), ("2/2", "part2")] {
        folder.succeed(&[&batch[..], &[out, "--shard", shard]].concat());
    }
    fs::write(folder.path().join("verdict.json"), folder.succeed(&["verify", "out", "--format", "json"]).stdout)
        .unwrap();
    let (mut count, mut skipped) = (0, 0);
    for path in &paths {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        for line in examples(&help(&[&path[..], &["--help"]].concat())) {
            // Who reads a legacy file or writes for everybody needs what is not here.
            if line.contains("sudo") || line.contains("legacy") {
                skipped += 1;
                continue;
            }
            let line = line.replace('~', "home");
            // What a shell does with the output is its own affair.
            let words: Vec<&str> = line.split(' ').take_while(|&word| word != ">" && word != "&&").skip(1).collect();
            // An example may have written others there.
            fs::write(folder.path().join("fails.csv"), "site,run,op_uid\n2,1,40\n").unwrap();
            let output = folder.run(&words);
            assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
            count += 1;
        }
    }
    assert!(count > 35 && skipped == 2, "{count} were run, {skipped} were not");
}

#[test]
fn the_help_of_the_most_used_subcommands() {
    for (name, arguments) in [
        ("help_of_the_program", &["--help"][..]),
        ("short_help_of_the_program", &["-h"]),
        ("help_of_verify", &["verify", "--help"]),
        ("help_of_merge", &["merge", "--help"]),
        ("help_of_coverage", &["coverage", "--help"]),
    ] {
        assert_snapshot!(name, help(arguments));
    }
}

#[test]
fn pages_and_scripts_of_everything_are_made_by_one_command() {
    let folder = Folder::new();
    let text = String::from_utf8(folder.succeed(&["shell-files", "share"]).stdout).unwrap();
    assert!(text.contains("share/man/man1\n"), "{text}");
    let files = files_below(&folder.path().join("share"));
    for script in [
        "bash-completion/completions/nandseqgen",
        "zsh/site-functions/_nandseqgen",
        "fish/vendor_completions.d/nandseqgen.fish",
        "nandseqgen/_nandseqgen.ps1",
        "elvish/lib/nandseqgen.elv",
    ] {
        let script = String::from_utf8_lossy(&files[script]);
        assert!(script.contains("site-dir-pattern"), "{script}");
    }
    let mut paths = Vec::new();
    subcommands(&[], &mut paths);
    for path in &paths {
        let words: Vec<&str> = path.iter().map(String::as_str).collect();
        let page = format!("man/man1/{}.1", [&["nandseqgen"], &words[..]].concat().join("-"));
        let page = String::from_utf8(files.get(&page).unwrap_or_else(|| panic!("{page} is missing")).clone()).unwrap();
        let plain = page.replace("\\-", "-");
        let shown = help(&[&words[..], &["--help"]].concat());
        let lines = shown.lines().map(str::trim_start).filter(|line| line.starts_with('-'));
        let flags: Vec<&str> =
            lines.filter_map(|line| line.split([' ', ',']).find(|word| word.starts_with("--"))).collect();
        assert!(!flags.is_empty(), "{path:?}");
        for flag in flags {
            assert!(plain.contains(flag), "{flag} is not in the page of {path:?}");
        }
        assert!(plain.contains("Examples:"), "{path:?}");
    }
    assert_eq!(files.len(), paths.len() + 5, "{:?}", files.keys());
}

#[test]
fn pages_that_cannot_be_written_are_said() {
    let text = Folder::new().with("taken", "").refuse(&["shell-files", "taken/share"]);
    assert!(text.starts_with("exit code 3\n") && text.contains("taken/share"), "{text}");
}
