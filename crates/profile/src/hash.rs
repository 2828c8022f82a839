//! What identifies a profile: the hash of its canonical text, but for its name.
//!
//! A name is a label: that of a legacy file is what the file is called, and a file that is renamed describes the same device.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use crate::model::Profile;
use crate::native;

impl Profile {
    /// The SHA-256 of the profile as [`native::write`] prints it, with an empty name, in 64 lower-case hexadecimal digits.
    ///
    /// Profiles that are equal but for their names have equal hashes, however their files are written.
    #[must_use]
    pub fn hash(&self) -> String {
        self.hash_as("")
    }

    /// The hash with this name, as it was recorded when names still counted.
    #[must_use]
    pub fn hash_as(&self, name: &str) -> String {
        let digest = Sha256::digest(native::write_as(self, name).as_bytes());
        digest.iter().fold(String::with_capacity(64), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    /// Whether a recorded hash is that of this profile, with or without the name recorded beside it.
    #[must_use]
    pub fn has_hash(&self, recorded: &str, name: &str) -> bool {
        recorded == self.hash() || recorded == self.hash_as(name)
    }
}
