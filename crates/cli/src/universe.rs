//! What can be covered of a device, by what it can ever do.

use nandseq_profile::Profile;
use nandseq_reach::{Start, Verdict};
use nandseq_report::coverage::{CoverageUniverse, Standing};
use nandseq_report::page::KeyDistribution;

use crate::campaign::table::of_profile;
use crate::failure::warning_text;
use crate::tell;

/// What can be covered under a table; without one under the profile's own, or one that is built: the same names have a weight then.
pub(crate) fn universe(profile: &Profile, table: Option<&[KeyDistribution]>, start: Start<'_>) -> CoverageUniverse {
    let built;
    let table = if let Some(table) = table {
        table
    } else {
        built = of_profile(profile);
        &built
    };
    of_reach(profile, &nandseq_reach::Universe::with_start(profile, table, start))
}

/// What can be covered, by the verdicts on all pairs.
pub(crate) fn of_reach(profile: &Profile, reach: &nandseq_reach::Universe) -> CoverageUniverse {
    if !reach.is_complete() {
        let states = "the device has more states than can be searched";
        tell(&warning_text(&format!(
            "{states}: every operation that lacks nothing counts as one that can be proposed"
        )));
    }
    let universe =
        CoverageUniverse::new(profile, "what can be proposed and accepted", |key, op| match reach.verdict(key, op) {
            Verdict::Reachable | Verdict::Undecided => Standing::Counts,
            Verdict::Coincidence => Standing::Chance,
            Verdict::Unreachable(reason) => Standing::Never(reason.text(profile, key, op)),
        });
    universe.with_time_bins(profile, |key, op| reach.time_bins(key, op))
}
