//! A matcher that tries every choice of rows, and computes every time anew from the rows before it. It shares no code with the one
//! that it checks.

use std::collections::BTreeSet;

use nandseq_plan::model::{
    AddressPart, ExpectedWord, PlaceRelation, Scenario, ScenarioAxis, StepMoment, StepTime, WHOLE,
};
use nandseq_profile::model::{PhaseKind, Scope};
use nandseq_profile::{OpId, Profile};
use nandseq_report::plan::AxisValue;

/// A row. The device has no chains here.
#[derive(Clone, Debug)]
pub(crate) struct SlowRow {
    pub(crate) time: u64,
    pub(crate) op: OpId,
    /// Plane, block, page of each target; none if the row names none.
    pub(crate) targets: Vec<[u64; 3]>,
    /// `None` if the row names none.
    pub(crate) die: Option<u64>,
    pub(crate) status: Option<&'static str>,
}

/// The state of an operation at a time.
#[derive(Clone, Copy, PartialEq, Debug)]
enum State {
    /// At work: so much is done.
    At(u64),
    /// Suspended: so much is done.
    Stopped(u64),
}

/// The matches by beginning: the row, and the values that it counts for.
pub(crate) fn matches(profile: &Profile, scenario: &Scenario, rows: &[SlowRow]) -> BTreeSet<(usize, Vec<AxisValue>)> {
    let slow = Slow { profile, scenario, rows };
    let slots: Vec<usize> = scenario
        .steps
        .iter()
        .enumerate()
        .flat_map(|(at, step)| std::iter::repeat_n(at, step.repeat as usize))
        .collect();
    let mut complete = BTreeSet::new();
    slow.choose(&slots, &mut Vec::new(), &mut complete);
    let (mut found, mut taken) = (BTreeSet::new(), BTreeSet::new());
    for Complete { first, last_of_first, values, .. } in complete {
        for value in values {
            let over = |of: &(Option<u64>, Vec<AxisValue>, usize, usize)| {
                (of.0, &of.1) == (rows[first].die, &value) && of.2 != first && of.2 <= last_of_first && first <= of.3
            };
            let is_over = scenario.steps[0].repeat > 1 && taken.iter().any(over);
            if !is_over && found.insert((first, value.clone())) {
                taken.insert((rows[first].die, value, first, last_of_first));
            }
        }
    }
    found
}

/// A choice of rows, in the order in which matches count.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Complete {
    last: usize,
    first: usize,
    last_of_first: usize,
    values: Vec<Vec<AxisValue>>,
}

struct Slow<'a> {
    profile: &'a Profile,
    scenario: &'a Scenario,
    rows: &'a [SlowRow],
}

impl Slow<'_> {
    fn choose(&self, slots: &[usize], chosen: &mut Vec<usize>, found: &mut BTreeSet<Complete>) {
        if chosen.len() == slots.len() {
            if self.is_undisturbed(chosen) {
                let (last, values) = (*chosen.last().unwrap(), self.values(slots, chosen));
                found.insert(Complete { last, first: chosen[0], last_of_first: last_of(0, slots, chosen), values });
            }
            return;
        }
        let step = slots[chosen.len()];
        for row in chosen.last().map_or(0, |last| last + 1)..self.rows.len() {
            if self.fits(step, row, slots, chosen) {
                chosen.push(row);
                self.choose(slots, chosen, found);
                chosen.pop();
            }
        }
    }

    fn is_undisturbed(&self, chosen: &[usize]) -> bool {
        let dies = |row: usize| self.rows[row].die.map_or(vec![0, 1], |die| vec![die]);
        let of_match: BTreeSet<u64> = chosen.iter().flat_map(|&row| dies(row)).collect();
        self.scenario.others_between
            || (chosen[0]..*chosen.last().unwrap())
                .all(|row| chosen.contains(&row) || dies(row).iter().all(|die| !of_match.contains(die)))
    }

    fn values(&self, slots: &[usize], chosen: &[usize]) -> Vec<Vec<AxisValue>> {
        let of_row = |axis: ScenarioAxis, row: usize| -> BTreeSet<AxisValue> {
            let row = &self.rows[row];
            match axis {
                ScenarioAxis::CellType => BTreeSet::from([AxisValue::CellType(self.profile.ops[row.op].cell_type)]),
                ScenarioAxis::Die => row.die.map(|die| AxisValue::Die(die as u32)).into_iter().collect(),
                ScenarioAxis::Plane => row.targets.iter().map(|target| AxisValue::Plane(target[0] as u32)).collect(),
                ScenarioAxis::Op(_) => BTreeSet::from([AxisValue::Op(row.op)]),
            }
        };
        let mut all = vec![Vec::new()];
        for &axis in &self.scenario.each {
            let of_axis: BTreeSet<AxisValue> = match axis {
                ScenarioAxis::Op(step) if step > 0 => of_row(axis, last_of(step, slots, chosen)),
                // What all repetitions of the first step have.
                ScenarioAxis::CellType | ScenarioAxis::Die | ScenarioAxis::Plane | ScenarioAxis::Op(_) => {
                    let firsts = slots.iter().zip(chosen).filter(|(step, _)| **step == 0).map(|(_, row)| *row);
                    firsts.map(|row| of_row(axis, row)).reduce(|all, one| &all & &one).unwrap()
                }
            };
            all = all
                .iter()
                .flat_map(|before: &Vec<AxisValue>| of_axis.iter().map(|value| [&before[..], &[*value]].concat()))
                .collect();
        }
        all
    }

    fn fits(&self, step: usize, row: usize, slots: &[usize], chosen: &[usize]) -> bool {
        let (wanted, own) = (&self.scenario.steps[step], &self.rows[row]);
        let earlier = |step: usize| last_of(step, slots, chosen);
        let states_die = wanted.places.iter().any(|place| place.part == AddressPart::Die);
        let is_other_die = |first: &usize| {
            let first = self.rows[*first].die;
            first.is_some() && own.die.is_some() && first != own.die
        };
        wanted.ops.contains(&own.op)
            && (states_die || !chosen.first().is_some_and(is_other_die))
            && wanted.expect.is_none_or(|word| {
                own.status
                    == Some(match word {
                        ExpectedWord::Busy => "busy",
                        ExpectedWord::Ready => "ready",
                    })
            })
            && wanted.places.iter().all(|place| self.is_there(place.part, &place.relation, own, &earlier))
            && match wanted.when {
                StepTime::Next => true,
                StepTime::During { step, phase, at } => self.is_during(earlier(step), phase, at, row),
                StepTime::After { step, moment, within } => {
                    self.moment(earlier(step), moment, row).is_some_and(|moment| {
                        moment <= own.time
                            && own.time - moment >= within.0.0
                            && within.1.is_none_or(|most| own.time - moment <= most.0)
                    })
                }
            }
    }

    fn parts(&self, row: &SlowRow, part: AddressPart) -> Vec<u64> {
        match part {
            AddressPart::Die => row.die.into_iter().collect(),
            AddressPart::Plane => row.targets.iter().map(|target| target[0]).collect(),
            AddressPart::Block => row.targets.iter().map(|target| target[1]).collect(),
            AddressPart::Page => row.targets.iter().map(|target| target[2]).collect(),
        }
    }

    fn is_there(
        &self,
        part: AddressPart,
        relation: &PlaceRelation,
        own: &SlowRow,
        earlier: &dyn Fn(usize) -> usize,
    ) -> bool {
        let mine = self.parts(own, part);
        let theirs = |step: usize| self.parts(&self.rows[earlier(step)], part);
        if mine.is_empty() {
            return false;
        }
        match relation {
            PlaceRelation::SameAs(step) => mine.iter().all(|value| theirs(*step).contains(value)),
            PlaceRelation::OtherThan(step) => {
                !theirs(*step).is_empty() && mine.iter().all(|value| !theirs(*step).contains(value))
            }
            PlaceRelation::NextTo(step) => {
                let other = &self.rows[earlier(*step)];
                let next = |target: &[u64; 3], of: &[u64; 3]| match part {
                    AddressPart::Page => target[1] == of[1] && target[2].abs_diff(of[2]) == 1,
                    AddressPart::Block => target[1].abs_diff(of[1]) == 4,
                    AddressPart::Die | AddressPart::Plane => false,
                };
                own.die == other.die && own.targets.iter().all(|target| other.targets.iter().any(|of| next(target, of)))
            }
            PlaceRelation::In(numbers) => mine.iter().all(|value| numbers.contains(*value as u32)),
        }
    }

    /// The lengths of ISSUE, CORE_BUSY and the window of an operation, 0 for what it does not have.
    fn lengths(&self, op: OpId) -> [u64; 3] {
        let op = &self.profile.ops[op];
        let of = |wanted: fn(PhaseKind) -> bool| {
            let phases = self.profile.bases[op.base].phases.iter().zip(&op.durations);
            phases.filter(|(phase, _)| wanted(phase.kind)).map(|(_, length)| length.0).sum()
        };
        [of(|kind| kind == PhaseKind::Issue), of(|kind| kind == PhaseKind::CoreBusy), of(PhaseKind::is_window)]
    }

    fn has(&self, row: usize, effect: &str) -> bool {
        let base = &self.profile.bases[self.profile.ops[self.rows[row].op].base];
        base.effects.iter().any(|one| format!("{one:?}").starts_with(effect))
    }

    /// The axis on which an operation is suspended.
    fn axis(&self, row: usize) -> &'static str {
        if self.has(row, "Erase") {
            "Erase"
        } else if ["Program", "CloseBlock", "LoadLatch"].iter().any(|effect| self.has(row, effect)) {
            "Program"
        } else {
            "none"
        }
    }

    fn is_wide(&self, row: usize) -> bool {
        self.profile.bases[self.profile.ops[self.rows[row].op].base].scope == Scope::Target
    }

    /// When a reset among the rows before `until` ended an operation.
    fn reset(&self, of: usize, until: usize) -> Option<u64> {
        let mine = self.rows[of].die;
        let resets = |&row: &usize| {
            let on_die = self.rows[row].die.is_none() || mine.is_none() || self.rows[row].die == mine;
            let is_of_several = self.profile.topology.dies > 1 && (self.is_wide(of) || mine.is_none());
            self.has(row, "ResetTarget") || (self.has(row, "ResetDie") && on_die && !is_of_several)
        };
        let total = self.lengths(self.rows[of].op).iter().sum();
        let ends = |&row: &usize| match self.state(of, self.rows[row].time, row) {
            State::At(done) => done < total,
            State::Stopped(_) => true,
        };
        (of + 1..until).filter(resets).find(ends).map(|row| self.rows[row].time)
    }

    /// The state of an operation at a time, by the rows before `until`.
    fn state(&self, of: usize, time: u64, until: usize) -> State {
        let [issue, busy, _] = self.lengths(self.rows[of].op);
        let (mut done, mut since, mut is_stopped) = (0, self.rows[of].time, false);
        for row in of + 1..until {
            let by = &self.rows[row];
            let is_mine = by.die.is_none() || by.die == self.rows[of].die;
            if !is_mine || self.reset(of, row).is_some() {
                continue;
            }
            if !is_stopped && self.has(row, &format!("Suspend({})", self.axis(of))) && by.time >= since {
                let at = done + (by.time - since);
                if at >= issue && at < issue + busy {
                    (done, is_stopped) = (at, true);
                }
            } else if is_stopped && self.has(row, &format!("Resume({})", self.axis(of))) {
                let [issue, busy, _] = self.lengths(by.op);
                (since, is_stopped) = (by.time + issue + busy, false);
            }
        }
        if is_stopped || time < since { State::Stopped(done) } else { State::At(done + (time - since)) }
    }

    /// When so much of an operation is done, by the rows before `until`; `None` if no row tells yet.
    fn when(&self, of: usize, position: u64, until: usize) -> Option<u64> {
        // Times are whole microseconds in these tests, and few.
        const STEP: u64 = 1_000_000;
        let start = self.rows[of].time;
        (start..start + 400 * STEP).step_by(STEP as usize).find(|&time| {
            // A row that starts at a later time has no say yet.
            let until = (0..until).find(|&row| self.rows[row].time > time).unwrap_or(until);
            match self.state(of, time, until.max(of + 1)) {
                State::At(done) => done >= position,
                State::Stopped(done) => done >= position && done > 0,
            }
        })
    }

    fn window_cut(&self, of: usize, until: usize) -> Option<u64> {
        let (planes_of, lengths) = (|row: usize| self.shown(row), self.lengths(self.rows[of].op));
        let mut left = planes_of(of);
        for row in of + 1..until {
            let by = &self.rows[row];
            let base = &self.profile.bases[self.profile.ops[by.op].base];
            let on_die = by.die.is_none() || self.rows[of].die.is_none() || by.die == self.rows[of].die;
            let State::At(done) = self.state(of, by.time, row) else { continue };
            let is_open = done >= lengths[0] + lengths[1] && done < lengths.iter().sum();
            if base.affects_state && on_die && is_open && !self.has(row, "Reset") && self.reset(of, row).is_none() {
                left = left.difference(&planes_of(row)).copied().collect();
                if left.is_empty() {
                    return Some(by.time);
                }
            }
        }
        None
    }

    /// The planes that show an operation.
    fn shown(&self, row: usize) -> BTreeSet<u64> {
        match self.profile.bases[self.profile.ops[self.rows[row].op].base].scope {
            Scope::None | Scope::PlaneSet => self.rows[row].targets.iter().map(|target| target[0]).collect(),
            Scope::Die | Scope::Target => (0..4).collect(),
        }
    }

    /// The kinds of an operation's phases with their begins and ends.
    fn phase(&self, of: usize, kind: PhaseKind) -> Option<(u64, u64)> {
        let op = &self.profile.ops[self.rows[of].op];
        let [issue, busy, window] = self.lengths(self.rows[of].op);
        self.profile.bases[op.base].has_phase(kind).then_some(match kind {
            PhaseKind::Issue => (0, issue),
            PhaseKind::CoreBusy => (issue, issue + busy),
            PhaseKind::DataIn | PhaseKind::DataOut => (issue + busy, issue + busy + window),
        })
    }

    fn is_during(&self, of: usize, kind: PhaseKind, (from, to): (u32, u32), row: usize) -> bool {
        let Some((begin, end)) = self.phase(of, kind) else { return false };
        let State::At(done) = self.state(of, self.rows[row].time, row) else { return false };
        let is_cut = kind.is_window() && self.window_cut(of, row).is_some();
        if done < begin || done > end || is_cut || self.reset(of, row).is_some() {
            return false;
        }
        // Fractions as floating point numbers are exact enough for whole percents.
        let part = (done - begin) as f64 / (end - begin).max(1) as f64;
        let [from, to] = [from, to].map(|part| f64::from(part) / f64::from(WHOLE));
        part >= from - 1e-12 && (part < to - 1e-12 || (to - 1.0).abs() < 1e-12)
    }

    fn moment(&self, of: usize, moment: StepMoment, row: usize) -> Option<u64> {
        let start = self.rows[of].time;
        let earliest = |times: &[Option<u64>]| times.iter().copied().flatten().min();
        let reset = self.reset(of, row);
        match moment {
            StepMoment::Start => Some(start),
            StepMoment::End => {
                let [issue, busy, _] = self.lengths(self.rows[of].op);
                earliest(&[self.when(of, issue + busy, row), reset])
            }
            StepMoment::PhaseEnd(kind) => {
                let (begin, end) = self.phase(of, kind)?;
                let cut = self.window_cut(of, row).filter(|_| kind.is_window());
                let end = earliest(&[self.when(of, end, row), cut, reset])?;
                self.when(of, begin, row).filter(|begin| *begin <= end).map(|_| end)
            }
        }
    }
}

/// The last row that was chosen for a step.
fn last_of(step: usize, slots: &[usize], chosen: &[usize]) -> usize {
    let (_, row) = slots.iter().zip(chosen).rfind(|(of, _)| **of == step).unwrap();
    *row
}
