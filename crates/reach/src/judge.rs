//! Whether a name can be accepted in a state in which a hook falls.

use nandseq_profile::model::AddressSource;
use nandseq_profile::{BaseSet, PhaseKey};

use crate::courses::may_be_proposed;
use crate::explore::Graph;
use crate::model::{Model, NameClassId};
use crate::plan::SearchState;
use crate::reason::Reason;
use crate::state::{Die, Plane};

/// The operation that the plane of a hook shows.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum PlaneRun {
    /// None.
    Idle,
    /// An operation that is being issued.
    Issue(NameClassId),
    /// An operation in CORE_BUSY.
    Busy(NameClassId),
    /// An operation in its window.
    Window(NameClassId),
}

/// A state in which a hook may fall.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct HookContext {
    pub(crate) die: Die,
    pub(crate) plane: Plane,
    pub(crate) run: PlaneRun,
    /// Whether a reset has just cleared all planes of the die.
    pub(crate) fresh: bool,
    /// Whether a chain is certainly under way.
    pub(crate) chained: bool,
}

impl HookContext {
    /// The state of a hook on a plane that a node describes.
    pub(crate) const fn at((die, plane): (Die, Plane), run: PlaneRun) -> Self {
        Self { die, plane, run, fresh: false, chained: false }
    }
}

/// The judgement on an operation that everything but the registers of the hook's plane allows.
pub(crate) struct Fit {
    /// Whether the op_state and the occupation of the hook's plane let it work there.
    here: Result<(), Reason>,
    /// The operation that a SUSPEND would stop.
    suspend_target: Option<NameClassId>,
    /// Whether it may be proposed while the chain under way, if there is one, goes on.
    proposed: bool,
}

/// The planes of a context on which an operation may work.
struct HookPlaces {
    here: bool,
    /// The state of another plane on which it may work.
    other: Option<Plane>,
}

/// Whether a proposal takes its address from the plane of its hook.
pub(crate) const fn of_hook(address: AddressSource) -> bool {
    match address {
        AddressSource::Hook | AddressSource::OutputRegister | AddressSource::PageRegister => true,
        AddressSource::None
        | AddressSource::AnyBlock
        | AddressSource::NextPage
        | AddressSource::ReadablePage
        | AddressSource::SuspendedProgram
        | AddressSource::OneShotLatch
        | AddressSource::CopybackLatch => false,
    }
}

impl Model<'_> {
    /// Whether an operation of a class may be accepted in a context.
    pub(crate) fn judge(&self, graph: &Graph, context: &HookContext, class: NameClassId) -> Result<(), Reason> {
        let fit = self.judge_die(context, class)?;
        self.judge_plane(graph, context, class, &fit)
    }

    /// Judges what is the same in every context.
    pub(crate) fn judge_anywhere(&self, class: NameClassId) -> Result<(), Reason> {
        let effects = &self.base(class).effects;
        if effects.delay {
            return Err(Reason::Delay);
        }
        if !self.class(class).exists {
            return Err(Reason::Missing);
        }
        match effects.suspend {
            Some(axis) if !self.can_resume(axis) => Err(Reason::NoResume(axis)),
            Some(_) | None => self.address_exists(class),
        }
    }

    /// Judges everything but the registers of the hook's plane. The result is the same for all contexts that differ only in
    /// `plane`.
    pub(crate) fn judge_die(&self, context: &HookContext, class: NameClassId) -> Result<Fit, Reason> {
        self.judge_anywhere(class)?;
        self.judge_beside(context, class, self.judge_run(context.run, class)?)
    }

    /// Judges what the operation on the hook's plane forbids. Inside is whether the op_state and the occupation of the hook's plane
    /// let an operation of the class work there.
    pub(crate) fn judge_run(&self, run: PlaneRun, class: NameClassId) -> Result<Result<(), Reason>, Reason> {
        let own = self.class(class);
        let state = self.state_key(run);
        let forbidden = state.map_or(BaseSet::EMPTY, |key| self.tables.forbidden_in(key)).contains(own.base);
        let op_state = state.map_or(Reason::NoHook, Reason::OpState);
        if forbidden && (self.looks_at_die(class) || self.shows_everywhere(run)) {
            return Err(op_state);
        }
        let occupied = self.occupied(run, class)?;
        let first = if forbidden { op_state } else { Reason::Occupied(self.base_of(run).unwrap_or(own.base)) };
        Ok(if forbidden || occupied { Err(first) } else { Ok(()) })
    }

    /// Judges what the die forbids, where the operation on the hook's plane does not forbid all; `here` is the result of
    /// [`Self::judge_run`].
    pub(crate) fn judge_beside(
        &self,
        context: &HookContext,
        class: NameClassId,
        here: Result<(), Reason>,
    ) -> Result<Fit, Reason> {
        let suspend_target = self.suspend_target(context, class)?;
        self.die_allows(&context.die, class)?;
        let chained = context.chained || context.die.chain.is_some();
        Ok(Fit { here, suspend_target, proposed: may_be_proposed(self, &context.die, chained, class) })
    }

    /// Judges whether the registers of the hook's plane, or those of another, let an operation start that everything else allows.
    pub(crate) fn judge_plane(
        &self,
        graph: &Graph,
        context: &HookContext,
        class: NameClassId,
        fit: &Fit,
    ) -> Result<(), Reason> {
        if self.looks_at_die(class) {
            self.plane_tables(&context.plane, class)?;
        }
        let places = if self.has_targets(class) {
            self.places(graph, context, class, fit.here)?
        } else {
            HookPlaces { here: true, other: None }
        };
        if !fit.proposed {
            return Err(Reason::ChainUnderWay);
        }
        self.judge_chain(graph, context, class, &places, fit.suspend_target)
    }

    /// The op_state in which the operation starts. An operation proposed in an ISSUE waits for the bus, and starts in CORE_BUSY.
    fn state_key(&self, run: PlaneRun) -> Option<PhaseKey> {
        match run {
            PlaneRun::Idle => None,
            PlaneRun::Issue(class) | PlaneRun::Busy(class) => self.base(class).busy_key,
            PlaneRun::Window(class) => self.base(class).window_key,
        }
    }

    fn base_of(&self, run: PlaneRun) -> Option<nandseq_profile::BaseId> {
        match run {
            PlaneRun::Idle => None,
            PlaneRun::Issue(class) | PlaneRun::Busy(class) | PlaneRun::Window(class) => Some(self.class(class).base),
        }
    }

    /// Whether every plane of the die is in the op_state of the hook's plane.
    fn shows_everywhere(&self, run: PlaneRun) -> bool {
        match run {
            PlaneRun::Idle => false,
            PlaneRun::Issue(class) | PlaneRun::Busy(class) | PlaneRun::Window(class) => {
                self.planes == 1 || self.looks_at_die(class)
            }
        }
    }

    /// Whether the hook's plane is occupied for an operation. An error if all planes are.
    fn occupied(&self, run: PlaneRun, class: NameClassId) -> Result<bool, Reason> {
        let (PlaneRun::Issue(by) | PlaneRun::Busy(by)) = run else { return Ok(false) };
        let info = self.base(class);
        if info.effects.needs_nothing_in_flight.is_some() {
            return Err(Reason::Occupied(self.class(by).base));
        }
        if !info.occupies || info.effects.cuts() {
            return Ok(false);
        }
        let beside = self.base(by).interleaved && !self.class(by).multi && info.interleaved && !self.class(class).multi;
        if beside && !self.shows_everywhere(run) && !self.looks_at_die(class) {
            Ok(true)
        } else {
            Err(Reason::Occupied(self.class(by).base))
        }
    }

    /// The operation that a SUSPEND would stop; `None` for a class that is no SUSPEND.
    fn suspend_target(&self, context: &HookContext, class: NameClassId) -> Result<Option<NameClassId>, Reason> {
        let Some(axis) = self.base(class).effects.suspend else { return Ok(None) };
        let fits = |&suspend_target: &NameClassId| {
            self.base(suspend_target).effects.is_of(axis) && self.class(suspend_target).busy
        };
        // One that works on other planes only may be there whatever the hook's plane shows.
        let elsewhere = |suspend_target: &NameClassId| {
            fits(suspend_target)
                && !self.looks_at_die(*suspend_target)
                && self.started[usize::from(*suspend_target)]
                && self.planes > 1
        };
        let here = match context.run {
            PlaneRun::Busy(by) => Some(by).filter(fits),
            PlaneRun::Idle | PlaneRun::Issue(_) | PlaneRun::Window(_) => None,
        };
        let suspend_target = here.or_else(|| (0..self.classes.len() as NameClassId).find(elsewhere));
        match suspend_target {
            Some(suspend_target) if !context.die.suspended(axis) => Ok(Some(suspend_target)),
            Some(_) | None => Err(Reason::NoSuspendTarget(axis)),
        }
    }

    /// The planes on which an operation may work; `hook` is [`Fit::here`].
    fn places(
        &self,
        graph: &Graph,
        context: &HookContext,
        class: NameClassId,
        hook: Result<(), Reason>,
    ) -> Result<HookPlaces, Reason> {
        let own = self.class(class);
        let here = hook.and_then(|()| self.plane_allows(&context.plane, class));
        if of_hook(self.base(class).address) {
            if own.multi {
                return Err(Reason::OnePlane);
            }
            return here.map(|()| HookPlaces { here: true, other: None });
        }
        let other = self.other_plane(graph, context, class);
        let enough = match (&here, &other) {
            (Ok(()), Ok(_)) => true,
            (Ok(()), Err(_)) => !own.multi,
            (Err(_), Ok(_)) => !own.multi || self.planes > 2,
            (Err(_), Err(_)) => false,
        };
        if enough {
            return Ok(HookPlaces { here: here.is_ok(), other: other.ok() });
        }
        let why = [here.err(), other.err()].into_iter().flatten().max_by_key(|reason| reason.specificity());
        Err(why.unwrap_or(Reason::Missing))
    }

    /// Another plane of the die on which an operation may work.
    fn other_plane(&self, graph: &Graph, context: &HookContext, class: NameClassId) -> Result<Plane, Reason> {
        if self.planes < 2 {
            return Err(Reason::OnePlane);
        }
        let fresh = Plane::default();
        let first = self.plane_allows(&fresh, class);
        if first.is_ok() || context.fresh {
            return first.map(|()| fresh);
        }
        let found = graph.planes_of(&context.die).find(|plane| self.plane_allows(plane, class).is_ok());
        found.copied().map_or_else(|| first.map(|()| fresh), Ok)
    }

    fn judge_chain(
        &self,
        graph: &Graph,
        context: &HookContext,
        class: NameClassId,
        places: &HookPlaces,
        suspend_target: Option<NameClassId>,
    ) -> Result<(), Reason> {
        // A chain is planned for the state after everything in flight has ended.
        let mut settled = SearchState { die: context.die, plane: context.plane };
        if let PlaneRun::Issue(by) | PlaneRun::Busy(by) = context.run
            && suspend_target.is_none()
        {
            settled.die.finish(self.base(by));
            settled.plane.finish(self.base(by), self.class(by).cell, false);
        }
        let possible = |plane: Plane| {
            let reached = SearchState { die: settled.die, plane };
            self.possible_follow_ups(reached, class, suspend_target).next().is_some()
        };
        if places.here && possible(settled.plane) {
            return Ok(());
        }
        if places.other.is_some_and(possible) {
            return Ok(());
        }
        let others = || graph.planes_of(&context.die).filter(|plane| self.plane_allows(plane, class).is_ok());
        if places.other.is_some() && !context.fresh && others().any(|plane| possible(*plane)) {
            return Ok(());
        }
        Err(Reason::NoChain)
    }
}
