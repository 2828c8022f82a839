//! Diagnostics: the mistakes of a text that a user wrote, with their places and what to do about them.
//!
//! All mistakes of a text are collected and shown together, in the order of the text, each with file, line, column and the line
//! itself. Leaves out printing: the caller decides where the rendered text goes, and whether it is coloured.

mod aliases;
mod render;
mod source;
mod suggest;

pub use render::Styling;
pub use source::{MAX_SOURCE_BYTES, SourceFile};
pub use suggest::{counted, grouped, nearest, printable, quoted};

/// The severity of a diagnostic.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Severity {
    /// The text cannot be used.
    Error,
    /// The text can be used, but probably does not say what was meant.
    Warning,
    /// The text is right, but the user should know something about it.
    Note,
}

/// A part of a source text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
    /// The line of `start`, from 1.
    pub line: usize,
    /// The column of `start` in characters, from 1.
    pub column: usize,
}

/// A span with a text that is shown beside its line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Label {
    /// The span.
    pub span: Span,
    /// A few words, possibly none.
    pub text: String,
}

/// An error, warning or note about a text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diagnostic {
    /// The severity.
    pub severity: Severity,
    /// The kind of mistake, in kebab case (`unknown-key`).
    pub code: &'static str,
    /// The message: one sentence without a full stop.
    pub message: String,
    /// The place; `None` if the diagnostic is about the whole file.
    pub primary: Option<Label>,
    /// Other places that belong to the mistake.
    pub related: Vec<Label>,
    /// What the user can do.
    pub help: Option<String>,
    /// All that it is about by name, if the message may name the first few alone.
    pub names: Vec<String>,
}

impl Diagnostic {
    fn new(severity: Severity, code: &'static str, message: String) -> Self {
        Self { severity, code, message, primary: None, related: Vec::new(), help: None, names: Vec::new() }
    }

    /// An error about the whole file; see [`Diagnostic::at`].
    #[must_use]
    pub fn error(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, message.into())
    }

    /// A warning about the whole file; see [`Diagnostic::at`].
    #[must_use]
    pub fn warning(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, code, message.into())
    }

    /// A note about the whole file; see [`Diagnostic::at`].
    #[must_use]
    pub fn note(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Severity::Note, code, message.into())
    }

    /// Sets the place, with a text beside the line (may be empty).
    #[must_use]
    pub fn at(mut self, span: Span, text: impl Into<String>) -> Self {
        self.primary = Some(Label { span, text: text.into() });
        self
    }

    /// Adds another place that belongs to the mistake, with a text beside its line.
    #[must_use]
    pub fn also(mut self, span: Span, text: impl Into<String>) -> Self {
        self.related.push(Label { span, text: text.into() });
        self
    }

    /// Sets the help: what the user can do.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    /// Sets the names of all that it is about.
    #[must_use]
    pub fn naming(mut self, names: Vec<String>) -> Self {
        self.names = names;
        self
    }

    /// Sets the help to "did you mean …?" if there is a near name.
    #[must_use]
    pub fn suggest(self, near: Option<&str>) -> Self {
        match near {
            Some(near) => self.help(format!("did you mean `{near}`?")),
            None => self,
        }
    }
}

/// The largest number of diagnostics that are kept. Further ones are only counted.
pub const MAX_KEPT: usize = 1_000;

/// The diagnostics of one text.
///
/// The first [`MAX_KEPT`] are kept and the others counted, so memory is bounded for any text.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Diagnostics {
    kept: Vec<Diagnostic>,
    dropped_errors: usize,
    dropped_others: usize,
}

impl Diagnostics {
    /// No diagnostics.
    #[must_use]
    pub const fn new() -> Self {
        Self { kept: Vec::new(), dropped_errors: 0, dropped_others: 0 }
    }

    /// Adds a diagnostic.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        if self.kept.len() < MAX_KEPT {
            self.kept.push(diagnostic);
        } else if diagnostic.severity == Severity::Error {
            self.dropped_errors += 1;
        } else {
            self.dropped_others += 1;
        }
    }

    /// Adds all of another collection.
    pub fn append(&mut self, other: Self) {
        for diagnostic in other.kept {
            self.push(diagnostic);
        }
        self.dropped_errors += other.dropped_errors;
        self.dropped_others += other.dropped_others;
    }

    /// Whether further diagnostics are only counted. Suggestions need not be computed then.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.kept.len() >= MAX_KEPT
    }

    /// Whether there are no diagnostics.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// The number of diagnostics, including those that are only counted.
    #[must_use]
    pub fn len(&self) -> usize {
        self.kept.len() + self.dropped_errors + self.dropped_others
    }

    /// Whether there is an error, so that the text cannot be used.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.count(Severity::Error) > 0
    }

    /// The number of kept diagnostics of a severity. For errors, those that are only counted are included.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        let kept = self.kept.iter().filter(|diagnostic| diagnostic.severity == severity).count();
        if severity == Severity::Error { kept + self.dropped_errors } else { kept }
    }

    /// The kept diagnostics in the order in which they were found, or in the order of the text after [`Diagnostics::sort`].
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.kept.iter()
    }

    /// Sorts the kept diagnostics in the order of the text. Those about the whole file come first.
    pub fn sort(&mut self) {
        self.kept.sort_by_key(|diagnostic| diagnostic.primary.as_ref().map(|label| label.span.start));
    }

    /// Adds a text to the help of the last error, behind "; or".
    pub fn help_last_error(&mut self, text: &str) {
        if let Some(last) = self.kept.iter_mut().rfind(|one| one.severity == Severity::Error) {
            last.help = Some(last.help.take().map_or_else(|| text.to_owned(), |help| format!("{help}; or {text}")));
        }
    }

    /// Adds to the help of each diagnostic all names that it is about.
    pub fn name_all(&mut self) {
        for one in self.kept.iter_mut().filter(|one| !one.names.is_empty()) {
            let all = format!("all of them: {}", one.names.join(", "));
            one.help = Some(one.help.take().map_or_else(|| all.clone(), |help| format!("{help}; {all}")));
        }
    }

    /// Removes the diagnostics that are less severe than `least`.
    pub fn retain_at_least(&mut self, least: Severity) {
        self.kept.retain(|diagnostic| diagnostic.severity <= least);
        if least == Severity::Error {
            self.dropped_others = 0;
        }
    }

    /// A mark of the present number of diagnostics, for [`Diagnostics::errors_since`] and [`Diagnostics::demote_since`].
    #[must_use]
    pub fn mark(&self) -> Mark {
        Mark { kept: self.kept.len(), dropped_errors: self.dropped_errors }
    }

    /// Whether an error was added after the mark.
    #[must_use]
    pub fn errors_since(&self, mark: Mark) -> bool {
        self.dropped_errors > mark.dropped_errors
            || self.kept.iter().skip(mark.kept).any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Turns every error that was added after the mark into a warning.
    pub fn demote_since(&mut self, mark: Mark) {
        for diagnostic in self.kept.iter_mut().skip(mark.kept) {
            if diagnostic.severity == Severity::Error {
                diagnostic.severity = Severity::Warning;
            }
        }
        self.dropped_others += self.dropped_errors.saturating_sub(mark.dropped_errors);
        self.dropped_errors = self.dropped_errors.min(mark.dropped_errors);
    }

    /// Turns every error whose place starts within the bytes `start..end` into a warning. Returns whether there was one.
    pub fn demote_within(&mut self, start: usize, end: usize) -> bool {
        let mut found = false;
        for diagnostic in self.kept.iter_mut().filter(|diagnostic| diagnostic.severity == Severity::Error) {
            let place = diagnostic.primary.as_ref().map(|label| label.span.start);
            if place.is_some_and(|at| (start..end).contains(&at)) {
                diagnostic.severity = Severity::Warning;
                found = true;
            }
        }
        found
    }
}

/// A point in the sequence of diagnostics of one text.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    kept: usize,
    dropped_errors: usize,
}

#[cfg(test)]
mod tests;
