//! Rules about the files of the whole repository.

use std::fs;
use std::process::Command;

use crate::none;
use crate::source::{self, Source, root};

/// Hosts that documents may point at.
const KNOWN_HOSTS: [&str; 10] = [
    "json-schema.org",
    "keepachangelog.com",
    "semver.org",
    "www.apache.org",
    "opensource.org",
    "www.onfi.org",
    "www.jedec.org",
    "rustup.rs",
    "doc.rust-lang.org",
    "www.w3.org",
];

/// The only source of packages that the lock file may name, as Cargo writes it.
const LOCK_SOURCE: &str = concat!("source = \"registry+https:", "//github.com/rust-lang/crates.io-index\"");

/// Files that git tracks or would track. Outside a git checkout the list is empty, and a line says so.
#[expect(clippy::print_stdout, reason = "the place for a test to say that it did nothing")]
fn tracked() -> Vec<String> {
    let mut git = Command::new("git");
    git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).current_dir(root());
    match git.output() {
        Ok(output) if output.status.success() => {
            let names = String::from_utf8(output.stdout).unwrap();
            names.split('\0').filter(|name| !name.is_empty()).map(str::to_owned).collect()
        }
        _ => {
            println!("not a git checkout: rules about the repository's files are skipped");
            Vec::new()
        }
    }
}

/// Tracked files that are text, with their text.
fn texts() -> Vec<(String, String)> {
    let read = |name: String| fs::read_to_string(root().join(&name)).ok().map(|text| (name, text));
    tracked().into_iter().filter_map(read).collect()
}

#[test]
fn the_documents_a_stranger_looks_for_are_there() {
    let wanted = [
        "README.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "LICENSE-MIT",
        "LICENSE-APACHE",
        "Cargo.lock",
        "rulebook/README.md",
        ".ci/run",
    ];
    let missing = wanted.into_iter().filter(|name| !root().join(name).is_file());
    none("missing files:", &missing.map(str::to_owned).collect::<Vec<_>>());
    let tracked = tracked();
    assert!(tracked.is_empty() || tracked.iter().any(|name| name == "Cargo.lock"), "Cargo.lock is not committed");
}

#[test]
fn no_file_names_a_machine() {
    // The paths are put together here, so that this file does not contain them.
    let folders = ["work", "home", "root", "Users", "tmp"].map(|name| format!("/{name}/"));
    let mut breaches = Vec::new();
    for (name, text) in texts() {
        for (at, line) in text.lines().enumerate() {
            if folders.iter().any(|folder| names_folder(line, folder)) {
                breaches.push(format!("{name}:{}: {}", at + 1, line.trim()));
            }
        }
    }
    none("paths of some machine:", &breaches);
}

/// Whether a line holds an absolute path into `folder`; the same word inside a relative path or an address is fine.
fn names_folder(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || "._-/}>".contains(c))
    })
}

#[test]
fn addresses_point_only_at_known_hosts() {
    let mut breaches = Vec::new();
    for (name, text) in texts() {
        for (at, line) in text.lines().enumerate() {
            if name == "Cargo.lock" && (line == LOCK_SOURCE || !line.contains("://")) {
                continue;
            }
            let hosts = line.split("://").skip(1).map(host);
            let unknown: Vec<&str> = hosts.filter(|host| !host.is_empty() && !KNOWN_HOSTS.contains(host)).collect();
            if !unknown.is_empty() {
                breaches.push(format!("{name}:{}: {}", at + 1, unknown.join(", ")));
            }
        }
    }
    none("addresses of other hosts:", &breaches);
}

fn host(address: &str) -> &str {
    address.split(|c: char| !(c.is_ascii_alphanumeric() || c == '.' || c == '-')).next().unwrap_or_default()
}

#[test]
fn readme_and_ci_run_the_same_tests() {
    const COMMAND: &str = "cargo test --workspace --locked";
    for name in ["README.md", ".ci/run"] {
        let text = fs::read_to_string(root().join(name)).unwrap();
        assert!(text.contains(COMMAND), "{name} does not say `{COMMAND}`");
    }
}

#[test]
fn the_quick_command_leaves_out_the_targets_that_are_called_long_and_no_others() {
    let config = fs::read_to_string(root().join(".cargo/config.toml")).unwrap();
    assert!(config.contains(r#""--test", "[!l]*""#), "{config}");
    let mut breaches = Vec::new();
    for folder in fs::read_dir(root().join("crates")).unwrap() {
        let Ok(targets) = fs::read_dir(folder.unwrap().path().join("tests")) else { continue };
        let names = targets.map(|target| target.unwrap().file_name().into_string().unwrap());
        breaches.extend(names.filter(|name| name.starts_with('l') && !name.starts_with("long_")));
    }
    none("test targets that `cargo quick` leaves out although they are not called long:", &breaches);
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut breaches = Vec::new();
    for (name, text) in texts().into_iter().filter(|(name, _)| name.ends_with(".md")) {
        let folder = root().join(&name).parent().unwrap().to_path_buf();
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let path = target.split('#').next().unwrap_or_default();
            if !path.is_empty() && !path.contains("://") && !folder.join(path).exists() {
                breaches.push(format!("{name}: {target}"));
            }
        }
    }
    none("links to files that do not exist:", &breaches);
}

#[test]
fn documents_for_contributors_name_files_and_what_is_in_them() {
    let mut breaches = Vec::new();
    for page in ["CONTRIBUTING.md", "ARCHITECTURE.md"] {
        let text = fs::read_to_string(root().join(page)).unwrap();
        let pieces = code_and_prose(&text);
        for (at, path) in pieces.iter().enumerate().filter(|(at, piece)| at % 2 == 1 && is_path(piece)) {
            // A path within a crate that the sentence names is the end of a file's path.
            let is_it = |source: &&Source| source.path == *path || source.path.ends_with(&format!("/{path}"));
            let files: Vec<&Source> = source::all().iter().filter(is_it).collect();
            if files.is_empty() && !root().join(path).exists() {
                breaches.push(format!("{page}: there is no {path}"));
            } else if let [.., name, between] = &pieces[..at]
                && between == " ("
                && !files.iter().any(|file| defines(&file.text, name.rsplit("::").next().unwrap()))
            {
                breaches.push(format!("{page}: {path} has no {name}"));
            }
        }
    }
    none("documents that name what is not there:", &breaches);
}

/// Whether a file defines a name.
fn defines(text: &str, name: &str) -> bool {
    ["fn", "struct", "enum", "trait", "const", "static", "type"].iter().any(|of| text.contains(&format!("{of} {name}")))
}

/// The prose of a page and its pieces of code in turn, all on one line. Blocks of code are left out.
fn code_and_prose(text: &str) -> Vec<String> {
    let text: Vec<&str> = text.split("```").step_by(2).flat_map(str::split_whitespace).collect();
    text.join(" ").split('`').map(str::to_owned).collect()
}

/// Whether a piece of code is the path of a file or folder of the repository, and no pattern or placeholder.
fn is_path(code: &str) -> bool {
    let has_form = code.contains('/') || [".rs", ".md"].iter().any(|ending| code.ends_with(ending));
    has_form && !code.contains([' ', '<', '*', '=', '{']) && !code.contains("RULE")
}

#[test]
fn paths_of_machines_are_told_from_relative_ones() {
    let folder = format!("/{}/", "work");
    assert!(names_folder(&format!("see {folder}main"), &folder));
    assert!(names_folder(&format!("\"{folder}main\""), &folder));
    assert!(!names_folder(&format!("..{folder}main"), &folder));
    assert_eq!(host("docs.example.org/x"), "docs.example.org");
}
