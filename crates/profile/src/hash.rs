//! The hash that identifies a profile: the hash of its canonical text without its name.
//!
//! The name does not count, because a legacy profile has the name of its file, and a renamed file describes the same device.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use crate::model::{Expectations, Profile};
use crate::native;

impl Profile {
    /// The hash of the profile if no flag adds to its payloads.
    ///
    /// Profiles that differ only in their names have equal hashes, whatever the form of their files.
    #[must_use]
    pub fn hash(&self) -> String {
        self.hash_expecting(Expectations::default())
    }

    /// The hash of the profile if flags add `expectations` to its payloads: the SHA-256 of the text that [`native::write`] gives for the
    /// profile, as it is without them, with an empty name, as 64 lower-case hexadecimal digits. The levels that operations read count only if a payload has data:
    /// nothing else depends on them, and older versions did not know them.
    #[must_use]
    pub fn hash_expecting(&self, expectations: Expectations) -> String {
        self.digest("", expectations)
    }

    /// The hash of the text with this name. Older versions recorded it.
    #[must_use]
    pub fn hash_as(&self, name: &str) -> String {
        self.digest(name, Expectations::default())
    }

    fn digest(&self, name: &str, expectations: Expectations) -> String {
        let has_data = expectations.data || self.expects_data();
        let digest = Sha256::digest(native::write_as(self, name, has_data).as_bytes());
        digest.iter().fold(String::with_capacity(64), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    /// Whether a recorded hash is that of this profile with these expectations, without a name or with the name that was recorded beside it.
    #[must_use]
    pub fn has_hash(&self, recorded: &str, name: &str, expectations: Expectations) -> bool {
        recorded == self.hash_expecting(expectations) || recorded == self.hash_as(name)
    }
}
