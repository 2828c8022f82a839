//! What the analysis needs of a profile and its probability table, compiled once.
//!
//! Names with the same base, cell type and plane count are possible in the same states, so the search knows classes of
//! names only. Base behaviour is that of the device's own compiled tables.

use std::collections::BTreeMap;

use nandseq_device::{BaseInfo, Effects, Tables};
use nandseq_profile::model::{Axis, ChainStep, Effect, PhaseKind, StatusOf, StepAddress, Topology};
use nandseq_profile::{BaseId, Block, CellTypeId, Die, OpId, PhaseKey, Profile, Ticks};

/// Index of a class.
pub(crate) type ClassId = u16;

/// Names that are possible in the same states.
#[derive(Clone, Debug)]
pub(crate) struct Class {
    pub(crate) base: BaseId,
    pub(crate) multi: bool,
    /// `None` fits every address.
    pub(crate) cell: Option<CellTypeId>,
    /// The longest ISSUE of its names.
    pub(crate) issue: Ticks,
    /// Whether CORE_BUSY takes time.
    pub(crate) busy: bool,
    /// The shortest time from the start of one of its names until its effects hold.
    pub(crate) least: Ticks,
    /// The longest window of its names, and the shortest.
    pub(crate) window: (Ticks, Ticks),
    /// Whether the device has what it addresses.
    pub(crate) exists: bool,
    /// Whether some phase key gives one of its names a share.
    pub(crate) proposed: bool,
}

/// Whether there are blocks that operations may work on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GoodBlocks {
    /// Some block is good.
    single: bool,
    /// Two blocks of some group are.
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
    pub(crate) tables: Tables,
    pub(crate) classes: Vec<Class>,
    /// The classes of each base.
    pub(crate) of_base: Vec<Vec<ClassId>>,
    /// The class of each name.
    pub(crate) of_op: Vec<ClassId>,
    /// For each phase key the names with a share.
    pub(crate) shares: Vec<Vec<OpId>>,
    /// Chains that change a latch or a cache-program state: the search follows them step by step.
    pub(crate) tracked: Vec<bool>,
    /// Bases that are steps of chains which the search does not follow: they may start whenever the rules allow.
    pub(crate) free_steps: Vec<bool>,
    /// One bit for each cell type: blocks can be erased so that it may be programmed on them.
    pub(crate) programmable: u8,
    /// One bit for each cell type: its pages can be read.
    pub(crate) readable: u8,
    /// The proposed classes that suspend what a proposed operation resumes.
    pub(crate) suspends: Vec<ClassId>,
    pub(crate) planes: u32,
    pub(crate) good: GoodBlocks,
}

impl<'p> Model<'p> {
    pub(crate) fn new(profile: &'p Profile, table: &[(PhaseKey, Vec<(OpId, f64)>)], bad: &[(Die, Block)]) -> Self {
        let tables = Tables::new(profile);
        let shares = shares(profile, table);
        let (classes, of_op) = classes(profile, &tables, &shares);
        let mut of_base = vec![Vec::new(); profile.bases.len()];
        for (at, class) in classes.iter().enumerate().filter(|(_, class)| class.exists) {
            of_base[class.base.index()].push(at as ClassId);
        }
        let tracked = profile.chains.iter().map(|chain| is_tracked(profile, &chain.steps)).collect();
        let mut model = Self {
            profile,
            tables,
            classes,
            of_base,
            of_op,
            shares,
            tracked,
            free_steps: vec![false; profile.bases.len()],
            programmable: 0,
            readable: 0,
            suspends: Vec::new(),
            planes: profile.topology.planes,
            good: GoodBlocks::new(profile.topology, bad),
        };
        let suspends = |&class: &ClassId| {
            let (own, axis) = (model.class(class), model.base(class).effects.suspend);
            own.exists && own.proposed && axis.is_some_and(|axis| model.can_resume(axis))
        };
        model.suspends = (0..model.classes.len() as ClassId).filter(suspends).collect();
        model.find_free_steps();
        model.find_cell_types();
        model
    }

    /// Forgets the cell types that only operations would bring about which never run; whether that changed anything.
    pub(crate) fn only_running(&mut self, runs: &[bool]) -> bool {
        let before = (self.programmable, self.readable);
        self.cell_types_by(&|class| runs[usize::from(class)]);
        // The search has shown what never runs with the larger sets: the smaller ones lie within them.
        self.programmable &= before.0;
        self.readable &= before.1;
        (self.programmable, self.readable) != before
    }

    pub(crate) fn class(&self, id: ClassId) -> &Class {
        &self.classes[usize::from(id)]
    }

    pub(crate) fn base(&self, id: ClassId) -> &BaseInfo {
        self.tables.base(self.class(id).base)
    }

    /// Whether some proposed operation resumes an axis.
    pub(crate) fn can_resume(&self, axis: Axis) -> bool {
        let resumes = |class: &Class| self.tables.base(class.base).effects.resume == Some(axis);
        self.classes.iter().any(|class| class.exists && class.proposed && resumes(class))
    }

    /// The chains that may follow a base; `None` in it: it may stand alone.
    pub(crate) fn follow_ups(&self, base: BaseId) -> impl Iterator<Item = Option<usize>> + '_ {
        let follow_ups = &self.profile.bases[base].follow_ups;
        let alone = follow_ups.is_empty().then_some(None);
        alone.into_iter().chain(follow_ups.iter().filter(|follow| follow.weight > 0.0).map(|follow| follow.chain))
    }

    /// The classes that fit a step after an operation of class `head` with the cell type of the step before it.
    pub(crate) fn fitting(
        &self,
        step: &ChainStep,
        head: ClassId,
        cell: Option<CellTypeId>,
    ) -> impl Iterator<Item = ClassId> + '_ {
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

    /// Whether a chain is under way whenever an operation of the base has just ended: it is never the last of a chain.
    pub(crate) fn always_goes_on(&self, base: BaseId) -> bool {
        let heads = self.profile.bases.ids().flat_map(|head| self.follow_ups(head).flatten());
        let last = |chain: usize| self.profile.chains[chain].steps.last().is_some_and(|step| step.base == base);
        self.follow_ups(base).all(|chain| chain.is_some()) && !heads.into_iter().any(last)
    }

    /// The bases of which some name is proposed: what a chain can begin with.
    pub(crate) fn heads(&self) -> impl Iterator<Item = BaseId> + '_ {
        let proposed = |&class: &ClassId| self.class(class).proposed;
        self.profile.bases.ids().filter(move |base| self.of_base[base.index()].iter().any(proposed))
    }

    fn find_free_steps(&mut self) {
        for base in self.heads().collect::<Vec<_>>() {
            let chains: Vec<usize> = self.follow_ups(base).flatten().filter(|&chain| !self.tracked[chain]).collect();
            for chain in chains {
                for step in &self.profile.chains[chain].steps {
                    self.free_steps[step.base.index()] = true;
                }
            }
        }
    }

    /// Which cell types blocks can be programmed with, and pages be read with.
    fn find_cell_types(&mut self) {
        let chains: Vec<usize> = self.heads().flat_map(|head| self.follow_ups(head).flatten()).collect();
        let steps: Vec<BaseId> =
            chains.iter().flat_map(|&chain| self.profile.chains[chain].steps.iter().map(|step| step.base)).collect();
        let may_run: Vec<bool> =
            self.classes.iter().map(|class| class.exists && (class.proposed || steps.contains(&class.base))).collect();
        self.cell_types_by(&|class| may_run[usize::from(class)]);
    }

    fn cell_types_by(&mut self, runs: &dyn Fn(ClassId) -> bool) {
        let all = (1u16 << self.profile.cell_types.len()) - 1;
        let cells = |wanted: &dyn Fn(&Effects) -> bool| {
            let of =
                (0..self.classes.len() as ClassId).filter(|&class| runs(class) && wanted(&self.base(class).effects));
            of.fold(0u8, |set, class| set | self.class(class).cell.map_or(all as u8, |cell| 1 << cell.0))
        };
        let erased = cells(&|effects| effects.erase);
        let programs = self.tables.programs.iter().enumerate().filter(|(cell, _)| erased >> cell & 1 == 1);
        let programmable = programs.fold(0, |set, (_, programs)| set | programs);
        let readable = programmable & cells(&|effects| effects.program || effects.close);
        (self.programmable, self.readable) = (programmable, readable);
    }
}

/// For each phase key the names with a share; keys that the table lacks use those of DEFAULT.
fn shares(profile: &Profile, table: &[(PhaseKey, Vec<(OpId, f64)>)]) -> Vec<Vec<OpId>> {
    let of = |key: PhaseKey| table.iter().find(|(known, _)| *known == key).map(|(_, entries)| entries);
    let fallback = of(PhaseKey::DEFAULT);
    let named = |entries: &Vec<(OpId, f64)>| {
        entries.iter().filter(|(_, mass)| *mass > 0.0).map(|&(op, _)| op).collect::<Vec<OpId>>()
    };
    profile.phase_keys.ids().map(|key| of(key).or(fallback).map(named).unwrap_or_default()).collect()
}

fn classes(profile: &Profile, tables: &Tables, shares: &[Vec<OpId>]) -> (Vec<Class>, Vec<ClassId>) {
    let mut classes: Vec<Class> = Vec::new();
    let mut of_op = Vec::new();
    let mut proposed = vec![false; profile.ops.len()];
    shares.iter().flatten().for_each(|op| proposed[op.index()] = true);
    for (id, info) in tables.ops() {
        let exists = exists(profile, id);
        let same = |class: &Class| {
            (class.base, class.multi, class.cell, class.exists) == (info.base, info.multi, info.cell_type, exists)
        };
        let window = info.total - info.occupied;
        let at = classes.iter().position(same).unwrap_or_else(|| {
            classes.push(Class {
                base: info.base,
                multi: info.multi,
                cell: info.cell_type,
                issue: Ticks::ZERO,
                busy: false,
                least: Ticks(u64::MAX),
                window: (Ticks::ZERO, window),
                exists,
                proposed: false,
            });
            classes.len() - 1
        });
        let class = &mut classes[at];
        class.issue = class.issue.max(info.issue);
        class.busy |= info.occupied > info.issue;
        class.least = class.least.min(info.array_done.max(info.occupied));
        class.window = (class.window.0.max(window), class.window.1.min(window));
        class.proposed |= proposed[id.index()];
        of_op.push(at as ClassId);
    }
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

fn is_tracked(profile: &Profile, steps: &[ChainStep]) -> bool {
    let changes = |effect: &Effect| {
        matches!(
            effect,
            Effect::LoadLatch { .. }
                | Effect::ConsumeLatch { .. }
                | Effect::CacheProgramStart(_)
                | Effect::CacheProgramEnd(_)
        )
    };
    steps.iter().any(|step| profile.bases[step.base].effects.iter().any(changes))
}

/// Whether the operations of a base put their planes into an op_state at which hooks fall.
pub(crate) fn shows(profile: &Profile, info: &BaseInfo, base: BaseId) -> bool {
    info.affects_state && info.occupies && profile.bases[base].has_phase(PhaseKind::CoreBusy)
}
