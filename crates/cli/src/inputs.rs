//! Reads the files that a user names: profiles, probability tables, bad blocks.
//!
//! An unusable file gives a [`Failure`] that shows what is wrong with it. The number of bytes that are read is bounded, whatever
//! the path leads to.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use nandseq_input::STANDARD_INPUT;
use nandseq_input::form::{self, Forms};
#[cfg(feature = "parquet")]
use nandseq_parquet::PARQUET;
use nandseq_plan::TestPlan;
use nandseq_profile::diagnostic::MAX_SOURCE_BYTES;
use nandseq_profile::model::Expectations;
use nandseq_profile::places::Places;
use nandseq_profile::{Diagnostics, Profile, ReadOptions, SourceFile, builtin};
#[cfg(not(feature = "parquet"))]
use nandseq_trace::file_form::FileForm;
use nandseq_trace::files::Digest;
use nandseq_trace::manifest::{Input, ProfileInput};
use nandseq_trace::recorded::{recorded, shown};

use crate::failure::{Failure, Problem, warning_text};

/// The source of the built-in device in manifests.
pub(crate) const BUILT_IN: &str = "built-in";

/// A profile, its text, its record for manifests, and the findings about it.
#[derive(Clone, Debug)]
pub(crate) struct ReadProfile {
    pub(crate) profile: Profile,
    /// The profile as its file states it, if something was added to its payloads.
    stated: Option<Box<Profile>>,
    /// What was added to its payloads.
    pub(crate) expectations: Expectations,
    pub(crate) source: SourceFile,
    pub(crate) input: ProfileInput,
    pub(crate) remarks: Diagnostics,
}

impl ReadProfile {
    /// The profile as its file states it.
    pub(crate) fn stated(&self) -> &Profile {
        self.stated.as_deref().unwrap_or(&self.profile)
    }

    /// Adds to its payloads.
    pub(crate) fn expect(&mut self, expectations: Expectations) {
        if expectations != Expectations::default() {
            let stated = self.stated.get_or_insert_with(|| Box::new(self.profile.clone()));
            self.profile.expect(expectations);
            self.expectations = self.expectations.and(expectations);
            self.input.resolved_sha256 = stated.hash_expecting(self.expectations);
        }
    }
}

/// Reads a file as text. `what` names the kind of file in messages.
pub(crate) fn text(what: &str, path: &Path) -> Result<(SourceFile, Digest), Failure> {
    if path == Path::new(STANDARD_INPUT) {
        let problem = Problem::new(format!("{what} is not read from standard input, which `-` stands for"));
        return Err(problem.help("name a file; a file that is called `-` is `./-`").into());
    }
    let bytes = up_to_one_more_than(MAX_SOURCE_BYTES as u64, path)
        .map_err(|reason| Problem::unreadable(what, path, &reason).about(path))?;
    let digest = Digest::of(&bytes);
    match SourceFile::from_bytes(shown(path), bytes) {
        Ok(source) => Ok((source, digest)),
        Err(faulty) => Err(Failure::Faulty(Box::new(faulty))),
    }
}

/// Greatest number of bytes that are read of a file that a program wrote.
const MAX_LARGE: u64 = 1 << 30;

/// The bytes of a file that a program wrote. Such files may be far larger than those that people write.
///
/// # Errors
/// When the file cannot be read, or is larger than [`MAX_LARGE`].
pub(crate) fn large(path: &Path) -> io::Result<Vec<u8>> {
    let bytes = up_to_one_more_than(MAX_LARGE, path)?;
    let too_large = || io::Error::new(io::ErrorKind::FileTooLarge, "it is larger than 1 GiB");
    if bytes.len() as u64 > MAX_LARGE { Err(too_large()) } else { Ok(bytes) }
}

/// The bytes of a file that the user named, which may be a pipe; at most one more than allowed.
fn up_to_one_more_than(allowed: u64, path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(allowed + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads a profile; without a path the built-in device.
pub(crate) fn profile(path: Option<&Path>, lenient: bool) -> Result<ReadProfile, Failure> {
    let (source, digest, place) = match path {
        Some(path) => {
            let (source, digest) = text("profile", path)?;
            let place = recorded(path);
            (source, digest, place)
        }
        None => {
            let text = builtin::text();
            (SourceFile::new(builtin::NAME, text), Digest::of(text.as_bytes()), BUILT_IN.to_owned())
        }
    };
    let (profile, remarks) = nandseq_profile::read(&source, ReadOptions { lenient });
    match profile {
        Some(profile) => {
            let (name, resolved) = (profile.name.clone(), profile.hash());
            let input = ProfileInput { name, source: place, sha256: digest, resolved_sha256: resolved };
            let expectations = Expectations::default();
            Ok(ReadProfile { profile, stated: None, expectations, source, input, remarks })
        }
        None => {
            let mut remarks = remarks;
            let is_usable = || nandseq_profile::read(&source, ReadOptions { lenient: true }).0.is_some();
            if !lenient && is_usable() {
                remarks.help_last_error("leave such operations out, with a warning for each, with --lenient");
            }
            Err(Failure::Faulty(Box::new((source, remarks))))
        }
    }
}

/// A test plan, its text, its record for manifests, and the findings about it.
pub(crate) struct ReadPlan {
    pub(crate) plan: TestPlan,
    pub(crate) source: SourceFile,
    pub(crate) input: Input,
    pub(crate) remarks: Diagnostics,
}

/// Reads a test plan for a profile with its text.
///
/// # Errors
/// If the plan cannot be read, or has a mistake.
pub(crate) fn plan(path: &Path, profile: &Profile, profile_text: &SourceFile) -> Result<ReadPlan, Failure> {
    let (source, sha256) = text("test plan", path)?;
    let classes = Places::new(profile_text, profile).classes();
    match nandseq_plan::read(&source, profile, &classes) {
        (Some(plan), remarks) => {
            Ok(ReadPlan { plan, source, input: Input { source: recorded(path), sha256 }, remarks })
        }
        (None, remarks) => Err(Failure::Faulty(Box::new((source, remarks)))),
    }
}

/// The warning about an optional file that is a link to nothing, or no regular file; empty for other paths.
pub(crate) fn left_out(path: &Path) -> String {
    let what = match (path.is_file(), path.exists(), path.is_symlink()) {
        (false, false, true) => "a link to nothing",
        (false, true, _) => "no regular file",
        (true, ..) | (false, false, false) => return String::new(),
    };
    warning_text(&format!("`{}` is {what}: it counts as absent", shown(path)))
}

/// The forms of tables that are found.
pub(crate) const FORMS: Forms = &[form::CSV, PARQUET];

#[cfg(not(feature = "parquet"))]
const PARQUET: form::Form = form::Form { table: FileForm::PARQUET, source: None };

/// Said of tables in a form that this build neither reads nor writes.
pub(crate) const NOT_BUILT: &str = "this program was built without Parquet";

#[cfg(test)]
mod tests {
    use clap::ValueEnum;
    use nandseq_trace::file_form::FileForm;

    use super::FORMS;
    use crate::arguments::Format;

    #[test]
    fn every_form_is_written_and_found() {
        let written = Format::value_variants().iter().map(|format| format.form());
        assert_eq!(written.collect::<Vec<_>>(), FileForm::ALL);
        assert_eq!(FORMS.iter().map(|form| form.table).collect::<Vec<_>>(), FileForm::ALL);
    }
}
