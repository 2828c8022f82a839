//! Random but plausible streams of events on the rulebook's device.

use nandseq_profile::model::PhaseKind;
use nandseq_profile::{Die, PhaseKey, Plane, Profile, Ticks};
use nandseq_trace::Cut;

use crate::story::{Event, Op, durations, key, state};

/// A generator of small random numbers.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// The present state of a die.
#[derive(Clone, Copy, Default)]
struct DieNow {
    /// Until when each plane is occupied.
    busy: [u64; 4],
    /// The program or erase that runs: uid, start and end of CORE_BUSY, length of the window.
    array: Option<(u64, u64, u64, u64)>,
    /// The suspended operation: uid, rest of CORE_BUSY, length of the window.
    suspended: Option<(u64, u64, u64)>,
    /// When a RESUME ends.
    resume_at: Option<u64>,
}

struct Walk<'p> {
    profile: &'p Profile,
    dice: Dice,
    now: u64,
    uid: u64,
    dies: [DieNow; 2],
    events: Vec<Event>,
}

/// A stream of about `length` events.
pub(crate) fn events(profile: &Profile, seed: u64, length: usize) -> Vec<Event> {
    let mut walk =
        Walk { profile, dice: Dice(seed), now: 0, uid: 10, dies: [DieNow::default(); 2], events: Vec::new() };
    if walk.dice.below(4) == 0 {
        let mut op = Op::new(profile, 3, "Cache_Program_SLC", 0.0, &[(1, 0, 0, 2)]);
        op.states[0] = state(profile, "READ", Some(PhaseKind::DataOut), (0.0, 0.0));
        walk.dies[1].suspended = Some((3, 7_000_000, 4_000_000));
        walk.events.push(Event::StillSuspended(op));
    }
    while walk.events.len() < length {
        walk.now += [0, 10_000, 370_000, 1_000_000, 4_000_000, 9_000_000][walk.dice.below(6) as usize];
        walk.go_on();
        let die = walk.dice.below(2) as usize;
        walk.step(die);
    }
    walk.events
}

impl Walk<'_> {
    /// Ends what has ended, and lets go on what a RESUME has resumed.
    fn go_on(&mut self) {
        for at in 0..2 {
            let die = &mut self.dies[at];
            die.array = die.array.filter(|array| array.2 > self.now);
            if die.resume_at.is_none_or(|at| at > self.now) {
                continue;
            }
            let (Some(from), Some((uid, rest, window))) = (die.resume_at.take(), die.suspended.take()) else {
                continue;
            };
            let busy_end = from + rest;
            die.busy = [busy_end; 4];
            die.array = Some((uid, from, busy_end, window)).filter(|_| busy_end > self.now);
            let end = Ticks(busy_end + window);
            // The event may come later than its time `from`. An engine would report it at that time.
            self.events.push(Event::Resumed { uid, from: Ticks(from), busy_end: Ticks(busy_end), end });
        }
    }

    fn step(&mut self, at: usize) {
        let die = self.dies[at];
        let idle = die.busy.iter().all(|&busy| busy <= self.now);
        let in_core = die.array.filter(|array| array.1 <= self.now);
        match self.dice.below(12) {
            0 => self.start(at, "Status", 0),
            1 => self.start(at, "Plane_Feature", 1),
            2 => self.start(at, "Status_Plane", 2),
            3 => self.start(at, "Calibrate", 0),
            4 | 5 if die.suspended.is_none() => match in_core {
                Some((uid, _, busy_end, window)) => {
                    self.events.push(Event::Cut(uid, Ticks(self.now), Cut::Suspended));
                    self.dies[at].array = None;
                    self.dies[at].suspended = Some((uid, busy_end - self.now, window));
                    self.start(at, "Suspend_Program", 0);
                }
                None if idle => self.array(at),
                None => {}
            },
            6 if die.suspended.is_some() && die.resume_at.is_none() && idle => {
                self.start(at, "Resume_Program", 0);
                self.dies[at].resume_at = Some(self.dies[at].busy[0]);
            }
            7 if self.dice.below(4) == 0 => self.reset(at),
            8 if idle => self.array(at),
            _ => self.read(at),
        }
    }

    /// Starts an erase or a program, unless one is suspended.
    fn array(&mut self, at: usize) {
        if self.dies[at].suspended.is_some() || self.dies[at].resume_at.is_some() {
            return;
        }
        let name = ["Erase_SLC", "Program_SLC", "Cache_Program_SLC", "Close_SLC"][self.dice.below(4) as usize];
        let plane = self.dice.below(4) as u8;
        self.start(at, name, plane);
        let op = self.profile.ops.iter_ids().find(|(_, op)| op.name == name).map(|(id, _)| id);
        let (issue, busy, total) = op.map_or((0, 0, 0), |op| durations(self.profile, op));
        let now = self.now;
        self.dies[at].array = Some((self.uid, now + issue, now + busy, total - busy));
    }

    /// Reads one page or two, if the planes are free.
    fn read(&mut self, at: usize) {
        if self.dies[at].resume_at.is_some() {
            return;
        }
        let plane = self.dice.below(4) as u8;
        let free = |plane: u8| self.dies[at].busy[usize::from(plane)] <= self.now;
        if free(0) && free(plane) && plane > 0 && self.now.is_multiple_of(20_000) {
            self.start(at, "Read_SLC_Multi", plane);
        } else if free(plane) {
            let name = ["Read_SLC", "Cache_Read_TLC", "Recover_SLC"][self.dice.below(3) as usize];
            self.start(at, name, plane);
        }
    }

    /// Ends everything on a die.
    fn reset(&mut self, at: usize) {
        let now = Ticks(self.now);
        let running: Vec<u64> = self.running(at);
        running.into_iter().for_each(|uid| self.events.push(Event::Cut(uid, now, Cut::Reset)));
        if let Some((uid, ..)) = self.dies[at].suspended.take() {
            self.events.push(Event::Cut(uid, now, Cut::Reset));
        }
        self.dies[at].resume_at = None;
        self.dies[at].array = None;
        self.start(at, "Reset_Die", 0);
    }

    /// The uids of operations that occupy planes of a die now.
    fn running(&self, at: usize) -> Vec<u64> {
        let mut last: Vec<(u64, u64)> = Vec::new();
        for event in &self.events {
            match event {
                Event::Operation(op) if op.die_planes.is_some_and(|die_planes| die_planes.die == Die(at as u8)) => {
                    let (_, busy, _) = durations(self.profile, op.op);
                    last.push((op.uid, op.start.0 + busy));
                }
                Event::Resumed { uid, busy_end, .. } => {
                    last.retain(|(other, _)| other != uid);
                    if self.dies[at].array.is_some_and(|array| array.0 == *uid) {
                        last.push((*uid, busy_end.0));
                    }
                }
                Event::Cut(uid, ..) => last.retain(|(other, _)| other != uid),
                Event::Operation(_) | Event::StillSuspended(_) => {}
            }
        }
        last.into_iter().filter(|&(_, end)| end > self.now).map(|(uid, _)| uid).collect()
    }

    /// Starts an operation now, with a random proposal.
    fn start(&mut self, at: usize, name: &str, plane: u8) {
        self.uid += 1 + self.dice.below(20) / 19;
        let die = at as u8;
        let page = self.dice.below(3) as u16;
        let target = |plane: u8| (die, plane, u32::from(plane), page);
        let both = [target(0), target(plane)];
        let targets = if name.ends_with("Multi") { &both[..] } else { &both[1..] };
        let mut op = Op::new(self.profile, self.uid, name, 0.0, targets);
        op.start = Ticks(self.now);
        op.is_first = self.dice.below(3) > 0;
        let base = ["READ", "ERASE", "PROGRAM"][self.dice.below(3) as usize];
        let phases = [None, Some(PhaseKind::Issue), Some(PhaseKind::CoreBusy), Some(PhaseKind::DataOut)];
        for seen in &mut op.states {
            *seen = state(self.profile, base, phases[self.dice.below(4) as usize], (0.0, 0.0));
        }
        let wait = self.dice.below(3) * 250_000;
        op.proposal.time = Ticks(self.now.saturating_sub(wait));
        op.proposal.die = Die(self.dice.below(2) as u8);
        op.proposal.plane = Plane(self.dice.below(4) as u8);
        op.proposal.key_used = [PhaseKey::DEFAULT, key(self.profile, "READ.CORE_BUSY")][self.dice.below(2) as usize];
        op.proposal.key_virtual = key(self.profile, ["ERASE.END", "PROGRAM.CORE_BUSY"][self.dice.below(2) as usize]);
        op.proposal.state = state(self.profile, base, phases[self.dice.below(4) as usize], (0.0, 0.0));
        op.proposal.state.start = Ticks(op.proposal.time.0.saturating_sub(self.dice.below(1000) * 10_000));
        op.proposal.state.end = Ticks(op.proposal.time.0 + (1 + self.dice.below(1000)) * 10_000);
        if let Some(die_planes) = op.die_planes {
            let (_, busy, _) = durations(self.profile, op.op);
            die_planes.planes.iter().for_each(|plane| self.dies[at].busy[plane.index()] = self.now + busy);
        }
        self.events.push(Event::Operation(op));
    }
}
