//! A profile and its probability table, compiled once for the analysis.
//!
//! Names with the same base, cell type and plane count are possible in the same states, so the search knows classes of names
//! only. The behaviour of bases comes from the compiled tables of `nandseq_device`.

use std::collections::BTreeMap;

use nandseq_device::{BaseInfo, Effects, StateChange, Tables};
use nandseq_profile::model::{AddressSource, Axis, ByAxis, ChainStep, PhaseKind, StatusOf, StepAddress, Topology};
use nandseq_profile::{BaseId, Block, CellTypeId, Die, OpId, PhaseKey, Profile, Ticks};

/// Index of a name class.
pub(crate) type NameClassId = u16;

/// A probability table: weights of names by phase key.
pub(crate) type WeightTable = [(PhaseKey, Vec<(OpId, f64)>)];

/// The state in which a device starts.
#[derive(Clone, Copy, Default, Debug)]
pub struct Start<'s> {
    /// The bad blocks. They matter only if they leave an operation no block.
    pub bad_blocks: &'s [(Die, Block)],
    /// Whether the bootstrap of the profile runs first. The search includes the states that it leads to. Its operations give hooks
    /// that draw by the table only while the last of them are in flight: hooks of classes that only it proposes are coincidences.
    pub bootstrap: bool,
    /// The operations that attempts at the scenarios of a plan may start at any time, whatever their weights.
    pub scripted: &'s [OpId],
    /// The operations that draw an address, and that no region of a plan ever serves. The bootstrap draws from the whole device.
    pub unserved: &'s [OpId],
}

impl<'s> From<&'s [(Die, Block)]> for Start<'s> {
    fn from(bad_blocks: &'s [(Die, Block)]) -> Self {
        Self { bad_blocks, ..Self::default() }
    }
}

/// The states that a search looks at. What it leaves out forbids nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum SearchedStates {
    /// Those of the die and of one of its planes, and the chain under way.
    All,
    /// Those of the die.
    Dies,
    /// Those of the plane.
    Planes,
}

/// A name class: names that are possible in the same states.
#[derive(Clone, Debug)]
pub(crate) struct NameClass {
    pub(crate) base: BaseId,
    pub(crate) multi: bool,
    /// The cell type; `None` fits every address.
    pub(crate) cell: Option<CellTypeId>,
    /// The longest ISSUE of its names.
    pub(crate) issue: Ticks,
    /// Whether CORE_BUSY takes time.
    pub(crate) busy: bool,
    /// The longest window of its names, and the shortest.
    pub(crate) window: (Ticks, Ticks),
    /// Whether the device has the die, or the planes, that its names address.
    pub(crate) exists: bool,
    /// Whether some phase key gives one of its names a share, or the bootstrap or a scenario proposes one.
    pub(crate) proposed: bool,
    /// Whether the bootstrap runs first and proposes one of its names.
    pub(crate) in_bootstrap: bool,
    /// Whether attempts at scenarios may start one of its names.
    pub(crate) scripted: bool,
    /// Whether no region of a plan serves its names.
    pub(crate) unserved: bool,
}

/// Whether the bootstrap of a profile proposes a name.
fn is_in_bootstrap(profile: &Profile, tables: &Tables, op: OpId) -> bool {
    let (asked, info) = (&profile.bootstrap, tables.op(op));
    let (base, weights) = (tables.base(info.base), &asked.cell_type_weights);
    let stated = |&(cell, mass): &(CellTypeId, f64)| cell == info.stated_cell_type && mass > 0.0;
    let has_weight = base.effects.data_out || weights.is_empty() || weights.iter().any(stated);
    let erases = asked.erase_blocks > 0;
    let programs = erases && asked.program_blocks > 0;
    let reads = programs && (asked.read_blocks > 0 || asked.read_coverage > 0.0);
    let starts = base.address == AddressSource::NextPage && base.effects.is_program() && !base.effects.close;
    let fills = base.address == AddressSource::ReadablePage && base.effects.fill.is_some();
    has_weight && (base.effects.erase && erases || starts && programs || (fills || base.effects.data_out) && reads)
}

/// Whether good blocks remain for operations on one plane, and for operations on several.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GoodBlocks {
    /// Some block is good.
    single: bool,
    /// Some block group has two good blocks.
    multi: bool,
}

impl GoodBlocks {
    fn new(topology: Topology, bad: &[(Die, Block)]) -> Self {
        let planes = topology.planes.max(1);
        let groups_of_die = topology.blocks_per_die.div_ceil(planes);
        let mut bad: Vec<(Die, Block)> = bad.to_vec();
        bad.sort_unstable();
        bad.dedup();
        let mut in_group: BTreeMap<(Die, u32), u32> = BTreeMap::new();
        for (die, block) in &bad {
            *in_group.entry((*die, block.0 / planes)).or_default() += 1;
        }
        let size = |group: u32| planes.min(topology.blocks_per_die - group * planes);
        let untouched = (in_group.len() as u64) < u64::from(groups_of_die) * u64::from(topology.dies);
        Self {
            single: (bad.len() as u64) < u64::from(topology.blocks_per_die) * u64::from(topology.dies),
            multi: untouched || in_group.iter().any(|(&(_, group), &bad)| size(group).saturating_sub(bad) >= 2),
        }
    }

    /// Whether there is an address for operations of one plane, or of several.
    pub(crate) const fn any(self, multi: bool) -> bool {
        if multi { self.multi } else { self.single }
    }
}

/// A profile, compiled for the search.
pub(crate) struct Model<'p> {
    pub(crate) profile: &'p Profile,
    pub(crate) searched: SearchedStates,
    pub(crate) tables: Tables,
    pub(crate) classes: Vec<NameClass>,
    /// The classes of each base.
    pub(crate) of_base: Vec<Vec<NameClassId>>,
    /// The class of each name.
    pub(crate) of_op: Vec<NameClassId>,
    /// For each phase key the names with a share.
    pub(crate) shares: Vec<Vec<OpId>>,
    /// For each name, whether attempts at scenarios may start it.
    scripted: Vec<bool>,
    /// Chains that change a latch or a cache-program state: the search follows them step by step.
    pub(crate) tracked: Vec<bool>,
    /// For each class, whether it is a step of a chain that the search does not follow. Such a class may start whenever the rules
    /// allow.
    pub(crate) untracked_steps: Vec<bool>,
    /// For each class, whether it is a step of a chain that the search follows.
    pub(crate) tracked_steps: Vec<bool>,
    /// For each class, the bases under whose phase keys it has a share, without those whose keys never come up. `None` stands for
    /// DEFAULT, for the bootstrap and for scenarios.
    pub(crate) proposed_under: Vec<Vec<Option<BaseId>>>,
    /// For each class, whether it is possible: possible classes meet all its needs.
    pub(crate) possible: Vec<bool>,
    /// For each class, whether it can be proposed under some phase key, as far as that is known.
    pub(crate) drawn: Vec<bool>,
    /// For each class, whether it can start at all, as far as that is known.
    pub(crate) started: Vec<bool>,
    /// One bit for each cell type that may be programmed on a block that a class in `started` erases.
    pub(crate) programmable: u8,
    /// One bit for each cell type: its pages can be read.
    pub(crate) readable: u8,
    /// For each axis, whether a name with a weight under any phase key resumes it. A SUSPEND of the axis may start only then.
    resumable: ByAxis<bool>,
    /// The classes that may be proposed and that suspend an axis that can be resumed.
    pub(crate) suspends: Vec<NameClassId>,
    pub(crate) planes: u32,
    pub(crate) good: GoodBlocks,
}

impl<'p> Model<'p> {
    /// A model that does not know yet which classes are possible. [`Self::new`] finds them.
    pub(crate) fn compiled(profile: &'p Profile, table: &WeightTable, start: Start<'_>) -> Self {
        let tables = Tables::new(profile);
        let shares = shares(profile, table);
        let (classes, of_op) = classes(profile, &tables, &shares, start);
        let mut scripted = vec![false; profile.ops.len()];
        start.scripted.iter().for_each(|op| scripted[op.index()] = true);
        let mut of_base = vec![Vec::new(); profile.bases.len()];
        for (at, class) in classes.iter().enumerate().filter(|(_, class)| class.exists) {
            of_base[class.base.index()].push(at as NameClassId);
        }
        let resumable = ByAxis::new(|axis| {
            let resumes = |op: &OpId| tables.base(tables.op(*op).base).effects.resume == Some(axis);
            // A scenario suspends whether or not something resumes.
            let suspends = |op: &OpId| tables.base(tables.op(*op).base).effects.suspend == Some(axis);
            start.scripted.iter().any(|op| resumes(op) || suspends(op))
                || table.iter().flat_map(|(_, entries)| entries).any(|(op, mass)| *mass > 0.0 && resumes(op))
        });
        let tracked = profile.chains.iter().map(|chain| is_tracked(&tables, &chain.steps)).collect();
        let mut model = Self {
            profile,
            searched: SearchedStates::All,
            tables,
            classes,
            of_base,
            of_op,
            shares,
            scripted,
            tracked,
            untracked_steps: Vec::new(),
            tracked_steps: Vec::new(),
            proposed_under: Vec::new(),
            possible: Vec::new(),
            drawn: Vec::new(),
            started: Vec::new(),
            programmable: 0,
            readable: 0,
            resumable,
            suspends: Vec::new(),
            planes: profile.topology.planes,
            good: GoodBlocks::new(profile.topology, start.bad_blocks),
        };
        model.proposed_under = model.find_keys();
        model
    }

    /// Whether operations of a class may be proposed, under a phase key or in the bootstrap.
    pub(crate) fn may_be_drawn(&self, class: NameClassId) -> bool {
        self.is_proposed(class) && self.possible[usize::from(class)]
    }

    /// Whether a phase key, the bootstrap or a scenario proposes a class, as far as that is known. A delay only starts as a step of a
    /// chain.
    pub(crate) fn is_proposed(&self, class: NameClassId) -> bool {
        let own = self.class(class);
        !self.base(class).effects.delay && (self.drawn[usize::from(class)] || own.in_bootstrap || own.scripted)
    }

    /// Whether attempts at scenarios may start a name.
    pub(crate) fn is_scripted(&self, op: OpId) -> bool {
        self.scripted[op.index()]
    }

    /// Whether operations of a class only start in the bootstrap. The last of them are in flight when the bootstrap ends.
    pub(crate) fn is_only_in_bootstrap(&self, class: NameClassId) -> bool {
        let (at, own) = (usize::from(class), self.class(class));
        own.in_bootstrap && !own.scripted && !self.drawn[at] && !self.tracked_steps[at] && !self.untracked_steps[at]
    }

    pub(crate) fn class(&self, id: NameClassId) -> &NameClass {
        &self.classes[usize::from(id)]
    }

    pub(crate) fn base(&self, id: NameClassId) -> &BaseInfo {
        self.tables.base(self.class(id).base)
    }

    /// The classes that satisfy `wanted`.
    pub(crate) fn classes_that(&self, wanted: impl Fn(NameClassId) -> bool) -> Vec<NameClassId> {
        (0..self.classes.len() as NameClassId).filter(|&class| wanted(class)).collect()
    }

    /// Whether the generator ever draws a name with a weight. It does not draw one that addresses what the device lacks, nor a
    /// SUSPEND whose axis nothing resumes.
    pub(crate) fn is_drawn(&self, op: OpId) -> bool {
        let class = self.of_op[op.index()];
        self.class(class).exists && self.base(class).effects.suspend.is_none_or(|axis| self.can_resume(axis))
    }

    /// Whether a name with a weight under any phase key resumes this axis. The engine uses the same condition.
    pub(crate) fn can_resume(&self, axis: Axis) -> bool {
        self.resumable[axis]
    }

    /// The chains that may follow an operation of a base, by index. The item `None` means that the operation may stand alone.
    pub(crate) fn follow_ups(&self, base: BaseId) -> impl Iterator<Item = Option<usize>> + '_ {
        let follow_ups = &self.profile.bases[base].follow_ups;
        let alone = follow_ups.is_empty().then_some(None);
        alone.into_iter().chain(follow_ups.iter().filter(|follow| follow.weight > 0.0).map(|follow| follow.chain))
    }

    /// The classes that fit a step of a chain that class `head` begins. `cell` is the cell type of the step before; with `None`
    /// any fits.
    pub(crate) fn fitting(
        &self,
        step: &ChainStep,
        head: NameClassId,
        cell: Option<CellTypeId>,
    ) -> impl Iterator<Item = NameClassId> + '_ {
        let all = &self.of_base[step.base.index()];
        let only_single = all.iter().all(|&class| !self.class(class).multi);
        let shape = (step.multi && !only_single).then(|| self.class(head).multi);
        let inherits = step.same_cell_type
            || matches!(step.address, StepAddress::SamePage | StepAddress::IncPage | StepAddress::PreviousPage);
        all.iter().copied().filter(move |&class| {
            let class = self.class(class);
            let fits_cell = !inherits || class.cell.is_none() || cell.is_none() || class.cell == cell;
            shape.is_none_or(|multi| class.multi == multi) && fits_cell
        })
    }

    /// Whether a chain is always under way after an operation of the base: the operation never stands alone and is never the last
    /// step.
    pub(crate) fn always_goes_on(&self, base: BaseId) -> bool {
        let heads = self.profile.bases.ids().flat_map(|head| self.follow_ups(head).flatten());
        let last = |chain: usize| self.profile.chains[chain].steps.last().is_some_and(|step| step.base == base);
        self.follow_ups(base).all(|chain| chain.is_some()) && !heads.into_iter().any(last)
    }

    /// Whether operations of a class can be a step of a chain, by its index, that begins with an operation of class `head`.
    pub(crate) fn is_step(&self, class: NameClassId, chain: usize, head: NameClassId) -> bool {
        let steps = &self.profile.chains[chain].steps;
        if steps.iter().all(|step| step.base != self.class(class).base) {
            return false;
        }
        // The cell type of the step before; `None` if it may be any.
        let mut cell = self.class(head).cell;
        steps.iter().any(|step| {
            let fitting: Vec<NameClassId> = self.fitting(step, head, cell).collect();
            let first = fitting.first().and_then(|&first| self.class(first).cell);
            cell = first.filter(|_| fitting.iter().all(|&other| self.class(other).cell == first));
            fitting.contains(&class)
        })
    }

    /// The chains in which `class` can be a step, each with a class that begins it.
    pub(crate) fn chains_of(&self, class: NameClassId) -> Vec<(NameClassId, usize)> {
        let of_head = |head: NameClassId| {
            let chains = self.follow_ups(self.class(head).base).flatten();
            chains.filter(move |&chain| self.is_step(class, chain, head)).map(move |chain| (head, chain))
        };
        (0..self.classes.len() as NameClassId).flat_map(of_head).collect()
    }

    /// Whether a chain gives a name a weight where it draws a step of the name's base.
    pub(crate) fn gives_weight(&self, chain: usize, op: OpId) -> bool {
        let base = self.profile.ops[op].base;
        let weights = self.profile.chains[chain].name_weights.iter().find(|(of, _)| *of == base);
        weights.is_none_or(|(_, list)| list.iter().any(|&(name, weight)| name == op && weight > 0.0))
    }

    /// The chains that draw a name as a step, each with a class that begins it.
    pub(crate) fn chains_with(&self, op: OpId) -> Vec<(NameClassId, usize)> {
        let mut chains = self.chains_of(self.of_op[op.index()]);
        chains.retain(|&(_, chain)| self.gives_weight(chain, op));
        chains
    }

    /// Whether some phase key gives a name a share, or a scenario may start it.
    pub(crate) fn has_share(&self, op: OpId) -> bool {
        self.is_scripted(op) || self.shares.iter().any(|names| names.contains(&op))
    }

    /// The classes that satisfy `wanted` and begin a chain in which `class` can be a step.
    pub(crate) fn heads_of(&self, class: NameClassId, wanted: impl Fn(NameClassId) -> bool) -> Vec<NameClassId> {
        let begins = |head: NameClassId| {
            let mut chains = self.follow_ups(self.class(head).base).flatten();
            wanted(head) && chains.any(|chain| self.is_step(class, chain, head))
        };
        self.classes_that(begins)
    }

    /// For each class, the bases under whose phase keys it has a share. `None` stands for DEFAULT and for the bootstrap. The keys of
    /// bases that do not become the op_state of a plane never come up.
    fn find_keys(&self) -> Vec<Vec<Option<BaseId>>> {
        let mut keys = vec![Vec::new(); self.classes.len()];
        for (key, names) in self.profile.phase_keys.iter().zip(&self.shares) {
            for op in names {
                let of: &mut Vec<Option<BaseId>> = &mut keys[usize::from(self.of_op[op.index()])];
                let comes_up = key.base.is_none_or(|base| self.tables.base(base).becomes_op_state());
                if comes_up && !of.contains(&key.base) {
                    of.push(key.base);
                }
            }
        }
        // The bootstrap and scenarios propose their classes without a phase key: `None` stands for that too.
        let without_key = self.classes.iter().zip(&mut keys).filter(|(class, _)| class.in_bootstrap || class.scripted);
        without_key.for_each(|(_, of)| of.push(None));
        keys
    }

    /// The classes that are proposed and can start: only they can begin a chain.
    pub(crate) fn heads(&self) -> Vec<NameClassId> {
        self.classes_that(|class| self.may_be_drawn(class) && self.started[usize::from(class)])
    }

    /// For each class, whether it is a step of a chain that the search follows (`tracked`), or of one that it does not follow
    /// (not `tracked`).
    pub(crate) fn steps_of(&self, tracked: bool) -> Vec<bool> {
        let mut found = vec![false; self.classes.len()];
        for head in self.heads() {
            let chains = self.follow_ups(self.class(head).base).flatten();
            for step in chains
                .filter(|&chain| self.tracked[chain] == tracked)
                .flat_map(|chain| &self.profile.chains[chain].steps)
            {
                self.fitting(step, head, None).for_each(|class| found[usize::from(class)] = true);
            }
        }
        found
    }

    /// Two bit sets: the cell types that blocks can be programmed with, and those that pages can be read with.
    pub(crate) fn cell_types(&self) -> (u8, u8) {
        let all = (1u16 << self.profile.cell_types.len()) - 1;
        let cells = |wanted: &dyn Fn(&Effects) -> bool| {
            let of = self.classes_that(|class| self.started[usize::from(class)] && wanted(&self.base(class).effects));
            of.into_iter().fold(0u8, |set, class| set | self.class(class).cell.map_or(all as u8, |cell| 1 << cell.0))
        };
        let erased = cells(&|effects| effects.erase);
        let programs = self.tables.programs.iter().enumerate().filter(|(cell, _)| erased >> cell & 1 == 1);
        let programmable = programs.fold(0, |set, (_, programs)| set | programs);
        (programmable, programmable & cells(&|effects| effects.program || effects.close))
    }
}

/// For each phase key the names with a share; keys that the table lacks use those of DEFAULT.
pub(crate) fn shares(profile: &Profile, table: &WeightTable) -> Vec<Vec<OpId>> {
    let of = |key: PhaseKey| table.iter().find(|(known, _)| *known == key).map(|(_, entries)| entries);
    let fallback = of(PhaseKey::DEFAULT);
    let named = |entries: &Vec<(OpId, f64)>| {
        entries.iter().filter(|(_, mass)| *mass > 0.0).map(|&(op, _)| op).collect::<Vec<OpId>>()
    };
    profile.phase_keys.ids().map(|key| of(key).or(fallback).map(named).unwrap_or_default()).collect()
}

fn classes(
    profile: &Profile,
    tables: &Tables,
    shares: &[Vec<OpId>],
    start: Start<'_>,
) -> (Vec<NameClass>, Vec<NameClassId>) {
    let mut classes: Vec<NameClass> = Vec::new();
    let mut of_op = Vec::new();
    let mut proposed = vec![false; profile.ops.len()];
    shares.iter().flatten().for_each(|op| proposed[op.index()] = true);
    for (id, info) in tables.ops() {
        let exists = exists(profile, id);
        let same = |class: &NameClass| {
            (class.base, class.multi, class.cell, class.exists) == (info.base, info.multi, info.cell_type, exists)
        };
        let window = info.total - info.occupied;
        let at = classes.iter().position(same).unwrap_or_else(|| {
            classes.push(NameClass {
                base: info.base,
                multi: info.multi,
                cell: info.cell_type,
                issue: Ticks::ZERO,
                busy: false,
                window: (Ticks::ZERO, window),
                exists,
                proposed: false,
                in_bootstrap: false,
                scripted: false,
                unserved: false,
            });
            classes.len() - 1
        });
        let class = &mut classes[at];
        class.issue = class.issue.max(info.issue);
        class.busy |= info.occupied > info.issue;
        class.window = (class.window.0.max(window), class.window.1.min(window));
        class.proposed |= proposed[id.index()];
        of_op.push(at as NameClassId);
    }
    let mut of = |op: OpId, change: fn(&mut NameClass)| change(&mut classes[usize::from(of_op[op.index()])]);
    for (op, _) in tables.ops().filter(|&(op, _)| start.bootstrap && is_in_bootstrap(profile, tables, op)) {
        of(op, |class| (class.in_bootstrap, class.proposed) = (true, true));
    }
    start.scripted.iter().for_each(|&op| of(op, |class| (class.scripted, class.proposed) = (true, true)));
    // Names of a class draw their addresses alike.
    start.unserved.iter().for_each(|&op| of(op, |class| class.unserved = !class.in_bootstrap));
    (classes, of_op)
}

/// Whether the device has the die, or the planes, that a name addresses.
fn exists(profile: &Profile, op: OpId) -> bool {
    let op = &profile.ops[op];
    let lun = match op.status_of {
        Some(StatusOf::Lun(lun)) => u32::from(lun) < profile.topology.dies,
        Some(StatusOf::Die | StatusOf::Plane) | None => true,
    };
    lun && (!op.multi || profile.topology.planes.min(profile.policies.max_planes) > 1)
}

/// Whether a step of a chain changes a latch or a cache-program state.
fn is_tracked(tables: &Tables, steps: &[ChainStep]) -> bool {
    let counts = |change: StateChange| match change {
        StateChange::Load(..)
        | StateChange::Clear(_)
        | StateChange::EnterCacheProgram(_)
        | StateChange::EndCacheProgram(_) => true,
        StateChange::EmptyRegisters
        | StateChange::EmptyResumed(_)
        | StateChange::Fill { .. }
        | StateChange::EnterCacheRead(_)
        | StateChange::ReadOn
        | StateChange::EndCacheRead(_)
        | StateChange::PutOut
        | StateChange::EndSuspension(_)
        | StateChange::Reset
        | StateChange::SwitchOdt { .. }
        | StateChange::SwitchWriteProtect { .. } => false,
    };
    steps.iter().any(|step| tables.base(step.base).effects.changes().any(counts))
}

/// Whether the operations of a base put their planes into the op_state of CORE_BUSY.
pub(crate) fn shows_core_busy(profile: &Profile, info: &BaseInfo, base: BaseId) -> bool {
    info.becomes_op_state() && profile.bases[base].has_phase(PhaseKind::CoreBusy)
}
