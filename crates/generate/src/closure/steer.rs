//! Going for what lacks hits where nothing that does can start: plans are made for what may start, carried out on a copy of the
//! die's lasting state, and valued by what the states that they lead to let in. The best one starts, if the judge agrees.

use nandseq_device::{BaseInfo, DieLogic, Rule, Suspended};
use nandseq_profile::model::{AddressSource, Axis, PhaseKind};
use nandseq_profile::{CellTypeId, Die, OpId, PhaseKey, Ticks};
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
    /// By die: what it would forbid in an imagined state.
    faces: Vec<Face>,
}

impl Helm {
    fn prepare(&mut self, setup: &Setup) {
        if self.faces.is_empty() {
            self.faces = vec![Face::new(setup); usize::from(setup.tables.size.dies)];
        }
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
        if kind == HookKind::Refill && !cutting {
            tally.lost[usize::from(die.0)] = best.is_none();
        }
        let mut starts = false;
        if best.is_some() {
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
        helm.prepare(setup);
        let mut best = (verdict, 0);
        for tried in 0..PLANS {
            let verdict = if tried == 0 { Ok(verdict) } else { self.plan_name(view, name, proposal, stream) };
            let Ok(verdict) = verdict else { continue };
            let plan = std::mem::take(&mut self.plan);
            let worth = self.worth(&tally, &mut helm.faces, (proposal.die, proposal.time), &plan, UNIT);
            if tried == 0 || worth > best.1 {
                best = (verdict, worth);
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
    ) -> Option<u64> {
        let setup = self.setup;
        let goal = setup.goal.as_ref()?;
        helm.prepare(setup);
        helm.names.clear();
        for id in self.lottery.eligible() {
            let counts = || {
                let names = distribution.names_of(id).iter().map(|&(op, _)| op);
                names.filter(|&op| goal.pair(proposal.key_used, op).is_some())
            };
            let effects = &setup.tables.base(setup.classes.get(id).base).effects;
            let number = counts().count() as u64;
            if number == 0 || effects.delay || (cutting && effects.suspend.is_none()) {
                continue;
            }
            if let Some(op) = counts().nth(stream.below(number) as usize) {
                helm.names.push((op, id));
            }
        }
        let waiting =
            if cutting { self.worth(tally, &mut helm.faces, (proposal.die, proposal.time), &[], 0) } else { 0 };
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
                let worth = self.worth(tally, &mut helm.faces, (proposal.die, proposal.time), &plan, 0);
                let worth = worth / tally.tiredness(base);
                self.plan = plan;
                equal = if worth == best { equal + 1 } else { 1 };
                if worth > best || (worth == best && found.is_some() && stream.below(equal) == 0) {
                    best = worth;
                    found = Some(worth);
                    helm.best.clone_from(&self.plan);
                }
            }
        }
        found
    }

    /// What lacks hits and can be hit for each operation of a plan, or if nothing is done.
    fn worth(&self, tally: &Tally, faces: &mut [Face], (die, now): (Die, Ticks), plan: &[Step], hits: u64) -> u64 {
        let setup = self.setup;
        let tables = &setup.tables;
        let Some(goal) = &setup.goal else { return 0 };
        let face = &mut faces[usize::from(die.0)];
        let mut logic = match plan.first() {
            Some(head) => settled(&self.device, tables, die, head, now),
            None => settled_by_itself(&self.device, tables, die),
        };
        let mut keys = [PhaseKey::DEFAULT; 8];
        for plane in self.device.planes().iter() {
            keys[usize::from(plane.0)] = self.device.plane_phase(die, plane, now).of;
        }
        let mut prospect = Prospect { cells: hits, operations: plan.len() as u64 };
        let mut suspended = 0;
        for (at, step) in plan.iter().enumerate() {
            let base = tables.op(step.op).base;
            let info = tables.base(base);
            let last = at + 1 == plan.len();
            let revived = info.effects.resume.and_then(|axis| logic.suspended(axis));
            logic.start(info, &step.place);
            if last {
                suspended = self.if_suspended(tally, face, (die, keys), &logic, prospect, step);
            }
            logic.finish(info, &step.place);
            prospect.cells += goal.map.in_phases(tally, info, last);
            if shows(info) {
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
        let supply = plan.first().map_or(0, |step| self.supply(tally, face, step));
        prospect.cells += supply;
        self.state_worth(tally, face, (die, keys), &logic, prospect).max(suspended)
    }

    /// What a plan is worth that ends in a state.
    fn state_worth(
        &self,
        tally: &Tally,
        face: &mut Face,
        (die, keys): (Die, [PhaseKey; 8]),
        logic: &DieLogic,
        so_far: Prospect,
    ) -> u64 {
        let setup = self.setup;
        let Some(goal) = &setup.goal else { return 0 };
        face.imagine(&self.device, setup, die, logic);
        let groups = setup.groups.chunks();
        let alone = setup.tables.size.dies == 1;
        // What looks at every die can hardly be counted on.
        let open = |chunk: usize| face.chunks[chunk].open & if alone { u64::MAX } else { !groups[chunk].on_target };
        let mut here = so_far;
        for plane in self.device.planes().iter() {
            let at = usize::from(plane.0);
            if keys[..at].contains(&keys[at]) {
                continue;
            }
            here.cells += goal.map.at_rest(tally, keys[at], |chunk| open(chunk) & !face.chunks[chunk].not_at[at]);
        }
        let further = here.and(goal.map.ahead(tally, &setup.tables, open));
        here.rate().max(further.rate())
    }

    /// What a plan is worth whose last step is suspended.
    fn if_suspended(
        &self,
        tally: &Tally,
        face: &mut Face,
        (die, keys): (Die, [PhaseKey; 8]),
        logic: &DieLogic,
        so_far: Prospect,
        step: &Step,
    ) -> u64 {
        let setup = self.setup;
        let Some(goal) = &setup.goal else { return 0 };
        let base = setup.tables.op(step.op).base;
        let info = setup.tables.base(base);
        let axis = if info.effects.erase {
            Axis::Erase
        } else if info.effects.is_program() {
            Axis::Program
        } else {
            return 0;
        };
        let Some(key) = info.busy_key.filter(|_| logic.suspended(axis).is_none()) else { return 0 };
        let forbidden = setup.tables.forbidden_in(key);
        let mut best = 0;
        for &suspending in goal.map.suspending[axis_index(axis)].iter().filter(|base| !forbidden.contains(**base)) {
            let mut logic = *logic;
            logic.suspend(axis, Suspended { place: step.place, base });
            let suspending = setup.tables.base(suspending);
            let cells = goal.map.in_phases(tally, suspending, true);
            let keys = keys.map(|_| suspending.end_key);
            best = best.max(self.state_worth(tally, face, (die, keys), &logic, so_far.and((cells, 1))));
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
