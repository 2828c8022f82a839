//! The score of a plan: the uncovered bins of the states that it leads to, per operation.
//!
//! A plan is carried out on a copy of its die's lasting state. The same masks as at a hook say which classes can start then. One
//! more operation, with its chain, is tried from there. Scoring draws no random numbers, and changes scratch memory only.

use nandseq_device::{BaseInfo, Device, DieLogic, Place, Suspended, Tables};
use nandseq_profile::model::{AddressSource, Axis};
use nandseq_profile::{BaseId, CellTypeId, Die, PhaseKey, Plane, PlaneSet, Ticks};

use super::uncovered::{UNIT, Uncovered};
use super::way_values::{WayValue, WayValues};
use crate::kernel::{Step, carry_out, settled, settled_by_itself};
use crate::policy::at_hook::AtHook;
use crate::policy::coverage_counts::CoverageCounts;
use crate::policy::directed::discounts::Discounts;
use crate::proposal::DieConstraints;
use crate::setup::consequences::{Way, becomes_op_state};
use crate::setup::groups::AddressKind;
use crate::setup::{Class, ClassId, ClassSet, Setup, places};

/// The most bins that providing an exhausted address class is worth.
const SUPPLY: u64 = 10;

/// A value that was not found yet.
const UNKNOWN: u64 = u64::MAX;

/// The score of a plan.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Score {
    /// Uncovered bins per operation, in units of 2⁻²⁰ ([`UNIT`] twice).
    pub(super) rate: u64,
    /// The class that is to follow the plan, if the rate counts its bins.
    pub(super) promise: Option<ClassId>,
}

impl Score {
    const fn or(self, other: Self) -> Self {
        if other.rate > self.rate { other } else { self }
    }
}

/// The uncovered bins that some operations lead to, each worth [`UNIT`], and the number of these operations.
#[derive(Clone, Copy, Debug)]
struct Gain {
    bins: u64,
    operations: u64,
}

impl Gain {
    const NOTHING: Self = Self { bins: 0, operations: 1 };

    const fn and(self, other: Self) -> Self {
        Self { bins: self.bins + other.bins, operations: self.operations + other.operations }
    }

    fn rate(self) -> u64 {
        self.bins * UNIT / self.operations.max(1)
    }

    const fn exceeds(self, other: Self) -> bool {
        self.bins.saturating_mul(other.operations) > other.bins.saturating_mul(self.operations)
    }
}

/// Scratch memory of a scorer.
#[derive(Clone, Default, Debug)]
pub(super) struct ScoreScratch {
    /// By die: its constraints in an imagined state.
    constraints: Vec<DieConstraints>,
    /// By chunk: the classes that can start in the imagined state.
    open: Vec<ClassSet>,
    /// By key: the value of the bins that a plane lets in under it in the imagined state, or [`UNKNOWN`].
    under: Vec<u64>,
    ways: WayValues,
    /// The class with the best gain in the state that was imagined last. The next search begins with it. That may change what is found:
    /// a class whose estimate is not better than the best gain so far is not looked at more closely.
    pub(super) promising: Option<ClassId>,
    /// By chunk: the classes that can start once the operations of the present have ended.
    present: Vec<ClassSet>,
    /// By plane: the key then.
    keys: [PhaseKey; 8],
}

/// A state that a plan leads to.
#[derive(Clone, Copy)]
struct State<'a> {
    logic: &'a DieLogic,
    /// By plane: the key at rest.
    keys: [PhaseKey; 8],
    /// The key of the window before that, if there is one.
    window: Option<PhaseKey>,
}

/// Scores plans that start on a die at a time.
#[derive(Clone, Copy)]
pub(super) struct Scorer<'a> {
    setup: &'a Setup,
    device: &'a Device,
    uncovered: Uncovered<'a>,
    die: Die,
    now: Ticks,
}

impl<'a> Scorer<'a> {
    /// The scorer at a hook; `None` without a coverage model.
    pub(super) fn new(at: &'a AtHook<'_, '_>, counts: &'a CoverageCounts, discounts: &'a Discounts) -> Option<Self> {
        let consequences = &at.setup.coverage_model.as_ref()?.consequences;
        let uncovered = Uncovered { consequences, counts, discounts };
        let (die, now) = (at.proposal.die, at.proposal.time);
        Some(Self { setup: at.setup, device: &at.kernel.device, uncovered, die, now })
    }

    fn tables(&self) -> &'a Tables {
        &self.setup.tables
    }

    /// Brings the scratch memory up to date. `resting`: the plans start on a die at rest, and only the bins that they add count.
    pub(super) fn prepare(&self, scratch: &mut ScoreScratch, resting: bool) {
        if scratch.constraints.is_empty() {
            scratch.constraints = vec![DieConstraints::new(self.setup); usize::from(self.setup.tables.size.dies)];
        }
        scratch.ways.refresh(&self.uncovered, self.tables());
        scratch.present.clear();
        scratch.present.resize(self.setup.classes.chunks(), ClassSet::NONE);
        // Brings the addresses that the die has up to date too.
        let constraints = &mut scratch.constraints[usize::from(self.die.0)];
        let at_rest = settled_by_itself(self.device, self.tables(), self.die);
        constraints.imagine(self.device, self.setup, self.die, &at_rest);
        if resting {
            scratch.present.iter_mut().zip(&constraints.chunks).for_each(|(present, masks)| *present = masks.open);
            scratch.keys = self.keys_at_rest();
        }
    }

    /// By plane: the key once the operation on it has ended.
    fn keys_at_rest(&self) -> [PhaseKey; 8] {
        let mut keys = [PhaseKey::DEFAULT; 8];
        for plane in self.device.planes().iter() {
            keys[usize::from(plane.0)] = self.device.plane_phase(self.die, plane, self.now).of;
        }
        keys
    }

    /// The score of a plan. `hits`: its first operation hits an uncovered bin. The score of an empty plan is that of waiting.
    pub(super) fn score(&self, scratch: &mut ScoreScratch, plan: &[Step], hits: bool) -> Score {
        let tables = self.tables();
        let mut logic = match plan.first() {
            Some(head) => settled(self.device, tables, self.die, head, self.now),
            None => settled_by_itself(self.device, tables, self.die),
        };
        let mut keys = self.keys_at_rest();
        let mut so_far = Gain { bins: u64::from(hits) * UNIT, operations: plan.len() as u64 };
        let mut window = None;
        let mut suspended = Score::default();
        let mut changes = hits || plan.is_empty();
        for (at, step) in plan.iter().enumerate() {
            let base = tables.op(step.op).base;
            let last = at + 1 == plan.len();
            if last {
                suspended = self.if_suspended(scratch, State { logic: &logic, keys, window }, so_far, step);
            }
            let resumed = carry_out(&mut logic, tables, base, &step.place);
            let own = Suspended { place: step.place, base };
            for done in std::iter::once(own).chain(resumed) {
                let info = tables.base(done.base);
                so_far.bins += scratch.ways.in_phases(done.base, last);
                if becomes_op_state(info) {
                    changes = true;
                    window = info.window_key.filter(|_| last);
                    let planes = self.device.occupied_by(info, &done.place).1;
                    planes.iter().for_each(|plane| keys[usize::from(plane.0)] = info.end_key);
                }
            }
        }
        if !changes && logic == settled_by_itself(self.device, tables, self.die) {
            return Score::default();
        }
        so_far.bins += plan.first().map_or(0, |head| self.supply(&scratch.constraints[usize::from(self.die.0)], head));
        self.score_of(scratch, State { logic: &logic, keys, window }, so_far).or(suspended)
    }

    /// The score of a plan that ends in a state; `so_far` is what its operations led to before.
    fn score_of(&self, scratch: &mut ScoreScratch, state: State<'_>, so_far: Gain) -> Score {
        let ScoreScratch { constraints, present, open, keys: before, .. } = scratch;
        let constraints = &mut constraints[usize::from(self.die.0)];
        constraints.imagine(self.device, self.setup, self.die, state.logic);
        open.clear();
        open.extend((0..self.setup.classes.chunks()).map(|chunk| self.open(constraints, chunk)));
        let mut here = so_far;
        if let Some(key) = state.window {
            here.bins += self.uncovered.under(key, |chunk| open[chunk] & !self.forbidden(chunk, key));
        }
        for plane in self.device.planes().iter() {
            let at = usize::from(plane.0);
            let key = state.keys[at];
            if state.keys[..at].contains(&key) {
                continue;
            }
            // The plan does not add classes that could start before.
            let known = |chunk: usize| if key == before[at] { present[chunk] } else { ClassSet::NONE };
            let new = |chunk: usize| open[chunk] & !constraints.chunks[chunk].not_at[at] & !known(chunk);
            here.bins += self.uncovered.under(key, new);
        }
        let (ahead, promise) = self.ahead(scratch, state.logic);
        Score { rate: here.rate(), promise: None }.or(Score { rate: here.and(ahead).rate(), promise })
    }

    /// The classes of a chunk that can start in the imagined state. On several dies, classes that look at every die are left out:
    /// they can hardly be counted on.
    fn open(&self, constraints: &DieConstraints, chunk: usize) -> ClassSet {
        let everywhere = self.setup.groups.chunks()[chunk].on_target;
        constraints.chunks[chunk].open & if self.tables().size.dies == 1 { ClassSet::ALL } else { !everywhere }
    }

    /// The classes of a chunk that a phase forbids.
    fn forbidden(&self, chunk: usize, key: PhaseKey) -> ClassSet {
        self.setup.groups.chunks()[chunk].in_state(key.0)
    }

    /// The best gain per operation that one more operation with its chain has in the state just imagined, of which the open classes
    /// are known, and the class of that operation.
    fn ahead(&self, scratch: &mut ScoreScratch, logic: &DieLogic) -> (Gain, Option<ClassId>) {
        scratch.under.clear();
        scratch.under.resize(self.setup.phase_keys(), UNKNOWN);
        let (mut best, mut last) = ((Gain::NOTHING, None), None);
        // Mostly the class that was best in the state before is the best again, and most others are then seen to lead to less.
        if let Some(id) = scratch.promising.filter(|&id| scratch.open[id.chunk()].contains(id)) {
            self.ahead_with(scratch, logic, (id, self.setup.classes.get(id)), &mut best);
        }
        for chunk in 0..scratch.open.len() {
            let mut left = scratch.open[chunk];
            while let Some(place) = left.first() {
                let id = ClassId::at(chunk, place);
                let class = self.setup.classes.get(id);
                // Classes of the same base that differ in cell type alone score nearly the same: the first stands for all.
                left &= !self.uncovered.consequences.alike[id.index()];
                if last.replace((class.base, class.multi)) != Some((class.base, class.multi)) {
                    self.ahead_with(scratch, logic, (id, class), &mut best);
                }
            }
        }
        scratch.promising = best.1;
        best
    }

    /// Replaces the best gain by that of a class with one of its ways, if that is better.
    fn ahead_with(
        &self,
        scratch: &mut ScoreScratch,
        logic: &DieLogic,
        (id, class): (ClassId, Class),
        best: &mut (Gain, Option<ClassId>),
    ) {
        let ScoreScratch { constraints, open, under, ways, .. } = scratch;
        let constraints = &mut constraints[usize::from(self.die.0)];
        let divisor = self.uncovered.discounts.of_promise(id);
        // What a way leads to is rounded down after it is divided, so that this is no less.
        let (most, operations) = ways.most(class.base);
        let most = Gain { bins: most, operations: operations.saturating_mul(divisor) };
        if !most.exceeds(best.0) {
            return;
        }
        let gain = |bins: u64, way: &Way| {
            let bins = if divisor == 1 { bins } else { bins / divisor };
            Gain { bins, operations: way.bases.len() as u64 }
        };
        for (way, &WayValue { in_phases, most }) in
            self.uncovered.consequences.ways(class.base).iter().zip(ways.of(class.base))
        {
            if !gain(most, way).exceeds(best.0) {
                continue;
            }
            // A cheap estimate first: as if the way left the state unchanged. If that is the best so far, the state after the way
            // counts.
            let bins = Uncovered::along(in_phases, way, |key| {
                let known = &mut under[key.index()];
                if *known == UNKNOWN {
                    *known = self.uncovered.under(key, |chunk| open[chunk] & !self.forbidden(chunk, key));
                }
                *known
            });
            let promised = gain(bins, way);
            if !promised.exceeds(best.0) {
                continue;
            }
            let after = self.after(logic, class, &way.bases);
            let found = if after == *logic {
                promised
            } else {
                constraints.imagine(self.device, self.setup, self.die, &after);
                let open = |key: PhaseKey| {
                    let constraints = &*constraints;
                    move |chunk: usize| self.open(constraints, chunk) & !self.forbidden(chunk, key)
                };
                gain(Uncovered::along(in_phases, way, |key| self.uncovered.under(key, open(key))), way)
            };
            if found.exceeds(best.0) {
                *best = (found, Some(id));
            }
        }
    }

    /// The state after a way of a class, on the planes whose page registers hold least.
    fn after(&self, logic: &DieLogic, class: Class, way: &[BaseId]) -> DieLogic {
        let tables = self.tables();
        let holds = |plane: Plane| logic.planes.page(plane).map_or(0, |page| 1 + u8::from(page.copyback));
        let mut planes = PlaneSet::EMPTY;
        for _ in 0..if class.multi { 2 } else { 1 } {
            let left = self.device.planes().minus(planes);
            if let Some(plane) = left.iter().min_by_key(|plane| holds(*plane)) {
                planes.insert(plane);
            }
        }
        let mut after = *logic;
        for &base in way {
            let mut place = Place { planes, cell_type: class.cell, ..Place::die(self.die) };
            let output = planes.iter().next().and_then(|plane| after.planes.output(plane));
            if let Some(held) = output.filter(|_| tables.base(base).effects.data_out) {
                place = Place { group: held.group, page: held.page, cell_type: held.cell_type, ..place };
            }
            carry_out(&mut after, tables, base, &place);
        }
        after
    }

    /// The score of a plan whose last step is suspended; `before` is the state that this step finds.
    fn if_suspended(&self, scratch: &mut ScoreScratch, before: State<'_>, so_far: Gain, step: &Step) -> Score {
        let tables = self.tables();
        let base = tables.op(step.op).base;
        let info = tables.base(base);
        let axis = match (info.effects.erase, info.effects.is_program()) {
            (true, _) => Axis::Erase,
            (false, true) => Axis::Program,
            (false, false) => return Score::default(),
        };
        let mut logic = *before.logic;
        logic.start(info, &step.place);
        let Some(key) = info.busy_key.filter(|_| logic.suspended(axis).is_none()) else { return Score::default() };
        logic.suspend(axis, Suspended { place: step.place, base });
        let suspending = &self.uncovered.consequences.suspending[axis];
        let mut best = Score::default();
        for &base in suspending.iter().filter(|base| !tables.forbidden_in(key).contains(**base)) {
            let keys = [tables.base(base).end_key; 8];
            let cut = Gain { bins: scratch.ways.in_phases(base, true), operations: 1 };
            best = best.or(self.score_of(scratch, State { logic: &logic, keys, window: None }, so_far.and(cut)));
        }
        best
    }

    /// The value of the addresses that an operation provides for classes that have none left.
    fn supply(&self, constraints: &DieConstraints, head: &Step) -> u64 {
        let op = self.tables().op(head.op);
        let info: &BaseInfo = self.tables().base(op.base);
        let cell = head.place.cell_type;
        let bins = if info.effects.erase {
            let next = self.tables().programs[cell.index()];
            places(u64::from(next)).map(|cell| self.lack_of_next(constraints, CellTypeId(cell as u8), op.multi)).sum()
        } else if info.effects.is_program() && info.address == AddressSource::NextPage {
            self.lack_of(constraints, AddressKind::ReadablePage, cell, op.multi).1
        } else {
            0
        };
        UNIT * bins.min(SUPPLY)
    }

    fn lack_of_next(&self, constraints: &DieConstraints, cell: CellTypeId, multi: bool) -> u64 {
        let (any, bins) = self.lack_of(constraints, AddressKind::NextPageOf, cell, multi);
        if any { bins + self.lack_of(constraints, AddressKind::ReadablePage, cell, multi).1 / 2 } else { 0 }
    }

    /// Whether the address book has no address for some classes of a cell type, and how many bins of these classes are uncovered.
    fn lack_of(&self, constraints: &DieConstraints, source: AddressKind, cell: CellTypeId, multi: bool) -> (bool, u64) {
        let mut lack = (false, 0);
        for (chunk, group) in self.setup.groups.chunks().iter().enumerate() {
            let counts = if multi { ClassSet::ALL } else { !group.multi };
            let bits = group.asking[source as usize] & group.cells[cell.index()] & counts & !constraints.offered(chunk);
            lack.0 |= !bits.is_empty();
            lack.1 += bits.places().map(|place| self.uncovered.counts.uncovered_in_class(chunk, place)).sum::<u64>();
        }
        lack
    }
}
