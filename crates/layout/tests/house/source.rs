//! Reads the Rust files of the workspace, once for all tests: text, tokens, and which lines are unit tests. Syntax is parsed on
//! demand.

use std::fs;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use proc_macro2::{TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

/// The folder of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_path_buf()
}

/// A Rust file.
pub(crate) struct Source {
    /// Relative to the workspace, with `/` between parts.
    pub(crate) path: String,
    pub(crate) text: String,
    /// Every piece with its line; the insides of macros are included.
    pub(crate) pieces: Vec<(usize, Piece)>,
    /// Lines of `#[cfg(test)]` items.
    test_lines: Vec<RangeInclusive<usize>>,
}

/// A piece of a file that rules look at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Piece {
    /// A word, keyword or not.
    Word(String),
    /// The value of a string, byte string or C string.
    Text(String),
    /// Punctuation, and the brackets around groups.
    Mark(char),
}

impl Source {
    fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap();
        Self::parse(path.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/"), text)
    }

    /// A file of this text, at a path relative to the workspace.
    pub(crate) fn parse(path: String, text: String) -> Self {
        let tokens: TokenStream = text.parse().unwrap_or_else(|error| panic!("{path}: {error}"));
        let mut pieces = Vec::new();
        flatten(tokens.clone(), &mut pieces);
        let mut finder = TestLines(Vec::new());
        finder.visit_file(&syn::parse2(tokens).unwrap_or_else(|error| panic!("{path}: {error}")));
        Self { path, text, pieces, test_lines: finder.0 }
    }

    /// Its syntax, parsed anew each time: it cannot be shared between threads.
    pub(crate) fn syntax(&self) -> syn::File {
        syn::parse_file(&self.text).unwrap()
    }

    /// The folder of its crate, such as `trace`.
    pub(crate) fn crate_name(&self) -> &str {
        self.path.split('/').nth(1).unwrap()
    }

    /// Whether it is shipped: it lies under `src` and is no file of unit tests.
    pub(crate) fn is_shipped(&self) -> bool {
        let mut parts = self.path.split('/').skip(2);
        parts.next() == Some("src") && !self.path.ends_with("/tests.rs") && !parts.any(|part| part == "tests")
    }

    /// Whether a line belongs to unit tests.
    pub(crate) fn is_test_line(&self, line: usize) -> bool {
        self.test_lines.iter().any(|range| range.contains(&line))
    }

    /// The number of lines that are not unit tests.
    pub(crate) fn shipped_lines(&self) -> usize {
        (1..=self.text.lines().count()).filter(|&line| !self.is_test_line(line)).count()
    }
}

/// All Rust files of the workspace's crates, sorted by path.
pub(crate) fn all() -> &'static [Source] {
    static ALL: LazyLock<Vec<Source>> = LazyLock::new(|| {
        let mut paths = Vec::new();
        for folder in fs::read_dir(root().join("crates")).unwrap() {
            for part in ["src", "tests", "benches", "examples"] {
                collect(&folder.as_ref().unwrap().path().join(part), &mut paths);
            }
        }
        paths.sort();
        assert!(paths.len() > 10, "the workspace's files were not found");
        paths.iter().map(|path| Source::read(path)).collect()
    });
    &ALL
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            collect(&path, paths);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            paths.push(path);
        }
    }
}

fn flatten(tokens: TokenStream, pieces: &mut Vec<(usize, Piece)>) {
    for token in tokens {
        let line = token.span().start().line;
        match token {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    proc_macro2::Delimiter::Parenthesis => ('(', ')'),
                    proc_macro2::Delimiter::Brace => ('{', '}'),
                    proc_macro2::Delimiter::Bracket => ('[', ']'),
                    proc_macro2::Delimiter::None => (' ', ' '),
                };
                pieces.push((line, Piece::Mark(open)));
                flatten(group.stream(), pieces);
                pieces.push((group.span_close().start().line, Piece::Mark(close)));
            }
            TokenTree::Ident(word) => pieces.push((line, Piece::Word(word.to_string()))),
            TokenTree::Punct(mark) => pieces.push((line, Piece::Mark(mark.as_char()))),
            TokenTree::Literal(literal) => pieces.extend(text_of(&literal).map(|text| (line, Piece::Text(text)))),
        }
    }
}

/// The value of a literal that is a kind of string.
fn text_of(literal: &proc_macro2::Literal) -> Option<String> {
    let shown = literal.to_string();
    if let Ok(string) = syn::parse_str::<syn::LitStr>(&shown) {
        return Some(string.value());
    }
    let bytes = syn::parse_str::<syn::LitByteStr>(&shown).ok()?;
    Some(String::from_utf8_lossy(&bytes.value()).into_owned())
}

/// Whether an item is compiled for tests only.
pub(crate) fn is_for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let condition = attribute.meta.require_list().ok().filter(|list| list.path.is_ident("cfg"));
        condition.is_some_and(|list| list.tokens.to_string() == "test")
    })
}

struct TestLines(Vec<RangeInclusive<usize>>);

impl TestLines {
    fn add(&mut self, attributes: &[syn::Attribute], item: &impl Spanned) -> bool {
        let is_test = is_for_tests(attributes);
        if is_test {
            self.0.push(item.span().start().line..=item.span().end().line);
        }
        is_test
    }
}

impl<'a> Visit<'a> for TestLines {
    fn visit_item_mod(&mut self, item: &'a syn::ItemMod) {
        if !self.add(&item.attrs, item) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_fn(&mut self, item: &'a syn::ItemFn) {
        if !self.add(&item.attrs, item) {
            visit::visit_item_fn(self, item);
        }
    }

    fn visit_item_impl(&mut self, item: &'a syn::ItemImpl) {
        if !self.add(&item.attrs, item) {
            visit::visit_item_impl(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'a syn::ImplItemFn) {
        if !self.add(&item.attrs, item) {
            visit::visit_impl_item_fn(self, item);
        }
    }
}

#[test]
fn unit_tests_and_strings_inside_macros_are_recognised() {
    let text = "fn a() { assert!(x == \"READ\"); }\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\nfn c() {}\n";
    let source = Source::parse("crates/a/src/b.rs".into(), text.into());
    assert_eq!(source.shipped_lines(), 2);
    assert!(source.pieces.contains(&(1, Piece::Text("READ".into()))));
    assert_eq!(source.crate_name(), "a");
    assert!(source.is_shipped());
}
