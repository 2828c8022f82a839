//! Checks whether a state that was read can be that of a site, before it is used.

use nandseq_device::{BlockRecord, BlockStage, Effects, Place, PlaneLogic, QuiescentDie, Reach, Register, Tables};
use nandseq_profile::{CellTypeId, Die, OpId, PhaseKey, Plane, Ticks};
use nandseq_trace::Proposal;

use super::error::StateError;
use super::state::SiteState;
use crate::dead::Rest;
use crate::kernel::Step;
use crate::run::LAST;
use crate::setup::Setup;

/// A count that no site reaches: its clock ends long before.
const MOST: u64 = 1 << 56;

/// Longer than the remaining CORE_BUSY or window of any suspended operation: a phase lasts at most a day.
const LONGEST: Ticks = Ticks::from_us(2 * 24 * 3_600_000_000);
/// More steps than any chain has.
const MOST_STEPS: usize = 4_096;

/// Checks that every index of a state exists and that its parts agree.
pub(super) fn state(setup: &Setup, state: &SiteState) -> Result<(), StateError> {
    let tables = &setup.tables;
    let checks = Checks { tables, keys: setup.phase_keys() };
    if state.dies.len() != usize::from(tables.size.dies) {
        return wrong("another number of dies");
    }
    if state.time > LAST || state.next_refill.is_some_and(|time| time > LAST) {
        return wrong("a time beyond the end of simulated time");
    }
    if [state.run, state.operations, state.refills, state.resumptions].into_iter().any(|count| count > MOST) {
        return wrong("a count that no run reaches");
    }
    for hook in &state.hooks {
        checks.plane(hook.die, hook.plane)?;
        if hook.time > LAST {
            return wrong("a time beyond the end of simulated time");
        }
        if hook.after.is_some_and(|after| after > hook.time) {
            return wrong("a hook before the end of the phase that it comes after");
        }
    }
    if state.hooks.iter().map(|hook| hook.time).chain(state.next_refill).any(|time| time < state.time) {
        return wrong("a hook before the start of the next run");
    }
    let times = state.hooks.iter().map(|hook| hook.time).chain(state.next_refill).chain([state.time]);
    if times.into_iter().any(|time| time.ceil_to(tables.grid) != time) {
        return wrong("a time off the grid of start times");
    }
    let first = &state.dies[0].quiescent.logic;
    if !state.dies.iter().all(|entry| entry.quiescent.logic.agrees_on_target(first)) {
        return wrong("a state of the target that is not the same on all dies");
    }
    for (at, entry) in state.dies.iter().enumerate() {
        let die = Die(at as u8);
        checks.quiescent(die, &entry.quiescent)?;
        if let Some(Rest { since, last }) = entry.dead {
            if since > state.time || last.is_some_and(|last| last.at > since) {
                return wrong("a die that is dead since a time to come");
            }
            if last.is_some_and(|last| usize::from(last.op.0) >= tables.ops().count()) {
                return wrong("an operation that the profile does not have");
            }
        }
        for (held, suspended) in entry.quiescent.suspended.values().zip(entry.suspended.values()) {
            if held.is_some() != suspended.is_some() {
                return wrong("a suspended operation without its origin");
            }
            let (Some(held), Some(suspended)) = (held, suspended) else { continue };
            if held.busy_left > LONGEST || held.window > LONGEST {
                return wrong("a suspended operation with a remainder longer than any phase");
            }
            if suspended.chain.len() > MOST_STEPS {
                return wrong("a chain with more steps than the limit");
            }
            checks.proposal(&suspended.origin.proposal)?;
            if suspended.origin.states.iter().any(|state| !checks.has_key(state.of)) {
                return wrong("a phase key that the profile does not have");
            }
            suspended.chain.iter().try_for_each(|step| checks.chain_step(die, step))?;
        }
    }
    Ok(())
}

/// Checks that the setup's bad blocks, and no others, are bad.
pub(super) fn bad_blocks(setup: &Setup, records: &[BlockRecord]) -> Result<(), StateError> {
    let blocks = setup.tables.size.blocks as usize;
    let is_bad = |record: &BlockRecord| record.stage == BlockStage::Bad;
    let mut bad: Vec<usize> =
        setup.bad_blocks.iter().map(|&(die, block)| usize::from(die.0) * blocks + block.index()).collect();
    bad.sort_unstable();
    bad.dedup();
    let same = records.iter().enumerate().filter(|(_, record)| is_bad(record)).map(|(at, _)| at).eq(bad);
    if same { Ok(()) } else { wrong("other bad blocks") }
}

fn wrong(what: &str) -> Result<(), StateError> {
    Err(StateError::new(what))
}

struct Checks<'a> {
    tables: &'a Tables,
    keys: usize,
}

impl Checks<'_> {
    const fn has_key(&self, key: PhaseKey) -> bool {
        key.index() < self.keys
    }

    fn plane(&self, die: Die, plane: Plane) -> Result<(), StateError> {
        let size = &self.tables.size;
        if die.0 < size.dies && plane.0 < size.planes { Ok(()) } else { wrong("a die or plane that does not exist") }
    }

    fn op(&self, op: OpId) -> Result<(), StateError> {
        let exists = op.index() < self.tables.ops().count();
        if exists { Ok(()) } else { wrong("an operation that the profile does not have") }
    }

    fn cell(&self, cell: CellTypeId) -> Result<(), StateError> {
        let exists = cell.index() < self.tables.programs.len();
        if exists { Ok(()) } else { wrong("a cell type that the profile does not have") }
    }

    fn place(&self, die: Die, place: &Place) -> Result<(), StateError> {
        let size = &self.tables.size;
        self.cell(place.cell_type)?;
        let blocks = place.planes.iter().all(|plane| plane.0 < size.planes && place.block(size, plane).0 < size.blocks);
        if place.die == die && place.group < size.groups && place.page.0 < size.pages && blocks {
            Ok(())
        } else {
            wrong("an address that does not exist")
        }
    }

    fn step(&self, die: Die, step: &Step) -> Result<(), StateError> {
        self.op(step.op)?;
        self.place(die, &step.place)?;
        let op = self.tables.op(step.op);
        let planes = step.place.planes.len();
        let base = self.tables.base(op.base);
        let named = base.reach == Reach::Planes || base.has_block;
        if named && (planes == 0 || op.multi != (planes > 1)) {
            return wrong("an operation on a wrong number of planes");
        }
        Ok(())
    }

    fn effects(&self, op: OpId) -> &Effects {
        &self.tables.base_of(op).effects
    }

    fn chain_step(&self, die: Die, step: &Step) -> Result<(), StateError> {
        self.step(die, step)?;
        let effects = self.effects(step.op);
        if effects.suspend.is_some() || effects.holds_target {
            return wrong("a chain with a step that chains cannot have");
        }
        Ok(())
    }

    fn register(&self, register: Option<Register>) -> Result<(), StateError> {
        let Some(register) = register else { return Ok(()) };
        self.cell(register.cell_type)?;
        let exists = register.group < self.tables.size.groups && register.page.0 < self.tables.size.pages;
        if exists { Ok(()) } else { wrong("an address that does not exist") }
    }

    fn quiescent(&self, die: Die, quiescent: &QuiescentDie) -> Result<(), StateError> {
        let bases = self.tables.bases().count();
        if quiescent.last.iter().flatten().any(|base| base.index() >= bases) {
            return wrong("a base that the profile does not have");
        }
        let logic = &quiescent.logic;
        let planes = usize::from(self.tables.size.planes);
        let registers = (0..8).map(|plane| logic.planes.plane(Plane(plane)));
        let beyond = registers.clone().skip(planes).any(|plane| plane != PlaneLogic::default());
        if beyond || quiescent.last.iter().skip(planes).any(Option::is_some) {
            return wrong("something on a plane that does not exist");
        }
        for registers in registers {
            self.register(registers.page)?;
            self.register(registers.output)?;
        }
        let latches = [logic.one_shot, logic.copyback].into_iter().flatten().map(|loaded| loaded.place);
        let places = latches.chain(logic.cache_program.map(|cache| cache.place));
        for place in places {
            self.place(die, &place)?;
        }
        for (axis, &held) in quiescent.suspended.iter() {
            let same = match (logic.suspended(axis), held) {
                (None, None) => true,
                (Some(suspended), Some(held)) => {
                    self.step(die, &Step { op: held.op, place: held.place })?;
                    if !self.effects(held.op).is_of(axis) {
                        return wrong("a suspended operation that is of another axis");
                    }
                    suspended.place == held.place && suspended.base == self.tables.op(held.op).base
                }
                (None, Some(_)) | (Some(_), None) => false,
            };
            if !same {
                return wrong("a suspension whose parts disagree");
            }
        }
        Ok(())
    }

    fn proposal(&self, proposal: &Proposal) -> Result<(), StateError> {
        self.plane(proposal.die, proposal.plane)?;
        let keys = [proposal.key_used, proposal.key_virtual, proposal.state.of];
        if keys.into_iter().all(|key| self.has_key(key)) {
            Ok(())
        } else {
            wrong("a phase key that the profile does not have")
        }
    }
}
