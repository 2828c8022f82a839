//! Rendering diagnostics as text: the line, a caret below the place, and the help.
//!
//! The renderer gets only the lines that a diagnostic needs, so a thousand diagnostics of a long file stay cheap.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Element, Group, Level, Origin, Renderer, Snippet};

use super::source::floor_boundary;
use super::{Diagnostic, Diagnostics, Label, Severity, SourceFile, Span};

/// Whether the text has terminal colours.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Styling {
    /// No escape sequences: for files and pipes.
    Plain,
    /// ANSI colours.
    Coloured,
}

/// The largest number of diagnostics that are shown.
const MAX_SHOWN: usize = 200;
/// The longest line that is shown, in bytes. Of a longer line only the place is shown.
const MAX_LINE_BYTES: usize = 4_096;
/// The largest distance in lines at which a related place is shown with its line. Of others only the place is shown.
const MAX_LINES_APART: usize = 20_000;

impl Diagnostics {
    /// The text to show: every diagnostic with its lines, then a line with the counts.
    ///
    /// The text ends with a newline. It is empty if there are no diagnostics.
    #[must_use]
    pub fn render(&self, source: &SourceFile, styling: Styling) -> String {
        let renderer = match styling {
            Styling::Plain => Renderer::plain(),
            Styling::Coloured => Renderer::styled(),
        }
        .term_width(140);
        let mut out = String::new();
        for diagnostic in self.iter().take(MAX_SHOWN) {
            out.push_str(&one(&renderer, diagnostic, source));
            out.push_str("\n\n");
        }
        if let Some(summary) = summary(self, &source.name) {
            out.push_str(&summary);
            out.push('\n');
        }
        out
    }
}

/// The counts, as `2 errors, 1 warning in profile.yaml`, with the number of those that are not shown.
fn summary(diagnostics: &Diagnostics, name: &str) -> Option<String> {
    let mut parts: Vec<String> = Vec::new();
    for (severity, word) in [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Note, "note")] {
        match diagnostics.count(severity) {
            0 => {}
            1 => parts.push(format!("1 {word}")),
            count => parts.push(format!("{count} {word}s")),
        }
    }
    if parts.is_empty() {
        return None;
    }
    let hidden = diagnostics.len().saturating_sub(MAX_SHOWN);
    let hidden = if hidden > 0 { format!(" ({hidden} not shown)") } else { String::new() };
    Some(format!("{} in {name}{hidden}", parts.join(", ")))
}

fn one(renderer: &Renderer, diagnostic: &Diagnostic, source: &SourceFile) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let mut elements: Vec<Element<'_>> = Vec::new();
    match &diagnostic.primary {
        Some(primary) => place(diagnostic, primary, source, &mut elements),
        None => elements.push(Origin::path(source.name.as_str()).into()),
    }
    if let Some(help) = &diagnostic.help {
        elements.push(Level::HELP.message(help.as_str()).into());
    }
    let group: Group<'_> = level.primary_title(diagnostic.message.as_str()).id(diagnostic.code).elements(elements);
    renderer.render(&[group])
}

fn place<'a>(diagnostic: &'a Diagnostic, primary: &'a Label, source: &'a SourceFile, elements: &mut Vec<Element<'a>>) {
    let text = source.text.as_str();
    let mut shown: Vec<(&Label, AnnotationKind)> = vec![(primary, AnnotationKind::Primary)];
    let mut far: Vec<&Label> = Vec::new();
    for label in &diagnostic.related {
        if label.span.line.abs_diff(primary.span.line) <= MAX_LINES_APART {
            shown.push((label, AnnotationKind::Context));
        } else {
            far.push(label);
        }
    }
    let first = shown.iter().map(|(label, _)| line_of(text, label.span.start).start).min().unwrap_or(0);
    let last = shown.iter().map(|(label, _)| line_of(text, label.span.start).end).max().unwrap_or(0);
    let excerpt = text.get(first..last).unwrap_or_default();
    if shown.iter().any(|(label, _)| line_of(text, label.span.start).len() > MAX_LINE_BYTES) {
        far.extend(&diagnostic.related);
        elements.push(origin(source, primary.span).into());
    } else {
        let line_start = text.get(..first).unwrap_or_default().bytes().filter(|&byte| byte == b'\n').count() + 1;
        let annotations = shown.iter().map(|(label, kind)| {
            let range = within_line(text, label.span);
            let label = (!label.text.is_empty()).then_some(label.text.as_str());
            kind.span(range.start - first..range.end - first).label(label)
        });
        elements.push(
            Snippet::source(excerpt).line_start(line_start).path(source.name.as_str()).annotations(annotations).into(),
        );
    }
    for label in far {
        elements.push(Level::NOTE.message(format!("line {}: {}", label.span.line, label.text)).into());
    }
}

fn origin(source: &SourceFile, span: Span) -> Origin<'_> {
    Origin::path(source.name.as_str()).line(span.line).char_column(span.column)
}

/// The bytes of the line that contains `at`, without its line break.
fn line_of(text: &str, at: usize) -> Range<usize> {
    let at = floor_boundary(text, at);
    let start = text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |newline| newline + 1);
    let end = text.get(at..).and_then(|after| after.find('\n')).map_or(text.len(), |newline| at + newline);
    start..end
}

/// The part of a span on its first line, so that the carets are on one line.
fn within_line(text: &str, span: Span) -> Range<usize> {
    let line = line_of(text, span.start);
    let start = floor_boundary(text, span.start);
    let end = floor_boundary(text, span.end).clamp(start, line.end.max(start));
    start..end
}
