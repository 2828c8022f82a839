//! The files of a crate import one another in one direction, so that each can be read after the files that it needs.

use std::collections::BTreeSet;

use crate::imports::Crate;
use crate::none;
use crate::source::{self, Source};

/// Circles that are allowed for now: the crate, and the beginnings of the names of files that may import each other.
const KNOWN: [(&str, &[&str]); 3] = [
    ("device", &["book/"]),
    ("device", &["device.rs", "device/"]),
    ("device", &["footprint.rs", "place.rs", "tables.rs"]),
];

#[test]
fn files_of_a_crate_import_one_another_in_one_direction() {
    let sources: Vec<&Source> = source::all().iter().filter(|source| source.is_shipped()).collect();
    let crate_names: BTreeSet<&str> = sources.iter().map(|source| source.crate_name()).collect();
    let (mut breaches, mut met) = (Vec::new(), BTreeSet::new());
    for crate_name in crate_names {
        let files = Crate::new(sources.iter().copied().filter(|source| source.crate_name() == crate_name));
        let short = |path: &str| path.split_once("/src/").map_or(path, |(_, short)| short).to_owned();
        for group in circles(&files.imports()) {
            let names: Vec<String> = group.iter().map(|&at| short(files.paths()[at])).collect();
            let covers = |(of, known): &(&str, &[&str])| {
                let is_known = |name: &String| known.iter().any(|part| name.starts_with(part));
                *of == crate_name && names.iter().all(is_known)
            };
            match KNOWN.iter().rposition(covers) {
                Some(at) => _ = met.insert(at),
                None => {
                    let shown = round(&files.imports(), &group, &names);
                    breaches.push(format!("{crate_name}, {} files: {shown}", names.len()));
                }
            }
        }
    }
    none("files that import one another in a circle:", &breaches);
    let gone = (0..KNOWN.len()).filter(|at| !met.contains(at)).map(|at| format!("{}: {:?}", KNOWN[at].0, KNOWN[at].1));
    none("known circles that are gone, and can go from the list:", &gone.collect::<Vec<_>>());
}

/// The groups of files in which each file imports from every other, directly or through others.
fn circles(imports: &[BTreeSet<usize>]) -> Vec<Vec<usize>> {
    let reached: Vec<BTreeSet<usize>> = (0..imports.len()).map(|at| reached(imports, at)).collect();
    let mut groups: Vec<Vec<usize>> = (0..imports.len())
        .map(|at| {
            (0..imports.len()).filter(|&other| reached[at].contains(&other) && reached[other].contains(&at)).collect()
        })
        .filter(|group: &Vec<usize>| !group.is_empty())
        .collect();
    groups.sort();
    groups.dedup();
    groups
}

/// The files that a file imports from, directly or through others.
fn reached(imports: &[BTreeSet<usize>], from: usize) -> BTreeSet<usize> {
    let (mut found, mut left) = (BTreeSet::new(), vec![from]);
    while let Some(at) = left.pop() {
        left.extend(imports[at].iter().copied().filter(|&next| found.insert(next)));
    }
    found
}

/// The shortest way from the first file of a circle back to it, and the files that are not on it.
fn round(imports: &[BTreeSet<usize>], group: &[usize], names: &[String]) -> String {
    let name = |at: usize| group.iter().position(|&of| of == at).map_or("", |place| &names[place]);
    let mut ways = vec![vec![group[0]]];
    let mut seen = BTreeSet::new();
    let way = loop {
        let next = ways.iter().flat_map(|way| imports[way[way.len() - 1]].iter().map(move |&to| (way, to)));
        let next: Vec<(&Vec<usize>, usize)> = next.filter(|(_, to)| group.contains(to) && seen.insert(*to)).collect();
        if let Some((way, _)) = next.iter().find(|&&(_, to)| to == group[0]) {
            break (*way).clone();
        }
        ways = next.into_iter().map(|(way, to)| [&way[..], &[to]].concat()).collect();
    };
    let mut shown = way.iter().map(|&at| name(at)).collect::<Vec<_>>().join(" → ");
    shown += &format!(" → {}", name(group[0]));
    let others: Vec<&str> = group.iter().filter(|at| !way.contains(at)).map(|&at| name(at)).collect();
    if others.is_empty() { shown } else { format!("{shown}; also {}", others.join(", ")) }
}

/// The circles of a crate that has these files (name and text), as text.
fn circles_of(files: &[(&str, &str)]) -> Vec<String> {
    let parse = |&(name, text): &(&str, &str)| Source::parse(format!("crates/a/src/{name}"), text.into());
    let sources: Vec<Source> = [("lib.rs", "")].iter().chain(files).map(parse).collect();
    let files = Crate::new(&sources);
    let name = |&at: &usize| files.paths()[at].trim_start_matches("crates/a/src/").to_owned();
    let found = circles(&files.imports());
    found.iter().map(|group| round(&files.imports(), group, &group.iter().map(name).collect::<Vec<_>>())).collect()
}

#[test]
fn a_child_that_needs_what_its_parent_defines_while_that_uses_the_child_is_a_circle() {
    let child = "use super::Thing;\npub(crate) fn child(_: Thing) {}";
    let uses = "mod b;\npub(crate) struct Thing;\nfn all() { b::child(Thing); }";
    assert_eq!(circles_of(&[("a.rs", uses), ("a/b.rs", child)]), ["a.rs → a/b.rs → a.rs"]);
    let tells = "mod b;\npub(crate) use b::child;\npub(crate) struct Thing;";
    assert_eq!(circles_of(&[("a.rs", tells), ("a/b.rs", child)]), [] as [&str; 0]);
    let in_tests =
        "mod b;\npub(crate) struct Thing;\n#[cfg(test)]\nmod tests { fn all() { super::b::child(super::Thing); } }";
    assert_eq!(circles_of(&[("a.rs", in_tests), ("a/b.rs", child)]), [] as [&str; 0]);
}

#[test]
fn a_path_counts_for_the_file_that_defines_what_it_names() {
    let root = "mod a;\nmod b;\nmod c;\npub use b::B;";
    let files = [("main.rs", root), ("a.rs", "use crate::B;"), ("b.rs", "pub struct B(crate::c::C);")];
    assert_eq!(circles_of(&[&files[..], &[("c.rs", "pub struct C;")]].concat()), [] as [&str; 0]);
    let macros = "pub struct C;\nfn c() { assert!(crate::a::A == 0); }";
    assert_eq!(circles_of(&[&files[..], &[("c.rs", macros)]].concat()), ["a.rs → b.rs → c.rs → a.rs"]);
}

#[test]
fn methods_that_another_file_gives_to_a_type_are_imported_by_the_file_that_calls_them() {
    let gives = "use crate::a::A;\nimpl A { pub(crate) fn help(&self) {} }";
    let calls = "pub(crate) struct A;\nfn all(a: &A) { a.help(); }";
    assert_eq!(circles_of(&[("a.rs", calls), ("b.rs", gives)]), ["a.rs → b.rs → a.rs"]);
    assert_eq!(circles_of(&[("a.rs", "pub(crate) struct A;"), ("b.rs", gives)]), [] as [&str; 0]);
}
