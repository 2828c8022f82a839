//! Reading the description of a fault: YAML, whose words are those of test plans.
//!
//! One reading reports all mistakes, each with its place.

use nandseq_plan::model::{AddressPart, PlaceRelation, StepPlace};
use nandseq_plan::words::{
    EarlierSteps, PlanNames, check_defined, finish_with_ranges, percent_range, ranges, read_ops, read_places,
    report_unknown, times,
};
use nandseq_profile::diagnostic::quoted;
use nandseq_profile::model::PhaseKind;
use nandseq_profile::yaml::{self, Entry, Fields, Node};
use nandseq_profile::{BaseId, Diagnostic, Diagnostics, OpId, Profile, SourceFile, Ticks};
use nandseq_trace::rows::StateId;

use crate::fault::{Detection, FaultCondition, FaultStep, PlantedFault, WHOLE};

/// The version of the format that this crate reads.
pub const SCHEMA_VERSION: u32 = 1;

/// What may stand under `when`.
pub(crate) const KINDS: [&str; 6] = ["pair", "triple", "state_time", "address", "wear", "data"];
/// The steps of a pair or a triple.
pub(crate) const LABELS: [&str; 3] = ["first", "second", "third"];
/// The fields that say which operations a step may be.
const OPERATIONS: [&str; 5] = ["op", "base", "class", "celltype", "multi"];
/// The fields that say where a step works.
pub(crate) const PLACES: [&str; 8] = ["die", "dies", "plane", "planes", "block", "blocks", "page", "pages"];
/// The number of patterns that a page can hold.
pub(crate) const PATTERNS: u32 = 256;

/// Reads the description of a fault for a profile. `classes` are the classes that the text of the profile defines, with their bases.
///
/// Reports all mistakes of the text together, in the order of the text. The fault is `Some` exactly if no diagnostic is an error.
#[must_use]
pub fn read(
    source: &SourceFile,
    profile: &Profile,
    classes: &[(String, Vec<BaseId>)],
) -> (Option<PlantedFault>, Diagnostics) {
    let mut diagnostics = Diagnostics::new();
    let names = PlanNames::new(profile, classes);
    let root = yaml::parse(source, &mut diagnostics);
    if source.text.trim().is_empty() {
        diagnostics.help_last_error("begin with `schema: 1`; docs/failures.md has examples");
    }
    let fault = root.and_then(|root| fault(&root, &FaultReading { names: &names, profile }, &mut diagnostics));
    diagnostics.sort();
    diagnostics.merge_aliases(source);
    let fault = if diagnostics.has_errors() { None } else { fault };
    (fault, diagnostics)
}

/// What a fault acts on.
struct FaultReading<'a> {
    names: &'a PlanNames<'a>,
    profile: &'a Profile,
}

/// The steps of a fault, whether others may start between them, and the condition of the last.
type When = (Vec<FaultStep>, bool, FaultCondition);

fn fault(root: &Node, reading: &FaultReading<'_>, diagnostics: &mut Diagnostics) -> Option<PlantedFault> {
    let mut fields = Fields::new(root, "the fault", diagnostics)?;
    let version = fields.require("schema", diagnostics);
    version.and_then(|version| version.expect_u32("schema", SCHEMA_VERSION..=SCHEMA_VERSION, diagnostics))?;
    let name = fields.require("name", diagnostics).and_then(|node| {
        let name = node.expect_str("name", diagnostics)?;
        check_defined("fault", name, node.span, diagnostics);
        Some(name.to_owned())
    });
    let when = fields.require("when", diagnostics).and_then(|node| read_when(node, reading, diagnostics));
    let mut part_of_whole = |key: &'static str, default: u32, diagnostics: &mut Diagnostics| {
        let Some(node) = fields.take(key) else { return Some(default) };
        Some((node.expect_f64(key, 0.0..=1.0, diagnostics)? * f64::from(WHOLE)).round() as u32)
    };
    let probability = part_of_whole("probability", WHOLE, diagnostics);
    let noise = part_of_whole("noise", 0, diagnostics);
    let sites = match fields.take("sites") {
        None => Some(None),
        Some(node) if node.as_str() == Some("all") => Some(None),
        Some(node) => ranges(node, ("sites", "site"), u32::MAX, diagnostics).map(Some),
    };
    let detect = fields.take("detect").map_or(Some(Detection::default()), |node| read_detection(node, diagnostics));
    fields.finish(diagnostics);
    let (steps, others_between, condition) = when?;
    let (name, sites, detect) = (name?, sites?, detect?);
    Some(PlantedFault {
        name,
        steps,
        others_between,
        condition,
        probability: probability?,
        noise: noise?,
        sites,
        detect,
    })
}

fn read_detection(node: &Node, diagnostics: &mut Diagnostics) -> Option<Detection> {
    match node.expect_str("detect", diagnostics)? {
        "operation" => Some(Detection::Operation),
        "output" => Some(Detection::Output),
        other => {
            report_unknown(
                "place to detect a fault",
                other,
                node.span,
                ["operation", "output"].into_iter(),
                diagnostics,
            );
            None
        }
    }
}

fn read_when(node: &Node, reading: &FaultReading<'_>, diagnostics: &mut Diagnostics) -> Option<When> {
    let mark = diagnostics.mark();
    let mut fields = Fields::new(node, "when", diagnostics)?;
    let found: Vec<&Entry> = KINDS.into_iter().filter_map(|kind| fields.take_entry(kind)).collect();
    fields.finish(diagnostics);
    let &[entry] = found.as_slice() else {
        if diagnostics.errors_since(mark) {
            return None;
        }
        let message = format!("`when` states {}", if found.is_empty() { "nothing" } else { "several things" });
        let help = format!("state one of {}", KINDS.join(", "));
        diagnostics.push(Diagnostic::error("one-of", message).at(node.span, "").help(help));
        return None;
    };
    match &*entry.key {
        "pair" => read_steps(entry, &LABELS[..2], reading, diagnostics),
        "triple" => read_steps(entry, &LABELS, reading, diagnostics),
        kind => {
            let mut fields = Fields::of(entry, diagnostics)?;
            let condition = match kind {
                "state_time" => reading.read_state(&mut fields, diagnostics),
                "wear" => fields
                    .require("erases", diagnostics)
                    .and_then(|node| node.expect_u32("erases", 1..=u32::MAX, diagnostics))
                    .map(FaultCondition::Erases),
                "data" => fields
                    .require("previous_page", diagnostics)
                    .and_then(|node| ranges(node, ("previous_page", "pattern"), PATTERNS, diagnostics))
                    .map(FaultCondition::PreviousPage),
                _ => Some(FaultCondition::None),
            };
            let (labels, ops) = ([None], Vec::new());
            let earlier = EarlierSteps { names: reading.names, labels: &labels, ops: &ops };
            let step = reading.read_step(&entry.value, fields, &earlier, diagnostics)?;
            let states_place = PLACES.iter().any(|key| entry.value.get(key).is_some());
            if kind == "address" && !states_place {
                let help = "state one of `die`, `plane`, `block` and `page`";
                let message = "`address` states no part of an address";
                diagnostics.push(Diagnostic::error("missing-field", message).at(entry.key_span, "").help(help));
            }
            Some((vec![step], true, condition?))
        }
    }
}

/// Reads the steps of a pair or a triple.
fn read_steps(
    entry: &Entry,
    labels: &[&'static str],
    reading: &FaultReading<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<When> {
    let mut fields = Fields::of(entry, diagnostics)?;
    let known: Vec<Option<&str>> = labels.iter().copied().map(Some).collect();
    let (mut steps, mut ops): (Vec<Option<FaultStep>>, Vec<Vec<OpId>>) = (Vec::new(), Vec::new());
    for (at, label) in labels.iter().enumerate() {
        let earlier = EarlierSteps { names: reading.names, labels: &known, ops: &ops };
        let step = fields.require(label, diagnostics).and_then(|node| {
            let mut step_fields = Fields::new(node, label, diagnostics)?;
            let within = if at == 0 { Some(Default::default()) } else { read_gap(&mut step_fields, diagnostics) };
            let mut step = reading.read_step(node, step_fields, &earlier, diagnostics)?;
            if at > 0 && !step.places.iter().any(|place| place.part == AddressPart::Die) {
                step.places.push(StepPlace { part: AddressPart::Die, relation: PlaceRelation::SameAs(at - 1) });
            }
            Some(FaultStep { within: within?, ..step })
        });
        ops.push(step.as_ref().map(|step| step.ops.clone()).unwrap_or_default());
        steps.push(step);
    }
    let between = fields.take("between").map_or(Some(true), |node| match node.expect_str("between", diagnostics)? {
        "anything" => Some(true),
        "nothing" => Some(false),
        other => {
            let known = ["anything", "nothing"].into_iter();
            report_unknown("word for what comes between", other, node.span, known, diagnostics);
            None
        }
    });
    fields.finish(diagnostics);
    Some((steps.into_iter().collect::<Option<_>>()?, between?, FaultCondition::None))
}

/// The time from the start of the step before, which must have an end.
fn read_gap(fields: &mut Fields<'_>, diagnostics: &mut Diagnostics) -> Option<(Ticks, Ticks)> {
    let node = fields.require("within", diagnostics)?;
    let (least, most) = times(node, "within", diagnostics)?;
    if most.is_none() {
        let message =
            format!("`within` needs the longest time too, and says {}", quoted(node.as_str().unwrap_or_default()));
        let help = "write `200` for 0 to 200 µs, `10-200` for 10 to 200 µs";
        diagnostics.push(Diagnostic::error("bad-time", message).at(node.span, "").help(help));
    }
    Some((least, most?))
}

impl FaultReading<'_> {
    /// Reads the operations and the address of a step, of whose fields the others were taken. Without operations, all fit.
    fn read_step(
        &self,
        node: &Node,
        mut fields: Fields<'_>,
        earlier: &EarlierSteps<'_>,
        diagnostics: &mut Diagnostics,
    ) -> Option<FaultStep> {
        let stated = OPERATIONS.iter().any(|key| node.get(key).is_some());
        let ops = if stated {
            read_ops(node, &mut fields, self.names, diagnostics)
        } else {
            for key in OPERATIONS {
                fields.take(key);
            }
            Some(self.profile.ops.ids().collect())
        };
        let places = read_places(&mut fields, ops.as_deref(), earlier, diagnostics);
        finish_with_ranges(fields, node, diagnostics);
        Some(FaultStep { ops: ops?, places, within: Default::default() })
    }

    /// Reads an op_state and a part of it.
    fn read_state(&self, fields: &mut Fields<'_>, diagnostics: &mut Diagnostics) -> Option<FaultCondition> {
        let state = fields.require("state", diagnostics).and_then(|node| self.read_op_state(node, diagnostics));
        let at = fields.take("at").map_or(Some((0, WHOLE)), |node| {
            let at = percent_range(node, "at", diagnostics);
            if at.is_none()
                && let Some(text) = node.as_str().filter(|text| !text.contains('%'))
            {
                diagnostics.help_last_error(&format!("say that it is percent: `{} %`", text.trim()));
            }
            at
        });
        Some(FaultCondition::State { state: state?, at: at? })
    }

    fn read_op_state(&self, node: &Node, diagnostics: &mut Diagnostics) -> Option<(BaseId, PhaseKind)> {
        let name = node.expect_str("state", diagnostics)?;
        let of = |state: StateId| Some((state.parts()?.0, state.parts()?.1?));
        let affects = |(base, _): &(BaseId, PhaseKind)| self.profile.bases[*base].affects_state;
        let states = || StateId::all(self.profile).filter(|state| of(*state).is_some_and(|parts| affects(&parts)));
        let found = states().find(|state| state.text(self.profile) == name).and_then(of);
        if found.is_none() {
            let known: Vec<String> = states().map(|state| state.text(self.profile)).collect();
            report_unknown("op_state with a length", name, node.span, known.iter().map(String::as_str), diagnostics);
            let base = name.split('.').next().unwrap_or_default();
            let own: Vec<&str> =
                known.iter().map(String::as_str).filter(|one| one.split('.').next() == Some(base)).collect();
            diagnostics.help_last_error(&if own.is_empty() {
                "write `BASE.PHASE`: `nandseqgen profile show` has the bases with their phases".to_owned()
            } else {
                format!("`{base}` has: {}", own.join(", "))
            });
        }
        found
    }
}
