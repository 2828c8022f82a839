//! Plans operations of a step at addresses that meet its conditions, with the chain that fits the steps after it best.
//!
//! Plans are made by the proposer and admitted by the kernel, as those of any other policy.

use nandseq_device::{BaseInfo, Device, Place, Reach, Rule};
use nandseq_plan::model::ExpectedWord;
use nandseq_profile::model::{AddressSource, Axis};
use nandseq_profile::{CellTypeId, Die, OpId, Plane, PlaneSet, Ticks};

use super::attempt::is_expected;
use super::conditions::PlaceConditions;
use super::draw::{AddressDraw, AddressUse, LimitedBlocks, is_of_blocks};
use crate::kernel::{Kernel, Step};
use crate::proposal::{Preference, Proposer, View, draw_place};
use crate::random::{RandomNumbers, Stream};
use crate::refills::DiePlane;
use crate::reporting::RefusalReason;
use crate::setup::{ClassId, ScenarioSet, Setup};

/// How many operations are planned at most to find the one whose chain fits best.
const MOST_PLANS: u32 = 6;
/// How many times a chain is drawn, since its names may differ.
const CHAIN_DRAWS: usize = 3;

/// A name with its class, and its weight.
type WeightedName = ((OpId, ClassId), u64);

/// Looks for operations that may start now.
pub(crate) struct StepSearch<'a, 's> {
    pub(crate) setup: &'s Setup,
    pub(crate) set: &'s ScenarioSet,
    pub(crate) kernel: &'a mut Kernel<'s>,
    pub(crate) proposer: &'a mut Proposer,
    draw: AddressDraw,
    /// The dies on which other attempts let nothing else start, a bit each.
    held: u64,
    rested: bool,
    pub(crate) now: Ticks,
    pub(crate) stream: Stream,
    /// The best plan so far.
    best: Vec<Step>,
    /// What a later step would lack, with where.
    pub(super) lack: Option<(Lack, PlaceConditions)>,
}

/// Something that a step needs and that is not there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Lack {
    /// A block with a page to program as a cell type.
    PageToProgram(CellTypeId),
    /// A block less that is open, so that another may be opened.
    RoomToOpen,
    /// A page of a cell type to read.
    PageToRead(CellTypeId),
    /// An operation of an axis in CORE_BUSY.
    InFlight(Axis),
    /// A suspended operation of an axis.
    Suspended(Axis),
}

impl Lack {
    /// What is lacking too where what brings this about cannot start, an operation of a cell type.
    pub(super) const fn before(self, cell: CellTypeId) -> Option<Self> {
        match self {
            Self::PageToProgram(_) | Self::RoomToOpen | Self::InFlight(Axis::Erase) => None,
            Self::PageToRead(_) | Self::InFlight(Axis::Program) => Some(Self::PageToProgram(cell)),
            Self::Suspended(axis) => Some(Self::InFlight(axis)),
        }
    }
}

/// What is looked for.
pub(super) struct WantedStep<'w> {
    /// The operations, each with a weight.
    pub(super) ops: Vec<(OpId, u64)>,
    pub(super) conditions: &'w PlaceConditions,
    pub(super) expect: Option<ExpectedWord>,
    /// How badly a plan fits: 0 for perfectly, `None` for not at all.
    pub(super) rate: &'w dyn Fn(&Device, &[Step]) -> Option<u32>,
    /// Whether the first plan that fits is taken, however badly.
    pub(super) takes_first: bool,
}

impl<'a, 's> StepSearch<'a, 's> {
    /// A search at a time, on a setup with scenarios.
    pub(crate) fn new(
        (setup, set): (&'s Setup, &'s ScenarioSet),
        kernel: &'a mut Kernel<'s>,
        proposer: &'a mut Proposer,
        (now, rested, held): (Ticks, bool, u64),
        stream: Stream,
    ) -> Self {
        let (draw, best, lack) = (AddressDraw::default(), Vec::new(), None);
        Self { setup, set, kernel, proposer, draw, held, rested, now, stream, best, lack }
    }

    /// A hook on a plane.
    pub(super) fn view(&self, die: Die, plane: Plane) -> View {
        View { die, plane, chained: self.kernel.chains.any_on(die), rested: self.rested }
    }

    /// Finds the classes that are eligible at a hook on a plane.
    pub(super) fn look(&mut self, die: Die, plane: Plane) -> View {
        let view = self.view(die, plane);
        self.proposer.sampler.clear();
        self.proposer.look(&view, &self.set.distribution, (self.kernel, self.setup), self.now);
        view
    }

    /// The planes of a die in a random order of the first.
    pub(super) fn planes(&mut self) -> impl Iterator<Item = Plane> + use<> {
        let count = self.setup.tables.size.planes;
        let first = self.stream.below(count.into()) as u8;
        (0..count).map(move |plane| Plane((first + plane) % count))
    }

    /// Plans one of some operations, and leaves the plan in the proposer. Returns the plane of the hook at which it may start now.
    pub(super) fn plan(&mut self, wanted: &WantedStep<'_>) -> Result<DiePlane, RefusalReason> {
        let die = wanted.conditions.die;
        let mut reason = None;
        let mut best: Option<(u32, Plane)> = None;
        let mut plans = 0;
        let mut ops: Vec<WeightedName> =
            wanted.ops.iter().map(|&(op, weight)| ((op, self.class(op)), weight)).collect();
        for (at, plane) in self.planes().enumerate() {
            // What does not depend on the plane of the hook was tried at the first.
            if at == 1 {
                ops.retain(|&((op, _), _)| is_at_hook(self.setup, op));
            }
            if ops.is_empty() {
                break;
            }
            let view = self.look(die, plane);
            let eligible: Vec<ClassId> = self.proposer.sampler.eligible().collect();
            let is_eligible = |&&((_, class), _): &&WeightedName| eligible.binary_search(&class).is_ok();
            let mut left: Vec<WeightedName> = ops.iter().filter(is_eligible).copied().collect();
            while let Some((op, class)) = self.stream.pick(left.iter().copied()) {
                left.retain(|&((other, _), _)| other != op);
                match self.plan_op(&view, (op, class), wanted) {
                    Ok(rating) => {
                        plans += 1;
                        if best.is_none_or(|(least, _)| rating < least) {
                            best = Some((rating, plane));
                            self.best.clone_from(&self.proposer.plan);
                        }
                    }
                    Err(why) => {
                        // The bus is free soon: what it alone keeps from starting is worth waiting for.
                        reason = if why == RefusalReason::BusWindow { Some(why) } else { reason.or(Some(why)) };
                        let is_alone = self.setup.tables.op(op).status_of.is_some();
                        left.retain(|&((_, other), _)| is_alone || other != class);
                    }
                }
                if best.is_some_and(|(rating, _)| rating == 0 || wanted.takes_first || plans >= MOST_PLANS) {
                    break;
                }
            }
            if best.is_some() {
                break;
            }
        }
        let Some((_, plane)) = best else { return Err(reason.unwrap_or_else(|| self.why_not(wanted))) };
        self.proposer.plan.clone_from(&self.best);
        // What was admitted last must be what starts.
        self.kernel.admit(&self.proposer.plan, self.now)?;
        Ok(DiePlane { die, plane })
    }

    fn class(&self, op: OpId) -> ClassId {
        self.set.class_of[op.index()]
    }

    /// Why none of some operations is eligible, by the example of one that has an address.
    fn why_not(&mut self, wanted: &WantedStep<'_>) -> RefusalReason {
        let view = self.view(wanted.conditions.die, Plane(0));
        let planes = self.kernel.device.planes();
        for op in self.one_of_each_class(wanted.ops.iter().map(|&(op, _)| op)) {
            let Ok(place) = self.place(&view, (op, self.class(op)), planes, wanted.conditions) else { continue };
            return match self.kernel.device.judge(&self.setup.tables, op, &place, self.now) {
                Err(Rule::Bus) => RefusalReason::BusWindow,
                Err(rule) => RefusalReason::Rule(rule),
                Ok(()) => RefusalReason::ChainUnderWay,
            };
        }
        RefusalReason::NoAddress
    }

    /// One name of each class that some names are of.
    pub(super) fn one_of_each_class(&self, ops: impl Iterator<Item = OpId>) -> Vec<OpId> {
        let mut all: Vec<(ClassId, OpId)> = ops.map(|op| (self.class(op), op)).collect();
        all.sort_unstable();
        all.dedup_by_key(|&mut (class, _)| class);
        all.into_iter().map(|(_, op)| op).collect()
    }

    /// Plans an operation of an eligible class at a hook. Returns how badly the plan fits.
    fn plan_op(
        &mut self,
        view: &View,
        (op, class): (OpId, ClassId),
        wanted: &WantedStep<'_>,
    ) -> Result<u32, RefusalReason> {
        let (tables, die) = (&self.setup.tables, view.die);
        let info = tables.base_of(op);
        let planes = view.allowed(&self.proposer.constraints, &self.kernel.device, class);
        let place = self.place(view, (op, class), planes, wanted.conditions)?;
        let device = &self.kernel.device;
        match device.judge(tables, op, &place, self.now) {
            Ok(()) => {}
            Err(Rule::Bus) => return Err(RefusalReason::BusWindow),
            Err(rule) => return Err(RefusalReason::Rule(rule)),
        }
        if !is_expected(wanted.expect, device.expected_status(tables.op(op), &place, self.now)) {
            return Err(RefusalReason::Rule(Rule::StatusValue));
        }
        let on = if info.reach == Reach::Target { u64::MAX } else { 1 << die.0 };
        if on & self.held != 0 {
            return Err(RefusalReason::Scenario);
        }
        self.plan_chain(Step { op, place }, wanted)
    }

    /// Draws an address.
    fn place(
        &mut self,
        view: &View,
        (op, class): (OpId, ClassId),
        planes: PlaneSet,
        conditions: &PlaceConditions,
    ) -> Result<Place, RefusalReason> {
        let Self { setup, kernel, stream, draw, .. } = self;
        let (tables, device) = (&setup.tables, &kernel.device);
        let of = setup.classes.get(class);
        let info = tables.base(of.base);
        if !conditions.is_anywhere(&tables.size) && is_of_blocks(info, device, conditions) {
            let most = of.multi.then_some(setup.max_planes);
            let of = AddressUse { tables, device, info, cell: of.cell };
            let mut parts = in_regions(setup, info, conditions);
            while let Some(at) = stream.pick(parts.iter().enumerate().map(|(at, (_, weight))| (at, *weight))) {
                let (part, _) = parts.swap_remove(at);
                if let Some(place) = draw.draw(of, &part, (planes, most), stream) {
                    return Ok(place);
                }
            }
            return Err(RefusalReason::NoAddress);
        }
        let place = draw_place((setup, device), view, (op, class), planes, stream)?;
        let names = (info.has_block || info.reach == Reach::Planes, info.has_block);
        if conditions.fits(&tables.size, &place, names) { Ok(place) } else { Err(RefusalReason::NoAddress) }
    }

    /// Plans the chain of an operation that fits best.
    fn plan_chain(&mut self, head: Step, wanted: &WantedStep<'_>) -> Result<u32, RefusalReason> {
        let setup = self.setup;
        let follow_ups = &setup.follow_ups[setup.tables.op(head.op).base.index()];
        let (mut best, mut reason): (Option<u32>, _) = (None, RefusalReason::NoChain);
        let mut plan: Vec<Step> = Vec::new();
        let mut left: Vec<usize> = (0..follow_ups.choices.len()).collect();
        while !left.is_empty() && best != Some(0) {
            let choice = left.swap_remove(self.stream.below(left.len() as u64) as usize);
            let draws = if follow_ups.choices[choice].1.is_some() { CHAIN_DRAWS } else { 1 };
            for _ in 0..draws {
                let preference = Preference { chain: Some(choice), ..Preference::NONE };
                let planned =
                    self.proposer.make_at((setup, &self.kernel.device), self.now, head, preference, &mut self.stream);
                let admitted = planned.and_then(|()| Ok(self.kernel.admit(&self.proposer.plan, self.now)?));
                if let Err(why) = admitted {
                    reason = why;
                    continue;
                }
                if let Some(rating) = (wanted.rate)(&self.kernel.device, &self.proposer.plan)
                    .filter(|&rating| best.is_none_or(|best| rating < best))
                {
                    best = Some(rating);
                    plan.clone_from(&self.proposer.plan);
                }
                if best == Some(0) {
                    break;
                }
            }
        }
        std::mem::swap(&mut self.proposer.plan, &mut plan);
        best.ok_or(reason)
    }

    /// The planes on which an operation has an address that meets conditions; the plane that it must have alone, if there is one.
    pub(super) fn planes_with(&self, op: OpId, conditions: &PlaceConditions) -> PlaneSet {
        self.each_plane_with(op, conditions).fold(PlaneSet::EMPTY, |all, plane| all.union(PlaneSet::one(plane)))
    }

    /// Whether an operation has an address that meets conditions.
    pub(super) fn has_address(&self, op: OpId, conditions: &PlaceConditions) -> bool {
        self.each_plane_with(op, conditions).next().is_some()
    }

    /// Whether limits alone keep an operation from an address that meets conditions.
    pub(super) fn is_limited(&self, op: OpId, conditions: &PlaceConditions) -> bool {
        let (tables, device) = (&self.setup.tables, &self.kernel.device);
        let (info, cell) = (tables.base_of(op), tables.op(op).stated_cell_type);
        if !is_of_blocks(info, device, conditions) {
            return false;
        }
        let of = AddressUse { tables, device, info, cell };
        let may = conditions.has_plane.map_or(conditions.planes, |plane| conditions.planes.and(PlaneSet::one(plane)));
        let parts = in_regions(self.setup, info, conditions);
        let mut found = LimitedBlocks::default();
        for (part, _) in &parts {
            part.planes.and(may).iter().for_each(|plane| of.look_at_limits(part, plane, &mut found));
        }
        found.are_kept_away()
    }

    fn each_plane_with(&self, op: OpId, conditions: &PlaceConditions) -> impl Iterator<Item = Plane> {
        let (tables, device) = (&self.setup.tables, &self.kernel.device);
        let info = tables.op(op);
        let of = AddressUse { tables, device, info: tables.base(info.base), cell: info.stated_cell_type };
        let may = conditions.has_plane.map_or(conditions.planes, |plane| conditions.planes.and(PlaneSet::one(plane)));
        // The address book knows the planes on which the regions in force have some block.
        let addresses = device.book.on(conditions.die);
        let known = match of.info.address {
            AddressSource::AnyBlock => Some(addresses.any_planes(may)),
            AddressSource::NextPage if of.info.effects.is_program() => Some(addresses.next_planes(of.cell, may)),
            AddressSource::ReadablePage => Some(addresses.read_planes(of.cell, may)),
            AddressSource::None
            | AddressSource::Hook
            | AddressSource::NextPage
            | AddressSource::OutputRegister
            | AddressSource::PageRegister
            | AddressSource::SuspendedProgram
            | AddressSource::OneShotLatch
            | AddressSource::CopybackLatch => None,
        };
        let is_all = known.is_some() && conditions.has_all_blocks(&tables.size);
        let parts = if is_all { Vec::new() } else { in_regions(self.setup, of.info, conditions) };
        let has_any = move |plane: Plane| {
            is_all || parts.iter().any(|(part, _)| part.planes.contains(plane) && of.has_any(part, plane))
        };
        known.unwrap_or(may).iter().filter(move |&plane| has_any(plane))
    }
}

/// What of some conditions is in each of the regions in force, with the region's weight; the conditions alone without regions.
fn in_regions(setup: &Setup, info: &BaseInfo, conditions: &PlaceConditions) -> Vec<(PlaceConditions, u64)> {
    let mut regions = setup.addresses.regions.iter().peekable();
    if regions.peek().is_none() {
        return vec![(conditions.clone(), 1)];
    }
    let part = |region| Some((conditions.inside(region, info.effects.erase)?, u64::from(region.weight)));
    regions.filter_map(part).collect()
}

/// Whether the address of an operation depends on the plane of the hook.
fn is_at_hook(setup: &Setup, op: OpId) -> bool {
    let tables = &setup.tables;
    match tables.base_of(op).address {
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
