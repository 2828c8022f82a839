//! Which rows may be steps that a chain forces, as far as a sequence shows it.
//!
//! No row names its chain. An operation counts as forced if it can be the next step of a chain that an earlier operation on its die may
//! have begun: it has the step's base, starts when the step is due or later, and keeps what the step inherits (planes, page, cell
//! type, plane count). A step on several planes may be split into operations on one plane each. Most such operations may as well have
//! been proposed by themselves, so a chain is kept a while as it was before.

use std::collections::VecDeque;

use nandseq_input::Addressed;
use nandseq_profile::model::{ChainStep, StepAddress};
use nandseq_profile::{BaseId, CellTypeId, IdVec, OpId, PlaneSet, Profile, Ticks};

use super::history::WrittenOperation;
use super::phase_clock::PhaseLengths;

/// A chain that an operation may have begun.
#[derive(Clone, Debug)]
struct PossibleChain {
    /// The chains of the profile that it may be, and the number of steps done.
    may_be: Vec<(usize, usize)>,
    /// Whether its first operation is multi-plane.
    multi: bool,
    /// The last step.
    last: LastStep,
    /// Whether it has gone on, if another operation was its step.
    has_stayed: bool,
}

/// What the next step of a chain inherits.
#[derive(Clone, Debug)]
struct LastStep {
    base: BaseId,
    cell_type: CellTypeId,
    targets: Vec<Addressed>,
    /// The planes of the step before it, and those on which it has worked.
    planes: (PlaneSet, PlaneSet),
    /// When the next step is due.
    due: Ticks,
}

/// The most chains of a die that are kept. A chain that has not gone on while so many others began never will.
const MOST_CHAINS: usize = 64;

/// The most chains of a die that are kept as they were before an operation that may have been their step.
const MOST_STAYED: usize = 2;

/// The chains of a run that may go on.
#[derive(Debug)]
pub(super) struct PossibleChains<'p> {
    profile: &'p Profile,
    lengths: IdVec<OpId, PhaseLengths>,
    /// By die, oldest first.
    chains: Vec<VecDeque<PossibleChain>>,
}

impl<'p> PossibleChains<'p> {
    pub(super) fn new(profile: &'p Profile) -> Self {
        let chains = vec![VecDeque::new(); profile.topology.dies as usize];
        Self { profile, lengths: PhaseLengths::all(profile), chains }
    }

    /// Notes the operation that starts now. Returns whether it may be a step that a chain forces.
    pub(super) fn add(&mut self, operation: &WrittenOperation) -> bool {
        let profile = self.profile;
        let die = operation.die().and_then(|die| usize::try_from(die).ok());
        let Some(of_die) = die.and_then(|die| self.chains.get_mut(die)) else { return false };
        let op = &profile.ops[operation.op];
        let planes = operation.planes();
        let done = operation.clock.start.0.saturating_add(self.lengths[operation.op].array_done.0);
        let step = LastStep {
            base: op.base,
            cell_type: op.cell_type,
            targets: operation.targets.clone(),
            planes: (planes, planes),
            due: Ticks(done.saturating_add(profile.policies.sequence_gap.0)),
        };
        let now = operation.clock.start;
        let fitting: Vec<usize> =
            (0..of_die.len()).filter(|&at| of_die[at].goes_on(profile, &step, (op.multi, now))).collect();
        // It may have been proposed by itself, so each chain may have stayed as it is too.
        let stayed: Vec<PossibleChain> =
            fitting.iter().map(|&at| PossibleChain { has_stayed: true, ..of_die[at].clone() }).collect();
        fitting.iter().for_each(|&at| of_die[at].advance(profile, &step, (op.multi, now)));
        of_die.retain(|chain| !chain.is_complete(profile));
        of_die.extend(stayed);
        let mut too_many = of_die.iter().filter(|chain| chain.has_stayed).count().saturating_sub(MOST_STAYED);
        of_die.retain(|chain| {
            let goes = chain.has_stayed && too_many > 0;
            too_many -= usize::from(goes);
            !goes
        });
        let follow_ups = profile.bases[op.base].follow_ups.iter();
        let may_be: Vec<(usize, usize)> =
            follow_ups.filter_map(|follow| follow.chain).map(|chain| (chain, 0)).collect();
        if !may_be.is_empty() {
            of_die.push_back(PossibleChain { may_be, multi: op.multi, last: step, has_stayed: false });
        }
        while of_die.len() > MOST_CHAINS {
            of_die.pop_front();
        }
        !fitting.is_empty()
    }
}

impl PossibleChain {
    fn steps(profile: &Profile, chain: usize) -> &[ChainStep] {
        profile.chains.get(chain).map_or(&[], |chain| &chain.steps)
    }

    /// Whether an operation is a further part of the last step, on planes of its own.
    fn splits(&self, step: &LastStep) -> bool {
        let ((before, done), planes) = (self.last.planes, step.planes.0);
        self.last.base == step.base && !planes.is_empty() && planes.is_subset(before) && planes.and(done).is_empty()
    }

    /// Whether an operation can be the next step of a chain of the profile.
    fn fits(
        &self,
        profile: &Profile,
        (chain, done): (usize, usize),
        own: &LastStep,
        (multi, now): (bool, Ticks),
    ) -> bool {
        let Some(step) = Self::steps(profile, chain).get(done) else { return false };
        let any = profile.any_cell_type();
        let cell_types = [self.last.cell_type, own.cell_type];
        let inherits_cell_type = cell_types[0] == cell_types[1] || cell_types.iter().any(|of| Some(*of) == any);
        // One part of a split step is not multi-plane.
        let is_multi = multi == self.multi || (self.multi && profile.policies.split_dout_per_plane);
        step.base == own.base
            && self.last.due <= now
            && (!step.same_cell_type || inherits_cell_type)
            && (!step.multi || is_multi)
            && (!keeps_planes(step) || own.planes.0.is_subset(self.last.planes.0) || self.last.planes.0.is_empty())
            && self.inherits_page(step, own)
    }

    fn inherits_page(&self, step: &ChainStep, own: &LastStep) -> bool {
        let near = |more: i64| {
            own.targets.iter().all(|own| {
                self.last
                    .targets
                    .iter()
                    .any(|last| (last.block, last.page.saturating_add(more)) == (own.block, own.page))
            })
        };
        match step.address {
            StepAddress::SamePage => near(0),
            StepAddress::IncPage => near(1),
            StepAddress::Sampled
            | StepAddress::ProgramSamePage
            | StepAddress::SuspendedProgram
            | StepAddress::PreviousPage
            | StepAddress::SameRegister => true,
        }
    }

    fn goes_on(&self, profile: &Profile, own: &LastStep, at: (bool, Ticks)) -> bool {
        self.splits(own) || self.may_be.iter().any(|&one| self.fits(profile, one, own, at))
    }

    fn advance(&mut self, profile: &Profile, own: &LastStep, at: (bool, Ticks)) {
        if self.splits(own) {
            self.last.planes.1 = self.last.planes.1.union(own.planes.0);
            self.last.due = own.due;
            return;
        }
        let fitting = self.may_be.iter().filter(|&&one| self.fits(profile, one, own, at));
        self.may_be = fitting.map(|&(chain, done)| (chain, done + 1)).collect();
        let before = if own.planes.0.is_subset(self.last.planes.0) { self.last.planes.0 } else { own.planes.0 };
        self.last = LastStep { planes: (before, own.planes.0), ..own.clone() };
    }

    /// Whether it has no further step, and its last step is done on all planes.
    fn is_complete(&self, profile: &Profile) -> bool {
        let is_last = self.may_be.iter().all(|&(chain, done)| done >= Self::steps(profile, chain).len());
        is_last && (self.last.planes.0.is_subset(self.last.planes.1) || self.last.planes.1.is_empty())
    }
}

/// Whether a step works on the planes of the step before it.
fn keeps_planes(step: &ChainStep) -> bool {
    let inherits = match step.address {
        StepAddress::SamePage | StepAddress::IncPage | StepAddress::PreviousPage => true,
        StepAddress::Sampled
        | StepAddress::ProgramSamePage
        | StepAddress::SuspendedProgram
        | StepAddress::SameRegister => false,
    };
    step.same_plane || inherits
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]
    use std::collections::HashSet;
    use std::io;

    use nandseq_generate::{RunLimits, Setup, Site, probability};
    use nandseq_input::Addressed;
    use nandseq_profile::{Ticks, builtin};
    use nandseq_trace::{Operation, Proposal, Sink};

    use super::super::phase_clock::PhaseClock;
    use super::*;

    /// Compares what is inferred with the proposals of the generator: a step is an operation whose proposal has started before.
    struct Compared<'p> {
        chains: PossibleChains<'p>,
        started: HashSet<Proposal>,
        steps: u64,
        missed: Vec<String>,
        others: u64,
        wrong: u64,
    }

    impl Sink for Compared<'_> {
        fn operation(&mut self, operation: &Operation<'_>) -> io::Result<()> {
            let profile = self.chains.profile;
            let targets = (0..operation.targets.len()).map(|at| Addressed::of(profile, operation, at)).collect();
            let clock = PhaseClock::new(operation.start);
            let written = WrittenOperation { row: operation.uid, uid: operation.uid, op: operation.op, targets, clock };
            let is_forced = self.chains.add(&written);
            if self.started.insert(*operation.proposal) {
                self.others += 1;
                self.wrong += u64::from(is_forced);
            } else {
                self.steps += 1;
                if !is_forced {
                    self.missed.push(format!("{} {}", operation.uid, profile.ops[operation.op].name));
                }
            }
            Ok(())
        }
    }

    #[test]
    fn nearly_every_step_of_the_generators_chains_may_be_forced_and_few_other_operations_may() {
        let profile = builtin::profile();
        let setup =
            Setup::new(&profile, &probability::of_profile(&profile, probability::DEFAULT_TABLE_SEED), &[]).unwrap();
        let limits = RunLimits { run_until: Ticks::from_us(1_000_000), bootstrap: true, ..RunLimits::default() };
        let mut compared = Compared {
            chains: PossibleChains::new(&profile),
            started: HashSet::new(),
            steps: 0,
            missed: Vec::new(),
            others: 0,
            wrong: 0,
        };
        Site::new(&setup, 7).run(&limits, &mut compared).unwrap();
        let Compared { steps, missed, others, wrong, .. } = compared;
        assert!(steps > 1000, "{steps} steps");
        // Where operations that a chain could have forced were proposed by themselves, the chain may be taken for another.
        assert!(missed.len() as u64 * 1000 < steps, "of {steps} steps: {missed:?}");
        assert!(wrong * 15 < others, "{wrong} of {others} other operations");
    }
}
