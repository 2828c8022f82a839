//! What identifies a profile: the hash of its canonical text.

use sha2::{Digest, Sha256};

use crate::model::Profile;
use crate::native;

impl Profile {
    /// The SHA-256 of the profile as [`native::write`] prints it, in 64 lower-case hexadecimal digits.
    ///
    /// Equal profiles have equal hashes, however their files are written.
    #[must_use]
    pub fn hash(&self) -> String {
        use std::fmt::Write as _;
        let digest = Sha256::digest(native::write(self).as_bytes());
        digest.iter().fold(String::with_capacity(64), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}
