//! The built-in device: the profile that is used when none is named.
//!
//! [`profile`] never fails, because the text is part of the program and a test reads it.

use std::sync::LazyLock;

use crate::diagnostic::{Diagnostics, SourceFile, Styling};
use crate::model::Profile;
use crate::{native, yaml};

/// The name of the built-in profile in messages.
pub const NAME: &str = "built-in profile";

static PROFILE: LazyLock<Profile> = LazyLock::new(|| {
    let source = SourceFile::new(NAME, text());
    let mut diagnostics = Diagnostics::new();
    let profile = yaml::parse(&source, &mut diagnostics).and_then(|root| native::read_native(&root, &mut diagnostics));
    match profile {
        Some(profile) => profile,
        None => unreachable!("the built-in profile is wrong:\n{}", diagnostics.render(&source, Styling::Plain)),
    }
});

/// The text of the built-in profile: `profiles/reference.yaml`.
#[must_use]
pub const fn text() -> &'static str {
    include_str!("../../../profiles/reference.yaml")
}

/// A short profile with comments, to begin one's own with: one die, two planes, ten operations.
#[must_use]
pub const fn template() -> &'static str {
    include_str!("template.yaml")
}

/// The built-in profile.
#[must_use]
pub fn profile() -> Profile {
    PROFILE.clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_device_has_every_base_and_operation() {
        let profile = profile();
        assert_eq!(profile.bases.len(), 57);
        assert_eq!(profile.ops.len(), 294);
    }
}
