//! The warnings about a profile that a command uses, one line each.
//!
//! `profile check` shows all of them with their lines. Other commands show the first few, and how to see the rest.

use nandseq_profile::{Diagnostic, Diagnostics, Profile, Severity, SourceFile};
use nandseq_trace::recorded::path_of;

use crate::failure::{note_text, warning_about, warning_text};
use crate::hint::{self, Hint};
use crate::inputs::{BUILT_IN, ReadProfile};

/// Number of warnings that are shown.
const SHOWN: usize = 5;

/// All findings about a profile that was read: those of the reader, and those about entries that cannot be meant.
pub(crate) fn all(remarks: &Diagnostics, profile: &Profile) -> Diagnostics {
    let mut all = remarks.clone();
    all.append(nandseq_profile::check::check(profile));
    all
}

/// The warnings about a profile that is used, one line each. `check` is the command that shows all. The built-in device has none,
/// because its users cannot change it.
pub(crate) fn of_profile(read: &ReadProfile, check: &Hint) -> String {
    if read.input.source == BUILT_IN {
        return String::new();
    }
    let mut text = String::new();
    if hint::is_pipe(&path_of(&read.input.source)) {
        let about = "the profile was read from a pipe, which cannot be read again: save it in a file, which commands that are \
                     shown here call";
        text.push_str(&note_text(&format!("{about} {}", hint::PROFILE)));
    }
    let all = all(&read.remarks, &read.profile);
    let warnings: Vec<&Diagnostic> = all.iter().filter(|diagnostic| diagnostic.severity == Severity::Warning).collect();
    text.extend(
        warnings.iter().take(SHOWN).map(|warning| warning_about(&read.source, warning, &line(warning, &read.source))),
    );
    if warnings.len() > SHOWN {
        let more = warnings.len() - SHOWN;
        text.push_str(&warning_text(&format!(
            "{more} more about {}: `{check}` shows them, and what a search of all states finds",
            read.source.name
        )));
    }
    text
}

/// `device.yaml:12:3: what is wrong`
fn line(warning: &Diagnostic, source: &SourceFile) -> String {
    match &warning.primary {
        Some(label) => format!("{}:{}:{}: {}", source.name, label.span.line, label.span.column, warning.message),
        None => format!("{}: {}", source.name, warning.message),
    }
}
