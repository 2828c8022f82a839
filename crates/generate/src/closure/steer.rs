//! Going for what lacks hits where nothing that does can start: plans are made for what may start, carried out on a copy of the
//! die's lasting state, and valued by what the states that they lead to let in. The best one starts, if the judge agrees.

use nandseq_device::{BaseInfo, DieLogic, Place, Rule, Suspended};
use nandseq_profile::model::{AddressSource, Axis, PhaseKind};
use nandseq_profile::{BaseId, CellTypeId, Die, OpId, PhaseKey, Plane, PlaneSet, Ticks};
use nandseq_trace::Proposal;

use super::Tally;
use super::outlook::{UNIT, shows};
use crate::chain::Step;
use crate::classes::{Class, ClassId, places};
use crate::eligible::View;
use crate::face::Face;
use crate::groups::Source;
use crate::philox::Stream;
use crate::plan::{settled, settled_by_itself};
use crate::propose::{HookKind, Start};
use crate::reason::Reason;
use crate::setup::{Distribution, Setup};
use crate::site::{Site, axis_index};

/// As many cells are worth an address of a kind that there is none of.
const SUPPLY: u64 = 10;
/// As many plans are made for a name that chains may follow.
const PLANS: usize = 4;

/// Memory of steering.
#[derive(Clone, Default, Debug)]
pub(crate) struct Helm {
    names: Vec<(OpId, ClassId)>,
    best: Vec<Step>,
    /// By chunk: what the present state lets in.
    present: Vec<u64>,
    /// By chunk: what the imagined state lets in.
    open: Vec<u64>,
    /// By base: what phases let in, where a step follows and where none does.
    chart: Vec<[u64; 2]>,
    /// By key: what a plane lets in under it in the imagined state.
    rest: Vec<Option<u64>>,
    /// By plane: the key of the present state at rest.
    keys: [PhaseKey; 8],
    /// By die: what it would forbid in an imagined state.
    faces: Vec<Face>,
}

impl Helm {
    fn prepare(&mut self, setup: &Setup, tally: &Tally) {
        if self.faces.is_empty() {
            self.faces = vec![Face::new(setup); usize::from(setup.tables.size.dies)];
            self.present = vec![0; setup.classes.chunks()];
        }
        if let Some(goal) = &setup.goal {
            goal.map.chart(tally, &setup.tables, &mut self.chart);
        }
    }
}

/// What a plan is worth: cells for each operation, and the class of what is to follow it, if that is part of it.
#[derive(Clone, Copy, Default)]
struct Worth {
    rate: u64,
    promise: Option<ClassId>,
}

impl Worth {
    const fn or(self, other: Self) -> Self {
        if other.rate > self.rate { other } else { self }
    }
}

/// What a plan leads to.
#[derive(Clone, Copy)]
struct Prospect {
    cells: u64,
    operations: u64,
}

impl Prospect {
    fn and(self, (cells, operations): (u64, u64)) -> Self {
        Self { cells: self.cells + cells, operations: self.operations + operations }
    }

    fn rate(self) -> u64 {
        self.cells * UNIT / self.operations.max(1)
    }
}

impl Site<'_> {
    /// Starts the plan that leads to most of what lacks hits for each of its operations. Returns whether one started.
    pub(super) fn steer(
        &mut self,
        (view, proposal, kind): (&View, &Proposal, HookKind),
        distribution: &Distribution,
        stream: &mut Stream,
    ) -> bool {
        let die = proposal.die;
        if self.chains.any_on(die) {
            return false;
        }
        let cutting = match proposal.state.phase {
            None if !self.device.occupied(die).is_empty() => return false,
            Some(PhaseKind::Issue | PhaseKind::DataIn | PhaseKind::DataOut) => return false,
            Some(PhaseKind::CoreBusy) => true,
            None => false,
        };
        let Some(mut tally) = self.tally.take() else { return false };
        let mut helm = std::mem::take(&mut tally.helm);
        let best = self.best_plan(&tally, &mut helm, (view, proposal, cutting), distribution, stream);
        tally.sought[usize::from(die.0)] |= !cutting && best.is_none();
        if kind == HookKind::Refill && !cutting {
            tally.lost[usize::from(die.0)] = best.is_none();
        }
        let mut starts = false;
        if let Some(promise) = best {
            if let Some(class) = promise {
                tally.promised[class.index()] += 1;
            }
            let base = self.setup.tables.op(helm.best[0].op).base;
            tally.steered[base.index()] += 1;
            std::mem::swap(&mut self.plan, &mut helm.best);
            starts = matches!(self.try_plan(Ok(()), proposal), Ok(Start::Now));
        }
        tally.helm = helm;
        self.tally = Some(tally);
        starts
    }

    /// Plans a name that lacks hits as [`Site::plan_name`] does: of a few plans the one that leads to most else for its operations.
    pub(super) fn plan_well(
        &mut self,
        view: &View,
        name: (OpId, ClassId),
        proposal: &Proposal,
        stream: &mut Stream,
    ) -> Result<Result<(), Rule>, Reason> {
        let setup = self.setup;
        let base = setup.classes.get(name.1).base;
        let choices = setup.follow_ups[base.index()].choices.len();
        let verdict = self.plan_name(view, name, proposal, stream)?;
        if choices == 1 && !shows(setup.tables.base(base)) {
            return Ok(verdict);
        }
        let Some(mut tally) = self.tally.take() else { return Ok(verdict) };
        let mut helm = std::mem::take(&mut tally.helm);
        helm.prepare(setup, &tally);
        helm.present.fill(0);
        let mut best = (verdict, 0);
        for tried in 0..PLANS {
            let verdict = if tried == 0 { Ok(verdict) } else { self.plan_name(view, name, proposal, stream) };
            let Ok(verdict) = verdict else { continue };
            let plan = std::mem::take(&mut self.plan);
            let worth = self.worth(&tally, &mut helm, (proposal.die, proposal.time), &plan, UNIT);
            if tried == 0 || worth.rate > best.1 {
                best = (verdict, worth.rate);
                helm.best.clone_from(&plan);
            }
            self.plan = plan;
        }
        std::mem::swap(&mut self.plan, &mut helm.best);
        tally.helm = helm;
        self.tally = Some(tally);
        Ok(best.0)
    }

    /// Makes plans, and keeps the best in `helm.best`.
    fn best_plan(
        &mut self,
        tally: &Tally,
        helm: &mut Helm,
        (view, proposal, cutting): (&View, &Proposal, bool),
        distribution: &Distribution,
        stream: &mut Stream,
    ) -> Option<Option<ClassId>> {
        let setup = self.setup;
        let goal = setup.goal.as_ref()?;
        helm.prepare(setup, tally);
        helm.names.clear();
        for id in self.lottery.eligible() {
            let effects = &setup.tables.base(setup.classes.get(id).base).effects;
            if effects.delay || (cutting && effects.suspend.is_none()) {
                continue;
            }
            // A name that does not count under this key waits for a refill, which has another.
            let names = distribution.names_of(id);
            let counts = |op: &OpId| goal.pair(proposal.key_used, *op).is_some();
            let counting = || names.iter().map(|&(op, _)| op).filter(counts);
            let number = counting().count() as u64;
            let op = match number {
                0 => names.first().map(|&(op, _)| op),
                _ => counting().nth(stream.below(number) as usize),
            };
            if let Some(op) = op {
                helm.names.push((op, id));
            }
        }
        helm.present.fill(0);
        if !cutting {
            let face = &mut helm.faces[usize::from(proposal.die.0)];
            face.imagine(
                &self.device,
                setup,
                proposal.die,
                &settled_by_itself(&self.device, &setup.tables, proposal.die),
            );
            helm.present.iter_mut().zip(&face.chunks).for_each(|(present, sight)| *present = sight.open);
            helm.keys = self.keys_at_rest(proposal.die, proposal.time);
        }
        let waiting = if cutting { self.worth(tally, helm, (proposal.die, proposal.time), &[], 0).rate } else { 0 };
        let mut best = waiting;
        let mut found = None;
        let mut equal = 1;
        let mut at = 0;
        while let Some(&(op, id)) = helm.names.get(at) {
            at += 1;
            let base = setup.classes.get(id).base;
            let plans = setup.follow_ups[base.index()].choices.len().min(PLANS);
            for _ in 0..plans {
                if !matches!(self.plan_name(view, (op, id), proposal, stream), Ok(Ok(()))) {
                    continue;
                }
                let plan = std::mem::take(&mut self.plan);
                let worth = self.worth(tally, helm, (proposal.die, proposal.time), &plan, 0);
                let (promise, worth) = (worth.promise, worth.rate / tally.tiredness(base));
                self.plan = plan;
                equal = if worth == best { equal + 1 } else { 1 };
                if worth > best || (worth == best && found.is_some() && stream.below(equal) == 0) {
                    best = worth;
                    found = Some(promise);
                    helm.best.clone_from(&self.plan);
                }
            }
        }
        found.filter(|_| goal.pair(proposal.key_used, helm.best[0].op).is_some())
    }

    /// What lacks hits and can be hit for each operation of a plan, or if nothing is done.
    fn worth(&self, tally: &Tally, helm: &mut Helm, (die, now): (Die, Ticks), plan: &[Step], hits: u64) -> Worth {
        let setup = self.setup;
        let tables = &setup.tables;
        let Some(goal) = &setup.goal else { return Worth::default() };
        let mut logic = match plan.first() {
            Some(head) => settled(&self.device, tables, die, head, now),
            None => settled_by_itself(&self.device, tables, die),
        };
        let mut keys = self.keys_at_rest(die, now);
        let mut prospect = Prospect { cells: hits, operations: plan.len() as u64 };
        let mut suspended = Worth::default();
        let mut window = None;
        for (at, step) in plan.iter().enumerate() {
            let base = tables.op(step.op).base;
            let info = tables.base(base);
            let last = at + 1 == plan.len();
            let revived = info.effects.resume.and_then(|axis| logic.suspended(axis));
            logic.start(info, &step.place);
            if last {
                suspended = self.if_suspended(tally, helm, (die, keys), &logic, prospect, step);
            }
            logic.finish(info, &step.place);
            prospect.cells += goal.map.in_phases(tally, info, last);
            if shows(info) {
                window = info.window_key.filter(|_| last);
                let planes = self.device.occupied_by(info, &step.place).1;
                planes.iter().for_each(|plane| keys[usize::from(plane.0)] = info.end_key);
            }
            if let Some(victim) = revived {
                let info = tables.base(victim.base);
                logic.finish(info, &victim.place);
                prospect.cells += goal.map.in_phases(tally, info, last);
                let planes = self.device.occupied_by(info, &victim.place).1;
                planes.iter().for_each(|plane| keys[usize::from(plane.0)] = info.end_key);
            }
        }
        let changes = plan.iter().any(|step| shows(tables.base(tables.op(step.op).base)));
        if hits == 0 && !changes && !plan.is_empty() && logic == settled_by_itself(&self.device, tables, die) {
            return Worth::default();
        }
        let supply = plan.first().map_or(0, |step| self.supply(tally, &helm.faces[usize::from(die.0)], step));
        prospect.cells += supply;
        self.state_worth(tally, helm, (die, keys, window), &logic, prospect).or(suspended)
    }

    /// By plane: the key once what is there has ended.
    fn keys_at_rest(&self, die: Die, now: Ticks) -> [PhaseKey; 8] {
        let mut keys = [PhaseKey::DEFAULT; 8];
        for plane in self.device.planes().iter() {
            keys[usize::from(plane.0)] = self.device.plane_phase(die, plane, now).of;
        }
        keys
    }

    /// What a plan is worth that ends in a state.
    fn state_worth(
        &self,
        tally: &Tally,
        helm: &mut Helm,
        (die, keys, window): (Die, [PhaseKey; 8], Option<PhaseKey>),
        logic: &DieLogic,
        so_far: Prospect,
    ) -> Worth {
        let setup = self.setup;
        let Some(goal) = &setup.goal else { return Worth::default() };
        let Helm { faces, present, keys: before, .. } = helm;
        let face = &mut faces[usize::from(die.0)];
        face.imagine(&self.device, setup, die, logic);
        let groups = setup.groups.chunks();
        let alone = setup.tables.size.dies == 1;
        // What looks at every die can hardly be counted on.
        let open = |chunk: usize| face.chunks[chunk].open & if alone { u64::MAX } else { !groups[chunk].on_target };
        let mut here = so_far;
        if let Some(key) = window {
            here.cells += goal.map.at_rest(tally, key, |chunk| open(chunk) & !groups[chunk].in_state(key.0));
        }
        for plane in self.device.planes().iter() {
            let at = usize::from(plane.0);
            if keys[..at].contains(&keys[at]) {
                continue;
            }
            // What could start before is not due to the plan.
            let known = |chunk: usize| if keys[at] == before[at] { present[chunk] } else { 0 };
            here.cells +=
                goal.map.at_rest(tally, keys[at], |chunk| open(chunk) & !face.chunks[chunk].not_at[at] & !known(chunk));
        }
        helm.open.clear();
        helm.open.extend((0..groups.len()).map(open));
        let (ahead, promise) = self.ahead(tally, helm, die, logic);
        let further = here.and(ahead);
        Worth { rate: here.rate(), promise: None }.or(Worth { rate: further.rate(), promise })
    }

    /// The most cells for each operation that one more operation and its chain lead to from a state, where `helm.open` can start:
    /// (cells, operations).
    fn ahead(&self, tally: &Tally, helm: &mut Helm, die: Die, logic: &DieLogic) -> ((u64, u64), Option<ClassId>) {
        let setup = self.setup;
        let (mut best, mut by) = ((0, 1), None);
        let Some(goal) = &setup.goal else { return (best, by) };
        let (map, tables) = (&goal.map, &setup.tables);
        let Helm { faces, open, chart, rest, .. } = helm;
        let face = &mut faces[usize::from(die.0)];
        let better = |one: (u64, u64), other: (u64, u64)| one.0 * other.1 > other.0 * one.1;
        rest.clear();
        rest.resize(setup.phase_keys(), None);
        let groups = setup.groups.chunks();
        let forbidden = |chunk: usize, key: PhaseKey| groups[chunk].in_state(key.0);
        let mut last = None;
        for chunk in 0..open.len() {
            for place in places(open[chunk]) {
                let id = ClassId::at(chunk, place);
                let class = setup.classes.get(id);
                // Other cell types lead to the same.
                if last.replace((class.base, class.multi)) == Some((class.base, class.multi)) {
                    continue;
                }
                let tired = tally.promise_tiredness(id);
                for way in map.ways(class.base) {
                    let (cells, operations) = map.along(tables, (chart, way), |key| {
                        let open = |chunk: usize| open[chunk] & !forbidden(chunk, key);
                        *rest[key.index()].get_or_insert_with(|| map.at_rest(tally, key, open))
                    });
                    let promised = (cells / tired, operations);
                    if !better(promised, best) {
                        continue;
                    }
                    let mut after = *logic;
                    self.carry_out(&mut after, die, class, way);
                    let found = if after == *logic {
                        promised
                    } else {
                        face.imagine(&self.device, setup, die, &after);
                        let groups = setup.groups.chunks();
                        let open = |chunk: usize| face.chunks[chunk].open & !groups[chunk].on_target;
                        let (cells, operations) = map.along(tables, (chart, way), |key| {
                            map.at_rest(tally, key, |chunk| open(chunk) & !forbidden(chunk, key))
                        });
                        (cells / tired, operations)
                    };
                    if better(found, best) {
                        (best, by) = (found, Some(id));
                    }
                }
            }
        }
        (best, by)
    }

    /// Carries out a way of a class on planes that hold least.
    fn carry_out(&self, logic: &mut DieLogic, die: Die, class: Class, way: &[BaseId]) {
        let tables = &self.setup.tables;
        let holds = |plane: Plane| {
            let page = logic.planes[usize::from(plane.0)].page;
            page.map_or(0, |page| 1 + u8::from(page.copyback))
        };
        let mut planes = PlaneSet::EMPTY;
        for _ in 0..if class.multi { 2 } else { 1 } {
            let left = self.device.planes().minus(planes);
            if let Some(plane) = left.iter().min_by_key(|plane| holds(*plane)) {
                planes.insert(plane);
            }
        }
        for &base in way {
            let info = tables.base(base);
            let mut place = Place { planes, cell_type: class.cell, ..Place::die(die) };
            let output = planes.iter().next().and_then(|plane| logic.planes[usize::from(plane.0)].output);
            if let Some(held) = output.filter(|_| info.effects.data_out) {
                place = Place { group: held.group, page: held.page, cell_type: held.cell_type, ..place };
            }
            let revived = info.effects.resume.and_then(|axis| logic.suspended(axis));
            logic.start(info, &place);
            logic.finish(info, &place);
            if let Some(victim) = revived {
                logic.finish(tables.base(victim.base), &victim.place);
            }
        }
    }

    /// What a plan is worth whose last step is suspended.
    fn if_suspended(
        &self,
        tally: &Tally,
        helm: &mut Helm,
        (die, keys): (Die, [PhaseKey; 8]),
        logic: &DieLogic,
        so_far: Prospect,
        step: &Step,
    ) -> Worth {
        let setup = self.setup;
        let Some(goal) = &setup.goal else { return Worth::default() };
        let base = setup.tables.op(step.op).base;
        let info = setup.tables.base(base);
        let axis = if info.effects.erase {
            Axis::Erase
        } else if info.effects.is_program() {
            Axis::Program
        } else {
            return Worth::default();
        };
        let Some(key) = info.busy_key.filter(|_| logic.suspended(axis).is_none()) else { return Worth::default() };
        let forbidden = setup.tables.forbidden_in(key);
        let mut best = Worth::default();
        for &suspending in goal.map.suspending[axis_index(axis)].iter().filter(|base| !forbidden.contains(**base)) {
            let mut logic = *logic;
            logic.suspend(axis, Suspended { place: step.place, base });
            let suspending = setup.tables.base(suspending);
            let cells = goal.map.in_phases(tally, suspending, true);
            let keys = keys.map(|_| suspending.end_key);
            best = best.or(self.state_worth(tally, helm, (die, keys, None), &logic, so_far.and((cells, 1))));
        }
        best
    }

    /// What it is worth that an operation lets the book offer what it has none of.
    fn supply(&self, tally: &Tally, face: &Face, head: &Step) -> u64 {
        let setup = self.setup;
        let op = setup.tables.op(head.op);
        let info: &BaseInfo = setup.tables.base(op.base);
        let class = Class { base: op.base, multi: op.multi, cell: head.place.cell_type };
        let cells = if info.effects.erase {
            let next = setup.tables.programs[class.cell.index()];
            places(u64::from(next))
                .map(|cell| self.lack_of_next(tally, face, CellTypeId(cell as u8), class.multi))
                .sum()
        } else if info.effects.is_program() && info.address == AddressSource::NextPage {
            self.lack_of(tally, face, Source::ReadablePage, class.cell, class.multi).1
        } else {
            0
        };
        UNIT * cells.min(SUPPLY)
    }

    fn lack_of_next(&self, tally: &Tally, face: &Face, cell: CellTypeId, multi: bool) -> u64 {
        let (any, cells) = self.lack_of(tally, face, Source::NextPageOf, cell, multi);
        if any { cells + self.lack_of(tally, face, Source::ReadablePage, cell, multi).1 / 2 } else { 0 }
    }

    /// Whether the book has no address for some classes of a cell type, and how many of their cells lack hits.
    fn lack_of(&self, tally: &Tally, face: &Face, source: Source, cell: CellTypeId, multi: bool) -> (bool, u64) {
        let mut lack = (false, 0);
        for (chunk, group) in self.setup.groups.chunks().iter().enumerate() {
            let counts = if multi { u64::MAX } else { !group.multi };
            let bits = group.asking[source as usize] & group.cells[cell.index()] & counts & !face.offered(chunk);
            lack.0 |= bits != 0;
            lack.1 += places(bits).map(|place| tally.missing_in_class(chunk, place)).sum::<u64>();
        }
        lack
    }
}
