//! The times of all steps together: each is a distance from an earlier step, and together they may leave no time for a step.
//!
//! A RESET may end an operation at once, and a suspension may make it as long as anyone likes, so an end has a latest time only if nothing
//! suspends the operation. Steps that state times after the same moment are bound to one another nevertheless. Steps that exclude one another are apart by the time that the first one needs, or a SUSPEND or RESET
//! that cuts it.

use nandseq_device::{BaseInfo, OpInfo, Rule};
use nandseq_plan::model::{StepMoment, StepTime, WHOLE};
use nandseq_profile::OpId;
use nandseq_profile::model::{Axis, PhaseKind};

use super::steps::{Obstacle, Steps, exclude_one_another, waits};

/// The least distance of a time after another, in ticks, which may be below 0. Times are numbered: those of the steps, then [`Moments`].
struct Distance {
    from: usize,
    to: usize,
    least: i128,
}

/// The moments of earlier steps after which steps start.
struct Moments {
    /// The number of the first.
    first: usize,
    known: Vec<(usize, StepMoment)>,
}

impl Moments {
    /// The number of a moment of a step.
    fn number(&mut self, moment: (usize, StepMoment)) -> usize {
        let at = self.known.iter().position(|known| *known == moment).unwrap_or_else(|| {
            self.known.push(moment);
            self.known.len() - 1
        });
        self.first + at
    }
}

/// What leaves no time for a step after the steps before it.
pub(crate) fn obstacle(steps: &Steps<'_>, step: usize) -> Option<Obstacle> {
    let mut moments = Moments { first: step + 1, known: Vec::new() };
    let mut distances: Vec<Distance> = (1..=step).flat_map(|at| stated(steps, &mut moments, at)).collect();
    let count = step + 1 + moments.known.len();
    let help = "widen `at` or `within`, or change the order of the steps";
    if !leave_time(count, &distances) {
        let because = "the times that it and earlier steps state leave no time for it";
        return Some(Obstacle::new("window_passed", because, help));
    }
    distances.extend((1..=step).flat_map(|at| (0..at).filter_map(move |from| apart(steps, from, at))));
    let because = "at the times that the steps state, the planes of an earlier step are still occupied";
    (!leave_time(count, &distances)).then(|| Obstacle::by(Rule::PlaneBusy, because, help))
}

/// Whether there are so many times.
fn leave_time(count: usize, distances: &[Distance]) -> bool {
    let mut earliest = vec![0i128; count];
    for _ in 0..=count {
        let mut is_stable = true;
        for Distance { from, to, least } in distances {
            let time = earliest[*from] + least;
            if time > earliest[*to] {
                (earliest[*to], is_stable) = (time, false);
            }
        }
        if is_stable {
            return true;
        }
    }
    false
}

/// The distances that follow from when a step starts, and from the order of the steps.
fn stated(steps: &Steps<'_>, moments: &mut Moments, step: usize) -> Vec<Distance> {
    let mut distances = vec![Distance { from: step - 1, to: step, least: 0 }];
    let mut apart = |from: usize, to: usize, (least, most): (i128, Option<i128>)| {
        distances.push(Distance { from, to, least });
        distances.extend(most.map(|most| Distance { from: to, to: from, least: -most }));
    };
    match steps.step(step).when {
        StepTime::Next => {}
        StepTime::During { step: of, phase, at } => apart(of, step, during(steps, of, phase, at)),
        StepTime::After { step: of, moment, within: (least, most) } => {
            let at = moments.number((of, moment));
            apart(of, at, moment_of(steps, (of, step), moment));
            apart(at, step, (least.0.into(), most.map(|most| most.0.into())));
        }
    }
    distances
}

/// The least and the greatest of some times; nothing is known without any.
fn span(times: impl Iterator<Item = (i128, Option<i128>)>) -> (i128, Option<i128>) {
    let all: Vec<_> = times.collect();
    let most: Option<Vec<i128>> = all.iter().map(|(_, most)| *most).collect();
    (all.iter().map(|(least, _)| *least).min().unwrap_or(0), most.and_then(|all| all.into_iter().max()))
}

fn during(steps: &Steps<'_>, of: usize, phase: PhaseKind, at: (u32, u32)) -> (i128, Option<i128>) {
    span(steps.ops[of].iter().filter_map(|&op| {
        let (begin, end) = steps.phase(op, phase)?;
        let part = |at: u32| u128::from(at) * u128::from(end - begin);
        let (from, to) = (part(at.0).div_ceil(WHOLE.into()), part(at.1) / u128::from(WHOLE));
        let is_certain = phase == PhaseKind::Issue || !may_be_suspended(steps, op);
        Some((i128::from(begin) + from as i128, is_certain.then_some(i128::from(begin) + to as i128)))
    }))
}

/// When a moment of an operation comes at the earliest and at the latest, after its start.
fn moment_of(steps: &Steps<'_>, (of, to): (usize, usize), moment: StepMoment) -> (i128, Option<i128>) {
    let resets = |(_, info): (&OpInfo, &BaseInfo)| info.effects.resets();
    let may_be_reset = steps.any_between((of, to), false, resets);
    span(steps.ops[of].iter().filter_map(|&op| {
        let (begin, end, is_certain) = match moment {
            StepMoment::Start => return Some((0, Some(0))),
            StepMoment::End => (0, steps.op(op).0.occupied.0, false),
            StepMoment::PhaseEnd(kind) => {
                let (begin, end) = steps.phase(op, kind)?;
                (begin, end, kind == PhaseKind::Issue)
            }
        };
        let is_window = matches!(moment, StepMoment::PhaseEnd(kind) if kind.is_window());
        let earliest = if may_be_reset || is_window { begin } else { end };
        let is_certain = is_certain || !may_be_suspended(steps, op);
        Some((earliest.into(), is_certain.then_some(end.into())))
    }))
}

fn may_be_suspended(steps: &Steps<'_>, op: OpId) -> bool {
    let (_, info) = steps.op(op);
    // A SUSPEND looks at every plane of its die.
    let lets = |other: &OpInfo| {
        let shown = info.busy_key.filter(|_| info.becomes_op_state());
        shown.is_none_or(|key| !steps.tables.op_states_against(other.base).contains(key))
    };
    let suspends = |axis: Axis| steps.kinds().any(|(op, other)| other.effects.suspend == Some(axis) && lets(op));
    Axis::ALL.into_iter().any(|axis| info.effects.is_of(axis) && suspends(axis))
}

/// The distance of two steps whose operations cannot occupy their die at the same time.
fn apart(steps: &Steps<'_>, from: usize, to: usize) -> Option<Distance> {
    let exclude = |one: (&OpInfo, &BaseInfo)| {
        steps.kinds_of(to).all(|two| {
            let is_one_die = steps.share_die((to, two.1), (from, one.1));
            is_one_die && waits(two.1) && exclude_one_another(one, two)
        })
    };
    if !steps.kinds_of(from).all(exclude) {
        return None;
    }
    let is_step = (from + 1..to).any(|step| steps.of(step).any(|(_, info)| info.effects.cuts()));
    let all = steps.tables.ops().map(|(op, _)| steps.op(op));
    let of_cuts = all.filter(|op| op.1.effects.cuts() && (is_step || steps.may_come_between(*op, false)));
    let least = steps.of(from).chain(of_cuts).map(|(op, _)| op.occupied.0).min()?;
    Some(Distance { from, to, least: least.into() })
}
