//! Goes through the operations of written runs in their order, and says of each what suspects may say of it.
//!
//! What happened before is followed through all runs of a site. An operation counts if the outcome of its run is known: all
//! operations of a run that passed; of a run that fails, those up to the last one that is said to fail. A run whose
//! failing operation is not known counts whole where runs are compared, and not at all where operations are. Sites are gone through on
//! all cores.

use std::cmp::Reverse;
use std::sync::Arc;

use nandseq_input::folder::{RunFile, SiteFiles};
use nandseq_input::{Row, Source};
use nandseq_profile::model::{ArrayWork, Axis, Effect};
use nandseq_profile::{BaseId, IdVec, OpId, PlaneSet, Profile, Ticks};
use nandseq_report::load::{self, LoadError};
use nandseq_report::plan::{SiteHistory, WrittenOperation};
use nandseq_trace::rows::StateId;
use rustc_hash::FxHashSet;

use crate::blocks::{BlockPasts, array_work};
use crate::die_flags::{DieFlags, StateEffect};
use crate::die_past::DiePast;
use crate::draws::pattern;
use crate::feature::{AxisOf, Fact, Quantity};
use crate::names::NameTable;
use crate::occurrence::{EarlierStart, ONE, Occurrence, OperationPlace};
use crate::past_operation::PastOperation;
use crate::statistics::UnitCount;
use crate::threads::{self, Absorb};

/// The number of rows after which what nothing refers to is forgotten.
const FORGET_EVERY: u64 = 4096;

/// What the tester says of a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RunOutcome {
    /// It passed.
    Passed,
    /// It failed at the operations with these `op_uid`s, in ascending order; none if that is not known. The tester went on up to the last.
    Failed(Vec<u64>),
    /// Nothing.
    Unknown,
}

/// Why runs cannot be diagnosed.
#[derive(Debug, thiserror::Error)]
pub enum DiagnoseError {
    /// A run cannot be read.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The failing operation is not in its run.
    #[error("run {run} of {site} has no operation with the op_uid {uid} at which it is said to fail")]
    NoOperation {
        /// The site.
        site: String,
        /// The run.
        run: u64,
        /// The `op_uid`.
        uid: u64,
    },
}

/// A part that was tested at a site.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PartRuns {
    /// The place of its site in the list of sites.
    pub site: usize,
    /// Its number at the site, from 1.
    pub part: u32,
    /// The runs whose outcome is known.
    pub runs: UnitCount,
}

/// Written runs with what the tester says of them.
#[derive(Clone, Copy)]
pub struct TestedRuns<'a> {
    /// The device.
    pub profile: &'a Profile,
    /// The classes that the text of the profile defines.
    pub classes: &'a [(String, Vec<BaseId>)],
    /// The reader of the files.
    pub source: &'a dyn Source,
    /// The sites.
    pub sites: &'a [SiteFiles],
    /// The numbers of the sites, in their order.
    pub site_numbers: &'a [u32],
    /// What the sites are called, in their order.
    pub site_names: &'a [String],
    /// The parts, where several were tested at a site.
    pub parts: &'a [PartRuns],
    /// The outcome of a run, by the place of its site in the list and its number.
    pub outcome: &'a (dyn Fn(usize, u64) -> RunOutcome + Sync),
}

impl TestedRuns<'_> {
    /// The runs whose outcome is known.
    pub(crate) fn count(&self) -> UnitCount {
        let mut count = UnitCount::default();
        for (site, files) in self.sites.iter().enumerate() {
            for file in &files.runs {
                match (self.outcome)(site, file.run) {
                    RunOutcome::Passed => count.add(false),
                    RunOutcome::Failed(_) => count.add(true),
                    RunOutcome::Unknown => {}
                }
            }
        }
        count
    }
}

/// A run whose operations have been told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ToldRun {
    pub(crate) site: usize,
    /// Its number.
    pub(crate) run: u64,
    pub(crate) fails: bool,
}

/// An operation that counts, before anything more is found out about it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CountedOperation {
    pub(crate) site: usize,
    pub(crate) uid: u64,
    pub(crate) op: OpId,
    /// Whether the tester says that it fails.
    pub(crate) fails: bool,
    /// Whether its run fails.
    pub(crate) run_fails: bool,
}

/// Who is told of operations.
pub(crate) trait Listener: Absorb {
    /// Whether it is to be told of an operation.
    fn wants(&mut self, operation: CountedOperation) -> bool;

    /// An operation that it wants.
    fn operation(&mut self, occurrence: &Occurrence<'_>);

    /// Operations that it wants, all at once.
    fn operations(&mut self, occurrences: &[Occurrence<'_>]) {
        occurrences.iter().for_each(|occurrence| self.operation(occurrence));
    }

    /// The end of a run that counts.
    fn run_end(&mut self, run: ToldRun);
}

/// Tells of all operations that count. `whole` says that runs are compared rather than operations: a run whose failing operation
/// is not known counts too.
pub(crate) fn all<L: Listener>(
    runs: &TestedRuns<'_>,
    names: &NameTable,
    whole: bool,
    new: &(impl Fn() -> L + Sync),
) -> Result<L, DiagnoseError> {
    threads::collect(runs.sites.len(), new, &|listener: &mut L, site| {
        let mut walk = SiteWalk::new(runs, names, site);
        for (at, file) in runs.sites[site].runs.iter().enumerate() {
            let outcome = (runs.outcome)(site, file.run);
            let counted = match &outcome {
                RunOutcome::Passed => true,
                RunOutcome::Failed(uids) => whole || !uids.is_empty(),
                RunOutcome::Unknown => false,
            };
            let missing = walk.run(runs.source, (at, file), &outcome, counted, listener)?;
            if let Some(uid) = missing {
                return Err(DiagnoseError::NoOperation { site: runs.site_names[site].clone(), run: file.run, uid });
            }
            if counted {
                let fails = outcome != RunOutcome::Passed;
                listener.run_end(ToldRun { site, run: file.run, fails });
            }
        }
        Ok(())
    })
}

/// What is known of an operation of the profile.
#[derive(Clone, Copy, Debug)]
struct OpRole {
    work: Option<ArrayWork>,
    /// Whether it programs the pages that it names.
    programs: bool,
    effect: StateEffect,
}

/// Whether an op_state is a phase.
fn has_phase(state: StateId) -> bool {
    state.parts().is_some_and(|(_, phase)| phase.is_some())
}

/// A site and what has happened in it.
struct SiteWalk<'a> {
    profile: &'a Profile,
    names: &'a NameTable,
    site: usize,
    site_number: u32,
    roles: IdVec<OpId, OpRole>,
    history: SiteHistory,
    /// For each die its last operations.
    dies: Vec<DiePast>,
    states: Vec<DieFlags>,
    /// For each plane of each die the last operation that its op_state shows.
    shown: Vec<Option<(BaseId, u64)>>,
    blocks: BlockPasts,
    /// Scratch: what is known of the operation that starts.
    op_states: Vec<(StateId, u32)>,
    before: Vec<EarlierStart>,
    facts: Vec<Fact>,
    numbers: Vec<(Quantity, u64)>,
}

impl<'a> SiteWalk<'a> {
    fn new(runs: &TestedRuns<'a>, names: &'a NameTable, site: usize) -> Self {
        let profile = runs.profile;
        let role = |op: OpId| {
            let base = &profile.bases[profile.ops[op].base];
            OpRole { work: array_work(base), programs: base.has(Effect::Program), effect: StateEffect::of(base) }
        };
        let (dies, planes) = (profile.topology.dies as usize, profile.topology.planes as usize);
        Self {
            profile,
            names,
            site,
            site_number: runs.site_numbers[site],
            roles: profile.ops.ids().map(role).collect(),
            history: SiteHistory::new(profile),
            dies: vec![DiePast::default(); dies],
            states: vec![DieFlags::default(); dies],
            shown: vec![None; dies * planes],
            blocks: BlockPasts::default(),
            op_states: Vec::new(),
            before: Vec::new(),
            facts: Vec::new(),
            numbers: Vec::new(),
        }
    }

    /// Goes through a run. Returns the first failing operation that has not come.
    fn run(
        &mut self,
        source: &dyn Source,
        (at, file): (usize, &RunFile),
        outcome: &RunOutcome,
        counted: bool,
        listener: &mut impl Listener,
    ) -> Result<Option<u64>, DiagnoseError> {
        let mut failing = if let RunOutcome::Failed(uids) = outcome { uids.clone() } else { Vec::new() };
        let (mut is_over, run_fails) = (false, *outcome != RunOutcome::Passed);
        load::sequence_rows(self.profile, source, &file.path, |row| {
            let number = self.history.next_row();
            let operation = WrittenOperation::new(row, number);
            self.find_op_states(&operation, row.time);
            let state = self.op_states.iter().find(|(state, _)| has_phase(*state)).or(self.op_states.first());
            let state = state.copied().unwrap_or((StateId::DEFAULT, 0));
            let planes = self.profile.topology.planes;
            let started = Arc::new(PastOperation::new(&operation, row.time, state, planes));
            if counted && !is_over {
                let known = failing.binary_search(&row.uid);
                let fails = known.is_ok();
                let counted = CountedOperation { site: self.site, uid: row.uid, op: row.op, fails, run_fails };
                if listener.wants(counted) {
                    self.tell(&started, at, row, counted, listener);
                }
                if let Ok(known) = known {
                    failing.remove(known);
                    is_over = failing.is_empty();
                }
            }
            self.start(operation, &started, row.time);
            if (number + 1).is_multiple_of(FORGET_EVERY) {
                self.forget();
            }
        })?;
        Ok(failing.first().copied())
    }

    /// Tells of an operation, which starts now.
    fn tell(
        &mut self,
        started: &Arc<PastOperation>,
        run: usize,
        row: &Row<'_>,
        CountedOperation { site, uid, fails, run_fails, .. }: CountedOperation,
        listener: &mut impl Listener,
    ) {
        let die = started.dies(self.profile.topology.dies).next().map_or(0, usize::from);
        self.find_facts(started, die, row);
        let before = &mut self.before;
        before.clear();
        before.extend(self.dies[die].all().cloned());
        for (_, other) in self.dies.iter().enumerate().filter(|(other, _)| *other != die) {
            before.extend(other.window().cloned());
        }
        for &at in &started.blocks {
            before.extend(self.blocks.of(at, self.profile.topology.planes).map(EarlierStart::new));
        }
        before.sort_by_key(|one| Reverse(one.row));
        before.dedup_by_key(|one| one.row);
        before.iter().for_each(|one| one.of.settle(&self.history, row.time));
        let known_from = self.dies.iter().map(DiePast::known_from).max().unwrap_or(0);
        listener.operation(&Occurrence {
            names: self.names,
            place: OperationPlace { site, run, row: row.row, uid, start: row.time },
            operation: started,
            fails,
            run_fails,
            weight: ONE,
            facts: &self.facts,
            numbers: &self.numbers,
            before: &self.before,
            known_from,
        });
    }

    fn find_facts(&mut self, started: &PastOperation, die: usize, row: &Row<'_>) {
        let (facts, numbers) = (&mut self.facts, &mut self.numbers);
        facts.clear();
        numbers.clear();
        let site = self.site as u32;
        facts.push(Fact::Site(site));
        let names_die = started.dies.is_power_of_two();
        let on = die as u8;
        if names_die {
            facts.push(Fact::Die(on));
            facts.extend(started.planes.iter().map(|plane| Fact::Plane(on, plane.0)));
            facts.extend(started.planes.iter().map(|plane| Fact::SitePlane(site, on, plane.0)));
            if self.profile.topology.dies > 1 {
                facts.extend(started.planes.iter().map(|plane| Fact::PlaneOfAny(plane.0)));
            }
        }
        if !started.planes.is_empty() {
            facts.push(Fact::Planes(started.planes.len() as u8));
        }
        facts.extend(row.targets.first().and_then(|at| at.cell_type).map(Fact::CellType));
        for at in &started.blocks {
            facts.extend([Fact::Block(at.die, at.block), Fact::SiteBlock(site, at.die, at.block)]);
            facts.extend(at.page.map(Fact::Page).filter(|page| !facts.contains(page)));
            let parity = at.page.map(|page| if page % 2 == 0 { Fact::EvenPage } else { Fact::OddPage });
            facts.extend(parity.filter(|parity| !facts.contains(parity)));
        }
        let counts = started.blocks.iter().map(|&at| self.blocks.counts(at));
        if let Some((erases, reads)) = counts.reduce(|one, other| (one.0.max(other.0), one.1.max(other.1))) {
            numbers.extend([(Quantity::Erases, erases.into()), (Quantity::Reads, reads.into())]);
        }
        for at in &started.blocks {
            numbers.push((Quantity::Block, at.block.into()));
            numbers.extend(at.page.map(|page| (Quantity::Page, page.into())));
            let pattern = at.page.and_then(|page| self.blocks.pattern(at, page.checked_sub(1)?));
            numbers.extend(pattern.map(|pattern| (Quantity::PatternBefore, pattern.into())));
        }
        for axis in Axis::ALL {
            facts.extend(self.history.is_suspended(started.dies, axis).then(|| Fact::Suspended(AxisOf::from(axis))));
        }
        let state = self.states[die];
        facts.extend(state.cache.then_some(Fact::Cache));
        facts.extend(state.latch.then_some(Fact::Latch));
        for &(state, passed) in &self.op_states {
            facts.extend(Some(Fact::State(state)).filter(|state| !facts.contains(state)));
            numbers.extend(has_phase(state).then_some((Quantity::Tenth(state), passed.into())));
        }
    }

    /// The op_states of the planes of an operation at its start, of all planes of its die if it names none, and how much of them has
    /// passed, in millionths; 0 if it is no phase.
    fn find_op_states(&mut self, operation: &WrittenOperation, now: Ticks) {
        let planes = Some(operation.planes()).filter(|planes| !planes.is_empty());
        let planes = planes.unwrap_or(PlaneSet::first(self.profile.topology.planes));
        let first = operation.dies().trailing_zeros() as usize * self.profile.topology.planes as usize;
        self.op_states.clear();
        for plane in planes.iter() {
            let shown = self.shown.get(first + usize::from(plane.0)).copied().flatten();
            let state = shown.map_or((StateId::DEFAULT, 0), |(base, row)| match self.history.phase_of(row, now) {
                Some((phase, passed)) => (StateId::of(base, Some(phase)), passed),
                None => (StateId::of(base, None), 0),
            });
            if !self.op_states.contains(&state) {
                self.op_states.push(state);
            }
        }
    }

    /// Does what the start of an operation does.
    fn start(&mut self, operation: WrittenOperation, started: &Arc<PastOperation>, now: Ticks) {
        let (row, op, uid) = (operation.row, operation.op, operation.uid);
        let OpRole { work, programs, effect } = self.roles[op];
        let topology = self.profile.topology;
        let (dies, planes) = self.history.shown_on(&operation);
        for die in (0..topology.dies as usize).filter(|die| dies >> die & 1 == 1) {
            for plane in
                planes.iter().map(|plane| usize::from(plane.0)).filter(|&plane| plane < topology.planes as usize)
            {
                self.shown[die * topology.planes as usize + plane] = Some((self.profile.ops[op].base, row));
            }
        }
        for die in started.dies(topology.dies).map(usize::from) {
            // What leaves is asked for its end while that is still known.
            self.dies[die].push(started).into_iter().for_each(|older| older.of.settle(&self.history, now));
            self.states[die].start(effect);
        }
        self.blocks.add(started, work, programs.then(|| pattern(self.site_number, uid)));
        self.history.add(operation);
        self.history.start(row);
    }

    fn forget(&mut self) {
        let windows = self.dies.iter().flat_map(DiePast::all).map(|one| one.row);
        let shown = self.shown.iter().flatten().map(|(_, row)| *row);
        let needed: FxHashSet<u64> = windows.chain(shown).collect();
        self.history.keep(&needed);
    }
}
