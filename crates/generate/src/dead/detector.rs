//! Tells dead dies from idle ones, over the runs of a site.

use nandseq_device::Reach;
use nandseq_profile::{Die, OpId, PhaseKey, Plane, Ticks};

use super::facts::{DeadDie, LastStart, Rest};
use super::look::Look;
use crate::kernel::Step;
use crate::proposal::Preference;
use crate::random::{Stream, StreamKind};
use crate::refills::Refills;
use crate::reporting::RefusalReason;
use crate::setup::{ClassId, places};

/// So many looks in a row, two rounds of refills apart, find a device at rest that has started nothing before plans are tried.
const PATIENCE: u32 = 32;
/// On a device that starts operations, only one look in so many searches for dead dies.
const PARTIAL: u32 = 8;
/// The number of plans that are tried for each class, die, plane and key before a run is given up; one for each name if there are
/// more names.
const TRIES: u64 = 1_024;

/// Tells dead dies from idle ones. A site keeps it.
#[derive(Clone, Debug)]
pub(crate) struct DeadDieDetector {
    /// The number of refills at which the next look comes; greater than that of the refills so far, except at a refill with a look.
    pub(crate) next_look: u64,
    /// By die, the last operation with a place there. A last element has the last operation that worked on every die.
    last: Vec<Option<LastStart>>,
    /// Whether the site goes on from a snapshot, so that earlier operations are not in `last`.
    pub(crate) is_continued: bool,
    /// For each die that a run found dead: what snapshots keep of it. `None` if that run did not see the last start there, so that a
    /// site that goes on from any snapshot keeps the same.
    rests: Vec<Option<Rest>>,
    /// When this run began, and how many operations there were.
    run_start: (Ticks, u64),
    /// How many operations the site had started at the last look.
    seen: u64,
    /// The number of looks in this run.
    looks: u32,
    /// The number of looks in a row at which the whole device was at rest and nothing had started since the look before.
    silent: u32,
    /// How many operations the site had started at the last look between runs, and the dies at rest then, a bit each.
    between: Option<(u64, u64)>,
    /// A bit for each die in `dead`.
    known: u64,
    pub(crate) dead: Vec<DeadDie>,
    /// A bit for each die that the caller has been told of.
    told: u64,
    /// When the run ends at the latest.
    pub(crate) run_end: Ticks,
    /// Whether the run has another limit than time, so that it may end when names are tried in vain.
    gives_up: bool,
    /// Whether refills are walked through although all dies are dead.
    #[cfg(test)]
    pub(crate) walks_on: bool,
}

impl DeadDieDetector {
    pub(crate) fn new(dies: u8) -> Self {
        Self {
            next_look: 1,
            last: vec![None; usize::from(dies) + 1],
            is_continued: false,
            rests: vec![None; usize::from(dies)],
            run_start: (Ticks::ZERO, 0),
            seen: u64::MAX,
            looks: 0,
            silent: 0,
            between: None,
            known: 0,
            dead: Vec::new(),
            told: 0,
            run_end: Ticks::ZERO,
            gives_up: false,
            #[cfg(test)]
            walks_on: false,
        }
    }

    /// Begins a run. Dies that were proved dead stay dead. Dies on which names were tried in vain do not: that is no proof, and a
    /// site that goes on from a snapshot does not know of it.
    pub(crate) fn begin_run(&mut self, (start, refills): ((Ticks, u64), u64), end: Ticks, gives_up: bool) {
        self.run_start = start;
        self.run_end = end;
        self.gives_up = gives_up;
        (self.next_look, self.seen, self.looks, self.silent) = (refills + 1, u64::MAX, 0, 0);
        if self.dead.iter().any(|dead| dead.in_vain) {
            self.between = None;
        }
        self.dead.retain(|dead| !dead.in_vain);
        self.known = self.dead.iter().fold(0, |all, dead| all | 1 << dead.die.0);
    }

    /// Forgets which dies are dead: with other weights their names may start again.
    pub(crate) fn enter(&mut self) {
        self.dead.clear();
        (self.known, self.told, self.between) = (0, 0, None);
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

    /// What is kept of a die that was found dead, unless something has started there since.
    pub(crate) fn rest_of(&self, die: Die) -> Option<Rest> {
        let rest = self.rests[usize::from(die.0)];
        rest.filter(|rest| self.last_on(die).is_none_or(|last| rest.last.is_some_and(|kept| last.at <= kept.at)))
    }

    /// Goes on from a snapshot that has this of a die.
    pub(crate) fn continue_from(&mut self, die: Die, rest: Option<Rest>) {
        self.rests[usize::from(die.0)] = rest;
    }

    /// Tells the caller of the dead dies that it has not been told of.
    pub(crate) fn tell(&mut self, on_dead: Option<&(dyn Fn(&DeadDie) + Sync)>) {
        if self.known & !self.told == 0 {
            return;
        }
        if let Some(on_dead) = on_dead {
            self.dead.iter().filter(|dead| self.told & 1 << dead.die.0 == 0).for_each(on_dead);
        }
        self.told |= self.known;
    }

    /// Looks, between runs, for dies on which nothing can ever start again. Returns whether all dies are dead, so that refills need
    /// not come. Nothing is in flight between runs, so where nothing has started since the last such look and the same dies rest,
    /// the answer is the same, and is not sought again.
    pub(crate) fn look_at_rest(&mut self, look: &mut Look<'_, '_>) -> bool {
        let resting = look.dies_at_rest();
        let seen = Some((look.kernel.operations, resting));
        if std::mem::replace(&mut self.between, seen) == seen {
            return self.known == look.setup.all_dies();
        }
        self.find(look, resting)
    }

    /// Looks at a refill; does most of the work only at some looks.
    pub(crate) fn look_at_refill(&mut self, look: &mut Look<'_, '_>, refills: &Refills) -> bool {
        self.look_later(refills);
        self.looks = self.looks.wrapping_add(1);
        let started = look.kernel.operations;
        let lives = std::mem::replace(&mut self.seen, started) != started;
        // If some die lives, others may be dead: there is no hurry to find them.
        if lives && !self.looks.is_multiple_of(PARTIAL) {
            self.silent = 0;
            return false;
        }
        let resting = look.dies_at_rest();
        let all_dead = self.find(look, resting);
        self.silent = if lives || resting != look.setup.all_dies() { 0 } else { self.silent.saturating_add(1) };
        all_dead || (self.gives_up && self.silent == PATIENCE && self.tries_in_vain(look))
    }

    /// Looks at a refill where attempts at scenarios may still start operations: no die is dead. Returns now and then whether the device has
    /// long been at rest, in a run that does not end by time alone.
    pub(crate) fn has_long_rested(&mut self, look: &Look<'_, '_>, refills: &Refills) -> bool {
        self.look_later(refills);
        let started = look.kernel.operations;
        let lives = std::mem::replace(&mut self.seen, started) != started;
        let rests = !lives && look.dies_at_rest() == look.setup.all_dies();
        self.silent = if rests { (self.silent + 1) % PATIENCE } else { 0 };
        rests && self.silent == 0 && self.gives_up
    }

    /// Whether nothing has started since the last look, if so many operations have started so far.
    pub(crate) const fn is_silent(&self, started: u64) -> bool {
        self.seen == started
    }

    /// Counts the looks at refills that were skipped. Each would have found what the last one found. A bootstrap does not count looks.
    pub(crate) fn skip_looks(&mut self, refills: &Refills, is_bootstrap: bool) {
        let apart = 2 * refills.round();
        let skipped = (refills.count + apart).saturating_sub(self.next_look) / apart;
        self.next_look += skipped * apart;
        self.looks = self.looks.wrapping_add(if is_bootstrap { 0 } else { skipped as u32 });
    }

    /// Puts the next look off by two rounds of refills.
    pub(crate) const fn look_later(&mut self, refills: &Refills) {
        self.next_look = refills.count + 2 * refills.round();
    }

    /// Notes those of the dies at rest on which nothing can ever start again. Returns whether all dies are dead.
    fn find(&mut self, look: &mut Look<'_, '_>, resting: u64) -> bool {
        if resting & !self.known != 0 {
            let found = look.dead_among(resting, self.known);
            self.note_dead(look, found, None);
        }
        self.known == look.setup.all_dies()
    }

    /// Notes dies as dead, except those already known; see [`Look::describe`].
    fn note_dead(&mut self, look: &Look<'_, '_>, found: u64, failed: Option<&[(Die, OpId, RefusalReason)]>) {
        for die in places(found & !self.known).map(|die| Die(die as u8)) {
            let (last, kept) = (self.last_on(die), self.rest_of(die));
            let last = last.or(kept.and_then(|rest| rest.last));
            let since = kept.map(|rest| rest.since).or_else(|| look.rests_since(die, last, self.is_continued));
            let (start, operations) = self.run_start;
            if last.map_or(operations == 0, |last| last.at >= start) {
                self.rests[usize::from(die.0)] = since.map(|since| Rest { since, last });
            }
            self.dead.push(look.describe(die, (last, since), failed));
        }
        self.known |= found;
    }

    /// Whether no name is accepted on a device at rest, however often it is tried. If so, every die is noted as dead.
    fn tries_in_vain(&mut self, look: &mut Look<'_, '_>) -> bool {
        let mut failed: Vec<(Die, OpId, RefusalReason)> = Vec::new();
        let dies = look.setup.tables.size.dies;
        look.refresh(look.setup.all_dies());
        for die in (0..dies).map(Die) {
            let keys: Vec<(Plane, PhaseKey)> = look.refill_keys(die).collect();
            for (plane, key) in keys {
                if accepts(look, (die, plane, key), &mut failed) {
                    return false;
                }
            }
        }
        self.note_dead(look, look.setup.all_dies(), Some(&failed));
        true
    }
}

/// Tries each eligible class of a refill on a plane. Returns whether some plan could start. The last reason of each name that
/// failed is noted.
fn accepts(
    look: &mut Look<'_, '_>,
    (die, plane, key): (Die, Plane, PhaseKey),
    failed: &mut Vec<(Die, OpId, RefusalReason)>,
) -> bool {
    let setup = look.setup;
    let distribution = setup.distribution(key);
    let view = look.view(die, plane);
    let others = || (0..setup.tables.size.dies).map(Die).filter(|other| *other != die);
    let open = (0..).zip(look.open(&view));
    let eligible = open.map(|(chunk, open)| (chunk, open & distribution.set(chunk) & !look.against(chunk, others())));
    let classes: Vec<ClassId> =
        eligible.flat_map(|(chunk, set)| set.places().map(move |at| ClassId::at(chunk, at))).collect();
    for id in classes {
        let names = distribution.names_of(id);
        let planes = view.allowed(&look.proposer.constraints, &look.kernel.device, id);
        for number in 0..TRIES.max(names.len() as u64) {
            let (op, _) = names[number as usize % names.len()];
            let mut stream = Stream::new(look.key, StreamKind::Trial, number);
            let alone = look.policy.alone(setup, look.counts, setup.tables.op(op).base);
            let preference = Preference { alone, ..Preference::NONE };
            let (parts, at) = ((setup, &look.kernel.device), (&view, look.now));
            let planned = look.proposer.make(parts, at, ((op, id), planes), preference, &mut stream);
            let verdict = planned.and_then(|_| Ok(look.kernel.admit(&look.proposer.plan, look.now)?));
            let Err(reason) = verdict else { return true };
            failed.retain(|&(of, name, _)| (of, name) != (die, op));
            failed.push((die, op, reason));
        }
    }
    false
}

#[cfg(test)]
mod tests;
