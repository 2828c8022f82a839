//! The planned phases of an operation, from its start and the durations of the profile.

use nandseq_profile::model::PhaseKind;
use nandseq_profile::{Profile, Ticks};
use nandseq_trace::rows::TimelineRow;

/// The phases of an operation's first stretch that hold the bus: kind, start, end. Phases without length are left out. A phase
/// that was cut ends with the stretch.
pub(crate) fn on_bus(profile: &Profile, row: &TimelineRow) -> Vec<(PhaseKind, Ticks, Ticks)> {
    let op = &profile.ops[row.op];
    let phases = profile.bases[op.base].phases.iter().zip(&op.durations);
    let mut at = row.start;
    let mut held = Vec::new();
    for (phase, &length) in phases {
        let end = Ticks(at.0.saturating_add(length.0));
        let cut = if phase.kind == PhaseKind::Issue { end } else { end.min(row.end) };
        if phase.bus && cut > at {
            held.push((phase.kind, at, cut));
        }
        at = end;
    }
    held
}
