//! Writing.
use crate::model::Profile;
/// x
#[must_use]
pub fn write(_profile: &Profile) -> String {
    String::new()
}
