//! Test plans that decide about a suspect: a phase of sequences with it, and a phase of sequences with everything but it.
//!
//! What is left out is one condition: the gap is longer, the earlier operation is elsewhere or not there at all, the state is another,
//! the place is another. `generate --plan` carries the plan out, and the tester says which of the two phases fails.

use std::fmt::Write as _;

use nandseq_profile::OpId;
use nandseq_profile::Profile;
use nandseq_profile::model::{ArrayWork, Effect, PayloadField, PhaseKind, Topology};
use nandseq_trace::rows::StateId;

use crate::bins::us_text;
use crate::diagnosis::Suspect;
use crate::die_flags::StateEffect;
use crate::feature::{AxisOf, Combination, Condition, Fact, Feature, Quantity, Relation};
use crate::names::{NameTable, OpName};
use crate::walk::TestedRuns;

/// How often each of the two sequences is wanted.
const HITS: u32 = 100;

/// A test plan for a suspect.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ConfirmingPlan {
    /// Its text.
    Plan(String),
    /// Why there is none.
    None(&'static str),
}

/// The test plan that decides about a suspect.
#[must_use]
pub fn confirming_plan(runs: &TestedRuns<'_>, suspect: &Suspect) -> ConfirmingPlan {
    let names = NameTable::new(runs.profile, runs.classes);
    let parts = Parts::of(&suspect.combination);
    if parts.has_nothing() {
        return ConfirmingPlan::None("a plan says nothing of sites: exchange the part, or test it at another site");
    }
    let mut text = format!("# Suspect {}: {}\nschema: 1\n", suspect.rank, suspect.what);
    let writer = ScenarioWriter { profile: runs.profile, names: &names };
    let without = parts.without();
    text += "phases:\n";
    let phase = |text: &mut String, name: &str, rest: &str| {
        let _ = writeln!(text, "  - {{name: {name}, run_until: 20000000, {rest}}}");
    };
    phase(&mut text, "with", "until: {scenarios: done}, scenarios: with");
    match (&without, parts.name) {
        (Some(_), _) => phase(&mut text, "without", "until: {scenarios: done}, scenarios: without"),
        (None, Some(name)) => {
            let zeros: Vec<String> =
                names.ops(name).iter().map(|op| format!("{}: 0", word(&runs.profile.ops[*op].name))).collect();
            let rest = format!("ops: 2000, scenarios: [], probabilities: {{global: {{{}}}}}", zeros.join(", "));
            phase(&mut text, "without", &rest);
        }
        (None, None) => {}
    }
    text += "scenarios:\n";
    writer.write("with", &parts, &mut text);
    if let Some(without) = without {
        writer.write("without", &without, &mut text);
    }
    ConfirmingPlan::Plan(text)
}

/// What a condition says of an earlier operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct EarlierStep {
    name: OpName,
    relation: Relation,
    /// Whether the relation must not hold.
    elsewhere: bool,
    measure: u8,
    /// The least and the greatest distance, in ticks or operations.
    range: (u64, Option<u64>),
}

impl EarlierStep {
    /// How far it may lie back, in ticks; an operation counts as long as most do.
    fn reach(&self) -> u64 {
        let ticks = if self.measure < 2 { 1 } else { nandseq_profile::Ticks::from_us(20).0 };
        self.range.1.map_or(u64::MAX, |most| most.saturating_mul(ticks))
    }
}

/// The place of an operation: a number, or all others.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
struct PlaceStep {
    die: Option<u32>,
    plane: Option<u32>,
    block: Option<(u32, u32)>,
    page: Option<(u32, u32)>,
    is_other: bool,
}

/// The conditions of a suspect by what they say.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
struct Parts {
    name: Option<OpName>,
    /// The earliest first.
    earlier: Vec<EarlierStep>,
    state: Option<(StateId, (u64, u64))>,
    /// The same of the operation before.
    state_of_that: Option<(StateId, (u64, u64))>,
    facts: Vec<Fact>,
    erases: u64,
    place: PlaceStep,
}

impl Parts {
    fn of(combination: &Combination) -> Self {
        let mut parts = Self::default();
        for condition in &combination.0 {
            parts.add(condition, condition.range());
        }
        // Of two operations before the same one, the one that may lie further back comes first.
        if !combination.0.iter().any(|one| matches!(one.feature, Feature::AfterThat(..))) {
            parts.earlier.sort_by_key(|step| std::cmp::Reverse(step.reach()));
        }
        parts
    }

    /// Adds a condition, which holds for some values.
    fn add(&mut self, condition: &Condition, range: (u64, Option<u64>)) {
        let numbers = || Some((range.0 as u32, range.1.unwrap_or(range.0) as u32));
        match condition.feature {
            Feature::Name(name) => self.name = Some(name),
            Feature::Fact(Fact::State(state)) => self.state = self.state.or(Some((state, (0, 100)))),
            Feature::Fact(fact) => self.add_fact(fact),
            Feature::Number(Quantity::Tenth(state)) => self.state = Some((state, condition.percent())),
            Feature::Number(Quantity::ThatTenth(state)) => self.state_of_that = Some((state, condition.percent())),
            Feature::Number(Quantity::Erases) => self.erases = range.0,
            Feature::Number(Quantity::Reads) => {}
            Feature::Number(Quantity::Block) => self.place.block = numbers(),
            Feature::Number(Quantity::Page) => self.place.page = numbers(),
            Feature::After(name, relation) | Feature::AfterThat(name, relation) => {
                let step = EarlierStep { name, relation, elsewhere: false, measure: condition.measure, range };
                self.earlier.insert(0, step);
            }
        }
    }

    fn add_fact(&mut self, fact: Fact) {
        match fact {
            Fact::Site(_) => {}
            Fact::Die(die) => self.place.die = Some(die.into()),
            Fact::Plane(die, plane) | Fact::SitePlane(_, die, plane) => {
                (self.place.die, self.place.plane) = (Some(die.into()), Some(plane.into()));
            }
            Fact::Block(die, block) | Fact::SiteBlock(_, die, block) => {
                (self.place.die, self.place.block) = (Some(die.into()), Some((block, block)));
            }
            Fact::Page(page) => self.place.page = Some((page, page)),
            Fact::CellType(_) | Fact::Planes(_) | Fact::State(_) => {}
            Fact::Suspended(_) | Fact::Cache | Fact::Latch => self.facts.push(fact),
        }
    }

    /// Whether a plan can say nothing of it.
    fn has_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// Everything but one condition; `None` if all that it says is the name of an operation.
    fn without(&self) -> Option<Self> {
        let mut without = self.clone();
        if let Some(last) = without.earlier.last_mut() {
            match (last.range, last.relation) {
                ((_, Some(most)), _) if last.measure < 2 && most > 0 => last.range = (most.saturating_mul(2), None),
                (_, Relation::Die) => {
                    without.earlier.pop();
                }
                (_, Relation::OtherPlane | Relation::SamePlane | Relation::SameBlock)
                | (_, Relation::PageBefore | Relation::PageAfter | Relation::SamePage) => last.elsewhere = true,
            }
            return Some(without);
        }
        if let Some((state, (from, to))) = without.state {
            without.state = match (from, to) {
                (0, 100) => None,
                (0, to) => Some((state, (to, 100))),
                (from, _) => Some((state, (0, from))),
            };
        } else if without.facts.pop().is_some() {
            return Some(without);
        } else if without.erases > 1 {
            without.erases = 1;
        } else if without.place != PlaceStep::default() {
            without.place.is_other = true;
        } else {
            return None;
        }
        Some(without)
    }
}

/// Writes scenarios.
struct ScenarioWriter<'a> {
    profile: &'a Profile,
    names: &'a NameTable,
}

/// The steps of a scenario, with their labels.
#[derive(Default)]
struct Steps {
    list: Vec<(String, Vec<String>)>,
    /// Whether a step is followed by operations that belong to it.
    has_chains: bool,
}

impl Steps {
    /// Adds a step. Returns its label.
    fn add(&mut self, fields: Vec<String>) -> String {
        let label = format!("s{}", self.list.len() + 1);
        self.list.push((label.clone(), fields));
        label
    }
}

impl ScenarioWriter<'_> {
    fn write(&self, key: &str, parts: &Parts, text: &mut String) {
        let mut steps = Steps::default();
        let mut last = Vec::new();
        let all: Vec<OpId> = self.profile.ops.ids().collect();
        let own = parts.name.map_or(&*all, |name| self.names.ops(name));
        if parts.erases > 0 {
            let erased = steps.add(vec!["class: erase".to_owned(), format!("repeat: {}", parts.erases)]);
            let programs = own.iter().all(|op| self.array_work(*op) == Some(ArrayWork::Read));
            if programs {
                steps.add(vec!["class: array_program".to_owned(), format!("block: same as {erased}")]);
            }
            if self.all_name(own, PayloadField::Block) {
                last.push(format!("block: same as {erased}"));
            }
        }
        for fact in &parts.facts {
            self.add_fact(*fact, &mut steps);
        }
        let mut before: Option<(String, &[OpId])> = None;
        for (at, earlier) in parts.earlier.iter().enumerate() {
            let mut fields = vec![self.named(Some(earlier.name))];
            let ops = self.names.ops(earlier.name);
            // What is said of an earlier operation is said of its distance to the next one.
            if let (Some((label, known)), Some(of)) = (&before, at.checked_sub(1).map(|at| parts.earlier[at])) {
                fields.extend(self.distance(&of, label, (known, ops)));
            }
            if let Some((state, tenths)) = parts.state_of_that.filter(|_| at + 1 == parts.earlier.len()) {
                fields.extend(self.add_state(state, tenths, &None, ops, &mut steps));
            }
            steps.has_chains |= self.has_chain(ops);
            before = Some((steps.add(fields), ops));
        }
        if let Some((state, tenths)) = parts.state {
            last.extend(self.add_state(state, tenths, &before, own, &mut steps));
        }
        if let (Some((label, known)), Some(of)) = (&before, parts.earlier.last()) {
            let is_timed = last.iter().any(|field| field.starts_with("in:") || field.starts_with("after:"));
            let distance = self.distance(of, label, (known, own));
            last.extend(distance.into_iter().filter(|field| !is_timed || !is_time(field)));
        }
        last.insert(0, self.named(parts.name));
        last.extend(self.place(&parts.place, own));
        steps.add(last);
        let between = if steps.has_chains { "anything" } else { "nothing" };
        let _ = writeln!(text, "  {key}:\n    hits: {HITS}\n    between: {between}\n    steps:");
        for (label, fields) in steps.list {
            let _ = writeln!(text, "      - {label}: {{{}}}", fields.join(", "));
        }
    }

    /// The name of a step's operations.
    fn named(&self, name: Option<OpName>) -> String {
        name.map_or_else(
            || "op: \"*\"".to_owned(),
            |name| format!("{}: {}", self.names.kind(name).key(), word(self.names.text(name))),
        )
    }

    /// How a step lies to an earlier one: its time, its place.
    fn distance(&self, of: &EarlierStep, label: &str, (earlier, own): (&[OpId], &[OpId])) -> Vec<String> {
        let mut fields = Vec::new();
        let (least, most) = of.range;
        let within = || {
            let most = most.map_or_else(String::new, us_text);
            format!("within: {}-{most}", us_text(least))
        };
        match of.measure {
            0 if least > 0 || most.is_some() => fields.extend([format!("after: {label}.start"), within()]),
            1 if most == Some(0) => {
                let is_busy = |op: &OpId| self.profile.bases[self.profile.ops[*op].base].has_phase(PhaseKind::CoreBusy);
                let phase = if earlier.iter().all(is_busy) { PhaseKind::CoreBusy } else { PhaseKind::Issue };
                fields.push(format!("in: {label}.{}", phase.name()));
            }
            1 if least > 0 || most.is_some() => fields.extend([format!("after: {label}.end"), within()]),
            _ => {}
        }
        let both = |field| self.all_name(earlier, field) && self.all_name(own, field);
        let same = |is_same: bool| if is_same { "same as" } else { "other than" };
        let (part, word) = match of.relation {
            Relation::Die => return fields,
            Relation::SamePlane => (PayloadField::Plane, same(!of.elsewhere)),
            Relation::OtherPlane => (PayloadField::Plane, same(of.elsewhere)),
            Relation::SameBlock => (PayloadField::Block, same(!of.elsewhere)),
            Relation::SamePage => (PayloadField::Page, same(!of.elsewhere)),
            Relation::PageBefore | Relation::PageAfter if of.elsewhere => (PayloadField::Page, same(false)),
            Relation::PageBefore | Relation::PageAfter => (PayloadField::Page, "next to"),
        };
        if both(part) {
            fields.push(format!("{}: {word} {label}", part.name()));
            if part == PayloadField::Page && both(PayloadField::Block) {
                fields.push(format!("block: same as {label}"));
            }
        }
        fields
    }

    /// Adds the steps that bring a state of the die about.
    fn add_fact(&self, fact: Fact, steps: &mut Steps) {
        let list = |wanted: &dyn Fn(OpId) -> bool| {
            let names = self.profile.ops.iter_ids().filter(|(op, _)| wanted(*op)).map(|(_, op)| word(&op.name));
            format!("op: [{}]", names.collect::<Vec<_>>().join(", "))
        };
        match fact {
            Fact::Suspended(axis) => {
                let class = match axis {
                    AxisOf::Erase => "erase",
                    AxisOf::Program => "array_program",
                };
                let first = steps.add(vec![format!("class: {class}")]);
                let suspends = list(&|op| self.suspends(op) == Some(axis));
                steps.add(vec![suspends, format!("in: {first}.CORE_BUSY")]);
            }
            Fact::Cache => {
                steps.has_chains = true;
                steps.add(vec![list(&|op| self.effect(op).begins_cache())]);
            }
            Fact::Latch => {
                steps.has_chains = true;
                steps.add(vec!["class: program_load".to_owned()]);
            }
            Fact::Site(_)
            | Fact::Die(_)
            | Fact::Plane(..)
            | Fact::Block(..)
            | Fact::SitePlane(..)
            | Fact::SiteBlock(..)
            | Fact::Page(_)
            | Fact::CellType(_)
            | Fact::Planes(_)
            | Fact::State(_) => {}
        }
    }

    /// Adds the step whose op_state the last step starts in, unless it is one already. Returns when and where the last step starts.
    fn add_state(
        &self,
        state: StateId,
        (from, to): (u64, u64),
        before: &Option<(String, &[OpId])>,
        own: &[OpId],
        steps: &mut Steps,
    ) -> Vec<String> {
        let Some((base, phase)) = state.parts() else { return Vec::new() };
        let of_base: Vec<OpId> =
            self.profile.ops.iter_ids().filter(|(_, op)| op.base == base).map(|(id, _)| id).collect();
        let known = before.as_ref().filter(|(_, ops)| ops.iter().all(|op| of_base.contains(op)));
        let label = match known {
            Some((label, _)) => label.clone(),
            None => {
                steps.has_chains |= self.has_chain(&of_base);
                steps.add(vec![format!("base: {}", word(&self.profile.bases[base].name))])
            }
        };
        let mut fields = match phase {
            Some(phase) if (from, to) == (0, 100) => vec![format!("in: {label}.{}", phase.name())],
            Some(phase) => vec![format!("in: {label}.{}", phase.name()), format!("at: {from}-{to} %")],
            None => vec![format!("after: {label}.end")],
        };
        if known.is_none() && self.all_name(&of_base, PayloadField::Plane) && self.all_name(own, PayloadField::Plane) {
            fields.push(format!("plane: same as {label}"));
        }
        fields
    }

    /// The place of a step.
    fn place(&self, place: &PlaceStep, own: &[OpId]) -> Vec<String> {
        let Topology { dies, planes, blocks_per_die, pages_per_block } = self.profile.topology;
        let one = |number: Option<u32>| number.map(|number| (number, number));
        let all = [
            (PayloadField::Die, one(place.die), dies),
            (PayloadField::Plane, one(place.plane), planes),
            (PayloadField::Block, place.block, blocks_per_die),
            (PayloadField::Page, place.page, pages_per_block),
        ];
        // Everything but a place is another place in its last part alone.
        let last = all.iter().rposition(|(_, numbers, _)| numbers.is_some());
        let mut fields = Vec::new();
        for (at, (field, numbers, of)) in all.into_iter().enumerate() {
            let Some((from, to)) = numbers.filter(|_| self.all_name(own, field)) else { continue };
            let numbers = if place.is_other && Some(at) == last { others(from, to, of) } else { range(from, to) };
            fields.extend(numbers.map(|numbers| format!("{}: \"{numbers}\"", field.name())));
        }
        fields
    }

    fn all_name(&self, ops: &[OpId], field: PayloadField) -> bool {
        ops.iter().all(|op| self.profile.bases[self.profile.ops[*op].base].payload_has(field))
    }

    fn has_chain(&self, ops: &[OpId]) -> bool {
        let follow_ups = |op: &OpId| &self.profile.bases[self.profile.ops[*op].base].follow_ups;
        ops.iter().any(|op| follow_ups(op).iter().any(|follow_up| follow_up.chain.is_some()))
    }

    fn effect(&self, op: OpId) -> StateEffect {
        StateEffect::of(&self.profile.bases[self.profile.ops[op].base])
    }

    fn array_work(&self, op: OpId) -> Option<ArrayWork> {
        crate::blocks::array_work(&self.profile.bases[self.profile.ops[op].base])
    }

    /// The axis that an operation suspends.
    fn suspends(&self, op: OpId) -> Option<AxisOf> {
        [AxisOf::Erase, AxisOf::Program]
            .into_iter()
            .find(|&axis| self.profile.bases[self.profile.ops[op].base].has(Effect::Suspend(axis.into())))
    }
}

/// Whether a field says when a step starts.
fn is_time(field: &str) -> bool {
    ["after:", "within:", "in:"].iter().any(|key| field.starts_with(key))
}

fn range(from: u32, to: u32) -> Option<String> {
    Some(if from == to { from.to_string() } else { format!("{from}-{to}") })
}

/// All numbers below `of` but some; `None` if there are no others.
fn others(from: u32, to: u32, of: u32) -> Option<String> {
    let below = from.checked_sub(1).and_then(|last| range(0, last));
    let above = (to + 1 < of).then(|| range(to + 1, of - 1)).flatten();
    match (below, above) {
        (None, None) => None,
        (below, above) => Some(below.into_iter().chain(above).collect::<Vec<_>>().join(",")),
    }
}

/// A word in quotes, as YAML has it.
fn word(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
