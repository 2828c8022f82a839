//! Forms of values that several flags share.

use std::ops::RangeInclusive;

use nandseq_trace::files::{FileKind, Outputs};

/// Reads whole numbers of a range, and says which they are.
pub(super) fn whole(range: RangeInclusive<u64>) -> impl Fn(&str) -> Result<u64, String> + Clone {
    move |text| {
        let number = text.parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| format!("not a whole number from {} to {}", range.start(), range.end()))
    }
}

/// Reads names of outputs.
pub(super) fn outputs(text: &str) -> Result<Outputs, String> {
    let known = || FileKind::ALL.map(FileKind::name);
    text.split(',')
        .map(|name| {
            let unknown = || {
                let near = nandseq_profile::diagnostic::nearest(name.trim(), known());
                let hint = near.map_or_else(|| known().join(", "), |near| format!("did you mean `{near}`?"));
                format!("there is no output `{}`: {hint}", name.trim())
            };
            FileKind::named(name.trim()).ok_or_else(unknown)
        })
        .collect()
}
