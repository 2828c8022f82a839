//! Describes a dead die: its state, why each name with a weight cannot start, and which names would free it.

use std::cell::RefCell;

use nandseq_device::{BaseInfo, BlockStage, DieLogic, Place, Reach, Register, Rule};
use nandseq_profile::model::{AddressSource, ByAxis, CacheReadKind, LatchKind};
use nandseq_profile::{CellTypeId, Die, OpId, PhaseKey, Plane, PlaneSet, Ticks};

use super::facts::{BlockCounts, Blocked, DeadDie, LastStart, LastingState};
use super::look::Look;
use crate::kernel::{Kernel, carry_out, settled_by_itself};
use crate::proposal::{DieConstraints, View, next_of_cache_program};
use crate::reporting::RefusalReason;
use crate::setup::{Class, ClassId, UNITS};

/// The lasting state of a die, without a count of its blocks.
pub(crate) fn lasting_state(kernel: &Kernel<'_>, die: Die) -> LastingState {
    let logic = kernel.device.logic(die);
    let cache_reads = [CacheReadKind::Cache, CacheReadKind::PlaneCache];
    let cache_reads = cache_reads.map(|kind| (kind, logic.planes.in_cache_read(kind)));
    LastingState {
        suspended: ByAxis::new(|axis| kernel.device.suspended(die, axis).map(|held| held.op)),
        latches: [LatchKind::OneShot, LatchKind::Copyback].map(|kind| logic.latch(kind).map(|held| held.level)),
        cache_program: logic.cache_program.map(|state| state.kind),
        odt_disabled: logic.odt_disabled,
        write_protected: logic.write_protected,
        unread: logic.planes.unread(),
        cache_reads: cache_reads.into_iter().filter(|(_, planes)| !planes.is_empty()).collect(),
        blocks: BlockCounts::default(),
    }
}

impl Look<'_, '_> {
    /// Describes a die at rest. `last` is the last operation that started there, `since` the time at which the die came to rest. `failed`
    /// are names that are eligible there and failed whenever they were tried.
    pub(super) fn describe(
        &self,
        die: Die,
        (last, since): (Option<LastStart>, Option<Ticks>),
        failed: Option<&[(Die, OpId, RefusalReason)]>,
    ) -> DeadDie {
        let refills: Vec<(Plane, PhaseKey)> = self.refill_keys(die).collect();
        let mut keys: Vec<PhaseKey> = refills.iter().map(|&(_, key)| key).collect();
        keys.sort_unstable();
        keys.dedup();
        let tried = failed.unwrap_or_default();
        let blocked = keys.iter().flat_map(|&key| self.blocked(die, key, tried)).collect();
        let freed_by = if failed.is_none() { self.freed_by(die, &refills) } else { Vec::new() };
        let possible = if freed_by.is_empty() { self.startable(die, &refills, |_| true) } else { Vec::new() };
        DeadDie {
            die,
            since,
            last,
            state: self.lasting_state(die),
            blocked,
            freed_by,
            possible,
            keys,
            in_vain: failed.is_some(),
        }
    }

    /// When the last phase, or the last operation, on a die ended; `None`: before the site was made from a snapshot (`is_continued`).
    pub(super) fn rests_since(&self, die: Die, last: Option<LastStart>, is_continued: bool) -> Option<Ticks> {
        match last {
            Some(last) => {
                let op = self.setup.tables.op(last.op);
                Some(self.kernel.device.rests_from(die).max(last.at + op.total.max(op.array_done)))
            }
            None if is_continued => None,
            None => Some(Ticks::ZERO),
        }
    }

    fn lasting_state(&self, die: Die) -> LastingState {
        LastingState { blocks: self.count_blocks(die), ..lasting_state(self.kernel, die) }
    }

    fn count_blocks(&self, die: Die) -> BlockCounts {
        let size = &self.setup.tables.size;
        let blocks = size.blocks as usize;
        let mut counts = BlockCounts::default();
        for record in &self.kernel.device.book.records()[usize::from(die.0) * blocks..][..blocks] {
            let of_cell = match record.stage {
                _ if record.in_flight => {
                    counts.in_flight += 1;
                    continue;
                }
                BlockStage::Bad => {
                    counts.bad += 1;
                    continue;
                }
                BlockStage::NotErased => {
                    counts.not_erased += 1;
                    continue;
                }
                BlockStage::Erased(cell) => (&mut counts.erased, cell),
                BlockStage::Programmed(cell) if record.pages < size.pages => (&mut counts.open, cell),
                BlockStage::Programmed(cell) => (&mut counts.full, cell),
            };
            add(of_cell.0, of_cell.1);
        }
        for list in [&mut counts.erased, &mut counts.open, &mut counts.full] {
            list.sort_unstable();
        }
        counts
    }

    /// Every name with a weight under a key, and why it cannot start.
    fn blocked(&self, die: Die, key: PhaseKey, tried: &[(Die, OpId, RefusalReason)]) -> Vec<Blocked> {
        let distribution = self.setup.distribution(key);
        let mut all = Vec::new();
        for id in self.class_ids() {
            let class = self.setup.classes.get(id);
            let info = self.setup.tables.base(class.base);
            if info.effects.delay {
                continue;
            }
            for &(op, weight) in distribution.names_of(id) {
                let failed = tried.iter().find(|&&(of, name, _)| (of, name) == (die, op));
                let reason = failed.map_or_else(|| self.reason_against(die, class, info), |&(.., reason)| reason);
                all.push(Blocked { op, key, share: weight as f64 / UNITS, reason });
            }
        }
        all.sort_by(|one, other| other.share.total_cmp(&one.share).then(one.op.cmp(&other.op)));
        all
    }

    fn class_ids(&self) -> impl Iterator<Item = ClassId> {
        (0..self.setup.classes.chunks())
            .flat_map(|chunk| self.setup.classes.bits(chunk, |_| true).places().map(move |at| ClassId::at(chunk, at)))
    }

    /// Why a class cannot start on a die at rest: the rule that forbids it on the first plane where its address follows from the
    /// state, or that there is no address.
    fn reason_against(&self, die: Die, class: Class, info: &BaseInfo) -> RefusalReason {
        let (tables, logic) = (&self.setup.tables, self.kernel.device.logic(die));
        if info.effects.suspend.is_some() {
            return RefusalReason::Rule(Rule::SuspendTarget);
        }
        let dies = match info.reach {
            Reach::Target => (0..tables.size.dies).map(Die).collect(),
            Reach::Planes | Reach::Die => vec![die],
        };
        let mut rule = None;
        for plane in self.kernel.device.planes().iter() {
            let Some(place) = place_on(die, plane, class, info, logic) else { continue };
            let judged = dies
                .iter()
                .map(|&at| self.kernel.device.logic(at).judge(tables, class.base, &place, self.kernel.device.planes()));
            match judged.collect::<Result<(), Rule>>() {
                Ok(()) => return RefusalReason::NoAddress,
                Err(found) => rule = rule.or(Some(found)),
            }
        }
        rule.map_or(RefusalReason::NoAddress, RefusalReason::Rule)
    }

    /// Names without a weight that could start on a die at rest and would let one with a weight start after them.
    fn freed_by(&self, die: Die, refills: &[(Plane, PhaseKey)]) -> Vec<OpId> {
        let constraints = RefCell::new(DieConstraints::new(self.setup));
        self.startable(die, refills, |(plane, class)| self.frees((die, plane), class, &mut constraints.borrow_mut()))
    }

    /// One name of each class without a weight that could start on a die at rest, of those that are wanted there.
    fn startable(&self, die: Die, refills: &[(Plane, PhaseKey)], wanted: impl Fn((Plane, Class)) -> bool) -> Vec<OpId> {
        let setup = self.setup;
        let mut names = Vec::new();
        for id in self.class_ids() {
            let class = setup.classes.get(id);
            let mut open = refills.iter().filter(|&&(plane, key)| {
                let open = self.open(&self.view(die, plane)).nth(id.chunk());
                (open.unwrap_or_default() & !setup.distribution(key).set(id.chunk())).contains(id)
            });
            // A multi-plane operation has the same effect as its single-plane form.
            if !open.any(|&(plane, _)| !class.multi && wanted((plane, class))) {
                continue;
            }
            let name = setup.tables.ops().find(|(op, info)| setup.is_usable(*op) && setup.classes.of(info) == id);
            names.extend(name.map(|(op, _)| op));
        }
        names
    }

    /// Whether a name of a class that starts on a plane of a die at rest lets one with a weight start after it.
    fn frees(&self, (die, plane): (Die, Plane), class: Class, constraints: &mut DieConstraints) -> bool {
        let (setup, tables) = (self.setup, &self.setup.tables);
        let info = tables.base(class.base);
        let mut logic = settled_by_itself(&self.kernel.device, tables, die);
        let Some(place) = place_on(die, plane, class, info, &logic) else { return false };
        let resumed = carry_out(&mut logic, tables, class.base, &place);
        constraints.imagine(&self.kernel.device, setup, die, &logic);
        // What was resumed ends last.
        let shown = resumed.map(|target| (tables.base(target.base), target.place)).into_iter().chain([(info, place)]);
        let shown: Vec<(PlaneSet, PhaseKey)> = shown
            .filter_map(|(info, place)| Some((self.kernel.device.shows_on(info, &place)?.2, info.end_key)))
            .collect();
        let end_of = |plane: Plane| {
            let own = shown.iter().find(|(planes, _)| planes.contains(plane));
            own.map_or_else(|| self.kernel.device.phase_key(die, plane, self.now), |&(_, key)| key)
        };
        let planes = self.kernel.device.planes().iter();
        let refills: Vec<(Plane, PhaseKey)> =
            planes.flat_map(|plane| self.keys_after(end_of(plane)).map(move |key| (plane, key))).collect();
        let effects = &info.effects;
        let suspended = self.kernel.suspended_chains(die);
        let chained =
            !effects.resets() && suspended.iter().any(|(axis, own)| effects.resume != Some(axis) && own.is_some());
        let open = refills.iter().any(|&(plane, key)| {
            let view = View { die, plane, chained, rested: false };
            let distribution = setup.distribution(key);
            (0..)
                .zip(self.open_under(&view, constraints))
                .any(|(chunk, open)| !(open & distribution.set(chunk)).is_empty())
        });
        let own = (class.base, class.cell);
        let provided = std::iter::once(own).chain(resumed.map(|target| (target.base, target.place.cell_type)));
        open || provided.into_iter().any(|(base, cell)| self.provides(die, (tables.base(base), cell), &logic, &refills))
    }

    /// Whether an operation makes its block an address for a name with a weight, which no rule of the lasting state forbids.
    fn provides(
        &self,
        die: Die,
        (info, cell): (&BaseInfo, CellTypeId),
        logic: &DieLogic,
        refills: &[(Plane, PhaseKey)],
    ) -> bool {
        let tables = &self.setup.tables;
        self.class_ids().any(|id| {
            let class = self.setup.classes.get(id);
            let wanted = tables.base(class.base);
            let fits = match wanted.address {
                AddressSource::NextPage if wanted.effects.is_program() => {
                    info.effects.erase && tables.programs[cell.index()] & 1 << class.cell.0 != 0
                }
                AddressSource::ReadablePage => info.effects.program && class.cell == cell,
                AddressSource::NextPage => info.effects.erase,
                AddressSource::None
                | AddressSource::Hook
                | AddressSource::AnyBlock
                | AddressSource::OutputRegister
                | AddressSource::PageRegister
                | AddressSource::SuspendedProgram
                | AddressSource::OneShotLatch
                | AddressSource::CopybackLatch => false,
            };
            fits && refills.iter().any(|&(plane, key)| {
                let weighted = self.setup.distribution(key).set(id.chunk()).contains(id);
                let place = Place { cell_type: class.cell, ..Place::plane(die, plane) };
                weighted && logic.judge(tables, class.base, &place, self.kernel.device.planes()).is_ok()
            })
        })
    }
}

fn add(list: &mut Vec<(CellTypeId, u32)>, cell: CellTypeId) {
    match list.iter_mut().find(|(known, _)| *known == cell) {
        Some((_, count)) => *count += 1,
        None => list.push((cell, 1)),
    }
}

/// The place of a name of a class, as far as the state of a die at rest decides it. The block is any block if it does not.
/// `None`: there is no place.
fn place_on(die: Die, plane: Plane, class: Class, info: &BaseInfo, logic: &DieLogic) -> Option<Place> {
    let registers = logic.planes.plane(plane);
    let any = Place { cell_type: class.cell, ..Place::plane(die, plane) };
    let held = |register: Option<Register>| {
        register.map(|held| Place { group: held.group, page: held.page, cell_type: held.cell_type, ..any })
    };
    match info.address {
        AddressSource::None => Some(Place { planes: PlaneSet::EMPTY, ..any }),
        AddressSource::NextPage if info.effects.is_program() && logic.cache_program.is_some() => {
            next_of_cache_program(logic)
        }
        AddressSource::Hook | AddressSource::AnyBlock | AddressSource::NextPage | AddressSource::ReadablePage => {
            Some(any)
        }
        AddressSource::OutputRegister => held(registers.output),
        AddressSource::PageRegister => held(registers.page),
        AddressSource::SuspendedProgram => logic.program.map(|suspended| suspended.place),
        AddressSource::OneShotLatch => logic.latch(LatchKind::OneShot).map(|loaded| loaded.place),
        AddressSource::CopybackLatch => logic.latch(LatchKind::Copyback).map(|loaded| loaded.place),
    }
}
