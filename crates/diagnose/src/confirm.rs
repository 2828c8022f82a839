//! Test plans that decide about a suspect: a phase of sequences with it, and a phase of sequences with everything but it.
//!
//! What is left out is one condition: the gap is longer, the earlier operation is elsewhere or not there at all, the state is another,
//! the place is another. `generate --plan` carries the plan out, and the tester says which of the two phases fails. What a plan cannot
//! say of a suspect is listed.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use nandseq_profile::OpId;
use nandseq_profile::Profile;
use nandseq_profile::model::{ArrayWork, CellType, Effect, PayloadField, PhaseKind, Topology};
use nandseq_trace::rows::StateId;

use crate::bins::us_text;
use crate::die_flags::StateEffect;
use crate::feature::{AxisOf, Combination, Condition, ConditionWords, Fact, Feature, Quantity, Relation};
use crate::names::{NameTable, OpName};
use crate::plan_parts::{EarlierStep, PlaceStep, PlanParts};
use crate::suspect::Suspect;
use crate::walk::TestedRuns;

/// How often each of the two sequences is wanted.
const HITS: u32 = 100;

/// A test plan for a suspect.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ConfirmingPlan {
    /// There is one.
    Plan {
        /// Its text.
        text: String,
        /// The conditions that it cannot say.
        unsaid: Vec<String>,
    },
    /// Why there is none.
    None(&'static str),
}

/// The test plan that decides about a suspect.
#[must_use]
pub fn confirming_plan(runs: &TestedRuns<'_>, suspect: &Suspect) -> ConfirmingPlan {
    let names = NameTable::new(runs.profile, runs.classes);
    let parts = PlanParts::of(&suspect.combination);
    if parts.has_nothing() {
        return ConfirmingPlan::None("a plan says nothing of sites: exchange the part, or test it at another site");
    }
    let writer = ScenarioWriter { profile: runs.profile, names: &names };
    let words = ConditionWords { profile: runs.profile, names: &names, sites: runs.site_names };
    let is_unsaid = |condition: &&Condition| !writer.can_say(condition, &suspect.combination, &parts);
    let unsaid: Vec<String> =
        suspect.combination.0.iter().filter(is_unsaid).map(|condition| condition.text(&words)).collect();
    let mut text = format!("# Suspect {}: {}\n", suspect.rank, suspect.what);
    for condition in &unsaid {
        let _ = writeln!(text, "# A plan cannot say: {condition}");
    }
    text += "schema: 1\n";
    let without = parts.without();
    text += "phases:\n";
    let phase = |text: &mut String, name: &str, rest: &str| {
        let _ = writeln!(text, "  - {{name: {name}, run_until: 20000000, {rest}}}");
    };
    // What the scenarios bring about hardly starts besides, so that only the scenarios make the difference.
    let named = parts.name.into_iter().chain(parts.earlier.iter().map(|step| step.name));
    let quiet = match &without {
        Some(_) if !parts.earlier.is_empty() => never(runs.profile, named.flat_map(|name| names.ops(name))),
        _ => String::new(),
    };
    phase(&mut text, "with", &format!("until: {{scenarios: done}}, scenarios: with{quiet}"));
    match (&without, parts.name) {
        (Some(_), _) => phase(&mut text, "without", &format!("until: {{scenarios: done}}, scenarios: without{quiet}")),
        (None, Some(name)) => {
            let rest = never(runs.profile, names.ops(name).iter());
            phase(&mut text, "without", &format!("ops: 2000, scenarios: []{rest}"));
        }
        (None, None) => {}
    }
    text += "scenarios:\n";
    writer.write("with", &parts, &mut text);
    if let Some(without) = without {
        writer.write("without", &without, &mut text);
    }
    ConfirmingPlan::Plan { text, unsaid }
}

/// The field of a phase in which some operations are not proposed.
fn never<'a>(profile: &Profile, ops: impl Iterator<Item = &'a OpId>) -> String {
    let zeros: BTreeSet<String> = ops.map(|op| format!("{}: 0", word(&profile.ops[*op].name))).collect();
    format!(", probabilities: {{global: {{{}}}}}", zeros.into_iter().collect::<Vec<_>>().join(", "))
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
    /// Whether a scenario says all of a condition.
    fn can_say(&self, condition: &Condition, combination: &Combination, parts: &PlanParts) -> bool {
        let own = self.ops_of(parts.name);
        let (_, most) = condition.range();
        let has_plane_count = self.profile.topology.planes <= 2;
        match condition.feature {
            Feature::Name(_) => true,
            Feature::Fact(
                Fact::Site(_)
                | Fact::Sites(_)
                | Fact::SitePlane(..)
                | Fact::SiteBlock(..)
                | Fact::EvenPage
                | Fact::OddPage,
            )
            | Feature::Number(Quantity::PatternBefore) => false,
            Feature::Fact(Fact::Die(_)) => self.all_name(&own, PayloadField::Die),
            Feature::Fact(Fact::Plane(..) | Fact::PlaneOfAny(_)) => self.all_name(&own, PayloadField::Plane),
            Feature::Fact(Fact::Block(..)) | Feature::Number(Quantity::Block) => {
                self.all_name(&own, PayloadField::Block)
            }
            Feature::Fact(Fact::Page(_)) | Feature::Number(Quantity::Page) => self.all_name(&own, PayloadField::Page),
            Feature::Fact(Fact::CellType(_)) => self.kind_of(parts, &own).contains("celltype"),
            Feature::Fact(Fact::Planes(count)) => {
                (count == 1 || has_plane_count) && self.kind_of(parts, &own).contains("multi")
            }
            Feature::Fact(Fact::State(state))
            | Feature::Number(Quantity::Tenth(state) | Quantity::ThatTenth(state)) => state.parts().is_some(),
            Feature::Fact(Fact::Suspended(_) | Fact::Cache | Fact::Latch) => true,
            Feature::Number(Quantity::Erases | Quantity::Reads) => {
                condition.least > 0 && most.is_none() && self.all_name(&own, PayloadField::Block)
            }
            Feature::After(name, relation) | Feature::AfterThat(name, relation) => {
                let is_next = most == Some(1) && !self.has_chain(self.names.ops(name));
                let known = self.names.ops(name);
                let later = match condition.feature {
                    Feature::AfterThat(..) => combination.after().map_or(&*own, |after| self.ops_of_earlier(after)),
                    Feature::After(..) | Feature::Name(_) | Feature::Fact(_) | Feature::Number(_) => &*own,
                };
                let names_both = |field| self.all_name(known, field) && self.all_name(later, field);
                (condition.measure < 2 || is_next) && part_of(relation).is_none_or(names_both)
            }
        }
    }

    /// The operations that have a name; all of them without one.
    fn ops_of(&self, name: Option<OpName>) -> Vec<OpId> {
        name.map_or_else(|| self.profile.ops.ids().collect(), |name| self.names.ops(name).to_vec())
    }

    /// The operations that a condition on an earlier one names.
    fn ops_of_earlier(&self, condition: &Condition) -> &[OpId] {
        match condition.feature {
            Feature::After(name, _) | Feature::AfterThat(name, _) => self.names.ops(name),
            Feature::Name(_) | Feature::Fact(_) | Feature::Number(_) => &[],
        }
    }

    /// The cell type and the number of planes of the last step, as far as some of its operations are so.
    fn kind_of(&self, parts: &PlanParts, own: &[OpId]) -> String {
        let mut kind = String::new();
        let mut own: Vec<OpId> = own.to_vec();
        if let Some((of, is_that)) = parts.cell_type {
            let is_fit = |op: &OpId| {
                let cell_type = self.profile.ops[*op].cell_type;
                (cell_type == of) == is_that && self.profile.cell_types[cell_type].name != CellType::ANY
            };
            if let Some(wanted) = own.iter().find(|op| is_fit(op)).map(|op| self.profile.ops[*op].cell_type) {
                own.retain(|op| self.profile.ops[*op].cell_type == wanted);
                let _ = write!(kind, ", celltype: {}", word(&self.profile.cell_types[wanted].name));
            }
        }
        if let Some(multi) = parts.multi.filter(|multi| own.iter().any(|op| self.profile.ops[*op].multi == *multi)) {
            let _ = write!(kind, ", multi: {multi}");
        }
        kind
    }

    fn write(&self, key: &str, parts: &PlanParts, text: &mut String) {
        let mut steps = Steps::default();
        let mut last = Vec::new();
        let own = &*self.ops_of(parts.name);
        if parts.erases > 0 || parts.reads > 0 {
            let erased = steps.add(vec!["class: erase".to_owned(), format!("repeat: {}", parts.erases.max(1))]);
            let place = format!("block: same as {erased}");
            if parts.reads > 0 || own.iter().all(|op| self.array_work(*op) == Some(ArrayWork::Read)) {
                steps.add(vec!["class: array_program".to_owned(), place.clone()]);
            }
            if parts.reads > 0 {
                let reads = self.list(&|op| self.array_work(op) == Some(ArrayWork::Read));
                steps.has_chains = true;
                steps.add(vec![reads, place.clone(), format!("repeat: {}", parts.reads)]);
            }
            if self.all_name(own, PayloadField::Block) {
                last.push(place);
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
        last.insert(0, self.named(parts.name) + &self.kind_of(parts, own));
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
        let Some(part) = part_of(of.relation) else { return fields };
        let word = match of.relation {
            Relation::OtherPlane => same(of.elsewhere),
            Relation::PageBefore | Relation::PageAfter | Relation::PageBeside | Relation::BlockBeside
                if !of.elsewhere =>
            {
                "next to"
            }
            Relation::OtherDie => same(of.elsewhere),
            Relation::Die
            | Relation::BlockBeside
            | Relation::SamePlane
            | Relation::SameBlock
            | Relation::SamePage
            | Relation::PageBefore
            | Relation::PageAfter
            | Relation::PageBeside => same(!of.elsewhere),
        };
        if both(part) {
            fields.push(format!("{}: {word} {label}", part.name()));
            if part == PayloadField::Page && both(PayloadField::Block) {
                fields.push(format!("block: same as {label}"));
            }
        }
        fields
    }

    /// The operations of a step, one by one.
    fn list(&self, wanted: &dyn Fn(OpId) -> bool) -> String {
        let names = self.profile.ops.iter_ids().filter(|(op, _)| wanted(*op)).map(|(_, op)| word(&op.name));
        format!("op: [{}]", names.collect::<Vec<_>>().join(", "))
    }

    /// Adds the steps that bring a state of the die about.
    fn add_fact(&self, fact: Fact, steps: &mut Steps) {
        match fact {
            Fact::Suspended(axis) => {
                let class = match axis {
                    AxisOf::Erase => "erase",
                    AxisOf::Program => "array_program",
                };
                let first = steps.add(vec![format!("class: {class}")]);
                let suspends = self.list(&|op| self.suspends(op) == Some(axis));
                steps.add(vec![suspends, format!("in: {first}.CORE_BUSY")]);
            }
            Fact::Cache => {
                steps.has_chains = true;
                steps.add(vec![self.list(&|op| self.effect(op).begins_cache())]);
            }
            Fact::Latch => {
                steps.has_chains = true;
                steps.add(vec!["class: program_load".to_owned()]);
            }
            Fact::Site(_)
            | Fact::Sites(_)
            | Fact::Die(_)
            | Fact::Plane(..)
            | Fact::PlaneOfAny(_)
            | Fact::Block(..)
            | Fact::SitePlane(..)
            | Fact::SiteBlock(..)
            | Fact::Page(_)
            | Fact::EvenPage
            | Fact::OddPage
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

/// The part of an address that says a relation.
const fn part_of(relation: Relation) -> Option<PayloadField> {
    match relation {
        Relation::Die => None,
        Relation::OtherDie => Some(PayloadField::Die),
        Relation::SamePlane | Relation::OtherPlane => Some(PayloadField::Plane),
        Relation::SameBlock | Relation::BlockBeside => Some(PayloadField::Block),
        Relation::SamePage | Relation::PageBefore | Relation::PageAfter | Relation::PageBeside => {
            Some(PayloadField::Page)
        }
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
