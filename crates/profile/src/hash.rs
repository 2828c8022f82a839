//! The hash that identifies a profile: the hash of its canonical text without its name.
//!
//! The name does not count, because a legacy profile has the name of its file, and a renamed file describes the same device.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use crate::model::Profile;
use crate::native;

impl Profile {
    /// The SHA-256 of the text that [`native::write`] gives for the profile with an empty name, as 64 lower-case hexadecimal
    /// digits. The levels that operations read count only if a payload has data: nothing else depends on them, and older versions
    /// did not know them.
    ///
    /// Profiles that differ only in their names have equal hashes, whatever the form of their files.
    #[must_use]
    pub fn hash(&self) -> String {
        self.hash_as("")
    }

    /// The hash of the text with this name. Older versions recorded it.
    #[must_use]
    pub fn hash_as(&self, name: &str) -> String {
        let digest = Sha256::digest(native::write_as(self, name, self.expects_data()).as_bytes());
        digest.iter().fold(String::with_capacity(64), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    /// Whether a recorded hash is that of this profile, without a name or with the name that was recorded beside it.
    #[must_use]
    pub fn has_hash(&self, recorded: &str, name: &str) -> bool {
        recorded == self.hash() || recorded == self.hash_as(name)
    }
}
