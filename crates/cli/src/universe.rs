//! The bins that can be covered on a device, by what it can ever do.

use nandseq_profile::Profile;
use nandseq_reach::{Start, Verdict};
use nandseq_report::coverage::{CoverageUniverse, Standing};
use nandseq_report::page::KeyDistribution;

use crate::campaign::table::of_profile;
use crate::failure::warning_text;
use crate::tell;

/// The bins that can be covered under a table. Without one, the profile's own table or a built one is taken, which give the same
/// names a weight.
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

/// The bins that can be covered, by the verdicts on all pairs. Warns on stderr if not all states were searched.
pub(crate) fn of_reach(profile: &Profile, reach: &nandseq_reach::Universe) -> CoverageUniverse {
    if !reach.is_complete() {
        let states = "the device has more states than can be searched";
        tell(&warning_text(&format!("{states}: pairs that are not decided count as ones that can be proposed")));
    }
    let universe =
        CoverageUniverse::new(profile, "what can be proposed and accepted", |key, op| match reach.verdict(key, op) {
            Verdict::Reachable | Verdict::Undecided => Standing::Counts,
            Verdict::Coincidence => Standing::Chance,
            Verdict::Unreachable(reason) => Standing::Never(reason.text(profile, key, op)),
        });
    universe.with_time_bins(profile, |key, op| reach.time_bins(key, op))
}
