//! What of a fault occurred in the runs, and the first part of it that never did: a fault that cannot happen is most often a slip of the
//! pen.

use nandseq_input::Row;
use nandseq_plan::model::{AddressPart, PlaceRelation, StepPlace};
use nandseq_profile::diagnostic::counted;
use nandseq_profile::{Profile, Ticks};
use nandseq_trace::rows::StateId;

use crate::fault::{Detection, FaultCondition, PlantedFault};
use crate::history::value;
use crate::read::LABELS;

/// The last start of an operation that fits a step, by die; without a die in place 0.
type LastStarts = Vec<Option<Ticks>>;

/// Counts of what occurred, for the runs of some sites.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct FaultOccurrences {
    /// For each step the operations that it may be.
    of_step: [u64; 3],
    /// For each step the smallest gap from an operation of the step before.
    gap: [Option<Ticks>; 3],
    /// By step, the last starts in the run.
    last: [LastStarts; 3],
    /// Operations that end the steps.
    ended: u64,
    /// Those of them that are in the op_state of the condition, in any part of it.
    in_state: u64,
    /// The most erases of a block that one of them worked on.
    erases: u32,
    /// Those of them for which the condition holds.
    held: u64,
    /// Those of them that failed.
    failed: u64,
    /// Fails that the tester saw.
    seen: u64,
}

/// What became of an operation that ends the steps of a fault.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct FaultyEnd {
    pub(crate) in_state: bool,
    pub(crate) erases: u32,
    pub(crate) held: bool,
    pub(crate) failed: bool,
}

impl FaultOccurrences {
    /// A run begins.
    pub(crate) fn begin_run(&mut self) {
        self.last = Default::default();
    }

    /// An operation starts.
    pub(crate) fn start(&mut self, fault: &PlantedFault, row: &Row<'_>) {
        let die = row.targets.iter().find_map(|target| value(target, AddressPart::Die));
        let die = die.and_then(|die| usize::try_from(die).ok()).unwrap_or_default();
        let fits = |step: usize| fault.steps.get(step).is_some_and(|one| one.ops.binary_search(&row.op).is_ok());
        for step in (0..LABELS.len()).filter(|step| fits(*step)) {
            self.of_step[step] += 1;
            let Some(before) = step.checked_sub(1).map(|before| &self.last[before]) else { continue };
            let same_die =
                |place: &StepPlace| place.part == AddressPart::Die && place.relation == PlaceRelation::SameAs(step - 1);
            let last = if fault.steps[step].places.iter().any(same_die) {
                before.get(die).copied().flatten()
            } else {
                before.iter().copied().flatten().max()
            };
            let gap = last.map(|last| Ticks(row.time.0.saturating_sub(last.0)));
            self.gap[step] = self.gap[step].into_iter().chain(gap).min();
        }
        for (_, last) in self.last.iter_mut().enumerate().filter(|(step, _)| fits(*step)) {
            last.resize(last.len().max(die + 1), None);
            last[die] = Some(row.time);
        }
    }

    /// An operation ends the steps.
    pub(crate) fn end(&mut self, end: FaultyEnd) {
        self.ended += 1;
        self.in_state += u64::from(end.in_state);
        self.erases = self.erases.max(end.erases);
        self.held += u64::from(end.held);
        self.failed += u64::from(end.failed);
    }

    /// The tester sees a fail.
    pub(crate) const fn seen(&mut self) {
        self.seen += 1;
    }

    /// Adds those of another site.
    pub fn add(&mut self, other: &Self) {
        for step in 0..LABELS.len() {
            self.of_step[step] += other.of_step[step];
            self.gap[step] = self.gap[step].into_iter().chain(other.gap[step]).min();
        }
        self.ended += other.ended;
        self.in_state += other.in_state;
        self.erases = self.erases.max(other.erases);
        self.held += other.held;
        self.failed += other.failed;
        self.seen += other.seen;
    }

    /// Why the tester saw nothing of the fault; `None` if it saw something.
    #[must_use]
    pub fn never(&self, fault: &PlantedFault, profile: &Profile) -> Option<String> {
        if self.seen > 0 {
            return None;
        }
        let steps = fault.steps.len();
        let label = |step: usize| {
            if steps == 1 { "that the fault is about".to_owned() } else { format!("of the step `{}`", LABELS[step]) }
        };
        if let Some(step) = (0..steps).find(|step| self.of_step[*step] == 0) {
            return Some(format!("no operation {} is in these runs", label(step)));
        }
        for step in 1..steps {
            let (one, other, most) = (LABELS[step - 1], LABELS[step], fault.steps[step].within.1);
            match self.gap[step] {
                None => return Some(format!("`{other}` never comes after `{one}`")),
                Some(gap) if gap > most => {
                    let (gap, most) = (gap.to_us_text(), most.to_us_text());
                    return Some(format!(
                        "`{other}` never starts within {most} µs of `{one}`: the smallest gap is {gap} µs"
                    ));
                }
                Some(_) => {}
            }
        }
        if self.ended == 0 {
            return Some(match (steps, fault.others_between) {
                (1, _) => "no operation that the fault is about is at such an address".to_owned(),
                (_, true) => "the steps never come together with such gaps at such addresses".to_owned(),
                (_, false) => {
                    "the steps never come together with such gaps at such addresses and nothing between them".to_owned()
                }
            });
        }
        let ended = counted(self.ended, "operation");
        if self.held == 0 {
            return Some(match &fault.condition {
                FaultCondition::None => format!("{ended} could fail, and none does"),
                FaultCondition::State { state: (base, phase), .. } => {
                    let state = StateId::of(*base, Some(*phase)).text(profile);
                    match self.in_state {
                        0 => format!("none of {ended} starts while its plane is in {state}"),
                        1 => format!("the only operation that starts in {state} is in another part of it"),
                        count => format!("all {count} operations that start in {state} are in other parts of it"),
                    }
                }
                FaultCondition::Erases(least) => {
                    let most = self.erases;
                    format!("no block that {ended} worked on was erased {least} times before: {most} is the most")
                }
                FaultCondition::PreviousPage(_) => format!("no page before those of {ended} holds such a pattern"),
            });
        }
        let held = counted(self.held, "operation");
        Some(match (self.failed, fault.detect) {
            (0, _) => format!("{held} could fail, but `probability` lets all of them pass"),
            (_, Detection::Output) => {
                format!("no output of data shows what failed at {}", counted(self.failed, "operation"))
            }
            (_, Detection::Operation) => format!("{held} could fail, and none is seen"),
        })
    }
}
