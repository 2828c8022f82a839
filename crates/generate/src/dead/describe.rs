//! What is said of a dead die: its state, what is in the way of each name that has a weight, and which names would free it.

use nandseq_device::{BaseInfo, BlockStage, DieLogic, Place, Register, Rule};
use nandseq_profile::model::{AddressSource, Axis, CacheReadKind, LatchKind};
use nandseq_profile::{CellTypeId, Die, OpId, PhaseKey, Plane, PlaneSet, Ticks};

use super::{Barred, BlockCounts, DeadDie, LastingState};
use crate::classes::{Class, ClassId, places};
use crate::face::{Face, next_of_cache_program};
use crate::plan::{carry_out, settled_by_itself};
use crate::reason::Reason;
use crate::setup::UNITS;
use crate::site::Site;

impl Site<'_> {
    /// Describes a die at rest; `failed` are names that are eligible there and failed whenever they were tried.
    pub(super) fn describe(&self, die: Die, now: Ticks, failed: Option<&[(Die, OpId, Reason)]>) -> DeadDie {
        let (uid, last) = self.watch.last_on(die);
        let mut lanes: Vec<(Plane, PhaseKey)> = self.lanes_at_rest(die, now).collect();
        lanes.sort_by_key(|&(plane, key)| (key, plane));
        let mut keys: Vec<PhaseKey> = lanes.iter().map(|&(_, key)| key).collect();
        keys.dedup();
        let tried = failed.unwrap_or_default();
        let barred = keys.iter().flat_map(|&key| self.barred(die, key, tried)).collect();
        DeadDie {
            die,
            since: self.device.rests_from(die),
            last: (uid > 0).then_some(last),
            state: self.lasting_state(die),
            barred,
            freed_by: self.freed_by(die, &lanes),
            keys,
            in_vain: failed.is_some(),
        }
    }

    fn lasting_state(&self, die: Die) -> LastingState {
        let logic = self.device.logic(die);
        let planes = || self.device.planes().iter().map(|plane| (plane, &logic.planes[usize::from(plane.0)]));
        let those = |wanted: &dyn Fn(&nandseq_device::PlaneLogic) -> bool| {
            let mut set = PlaneSet::EMPTY;
            planes().filter(|(_, registers)| wanted(registers)).for_each(|(plane, _)| set.insert(plane));
            set
        };
        let cache_reads = [CacheReadKind::Cache, CacheReadKind::PlaneCache]
            .map(|kind| (kind, those(&|registers| registers.cache_read == Some(kind))));
        LastingState {
            suspended: [Axis::Erase, Axis::Program].map(|axis| self.device.parked(die, axis).map(|parked| parked.op)),
            latches: [LatchKind::OneShot, LatchKind::Copyback].map(|kind| logic.latch(kind).map(|held| held.level)),
            cache_program: logic.cache_program.map(|state| state.kind),
            odt_disabled: logic.odt_disabled,
            unread: those(&|registers| registers.unread),
            cache_reads: cache_reads.into_iter().filter(|(_, planes)| !planes.is_empty()).collect(),
            blocks: self.count_blocks(die),
        }
    }

    fn count_blocks(&self, die: Die) -> BlockCounts {
        let size = &self.setup.tables.size;
        let blocks = size.blocks as usize;
        let mut counts = BlockCounts::default();
        for record in &self.device.book.records()[usize::from(die.0) * blocks..][..blocks] {
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

    /// Every name with a weight under a key, and what is in its way.
    fn barred(&self, die: Die, key: PhaseKey, tried: &[(Die, OpId, Reason)]) -> Vec<Barred> {
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
                all.push(Barred { op, key, share: weight as f64 / UNITS, reason });
            }
        }
        all.sort_by(|one, other| other.share.total_cmp(&one.share).then(one.op.cmp(&other.op)));
        all
    }

    fn class_ids(&self) -> impl Iterator<Item = ClassId> {
        (0..self.setup.classes.chunks())
            .flat_map(|chunk| places(self.setup.classes.bits(chunk, |_| true)).map(move |at| ClassId::at(chunk, at)))
    }

    /// What is in the way of a class on a die at rest: a rule on the plane where it comes farthest, or the want of an address.
    fn reason_against(&self, die: Die, class: Class, info: &BaseInfo) -> Reason {
        let (tables, logic) = (&self.setup.tables, self.device.logic(die));
        if info.effects.suspend.is_some() {
            return Reason::Rule(Rule::SuspendTarget);
        }
        let dies = match info.reach {
            nandseq_device::Reach::Target => (0..tables.size.dies).map(Die).collect(),
            nandseq_device::Reach::Planes | nandseq_device::Reach::Die => vec![die],
        };
        let mut rule = None;
        for plane in self.device.planes().iter() {
            let Some(place) = place_on(die, plane, class, info, logic) else { continue };
            let judged =
                dies.iter().map(|&at| self.device.logic(at).judge(tables, class.base, &place, self.device.planes()));
            match judged.collect::<Result<(), Rule>>() {
                Ok(()) => return Reason::NoAddress,
                Err(found) => rule = rule.or(Some(found)),
            }
        }
        rule.map_or(Reason::NoAddress, Reason::Rule)
    }

    /// Names without a weight that could start on a die at rest and would let one with a weight start after them.
    fn freed_by(&self, die: Die, lanes: &[(Plane, PhaseKey)]) -> Vec<OpId> {
        let setup = self.setup;
        let mut face = Face::new(setup);
        let mut names = Vec::new();
        for id in self.class_ids() {
            let class = setup.classes.get(id);
            let weighted = |key: PhaseKey| setup.distribution(key).set(id.chunk()) & id.bit() != 0;
            let mut open = lanes
                .iter()
                .filter(|(plane, key)| !weighted(*key) && self.open_at_rest(die, *plane, id.chunk()) & id.bit() != 0);
            // With several planes it does what it does with one.
            if !open.any(|&(plane, _)| !class.multi && self.frees((die, plane), class, lanes, &mut face)) {
                continue;
            }
            let name = setup.tables.ops().find(|(op, info)| setup.is_usable(*op) && setup.classes.of(info) == id);
            names.extend(name.map(|(op, _)| op));
        }
        names
    }

    /// Whether a name of a class that starts on a plane of a die at rest lets one with a weight start after it.
    fn frees(&self, (die, plane): (Die, Plane), class: Class, lanes: &[(Plane, PhaseKey)], face: &mut Face) -> bool {
        let (setup, tables) = (self.setup, &self.setup.tables);
        let mut logic = settled_by_itself(&self.device, tables, die);
        let Some(place) = place_on(die, plane, class, tables.base(class.base), &logic) else { return false };
        let revived = carry_out(&mut logic, tables, class.base, &place);
        face.imagine(&self.device, setup, die, &logic);
        let open = lanes.iter().any(|&(plane, key)| {
            face.chunks.iter().enumerate().any(|(chunk, sight)| {
                let delays = setup.classes.bits(chunk, |class| tables.base(class.base).effects.delay);
                let free = sight.open & !sight.not_at[usize::from(plane.0)] & !delays;
                free & setup.distribution(key).set(chunk) != 0
            })
        });
        let own = (class.base, class.cell);
        let provided = std::iter::once(own).chain(revived.map(|victim| (victim.base, victim.place.cell_type)));
        open || provided.into_iter().any(|(base, cell)| self.provides(die, (tables.base(base), cell), &logic, lanes))
    }

    /// Whether what an operation does to its block is an address for a name with a weight that nothing else keeps from starting.
    fn provides(
        &self,
        die: Die,
        (info, cell): (&BaseInfo, CellTypeId),
        logic: &DieLogic,
        lanes: &[(Plane, PhaseKey)],
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
            fits && lanes.iter().any(|&(plane, key)| {
                let weighted = self.setup.distribution(key).set(id.chunk()) & id.bit() != 0;
                let place = Place { cell_type: class.cell, ..Place::plane(die, plane) };
                weighted && logic.judge(tables, class.base, &place, self.device.planes()).is_ok()
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

/// Where a name of a class would work, as far as that follows from the state of a die at rest; of blocks any; `None`: nowhere.
fn place_on(die: Die, plane: Plane, class: Class, info: &BaseInfo, logic: &DieLogic) -> Option<Place> {
    let registers = &logic.planes[usize::from(plane.0)];
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
