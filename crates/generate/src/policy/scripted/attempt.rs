//! An attempt: an instance of a scenario that is under way, with the operations so far and the time of the next step.

use nandseq_device::{Flight, Place, Reach, SeenStatus, Tables};
use nandseq_plan::model::{ExpectedWord, StepMoment, StepTime, WHOLE};
use nandseq_profile::model::PhaseKind;
use nandseq_profile::{Die, OpId, Plane, PlaneSet, Ticks};

use super::conditions::PlaceConditions;
use crate::kernel::{Event, Queue, Step};
use crate::reporting::RefusalReason;
use crate::setup::{CompiledScenario, is_wanted};

/// How often the next step is tried in vain on idle dies, and how many operations prepare it, while an attempt keeps its dies for itself.
const MOST_TRIES_KEPT: u32 = 8;
const MOST_PREPARED_KEPT: u32 = 64;

/// The operation of a step that has started, with its phases as they are now.
#[derive(Clone, Copy, Debug)]
pub(super) struct DoneStep {
    pub(super) uid: u64,
    op: OpId,
    pub(super) place: Place,
    start: Ticks,
    /// Its CORE_BUSY, or what is left of it after a suspension; where its occupation ends.
    busy: (Ticks, Ticks),
    /// When its last phase ends.
    window_end: Ticks,
    /// Whether its phases stand still.
    is_suspended: bool,
    /// When a reset ended it.
    reset: Option<Ticks>,
    /// The planes that still show its window, and when others had taken the last of them.
    window_planes: PlaneSet,
    window_cut: Option<Ticks>,
}

impl DoneStep {
    fn new(tables: &Tables, step: Step, uid: u64, now: Ticks) -> Self {
        let op = tables.op(step.op);
        Self {
            uid,
            op: step.op,
            place: step.place,
            start: now,
            busy: (now + op.issue, now + op.occupied),
            window_end: now + op.total,
            is_suspended: false,
            reset: None,
            window_planes: planes_of(tables, step),
            window_cut: None,
        }
    }

    /// The operation.
    pub(super) const fn op(&self) -> OpId {
        self.op
    }

    /// It was suspended.
    pub(super) const fn suspended(&mut self) {
        self.is_suspended = true;
    }

    /// It goes on after a suspension.
    pub(super) const fn resumed(&mut self, flight: &Flight) {
        (self.busy, self.window_end, self.is_suspended) = ((flight.busy_from, flight.end), flight.window_end, false);
    }

    /// Another operation starts: a reset ends what is not over, and what shows an op_state takes planes from a window. Returns whether
    /// times have changed.
    pub(super) fn disturb(&mut self, tables: &Tables, other: Step, now: Ticks) -> bool {
        let is_over = !self.is_suspended && self.window_end <= now;
        if is_over || self.reset.is_some() {
            return false;
        }
        let (own, of_other) = (dies_of(tables, Step { op: self.op, place: self.place }), dies_of(tables, other));
        let info = tables.base_of(other.op);
        let shares_die = own & of_other != 0;
        if info.effects.resets() {
            // What works on every die of several ends by a reset of the target alone.
            let ends = shares_die && (own != u64::MAX || tables.size.dies == 1);
            self.reset = (info.effects.reset_target || ends).then_some(now);
            return self.reset.is_some();
        }
        let is_in_window = !self.is_suspended && self.busy.1 <= now && self.window_cut.is_none();
        if info.affects_state && is_in_window && shares_die {
            self.window_planes = self.window_planes.minus(planes_of(tables, other));
            self.window_cut = self.window_planes.is_empty().then_some(now);
        }
        self.window_cut == Some(now)
    }

    /// When a phase was cut short, if it was: the operation that did it started in it, and nothing else does.
    fn cut(&self, phase: PhaseKind) -> Option<Ticks> {
        self.reset.into_iter().chain(self.window_cut.filter(|_| phase.is_window())).min()
    }

    /// The times at which a start is in a part of a phase; `None` while the phase stands still.
    fn part(&self, tables: &Tables, phase: PhaseKind, (from, to): (u32, u32)) -> Option<StepWindow> {
        let op = tables.op(self.op);
        let (begin, length, least) = match phase {
            PhaseKind::Issue => (self.start, op.issue, self.start),
            // A suspension moves the end: the part is of the whole length.
            PhaseKind::CoreBusy => {
                let length = Ticks(op.occupied.0.saturating_sub(op.issue.0));
                (Ticks(self.busy.1.0.saturating_sub(length.0)), length, self.busy.0)
            }
            PhaseKind::DataIn | PhaseKind::DataOut => {
                let length = Ticks(op.total.0.saturating_sub(op.occupied.0));
                (Ticks(self.window_end.0.saturating_sub(length.0)), length, self.busy.1)
            }
        };
        if self.is_suspended && self.reset.is_none() && phase != PhaseKind::Issue {
            return None;
        }
        let at = |part: u32| u128::from(length.0) * u128::from(part);
        let first = Ticks(begin.0 + at(from).div_ceil(WHOLE.into()) as u64).max(least);
        // A start exactly at the end counts only if that is the end of the phase.
        let after = begin.0 + at(to).div_ceil(WHOLE.into()) as u64;
        let last = if to == WHOLE { after } else { after.saturating_sub(1) };
        let last = self.cut(phase).map_or(last, |cut| last.min(cut.0.saturating_sub(1)));
        Some(StepWindow { from: first, until: Some(Ticks(last)) })
    }

    /// A moment; `None` if it is not known yet, or never comes.
    fn moment(&self, tables: &Tables, moment: StepMoment) -> Option<Ticks> {
        let going = |time: Ticks| (!self.is_suspended).then_some(time);
        let after_issue = self.start + tables.op(self.op).issue;
        let (phase, begin, end) = match moment {
            StepMoment::Start => return Some(self.start),
            StepMoment::End => (PhaseKind::CoreBusy, Some(self.start), going(self.busy.1)),
            StepMoment::PhaseEnd(phase @ PhaseKind::Issue) => (phase, Some(self.start), Some(after_issue)),
            StepMoment::PhaseEnd(phase @ PhaseKind::CoreBusy) => (phase, Some(after_issue), going(self.busy.1)),
            StepMoment::PhaseEnd(phase @ (PhaseKind::DataIn | PhaseKind::DataOut)) => {
                (phase, going(self.busy.1), going(self.window_end))
            }
        };
        let end = end.into_iter().chain(self.cut(phase)).min()?;
        // A phase that a reset prevented has no end.
        (begin? <= end).then_some(end)
    }
}

/// The dies that an operation works on, a bit each: all of them if its rows name none.
pub(super) fn dies_of(tables: &Tables, step: Step) -> u64 {
    let info = tables.base_of(step.op);
    if info.names_die && info.reach != Reach::Target { 1 << step.place.die.0 } else { u64::MAX }
}

/// The planes whose op_state shows an operation.
fn planes_of(tables: &Tables, step: Step) -> PlaneSet {
    match tables.base_of(step.op).reach {
        Reach::Planes => step.place.planes,
        Reach::Die | Reach::Target => PlaneSet::first(tables.size.planes.into()),
    }
}

/// When a step may start.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct StepWindow {
    pub(super) from: Ticks,
    /// The last time, if there is one.
    pub(super) until: Option<Ticks>,
}

impl StepWindow {
    fn contains(&self, now: Ticks) -> bool {
        self.from <= now && self.until.is_none_or(|until| now <= until)
    }
}

/// An attempt at a scenario.
#[derive(Clone, Debug)]
pub(super) struct Attempt {
    /// When it began, and when it may keep its dies for itself.
    pub(super) began: Ticks,
    pub(super) keeps_from: Ticks,
    /// The scenario and the value of `each`, as indices.
    pub(super) scenario: usize,
    pub(super) value: usize,
    /// The die of each step, and all of them, a bit each.
    pub(super) dies: Vec<Die>,
    pub(super) mask: u64,
    /// The step that comes next, and how many times it has started so far.
    pub(super) next: usize,
    pub(super) repeated: u32,
    /// For each step that has started its last operation.
    pub(super) done: Vec<DoneStep>,
    /// When the attempt is looked at next.
    pub(super) wake: Ticks,
    /// The time that was drawn for the next step, and its last possible time.
    pub(super) target: Option<Ticks>,
    pub(super) until: Option<Ticks>,
    /// How often the next step was tried in vain on an idle die, and in all.
    pub(super) tries: u32,
    pub(super) all_tries: u32,
    /// How many operations were started so that the next step can come, and how many of them erase.
    pub(super) prepared: u32,
    pub(super) erased: u32,
    /// Why it was refused last.
    pub(super) refused: Option<RefusalReason>,
}

impl Attempt {
    pub(super) fn new((scenario, value): (usize, usize), dies: Vec<Die>) -> Self {
        let mask = dies.iter().fold(0, |all, die| all | 1 << die.0);
        let done = Vec::with_capacity(dies.len());
        Self {
            began: Ticks::ZERO,
            keeps_from: Ticks::ZERO,
            scenario,
            value,
            dies,
            mask,
            next: 0,
            repeated: 0,
            done,
            wake: Ticks(u64::MAX),
            target: None,
            until: None,
            tries: 0,
            all_tries: 0,
            prepared: 0,
            erased: 0,
            refused: None,
        }
    }

    /// Lets it be looked at at a time.
    pub(super) fn wake_at(&mut self, queue: &mut Queue, time: Ticks) {
        self.wake = time;
        queue.push(time, Event::Extra(self.dies[self.next], Plane(0)));
    }

    /// Lets it be looked at at a time, unless the time that was drawn for its next step comes later.
    pub(super) fn look_again(&mut self, queue: &mut Queue, time: Ticks) {
        if self.target.is_none_or(|target| target <= time) && self.wake > time {
            self.wake_at(queue, time);
        }
    }

    /// Whether no step has started.
    pub(super) const fn is_before_first(&self) -> bool {
        self.next == 0 && self.repeated == 0
    }

    /// Whether it keeps its dies for itself until its next step, which has no window, has started: not if that is refused again and again, since
    /// what it lacks may come of other operations.
    pub(super) fn keeps_dies(&self, now: Ticks) -> bool {
        self.until.is_none()
            && now >= self.keeps_from
            && self.tries < MOST_TRIES_KEPT
            && self.prepared < MOST_PREPARED_KEPT
    }

    /// Whether other operations may be started so that the next step can come.
    pub(super) const fn may_prepare(&self, scenario: &CompiledScenario) -> bool {
        self.is_before_first() || scenario.others_between && self.until.is_none()
    }

    /// When the step with an index may start; `None`: that is not known yet, or never.
    pub(super) fn window(&self, tables: &Tables, when: StepTime) -> Option<StepWindow> {
        match when {
            StepTime::Next => {
                Some(StepWindow { from: self.done.last().map_or(Ticks::ZERO, |done| done.start), until: None })
            }
            StepTime::During { step, phase, at } => self.done.get(step)?.part(tables, phase, at),
            StepTime::After { step, moment, within: (least, most) } => {
                let moment = self.done.get(step)?.moment(tables, moment)?;
                Some(StepWindow { from: moment + least, until: most.map(|most| moment + most) })
            }
        }
    }

    /// The conditions on the address of a step.
    pub(super) fn conditions(&self, tables: &Tables, scenario: &CompiledScenario, step: usize) -> PlaceConditions {
        let done = |step: usize| self.done.get(step).map(|done| done.place);
        let mut all = PlaceConditions::of(&tables.size, self.dies[step], &scenario.steps[step], done);
        all.has_plane = scenario.values[self.value].plane.filter(|_| step == 0);
        all
    }

    /// The conditions on the address of a later step if the first step, which comes next, is at a place.
    pub(super) fn conditions_after(
        &self,
        tables: &Tables,
        scenario: &CompiledScenario,
        (step, first): (usize, Place),
    ) -> PlaceConditions {
        let done = |step: usize| (step == 0).then_some(first);
        PlaceConditions::of(&tables.size, self.dies[step], &scenario.steps[step], done)
    }

    /// Whether an operation that starts now is the next step.
    pub(super) fn fits(
        &self,
        (tables, scenario): (&Tables, &CompiledScenario),
        step: Step,
        status: Option<SeenStatus>,
        now: Ticks,
    ) -> bool {
        let Some(next) = scenario.steps.get(self.next) else { return false };
        let info = tables.base_of(step.op);
        let names = (info.has_block || !step.place.planes.is_empty(), info.has_block);
        next.ops.binary_search(&step.op).is_ok()
            && is_wanted(tables, &scenario.values[self.value], self.next, step.op)
            && is_expected(next.expect, status)
            && self.window(tables, next.when).is_some_and(|window| window.contains(now))
            && self.conditions(tables, scenario, self.next).fits(&tables.size, &step.place, names)
    }

    /// Another operation has started, which may end what has started before or the window of it.
    pub(super) fn disturb(&mut self, tables: &Tables, other: Step, (uid, now): (u64, Ticks)) {
        for done in self.done.iter_mut().filter(|done| done.uid != uid) {
            if done.disturb(tables, other, now) {
                self.target = None;
            }
        }
    }

    /// The next step has started. Returns whether it was the last.
    pub(super) fn advance(
        &mut self,
        (tables, scenario): (&Tables, &CompiledScenario),
        (step, uid): (Step, u64),
        now: Ticks,
    ) -> bool {
        self.done.truncate(self.next);
        self.done.push(DoneStep::new(tables, step, uid, now));
        self.repeated += 1;
        if self.repeated == scenario.steps[self.next].repeat {
            (self.next, self.repeated) = (self.next + 1, 0);
        }
        (self.target, self.until, self.refused) = (None, None, None);
        (self.tries, self.all_tries, self.prepared, self.erased) = (0, 0, 0, 0);
        self.next == scenario.steps.len()
    }

    /// How many steps after the first of a plan, which begins with the next step, are no steps of the scenario.
    pub(super) fn unmatched(&self, (tables, scenario): (&Tables, &CompiledScenario), plan: &[Step]) -> u32 {
        let repeat = |step: usize| scenario.steps.get(step).map_or(1, |step| step.repeat);
        let after = |(step, repeated): (usize, u32)| {
            if repeated + 1 >= repeat(step) { (step + 1, 0) } else { (step, repeated + 1) }
        };
        let mut at = after((self.next, self.repeated));
        let mut unmatched = 0;
        for step in &plan[1..] {
            let is_next = scenario.steps.get(at.0).is_some_and(|next| {
                next.ops.binary_search(&step.op).is_ok()
                    && is_wanted(tables, &scenario.values[self.value], at.0, step.op)
            });
            if is_next {
                at = after(at);
            } else {
                unmatched += 1;
            }
        }
        unmatched
    }

    /// How many starts are still to come in the same part of the same phase, the next one included.
    pub(super) fn left_in_part(&self, scenario: &CompiledScenario) -> u64 {
        let when = scenario.steps[self.next].when;
        let later = scenario.steps[self.next..].iter().take_while(|step| step.when == when);
        later.map(|step| u64::from(step.repeat)).sum::<u64>() - u64::from(self.repeated)
    }
}

/// Whether a status is what a step asks for. Every step asks for its own; without a wish any will do.
pub(super) fn is_expected(wanted: Option<ExpectedWord>, status: Option<SeenStatus>) -> bool {
    match wanted {
        None => true,
        Some(ExpectedWord::Busy) => status == Some(SeenStatus::Busy),
        Some(ExpectedWord::Ready) => status == Some(SeenStatus::Ready),
    }
}

#[cfg(test)]
mod tests {
    use nandseq_device::BaseInfo;
    use nandseq_profile::builtin;

    use super::*;

    /// A program that starts at 0: its tables, length of ISSUE, and length of CORE_BUSY.
    fn program() -> (Tables, DoneStep, u64, u64) {
        let tables = Tables::new(&builtin::profile());
        let is_program = |op: &OpId| tables.base_of(*op).effects.program;
        let op = tables.ops().map(|(op, _)| op).find(is_program).expect("it has programs");
        let (issue, busy) = (tables.op(op).issue.0, tables.op(op).occupied.0 - tables.op(op).issue.0);
        let step = DoneStep::new(&tables, Step { op, place: Place::default() }, 1, Ticks::ZERO);
        (tables, step, issue, busy)
    }

    #[test]
    fn a_part_of_a_phase_has_its_beginning_and_not_its_end_unless_that_is_the_whole() {
        let (tables, step, issue, busy) = program();
        let part = |from, to| {
            let window = step.part(&tables, PhaseKind::CoreBusy, (from, to)).expect("it goes on");
            (window.from.0 - issue, window.until.expect("a phase ends").0 - issue)
        };
        assert_eq!(part(0, 100_000), (0, busy / 10 - 1));
        assert_eq!(part(100_000, 200_000), (busy / 10, busy / 5 - 1));
        assert_eq!(part(900_000, WHOLE), (busy / 10 * 9, busy));
        // Parts that are no whole ticks: the first tick in the part, and the last before its end.
        assert_eq!(part(1, 2).0, busy.div_ceil(WHOLE.into()));
    }

    #[test]
    fn a_suspension_moves_what_is_left_of_a_phase() {
        let (tables, mut step, _, busy) = program();
        step.suspended();
        assert_eq!(step.part(&tables, PhaseKind::CoreBusy, (0, WHOLE)), None);
        assert_eq!(step.moment(&tables, StepMoment::End), None);
        let (from, end) = (Ticks(10 * busy), Ticks(10 * busy + busy - busy / 4));
        step.resumed(&Flight { op: step.op, place: step.place, busy_from: from, end, window_end: end });
        let part = |range| step.part(&tables, PhaseKind::CoreBusy, range).expect("it goes on");
        // The first tenth is over; the second half begins in the middle of the whole length.
        let first = part((0, 100_000));
        assert!(first.until.expect("a phase ends") < first.from);
        assert_eq!(part((500_000, WHOLE)), StepWindow { from: Ticks(end.0 - busy / 2), until: Some(end) });
        assert_eq!(step.moment(&tables, StepMoment::End), Some(end));
    }

    #[test]
    fn a_reset_is_the_end_of_what_it_stops() {
        let (tables, step, issue, busy) = program();
        let resets = |op: &OpId| tables.base_of(*op).effects.reset_die;
        let reset = Step { op: tables.ops().map(|(op, _)| op).find(resets).expect("it has resets"), place: step.place };
        let whole = |step: &DoneStep| step.part(&tables, PhaseKind::CoreBusy, (0, WHOLE)).expect("it has begun");
        let at = Ticks(issue + busy / 4);
        let (mut one, mut suspended, mut over) = (step, step, step);
        assert!(one.disturb(&tables, reset, at));
        assert_eq!(one.moment(&tables, StepMoment::End), Some(at));
        assert_eq!(one.moment(&tables, StepMoment::PhaseEnd(PhaseKind::CoreBusy)), Some(at));
        assert_eq!(whole(&one).until, Some(Ticks(at.0 - 1)));
        // What is suspended ends too; what is over has had its end; another die has another reset.
        suspended.suspended();
        assert!(suspended.disturb(&tables, reset, at));
        assert_eq!(suspended.moment(&tables, StepMoment::End), Some(at));
        assert!(!over.disturb(&tables, reset, Ticks(issue + busy)));
        assert_eq!(over.moment(&tables, StepMoment::End), Some(Ticks(issue + busy)));
        let mut elsewhere = step;
        elsewhere.place.die = Die(1);
        assert!(!elsewhere.disturb(&tables, reset, at));
    }

    #[test]
    fn a_reset_of_a_die_ends_what_works_on_every_die_only_if_there_is_no_other() {
        for dies in [1, 2] {
            let mut profile = builtin::profile();
            profile.topology.dies = dies;
            let tables = Tables::new(&profile);
            let of = |wanted: &dyn Fn(&BaseInfo) -> bool| {
                let op = tables.ops().map(|(op, _)| op).find(|op| wanted(tables.base(tables.op(*op).base)));
                Step { op: op.expect("it has one"), place: Place::default() }
            };
            let wide = of(&|info| info.reach == Reach::Target && info.occupies);
            let mut done = DoneStep::new(&tables, wide, 1, Ticks::ZERO);
            assert_eq!(done.disturb(&tables, of(&|info| info.effects.reset_die), Ticks(1)), dies == 1);
        }
    }

    #[test]
    fn a_distance_has_both_its_ends() {
        let (tables, step, issue, busy) = program();
        let mut attempt = Attempt::new((0, 0), vec![Die(0); 2]);
        (attempt.done, attempt.next) = (vec![step], 1);
        let within = (Ticks(5), Some(Ticks(9)));
        let end = issue + busy;
        for (moment, at) in [
            (StepMoment::Start, 0),
            (StepMoment::PhaseEnd(PhaseKind::Issue), issue),
            (StepMoment::End, end),
            (StepMoment::PhaseEnd(PhaseKind::CoreBusy), end),
        ] {
            let window = attempt.window(&tables, StepTime::After { step: 0, moment, within }).expect("it is known");
            let inside = [4, 5, 9, 10].map(|distance| window.contains(Ticks(at + distance)));
            assert_eq!(inside, [false, true, true, false], "{moment:?}");
        }
    }
}
