//! Coverage models from what is reachable.

use nandseq_generate::closure::CoverageModel;
use nandseq_generate::probability::Distributions;
use nandseq_profile::input_time::{Bin, TIME_BINS, has_length};
use nandseq_profile::{IdVec, PhaseKey, Profile};
use nandseq_reach::{Universe, Verdict};

/// What counts under a table.
pub(crate) fn coverage_model(profile: &Profile, table: &Distributions, directed: bool) -> CoverageModel {
    let universe = Universe::new(profile, table);
    let time_bins: IdVec<PhaseKey, u8> =
        profile.phase_keys.ids().map(|key| if has_length(profile, key) { TIME_BINS } else { 1 }).collect();
    let reachable = universe.pairs().filter(|(.., verdict)| *verdict == Verdict::Reachable);
    let bins = reachable.flat_map(|(key, op, _)| {
        let set = universe.time_bins(key, op);
        (0..time_bins[key]).filter(move |time_bin| set >> time_bin & 1 == 1).map(move |time_bin| Bin {
            key,
            op,
            time_bin,
        })
    });
    CoverageModel::new(profile, bins, |key| time_bins[key], directed)
}
