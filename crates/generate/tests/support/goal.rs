//! Coverage models of the reachable bins.

use nandseq_generate::closure::{Cell, Goal};
use nandseq_generate::probability::Distributions;
use nandseq_profile::{IdVec, PhaseKey, Profile, Ticks};
use nandseq_reach::{Universe, Verdict};

/// What counts under a table.
pub(crate) fn goal(profile: &Profile, table: &Distributions, directed: bool) -> Goal {
    let universe = Universe::new(profile, table);
    let tenths: IdVec<PhaseKey, u8> =
        profile.phase_keys.ids().map(|key| if has_length(profile, key) { 10 } else { 1 }).collect();
    let reachable = universe.pairs().filter(|(.., verdict)| *verdict == Verdict::Reachable);
    let cells = reachable.flat_map(|(key, op, _)| {
        let set = universe.tenths(key, op);
        (0..tenths[key]).filter(move |bin| set >> bin & 1 == 1).map(move |bin| Cell { key, op, bin })
    });
    Goal::new(profile, cells, |key| tenths[key], directed)
}

/// Whether any operation is in the key's phase for a time.
fn has_length(profile: &Profile, key: PhaseKey) -> bool {
    let info = &profile.phase_keys[key];
    let (Some(base), Some(phase)) = (info.base, info.phase) else { return false };
    let Some(at) = profile.bases[base].phases.iter().position(|one| one.kind == phase) else { return false };
    profile.ops.iter().any(|op| op.base == base && op.durations.get(at).is_some_and(|&length| length > Ticks::ZERO))
}
