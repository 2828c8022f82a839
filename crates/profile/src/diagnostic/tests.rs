//! Tests of collecting, suggesting and rendering diagnostics.

use super::*;

fn source() -> SourceFile {
    SourceFile::new("device.yaml", "topology:\n  plänes: 0\n  dies: 2\n")
}

#[test]
fn a_diagnostic_shows_file_line_column_and_the_line() {
    let source = source();
    let mut diagnostics = Diagnostics::new();
    let at = source.text.find('0').expect("a zero");
    diagnostics.push(
        Diagnostic::error("out-of-range", "`planes` must be 1 to 8").at(source.span(at, at + 1), "here").help("use 4"),
    );
    let text = diagnostics.render(&source, Styling::Plain);
    assert!(text.contains("error[out-of-range]: `planes` must be 1 to 8"), "{text}");
    assert!(text.contains("device.yaml:2:11"), "{text}");
    assert!(text.contains("  plänes: 0"), "{text}");
    assert!(text.contains("help: use 4"), "{text}");
    assert!(text.ends_with("1 error in device.yaml\n"), "{text}");
    assert!(diagnostics.render(&source, Styling::Coloured).contains("\u{1b}["));
}

#[test]
fn the_nearest_name_is_one_that_could_be_meant() {
    let names = ["planes", "pages_per_block", "CORE_BUSY", "dies"];
    assert_eq!(nearest("plane", names), Some("planes"));
    assert_eq!(nearest("core-busy", names), Some("CORE_BUSY"));
    assert_eq!(nearest("dei", ["dies", "die"]), Some("die"));
    assert_eq!(nearest("temperature", names), None);
    assert_eq!(nearest("", names), None);
    assert_eq!(nearest(&"x".repeat(5_000), names), None);
}

#[test]
fn diagnostics_come_in_the_order_of_the_text_and_are_bounded() {
    let source = source();
    let mut diagnostics = Diagnostics::new();
    diagnostics.push(Diagnostic::warning("b", "second").at(source.span(20, 21), ""));
    diagnostics.push(Diagnostic::note("a", "first").at(source.span(3, 4), ""));
    diagnostics.push(Diagnostic::note("c", "whole file"));
    diagnostics.sort();
    let codes: Vec<&str> = diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
    assert_eq!(codes, ["c", "a", "b"]);
    assert!(!diagnostics.has_errors());
    for _ in 0..2 * MAX_KEPT {
        diagnostics.push(Diagnostic::error("e", "again"));
    }
    assert_eq!(diagnostics.iter().count(), MAX_KEPT);
    assert_eq!(diagnostics.count(Severity::Error), 2 * MAX_KEPT);
    assert!(diagnostics.render(&source, Styling::Plain).contains("not shown"));
}

#[test]
fn errors_can_be_demoted_since_a_mark() {
    let mut diagnostics = Diagnostics::new();
    diagnostics.push(Diagnostic::error("a", "stays"));
    let mark = diagnostics.mark();
    assert!(!diagnostics.errors_since(mark));
    diagnostics.push(Diagnostic::error("b", "goes"));
    assert!(diagnostics.errors_since(mark));
    diagnostics.demote_since(mark);
    assert!(!diagnostics.errors_since(mark));
    assert_eq!(diagnostics.count(Severity::Error), 1);
    assert_eq!(diagnostics.count(Severity::Warning), 1);
}

#[test]
fn bytes_that_are_no_utf8_text_are_refused_with_their_place() {
    let (source, diagnostics) =
        SourceFile::from_bytes("x.yaml", b"\xef\xbb\xbfa: 1\nb: \xff\n".to_vec()).expect_err("not UTF-8");
    let text = diagnostics.render(&source, Styling::Plain);
    assert!(text.contains("x.yaml:2:4"), "{text}");
    assert!(text.contains("0xFF"), "{text}");
    assert!(SourceFile::from_bytes("x.yaml", vec![0xff, 0xfe, 0, 0]).is_err());
    assert!(SourceFile::from_bytes("x.yaml", vec![b' '; MAX_SOURCE_BYTES + 1]).is_err());
    let source = SourceFile::from_bytes("x.yaml", b"\xef\xbb\xbfa: 1\n".to_vec()).expect("a byte order mark is fine");
    assert_eq!(source.text, "a: 1\n");
}

#[test]
fn places_beyond_the_text_or_on_endless_lines_render_without_panic() {
    let source = SourceFile::new("long.yaml", "é".repeat(10_000));
    let mut diagnostics = Diagnostics::new();
    for (start, end) in [(0, 1), (1, 2), (19_999, 20_000), (50_000, 60_000), (5, 3)] {
        diagnostics.push(Diagnostic::error("x", "y").at(source.span(start, end), ""));
        diagnostics.push(
            Diagnostic::error("x", "y").at(Span { start, end, line: 1, column: 1 }, "").also(Span::default(), "z"),
        );
    }
    assert!(diagnostics.render(&source, Styling::Plain).contains("long.yaml:1"));
    let empty = SourceFile::new("empty.yaml", "");
    assert!(diagnostics.render(&empty, Styling::Plain).contains("empty.yaml"));
}

#[test]
fn counts_have_their_nouns_and_their_digits_in_threes() {
    for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (12_345_678, "12,345,678")] {
        assert_eq!(grouped(number), text);
    }
    assert_eq!([0, 1, 12_528].map(|count| counted(count, "cell")), ["0 cells", "1 cell", "12,528 cells"]);
}

#[test]
fn what_a_terminal_would_not_show_stands_byte_by_byte() {
    for (bytes, text) in [
        (&b"caf\xc3\xa9, a\\b"[..], "café, a\\b"),
        (b"a\tb\r\n\x1b[31m\x7f\0", "a\\x09b\\x0D\\x0A\\x1B[31m\\x7F\\x00"),
        (b"caf\xe9\xff", "caf\\xE9\\xFF"),
        ("\u{85}\u{9b}\u{2028}".as_bytes(), "\\xC2\\x85\\xC2\\x9B\\xE2\\x80\\xA8"),
        ("\u{202e}\u{2066}\u{200d}".as_bytes(), "\\xE2\\x80\\xAE\\xE2\\x81\\xA6\u{200d}"),
    ] {
        assert_eq!(printable(bytes), text);
    }
    assert_eq!(quoted("a\tb"), "`a\\x09b`");
    assert_eq!(quoted(&"\t".repeat(61)), format!("`{}…`", "\\x09".repeat(60)));
}
