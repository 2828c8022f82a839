//! What may be proposed at a hook, and plans for it: which classes of names are eligible, an address, the chain that follows.
//!
//! Knows distributions, the constraints of dies and the availability of addresses. Looks at the device and changes nothing of it; what
//! is to be proposed is for a policy to decide.

mod address;
mod address_availability;
mod die_constraints;
mod draft;
mod view;
mod weighted_sampler;

use nandseq_device::{Device, Place, Rule};
use nandseq_profile::{OpId, Ticks};

use address::draw_place;
pub(crate) use die_constraints::{DieConstraints, next_of_cache_program};
use draft::{DraftScratch, expand, still_possible};
pub(crate) use view::View;
pub(crate) use weighted_sampler::WeightedSampler;

use crate::kernel::{Kernel, Step};
use crate::random::Stream;
use crate::reporting::RefusalReason;
use crate::setup::{ClassId, Distribution, Setup};

/// How often an address is drawn anew that a policy does not prefer.
const MOST_DRAWS: u32 = 16;

/// What a policy wants of the plan for a name.
#[derive(Clone, Copy)]
pub(crate) struct Preference<'a> {
    /// So many times as often as its weight says the operation is to stand alone, if it may.
    pub(crate) alone: u64,
    /// Which addresses are preferred, if not all are equal.
    pub(crate) is_fresh: Option<&'a dyn Fn(&Place) -> bool>,
}

impl Preference<'_> {
    /// Nothing but the weights of the profile.
    pub(crate) const NONE: Self = Self { alone: 1, is_fresh: None };
}

/// What plans are made with; kept, so that planning allocates nothing.
#[derive(Debug)]
pub(crate) struct Proposer {
    /// What the present proposal may draw.
    pub(crate) sampler: WeightedSampler,
    /// What each die forbids.
    pub(crate) constraints: Vec<DieConstraints>,
    /// The plan that was made last: an operation and the steps of its chain.
    pub(crate) plan: Vec<Step>,
    scratch: DraftScratch,
}

impl Proposer {
    /// Without a plan.
    pub(crate) fn new(setup: &Setup) -> Self {
        Self {
            sampler: WeightedSampler::new(setup),
            constraints: vec![DieConstraints::new(setup); usize::from(setup.tables.size.dies)],
            plan: Vec::new(),
            scratch: DraftScratch::default(),
        }
    }

    /// Finds out what is eligible at a hook.
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

    /// Plans a name with its chain; returns the rule in the way of its start, if that is the bus.
    pub(crate) fn make(
        &mut self,
        (setup, device): (&Setup, &Device),
        (view, now): (&View, Ticks),
        name: (OpId, ClassId),
        preference: Preference<'_>,
        stream: &mut Stream,
    ) -> Result<Result<(), Rule>, RefusalReason> {
        let mut place = draw_place(setup, (device, &self.constraints), view, name, stream)?;
        if let Some(is_fresh) = preference.is_fresh {
            for _ in 0..MOST_DRAWS {
                if is_fresh(&place) {
                    break;
                }
                place = draw_place(setup, (device, &self.constraints), view, name, stream)?;
            }
        }
        let head = Step { op: name.0, place };
        let verdict = device.judge(&setup.tables, head.op, &head.place, now);
        if let Err(rule) = verdict
            && rule != Rule::Bus
        {
            return Err(RefusalReason::Rule(rule));
        }
        self.plan.clear();
        self.plan.push(head);
        expand(setup, device, (&mut self.plan, &mut self.scratch), (now, preference.alone), stream)?;
        Ok(verdict)
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
