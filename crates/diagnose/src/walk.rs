//! Goes through the operations of written runs in their order, and says of each what suspects may say of it.
//!
//! What happened before is followed through all runs of a site. An operation counts if the outcome of its run is known: all
//! operations of a run that passed; of a run that fails, those up to the failing one, which is the last that counts. A run whose
//! failing operation is not known counts whole where runs are compared, and not at all where operations are.

use std::collections::VecDeque;
use std::rc::Rc;

use nandseq_input::folder::{RunFile, SiteFiles};
use nandseq_input::{Row, Source};
use nandseq_profile::model::{ArrayWork, Axis};
use nandseq_profile::{BaseId, IdVec, OpId, Profile, Ticks};
use nandseq_report::load::{self, LoadError};
use nandseq_report::plan::{SiteHistory, WrittenOperation};
use nandseq_trace::rows::StateId;
use rustc_hash::FxHashSet;

use crate::bins::Scale;
use crate::blocks::{BlockPasts, array_work};
use crate::die_flags::{DieFlags, StateEffect};
use crate::feature::{AxisOf, Fact, Quantity};
use crate::names::NameTable;
use crate::occurrence::{EarlierList, Occurrence, OperationPlace, number};
use crate::past_operation::PastOperation;

/// How many operations of a die are looked back at.
pub const LOOK_BACK: usize = 32;
/// The number of rows after which what nothing refers to is forgotten.
const FORGET_EVERY: u64 = 4096;

/// What the tester says of a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RunOutcome {
    /// It passed.
    Passed,
    /// It failed, at the operation of this `op_uid` if that is known.
    Failed(Option<u64>),
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
    /// What the sites are called, in their order.
    pub site_names: &'a [String],
    /// The outcome of a run, by the place of its site in the list and its number.
    pub outcome: &'a dyn Fn(usize, u64) -> RunOutcome,
}

/// A run whose operations have been told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ToldRun {
    pub(crate) site: usize,
    /// Its number.
    pub(crate) run: u64,
    pub(crate) fails: bool,
}

/// Who is told of operations.
pub(crate) trait Listener {
    /// Whether it is to be told of an operation that fails, or whose run does.
    fn wants(&self, _fails: bool, _run_fails: bool) -> bool {
        true
    }

    /// An operation that counts.
    fn operation(&mut self, occurrence: &Occurrence<'_>);
    /// The end of a run that counts.
    fn run_end(&mut self, run: ToldRun);
}

/// Tells of all operations that count. `whole` says that runs are compared rather than operations: a run whose failing operation
/// is not known counts too.
pub(crate) fn all(
    runs: &TestedRuns<'_>,
    names: &NameTable,
    whole: bool,
    listener: &mut impl Listener,
) -> Result<(), DiagnoseError> {
    for (site, files) in runs.sites.iter().enumerate() {
        let mut walk = SiteWalk::new(runs.profile, names, site);
        for (at, file) in files.runs.iter().enumerate() {
            let outcome = (runs.outcome)(site, file.run);
            let counted = match outcome {
                RunOutcome::Passed | RunOutcome::Failed(Some(_)) => true,
                RunOutcome::Failed(None) => whole,
                RunOutcome::Unknown => false,
            };
            walk.run(runs.source, (at, file), outcome, counted, listener).and_then(|is_found| {
                let RunOutcome::Failed(Some(uid)) = outcome else { return Ok(()) };
                let missing = || DiagnoseError::NoOperation { site: runs.site_names[site].clone(), run: file.run, uid };
                if is_found { Ok(()) } else { Err(missing()) }
            })?;
            if counted {
                let fails = outcome != RunOutcome::Passed;
                listener.run_end(ToldRun { site, run: file.run, fails });
            }
        }
    }
    Ok(())
}

/// What is known of an operation of the profile.
#[derive(Clone, Copy, Debug)]
struct OpRole {
    work: Option<ArrayWork>,
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
    roles: IdVec<OpId, OpRole>,
    history: SiteHistory,
    /// For each die its last operations, the last first.
    windows: Vec<VecDeque<Rc<PastOperation>>>,
    states: Vec<DieFlags>,
    /// For each plane of each die the last operation that its op_state shows.
    shown: Vec<Option<(BaseId, u64)>>,
    blocks: BlockPasts,
    earlier: EarlierList,
    facts: Vec<Fact>,
    numbers: Vec<(Quantity, u8)>,
}

impl<'a> SiteWalk<'a> {
    fn new(profile: &'a Profile, names: &'a NameTable, site: usize) -> Self {
        let role = |op: OpId| {
            let base = &profile.bases[profile.ops[op].base];
            OpRole { work: array_work(base), effect: StateEffect::of(base) }
        };
        let (dies, planes) = (profile.topology.dies as usize, profile.topology.planes as usize);
        Self {
            profile,
            names,
            site,
            roles: profile.ops.ids().map(role).collect(),
            history: SiteHistory::new(profile),
            windows: vec![VecDeque::new(); dies],
            states: vec![DieFlags::default(); dies],
            shown: vec![None; dies * planes],
            blocks: BlockPasts::default(),
            earlier: EarlierList::new(names),
            facts: Vec::new(),
            numbers: Vec::new(),
        }
    }

    /// Goes through a run. Returns whether the failing operation has come, if one is named.
    fn run(
        &mut self,
        source: &dyn Source,
        (at, file): (usize, &RunFile),
        outcome: RunOutcome,
        counted: bool,
        listener: &mut impl Listener,
    ) -> Result<bool, DiagnoseError> {
        let failing = if let RunOutcome::Failed(uid) = outcome { uid } else { None };
        let mut is_over = false;
        load::sequence_rows(self.profile, source, &file.path, |row| {
            let number = self.history.next_row();
            let operation = WrittenOperation::new(row, number);
            let state = self.op_state(&operation, row.time);
            let started = Rc::new(PastOperation::new(&operation, row.time, state));
            if counted && !is_over {
                let fails = failing == Some(row.uid);
                let run_fails = outcome != RunOutcome::Passed;
                if listener.wants(fails, run_fails) {
                    self.tell(&started, at, row, (fails, run_fails), listener);
                }
                is_over = fails;
            }
            self.start(operation, &started);
            if (number + 1).is_multiple_of(FORGET_EVERY) {
                self.forget();
            }
        })?;
        Ok(is_over || failing.is_none())
    }

    /// Tells of an operation, which starts now.
    fn tell(
        &mut self,
        started: &Rc<PastOperation>,
        run: usize,
        row: &Row<'_>,
        (fails, run_fails): (bool, bool),
        listener: &mut impl Listener,
    ) {
        let die = started.dies(self.profile.topology.dies).next().map_or(0, usize::from);
        self.find_earlier(started, die);
        self.find_facts(started, die, row);
        self.windows[die].make_contiguous();
        let before = self.windows[die].as_slices().0;
        listener.operation(&Occurrence {
            names: self.names,
            history: &self.history,
            place: OperationPlace { site: self.site, run, row: row.row, uid: row.uid, start: row.time },
            operation: started,
            fails,
            run_fails,
            facts: &self.facts,
            numbers: &self.numbers,
            earlier: &self.earlier,
            before,
        });
    }

    fn find_earlier(&mut self, started: &PastOperation, die: usize) {
        self.earlier.clear();
        let (history, now) = (&self.history, started.start);
        for (one, distance) in self.windows[die].iter().zip(1..) {
            let bins = one.bins(history, now, distance);
            self.earlier.add(one, self.names.of(one.op), one.relations_to(started), bins);
        }
        let oldest = self.windows[die].back().map_or(u64::MAX, |one| one.row);
        for &at in &started.blocks {
            for one in self.blocks.of(at).filter(|one| one.row < oldest) {
                let bins = one.bins(history, now, u64::MAX);
                self.earlier.add(one, self.names.of(one.op), one.relations_to(started), bins);
            }
        }
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
        }
        if !started.planes.is_empty() {
            facts.push(Fact::Planes(started.planes.len() as u8));
        }
        facts.extend(row.targets.first().and_then(|at| at.cell_type).map(Fact::CellType));
        for at in &started.blocks {
            facts.extend([Fact::Block(at.die, at.block), Fact::SiteBlock(site, at.die, at.block)]);
            facts.extend(at.page.map(Fact::Page).filter(|page| !facts.contains(page)));
        }
        if let Some(&at) = started.blocks.first() {
            let (erases, reads) = self.blocks.counts(at);
            let values = [(Quantity::Erases, erases.into()), (Quantity::Reads, reads.into())];
            let places = [(Quantity::Block, Some(at.block)), (Quantity::Page, at.page)];
            let places = places.into_iter().filter_map(|(quantity, value)| Some((quantity, u64::from(value?))));
            numbers.extend(values.into_iter().chain(places).map(|(of, value)| number(of, value, self.profile)));
        }
        for axis in Axis::ALL {
            facts.extend(self.history.is_suspended(started.dies, axis).then(|| Fact::Suspended(AxisOf::from(axis))));
        }
        let state = self.states[die];
        facts.extend(state.cache.then_some(Fact::Cache));
        facts.extend(state.latch.then_some(Fact::Latch));
        let (state, tenth) = started.state;
        facts.push(Fact::State(state));
        numbers.extend(has_phase(state).then_some((Quantity::Tenth(state), tenth)));
    }

    /// The op_state of the first plane of an operation at its start, and the tenth of it that has passed; 0 if it is no phase.
    fn op_state(&self, operation: &WrittenOperation, now: Ticks) -> (StateId, u8) {
        let die = operation.dies().trailing_zeros() as usize;
        let plane = operation.planes().iter().next().map_or(0, |plane| usize::from(plane.0));
        let at = die * self.profile.topology.planes as usize + plane;
        let Some((base, row)) = self.shown.get(at).copied().flatten() else { return (StateId::DEFAULT, 0) };
        match self.history.phase_of(row, now) {
            Some((phase, passed)) => (StateId::of(base, Some(phase)), Scale::Tenth.bin(passed.into())),
            None => (StateId::of(base, None), 0),
        }
    }

    /// Does what the start of an operation does.
    fn start(&mut self, operation: WrittenOperation, started: &Rc<PastOperation>) {
        let (row, op) = (operation.row, operation.op);
        let OpRole { work, effect } = self.roles[op];
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
            self.windows[die].push_front(Rc::clone(started));
            self.windows[die].truncate(LOOK_BACK);
            self.states[die].start(effect);
        }
        self.blocks.add(started, work);
        self.history.add(operation);
        self.history.start(row);
    }

    fn forget(&mut self) {
        let windows = self.windows.iter().flatten().map(|one| one.row);
        let shown = self.shown.iter().flatten().map(|(_, row)| *row);
        let needed: FxHashSet<u64> = windows.chain(shown).collect();
        self.history.keep(&needed);
    }
}
