//! The proposer: finds the name classes that are eligible at a hook, draws an address, and plans the chain.
//!
//! Knows distributions, the constraints of dies and the availability of addresses. Looks at the device and does not change it.
//! The policy decides what is proposed.

mod address;
mod address_availability;
mod class_check;
mod die_constraints;
mod draft;
mod preference;
mod target_constraints;
mod view;
mod weighted_sampler;

use nandseq_device::{Device, Rule};
use nandseq_profile::{OpId, PlaneSet, Ticks};

pub(crate) use address::{draw_place, register_place};
use class_check::ClassCheck;
pub(crate) use die_constraints::{DieConstraints, next_of_cache_program};
use draft::{DraftScratch, expand, still_possible};
pub(crate) use preference::Preference;
pub(crate) use view::View;
pub(crate) use weighted_sampler::WeightedSampler;

use crate::kernel::{Kernel, Step, has_room};
use crate::random::Stream;
use crate::reporting::RefusalReason;
use crate::setup::{ClassId, Distribution, Setup};

/// How many classes that are not eligible are drawn at a hook before all that are eligible are found.
const MOST_MISSES: u32 = 8;

/// How often a new address is drawn at most if the policy does not prefer the one that was drawn.
const MOST_DRAWS: u32 = 16;

/// Makes plans. Kept, so that planning allocates nothing.
#[derive(Debug)]
pub(crate) struct Proposer {
    /// The names that the present proposal may draw.
    pub(crate) sampler: WeightedSampler,
    /// By die: its constraints.
    pub(crate) constraints: Vec<DieConstraints>,
    /// The plan that was made last: an operation and the operations of its chain.
    pub(crate) plan: Vec<Step>,
    scratch: DraftScratch,
    /// Debug builds compare the answer for a class with that for all, found with constraints of its own.
    all: (WeightedSampler, Vec<DieConstraints>),
}

impl Proposer {
    /// Without a plan.
    pub(crate) fn new(setup: &Setup) -> Self {
        Self {
            sampler: WeightedSampler::new(setup),
            constraints: vec![DieConstraints::new(setup); usize::from(setup.tables.size.dies)],
            plan: Vec::new(),
            scratch: DraftScratch::default(),
            all: (WeightedSampler::new(setup), Vec::new()),
        }
    }

    /// Finds all classes that are eligible at a hook. Names that were drawn there before stay out.
    pub(crate) fn look(
        &mut self,
        view: &View,
        distribution: &Distribution,
        (kernel, setup): (&Kernel<'_>, &Setup),
        now: Ticks,
    ) {
        let Self { sampler, constraints, .. } = self;
        let device = &kernel.device;
        let waiting = || kernel.waiting.waits_for_planes(&kernel.chains, device, &setup.tables, (view.die, now));
        view.fill(sampler, distribution, constraints, (device, setup), now, waiting);
    }

    /// Draws a name that is eligible at a hook and was not drawn there before, by the weights of these names, with its class and the planes
    /// on which it may work. `first` is a class drawn from the whole distribution, if there is one that was not looked at yet.
    ///
    /// Classes are drawn from the whole distribution until one is eligible. After some that are not, all that are eligible are found.
    /// Either way a name comes with its weight divided by those of all names that may be drawn.
    pub(crate) fn draw(
        &mut self,
        (view, distribution, now): (&View, &Distribution, Ticks),
        (kernel, setup): (&Kernel<'_>, &Setup),
        mut first: Option<ClassId>,
        stream: &mut Stream,
    ) -> Option<((OpId, ClassId), PlaneSet)> {
        while distribution.is_mostly_idle && self.sampler.misses < MOST_MISSES {
            let class = first.take().or_else(|| distribution.draw_any(stream))?;
            if let Some(planes) = self.check((view, distribution, now), (kernel, setup), class)
                && let Some(op) = self.sampler.draw_of(distribution, class, stream)
            {
                return Some(((op, class), planes));
            }
            self.sampler.misses += 1;
            if self.sampler.misses == MOST_MISSES {
                self.look(view, distribution, (kernel, setup), now);
            }
        }
        let name = self.sampler.draw(distribution, stream)?;
        Some((name, view.allowed(&self.constraints, &kernel.device, name.1)))
    }

    /// The planes on which a class may work, if it is eligible.
    pub(crate) fn check(
        &mut self,
        (view, distribution, now): (&View, &Distribution, Ticks),
        (kernel, setup): (&Kernel<'_>, &Setup),
        class: ClassId,
    ) -> Option<PlaneSet> {
        let device = &kernel.device;
        let waiting = || kernel.waiting.waits_for_planes(&kernel.chains, device, &setup.tables, (view.die, now));
        let planes = ClassCheck::new((setup, device), view, class, now).planes(waiting);
        if cfg!(debug_assertions) {
            let (all, constraints) = &mut self.all;
            if constraints.is_empty() {
                constraints.clone_from(&self.constraints);
            }
            view.fill(all, distribution, constraints, (device, setup), now, waiting);
            let expected = all.has(class).then(|| view.allowed(constraints, device, class));
            assert_eq!(planes, expected, "{:?} alone, and with all classes", setup.classes.get(class));
        }
        planes
    }

    /// Plans a name with its chain, on some of `planes`. The inner result is the rule of the bus, if only the bus keeps the name from starting now.
    pub(crate) fn make(
        &mut self,
        (setup, device): (&Setup, &Device),
        (view, now): (&View, Ticks),
        (name, planes): ((OpId, ClassId), PlaneSet),
        preference: Preference<'_>,
        stream: &mut Stream,
    ) -> Result<Result<(), Rule>, RefusalReason> {
        let mut place = draw_place((setup, device), view, name, planes, stream)?;
        if let Some(is_fresh) = preference.is_fresh {
            for _ in 0..MOST_DRAWS {
                if is_fresh(&place) {
                    break;
                }
                place = draw_place((setup, device), view, name, planes, stream)?;
            }
        }
        let head = Step { op: name.0, place };
        let verdict = device.judge(&setup.tables, head.op, &head.place, now);
        if let Err(rule) = verdict
            && rule != Rule::Bus
        {
            return Err(RefusalReason::Rule(rule));
        }
        self.make_at((setup, device), now, head, preference, stream)?;
        Ok(verdict)
    }

    /// Plans the chain of a first operation that may start now.
    pub(crate) fn make_at(
        &mut self,
        (setup, device): (&Setup, &Device),
        now: Ticks,
        head: Step,
        preference: Preference<'_>,
        stream: &mut Stream,
    ) -> Result<(), RefusalReason> {
        if !has_room(device, &setup.tables, &[head], 0) {
            return Err(RefusalReason::Limit);
        }
        self.plan.clear();
        self.plan.push(head);
        expand(setup, device, (&mut self.plan, &mut self.scratch), (now, preference), stream)
    }

    /// Whether every step after the first of a plan made earlier is possible now.
    pub(crate) fn is_possible(
        &mut self,
        (setup, device): (&Setup, &Device),
        plan: &[Step],
        now: Ticks,
    ) -> Result<(), RefusalReason> {
        still_possible(setup, device, &mut self.scratch, plan, now)
    }
}
