//! Tests of parsing YAML into nodes, and of reading them.

use super::*;
use crate::diagnostic::{Diagnostics, Severity, SourceFile, Styling};

fn read(text: &str) -> (Option<Node>, Diagnostics) {
    let mut diagnostics = Diagnostics::new();
    let node = parse(&SourceFile::new("t.yaml", text), &mut diagnostics);
    (node, diagnostics)
}

fn good(text: &str) -> Node {
    let (node, diagnostics) = read(text);
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    node.expect("a tree")
}

fn codes(diagnostics: &Diagnostics) -> Vec<(&'static str, usize, usize)> {
    let place = |diagnostic: &crate::Diagnostic| diagnostic.primary.as_ref().map(|label| label.span);
    diagnostics
        .iter()
        .map(|diagnostic| {
            let span = place(diagnostic).unwrap_or_default();
            (diagnostic.code, span.line, span.column)
        })
        .collect()
}

#[test]
fn nodes_know_their_place() {
    let tree = good("a: 1\nbé: [x, 'y']\nc:\n  d: {e: null}\n");
    let d = tree.get("c").and_then(|c| c.get("d")).expect("d");
    assert_eq!((d.span.line, d.span.column), (4, 6));
    let y = &tree.get("bé").and_then(Node::as_sequence).expect("list")[1];
    assert_eq!((y.as_str(), y.span.line, y.span.column), (Some("y"), 2, 9));
    assert!(d.get("e").expect("e").is_null());
}

#[test]
fn every_duplicate_key_is_reported_with_both_places() {
    let (tree, diagnostics) = read("a: 1\nb: {x: 1, x: 2}\na: 3\n'a': 4\n");
    assert_eq!(codes(&diagnostics), [("duplicate-key", 2, 11), ("duplicate-key", 3, 1), ("duplicate-key", 4, 1)]);
    let first = diagnostics.iter().nth(1).and_then(|d| d.related.first()).expect("the first place").span;
    assert_eq!((first.line, first.column), (1, 1));
    assert_eq!(tree.expect("a tree").get("a").and_then(Node::as_str), Some("1"));
}

#[test]
fn aliases_and_merge_keys_are_resolved() {
    let tree = good("base: &b {x: 1, y: 2}\nlist: [*b, *b]\nm:\n  <<: *b\n  y: 3\nn:\n  <<: [*b, {z: 4}]\n");
    let m = tree.get("m").expect("m");
    assert_eq!(m.get("x").and_then(Node::as_str), Some("1"));
    assert_eq!(m.get("y").and_then(Node::as_str), Some("3"));
    assert_eq!(tree.get("n").and_then(|n| n.get("z")).and_then(Node::as_str), Some("4"));
    let alias = &tree.get("list").and_then(Node::as_sequence).expect("list")[1];
    assert_eq!((alias.span.line, alias.span.column), (2, 12));
    assert_eq!(alias.get("x").and_then(Node::as_str), Some("1"));
}

#[test]
fn unknown_anchors_wrong_merges_and_tags_are_all_reported() {
    let (tree, diagnostics) = read("a: &busy 1\nb: *bussy\nc: {<<: 3}\nd: !weird 4\ne: {[1]: 2}\nf: &f [*f]\n");
    assert!(tree.is_some());
    let found: Vec<&str> = diagnostics.iter().map(|d| d.code).collect();
    assert_eq!(found, ["unknown-anchor", "merge-not-mapping", "unexpected-tag", "key-not-scalar", "recursive-alias"]);
    assert_eq!(diagnostics.iter().next().and_then(|d| d.help.as_deref()), Some("did you mean `*busy`?"));
}

#[test]
fn syntax_errors_have_a_place() {
    for text in ["a: [1, 2\nb: 3\n", "a: 1\n  b: 2\n", "a: 'x\n", "a: {b: 1\n", "%YAML 9.9\n---\na", "a: b: c"] {
        let (tree, diagnostics) = read(text);
        assert!(tree.is_none(), "{text:?}");
        assert_eq!(diagnostics.count(Severity::Error), 1, "{text:?}");
        let rendered = diagnostics.render(&SourceFile::new("t.yaml", text), Styling::Plain);
        assert!(rendered.contains("--> t.yaml:"), "{rendered}");
    }
}

#[test]
fn empty_and_foreign_texts_are_refused_clearly() {
    for text in ["", "\n\n", "# nothing\n", "---\n", "~", "\u{feff}"] {
        assert_eq!(codes(&read(text).1), [("empty-file", 0, 0)], "{text:?}");
    }
    assert_eq!(codes(&read("a\0b").1), [("not-text", 1, 2)]);
    assert_eq!(codes(&read("a: 1\n---\nb: 2\n").1), [("several-documents", 2, 1)]);
}

#[test]
fn line_endings_of_windows_and_a_byte_order_mark_are_fine() {
    let tree = good("\u{feff}a: 1\r\nb:\r\n  - c\r\n");
    assert_eq!(tree.get("a").and_then(Node::as_str), Some("1"));
    assert_eq!(tree.get("b").map(|b| b.span.line), Some(3));
}

#[test]
fn alias_bombs_and_deep_nesting_are_refused_quickly() {
    let mut bomb = String::from("l0: &l0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..20 {
        let below = format!("*l{}", level - 1);
        bomb.push_str(&format!("l{level}: &l{level} [{}]\n", vec![below; 10].join(", ")));
    }
    assert_eq!(codes(&read(&bomb).1).last().map(|c| c.0), Some("too-large"));
    let mut merges = String::from("m0: &m0 {a: 1}\n");
    for level in 1..100 {
        merges.push_str(&format!("m{level}: &m{level} {{<<: [*m{0}, *m{0}, *m{0}]}}\n", level - 1));
    }
    assert_eq!(codes(&read(&merges).1).last().map(|c| c.0), Some("too-large"));
    let mut tower = String::from("t0: &t0 [x]\n");
    for level in 1..100_000 {
        tower.push_str(&format!("t{level}: &t{level} [*t{}]\n", level - 1));
    }
    assert_eq!(codes(&read(&tower).1), [("too-deep", 64, 12)]);
    for open in ["[", "{a: ", "- ", "? "] {
        assert!(read(&open.repeat(100_000)).0.is_none());
    }
}

#[test]
fn getters_say_what_they_expected_and_go_on() {
    let tree = good("n: 3\nbig: 9999999999\nneg: -3\nf: 4.5\nt: 400.6036˝\nb: yes\nq: '12'\ns: \nl: []\nnan: .nan\n");
    let mut d = Diagnostics::new();
    let get = |key: &str| tree.get(key).expect("a key");
    assert_eq!(get("n").expect_u32("n", 1..=8, &mut d), Some(3));
    assert_eq!(get("q").expect_u32("q", 1..=80, &mut d), Some(12));
    assert_eq!(get("f").expect_f64("f", 0.0..=f64::MAX, &mut d), Some(4.5));
    assert_eq!(get("f").expect_time("f", &mut d), Some(crate::Ticks(4_500_000)));
    assert!(d.is_empty());
    assert_eq!(get("big").expect_u32("big", 1..=8, &mut d), None);
    assert_eq!(get("neg").expect_u32("neg", 1..=8, &mut d), None);
    assert_eq!(get("f").expect_u32("f", 1..=8, &mut d), None);
    assert_eq!(get("t").expect_time("t", &mut d), None);
    assert_eq!(get("b").expect_bool("b", &mut d), None);
    assert_eq!(get("s").expect_str("s", &mut d), None);
    assert_eq!(get("l").expect_mapping("l", &mut d).map(<[Entry]>::len), None);
    assert_eq!(get("n").expect_sequence("n", &mut d).map(<[Node]>::len), None);
    assert_eq!(get("nan").expect_f64("nan", 0.0..=1.0, &mut d), None);
    let found: Vec<&str> = d.iter().map(|d| d.code).collect();
    assert_eq!(
        found,
        [
            "out-of-range",
            "out-of-range",
            "wrong-type",
            "bad-time",
            "wrong-type",
            "wrong-type",
            "wrong-type",
            "wrong-type",
            "wrong-type"
        ]
    );
}

#[test]
fn fields_report_unknown_and_missing_keys() {
    let tree = good("planes: 4\nplains: 5\ndies:\nqwertz: 1\n");
    let mut d = Diagnostics::new();
    let mut fields = Fields::new(&tree, "topology", &mut d).expect("a mapping");
    assert!(fields.require("planes", &mut d).is_some());
    assert!(fields.require("dies", &mut d).is_none());
    assert!(fields.take("pages_per_block").is_none());
    fields.finish(&mut d);
    assert_eq!(codes(&d), [("missing-field", 3, 1), ("unknown-key", 2, 1), ("unknown-key", 4, 1)]);
    let helps: Vec<Option<&str>> = d.iter().map(|d| d.help.as_deref()).collect();
    assert_eq!(helps, [None, Some("did you mean `planes`?"), Some("it has: planes, dies, pages_per_block")]);
}

#[test]
fn what_is_no_yaml_is_said_in_our_words_where_it_stands() {
    for (text, place, part) in [
        ("a: b: c\n", (1, 5), "there is a second `:` in the value of a key"),
        ("a: \"x\" : 1\n", (1, 8), "there is a second `:`"),
        ("a: 1\n  b: 2\n", (2, 4), "this key stands where the line before it goes on"),
        ("a:1\nb: 2\n", (2, 2), "this key stands where the line before it goes on"),
        ("a: 1\n\tb: 2\n", (2, 1), "a tab stands where only spaces may"),
        ("a:\n  b: 1\n\t  c: 2\n", (3, 1), "a tab stands"),
        ("a:\n\t- b\n", (2, 1), "a tab stands"),
        ("a:\n  -\t- b\n", (2, 4), "a tab stands"),
        ("a: \"open\nb: 1\n", (2, 1), "a quote is not closed before this place"),
        ("a: 'x' y\n", (1, 8), "something follows the quote that closes a text"),
        ("a: \"\\q\"\n", (1, 4), "a text in double quotes has a `\\`"),
        ("a: [1, 2\nb: 3\n", (2, 2), "a bracket before it is perhaps not closed"),
        ("a: [1, 2\n", (1, 4), "the bracket `[` is never closed"),
        ("a: [1, 2}\n", (1, 4), "the bracket `[` is closed by `}`"),
        ("a: ]\n", (1, 4), "this bracket closes none"),
        ("a: {x: 1 y: 2}\n", (1, 11), "a `,` or `}` is missing"),
        ("a: [1,, 2]\n", (1, 7), "an entry within brackets is empty"),
        ("a: [- 1]\n", (1, 5), "a `- ` stands within brackets"),
        ("a: [1] 2\n", (1, 8), "something follows a value that has ended"),
        ("a:\n  b: 1\n c: 2\n", (3, 2), "this line is no key of the mapping before it"),
        ("a: 1\n- b\n", (2, 3), "a list item stands among the keys"),
        ("a:\n  - 1\n  b: 2\n", (3, 3), "this line stands in a list and does not begin with `- `"),
        ("a: - b\n", (1, 4), "a list item stands where no list can begin"),
        ("a: 1\nb\n", (2, 1), "this line is no `key: value`"),
        ("  a: 1\nb: 2\n", (2, 1), "this line follows what is a whole file already"),
        ("a: &\n", (1, 4), "there is no name behind `&` or `*`"),
        ("a: !<x\n", (1, 4), "a `!` begins a tag"),
        ("%YAML 2.0\n---\na: 1\n", (1, 1), "a `%` at the start of a line"),
        ("a: @x\n", (1, 4), "a text cannot begin with `@`"),
        ("a: \u{1}\n", (1, 4), "there is the control character U+0001"),
        ("a: \"x\"#y\n", (1, 7), "there is no space before `#`"),
        ("a: |x\n y\n", (1, 4), "`|` or `>` begins a block of text"),
    ] {
        let (node, diagnostics) = read(text);
        assert!(node.is_none(), "{text}");
        assert_eq!(codes(&diagnostics), [("yaml-syntax", place.0, place.1)], "{text}: {diagnostics:?}");
        let first = diagnostics.iter().next().expect("one");
        assert!(first.message.starts_with("this is not YAML: ") && first.message.contains(part), "{text}: {first:?}");
        assert!(first.help.is_some(), "{text}");
        // Words of the grammar, which the parser uses.
        for word in ["while", "expected", "scalar", "block mapping", "token", "flow", "indicator"] {
            assert!(!first.message.contains(word), "{text}: {first:?}");
        }
    }
}
