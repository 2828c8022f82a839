//! Plans and setups with scenarios for tests, and a plain matcher that counts scenarios over all that a sink was told of.
//!
//! The matcher shares nothing with the generator: it adds up the time that an operation was in CORE_BUSY from the times at which it was
//! suspended and resumed, and tries every row for every step.

use std::io;

use nandseq_generate::{RunLimits, Setup, Site, probability};
use nandseq_plan::TestPlan;
use nandseq_plan::model::{
    AddressPart, ExpectedWord, PhaseUntil, PlaceRelation, Scenario, ScenarioStep, StepMoment, StepTime, WHOLE,
};
use nandseq_profile::model::PhaseKind;
use nandseq_profile::places::Places;
use nandseq_profile::{OpId, Profile, SourceFile, Target, Ticks, builtin};
use nandseq_trace::{Cut, Operation, Sink, Status};
use nandseq_verify::Verifier;

/// A plan for the built-in device.
pub(crate) fn plan(text: &str) -> TestPlan {
    plan_for(&builtin::profile(), &SourceFile::new(builtin::NAME, builtin::text()), text)
}

/// A plan for a device.
pub(crate) fn plan_for(profile: &Profile, of: &SourceFile, text: &str) -> TestPlan {
    let classes = Places::new(of, profile).classes();
    let source = SourceFile::new("plan.yaml", format!("schema: 1\n{text}"));
    let (plan, diagnostics) = nandseq_plan::read(&source, profile, &classes);
    plan.unwrap_or_else(|| panic!("{}", diagnostics.render(&source, nandseq_profile::diagnostic::Styling::Plain)))
}

/// The setup of a device with scenarios.
pub(crate) fn setup(profile: &Profile, plan: &TestPlan) -> Setup {
    let table = probability::of_profile(profile, probability::DEFAULT_TABLE_SEED);
    let setup = Setup::new(profile, &table, &[]).expect("something to propose");
    setup.with_scenarios(&plan.scenarios).expect("few values")
}

/// Limits of a run that ends when the scenarios are done, or after a time.
pub(crate) fn until_done(us: u64) -> RunLimits<'static> {
    RunLimits {
        until: Some(PhaseUntil::ScenariosDone),
        ..RunLimits { run_until: Ticks::from_us(us), ..RunLimits::default() }
    }
}

/// An operation as the sink was told of it.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) uid: u64,
    pub(crate) op: OpId,
    pub(crate) start: Ticks,
    pub(crate) targets: Vec<Target>,
    pub(crate) status: Option<Status>,
    pub(crate) is_first: bool,
    /// The stretches of its CORE_BUSY, and the end of its last phase.
    busy: Vec<(Ticks, Ticks)>,
    end: Ticks,
}

/// Keeps all rows, and judges them.
pub(crate) struct Rows<'p> {
    profile: &'p Profile,
    pub(crate) rows: Vec<Row>,
    verifier: Verifier<'p>,
}

impl<'p> Rows<'p> {
    pub(crate) fn new(profile: &'p Profile) -> Self {
        Self { profile, rows: Vec::new(), verifier: Verifier::new(profile, &[]) }
    }

    /// Ends a run.
    pub(crate) fn end_run(&mut self) {
        self.verifier.end_of_file();
    }

    /// The rows, which break no rule.
    pub(crate) fn judged(self) -> Vec<Row> {
        assert!(self.verifier.is_clean(), "{:?}", self.verifier.findings().first());
        self.rows
    }
}

/// Lengths of ISSUE, CORE_BUSY and the window of an operation.
fn lengths(profile: &Profile, op: OpId) -> (Ticks, Ticks, Ticks) {
    let phases = profile.bases[profile.ops[op].base].phases.iter().zip(&profile.ops[op].durations);
    let of = |kinds: &[PhaseKind]| {
        phases.clone().filter(|(phase, _)| kinds.contains(&phase.kind)).fold(Ticks::ZERO, |all, (_, &one)| all + one)
    };
    (of(&[PhaseKind::Issue]), of(&[PhaseKind::CoreBusy]), of(&[PhaseKind::DataIn, PhaseKind::DataOut]))
}

impl Sink for Rows<'_> {
    fn operation(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        let (issue, busy, window) = lengths(self.profile, operation.op);
        let from = operation.start + issue;
        self.rows.push(Row {
            uid: operation.uid,
            op: operation.op,
            start: operation.start,
            targets: operation.targets.to_vec(),
            status: operation.status,
            is_first: operation.is_first,
            busy: vec![(from, from + busy)],
            end: from + busy + window,
        });
        self.verifier.operation(operation);
        Ok(())
    }

    fn cut(&mut self, uid: u64, at: Ticks, _: Cut) -> io::Result<()> {
        for row in self.rows.iter_mut().filter(|row| row.uid == uid) {
            if let Some(last) = row.busy.last_mut().filter(|last| last.1 > at) {
                *last = (last.0.min(at), at);
            }
            row.end = row.end.min(at);
        }
        Ok(())
    }

    fn resumed(&mut self, uid: u64, from: Ticks, busy_end: Ticks, end: Ticks) -> io::Result<()> {
        for row in self.rows.iter_mut().filter(|row| row.uid == uid) {
            row.busy.push((from, busy_end));
            row.end = end;
        }
        Ok(())
    }
}

/// A match: the positions of its rows.
pub(crate) type Match = Vec<usize>;

/// Counts a scenario over rows.
pub(crate) struct Matcher<'a> {
    pub(crate) profile: &'a Profile,
    pub(crate) scenario: &'a Scenario,
    pub(crate) rows: &'a [Row],
}

impl Matcher<'_> {
    /// The matches that begin with different rows and end with different rows.
    pub(crate) fn matches(&self) -> Vec<Match> {
        let mut all: Vec<Match> = Vec::new();
        for first in 0..self.rows.len() {
            if self.fits(&[], first, 0) {
                let mut so_far = vec![first];
                let is_new = |rows: &Match| all.iter().all(|other| rows.len() == 1 || other.last() != rows.last());
                if self.extend(&mut so_far) && is_new(&so_far) {
                    all.push(so_far);
                }
            }
        }
        all
    }

    /// The steps in order, each as often as it repeats.
    fn steps(&self) -> Vec<usize> {
        let steps = self.scenario.steps.iter().enumerate();
        steps.flat_map(|(at, step)| std::iter::repeat_n(at, step.repeat as usize)).collect()
    }

    fn extend(&self, so_far: &mut Match) -> bool {
        let steps = self.steps();
        if so_far.len() == steps.len() {
            return self.scenario.others_between || self.is_alone(so_far);
        }
        let (step, after) = (steps[so_far.len()], so_far[so_far.len() - 1] + 1);
        let patience = Ticks::from_us(40_000);
        let near =
            self.rows[after..].iter().take_while(|row| row.start <= self.rows[after - 1].start + patience).count();
        for row in after..after + near {
            if self.fits(so_far, row, step) {
                so_far.push(row);
                if self.extend(so_far) {
                    return true;
                }
                so_far.pop();
            }
            // Another operation in between only makes it worse.
            if !self.scenario.others_between && self.is_other(so_far, row) {
                return false;
            }
        }
        false
    }

    fn die(&self, row: usize) -> Option<u8> {
        let names_die = self.profile.bases[self.profile.ops[self.rows[row].op].base]
            .payload_has(nandseq_profile::model::PayloadField::Die);
        names_die.then(|| self.rows[row].targets[0].die.0)
    }

    fn is_other(&self, so_far: &[usize], row: usize) -> bool {
        self.rows[row].is_first && so_far.iter().any(|&of| self.die(of).is_some() && self.die(of) == self.die(row))
    }

    /// Whether nothing else begins on the dies of a match in between.
    fn is_alone(&self, rows: &[usize]) -> bool {
        let between = rows[0]..=rows[rows.len() - 1];
        between.filter(|row| !rows.contains(row)).all(|row| !self.is_other(rows, row))
    }

    fn row_of(&self, so_far: &[usize], step: usize) -> &Row {
        let steps = self.steps();
        let at = steps.iter().take(so_far.len()).rposition(|&of| of == step).expect("an earlier step");
        &self.rows[so_far[at]]
    }

    fn fits(&self, so_far: &[usize], row: usize, step: usize) -> bool {
        let (of, own) = (&self.scenario.steps[step], &self.rows[row]);
        let same_die = so_far.first().is_none_or(|&first| {
            of.places.iter().any(|place| place.part == AddressPart::Die) || self.die(first) == self.die(row)
        });
        of.ops.contains(&own.op)
            && same_die
            && match of.expect {
                None => true,
                Some(ExpectedWord::Busy) => own.status == Some(Status::Busy),
                Some(ExpectedWord::Ready) => own.status == Some(Status::Ready),
            }
            && self.is_in_time(so_far, own, of)
            && of.places.iter().all(|place| self.is_there(so_far, own, place.part, &place.relation))
    }

    fn is_in_time(&self, so_far: &[usize], own: &Row, of: &ScenarioStep) -> bool {
        match of.when {
            StepTime::Next => true,
            StepTime::During { step, phase, at } => {
                let other = self.row_of(so_far, step);
                let (issue, busy, window) = lengths(self.profile, other.op);
                let (length, passed, inside) = match phase {
                    PhaseKind::Issue => {
                        (issue, own.start.0.saturating_sub(other.start.0), own.start < other.start + issue)
                    }
                    PhaseKind::CoreBusy => {
                        let passed =
                            other.busy.iter().map(|&(from, to)| to.min(own.start).0.saturating_sub(from.0)).sum();
                        let inside = other.busy.iter().any(|&(from, to)| from <= own.start && own.start <= to);
                        (busy, passed, inside)
                    }
                    PhaseKind::DataIn | PhaseKind::DataOut => {
                        let from = Ticks(other.end.0.saturating_sub(window.0));
                        (window, own.start.0.saturating_sub(from.0), from <= own.start && own.start <= other.end)
                    }
                };
                let part = u128::from(passed) * u128::from(WHOLE);
                let [least, most] = [at.0, at.1].map(|at| u128::from(at) * u128::from(length.0));
                inside && length > Ticks::ZERO && part >= least && (part < most || at.1 == WHOLE)
            }
            StepTime::After { step, moment, within: (least, most) } => {
                let other = self.row_of(so_far, step);
                let busy_end = other.busy.iter().filter(|&&(from, _)| from <= own.start).map(|&(_, to)| to).next_back();
                let moment = match moment {
                    StepMoment::Start => other.start,
                    StepMoment::PhaseEnd(PhaseKind::Issue) => other.start + lengths(self.profile, other.op).0,
                    StepMoment::End | StepMoment::PhaseEnd(PhaseKind::CoreBusy) => match busy_end {
                        Some(end) => end,
                        None => return false,
                    },
                    StepMoment::PhaseEnd(PhaseKind::DataIn | PhaseKind::DataOut) => other.end,
                };
                own.start >= moment + least && most.is_none_or(|most| own.start <= moment + most)
            }
        }
    }

    fn is_there(&self, so_far: &[usize], own: &Row, part: AddressPart, relation: &PlaceRelation) -> bool {
        let number = |target: &Target| match part {
            AddressPart::Die => u32::from(target.die.0),
            AddressPart::Plane => target.plane.0.into(),
            AddressPart::Block => target.block.0,
            AddressPart::Page => target.page.0.into(),
        };
        let planes = self.profile.topology.planes;
        own.targets.iter().all(|target| {
            let others = |step: usize| self.row_of(so_far, step).targets.iter();
            match relation {
                PlaceRelation::In(ranges) => ranges.contains(number(target)),
                PlaceRelation::SameAs(step) => others(*step).any(|other| number(other) == number(target)),
                PlaceRelation::OtherThan(step) => others(*step).all(|other| number(other) != number(target)),
                PlaceRelation::NextTo(step) => others(*step).any(|other| match part {
                    AddressPart::Page => other.page.0.abs_diff(target.page.0) == 1 && other.block == target.block,
                    AddressPart::Block => other.block.0.abs_diff(target.block.0) == planes,
                    AddressPart::Die | AddressPart::Plane => false,
                }),
            }
        })
    }
}

/// Makes runs of a site, and returns all rows, which break no rule.
pub(crate) fn rows(profile: &Profile, site: &mut Site<'_>, limits: &RunLimits<'_>, runs: u64) -> Vec<Row> {
    let mut sink = Rows::new(profile);
    for run in 0..runs {
        site.run(&RunLimits { of_phase: (run, runs), ..*limits }, &mut sink).expect("memory does not fail");
        sink.end_run();
    }
    sink.judged()
}
