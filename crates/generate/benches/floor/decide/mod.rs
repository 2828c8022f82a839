//! A run whose decisions are known, carried out again, with as much work as finding them out must take: the floor of deciding.
//!
//! At every hook of the run it decides what the rules of generation say is decided there, on the device as it is at that moment: a class
//! from the distribution of the key, or that nothing is proposed; a class and a name from those that are eligible; the bus; an
//! address; the chain; and whether what is under way can still complete. What it decides is counted and dropped: the known decision starts.
//!
//! Its tables are as good as tables can be: they come from asking the judge at the start, and whatever may be remembered is. It leaves out
//! all that a generator needs beside: other ways of proposing, limits, regions, suspended chains, waiting proposals, reasons of
//! refusals, and what is told to a sink.

mod eligible;
mod memo;
mod templates;
mod weights;

use std::hint::black_box;

use nandseq_device::{Device, Footprint, Place, PlanePhase, Tables};
use nandseq_generate::{RandomNumbers, Stream};
use nandseq_profile::model::AddressSource;
use nandseq_profile::{Die, OpId, Plane, PlaneSet, Profile, Ticks};

use crate::replay::{Deciding, Decision, Known};
use eligible::Eligibility;
use memo::Memo;
use templates::{Source, Template, TemplateStep, templates};
use weights::{Classes, Mix, Weights};

/// How many classes that are not eligible are drawn at a hook before the eligible ones alone are drawn from.
const MOST_MISSES: u32 = 8;

/// How often each thing was decided.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Counts {
    pub(crate) hooks: u64,
    pub(crate) going_on: u64,
    pub(crate) tries: u64,
    pub(crate) plans: u64,
    pub(crate) steps: u64,
    pub(crate) due: u64,
}

/// A chain under way on a die.
#[derive(Clone, Copy)]
struct UnderWay {
    chain: u32,
    /// What the answer about its completion depends on: its bases and planes, and how far it is.
    key: u64,
    /// Its later steps, one after the other.
    in_turn: Footprint,
}

/// What is made ready for a profile.
pub(crate) struct Ready {
    weights: Weights,
    /// The classes that propose nothing.
    delays: Classes,
    /// By base.
    templates: Vec<Vec<(u64, Option<Template>)>>,
    window: Ticks,
    most_tries: u32,
    most_planes: u32,
}

impl Ready {
    pub(crate) fn new(profile: &Profile, known: &Known) -> Self {
        let (policies, weights) = (&profile.policies, Weights::new(profile, known.tables()));
        let is_delay = |base| known.tables().base(base).effects.delay;
        let delays = weights.classes.iter().rev().fold(0, |all, class| all << 1 | Classes::from(is_delay(class.base)));
        Self {
            weights,
            delays,
            templates: templates(profile, known.tables()),
            window: policies.admission_window,
            most_tries: policies.max_tries,
            most_planes: policies.max_planes,
        }
    }

    #[inline]
    const fn is_delay(&self, class: u8) -> bool {
        self.delays >> class & 1 == 1
    }
}

/// Makes decisions and drops them.
pub(crate) struct Decider<'a> {
    ready: &'a Ready,
    known: &'a Known,
    tables: &'a Tables,
    eligibility: Eligibility,
    /// Whether a chain can run, and whether a plan leaves what is under way able to complete.
    runs: Memo,
    completes: Memo,
    under_way: Vec<Vec<UnderWay>>,
    plan: Vec<(OpId, Place)>,
    /// The op_states of the targets of the operation that starts, and how often each name has started.
    states: [PlanePhase; 8],
    by_name: Vec<u64>,
    pub(crate) counts: Counts,
}

impl<'a> Decider<'a> {
    pub(crate) fn new(profile: &Profile, ready: &'a Ready, known: &'a Known) -> Self {
        let tables = known.tables();
        Self {
            ready,
            known,
            tables,
            eligibility: Eligibility::new(profile, tables, &ready.weights.classes),
            runs: Memo::new(),
            completes: Memo::new(),
            under_way: vec![Vec::new(); usize::from(tables.size.dies)],
            plan: Vec::with_capacity(64),
            states: [PlanePhase::default(); 8],
            by_name: vec![0; tables.ops().count()],
            counts: Counts::default(),
        }
    }

    /// Goes on at a hook that does not draw what proposes nothing.
    #[inline(never)]
    fn go_on(
        &mut self,
        device: &Device,
        (die, plane, now): (Die, Plane, Ticks),
        (mix, first): (&Mix, u8),
        stream: &mut Stream,
    ) {
        self.counts.going_on += 1;
        let ready = self.ready;
        let mut eligible = self.eligibility.at((device, self.tables), (die, plane, now), mix.set);
        let mut drawn = usize::from(first);
        let mut misses = if mix.is_mostly_idle { 0 } else { MOST_MISSES };
        for _ in 0..ready.most_tries {
            while misses < MOST_MISSES && eligible >> drawn & 1 == 0 {
                (drawn, misses) = (usize::from(mix.any.draw(stream.draw())), misses + 1);
            }
            let class = if misses < MOST_MISSES { Some(drawn) } else { mix.draw(eligible, stream) };
            let Some(class) = class else { return };
            let Some(op) = mix.name(class, stream) else { return };
            eligible &= !(1 << class);
            self.counts.tries += 1;
            let kind = &self.ready.weights.classes[class];
            let info = self.tables.base(kind.base);
            if info.effects.delay {
                return;
            }
            let is_late = device.bus_free() > now + ready.window;
            if is_late && self.tables.op(op).bus > Ticks::ZERO && !info.instant {
                continue;
            }
            if info.effects.suspend.is_some_and(|axis| device.suspend_target(self.tables, die, axis, now).is_none()) {
                continue;
            }
            let allowed = self.eligibility.allowed(device.planes(), class);
            let Some(place) = self.address(device, (die, plane), class, allowed, stream) else { continue };
            self.plan.clear();
            self.plan.push((op, place));
            if self.chain(device, die, class, stream) && self.may_complete(die) {
                self.counts.plans += 1;
                black_box(&self.plan);
                return;
            }
        }
    }

    /// The address of a first operation.
    fn address(
        &self,
        device: &Device,
        (die, plane): (Die, Plane),
        class: usize,
        allowed: PlaneSet,
        stream: &mut Stream,
    ) -> Option<Place> {
        let kind = &self.ready.weights.classes[class];
        let (addresses, logic, cell) = (device.book.on(die), device.logic(die), kind.cell);
        let below = &mut |bound| stream.below(bound);
        let most = self.ready.most_planes;
        let held = |register: nandseq_device::Register| Place {
            die,
            planes: PlaneSet::one(plane),
            group: register.group,
            page: register.page,
            cell_type: register.cell_type,
        };
        match self.tables.base(kind.base).address {
            AddressSource::None | AddressSource::Hook => Some(Place::plane(die, plane)),
            AddressSource::AnyBlock if kind.multi => addresses.sample_any_together(allowed, most, below),
            AddressSource::AnyBlock => addresses.sample_any(allowed, below),
            AddressSource::NextPage if kind.multi => addresses.sample_next_together(cell, allowed, most, below),
            AddressSource::NextPage => addresses.sample_next(cell, allowed, below),
            AddressSource::ReadablePage if kind.multi => addresses.sample_read_together(cell, allowed, most, below),
            AddressSource::ReadablePage => addresses.sample_read(cell, allowed, below),
            AddressSource::OutputRegister => logic.planes.output(plane).map(held),
            AddressSource::PageRegister => logic.planes.page(plane).map(held),
            AddressSource::SuspendedProgram => logic.program.map(|suspended| suspended.place),
            AddressSource::OneShotLatch => logic.one_shot.map(|loaded| loaded.place),
            AddressSource::CopybackLatch => logic.copyback.map(|loaded| loaded.place),
        }
    }

    /// Draws the chain of the plan's first operation.
    fn chain(&mut self, device: &Device, die: Die, class: usize, stream: &mut Stream) -> bool {
        let kind = &self.ready.weights.classes[class];
        let choices = &self.ready.templates[kind.base.index()];
        let Some(&(total, _)) = choices.last() else { return true };
        let at = if choices.len() == 1 { 0 } else { stream.below(total) };
        let drawn = choices.iter().filter(|(until, _)| *until <= at).count();
        let Some(template) = &choices[drawn].1 else { return true };
        let (head, logic) = (self.plan[0].1, device.logic(die));
        // What the chain meets: the facts about its planes, and the states of its die.
        let facts = head.planes.iter().fold(0u64, |all, plane| all << 8 | u64::from(logic.planes.facts(plane)));
        let key = (u128::from(facts) << 32 | u128::from(template.id) << 16) | self.eligibility.shape(logic) as u128;
        if !self.runs.get(key, || template.may_run(self.tables, logic, self.plan[0], device.planes())) {
            return false;
        }
        for step in &template.steps {
            let planes = head.planes;
            if step.per_plane && planes.len() > 1 && !step.has_multi {
                for plane in planes.iter() {
                    if !add(&mut self.plan, device, step, PlaneSet::one(plane), stream) {
                        return false;
                    }
                }
            } else if !add(&mut self.plan, device, step, planes, stream) {
                return false;
            }
        }
        self.counts.steps += self.plan.len() as u64 - 1;
        true
    }

    /// Whether every chain under way on a die can complete after the plan begins.
    fn may_complete(&mut self, die: Die) -> bool {
        let under_way = &self.under_way[usize::from(die.0)];
        let (op, place) = self.plan[0];
        let base = self.tables.op(op).base;
        if under_way.is_empty() || self.tables.base(base).is_inert() && self.plan.len() == 1 {
            return true;
        }
        let own = u64::from(base.0) << 16 | u64::from(place.planes.0) << 8 | self.plan.len() as u64;
        let key = under_way.iter().fold(u128::from(own), |all, chain| all.rotate_left(37) ^ u128::from(chain.key));
        let all = PlaneSet::first(u32::from(self.tables.size.planes));
        let (tables, plan) = (self.tables, &self.plan);
        self.completes.get(key, || {
            let footprint = |&(op, ref place): &(OpId, Place)| tables.base_of(op).footprint(place, all);
            let first = footprint(&plan[0]);
            let rest = plan[1..].iter().rev().fold(Footprint::default(), |after, step| footprint(step).then(after));
            let old = under_way.iter().fold(Footprint::default(), |old, chain| old.and(chain.in_turn));
            let puts_out = tables.base(base).effects.data_out;
            (old.looks & first.hinders == 0 && rest.looks & old.hinders == 0)
                || (old.looks & first.then(rest).hinders == 0 && !puts_out)
        })
    }
}

/// Adds a step of a chain to a plan.
#[inline]
fn add(
    plan: &mut Vec<(OpId, Place)>,
    device: &Device,
    step: &TemplateStep,
    planes: PlaneSet,
    stream: &mut Stream,
) -> bool {
    let Some(&(_, previous)) = plan.last() else { return false };
    let multi = planes.len() > 1;
    let names = step.fitting(multi, previous.cell_type);
    let op = match names {
        [] => return false,
        &[only] => only,
        names => names[stream.below(names.len() as u64) as usize],
    };
    let below = &mut |bound| stream.below(bound);
    let (addresses, cell) = (device.book.on(previous.die), previous.cell_type);
    let place = match step.source {
        Source::Die => Some(Place::die(previous.die)),
        Source::Same => Some(Place { planes, ..previous }),
        Source::Next => Some(Place { planes, page: nandseq_profile::Page(previous.page.0 + 1), ..previous }),
        Source::AnyBlock => addresses.sample_any(planes, below),
        Source::NextPage if multi => addresses.sample_next_on(cell, planes, below),
        Source::NextPage => addresses.sample_next(cell, planes, below),
        Source::ReadablePage if multi => addresses.sample_read_on(cell, planes, below),
        Source::ReadablePage => addresses.sample_read(cell, planes, below),
    };
    place.map(|place| plan.push((op, place))).is_some()
}

impl Deciding for Decider<'_> {
    #[inline]
    fn hook(&mut self, device: &Device, (die, plane): (Die, Plane), now: Ticks, stream: &mut Stream) {
        self.counts.hooks += 1;
        let mix = self.ready.weights.of(device.phase_key(die, plane, now));
        let class = mix.any.draw(stream.draw());
        if !(mix.is_mostly_idle & self.ready.is_delay(class)) {
            self.go_on(device, (die, plane, now), (mix, class), stream);
        }
    }

    /// What is told of an operation that only the device of that moment knows, and the count of its name.
    fn starting(&mut self, device: &Device, decision: &Decision) {
        let Decision { op, ref place, start, .. } = *decision;
        for (state, plane) in self.states.iter_mut().zip(place.planes.iter()) {
            *state = device.plane_phase(place.die, plane, start);
        }
        self.by_name[op.index()] += 1;
        black_box((&self.states, device.shows_on(self.tables.base_of(op), place)));
    }

    fn started(&mut self, device: &mut Device, decision: &Decision) {
        let Some((chain, at)) = decision.chain else { return };
        let (mut steps, die) = (self.known.chain(chain), decision.place.die);
        let under_way = &mut self.under_way[usize::from(die.0)];
        if at == 0 {
            let mut new = UnderWay { chain, key: 0, in_turn: Footprint::default() };
            steps.next();
            for step in steps {
                let info = self.tables.base_of(step.op);
                new.in_turn = new.in_turn.then(info.footprint(&step.place, device.planes()));
                new.key = new.key.rotate_left(9) ^ u64::from(self.tables.op(step.op).base.0) << 8;
                new.key ^= u64::from(step.place.planes.0);
                if let Some(to_change) = info.counts_on_blocks {
                    device.book.hold(&step.place, to_change);
                }
            }
            under_way.push(new);
            return;
        }
        if let Some(to_change) = self.tables.base_of(decision.op).counts_on_blocks {
            device.book.release(&decision.place, to_change);
        }
        if let Some(place) = under_way.iter().position(|own| own.chain == chain) {
            under_way[place].key = under_way[place].key.wrapping_add(1 << 60);
            if at as usize + 1 == steps.len() {
                under_way.swap_remove(place);
            }
        }
    }

    fn due(&mut self, device: &Device, next: &Decision, now: Ticks) {
        self.counts.due += 1;
        // A step that starts when it comes due is judged there.
        if next.start != now {
            black_box(device.judge(self.tables, next.op, &next.place, now).is_ok());
        }
    }
}
