//! A look at a site for dead dies: which dies are at rest, and what refills could propose there.

use nandseq_device::Reach;
use nandseq_profile::{Die, OpId, PhaseKey, Plane, Ticks};

use crate::kernel::{Event, Kernel};
use crate::policy::{CoverageCounts, HookKind, Policy, key_at};
use crate::proposal::{DieConstraints, Proposer, View};
use crate::setup::{ClassSet, CompiledSetup, Setup, places};

/// A wait of so many refill periods is long.
const LONG: u64 = 4_096;

/// The parts of a site that a look needs, at a time.
pub(crate) struct Look<'a, 's> {
    pub(crate) setup: &'s Setup,
    pub(crate) kernel: &'a mut Kernel<'s>,
    pub(crate) proposer: &'a mut Proposer,
    pub(crate) policy: &'a Policy,
    pub(crate) counts: Option<&'a CoverageCounts>,
    /// The key of the run's streams.
    pub(crate) key: [u64; 2],
    pub(crate) now: Ticks,
}

impl Look<'_, '_> {
    /// A hook on a plane of a die at rest.
    pub(super) fn view(&self, die: Die, plane: Plane) -> View {
        View { die, plane, chained: self.kernel.chains.any_on(die), rested: false }
    }

    /// Brings the constraints of some dies, a bit each, up to date.
    pub(super) fn refresh(&mut self, dies: u64) {
        for die in places(dies) {
            self.proposer.constraints[die].refresh(&self.kernel.device, self.setup, Die(die as u8), self.now);
        }
    }

    /// By chunk, the classes that a hook lets in on a die whose constraints are up to date, whatever their weight, without
    /// `Delay`.
    pub(super) fn open(&self, view: &View) -> impl Iterator<Item = ClassSet> {
        self.open_under(view, &self.proposer.constraints[usize::from(view.die.0)])
    }

    /// The classes of [`Look::open`] under other constraints.
    pub(super) fn open_under(&self, view: &View, constraints: &DieConstraints) -> impl Iterator<Item = ClassSet> {
        let CompiledSetup { classes, groups, tables, .. } = &**self.setup;
        constraints.chunks.iter().zip(groups.chunks()).enumerate().map(move |(chunk, (masks, group))| {
            view.open(masks, group) & !classes.bits(chunk, |class| tables.base(class.base).effects.delay)
        })
    }

    /// The dies at rest, a bit each.
    pub(super) fn dies_at_rest(&self) -> u64 {
        let dies = (0..self.setup.tables.size.dies).map(Die);
        dies.filter(|die| self.is_at_rest(*die)).fold(0, |all, die| all | 1 << die.0)
    }

    /// Whether nothing but refills (and further hooks of a directed site) can concern a die.
    fn is_at_rest(&self, die: Die) -> bool {
        let tables = &self.setup.tables;
        let concerns = |op: OpId, at: Die| at == die || tables.base_of(op).reach == Reach::Target;
        let mut steps = self.kernel.waiting.waiters.iter().map(|waiter| waiter.plan[0]);
        // Conditions that most dies fail most of the time come first.
        self.kernel.device.occupied(die).is_empty()
            && self.kernel.device.rests_from(die) <= self.now
            && !self.kernel.device.flights().any(|(_, flight)| concerns(flight.op, flight.place.die))
            && !steps.any(|step| concerns(step.op, step.place.die))
            && self.kernel.waiting_chains(die).next().is_none()
            && !self.kernel.queue.events().any(|event| matches!(event, Event::Hook(hook) if hook.die == die))
    }

    /// If nothing but refills comes for long, none of which can propose anything: until when, at the latest until `end`. Directed sites
    /// propose in other ways.
    pub(crate) fn nothing_starts_until(&mut self, end: Ticks) -> Option<Ticks> {
        let CompiledSetup { tables, refill_period, .. } = &**self.setup;
        let first_end = self.kernel.device.flights().map(|(_, flight)| flight.end).min()?;
        // What comes sooner costs less to wait for.
        let is_long = first_end.0.saturating_sub(self.now.0) / LONG >= refill_period.0;
        if !is_long || self.policy.is_directed() {
            return None;
        }
        let others = self.kernel.queue.in_order().into_iter().filter(|(_, event)| *event != Event::Refill);
        let (events, next) = (others.map(|(time, _)| time).min()?, self.kernel.queue.next_refill()?);
        let dies = || (0..tables.size.dies).map(Die);
        let (device, now) = (&self.kernel.device, self.now);
        let phases = dies().map(|die| {
            let suspend_targets = device.suspend_targets_until(tables, die, now).1;
            device.op_states(die, now, |_, _| {}).min(suspend_targets)
        });
        let until = phases.fold(events.min(end), Ticks::min);
        self.refresh(self.setup.all_dies());
        let places = dies().flat_map(|die| self.kernel.device.planes().iter().map(move |plane| (die, plane)));
        let is_closed = |(die, plane): (Die, Plane)| {
            let device = &self.kernel.device;
            // The keys change at the very tick after a phase begins, and then not before `until`.
            let of_plane = device.phase_key(die, plane, next);
            let is_idle = device.is_idle(die, plane, next);
            let key = key_at(HookKind::Refill, is_idle, self.setup.refill_uses_end_key, of_plane);
            let distribution = self.policy.distribution(self.setup, key);
            let against = |chunk| self.against(chunk, dies().filter(|other| *other != die));
            let view = self.view(die, plane);
            let mut open = (0..).zip(self.open(&view));
            open.all(|(chunk, open)| (open & distribution.set(chunk) & !against(chunk)).is_empty())
        };
        (next < until && places.into_iter().all(is_closed)).then_some(until)
    }

    /// The dies at rest on which nothing can ever start again, and those known to be dead, a bit each.
    pub(super) fn dead_among(&mut self, resting: u64, known: u64) -> u64 {
        let setup = self.setup;
        let dies = |of: u64| places(of).map(|die| Die(die as u8));
        self.refresh(resting);
        let all = setup.all_dies();
        let mut dead = resting;
        loop {
            // What a dead die forbids on all dies stays forbidden.
            let lives =
                |die: &Die| self.lets_in(*die, &|chunk| self.against(chunk, dies(dead).filter(|other| other != die)));
            // A hook on a die that lives can start an operation that reads the status of another die.
            let named = if dead == all { 0 } else { setup.across_dies.named };
            let live = dies(dead).filter(lives).fold(dead & named, |all, die| all | 1 << die.0);
            dead &= !live;
            if live == 0 {
                break;
            }
        }
        let from_outside = || {
            let against = |chunk: usize| self.against(chunk, dies(dead)) & setup.groups.chunks()[chunk].on_target;
            setup
                .across_dies
                .changing_all
                .iter()
                .enumerate()
                .any(|(chunk, &classes)| !(classes & !against(chunk)).is_empty())
        };
        // Where so many blocks may be open on all dies, another die may close one.
        let from_others = || self.kernel.device.book.open_limit().is_some() || from_outside();
        if dead != 0 && dead != all && from_others() { known } else { dead | known }
    }

    /// The classes of a chunk that the constraints of some dies forbid on all dies.
    pub(super) fn against(&self, chunk: usize, dies: impl Iterator<Item = Die>) -> ClassSet {
        dies.fold(ClassSet::NONE, |all, die| all | self.proposer.constraints[usize::from(die.0)].chunks[chunk].against)
    }

    /// Whether a class of names with a weight is eligible on a die at rest whose constraints are up to date.
    fn lets_in(&self, die: Die, forbidden: &dyn Fn(usize) -> ClassSet) -> bool {
        self.refill_keys(die).any(|(plane, key)| {
            let view = self.view(die, plane);
            let distribution = self.setup.distribution(key);
            let mut open = (0..).zip(self.open(&view));
            open.any(|(chunk, open)| !(open & distribution.set(chunk) & !forbidden(chunk)).is_empty())
        })
    }

    /// The planes of a die at rest with the keys that refills, and further hooks of a directed site, have there.
    pub(super) fn refill_keys(&self, die: Die) -> impl Iterator<Item = (Plane, PhaseKey)> {
        let planes = self.kernel.device.planes().iter();
        planes.flat_map(move |plane| {
            self.keys_after(self.kernel.device.phase_key(die, plane, self.now)).map(move |key| (plane, key))
        })
    }

    /// The keys that refills, and further hooks of a directed site, have on an idle plane with this END key.
    pub(super) fn keys_after(&self, end: PhaseKey) -> impl Iterator<Item = PhaseKey> {
        let refill = key_at(HookKind::Refill, true, self.setup.refill_uses_end_key, end);
        let extra = Some(end).filter(|&end| end != refill && self.policy.is_directed());
        std::iter::once(refill).chain(extra)
    }
}
