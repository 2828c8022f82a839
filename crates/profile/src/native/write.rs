//! Writing a resolved profile in the native format.
//!
//! The text depends on the profile only. Reading it gives an equal profile. Times are the shortest exact decimals, other numbers
//! the shortest that read back to the same value. The text has no classes and no families, and durations are numbers. Leaves out
//! profiles that no reader returns: with names of chains that are also names of bases, or with an empty name of a chain or of the
//! device.

use std::fmt::Write as _;

use super::SCHEMA_VERSION;
use super::words::{self, Word};
use crate::ids::{BaseId, BaseSet, GroupId, IdVec};
use crate::model::{
    Base, Chain, ChainStep, Effect, FollowUp, LatchNeed, Op, OverrideOf, Phase, PhaseKind, Profile, StatusField,
    StatusOf,
};
use crate::yaml::scalar;

/// The profile as native YAML.
#[must_use]
pub fn write(profile: &Profile) -> String {
    write_as(profile, &profile.name, true)
}

/// The profile as native YAML, under another name; without the levels that operations read, or with them.
pub(crate) fn write_as(profile: &Profile, name: &str, with_levels: bool) -> String {
    let mut out = ProfileWriter { profile, text: format!("schema: {SCHEMA_VERSION}\n"), with_levels };
    out.device(name);
    out.bases();
    out.exclusions();
    out.chains();
    out.ops();
    out.probabilities();
    out.settings();
    out.text
}

struct ProfileWriter<'p> {
    profile: &'p Profile,
    text: String,
    with_levels: bool,
}

/// Writes a line. Writing to a string cannot fail.
macro_rules! line {
    ($out:expr, $($arg:tt)*) => {{
        let _ = writeln!($out.text, $($arg)*);
    }};
}

/// The largest width of the lines of a list, in characters.
const WIDTH: usize = 118;

impl ProfileWriter<'_> {
    fn device(&mut self, name: &str) {
        let profile = self.profile;
        line!(self, "name: {}", scalar(name));
        let topology = profile.topology;
        line!(
            self,
            "topology: {{dies: {}, planes: {}, blocks_per_die: {}, pages_per_block: {}}}",
            topology.dies,
            topology.planes,
            topology.blocks_per_die,
            topology.pages_per_block
        );
        self.section("cell_types", profile.cell_types.is_empty());
        for (own, cell_type) in profile.cell_types.iter_ids() {
            let programs = profile.cell_types.iter_ids();
            let programs = programs.filter(|(id, _)| *id != own && cell_type.programs >> id.0 & 1 == 1);
            let programs: Vec<String> = programs.map(|(_, other)| scalar(&other.name)).collect();
            line!(self, "  {}: [{}]", scalar(&cell_type.name), programs.join(", "));
        }
        let policies = &profile.policies;
        line!(self, "policies:");
        line!(self, "  admission_window: {}", policies.admission_window.to_us_text());
        line!(self, "  queue_refill_period: {}", policies.queue_refill_period.to_us_text());
        line!(self, "  max_planes: {}", policies.max_planes);
        line!(self, "  max_tries: {}", policies.max_tries);
        line!(self, "  sequence_gap: {}", policies.sequence_gap.to_us_text());
        line!(self, "  split_dout_per_plane: {}", policies.split_dout_per_plane);
        line!(self, "  time_resolution: {}", policies.time_resolution.to_us_text());
        line!(self, "  post_hook_window: {}", policies.post_hook_window.to_us_text());
        line!(self, "  refill_uses_end_key: {}", policies.refill_uses_end_key);
        line!(self, "offset_guard: {}", profile.offset_guard);
        self.section("latencies", profile.latencies.is_empty());
        for (name, time) in &profile.latencies {
            line!(self, "  {}: {}", scalar(name), time.to_us_text());
        }
    }

    /// Writes the head of a section that is a mapping.
    fn section(&mut self, name: &str, empty: bool) {
        let end = if empty { " {}" } else { "" };
        line!(self, "{name}:{end}");
    }

    fn bases(&mut self) {
        let profile = self.profile;
        self.section("bases", profile.bases.is_empty());
        for base in profile.bases.iter() {
            self.base(base);
        }
        self.list("", "interleaved", &self.base_names(profile.interleaved));
    }

    fn base(&mut self, base: &Base) {
        line!(self, "  {}:", scalar(&base.name));
        line!(self, "    scope: {}", base.scope.word());
        line!(self, "    affects_state: {}", base.affects_state);
        line!(self, "    instant: {}", base.instant);
        let phases: Vec<String> = base.phases.iter().map(phase).collect();
        line!(self, "    phases: [{}]", phases.join(", "));
        line!(self, "    address: {}", base.address.word());
        let effects: Vec<String> = base.effects.iter().map(|known| effect(*known)).collect();
        line!(self, "    effects: [{}]", effects.join(", "));
        let payload: Vec<&str> = base.payload.iter().map(|field| field.word()).collect();
        line!(self, "    payload: [{}]", payload.join(", "));
        if !base.follow_ups.is_empty() {
            line!(self, "    follow_ups:");
            for follow_up in &base.follow_ups {
                self.follow_up(follow_up);
            }
        }
    }

    fn follow_up(&mut self, follow_up: &FollowUp) {
        let weight = number(follow_up.weight);
        let Some(chain) = follow_up.chain.and_then(|chain| self.profile.chains.get(chain)) else {
            line!(self, "      {}: {weight}", words::NO_FOLLOW_UP);
            return;
        };
        let name = scalar(&chain.name);
        match self.single_step(chain) {
            Some(step) => {
                let inherit = inheritance(step).join(", ");
                let names = self.name_weights(chain).map(|names| format!(", name_weights: {names}"));
                let names = names.unwrap_or_default();
                line!(self, "      {name}: {{weight: {weight}, inherit: [{inherit}]{names}}}");
            }
            None => line!(self, "      {name}: {weight}"),
        }
    }

    /// The step of a chain of a single operation, which is written with the follow-up.
    fn single_step<'c>(&self, chain: &'c Chain) -> Option<&'c ChainStep> {
        match chain.steps.as_slice() {
            [step] if self.profile.bases[step.base].name == chain.name => Some(step),
            _ => None,
        }
    }

    fn name_weights(&self, chain: &Chain) -> Option<String> {
        let profile = self.profile;
        let of_base = |(base, weights): &(BaseId, Vec<_>)| {
            let weights = weights.iter().map(|(op, weight): &(crate::OpId, f64)| {
                format!("{}: {}", scalar(&profile.ops[*op].name), number(*weight))
            });
            let weights: Vec<String> = weights.collect();
            format!("{}: {{{}}}", scalar(&profile.bases[*base].name), weights.join(", "))
        };
        let all: Vec<String> = chain.name_weights.iter().map(of_base).collect();
        (!all.is_empty()).then(|| format!("{{{}}}", all.join(", ")))
    }

    fn chains(&mut self) {
        let profile = self.profile;
        let named: Vec<&Chain> = profile.chains.iter().filter(|chain| self.single_step(chain).is_none()).collect();
        self.section("chains", named.is_empty());
        for chain in named {
            line!(self, "  {}:", scalar(&chain.name));
            line!(self, "    steps:");
            for step in &chain.steps {
                let base = scalar(&profile.bases[step.base].name);
                line!(self, "      - {base}: [{}]", inheritance(step).join(", "));
            }
            if let Some(names) = self.name_weights(chain) {
                line!(self, "    name_weights: {names}");
            }
        }
    }

    fn exclusions(&mut self) {
        let exclusions = &self.profile.exclusions;
        self.section("exclusion_groups", exclusions.groups.is_empty());
        let all: BaseSet = self.profile.bases.ids().collect();
        for group in exclusions.groups.iter() {
            let name = scalar(&group.name);
            let allowed = all.minus(group.forbids);
            if allowed.len() < group.forbids.len() {
                line!(self, "  {name}:");
                self.list("    ", "all_except", &self.base_names(allowed));
            } else {
                self.list("  ", &name, &self.base_names(group.forbids));
            }
        }
        line!(self, "exclusions:");
        let group_names = |groups: &[GroupId], known: &IdVec<GroupId, crate::model::ExclusionGroup>| {
            groups.iter().map(|group| scalar(&known[*group].name)).collect::<Vec<_>>().join(", ")
        };
        self.section("  op_state", exclusions.by_op_state.is_empty());
        for (key, groups) in &exclusions.by_op_state {
            let key = scalar(&self.profile.phase_keys[*key].name);
            line!(self, "    {key}: [{}]", group_names(groups, &exclusions.groups));
        }
        self.section("  state", exclusions.by_state.is_empty());
        for (state, groups) in &exclusions.by_state {
            line!(self, "    {}: [{}]", state.name(), group_names(groups, &exclusions.groups));
        }
    }

    fn base_names(&self, bases: BaseSet) -> Vec<String> {
        bases.iter().map(|base| scalar(&self.profile.bases[base].name)).collect()
    }

    /// Writes `name: [a, b, …]`, in several lines if it is too wide.
    fn list(&mut self, indent: &str, name: &str, items: &[String]) {
        let mut text = format!("{indent}{name}: [");
        let mut column = text.chars().count();
        for (at, item) in items.iter().enumerate() {
            let comma = if at + 1 < items.len() { "," } else { "]" };
            let width = item.chars().count() + 2;
            if at > 0 && column + width > WIDTH {
                text.push('\n');
                text.push_str(indent);
                text.push_str("  ");
                column = indent.len() + 2;
            } else if at > 0 {
                text.push(' ');
            }
            text.push_str(item);
            text.push_str(comma);
            column += width;
        }
        if items.is_empty() {
            text.push(']');
        }
        line!(self, "{text}");
    }

    fn ops(&mut self) {
        self.section("ops", self.profile.ops.is_empty());
        for op in self.profile.ops.iter() {
            self.op(op);
        }
    }

    fn op(&mut self, op: &Op) {
        let base = &self.profile.bases[op.base];
        let cell_type = &self.profile.cell_types[op.cell_type].name;
        let mut fields = vec![format!("base: {}", scalar(&base.name)), format!("celltype: {}", scalar(cell_type))];
        if op.multi {
            fields.push("multi: true".to_owned());
        }
        for (phase, duration) in base.phases.iter().zip(&op.durations) {
            fields.push(format!("{}: {}", phase.kind.word(), duration.to_us_text()));
        }
        match op.status_of {
            None => {}
            Some(StatusOf::Die) => fields.push("status_of: die".to_owned()),
            Some(StatusOf::Plane) => fields.push("status_of: plane".to_owned()),
            Some(StatusOf::Lun(lun)) => fields.push(format!("status_of: lun {lun}")),
        }
        if op.opcode != 0 {
            fields.push(format!("opcode: {}", op.opcode));
        }
        if let Some(level) = op.reads.filter(|_| self.with_levels) {
            fields.push(format!("reads: {}", level.word()));
        }
        line!(self, "  {}: {{{}}}", scalar(&op.name), fields.join(", "));
    }

    fn probabilities(&mut self) {
        let profile = self.profile;
        let probabilities = &profile.probabilities;
        self.section("phase_conditional", probabilities.phase_conditional.is_empty());
        for (key, weights) in &probabilities.phase_conditional {
            self.section(&format!("  {}", scalar(&profile.phase_keys[*key].name)), weights.is_empty());
            for (op, weight) in weights {
                line!(self, "    {}: {}", scalar(&profile.ops[*op].name), number(*weight));
            }
        }
        line!(self, "probabilities:");
        self.section("  global", probabilities.global.is_empty());
        self.masses("    ", &probabilities.global);
        self.section("  by_key", probabilities.by_key.is_empty());
        for (key, masses) in &probabilities.by_key {
            self.section(&format!("    {}", scalar(&profile.phase_keys[*key].name)), masses.is_empty());
            self.masses("      ", masses);
        }
    }

    fn masses(&mut self, indent: &str, masses: &[(OverrideOf, f64)]) {
        for (of, mass) in masses {
            let name = match of {
                OverrideOf::Base(base) => &self.profile.bases[*base].name,
                OverrideOf::Op(op) => &self.profile.ops[*op].name,
            };
            line!(self, "{indent}{}: {}", scalar(name), number(*mass));
        }
    }

    fn settings(&mut self) {
        let export = &self.profile.export;
        line!(self, "export:");
        line!(self, "  time_scale: {}", number(export.time_scale));
        line!(self, "  round_decimals: {}", export.round_decimals);
        line!(self, "  skip_resume_chained_ops: {}", export.skip_resume_chained_ops);
        if !export.status.is_empty() {
            let fields: Vec<&str> = export.status.iter().map(|field: &StatusField| field.word()).collect();
            line!(self, "  status: {{fields: [{}]}}", fields.join(", "));
        }
        let bootstrap = &self.profile.bootstrap;
        line!(self, "bootstrap:");
        line!(self, "  enabled: {}", bootstrap.enabled);
        line!(self, "  erase_blocks: {}", bootstrap.erase_blocks);
        line!(self, "  program_blocks: {}", bootstrap.program_blocks);
        line!(self, "  read_blocks: {}", bootstrap.read_blocks);
        line!(self, "  read_coverage: {}", number(bootstrap.read_coverage));
        self.section("  cell_type_weights", bootstrap.cell_type_weights.is_empty());
        for (cell_type, weight) in &bootstrap.cell_type_weights {
            line!(self, "    {}: {}", scalar(&self.profile.cell_types[*cell_type].name), number(*weight));
        }
    }
}

/// A phase: `ISSUE`, or with unusual settings `ISSUE: {bus: false}`.
fn phase(phase: &Phase) -> String {
    let mut unusual = Vec::new();
    if phase.bus != (phase.kind == PhaseKind::Issue) {
        unusual.push(format!("bus: {}", phase.bus));
    }
    if let Some(duration) = phase.default_duration {
        unusual.push(format!("duration: {}", duration.to_us_text()));
    }
    let word = phase.kind.word();
    if unusual.is_empty() { word.to_owned() } else { format!("{word}: {{{}}}", unusual.join(", ")) }
}

fn effect(effect: Effect) -> String {
    match effect {
        Effect::Erase
        | Effect::Program
        | Effect::CloseBlock
        | Effect::FillRegisters { copyback: false }
        | Effect::DataOut
        | Effect::CopybackSource
        | Effect::ResetDie
        | Effect::ResetTarget
        | Effect::OdtDisable
        | Effect::OdtEnable
        | Effect::WriteProtectOn
        | Effect::WriteProtectOff
        | Effect::StatusRead
        | Effect::Delay => effect.word().to_owned(),
        Effect::LoadLatch { latch, level, needs } => {
            format!("load_latch: {{latch: {}, level: {}{}}}", latch.word(), level.word(), need(needs))
        }
        Effect::ConsumeLatch { latch, needs } => format!("consume_latch: {{latch: {}{}}}", latch.word(), need(needs)),
        Effect::FillRegisters { copyback: true } => "fill_registers: copyback".to_owned(),
        Effect::CacheRead(kind) => format!("cache_read: {}", kind.word()),
        Effect::CacheReadEnd(kind) => format!("cache_read_end: {}", kind.word()),
        Effect::CacheProgramStart(kind) => format!("cache_program_start: {}", kind.word()),
        Effect::CacheProgramEnd(kind) => format!("cache_program_end: {}", kind.word()),
        Effect::Suspend(axis) => format!("suspend: {}", axis.word()),
        Effect::Resume(axis) => format!("resume: {}", axis.word()),
    }
}

fn need(needs: LatchNeed) -> String {
    let levels = [(needs.lsb, "lsb"), (needs.csb, "csb"), (needs.msb, "msb")];
    let needed: Vec<&str> = levels.into_iter().filter(|(needed, _)| *needed).map(|(_, level)| level).collect();
    if needed.is_empty() { String::new() } else { format!(", needs: [{}]", needed.join(", ")) }
}

fn inheritance(step: &ChainStep) -> Vec<&'static str> {
    let mut inherit = vec![step.address.word()];
    let flags = [
        (step.same_cell_type, words::SAME_CELL_TYPE),
        (step.multi, words::MULTI),
        (step.same_plane, words::SAME_PLANE),
    ];
    inherit.extend(flags.into_iter().filter(|(set, _)| *set).map(|(_, word)| word));
    inherit
}

/// The shortest decimal that reads back to the same value.
fn number(value: f64) -> String {
    // Without an exponent, the smallest numbers would have hundreds of digits.
    if value == 0.0 || (1e-6..1e15).contains(&value.abs()) { format!("{value}") } else { format!("{value:e}") }
}
