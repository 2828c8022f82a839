//! A step that is to start in a phase of an earlier step's operation, and what that operation forbids then.
//!
//! The end of a phase belongs to a part that goes to the whole of it. The operation is over then, so nothing is said of such a part.

use nandseq_device::{BaseInfo, OpInfo, Reach, Rule};
use nandseq_plan::model::{AddressPart, ExpectedWord, StepTime, WHOLE};
use nandseq_profile::OpId;
use nandseq_profile::model::{AddressSource, Axis, PhaseKind, Scope};

use super::steps::{Obstacle, Steps, code, exclude_one_another, waits};

const LATER: &str = "let it start after that phase (`after: LABEL.end`), or elsewhere";

/// What keeps an operation from being a step in the phase in which the step is to start.
pub(crate) fn obstacle(steps: &Steps<'_>, step: usize, op: OpId) -> Option<Obstacle> {
    let StepTime::During { step: of, phase, at } = steps.step(step).when else { return None };
    let mut found = None;
    for &other in &steps.ops[of] {
        found = Some(in_phase(steps, (step, op), (of, other), phase, at)?);
    }
    found
}

fn in_phase(
    steps: &Steps<'_>,
    own: (usize, OpId),
    other: (usize, OpId),
    phase: PhaseKind,
    at: (u32, u32),
) -> Option<Obstacle> {
    let name = code(&steps.profile.ops[other.1].name);
    let Some((begin, end)) = steps.phase(other.1, phase) else {
        let because = format!("{} as {name} has no phase {}", steps.name(other.0), phase.name());
        return Some(Obstacle::new("window_passed", because, "name a phase that it has"));
    };
    if at.1 == WHOLE {
        let because = format!(
            "while {} is in {}, nothing that the step suspends is in CORE_BUSY",
            steps.name(other.0),
            phase.name()
        );
        return keeps_from_suspending(steps, own, other, phase)
            .then(|| Obstacle::by(Rule::SuspendTarget, because, LATER));
    }
    let length = u128::from(end - begin);
    let first = (u128::from(at.0) * length).div_ceil(WHOLE.into());
    if first * u128::from(WHOLE) >= u128::from(at.1) * length {
        let because = format!("no time lies in that part of {} of {name}", phase.name());
        return Some(Obstacle::new("window_passed", because, "widen `at`"));
    }
    let (rule, why) = forbidden(steps, own, other, phase)?;
    let because = format!("while {} is in {}, {why}", steps.name(other.0), phase.name());
    Some(Obstacle::by(rule, because, LATER))
}

/// The rule that forbids an operation strictly inside a phase of another.
fn forbidden(
    steps: &Steps<'_>,
    (step, op): (usize, OpId),
    (of, other): (usize, OpId),
    phase: PhaseKind,
) -> Option<(Rule, &'static str)> {
    let ((own, info), (other, of_other)) = (steps.op(op), steps.op(other));
    if phase == PhaseKind::Issue && steps.issues_on_bus(own) && steps.issues_on_bus(other) {
        let found = on_die(steps, (step, own, info), (of, other, of_other), phase);
        return found.or(Some((Rule::Bus, "it holds the bus")));
    }
    if let Some(rule) = info.effects.needs_nothing_in_flight
        && !phase.is_window()
        && of_other.occupies
    {
        return Some((rule, "something is in flight"));
    }
    on_die(steps, (step, own, info), (of, other, of_other), phase)
}

/// The rule about one die that forbids an operation strictly inside a phase of another.
fn on_die(
    steps: &Steps<'_>,
    (step, own, info): (usize, &OpInfo, &BaseInfo),
    (of, other, of_other): (usize, &OpInfo, &BaseInfo),
    phase: PhaseKind,
) -> Option<(Rule, &'static str)> {
    if !steps.share_die((step, info), (of, of_other)) {
        return None;
    }
    let share_plane = || steps.share_plane(step, of);
    if !phase.is_window() {
        if of_other.changes_block && is_array_operation(info) && steps.is_within(AddressPart::Block, step, of) {
            return Some((Rule::InFlight, "its block is in flight"));
        }
        if waits(info) && of_other.occupies {
            if info.reach != Reach::Planes || of_other.reach != Reach::Planes || share_plane() {
                return Some((Rule::PlaneBusy, "it occupies planes that the step needs"));
            }
            if exclude_one_another((own, info), (other, of_other)) {
                return Some((Rule::MultiPlaneExclusive, "it occupies planes of the die, and the two may not overlap"));
            }
        }
    }
    let key = match phase {
        PhaseKind::Issue => None,
        PhaseKind::CoreBusy => of_other.busy_key,
        PhaseKind::DataIn | PhaseKind::DataOut => of_other.window_key.filter(|_| shows_windows(steps)),
    };
    // Some plane shows the window to its end, but not each.
    let is_one = !phase.is_window() || of_other.reach == Reach::Planes && !other.multi;
    let looks = info.reach != Reach::Planes || is_one && (of_other.reach != Reach::Planes || share_plane());
    let forbids = key.is_some_and(|key| steps.tables.op_states_against(own.base).contains(key));
    if forbids && looks && of_other.becomes_op_state() {
        return Some((Rule::OpState, "the op_state of its planes excludes the step"));
    }
    if let Some(axis) = info.effects.suspend
        && !phase.is_window()
        && of_other.occupies
        && (phase == PhaseKind::Issue || !of_other.effects.is_of(axis))
        && occupies_planes(steps, axis)
    {
        return Some((Rule::SuspendTarget, "nothing that the step suspends is in CORE_BUSY"));
    }
    let is_ready = steps.step(step).expect == Some(ExpectedWord::Ready) && own.status_of.is_some();
    let is_busy = phase == PhaseKind::CoreBusy && of_other.becomes_op_state();
    (is_ready && is_busy).then_some((Rule::StatusValue, "its die is busy"))
}

/// Whether an operation is a SUSPEND that finds nothing to suspend in a phase of another, nor at the very end of the phase: whatever it could
/// suspend waits for the other operation, and is issued before it is in CORE_BUSY.
fn keeps_from_suspending(steps: &Steps<'_>, own: (usize, OpId), other: (usize, OpId), phase: PhaseKind) -> bool {
    let (info, (op, of_other)) = (steps.op(own.1).1, steps.op(other.1));
    let Some(axis) = info.effects.suspend else { return false };
    let waits = |(flying, of_flying): (&OpInfo, &BaseInfo)| {
        let is_of = of_flying.effects.is_of(axis);
        let concerns = is_of || of_flying.effects.resume == Some(axis);
        !concerns || exclude_one_another((flying, of_flying), (op, of_other)) && (flying.issue.0 > 0 || !is_of)
    };
    !phase.is_window()
        && !of_other.effects.is_of(axis)
        && of_other.effects.resume != Some(axis)
        && steps.share_die((own.0, info), (other.0, of_other))
        && steps.kinds().all(waits)
}

/// Whether `in_flight` judges an operation.
fn is_array_operation(info: &BaseInfo) -> bool {
    let is_drawn = matches!(info.address, AddressSource::AnyBlock | AddressSource::NextPage);
    let is_recovery = info.address == AddressSource::SuspendedProgram;
    info.has_block && !is_recovery && (info.changes_block || info.reads_page || is_drawn)
}

/// Whether all operations of an axis occupy planes, so that what else does so keeps them from CORE_BUSY.
fn occupies_planes(steps: &Steps<'_>, axis: Axis) -> bool {
    steps.kinds().all(|(_, info)| info.occupies || !info.effects.is_of(axis))
}

/// Whether a sequence shows all that cuts windows: each SUSPEND and RESUME works on a whole die by its scope too.
fn shows_windows(steps: &Steps<'_>) -> bool {
    steps.profile.bases.iter_ids().all(|(id, base)| {
        let effects = &steps.tables.base(id).effects;
        let moves_time = effects.suspend.is_some() || effects.resume.is_some();
        !moves_time || !base.affects_state || matches!(base.scope, Scope::Die | Scope::Target)
    })
}
