//! What the steps of a match leave behind while nothing else may start between them (`between: nothing`), and what that forbids.
//!
//! A [`Fact`] is a statement about the lasting state. It holds at the start of a step if an earlier step surely made it true and nothing
//! since may have made it false: no step, no step of a chain that may come between, nothing in flight, nothing from another die.

use nandseq_device::{BaseInfo, OpInfo, Precondition, Reach, Rule, StateChange};
use nandseq_plan::model::{AddressPart, PlaceRelation};
use nandseq_profile::OpId;
use nandseq_profile::model::{
    AddressSource, Axis, CacheProgramKind, CacheReadKind, DeviceState, LatchKind, LatchLevel, LatchNeed,
};

use super::steps::{Obstacle, Steps, exclude_one_another, waits};

use Fact::{
    CacheProgram, CacheRead, LatchEmpty, LatchOn, NoCopybackPage, NoOutput, NoPage, NotSuspended, NothingOf, Protected,
    Suspended, TerminationOff, Unread,
};

/// A statement about the lasting state of a die, of a plane or of the target.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fact {
    LatchOn(LatchKind, LatchLevel),
    Unread,
    Suspended(Axis),
    NotSuspended(Axis),
    CacheRead(CacheReadKind),
    CacheProgram(CacheProgramKind),
    TerminationOff,
    Protected,
    LatchEmpty(LatchKind),
    NoPage,
    NoOutput,
    /// The page register holds no page of a copyback read.
    NoCopybackPage,
    /// No operation of the axis is in flight.
    NothingOf(Axis),
}

/// Every fact. Those of exclusion tables come in the order in which the tables are judged.
const ALL: [Fact; 24] = [
    LatchOn(LatchKind::OneShot, LatchLevel::Lsb),
    LatchOn(LatchKind::OneShot, LatchLevel::Csb),
    LatchOn(LatchKind::OneShot, LatchLevel::Msb),
    LatchOn(LatchKind::Copyback, LatchLevel::Lsb),
    LatchOn(LatchKind::Copyback, LatchLevel::Csb),
    LatchOn(LatchKind::Copyback, LatchLevel::Msb),
    Unread,
    Suspended(Axis::Erase),
    Suspended(Axis::Program),
    NotSuspended(Axis::Erase),
    NotSuspended(Axis::Program),
    CacheRead(CacheReadKind::Cache),
    CacheRead(CacheReadKind::PlaneCache),
    CacheProgram(CacheProgramKind::Slc),
    CacheProgram(CacheProgramKind::OneShot),
    TerminationOff,
    Protected,
    LatchEmpty(LatchKind::OneShot),
    LatchEmpty(LatchKind::Copyback),
    NoPage,
    NoOutput,
    NoCopybackPage,
    NothingOf(Axis::Erase),
    NothingOf(Axis::Program),
];

/// What an operation looks at to find a fact.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Looks {
    /// Its die, or the target.
    Die,
    /// The planes that it addresses.
    OwnPlanes,
    /// The planes that it looks at: all of its die, unless it works on its planes alone.
    Planes,
    /// The die, and whether its place goes on with that of a cache program.
    NextPlace,
}

impl Fact {
    fn is_of_planes(self) -> bool {
        [Unread, NoPage, NoOutput, NoCopybackPage].contains(&self) || matches!(self, CacheRead(_))
    }

    fn is_of_target(self) -> bool {
        [TerminationOff, Protected].contains(&self)
    }

    /// The state of the exclusion tables that it is, and the rule of its table.
    fn state(self) -> Option<(DeviceState, Rule)> {
        Some(match self {
            LatchOn(LatchKind::OneShot, level) => (DeviceState::LatchOn(level), Rule::Latch),
            Unread => (DeviceState::LatchOnRead, Rule::Latch),
            Suspended(axis) => (DeviceState::Suspended(axis), Rule::Suspend),
            NotSuspended(axis) => (DeviceState::NotSuspended(axis), Rule::Suspend),
            CacheRead(kind) => (DeviceState::CacheRead(kind), Rule::Cache),
            CacheProgram(kind) => (DeviceState::CacheProgram(kind), Rule::Cache),
            TerminationOff => (DeviceState::OdtDisabled, Rule::Odt),
            Protected => (DeviceState::WriteProtect, Rule::WriteProtect),
            LatchOn(LatchKind::Copyback, _) | LatchEmpty(_) | NoPage | NoOutput | NoCopybackPage | NothingOf(_) => {
                return None;
            }
        })
    }

    const fn text(self) -> &'static str {
        match self {
            LatchOn(..) => "the latch is loaded",
            Unread => "the data that was read is not put out",
            Suspended(Axis::Erase) => "an erase is suspended",
            Suspended(Axis::Program) => "a program is suspended",
            NotSuspended(Axis::Erase) => "no erase is suspended",
            NotSuspended(Axis::Program) => "no program is suspended",
            CacheRead(_) => "a cache read is on",
            CacheProgram(_) => "a cache program is on",
            TerminationOff => "on-die termination is off",
            Protected => "write protect is on",
            LatchEmpty(_) => "the latch is empty",
            NoPage => "the page register is empty",
            NoOutput => "the output register is empty",
            NoCopybackPage => "the page register holds no page of a copyback read",
            NothingOf(Axis::Erase) => "no erase is in flight",
            NothingOf(Axis::Program) => "no program is in flight",
        }
    }

    fn is_of_latch(self, latch: LatchKind) -> bool {
        self == LatchEmpty(latch) || matches!(self, LatchOn(of, _) if of == latch)
    }

    /// What a change of the lasting state makes of it; `None` if it leaves it as it is, or not more often false.
    fn after(self, change: StateChange) -> Option<bool> {
        let is_cache_read = matches!(self, CacheRead(_));
        let either = |on: &[Self], off: &[Self]| {
            if on.contains(&self) { Some(true) } else { off.contains(&self).then_some(false) }
        };
        match change {
            StateChange::EmptyRegisters => either(&[NoPage, NoOutput, NoCopybackPage], &[Unread]),
            StateChange::EmptyResumed(_) | StateChange::PutOut => either(&[], &[Unread]),
            StateChange::Fill { copyback: true } => either(&[Unread], &[NoPage, NoOutput, NoCopybackPage]),
            StateChange::Fill { copyback: false } | StateChange::ReadOn => {
                either(&[Unread, NoCopybackPage], &[NoPage, NoOutput])
            }
            StateChange::EnterCacheRead(kind) => is_cache_read.then(|| self == CacheRead(kind)),
            StateChange::EndCacheRead(_) if is_cache_read => Some(false),
            StateChange::EndCacheRead(_) => either(&[Unread, NoPage, NoCopybackPage], &[NoOutput]),
            StateChange::Load(latch, level) => self.is_of_latch(latch).then(|| self == LatchOn(latch, level)),
            StateChange::Clear(latch) => self.is_of_latch(latch).then(|| self == LatchEmpty(latch)),
            StateChange::EnterCacheProgram(kind) => matches!(self, CacheProgram(_)).then(|| self == CacheProgram(kind)),
            StateChange::EndCacheProgram(kind) => either(&[], &[CacheProgram(kind)]),
            StateChange::EndSuspension(axis) => either(&[NotSuspended(axis)], &[Suspended(axis), NothingOf(axis)]),
            StateChange::Reset => self.after_reset(),
            StateChange::SwitchOdt { off } => (self == TerminationOff).then_some(off),
            StateChange::SwitchWriteProtect { on } => (self == Protected).then_some(on),
        }
    }

    const fn after_reset(self) -> Option<bool> {
        match self {
            LatchOn(..) | Unread | Suspended(_) | CacheRead(_) | CacheProgram(_) => Some(false),
            NotSuspended(_) | LatchEmpty(_) | NoPage | NoOutput | NoCopybackPage | NothingOf(_) => Some(true),
            TerminationOff | Protected => None,
        }
    }

    /// What the start of an operation makes of it.
    fn at_start(self, info: &BaseInfo) -> Option<bool> {
        let changed = info.effects.at_start.iter().filter_map(|change| self.after(*change)).next_back();
        let is_started = |axis: &Axis| self == NothingOf(*axis) && info.effects.is_of(*axis);
        let by_role = match info.effects.suspend {
            Some(axis) if self == Suspended(axis) => Some(true),
            Some(axis) if self == NotSuspended(axis) => Some(false),
            Some(_) | None => Axis::ALL.iter().any(is_started).then_some(false),
        };
        by_role.or(changed)
    }

    /// What its end makes of it.
    fn at_end(self, info: &BaseInfo) -> Option<bool> {
        info.effects.at_end.iter().filter_map(|change| self.after(*change)).next_back()
    }

    /// Whether an operation may make it false: at its start, at its end, or by the end of what it resumes.
    fn may_end(self, steps: &Steps<'_>, info: &BaseInfo) -> bool {
        let ends = |info: &BaseInfo| [self.at_start(info), self.at_end(info)].contains(&Some(false));
        let resumed = |axis: Axis| steps.kinds().any(|(_, other)| other.effects.is_of(axis) && ends(other));
        ends(info) || info.effects.resume.is_some_and(resumed)
    }

    /// The rules by which it forbids an operation, each with where the operation looks.
    fn forbids(self, steps: &Steps<'_>, (own, info): (&OpInfo, &BaseInfo)) -> Vec<(Rule, Looks)> {
        let mut rules = Vec::new();
        if let Some((state, rule)) = self.state()
            && steps.tables.forbidden_by(state).contains(own.base)
        {
            rules.push((rule, if self.is_of_planes() { Looks::Planes } else { Looks::Die }));
        }
        rules.extend(info.effects.needs().filter_map(|need| self.breaks(need)));
        if info.address == AddressSource::SuspendedProgram && self == NotSuspended(Axis::Program) {
            rules.push((Rule::RecoveryTarget, Looks::Die));
        }
        rules
    }

    /// The rule that it breaks for an operation with a precondition.
    fn breaks(self, need: Precondition) -> Option<(Rule, Looks)> {
        let at_planes = |fact: Self, rule: Rule| (self == fact).then_some((rule, Looks::OwnPlanes));
        let at_die = |breaks: bool, rule: Rule| breaks.then_some((rule, Looks::Die));
        match need {
            Precondition::CopybackPage => at_planes(NoCopybackPage, Rule::CopybackSource),
            Precondition::NothingUnread => at_planes(Unread, Rule::UnreadData),
            Precondition::PageToReadOn | Precondition::PageToPutOut => at_planes(NoPage, Rule::CacheSequence),
            Precondition::Output => at_planes(NoOutput, Rule::DoutSource),
            Precondition::Latch(latch, need) => {
                let is_wrong = self == LatchEmpty(latch)
                    || matches!(self, LatchOn(own, level) if own == latch && !need.accepts(Some(level)));
                at_die(is_wrong && need != LatchNeed::default(), Rule::OneshotOrder)
            }
            Precondition::NextOfCacheProgram => {
                matches!(self, CacheProgram(_)).then_some((Rule::CacheSequence, Looks::NextPlace))
            }
            Precondition::Suspended(axis) => {
                let is_blocked = axis == Axis::Erase && self == Suspended(Axis::Program);
                at_die(is_blocked || self == NotSuspended(axis), Rule::ResumeTarget)
            }
            Precondition::InCoreBusy(axis) => {
                at_die([Suspended(axis), NothingOf(axis)].contains(&self), Rule::SuspendTarget)
            }
            Precondition::NothingInFlight(_) => None,
        }
    }
}

const ENDS_IT: &str = "state a step before it that ends this, or leave out `between: nothing`";

/// What earlier steps leave that keeps an operation from being a step.
pub(crate) fn obstacle(steps: &Steps<'_>, step: usize, op: OpId) -> Option<Obstacle> {
    if steps.scenario.others_between || step == 0 {
        return None;
    }
    let own = steps.op(op);
    ALL.iter().find_map(|&fact| {
        let (rule, from) = fact
            .forbids(steps, own)
            .into_iter()
            .find_map(|(rule, looks)| Some((rule, holds_since(steps, fact, (step, own, looks))?)))?;
        let name = steps.name(from);
        Some(Obstacle::by(rule, format!("{} from {name} on, and nothing in between ends that", fact.text()), ENDS_IT))
    })
}

/// What the operations of a repeated step leave that keeps each of them from following another.
pub(crate) fn obstacle_to_repetition(steps: &Steps<'_>, step: usize) -> Option<Obstacle> {
    if steps.scenario.others_between || steps.step(step).repeat == 1 {
        return None;
    }
    ALL.iter().filter(|fact| !fact.is_of_planes()).find_map(|&fact| {
        let rules: Option<Vec<Rule>> = steps
            .kinds_of(step)
            .map(|own| {
                let (rule, _) = fact.forbids(steps, own).into_iter().find(|(_, looks)| *looks == Looks::Die)?;
                leaves(steps, fact, (step, own, Looks::Die), step).then_some(rule)
            })
            .collect();
        let because = format!("{} after each repetition, and nothing in between ends that", fact.text());
        Some(Obstacle::by(
            *rules?.first()?,
            because,
            "repeat it with the steps that end this, or leave out `between: nothing`",
        ))
    })
}

/// The step that surely makes a fact true, if it is still true when an operation would be a step.
fn holds_since(
    steps: &Steps<'_>,
    fact: Fact,
    (step, own, looks): (usize, (&OpInfo, &BaseInfo), Looks),
) -> Option<usize> {
    for from in (0..step).rev() {
        if leaves(steps, fact, (step, own, looks), from) {
            return Some(from);
        }
        if steps.of(from).any(|(_, info)| fact.may_end(steps, info)) {
            return None;
        }
    }
    None
}

/// Whether all operations of a step leave a fact true until an operation would be another step.
fn leaves(
    steps: &Steps<'_>,
    fact: Fact,
    (step, own, looks): (usize, (&OpInfo, &BaseInfo), Looks),
    from: usize,
) -> bool {
    let ends = |(_, info): (&OpInfo, &BaseInfo)| fact.may_end(steps, info);
    if steps.any_between((from, step), fact.is_of_target(), ends) {
        return false;
    }
    let enters_again = || steps.any_between((from, step), false, |(_, info)| fact.at_start(info).is_some());
    let is_there = |(_, info): (&OpInfo, &BaseInfo)| {
        fact.is_of_target()
            || steps.share_die((step, own.1), (from, info)) && {
                let shares = || {
                    let all = looks == Looks::Planes && own.1.reach != Reach::Planes;
                    all || info.effects.resets() || steps.share_plane(step, from)
                };
                match looks {
                    Looks::Die => true,
                    Looks::Planes | Looks::OwnPlanes => shares(),
                    // Nothing else enters the state, with a place of its own.
                    Looks::NextPlace => is_no_next_place(steps, step, from) && !enters_again(),
                }
            }
    };
    steps.kinds_of(from).all(|other| is_there(other) && makes_true(steps, fact, (from, other), (step, own)))
}

/// Whether an operation makes a fact true before another one can start.
fn makes_true(
    steps: &Steps<'_>,
    fact: Fact,
    (from, other): (usize, (&OpInfo, &BaseInfo)),
    (step, own): (usize, (&OpInfo, &BaseInfo)),
) -> bool {
    let (at_start, at_end) = (fact.at_start(other.1), fact.at_end(other.1));
    // What is in flight when it starts may end later and change the fact.
    let is_settled = |wanted: &dyn Fn(&BaseInfo) -> bool| {
        steps.kinds().all(|flying| !wanted(flying.1) || has_ended(steps, flying, other, fact.is_of_target()))
    };
    // Whatever occupies planes of the die by itself starts when nothing of an axis is in flight there.
    if let NothingOf(axis) = fact {
        let is_of = |info: &BaseInfo| info.effects.is_of(axis) || info.effects.resume == Some(axis);
        return !is_of(other.1) && is_settled(&is_of);
    }
    let by_start = at_start == Some(true) && at_end != Some(false);
    let is_cut = || steps.any_between((from, step), fact.is_of_target(), |(_, info)| info.effects.cuts());
    let by_end = || {
        at_end == Some(true)
            && waits(own.1)
            && (exclude_one_another(other, own) || other.1.occupies && steps.share_plane(step, from))
            && other.0.array_done == other.0.occupied
            && !is_cut()
    };
    (by_start || by_end()) && is_settled(&|info| fact.at_end(info) == Some(false))
}

/// Whether an operation that was in flight has ended when another one starts on its die, or on any die.
fn has_ended(
    steps: &Steps<'_>,
    (flying, of_flying): (&OpInfo, &BaseInfo),
    (own, info): (&OpInfo, &BaseInfo),
    on_any_die: bool,
) -> bool {
    let by_bus = steps.issues_on_bus(flying) && steps.issues_on_bus(own) && flying.ends_after() <= flying.issue;
    let is_of_die = of_flying.reach != Reach::Target || steps.profile.topology.dies == 1;
    let is_cut = info.effects.resets() && is_of_die;
    // A SUSPEND starts while nothing but what it suspends occupies its die.
    let waits = if info.effects.suspend.is_some() {
        of_flying.occupies
    } else {
        waits(info) && exclude_one_another((flying, of_flying), (own, info))
    };
    by_bus || !on_any_die && (is_cut || waits)
}

/// Whether a step certainly does not go on with the place of an earlier one.
fn is_no_next_place(steps: &Steps<'_>, step: usize, of: usize) -> bool {
    steps.step(step).places.iter().any(|place| match place.relation {
        PlaceRelation::OtherThan(other) => other == of && matches!(place.part, AddressPart::Plane | AddressPart::Block),
        PlaceRelation::SameAs(_) | PlaceRelation::NextTo(_) | PlaceRelation::In(_) => false,
    }) || steps.is_within(AddressPart::Page, step, of)
}
