//! A profile that was read once, for several calls.

use std::path::{Path, PathBuf};

use nandseq_profile::Profile;
use nandseq_profile::model::Expectations;

use crate::failure::Refusal;
use crate::inputs::{self, ReadProfile};
use crate::placed_problem::{PlacedProblem, placed};
use crate::warnings;

/// A device profile.
#[derive(Clone, Debug)]
pub struct DeviceProfile {
    pub(super) read: ReadProfile,
    /// Its file; `None` for the built-in device.
    pub(super) path: Option<PathBuf>,
    pub(super) lenient: bool,
}

impl DeviceProfile {
    /// Reads a profile, native or legacy; without a path the built-in device. With `lenient`, operations that it describes wrongly are left
    /// out.
    ///
    /// # Errors
    /// When the file cannot be read, or has mistakes: each with its place.
    pub fn read(path: Option<&Path>, lenient: bool) -> Result<Self, Refusal> {
        let read = inputs::profile(path, lenient)?;
        Ok(Self { read, path: path.map(Path::to_path_buf), lenient })
    }

    /// The warnings and notes about it, in order of their places.
    #[must_use]
    pub fn check(&self) -> Vec<PlacedProblem> {
        let mut all = warnings::all(&self.read.remarks, &self.read.profile);
        all.sort();
        placed(&self.read.source, &all)
    }

    /// The profile.
    #[must_use]
    pub fn profile(&self) -> &Profile {
        &self.read.profile
    }

    /// The file that it was read from; `None` for the built-in device.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Whether operations that it describes wrongly were left out.
    #[must_use]
    pub const fn is_lenient(&self) -> bool {
        self.lenient
    }

    /// The text that it was read from.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.read.source.text
    }

    /// The digest of the resolved profile.
    pub(super) fn resolved_sha256(&self) -> &str {
        &self.read.input.resolved_sha256
    }

    /// The profile with payloads that say more.
    #[must_use]
    pub fn expecting(&self, expectations: Expectations) -> Profile {
        let mut profile = self.read.profile.clone();
        profile.expect(expectations);
        profile
    }
}
