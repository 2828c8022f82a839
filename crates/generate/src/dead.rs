//! Dies on which nothing can ever start again.
//!
//! A die is *at rest* when nothing is in flight there, no phase is open, no chain or proposal waits for it and no hook is to come: then
//! only refills ask it, always in the same state. It is *dead* when, besides, no class of names with a weight is eligible under any key
//! that a refill can have there, and nothing that could start on another die would change it. That is a proof, not a matter of luck, and
//! holds for ever. When all dies are dead the rest of the run is known: refills that draw nothing. They are counted, not walked
//! through, so that the site is left as if they had come.
//!
//! Names may also be eligible and never be accepted, because no address or no chain fits. Only trying shows that: after `PATIENCE`
//! looks, each two rounds of refills after the one before, at a device at rest on which nothing starts, `TRIES` plans are made for each
//! class. If all fail, a run that is limited by operations or coverage goes no further; one that is limited by time alone goes on, as
//! it always did. That is no proof: the next run begins anew.

mod describe;

use nandseq_device::{BaseInfo, Reach, Tables};
use nandseq_profile::model::{ByAxis, CacheProgramKind, CacheReadKind, LatchLevel, StatusOf};
use nandseq_profile::{CellTypeId, Die, OpId, PhaseKey, Plane, PlaneSet, Ticks};

use crate::chain::Step;
use crate::classes::{ClassId, places};
use crate::die_constraints::DieConstraints;
use crate::eligible::View;
use crate::philox::{Stream, StreamKind};
use crate::propose::{HookKind, key_at};
use crate::queue::Event;
use crate::reason::Reason;
use crate::setup::{Distribution, Setup};
use crate::site::Site;

/// Looks, each two rounds of refills after the one before, at which a device at rest has started nothing before plans are tried.
const PATIENCE: u32 = 32;
/// Every so many looks a device on which something lives is looked at for dies that are dead.
const PARTIAL: u32 = 8;
/// As many plans are tried for each class, die, plane and key before a run is given up; one for each name if there are more names.
const TRIES: u64 = 1_024;

/// An operation that started.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LastStart {
    /// Which.
    pub op: OpId,
    /// When it started, since the start of the site.
    pub at: Ticks,
}

/// A die on which nothing can ever start again.
#[derive(Clone, PartialEq, Debug)]
pub struct DeadDie {
    /// Which.
    pub die: Die,
    /// When the last phase, or the last operation, on it ended, since the start of the site; `None`: before the snapshot from which
    /// this site object was made.
    pub since: Option<Ticks>,
    /// The last operation that started there, as far as this site object has seen; `None`: it saw none.
    pub last: Option<LastStart>,
    /// The state that it stays in.
    pub state: LastingState,
    /// The keys under which refills propose there, ascending.
    pub keys: Vec<PhaseKey>,
    /// Every name with a weight under one of these keys, and why it cannot start.
    pub blocked: Vec<Blocked>,
    /// One name of each single-plane class that could start there now, has no weight under these keys, and would let a name that has
    /// one start again. Empty where names are eligible, but none is accepted.
    pub freed_by: Vec<OpId>,
    /// One name of each single-plane class that could start there now if it had a weight under these keys; only where nothing frees.
    pub possible: Vec<OpId>,
    /// Whether names are eligible, but none was accepted however often it was tried.
    pub in_vain: bool,
}

/// A name with a weight that cannot start.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Blocked {
    /// The name.
    pub op: OpId,
    /// The key that gives it the weight.
    pub key: PhaseKey,
    /// Its share of what the key's distribution gives all names, 0..=1.
    pub share: f64,
    /// What is in its way.
    pub reason: Reason,
}

/// What lasts of a die.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct LastingState {
    /// The suspended erase, and the suspended program.
    pub suspended: ByAxis<Option<OpId>>,
    /// What the one-shot latch, and what the copyback latch, was last loaded with.
    pub latches: [Option<LatchLevel>; 2],
    /// The cache program that goes on.
    pub cache_program: Option<CacheProgramKind>,
    /// Whether on-die termination is off.
    pub odt_disabled: bool,
    /// Whether write protect is on.
    pub write_protected: bool,
    /// Planes with data that has not been put out.
    pub unread: PlaneSet,
    /// The planes in each cache-read state.
    pub cache_reads: Vec<(CacheReadKind, PlaneSet)>,
    /// How many blocks are how far.
    pub blocks: BlockCounts,
}

/// Blocks of a die; each is counted once.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct BlockCounts {
    /// Never usable.
    pub bad: u32,
    /// Must be erased before anything else.
    pub not_erased: u32,
    /// Erased, nothing programmed, by cell type.
    pub erased: Vec<(CellTypeId, u32)>,
    /// Programmed, with pages left, by cell type.
    pub open: Vec<(CellTypeId, u32)>,
    /// Programmed to the last page, by cell type.
    pub full: Vec<(CellTypeId, u32)>,
    /// Suspended while they were erased or programmed.
    pub in_flight: u32,
}

/// What tells dead dies from idle ones; kept by a site.
#[derive(Clone, Debug)]
pub(crate) struct DeadDieDetector {
    /// From so many refills on the site is looked at again.
    pub(crate) next_look: u64,
    /// By die the last operation with a place there; after these the last one that worked on every die.
    last: Vec<Option<LastStart>>,
    /// Whether the site goes on from a snapshot, so that earlier operations are not in `last`.
    pub(crate) is_continued: bool,
    /// How many operations the site had started when it was looked at last.
    seen: u64,
    /// Looks in this run.
    looks: u32,
    /// Looks in a row at which the whole device was at rest and nothing had started since the one before.
    silent: u32,
    /// A bit for each die in `dead`.
    known: u64,
    pub(crate) dead: Vec<DeadDie>,
    /// A bit for each die that was told of.
    told: u64,
    /// When the run ends at the latest, and whether something other than that was asked for.
    run_end: Ticks,
    gives_up: bool,
    /// Whether refills are walked through although all dies are dead.
    #[cfg(test)]
    walks_on: bool,
}

impl DeadDieDetector {
    pub(crate) fn new(dies: u8) -> Self {
        Self {
            next_look: 0,
            last: vec![None; usize::from(dies) + 1],
            is_continued: false,
            seen: u64::MAX,
            looks: 0,
            silent: 0,
            known: 0,
            dead: Vec::new(),
            told: 0,
            run_end: Ticks::ZERO,
            gives_up: false,
            #[cfg(test)]
            walks_on: false,
        }
    }

    /// Begins a run. Only what was proved lasts: a run in which names are tried without success is no proof, and a site that goes on
    /// from a snapshot does not know of it.
    pub(crate) fn begin_run(&mut self, end: Ticks, gives_up: bool) {
        self.run_end = end;
        self.gives_up = gives_up;
        (self.next_look, self.seen, self.looks, self.silent) = (0, u64::MAX, 0, 0);
        self.dead.retain(|dead| !dead.in_vain);
        self.known = self.dead.iter().fold(0, |all, dead| all | 1 << dead.die.0);
    }

    /// Notes the start of an operation.
    pub(crate) fn started(&mut self, step: Step, reach: Reach, now: Ticks) {
        debug_assert!(self.known & 1 << step.place.die.0 == 0, "an operation starts on a dead die");
        let at = if reach == Reach::Target { self.last.len() - 1 } else { usize::from(step.place.die.0) };
        if let Some(last) = self.last.get_mut(at) {
            *last = Some(LastStart { op: step.op, at: now });
        }
    }

    /// The last operation that worked on a die.
    fn last_on(&self, die: Die) -> Option<LastStart> {
        let known = [self.last[self.last.len() - 1], self.last[usize::from(die.0)]];
        known.into_iter().flatten().max_by_key(|last| last.at)
    }

    /// Tells of the dies that were found dead and were not told of.
    pub(crate) fn tell(&mut self, on_dead: Option<&(dyn Fn(&DeadDie) + Sync)>) {
        if self.known & !self.told == 0 {
            return;
        }
        if let Some(on_dead) = on_dead {
            self.dead.iter().filter(|dead| self.told & 1 << dead.die.0 == 0).for_each(on_dead);
        }
        self.told |= self.known;
    }
}

/// Whether an operation of a base may change a die that no address of it names.
pub(crate) const fn changes_other_dies(info: &BaseInfo) -> bool {
    let effects = &info.effects;
    let shows = info.affects_state && info.occupies;
    effects.changes_target || matches!(info.reach, Reach::Target) && (shows || !info.is_inert())
}

/// By chunk the classes that may start somewhere and change every die.
pub(crate) fn changing_all(setup: &Setup, tables: &Tables) -> Vec<u64> {
    let mut all: Vec<u64> = (0..setup.classes.chunks())
        .map(|chunk| setup.distributions.iter().fold(0, |all, distribution| all | distribution.set(chunk)))
        .collect();
    let steps = setup.chains.iter().flatten().flat_map(|step| &step.names);
    for id in steps.map(|name| setup.classes.of(tables.op(name.op))) {
        all[id.chunk()] |= id.bit();
    }
    for (chunk, classes) in all.iter_mut().enumerate() {
        *classes &= setup.classes.bits(chunk, |class| changes_other_dies(tables.base(class.base)));
    }
    all
}

/// The dies that a name with a weight addresses from any die, a bit each.
pub(crate) fn named_dies(setup: &Setup) -> u64 {
    let names = setup.distributions.iter().flat_map(Distribution::names);
    names.fold(0, |all, &(op, _)| match setup.tables.op(op).status_of {
        Some(StatusOf::Lun(lun)) => all | 1 << lun,
        Some(StatusOf::Die | StatusOf::Plane) | None => all,
    })
}

impl Site<'_> {
    /// The dies on which nothing can ever start again, between runs: those that the last run of this site object found, and those
    /// that the present state shows to be dead.
    #[must_use]
    pub fn dead_dies(&mut self) -> Vec<DeadDie> {
        self.find_dead_dies(self.dies_at_rest(self.quiet), self.quiet);
        self.detector.dead.clone()
    }

    /// Looks, before a run proposes anything, for dies on which nothing can ever start again; if all are dead, ends its refills.
    pub(crate) fn look_before_run(&mut self) {
        if self.bootstrap.is_none() && self.find_dead_dies(self.dies_at_rest(self.quiet), self.quiet) {
            self.skip_refills();
        }
    }

    /// Looks for dies on which nothing can ever start again; if that is true of all, ends the run's refills.
    #[cold]
    #[inline(never)]
    pub(crate) fn look_for_dead_dies(&mut self, now: Ticks) {
        let round = self.round();
        let detector = &mut self.detector;
        detector.next_look = self.refills + 2 * round;
        if self.bootstrap.is_some() || !self.proposing {
            return;
        }
        detector.looks = detector.looks.wrapping_add(1);
        let lives = std::mem::replace(&mut detector.seen, self.uid) != self.uid;
        // Where some die lives others may be dead: there is no hurry.
        if lives && !detector.looks.is_multiple_of(PARTIAL) {
            detector.silent = 0;
            return;
        }
        let resting = self.dies_at_rest(now);
        let all_dead = self.find_dead_dies(resting, now);
        let detector = &mut self.detector;
        detector.silent = if lives || resting != self.setup.all_dies() { 0 } else { detector.silent.saturating_add(1) };
        if all_dead || (detector.gives_up && detector.silent == PATIENCE && self.tries_in_vain(now)) {
            self.skip_refills();
        }
    }

    /// Notes the dies on which nothing can ever start again, of those at rest; returns whether no other die is left.
    fn find_dead_dies(&mut self, resting: u64, now: Ticks) -> bool {
        if resting & !self.detector.known != 0 {
            let found = self.dead_among(resting, now);
            self.note_dead(found, now, None);
        }
        self.detector.known == self.setup.all_dies()
    }

    /// Notes dies as dead, those apart that are known to be; see [`Site::describe`].
    fn note_dead(&mut self, found: u64, now: Ticks, failed: Option<&[(Die, OpId, Reason)]>) {
        for die in places(found & !self.detector.known).map(|die| Die(die as u8)) {
            let found = self.describe(die, now, failed);
            self.detector.dead.push(found);
        }
        self.detector.known |= found;
    }

    /// The dies at rest, a bit each.
    fn dies_at_rest(&self, now: Ticks) -> u64 {
        let dies = (0..self.setup.tables.size.dies).map(Die);
        dies.filter(|die| self.is_at_rest(*die, now)).fold(0, |all, die| all | 1 << die.0)
    }

    /// Whether nothing but refills (and further hooks of a directed site) can concern a die.
    fn is_at_rest(&self, die: Die, now: Ticks) -> bool {
        let tables = &self.setup.tables;
        let concerns = |op: OpId, at: Die| at == die || tables.base(tables.op(op).base).reach == Reach::Target;
        let mut steps = self.wait_queue.waiters.iter().map(|waiter| waiter.plan[0]);
        // What is true of most dies most of the time is asked first.
        self.device.occupied(die).is_empty()
            && self.device.rests_from(die) <= now
            && !self.device.flights().any(|(_, flight)| concerns(flight.op, flight.place.die))
            && !steps.any(|step| concerns(step.op, step.place.die))
            && self.waiting_chains(die).next().is_none()
            && !self.queue.events().any(|event| matches!(event, Event::Hook(hook) if hook.die == die))
    }

    /// Which of the dies at rest can never start anything again, a bit each.
    fn dead_among(&mut self, resting: u64, now: Ticks) -> u64 {
        let setup = self.setup;
        let dies = |of: u64| places(of).map(|die| Die(die as u8));
        for die in dies(resting) {
            self.constraints[usize::from(die.0)].refresh(&self.device, setup, die, now);
        }
        let all = self.setup.all_dies();
        let mut dead = resting;
        loop {
            // What a dead die forbids all dies stays forbidden.
            let forbidden = |chunk: usize, but: Option<Die>| {
                let others = dies(dead).filter(|die| Some(*die) != but);
                others.fold(0, |all, die| all | self.constraints[usize::from(die.0)].chunks[chunk].against)
            };
            let lives = |die: &Die| self.eligible_at_rest(*die, now, &|chunk| forbidden(chunk, Some(*die)));
            // A hook on a die that lives can start what reads the status of another.
            let named = if dead == all { 0 } else { setup.named_dies };
            let live = dies(dead).filter(lives).fold(dead & named, |all, die| all | 1 << die.0);
            dead &= !live;
            if live == 0 {
                break;
            }
        }
        let from_outside = || {
            let against = |chunk: usize| {
                let all =
                    dies(dead).fold(0, |all, die| all | self.constraints[usize::from(die.0)].chunks[chunk].against);
                all & setup.groups.chunks()[chunk].on_target
            };
            setup.changing_all.iter().enumerate().any(|(chunk, classes)| classes & !against(chunk) != 0)
        };
        if dead != 0 && dead != all && from_outside() { self.detector.known } else { dead | self.detector.known }
    }

    /// Whether a class of names with a weight is eligible on a die at rest whose constraints are up to date.
    fn eligible_at_rest(&self, die: Die, now: Ticks, forbidden: &dyn Fn(usize) -> u64) -> bool {
        let constraints = &self.constraints[usize::from(die.0)];
        self.refill_keys(die, now).any(|(plane, key)| {
            let view = View { die, plane, chained: self.chains.any_on(die), rested: false };
            let distribution = self.setup.distribution(key);
            let mut open = (0..).zip(self.open_without_delay(&view, constraints));
            open.any(|(chunk, open)| open & distribution.set(chunk) & !forbidden(chunk) != 0)
        })
    }

    /// By chunk the classes, whatever their weight, that the constraints of a die let a refill propose, `Delay` apart.
    fn open_without_delay(&self, view: &View, constraints: &DieConstraints) -> impl Iterator<Item = u64> {
        let Setup { classes, groups, tables, .. } = self.setup;
        constraints.chunks.iter().zip(groups.chunks()).enumerate().map(move |(chunk, (masks, group))| {
            view.open(masks, group) & !classes.bits(chunk, |class| tables.base(class.base).effects.delay)
        })
    }

    /// The planes of a die at rest with the keys that refills, and further hooks of a directed site, have there.
    fn refill_keys(&self, die: Die, now: Ticks) -> impl Iterator<Item = (Plane, PhaseKey)> {
        let planes = self.device.planes().iter();
        planes
            .flat_map(move |plane| self.keys_after(self.device.phase_key(die, plane, now)).map(move |key| (plane, key)))
    }

    /// The keys that refills, and further hooks of a directed site, have on an idle plane with this END key.
    fn keys_after(&self, end: PhaseKey) -> impl Iterator<Item = PhaseKey> {
        let refill = key_at(HookKind::Refill, || true, self.setup.refill_uses_end_key, end);
        let extra = Some(end).filter(|&end| end != refill && self.is_directed());
        std::iter::once(refill).chain(extra)
    }

    /// Whether no name is accepted on a device at rest, however often it is tried; notes every die as dead then.
    fn tries_in_vain(&mut self, now: Ticks) -> bool {
        let mut failed: Vec<(Die, OpId, Reason)> = Vec::new();
        let dies = self.setup.tables.size.dies;
        for die in (0..dies).map(Die) {
            self.constraints[usize::from(die.0)].refresh(&self.device, self.setup, die, now);
        }
        for die in (0..dies).map(Die) {
            let keys: Vec<(Plane, PhaseKey)> = self.refill_keys(die, now).collect();
            for (plane, key) in keys {
                if self.accepts((die, plane, key), now, &mut failed) {
                    return false;
                }
            }
        }
        self.note_dead(self.setup.all_dies(), now, Some(&failed));
        true
    }

    /// Tries each eligible class of a refill on a plane; returns whether some plan could start. Of each name that failed the last
    /// reason is noted.
    fn accepts(
        &mut self,
        (die, plane, key): (Die, Plane, PhaseKey),
        now: Ticks,
        failed: &mut Vec<(Die, OpId, Reason)>,
    ) -> bool {
        let setup = self.setup;
        let distribution: &Distribution = setup.distribution(key);
        let view = View { die, plane, chained: self.chains.any_on(die), rested: false };
        // Not by `View::fill`: with one caller alone it is compiled into that as a whole.
        let others = || self.constraints.iter().enumerate().filter(|(at, _)| *at != usize::from(die.0));
        let against = |chunk: usize| others().fold(0, |all, (_, constraints)| all | constraints.chunks[chunk].against);
        let open = (0..).zip(self.open_without_delay(&view, &self.constraints[usize::from(die.0)]));
        let eligible = open.map(|(chunk, open)| (chunk, open & distribution.set(chunk) & !against(chunk)));
        let classes: Vec<ClassId> =
            eligible.flat_map(|(chunk, set)| places(set).map(move |at| ClassId::at(chunk, at))).collect();
        let state = crate::event_reporter::op_state(self.device.plane_phase(die, plane, now));
        let proposal = nandseq_trace::Proposal { time: now, die, plane, key_used: key, key_virtual: key, state };
        for id in classes {
            let names = distribution.names_of(id);
            for number in 0..TRIES.max(names.len() as u64) {
                let (op, _) = names[number as usize % names.len()];
                let mut stream = Stream::new(self.key(), StreamKind::Trial, number);
                let planned = self.plan_name(&view, (op, id), &proposal, &mut stream);
                let plan = std::mem::take(&mut self.plan);
                let verdict = planned.and_then(|_| self.admit(&plan, now));
                self.plan = plan;
                let Err(reason) = verdict else { return true };
                failed.retain(|&(of, name, _)| (of, name) != (die, op));
                failed.push((die, op, reason));
            }
        }
        false
    }

    /// Counts the refills that are left of the run, at which nothing can start.
    fn skip_refills(&mut self) {
        #[cfg(test)]
        if self.detector.walks_on {
            return;
        }
        let Some(next) = self.queue.next_refill().filter(|&next| next < self.detector.run_end) else { return };
        let grid = self.setup.tables.grid;
        let following = (next + self.setup.refill_period).ceil_to(grid);
        // From the second on they are on the grid, and evenly spaced.
        let step = (following + self.setup.refill_period).ceil_to(grid) - following;
        let more = if following < self.detector.run_end {
            (self.detector.run_end - following).0.div_ceil(step.0.max(1))
        } else {
            0
        };
        self.refills += 1 + more;
        self.lane = self.lane_of(self.refills);
        self.queue.put_refill_off(Ticks(following.0 + more * step.0));
    }
}

#[cfg(test)]
mod tests;
