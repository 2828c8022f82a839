//! Dies on which nothing can ever start again.
//!
//! A die is *at rest* when nothing is in flight there, no phase is open, no chain or proposal waits for it and no hook is to come: then
//! only refills ask it, always in the same state. It is *dead* when, besides, no class of names with a weight is eligible under any key
//! that a refill can have there, and nothing that could start on another die would change it. That is a proof, not a matter of luck, and
//! holds for ever. When all dies are dead the rest of the run is known: refills that draw nothing. They are counted, not walked
//! through, so that the site is left as if they had come.
//!
//! Names may also be eligible and never be accepted, because no address or no chain fits. Nothing but trying shows that: after
//! `PATIENCE` rounds of silence on a device at rest, `TRIES` plans are made for each class. If all fail, a run that is limited by
//! operations or coverage goes no further; one that is limited by time alone goes on, as it always did.

mod describe;

use nandseq_device::{BaseInfo, Reach, Tables};
use nandseq_profile::model::{Axis, CacheProgramKind, CacheReadKind, LatchLevel, StatusOf};
use nandseq_profile::{CellTypeId, Die, OpId, PhaseKey, Plane, PlaneSet, Ticks};

use crate::chain::Step;
use crate::classes::{ClassId, places};
use crate::eligible::View;
use crate::philox::{Stream, StreamKind};
use crate::queue::Event;
use crate::reason::Reason;
use crate::setup::{Distribution, Setup};
use crate::site::Site;

/// Looks, each two rounds of refills after the one before, at which a device at rest has started nothing before plans are tried.
const PATIENCE: u32 = 32;
/// Plans that are tried for each class, die and key before the state is given up.
const TRIES: u64 = 1_024;

/// An operation that started.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Last {
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
    /// When the last phase on it ended, since the start of the site.
    pub since: Ticks,
    /// The last operation that started there, as far as this site object has seen; `None`: it saw none.
    pub last: Option<Last>,
    /// The state that it stays in.
    pub state: LastingState,
    /// The keys under which refills propose there, ascending.
    pub keys: Vec<PhaseKey>,
    /// Every name with a weight under one of these keys, and why it cannot start.
    pub barred: Vec<Barred>,
    /// Names that could start there now, have no weight under these keys, and would let a name that has one start again.
    pub freed_by: Vec<OpId>,
    /// Whether names are eligible, but none was accepted however often it was tried.
    pub in_vain: bool,
}

/// A name with a weight that cannot start.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Barred {
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
    pub suspended: [Option<OpId>; 2],
    /// What the one-shot latch, and what the copyback latch, was last loaded with.
    pub latches: [Option<LatchLevel>; 2],
    /// The cache program that goes on.
    pub cache_program: Option<CacheProgramKind>,
    /// Whether on-die termination is off.
    pub odt_disabled: bool,
    /// Planes with data that has not been put out.
    pub unread: PlaneSet,
    /// The planes in each cache-read state.
    pub cache_reads: Vec<(CacheReadKind, PlaneSet)>,
    /// How many blocks are how far.
    pub blocks: BlockCounts,
}

impl LastingState {
    /// What is suspended on an axis.
    #[must_use]
    pub const fn suspended(&self, axis: Axis) -> Option<OpId> {
        match axis {
            Axis::Erase => self.suspended[0],
            Axis::Program => self.suspended[1],
        }
    }
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
pub(crate) struct Watch {
    /// From so many refills on the dies are looked at again.
    pub(crate) next_look: u64,
    /// By die: its last operation, and its number; the last one that worked on every die.
    last: Vec<(u64, Last)>,
    last_everywhere: (u64, Last),
    /// By die: the number of its last operation when it was looked at last.
    seen: Vec<u64>,
    /// Looks in a row at which the whole device was at rest and nothing had started since the one before.
    silent: u32,
    /// A bit for each dead die.
    known: u64,
    pub(crate) dead: Vec<DeadDie>,
    told: usize,
    /// When the run ends at the latest, and whether something other than that was asked for.
    run_end: Ticks,
    gives_up: bool,
}

const NEVER: (u64, Last) = (0, Last { op: OpId(0), at: Ticks::ZERO });

impl Watch {
    pub(crate) fn new(dies: u8) -> Self {
        let dies = usize::from(dies);
        Self {
            next_look: 0,
            last: vec![NEVER; dies],
            last_everywhere: NEVER,
            seen: vec![u64::MAX; dies],
            silent: 0,
            known: 0,
            dead: Vec::new(),
            told: 0,
            run_end: Ticks::ZERO,
            gives_up: false,
        }
    }

    pub(crate) const fn begin_run(&mut self, end: Ticks, gives_up: bool) {
        self.run_end = end;
        self.gives_up = gives_up;
    }

    /// Notes the start of an operation.
    pub(crate) fn started(&mut self, step: Step, reach: Reach, uid: u64, now: Ticks) {
        let own = (uid, Last { op: step.op, at: now });
        if let Some(last) = self.last.get_mut(usize::from(step.place.die.0)) {
            *last = own;
        }
        if reach == Reach::Target {
            self.last_everywhere = own;
        }
    }

    fn last_on(&self, die: Die) -> (u64, Last) {
        let own = self.last[usize::from(die.0)];
        if own.0 >= self.last_everywhere.0 { own } else { self.last_everywhere }
    }

    /// Tells of the dies that were found dead since this was last called.
    pub(crate) fn tell(&mut self, on_dead: Option<&(dyn Fn(&DeadDie) + Sync)>) {
        if let Some(on_dead) = on_dead {
            self.dead[self.told..].iter().for_each(on_dead);
        }
        self.told = self.dead.len();
    }
}

/// Whether an operation of a base may change a die that no address of it names.
pub(crate) const fn changes_other_dies(info: &BaseInfo) -> bool {
    let effects = &info.effects;
    let shows = info.affects_state && info.occupies;
    effects.odt_enable || effects.odt_disable || matches!(info.reach, Reach::Target) && (shows || !info.is_inert())
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
    /// The dies on which nothing can ever start again, between runs; what was seen of them before is not known.
    #[must_use]
    pub fn dead_dies(&mut self) -> Vec<DeadDie> {
        let (now, dies) = (self.quiet, self.setup.tables.size.dies);
        let resting = (0..dies).map(Die).filter(|die| self.is_at_rest(*die, now)).fold(0, |all, die| all | 1 << die.0);
        let dead = self.dead_among(resting, now);
        (0..dies).map(Die).filter(|die| dead & 1 << die.0 != 0).map(|die| self.describe(die, now, None)).collect()
    }

    /// Looks for dies on which nothing can ever start again; if that is true of all, ends the run's refills.
    #[cold]
    #[inline(never)]
    pub(crate) fn look_for_dead_dies(&mut self, now: Ticks) {
        self.watch.next_look = self.refills + 2 * self.round();
        if self.bootstrap.is_some() || !self.proposing {
            return;
        }
        let dies = self.setup.tables.size.dies;
        let all = self.all_dies();
        let mut resting = 0;
        for die in (0..dies).map(Die) {
            let at = usize::from(die.0);
            let last = self.watch.last_on(die).0;
            if std::mem::replace(&mut self.watch.seen[at], last) == last && self.is_at_rest(die, now) {
                resting |= 1 << die.0;
            }
        }
        let dead = if resting & !self.watch.known == 0 { self.watch.known } else { self.dead_among(resting, now) };
        for die in (0..dies).map(Die).filter(|die| dead & !self.watch.known & 1 << die.0 != 0) {
            let found = self.describe(die, now, None);
            self.watch.dead.push(found);
        }
        self.watch.known |= dead;
        self.watch.silent = if resting == all { self.watch.silent.saturating_add(1) } else { 0 };
        let is_final = dead == all || (self.watch.gives_up && self.watch.silent >= PATIENCE && self.tries_in_vain(now));
        if is_final {
            self.skip_refills();
        }
    }

    /// A bit for each die.
    fn all_dies(&self) -> u64 {
        u64::MAX >> (64 - u32::from(self.setup.tables.size.dies))
    }

    /// Whether nothing but refills (and further hooks of a directed site) can concern a die.
    fn is_at_rest(&self, die: Die, now: Ticks) -> bool {
        let tables = &self.setup.tables;
        let concerns = |op: OpId, at: Die| at == die || tables.base(tables.op(op).base).reach == Reach::Target;
        let mut steps = self.bench.waiters.iter().map(|waiter| waiter.plan[0]);
        let waiting =
            self.chains.live_on(die).filter(|(id, _)| !self.parked.iter().flatten().any(|own| *own == Some(*id)));
        self.device.rests_from(die) <= now
            && self.device.occupied(die).is_empty()
            && !self.device.flights().any(|(_, flight)| concerns(flight.op, flight.place.die))
            && !steps.any(|step| concerns(step.op, step.place.die))
            && waiting.count() == 0
            && !self.queue.events().any(|event| matches!(event, Event::Hook(hook) if hook.die == die))
    }

    /// Which of the dies at rest can never start anything again, a bit each.
    fn dead_among(&mut self, resting: u64, now: Ticks) -> u64 {
        let setup = self.setup;
        let dies = |of: u64| places(of).map(|die| Die(die as u8));
        for die in dies(resting) {
            self.faces[usize::from(die.0)].refresh(&self.device, setup, die, now);
        }
        let all = self.all_dies();
        let mut dead = resting;
        loop {
            // What a dead die forbids all dies stays forbidden.
            let forbidden = |chunk: usize, but: Option<Die>| {
                let others = dies(dead).filter(|die| Some(*die) != but);
                others.fold(0, |all, die| all | self.faces[usize::from(die.0)].chunks[chunk].against)
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
                let all = dies(dead).fold(0, |all, die| all | self.faces[usize::from(die.0)].chunks[chunk].against);
                all & setup.groups.chunks()[chunk].on_target
            };
            setup.changing_all.iter().enumerate().any(|(chunk, classes)| classes & !against(chunk) != 0)
        };
        if dead != 0 && dead != all && from_outside() { self.watch.known } else { dead | self.watch.known }
    }

    /// Whether a class of names with a weight is eligible on a die at rest whose face is up to date.
    fn eligible_at_rest(&self, die: Die, now: Ticks, forbidden: &dyn Fn(usize) -> u64) -> bool {
        self.lanes_at_rest(die, now).any(|(plane, key)| {
            let distribution = self.setup.distribution(key);
            (0..self.setup.classes.chunks())
                .any(|chunk| self.open_at_rest(die, plane, chunk) & distribution.set(chunk) & !forbidden(chunk) != 0)
        })
    }

    /// The classes of a chunk that nothing on a die at rest forbids a refill on a plane, whatever their weight; `Delay` apart.
    fn open_at_rest(&self, die: Die, plane: Plane, chunk: usize) -> u64 {
        let sight = &self.faces[usize::from(die.0)].chunks[chunk];
        let chained = if self.chains.any_on(die) { sight.unless_chained } else { 0 };
        let tables = &self.setup.tables;
        let delays = self.setup.classes.bits(chunk, |class| tables.base(class.base).effects.delay);
        sight.open & !sight.not_at[usize::from(plane.0)] & !chained & !delays
    }

    /// The planes of a die at rest with the keys that hooks can have there.
    fn lanes_at_rest(&self, die: Die, now: Ticks) -> impl Iterator<Item = (Plane, PhaseKey)> {
        self.device.planes().iter().flat_map(move |plane| {
            let end = self.device.phase_key(die, plane, now);
            let refill = if self.setup.refill_uses_end_key { end } else { PhaseKey::DEFAULT };
            let extra = Some(end).filter(|&end| end != refill && self.is_directed());
            std::iter::once(refill).chain(extra).map(move |key| (plane, key))
        })
    }

    /// Whether no name is accepted on a device at rest, however often it is tried; notes every die as dead then.
    fn tries_in_vain(&mut self, now: Ticks) -> bool {
        if self.watch.silent > PATIENCE {
            return false; // it was tried in this silence
        }
        let mut failed: Vec<(Die, OpId, Reason)> = Vec::new();
        let dies = self.setup.tables.size.dies;
        for die in (0..dies).map(Die) {
            let lanes: Vec<(Plane, PhaseKey)> = self.lanes_at_rest(die, now).collect();
            for (plane, key) in lanes {
                if self.accepts((die, plane, key), now, &mut failed) {
                    return false;
                }
            }
        }
        for die in (0..dies).map(Die).filter(|die| self.watch.known & 1 << die.0 == 0) {
            let found = self.describe(die, now, Some(&failed));
            self.watch.dead.push(found);
        }
        self.watch.known = self.all_dies();
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
        let Self { device, lottery, faces, .. } = self;
        view.fill(lottery, distribution, faces, (device, setup), now, || false);
        let delays = |id: &ClassId| setup.tables.base(setup.classes.get(*id).base).effects.delay;
        let classes: Vec<ClassId> = self.lottery.eligible().filter(|id| !delays(id)).collect();
        let state = crate::journal::op_state(self.device.plane_phase(die, plane, now));
        let proposal = nandseq_trace::Proposal { time: now, die, plane, key_used: key, key_virtual: key, state };
        for id in classes {
            let names = distribution.names_of(id);
            for number in 0..TRIES {
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
        let Some(next) = self.queue.next_refill().filter(|&next| next < self.watch.run_end) else { return };
        let grid = self.setup.tables.grid;
        let following = (next + self.setup.refill_period).ceil_to(grid);
        // From the second on they are on the grid, and evenly spaced.
        let step = (following + self.setup.refill_period).ceil_to(grid) - following;
        let more =
            if following < self.watch.run_end { (self.watch.run_end - following).0.div_ceil(step.0.max(1)) } else { 0 };
        self.refills += 1 + more;
        self.lane = self.lane_of(self.refills);
        self.queue.put_refill_off(Ticks(following.0 + more * step.0));
    }
}

#[cfg(test)]
mod tests;
