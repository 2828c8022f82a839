//! What the next step of an attempt lacks, and an operation that brings it about: an erased block, a page to read, an operation to
//! suspend, or the end of a state in the way.

use nandseq_device::{BaseInfo, Device, DieLogic, Place, StateChange, Tables};
use nandseq_profile::model::{AddressSource, Axis, LatchKind};
use nandseq_profile::{BaseId, CellTypeId, OpId, Plane, PlaneSet};

use super::attempt::Attempt;
use super::conditions::PlaceConditions;
use super::search::{Lack, StepSearch, WantedStep};
use crate::kernel::{Step, carry_out, settled};
use crate::proposal::register_place;
use crate::random::RandomNumbers;
use crate::refills::DiePlane;
use crate::setup::{CompiledScenario, Setup, is_wanted};

/// How deeply needs follow from one another: a page to read needs a program, which needs an erase.
pub(super) const DEPTH: u32 = 3;

impl StepSearch<'_, '_> {
    /// Plans an operation after which the next step of an attempt may come. Returns the plane of the hook at which it may start now.
    pub(super) fn prepare(&mut self, scenario: &CompiledScenario, attempt: &Attempt) -> Option<DiePlane> {
        let tables = &self.setup.tables;
        let conditions = attempt.conditions(tables, scenario, attempt.next);
        let ops: Vec<OpId> = scenario.ops(tables, attempt.next, attempt.value).collect();
        let brings = |_: &Device, plan: &[Step]| rate_head(scenario, attempt, (tables, &conditions), plan);
        let heads = self.heads(&ops);
        let wanted = |conditions| WantedStep {
            ops: heads.iter().map(|&op| (op, 1)).collect(),
            conditions,
            expect: None,
            rate: &brings,
            takes_first: false,
        };
        // The program of a chain is mostly at the address of its head.
        let die = conditions.die;
        let anywhere = PlaceConditions::anywhere(&tables.size, die);
        if !heads.is_empty()
            && let Ok(plane) = self.plan(&wanted(&conditions)).or_else(|_| self.plan(&wanted(&anywhere)))
        {
            return Some(plane);
        }
        let kinds = self.one_of_each_class(ops.iter().chain(&heads).copied());
        let needs: Vec<Lack> = kinds.into_iter().filter_map(|op| self.need(op, &conditions)).collect();
        if !needs.is_empty() {
            let need = needs[self.draw_below(needs.len())];
            if let Some(plane) = self.provide(need, &conditions, DEPTH) {
                return Some(plane);
            }
        }
        self.clear_way(&conditions, ops.iter().chain(&heads).copied())
    }

    /// Whether the next step needs something that is suspended.
    pub(super) fn needs_suspended(&self, scenario: &CompiledScenario, attempt: &Attempt) -> bool {
        let tables = &self.setup.tables;
        scenario.ops(tables, attempt.next, attempt.value).any(|op| {
            let info = tables.base_of(op);
            info.effects.resume.is_some() || info.address == AddressSource::SuspendedProgram
        })
    }

    /// What a later step of an attempt will lack, with where it is lacking. `first` is where the first step is to be.
    pub(super) fn lack_of_later(
        &mut self,
        scenario: &CompiledScenario,
        attempt: &Attempt,
        first: Place,
    ) -> Option<(Lack, PlaceConditions)> {
        let tables = &self.setup.tables;
        (1..scenario.steps.len()).find_map(|step| {
            let conditions = attempt.conditions_after(tables, scenario, (step, first));
            let ops: Vec<OpId> = scenario.ops(tables, step, attempt.value).collect();
            self.lack(scenario, (attempt, step), &ops, &conditions)
        })
    }

    /// What is lacking for a later step, if all of its operations lack an address and no step before it provides one.
    fn lack(
        &mut self,
        scenario: &CompiledScenario,
        (attempt, step): (&Attempt, usize),
        ops: &[OpId],
        conditions: &PlaceConditions,
    ) -> Option<(Lack, PlaceConditions)> {
        let tables = &self.setup.tables;
        let mut kinds: Vec<(OpId, AddressSource, CellTypeId)> = Vec::new();
        for &op in ops {
            let info = tables.op(op);
            let (base, cell) = (tables.base(info.base), info.stated_cell_type);
            if !needs_another(base) {
                return None;
            }
            let is_provided = (0..step)
                .filter(|&earlier| attempt.dies[earlier] == conditions.die && !scenario.is_apart(step, earlier))
                .any(|earlier| {
                    let mut does =
                        scenario.ops(tables, earlier, attempt.value).map(|earlier| provides(tables, earlier, op));
                    // What is prepared elsewhere is of no use to a step at the block of an earlier one.
                    if scenario.is_at_block_of(step, earlier) { does.any(|does| does) } else { does.all(|does| does) }
                });
            if is_provided {
                return None;
            }
            // What an operation takes from a state that no step brings about does not come.
            let needs_block = matches!(base.address, AddressSource::NextPage | AddressSource::ReadablePage);
            if needs_block && !kinds.iter().any(|kind| (kind.1, kind.2) == (base.address, cell)) {
                kinds.push((op, base.address, cell));
            }
        }
        // If it is to be on another plane than a step whose plane is not known yet, two planes are enough.
        let enough = if scenario.is_apart_from_later(step) { 2 } else { 1 };
        let mut found = PlaneSet::EMPTY;
        for &(op, ..) in &kinds {
            found = found.union(self.planes_with(op, conditions));
            if found.len() >= enough {
                return None;
            }
        }
        let &(op, ..) = kinds.get(self.draw_below(kinds.len()))?;
        let conditions = PlaceConditions { planes: conditions.planes.minus(found), ..conditions.clone() };
        Some((self.need(op, &conditions)?, conditions))
    }

    /// What an operation needs and lacks at addresses that meet conditions.
    fn need(&self, op: OpId, conditions: &PlaceConditions) -> Option<Lack> {
        let tables = &self.setup.tables;
        let (cell, info) = (tables.op(op).stated_cell_type, tables.base_of(op));
        if let Some(axis) = info.effects.suspend {
            return Some(Lack::InFlight(axis));
        }
        if let Some(axis) = info.effects.resume {
            return Some(Lack::Suspended(axis));
        }
        match info.address {
            AddressSource::NextPage if info.effects.is_program() => {
                let may_open = self.kernel.device.book.may_open();
                let lack = if may_open { Lack::PageToProgram(cell) } else { Lack::RoomToOpen };
                (!self.has_address(op, conditions)).then_some(lack)
            }
            AddressSource::ReadablePage => (!self.has_address(op, conditions)).then_some(Lack::PageToRead(cell)),
            AddressSource::SuspendedProgram => Some(Lack::Suspended(Axis::Program)),
            AddressSource::None
            | AddressSource::Hook
            | AddressSource::AnyBlock
            | AddressSource::NextPage
            | AddressSource::OutputRegister
            | AddressSource::PageRegister
            | AddressSource::OneShotLatch
            | AddressSource::CopybackLatch => None,
        }
    }

    /// Whether limits keep the next step of an attempt from its address, or from what leads to it.
    pub(super) fn is_kept_by_limits(&self, scenario: &CompiledScenario, attempt: &Attempt) -> bool {
        if !self.kernel.device.book.has_limits() {
            return false;
        }
        if let Some((need, conditions)) = &self.lack {
            return self.limits_keep(*need, conditions);
        }
        let tables = &self.setup.tables;
        let conditions = attempt.conditions(tables, scenario, attempt.next);
        let ops = scenario.ops(tables, attempt.next, attempt.value);
        self.one_of_each_class(ops).into_iter().any(|op| {
            self.is_limited(op, &conditions)
                || attempt.may_prepare(scenario)
                    && self.need(op, &conditions).is_some_and(|need| self.limits_keep(need, &conditions))
        })
    }

    /// Whether limits keep away what brings a need about.
    fn limits_keep(&self, need: Lack, conditions: &PlaceConditions) -> bool {
        if need == Lack::RoomToOpen {
            return true;
        }
        let conditions = conditions.of_block();
        self.one_of_each_class(self.providers(need).into_iter()).into_iter().any(|op| {
            let before = need.before(self.setup.tables.op(op).stated_cell_type);
            self.is_limited(op, &conditions) || before.is_some_and(|need| self.limits_keep(need, &conditions))
        })
    }

    /// The operations that bring a need about.
    fn providers(&self, need: Lack) -> Vec<OpId> {
        let tables = &self.setup.tables;
        let provides = |op: &OpId| {
            let (effects, own) = (&tables.base_of(*op).effects, tables.op(*op).stated_cell_type);
            match need {
                Lack::PageToProgram(cell) => effects.erase && tables.programs[own.index()] >> cell.0 & 1 == 1,
                // An open block that is erased is no longer open.
                Lack::RoomToOpen => effects.erase,
                Lack::PageToRead(cell) => (effects.program || effects.close) && own == cell,
                Lack::InFlight(axis) => effects.is_of(axis),
                Lack::Suspended(axis) => effects.suspend == Some(axis),
            }
        };
        names_of(self.setup).filter(provides).collect()
    }

    /// Plans an operation that leads to what is needed.
    pub(super) fn provide(&mut self, need: Lack, conditions: &PlaceConditions, depth: u32) -> Option<DiePlane> {
        let setup = self.setup;
        let tables = &setup.tables;
        let anywhere = PlaceConditions::anywhere(&tables.size, conditions.die);
        let of_block = if need == Lack::RoomToOpen { anywhere } else { conditions.of_block() };
        let ops = self.providers(need);
        let then = match need {
            Lack::InFlight(_) => {
                let drawn = ops.get(self.draw_below(ops.len()));
                drawn.and_then(|&op| need.before(tables.op(op).stated_cell_type))
            }
            Lack::PageToRead(cell) | Lack::PageToProgram(cell) => need.before(cell),
            Lack::RoomToOpen | Lack::Suspended(_) => need.before(CellTypeId(0)),
        };
        let heads = self.heads(&ops);
        let closes = |device: &Device, place: &Place| {
            let size = &tables.size;
            let record = |plane| device.book.record(place.die, place.block(size, plane));
            place.planes.iter().any(|plane| record(plane).is_open(size.pages))
        };
        let rate_wanted = |device: &Device, plan: &[Step]| {
            let is_wanted =
                |step: &Step| ops.contains(&step.op) && (need != Lack::RoomToOpen || closes(device, &step.place));
            plan.iter().any(is_wanted).then_some(plan.len() as u32 - 1)
        };
        for ops in [&ops, &heads] {
            let wanted = WantedStep {
                ops: ops.iter().map(|&op| (op, 1)).collect(),
                conditions: &of_block,
                expect: None,
                rate: &rate_wanted,
                takes_first: true,
            };
            if let Ok(plane) = self.plan(&wanted) {
                return Some(plane);
            }
        }
        then.filter(|_| depth > 1).and_then(|then| self.provide(then, conditions, depth - 1))
    }

    /// Names after which chains may have an operation of the same base and cell type as one of some.
    fn heads(&self, ops: &[OpId]) -> Vec<OpId> {
        let setup = self.setup;
        let mut bases: Vec<(BaseId, CellTypeId)> =
            ops.iter().map(|&op| (setup.tables.op(op).base, setup.tables.op(op).stated_cell_type)).collect();
        bases.sort_unstable();
        bases.dedup();
        let mut heads: Vec<OpId> = Vec::new();
        for (base, cell) in bases {
            let leads = |&&(op, same_cell_type): &&(OpId, bool)| {
                !same_cell_type || cell == setup.tables.op(op).stated_cell_type
            };
            heads.extend(self.set.leaders[base.index()].iter().filter(leads).map(|&(op, _)| op));
        }
        heads.sort_unstable();
        heads.dedup();
        heads.retain(|op| !ops.contains(op));
        heads
    }

    /// Plans an operation after which the lasting state of the die lets more in: one that resumes, puts data out, ends a state.
    fn clear_way(&mut self, conditions: &PlaceConditions, ops: impl Iterator<Item = OpId>) -> Option<DiePlane> {
        let (setup, die) = (self.setup, conditions.die);
        let tables = &setup.tables;
        let mut bases: Vec<BaseId> = ops.map(|op| tables.op(op).base).collect();
        bases.sort_unstable();
        bases.dedup();
        let before = open_bases(self.kernel.device.logic(die), (setup, &self.kernel.device), conditions, &bases);
        // A read fills registers, which lets in nothing but what is at their address.
        let takes_register = |base: &BaseId| {
            let address = tables.base(*base).address;
            matches!(address, AddressSource::OutputRegister | AddressSource::PageRegister)
        };
        let reads_help = bases.iter().any(takes_register);
        let is_read = |change: &StateChange| matches!(change, StateChange::Fill { .. });
        let changes = |op: &OpId| {
            let effects = &tables.base_of(*op).effects;
            !(effects.changes_block()
                || !reads_help && effects.at_end.iter().any(is_read)
                || effects.resets()
                || effects.suspend.is_some()
                || effects.holds_target
                || tables.base_of(*op).is_inert())
        };
        let anywhere = PlaceConditions::anywhere(&tables.size, die);
        let now = self.now;
        let clears = |device: &Device, plan: &[Step]| {
            let mut logic = settled(device, tables, die, &plan[0], now);
            plan.iter().for_each(|step| {
                carry_out(&mut logic, tables, tables.op(step.op).base, &step.place);
            });
            let after = open_bases(&logic, (setup, device), conditions, &bases);
            let resumes = plan.iter().any(|step| tables.base_of(step.op).effects.resume.is_some());
            if after > before {
                Some(0)
            } else if resumes {
                Some(1)
            } else {
                None
            }
        };
        // What is suspended is most likely in the way.
        let is_suspended = Axis::ALL.into_iter().any(|axis| self.kernel.device.logic(die).suspended(axis).is_some());
        let resumes = |op: &OpId| tables.base_of(*op).effects.resume.is_some();
        let opens = |device: &Device, plan: &[Step]| clears(device, plan).filter(|&rating| rating == 0);
        let kinds: Vec<(OpId, u64)> = self.set.kinds.iter().copied().filter(changes).map(|op| (op, 1)).collect();
        let resuming = kinds.iter().copied().filter(|(op, _)| is_suspended && resumes(op)).collect();
        let mut wanted =
            WantedStep { ops: resuming, conditions: &anywhere, expect: None, rate: &opens, takes_first: true };
        if let Ok(plane) = self.plan(&wanted) {
            return Some(plane);
        }
        (wanted.ops, wanted.rate, wanted.takes_first) = (kinds, &clears, false);
        self.plan(&wanted).ok()
    }

    fn draw_below(&mut self, bound: usize) -> usize {
        self.stream.below(bound.max(1) as u64) as usize
    }
}

/// Whether what an operation needs is there only after another operation.
fn needs_another(info: &BaseInfo) -> bool {
    match info.address {
        AddressSource::None | AddressSource::Hook | AddressSource::AnyBlock => false,
        AddressSource::NextPage => info.effects.is_program(),
        AddressSource::ReadablePage
        | AddressSource::OutputRegister
        | AddressSource::PageRegister
        | AddressSource::SuspendedProgram
        | AddressSource::OneShotLatch
        | AddressSource::CopybackLatch => true,
    }
}

/// Whether an operation provides what another needs.
fn provides(tables: &Tables, earlier: OpId, needing: OpId) -> bool {
    let (info, needing) = (tables.op(earlier), tables.op(needing));
    let (effects, cell) = (&tables.base(info.base).effects, needing.stated_cell_type);
    match tables.base(needing.base).address {
        AddressSource::None | AddressSource::Hook | AddressSource::AnyBlock => false,
        AddressSource::NextPage => effects.erase && tables.programs[info.stated_cell_type.index()] >> cell.0 & 1 == 1,
        AddressSource::ReadablePage => effects.is_program() && info.stated_cell_type == cell,
        AddressSource::OutputRegister | AddressSource::PageRegister => effects.reads_array(),
        AddressSource::SuspendedProgram => effects.suspend == Some(Axis::Program),
        AddressSource::OneShotLatch | AddressSource::CopybackLatch => effects.load,
    }
}

/// Every name that may be proposed.
fn names_of(setup: &Setup) -> impl Iterator<Item = OpId> {
    setup.scenarios.iter().flat_map(|set| set.distribution.names()).map(|&(op, _)| op)
}

/// How badly a plan fits whose chain has the next step: the steps of the chain after it that are no steps of the scenario.
fn rate_head(
    scenario: &CompiledScenario,
    attempt: &Attempt,
    (tables, conditions): (&Tables, &PlaceConditions),
    plan: &[Step],
) -> Option<u32> {
    let is_next = |step: &Step| {
        let info = tables.base_of(step.op);
        let names = (info.has_block || !step.place.planes.is_empty(), info.has_block);
        scenario.steps[attempt.next].ops.binary_search(&step.op).is_ok()
            && is_wanted(tables, &scenario.values[attempt.value], attempt.next, step.op)
            && conditions.fits(&tables.size, &step.place, names)
    };
    let at = plan.iter().position(is_next)?;
    Some(attempt.unmatched((tables, scenario), &plan[at..]))
}

/// On how many planes a lasting state lets each of some bases start, added up.
fn open_bases(
    logic: &DieLogic,
    (setup, device): (&Setup, &Device),
    conditions: &PlaceConditions,
    bases: &[BaseId],
) -> usize {
    let tables = &setup.tables;
    let planes_of = |base: &BaseId| {
        let info = tables.base(*base);
        let at = |plane: &Plane| {
            let plane = *plane;
            let held = |register| register_place(conditions.die, plane, register);
            let place = match info.address {
                AddressSource::OutputRegister => logic.planes.output(plane).map(held),
                AddressSource::PageRegister => logic.planes.page(plane).map(held),
                AddressSource::SuspendedProgram => logic.program.map(|suspended| suspended.place),
                AddressSource::OneShotLatch => logic.latch(LatchKind::OneShot).map(|loaded| loaded.place),
                AddressSource::CopybackLatch => logic.latch(LatchKind::Copyback).map(|loaded| loaded.place),
                AddressSource::None
                | AddressSource::Hook
                | AddressSource::AnyBlock
                | AddressSource::NextPage
                | AddressSource::ReadablePage => Some(Place::plane(conditions.die, plane)),
            };
            place.is_some_and(|place| logic.allows(tables, info, &place, device.planes()))
        };
        let planes = conditions.has_plane.map_or(conditions.planes, PlaneSet::one);
        planes.iter().filter(at).count()
    };
    bases.iter().map(planes_of).sum()
}
